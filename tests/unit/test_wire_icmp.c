/*
 * test_wire_icmp.c - ICMP headers, which types are errors, and quoted packets of both families cut
 * at every byte (attack A-07).
 */
#include "test_wire_support.h"

#include "wire/icmp.h"

/* 40 bytes said, the header and eight bytes of TCP: what RFC 792 promises. */
static const uint8_t quoted_ipv4[28] = {0x45, 0,    0x05, 0xdc, 0x12, 0x34, 0x40, 0,   64,  6,
                                        0,    0,    192,  0,    2,    1,    198,  51,  100, 7,
                                        0xc0, 0x01, 0x00, 0x50, 0xff, 0xff, 0xff, 0xfe};

/* The same over IPv6, behind a destination header and a first fragment's. */
static const uint8_t quoted_ipv6[64] = {
    0x60, 0, 0, 0, 0x05, 0xb4, 60, 64, 0x20, 1,    0x0d, 0xb8, 0,    0,    0,    0,
    0,    0, 0, 0, 0,    0,    0,  1,  0x20, 1,    0x0d, 0xb8, 0,    0,    0,    0,
    0,    0, 0, 0, 0,    0,    0,  2,  44,   0,    1,    4,    0,    0,    0,    0,
    6,    0, 0, 1, 0,    0,    0,  9,  0xc0, 0x01, 0x00, 0x50, 0xff, 0xff, 0xff, 0xfe};

static struct wire_icmp_quote read_quote(uint8_t family, const uint8_t *bytes, size_t length,
                                         bool *good)
{
    uint8_t *p = exact_copy(bytes, length);
    struct wire_icmp_quote q;

    memset(&q, 0xa5, sizeof(q));
    *good = sw_wire_icmp_quote_read(&q, family, p, length);
    free(p);
    return q;
}

static void test_header(void **state)
{
    static const uint8_t echo[12] = {8, 0, 0x12, 0x34, 0xab, 0xcd, 0x00, 0x07, 1, 2, 3, 4};
    uint8_t again[8];
    struct wire_icmp h;

    (void)state;
    for (size_t n = 0; n <= sizeof(echo); n++) {
        uint8_t *p = exact_copy(echo, n);
        assert_int_equal(sw_wire_icmp_read(&h, p, n), n >= WIRE_ICMP_HEADER);
        free(p);
    }
    assert_int_equal(h.type, ICMP_ECHO);
    assert_int_equal(h.code, 0);
    assert_int_equal(h.checksum, 0x1234);
    assert_int_equal(h.rest, 0xabcd0007);
    sw_wire_icmp_write(&h, again);
    assert_memory_equal(again, echo, 8);
}

static void test_round_trip(void **state)
{
    uint64_t seed = 14;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint8_t bytes[8], again[8];
        struct wire_icmp h;
        random_fill(&seed, bytes, sizeof(bytes));
        assert_true(sw_wire_icmp_read(&h, bytes, sizeof(bytes)));
        sw_wire_icmp_write(&h, again);
        assert_memory_equal(bytes, again, sizeof(bytes));
    }
}

static void test_errors(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        bool v4 = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
        assert_int_equal(sw_wire_icmp_is_error((uint8_t)type), v4);
        assert_int_equal(sw_wire_icmpv6_is_error((uint8_t)type), type < 128 || type == 137);
    }
}

static void assert_transport(const struct wire_icmp_quote *q)
{
    assert_true(q->transport);
    assert_int_equal(q->protocol, IP_PROTOCOL_TCP);
    assert_int_equal(q->source_port, 49153);
    assert_int_equal(q->destination_port, 80);
    assert_int_equal(q->seq.raw, 0xfffffffe);
}

