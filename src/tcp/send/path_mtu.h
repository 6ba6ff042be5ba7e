/*
 * path_mtu.h - What the path carries: as ICMP tells it, believed with care (RFC 1191, RFC 8201, RFC
 * 5927), or as its silence does (RFC 4821 7.7).
 */
#ifndef SW_TCP_SEND_PATH_MTU_H
#define SW_TCP_SEND_PATH_MTU_H

#include "tcp/tcp.h"

#define TIMESTAMPS_SIZE 12 /* NOP NOP and the option */

enum {
    MTU_PROBING_OFF,
    MTU_PROBING_AFTER_BLACK_HOLE,
    MTU_PROBING_ALWAYS,
};

/*
 * A "too big" about the segment of ours that begins at @seq, which is in flight; @mtu 0: it did not
 * say. @packet: the packet's size.
 */
void sw_tcp_path_mtu_message(struct tcp *tcp, struct tcp_connection *conn, tcp_seq seq,
                             uint32_t mtu, uint32_t packet);
/* The retransmission timer expired for data, conn->send.retransmissions times in a row. */
void sw_tcp_path_mtu_timed_out(struct tcp *tcp, struct tcp_connection *conn);
/* SND.UNA advanced by @acked. */
void sw_tcp_path_mtu_acked(struct tcp *tcp, struct tcp_connection *conn, uint32_t acked);
/* Ten minutes later: a larger size is tried again. */
void sw_tcp_path_mtu_expired(struct tcp *tcp, struct tcp_connection *conn);
/* Packets of @mtu bytes from now on; 0: whatever the link and the peer take. */
void sw_tcp_path_mtu_use(struct tcp *tcp, struct tcp_connection *conn, uint32_t mtu,
                         enum sanwo_reason why);
/* IP and TCP headers, and the options of every segment. */
uint32_t sw_tcp_path_mtu_headers(const struct tcp_connection *conn);

#endif
