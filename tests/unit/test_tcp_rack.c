/*
 * test_tcp_rack.c - Loss by time (RFC 8985 6.2): who is overdue, the reordering window, its timer.
 */
#include "test_tcp_support.h"

#define MSS RIG_MSS
#define RTT SANWO_MSEC(100)

/* Ten segments a millisecond apart, SACK agreed, a round trip of 100 ms; now is one RTT later. */
static struct tcp_connection *in_flight(struct rig *r, uint32_t snd)
{
    struct tcp_connection *c = rig_open(r, snd, 1);

    c->sack = 1;
    c->send.srtt = c->send.min_rtt = RTT;
    for (int i = 0; i < 10; i++) {
        assert_true(sw_tcp_records_push(&r->tcp, c, MSS));
        c->send.snd_nxt = tcp_seq_add(c->send.snd_nxt, MSS);
        r->tcp.now += SANWO_MSEC(1);
    }
    c->send.snd_end = c->send.snd_nxt;
    r->tcp.now += RTT - SANWO_MSEC(10);
    return c;
}

/* Segment @i is reported at @at after the start of the test, by an ACK that began before. */
static void delivered_too(struct rig *r, struct tcp_connection *c, uint32_t i, sanwo_time at)
{
    struct tcp_segment seg = rig_segment(r, c, 1, TCP_ACK);
    struct tcp_record *record = rig_record(r, c, i);

    seg.arrival = r->tcp.now = RIG_START + at;
    sw_tcp_rack_delivered(&r->tcp, c, record, &seg);
    rig_set_flags(r, c, i, RECORD_SACKED | (record->flags & RECORD_RETRANSMITTED));
}

/* By an ACK of its own. */
static void delivered(struct rig *r, struct tcp_connection *c, uint32_t i, sanwo_time at)
{
    sw_tcp_rack_ack_begins(&r->tcp, c);
    delivered_too(r, c, i, at);
}

/* The records deemed lost, as bits. */
static unsigned lost_bits(const struct rig *r, const struct tcp_connection *c)
{
    return (unsigned)rig_bits(r, c, RECORD_LOST);
}

static const uint32_t starts[] = {1000, 0xffffffff, 0xffffec78, 0x7ffff000};

/*
 * One report is no proof yet: a quarter of the RTT for reordering; three are, at once.
 * RFC8985-6.2-1.
 * RFC8985-4-1.
 */
static void test_window(void **state)
{
    (void)state;
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, starts[s]);
        delivered(r, c, 3, RTT + SANWO_MSEC(3));
        assert_int_equal(sw_tcp_rack_detect(&r->tcp, c).bytes, 0);
        sanwo_time deadline = rig_sending(r, c).rack.deadline;
        assert_int_equal(deadline, RIG_START + SANWO_MSEC(2) + RTT + RTT / 4); /* of the last */
        r->tcp.now = RIG_START + RTT + RTT / 4 + SANWO_MSEC(1);
        assert_int_equal(sw_tcp_rack_detect(&r->tcp, c).bytes, 2 * MSS); /* 0 and 1; 2 not yet */
        assert_int_equal(lost_bits(r, c), 0x3);
        r->tcp.now = deadline;
        assert_int_equal(sw_tcp_rack_detect(&r->tcp, c).bytes, MSS);
        assert_int_equal(lost_bits(r, c), 0x7);
        assert_int_equal(rig_sending(r, c).rack.deadline, SANWO_TIME_NEVER);
        rig_check_records(r, c);
        rig_end(r);
    }
}

/* RFC8985-6.2-1. */
static void test_three_reports(void **state)
{
    (void)state;
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, starts[s]);
        delivered(r, c, 2, RTT + SANWO_MSEC(2));
        delivered(r, c, 3, RTT + SANWO_MSEC(3));
        assert_int_equal(sw_tcp_rack_detect(&r->tcp, c).bytes, 0);
        delivered(r, c, 4, RTT + SANWO_MSEC(4));
        assert_int_equal(sw_tcp_rack_detect(&r->tcp, c).bytes, 2 * MSS);
        assert_int_equal(lost_bits(r, c), 0x3);
        rig_end(r);
    }
}

