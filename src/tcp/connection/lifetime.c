/*
 * lifetime.c - The beginning and the end of a control block.
 *
 *     new -> in the table -> ... -> CLOSED -> finish: the user still holds the handle? -> husk -> freed
 *                                                     no                               -> freed
 */
#include "tcp/connection/lifetime.h"

#include "tcp/close/reset.h"
#include "tcp/close/time_wait.h"
#include "tcp/connection/config.h"
#include "tcp/connection/meter.h"
#include "tcp/connection/state.h"
#include "tcp/connection/timers.h"
#include "tcp/ecn/ecn.h"
#include "tcp/open/demux.h"
#include "tcp/open/fast_open.h"
#include "tcp/open/listener.h"
#include "tcp/receive/reassembly.h"
#include "tcp/receive/receive_queue.h"
#include "tcp/send/send_queue.h"
#include "tcp/send/sending.h"

struct tcp_connection *sw_tcp_connection_new(struct tcp *tcp, const struct tcp_tuple *tuple)
{
    struct tcp_connection *conn = sw_pool_alloc(&tcp->connections, tcp->region);
    if (!conn)
        return NULL;
    conn->tuple = *tuple;
    conn->hash = sw_tcp_tuple_hash(&tcp->table_key, tuple);
    conn->listener = conn->config = TCP_NONE;
    conn->deadline.retransmit = conn->deadline.delayed_ack = SANWO_TIME_NEVER;
    conn->deadline.keepalive = conn->deadline.user = SANWO_TIME_NEVER;
    conn->deadline.linger = conn->deadline.path_mtu = SANWO_TIME_NEVER;
    return conn;
}

static void release_queues(struct tcp *tcp, struct tcp_connection *conn)
{
    sw_tcp_send_queue_clear(tcp, conn);
    sw_tcp_sending_release(tcp, conn);
    sw_tcp_reassembly_clear(tcp, conn);
}

static void leave_lists(struct tcp *tcp, struct tcp_connection *conn)
{
    if (conn->wants_send) {
        conn->wants_send = 0;
        sw_tcp_list_remove(&tcp->ready, &tcp->connections, tcp->region, conn);
    }
    if (conn->in_table) {
        conn->in_table = 0;
        sw_tcp_demux_remove(tcp, &conn->tuple, sw_tcp_name(TCP_KIND_CONNECTION, conn->item.index));
    }
}

static void release(struct tcp *tcp, struct tcp_connection *conn)
{
    sw_tcp_fast_open_settled(tcp, conn);
    leave_lists(tcp, conn);
    release_queues(tcp, conn);
    sw_tcp_receive_queue_clear(tcp, conn);
    sw_tcp_ecn_release(tcp, conn);
    if (conn->in_accept_queue) {
        struct tcp_listener *listener = sw_tcp_at(tcp, &tcp->listeners, conn->listener);
        sw_tcp_list_remove(&listener->accept_queue, &tcp->connections, tcp->region, conn);
    }
    if (conn->has_events)
        sw_tcp_list_remove(&tcp->events, &tcp->connections, tcp->region, conn);
    sw_wheel_cancel(&tcp->wheel, tcp->region, &conn->timer);
    sw_tcp_meter_release(tcp, conn);
    sw_tcp_config_drop(tcp, &conn->config);
    sw_pool_free(&tcp->connections, tcp->region, conn);
}

void sw_tcp_connection_discard(struct tcp *tcp, struct tcp_connection *conn)
{
    release(tcp, conn);
}

void sw_tcp_fail(struct tcp *tcp, struct tcp_connection *conn, int error, enum sanwo_reason why)
{
    if (error == SANWO_ECONNRESET)
        tcp->counters.reset++;
    else if (error)
        tcp->counters.failed++;
    tcp->counters.reasons[why]++;
    conn->error = (uint8_t)error;
    sw_tcp_set_state(tcp, conn, SANWO_TCP_CLOSED, why);
    sw_tcp_timers_stop(tcp, conn);
    release_queues(tcp, conn);
}

void sw_tcp_finish(struct tcp *tcp, struct tcp_connection *conn)
{
    /* Where both sides know that it is over, an old duplicate must not make it begin anew (B-09). */
    if (conn->by_cookie && conn->in_table && (!conn->error || conn->error == SANWO_ECONNRESET))
        sw_tcp_time_wait_create(tcp, conn);
    /* One that failed while it waited to be accepted is the user's to see: accept() still yields it. */
    bool held = (conn->accepted && !conn->closed_by_user) || conn->in_accept_queue;
    if (!held) {
        release(tcp, conn);
        return;
    }
    leave_lists(tcp, conn);
    sw_tcp_timers_stop(tcp, conn);
    if (!conn->told_closed) /* after TIME-WAIT it was, when that began */
        sw_tcp_tell_closed(tcp, conn, SANWO_EVENT_READABLE);
}

void sw_tcp_tell_closed(struct tcp *tcp, struct tcp_connection *conn, uint32_t besides)
{
    conn->told_closed = 1;
    conn->want_write = 0; /* nothing follows CLOSED but RELEASED */
    sw_tcp_event(tcp, conn, SANWO_EVENT_CLOSED | besides);
}

void sw_tcp_abort(struct tcp *tcp, struct tcp_connection *conn, int error, enum sanwo_reason why)
{
    conn->closed_by_user = 1;
    if (conn->in_accept_queue) {
        struct tcp_listener *listener = sw_tcp_at(tcp, &tcp->listeners, conn->listener);
        sw_tcp_list_remove(&listener->accept_queue, &tcp->connections, tcp->region, conn);
        conn->in_accept_queue = 0;
    }
    if (conn->state != SANWO_TCP_CLOSED) {
        sw_tcp_reset_connection(tcp, conn, why);
        sw_tcp_fail(tcp, conn, error, why);
    }
    release(tcp, conn);
}

void sw_tcp_event(struct tcp *tcp, struct tcp_connection *conn, uint32_t what)
{
    if (conn->told_closed) /* over for the user: what still goes wrong in TIME-WAIT is not his concern */
        what &= ~(uint32_t)SANWO_EVENT_SOFT_ERROR;
    if (!what)
        return;
    conn->events |= what;
    if (conn->has_events || !conn->accepted || conn->closed_by_user)
        return;
    conn->has_events = 1;
    sw_tcp_list_append(&tcp->events, &tcp->connections, tcp->region, conn);
}

void sw_tcp_wants_send(struct tcp *tcp, struct tcp_connection *conn)
{
    if (conn->wants_send || conn->state == SANWO_TCP_CLOSED)
        return;
    conn->wants_send = 1;
    sw_tcp_list_append(&tcp->ready, &tcp->connections, tcp->region, conn);
}
