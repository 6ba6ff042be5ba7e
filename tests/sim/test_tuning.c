/*
 * test_tuning.c - Buffers of the default configuration on whole paths: long and fast, shared, slow.
 *
 * Virtual time: two stacks, an emulated network between them, every byte compared.
 */
#include "check.h"

#define MBIT UINT64_C(1000000)
#define FOREVER (UINT64_C(1) << 40)

/* Default stacks, tables apart, with a queue of one bandwidth-delay product. */
static struct world *make(const char *name, uint64_t rate, sanwo_time rtt, uint64_t budget,
                          uint32_t receive_buffer)
{
    struct sanwo_emulator_path path = {.delay = rtt / 2, .rate = rate};
    struct world_config c;

    path.queue = (uint32_t)(rate / 8 * (uint64_t)(rtt / 1000) / 1000000);
    check_config(&c, name);
    world_config_path(&c, &path);
    c.observed = false;
    c.mtu = rate >= 1000 * MBIT ? 9000 : 1500; /* bytes count, not packets: fewer are faster */
    c.stack[0].budget = c.stack[1].budget = budget;
    c.stack[1].tcp.receive_buffer = receive_buffer;
    return world_create(&c);
}

/* A connection over which A sends for ever. */
static struct world_talk *flow(struct world *w)
{
    struct world_plan sender = {.send = FOREVER, .ending = WORLD_STAY};
    struct world_plan reader = {.ending = WORLD_STAY};
    struct world_talk *talk = world_open(w, 0, &sender, &reader, NULL);

    assert_non_null(talk);
    return talk;
}

static struct sanwo_tcp_info info_of(const struct world_end *end)
{
    struct sanwo_tcp_info info;

    assert_int_equal(sanwo_tcp_info(end->world->host[end->side].stack, end->handle, &info), 0);
    return info;
}

/* Payload bits a second that arrive within @time from now, in thousandths of @rate. */
static unsigned share_of(struct world *w, struct world_talk *talk, uint64_t rate, sanwo_time time)
{
    uint64_t before = talk->end[1]->received;

    world_run(w, time);
    return (unsigned)((talk->end[1]->received - before) * 8 * 1000 / rate * (uint64_t)SANWO_SEC(1) /
                      (uint64_t)time);
}

/* One connection fills 1 Gbit/s over 200 ms with default settings; 994 is all that headers leave. */
static void test_long_fat_path(void **state)
{
    (void)state;
    struct world *w = make(__func__, 1000 * MBIT, SANWO_MSEC(200), 0, 0);
    struct world_talk *talk = flow(w);

    world_run(w, SANWO_SEC(4));
    assert_in_range(share_of(w, talk, 1000 * MBIT, SANWO_SEC(1)), 980, 1000);
    struct sanwo_tcp_info a = info_of(talk->end[0]), b = info_of(talk->end[1]);
    assert_in_range(b.receive_limit, 25000000, 65535 << 10);
    assert_in_range(b.receive_rtt, SANWO_MSEC(190), SANWO_MSEC(410));
    assert_in_range(a.delivery_rate, 120000000, 126000000);
    assert_in_range(a.send_limit, 25000000, 64 << 20);
    world_destroy(w);
}

/* A buffer that was set is a bound: so much a round trip, and no more. */
static void test_a_size_that_was_set(void **state)
{
    (void)state;
    struct world *w = make(__func__, 100 * MBIT, SANWO_MSEC(100), 0, 200000);
    struct world_talk *talk = flow(w);

    world_run(w, SANWO_SEC(2));
    assert_in_range(share_of(w, talk, 16 * MBIT, SANWO_SEC(2)), 900, 1000);
    struct sanwo_tcp_info a = info_of(talk->end[0]);
    assert_int_equal(info_of(talk->end[1]).receive_limit, 200000);
    assert_int_equal(a.send_limit, 1 << 20); /* nothing to follow: it starts larger */
    assert_int_equal(a.limit, SANWO_LIMIT_RECEIVE_WINDOW);
    assert_true(a.limited_time[SANWO_LIMIT_RECEIVE_WINDOW] > SANWO_SEC(2));
    assert_true(a.limited_time[SANWO_LIMIT_RECEIVE_WINDOW] + a.limited_time[SANWO_LIMIT_PACING] >
                SANWO_SEC(3));
    assert_in_range(a.busy_time, SANWO_MSEC(3700), SANWO_SEC(4));
    world_destroy(w);
}

/* Short paths do not make buffers grow beyond what they need. */
static void test_short_path(void **state)
{
    (void)state;
    struct world *w = make(__func__, 100 * MBIT, SANWO_MSEC(4), 0, 0);
    struct world_talk *talk = flow(w);

    world_run(w, SANWO_SEC(1));
    assert_in_range(share_of(w, talk, 100 * MBIT, SANWO_SEC(2)), 940, 970);
    assert_int_equal(info_of(talk->end[1]).receive_limit, 1 << 20);
    assert_int_equal(info_of(talk->end[0]).send_limit, 1 << 20);
    world_destroy(w);
}

/* In little memory many connections share: none of them stops, and the budget holds (world.h looks). */
static void test_little_memory(void **state)
{
    (void)state;
    enum { FLOWS = 16 };
    struct world *w = make(__func__, 100 * MBIT, SANWO_MSEC(200), 8 << 20, 0);
    struct world_talk *talks[FLOWS];
    uint64_t before[FLOWS];

    for (int i = 0; i < FLOWS; i++)
        talks[i] = flow(w);
    world_run(w, SANWO_SEC(10));
    for (int i = 0; i < FLOWS; i++)
        before[i] = talks[i]->end[1]->received;
    world_run(w, SANWO_SEC(20));
    for (int i = 0; i < FLOWS; i++) {
        assert_true(talks[i]->end[1]->received > before[i]);
        assert_true(info_of(talks[i]->end[1]).receive_limit <= 3 << 19); /* a quarter of 6 MiB */
    }
    world_destroy(w);
}

/* A reader slower than the network is not promised more than it takes. */
static void test_slow_reader(void **state)
{
    (void)state;
    struct world *w = make(__func__, 100 * MBIT, SANWO_MSEC(100), 0, 0);
    struct world_plan sender = {.send = FOREVER, .ending = WORLD_STAY};
    struct world_plan reader = {
        .ending = WORLD_STAY, .most_read = 20000, .stall_ppm = 1000000, .stall = SANWO_MSEC(40)};
    struct world_talk *talk = world_open(w, 0, &sender, &reader, NULL);

    assert_non_null(talk);
    world_run(w, SANWO_SEC(20));
    assert_true(talk->end[1]->received > 1000000);
    struct sanwo_tcp_info a = info_of(talk->end[0]), b = info_of(talk->end[1]);
    assert_int_equal(b.receive_limit, 1 << 20);
    assert_true(a.limited_time[SANWO_LIMIT_RECEIVE_WINDOW] > SANWO_SEC(15));
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_fat_path), cmocka_unit_test(test_a_size_that_was_set),
        cmocka_unit_test(test_short_path),    cmocka_unit_test(test_little_memory),
        cmocka_unit_test(test_slow_reader),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
