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
        assert_int_equal(sw_tcp_ecn_marked(&r->tcp, c, &seg, 5000), 0);
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

/* ---- the wire ------------------------------------------------------------------------------------ */

static void test_flags_as_a_number(void **state)
{
    (void)state;
    for (uint8_t ace = 0; ace < 8; ace++) {
        struct wire_tcp h = {.flags = TCP_ACK | TCP_ECE, .reserved = 0x0e, .header_length = 20},
                        back;
        uint8_t bytes[WIRE_TCP_HEADER];

        sw_wire_tcp_set_ace(&h, ace);
        assert_int_equal(h.reserved & 0x0e, 0x0e);
        assert_int_equal(h.flags & 0x3f, TCP_ACK);
        sw_wire_tcp_write(&h, bytes);
        assert_int_equal(bytes[12] & 1, ace >> 2);
        assert_int_equal(bytes[13] >> 6, ace & 3);
        assert_true(sw_wire_tcp_read(&back, bytes, sizeof bytes));
        assert_int_equal(sw_wire_tcp_ace(&back), ace);
    }
}

/* Every length of either kind, cut off anywhere: whole counters or nothing. */
static void test_option_on_the_wire(void **state)
{
    static const uint8_t value[] = {0x01, 0x02, 0x03, 0xff, 0xfe, 0xfd, 0x00, 0x00, 0x09};
    struct wire_tcp_options o;

    (void)state;
    for (unsigned kind = TCP_OPTION_ACCURATE_0; kind <= TCP_OPTION_ACCURATE_1; kind++) {
        for (uint8_t size = 2; size <= 2 + sizeof value + 3; size++) {
            uint8_t bytes[16] = {(uint8_t)kind, size};
            bool good = kind != 173 && size <= 11 && size % 3 == 2;

            memcpy(bytes + 2, value, sizeof value);
            for (size_t length = 0; length <= size; length++) {
                sw_wire_tcp_options_read(&o, bytes, length);
                assert_int_equal(o.accurate, good && length == size ? kind : 0);
                assert_int_equal(o.malformed, length > 0 && length < size);
            }
            if (!good)
                continue;
            assert_int_equal(o.accurate_count, (size - 2) / 3);
            if (o.accurate_count > 1)
                assert_int_equal(o.accurate_counters[1], 0xfffefd);
            if (o.accurate_count > 2)
                assert_int_equal(o.accurate_counters[2], 9);
            uint8_t written[40];
            size_t n = sw_wire_tcp_options_write(&o, NULL, written, sizeof written);
            assert_int_equal(n, sw_round_up(size, 4));
            assert_memory_equal(written, bytes, size);
            assert_int_equal(sw_wire_tcp_options_write(&o, NULL, written, n - 4), 0); /* not cut */
        }
    }
}

/* Of two the first counts, of whichever kind. */
static void test_option_twice(void **state)
{
    static const uint8_t bytes[] = {174, 5, 0, 0, 7, 172, 5, 0, 0, 8, 1, 0};
    struct wire_tcp_options o;

    (void)state;
    sw_wire_tcp_options_read(&o, bytes, sizeof bytes);
    assert_int_equal(o.accurate, TCP_OPTION_ACCURATE_1);
    assert_int_equal(o.accurate_counters[0], 7);
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

/* RFC 8257 3.2: at a change what was not acknowledged yet is, with the echo that belongs to it. */
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
    assert_int_equal(sw_tcp_ecn_marked(&r->tcp, c, &seg, delivered), delivered);
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
    assert_int_equal(sw_tcp_ecn_marked(&r->tcp, c, &seg, 10000), 0);
    assert_int_equal(c->cc.cwnd, 10000);
    rig_discard(r, c);
    rig_end(r);
}

/* ---- accurate: receiving -------------------------------------------------------------------------- */

