/*
 * test_tcp_rate.c - The delivery rate estimator: which bytes over which time.
 */
#include "tcp/send/rate.h"

#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MSS 1000u
#define MS(n) SANWO_MSEC(n)

/* One segment is a round trip's worth: its bytes over that time. */
static void test_one_segment(void **state)
{
    (void)state;
    struct tcp_rate rate;
    struct tcp_rate_mark mark;

    sw_tcp_rate_init(&rate);
    sw_tcp_rate_on_sent(&rate, &mark, 0, MSS, MS(100));
    assert_int_equal(mark.in_flight, MSS);
    assert_false(mark.app_limited);
    sw_tcp_rate_on_delivered(&rate, &mark, MS(100), MSS, MS(150));
    struct tcp_rate_sample sample = sw_tcp_rate_sample(&rate, MS(50));
    assert_true(sample.valid);
    assert_int_equal(sample.delivered, MSS);
    assert_int_equal(sample.interval, MS(50));
    assert_int_equal(sample.prior_delivered, 0);
    assert_int_equal(sample.tx_in_flight, MSS);
    assert_int_equal(sample.lost, 0);
    /* The next ACK delivers nothing. */
    assert_false(sw_tcp_rate_sample(&rate, MS(50)).valid);
}

/*
 * Ten segments leave at 1 a ms and come back at 1 in 2 ms: it is the slower of the two that tells.
 *
 *     sent       0 1 2 ... 9
 *     delivered        20 22 24 ... 38
 */
static void test_slower_of_sending_and_delivering(void **state)
{
    (void)state;
    struct tcp_rate rate;
    struct tcp_rate_mark marks[20];

    sw_tcp_rate_init(&rate);
    for (unsigned i = 0; i < 10; i++)
        sw_tcp_rate_on_sent(&rate, &marks[i], i * MSS, MSS, MS(i));
    for (unsigned i = 0; i < 10; i++) {
        sw_tcp_rate_on_delivered(&rate, &marks[i], MS(i), MSS, MS(20 + 2 * i));
        struct tcp_rate_sample sample = sw_tcp_rate_sample(&rate, MS(20));
        assert_int_equal(sample.delivered, (i + 1) * MSS);
        assert_int_equal(sample.interval, MS(20 + 2 * i)); /* all of it since the first left */
    }
    /* The next ten leave at 1 in 4 ms, and their ACKs come as one: sending is what took long. */
    for (unsigned i = 10; i < 20; i++)
        sw_tcp_rate_on_sent(&rate, &marks[i], (i - 9) * MSS, MSS, MS(40 + 4 * (i - 10)));
    for (unsigned i = 10; i < 20; i++)
        sw_tcp_rate_on_delivered(&rate, &marks[i], MS(40 + 4 * (i - 10)), MSS, MS(97));
    struct tcp_rate_sample sample = sw_tcp_rate_sample(&rate, MS(20));
    assert_int_equal(sample.delivered, 10 * MSS);
    assert_int_equal(sample.prior_delivered, 10 * MSS);
    assert_int_equal(sample.interval, MS(76 - 9)); /* delivering took 97 - 38 */
    assert_int_equal(sample.tx_in_flight, 11 * MSS);
}

/* Time in which nothing was in flight does not count. */
static void test_pause(void **state)
{
    (void)state;
    struct tcp_rate rate;
    struct tcp_rate_mark mark;

    sw_tcp_rate_init(&rate);
    for (unsigned i = 0; i < 3; i++) {
        sanwo_time at = SANWO_SEC(10 * i);
        sw_tcp_rate_on_sent(&rate, &mark, 0, MSS, at);
        sw_tcp_rate_on_delivered(&rate, &mark, at, MSS, at + MS(7));
        struct tcp_rate_sample sample = sw_tcp_rate_sample(&rate, MS(7));
        assert_int_equal(sample.interval, MS(7));
        assert_int_equal(sample.delivered, MSS);
    }
}

