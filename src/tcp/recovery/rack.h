/*
 * rack.h - RACK: what was sent before something that arrived, and is overdue, is lost (RFC 8985 6).
 */
#ifndef SW_TCP_RECOVERY_RACK_H
#define SW_TCP_RECOVERY_RACK_H

#include "wire/tcp_seq.h"

#include <sanwo/types.h>

#include <stdbool.h>

struct tcp;
struct tcp_connection;
struct tcp_record;
struct tcp_segment;

/* Part of struct tcp_sending. Names as in RFC 8985 5.2. */
struct tcp_rack {
    sanwo_time xmit_ts;  /* of the most recently sent segment that was delivered */
    sanwo_time rtt;      /* of the most recently sent one that the latest ACK delivered */
    sanwo_time deadline; /* reordering timer; SANWO_TIME_NEVER */
    sanwo_time reduced;  /* when cwnd was last reduced; 0: not since there is anything in flight */
    uint32_t order;      /* of xmit_ts: segments leave in one instant */
    tcp_seq end_seq;     /* breaks ties of that: parts of a super-segment */
    tcp_seq fack;        /* highest number delivered ... */
    tcp_seq fack_before; /* ... before this ACK */
    tcp_seq undecided;  /* of what was sent once, all below it is lost, sent again or has arrived */
    uint32_t ack_order; /* `order` of the last segment that this ACK delivered, while ... */
    bool ack_delivered; /* ... there was one */
    bool valid_before;  /* fack_before is */
    bool valid;         /* something was delivered */
    bool dsack_round_is_set;
    tcp_seq dsack_round; /* snd_nxt when the window last grew, while dsack_round_is_set */
};

/* An ACK begins: what it delivers counts together, in whatever order its blocks come. */
void sw_tcp_rack_ack_begins(struct tcp *tcp, struct tcp_connection *conn);
/* Steps 2 and 3: @record was acknowledged or SACKed by @seg. Before its flags change. */
void sw_tcp_rack_delivered(struct tcp *tcp, struct tcp_connection *conn,
                           const struct tcp_record *record, const struct tcp_segment *seg);
/* Step 4: the peer reported a duplicate: what was sent again had not been lost. */
void sw_tcp_rack_on_dsack(struct tcp *tcp, struct tcp_connection *conn);
void sw_tcp_rack_on_recovered(struct tcp_connection *conn);
/* Nothing is in flight: what comes next begins afresh. */
void sw_tcp_rack_rest(struct tcp *tcp, struct tcp_connection *conn);
struct tcp_losses {
    uint32_t bytes;
    uint32_t probes; /* of them, of a larger path MTU: no congestion */
    bool again;      /* a retransmission among them, sent since cwnd was last reduced */
};
/* Step 5: marks what is lost, and arms the reordering timer for what may be. */
struct tcp_losses sw_tcp_rack_detect(struct tcp *tcp, struct tcp_connection *conn);

#endif
