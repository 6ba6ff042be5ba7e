/*
 * summary.c - What the whole was: who opened, who closed first, how much, how long.
 */
#include "trace/trace.h"

#include <stdio.h>
#include <string.h>

/* Two ends did the same thing: which was first, or 2 if the second had not heard of the first. */
static void note_first(int *first, const struct sanwo_trace_row *row, bool crossed)
{
    if (*first == -1) {
        *first = row->from;
    } else if (*first != 2 && *first != row->from && crossed) {
        *first = 2;
    }
}

static bool is_before_peer(const struct sanwo_trace_row *row, uint8_t state)
{
    return row->side[row->from].before == state;
}

static void count_segment(const struct sanwo_trace_row *row, struct sanwo_trace_summary *s)
{
    unsigned from = row->from;

    s->duplicates[from] += row->duplicate;
    s->dropped[from] += row->drop != SANWO_REASON_NONE;
    if (row->duplicate) {
        return;
    }
    s->segments[from]++;
    s->retransmissions[from] += row->retransmission;
    s->out_of_order[from] += row->out_of_order;
    s->lost[from] += sw_trace_is_lost(row);
    if (!row->retransmission) {
        s->bytes[from] += row->payload_length;
    }
    if ((row->flags & TCP_RST) && s->resetter == -1) {
        s->resetter = row->from;
    }
    if ((row->flags & TCP_SYN) && !row->retransmission) {
        note_first(&s->opener, row, !(row->flags & TCP_ACK));
    }
    if ((row->flags & TCP_FIN) && !row->retransmission) {
        note_first(&s->closer, row, is_before_peer(row, SANWO_TCP_ESTABLISHED));
    }
}

static void note_sides(const struct sanwo_trace_row *row, struct sanwo_trace_summary *s)
{
    for (unsigned end = 0; end < 2; end++) {
        const struct sanwo_trace_side *side = &row->side[end];
        if (side->after == SANWO_TCP_ESTABLISHED) {
            s->established[end] = true;
        }
        if (side->reason != SANWO_REASON_NONE) {
            s->ended[end] = side->reason;
        }
    }
}

void sanwo_trace_summarise(const struct sanwo_trace *t, struct sanwo_trace_summary *out)
{
    sanwo_time last_segment = t->origin, last = t->origin;

    memset(out, 0, sizeof(*out));
    out->opener = out->closer = out->resetter = -1;
    for (size_t i = 0; i < t->count; i++) {
        const struct sanwo_trace_row *row = &t->rows[i];
        sanwo_time time = row->arrived == SANWO_TIME_NEVER ? row->sent : row->arrived;
        note_sides(row, out);
        last = time > last ? time : last;
        if (row->kind == SANWO_TRACE_SEGMENT) {
            count_segment(row, out);
            last_segment = time > last_segment ? time : last_segment;
        }
    }
    out->state[0] = t->ends[0].state;
    out->state[1] = t->ends[1].state;
    out->duration = last_segment - t->origin;
    out->quiet = last - last_segment;
}

/* ---- as sentences --------------------------------------------------------------------------- */

static const char *who(const struct sanwo_trace *t, int end, char *out, size_t size)
{
    if (end == 2) {
        snprintf(out, size, "both at once");
    } else if (end < 0) {
        snprintf(out, size, "nobody");
    } else if (t->ends[end].role[0] != '\0') {
        snprintf(out, size, "%c (%s)", sw_trace_end_letter((unsigned)end), t->ends[end].role);
    } else {
        snprintf(out, size, "%c", sw_trace_end_letter((unsigned)end));
    }
    return out;
}

static void print_trouble(const struct sanwo_trace_summary *s, const char *prefix,
                          const struct sanwo_trace_writer *w)
{
    uint32_t duplicates = s->duplicates[0] + s->duplicates[1];
    uint32_t overtaken = s->out_of_order[0] + s->out_of_order[1];

    if (s->lost[0] + s->lost[1] + s->retransmissions[0] + s->retransmissions[1] + duplicates +
            overtaken + s->dropped[0] + s->dropped[1] ==
        0) {
        sw_trace_print(w, "%strouble     none: nothing lost, nothing sent twice\n", prefix);
        return;
    }
    sw_trace_print(w, "%strouble     %u lost on the way, %u retransmitted", prefix,
                   s->lost[0] + s->lost[1], s->retransmissions[0] + s->retransmissions[1]);
    if (duplicates != 0) {
        sw_trace_print(w, ", %u copied", duplicates);
    }
    if (overtaken != 0) {
        sw_trace_print(w, ", %u overtaken", overtaken);
    }
    if (s->dropped[0] + s->dropped[1] != 0) {
        sw_trace_print(w, ", %u dropped on arrival", s->dropped[0] + s->dropped[1]);
    }
    sw_trace_print(w, "\n");
}

void sw_trace_summary_text(const struct sanwo_trace *t, const char *prefix,
                           const struct sanwo_trace_writer *w)
{
    struct sanwo_trace_summary s;
    char name[64], span[32], quiet[32];

    sanwo_trace_summarise(t, &s);
    if (t->count == 0) {
        sw_trace_print(w, "%snothing was sent\n", prefix);
        return;
    }
    sw_trace_span(s.duration, span, sizeof(span));
    sw_trace_span(s.quiet, quiet, sizeof(quiet));
    sw_trace_print(w, "%sopened by   %s\n", prefix, who(t, s.opener, name, sizeof(name)));
    if (s.closer == -1 && s.resetter != -1) {
        sw_trace_print(w, "%sreset by    %s\n", prefix, who(t, s.resetter, name, sizeof(name)));
    } else {
        sw_trace_print(w, "%sclosed by   %s%s\n", prefix, who(t, s.closer, name, sizeof(name)),
                       s.closer == 0 || s.closer == 1 ? " first" : "");
    }
    sw_trace_print(w, "%ssegments    %u from A, %u from B\n", prefix, s.segments[0], s.segments[1]);
    sw_trace_print(w, "%sbytes       %llu from A, %llu from B\n", prefix,
                   (unsigned long long)s.bytes[0], (unsigned long long)s.bytes[1]);
    print_trouble(&s, prefix, w);
    sw_trace_print(w, "%sduration    %s", prefix, span);
    if (s.quiet > 0) {
        sw_trace_print(w, ", and %s more until the last state was given up", quiet);
    }
    sw_trace_print(w, "\n%sat the end  A %s, B %s\n", prefix, sanwo_tcp_state_name(s.state[0]),
                   sanwo_tcp_state_name(s.state[1]));
}
