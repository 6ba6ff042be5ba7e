/*
 * test_tcp_undo.c - A retransmission that was not needed, found out three ways, and what comes back.
 */
#include "test_tcp_support.h"

#include "tcp/ecn/ecn.h"

#define MSS RIG_MSS
#define RTT SANWO_MSEC(50)

static struct rig_frame frame;

static const uint32_t starts[] = {1000, 0xffffe000, 0xffffffff, 0x7fffff00};

/* @count full segments are out, @more wait; cwnd is exactly that flight. */
static struct tcp_connection *in_flight(struct rig *r, uint32_t snd, uint32_t count, uint32_t more,
                                        bool sack)
{
    struct tcp_connection *c = rig_open(r, snd, 1);

    r->tcp.config.pacing = r->tcp.config.tail_loss_probe = false;
    c->sack = sack;
    c->snd_sml = tcp_seq_of(snd - 1);
    c->cc.cwnd = count * MSS;
    c->send.srtt = c->send.min_rtt = RTT;
    rig_send(r, c, (count + more) * MSS);
    while (rig_output(r, c, &frame))
        assert_int_equal(frame.payload, MSS);
    assert_int_equal(c->send.in_flight, count * MSS);
    return c;
}

static void check_sends(struct rig *r, struct tcp_connection *c, uint32_t at)
{
    if (!rig_output(r, c, &frame))
        fail_msg("nothing is sent, %u is due", at);
    assert_int_equal(frame.h.seq.raw - c->send.iss.raw - 1, at);
}

/* Whatever may go, goes: how much of it again. */
static uint32_t drain(struct rig *r, struct tcp_connection *c)
{
    uint32_t again = c->retransmitted;

    while (rig_output(r, c, &frame))
        ;
    return c->retransmitted - again;
}

static void time_out(struct rig *r, struct tcp_connection *c)
{
    r->tcp.now += SANWO_MSEC(200);
    assert_int_equal(sw_tcp_retransmit_expired(&r->tcp, c), TCP_CONTINUE);
    assert_int_equal(c->in_timeout, 1);
    assert_int_equal(c->cc.cwnd, MSS);
}

/* As before the time-out: cwnd, ssthresh, nothing lost, no recovery; and one may begin again. */
static void check_undone(struct rig *r, const struct tcp_connection *c, uint32_t cwnd)
{
    assert_int_equal(c->in_timeout | c->in_recovery, 0);
    assert_true(c->cc.cwnd >= cwnd);
    assert_int_equal(c->cc.ssthresh, UINT32_MAX);
    assert_int_equal(c->send.lost, 0);
    assert_int_equal(rig_count(r, SANWO_OBSERVE_CONGESTION, SANWO_REASON_UNDO), 1);
    rig_check_records(r, c);
}

static void check_not_undone(struct rig *r, const struct tcp_connection *c)
{
    assert_int_equal(rig_count(r, SANWO_OBSERVE_CONGESTION, SANWO_REASON_UNDO), 0);
    assert_true(c->cc.ssthresh != UINT32_MAX);
}

/* ---- F-RTO ------------------------------------------------------------------------------- */

/*
 * A delay, no loss: the ACKs of ten segments come after the time-out, and say so with the second. The
 * rest is not sent again. With SACK and without. RFC5682-2-1, RFC4015-3.2-1.
 */
