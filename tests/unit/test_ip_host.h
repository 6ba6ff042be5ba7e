/*
 * test_ip_host.h - A host without TCP, packets for it, and frames of exactly their size.
 *
 *     link 0: bare IP, MTU 1500, 10.0.0.1/24 and 2001:db8::1/64, fe80::1/64
 *     link 1: Ethernet, MTU 1500, 192.168.1.1/24, gateway 192.168.1.254 for 0/0
 */
#ifndef TEST_IP_HOST_H
#define TEST_IP_HOST_H

#include "base/checksum.h"
#include "ip/ip_internal.h"
#include "link/arp.h"
#include "wire/tcp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOST_REGION (2u << 20)
#define TUN 0
#define ETH 1

struct host {
    struct region region;
    struct random random;
    struct ip ip;
    _Alignas(64) uint8_t arrays[1 << 18];
};

#define MAC_OURS                                                                                   \
    {                                                                                              \
        {                                                                                          \
            2, 0, 0, 0, 0, 1                                                                       \
        }                                                                                          \
    }
#define MAC_PEER                                                                                   \
    {                                                                                              \
        {                                                                                          \
            2, 0, 0, 0, 0, 0x77                                                                    \
        }                                                                                          \
    }
#define MAC_OTHER                                                                                  \
    {                                                                                              \
        {                                                                                          \
            2, 0, 0, 0, 0, 0x99                                                                    \
        }                                                                                          \
    }
#define MAC_GROUP                                                                                  \
    {                                                                                              \
        {                                                                                          \
            1, 0, 0x5e, 0, 0, 1                                                                    \
        }                                                                                          \
    }
#define MAC_ALL                                                                                    \
    {                                                                                              \
        {                                                                                          \
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff                                                     \
        }                                                                                          \
    }

static const struct wire_mac our_mac = MAC_OURS;
static const struct wire_mac peer_mac = MAC_PEER;
static const struct wire_mac all_mac = MAC_ALL;

static inline struct sanwo_address addr(const char *text)
{
    struct sanwo_address a;

    assert_true(sanwo_address_parse(text, &a));
    return a;
}

static inline struct sanwo_stack_config host_config(void)
{
    struct sanwo_stack_config c;

    memset(&c, 0, sizeof c);
    c.max_links = 8;
    c.max_addresses = 64;
    c.max_routes = 64;
    c.max_neighbours = 512;
    c.max_replies = 1024;
    c.icmp_rate = 100;
    c.answer_echo = true;
    return c;
}

static inline struct host *host_bare(const struct sanwo_stack_config *config)
{
    static const uint8_t seed[32] = {1};
    struct host *h = aligned_alloc(4096, HOST_REGION);

    assert_non_null(h);
    memset(h, 0xa5, HOST_REGION);
    assert_true(sw_region_init(&h->region, h, HOST_REGION, sw_round_up(sizeof *h, 4096), 0));
    sw_random_init(&h->random, seed);
    assert_true(sw_ip_arrays_size(config) <= sizeof h->arrays);
    sw_ip_init(&h->ip, &h->region, offsetof(struct host, arrays), &h->random, config, 0);
    return h;
}

static inline int add_link(struct ip *ip, enum sanwo_link_kind kind, uint16_t mtu, uint32_t offload)
{
    struct sanwo_link_config c = {.kind = (uint8_t)kind, .mtu = mtu, .offload = offload};

    if (kind == SANWO_LINK_ETHERNET)
        memcpy(c.mac, our_mac.bytes, 6);
    return sw_ip_link_add(ip, &c);
}

static inline int add_address(struct ip *ip, unsigned link, const char *text, unsigned length)
{
    struct sanwo_address a = addr(text);

    return sw_ip_address_add(ip, link, &a, length);
}

static inline int add_route(struct ip *ip, const char *network, unsigned length,
                            const char *gateway, unsigned link)
{
    struct sanwo_address n = addr(network), g = {.family = SANWO_FAMILY_NONE};

    if (gateway)
        g = addr(gateway);
    return sw_ip_route_add(ip, &n, length, &g, link);
}