/*
 * Nothing sent after what arrived is judged, and nothing at all before anything arrived.
 * RFC8985-4-1.
 */
static void test_only_what_was_sent_before(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xfffff000);

    r->tcp.now += SANWO_SEC(10);
    assert_int_equal(sw_tcp_rack_detect(&r->tcp, c).bytes, 0);
    delivered(r, c, 0, SANWO_SEC(10));
    assert_int_equal(sw_tcp_rack_detect(&r->tcp, c).bytes, 0);
    assert_int_equal(lost_bits(r, c), 0);
    rig_end(r);
}

/* Once reordering was seen, three reports are no proof any more: time alone is. RFC8985-6.2-1. */
static void test_reordering_seen(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xfffff000);

    delivered(r, c, 5, RTT + SANWO_MSEC(5));
    assert_int_equal(c->reordering_seen, 0);
    delivered(r, c, 2, RTT + SANWO_MSEC(6)); /* sent before, arrived after, never sent again */
    assert_int_equal(c->reordering_seen, 1);
    delivered(r, c, 6, RTT + SANWO_MSEC(6));
    delivered(r, c, 7, RTT + SANWO_MSEC(7));
    assert_int_equal(sw_tcp_rack_detect(&r->tcp, c).bytes, 0);
    assert_true(rig_sending(r, c).rack.deadline != SANWO_TIME_NEVER);
    rig_end(r);
}

/* Step 2: an answer quicker than any before belongs to the first transmission, so says nothing. */
static void test_ambiguous_retransmission(void **state)
{
    (void)state;
    const struct {
        sanwo_time after; /* the retransmission, the report came */
        unsigned lost;
    } rows[] = {{RTT / 2, 0}, {RTT - 1, 0}, {RTT, 0x3fe}};

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, 0xffffff00);
        sanwo_time again = SANWO_SEC(2);
        r->tcp.now = RIG_START + again;
        rig_sent_again(r, c, 0);
        delivered(r, c, 0, again + rows[i].after);
        c->in_recovery = 1; /* so the window is zero */
        sw_tcp_rack_detect(&r->tcp, c);
        if (lost_bits(r, c) != rows[i].lost)
            fail_msg("row %zu: %x", i, lost_bits(r, c));
        rig_end(r);
    }
}

/*
 * Step 4: a duplicate reported widens the window once a round, up to SRTT; forgotten after 16.
 * RFC8985-6.2-1.
 */
static void test_dsack(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xfffffff0);

    sw_tcp_rack_on_dsack(&r->tcp, c);
    sw_tcp_rack_on_dsack(&r->tcp, c); /* the same round */
    assert_int_equal(c->reo_wnd_mult, 1);
    delivered(r, c, 3, RTT + SANWO_MSEC(3));
    sw_tcp_rack_detect(&r->tcp, c);
    assert_int_equal(rig_sending(r, c).rack.deadline,
                     RIG_START + SANWO_MSEC(2) + RTT + 2 * RTT / 4);
    for (int i = 0; i < 100; i++) { /* round after round */
        struct tcp_rack *rack = &sw_tcp_sending(&r->tcp, c)->rack;
        c->send.snd_una = rack->dsack_round;
        sw_tcp_rack_on_dsack(&r->tcp, c);
        c->send.snd_una = tcp_seq_of(0xfffffff0);
    }
    sw_tcp_rack_detect(&r->tcp, c);
    assert_int_equal(rig_sending(r, c).rack.deadline, RIG_START + SANWO_MSEC(2) + RTT + RTT);
    for (int i = 0; i < 15; i++)
        sw_tcp_rack_on_recovered(c);
    assert_int_not_equal(c->reo_wnd_mult, 0);
    sw_tcp_rack_on_recovered(c);
    assert_int_equal(c->reo_wnd_mult, 0);
    rig_end(r);
}

