/*
 * newreno.c - Slow start and congestion avoidance of RFC 5681, counting bytes (RFC 3465).
 *
 * Fast recovery itself is in recovery/: here is only what happens to cwnd and ssthresh.
 */
#include "base/bytes.h"
#include "tcp/congestion/congestion.h"

#define CWND_LIMIT (UINT32_C(1) << 30)

static void newreno_init(struct tcp_cc *cc)
{
    cc->state.newreno.acked = 0;
}

static void newreno_on_ack(struct tcp_cc *cc, const struct tcp_cc_ack *ack)
{
    if (!ack->cwnd_limited || cc->cwnd >= CWND_LIMIT)
        return;
    if (cc->cwnd < cc->ssthresh) {
        /*
         * RFC 5681 3.1 equation (2): at most SMSS an ACK; RFC 3465 2.2 lets L be larger where one ACK
         * stands for many segments. Growth follows bytes, never the count of ACKs (attack B-20), and never
         * passes ssthresh.
         */
        cc->cwnd += sw_min32(ack->acked, cc->ssthresh - cc->cwnd);
        return;
    }
    /* RFC 5681 3.1, congestion avoidance: one SMSS a cwnd of bytes acknowledged (RFC 3465 2.1). */
    cc->state.newreno.acked += ack->acked;
    if (cc->state.newreno.acked >= cc->cwnd) {
        cc->state.newreno.acked -= cc->cwnd;
        cc->cwnd += cc->mss;
    }
}

/* RFC 5681 3.1 equation (4). */
static uint32_t half_flight(const struct tcp_cc *cc, uint32_t in_flight)
{
    return sw_max32(in_flight / 2, 2u * cc->mss);
}

static void newreno_on_congestion(struct tcp_cc *cc, uint32_t in_flight, sanwo_time now)
{
    (void)now;
    cc->ssthresh = half_flight(cc, in_flight);
    cc->cwnd = cc->ssthresh;
    cc->state.newreno.acked = 0;
}

/* RFC5681-3.1-5. */
static void newreno_on_timeout(struct tcp_cc *cc, uint32_t in_flight, bool first, sanwo_time now)
{
    (void)now;
    if (first) /* a second time-out of the same segment leaves ssthresh alone */
        cc->ssthresh = half_flight(cc, in_flight);
    cc->cwnd = cc->mss; /* the loss window, RFC 5681 3.1 */
    cc->state.newreno.acked = 0;
}

const struct tcp_cc_ops sw_tcp_cc_newreno = {
    .name = "newreno",
    .init = newreno_init,
    .on_ack = newreno_on_ack,
    .on_congestion = newreno_on_congestion,
    .on_timeout = newreno_on_timeout,
};
