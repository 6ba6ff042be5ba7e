/*
 * test_edges.c - Every edge of RFC 9293 3.3.2, figure 5, and of its notes, a test each.
 *
 * The harness besides refuses, in all tests of this folder, an edge that the figure does not have.
 */
#include "peer.h"

static void test_edge_closed_to_listen(void **state)
{
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    CHANGED(p, CLOSED, LISTEN);
    EXPECT_NOTHING(p);
}

static void test_edge_closed_to_syn_sent(void **state)
{
    struct peer *p = *state;
    peer_connect(p);
    CHANGED(p, CLOSED, SYN_SENT);
    EXPECT(p, .flags = SYN);
    ASSERT_STATE(p, SYN_SENT);
}

static void test_edge_listen_to_closed(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_LISTEN);
    assert_int_equal(sanwo_tcp_close(p->stack, p->listener, p->now), 0);
    CHANGED(p, LISTEN, CLOSED);
    EXPECT_NOTHING(p);
}

static void test_edge_listen_to_syn_received(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_LISTEN);
    peer_syn(p, SYN);
    CHANGED(p, LISTEN, SYN_RECEIVED);
    EXPECT(p, .flags = SYN | ACK, .ack = 1);
}

/* 3.10.1: OPEN active on a connection in LISTEN. */
static void test_edge_listen_to_syn_sent(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_LISTEN);
    struct sanwo_tcp_connect open = {.remote = p->theirs,
                                     .local = p->ours,
                                     .listener = p->listener,
                                     .isn_is_set = true,
                                     .isn = p->iss};
    assert_int_equal(sanwo_tcp_connect(p->stack, &open, p->now, &p->conn), 0);
    CHANGED(p, LISTEN, SYN_SENT);
    EXPECT(p, .flags = SYN);
    assert_int_equal(sanwo_tcp_close(p->stack, p->listener, p->now), -SANWO_EBADF);
}

static void test_edge_syn_sent_to_syn_received(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_SENT);
    peer_syn(p, SYN);
    CHANGED(p, SYN_SENT, SYN_RECEIVED);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
}

static void test_edge_syn_sent_to_established(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_SENT);
    peer_syn(p, SYN | ACK);
    CHANGED(p, SYN_SENT, ESTABLISHED);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
}

static void test_edge_syn_sent_to_closed(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_SENT);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    CHANGED(p, SYN_SENT, CLOSED);
    EXPECT_NOTHING(p); /* 3.10.4: delete the TCB */
}

static void test_edge_syn_received_to_established(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_RECEIVED);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1);
    CHANGED(p, SYN_RECEIVED, ESTABLISHED);
    EXPECT_NOTHING(p);
}

static void test_edge_syn_received_to_established_passive(void **state)
{
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    peer_syn(p, SYN);
    EXPECT(p, .flags = SYN | ACK, .ack = 1);
    p->change_count = 0;
    SEND(p, .flags = ACK, .seq = 1, .ack = 1);
    CHANGED(p, SYN_RECEIVED, ESTABLISHED);
    EXPECT_NOTHING(p);
}

/* 3.10.4: nothing was sent, nothing is pending: form a FIN and enter FIN-WAIT-1. */
static void test_edge_syn_received_to_fin_wait_1(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_RECEIVED);
    assert_int_equal(sanwo_tcp_shutdown(p->stack, p->conn, p->now), 0);
    CHANGED(p, SYN_RECEIVED, FIN_WAIT_1);
    EXPECT(p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    SEND(p, .flags = ACK, .seq = 1, .ack = 2);
    CHANGED(p, FIN_WAIT_1, FIN_WAIT_2);
}

/* 3.10.7.4, second: a passive open returns to LISTEN, and the user is not told (MUST-11). */
static void test_edge_syn_received_to_listen(void **state)
{
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    peer_syn(p, SYN);
    EXPECT(p, .flags = SYN | ACK, .ack = 1);
    p->change_count = 0;
    SEND(p, .flags = RST, .seq = 1);
    CHANGED(p, SYN_RECEIVED, LISTEN);
    EXPECT_NOTHING(p);
    assert_int_equal(peer_events(p, p->listener).what, 0);
    peer_syn(p, SYN); /* and it listens still */
    EXPECT(p, .flags = SYN | ACK, .ack = 1);
}

