/*
 * validation.h - Is cwnd more than the sender used of late? Then it is not to be relied on (RFC 7661).
 */
#ifndef SW_TCP_CONGESTION_VALIDATION_H
#define SW_TCP_CONGESTION_VALIDATION_H

#include "tcp/congestion/congestion.h"

/* Part of struct tcp_sending. pipeACK is the larger of two halves of the sampling period. */
struct tcp_validation {
    uint32_t acked; /* in this round trip */
    uint32_t recent, previous;
    uint32_t lost_from; /* of a loss in the non-validated phase: what was in use then; else 0 */
    tcp_seq round_end;
    bool in_round;
    bool limited; /* cwnd held the sender back in this round trip */
    bool defined; /* a sample was taken since the start, or since recovery */
    sanwo_time half_since;
    sanwo_time since; /* non-validated since then; 0: validated */
};

/* An ACK outside recovery: RFC 7661 4.2 and the phases of 4.4. */
void sw_tcp_validation_ack(struct tcp_validation *v, const struct tcp_cc *cc,
                           const struct tcp_cc_ack *ack);
/* A loss while @outstanding bytes are out (4.4.1): what counts as outstanding. */
uint32_t sw_tcp_validation_loss(struct tcp_validation *v, uint32_t outstanding);
/* Recovery is over; @resent bytes of it were sent again (4.4.1). */
void sw_tcp_validation_recovered(struct tcp_validation *v, struct tcp_cc *cc, uint32_t resent);
/* Data is about to leave (4.4.3). @idle: since the last. True: cwnd was cut down, after five minutes. */
bool sw_tcp_validation_restart(struct tcp_validation *v, struct tcp_cc *cc, uint8_t segments,
                               sanwo_time idle, sanwo_time now);

#endif
