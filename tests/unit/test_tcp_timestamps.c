/*
 * test_tcp_timestamps.c - PAWS, TS.Recent and our own clock, across every wrap (RFC 7323 3 to 5).
 */
#include "test_tcp_support.h"

#define DAY SANWO_SEC(86400)

static struct tcp_connection *open_timed(struct rig *r, uint32_t rcv, uint32_t recent)
{
    struct tcp_connection *c = rig_open(r, 1, rcv);

    c->timestamps = 1;
    sw_tcp_timestamp_remember(&r->tcp, c, recent);
    return c;
}

static void test_signed_comparison(void **state)
{
    (void)state;
    const struct {
        uint32_t a, b;
        bool before;
    } rows[] = {
        {1, 2, true},          {2, 1, false},          {5, 5, false},
        {0xffffffff, 0, true}, {0, 0xffffffff, false}, {0x7fffffff, 0x80000000, true},
        {0, 0x7fffffff, true}, {0, 0x80000001, false}, {0xfffffff0, 0x10, true},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++)
        assert_int_equal(sw_tcp_timestamp_before(rows[i].a, rows[i].b), rows[i].before);
}

/* D30: data that is late by no more than the tolerance is reordering; what carries none is not. */
static void test_paws_tolerance(void **state)
{
    (void)state;
    const struct {
        uint32_t value, length;
        enum tcp_verdict verdict;
    } rows[] = {{999, 1, TCP_CONTINUE},
                {900, 1, TCP_CONTINUE},
                {899, 1, TCP_DROP_AND_ACK},
                {999, 0, TCP_DROP_AND_CHALLENGE},
                {0, 1, TCP_DROP_AND_ACK}};
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        r->tcp.config.paws_tolerance = SANWO_MSEC(100);
        struct tcp_connection *c = open_timed(r, 1000, 1000);
        struct tcp_segment seg = rig_segment(r, c, 1000, TCP_ACK);
        seg.length = rows[i].length;
        seg.options.timestamps = true;
        seg.options.ts_value = rows[i].value;
        assert_int_equal(sw_tcp_check_paws(&r->tcp, c, &seg), rows[i].verdict);
        if (rows[i].verdict == TCP_CONTINUE) { /* TS.Recent never goes back */
            sw_tcp_timestamp_update(&r->tcp, c, &seg, seg.seq);
            assert_int_equal(c->receive.ts_recent, 1000);
        }
        rig_end(r);
    }
}

static void test_paws(void **state)
{
    (void)state;
    const struct {
        uint32_t recent, value;
        bool there; /* the option */
        uint8_t flags;
        uint32_t length;
        sanwo_time idle;
        enum tcp_verdict verdict;
        enum sanwo_reason reason;
    } rows[] = {
        {100, 100, true, TCP_ACK, 1, 0, TCP_CONTINUE, 0},
        {100, 101, true, TCP_ACK, 1, 0, TCP_CONTINUE, 0},
        {100, 99, true, TCP_ACK, 1, 0, TCP_DROP_AND_ACK, SANWO_REASON_PAWS},
        {100, 99, true, TCP_ACK, 0, 0, TCP_DROP_AND_CHALLENGE, SANWO_REASON_PAWS},
        {100, 99, true, TCP_RST, 0, 0, TCP_CONTINUE, 0},
        {100, 0, false, TCP_RST, 0, 0, TCP_CONTINUE, 0},
        {100, 0, false, TCP_ACK, 1, 0, TCP_DROP, SANWO_REASON_TIMESTAMP_MISSING},
        {0xffffffff, 0, true, TCP_ACK, 1, 0, TCP_CONTINUE, 0},
        {0, 0xffffffff, true, TCP_ACK, 1, 0, TCP_DROP_AND_ACK, SANWO_REASON_PAWS},
        {0x80000000, 0x7fffffff, true, TCP_ACK, 1, 0, TCP_DROP_AND_ACK, SANWO_REASON_PAWS},
        {0x7fffffff, 0x80000000, true, TCP_ACK, 1, 0, TCP_CONTINUE, 0},
        /* 5.5: after 24 days of silence TS.Recent says nothing, however long it lasts */
        {100, 99, true, TCP_ACK, 1, 23 * DAY, TCP_DROP_AND_ACK, SANWO_REASON_PAWS},
        {100, 99, true, TCP_ACK, 1, 24 * DAY, TCP_DROP_AND_ACK, SANWO_REASON_PAWS},
        {100, 99, true, TCP_ACK, 1, 24 * DAY + SANWO_SEC(2), TCP_CONTINUE, 0},
        {100, 99, true, TCP_ACK, 1, 25 * DAY, TCP_CONTINUE, 0},
        {100, 99, true, TCP_ACK, 1, 49 * DAY, TCP_CONTINUE, 0},
        {100, 99, true, TCP_ACK, 1, 55 * DAY, TCP_CONTINUE,
         0}, /* milliseconds in 32 bits wrapped */
        {100, 99, true, TCP_ACK, 1, 400 * DAY, TCP_CONTINUE, 0},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = open_timed(r, 1000, rows[i].recent);
        r->tcp.now += rows[i].idle;
        struct tcp_segment seg = rig_segment(r, c, 1000, rows[i].flags);
        seg.length = rows[i].length;
        seg.options.timestamps = rows[i].there;
        seg.options.ts_value = rows[i].value;
        if (sw_tcp_check_paws(&r->tcp, c, &seg) != rows[i].verdict)
            fail_msg("row %zu: not verdict %d", i, rows[i].verdict);
        if (rows[i].verdict != TCP_CONTINUE)
            assert_int_equal(seg.reason, rows[i].reason);
        rig_end(r);
    }
}

