/*
 * test_acceptable.c - The sequence check: four cases times edges, trimming, the closed window (U-4).
 *
 *        1 = RCV.NXT                  4001
 *     -----|---------------------------|-----      the window here is 4000 bytes unless closed
 *      old |         acceptable        | beyond
 *
 * RFC 9293 3.4 and 3.10.7.4 first.
 */
#include "peer.h"

#define WINDOW 4000

static void open_with_window(struct peer *p)
{
    p->config.tcp.receive_buffer = WINDOW;
    p->offer.sack_permitted = true;
    established_active(p);
    assert_int_equal(p->edge, 1 + WINDOW);
}

/* Acknowledgements of what is out of the window are limited: let the limit recover. */
static void pause_a_while(struct peer *p)
{
    peer_advance(p, 30 * 1000);
    EXPECT_NOTHING(p);
}

/* Case: no text, window open. Also what is 2^31 away, where "before" and "after" meet (U-15). */
static void test_U_4_empty_segments(void **state)
{
    static const struct {
        uint32_t seq;
        bool good;
    } rows[] = {
        {0, false},          {1, true},           {2, true},           {WINDOW, true},
        {WINDOW + 1, false}, {WINDOW + 2, false}, {0x80000000, false}, {0x80000001, false},
        {0x80000002, false}, {0xffffffff, false}, {0x7fffffff, false}, {0xfffff000, false},
    };
    struct peer *p = *state;
    open_with_window(p);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint32_t before = p->written_at;
        WRITE(p, 10); /* its acknowledgement shows whether the segment counts */
        EXPECT(p, .flags = ACK, .seq = before, .ack = 1, .length = 10);
        SEND(p, .flags = ACK, .seq = rows[i].seq, .ack = before + 10);
        if (rows[i].good || rows[i].seq == 0) { /* A.2 (U-22): the ACK of a just old one counts */
            assert_int_equal(peer_info(p).snd_una - p->iss, before + 10);
        }
        if (!rows[i].good)
            EXPECT(p, .flags = ACK, .seq = before + 10, .ack = 1);
        EXPECT_NOTHING(p);
        SEND(p, .flags = ACK, .seq = 1, .ack = before + 10);
        pause_a_while(p);
    }
}

static void test_U_4_far_old_or_beyond_acks_do_not_count(void **state)
{
    static const uint32_t seqs[] = {WINDOW + 1, WINDOW + 2, 0x80000001, 0x7fffffff};
    struct peer *p = *state;
    open_with_window(p);
    WRITE(p, 10);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    for (size_t i = 0; i < sizeof(seqs) / sizeof(seqs[0]); i++) {
        SEND(p, .flags = ACK, .seq = seqs[i], .ack = 11);
        EXPECT(p, .flags = ACK, .seq = 11, .ack = 1);
        assert_int_equal(peer_info(p).snd_una - p->iss, 1);
        peer_advance(p, 1000);
        peer_discard(p); /* the ten bytes again */
    }
}

/* Case: text, window open. What is left after trimming, as in-order and held-back bytes. */
static void test_U_4_segments_with_text(void **state)
{
    static const struct {
        uint32_t seq, length, taken, held;
    } rows[] = {
        {0, 1, 0, 0},                  /* all of it old */
        {0, 2, 1, 0},                  /* the first byte is old */
        {1, 1, 1, 0},                  /* exact */
        {1, WINDOW, WINDOW, 0},        /* exact and all of the window */
        {2, 1, 0, 1},                  /* a hole before it */
        {WINDOW, 1, 0, 1},             /* the last byte of the window */
        {WINDOW - 1, 10, 0, 2},        /* the end is beyond */
        {WINDOW + 1, 1, 0, 0},         /* just beyond */
        {WINDOW + 1, 100, 0, 0},       /* beyond */
        {0xffffff00, 256, 0, 0},       /* old, ends at 0 */
        {0xffffff00, 257, 0, 0},       /* old, ends just before RCV.NXT */
        {0xffffff00, 258, 1, 0},       /* old but for the last byte */
        {0xffffff00, 5000, WINDOW, 0}, /* starts before, ends beyond: the check as printed fails it,
                                          but bytes in the window are in it */
        {0x80000001, 100, 0, 0},
        {0x80000000, 2, 0, 0},
    };
    struct peer *p = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        open_with_window(p);
        SEND(p, .flags = ACK, .seq = rows[i].seq, .ack = 1, .length = rows[i].length);
        struct sanwo_tcp_info info = peer_info(p);
        bool both = rows[i].seq == 0xffffff00 && rows[i].length == 5000;
        if (!both || info.receive_queued) {
            assert_int_equal(info.receive_queued, rows[i].taken);
            assert_int_equal(info.receive_out_of_order, rows[i].held);
            READ(p, rows[i].taken);
        }
        if (!rows[i].taken) /* unacceptable, old, or a hole: an ACK at once */
            EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
        peer_discard(p);
        sanwo_tcp_abort(p->stack, p->conn, p->now);
        peer_discard(p);
    }
}