static void test_edge_established_to_fin_wait_1(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_ESTABLISHED);
    assert_int_equal(sanwo_tcp_shutdown(p->stack, p->conn, p->now), 0);
    CHANGED(p, ESTABLISHED, FIN_WAIT_1);
    EXPECT(p, .flags = FIN | ACK, .seq = 1, .ack = 1);
}

static void test_edge_established_to_close_wait(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_ESTABLISHED);
    SEND(p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    CHANGED(p, ESTABLISHED, CLOSE_WAIT);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 2);
}

static void test_edge_fin_wait_1_to_fin_wait_2(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_FIN_WAIT_1);
    SEND(p, .flags = ACK, .seq = 1, .ack = 2);
    CHANGED(p, FIN_WAIT_1, FIN_WAIT_2);
    EXPECT_NOTHING(p);
}

static void test_edge_fin_wait_1_to_closing(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_FIN_WAIT_1);
    SEND(p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    CHANGED(p, FIN_WAIT_1, CLOSING);
    EXPECT(p, .flags = ACK, .seq = 2, .ack = 2);
}

/*
 * Note 2 of the figure: a FIN that acknowledges ours. 3.10.7.4 takes it in two steps of one segment:
 * its fifth enters FIN-WAIT-2, its eighth TIME-WAIT.
 */
static void test_edge_fin_wait_1_to_time_wait(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_FIN_WAIT_1);
    SEND(p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    assert_int_equal(p->changes[0].from, SANWO_TCP_FIN_WAIT_1);
    assert_in_range(p->change_count, 1, 2);
    assert_int_equal(p->changes[p->change_count - 1].to, SANWO_TCP_TIME_WAIT);
    EXPECT(p, .flags = ACK, .seq = 2, .ack = 2);
}

static void test_edge_fin_wait_2_to_time_wait(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_FIN_WAIT_2);
    SEND(p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    CHANGED(p, FIN_WAIT_2, TIME_WAIT);
    EXPECT(p, .flags = ACK, .seq = 2, .ack = 2);
}

static void test_edge_closing_to_time_wait(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_CLOSING);
    SEND(p, .flags = ACK, .seq = 2, .ack = 2);
    CHANGED(p, CLOSING, TIME_WAIT);
    EXPECT_NOTHING(p);
}

static void test_edge_close_wait_to_last_ack(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_CLOSE_WAIT);
    assert_int_equal(sanwo_tcp_shutdown(p->stack, p->conn, p->now), 0);
    CHANGED(p, CLOSE_WAIT, LAST_ACK);
    EXPECT(p, .flags = FIN | ACK, .seq = 1, .ack = 2);
}

static void test_edge_last_ack_to_closed(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_LAST_ACK);
    SEND(p, .flags = ACK, .seq = 2, .ack = 2);
    CHANGED(p, LAST_ACK, CLOSED);
    EXPECT_NOTHING(p);
    struct sanwo_event e = peer_events(p, p->conn);
    assert_true(e.what & SANWO_EVENT_CLOSED);
    assert_int_equal(e.error, 0);
}

static void test_edge_time_wait_to_closed(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_TIME_WAIT);
    QUIET(p, 59990);
    UNCHANGED(p);
    QUIET(p, 1000); /* the clock of TIME-WAIT is coarse: at least 2 MSL, at most 1 % more */
    CHANGED(p, TIME_WAIT, CLOSED);
}

/* ---- to CLOSED from everywhere: 3.10.5 ABORT, 3.10.7.4 second (RST), 3.10.8 user timeout -------- */

static const struct {
    enum sanwo_tcp_state from;
    bool abort_sends_reset;
    int error; /* of a reset by the peer */
} endings[] = {
    {SANWO_TCP_SYN_RECEIVED, true, SANWO_ECONNREFUSED},
    {SANWO_TCP_ESTABLISHED, true, SANWO_ECONNRESET},
    {SANWO_TCP_FIN_WAIT_1, true, SANWO_ECONNRESET},
    {SANWO_TCP_FIN_WAIT_2, true, SANWO_ECONNRESET},
    {SANWO_TCP_CLOSE_WAIT, true, SANWO_ECONNRESET},
    {SANWO_TCP_CLOSING, false, 0},
    {SANWO_TCP_LAST_ACK, false, 0},
};

