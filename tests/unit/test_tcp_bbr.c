/*
 * test_tcp_bbr.c - BBR's answers to single events, and to figures of any size.
 *
 * Single steps are in test_tcp_bbr_steps.c, how it does on paths in test_tcp_bbr_paths.c.
 */
#include "bbr_box.h"

static void test_what_it_asks_for(void **state)
{
    (void)state;
    assert_string_equal(ops->name, "bbr");
    assert_true(ops->owns_cwnd);
    assert_true(ops->paces);
    assert_true(ops->wants_rate);
    assert_false(ops->wants_marks);
    assert_true(ops->state_size <= TCP_CC_STATE_MAX);
}

/*
 * Before a round trip is known 1 ms is supposed; then the first one sets it right, also downwards.
 */
static void test_first_pacing_rate(void **state)
{
    (void)state;
    struct box box = box_new(10 * MSS, 0);
    uint64_t gain = box.bbr.pacing_gain;

    assert_in_range(gain, 709, 711); /* 2.77 of 256 */
    assert_int_equal(box.cc.pacing_rate, 10 * MSS * UINT64_C(1000) * gain / 256);
    box.ack = (struct tcp_cc_ack){.now = SANWO_MSEC(100), .rtt = SANWO_MSEC(100)};
    box.ack.srtt = SANWO_MSEC(100);
    ops->on_ack(&box.cc, &box.bbr, &box.ack);
    assert_int_equal(box.cc.pacing_rate, 10 * MSS * UINT64_C(10) * gain / 256);
    assert_true(box.cc.cwnd >= 10 * MSS);
}

/* What is paced stays 1 % below the bandwidth while it cruises; cwnd is twice the BDP. */
static void test_cruising(void **state)
{
    (void)state;
    struct box box = box_new(10 * MSS, 0);

    box_reach(&box, BBR_PROBE_BW_CRUISE, 20000000);
    box_round(&box, 200000, SANWO_MSEC(10));
    assert_int_equal(box.cc.pacing_rate, 20000000ull * 99 / 100);
    for (int i = 0; i < 5; i++)
        box_round(&box, 200000, SANWO_MSEC(10));
    assert_in_range(box.cc.cwnd, 400000, 400000 + sw_tcp_bbr_extra_acked(&box.bbr));
    assert_int_equal(box.cc.ssthresh, UINT32_MAX);
}

/*
 * Losses of up to 2 % and two segments leave the bounds alone; more lower them, to what came
 * through.
 */
static void test_losses_of_a_round(void **state)
{
    (void)state;
    const struct {
        uint32_t lost;
        bool lowers;
    } rows[] = {{0, false}, {MSS, false}, {3 * MSS, false}, {6 * MSS, true}, {60 * MSS, true}};

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct box box = box_new(10 * MSS, 0);
        box_reach(&box, BBR_PROBE_BW_CRUISE, 20000000);
        box_round(&box, 200000, SANWO_MSEC(10));
        box.ack.lost = rows[i].lost;
        box_round(&box, 200000 - rows[i].lost, SANWO_MSEC(10));
        assert_true(box.bbr.bw_lo == BBR_BW_NONE); /* what is judged is the round after the loss */
        box.ack.lost = rows[i].lost;
        box_round(&box, 200000 - rows[i].lost, SANWO_MSEC(10));
        assert_int_equal(box.bbr.bw_lo != BBR_BW_NONE, rows[i].lowers);
        assert_int_equal(box.bbr.inflight_lo != BBR_INFLIGHT_NONE, rows[i].lowers);
        if (rows[i].lowers)
            assert_in_range(box.bbr.bw_lo, 13900000, 20000000);
        for (int k = 0; k < 2; k++) {
            box.ack.lost = rows[i].lost;
            box_round(&box, 200000 - rows[i].lost, SANWO_MSEC(10));
        }
        if (rows[i].lowers)
            assert_in_range(box.bbr.bw, 9700000, 19999999);
        else
            assert_true(box.bbr.bw == 20000000);
        assert_true(sw_tcp_bbr_max_bw(&box.bbr) == 20000000);
    }
}

