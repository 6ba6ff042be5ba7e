/*
 * test_tcp_cubic.c - CUBIC (RFC 9438) against the same formulas in floating point.
 */
#include "cc_model.h"

#include "tcp/congestion/cubic_curve.h"

#define MSS 1460
#define MS SANWO_MSEC(1)

static struct box cubic(uint32_t cwnd, uint32_t ssthresh)
{
    struct box b = box_of(&sw_tcp_cc_cubic, MSS, cwnd);
    b.cc.ssthresh = ssthresh;
    return b;
}

static void check_near(double value, double expected, double relative, double absolute)
{
    if (fabs(value - expected) > fabs(expected) * relative + absolute)
        fail_msg("%.6f, not %.6f", value, expected);
}

/* ---- the curve ------------------------------------------------------------------------------- */

static void test_root(void **state)
{
    (void)state;
    for (uint64_t r = 1; r <= 2642245; r += r < 2000 ? 1 : 997) {
        assert_int_equal(sw_tcp_cubic_root(r * r * r), r);
        assert_int_equal(sw_tcp_cubic_root(r * r * r - 1), r - 1);
    }
    assert_int_equal(sw_tcp_cubic_root(0), 0);
    assert_int_equal(sw_tcp_cubic_root(UINT64_C(2642245) * 2642245 * 2642245), 2642245);
    assert_int_equal(sw_tcp_cubic_root(UINT64_MAX), 2642245);
}

/* K within a thousandth, from the smallest segment to the largest. RFC 9438 figure 2. */
static void test_period(void **state)
{
    (void)state;
    const uint16_t sizes[] = {8, 64, 536, 1460, 8960, 65495};
    for (size_t i = 0; i < SW_COUNT(sizes); i++)
        for (double rise = 0; rise <= CWND_LIMIT; rise = rise * 1.37 + 1) {
            double k = cbrt(floor(rise) / (0.4 * sizes[i]));
            check_near(sw_tcp_cubic_period((uint32_t)rise, sizes[i]) / 65536.0, k, 0.001,
                       1.0 / 65536);
        }
    assert_int_equal(sw_tcp_cubic_period(UINT32_MAX, 8), sw_tcp_cubic_period(CWND_LIMIT, 8));
    assert_true(sw_tcp_cubic_period(UINT32_MAX, 0) > 0);
}

static double curve(double t, double k, double w_max, double mss)
{
    double w = w_max + 0.4 * mss * (t - k) * (t - k) * (t - k);
    return w < 0 ? 0 : w > CWND_LIMIT ? CWND_LIMIT : w;
}

/* RFC 9438 figure 1. */
static void test_window(void **state)
{
    (void)state;
    const uint16_t sizes[] = {8, 536, 1460, 8960, 65495};
    const uint32_t maxima[] = {0, 14600, 1000000, 100000000, CWND_LIMIT};
    for (size_t i = 0; i < SW_COUNT(sizes); i++)
        for (size_t j = 0; j < SW_COUNT(maxima); j++)
            for (uint32_t k = 0; k < UINT32_C(690) << 16; k = k * 2 + 12345)
                for (sanwo_time t = 0; t < SANWO_SEC(3000); t = t * 7 / 5 + 1234567) {
                    double seconds = k / 65536.0, distance = (double)t / 1e9 - seconds;
                    double slope = 1.2 * distance * distance * sizes[i]; /* bytes a second */
                    check_near(sw_tcp_cubic_window(t, k, maxima[j], sizes[i]),
                               curve((double)t / 1e9, seconds, maxima[j], sizes[i]), 1e-6,
                               slope / 32768 + sizes[i] / 16.0 + 2);
                }
}

static void test_curve_extremes(void **state)
{
    (void)state;
    assert_int_equal(sw_tcp_cubic_window(INT64_MAX, 0, 1, 8), CWND_LIMIT);
    assert_int_equal(sw_tcp_cubic_window(INT64_MAX, 690 << 16, 1, 8), CWND_LIMIT);
    assert_int_equal(sw_tcp_cubic_window(INT64_MAX, 0, UINT32_MAX, 65535), CWND_LIMIT);
    assert_int_equal(sw_tcp_cubic_window(-1, 65536, 5000000, 1000), 5000000 - 400);
    assert_int_equal(sw_tcp_cubic_window(INT64_MIN, 0, 7000, 1460), 7000);
    assert_int_equal(sw_tcp_cubic_window(0, UINT32_MAX, CWND_LIMIT, 65535), 0);
}

