/*
 * live.c - One end as it runs: an observation a line, for `sanwo serve --trace`.
 *
 *     12.004211 IP 10.9.0.1.51544 > 10.9.0.2.80: Flags [S], seq 7, win 64240, length 0 (LISTEN)
 *     12.004211    10.9.0.2.80 - 10.9.0.1.51544: LISTEN > SYN-RECEIVED: SYN received
 */
#include "trace/trace.h"

#include <stdio.h>

struct line {
    char *out;
    size_t size, used;
};

static void add_segment(struct line *l, const struct sanwo_observation *what)
{
    bool in = what->kind == SANWO_OBSERVE_SEGMENT_IN;
    const struct sanwo_endpoint *from = in ? &what->remote : &what->local;
    const struct sanwo_endpoint *to = in ? &what->local : &what->remote;
    char source[64], destination[64], text[512];
    struct trace_shown s = {.flags = what->flags,
                            .options_length = what->options == NULL ? 0 : what->options_length,
                            .options = what->options,
                            .seq = what->seq,
                            .ack = what->ack,
                            .payload_length = what->payload_length,
                            .window = what->window,
                            .urgent = what->urgent};

    sw_trace_endpoint(from, source, sizeof(source));
    sw_trace_endpoint(to, destination, sizeof(destination));
    sw_trace_modern(&s, text, sizeof(text));
    l->used = sw_trace_append(l->out, l->size, l->used, " %s %s > %s: %s (%s)",
                              from->address.family == SANWO_FAMILY_IPV6 ? "IP6" : "IP", source,
                              destination, text, sanwo_tcp_state_name(what->state));
    if (what->reason != SANWO_REASON_NONE) {
        l->used =
            sw_trace_append(l->out, l->size, l->used, ", %s", sanwo_reason_text(what->reason));
    }
}

static void add_ends(struct line *l, const struct sanwo_observation *what)
{
    char local[64], remote[64];

    if (what->local.port == 0 && what->remote.port == 0) {
        l->used = sw_trace_append(l->out, l->size, l->used, "    ");
        return;
    }
    sw_trace_endpoint(&what->local, local, sizeof(local));
    if (what->remote.port == 0) {
        l->used = sw_trace_append(l->out, l->size, l->used, "    %s: ", local);
        return;
    }
    sw_trace_endpoint(&what->remote, remote, sizeof(remote));
    l->used = sw_trace_append(l->out, l->size, l->used, "    %s - %s: ", local, remote);
}

static void add_other(struct line *l, const struct sanwo_observation *what)
{
    const char *why = sanwo_reason_text(what->reason);
    long long value = what->value, value2 = what->value2;

    add_ends(l, what);
    switch (what->kind) {
    case SANWO_OBSERVE_STATE:
        l->used = sw_trace_append(l->out, l->size, l->used, "%s > %s: %s",
                                  sanwo_tcp_state_name(what->old_state),
                                  sanwo_tcp_state_name(what->state), why);
        break;
    case SANWO_OBSERVE_DROP:
        l->used = sw_trace_append(l->out, l->size, l->used, "dropped: %s", why);
        break;
    case SANWO_OBSERVE_TIMER:
        l->used = sw_trace_append(l->out, l->size, l->used, "timer: %s", why);
        break;
    case SANWO_OBSERVE_LOSS:
        l->used = sw_trace_append(l->out, l->size, l->used, "%lld bytes lost: %s", value, why);
        break;
    case SANWO_OBSERVE_WINDOW:
        l->used = sw_trace_append(l->out, l->size, l->used, "window %lld: %s", value, why);
        break;
    case SANWO_OBSERVE_CONGESTION:
        l->used = sw_trace_append(l->out, l->size, l->used, "cwnd %lld, ssthresh %lld: %s", value,
                                  value2, why);
        break;
    case SANWO_OBSERVE_ERROR:
        l->used = sw_trace_append(l->out, l->size, l->used, "error %s: %s",
                                  sanwo_error_name((int)value), why);
        break;
    case SANWO_OBSERVE_PATH_MTU:
        l->used = sw_trace_append(l->out, l->size, l->used, "path MTU %lld: %s", value, why);
        break;
    case SANWO_OBSERVE_RTT:
        l->used = sw_trace_append(l->out, l->size, l->used, "RTT %lld us, smoothed %lld us",
                                  value / 1000, value2 / 1000);
        break;
    default:
        l->used = sw_trace_append(l->out, l->size, l->used, "%s", why);
        break;
    }
}

size_t sanwo_trace_format_line(const struct sanwo_observation *what, char *out, size_t size)
{
    struct line l = {out, size, 0};

    if (size == 0) {
        return 0;
    }
    out[0] = '\0';
    l.used = sw_trace_time(what->now, out, size);
    if (what->kind == SANWO_OBSERVE_SEGMENT_IN || what->kind == SANWO_OBSERVE_SEGMENT_OUT) {
        add_segment(&l, what);
    } else {
        add_other(&l, what);
    }
    return l.used;
}
