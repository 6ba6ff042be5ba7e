/*
 * test_ip_icmp_input.c - ICMP in: echo, errors about our packets, and all that is ignored.
 */
#include "test_ip_host.h"

/* ---- echo --------------------------------------------------------------------------------------- */

/* RFC1122-3.2.2.6-1, RFC4443-4.2-1. */
static void test_echo(void **state)
{
    static const char *const pairs[][2] = {
        {"10.0.0.2", "10.0.0.1"}, {"2001:db8::2", "2001:db8::1"}, {"fe80::2", "fe80::1"}};
    static const uint32_t lengths[] = {0, 1, 55, 56, 1000, 1432};
    static const uint32_t cuts[][4] = {{0}, {49, 0}, {63, 7, 1, 0}};
    uint8_t data[1432];

    (void)state;
    for (uint32_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + 1);
    for (size_t k = 0; k < SW_COUNT(pairs) * SW_COUNT(lengths) * SW_COUNT(cuts); k++) {
        const char *const *pair = pairs[k % 3];
        uint32_t length = lengths[k / 3 % SW_COUNT(lengths)];
        uint32_t header = k % 3 ? 40 : 20;
        struct host *h = host_new();
        struct packet p, reply, wanted;
        struct ip_packet out;
        put_icmp(&p, pair[0], pair[1], k % 3 ? ICMPV6_ECHO : ICMP_ECHO, 0, 0x12345678, data,
                 length);
        assert_int_equal(input_cut(h, TUN, p.bytes, p.length, cuts[k / 18], 0, &out), IP_DONE);
        assert_true(poll(h, &reply, 0));
        put_icmp(&wanted, pair[1], pair[0], k % 3 ? ICMPV6_ECHO_REPLY : ICMP_ECHO_REPLY, 0,
                 0x12345678, data, length);
        assert_int_equal(reply.length, wanted.length);
        assert_memory_equal(reply.bytes + header, wanted.bytes + header, 8 + length);
        if (header == 20) {
            assert_memory_equal(reply.bytes + 12, wanted.bytes + 12, 8); /* addresses */
            assert_int_equal(sw_checksum_finish(sw_checksum_add(0, reply.bytes, 20)), 0);
        } else {
            assert_memory_equal(reply.bytes + 8, wanted.bytes + 8, 32);
        }
        assert_int_equal(h->ip.icmp_in, 1);
        assert_int_equal(h->ip.icmp_out, 1);
        host_end(h);
    }
}

/* A checksum that the link was to finish counts as right, if it is this one that is meant. */
static void test_partial_checksum(void **state)
{
    struct host *h = host_new();
    struct sanwo_frame f = {.link = TUN, .slice_count = 1, .checksum = SANWO_CHECKSUM_PARTIAL};
    struct packet p, reply;
    struct ip_packet out;

    (void)state;
    put_icmp(&p, "10.0.0.2", "10.0.0.1", ICMP_ECHO, 0, 7, "data", 4);
    p.bytes[22] ^= 0xff;
    p.bytes[1] = 0xbb; /* DSCP EF, CE: the class comes back, the mark does not */
    fix_v4(&p);
    f.length = f.slices[0].length = p.length;
    f.slices[0].bytes = p.bytes;
    f.checksum_start = 34;
    assert_int_equal(sw_ip_input(&h->ip, &f, 0, &out), IP_DROP);
    f.checksum_start = 20;
    assert_int_equal(sw_ip_input(&h->ip, &f, 0, &out), IP_DONE);
    assert_true(poll(h, &reply, 0));
    assert_int_equal(reply.bytes[1], 0xb8);
    assert_int_equal(sw_checksum_finish(sw_checksum_add(0, reply.bytes + 20, 12)), 0);
    host_end(h);
}

