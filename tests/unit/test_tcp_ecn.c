/*
 * test_tcp_ecn.c - ECN: both kinds of classic echo, and the reaction to marks.
 *
 * RFC 3168, RFC 8257 3.2, RFC 9768 3.2.2.3. What handshakes agree on is in test_tcp_ecn_open.c.
 */
#include "test_tcp_ecn_support.h"

static void test_option_of_the_user(void **state)
{
    struct sanwo_tcp_config c;
    int64_t value;

    (void)state;
    sanwo_tcp_config_default(&c);
    assert_int_equal(sw_tcp_config_get_option(&c, SANWO_TCP_ECN, &value), 0);
    assert_int_equal(value, SANWO_ECN_ACCEPT);
    for (int64_t ecn = 0; ecn < SANWO_ECN_COUNT; ecn++) {
        assert_int_equal(sw_tcp_config_set_option(&c, SANWO_TCP_ECN, ecn), 0);
        assert_int_equal(c.ecn, ecn);
    }
    assert_int_equal(sw_tcp_config_set_option(&c, SANWO_TCP_ECN, SANWO_ECN_COUNT), -SANWO_EINVAL);
    assert_int_equal(sw_tcp_config_set_option(&c, SANWO_TCP_ECN, -1), -SANWO_EINVAL);
    assert_int_equal(sw_tcp_config_set_option(&c, SANWO_TCP_ECN, 256), -SANWO_EINVAL);
    assert_int_equal(c.ecn, SANWO_ECN_ACCURATE);
}

/* ---- the classic echo ---------------------------------------------------------------------------- */

static void test_latched_until_cwr(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = agreed_on(r, TCP_ECN_CLASSIC);
    static const struct {
        uint8_t ip, flags;
        uint32_t length;
        uint8_t ace;
    } rows[] = {
        {IP_ECT_0, 0, 100, 0},       {IP_CE, 0, 0, 0}, /* a bare ACK: RFC 3168 6.1.4 */
        {IP_CE, 0, 100, 1},          {IP_ECT_0, 0, 100, 1},    {IP_NOT_ECT, 0, 100, 1},
        {IP_ECT_0, TCP_CWR, 100, 0}, {IP_CE, TCP_CWR, 100, 1}, {IP_CE, TCP_CWR, 100, 1},
        {IP_ECT_1, TCP_CWR, 100, 0},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_segment seg = arriving(r, c, rows[i].ip, rows[i].length);

        seg.flags |= rows[i].flags;
        sw_tcp_ecn_receive(&r->tcp, c, &seg, seg.length);
        if (sw_tcp_ecn_ace(&r->tcp, c) != rows[i].ace)
            fail_msg("row %zu", i);
    }
    rig_discard(r, c);
    rig_end(r);
}

/* RFC8257-3.2-1: at a change what was not acknowledged yet is, with the echo that belongs to it. */
static void test_dctcp_echoes_each(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = agreed_on(r, TCP_ECN_CLASSIC);
    struct tcp_outgoing out;

    (void)state;
    sw_tcp_cc_init(&c->cc, SANWO_CONGESTION_DCTCP, RIG_MSS, 10);
    struct tcp_segment plain = arriving(r, c, IP_ECT_0, 100), marked = arriving(r, c, IP_CE, 100);
    sw_tcp_ecn_receive(&r->tcp, c, &plain, plain.length);
    assert_false(c->ack_now);
    c->receive.unacked = 100;
    c->receive.rcv_nxt = tcp_seq_add(c->receive.rcv_nxt, 100);
    sw_tcp_ecn_receive(&r->tcp, c, &marked, marked.length);
    assert_true(sw_tcp_poll_reply(&r->tcp, &out));
    assert_int_equal(out.ace, 0);
    assert_int_equal(out.ack.raw, 5100);
    assert_int_equal(c->receive.unacked, 0);
    assert_true(c->ack_now);
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 1);
    /* Nothing waits at the next change; and CWR ends nothing. */
    marked.flags |= TCP_CWR;
    c->ack_now = 0;
    sw_tcp_ecn_receive(&r->tcp, c, &marked, marked.length);
    assert_false(c->ack_now);
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 1);
    sw_tcp_ecn_receive(&r->tcp, c, &plain, plain.length);
    assert_false(sw_tcp_poll_reply(&r->tcp, &out));
    assert_true(c->ack_now);
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 0);
    rig_discard(r, c);
    rig_end(r);
}

