/*
 * ack.h - What an acknowledgement brings (RFC 9293 3.10.7.4, fifth).
 */
#ifndef SW_TCP_SEND_ACK_H
#define SW_TCP_SEND_ACK_H

#include "tcp/tcp.h"

enum tcp_verdict sw_tcp_process_ack(struct tcp *tcp, struct tcp_connection *conn,
                                    struct tcp_segment *seg);
/* A segment whose sequence number has just passed: only its acknowledgement is used (A.2, U-22). */
void sw_tcp_ack_late(struct tcp *tcp, struct tcp_connection *conn, struct tcp_segment *seg);
/*
 * Payload of a full segment on a path of that MTU (0: as announced in the handshake), options
 * subtracted (RFC 9293 3.7.1, MUST-16).
 */
uint16_t sw_tcp_send_mss(const struct tcp *tcp, const struct tcp_connection *conn, uint16_t mtu);

#endif
