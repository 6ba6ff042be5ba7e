/*
 * test_tcp_plan.c - What is sent now, and if nothing, why: Nagle, silly windows, cwnd, FIN, probes.
 */
#include "test_tcp_support.h"

#define MSS RIG_MSS
#define LIMIT (64 * MSS)

static struct rig_frame frame;

static const uint32_t starts[] = {1000, 0xffffffff, 0xfffffc00, 0x7fffff00};

/* @flight bytes are out (in full segments and a small one), @unsent wait. */
static struct tcp_connection *sender(struct rig *r, uint32_t snd, uint32_t flight, uint32_t unsent)
{
    struct tcp_connection *c = rig_open(r, snd, 1);

    c->snd_sml = tcp_seq_of(snd - 1);
    rig_send(r, c, flight + unsent);
    while (flight) {
        uint32_t part = flight < MSS ? flight : MSS;
        struct tcp_plan plan = {
            .seq = c->send.snd_nxt, .length = part, .flags = TCP_ACK, .ends_small = part < MSS};
        sw_tcp_plan_sent(&r->tcp, c, &plan);
        flight -= part;
    }
    rig_check_records(r, c);
    return c;
}

static void test_new_data(void **state)
{
    (void)state;
    const struct {
        uint32_t flight, unsent, window, cwnd;
        bool nagle, more, fin;
        uint32_t length; /* 0 and no FIN: nothing is sent, because of `why` */
        uint8_t flags;
        enum sanwo_reason why;
    } rows[] = {
        {0, 0, 50000, 50000, true, false, false, 0, 0, SANWO_REASON_NONE},
        {0, 1, 50000, 50000, true, false, false, 1, TCP_ACK | TCP_PSH, 0},
        {0, 1000, 50000, 50000, true, false, false, 1000, TCP_ACK | TCP_PSH, 0},
        {0, 1001, 50000, 50000, true, false, false, 1001, TCP_ACK | TCP_PSH, 0},
        {0, 5500, 50000, 50000, true, false, false, 5500, TCP_ACK | TCP_PSH, 0},
        {0, 90000, 50000, 50000, true, false, false, 50000, TCP_ACK, 0},
        {0, 90000, 90000, 90000, true, false, false, 64000, TCP_ACK, 0}, /* the frame's limit */
        /* Nagle (3.7.4, A.3): a small one waits for a small one, not for full ones */
        {1000, 10, 50000, 50000, true, false, false, 10, TCP_ACK | TCP_PSH, 0},
        {1010, 10, 50000, 50000, true, false, false, 0, 0, SANWO_REASON_NAGLE},
        {1010, 1000, 50000, 50000, true, false, false, 1000, TCP_ACK | TCP_PSH, 0},
        {1010, 10, 50000, 50000, false, false, false, 10, TCP_ACK | TCP_PSH, 0}, /* MUST-17 */
        {1010, 10, 50000, 50000, true, false, true, 10, TCP_ACK | TCP_PSH | TCP_FIN, 0},
        {0, 10, 50000, 50000, true, true, false, 0, 0, SANWO_REASON_NAGLE}, /* MORE */
        {0, 1000, 50000, 50000, true, true, false, 1000, TCP_ACK | TCP_PSH, 0},
        /* the peer's window, and silly ones (3.8.6.2.1) */
        {0, 5000, 0, 50000, true, false, false, 0, 0, SANWO_REASON_ZERO_WINDOW},
        {3000, 5000, 3000, 50000, true, false, false, 0, 0, SANWO_REASON_ZERO_WINDOW},
        {3000, 5000, 2000, 50000, true, false, false, 0, 0, SANWO_REASON_ZERO_WINDOW}, /* MUST-34 */
        {3000, 5000, 4000, 50000, true, false, false, 1000, TCP_ACK, 0},
        {3000, 5000, 3999, 50000, true, false, false, 0, 0, SANWO_REASON_SILLY_WINDOW},
        {0, 5000, 500, 50000, true, false, false, 0, 0, SANWO_REASON_SILLY_WINDOW},
        {0, 500, 500, 50000, true, false, false, 500, TCP_ACK | TCP_PSH, 0},
        {0, 5000, 2500, 50000, true, false, false, 2000, TCP_ACK, 0}, /* whole segments */
        /* the congestion window */
        {5000, 5000, 50000, 5000, true, false, false, 0, 0, SANWO_REASON_CONGESTION_WINDOW},
        {5000, 5000, 50000, 5999, true, false, false, 0, 0, SANWO_REASON_CONGESTION_WINDOW},
        {5000, 5000, 50000, 6000, true, false, false, 1000, TCP_ACK, 0},
        {5000, 5000, 50000, 8999, true, false, false, 3000, TCP_ACK, 0},
        {0, 5000, 50000, 500, true, false, false, 1000, TCP_ACK, 0}, /* one always may go */
        /* FIN: behind the last byte, in the same segment where that fits */
        {0, 0, 50000, 50000, true, false, true, 0, TCP_ACK | TCP_FIN, 0},
        {2000, 0, 50000, 50000, true, false, true, 0, TCP_ACK | TCP_FIN, 0},
        {0, 500, 500, 50000, true, false, true, 500, TCP_ACK | TCP_PSH, 0}, /* no room for it */
        {0, 500, 501, 50000, true, false, true, 500, TCP_ACK | TCP_PSH | TCP_FIN, 0},
        {0, 90000, 90000, 90000, true, false, true, 64000, TCP_ACK, 0},
        {0, 0, 0, 50000, true, false, true, 0, 0, SANWO_REASON_ZERO_WINDOW},
    };
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        for (size_t i = 0; i < SW_COUNT(rows); i++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = sender(r, starts[s], rows[i].flight, rows[i].unsent);
            struct tcp_plan plan = {.length = 0};
            r->tcp.config.nagle = rows[i].nagle;
            c->send.snd_wnd = rows[i].window;
            c->cc.cwnd = rows[i].cwnd;
            c->more = rows[i].more;
            c->fin_queued = rows[i].fin;
            bool sends = sw_tcp_plan_new_data(&r->tcp, c, MSS, LIMIT, &plan);
            if (sends != (rows[i].flags != 0))
                fail_msg("row %zu: %s", i, sends ? "sends" : sanwo_reason_name(c->limited_by));
            if (!sends) {
                if (c->limited_by != rows[i].why)
                    fail_msg("row %zu: held by %s", i, sanwo_reason_name(c->limited_by));
            } else {
                assert_int_equal(plan.seq.raw, c->send.snd_nxt.raw);
                if (plan.length != rows[i].length || plan.flags != rows[i].flags)
                    fail_msg("row %zu: %u bytes, flags %02x", i, plan.length, plan.flags);
                assert_int_equal(plan.segment_size, plan.length > MSS ? MSS : 0);
            }
            rig_end(r);
        }
    }
}

