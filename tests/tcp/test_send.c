/*
 * test_send.c - Sending: segments, Nagle, the peer's window, probes, urgent data, the ways to hand
 * over bytes, IP fields.
 *
 * RFC 9293 3.7.4, 3.8.5, 3.8.6, 3.9.1. Retransmission and congestion: test_recovery.c, test_timers.c.
 */
#include "peer.h"

static void set_option(struct peer *p, enum sanwo_tcp_option option, int64_t value)
{
    assert_int_equal(sanwo_tcp_set_option(p->stack, p->conn, option, value, p->now), 0);
}

static void acknowledge(struct peer *p, uint32_t ack, uint16_t window)
{
    SEND(p, .flags = ACK, .seq = 1, .ack = ack, .window = window, .zero_window = !window);
}

/* ---- segments -------------------------------------------------------------------------------------- */

/* SHLD-28: as large as possible. MUST-61, SHLD-27: PSH on the last one, and on no other. MAY-16. */
static void test_MUST_61_SHLD_28_full_segments_and_push(void **state)
{
    struct peer *p = *state;
    established_active(p);
    for (int i = 0; i < 10; i++)
        WRITE(p, 250); /* before anything is sent: collected */
    assert_int_equal(EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = MSS)->flags & PSH, 0);
    assert_int_equal(EXPECT(p, .flags = ACK, .seq = 1001, .ack = 1, .length = MSS)->flags & PSH, 0);
    assert_int_equal(EXPECT(p, .flags = ACK, .seq = 2001, .ack = 1, .length = 500)->flags & PSH,
                     PSH);
    EXPECT_NOTHING(p);
}

