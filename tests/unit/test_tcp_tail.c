/*
 * test_tcp_tail.c - Tail loss probes (RFC 8985 7): when, with what, and what the answer tells.
 */
#include "test_tcp_support.h"

#define MSS RIG_MSS
#define RTT SANWO_MSEC(100)
#define TICK 1024 /* ns: how much later a timer may fire */

static struct rig_frame frame;

static const uint32_t starts[] = {1000, 0xffffe000, 0xffffffff, 0x7fffff00};

static struct tcp_connection *opened(struct rig *r, uint32_t snd)
{
    struct tcp_connection *c = rig_open(r, snd, 1);

    r->tcp.config.pacing = false;
    c->sack = 1;
    c->send.srtt = c->send.min_rtt = RTT;
    c->send.rttvar = RTT / 2; /* an RTO of three RTT */
    c->snd_sml = tcp_seq_of(snd - 1);
    return c;
}

/* @count full segments are out, @more bytes wait; cwnd is exactly that flight. */
static struct tcp_connection *in_flight(struct rig *r, uint32_t snd, uint32_t count, uint32_t more)
{
    struct tcp_connection *c = opened(r, snd);

    c->cc.cwnd = count * MSS;
    rig_send(r, c, count * MSS + more);
    while (rig_output(r, c, &frame))
        assert_int_equal(frame.payload, MSS);
    assert_int_equal(c->send.in_flight, count * MSS);
    return c;
}

static uint32_t at(const struct tcp_connection *c)
{
    return frame.h.seq.raw - c->send.iss.raw - 1;
}

/* RFC8985-7.2-1. */
static void test_probe_timeout(void **state)
{
    (void)state;
    const struct {
        uint32_t segments;
        sanwo_time srtt, rttvar, timeout;
    } rows[] = {
        {2, RTT, RTT / 2, 2 * RTT},
        {9, RTT, RTT / 2, 2 * RTT},
        {1, RTT, RTT / 2, 2 * RTT + SANWO_MSEC(50)}, /* its ACK may be held back */
        {1, SANWO_MSEC(1), SANWO_MSEC(1), SANWO_MSEC(52)},
        {2, SANWO_USEC(10), SANWO_USEC(10), SANWO_MSEC(1)},    /* no finer than timers are */
        {2, SANWO_MSEC(150), SANWO_MSEC(10), SANWO_MSEC(200)}, /* no later than the RTO */
        {2, 0, 0, SANWO_SEC(1)},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = opened(r, 0xfffffff0);
        c->send.srtt = c->send.min_rtt = rows[i].srtt;
        c->send.rttvar = rows[i].rttvar;
        rig_send(r, c, rows[i].segments * MSS);
        assert_int_equal(rig_sending(r, c).tail.deadline, SANWO_TIME_NEVER);
        while (rig_output(r, c, &frame))
            ;
        sanwo_time timeout = rig_sending(r, c).tail.deadline - r->tcp.now;
        if (timeout != rows[i].timeout)
            fail_msg("row %zu: %lld ns", i, (long long)timeout);
        assert_true(sw_tcp_deadline(&r->tcp) <= r->tcp.now + timeout + TICK);
        rig_end(r);
    }
}

/* Each segment sent and each advance of SND.UNA begins the wait anew; the last ACK ends it. */
static void test_restarted(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xfffffff0, 5, 0);

    r->tcp.now += SANWO_MSEC(30);
    rig_ack(r, c, 0xfffffff0 + 2 * MSS, 1 << 20);
    sanwo_time expected = r->tcp.now + 2 * c->send.srtt;
    assert_int_equal(rig_sending(r, c).tail.deadline, expected);
    r->tcp.now += SANWO_MSEC(10);
    rig_ack(r, c, 0xfffffff0 + 2 * MSS, 1 << 20); /* no advance */
    assert_int_equal(rig_sending(r, c).tail.deadline, expected);
    rig_send(r, c, MSS);
    assert_true(rig_output(r, c, &frame));
    assert_int_equal(rig_sending(r, c).tail.deadline, r->tcp.now + 2 * c->send.srtt);
    rig_ack(r, c, 0xfffffff0 + 6 * MSS, 1 << 20);
    assert_int_equal(rig_sending(r, c).tail.deadline, SANWO_TIME_NEVER);
    rig_end(r);
}

