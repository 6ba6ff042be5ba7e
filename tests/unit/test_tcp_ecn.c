/*
 * test_tcp_ecn.c - ECN: what handshakes agree on, both kinds of echo, accurate ECN's counters.
 *
 * RFC 3168, RFC 8257 3.2, RFC 9768 (from memory: its text was not at hand).
 */
#include "test_tcp_support.h"

#include "tcp/ecn/accurate.h"
#include "tcp/send/sending.h"

#define NEAR_WRAP 0xfffffff0u
#define NOWHERE (IP_ECN_MASK + 1)

/* An established connection on which @mode was agreed. */
static struct tcp_connection *agreed_on(struct rig *r, enum tcp_ecn_mode mode)
{
    struct tcp_connection *c = rig_open(r, NEAR_WRAP, 5000);

    c->ecn = mode;
    if (mode == TCP_ECN_ACCURATE) {
        assert_true(sw_tcp_accurate_start(&r->tcp, c));
        sw_tcp_accurate_begin(&r->tcp, c, IP_NOT_ECT, IP_NOT_ECT);
    }
    return c;
}

static struct tcp_segment arriving(const struct rig *r, const struct tcp_connection *c,
                                   uint8_t ip_ecn, uint32_t length)
{
    struct tcp_segment seg = rig_segment(r, c, c->receive.rcv_nxt.raw, TCP_ACK);

    seg.dscp_ecn = (uint8_t)(46 << 2 | ip_ecn);
    seg.length = length;
    seg.packets = 1;
    return seg;
}

/* ---- opening ----------------------------------------------------------------------------------- */

/* RFC9768-3.1.1-1. */
static void test_judged_by_its_syn(void **state)
{
    static const struct {
        uint8_t config, ace, ip, congestion, mode;
    } rows[] = {
        {SANWO_ECN_OFF, 3, IP_NOT_ECT, SANWO_CONGESTION_NEWRENO, TCP_ECN_OFF},
        {SANWO_ECN_OFF, 7, IP_NOT_ECT, SANWO_CONGESTION_NEWRENO, TCP_ECN_OFF},
        {SANWO_ECN_ACCEPT, 0, IP_NOT_ECT, SANWO_CONGESTION_NEWRENO, TCP_ECN_OFF},
        {SANWO_ECN_ACCEPT, 0, IP_CE, SANWO_CONGESTION_NEWRENO, TCP_ECN_OFF},
        {SANWO_ECN_ACCEPT, 3, IP_NOT_ECT, SANWO_CONGESTION_NEWRENO, TCP_ECN_CLASSIC},
        {SANWO_ECN_REQUEST, 3, IP_NOT_ECT, SANWO_CONGESTION_NEWRENO, TCP_ECN_CLASSIC},
        {SANWO_ECN_ACCURATE, 3, IP_NOT_ECT, SANWO_CONGESTION_NEWRENO, TCP_ECN_CLASSIC},
        /* Written on its way: RFC 3168 6.1.1. DCTCP's own SYNs may look so. */
        {SANWO_ECN_ACCEPT, 3, IP_ECT_0, SANWO_CONGESTION_NEWRENO, TCP_ECN_OFF},
        {SANWO_ECN_ACCEPT, 3, IP_CE, SANWO_CONGESTION_NEWRENO, TCP_ECN_OFF},
        {SANWO_ECN_ACCEPT, 3, IP_ECT_0, SANWO_CONGESTION_DCTCP, TCP_ECN_CLASSIC},
        {SANWO_ECN_ACCEPT, 7, IP_NOT_ECT, SANWO_CONGESTION_NEWRENO, TCP_ECN_ACCURATE},
        {SANWO_ECN_ACCEPT, 7, IP_CE, SANWO_CONGESTION_NEWRENO, TCP_ECN_ACCURATE},
        {SANWO_ECN_ACCEPT, 1, IP_NOT_ECT, SANWO_CONGESTION_NEWRENO, TCP_ECN_ACCURATE},
        {SANWO_ECN_ACCEPT, 4, IP_NOT_ECT, SANWO_CONGESTION_NEWRENO, TCP_ECN_ACCURATE},
    };
    struct sanwo_tcp_config config;

    (void)state;
    sanwo_tcp_config_default(&config);
    assert_int_equal(config.ecn, SANWO_ECN_ACCEPT);
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_segment syn = {.flags = TCP_SYN, .ace = rows[i].ace, .dscp_ecn = rows[i].ip};

        config.ecn = rows[i].config;
        config.congestion = rows[i].congestion;
        if (sw_tcp_ecn_judge_syn(&config, &syn) != rows[i].mode)
            fail_msg("row %zu", i);
    }
}

