/*
 * test_tcp_train.c - The BDP from a row of acknowledgements, and what is no row.
 */
#include "cc_model.h"

#include "base/bytes.h"
#include "tcp/congestion/hystart.h"
#include "tcp/congestion/train.h"

#define MSS 1000
#define RTT SANWO_MSEC(100)
#define US SANWO_USEC(1)

/* A path of 100 segments: it delivers one a millisecond. */
#define PACE SANWO_MSEC(1)

struct walk {
    struct ack_train train;
    struct tcp_cc_ack ack;
};

static struct walk start(void)
{
    return (struct walk){.ack = {.min_rtt = RTT,
                                 .now = SANWO_SEC(1),
                                 .delivered_in_all = UINT64_C(1) << 40,
                                 .cwnd_limited = true}};
}

/* @count ACKs of one segment each, @gap apart. Returns what the first said that said anything. */
static uint32_t acks(struct walk *w, uint32_t cwnd, unsigned count, sanwo_time gap)
{
    for (unsigned i = 0; i < count; i++) {
        w->ack.now += gap;
        w->ack.delivered_in_all += MSS;
        uint32_t bdp = sw_tcp_train_ack(&w->train, &w->ack, cwnd);
        if (bdp)
            return bdp;
    }
    return 0;
}

/* At the path's rate its BDP is found, within the first segment that only begins the train. */
static void test_finds_the_bdp(void **state)
{
    (void)state;
    const struct {
        uint32_t cwnd, bdp;
        unsigned count;
        sanwo_time gap;
    } rows[] = {
        {151 * MSS, 100 * MSS, 100, PACE},
        {149 * MSS, 0, 100, PACE},             /* not yet half as much again */
        {151 * MSS, 0, 25, PACE},              /* a quarter of the round trip is not over */
        {151 * MSS, 100 * MSS, 26, PACE},      /* it is */
        {151 * MSS, 0, 100, PACE / 2},         /* the path is faster */
        {301 * MSS, 200 * MSS, 100, PACE / 2}, /* not now */
        {100 * MSS, 0, 16, SANWO_MSEC(6)},     /* sixteen ACKs after the first are needed, ... */
        {100 * MSS, 16666, 17, SANWO_MSEC(6)}, /* ... and so few make no pause yet */
        {100 * MSS, 0, 100, SANWO_MSEC(6) + 251 * US}, /* these are pauses: a sixteenth, and more */
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct walk w = start();
        uint32_t bdp = acks(&w, rows[i].cwnd, rows[i].count, rows[i].gap);
        if (bdp != rows[i].bdp)
            fail_msg("row %zu: %u", i, bdp);
    }
}

/* On a short path two milliseconds are no pause, for receivers and links put ACKs together. */
static void test_pauses_of_links(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        struct walk w = start();
        w.ack.min_rtt = SANWO_MSEC(10);
        assert_int_equal(acks(&w, 100 * MSS, 100, SANWO_MSEC(2) + more) != 0, !more);
    }
}

/* On a path of less than 4 ms the noise of the end systems is as large as what is measured. */
static void test_short_paths(void **state)
{
    (void)state;
    for (int less = 0; less < 2; less++) {
        struct walk w = start();
        w.ack.min_rtt = SANWO_MSEC(4) - less;
        assert_int_equal(acks(&w, 100 * MSS, 100, PACE / 10) != 0, !less);
    }
}

/* After a pause the rate is the sender's: that round says nothing any more, the next one does. */
static void test_a_pause_ends_it(void **state)
{
    (void)state;
    struct walk w = start();
    assert_int_equal(acks(&w, 151 * MSS, 20, PACE / 4), 0);
    assert_int_equal(acks(&w, 151 * MSS, 1, RTT / 2), 0);
    assert_int_equal(acks(&w, 151 * MSS, 100, PACE), 0);
    sw_tcp_train_round(&w.train);
    assert_int_equal(acks(&w, 151 * MSS, 100, PACE), 100 * MSS);
}

