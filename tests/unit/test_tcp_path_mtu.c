/*
 * test_tcp_path_mtu.c - What ICMP says of the path: plateaus, floors, never up, back in time; and
 * what its silence does.
 */
#include "test_tcp_support.h"

/* RFC1191-3-1, RFC8201-4-1. */
static void test_messages(void **state)
{
    (void)state;
    const struct {
        bool ipv6;
        uint16_t before; /* path MTU known; 0: none */
        uint32_t mtu, packet;
        uint16_t after;
    } rows[] = {
        {false, 0, 1400, 1500, 1400},
        {false, 1400, 1400, 1500, 1400},
        {false, 1400, 1401, 1500, 1400}, /* never up (RFC 8201 4) */
        {false, 1400, 1300, 1500, 1300},
        {false, 0, 1500, 1500, 0}, /* that is no smaller than what was sent */
        {false, 0, 1600, 1500, 0},
        {false, 0, 551, 1500, 552}, /* the floor: attack C-05 */
        {false, 0, 68, 1500, 552},
        {false, 0, 1, 1500, 552},
        {false, 0, 68, 500, 0},
        {true, 0, 1400, 1500, 1400},
        {true, 0, 1280, 1500, 1280},
        {true, 0, 1279, 1500, 0}, /* RFC 8201 4: ignored */
        {true, 0, 1, 1500, 0},
        /* RFC 1191 7.1: without a number, the next plateau below the packet's size */
        {false, 0, 0, 65535, 32000},
        {false, 0, 0, 32000, 17914},
        {false, 0, 0, 9000, 8166},
        {false, 0, 0, 8166, 4352},
        {false, 0, 0, 1500, 1492},
        {false, 0, 0, 1492, 1006},
        {false, 0, 0, 1006, 552},
        {false, 0, 0, 500, 0},
        {false, 0, 0, 0, 0},
        {true, 0, 0, 1500, 1492},
        {true, 0, 0, 1400, 0}, /* 1006 would be below the least */
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_tuple tuple = rows[i].ipv6 ? rig_tuple_v6(0) : rig_tuple(0);
        struct tcp_connection *c = rig_connection(r, &tuple, SANWO_TCP_ESTABLISHED, 1, 1);
        c->send.path_mtu = rows[i].before;
        sw_tcp_path_mtu_message(&r->tcp, c, c->send.snd_una, rows[i].mtu, rows[i].packet);
        if (c->send.path_mtu != rows[i].after)
            fail_msg("row %zu: %u", i, c->send.path_mtu);
        bool lowered = rows[i].after != rows[i].before;
        assert_int_equal(c->deadline.path_mtu != SANWO_TIME_NEVER, lowered);
        rig_end(r);
    }
}

/* What was too large goes again in pieces that fit, at once, and it is no sign of congestion. */
static void test_sent_again_smaller(void **state)
{
    (void)state;
    static struct rig_frame f;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xfffffe00, 1);
    const struct tcp_path path = {.mtu = 1500};

    c->send.peer_mss = 1460;
    rig_send(r, c, 4 * 1460);
    for (int i = 0; i < 4; i++) {
        assert_true(rig_output_by(r, c, &path, &f));
        assert_int_equal(f.payload, 1460);
    }
    uint32_t cwnd = c->cc.cwnd;
    sw_tcp_path_mtu_message(&r->tcp, c, c->send.snd_una, 1040, 1500);
    rig_check_records(r, c);
    assert_int_equal(c->send.lost, 4 * 1460);
    uint32_t at = 0;
    while (at < 4 * 1460 && rig_output_by(r, c, &path, &f)) {
        assert_true(f.payload <= 1000);
        assert_int_equal(f.h.seq.raw, 0xfffffe00 + at);
        rig_check(f.bytes + f.h.header_length, at, f.payload);
        at += f.payload;
    }
    assert_int_equal(at, 4 * 1460);
    assert_true(c->cc.cwnd >= cwnd);
    rig_check_records(r, c);
    r->tcp.now += SANWO_SEC(601); /* ten minutes later the larger size is tried again */
    c->deadline.retransmit = SANWO_TIME_NEVER;
    sw_tcp_run_timers(&r->tcp, r->tcp.now);
    assert_int_equal(c->send.path_mtu, 0);
    rig_end(r);
}

/* RFC 5927 7.2: a size that passed is doubted, a smaller number or none at all. */
static void test_doubted(void **state)
{
    (void)state;
    const struct {
        uint16_t delivered, mtu;
        uint32_t acked;   /* of two segments that are out, after the message */
        bool at_once;     /* obeyed */
        bool at_time_out; /* ... or then */
    } rows[] = {
        {0, 1040, 0, true, false},        {1040, 1040, 0, true, false},
        {1041, 1040, 0, false, true},     {1500, 1040, 0, false, true},
        {1500, 1040, 1, false, false}, /* the segment quoted is acknowledged */
        {1500, 1040, 1460, false, false},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        static struct rig_frame f;
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 0xfffffe00, 1);
        const struct tcp_path path = {.mtu = 1500};
        c->send.peer_mss = 1460;
        rig_send(r, c, 2 * 1460);
        while (rig_output_by(r, c, &path, &f))
            ;
        sw_tcp_mtu_search(&r->tcp, c)->delivered = rows[i].delivered;
        sw_tcp_path_mtu_message(&r->tcp, c, c->send.snd_una, rows[i].mtu, 1500);
        if ((c->send.path_mtu == rows[i].mtu) != rows[i].at_once)
            fail_msg("row %zu: at once", i);
        if (rows[i].acked)
            rig_ack(r, c, 0xfffffe00u + rows[i].acked, UINT16_MAX);
        c->send.retransmissions = 1;
        sw_tcp_path_mtu_timed_out(&r->tcp, c);
        if ((c->send.path_mtu == rows[i].mtu) != (rows[i].at_once || rows[i].at_time_out))
            fail_msg("row %zu: at the time-out", i);
        rig_end(r);
    }
}

