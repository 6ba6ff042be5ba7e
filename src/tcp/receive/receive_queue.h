/*
 * receive_queue.h - Bytes that arrived: keeping them where they landed, and the queue the user reads.
 */
#ifndef SW_TCP_RECEIVE_RECEIVE_QUEUE_H
#define SW_TCP_RECEIVE_RECEIVE_QUEUE_H

#include "tcp/tcp.h"

/* A list of buffers by `next`. */
struct tcp_chain {
    region_ref head, tail;
};

/*
 * Keeps bytes [from, from + length) of the segment's payload at the end of @chain: by reference to
 * the borrowed buffer where that wastes little, else copied (into the last buffer if it has room).
 * False: no memory; then nothing was kept.
 */
bool sw_tcp_keep(struct tcp *tcp, struct tcp_segment *seg, uint32_t from, uint32_t length,
                 struct tcp_chain *chain);
void sw_tcp_chain_clear(struct tcp *tcp, struct tcp_chain *chain);

/* The first @length bytes of the segment are the next in order. False: no memory. */
bool sw_tcp_receive_queue_append(struct tcp *tcp, struct tcp_connection *conn,
                                 struct tcp_segment *seg, uint32_t length);
/* A chain of @length bytes comes next. */
void sw_tcp_receive_queue_join(struct tcp *tcp, struct tcp_connection *conn, struct tcp_chain chain,
                               uint32_t length);
size_t sw_tcp_receive_queue_read(struct tcp *tcp, struct tcp_connection *conn, uint8_t *out,
                                 size_t length);
int sw_tcp_receive_queue_peek(struct tcp *tcp, const struct tcp_connection *conn,
                              struct sanwo_slice *slices, size_t n);
void sw_tcp_receive_queue_consume(struct tcp *tcp, struct tcp_connection *conn, uint32_t length);
void sw_tcp_receive_queue_clear(struct tcp *tcp, struct tcp_connection *conn);

#endif
