/*
 * demux.h - From a segment's tuple to what owns it: one probe of one keyed table.
 */
#ifndef SW_TCP_OPEN_DEMUX_H
#define SW_TCP_OPEN_DEMUX_H

#include "tcp/tcp.h"

struct tcp_found {
    uint32_t name; /* kind and index (sw_tcp_name); 0: nothing has that tuple */
    uint32_t hash;
    void *object; /* struct tcp_connection, tcp_half_open or tcp_time_wait */
};

struct tcp_found sw_tcp_demux_find(struct tcp *tcp, const struct tcp_tuple *tuple);
/* False: no memory. */
bool sw_tcp_demux_insert(struct tcp *tcp, const struct tcp_tuple *tuple, uint32_t name);
void sw_tcp_demux_remove(struct tcp *tcp, const struct tcp_tuple *tuple, uint32_t name);
/* The tuple's owner becomes another object; needs no memory, so it cannot fail. */
void sw_tcp_demux_replace(struct tcp *tcp, const struct tcp_tuple *tuple, uint32_t old_name,
                          uint32_t name);

/* Runs the steps of RFC 9293 3.10.7 on the segment and acts on their verdict; @conn may be gone then. */
void sw_tcp_deliver(struct tcp *tcp, struct tcp_connection *conn, struct tcp_segment *seg);

#endif
