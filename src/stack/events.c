/*
 * events.c - What happened since the last time, one event an object; and the statistics.
 */
#include "stack/stack.h"

#include "tcp/connection/observe.h"
#include "tcp/open/listener.h"

static struct sanwo_event connection_event(struct tcp_connection *conn)
{
    struct sanwo_event e = {.handle = sw_tcp_handle(TCP_KIND_CONNECTION, conn),
                            .user = conn->user,
                            .what = conn->events};
    if (e.what & SANWO_EVENT_CLOSED)
        e.error = conn->error;
    else if (e.what & SANWO_EVENT_SOFT_ERROR)
        e.error = conn->soft_error;
    conn->events = 0;
    conn->has_events = 0;
    return e;
}

static struct sanwo_event listener_event(struct tcp_listener *listener)
{
    struct sanwo_event e = {.handle = sw_tcp_handle(TCP_KIND_LISTENER, listener),
                            .user = listener->user,
                            .what = listener->events};
    listener->events = 0;
    listener->has_events = false;
    return e;
}

size_t sanwo_stack_events(struct sanwo_stack *s, struct sanwo_event *events, size_t max)
{
    size_t n = 0;
    struct tcp_listener *listener;
    struct tcp_connection *conn;
    while (n < max &&
           (listener = sw_tcp_list_take(&s->tcp.listener_events, &s->tcp.listeners, &s->region)))
        events[n++] = listener_event(listener);
    while (n < max && (conn = sw_tcp_list_take(&s->tcp.events, &s->tcp.connections, &s->region)))
        events[n++] = connection_event(conn);
    return n;
}

void sanwo_stack_stats(const struct sanwo_stack *s, struct sanwo_stack_stats *out)
{
    const struct tcp_counters *c = &s->tcp.counters;
    *out = (struct sanwo_stack_stats){
        .frames_in = s->frames_in,
        .frames_out = s->frames_out,
        .bytes_in = s->bytes_in,
        .bytes_out = s->bytes_out,
        .segments_in = c->segments_in,
        .segments_out = c->segments_out,
        .segments_retransmitted = c->retransmitted,
        .resets_out = c->resets_out,
        .challenge_acks = c->challenge_acks,
        .connections_opened = c->opened,
        .connections_accepted = c->accepted,
        .connections_failed = c->failed,
        .connections_reset = c->reset,
        .icmp_in = s->ip.icmp_in,
        .icmp_out = s->ip.icmp_out,
        .connections = s->tcp.connections.live,
        .half_open = s->tcp.half_open.live,
        .time_wait = s->tcp.time_wait.live,
        .listeners = s->tcp.listeners.live,
        .memory_used = s->region.used,
        .memory_peak = s->region.peak,
        .memory_budget = s->region.budget,
        .memory_refused = s->region.refused,
    };
    memcpy(out->reasons, c->reasons, sizeof(out->reasons));
    out->reasons[SANWO_REASON_NEIGHBOUR_UNRESOLVED] += s->ip.lost.neighbour_unresolved;
    out->reasons[SANWO_REASON_NEIGHBOUR_QUEUE_FULL] += s->ip.lost.neighbour_queue_full;
    out->reasons[SANWO_REASON_QUEUE_FULL] += s->ip.lost.queue_full;
    out->reasons[SANWO_REASON_RATE_LIMITED] += s->ip.lost.rate_limited;
    out->reasons[SANWO_REASON_NO_MEMORY] += s->ip.lost.no_memory;
    out->reasons[SANWO_REASON_LINK_DOWN] += s->ip.lost.link_down;
}
