/*
 * test_tcp_ecn_open.c - ECN: what handshakes agree on, and how each end tells how the other's SYN arrived.
 *
 * RFC 3168 6.1.1, RFC 9768 3.1, 3.2.2.1, 3.2.2.2 and 5.1.
 */
#include "test_tcp_ecn_support.h"

#define NOWHERE (IP_ECN_MASK + 1)

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
    struct tcp_segment syn = {.flags = TCP_SYN, .ace = 7};

    (void)state;
    for (uint8_t ip = 0; ip < 4; ip++) {
        syn.dscp_ecn = (uint8_t)(0xfc | ip);
        sw_tcp_ecn_note(&half, &syn, TCP_ECN_ACCURATE);
        assert_int_equal(sw_tcp_ecn_mode(&half), TCP_ECN_ACCURATE);
        assert_int_equal(sw_tcp_ecn_syn_ack(&half, 0), codes[ip]);
        assert_int_equal(sw_tcp_ecn_syn_ack(&half, 1), codes[ip]);
        assert_int_equal(sw_tcp_ecn_syn_ack(&half, 2), 0);
        assert_int_equal(sw_tcp_ecn_half_open(&half), 5); /* a SYN's mark does not count */
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

/* RFC 9768 3.1.5, 3.1.4.2: the first SYN decides, the latest is told of, two kinds are one too many. */
static void test_syn_again(void **state)
{
    static const struct {
        uint8_t first, again;
        bool fine;
        uint8_t mode, syn_ack;
        bool no_ect;
    } rows[] = {
        {7, 7, true, TCP_ECN_ACCURATE, 4, false},  {7, 0, true, TCP_ECN_ACCURATE, 4, true},
        {7, 1, true, TCP_ECN_ACCURATE, 4, false},  {7, 3, false, TCP_ECN_ACCURATE, 4, false},
        {1, 3, false, TCP_ECN_ACCURATE, 4, false}, {3, 3, true, TCP_ECN_CLASSIC, 1, false},
        {3, 0, true, TCP_ECN_CLASSIC, 0, true},    {3, 7, false, TCP_ECN_CLASSIC, 1, false},
        {0, 7, true, TCP_ECN_OFF, 0, false},       {0, 3, true, TCP_ECN_OFF, 0, false},
    };
    struct rig *r = rig_new();
    struct sanwo_tcp_config config;

    (void)state;
    sanwo_tcp_config_default(&config);
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_segment first = {.flags = TCP_SYN, .ace = rows[i].first};
        struct tcp_segment again = {
            .flags = TCP_SYN, .ace = rows[i].again, .dscp_ecn = 0xfc | IP_ECT_0};
        struct tcp_connection *c = rig_open(r, 1, 5000);
        struct tcp_half_open half = {.listener = 0};
        struct wire_tcp_options o;

        config.ecn = SANWO_ECN_ACCEPT;
        sw_tcp_ecn_note(&half, &first, sw_tcp_ecn_judge_syn(&config, &first));
        sw_wire_tcp_options_none(&o);
        sw_tcp_ecn_syn_ack_option(&config, &half, &o);
        assert_int_equal(o.accurate != 0, rows[i].mode == TCP_ECN_ACCURATE);
        if (sw_tcp_ecn_syn_again(&config, &half, &again) != rows[i].fine ||
            sw_tcp_ecn_mode(&half) != rows[i].mode ||
            sw_tcp_ecn_syn_ack(&half, 0) != rows[i].syn_ack)
            fail_msg("row %zu", i);
        sw_wire_tcp_options_none(&o);
        sw_tcp_ecn_syn_ack_option(&config, &half, &o); /* it may be what was in the way */
        assert_int_equal(o.accurate, 0);
        assert_true(sw_tcp_ecn_promote(&r->tcp, c, &half));
        assert_int_equal(c->ecn, rows[i].mode);
        assert_int_equal(c->ecn_no_ect, rows[i].no_ect);
        config.ecn = SANWO_ECN_OFF; /* who does without has nothing to be confused about */
        assert_true(sw_tcp_ecn_syn_again(&config, &half, &again));
        rig_discard(r, c);
    }
    rig_end(r);
}