/* An ACK of @ack with the echo; returns what cwnd is then. */
static uint32_t echoed(struct rig *r, struct tcp_connection *c, uint32_t ack, uint32_t delivered)
{
    struct tcp_segment seg = rig_segment(r, c, 5000, TCP_ACK | TCP_ECE);

    seg.ack = tcp_seq_of(ack);
    uint32_t outstanding = tcp_seq_distance(c->send.snd_una, c->send.snd_nxt);
    assert_int_equal(sw_tcp_ecn_marked(&r->tcp, c, &seg, delivered, outstanding), delivered);
    return c->cc.cwnd;
}

/* RFC3168-6.1.2-1, across the wrap of the numbers. */
static void test_reduces_once_a_window(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = agreed_on(r, TCP_ECN_CLASSIC);

    (void)state;
    assert_non_null(sw_tcp_sending_make(&r->tcp, c));
    c->cc.cwnd = 10000;
    assert_int_equal(echoed(r, c, NEAR_WRAP, 0), 10000); /* nothing was out */
    c->send.snd_nxt = tcp_seq_of(NEAR_WRAP + 10000);
    assert_int_equal(echoed(r, c, NEAR_WRAP + 1000, 1000), 5000);
    assert_true(c->ecn_cwr);
    assert_true(sw_tcp_ecn_is_single(&r->tcp, c));
    c->send.snd_nxt = tcp_seq_of(NEAR_WRAP + 14000);
    assert_int_equal(echoed(r, c, NEAR_WRAP + 10000, 9000), 5000); /* all sent before */
    c->send.snd_una = tcp_seq_of(NEAR_WRAP + 10000);
    assert_int_equal(echoed(r, c, NEAR_WRAP + 10001, 1), 2000);
    /* While a loss is repaired the window was reduced already: it is only told. */
    c->cc.cwnd = 10000;
    c->in_recovery = 1;
    c->ecn_cwr = 0;
    c->send.snd_una = tcp_seq_of(NEAR_WRAP + 15000);
    c->send.snd_nxt = tcp_seq_of(NEAR_WRAP + 25000);
    assert_int_equal(echoed(r, c, NEAR_WRAP + 15000, 0), 10000);
    assert_true(c->ecn_cwr);
    rig_discard(r, c);
    rig_end(r);
}

static void test_who_sends_no_ect_does_not_listen(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = agreed_on(r, TCP_ECN_CLASSIC);
    struct tcp_segment seg = rig_segment(r, c, 5000, TCP_ACK | TCP_ECE);

    (void)state;
    c->ecn_no_ect = 1;
    c->cc.cwnd = 10000;
    c->send.snd_nxt = tcp_seq_of(NEAR_WRAP + 10000);
    seg.ack = c->send.snd_nxt;
    assert_int_equal(sw_tcp_ecn_marked(&r->tcp, c, &seg, 10000, 10000), 0);
    assert_int_equal(c->cc.cwnd, 10000);
    rig_discard(r, c);
    rig_end(r);
}

