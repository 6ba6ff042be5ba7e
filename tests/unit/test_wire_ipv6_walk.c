/*
 * test_wire_ipv6_walk.c - The walk along extension headers: verdicts, pointers, limits, and every
 * truncation and length byte (attacks ).
 */
#include "test_wire_support.h"

#include "wire/ipv6.h"

/* A packet under construction: the fixed header, then what is appended. */
struct packet {
    uint8_t bytes[2048];
    size_t length;
};

static struct packet packet_to(uint8_t next)
{
    struct packet p = {.length = 40};

    p.bytes[0] = 0x60;
    p.bytes[6] = next;
    return p;
}

static void append(struct packet *p, const uint8_t *bytes, size_t length)
{
    assert_true(p->length + length <= sizeof(p->bytes));
    memcpy(p->bytes + p->length, bytes, length);
    p->length += length;
}

/* Walks a copy that ends where the packet does. */
static struct wire_ipv6_walk walk(const struct packet *p)
{
    uint8_t *copy = exact_copy(p->bytes, p->length);
    struct wire_ipv6_walk w;

    memset(&w, 0xa5, sizeof(w));
    sw_wire_ipv6_walk(&w, copy, p->length);
    free(copy);
    return w;
}

struct row {
    const char *name;
    uint8_t next;
    uint8_t length;
    uint8_t bytes[48];
    enum wire_ipv6_walk_verdict verdict;
    uint8_t protocol;
    uint8_t code;
    uint32_t pointer;
    size_t offset;
};

static const struct row rows[] = {
    {"plain", 6, 0, {0}, WIRE_IPV6_UPPER, 6, 1, 6, 40},
    {"unknown protocol", 253, 0, {0}, WIRE_IPV6_UPPER, 253, 1, 6, 40},
    {"nothing", 59, 8, {0}, WIRE_IPV6_NOTHING, 59, 1, 6, 40},
    {"hop by hop", 0, 8, {6, 0, 1, 4}, WIRE_IPV6_UPPER, 6, 1, 40, 48},
    {"router alert", 0, 8, {58, 0, 5, 2, 0, 0, 1, 0}, WIRE_IPV6_UPPER, 58, 1, 40, 48},
    {"padding with content", 60, 8, {6, 0, 1, 4, 9, 9, 9, 9}, WIRE_IPV6_UPPER, 6, 1, 40, 48},
    {"only Pad1", 60, 8, {6, 0}, WIRE_IPV6_UPPER, 6, 1, 40, 48},
    {"option: skip", 60, 8, {6, 0, 0x3e, 4}, WIRE_IPV6_UPPER, 6, 1, 40, 48},
    {"option: drop", 60, 8, {6, 0, 0x7e, 4}, WIRE_IPV6_DROP, 0, 0, 0, 0},
    {"option: report", 60, 8, {6, 0, 0, 0xbe, 3}, WIRE_IPV6_PARAMETER, 0, 2, 43, 0},
    {"jumbo", 0, 8, {6, 0, 0xc2, 4}, WIRE_IPV6_PARAMETER_UNLESS_MULTICAST, 0, 2, 42, 0},
    {"option in second header",
     0,
     16,
     {60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 0, 0x80},
     WIRE_IPV6_PARAMETER,
     0,
     2,
     52,
     0},
    {"option past the header", 60, 16, {6, 0, 0x1e, 5}, WIRE_IPV6_DROP, 0, 0, 0, 0},
    {"kind without length", 60, 8, {6, 0, 1, 3, 0, 0, 0, 0x1e}, WIRE_IPV6_DROP, 0, 0, 0, 0},
    {"PadN past the header", 60, 8, {6, 0, 1, 5}, WIRE_IPV6_DROP, 0, 0, 0, 0},
    {"hop by hop after destination",
     60,
     16,
     {0, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4},
     WIRE_IPV6_PARAMETER,
     0,
     1,
     40,
     0},
    {"hop by hop twice",
     0,
     16,
     {0, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4},
     WIRE_IPV6_PARAMETER,
     0,
     1,
     40,
     0},
    {"hop by hop behind atomic fragment",
     44,
     16,
     {0, 0, 0, 0, 0, 0, 0, 7, 6, 0, 1, 4},
     WIRE_IPV6_PARAMETER,
     0,
     1,
     40,
     0},
    {"routing, none left", 43, 8, {6, 0, 0, 0}, WIRE_IPV6_UPPER, 6, 1, 40, 48},
    {"routing type 0", 43, 24, {6, 2, 0, 1}, WIRE_IPV6_PARAMETER, 0, 0, 42, 0},
    {"routing type 4 behind destination",
     60,
     16,
     {43, 0, 1, 4, 0, 0, 0, 0, 6, 0, 4, 255},
     WIRE_IPV6_PARAMETER,
     0,
     0,
     50,
     0},
    {"atomic fragment", 44, 8, {6, 0, 0, 0, 0, 0, 0, 7}, WIRE_IPV6_UPPER, 6, 1, 40, 48},
    {"atomic, reserved bits", 44, 8, {6, 255, 0, 6, 0, 0, 0, 7}, WIRE_IPV6_UPPER, 6, 1, 40, 48},
    {"first fragment", 44, 8, {6, 0, 0, 1, 0, 0, 0, 7}, WIRE_IPV6_FRAGMENTED, 6, 0, 6, 40},
    {"last fragment", 44, 8, {17, 0, 0, 8, 0, 0, 0, 7}, WIRE_IPV6_FRAGMENTED, 17, 0, 6, 40},
    {"fragment behind hop by hop",
     0,
     16,
     {44, 0, 1, 4, 0, 0, 0, 0, 60, 0, 255, 249, 0, 0, 0, 7},
     WIRE_IPV6_FRAGMENTED,
     60,
     0,
     40,
     48},
    {"all in order",
     0,
     40,
     {60, 0, 1, 4, 0,  0, 0, 0, 43, 0, 1, 4, 0, 0, 0, 0, 44, 0, 0, 0,
      0,  0, 0, 0, 60, 0, 0, 0, 0,  0, 0, 0, 6, 0, 1, 4, 0,  0, 0, 0},
     WIRE_IPV6_UPPER,
     6,
     1,
     72,
     80},
    {"nothing behind destination", 60, 8, {59, 0, 1, 4}, WIRE_IPV6_NOTHING, 59, 1, 40, 48},
    {"length past the packet", 60, 8, {6, 1, 1, 4}, WIRE_IPV6_DROP, 0, 0, 0, 0},
};

