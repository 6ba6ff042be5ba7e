/*
 * lines.c - A row a line, as tcpdump writes, with both ends' states in brackets behind.
 *
 *     00:00:00.000000 IP 10.0.0.1.4001 > 10.0.0.2.80: Flags [S], seq 7, ...  [A CLOSED > SYN-SENT, ...]
 *     IP 10.0.0.1.4001 > 10.0.0.2.80: S 7:7(0) win 65535 ...                 [A CLOSED > SYN-SENT, ...]
 *
 * The old form has no time in front, so that lines can be compared by eye with those in old books.
 * What is no segment begins with "#".
 */
#include "trace/trace.h"

#include <stdio.h>

struct paint {
    const char *states, *bad, *off;
};

static struct paint paint_for(const struct sanwo_trace_style *style)
{
    return style->colour ? (struct paint){"\033[2m", "\033[31m", "\033[0m"}
                         : (struct paint){"", "", ""};
}

static void clock_text(sanwo_time time, char *out, size_t size)
{
    uint64_t micro = (uint64_t)(time < 0 ? 0 : time) / 1000, seconds = micro / 1000000;

    snprintf(out, size, "%02u:%02u:%02u.%06u", (unsigned)(seconds / 3600),
             (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60), (unsigned)(micro % 1000000));
}

static size_t states_text(const struct sanwo_trace_row *row, char *out, size_t size)
{
    size_t n = sw_trace_append(out, size, 0, "[");

    for (unsigned end = 0; end < 2; end++) {
        const struct sanwo_trace_side *side = &row->side[end];
        n = sw_trace_append(out, size, n, "%s%c %s", end == 0 ? "" : ", ", sw_trace_end_letter(end),
                            sanwo_tcp_state_name(side->before));
        if (side->after != side->before) {
            n = sw_trace_append(out, size, n, " > %s", sanwo_tcp_state_name(side->after));
        }
    }
    return sw_trace_append(out, size, n, "]");
}

/* The numbers of a row as the dialect counts them: tcpdump's are relative but in the SYNs. */
static struct trace_shown shown(const struct sanwo_trace *t, const struct sanwo_trace_row *row,
                                enum trace_dialect dialect)
{
    struct trace_shown s = {.flags = row->flags,
                            .options_length = row->options_length,
                            .options = row->options,
                            .seq = row->seq,
                            .ack = row->ack,
                            .payload_length = row->payload_length,
                            .window = row->window,
                            .urgent = row->urgent};

    if (dialect == TRACE_TCPDUMP && !(row->flags & TCP_SYN)) {
        s.seq = row->seq_relative;
        s.ack = row->ack_relative;
        s.sack_base = t->ends[row->from ^ 1].isn;
    }
    return s;
}

static void print_fate(const struct sanwo_trace_row *row, const struct paint *paint,
                       const struct sanwo_trace_writer *w)
{
    char remark[160];

    if (sw_trace_is_lost(row)) {
        sw_trace_print(w, "  %sLOST%s", paint->bad, paint->off);
    } else if (row->drop != SANWO_REASON_NONE) {
        sw_trace_print(w, "  %sDROPPED: %s%s", paint->bad, sanwo_reason_text(row->drop),
                       paint->off);
    }
    if (!(row->flags & TCP_SYN) && sw_trace_remark(row, remark, sizeof(remark)) > 0) {
        sw_trace_print(w, "  # %s", remark);
    }
    for (unsigned end = 0; end < 2; end++) {
        const struct sanwo_trace_side *side = &row->side[end];
        if (side->after == SANWO_TCP_CLOSED && side->before != side->after) {
            sw_trace_print(w, "  # %c: %s", sw_trace_end_letter(end),
                           sanwo_reason_text(side->reason));
        }
    }
}

static void print_segment(const struct sanwo_trace *t, const struct sanwo_trace_row *row,
                          enum trace_dialect dialect, const struct paint *paint,
                          const struct sanwo_trace_writer *w)
{
    char time[32], from[64], to[64], text[512], states[128];
    struct trace_shown s = shown(t, row, dialect);
    bool ipv6 = t->endpoints[0].address.family == SANWO_FAMILY_IPV6;

    clock_text(row->sent - t->origin, time, sizeof(time));
    sw_trace_endpoint(&t->endpoints[row->from], from, sizeof(from));
    sw_trace_endpoint(&t->endpoints[row->from ^ 1], to, sizeof(to));
    if (dialect == TRACE_TCPDUMP) {
        sw_trace_modern(&s, text, sizeof(text));
        sw_trace_print(w, "%s ", time);
    } else {
        sw_trace_classic(&s, text, sizeof(text));
    }
    states_text(row, states, sizeof(states));
    sw_trace_print(w, "%s %s > %s: %s  %s%s%s", ipv6 ? "IP6" : "IP", from, to, text, paint->states,
                   states, paint->off);
    print_fate(row, paint, w);
    sw_trace_print(w, "\n");
}

static void print_change(const struct sanwo_trace *t, const struct sanwo_trace_row *row,
                         const struct paint *paint, const struct sanwo_trace_writer *w)
{
    char time[32], states[128];

    clock_text(row->sent - t->origin, time, sizeof(time));
    states_text(row, states, sizeof(states));
    sw_trace_print(w, "# %s %c: %s  %s%s%s\n", time, sw_trace_end_letter(row->from),
                   sanwo_reason_text(row->reason), paint->states, states, paint->off);
}

int sw_trace_lines(const struct sanwo_trace *t, enum trace_dialect dialect,
                   const struct sanwo_trace_style *style, const struct sanwo_trace_writer *w)
{
    struct paint paint = paint_for(style);

    for (size_t i = 0; i < t->count; i++) {
        if (t->rows[i].kind == SANWO_TRACE_SEGMENT) {
            print_segment(t, &t->rows[i], dialect, &paint, w);
        } else {
            print_change(t, &t->rows[i], &paint, w);
        }
    }
    sw_trace_print(w, "#\n");
    sw_trace_summary_text(t, "# ", w);
    return 0;
}
