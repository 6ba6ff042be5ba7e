/*
 * test_tcp_dctcp.c - DCTCP (RFC 8257): alpha, one cut a window, and losses as NewReno.
 */
#include "cc_model.h"

#define MSS 1000
#define WINDOW 100 /* segments on their way */
#define MS SANWO_MSEC(1)

struct sender {
    struct box box;
    tcp_seq una;
};

static struct sender start(uint32_t cwnd, uint32_t ssthresh, uint32_t una)
{
    struct sender s = {.box = box_of(&sw_tcp_cc_dctcp, MSS, cwnd), .una = tcp_seq_of(una)};
    s.box.cc.ssthresh = ssthresh;
    return s;
}

/* An ACK of a segment that was marked or not, with WINDOW segments sent beyond it. */
static void ack(struct sender *s, bool marked, bool limited, bool recovering)
{
    s->una = tcp_seq_add(s->una, MSS);
    struct tcp_cc_ack a = {.acked = MSS,
                           .delivered = MSS,
                           .marked = marked ? MSS : 0,
                           .cwnd_limited = limited,
                           .recovering = recovering,
                           .una = s->una,
                           .nxt = tcp_seq_add(s->una, WINDOW * MSS)};
    s->box.ops->on_ack(&s->box.cc, s->box.state, &a);
}

/* A window of which the first @marks segments were marked; how often cwnd was cut. */
static int window(struct sender *s, uint32_t marks, bool limited)
{
    int cuts = 0;
    for (uint32_t i = 0; i < WINDOW + 1; i++) {
        uint32_t before = s->box.cc.cwnd;
        ack(s, i < marks, limited, false);
        cuts += s->box.cc.cwnd < before;
    }
    return cuts;
}

/* What one mark does to a large cwnd tells alpha. */
static double alpha_of(const struct sender *s)
{
    struct sender probe = *s;
    probe.box.cc.cwnd = 1u << 30;
    ack(&probe, true, true, false);
    return 2 * (1 - (double)probe.box.cc.cwnd / (1u << 30));
}

static void check_near(double value, double expected, double error)
{
    if (fabs(value - expected) > error)
        fail_msg("%.7f, not %.7f", value, expected);
}

/* RFC8257-3.3-1, 4.2: alpha begins at 1 and follows the share of marks, a sixteenth a window. */
static void test_alpha(void **state)
{
    (void)state;
    const uint32_t shares[] = {0, 1, 10, 50, 101};
    const uint32_t firsts[] = {0, 0xfffff000, 0x7fffff00};
    for (size_t i = 0; i < SW_COUNT(shares); i++)
        for (size_t j = 0; j < SW_COUNT(firsts); j++) {
            struct sender s = start(1000000, 500000, firsts[j]);
            double alpha = 1;
            check_near(alpha_of(&s), 1, 1e-6);
            ack(&s, false, false, false); /* one more than the 101 of the others */
            for (int k = 0; k < 60; k++) {
                window(&s, shares[i], false);
                alpha = alpha * 15 / 16 + shares[i] / (k ? 101.0 : 102.0) / 16;
                check_near(alpha_of(&s), alpha, 1e-4);
            }
        }
}

/* 4.2: alpha can fall to 0, and then a mark costs nothing but growth. */
static void test_alpha_falls_to_nothing(void **state)
{
    (void)state;
    struct sender s = start(1000000, 500000, 0);
    ack(&s, false, false, false);
    for (int i = 0; i < 183; i++)
        window(&s, 0, false);
    assert_true(alpha_of(&s) == 0);
    struct sender t = s;
    ack(&t, true, true, false);
    assert_int_equal(t.box.cc.cwnd, 1000000);
    assert_int_equal(t.box.cc.ssthresh, 1000000);
    t = s; /* a peer that reports more marks than bytes: as if all had been marked */
    struct tcp_cc_ack a = {.delivered = 100 * WINDOW * MSS,
                           .marked = UINT32_MAX,
                           .una = tcp_seq_add(t.una, 2 * WINDOW * MSS),
                           .nxt = tcp_seq_add(t.una, 2 * WINDOW * MSS),
                           .recovering = true};
    t.box.ops->on_ack(&t.box.cc, t.box.state, &a);
    check_near(alpha_of(&t), 1.0 / 16, 1e-3);
    for (int i = 0; i < 400; i++)
        window(&s, WINDOW + 1, false);
    check_near(alpha_of(&s), 1, 1e-3);
    assert_true(alpha_of(&s) <= 1);
}

/* RFC8257-3.3-1: the first mark halves, as alpha is 1; no other before a window has passed. */
static void test_one_cut_a_window(void **state)
{
    (void)state;
    struct sender s = start(1000000, UINT32_MAX, 0xffff8000);
    ack(&s, true, true, false);
    assert_int_equal(s.box.cc.cwnd, 500000);
    assert_int_equal(s.box.cc.ssthresh, 500000);
    for (int i = 0; i < WINDOW; i++) {
        ack(&s, true, true, false);
        assert_int_equal(s.box.cc.cwnd, 500000);
    }
    ack(&s, true, true, false);
    assert_in_range(s.box.cc.cwnd, 250000, 251000);
    s = start(1000000, 500000, 0);
    for (int i = 0; i < 20; i++)
        assert_int_equal(window(&s, 30, true), 1);
}