/* Not without SACK, not if it is off, not in recovery, not while SACK tells of anything. */
static void test_not_wanted(void **state)
{
    (void)state;
    for (int why = 0; why <= 7; why++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, 0xfffffff0, 5, 0);
        c->sack = why != 1;
        r->tcp.config.tail_loss_probe = why != 2;
        c->in_recovery = why == 3;
        c->in_timeout = why == 4;
        if (why == 5)
            rig_set_flags(r, c, 2, RECORD_SACKED);
        if (why == 6)
            rig_set_flags(r, c, 0, RECORD_LOST);
        if (why == 7)
            c->send.snd_wnd = 0;
        sw_tcp_tail_schedule(&r->tcp, c);
        bool scheduled = rig_sending(r, c).tail.deadline != SANWO_TIME_NEVER;
        if (scheduled != (why == 0))
            fail_msg("reason %d: %s", why, scheduled ? "scheduled" : "not scheduled");
        sw_tcp_sending(&r->tcp, c)->tail.sampled = true;
        assert_int_equal(sw_tcp_tail_expired(&r->tcp, c), why == 0); /* nor may it come later */
        assert_int_equal(c->tail_probe, why == 0);
        rig_end(r);
    }
}

/* New data if there is any, though cwnd is full; once; the RTO counts anew. RFC8985-7.3-1. */
static void test_new_data_probes(void **state)
{
    (void)state;
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, starts[s], 5, 5 * MSS);
        rig_watch(r);
        sanwo_time due = rig_sending(r, c).tail.deadline;
        rig_run(r, due - 1);
        assert_false(rig_output(r, c, &frame));
        rig_run(r, due + TICK);
        assert_int_equal(rig_count(r, SANWO_OBSERVE_TIMER, SANWO_REASON_TAIL_LOSS_PROBE), 1);
        assert_int_equal(c->deadline.retransmit, r->tcp.now + sw_tcp_rto(&r->tcp, c));
        assert_true(rig_output(r, c, &frame));
        assert_int_equal(at(c), 5 * MSS);
        assert_int_equal(frame.payload, MSS);
        assert_false(rig_output(r, c, &frame));
        assert_int_equal(c->retransmitted, 0);
        assert_int_equal(c->send.in_flight, 6 * MSS);                        /* one beyond cwnd */
        assert_int_equal(rig_sending(r, c).tail.deadline, SANWO_TIME_NEVER); /* one at a time */
        uint32_t cwnd = c->cc.cwnd;
        rig_ack(r, c, starts[s] + 6 * MSS, 1 << 20);
        assert_true(c->cc.cwnd >= cwnd); /* it arrived: nothing was lost */
        assert_int_equal(c->in_recovery, 0);
        rig_end(r);
    }
}

/* Without new data the last segment goes once more: of a super-segment its end, with PSH or the FIN. */
static void test_last_again(void **state)
{
    (void)state;
    const struct {
        uint32_t bytes, super;
        bool fin;
        uint32_t at, length;
        uint8_t flags;
    } rows[] = {
        {3000, 0, false, 2000, 1000, TCP_ACK | TCP_PSH},
        {2500, 0, false, 2000, 500, TCP_ACK | TCP_PSH},
        {2500, 0, true, 2000, 500, TCP_ACK | TCP_PSH | TCP_FIN},
        {5000, 65536, false, 4000, 1000, TCP_ACK | TCP_PSH},
        {5500, 65536, false, 4500, 1000, TCP_ACK | TCP_PSH},
        {5000, 65536, true, 4000, 1000, TCP_ACK | TCP_PSH | TCP_FIN},
        {0, 0, true, 0, 0, TCP_ACK | TCP_FIN},
    };
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        for (size_t i = 0; i < SW_COUNT(rows); i++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = opened(r, starts[s]);
            const struct tcp_path path = {.mtu = 1500, .super_segment = rows[i].super};
            rig_send(r, c, rows[i].bytes);
            if (rows[i].fin)
                sw_tcp_shutdown(&r->tcp, c);
            while (rig_output_by(r, c, &path, &frame))
                ;
            rig_run(r, rig_sending(r, c).tail.deadline + TICK);
            assert_true(rig_output_by(r, c, &path, &frame));
            if (at(c) != rows[i].at || frame.payload != rows[i].length ||
                frame.h.flags != rows[i].flags)
                fail_msg("row %zu: %u bytes at %u, flags %02x", i, frame.payload, at(c),
                         frame.h.flags);
            rig_check(frame.bytes + frame.h.header_length, rows[i].at, frame.payload);
            rig_check_records(r, c);
            assert_int_equal(c->send.lost, 0);
            assert_int_equal(c->retransmitted, 1);
            assert_false(rig_output_by(r, c, &path, &frame));
            rig_end(r);
        }
    }
}

