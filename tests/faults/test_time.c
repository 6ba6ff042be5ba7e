/*
 * test_time.c - Clocks that jump, stall, wrap and run backwards; hosts that sleep and wake.
 */
#include "gate.h"

#define DELAY SANWO_MSEC(5)
#define DAY SANWO_SEC(86400)

/* ---- backwards ------------------------------------------------------------------------------------- */

/* Every call that takes a time, with one from before. */
static void call_with_the_past(struct world *w, unsigned side, const struct world_end *end,
                               sanwo_time past)
{
    struct world_host *host = &w->host[side];
    struct sanwo_stack *s = host->stack;
    struct sanwo_tcp_connect open = {.remote = {.address = w->host[!side].address, .port = 99}};
    struct sanwo_tcp_listen listen = {.local = {.port = 98}};
    struct sanwo_handle h;
    struct sanwo_frame frames[4];
    struct sanwo_room room;
    sanwo_time now = world_now(w);
    uint8_t byte;

    sanwo_stack_receive(s, NULL, 0, now);
    sanwo_stack_receive(s, NULL, 0, past);
    assert_int_equal(sanwo_stack_now(s), now);
    sanwo_stack_sent(s, frames, sanwo_stack_transmit(s, frames, 0, past));
    assert_int_equal(sanwo_stack_now(s), now);
    assert_int_equal(sanwo_stack_link_set_up(s, host->link->number, true, past), 0);
    assert_int_equal(sanwo_stack_now(s), now);
    assert_int_equal(sanwo_tcp_connect(s, &open, past, &h), 0);
    assert_int_equal(sanwo_stack_now(s), now);
    assert_int_equal(sanwo_tcp_set_option(s, h, SANWO_TCP_USER_TIMEOUT, SANWO_SEC(5), past), 0);
    assert_int_equal(sanwo_tcp_abort(s, h, past), 0);
    assert_int_equal(sanwo_tcp_listen(s, &listen, past, &h), 0);
    assert_int_equal(sanwo_tcp_close(s, h, past), 0);
    assert_int_equal(sanwo_stack_now(s), now);
    if (end != NULL && end->open) {
        sanwo_tcp_send(s, end->handle, &byte, 0, 0, past);
        if (sanwo_tcp_reserve(s, end->handle, 1, &room) > 0)
            assert_int_equal(sanwo_tcp_commit(s, end->handle, 0, 0, past), 0);
        sanwo_tcp_receive(s, end->handle, &byte, 0, past);
        sanwo_tcp_consume(s, end->handle, 0, past);
    }
    assert_int_equal(sanwo_stack_now(s), now);
}

/*
 * E-03: calls come with times of an hour before, amid a transfer. The stack's time stays; no timer
 * moves: what was lost comes again after one RTO, TIME-WAIT ends when it should.
 */
static void test_E_03_time_never_falls(void **state)
{
    static const sanwo_time back[] = {1, SANWO_MSEC(1), SANWO_SEC(1), SANWO_SEC(3600), 40 * DAY};
    const struct world_plan both = {.send = 400000, .stall_ppm = 20000, .stall = DELAY};

    (void)state;
    for (unsigned i = 0; i < 2 * COUNT(back); i++) {
        struct world *w = faults_world(__func__, i, DELAY);
        unsigned side = i & 1;
        struct world_talk *talk;
        sanwo_time begun;

        world_jump(w, 50 * DAY);
        world_warm_up(w);
        talk = world_open(w, 0, &both, &both, NULL);
        begun = world_now(w);
        assert_non_null(talk);
        for (int k = 0; k < 200; k++) {
            world_run(w, SANWO_MSEC(1));
            if (k % 20 == 10)
                faults_mute(w, side, true, DELAY);
            else if (k % 20 == 12)
                faults_mute(w, side, false, DELAY);
            call_with_the_past(w, side, talk->end[side], world_now(w) - back[i / 2]);
        }
        world_finish(w, SANWO_SEC(60));
        world_check_all_complete(w);
        assert_true(world_now(w) - begun < SANWO_SEC(30));
        for (int k = 0; k < 65; k++) { /* TIME-WAIT is 60 s from the last FIN, whoever asks */
            world_run(w, SANWO_SEC(1));
            call_with_the_past(w, side, NULL, world_now(w) - back[i / 2]);
            call_with_the_past(w, !side, NULL, world_now(w) - back[i / 2]);
        }
        for (int s = 0; s < 2; s++)
            assert_int_equal(faults_stats(w, (unsigned)s).time_wait, 0);
        world_check_clean(w);
        world_destroy(w);
    }
}