/* As in the picture above. */
static inline struct host *host_new(void)
{
    struct sanwo_stack_config config = host_config();
    struct host *h = host_bare(&config);

    assert_int_equal(add_link(&h->ip, SANWO_LINK_IP, 1500, 0), TUN);
    assert_int_equal(add_link(&h->ip, SANWO_LINK_ETHERNET, 1500, 0), ETH);
    assert_int_equal(add_address(&h->ip, TUN, "10.0.0.1", 24), 0);
    assert_int_equal(add_address(&h->ip, TUN, "2001:db8::1", 64), 0);
    assert_int_equal(add_address(&h->ip, TUN, "fe80::1", 64), 0);
    assert_int_equal(add_address(&h->ip, ETH, "192.168.1.1", 24), 0);
    assert_int_equal(add_route(&h->ip, "0.0.0.0", 0, "192.168.1.254", ETH), 0);
    return h;
}

/* Gives back everything, and everything was given back before. */
static inline void host_end(struct host *h)
{
    assert_int_equal(h->region.used, 0);
    free(h);
}

/* ---- packets ------------------------------------------------------------------------------------ */

struct packet {
    uint8_t bytes[2048];
    uint32_t length;
    unsigned link; /* it came out by */
};

static inline void put_v4(struct packet *p, const char *from, const char *to, uint8_t protocol,
                          const void *payload, uint32_t length)
{
    struct wire_ipv4 h = {.source = addr(from),
                          .destination = addr(to),
                          .total_length = (uint16_t)(WIRE_IPV4_HEADER + length),
                          .header_length = WIRE_IPV4_HEADER,
                          .id = 7,
                          .ttl = 64,
                          .protocol = protocol};

    sw_wire_ipv4_write(&h, p->bytes);
    if (length)
        memcpy(p->bytes + WIRE_IPV4_HEADER, payload, length);
    p->length = WIRE_IPV4_HEADER + length;
}

static inline void put_v6(struct packet *p, const char *from, const char *to, uint8_t next,
                          const void *payload, uint32_t length)
{
    struct wire_ipv6 h = {.source = addr(from),
                          .destination = addr(to),
                          .payload_length = (uint16_t)length,
                          .next_header = next,
                          .hop_limit = 64};

    sw_wire_ipv6_write(&h, p->bytes);
    if (length)
        memcpy(p->bytes + WIRE_IPV6_HEADER, payload, length);
    p->length = WIRE_IPV6_HEADER + length;
}

/* The IPv4 header checksum after the header was changed by hand. */
static inline void fix_v4(struct packet *p)
{
    size_t header = (p->bytes[0] & 15u) * 4;

    sw_store16(p->bytes + 10, 0);
    sw_store16(p->bytes + 10, sw_checksum_finish(sw_checksum_add(0, p->bytes, header)));
}

/* An ICMP message of @length bytes after the 8 of the header, checksum and all. */
static inline void put_icmp(struct packet *p, const char *from, const char *to, uint8_t type,
                            uint8_t code, uint32_t rest, const void *data, uint32_t length)
{
    struct sanwo_address source = addr(from), destination = addr(to);
    bool v6 = source.family == SANWO_FAMILY_IPV6;
    uint8_t message[2000];
    struct wire_icmp h = {.type = type, .code = code, .rest = rest};
    uint32_t sum = 0;

    sw_wire_icmp_write(&h, message);
    if (length)
        memcpy(message + 8, data, length);
    if (v6)
        sum = sw_wire_pseudo_sum(&source, &destination, IP_PROTOCOL_ICMPV6, 8 + length);
    h.checksum = sw_checksum_finish(sw_checksum_add(sum, message, 8 + length));
    sw_wire_icmp_write(&h, message);
    if (v6)
        put_v6(p, from, to, IP_PROTOCOL_ICMPV6, message, 8 + length);
    else
        put_v4(p, from, to, IP_PROTOCOL_ICMP, message, 8 + length);
}