/* The curve leaves from where the reduction left cwnd: W_cubic(0) = 0.7 * W_max. */
static void test_curve_begins_at_the_reduced_window(void **state)
{
    (void)state;
    for (double w = 20000; w < CWND_LIMIT; w *= 1.5) {
        uint32_t k = sw_tcp_cubic_period((uint32_t)(w * 0.3), MSS);
        check_near(sw_tcp_cubic_window(0, k, (uint32_t)w, MSS), w * 0.7, 0.001, 20);
    }
}

/* ---- reductions ------------------------------------------------------------------------------ */

static void test_reduction(void **state)
{
    (void)state;
    const struct {
        enum tcp_cc_sign sign;
        uint32_t cwnd, ssthresh_before, cwnd_after, ssthresh_after;
    } rows[] = {
        {TCP_CC_LOSS, 100000, 50000, 70000, 70000},
        {TCP_CC_LOSS, 100000, UINT32_MAX, 70000, 70000},
        {TCP_CC_ECN, 100000, 50000, 85000, 85000},      /* RFC 8511 */
        {TCP_CC_ECN, 100000, UINT32_MAX, 70000, 70000}, /* not in slow start */
        {TCP_CC_LOSS, 4000, 2920, 2920, 2920},          /* two segments at least */
        {TCP_CC_LOSS, 1460, 2920, 2920, 2920},
        {TCP_CC_ECN, 3000, 2920, 2550, 2920}, /* 4.6: cwnd may be one segment */
        {TCP_CC_ECN, 1460, 2920, 1460, 2920},
        {TCP_CC_LOSS, CWND_LIMIT, CWND_LIMIT, 751619276, 751619276},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct box b = cubic(rows[i].cwnd, rows[i].ssthresh_before);
        box_congestion(&b, rows[i].sign, SANWO_SEC(1));
        assert_int_equal(b.cc.cwnd, rows[i].cwnd_after);
        assert_int_equal(b.cc.ssthresh, rows[i].ssthresh_after);
    }
}

/* Where cwnd was not used up, what was outstanding is what the path bore. */
static void test_reduction_of_an_unused_window(void **state)
{
    (void)state;
    struct box b = cubic(100000, 50000);
    b.ops->on_congestion(&b.cc, b.state, TCP_CC_LOSS, 40000, SANWO_SEC(1));
    assert_int_equal(b.cc.cwnd, 28000);
    b = cubic(100000, 50000);
    box_ack(&b, MSS, 100 * MS, SANWO_SEC(1)); /* used up, as this ACK says */
    uint32_t cwnd = b.cc.cwnd;
    b.ops->on_congestion(&b.cc, b.state, TCP_CC_LOSS, 40000, SANWO_SEC(1));
    assert_int_equal(b.cc.cwnd, cwnd / 10 * 7 + cwnd % 10 * 7 / 10);
    b.ops->on_recovered(&b.cc, b.state, b.cc.cwnd, SANWO_SEC(1));
    b.ops->on_restart(&b.cc, b.state, SANWO_SEC(9), SANWO_SEC(10)); /* that was long ago */
    b.ops->on_congestion(&b.cc, b.state, TCP_CC_LOSS, 10000, SANWO_SEC(10));
    assert_int_equal(b.cc.cwnd, 7000);
}

/* Acknowledges windows of @srtt for @length, ACKs of two segments; returns the time then. */
static sanwo_time drive(struct box *b, sanwo_time now, sanwo_time length, sanwo_time srtt)
{
    for (sanwo_time end = now + length; now < end;) {
        uint32_t acks = b->cc.cwnd / (2 * MSS) + 1;
        for (uint32_t i = 0; i < acks; i++)
            box_ack(b, 2 * MSS, srtt, now + srtt * i / acks);
        now += srtt;
    }
    return now;
}

