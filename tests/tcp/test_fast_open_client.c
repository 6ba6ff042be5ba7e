/*
 * test_fast_open_client.c - TCP Fast Open (RFC 7413), the client: asking for a cookie, text in the SYN, and
 * what is done when the peer or somebody on the way does not like it. The server is in test_fast_open.c.
 */
#include "peer.h"

#define HOUR (3600 * 1000) /* ms */

static const uint8_t cookie_option[12] = {34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1};
static const uint8_t longest_cookie[20] = {34, 18, 1,  2,  3,  4,  5,  6,  7, 8,
                                           9,  10, 11, 12, 13, 14, 15, 16, 1, 1};
static const uint8_t other_cookie[12] = {34, 10, 8, 7, 6, 5, 4, 3, 2, 1, 1, 1};

static void connect_fast(struct peer *p, uint32_t text)
{
    peer_start(p);
    struct sanwo_tcp_connect open = {.remote = p->theirs,
                                     .local = p->ours,
                                     .user = p,
                                     .isn_is_set = true,
                                     .isn = p->iss,
                                     .fast_open = true};
    assert_int_equal(sanwo_tcp_connect(p->stack, &open, p->now, &p->conn), 0);
    p->written_at = p->read_at = 1;
    if (text)
        WRITE(p, text);
}

static void answer(struct peer *p, uint32_t ack, const uint8_t *raw)
{
    struct segment s = p->offer;
    s.flags = SYN | ACK;
    s.ack = ack;
    s.raw = raw;
    s.raw_length = raw ? 12 : 0;
    if (s.has_ts)
        s.ts_echo = p->ts_echo;
    peer_send(p, &s);
}

static void end(struct peer *p)
{
    sanwo_tcp_abort(p->stack, p->conn, p->now);
    peer_discard(p);
    peer_advance(p, 1);
}

/* A connection whose SYN carries all of the text. */
static const struct segment *say_at_once(struct peer *p, uint32_t text)
{
    connect_fast(p, text);
    return EXPECT(p, .flags = SYN, .length = text);
}

/* A connection that only gets the cookie. */
static void learn(struct peer *p, const uint8_t *raw)
{
    connect_fast(p, 0);
    assert_int_equal(EXPECT(p, .flags = SYN)->cookie_kind, 34);
    answer(p, 1, raw);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1);
    end(p);
}

/* It gets the cookie, and the next one uses it. */
static const struct segment *learn_and_say(struct peer *p, uint32_t text)
{
    learn(p, cookie_option);
    return say_at_once(p, text);
}

/* With 20 bytes of option. */
static void learn_longest(struct peer *p)
{
    connect_fast(p, 0);
    EXPECT(p, .flags = SYN);
    SEND(p, .flags = SYN | ACK, .ack = 1, .raw = longest_cookie, .raw_length = 20);
    peer_discard(p);
    end(p);
}

static struct sanwo_peer known(struct peer *p)
{
    struct sanwo_peer peer = {.mss = 0};
    sanwo_stack_peers(p->stack, 0, &peer, 1);
    return peer;
}

/* Is the option in the SYN of a connect? It then comes to nothing. */
static bool is_tried(struct peer *p)
{
    connect_fast(p, 10);
    const struct segment *syn = peer_next(p, 0);
    assert_non_null(syn);
    assert_int_equal(syn->flags, SYN);
    bool tried = syn->cookie_kind != 0;
    assert_true(tried || !syn->length);
    end(p);
    return tried;
}

/* The connection came to nothing, and the next one is as without Fast Open. */
static void assert_given_up(struct peer *p)
{
    sanwo_tcp_close(p->stack, p->conn, p->now);
    assert_false(is_tried(p));
}

/* RFC7413-3-1: not unless the user asks. */
static void test_off_unless_asked_for(void **state)
{
    struct peer *p = *state;
    peer_start(p);
    learn(p, cookie_option);
    peer_connect(p);
    WRITE(p, 100);
    assert_int_equal(EXPECT(p, .flags = SYN)->cookie_kind, 0);
}