/* MUST-60: what was said to be followed by more does not wait for ever. */
static void test_MUST_60_more_is_not_kept_for_ever(void **state)
{
    struct peer *p = *state;
    established_active(p);
    peer_write(p, 100, SANWO_SEND_MORE);
    EXPECT_NOTHING(p);
    EXPECT_WITHIN(p, 1000, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
}

static void test_more_is_sent_with_what_follows(void **state)
{
    struct peer *p = *state;
    established_active(p);
    peer_write(p, 100, SANWO_SEND_MORE);
    EXPECT_NOTHING(p);
    WRITE(p, 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 200);
    EXPECT_NOTHING(p);
}

/* ---- Nagle, 3.7.4 ------------------------------------------------------------------------------------ */

static void test_SHLD_7_nagle(void **state)
{
    struct peer *p = *state;
    established_active(p);
    WRITE(p, 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    for (int i = 0; i < 3; i++) {
        WRITE(p, 100);
        EXPECT_NOTHING(p);
    }
    assert_int_equal(peer_info(p).limited_by, SANWO_REASON_NAGLE);
    acknowledge(p, 101, 65535);
    EXPECT(p, .flags = ACK, .seq = 101, .ack = 1, .length = 300);
    WRITE(p, 950); /* a full segment is not held back */
    EXPECT_NOTHING(p);
    WRITE(p, 100);
    EXPECT(p, .flags = ACK, .seq = 401, .ack = 1, .length = MSS);
    EXPECT_NOTHING(p);
    acknowledge(p, 1401, 65535);
    EXPECT(p, .flags = ACK, .seq = 1401, .ack = 1, .length = 50);
}

static void test_MUST_17_nagle_can_be_switched_off(void **state)
{
    struct peer *p = *state;
    established_active(p);
    WRITE(p, 100);
    WRITE(p, 1);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 101);
    WRITE(p, 9);
    EXPECT_NOTHING(p);
    set_option(p, SANWO_TCP_NAGLE, 0);
    EXPECT(p, .flags = ACK, .seq = 102, .ack = 1, .length = 9);
    WRITE(p, 5);
    EXPECT(p, .flags = ACK, .seq = 111, .ack = 1, .length = 5);
}

static void test_fin_is_not_held_back(void **state)
{
    struct peer *p = *state;
    established_active(p);
    WRITE(p, 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    WRITE(p, 100);
    EXPECT_NOTHING(p);
    sanwo_tcp_shutdown(p->stack, p->conn, p->now);
    EXPECT(p, .flags = ACK | FIN, .seq = 101, .ack = 1, .length = 100);
}

/* ---- the peer's window, 3.8.6 -------------------------------------------------------------------------- */

/* MUST-1: an unsigned 16-bit window. RFC5681-3.1-1. */
static void test_MUST_1_large_window(void **state)
{
    struct peer *p = *state;
    p->config.tcp.initial_window = 10;
    p->offer.window = 65535;
    established_active(p);
    assert_int_equal(peer_info(p).snd_wnd, 65535);
    uint32_t acked = 1, sent = 1;
    WRITE(p, 300000);
    for (int round = 0; round < 12; round++) {
        const struct segment *seg;
        while ((seg = peer_next(p, 0)) != NULL) {
            sent = seg->seq + seg->length;
            assert_true(sent - acked <= 65535);
        }
        if (sent - acked > 64000)
            break; /* all of it was used */
        peer_advance(p, RTT);
        for (; acked + MSS <= sent; acked += MSS)
            acknowledge(p, acked + MSS, 65535);
    }
    assert_true(sent - acked > 64000);
}

/* MUST-38: a window that opens a little is not used for little. B-23. */
static void test_MUST_38_sender_avoids_silly_windows(void **state)
{
    struct peer *p = *state;
    p->offer.window = 3000;
    established_active(p);
    WRITE(p, 10000);
    for (uint32_t at = 1; at < 3001; at += MSS)
        EXPECT(p, .flags = ACK, .seq = at, .ack = 1, .length = MSS);
    acknowledge(p, 1001, 2100); /* 100 are usable, data is in flight */
    EXPECT_NOTHING(p);
    acknowledge(p, 1001, 2999);
    EXPECT_NOTHING(p);
    acknowledge(p, 1001, 3000);
    EXPECT(p, .flags = ACK, .seq = 3001, .ack = 1, .length = MSS);
}

/* 3.8.6.2.1 (3): half of the largest window ever is much, where that is less than a segment. */
static void test_MUST_38_half_of_the_largest_window(void **state)
{
    struct peer *p = *state;
    p->offer.window = 600;
    established_active(p);
    WRITE(p, 2000);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 600);
    acknowledge(p, 601, 299);
    EXPECT_NOTHING(p);
    acknowledge(p, 601, 300);
    EXPECT(p, .flags = ACK, .seq = 601, .ack = 1, .length = 300);
    acknowledge(p, 901, 600);
    EXPECT(p, .flags = ACK, .seq = 901, .ack = 1, .length = 600);
}

/* 3.8.6.2.1: the override: a small window that stays small is used after 0.1 to 1 s. */
static void test_MUST_38_override(void **state)
{
    struct peer *p = *state;
    p->offer.window = 3000;
    established_active(p);
    WRITE(p, 4000);
    for (uint32_t at = 1; at < 3001; at += MSS)
        EXPECT(p, .flags = ACK, .seq = at, .ack = 1, .length = MSS);
    acknowledge(p, 3001, 100);
    EXPECT_NOTHING(p);
    sanwo_time start = p->now;
    const struct segment *seg = peer_next(p, 1001);
    assert_non_null(seg);
    assert_int_equal(seg->seq, 3001);
    assert_in_range(seg->length, 1, 100);
    assert_true(p->now - start >= SANWO_MSEC(100));
}

/* MUST-34, SHLD-15, SHLD-16: the window shrinks below what is in flight. RFC7323-2.4-2. B-23. */
static void test_MUST_34_shrinking_window(void **state)
{
    struct peer *p = *state;
    p->offer.window = 5000;
    established_active(p);
    WRITE(p, 9000);
    for (uint32_t at = 1; at < 5001; at += MSS)
        EXPECT(p, .flags = ACK, .seq = at, .ack = 1, .length = MSS);
    acknowledge(p, 1001, 1000); /* the edge is at 2001: 3000 in flight are beyond */
    EXPECT_NOTHING(p);
    WRITE(p, 1000); /* SHLD-15: no new data */
    EXPECT_NOTHING(p);
    EXPECT_WITHIN(p, 500, .flags = ACK, .seq = 1001, .ack = 1, .length = MSS); /* SHLD-16 */
    acknowledge(p, 5001, 5000);
    for (uint32_t at = 5001; at < 7001; at += MSS)
        EXPECT(p, .flags = ACK, .seq = at, .ack = 1, .length = MSS);
    ASSERT_STATE(p, ESTABLISHED);
}

/* SHLD-17: data beyond the right edge is no reason to give up, as long as the peer answers. */
static void test_SHLD_17_shrunk_to_nothing(void **state)
{
    struct peer *p = *state;
    p->offer.window = 5000;
    established_active(p);
    WRITE(p, 5000);
    for (uint32_t at = 1; at < 5001; at += MSS)
        EXPECT(p, .flags = ACK, .seq = at, .ack = 1, .length = MSS);
    acknowledge(p, 1, 0); /* MUST-35: probed in the standard way */
    for (sanwo_time end = p->now + SANWO_SEC(3600); p->now < end;) {
        const struct segment *probe = peer_next(p, 130 * 1000);
        assert_non_null(probe);
        assert_int_equal(probe->seq, 1);
        acknowledge(p, 1, 0);
    }
    ASSERT_STATE(p, ESTABLISHED);
    acknowledge(p, 1, 5000);
    uint32_t next = 1;
    for (const struct segment *seg; next < 5001 && (seg = peer_next(p, 5000)) != NULL;) {
        if (seg->seq + seg->length > next)
            next = seg->seq + seg->length;
        acknowledge(p, next, 5000);
    }
    assert_int_equal(peer_info(p).snd_una - p->iss, 5001);
}

/* ---- zero-window probes, 3.8.6.1 ---------------------------------------------------------------------------- */

/* MUST-36, SHLD-29 (first after one RTO), SHLD-30 (backed off), MUST-37 (as long as it is answered). */
static void test_MUST_36_37_SHLD_29_30_probes(void **state)
{
    struct peer *p = *state;
    established_active(p);
    acknowledge(p, 1, 0);
    WRITE(p, 100);
    EXPECT_NOTHING(p);
    sanwo_time wait = peer_info(p).rto, last = p->now, end = p->now + SANWO_SEC(24 * 3600);
    assert_int_equal(wait, SANWO_MSEC(200));
    while (p->now < end) {
        const struct segment *probe = peer_next(p, 200 * 1000);
        assert_non_null(probe);
        assert_int_equal(probe->seq, 1);
        assert_in_range(probe->length, 1, 100);
        assert_in_range(p->now - last, wait * 9 / 10, wait * 11 / 10);
        last = p->now;
        wait = 2 * wait > SANWO_SEC(120) ? SANWO_SEC(120) : 2 * wait;
        acknowledge(p, 1, 0);
        EXPECT_NOTHING(p);
    }
    ASSERT_STATE(p, ESTABLISHED);
    acknowledge(p, 1, 65535);
    const struct segment *seg = EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    assert_int_equal(seg->seq, 1);
}

/* The peer may take the byte of the probe. */
static void test_probe_is_accepted(void **state)
{
    struct peer *p = *state;
    established_active(p);
    acknowledge(p, 1, 0);
    WRITE(p, 2000);
    for (uint32_t at = 1; at < 4; at++) {
        EXPECT_WITHIN(p, 2000, .flags = ACK, .seq = at, .ack = 1, .length = 1);
        acknowledge(p, at + 1, 0);
        EXPECT_NOTHING(p);
    }
    acknowledge(p, 4, 65535);
    EXPECT(p, .flags = ACK, .seq = 4, .ack = 1, .length = MSS);
    EXPECT(p, .flags = ACK, .seq = 1004, .ack = 1, .length = 997);
}

/* Probes that nobody answers end the connection like any retransmission. */
static void test_unanswered_probes_end_the_connection(void **state)
{
    struct peer *p = *state;
    established_active(p);
    acknowledge(p, 1, 0);
    WRITE(p, 100);
    sanwo_time start = p->now;
    while (peer_next(p, 300 * 1000))
        ;
    assert_true(p->now - start >= SANWO_SEC(100)); /* SHLD-11 */
    assert_int_equal(peer_events(p, p->conn).error, SANWO_ETIMEDOUT);
}

/* ---- urgent data ---------------------------------------------------------------------------------------------- */

/* MUST-30, MUST-62: URG until it is sent, the pointer on the byte after the last urgent one. */
static void test_MUST_62_urgent_pointer(void **state)
{
    struct peer *p = *state;
    established_active(p);
    WRITE(p, 100);
    peer_write(p, 1500, SANWO_SEND_URGENT);
    WRITE(p, 900);
    assert_int_equal(EXPECT(p, .flags = ACK | URG, .seq = 1, .ack = 1, .length = MSS)->urgent,
                     1600);
    assert_int_equal(EXPECT(p, .flags = ACK | URG, .seq = 1001, .ack = 1, .length = MSS)->urgent,
                     600);
    EXPECT(p, .flags = ACK, .seq = 2001, .ack = 1, .length = 500);
}

/* MUST-31: of any length; the pointer says as much as it can. */
static void test_MUST_31_long_urgent_data(void **state)
{
    struct peer *p = *state;
    established_active(p);
    peer_write(p, 100000, SANWO_SEND_URGENT);
    assert_int_equal(EXPECT(p, .flags = ACK | URG, .seq = 1, .ack = 1, .length = MSS)->urgent,
                     65535);
    peer_discard(p);
    for (uint32_t at = 1001; at < 100001; at += MSS) {
        acknowledge(p, at, 65535);
        peer_discard(p);
    }
    acknowledge(p, 100001, 65535);
    WRITE(p, 10);
    EXPECT(p, .flags = ACK, .seq = 100001, .ack = 1, .length = 10);
}

/* ---- handing over bytes ------------------------------------------------------------------------------------------ */

static void test_send_buffer_is_bounded(void **state)
{
    static const uint8_t bytes[100000];
    struct peer *p = *state;
    p->config.tcp.send_buffer = 10000;
    p->any_payload = true;
    established_active(p);
    assert_int_equal(sanwo_tcp_send(p->stack, p->conn, bytes, 100000, 0, p->now), 10000);
    assert_int_equal(sanwo_tcp_send(p->stack, p->conn, bytes, 1, 0, p->now), -SANWO_EAGAIN);
    assert_int_equal(peer_info(p).send_queued, 10000);
    assert_false(peer_events(p, p->conn).what & SANWO_EVENT_WRITABLE);
    assert_int_equal(peer_discard(p), 10);
    acknowledge(p, 10001, 65535);
    uint32_t what = peer_events(p, p->conn).what;
    assert_true(what & SANWO_EVENT_WRITABLE);
    assert_true(what & SANWO_EVENT_DRAINED);
    assert_int_equal(sanwo_tcp_send(p->stack, p->conn, bytes, 500, 0, p->now), 500);
}

/* send_ref: the bytes are not copied, and are the user's again once acknowledged, in order. */
static void test_send_ref_is_released_when_acknowledged(void **state)
{
    static uint8_t first[5000], second[4096];
    struct peer *p = *state;
    established_active(p);
    for (uint32_t i = 0; i < 5000; i++)
        first[i] = peer_pattern(1 + i);
    for (uint32_t i = 0; i < 4096; i++)
        second[i] = peer_pattern(5001 + i);
    assert_int_equal(sanwo_tcp_send_ref(p->stack, p->conn, first, 5000, 0, p->now), 5000);
    assert_int_equal(sanwo_tcp_send_ref(p->stack, p->conn, second, 4096, 0, p->now), 4096);
    p->written_at = 9097;
    WRITE(p, 4);
    assert_int_equal(peer_discard(p), 10); /* nine full ones and a hundred bytes: the pattern */
    acknowledge(p, 4001, 65535);
    assert_int_equal(peer_info(p).references_released, 0);
    acknowledge(p, 5001, 65535);
    peer_discard(p);
    assert_true(peer_events(p, p->conn).what & SANWO_EVENT_RELEASED);
    assert_int_equal(peer_info(p).references_released, 1);
    acknowledge(p, 9101, 65535);
    peer_discard(p);
    assert_int_equal(peer_info(p).references_released, 2);
}

/* All references come back when the connection ends otherwise. */
static void test_send_ref_is_released_at_a_reset(void **state)
{
    static uint8_t bytes[8192];
    struct peer *p = *state;
    p->any_payload = true;
    established_active(p);
    for (int i = 0; i < 3; i++)
        assert_int_equal(sanwo_tcp_send_ref(p->stack, p->conn, bytes, 8192, 0, p->now), 8192);
    peer_discard(p);
    SEND(p, .flags = RST, .seq = 1);
    peer_advance(p, 1000);
    assert_int_equal(peer_info(p).references_released, 3);
}

static void test_reserve_and_commit(void **state)
{
    struct sanwo_room room;
    struct peer *p = *state;
    established_active(p);
    int64_t n = sanwo_tcp_reserve(p->stack, p->conn, 700, &room);
    assert_in_range(n, 1, 700);
    assert_int_equal(room.length, n);
    for (uint32_t i = 0; i < 500; i++)
        room.bytes[i] = peer_pattern(1 + i);
    EXPECT_NOTHING(p);
    assert_int_equal(sanwo_tcp_commit(p->stack, p->conn, 500, 0, p->now), 0);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 500);
    assert_in_range(sanwo_tcp_reserve(p->stack, p->conn, 700, &room), 1, 700);
    assert_int_equal(sanwo_tcp_commit(p->stack, p->conn, 0, 0, p->now), 0); /* all given back */
    EXPECT_NOTHING(p);
    p->written_at = 501;
    WRITE(p, 600);
    acknowledge(p, 501, 65535);
    EXPECT(p, .flags = ACK, .seq = 501, .ack = 1, .length = 600);
    assert_int_equal(sanwo_tcp_commit(p->stack, p->conn, 1, 0, p->now), -SANWO_EINVAL);
}

