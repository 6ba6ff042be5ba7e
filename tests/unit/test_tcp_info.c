/*
 * test_tcp_info.c - STATUS (RFC 9293 3.10.6): every number that a connection tells.
 */
#include "test_tcp_support.h"

#include "tcp/connection/limited.h"
#include "tcp/connection/meter.h"

static struct rig_frame frame;

static void test_sending(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xfffffe00, 77);
    struct sanwo_tcp_info i;

    rig_send(r, c, 5000);
    c->cc.cwnd = 3000;
    while (rig_output(r, c, &frame))
        ;
    r->tcp.now += SANWO_MSEC(80);
    rig_ack(r, c, 0xfffffe00 + 1000u, 20000);
    sw_tcp_info(&r->tcp, c, &i);
    assert_int_equal(i.state, SANWO_TCP_ESTABLISHED);
    assert_int_equal(i.iss, 0xfffffdff);
    assert_int_equal(i.snd_una, 0xfffffe00 + 1000u);
    assert_int_equal(i.snd_nxt, 0xfffffe00 + 3000u);
    assert_int_equal(i.snd_wnd, 20000);
    assert_int_equal(i.snd_max_wnd, 1 << 20);
    assert_int_equal(i.send_mss, RIG_MSS);
    assert_int_equal(i.in_flight, 2000);
    assert_int_equal(i.send_queued, 4000);
    assert_int_equal(i.send_unsent, 2000);
    assert_int_equal(i.bytes_acked, 1000);
    assert_int_equal(i.bytes_sent, 3000);
    assert_int_equal(i.srtt, SANWO_MSEC(80));
    assert_int_equal(i.min_rtt, SANWO_MSEC(80));
    assert_int_equal(i.rttvar, SANWO_MSEC(40));
    assert_int_equal(i.rto, SANWO_MSEC(240));
    assert_int_equal(i.segments_out, 3);
    assert_int_equal(i.limited_by, SANWO_REASON_CONGESTION_WINDOW);
    assert_int_equal(i.send_scale, -1);
    assert_int_equal(i.receive_scale, -1);
    assert_int_equal(i.local.port, 80);
    assert_int_equal(i.remote.port, 10000);
    rig_end(r);
}

static void test_receiving(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 0xffffff00);
    struct sanwo_tcp_info i;
    struct sanwo_slice slice;
    uint8_t bytes[600] = {0};
    struct tcp_segment seg = rig_segment(r, c, 0xffffff00, TCP_ACK);

    rig_payload(&seg, &slice, bytes, 300);
    sw_tcp_deliver(&r->tcp, c, &seg);
    seg = rig_segment(r, c, 0xffffff00 + 500u, TCP_ACK);
    rig_payload(&seg, &slice, bytes, 40);
    sw_tcp_deliver(&r->tcp, c, &seg);
    seg = rig_segment(r, c, 0xffffff00, TCP_ACK);
    rig_payload(&seg, &slice, bytes, 300);
    sw_tcp_deliver(&r->tcp, c, &seg); /* again */
    sw_tcp_info(&r->tcp, c, &i);
    assert_int_equal(i.irs, 0xfffffeff);
    assert_int_equal(i.rcv_nxt, 0xffffff00 + 300u);
    assert_int_equal(i.receive_queued, 300);
    assert_int_equal(i.receive_out_of_order, 40);
    assert_int_equal(i.bytes_received, 300);
    assert_int_equal(i.segments_in, 3);
    assert_int_equal(i.out_of_order_segments, 1);
    assert_int_equal(i.duplicate_segments, 1);
    assert_int_equal(i.rcv_wnd, UINT16_MAX - 300);
    assert_int_equal(i.receive_mss, 1460);
    rig_end(r);
}

/* Our FIN is no byte: not while it waits, not when it is out, not when it is acknowledged. */
static void test_fin_is_no_byte(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xffffffff, 1);
    struct sanwo_tcp_info i;

    rig_send(r, c, 10);
    sw_tcp_shutdown(&r->tcp, c);
    sw_tcp_info(&r->tcp, c, &i);
    assert_int_equal(i.shutdown, 1);
    assert_int_equal(i.send_queued, 10);
    assert_int_equal(i.send_unsent, 10);
    assert_true(rig_output(r, c, &frame));
    sw_tcp_info(&r->tcp, c, &i);
    assert_int_equal(i.send_queued, 10);
    assert_int_equal(i.send_unsent, 0);
    assert_int_equal(i.bytes_sent, 10);
    rig_ack(r, c, 0xffffffff + 11u, 1000);
    sw_tcp_info(&r->tcp, c, &i);
    assert_int_equal(i.state, SANWO_TCP_FIN_WAIT_2);
    assert_int_equal(i.send_queued, 0);
    assert_int_equal(i.bytes_sent, 10);
    assert_int_equal(i.bytes_acked, 10);
    rig_end(r);
}