/*
 * Of itself no loss shrinks cwnd, in recovery or not (5.6.4.4): the bounds do, and what recovery ends
 * with is what it began with.
 */
static void test_cwnd_in_recovery(void **state)
{
    (void)state;
    struct box box = box_new(10 * MSS, 0);
    box_reach(&box, BBR_PROBE_BW_CRUISE, 20000000);
    for (int i = 0; i < 5; i++)
        box_round(&box, 200000, SANWO_MSEC(10));
    uint32_t before = box.cc.cwnd;

    ops->on_congestion(&box.cc, &box.bbr, TCP_CC_LOSS, before, box.ack.now);
    box.ack.rate.prior_delivered = 0; /* the round trip goes on */
    box.ack.delivered = 0;
    for (int i = 0; i < 20; i++) {
        box.ack.recovering = true;
        box.ack.lost = MSS;
        ops->on_lost(&box.cc, &box.bbr, &box.ack.rate, MSS, box.ack.now);
        ops->on_ack(&box.cc, &box.bbr, &box.ack);
        assert_true(box.cc.cwnd >= before);
    }
    uint32_t grown = box.cc.cwnd;
    box_round(&box, 100 * MSS, SANWO_MSEC(10)); /* it is over: the bounds are what is left */
    assert_int_equal(box.bbr.inflight_lo, grown * UINT64_C(7) / 10);
    assert_int_equal(box.cc.cwnd, box.bbr.inflight_lo);
    ops->on_recovered(&box.cc, &box.bbr, 0, box.ack.now);
    assert_true(box.cc.cwnd >= before);
}

static void test_timeout(void **state)
{
    (void)state;
    struct box box = box_new(10 * MSS, 0);
    box_reach(&box, BBR_PROBE_BW_CRUISE, 20000000);
    for (int i = 0; i < 5; i++)
        box_round(&box, 200000, SANWO_MSEC(10));
    uint32_t before = box.cc.cwnd;

    ops->on_timeout(&box.cc, &box.bbr, before, true, box.ack.now);
    assert_int_equal(box.cc.cwnd, MSS);
    ops->on_timeout(&box.cc, &box.bbr, before, false, box.ack.now + SANWO_SEC(1));
    assert_int_equal(box.cc.cwnd, MSS);
    assert_true(box.cc.pacing_rate > 0);
    box.ack.delivered = MSS;
    box.ack.recovering = true;
    box.ack.rate = (struct tcp_rate_sample){0};
    ops->on_ack(&box.cc, &box.bbr, &box.ack);
    assert_int_equal(box.cc.cwnd, 4 * MSS);
    ops->on_recovered(&box.cc, &box.bbr, 0, box.ack.now);
    assert_int_equal(box.cc.cwnd, before);
}

/* RFC 3168 5: a mark is answered as a loss is. */
static void test_marks(void **state)
{
    (void)state;
    struct box box = box_new(10 * MSS, 0);

    box_round(&box, 200000, SANWO_MSEC(10));
    ops->on_congestion(&box.cc, &box.bbr, TCP_CC_ECN, box.cc.cwnd, box.ack.now);
    box_round(&box, 200000, SANWO_MSEC(10));
    assert_true(box.bbr.phase != BBR_STARTUP);
    assert_int_equal(box.bbr.inflight_hi, 200000);

    box_reach(&box, BBR_PROBE_BW_CRUISE, 20000000);
    box_round(&box, 200000, SANWO_MSEC(10));
    ops->on_congestion(&box.cc, &box.bbr, TCP_CC_ECN, box.cc.cwnd, box.ack.now);
    box_round(&box, 150000, SANWO_MSEC(10));
    assert_true(box.bbr.bw_lo < 20000000 || box.bbr.inflight_lo != BBR_INFLIGHT_NONE);

    box_reach(&box, BBR_PROBE_BW_UP, 20000000);
    ops->on_congestion(&box.cc, &box.bbr, TCP_CC_ECN, 170000, box.ack.now);
    assert_int_equal(box.bbr.phase, BBR_PROBE_BW_DOWN);
    assert_int_equal(box.bbr.inflight_hi, 170000);
}