/* ---- forward --------------------------------------------------------------------------------------- */

/* Connections that wait for each of the timers: data, probe, SYN, keep-alive, FIN-WAIT-2, TIME-WAIT. */
static void open_one_of_each(struct world *w, struct world_end *nobody)
{
    const struct world_plan none = {0}, stays = {.ending = WORLD_STAY};
    const struct world_plan much = {.send = 4000000, .ending = WORLD_STAY};
    const struct world_plan little = {.send = 1000}, closes = {.ending = WORLD_CLOSE};
    const struct world_plan sleeps = {.start = SANWO_SEC(100000000), .ending = WORLD_STAY};
    struct sanwo_tcp_connect open = {
        .remote = {.address = sanwo_address_ipv4(192, 0, 2, 77), .port = 7}, .user = nobody};
    struct sanwo_handle h;

    world_warm_up(w);
    world_open(w, 0, &little, &little, NULL); /* TIME-WAIT soon */
    world_run(w, SANWO_SEC(1));
    world_open(w, 0, &much, &sleeps, NULL);  /* a closed window */
    world_open(w, 1, &stays, &stays, NULL);  /* keep-alive */
    world_open(w, 0, &closes, &stays, NULL); /* FIN-WAIT-2 */
    world_run(w, SANWO_SEC(3));
    world_open(w, 0, &much, &much, NULL);
    world_open(w, 1, &much, &none, NULL);
    world_run(w, SANWO_MSEC(60));
    assert_int_equal(sanwo_tcp_connect(w->host[0].stack, &open, world_now(w), &h), 0);
    faults_adopt(w, 0, nobody, h);
    world_run(w, SANWO_MSEC(2));
}

/*
 * E-03: whatever the jump, each timer of a connection fires once when the clock is looked at again,
 * not once for each time it would have.
 */
static void test_E_03_each_timer_fires_once(void **state)
{
    static const sanwo_time jumps[] = {
        SANWO_SEC(1),   SANWO_SEC(10), SANWO_SEC(60), SANWO_SEC(600), SANWO_SEC(3600), DAY,
        24 * DAY + 999, 25 * DAY,      49 * DAY,      50 * DAY,       1000 * DAY,
    };

    (void)state;
    for (unsigned i = 0; i < COUNT(jumps); i++) {
        const struct sanwo_emulator_path path = {.delay = DELAY};
        struct counts counts;
        struct world_config c;
        struct world_end nobody;
        struct world *w;
        unsigned fired = 0;

        faults_config(&c, __func__);
        world_config_path(&c, &path);
        counts_watch(&c, &counts);
        c.salt = i;
        for (int side = 0; side < 2; side++) {
            c.stack[side].tcp.keepalive = true;
            c.stack[side].tcp.keepalive_idle = SANWO_SEC(9);
            c.stack[side].tcp.keepalive_interval = SANWO_SEC(1);
        }
        w = world_create(&c);
        w->rough = true;
        open_one_of_each(w, &nobody);
        counts_clear(&counts);
        world_jump(w, jumps[i]);
        world_run(w, 0);
        for (unsigned side = 0; side < 2; side++)
            for (unsigned reason = 0; reason < SANWO_REASON_COUNT; reason++)
                fired += counts.timers[side][reason];
        assert_true(fired >= 2);
        if (counts.most_of_one > 1)
            world_fail(w, "a timer fired %u times at one instant", counts.most_of_one);
        if (counts.sent[0] + counts.sent[1] > 2000)
            world_fail(w, "%u segments at once", counts.sent[0] + counts.sent[1]);
        world_run(w, SANWO_SEC(1000));
        world_destroy(w);
    }
}

