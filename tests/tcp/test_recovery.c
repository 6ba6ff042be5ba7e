/*
 * test_recovery.c - Loss and congestion: slow start, duplicate ACKs, fast retransmit, NewReno, SACK.
 *
 * RFC 5681, RFC 6582, RFC 3042, RFC 6928, RFC 2018 8, RFC 9293 3.8.2.
 */
#include "peer.h"

static void acknowledge(struct peer *p, uint32_t ack)
{
    SEND(p, .flags = ACK, .seq = 1, .ack = ack);
}

/* The next @n segments are the full ones from @seq on. */
static void expect_full(struct peer *p, uint32_t seq, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        EXPECT(p, .flags = ACK, .seq = seq + i * MSS, .ack = 1, .length = MSS);
    EXPECT_NOTHING(p);
}

/* ESTABLISHED with ten segments in flight and @more waiting. */
static void ten_in_flight(struct peer *p, unsigned more)
{
    established_active(p);
    WRITE(p, (10 + more) * MSS);
    expect_full(p, 1, 10);
    peer_advance(p, RTT);
}

/* ---- slow start, RFC 5681 3.1 ------------------------------------------------------------------------ */

/* RFC 6928: min(10*MSS, max(2*MSS, 14600)). RFC5681-3.1-2. */
static void test_RFC6928_initial_window(void **state)
{
    static const uint16_t mss[][2] = {{1000, 10}, {536, 10}, {1400, 10}, {64, 10}};
    struct peer *p = *state;
    for (size_t i = 0; i < 4; i++) {
        p->offer.mss = mss[i][0];
        established_active(p);
        WRITE(p, 30 * mss[i][0]);
        assert_int_equal(peer_discard(p), mss[i][1]);
        assert_int_equal(peer_info(p).limited_by, SANWO_REASON_CONGESTION_WINDOW);
        sanwo_tcp_abort(p->stack, p->conn, p->now);
        peer_discard(p);
    }
}

/* MUST-19: an ACK of a full segment lets two out. */
static void test_MUST_19_slow_start(void **state)
{
    struct peer *p = *state;
    ten_in_flight(p, 40);
    for (uint32_t i = 0; i < 10; i++) {
        acknowledge(p, 1 + (i + 1) * MSS);
        expect_full(p, 10001 + 2 * i * MSS, 2);
    }
    assert_int_equal(peer_info(p).cwnd, 20 * MSS);
}

/* Attack B-20: many ACKs of a few bytes each are worth no more than their bytes. */
static void test_B_20_ack_division(void **state)
{
    struct peer *p = *state;
    ten_in_flight(p, 100);
    for (uint32_t i = 0; i < 2 * MSS; i += 10)
        acknowledge(p, 11 + i);
    assert_true(peer_info(p).cwnd <= 12 * MSS);
    assert_true(peer_discard(p) <= 4);
}

/* MUST-19: above ssthresh one segment a round trip. */
static void test_MUST_19_congestion_avoidance(void **state)
{
    struct peer *p = *state;
    ten_in_flight(p, 0);
    EXPECT_WITHIN(p, 300, .flags = ACK, .seq = 1, .ack = 1, .length = MSS);
    assert_int_equal(peer_info(p).ssthresh, 5 * MSS); /* half of what was in flight */
    assert_int_equal(peer_info(p).cwnd, MSS);
    acknowledge(p, 10001);
    peer_discard(p);
    WRITE(p, 300 * MSS);
    uint32_t acked = 10001, cwnd = 0;
    for (int round = 0; round < 12; round++) { /* one round trip each: ACK what was in flight */
        peer_discard(p);
        uint32_t before = peer_info(p).cwnd, end = peer_info(p).snd_nxt - p->iss;
        for (; acked < end; acked += MSS) {
            acknowledge(p, acked + MSS);
            peer_discard(p);
        }
        cwnd = peer_info(p).cwnd;
        if (before >= 6 * MSS)
            assert_in_range(cwnd, before, before + 2 * MSS);
    }
    assert_true(cwnd > 8 * MSS);
}

/*
 * RFC 5681 4.1: after silence for more than an RTO, no more than the restart window.
 * RFC5681-4.1-1.
 */
