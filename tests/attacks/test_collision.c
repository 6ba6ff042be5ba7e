/*
 * test_collision.c - Tuples made to collide, and sizes made to wrap around.
 *
 *     bucket -> line -> line -> ...      the longest chain is what an attacker wants to be long
 */
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/table.h"
#include "tcp/tuple.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include <sanwo/driver.h>

#define TUPLES 100000
#define LINE_WORDS (REGION_LINE / 4) /* the last is the reference of the next line: base/table.c */

struct rig {
    void *memory;
    size_t size;
    struct region *region;
    struct table *table;
};

static void rig_make(struct rig *rig)
{
    rig->size = 64 << 20;
    rig->memory = sanwo_region_reserve(rig->size);
    assert_non_null(rig->memory);
    rig->region = rig->memory;
    rig->table = (struct table *)((uint8_t *)rig->memory + 1024);
    size_t reserved = 2048 + sw_table_directory_size(TUPLES);
    assert_true(sw_region_init(rig->region, rig->memory, rig->size, reserved, 0));
    sw_table_init(rig->table, rig->region, 2048, TUPLES);
}

/* Addresses and ports whose exclusive-or, folded to 16 bits, is always the same. */
static struct tcp_tuple colliding(uint32_t i)
{
    struct sanwo_address local = sanwo_address_ipv4(192, 0, 2, 1);
    struct sanwo_address remote =
        sanwo_address_ipv4(11, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i);
    uint16_t port = (uint16_t)((11 << 8 | i >> 16) ^ i ^ 0x5555);
    return sw_tcp_tuple(&local, 80, &remote, port);
}

static struct tcp_tuple ordinary(uint32_t i)
{
    struct sanwo_address local = sanwo_address_ipv4(192, 0, 2, 1);
    uint32_t x = i * 2654435761u;
    struct sanwo_address remote =
        sanwo_address_ipv4((uint8_t)(x >> 24), (uint8_t)(x >> 16), (uint8_t)(x >> 8), (uint8_t)x);
    return sw_tcp_tuple(&local, 80, &remote, (uint16_t)(1024 + i % 50000));
}

static uint32_t folded(const struct tcp_tuple *t)
{
    uint32_t remote = sw_load32(t->remote + 12);
    return (remote >> 16 ^ remote ^ t->remote_port ^ t->local_port) & 0xffff;
}

struct chains {
    uint32_t longest;
    double mean; /* lines looked at in a search */
};

static struct chains measure(struct tcp_tuple (*tuple)(uint32_t), const struct siphash_key *key,
                             uint32_t n)
{
    struct rig rig;
    struct chains c = {0, 0};
    rig_make(&rig);
    for (uint32_t i = 0; i < n; i++) {
        struct tcp_tuple t = tuple(i);
        uint32_t hash = key ? sw_tcp_tuple_hash(key, &t) : folded(&t);
        assert_true(sw_table_insert(rig.table, rig.region, hash, i + 1));
    }
    for (uint32_t i = 0; i < n; i++) {
        struct tcp_tuple t = tuple(i);
        uint32_t hash = key ? sw_tcp_tuple_hash(key, &t) : folded(&t);
        region_ref line = sw_table_bucket(rig.table, rig.region, hash);
        uint32_t length = 0;
        for (; line; length++)
            line = ((const uint32_t *)sw_region_at(rig.region, line))[LINE_WORDS - 1];
        c.longest = sw_max32(c.longest, length);
        c.mean += length;
    }
    c.mean /= n;
    sanwo_region_release(rig.memory, rig.size);
    return c;
}

/* Tuples that all collide under a hash that anybody can compute are as good as any to us. A-24. */
static void test_A_24_collisions(void **state)
{
    struct siphash_key key = {0x0123456789abcdef, 0xfedcba9876543210};
    (void)state;
    struct chains bad = measure(colliding, NULL, 2000);
    assert_true(bad.longest > 100); /* they do collide */
    struct chains any = measure(ordinary, &key, TUPLES), attack = measure(colliding, &key, TUPLES);
    print_message("lines a search: ordinary %.3f, longest %u; colliding %.3f, longest %u\n",
                  any.mean, any.longest, attack.mean, attack.longest);
    assert_in_range(attack.longest, 1, 4); /* seven in a line, 4.5 on average */
    assert_true(attack.mean <= any.mean * 1.02);
}

