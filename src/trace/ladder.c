/*
 * ladder.c - The ladder: two lifelines, an arrow for each segment, states on the outside.
 *
 *     0.000000        CLOSED ┃ #1 SYN  seq 3626544836                 ┃ LISTEN
 *                 ▸ SYN-SENT ┠─── mss 1460, SACK ────────────────────▶┨ ▸ SYN-RECEIVED  0.010000
 *
 * The upper line of a segment has the states before it, the lower one those after it; what changed
 * is marked. Times are each end's own, on its own side; without delay the left ones are enough.
 */
#include "trace/trace.h"

#include <stdlib.h>
#include <string.h>

#define TIME_WIDTH 9
#define STATE_WIDTH 14

/* What the drawing is made of: box drawing, or plain characters. */
struct glyphs {
    const char *life, *gap, *leave_right, *leave_left, *dot, *cross_life;
    const char *line, *fading, *head_right, *head_left, *lost, *changed, *rule;
};

static const struct glyphs box = {"┃", "┊", "┠", "┨", "●", "╂", "─", "╌", "▶", "◀", "✗", "▸", "─"};
static const struct glyphs plain = {"|", ":", "|", "|", "*", "+", "-",
                                    ".", ">", "<", "x", ">", "-"};

struct palette {
    const char *off, *dim, *bold, *changed, *bad;
    const char *open, *data, *close;
};

static const struct palette colours = {"\033[0m",  "\033[2m",  "\033[1m",  "\033[1;33m",
                                       "\033[31m", "\033[32m", "\033[36m", "\033[35m"};
static const struct palette no_colours = {"", "", "", "", "", "", "", ""};

struct ladder {
    const struct sanwo_trace *trace;
    const struct sanwo_trace_writer *w;
    const struct glyphs *glyph;
    const struct palette *palette;
    size_t width;     /* columns between the lifelines */
    bool right_times; /* some segment took time on the wire */
    sanwo_time shown; /* the latest time printed */
};

/* ---- cells ---------------------------------------------------------------------------------- */

static void fill(const struct ladder *l, const char *glyph, size_t n)
{
    while (n-- > 0) {
        sw_trace_print(l->w, "%s", glyph);
    }
}

static void put(const struct ladder *l, const char *colour, const char *text)
{
    sw_trace_print(l->w, "%s%s%s", colour, text, *colour ? l->palette->off : "");
}

/* @text in a cell of @width columns, to the right or to the left. */
static void put_cell(const struct ladder *l, const char *colour, const char *text, size_t width,
                     bool right)
{
    size_t used = sw_trace_columns(text), space = used < width ? width - used : 0;

    fill(l, " ", right ? space : 0);
    put(l, colour, text);
    fill(l, " ", right ? 0 : space);
}

static void put_time(struct ladder *l, sanwo_time time, bool right)
{
    char text[32] = "";

    if (time != SANWO_TIME_NEVER) {
        sw_trace_time(time - l->trace->origin, text, sizeof(text));
        text[TIME_WIDTH] = '\0'; /* beyond 100 s the microseconds go first */
        l->shown = time > l->shown ? time : l->shown;
    }
    put_cell(l, l->palette->dim, text, TIME_WIDTH, right);
}

static void end_line(const struct ladder *l)
{
    sw_trace_print(l->w, "\n");
}

/* ---- one line: time, state, lifeline, middle, lifeline, state, time ------------------------- */

/* What stands outside the lifelines on one line; state NULL and time NEVER leave the cell empty. */
struct margin {
    sanwo_time time;
    const char *state;
    bool changed, faint;
};

static const struct margin empty_margin = {SANWO_TIME_NEVER, NULL, false, false};

static void put_state(const struct ladder *l, const struct margin *m, bool right)
{
    char text[32];
    const char *colour = m->changed ? l->palette->changed : m->faint ? l->palette->dim : "";

    sw_trace_append(text, sizeof(text), 0, "%s%s%s", m->changed ? l->glyph->changed : "",
                    m->changed ? " " : "", m->state == NULL ? "" : m->state);
    put_cell(l, colour, text, STATE_WIDTH, right);
}

static void put_left(struct ladder *l, const struct margin *m)
{
    put_time(l, m->time, true);
    sw_trace_print(l->w, " ");
    put_state(l, m, true);
    sw_trace_print(l->w, " ");
}