static void test_RFC5681_4_1_idle_restart(void **state)
{
    struct peer *p = *state;
    ten_in_flight(p, 40);
    for (uint32_t i = 0; i < 10; i++) {
        acknowledge(p, 1 + (i + 1) * MSS);
        peer_discard(p);
    }
    while (peer_info(p).snd_una != peer_info(p).snd_nxt) {
        acknowledge(p, peer_info(p).snd_nxt - p->iss);
        peer_discard(p);
    }
    assert_true(peer_info(p).cwnd > 15 * MSS);
    peer_advance(p, 10000);
    WRITE(p, 100 * MSS);
    assert_int_equal(peer_discard(p), 10);
}

/* ---- time-out ---------------------------------------------------------------------------------------- */

/*
 * RFC 5681 3.1: ssthresh is half the flight, at least two; cwnd is one; then slow start.
 * RFC5681-3.1-5.
 * RFC8961-4-1.
 */
static void test_timeout_is_slow_start(void **state)
{
    struct peer *p = *state;
    ten_in_flight(p, 0); /* nothing else is to be sent: F-RTO has no say (RFC 5682 2.1 step 2b) */
    EXPECT_WITHIN(p, 300, .flags = ACK, .seq = 1, .ack = 1, .length = MSS);
    EXPECT_NOTHING(p);
    acknowledge(p, 1001);
    EXPECT(p, .flags = ACK, .seq = 1001, .ack = 1, .length = MSS);
    EXPECT(p, .flags = ACK, .seq = 2001, .ack = 1, .length = MSS);
    EXPECT_NOTHING(p);
    acknowledge(p, 10001); /* the rest had arrived after all */
    assert_true(peer_info(p).cwnd <= 5 * MSS + 2 * MSS);
}

/* A second time-out of the same segment leaves ssthresh alone. RFC5681-3.1-5. */
static void test_second_timeout_keeps_ssthresh(void **state)
{
    struct peer *p = *state;
    ten_in_flight(p, 0);
    EXPECT_WITHIN(p, 300, .flags = ACK, .seq = 1, .ack = 1, .length = MSS);
    EXPECT_WITHIN(p, 600, .flags = ACK, .seq = 1, .ack = 1, .length = MSS);
    assert_int_equal(peer_info(p).ssthresh, 5 * MSS);
    assert_int_equal(peer_info(p).cwnd, MSS);
}

/* ---- duplicate ACKs, RFC 5681 3.2, RFC 3042 ------------------------------------------------------------- */

/* The first two let a new segment out each; the third retransmits, and halves. RFC5681-3.2-1. */
static void test_fast_retransmit_and_limited_transmit(void **state)
{
    struct peer *p = *state;
    ten_in_flight(p, 10);
    acknowledge(p, 1);
    expect_full(p, 10001, 1);
    acknowledge(p, 1);
    expect_full(p, 11001, 1);
    acknowledge(p, 1);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = MSS);
    /* at most half the flight, of which the two do not count (RFC 5681 (4), RFC 3042) */
    assert_in_range(peer_info(p).ssthresh, 3 * MSS, 5 * MSS);
    peer_discard(p);
    acknowledge(p, 12001); /* full acknowledgement: out of recovery (RFC 6582 3.2 step 3) */
    peer_discard(p);
    assert_true(peer_info(p).cwnd <= 5 * MSS + MSS);
    assert_int_equal(peer_info(p).snd_una - p->iss, 12001);
}

/* RFC5681-3.2-1. */
static void test_no_fast_retransmit_before_the_third(void **state)
{
    struct peer *p = *state;
    ten_in_flight(p, 0);
    acknowledge(p, 1);
    acknowledge(p, 1);
    QUIET(p, 100);
    acknowledge(p, 1);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = MSS);
}

/*
 * RFC 5681 2: with text, with another window, or with nothing in flight it is no duplicate.
 * RFC5681-2-1.
 */
