/*
 * close.h - Orderly release: our FIN, the peer's FIN, TIME-WAIT (RFC 9293 3.6).
 */
#ifndef SW_TCP_CLOSE_CLOSE_H
#define SW_TCP_CLOSE_CLOSE_H

#include "tcp/tcp.h"

/* No more to send: queues the FIN behind the data. 0 or -SANWO_E... */
int sw_tcp_shutdown(struct tcp *tcp, struct tcp_connection *conn);
/* The user lets go of the handle. @conn may be gone afterwards. */
void sw_tcp_close(struct tcp *tcp, struct tcp_connection *conn);
/* Our FIN was acknowledged (3.10.7.4 fifth). */
enum tcp_verdict sw_tcp_close_on_fin_acked(struct tcp *tcp, struct tcp_connection *conn);
/* The peer's FIN arrived and all before it did (3.10.7.4 eighth). */
enum tcp_verdict sw_tcp_close_on_peer_fin(struct tcp *tcp, struct tcp_connection *conn);
/* A segment in TIME-WAIT, while the user still holds the handle. */
enum tcp_verdict sw_tcp_close_time_wait_input(struct tcp *tcp, struct tcp_connection *conn,
                                              struct tcp_segment *seg);
/* deadline.linger is over: 2 MSL, or the wait for the peer's FIN after close(). */
enum tcp_verdict sw_tcp_close_linger_over(struct tcp *tcp, struct tcp_connection *conn);

#endif