static void test_frto_finds_a_delay(void **state)
{
    (void)state;
    const struct {
        uint32_t first, second; /* segments that the two ACKs acknowledge */
    } rows[] = {{1, 2}, {1, 10}, {2, 4}, {4, 9}, {9, 10}};

    for (int sack = 0; sack < 2; sack++) {
        for (size_t i = 0; i < SW_COUNT(rows) * SW_COUNT(starts); i++) {
            struct rig *r = rig_new();
            uint32_t start = starts[i % SW_COUNT(starts)];
            uint32_t first = rows[i / SW_COUNT(starts)].first;
            uint32_t second = rows[i / SW_COUNT(starts)].second;
            struct tcp_connection *c = in_flight(r, start, 10, 20, sack);
            rig_watch(r);
            time_out(r, c);
            check_sends(r, c, 0);
            assert_int_equal(drain(r, c), 0);
            rig_ack(r, c, start + first * MSS, 1 << 20);
            check_sends(r, c, 10 * MSS); /* step 2b: new data, though nine are deemed lost */
            check_sends(r, c, 11 * MSS);
            check_not_undone(r, c);
            rig_ack(r, c, start + second * MSS, 1 << 20);
            if (c->cc.ssthresh != UINT32_MAX)
                fail_msg("sack %d, ACKs of %u and %u: not found out", sack, first, second);
            check_undone(r, c, 10 * MSS);
            assert_int_equal(drain(r, c), 0);
            rig_end(r);
        }
    }
}

/* A loss: the answers to the new segments are duplicates, and the lost go again (step 3a). */
static void test_frto_finds_a_loss(void **state)
{
    (void)state;
    for (int sack = 0; sack < 2; sack++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, 0xfffff000, 10, 20, sack);
        rig_watch(r);
        time_out(r, c);
        check_sends(r, c, 0);
        r->tcp.now += RTT;
        rig_ack(r, c, 0xfffff000 + 5 * MSS, 1 << 20);
        check_sends(r, c, 10 * MSS);
        check_sends(r, c, 11 * MSS);
        r->tcp.now += RTT;
        rig_sack(r, c, 5 * MSS, sack ? 10 * MSS : 0, sack ? 11 * MSS : 0);
        assert_true(c->cc.cwnd <= 3 * MSS);
        check_sends(r, c, 5 * MSS);
        rig_sack(r, c, 5 * MSS, sack ? 10 * MSS : 0, sack ? 12 * MSS : 0);
        rig_ack(r, c, 0xfffff000 + 6 * MSS, 1 << 20);
        check_not_undone(r, c);
        rig_check_records(r, c);
        rig_end(r);
    }
}

/* Step 3a: an ACK of what is new too says nothing of when the old arrived. */
static void test_frto_beyond_recover(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xfffff000, 10, 20, true);

    rig_watch(r);
    time_out(r, c);
    check_sends(r, c, 0);
    rig_ack(r, c, 0xfffff000 + MSS, 1 << 20);
    check_sends(r, c, 10 * MSS);
    check_sends(r, c, 11 * MSS);
    rig_ack(r, c, 0xfffff000 + 11 * MSS, 1 << 20);
    check_not_undone(r, c);
    assert_int_equal(c->in_timeout, 0);
    rig_end(r);
}

/* With SACK a report of old data, above the hole but below what is new, is as good (step 3b). */
static void test_frto_by_sack(void **state)
{
    (void)state;
    const struct {
        uint32_t left, right;
        bool undone;
    } rows[] = {{4, 5, true}, {9, 10, true}, {9, 11, false}, {10, 11, false}};

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, 0xfffff000, 10, 20, true);
        rig_watch(r);
        time_out(r, c);
        check_sends(r, c, 0);
        rig_sack(r, c, MSS, 0, 0);
        check_sends(r, c, 10 * MSS);
        check_sends(r, c, 11 * MSS);
        rig_sack(r, c, MSS, rows[i].left * MSS, rows[i].right * MSS);
        unsigned undone = rig_count(r, SANWO_OBSERVE_CONGESTION, SANWO_REASON_UNDO);
        if (undone != rows[i].undone)
            fail_msg("row %zu: undone %u times", i, undone);
        rig_check_records(r, c);
        rig_end(r);
    }
}

