/*
 * test_tcp_bbr_steps.c - Single steps of BBR, by the section of draft-ietf-ccwg-bbr-06 that asks for
 * them; A.n are its example tests.
 */
#include "bbr_box.h"

/* 5.5.10.2, InflightAtLoss(): where in the lost bytes the limit was crossed. */
static void test_inflight_at_loss(void **state)
{
    (void)state;
    const struct tcp_cc cc = {.mss = MSS};
    const struct {
        uint32_t in_flight, lost, length, at;
    } rows[] = {
        {1000000, 30000, 30000, 970000 + 22751}, /* (0.02 x 970000 + 2 segments) / 0.98 more */
        {1000000, 60000, 30000, 970000},         /* it had been too much before */
        {1000000, 23000, 1000, 999000 + 894},
        {1000000, 22700, 1000, 1000000}, /* all of it fitted in */
        {30000, 40000, 40000, 1913},     /* more than ever was */
    };

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_rate_sample lost = {.tx_in_flight = rows[i].in_flight, .lost = rows[i].lost};
        uint32_t at = sw_tcp_bbr_inflight_at_loss(&cc, &lost, rows[i].length);
        assert_in_range(at, rows[i].at - 3, rows[i].at + 3);
    }
}

/*
 * What counts is what was in flight when the lost left, not what tells of it; and once a probe. An
 * application that held back says nothing of the bound, but the probe is over (A.6).
 */
static void test_lost_in_a_probe(void **state)
{
    (void)state;
    for (int app_limited = 0; app_limited < 2; app_limited++) {
        struct box box = box_new(10 * MSS, 0);
        box_reach(&box, BBR_PROBE_BW_UP, 20000000);
        struct tcp_rate_sample lost = {.valid = true,
                                       .app_limited = app_limited,
                                       .tx_in_flight = 260000,
                                       .lost = 40000,
                                       .delivered = 200000,
                                       .prior_delivered = box.ack.delivered_in_all - 200000};
        ops->on_lost(&box.cc, &box.bbr, &lost, MSS, box.ack.now);
        assert_int_equal(box.bbr.phase, BBR_PROBE_BW_DOWN);
        assert_int_equal(box.bbr.inflight_hi, app_limited ? BBR_INFLIGHT_NONE : 260000 - MSS);
        lost.tx_in_flight = 150000;
        ops->on_lost(&box.cc, &box.bbr, &lost, MSS, box.ack.now);
        assert_int_equal(box.bbr.inflight_hi, app_limited ? BBR_INFLIGHT_NONE : 260000 - MSS);
    }
}

/* 5.3.3.6: after a probe that lost much the next ends at the bound; if that was borne, one more. */
static void test_precautionary_probe(void **state)
{
    (void)state;
    for (int bears = 0; bears < 2; bears++) {
        struct box box = box_new(10 * MSS, 0);
        box_reach(&box, BBR_PROBE_BW_UP, 20000000);
        box.ack.lost = 20 * MSS;
        box_round(&box, 200000, SANWO_MSEC(10));
        assert_int_equal(box.bbr.phase, BBR_PROBE_BW_DOWN);
        assert_true(box.bbr.prev_probe_too_high);
        uint32_t bound = box.bbr.inflight_hi;
        assert_in_range(bound, 150000, 200000);

        box_reach(&box, BBR_PROBE_BW_UP, 16000000);
        for (int i = 0; i < 2; i++) /* not there yet */
            box_round(&box, (bound - 3 * MSS) / 2, SANWO_MSEC(10));
        assert_int_equal(box.bbr.phase, BBR_PROBE_BW_UP);
        bound = box.bbr.inflight_hi;
        box.bbr.probe_up_per_segment = CWND_LIMIT; /* with one ACK a round it would be passed by */
        box_round(&box, bound / 2, SANWO_MSEC(10));
        assert_int_equal(box.bbr.phase, BBR_PROBE_BW_DOWN);
        assert_false(box.bbr.prev_probe_too_high);
        box.ack.lost = bears ? 0 : 20 * MSS; /* the answer to it */
        box_round(&box, bound / 2, SANWO_MSEC(10));
        assert_int_equal(box.bbr.phase == BBR_PROBE_BW_REFILL, bears);
        box_round(&box, bound / 2, SANWO_MSEC(10));
        if (!bears)
            continue;
        assert_int_equal(box.bbr.phase, BBR_PROBE_BW_UP);
        box_round(&box, bound / 2, SANWO_MSEC(10));
        assert_int_equal(box.bbr.phase, BBR_PROBE_BW_UP); /* and stays at the bound now */
    }
}

