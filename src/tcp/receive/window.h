/*
 * window.h - The window we announce (RFC 9293 3.8.6.2.2), and telling the peer when it opens.
 */
#ifndef SW_TCP_RECEIVE_WINDOW_H
#define SW_TCP_RECEIVE_WINDOW_H

#include "tcp/tcp.h"

/* The window of the SYN that goes out: unscaled, and now promised. */
void sw_tcp_window_announce_from(struct tcp *tcp, struct tcp_connection *conn);
/* The window field of a segment that goes out now; moves the announced edge. */
uint16_t sw_tcp_window_to_send(struct tcp *tcp, struct tcp_connection *conn);
/*
 * There was no memory for data in order. The one case where the edge moves left (SHLD-14): the peer
 * must learn to wait and probe, else it takes us for dead.
 */
void sw_tcp_window_shut(struct tcp_connection *conn);
/* The user read: sends a window update if the peer may be waiting for it. */
void sw_tcp_window_on_read(struct tcp *tcp, struct tcp_connection *conn);

/* How much may be unread before anything has come: what a SYN promises, as far as it can say it. */
uint32_t sw_tcp_window_at_first(const struct sanwo_tcp_config *config);

#endif
