/*
 * test_close.c - Closing: every order of FINs, half-close, text with FIN, close() with data unread,
 * and connections that nobody holds any more. TIME-WAIT: test_time_wait.c.
 *
 * RFC 9293 3.6, 3.6.1, 3.10.4, 3.10.7.4 (seventh, eighth).
 */
#include "peer.h"

static int shut(struct peer *p)
{
    return sanwo_tcp_shutdown(p->stack, p->conn, p->now);
}

static int64_t receive_byte(struct peer *p)
{
    uint8_t byte;
    return sanwo_tcp_receive(p->stack, p->conn, &byte, 1, p->now);
}

static int64_t send_byte(struct peer *p)
{
    uint8_t byte = 0;
    return sanwo_tcp_send(p->stack, p->conn, &byte, 1, 0, p->now);
}

/* ---- the orders --------------------------------------------------------------------------------- */

/* Figure 12, our side first. MUST-12: in order, and the user can tell. */
static void test_MUST_12_we_close_first(void **state)
{
    struct peer *p = *state;
    established_active(p);
    assert_int_equal(shut(p), 0);
    EXPECT(p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    SEND(p, .flags = ACK, .seq = 1, .ack = 2);
    assert_int_equal(peer_events(p, p->conn).what & SANWO_EVENT_PEER_CLOSED, 0);
    SEND(p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    EXPECT(p, .flags = ACK, .seq = 2, .ack = 2);
    struct sanwo_event e = peer_events(p, p->conn);
    assert_true(e.what & SANWO_EVENT_PEER_CLOSED);
    assert_true(e.what & SANWO_EVENT_CLOSED);
    assert_int_equal(e.error, 0);
    assert_int_equal(receive_byte(p), 0);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    EXPECT_NOTHING(p);
    assert_int_equal(peer_stats(p).time_wait, 1);
    assert_int_equal(peer_stats(p).connections, 0);
}

static void test_peer_closes_first(void **state)
{
    struct peer *p = *state;
    established_active(p);
    SEND(p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 2);
    uint32_t what = peer_events(p, p->conn).what;
    assert_true(what & SANWO_EVENT_PEER_CLOSED);
    assert_true(what & SANWO_EVENT_READABLE);
    assert_false(what & SANWO_EVENT_CLOSED);
    assert_true(peer_info(p).peer_closed);
    assert_int_equal(receive_byte(p), 0);
    assert_int_equal(receive_byte(p), 0);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    EXPECT(p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    SEND(p, .flags = ACK, .seq = 2, .ack = 2);
    EXPECT_NOTHING(p);
    assert_int_equal(peer_stats(p).connections, 0);
    assert_int_equal(peer_stats(p).time_wait, 0);
}

/* Figure 13: both at once. U-13. B-25. */
static void test_simultaneous_close(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_FIN_WAIT_1);
    SEND(p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    EXPECT(p, .flags = ACK, .seq = 2, .ack = 2);
    CHANGED(p, FIN_WAIT_1, CLOSING);
    SEND(p, .flags = FIN | ACK, .seq = 1, .ack = 2); /* its FIN again, now it has seen ours (A.2) */
    EXPECT(p, .flags = ACK, .seq = 2, .ack = 2);     /* this ends such an exchange on either side */
    SEND(p, .flags = ACK, .seq = 2, .ack = 2);
    CHANGED(p, CLOSING, TIME_WAIT);
    EXPECT_NOTHING(p);
    assert_int_equal(peer_events(p, p->conn).error, 0);
}

/* ---- half-close ----------------------------------------------------------------------------------- */

static void test_half_close_we_go_on_reading(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_FIN_WAIT_1);
    for (uint32_t at = 1; at < 50001; at += MSS) {
        SEND(p, .flags = ACK, .seq = at, .ack = at < 20000 ? 1 : 2, .length = MSS);
        READ(p, MSS);
    }
    ASSERT_STATE(p, FIN_WAIT_2);
    peer_discard(p);
    QUIET(p, 24 * 3600 * 1000); /* as long as it likes: the user still wants to read */
    SEND(p, .flags = ACK | FIN, .seq = 50001, .ack = 2, .length = 10);
    READ(p, 10);
    assert_int_equal(receive_byte(p), 0);
    ASSERT_STATE(p, TIME_WAIT);
    EXPECT(p, .flags = ACK, .seq = 2, .ack = 50012);
}

static void test_half_close_we_go_on_writing(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_CLOSE_WAIT);
    for (uint32_t at = 1; at < 30001; at += MSS) {
        WRITE(p, MSS);
        EXPECT(p, .flags = ACK, .seq = at, .ack = 2, .length = MSS);
        SEND(p, .flags = ACK, .seq = 2, .ack = at + MSS);
    }
    ASSERT_STATE(p, CLOSE_WAIT);
    assert_int_equal(shut(p), 0);
    EXPECT(p, .flags = FIN | ACK, .seq = 30001, .ack = 2);
}

static void test_nothing_is_sent_after_shutdown(void **state)
{
    struct peer *p = *state;
    established_active(p);
    WRITE(p, 10);
    assert_int_equal(shut(p), 0);
    assert_int_equal(send_byte(p), -SANWO_EPIPE);
    assert_int_equal(shut(p), -SANWO_EPIPE);
    EXPECT(p, .flags = FIN | ACK, .seq = 1, .ack = 1, .length = 10);
    EXPECT_NOTHING(p);
    assert_int_equal(send_byte(p), -SANWO_EPIPE);
}

/* ---- where our FIN goes ---------------------------------------------------------------------------- */

/* 3.10.4: queued until all that was sent before is segmentized. */
static void test_fin_follows_the_last_byte(void **state)
{
    struct peer *p = *state;
    p->offer.window = 2500;
    established_active(p);
    WRITE(p, 4500);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = MSS);
    EXPECT(p, .flags = ACK, .seq = 1001, .ack = 1, .length = MSS);
    peer_discard(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 2001, .window = 65535);
    EXPECT(p, .flags = ACK, .seq = 2001, .ack = 1, .length = MSS);
    EXPECT(p, .flags = ACK, .seq = 3001, .ack = 1, .length = MSS);
    EXPECT(p, .flags = FIN | ACK, .seq = 4001, .ack = 1, .length = 500);
    EXPECT_NOTHING(p);
    SEND(p, .flags = ACK | FIN, .seq = 1, .ack = 4502);
    EXPECT(p, .flags = ACK, .seq = 4502, .ack = 2);
}

