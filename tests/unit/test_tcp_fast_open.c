/*
 * test_tcp_fast_open.c - Fast Open's cookies, limits and numbers (src/tcp/open/fast_open.c). What goes over
 * the wire is in tests/tcp/test_fast_open.c and test_fast_open_client.c.
 */
#include "tcp/connection/peers.h"
#include "tcp/open/fast_open.h"

#include "test_tcp_support.h"

#define ISS 0xfffffffeu /* ours: the text crosses the wrap */

static struct tcp_listener *listen_on(struct rig *r, uint32_t limit)
{
    struct sanwo_tcp_listen open = {
        .local = {.port = 80}, .isn_is_set = true, .isn = ISS, .fast_open = limit};
    struct tcp_listener *l;
    assert_int_equal(sw_tcp_listen(&r->tcp, &open, &l), 0);
    return l;
}

/* A SYN of the @n-th peer with the cookie that is right for it. */
static struct tcp_segment syn_of(const struct rig *r, unsigned n)
{
    struct tcp_segment seg = {.tuple = rig_tuple(n),
                              .flags = TCP_SYN,
                              .seq = tcp_seq_of(0xffffffffu),
                              .window = 65535,
                              .came_with_syn = true,
                              .link_mtu = 1500,
                              .destination_is_ours = true};
    sw_wire_tcp_options_none(&seg.options);
    sw_tcp_fast_open_add_cookie(&r->tcp, &seg.tuple, false, &seg.options);
    return seg;
}

/* RFC7413-4.1.2-1: the address of either side, and the stack's key; never the ports. */
static void test_cookie_depends_on(void **state)
{
    struct rig *r = rig_new();
    struct tcp_listener *l = listen_on(r, 5);
    struct tcp_segment seg = syn_of(r, 1);
    (void)state;
    assert_int_equal(sw_tcp_fast_open_judge(&r->tcp, l, &seg), TCP_FAST_OPEN_TAKE);
    seg.tuple.remote_port ^= 1;
    assert_int_equal(sw_tcp_fast_open_judge(&r->tcp, l, &seg), TCP_FAST_OPEN_TAKE);
    for (int byte = 0; byte < 16; byte++) {
        seg = syn_of(r, 1);
        seg.tuple.remote[byte] ^= 1;
        assert_int_equal(sw_tcp_fast_open_judge(&r->tcp, l, &seg), TCP_FAST_OPEN_OFFER);
        seg = syn_of(r, 1);
        seg.tuple.local[byte] ^= 1;
        assert_int_equal(sw_tcp_fast_open_judge(&r->tcp, l, &seg), TCP_FAST_OPEN_OFFER);
    }
    /* a key of its own. */
    assert_memory_not_equal(&r->tcp.fast_open_key, &r->tcp.peers.key, sizeof(struct siphash_key));
    assert_memory_not_equal(&r->tcp.fast_open_key, &r->tcp.isn_key, sizeof(struct siphash_key));
    seg = syn_of(r, 1);
    r->tcp.fast_open_key.k1 ^= 1;
    assert_int_equal(sw_tcp_fast_open_judge(&r->tcp, l, &seg), TCP_FAST_OPEN_OFFER);
    rig_end(r);
}

/* RFC7413-4.1.1-1: other lengths are no cookies of ours. */
static void test_lengths(void **state)
{
    struct rig *r = rig_new();
    struct tcp_listener *l = listen_on(r, 5);
    (void)state;
    for (uint8_t length = 0; length <= 16; length += 2) {
        struct tcp_segment seg = syn_of(r, 1);
        seg.options.fast_open_length = length;
        assert_int_equal(sw_tcp_fast_open_judge(&r->tcp, l, &seg),
                         length == 8 ? TCP_FAST_OPEN_TAKE : TCP_FAST_OPEN_OFFER);
    }
    struct tcp_segment seg = syn_of(r, 1);
    seg.options.fast_open = false;
    assert_int_equal(sw_tcp_fast_open_judge(&r->tcp, l, &seg), TCP_FAST_OPEN_NO);
    rig_end(r);
}

