/*
 * test_open.c - Opening: active and simultaneous, options, resets, retransmission of the SYN.
 *
 * RFC 9293 3.5, 3.10.7.3; RFC 7323 2; RFC 2018 2; RFC 6298 5. Passive: test_listener.c.
 */
#include "peer.h"

/* ---- SYN-SENT, 3.10.7.3 ------------------------------------------------------------------------ */

/* First: an ACK outside (ISS, SND.NXT] is answered with <SEQ=SEG.ACK><CTL=RST>, unless it is a RST. */
static void test_U_3_syn_sent_refuses_wrong_ack(void **state)
{
    static const uint32_t wrong[] = {0, 2, (uint32_t)-1, 1000, 0x80000000, 0x80000001};
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_SENT);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        SEND(p, .flags = ACK, .seq = 5, .ack = wrong[i]);
        EXPECT(p, .flags = RST, .seq = wrong[i]);
        SEND(p, .flags = SYN | ACK, .seq = 0, .ack = wrong[i]);
        EXPECT(p, .flags = RST, .seq = wrong[i]);
        SEND(p, .flags = RST | ACK, .seq = 0, .ack = wrong[i]);
        EXPECT_NOTHING(p);
        UNCHANGED(p);
    }
    peer_syn(p, SYN | ACK); /* and the connection can still open */
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
}

/* U-3, RFC5961-3.2-2. */
static void test_syn_sent_ignores_reset_without_ack(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_SENT);
    SEND(p, .flags = RST, .seq = 0);
    EXPECT_NOTHING(p);
    UNCHANGED(p);
}

/* Fifth: neither SYN nor RST: drop, even where the ACK is right. U-3. */
static void test_syn_sent_drops_what_is_no_syn(void **state)
{
    static const uint8_t flags[] = {ACK, FIN | ACK, PSH | ACK, URG | ACK, FIN, 0, PSH, URG};
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_SENT);
    for (size_t i = 0; i < sizeof(flags); i++) {
        SEND(p, .flags = flags[i], .seq = 1, .ack = 1, .length = 10);
        EXPECT_NOTHING(p);
        UNCHANGED(p);
    }
}

static void test_refused_connection_says_so(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_SENT);
    SEND(p, .flags = RST | ACK, .seq = 0, .ack = 1);
    struct sanwo_event e = peer_events(p, p->conn);
    assert_true(e.what & SANWO_EVENT_CLOSED);
    assert_int_equal(e.error, SANWO_ECONNREFUSED);
    assert_ptr_equal(e.user, p);
    EXPECT_NOTHING(p);
}

static void test_connected_event_and_data_at_once(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_SENT);
    WRITE(p, 100); /* 3.10.2: queued until ESTABLISHED */
    EXPECT_NOTHING(p);
    peer_syn(p, SYN | ACK);
    assert_true(peer_events(p, p->conn).what & SANWO_EVENT_CONNECTED);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    EXPECT_NOTHING(p);
}

/* The peer's SYN-ACK again: our ACK was lost (figure 6 and 3.10.7.4: unacceptable, so ACK). */
static void test_repeated_syn_ack_is_acknowledged_again(void **state)
{
    struct peer *p = *state;
    established_active(p);
    peer_advance(p, 1000);
    peer_syn(p, SYN | ACK);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
    UNCHANGED(p);
}

/* ---- simultaneous open, MUST-10, figure 8 -------------------------------------------------------- */

/* B-25. */
static void test_MUST_10_simultaneous_open(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_SENT);
    peer_syn(p, SYN);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    p->change_count = 0;
    peer_syn(p, SYN | ACK); /* the peer's SYN-ACK for our SYN: its SYN is old, its ACK is news */
    CHANGED(p, SYN_RECEIVED, ESTABLISHED);
    assert_true(peer_events(p, p->conn).what & SANWO_EVENT_CONNECTED);
    peer_discard(p); /* an ACK is allowed here, nothing else would be */
    WRITE(p, 10);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    SEND(p, .flags = ACK, .seq = 1, .ack = 11, .length = 20);
    READ(p, 20);
}

