/*
 * test_tcp_half_open.c - From a SYN to the ACK of ours in a record of 96 bytes.
 */
#include "test_tcp_support.h"

_Static_assert(sizeof(struct tcp_half_open) <= 96, "design.md 4");

#define ISS 0xfffffffeu /* ours: the handshake crosses the wrap */
#define IRS 0xffffffffu /* the peer's */

static struct tcp_listener *listen_on(struct rig *r, uint32_t flags)
{
    struct sanwo_tcp_listen open = {
        .local = {.port = 80}, .flags = flags, .isn_is_set = true, .isn = ISS};
    struct tcp_listener *l;

    assert_int_equal(sw_tcp_listen(&r->tcp, &open, &l), 0);
    return l;
}

static struct tcp_segment from_peer(const struct rig *r, unsigned n, uint32_t seq, uint8_t flags)
{
    struct tcp_segment seg = {.tuple = rig_tuple(n),
                              .seq = tcp_seq_of(seq),
                              .ack = tcp_seq_of(ISS + 1),
                              .window = 1000,
                              .flags = flags,
                              .link_mtu = 1500,
                              .destination_is_ours = true,
                              .arrival = r->tcp.now,
                              .now = r->tcp.now};

    sw_wire_tcp_options_none(&seg.options);
    return seg;
}

static void syn(struct rig *r, unsigned n, bool options)
{
    struct tcp_segment seg = from_peer(r, n, IRS, TCP_SYN);

    seg.came_with_syn = true;
    if (options) {
        seg.options.mss = 1400;
        seg.options.window_scale = 7;
        seg.options.sack_permitted = true;
        seg.options.timestamps = true;
        seg.options.ts_value = 500;
    }
    sw_tcp_receive(&r->tcp, &seg);
}

static uint32_t kind_of(struct rig *r, unsigned n)
{
    struct tcp_tuple tuple = rig_tuple(n);

    return sw_tcp_demux_find(&r->tcp, &tuple).name & 3;
}

static void test_syn_ack(void **state)
{
    (void)state;
    for (int options = 0; options < 2; options++) {
        struct rig *r = rig_new();
        struct tcp_outgoing out;
        listen_on(r, 0);
        syn(r, 0, options);
        assert_int_equal(kind_of(r, 0), TCP_KIND_HALF_OPEN);
        assert_true(sw_tcp_poll_reply(&r->tcp, &out));
        assert_int_equal(out.flags, TCP_SYN | TCP_ACK);
        assert_int_equal(out.seq.raw, ISS);
        assert_int_equal(out.ack.raw, IRS + 1);
        assert_int_equal(out.window, UINT16_MAX); /* unscaled; RFC7323-2.2-2 */
        assert_int_equal(out.options.mss, 1460);
        /* What was not offered is not answered (RFC 7323 2.2, 3.2; RFC 2018 2). */
        assert_int_equal(out.options.timestamps, options);
        assert_int_equal(out.options.sack_permitted, options);
        assert_int_equal(out.options.window_scale, options ? 10 : -1);
        assert_int_equal(out.options.ts_echo, options ? 500 : 0);
        assert_false(sw_tcp_poll_reply(&r->tcp, &out));
        assert_int_equal(r->tcp.connections.live, 0);
        rig_end(r);
    }
}

