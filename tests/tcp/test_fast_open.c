/*
 * test_fast_open.c - TCP Fast Open (RFC 7413), the server: cookies, and data before the handshake is complete.
 * How many there may be is in test_fast_open_limits.c, the client in test_fast_open_client.c.
 */
#include "fast_open.h"

#define HOUR (3600 * 1000) /* ms */

/* RFC7413-3-1: nothing is given, looked at or taken unless the listener was told to. */
static void test_off_unless_asked_for(void **state)
{
    struct peer *p = *state;
    static const uint8_t request[4] = {34, 2, 1, 1};
    static const uint8_t cookie[12] = {34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1};
    listen_for(p, 0, 0);
    syn_from(p, PEER_PORT, request, 4, 0);
    assert_int_equal(EXPECT(p, .flags = SYN | ACK, .ack = 1)->cookie_kind, 0);
    syn_from(p, 81, cookie, 12, 100);
    assert_int_equal(EXPECT(p, .flags = SYN | ACK, .ack = 1)->cookie_kind, 0);
    assert_true(nothing_to_accept(p));
}

/* RFC7413-4.1.2-1: whatever the port, and none to whom did not ask. Of whom: test_tcp_fast_open.c. */
static void test_cookie_is_of_the_address(void **state)
{
    struct peer *p = *state;
    uint8_t first[12], again[12];
    struct segment syn = p->offer;
    listen_for(p, 5, 0);
    get_cookie(p, first);
    get_cookie(p, again);
    assert_memory_equal(first, again, 12);
    syn.flags = SYN;
    peer_send_from(p, 81, &syn);
    assert_int_equal(EXPECT(p, .flags = SYN | ACK, .ack = 1)->cookie_kind, 0);
}

/* RFC 7413 4.2.1: a SYN-ACK that goes out again has no cookie. */
static void test_cookie_is_sent_once(void **state)
{
    struct peer *p = *state;
    static const uint8_t request[4] = {34, 2, 1, 1};
    listen_for(p, 5, 0);
    syn_from(p, PEER_PORT, request, 4, 0);
    assert_int_equal(EXPECT(p, .flags = SYN | ACK, .ack = 1)->cookie_length, 8);
    assert_int_equal(EXPECT_WITHIN(p, 1100, .flags = SYN | ACK, .ack = 1)->cookie_kind, 0);
}

/* RFC 7413 3: data there, answer back, before the third segment. */
static void test_data_before_the_handshake(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[12];
    listen_for(p, 5, 0);
    get_cookie(p, cookie);
    syn_from(p, PEER_PORT, cookie, 12, 100);
    CHANGED(p, LISTEN, SYN_RECEIVED);
    const struct segment *answer = EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 101);
    assert_int_equal(answer->cookie_kind, 0);
    assert_int_equal(answer->window, 65535 - 100); /* the edge stays where the window put it */
    peer_accept(p);
    ASSERT_STATE(p, SYN_RECEIVED);
    assert_true(peer_events(p, p->conn).what & SANWO_EVENT_READABLE);
    READ(p, 100);
    assert_int_equal(sanwo_tcp_receive(p->stack, p->conn, cookie, 1, p->now), -SANWO_EAGAIN);
    WRITE(p, 500);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 101, .length = 500);
    UNCHANGED(p);
    SEND(p, .flags = ACK, .seq = 101, .ack = 1);
    CHANGED(p, SYN_RECEIVED, ESTABLISHED);
    assert_int_equal(peer_info(p).fast_open, SANWO_FAST_OPEN_TAKEN);
    assert_int_equal(peer_info(p).snd_una - peer_info(p).iss, 1);
    SEND(p, .flags = ACK, .seq = 101, .ack = 501, .length = 7);
    READ(p, 7);
    assert_int_equal(peer_info(p).bytes_acked, 500);
    assert_int_equal(peer_info(p).bytes_received, 107);
    assert_true(nothing_to_accept(p)); /* not given out twice */
}