/* RFC 7413 4.2.1: what is queued waits for the handshake, as always. */
static void test_request(void **state)
{
    struct peer *p = *state;
    connect_fast(p, 100);
    const struct segment *syn = EXPECT(p, .flags = SYN);
    assert_int_equal(syn->cookie_kind, 34);
    assert_int_equal(syn->cookie_length, 0);
    answer(p, 1, cookie_option);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    assert_int_equal(known(p).fast_open_cookie, 8);
    assert_int_equal(known(p).mss, MSS);
    struct sanwo_peer peer = known(p);
    assert_true(sanwo_address_equal(&peer.address, &p->theirs.address));
    assert_int_equal(peer_info(p).fast_open, SANWO_FAST_OPEN_TRIED);
}

/* RFC 7413 3: the text goes with the SYN and need not go again. */
static void test_text_is_taken(void **state)
{
    struct peer *p = *state;
    const struct segment *syn = learn_and_say(p, 300);
    assert_memory_equal(syn->cookie, cookie_option + 2, 8);
    peer_advance(p, RTT);
    answer(p, 301, NULL);
    EXPECT(p, .flags = ACK, .seq = 301, .ack = 1);
    EXPECT_NOTHING(p);
    ASSERT_STATE(p, ESTABLISHED);
    struct sanwo_tcp_info info = peer_info(p);
    assert_int_equal(info.fast_open, SANWO_FAST_OPEN_TAKEN);
    assert_int_equal(info.bytes_acked, 300);
    assert_int_equal(info.send_queued, 0);
    assert_int_equal(info.srtt, SANWO_MSEC(RTT));
    uint32_t what = peer_events(p, p->conn).what;
    assert_true(what & SANWO_EVENT_CONNECTED);
    assert_true(what & SANWO_EVENT_DRAINED);
    WRITE(p, 50);
    EXPECT(p, .flags = ACK, .seq = 301, .ack = 1, .length = 50);
    SEND(p, .flags = ACK, .seq = 1, .ack = 351, .length = 9);
    READ(p, 9);
    assert_int_equal(known(p).fast_open_cookie, 8); /* it is good for more than once */
}

/* 4.1.3: as much as the peer's MSS allows, less the options; the rest follows the handshake. */
static void test_more_text_than_fits(void **state)
{
    struct peer *p = *state;
    learn(p, cookie_option);
    connect_fast(p, 2500);
    const struct segment *syn = peer_next(p, 0);
    uint32_t first = syn->length;
    assert_int_equal(first, MSS - syn->options_length);
    answer(p, 1 + first, NULL);
    EXPECT(p, .flags = ACK, .seq = 1 + first, .ack = 1, .length = MSS);
    assert_true(peer_next(p, 0)->length > 0);
    EXPECT_NOTHING(p);
    SEND(p, .flags = ACK, .seq = 1, .ack = 2501);
    assert_int_equal(peer_info(p).send_queued, 0);
    QUIET(p, 5000);
}

/* 4.1.3: what a server says of jumbo frames is not tried out in a SYN. */
static void test_large_mss(void **state)
{
    struct peer *p = *state;
    p->offer.mss = 9000;
    peer_start(p);
    assert_int_equal(sanwo_stack_link_set_mtu(p->stack, 0, 9000), 0);
    learn(p, cookie_option);
    connect_fast(p, 5000);
    const struct segment *syn = peer_next(p, 0);
    uint32_t usual = p->family == SANWO_FAMILY_IPV4 ? 1460 : 1440;
    assert_int_equal(syn->length + syn->options_length, usual);
}

/* 4.1.3: without an MSS option the default of the family. */
static void test_unknown_mss(void **state)
{
    struct peer *p = *state;
    p->offer.mss = 0;
    learn(p, cookie_option);
    connect_fast(p, 5000);
    const struct segment *syn = peer_next(p, 0);
    uint32_t usual = p->family == SANWO_FAMILY_IPV4 ? 536 : 1220;
    assert_int_equal(syn->length + syn->options_length, usual);
}

/* Queued after the SYN went out: as without Fast Open. */
static void test_too_late_for_the_syn(void **state)
{
    struct peer *p = *state;
    learn(p, cookie_option);
    connect_fast(p, 0);
    EXPECT(p, .flags = SYN);
    WRITE(p, 100);
    EXPECT_NOTHING(p);
    answer(p, 1, NULL);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
    assert_int_equal(known(p).fast_open_cookie, 8); /* nothing was refused */
}