/* Step 1 and 2: without new data, or if the first ACK covers all, conventional recovery. */
static void test_frto_needs_new_data(void **state)
{
    (void)state;
    const struct {
        uint32_t more, window;
    } rows[] = {{0, 1 << 20}, {20, 9 * MSS}};

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, 0xfffff000, 10, rows[i].more, true);
        rig_watch(r);
        time_out(r, c);
        check_sends(r, c, 0);
        rig_ack(r, c, 0xfffff000 + MSS, rows[i].window);
        check_sends(r, c, MSS); /* what is lost, at once */
        rig_ack(r, c, 0xfffff000 + 2 * MSS, rows[i].window);
        check_not_undone(r, c);
        rig_end(r);
    }
}

/* RFC 5682 3.2: also when the timer expired several times for the same segment; not in a recovery. */
static void test_frto_and_another_time_out(void **state)
{
    (void)state;
    for (int recovering = 0; recovering < 2; recovering++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, 0xfffff000, 10, 20, true);
        rig_watch(r);
        if (recovering)
            c->in_recovery = 1;
        time_out(r, c);
        check_sends(r, c, 0);
        time_out(r, c);
        check_sends(r, c, 0);
        rig_ack(r, c, 0xfffff000 + MSS, 1 << 20);
        check_sends(r, c, recovering ? MSS : 10 * MSS);
        check_sends(r, c, recovering ? 2 * MSS : 11 * MSS);
        rig_ack(r, c, 0xfffff000 + 4 * MSS, 1 << 20);
        if (recovering)
            check_not_undone(r, c);
        else
            check_undone(r, c, 10 * MSS);
        rig_end(r);
    }
}

/* RFC 5682 3.1, the end: what is lost of that window after all begins a recovery, as ever. */
static void test_recovery_may_follow(void **state)
{
    (void)state;
    for (int sack = 0; sack < 2; sack++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, 0xfffff000, 10, 20, sack);
        rig_watch(r);
        time_out(r, c);
        check_sends(r, c, 0);
        r->tcp.now += RTT;
        rig_ack(r, c, 0xfffff000 + MSS, 1 << 20);
        check_sends(r, c, 10 * MSS);
        check_sends(r, c, 11 * MSS);
        r->tcp.now += RTT;
        rig_ack(r, c, 0xfffff000 + 2 * MSS, 1 << 20);
        check_undone(r, c, 10 * MSS);
        drain(r, c);
        r->tcp.now += 2 * RTT;
        for (uint32_t i = 0; i < 5; i++) /* 2 is lost */
            rig_sack(r, c, 2 * MSS, sack ? 3 * MSS : 0, sack ? (4 + i) * MSS : 0);
        if (!c->in_recovery)
            fail_msg("sack %d: no recovery", sack);
        assert_true(c->cc.ssthresh < UINT32_MAX);
        check_sends(r, c, 2 * MSS);
        rig_end(r);
    }
}

/* ---- timestamps -------------------------------------------------------------------------- */

static void stamped_ack(struct rig *r, struct tcp_connection *c, uint32_t ack, uint32_t echo)
{
    struct tcp_segment seg = rig_report(r, c, ack, 0, 0);

    seg.options.timestamps = true;
    seg.options.ts_echo = echo;
    assert_int_equal(sw_tcp_process_ack(&r->tcp, c, &seg), TCP_CONTINUE);
}

/*
 * RFC 4015 3.2: a second time-out, after some was acknowledged, remembers a small cwnd only. What is out
 * the path bears all the same.
 */
static void test_what_is_out_is_borne(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xfffff000, 10, 0, true);
    rig_watch(r);
    c->timestamps = 1;
    c->send.peer_mss += 12; /* room for them */
    time_out(r, c);
    check_sends(r, c, 0);
    r->tcp.now += SANWO_MSEC(10);
    stamped_ack(r, c, MSS, sw_tcp_timestamp_now(&r->tcp, c->ts_offset)); /* it was lost indeed */
    assert_int_equal(c->in_timeout, 1);
    uint32_t before = sw_tcp_timestamp_now(&r->tcp, c->ts_offset);
    time_out(r, c);
    check_sends(r, c, MSS);
    stamped_ack(r, c, 2 * MSS, before); /* the second was not */
    assert_int_equal(rig_count(r, SANWO_OBSERVE_CONGESTION, SANWO_REASON_UNDO), 1);
    assert_int_equal(c->send.in_flight, 8 * MSS);
    assert_int_equal(c->cc.cwnd, 8 * MSS);
    rig_end(r);
}

