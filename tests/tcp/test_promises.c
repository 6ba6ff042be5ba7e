/*
 * test_promises.c - What a SYN-ACK promised holds, whatever is set and whenever it is sent again.
 *
 * The window and its scale were announced before the handshake was complete; an option set on the
 * listener meanwhile is for the connections whose SYN comes later. SHLD-14, RFC 7323 2.3.
 */
#include "peer.h"

static void set_buffer(struct peer *p, int64_t bytes)
{
    assert_int_equal(
        sanwo_tcp_set_option(p->stack, p->listener, SANWO_TCP_RECEIVE_BUFFER, bytes, p->now), 0);
}

/* A listener for one connection, and a SYN with every option. Returns the SYN-ACK. */
static const struct segment *ask(struct peer *p)
{
    p->offer.scale = SCALE(7);
    p->offer.has_ts = p->offer.sack_permitted = true;
    p->offer.ts_value = 4000;
    p->ts_base = 4000;
    struct segment syn = p->offer;
    syn.flags = SYN;
    peer_send(p, &syn);
    const struct segment *answer = peer_next(p, 0);
    assert_non_null(answer);
    assert_int_equal(answer->flags, SYN | ACK);
    assert_true(answer->scale & 0x100);
    p->iss += answer->seq;
    p->written_at = p->read_at = 1;
    p->scale = (uint8_t)answer->scale;
    p->scale_on = p->ts_on = answer->has_ts;
    p->ts_echo = answer->ts_value;
    p->edge_known = true;
    p->edge = 1u + answer->window;
    return answer;
}

static void test_SHLD_14_smaller_buffer_meanwhile(void **state)
{
    struct peer *p = *state;
    p->config.tcp.receive_buffer = 1 << 20;
    peer_listen(p, 0, 0);
    ask(p);
    assert_int_equal(p->scale, 5);
    set_buffer(p, 4096);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1);
    peer_accept(p);
    assert_int_equal(peer_info(p).receive_scale, 5);
    assert_int_equal(peer_info(p).rcv_wnd, 65535);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .length = 1000);
    SEND(p, .flags = ACK, .seq = 1001, .ack = 1, .length = 1000);
    EXPECT(p, .flags = ACK, .seq = 1, .ack = 2001); /* the right edge is looked at in any case */
    READ(p, 2000);
}

static void test_SHLD_14_larger_buffer_meanwhile(void **state)
{
    struct peer *p = *state;
    p->config.tcp.receive_buffer = 65535;
    peer_listen(p, 0, 0);
    ask(p);
    assert_int_equal(p->scale, 0);
    set_buffer(p, 8 << 20);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1);
    peer_accept(p);
    assert_int_equal(peer_info(p).receive_scale, 0); /* the peer was told no other */
    /* A SYN that comes after it gets the new one. */
    struct segment syn = p->offer;
    syn.flags = SYN;
    peer_send_from(p, PEER_PORT + 1, &syn);
    const struct segment *answer = peer_next(p, 0);
    assert_non_null(answer);
    assert_int_equal(answer->scale, SCALE(8));
}

/* Options set and set again: what half-open connections hold of the old ones is given back. */
static void test_old_options_are_given_back(void **state)
{
    struct peer *p = *state;
    struct segment syn = p->offer;
    syn.flags = SYN;
    p->config.tcp.syn_ack_retries = 1;
    peer_listen(p, 0, 0);
    uint64_t used = 0;
    for (unsigned i = 0; i < 200; i++) {
        set_buffer(p, 4096 + i);
        peer_send_from(p, (uint16_t)(2000 + i), &syn);
        if (i % 20 != 19)
            continue;
        peer_advance(p, 10000);
        peer_discard(p);
        assert_int_equal(peer_stats(p).half_open, 0);
        if (i == 19)
            used = peer_stats(p).memory_used;
        assert_int_equal(peer_stats(p).memory_used, used);
    }
}

/* A cookie cannot hold the old options: it is void, and the peer learns that at once. */
static void test_cookie_is_void(void **state)
{
    struct peer *p = *state;
    p->config.tcp.receive_buffer = 1 << 20;
    peer_start(p);
    struct sanwo_tcp_listen open = {.local = {.port = OUR_PORT}, .backlog = 1, .user = p};
    assert_int_equal(sanwo_tcp_listen(p->stack, &open, p->now, &p->listener), 0);
    struct segment syn = p->offer;
    syn.flags = SYN;
    peer_send_from(p, 999, &syn);
    peer_discard(p);
    const struct segment *cookie = ask(p);
    assert_int_equal(peer_stats(p).reasons[SANWO_REASON_COOKIE_SENT], 1);
    uint32_t echo = cookie->ts_value;
    set_buffer(p, 4096);
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .has_ts = true, .ts_value = 4001, .ts_echo = echo);
    EXPECT(p, .flags = RST, .seq = 1);
    set_buffer(p, 1 << 20); /* as it was: it counts again */
    SEND(p, .flags = ACK, .seq = 1, .ack = 1, .has_ts = true, .ts_value = 4001, .ts_echo = echo);
    peer_accept(p);
    assert_int_equal(peer_info(p).receive_scale, 5);
}

/* Simultaneous open, and text that came before our SYN was acknowledged: the edge stays. */
static void test_SHLD_14_syn_ack_again_after_text(void **state)
{
    struct peer *p = *state;
    in_state(p, SANWO_TCP_SYN_RECEIVED);
    peer_discard(p);
    assert_int_equal(sanwo_tcp_shutdown(p->stack, p->conn, p->now), 0);
    EXPECT(p, .flags = FIN | ACK, .seq = 1, .ack = 1);
    SEND(p, .flags = ACK, .seq = 1, .ack = 0, .length = 100);
    const struct segment *again = peer_next(p, 3000);
    while (again && !(again->flags & SYN))
        again = peer_next(p, 3000);
    assert_non_null(again);
    assert_int_equal(again->ack, 101);
    assert_int_equal(again->window, 65535 - 100);
    peer_discard(p);
    SEND(p, .flags = ACK, .seq = 101, .ack = 2);
    SEND(p, .flags = ACK, .seq = 101, .ack = 2, .length = 100);
    EXPECT_WITHIN(p, 1000, .flags = ACK, .seq = 2, .ack = 201);
    READ(p, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(test_SHLD_14_smaller_buffer_meanwhile), BOTH(test_SHLD_14_larger_buffer_meanwhile),
        BOTH(test_old_options_are_given_back),       BOTH(test_cookie_is_void),
        BOTH(test_SHLD_14_syn_ack_again_after_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
