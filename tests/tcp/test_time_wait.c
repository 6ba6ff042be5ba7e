/*
 * test_time_wait.c - TIME-WAIT: how long, what is answered, and who may take its place.
 *
 *     held by the user (a control block) and let go of (a compact record): the same on the wire
 *
 * RFC 9293 3.6.1, 3.10.7.4; RFC 6191; RFC 1337.
 */
#include "peer.h"

#define TWO_MSL 60000

static struct sanwo_handle listener_of_any_isn(struct peer *p)
{
    struct sanwo_tcp_listen open = {.local = {.port = OUR_PORT}, .user = p};
    struct sanwo_handle h;
    assert_int_equal(sanwo_tcp_listen(p->stack, &open, p->now, &h), 0);
    return h;
}

/* TIME-WAIT; if @let_go the user has closed the handle. Both sides' next numbers are 2. */
static void time_wait(struct peer *p, bool let_go)
{
    in_state(p, SANWO_TCP_TIME_WAIT);
    if (let_go)
        assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    EXPECT_NOTHING(p);
    p->change_count = 0;
}

static void test_MUST_13_time_wait_lasts_2_msl(void **state)
{
    struct peer *p = *state;
    for (int let_go = 0; let_go < 2; let_go++) {
        time_wait(p, let_go);
        QUIET(p, TWO_MSL - 10);
        UNCHANGED(p);
        QUIET(p, 1000);
        CHANGED(p, TIME_WAIT, CLOSED);
        SEND(p, .flags = ACK, .seq = 2, .ack = 2, .length = 1);
        EXPECT(p, .flags = RST, .seq = 2);
        if (!let_go) /* the user's handle is good until it is given back */
            assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    }
}

static void test_MUST_13_msl_is_configurable(void **state)
{
    struct peer *p = *state;
    p->config.tcp.msl = SANWO_SEC(5);
    time_wait(p, true);
    QUIET(p, 9990);
    assert_int_equal(peer_stats(p).time_wait, 1);
    QUIET(p, 200);
    assert_int_equal(peer_stats(p).time_wait, 0);
}

/* U-13: only the peer's FIN again can arrive: acknowledge it and restart the 2 MSL. */
/* For the user it was over when TIME-WAIT began: that there is no way to answer is not told. */
static void test_nothing_is_told_after_closed(void **state)
{
    struct peer *p = *state;
    time_wait(p, false);
    peer_events(p, p->conn); /* CLOSED was among them */
    SEND(p, .flags = FIN | ACK, .seq = 1, .ack = 2);
    assert_int_equal(sanwo_stack_link_set_up(p->stack, 0, false, p->now), 0);
    QUIET(p, TWO_MSL - 10000); /* R1 (3.8.3) comes long before */
    assert_int_equal(peer_events(p, p->conn).what, 0);
}

static void test_U_13_fin_restarts_time_wait(void **state)
{
    struct peer *p = *state;
    for (int let_go = 0; let_go < 2; let_go++) {
        time_wait(p, let_go);
        for (int i = 0; i < 3; i++) {
            QUIET(p, TWO_MSL - 10000);
            SEND(p, .flags = FIN | ACK, .seq = 1, .ack = 2);
            EXPECT(p, .flags = ACK, .seq = 2, .ack = 2);
        }
        QUIET(p, TWO_MSL - 10);
        UNCHANGED(p);
        QUIET(p, 1000);
        CHANGED(p, TIME_WAIT, CLOSED);
        if (!let_go)
            sanwo_tcp_close(p->stack, p->conn, p->now);
    }
}

/* RFC 1337, attack C-09: no reset assassinates TIME-WAIT. RFC1337-3-1. */
static void test_RFC1337_reset_is_ignored(void **state)
{
    static const uint32_t seqs[] = {0, 1, 2, 3, 65537, 0x80000000};
    struct peer *p = *state;
    for (int let_go = 0; let_go < 2; let_go++) {
        time_wait(p, let_go);
        for (size_t i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++) {
            SEND(p, .flags = RST, .seq = seqs[i]);
            SEND(p, .flags = RST | ACK, .seq = seqs[i], .ack = 2, .length = 5);
            SEND(p, .flags = RST | SYN, .seq = seqs[i] + 100000);
            SEND(p, .flags = RST | FIN | ACK, .seq = seqs[i], .ack = 2);
        }
        EXPECT_NOTHING(p);
        UNCHANGED(p);
        peer_advance(p, TWO_MSL + 1000);
        CHANGED(p, TIME_WAIT, CLOSED);
        sanwo_tcp_close(p->stack, p->conn, p->now);
    }
}

