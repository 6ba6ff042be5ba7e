/*
 * observe.c - Filling in observations.
 */
#include "tcp/connection/observe.h"

static void tell(struct tcp *tcp, struct sanwo_observation *o, const struct tcp_tuple *tuple)
{
    o->now = tcp->now;
    o->local = sw_tcp_tuple_local(tuple);
    o->remote = sw_tcp_tuple_remote(tuple);
    tcp->observer.observe(tcp->observer.context, o);
}

void sw_tcp_observe_slow(struct tcp *tcp, const struct tcp_connection *conn,
                         struct sanwo_observation *o)
{
    o->state = conn->state;
    o->handle = sw_tcp_handle(TCP_KIND_CONNECTION, conn);
    o->user = conn->user;
    tell(tcp, o, &conn->tuple);
}

void sw_tcp_observe_subject(struct tcp *tcp, const struct tcp_subject *who,
                            enum sanwo_observation_kind kind, enum sanwo_reason why)
{
    struct sanwo_observation o = {.kind = (uint8_t)kind,
                                  .reason = (uint16_t)why,
                                  .old_state = who->old_state,
                                  .state = who->state,
                                  .handle = who->handle};
    if (sw_tcp_is_observed(tcp))
        tell(tcp, &o, who->tuple);
}

static void fill_segment(struct sanwo_observation *o, const struct tcp_segment *seg)
{
    o->seq = seg->seq.raw;
    o->ack = seg->ack.raw;
    o->payload_length = seg->length;
    o->window = seg->window;
    o->urgent = seg->urgent;
    o->flags = seg->flags;
    o->ae = seg->ace >> 2;
    o->options = seg->option_bytes;
    o->options_length = seg->option_length;
}

void sw_tcp_observe_segment_in(struct tcp *tcp, const struct tcp_segment *seg,
                               const struct tcp_connection *conn, struct sanwo_handle handle,
                               uint8_t state)
{
    if (!sw_tcp_is_observed(tcp))
        return;
    struct sanwo_observation o = {.kind = SANWO_OBSERVE_SEGMENT_IN,
                                  .state = state,
                                  .old_state = state,
                                  .handle = handle,
                                  .user = conn ? conn->user : NULL};
    fill_segment(&o, seg);
    tell(tcp, &o, &seg->tuple);
}

void sw_tcp_observe_drop(struct tcp *tcp, const struct tcp_segment *seg,
                         const struct tcp_connection *conn, enum sanwo_reason why)
{
    tcp->counters.reasons[why]++;
    if (!sw_tcp_is_observed(tcp))
        return;
    struct sanwo_observation o = {.kind = SANWO_OBSERVE_DROP, .reason = (uint16_t)why};
    if (conn) {
        o.state = o.old_state = conn->state;
        o.handle = sw_tcp_handle(TCP_KIND_CONNECTION, conn);
        o.user = conn->user;
    }
    fill_segment(&o, seg);
    tell(tcp, &o, &seg->tuple);
}