/* One segment acknowledges the SYN and what followed it. */
static void test_one_ack_for_all(void **state)
{
    struct peer *p = *state;
    opened(p, 5, 10);
    WRITE(p, 2500);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 11, .length = MSS);
    EXPECT(p, .flags = ACK, .seq = 1001, .ack = 11, .length = MSS);
    EXPECT(p, .flags = ACK, .seq = 2001, .ack = 11, .length = 500);
    peer_advance(p, RTT);
    SEND(p, .flags = ACK, .seq = 11, .ack = 2501);
    ASSERT_STATE(p, ESTABLISHED);
    assert_int_equal(peer_info(p).in_flight, 0);
    assert_int_equal(peer_info(p).srtt, SANWO_MSEC(RTT));
    QUIET(p, 5000);
}

/* The handshake is timed by what it was alone; its time-out goes over to what is out. */
static void test_ack_of_the_syn_alone(void **state)
{
    struct peer *p = *state;
    opened(p, 5, 10);
    peer_advance(p, 50);
    WRITE(p, 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 11, .length = 100);
    peer_advance(p, 10);
    SEND(p, .flags = ACK, .seq = 11, .ack = 1);
    ASSERT_STATE(p, ESTABLISHED);
    assert_int_equal(peer_info(p).srtt, 0); /* sixty milliseconds, and nothing tells */
    EXPECT_WITHIN(p, 1100, .flags = ACK, .seq = 1, .ack = 11, .length = 100);
}

/* No more than the window has room for: the rest was not asked for, and comes again. */
static void test_more_text_than_window(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[12];
    p->config.tcp.receive_buffer = 2048;
    listen_for(p, 5, 0);
    get_cookie(p, cookie);
    syn_from(p, PEER_PORT, cookie, 12, 3000);
    const struct segment *answer = EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 2049);
    assert_int_equal(answer->window, 0);
    peer_accept(p);
    READ(p, 2048);
    SEND(p, .flags = ACK, .seq = 2049, .ack = 1);
    assert_int_equal(peer_info(p).rcv_nxt - peer_info(p).irs, 2049);
}

/* What was never sent is acknowledged: no handshake of ours (U-9). */
static void test_ack_beyond_what_was_sent(void **state)
{
    struct peer *p = *state;
    opened(p, 5, 10);
    WRITE(p, 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 11, .length = 100);
    SEND(p, .flags = ACK, .seq = 11, .ack = 102);
    EXPECT(p, .flags = RST, .seq = 102);
    SEND(p, .flags = ACK, .seq = 11, .ack = 0);
    EXPECT(p, .flags = RST, .seq = 0);
    ASSERT_STATE(p, SYN_RECEIVED);
    SEND(p, .flags = ACK, .seq = 11, .ack = 101);
    ASSERT_STATE(p, ESTABLISHED);
}

/* A cookie without text opens too: the server may be the one who speaks first. */
static void test_cookie_without_text(void **state)
{
    struct peer *p = *state;
    opened(p, 5, 0);
    WRITE(p, 20);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 20);
    SEND(p, .flags = ACK, .seq = 1, .ack = 21, .length = 5);
    ASSERT_STATE(p, ESTABLISHED);
    READ(p, 5);
}

/* RFC7413-4.2-1: the handshake goes its usual way, with a good cookie for the next time. */
static void test_wrong_cookie(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[12], wrong[12];
    listen_for(p, 5, 0);
    get_cookie(p, cookie);
    for (int byte = 2; byte < 10; byte++) {
        memcpy(wrong, cookie, 12);
        wrong[byte] ^= 1;
        syn_from(p, PEER_PORT, wrong, 12, 100);
        const struct segment *answer = EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
        assert_memory_equal(answer->cookie, cookie + 2, 8);
        assert_true(nothing_to_accept(p));
        SEND(p, .flags = RST, .seq = 1);
    }
    static const uint8_t other_length[8] = {34, 8, 1, 2, 3, 4, 5, 6};
    syn_from(p, PEER_PORT, other_length, 8, 100);
    assert_memory_equal(EXPECT(p, .flags = SYN | ACK, .ack = 1)->cookie, cookie + 2, 8);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    EXPECT_WITHIN(p, 50, .flags = ACK, .seq = 1, .ack = 101);
    peer_accept(p);
    READ(p, 100);
}