/* 5.3.3.9: the bound rises by 1, 2, 4 ... segments a round that fills it. */
static void test_bound_rises(void **state)
{
    (void)state;
    struct box box = box_new(10 * MSS, 0);
    box_reach(&box, BBR_PROBE_BW_UP, 100 * 100 * MSS);
    box.bbr.inflight_hi = box.cc.cwnd = 100 * MSS;
    box.bbr.probe_up_per_segment = box.cc.cwnd;
    uint32_t segments[6];

    for (unsigned i = 0; i < SW_COUNT(segments); i++) {
        uint32_t before = box.bbr.inflight_hi;
        box.bbr.full_bw_rounds = 0; /* with one ACK a round it would give up */
        box_round(&box, before, SANWO_MSEC(10));
        assert_int_equal(box.bbr.phase, BBR_PROBE_BW_UP);
        segments[i] = (box.bbr.inflight_hi - before) / MSS;
        assert_int_equal((box.bbr.inflight_hi - before) % MSS, 0);
    }
    for (unsigned i = 0; i < SW_COUNT(segments); i++)
        assert_in_range(segments[i], 1u << i, (1u << i) + i);
}

/* 5.3.3.9, IsTimeToCruise(): by the long-term bandwidth, whatever losses of late suggest. */
static void test_time_to_cruise(void **state)
{
    (void)state;
    const struct {
        uint32_t in_flight;
        bool cruises;
    } rows[] = {{199000, true}, {201000, false}};

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct box box = box_new(10 * MSS, 0);
        box_reach(&box, BBR_PROBE_BW_DOWN, 20000000);
        box.bbr.phase = BBR_PROBE_BW_DOWN;
        box.bbr.bw = box.bbr.bw_lo = 10000000;
        box.ack.in_flight = rows[i].in_flight;
        sw_tcp_bbr_next_phase(&box.bbr, &box.cc, &box.ack);
        assert_int_equal(box.bbr.phase == BBR_PROBE_BW_CRUISE, rows[i].cruises);
    }
}

/* 5.3.2, A.4: Drain ends after three round trips though more is in flight than the BDP. */
static void test_drain_ends(void **state)
{
    (void)state;
    struct box box = box_new(10 * MSS, 0);
    unsigned rounds = 0;

    while (box.bbr.phase == BBR_STARTUP)
        box_round(&box, 200000, SANWO_MSEC(10));
    box.bbr.bw_lo = 10000000; /* so that twice the BDP is in flight */
    box.bbr.bw = 10000000;
    if (box.bbr.phase != BBR_DRAIN) { /* the first look found it drained: go back */
        box.bbr.phase = BBR_DRAIN;
        box.bbr.drain_round = box.bbr.round_count;
    }
    while (box.bbr.phase == BBR_DRAIN && rounds < 100) {
        box_round(&box, 200000, SANWO_MSEC(10));
        rounds++;
    }
    assert_int_equal(rounds, 4);
    assert_true(sw_tcp_bbr_in_probe_bw(&box.bbr));
}

/* 5.3.1.2: growth is looked at once a round; what lies between does not set the clock back. */
static void test_plateau_by_rounds(void **state)
{
    (void)state;
    struct box box = box_new(10 * MSS, 0);
    unsigned rounds = 0;

    while (box.bbr.phase == BBR_STARTUP && rounds < 20) {
        box_round(&box, 200000, SANWO_MSEC(10));
        rounds++;
        box.ack.rate.prior_delivered = 0; /* of the round before */
        box.ack.rate.delivered = 280000;
        ops->on_ack(&box.cc, &box.bbr, &box.ack);
    }
    assert_int_equal(rounds, 4);
}