/* Segments to a half-open record: what is left afterwards, and what is answered. */
static void test_input_rows(void **state)
{
    (void)state;
    const struct {
        int32_t seq; /* from RCV.NXT, which is IRS + 1 */
        uint32_t length;
        uint8_t flags;
        int32_t ack;    /* from SND.UNA + 1 */
        uint32_t kind;  /* afterwards; 0: gone */
        uint8_t answer; /* flags; 0: none */
        uint32_t answer_seq;
    } rows[] = {
        {0, 0, TCP_ACK, 0, TCP_KIND_CONNECTION, 0, 0},
        {10, 0, TCP_ACK, 0, TCP_KIND_CONNECTION, 0, 0},               /* in the window */
        {65535, 1, TCP_ACK, 0, TCP_KIND_HALF_OPEN, TCP_ACK, ISS + 1}, /* beyond it */
        {65535, 0, TCP_ACK, 0, TCP_KIND_HALF_OPEN, 0, 0},             /* B-24 */
        {-2, 2, TCP_ACK, 0, TCP_KIND_HALF_OPEN, TCP_ACK, ISS + 1},
        {-1, 0, TCP_ACK, 0, TCP_KIND_HALF_OPEN, 0, 0},
        {0, 0, TCP_ACK, 1, TCP_KIND_HALF_OPEN, TCP_RST, ISS + 2}, /* U-9 */
        {0, 0, TCP_ACK, -1, TCP_KIND_HALF_OPEN, TCP_RST, ISS},
        {0, 0, TCP_ACK, INT32_MIN, TCP_KIND_HALF_OPEN, TCP_RST, ISS + 1 + 0x80000000u},
        {0, 0, TCP_RST, 0, 0, 0, 0},                              /* U-7: back to LISTEN */
        {1, 0, TCP_RST, 0, TCP_KIND_HALF_OPEN, TCP_ACK, ISS + 1}, /* RFC 5961 3.2 */
        {-1, 0, TCP_RST, 0, TCP_KIND_HALF_OPEN, 0, 0},
        {65535, 0, TCP_RST, 0, TCP_KIND_HALF_OPEN, 0, 0},
        {-1, 0, TCP_SYN, 0, TCP_KIND_HALF_OPEN, TCP_SYN | TCP_ACK, ISS}, /* the SYN again */
        {5, 0, TCP_SYN, 0, 0, 0, 0},                                     /* 3.10.7.4 fourth */
        {0, 0, 0, 0, TCP_KIND_HALF_OPEN, 0, 0},
        {0, 5, TCP_PSH, 0, TCP_KIND_HALF_OPEN, 0, 0},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_outgoing out;
        struct tcp_listener *l = listen_on(r, 0);
        syn(r, 0, false);
        assert_true(sw_tcp_poll_reply(&r->tcp, &out));
        struct tcp_segment seg = from_peer(r, 0, IRS + 1 + (uint32_t)rows[i].seq, rows[i].flags);
        seg.length = rows[i].length;
        seg.ack = tcp_seq_of(ISS + 1 + (uint32_t)rows[i].ack);
        sw_tcp_receive(&r->tcp, &seg);
        if (kind_of(r, 0) != rows[i].kind)
            fail_msg("row %zu: kind %u", i, kind_of(r, 0));
        assert_int_equal(l->half_open, rows[i].kind == TCP_KIND_HALF_OPEN);
        assert_int_equal(sw_tcp_poll_reply(&r->tcp, &out), rows[i].answer != 0);
        if (rows[i].answer) {
            assert_int_equal(out.flags, rows[i].answer);
            assert_int_equal(out.seq.raw, rows[i].answer_seq);
        }
        rig_end(r);
    }
}

static void test_promoted(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_outgoing out;
    struct tcp_listener *l = listen_on(r, 0);

    syn(r, 0, true);
    sw_tcp_poll_reply(&r->tcp, &out);
    r->tcp.now += SANWO_MSEC(30);
    struct tcp_segment seg = from_peer(r, 0, IRS + 1, TCP_ACK);
    seg.options.timestamps = true;
    seg.options.ts_value = 530;
    sw_tcp_receive(&r->tcp, &seg);
    struct tcp_connection *c = sw_tcp_listener_accept(&r->tcp, l);
    assert_non_null(c);
    assert_int_equal(c->state, SANWO_TCP_ESTABLISHED);
    assert_int_equal(c->send.snd_una.raw, ISS + 1);
    assert_int_equal(c->send.snd_nxt.raw, ISS + 1);
    assert_int_equal(c->receive.rcv_nxt.raw, IRS + 1);
    assert_int_equal(c->send.snd_wnd, 1000u << 7); /* scaled: it was no SYN */
    assert_int_equal(c->send.peer_mss, 1400);
    assert_int_equal(c->cc.mss, 1400 - 12);
    assert_int_equal(c->sack && c->timestamps && c->window_scaling, 1);
    assert_in_range(c->send.srtt, SANWO_MSEC(30) - 1024, SANWO_MSEC(30)); /* of the SYN-ACK */
    assert_int_equal(r->tcp.half_open.live, 0);
    assert_int_equal(l->half_open, 0);
    rig_end(r);
}

