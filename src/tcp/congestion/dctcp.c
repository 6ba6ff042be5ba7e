/*
 * dctcp.c - Data Center TCP: cwnd is cut by how many bytes were marked, not by whether one was (RFC
 * 8257). Growth, losses and time-outs are NewReno's (3.4, 3.5).
 *
 *     marked / delivered of a window --EWMA, g = 1/16--> alpha        once a window, at its end
 *     first mark of a window         ------------------> cwnd -= cwnd * alpha / 2, and that is all
 *
 * 3.3 step 9 cuts at the end of the window; we do at its first mark, which is up to a round trip
 * earlier: where every queue is short that matters, above all in slow start.
 *
 * Both ends and all queues between must be made for it (5): never a default.
 */
#include "base/bytes.h"
#include "tcp/congestion/congestion.h"

#define ALPHA_BITS 20 /* alpha is a fraction of 2^20: SCF of 4.2 */
#define ALPHA_ONE (UINT32_C(1) << ALPHA_BITS)
#define GAIN_SHIFT 4 /* g = 1/16: SHF of 4.2 */

struct dctcp {
    uint64_t delivered, marked; /* bytes in this window */
    tcp_seq window_end;         /* the window is over once more than this is acknowledged */
    tcp_seq reacted_end;        /* no other cut before this is acknowledged, if `reacted` */
    uint32_t alpha;
    bool started;
    bool reacted;
    bool end_unknown;  /* `reacted_end` is SND.NXT of the next acknowledgement */
    uint64_t reno[12]; /* NewReno's own state */
};

_Static_assert(sizeof(struct dctcp) <= TCP_CC_STATE_MAX, "more than the caller lends");

static void dctcp_init(struct tcp_cc *cc, void *state, sanwo_time now)
{
    struct dctcp *d = state;
    SW_ASSERT(sw_tcp_cc_newreno.state_size <= sizeof d->reno);
    *d = (struct dctcp){.alpha = ALPHA_ONE}; /* 3.3: 1, so that the first mark halves */
    sw_tcp_cc_newreno.init(cc, d->reno, now);
}

/* Steps 5 to 8 of 3.3 (RFC8257-3.3-1), in the integers of 4.2. */
static void end_window(struct dctcp *d, tcp_seq nxt)
{
    if (d->delivered) {
        uint32_t m = (uint32_t)((d->marked << ALPHA_BITS) / d->delivered); /* marked < 2^33 */
        if (!(d->alpha >> GAIN_SHIFT))
            d->alpha = 0; /* what is too small to be shifted would stay for ever */
        d->alpha += (m >> GAIN_SHIFT) - (d->alpha >> GAIN_SHIFT);
        d->alpha = sw_min32(d->alpha, ALPHA_ONE);
    }
    d->delivered = d->marked = 0;
    d->window_end = nxt;
}

/* Step 9, with the floor of RFC 5681; a cwnd below that stays. */
static void cut(struct tcp_cc *cc, const struct dctcp *d)
{
    uint32_t less = (uint32_t)((uint64_t)cc->cwnd * d->alpha >> (ALPHA_BITS + 1));
    cc->ssthresh = sw_max32(cc->cwnd - less, 2u * cc->mss);
    cc->cwnd = sw_min32(cc->cwnd, cc->ssthresh);
}

/* 3.5: one reduction a window of data, whatever its cause. */
static void reacted(struct dctcp *d)
{
    d->reacted = true;
    d->end_unknown = true;
}

static void count(struct dctcp *d, const struct tcp_cc_ack *ack)
{
    if (!d->started)
        d->window_end = ack->nxt;
    d->started = true;
    d->delivered += ack->delivered;
    d->marked += sw_min32(ack->marked, ack->delivered);
    if (tcp_seq_after(ack->una, d->window_end))
        end_window(d, ack->nxt);
}

static void dctcp_on_ack(struct tcp_cc *cc, void *state, const struct tcp_cc_ack *ack)
{
    struct dctcp *d = state;
    count(d, ack);
    if (!ack->marked) {
        sw_tcp_cc_newreno.on_ack(cc, d->reno, ack); /* RFC 3168 6.1.2: a mark lets nothing grow */
    } else if (!d->reacted && !ack->recovering) {
        cut(cc, d);
        reacted(d);
    }
    if (d->end_unknown)
        d->reacted_end = ack->nxt;
    d->end_unknown = false;
    if (!tcp_seq_before(ack->una, d->reacted_end))
        d->reacted = false;
}

static void dctcp_on_congestion(struct tcp_cc *cc, void *state, enum tcp_cc_sign sign,
                                uint32_t outstanding, sanwo_time now)
{
    struct dctcp *d = state;
    sw_tcp_cc_newreno.on_congestion(cc, d->reno, sign, outstanding, now);
    reacted(d);
}

static void dctcp_on_timeout(struct tcp_cc *cc, void *state, uint32_t outstanding, bool first,
                             sanwo_time now)
{
    struct dctcp *d = state;
    sw_tcp_cc_newreno.on_timeout(cc, d->reno, outstanding, first, now);
    reacted(d);
}

static void dctcp_undo(struct tcp_cc *cc, void *state)
{
    struct dctcp *d = state;
    sw_tcp_cc_newreno.undo(cc, d->reno);
}

/* A round trip has passed since: what is marked from now on was sent after the reduction. */
static void dctcp_on_recovered(struct tcp_cc *cc, void *state, uint32_t in_flight, sanwo_time now)
{
    (void)cc, (void)in_flight, (void)now;
    struct dctcp *d = state;
    d->reacted = d->end_unknown = false;
}

const struct tcp_cc_ops sw_tcp_cc_dctcp = {
    .name = "dctcp",
    .state_size = sizeof(struct dctcp),
    .wants_marks = true,
    .init = dctcp_init,
    .on_ack = dctcp_on_ack,
    .on_congestion = dctcp_on_congestion,
    .on_timeout = dctcp_on_timeout,
    .undo = dctcp_undo,
    .on_recovered = dctcp_on_recovered,
};
