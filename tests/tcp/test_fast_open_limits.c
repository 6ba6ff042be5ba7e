/*
 * test_fast_open_limits.c - How many connections Fast Open cookies may open at a time (RFC 7413 5.1), and what
 * becomes of them when the listener goes or memory ends.
 *
 * Attack B-27: a flood of SYNs with cookies that somebody collected.
 */
#include "fast_open.h"

/* RFC7413-5.1-1, B-27: beyond the limit all get the usual handshake, until one of them is complete. */
static void test_B_27_limit_of_pending(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[12];
    listen_for(p, 2, 0);
    get_cookie(p, cookie);
    syn_from(p, PEER_PORT, cookie, 12, 10);
    syn_from(p, 81, cookie, 12, 10);
    syn_from(p, 82, cookie, 12, 10);
    EXPECT(p, .flags = SYN | ACK, .ack = 1); /* a record's answer comes first: the third's */
    EXPECT(p, .flags = SYN | ACK, .ack = 11);
    EXPECT(p, .flags = SYN | ACK, .ack = 11);
    peer_accept(p); /* who is accepted is pending still */
    syn_from(p, 83, cookie, 12, 10);
    const struct segment *answer = EXPECT(p, .flags = SYN | ACK, .ack = 1);
    assert_int_equal(answer->cookie_kind, 0); /* disabled means all of it */
    SEND(p, .flags = ACK, .seq = 11, .ack = 1);
    syn_from(p, 84, cookie, 12, 10);
    EXPECT(p, .flags = SYN | ACK, .ack = 11);
}

/* RFC7413-5.1-1, B-27: resets by those whose address was borrowed do not make room for more. */
static void test_B_27_resets_count(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[12];
    listen_for(p, 2, 0);
    get_cookie(p, cookie);
    for (int i = 0; i < 2; i++) {
        syn_from(p, PEER_PORT, cookie, 12, 10);
        EXPECT(p, .flags = SYN | ACK, .ack = 11);
        SEND(p, .flags = RST, .seq = 11);
        assert_true(nothing_to_accept(p)); /* MUST-11: back to LISTEN */
        assert_int_equal(peer_stats(p).connections, 0);
    }
    syn_from(p, PEER_PORT, cookie, 12, 10);
    EXPECT(p, .flags = SYN | ACK, .ack = 1);
    SEND(p, .flags = RST, .seq = 1);
    peer_advance(p, 60 * 1000);
    syn_from(p, PEER_PORT, cookie, 12, 10);
    EXPECT(p, .flags = SYN | ACK, .ack = 1);
    SEND(p, .flags = RST, .seq = 1);
    peer_advance(p, 60 * 1000); /* two minutes after the first at most */
    syn_from(p, PEER_PORT, cookie, 12, 10);
    EXPECT(p, .flags = SYN | ACK, .ack = 11);
}

/* RFC 7413 5.1, 8.2: while the backlog is full there are SYN cookies, and no Fast Open. */
static void test_B_27_not_while_cookies_are_out(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[12];
    struct segment syn = p->offer;
    peer_start(p);
    struct sanwo_tcp_listen open = {
        .local = {.port = OUR_PORT}, .user = p, .backlog = 1, .fast_open = 9};
    assert_int_equal(sanwo_tcp_listen(p->stack, &open, p->now, &p->listener), 0);
    static const uint8_t request[4] = {34, 2, 1, 1};
    syn_from(p, 81, request, 4, 0);
    const struct segment *answer = peer_next(p, 0);
    memcpy(cookie, ((uint8_t[12]){34, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1}), 12);
    memcpy(cookie + 2, answer->cookie, 8);
    syn.flags = SYN;
    peer_send_from(p, 82, &syn); /* the backlog is full: a SYN cookie */
    assert_int_equal(peer_next(p, 0)->cookie_kind, 0);
    assert_int_equal(peer_stats(p).reasons[SANWO_REASON_COOKIE_SENT], 1);
    peer_advance(p, 70 * 1000); /* the record is given up; cookies may still come back */
    peer_discard(p);
    assert_int_equal(peer_stats(p).half_open, 0);
    syn_from(p, 83, cookie, 12, 10);
    assert_non_null(answer = peer_next(p, 0));
    assert_int_equal(answer->cookie_kind, 0);
    assert_true(nothing_to_accept(p));
    peer_advance(p, 140 * 1000);
    peer_discard(p);
    syn_from(p, 84, cookie, 12, 10);
    peer_discard(p);
    assert_false(nothing_to_accept(p));
    p->leak_unchecked = true; /* it was accepted and nobody closes it */
}