/* Good for twelve to twenty-four hours, to the nanosecond. */
static void test_slots(void **state)
{
    static const struct {
        sanwo_time made, used;
        bool good;
    } rows[] = {
        {0, SANWO_SEC(12 * 3600) - 1, true},
        {0, SANWO_SEC(24 * 3600) - 1, true},
        {0, SANWO_SEC(24 * 3600), false},
        {SANWO_SEC(12 * 3600) - 1, SANWO_SEC(24 * 3600) - 1, true},
        {SANWO_SEC(12 * 3600) - 1, SANWO_SEC(24 * 3600), false},
        {SANWO_SEC(12 * 3600), SANWO_SEC(36 * 3600) - 1, true},
        {SANWO_SEC(12 * 3600), SANWO_SEC(12 * 3600) - 1, false}, /* not before its time either */
    };
    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_listener *l = listen_on(r, 5);
        r->tcp.now = rows[i].made;
        struct tcp_segment seg = syn_of(r, 1);
        r->tcp.now = rows[i].used;
        assert_int_equal(sw_tcp_fast_open_judge(&r->tcp, l, &seg),
                         rows[i].good ? TCP_FAST_OPEN_TAKE : TCP_FAST_OPEN_OFFER);
        rig_end(r);
    }
}

/* RFC7413-5.1-1, B-27: pending and recently reset ones together; minutes slide. */
static void test_B_27_limit(void **state)
{
    static const struct {
        uint32_t limit, pending, now, before;
        int64_t age; /* minutes since `now` was counted in */
        int judged;
    } rows[] = {
        {0, 0, 0, 0, 0, TCP_FAST_OPEN_NO},   {1, 0, 0, 0, 0, TCP_FAST_OPEN_TAKE},
        {1, 1, 0, 0, 0, TCP_FAST_OPEN_NO},   {2, 1, 0, 0, 0, TCP_FAST_OPEN_TAKE},
        {2, 1, 1, 0, 0, TCP_FAST_OPEN_NO},   {2, 1, 0, 1, 0, TCP_FAST_OPEN_NO},
        {2, 1, 0, 1, 1, TCP_FAST_OPEN_TAKE}, {2, 1, 1, 0, 1, TCP_FAST_OPEN_NO},
        {2, 1, 1, 1, 2, TCP_FAST_OPEN_TAKE}, {UINT32_MAX, UINT32_MAX, 1, 0, 0, TCP_FAST_OPEN_NO},
    };
    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_listener *l = listen_on(r, rows[i].limit);
        struct tcp_segment seg = syn_of(r, 1);
        l->fast_open_pending = rows[i].pending;
        l->fast_open_resets.slot = (uint64_t)(r->tcp.now / SANWO_SEC(60) - rows[i].age);
        l->fast_open_resets.now = rows[i].now;
        l->fast_open_resets.before = rows[i].before;
        assert_int_equal(sw_tcp_fast_open_judge(&r->tcp, l, &seg), rows[i].judged);
        rig_end(r);
    }
}

/* RFC 7413 8.2: while SYN cookies may come back. */
static void test_B_27_under_attack(void **state)
{
    struct rig *r = rig_new();
    struct tcp_listener *l = listen_on(r, 5);
    struct tcp_segment seg = syn_of(r, 1);
    (void)state;
    l->cookies_until = r->tcp.now + 1;
    assert_int_equal(sw_tcp_fast_open_judge(&r->tcp, l, &seg), TCP_FAST_OPEN_NO);
    r->tcp.now++;
    assert_int_equal(sw_tcp_fast_open_judge(&r->tcp, l, &seg), TCP_FAST_OPEN_TAKE);
    rig_end(r);
}

/* A reset in each of three minutes: the first is forgotten in the third. */
static void test_resets_slide(void **state)
{
    struct rig *r = rig_new();
    struct tcp_listener *l = listen_on(r, 50);
    (void)state;
    for (unsigned n = 1; n <= 3; n++) {
        struct tcp_segment seg = syn_of(r, n);
        assert_true(sw_tcp_fast_open_accept(&r->tcp, l, &seg));
        struct tcp_tuple tuple = rig_tuple(n);
        struct tcp_connection *conn = sw_tcp_demux_find(&r->tcp, &tuple).object;
        assert_int_equal(l->fast_open_pending, 1);
        assert_int_equal(l->accept_queue.count, 1);
        sw_tcp_fast_open_reset(&r->tcp, conn);
        assert_int_equal(l->accept_queue.count, 0);
        sw_tcp_fail(&r->tcp, conn, SANWO_ECONNRESET, SANWO_REASON_PEER_RESET);
        sw_tcp_finish(&r->tcp, conn);
        assert_int_equal(l->fast_open_pending, 0);
        assert_int_equal(l->fast_open_resets.now, 1);
        assert_int_equal(l->fast_open_resets.before, n > 1);
        r->tcp.now += SANWO_SEC(60);
    }
    rig_end(r);
}

