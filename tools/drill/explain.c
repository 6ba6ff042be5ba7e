/*
 * explain.c - What a failure shows: both packets, the connections, what happened lately.
 */
#define _GNU_SOURCE
#include "run.h"

#include <stdio.h>
#include <string.h>

#include "flow.h"

static double seconds(sanwo_time t)
{
    return (double)t / 1e9;
}

/* ---- one thing that happened ------------------------------------------------------------------- */

/*
 * The formatter writes what the stack sends. For what it receives it is shown the flow from the other
 * end, where that is what is sent.
 */
static void reverse(struct drill_wire *wire, const struct drill_flow *flow)
{
    struct drill_flow *back = &wire->flows[0];

    memset(wire, 0, sizeof *wire);
    *back = (struct drill_flow){
        .used = true,
        .local = flow->remote,
        .remote = flow->local,
        .protocol = flow->protocol,
        .local_isn_known = flow->remote_isn_known,
        .remote_isn_known = flow->local_isn_known,
        .local_isn = flow->remote_isn,
        .remote_isn = flow->local_isn,
        .local_isn_script = flow->remote_isn_script,
        .remote_isn_script = flow->local_isn_script,
    };
    wire->flow_count = 1;
    wire->family = flow->local.address.family;
}

/* Our SYN on its way out: no event has taught the flow its number yet. */
static void foresee(struct drill_wire *wire, const struct drill_flow *flow,
                    const struct sanwo_observation *o)
{
    memset(wire, 0, sizeof *wire);
    if (flow)
        wire->flows[0] = *flow;
    wire->flows[0].used = wire->flows[0].local_isn_known = true;
    wire->flows[0].protocol = DRILL_TCP;
    wire->flows[0].local = o->local;
    wire->flows[0].remote = o->remote;
    wire->flows[0].local_isn = o->seq;
    wire->flow_count = 1;
    wire->family = o->local.address.family;
}

static void store32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* The echoed timestamp as the script calls it. */
static void map_echo(const struct drill_flow *flow, uint8_t *options, size_t length)
{
    for (size_t i = 0; i < length && options[i];) {
        size_t size = options[i] == 1 || i + 1 >= length ? 1 : options[i + 1];

        if (options[i] == 8 && size == 10 && i + size <= length) {
            uint8_t *echo = options + i + 6;
            uint32_t live = (uint32_t)echo[0] << 24 | (uint32_t)echo[1] << 16 |
                            (uint32_t)echo[2] << 8 | echo[3];
            store32(echo, live ? sw_drill_flow_script_ts(flow, live) : 0);
        }
        i += size ? size : 1;
    }
}

/* A segment as the observer saw it, for the formatter of packets. */
static void describe_segment(const struct drill_run *run, const struct sanwo_observation *o,
                             const uint8_t *options, char *out, size_t size)
{
    bool inbound = o->kind == SANWO_OBSERVE_SEGMENT_IN;
    struct drill_seen seen = {
        .family = o->local.address.family,
        .protocol = DRILL_TCP,
        .source = inbound ? o->remote : o->local,
        .destination = inbound ? o->local : o->remote,
        .flags = o->flags,
        .ae = o->ae,
        .seq = o->seq,
        .ack = o->ack,
        .payload_length = o->payload_length,
        .window = (uint16_t)o->window,
        .urgent = o->urgent,
        .when = o->now,
    };
    struct drill_wire *wire = (struct drill_wire *)(uintptr_t)&run->wire; /* only looked at */
    struct drill_flow *flow = sw_drill_flow_find(wire, &o->local, &o->remote);
    struct drill_wire other;
    char text[400];

    if (options && o->options_length <= sizeof seen.options) {
        memcpy(seen.options, options, o->options_length);
        seen.options_length = o->options_length;
    }
    if (inbound && flow) {
        reverse(&other, flow);
        map_echo(flow, seen.options, seen.options_length);
        wire = &other;
    } else if (!inbound && (o->flags & 0x02)) {
        foresee(&other, flow, o);
        wire = &other;
    }
    sw_drill_format_seen(wire, &seen, text, sizeof text);
    snprintf(out, size, "%s  %s%s%s%s", inbound ? "in " : "out", text,
             o->reason && !inbound ? "    (" : "",
             o->reason && !inbound ? sanwo_reason_text(o->reason) : "",
             o->reason && !inbound ? ")" : "");
}