/* A soft error is told once. */
static void test_soft_error_and_negotiated(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);
    struct sanwo_tcp_info i;

    c->soft_error = SANWO_EHOSTUNREACH;
    c->error = SANWO_ECONNRESET;
    c->window_scaling = c->timestamps = c->sack = 1;
    c->send.scale = 0;
    c->receive.scale = 14;
    c->references_released = 7;
    sw_tcp_info(&r->tcp, c, &i);
    assert_int_equal(i.soft_error, SANWO_EHOSTUNREACH);
    assert_int_equal(i.error, SANWO_ECONNRESET);
    assert_true(i.timestamps && i.sack);
    assert_int_equal(i.send_scale, 0);
    assert_int_equal(i.receive_scale, 14);
    assert_int_equal(i.references_released, 7);
    sw_tcp_info(&r->tcp, c, &i);
    assert_int_equal(i.soft_error, 0);
    assert_int_equal(i.error, SANWO_ECONNRESET);
    rig_end(r);
}

/* ---- why it is not sending, and for how long ------------------------------------------------ */

/* All there is to send now goes out; the connection leaves the ready list. */
static void send_all(struct rig *r, struct tcp_connection *c)
{
    while (rig_output(r, c, &frame))
        ;
    sw_tcp_output_done(&r->tcp, c);
}

static void wait(struct rig *r, sanwo_time time)
{
    r->tcp.now += time;
}

/* One reason after the other, each for so long; the sum is all of the time. */
static void test_limits(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xfffffe00, 1);
    struct sanwo_tcp_info i;

    c->cc.cwnd = 3000;
    sw_tcp_meter_need(&r->tcp, c);
    wait(r, SANWO_MSEC(5)); /* nothing to send */
    rig_send(r, c, 10000);
    send_all(r, c);
    sw_tcp_info(&r->tcp, c, &i);
    assert_int_equal(i.limit, SANWO_LIMIT_CWND);
    wait(r, SANWO_MSEC(30));
    c->cc.cwnd = 1 << 20;
    rig_ack(r, c, 0xfffffe00 + 3000u, 4000); /* 4000 more, by the peer's window */
    send_all(r, c);
    sw_tcp_info(&r->tcp, c, &i);
    assert_int_equal(i.limit, SANWO_LIMIT_RECEIVE_WINDOW);
    wait(r, SANWO_MSEC(70));
    rig_ack(r, c, 0xfffffe00 + 7000u, 60000);
    send_all(r, c);
    c->want_write = 1; /* all is sent, and the user was refused */
    sw_tcp_limited_update(&r->tcp, c);
    wait(r, SANWO_MSEC(110));
    sw_tcp_info(&r->tcp, c, &i);
    assert_int_equal(i.limit, SANWO_LIMIT_SEND_BUFFER);
    rig_ack(r, c, 0xfffffe00 + 10000u, 60000); /* there is room: it is the user's turn */
    send_all(r, c);
    wait(r, SANWO_MSEC(13));
    sw_tcp_info(&r->tcp, c, &i);
    assert_int_equal(i.limit, SANWO_LIMIT_APPLICATION);
    assert_int_equal(i.limited_time[SANWO_LIMIT_APPLICATION], SANWO_MSEC(5 + 13));
    assert_int_equal(i.limited_time[SANWO_LIMIT_CWND], SANWO_MSEC(30));
    assert_int_equal(i.limited_time[SANWO_LIMIT_RECEIVE_WINDOW], SANWO_MSEC(70));
    assert_int_equal(i.limited_time[SANWO_LIMIT_SEND_BUFFER], SANWO_MSEC(110));
    assert_int_equal(i.busy_time, SANWO_MSEC(30 + 70 + 110));
    sanwo_time sum = 0;
    for (int n = 0; n < SANWO_LIMIT_COUNT; n++)
        sum += i.limited_time[n];
    assert_int_equal(sum, r->tcp.now - RIG_START);
    rig_end(r);
}

