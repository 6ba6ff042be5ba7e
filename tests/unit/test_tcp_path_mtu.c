/*
 * test_tcp_path_mtu.c - What ICMP says of the path: plateaus, floors, never up, back in time.
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
        sw_tcp_path_mtu_message(&r->tcp, c, rows[i].mtu, rows[i].packet);
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
    sw_tcp_path_mtu_message(&r->tcp, c, 1040, 1500);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_sent_again_smaller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