/* No options of the request come back, and a source route is not even looked at. */
static void test_echo_with_options(void **state)
{
    struct host *h = host_new();
    struct packet p, reply;
    struct ip_packet out;

    (void)state;
    put_icmp(&p, "10.0.0.2", "10.0.0.1", ICMP_ECHO, 0, 7, "data", 4);
    memmove(p.bytes + 28, p.bytes + 20, 12);
    memcpy(p.bytes + 20, "\x07\x07\x04\x00\x00\x00\x00\x00", 8); /* record route */
    p.bytes[0] = 0x47;
    p.length += 8;
    sw_store16(p.bytes + 2, (uint16_t)p.length);
    fix_v4(&p);
    assert_int_equal(input(h, TUN, &p, &out), IP_DONE);
    assert_true(poll(h, &reply, 0));
    assert_int_equal(reply.length, 32);
    assert_int_equal(reply.bytes[0], 0x45);
    host_end(h);
}

/* RFC 1122 3.2.2.6: cut to what the way back takes; RFC 4443 4.2: all or nothing. */
static void test_echo_too_large(void **state)
{
    struct host *h = host_new();
    uint8_t data[1452] = {1};
    struct packet p, reply;
    struct ip_packet out;

    (void)state;
    assert_int_equal(sw_ip_link_set_mtu(&h->ip, TUN, 1280), 0);
    put_icmp(&p, "10.0.0.2", "10.0.0.1", ICMP_ECHO, 0, 7, data, 1400);
    assert_int_equal(input(h, TUN, &p, &out), IP_DONE);
    assert_true(poll(h, &reply, 0));
    assert_int_equal(reply.length, 1280);
    assert_int_equal(sw_checksum_finish(sw_checksum_add(0, reply.bytes + 20, 1260)), 0);
    put_icmp(&p, "2001:db8::2", "2001:db8::1", ICMPV6_ECHO, 0, 7, data, 1400);
    assert_int_equal(input(h, TUN, &p, &out), IP_DROP);
    assert_int_equal(out.reason, SANWO_REASON_FRAME_TOO_LONG);
    host_end(h);
}

/* Nobody is answered who cannot be, and everything has its bound. RFC1122-3.2.2.6-1. */
static void test_echo_refused(void **state)
{
    struct sanwo_stack_config config = host_config();
    struct host *h;
    struct packet p;
    struct ip_packet out;

    (void)state;
    config.max_replies = 2;
    h = host_bare(&config);
    add_link(&h->ip, SANWO_LINK_IP, 1500, 0);
    add_address(&h->ip, TUN, "10.0.0.1", 24);
    put_icmp(&p, "8.8.8.8", "10.0.0.1", ICMP_ECHO, 0, 7, "data", 4);
    assert_int_equal(input(h, TUN, &p, &out), IP_DROP);
    assert_int_equal(out.reason, SANWO_REASON_NO_ROUTE);
    put_icmp(&p, "10.0.0.2", "10.0.0.1", ICMP_ECHO, 0, 7, "data", 4);
    assert_int_equal(input(h, TUN, &p, &out), IP_DONE);
    assert_int_equal(input(h, TUN, &p, &out), IP_DONE);
    assert_int_equal(input(h, TUN, &p, &out), IP_DROP);
    assert_int_equal(out.reason, SANWO_REASON_QUEUE_FULL);
    assert_int_equal(h->ip.lost.queue_full, 1);
    assert_int_equal(poll_all(h, 0), 2);
    for (uint64_t n = 1; n <= 2; n++) { /* the reply's buffer, then its place in the queue */
        h->region.fault_countdown = n;
        assert_int_equal(input(h, TUN, &p, &out), IP_DROP);
        assert_int_equal(out.reason, SANWO_REASON_NO_MEMORY);
        assert_int_equal(h->region.used, 0);
    }
    h->ip.answer_echo = false;
    assert_int_equal(input(h, TUN, &p, &out), IP_DROP);
    assert_int_equal(out.reason, SANWO_REASON_ICMP_IGNORED);
    host_end(h);
}

/* ---- errors ------------------------------------------------------------------------------------- */

