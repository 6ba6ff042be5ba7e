/*
 * test_tcp_rtt.c - SRTT, RTTVAR and the time-out against RFC 6298 in floating point.
 */
#include "test_tcp_support.h"

struct reference {
    double srtt, rttvar;
};

static void reference_sample(struct reference *ref, double rtt)
{
    if (ref->srtt == 0) {
        ref->srtt = rtt;
        ref->rttvar = rtt / 2;
        return;
    }
    double error = ref->srtt > rtt ? ref->srtt - rtt : rtt - ref->srtt;
    ref->rttvar = 0.75 * ref->rttvar + 0.25 * error;
    ref->srtt = 0.875 * ref->srtt + 0.125 * rtt;
}

static double reference_rto(const struct reference *ref, const struct sanwo_tcp_config *c,
                            unsigned backoff)
{
    double rto = (double)c->rto_initial;

    if (ref->srtt != 0) {
        double spread = 4 * ref->rttvar;
        rto = ref->srtt + (spread > 1e6 ? spread : 1e6);
    }
    if (rto < (double)c->rto_minimum)
        rto = (double)c->rto_minimum;
    while (backoff-- && rto < (double)c->rto_maximum)
        rto *= 2;
    return rto < (double)c->rto_maximum ? rto : (double)c->rto_maximum;
}

static void check_near(double is, double should)
{
    double off = is > should ? is - should : should - is;

    if (off > 64 + should * 1e-9) /* each division may lose less than a nanosecond */
        fail_msg("%.0f ns is not %.0f ns", is, should);
}

/* RFC6298-2-1. */
static void test_against_reference(void **state)
{
    (void)state;
    const sanwo_time scales[] = {SANWO_USEC(50), SANWO_MSEC(1), SANWO_MSEC(80), SANWO_SEC(4),
                                 SANWO_SEC(200)};
    struct dice d = dice_of(__func__);

    for (size_t s = 0; s < SW_COUNT(scales); s++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 1, 1);
        struct reference ref = {0, 0};
        sanwo_time least = INT64_MAX;
        for (int i = 0; i < 1000; i++) {
            sanwo_time rtt = scales[s] / 2 + (sanwo_time)roll(&d, 1000000) * (scales[s] / 500000);
            sw_tcp_rtt_sample(&r->tcp, c, rtt);
            reference_sample(&ref, (double)rtt);
            least = rtt < least ? rtt : least;
            check_near((double)c->send.srtt, ref.srtt);
            check_near((double)c->send.rttvar, ref.rttvar);
            assert_int_equal(c->send.min_rtt, least);
            c->backoff = roll(&d, 16) & 15;
            c->send.probes = (uint8_t)roll(&d, 20);
            unsigned backoff = sw_max32(c->backoff, c->send.probes);
            double should = reference_rto(&ref, &r->tcp.config, backoff);
            double is = (double)sw_tcp_rto(&r->tcp, c);
            assert_true(is <= should * 1.0001 + 1 && is >= should * 0.9999 - 1e6);
        }
        rig_end(r);
    }
}

static void test_first_sample_and_strange_ones(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);

    sw_tcp_rtt_sample(&r->tcp, c, SANWO_MSEC(100));
    assert_int_equal(c->send.srtt, SANWO_MSEC(100));
    assert_int_equal(c->send.rttvar, SANWO_MSEC(50));
    assert_int_equal(sw_tcp_rto(&r->tcp, c), SANWO_MSEC(300));
    for (int i = 0; i < 300; i++) /* the driver's clock ran backwards */
        sw_tcp_rtt_sample(&r->tcp, c, i & 1 ? 0 : -SANWO_SEC(5));
    assert_true(c->send.srtt >= 1);
    assert_int_equal(c->send.min_rtt, 1);
    assert_int_equal(sw_tcp_rto(&r->tcp, c), r->tcp.config.rto_minimum);
    rig_end(r);
}