/* What is held back by a window starts the timer that ends the wait (3.8.6.1, 3.8.6.2.1). */
static void test_waiting_is_timed(void **state)
{
    (void)state;
    const struct {
        uint32_t flight, unsent, window;
        bool timed;
    } rows[] = {{0, 5000, 0, true}, {0, 5000, 500, true}, {0, 5000, 5000, false}};

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = sender(r, 0xfffffff0, rows[i].flight, rows[i].unsent);
        struct tcp_plan plan;
        c->send.snd_wnd = rows[i].window;
        sw_tcp_plan_new_data(&r->tcp, c, MSS, LIMIT, &plan);
        assert_int_equal(c->deadline.retransmit != SANWO_TIME_NEVER, rows[i].timed);
        rig_end(r);
    }
}

/* Retransmissions: the oldest lost first, whole segments, never beyond the window (SHLD-16). */
static void test_retransmission(void **state)
{
    (void)state;
    const struct {
        uint32_t first, records; /* which records of 10 are lost */
        uint32_t window, cwnd, in_flight;
        uint32_t length; /* 0: held */
    } rows[] = {
        {0, 1, 50000, 50000, 0, 1000}, {3, 1, 50000, 50000, 0, 1000}, {0, 10, 50000, 1000, 0, 1000},
        {0, 1, 0, 50000, 0, 0},        {5, 1, 5000, 50000, 0, 0},     {5, 1, 5400, 50000, 0, 400},
        {5, 1, 6000, 50000, 0, 1000},  {0, 1, 50000, 9000, 0, 0}, /* nine are in flight */
        {0, 1, 50000, 10000, 0, 1000},
    };
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        for (size_t i = 0; i < SW_COUNT(rows); i++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = sender(r, starts[s], 10 * MSS, 0);
            struct tcp_plan plan = {.length = 0};
            c->send.snd_wnd = rows[i].window;
            c->cc.cwnd = rows[i].cwnd;
            for (uint32_t n = 0; n < rows[i].records; n++)
                rig_set_flags(r, c, rows[i].first + n, RECORD_LOST);
            bool sends = sw_tcp_plan_retransmission(&r->tcp, c, MSS, LIMIT, &plan);
            if (sends != (rows[i].length != 0))
                fail_msg("row %zu", i);
            if (sends) {
                assert_int_equal(plan.seq.raw, starts[s] + rows[i].first * MSS);
                assert_int_equal(plan.length, rows[i].length);
                uint32_t lost = c->send.lost;
                sw_tcp_plan_sent(&r->tcp, c, &plan);
                assert_int_equal(c->send.lost, lost - plan.length);
                assert_int_equal(c->retransmitted, 1);
            }
            rig_check_records(r, c);
            rig_end(r);
        }
    }
}

