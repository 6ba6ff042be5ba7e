/*
 * recovery.h - Telling loss from delay, and what to send again.
 *
 * Here the records are marked lost or SACKed; send/output.c sends the lost ones again, congestion/ is
 * told. RFC 5681 3.2, RFC 6582 (without SACK), RFC 8985 (with it), RFC 9937, RFC 3042.
 */
#ifndef SW_TCP_RECOVERY_RECOVERY_H
#define SW_TCP_RECOVERY_RECOVERY_H

#include "tcp/tcp.h"

/* What one acknowledgement told: gathered on its way through send/ack.c, judged at its end. */
struct tcp_news {
    const struct tcp_segment *seg;
    uint32_t outstanding;   /* SND.NXT - SND.UNA before it */
    uint32_t sacked;        /* of it, reported by SACK, before it */
    uint32_t acked;         /* numbers by which SND.UNA advanced */
    uint32_t dsack;         /* bytes reported as duplicates */
    uint32_t marked;        /* bytes that the network marked (RFC 3168, RFC 9768) */
    sanwo_time rtt;         /* sampled; 0: none */
    bool duplicate;         /* RFC 5681 2 */
    bool repeats;           /* the same, whether or not anything is outstanding */
    bool first_sent;        /* what it acknowledges was sent once, and not reported before ... */
    bool resent;            /* ... or sent again: in part at least */
    bool sacked_first_sent; /* what it newly reports was sent once, in part at least */
    bool highest_sacked_set;
    tcp_seq highest_sacked;
    bool left_recovery; /* it ended a fast recovery */
};

/* An acknowledgement in range begins: counts are taken. */
struct tcp_news sw_tcp_recovery_begin(struct tcp *tcp, struct tcp_connection *conn,
                                      const struct tcp_segment *seg);
/* SACK blocks came; none is believed before both its edges are checked (attack B-04). */
void sw_tcp_recovery_on_sack(struct tcp *tcp, struct tcp_connection *conn, struct tcp_news *news);
/* All of it is known: what is lost, when recovery begins and ends, what cwnd makes of it. */
void sw_tcp_recovery_end(struct tcp *tcp, struct tcp_connection *conn, struct tcp_news *news);
/* Looks for losses, with SACK. */
void sw_tcp_recovery_detect(struct tcp *tcp, struct tcp_connection *conn);
/* The same when the reordering timer expired. */
void sw_tcp_recovery_reordering_over(struct tcp *tcp, struct tcp_connection *conn);
/* The retransmission timer expired: everything outstanding counts as lost. */
void sw_tcp_recovery_on_timeout(struct tcp *tcp, struct tcp_connection *conn);
/* The network marked what it could have dropped: once a window (RFC 3168 6.1.2). */
void sw_tcp_recovery_on_ecn_echo(struct tcp *tcp, struct tcp_connection *conn,
                                 uint32_t outstanding);

#endif
