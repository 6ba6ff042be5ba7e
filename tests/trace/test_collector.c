/*
 * test_collector.c - Observations of two ends become the right rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "trace/feed.h"

#define A SANWO_TRACE_A
#define B SANWO_TRACE_B

/* A row's states: A before, A after, B before, B after. */
static void check_states(size_t index, unsigned a1, unsigned a2, unsigned b1, unsigned b2)
{
    const struct sanwo_trace_row *row = sanwo_trace_row(shared_feed.trace, index);

    assert_non_null(row);
    assert_string_equal(sanwo_tcp_state_name(row->side[A].before), sanwo_tcp_state_name(a1));
    assert_string_equal(sanwo_tcp_state_name(row->side[A].after), sanwo_tcp_state_name(a2));
    assert_string_equal(sanwo_tcp_state_name(row->side[B].before), sanwo_tcp_state_name(b1));
    assert_string_equal(sanwo_tcp_state_name(row->side[B].after), sanwo_tcp_state_name(b2));
}

static void test_handshake(void **state)
{
    (void)state;
    feed_handshake(&shared_feed, SANWO_MSEC(5));
    assert_int_equal(sanwo_trace_count(shared_feed.trace), 3);
    check_states(0, SANWO_TCP_CLOSED, SANWO_TCP_SYN_SENT, SANWO_TCP_LISTEN, SANWO_TCP_SYN_RECEIVED);
    check_states(1, SANWO_TCP_SYN_SENT, SANWO_TCP_ESTABLISHED, SANWO_TCP_SYN_RECEIVED,
                 SANWO_TCP_SYN_RECEIVED);
    check_states(2, SANWO_TCP_ESTABLISHED, SANWO_TCP_ESTABLISHED, SANWO_TCP_SYN_RECEIVED,
                 SANWO_TCP_ESTABLISHED);
    const struct sanwo_trace_row *row = sanwo_trace_row(shared_feed.trace, 1);
    assert_int_equal(row->from, B);
    assert_int_equal(row->number, 2);
    assert_int_equal(row->sent, SANWO_MSEC(5));
    assert_int_equal(row->arrived, SANWO_MSEC(10));
    assert_int_equal(row->seq_relative, 0);
    assert_int_equal(row->ack_relative, 1);
    assert_int_equal(row->phase, SANWO_TRACE_HANDSHAKE);
    assert_int_equal(row->side[A].reason, SANWO_REASON_SYN_ACK_RECEIVED);
    assert_int_equal(sanwo_trace_row(shared_feed.trace, 2)->phase, SANWO_TRACE_HANDSHAKE);
    assert_null(sanwo_trace_row(shared_feed.trace, 3));
}

static void test_close(void **state)
{
    (void)state;
    feed_handshake(&shared_feed, 0);
    feed_close(&shared_feed, 0, 1001, 5001);
    assert_int_equal(sanwo_trace_count(shared_feed.trace), 8);
    check_states(3, SANWO_TCP_ESTABLISHED, SANWO_TCP_FIN_WAIT_1, SANWO_TCP_ESTABLISHED,
                 SANWO_TCP_CLOSE_WAIT);
    check_states(4, SANWO_TCP_FIN_WAIT_1, SANWO_TCP_FIN_WAIT_2, SANWO_TCP_CLOSE_WAIT,
                 SANWO_TCP_CLOSE_WAIT);
    check_states(5, SANWO_TCP_FIN_WAIT_2, SANWO_TCP_TIME_WAIT, SANWO_TCP_CLOSE_WAIT,
                 SANWO_TCP_LAST_ACK);
    check_states(6, SANWO_TCP_TIME_WAIT, SANWO_TCP_TIME_WAIT, SANWO_TCP_LAST_ACK, SANWO_TCP_CLOSED);
    check_states(7, SANWO_TCP_TIME_WAIT, SANWO_TCP_CLOSED, SANWO_TCP_CLOSED, SANWO_TCP_CLOSED);
    assert_int_equal(sanwo_trace_row(shared_feed.trace, 7)->kind, SANWO_TRACE_CHANGE);
    assert_int_equal(sanwo_trace_row(shared_feed.trace, 3)->phase, SANWO_TRACE_CLOSE);

    struct sanwo_trace_summary s;
    sanwo_trace_summarise(shared_feed.trace, &s);
    assert_int_equal(s.opener, A);
    assert_int_equal(s.closer, A);
    assert_true(s.established[A] && s.established[B]);
    assert_int_equal(s.state[A], SANWO_TCP_CLOSED);
    assert_int_equal(s.state[B], SANWO_TCP_CLOSED);
    assert_int_equal(s.quiet, SANWO_SEC(60));
}

