/*
 * output.h - The one decision: what does this connection send now, if anything?
 */
#ifndef SW_TCP_SEND_OUTPUT_H
#define SW_TCP_SEND_OUTPUT_H

#include "tcp/tcp.h"

/* What is to go into one frame. */
struct tcp_plan {
    tcp_seq seq;
    uint32_t length;       /* payload bytes */
    uint16_t segment_size; /* not 0: a super-segment, cut into these */
    uint8_t flags;
    bool ends_small; /* the last segment is not full: what Nagle looks at */
    uint16_t reason;
};

/*
 * Each fills in the plan and returns true, or returns false with conn->limited_by saying why not.
 * @mss: payload of a full segment now. @limit: most payload of one frame (>= mss).
 */
bool sw_tcp_plan_retransmission(struct tcp *tcp, struct tcp_connection *conn, uint32_t mss,
                                uint32_t limit, struct tcp_plan *plan);
bool sw_tcp_plan_new_data(struct tcp *tcp, struct tcp_connection *conn, uint32_t mss,
                          uint32_t limit, struct tcp_plan *plan);
bool sw_tcp_plan_tail_probe(struct tcp *tcp, struct tcp_connection *conn, uint32_t mss,
                            struct tcp_plan *plan);
bool sw_tcp_plan_probe(struct tcp *tcp, struct tcp_connection *conn, struct tcp_plan *plan);
/*
 * The number for a segment that carries nothing: inside the peer's window, even when a probe has gone
 * beyond it, or the peer would refuse what it acknowledges.
 */
tcp_seq sw_tcp_bare_seq(const struct tcp_connection *conn);
/* The plan was sent: the sender's variables follow. */
void sw_tcp_plan_sent(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_plan *plan);

#endif
