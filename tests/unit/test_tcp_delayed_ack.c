/*
 * test_tcp_delayed_ack.c - When an acknowledgement goes out, and the limit on challenge ACKs.
 */
#include "test_tcp_support.h"

/* Lengths that arrive in order, one segment each, and after which of them an ACK is due. */
static void test_every_second_full_segment(void **state)
{
    (void)state;
    const struct {
        uint32_t lengths[4];
        uint32_t due; /* bit n: after the n-th */
        uint8_t every;
        bool quick;
    } rows[] = {
        {{1460, 1460, 1460, 1460}, 0xa, 2, false},
        {{1460, 1460, 1460, 1460}, 0xf, 1, false},
        {{1460, 1460, 1460, 1460}, 0x8, 4, false},
        {{1460, 1460, 1460, 1460}, 0xf, 2, true},
        {{1460, 100, 1360, 1}, 0x4, 2, false},
        {{500, 500, 500, 500}, 0xa, 2, false}, /* a peer with small segments: full for it */
        {{100, 1460, 1459, 1}, 0x4, 2, false},
        {{20000, 1, 1, 1}, 0x1, 2, false}, /* a super-segment is several at once */
        {{1460, 2920, 1460, 1460}, 0xa, 2, false},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 1, 0xfffffffe);
        r->tcp.config.ack_every = rows[i].every;
        r->tcp.config.quick_ack = rows[i].quick;
        for (uint32_t n = 0; n < 4; n++) {
            sw_tcp_ack_data(&r->tcp, c, rows[i].lengths[n], rows[i].lengths[n]);
            if (c->ack_now != (rows[i].due >> n & 1))
                fail_msg("row %zu, segment %u", i, n);
            if (!c->ack_now)
                assert_true(c->deadline.delayed_ack <= r->tcp.now + SANWO_MSEC(40));
            if (c->ack_now)
                sw_tcp_ack_was_sent(c);
        }
        rig_end(r);
    }
}

/* The delay counts from the first byte that waits, not the last (MUST-40). */
static void test_timer(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);
    sanwo_time first = r->tcp.now;

    sw_tcp_ack_data(&r->tcp, c, 10, 10);
    r->tcp.now += SANWO_MSEC(30);
    sw_tcp_ack_data(&r->tcp, c, 1, 1);
    assert_int_equal(c->deadline.delayed_ack, first + SANWO_MSEC(40));
    r->tcp.now = first + SANWO_MSEC(40) - 1;
    sw_tcp_run_timers(&r->tcp, r->tcp.now);
    assert_int_equal(c->ack_now, 0);
    r->tcp.now = first + SANWO_MSEC(40) + 1024;
    sw_tcp_run_timers(&r->tcp, r->tcp.now);
    assert_int_equal(c->ack_now, 1);
    assert_int_equal(c->wants_send, 1);
    sw_tcp_ack_was_sent(c);
    assert_int_equal(c->ack_now, 0);
    assert_int_equal(c->receive.unacked, 0);
    assert_int_equal(c->deadline.delayed_ack, SANWO_TIME_NEVER);
    rig_end(r);
}

/* RFC 5681 4.2: while a hole is open every segment is answered at once. RFC5681-4.2-1. */
static void test_at_once_while_there_is_a_hole(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 0xfffffff0);
    uint8_t bytes[10] = {0};
    struct tcp_segment seg = rig_segment(r, c, 0xfffffff0 + 100u, TCP_ACK);
    struct sanwo_slice slice;

    rig_payload(&seg, &slice, bytes, 10);
    assert_true(sw_tcp_reassemble(&r->tcp, c, &seg));
    sw_tcp_ack_data(&r->tcp, c, 1, 1460);
    assert_int_equal(c->ack_now, 1);
    rig_end(r);
}

static void test_ack_was_sent(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 0xffffffff);

    c->receive.rcv_nxt = tcp_seq_of(99);
    sw_tcp_ack_was_sent(c);
    assert_int_equal(c->receive.last_ack_sent.raw, 99);
    rig_end(r);
}

/*
 * RFC 5961 7: one in 500 ms and up to an eighth more, on each connection for itself, also when the
 * milliseconds wrap.
 * RFC5961-7-1.
 */
