/*
 * recovery.h - Telling loss from delay, and what to send again.
 *
 * Here the records are marked lost or SACKed; send/output.c sends the lost ones again, congestion/ is
 * told once a window. RFC 5681 3.2, RFC 6582 (without SACK), RFC 8985 (with it), RFC 3042.
 */
#ifndef SW_TCP_RECOVERY_RECOVERY_H
#define SW_TCP_RECOVERY_RECOVERY_H

#include "tcp/tcp.h"

/* snd_una advanced by @acked; @flight was outstanding before. */
void sw_tcp_recovery_on_ack(struct tcp *tcp, struct tcp_connection *conn, uint32_t acked,
                            uint32_t flight);
void sw_tcp_recovery_on_duplicate(struct tcp *tcp, struct tcp_connection *conn);
/* SACK blocks came; none is believed before both its edges are checked (attack B-04). */
void sw_tcp_recovery_on_sack(struct tcp *tcp, struct tcp_connection *conn,
                             const struct tcp_segment *seg);
/* Looks for losses after an acknowledgement was taken in, or when the reordering timer expired. */
void sw_tcp_recovery_detect(struct tcp *tcp, struct tcp_connection *conn);
/* The retransmission timer expired: everything outstanding counts as lost. */
void sw_tcp_recovery_on_timeout(struct tcp *tcp, struct tcp_connection *conn);

#endif
