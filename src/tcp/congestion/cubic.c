/*
 * cubic.c - CUBIC: cwnd is a function of the time since it was last reduced, not of round trips
 * (RFC 9438).
 *
 *     cwnd < ssthresh      slow start: all that was acknowledged; the first by hystart.c (4.10)
 *     W_cubic(t) < W_est   Reno-friendly: as fast as Reno would be on average     (4.3)
 *     else                 towards W_cubic(t + SRTT), at most half more an RTT    (4.4, 4.5)
 *
 * An epoch begins with the first acknowledgement in congestion avoidance and ends with a loss, a
 * mark or slow start. Its clock stands while cwnd is not what holds the sender back (5.8):
 * otherwise an hour of small writes would end with an enormous window that nobody tried.
 *
 * The loss window is 0.7 (4.6). For a mark 0.85 (RFC 8511 3.1, experimental: queues that mark are
 * short, and so drained by less), but only in congestion avoidance, which is what RFC 8511 is about:
 * slow start overshoots by more than that.
 */
#include "base/bytes.h"
#include "tcp/congestion/congestion.h"
#include "tcp/congestion/cubic_curve.h"
#include "tcp/congestion/hystart.h"
#include "tcp/congestion/queue_watch.h"

#define BETA_LOSS 700 /* thousandths: RFC 9438 4.6 */
#define BETA_MARK 850 /* RFC 8511 3.1 */

#define FRACTION 16 /* bits behind the point of W_est and of alpha */

/* What a reduction changes, and undo brings back: the first of a recovery, if it has several. */
struct epoch {
    sanwo_time begin;   /* t = 0, moved on by the time that does not count */
    sanwo_time last;    /* the newest acknowledgement that was looked at */
    uint64_t w_est;     /* what Reno would have, << FRACTION */
    uint32_t w_max;     /* where the curve is flat; 0: undefined (4.8, 4.10) */
    uint32_t k;         /* 1/65536 s */
    uint32_t alpha;     /* growth of w_est a round trip in segments, << FRACTION */
    uint32_t prior;     /* cwnd_prior: cwnd before the last reduction */
    uint32_t remainder; /* of the last division of growth by cwnd */
    uint16_t beta;      /* of the last reduction, thousandths */
    bool running;
    bool recovering; /* cwnd is where PRR has it, on its way to ssthresh */
    bool timed_out;  /* cwnd grows although the connection is recovering */
    bool limited;    /* by cwnd, at `last` */
    bool reduced;    /* a loss or a mark was seen */
};

struct cubic {
    struct epoch now, before;
    uint32_t cwnd_before; /* of `before`; 0: nothing to undo */
    uint32_t ssthresh_before;
    struct hystart hystart;
    struct queue_watch queue; /* until the first loss */
};

_Static_assert(sizeof(struct cubic) <= TCP_CC_STATE_MAX, "more than the caller lends");

static void cubic_init(struct tcp_cc *cc, void *state, sanwo_time now)
{
    (void)cc;
    struct cubic *c = state;
    *c = (struct cubic){.now = {.beta = BETA_LOSS, .last = now}};
    sw_tcp_hystart_init(&c->hystart);
}

/*
 * RFC 9438 4.3: with alpha segments a round trip and beta, the average window is Reno's. From where
 * the last reduction was on, alpha is 1. For a mark beta is another, and so is alpha.
 */
static uint32_t alpha_of(uint32_t beta)
{
    return (3 * (1000 - beta) << FRACTION) / (1000 + beta); /* 900 << 16 */
}

static void begin_epoch(const struct tcp_cc *cc, struct epoch *e, sanwo_time now)
{
    /* 4.8, 4.10: after a time-out, or where slow start ended without a loss, W_max is undefined: K
     * is 0 and the curve starts flat. Where cwnd is past W_max the same. */
    if (!e->w_max)
        e->prior = sw_max32(e->prior, cc->cwnd);
    e->w_max = sw_max32(e->w_max, cc->cwnd);
    e->k = sw_tcp_cubic_period(e->w_max - cc->cwnd, cc->mss);
    e->w_est = (uint64_t)cc->cwnd << FRACTION;
    e->alpha = alpha_of(e->beta);
    e->remainder = 0;
    e->begin = e->last = now;
    e->running = true;
}

static void grow_reno(const struct tcp_cc *cc, struct epoch *e, uint32_t bytes)
{
    if (e->w_est >> FRACTION >= e->prior)
        e->alpha = UINT32_C(1) << FRACTION;
    /* 2^30 bytes * 2^16 * 2^16 */
    e->w_est += (uint64_t)bytes * cc->mss * e->alpha / sw_max32(cc->cwnd, 1);
    if (e->w_est > (uint64_t)CWND_LIMIT << FRACTION)
        e->w_est = (uint64_t)CWND_LIMIT << FRACTION;
}

