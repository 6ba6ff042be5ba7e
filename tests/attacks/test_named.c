/*
 * test_named.c - What broke other stacks, by name: twelve cases of D-03, and attacks on one connection.
 *
 * One peer by hand (tests/tcp/peer.h), over IPv4 and IPv6.
 */
#include "tcp/peer.h"

/* ---- D-03: twelve cases, each once a crash or a hang elsewhere ---------------------------------------- */

/* D-03, A-09: an MSS of 0 is as good as none (MUST-15), one of 1 is 64 (D10); nothing is divided by it. */
static void test_D_03_mss_zero(void **state)
{
    struct peer *p = *state;
    p->offer.has_mss = true;
    for (uint16_t mss = 0; mss < 2; mss++) {
        p->offer.mss = mss;
        established_passive(p);
        uint32_t used = mss ? 64 : p->family == SANWO_FAMILY_IPV4 ? 536 : 1220;
        assert_int_equal(peer_info(p).send_mss, used);
        WRITE(p, 5 * used);
        for (uint32_t i = 0; i < 5; i++)
            EXPECT(p, .flags = ACK, .seq = 1 + used * i, .ack = 1, .length = used);
        SEND(p, .flags = ACK, .seq = 1, .ack = 1 + 5 * used);
        assert_int_equal(peer_info(p).send_queued, 0);
        sanwo_tcp_abort(p->stack, p->conn, p->now);
        sanwo_tcp_close(p->stack, p->listener, p->now);
        peer_discard(p);
    }
}

/* D-03. */
static void test_D_03_fin_in_syn_sent(void **state)
{
    static const uint8_t flags[] = {FIN, FIN | ACK, SYN | FIN, SYN | FIN | ACK, FIN | PSH | URG};
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_SENT);
    for (size_t i = 0; i < sizeof(flags); i++) {
        SEND(p, .flags = flags[i], .seq = flags[i] & SYN ? 0 : 1, .ack = 1);
        EXPECT_NOTHING(p);
        UNCHANGED(p);
    }
    peer_syn(p, SYN | ACK);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
    assert_false(peer_info(p).peer_closed);
}

/* D-03, C-08: exactly ISS + 1, or a reset and nothing else. */
static void test_D_03_syn_received_wrong_ack(void **state)
{
    static const uint32_t wrong[] = {0, 2, 3, 0x80000001, (uint32_t)-1};
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_RECEIVED);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        SEND(p, .flags = ACK, .seq = 1, .ack = wrong[i], .length = 5);
        EXPECT(p, .flags = RST, .seq = wrong[i]);
        UNCHANGED(p);
    }
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 5);
    CHANGED(p, SYN_RECEIVED, ESTABLISHED);
    READ(p, 5);
}

/* D-03: the highest number of all, on both sides. */
static void test_D_03_isn_at_the_wrap(void **state)
{
    struct peer *p = *state;
    p->iss = p->isn = UINT32_MAX;
    established_active(p);
    WRITE(p, 1500);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = MSS);
    EXPECT(p, .flags = ACK, .seq = 1001, .ack = 1, .length = 500);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1501, .length = 700);
    READ(p, 700);
    SEND(p, .flags = FIN | ACK, .seq = 701, .ack = 1501);
    EXPECT(p, .flags = ACK, .seq = 1501, .ack = 702);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    EXPECT(p, .flags = FIN | ACK, .seq = 1501, .ack = 702);
    SEND(p, .flags = ACK, .seq = 702, .ack = 1502);
    assert_int_equal(peer_state(p), SANWO_TCP_CLOSED);
}

/* D-03, B-24: a peer that answers each of our ACKs with another wrong one gets no loop. */
static void test_D_03_challenge_ack_loop(void **state)
{
    struct peer *p = *state;
    unsigned answers = 0;
    established_active(p);
    for (unsigned ms = 0; ms < 10000; ms++) {
        SEND(p, .flags = ACK, .seq = 1 - 50000u, .ack = 1);
        for (unsigned loop = 0; loop < 10 && peer_next(p, 0); loop++) {
            answers++;
            SEND(p, .flags = ACK, .seq = 1 - 50000u, .ack = 1);
        }
        peer_advance(p, 1);
    }
    assert_in_range(answers, 16, 20);
    ASSERT_STATE(p, ESTABLISHED);
}