struct error_row {
    const char *what;
    const char *from, *to; /* of the error */
    uint8_t type, code;
    uint32_t rest;
    const char *quoted_from, *quoted_to;
    uint8_t protocol;
    uint32_t quoted; /* bytes of the upper layer quoted */
    enum ip_verdict verdict;
    unsigned reason;
    uint32_t mtu;
};

#define V4 "10.0.0.9", "10.0.0.1"
#define Q4 "10.0.0.1", "8.8.8.8"
#define V6 "2001:db8::9", "2001:db8::1"
#define Q6 "2001:db8::1", "2600::9"
#define UP IP_ICMP_ERROR, 0
#define BAD IP_DROP, SANWO_REASON_ICMP_INVALID
#define IGNORED IP_DROP, SANWO_REASON_ICMP_IGNORED

static const struct error_row error_rows[] = {
    {"net unreachable", V4, 3, 0, 0, Q4, 6, 8, UP, 0},
    {"port unreachable", V4, 3, 3, 0, Q4, 6, 20, UP, 0},
    {"unreachable code 15", V4, 3, 15, 0, Q4, 6, 8, UP, 0},
    {"time exceeded", V4, 11, 0, 0, Q4, 6, 8, UP, 0},
    {"parameter problem", V4, 12, 0, 0, Q4, 6, 8, UP, 0},
    {"too big", V4, 3, 4, 1400, Q4, 6, 8, UP, 1400},
    {"too big, high half set", V4, 3, 4, 0xdead0578, Q4, 6, 8, UP, 1400},
    {"too big, MTU 0", V4, 3, 4, 0, Q4, 6, 8, UP, 0},
    {"too big, MTU 67", V4, 3, 4, 67, Q4, 6, 8, BAD, 0},
    {"too big, MTU 68", V4, 3, 4, 68, Q4, 6, 8, UP, 68},
    {"too big, MTU 65535", V4, 3, 4, 65535, Q4, 6, 8, UP, 65535},
    {"unreachable with an MTU", V4, 3, 1, 1400, Q4, 6, 8, UP, 0},
    {"quote too short", V4, 3, 1, 0, Q4, 6, 7, BAD, 0},
    {"quote without transport", V4, 3, 1, 0, Q4, 6, 0, BAD, 0},
    {"quote of another's packet", V4, 3, 1, 0, "10.0.0.5", "8.8.8.8", 6, 8, BAD, 0},
    {"quote of a packet to us", V4, 3, 1, 0, "8.8.8.8", "10.0.0.1", 6, 8, BAD, 0},
    {"quote of ours on the other link", V4, 3, 1, 0, "192.168.1.1", "8.8.8.8", 6, 8, UP, 0},
    {"quote of UDP", V4, 3, 3, 0, Q4, 17, 8, IGNORED, 0},
    {"quote of ICMP", V4, 3, 3, 0, Q4, 1, 8, IGNORED, 0},
    {"source quench", V4, 4, 0, 0, Q4, 6, 8, IGNORED, 0},
    {"redirect", V4, 5, 1, 0x0a000063, Q4, 6, 8, IGNORED, 0},
    {"redirect for the net", V4, 5, 0, 0x0a000063, Q4, 6, 8, IGNORED, 0},
    {"router advertisement", V4, 9, 0, 0, Q4, 6, 8, IGNORED, 0},
    {"timestamp", V4, 13, 0, 0, Q4, 6, 8, IGNORED, 0},
    {"timestamp reply", V4, 14, 0, 0, Q4, 6, 8, IGNORED, 0},
    {"information request", V4, 15, 0, 0, Q4, 6, 8, IGNORED, 0},
    {"address mask request", V4, 17, 0, 0, Q4, 6, 8, IGNORED, 0},
    {"address mask reply", V4, 18, 0, 0, Q4, 6, 8, IGNORED, 0},
    {"echo reply", V4, 0, 0, 0, Q4, 6, 8, IGNORED, 0},
    {"type 255", V4, 255, 0, 0, Q4, 6, 8, IGNORED, 0},
    {"for a foreign address", "10.0.0.9", "8.8.4.4", 3, 4, 1400, "8.8.4.4", "8.8.8.8", 6, 8, UP,
     1400},
    {"for a foreign address, about us", "10.0.0.9", "8.8.4.4", 3, 4, 1400, Q4, 6, 8, BAD, 0},
    {"echo for a foreign address", "10.0.0.9", "8.8.4.4", 8, 0, 0, Q4, 6, 8, IP_DROP,
     SANWO_REASON_NOT_FOR_US, 0},
    {"to a broadcast address", "10.0.0.9", "10.0.0.255", 3, 1, 0, Q4, 6, 8, IGNORED, 0},
    {"to a multicast address", "10.0.0.9", "224.0.0.1", 8, 0, 0, Q4, 6, 8, IGNORED, 0},

    {"v6 unreachable", V6, 1, 0, 0, Q6, 6, 8, UP, 0},
    {"v6 time exceeded", V6, 3, 0, 0, Q6, 6, 8, UP, 0},
    {"v6 parameter problem", V6, 4, 1, 6, Q6, 6, 8, UP, 0},
    {"v6 unknown error", V6, 100, 0, 0, Q6, 6, 8, UP, 0}, /* RFC 4443 2.4 (a) */
    {"v6 too big", V6, 2, 0, 1400, Q6, 6, 8, UP, 1400},
    {"v6 too big, 1280", V6, 2, 0, 1280, Q6, 6, 8, UP, 1280},
    {"v6 too big, 1279", V6, 2, 0, 1279, Q6, 6, 8, BAD, 0}, /* RFC 8201 4 */
    {"v6 too big, 0", V6, 2, 0, 0, Q6, 6, 8, BAD, 0},
    {"v6 too big, all ones", V6, 2, 0, UINT32_MAX, Q6, 6, 8, UP, UINT32_MAX},
    {"v6 quote of another's packet", V6, 1, 0, 0, "2001:db8::5", "2600::9", 6, 8, BAD, 0},
    {"v6 quote too short", V6, 1, 0, 0, Q6, 6, 7, BAD, 0},
    {"v6 link-local", "fe80::9", "fe80::1", 1, 0, 0, "fe80::1", "fe80::5", 6, 8, UP, 0},
    {"v6 quote of UDP", V6, 1, 4, 0, Q6, 17, 8, IGNORED, 0},
    {"v6 echo reply", V6, 129, 0, 0, Q6, 6, 8, IGNORED, 0},
    {"v6 router advertisement", V6, 134, 0, 0, Q6, 6, 8, IGNORED, 0},
    {"v6 neighbour solicitation", V6, 135, 0, 0, Q6, 6, 8, IGNORED, 0},
    {"v6 redirect", V6, 137, 0, 0, Q6, 6, 8, IGNORED, 0},
    {"v6 unknown information", V6, 200, 0, 0, Q6, 6, 8, IGNORED, 0}, /* RFC 4443 2.4 (b) */
    {"v6 echo to all nodes", "2001:db8::9", "ff02::1", 128, 0, 0, Q6, 6, 8, IGNORED, 0},
};