static void test_MUST_10_simultaneous_open_lost_and_repeated(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_SENT);
    EXPECT_WITHIN(p, 1100, .flags = SYN); /* our SYN was lost: again */
    peer_syn(p, SYN);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    peer_syn(p, SYN); /* a duplicate of the peer's: acknowledged, no change */
    const struct segment *again = peer_next(p, 0);
    assert_non_null(again);
    assert_int_equal(again->ack, 1);
    ASSERT_STATE(p, SYN_RECEIVED);
    EXPECT_WITHIN(p, 3000, .flags = SYN | ACK, .seq = 0, .ack = 1); /* lost too */
    SEND(p, .flags = ACK, .seq = 1, .ack = 1);
    ASSERT_STATE(p, ESTABLISHED);
    EXPECT_NOTHING(p);
}

/* MUST-11: an active open in SYN-RECEIVED ends and the user is told "refused". */
static void test_MUST_11_reset_after_simultaneous_open(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_RECEIVED);
    SEND(p, .flags = RST, .seq = 1);
    CHANGED(p, SYN_RECEIVED, CLOSED);
    assert_int_equal(peer_events(p, p->conn).error, SANWO_ECONNREFUSED);
    EXPECT_NOTHING(p);
}

/* U-9: an unacceptable ACK in SYN-RECEIVED gets <SEQ=SEG.ACK><CTL=RST>. C-08. */
static void test_U_9_syn_received_refuses_wrong_ack(void **state)
{
    static const uint32_t wrong[] = {0, 2, 0x80000000, (uint32_t)-5};
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_RECEIVED);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        SEND(p, .flags = ACK, .seq = 1, .ack = wrong[i]);
        EXPECT(p, .flags = RST, .seq = wrong[i]);
        UNCHANGED(p);
    }
}

static void test_syn_received_needs_an_ack(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_RECEIVED);
    SEND(p, .flags = 0, .seq = 1, .length = 10);
    EXPECT_NOTHING(p);
    UNCHANGED(p);
}

/* The segment that acknowledges our SYN may carry text and FIN: all of it counts. */
static void test_syn_received_ack_with_data_and_fin(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_RECEIVED);
    SEND(p, .flags = ACK | FIN, .seq = 1, .ack = 1, .length = 30);
    CHANGES(p, EDGE(SYN_RECEIVED, ESTABLISHED), EDGE(ESTABLISHED, CLOSE_WAIT));
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 32);
    READ(p, 30);
}

/* ---- retransmission of the SYN ------------------------------------------------------------------- */

/* RFC 6298 2.1, 5.5: 1 s, doubled each time. MUST-23: R2 at least 3 minutes. MUST-22. */
static void test_MUST_23_syn_retransmission(void **state)
{
    struct peer *p = *state;
    const struct segment *syn;
    peer_connect(p);
    EXPECT(p, .flags = SYN);
    sanwo_time start = p->now, last = p->now, wait = SANWO_SEC(1);
    while ((syn = peer_next(p, 600 * 1000)) != NULL) {
        assert_int_equal(syn->flags, SYN);
        assert_int_equal(syn->seq, 0);
        assert_in_range(syn->time - last, wait - SANWO_MSEC(20), wait + SANWO_MSEC(20));
        last = syn->time;
        wait = 2 * wait > SANWO_SEC(120) ? SANWO_SEC(120) : 2 * wait;
    }
    struct sanwo_event e = peer_events(p, p->conn);
    assert_true(e.what & SANWO_EVENT_CLOSED);
    assert_int_equal(e.error, SANWO_ETIMEDOUT);
    assert_true(last - start >= SANWO_SEC(60));
    CHANGES(p, EDGE(CLOSED, SYN_SENT), EDGE(SYN_SENT, CLOSED));
}

static void test_MUST_23_syn_is_not_given_up_before_3_minutes(void **state)
{
    struct peer *p = *state;
    peer_connect(p);
    peer_advance(p, 180 * 1000);
    ASSERT_STATE(p, SYN_SENT);
    peer_discard(p);
    peer_syn(p, SYN | ACK);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
    ASSERT_STATE(p, ESTABLISHED);
}

/*
 * RFC 5681 3.1: if the SYN was lost the initial window is one segment. RFC 6298 5.7: RTO is 3 s.
 * RFC5681-3.1-3, RFC6298-5-1.
 */
static void test_lost_syn_means_initial_window_of_one(void **state)
{
    struct peer *p = *state;
    peer_connect(p);
    EXPECT(p, .flags = SYN);
    EXPECT_WITHIN(p, 1100, .flags = SYN);
    peer_advance(p, RTT);
    peer_syn(p, SYN | ACK);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
    WRITE(p, 5 * MSS);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = MSS);
    EXPECT_NOTHING(p);
    sanwo_time sent = p->now;
    EXPECT_WITHIN(p, 3500, .flags = ACK, .seq = 1, .ack = 1, .length = MSS);
    assert_true(p->now - sent >= SANWO_SEC(3));
}

