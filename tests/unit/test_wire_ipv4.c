/*
 * test_wire_ipv4.c - IPv4: all header lengths by all total lengths by all frame lengths, the
 * checksum, options by every length byte, and the pseudo-header of both families.
 */
#include "test_wire_support.h"

#include "base/checksum.h"
#include "wire/ipv4.h"

/* A UDP packet of 115 bytes, its checksum 0xb861 worked out by hand. */
static const uint8_t known[20] = {0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
                                  0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};

/* What this test believes about a header; the order of tests is the contract's. */
static enum wire_ip_fault expected_fault(unsigned ihl, unsigned total, size_t frame, bool quoted)
{
    if (frame < 20)
        return WIRE_IP_SHORT;
    if (ihl < 5)
        return WIRE_IP_LENGTH;
    if (frame < ihl * 4)
        return WIRE_IP_SHORT;
    if (total < ihl * 4)
        return WIRE_IP_LENGTH;
    return !quoted && total > frame ? WIRE_IP_LENGTH : WIRE_IP_OK;
}

static void test_known_header(void **state)
{
    uint8_t packet[0x73] = {0}, again[20];
    struct wire_ipv4 h;

    (void)state;
    memcpy(packet, known, 20);
    assert_int_equal(sw_wire_ipv4_read(&h, packet, sizeof(packet), true), WIRE_IP_OK);
    assert_int_equal(h.header_length, 20);
    assert_int_equal(h.total_length, 115);
    assert_int_equal(h.checksum, 0xb861);
    assert_int_equal(h.protocol, IP_PROTOCOL_UDP);
    assert_int_equal(h.ttl, 64);
    assert_true(h.dont_fragment);
    assert_false(h.more_fragments);
    assert_int_equal(h.source.family, SANWO_FAMILY_IPV4);
    assert_memory_equal(h.destination.bytes, known + 16, 4);
    sw_wire_ipv4_write(&h, again);
    assert_memory_equal(again, known, 20);
}

/* Attacks. RFC791-3.1-1. */
static void test_every_length_combination(void **state)
{
    uint8_t bytes[128] = {0};

    (void)state;
    memcpy(bytes, known, 20);
    for (size_t frame = 0; frame <= sizeof(bytes); frame++) {
        uint8_t *p = exact_copy(bytes, frame);
        for (unsigned ihl = 0; ihl < 16; ihl++)
            for (unsigned total = 0; total <= 140; total++) {
                struct wire_ipv4 h;
                if (frame >= 4) {
                    p[0] = (uint8_t)(0x40 | ihl);
                    sw_store16(p + 2, (uint16_t)total);
                }
                assert_int_equal(sw_wire_ipv4_read(&h, p, frame, false),
                                 expected_fault(ihl, total, frame, false));
                assert_int_equal(sw_wire_ipv4_read_quoted(&h, p, frame),
                                 expected_fault(ihl, total, frame, true));
            }
        free(p);
    }
}

static void test_total_length_up_to_the_limit(void **state)
{
    uint8_t *p = calloc(1, 65535);

    (void)state;
    assert_non_null(p);
    memcpy(p, known, 20);
    for (unsigned total = 0; total <= 65535; total += total < 64 || total > 65500 ? 1 : 61) {
        struct wire_ipv4 h;
        sw_store16(p + 2, (uint16_t)total);
        assert_int_equal(sw_wire_ipv4_read(&h, p, 1500, false),
                         total >= 20 && total <= 1500 ? WIRE_IP_OK : WIRE_IP_LENGTH);
        assert_int_equal(sw_wire_ipv4_read(&h, p, 65535, false),
                         total >= 20 ? WIRE_IP_OK : WIRE_IP_LENGTH);
    }
    free(p);
}

/* RFC1122-3.2.1.1-1. */
static void test_every_version(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 16; version++) {
        uint8_t bytes[20];
        struct wire_ipv4 h;
        memcpy(bytes, known, 20);
        bytes[0] = (uint8_t)(version << 4 | 5);
        sw_store16(bytes + 2, 20);
        assert_int_equal(sw_wire_ipv4_read(&h, bytes, 20, false),
                         version == 4 ? WIRE_IP_OK : WIRE_IP_VERSION);
    }
}

/*
 * Each flipped bit must show, with options too; the version and lengths are caught before.
 * RFC1122-3.2.1.2-1.
 */