/* A FIN takes a number: it waits for the window as data does, and is retransmitted as data is. */
static void test_fin_is_retransmitted(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_FIN_WAIT_1);
    EXPECT_WITHIN(p, 300, .flags = FIN | ACK, .seq = 1, .ack = 1);
    EXPECT_WITHIN(p, 600, .flags = FIN | ACK, .seq = 1, .ack = 1);
    SEND(p, .flags = ACK, .seq = 1, .ack = 2);
    ASSERT_STATE(p, FIN_WAIT_2);
    QUIET(p, 10000);
}

static void test_data_and_fin_are_retransmitted(void **state)
{
    struct peer *p = *state;
    established_active(p);
    WRITE(p, 1500);
    assert_int_equal(shut(p), 0);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = MSS);
    EXPECT(p, .flags = FIN | ACK, .seq = 1001, .ack = 1, .length = 500);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1001);
    ASSERT_STATE(p, FIN_WAIT_1);
    EXPECT_WITHIN(p, 300, .flags = FIN | ACK, .seq = 1001, .ack = 1, .length = 500);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1501); /* all but the FIN */
    ASSERT_STATE(p, FIN_WAIT_1);
    EXPECT_WITHIN(p, 1000, .flags = FIN | ACK, .seq = 1501, .ack = 1);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1502);
    ASSERT_STATE(p, FIN_WAIT_2);
}

static void test_fin_behind_a_closed_window(void **state)
{
    struct peer *p = *state;
    established_active(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .zero_window = true);
    WRITE(p, 100);
    assert_int_equal(shut(p), 0);
    const struct segment *probe = peer_next(p, 2000);
    assert_non_null(probe);
    assert_int_equal(probe->seq, 1);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1 + probe->length);
    uint32_t from = 1 + p->last.segment.length;
    EXPECT(p, .flags = FIN | ACK, .seq = from, .ack = 1, .length = 101 - from);
}

