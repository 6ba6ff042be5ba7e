/*
 * test_base_ranges.c - Sets of byte ranges: tables of cases, and a bitmap as the model.
 */
#include "base/bytes.h"
#include "base/ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define LIMIT 4

static const struct range start[] = {{10, 20}, {30, 40}, {50, 60}};

static void assert_items(const struct ranges *s, const struct range *want, size_t count)
{
    assert_int_equal(s->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(s->items[i].from, want[i].from);
        assert_int_equal(s->items[i].to, want[i].to);
    }
}

static struct ranges started(struct range items[LIMIT], uint32_t limit)
{
    struct ranges s;

    sw_ranges_init(&s, items, limit);
    for (size_t i = 0; i < SW_COUNT(start); i++)
        assert_true(sw_ranges_insert(&s, start[i].from, start[i].to));
    return s;
}

static void test_insert(void **state)
{
    static const struct {
        struct range add, want[4];
        size_t count;
    } rows[] = {
        {{0, 5}, {{0, 5}, {10, 20}, {30, 40}, {50, 60}}, 4},
        {{0, 10}, {{0, 20}, {30, 40}, {50, 60}}, 3},   /* touches from below */
        {{20, 25}, {{10, 25}, {30, 40}, {50, 60}}, 3}, /* from above */
        {{20, 30}, {{10, 40}, {50, 60}}, 2},           /* closes a gap */
        {{21, 29}, {{10, 20}, {21, 29}, {30, 40}, {50, 60}}, 4},
        {{12, 18}, {{10, 20}, {30, 40}, {50, 60}}, 3}, /* inside */
        {{10, 20}, {{10, 20}, {30, 40}, {50, 60}}, 3}, /* the same */
        {{15, 55}, {{10, 60}}, 1},
        {{0, 100}, {{0, 100}}, 1},
        {{60, 70}, {{10, 20}, {30, 40}, {50, 70}}, 3},
        {{25, 25}, {{10, 20}, {30, 40}, {50, 60}}, 3}, /* empty */
        {{UINT64_MAX - 1, UINT64_MAX},
         {{10, 20}, {30, 40}, {50, 60}, {UINT64_MAX - 1, UINT64_MAX}},
         4},
        {{UINT32_MAX, UINT32_MAX + UINT64_C(5)},
         {{10, 20}, {30, 40}, {50, 60}, {UINT32_MAX, UINT32_MAX + UINT64_C(5)}},
         4},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct range items[LIMIT];
        struct ranges s = started(items, LIMIT);
        assert_true(sw_ranges_insert(&s, rows[i].add.from, rows[i].add.to));
        assert_items(&s, rows[i].want, rows[i].count);
    }
}

static void test_full(void **state)
{
    static const struct range joined[] = {{10, 40}, {50, 60}};
    struct range items[LIMIT];
    struct ranges s = started(items, 3);

    (void)state;
    assert_false(sw_ranges_insert(&s, 0, 5));
    assert_false(sw_ranges_insert(&s, 100, 105));
    assert_items(&s, start, 3);
    assert_true(sw_ranges_insert(&s, 5, 5));
    assert_true(sw_ranges_insert(&s, 20, 30)); /* needs no new range */
    assert_items(&s, joined, 2);
    assert_true(sw_ranges_insert(&s, 0, 5));
}

static void test_trim(void **state)
{
    static const struct {
        uint64_t upto;
        struct range want[3];
        size_t count;
    } rows[] = {
        {0, {{10, 20}, {30, 40}, {50, 60}}, 3},
        {10, {{10, 20}, {30, 40}, {50, 60}}, 3},
        {11, {{11, 20}, {30, 40}, {50, 60}}, 3},
        {20, {{30, 40}, {50, 60}}, 2},
        {35, {{35, 40}, {50, 60}}, 2},
        {45, {{50, 60}}, 1},
        {60, {{0, 0}}, 0},
        {UINT64_MAX, {{0, 0}}, 0},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct range items[LIMIT];
        struct ranges s = started(items, LIMIT);
        sw_ranges_trim(&s, rows[i].upto);
        assert_items(&s, rows[i].want, rows[i].count);
    }
}

static void test_questions(void **state)
{
    struct range items[LIMIT];
    struct ranges s = started(items, LIMIT);

    (void)state;
    assert_true(sw_ranges_contains(&s, 10, 20));
    assert_true(sw_ranges_contains(&s, 12, 13));
    assert_true(sw_ranges_contains(&s, 25, 25));
    assert_false(sw_ranges_contains(&s, 9, 20));
    assert_false(sw_ranges_contains(&s, 10, 21));
    assert_false(sw_ranges_contains(&s, 15, 35));
    assert_false(sw_ranges_contains(&s, 70, 71));
    assert_ptr_equal(sw_ranges_at(&s, 10), &items[0]);
    assert_ptr_equal(sw_ranges_at(&s, 19), &items[0]);
    assert_null(sw_ranges_at(&s, 20));
    assert_null(sw_ranges_at(&s, 0));
    assert_ptr_equal(sw_ranges_at(&s, 30), &items[1]);
    assert_null(sw_ranges_at(&s, 60));
}

/* The set says of every position what a map of bits says, in ranges that do not touch. */
static void assert_model(const struct ranges *s, const bool *bits, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(sw_ranges_contains(s, i, i + 1), bits[i]);
        assert_int_equal(sw_ranges_at(s, i) != NULL, bits[i]);
    }
    for (uint32_t i = 0; i < s->count; i++) {
        assert_true(s->items[i].from < s->items[i].to);
        assert_true(i == 0 || s->items[i - 1].to < s->items[i].from);
    }
}

static size_t runs_of(const bool *bits, size_t size)
{
    size_t runs = 0;

    for (size_t i = 0; i < size; i++)
        runs += bits[i] && (i == 0 || !bits[i - 1]);
    return runs;
}

static void test_random(void **state)
{
    enum { SIZE = 100 };
    struct range items[8];
    struct ranges s;

    (void)state;
    srand(8);
    for (int round = 0; round < 300; round++) {
        bool bits[SIZE] = {false}, after[SIZE];
        sw_ranges_init(&s, items, SW_COUNT(items));
        for (int step = 0; step < 40; step++) {
            size_t from = (size_t)rand() % SIZE;
            size_t to = from + (size_t)rand() % 9;
            to = to > SIZE ? SIZE : to;
            memcpy(after, bits, sizeof bits);
            memset(after + from, true, to - from);
            assert_int_equal(sw_ranges_insert(&s, from, to),
                             runs_of(after, SIZE) <= SW_COUNT(items));
            if (runs_of(after, SIZE) <= SW_COUNT(items))
                memcpy(bits, after, sizeof bits);
            if (rand() % 20 == 0) {
                sw_ranges_trim(&s, from);
                memset(bits, false, from);
            }
            assert_model(&s, bits, SIZE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_insert), cmocka_unit_test(test_full),
        cmocka_unit_test(test_trim),   cmocka_unit_test(test_questions),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests_name("base/ranges", tests, NULL, NULL);
}