/* Sending after a pause goes at the bandwidth, also out of a phase that is slower or faster. */
static void test_restart_from_idle(void **state)
{
    (void)state;
    struct box box = box_new(10 * MSS, 0);
    box_reach(&box, BBR_PROBE_BW_UP, 20000000);
    assert_int_equal(box.cc.pacing_rate, 20000000ull * 5 / 4 * 99 / 100);
    ops->on_restart(&box.cc, &box.bbr, SANWO_SEC(20), box.ack.now + SANWO_SEC(20));
    assert_int_equal(box.cc.pacing_rate, 20000000ull * 99 / 100);
    box.ack.now += SANWO_SEC(20);
    box_round(&box, 200000, SANWO_MSEC(14));
    assert_true(box.bbr.phase != BBR_PROBE_RTT);
    assert_int_equal(box.bbr.min_rtt, SANWO_MSEC(14)); /* older ones are forgotten */
}

/* Longer round trips than once seen, for 5 s: half a pipe for 200 ms, and back. */
static void test_probe_rtt(void **state)
{
    (void)state;
    struct box box = box_new(10 * MSS, 0);
    box_reach(&box, BBR_PROBE_BW_CRUISE, 20000000);
    sanwo_time from = box.ack.now;

    while (box.bbr.phase != BBR_PROBE_RTT && box.ack.now < from + SANWO_SEC(20))
        box_round(&box, 300000, SANWO_MSEC(15));
    assert_in_range(box.ack.now - from, SANWO_SEC(5), SANWO_MSEC(5100));
    assert_int_equal(box.bbr.min_rtt, SANWO_MSEC(10)); /* of 10 s */
    uint32_t half = sw_tcp_bbr_probe_rtt_cwnd(&box.bbr, &box.cc);
    assert_in_range(half, 95000, 105000);
    assert_int_equal(box.cc.cwnd, half);
    from = box.ack.now;
    while (box.bbr.phase == BBR_PROBE_RTT && box.ack.now < from + SANWO_SEC(5))
        box_round(&box, half, SANWO_MSEC(12));
    assert_in_range(box.ack.now - from, SANWO_MSEC(200), SANWO_MSEC(260));
    assert_int_equal(box.bbr.phase, BBR_PROBE_BW_CRUISE);
    assert_true(box.cc.cwnd >= 300000);
}

/* Two flows that began at other times do not probe at the same. */
static void test_waits_differ(void **state)
{
    (void)state;
    sanwo_time waits[8];

    for (unsigned i = 0; i < 8; i++) {
        struct box box = box_new(10 * MSS, SANWO_SEC(1) + i);
        box_reach(&box, BBR_PROBE_BW_DOWN, 20000000);
        waits[i] = box.bbr.probe_wait;
        assert_in_range(waits[i], SANWO_SEC(2), SANWO_SEC(3));
        for (unsigned k = 0; k < i; k++)
            assert_true(waits[i] != waits[k]);
    }
}

/* A sample that the application held down counts only if it is more than was known. */
static void test_app_limited_samples(void **state)
{
    (void)state;
    const struct {
        bool app_limited;
        uint32_t delivered;
        uint64_t bw_max;
    } rows[] = {
        {false, 100000, 10000000}, {true, 100000, 0}, {true, 199999, 0}, {true, 300000, 30000000}};

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct box box = box_new(10 * MSS, 0);
        box_reach(&box, BBR_PROBE_BW_CRUISE, 20000000);
        sw_tcp_bbr_end_bw_cycle(&box.bbr);
        assert_true(sw_tcp_bbr_max_bw(&box.bbr) == 20000000);
        box.bbr.bw_max[1] = 0;
        box.ack.now += SANWO_MSEC(10);
        box.ack.rate.app_limited = rows[i].app_limited;
        box.ack.rate.delivered = rows[i].delivered;
        ops->on_ack(&box.cc, &box.bbr, &box.ack);
        assert_true(box.bbr.bw_max[1] == rows[i].bw_max);
    }
}

