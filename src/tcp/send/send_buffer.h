/*
 * send_buffer.h - How much the user may queue: as much as keeps the network busy.
 */
#ifndef SW_TCP_SEND_SEND_BUFFER_H
#define SW_TCP_SEND_SEND_BUFFER_H

#include "tcp/tcp.h"

/* Most bytes that may be queued, sent or not: now, and ever. */
uint32_t sw_tcp_send_buffer_limit(const struct tcp *tcp, const struct tcp_connection *conn);
uint32_t sw_tcp_send_buffer_most(const struct sanwo_tcp_config *config);
/* How many more may be queued now. */
uint32_t sw_tcp_send_buffer_space(const struct tcp *tcp, const struct tcp_connection *conn);
/* There is room enough to wake a user that waits for it: it should not wake for a few bytes. */
bool sw_tcp_send_buffer_is_writable(const struct tcp *tcp, const struct tcp_connection *conn);
/* A user that waits for room is told once there is. */
void sw_tcp_send_buffer_tell(struct tcp *tcp, struct tcp_connection *conn);

#endif
