/*
 * reset.h - Resets and the other answers that need no control block, queued until they are pulled.
 */
#ifndef SW_TCP_CLOSE_RESET_H
#define SW_TCP_CLOSE_RESET_H

#include "tcp/send/segment.h"
#include "tcp/tcp.h"

/* Queues a segment that belongs to no connection's sender. Dropped, and counted, if too many wait. */
void sw_tcp_reply(struct tcp *tcp, const struct tcp_outgoing *out);
/* The next one; false: none. */
bool sw_tcp_poll_reply(struct tcp *tcp, struct tcp_outgoing *out);

/* RFC 9293 3.5.2: a reset formed from the segment it answers; never for a reset (U-17). */
void sw_tcp_reset_answer(struct tcp *tcp, const struct tcp_segment *seg, enum sanwo_reason why);
/* RFC 9293 3.10.5 ABORT: <SEQ=SND.NXT><CTL=RST> where the state has a peer to tell. */
void sw_tcp_reset_connection(struct tcp *tcp, struct tcp_connection *conn, enum sanwo_reason why);
/* The ACK that a connection owes, when its control block goes away before the next transmit. */
void sw_tcp_reply_ack(struct tcp *tcp, struct tcp_connection *conn, enum sanwo_reason why);

#endif