/* 4.7: lost below the last maximum, the plateau is 0.85 of where it was lost; above, there. */
static void test_fast_convergence(void **state)
{
    (void)state;
    for (int less = 0; less < 2; less++) {
        struct box b = cubic(2000000, 1000000);
        box_congestion(&b, TCP_CC_LOSS, SANWO_SEC(1));
        b.ops->on_recovered(&b.cc, b.state, b.cc.cwnd, SANWO_SEC(1));
        b.cc.cwnd = less ? 1900000 : 2100000;
        box_congestion(&b, TCP_CC_LOSS, SANWO_SEC(2));
        double from = less ? 1330000 : 1470000, w_max = less ? 1900000 * 0.85 : 2100000;
        double k = cbrt((w_max - from) / (0.4 * MSS));
        assert_int_equal(b.cc.cwnd, (uint32_t)from);
        drive(&b, SANWO_SEC(3), SANWO_SEC(3), 100 * MS);
        check_near(b.cc.cwnd, curve(3.0, k, w_max, MSS), 0.01, 0);
    }
}

/* ---- growth ---------------------------------------------------------------------------------- */

/* After a loss cwnd follows the curve: concave, flat, convex. 4.4, 4.5. */
static void test_growth_follows_the_curve(void **state)
{
    (void)state;
    struct box b = cubic(3000000, 1000000);
    box_congestion(&b, TCP_CC_LOSS, SANWO_SEC(1));
    double k = cbrt(900000 / (0.4 * MSS));
    sanwo_time now = SANWO_SEC(2);
    for (double t = 0.5; t < 20; t += 0.5) {
        now = drive(&b, now, 500 * MS, 100 * MS);
        check_near(b.cc.cwnd, curve(t, k, 3000000, MSS), 0.01, 0);
    }
}

/* However ACKs cut a window, growth is the same but for what large ones get at once (B-20). */
static void test_growth_follows_bytes(void **state)
{
    (void)state;
    const uint32_t pieces[] = {10, 146, 1460, 2920, 14600};
    uint32_t first = 0;
    for (size_t i = 0; i < SW_COUNT(pieces); i++) {
        struct box b = cubic(292000 / 7 * 10, 100000);
        box_congestion(&b, TCP_CC_LOSS, 0);
        b.cc.cwnd = b.cc.ssthresh = 292000;
        box_ack(&b, 0, 100 * MS, SANWO_SEC(1)); /* the epoch begins */
        for (uint32_t sum = 0; sum < 292000; sum += pieces[i])
            box_ack(&b, pieces[i], 100 * MS, SANWO_SEC(1) + 100 * MS);
        first = first ? first : b.cc.cwnd - 292000;
        assert_true(first > 5000);
        check_near(b.cc.cwnd - 292000, first, 0.03, 0);
    }
}

/* 4.2: by half a round trip at most, however late the ACK comes. */
static void test_growth_is_limited(void **state)
{
    (void)state;
    struct box b = cubic(100000, 50000);
    box_ack(&b, 0, 100 * MS, SANWO_SEC(1));
    box_ack(&b, 100000, 100 * MS, SANWO_SEC(3600));
    assert_int_equal(b.cc.cwnd, 150000);
    box_ack(&b, 15000, 100 * MS, SANWO_SEC(3600)); /* a tenth of the window */
    assert_int_equal(b.cc.cwnd, 157500);
    b = cubic(100000, 50000);
    box_ack(&b, 0, 100 * MS, SANWO_SEC(1));
    box_ack(&b, 900000, 100 * MS, SANWO_SEC(3600)); /* nor by how much it acknowledges */
    assert_int_equal(b.cc.cwnd, 150000);
}

/* Slow start that ended without a loss: the curve would stay flat; a twentieth a round trip at least. */
static void test_growth_without_a_loss(void **state)
{
    (void)state;
    struct box b = cubic(1000000, 1000000);
    drive(&b, SANWO_SEC(1), SANWO_SEC(2), 100 * MS);
    check_near(b.cc.cwnd, 1000000 * pow(1.05, 20), 0.06, 0);
}