/* RFC 3168 6.1.1 and RFC 9768 table 2; after two tries the flags are left out. */
static void test_syn_ack_of_a_record(void **state)
{
    static const uint8_t codes[] = {2, 3, 4, 6};
    struct tcp_half_open half = {.listener = 0};
    struct tcp_segment syn = {.flags = TCP_SYN};

    (void)state;
    for (uint8_t ip = 0; ip < 4; ip++) {
        syn.dscp_ecn = (uint8_t)(0xfc | ip);
        sw_tcp_ecn_note(&half, &syn, TCP_ECN_ACCURATE);
        assert_int_equal(sw_tcp_ecn_mode(&half), TCP_ECN_ACCURATE);
        assert_int_equal(sw_tcp_ecn_syn_ack(&half, 0), codes[ip]);
        assert_int_equal(sw_tcp_ecn_syn_ack(&half, 1), codes[ip]);
        assert_int_equal(sw_tcp_ecn_syn_ack(&half, 2), 0);
        assert_int_equal(sw_tcp_ecn_half_open(&half), ip == IP_CE ? 6 : 5);
        assert_int_equal(sw_tcp_accurate_decode(codes[ip]), ip);
        sw_tcp_ecn_note(&half, &syn, TCP_ECN_CLASSIC);
        assert_int_equal(sw_tcp_ecn_syn_ack(&half, 1), 1);
        assert_int_equal(sw_tcp_ecn_syn_ack(&half, 2), 0);
        assert_int_equal(sw_tcp_ecn_half_open(&half), 0);
        sw_tcp_ecn_note(&half, &syn, TCP_ECN_OFF);
        assert_int_equal(sw_tcp_ecn_syn_ack(&half, 0), 0);
    }
    assert_int_equal(sw_tcp_accurate_decode(5), NOWHERE);
}

/* What a SYN-ACK makes of what was asked for, and where nothing may be ECT afterwards. */
static void test_answers(void **state)
{
    static const struct {
        uint8_t asked, ace, mode;
        bool no_ect;
        uint8_t s_cep;
    } rows[] = {
        {TCP_ECN_OFF, 1, TCP_ECN_OFF, false, 0},
        {TCP_ECN_CLASSIC, 0, TCP_ECN_OFF, false, 0},
        {TCP_ECN_CLASSIC, 1, TCP_ECN_CLASSIC, false, 0},
        {TCP_ECN_CLASSIC, 2, TCP_ECN_OFF, false, 0},
        {TCP_ECN_CLASSIC, 3, TCP_ECN_OFF, false, 0},
        {TCP_ECN_CLASSIC, 5, TCP_ECN_CLASSIC, false, 0}, /* a bit that is none of its business */
        {TCP_ECN_ACCURATE, 0, TCP_ECN_OFF, false, 0},
        {TCP_ECN_ACCURATE, 1, TCP_ECN_CLASSIC, false, 0},
        {TCP_ECN_ACCURATE, 2, TCP_ECN_ACCURATE, false, 5},
        {TCP_ECN_ACCURATE, 3, TCP_ECN_ACCURATE, true, 5},
        {TCP_ECN_ACCURATE, 4, TCP_ECN_ACCURATE, true, 5},
        {TCP_ECN_ACCURATE, 5, TCP_ECN_ACCURATE, false, 5},
        {TCP_ECN_ACCURATE, 6, TCP_ECN_ACCURATE, true, 6},
        {TCP_ECN_ACCURATE, 7, TCP_ECN_OFF, false, 0},
    };
    struct rig *r = rig_new();

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_connection *c = rig_open(r, NEAR_WRAP, 5000);
        struct tcp_segment seg = rig_segment(r, c, 5000, TCP_SYN | TCP_ACK);
        const struct tcp_accurate *a;

        c->ecn = rows[i].asked;
        seg.ace = rows[i].ace;
        assert_true(sw_tcp_ecn_answered(&r->tcp, c, &seg));
        a = sw_tcp_accurate(&r->tcp, c);
        if (c->ecn != rows[i].mode || c->ecn_no_ect != rows[i].no_ect ||
            (a ? a->s_cep : 0) != rows[i].s_cep)
            fail_msg("row %zu: mode %u", i, c->ecn);
        rig_discard(r, c);
    }
    rig_end(r);
}

