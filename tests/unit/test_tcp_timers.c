/*
 * test_tcp_timers.c - Six deadlines on one wheel node, armed lazily and yet exact.
 */
#include "test_tcp_support.h"

#define TICK 1024 /* ns: how much later a node may fire */

static struct rig_frame frame;

/* Runs the clock to @until, stopping where the engine asks to be called. */
static void run(struct rig *r, sanwo_time until)
{
    for (;;) {
        sanwo_time next = sw_tcp_deadline(&r->tcp);
        if (next > until)
            break;
        r->tcp.now = next > r->tcp.now ? next : r->tcp.now;
        sw_tcp_run_timers(&r->tcp, r->tcp.now);
    }
    r->tcp.now = until;
    sw_tcp_run_timers(&r->tcp, until);
}

/* The retransmission timer moves later with each ACK; it fires one RTO after the last one. */
static void test_lazy_and_exact(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xfffff000, 1);

    rig_watch(r);
    c->send.srtt = SANWO_MSEC(100);
    c->send.rttvar = SANWO_MSEC(50);
    sw_tcp_records_push(&r->tcp, c, 1000);
    c->send.snd_nxt = c->send.snd_end = tcp_seq_add(c->send.snd_nxt, 1000);
    sw_tcp_timers_sent(&r->tcp, c);
    sanwo_time armed = sw_wheel_node_time(&c->timer);
    sanwo_time last = 0;
    for (int i = 0; i < 100; i++) {
        run(r, r->tcp.now + SANWO_MSEC(50));
        sw_tcp_timers_acked(&r->tcp, c);
        last = r->tcp.now;
        assert_true(sw_wheel_is_armed(&c->timer));
        assert_true(sw_wheel_node_time(&c->timer) <= c->deadline.retransmit + TICK);
    }
    assert_true(sw_wheel_node_time(&c->timer) > armed);
    assert_int_equal(rig_count(r, SANWO_OBSERVE_TIMER, SANWO_REASON_RETRANSMIT_TIMEOUT), 0);
    run(r, last + SANWO_MSEC(300) - 1);
    assert_int_equal(c->send.retransmissions, 0);
    run(r, last + SANWO_MSEC(300) + TICK);
    assert_int_equal(c->send.retransmissions, 1);
    rig_end(r);
}

/* Many connections, deadlines set, moved and stopped at random: none fires early or late. */
static void test_random_against_model(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct dice d = dice_of(__func__);
    struct tcp_connection *c[50];
    sanwo_time due[50];

    for (unsigned i = 0; i < 50; i++) {
        struct tcp_tuple tuple = rig_tuple(i);
        c[i] = rig_connection(r, &tuple, SANWO_TCP_ESTABLISHED, 1, 1);
        due[i] = SANWO_TIME_NEVER;
    }
    for (int step = 0; step < 5000; step++) {
        unsigned i = roll(&d, 50);
        sanwo_time in = SANWO_USEC(1 + roll(&d, 3000000));
        if (roll(&d, 8) == 0) {
            sw_tcp_timers_ack_sent(c[i]);
            due[i] = SANWO_TIME_NEVER;
        } else if (roll(&d, 2)) {
            sw_tcp_timers_delay_ack(&r->tcp, c[i], in);
            due[i] = due[i] == SANWO_TIME_NEVER ? r->tcp.now + in : due[i];
        } else { /* something else to wake up for */
            sw_tcp_timers_window_closed(&r->tcp, c[i]);
            c[i]->deadline.retransmit = SANWO_TIME_NEVER;
        }
        run(r, r->tcp.now + SANWO_USEC(roll(&d, 100000)));
        for (unsigned n = 0; n < 50; n++) {
            bool over = due[n] <= r->tcp.now - TICK;
            if (due[n] > r->tcp.now)
                assert_int_equal(c[n]->ack_now, 0);
            if (over)
                assert_int_equal(c[n]->ack_now, 1);
            if (c[n]->ack_now) {
                c[n]->ack_now = 0;
                due[n] = SANWO_TIME_NEVER;
            }
        }
    }
    rig_end(r);
}