/* Old duplicates with text are acknowledged as they stand; bare ACKs are not (attack B-24). */
static void test_old_duplicates(void **state)
{
    struct peer *p = *state;
    for (int let_go = 0; let_go < 2; let_go++) {
        time_wait(p, let_go);
        SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 1);
        EXPECT(p, .flags = ACK, .seq = 2, .ack = 2);
        for (uint32_t seq = 0; seq < 4; seq++)
            SEND(p, .flags = ACK, .seq = seq, .ack = 2);
        EXPECT_NOTHING(p);
        UNCHANGED(p);
        sanwo_tcp_close(p->stack, p->conn, p->now);
        peer_advance(p, TWO_MSL + 1000);
        peer_discard(p);
    }
}

/* ---- a new connection in its place: MAY-2, SHLD-4 ------------------------------------------------ */

/* Without timestamps: a SYN beyond the last number of the old connection, no other. C-10. */
static void test_MAY_2_reuse_by_sequence_number(void **state)
{
    static const struct {
        uint32_t seq;
        bool reuse;
    } rows[] = {{2, true},     {1, false},          {0, false},       {3, true},
                {70000, true}, {0xffff0000, false}, {0x7fffff, true}, {0x80000010, false}};
    struct peer *p = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        time_wait(p, true);
        struct sanwo_handle listener = listener_of_any_isn(p);
        p->change_count = 0;
        SEND(p, .flags = SYN, .seq = rows[i].seq, .mss = MSS);
        const struct segment *answer = peer_next(p, 0);
        assert_non_null(answer);
        if (rows[i].reuse) {
            CHANGES(p, EDGE(TIME_WAIT, CLOSED), EDGE(LISTEN, SYN_RECEIVED));
            assert_int_equal(answer->flags, SYN | ACK);
            assert_int_equal(answer->ack, rows[i].seq + 1);
            /* 3.6.1 (a): ours beyond the largest of the old connection */
            assert_in_range(answer->seq - 2, 1, 0x7fffffff);
        } else {
            UNCHANGED(p);
            assert_int_equal(answer->flags, ACK);
            assert_int_equal(answer->seq, 2);
            assert_int_equal(answer->ack, 2);
        }
        sanwo_tcp_close(p->stack, listener, p->now);
        peer_advance(p, TWO_MSL + 1000);
        peer_discard(p);
    }
}

/*
 * RFC 6191 2: with timestamps on both sides a newer one decides, whatever the number; an equal one
 * leaves it to the number; an older one is refused.
 * RFC6191-2-1.
 * C-10.
 */
static void test_SHLD_4_reuse_by_timestamp(void **state)
{
    static const struct {
        int32_t later;
        uint32_t seq;
        bool reuse;
    } rows[] = {{1, 3, true}, {1, 0x80000010, true}, {1000000, 0, true}, {0, 3, true},
                {0, 2, true}, {0, 1, false},         {-1, 70000, false}, {-1000000, 3, false}};
    struct peer *p = *state;
    p->offer.has_ts = true;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        time_wait(p, true);
        uint32_t last = p->ts_base + (uint32_t)(p->now / SANWO_MSEC(1));
        struct sanwo_handle listener = listener_of_any_isn(p);
        peer_advance(p, 2000);
        SEND(p, .flags = SYN, .seq = rows[i].seq, .mss = MSS, .has_ts = true,
             .ts_value = last + (uint32_t)rows[i].later);
        const struct segment *answer = peer_next(p, 0);
        assert_non_null(answer);
        assert_int_equal(answer->flags, rows[i].reuse ? SYN | ACK : ACK);
        sanwo_tcp_close(p->stack, listener, p->now);
        peer_advance(p, TWO_MSL + 1000);
        peer_discard(p);
    }
}

/* RFC 6191 2: the old connection had timestamps, the SYN has none: the number decides. */
static void test_SHLD_4_reuse_when_the_syn_has_no_timestamp(void **state)
{
    struct peer *p = *state;
    p->offer.has_ts = true;
    time_wait(p, true);
    struct sanwo_handle listener = listener_of_any_isn(p);
    SEND(p, .flags = SYN, .seq = 1, .mss = MSS, .no_ts = true);
    assert_int_equal(peer_next(p, 0)->flags, ACK);
    SEND(p, .flags = SYN, .seq = 100000, .mss = MSS, .no_ts = true);
    assert_int_equal(peer_next(p, 0)->flags, SYN | ACK);
    sanwo_tcp_close(p->stack, listener, p->now);
}