/* RFC8200-4-1, RFC8200-4.4-1, RFC6946-3-1. */
static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct packet p = packet_to(rows[i].next);
        struct wire_ipv6_walk w;
        append(&p, rows[i].bytes, rows[i].length);
        w = walk(&p);
        if (w.verdict != rows[i].verdict || w.pointer != rows[i].pointer)
            print_error("in row \"%s\"\n", rows[i].name);
        assert_int_equal(w.verdict, rows[i].verdict);
        assert_int_equal(w.protocol, rows[i].protocol);
        assert_int_equal(w.code, rows[i].code);
        assert_int_equal(w.pointer, rows[i].pointer);
        assert_int_equal(w.offset, rows[i].offset);
    }
}

/* RFC6946-3-1. */
static void test_fragment_fields(void **state)
{
    static const uint8_t header[8] = {6, 0, 0xff, 0xf9, 0xde, 0xad, 0xbe, 0xef};
    struct packet p = packet_to(IPV6_FRAGMENT);
    struct wire_ipv6_walk w;

    (void)state;
    append(&p, header, sizeof(header));
    w = walk(&p);
    assert_int_equal(w.fragment_offset, 65528);
    assert_true(w.more_fragments);
    assert_int_equal(w.fragment_id, 0xdeadbeef);
}

/* A cut inside an extension header is a drop; the upper layer's own length is not our matter. */
static void test_every_truncation(void **state)
{
    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct packet p = packet_to(rows[i].next);
        append(&p, rows[i].bytes, rows[i].length);
        for (size_t n = 0; n < p.length; n++) {
            struct packet cut = p;
            struct wire_ipv6_walk w;
            cut.length = n;
            w = walk(&cut);
            assert_true(w.offset <= n && w.pointer <= n);
            if (n < 40)
                assert_int_equal(w.verdict, WIRE_IPV6_DROP);
            if (rows[i].verdict == WIRE_IPV6_UPPER && n < rows[i].offset)
                assert_int_equal(w.verdict, WIRE_IPV6_DROP);
        }
    }
}