/* The timer of step 5 fires and what is overdue then is sent again. */
static void test_timer(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xfffff800);

    delivered(r, c, 1, RTT + SANWO_MSEC(1));
    sw_tcp_recovery_detect(&r->tcp, c);
    assert_int_equal(c->in_recovery, 0);
    sanwo_time due = RIG_START + RTT + RTT / 4;
    r->tcp.now = due - 1;
    sw_tcp_run_timers(&r->tcp, r->tcp.now);
    assert_int_equal(c->send.lost, 0);
    r->tcp.now = due + 1024;
    sw_tcp_run_timers(&r->tcp, r->tcp.now);
    assert_int_equal(c->send.lost, MSS);
    assert_int_equal(c->in_recovery, 1);
    assert_int_equal(c->wants_send, 1);
    rig_end(r);
}

/*
 * In one instant a retransmission and a first transmission went out: that the second arrived, whose
 * numbers are higher, does not say that the first was overtaken. (Between two stacks without any
 * delay all of them would be sent again and again, and time would never move.)
 */
static void test_retransmission_in_the_same_instant(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 1000);

    rig_record(r, c, 9)->sent = r->tcp.now; /* the last was sent in this instant ... */
    rig_sent_again(r, c, 0);                /* ... and after it the first one again */
    delivered(r, c, 9, RTT + SANWO_MSEC(50));
    r->tcp.now += SANWO_SEC(1);
    assert_int_equal(sw_tcp_rack_detect(&r->tcp, c).bytes, 8 * MSS);
    assert_int_equal(lost_bits(r, c), 0x1fe);
    rig_end(r);
    r = rig_new(); /* the other way round */
    c = in_flight(r, 1000);
    rig_sent_again(r, c, 0);
    rig_sent_again(r, c, 9);
    delivered(r, c, 9, 3 * RTT);
    r->tcp.now += SANWO_SEC(1);
    assert_int_equal(sw_tcp_rack_detect(&r->tcp, c).bytes, 9 * MSS);
    rig_end(r);
}

/* RFC8985-9.3-2: a retransmission that was lost is told apart, once after cwnd was reduced. */
static void test_lost_again(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, 1000);
        rig_sent_again(r, c, 0);
        struct tcp_rack *rack = &sw_tcp_sending(&r->tcp, c)->rack;
        rack->reduced = r->tcp.now + late; /* sent before the reduction: the same sign */
        r->tcp.now += SANWO_MSEC(1);
        rig_sent_again(r, c, 4);
        delivered(r, c, 4, 3 * RTT);
        r->tcp.now += SANWO_SEC(1);
        struct tcp_losses losses = sw_tcp_rack_detect(&r->tcp, c);
        assert_int_equal(lost_bits(r, c), 0x3ef);
        assert_int_equal(losses.again, !late);
        rig_end(r);
    }
}

/*
 * Step 3: what one ACK delivers counts in the order of its numbers, whatever the order of its blocks
 * (RFC 2018 4: the newest first); what a later ACK delivers below it came late.
 */
static void test_reordering_is_between_acks(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xfffff000);

    delivered(r, c, 7, RTT + SANWO_MSEC(7));
    delivered_too(r, c, 4, RTT + SANWO_MSEC(7));
    delivered_too(r, c, 2, RTT + SANWO_MSEC(7));
    assert_int_equal(c->reordering_seen, 0);
    delivered(r, c, 8, RTT + SANWO_MSEC(8));
    assert_int_equal(c->reordering_seen, 0);
    delivered(r, c, 5, RTT + SANWO_MSEC(9));
    assert_int_equal(c->reordering_seen, 1);
    rig_end(r);
}

