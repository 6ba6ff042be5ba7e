/*
 * test_tcp_sender_rules.c - Rules that lie between the parts of the sender, or between sender and
 * receiver: what may be marked, what waits while a time-out is in doubt, what a report of a duplicate
 * is about, how long what was learnt of a peer counts.
 */
#include "tcp/connection/peers.h"
#include "tcp/ecn/ecn.h"
#include "tcp/receive/acceptable.h"
#include "tcp/receive/window.h"

#include "test_tcp_support.h"

#define MSS RIG_MSS

static struct rig_frame frame;

/* @count full segments are out, @more wait; cwnd is exactly that flight. */
static struct tcp_connection *in_flight(struct rig *r, uint32_t count, uint32_t more)
{
    struct tcp_connection *c = rig_open(r, 0xfffff000, 1);

    r->tcp.config.pacing = r->tcp.config.tail_loss_probe = false;
    c->sack = 1;
    c->snd_sml = tcp_seq_of(0xfffff000 - 1);
    c->cc.cwnd = count * MSS;
    c->send.srtt = c->send.min_rtt = SANWO_MSEC(50);
    rig_send(r, c, (count + more) * MSS);
    while (rig_output(r, c, &frame))
        assert_int_equal(frame.payload, MSS);
    return c;
}

/* RFC 3168 6.1.5, 6.1.6, 6.1.4: no retransmission, no window probe, no bare ACK is ECT. */
static void test_only_new_data_is_ect(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c;

    (void)state;
    c = in_flight(r, 4, 4);
    c->ecn = TCP_ECN_CLASSIC;
    c->cc.cwnd += MSS;
    assert_true(rig_output(r, c, &frame));
    assert_int_equal(frame.payload, MSS);
    assert_int_equal(c->ecn_ect, 1);

    c->ack_now = 1;
    assert_true(rig_output(r, c, &frame));
    assert_int_equal(frame.payload, 0);
    assert_int_equal(c->ecn_ect, 0);

    r->tcp.now += SANWO_MSEC(300);
    assert_int_equal(sw_tcp_retransmit_expired(&r->tcp, c), TCP_CONTINUE);
    assert_true(rig_output(r, c, &frame));
    assert_int_equal(frame.payload, MSS);
    assert_true(tcp_seq_equal(frame.h.seq, c->send.snd_una));
    assert_int_equal(c->ecn_ect, 0);
    rig_end(r);

    r = rig_new();
    c = rig_open(r, 0xfffff000, 1);
    c->ecn = TCP_ECN_CLASSIC;
    c->send.snd_wnd = 0;
    rig_send(r, c, 5);
    assert_false(rig_output(r, c, &frame));
    assert_int_equal(sw_tcp_retransmit_expired(&r->tcp, c), TCP_CONTINUE);
    assert_true(rig_output(r, c, &frame));
    assert_int_equal(frame.payload, 1);
    assert_int_equal(c->ecn_ect, 0);
    rig_end(r);
}

/* RFC 5682 3.1 step 2b: while the answer to new data is awaited, what is deemed lost waits as well. */
static void test_lost_waits_for_the_answer(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 10, 1);

    (void)state;
    r->tcp.now += SANWO_MSEC(300);
    assert_int_equal(sw_tcp_retransmit_expired(&r->tcp, c), TCP_CONTINUE);
    assert_true(rig_output(r, c, &frame));
    assert_false(rig_output(r, c, &frame));
    rig_ack(r, c, 0xfffff000 + MSS, 1 << 20);
    assert_true(rig_output(r, c, &frame)); /* the one segment that is new */
    assert_true(tcp_seq_equal(frame.h.seq, tcp_seq_of(0xfffff000 + 10 * MSS)));
    c->cc.cwnd = 10 * MSS;
    assert_int_equal(c->send.lost, 9 * MSS);
    assert_false(rig_output(r, c, &frame));
    rig_sack(r, c, MSS, 10 * MSS, 11 * MSS); /* lost indeed */
    assert_true(rig_output(r, c, &frame));
    assert_true(tcp_seq_equal(frame.h.seq, tcp_seq_of(0xfffff000 + MSS)));
    rig_end(r);
}

