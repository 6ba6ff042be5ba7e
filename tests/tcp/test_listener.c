/*
 * test_listener.c - Passive opening: LISTEN, half-open connections, the backlog, deciding, proxies.
 *
 * RFC 9293 3.10.7.2 and 3.10.7.4 for SYN-RECEIVED, 3.9.2.3.
 */
#include "peer.h"

static struct sanwo_handle none;

/* The peer's SYN from @port, answered or not; ends with our SYN-ACK taken. */
static void half_open(struct peer *p, uint16_t port)
{
    struct segment syn = p->offer;
    syn.flags = SYN;
    peer_send_from(p, port, &syn);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_int_equal(p->last.segment.port, port);
}

static void complete(struct peer *p, uint16_t port)
{
    peer_send_from(p, port, &(struct segment){.flags = ACK, .seq = 1, .ack = 1});
}

/* ---- LISTEN ------------------------------------------------------------------------------------- */

/* U-2: first RST: ignored; second ACK: <SEQ=SEG.ACK><CTL=RST>; third SYN; fourth: dropped. C-20. */
static void test_U_2_listen_all_flags(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_LISTEN);
    for (unsigned flags = 0; flags < 64; flags++) {
        if ((flags & (SYN | RST | ACK)) == SYN)
            continue; /* opens: below */
        SEND(p, .flags = (uint8_t)flags, .seq = 0, .ack = 77);
        if ((flags & (RST | ACK)) == ACK)
            EXPECT(p, .flags = RST, .seq = 77);
        EXPECT_NOTHING(p);
        UNCHANGED(p);
    }
    assert_int_equal(peer_stats(p).half_open, 0);
}

/* U-2, MUST-14. */
static void test_passive_open(void **state)
{
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    half_open(p, PEER_PORT);
    assert_int_equal(peer_stats(p).half_open, 1);
    assert_int_equal(sanwo_tcp_accept(p->stack, p->listener, NULL, &p->conn), -SANWO_EAGAIN);
    assert_int_equal(peer_events(p, p->listener).what, 0);
    complete(p, PEER_PORT);
    EXPECT_NOTHING(p);
    struct sanwo_event e = peer_events(p, p->listener);
    assert_int_equal(e.what, SANWO_EVENT_ACCEPT);
    assert_ptr_equal(e.user, p);
    peer_accept(p);
    assert_int_equal(sanwo_tcp_accept(p->stack, p->listener, NULL, &none), -SANWO_EAGAIN);
    struct sanwo_tcp_info info = peer_info(p);
    assert_int_equal(info.state, SANWO_TCP_ESTABLISHED);
    assert_int_equal(info.remote.port, PEER_PORT);
    assert_int_equal(info.local.port, OUR_PORT);
    assert_true(sanwo_address_equal(&info.remote.address, &p->theirs.address));
    assert_true(sanwo_address_equal(&info.local.address, &p->ours.address));
    assert_int_equal(info.send_mss, MSS);
    WRITE(p, 10);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
}

/* Text in a SYN is not kept (docs/deviations.md): it is not acknowledged, and comes again. */
static void test_text_in_syn_comes_again(void **state)
{
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    SEND(p, .flags = SYN, .seq = 0, .length = 50, .mss = MSS);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 50);
    peer_accept(p);
    READ(p, 50);
    EXPECT_WITHIN(p, 100, .flags = ACK, .seq = 1, .ack = 51);
}

static void test_data_and_fin_before_accept(void **state)
{
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    half_open(p, PEER_PORT);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    SEND(p, .flags = ACK | FIN, .seq = 101, .ack = 1, .length = 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 202);
    peer_accept(p);
    uint32_t what = peer_events(p, p->conn).what;
    assert_true(what & SANWO_EVENT_READABLE);
    assert_true(what & SANWO_EVENT_PEER_CLOSED);
    READ(p, 200);
    uint8_t byte;
    assert_int_equal(sanwo_tcp_receive(p->stack, p->conn, &byte, 1, p->now), 0);
    ASSERT_STATE(p, CLOSE_WAIT);
}

/* ---- SYN-RECEIVED of a passive open ---------------------------------------------------------------- */

