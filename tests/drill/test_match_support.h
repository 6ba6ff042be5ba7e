/*
 * test_match_support.h - What the tests of the drill's packet side share: segments as a stack would send
 * them, written and summed up here by other means than the code under test.
 */
#ifndef TEST_MATCH_SUPPORT_H
#define TEST_MATCH_SUPPORT_H

#include "packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128 };

#define LOCAL_PORT 8080
#define PEER_PORT 50000
#define ISN                                                                                        \
    UINT32_C(0xfffffff0) /* of the stack: numbers wrap in every test that goes on for 16 bytes */

/* A segment of the stack, in numbers of the wire. */
struct sent {
    uint16_t source, destination; /* 0: LOCAL_PORT, PEER_PORT */
    uint8_t flags;
    bool ae;
    uint8_t reserved;
    uint32_t seq, ack, length;
    uint16_t window, urgent;
    uint8_t options[40];
    uint8_t options_length;
    uint8_t tos, ttl;
    uint32_t label;
    uint8_t fill; /* each byte of the payload */
    bool wrong_sum;
};

static inline void put2(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void put4(uint8_t *p, uint32_t v)
{
    put2(p, v >> 16);
    put2(p + 2, v);
}

static inline uint32_t get2(const uint8_t *p)
{
    return (uint32_t)p[0] * 256 + p[1];
}

static inline uint32_t get4(const uint8_t *p)
{
    return get2(p) * 65536 + get2(p + 2);
}

/* RFC 1071 the slow way: end-around carry after each byte pair. */
static inline uint32_t plain_sum(uint32_t sum, const uint8_t *p, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        sum += i % 2 ? p[i] : p[i] * 256u;
        if (sum > 65535)
            sum -= 65535;
    }
    return sum;
}

/* Sum over the pseudo header and the @length bytes from @offset on of an IP packet. */
static inline uint32_t transport_sum(const uint8_t *packet, size_t offset, size_t length,
                                     uint8_t protocol)
{
    bool v6 = packet[0] >> 4 == 6;
    uint8_t tail[4] = {0, protocol, (uint8_t)(length >> 8), (uint8_t)length};
    uint32_t sum = plain_sum(0, packet + (v6 ? 8 : 12), v6 ? 32 : 8);

    sum = plain_sum(sum, tail, 4);
    return plain_sum(sum, packet + offset, length);
}

static inline struct sanwo_address stack_address(uint8_t family)
{
    struct sanwo_address a;

    assert_true(sanwo_address_parse(family == SANWO_FAMILY_IPV6 ? "fd3d::1" : "192.168.0.1", &a));
    return a;
}

static inline struct sanwo_address peer_address(uint8_t family)
{
    struct sanwo_address a;

    assert_true(sanwo_address_parse(family == SANWO_FAMILY_IPV6 ? "fd3d::9" : "192.0.2.1", &a));
    return a;
}

static inline void wire_init(struct drill_wire *wire, uint8_t family)
{
    sw_drill_wire_init(wire);
    wire->family = family;
    wire->local.address = stack_address(family);
    wire->remote.address = peer_address(family);
    wire->local.port = LOCAL_PORT;
    wire->next_remote_port = PEER_PORT;
    wire->tolerance = SANWO_MSEC(4);
}

/* The IP header of @length bytes of @protocol from the stack; returns its own length. */
static inline size_t put_ip_header(uint8_t *p, uint8_t family, uint8_t protocol, size_t length,
                                   const struct sent *sent)
{
    struct sanwo_address from = stack_address(family), to = peer_address(family);
    uint8_t ttl = sent->ttl ? sent->ttl : 64;

    memset(p, 0, 40);
    if (family == SANWO_FAMILY_IPV6) {
        put4(p, 0x60000000u | (uint32_t)sent->tos << 20 | sent->label);
        put2(p + 4, (uint32_t)length);
        p[6] = protocol;
        p[7] = ttl;
        memcpy(p + 8, from.bytes, 16);
        memcpy(p + 24, to.bytes, 16);
        return 40;
    }
    p[0] = 0x45;
    p[1] = sent->tos;
    put2(p + 2, (uint32_t)length + 20);
    put2(p + 4, 0x1234);
    p[6] = 0x40;
    p[8] = ttl;
    p[9] = protocol;
    memcpy(p + 12, from.bytes, 4);
    memcpy(p + 16, to.bytes, 4);
    put2(p + 10, 65535 - plain_sum(0, p, 20));
    return 20;
}

