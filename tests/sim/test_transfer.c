/*
 * test_transfer.c - Bytes each way over a good network: sizes, families, MTUs, offload, wrap-around.
 */
#include "check.h"

enum { MSS = 1460 };

static void transfer(const struct world_config *c, uint64_t forth, uint64_t back)
{
    struct world *w = world_create(c);
    struct world_plan opener = {.send = forth}, acceptor = {.send = back};
    struct world_talk *talk;

    world_warm_up(w);
    talk = world_open(w, 0, &opener, &acceptor, NULL);
    assert_non_null(talk);
    world_finish(w, SANWO_SEC(120));
    world_check_complete(w, talk);
    world_check_clean(w);
    world_destroy(w);
}

static void all_ways(const struct world_config *c, uint64_t size)
{
    transfer(c, size, 0);
    transfer(c, 0, size);
    transfer(c, size, size);
}

static void test_sizes(void **state)
{
    static const uint64_t sizes[] = {0,   1,       MSS - 12 - 1, MSS - 12, MSS - 12 + 1, MSS - 1,
                                     MSS, MSS + 1, 2 * MSS,      65535,    65536,        1 << 20};
    struct world_config c;

    (void)state;
    check_config(&c, __func__);
    for (int family = 0; family < 2; family++) {
        c.family = family ? SANWO_FAMILY_IPV6 : SANWO_FAMILY_IPV4;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            c.salt++;
            all_ways(&c, sizes[i]);
        }
    }
}

static void test_mtus(void **state)
{
    static const uint16_t mtus[] = {1280, 1281, 1500, 9000, 65535};
    struct world_config c;

    (void)state;
    check_config(&c, __func__);
    for (size_t i = 0; i < sizeof(mtus) / sizeof(mtus[0]); i++) {
        for (int family = 0; family < 2; family++) {
            c.family = family ? SANWO_FAMILY_IPV6 : SANWO_FAMILY_IPV4;
            c.mtu = mtus[i];
            c.salt++;
            transfer(&c, 300000, 200000);
        }
    }
    /* RFC 791: what every host must take. IPv6 needs more. */
    c.family = SANWO_FAMILY_IPV4;
    c.mtu = 576;
    transfer(&c, 100000, 100000);
}

/* Frames by reference from stack to stack, super-segments whole. */
static void test_offload(void **state)
{
    static const uint32_t offloads[] = {
        0, SANWO_OFFLOAD_CHECKSUM, SANWO_OFFLOAD_CHECKSUM | SANWO_OFFLOAD_TSO4,
        SANWO_OFFLOAD_CHECKSUM | SANWO_OFFLOAD_TSO4 | SANWO_OFFLOAD_TSO6};
    struct world_config c;

    (void)state;
    check_config(&c, __func__);
    c.direct = true;
    for (size_t i = 0; i < sizeof(offloads) / sizeof(offloads[0]); i++) {
        for (int family = 0; family < 2; family++) {
            c.family = family ? SANWO_FAMILY_IPV6 : SANWO_FAMILY_IPV4;
            c.offload = offloads[i];
            c.salt++;
            all_ways(&c, 3000000);
            all_ways(&c, 1);
        }
    }
}

static void test_ten_megabytes(void **state)
{
    struct sanwo_emulator_path path = {.delay = SANWO_MSEC(2)};
    struct world_config c;

    (void)state;
    check_path(&c, __func__, &path);
    transfer(&c, 10 << 20, 0);
    c.family = SANWO_FAMILY_IPV6;
    transfer(&c, 10 << 20, 10 << 20);
}

/*
 * RFC 9293 3.4: all comparison is modulo 2^32; both streams pass zero, at every kind of place.
 * U-15.
 * E-13.
 */
static void test_wrap_around(void **state)
{
    static const uint32_t before[] = {0,     1,      2,           MSS - 12,   MSS,
                                      65536, 500000, 0x80000000u, 0x80000001u};
    struct sanwo_emulator_path path = {.delay = SANWO_MSEC(2), .loss_ppm = 10000};
    struct world_config c;

    (void)state;
    check_path(&c, __func__, &path);
    c.isn_is_set = true;
    for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
        c.isn[0] = 0u - before[i];
        c.isn[1] = 0u - before[i] - (uint32_t)i;
        c.salt++;
        transfer(&c, 700000, 700000);
    }
}

/* One byte a write and no waiting for acknowledgements does not make one byte a segment (Nagle). */
static void test_small_writes(void **state)
{
    struct world_plan small = {.send = 20000, .most_write = 3, .most_read = 7};
    struct sanwo_emulator_path path = {.delay = SANWO_MSEC(5)};
    struct sanwo_stack_stats stats;
    struct world_config c;
    struct world *w;

    (void)state;
    check_path(&c, __func__, &path);
    w = world_create(&c);
    assert_non_null(world_open(w, 1, &small, &small, NULL));
    world_finish(w, SANWO_SEC(60));
    world_check_all_complete(w);
    world_stats(w, 1, &stats);
    if (stats.segments_out >= 100)
        world_fail(w, "%llu segments", (unsigned long long)stats.segments_out);
    world_destroy(w);
}

/* Many at once, from both sides, readers that pause. */
static void test_many_at_once(void **state)
{
    struct sanwo_emulator_path path = {.delay = SANWO_MSEC(3), .rate = 100000000, .queue = 1 << 20};
    struct world_config c;
    struct world *w;

    (void)state;
    check_path(&c, __func__, &path);
    w = world_create(&c);
    for (unsigned i = 0; i < 100; i++) {
        struct world_plan opener = {
            .send = chance_below(&w->chance, 60000), .stall_ppm = 50000, .stall = SANWO_MSEC(300)};
        struct world_plan acceptor = opener;

        acceptor.send = chance_below(&w->chance, 60000);
        assert_non_null(world_open(w, i & 1, &opener, &acceptor, NULL));
    }
    world_finish(w, SANWO_SEC(300));
    world_check_all_complete(w);
    world_check_clean(w);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),        cmocka_unit_test(test_mtus),
        cmocka_unit_test(test_offload),      cmocka_unit_test(test_ten_megabytes),
        cmocka_unit_test(test_wrap_around),  cmocka_unit_test(test_small_writes),
        cmocka_unit_test(test_many_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