/* RFC 6298: 1 s, doubled; attack B-11: not for ever. The record is forgotten and LISTEN goes on. */
static void test_syn_ack_retransmission(void **state)
{
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    half_open(p, PEER_PORT);
    for (int i = 0, wait = 1000; i < 5; i++, wait *= 2) {
        QUIET(p, wait - 20);
        EXPECT_WITHIN(p, 40, .flags = SYN | ACK, .seq = 0, .ack = 1);
        assert_int_equal(p->last.segment.mss, p->family == SANWO_FAMILY_IPV4 ? 1460 : 1440);
    }
    QUIET(p, 200 * 1000);
    assert_int_equal(peer_stats(p).half_open, 0);
    CHANGES(p, EDGE(CLOSED, LISTEN), EDGE(LISTEN, SYN_RECEIVED), EDGE(SYN_RECEIVED, LISTEN));
    half_open(p, PEER_PORT);
}

/* RFC5681-3.1-3. */
static void test_late_ack_of_retransmitted_syn_ack(void **state)
{
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    half_open(p, PEER_PORT);
    EXPECT_WITHIN(p, 1100, .flags = SYN | ACK, .seq = 0, .ack = 1);
    complete(p, PEER_PORT);
    peer_accept(p);
    QUIET(p, 10000);
    WRITE(p,
          5 * MSS); /* RFC 5681 3.1: the SYN-ACK was lost, so the initial window is one segment */
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = MSS);
    EXPECT_NOTHING(p);
}

static void test_repeated_syn_gets_the_syn_ack_again(void **state)
{
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    half_open(p, PEER_PORT);
    peer_advance(p, 500);
    half_open(p, PEER_PORT);
    complete(p, PEER_PORT);
    peer_accept(p);
    assert_int_equal(peer_stats(p).half_open, 0);
}

/* Figure 9: the SYN was an old duplicate, the peer resets, and its real SYN comes after. */
static void test_recovery_from_old_duplicate_syn(void **state)
{
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    SEND(p, .flags = SYN, .seq = (uint32_t)-100000);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = (uint32_t)-99999);
    SEND(p, .flags = RST, .seq = (uint32_t)-99999);
    EXPECT_NOTHING(p);
    half_open(p, PEER_PORT);
    complete(p, PEER_PORT);
    peer_accept(p);
    ASSERT_STATE(p, ESTABLISHED);
}

/* U-7: a SYN within the window returns a passive open to LISTEN, quietly. */
static void test_U_7_syn_in_window_returns_to_listen(void **state)
{
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    half_open(p, PEER_PORT);
    p->change_count = 0;
    SEND(p, .flags = SYN, .seq = 100);
    CHANGED(p, SYN_RECEIVED, LISTEN);
    assert_int_equal(peer_stats(p).half_open, 0);
}

/* U-4 and U-5 for a half-open connection. The window is [1, 65536). */
static void test_half_open_sequence_check(void **state)
{
    static const struct segment refused[] = {
        {.flags = ACK, .seq = 0, .ack = 1, .length = 1},
        {.flags = ACK, .seq = 65536, .ack = 1, .length = 1},
        {.flags = RST, .seq = 2}, /* RFC 5961 3.2: inside, not exact */
    };
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    half_open(p, PEER_PORT);
    for (size_t i = 0; i < 3; i++) {
        peer_send(p, &refused[i]);
        EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
    }
    for (int i = 0; i < 100; i++) /* empty ones must not become an exchange without end: B-24 */
        SEND(p, .flags = ACK, .seq = 0, .ack = 1);
    assert_true(peer_discard(p) <= 1);
    SEND(p, .flags = RST, .seq = 0);
    SEND(p, .flags = RST, .seq = 65536);
    EXPECT_NOTHING(p);
    assert_int_equal(peer_stats(p).half_open, 1);
    SEND(p, .flags = FIN, .seq = 1); /* U-8: no ACK bit */
    EXPECT_NOTHING(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 2); /* U-9; C-08 */
    EXPECT(p, .flags = RST, .seq = 2);
    SEND(p, .flags = ACK, .seq = 1, .ack = 0);
    EXPECT(p, .flags = RST, .seq = 0);
    complete(p, PEER_PORT);
    peer_accept(p);
}

/* ---- the backlog ------------------------------------------------------------------------------------ */