/* Sent again after 1, 2, 4, 8, 16 s; forgotten after 32 more; Karn: then no RTT sample. */
static void test_retransmissions(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_outgoing out;
    struct tcp_listener *l = listen_on(r, 0);
    sanwo_time begin = r->tcp.now, at = 0;

    syn(r, 0, false);
    sw_tcp_poll_reply(&r->tcp, &out);
    for (int i = 0; i < 5; i++) {
        at += SANWO_SEC(1) << i;
        r->tcp.now = begin + at - 2048;
        sw_tcp_run_timers(&r->tcp, r->tcp.now);
        assert_false(sw_tcp_poll_reply(&r->tcp, &out));
        r->tcp.now = begin + at + 2048 * (i + 1);
        sw_tcp_run_timers(&r->tcp, r->tcp.now);
        assert_true(sw_tcp_poll_reply(&r->tcp, &out));
        assert_int_equal(out.seq.raw, ISS);
    }
    r->tcp.now = begin + at + SANWO_SEC(32) + SANWO_MSEC(1);
    sw_tcp_run_timers(&r->tcp, r->tcp.now);
    assert_int_equal(kind_of(r, 0), 0);
    assert_int_equal(l->half_open, 0);
    assert_int_equal(r->tcp.half_open.live, 0);
    assert_int_equal(r->tcp.table.entries, 0);
    rig_end(r);
}

/* However many were configured, the intervals stay at the largest RTO. */
static void test_many_retries(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_outgoing out;

    r->tcp.config.syn_ack_retries = 255;
    r->tcp.config.rto_maximum = SANWO_SEC(60);
    listen_on(r, 0);
    syn(r, 0, false);
    sw_tcp_poll_reply(&r->tcp, &out);
    for (int i = 0; i < 255; i++) {
        sanwo_time before = r->tcp.now, wait = i < 6 ? SANWO_SEC(1) << i : SANWO_SEC(60);
        while (!sw_tcp_poll_reply(&r->tcp, &out)) {
            sanwo_time deadline = sw_tcp_deadline(&r->tcp);
            assert_true(deadline != SANWO_TIME_NEVER);
            r->tcp.now = deadline > r->tcp.now ? deadline : r->tcp.now + 1024;
            sw_tcp_run_timers(&r->tcp, r->tcp.now);
        }
        assert_in_range(r->tcp.now - before, wait, wait + 4096);
    }
    rig_end(r);
}

/* A record that agreed on timestamps is not completed by an ACK without them (RFC 7323 3.2). */
static void test_final_ack_without_timestamps(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_outgoing out;
    struct tcp_listener *l = listen_on(r, 0);

    syn(r, 0, true);
    sw_tcp_poll_reply(&r->tcp, &out);
    struct tcp_segment seg = from_peer(r, 0, IRS + 1, TCP_ACK);
    sw_tcp_receive(&r->tcp, &seg);
    /* Whatever became of it, it must not be for ever: all timers run, nobody accepts, it goes. */
    if (!l->accept_queue.count) {
        r->tcp.now += SANWO_SEC(3600);
        for (int i = 0; i < 10; i++, r->tcp.now += SANWO_SEC(3600))
            sw_tcp_run_timers(&r->tcp, r->tcp.now);
        assert_int_equal(r->tcp.connections.live, 0);
        assert_int_equal(r->tcp.half_open.live, 0);
    }
    rig_end(r);
}

