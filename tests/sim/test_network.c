/*
 * test_network.c - Bytes each way over a bad network: what arrives is what was sent, and it does
 * arrive in time that has a bound, and nothing is left behind.
 */
#include <string.h>

#include "check.h"

struct row {
    const char *name;
    struct sanwo_emulator_path path;
    uint64_t bytes;
    sanwo_time limit; /* an hour if 0 */
};

/* Loss beyond a third leaves handshakes without a chance; up to there a transfer must come through. */
static const struct row rows[] = {
    {"loss 0.1 %", {.delay = SANWO_MSEC(10), .loss_ppm = 1000}, 3000000, SANWO_SEC(60)},
    {"loss 1 %", {.delay = SANWO_MSEC(10), .loss_ppm = 10000}, 1000000, SANWO_SEC(120)},
    {"loss 5 %", {.delay = SANWO_MSEC(10), .loss_ppm = 50000}, 500000, SANWO_SEC(600)},
    {"loss 10 %", {.delay = SANWO_MSEC(10), .loss_ppm = 100000}, 200000, 0},
    {"loss 20 %", {.delay = SANWO_MSEC(10), .loss_ppm = 200000}, 60000, 0},
    {"loss 30 %", {.delay = SANWO_MSEC(10), .loss_ppm = 300000}, 30000, 0},
    {"bursts",
     {.delay = SANWO_MSEC(10), .burst_ppm = 5000, .burst_exit_ppm = 400000},
     500000,
     SANWO_SEC(1200)},
    {"reordering", {.delay = SANWO_MSEC(10), .reorder_ppm = 200000}, 1000000, SANWO_SEC(120)},
    {"far reordering",
     {.delay = SANWO_MSEC(10), .reorder_ppm = 50000, .reorder_delay = SANWO_MSEC(200)},
     500000,
     SANWO_SEC(600)},
    {"duplication", {.delay = SANWO_MSEC(10), .duplicate_ppm = 300000}, 1000000, SANWO_SEC(120)},
    {"corruption", {.delay = SANWO_MSEC(10), .corrupt_ppm = 50000}, 500000, SANWO_SEC(600)},
    {"jitter", {.delay = SANWO_MSEC(5), .jitter = SANWO_MSEC(100)}, 500000, SANWO_SEC(300)},
    {"jitter that reorders",
     {.delay = SANWO_MSEC(5), .jitter = SANWO_MSEC(20), .reorder_ppm = 300000},
     500000,
     SANWO_SEC(600)},
    {"slow line, tiny queue",
     {.delay = SANWO_MSEC(20), .rate = 1000000, .queue = 6000},
     500000,
     SANWO_SEC(300)},
    {"slow line, deep queue",
     {.delay = SANWO_MSEC(20), .rate = 1000000, .queue = 1 << 20},
     500000,
     SANWO_SEC(120)},
    {"very slow line", {.delay = SANWO_MSEC(100), .rate = 9600, .queue = 16000}, 30000, 0},
    {"delay 300 ms", {.delay = SANWO_MSEC(300)}, 2000000, SANWO_SEC(120)},
    {"delay 300 ms, loss 2 %",
     {.delay = SANWO_MSEC(300), .loss_ppm = 20000},
     300000,
     SANWO_SEC(1800)},
    {"delay 30 s", {.delay = SANWO_SEC(30)}, 30000, 0},
    {"all at once",
     {.delay = SANWO_MSEC(30),
      .jitter = SANWO_MSEC(10),
      .loss_ppm = 20000,
      .reorder_ppm = 50000,
      .duplicate_ppm = 50000,
      .corrupt_ppm = 20000,
      .rate = 10000000,
      .queue = 30000},
     300000,
     SANWO_SEC(1800)},
};

/* The handshake of a single try may meet its limits on the worst of these: more tries for those. */
static void run_row(const struct row *row, uint8_t family, uint64_t salt)
{
    /* Orphans are given up sooner than a user who waits, and some of these networks are that bad. */
    struct world_plan both = {
        .send = row->bytes, .stall_ppm = 5000, .stall = SANWO_MSEC(200), .patient = true};
    struct world_plan none = {.patient = true};
    struct world_config c;
    struct world *w;

    check_config(&c, row->name);
    world_config_path(&c, &row->path);
    c.family = family;
    c.salt = salt;
    for (int side = 0; side < 2; side++)
        c.stack[side].tcp.syn_retries = c.stack[side].tcp.syn_ack_retries = 20;
    w = world_create(&c);
    world_warm_up(w);
    assert_non_null(world_open(w, 0, &both, &none, NULL));
    assert_non_null(world_open(w, 1, &none, &both, NULL));
    assert_non_null(world_open(w, 0, &both, &both, NULL));
    world_finish(w, row->limit != 0 ? row->limit : SANWO_SEC(20000));
    world_check_all_complete(w);
    world_check_clean(w);
    world_destroy(w);
}