static void test_backlog(void **state)
{
    struct peer *p = *state;
    struct segment syn = p->offer;
    syn.flags = SYN;
    peer_listen(p, 0, 2);
    half_open(p, 1001);
    half_open(p, 1002);
    peer_send_from(p, 1003, &syn); /* half-open ones count */
    EXPECT_NOTHING(p);
    assert_int_equal(p->last_drop, SANWO_REASON_BACKLOG_FULL);
    complete(p, 1001);
    complete(p, 1002);
    peer_send_from(p, 1003, &syn); /* complete and not accepted ones, too */
    EXPECT_NOTHING(p);
    peer_accept(p);
    assert_int_equal(peer_info(p).remote.port, 1001); /* in order */
    sanwo_tcp_abort(p->stack, p->conn, p->now);
    peer_discard(p);
    half_open(p, 1003);
    peer_accept(p);
    assert_int_equal(peer_info(p).remote.port, 1002);
}

/* A connection that ended while it waited is still handed out, with its end. */
static void test_peer_resets_in_the_accept_queue(void **state)
{
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    half_open(p, PEER_PORT);
    complete(p, PEER_PORT);
    SEND(p, .flags = RST, .seq = 1);
    peer_accept(p);
    struct sanwo_event e = peer_events(p, p->conn);
    assert_true(e.what & SANWO_EVENT_CLOSED);
    assert_int_equal(e.error, SANWO_ECONNRESET);
    ASSERT_STATE(p, CLOSED);
    EXPECT_NOTHING(p);
}

static void test_listener_close(void **state)
{
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    half_open(p, 1001);
    complete(p, 1001);
    peer_accept(p); /* stays */
    half_open(p, 1002);
    complete(p, 1002); /* waits to be accepted */
    half_open(p, 1003);
    assert_int_equal(sanwo_tcp_close(p->stack, p->listener, p->now), 0);
    const struct segment *rst = peer_next(p, 0);
    assert_non_null(rst);
    assert_int_equal(rst->flags & ~ACK, RST);
    assert_int_equal(rst->seq, 1);
    assert_int_equal(rst->port, 1002);
    peer_discard(p);
    complete(p, 1003);
    EXPECT(p, .flags = RST, .seq = 1); /* nothing is there any more */
    QUIET(p, 100 * 1000);
    assert_int_equal(peer_stats(p).half_open, 0);
    ASSERT_STATE(p, ESTABLISHED);
    assert_int_equal(sanwo_tcp_close(p->stack, p->listener, p->now), -SANWO_EBADF);
    assert_int_equal(sanwo_tcp_accept(p->stack, p->listener, NULL, &none), -SANWO_EBADF);
    p->theirs.port = 1001;
}

/* MUST-41: a passive open does not touch connections. MUST-42: nor is it refused because of one. */
static void test_MUST_41_42_listen_beside_connections(void **state)
{
    static const enum sanwo_tcp_state states[] = {SANWO_TCP_SYN_SENT, SANWO_TCP_SYN_RECEIVED,
                                                  SANWO_TCP_ESTABLISHED, SANWO_TCP_CLOSE_WAIT};
    struct peer *p = *state;
    for (size_t i = 0; i < 4; i++) {
        in_state(p, states[i]);
        peer_listen(p, 0, 0);
        assert_int_equal(peer_state(p), states[i]);
        half_open(p, 2000);
        complete(p, 2000);
        assert_int_equal(peer_state(p), states[i]);
        sanwo_tcp_close(p->stack, p->listener, p->now);
        sanwo_tcp_abort(p->stack, p->conn, p->now);
        peer_discard(p);
    }
}

/* ---- decide before SYN-ACK ---------------------------------------------------------------------------- */

static struct sanwo_tcp_request request(struct peer *p)
{
    struct sanwo_tcp_request r;
    peer_listen(p, SANWO_LISTEN_DECIDE, 0);
    peer_syn(p, SYN);
    EXPECT_NOTHING(p);
    assert_int_equal(peer_events(p, p->listener).what, SANWO_EVENT_REQUEST);
    assert_int_equal(sanwo_tcp_request(p->stack, p->listener, &r), 0);
    assert_int_equal(r.local.port, OUR_PORT);
    assert_int_equal(r.remote.port, PEER_PORT);
    assert_true(sanwo_address_equal(&r.remote.address, &p->theirs.address));
    assert_int_equal(
        sanwo_tcp_request(p->stack, p->listener, &(struct sanwo_tcp_request){.handle = none}),
        -SANWO_EAGAIN);
    return r;
}