static void test_counts_what_arrives(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = agreed_on(r, TCP_ECN_ACCURATE);
    struct tcp_accurate *a = sw_tcp_accurate(&r->tcp, c);
    struct wire_tcp_options o;

    (void)state;
    struct tcp_segment plain = arriving(r, c, IP_ECT_0, 1000), marked = arriving(r, c, IP_CE, 500);
    struct tcp_segment bare = arriving(r, c, IP_CE, 0), other = arriving(r, c, IP_ECT_1, 10);
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 5);
    assert_true(sw_tcp_accurate_count(a, &plain)); /* the first that is ECT: a change */
    assert_false(sw_tcp_accurate_count(a, &plain));
    assert_true(sw_tcp_accurate_count(a, &marked));
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 6);
    assert_true(sw_tcp_accurate_count(a, &marked)); /* the second untold */
    a->unreported = 0;
    assert_false(sw_tcp_accurate_count(a, &marked));
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 0); /* five and three */
    /* A bare ACK counts as a packet, and is never answered. */
    a->unreported = 6;
    assert_false(sw_tcp_accurate_count(a, &bare));
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 1);
    /* A super-segment is as many packets as it was. */
    marked.packets = 12;
    assert_true(sw_tcp_accurate_count(a, &marked));
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), (1 + 12) & 7);
    assert_int_equal(a->marks_received, 16);
    /* Two counters say it all, until the third moves. */
    sw_wire_tcp_options_none(&o);
    assert_int_equal(sw_tcp_ecn_option(&r->tcp, c, &o), 8);
    assert_int_equal(o.accurate, TCP_OPTION_ACCURATE_0);
    assert_int_equal(o.accurate_count, 2);
    assert_int_equal(o.accurate_counters[0], 2001);
    assert_int_equal(o.accurate_counters[1], 2000);
    sw_tcp_accurate_count(a, &other);
    assert_int_equal(sw_tcp_ecn_option(&r->tcp, c, &o), 12);
    assert_int_equal(o.accurate_counters[2], 11);
    a->r_e0b = 1; /* a peer that sends ECT(1) only */
    assert_int_equal(sw_tcp_ecn_option(&r->tcp, c, &o), 8);
    assert_int_equal(o.accurate, TCP_OPTION_ACCURATE_1);
    assert_int_equal(o.accurate_counters[0], 11);
    rig_discard(r, c);
    rig_end(r);
}

/* SACK blocks and timestamps come first. */
static void test_option_where_there_is_room(void **state)
{
    static const struct {
        bool timestamps;
        uint8_t blocks;
        uint32_t size;
    } rows[] = {{false, 0, 8}, {false, 3, 8}, {false, 4, 0},
                {true, 0, 8},  {true, 2, 8},  {true, 3, 0}};
    struct rig *r = rig_new();
    struct tcp_connection *c = agreed_on(r, TCP_ECN_ACCURATE);

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct wire_tcp_options o;
        uint8_t bytes[40];

        sw_wire_tcp_options_none(&o);
        c->timestamps = rows[i].timestamps;
        o.timestamps = rows[i].timestamps;
        o.sack_count = rows[i].blocks;
        assert_int_equal(sw_tcp_ecn_option(&r->tcp, c, &o), rows[i].size);
        size_t length = sw_wire_tcp_options_write(&o, NULL, bytes, sizeof bytes);
        sw_wire_tcp_options_read(&o, bytes, length);
        assert_int_equal(o.sack_count, rows[i].blocks);
        assert_int_equal(o.accurate != 0, rows[i].size != 0);
    }
    rig_discard(r, c);
    rig_end(r);
}

/* ---- accurate: sending ------------------------------------------------------------------------------ */

