/*
 * json.c - One object a line: segments, changes of state, and at last the summary.
 *
 * Times are seconds since the first segment; states, reasons and flags are the names that the rest
 * of the library uses, so that a program need not know our numbers.
 */
#include "trace/trace.h"

#include <stdio.h>

static void print_string(const struct sanwo_trace_writer *w, const char *text)
{
    sw_trace_print(w, "\"");
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            sw_trace_print(w, "\\%c", c);
        } else if (c < 0x20) {
            sw_trace_print(w, "\\u%04x", c);
        } else {
            sw_trace_print(w, "%c", c);
        }
    }
    sw_trace_print(w, "\"");
}

static void print_time(const struct sanwo_trace_writer *w, const char *name, sanwo_time time)
{
    if (time == SANWO_TIME_NEVER) {
        sw_trace_print(w, "\"%s\":null", name);
        return;
    }
    uint64_t ns = (uint64_t)(time < 0 ? -time : time);
    sw_trace_print(w, "\"%s\":%s%llu.%09u", name, time < 0 ? "-" : "",
                   (unsigned long long)(ns / 1000000000), (unsigned)(ns % 1000000000));
}

static sanwo_time since(const struct sanwo_trace *t, sanwo_time time)
{
    return time == SANWO_TIME_NEVER ? time : time - t->origin;
}

static void print_sides(const struct sanwo_trace_row *row, const struct sanwo_trace_writer *w)
{
    for (unsigned end = 0; end < 2; end++) {
        const struct sanwo_trace_side *side = &row->side[end];
        sw_trace_print(w, ",\"%s\":{\"before\":\"%s\",\"after\":\"%s\"", end == 0 ? "a" : "b",
                       sanwo_tcp_state_name(side->before), sanwo_tcp_state_name(side->after));
        if (side->reason != SANWO_REASON_NONE) {
            sw_trace_print(w, ",\"reason\":\"%s\"", sanwo_reason_name(side->reason));
        }
        sw_trace_print(w, "}");
    }
}

static void print_endpoint(const struct sanwo_trace_writer *w, const char *name,
                           const struct sanwo_endpoint *e)
{
    char text[SANWO_ENDPOINT_TEXT];
    sw_trace_print(w, ",\"%s\":\"%s\"", name, sanwo_endpoint_format(e, text, sizeof(text)));
}

static void print_flags(uint8_t flags, const struct sanwo_trace_writer *w)
{
    const char *comma = "";
    char word[16];

    sw_trace_print(w, ",\"flags\":[");
    for (unsigned bit = 0; bit < 8; bit++) {
        if (flags & 1U << bit) {
            sw_trace_flag_words((uint8_t)(1U << bit), word, sizeof(word));
            sw_trace_print(w, "%s\"%s\"", comma, word);
            comma = ",";
        }
    }
    sw_trace_print(w, "]");
}

static const char *fate(const struct sanwo_trace_row *row)
{
    if (sw_trace_is_lost(row)) {
        return "lost";
    }
    return row->drop != SANWO_REASON_NONE ? "dropped" : row->duplicate ? "duplicate" : "arrived";
}

static void print_numbers(const struct sanwo_trace_row *row, const struct sanwo_trace_writer *w)
{
    sw_trace_print(w, ",\"seq\":%u,\"seq_relative\":%u", row->seq, row->seq_relative);
    if (row->flags & TCP_ACK) {
        sw_trace_print(w, ",\"ack\":%u,\"ack_relative\":%u", row->ack, row->ack_relative);
    }
    sw_trace_print(w, ",\"window\":%u,\"length\":%u", row->window, row->payload_length);
    if (row->flags & TCP_URG) {
        sw_trace_print(w, ",\"urgent\":%u", row->urgent);
    }
}