/* RFC 6298 5.1 to 5.6. RFC6298-5-1. */
static void test_retransmit_rules(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);
    sanwo_time rto = sw_tcp_rto(&r->tcp, c), first = r->tcp.now;

    assert_int_equal(c->deadline.retransmit, SANWO_TIME_NEVER);
    sw_tcp_timers_sent(&r->tcp, c);
    r->tcp.now += SANWO_MSEC(10);
    sw_tcp_timers_sent(&r->tcp, c); /* runs already */
    assert_int_equal(c->deadline.retransmit, first + rto);
    sw_tcp_timers_acked(&r->tcp, c);
    assert_int_equal(c->deadline.retransmit, first + SANWO_MSEC(10) + rto);
    c->backoff = 3;
    sw_tcp_timers_backed_off(&r->tcp, c);
    assert_int_equal(c->deadline.retransmit, r->tcp.now + 8 * rto);
    sw_tcp_timers_all_acked(&r->tcp, c);
    assert_int_equal(c->deadline.retransmit, SANWO_TIME_NEVER);
    rig_end(r);
}

static void test_keepalive(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 5000, 1);
    struct tcp_segment seg;

    r->tcp.config.keepalive = true;
    r->tcp.config.keepalive_idle = SANWO_SEC(100);
    r->tcp.config.keepalive_interval = SANWO_SEC(10);
    r->tcp.config.keepalive_probes = 3;
    sw_tcp_timers_established(&r->tcp, c);
    run(r, RIG_START + SANWO_SEC(99));
    sw_tcp_timers_segment_arrived(&r->tcp, c); /* the peer lives: anew */
    run(r, RIG_START + SANWO_SEC(198));
    assert_int_equal(c->keepalive_now, 0);
    run(r, RIG_START + SANWO_SEC(200));
    assert_int_equal(c->keepalive_now, 1);
    assert_true(rig_output(r, c, &frame));
    assert_int_equal(frame.h.seq.raw, 4999); /* SND.NXT - 1 (3.8.4), no data (SHLD-12) */
    assert_int_equal(frame.payload, 0);
    run(r, RIG_START + SANWO_SEC(210));
    assert_int_equal(c->keepalive_probes, 2);
    seg = rig_segment(r, c, 1, TCP_ACK);
    sw_tcp_deliver(&r->tcp, c, &seg); /* an answer */
    assert_int_equal(c->keepalive_probes, 0);
    run(r, RIG_START + SANWO_SEC(210 + 100 + 29));
    assert_int_equal(c->state, SANWO_TCP_ESTABLISHED); /* MUST-29: not after one or two */
    run(r, RIG_START + SANWO_SEC(210 + 100 + 31));
    assert_int_equal(c->state, SANWO_TCP_CLOSED);
    assert_int_equal(c->error, SANWO_ETIMEDOUT);
    assert_int_equal(c->reason, SANWO_REASON_KEEPALIVE_TIMEOUT);
    rig_end(r);
}

static void test_user_timeout(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xffffffff, 1);

    r->tcp.config.user_timeout = SANWO_SEC(20);
    rig_send(r, c, 10);
    assert_true(rig_output(r, c, &frame));
    run(r, RIG_START + SANWO_SEC(19));
    assert_int_equal(c->state, SANWO_TCP_ESTABLISHED);
    run(r, RIG_START + SANWO_SEC(20) + TICK);
    assert_int_equal(c->state, SANWO_TCP_CLOSED);
    assert_int_equal(c->reason, SANWO_REASON_USER_TIMEOUT);
    assert_int_equal(c->error, SANWO_ETIMEDOUT);
    assert_false(sw_wheel_is_armed(&c->timer));
    rig_end(r);
}

/* TIME-WAIT and FIN-WAIT-2 end by `linger`; stop leaves nothing armed. */
static void test_linger_and_stop(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_tuple one = rig_tuple(1), two = rig_tuple(2), three = rig_tuple(3);
    struct tcp_connection *a = rig_connection(r, &one, SANWO_TCP_TIME_WAIT, 1, 1);
    struct tcp_connection *b = rig_connection(r, &two, SANWO_TCP_FIN_WAIT_2, 1, 1);
    struct tcp_connection *c = rig_connection(r, &three, SANWO_TCP_ESTABLISHED, 1, 1);

    sw_tcp_timers_time_wait(&r->tcp, a);
    sw_tcp_timers_fin_wait_2(&r->tcp, b);
    sw_tcp_timers_sent(&r->tcp, c);
    sw_tcp_timers_delay_ack(&r->tcp, c, 1);
    sw_tcp_timers_keepalive(&r->tcp, c, 1);
    sw_tcp_timers_path_mtu_lowered(&r->tcp, c);
    sw_tcp_timers_stop(&r->tcp, c);
    assert_false(sw_wheel_is_armed(&c->timer));
    run(r, RIG_START + SANWO_SEC(60) - 1); /* MUST-13: 2 MSL */
    assert_int_equal(a->state, SANWO_TCP_TIME_WAIT);
    assert_int_equal(b->state, SANWO_TCP_FIN_WAIT_2);
    run(r, RIG_START + SANWO_SEC(60) + TICK);
    assert_int_equal(a->state, SANWO_TCP_CLOSED);
    assert_int_equal(b->state, SANWO_TCP_CLOSED);
    assert_int_equal(sw_tcp_deadline(&r->tcp), SANWO_TIME_NEVER);
    rig_end(r);
}

