/*
 * test_tcp_sending.c - The block that exists while a connection sends: made, kept a while, given back.
 */
#include "test_tcp_support.h"

#include "tcp/connection/meter.h"

#define MSS RIG_MSS
#define TICK 1024 /* ns: how much later a timer may fire */
#define KEPT SANWO_SEC(10)

static struct rig_frame frame;

static struct tcp_connection *opened(struct rig *r, uint32_t snd)
{
    struct tcp_connection *c = rig_open(r, snd, 1);

    r->tcp.config.pacing = false;
    c->sack = 1;
    c->send.srtt = c->send.min_rtt = SANWO_MSEC(50);
    return c;
}

static void send_all(struct rig *r, struct tcp_connection *c, uint32_t bytes)
{
    rig_send(r, c, bytes);
    while (rig_output(r, c, &frame))
        ;
}

/* An idle connection costs its control block; what it takes to send is for all sizes of algorithm. */
static void test_sizes(void **state)
{
    (void)state;
    assert_true(sizeof(struct tcp_connection) <= 480);
    for (uint8_t algorithm = 0; algorithm < SANWO_CONGESTION_COUNT; algorithm++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = opened(r, 1);
        uint64_t before = r->region.used;
        sw_tcp_cc_init(&c->cc, algorithm, MSS, 10);
        assert_true(sw_tcp_cc_ops(&c->cc)->state_size <= TCP_CC_STATE_MAX);
        assert_int_equal(sw_tcp_cc_ops(&c->cc)->state_size % 8, 0);
        struct tcp_sending *s = sw_tcp_sending_make(&r->tcp, c);
        assert_non_null(s);
        assert_ptr_equal(sw_tcp_sending_make(&r->tcp, c), s); /* it is there */
        assert_ptr_equal(sw_tcp_sending(&r->tcp, c), s);
        assert_true(r->region.used - before <= 2048);
        size_t offset = (size_t)((uint8_t *)sw_tcp_sending_state(s) - (uint8_t *)s);
        size_t block = sw_region_block_size(&r->region, c->send.sending);
        assert_int_equal((uintptr_t)sw_tcp_sending_state(s) % 8, 0);
        assert_true(offset >= sizeof *s);
        assert_true(offset + sw_tcp_cc_ops(&c->cc)->state_size <= block);
        memset(sw_tcp_sending_state(s), 0xff, sw_tcp_cc_ops(&c->cc)->state_size);
        for (int i = 0; i < 100; i++) { /* the first records lie behind it, not in it */
            assert_true(sw_tcp_records_push(&r->tcp, c, 10));
            c->send.snd_nxt = tcp_seq_add(c->send.snd_nxt, 10);
        }
        for (size_t i = 0; i < sw_tcp_cc_ops(&c->cc)->state_size; i++)
            assert_int_equal(((uint8_t *)sw_tcp_sending_state(s))[i], 0xff);
        rig_check_records(r, c);
        sw_tcp_sending_release(&r->tcp, c);
        rig_settled(r, before);
        rig_end(r);
    }
}

/* It is there while anything is in flight, ten seconds longer, and then all of it goes. */
static void test_kept_for_a_while(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = opened(r, 0xfffff000);
    uint64_t before = r->region.used;

    send_all(r, c, 300 * MSS);
    assert_int_equal(rig_sending(r, c).kept_until, SANWO_TIME_NEVER);
    r->tcp.now += SANWO_MSEC(50);
    rig_ack(r, c, 0xfffff000 + 300 * MSS, 1 << 20);
    assert_int_equal(c->send.in_flight, 0);
    sw_tcp_meter_release(&r->tcp, c);
    sanwo_time kept = rig_sending(r, c).kept_until;
    assert_int_equal(kept, r->tcp.now + KEPT);
    assert_true(r->region.used - before <= 2048);
    rig_run(r, kept - 1);
    assert_int_not_equal(c->send.sending, 0);
    rig_run(r, kept + TICK);
    assert_int_equal(c->send.sending, 0);
    rig_settled(r, before);
    assert_int_equal(sw_tcp_deadline(&r->tcp), SANWO_TIME_NEVER);
    rig_end(r);
}

/*
 * Sending again before that goes on with what was learnt; after it afresh. Where a pause does not cost
 * cwnd it is relied on for five minutes (RFC 7661 4.4), and the block is kept for so long.
 */