static void test_edges_to_closed_by_abort(void **state)
{
    struct peer *p = *state;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        in_state(p, endings[i].from);
        assert_int_equal(sanwo_tcp_abort(p->stack, p->conn, p->now), 0);
        CHANGES(p, endings[i].from, SANWO_TCP_CLOSED);
        if (endings[i].abort_sends_reset) { /* <SEQ=SND.NXT><CTL=RST> */
            const struct segment *rst = peer_next(p, 0);
            assert_non_null(rst);
            assert_int_equal(rst->flags & ~ACK, RST);
            assert_int_equal(rst->seq, p->ack);
        }
        EXPECT_NOTHING(p);
        assert_int_equal(sanwo_tcp_abort(p->stack, p->conn, p->now), -SANWO_EBADF);
    }
    in_state(p, SANWO_TCP_SYN_SENT);
    assert_int_equal(sanwo_tcp_abort(p->stack, p->conn, p->now), 0);
    CHANGED(p, SYN_SENT, CLOSED);
    EXPECT_NOTHING(p);
}

static void test_edges_to_closed_by_reset(void **state)
{
    struct peer *p = *state;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        in_state(p, endings[i].from);
        SEND(p, .flags = RST, .seq = p->seq);
        CHANGES(p, endings[i].from, SANWO_TCP_CLOSED);
        EXPECT_NOTHING(p);
        struct sanwo_event e = peer_events(p, p->conn);
        assert_true(e.what & SANWO_EVENT_CLOSED);
        assert_int_equal(e.error, endings[i].error);
        assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    }
    in_state(p, SANWO_TCP_SYN_SENT);
    SEND(p, .flags = RST | ACK, .seq = 0, .ack = 1);
    CHANGED(p, SYN_SENT, CLOSED);
    assert_int_equal(peer_events(p, p->conn).error, SANWO_ECONNREFUSED);
}

/* Where something of ours is unacknowledged, silence ends it in the end (MUST-20). */
static void test_MUST_20_edges_to_closed_by_silence(void **state)
{
    static const enum sanwo_tcp_state from[] = {SANWO_TCP_SYN_SENT, SANWO_TCP_SYN_RECEIVED,
                                                SANWO_TCP_FIN_WAIT_1, SANWO_TCP_CLOSING,
                                                SANWO_TCP_LAST_ACK};
    struct peer *p = *state;
    for (size_t i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
        in_state(p, from[i]);
        peer_advance(p, 3600 * 1000);
        assert_true(peer_discard(p) >= 3); /* SHLD-10: R1 of at least three retransmissions */
        CHANGES(p, (int)from[i], SANWO_TCP_CLOSED);
        assert_int_equal(peer_events(p, p->conn).error, SANWO_ETIMEDOUT);
        assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_edge_closed_to_listen),
        BOTH(test_edge_closed_to_syn_sent),
        BOTH(test_edge_listen_to_closed),
        BOTH(test_edge_listen_to_syn_received),
        BOTH(test_edge_listen_to_syn_sent),
        BOTH(test_edge_syn_sent_to_syn_received),
        BOTH(test_edge_syn_sent_to_established),
        BOTH(test_edge_syn_sent_to_closed),
        BOTH(test_edge_syn_received_to_established),
        BOTH(test_edge_syn_received_to_established_passive),
        BOTH(test_edge_syn_received_to_fin_wait_1),
        BOTH(test_edge_syn_received_to_listen),
        BOTH(test_edge_established_to_fin_wait_1),
        BOTH(test_edge_established_to_close_wait),
        BOTH(test_edge_fin_wait_1_to_fin_wait_2),
        BOTH(test_edge_fin_wait_1_to_closing),
        BOTH(test_edge_fin_wait_1_to_time_wait),
        BOTH(test_edge_fin_wait_2_to_time_wait),
        BOTH(test_edge_closing_to_time_wait),
        BOTH(test_edge_close_wait_to_last_ack),
        BOTH(test_edge_last_ack_to_closed),
        BOTH(test_edge_time_wait_to_closed),
        BOTH(test_edges_to_closed_by_abort),
        BOTH(test_edges_to_closed_by_reset),
        BOTH(test_MUST_20_edges_to_closed_by_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