static inline void put_ethernet(struct packet *p, const struct wire_mac *to,
                                const struct wire_mac *from, uint16_t type)
{
    struct wire_ethernet h = {.destination = *to, .source = *from, .type = type};

    memmove(p->bytes + WIRE_ETHERNET_HEADER, p->bytes, p->length);
    sw_wire_ethernet_write(&h, p->bytes);
    p->length += WIRE_ETHERNET_HEADER;
}

static inline void put_arp(struct packet *p, uint16_t operation, const struct wire_mac *mac,
                           const char *sender, const char *target)
{
    struct wire_arp a = {
        .operation = operation, .sender_mac = *mac, .sender = addr(sender), .target = addr(target)};

    sw_wire_arp_write(&a, p->bytes);
    p->length = WIRE_ARP_SIZE;
    put_ethernet(p, operation == ARP_REPLY ? &our_mac : &all_mac, mac, ETHERTYPE_ARP);
}

/* ---- in ----------------------------------------------------------------------------------------- */

/* The bytes in slices of the given lengths (0 ends; the last takes the rest), each of its own size. */
static inline enum ip_verdict input_cut(struct host *h, unsigned link, const uint8_t *bytes,
                                        uint32_t length, const uint32_t *cuts, sanwo_time now,
                                        struct ip_packet *out)
{
    struct sanwo_frame f = {.link = (uint16_t)link, .length = length};
    enum ip_verdict verdict;
    uint32_t at = 0;

    do {
        struct sanwo_slice *s = &f.slices[f.slice_count++];
        uint8_t *copy;
        s->length = cuts && *cuts && *cuts < length - at ? *cuts++ : length - at;
        copy = malloc(s->length ? s->length : 1);
        assert_non_null(copy);
        memcpy(copy, bytes + at, s->length);
        s->bytes = copy;
        at += s->length;
    } while (at < length);
    verdict = sw_ip_input(&h->ip, &f, now, out);
    for (unsigned i = 0; i < f.slice_count; i++)
        free((void *)(uintptr_t)f.slices[i].bytes);
    return verdict;
}

static inline enum ip_verdict input(struct host *h, unsigned link, const struct packet *p,
                                    struct ip_packet *out)
{
    return input_cut(h, link, p->bytes, p->length, NULL, 0, out);
}

/* ---- out ---------------------------------------------------------------------------------------- */

static inline void release(struct host *h, const struct sanwo_frame *f)
{
    for (unsigned i = 0; i < f->slice_count; i++)
        sw_buffer_unref(&h->region, sw_buffer_at(&h->region, f->slices[i].buffer));
}

/* The next frame flat in @p; false if there is none. */
static inline bool poll(struct host *h, struct packet *p, sanwo_time now)
{
    struct sanwo_frame f;

    if (!sw_ip_poll_frame(&h->ip, &f, now))
        return false;
    assert_true(f.length <= sizeof p->bytes);
    p->length = f.length;
    p->link = f.link;
    sw_ip_frame_sum(&f, 0, f.length, 0, p->bytes);
    release(h, &f);
    return true;
}

static inline unsigned poll_all(struct host *h, sanwo_time now)
{
    struct packet p;
    unsigned n = 0;

    while (poll(h, &p, now))
        n++;
    return n;
}

/* A segment of @length bytes in a buffer with headroom, as TCP would hand it down. */
static inline struct sanwo_frame segment(struct host *h, uint32_t length)
{
    struct sanwo_frame f;
    uint8_t *bytes = sw_ip_reply_begin(&h->ip, length, &f);

    assert_non_null(bytes);
    for (uint32_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)i;
    return f;
}

static inline struct ip_send send_to(const char *from, const char *to)
{
    return (struct ip_send){.source = addr(from),
                            .destination = addr(to),
                            .protocol = IP_PROTOCOL_TCP,
                            .ttl = 64,
                            .flow = 42};
}

static inline struct ip_path path_to(struct host *h, const char *to)
{
    struct sanwo_address a = addr(to);
    struct ip_path path;

    assert_true(sw_ip_route_find(&h->ip, &a, &path));
    return path;
}

#endif