/* D-03. */
static void test_D_03_syn_ack_not_incremented(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_SENT);
    SEND(p, .flags = SYN | ACK, .seq = 0, .ack = 0);
    EXPECT(p, .flags = RST, .seq = 0);
    UNCHANGED(p);
}

/* D-03: a round trip of no time and one of three years: the RTO stays between its bounds. */
static void test_D_03_round_trip_extremes(void **state)
{
    struct peer *p = *state;
    p->offer.has_ts = true;
    in_state(p, SANWO_TCP_SYN_SENT);
    peer_syn(p, SYN | ACK);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
    assert_in_range(peer_info(p).rto, SANWO_MSEC(200), SANWO_SEC(1));
    WRITE(p, 10);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    p->now += SANWO_SEC(INT64_C(3) * 365 * 86400); /* nobody turned the crank meanwhile */
    SEND(p, .flags = ACK, .seq = 1, .ack = 11);
    struct sanwo_tcp_info info = peer_info(p);
    assert_int_equal(info.state, SANWO_TCP_ESTABLISHED);
    assert_true(info.rto == SANWO_SEC(120));
    assert_true(info.srtt > 0 && info.rttvar > 0);
}

/* D-03, B-04: edges half the space away, reversed, beyond: no block is taken, nothing is sent. */
static void test_D_03_sack_overflow(void **state)
{
    struct peer *p = *state;
    static const uint32_t edges[] = {0,          1,          2,          3001,
                                     3002,       0x7fffffff, 0x80000000, 0x80000001,
                                     0x80000002, 0xfffffffe, 0xffffffff};
    const unsigned n = sizeof(edges) / sizeof(edges[0]);
    p->offer.sack_permitted = true;
    established_active(p);
    WRITE(p, 3000);
    peer_discard(p);
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < n; k++) {
            bool good = edges[i] > 1 && edges[k] <= 3001 && edges[i] < edges[k];
            if (good)
                continue;
            struct segment seg = {.flags = ACK, .seq = 1, .ack = 1, .sack_count = 2};
            seg.sack[0][0] = seg.sack[1][1] = edges[i];
            seg.sack[0][1] = seg.sack[1][0] = edges[k];
            if (edges[k] > 1 && edges[i] <= 3001 && edges[k] < edges[i])
                seg.sack_count = 1; /* the other way about it would be a good one */
            peer_send(p, &seg);
            assert_int_equal(peer_info(p).segments_sacked, 0);
        }
    assert_int_equal(peer_info(p).segments_lost, 0);
    assert_int_equal(peer_discard(p), 0);
    SEND(p, .flags = ACK, .seq = 1, .ack = 3001);
    assert_int_equal(peer_info(p).send_queued, 0);
}

/* D-03, C-19: nobody is at 0.0.0.0 or ::. */
static void test_D_03_syn_from_nowhere(void **state)
{
    struct peer *p = *state;
    uint8_t packet[200];
    peer_listen(p, 0, 0);
    struct flow flow = {.from = p->theirs, .to = p->ours};
    memset(flow.from.address.bytes, 0, 16);
    struct segment syn = {.flags = SYN, .seq = 7, .window = 1000, .ttl = 64};
    peer_receive_raw(p, packet, packet_tcp(&flow, &syn, packet));
    EXPECT_NOTHING(p);
    assert_int_equal(peer_stats(p).half_open, 0);
    assert_int_equal(p->last_drop, SANWO_REASON_IP_MARTIAN);
}

/* D-03, A-08: no bytes at all, and each number of them that is too few. */
static void test_D_03_empty_packet(void **state)
{
    struct peer *p = *state;
    uint8_t packet[200];
    in_state(p, SANWO_TCP_ESTABLISHED);
    struct flow flow = {.from = p->theirs, .to = p->ours};
    struct segment seg = {.flags = RST, .seq = p->seq + p->isn, .window = 1000, .ttl = 64};
    size_t whole = packet_tcp(&flow, &seg, packet);
    for (size_t length = 0; length < whole; length++)
        peer_receive_raw(p, packet, length);
    EXPECT_NOTHING(p);
    UNCHANGED(p);
    peer_receive_raw(p, packet, whole);
    CHANGED(p, ESTABLISHED, CLOSED);
}

