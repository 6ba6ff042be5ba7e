/*
 * test_reset.c - Resets in and out, challenge ACKs, acknowledgements of what was never sent.
 *
 * RFC 9293 3.5.2, 3.5.3, 3.10.7.1, 3.10.7.4 second to fifth; RFC 5961.
 */
#include "peer.h"

#define WINDOW 4000

static const enum sanwo_tcp_state synchronised[] = {
    SANWO_TCP_ESTABLISHED, SANWO_TCP_FIN_WAIT_1, SANWO_TCP_FIN_WAIT_2,
    SANWO_TCP_CLOSE_WAIT,  SANWO_TCP_CLOSING,    SANWO_TCP_LAST_ACK,
};
#define FOR_EACH_STATE(i)                                                                          \
    for (size_t i = 0; i < sizeof(synchronised) / sizeof(synchronised[0]); i++)

static void enter(struct peer *p, enum sanwo_tcp_state state)
{
    p->config.tcp.receive_buffer = WINDOW;
    in_state(p, state);
}

static void leave(struct peer *p)
{
    sanwo_tcp_abort(p->stack, p->conn, p->now);
    peer_discard(p);
}

/* Waits until a challenge ACK is free again; what is retransmitted meanwhile does not matter. */
static void recover(struct peer *p)
{
    peer_advance(p, 6000);
    peer_discard(p);
}

/* A challenge ACK: <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>. */
#define EXPECT_CHALLENGE(p) EXPECT(p, .flags = ACK, .seq = (p)->ack, .ack = (p)->seq)

/* ---- resets that arrive ------------------------------------------------------------------------- */

/*
 * U-5, RFC 5961 3.2: exact resets, inside earns a challenge, outside is dropped. Attack C-01.
 * RFC5961-3.2-1, RFC5961-10-1.
 */
static void test_U_5_reset_sweep(void **state)
{
    struct peer *p = *state;
    FOR_EACH_STATE(i)
    {
        enter(p, synchronised[i]);
        uint32_t edge = p->edge;
        uint32_t outside[] = {p->seq - 1, edge, edge + 1, p->seq + 0x80000000, p->seq - 4000};
        uint32_t inside[] = {p->seq + 1, p->seq + 2000, edge - 1};
        for (size_t k = 0; k < sizeof(outside) / sizeof(outside[0]); k++) {
            SEND(p, .flags = RST, .seq = outside[k]);
            SEND(p, .flags = RST | ACK, .seq = outside[k], .ack = p->ack);
            EXPECT_NOTHING(p);
        }
        for (size_t k = 0; k < sizeof(inside) / sizeof(inside[0]); k++) {
            SEND(p, .flags = RST, .seq = inside[k]);
            EXPECT_CHALLENGE(p);
            recover(p);
        }
        UNCHANGED(p);
        SEND(p, .flags = RST, .seq = p->seq);
        CHANGES(p, synchronised[i], SANWO_TCP_CLOSED);
        EXPECT_NOTHING(p);
        leave(p);
    }
}

/* SHLD-2: a reset may carry an explanation. */
static void test_SHLD_2_reset_with_data(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_ESTABLISHED);
    SEND(p, .flags = RST | ACK, .seq = 1, .ack = 1, .length = 20);
    CHANGED(p, ESTABLISHED, CLOSED);
    EXPECT_NOTHING(p);
    assert_int_equal(peer_info(p).receive_queued, 0);
}

/* MUST-12. */
static void test_reset_tells_the_user(void **state)
{
    struct peer *p = *state;
    uint8_t byte = 0;
    in_state(p, SANWO_TCP_ESTABLISHED);
    WRITE(p, 500);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 500);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    SEND(p, .flags = RST, .seq = 11);
    struct sanwo_event e = peer_events(p, p->conn);
    assert_true(e.what & SANWO_EVENT_CLOSED);
    assert_int_equal(e.error, SANWO_ECONNRESET);
    READ(p, 10); /* what came before is not lost */
    assert_int_equal(sanwo_tcp_receive(p->stack, p->conn, &byte, 1, p->now), -SANWO_ECONNRESET);
    assert_int_equal(sanwo_tcp_send(p->stack, p->conn, &byte, 1, 0, p->now), -SANWO_ECONNRESET);
    assert_int_equal(peer_info(p).error, SANWO_ECONNRESET);
    QUIET(p, 10000); /* nothing is retransmitted */
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
}

/* RFC 7323 5.2: a reset needs no timestamp, and an old one does not matter. RFC7323-5.2-1. */
static void test_RFC7323_5_2_reset_and_timestamps(void **state)
{
    struct peer *p = *state;
    p->offer.has_ts = true;
    for (int old = 0; old < 2; old++) {
        in_state(p, SANWO_TCP_ESTABLISHED);
        SEND(p, .flags = RST, .seq = 1, .no_ts = !old, .has_ts = old, .ts_value = 1);
        CHANGED(p, ESTABLISHED, CLOSED);
        leave(p);
    }
}

/* ---- SYN in a connection --------------------------------------------------------------------------- */

