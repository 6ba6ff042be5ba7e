/*
 * test_tcp_newreno.c - The box that keeps cwnd: RFC 5681 3.1, counting bytes.
 */
#include "test_tcp_support.h"

#define MSS 1000

/* The box and what it remembers. */
struct box {
    struct tcp_cc cc;
    uint64_t state[TCP_CC_STATE_MAX / 8];
};

static struct box start(uint32_t cwnd, uint32_t ssthresh)
{
    struct box b;

    memset(&b, 0xa5, sizeof b);
    sw_tcp_cc_init(&b.cc, SANWO_CONGESTION_NEWRENO, MSS, 10);
    b.cc.cwnd = cwnd;
    b.cc.ssthresh = ssthresh;
    sw_tcp_cc_newreno.init(&b.cc, b.state, 0);
    return b;
}

static void on_ack(struct box *b, uint32_t acked, bool limited)
{
    struct tcp_cc_ack ack = {.acked = acked, .in_flight = b->cc.cwnd, .cwnd_limited = limited};

    sw_tcp_cc_newreno.on_ack(&b->cc, b->state, &ack);
}

static void on_loss(struct box *b, uint32_t outstanding)
{
    sw_tcp_cc_newreno.on_congestion(&b->cc, b->state, TCP_CC_LOSS, outstanding, 0);
}

static void on_timeout(struct box *b, uint32_t outstanding, bool first)
{
    sw_tcp_cc_newreno.on_timeout(&b->cc, b->state, outstanding, first, 0);
}

/* RFC 6928 2. */
static void test_initial_window(void **state)
{
    (void)state;
    const struct {
        uint16_t mss;
        uint8_t segments;
        uint32_t cwnd;
    } rows[] = {
        {1460, 10, 14600}, {536, 10, 5360},     {1000, 10, 10000}, {8960, 10, 17920},
        {2000, 10, 14600}, {65495, 10, 130990}, {1460, 1, 1460},   {8960, 1, 8960},
        {8960, 2, 17920},  {64, 10, 640},       {1460, 4, 5840},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_cc cc;
        sw_tcp_cc_init(&cc, SANWO_CONGESTION_NEWRENO, rows[i].mss, rows[i].segments);
        assert_int_equal(cc.cwnd, rows[i].cwnd);
        assert_int_equal(cc.ssthresh, UINT32_MAX);
        assert_int_equal(cc.mss, rows[i].mss);
    }
}

/* Slow start adds what was acknowledged, stops at ssthresh, and rests while cwnd is not used up. */
static void test_slow_start(void **state)
{
    (void)state;
    const struct {
        uint32_t cwnd, ssthresh, acked;
        bool limited;
        uint32_t after;
    } rows[] = {
        {10000, UINT32_MAX, 1000, true, 11000},       {10000, UINT32_MAX, 1, true, 10001},
        {10000, UINT32_MAX, 1000, false, 10000},      {10000, 10500, 1000, true, 10500},
        {10000, 10001, 10000, true, 10001},           {10000, UINT32_MAX, 10000, true, 20000},
        {1u << 30, UINT32_MAX, 1000, true, 1u << 30},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct box b = start(rows[i].cwnd, rows[i].ssthresh);
        on_ack(&b, rows[i].acked, rows[i].limited);
        assert_int_equal(b.cc.cwnd, rows[i].after);
    }
}

/* However a window is cut into ACKs, cwnd grows by the same (attack B-20, RFC 3465 2.1). */
static void test_ack_division(void **state)
{
    (void)state;
    const uint32_t pieces[] = {1, 10, 333, 1000, 2000, 20000};

    for (size_t i = 0; i < SW_COUNT(pieces); i++) {
        struct box slow = start(20000, UINT32_MAX), avoidance = start(20000, 20000);
        for (uint32_t left = 20000; left;) {
            uint32_t piece = left < pieces[i] ? left : pieces[i];
            on_ack(&slow, piece, true);
            on_ack(&avoidance, piece, true);
            left -= piece;
        }
        assert_int_equal(slow.cc.cwnd, 40000);
        assert_int_equal(avoidance.cc.cwnd, 21000); /* one segment a round trip */
    }
}

/* What an ACK brings beyond a window's worth counts for the next one. */
static void test_remainder_counts(void **state)
{
    (void)state;
    struct box b = start(10000, 10000);

    for (int i = 0; i < 4; i++)
        on_ack(&b, 3000, true);
    assert_int_equal(b.cc.cwnd, 11000);
    for (int i = 0; i < 3; i++)
        on_ack(&b, 3000, true);
    assert_int_equal(b.cc.cwnd, 12000); /* 2000 left over and 9000 are 11000 */
}

/* A hundred round trips of congestion avoidance: a hundred segments. */
static void test_congestion_avoidance(void **state)
{
    (void)state;
    struct box b = start(10000, 10000);

    for (int round = 0; round < 100; round++)
        for (uint32_t left = b.cc.cwnd; left;) {
            uint32_t piece = left < 2 * MSS ? left : 2 * MSS;
            on_ack(&b, piece, true);
            left -= piece;
        }
    assert_in_range(b.cc.cwnd, 109000, 110000);
    for (int i = 0; i < 1000; i++)
        on_ack(&b, 100000, false);
    assert_in_range(b.cc.cwnd, 109000, 110000);
}