static void test_decide_admit(void **state)
{
    struct peer *p = *state;
    struct sanwo_tcp_request r = request(p);
    peer_syn(p, SYN); /* again, as the peer hears nothing */
    QUIET(p, 3000);
    assert_int_equal(sanwo_tcp_admit(p->stack, r.handle, p->now), 0);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_int_equal(sanwo_tcp_admit(p->stack, r.handle, p->now), -SANWO_EBADF);
    assert_int_equal(sanwo_tcp_refuse(p->stack, r.handle, p->now), -SANWO_EBADF);
    complete(p, PEER_PORT);
    peer_accept(p);
    ASSERT_STATE(p, ESTABLISHED);
}

static void test_decide_refuse(void **state)
{
    struct peer *p = *state;
    struct sanwo_tcp_request r = request(p);
    assert_int_equal(sanwo_tcp_refuse(p->stack, r.handle, p->now), 0);
    EXPECT(p, .flags = RST | ACK, .seq = 0 - p->iss, .ack = 1); /* as a closed port: 3.10.7.1 */
    EXPECT_NOTHING(p);
    assert_int_equal(sanwo_tcp_refuse(p->stack, r.handle, p->now), -SANWO_EBADF);
    assert_int_equal(peer_stats(p).half_open, 0);
}

static void test_decide_ignore(void **state)
{
    struct peer *p = *state;
    struct sanwo_tcp_request r = request(p);
    assert_int_equal(sanwo_tcp_ignore(p->stack, r.handle, p->now), 0);
    QUIET(p, 100 * 1000);
    assert_int_equal(sanwo_tcp_ignore(p->stack, r.handle, p->now), -SANWO_EBADF);
    assert_int_equal(peer_stats(p).half_open, 0);
}

static void test_decide_close_is_ignore(void **state)
{
    struct peer *p = *state;
    struct sanwo_tcp_request r = request(p);
    assert_int_equal(sanwo_tcp_close(p->stack, r.handle, p->now), 0);
    QUIET(p, 100 * 1000);
    assert_int_equal(sanwo_tcp_close(p->stack, r.handle, p->now), -SANWO_EBADF);
    assert_int_equal(peer_stats(p).half_open, 0);
}

static void test_decide_takes_too_long(void **state)
{
    struct peer *p = *state;
    struct sanwo_tcp_request r = request(p);
    QUIET(p, 9900);
    assert_int_equal(peer_stats(p).half_open, 1);
    QUIET(p, 200);
    assert_int_equal(peer_stats(p).half_open, 0);
    assert_int_equal(sanwo_tcp_admit(p->stack, r.handle, p->now), -SANWO_EBADF);
    EXPECT_NOTHING(p);
}

static void test_decide_peer_gives_up(void **state)
{
    struct peer *p = *state;
    struct sanwo_tcp_request r = request(p);
    SEND(p, .flags = RST, .seq = 1);
    EXPECT_NOTHING(p);
    assert_int_equal(sanwo_tcp_admit(p->stack, r.handle, p->now), -SANWO_EBADF);
    assert_int_equal(peer_stats(p).half_open, 0);
    EXPECT_NOTHING(p);
}

static void test_decide_listener_closes(void **state)
{
    struct peer *p = *state;
    struct sanwo_tcp_request r = request(p);
    assert_int_equal(sanwo_tcp_close(p->stack, p->listener, p->now), 0);
    assert_int_equal(sanwo_tcp_admit(p->stack, r.handle, p->now), -SANWO_EBADF);
    QUIET(p, 1000);
}

/* ---- addresses and ports ---------------------------------------------------------------------------------- */

static void test_port_without_listener_is_refused(void **state)
{
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    p->ours.port = OUR_PORT + 1;
    peer_syn(p, SYN);
    EXPECT(p, .flags = RST | ACK, .seq = 0 - p->iss, .ack = 1);
}

