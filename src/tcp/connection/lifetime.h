/*
 * lifetime.h - The beginning and the end of a control block, and telling its user.
 */
#ifndef SW_TCP_CONNECTION_LIFETIME_H
#define SW_TCP_CONNECTION_LIFETIME_H

#include "tcp/tcp.h"

/* In CLOSED, no timer running, not in the table. NULL: limit or memory. */
struct tcp_connection *sw_tcp_connection_new(struct tcp *tcp, const struct tcp_tuple *tuple);
/* Undoes sw_tcp_connection_new() before anything else happened. */
void sw_tcp_connection_discard(struct tcp *tcp, struct tcp_connection *conn);

/* Puts it into CLOSED because of @error (0: in order), drops its queues of unsent data and its timers. */
void sw_tcp_fail(struct tcp *tcp, struct tcp_connection *conn, int error, enum sanwo_reason why);
/*
 * The connection is CLOSED: frees it if the user let go of it, else it stays as a husk for the user
 * to read from and close, out of the table.
 */
void sw_tcp_finish(struct tcp *tcp, struct tcp_connection *conn);
/* RFC 9293 3.10.5: sends a reset where the state asks for one, and frees it. */
void sw_tcp_abort(struct tcp *tcp, struct tcp_connection *conn, int error, enum sanwo_reason why);

/* The event CLOSED, the last one but what comes with it. */
void sw_tcp_tell_closed(struct tcp *tcp, struct tcp_connection *conn, uint32_t besides);
/* What happened is told by sanwo_stack_events(). */
void sw_tcp_event(struct tcp *tcp, struct tcp_connection *conn, uint32_t what);
/* It has something to send: it comes to the `ready` list. */
void sw_tcp_wants_send(struct tcp *tcp, struct tcp_connection *conn);

#endif