static void test_challenge_limit(void **state)
{
    (void)state;
    const sanwo_time origins[] = {0, RIG_START, SANWO_MSEC(1) * INT64_C(0xffffffff),
                                  SANWO_MSEC(1) * INT64_C(0xfffffffe),
                                  SANWO_MSEC(1) * INT64_C(0xfffffe80)};
    const struct {
        uint32_t at_ms;
        bool sent;
    } rows[] = {{0, true},    {0, false},    {499, false}, {563, true},
                {564, false}, {1062, false}, {1126, true}, {100000, true}};

    for (size_t o = 0; o < SW_COUNT(origins); o++) {
        struct rig *r = rig_new();
        struct tcp_tuple tuple = rig_tuple(1);
        struct tcp_connection *c = rig_open(r, 1, 1);
        struct tcp_connection *other = rig_connection(r, &tuple, SANWO_TCP_ESTABLISHED, 1, 1);
        uint64_t sent = 0;
        for (size_t i = 0; i < SW_COUNT(rows); i++) {
            r->tcp.now = origins[o] + SANWO_MSEC(rows[i].at_ms);
            sw_tcp_challenge_ack(&r->tcp, c);
            sent += rows[i].sent;
            assert_int_equal(c->ack_now, rows[i].sent);
            assert_int_equal(r->tcp.counters.challenge_acks, sent);
            c->ack_now = 0;
        }
        assert_int_equal(r->tcp.counters.reasons[SANWO_REASON_RATE_LIMITED], 4);
        sw_tcp_challenge_ack(&r->tcp, other);
        assert_int_equal(other->ack_now, 1);
        rig_end(r);
    }
}

/* C-02: when exactly the next one may go is by chance; without an interval there is no limit. */
static void test_challenge_interval(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);
    unsigned early = 0;
    for (int i = 0; i < 200; i++) {
        c->challenged = 0;
        sw_tcp_challenge_ack(&r->tcp, c);
        uint64_t sent = r->tcp.counters.challenge_acks;
        r->tcp.now += SANWO_MSEC(531);
        sw_tcp_challenge_ack(&r->tcp, c);
        early += r->tcp.counters.challenge_acks > sent;
    }
    assert_in_range(early, 60, 140);
    r->tcp.config.challenge_interval = 0;
    uint64_t sent = r->tcp.counters.challenge_acks;
    for (int i = 0; i < 5; i++)
        sw_tcp_challenge_ack(&r->tcp, c);
    assert_int_equal(r->tcp.counters.challenge_acks, sent + 5);
    rig_end(r);
}

/* The first segments of a connection are acknowledged at once, if so configured. */
static void test_quick_ack_segments(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);
    r->tcp.config.quick_ack_segments = 3;
    for (int i = 0; i < 5; i++) {
        c->ack_now = 0;
        c->receive.unacked = 0;
        sw_tcp_ack_data(&r->tcp, c, 1000, 1000);
        assert_int_equal(c->ack_now, i < 3);
    }
    rig_end(r);
}

/* ... but for small ones, whose ACK the user's answer may carry: they wait a millisecond for it. */
static void test_quick_ack_of_small_segments(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);
    r->tcp.config.quick_ack_segments = 2;
    for (int i = 0; i < 3; i++) {
        c->receive.segment_estimate = 1460;
        sw_tcp_ack_data(&r->tcp, c, 10, 10);
        assert_int_equal(c->ack_now, 0);
        assert_int_equal(c->deadline.delayed_ack,
                         r->tcp.now + (i < 2 ? SANWO_MSEC(1) : r->tcp.config.delayed_ack));
        sw_tcp_ack_was_sent(c);
    }
    c->quick_acked = 0;
    sw_tcp_ack_data(&r->tcp, c, 535, 535);
    assert_int_equal(c->ack_now, 0);
    sw_tcp_ack_data(&r->tcp, c, 1, 1); /* together they are no less than a segment */
    assert_int_equal(c->ack_now, 1);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_second_full_segment),
        cmocka_unit_test(test_timer),
        cmocka_unit_test(test_at_once_while_there_is_a_hole),
        cmocka_unit_test(test_ack_was_sent),
        cmocka_unit_test(test_challenge_limit),
        cmocka_unit_test(test_challenge_interval),
        cmocka_unit_test(test_quick_ack_segments),
        cmocka_unit_test(test_quick_ack_of_small_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