/* 5.3.4.3: samples of what left in ProbeRTT say nothing of the bandwidth, nor end they a cycle. */
static void test_samples_of_probe_rtt(void **state)
{
    (void)state;
    struct box box = box_new(10 * MSS, 0);
    box_reach(&box, BBR_PROBE_BW_CRUISE, 20000000);
    box.bbr.bw_max[0] = 20000000;
    box.bbr.bw_max[1] = 0; /* the cycle is young */
    box.ack.now += SANWO_SEC(6);
    for (int i = 0; i < 100 && box.bbr.phase != BBR_PROBE_RTT; i++)
        box_round(&box, 200000, SANWO_MSEC(11));
    assert_int_equal(box.bbr.phase, BBR_PROBE_RTT);
    box.bbr.bw_max[1] = 0;
    while (box.bbr.phase == BBR_PROBE_RTT)
        box_round(&box, 50000, SANWO_MSEC(11));
    box_round(&box, 50000, SANWO_MSEC(11)); /* a round trip after its end */
    assert_int_equal(box.bbr.ack_phase, BBR_ACKS_OTHER);
    assert_true(box.bbr.bw_max[1] == 0);
    assert_true(sw_tcp_bbr_max_bw(&box.bbr) == 20000000);
    box_round(&box, 200000, SANWO_MSEC(11));
    box_round(&box, 200000, SANWO_MSEC(11));
    assert_true(box.bbr.bw_max[1] > 0);
}

/* Round trips are counted also where the connection had delivered much before BBR took over. */
static void test_rounds_by_the_estimator(void **state)
{
    (void)state;
    struct box box = box_new(10 * MSS, 0);

    for (int i = 0; i < 20; i++) {
        box_round(&box, 200000, SANWO_MSEC(10));
        box.ack.rate.prior_delivered = box.ack.delivered_in_all;
        box.ack.rate.delivered = 1000;
        uint64_t real = box.ack.delivered_in_all;
        box.ack.delivered_in_all += UINT64_C(1) << 40;
        ops->on_ack(&box.cc, &box.bbr, &box.ack);
        box.ack.delivered_in_all = real + 1000;
    }
    assert_true(box.bbr.phase != BBR_STARTUP);
}

/* 5.5.9: what came in bunches is remembered for ten round trips, however long the bunch. */
static void test_window_of_aggregation(void **state)
{
    (void)state;
    struct box box = box_new(10 * MSS, 0);
    box_reach(&box, BBR_PROBE_BW_CRUISE, 20000000);
    for (int i = 0; i < 20; i++)
        box_round(&box, 200000, SANWO_MSEC(10));
    box.cc.cwnd = 4000000;
    box.ack.delivered = 3000000; /* 150 ms worth of it */
    sw_tcp_bbr_measure(&box.bbr, &box.cc, &box.ack);
    assert_in_range(sw_tcp_bbr_extra_acked(&box.bbr), 2900000, 3200000);
    for (unsigned i = 1; i <= 12; i++) {
        box.bbr.extra_delivered = 0; /* a lull */
        box_round(&box, 200000, SANWO_MSEC(10));
        assert_int_equal(sw_tcp_bbr_extra_acked(&box.bbr) >= 2900000, i < 10);
    }
}

