/*
 * limited.h - Why the sender is not sending, and for how long each reason has held it.
 */
#ifndef SW_TCP_CONNECTION_LIMITED_H
#define SW_TCP_CONNECTION_LIMITED_H

#include "tcp/tcp.h"

/* What holds it now. */
enum sanwo_tcp_limit sw_tcp_limited_by(const struct tcp_connection *conn);
/* Sending stopped, or something changed that it waits for: the clock of the reason runs from here. */
void sw_tcp_limited_update(struct tcp *tcp, struct tcp_connection *conn);
/* Fills in the times, those that run now included. */
void sw_tcp_limited_info(const struct tcp *tcp, const struct tcp_connection *conn,
                         struct sanwo_tcp_info *out);

#endif
