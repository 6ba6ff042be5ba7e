/*
 * test_tcp_info.c - STATUS (RFC 9293 3.10.6): every number that a connection tells.
 */
#include "test_tcp_support.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sending),
        cmocka_unit_test(test_receiving),
        cmocka_unit_test(test_fin_is_no_byte),
        cmocka_unit_test(test_soft_error_and_negotiated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