/* ---- MSS, 3.7.1 ------------------------------------------------------------------------------------ */

/*
 * MUST-14, MUST-67, SHLD-5: MTU less fixed headers, in SYN and in SYN-ACK. RFC6691-2-1: timestamps
 * are offered and not counted.
 */
static void test_MUST_67_announced_mss(void **state)
{
    struct peer *p = *state;
    peer_connect(p);
    uint16_t mss = p->family == SANWO_FAMILY_IPV4 ? 1460 : 1440;
    assert_int_equal(EXPECT(p, .flags = SYN)->mss, mss); /* MAY-3 */
    peer_syn(p, SYN);
    assert_int_equal(EXPECT(p, .flags = SYN | ACK, .ack = 1)->mss, mss);
}

/* One connection with that MSS of the peer's; returns what a full segment then carries. */
static uint32_t full_segment(struct peer *p, bool present, uint16_t mss)
{
    p->offer.mss = mss;
    p->offer.has_mss = present;
    established_active(p);
    WRITE(p, 3000);
    const struct segment *seg = peer_next(p, 0);
    assert_non_null(seg);
    uint32_t length = seg->length;
    peer_discard(p);
    assert_int_equal(sanwo_tcp_abort(p->stack, p->conn, p->now), 0);
    peer_discard(p);
    return length;
}

static void test_MUST_15_default_mss(void **state)
{
    struct peer *p = *state;
    assert_int_equal(full_segment(p, false, 0), p->family == SANWO_FAMILY_IPV4 ? 536 : 1220);
}

/*
 * MUST-16; attack A-09: 0 and tiny ones count as the floor; large ones as what the path takes.
 * MUST-14.
 * B-03.
 */
static void test_MUST_16_peer_mss(void **state)
{
    struct peer *p = *state;
    assert_int_equal(full_segment(p, true, 0) & 0xffff,
                     full_segment(p, true, 0)); /* 0 either as absent or as the floor */
    assert_true(full_segment(p, true, 0) >= 64);
    assert_int_equal(full_segment(p, true, 1), 64);
    assert_int_equal(full_segment(p, true, 63), 64);
    assert_int_equal(full_segment(p, true, 64), 64);
    assert_int_equal(full_segment(p, true, 65), 65);
    assert_int_equal(full_segment(p, true, 1400), 1400);
    assert_int_equal(full_segment(p, true, 65535), p->family == SANWO_FAMILY_IPV4 ? 1460 : 1440);
}

/* ---- window scale, RFC 7323 2 ---------------------------------------------------------------------- */

/* RFC7323-2.2-2. */
static void test_RFC7323_2_2_window_of_syn_is_not_scaled(void **state)
{
    struct peer *p = *state;
    p->offer.scale = SCALE(7);
    p->offer.window = 2000;
    established_active(p);
    WRITE(p, 4000);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = MSS);
    EXPECT(p, .flags = ACK, .seq = 1001, .ack = 1, .length = MSS);
    EXPECT_NOTHING(p);                                       /* 2000, not 2000 << 7 */
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .window = 20); /* 20 << 7 is 2560 */
    assert_int_equal(peer_info(p).snd_wnd, 2560);
}

/* The option takes effect only if both sent it. RFC7323-2.2-1. */
static void test_RFC7323_2_2_no_scale_unless_both_offer(void **state)
{
    struct peer *p = *state;
    established_active(p);
    struct sanwo_tcp_info info = peer_info(p);
    assert_int_equal(info.send_scale, -1);
    assert_int_equal(info.receive_scale, -1);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 10, .window = 3000);
    assert_int_equal(peer_info(p).snd_wnd, 3000); /* not scaled in this direction */
    assert_int_equal(EXPECT_WITHIN(p, 100, .flags = ACK, .seq = 1, .ack = 11)->window >= 65000,
                     1); /* nor in that */
}

