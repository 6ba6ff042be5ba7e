/*
 * hystart.h - When to leave the first slow start: at the first sign of a queue.
 *
 *     slow start ---- the least RTT of 8 rose by 1/8 -------> conservative slow start
 *         ^           (but by 4 ms at least)                  a quarter of the growth
 *         |                                                      |             |
 *         '-------------- the RTT fell again: a false alarm -----'             | 5 rounds, or
 *                                                                              | 1/8 more
 *                                                                              v
 *         any phase: acknowledgements come no faster (train.h) ---> over: congestion avoidance
 *
 * RFC 9406 (HyStart++). Some things are ours (deviation D34), since a queue of several BDP filled up to
 * the brim before the RFC's rounds were over:
 * - the RTTs that rose may be any in a row, not only those since a round began. The queue grows during a
 *   round, and a round later the window is twice as large;
 * - once the RTT rose by another eighth, in another round, the queue is certain: that ends it;
 * - where the path reorders, the first rise ends it.
 *
 * Only for slow starts without an ssthresh (RFC 9406 4.3): later ones end where the last loss was.
 */
#ifndef SW_TCP_CONGESTION_HYSTART_H
#define SW_TCP_CONGESTION_HYSTART_H

#include "tcp/congestion/congestion.h"
#include "tcp/congestion/train.h"

enum hystart_phase {
    HYSTART_NEW, /* no acknowledgement yet; what all zeroes mean */
    HYSTART_SLOW_START,
    HYSTART_CONSERVATIVE,
    HYSTART_OVER,
};

struct hystart {
    sanwo_time last;       /* least RTT of the round before; 0: none */
    sanwo_time current;    /* of this round; 0: none yet */
    sanwo_time baseline;   /* what conservative slow start began with */
    sanwo_time least;      /* slow start: of the latest RTTs that were all above the threshold; */
    uint16_t count;        /*   conservative: of this round's. And how many those are */
    uint16_t samples;      /* of RTT in this round; counts to 65535 */
    uint16_t last_samples; /* in the round before */
    uint32_t window;       /* where to go on, once it is over; 0: where cwnd is */
    tcp_seq round_end;     /* SND.NXT when the round began: over once that is acknowledged */
    uint8_t phase;         /* enum hystart_phase */
    uint8_t conservative;  /* rounds of it so far */
    uint8_t remainder;     /* bytes of growth, in quarters, not yet given */
    bool grew;             /* in this round */
    struct ack_train train;
};

void sw_tcp_hystart_init(struct hystart *h);
/*
 * An acknowledgement in slow start, which would let @cwnd grow by @bytes: 0 if the sender did not
 * need what it had. Returns by how much it shall grow; then sw_tcp_hystart_is_over() says whether
 * to stop.
 */
uint32_t sw_tcp_hystart_on_ack(struct hystart *h, const struct tcp_cc_ack *ack, uint32_t cwnd,
                               uint32_t bytes);
/*
 * By how much the least RTT must rise over @rtt: 4 ms at least, so that a path of 1 ms is not judged by the
 * noise of its end systems (RFC 9406 4.3).
 */
sanwo_time sw_tcp_hystart_threshold(sanwo_time rtt);

static inline bool sw_tcp_hystart_is_over(const struct hystart *h)
{
    return h->phase == HYSTART_OVER;
}

#endif