/* What a record remembers of the SYN is where the counters begin. */
static void test_promotion(void **state)
{
    struct rig *r = rig_new();

    (void)state;
    for (uint8_t ip = 0; ip < 4; ip++) {
        for (uint8_t tries = 0; tries < 4; tries++) {
            struct tcp_half_open half = {.retransmissions = tries};
            struct tcp_segment syn = {.flags = TCP_SYN, .dscp_ecn = ip};
            struct tcp_connection *c = rig_open(r, 1, 5000);

            sw_tcp_ecn_note(&half, &syn, TCP_ECN_ACCURATE);
            assert_true(sw_tcp_ecn_promote(&r->tcp, c, &half));
            assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), ip == IP_CE ? 6 : 5);
            assert_int_equal(c->ecn_no_ect, tries >= 2);
            rig_discard(r, c);
        }
    }
    rig_end(r);
}

/* A cookie's one bit, and what the flags of the ACK add to it. */
static void test_cookies(void **state)
{
    struct tcp_half_open half = {.flags = HALF_OPEN_TIMESTAMPS};
    struct sanwo_tcp_config config;

    (void)state;
    sanwo_tcp_config_default(&config);
    for (uint8_t ace = 0; ace < 8; ace++) {
        struct tcp_segment ack = {.flags = TCP_ACK, .ace = ace};

        config.ecn = SANWO_ECN_ACCEPT;
        assert_int_equal(sw_tcp_ecn_judge_cookie(&config, &ack),
                         ace < 2 ? TCP_ECN_CLASSIC : TCP_ECN_ACCURATE);
        config.ecn = SANWO_ECN_OFF; /* switched off since, or the peer made the bit up */
        assert_int_equal(sw_tcp_ecn_judge_cookie(&config, &ack), TCP_ECN_OFF);
    }
    for (uint8_t ip = 0; ip < 4; ip++) {
        struct tcp_segment syn = {.flags = TCP_SYN, .dscp_ecn = ip};

        sw_tcp_ecn_note(&half, &syn, TCP_ECN_ACCURATE);
        assert_int_equal(sw_tcp_ecn_cookie_forgets(&half), ip == IP_CE);
        sw_tcp_ecn_note(&half, &syn, TCP_ECN_CLASSIC);
        assert_false(sw_tcp_ecn_cookie_forgets(&half));
    }
    half.flags = 0;
    assert_true(sw_tcp_ecn_cookie_forgets(&half));
}

/* Two SYNs that cross agree on what both asked for. */
static void test_crossing_syns(void **state)
{
    struct rig *r = rig_new();
    static const struct {
        uint8_t asked, ace, mode, answer;
    } rows[] = {
        {TCP_ECN_CLASSIC, 3, TCP_ECN_CLASSIC, 1},   {TCP_ECN_CLASSIC, 7, TCP_ECN_CLASSIC, 1},
        {TCP_ECN_CLASSIC, 0, TCP_ECN_OFF, 0},       {TCP_ECN_ACCURATE, 3, TCP_ECN_CLASSIC, 1},
        {TCP_ECN_ACCURATE, 7, TCP_ECN_ACCURATE, 2}, {TCP_ECN_OFF, 7, TCP_ECN_OFF, 0},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_connection *c = rig_open(r, 1, 5000);
        struct tcp_segment seg = rig_segment(r, c, 5000, TCP_SYN);

        c->ecn = rows[i].asked;
        seg.ace = rows[i].ace;
        assert_true(sw_tcp_ecn_answered(&r->tcp, c, &seg));
        c->state = SANWO_TCP_SYN_RECEIVED;
        if (c->ecn != rows[i].mode || sw_tcp_ecn_syn(&r->tcp, c) != rows[i].answer)
            fail_msg("row %zu", i);
        rig_discard(r, c);
    }
    rig_end(r);
}