/* RFC7323-2.2-1. */
static void test_RFC7323_2_2_no_offer_of_ours(void **state)
{
    struct peer *p = *state;
    p->config.tcp.offer_window_scale = false;
    p->config.tcp.offer_timestamps = false;
    p->config.tcp.offer_sack = false;
    p->offer.scale = SCALE(3);
    p->offer.sack_permitted = true;
    peer_listen(p, 0, 0);
    peer_syn(p, SYN);
    const struct segment *syn_ack = EXPECT(p, .flags = SYN | ACK, .ack = 1);
    assert_int_equal(syn_ack->scale, 0);
    assert_false(syn_ack->has_ts);
    assert_false(syn_ack->sack_permitted);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .window = 4000);
    peer_accept(p);
    assert_int_equal(peer_info(p).snd_wnd, 4000);
    assert_int_equal(peer_info(p).send_scale, -1);
}

/* 2.3: a shift count above 14 counts as 14. RFC7323-2.3-1. */
static void test_RFC7323_2_3_scale_above_14(void **state)
{
    static const uint8_t counts[] = {0, 1, 14, 15, 16, 31, 32, 64, 127, 128, 255};
    struct peer *p = *state;
    for (size_t i = 0; i < sizeof(counts); i++) {
        uint8_t effective = counts[i] > 14 ? 14 : counts[i];
        p->offer.scale = (uint16_t)SCALE(counts[i]);
        established_active(p);
        assert_int_equal(peer_info(p).send_scale, effective);
        SEND(p, .flags = ACK, .seq = 1, .ack = 1, .window = 65535);
        assert_int_equal(peer_info(p).snd_wnd, UINT32_C(65535) << effective); /* MUST-1, REC-1 */
        sanwo_tcp_abort(p->stack, p->conn, p->now);
        peer_discard(p);
    }
}

/* ---- timestamps and SACK: what was offered and what not --------------------------------------------- */

static void test_RFC7323_3_2_timestamps_if_both_offer(void **state)
{
    struct peer *p = *state;
    p->offer.has_ts = true;
    established_active(p); /* the harness sees that each segment then has one */
    assert_true(peer_info(p).timestamps);
    WRITE(p, 3000);
    const struct segment *seg = EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = MSS - 12);
    assert_true(seg->has_ts); /* MUST-16: the options take their place out of the MSS */
    assert_int_equal(seg->options_length, 12);
}

/* RFC7323-3.2-3. */
static void test_RFC7323_3_2_timestamps_not_agreed_are_ignored(void **state)
{
    struct peer *p = *state;
    established_active(p);
    assert_false(peer_info(p).timestamps);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 10, .has_ts = true, .ts_value = 5);
    SEND(p, .flags = ACK, .seq = 11, .ack = 1, .length = 10, .has_ts = true, .ts_value = 4);
    EXPECT_WITHIN(p, 100, .flags = ACK, .seq = 1, .ack = 21);
    READ(p, 20);
}

static void test_RFC2018_2_sack_if_permitted(void **state)
{
    struct peer *p = *state;
    p->offer.sack_permitted = true;
    established_active(p);
    assert_true(peer_info(p).sack);
    SEND(p, .flags = ACK, .seq = 101, .ack = 1, .length = 100);
    const struct segment *dup = EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
    assert_int_equal(dup->sack_count, 1);
}

/* RFC2018-2-1. */
static void test_RFC2018_2_no_sack_unless_permitted(void **state)
{
    struct peer *p = *state;
    established_active(p);
    assert_false(peer_info(p).sack);
    SEND(p, .flags = ACK, .seq = 101, .ack = 1, .length = 100);
    assert_int_equal(EXPECT(p, .flags = ACK, .seq = 1, .ack = 1)->sack_count, 0);
}

/* MUST-7, MUST-64: strange options neither hurt nor are answered. */
static void test_MUST_6_unknown_and_broken_options(void **state)
{
    static const struct {
        uint8_t bytes[12], length;
    } options[] = {
        {{1, 1, 1, 0}, 4},                 /* NOPs and the end */
        {{253, 8, 1, 2, 3, 4, 5, 6}, 8},   /* an experiment */
        {{19, 4, 0, 0, 200, 2, 1, 1}, 8},  /* two unknown ones */
        {{1, 253, 5, 9, 9, 9, 1, 1}, 8},   /* not on a word */
        {{200, 0, 1, 1}, 4},               /* length 0 */
        {{200, 1, 1, 1}, 4},               /* length 1 */
        {{200, 60, 1, 1}, 4},              /* past the end */
        {{2, 4, 5, 180, 3, 3, 7, 1}, 8},   /* MSS and scale where they do not belong */
        {{5, 9, 0, 0, 0, 0, 0, 0, 0}, 12}, /* SACK of an impossible size */
        {{8, 9, 0, 0, 0, 0, 0, 0, 0}, 12}, /* timestamps of an impossible size */
    };
    struct peer *p = *state;
    established_active(p);
    for (uint32_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        SEND(p, .flags = ACK, .seq = 1 + 10 * i, .ack = 1, .length = 10, .raw = options[i].bytes,
             .raw_length = options[i].length);
        if (peer_info(p).rcv_nxt - p->isn == 1 + 10 * i) /* dropped: also safe (MUST-7) */
            SEND(p, .flags = ACK, .seq = 1 + 10 * i, .ack = 1, .length = 10);
        READ(p, 10);
    }
    ASSERT_STATE(p, ESTABLISHED);
    peer_discard(p);
}