/* A path of 100 segments, told by a train of ACKs: what is in flight beyond an eighth more is given up. */
static void test_slow_start_ends_with_a_train(void **state)
{
    (void)state;
    struct box b = cubic(160 * MSS, UINT32_MAX);
    struct tcp_cc_ack ack = {.acked = MSS,
                             .delivered = MSS,
                             .cwnd_limited = true,
                             .srtt = 100 * MS,
                             .rtt = 100 * MS,
                             .min_rtt = 100 * MS,
                             .now = SANWO_SEC(1)};
    for (int n = 0; n < 60 && b.cc.ssthresh == UINT32_MAX; n++) {
        ack.now += MS;
        ack.una = tcp_seq_add(ack.una, MSS);
        ack.nxt = tcp_seq_add(ack.una, 100 * MSS);
        ack.delivered_in_all += MSS;
        b.ops->on_ack(&b.cc, b.state, &ack);
    }
    assert_in_range(b.cc.cwnd, 112 * MSS, 113 * MSS);
    assert_int_equal(b.cc.ssthresh, b.cc.cwnd);
}

/* Without a loss, but a queue stands, in each round: no twentieth then. Once it is gone they come back. */
static void test_no_growth_into_a_queue(void **state)
{
    (void)state;
    struct box b = cubic(100 * MSS, 100 * MSS);
    struct tcp_cc_ack ack = {.acked = MSS,
                             .delivered = MSS,
                             .cwnd_limited = true,
                             .srtt = 120 * MS,
                             .rtt = 120 * MS,
                             .min_rtt = 100 * MS,
                             .now = SANWO_SEC(1)};
    uint32_t after[3] = {0};
    for (int i = 0; i < 3; i++) {
        ack.rtt = i < 2 ? 120 * MS : 100 * MS;
        for (int n = 0; n < 200; n++) { /* two rounds */
            ack.now += MS;
            ack.una = tcp_seq_add(ack.una, MSS);
            ack.nxt = tcp_seq_add(ack.una, 100 * MSS);
            b.ops->on_ack(&b.cc, b.state, &ack);
        }
        after[i] = b.cc.cwnd;
    }
    assert_true(after[1] < after[0] + 2 * MSS); /* as fast as Reno */
    assert_true(after[2] > after[1] + 4 * MSS);
}

static void test_slow_start(void **state)
{
    (void)state;
    struct box b = cubic(14600, 100000);
    box_ack(&b, 2920, 100 * MS, SANWO_SEC(1));
    assert_int_equal(b.cc.cwnd, 17520);
    box_ack(&b, 82480, 100 * MS, SANWO_SEC(1));
    assert_int_equal(b.cc.cwnd, 100000);
    /* What is beyond ssthresh counts in congestion avoidance: half a window, of a fortieth. */
    b = cubic(90000, 100000);
    box_ack(&b, 60000, 10 * MS, SANWO_SEC(1));
    assert_int_equal(b.cc.cwnd, 102500);
}

/* RFC 7661 4.3, RFC 9438 5.8: time in which cwnd was not needed is none. */
static void test_clock_stands_while_limited_by_the_application(void **state)
{
    (void)state;
    struct box a = cubic(3000000, 1000000), b;
    box_congestion(&a, TCP_CC_LOSS, SANWO_SEC(1));
    sanwo_time now = drive(&a, SANWO_SEC(2), SANWO_SEC(3), 100 * MS);
    b = a;
    for (int i = 0; i < 100; i++) { /* ten seconds of ACKs that did not need cwnd ... */
        struct tcp_cc_ack ack = {.acked = MSS, .delivered = MSS, .srtt = 100 * MS};
        ack.now = now + i * 100 * MS;
        b.ops->on_ack(&b.cc, b.state, &ack);
    }
    assert_int_equal(b.cc.cwnd, a.cc.cwnd);
    b.ops->on_restart(&b.cc, b.state, 20000 * MS, now + 30000 * MS); /* ... and twenty of silence */
    drive(&a, now, SANWO_SEC(2), 100 * MS);
    drive(&b, now + 30000 * MS, SANWO_SEC(2), 100 * MS);
    check_near(b.cc.cwnd, a.cc.cwnd, 0.005, 0);
    drive(&a, now + SANWO_SEC(2), SANWO_SEC(30),
          100 * MS); /* and it would have made a difference */
    assert_true(a.cc.cwnd > b.cc.cwnd * 2);
}

