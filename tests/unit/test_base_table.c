/*
 * test_base_table.c - The linear-hashing table against plain arrays: many, equal, scarce memory.
 */
#include "base/bytes.h"
#include "base/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define MANY 200000
#define SIZE (32u << 20)
#define DIRECTORY 1024
#define RESERVED (1u << 18)

static void *memory;
static struct table table;
static uint32_t hashes[MANY]; /* value i + 1 lies under hashes[i] if present[i] */
static bool present[MANY];

static struct region *setup(uint32_t limit, uint64_t budget)
{
    struct region *r;

    free(memory);
    memory = aligned_alloc(4096, SIZE);
    r = memory;
    memset(memory, 0xa5, RESERVED);
    assert_true(sw_region_init(r, memory, SIZE, RESERVED, budget));
    assert_true(sw_table_directory_size(limit) <= RESERVED - DIRECTORY);
    sw_table_init(&table, r, DIRECTORY, limit);
    memset(present, 0, sizeof present);
    return r;
}

static uint32_t times_found(struct region *r, uint32_t hash, uint32_t value)
{
    struct table_cursor c = sw_table_find(&table, r, hash);
    uint32_t found, times = 0;

    while ((found = sw_table_next(&table, r, &c)) != 0)
        times += found == value;
    return times;
}

static void assert_all(struct region *r, size_t count)
{
    uint32_t entries = 0;

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(times_found(r, hashes[i], (uint32_t)i + 1), present[i]);
        entries += present[i];
    }
    assert_int_equal(table.entries, entries);
}

static void put(struct region *r, size_t i)
{
    present[i] = sw_table_insert(&table, r, hashes[i], (uint32_t)i + 1);
}

static void take_out(struct region *r, size_t i)
{
    assert_int_equal(sw_table_remove(&table, r, hashes[i], (uint32_t)i + 1), present[i]);
    present[i] = false;
}

static uint32_t random32(void)
{
    return (uint32_t)rand() << 16 ^ (uint32_t)rand();
}

static void test_empty(void **state)
{
    struct region *r = setup(10, 0);

    (void)state;
    assert_int_equal(times_found(r, 5, 5), 0);
    assert_false(sw_table_remove(&table, r, 5, 5));
    assert_false(sw_table_replace(&table, r, 5, 5, 6));
    assert_int_equal(r->used, 0);
    assert_true(sw_table_insert(&table, r, 5, 5));
    assert_false(sw_table_remove(&table, r, 5, 6));
    assert_false(sw_table_remove(&table, r, 6, 5));
    assert_true(sw_table_replace(&table, r, 5, 5, 6));
    assert_int_equal(times_found(r, 5, 5), 0);
    assert_int_equal(times_found(r, 5, 6), 1);
    assert_true(sw_table_remove(&table, r, 5, 6));
    assert_int_equal(r->used, 0);
}

static void test_many(void **state)
{
    struct region *r = setup(MANY, 0);

    (void)state;
    srand(3);
    for (size_t i = 0; i < MANY; i++) {
        hashes[i] = random32();
        put(r, i);
        assert_true(present[i]);
    }
    assert_all(r, MANY);
    assert_in_range(table.buckets, MANY * 2 / 9 - 1, MANY * 2 / 9 + 1);
    assert_true(r->used < (uint64_t)MANY * 18); /* bytes an entry, overflow included */
    for (size_t i = 0; i < MANY; i += 2)
        take_out(r, i);
    assert_all(r, MANY);
    for (size_t i = 0; i < MANY; i++)
        take_out(r, i);
    assert_int_equal(table.entries, 0);
    assert_int_equal(r->used, 0);
}

static void test_one_hash(void **state)
{
    static const uint32_t equal[] = {0, 0xffffffff, 0x12345678};
    enum { COUNT = 5000 };

    (void)state;
    for (size_t k = 0; k < SW_COUNT(equal); k++) {
        struct region *r = setup(COUNT, 0);
        struct table_cursor c;
        size_t found = 0;
        uint32_t value;
        for (size_t i = 0; i < COUNT; i++) {
            hashes[i] = equal[k];
            put(r, i);
        }
        c = sw_table_find(&table, r, equal[k]);
        while ((value = sw_table_next(&table, r, &c)) != 0) {
            assert_true(present[value - 1]);
            present[value - 1] = false; /* each once */
            found++;
        }
        assert_int_equal(found, COUNT);
        memset(present, true, COUNT);
        for (size_t i = 0; i < COUNT; i++)
            take_out(r, i * 37 % COUNT);
        assert_int_equal(r->used, 0);
    }
}

/* Random steps; hashes of few different values so that chains grow long, @mask wide. */
static void fuzz(struct region *r, uint32_t mask, size_t count, int steps, bool faults)
{
    for (size_t i = 0; i < count; i++)
        hashes[i] = random32() & mask;
    for (int step = 0; step < steps; step++) {
        size_t i = (size_t)random32() % count;
        int bias = step / (steps / 6) % 2 ? 2 : 8;
        if (faults && rand() % 4 == 0)
            r->fault_countdown = 1 + (uint64_t)rand() % 3;
        if (present[i] && rand() % 10 >= bias)
            take_out(r, i);
        else if (!present[i] && rand() % 10 < bias)
            put(r, i);
        if (step % (steps / 6) == steps / 12)
            assert_all(r, count);
    }
    r->fault_countdown = 0;
    assert_all(r, count);
    for (size_t i = 0; i < count; i++)
        if (present[i])
            take_out(r, i);
    assert_int_equal(r->used, 0);
}

static void test_fuzz(void **state)
{
    static const struct {
        uint32_t mask, count, limit;
        bool faults;
    } rows[] = {
        {0xffffffff, 3000, 3000, false}, {0xffffffff, 3000, 3000, true},
        {0x0000003f, 2000, 2000, true},  {0xffff0000, 1000, 1000, true},
        {0x000001ff, 3000, 3000, false}, {0xffffffff, 3000, 100, true}, /* beyond its limit */
    };

    (void)state;
    srand(4);
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct region *r = setup(rows[i].limit, 0);
        fuzz(r, rows[i].mask, rows[i].count, 60000, rows[i].faults);
    }
}

static void test_scarce_memory(void **state)
{
    struct region *r = setup(MANY, 20000);
    size_t refused = 0;

    (void)state;
    srand(5);
    for (size_t i = 0; i < 4000; i++) {
        hashes[i] = random32();
        put(r, i);
        refused += !present[i];
    }
    assert_true(refused > 0 && table.entries > 500);
    assert_all(r, 4000);
    for (size_t i = 0; i < 4000; i++)
        take_out(r, i);
    assert_int_equal(r->used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),         cmocka_unit_test(test_many),
        cmocka_unit_test(test_one_hash),      cmocka_unit_test(test_fuzz),
        cmocka_unit_test(test_scarce_memory),
    };
    int failed = cmocka_run_group_tests_name("base/table", tests, NULL, NULL);
    free(memory);
    return failed;
}