/* A lost FIN goes again with the data before it, and alone where it was alone. */
static void test_fin_again(void **state)
{
    (void)state;
    for (uint32_t data = 0; data <= 400; data += 400) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 0xffffff00, 1);
        rig_send(r, c, data);
        sw_tcp_shutdown(&r->tcp, c);
        assert_true(rig_output(r, c, &frame));
        assert_int_equal(frame.payload, data);
        assert_true(frame.h.flags & TCP_FIN);
        assert_int_equal(c->send.snd_nxt.raw, 0xffffff00 + data + 1);
        assert_false(rig_output(r, c, &frame));
        sw_tcp_retransmit_expired(&r->tcp, c);
        assert_int_equal(c->send.lost, data + 1);
        assert_true(rig_output(r, c, &frame));
        assert_int_equal(frame.payload, data);
        assert_int_equal(frame.h.seq.raw, 0xffffff00);
        assert_true(frame.h.flags & TCP_FIN);
        assert_int_equal(c->send.snd_nxt.raw, 0xffffff00 + data + 1);
        rig_check_records(r, c);
        rig_end(r);
    }
}

/* 3.8.6.1: one byte, or the FIN, whatever the window says. */
static void test_probe(void **state)
{
    (void)state;
    const struct {
        uint32_t flight, unsent;
        bool fin;
        uint32_t length;
        uint8_t flags; /* 0: nothing to probe with */
    } rows[] = {
        {0, 0, false, 0, 0},
        {0, 10, false, 1, TCP_ACK | TCP_PSH},
        {0, 10, true, 1, TCP_ACK | TCP_PSH},
        {10, 0, false, 1, TCP_ACK | TCP_PSH},
        {10, 10, true, 1, TCP_ACK | TCP_PSH},
        {0, 0, true, 0, TCP_ACK | TCP_FIN},
    };
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        for (size_t i = 0; i < SW_COUNT(rows); i++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = sender(r, starts[s], rows[i].flight, rows[i].unsent);
            struct tcp_plan plan = {.length = 0};
            c->send.snd_wnd = 0;
            c->fin_queued = rows[i].fin;
            assert_int_equal(sw_tcp_plan_probe(&r->tcp, c, &plan), rows[i].flags != 0);
            if (rows[i].flags) {
                assert_int_equal(plan.seq.raw, starts[s]);
                assert_int_equal(plan.length, rows[i].length);
                assert_int_equal(plan.flags, rows[i].flags);
                sw_tcp_plan_sent(&r->tcp, c, &plan);
                rig_check_records(r, c);
                assert_int_equal(c->send.snd_nxt.raw,
                                 starts[s] + (rows[i].flight ? rows[i].flight : 1));
            }
            rig_end(r);
        }
    }
}