/* ---- the peer's FIN ---------------------------------------------------------------------------------- */

static void test_fin_with_data(void **state)
{
    struct peer *p = *state;
    established_active(p);
    SEND(p, .flags = FIN | ACK | PSH, .seq = 1, .ack = 1, .length = 300);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 302);
    CHANGED(p, ESTABLISHED, CLOSE_WAIT);
    READ(p, 300);
    assert_int_equal(receive_byte(p), 0);
}

/* A FIN before its time is not one yet (3.10.7.4 eighth: all before it must have arrived). */
static void test_fin_out_of_order(void **state)
{
    struct peer *p = *state;
    established_active(p);
    SEND(p, .flags = FIN | ACK, .seq = 201, .ack = 1, .length = 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
    SEND(p, .flags = FIN | ACK, .seq = 301, .ack = 1); /* the same FIN, alone */
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
    UNCHANGED(p);
    SEND(p, .flags = ACK, .seq = 101, .ack = 1, .length = 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
    UNCHANGED(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 302);
    CHANGED(p, ESTABLISHED, CLOSE_WAIT);
    READ(p, 300);
    assert_int_equal(receive_byte(p), 0);
}

static void test_fin_out_of_order_in_fin_wait(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_FIN_WAIT_2);
    SEND(p, .flags = FIN | ACK, .seq = 101, .ack = 2);
    EXPECT(p, .flags = ACK, .seq = 2, .ack = 1);
    UNCHANGED(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 2, .length = 100);
    EXPECT(p, .flags = ACK, .seq = 2, .ack = 102);
    CHANGED(p, FIN_WAIT_2, TIME_WAIT);
    READ(p, 100);
}

/* U-13: the FIN again, as our ACK was lost: acknowledged again, no change. */
static void test_U_13_repeated_fin(void **state)
{
    static const enum sanwo_tcp_state states[] = {SANWO_TCP_CLOSE_WAIT, SANWO_TCP_CLOSING,
                                                  SANWO_TCP_LAST_ACK};
    struct peer *p = *state;
    for (size_t i = 0; i < 3; i++) {
        in_state(p, states[i]);
        SEND(p, .flags = FIN | ACK, .seq = 1, .ack = 1);
        EXPECT(p, .flags = ACK, .seq = p->ack, .ack = 2);
        UNCHANGED(p);
        sanwo_tcp_abort(p->stack, p->conn, p->now);
        peer_discard(p);
    }
}

/* U-12: text after the FIN is ignored. */
static void test_U_12_text_after_fin(void **state)
{
    static const enum sanwo_tcp_state states[] = {SANWO_TCP_CLOSE_WAIT, SANWO_TCP_CLOSING,
                                                  SANWO_TCP_LAST_ACK};
    struct peer *p = *state;
    for (size_t i = 0; i < 3; i++) {
        in_state(p, states[i]);
        SEND(p, .flags = ACK, .seq = 2, .ack = 1, .length = 100);
        UNCHANGED(p);
        peer_discard(p);
        assert_int_equal(peer_info(p).receive_queued, 0);
        assert_int_equal(peer_info(p).rcv_nxt - p->isn, 2);
        sanwo_tcp_abort(p->stack, p->conn, p->now);
        peer_discard(p);
    }
}

/* ---- close() with data unread, SHLD-3 --------------------------------------------------------------------- */

static void test_SHLD_3_close_with_unread_data(void **state)
{
    struct peer *p = *state;
    established_active(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    peer_advance(p, 100);
    peer_discard(p);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    const struct segment *rst = peer_next(p, 0);
    assert_non_null(rst);
    assert_int_equal(rst->flags & ~ACK, RST);
    assert_int_equal(rst->seq, 1);
    QUIET(p, 1000);
    CHANGED(p, ESTABLISHED, CLOSED);
}

/* MAY-1: close() is for both directions. */
static void test_SHLD_3_data_after_close(void **state)
{
    struct peer *p = *state;
    established_active(p);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    EXPECT(p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    SEND(p, .flags = ACK, .seq = 1, .ack = 2);
    EXPECT_NOTHING(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 2, .length = 50);
    const struct segment *rst = peer_next(p, 0);
    assert_non_null(rst);
    assert_int_equal(rst->flags & ~ACK, RST);
    assert_int_equal(rst->seq, 2);
    QUIET(p, 1000);
    assert_int_equal(peer_stats(p).connections, 0);
}

/* All was read: no reset, although the peer has not closed. */
static void test_close_with_all_read(void **state)
{
    struct peer *p = *state;
    established_active(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    READ(p, 100);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    EXPECT(p, .flags = FIN | ACK, .seq = 1, .ack = 101);
}

/* 3.10.4: CLOSE in SYN-SENT deletes the TCB. What comes later finds nothing. */
static void test_close_in_syn_sent(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_SENT);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    QUIET(p, 100 * 1000);
    peer_syn(p, SYN | ACK);
    EXPECT(p, .flags = RST, .seq = 1);
}

/* 3.10.4: in SYN-RECEIVED with data waiting the FIN follows it once ESTABLISHED. */
static void test_close_in_syn_received_with_data(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_RECEIVED);
    WRITE(p, 100);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    peer_discard(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1);
    EXPECT(p, .flags = FIN | ACK, .seq = 1, .ack = 1, .length = 100);
    SEND(p, .flags = FIN | ACK, .seq = 1, .ack = 102);
    EXPECT(p, .flags = ACK, .seq = 102, .ack = 2);
}

/* ---- nobody holds it and nobody answers: B-15 ---------------------------------------------------------------- */

static void test_B_15_orphans_end(void **state)
{
    static const struct {
        enum sanwo_tcp_state state;
        int64_t most; /* seconds */
    } rows[] = {
        {SANWO_TCP_ESTABLISHED, 1800}, {SANWO_TCP_FIN_WAIT_1, 1800}, {SANWO_TCP_FIN_WAIT_2, 61},
        {SANWO_TCP_CLOSING, 1800},     {SANWO_TCP_LAST_ACK, 1800},   {SANWO_TCP_CLOSE_WAIT, 1800},
        {SANWO_TCP_TIME_WAIT, 61},
    };
    struct peer *p = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        in_state(p, rows[i].state);
        assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
        assert_int_equal(peer_stats(p).connections + peer_stats(p).time_wait, 1);
        peer_advance(p, rows[i].most * 1000);
        peer_discard(p);
        assert_int_equal(peer_stats(p).connections + peer_stats(p).time_wait, 0);
    }
}

/* MUST-20 and attack B-18: data that nobody acknowledges does not stay for ever either. */
static void test_B_18_orphan_with_data(void **state)
{
    struct peer *p = *state;
    established_active(p);
    WRITE(p, 100000);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    peer_advance(p, 1800 * 1000);
    peer_discard(p);
    assert_int_equal(peer_stats(p).connections, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_MUST_12_we_close_first),
        BOTH(test_peer_closes_first),
        BOTH(test_simultaneous_close),
        BOTH(test_half_close_we_go_on_reading),
        BOTH(test_half_close_we_go_on_writing),
        BOTH(test_nothing_is_sent_after_shutdown),
        BOTH(test_fin_follows_the_last_byte),
        BOTH(test_fin_is_retransmitted),
        BOTH(test_data_and_fin_are_retransmitted),
        BOTH(test_fin_behind_a_closed_window),
        BOTH(test_fin_with_data),
        BOTH(test_fin_out_of_order),
        BOTH(test_fin_out_of_order_in_fin_wait),
        BOTH(test_U_13_repeated_fin),
        BOTH(test_U_12_text_after_fin),
        BOTH(test_SHLD_3_close_with_unread_data),
        BOTH(test_SHLD_3_data_after_close),
        BOTH(test_close_with_all_read),
        BOTH(test_close_in_syn_sent),
        BOTH(test_close_in_syn_received_with_data),
        BOTH(test_B_15_orphans_end),
        BOTH(test_B_18_orphan_with_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
