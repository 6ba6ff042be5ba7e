/*
 * wire/address.h - Addresses as they stand in packets, to the public structure.
 */
#ifndef SW_WIRE_ADDRESS_H
#define SW_WIRE_ADDRESS_H

#include "base/bytes.h"

#include <sanwo/address.h>

/* The four bytes at @p. In place and in words: compilers build a value to copy byte by byte. */
static inline void sw_wire_address_read_ipv4(struct sanwo_address *out, const uint8_t *p)
{
    uint64_t low = 0;

    memcpy(&low, p, 4);
    memcpy(out->bytes, &low, 8);
    memset(out->bytes + 8, 0, 8);
    out->family = SANWO_FAMILY_IPV4;
    out->zone = 0;
    out->spare[0] = out->spare[1] = 0;
}

/* The sixteen bytes at @p; the zone is for those to set who know the link. */
static inline void sw_wire_address_read_ipv6(struct sanwo_address *out, const uint8_t *p)
{
    memcpy(out->bytes, p, 16);
    out->family = SANWO_FAMILY_IPV6;
    out->zone = 0;
    out->spare[0] = out->spare[1] = 0;
}

#endif