static void test_marks_by_the_flags(void **state)
{
    static const struct {
        uint32_t s_cep;
        uint8_t ace;
        bool lately;
        uint32_t delivered, marks, bytes;
    } rows[] = {
        {5, 5, false, 2000, 0, 0},
        {5, 6, false, 2000, 1, 1000},
        {5, 0, false, 4000, 3, 3000}, /* round */
        {0xffffffff, 1, false, 2000, 2, 2000},
        {5, 6, false, 0, 0, 0},       /* no news: perhaps an old one */
        {5, 6, false, 300, 1, 300},   /* never more than arrived */
        {5, 4, false, 1000, 7, 1000}, /* the path, or pure ACKs: believed */
        {5, 5, false, 8000, 0, 0},    /* eight could be all: but nothing was marked lately */
        {5, 5, true, 8000, 8, 8000},  /* here it is more likely than not */
        {5, 5, true, 7000, 0, 0},
        {5, 6, true, 20000, 17, 17000}, /* the most that twenty allow */
        {5, 6, true, 17000, 17, 17000},
        {5, 6, true, 16999, 17, 16999},
        {5, 6, true, 16000, 9, 9000},
    };
    struct rig *r = rig_new();

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_connection *c = agreed_on(r, TCP_ECN_ACCURATE);
        struct tcp_accurate *a = sw_tcp_accurate(&r->tcp, c);
        struct tcp_segment seg = rig_segment(r, c, 5000, TCP_ACK);

        a->s_cep = rows[i].s_cep;
        a->marked_lately = rows[i].lately;
        a->feedback_seen = true;
        seg.ace = rows[i].ace;
        uint32_t bytes = sw_tcp_accurate_marked(&r->tcp, c, &seg, rows[i].delivered);
        if (bytes != rows[i].bytes || a->s_cep - rows[i].s_cep != rows[i].marks)
            fail_msg("row %zu: %u bytes, %u marks", i, bytes, a->s_cep - rows[i].s_cep);
        if (rows[i].delivered)
            assert_int_equal(a->marked_lately, rows[i].marks > 0);
        rig_discard(r, c);
    }
    rig_end(r);
}

static struct tcp_segment with_option(const struct rig *r, const struct tcp_connection *c,
                                      uint8_t ace, uint32_t e0b, uint32_t ceb)
{
    struct tcp_segment seg = rig_segment(r, c, 5000, TCP_ACK);

    seg.ace = ace;
    seg.options.accurate = TCP_OPTION_ACCURATE_0;
    seg.options.accurate_count = 2;
    seg.options.accurate_counters[0] = e0b;
    seg.options.accurate_counters[1] = ceb;
    return seg;
}

/* The option tells one round of the flags from two. */
static void test_marks_by_the_option(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = agreed_on(r, TCP_ECN_ACCURATE);
    struct tcp_accurate *a = sw_tcp_accurate(&r->tcp, c);

    (void)state;
    struct tcp_segment seg = with_option(r, c, 6, 1 + 11000, 9000);
    assert_int_equal(sw_tcp_accurate_marked(&r->tcp, c, &seg, 20000), 9000);
    assert_int_equal(a->s_cep, 14);
    a->marked_lately = true; /* the flags alone would mean all eight */
    seg = with_option(r, c, 6, 1 + 19000, 9000);
    assert_int_equal(sw_tcp_accurate_marked(&r->tcp, c, &seg, 8000), 0);
    assert_int_equal(a->s_cep, 14);
    /* 24 bits go round too. */
    a->s_ceb = 0xfffe00;
    seg = with_option(r, c, 7, 1, 0x000100);
    assert_int_equal(sw_tcp_accurate_marked(&r->tcp, c, &seg, 1000), 0x300);
    assert_int_equal(a->s_cep, 15);
    /* An older one says nothing; the flags do. */
    seg = with_option(r, c, 0, 1, 0x0000ff);
    assert_int_equal(sw_tcp_accurate_marked(&r->tcp, c, &seg, 3000), 1000);
    /* In the other order CE stands in the middle as well. What the flags told is not told again. */
    seg = with_option(r, c, 1, 1, (a->s_ceb + 1700) & 0xffffff);
    seg.options.accurate = TCP_OPTION_ACCURATE_1;
    assert_int_equal(sw_tcp_accurate_marked(&r->tcp, c, &seg, 1000), 700);
    rig_discard(r, c);
    rig_end(r);
}