/* Of what one ACK delivers, what left last tells; also if it is told first, or has no mark. */
static void test_newest_counts(void **state)
{
    (void)state;
    struct tcp_rate rate;
    struct tcp_rate_mark marks[4];

    for (int order = 0; order < 2; order++) {
        sw_tcp_rate_init(&rate);
        sw_tcp_rate_on_sent(&rate, &marks[0], 0, MSS, MS(1));
        sw_tcp_rate_on_sent(&rate, &marks[1], MSS, MSS, MS(2));
        sw_tcp_rate_on_sent(&rate, &marks[2], 2 * MSS, MSS, MS(2)); /* one burst with it */
        sw_tcp_rate_on_delivered(&rate, NULL, MS(5), 10, MS(20));
        for (int i = 0; i < 3; i++) {
            int k = order ? 2 - i : i;
            sw_tcp_rate_on_delivered(&rate, &marks[k], MS(k ? 2 : 1), MSS, MS(20));
        }
        struct tcp_rate_sample sample = sw_tcp_rate_sample(&rate, MS(10));
        assert_true(sample.valid);
        assert_int_equal(sample.tx_in_flight, 3 * MSS);
        assert_int_equal(sample.delivered, 3 * MSS + 10);
        assert_int_equal(rate.delivered, 3 * MSS + 10);
        assert_int_equal(rate.first_sent, MS(2));
    }
    marks[3] = (struct tcp_rate_mark){0}; /* never filled: counts, but tells nothing */
    sw_tcp_rate_on_delivered(&rate, &marks[3], MS(30), MSS, MS(40));
    assert_false(sw_tcp_rate_sample(&rate, 0).valid);
    assert_int_equal(rate.delivered, 4 * MSS + 10);
}

/* Faster than any round trip: it was not this transmission that arrived. */
static void test_shorter_than_a_round_trip(void **state)
{
    (void)state;
    struct tcp_rate rate;
    struct tcp_rate_mark mark;
    const struct {
        sanwo_time back, min_rtt, interval;
    } rows[] = {
        {MS(20), MS(20), MS(20)},
        {MS(20) - 1, MS(20), 0},
        {MS(20), 0, MS(20)},
        {0, 0, 0},
        {1, 0, 1},
    };

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        sw_tcp_rate_init(&rate);
        sw_tcp_rate_on_sent(&rate, &mark, 0, MSS, MS(1));
        sw_tcp_rate_on_delivered(&rate, &mark, MS(1), MSS, MS(1) + rows[i].back);
        struct tcp_rate_sample sample = sw_tcp_rate_sample(&rate, rows[i].min_rtt);
        assert_true(sample.valid); /* for counting round trips it is good enough */
        assert_int_equal(sample.interval, rows[i].interval);
    }
}

/* From the moment that data ran out until what was in flight then has arrived, and more. */
static void test_app_limited(void **state)
{
    (void)state;
    struct tcp_rate rate;
    struct tcp_rate_mark marks[4];

    sw_tcp_rate_init(&rate);
    sw_tcp_rate_on_sent(&rate, &marks[0], 0, MSS, MS(0));
    sw_tcp_rate_app_limited(&rate, MSS);
    sw_tcp_rate_on_sent(&rate, &marks[1], MSS, MSS, MS(5));
    assert_false(marks[0].app_limited);
    assert_true(marks[1].app_limited);

    sw_tcp_rate_on_delivered(&rate, &marks[0], MS(0), MSS, MS(10));
    assert_false(sw_tcp_rate_sample(&rate, 0).app_limited);
    sw_tcp_rate_on_sent(&rate, &marks[2], MSS, MSS, MS(11));
    assert_true(marks[2].app_limited); /* only all of what left before has arrived */

    sw_tcp_rate_on_delivered(&rate, &marks[1], MS(5), MSS, MS(15));
    assert_true(sw_tcp_rate_sample(&rate, 0).app_limited);
    sw_tcp_rate_on_sent(&rate, &marks[3], MSS, MSS, MS(16));
    assert_false(marks[3].app_limited);

    sw_tcp_rate_init(&rate);
    sw_tcp_rate_app_limited(&rate, 0); /* before anything was sent, too */
    sw_tcp_rate_on_sent(&rate, &marks[0], 0, MSS, MS(0));
    assert_true(marks[0].app_limited);
}

