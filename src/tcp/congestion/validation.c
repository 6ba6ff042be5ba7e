/*
 * validation.c - Congestion window validation: RFC 7661.
 *
 *     pipeACK >= cwnd / 2    validated: cwnd is what the path was seen to carry
 *     pipeACK <  cwnd / 2    non-validated: kept for five minutes, and on a loss what was in use counts
 *
 * That cwnd does not grow unless it limits the sender is a rule of its own (struct tcp_cc_ack):
 * RFC7661-4.4-1.
 */
#include "tcp/congestion/validation.h"

#include "base/bytes.h"

#define NON_VALIDATED_PERIOD SANWO_SEC(300) /* 4.4: not over five minutes */
#define SAMPLING_PERIOD SANWO_SEC(1)        /* 4.2: max(3 RTT, 1 s) */

static uint32_t pipe_ack(const struct tcp_validation *v)
{
    return sw_max32(v->recent, v->previous);
}

static void sample(struct tcp_validation *v, const struct tcp_cc_ack *ack)
{
    sanwo_time period = 3 * ack->srtt > SAMPLING_PERIOD ? 3 * ack->srtt : SAMPLING_PERIOD;
    if (ack->now - v->half_since > period / 2) {
        v->previous = ack->now - v->half_since > period ? 0 : v->recent;
        v->recent = 0;
        v->half_since = ack->now;
    }
    v->recent = sw_max32(v->recent, v->acked);
    v->defined = true;
    v->acked = 0;
    v->round_end = ack->nxt;
}

void sw_tcp_validation_ack(struct tcp_validation *v, const struct tcp_cc *cc,
                           const struct tcp_cc_ack *ack)
{
    if (!v->in_round) {
        v->in_round = true;
        v->round_end = ack->nxt;
        return;
    }
    v->acked += ack->acked;
    v->limited |= ack->cwnd_limited;
    if (tcp_seq_before(ack->una, v->round_end))
        return;
    sample(v, ack);
    /* In slow start what was acknowledged is half of what cwnd is by now: that it was full is enough. */
    bool limited = v->limited;
    v->limited = false;
    if (limited || pipe_ack(v) >= cc->cwnd / 2)
        v->since = 0;
    else if (!v->since)
        v->since = ack->now ? ack->now : 1;
}

/* RFC7661-4.4.1-1. */
uint32_t sw_tcp_validation_loss(struct tcp_validation *v, uint32_t outstanding)
{
    v->lost_from = 0;
    if (!v->since)
        return outstanding;
    v->lost_from = sw_max32(pipe_ack(v), outstanding);
    return v->lost_from;
}

void sw_tcp_validation_recovered(struct tcp_validation *v, struct tcp_cc *cc, uint32_t resent)
{
    if (v->lost_from) {
        uint32_t used = v->lost_from - sw_min32(resent, v->lost_from);
        cc->cwnd = sw_max32(sw_min32(cc->cwnd, used / 2), cc->mss);
    }
    *v = (struct tcp_validation){.half_since = v->half_since};
}

/* RFC7661-4.4.3-1. */
bool sw_tcp_validation_restart(struct tcp_validation *v, struct tcp_cc *cc, uint8_t segments,
                               sanwo_time idle, sanwo_time now)
{
    sanwo_time unused = v->since ? now - v->since : 0;
    if (idle < NON_VALIDATED_PERIOD && unused < NON_VALIDATED_PERIOD)
        return false;
    cc->ssthresh = sw_max32(cc->ssthresh, cc->cwnd / 4 * 3);
    uint32_t least = sw_min32(cc->cwnd, (uint32_t)segments * cc->mss);
    cc->cwnd = sw_max32(cc->cwnd / 2, least);
    v->since = 0;
    return true;
}