/* 4.4, 4.5: (target - cwnd) / cwnd for each byte acknowledged: there after a round trip. RFC9438-4-1 */
static void grow_cubic(struct tcp_cc *cc, struct epoch *e, uint32_t bytes, uint32_t target)
{
    target = sw_min32(target, cc->cwnd + cc->cwnd / 2); /* 4.2 */
    if (target <= cc->cwnd)
        return;
    uint64_t growth = (uint64_t)(target - cc->cwnd) * bytes + e->remainder; /* 2^29 * 2^30 */
    e->remainder = (uint32_t)(growth % cc->cwnd);
    cc->cwnd += (uint32_t)(growth / cc->cwnd); /* bytes <= cwnd: not past the target */
}

/*
 * Slow start was left though nothing was lost yet: W_max is unknown and the curve would stay flat for
 * seconds. As elsewhere (Linux) cwnd then grows by a twentieth a round trip at least; but not while a
 * queue stands that nobody else fills, for then the path is full.
 */
static uint32_t probing_target(const struct tcp_cc *cc, const struct epoch *e, sanwo_time t,
                               bool full)
{
    uint32_t curve = sw_tcp_cubic_window(t, e->k, e->w_max, cc->mss);
    uint32_t reno = (uint32_t)(e->w_est >> FRACTION);
    return sw_max32(sw_max32(curve, reno), full ? 0 : cc->cwnd + cc->cwnd / 20);
}

static void avoid_congestion(struct tcp_cc *cc, struct cubic *c, const struct tcp_cc_ack *ack,
                             uint32_t bytes)
{
    struct epoch *e = &c->now;
    if (!e->running)
        begin_epoch(cc, e, ack->now);
    if (!ack->cwnd_limited)
        e->begin += ack->now - e->last;
    e->last = ack->now;
    /* What ends a recovery may acknowledge several windows at once; it tells of one round trip. */
    bytes = sw_min32(bytes, cc->cwnd);
    if (!bytes)
        return;
    sanwo_time t = ack->now - e->begin;
    grow_reno(cc, e, bytes);
    if (!e->reduced) {
        bool full = sw_tcp_queue_is_ours(&c->queue, ack, cc->cwnd);
        grow_cubic(cc, e, bytes, probing_target(cc, e, t + ack->srtt, full));
        return;
    }
    if (sw_tcp_cubic_window(t, e->k, e->w_max, cc->mss) < e->w_est >> FRACTION)
        cc->cwnd = sw_max32(cc->cwnd, (uint32_t)(e->w_est >> FRACTION));
    else
        grow_cubic(cc, e, bytes, sw_tcp_cubic_window(t + ack->srtt, e->k, e->w_max, cc->mss));
}

/* Returns what of @bytes is left for congestion avoidance. HyStart++: RFC9438-5-1. */
static uint32_t slow_start(struct tcp_cc *cc, struct cubic *c, const struct tcp_cc_ack *ack,
                           uint32_t bytes)
{
    c->now.running = false;
    if (cc->ssthresh != UINT32_MAX) {
        uint32_t growth = sw_min32(bytes, cc->ssthresh - cc->cwnd);
        cc->cwnd += growth;
        return bytes - growth;
    }
    cc->cwnd += sw_tcp_hystart_on_ack(&c->hystart, ack, cc->cwnd, bytes);
    if (sw_tcp_hystart_is_over(&c->hystart)) {
        if (c->hystart.window)
            cc->cwnd = sw_min32(cc->cwnd, c->hystart.window);
        cc->ssthresh = cc->cwnd;
    }
    return 0;
}

/*
 * The bytes by which an ACK counts. RFC 3465 2.3 wants one segment at most where one ACK may stand
 * for much that had arrived before a time-out: what it delivered says that exactly.
 */
static uint32_t bytes_counted(const struct epoch *e, const struct tcp_cc_ack *ack)
{
    if (!ack->cwnd_limited)
        return 0; /* RFC 7661 4.3 */
    uint32_t bytes = e->timed_out ? sw_min32(ack->acked, ack->delivered) : ack->acked;
    return sw_min32(bytes, CWND_LIMIT);
}

static void cubic_on_ack(struct tcp_cc *cc, void *state, const struct tcp_cc_ack *ack)
{
    struct cubic *c = state;
    struct epoch *e = &c->now;
    if (ack->recovering && !e->timed_out)
        return; /* fast recovery: where cwnd is to end is settled */
    uint32_t bytes = bytes_counted(e, ack);
    e->limited = ack->cwnd_limited;
    e->timed_out &= ack->recovering; /* the ACK that ends it still counts as one within */
    e->recovering = false;
    if (cc->cwnd < cc->ssthresh)
        bytes = slow_start(cc, c, ack, bytes);
    if (cc->cwnd >= cc->ssthresh)
        avoid_congestion(cc, c, ack, bytes);
    cc->cwnd = sw_min32(cc->cwnd, CWND_LIMIT);
}