/* A link that comes up again sends at once what waits for a retransmission, and only that. */
static void test_link_up(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);

    sw_tcp_timers_link_up(&r->tcp, c); /* nothing waits */
    assert_int_equal(c->deadline.retransmit, SANWO_TIME_NEVER);
    sw_tcp_timers_sent(&r->tcp, c);
    sanwo_time before = c->deadline.retransmit;
    sw_tcp_timers_link_up(&r->tcp, c); /* sent once: perhaps on its way */
    assert_int_equal(c->deadline.retransmit, before);
    c->send.retransmissions = 2;
    sw_tcp_timers_link_up(&r->tcp, c);
    assert_int_equal(c->deadline.retransmit, r->tcp.now);
    assert_true(sw_tcp_deadline(&r->tcp) <= r->tcp.now + TICK);
    rig_end(r);
}

static void test_option_changed(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);

    sw_tcp_timers_sent(&r->tcp, c);
    r->tcp.config.keepalive = true;
    r->tcp.config.user_timeout = SANWO_SEC(5);
    sw_tcp_timers_option_changed(&r->tcp, c, SANWO_TCP_NAGLE); /* concerns neither */
    assert_int_equal(c->deadline.keepalive, SANWO_TIME_NEVER);
    assert_int_equal(c->deadline.user, SANWO_TIME_NEVER);
    sw_tcp_timers_option_changed(&r->tcp, c, SANWO_TCP_KEEPALIVE);
    sw_tcp_timers_option_changed(&r->tcp, c, SANWO_TCP_USER_TIMEOUT);
    assert_int_equal(c->deadline.keepalive, r->tcp.now + SANWO_SEC(7200));
    assert_int_equal(c->deadline.user, r->tcp.now + SANWO_SEC(5));
    r->tcp.config.keepalive = false;
    r->tcp.config.user_timeout = 0;
    sw_tcp_timers_option_changed(&r->tcp, c, SANWO_TCP_KEEPALIVE);
    sw_tcp_timers_option_changed(&r->tcp, c, SANWO_TCP_USER_TIMEOUT);
    assert_int_equal(c->deadline.keepalive, SANWO_TIME_NEVER);
    assert_int_equal(c->deadline.user, SANWO_TIME_NEVER);
    rig_end(r);
}

/* Attack B-07, RFC6429-3-1: while memory is short a window that stays closed is not waited for. */
static void test_B_07_closed_window_and_short_memory(void **state)
{
    (void)state;
    for (int scarce = 0; scarce < 2; scarce++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 5000, 1);

        rig_send(r, c, 1000);
        c->send.snd_wnd = 0;
        c->send.probes = 8; /* each answered, or not for long */
        if (scarce)
            r->region.budget = r->region.used / 4 * 5;
        assert_int_equal(sw_tcp_memory_is_short(&r->tcp), scarce);
        enum tcp_verdict verdict = sw_tcp_retransmit_expired(&r->tcp, c);
        assert_int_equal(verdict, scarce ? TCP_FINISHED : TCP_CONTINUE);
        assert_int_equal(c->error, scarce ? SANWO_ECONNABORTED : 0);
        rig_end(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lazy_and_exact),
        cmocka_unit_test(test_random_against_model),
        cmocka_unit_test(test_retransmit_rules),
        cmocka_unit_test(test_keepalive),
        cmocka_unit_test(test_user_timeout),
        cmocka_unit_test(test_linger_and_stop),
        cmocka_unit_test(test_link_up),
        cmocka_unit_test(test_option_changed),
        cmocka_unit_test(test_B_07_closed_window_and_short_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
