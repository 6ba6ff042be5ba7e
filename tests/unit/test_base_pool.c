/*
 * test_base_pool.c - Pooled objects: names, generations, limits, slabs coming and going.
 */
#include "base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define RESERVED 65536
#define DIRECTORY 8192

struct thing {
    struct pool_item item;
    uint64_t body[5]; /* 48 bytes in all */
};

static void *memory;
static struct pool pool;

static struct region *setup(uint32_t slab_size, uint32_t limit)
{
    struct region *r;

    free(memory);
    memory = aligned_alloc(4096, 4 << 20);
    memset(memory, 0xa5, 4 << 20);
    r = memory;
    assert_true(sw_region_init(r, memory, 4 << 20, RESERVED, 0));
    assert_true(sw_pool_directory_size(sizeof(struct thing), slab_size, limit) <=
                RESERVED - DIRECTORY);
    sw_pool_init(&pool, r, DIRECTORY, sizeof(struct thing), slab_size, limit);
    return r;
}

static bool is_blank(const struct thing *t)
{
    for (size_t i = 0; i < SW_COUNT(t->body); i++)
        if (t->body[i])
            return false;
    return true;
}

static void test_limit_and_zero(void **state)
{
    struct region *r = setup(1024, 100); /* 21 items a slab: 5 slabs */
    struct thing *things[100];

    (void)state;
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < 100; i++) {
            things[i] = sw_pool_alloc(&pool, r);
            assert_non_null(things[i]);
            assert_true(is_blank(things[i]));
            memset(things[i]->body, 0xee, sizeof things[i]->body);
        }
        assert_null(sw_pool_alloc(&pool, r));
        assert_int_equal(r->used, 5 * 1024);
        for (size_t i = 0; i < 100; i++)
            sw_pool_free(&pool, r, things[i]);
        assert_int_equal(pool.live, 0);
        assert_int_equal(r->used, 1024); /* the spare slab */
    }
    assert_int_equal(pool.peak, 100);
}

static void test_names(void **state)
{
    struct region *r = setup(4096, 1000);
    struct thing *a = sw_pool_alloc(&pool, r);
    uint32_t index = a->item.index, generation = a->item.generation;

    (void)state;
    assert_int_equal(generation & 1, 1);
    assert_ptr_equal(sw_pool_find(&pool, r, index, generation), a);
    assert_ptr_equal(sw_pool_at(&pool, r, index), a);
    assert_null(sw_pool_find(&pool, r, index, generation + 2));
    assert_null(sw_pool_find(&pool, r, index, 0));
    assert_null(sw_pool_at(&pool, r, index + 1)); /* a free slot */
    assert_null(sw_pool_at(&pool, r, 85));        /* beyond the slots of a slab */
    assert_null(sw_pool_at(&pool, r, 1 << 8));    /* no such slab */
    assert_null(sw_pool_at(&pool, r, UINT32_MAX));
    sw_pool_free(&pool, r, a);
    assert_null(sw_pool_find(&pool, r, index, generation));
    assert_null(sw_pool_find(&pool, r, index, generation + 1));
    assert_null(sw_pool_at(&pool, r, index));
    a = sw_pool_alloc(&pool, r);
    assert_int_equal(a->item.index, index);
    assert_int_not_equal(a->item.generation, generation);
    assert_null(sw_pool_find(&pool, r, index, generation));
}