/* RFC 9768 table 4: what the ACK of our SYN-ACK says of it. We sent it Not-ECT. */
static void test_last_ack_of_the_handshake(void **state)
{
    static const struct {
        uint8_t ace;
        bool no_ect;
        uint8_t s_cep;
    } rows[] = {{0, true, 5}, {1, false, 5}, {2, false, 5}, {3, true, 5},
                {4, true, 5}, {5, false, 5}, {6, true, 6},  {7, false, 5}};
    struct rig *r = rig_new();

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_connection *c = agreed_on(r, TCP_ECN_ACCURATE);
        struct tcp_segment seg = rig_segment(r, c, 5000, TCP_ACK);

        seg.ace = rows[i].ace;
        sw_tcp_ecn_handshake_ack(&r->tcp, c, &seg);
        assert_int_equal(c->ecn_no_ect, rows[i].no_ect);
        assert_int_equal(sw_tcp_accurate(&r->tcp, c)->s_cep, rows[i].s_cep);
        /* The same segment goes on to the counters: it must not look like marks. */
        assert_int_equal(sw_tcp_ecn_marked(&r->tcp, c, &seg, 5000, 5000), 0);
        assert_int_equal(sw_tcp_accurate(&r->tcp, c)->marks_told, 0);
        rig_discard(r, c);
    }
    rig_end(r);
}

/* Where the counters find no room nothing is agreed on yet: the segment will come again. */
static void test_no_memory(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 5000);
    struct tcp_segment seg = rig_segment(r, c, 5000, TCP_SYN | TCP_ACK);
    uint64_t before = r->region.used;

    (void)state;
    c->ecn = TCP_ECN_ACCURATE;
    seg.ace = 2;
    r->region.fault_countdown = 1;
    assert_false(sw_tcp_ecn_answered(&r->tcp, c, &seg));
    assert_int_equal(c->ecn, TCP_ECN_ACCURATE);
    assert_true(sw_tcp_ecn_answered(&r->tcp, c, &seg));
    assert_true(r->region.used > before);
    sw_tcp_ecn_release(&r->tcp, c);
    rig_settled(r, before);
    rig_discard(r, c);
    rig_end(r);
}

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
        sw_tcp_ecn_receive(&r->tcp, c, &seg);
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
    sw_tcp_ecn_receive(&r->tcp, c, &plain);
    assert_false(c->ack_now);
    c->receive.unacked = 100;
    c->receive.rcv_nxt = tcp_seq_add(c->receive.rcv_nxt, 100);
    sw_tcp_ecn_receive(&r->tcp, c, &marked);
    assert_true(sw_tcp_poll_reply(&r->tcp, &out));
    assert_int_equal(out.ace, 0);
    assert_int_equal(out.ack.raw, 5100);
    assert_int_equal(c->receive.unacked, 0);
    assert_true(c->ack_now);
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 1);
    /* Nothing waits at the next change; and CWR ends nothing. */
    marked.flags |= TCP_CWR;
    c->ack_now = 0;
    sw_tcp_ecn_receive(&r->tcp, c, &marked);
    assert_false(c->ack_now);
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 1);
    sw_tcp_ecn_receive(&r->tcp, c, &plain);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judged_by_its_syn),
        cmocka_unit_test(test_syn_ack_of_a_record),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_promotion),
        cmocka_unit_test(test_cookies),
        cmocka_unit_test(test_crossing_syns),
        cmocka_unit_test(test_last_ack_of_the_handshake),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_option_of_the_user),
        cmocka_unit_test(test_latched_until_cwr),
        cmocka_unit_test(test_dctcp_echoes_each),
        cmocka_unit_test(test_reduces_once_a_window),
        cmocka_unit_test(test_who_sends_no_ect_does_not_listen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