static void put_error(struct packet *p, const struct error_row *row)
{
    static const uint8_t tcp[20] = {0x12, 0x34, 0, 80, 0xff, 0xff, 0xff, 0xfe};
    struct packet q;

    if (addr(row->quoted_from).family == SANWO_FAMILY_IPV4)
        put_v4(&q, row->quoted_from, row->quoted_to, row->protocol, tcp, row->quoted);
    else
        put_v6(&q, row->quoted_from, row->quoted_to, row->protocol, tcp, row->quoted);
    put_icmp(p, row->from, row->to, row->type, row->code, row->rest, q.bytes, q.length);
}

/*
 * RFC1122-3.2.2.1-1, RFC6633-2-1, RFC6918-2-1, RFC1122-3.2.2.7-1. RFC4443-2.4-1, RFC1122-3.2.2.6-1
 * (echo to many), A-19, C-16 (redirects), B-33.
 */
static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < SW_COUNT(error_rows); i++) {
        const struct error_row *row = &error_rows[i];
        struct host *h = host_new();
        enum ip_verdict verdict;
        struct ip_packet out;
        struct packet p;
        put_error(&p, row);
        verdict = input(h, TUN, &p, &out);
        if (verdict != row->verdict || out.reason != row->reason)
            fail_msg("%s: verdict %d, reason %u", row->what, verdict, out.reason);
        if (verdict == IP_ICMP_ERROR) {
            assert_int_equal(out.mtu, row->mtu);
            assert_int_equal(out.icmp.type, row->type);
            assert_int_equal(out.icmp.code, row->code);
            assert_int_equal(out.quote.source_port, 0x1234);
            assert_int_equal(out.quote.destination_port, 80);
            assert_int_equal(out.quote.seq.raw, 0xfffffffe);
            if (sanwo_address_is_link_local(&out.quote.source))
                assert_int_equal(out.quote.destination.zone, TUN + 1);
        }
        assert_int_equal(poll_all(h, 0), 0); /* never anything about an error */
        host_end(h);
    }
}