/* Generations go on where they were when a slab comes again, and pass through zero unharmed. */
static void test_generation_outlives_slab(void **state)
{
    struct region *r = setup(256, 50); /* 5 items a slab */
    struct thing *things[15];
    struct thing *again;
    uint32_t index, generation;

    (void)state;
    for (size_t i = 0; i < 15; i++)
        things[i] = sw_pool_alloc(&pool, r);
    index = things[14]->item.index;
    generation = things[14]->item.generation;
    for (size_t i = 0; i < 15; i++)
        sw_pool_free(&pool, r, things[i]); /* slab 0 is kept; slab 2 leaves last */
    assert_null(sw_pool_at(&pool, r, index));
    for (size_t i = 0; i < 15; i++) {
        again = sw_pool_alloc(&pool, r);
        assert_false(again->item.index == index && again->item.generation == generation);
    }
    sw_pool_slabs(&pool, r)[index >> 8].generation = UINT32_MAX - 1;
    again = sw_pool_at(&pool, r, index);
    sw_pool_free(&pool, r, again);
    again = sw_pool_alloc(&pool, r);
    assert_int_equal(again->item.generation, UINT32_MAX);
    sw_pool_free(&pool, r, again);
    assert_null(sw_pool_at(&pool, r, index));
    again = sw_pool_alloc(&pool, r);
    assert_int_equal(again->item.generation, 1);
}

static void test_memory_refused(void **state)
{
    struct region *r = setup(256, 50);

    (void)state;
    r->fault_countdown = 1;
    assert_null(sw_pool_alloc(&pool, r));
    assert_int_equal(pool.live, 0);
    for (int i = 0; i < 5; i++)
        assert_non_null(sw_pool_alloc(&pool, r));
    r->fault_countdown = 1;
    assert_null(sw_pool_alloc(&pool, r));
    assert_non_null(sw_pool_alloc(&pool, r));
    assert_int_equal(pool.live, 6);
}

/* Each object knows who it is; walking the pool meets each once, in order of index. */
static void assert_walk(struct region *r, struct thing *const things[], size_t count)
{
    uint32_t cursor = 0, before = 0;
    size_t met = 0, live = 0;
    struct thing *t;

    while ((t = sw_pool_next(&pool, r, &cursor)) != NULL) {
        assert_true(met == 0 || t->item.index > before);
        assert_ptr_equal(things[t->body[0]], t);
        before = t->item.index;
        met++;
    }
    assert_null(sw_pool_next(&pool, r, &cursor));
    for (size_t i = 0; i < count; i++)
        live += things[i] != NULL;
    assert_int_equal(met, live);
    assert_int_equal(pool.live, live);
}

static void test_random(void **state)
{
    static struct thing *things[2000];
    static struct pool_item names[2000];
    struct region *r = setup(2048, SW_COUNT(things));
    uint64_t most = 0;

    (void)state;
    srand(2);
    for (int step = 0; step < 200000; step++) {
        int bias = step / 20000 % 2 ? 3 : 7; /* it fills, it empties */
        size_t i = (size_t)rand() % SW_COUNT(things);
        if (things[i] && rand() % 10 >= bias) {
            assert_ptr_equal(sw_pool_find(&pool, r, names[i].index, names[i].generation),
                             things[i]);
            assert_int_equal(things[i]->body[0], i);
            sw_pool_free(&pool, r, things[i]);
            assert_null(sw_pool_find(&pool, r, names[i].index, names[i].generation));
            things[i] = NULL;
        } else if (!things[i] && rand() % 10 < bias) {
            things[i] = sw_pool_alloc(&pool, r);
            assert_non_null(things[i]);
            things[i]->body[0] = i;
            names[i] = things[i]->item;
        }
        most = r->used > most ? r->used : most;
        if (step % 5000 == 0)
            assert_walk(r, things, SW_COUNT(things));
    }
    for (size_t i = 0; i < SW_COUNT(things); i++) {
        if (things[i])
            sw_pool_free(&pool, r, things[i]);
    }
    assert_int_equal(r->used, 2048);
    assert_true(most <= (uint64_t)pool.slab_limit * 2048);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit_and_zero),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_generation_outlives_slab),
        cmocka_unit_test(test_memory_refused),
        cmocka_unit_test(test_random),
    };
    int failed = cmocka_run_group_tests_name("base/pool", tests, NULL, NULL);
    free(memory);
    return failed;
}