/* Equation (4): half of what was in flight, at least two segments. */
static void test_congestion_and_timeout(void **state)
{
    (void)state;
    const struct {
        uint32_t flight, ssthresh;
    } rows[] = {{100000, 50000}, {4000, 2000}, {3999, 2000}, {1000, 2000}, {0, 2000}, {5001, 2500}};

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct box b = start(120000, UINT32_MAX);
        on_loss(&b, rows[i].flight);
        assert_int_equal(b.cc.ssthresh, rows[i].ssthresh);
        assert_int_equal(b.cc.cwnd, rows[i].ssthresh);
        b = start(120000, UINT32_MAX);
        on_timeout(&b, rows[i].flight, true);
        assert_int_equal(b.cc.ssthresh, rows[i].ssthresh);
        assert_int_equal(b.cc.cwnd, MSS);
        on_timeout(&b, 0, false); /* the same segment again */
        assert_int_equal(b.cc.ssthresh, rows[i].ssthresh);
        assert_int_equal(b.cc.cwnd, MSS);
    }
}

/* RFC5681-4.1-1. */
static void test_restart_and_mss(void **state)
{
    (void)state;
    struct tcp_cc cc = start(500000, 250000).cc;

    sw_tcp_cc_restart(&cc, 10); /* RFC 5681 4.1 */
    assert_int_equal(cc.cwnd, 10000);
    assert_int_equal(cc.ssthresh, 250000);
    cc.cwnd = 3000;
    sw_tcp_cc_restart(&cc, 10); /* never up */
    assert_int_equal(cc.cwnd, 3000);
    sw_tcp_cc_set_mss(&cc, 500);
    assert_int_equal(cc.cwnd, 3000);
    sw_tcp_cc_set_mss(&cc, 9000); /* at least one of the new segments */
    assert_int_equal(cc.cwnd, 9000);
    assert_int_equal(cc.mss, 9000);
}

/* What did not happen is undone, and growth since is kept: cwnd and ssthresh are no less than before. */
static void test_undo(void **state)
{
    (void)state;
    for (int timeout = 0; timeout < 2; timeout++) {
        struct box b = start(120000, 400000);
        if (timeout) {
            on_timeout(&b, 100000, true);
            on_timeout(&b, 100000, false); /* the first is what is remembered */
        } else {
            on_loss(&b, 100000);
        }
        assert_int_equal(b.cc.ssthresh, 50000);
        sw_tcp_cc_newreno.undo(&b.cc, b.state);
        assert_int_equal(b.cc.cwnd, 120000);
        assert_int_equal(b.cc.ssthresh, 400000);
        b.cc.cwnd = 130000;
        b.cc.ssthresh = UINT32_MAX;
        sw_tcp_cc_newreno.undo(&b.cc, b.state);
        assert_int_equal(b.cc.cwnd, 130000);
        assert_int_equal(b.cc.ssthresh, UINT32_MAX);
    }
}

/* A mark is no mistake. */
static void test_marks_are_not_undone(void **state)
{
    (void)state;
    struct box b = start(120000, 400000);

    sw_tcp_cc_newreno.on_congestion(&b.cc, b.state, TCP_CC_ECN, 100000, 0);
    assert_int_equal(b.cc.ssthresh, 50000);
    sw_tcp_cc_newreno.undo(&b.cc, b.state);
    assert_int_equal(b.cc.cwnd, 50000);
    assert_int_equal(b.cc.ssthresh, 50000);
}

/* What was counted towards the next segment is of the larger window: a reduction forgets it. */
static void test_reduction_forgets_the_remainder(void **state)
{
    (void)state;
    struct box b = start(100000, 100000);

    on_ack(&b, 99999, true);
    assert_int_equal(b.cc.cwnd, 100000);
    on_loss(&b, 100000);
    on_ack(&b, 49999, true);
    assert_int_equal(b.cc.cwnd, 50000);
    on_ack(&b, 1, true);
    assert_int_equal(b.cc.cwnd, 50000 + MSS);
}

static void test_random_never_leaves_its_bounds(void **state)
{
    (void)state;
    struct dice d = dice_of(__func__);
    struct box b = start(10000, UINT32_MAX);

    for (int i = 0; i < 200000; i++) {
        uint32_t flight = roll(&d, b.cc.cwnd) + 1, before = b.cc.cwnd;
        switch (roll(&d, 200)) {
        case 0:
            on_loss(&b, flight);
            break;
        case 1:
            on_timeout(&b, flight, roll(&d, 2));
            break;
        case 2:
            sw_tcp_cc_newreno.undo(&b.cc, b.state);
            assert_true(b.cc.cwnd >= before);
            break;
        default:
            on_ack(&b, flight, roll(&d, 4) != 0);
            assert_true(b.cc.cwnd >= before && b.cc.cwnd - before <= (flight > MSS ? flight : MSS));
        }
        assert_true(b.cc.cwnd >= MSS && b.cc.cwnd <= UINT32_C(2) << 30);
        assert_true(b.cc.ssthresh >= 2 * MSS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_initial_window),
        cmocka_unit_test(test_slow_start),
        cmocka_unit_test(test_ack_division),
        cmocka_unit_test(test_remainder_counts),
        cmocka_unit_test(test_congestion_avoidance),
        cmocka_unit_test(test_congestion_and_timeout),
        cmocka_unit_test(test_restart_and_mss),
        cmocka_unit_test(test_undo),
        cmocka_unit_test(test_marks_are_not_undone),
        cmocka_unit_test(test_reduction_forgets_the_remainder),
        cmocka_unit_test(test_random_never_leaves_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