/*
 * One bit wrong anywhere in the message and it is nothing (RFC 1122 3.2.2, RFC 4443 2.3).
 * RFC1122-3.2.2-1, RFC4443-2.3-1.
 */
static void test_checksums(void **state)
{
    static const struct error_row rows[] = {
        {"v4", V4, 3, 1, 0, Q4, 6, 8, UP, 0},
        {"v6", V6, 1, 0, 0, Q6, 6, 8, UP, 0},
    };
    struct host *h = host_new();
    struct ip_packet out;
    struct packet p;

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        uint32_t header = i ? 40 : 20;
        put_error(&p, &rows[i]);
        for (uint32_t bit = header * 8; bit < p.length * 8; bit++) {
            p.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(input(h, TUN, &p, &out), IP_DROP);
            p.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        assert_int_equal(h->ip.icmp_in, i);
        assert_int_equal(input(h, TUN, &p, &out), IP_ICMP_ERROR);
    }
    host_end(h);
}

/* Messages and quotes cut anywhere, each with the right checksum. */
static void test_short_messages(void **state)
{
    struct host *h = host_new();
    struct ip_packet out;
    struct packet p, q;

    (void)state;
    for (uint32_t ihl = 0; ihl <= 15; ihl++)
        for (uint32_t n = 0; n <= 70; n++) {
            uint8_t quote[80] = {0};
            bool fits = ihl >= 5 && n >= ihl * 4 + 8;
            put_v4(&q, "10.0.0.1", "8.8.8.8", IP_PROTOCOL_TCP, NULL, 0);
            sw_store16(q.bytes + 2, 1500);
            memcpy(quote, q.bytes, 20);
            quote[0] = (uint8_t)(0x40 | ihl);
            put_icmp(&p, "10.0.0.9", "10.0.0.1", ICMP_UNREACHABLE, 1, 0, quote, n);
            assert_int_equal(input(h, TUN, &p, &out), fits ? IP_ICMP_ERROR : IP_DROP);
        }
    for (uint32_t n = 0; n < 8; n++) {
        put_v4(&p, "10.0.0.9", "10.0.0.1", IP_PROTOCOL_ICMP, "\x08\x00\xf7\xff\0\0\0\0", n);
        assert_int_equal(input(h, TUN, &p, &out), IP_DROP);
        assert_int_equal(out.reason, SANWO_REASON_ICMP_INVALID);
    }
    host_end(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_partial_checksum),
        cmocka_unit_test(test_echo_with_options),
        cmocka_unit_test(test_echo_too_large),
        cmocka_unit_test(test_echo_refused),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_checksums),
        cmocka_unit_test(test_short_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
