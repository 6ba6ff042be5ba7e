/*
 * isn.h - Initial sequence numbers and timestamp offsets: unpredictable, yet growing per tuple.
 */
#ifndef SW_TCP_OPEN_ISN_H
#define SW_TCP_OPEN_ISN_H

#include "tcp/tcp.h"

/* RFC 9293 3.4.1: ISN = M + F(tuple, key), M ticking every 4 us (MUST-8, MUST-9, SHLD-1). */
tcp_seq sw_tcp_isn(const struct tcp *tcp, const struct tcp_tuple *tuple, sanwo_time now);
/* RFC 7323 5.4 and 7: where this connection's timestamp clock starts. The same for the same tuple. */
uint32_t sw_tcp_timestamp_offset(const struct tcp *tcp, const struct tcp_tuple *tuple);

#endif