static void test_not_negotiated(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1000);
    struct tcp_segment seg = rig_segment(r, c, 1000, TCP_ACK);
    struct wire_tcp_options o;

    c->receive.ts_recent = 500;
    assert_int_equal(sw_tcp_check_paws(&r->tcp, c, &seg), TCP_CONTINUE);
    seg.options.timestamps = true; /* not agreed, so not looked at */
    seg.options.ts_value = 1;
    assert_int_equal(sw_tcp_check_paws(&r->tcp, c, &seg), TCP_CONTINUE);
    sw_tcp_timestamp_update(&r->tcp, c, &seg, seg.seq);
    assert_int_equal(c->receive.ts_recent, 500);
    sw_wire_tcp_options_none(&o);
    sw_tcp_timestamp_option(&r->tcp, c, &o);
    assert_false(o.timestamps);
    rig_end(r);
}

/* RFC 7323 4.3 (2): only from a segment that begins at or before Last.ACK.sent. RFC7323-4.3-1. */
static void test_update(void **state)
{
    (void)state;
    const uint32_t starts[] = {1000, 0, 0xffffffff, 0x80000000};
    const struct {
        int32_t seq;
        bool taken;
    } rows[] = {{-100, true}, {-1, true}, {0, true}, {1, false}, {100, false}};

    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        for (size_t i = 0; i < SW_COUNT(rows); i++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = open_timed(r, starts[s], 7);
            tcp_seq seq = tcp_seq_of(starts[s] + (uint32_t)rows[i].seq);
            struct tcp_segment seg = rig_segment(r, c, starts[s], TCP_ACK);
            seg.options.timestamps = true;
            seg.options.ts_value = 8;
            c->receive.last_ack_sent = tcp_seq_of(starts[s]);
            sw_tcp_timestamp_update(&r->tcp, c, &seg, seq);
            assert_int_equal(c->receive.ts_recent, rows[i].taken ? 8 : 7);
            rig_end(r);
        }
    }
}

/* RFC7323-5.2-1. */
static void test_no_update_from_a_reset(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = open_timed(r, 1000, 7);
    struct tcp_segment seg = rig_segment(r, c, 1000, TCP_RST);

    seg.options.timestamps = true;
    seg.options.ts_value = 0x70000000;
    sw_tcp_timestamp_update(&r->tcp, c, &seg, seg.seq);
    assert_int_equal(c->receive.ts_recent, 7);
    rig_end(r);
}

/*
 * Our clock ticks by the millisecond from an offset of the connection's own, and wraps.
 * RFC7323-5.4-1.
 */
static void test_our_clock(void **state)
{
    (void)state;
    const struct {
        sanwo_time now;
        uint32_t offset, value;
    } rows[] = {
        {0, 0, 0},
        {SANWO_MSEC(1) - 1, 0, 0},
        {SANWO_MSEC(1), 0, 1},
        {SANWO_SEC(1), 0xffffffff, 999},
        {SANWO_MSEC(1) * INT64_C(0x100000000), 5, 5},
        {SANWO_MSEC(1) * INT64_C(0xffffffff), 0, 0xffffffff},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = open_timed(r, 1, 77);
        struct wire_tcp_options o;
        c->ts_offset = rows[i].offset;
        r->tcp.now = rows[i].now;
        sw_wire_tcp_options_none(&o);
        sw_tcp_timestamp_option(&r->tcp, c, &o);
        assert_true(o.timestamps);
        assert_int_equal(o.ts_value, rows[i].value);
        assert_int_equal(o.ts_echo, 77);
        rig_end(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signed_comparison),      cmocka_unit_test(test_paws),
        cmocka_unit_test(test_not_negotiated),         cmocka_unit_test(test_update),
        cmocka_unit_test(test_no_update_from_a_reset), cmocka_unit_test(test_our_clock),
        cmocka_unit_test(test_paws_tolerance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