/* E-03: the clock stands still for long while packets come and go. */
static void test_E_03_clock_stands_still(void **state)
{
    const struct world_plan both = {.send = 2000000};
    struct world_config c;
    struct world *w;

    (void)state;
    faults_config(&c, __func__);
    c.direct = true; /* no delay at all: all happens at one instant */
    w = world_create(&c);
    world_open(w, 0, &both, &both, NULL);
    world_open(w, 1, &both, &both, NULL);
    world_run(w, 0);
    for (const struct world_talk *talk = w->talks; talk != NULL; talk = talk->next)
        for (int i = 0; i < 2; i++)
            assert_true(talk->end[i]->received > 1000000);
    world_finish(w, SANWO_SEC(1));
    world_check_all_complete(w);
    world_destroy(w);
}

/*
 * E-03: transfers across the places where a clock of 32 bits in milliseconds or microseconds, or one
 * of 31, is zero again; and where nanoseconds leave 62 bits.
 */
static void test_E_03_clocks_of_32_bits_wrap(void **state)
{
    static const sanwo_time at[] = {
        SANWO_MSEC(INT64_C(1) << 31),
        SANWO_MSEC(INT64_C(1) << 32),
        SANWO_MSEC(INT64_C(3) << 31),
        SANWO_USEC(INT64_C(1) << 31),
        SANWO_USEC(INT64_C(1) << 32),
        SANWO_SEC(INT64_C(1) << 31),
        INT64_C(1) << 31,
        INT64_C(1) << 32,
        INT64_C(1) << 62,
        SANWO_MSEC(INT64_C(1) << 33),
    };

    (void)state;
    for (unsigned i = 0; i < 2 * COUNT(at); i++) {
        const struct sanwo_emulator_path path = {.delay = DELAY, .loss_ppm = 5000};
        const struct world_plan both = {
            .send = 2000000, .stall_ppm = 100000, .stall = SANWO_MSEC(20)};
        struct world *w = faults_world(__func__, i, DELAY);
        struct world_talk *idle;
        struct world_plan stays = {.send = 100, .ending = WORLD_STAY}, again = {.send = 50000};

        faults_set_path(w, &path);
        world_jump(w, at[i / 2] - SANWO_MSEC(i & 1 ? 200 : 1500));
        idle = world_open(w, 0, &stays, &stays, NULL);
        world_open(w, 0, &both, &both, NULL);
        world_open(w, 1, &both, &both, NULL);
        world_run(w, SANWO_MSEC(3000));
        if (world_now(w) < at[i / 2])
            world_fail(w, "the wrap was not reached");
        world_change_plan(idle->end[0], &again);
        world_change_plan(idle->end[1], &again);
        faults_finish_complete(w, SANWO_SEC(60));
    }
}

/* ---- E-04: asleep ------------------------------------------------------------------------------------ */

/* Slow start lets out two for each that is acknowledged; after a time-out it is one segment. */
static void check_burst(struct world *w, const struct sanwo_tcp_info *before,
                        const struct sanwo_tcp_info *after, uint64_t sent, bool all_lost)
{
    uint64_t acked = after->bytes_acked - before->bytes_acked;
    uint64_t most = before->cwnd - before->in_flight + 2 * acked + before->send_mss;

    if (before->in_flight > before->cwnd) /* the probe of a lost one may be above it */
        most = 2 * acked + before->send_mss;
    if (all_lost && before->in_flight > 0) /* a tail loss probe, besides what was only paced */
        most = before->cwnd -
               (before->in_flight < before->cwnd ? before->in_flight : before->cwnd) +
               before->send_mss;
    if (sent > most)
        world_fail(w, "%llu bytes at once, %llu acknowledged, cwnd was %u",
                   (unsigned long long)sent, (unsigned long long)acked, before->cwnd);
}

