/*
 * limited.c - Why the sender is not sending: one reason at a time, and a clock for each.
 *
 *     queued, transmitted, room wanted, room told  ->  limited_by()  ->  another reason?
 *                                                                        the old one's clock stops
 *
 * plan.c notes why it planned nothing more (`limited_by`); this asks it whenever a connection stops
 * sending. Between that moment and the next nothing about the reason changes without an event here. The
 * times are told by sanwo_tcp_info(): a sum over all reasons is the time since the meter began.
 */
#include "tcp/connection/limited.h"

#include "tcp/connection/meter.h"
#include "tcp/connection/state.h"
#include "tcp/send/send_queue.h"

static bool is_opening(const struct tcp_connection *conn)
{
    return conn->state == SANWO_TCP_SYN_SENT || conn->state == SANWO_TCP_SYN_RECEIVED;
}

enum sanwo_tcp_limit sw_tcp_limited_by(const struct tcp_connection *conn)
{
    bool waiting = sw_tcp_send_queue_unsent(conn) != 0;
    bool repairing = conn->in_recovery || conn->in_timeout;
    if (conn->state == SANWO_TCP_CLOSED)
        return SANWO_LIMIT_APPLICATION;
    if (is_opening(conn))
        return waiting ? SANWO_LIMIT_HANDSHAKE : SANWO_LIMIT_APPLICATION;
    if (!waiting && !repairing) /* `limited_by` is of when something was left */
        return conn->want_write ? SANWO_LIMIT_SEND_BUFFER : SANWO_LIMIT_APPLICATION;
    if (conn->no_way)
        return SANWO_LIMIT_LINK;
    switch (conn->limited_by) {
    case SANWO_REASON_ZERO_WINDOW:
    case SANWO_REASON_SILLY_WINDOW:
        return SANWO_LIMIT_RECEIVE_WINDOW;
    case SANWO_REASON_CONGESTION_WINDOW:
        return repairing ? SANWO_LIMIT_RECOVERY : SANWO_LIMIT_CWND;
    case SANWO_REASON_NAGLE:
        return SANWO_LIMIT_APPLICATION;
    case SANWO_REASON_PACED:
        return SANWO_LIMIT_PACING;
    default: /* planned and not sent: nothing of ours holds it */
        return waiting            ? SANWO_LIMIT_LINK
               : conn->want_write ? SANWO_LIMIT_SEND_BUFFER
                                  : SANWO_LIMIT_APPLICATION;
    }
}

static bool is_busy(const struct tcp_connection *conn)
{
    return is_opening(conn) ? sw_tcp_send_queue_unsent(conn) != 0
                            : !tcp_seq_equal(conn->send.snd_una, conn->send.snd_end);
}

void sw_tcp_limited_update(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_meter *m = sw_tcp_meter(tcp, conn);
    if (!m)
        return;
    uint8_t limit = (uint8_t)sw_tcp_limited_by(conn);
    bool busy = is_busy(conn);
    m->app_limited |= limit == SANWO_LIMIT_APPLICATION;
    if (limit != m->limit) {
        m->limited[m->limit] += (uint64_t)(tcp->now - m->limit_since);
        m->limit_since = tcp->now;
        m->limit = limit;
    }
    if (busy != m->busy) {
        if (m->busy)
            m->busy_time += (uint64_t)(tcp->now - m->busy_since);
        m->busy_since = tcp->now;
        m->busy = busy;
        m->rate_since = tcp->now; /* a pause is nobody's slowness */
        m->rate_from = m->delivered;
        m->app_limited = false;
    }
}

void sw_tcp_limited_info(const struct tcp *tcp, const struct tcp_connection *conn,
                         struct sanwo_tcp_info *out)
{
    const struct tcp_meter *m = sw_tcp_meter(tcp, conn);
    out->limit = (uint8_t)sw_tcp_limited_by(conn);
    if (!m)
        return;
    for (unsigned i = 0; i < SANWO_LIMIT_COUNT; i++)
        out->limited_time[i] = (sanwo_time)m->limited[i];
    out->limited_time[m->limit] += tcp->now - m->limit_since;
    out->busy_time = (sanwo_time)m->busy_time;
    if (m->busy)
        out->busy_time += tcp->now - m->busy_since;
}