/* A round of Startup with many losses: the queue is full, though the rate seems to grow. */
static void test_startup_ends_by_losses(void **state)
{
    (void)state;
    const struct {
        unsigned events;
        bool ends;
    } rows[] = {{0, false}, {4, false}, {7, true}};

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct box box = box_new(10 * MSS, 0);
        box_round(&box, 200000, SANWO_MSEC(10));
        lose_in_startup(&box, rows[i].events);
        assert_int_equal(box.bbr.phase != BBR_STARTUP, rows[i].ends);
        assert_int_equal(box.bbr.inflight_hi != BBR_INFLIGHT_NONE, rows[i].ends);
    }
}

static void test_bytes_in(void **state)
{
    (void)state;
    const struct {
        uint64_t rate;
        sanwo_time time;
        uint64_t bytes;
    } rows[] = {
        {1000, SANWO_SEC(1), 1000},
        {1000, SANWO_MSEC(1500), 1500},
        {1000, SANWO_MSEC(1), 1},
        {1000, SANWO_MSEC(1) - 1, 0},
        {1000, 0, 0},
        {1000, -5, 0},
        {0, SANWO_SEC(9), 0},
        {BBR_BW_LIMIT, SANWO_SEC(3), 3 * BBR_BW_LIMIT},
        {1, SANWO_SEC(1), 1},
        {BBR_BW_LIMIT, SANWO_SEC(1) - 1, BBR_BW_LIMIT - 18},
        {7, SANWO_SEC(60), 420},
        {7, SANWO_SEC(600), 64 * 7},
    };

    for (size_t i = 0; i < SW_COUNT(rows); i++)
        assert_true(sw_tcp_bbr_bytes_in(rows[i].rate, rows[i].time) == rows[i].bytes);
}

/* ---- extremes ---- */

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* A figure of any size, often one of the ends. */
static uint64_t extreme(uint64_t *seed, uint64_t most)
{
    uint64_t r = next_random(seed);

    switch (r % 8) {
    case 0:
        return 0;
    case 1:
        return most;
    case 2:
        return 1;
    default:
        return next_random(seed) % (most >> (r / 8 % 40) == 0 ? 1 : most >> (r / 8 % 40));
    }
}