/* A stack may report the change after the segment that carries it. */
static void test_change_told_after_its_segment(void **state)
{
    (void)state;
    feed_handshake(&shared_feed, 0);
    feed_out(&shared_feed, A, SANWO_TCP_ESTABLISHED, FIN | ACK, 1001, 5001, 0);
    feed_state(&shared_feed, A, SANWO_TCP_ESTABLISHED, SANWO_TCP_FIN_WAIT_1,
               SANWO_REASON_USER_SHUTDOWN);
    assert_int_equal(sanwo_trace_count(shared_feed.trace), 4);
    check_states(3, SANWO_TCP_ESTABLISHED, SANWO_TCP_FIN_WAIT_1, SANWO_TCP_ESTABLISHED,
                 SANWO_TCP_ESTABLISHED);
}

/* Data goes out before the FIN: the change by the user has a row of its own, in its place. */
static void test_change_before_other_segments(void **state)
{
    (void)state;
    feed_handshake(&shared_feed, 0);
    feed_state(&shared_feed, A, SANWO_TCP_ESTABLISHED, SANWO_TCP_FIN_WAIT_1,
               SANWO_REASON_USER_SHUTDOWN);
    feed_out(&shared_feed, A, SANWO_TCP_FIN_WAIT_1, ACK, 1001, 5001, 100);
    assert_int_equal(sanwo_trace_count(shared_feed.trace), 5);
    assert_int_equal(sanwo_trace_row(shared_feed.trace, 3)->kind, SANWO_TRACE_CHANGE);
    check_states(3, SANWO_TCP_ESTABLISHED, SANWO_TCP_FIN_WAIT_1, SANWO_TCP_ESTABLISHED,
                 SANWO_TCP_ESTABLISHED);
    check_states(4, SANWO_TCP_FIN_WAIT_1, SANWO_TCP_FIN_WAIT_1, SANWO_TCP_ESTABLISHED,
                 SANWO_TCP_ESTABLISHED);
    assert_true(sanwo_trace_row(shared_feed.trace, 3)->sent_order <
                sanwo_trace_row(shared_feed.trace, 4)->sent_order);
}

/* A change whose segment never comes is shown at the end. */
static void test_change_without_segment(void **state)
{
    (void)state;
    feed_state(&shared_feed, A, SANWO_TCP_CLOSED, SANWO_TCP_SYN_SENT, SANWO_REASON_ACTIVE_OPEN);
    assert_int_equal(sanwo_trace_count(shared_feed.trace), 0);
    sanwo_trace_finish(shared_feed.trace);
    assert_int_equal(sanwo_trace_count(shared_feed.trace), 1);
    check_states(0, SANWO_TCP_CLOSED, SANWO_TCP_SYN_SENT, SANWO_TCP_LISTEN, SANWO_TCP_LISTEN);
}