/* RFC7413-4.1.2-1: a cookie ends; the one before still counts, and the new one comes along. */
static void test_cookies_expire(void **state)
{
    struct peer *p = *state;
    uint8_t cookie[12], next[12];
    listen_for(p, 5, 0);
    get_cookie(p, cookie);
    peer_advance(p, 12 * HOUR);
    get_cookie(p, next);
    assert_memory_not_equal(cookie, next, 12);
    syn_from(p, PEER_PORT, cookie, 12, 100);
    const struct segment *answer = EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 101);
    assert_memory_equal(answer->cookie, next + 2, 8);
    SEND(p, .flags = RST, .seq = 101);
    peer_advance(p, 12 * HOUR);
    syn_from(p, PEER_PORT, cookie, 12, 100);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
}

/* RFC 7413 9: who asks by the experiment is answered by it. */
static void test_experiment(void **state)
{
    struct peer *p = *state;
    static const uint8_t request[4] = {254, 4, 0xf9, 0x89};
    uint8_t cookie[12] = {254, 12, 0xf9, 0x89};
    listen_for(p, 5, 0);
    syn_from(p, PEER_PORT, request, 4, 0);
    const struct segment *answer = EXPECT(p, .flags = SYN | ACK, .ack = 1);
    assert_int_equal(answer->cookie_kind, 254);
    assert_int_equal(answer->cookie_length, 8);
    memcpy(cookie + 4, answer->cookie, 8);
    SEND(p, .flags = RST, .seq = 1);
    syn_from(p, PEER_PORT, cookie, 12, 100);
    EXPECT(p, .flags = SYN | ACK, .ack = 101);
}

/* RFC 7413 4.2.2: the SYN-ACK again alone; what followed it waits for its acknowledgement. */
static void test_lost_syn_ack(void **state)
{
    struct peer *p = *state;
    opened(p, 5, 10);
    WRITE(p, 1500);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 11, .length = MSS);
    EXPECT(p, .flags = ACK, .seq = 1001, .ack = 11, .length = 500);
    EXPECT_WITHIN(p, 1100, .flags = SYN | ACK, .seq = 0, .ack = 11);
    WRITE(p, 100);
    EXPECT_NOTHING(p);
    EXPECT_WITHIN(p, 2100, .flags = SYN | ACK, .seq = 0, .ack = 11);
    SEND(p, .flags = ACK, .seq = 11, .ack = 1);
    ASSERT_STATE(p, ESTABLISHED);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 11, .length = MSS); /* one segment: RFC 5681 3.1 */
    assert_int_equal(peer_info(p).ssthresh, 2 * peer_info(p).send_mss); /* it was a loss */
    EXPECT_NOTHING(p);
    SEND(p, .flags = ACK, .seq = 11, .ack = 1001);
    EXPECT(p, .flags = ACK, .seq = 1001, .ack = 11, .length = 500);
    SEND(p, .flags = ACK, .seq = 11, .ack = 1501);
    EXPECT(p, .flags = ACK, .seq = 1501, .ack = 11, .length = 100);
}

/* The client did not get it and sends its SYN without text: the answer acknowledges the text as well. */
static void test_syn_again(void **state)
{
    struct peer *p = *state;
    opened(p, 5, 10);
    struct segment syn = p->offer;
    syn.flags = SYN;
    peer_send(p, &syn);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 11);
    EXPECT_NOTHING(p);
    assert_true(nothing_to_accept(p));
    assert_int_equal(peer_stats(p).connections, 1);
    READ(p, 10);
    assert_int_equal(sanwo_tcp_receive(p->stack, p->conn, &syn, 1, p->now), -SANWO_EAGAIN);
}

/* RFC 5961 4.2: another SYN in its place is challenged, not believed. */
static void test_other_syn(void **state)
{
    struct peer *p = *state;
    opened(p, 5, 10);
    SEND(p, .flags = SYN, .seq = 100);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 11);
    ASSERT_STATE(p, SYN_RECEIVED);
}

static void test_nobody_completes_it(void **state)
{
    struct peer *p = *state;
    opened(p, 1, 10);
    peer_events(p, p->conn);
    for (int i = 0; i < 5; i++)
        EXPECT_WITHIN(p, 70000, .flags = SYN | ACK, .seq = 0, .ack = 11);
    QUIET(p, 70000);
    struct sanwo_event event = peer_events(p, p->conn);
    assert_true(event.what & SANWO_EVENT_CLOSED);
    assert_int_equal(event.error, SANWO_ETIMEDOUT);
    READ(p, 10);        /* what came stays to be read */
    uint8_t cookie[12]; /* and its place is free */
    get_cookie(p, cookie);
}

