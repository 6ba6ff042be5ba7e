/*
 * send_queue.h - The bytes from snd_una on: waiting to be sent, or to be acknowledged.
 */
#ifndef SW_TCP_SEND_SEND_QUEUE_H
#define SW_TCP_SEND_SEND_QUEUE_H

#include "tcp/tcp.h"

/* Room left under the connection's send buffer. */
uint32_t sw_tcp_send_queue_space(const struct tcp *tcp, const struct tcp_connection *conn);
/* Data bytes queued, sent or not; and those not sent yet. FINs do not count. */
uint32_t sw_tcp_send_queue_bytes(const struct tcp_connection *conn);
uint32_t sw_tcp_send_queue_unsent(const struct tcp_connection *conn);

/* Copies as much as there is memory for. Returns how much. */
uint32_t sw_tcp_send_queue_append(struct tcp *tcp, struct tcp_connection *conn,
                                  const uint8_t *bytes, uint32_t length);
/* By reference; all or nothing. */
bool sw_tcp_send_queue_append_external(struct tcp *tcp, struct tcp_connection *conn,
                                       const uint8_t *bytes, uint32_t length);
/* Room at the tail to be filled by the user, up to @length bytes; 0: no memory. */
uint32_t sw_tcp_send_queue_reserve(struct tcp *tcp, struct tcp_connection *conn, uint32_t length,
                                   struct sanwo_room *room);
void sw_tcp_send_queue_commit(struct tcp *tcp, struct tcp_connection *conn, uint32_t length);

/* Puts [seq, seq + length) into slices 1.. of @frame, each referred to. Returns how much fitted. */
uint32_t sw_tcp_send_queue_slices(struct tcp *tcp, struct tcp_connection *conn, tcp_seq seq,
                                  uint32_t length, struct sanwo_frame *frame);
/* The first @length bytes are acknowledged. */
void sw_tcp_send_queue_acknowledge(struct tcp *tcp, struct tcp_connection *conn, uint32_t length);
void sw_tcp_send_queue_clear(struct tcp *tcp, struct tcp_connection *conn);

/* Drops a reference; the user of send_ref learns when it was the last. */
void sw_tcp_buffer_release(struct tcp *tcp, struct buffer *b);

#endif
