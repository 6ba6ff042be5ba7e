/*
 * bbr_box.h - BBR alone, told of round trips of any size: what it makes of single events.
 */
#ifndef TESTS_UNIT_BBR_BOX_H
#define TESTS_UNIT_BBR_BOX_H

#include "base/bytes.h"
#include "tcp/congestion/bbr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MSS 1448u

static const struct tcp_cc_ops *const ops = &sw_tcp_cc_bbr;

struct box {
    struct tcp_cc cc;
    struct bbr bbr;
    struct tcp_cc_ack ack;
};

static struct box box_new(uint32_t cwnd, sanwo_time now)
{
    struct box box = {.cc = {.mss = MSS, .cwnd = cwnd, .ssthresh = UINT32_MAX}};

    ops->init(&box.cc, &box.bbr, now);
    box.ack.now = now;
    return box;
}

/* A round trip of @rtt, in which @bytes were delivered. */
static void box_round(struct box *box, uint32_t bytes, sanwo_time rtt)
{
    struct tcp_cc_ack *ack = &box->ack;
    uint64_t before = ack->delivered_in_all;

    ack->now += rtt;
    ack->delivered = ack->acked = bytes;
    ack->delivered_in_all += bytes;
    ack->in_flight = bytes;
    ack->cwnd_limited = true;
    ack->recovering = box->bbr.recovering;
    ack->rtt = ack->srtt = ack->min_rtt = rtt;
    ack->rate = (struct tcp_rate_sample){
        .valid = true,
        .delivered = bytes,
        .interval = rtt,
        .prior_delivered = before,
        .tx_in_flight = bytes,
        .lost = ack->lost,
    };
    if (ack->lost)
        ops->on_lost(&box->cc, &box->bbr, &ack->rate, ack->lost, ack->now);
    ops->on_ack(&box->cc, &box->bbr, ack);
    ack->lost = 0;
}

/* At @rate bytes a second, until the phase is @phase. */
static void box_reach(struct box *box, enum bbr_phase phase, uint64_t rate)
{
    sanwo_time rtt = SANWO_MSEC(10);

    for (int i = 0; i < 2000 && box->bbr.phase != phase; i++)
        box_round(box, (uint32_t)(rate / 100), rtt);
    assert_int_equal(box->bbr.phase, phase);
}

/* Startup, in recovery, with losses in @events ACKs of a round trip and a tenth of the next lost. */
static void lose_in_startup(struct box *box, unsigned events)
{
    ops->on_congestion(&box->cc, &box->bbr, TCP_CC_LOSS, box->cc.cwnd, box->ack.now);
    box->ack.recovering = true;
    box->ack.rate.prior_delivered = 0; /* not the next round yet */
    for (unsigned k = 0; k < events; k++) {
        ops->on_lost(&box->cc, &box->bbr, &box->ack.rate, MSS, box->ack.now);
        ops->on_ack(&box->cc, &box->bbr, &box->ack);
    }
    box->ack.lost = 20 * MSS;
    box_round(box, 300000, SANWO_MSEC(10));
}

#endif