static void print_segment(const struct sanwo_trace *t, const struct sanwo_trace_row *row,
                          const struct sanwo_trace_writer *w)
{
    char options[256];

    sw_trace_options(row->options, row->options_length, TRACE_TCPDUMP, 0, options, sizeof(options));
    sw_trace_print(w, "{\"type\":\"segment\",\"number\":%u,", row->number);
    print_time(w, "time", since(t, row->sent));
    sw_trace_print(w, ",");
    print_time(w, "arrived", since(t, row->arrived));
    sw_trace_print(w, ",\"from\":\"%c\"", sw_trace_end_letter(row->from));
    print_endpoint(w, "source", &t->endpoints[row->from]);
    print_endpoint(w, "destination", &t->endpoints[row->from ^ 1]);
    print_flags(row->flags, w);
    print_numbers(row, w);
    sw_trace_print(w, ",\"options\":\"%s\",\"phase\":\"%s\"", options,
                   sw_trace_phase_name(row->phase));
    print_sides(row, w);
    sw_trace_print(w, ",\"fate\":\"%s\",\"retransmission\":%s,\"out_of_order\":%s", fate(row),
                   row->retransmission ? "true" : "false", row->out_of_order ? "true" : "false");
    if (row->reason != SANWO_REASON_NONE) {
        sw_trace_print(w, ",\"reason\":\"%s\"", sanwo_reason_name(row->reason));
    }
    if (row->drop != SANWO_REASON_NONE) {
        sw_trace_print(w, ",\"drop\":\"%s\"", sanwo_reason_name(row->drop));
    }
    if (row->note[0] != '\0') {
        sw_trace_print(w, ",\"note\":");
        print_string(w, row->note);
    }
    sw_trace_print(w, "}\n");
}

static void print_change(const struct sanwo_trace *t, const struct sanwo_trace_row *row,
                         const struct sanwo_trace_writer *w)
{
    sw_trace_print(w, "{\"type\":\"change\",");
    print_time(w, "time", since(t, row->sent));
    sw_trace_print(w, ",\"end\":\"%c\",\"phase\":\"%s\"", sw_trace_end_letter(row->from),
                   sw_trace_phase_name(row->phase));
    print_sides(row, w);
    sw_trace_print(w, "}\n");
}

static const char *who(int end)
{
    return end < 0 ? "null" : end == 0 ? "\"A\"" : end == 1 ? "\"B\"" : "\"both\"";
}

static void print_summary_end(const struct sanwo_trace_summary *s, unsigned end,
                              const struct sanwo_trace_writer *w)
{
    sw_trace_print(w,
                   ",\"%s\":{\"state\":\"%s\",\"reason\":\"%s\",\"established\":%s,"
                   "\"segments\":%u,\"bytes\":%llu,\"retransmissions\":%u,\"lost\":%u,"
                   "\"dropped\":%u,\"duplicates\":%u,\"out_of_order\":%u}",
                   end == 0 ? "a" : "b", sanwo_tcp_state_name(s->state[end]),
                   sanwo_reason_name(s->ended[end]), s->established[end] ? "true" : "false",
                   s->segments[end], (unsigned long long)s->bytes[end], s->retransmissions[end],
                   s->lost[end], s->dropped[end], s->duplicates[end], s->out_of_order[end]);
}

int sw_trace_json(const struct sanwo_trace *t, const struct sanwo_trace_writer *w)
{
    struct sanwo_trace_summary s;

    for (size_t i = 0; i < t->count; i++) {
        if (t->rows[i].kind == SANWO_TRACE_SEGMENT) {
            print_segment(t, &t->rows[i], w);
        } else {
            print_change(t, &t->rows[i], w);
        }
    }
    sanwo_trace_summarise(t, &s);
    sw_trace_print(w, "{\"type\":\"summary\",\"opener\":%s,\"closer\":%s,\"resetter\":%s,",
                   who(s.opener), who(s.closer), who(s.resetter));
    print_time(w, "duration", s.duration);
    sw_trace_print(w, ",");
    print_time(w, "quiet", s.quiet);
    print_summary_end(&s, SANWO_TRACE_A, w);
    print_summary_end(&s, SANWO_TRACE_B, w);
    sw_trace_print(w, "}\n");
    return 0;
}