static void close_window(struct peer *p)
{
    open_with_window(p);
    for (uint32_t at = 1; at < 1 + WINDOW; at += MSS)
        SEND(p, .flags = ACK, .seq = at, .ack = 1, .length = MSS);
    peer_advance(p, 100);
    peer_discard(p);
    assert_int_equal(p->last.segment.window, 0);
    p->seq = 1 + WINDOW;
}

/* Cases: the window is closed. Only an empty segment with RCV.NXT is acceptable. */
static void test_U_4_closed_window(void **state)
{
    struct peer *p = *state;
    close_window(p);
    SEND(p, .flags = ACK, .seq = p->seq, .ack = 1);
    EXPECT_NOTHING(p);
    static const int32_t offsets[] = {-1, 1, -WINDOW, 65535};
    for (size_t i = 0; i < 4; i++) {
        SEND(p, .flags = ACK, .seq = p->seq + (uint32_t)offsets[i], .ack = 1);
        EXPECT(p, .flags = ACK, .seq = 1, .ack = p->seq);
        pause_a_while(p);
    }
    for (int i = -1; i <= 1; i++) { /* probes: each is answered */
        SEND(p, .flags = ACK, .seq = p->seq + (uint32_t)i, .ack = 1, .length = 1);
        assert_int_equal(EXPECT(p, .flags = ACK, .seq = 1, .ack = p->seq)->window, 0);
    }
    assert_int_equal(peer_info(p).receive_queued, WINDOW);
    READ(p, WINDOW);
}

/* MUST-66 and 3.4: with a closed window valid ACKs, URGs and RSTs are still processed. */
static void test_MUST_66_closed_window_ack(void **state)
{
    struct peer *p = *state;
    close_window(p);
    WRITE(p, 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = p->seq, .length = 100);
    SEND(p, .flags = ACK, .seq = p->seq, .ack = 101, .length = 50);
    assert_int_equal(peer_info(p).snd_una - p->iss, 101);
    assert_int_equal(peer_info(p).receive_queued, WINDOW); /* but the text is not taken */
    EXPECT(p, .flags = ACK, .seq = 101, .ack = p->seq);
}

static void test_MUST_66_closed_window_urgent(void **state)
{
    struct peer *p = *state;
    close_window(p);
    SEND(p, .flags = ACK | URG, .seq = p->seq, .ack = 1, .urgent = 10);
    assert_true(peer_events(p, p->conn).what & SANWO_EVENT_URGENT);
    assert_int_equal(sanwo_tcp_urgent(p->stack, p->conn), WINDOW + 10);
}

static void test_MUST_66_closed_window_reset(void **state)
{
    struct peer *p = *state;
    close_window(p);
    SEND(p, .flags = RST, .seq = p->seq + 1);
    SEND(p, .flags = RST, .seq = p->seq - 1);
    UNCHANGED(p);
    SEND(p, .flags = RST, .seq = p->seq);
    CHANGED(p, ESTABLISHED, CLOSED);
    EXPECT_NOTHING(p);
}

/* A FIN needs no room. Strictly it is a byte too many; taking it harms nobody. Either is answered. */
static void test_closed_window_fin(void **state)
{
    struct peer *p = *state;
    close_window(p);
    SEND(p, .flags = ACK | FIN, .seq = p->seq, .ack = 1);
    const struct segment *ack = peer_next(p, 100);
    assert_non_null(ack);
    assert_in_range(ack->ack, p->seq, p->seq + 1);
    assert_int_equal(peer_state(p),
                     ack->ack == p->seq ? SANWO_TCP_ESTABLISHED : SANWO_TCP_CLOSE_WAIT);
    READ(p, WINDOW);
}