/* Step 2: RACK.rtt is of the latest ACK, and there of what was sent last; RACK.xmit_ts never falls. */
static void test_rtt_of_the_latest_ack(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xfffff000);
    struct tcp_rack *rack = &sw_tcp_sending(&r->tcp, c)->rack;

    delivered(r, c, 6, RTT + SANWO_MSEC(6));
    assert_int_equal(rack->rtt, RTT);
    delivered(r, c, 3, RTT + SANWO_MSEC(10));
    delivered_too(r, c, 2, RTT + SANWO_MSEC(10));
    assert_int_equal(rack->rtt, RTT + SANWO_MSEC(7)); /* of 3 */
    assert_int_equal(rack->xmit_ts, RIG_START + SANWO_MSEC(6));
    rig_end(r);
}

/* A duplicate reported when nothing is in flight any more is one all the same. */
static void test_dsack_after_all_was_acknowledged(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);

    sw_tcp_rack_on_dsack(&r->tcp, c);
    assert_int_equal(c->reo_wnd_mult, 1);
    assert_int_equal(c->reo_wnd_persist, 16);
    rig_end(r);
}

/*
 * What was sent once is judged in the order of its numbers, what was sent again in the order in which
 * that was: only what left before the newest that arrived.
 */
static void test_two_orders(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xfffff000);

    rig_sent_again(r, c, 7); /* before what arrives */
    rig_sent_again(r, c, 5);
    rig_sent_again(r, c, 2); /* arrives */
    rig_sent_again(r, c, 6); /* after it */
    rig_sent_again(r, c, 1);
    delivered(r, c, 2, SANWO_SEC(2));
    r->tcp.now += SANWO_SEC(1);
    sw_tcp_rack_detect(&r->tcp, c);
    assert_int_equal(lost_bits(r, c), 0x3b9); /* all but 1, 2 and 6 */
    rig_end(r);
}

/* Sent again, then lost again, then sent again: each time the last transmission counts. */
static void test_sent_again_and_again(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xfffff000);
    sanwo_time at = RTT;

    delivered(r, c, 9, at += SANWO_MSEC(50));
    for (uint32_t i = 0; i < 8; i++) {
        r->tcp.now += RTT;
        sw_tcp_rack_detect(&r->tcp, c);
        assert_int_equal(lost_bits(r, c), i ? 1 : 0x1ff);
        for (uint32_t n = i ? 0 : 8; n < 9; n--)
            rig_sent_again(r, c, n); /* the first one last of all */
        assert_int_equal(lost_bits(r, c), 0);
        sw_tcp_rack_detect(&r->tcp, c);
        assert_int_equal(lost_bits(r, c), 0);
        rig_sent_again(r, c, 1); /* and behind it another, which arrives */
        sw_tcp_rack_ack_begins(&r->tcp, c);
        struct tcp_segment seg = rig_segment(r, c, 1, TCP_ACK);
        r->tcp.now += RTT;
        seg.arrival = r->tcp.now;
        sw_tcp_rack_delivered(&r->tcp, c, rig_record(r, c, 1), &seg);
        for (uint32_t n = 1; n < 9; n++)
            rig_set_flags(r, c, n, RECORD_SACKED | RECORD_RETRANSMITTED);
    }
    assert_int_equal(rig_record(r, c, 0)->transmissions, 9);
    rig_check_records(r, c);
    rig_end(r);
}

/*
 * A super-segment was sent again in one frame; its second segment arrived. What went before it is
 * lost at once, what went after it once something later arrives, though the first part was by then
 * sent a third time. RFC8985-6.2-1.
 */