static void test_lost_and_sent_again(void **state)
{
    struct sanwo_trace_summary s;

    (void)state;
    feed_handshake(&shared_feed, SANWO_MSEC(5));
    feed_out(&shared_feed, A, SANWO_TCP_ESTABLISHED, PSH | ACK, 1001, 5001, 100);
    shared_feed.now += SANWO_MSEC(200);
    feed_out(&shared_feed, A, SANWO_TCP_ESTABLISHED, PSH | ACK, 1001, 5001, 100);
    shared_feed.now += SANWO_MSEC(5);
    feed_in(&shared_feed, B, SANWO_TCP_ESTABLISHED); /* equal to both; the time says which it is */
    assert_int_equal(sanwo_trace_row(shared_feed.trace, 3)->arrived, SANWO_TIME_NEVER);
    assert_false(sanwo_trace_row(shared_feed.trace, 3)->retransmission);
    assert_int_equal(sanwo_trace_row(shared_feed.trace, 4)->arrived, shared_feed.now);
    assert_true(sanwo_trace_row(shared_feed.trace, 4)->retransmission);
    sanwo_trace_summarise(shared_feed.trace, &s);
    assert_int_equal(s.lost[A], 1);
    assert_int_equal(s.retransmissions[A], 1);
    assert_int_equal(s.bytes[A], 100);
}

static void test_overtaken(void **state)
{
    struct sanwo_observation first;

    (void)state;
    feed_handshake(&shared_feed, 0);
    feed_out(&shared_feed, A, SANWO_TCP_ESTABLISHED, ACK, 1001, 5001, 100);
    first = shared_feed.last[A];
    feed_out(&shared_feed, A, SANWO_TCP_ESTABLISHED, ACK, 1101, 5001, 100);
    feed_in(&shared_feed, B, SANWO_TCP_ESTABLISHED);
    feed_in_this(&shared_feed, B, SANWO_TCP_ESTABLISHED, &first);
    assert_true(sanwo_trace_row(shared_feed.trace, 3)->out_of_order);
    assert_false(sanwo_trace_row(shared_feed.trace, 4)->out_of_order);
}

static void test_copied_and_dropped(void **state)
{
    (void)state;
    feed_handshake(&shared_feed, 0);
    feed_out(&shared_feed, A, SANWO_TCP_ESTABLISHED, ACK, 1001, 5001, 100);
    feed_in(&shared_feed, B, SANWO_TCP_ESTABLISHED);
    shared_feed.now += SANWO_MSEC(3);
    feed_in(&shared_feed, B, SANWO_TCP_ESTABLISHED);
    feed_drop(&shared_feed, B, SANWO_TCP_ESTABLISHED, SANWO_REASON_DUPLICATE_DATA);
    assert_int_equal(sanwo_trace_count(shared_feed.trace), 5);
    const struct sanwo_trace_row *copy = sanwo_trace_row(shared_feed.trace, 4);
    assert_true(copy->duplicate);
    assert_int_equal(copy->number, 4);
    assert_int_equal(copy->arrived, shared_feed.now);
    assert_int_equal(copy->drop, SANWO_REASON_DUPLICATE_DATA);
    assert_int_equal(sanwo_trace_row(shared_feed.trace, 3)->drop, SANWO_REASON_NONE);
}

static void test_refused(void **state)
{
    struct sanwo_trace_summary s;
    struct sanwo_trace *with_listener = shared_feed.trace;

    (void)state;
    assert_int_equal(sanwo_trace_create(&shared_feed.trace), 0);
    sanwo_trace_destroy(with_listener);
    feed_state(&shared_feed, A, SANWO_TCP_CLOSED, SANWO_TCP_SYN_SENT, SANWO_REASON_ACTIVE_OPEN);
    feed_out(&shared_feed, A, SANWO_TCP_SYN_SENT, SYN, 1000, 0, 0);
    feed_in(&shared_feed, B, SANWO_TCP_CLOSED);
    feed_drop(&shared_feed, B, SANWO_TCP_CLOSED, SANWO_REASON_PORT_CLOSED);
    feed_out(&shared_feed, B, SANWO_TCP_CLOSED, RST | ACK, 0, 1001, 0);
    feed_in(&shared_feed, A, SANWO_TCP_SYN_SENT);
    feed_state(&shared_feed, A, SANWO_TCP_SYN_SENT, SANWO_TCP_CLOSED, SANWO_REASON_PEER_REFUSED);
    check_states(0, SANWO_TCP_CLOSED, SANWO_TCP_SYN_SENT, SANWO_TCP_CLOSED, SANWO_TCP_CLOSED);
    check_states(1, SANWO_TCP_SYN_SENT, SANWO_TCP_CLOSED, SANWO_TCP_CLOSED, SANWO_TCP_CLOSED);
    assert_int_equal(sanwo_trace_row(shared_feed.trace, 0)->drop, SANWO_REASON_PORT_CLOSED);
    assert_int_equal(sanwo_trace_row(shared_feed.trace, 1)->phase, SANWO_TRACE_RESET);
    sanwo_trace_summarise(shared_feed.trace, &s);
    assert_int_equal(s.ended[A], SANWO_REASON_PEER_REFUSED);
    assert_int_equal(s.closer, -1);
}

