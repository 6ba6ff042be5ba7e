/*
 * trace.h - Inside the trace: the collection, and what the renderers share.
 *
 *     collector.c   observations to rows      timeline.c   rows to lines of a ladder
 *     pairing.c     which row arrives here    words.c      flags, options, endpoints as text
 *     summary.c     what the whole was        ladder.c  lines.c  json.c  svg.c  live.c
 */
#ifndef SW_TRACE_TRACE_H
#define SW_TRACE_TRACE_H

#include <sanwo/trace.h>

#include "wire/tcp.h"

#define TRACE_LABELS 8
#define TRACE_BUCKETS 4096
#define TRACE_NO_ROW SIZE_MAX

/* Bytes of a stream with a name. */
struct trace_label {
    uint64_t from, to;
    const char *text;
};

/* A change of state by the user that waits for the segment that carries it. */
struct trace_pending {
    bool set;
    uint8_t before, after;
    uint8_t carrier; /* the flag that segment has */
    uint16_t reason;
    sanwo_time time;
    uint64_t order;
};

/* What is known of one end. */
struct trace_end {
    struct sanwo_trace *trace; /* for the observer's context */
    uint8_t number;
    uint8_t state; /* what the rows so far show */
    bool isn_known;
    uint32_t isn;
    uint32_t sent_to; /* highest sequence number sent, plus one */
    bool sent_any;
    bool sent_syn_ack;
    size_t arriving;         /* the row whose arrival is being acted on, or TRACE_NO_ROW */
    size_t leaving;          /* the row that was sent last, if nothing happened since */
    sanwo_time last;         /* when either was */
    uint32_t newest_arrived; /* highest number of a segment of this end's that arrived */
    sanwo_time flight;       /* shortest time on the wire of what it sent; NEVER: none yet */
    struct trace_pending pending;
    struct trace_label labels[TRACE_LABELS];
    size_t label_count;
    const char *role;
};

struct sanwo_trace {
    struct sanwo_trace_row *rows;
    size_t count, room;
    uint32_t *older; /* beside each row: index + 1 of the next older one of its bucket */
    uint32_t buckets[TRACE_BUCKETS]; /* newest row, index + 1 */
    struct trace_end ends[2];
    struct sanwo_endpoint endpoints[2];
    bool endpoints_known;
    bool out_of_memory;
    uint8_t phase;
    uint32_t segments;
    uint64_t order;
    sanwo_time origin; /* of the first segment: shown as zero */
};

/* ---- pairing.c */

/* Adds row @index, a segment, to those that may arrive. */
void sw_trace_pairing_add(struct sanwo_trace *t, size_t index);
/* The row of what @end now receives: not arrived yet, else arrived before; or TRACE_NO_ROW. */
size_t sw_trace_pairing_find(const struct sanwo_trace *t, unsigned end,
                             const struct sanwo_observation *what);

/* ---- timeline.c: a ladder's lines, in an order that is right at both ends */

enum trace_line_kind {
    TRACE_LINE_WHOLE, /* a segment from end to end: nothing happened in between that it crosses */
    TRACE_LINE_DEPARTS,
    TRACE_LINE_ARRIVES,
    TRACE_LINE_LOST,
    TRACE_LINE_CHANGE,
};

struct trace_line {
    enum trace_line_kind kind;
    size_t row;
};

/* Returns the lines, to be freed, and how many; NULL if memory is short. */
struct trace_line *sw_trace_timeline(const struct sanwo_trace *t, size_t *count);

/* ---- words.c: all return the length written, and cut to the size */

enum trace_dialect { TRACE_TCPDUMP, TRACE_CLASSIC };

/* "SYN ACK" */
size_t sw_trace_flag_words(uint8_t flags, char *out, size_t size);
/* "S." of tcpdump */
size_t sw_trace_flag_letters(uint8_t flags, char *out, size_t size);
/* "mss 1460,nop,wscale 7": options as tcpdump writes them; SACK edges less @base. */
size_t sw_trace_options(const uint8_t *bytes, size_t length, enum trace_dialect dialect,
                        uint32_t base, char *out, size_t size);
/* "mss 1460, wscale 7, SACK, timestamps": what a SYN offers, for people. */
size_t sw_trace_offer(const uint8_t *bytes, size_t length, char *out, size_t size);
/* "192.0.2.1.80" as tcpdump writes it; "*.80": no address. */
size_t sw_trace_endpoint(const struct sanwo_endpoint *e, char *out, size_t size);
/* "0.020000", in seconds. */
size_t sw_trace_time(sanwo_time time, char *out, size_t size);
/* "20 ms", "1.5 s": a span for people. */
size_t sw_trace_span(sanwo_time span, char *out, size_t size);
/* What tcpdump prints of a segment; numbers as they are to be shown. */
struct trace_shown {
    uint8_t flags;
    uint8_t options_length;
    const uint8_t *options;
    uint32_t seq, ack;
    uint32_t sack_base; /* less this, SACK edges are shown */
    uint32_t payload_length;
    uint32_t window;
    uint16_t urgent;
};
/* "Flags [S.], seq 9, ack 4, win 65535, options [mss 1460], length 0" */
size_t sw_trace_modern(const struct trace_shown *s, char *out, size_t size);
/* "S 9:9(0) ack 4 win 65535 <mss 1460>" */
size_t sw_trace_classic(const struct trace_shown *s, char *out, size_t size);
/* What there is to say beside the numbers: the payload, the SYN's offer, what went wrong. */
size_t sw_trace_remark(const struct sanwo_trace_row *row, char *out, size_t size);
/* printf into what is left of a buffer of @size of which @used are used; returns the new length. */
size_t sw_trace_append(char *out, size_t size, size_t used, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Columns of UTF-8 text: all of ours are one wide. */
size_t sw_trace_columns(const char *text);
/* Bytes of @text that go on a line of @most columns: whole words, or up to a colon if that is fair. */
size_t sw_trace_break(const char *text, size_t most);
/* Cuts @text to @most columns (at least 3) between words and says so with "...". */
void sw_trace_shorten(char *text, size_t most);
const char *sw_trace_phase_name(unsigned phase);
static inline char sw_trace_end_letter(unsigned end)
{
    return end == SANWO_TRACE_A ? 'A' : 'B';
}

/* True if the row is a segment that never arrived. */
static inline bool sw_trace_is_lost(const struct sanwo_trace_row *row)
{
    return row->kind == SANWO_TRACE_SEGMENT && row->arrived == SANWO_TIME_NEVER;
}

/* ---- the renderers */

/* At most 2 KiB at a time. */
void sw_trace_print(const struct sanwo_trace_writer *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int sw_trace_ladder(const struct sanwo_trace *t, const struct sanwo_trace_style *style,
                    const struct sanwo_trace_writer *w);
int sw_trace_lines(const struct sanwo_trace *t, enum trace_dialect dialect,
                   const struct sanwo_trace_style *style, const struct sanwo_trace_writer *w);
int sw_trace_json(const struct sanwo_trace *t, const struct sanwo_trace_writer *w);
int sw_trace_svg(const struct sanwo_trace *t, const struct sanwo_trace_writer *w);
/* The summary as sentences, one a line, each after @prefix. */
void sw_trace_summary_text(const struct sanwo_trace *t, const char *prefix,
                           const struct sanwo_trace_writer *w);

#endif