static void test_goes_on(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        bool late = i & 1, restart = i & 2;
        sanwo_time kept = restart ? KEPT : SANWO_SEC(330);
        struct rig *r = rig_new();
        struct tcp_connection *c = opened(r, 0xfffff000);
        r->tcp.config.idle_restart = restart;
        send_all(r, c, 10 * MSS);
        rig_ack(r, c, 0xfffff000 + 10 * MSS, 1 << 20);
        uint64_t delivered = sw_tcp_sending(&r->tcp, c)->delivered;
        assert_int_equal(delivered, 10 * MSS);
        rig_run(r, r->tcp.now + (late ? kept + TICK : kept - SANWO_SEC(1)));
        send_all(r, c, 3 * MSS);
        assert_int_equal(sw_tcp_sending(&r->tcp, c)->delivered, late ? 0 : delivered);
        assert_int_equal(rig_sending(r, c).kept_until, SANWO_TIME_NEVER);
        assert_int_equal(c->send.in_flight, 3 * MSS);
        rig_run(r, r->tcp.now + SANWO_SEC(1)); /* the old deadline passes, the block stays */
        assert_int_not_equal(c->send.sending, 0);
        rig_check_records(r, c);
        rig_end(r);
    }
}

/* While memory is short, at once; but never what is in use. */
static void test_relieve(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = opened(r, 0xfffff000);

    send_all(r, c, 10 * MSS);
    sw_tcp_sending_relieve(&r->tcp, c);
    assert_int_equal(sw_tcp_records_count(&r->tcp, c), 10);
    rig_ack(r, c, 0xfffff000 + 10 * MSS, 1 << 20);
    assert_int_not_equal(c->send.sending, 0);
    sw_tcp_sending_relieve(&r->tcp, c);
    assert_int_equal(c->send.sending, 0);
    sw_tcp_sending_relieve(&r->tcp, c);
    send_all(r, c, MSS);
    assert_int_equal(c->send.in_flight, MSS);
    rig_end(r);
}

/* Without memory for it nothing goes; the timer tries again; nothing is lost. */
static void test_no_memory(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = opened(r, 0xfffff000);

    rig_send(r, c, 3 * MSS);
    r->region.fault_countdown = 1;
    assert_false(rig_output(r, c, &frame));
    assert_int_equal(c->send.snd_nxt.raw, 0xfffff000);
    assert_int_equal(c->send.in_flight, 0);
    assert_true(c->deadline.retransmit != SANWO_TIME_NEVER);
    sw_tcp_output_done(&r->tcp, c);
    rig_run(r, c->deadline.retransmit + TICK);
    assert_int_equal(c->wants_send, 1);
    assert_true(rig_output(r, c, &frame));
    assert_int_equal(frame.h.seq.raw, 0xfffff000);
    rig_end(r);
}

/* A connection that ends, however, takes it along: after TIME-WAIT began there is nothing of it. */
static void test_ends_with_the_connection(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = opened(r, 0xfffff000);
    uint64_t before = r->region.used;

    send_all(r, c, 100 * MSS);
    assert_true(r->region.used > before);
    rig_discard(r, c);
    assert_true(r->region.used <= before);
    c = opened(r, 0xfffff000);
    send_all(r, c, 10 * MSS);
    rig_ack(r, c, 0xfffff000 + 10 * MSS, 1 << 20);
    assert_int_not_equal(c->send.sending, 0);
    sw_tcp_timers_time_wait(&r->tcp, c);
    assert_int_equal(c->send.sending, 0);
    rig_end(r);
}

/* Each deadline that lies in it wakes the engine: the earliest of them, whichever it is. */
static void test_deadlines(void **state)
{
    (void)state;
    for (int which = 0; which < 4; which++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = opened(r, 0xfffff000);
        send_all(r, c, 10 * MSS);
        struct tcp_sending *s = sw_tcp_sending(&r->tcp, c);
        sanwo_time due = r->tcp.now + SANWO_MSEC(7);
        s->tail.deadline = SANWO_TIME_NEVER;
        if (which == 0) {
            s->rack.deadline = due;
            sw_tcp_timers_reordering(&r->tcp, c, due);
        } else if (which == 1) {
            s->tail.deadline = due;
            sw_tcp_timers_tail(&r->tcp, c, due);
        } else if (which == 2) {
            s->pacing.deadline = due;
            sw_tcp_timers_pacing(&r->tcp, c, due);
        } else {
            s->kept_until = due;
            sw_tcp_timers_sending(&r->tcp, c, due);
        }
        sanwo_time woken = sw_tcp_deadline(&r->tcp);
        assert_true(woken <= due + TICK);
        sw_wheel_cancel(&r->tcp.wheel, r->tcp.region, &c->timer); /* armed again, it is the same */
        sw_tcp_timers_reordering(&r->tcp, c, r->tcp.now);
        rig_run(r, r->tcp.now + TICK);
        assert_true(sw_tcp_deadline(&r->tcp) <= due + TICK);
        rig_end(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),     cmocka_unit_test(test_kept_for_a_while),
        cmocka_unit_test(test_goes_on),   cmocka_unit_test(test_relieve),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_ends_with_the_connection),
        cmocka_unit_test(test_deadlines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