/* RFC 7413 4.2.2: at once, in the ACK; no loss, no smaller window, no sample spoilt. 4.1.3.1: asked anew. */
static void test_text_is_refused(void **state)
{
    struct peer *p = *state;
    learn_and_say(p, 300);
    peer_advance(p, RTT);
    answer(p, 1, NULL);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 300);
    struct sanwo_tcp_info info = peer_info(p);
    assert_int_equal(info.fast_open, SANWO_FAST_OPEN_TRIED);
    assert_int_equal(info.segments_retransmitted, 0);
    assert_int_equal(info.cwnd, 10 * info.send_mss);
    assert_int_equal(info.srtt, SANWO_MSEC(RTT));
    assert_int_equal(known(p).fast_open_cookie, 0);
    end(p);
    connect_fast(p, 300);
    assert_int_equal(EXPECT(p, .flags = SYN)->cookie_length, 0);
}

/* Refused with a new cookie: that one counts from now on. */
static void test_new_cookie(void **state)
{
    struct peer *p = *state;
    learn_and_say(p, 300);
    answer(p, 1, other_cookie);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 300);
    end(p);
    const struct segment *syn = say_at_once(p, 300);
    assert_memory_equal(syn->cookie, other_cookie + 2, 8);
}

static void test_part_is_taken(void **state)
{
    struct peer *p = *state;
    learn_and_say(p, 300);
    answer(p, 101, NULL);
    EXPECT(p, .flags = ACK, .seq = 101, .ack = 1, .length = 200);
    assert_int_equal(peer_info(p).bytes_acked, 100);
}

/* RFC 9293 3.10.7.3: SND.UNA < SEG.ACK =< SND.NXT, which is behind the text. */
static void test_acks_out_of_range(void **state)
{
    struct peer *p = *state;
    learn_and_say(p, 300);
    answer(p, 302, NULL);
    EXPECT(p, .flags = RST, .seq = 302);
    answer(p, 0, NULL);
    EXPECT(p, .flags = RST, .seq = 0);
    ASSERT_STATE(p, SYN_SENT);
    answer(p, 301, NULL);
    ASSERT_STATE(p, ESTABLISHED);
}

/* 4.2.2: neither text nor option when the timer fires. The answer says that somebody drops such SYNs. */
static void test_black_hole(void **state)
{
    struct peer *p = *state;
    learn(p, cookie_option);
    for (int doublings = 0; doublings < 3; doublings++) {
        say_at_once(p, 300);
        const struct segment *syn = EXPECT_WITHIN(p, 1100, .flags = SYN);
        assert_int_equal(syn->cookie_kind, 0);
        answer(p, 1, NULL);
        EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 300);
        end(p);
        assert_int_equal(known(p).fast_open_blocked_port, PEER_PORT);
        assert_false(is_tried(p));
        peer_advance(p, ((int64_t)HOUR << doublings) - 2000);
        assert_false(is_tried(p));
        peer_advance(p, 3000);
    }
    say_at_once(p, 300); /* it works: one failure more would count as the first */
    answer(p, 301, NULL);
    peer_discard(p);
    end(p);
    say_at_once(p, 300);
    SEND(p, .flags = RST | ACK, .ack = 301);
    assert_in_range(known(p).fast_open_blocked, SANWO_SEC(3598), SANWO_SEC(3600));
}

/* 4.2.1: the same where only a cookie was asked for. */
static void test_request_is_dropped(void **state)
{
    struct peer *p = *state;
    connect_fast(p, 0);
    assert_int_equal(EXPECT(p, .flags = SYN)->cookie_kind, 34);
    assert_int_equal(EXPECT_WITHIN(p, 1100, .flags = SYN)->cookie_kind, 0);
    answer(p, 1, NULL);
    peer_discard(p);
    end(p);
    assert_false(is_tried(p));
}

/* The SYN was lost, but its text was not, or the answer is late: nothing failed. */
static void test_late_answer(void **state)
{
    struct peer *p = *state;
    learn_and_say(p, 300);
    EXPECT_WITHIN(p, 1100, .flags = SYN);
    answer(p, 301, NULL);
    EXPECT(p, .flags = ACK, .seq = 301, .ack = 1);
    assert_int_equal(peer_info(p).bytes_acked, 300);
    end(p);
    assert_true(is_tried(p));
}

