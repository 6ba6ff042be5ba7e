/*
 * view.c - What a host has for its one pair of ports: control block, half-open or TIME-WAIT record,
 * listener, in this order.
 */
#include "model.h"

#include "tcp/close/time_wait.h"
#include "tcp/open/half_open.h"
#include "tcp/open/listener.h"
#include "tcp/send/sending.h"

static void *first_of(const struct tcp *tcp, const struct pool *pool)
{
    uint32_t cursor = 0;
    return pool->live ? sw_pool_next(pool, tcp->region, &cursor) : NULL;
}

static void view_connections(const struct tcp *tcp, struct model_view *out)
{
    uint32_t cursor = 0;
    for (uint32_t i = 0; i < tcp->connections.live;
         i++) { /* so that free slots are not looked at */
        const struct tcp_connection *conn = sw_pool_next(&tcp->connections, tcp->region, &cursor);
        if (conn->state == SANWO_TCP_CLOSED)
            out->husks++;
        else
            out->conn = conn;
    }
}

void model_view(const struct model *m, unsigned side, struct model_view *out)
{
    const struct tcp *tcp = &m->host[side].stack->tcp;
    *out = (struct model_view){.half_open = first_of(tcp, &tcp->half_open),
                               .time_wait = first_of(tcp, &tcp->time_wait),
                               .listener = first_of(tcp, &tcp->listeners)};
    view_connections(tcp, out);
    out->present = out->conn || out->half_open || out->time_wait;
    if (out->conn)
        out->state = out->conn->state;
    else if (out->half_open)
        out->state = SANWO_TCP_SYN_RECEIVED;
    else if (out->time_wait)
        out->state = SANWO_TCP_TIME_WAIT;
    else
        out->state = out->listener ? SANWO_TCP_LISTEN : SANWO_TCP_CLOSED;
}

static sanwo_time earlier(sanwo_time a, sanwo_time b)
{
    return a < b ? a : b;
}

/*
 * Not sanwo_stack_deadline(), which may be early: a wheel's node stays where it is when its deadline
 * moves to later, so what it says depends on the past.
 */
sanwo_time model_next_timer(const struct model *m, unsigned side)
{
    const struct tcp *tcp = &m->host[side].stack->tcp;
    sanwo_time when = sw_tcp_time_wait_deadline(tcp);
    struct model_view view;

    model_view(m, side, &view);
    if (view.half_open)
        when = earlier(when, sw_wheel_node_time(&view.half_open->timer));
    if (view.conn) {
        when = earlier(when, view.conn->deadline.retransmit);
        when = earlier(when, view.conn->deadline.delayed_ack);
        when = earlier(when, view.conn->deadline.keepalive);
        when = earlier(when, view.conn->deadline.user);
        when = earlier(when, view.conn->deadline.linger);
        when = earlier(when, view.conn->deadline.path_mtu);
    }
    if (view.conn && view.conn->state != SANWO_TCP_TIME_WAIT) { /* that stops them */
        when = earlier(when, sw_tcp_sending_deadline(tcp, view.conn));
    }
    return when;
}