/* What a SYN-ACK makes of what was asked for, and where nothing may be ECT afterwards. */
static void test_answers(void **state)
{
    static const struct {
        uint8_t asked, ace, mode;
        bool no_ect, marked;
    } rows[] = {
        {TCP_ECN_OFF, 1, TCP_ECN_OFF, false, false},
        {TCP_ECN_CLASSIC, 0, TCP_ECN_OFF, false, false},
        {TCP_ECN_CLASSIC, 1, TCP_ECN_CLASSIC, false, false},
        {TCP_ECN_CLASSIC, 2, TCP_ECN_OFF, false, false},
        {TCP_ECN_CLASSIC, 3, TCP_ECN_OFF, false, false},
        {TCP_ECN_CLASSIC, 5, TCP_ECN_CLASSIC, false,
         false}, /* a bit that is none of its business */
        {TCP_ECN_ACCURATE, 0, TCP_ECN_OFF, false, false},
        {TCP_ECN_ACCURATE, 1, TCP_ECN_CLASSIC, false, false},
        {TCP_ECN_ACCURATE, 2, TCP_ECN_ACCURATE, false, false},
        {TCP_ECN_ACCURATE, 3, TCP_ECN_ACCURATE, true, false},
        {TCP_ECN_ACCURATE, 4, TCP_ECN_ACCURATE, true, false},
        {TCP_ECN_ACCURATE, 5, TCP_ECN_ACCURATE, false, false},
        {TCP_ECN_ACCURATE, 6, TCP_ECN_ACCURATE, true, true},
        {TCP_ECN_ACCURATE, 7, TCP_ECN_OFF, false, false},
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
            sw_tcp_ecn_syn_marked(&r->tcp, c) != rows[i].marked)
            fail_msg("row %zu: mode %u", i, c->ecn);
        if (a) /* 3.2.2.2: the peer does not count our SYN */
            assert_int_equal(a->s_cep, 5);
        sw_tcp_handshake_start(&r->tcp, c); /* RFC 5681 3.1: as after a lost one */
        assert_int_equal(c->cc.cwnd, (rows[i].marked ? 1 : 10) * RIG_MSS);
        rig_discard(r, c);
    }
    rig_end(r);
}

/* RFC 9768 3.1.4.1: a client knows that the server is in the mode, though its last SYN asked for nothing. */
static void test_answers_after_a_fall_back(void **state)
{
    static const struct {
        uint8_t asked, ace;
        bool no_ect;
    } rows[] = {{SANWO_ECN_ACCURATE, 2, false},
                {SANWO_ECN_ACCURATE, 1, true},
                {SANWO_ECN_REQUEST, 1, true}};
    struct rig *r = rig_new();

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_connection *c = rig_open(r, 1, 5000);
        struct tcp_segment seg = rig_segment(r, c, 5000, TCP_SYN | TCP_ACK);
        struct wire_tcp_options o;

        c->state = SANWO_TCP_SYN_SENT;
        r->tcp.config.ecn = rows[i].asked;
        sw_wire_tcp_options_none(&o);
        uint8_t asks = rows[i].asked == SANWO_ECN_ACCURATE ? 7 : 3;
        assert_int_equal(sw_tcp_ecn_syn(&r->tcp, c, &o), asks);
        c->segments_out = 1;
        r->tcp.config.ecn = SANWO_ECN_REQUEST + SANWO_ECN_ACCURATE - rows[i].asked;
        assert_int_equal(sw_tcp_ecn_syn(&r->tcp, c, &o), asks); /* 3.1.5: never the other kind */
        c->send.retransmissions = 1;
        assert_int_equal(sw_tcp_ecn_syn(&r->tcp, c, &o), asks);
        c->send.retransmissions = 2;
        assert_int_equal(sw_tcp_ecn_syn(&r->tcp, c, &o), 0);
        assert_int_equal(o.accurate, 0); /* 3.2.3.2.1: never on a SYN */
        seg.ace = rows[i].ace;
        assert_true(sw_tcp_ecn_answered(&r->tcp, c, &seg));
        assert_int_equal(c->ecn_no_ect, rows[i].no_ect);
        rig_discard(r, c);
    }
    rig_end(r);
}