static void test_MUST_3_bad_checksum_is_dropped(void **state)
{
    struct peer *p = *state;
    established_active(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 10, .bad_checksum = true);
    QUIET(p, 500);
    assert_int_equal(peer_info(p).receive_queued, 0);
    assert_int_equal(p->last_drop, SANWO_REASON_TCP_CHECKSUM);
    SEND(p, .flags = RST, .seq = 1, .bad_checksum = true);
    UNCHANGED(p);
}

static void test_header_that_does_not_fit_is_dropped(void **state)
{
    static const uint8_t offsets[] = {1, 4, 6, 15};
    struct peer *p = *state;
    established_active(p);
    for (size_t i = 0; i < sizeof(offsets); i++) {
        SEND(p, .flags = RST, .seq = 1, .data_offset = offsets[i]);
        EXPECT_NOTHING(p);
        UNCHANGED(p);
    }
}

/* The crossing SYN closes the window, and the user closes: our SYN goes out again, no probe. */
static void test_simultaneous_open_with_a_closed_window(void **state)
{
    struct peer *p = *state;
    p->offer.zero_window = true;
    in_state(p, SANWO_TCP_SYN_SENT);
    peer_syn(p, SYN);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    unsigned syns = 0;
    for (int i = 0; i < 6; i++) {
        const struct segment *again = peer_next(p, 60000);
        assert_non_null(again);
        assert_int_equal(again->length, 0);
        syns += (again->flags & (SYN | ACK)) == (SYN | ACK) && again->seq == 0;
    }
    assert_true(syns >= 2);
    SEND(p, .flags = RST | ACK, .seq = 1, .ack = 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_U_3_syn_sent_refuses_wrong_ack),
        BOTH(test_syn_sent_ignores_reset_without_ack),
        BOTH(test_syn_sent_drops_what_is_no_syn),
        BOTH(test_refused_connection_says_so),
        BOTH(test_connected_event_and_data_at_once),
        BOTH(test_repeated_syn_ack_is_acknowledged_again),
        BOTH(test_MUST_10_simultaneous_open),
        BOTH(test_MUST_10_simultaneous_open_lost_and_repeated),
        BOTH(test_MUST_11_reset_after_simultaneous_open),
        BOTH(test_U_9_syn_received_refuses_wrong_ack),
        BOTH(test_syn_received_needs_an_ack),
        BOTH(test_syn_received_ack_with_data_and_fin),
        BOTH(test_MUST_23_syn_retransmission),
        BOTH(test_MUST_23_syn_is_not_given_up_before_3_minutes),
        BOTH(test_lost_syn_means_initial_window_of_one),
        BOTH(test_MUST_67_announced_mss),
        BOTH(test_MUST_15_default_mss),
        BOTH(test_MUST_16_peer_mss),
        BOTH(test_RFC7323_2_2_window_of_syn_is_not_scaled),
        BOTH(test_RFC7323_2_2_no_scale_unless_both_offer),
        BOTH(test_RFC7323_2_2_no_offer_of_ours),
        BOTH(test_RFC7323_2_3_scale_above_14),
        BOTH(test_RFC7323_3_2_timestamps_if_both_offer),
        BOTH(test_RFC7323_3_2_timestamps_not_agreed_are_ignored),
        BOTH(test_RFC2018_2_sack_if_permitted),
        BOTH(test_RFC2018_2_no_sack_unless_permitted),
        BOTH(test_MUST_6_unknown_and_broken_options),
        BOTH(test_MUST_3_bad_checksum_is_dropped),
        BOTH(test_header_that_does_not_fit_is_dropped),
        BOTH(test_simultaneous_open_with_a_closed_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
