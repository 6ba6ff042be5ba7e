/*
 * acceptable.h - Is this segment's sequence number one we can use now? (RFC 9293 3.4, table 6)
 */
#ifndef SW_TCP_RECEIVE_ACCEPTABLE_H
#define SW_TCP_RECEIVE_ACCEPTABLE_H

#include "tcp/tcp.h"

/* The four cases of the table, on plain values; @span counts SYN and FIN (U-4). */
bool sw_tcp_acceptable(tcp_seq rcv_nxt, uint32_t rcv_wnd, tcp_seq seq, uint32_t span);

/* The first check of 3.10.7.4; trims what is acceptable to the window. */
enum tcp_verdict sw_tcp_check_sequence(struct tcp *tcp, struct tcp_connection *conn,
                                       struct tcp_segment *seg);

/* What we may still be sent: from rcv_nxt to the announced edge. */
static inline uint32_t sw_tcp_receive_window(const struct tcp_connection *conn)
{
    return tcp_seq_distance(conn->receive.rcv_nxt, conn->receive.rcv_adv);
}

#endif
