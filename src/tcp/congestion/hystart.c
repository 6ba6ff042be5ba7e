/*
 * hystart.c - HyStart++: rounds, their least RTT, and what that says of the queue (RFC 9406 4.2).
 *
 * The least of many samples is what makes it robust: jitter adds to some RTTs, a queue to all.
 */
#include "tcp/congestion/hystart.h"

#include "base/bytes.h"

/* RFC 9406 4.3: the recommended values. L, the most an ACK may add, is no limit because we pace (D12). */
#define MIN_RTT_THRESH SANWO_MSEC(4)
#define MAX_RTT_THRESH SANWO_MSEC(16)
#define MIN_RTT_DIVISOR 8
#define N_RTT_SAMPLE 8
#define CSS_GROWTH_DIVISOR 4
#define CSS_ROUNDS 5
/* Ours. With 8, random delays ended slow start at a fiftieth of the BDP at times. */
#define N_CERTAIN 16

void sw_tcp_hystart_init(struct hystart *h)
{
    *h = (struct hystart){.phase = HYSTART_NEW};
}

static void begin_round(struct hystart *h, tcp_seq nxt)
{
    h->last = h->current;
    h->last_samples = h->samples;
    h->current = 0;
    h->samples = 0;
    h->count = 0;
    h->grew = false;
    h->round_end = nxt;
    sw_tcp_train_round(&h->train);
}

/* RFC9406-4-1. */
sanwo_time sw_tcp_hystart_threshold(sanwo_time rtt)
{
    sanwo_time rise = rtt / MIN_RTT_DIVISOR;
    return rise < MIN_RTT_THRESH ? MIN_RTT_THRESH : rise > MAX_RTT_THRESH ? MAX_RTT_THRESH : rise;
}

static void note(struct hystart *h, sanwo_time rtt)
{
    h->least = h->count && h->least < rtt ? h->least : rtt;
    if (h->count < UINT16_MAX)
        h->count++;
}

/*
 * A row of RTTs above the threshold: eight, and an eighth of a round where that is more, as delays
 * come in bursts on some links.
 */
static void look_for_rise(struct hystart *h, sanwo_time rtt)
{
    if (!h->last || rtt - h->last < sw_tcp_hystart_threshold(h->last)) { /* both > 0: no overflow */
        h->count = 0;
        return;
    }
    note(h, rtt);
    if (h->count < sw_max32(N_RTT_SAMPLE, h->last_samples / 8))
        return;
    h->phase = HYSTART_CONSERVATIVE;
    h->baseline = h->least;
    h->conservative = 0;
    h->remainder = 0;
}

/* The queue goes on growing: another rise, shown by a quarter of a later round. */
static bool is_certain(const struct hystart *h)
{
    return h->count >= sw_max32(N_CERTAIN, h->last_samples / 4) &&
           h->least - h->baseline >= sw_tcp_hystart_threshold(h->baseline);
}

static void judge(struct hystart *h, sanwo_time rtt)
{
    note(h, rtt);
    if (h->count < N_RTT_SAMPLE)
        return;
    if (h->least < h->baseline) { /* RFC 9406 4.2: the RTT fell, so it was no queue of ours */
        h->phase = HYSTART_SLOW_START;
        h->count = 0;
    } else if (is_certain(h)) {
        h->phase = HYSTART_OVER;
    }
}

static void take_sample(struct hystart *h, sanwo_time rtt)
{
    if (!h->current || rtt < h->current)
        h->current = rtt;
    if (h->samples < UINT16_MAX)
        h->samples++;
    if (h->phase == HYSTART_SLOW_START)
        look_for_rise(h, rtt);
    else if (h->phase == HYSTART_CONSERVATIVE)
        judge(h, rtt);
}

static void end_round(struct hystart *h, tcp_seq nxt)
{
    /* A round in which cwnd was not needed put nothing into the queue, and proves nothing. The
     * round in which conservative slow start began counts (RFC 9406 4.2). */
    if (h->phase == HYSTART_CONSERVATIVE && h->grew && ++h->conservative >= CSS_ROUNDS)
        h->phase = HYSTART_OVER;
    begin_round(h, nxt);
}

/* Bytes too few to make one are kept, or many small ACKs would not let cwnd grow at all. */
static uint32_t quarter(struct hystart *h, uint32_t bytes)
{
    uint64_t sum = (uint64_t)bytes + h->remainder;
    h->remainder = (uint8_t)(sum % CSS_GROWTH_DIVISOR);
    return (uint32_t)(sum / CSS_GROWTH_DIVISOR);
}

/* What the path holds is known: that and an eighth is enough, for what is more waits in its queue. */
static void look_at_train(struct hystart *h, const struct tcp_cc_ack *ack, uint32_t cwnd)
{
    uint32_t bdp = sw_tcp_train_ack(&h->train, ack, cwnd);
    if (!bdp)
        return;
    h->phase = HYSTART_OVER;
    h->window = sw_max32(bdp + bdp / 8, cwnd / 2);
}

uint32_t sw_tcp_hystart_on_ack(struct hystart *h, const struct tcp_cc_ack *ack, uint32_t cwnd,
                               uint32_t bytes)
{
    if (h->phase == HYSTART_NEW) {
        begin_round(h, ack->nxt);
        h->phase = HYSTART_SLOW_START;
    }
    if (ack->rtt > 0)
        take_sample(h, ack->rtt);
    /*
     * Where the path reorders, a full queue costs more: what is sent again has newer timestamps, and
     * makes the peer's PAWS throw away what is only late (RFC 7323 5.3). The first rise is enough.
     */
    if (h->phase == HYSTART_CONSERVATIVE && ack->reorders)
        h->phase = HYSTART_OVER;
    /* Behind what was held back cwnd waits and then leaps: what was sent is no measure of the path. */
    if (!ack->reorders && (ack->acked || !ack->cwnd_limited))
        look_at_train(h, ack, cwnd);
    h->grew |= bytes > 0;
    uint32_t growth = h->phase >= HYSTART_CONSERVATIVE ? quarter(h, bytes) : bytes;
    if (!tcp_seq_before(ack->una, h->round_end))
        end_round(h, ack->nxt);
    return growth;
}