static void put_right(struct ladder *l, const struct margin *m)
{
    if (m->state == NULL && (m->time == SANWO_TIME_NEVER || !l->right_times)) {
        end_line(l);
        return;
    }
    sw_trace_print(l->w, " ");
    if (l->right_times && m->time != SANWO_TIME_NEVER) {
        put_state(l, m, false);
        sw_trace_print(l->w, " ");
        put_time(l, m->time, true);
    } else {
        struct margin bare = *m;
        char text[32];
        const char *colour = bare.changed ? l->palette->changed : bare.faint ? l->palette->dim : "";
        sw_trace_append(text, sizeof(text), 0, "%s%s%s", bare.changed ? l->glyph->changed : "",
                        bare.changed ? " " : "", bare.state);
        put(l, colour, text); /* nothing follows: no blanks at the end of the line */
    }
    end_line(l);
}

/* A line with text in the middle. */
static void text_line(struct ladder *l, const struct margin margins[2], const char *colour,
                      const char *text)
{
    put_left(l, &margins[0]);
    put(l, "", l->glyph->life);
    sw_trace_print(l->w, " ");
    put_cell(l, colour, text, l->width - 1, false);
    put(l, "", l->glyph->life);
    put_right(l, &margins[1]);
}

/* Text of any length, the later lines of it indented; the margins stand at the first. */
static void text_lines(struct ladder *l, const struct margin margins[2], const char *colour,
                       const char *text)
{
    static const struct margin none[2] = {{SANWO_TIME_NEVER, NULL, false, false},
                                          {SANWO_TIME_NEVER, NULL, false, false}};
    const char *indent = "";

    do {
        char line[160];
        size_t n = sw_trace_break(text, l->width - 2 - strlen(indent));
        sw_trace_append(line, sizeof(line), 0, "%s%.*s", indent, (int)n, text);
        text_line(l, margins, colour, line);
        text += n + (text[n] == ' ');
        margins = none;
        indent = "  ";
    } while (*text != '\0');
}

/* ---- arrows --------------------------------------------------------------------------------- */

static const char *segment_colour(const struct ladder *l, const struct sanwo_trace_row *row)
{
    if (row->flags & TCP_RST) {
        return l->palette->bad;
    }
    if (row->flags & TCP_SYN) {
        return l->palette->open;
    }
    if (row->flags & TCP_FIN) {
        return l->palette->close;
    }
    return row->payload_length > 0 ? l->palette->data : "";
}

/* The shaft from the sender's end: so many columns blank, fading, drawn, fading and blank again. */
struct shaft {
    size_t blank_before, fading_before, line, fading_after, blank_after;
    const char *head; /* where it arrives, or the cross where it is lost; NULL: neither */
};

static struct shaft shaft_of(const struct ladder *l, enum trace_line_kind kind, bool right)
{
    size_t w = l->width;
    const char *head = right ? l->glyph->head_right : l->glyph->head_left;

    switch (kind) {
    case TRACE_LINE_DEPARTS:
        return (struct shaft){0, 0, w * 2 / 3, 6, w - w * 2 / 3 - 6, NULL};
    case TRACE_LINE_ARRIVES:
        return (struct shaft){w - w * 2 / 3 - 6, 6, w * 2 / 3 - 1, 0, 0, head};
    case TRACE_LINE_LOST:
        return (struct shaft){0, 0, w * 2 / 3 - 1, 0, w - w * 2 / 3, l->glyph->lost};
    default:
        return (struct shaft){0, 0, w - 1, 0, 0, head};
    }
}

/* The straight part with the note in its middle. */
static void put_line(const struct ladder *l, const char *colour, const char *note, size_t n)
{
    char text[160];
    size_t used;

    sw_trace_append(text, sizeof(text), 0, "%s", note);
    sw_trace_shorten(text, n - 6); /* room for blanks, and some of the line */
    used = sw_trace_columns(text);
    if (used == 0) {
        sw_trace_print(l->w, "%s", colour);
        fill(l, l->glyph->line, n);
        sw_trace_print(l->w, "%s", *colour ? l->palette->off : "");
        return;
    }
    sw_trace_print(l->w, "%s", colour);
    fill(l, l->glyph->line, (n - used - 2) / 2);
    sw_trace_print(l->w, " %s ", text);
    fill(l, l->glyph->line, n - used - 2 - (n - used - 2) / 2);
    sw_trace_print(l->w, "%s", *colour ? l->palette->off : "");
}