/* A reset, a message, silence: 4.1.3.1. Another service of the same host may be better. */
static void test_refused(void **state)
{
    struct peer *p = *state;
    learn_and_say(p, 300);
    SEND(p, .flags = RST | ACK, .ack = 301);
    assert_int_equal(peer_events(p, p->conn).error, SANWO_ECONNREFUSED);
    assert_given_up(p);
    p->theirs.port = 81;
    assert_true(is_tried(p));
    say_at_once(p, 300);
    SEND(p, .flags = RST | ACK, .ack = 301);
    sanwo_tcp_close(p->stack, p->conn, p->now);
    assert_int_equal(known(p).fast_open_blocked_port, 0); /* two of them: it is the host */
    p->theirs.port = 82;
    assert_false(is_tried(p));
}

static void test_unreachable(void **state)
{
    struct peer *p = *state;
    learn_and_say(p, 300);
    peer_icmp(p, p->family == SANWO_FAMILY_IPV4 ? 3 : 1, p->family == SANWO_FAMILY_IPV4 ? 3 : 4, 0);
    ASSERT_STATE(p, CLOSED);
    assert_given_up(p);
}

static void test_no_answer(void **state)
{
    struct peer *p = *state;
    learn_and_say(p, 300);
    peer_advance(p, 400 * 1000);
    peer_discard(p);
    ASSERT_STATE(p, CLOSED);
    assert_given_up(p);
}

/* The user's own change of mind is nobody's failure. */
static void test_user_closes(void **state)
{
    struct peer *p = *state;
    learn(p, cookie_option);
    for (int i = 0; i < 2; i++) {
        say_at_once(p, 300);
        if (i)
            sanwo_tcp_abort(p->stack, p->conn, p->now);
        else
            sanwo_tcp_close(p->stack, p->conn, p->now);
        assert_true(is_tried(p));
    }
}

/* A firewall that lets the SYN through and nothing behind it. */
static void test_silence_behind_the_syn(void **state)
{
    struct peer *p = *state;
    p->config.tcp.retransmit_limit = 3;
    learn_and_say(p, 300);
    answer(p, 301, NULL);
    EXPECT(p, .flags = ACK, .seq = 301, .ack = 1);
    WRITE(p, 10);
    peer_advance(p, 60 * 1000);
    peer_discard(p);
    ASSERT_STATE(p, CLOSED);
    assert_given_up(p);
}

/* RFC 7413 4.2.2: simultaneous open is as it always was; text in a SYN without a cookie of ours waits. */
static void test_simultaneous_open(void **state)
{
    struct peer *p = *state;
    learn_and_say(p, 300);
    peer_syn(p, SYN);
    const struct segment *syn = EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    assert_int_equal(syn->cookie_kind, 0);
    ASSERT_STATE(p, SYN_RECEIVED);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1);
    ASSERT_STATE(p, ESTABLISHED);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 300);
}

/* ... and where the peer takes the text of our SYN all the same, it is taken. */
static void test_simultaneous_open_takes_text(void **state)
{
    struct peer *p = *state;
    learn_and_say(p, 300);
    peer_syn(p, SYN);
    EXPECT(p, .flags = SYN | ACK, .seq = 0, .ack = 1);
    /* RFC7413-4.1.1-1: a cookie without a SYN is none. */
    SEND(p, .flags = ACK, .seq = 1, .ack = 301, .raw = other_cookie, .raw_length = 12);
    ASSERT_STATE(p, ESTABLISHED);
    assert_int_equal(peer_info(p).bytes_acked, 300);
    QUIET(p, 3000);
    end(p);
    assert_memory_equal(say_at_once(p, 10)->cookie, cookie_option + 2, 8);
}

/* 4.1.1: the longest cookie; with timestamps, scale and SACK it just fits. RFC 7413 9: as it was given. */
static void test_long_cookie_and_experiment(void **state)
{
    struct peer *p = *state;
    static const uint8_t experiment[12] = {254, 12, 0xf9, 0x89, 1, 2, 3, 4, 5, 6, 7, 8};
    learn_longest(p);
    const struct segment *syn = say_at_once(p, 100);
    assert_int_equal(syn->cookie_length, 16);
    assert_memory_equal(syn->cookie, longest_cookie + 2, 16);
    answer(p, 101, experiment);
    peer_discard(p);
    end(p);
    syn = say_at_once(p, 100);
    assert_int_equal(syn->cookie_kind, 254);
    assert_memory_equal(syn->cookie, experiment + 4, 8);
}