static void test_parts_of_a_retransmission(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xfffff000, 1);
    struct tcp_place place;

    c->sack = c->in_recovery = 1;
    c->send.srtt = c->send.min_rtt = RTT;
    for (int i = 0; i < 2; i++) {
        assert_true(sw_tcp_records_push(&r->tcp, c, 4 * MSS));
        c->send.snd_nxt = tcp_seq_add(c->send.snd_nxt, 4 * MSS);
    }
    r->tcp.now += SANWO_MSEC(1);
    rig_sent_again(r, c, 0);
    place = rig_place(r, c, 0);
    assert_true(sw_tcp_records_split(&r->tcp, c, &place, 2 * MSS));
    assert_true(sw_tcp_records_split(&r->tcp, c, &place, MSS)); /* 1, 1, 2 and 4 segments */
    delivered(r, c, 1, SANWO_MSEC(1) + RTT);
    sw_tcp_rack_detect(&r->tcp, c);
    assert_int_equal(lost_bits(r, c), 0x9); /* the part before it, and what was sent earlier */
    rig_sent_again(r, c, 3);
    rig_sent_again(r, c, 0); /* after what arrives next */
    delivered(r, c, 3, SANWO_MSEC(1) + 2 * RTT);
    sw_tcp_rack_detect(&r->tcp, c);
    if (lost_bits(r, c) != 0x4)
        fail_msg("lost are %x: 4 is the end of the first retransmission", lost_bits(r, c));
    rig_end(r);
}

/* What was not overdue the last time is looked at again the next, whatever lies before and behind it. */
static void test_nothing_is_passed_over(void **state)
{
    (void)state;
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, starts[s]);
        rig_sent_again(r, c, 0);
        rig_sent_again(r, c, 3);
        delivered(r, c, 8, RTT + SANWO_MSEC(8));
        assert_int_equal(sw_tcp_rack_detect(&r->tcp, c).bytes, 0);
        delivered(r, c, 5, RTT + SANWO_MSEC(8));
        assert_int_equal(sw_tcp_rack_detect(&r->tcp, c).bytes, 0);
        /* the last round trip took 103 ms */
        r->tcp.now = RIG_START + SANWO_MSEC(2 + 103 + 25);
        assert_int_equal(sw_tcp_rack_detect(&r->tcp, c).bytes, 2 * MSS);
        assert_int_equal(lost_bits(r, c), 0x6); /* 1 and 2; 3 was sent again */
        r->tcp.now = rig_sending(r, c).rack.deadline;
        sw_tcp_rack_detect(&r->tcp, c);
        assert_int_equal(lost_bits(r, c), 0xd6);
        rig_end(r);
    }
}

/* B-02: of thousands that may be lost only some are looked at; when the timer is over, all of them. */
static void test_many_wait(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xfffff000, 1);

    c->sack = c->reordering_seen = 1;
    c->send.srtt = c->send.min_rtt = RTT;
    for (int i = 0; i < 3000; i++) {
        assert_true(sw_tcp_records_push(&r->tcp, c, 100));
        c->send.snd_nxt = tcp_seq_add(c->send.snd_nxt, 100);
        r->tcp.now += SANWO_USEC(1);
    }
    for (uint32_t i = 0; i < 1500; i++)
        rig_sent_again(r, c, i);
    r->tcp.now += SANWO_USEC(1);
    rig_sent_again(r, c, 2999);
    delivered(r, c, 2999, 2 * RTT);
    assert_int_equal(sw_tcp_rack_detect(&r->tcp, c).bytes, 0);
    r->tcp.now = rig_sending(r, c).rack.deadline;
    assert_int_equal(sw_tcp_rack_detect(&r->tcp, c).bytes, 299900);
    assert_int_equal(c->send.in_flight, 0);
    rig_check_records(r, c);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_three_reports),
        cmocka_unit_test(test_only_what_was_sent_before),
        cmocka_unit_test(test_reordering_seen),
        cmocka_unit_test(test_ambiguous_retransmission),
        cmocka_unit_test(test_dsack),
        cmocka_unit_test(test_timer),
        cmocka_unit_test(test_retransmission_in_the_same_instant),
        cmocka_unit_test(test_lost_again),
        cmocka_unit_test(test_two_orders),
        cmocka_unit_test(test_sent_again_and_again),
        cmocka_unit_test(test_parts_of_a_retransmission),
        cmocka_unit_test(test_nothing_is_passed_over),
        cmocka_unit_test(test_many_wait),
        cmocka_unit_test(test_reordering_is_between_acks),
        cmocka_unit_test(test_rtt_of_the_latest_ack),
        cmocka_unit_test(test_dsack_after_all_was_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
