/*
 * cc_model.h - Congestion control boxes in a closed loop: flows, a queue, a round trip, no TCP.
 *
 *     flow 0 --.                 .-- dropped: told 3 segments later
 *     flow 1 --+--> | queue | ---+--> acknowledged an RTT after leaving the queue
 *
 * A flow that is paced sends at 2 * cwnd / SRTT in slow start and at 1.2 * cwnd / SRTT after it.
 *
 * All segments have one size and the queue keeps their order, so that one ring of what is under way
 * is all there is to simulate. What was dropped is not sent again: goodput counts what arrived.
 */
#ifndef CC_MODEL_H
#define CC_MODEL_H

#include "base/bytes.h"
#include "tcp/congestion/congestion.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define MODEL_RING (1u << 17)
#define MODEL_FLOWS 4
#define MODEL_DROPS (1u << 16)

/* A box by itself: what the connection keeps for it. */
struct box {
    const struct tcp_cc_ops *ops;
    struct tcp_cc cc;
    uint64_t state[TCP_CC_STATE_MAX / 8];
};

static inline struct box box_of(const struct tcp_cc_ops *ops, uint16_t mss, uint32_t cwnd)
{
    struct box b = {.ops = ops, .cc = {.mss = mss, .cwnd = cwnd, .ssthresh = UINT32_MAX}};
    assert_true(ops->state_size <= sizeof b.state);
    ops->init(&b.cc, b.state, 0);
    return b;
}

/* A cumulative ACK of @bytes to a sender that uses all of its window. */
static inline void box_ack(struct box *b, uint32_t bytes, sanwo_time srtt, sanwo_time now)
{
    struct tcp_cc_ack ack = {.acked = bytes,
                             .delivered = bytes,
                             .cwnd_limited = true,
                             .srtt = srtt,
                             .rtt = srtt,
                             .min_rtt = srtt,
                             .now = now};
    b->ops->on_ack(&b->cc, b->state, &ack);
}

static inline void box_congestion(struct box *b, enum tcp_cc_sign sign, sanwo_time now)
{
    b->ops->on_congestion(&b->cc, b->state, sign, b->cc.cwnd, now);
}

struct model_flow {
    struct box box;
    uint32_t next, una; /* segments sent, and all before this are settled */
    uint32_t in_flight; /* segments */
    uint32_t recover;   /* recovering until this is acknowledged */
    bool recovering;
    uint32_t drops[MODEL_DROPS]; /* dropped, not yet told */
    uint32_t drop_first, drop_end;
    uint64_t delivered, lost, sent; /* segments in all */
    uint32_t congestions, timeouts, marked;
    double cwnd_time; /* integral of cwnd over time */
    sanwo_time srtt, seen, next_send;
};

struct model_segment {
    sanwo_time sent, acked; /* acked 0: dropped */
    uint32_t number;
    uint8_t flow;
    bool marked;
};

struct model {
    uint64_t rate; /* bytes a second */
    sanwo_time rtt;
    uint32_t queue;      /* bytes it holds */
    uint32_t mark_above; /* bytes of queue; 0: no marks */
    uint32_t lose_every; /* a segment dropped in so many of a flow; 0: none */
    bool paced;
    uint32_t flows;
    sanwo_time now, free_at; /* when the queue will be empty */
    uint32_t first, end;     /* of the ring */
    double queue_time;       /* integral of the queue's delay over segments */
    struct model_flow flow[MODEL_FLOWS];
    struct model_segment ring[MODEL_RING];
};

static inline struct model *model_new(uint64_t bits, sanwo_time rtt, double queue_in_bdp)
{
    struct model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->rate = bits / 8;
    m->rtt = rtt;
    m->queue = (uint32_t)((double)m->rate * (double)rtt / 1e9 * queue_in_bdp);
    m->now = SANWO_SEC(1);
    return m;
}

static inline void model_add(struct model *m, const struct tcp_cc_ops *ops, uint16_t mss)
{
    m->flow[m->flows++].box = box_of(ops, mss, 10u * mss);
}

static inline bool model_drops(struct model *m, const struct model_flow *f, uint64_t backlog)
{
    if (m->lose_every && f->sent % m->lose_every == m->lose_every - 1)
        return true;
    return backlog + f->box.cc.mss > m->queue + f->box.cc.mss;
}

static inline void model_send(struct model *m, uint32_t i)
{
    struct model_flow *f = &m->flow[i];
    sanwo_time wait = m->free_at > m->now ? m->free_at - m->now : 0;
    uint64_t backlog = (uint64_t)((double)wait * (double)m->rate / 1e9);
    struct model_segment *s = &m->ring[m->end++ % MODEL_RING];
    assert_true(m->end - m->first < MODEL_RING);
    *s = (struct model_segment){.sent = m->now, .number = f->next++, .flow = (uint8_t)i};
    if (!model_drops(m, f, backlog)) {
        sanwo_time service = (sanwo_time)((uint64_t)f->box.cc.mss * 1000000000u / m->rate);
        m->free_at = m->now + wait + service;
        s->acked = m->free_at + m->rtt;
        s->marked = m->mark_above && backlog > m->mark_above;
        m->queue_time += (double)wait;
    }
    f->in_flight++;
    f->sent++;
    if (m->paced && f->srtt) {
        double gain = f->box.cc.cwnd < f->box.cc.ssthresh ? 2.0 : 1.2;
        double gap = f->box.cc.mss * (double)f->srtt / (gain * f->box.cc.cwnd);
        f->next_send = (f->next_send > m->now ? f->next_send : m->now) + (sanwo_time)gap;
    }
}

