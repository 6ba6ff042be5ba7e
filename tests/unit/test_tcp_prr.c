/*
 * test_tcp_prr.c - Proportional rate reduction (RFC 9937): its steps row by row, its bounds, and the whole
 * of it on connections that lose.
 */
#include "test_tcp_support.h"

#define MSS RIG_MSS
#define RTT SANWO_MSEC(50)

static struct rig_frame frame;

/* In recovery with @in_flight of @outstanding left and the rest lost, to end at @ssthresh. */
static struct tcp_connection *recovering(struct rig *r, uint32_t outstanding, uint32_t in_flight,
                                         uint32_t ssthresh)
{
    struct tcp_connection *c = rig_open(r, 1, 1);

    assert_non_null(sw_tcp_sending_make(&r->tcp, c));
    c->sack = c->in_recovery = 1;
    c->send.in_flight = in_flight;
    c->send.lost = outstanding - in_flight;
    c->cc.ssthresh = ssthresh;
    sw_tcp_prr_begin(&r->tcp, c, outstanding);
    return c;
}

/* What an ACK of @delivered lets out, with the flight as it is after it. */
static uint32_t lets_out(struct rig *r, struct tcp_connection *c, uint32_t delivered, bool safe)
{
    sw_tcp_prr_ack(&r->tcp, c, delivered, safe);
    return c->cc.cwnd - c->send.in_flight;
}

static void sent(struct rig *r, struct tcp_connection *c, uint32_t bytes)
{
    sw_tcp_prr_sent(&r->tcp, c, bytes);
    c->send.in_flight += bytes;
}

/* Twenty segments, one lost, cwnd to be 14 or 10: so many of the 19 ACKs let one out, evenly. */
static void test_proportional(void **state)
{
    (void)state;
    for (uint32_t ssthresh = 10; ssthresh <= 14; ssthresh += 4) {
        struct rig *r = rig_new();
        struct tcp_connection *c = recovering(r, 19 * MSS, 18 * MSS, ssthresh * MSS);
        uint32_t out = 0, gap = 0, longest = 0;
        for (int i = 0; i < 19; i++) {
            if (i) /* recovery began with the first */
                c->send.in_flight -= MSS;
            uint32_t now = lets_out(r, c, MSS, false);
            bool goes = now >= MSS;
            if (goes) {
                sent(r, c, MSS);
                out++;
            }
            gap = goes ? 0 : gap + 1;
            longest = gap > longest ? gap : longest;
            assert_true(now < 2 * MSS);
        }
        assert_in_range(out, 19 * ssthresh / 20, (19 * ssthresh + 19) / 20);
        assert_true(longest <= 2); /* no silence for half a round trip */
        assert_in_range(c->send.in_flight, (ssthresh - 1) * MSS, ssthresh * MSS);
        rig_end(r);
    }
}

/* RFC 9937 6.2, row by row: what was delivered and sent before, and what one more ACK lets out. */
static void test_rows(void **state)
{
    (void)state;
    const struct {
        uint32_t recover_fs, ssthresh, delivered, out, in_flight; /* before, in bytes */
        uint32_t acked;
        bool safe;
        uint32_t goes;
    } rows[] = {
        /* above ssthresh: ceil(prr_delivered * ssthresh / RecoverFS) - prr_out */
        {20000, 10000, 0, 0, 18000, 1000, false, 1000}, /* the fast retransmit itself */
        {20000, 10000, 0, 1000, 18000, 1000, false, 0},
        {20000, 10000, 5000, 2000, 15000, 1000, false, 1000},
        {20000, 10000, 5000, 1, 15000, 1000, true, 2999},
        {20001, 10000, 0, 1, 18000, 1000, false, 499}, /* rounded up */
        {3, 10000, 0, 1, 18000, 1, false, 3333},
        /* at and below it: what was delivered and not made up for yet, in all no more than ssthresh */
        {20000, 10000, 9000, 5000, 10000, 1000, false, 0},
        {20000, 10000, 9000, 5000, 9000, 1000, false, 1000},
        {20000, 10000, 9000, 5000, 2000, 1000, false, 5000},
        {20000, 10000, 5000, 5000, 2000, 1000, false, 1000}, /* conservative */
        {20000, 10000, 5000, 5000, 2000, 1000, true, 2000},  /* slow start */
        {20000, 10000, 5000, 9000, 2000, 1000, false, 1000}, /* as much as this one delivered */
        {20000, 10000, 5000, 9000, 2000, 1000, true, 2000},
        {20000, 10000, 5000, 9000, 9500, 1000, true, 500},
        {20000, 10000, 0, 9000, 2000, 0, false, 0}, /* a timer found losses: nothing came */
        {20000, 10000, 0, 0, 2000, 0, false, 1000}, /* but one goes in any case */
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c =
            recovering(r, rows[i].recover_fs, rows[i].in_flight, rows[i].ssthresh);
        struct tcp_prr *prr = &sw_tcp_sending(&r->tcp, c)->prr;
        prr->recover_fs = rows[i].recover_fs;
        prr->delivered = rows[i].delivered;
        prr->out = rows[i].out;
        uint32_t goes = lets_out(r, c, rows[i].acked, rows[i].safe);
        if (goes != rows[i].goes)
            fail_msg("row %zu: %u go", i, goes);
        rig_end(r);
    }
}

/*
 * RFC 9937 6.1: what was SACKed before recovery began will not be delivered in it, what came with the ACK
 * that it began with was. Of 20 segments 1 is lost; @before are SACKed, then @now more.
 */
