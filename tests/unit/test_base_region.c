/*
 * test_base_region.c - The buddy allocator: sizes, alignment, no overlap, budget, faults, merging.
 */
#include "base/bytes.h"
#include "base/region.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define RESERVED 1000

static void *memory;

static struct region *region_of(size_t size, uint64_t budget)
{
    struct region *r;

    free(memory);
    memory = aligned_alloc(4096, sw_round_up(size, 4096));
    memset(memory, 0xa5, size); /* nothing may be assumed of what the region held */
    r = (struct region *)((uint8_t *)memory + 64);
    assert_true(sw_region_init(r, memory, size, RESERVED, budget));
    return r;
}

static void assert_one_free_area(struct region *r)
{
    sw_region_trim(r);
    assert_int_equal(r->used, 0);
    assert_int_equal(sw_region_extent(r), r->first);
    for (int i = 0; i < REGION_ORDERS; i++) {
        assert_int_equal(r->free_list[i], 0);
        assert_int_equal(r->quick_list[i], 0);
    }
}

static void test_round(void **state)
{
    static const struct {
        size_t size, block;
    } rows[] = {
        {0, 256},           {1, 256},           {256, 256},    {257, 512},
        {512, 512},         {513, 1024},        {2048, 2048},  {2049, 4096},
        {1 << 20, 1 << 20}, {(1 << 20) + 1, 0}, {SIZE_MAX, 0}, {SIZE_MAX / 2 + 2, 0},
    };
    struct region *r = region_of(4 << 20, 0);

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        region_ref block = sw_region_alloc(r, rows[i].size);
        assert_int_equal(sw_region_round(rows[i].size), rows[i].block);
        assert_int_equal(block != 0, rows[i].block != 0);
        if (!block)
            continue;
        assert_int_equal(sw_region_block_size(r, block), rows[i].block);
        assert_int_equal((uint64_t)block * REGION_LINE % rows[i].block, 0);
        assert_int_equal(r->used, rows[i].block);
        sw_region_free(r, block);
    }
    assert_int_equal(r->refused, 3);
    assert_one_free_area(r);
}

static void test_init_refuses(void **state)
{
    static _Alignas(4096) uint8_t area[3 * 4096];
    struct region *r = (struct region *)(void *)area;

    (void)state;
    assert_false(sw_region_init(r, area + 64, 8192, 1024, 0));
    assert_false(sw_region_init(r, area, 0, 0, 0));
    assert_false(sw_region_init(r, area, 4096, 4096, 0));
    assert_false(sw_region_init(r, area, 4096, 8192, 0));
    assert_false(sw_region_init(r, area, (size_t)257 << 30, 4096, 0));
    assert_true(sw_region_init(r, area, sizeof area, 4096, 0));
}

static void test_budget(void **state)
{
    struct region *r = region_of(1 << 20, 5000);
    region_ref a, b;

    (void)state;
    a = sw_region_alloc(r, 4096);
    assert_int_not_equal(a, 0);
    assert_int_equal(sw_region_alloc(r, 1024), 0);
    b = sw_region_alloc(r, 512);
    assert_int_not_equal(b, 0);
    assert_int_equal(r->refused, 1);
    assert_int_equal(r->used, 4608);
    sw_region_free(r, a);
    sw_region_free(r, b);
    assert_int_equal(r->peak, 4608);
    assert_one_free_area(r);
}

static void test_fault_countdown(void **state)
{
    struct region *r = region_of(1 << 20, 0);

    (void)state;
    r->fault_countdown = 3;
    assert_int_not_equal(sw_region_alloc(r, 1), 0);
    assert_int_not_equal(sw_region_alloc(r, 1), 0);
    assert_int_equal(sw_region_alloc(r, 1), 0);
    assert_int_not_equal(sw_region_alloc(r, 1), 0);
    assert_int_equal(r->refused, 1);
}

/* Small blocks fill the region; freed, they merge again although most wait in quick lists. */
static void test_exhaust_and_merge(void **state)
{
    struct region *r = region_of((3 << 20) + 12345, 0);
    static region_ref blocks[20000];
    size_t count = 0;
    region_ref large;

    (void)state;
    while ((blocks[count] = sw_region_alloc(r, 200)) != 0)
        count++;
    assert_int_equal(count, (r->size - r->first) / REGION_UNIT);
    assert_int_equal(r->used, r->budget);
    for (size_t i = 0; i < count; i += 2)
        sw_region_free(r, blocks[i]);
    assert_int_equal(sw_region_alloc(r, 512), 0);
    for (size_t i = 1; i < count; i += 2)
        sw_region_free(r, blocks[i]);
    large = sw_region_alloc(r, 1 << 20);
    assert_int_not_equal(large, 0);
    sw_region_free(r, large);
    assert_one_free_area(r);
}

/* Blocks that wait unmerged are merged before an allocation fails. */
static void test_quick_blocks_are_not_lost(void **state)
{
    struct region *r = region_of(16384, 0);
    region_ref blocks[64];
    size_t count = 0;

    (void)state;
    while ((blocks[count] = sw_region_alloc(r, 256)) != 0)
        count++;
    for (size_t i = 0; i < count; i++)
        sw_region_free(r, blocks[i]);
    assert_int_not_equal(sw_region_alloc(r, 8192), 0);
}