/* ---- IP ---------------------------------------------------------------------------------------------------------- */

/*
 * MUST-48, MUST-49, SHLD-21, SHLD-22: TTL or hop limit and DSCP, also in the middle of a
 * connection. RFC1122-3.2.1.6-1.
 */
static void test_MUST_48_49_ttl_and_dscp(void **state)
{
    struct peer *p = *state;
    p->config.tcp.ttl = 33;
    p->config.tcp.dscp = 10;
    established_active(p);
    WRITE(p, 10);
    const struct segment *seg = EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    assert_int_equal(seg->ttl, 33);
    assert_int_equal(seg->dscp_ecn, 10 << 2);
    acknowledge(p, 11, 65535);
    set_option(p, SANWO_TCP_TTL, 200);
    set_option(p, SANWO_TCP_DSCP, 46);
    WRITE(p, 10);
    seg = EXPECT(p, .flags = ACK, .seq = 11, .ack = 1, .length = 10);
    assert_int_equal(seg->ttl, 200);
    assert_int_equal(seg->dscp_ecn, 46 << 2);
}

/* MAY-9: what was received can be asked for. */
static void test_MAY_9_received_dscp(void **state)
{
    struct peer *p = *state;
    established_active(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 1, .dscp_ecn = 0xb8);
    assert_int_equal(peer_info(p).received_dscp_ecn, 0xb8);
    READ(p, 1);
}