static inline bool model_may_send(const struct model_flow *f)
{
    return !f->in_flight || (f->in_flight + 1) * f->box.cc.mss <= f->box.cc.cwnd;
}

/* When a flow that may send is next allowed to by its pacing; INT64_MAX: none may. */
static inline sanwo_time model_next_send(const struct model *m)
{
    sanwo_time next = INT64_MAX;
    for (uint32_t i = 0; i < m->flows; i++)
        if (model_may_send(&m->flow[i]) && m->flow[i].next_send < next)
            next = m->flow[i].next_send;
    return next;
}

static inline void model_fill(struct model *m)
{
    for (bool any = true; any;) {
        any = false;
        for (uint32_t i = 0; i < m->flows; i++) { /* in turns, so that none is favoured */
            if (!model_may_send(&m->flow[i]) || m->flow[i].next_send > m->now)
                continue;
            model_send(m, i);
            any = true;
        }
    }
}

/* What was dropped three segments before the one acknowledged is lost: one reduction a window. */
static inline uint32_t model_losses(struct model *m, struct model_flow *f, uint32_t number)
{
    uint32_t lost = 0;
    while (f->drop_first != f->drop_end && f->drops[f->drop_first % MODEL_DROPS] + 3 <= number) {
        uint32_t dropped = f->drops[f->drop_first++ % MODEL_DROPS];
        uint32_t outstanding = f->in_flight * f->box.cc.mss;
        lost++;
        f->lost++;
        if (dropped >= f->recover) {
            f->congestions++;
            f->box.ops->on_congestion(&f->box.cc, f->box.state, TCP_CC_LOSS,
                                      sw_min32(outstanding, f->box.cc.cwnd), m->now);
            f->recover = f->next;
            f->recovering = true;
        }
        f->in_flight--;
    }
    return lost;
}

static inline void model_ack(struct model *m, const struct model_segment *s)
{
    struct model_flow *f = &m->flow[s->flow];
    uint32_t mss = f->box.cc.mss, outstanding = f->in_flight * mss;
    sanwo_time rtt = m->now - s->sent;
    f->srtt = f->srtt ? f->srtt + (rtt - f->srtt) / 8 : rtt;
    f->cwnd_time += (double)f->box.cc.cwnd * (double)(m->now - f->seen);
    f->seen = m->now;
    f->in_flight--;
    f->delivered++;
    f->marked += s->marked;
    f->una = s->number + 1;
    uint32_t lost = model_losses(m, f, s->number);
    if (s->number >= f->recover)
        f->recovering = false;
    struct tcp_cc_ack ack = {.acked = mss,
                             .delivered = mss,
                             .lost = lost * mss,
                             .marked = s->marked ? mss : 0,
                             .outstanding = outstanding,
                             .in_flight = f->in_flight * mss,
                             .delivered_in_all = f->delivered * mss,
                             .cwnd_limited = true,
                             .recovering = f->recovering,
                             .rtt = rtt,
                             .srtt = f->srtt,
                             .min_rtt = m->rtt,
                             .now = m->now,
                             .una = tcp_seq_of(f->una * mss),
                             .nxt = tcp_seq_of(f->next * mss)};
    if (!f->recovering || f->box.ops->owns_cwnd)
        f->box.ops->on_ack(&f->box.cc, f->box.state, &ack);
}

/* Nothing of this flow will come back. */
static inline void model_timeouts(struct model *m)
{
    for (uint32_t i = 0; i < m->flows; i++) {
        struct model_flow *f = &m->flow[i];
        if (f->in_flight != f->drop_end - f->drop_first || !f->in_flight)
            continue;
        f->timeouts++;
        f->lost += f->in_flight;
        f->box.ops->on_timeout(&f->box.cc, f->box.state, f->in_flight * f->box.cc.mss, true,
                               m->now);
        f->in_flight = 0;
        f->drop_first = f->drop_end;
        f->recover = f->next;
        f->recovering = false;
    }
}

/* Until @end, in the model's time. */
static inline void model_run(struct model *m, sanwo_time end)
{
    end += SANWO_SEC(1);
    while (m->now < end) {
        model_fill(m);
        if (m->first == m->end) { /* only drops are left, or nothing */
            sanwo_time send = model_next_send(m);
            if (send != INT64_MAX) {
                m->now = send;
                continue;
            }
            m->now += SANWO_MSEC(200) + m->rtt;
            model_timeouts(m);
            continue;
        }
        struct model_segment s = m->ring[m->first % MODEL_RING];
        struct model_flow *f = &m->flow[s.flow];
        sanwo_time send = model_next_send(m);
        if (s.acked && send < s.acked) {
            m->now = send;
            continue;
        }
        m->first++;
        if (!s.acked) {
            f->drops[f->drop_end++ % MODEL_DROPS] = s.number;
            assert_true(f->drop_end - f->drop_first < MODEL_DROPS);
            continue;
        }
        m->now = s.acked;
        model_ack(m, &s);
    }
}

/* Share of the bottleneck that was used, from a state noted before. */
static inline double model_use(const struct model *m, uint64_t segments, sanwo_time length)
{
    return (double)segments * m->flow[0].box.cc.mss / ((double)m->rate * ((double)length / 1e9));
}

/* ---- chance ---- */

/* One generator a test, seeded from its name: adding a test changes no other. */
static inline uint64_t chance_of(const char *name)
{
    uint64_t state = 0x9e3779b97f4a7c15u;
    while (*name)
        state = (state ^ (uint8_t)*name++) * 0x100000001b3u;
    return state | 1;
}

/* In [0, below). */
static inline uint32_t chance(uint64_t *state, uint32_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((*state >> 33) % below);
}

#endif