static void test_quote_ipv4(void **state)
{
    struct sanwo_address source = sanwo_address_ipv4(192, 0, 2, 1);
    struct sanwo_address destination = sanwo_address_ipv4(198, 51, 100, 7);

    (void)state;
    for (size_t n = 0; n <= sizeof(quoted_ipv4); n++) {
        bool good;
        struct wire_icmp_quote q = read_quote(SANWO_FAMILY_IPV4, quoted_ipv4, n, &good);
        assert_int_equal(good, n >= 20);
        if (!good)
            continue;
        assert_true(sanwo_address_equal(&q.source, &source));
        assert_true(sanwo_address_equal(&q.destination, &destination));
        assert_int_equal(q.packet_length, 1500);
        assert_false(q.fragment);
        assert_int_equal(q.transport, n >= 28);
        if (n >= 28)
            assert_transport(&q);
        else
            assert_int_equal(q.source_port, 0);
    }
}

/* Each header length, cut at each byte. A-07. */
static void test_quote_ipv4_options(void **state)
{
    (void)state;
    for (unsigned ihl = 0; ihl < 16; ihl++)
        for (size_t n = 0; n <= 68; n++) {
            uint8_t bytes[68] = {0};
            struct wire_icmp_quote q;
            bool good;
            memcpy(bytes, quoted_ipv4, 20);
            bytes[0] = (uint8_t)(0x40 | ihl);
            if (ihl >= 5)
                memcpy(bytes + (size_t)ihl * 4, quoted_ipv4 + 20, 8);
            q = read_quote(SANWO_FAMILY_IPV4, bytes, n, &good);
            assert_int_equal(good, ihl >= 5 && n >= 20 && n >= ihl * 4);
            if (!good)
                continue;
            assert_int_equal(q.transport, n >= ihl * 4 + 8);
            if (q.transport)
                assert_transport(&q);
        }
}