static void test_rto_rows(void **state)
{
    (void)state;
    const struct {
        sanwo_time srtt, rttvar;
        uint8_t backoff, probes;
        bool syn_lost;
        enum sanwo_tcp_state state;
        sanwo_time rto;
    } rows[] = {
        {0, 0, 0, 0, false, SANWO_TCP_SYN_SENT, SANWO_SEC(1)}, /* 2.1 */
        {0, 0, 1, 0, true, SANWO_TCP_SYN_SENT, SANWO_SEC(2)},  /* 5.5 */
        {0, 0, 6, 0, true, SANWO_TCP_SYN_SENT, SANWO_SEC(64)},
        {0, 0, 7, 0, true, SANWO_TCP_SYN_SENT, SANWO_SEC(120)}, /* the most */
        {0, 0, 15, 255, true, SANWO_TCP_SYN_SENT, SANWO_SEC(120)},
        {0, 0, 0, 0, true, SANWO_TCP_ESTABLISHED, SANWO_SEC(3)}, /* 5.7 */
        {0, 0, 0, 0, false, SANWO_TCP_ESTABLISHED, SANWO_SEC(1)},
        {SANWO_MSEC(500), 0, 0, 0, true, SANWO_TCP_ESTABLISHED, SANWO_MSEC(501)},
        {SANWO_MSEC(500), SANWO_USEC(249), 0, 0, false, SANWO_TCP_ESTABLISHED, SANWO_MSEC(501)},
        {SANWO_MSEC(500), SANWO_USEC(251), 0, 0, false, SANWO_TCP_ESTABLISHED,
         SANWO_MSEC(500) + SANWO_USEC(1004)},
        {SANWO_MSEC(10), SANWO_MSEC(2), 0, 0, false, SANWO_TCP_ESTABLISHED, SANWO_MSEC(200)},
        {SANWO_MSEC(10), SANWO_MSEC(2), 1, 0, false, SANWO_TCP_ESTABLISHED, SANWO_MSEC(400)},
        {SANWO_MSEC(10), SANWO_MSEC(2), 1, 2, false, SANWO_TCP_ESTABLISHED, SANWO_MSEC(800)},
        {SANWO_MSEC(10), SANWO_MSEC(2), 0, 3, false, SANWO_TCP_ESTABLISHED, SANWO_MSEC(1600)},
        {SANWO_MSEC(10), SANWO_MSEC(2), 9, 0, false, SANWO_TCP_ESTABLISHED, SANWO_MSEC(102400)},
        {SANWO_MSEC(10), SANWO_MSEC(2), 10, 0, false, SANWO_TCP_ESTABLISHED, SANWO_SEC(120)},
        {SANWO_SEC(500), SANWO_SEC(500), 0, 0, false, SANWO_TCP_ESTABLISHED, SANWO_SEC(120)},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_tuple tuple = rig_tuple(0);
        struct tcp_connection *c = rig_connection(r, &tuple, rows[i].state, 1, 1);
        c->send.srtt = rows[i].srtt;
        c->send.rttvar = rows[i].rttvar;
        c->backoff = rows[i].backoff & 15;
        c->send.probes = rows[i].probes;
        c->syn_lost = rows[i].syn_lost;
        if (sw_tcp_rto(&r->tcp, c) != rows[i].rto)
            fail_msg("row %zu: %lld", i, (long long)sw_tcp_rto(&r->tcp, c));
        rig_end(r);
    }
}

/* Back-off ends with a new sample (5.7, note); the smallest configured one is kept. */
static void test_configured_limits(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);

    r->tcp.config.rto_minimum = SANWO_MSEC(1);
    r->tcp.config.rto_maximum = SANWO_SEC(2);
    sw_tcp_rtt_sample(&r->tcp, c, SANWO_USEC(10));
    assert_int_equal(sw_tcp_rto(&r->tcp, c), SANWO_MSEC(1) + SANWO_USEC(10));
    c->backoff = 15;
    assert_int_equal(sw_tcp_rto(&r->tcp, c), SANWO_SEC(2));
    rig_end(r);
}

/* RFC 6298 3: timed by when the acknowledgement arrived, however late it was looked at. */
static void test_timed_by_arrival(void **state)
{
    (void)state;
    static struct rig_frame frame;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xffffff00, 1);

    rig_send(r, c, 1000);
    assert_true(rig_output(r, c, &frame));
    assert_int_equal(frame.payload, 1000);
    r->tcp.now += SANWO_MSEC(100);
    struct tcp_segment seg = rig_segment(r, c, 1, TCP_ACK);
    seg.arrival = r->tcp.now - SANWO_MSEC(60);
    sw_tcp_deliver(&r->tcp, c, &seg);
    assert_int_equal(c->send.srtt, SANWO_MSEC(40));
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_reference),
        cmocka_unit_test(test_first_sample_and_strange_ones),
        cmocka_unit_test(test_rto_rows),
        cmocka_unit_test(test_configured_limits),
        cmocka_unit_test(test_timed_by_arrival),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