/* The marks hold the low halves only: what was delivered and lost since is right over a wrap. */
static void test_counts_wrap(void **state)
{
    (void)state;
    const uint64_t starts[] = {0, UINT32_MAX - 500, UINT32_MAX, UINT64_C(0x1fffffc18)};

    for (size_t i = 0; i < SW_COUNT(starts); i++) {
        struct tcp_rate rate = {.delivered = starts[i], .lost = starts[i]};
        struct tcp_rate_mark marks[3];
        for (unsigned k = 0; k < 3; k++)
            sw_tcp_rate_on_sent(&rate, &marks[k], k * MSS, MSS, MS(k));
        sw_tcp_rate_on_delivered(&rate, &marks[2], MS(2), MSS, MS(30));
        sw_tcp_rate_on_lost(&rate, NULL, 2 * MSS);
        struct tcp_rate_sample sample = sw_tcp_rate_sample(&rate, 0);
        assert_int_equal(sample.delivered, MSS);
        assert_true(sample.prior_delivered == starts[i]);
        assert_int_equal(sample.lost, 2 * MSS);
        /* Sent again: only what is lost after that is its own affair. */
        sw_tcp_rate_on_sent(&rate, &marks[0], 0, MSS, MS(31));
        sw_tcp_rate_on_lost(&rate, NULL, 7);
        sw_tcp_rate_on_delivered(&rate, &marks[0], MS(31), MSS, MS(60));
        sample = sw_tcp_rate_sample(&rate, 0);
        assert_int_equal(sample.lost, 7);
        assert_true(sample.prior_delivered == starts[i] + MSS);
    }
}

/* What was deemed lost and is not does not count, also if it was before the mark. */
static void test_found(void **state)
{
    (void)state;
    const struct {
        uint32_t lost_before, lost_after, found, lost;
    } rows[] = {{0, 5, 5, 0}, {0, 9, 5, 4}, {7, 2, 7, 0}, {7, 9, 7, 2}, {7, 0, 70, 0}};

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_rate rate;
        struct tcp_rate_mark mark;
        sw_tcp_rate_init(&rate);
        sw_tcp_rate_on_lost(&rate, NULL, rows[i].lost_before);
        sw_tcp_rate_on_sent(&rate, &mark, 0, MSS, MS(0));
        sw_tcp_rate_on_lost(&rate, NULL, rows[i].lost_after);
        uint64_t lost = rate.lost;
        sw_tcp_rate_on_found(&rate, rows[i].found);
        assert_true(rate.lost == (lost > rows[i].found ? lost - rows[i].found : 0));
        sw_tcp_rate_on_delivered(&rate, &mark, MS(0), MSS, MS(9));
        assert_int_equal(sw_tcp_rate_sample(&rate, 0).lost, rows[i].lost);
    }
}

/* What is lost tells what its arrival would have told: what was in flight, delivered, lost with it. */
static void test_lost(void **state)
{
    (void)state;
    struct tcp_rate rate;
    struct tcp_rate_mark marks[4];

    sw_tcp_rate_init(&rate);
    sw_tcp_rate_on_sent(&rate, &marks[0], 0, MSS, MS(0));
    sw_tcp_rate_app_limited(&rate, MSS);
    for (unsigned i = 1; i < 4; i++)
        sw_tcp_rate_on_sent(&rate, &marks[i], i * MSS, MSS, MS(i));
    sw_tcp_rate_on_delivered(&rate, &marks[3], MS(3), MSS, MS(20));
    struct tcp_rate_sample lost = sw_tcp_rate_on_lost(&rate, &marks[0], MSS);
    assert_true(lost.valid);
    assert_false(lost.app_limited);
    assert_int_equal(lost.tx_in_flight, MSS);
    assert_int_equal(lost.lost, MSS); /* itself included */
    lost = sw_tcp_rate_on_lost(&rate, &marks[2], MSS);
    assert_true(lost.app_limited);
    assert_int_equal(lost.tx_in_flight, 3 * MSS);
    assert_int_equal(lost.lost, 2 * MSS);
    assert_int_equal(lost.delivered, MSS);
    assert_int_equal(lost.prior_delivered, 0);
    assert_true(rate.lost == 2 * MSS);

    assert_false(sw_tcp_rate_on_lost(&rate, NULL, 5).valid);
    assert_true(rate.lost == 2 * MSS + 5);
    assert_int_equal(sw_tcp_rate_sample(&rate, 0).tx_in_flight, 4 * MSS); /* the delivered one's */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_one_segment),
        cmocka_unit_test(test_slower_of_sending_and_delivering),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_newest_counts),
        cmocka_unit_test(test_shorter_than_a_round_trip),
        cmocka_unit_test(test_app_limited),
        cmocka_unit_test(test_counts_wrap),
        cmocka_unit_test(test_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