/* The segment as an IP packet; returns its length. */
static inline size_t put_segment(uint8_t *p, uint8_t family, const struct sent *sent)
{
    size_t length = 20u + sent->options_length + sent->length;
    size_t ip = put_ip_header(p, family, 6, length, sent);
    uint8_t *t = p + ip;

    memset(t, 0, 20);
    put2(t, sent->source ? sent->source : LOCAL_PORT);
    put2(t + 2, sent->destination ? sent->destination : PEER_PORT);
    put4(t + 4, sent->seq);
    put4(t + 8, sent->ack);
    t[12] = (uint8_t)((20 + sent->options_length) / 4 * 16 + sent->reserved * 2 + sent->ae);
    t[13] = sent->flags;
    put2(t + 14, sent->window);
    put2(t + 18, sent->urgent);
    memcpy(t + 20, sent->options, sent->options_length);
    memset(t + 20 + sent->options_length, sent->fill, sent->length);
    put2(t + 16, 65535 - transport_sum(p, ip, length, 6));
    if (sent->wrong_sum)
        t[16] ^= 1;
    return ip + length;
}

/* Bytes of the last segment of match_sent(); seen packets point into them. */
struct sent_bytes {
    uint8_t bytes[66000];
};

static inline void see(struct drill_seen *seen, struct sent_bytes *room, uint8_t family,
                       const struct sent *sent, sanwo_time when)
{
    size_t length = put_segment(room->bytes, family, sent);

    assert_true(sw_drill_dissect(seen, room->bytes, length, when));
}

/* Sends the segment and compares it; the message is NULL if they match. Static: valid until the next call. */
static inline const char *match_sent(struct drill_wire *wire, const struct drill_packet *packet,
                                     const struct sent *sent, sanwo_time when)
{
    static struct sent_bytes room;
    static char message[512];
    struct drill_seen seen;
    bool right;

    see(&seen, &room, wire->family, sent, when);
    right = sw_drill_match(wire, packet, &seen, message, sizeof(message));
    assert_true(right == (message[0] == '\0'));
    return right ? NULL : message;
}

/* Builds; fails the test with the message if it cannot be done. */
static inline size_t build(struct drill_wire *wire, const struct drill_packet *packet, uint8_t *out,
                           size_t size)
{
    char message[256];
    size_t length = sw_drill_build(wire, packet, 0, out, size, message, sizeof(message));

    if (length == 0)
        fail_msg("not built: %s", message);
    return length;
}

/* Packets of a script: TCP, options none. */
#define IN(...)                                                                                    \
    (struct drill_packet)                                                                          \
    {                                                                                              \
        .direction = DRILL_INBOUND, .window_is_set = true, __VA_ARGS__                             \
    }
#define OUT(...)                                                                                   \
    (struct drill_packet)                                                                          \
    {                                                                                              \
        .direction = DRILL_OUTBOUND, __VA_ARGS__                                                   \
    }
#define ACKED(n) .ack_is_set = true, .ack = (n)
#define WINDOW(n) .window_is_set = true, .window = (n)
#define OPTIONS(array) .options = (array), .option_count = sizeof(array) / sizeof((array)[0])

/* S 0:0(0) from the peer, S. 0:0(0) ack 1 from the stack with its ISN, the ACK: a flow with both ISNs. */
static inline void establish(struct drill_wire *wire, uint32_t peer_isn)
{
    uint8_t bytes[128];
    struct drill_packet syn = IN(.flags = SYN, .seq = peer_isn, .window = 1000);
    struct drill_packet syn_ack = OUT(.flags = SYN | ACK, ACKED(peer_isn + 1));
    struct drill_packet ack = IN(.flags = ACK, .seq = 1, ACKED(1), .window = 1000);
    struct sent sent = {.flags = SYN | ACK, .seq = ISN, .ack = peer_isn + 1, .window = 65535};

    build(wire, &syn, bytes, sizeof(bytes));
    assert_ptr_equal(match_sent(wire, &syn_ack, &sent, 0), NULL);
    build(wire, &ack, bytes, sizeof(bytes));
}

#endif
