/*
 * test_wire_tcp_seq.c - Sequence arithmetic around the turn and around half the space.
 */
#include "test_wire_support.h"

#include "wire/tcp_seq.h"

#define HALF UINT32_C(0x80000000)

/* U-15. */
static void test_before(void **state)
{
    static const struct {
        uint32_t a, b;
        bool before, before_or_equal;
    } rows[] = {
        {0, 0, false, true},
        {0, 1, true, true},
        {1, 0, false, false},
        {UINT32_MAX, 0, true, true},
        {0, UINT32_MAX, false, false},
        {UINT32_MAX - 10, 10, true, true},
        {0, HALF - 1, true, true},
        {0, HALF, false, false}, /* half the space apart: neither is before the other */
        {HALF, 0, false, false},
        {0, HALF + 1, false, false},
        {HALF + 5, 4, true, true},
        {HALF + 5, 5, false, false},
        {UINT32_MAX, UINT32_MAX, false, true},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        tcp_seq a = tcp_seq_of(rows[i].a), b = tcp_seq_of(rows[i].b);
        assert_int_equal(tcp_seq_before(a, b), rows[i].before);
        assert_int_equal(tcp_seq_before_or_equal(a, b), rows[i].before_or_equal);
        assert_int_equal(tcp_seq_after(b, a), rows[i].before);
        assert_int_equal(tcp_seq_equal(a, b), rows[i].a == rows[i].b);
        assert_int_equal(tcp_seq_max(a, b).raw, rows[i].before ? rows[i].b : rows[i].a);
    }
}

static void test_arithmetic(void **state)
{
    (void)state;
    assert_int_equal(tcp_seq_add(tcp_seq_of(UINT32_MAX), 1).raw, 0);
    assert_int_equal(tcp_seq_subtract(tcp_seq_of(0), 1).raw, UINT32_MAX);
    assert_int_equal(tcp_seq_distance(tcp_seq_of(UINT32_MAX - 1), tcp_seq_of(3)), 5);
    assert_int_equal(tcp_seq_distance(tcp_seq_of(3), tcp_seq_of(3)), 0);
}

static void test_between(void **state)
{
    static const struct {
        uint32_t x, low, high;
        bool inside;
    } rows[] = {
        {5, 5, 5, true},           {4, 5, 5, false},
        {6, 5, 5, false},          {5, 5, 9, true},
        {9, 5, 9, true},           {10, 5, 9, false},
        {0, UINT32_MAX, 1, true},  {UINT32_MAX, UINT32_MAX, 1, true},
        {2, UINT32_MAX, 1, false}, {HALF, UINT32_MAX, 1, false},
        {HALF + 5, 5, 9, false},   {HALF + 4, 5, 9, false},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++)
        assert_int_equal(tcp_seq_between(tcp_seq_of(rows[i].x), tcp_seq_of(rows[i].low),
                                         tcp_seq_of(rows[i].high)),
                         rows[i].inside);
}

/* U-15. */
static void test_in_window(void **state)
{
    static const struct {
        uint32_t x, start, length;
        bool inside;
    } rows[] = {
        {5, 5, 0, false},           {5, 5, 1, true},          {6, 5, 1, false},
        {4, 5, 100, false},         {0, UINT32_MAX, 2, true}, {1, UINT32_MAX, 2, false},
        {HALF + 5, 5, HALF, false},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++)
        assert_int_equal(
            tcp_seq_in_window(tcp_seq_of(rows[i].x), tcp_seq_of(rows[i].start), rows[i].length),
            rows[i].inside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before),
        cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_between),
        cmocka_unit_test(test_in_window),
    };

    return cmocka_run_group_tests_name("wire/tcp_seq", tests, NULL, NULL);
}
