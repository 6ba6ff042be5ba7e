/*
 * retransmit.h - The retransmission timer expired (RFC 6298 5.4 to 5.7, RFC 9293 3.8.3).
 */
#ifndef SW_TCP_SEND_RETRANSMIT_H
#define SW_TCP_SEND_RETRANSMIT_H

#include "tcp/tcp.h"

enum tcp_verdict sw_tcp_retransmit_expired(struct tcp *tcp, struct tcp_connection *conn);

#endif