/* Attack B-13: who has much to send does not keep the others waiting: 16 frames, then the next. */
static void test_B_13_connections_take_turns(void **state)
{
    struct peer *p = *state;
    static uint8_t bytes[40 * MSS];
    struct sanwo_handle conn[2];
    struct sanwo_frame frames[64];
    unsigned port_at = p->family == SANWO_FAMILY_IPV6 ? 42 : 22, of_first = 0, switches = 0;
    p->config.tcp.initial_window = 64;
    peer_listen(p, 0, 0);
    for (uint16_t i = 0; i < 2; i++) {
        struct segment syn = p->offer;
        syn.flags = SYN;
        peer_send_from(p, 1000 + i, &syn);
        peer_advance(p, 1);
        peer_send_from(p, 1000 + i, &(struct segment){.flags = ACK, .seq = 1, .ack = 1});
        peer_accept(p);
        conn[i] = p->conn;
    }
    peer_discard(p);
    for (int i = 0; i < 2; i++)
        assert_int_equal(sanwo_tcp_send(p->stack, conn[i], bytes, sizeof bytes, 0, p->now),
                         sizeof bytes);
    size_t n = sanwo_stack_transmit(p->stack, frames, 64, p->now);
    assert_int_equal(n, 64);
    for (size_t i = 0; i < n; i++) {
        const uint8_t *h = frames[i].slices[0].bytes;
        of_first += h[port_at + 1] == (1000 & 0xff);
        switches += i > 0 && h[port_at + 1] != frames[i - 1].slices[0].bytes[port_at + 1];
    }
    sanwo_stack_sent(p->stack, frames, n);
    assert_int_equal(of_first, 32);
    assert_int_equal(switches, 3);
    assert_int_equal(sanwo_tcp_abort(p->stack, conn[0], p->now), 0);
}

