/*
 * keepalive.h - Asking a silent peer whether it is still there (RFC 9293 3.8.4). Off by default.
 */
#ifndef SW_TCP_SEND_KEEPALIVE_H
#define SW_TCP_SEND_KEEPALIVE_H

#include "tcp/tcp.h"

enum tcp_verdict sw_tcp_keepalive_expired(struct tcp *tcp, struct tcp_connection *conn);

#endif
