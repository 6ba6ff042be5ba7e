/*
 * siphash.h - SipHash (Aumasson and Bernstein): the keyed hash of ISNs, ports, tables and cookies.
 */
#ifndef SW_BASE_SIPHASH_H
#define SW_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k0, k1;
};

/* SipHash-2-4. */
uint64_t sw_siphash(const struct siphash_key *key, const void *bytes, size_t length);
/* SipHash-1-3, for tables: keyed against floods of collisions, quicker, never for the wire. */
uint64_t sw_siphash_table(const struct siphash_key *key, const void *bytes, size_t length);

#endif