/* D-03: the time-out comes while the window is closed; all arrives when it opens. */
static void test_D_03_retransmission_with_window_zero(void **state)
{
    struct peer *p = *state;
    established_active(p);
    WRITE(p, 2500);
    peer_discard(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1001, .zero_window = true);
    for (unsigned i = 0; i < 5; i++) {
        const struct segment *seg = peer_next(p, 60000);
        assert_non_null(seg);
        SEND(p, .flags = ACK, .seq = 1, .ack = 1001, .zero_window = true);
    }
    ASSERT_STATE(p, ESTABLISHED);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1001);
    uint32_t have = 1001;
    for (unsigned i = 0; i < 20 && have < 2501; i++) {
        const struct segment *seg = peer_next(p, 5000);
        assert_non_null(seg);
        if (seg->seq <= have && seg->seq + seg->length > have)
            have = seg->seq + seg->length;
        SEND(p, .flags = ACK, .seq = 1, .ack = have);
    }
    assert_int_equal(have, 2501);
}

/* D-03, B-23: the right edge moves behind what was sent already. */
static void test_D_03_window_shrinks(void **state)
{
    struct peer *p = *state;
    p->offer.window = 4000;
    established_active(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .window = 4000);
    WRITE(p, 8000);
    assert_int_equal(peer_discard(p), 4);
    for (uint32_t edge = 3999; edge; edge = edge * 2 / 3) {
        SEND(p, .flags = ACK, .seq = 1, .ack = 1, .window = (uint16_t)edge);
        EXPECT_NOTHING(p);
    }
    assert_int_equal(peer_info(p).in_flight + peer_info(p).segments_sacked * MSS, 4000);
    SEND(p, .flags = ACK, .seq = 1, .ack = 2001, .window = 1000);
    EXPECT_NOTHING(p); /* 2000 are out, 1000 would be allowed */
    SEND(p, .flags = ACK, .seq = 1, .ack = 4001, .window = 1000);
    EXPECT(p, .flags = ACK, .seq = 4001, .ack = 1, .length = 1000);
    EXPECT_NOTHING(p);
}

/* ---- one connection under attack ----------------------------------------------------------------------- */

/* Ten seconds at line rate: what is numbered RCV.NXT - 1 and empty is answered twice a second. B-26. */
static void test_B_26_keepalive_flood(void **state)
{
    struct peer *p = *state;
    unsigned answers = 0;
    established_active(p);
    for (unsigned i = 0; i < 100000; i++) {
        SEND(p, .flags = ACK, .seq = 0, .ack = 1);
        answers += peer_discard(p);
        if (i % 10 == 9)
            peer_advance(p, 1);
    }
    assert_in_range(answers, 16, 20);
}

/* With its garbage byte each may be answered (D14), but with no more bytes than came. B-26. */
static void test_B_26_keepalive_flood_with_a_byte(void **state)
{
    struct peer *p = *state;
    established_active(p);
    struct sanwo_stack_stats before = peer_stats(p);
    for (unsigned i = 0; i < 10000; i++) {
        SEND(p, .flags = ACK, .seq = 0, .ack = 1, .length = 1);
        peer_discard(p);
    }
    struct sanwo_stack_stats after = peer_stats(p);
    assert_true(after.segments_out - before.segments_out <= 10000);
    assert_true(after.bytes_out - before.bytes_out <= after.bytes_in - before.bytes_in);
    assert_int_equal(peer_info(p).receive_queued, 0);
    ASSERT_STATE(p, ESTABLISHED);
}