/*
 * RFC3522-3.2-1: the ACK of what was sent again echoes a time from before that: it is of the original.
 * After a time-out and after a fast retransmit, in the midst of it and with the ACK that ends it.
 */
static void test_timestamps(void **state)
{
    (void)state;
    const uint32_t acked[] = {1, 5, 10};

    for (int timeout = 0; timeout < 2; timeout++) {
        for (int original = 0; original < 2; original++) {
            for (size_t i = 0; i < SW_COUNT(acked); i++) {
                struct rig *r = rig_new();
                struct tcp_connection *c = in_flight(r, 0xfffff000, 10, 0, true);
                rig_watch(r);
                c->timestamps = 1;
                c->ts_offset = 0xfffffff0u - (uint32_t)(r->tcp.now / 1000000);
                c->send.peer_mss += 12; /* room for them */
                sw_tcp_sending(&r->tcp, c)->undo.dsack_seen = true;
                uint32_t before = sw_tcp_timestamp_now(&r->tcp, c->ts_offset);
                sw_tcp_sending(&r->tcp, c)->stamp = before; /* none was sent again yet */
                if (timeout) {
                    time_out(r, c);
                } else {
                    r->tcp.now += SANWO_MSEC(100);
                    rig_sack(r, c, 0, MSS, 5 * MSS);
                    assert_int_equal(c->in_recovery, 1);
                }
                check_sends(r, c, 0);
                uint32_t after = sw_tcp_timestamp_now(&r->tcp, c->ts_offset);
                assert_int_not_equal(before, after);
                r->tcp.now += SANWO_MSEC(1);
                stamped_ack(r, c, acked[i] * MSS, original ? before : after);
                unsigned undone = rig_count(r, SANWO_OBSERVE_CONGESTION, SANWO_REASON_UNDO);
                if (undone != (unsigned)original)
                    fail_msg("time-out %d, original %d, %u acknowledged: undone %u times", timeout,
                             original, acked[i], undone);
                if (original)
                    check_undone(r, c, 10 * MSS);
                rig_end(r);
            }
        }
    }
}

/*
 * RFC 3522 3.2 step 5: an ACK of everything may be the answer to what was sent again, after all others were
 * lost. A peer that reports duplicates would have told.
 */
static void test_timestamps_when_all_is_acknowledged(void **state)
{
    (void)state;
    for (uint32_t acked = 9; acked <= 10; acked++) {
        for (int dsack_seen = 0; dsack_seen < 2; dsack_seen++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = in_flight(r, 0xfffff000, 10, 0, true);
            rig_watch(r);
            c->timestamps = 1;
            sw_tcp_sending(&r->tcp, c)->undo.dsack_seen = dsack_seen;
            uint32_t before = sw_tcp_timestamp_now(&r->tcp, c->ts_offset);
            time_out(r, c); /* the episode that begins keeps what is known of the peer */
            check_sends(r, c, 0);
            stamped_ack(r, c, acked * MSS, before);
            unsigned undone = rig_count(r, SANWO_OBSERVE_CONGESTION, SANWO_REASON_UNDO);
            if (undone != (unsigned)(acked < 10 || dsack_seen))
                fail_msg("%u acknowledged, D-SACK seen %d: undone %u times", acked, dsack_seen,
                         undone);
            rig_end(r);
        }
    }
}

/* ---- the answer -------------------------------------------------------------------------- */

