/*
 * test_idle.c - What costs nothing: an idle connection has no timer, sends no packet, holds no
 * buffer. And what must outlast silence: TIME-WAIT.
 */
#include "check.h"

static struct world_talk *open_idle(struct world *w, unsigned side, uint64_t bytes)
{
    struct world_plan stay = {.send = bytes, .ending = WORLD_STAY};

    return world_open(w, side, &stay, &stay, NULL);
}

static void check_silence(struct world *w, sanwo_time time)
{
    uint64_t frames[2] = {w->host[0].frames, w->host[1].frames};

    assert_int_equal(world_run(w, time), 1);
    for (int side = 0; side < 2; side++) {
        assert_true(sanwo_stack_deadline(w->host[side].stack) == SANWO_TIME_NEVER);
        assert_true(w->host[side].frames == frames[side]);
    }
}

/* Hours of nothing after an exchange; then it still works. */
static void test_silence(void **state)
{
    struct world_plan leave = {.send = 90000};
    const struct sanwo_emulator_path path = {.delay = SANWO_MSEC(10), .loss_ppm = 10000};

    (void)state;
    for (uint64_t bytes = 0; bytes <= 50000; bytes += 50000) {
        struct world_talk *talk;
        struct world_config c;
        struct world *w;

        check_config(&c, __func__);
        world_config_path(&c, &path);
        c.salt = bytes;
        w = world_create(&c);
        talk = open_idle(w, 0, bytes);
        world_run(w, SANWO_SEC(100));
        assert_int_equal(talk->end[0]->received, bytes);
        assert_int_equal(talk->end[1]->received, bytes);
        check_silence(w, SANWO_SEC(36000));
        world_jump(w, SANWO_SEC(36000));
        world_change_plan(talk->end[0], &leave);
        world_change_plan(talk->end[1], &leave);
        world_finish(w, SANWO_SEC(300));
        world_check_complete(w, talk);
        world_check_clean(w);
        world_destroy(w);
    }
}

/* design.md 4.2: at most 512 bytes, all in, for each of ten thousand. */
static void idle_cost(const char *name, uint64_t bytes)
{
    enum { COUNT = 10000, MOST = 512 };
    struct world_config c;
    uint64_t before[2];
    struct world *w;

    check_config(&c, name);
    c.direct = true;
    c.backlog = COUNT;
    for (int side = 0; side < 2; side++)
        c.stack[side].max_connections = c.stack[side].max_half_open = COUNT + 1;
    w = world_create(&c);
    before[0] = world_memory(w, 0);
    before[1] = world_memory(w, 1);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_non_null(open_idle(w, 0, bytes));
        if (i % 100 == 99)
            world_run(w, SANWO_SEC(1));
    }
    check_silence(w, SANWO_SEC(36000));
    for (unsigned side = 0; side < 2; side++) {
        struct sanwo_stack_stats stats;
        uint64_t each = (world_memory(w, side) - before[side]) / COUNT;

        world_stats(w, side, &stats);
        assert_int_equal(stats.connections, COUNT);
        if (each > MOST)
            world_fail(w, "%c: an idle connection takes %llu bytes", 'A' + (int)side,
                       (unsigned long long)each);
    }
    world_destroy(w);
}

/* B-13. */
static void test_cost(void **state)
{
    (void)state;
    idle_cost(__func__, 0);
}

/* B-13. */
static void test_cost_after_exchange(void **state)
{
    (void)state;
    idle_cost(__func__, 3000);
}

/* Carries what @from has to say to @to by hand, at @now. */
static void carry(struct world *w, unsigned from, unsigned to, sanwo_time now)
{
    struct sanwo_frame frames[8];
    size_t n = sanwo_stack_transmit(w->host[from].stack, frames, 8, now);

    for (size_t i = 0; i < n; i++) {
        struct sanwo_frame frame = frames[i];

        frame.link = (uint16_t)w->host[to].link->number;
        frame.arrival = now;
        for (size_t k = 0; k < frame.slice_count; k++)
            frame.slices[k].buffer = 0; /* memory of others */
        sanwo_stack_receive(w->host[to].stack, &frame, 1, now);
    }
    sanwo_stack_sent(w->host[from].stack, frames, n);
}

/*
 * TIME-WAIT holds 2 MSL from the peer's FIN, however long nobody called the stack before it came
 * (MUST-13).
 */
static void test_time_wait_after_silence(void **state)
{
    struct world_plan first = {.ending = WORLD_CLOSE}, last = {.ending = WORLD_STAY};

    (void)state;
    for (int silence = 1; silence < 60; silence++) {
        struct sanwo_stack_stats stats;
        struct world_talk *talk;
        struct world_config c;
        struct world *w;
        sanwo_time now;

        check_config(&c, __func__);
        c.salt = (uint64_t)silence;
        w = world_create(&c);
        talk = world_open(w, 0, &first, &last, NULL);
        world_run(w, SANWO_MSEC(100));
        now = world_now(w) + SANWO_SEC(silence);
        assert_int_equal(sanwo_tcp_close(w->host[1].stack, talk->end[1]->handle, now), 0);
        carry(w, 1, 0, now);
        carry(w, 0, 1, now);
        for (int after = 0; after <= 59; after += 59) {
            carry(w, 0, 1, now + SANWO_SEC(after));
            world_stats(w, 0, &stats);
            if (stats.time_wait != 1)
                world_fail(w, "TIME-WAIT is over after %d s; %d s of silence before it", after,
                           silence);
        }
        assert_true(sanwo_stack_deadline(w->host[0].stack) >= now + SANWO_SEC(60));
        carry(w, 0, 1, now + SANWO_SEC(62));
        world_stats(w, 0, &stats);
        assert_int_equal(stats.time_wait, 0);
        world_destroy(w);
    }
}

/* Keep-alives: as often as configured, answered, and the end of a peer that is gone. SHLD-24ff. */
static void test_keepalive(void **state)
{
    struct world_config c;
    struct world_talk *talk;
    uint64_t frames;
    struct world *w;

    (void)state;
    check_config(&c, __func__);
    c.stack[0].tcp.keepalive = true;
    c.stack[0].tcp.keepalive_idle = SANWO_SEC(7200);
    w = world_create(&c);
    talk = open_idle(w, 0, 1000);
    world_run(w, SANWO_SEC(100));
    frames = w->host[0].frames;
    world_run(w, SANWO_SEC(72000));
    assert_true(w->host[0].frames - frames >= 9 && w->host[0].frames - frames <= 10);
    assert_true(talk->end[0]->open && talk->end[1]->open);
    sanwo_emulator_set_up(w->host[0].emulator, false);
    world_run(w, SANWO_SEC(7200 + 10 * 75));
    if (talk->end[0]->error != SANWO_ETIMEDOUT)
        world_fail(w, "the peer is gone and nobody noticed");
    assert_true(talk->end[1]->open); /* it never asked */
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence),
        cmocka_unit_test(test_cost),
        cmocka_unit_test(test_cost_after_exchange),
        cmocka_unit_test(test_time_wait_after_silence),
        cmocka_unit_test(test_keepalive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