static void put_shaft(const struct ladder *l, const struct sanwo_trace_row *row,
                      enum trace_line_kind kind)
{
    bool right = row->from == SANWO_TRACE_A;
    struct shaft s = shaft_of(l, kind, right);
    const char *colour = kind == TRACE_LINE_LOST ? l->palette->bad : segment_colour(l, row);
    char note[160] = "";

    if (kind == TRACE_LINE_ARRIVES) {
        sw_trace_append(note, sizeof(note), 0, "%s",
                        row->duplicate      ? "copy"
                        : row->out_of_order ? "overtaken"
                                            : "");
    } else {
        struct sanwo_trace_row then = *row;
        then.out_of_order = kind == TRACE_LINE_WHOLE && row->out_of_order;
        sw_trace_remark(&then, note, sizeof(note));
    }
    fill(l, " ", right ? s.blank_before : s.blank_after);
    if (!right && s.head != NULL) {
        put(l, colour, s.head);
    }
    fill(l, l->glyph->fading, right ? s.fading_before : s.fading_after);
    put_line(l, colour, note, s.line);
    fill(l, l->glyph->fading, right ? s.fading_after : s.fading_before);
    if (right && s.head != NULL) {
        put(l, colour, s.head);
    }
    fill(l, " ", right ? s.blank_after : s.blank_before);
}

static void arrow_line(struct ladder *l, const struct margin margins[2],
                       const struct sanwo_trace_row *row, enum trace_line_kind kind)
{
    bool at_a =
        kind == TRACE_LINE_WHOLE || (kind == TRACE_LINE_ARRIVES) == (row->from != SANWO_TRACE_A);
    bool at_b =
        kind == TRACE_LINE_WHOLE || (kind == TRACE_LINE_ARRIVES) == (row->from != SANWO_TRACE_B);

    put_left(l, &margins[0]);
    put(l, "", at_a ? l->glyph->leave_right : l->glyph->life);
    put_shaft(l, row, kind);
    put(l, "", at_b ? l->glyph->leave_left : l->glyph->life);
    put_right(l, &margins[1]);
}

/* ---- segments and changes ------------------------------------------------------------------- */

/*
 * "#2 SYN ACK  seq 7  ack 9  len 0  arrives", shortened until it fits: @fate is told in any case.
 * SYNs have absolute numbers.
 */
static void label_of(const struct ladder *l, const struct sanwo_trace_row *row, const char *fate,
                     char *out, size_t size)
{
    char flags[48];
    bool absolute = row->flags & TCP_SYN;
    size_t most = l->width - 2 - strlen(fate) - (*fate ? 2 : 0);

    sw_trace_flag_words(row->flags, flags, sizeof(flags));
    for (int cut = 0; cut < 4; cut++) {
        const char *gap = cut == 0 || cut == 3 ? "  " : " ";
        size_t n = sw_trace_append(out, size, 0, "#%u %s", row->number, flags);
        if (row->payload_length > 0) {
            n = sw_trace_append(out, size, n, "%sseq %u:%u", gap, row->seq_relative,
                                row->seq_relative + row->payload_length);
        } else {
            n = sw_trace_append(out, size, n, "%sseq %u", gap,
                                absolute ? row->seq : row->seq_relative);
        }
        if ((row->flags & TCP_ACK) && cut < 3) {
            n = sw_trace_append(out, size, n, "%sack %u", gap,
                                absolute ? row->ack : row->ack_relative);
        }
        if (row->payload_length > 0 && cut < 2) {
            n = sw_trace_append(out, size, n, "%slen %u", gap, row->payload_length);
        }
        if (n <= most) {
            break;
        }
    }
    sw_trace_shorten(out, most);
    if (*fate) {
        sw_trace_append(out, size, strlen(out), "  %s", fate);
    }
}

static struct margin before(const struct sanwo_trace_side *side)
{
    return (struct margin){SANWO_TIME_NEVER, sanwo_tcp_state_name(side->before), false, false};
}

static struct margin after(const struct sanwo_trace_side *side)
{
    bool changed = side->after != side->before;
    return (struct margin){SANWO_TIME_NEVER, sanwo_tcp_state_name(side->after), changed, !changed};
}