/* RFC 4015 3.1 step 9: the ACK tells of a mark. Nothing was lost, but cwnd stays reduced. */
static void test_a_mark_stays(void **state)
{
    (void)state;
    for (int timeout = 0; timeout < 2; timeout++) {
        for (int marked = 0; marked < 2; marked++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = in_flight(r, 0xfffff000, 10, 0, true);
            rig_watch(r);
            c->timestamps = 1;
            c->ecn = TCP_ECN_CLASSIC;
            uint32_t before = sw_tcp_timestamp_now(&r->tcp, c->ts_offset);
            if (timeout) {
                time_out(r, c);
            } else {
                r->tcp.now += SANWO_MSEC(100);
                rig_sack(r, c, 0, MSS, 5 * MSS);
                assert_int_equal(c->in_recovery, 1);
            }
            check_sends(r, c, 0);
            r->tcp.now += SANWO_MSEC(1);
            struct tcp_segment seg = rig_report(r, c, 6 * MSS, 0, 0);
            seg.options.timestamps = true;
            seg.options.ts_echo = before;
            seg.flags |= marked ? TCP_ECE : 0;
            assert_int_equal(sw_tcp_process_ack(&r->tcp, c, &seg), TCP_CONTINUE);
            assert_int_equal(c->in_timeout | c->in_recovery, 0);
            assert_int_equal(c->send.lost, 0); /* step 8: none of it is sent again */
            if (marked) {
                assert_int_equal(c->cc.ssthresh, 5 * MSS);
                assert_int_equal(c->cc.cwnd, (timeout ? 1 : 5) * MSS);
            } else {
                assert_int_equal(c->cc.ssthresh, UINT32_MAX);
                assert_true(c->cc.cwnd >= 9 * MSS);
            }
            rig_check_records(r, c);
            rig_end(r);
        }
    }
}

/*
 * RFC 4015 3.1 step 11: SRTT and RTTVAR are of the first round trip measured of data that was sent after the
 * time-out, and no less than they were; not of the segments that were delayed. No time-out, no change.
 */
static void test_timer_after_a_time_out(void **state)
{
    (void)state;
    const struct {
        sanwo_time sample;
        bool timeout;
        sanwo_time srtt, rttvar; /* 0: as RFC 6298 has it */
    } rows[] = {
        {SANWO_MSEC(20), true, SANWO_MSEC(50) + 2000, SANWO_MSEC(10)},
        {SANWO_MSEC(50), true, SANWO_MSEC(50) + 2000, SANWO_MSEC(25)},
        {SANWO_MSEC(400), true, SANWO_MSEC(400), SANWO_MSEC(200)},
        {SANWO_MSEC(400), false, 0, 0},
    };

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, 0xfffff000, 10, 20, true);
        rig_watch(r);
        c->timestamps = 1;
        c->send.peer_mss += 12; /* room for them */
        c->send.rttvar = SANWO_MSEC(10);
        uint32_t before = sw_tcp_timestamp_now(&r->tcp, c->ts_offset);
        if (rows[i].timeout) {
            time_out(r, c);
        } else {
            r->tcp.now += SANWO_MSEC(200);
            rig_sack(r, c, 0, MSS, 5 * MSS);
        }
        check_sends(r, c, 0);
        r->tcp.now += SANWO_MSEC(700);
        stamped_ack(r, c, 6 * MSS, before);
        assert_int_equal(rig_count(r, SANWO_OBSERVE_CONGESTION, SANWO_REASON_UNDO), 1);
        assert_true(drain(r, c) == 0);
        stamped_ack(r, c, 10 * MSS, before); /* the last that was out then: not yet */
        assert_true(c->send.srtt > SANWO_MSEC(100));
        r->tcp.now += rows[i].sample;
        stamped_ack(r, c, 11 * MSS, before);
        if (rows[i].srtt) {
            assert_int_equal(c->send.srtt, rows[i].srtt);
            assert_int_equal(c->send.rttvar, rows[i].rttvar);
            assert_int_equal(c->deadline.retransmit, r->tcp.now + sw_tcp_rto(&r->tcp, c));
        } else {
            assert_true(c->send.srtt != rows[i].sample);
        }
        sanwo_time srtt = c->send.srtt; /* from then on as ever */
        stamped_ack(r, c, 12 * MSS, before);
        assert_int_equal(c->send.srtt, srtt + (rows[i].sample - srtt) / 8);
        rig_end(r);
    }
}