static void test_old_timestamp(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_outgoing out;

    listen_on(r, 0);
    syn(r, 0, true);
    sw_tcp_poll_reply(&r->tcp, &out);
    struct tcp_segment seg = from_peer(r, 0, IRS + 1, TCP_ACK);
    seg.options.timestamps = true;
    seg.options.ts_value = 499;
    seg.length = 1;
    sw_tcp_receive(&r->tcp, &seg);
    assert_int_equal(kind_of(r, 0), TCP_KIND_HALF_OPEN);
    assert_true(sw_tcp_poll_reply(&r->tcp, &out));
    assert_int_equal(out.flags, TCP_ACK);
    assert_int_equal(r->tcp.counters.reasons[SANWO_REASON_PAWS], 1);
    rig_end(r);
}

/* ---- decide-before-SYN-ACK --------------------------------------------------------------- */

static void test_decide(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_outgoing out;
    struct tcp_listener *l = listen_on(r, SANWO_LISTEN_DECIDE);

    for (unsigned n = 0; n < 4; n++)
        syn(r, n, false);
    assert_false(sw_tcp_poll_reply(&r->tcp, &out)); /* nothing is answered yet */
    assert_int_equal(l->requests.count, 4);
    struct tcp_half_open *first = sw_tcp_listener_request(&r->tcp, l);
    struct tcp_half_open *second = sw_tcp_listener_request(&r->tcp, l);
    assert_int_equal(first->tuple.remote_port, 10000);
    assert_int_equal(second->tuple.remote_port, 10001);
    sw_tcp_half_open_admit(&r->tcp, first);
    assert_true(sw_tcp_poll_reply(&r->tcp, &out));
    assert_int_equal(out.flags, TCP_SYN | TCP_ACK);
    sw_tcp_half_open_refuse(&r->tcp, second);
    assert_true(sw_tcp_poll_reply(&r->tcp, &out));
    assert_int_equal(out.flags, TCP_RST | TCP_ACK);
    assert_int_equal(out.ack.raw, IRS + 1);
    assert_int_equal(kind_of(r, 1), 0);
    /* The third gives up before anybody looked; the fourth is not decided in time. */
    struct tcp_segment seg = from_peer(r, 2, IRS + 1, TCP_RST);
    sw_tcp_receive(&r->tcp, &seg);
    assert_int_equal(kind_of(r, 2), 0);
    assert_int_equal(l->requests.count, 1);
    seg = from_peer(r, 3, IRS + 1, TCP_ACK); /* means nothing yet */
    sw_tcp_receive(&r->tcp, &seg);
    assert_int_equal(kind_of(r, 3), TCP_KIND_HALF_OPEN);
    r->tcp.now += SANWO_SEC(10) + SANWO_MSEC(1);
    sw_tcp_run_timers(&r->tcp, r->tcp.now);
    assert_int_equal(kind_of(r, 3), 0);
    assert_int_equal(l->requests.count, 0);
    assert_int_equal(l->half_open, 1);
    rig_end(r);
}

/* ---- limits ------------------------------------------------------------------------------ */

static void test_pool_and_memory(void **state)
{
    (void)state;
    struct sanwo_stack_config config = rig_config();
    config.max_half_open = 3;
    struct rig *r = rig_with(&config);
    struct tcp_listener *l = listen_on(r, 0);

    for (uint64_t nth = 1; nth < 4; nth++) {
        r->region.fault_countdown = nth;
        syn(r, 90 + (unsigned)nth, false);
        r->region.fault_countdown = 0;
        assert_int_equal(l->half_open, r->tcp.half_open.live);
        assert_int_equal(r->tcp.table.entries, r->tcp.half_open.live);
    }
    for (unsigned n = 0; n < 6; n++)
        syn(r, n, false);
    assert_int_equal(r->tcp.half_open.live, 3);
    assert_true(r->tcp.counters.reasons[SANWO_REASON_HALF_OPEN_FULL] >= 3);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syn_ack),         cmocka_unit_test(test_input_rows),
        cmocka_unit_test(test_promoted),        cmocka_unit_test(test_retransmissions),
        cmocka_unit_test(test_many_retries),    cmocka_unit_test(test_final_ack_without_timestamps),
        cmocka_unit_test(test_old_timestamp),   cmocka_unit_test(test_decide),
        cmocka_unit_test(test_pool_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
