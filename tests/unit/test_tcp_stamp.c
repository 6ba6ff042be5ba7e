/*
 * test_tcp_stamp.c - What is sent again on a path that reorders is stamped as old as what it overtakes.
 */
#include "test_tcp_support.h"

#include "tcp/send/stamp.h"

#define MSS 1000
#define RTT SANWO_MSEC(100)

static struct rig_frame frame;

/* Ten segments in flight, @reorders: the path did so before. */
static struct tcp_connection *in_flight(struct rig *r, bool reorders)
{
    struct tcp_connection *c = rig_open(r, 1, 1);

    r->tcp.config.paws_tolerance = SANWO_MSEC(100);
    c->sack = c->timestamps = 1;
    c->ts_offset = 0xffffff00; /* our clock wraps on the way */
    c->send.peer_mss += 12;
    c->cc.cwnd = 10 * MSS;
    c->send.srtt = c->send.min_rtt = RTT;
    c->reordering_seen = reorders;
    rig_send(r, c, 10 * MSS);
    while (rig_output(r, c, &frame))
        assert_int_equal(frame.options.ts_value, sw_tcp_timestamp_now(&r->tcp, c->ts_offset));
    return c;
}

/* The first is lost, and goes again: how long before now its stamp is, in ms. */
static uint32_t sent_again(struct rig *r, struct tcp_connection *c)
{
    r->tcp.now += SANWO_MSEC(300);
    assert_int_equal(sw_tcp_retransmit_expired(&r->tcp, c), TCP_CONTINUE);
    assert_true(rig_output(r, c, &frame));
    assert_int_equal(frame.h.seq.raw, c->send.snd_una.raw);
    return sw_tcp_timestamp_now(&r->tcp, c->ts_offset) - frame.options.ts_value;
}

static void test_how_old(void **state)
{
    (void)state;
    const struct {
        bool reorders;
        sanwo_time min_rtt, tolerance;
        uint32_t ms;
    } rows[] = {
        {false, RTT, SANWO_MSEC(100), 0},
        {true, RTT, SANWO_MSEC(100), 25},
        {true, SANWO_MSEC(6), SANWO_MSEC(100), 2}, /* a part of a tick is one */
        {true, 4, SANWO_MSEC(100), 1},
        {true, 0, SANWO_MSEC(100), 0}, /* nothing was measured */
        {true, RTT, SANWO_MSEC(10), 10},
        {true, RTT, 0, 0}, /* nothing is tolerated, or asked for */
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, rows[i].reorders);
        c->send.min_rtt = rows[i].min_rtt;
        r->tcp.config.paws_tolerance = rows[i].tolerance;
        uint32_t ms = sent_again(r, c);
        if (ms != rows[i].ms)
            fail_msg("row %zu: %u ms", i, ms);
        rig_end(r);
    }
}

/* A peer's TS.Recent is what was stamped last, so no stamp is older, whatever was learnt meanwhile. */
static void test_never_back(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, false);
    assert_int_equal(sent_again(r, c), 0);
    uint32_t first = frame.options.ts_value;
    c->reordering_seen = 1;
    r->tcp.now += SANWO_MSEC(7);
    rig_ack(r, c, 1 + MSS, 1 << 20);
    assert_true(rig_output(r, c, &frame));
    assert_int_equal(frame.h.seq.raw, 1 + MSS);
    assert_int_equal(frame.options.ts_value, first);
    r->tcp.now += SANWO_MSEC(30);
    rig_ack(r, c, 1 + 2 * MSS, 1 << 20);
    assert_true(rig_output(r, c, &frame));
    assert_int_equal(frame.options.ts_value, first + 37 - 25);
    rig_end(r);
}

/* The clock may jump by so many days that the last stamp looks newer: it is not. */
static void test_a_clock_that_jumps(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, true);
    assert_int_equal(sent_again(r, c), 25);
    r->tcp.now += SANWO_SEC(30 * 86400);
    assert_int_equal(sent_again(r, c), 25);
    rig_end(r);
}

/* New data, bare ACKs and probes of a closed window have the clock as it is. */
static void test_only_what_is_sent_again(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, true);
    assert_int_equal(sent_again(r, c), 25);
    c->ack_now = 1;
    c->cc.cwnd = 0;
    assert_true(rig_output(r, c, &frame));
    assert_int_equal(frame.payload, 0);
    assert_int_equal(frame.options.ts_value, sw_tcp_timestamp_now(&r->tcp, c->ts_offset));
    rig_end(r);
}

/*
 * RFC3522-3.2-1: an echo before the stamp is of the original, one of the stamp is not; the clock at
 * which it was sent again is no measure for either.
 */
static void test_eifel_compares_the_stamp(void **state)
{
    (void)state;
    for (uint32_t late = 0; late < 2; late++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, true);
        rig_watch(r);
        assert_int_equal(sent_again(r, c), 25);
        uint32_t echo = frame.options.ts_value - late;
        r->tcp.now += SANWO_MSEC(10);
        struct tcp_segment seg = rig_segment(r, c, 1, TCP_ACK);
        seg.ack = tcp_seq_of(1 + MSS);
        seg.options.timestamps = true;
        seg.options.ts_echo = echo;
        assert_int_equal(sw_tcp_process_ack(&r->tcp, c, &seg), TCP_CONTINUE);
        assert_int_equal(rig_count(r, SANWO_OBSERVE_CONGESTION, SANWO_REASON_UNDO), late);
        rig_end(r);
    }
}

/* RFC 8985 6.2 step 2: so is what tells whether an answer is one to the retransmission. */
static void test_rack_compares_the_stamp(void **state)
{
    (void)state;
    for (uint32_t late = 0; late < 2; late++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, true);
        assert_int_equal(sent_again(r, c), 25);
        uint32_t echo = frame.options.ts_value - late;
        sanwo_time sent = r->tcp.now;
        r->tcp.now += RTT + SANWO_MSEC(1);
        struct tcp_segment seg = rig_segment(r, c, 1, TCP_ACK);
        seg.ack = tcp_seq_of(1 + MSS);
        seg.options.timestamps = true;
        seg.options.ts_echo = echo;
        c->in_timeout = 1;
        assert_int_equal(sw_tcp_process_ack(&r->tcp, c, &seg), TCP_CONTINUE);
        assert_int_equal(rig_sending(r, c).rack.xmit_ts == sent, !late);
        rig_end(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_how_old),
        cmocka_unit_test(test_never_back),
        cmocka_unit_test(test_a_clock_that_jumps),
        cmocka_unit_test(test_only_what_is_sent_again),
        cmocka_unit_test(test_eifel_compares_the_stamp),
        cmocka_unit_test(test_rack_compares_the_stamp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