/* 4.3: with a short RTT the average window is Reno's under the same losses, and never much less. */
static void test_friendly_to_reno(void **state)
{
    (void)state;
    const uint32_t every[] = {200, 1000, 5000};
    for (size_t i = 0; i < SW_COUNT(every); i++) {
        double average[2];
        for (int reno = 0; reno < 2; reno++) {
            struct model *m = model_new(10000000000u, 2 * MS, 100);
            model_add(m, reno ? &sw_tcp_cc_newreno : &sw_tcp_cc_cubic, MSS);
            m->lose_every = every[i];
            model_run(m, SANWO_SEC(5));
            m->flow[0].cwnd_time = 0;
            model_run(m, SANWO_SEC(25));
            average[reno] = m->flow[0].cwnd_time / 20e9 / MSS;
            free(m);
        }
        check_near(average[1], sqrt(1.5 * every[i]), 0.1, 2); /* the model's Reno is Reno */
        check_near(average[0], average[1], 0.1, 0);
    }
}

/* ---- time-outs and undo ---------------------------------------------------------------------- */

/* 4.8: cwnd is one segment, ssthresh 0.7; then K = 0. RFC5681-3.1-5. */
static void test_timeout(void **state)
{
    (void)state;
    struct box b = cubic(1000000, 500000);
    box_congestion(&b, TCP_CC_LOSS, SANWO_SEC(1)); /* W_max is forgotten */
    b.ops->on_recovered(&b.cc, b.state, 0, SANWO_SEC(1));
    b.cc.cwnd = 900000;
    b.ops->on_timeout(&b.cc, b.state, 900000, true, SANWO_SEC(1));
    assert_int_equal(b.cc.cwnd, MSS);
    assert_int_equal(b.cc.ssthresh, 630000);
    b.ops->on_timeout(&b.cc, b.state, MSS, false, SANWO_SEC(2));
    assert_int_equal(b.cc.cwnd, MSS);
    assert_int_equal(b.cc.ssthresh, 630000);
    struct tcp_cc_ack ack = {.acked = 100 * MSS,
                             .delivered = 2 * MSS, /* the rest had been there before */
                             .cwnd_limited = true,
                             .recovering = true,
                             .srtt = 100 * MS,
                             .now = SANWO_SEC(3)};
    b.ops->on_ack(&b.cc, b.state, &ack);
    assert_int_equal(b.cc.cwnd, 3 * MSS);
    ack.recovering = false; /* this one ends it */
    b.ops->on_ack(&b.cc, b.state, &ack);
    assert_int_equal(b.cc.cwnd, 5 * MSS);
    b.ops->on_ack(&b.cc, b.state, &ack);
    assert_int_equal(b.cc.cwnd, 105 * MSS);
    b.cc.cwnd = b.cc.ssthresh;
    drive(&b, SANWO_SEC(4), SANWO_SEC(8), 100 * MS);
    check_near(b.cc.cwnd, curve(8, 0, 630000, MSS), 0.01, 0);
}

/* In fast recovery cwnd rests; after it the curve begins. */
static void test_rests_in_fast_recovery(void **state)
{
    (void)state;
    struct box b = cubic(1000000, 500000);
    box_congestion(&b, TCP_CC_LOSS, SANWO_SEC(1));
    struct tcp_cc_ack ack = {.acked = 50000,
                             .delivered = 50000,
                             .cwnd_limited = true,
                             .recovering = true,
                             .srtt = 100 * MS};
    for (int i = 0; i < 100; i++) {
        ack.now = SANWO_SEC(1 + i);
        b.ops->on_ack(&b.cc, b.state, &ack);
        assert_int_equal(b.cc.cwnd, 700000);
    }
    drive(&b, SANWO_SEC(101), SANWO_SEC(2), 100 * MS);
    check_near(b.cc.cwnd, curve(2, cbrt(300000 / (0.4 * MSS)), 1000000, MSS), 0.01, 0);
}

