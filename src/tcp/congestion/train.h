/*
 * train.h - The acknowledgements of a flight come as fast as the path delivers it: how much it holds.
 *
 *     not full    ACKs come as fast as the flight was sent, and the next flight is sent faster
 *     full        they come at the path's rate, however fast it was sent: rate * least RTT is the BDP
 *
 * A second sign for slow start, a round trip before the queue shows in RTTs (RFC 9406 measures those
 * only: deviation D34). Pacing sends at twice cwnd a round trip, and cwnd doubles meanwhile, so what
 * was sent alone bounds the rate at 3/4 of cwnd: a flight half as large again as the BDP is no accident.
 */
#ifndef SW_TCP_CONGESTION_TRAIN_H
#define SW_TCP_CONGESTION_TRAIN_H

#include "tcp/congestion/congestion.h"

/* Of one round. */
struct ack_train {
    sanwo_time begin, last; /* of its ACKs so far; begin 0: none yet */
    uint64_t delivered;     /* in all, at `begin` */
    uint16_t acks;          /* after the first */
    bool broken;            /* the sender paused, so the rate is its own */
    bool slack;             /* in this round cwnd was not what held the sender back */
};

/* A round begins: what comes now was sent in the last one. */
void sw_tcp_train_round(struct ack_train *train);
/*
 * An acknowledgement in slow start. Returns the BDP in bytes once @cwnd is half as much again; 0: it is
 * not, or the train is too short to say.
 */
uint32_t sw_tcp_train_ack(struct ack_train *train, const struct tcp_cc_ack *ack, uint32_t cwnd);

#endif