/*
 * E-04: nobody turned the loop for ten minutes (SIGSTOP, a suspended machine). What waited is
 * received first; then the timer has fired once, and not more than cwnd goes out.
 */
static void test_E_04_frozen_for_ten_minutes(void **state)
{
    static const int seconds[] = {1, 10, 600, 36000};
    unsigned rounds = long_run() ? 50 : 5;

    (void)state;
    for (unsigned i = 0; i < COUNT(seconds) * rounds; i++) {
        const struct sanwo_emulator_path path = {.delay = DELAY};
        const struct world_plan sends = {.send = 6000000}, none = {0};
        struct sanwo_tcp_info before, after;
        struct world_talk *talk;
        struct counts counts;
        struct world_config c;
        struct world *w;

        faults_config(&c, __func__);
        world_config_path(&c, &path);
        counts_watch(&c, &counts);
        c.salt = i;
        w = world_create(&c);
        talk = world_open(w, 0, &sends, &none, NULL);
        faults_run_until_received(w, 300000 + 20000 * (i % 20));
        before = faults_info(talk->end[0]);
        if (i & 1) { /* what was under way is gone as well */
            faults_set_wire(w, false);
            faults_set_wire(w, true);
        }
        counts_clear(&counts);
        world_jump(w, SANWO_SEC(seconds[i % COUNT(seconds)]));
        world_run(w, 0);
        after = faults_info(talk->end[0]);
        assert_true(counts.timers[0][SANWO_REASON_RETRANSMIT_TIMEOUT] <= 1);
        check_burst(w, &before, &after, counts.sent_bytes[0], i & 1);
        world_finish(w, SANWO_SEC(60));
        assert_true(counts.timers[0][SANWO_REASON_RETRANSMIT_TIMEOUT] <= 3);
        faults_finish_complete(w, SANWO_SEC(1));
    }
}

/*
 * E-04: one host only is asleep; the other goes on, gives up nothing, and is not flooded when the
 * sleeper wakes and takes all that waited for it at one instant.
 */
static void test_E_04_the_peer_sleeps(void **state)
{
    static const int seconds[] = {1, 5, 30, 120, 600};

    (void)state;
    for (unsigned i = 0; i < 2 * COUNT(seconds); i++) {
        const struct sanwo_emulator_path path = {.delay = DELAY};
        const struct world_plan both = {.send = 3000000};
        unsigned sleeper = i & 1;
        struct counts counts;
        struct world_config c;
        struct gate *gate;
        struct world *w;

        faults_config(&c, __func__);
        world_config_path(&c, &path);
        counts_watch(&c, &counts);
        c.salt = i;
        w = world_create(&c);
        gate = gate_put(w, sleeper);
        world_open(w, 0, &both, &both, NULL);
        faults_run_until_received(w, 300000);
        gate->deaf = true;
        gate->shut_until = world_now(w) + SANWO_SEC(seconds[i / 2]);
        world_run(w, SANWO_SEC(seconds[i / 2]));
        gate->deaf = false;
        counts_clear(&counts);
        world_run(w, DELAY / 2);
        if (counts.sent[sleeper] > 700)
            world_fail(w, "%u segments at once", counts.sent[sleeper]);
        faults_finish_complete(w, SANWO_SEC(300));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_E_03_time_never_falls),
        cmocka_unit_test(test_E_03_each_timer_fires_once),
        cmocka_unit_test(test_E_03_clock_stands_still),
        cmocka_unit_test(test_E_03_clocks_of_32_bits_wrap),
        cmocka_unit_test(test_E_04_frozen_for_ten_minutes),
        cmocka_unit_test(test_E_04_the_peer_sleeps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