/* RFC 8985 7.3: not a second one before an RTT was sampled since the first. */
static void test_not_without_a_sample(void **state)
{
    (void)state;
    for (int sampled = 0; sampled < 2; sampled++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, 0xfffffff0, 3, 0);
        struct tcp_tail *tail = &sw_tcp_sending(&r->tcp, c)->tail;
        tail->sampled = sampled;
        rig_run(r, tail->deadline + TICK);
        assert_int_equal(rig_output(r, c, &frame), sampled);
        assert_int_equal(c->send.retransmissions, 0);
        if (sampled) { /* its ACK brings no sample: it was sent twice (Karn) */
            assert_false(tail->sampled);
            rig_ack(r, c, 0xfffffff0 + 3 * MSS, 1 << 20);
            rig_send(r, c, MSS);
            assert_true(rig_output(r, c, &frame));
            rig_ack(r, c, 0xfffffff0 + 4 * MSS, 1 << 20);
            assert_true(tail->sampled);
        }
        rig_end(r);
    }
}

/*
 * What the answer to a repeated tail tells (RFC8985-7.4-1): a duplicate was reported, or a bare duplicate
 * came: both arrived. An ACK beyond it and neither of these: it repaired a loss, and cwnd must follow.
 */
static void test_answers(void **state)
{
    (void)state;
    enum { REPAIRED, DSACK, DUPLICATE };
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        for (int how = REPAIRED; how <= DUPLICATE; how++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = in_flight(r, starts[s], 10, 0);
            rig_run(r, rig_sending(r, c).tail.deadline + TICK);
            assert_true(rig_output(r, c, &frame));
            assert_int_equal(at(c), 9 * MSS);
            uint32_t cwnd = c->cc.cwnd, ssthresh = c->cc.ssthresh;
            rig_sack(r, c, 10 * MSS, 0, 0);
            assert_int_equal(c->send.in_flight, 0);
            assert_int_equal(c->cc.ssthresh, ssthresh); /* not yet */
            rig_send(r, c, 6 * MSS);
            while (rig_output(r, c, &frame))
                ;
            if (how == DSACK)
                rig_sack(r, c, 10 * MSS, 9 * MSS, 10 * MSS);
            if (how == DUPLICATE)
                rig_sack(r, c, 10 * MSS, 0, 0);
            rig_sack(r, c, 12 * MSS, 0, 0);
            if ((c->cc.ssthresh < cwnd) != (how == REPAIRED))
                fail_msg("case %d: ssthresh is %u", how, c->cc.ssthresh);
            uint32_t after = c->cc.ssthresh;
            rig_sack(r, c, 14 * MSS, 0, 0); /* once only */
            assert_int_equal(c->cc.ssthresh, after);
            rig_end(r);
        }
    }
}

/* A loss in the middle of the tail: the probe's SACK shows it, and RACK sends it again at once. */
static void test_probe_shows_the_hole(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xfffffff0, 10, 0);

    r->tcp.now += RTT;
    rig_sack(r, c, 6 * MSS, 0, 0); /* 6 to 9 are lost */
    rig_run(r, rig_sending(r, c).tail.deadline + TICK);
    assert_true(rig_output(r, c, &frame));
    assert_int_equal(at(c), 9 * MSS);
    assert_false(rig_output(r, c, &frame));
    r->tcp.now += RTT;
    rig_sack(r, c, 6 * MSS, 9 * MSS, 10 * MSS);
    if (!c->in_recovery) /* the reordering timer first */
        rig_run(r, rig_sending(r, c).rack.deadline + TICK);
    assert_int_equal(c->in_recovery, 1);
    assert_int_equal(c->send.lost, 3 * MSS);
    assert_true(rig_output(r, c, &frame));
    assert_int_equal(at(c), 6 * MSS);
    assert_int_equal(c->send.retransmissions, 0);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_probe_timeout), cmocka_unit_test(test_restarted),
        cmocka_unit_test(test_not_wanted),    cmocka_unit_test(test_new_data_probes),
        cmocka_unit_test(test_last_again),    cmocka_unit_test(test_not_without_a_sample),
        cmocka_unit_test(test_answers),       cmocka_unit_test(test_probe_shows_the_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
