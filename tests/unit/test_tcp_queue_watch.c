/*
 * test_tcp_queue_watch.c - A queue of ours, and a queue of others: least RTTs of rounds in.
 */
#include "cc_model.h"

#include "base/bytes.h"
#include "tcp/congestion/queue_watch.h"

#define MSS 1000
#define MS SANWO_MSEC(1)
#define RTT (100 * MS)
#define ACKS 20 /* in a round */
#define WINDOW (100 * MSS)

struct walk {
    struct queue_watch watch;
    tcp_seq una;
};

/* A round in which the least RTT is @least; most are longer. The last ACK ends it. Returns the answer then. */
static bool round_trip(struct walk *w, sanwo_time least, sanwo_time min_rtt, uint32_t cwnd)
{
    bool ours = false;
    for (unsigned n = 0; n < ACKS; n++) {
        w->una = tcp_seq_add(w->una, MSS);
        struct tcp_cc_ack a = {.rtt = n == 7 ? least : least / 2 * 3,
                               .min_rtt = min_rtt,
                               .una = w->una,
                               .nxt = tcp_seq_add(w->una, ACKS * MSS)};
        ours = sw_tcp_queue_is_ours(&w->watch, &a, cwnd);
    }
    return ours;
}

/* The first ACK begins the first round. */
static struct walk start(void)
{
    struct walk w = {.una = tcp_seq_of(0xffffe000)};
    struct tcp_cc_ack a = {.una = w.una, .nxt = tcp_seq_add(w.una, ACKS * MSS)};
    assert_false(sw_tcp_queue_is_ours(&w.watch, &a, WINDOW));
    return w;
}

/* HyStart's threshold: an eighth, between 4 and 16 ms. */
static void test_a_queue(void **state)
{
    (void)state;
    const struct {
        sanwo_time min_rtt, least;
        bool ours;
    } rows[] = {
        {RTT, RTT, false},
        {RTT, RTT + 12499 * SANWO_USEC(1), false},
        {RTT, RTT + 12500 * SANWO_USEC(1), true},
        {RTT, 3 * RTT, true},
        {MS, 5 * MS - 1, false},
        {MS, 5 * MS, true},
        {10 * RTT, 1016 * MS - 1, false},
        {10 * RTT, 1016 * MS, true},
        {RTT, INT64_C(1) << 33, false}, /* too long to reckon with */
        {0, INT64_MAX / 2, false},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct walk w = start();
        if (round_trip(&w, rows[i].least, rows[i].min_rtt, WINDOW) != rows[i].ours)
            fail_msg("row %zu", i);
    }
}

/* It went: more fits. It came back: it is ours again. */
static void test_comes_and_goes(void **state)
{
    (void)state;
    struct walk w = start();
    assert_true(round_trip(&w, 120 * MS, RTT, WINDOW));
    assert_false(round_trip(&w, 105 * MS, RTT, WINDOW));
    assert_true(round_trip(&w, 120 * MS, RTT, WINDOW));
}

/* RTTs that rise by a quarter while cwnd stays: somebody else fills the queue, and that is not forgotten. */
static void test_contended(void **state)
{
    (void)state;
    const struct {
        sanwo_time then;
        uint32_t cwnd;
        bool ours;
    } rows[] = {
        {120 * MS, WINDOW, true},
        {145 * MS - 1, WINDOW, true},
        {145 * MS, WINDOW, false},
        {145 * MS, WINDOW + WINDOW / 5, true},  /* a sixth of the 145 ms is ours */
        {174 * MS, WINDOW + WINDOW / 5, false}, /* 29 of the 54 ms are */
        {145 * MS, WINDOW / 2, false},          /* less cwnd explains nothing */
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct walk w = start();
        for (int n = 0; n < 3; n++)
            assert_true(round_trip(&w, 120 * MS, RTT, WINDOW));
        if (round_trip(&w, rows[i].then, RTT, rows[i].cwnd) != rows[i].ours)
            fail_msg("row %zu", i);
        assert_int_equal(round_trip(&w, 120 * MS, RTT, WINDOW), rows[i].ours);
        assert_false(round_trip(&w, RTT, RTT, WINDOW));
    }
}

/* In its first rounds the queue that slow start made is still growing: that is nobody else's. */
static void test_settles(void **state)
{
    (void)state;
    struct walk w = start();
    assert_true(round_trip(&w, 115 * MS, RTT, WINDOW));
    assert_true(round_trip(&w, 160 * MS, RTT, WINDOW));
    assert_true(round_trip(&w, 220 * MS, RTT, WINDOW));
    assert_true(round_trip(&w, 220 * MS, RTT, WINDOW));
    assert_false(round_trip(&w, 250 * MS, RTT, WINDOW));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_queue),
        cmocka_unit_test(test_comes_and_goes),
        cmocka_unit_test(test_contended),
        cmocka_unit_test(test_settles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