/* Nobody tells of the listener before a SYN reaches it; it was there when the first was lost. */
static void test_listener_is_found_late(void **state)
{
    struct sanwo_trace *with_listener = shared_feed.trace;

    (void)state;
    assert_int_equal(sanwo_trace_create(&shared_feed.trace), 0);
    sanwo_trace_destroy(with_listener);
    feed_state(&shared_feed, A, SANWO_TCP_CLOSED, SANWO_TCP_SYN_SENT, SANWO_REASON_ACTIVE_OPEN);
    feed_out(&shared_feed, A, SANWO_TCP_SYN_SENT, SYN, 1000, 0, 0);
    shared_feed.now += SANWO_SEC(1);
    feed_out(&shared_feed, A, SANWO_TCP_SYN_SENT, SYN, 1000, 0, 0);
    shared_feed.now += SANWO_MSEC(5);
    feed_in(&shared_feed, B, SANWO_TCP_LISTEN);
    feed_state(&shared_feed, B, SANWO_TCP_LISTEN, SANWO_TCP_SYN_RECEIVED,
               SANWO_REASON_SYN_RECEIVED);
    check_states(0, SANWO_TCP_CLOSED, SANWO_TCP_SYN_SENT, SANWO_TCP_LISTEN, SANWO_TCP_LISTEN);
    check_states(1, SANWO_TCP_SYN_SENT, SANWO_TCP_SYN_SENT, SANWO_TCP_LISTEN,
                 SANWO_TCP_SYN_RECEIVED);
    assert_int_equal(sanwo_trace_row(shared_feed.trace, 0)->arrived, SANWO_TIME_NEVER);
}

/* RFC 9293 figure 7: the SYNs cross. */
static void listener_changes(unsigned from, unsigned to, unsigned reason)
{
    struct sanwo_observation o = {.now = shared_feed.now,
                                  .kind = SANWO_OBSERVE_STATE,
                                  .state = (uint8_t)to,
                                  .old_state = (uint8_t)from,
                                  .reason = (uint16_t)reason,
                                  .local = {.port = 80}};
    sanwo_trace_observe(shared_feed.trace, B, &o);
}

/* What a listener does is the end's state as long as it has no connection, and no row before. */
static void test_listener_beside_connection(void **state)
{
    (void)state;
    listener_changes(SANWO_TCP_LISTEN, SANWO_TCP_CLOSED, SANWO_REASON_LISTENER_CLOSED);
    listener_changes(SANWO_TCP_CLOSED, SANWO_TCP_LISTEN, SANWO_REASON_PASSIVE_OPEN);
    assert_int_equal(sanwo_trace_count(shared_feed.trace), 0);
    feed_handshake(&shared_feed, SANWO_MSEC(1));
    listener_changes(SANWO_TCP_LISTEN, SANWO_TCP_CLOSED, SANWO_REASON_LISTENER_CLOSED);
    listener_changes(SANWO_TCP_CLOSED, SANWO_TCP_LISTEN, SANWO_REASON_PASSIVE_OPEN);
    feed_close(&shared_feed, SANWO_MSEC(1), 1001, 5001);
    check_states(0, SANWO_TCP_CLOSED, SANWO_TCP_SYN_SENT, SANWO_TCP_LISTEN, SANWO_TCP_SYN_RECEIVED);
    check_states(3, SANWO_TCP_ESTABLISHED, SANWO_TCP_FIN_WAIT_1, SANWO_TCP_ESTABLISHED,
                 SANWO_TCP_CLOSE_WAIT);
    listener_changes(SANWO_TCP_LISTEN, SANWO_TCP_CLOSED, SANWO_REASON_LISTENER_CLOSED);
    assert_int_equal(sanwo_trace_count(shared_feed.trace),
                     8); /* 3 and 4 segments, 2 MSL are over */
}