static void test_checksum(void **state)
{
    uint64_t seed = 3;

    (void)state;
    for (size_t size = 20; size <= 60; size += 4) {
        uint8_t bytes[60];
        struct wire_ipv4 h;
        random_fill(&seed, bytes, sizeof(bytes));
        bytes[0] = (uint8_t)(0x40 | size / 4);
        sw_store16(bytes + 2, (uint16_t)size);
        sw_store16(bytes + 10, 0);
        sw_store16(bytes + 10, sw_checksum_finish(sw_checksum_add_plain(0, bytes, size)));
        assert_int_equal(sw_wire_ipv4_read(&h, bytes, size, true), WIRE_IP_OK);
        for (size_t bit = 32; bit < size * 8; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(sw_wire_ipv4_read(&h, bytes, size, true), WIRE_IP_CHECKSUM);
            assert_int_equal(sw_wire_ipv4_read(&h, bytes, size, false), WIRE_IP_OK);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static void test_round_trip(void **state)
{
    uint64_t seed = 4;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        uint8_t bytes[20], again[20];
        struct wire_ipv4 h;
        random_fill(&seed, bytes, sizeof(bytes));
        bytes[0] = 0x45;
        bytes[6] &= 0x7f; /* the reserved flag is not kept */
        assert_int_equal(sw_wire_ipv4_read_quoted(&h, bytes, 20),
                         sw_load16(bytes + 2) >= 20 ? WIRE_IP_OK : WIRE_IP_LENGTH);
        sw_wire_ipv4_write(&h, again);
        assert_int_equal(sw_checksum_finish(sw_checksum_add_plain(0, again, 20)), 0);
        memcpy(bytes + 10, again + 10, 2);
        assert_memory_equal(bytes, again, 20);
    }
}

static void test_fragment_field(void **state)
{
    static const struct {
        uint16_t field;
        uint16_t offset;
        bool dont, more;
    } rows[] = {
        {0x0000, 0, false, false}, {0x4000, 0, true, false},      {0x2000, 0, false, true},
        {0x0001, 8, false, false}, {0x1fff, 65528, false, false}, {0x2001, 8, false, true},
        {0x8000, 0, false, false}, {0xffff, 65528, true, true},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        uint8_t bytes[115] = {0}, again[20];
        struct wire_ipv4 h;
        memcpy(bytes, known, 20);
        sw_store16(bytes + 6, rows[i].field);
        assert_int_equal(sw_wire_ipv4_read(&h, bytes, sizeof(bytes), false), WIRE_IP_OK);
        assert_int_equal(h.fragment_offset, rows[i].offset);
        assert_int_equal(h.dont_fragment, rows[i].dont);
        assert_int_equal(h.more_fragments, rows[i].more);
        sw_wire_ipv4_write(&h, again);
        assert_int_equal(sw_load16(again + 6), rows[i].field & 0x7fff);
    }
}

static void test_options_table(void **state)
{
    static const struct {
        uint8_t bytes[12];
        size_t length;
        enum wire_ipv4_options verdict;
    } rows[] = {
        {{0}, 0, WIRE_IPV4_OPTIONS_FINE},
        {{1, 1, 1, 0}, 4, WIRE_IPV4_OPTIONS_FINE},
        {{148, 4, 0, 0}, 4, WIRE_IPV4_OPTIONS_FINE},           /* router alert */
        {{7, 7, 4, 0, 0, 0, 0, 0}, 8, WIRE_IPV4_OPTIONS_FINE}, /* record route */
        {{131, 7, 4, 1, 2, 3, 4, 0}, 8, WIRE_IPV4_OPTIONS_SOURCE_ROUTE},
        {{137, 7, 4, 1, 2, 3, 4, 0}, 8, WIRE_IPV4_OPTIONS_SOURCE_ROUTE},
        {{1, 131, 3, 4}, 4, WIRE_IPV4_OPTIONS_SOURCE_ROUTE},
        {{0, 131, 3, 4}, 4, WIRE_IPV4_OPTIONS_FINE},      /* behind the end */
        {{131, 3, 4, 7}, 4, WIRE_IPV4_OPTIONS_MALFORMED}, /* good, then a kind without length */
        {{7, 0, 0, 0}, 4, WIRE_IPV4_OPTIONS_MALFORMED},
        {{7, 1, 0, 0}, 4, WIRE_IPV4_OPTIONS_MALFORMED},
        {{7, 5, 0, 0}, 4, WIRE_IPV4_OPTIONS_MALFORMED},
        {{7, 4, 0, 0}, 4, WIRE_IPV4_OPTIONS_FINE},
        {{1, 1, 1, 7}, 4, WIRE_IPV4_OPTIONS_MALFORMED},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        uint8_t *p = exact_copy(rows[i].bytes, rows[i].length);
        assert_int_equal(sw_wire_ipv4_options_check(p, rows[i].length), rows[i].verdict);
        free(p);
    }
}

/* Attacks: an option of every kind and length at every place; NOPs around it. */
static void test_options_every_length_byte(void **state)
{
    uint8_t *p = malloc(40);

    (void)state;
    assert_non_null(p);
    for (size_t at = 0; at < 40; at++)
        for (unsigned kind = 2; kind < 256; kind++)
            for (unsigned size = 0; size < 256; size++) {
                bool fits = at + 1 < 40 && size >= 2 && size <= 40 - at;
                bool route = kind == IPV4_OPTION_LSRR || kind == IPV4_OPTION_SSRR;
                memset(p, IPV4_OPTION_NOP, 40);
                p[at] = (uint8_t)kind;
                if (at + 1 < 40)
                    p[at + 1] = (uint8_t)size;
                assert_int_equal(sw_wire_ipv4_options_check(p, 40),
                                 !fits   ? WIRE_IPV4_OPTIONS_MALFORMED
                                 : route ? WIRE_IPV4_OPTIONS_SOURCE_ROUTE
                                         : WIRE_IPV4_OPTIONS_FINE);
            }
    free(p);
}

static void test_options_random(void **state)
{
    uint64_t seed = 5;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        size_t n = next_random(&seed) % 41;
        uint8_t *p = malloc(n);
        random_fill(&seed, p, n);
        assert_in_range(sw_wire_ipv4_options_check(p, n), 0, WIRE_IPV4_OPTIONS_MALFORMED);
        free(p);
    }
}

static void test_pseudo_ipv4(void **state)
{
    /* By hand: c000 + 0201 + c633 + 6407 + 0006 + 001c = 1ec5d, and with the carry ec5e. */
    struct sanwo_address a = sanwo_address_ipv4(192, 0, 2, 1);
    struct sanwo_address b = sanwo_address_ipv4(198, 51, 100, 7);
    uint64_t seed = 6;

    (void)state;
    assert_int_equal(sw_checksum_fold(sw_wire_pseudo_sum(&a, &b, IP_PROTOCOL_TCP, 28)), 0xec5e);
    for (int i = 0; i < 2000; i++) {
        uint8_t pseudo[12];
        random_fill(&seed, pseudo, sizeof(pseudo));
        pseudo[8] = 0;
        memcpy(a.bytes, pseudo, 4);
        memcpy(b.bytes, pseudo + 4, 4);
        assert_int_equal(
            sw_checksum_finish(sw_wire_pseudo_sum(&a, &b, pseudo[9], sw_load16(pseudo + 10))),
            sw_checksum_finish(sw_checksum_add_plain(0, pseudo, sizeof(pseudo))));
    }
}

static void test_pseudo_ipv6(void **state)
{
    static const uint8_t ones[16] = {255, 255, 255, 255, 255, 255, 255, 255,
                                     255, 255, 255, 255, 255, 255, 255, 255};
    struct sanwo_address a = sanwo_address_ipv6(ones), b = a;
    uint64_t seed = 7;

    (void)state;
    assert_int_equal(sw_checksum_fold(sw_wire_pseudo_sum(&a, &b, 0xff, UINT32_MAX)), 0xff);
    for (int i = 0; i < 2000; i++) {
        uint8_t pseudo[40];
        random_fill(&seed, pseudo, sizeof(pseudo));
        memset(pseudo + 36, 0, 3);
        memcpy(a.bytes, pseudo, 16);
        memcpy(b.bytes, pseudo + 16, 16);
        assert_int_equal(
            sw_checksum_finish(sw_wire_pseudo_sum(&a, &b, pseudo[39], sw_load32(pseudo + 32))),
            sw_checksum_finish(sw_checksum_add_plain(0, pseudo, sizeof(pseudo))));
    }
}

/* A whole segment: an empty SYN of RFC 5737 addresses, its checksum worked out by hand. */
static void test_pseudo_goes_on_with_the_segment(void **state)
{
    uint8_t segment[20] = {0x04, 0x00, 0x00, 0x50, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0x20, 0x00};
    struct sanwo_address a = sanwo_address_ipv4(192, 0, 2, 1);
    struct sanwo_address b = sanwo_address_ipv4(192, 0, 2, 2);
    uint32_t sum = sw_wire_pseudo_sum(&a, &b, IP_PROTOCOL_TCP, sizeof(segment));

    (void)state;
    /* Pseudo 1841d, folded 841e; segment 0400+0050+0001+5002+2000 = 7453; f871; inverted 078e. */
    assert_int_equal(sw_checksum_finish(sw_checksum_add(sum, segment, sizeof(segment))), 0x078e);
    sw_store16(segment + 16, 0x078e);
    assert_int_equal(sw_checksum_finish(sw_checksum_add(sum, segment, sizeof(segment))), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_header),
        cmocka_unit_test(test_every_length_combination),
        cmocka_unit_test(test_total_length_up_to_the_limit),
        cmocka_unit_test(test_every_version),
        cmocka_unit_test(test_checksum),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_fragment_field),
        cmocka_unit_test(test_options_table),
        cmocka_unit_test(test_options_every_length_byte),
        cmocka_unit_test(test_options_random),
        cmocka_unit_test(test_pseudo_ipv4),
        cmocka_unit_test(test_pseudo_ipv6),
        cmocka_unit_test(test_pseudo_goes_on_with_the_segment),
    };

    return cmocka_run_group_tests_name("wire/ipv4", tests, NULL, NULL);
}