/* Who met a full buffer is told when there is room, also if all of the write before was taken. */
static void test_writable_after_a_refusal(void **state)
{
    static const uint8_t bytes[10000];
    struct peer *p = *state;
    p->config.tcp.send_buffer = 10000;
    p->any_payload = true;
    established_active(p);
    assert_int_equal(sanwo_tcp_send(p->stack, p->conn, bytes, 10000, 0, p->now), 10000);
    assert_int_equal(peer_discard(p), 10);
    assert_int_equal(sanwo_tcp_send(p->stack, p->conn, bytes, 1, 0, p->now), -SANWO_EAGAIN);
    acknowledge(p, 10001, 65535);
    assert_true(peer_events(p, p->conn).what & SANWO_EVENT_WRITABLE);
}

/* Attack D-02: what IP refuses, here a segment of the least size on a smaller link, leaks nothing. */
static void test_D_02_refused_frames_are_given_back(void **state)
{
    struct peer *p = *state;
    p->config.tcp.mss_floor = 1400;
    established_active(p);
    assert_int_equal(sanwo_stack_link_set_mtu(p->stack, 0, 1280), 0);
    uint64_t before = peer_stats(p).memory_used;
    WRITE(p, 1400);
    EXPECT_NOTHING(p);
    assert_true(peer_stats(p).reasons[SANWO_REASON_FRAME_TOO_LONG] > 0);
    assert_int_equal(sanwo_tcp_abort(p->stack, p->conn, p->now), 0);
    peer_advance(p, 100);
    peer_discard(p);
    assert_true(peer_stats(p).memory_used <= before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_MUST_61_SHLD_28_full_segments_and_push),
        BOTH(test_MUST_60_more_is_not_kept_for_ever),
        BOTH(test_more_is_sent_with_what_follows),
        BOTH(test_SHLD_7_nagle),
        BOTH(test_MUST_17_nagle_can_be_switched_off),
        BOTH(test_fin_is_not_held_back),
        BOTH(test_MUST_1_large_window),
        BOTH(test_MUST_38_sender_avoids_silly_windows),
        BOTH(test_MUST_38_half_of_the_largest_window),
        BOTH(test_MUST_38_override),
        BOTH(test_MUST_34_shrinking_window),
        BOTH(test_SHLD_17_shrunk_to_nothing),
        BOTH(test_MUST_36_37_SHLD_29_30_probes),
        BOTH(test_probe_is_accepted),
        BOTH(test_unanswered_probes_end_the_connection),
        BOTH(test_MUST_62_urgent_pointer),
        BOTH(test_MUST_31_long_urgent_data),
        BOTH(test_send_buffer_is_bounded),
        BOTH(test_send_ref_is_released_when_acknowledged),
        BOTH(test_send_ref_is_released_at_a_reset),
        BOTH(test_reserve_and_commit),
        BOTH(test_MUST_48_49_ttl_and_dscp),
        BOTH(test_MAY_9_received_dscp),
        BOTH(test_B_13_connections_take_turns),
        BOTH(test_writable_after_a_refusal),
        BOTH(test_D_02_refused_frames_are_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
