/*
 * tuple.c - Connection identities: building, comparing, hashing, and back to endpoints.
 */
#include "tcp/tuple.h"

#include "base/bytes.h"
#include "base/checksum.h"

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Written in place and in whole words: what is read sooner than its pieces are stored costs a stall. */
static void put_address(uint8_t out[16], const struct sanwo_address *a)
{
    uint32_t words[4];
    if (a->family == SANWO_FAMILY_IPV4) {
        memcpy(words, mapped_prefix, sizeof(mapped_prefix));
        memcpy(words + 3, a->bytes, 4);
    } else {
        memcpy(words, a->bytes, 16);
    }
    memcpy(out, words, 16);
}

static void get_address(struct sanwo_address *out, const uint8_t in[16], uint8_t zone)
{
    uint32_t words[4] = {0};
    bool ipv4 = memcmp(in, mapped_prefix, sizeof(mapped_prefix)) == 0;
    memcpy(words, ipv4 ? in + 12 : in, ipv4 ? 4 : 16);
    memcpy(out->bytes, words, 16);
    out->family = ipv4 ? SANWO_FAMILY_IPV4 : SANWO_FAMILY_IPV6;
    out->zone = !ipv4 && sanwo_address_is_link_local(out) ? zone : 0;
    out->spare[0] = out->spare[1] = 0;
}

void sw_tcp_tuple_set(struct tcp_tuple *t, const struct sanwo_address *local, uint16_t local_port,
                      const struct sanwo_address *remote, uint16_t remote_port)
{
    put_address(t->remote, remote);
    put_address(t->local, local);
    t->remote_port = remote_port;
    t->local_port = local_port;
    t->zone = sanwo_address_is_link_local(remote) ? remote->zone : 0;
    memset(t->spare, 0, sizeof(t->spare));
}

struct tcp_tuple sw_tcp_tuple(const struct sanwo_address *local, uint16_t local_port,
                              const struct sanwo_address *remote, uint16_t remote_port)
{
    struct tcp_tuple t;
    sw_tcp_tuple_set(&t, local, local_port, remote, remote_port);
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

uint32_t sw_tcp_tuple_sum(const struct tcp_tuple *t)
{
    return sw_checksum_fold(sw_checksum_add(0, t, offsetof(struct tcp_tuple, remote_port)));
}

bool sw_tcp_tuple_is_ipv4(const struct tcp_tuple *t)
{
    return memcmp(t->remote, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

void sw_tcp_tuple_addresses(const struct tcp_tuple *t, struct sanwo_address *local,
                            struct sanwo_address *remote)
{
    get_address(local, t->local, t->zone);
    get_address(remote, t->remote, t->zone);
}

struct sanwo_endpoint sw_tcp_tuple_local(const struct tcp_tuple *t)
{
    struct sanwo_endpoint e = {.port = t->local_port};
    get_address(&e.address, t->local, t->zone);
    return e;
}

struct sanwo_endpoint sw_tcp_tuple_remote(const struct tcp_tuple *t)
{
    struct sanwo_endpoint e = {.port = t->remote_port};
    get_address(&e.address, t->remote, t->zone);
    return e;
}
