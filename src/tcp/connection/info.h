/*
 * info.h - STATUS (RFC 9293 3.10.6).
 */
#ifndef SW_TCP_CONNECTION_INFO_H
#define SW_TCP_CONNECTION_INFO_H

#include "tcp/tcp.h"

void sw_tcp_info(struct tcp *tcp, struct tcp_connection *conn, struct sanwo_tcp_info *out);

#endif