/* What collides in many bits under one key is spread again by another: it is of no use to others. A-24. */
static void test_A_24_another_key(void **state)
{
    struct siphash_key known = {0, 0}, key = {1, 0};
    uint32_t found = 0, bins[64] = {0};
    (void)state;
    for (uint32_t i = 0; found < 4096; i++) {
        struct tcp_tuple t = ordinary(i);
        if (sw_tcp_tuple_hash(&known, &t) % 64 != 17)
            continue;
        found++;
        bins[sw_tcp_tuple_hash(&key, &t) % 64]++;
    }
    double chi = 0;
    for (unsigned i = 0; i < 64; i++)
        chi += ((double)bins[i] - 64) * ((double)bins[i] - 64) / 64;
    assert_true(chi < 63 + 6 * 11.3);
}

/* Sizes at the ends of their types: refused, and nothing is taken. A-17. */
static void test_A_17_sizes_that_wrap(void **state)
{
    static const size_t sizes[] = {SIZE_MAX,
                                   SIZE_MAX - 1,
                                   SIZE_MAX - 63,
                                   SIZE_MAX - 64,
                                   SIZE_MAX - 65,
                                   SIZE_MAX - 255,
                                   SIZE_MAX - 256,
                                   SIZE_MAX / 2,
                                   SIZE_MAX / 2 + 1,
                                   (size_t)UINT32_MAX + 1,
                                   UINT32_MAX,
                                   (size_t)UINT32_MAX - 63,
                                   (size_t)UINT32_MAX - 64,
                                   (size_t)1 << 31,
                                   (1 << 20) + 1,
                                   (1 << 20) - 63};
    struct rig rig;
    (void)state;
    rig_make(&rig);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (sizes[i] > 1 << 20) {
            assert_int_equal(sw_region_alloc(rig.region, sizes[i]), 0);
            assert_int_equal(sw_region_round(sizes[i]), 0);
        }
        assert_null(sw_buffer_alloc(rig.region, sizes[i]));
        assert_true(rig.region->used == 0);
    }
    struct buffer *largest = sw_buffer_alloc(rig.region, (1 << 20) - sizeof(struct buffer));
    assert_non_null(largest);
    assert_int_equal(sw_buffer_tailroom(largest), (1 << 20) - sizeof(struct buffer));
    sanwo_region_release(rig.memory, rig.size);
}

/* The same from outside: each call takes what there is room for, or says no. A-17. */
static void test_A_17_calls(void **state)
{
    struct sanwo_stack_config config;
    struct sanwo_stack *stack;
    struct sanwo_stack_stats before, after;
    struct sanwo_link_config link = {.name = "net", .kind = SANWO_LINK_IP, .mtu = 1500};
    struct sanwo_address own = sanwo_address_ipv4(10, 0, 0, 1);
    struct sanwo_tcp_connect open = {.remote = {sanwo_address_ipv4(10, 0, 0, 2), 80}};
    struct sanwo_handle h;
    struct sanwo_room room;
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 64, (size_t)UINT32_MAX + 1, UINT32_MAX};
    (void)state;
    sanwo_stack_config_default(&config);
    config.deterministic = true;
    size_t size = sanwo_stack_region_size(&config);
    void *region = sanwo_region_reserve(size);
    assert_int_equal(sanwo_stack_create(region, size, &config, 0, &stack), 0);
    assert_int_equal(sanwo_stack_link_add(stack, &link), 0);
    assert_int_equal(sanwo_stack_address_add(stack, 0, &own, 24), 0);
    assert_int_equal(sanwo_tcp_connect(stack, &open, 0, &h), 0);
    sanwo_stack_stats(stack, &before);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        assert_int_equal(sanwo_stack_borrow(stack, sizes[i], &room, 1), 0);
        assert_int_equal(sanwo_tcp_send_ref(stack, h, &config, sizes[i], 0, 0), -SANWO_EMSGSIZE);
        int64_t n = sanwo_tcp_reserve(stack, h, sizes[i], &room);
        assert_true(n > 0 && (uint64_t)n <= config.tcp.send_buffer_start && room.length == n);
        assert_int_equal(sanwo_tcp_commit(stack, h, sizes[i], 0, 0), -SANWO_EINVAL);
        assert_int_equal(sanwo_tcp_commit(stack, h, 0, 0, 0), 0);
        assert_int_equal(sanwo_tcp_consume(stack, h, sizes[i], 0), -SANWO_EINVAL);
    }
    sanwo_stack_stats(stack, &after);
    assert_true(after.memory_used <= before.memory_used + (64 << 10));
    sanwo_region_release(region, size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_A_24_collisions),
        cmocka_unit_test(test_A_24_another_key),
        cmocka_unit_test(test_A_17_sizes_that_wrap),
        cmocka_unit_test(test_A_17_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
