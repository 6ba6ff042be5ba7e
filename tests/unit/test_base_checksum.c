/*
 * test_base_checksum.c - The wide and the copying sum against the plain one; the RFCs' examples.
 */
#include "base/bytes.h"
#include "base/checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_rfc1071_example(void **state)
{
    static const uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}; /* section 3 */
    uint8_t to[8];

    (void)state;
    assert_int_equal(sw_checksum_fold(sw_checksum_add(0, bytes, 4)), 0xf204);
    assert_int_equal(sw_checksum_fold(sw_checksum_add(0, bytes, 8)), 0xddf2);
    assert_int_equal(sw_checksum_fold(sw_checksum_add_plain(0, bytes, 8)), 0xddf2);
    assert_int_equal(sw_checksum_fold(sw_checksum_copy(0, to, bytes, 8)), 0xddf2);
    assert_int_equal(sw_checksum_finish(sw_checksum_add(0, bytes, 8)), 0x220d);
    assert_int_equal(sw_checksum_fold(sw_checksum_add(0, bytes, 3)), 0xf201);
    assert_int_equal(sw_checksum_finish(sw_checksum_add(0, bytes, 0)), 0xffff);
}

static void test_rfc1624_example(void **state)
{
    static const struct {
        uint16_t old, from, to, now;
    } rows[] = {
        {0xdd2f, 0x5555, 0x3285, 0x0000}, /* section 4 */
        {0x0000, 0x3285, 0x5555, 0xdd2f},
        {0x1234, 0xabcd, 0xabcd, 0x1234},
        {0xffff, 0x0000, 0x0001, 0xfffe},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++)
        assert_int_equal(sw_checksum_update(rows[i].old, rows[i].from, rows[i].to), rows[i].now);
}

static void test_update_is_recomputation(void **state)
{
    uint8_t bytes[40];

    (void)state;
    srand(6);
    for (int n = 0; n < 20000; n++) {
        size_t at = (size_t)rand() % 20 * 2;
        uint16_t to = (uint16_t)(rand() % 5 ? rand() : 0), old, from;
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = (uint8_t)(rand() % 3 ? rand() : 0xff);
        bytes[(at + 2) % sizeof bytes] = 0x45; /* no packet is all zeros or all ones */
        old = sw_checksum_finish(sw_checksum_add(0, bytes, sizeof bytes));
        from = sw_load16(bytes + at);
        sw_store16(bytes + at, to);
        assert_int_equal(sw_checksum_update(old, from, to),
                         sw_checksum_finish(sw_checksum_add(0, bytes, sizeof bytes)));
    }
}

/* One length at one alignment: both wide ones agree with the plain one and the copy is exact. */
static void check_one(const uint8_t *from, uint8_t *to, size_t length, uint32_t sum)
{
    uint16_t plain = sw_checksum_fold(sw_checksum_add_plain(sum, from, length));

    assert_int_equal(sw_checksum_fold(sw_checksum_add(sum, from, length)), plain);
    to[-1] = to[length] = 0x5a;
    assert_int_equal(sw_checksum_fold(sw_checksum_copy(sum, to, from, length)), plain);
    assert_memory_equal(to, from, length);
    assert_int_equal(to[-1], 0x5a);
    assert_int_equal(to[length], 0x5a);
}

static void test_lengths_and_alignments(void **state)
{
    static uint8_t from[400], to[400];

    (void)state;
    srand(7);
    for (int kind = 0; kind < 4; kind++) {
        for (size_t i = 0; i < sizeof from; i++)
            from[i] = kind == 0 ? 0 : kind == 1 ? 0xff : (uint8_t)rand();
        for (size_t align = 0; align < 16; align++) {
            for (size_t length = 0; length <= 300; length++)
                check_one(from + align, to + 1 + (align * 7 + length) % 16, length,
                          kind == 3 ? (uint32_t)rand() * 3 : 0);
        }
    }
}

static void test_long(void **state)
{
    static const size_t lengths[] = {1460, 1461, 9000, 65535, 65536, 200001};
    uint8_t *from = malloc(200001 + 2), *to = malloc(200001 + 2);

    (void)state;
    for (int fill = 0; fill < 2; fill++) {
        for (size_t i = 0; i < 200001; i++)
            from[i] = fill ? 0xff : (uint8_t)rand();
        for (size_t i = 0; i < SW_COUNT(lengths); i++)
            check_one(from, to + 1, lengths[i], UINT32_MAX - (uint32_t)i);
    }
    free(from);
    free(to);
}

/* Sums of pieces add up, at an odd boundary by moving the second to the other lane. */
static void test_pieces(void **state)
{
    uint8_t bytes[257];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 151 + 3);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        uint16_t whole = sw_checksum_finish(sw_checksum_add(0, bytes, sizeof bytes));
        uint32_t head = sw_checksum_add(0, bytes, cut);
        uint32_t tail = sw_checksum_add(0, bytes + cut, sizeof bytes - cut);
        assert_int_equal(sw_checksum_finish(head + (cut & 1 ? sw_checksum_swap(tail) : tail)),
                         whole);
    }
    assert_int_equal(sw_checksum_swap(0x1234), 0x3412);
    assert_int_equal(sw_checksum_swap(0xffff0001), 0x0100);
}

/* The end-around carry: of the sum of 16 bits, and of the partial sum of 32. */
static void test_carries(void **state)
{
    static const uint8_t ones[] = {0xff, 0xff, 0x00, 0x01};

    (void)state;
    assert_int_equal(sw_checksum_fold(0x0001ffff), 1);
    assert_int_equal(sw_checksum_fold(0xffffffff), 0xffff);
    assert_int_equal(sw_checksum_fold(0xffff0000), 0xffff);
    assert_int_equal(sw_checksum_fold(sw_checksum_add(0xffffffff, ones, 4)), 1);
    assert_int_equal(sw_checksum_fold(sw_checksum_add_plain(0xffffffff, ones, 4)), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc1071_example),
        cmocka_unit_test(test_rfc1624_example),
        cmocka_unit_test(test_update_is_recomputation),
        cmocka_unit_test(test_lengths_and_alignments),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_carries),
    };
    return cmocka_run_group_tests_name("base/checksum", tests, NULL, NULL);
}