/* 4.2.2, step 1 a: no room for the option, no Fast Open. */
static void test_no_room_for_the_cookie(void **state)
{
    struct peer *p = *state;
    static const uint8_t order[8] = {2, 1, 3, 1, 1, 4, 8}; /* 24 bytes */
    memcpy(p->config.tcp.option_order, order, sizeof(order));
    learn_longest(p);
    connect_fast(p, 100);
    const struct segment *syn = EXPECT(p, .flags = SYN);
    assert_int_equal(syn->cookie_kind, 0);
    assert_true(syn->has_ts);
    answer(p, 1, NULL);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 100);
}

/* What was given by reference is given back when the SYN-ACK acknowledges it. */
static void test_text_by_reference(void **state)
{
    struct peer *p = *state;
    uint8_t bytes[600];
    for (uint32_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = peer_pattern(1 + i);
    learn(p, cookie_option);
    connect_fast(p, 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(sanwo_tcp_send_ref(p->stack, p->conn, bytes + 300 * i, 300, 0, p->now),
                         300);
    EXPECT(p, .flags = SYN, .length = 600);
    answer(p, 401, NULL);
    EXPECT(p, .flags = ACK, .seq = 401, .ack = 1, .length = 200);
    assert_int_equal(peer_info(p).references_released, 1);
    SEND(p, .flags = ACK, .seq = 1, .ack = 601);
    assert_int_equal(peer_info(p).references_released, 2);
}

/* sanwo_stack_peers_forget(): of one address, of all. */
static void test_forget(void **state)
{
    struct peer *p = *state;
    struct sanwo_peer peers[2];
    uint64_t before;
    peer_start(p);
    before = peer_stats(p).memory_used;
    learn(p, cookie_option);
    assert_int_equal(sanwo_stack_peers(p->stack, 0, peers, 2), 1);
    assert_int_equal(sanwo_stack_peers(p->stack, 1, peers, 2), 0);
    assert_int_equal(sanwo_stack_peers_forget(p->stack, &p->ours.address), 0);
    assert_int_equal(sanwo_stack_peers_forget(p->stack, &p->theirs.address), 1);
    assert_int_equal(sanwo_stack_peers(p->stack, 0, peers, 2), 0);
    assert_int_equal(peer_stats(p).memory_used % 16384, before % 16384);
    connect_fast(p, 300);
    assert_int_equal(EXPECT(p, .flags = SYN)->cookie_length, 0);
}

/* Without a place to remember there are requests, and nothing more. */
static void test_no_memory_of_peers(void **state)
{
    struct peer *p = *state;
    p->config.max_peers = 0;
    learn(p, cookie_option);
    connect_fast(p, 300);
    assert_int_equal(EXPECT(p, .flags = SYN)->cookie_length, 0);
    answer(p, 1, cookie_option);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 1, .length = 300);
}

/* The cookie is in the snapshot too. */
static void test_snapshot(void **state)
{
    struct peer *p = *state;
    learn(p, cookie_option);
    size_t size = sanwo_stack_snapshot_size(p->stack);
    void *copy = test_malloc(size);
    assert_int_equal(sanwo_stack_snapshot(p->stack, copy, size), 0);
    sanwo_stack_peers_forget(p->stack, NULL);
    assert_int_equal(sanwo_stack_restore(p->region, p->region_size, copy, size, &p->stack), 0);
    test_free(copy);
    say_at_once(p, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_off_unless_asked_for),
        BOTH(test_request),
        BOTH(test_text_is_taken),
        BOTH(test_more_text_than_fits),
        BOTH(test_large_mss),
        BOTH(test_unknown_mss),
        BOTH(test_too_late_for_the_syn),
        BOTH(test_text_is_refused),
        BOTH(test_new_cookie),
        BOTH(test_part_is_taken),
        BOTH(test_acks_out_of_range),
        BOTH(test_black_hole),
        BOTH(test_request_is_dropped),
        BOTH(test_late_answer),
        BOTH(test_refused),
        BOTH(test_unreachable),
        BOTH(test_no_answer),
        BOTH(test_user_closes),
        BOTH(test_silence_behind_the_syn),
        BOTH(test_simultaneous_open),
        BOTH(test_simultaneous_open_takes_text),
        BOTH(test_long_cookie_and_experiment),
        BOTH(test_no_room_for_the_cookie),
        BOTH(test_text_by_reference),
        BOTH(test_forget),
        BOTH(test_no_memory_of_peers),
        BOTH(test_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