/* ---- D-SACK ------------------------------------------------------------------------------ */

/* RFC3708-3-1: each of what was sent again is reported as a duplicate: then none of it was lost. */
static void test_duplicates_reported(void **state)
{
    (void)state;
    for (uint32_t reported = 0; reported <= 2; reported++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, 0xfffff000, 10, 0, true);
        rig_watch(r);
        r->tcp.now += SANWO_MSEC(100);
        rig_sack(r, c, 0, 2 * MSS, 7 * MSS);
        assert_int_equal(c->in_recovery, 1);
        uint32_t again = drain(r, c);
        for (int i = 0; i < 8 && again < 2; i++) { /* as slowly as the reduction lets them */
            rig_sack(r, c, 0, 2 * MSS, (8 + (uint32_t)i) * MSS);
            again += drain(r, c);
        }
        assert_int_equal(again, 2);
        rig_sack(r, c, 10 * MSS, 0, 0);
        assert_int_equal(c->in_recovery, 0);
        for (uint32_t i = 0; i < reported; i++)
            rig_sack(r, c, 10 * MSS, i * MSS, (i + 1) * MSS);
        unsigned undone = rig_count(r, SANWO_OBSERVE_CONGESTION, SANWO_REASON_UNDO);
        assert_int_equal(undone, reported == 2);
        assert_int_equal(sw_tcp_sending(&r->tcp, c)->undo.dsack_seen, reported != 0);
        if (reported == 2)
            check_undone(r, c, 10 * MSS);
        rig_end(r);
    }
}

/*
 * RFC 3708 3 (A.1), RFC 3522 3.3: all that was out had arrived, and every ACK was lost. The way back is
 * full: cwnd stays reduced. Where an ACK came before the report, it was only a delay.
 */
static void test_all_acks_were_lost(void **state)
{
    (void)state;
    for (int timestamps = 0; timestamps < 2; timestamps++) {
        for (int delay = 0; delay < 2; delay++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = in_flight(r, 0xfffff000, 10, 0, true);
            rig_watch(r);
            c->timestamps = timestamps;
            uint32_t before = sw_tcp_timestamp_now(&r->tcp, c->ts_offset);
            time_out(r, c);
            check_sends(r, c, 0);
            if (delay)
                rig_sack(r, c, 10 * MSS, 0, 0);
            struct tcp_segment seg = rig_report(r, c, 10 * MSS, 0, MSS);
            seg.options.timestamps = timestamps;
            seg.options.ts_echo = before;
            assert_int_equal(sw_tcp_process_ack(&r->tcp, c, &seg), TCP_CONTINUE);
            unsigned undone = rig_count(r, SANWO_OBSERVE_CONGESTION, SANWO_REASON_UNDO);
            if (undone != (unsigned)delay)
                fail_msg("timestamps %d, %s: undone %u times", timestamps,
                         delay ? "a delay" : "no ACKs", undone);
            rig_end(r);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frto_finds_a_delay),
        cmocka_unit_test(test_frto_finds_a_loss),
        cmocka_unit_test(test_frto_beyond_recover),
        cmocka_unit_test(test_frto_by_sack),
        cmocka_unit_test(test_frto_needs_new_data),
        cmocka_unit_test(test_frto_and_another_time_out),
        cmocka_unit_test(test_recovery_may_follow),
        cmocka_unit_test(test_what_is_out_is_borne),
        cmocka_unit_test(test_timestamps),
        cmocka_unit_test(test_timestamps_when_all_is_acknowledged),
        cmocka_unit_test(test_a_mark_stays),
        cmocka_unit_test(test_timer_after_a_time_out),
        cmocka_unit_test(test_duplicates_reported),
        cmocka_unit_test(test_all_acks_were_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