/* E-08. */
static void test_network(void **state)
{
    const struct row *row = *state;

    run_row(row, SANWO_FAMILY_IPV4, 0);
    run_row(row, SANWO_FAMILY_IPV6, 1);
}

/* Different each way: acknowledgements get lost on a line that carries the data well, and back. */
static void test_one_way(void **state)
{
    const struct sanwo_emulator_path good = {.delay = SANWO_MSEC(10)};
    const struct sanwo_emulator_path bad = {.delay = SANWO_MSEC(50), .loss_ppm = 150000};
    struct world_plan forth = {.send = 300000}, back = {.send = 1000};

    (void)state;
    for (unsigned side = 0; side < 2; side++) {
        struct world_config c;
        struct world *w;

        check_config(&c, __func__);
        c.path[side] = bad;
        c.path[!side] = good;
        c.stack[0].tcp.syn_retries = c.stack[1].tcp.syn_ack_retries = 20;
        w = world_create(&c);
        assert_non_null(world_open(w, 0, &forth, &back, NULL));
        world_finish(w, SANWO_SEC(2000));
        world_check_all_complete(w);
        world_check_clean(w);
        world_destroy(w);
    }
}

/* Options off, one by one and together, on a line that needs them most. */
static void test_options(void **state)
{
    const struct sanwo_emulator_path path = {
        .delay = SANWO_MSEC(20), .loss_ppm = 20000, .reorder_ppm = 20000, .duplicate_ppm = 10000};
    struct world_plan both = {.send = 200000};

    (void)state;
    for (unsigned mask = 0; mask < 64; mask++) {
        struct world_config c;
        struct world *w;

        check_config(&c, __func__);
        world_config_path(&c, &path);
        c.salt = mask;
        c.stack[mask & 1].tcp.offer_window_scale = (mask & 2) != 0;
        c.stack[mask & 1].tcp.offer_timestamps = (mask & 4) != 0;
        c.stack[mask & 1].tcp.offer_sack = (mask & 8) != 0;
        c.stack[mask & 1].tcp.nagle = (mask & 16) != 0;
        c.stack[mask & 1].tcp.quick_ack = (mask & 32) != 0;
        w = world_create(&c);
        assert_non_null(world_open(w, 0, &both, &both, NULL));
        world_finish(w, SANWO_SEC(1000));
        world_check_all_complete(w);
        world_check_clean(w);
        world_destroy(w);
    }
}

/* Buffers much smaller than the path would take, down to less than a segment. */
static void test_buffers(void **state)
{
    static const uint32_t sizes[] = {2048, 4096, 5000, 16384, 65535, 65536, 200000};
    const struct sanwo_emulator_path path = {.delay = SANWO_MSEC(5), .loss_ppm = 10000};

    (void)state;
    for (unsigned i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct world_plan both = {.send = 30 * (uint64_t)sizes[i / 2], .most_read = 3000};
        struct world_config c;
        struct world *w;

        check_config(&c, __func__);
        world_config_path(&c, &path);
        c.salt = i;
        if (i & 1)
            c.stack[1].tcp.send_buffer = sizes[i / 2];
        else
            c.stack[1].tcp.receive_buffer = sizes[i / 2];
        if (both.send > 1000000)
            both.send = 1000000;
        w = world_create(&c);
        assert_non_null(world_open(w, 0, &both, &both, NULL));
        world_finish(w, SANWO_SEC(2000));
        world_check_all_complete(w);
        world_check_clean(w);
        world_destroy(w);
    }
}

int main(void)
{
    enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
    const struct CMUnitTest more[] = {
        cmocka_unit_test(test_one_way),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_buffers),
    };
    struct CMUnitTest tests[ROWS];
    int failed;

    for (size_t i = 0; i < ROWS; i++)
        tests[i] = (struct CMUnitTest){
            .name = rows[i].name,
            .test_func = test_network,
            .initial_state = (void *)(uintptr_t)&rows[i],
        };
    failed = cmocka_run_group_tests_name("rows", tests, NULL, NULL);
    return failed + cmocka_run_group_tests(more, NULL, NULL);
}