/* However often and however much a peer claims: once a window, cwnd never grows, two segments stay. */
static void test_a_peer_that_claims_marks(void **state)
{
    struct rig *r = rig_new();
    struct dice d = dice_of("a peer that claims marks");

    (void)state;
    for (unsigned round = 0; round < 200; round++) {
        struct tcp_connection *c = agreed_on(r, TCP_ECN_ACCURATE);
        uint32_t at = NEAR_WRAP, before = c->cc.cwnd = 64 * RIG_MSS;

        assert_non_null(sw_tcp_sending_make(&r->tcp, c));
        c->timestamps = roll(&d, 2);
        for (unsigned window = 0; window < 8; window++) {
            uint32_t flight = 64 * RIG_MSS;

            c->send.snd_una = tcp_seq_of(at);
            c->send.snd_nxt = tcp_seq_of(at + flight);
            for (unsigned ack = 0; ack < 16; ack++) {
                struct tcp_segment seg = rig_segment(r, c, 5000, TCP_ACK);
                uint32_t delivered = roll(&d, 3) ? roll(&d, flight / 16) : 0;

                seg.ack = tcp_seq_of(at + roll(&d, 2) * roll(&d, flight));
                seg.ace = (uint8_t)roll(&d, 8);
                seg.options.timestamps = c->timestamps;
                seg.options.ts_value = roll(&d, UINT32_MAX);
                seg.options.accurate =
                    roll(&d, 2) ? TCP_OPTION_ACCURATE_0 : roll(&d, 2) * TCP_OPTION_ACCURATE_1;
                seg.options.accurate_count = (uint8_t)roll(&d, 4);
                for (unsigned i = 0; i < 3; i++)
                    seg.options.accurate_counters[i] = roll(&d, 1 << 24);
                assert_true(sw_tcp_ecn_marked(&r->tcp, c, &seg, delivered, flight) <= delivered);
            }
            /* At most one cut, by half of the flight. */
            assert_true(c->cc.cwnd <= before);
            assert_true(c->cc.cwnd == before || c->cc.cwnd >= before / 2 - RIG_MSS);
            assert_true(c->cc.cwnd >= 2 * RIG_MSS);
            before = c->cc.cwnd;
            at += flight;
        }
        rig_discard(r, c);
    }
    rig_end(r);
}

/* RFC 9768 3.2.2.3: everything marked, window after window, is the path; DCTCP's queues may do so. */
static void test_marks_on_everything(void **state)
{
    struct rig *r = rig_new();

    (void)state;
    for (unsigned dctcp = 0; dctcp < 2; dctcp++) {
        struct tcp_connection *c = agreed_on(r, TCP_ECN_ACCURATE);
        uint32_t at = NEAR_WRAP;

        if (dctcp)
            sw_tcp_cc_init(&c->cc, SANWO_CONGESTION_DCTCP, RIG_MSS, 10);
        assert_non_null(sw_tcp_sending_make(&r->tcp, c));
        for (uint8_t window = 1; window <= 6; window++, at += 4 * RIG_MSS) {
            struct tcp_segment seg = rig_segment(r, c, 5000, TCP_ACK);
            bool deaf = !dctcp && window > 4;

            c->send.snd_nxt = tcp_seq_of(at + 4 * RIG_MSS);
            seg.ack = tcp_seq_of(at + 1); /* beyond the window before */
            seg.ace = (uint8_t)(5 + 4 * window) & 7;
            uint32_t told = sw_tcp_ecn_marked(&r->tcp, c, &seg, 4 * RIG_MSS, 4 * RIG_MSS);
            assert_int_equal(told, deaf ? 0 : 4 * RIG_MSS);
            assert_int_equal(c->ecn_no_ect, !dctcp && window >= 4);
        }
        rig_discard(r, c);
    }
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_option_of_the_user),
        cmocka_unit_test(test_latched_until_cwr),
        cmocka_unit_test(test_dctcp_echoes_each),
        cmocka_unit_test(test_reduces_once_a_window),
        cmocka_unit_test(test_who_sends_no_ect_does_not_listen),
        cmocka_unit_test(test_a_peer_that_claims_marks),
        cmocka_unit_test(test_marks_on_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
