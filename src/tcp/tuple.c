/*
 * tuple.c - Connection identities: building, comparing, hashing, and back to endpoints.
 */
#include "tcp/tuple.h"

#include "base/bytes.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void put_address(uint8_t out[16], const struct sanwo_address *a)
{
    if (a->family == SANWO_FAMILY_IPV4) {
        memcpy(out, mapped_prefix, sizeof(mapped_prefix));
        memcpy(out + 12, a->bytes, 4);
    } else {
        memcpy(out, a->bytes, 16);
    }
}

static struct sanwo_address get_address(const uint8_t in[16], uint8_t zone)
{
    struct sanwo_address a = {.family = SANWO_FAMILY_IPV6};
    if (memcmp(in, mapped_prefix, sizeof(mapped_prefix)) == 0) {
        a.family = SANWO_FAMILY_IPV4;
        memcpy(a.bytes, in + 12, 4);
        return a;
    }
    memcpy(a.bytes, in, 16);
    a.zone = sanwo_address_is_link_local(&a) ? zone : 0;
    return a;
}

struct tcp_tuple sw_tcp_tuple(const struct sanwo_address *local, uint16_t local_port,
                              const struct sanwo_address *remote, uint16_t remote_port)
{
    struct tcp_tuple t = {.remote_port = remote_port, .local_port = local_port};
    put_address(t.local, local);
    put_address(t.remote, remote);
    t.zone = sanwo_address_is_link_local(remote) ? remote->zone : 0;
    return t;
}

bool sw_tcp_tuple_equal(const struct tcp_tuple *a, const struct tcp_tuple *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* keyed. */
uint32_t sw_tcp_tuple_hash(const struct siphash_key *key, const struct tcp_tuple *t)
{
    if (!sw_tcp_tuple_is_ipv4(t))
        return (uint32_t)sw_siphash_table(key, t, sizeof(*t));
    uint8_t ipv4[12]; /* a third of the bytes say all there is */
    memcpy(ipv4, t->remote + 12, 4);
    memcpy(ipv4 + 4, t->local + 12, 4);
    memcpy(ipv4 + 8, &t->remote_port, 2);
    memcpy(ipv4 + 10, &t->local_port, 2);
    return (uint32_t)sw_siphash_table(key, ipv4, sizeof(ipv4));
}

bool sw_tcp_tuple_is_ipv4(const struct tcp_tuple *t)
{
    return memcmp(t->remote, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

struct sanwo_endpoint sw_tcp_tuple_local(const struct tcp_tuple *t)
{
    return (struct sanwo_endpoint){get_address(t->local, t->zone), t->local_port};
}

struct sanwo_endpoint sw_tcp_tuple_remote(const struct tcp_tuple *t)
{
    return (struct sanwo_endpoint){get_address(t->remote, t->zone), t->remote_port};
}