/* 4.9.2: as if it had not been. t_epoch is what it was: the curve is where it would be. */
static void test_undo(void **state)
{
    (void)state;
    for (int timeout = 0; timeout < 2; timeout++) {
        struct box a = cubic(3000000, 1000000), b;
        box_congestion(&a, TCP_CC_LOSS, SANWO_SEC(1));
        sanwo_time now = drive(&a, SANWO_SEC(2), SANWO_SEC(6), 100 * MS);
        b = a;
        if (timeout) {
            b.ops->on_timeout(&b.cc, b.state, b.cc.cwnd, true, now);
            b.ops->on_timeout(&b.cc, b.state, b.cc.cwnd, false, now);
        } else {
            box_congestion(&b, TCP_CC_LOSS, now);
        }
        assert_true(b.cc.cwnd < a.cc.cwnd);
        b.ops->undo(&b.cc, b.state);
        assert_int_equal(b.cc.cwnd, a.cc.cwnd);
        assert_true(b.cc.ssthresh >= a.cc.ssthresh && b.cc.ssthresh <= b.cc.cwnd);
        drive(&a, now, SANWO_SEC(4), 100 * MS);
        drive(&b, now + SANWO_SEC(2), SANWO_SEC(2), 100 * MS); /* two seconds of recovery */
        check_near(b.cc.cwnd, a.cc.cwnd, 0.005, 0);
        uint32_t cwnd = b.cc.cwnd;
        b.cc.cwnd = MSS;
        b.ops->undo(&b.cc, b.state); /* once only */
        assert_int_equal(b.cc.cwnd, MSS);
        b.cc.cwnd = cwnd;
    }
}

/*
 * 4.9.2: told late. Below where it was cwnd comes back; above, what was learnt since is kept: here cwnd is
 * not raised, and a loss below the newer W_max makes the plateau lower still (4.7).
 */
static void test_undo_told_late(void **state)
{
    (void)state;
    for (int above = 0; above < 2; above++) {
        struct box b = cubic(1000000, 500000);
        box_congestion(&b, TCP_CC_LOSS, SANWO_SEC(1));
        b.ops->on_recovered(&b.cc, b.state, b.cc.cwnd, SANWO_SEC(1));
        b.cc.cwnd = above ? 1200000 : 990000;
        b.ops->undo(&b.cc, b.state);
        assert_int_equal(b.cc.cwnd, above ? 1200000 : 1000000);
        assert_int_equal(b.cc.ssthresh, 700000);
        b.cc.cwnd = 900000;
        box_congestion(&b, TCP_CC_LOSS, SANWO_SEC(2));
        b.ops->on_recovered(&b.cc, b.state, b.cc.cwnd, SANWO_SEC(2));
        double w_max = above ? 900000 * 0.85 : 900000;
        drive(&b, SANWO_SEC(3), SANWO_SEC(3), 100 * MS);
        check_near(b.cc.cwnd, curve(3, cbrt((w_max - 630000) / (0.4 * MSS)), w_max, MSS), 0.01, 0);
    }
    struct box c = cubic(100000, 50000);
    box_congestion(&c, TCP_CC_LOSS, 0);
    c.cc.cwnd = 200000; /* still recovering: all comes back, but cwnd is not cut */
    c.ops->undo(&c.cc, c.state);
    assert_int_equal(c.cc.cwnd, 200000);
}

/* A mark is no mistake: neither it nor what was lost before it is undone. */
static void test_marks_are_not_undone(void **state)
{
    (void)state;
    struct box b = cubic(1000000, 500000);
    box_congestion(&b, TCP_CC_LOSS, SANWO_SEC(1));
    b.ops->on_recovered(&b.cc, b.state, b.cc.cwnd, SANWO_SEC(1));
    box_congestion(&b, TCP_CC_ECN, SANWO_SEC(2));
    assert_int_equal(b.cc.cwnd, 595000);
    b.ops->undo(&b.cc, b.state);
    assert_int_equal(b.cc.cwnd, 595000);
    assert_int_equal(b.cc.ssthresh, 595000);
}

/* Told twice in a recovery, in which cwnd is not ours: undone as one, and W_max is the first's. */
static void test_two_losses_of_one_recovery(void **state)
{
    (void)state;
    struct box a = cubic(3000000, 1000000), b;
    drive(&a, SANWO_SEC(1), 200 * MS, 100 * MS);
    uint32_t cwnd = a.cc.cwnd;
    box_congestion(&a, TCP_CC_LOSS, SANWO_SEC(2));
    a.cc.cwnd = 2500000;
    box_congestion(&a, TCP_CC_LOSS, SANWO_SEC(2));
    assert_int_equal(a.cc.ssthresh, 1750000);
    b = a;
    b.ops->undo(&b.cc, b.state);
    assert_int_equal(b.cc.cwnd, cwnd);
    b = a;
    b.cc.cwnd = 5 * MSS;
    b.ops->on_timeout(&b.cc, b.state, 5 * MSS, true, SANWO_SEC(2));
    assert_int_equal(b.cc.ssthresh, 1225000);
    b.ops->undo(&b.cc, b.state); /* to where the recovery was to end */
    assert_int_equal(b.cc.cwnd, 1750000);
    drive(&a, SANWO_SEC(3), SANWO_SEC(5), 100 * MS);
    check_near(a.cc.cwnd, curve(5, cbrt((cwnd - 1750000) / (0.4 * MSS)), cwnd, MSS), 0.01, 0);
}

