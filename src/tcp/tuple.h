/*
 * tuple.h - What identifies a connection: two addresses and two ports, small enough to keep millions.
 *
 * IPv4 addresses are kept in the IPv4-mapped form ::ffff:a.b.c.d, which never occurs on the wire (it
 * is refused there as a martian), so the family need not be stored. A link-local IPv6 address
 * carries its link in `zone`.
 */
#ifndef SW_TCP_TUPLE_H
#define SW_TCP_TUPLE_H

#include "base/siphash.h"

#include <sanwo/address.h>

struct tcp_tuple {
    uint8_t remote[16];
    uint8_t local[16];
    uint16_t remote_port;
    uint16_t local_port;
    uint8_t zone;
    uint8_t spare[3];
};
_Static_assert(sizeof(struct tcp_tuple) == 40, "compared and hashed as bytes");

struct tcp_tuple sw_tcp_tuple(const struct sanwo_address *local, uint16_t local_port,
                              const struct sanwo_address *remote, uint16_t remote_port);
/* The same, in place. */
void sw_tcp_tuple_set(struct tcp_tuple *t, const struct sanwo_address *local, uint16_t local_port,
                      const struct sanwo_address *remote, uint16_t remote_port);
bool sw_tcp_tuple_equal(const struct tcp_tuple *a, const struct tcp_tuple *b);
uint32_t sw_tcp_tuple_hash(const struct siphash_key *key, const struct tcp_tuple *t);
/*
 * The sum of the addresses, for the checksum (MUST-2): of IPv4 ones too, as the prefix of a mapped address
 * adds 0xffff, which is nothing in one's complement.
 */
uint32_t sw_tcp_tuple_sum(const struct tcp_tuple *t);
bool sw_tcp_tuple_is_ipv4(const struct tcp_tuple *t);
void sw_tcp_tuple_addresses(const struct tcp_tuple *t, struct sanwo_address *local,
                            struct sanwo_address *remote);
struct sanwo_endpoint sw_tcp_tuple_local(const struct tcp_tuple *t);
struct sanwo_endpoint sw_tcp_tuple_remote(const struct tcp_tuple *t);

#endif