static void test_listener_of_any_port(void **state)
{
    struct peer *p = *state;
    peer_start(p);
    struct sanwo_tcp_listen open = {
        .flags = SANWO_LISTEN_ANY_PORT, .isn_is_set = true, .isn = p->iss};
    assert_int_equal(sanwo_tcp_listen(p->stack, &open, p->now, &p->listener), 0);
    p->ours.port = 1;
    half_open(p, PEER_PORT);
    p->ours.port = 65535;
    half_open(p, PEER_PORT);
    complete(p, PEER_PORT);
    peer_accept(p);
    assert_int_equal(peer_info(p).local.port, 65535);
    p->edge_known = false;
    WRITE(p, 1);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 1);
    struct sanwo_handle any = p->listener; /* one of its own comes first */
    p->ours.port = OUR_PORT;
    peer_listen(p, 0, 0);
    half_open(p, PEER_PORT);
    complete(p, PEER_PORT);
    assert_int_equal(sanwo_tcp_accept(p->stack, any, NULL, &none), -SANWO_EAGAIN);
    sanwo_tcp_abort(p->stack, p->conn, p->now);
    sanwo_tcp_close(p->stack, any, p->now);
    p->ours.port = 65535;
    peer_discard(p);
    p->ours.port = OUR_PORT;
    peer_accept(p);
}

static void test_listener_of_any_address(void **state)
{
    struct peer *p = *state;
    peer_start(p);
    if (p->family == SANWO_FAMILY_IPV4)
        p->ours.address = sanwo_address_ipv4(198, 51, 100, 7);
    else
        p->ours.address.bytes[5] = 0x77;
    struct sanwo_tcp_listen open = {.local = {.port = OUR_PORT}, .isn_is_set = true, .isn = p->iss};
    assert_int_equal(sanwo_tcp_listen(p->stack, &open, p->now, &p->listener), 0);
    peer_syn(p, SYN);
    EXPECT_NOTHING(p); /* not for us */
    assert_int_equal(sanwo_tcp_close(p->stack, p->listener, p->now), 0);
    open.flags = SANWO_LISTEN_ANY_ADDRESS;
    assert_int_equal(sanwo_tcp_listen(p->stack, &open, p->now, &p->listener), 0);
    half_open(p, PEER_PORT);
    complete(p, PEER_PORT);
    peer_accept(p);
    WRITE(p, 10); /* MUST-45: from the address it was opened to */
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 10);
    SEND(p, .flags = RST, .seq = 1, .ack = 1);
    ASSERT_STATE(p, CLOSED);
}

/* The most specific listener gets the SYN: address and port, then family and port, then port. */
static void test_listener_of_one_address_comes_first(void **state)
{
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    struct sanwo_tcp_listen open = {.local = p->ours, .isn_is_set = true, .isn = p->iss};
    struct sanwo_handle specific;
    assert_int_equal(sanwo_tcp_listen(p->stack, &open, p->now, &specific), 0);
    half_open(p, PEER_PORT);
    complete(p, PEER_PORT);
    assert_int_equal(sanwo_tcp_accept(p->stack, p->listener, NULL, &none), -SANWO_EAGAIN);
    assert_int_equal(sanwo_tcp_accept(p->stack, specific, NULL, &p->conn), 0);
    assert_int_equal(sanwo_tcp_close(p->stack, specific, p->now), 0);
    half_open(p, 1001);
    complete(p, 1001);
    assert_int_equal(sanwo_tcp_accept(p->stack, p->listener, NULL, &none), 0);
    sanwo_tcp_abort(p->stack, none, p->now);
}

/* MUST-57: a SYN to a broadcast or multicast address. MUST-63: from an impossible one. Silence. */
static void test_MUST_57_63_syn_with_impossible_addresses(void **state)
{
    static const char *const to[][3] = {{"192.0.2.255", "255.255.255.255", "224.0.0.1"},
                                        {"ff02::1", "ff0e::1234", "ff02::1:ff00:1"}};
    static const char *const from[][4] = {{"192.0.2.255", "224.0.0.9", "0.0.0.0", "192.0.2.1"},
                                          {"ff02::2", "ff0e::1", "::", "2001:db8::1"}};
    struct peer *p = *state;
    bool v6 = p->family == SANWO_FAMILY_IPV6;
    struct sanwo_address ours = p->ours.address;
    peer_listen(p, SANWO_LISTEN_ANY_ADDRESS, 0);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(sanwo_address_parse(to[v6][i], &p->ours.address));
        peer_syn(p, SYN);
        EXPECT_NOTHING(p);
    }
    p->ours.address = ours;
    for (unsigned i = 0; i < 4; i++) {
        assert_true(sanwo_address_parse(from[v6][i], &p->theirs.address));
        peer_syn(p, SYN);
        EXPECT_NOTHING(p);
    }
    assert_int_equal(peer_stats(p).half_open, 0);
}