/* The same stop has another name while the network is repaired, and while the connection opens. */
static void test_names_of_limits(void **state)
{
    (void)state;
    const struct {
        enum sanwo_tcp_state state;
        uint32_t unsent;
        uint16_t limited_by;
        bool recovery, timeout, no_way, want_write;
        enum sanwo_tcp_limit limit;
    } rows[] = {
        {SANWO_TCP_ESTABLISHED, 9, SANWO_REASON_CONGESTION_WINDOW, 0, 0, 0, 1, SANWO_LIMIT_CWND},
        {SANWO_TCP_ESTABLISHED, 9, SANWO_REASON_CONGESTION_WINDOW, 1, 0, 0, 0,
         SANWO_LIMIT_RECOVERY},
        {SANWO_TCP_CLOSE_WAIT, 0, SANWO_REASON_CONGESTION_WINDOW, 0, 1, 0, 0, SANWO_LIMIT_RECOVERY},
        {SANWO_TCP_ESTABLISHED, 9, SANWO_REASON_ZERO_WINDOW, 1, 0, 0, 0,
         SANWO_LIMIT_RECEIVE_WINDOW},
        {SANWO_TCP_ESTABLISHED, 9, SANWO_REASON_SILLY_WINDOW, 0, 0, 0, 0,
         SANWO_LIMIT_RECEIVE_WINDOW},
        {SANWO_TCP_ESTABLISHED, 9, SANWO_REASON_NAGLE, 0, 0, 0, 0, SANWO_LIMIT_APPLICATION},
        {SANWO_TCP_ESTABLISHED, 9, SANWO_REASON_PACED, 0, 0, 0, 0, SANWO_LIMIT_PACING},
        {SANWO_TCP_ESTABLISHED, 9, SANWO_REASON_NONE, 0, 0, 0, 0, SANWO_LIMIT_LINK},
        {SANWO_TCP_ESTABLISHED, 9, SANWO_REASON_CONGESTION_WINDOW, 0, 0, 1, 0, SANWO_LIMIT_LINK},
        {SANWO_TCP_ESTABLISHED, 0, SANWO_REASON_CONGESTION_WINDOW, 0, 0, 0, 0,
         SANWO_LIMIT_APPLICATION}, /* of a time when there was more */
        {SANWO_TCP_ESTABLISHED, 0, SANWO_REASON_ZERO_WINDOW, 0, 0, 0, 1, SANWO_LIMIT_SEND_BUFFER},
        {SANWO_TCP_SYN_SENT, 9, SANWO_REASON_NONE, 0, 0, 0, 0, SANWO_LIMIT_HANDSHAKE},
        {SANWO_TCP_SYN_SENT, 0, SANWO_REASON_NONE, 0, 0, 0, 0, SANWO_LIMIT_APPLICATION},
        {SANWO_TCP_CLOSED, 9, SANWO_REASON_ZERO_WINDOW, 0, 0, 0, 1, SANWO_LIMIT_APPLICATION},
    };
    for (size_t n = 0; n < SW_COUNT(rows); n++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 1, 1);
        if (rows[n].unsent)
            rig_send(r, c, rows[n].unsent);
        c->state = (uint8_t)rows[n].state;
        c->limited_by = rows[n].limited_by;
        c->in_recovery = rows[n].recovery;
        c->in_timeout = rows[n].timeout;
        c->no_way = rows[n].no_way;
        c->want_write = rows[n].want_write;
        if (sw_tcp_limited_by(c) != rows[n].limit)
            fail_msg("row %zu: %d", n, sw_tcp_limited_by(c));
        rig_end(r);
    }
}

/* What was sent, again or not, and what came: counted as segments of the wire. */
static void test_counts(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xffffff00, 1);
    const struct tcp_path path = {.mtu = 1500, .super_segment = 60000};
    struct sanwo_tcp_info i;

    rig_send(r, c, 5500);
    assert_true(rig_output_by(r, c, &path, &frame)); /* one frame, six segments */
    wait(r, SANWO_MSEC(10));
    sw_tcp_meter_timed_out(&r->tcp, c);
    wait(r, SANWO_MSEC(400));
    sw_tcp_meter_timed_out(&r->tcp, c); /* twice in a row: one recovery */
    sw_tcp_meter_data_out(&r->tcp, c, &(struct tcp_measured_data){1000, 1, true, true});
    wait(r, SANWO_MSEC(800));
    rig_ack(r, c, 0xffffff00 + 5500u, 60000);
    wait(r, SANWO_MSEC(3));
    sw_tcp_info(&r->tcp, c, &i);
    assert_int_equal(i.data_segments_out, 7);
    assert_int_equal(i.bytes_retransmitted, 1000);
    assert_int_equal(i.tail_probes, 1);
    assert_int_equal(i.timeouts, 2);
    assert_int_equal(i.timeout_recoveries, 1);
    assert_int_equal(i.timeout_time, SANWO_MSEC(1200));
    assert_int_equal(i.last_data_sent, RIG_START + SANWO_MSEC(410));
    assert_int_equal(i.last_ack_received, RIG_START + SANWO_MSEC(1210));
    assert_int_equal(i.last_data_received, 0);
    assert_int_equal(i.data_segments_in, 0);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sending),        cmocka_unit_test(test_receiving),
        cmocka_unit_test(test_fin_is_no_byte), cmocka_unit_test(test_soft_error_and_negotiated),
        cmocka_unit_test(test_limits),         cmocka_unit_test(test_names_of_limits),
        cmocka_unit_test(test_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