/* SHLD-16, RFC 8985 7.3: a probe of the tail is old data beyond a window that shrank: it stays. */
static void test_no_tail_probe_beyond_the_window(void **state)
{
    static const struct {
        uint32_t window, probe; /* segments; at which one, 0: none */
    } rows[] = {{2, 0}, {3, 0}, {4, 3}, {5, 4}};

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, 4, 4);

        c->send.snd_wnd = rows[i].window * MSS;
        c->tail_probe = 1;
        if (rig_output(r, c, &frame) != (rows[i].probe != 0))
            fail_msg("row %zu: a probe is %s", i, rows[i].probe ? "missing" : "sent");
        if (rows[i].probe)
            assert_true(tcp_seq_equal(frame.h.seq, tcp_seq_of(0xfffff000 + rows[i].probe * MSS)));
        rig_end(r);
    }
}

/* RFC 3708 3: what the network doubled says nothing of what we sent again, reported just so. */
static void test_duplicates_of_others(void **state)
{
    (void)state;
    for (int ours = 0; ours < 2; ours++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, 10, 0);
        struct tcp_segment seg;
        unsigned undone;

        rig_watch(r);
        r->tcp.now += SANWO_MSEC(100);
        rig_sack(r, c, 0, MSS, 8 * MSS);
        assert_int_equal(c->in_recovery, 1);
        assert_true(rig_output(r, c, &frame)); /* the first, again */
        assert_true(tcp_seq_equal(frame.h.seq, c->send.snd_una));
        r->tcp.now += SANWO_MSEC(1);
        seg = rig_report(r, c, ours ? MSS : 0, ours ? 0 : 2 * MSS, ours ? MSS : 3 * MSS);
        if (!ours) {
            seg.options.sack[1] = seg.options.sack[0];
            seg.options.sack[1].left = tcp_seq_subtract(seg.options.sack[0].left, MSS);
            seg.options.sack_count = 2;
        }
        assert_int_equal(sw_tcp_process_ack(&r->tcp, c, &seg), TCP_CONTINUE);
        undone = rig_count(r, SANWO_OBSERVE_CONGESTION, SANWO_REASON_UNDO);
        if (undone != (unsigned)ours)
            fail_msg("%s: undone %u times", ours ? "what was sent again" : "another", undone);
        rig_end(r);
    }
}

/* MUST-39: half of the buffer as it is now: a first window that is less than a segment opens again. */
static void test_small_first_window_opens(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c;
    uint32_t edge;

    (void)state;
    r->tcp.config.initial_receive_window = 300;
    c = rig_open(r, 1, 1);
    c->receive.mss = 1460;
    c->receive.scale = 0;
    c->receive.rcv_nxt = tcp_seq_add(c->receive.rcv_nxt, 300);
    c->receive.rcv_adv = c->receive.rcv_nxt; /* it was filled, and all was read */
    c->bytes_received = 300;
    assert_int_equal(sw_tcp_receive_window(c), 0);
    edge = sw_tcp_window_to_send(&r->tcp, c);
    assert_in_range(edge, 300, 900);
    rig_end(r);
}

/* What was measured an hour ago says little: RFC 9040 6 leaves how long to us. */
static void test_peers_are_known_for_an_hour(void **state)
{
    static const struct {
        sanwo_time later;
        bool known;
    } rows[] = {
        {0, true}, {SANWO_SEC(3599), true}, {SANWO_SEC(3700), false}, {SANWO_SEC(90000), false}};

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 1, 1);

        r->tcp.config.remember_peers = true;
        c->send.srtt = SANWO_MSEC(80);
        c->send.rttvar = SANWO_MSEC(10);
        sw_tcp_peers_closed(&r->tcp, c);
        c->send.srtt = c->send.rttvar = 0;
        r->tcp.now += rows[i].later;
        sw_tcp_peers_established(&r->tcp, c);
        if ((c->send.srtt == SANWO_MSEC(80)) != rows[i].known)
            fail_msg("row %zu: SRTT is %lld", i, (long long)c->send.srtt);
        rig_end(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_new_data_is_ect),
        cmocka_unit_test(test_lost_waits_for_the_answer),
        cmocka_unit_test(test_no_tail_probe_beyond_the_window),
        cmocka_unit_test(test_duplicates_of_others),
        cmocka_unit_test(test_small_first_window_opens),
        cmocka_unit_test(test_peers_are_known_for_an_hour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