/* ---- bounds ---------------------------------------------------------------------------------- */

static void random_step(struct box *b, uint64_t *dice, sanwo_time *now)
{
    const sanwo_time days = SANWO_SEC(49 * 86400);
    const sanwo_time jumps[] = {0, 1, MS, 100 * MS, SANWO_SEC(3), days};
    *now += jumps[chance(dice, chance(dice, 20) ? 4 : 6)];
    uint32_t before = b->cc.cwnd, mss = b->cc.mss;
    switch (chance(dice, 60)) {
    case 0:
        box_congestion(b, chance(dice, 2) ? TCP_CC_LOSS : TCP_CC_ECN, *now);
        break;
    case 1:
        b->ops->on_timeout(&b->cc, b->state, chance(dice, CWND_LIMIT), chance(dice, 2), *now);
        break;
    case 2:
        b->ops->undo(&b->cc, b->state);
        break;
    case 3:
        b->ops->on_restart(&b->cc, b->state, chance(dice, 1000), *now);
        break;
    case 4:
        b->cc.cwnd = chance(dice, 2) ? CWND_LIMIT : mss;
        break;
    default: {
        struct tcp_cc_ack ack = {.acked = chance(dice, 3) ? chance(dice, 100000) : UINT32_MAX,
                                 .delivered = chance(dice, 100000),
                                 .cwnd_limited = chance(dice, 4),
                                 .recovering = !chance(dice, 8),
                                 .rtt = chance(dice, 2) ? chance(dice, 1000000000) : days,
                                 .srtt = chance(dice, 2) ? chance(dice, 1000000000) : 0,
                                 .una = {chance(dice, UINT32_MAX)},
                                 .nxt = {chance(dice, UINT32_MAX)},
                                 .now = *now};
        b->ops->on_ack(&b->cc, b->state, &ack);
        assert_true(b->cc.cwnd >= before);
    }
    }
    assert_true(b->cc.cwnd >= mss && b->cc.cwnd <= CWND_LIMIT);
    assert_true(b->cc.ssthresh >= 2u * mss);
}

static void test_random_never_leaves_its_bounds(void **state)
{
    (void)state;
    const uint16_t sizes[] = {8, 64, 1460, 65495};
    uint64_t dice = chance_of(__func__);
    for (size_t i = 0; i < SW_COUNT(sizes); i++) {
        struct box b = box_of(&sw_tcp_cc_cubic, sizes[i], 10u * sizes[i]);
        sanwo_time now = 0;
        for (int step = 0; step < 200000; step++)
            random_step(&b, &dice, &now);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_root),
        cmocka_unit_test(test_period),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_curve_extremes),
        cmocka_unit_test(test_curve_begins_at_the_reduced_window),
        cmocka_unit_test(test_reduction),
        cmocka_unit_test(test_reduction_of_an_unused_window),
        cmocka_unit_test(test_fast_convergence),
        cmocka_unit_test(test_growth_follows_the_curve),
        cmocka_unit_test(test_growth_follows_bytes),
        cmocka_unit_test(test_growth_is_limited),
        cmocka_unit_test(test_growth_without_a_loss),
        cmocka_unit_test(test_slow_start_ends_with_a_train),
        cmocka_unit_test(test_no_growth_into_a_queue),
        cmocka_unit_test(test_slow_start),
        cmocka_unit_test(test_clock_stands_while_limited_by_the_application),
        cmocka_unit_test(test_friendly_to_reno),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_rests_in_fast_recovery),
        cmocka_unit_test(test_undo),
        cmocka_unit_test(test_undo_told_late),
        cmocka_unit_test(test_marks_are_not_undone),
        cmocka_unit_test(test_two_losses_of_one_recovery),
        cmocka_unit_test(test_random_never_leaves_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