/* RFC 9768 3.2.2.2: a SYN's mark does not count, a SYN-ACK's does, once. */
static void test_where_counters_begin(void **state)
{
    struct rig *r = rig_new();

    (void)state;
    for (uint8_t ip = 0; ip < 4; ip++) {
        for (uint8_t tries = 0; tries < 4; tries++) {
            struct tcp_half_open half = {.retransmissions = tries};
            struct tcp_segment syn = {.flags = TCP_SYN, .ace = 7, .dscp_ecn = ip};
            struct tcp_connection *c = rig_open(r, 1, 5000);

            sw_tcp_ecn_note(&half, &syn, TCP_ECN_ACCURATE);
            assert_true(sw_tcp_ecn_promote(&r->tcp, c, &half));
            assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 5);
            assert_int_equal(c->ecn_no_ect, tries >= 2);
            rig_discard(r, c);
        }
        struct tcp_connection *c = rig_open(r, 1, 5000);
        struct tcp_segment syn_ack = rig_segment(r, c, 4999, TCP_SYN | TCP_ACK);

        c->ecn = TCP_ECN_ACCURATE;
        syn_ack.dscp_ecn = ip;
        syn_ack.ace = 2;
        assert_true(sw_tcp_ecn_answered(&r->tcp, c, &syn_ack));
        assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), ip == IP_CE ? 6 : 5);
        /* It came again, marked: the next bare ACK says so, and it counts if none did before. */
        c->ack_now = 0;
        syn_ack.ack = c->send.snd_nxt = tcp_seq_add(c->send.iss, 1);
        syn_ack.dscp_ecn = IP_CE;
        for (unsigned again = 0; again < 3; again++) {
            r->tcp.now += SANWO_SEC(1);
            assert_true(sw_tcp_ecn_syn_ack_again(&r->tcp, c, &syn_ack));
            assert_true(sw_tcp_ecn_answers(&r->tcp, c));
            assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 6);
        }
        /* One that agrees on something else, or that is not the old one, is anybody's SYN. */
        syn_ack.ace = 1;
        assert_false(sw_tcp_ecn_syn_ack_again(&r->tcp, c, &syn_ack));
        syn_ack.ace = 2;
        syn_ack.seq = tcp_seq_of(4998);
        assert_false(sw_tcp_ecn_syn_ack_again(&r->tcp, c, &syn_ack));
        rig_discard(r, c);
    }
    rig_end(r);
}

/* Text waits until a bare ACK told how the SYN-ACK arrived; that has no SACK blocks (RFC 9768 3.2.2.1). */
static void test_handshake_is_answered_alone(void **state)
{
    static struct rig_frame f;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 5000);
    struct tcp_segment syn_ack = rig_segment(r, c, 4999, TCP_SYN | TCP_ACK);

    (void)state;
    c->ecn = TCP_ECN_ACCURATE;
    c->sack = 1;
    syn_ack.ace = 2;
    syn_ack.dscp_ecn = IP_ECT_0;
    assert_true(sw_tcp_ecn_answered(&r->tcp, c, &syn_ack));
    rig_send(r, c, 1500);
    c->receive.dsack_left = tcp_seq_of(4000);
    c->receive.dsack_right = tcp_seq_of(4100);
    sw_tcp_ack_now(&r->tcp, c);
    assert_true(rig_output(r, c, &f));
    assert_int_equal(f.payload, 0);
    assert_int_equal(f.options.sack_count, 0);
    assert_int_equal(f.options.accurate, TCP_OPTION_ACCURATE_0);
    assert_int_equal(sw_wire_tcp_ace(&f.h), 4);
    assert_true(
        rig_output(r, c, &f)); /* the counter from here on, and the first text has the option */
    assert_int_equal(f.payload, RIG_MSS - 8);
    assert_int_equal(sw_wire_tcp_ace(&f.h), 5);
    assert_int_equal(f.options.accurate, TCP_OPTION_ACCURATE_0);
    assert_true(c->ecn_no_ect == 0 && c->ecn_ect);
    assert_true(rig_output(r, c, &f));
    assert_int_equal(f.options.accurate, 0);
    rig_discard(r, c);
    rig_end(r);
}