/* U-6, RFC 5961 4.2: whatever its number, a challenge; the connection stays. RFC5961-4.2-1. */
static void test_U_6_syn_sweep(void **state)
{
    struct peer *p = *state;
    FOR_EACH_STATE(i)
    {
        enter(p, synchronised[i]);
        uint32_t seqs[] = {0, p->seq - 1, p->seq, p->seq + 1, p->edge - 1, p->edge, 0x80000000};
        for (size_t k = 0; k < sizeof(seqs) / sizeof(seqs[0]); k++) {
            uint8_t flags = k & 1 ? SYN | ACK : SYN;
            SEND(p, .flags = flags, .seq = seqs[k], .ack = p->ack);
            EXPECT_CHALLENGE(p);
            recover(p);
        }
        UNCHANGED(p);
        leave(p);
    }
}

/* U-16, figure 10: the peer restarted and knows nothing of us. The challenge brings its reset. */
static void test_U_16_peer_restarted(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_ESTABLISHED);
    SEND(p, .flags = SYN, .seq = 400000000, .mss = MSS);
    uint32_t ack = EXPECT_CHALLENGE(p)->ack;
    SEND(p, .flags = RST, .seq = ack); /* <SEQ=SEG.ACK><CTL=RST> */
    CHANGED(p, ESTABLISHED, CLOSED);
    assert_int_equal(peer_events(p, p->conn).error, SANWO_ECONNRESET);
}

/* Figure 11: we restarted; data of the old connection is answered with a reset. */
static void test_U_16_we_restarted(void **state)
{
    struct peer *p = *state;
    SEND(p, .flags = ACK, .seq = 500, .ack = 700, .length = 100);
    EXPECT(p, .flags = RST, .seq = 700);
    EXPECT_NOTHING(p);
}

/* ---- the limit of challenges, RFC 5961 7 -------------------------------------------------------------- */

/* RFC5961-7-1. */
static void test_RFC5961_7_challenges_are_limited(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_ESTABLISHED);
    unsigned answers = 0;
    for (int i = 0; i < 1000; i++) {
        SEND(p, .flags = i & 1 ? SYN : RST, .seq = 100);
        answers += peer_discard(p);
    }
    assert_in_range(answers, 1, 10);
    UNCHANGED(p);
    recover(p);
    SEND(p, .flags = RST, .seq = 100);
    EXPECT_CHALLENGE(p);
}

/*
 * CVE-2016-5696, attack C-02: what one connection was sent tells nothing about another.
 * RFC5961-7-1.
 */
static void test_challenge_limit_is_not_shared(void **state)
{
    struct peer *p = *state;
    struct sanwo_handle first = {0, 0};
    peer_listen(p, 0, 0);
    for (uint16_t port = 1001; port <= 1002; port++) {
        struct segment syn = p->offer;
        syn.flags = SYN;
        peer_send_from(p, port, &syn);
        peer_send_from(p, port, &(struct segment){.flags = ACK, .seq = 1, .ack = 1});
        first = p->conn;
        peer_accept(p);
    }
    peer_discard(p);
    for (int i = 0; i < 300; i++)
        peer_send_from(p, 1001, &(struct segment){.flags = RST, .seq = 100});
    assert_in_range(peer_discard(p), 1, 10);
    peer_send_from(p, 1002, &(struct segment){.flags = RST, .seq = 100});
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(p->last.segment.port, 1002);
    sanwo_tcp_abort(p->stack, first, p->now);
}

/* ---- acknowledgements ------------------------------------------------------------------------------------ */

/* U-8: in every synchronised state a segment without ACK is dropped. */
static void test_U_8_no_ack_bit(void **state)
{
    static const uint8_t flags[] = {0, FIN, PSH, URG, FIN | URG | PSH};
    struct peer *p = *state;
    FOR_EACH_STATE(i)
    {
        in_state(p, synchronised[i]);
        for (size_t k = 0; k < sizeof(flags); k++)
            SEND(p, .flags = flags[k], .seq = p->seq, .length = 10, .urgent = 3);
        EXPECT_NOTHING(p);
        UNCHANGED(p);
        assert_int_equal(peer_info(p).receive_queued, 0);
        leave(p);
    }
}

/* U-10: an ACK of what was not sent yet: ACK and drop. Attack B-19. */
static void test_U_10_ack_of_the_future(void **state)
{
    struct peer *p = *state;
    FOR_EACH_STATE(i)
    {
        in_state(p, synchronised[i]);
        SEND(p, .flags = ACK, .seq = p->seq, .ack = p->ack + 1, .length = 10);
        EXPECT_CHALLENGE(p);
        UNCHANGED(p);
        assert_int_equal(peer_info(p).receive_queued, 0);
        leave(p);
    }
}

/*
 * MAY-12, RFC 5961 5.2: SND.UNA - MAX.SND.WND <= SEG.ACK <= SND.NXT, else ACK and drop. C-08.
 * RFC5961-5.2-1, RFC5961-10-1.
 */