/* Whichever allocation of an output fails, the stream that goes out is the one that was queued. */
static void test_output_survives_a_failed_allocation(void **state)
{
    (void)state;
    static uint8_t user[8000];

    rig_fill(user, 0, sizeof user);
    for (uint64_t nth = 1; nth < 6; nth++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 0xfffffff8, 1);
        uint32_t got = 0;
        for (uint32_t i = 0; i < 20; i++) /* frames span three of the user's pieces */
            assert_true(sw_tcp_send_queue_append_external(&r->tcp, c, user + i * 400, 400));
        for (int turn = 0; turn < 40 && got < sizeof user; turn++) {
            r->region.fault_countdown = turn & 1 ? 0 : nth;
            while (rig_output(r, c, &frame)) {
                assert_int_equal(frame.h.seq.raw, 0xfffffff8 + got);
                assert_int_not_equal(frame.payload, 0);
                rig_check(frame.bytes + frame.h.header_length, got, frame.payload);
                got += frame.payload;
            }
            rig_check_records(r, c);
        }
        assert_int_equal(got, sizeof user);
        rig_end(r);
    }
}

/*
 * Random traffic: bounded by window and cwnd at every step, gapless, and complete in the end.
 * RFC5681-3.1-1.
 */
static void test_random(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct dice d = dice_of(__func__);
    const uint32_t start = 0xffff8000, total = 200000;
    struct tcp_connection *c = rig_open(r, start, 1);
    const struct tcp_path path = {.mtu = 1500, .super_segment = 20000};
    uint32_t queued = 0, highest = 0;

    r->tcp.config.nagle = false;
    while (c->send.snd_una.raw != start + total) {
        uint32_t n = 1 + roll(&d, 4000);
        n = n < total - queued ? n : total - queued;
        if (n && roll(&d, 2)) {
            rig_send(r, c, n);
            queued += n;
        }
        uint32_t before = c->send.in_flight;
        if (rig_output_by(r, c, &path, &frame) && frame.payload) {
            uint32_t at = frame.h.seq.raw - start, end = at + frame.payload;
            rig_check(frame.bytes + frame.h.header_length, at, frame.payload);
            assert_true(at <= highest); /* no gap */
            highest = end > highest ? end : highest;
            assert_true(before == 0 || c->send.in_flight <= c->cc.cwnd + MSS);
        }
        rig_check_records(r, c);
        uint32_t flight = tcp_seq_distance(c->send.snd_una, c->send.snd_nxt);
        if (flight && roll(&d, 3) == 0)
            rig_ack(r, c, c->send.snd_una.raw + roll(&d, flight + 1), 3000 + roll(&d, 30000));
        if (flight && roll(&d, 40) == 0) {
            c->send.retransmissions = 0;
            sw_tcp_retransmit_expired(&r->tcp, c);
        }
        r->tcp.now += SANWO_USEC(100);
    }
    assert_int_equal(highest, total);
    rig_end(r);
}

/* What carries no data is numbered inside a window that shrank, or the peer finds it unacceptable. */
static void test_number_of_a_bare_ack(void **state)
{
    (void)state;
    static const struct {
        uint32_t used, window, ahead;
    } rows[] = {{0, 0, 0},       {0, 100, 0},     {100, 100, 100},
                {100, 101, 100}, {101, 100, 100}, {5, 0, 0}};

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 0xffffffd0, 1);
        c->send.snd_nxt = tcp_seq_add(c->send.snd_una, rows[i].used);
        c->send.snd_wnd = rows[i].window;
        tcp_seq seq = sw_tcp_bare_seq(c);
        assert_int_equal(tcp_seq_distance(c->send.snd_una, seq), rows[i].ahead);
        rig_end(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_data),
        cmocka_unit_test(test_waiting_is_timed),
        cmocka_unit_test(test_retransmission),
        cmocka_unit_test(test_fin_again),
        cmocka_unit_test(test_probe),
        cmocka_unit_test(test_output_survives_a_failed_allocation),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_number_of_a_bare_ack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