/* What may acknowledge our SYN, across the wrap. */
static void test_acks_of_the_syn(void **state)
{
    static const struct {
        uint16_t text;
        bool pending;
        uint32_t sent; /* behind our SYN-ACK */
        uint32_t ack;
        bool good;
    } rows[] = {
        {0, false, 0, ISS, false},         {0, false, 0, ISS + 1, true},
        {0, false, 0, ISS + 2, false},     {100, false, 0, ISS, false},
        {100, false, 0, ISS + 1, true},    {100, false, 0, ISS + 101, true},
        {100, false, 0, ISS + 102, false}, {0, true, 0, ISS + 1, true},
        {0, true, 0, ISS + 2, false},      {0, true, 50, ISS + 51, true},
        {0, true, 50, ISS + 52, false},    {0, true, 50, ISS, false},
    };
    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_connection c = {.fast_open_pending = rows[i].pending};
        c.send.iss = tcp_seq_of(ISS);
        c.send.syn_text = rows[i].text;
        c.send.snd_nxt = tcp_seq_of(ISS + 1 + rows[i].sent);
        assert_int_equal(sw_tcp_fast_open_acks_syn(&c, tcp_seq_of(rows[i].ack)), rows[i].good);
    }
}

/* RFC 7413 4.1.3.1: an hour, doubled six times at most; a second port blocks the whole host. */
static void test_blocking(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);
    const struct tcp_peer *peer;
    (void)state;
    c->fast_open_tried = 1;
    for (int i = 0; i < 10; i++) {
        sw_tcp_fast_open_ended(&r->tcp, c, SANWO_TCP_SYN_SENT, SANWO_REASON_PEER_REFUSED);
        peer = sw_tcp_peer_find(&r->tcp, &c->tuple);
        assert_int_equal(peer->blocked_until - sw_tcp_peers_second(&r->tcp),
                         3600u << (i < 6 ? i : 6));
        assert_int_equal(peer->blocked_port, c->tuple.remote_port);
    }
    c->tuple.remote_port++;
    sw_tcp_fast_open_ended(&r->tcp, c, SANWO_TCP_SYN_SENT, SANWO_REASON_PEER_REFUSED);
    assert_int_equal(peer->blocked_port, 0);
    assert_int_equal(r->tcp.counters.reasons[SANWO_REASON_FAST_OPEN_FAILED], 11);
    rig_end(r);
}

/* Which endings count. */
static void test_endings(void **state)
{
    static const struct {
        uint8_t old;
        bool tried, taken;
        int error;
        uint64_t received;
        enum sanwo_reason why;
        bool blocks;
    } rows[] = {
        {SANWO_TCP_SYN_SENT, true, false, 0, 0, SANWO_REASON_HANDSHAKE_TIMEOUT, true},
        {SANWO_TCP_SYN_SENT, true, false, 0, 0, SANWO_REASON_HARD_ICMP_ERROR, true},
        {SANWO_TCP_SYN_SENT, false, false, 0, 0, SANWO_REASON_HANDSHAKE_TIMEOUT, false},
        {SANWO_TCP_SYN_SENT, true, false, 0, 0, SANWO_REASON_USER_ABORT, false},
        {SANWO_TCP_SYN_SENT, true, false, 0, 0, SANWO_REASON_USER_CLOSE, false},
        {SANWO_TCP_ESTABLISHED, true, true, SANWO_ETIMEDOUT, 0, SANWO_REASON_RETRANSMISSION_LIMIT,
         true},
        {SANWO_TCP_ESTABLISHED, true, true, SANWO_ETIMEDOUT, 1, SANWO_REASON_RETRANSMISSION_LIMIT,
         false},
        {SANWO_TCP_ESTABLISHED, true, false, SANWO_ETIMEDOUT, 0, SANWO_REASON_RETRANSMISSION_LIMIT,
         false},
        {SANWO_TCP_ESTABLISHED, true, true, SANWO_ECONNRESET, 0, SANWO_REASON_PEER_RESET, false},
    };
    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 1, 1);
        c->fast_open_tried = rows[i].tried;
        c->fast_open_taken = rows[i].taken;
        c->error = (uint8_t)rows[i].error;
        c->bytes_received = rows[i].received;
        sw_tcp_fast_open_ended(&r->tcp, c, rows[i].old, rows[i].why);
        assert_int_equal(sw_tcp_peer_find(&r->tcp, &c->tuple) != NULL, rows[i].blocks);
        rig_end(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cookie_depends_on),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_B_27_limit),
        cmocka_unit_test(test_B_27_under_attack),
        cmocka_unit_test(test_resets_slide),
        cmocka_unit_test(test_acks_of_the_syn),
        cmocka_unit_test(test_blocking),
        cmocka_unit_test(test_endings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
