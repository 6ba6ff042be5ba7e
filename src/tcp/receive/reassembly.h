/*
 * reassembly.h - Data behind a hole, and telling the sender what we have (RFC 2018, RFC 2883).
 */
#ifndef SW_TCP_RECEIVE_REASSEMBLY_H
#define SW_TCP_RECEIVE_REASSEMBLY_H

#include "tcp/receive/receive_queue.h"
#include "tcp/tcp.h"

/*
 * The segment's text, trimmed to the window: what is in order goes to the receive queue together
 * with what it unlocks, the rest is kept. rcv_nxt moves. False: no room for any of it.
 */
bool sw_tcp_reassemble(struct tcp *tcp, struct tcp_connection *conn, struct tcp_segment *seg);
void sw_tcp_reassembly_clear(struct tcp *tcp, struct tcp_connection *conn);
uint32_t sw_tcp_reassembly_bytes(const struct tcp *tcp, const struct tcp_connection *conn);

/* [seq, seq + length) arrived again: to be told by D-SACK (RFC 2883 4). */
void sw_tcp_report_duplicate(struct tcp_connection *conn, tcp_seq seq, uint32_t length);
/* Fills in the SACK blocks of a segment that goes out, at most @room of them. */
void sw_tcp_sack_blocks(struct tcp *tcp, struct tcp_connection *conn, struct wire_tcp_options *out,
                        unsigned room);

#endif
