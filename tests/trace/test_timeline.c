/*
 * test_timeline.c - A ladder's lines are in an order that is right at both ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "trace/feed.h"
#include "trace/trace.h"

#define A SANWO_TRACE_A
#define B SANWO_TRACE_B

/* The lines as text: = whole, > departs, < arrives, x lost, * change; then the segment's number. */
static void check_lines(const char *want)
{
    char text[256];
    size_t count, used = 0;
    struct trace_line *lines = sw_trace_timeline(shared_feed.trace, &count);

    assert_non_null(lines);
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        used =
            sw_trace_append(text, sizeof(text), used, "%s%c%u", i == 0 ? "" : " ",
                            "=><x*"[lines[i].kind], shared_feed.trace->rows[lines[i].row].number);
    }
    free(lines);
    assert_string_equal(text, want);
}

static void send_data(unsigned end, uint32_t seq)
{
    feed_out(&shared_feed, end, SANWO_TCP_ESTABLISHED, ACK, seq, 0, 100);
}

static void test_nothing(void **state)
{
    (void)state;
    check_lines("");
}

static void test_one_after_the_other(void **state)
{
    (void)state;
    feed_handshake(&shared_feed, SANWO_MSEC(5));
    feed_close(&shared_feed, SANWO_MSEC(5), 1001, 5001);
    check_lines("=1 =2 =3 =4 =5 =6 =7 *0");
}

/* Three in flight at once, none of them crossing anything: each still takes one line. */
static void test_burst(void **state)
{
    struct sanwo_observation sent[3];

    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        send_data(A, 1000 + 100 * i);
        sent[i] = shared_feed.last[A];
    }
    shared_feed.now += SANWO_MSEC(5);
    for (size_t i = 0; i < 3; i++) {
        feed_in_this(&shared_feed, B, SANWO_TCP_ESTABLISHED, &sent[i]);
    }
    send_data(B, 5000);
    feed_in(&shared_feed, A, SANWO_TCP_ESTABLISHED);
    check_lines("=1 =2 =3 =4");
}

static void test_crossing(void **state)
{
    (void)state;
    send_data(A, 1000);
    shared_feed.now += SANWO_MSEC(1);
    send_data(B, 5000);
    shared_feed.now += SANWO_MSEC(5);
    feed_in(&shared_feed, B, SANWO_TCP_ESTABLISHED);
    feed_in(&shared_feed, A, SANWO_TCP_ESTABLISHED);
    /* One must be split; the other then takes one line in the middle of it. */
    check_lines(">1 =2 <1");
}

static void test_crossing_at_once(void **state)
{
    (void)state;
    send_data(A, 1000);
    send_data(B, 5000);
    shared_feed.now += SANWO_MSEC(5);
    feed_in(&shared_feed, B, SANWO_TCP_ESTABLISHED);
    feed_in(&shared_feed, A, SANWO_TCP_ESTABLISHED);
    check_lines(">1 >2 <1 <2");
}

static void test_overtaken(void **state)
{
    struct sanwo_observation first;

    (void)state;
    send_data(A, 1000);
    first = shared_feed.last[A];
    send_data(A, 1100);
    feed_in(&shared_feed, B, SANWO_TCP_ESTABLISHED);
    feed_in_this(&shared_feed, B, SANWO_TCP_ESTABLISHED, &first);
    check_lines(">1 =2 <1");
}

static void test_lost_and_copied(void **state)
{
    (void)state;
    send_data(A, 1000);
    send_data(A, 1100);
    feed_in(&shared_feed, B, SANWO_TCP_ESTABLISHED);
    feed_in(&shared_feed, B, SANWO_TCP_ESTABLISHED);
    check_lines("x1 =2 <2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_nothing, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_one_after_the_other, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_burst, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_crossing, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_crossing_at_once, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_overtaken, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_lost_and_copied, feed_setup, feed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