/* RFC 9768 3.2.3.2.4: counting begins at one, so a first zero is not the peer's. */
static void test_zeroed_option_is_not_believed(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = agreed_on(r, TCP_ECN_ACCURATE);
    struct tcp_accurate *a = sw_tcp_accurate(&r->tcp, c);

    (void)state;
    struct tcp_segment seg = with_option(r, c, 6, 0, 0);
    assert_int_equal(sw_tcp_accurate_marked(&r->tcp, c, &seg, 2000), 1000);
    seg = with_option(r, c, 6, 4000, 2000);
    assert_int_equal(sw_tcp_accurate_marked(&r->tcp, c, &seg, 2000), 0);
    assert_true(a->option_broken);
    rig_discard(r, c);
    rig_end(r);
}

/* RFC 9768 3.2.2.4: three marks out of one packet. Of many it may be true. */
static void test_first_counter_of_zero(void **state)
{
    struct rig *r = rig_new();

    (void)state;
    for (uint32_t packets = 1; packets < 6; packets++) {
        struct tcp_connection *c = agreed_on(r, TCP_ECN_ACCURATE);
        struct tcp_segment seg = rig_segment(r, c, 5000, TCP_ACK);

        sw_tcp_accurate_marked(&r->tcp, c, &seg, packets * RIG_MSS);
        assert_int_equal(c->ecn_no_ect, packets < 3);
        rig_discard(r, c);
    }
    rig_end(r);
}

/* RFC 9768 3.2.2.3: much arrived, none of it as ECT(0), which it was sent as. */
static void test_bleaching_is_noticed(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = agreed_on(r, TCP_ECN_ACCURATE);
    struct tcp_segment seg = with_option(r, c, 5, 1, 0);

    (void)state;
    sw_tcp_accurate_marked(&r->tcp, c, &seg, 8000);
    assert_false(c->ecn_no_ect);
    sw_tcp_accurate_marked(&r->tcp, c, &seg, 1000);
    assert_true(c->ecn_no_ect);
    rig_discard(r, c);
    rig_end(r);
}

/* What cuts a super-segment up may clear CWR in all but the first: no such segment while it counts. */
static void test_one_segment_a_frame(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = agreed_on(r, TCP_ECN_ACCURATE);
    struct tcp_segment marked = arriving(r, c, IP_CE, 10);

    (void)state;
    assert_false(sw_tcp_ecn_is_single(&r->tcp, c)); /* 5: AE and ECE */
    sw_tcp_accurate_count(sw_tcp_accurate(&r->tcp, c), &marked);
    assert_true(sw_tcp_ecn_is_single(&r->tcp, c)); /* 6: AE and CWR */
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
        cmocka_unit_test(test_flags_as_a_number),
        cmocka_unit_test(test_option_on_the_wire),
        cmocka_unit_test(test_option_twice),
        cmocka_unit_test(test_latched_until_cwr),
        cmocka_unit_test(test_dctcp_echoes_each),
        cmocka_unit_test(test_reduces_once_a_window),
        cmocka_unit_test(test_who_sends_no_ect_does_not_listen),
        cmocka_unit_test(test_counts_what_arrives),
        cmocka_unit_test(test_option_where_there_is_room),
        cmocka_unit_test(test_marks_by_the_flags),
        cmocka_unit_test(test_marks_by_the_option),
        cmocka_unit_test(test_zeroed_option_is_not_believed),
        cmocka_unit_test(test_first_counter_of_zero),
        cmocka_unit_test(test_bleaching_is_noticed),
        cmocka_unit_test(test_one_segment_a_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