static void test_what_is_no_duplicate_ack(void **state)
{
    struct peer *p = *state;
    ten_in_flight(p, 0);
    for (uint32_t i = 0; i < 6; i++)
        SEND(p, .flags = ACK, .seq = 1 + 10 * i, .ack = 1, .length = 10);
    for (uint32_t i = 0; i < 6; i++)
        SEND(p, .flags = ACK, .seq = 61, .ack = 1, .window = (uint16_t)(60000 + i));
    for (const struct segment *seg; (seg = peer_next(p, 0)) != NULL;)
        assert_int_equal(seg->length, 0);
    assert_int_equal(peer_info(p).segments_retransmitted, 0);
    READ(p, 60);
    peer_advance(p, 100);
    peer_discard(p);
    SEND(p, .flags = ACK, .seq = 61, .ack = 10001);
    for (int i = 0; i < 6; i++)
        SEND(p, .flags = ACK, .seq = 61, .ack = 10001);
    QUIET(p, 1000);
    assert_int_equal(peer_info(p).segments_retransmitted, 0);
}

/* Attack B-21: ten thousand forged ones bring out no more than a window. */
static void test_B_21_forged_duplicate_acks(void **state)
{
    struct peer *p = *state;
    ten_in_flight(p, 200);
    unsigned out = 0;
    for (int i = 0; i < 10000; i++) {
        acknowledge(p, 1);
        out += peer_discard(p);
    }
    assert_true(out <= 65); /* the peer's window holds 65 segments, whatever it says */
}

/*
 * RFC 6582 3.2: a partial acknowledgement retransmits the next hole at once, one time-out saved.
 * RFC6582-3-1.
 */
static void test_RFC6582_partial_ack(void **state)
{
    struct peer *p = *state;
    ten_in_flight(p, 0); /* 1, 3001 and 6001 are lost */
    for (int i = 0; i < 7; i++)
        acknowledge(p, 1);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = MSS);
    EXPECT_NOTHING(p);
    peer_advance(p, RTT);
    acknowledge(p, 3001);
    EXPECT(p, .flags = ACK, .seq = 3001, .ack = 1, .length = MSS);
    EXPECT_NOTHING(p);
    peer_advance(p, RTT);
    acknowledge(p, 6001);
    EXPECT(p, .flags = ACK, .seq = 6001, .ack = 1, .length = MSS);
    EXPECT_NOTHING(p);
    acknowledge(p, 10001);
    QUIET(p, 10000);
    assert_int_equal(peer_info(p).segments_retransmitted, 3);
    assert_in_range(peer_info(p).ssthresh, 3 * MSS, 5 * MSS); /* one loss, one reduction */
}

/* ---- SACK: RFC 2018, RFC 6675 ------------------------------------------------------------------------------ */

static void sack(struct peer *p, uint32_t ack, uint32_t from, uint32_t to)
{
    SEND(p, .flags = ACK, .seq = 1, .ack = ack, .sack_count = 1, .sack = {{from, to}});
}

/* What the peer has is not sent again. */
static void test_sack_only_the_holes(void **state)
{
    struct peer *p = *state;
    p->offer.sack_permitted = true;
    ten_in_flight(p, 0); /* 1 and 4001 are lost */
    sack(p, 1, 1001, 2001);
    sack(p, 1, 1001, 3001);
    sack(p, 1, 1001, 4001);
    peer_advance(p, 5);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .sack_count = 2,
         .sack = {{5001, 10001}, {1001, 4001}});
    bool seen[11] = {false};
    for (const struct segment *seg; (seg = peer_next(p, 150)) != NULL;) {
        assert_int_equal(seg->length, MSS);
        assert_int_equal(seen[seg->seq / MSS], false);
        seen[seg->seq / MSS] = true;
    }
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(seen[i], i == 0 || i == 4);
    acknowledge(p, 10001);
    QUIET(p, 10000);
}

/*
 * RFC 2018 8, attack B-22: what was SACKed is kept until acknowledged, and sent again after a
 * time-out. RFC2018-8-1.
 */
static void test_RFC2018_8_reneging(void **state)
{
    struct peer *p = *state;
    p->offer.sack_permitted = true;
    ten_in_flight(p, 0);
    sack(p, 1, 1001, 10001);
    peer_advance(p, 20);
    peer_discard(p);
    uint32_t next = 1001; /* the first one arrived now; the peer forgot all others */
    acknowledge(p, next);
    for (const struct segment *seg; next < 10001 && (seg = peer_next(p, 60000)) != NULL;) {
        if (seg->seq == next)
            next += seg->length;
        acknowledge(p, next);
    }
    assert_int_equal(next, 10001);
    ASSERT_STATE(p, ESTABLISHED);
}