/* Why a segment was thrown away, and why a connection ended: lines of their own below the arrow. */
static void print_reasons(struct ladder *l, const struct sanwo_trace_row *row, const bool shown[2])
{
    struct margin none[2] = {empty_margin, empty_margin};
    char text[160];

    if (row->drop != SANWO_REASON_NONE && shown[row->from ^ 1]) {
        sw_trace_append(text, sizeof(text), 0, "%s at %c: %s", l->glyph->lost,
                        sw_trace_end_letter(row->from ^ 1U), sanwo_reason_text(row->drop));
        text_lines(l, none, l->palette->bad, text);
    }
    for (unsigned end = 0; end < 2; end++) {
        const struct sanwo_trace_side *side = &row->side[end];
        if (shown[end] && side->after == SANWO_TCP_CLOSED && side->before != side->after) {
            sw_trace_append(text, sizeof(text), 0, "%c is closed: %s", sw_trace_end_letter(end),
                            sanwo_reason_text(side->reason));
            text_lines(l, none, l->palette->dim, text);
        }
    }
}

static void print_segment(struct ladder *l, const struct sanwo_trace_row *row,
                          enum trace_line_kind kind)
{
    bool shown[2] = {true, true}; /* which ends this line is about */
    struct margin upper[2], lower[2];
    char label[160];

    if (kind == TRACE_LINE_DEPARTS) {
        shown[row->from ^ 1] = false;
    } else if (kind == TRACE_LINE_ARRIVES) {
        shown[row->from] = false;
    }
    for (unsigned end = 0; end < 2; end++) {
        upper[end] = shown[end] ? before(&row->side[end]) : empty_margin;
        lower[end] = shown[end] ? after(&row->side[end]) : empty_margin;
    }
    if (shown[row->from] && (l->right_times || row->from == SANWO_TRACE_A)) {
        upper[row->from].time = row->sent;
    } else if (!l->right_times) {
        upper[SANWO_TRACE_A].time = row->sent;
    }
    if (shown[row->from ^ 1] && l->right_times && row->arrived != SANWO_TIME_NEVER) {
        lower[row->from ^ 1].time = row->arrived;
    }
    label_of(l, row,
             kind == TRACE_LINE_ARRIVES ? "arrives"
             : kind == TRACE_LINE_LOST  ? "lost"
                                        : "",
             label, sizeof(label));
    text_line(l, upper, segment_colour(l, row), label);
    arrow_line(l, lower, row, kind);
    print_reasons(l, row, shown);
}

static void print_change(struct ladder *l, const struct sanwo_trace_row *row)
{
    struct margin upper[2] = {before(&row->side[0]), before(&row->side[1])};
    struct margin lower[2] = {after(&row->side[0]), after(&row->side[1])};

    upper[l->right_times ? row->from : SANWO_TRACE_A].time = row->sent;
    text_lines(l, upper, l->palette->dim, sanwo_reason_text(row->reason));
    put_left(l, &lower[0]);
    put(l, "", row->from == SANWO_TRACE_A ? l->glyph->dot : l->glyph->life);
    fill(l, " ", l->width);
    put(l, "", row->from == SANWO_TRACE_B ? l->glyph->dot : l->glyph->life);
    put_right(l, &lower[1]);
}

/* ---- headings ------------------------------------------------------------------------------- */

static size_t margin_width(void)
{
    return TIME_WIDTH + 1 + STATE_WIDTH + 1;
}

/* Two texts, each centred over its lifeline as far as the page allows. */
static void print_pair(const struct ladder *l, const char *colour, const char *a, const char *b)
{
    size_t life_a = margin_width(), life_b = life_a + 1 + l->width;
    size_t length_a = sw_trace_columns(a), length_b = sw_trace_columns(b);
    size_t end = life_b + 1 + (l->right_times ? margin_width() : STATE_WIDTH + 1);
    size_t start_a = length_a / 2 < life_a ? life_a - length_a / 2 : 0;
    size_t start_b = life_b - length_b / 2;

    if (start_b + length_b > end) {
        start_b = end > length_b ? end - length_b : 0;
    }
    fill(l, " ", start_a);
    put(l, colour, a);
    fill(l, " ", start_b > start_a + length_a ? start_b - start_a - length_a : 2);
    put(l, colour, b);
    end_line(l);
}

static void print_head(const struct ladder *l)
{
    char a[SANWO_ENDPOINT_TEXT], b[SANWO_ENDPOINT_TEXT], name_a[64], name_b[64];
    const struct sanwo_trace *t = l->trace;

    sw_trace_append(name_a, sizeof(name_a), 0, "A %s", t->ends[0].role);
    sw_trace_append(name_b, sizeof(name_b), 0, "B %s", t->ends[1].role);
    print_pair(l, l->palette->bold, name_a, name_b);
    if (t->endpoints_known) {
        print_pair(l, "", sanwo_endpoint_format(&t->endpoints[0], a, sizeof(a)),
                   sanwo_endpoint_format(&t->endpoints[1], b, sizeof(b)));
    }
}