static void test_RFC5961_5_2_blind_data(void **state)
{
    static const struct {
        uint32_t ack;
        bool good;
    } rows[] = {
        {501, true},
        {500, true},
        {1, true},
        {501 - 3000, true},
        {501 - 3001, false},
        {502, false},
        {0x80000000, false},
        {501u + 0x7fffffff, false},
        {501u - 0x7fffffff, false},
    };
    struct peer *p = *state;
    p->offer.window = 3000;
    established_active(p);
    WRITE(p, 500);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 500);
    SEND(p, .flags = ACK, .seq = 1, .ack = 501);
    p->ack = 501;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        SEND(p, .flags = ACK, .seq = p->seq, .ack = rows[i].ack, .length = 10);
        if (rows[i].good) {
            p->seq += 10;
            READ(p, 10);
        } else {
            assert_int_equal(peer_info(p).receive_queued, 0);
        }
        EXPECT_WITHIN(p, 100, .flags = ACK, .seq = 501, .ack = p->seq);
        recover(p);
    }
}

/* U-10: an old ACK is ignored, but not the text that comes with it. */
static void test_U_10_old_ack(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_ESTABLISHED);
    WRITE(p, 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    SEND(p, .flags = ACK, .seq = 1, .ack = 101);
    SEND(p, .flags = ACK, .seq = 1, .ack = 51);
    EXPECT_NOTHING(p);
    assert_int_equal(peer_info(p).snd_una - p->iss, 101);
    SEND(p, .flags = ACK, .seq = 1, .ack = 51, .length = 10);
    READ(p, 10);
}

/* ---- resets that we send --------------------------------------------------------------------------------------- */

/* U-1, U-17: CLOSED, all 64 combinations of flags, with and without text. C-20. */
static void test_U_1_closed_all_flags(void **state)
{
    struct peer *p = *state;
    p->config.reset_rate = 1000;
    for (unsigned flags = 0; flags < 64; flags++)
        for (uint32_t length = 0; length < 20; length += 13) {
            uint32_t span = length + !!(flags & SYN) + !!(flags & FIN);
            SEND(p, .flags = (uint8_t)flags, .seq = 1000, .ack = 2000, .length = length);
            if (flags & RST) {
                EXPECT_NOTHING(p);
            } else if (flags & ACK) {
                EXPECT(p, .flags = RST, .seq = 2000);
            } else {
                EXPECT(p, .flags = RST | ACK, .seq = 0 - p->iss, .ack = 1000 + span);
            }
            EXPECT_NOTHING(p);
        }
}

/* Attack B-10: not without limit. */
static void test_resets_are_limited(void **state)
{
    struct peer *p = *state;
    p->config.reset_rate = 10;
    for (int i = 0; i < 100; i++)
        SEND(p, .flags = SYN, .seq = 0);
    assert_in_range(peer_discard(p), 1, 20);
    peer_advance(p, 1100);
    SEND(p, .flags = SYN, .seq = 0);
    EXPECT(p, .flags = RST | ACK, .seq = 0 - p->iss, .ack = 1);
}

/* 3.10.5: ABORT sends <SEQ=SND.NXT><CTL=RST>; what waits to be sent is forgotten. */
static void test_U_20_abort_with_data_waiting(void **state)
{
    struct peer *p = *state;
    p->offer.window = 2000;
    established_active(p);
    WRITE(p, 5000);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = MSS);
    EXPECT(p, .flags = ACK, .seq = 1001, .ack = 1, .length = MSS);
    assert_int_equal(sanwo_tcp_abort(p->stack, p->conn, p->now), 0);
    const struct segment *rst = peer_next(p, 0);
    assert_non_null(rst);
    assert_int_equal(rst->flags & ~ACK, RST);
    assert_int_equal(rst->seq, 2001);
    assert_int_equal(rst->length, 0);
    QUIET(p, 10000);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1001); /* a late one finds nothing */
    EXPECT(p, .flags = RST, .seq = 1001);
}

/* Aborted before anything left: not even the SYN goes out. */
static void test_abort_before_the_syn(void **state)
{
    struct peer *p = *state;
    peer_connect(p);
    assert_int_equal(sanwo_tcp_abort(p->stack, p->conn, p->now), 0);
    QUIET(p, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_U_5_reset_sweep),
        BOTH(test_SHLD_2_reset_with_data),
        BOTH(test_reset_tells_the_user),
        BOTH(test_RFC7323_5_2_reset_and_timestamps),
        BOTH(test_U_6_syn_sweep),
        BOTH(test_U_16_peer_restarted),
        BOTH(test_U_16_we_restarted),
        BOTH(test_RFC5961_7_challenges_are_limited),
        BOTH(test_challenge_limit_is_not_shared),
        BOTH(test_U_8_no_ack_bit),
        BOTH(test_U_10_ack_of_the_future),
        BOTH(test_RFC5961_5_2_blind_data),
        BOTH(test_U_10_old_ack),
        BOTH(test_U_1_closed_all_flags),
        BOTH(test_resets_are_limited),
        BOTH(test_U_20_abort_with_data_waiting),
        BOTH(test_abort_before_the_syn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
