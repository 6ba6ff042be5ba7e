/*
 * tail.h - Tail loss probes: a flight whose end was lost is asked after, before the time-out.
 */
#ifndef SW_TCP_RECOVERY_TAIL_H
#define SW_TCP_RECOVERY_TAIL_H

#include "wire/tcp_seq.h"

#include <sanwo/types.h>

#include <stdbool.h>

struct tcp;
struct tcp_connection;
struct tcp_segment;

/* Part of struct tcp_sending. Names as in RFC 8985 7.1. */
struct tcp_tail {
    sanwo_time deadline; /* probe time-out; NEVER */
    tcp_seq end_seq;     /* of the probe in flight, while `out` */
    bool out;
    bool is_retrans;
    bool sampled; /* an RTT sample came since the last probe */
};

/* New data was sent, or acknowledged: the probe waits for two round trips from now. */
void sw_tcp_tail_schedule(struct tcp *tcp, struct tcp_connection *conn);
/* Something else watches over what is in flight, or nothing is. */
void sw_tcp_tail_cancel(struct tcp *tcp, struct tcp_connection *conn);
/* A recovery begins: what became of a probe is no longer of interest. */
void sw_tcp_tail_end(struct tcp *tcp, struct tcp_connection *conn);
/* The probe went out: new data, or the last segment once more. */
void sw_tcp_tail_sent(struct tcp *tcp, struct tcp_connection *conn, bool is_retrans);
/* True if the probe repaired a loss that nothing else noticed: it counts as congestion. */
bool sw_tcp_tail_ack(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_segment *seg,
                     bool duplicate, bool dsack);
/* The time is over. True: a probe is to be sent. */
bool sw_tcp_tail_expired(struct tcp *tcp, struct tcp_connection *conn);

#endif