/* Attack B-04: blocks that cannot be are ignored: inverted, empty, old, of the future, far away. */
static void test_B_04_impossible_blocks(void **state)
{
    static const uint32_t blocks[][2] = {
        {5001, 4001},    {5001, 5001},   {20001, 30001},           {9001, 10002},
        {0xffffff00, 0}, {0, 1},         {0x80000001, 0x80000101}, {0x7fffff00, 0x80000001},
        {1, 0x80000001}, {10001, 10001}, {0x80002711, 2001},       {2001, 0x80000711},
    };
    struct peer *p = *state;
    p->offer.sack_permitted = true;
    ten_in_flight(p, 0);
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
        sack(p, 1001, blocks[i][0], blocks[i][1]);
    peer_discard(p);
    uint32_t next = 1001; /* the connection works as before */
    acknowledge(p, next);
    for (const struct segment *seg; next < 10001 && (seg = peer_next(p, 60000)) != NULL;) {
        if (seg->seq == next)
            next += seg->length;
        acknowledge(p, next);
    }
    acknowledge(p, 10001);
    assert_int_equal(peer_info(p).snd_una - p->iss, 10001);
    QUIET(p, 10000);
}

/* U-15: loss and recovery across the wrap of the sequence numbers, all of it delivered. */
static void test_U_15_recovery_across_the_wrap(void **state)
{
    struct peer *p = *state;
    p->offer.sack_permitted = true;
    for (uint32_t before = 0; before < 4; before++) {
        p->iss = 0 - 3500 - before * MSS;
        established_active(p);
        WRITE(p, 10 * MSS);
        expect_full(p, 1, 10);
        peer_advance(p, RTT);
        acknowledge(p, 2001); /* the third and the sixth are lost */
        sack(p, 2001, 3001, 5001);
        SEND(p, .flags = ACK, .seq = 1, .ack = 2001, .sack_count = 2,
             .sack = {{6001, 10001}, {3001, 5001}});
        unsigned again = 0;
        for (const struct segment *seg; (seg = peer_next(p, 100)) != NULL; again++)
            assert_true(seg->seq == 2001 || seg->seq == 5001);
        assert_int_equal(again, 2);
        acknowledge(p, 10001);
        QUIET(p, 1000);
        sanwo_tcp_abort(p->stack, p->conn, p->now);
        peer_discard(p);
    }
}

/* RFC 7661 4.3: what once was held back by cwnd, and now only by its user, does not grow it. */
static void test_cwnd_rests_while_the_user_is_the_limit(void **state)
{
    struct peer *p = *state;
    established_active(p);
    WRITE(p, 15 * MSS); /* more than the initial window of ten */
    uint32_t acked = 1 + 10 * MSS;
    peer_discard(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = acked);
    acked += 5 * MSS;
    peer_advance(p, RTT);
    peer_discard(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = acked);
    uint32_t cwnd = peer_info(p).cwnd;
    for (int i = 0; i < 50; i++) {
        WRITE(p, MSS);
        peer_advance(p, RTT);
        peer_discard(p);
        acked += MSS;
        SEND(p, .flags = ACK, .seq = 1, .ack = acked);
    }
    assert_int_equal(peer_info(p).send_queued, 0);
    assert_int_equal(peer_info(p).cwnd, cwnd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_RFC6928_initial_window),
        BOTH(test_MUST_19_slow_start),
        BOTH(test_B_20_ack_division),
        BOTH(test_MUST_19_congestion_avoidance),
        BOTH(test_RFC5681_4_1_idle_restart),
        BOTH(test_timeout_is_slow_start),
        BOTH(test_second_timeout_keeps_ssthresh),
        BOTH(test_fast_retransmit_and_limited_transmit),
        BOTH(test_no_fast_retransmit_before_the_third),
        BOTH(test_what_is_no_duplicate_ack),
        BOTH(test_B_21_forged_duplicate_acks),
        BOTH(test_RFC6582_partial_ack),
        BOTH(test_sack_only_the_holes),
        BOTH(test_RFC2018_8_reneging),
        BOTH(test_B_04_impossible_blocks),
        BOTH(test_U_15_recovery_across_the_wrap),
        BOTH(test_cwnd_rests_while_the_user_is_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