static void test_quote_ipv4_kinds(void **state)
{
    static const struct {
        uint8_t protocol;
        uint16_t total, fragment;
        bool good, transport, is_fragment;
        uint16_t port;
        uint32_t seq;
    } rows[] = {
        {IP_PROTOCOL_TCP, 28, 0x0000, true, true, false, 49153, 0xfffffffe},
        {IP_PROTOCOL_UDP, 28, 0x0000, true, true, false, 49153, 0},
        {IP_PROTOCOL_ICMP, 28, 0x0000, true, true, false, 0, 0},
        {IP_PROTOCOL_TCP, 28, 0x2000, true, true, false, 49153, 0xfffffffe}, /* first fragment */
        {IP_PROTOCOL_TCP, 28, 0x0001, true, false, true, 0, 0},
        {IP_PROTOCOL_TCP, 27, 0x0000, true, false, false, 0, 0}, /* the packet ended before */
        {IP_PROTOCOL_TCP, 20, 0x0000, true, false, false, 0, 0},
        {IP_PROTOCOL_TCP, 19, 0x0000, false, false, false, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        uint8_t bytes[28];
        struct wire_icmp_quote q;
        bool good;
        memcpy(bytes, quoted_ipv4, sizeof(bytes));
        bytes[9] = rows[i].protocol;
        sw_store16(bytes + 2, rows[i].total);
        sw_store16(bytes + 6, rows[i].fragment);
        q = read_quote(SANWO_FAMILY_IPV4, bytes, sizeof(bytes), &good);
        assert_int_equal(good, rows[i].good);
        if (!good)
            continue;
        assert_int_equal(q.transport, rows[i].transport);
        assert_int_equal(q.fragment, rows[i].is_fragment);
        assert_int_equal(q.source_port, rows[i].port);
        assert_int_equal(q.seq.raw, rows[i].seq);
    }
}

static void test_quote_ipv6(void **state)
{
    (void)state;
    for (size_t n = 0; n <= sizeof(quoted_ipv6); n++) {
        bool good;
        struct wire_icmp_quote q = read_quote(SANWO_FAMILY_IPV6, quoted_ipv6, n, &good);
        assert_int_equal(good, n >= 40);
        if (!good)
            continue;
        assert_int_equal(q.source.family, SANWO_FAMILY_IPV6);
        assert_memory_equal(q.source.bytes, quoted_ipv6 + 8, 16);
        assert_memory_equal(q.destination.bytes, quoted_ipv6 + 24, 16);
        assert_int_equal(q.packet_length, 1500);
        assert_false(q.fragment);
        assert_int_equal(q.protocol, n >= 56 ? 6 : n >= 48 ? 44 : 60);
        assert_int_equal(q.transport, n >= 64);
        if (n >= 64)
            assert_transport(&q);
    }
}

static void test_quote_ipv6_later_fragment(void **state)
{
    uint8_t bytes[sizeof(quoted_ipv6)];
    struct wire_icmp_quote q;
    bool good;

    (void)state;
    memcpy(bytes, quoted_ipv6, sizeof(bytes));
    bytes[51] = 8;
    q = read_quote(SANWO_FAMILY_IPV6, bytes, sizeof(bytes), &good);
    assert_true(good);
    assert_true(q.fragment);
    assert_false(q.transport);
    assert_int_equal(q.protocol, IP_PROTOCOL_TCP);
}

/* Extension headers without end, and every length byte of one. */
static void test_quote_ipv6_chains(void **state)
{
    (void)state;
    for (size_t count = 0; count <= 60; count++) {
        uint8_t bytes[40 + 60 * 8 + 8];
        struct wire_icmp_quote q;
        bool good;
        memset(bytes, 0, sizeof(bytes));
        memcpy(bytes, quoted_ipv6, 40);
        bytes[6] = count > 0 ? IPV6_DESTINATION : IP_PROTOCOL_TCP;
        for (size_t i = 0; i < count; i++)
            bytes[40 + 8 * i] = i + 1 < count ? IPV6_DESTINATION : IP_PROTOCOL_TCP;
        q = read_quote(SANWO_FAMILY_IPV6, bytes, 48 + 8 * count, &good);
        assert_true(good);
        assert_int_equal(q.transport, count <= 8);
    }
    for (unsigned units = 0; units < 256; units++) {
        uint8_t bytes[sizeof(quoted_ipv6)];
        bool good;
        memcpy(bytes, quoted_ipv6, sizeof(bytes));
        bytes[41] = (uint8_t)units;
        read_quote(SANWO_FAMILY_IPV6, bytes, sizeof(bytes), &good);
        assert_true(good);
    }
}

static void test_quote_of_another_family(void **state)
{
    bool good;

    (void)state;
    read_quote(SANWO_FAMILY_IPV6, quoted_ipv4, sizeof(quoted_ipv4), &good);
    assert_false(good);
    read_quote(SANWO_FAMILY_IPV4, quoted_ipv6, sizeof(quoted_ipv6), &good);
    assert_false(good);
    read_quote(SANWO_FAMILY_NONE, quoted_ipv4, sizeof(quoted_ipv4), &good);
    assert_false(good);
}

static void test_quote_random(void **state)
{
    uint64_t seed = 15;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[96];
        size_t n = next_random(&seed) % sizeof(bytes);
        bool v6 = next_random(&seed) & 1, good;
        struct wire_icmp_quote q;
        random_fill(&seed, bytes, sizeof(bytes));
        bytes[0] = (uint8_t)((v6 ? 0x60 : 0x40) | (bytes[0] & 15));
        if (v6)
            bytes[6] = "\0\6\53\54\73\74"[next_random(&seed) % 6];
        q = read_quote(v6 ? SANWO_FAMILY_IPV6 : SANWO_FAMILY_IPV4, bytes, n, &good);
        if (good)
            assert_false(q.fragment && q.transport);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_quote_ipv4),
        cmocka_unit_test(test_quote_ipv4_options),
        cmocka_unit_test(test_quote_ipv4_kinds),
        cmocka_unit_test(test_quote_ipv6),
        cmocka_unit_test(test_quote_ipv6_later_fragment),
        cmocka_unit_test(test_quote_ipv6_chains),
        cmocka_unit_test(test_quote_of_another_family),
        cmocka_unit_test(test_quote_random),
    };

    return cmocka_run_group_tests_name("wire/icmp", tests, NULL, NULL);
}
