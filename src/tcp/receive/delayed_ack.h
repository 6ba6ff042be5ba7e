/*
 * delayed_ack.h - When to acknowledge (RFC 9293 3.8.6.3, RFC 5681 4.2), and challenge ACKs (RFC 5961).
 */
#ifndef SW_TCP_RECEIVE_DELAYED_ACK_H
#define SW_TCP_RECEIVE_DELAYED_ACK_H

#include "tcp/tcp.h"

/* At the next transmit. */
void sw_tcp_ack_now(struct tcp *tcp, struct tcp_connection *conn);
/* The same for what an attacker, or a confused peer, can provoke: at most one each 500 ms. */
void sw_tcp_challenge_ack(struct tcp *tcp, struct tcp_connection *conn);
/* @length bytes were taken in order, from a segment that carried @segment bytes. */
void sw_tcp_ack_data(struct tcp *tcp, struct tcp_connection *conn, uint32_t length,
                     uint32_t segment);
void sw_tcp_delayed_ack_expired(struct tcp *tcp, struct tcp_connection *conn);
/* An acknowledgement of everything is on its way out. */
void sw_tcp_ack_was_sent(struct tcp_connection *conn);

#endif