static void test_what_is_to_be_delivered(void **state)
{
    (void)state;
    const struct {
        uint32_t before, now;
    } rows[] = {{0, 3}, {2, 1}, {9, 1}, {0, 19}, {18, 1}, {4, 0}};

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 1, 1);
        assert_non_null(sw_tcp_sending_make(&r->tcp, c));
        c->sack = c->in_recovery = 1;
        c->send.lost = MSS;
        c->send.in_flight = (19 - rows[i].before - rows[i].now) * MSS;
        c->cc.ssthresh = 10 * MSS;
        sw_tcp_prr_begin(&r->tcp, c, 20 * MSS);
        const struct tcp_prr *prr = &sw_tcp_sending(&r->tcp, c)->prr;
        for (uint32_t ack = 0; ack < 3; ack++) { /* the later ones change nothing */
            sw_tcp_prr_ack(&r->tcp, c, (ack ? 1 : rows[i].now) * MSS, false);
            if (prr->recover_fs != (20 - rows[i].before) * MSS)
                fail_msg("row %zu, ACK %u: %u", i, ack, prr->recover_fs);
            sent(r, c, MSS);
        }
        rig_end(r);
    }
}

/* Whatever comes: below ssthresh no more than that is in flight, above no more goes than came. */
static void test_bounds(void **state)
{
    (void)state;
    struct dice d = dice_of(__func__);

    for (int life = 0; life < 300; life++) {
        struct rig *r = rig_new();
        uint32_t flight = MSS * (4 + roll(&d, 10000)), ssthresh = 2 * MSS + roll(&d, flight);
        struct tcp_connection *c = recovering(r, flight, flight, ssthresh);
        for (int i = 0; i < 60; i++) {
            uint32_t away = roll(&d, c->send.in_flight / 4 + 2), delivered = roll(&d, away + 1);
            away = away < c->send.in_flight ? away : c->send.in_flight;
            delivered = delivered < away ? delivered : away;
            c->send.in_flight -= away; /* delivered, or lost */
            uint32_t before = c->send.in_flight, goes = lets_out(r, c, delivered, roll(&d, 2));
            assert_true(c->cc.cwnd >= MSS);
            if (before + goes > ssthresh && goes > MSS)
                assert_true(before > ssthresh && goes <= sw_tcp_sending(&r->tcp, c)->prr.delivered);
            sent(r, c, goes / MSS * MSS);
        }
        rig_end(r);
    }
}

/*
 * On the wire: of 40 segments the first is lost. In the round trip that follows half as many leave as
 * arrived, spread over it, and at its end cwnd is ssthresh. RFC 9937 6.
 */
static void test_a_round_trip(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xfffff000, 1);
    uint32_t sent_again = 0, news = 0;

    r->tcp.config.pacing = r->tcp.config.tail_loss_probe = false;
    c->sack = 1;
    c->cc.cwnd = 40 * MSS;
    c->send.srtt = c->send.min_rtt = RTT;
    rig_send(r, c, 120 * MSS);
    while (rig_output(r, c, &frame))
        ;
    r->tcp.now += RTT;
    for (uint32_t i = 1; i < 40; i++) {
        r->tcp.now += SANWO_MSEC(1);
        rig_sack(r, c, 0, MSS, (i + 1) * MSS);
        if (c->in_recovery) /* limited transmit let two out, and two were SACKed before (6.1) */
            assert_int_equal(sw_tcp_sending(&r->tcp, c)->prr.recover_fs, 40 * MSS);
        uint32_t again = c->retransmitted, frames = 0;
        while (rig_output(r, c, &frame))
            frames++;
        assert_true(frames <= 2);
        sent_again += c->retransmitted - again;
        news += frames - (c->retransmitted - again);
        rig_check_records(r, c);
    }
    assert_int_equal(c->in_recovery, 1);
    assert_int_equal(c->cc.ssthresh, 20 * MSS);
    assert_int_equal(sent_again, 1);
    assert_in_range(news, 18, 21); /* limited transmit let two of them out before */
    assert_in_range(c->send.in_flight, 19 * MSS, 21 * MSS);
    r->tcp.now += SANWO_MSEC(10);
    rig_sack(r, c, 40 * MSS + news * MSS, 0, 0);
    assert_int_equal(c->in_recovery, 0);
    assert_in_range(c->cc.cwnd, 20 * MSS, 21 * MSS);
    rig_end(r);
}

/* Losses that RACK's timer finds are no reason for a burst: nothing arrived meanwhile. */
static void test_timer_lets_no_burst_out(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xfffff000, 1);

    r->tcp.config.pacing = r->tcp.config.tail_loss_probe = false;
    c->sack = c->reordering_seen = 1;
    c->cc.cwnd = 40 * MSS;
    c->send.srtt = c->send.min_rtt = RTT;
    rig_send(r, c, 80 * MSS);
    while (rig_output(r, c, &frame))
        ;
    r->tcp.now += RTT;
    rig_sack(r, c, 0, 39 * MSS, 40 * MSS); /* all before it are late, or lost */
    while (rig_output(r, c, &frame))
        ;
    assert_int_equal(c->in_recovery, 0);
    rig_run(r, rig_sending(r, c).rack.deadline + 2048);
    assert_int_equal(c->in_recovery, 1);
    assert_true(c->send.lost >= 39 * MSS);
    uint32_t frames = 0;
    while (rig_output(r, c, &frame))
        frames++;
    assert_in_range(frames, 1, 2);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proportional),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_what_is_to_be_delivered),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_a_round_trip),
        cmocka_unit_test(test_timer_lets_no_burst_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