/* The listener goes: who was accepted stays, who was not is reset. */
static void test_listener_goes(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[12];
    listen_for(p, 5, 0);
    get_cookie(p, cookie);
    syn_from(p, PEER_PORT, cookie, 12, 10);
    EXPECT(p, .flags = SYN | ACK, .ack = 11);
    peer_accept(p);
    syn_from(p, 81, cookie, 12, 10);
    EXPECT(p, .flags = SYN | ACK, .ack = 11);
    assert_int_equal(sanwo_tcp_close(p->stack, p->listener, p->now), 0);
    EXPECT(p, .flags = RST | ACK, .seq = 1, .ack = 11);
    WRITE(p, 10);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 11, .length = 10);
    SEND(p, .flags = ACK, .seq = 11, .ack = 11);
    ASSERT_STATE(p, ESTABLISHED);
    listen_for(p, 5, 0); /* likely in its place in memory */
    sanwo_tcp_abort(p->stack, p->conn, p->now);
    peer_discard(p);
    syn_from(p, 82, cookie, 12, 10);
    EXPECT(p, .flags = SYN | ACK, .ack = 11);
}

/* A proxy must be asked first, and what came with the SYN would have to be kept. */
static void test_not_with_decide(void **state)
{
    struct peer *p = *state;
    peer_start(p);
    struct sanwo_tcp_listen open = {
        .local = {.port = OUR_PORT}, .flags = SANWO_LISTEN_DECIDE, .fast_open = 1};
    assert_int_equal(sanwo_tcp_listen(p->stack, &open, p->now, &p->listener), -SANWO_EINVAL);
}

/* The limit may be changed while it listens; of a connection it is no option. */
static void test_limit_as_an_option(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[12];
    int64_t value;
    const enum sanwo_tcp_option option = SANWO_TCP_FAST_OPEN;
    opened(p, 1, 10);
    assert_int_equal(sanwo_tcp_get_option(p->stack, p->listener, option, &value), 0);
    assert_int_equal(value, 1);
    p->theirs.port = 81;
    assert_int_equal(sanwo_tcp_set_option(p->stack, p->listener, option, 2, p->now), 0);
    get_cookie(p, cookie);
    syn_from(p, 81, cookie, 12, 10);
    EXPECT(p, .flags = SYN | ACK, .ack = 11);
    assert_int_equal(sanwo_tcp_set_option(p->stack, p->listener, option, 0, p->now), 0);
    syn_from(p, 82, cookie, 12, 10);
    EXPECT(p, .flags = SYN | ACK, .ack = 1);
    const int64_t wrong[] = {-1, INT64_C(1) << 32};
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(sanwo_tcp_set_option(p->stack, p->listener, option, wrong[i], p->now),
                         -SANWO_EINVAL);
    assert_int_equal(sanwo_tcp_set_option(p->stack, p->conn, option, 1, p->now), -SANWO_EINVAL);
    assert_int_equal(sanwo_tcp_get_option(p->stack, p->conn, option, &value), -SANWO_EINVAL);
    sanwo_tcp_close(p->stack, p->listener, p->now);
    assert_int_equal(sanwo_tcp_set_option(p->stack, p->listener, option, 1, p->now), -SANWO_EBADF);
    peer_listen(p, SANWO_LISTEN_DECIDE, 0);
    assert_int_equal(sanwo_tcp_set_option(p->stack, p->listener, option, 1, p->now), -SANWO_EINVAL);
}

/* Where memory fails the connection opens without the text, or in the usual way. */
static void test_memory_fails(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[12];
    unsigned taken = 0;
    listen_for(p, 50, 0);
    get_cookie(p, cookie);
    for (uint64_t nth = 1; nth <= 8; nth++) {
        sanwo_stack_inject_fault(p->stack, nth);
        syn_from(p, (uint16_t)(1000 + nth), cookie, 12, 1000);
        sanwo_stack_inject_fault(p->stack, 0);
        const struct segment *answer = peer_next(p, 1500);
        if (!answer)
            continue; /* not even a record */
        assert_int_equal(answer->flags, SYN | ACK);
        assert_true(answer->ack == 1 || answer->ack == 1001);
        taken += answer->ack == 1001;
        peer_discard(p);
    }
    assert_true(taken >= 1);
    struct sanwo_handle h;
    while (sanwo_tcp_accept(p->stack, p->listener, p, &h) == 0)
        sanwo_tcp_abort(p->stack, h, p->now);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_B_27_limit_of_pending),
        BOTH(test_B_27_resets_count),
        BOTH(test_B_27_not_while_cookies_are_out),
        BOTH(test_listener_goes),
        BOTH(test_not_with_decide),
        BOTH(test_limit_as_an_option),
        BOTH(test_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