void sw_drill_describe(const struct drill_run *run, const struct sanwo_observation *o,
                       const uint8_t *options, char *out, size_t size)
{
    const char *why = sanwo_reason_text(o->reason);

    switch (o->kind) {
    case SANWO_OBSERVE_SEGMENT_IN:
    case SANWO_OBSERVE_SEGMENT_OUT:
        describe_segment(run, o, options, out, size);
        break;
    case SANWO_OBSERVE_STATE:
        snprintf(out, size, "     %s -> %s: %s", sanwo_tcp_state_name(o->old_state),
                 sanwo_tcp_state_name(o->state), why);
        break;
    case SANWO_OBSERVE_DROP:
        snprintf(out, size, "     dropped: %s", why);
        break;
    case SANWO_OBSERVE_TIMER:
        snprintf(out, size, "     timer: %s", why);
        break;
    case SANWO_OBSERVE_LOSS:
        snprintf(out, size, "     %lld bytes lost: %s", (long long)o->value, why);
        break;
    case SANWO_OBSERVE_WINDOW:
        snprintf(out, size, "     the peer's window is %lld: %s", (long long)o->value, why);
        break;
    case SANWO_OBSERVE_CONGESTION:
        snprintf(out, size, "     cwnd %lld, ssthresh %lld: %s", (long long)o->value,
                 (long long)o->value2, why);
        break;
    case SANWO_OBSERVE_ERROR:
        snprintf(out, size, "     error %s: %s", sanwo_error_name((int)o->value), why);
        break;
    case SANWO_OBSERVE_PATH_MTU:
        snprintf(out, size, "     path MTU %lld", (long long)o->value);
        break;
    default:
        snprintf(out, size, "     RTT %.6f s, smoothed %.6f s", seconds(o->value),
                 seconds(o->value2));
    }
}

/* ---- the failure ---------------------------------------------------------------------------------- */

static void add_connections(struct drill_run *run)
{
    struct drill_world *w = run->world;

    for (size_t i = 0; i < w->peer_count; i++) {
        const struct drill_peer *p = &w->peers[i];
        char local[SANWO_ENDPOINT_TEXT], remote[SANWO_ENDPOINT_TEXT];

        sw_drill_append(&run->detail, "  state      %s <-> %s  %s (%s)\n",
                        sanwo_endpoint_format(&p->local, local, sizeof local),
                        sanwo_endpoint_format(&p->remote, remote, sizeof remote),
                        sanwo_tcp_state_name(p->state), sanwo_reason_text(p->reason));
    }
}

/* Numbers of the connection under test, which often say it all. */
static void add_numbers(struct drill_run *run)
{
    struct sanwo_tcp_info i;
    struct drill_socket *s = run->under_test >= 0 ? &run->sockets[run->under_test] : NULL;

    if (!s || s->kind != DRILL_SOCKET_TCP || !sw_drill_socket_info(run, s, &i) ||
        i.state == SANWO_TCP_LISTEN)
        return;
    sw_drill_append(&run->detail,
                    "  numbers    una %u nxt %u wnd %u, rcv %u wnd %u, cwnd %u flight %u, "
                    "unsent %u unread %u, rto %.3f s\n",
                    i.snd_una - i.iss, i.snd_nxt - i.iss, i.snd_wnd, i.rcv_nxt - i.irs, i.rcv_wnd,
                    i.cwnd, i.in_flight, i.send_unsent, i.receive_queued, seconds(i.rto));
}

static void add_history(struct drill_run *run)
{
    struct drill_world *w = run->world;
    uint64_t first = w->happened > DRILL_HISTORY ? w->happened - DRILL_HISTORY : 0;

    if (run->settings->verbose || first == w->happened)
        return; /* the trace has it all */
    sw_drill_append(&run->detail, "  lately\n");
    for (uint64_t n = first; n < w->happened; n++) {
        const struct drill_happening *h = &w->history[n % DRILL_HISTORY];
        char line[512];

        sw_drill_describe(run, &h->what, h->options, line, sizeof line);
        sw_drill_append(&run->detail, "  %11.6f  %s\n", seconds(h->what.now), line);
    }
}

void sw_drill_explain(struct drill_run *run)
{
    if (run->detail.length)
        sw_drill_append(&run->detail, "  now        %11.6f\n", seconds(run->world->now));
    add_connections(run);
    add_numbers(run);
    add_history(run);
}

void sw_drill_explain_packets(struct drill_run *run, const struct drill_event *event,
                              sanwo_time expected, const struct drill_seen *seen)
{
    char text[512];

    sw_drill_format_packet(event->packet, text, sizeof text);
    sw_drill_append(&run->detail, "  expected   %11.6f  %s\n", seconds(expected), text);
    if (seen) {
        sw_drill_format_seen(&run->wire, seen, text, sizeof text);
        sw_drill_append(&run->detail, "  seen       %11.6f  %s\n", seconds(seen->when), text);
    } else {
        sw_drill_append(&run->detail, "  seen       nothing\n");
    }
    sw_drill_explain(run);
}