/* An application that paused: what it sent tells of it, and so do the ACKs a round later. */
static void test_slack(void **state)
{
    (void)state;
    struct walk w = start();
    assert_int_equal(acks(&w, 151 * MSS, 10, PACE), 0);
    w.ack.cwnd_limited = false;
    assert_int_equal(acks(&w, 151 * MSS, 1, PACE), 0);
    w.ack.cwnd_limited = true;
    assert_int_equal(acks(&w, 151 * MSS, 100, PACE), 0);
    sw_tcp_train_round(&w.train);
    assert_int_equal(acks(&w, 151 * MSS, 100, PACE), 0);
    sw_tcp_train_round(&w.train);
    assert_int_equal(acks(&w, 151 * MSS, 100, PACE), 100 * MSS);
}

/* Whatever comes, there is no overflow and nothing above the limit. */
static void test_extremes(void **state)
{
    (void)state;
    const sanwo_time rtts[] = {0, 1, 999, 1000, RTT, SANWO_SEC(4000), SANWO_SEC(100000), INT64_MAX};
    const uint64_t bytes[] = {0, 1, CWND_LIMIT, UINT64_C(1) << 33, UINT64_MAX / 64};
    for (size_t i = 0; i < SW_COUNT(rtts) * SW_COUNT(bytes); i++) {
        struct walk w = start();
        w.ack.min_rtt = rtts[i / SW_COUNT(bytes)];
        for (unsigned n = 0; n < 40; n++) {
            w.ack.now += w.ack.min_rtt / 64 < SANWO_SEC(1000) ? w.ack.min_rtt / 64 + 1 : 0;
            w.ack.delivered_in_all += bytes[i % SW_COUNT(bytes)];
            assert_true(sw_tcp_train_ack(&w.train, &w.ack, CWND_LIMIT) <= CWND_LIMIT);
        }
    }
}

/* Slow start ends with it, at an eighth above what the path holds, and never by more than a half. */
static void test_slow_start_ends(void **state)
{
    (void)state;
    const struct {
        uint32_t cwnd, window;
    } rows[] = {{160 * MSS, 112500}, {400 * MSS, 200 * MSS}};
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct hystart h;
        struct tcp_cc_ack a = {
            .min_rtt = RTT, .now = SANWO_SEC(1), .cwnd_limited = true, .acked = MSS};
        sw_tcp_hystart_init(&h);
        a.nxt = tcp_seq_of(1000 * MSS);
        for (unsigned n = 0; n < 100 && !sw_tcp_hystart_is_over(&h); n++) {
            a.una = tcp_seq_of(n * MSS);
            sw_tcp_hystart_on_ack(&h, &a, rows[i].cwnd, MSS);
            a.now += PACE;
            a.delivered_in_all += MSS;
        }
        assert_true(sw_tcp_hystart_is_over(&h));
        assert_int_equal(h.window, rows[i].window);
    }
}

/* Where the path reorders cwnd grows in leaps, and a train says nothing: 0.43 of 1 Gbit/s over 300 ms. */
static void test_not_where_the_path_reorders(void **state)
{
    (void)state;
    for (int reorders = 0; reorders < 2; reorders++) {
        struct hystart h;
        struct tcp_cc_ack a = {.min_rtt = RTT,
                               .now = SANWO_SEC(1),
                               .cwnd_limited = true,
                               .reorders = reorders,
                               .acked = MSS};
        sw_tcp_hystart_init(&h);
        a.nxt = tcp_seq_of(1000 * MSS);
        for (unsigned n = 0; n < 100; n++) {
            a.una = tcp_seq_of(n * MSS);
            sw_tcp_hystart_on_ack(&h, &a, 160 * MSS, MSS);
            a.now += PACE;
            a.delivered_in_all += MSS;
        }
        assert_int_equal(sw_tcp_hystart_is_over(&h), !reorders);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_bdp),   cmocka_unit_test(test_not_where_the_path_reorders),
        cmocka_unit_test(test_pauses_of_links), cmocka_unit_test(test_short_paths),
        cmocka_unit_test(test_a_pause_ends_it), cmocka_unit_test(test_slack),
        cmocka_unit_test(test_extremes),        cmocka_unit_test(test_slow_start_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