static void test_simultaneous_open(void **state)
{
    struct sanwo_trace_summary s;
    struct sanwo_trace *with_listener = shared_feed.trace;

    (void)state;
    assert_int_equal(sanwo_trace_create(&shared_feed.trace), 0);
    sanwo_trace_destroy(with_listener);
    for (unsigned end = 0; end < 2; end++) {
        feed_state(&shared_feed, end, SANWO_TCP_CLOSED, SANWO_TCP_SYN_SENT,
                   SANWO_REASON_ACTIVE_OPEN);
    }
    feed_out(&shared_feed, A, SANWO_TCP_SYN_SENT, SYN, 1000, 0, 0);
    feed_out(&shared_feed, B, SANWO_TCP_SYN_SENT, SYN, 5000, 0, 0);
    shared_feed.now += SANWO_MSEC(10);
    for (unsigned end = 0; end < 2; end++) {
        feed_in(&shared_feed, end, SANWO_TCP_SYN_SENT);
        feed_state(&shared_feed, end, SANWO_TCP_SYN_SENT, SANWO_TCP_SYN_RECEIVED,
                   SANWO_REASON_SIMULTANEOUS_OPEN);
    }
    check_states(0, SANWO_TCP_CLOSED, SANWO_TCP_SYN_SENT, SANWO_TCP_SYN_SENT,
                 SANWO_TCP_SYN_RECEIVED);
    check_states(1, SANWO_TCP_SYN_SENT, SANWO_TCP_SYN_RECEIVED, SANWO_TCP_CLOSED,
                 SANWO_TCP_SYN_SENT);
    feed_out(&shared_feed, A, SANWO_TCP_SYN_RECEIVED, SYN | ACK, 1000, 5001, 0);
    feed_out(&shared_feed, A, SANWO_TCP_SYN_RECEIVED, SYN | ACK, 1000, 5001, 0);
    assert_false(sanwo_trace_row(shared_feed.trace, 2)->retransmission); /* it acknowledges */
    assert_true(sanwo_trace_row(shared_feed.trace, 3)->retransmission);
    sanwo_trace_summarise(shared_feed.trace, &s);
    assert_int_equal(s.opener, 2);
}

static void test_super_segment_is_cut(void **state)
{
    struct sanwo_observation o;

    (void)state;
    feed_handshake(&shared_feed, 0);
    feed_out(&shared_feed, A, SANWO_TCP_ESTABLISHED, ACK, 1001, 5001, 10);
    o = shared_feed.last[A];
    o.seq = 1011;
    o.flags = PSH | FIN | ACK | 0x80;
    o.payload_length = 2500;
    o.segment_size = 1000;
    sanwo_trace_observe(shared_feed.trace, A, &o);
    assert_int_equal(sanwo_trace_count(shared_feed.trace), 7);
    static const struct {
        uint32_t seq, length;
        unsigned flags;
    } want[] = {{1011, 1000, ACK | 0x80}, {2011, 1000, ACK}, {3011, 500, PSH | FIN | ACK}};
    for (size_t i = 0; i < 3; i++) {
        const struct sanwo_trace_row *row = sanwo_trace_row(shared_feed.trace, 4 + i);
        assert_int_equal(row->seq, want[i].seq);
        assert_int_equal(row->payload_length, want[i].length);
        assert_int_equal(row->flags, want[i].flags);
    }
}