static void test_floor(void **state)
{
    (void)state;
    struct sender s = start(2500, 2000, 0);
    window(&s, 1, false);
    assert_int_equal(s.box.cc.cwnd, 2000);
    s = start(1000, 2000, 0); /* after a time-out: not up either */
    ack(&s, true, true, false);
    assert_int_equal(s.box.cc.cwnd, 1000);
    assert_int_equal(s.box.cc.ssthresh, 2000);
}

/* 3.5: one reduction a window, whether marks or losses ask for it. */
static void test_loss_is_newrenos(void **state)
{
    (void)state;
    struct sender s = start(100000, 50000, 0);
    box_congestion(&s.box, TCP_CC_LOSS, 0);
    assert_int_equal(s.box.cc.cwnd, 50000);
    for (int i = 0; i < WINDOW; i++)
        ack(&s, true, true, false);
    assert_int_equal(s.box.cc.cwnd, 50000);
    struct sender t =
        start(100000, 50000, 0); /* recovery is over: the next mark is another window's */
    box_congestion(&t.box, TCP_CC_LOSS, 0);
    t.box.ops->on_recovered(&t.box.cc, t.box.state, 40000, 0);
    ack(&t, true, true, false);
    assert_in_range(t.box.cc.cwnd, 25000, 26000);
    s.box.ops->undo(&s.box.cc, s.box.state);
    assert_int_equal(s.box.cc.cwnd, 100000);
    s.box.ops->on_timeout(&s.box.cc, s.box.state, 80000, true, 0);
    assert_int_equal(s.box.cc.cwnd, 1000);
    assert_int_equal(s.box.cc.ssthresh, 40000);
    s = start(100000, 50000, 0);
    for (int i = 0; i < 3 * WINDOW; i++) /* in recovery marks are counted, and nothing else */
        ack(&s, true, true, true);
    assert_int_equal(s.box.cc.cwnd, 100000);
}

/* 3.4: growth is NewReno's; a marked ACK lets nothing grow. */
static void test_growth(void **state)
{
    (void)state;
    struct sender s = start(10000, UINT32_MAX, 0);
    for (int i = 0; i < 10; i++)
        ack(&s, false, true, false);
    assert_int_equal(s.box.cc.cwnd, 20000);
    s = start(20000, 20000, 0);
    for (int i = 0; i < 20; i++)
        ack(&s, false, true, false);
    assert_int_equal(s.box.cc.cwnd, 21000);
    s = start(20000, 20000, 0);
    ack(&s, true, true, false);
    for (int i = 0; i < 50; i++)
        ack(&s, true, true, false);
    assert_int_equal(s.box.cc.cwnd, 10000);
}

static void test_random_never_leaves_its_bounds(void **state)
{
    (void)state;
    uint64_t dice = chance_of(__func__);
    struct box b = box_of(&sw_tcp_cc_dctcp, MSS, 10 * MSS);
    for (int i = 0; i < 300000; i++) {
        struct tcp_cc_ack a = {.acked = chance(&dice, 1 << 20),
                               .delivered = chance(&dice, 3) ? chance(&dice, 1 << 20) : 0,
                               .marked = chance(&dice, 2) ? chance(&dice, UINT32_MAX) : 0,
                               .cwnd_limited = true,
                               .una = {chance(&dice, UINT32_MAX)},
                               .nxt = {chance(&dice, UINT32_MAX)}};
        uint32_t before = b.cc.cwnd;
        b.ops->on_ack(&b.cc, b.state, &a);
        assert_true(b.cc.cwnd >= before / 2 && b.cc.cwnd >= 2 * MSS && b.cc.cwnd <= 2 * CWND_LIMIT);
        assert_true(b.cc.ssthresh >= 2 * MSS);
        if (!chance(&dice, 1000))
            b.cc.cwnd = CWND_LIMIT;
    }
}

/* In a closed loop the queue stays at the mark, the path full and nothing is lost. */
static void test_holds_the_queue_at_the_mark(void **state)
{
    (void)state;
    for (uint32_t flows = 1; flows <= 3; flows++) {
        struct model *m = model_new(1000000000, MS, 10);
        m->paced = true;
        m->mark_above = 40 * 1460;
        for (uint32_t i = 0; i < flows; i++)
            model_add(m, &sw_tcp_cc_dctcp, 1460);
        model_run(m, MS * 200);
        uint64_t before = 0, after = 0, sent = 0, lost = 0;
        m->queue_time = 0;
        for (uint32_t i = 0; i < flows; i++) {
            before += m->flow[i].delivered;
            m->flow[i].sent = 0;
        }
        model_run(m, MS * 1200);
        for (uint32_t i = 0; i < flows; i++) {
            after += m->flow[i].delivered;
            lost += m->flow[i].lost;
            sent += m->flow[i].sent;
        }
        double used = model_use(m, after - before, SANWO_SEC(1));
        double queue = m->queue_time / (double)sent / 1e9 * 125e6 / (40 * 1460);
        if (used < 0.99 || queue < 0.2 || queue > 1.3 || lost)
            fail_msg("%u flows: used %.3f, queue %.2f of the mark, lost %llu", flows, used, queue,
                     (unsigned long long)lost);
        free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alpha),
        cmocka_unit_test(test_alpha_falls_to_nothing),
        cmocka_unit_test(test_one_cut_a_window),
        cmocka_unit_test(test_floor),
        cmocka_unit_test(test_loss_is_newrenos),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_random_never_leaves_its_bounds),
        cmocka_unit_test(test_holds_the_queue_at_the_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