/* MUST-11: the user who has it already is told. */
static void test_reset_after_accept(void **state)
{
    struct peer *p = *state;
    opened(p, 5, 10);
    peer_events(p, p->conn);
    SEND(p, .flags = RST, .seq = 12); /* RFC 5961 3.2: not exact */
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 11);
    SEND(p, .flags = RST, .seq = 11);
    struct sanwo_event event = peer_events(p, p->conn);
    assert_true(event.what & SANWO_EVENT_CLOSED);
    assert_int_equal(event.error, SANWO_ECONNRESET);
    EXPECT_NOTHING(p);
}

/* An answer and the end of it, all before the handshake is complete. */
static void test_answer_and_close(void **state)
{
    struct peer *p = *state;
    opened(p, 1, 10);
    READ(p, 10);
    WRITE(p, 300);
    p->change_count = 0;
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    CHANGED(p, SYN_RECEIVED, FIN_WAIT_1);
    EXPECT(p, .flags = FIN | ACK, .seq = 1, .ack = 11, .length = 300);
    SEND(p, .flags = ACK, .seq = 11, .ack = 1);
    UNCHANGED(p);
    SEND(p, .flags = ACK, .seq = 11, .ack = 302);
    CHANGED(p, FIN_WAIT_1, FIN_WAIT_2);
    SEND(p, .flags = FIN | ACK, .seq = 11, .ack = 302);
    EXPECT(p, .flags = ACK, .seq = 302, .ack = 12);
    assert_int_equal(peer_stats(p).time_wait, 1);
}

/* The same, and the SYN-ACK is lost: SYN-ACK, text and FIN come again. */
static void test_answer_and_close_lost(void **state)
{
    struct peer *p = *state;
    opened(p, 1, 10);
    READ(p, 10);
    WRITE(p, 300);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    EXPECT(p, .flags = FIN | ACK, .seq = 1, .ack = 11, .length = 300);
    EXPECT_WITHIN(p, 1100, .flags = SYN | ACK, .seq = 0, .ack = 11);
    peer_discard(p);
    SEND(p, .flags = ACK, .seq = 11, .ack = 302);
    SEND(p, .flags = FIN | ACK, .seq = 11, .ack = 302);
    EXPECT(p, .flags = ACK, .seq = 302, .ack = 12);
    uint8_t cookie[12];
    p->theirs.port = 81; /* its place is free */
    get_cookie(p, cookie);
    syn_from(p, 81, cookie, 12, 10);
    EXPECT(p, .flags = SYN | ACK, .ack = 11);
}

/* SHLD-3: closed without reading what came with the SYN. */
static void test_close_unread(void **state)
{
    struct peer *p = *state;
    opened(p, 5, 10);
    assert_int_equal(sanwo_tcp_close(p->stack, p->conn, p->now), 0);
    EXPECT(p, .flags = RST | ACK, .seq = 1, .ack = 11);
    assert_int_equal(peer_stats(p).connections, 0);
}

/* RFC 5927 5.2: no message about it ends what a user has. */
static void test_icmp_is_soft(void **state)
{
    struct peer *p = *state;
    opened(p, 5, 10);
    if (p->family == SANWO_FAMILY_IPV4)
        peer_icmp(p, 3, 3, 0);
    else
        peer_icmp(p, 1, 4, 0);
    ASSERT_STATE(p, SYN_RECEIVED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_off_unless_asked_for),
        BOTH(test_cookie_is_of_the_address),
        BOTH(test_cookie_is_sent_once),
        BOTH(test_data_before_the_handshake),
        BOTH(test_one_ack_for_all),
        BOTH(test_ack_of_the_syn_alone),
        BOTH(test_more_text_than_window),
        BOTH(test_ack_beyond_what_was_sent),
        BOTH(test_cookie_without_text),
        BOTH(test_wrong_cookie),
        BOTH(test_cookies_expire),
        BOTH(test_experiment),
        BOTH(test_lost_syn_ack),
        BOTH(test_syn_again),
        BOTH(test_other_syn),
        BOTH(test_nobody_completes_it),
        BOTH(test_reset_after_accept),
        BOTH(test_answer_and_close),
        BOTH(test_answer_and_close_lost),
        BOTH(test_close_unread),
        BOTH(test_icmp_is_soft),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
