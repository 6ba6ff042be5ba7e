/*
 * flow_ours.c - The ends of a flow that are on our stack.
 */
#define _GNU_SOURCE
#include "goodput.h"

enum { SLICES = 64 };

bool sw_ours_listen(struct flow *flow)
{
    struct sanwo_tcp_listen open = {.local.port = (uint16_t)(FLOW_PORT + flow->number),
                                    .user = flow};
    int result =
        sanwo_tcp_listen(flow->world->ends[RIGHT].stack, &open, flow->world->now, &flow->listener);

    if (result < 0)
        sw_flow_fail(flow, "cannot listen", -result);
    return result >= 0;
}

bool sw_ours_connect(struct flow *flow)
{
    struct sanwo_tcp_connect open = {.user = flow};
    int result;

    open.remote.address = sw_world_address(RIGHT, flow->to_linux);
    open.remote.port = (uint16_t)(FLOW_PORT + flow->number);
    result =
        sanwo_tcp_connect(flow->world->ends[LEFT].stack, &open, flow->world->now, &flow->sender);
    if (result < 0)
        sw_flow_fail(flow, "cannot connect", -result);
    return result >= 0;
}

static void push(struct flow *flow)
{
    struct world *w = flow->world;
    struct sanwo_stack *stack = w->ends[LEFT].stack;
    size_t length;

    while ((length = sw_flow_rest(flow, sizeof sw_flow_bytes)) > 0) {
        int64_t n = sanwo_tcp_send(stack, flow->sender, sw_flow_bytes, length, 0, w->now);

        if (n == -SANWO_EAGAIN || n == -SANWO_ENOMEM)
            return;
        if (n < 0) {
            sw_flow_fail(flow, "cannot send", (int)-n);
            return;
        }
        flow->sent += (uint64_t)n;
    }
    if (!flow->shut)
        sanwo_tcp_shutdown(stack, flow->sender, w->now);
    flow->shut = true;
}

static void pull(struct flow *flow)
{
    struct world *w = flow->world;
    struct sanwo_stack *stack = w->ends[RIGHT].stack;
    struct sanwo_slice slices[SLICES];
    int n;

    while ((n = sanwo_tcp_peek(stack, flow->receiver, slices, SLICES)) > 0) {
        size_t length = 0;

        for (int i = 0; i < n; i++)
            length += slices[i].length;
        sanwo_tcp_consume(stack, flow->receiver, length, w->now);
        sw_flow_got(flow, length);
    }
    if (n == 0)
        sw_flow_ended(flow);
    else if (n != -SANWO_EAGAIN)
        sw_flow_fail(flow, "cannot receive", -n);
}

static void accept_flow(struct flow *flow)
{
    struct world *w = flow->world;

    if (sanwo_tcp_accept(w->ends[RIGHT].stack, flow->listener, flow, &flow->receiver) == 0)
        pull(flow);
}

void sw_ours_event(enum side side, const struct sanwo_event *event)
{
    struct flow *flow = event->user;

    if (flow == NULL || flow->failed)
        return;
    if ((event->what & SANWO_EVENT_CLOSED) != 0 && event->error != 0)
        sw_flow_fail(flow, "the connection broke", event->error);
    else if (side == LEFT && (event->what & (SANWO_EVENT_CONNECTED | SANWO_EVENT_WRITABLE)) != 0)
        push(flow);
    else if (side == RIGHT && (event->what & SANWO_EVENT_ACCEPT) != 0)
        accept_flow(flow);
    else if (side == RIGHT &&
             (event->what & (SANWO_EVENT_READABLE | SANWO_EVENT_PEER_CLOSED)) != 0 && !flow->ended)
        pull(flow);
}

bool sw_ours_info(const struct flow *flow, struct flow_info *out)
{
    struct sanwo_tcp_info info;

    if (sanwo_tcp_info(flow->world->ends[LEFT].stack, flow->sender, &info) < 0)
        return false;
    out->cwnd = info.cwnd;
    out->ssthresh = info.ssthresh;
    out->in_flight = info.in_flight;
    out->srtt = info.srtt;
    out->resent = info.segments_retransmitted;
    return true;
}
