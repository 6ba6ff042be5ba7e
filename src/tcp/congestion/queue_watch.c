/*
 * queue_watch.c - The least RTT of each round, beside that of the path and that of the rounds before.
 */
#include "tcp/congestion/queue_watch.h"

#include "base/bytes.h"
#include "tcp/congestion/hystart.h"

#define SETTLING_ROUNDS 3              /* what slow start sent is still on its way */
#define LONGEST_RTT (INT64_C(1) << 33) /* eight seconds: times cwnd it fits */

/* RTTs grow with a queue of ours alone as cwnd does. */
static sanwo_time own_part(const struct queue_watch *watch, sanwo_time rtt, uint32_t cwnd)
{
    if (cwnd <= watch->window)
        return 0;
    return (sanwo_time)((uint64_t)rtt * (cwnd - watch->window) / cwnd);
}

static void end_round(struct queue_watch *watch, sanwo_time rtt, sanwo_time min_rtt, uint32_t cwnd)
{
    sanwo_time enough = sw_tcp_hystart_threshold(min_rtt);
    if (rtt - min_rtt < enough || rtt >= LONGEST_RTT) {
        watch->rounds = 0;
        return;
    }
    if (watch->rounds < SETTLING_ROUNDS) {
        watch->rounds++;
        watch->baseline = rtt;
        watch->window = cwnd;
    }
    sanwo_time rise = rtt - watch->baseline - own_part(watch, rtt, cwnd);
    watch->contended |= rise >= enough && rise >= min_rtt / 4;
}

bool sw_tcp_queue_is_ours(struct queue_watch *watch, const struct tcp_cc_ack *ack, uint32_t cwnd)
{
    if (ack->rtt > 0 && (!watch->least || ack->rtt < watch->least))
        watch->least = ack->rtt;
    if (!watch->began || !tcp_seq_before(ack->una, watch->round_end)) {
        if (watch->began && watch->least)
            end_round(watch, watch->least, ack->min_rtt, cwnd);
        watch->began = true;
        watch->least = 0;
        watch->round_end = ack->nxt;
    }
    return watch->rounds && !watch->contended;
}
