/*
 * rtt.h - The round-trip time and the retransmission time-out (RFC 6298).
 */
#ifndef SW_TCP_SEND_RTT_H
#define SW_TCP_SEND_RTT_H

#include "tcp/tcp.h"

void sw_tcp_rtt_sample(struct tcp *tcp, struct tcp_connection *conn, sanwo_time rtt);
/* The time-out to arm now, backed off by the time-outs and probes in a row. */
sanwo_time sw_tcp_rto(const struct tcp *tcp, const struct tcp_connection *conn);

#endif