/* A cookie's one bit, and what the flags of the ACK add to it; without a bit they may be enough. */
static void test_cookies(void **state)
{
    struct tcp_half_open half = {.flags = HALF_OPEN_TIMESTAMPS};
    struct tcp_segment syn = {.flags = TCP_SYN, .ace = 7, .dscp_ecn = IP_CE};
    struct sanwo_tcp_config config;
    struct rig *r = rig_new();

    (void)state;
    sanwo_tcp_config_default(&config);
    for (uint8_t ace = 0; ace < 8; ace++) {
        struct tcp_segment ack = {.flags = TCP_ACK, .ace = ace};

        config.ecn = SANWO_ECN_ACCEPT;
        assert_int_equal(sw_tcp_ecn_judge_cookie(&config, &ack, true),
                         ace < 2 ? TCP_ECN_CLASSIC : TCP_ECN_ACCURATE);
        assert_int_equal(sw_tcp_ecn_judge_cookie(&config, &ack, false),
                         ace < 2 ? TCP_ECN_OFF : TCP_ECN_ACCURATE);
        ack.length = 1; /* 5.1: a bare ACK */
        assert_int_equal(sw_tcp_ecn_judge_cookie(&config, &ack, false), TCP_ECN_OFF);
        config.ecn = SANWO_ECN_OFF; /* switched off since, or the peer made the bit up */
        assert_int_equal(sw_tcp_ecn_judge_cookie(&config, &ack, true), TCP_ECN_OFF);
        assert_int_equal(sw_tcp_ecn_judge_cookie(&config, &ack, false), TCP_ECN_OFF);
    }
    for (unsigned bit = 0; bit < 2; bit++) {
        half.flags = bit ? HALF_OPEN_TIMESTAMPS : 0;
        sw_tcp_ecn_note(&half, &syn, TCP_ECN_ACCURATE);
        assert_false(sw_tcp_ecn_cookie_forgets(&half)); /* the SYN-ACK told of the mark */
        sw_tcp_ecn_note(&half, &syn, TCP_ECN_CLASSIC);
        assert_int_equal(sw_tcp_ecn_cookie_forgets(&half), !bit);
    }
    /* The record is made of the ACK, whose flags are no SYN's. */
    struct tcp_connection *c = rig_open(r, 1, 5000);
    struct tcp_segment ack = rig_segment(r, c, 5000, TCP_ACK);
    sw_tcp_ecn_note(&half, &ack, TCP_ECN_CLASSIC);
    assert_true(sw_tcp_ecn_promote(&r->tcp, c, &half));
    assert_false(c->ecn_no_ect);
    rig_discard(r, c);
    rig_end(r);
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
    struct wire_tcp_options o;

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_connection *c = rig_open(r, 1, 5000);
        struct tcp_segment seg = rig_segment(r, c, 4999, TCP_SYN);

        c->ecn = rows[i].asked;
        seg.ace = rows[i].ace;
        assert_true(sw_tcp_ecn_answered(&r->tcp, c, &seg));
        c->state = SANWO_TCP_SYN_RECEIVED;
        sw_wire_tcp_options_none(&o);
        if (c->ecn != rows[i].mode || sw_tcp_ecn_syn(&r->tcp, c, &o) != rows[i].answer)
            fail_msg("row %zu", i);
        /* RFC 9768 3.1.2: the SYN-ACK of a server, with its option; once (3.2.3.2.2). */
        assert_int_equal(o.accurate != 0, rows[i].mode == TCP_ECN_ACCURATE);
        sw_wire_tcp_options_none(&o);
        seg.dscp_ecn = IP_CE;
        assert_true(sw_tcp_ecn_syn_received(&r->tcp, c, &seg));
        uint8_t answer = rows[i].mode == TCP_ECN_ACCURATE ? 6 : rows[i].answer;
        assert_int_equal(sw_tcp_ecn_syn(&r->tcp, c, &o), answer);
        assert_int_equal(o.accurate, 0);
        /* One that asks for nothing changes no mode; another kind of asking ends it. */
        seg.ace = 0;
        assert_true(sw_tcp_ecn_syn_received(&r->tcp, c, &seg));
        assert_int_equal(c->ecn, rows[i].mode);
        assert_int_equal(c->ecn_no_ect, rows[i].mode != TCP_ECN_OFF);
        seg.ace = 3;
        assert_int_equal(sw_tcp_ecn_syn_received(&r->tcp, c, &seg),
                         rows[i].mode != TCP_ECN_ACCURATE);
        rig_discard(r, c);
    }
    rig_end(r);
}

/* A control block that a Fast Open cookie earned: its SYN comes again, and asks otherwise or not at all. */
static void test_syn_again_behind_a_cookie(void **state)
{
    static const struct {
        uint8_t mode, ace;
        bool fine, no_ect;
    } rows[] = {
        {TCP_ECN_CLASSIC, 3, true, false},  {TCP_ECN_CLASSIC, 7, false, false},
        {TCP_ECN_CLASSIC, 0, true, true},   {TCP_ECN_ACCURATE, 7, true, false},
        {TCP_ECN_ACCURATE, 1, true, false}, {TCP_ECN_ACCURATE, 3, false, false},
        {TCP_ECN_ACCURATE, 0, true, true},  {TCP_ECN_OFF, 7, true, false},
    };
    struct rig *r = rig_new();

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_connection *c = agreed_on(r, rows[i].mode);
        struct tcp_segment seg = rig_segment(r, c, 4998, TCP_SYN);

        c->passive = 1;
        seg.ace = rows[i].ace;
        assert_true(sw_tcp_ecn_syn_received(&r->tcp, c, &seg)); /* of another connection */
        assert_false(c->ecn_no_ect);
        seg.seq = c->receive.irs;
        if (sw_tcp_ecn_syn_received(&r->tcp, c, &seg) != rows[i].fine ||
            c->ecn_no_ect != rows[i].no_ect)
            fail_msg("row %zu", i);
        assert_int_equal(c->ecn, rows[i].mode);
        rig_discard(r, c);
    }
    rig_end(r);
}