/* RFC 6191 2: one that begins to use timestamps opens anew, whatever its number. */
static void test_SHLD_4_reuse_when_only_the_syn_has_a_timestamp(void **state)
{
    struct peer *p = *state;
    time_wait(p, true);
    struct sanwo_handle listener = listener_of_any_isn(p);
    SEND(p, .flags = SYN, .seq = 0x80000010, .mss = MSS, .has_ts = true, .ts_value = 7);
    assert_int_equal(peer_next(p, 0)->flags, SYN | ACK);
    sanwo_tcp_close(p->stack, listener, p->now);
}

/* Where nothing listens a new SYN finds what it would find without TIME-WAIT, or an ACK; no state. */
static void test_syn_without_listener(void **state)
{
    struct peer *p = *state;
    time_wait(p, true);
    SEND(p, .flags = SYN, .seq = 70000, .mss = MSS);
    const struct segment *answer = peer_next(p, 0);
    assert_non_null(answer);
    assert_false(answer->flags & SYN);
    assert_int_equal(peer_stats(p).half_open, 0);
}

/* The same four-tuple may be connected to again only when TIME-WAIT is over. */
static void test_connect_to_the_same_tuple(void **state)
{
    struct peer *p = *state;
    struct sanwo_handle h;
    time_wait(p, true);
    struct sanwo_tcp_connect open = {.remote = p->theirs, .local = p->ours};
    assert_int_equal(sanwo_tcp_connect(p->stack, &open, p->now, &h), -SANWO_EADDRINUSE);
    peer_advance(p, TWO_MSL + 1000);
    assert_int_equal(sanwo_tcp_connect(p->stack, &open, p->now, &h), 0);
    sanwo_tcp_abort(p->stack, h, p->now);
}

/* RFC 7323 5: PAWS holds in TIME-WAIT too; what it refuses does not restart the clock. */
static void test_RFC7323_old_timestamp_does_not_restart(void **state)
{
    struct peer *p = *state;
    p->offer.has_ts = true;
    for (int let_go = 0; let_go < 2; let_go++) {
        time_wait(p, let_go);
        peer_advance(p, 30000);
        SEND(p, .flags = FIN | ACK, .seq = 1, .ack = 2, .has_ts = true, .ts_value = p->ts_base);
        peer_discard(p);
        peer_advance(p, 31000);
        CHANGED(p, TIME_WAIT, CLOSED);
        sanwo_tcp_close(p->stack, p->conn, p->now);
    }
}

/* Attack B-14: there is a limit, and the oldest makes room. */
static void test_B_14_oldest_makes_room(void **state)
{
    struct peer *p = *state;
    p->config.max_time_wait = 4;
    for (uint16_t i = 0; i < 6; i++) {
        p->theirs.port = (uint16_t)(100 + i);
        time_wait(p, true);
        peer_advance(p, 1000);
    }
    assert_int_equal(peer_stats(p).time_wait, 4);
    for (uint16_t i = 0; i < 6; i++) {
        p->theirs.port = (uint16_t)(100 + i);
        SEND(p, .flags = ACK | FIN, .seq = 1, .ack = 2);
        if (i < 2)
            EXPECT(p, .flags = RST, .seq = 2);
        else
            EXPECT(p, .flags = ACK, .seq = 2, .ack = 2);
    }
}

/* A connection that the user still reads keeps its data through TIME-WAIT and after. */
static void test_data_can_be_read_in_and_after_time_wait(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_FIN_WAIT_2);
    SEND(p, .flags = ACK | FIN, .seq = 1, .ack = 2, .length = 200);
    EXPECT(p, .flags = ACK, .seq = 2, .ack = 202);
    READ(p, 100);
    peer_advance(p, TWO_MSL + 1000);
    READ(p, 100);
    uint8_t byte;
    assert_int_equal(sanwo_tcp_receive(p->stack, p->conn, &byte, 1, p->now), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_MUST_13_time_wait_lasts_2_msl),
        BOTH(test_MUST_13_msl_is_configurable),
        BOTH(test_nothing_is_told_after_closed),
        BOTH(test_U_13_fin_restarts_time_wait),
        BOTH(test_RFC1337_reset_is_ignored),
        BOTH(test_old_duplicates),
        BOTH(test_MAY_2_reuse_by_sequence_number),
        BOTH(test_SHLD_4_reuse_by_timestamp),
        BOTH(test_SHLD_4_reuse_when_the_syn_has_no_timestamp),
        BOTH(test_SHLD_4_reuse_when_only_the_syn_has_a_timestamp),
        BOTH(test_syn_without_listener),
        BOTH(test_connect_to_the_same_tuple),
        BOTH(test_RFC7323_old_timestamp_does_not_restart),
        BOTH(test_B_14_oldest_makes_room),
        BOTH(test_data_can_be_read_in_and_after_time_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