static void remember(const struct tcp_cc *cc, struct cubic *c)
{
    c->before = c->now;
    c->cwnd_before = c->now.recovering ? sw_max32(cc->cwnd, cc->ssthresh) : cc->cwnd;
    c->ssthresh_before = cc->ssthresh;
}

/*
 * 4.6: cwnd, where that was in use; otherwise it says nothing of the path, and FlightSize counts.
 * In recovery neither does, as both shrink on the way to ssthresh.
 */
static uint32_t window_in_use(const struct tcp_cc *cc, const struct epoch *e, uint32_t outstanding)
{
    if (e->recovering)
        return sw_max32(cc->cwnd, cc->ssthresh);
    return e->limited ? cc->cwnd : sw_min32(outstanding, cc->cwnd);
}

static uint32_t thousandths(uint32_t bytes, uint32_t n)
{
    return (uint32_t)((uint64_t)bytes * n / 1000);
}

static void cubic_on_congestion(struct tcp_cc *cc, void *state, enum tcp_cc_sign sign,
                                uint32_t outstanding, sanwo_time now)
{
    (void)now;
    struct cubic *c = state;
    struct epoch *e = &c->now;
    uint32_t window = window_in_use(cc, e, outstanding);
    uint16_t beta = sign == TCP_CC_ECN && cc->cwnd >= cc->ssthresh ? BETA_MARK : BETA_LOSS;
    if (!e->recovering) {
        remember(cc, c);
        if (sign == TCP_CC_ECN) /* a mark is never a mistake */
            c->cwnd_before = 0;
        /* 4.7, fast convergence: less than last time, so another flow has come, and is let in. */
        e->w_max = window < e->w_max ? thousandths(window, (1000 + beta) / 2) : window;
        e->prior = window;
    } /* else what was sent again is lost too: what the path bore is known already */
    e->beta = beta;
    e->reduced = true;
    e->running = false;
    if (sign == TCP_CC_LOSS) {
        e->timed_out = false;
        e->recovering = true;
    }
    uint32_t reduced = thousandths(window, beta);
    /* RFC9438-4.6-1 */
    cc->ssthresh = sw_max32(reduced, 2u * cc->mss);
    cc->cwnd = sign == TCP_CC_ECN ? sw_max32(reduced, cc->mss) : cc->ssthresh; /* 4.6 */
}

/* 4.8. RFC5681-3.1-5. */
static void cubic_on_timeout(struct tcp_cc *cc, void *state, uint32_t outstanding, bool first,
                             sanwo_time now)
{
    (void)now;
    struct cubic *c = state;
    struct epoch *e = &c->now;
    if (first) { /* a second time-out of the same segment leaves ssthresh alone */
        uint32_t window = window_in_use(cc, e, outstanding);
        remember(cc, c);
        cc->ssthresh = sw_max32(thousandths(window, BETA_LOSS), 2u * cc->mss);
        e->prior = window;
        e->beta = BETA_LOSS;
    }
    e->w_max = 0;
    e->reduced = true;
    e->running = false;
    e->recovering = false;
    e->timed_out = true;
    cc->cwnd = cc->mss; /* the loss window, RFC 5681 3.1 */
}

/*
 * 4.9.2: all is as it would be without, the curve's clock too: t_epoch is what it was. Told of it late,
 * when cwnd is back where it was by itself, the newer curve is kept.
 */
static void cubic_undo(struct tcp_cc *cc, void *state)
{
    struct cubic *c = state;
    bool late = !c->now.recovering && !c->now.timed_out;
    if (c->cwnd_before && !(late && cc->cwnd >= c->cwnd_before)) {
        c->now = c->before;
        cc->cwnd = sw_max32(cc->cwnd, c->cwnd_before);
        cc->ssthresh = sw_max32(cc->ssthresh, c->ssthresh_before);
    }
    c->now.recovering = false;
    c->cwnd_before = 0;
}

static void cubic_on_recovered(struct tcp_cc *cc, void *state, uint32_t in_flight, sanwo_time now)
{
    (void)cc, (void)in_flight, (void)now;
    ((struct cubic *)state)->now.recovering = false;
}

/* 5.8: while nothing was sent no time passed for the curve. */
static void cubic_on_restart(struct tcp_cc *cc, void *state, sanwo_time idle, sanwo_time now)
{
    (void)cc, (void)idle;
    struct epoch *e = &((struct cubic *)state)->now;
    e->begin += now - e->last;
    e->last = now;
    e->limited = false;
}

/* MAY-18. */
const struct tcp_cc_ops sw_tcp_cc_cubic = {
    .name = "cubic",
    .state_size = sizeof(struct cubic),
    .init = cubic_init,
    .on_ack = cubic_on_ack,
    .on_congestion = cubic_on_congestion,
    .on_timeout = cubic_on_timeout,
    .undo = cubic_undo,
    .on_recovered = cubic_on_recovered,
    .on_restart = cubic_on_restart,
};