/* Sequence numbers wrap within the connection. */
static void test_wrap_around(void **state)
{
    (void)state;
    feed_state(&shared_feed, A, SANWO_TCP_CLOSED, SANWO_TCP_SYN_SENT, SANWO_REASON_ACTIVE_OPEN);
    feed_out(&shared_feed, A, SANWO_TCP_SYN_SENT, SYN, 0xfffffff0, 0, 0);
    feed_out(&shared_feed, A, SANWO_TCP_ESTABLISHED, ACK, 0xfffffff1, 5001, 100);
    feed_out(&shared_feed, A, SANWO_TCP_ESTABLISHED, ACK, 0x55, 5001, 100);
    feed_out(&shared_feed, A, SANWO_TCP_ESTABLISHED, ACK, 0xfffffff1, 5001, 100);
    assert_int_equal(sanwo_trace_row(shared_feed.trace, 2)->seq_relative, 101);
    assert_false(sanwo_trace_row(shared_feed.trace, 2)->retransmission);
    assert_true(sanwo_trace_row(shared_feed.trace, 3)->retransmission);
}

static void test_labels(void **state)
{
    (void)state;
    assert_int_equal(sanwo_trace_label(shared_feed.trace, B, 0, 150, "head"), 0);
    assert_int_equal(sanwo_trace_label(shared_feed.trace, B, 150, 900, "page"), 0);
    feed_handshake(&shared_feed, 0);
    feed_out(&shared_feed, B, SANWO_TCP_ESTABLISHED, ACK, 5001, 1001, 100);
    feed_out(&shared_feed, B, SANWO_TCP_ESTABLISHED, ACK, 5101, 1001, 100);
    feed_out(&shared_feed, B, SANWO_TCP_ESTABLISHED, ACK, 5201, 1001, 700);
    feed_out(&shared_feed, B, SANWO_TCP_ESTABLISHED, ACK, 5901, 1001, 10);
    feed_out(&shared_feed, B, SANWO_TCP_ESTABLISHED, ACK, 5911, 1001, 0);
    static const char *const want[] = {"head", "page", "... page", "", ""};
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(sanwo_trace_row(shared_feed.trace, 3 + i)->note, want[i]);
    }
    for (int i = 2; i < 8; i++) {
        assert_int_equal(sanwo_trace_label(shared_feed.trace, B, 0, 1, "x"), 0);
    }
    assert_int_equal(sanwo_trace_label(shared_feed.trace, B, 0, 1, "x"), -SANWO_ELIMIT);
}

static void test_other_connections_are_left_out(void **state)
{
    struct sanwo_observation o;

    (void)state;
    feed_handshake(&shared_feed, 0);
    o = shared_feed.last[A];
    o.local.port++;
    sanwo_trace_observe(shared_feed.trace, A, &o);
    o = shared_feed.last[A];
    o.kind = SANWO_OBSERVE_STATE;
    o.state = SANWO_TCP_CLOSED;
    o.remote.port++;
    sanwo_trace_observe(shared_feed.trace, A, &o);
    sanwo_trace_observe(shared_feed.trace, 2, &shared_feed.last[A]); /* there is no third end */
    assert_int_equal(sanwo_trace_count(shared_feed.trace), 3);
}

/* A segment that nobody here sent (forged, corrupted) makes no row and takes no change. */
static void test_stranger(void **state)
{
    struct sanwo_observation o;

    (void)state;
    feed_handshake(&shared_feed, 0);
    o = shared_feed.last[A];
    o.seq += 12345;
    feed_in_this(&shared_feed, B, SANWO_TCP_ESTABLISHED, &o);
    assert_int_equal(sanwo_trace_count(shared_feed.trace), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_handshake, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_close, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_change_told_after_its_segment, feed_setup,
                                        feed_teardown),
        cmocka_unit_test_setup_teardown(test_change_before_other_segments, feed_setup,
                                        feed_teardown),
        cmocka_unit_test_setup_teardown(test_change_without_segment, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_lost_and_sent_again, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_overtaken, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_copied_and_dropped, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_refused, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_listener_is_found_late, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_listener_beside_connection, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_simultaneous_open, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_super_segment_is_cut, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_wrap_around, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_labels, feed_setup, feed_teardown),
        cmocka_unit_test_setup_teardown(test_other_connections_are_left_out, feed_setup,
                                        feed_teardown),
        cmocka_unit_test_setup_teardown(test_stranger, feed_setup, feed_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