/* How to read it. */
static void print_legend(const struct ladder *l)
{
    sw_trace_print(l->w,
                   "  %sOutside the lifelines: the states before each segment, and below them "
                   "those after (%s changed).%s\n",
                   l->palette->dim, l->glyph->changed, l->palette->off);
}

static void phase_text(const struct ladder *l, unsigned phase, char *out, size_t size)
{
    struct sanwo_trace_summary s;

    sanwo_trace_summarise(l->trace, &s);
    switch (phase) {
    case SANWO_TRACE_HANDSHAKE:
        sw_trace_append(out, size, 0, s.opener == 2 ? "Handshake, both at once" : "Handshake");
        break;
    case SANWO_TRACE_CLOSE:
        sw_trace_append(out, size, 0, s.closer == 2 ? "Close, both at once" : "Close");
        break;
    case SANWO_TRACE_RESET:
        sw_trace_append(out, size, 0, s.established[0] || s.established[1] ? "Reset" : "Refused");
        break;
    default:
        sw_trace_append(out, size, 0, "Data");
        break;
    }
}

static void print_phase(struct ladder *l, unsigned phase)
{
    struct margin none[2] = {empty_margin, empty_margin};
    char title[64];
    size_t used;

    phase_text(l, phase, title, sizeof(title));
    used = strlen(title) + 4;
    text_line(l, none, "", "");
    sw_trace_print(l->w, "%s", l->palette->dim);
    fill(l, l->glyph->rule, margin_width());
    sw_trace_print(l->w, "%s", l->glyph->cross_life);
    fill(l, l->glyph->rule, 2);
    sw_trace_print(l->w, "%s%s %s %s%s", l->palette->off, l->palette->bold, title, l->palette->off,
                   l->palette->dim);
    fill(l, l->glyph->rule, l->width > used ? l->width - used : 0);
    sw_trace_print(l->w, "%s", l->glyph->cross_life);
    fill(l, l->glyph->rule, l->right_times ? margin_width() : STATE_WIDTH + 1);
    sw_trace_print(l->w, "%s", l->palette->off);
    end_line(l);
}

/* A second or more in which nothing happened. */
static void print_pause(struct ladder *l, sanwo_time next)
{
    char span[32], text[64];

    if (next - l->shown < SANWO_SEC(1)) {
        return;
    }
    sw_trace_span(next - l->shown, span, sizeof(span));
    sw_trace_append(text, sizeof(text), 0, "%s go by", span);
    put_left(l, &empty_margin);
    put(l, l->palette->dim, l->glyph->gap);
    sw_trace_print(l->w, " ");
    put_cell(l, l->palette->dim, text, l->width - 1, false);
    put(l, l->palette->dim, l->glyph->gap);
    end_line(l);
}

static bool takes_time(const struct sanwo_trace *t)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->rows[i].arrived != SANWO_TIME_NEVER && t->rows[i].arrived != t->rows[i].sent) {
            return true;
        }
    }
    return false;
}

int sw_trace_ladder(const struct sanwo_trace *t, const struct sanwo_trace_style *style,
                    const struct sanwo_trace_writer *w)
{
    size_t count;
    struct trace_line *lines = sw_trace_timeline(t, &count);
    bool both = takes_time(t);
    struct ladder l = {t,
                       w,
                       style->ascii ? &plain : &box,
                       style->colour ? &colours : &no_colours,
                       both ? 48 : 56,
                       both,
                       t->origin};
    int phase = -1;

    if (lines == NULL) {
        return -SANWO_ENOMEM;
    }
    print_head(&l);
    for (size_t i = 0; i < count; i++) {
        const struct sanwo_trace_row *row = &t->rows[lines[i].row];
        print_pause(&l, lines[i].kind == TRACE_LINE_ARRIVES ? row->arrived : row->sent);
        if (row->phase > phase) {
            phase = row->phase;
            print_phase(&l, row->phase);
        }
        if (lines[i].kind == TRACE_LINE_CHANGE) {
            print_change(&l, row);
        } else {
            print_segment(&l, row, lines[i].kind);
        }
    }
    free(lines);
    end_line(&l);
    print_legend(&l);
    end_line(&l);
    sw_trace_summary_text(t, "  ", w);
    return 0;
}
