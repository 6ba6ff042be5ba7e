/*
 * queue_watch.h - After slow start: is the path full, and for our sake only?
 *
 *     RTT |            ......  others: rising, though cwnd does not         -> compete
 *         |  __________'_____  ours: above the path's own, and steady        -> enough
 *         | /
 *         |/_________________  none                                          -> more fits
 *
 * CUBIC asks before it has lost anything (RFC 9438 4.10, deviation D35). As in HyStart++ the least RTT of a
 * round is looked at: jitter adds to some RTTs, a queue to all.
 */
#ifndef SW_TCP_CONGESTION_QUEUE_WATCH_H
#define SW_TCP_CONGESTION_QUEUE_WATCH_H

#include "tcp/congestion/congestion.h"

/* All zeroes: nothing was seen yet. */
struct queue_watch {
    sanwo_time least;    /* RTT of this round; 0: none yet */
    sanwo_time baseline; /* least RTT once the queue stood ... */
    uint32_t window;     /* ... and cwnd then */
    tcp_seq round_end;
    bool began;     /* a first round */
    uint8_t rounds; /* with a queue so far, as many as matter */
    bool contended; /* somebody else fills it too */
};

/*
 * An acknowledgement: is there a queue that is ours? Once somebody else was seen to fill it, the answer
 * stays no.
 */
bool sw_tcp_queue_is_ours(struct queue_watch *watch, const struct tcp_cc_ack *ack, uint32_t cwnd);

#endif