/* 5.5.11.2. A loss that was none: bounds and cwnd come back, and the phase that it ended. */
static void test_undo(void **state)
{
    (void)state;
    struct box box = box_new(10 * MSS, 0);
    box_reach(&box, BBR_PROBE_BW_UP, 20000000);
    uint32_t before = box.cc.cwnd;

    ops->on_congestion(&box.cc, &box.bbr, TCP_CC_LOSS, before, box.ack.now);
    box.ack.lost = 40 * MSS;
    box_round(&box, 200000, SANWO_MSEC(10));
    assert_int_equal(box.bbr.phase, BBR_PROBE_BW_DOWN);
    assert_true(box.bbr.inflight_hi != BBR_INFLIGHT_NONE);
    ops->undo(&box.cc, &box.bbr);
    assert_int_equal(box.bbr.phase, BBR_PROBE_BW_REFILL); /* by which a probe begins */
    assert_int_equal(box.bbr.inflight_hi, BBR_INFLIGHT_NONE);
    assert_true(box.bbr.bw_lo == BBR_BW_NONE);
    assert_true(box.cc.cwnd >= before);
    assert_int_equal(box.bbr.full_bw, 0); /* ResetFullBW() */
    assert_false(box.bbr.loss_in_round);

    ops->on_timeout(&box.cc, &box.bbr, before, true, box.ack.now);
    ops->undo(&box.cc, &box.bbr);
    assert_true(box.cc.cwnd >= before);

    /* In Startup as well, which would be over for good otherwise; ProbeRTT is let end first. */
    for (int probes_rtt = 0; probes_rtt < 2; probes_rtt++) {
        box = box_new(10 * MSS, 0);
        box_round(&box, 200000, SANWO_MSEC(10));
        lose_in_startup(&box, 7);
        assert_true(box.bbr.phase != BBR_STARTUP);
        if (probes_rtt)
            box.bbr.phase = BBR_PROBE_RTT;
        ops->undo(&box.cc, &box.bbr);
        assert_int_equal(box.bbr.phase, probes_rtt ? BBR_PROBE_RTT : BBR_STARTUP);
        assert_false(box.bbr.full_bw_reached);
    }
}

/* What ended for another reason than the losses stays ended when they are taken back. */
static void test_undo_of_what_losses_did_not_end(void **state)
{
    (void)state;
    const enum bbr_phase phases[] = {BBR_STARTUP, BBR_PROBE_BW_UP};

    for (size_t i = 0; i < SW_COUNT(phases); i++) {
        struct box box = box_new(10 * MSS, 0);
        box_round(&box, 200000, SANWO_MSEC(10));
        box_reach(&box, phases[i], 20000000);
        ops->on_congestion(&box.cc, &box.bbr, TCP_CC_LOSS, box.cc.cwnd, box.ack.now);
        box.ack.lost = MSS; /* chance */
        for (int k = 0; k < 10 && box.bbr.phase == phases[i]; k++)
            box_round(&box, 200000, SANWO_MSEC(10)); /* it is the plateau that ends it */
        uint8_t phase = box.bbr.phase;
        assert_true(phase != phases[i]);
        ops->undo(&box.cc, &box.bbr);
        assert_int_equal(box.bbr.phase, phase);
        assert_true(box.bbr.full_bw_reached);
    }
}

/* What a mark did stays, whatever becomes of the losses. */
static void test_undo_leaves_marks(void **state)
{
    (void)state;
    struct box box = box_new(10 * MSS, 0);
    box_reach(&box, BBR_PROBE_BW_UP, 20000000);
    ops->on_congestion(&box.cc, &box.bbr, TCP_CC_LOSS, box.cc.cwnd, box.ack.now);
    ops->on_congestion(&box.cc, &box.bbr, TCP_CC_ECN, 170000, box.ack.now);
    ops->undo(&box.cc, &box.bbr);
    assert_int_equal(box.bbr.phase, BBR_PROBE_BW_DOWN);
    assert_int_equal(box.bbr.inflight_hi, 170000);
    ops->on_congestion(&box.cc, &box.bbr, TCP_CC_LOSS, box.cc.cwnd, box.ack.now);
    ops->on_congestion(&box.cc, &box.bbr, TCP_CC_ECN, 170000, box.ack.now);
    ops->undo(&box.cc, &box.bbr);
    box_round(&box, 160000, SANWO_MSEC(10));
    assert_true(box.bbr.bw_lo != BBR_BW_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inflight_at_loss),
        cmocka_unit_test(test_lost_in_a_probe),
        cmocka_unit_test(test_precautionary_probe),
        cmocka_unit_test(test_bound_rises),
        cmocka_unit_test(test_time_to_cruise),
        cmocka_unit_test(test_drain_ends),
        cmocka_unit_test(test_plateau_by_rounds),
        cmocka_unit_test(test_samples_of_probe_rtt),
        cmocka_unit_test(test_rounds_by_the_estimator),
        cmocka_unit_test(test_window_of_aggregation),
        cmocka_unit_test(test_undo),
        cmocka_unit_test(test_undo_leaves_marks),
        cmocka_unit_test(test_undo_of_what_losses_did_not_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