/* All option kinds by all lengths in a header of 16 bytes. RFC8200-4.2-1. */
static void test_every_option(void **state)
{
    (void)state;
    for (unsigned kind = 2; kind < 256; kind++)
        for (unsigned size = 0; size < 256; size++) {
            static const enum wire_ipv6_walk_verdict by_high_bits[4] = {
                WIRE_IPV6_UPPER, WIRE_IPV6_DROP, WIRE_IPV6_PARAMETER,
                WIRE_IPV6_PARAMETER_UNLESS_MULTICAST};
            uint8_t header[16] = {6, 1, 0, (uint8_t)kind, (uint8_t)size};
            struct packet p = packet_to(IPV6_HOP_BY_HOP);
            struct wire_ipv6_walk w;
            append(&p, header, sizeof(header));
            w = walk(&p);
            assert_int_equal(w.verdict, size > 11 ? WIRE_IPV6_DROP : by_high_bits[kind >> 6]);
            if (size <= 11 && kind >= 128)
                assert_int_equal(w.pointer, 43);
        }
}

/* Every header length by every kind of header, the packet holding 300 bytes of it.. */
static void test_every_header_length(void **state)
{
    static const uint8_t kinds[] = {IPV6_HOP_BY_HOP, IPV6_ROUTING, IPV6_DESTINATION};

    (void)state;
    for (size_t k = 0; k < sizeof(kinds); k++)
        for (unsigned units = 0; units < 256; units++) {
            struct packet p = packet_to(kinds[k]);
            struct wire_ipv6_walk w;
            size_t length = 8 + units * 8;
            bool good = length <= 300 && (kinds[k] == IPV6_ROUTING || length - 2 <= 256);
            p.length += 300;
            p.bytes[40] = 6;
            p.bytes[41] = (uint8_t)units;
            w = walk(&p);
            assert_int_equal(w.verdict, good ? WIRE_IPV6_UPPER : WIRE_IPV6_DROP);
            assert_int_equal(w.offset, good ? 40 + length : 0);
        }
}

/* Chains of 0 to 200 headers: eight are followed. RFC8200-4-1. A-06. */
static void test_chains(void **state)
{
    static const uint8_t kinds[] = {IPV6_ROUTING, IPV6_DESTINATION, IPV6_FRAGMENT};

    (void)state;
    for (size_t k = 0; k < sizeof(kinds); k++)
        for (size_t count = 0; count <= 200; count++) {
            struct packet p = packet_to(count > 0 ? kinds[k] : 6);
            struct wire_ipv6_walk w;
            for (size_t i = 1; i <= count; i++) {
                uint8_t header[8] = {i < count ? kinds[k] : 6};
                append(&p, header, sizeof(header));
            }
            w = walk(&p);
            assert_int_equal(w.verdict, count <= 8 ? WIRE_IPV6_UPPER : WIRE_IPV6_DROP);
            assert_int_equal(w.offset, count <= 8 ? 40 + 8 * count : 0);
        }
}

/* The budget of option bytes is one for the packet, not one for each header. */
static void test_option_budget(void **state)
{
    (void)state;
    for (uint8_t units = 0; units < 32; units++) {
        struct packet p = packet_to(IPV6_HOP_BY_HOP);
        uint8_t first[8 + 32 * 8] = {IPV6_DESTINATION, units};
        uint8_t second[136] = {6, 16};
        append(&p, first, 8 + (size_t)units * 8);
        append(&p, second, sizeof(second));
        assert_int_equal(walk(&p).verdict,
                         6 + units * 8 + 134 <= 256 ? WIRE_IPV6_UPPER : WIRE_IPV6_DROP);
    }
}

static void test_random_packets(void **state)
{
    static const uint8_t nexts[] = {0, 6, 43, 44, 59, 60, 60, 60};
    uint64_t seed = 13;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct packet p = packet_to(nexts[next_random(&seed) % 8]);
        struct wire_ipv6_walk w;
        p.length += next_random(&seed) % 128;
        for (size_t at = 40; at < p.length; at++)
            p.bytes[at] = (uint8_t)(next_random(&seed) % 4 ? next_random(&seed) % 3
                                                           : nexts[next_random(&seed) % 8]);
        w = walk(&p);
        assert_true(w.offset <= p.length && w.pointer < p.length);
        if (w.verdict == WIRE_IPV6_UPPER) {
            assert_true(w.offset >= 40 && w.offset % 8 == 0);
            assert_int_equal(p.bytes[w.pointer], w.protocol);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_fragment_fields),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_option),
        cmocka_unit_test(test_every_header_length),
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_option_budget),
        cmocka_unit_test(test_random_packets),
    };

    return cmocka_run_group_tests_name("wire/ipv6_walk", tests, NULL, NULL);
}