/* The window is shut and each probe is answered: the user timeout counts progress, not signs of life. B-28. */
static void test_B_28_no_progress(void **state)
{
    struct peer *p = *state;
    p->config.tcp.user_timeout = SANWO_SEC(30);
    established_active(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .zero_window = true);
    WRITE(p, 5000);
    sanwo_time start = p->now;
    unsigned probes = 0;
    while (peer_state(p) == SANWO_TCP_ESTABLISHED && p->now - start < SANWO_SEC(300)) {
        const struct segment *seg = peer_next(p, 100);
        if (!seg)
            continue;
        probes++;
        SEND(p, .flags = ACK, .seq = 1, .ack = 1, .zero_window = true);
    }
    assert_in_range(probes, 3, 20);
    assert_in_range(p->now - start, SANWO_SEC(30), SANWO_SEC(32));
    assert_int_equal(peer_events(p, p->conn).error, SANWO_ETIMEDOUT);
}

/* Of 65536 acknowledgements, all over the space, none but ISS + 1 opens. C-08. */
static void test_C_08_syn_received(void **state)
{
    struct peer *p = *state;
    struct segment syn = p->offer;
    syn.flags = SYN;
    peer_listen(p, 0, 0);
    peer_send(p, &syn);
    const struct segment *answer = peer_next(p, 0);
    assert_non_null(answer);
    p->iss += answer->seq;
    for (uint32_t i = 0; i < 65536; i++) {
        uint32_t ack = i * 65537 + 3; /* 1 is not among them */
        SEND(p, .flags = ACK, .seq = 1, .ack = ack, .length = 1);
        if (i % 256 == 0)
            peer_discard(p);
    }
    peer_discard(p);
    assert_int_equal(peer_stats(p).connections, 0);
    assert_int_equal(peer_stats(p).half_open, 1);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 1);
    peer_accept(p);
    assert_int_equal(peer_info(p).receive_queued, 1);
}

/* In a young connection text is believed from who acknowledges [SND.UNA - MAX.SND.WND, SND.NXT]. C-08. */
static void test_C_08_established(void **state)
{
    struct peer *p = *state;
    p->offer.window = 1000;
    established_active(p);
    WRITE(p, 500);
    peer_discard(p);
    uint32_t sent = 501, taken = 0, wanted = 0;
    uint32_t oldest = 1 - peer_info(p).snd_max_wnd;
    for (uint32_t i = 0; i < 65536; i++) {
        uint32_t ack = i * 65537 + 3;
        if (ack - 1 <= sent - 1)
            continue; /* an acknowledgement of what was sent */
        uint32_t before = peer_info(p).rcv_nxt;
        SEND(p, .flags = ACK, .seq = 1 + taken, .ack = ack, .length = 1);
        taken += peer_info(p).rcv_nxt - before;
        wanted += ack - oldest < 1 - oldest;
    }
    for (uint32_t ack = oldest - 3; ack != 1; ack++) { /* and the edge, number by number */
        uint32_t before = peer_info(p).rcv_nxt;
        SEND(p, .flags = ACK, .seq = 1 + taken, .ack = ack, .length = 1);
        assert_int_equal(peer_info(p).rcv_nxt - before, ack - oldest < 1 - oldest);
        taken += peer_info(p).rcv_nxt - before;
        wanted += ack - oldest < 1 - oldest;
    }
    peer_discard(p);
    assert_int_equal(taken, wanted);
    assert_in_range(taken, 1000, 1100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_D_03_mss_zero),
        BOTH(test_D_03_fin_in_syn_sent),
        BOTH(test_D_03_syn_received_wrong_ack),
        BOTH(test_D_03_isn_at_the_wrap),
        BOTH(test_D_03_challenge_ack_loop),
        BOTH(test_D_03_syn_ack_not_incremented),
        BOTH(test_D_03_round_trip_extremes),
        BOTH(test_D_03_sack_overflow),
        BOTH(test_D_03_syn_from_nowhere),
        BOTH(test_D_03_empty_packet),
        BOTH(test_D_03_retransmission_with_window_zero),
        BOTH(test_D_03_window_shrinks),
        BOTH(test_B_26_keepalive_flood),
        BOTH(test_B_26_keepalive_flood_with_a_byte),
        BOTH(test_B_28_no_progress),
        BOTH(test_C_08_syn_received),
        BOTH(test_C_08_established),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
