/*
 * demux.c - A segment arrived: who owns it? And acting on the verdict of its owner.
 *
 *     tuple -> keyed hash -> one bucket -> connection | half-open record | TIME-WAIT record
 *     none  -> listener of the port and address | CLOSED (RFC 9293 3.10.7.1)
 */
#include "tcp/open/demux.h"

#include "tcp/close/close.h"
#include "tcp/close/reset.h"
#include "tcp/close/time_wait.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/observe.h"
#include "tcp/open/half_open.h"
#include "tcp/open/listener.h"
#include "tcp/receive/delayed_ack.h"
#include "tcp/receive/input.h"

static void *object_of(struct tcp *tcp, uint32_t name)
{
    uint32_t index = name >> 2;
    switch (name & 3) {
    case TCP_KIND_CONNECTION:
        return sw_tcp_at(tcp, &tcp->connections, index);
    case TCP_KIND_HALF_OPEN:
        return sw_tcp_at(tcp, &tcp->half_open, index);
    default:
        return sw_tcp_at(tcp, &tcp->time_wait, index);
    }
}

static bool object_matches(const void *object, uint32_t name, const struct tcp_tuple *tuple)
{
    struct tcp_tuple mine;
    switch (name & 3) {
    case TCP_KIND_CONNECTION:
        return sw_tcp_tuple_equal(&((const struct tcp_connection *)object)->tuple, tuple);
    case TCP_KIND_HALF_OPEN:
        return sw_tcp_tuple_equal(&((const struct tcp_half_open *)object)->tuple, tuple);
    default:
        mine = sw_tcp_time_wait_tuple(object);
        return sw_tcp_tuple_equal(&mine, tuple);
    }
}

struct tcp_found sw_tcp_demux_find(struct tcp *tcp, const struct tcp_tuple *tuple)
{
    if (tcp->last_found.name && sw_tcp_tuple_equal(&tcp->last_found.tuple, tuple))
        return (struct tcp_found){tcp->last_found.name, tcp->last_found.hash,
                                  object_of(tcp, tcp->last_found.name)};
    struct tcp_found found = {.hash = sw_tcp_tuple_hash(&tcp->table_key, tuple)};
    struct table_cursor cursor = sw_table_find(&tcp->table, tcp->region, found.hash);
    uint32_t name;
    while ((name = sw_table_next(&tcp->table, tcp->region, &cursor)) != 0) {
        void *object = object_of(tcp, name);
        if (SW_LIKELY(object_matches(object, name, tuple))) {
            found.name = name;
            found.object = object;
            tcp->last_found.tuple = *tuple;
            tcp->last_found.name = name;
            tcp->last_found.hash = found.hash;
            break;
        }
    }
    return found;
}

bool sw_tcp_demux_insert(struct tcp *tcp, const struct tcp_tuple *tuple, uint32_t name)
{
    tcp->last_found.name = 0;
    return sw_table_insert(&tcp->table, tcp->region, sw_tcp_tuple_hash(&tcp->table_key, tuple),
                           name);
}

void sw_tcp_demux_remove(struct tcp *tcp, const struct tcp_tuple *tuple, uint32_t name)
{
    tcp->last_found.name = 0;
    sw_table_remove(&tcp->table, tcp->region, sw_tcp_tuple_hash(&tcp->table_key, tuple), name);
}

void sw_tcp_demux_replace(struct tcp *tcp, const struct tcp_tuple *tuple, uint32_t old_name,
                          uint32_t name)
{
    tcp->last_found.name = 0;
    sw_table_replace(&tcp->table, tcp->region, sw_tcp_tuple_hash(&tcp->table_key, tuple), old_name,
                     name);
}

/*
 * RFC 9293 3.10.7.1: there is no such connection. A reset is dropped, all else answered with one.
 * U-1.
 * C-20.
 * E-05.
 */
static void closed_input(struct tcp *tcp, struct tcp_segment *seg)
{
    sw_tcp_observe_segment_in(tcp, seg, NULL, (struct sanwo_handle){0, 0}, SANWO_TCP_CLOSED);
    sw_tcp_observe_drop(tcp, seg, NULL, SANWO_REASON_PORT_CLOSED);
    if (seg->destination_is_ours)
        sw_tcp_reset_answer(tcp, seg, SANWO_REASON_PORT_CLOSED);
}

/* The only place that acts on what the steps decided (R9 of the style). */
void sw_tcp_deliver(struct tcp *tcp, struct tcp_connection *conn, struct tcp_segment *seg)
{
    switch (sw_tcp_input(tcp, conn, seg)) {
    case TCP_CONTINUE:
        break;
    case TCP_DROP:
        sw_tcp_observe_drop(tcp, seg, conn, seg->reason);
        break;
    case TCP_DROP_AND_ACK:
        sw_tcp_observe_drop(tcp, seg, conn, seg->reason);
        sw_tcp_ack_now(tcp, conn);
        break;
    case TCP_DROP_AND_CHALLENGE:
        sw_tcp_observe_drop(tcp, seg, conn, seg->reason);
        sw_tcp_challenge_ack(tcp, conn);
        break;
    case TCP_SEND_RESET:
        sw_tcp_observe_drop(tcp, seg, conn, seg->reason);
        sw_tcp_reset_answer(tcp, seg, seg->reason);
        break;
    case TCP_FINISHED:
        sw_tcp_finish(tcp, conn);
        break;
    }
}

/* RFC 1122 3.2.1.3: what was ours when it began, and is not now, is not for us (E-09). */
static bool is_for_us(const struct tcp_found *found, const struct tcp_segment *seg)
{
    if (SW_LIKELY(seg->destination_is_ours))
        return true;
    switch (found->name & 3) {
    case TCP_KIND_CONNECTION:
        return ((const struct tcp_connection *)found->object)->foreign;
    case TCP_KIND_HALF_OPEN:
        return ((const struct tcp_half_open *)found->object)->flags & HALF_OPEN_FOREIGN;
    default:
        return true; /* TIME-WAIT does not know; the listeners judge for themselves */
    }
}

void sw_tcp_receive(struct tcp *tcp, struct tcp_segment *seg)
{
    tcp->counters.segments_in++;
    struct tcp_found found = sw_tcp_demux_find(tcp, &seg->tuple);
    struct tcp_connection *conn;
    if (SW_UNLIKELY(!is_for_us(&found, seg))) {
        sw_tcp_observe_drop(tcp, seg, NULL, SANWO_REASON_NOT_FOR_US);
        return;
    }
    switch (found.name & 3) {
    case TCP_KIND_CONNECTION:
        conn = found.object;
        sw_tcp_observe_segment_in(tcp, seg, conn, sw_tcp_handle(TCP_KIND_CONNECTION, conn),
                                  conn->state);
        sw_tcp_deliver(tcp, conn, seg);
        return;
    case TCP_KIND_HALF_OPEN:
        sw_tcp_half_open_input(tcp, found.object, seg);
        return;
    case TCP_KIND_TIME_WAIT:
        if (sw_tcp_time_wait_input(tcp, found.object, seg))
            return;
        break; /* RFC 6191: the record made way, the SYN opens anew */
    default:
        break;
    }
    struct tcp_listener *listener = sw_tcp_listener_for(tcp, &seg->tuple, seg->destination_is_ours);
    if (listener)
        sw_tcp_listener_input(tcp, listener, seg);
    else
        closed_input(tcp, seg);
}