/* A lower half at the frontier, and above it a map that happens to say "its buddy is free". */
static void test_map_above_is_not_believed(void **state)
{
    (void)state;
    for (uint32_t order = 0; order + 1 < REGION_ORDERS; order++) {
        struct region *r = region_of(8 << 20, 0);
        size_t size = (size_t)REGION_UNIT << order;
        region_ref other = 0, block;
        memset((uint8_t *)memory + r->map, 0x40 | (int)order, r->first - r->map);
        block = sw_region_alloc(r, size);
        if ((uint64_t)block * REGION_LINE & size) {
            other = block;
            block = sw_region_alloc(r, size);
        }
        assert_int_equal((uint64_t)block * REGION_LINE & size, 0);
        assert_int_equal(sw_region_extent(r), (uint64_t)block * REGION_LINE + size);
        sw_region_free(r, block);
        sw_region_trim(r);
        assert_true(sw_region_extent(r) <= (uint64_t)block * REGION_LINE);
        if (other)
            sw_region_free(r, other);
        assert_one_free_area(r);
    }
}

/* What lies above the frontier is neither read nor written: the region may be huge and unbacked. */
static void test_frontier_is_compact(void **state)
{
    struct region *r = region_of(8 << 20, 0);
    region_ref blocks[500];

    (void)state;
    for (size_t round = 0; round < 20; round++) {
        for (size_t i = 0; i < SW_COUNT(blocks); i++)
            blocks[i] = sw_region_alloc(r, 2048);
        for (size_t i = 0; i < SW_COUNT(blocks); i++)
            sw_region_free(r, blocks[i]);
    }
    for (size_t i = r->first + 501 * 2048; i < (8 << 20); i++)
        assert_int_equal(((uint8_t *)memory)[i], 0xa5);
    for (size_t i = r->map + r->first / REGION_UNIT + 501 * 8; i < r->first; i++)
        assert_int_equal(((uint8_t *)memory)[i], 0xa5);
    assert_one_free_area(r);
}

struct taken {
    region_ref ref;
    size_t size;
    uint8_t mark;
};

static void check_and_free(struct region *r, struct taken *t)
{
    const uint8_t *p = sw_region_at(r, t->ref);

    for (size_t k = 0; k < t->size; k += 61)
        assert_int_equal(p[k], t->mark);
    assert_int_equal(p[t->size - 1], t->mark);
    sw_region_free(r, t->ref);
    t->ref = 0;
}

/* Random sizes in random order, every block painted: nothing overlaps and all comes back. */
static void test_random(void **state)
{
    struct region *r = region_of(2 << 20, 0);
    static struct taken taken[400];
    uint64_t used = 0;

    (void)state;
    srand(1);
    for (uint64_t i = r->map; i < r->first; i++)
        ((uint8_t *)memory)[i] = (uint8_t)(0x40 | rand() % REGION_ORDERS); /* like free blocks */
    for (int step = 0; step < 60000; step++) {
        struct taken *t = &taken[(size_t)rand() % SW_COUNT(taken)];
        if (t->ref) {
            used -= sw_region_block_size(r, t->ref);
            check_and_free(r, t);
        } else {
            t->size = 1 + (size_t)rand() % ((size_t)1 << (4 + rand() % 14));
            t->mark = (uint8_t)rand();
            t->ref = sw_region_alloc(r, t->size);
            if (t->ref) {
                memset(sw_region_at(r, t->ref), t->mark, t->size);
                used += sw_region_round(t->size);
            }
        }
        assert_int_equal(r->used, used);
        if (step % 97 == 0)
            sw_region_trim(r);
    }
    assert_true(r->refused > 0);
    for (size_t i = 0; i < SW_COUNT(taken); i++)
        if (taken[i].ref)
            check_and_free(r, &taken[i]);
    assert_one_free_area(r);
}

/* A copy at another address goes on by itself. */
static void test_copy(void **state)
{
    struct region *r = region_of(1 << 20, 0);
    region_ref a = sw_region_alloc(r, 3000), b = sw_region_alloc(r, 300);
    void *copy = aligned_alloc(4096, 1 << 20);
    struct region *twin = (struct region *)((uint8_t *)copy + r->self);

    (void)state;
    sw_region_free(r, b);
    memcpy(copy, memory, sw_region_extent(r));
    sw_region_free(r, a);
    assert_one_free_area(r);
    assert_ptr_equal(sw_region_base(twin), copy);
    assert_int_equal(twin->used, 4096);
    assert_int_equal(sw_region_alloc(twin, 300), b);
    sw_region_free(twin, b);
    sw_region_free(twin, a);
    assert_one_free_area(twin);
    free(copy);
}

/* Neighbours that are free again make larger blocks, also below what is still in use. */
static void test_neighbours_merge(void **state)
{
    enum { SIZE = 1 << 20, LARGE = 64 << 10 };
    static region_ref small[SIZE / 256];
    struct region *r = region_of(SIZE, 0);
    uint32_t count = 0, large = 0;

    (void)state;
    while ((small[count] = sw_region_alloc(r, 256)) != 0)
        count++;
    for (uint32_t i = 0; i + 1 < count; i++) /* the last one keeps the frontier where it is */
        sw_region_free(r, small[i]);
    while (sw_region_alloc(r, LARGE))
        large++;
    assert_int_equal(large, (SIZE - r->first) / LARGE - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_init_refuses),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_fault_countdown),
        cmocka_unit_test(test_exhaust_and_merge),
        cmocka_unit_test(test_quick_blocks_are_not_lost),
        cmocka_unit_test(test_map_above_is_not_believed),
        cmocka_unit_test(test_frontier_is_compact),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_neighbours_merge),
    };
    int failed = cmocka_run_group_tests_name("base/region", tests, NULL, NULL);
    free(memory);
    return failed;
}
