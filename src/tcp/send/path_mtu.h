/*
 * path_mtu.h - What the path carries, as ICMP tells it (RFC 1191, RFC 8201), believed with care.
 */
#ifndef SW_TCP_SEND_PATH_MTU_H
#define SW_TCP_SEND_PATH_MTU_H

#include "tcp/tcp.h"

/* A "too big" about a segment of ours at @seq; @mtu 0: it did not say. @packet: the packet's size. */
void sw_tcp_path_mtu_message(struct tcp *tcp, struct tcp_connection *conn, uint32_t mtu,
                             uint32_t packet);
/* Ten minutes later: the larger size is tried again. */
void sw_tcp_path_mtu_expired(struct tcp *tcp, struct tcp_connection *conn);

#endif