/* RFC 4821 7.7: after how many time-outs in a row which size is used. */
static void test_black_hole(void **state)
{
    (void)state;
    const struct {
        bool ipv6;
        uint8_t probing;
        uint16_t peer_mss, base;
        uint16_t delivered;
        uint32_t length;   /* of what is out */
        uint16_t after[8]; /* path_mtu after so many time-outs */
    } rows[] = {
        {false, 1, 1460, 1024, 0, 1460, {0, 1064, 1064, 552, 552, 552, 552, 552}},
        {false, 1, 1460, 1024, 1500, 1460, {0, 0, 1064, 1064, 552, 552, 552, 552}},
        {false, 2, 1460, 1200, 0, 1460, {0, 1240, 1240, 620, 620, 552, 552, 552}},
        {false, 0, 1460, 1024, 0, 1460, {0}}, /* switched off */
        {false, 1, 1000, 1024, 0, 1000, {0}}, /* small anyway: that is not why it is lost */
        {false, 1, 1460, 1024, 0, 1000, {0}},
        {true, 1, 1440, 1024, 0, 1440, {0, 1280, 1280, 1280, 1280, 1280, 1280, 1280}},
        {true, 1, 1220, 1024, 0, 1220, {0}},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        static struct rig_frame f;
        struct sanwo_stack_config config = rig_config();
        config.tcp.mtu_probing = rows[i].probing;
        config.tcp.base_mss = rows[i].base;
        struct rig *r = rig_with(&config);
        const struct tcp_path path = {.mtu = 1500};
        struct tcp_tuple tuple = rows[i].ipv6 ? rig_tuple_v6(0) : rig_tuple(0);
        struct tcp_connection *c = rig_connection(r, &tuple, SANWO_TCP_ESTABLISHED, 1, 1);
        rig_watch(r);
        c->sack = 1;
        c->send.peer_mss = rows[i].peer_mss;
        rig_send(r, c, rows[i].length);
        assert_true(rig_output_by(r, c, &path, &f));
        sw_tcp_mtu_search(&r->tcp, c)->delivered = rows[i].delivered;
        for (unsigned k = 0; k < 8; k++) {
            c->send.retransmissions = (uint8_t)(k + 1);
            sw_tcp_path_mtu_timed_out(&r->tcp, c);
            if (c->send.path_mtu != rows[i].after[k])
                fail_msg("row %zu: %u after %u time-outs", i, c->send.path_mtu, k + 1);
            assert_int_equal(c->black_hole, rows[i].after[k] != 0);
        }
        rig_end(r);
    }
}

/* A tail loss probe that nobody answered counts as one of them. */
static void test_black_hole_after_a_tail_probe(void **state)
{
    (void)state;
    static struct rig_frame f;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);
    const struct tcp_path path = {.mtu = 1500};
    c->sack = 1;
    c->send.peer_mss = 1460;
    rig_send(r, c, 1460);
    assert_true(rig_output_by(r, c, &path, &f));
    sw_tcp_mtu_search(&r->tcp, c)->delivered = 1500;
    sw_tcp_sending(&r->tcp, c)->tail.out = true;
    c->send.retransmissions = 1;
    sw_tcp_path_mtu_timed_out(&r->tcp, c);
    assert_int_equal(c->send.path_mtu, 0);
    sw_tcp_sending(&r->tcp, c)->tail.out = false; /* as a time-out leaves it */
    c->send.retransmissions = 2;
    sw_tcp_path_mtu_timed_out(&r->tcp, c);
    assert_int_equal(c->send.path_mtu, 1064);
    rig_end(r);
}

/* Without SACK nothing can be searched for: the larger size is tried after ten minutes, at once. */
static void test_black_hole_without_sack(void **state)
{
    (void)state;
    for (unsigned sack = 0; sack < 2; sack++) {
        static struct rig_frame f;
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 1, 1);
        const struct tcp_path path = {.mtu = 1500};
        c->sack = sack;
        c->send.peer_mss = 1460;
        rig_send(r, c, 1460);
        assert_true(rig_output_by(r, c, &path, &f));
        c->send.retransmissions = 2;
        sw_tcp_path_mtu_timed_out(&r->tcp, c);
        assert_int_equal(c->send.path_mtu, 1064);
        assert_int_equal(c->deadline.path_mtu == SANWO_TIME_NEVER, sack);
        sw_tcp_path_mtu_expired(&r->tcp, c);
        assert_int_equal(c->send.path_mtu, sack ? 1064 : 0);
        assert_int_equal(c->black_hole, sack);
        rig_end(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_sent_again_smaller),
        cmocka_unit_test(test_doubted),
        cmocka_unit_test(test_black_hole),
        cmocka_unit_test(test_black_hole_after_a_tail_probe),
        cmocka_unit_test(test_black_hole_without_sack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