/* RFC 7323 5.5: after a jump of the clock by weeks a half-open record's timestamp is outdated. */
static void test_RFC7323_half_open_after_a_jump(void **state)
{
    struct peer *p = *state;
    p->offer.has_ts = true;
    p->offer.ts_value = 0x10000000;
    peer_listen(p, 0, 0);
    half_open(p, PEER_PORT);
    p->ts_on = true;
    p->now += SANWO_SEC(30 * 24 * 3600);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .has_ts = true, .ts_value = 0x10000000 - 5,
         .ts_echo = p->ts_echo);
    peer_discard(p);
    peer_accept(p);
    ASSERT_STATE(p, ESTABLISHED);
}

/* Attack B-32: port 0 is nobody's. What comes from it or goes to it is dropped in silence. */
static void test_B_32_port_zero(void **state)
{
    struct peer *p = *state;
    peer_listen(p, 0, 0);
    peer_send_from(p, 0, &(struct segment){.flags = SYN});
    EXPECT_NOTHING(p);
    assert_int_equal(p->last_drop, SANWO_REASON_TCP_PORT_ZERO);
    p->ours.port = 0;
    SEND(p, .flags = SYN);
    EXPECT_NOTHING(p);
    assert_int_equal(p->last_drop, SANWO_REASON_TCP_PORT_ZERO);
    assert_int_equal(peer_stats(p).half_open, 0);
}

/* A listener that closes takes its own half-open connections along, and nobody else's. */
static void test_listener_close_leaves_others(void **state)
{
    struct peer *p = *state;
    struct sanwo_tcp_listen open = {
        .local = {.port = OUR_PORT + 1}, .isn_is_set = true, .isn = p->iss};
    struct sanwo_handle other;
    peer_listen(p, 0, 0);
    half_open(p, 1001);
    assert_int_equal(sanwo_tcp_listen(p->stack, &open, p->now, &other), 0);
    p->ours.port = OUR_PORT + 1;
    half_open(p, 1002);
    assert_int_equal(sanwo_tcp_close(p->stack, other, p->now), 0);
    EXPECT_NOTHING(p);
    assert_int_equal(peer_stats(p).half_open, 1);
    p->ours.port = OUR_PORT;
    complete(p, 1001);
    peer_accept(p);
    ASSERT_STATE(p, ESTABLISHED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_U_2_listen_all_flags),
        BOTH(test_passive_open),
        BOTH(test_text_in_syn_comes_again),
        BOTH(test_data_and_fin_before_accept),
        BOTH(test_syn_ack_retransmission),
        BOTH(test_late_ack_of_retransmitted_syn_ack),
        BOTH(test_repeated_syn_gets_the_syn_ack_again),
        BOTH(test_recovery_from_old_duplicate_syn),
        BOTH(test_U_7_syn_in_window_returns_to_listen),
        BOTH(test_half_open_sequence_check),
        BOTH(test_backlog),
        BOTH(test_peer_resets_in_the_accept_queue),
        BOTH(test_listener_close),
        BOTH(test_MUST_41_42_listen_beside_connections),
        BOTH(test_decide_admit),
        BOTH(test_decide_refuse),
        BOTH(test_decide_ignore),
        BOTH(test_decide_close_is_ignore),
        BOTH(test_decide_takes_too_long),
        BOTH(test_decide_peer_gives_up),
        BOTH(test_decide_listener_closes),
        BOTH(test_port_without_listener_is_refused),
        BOTH(test_listener_of_any_port),
        BOTH(test_listener_of_any_address),
        BOTH(test_listener_of_one_address_comes_first),
        BOTH(test_MUST_57_63_syn_with_impossible_addresses),
        BOTH(test_RFC7323_half_open_after_a_jump),
        BOTH(test_B_32_port_zero),
        BOTH(test_listener_close_leaves_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