/* RFC 9768 table 4: what the ACK of our SYN-ACK says of it. We sent it Not-ECT. */
static void test_last_ack_of_the_handshake(void **state)
{
    static const struct {
        uint8_t ace;
        bool no_ect, deaf;
        uint8_t s_cep;
    } rows[] = {{0, true, true, 5},  {1, false, false, 5}, {2, false, false, 5},
                {3, true, false, 5}, {4, true, false, 5},  {5, false, false, 5},
                {6, true, false, 6}, {7, false, false, 5}};
    struct rig *r = rig_new();

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_connection *c = agreed_on(r, TCP_ECN_ACCURATE);
        struct tcp_segment seg = rig_segment(r, c, 5000, TCP_ACK);
        const struct tcp_accurate *a = sw_tcp_accurate(&r->tcp, c);

        seg.ace = rows[i].ace;
        sw_tcp_ecn_handshake_ack(&r->tcp, c, &seg);
        assert_int_equal(c->ecn_no_ect, rows[i].no_ect);
        assert_int_equal(a->s_cep, rows[i].s_cep);
        assert_int_equal(sw_tcp_ecn_syn_marked(&r->tcp, c), rows[i].ace == 6);
        /* The same segment goes on to the counters: it must not look like marks. */
        assert_int_equal(sw_tcp_ecn_marked(&r->tcp, c, &seg, 5000, 5000), 0);
        assert_int_equal(a->marks_told, rows[i].ace == 6);
        /* 3.1.5: whoever sends nothing as ECT listens all the same, but for note 1. */
        seg = rig_segment(r, c, 5000, TCP_ACK);
        seg.ace = (rows[i].s_cep + 1) & 7;
        assert_int_equal(sw_tcp_ecn_marked(&r->tcp, c, &seg, 2000, 2000) == 0, rows[i].deaf);
        rig_discard(r, c);
    }
    rig_end(r);
}

/* ... but text or SACK blocks mean that this is another segment, with a counter (3.2.2.1). */
static void test_text_ends_the_handshake(void **state)
{
    struct rig *r = rig_new();

    (void)state;
    for (unsigned sack = 0; sack < 2; sack++) {
        for (uint8_t ace = 0; ace < 8; ace++) {
            struct tcp_connection *c = agreed_on(r, TCP_ECN_ACCURATE);
            struct tcp_segment seg = arriving(r, c, IP_NOT_ECT, sack ? 0 : 100);

            seg.options.sack_count = (uint8_t)sack;
            seg.ace = ace;
            sw_tcp_ecn_handshake_ack(&r->tcp, c, &seg);
            assert_false(c->ecn_no_ect);
            assert_int_equal(seg.ace, ace);
            assert_int_equal(sw_tcp_accurate(&r->tcp, c)->s_cep, 5);
            rig_discard(r, c);
        }
    }
    rig_end(r);
}

/* A SYN-ACK that crossed ours tells of our SYN; its flags are no counter (RFC 9768 3.2.2). */
static void test_crossing_syn_ack(void **state)
{
    struct rig *r = rig_new();

    (void)state;
    for (uint8_t ace = 2; ace < 8; ace++) {
        struct tcp_connection *c = agreed_on(r, TCP_ECN_ACCURATE);
        struct tcp_segment seg = rig_segment(r, c, 5000, TCP_ACK);

        seg.came_with_syn = true;
        seg.ace = ace;
        sw_tcp_ecn_handshake_ack(&r->tcp, c, &seg);
        assert_int_equal(c->ecn_no_ect, ace == 3 || ace == 4 || ace == 6);
        assert_int_equal(sw_tcp_ecn_marked(&r->tcp, c, &seg, 5000, 5000), 0);
        assert_int_equal(sw_tcp_accurate(&r->tcp, c)->s_cep, 5);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judged_by_its_syn),
        cmocka_unit_test(test_syn_ack_of_a_record),
        cmocka_unit_test(test_syn_again),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_answers_after_a_fall_back),
        cmocka_unit_test(test_where_counters_begin),
        cmocka_unit_test(test_handshake_is_answered_alone),
        cmocka_unit_test(test_cookies),
        cmocka_unit_test(test_crossing_syns),
        cmocka_unit_test(test_syn_again_behind_a_cookie),
        cmocka_unit_test(test_last_ack_of_the_handshake),
        cmocka_unit_test(test_text_ends_the_handshake),
        cmocka_unit_test(test_crossing_syn_ack),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