static void one_event(struct box *box, uint64_t *seed)
{
    struct tcp_cc_ack *ack = &box->ack;

    ack->now += (sanwo_time)extreme(seed, SANWO_SEC(100));
    switch (next_random(seed) % 16) {
    case 0:
        ops->on_congestion(&box->cc, &box->bbr, next_random(seed) % 2 ? TCP_CC_LOSS : TCP_CC_ECN,
                           (uint32_t)extreme(seed, UINT32_MAX), ack->now);
        return;
    case 1:
        ops->on_timeout(&box->cc, &box->bbr, (uint32_t)extreme(seed, UINT32_MAX),
                        next_random(seed) % 2, ack->now);
        return;
    case 2:
        ops->undo(&box->cc, &box->bbr);
        return;
    case 3:
        ops->on_recovered(&box->cc, &box->bbr, (uint32_t)extreme(seed, CWND_LIMIT), ack->now);
        return;
    case 4:
        ops->on_restart(&box->cc, &box->bbr, (sanwo_time)extreme(seed, SANWO_SEC(100)), ack->now);
        return;
    default:
        break;
    }
    ack->delivered = (uint32_t)extreme(seed, CWND_LIMIT);
    ack->acked = (uint32_t)extreme(seed, CWND_LIMIT);
    ack->lost = (uint32_t)extreme(seed, CWND_LIMIT);
    ack->in_flight = (uint32_t)extreme(seed, CWND_LIMIT);
    ack->delivered_in_all += ack->delivered;
    ack->cwnd_limited = next_random(seed) % 2;
    ack->rtt = (sanwo_time)extreme(seed, SANWO_SEC(120));
    ack->srtt = (sanwo_time)extreme(seed, SANWO_SEC(120));
    uint32_t delivered = (uint32_t)extreme(seed, UINT32_MAX);
    ack->rate = (struct tcp_rate_sample){
        .valid = next_random(seed) % 8 != 0,
        .app_limited = next_random(seed) % 8 == 0,
        .delivered = delivered,
        .interval = (sanwo_time)extreme(seed, SANWO_SEC(120)),
        .prior_delivered =
            ack->delivered_in_all > delivered ? ack->delivered_in_all - delivered : 0,
        .tx_in_flight = (uint32_t)extreme(seed, UINT32_MAX),
        .lost = (uint32_t)extreme(seed, UINT32_MAX),
    };
    if (next_random(seed) % 4 == 0)
        ops->on_lost(&box->cc, &box->bbr, &ack->rate, (uint32_t)extreme(seed, CWND_LIMIT),
                     ack->now);
    ops->on_ack(&box->cc, &box->bbr, ack);
    assert_true(box->cc.cwnd >= 4u * box->cc.mss);
}

/* Whatever the figures, cwnd and pacing rate stay within bounds. (Overflow is UBSan's to see.) */
static void test_extremes(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252u;
    const uint16_t sizes[] = {64, 536, 1448, 8948, 65495};

    for (unsigned run = 0; run < 400; run++) {
        struct box box = box_new((uint32_t)extreme(&seed, CWND_LIMIT), 0);
        box.cc.mss = sizes[run % SW_COUNT(sizes)];
        box.cc.cwnd = sw_max32(box.cc.cwnd, box.cc.mss);
        ops->init(&box.cc, &box.bbr, (sanwo_time)extreme(&seed, INT64_MAX / 2));
        box.ack.now = run % 2 ? INT64_MAX / 2 : 0;
        for (unsigned i = 0; i < 500; i++) {
            one_event(&box, &seed);
            assert_in_range(box.cc.cwnd, box.cc.mss, CWND_LIMIT);
            assert_true(box.cc.pacing_rate >= box.cc.mss);
            assert_true(box.cc.pacing_rate < UINT64_C(1) << 43);
        }
    }
}

/* A path of 100 Gbit/s x 80 ms: a BDP of 1 GB, which is CWND_LIMIT. */
static void test_hundred_gigabits(void **state)
{
    (void)state;
    struct box box = box_new(10 * MSS, 0);
    uint64_t rate = UINT64_C(12500000000);

    for (int i = 0; i < 100; i++)
        box_round(&box, (uint32_t)(rate / 1000 * 80), SANWO_MSEC(80));
    assert_int_equal(sw_tcp_bbr_max_bw(&box.bbr), rate);
    assert_int_equal(sw_tcp_bbr_bdp(&box.bbr, box.bbr.bw, BBR_GAIN_ONE), 1000000000);
    assert_int_equal(box.cc.cwnd, CWND_LIMIT);
    assert_true(sw_tcp_bbr_bytes_in(BBR_BW_LIMIT, SANWO_TIME_NEVER) < UINT64_C(1) << 41);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_it_asks_for),
        cmocka_unit_test(test_first_pacing_rate),
        cmocka_unit_test(test_cruising),
        cmocka_unit_test(test_losses_of_a_round),
        cmocka_unit_test(test_cwnd_in_recovery),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_restart_from_idle),
        cmocka_unit_test(test_probe_rtt),
        cmocka_unit_test(test_waits_differ),
        cmocka_unit_test(test_app_limited_samples),
        cmocka_unit_test(test_startup_ends_by_losses),
        cmocka_unit_test(test_bytes_in),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_hundred_gigabits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