/* What lies beyond the window is cut off, and the FIN behind it is not seen. */
static void test_fin_beyond_window_is_cut_off(void **state)
{
    struct peer *p = *state;
    open_with_window(p);
    SEND(p, .flags = ACK | FIN, .seq = 1, .ack = 1, .length = WINDOW + 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1 + WINDOW);
    UNCHANGED(p);
    READ(p, WINDOW);
    peer_discard(p); /* the window opens */
    SEND(p, .flags = ACK | FIN, .seq = 1 + WINDOW, .ack = 1, .length = 100);
    CHANGED(p, ESTABLISHED, CLOSE_WAIT);
    READ(p, 100);
}

/*
 * RFC 7323 2.4: what was once advertised is honoured, also when it could not be advertised again.
 * RFC7323-2.4-1.
 */
static void test_advertised_window_is_honoured(void **state)
{
    struct peer *p = *state;
    open_with_window(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = MSS);
    assert_int_equal(
        sanwo_tcp_set_option(p->stack, p->conn, SANWO_TCP_RECEIVE_BUFFER, 2000, p->now), 0);
    for (uint32_t at = 1001; at < 1 + WINDOW; at += MSS)
        SEND(p, .flags = ACK, .seq = at, .ack = 1, .length = MSS);
    READ(p, WINDOW);
    peer_discard(p);
}

/* U-11: SND.WND moves only if SND.WL1 < SEG.SEQ, or equal and SND.WL2 =< SEG.ACK. */
static void test_U_11_window_of_old_segments(void **state)
{
    struct peer *p = *state;
    open_with_window(p);
    WRITE(p, 20);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 20);
    SEND(p, .flags = ACK, .seq = 1, .ack = 11, .length = 10, .window = 5000);
    assert_int_equal(peer_info(p).snd_wnd, 5000);
    SEND(p, .flags = ACK, .seq = 11, .ack = 11, .window = 6000);
    assert_int_equal(peer_info(p).snd_wnd, 6000);
    SEND(p, .flags = ACK, .seq = 11, .ack = 5, .window = 100); /* older ACK, same sequence number */
    assert_int_equal(peer_info(p).snd_wnd, 6000);
    SEND(p, .flags = ACK, .seq = 1, .ack = 11, .length = 10, .window = 100); /* old segment */
    assert_int_equal(peer_info(p).snd_wnd, 6000);
    SEND(p, .flags = ACK, .seq = 11, .ack = 21, .window = 7000);
    assert_int_equal(peer_info(p).snd_wnd, 7000);
    SEND(p, .flags = ACK, .seq = 11, .ack = 21, .window = 3000); /* the newest: it may shrink */
    assert_int_equal(peer_info(p).snd_wnd, 3000);
    READ(p, 10);
    peer_discard(p);
}

/* Attack B-24: two ends that each find the other's ACK unacceptable must not talk for ever. */
static void test_ack_storm_is_limited(void **state)
{
    struct peer *p = *state;
    open_with_window(p);
    unsigned answers = 0;
    for (int i = 0; i < 1000; i++) {
        SEND(p, .flags = ACK, .seq = 0x40000000, .ack = 1);
        answers += peer_discard(p);
        peer_advance(p, 1);
    }
    assert_in_range(answers, 1, 100);
    pause_a_while(p);
    SEND(p, .flags = ACK, .seq = 0x40000000, .ack = 1);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_U_4_empty_segments),           BOTH(test_U_4_far_old_or_beyond_acks_do_not_count),
        BOTH(test_U_4_segments_with_text),       BOTH(test_U_4_closed_window),
        BOTH(test_MUST_66_closed_window_ack),    BOTH(test_MUST_66_closed_window_urgent),
        BOTH(test_MUST_66_closed_window_reset),  BOTH(test_closed_window_fin),
        BOTH(test_fin_beyond_window_is_cut_off), BOTH(test_advertised_window_is_honoured),
        BOTH(test_U_11_window_of_old_segments),  BOTH(test_ack_storm_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
