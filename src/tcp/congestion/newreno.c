/*
 * newreno.c - Slow start and congestion avoidance of RFC 5681, counting bytes (RFC 3465).
 *
 * Fast recovery itself is in recovery/: here is only what happens to cwnd and ssthresh.
 */
#include "base/bytes.h"
#include "tcp/congestion/congestion.h"

struct newreno {
    uint32_t acked;      /* bytes since cwnd last grew in congestion avoidance (RFC 3465 2.1) */
    uint32_t prior_cwnd; /* before the last reduction, to undo it ... */
    uint32_t prior_ssthresh;
    uint32_t spare;
};

static void newreno_init(struct tcp_cc *cc, void *state, sanwo_time now)
{
    (void)now;
    *(struct newreno *)state =
        (struct newreno){.prior_cwnd = cc->cwnd, .prior_ssthresh = cc->ssthresh};
}

static void newreno_on_ack(struct tcp_cc *cc, void *state, const struct tcp_cc_ack *ack)
{
    struct newreno *n = state;
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
    n->acked += ack->acked;
    if (n->acked >= cc->cwnd) {
        n->acked -= cc->cwnd;
        cc->cwnd += cc->mss;
    }
}

static void remember(const struct tcp_cc *cc, struct newreno *n)
{
    n->prior_cwnd = cc->cwnd;
    n->prior_ssthresh = cc->ssthresh;
    n->acked = 0;
}

static void newreno_on_congestion(struct tcp_cc *cc, void *state, enum tcp_cc_sign sign,
                                  uint32_t outstanding, sanwo_time now)
{
    (void)now;
    struct newreno *n = state;
    remember(cc, n);
    if (sign == TCP_CC_ECN) /* a mark is never a mistake */
        n->prior_cwnd = n->prior_ssthresh = 0;
    cc->ssthresh = sw_tcp_cc_half(cc, outstanding);
    cc->cwnd = cc->ssthresh;
}

/* RFC5681-3.1-5. */
static void newreno_on_timeout(struct tcp_cc *cc, void *state, uint32_t outstanding, bool first,
                               sanwo_time now)
{
    (void)now;
    if (first) { /* a second time-out of the same segment leaves ssthresh alone */
        remember(cc, state);
        cc->ssthresh = sw_tcp_cc_half(cc, outstanding);
    }
    cc->cwnd = cc->mss; /* the loss window, RFC 5681 3.1 */
    ((struct newreno *)state)->acked = 0;
}

static void newreno_undo(struct tcp_cc *cc, void *state)
{
    const struct newreno *n = state;
    cc->cwnd = sw_max32(cc->cwnd, n->prior_cwnd);
    cc->ssthresh = sw_max32(cc->ssthresh, n->prior_ssthresh);
}

const struct tcp_cc_ops sw_tcp_cc_newreno = {
    .name = "newreno",
    .state_size = sizeof(struct newreno),
    .init = newreno_init,
    .on_ack = newreno_on_ack,
    .on_congestion = newreno_on_congestion,
    .on_timeout = newreno_on_timeout,
    .undo = newreno_undo,
};
