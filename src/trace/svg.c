/*
 * svg.c - The ladder as a picture that needs nothing beside itself.
 *
 *       time   state | label           | state   time
 *     0.000000       O-------.         O
 *              SYN-  |        `-----.  |
 *              SENT  |               `>O SYN-RECEIVED
 *
 * A lifeline's colour is the end's state, so both states before and after every segment can be seen;
 * the name stands where it changes. Arrows slant if the wire takes time and cross where segments
 * cross. The colours follow the page's scheme, light or dark.
 */
#include "trace/trace.h"

#include <stdlib.h>
#include <string.h>

#define WIDTH 960
#define LIFE_A 272 /* the middle of each lifeline */
#define LIFE_B 688
#define BAR 8    /* how wide they are */
#define TOP 104  /* where they begin */
#define PITCH 54 /* from segment to segment */
#define SLANT 24 /* how far down an arrow goes that nothing crosses */
#define STEP 22  /* between departures that cross others */
#define PHASE 44 /* what the title of a phase takes */
#define PAUSE 46
#define MOST_REASON 54
#define MOST_NOTE 30 /* a longer one has no room at an arrow that crosses others */

/* A line of the ladder and its place. */
struct placed {
    int y;
    bool begins_phase; /* a title stands above it */
    sanwo_time pause;  /* a second or more in which nothing happened, above it; or 0 */
};

struct picture {
    const struct sanwo_trace *trace;
    const struct sanwo_trace_writer *w;
    const struct trace_line *lines;
    size_t count;
    struct placed *placed; /* beside each line */
    int *depart_y;         /* of each row */
    int height;            /* of the lifelines' end */
    int slant;
};

static const char *const style =
    "text{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
    "font-size:12px;fill:#1f2328}\n"
    ".page{fill:#ffffff;stroke:#d1d9e0}.box{fill:#f6f8fa;stroke:#d1d9e0}\n"
    ".name{font-weight:700;font-size:14px}.faint,.time,.pause{fill:#59636e}.time,.note{font-size:"
    "11px}\n"
    ".label,.note,.why{paint-order:stroke;stroke:#ffffff;stroke-width:4px;stroke-linejoin:round}\n"
    ".note{fill:#59636e}.phase{font-weight:700;font-size:11px;letter-spacing:2px;fill:#59636e}\n"
    ".tight{font-size:10.5px}.rule{stroke:#d1d9e0;stroke-dasharray:3 4}.state{font-weight:700}\n"
    ".arrow{stroke-width:1.6;fill:none;stroke:#59636e}.head{fill:#59636e}\n"
    ".syn .arrow{stroke:#1a7f37}.syn .head,.syn .label{fill:#1a7f37}\n"
    ".data .arrow{stroke:#0969da}.data .head,.data .label{fill:#0969da}\n"
    ".fin .arrow{stroke:#8250df}.fin .head,.fin .label{fill:#8250df}\n"
    ".bad .arrow{stroke:#cf222e}.bad .head,.bad .label,.bad .note,.why{fill:#cf222e}\n"
    "rect.idle{fill:#afb8c1}rect.opening{fill:#d4a72c}rect.open{fill:#2da44e}\n"
    "rect.closing{fill:#a475f9}rect.waiting{fill:#d8b9ff}\n"
    "text.idle{fill:#59636e}text.opening{fill:#9a6700}text.open{fill:#1a7f37}\n"
    "text.closing,text.waiting{fill:#8250df}.dot{fill:#ffffff;stroke:#1f2328;stroke-width:1.5}\n";

static const char *const dark_style =
    "@media (prefers-color-scheme:dark){text{fill:#f0f6fc}\n"
    ".page{fill:#0d1117;stroke:#3d444d}.box{fill:#151b23;stroke:#3d444d}\n"
    ".label,.note,.why{stroke:#0d1117}.faint,.time,.pause,.note,.phase{fill:#9198a1}.rule{stroke:#"
    "3d444d}\n"
    ".arrow{stroke:#9198a1}.head{fill:#9198a1}\n"
    ".syn .arrow{stroke:#3fb950}.syn .head,.syn .label{fill:#3fb950}\n"
    ".data .arrow{stroke:#4493f8}.data .head,.data .label{fill:#4493f8}\n"
    ".fin .arrow{stroke:#ab7df8}.fin .head,.fin .label{fill:#ab7df8}\n"
    ".bad .arrow{stroke:#f85149}.bad .head,.bad .label,.bad .note,.why{fill:#f85149}\n"
    "rect.idle{fill:#656c76}rect.opening{fill:#bb8009}rect.open{fill:#2ea043}\n"
    "rect.closing{fill:#8957e5}rect.waiting{fill:#553098}\n"
    "text.idle{fill:#9198a1}text.opening{fill:#d29922}text.open{fill:#3fb950}\n"
    "text.closing,text.waiting{fill:#ab7df8}.dot{fill:#0d1117;stroke:#f0f6fc}}\n";

static const char *state_class(unsigned state)
{
    switch (state) {
    case SANWO_TCP_CLOSED:
    case SANWO_TCP_LISTEN:
        return "idle";
    case SANWO_TCP_SYN_SENT:
    case SANWO_TCP_SYN_RECEIVED:
        return "opening";
    case SANWO_TCP_ESTABLISHED:
        return "open";
    case SANWO_TCP_TIME_WAIT:
        return "waiting";
    default:
        return "closing";
    }
}

static int life_of(unsigned end)
{
    return end == SANWO_TRACE_A ? LIFE_A : LIFE_B;
}

/* Text of ours with what XML keeps for itself written out. */
static void put_escaped(const struct picture *p, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            sw_trace_print(p->w, "&amp;");
            break;
        case '<':
            sw_trace_print(p->w, "&lt;");
            break;
        case '>':
            sw_trace_print(p->w, "&gt;");
            break;
        default:
            sw_trace_print(p->w, "%c", *text);
            break;
        }
    }
}

static void put_text(const struct picture *p, int x, int y, const char *anchor, const char *classes,
                     const char *text)
{
    sw_trace_print(p->w, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" class=\"%s\">", x, y, anchor,
                   classes);
    put_escaped(p, text);
    sw_trace_print(p->w, "</text>\n");
}

/* ---- where everything is -------------------------------------------------------------------- */

static const struct sanwo_trace_row *row_of(const struct picture *p, size_t line)
{
    return &p->trace->rows[p->lines[line].row];
}

static sanwo_time time_of(const struct picture *p, size_t line)
{
    const struct sanwo_trace_row *row = row_of(p, line);
    return p->lines[line].kind == TRACE_LINE_ARRIVES ? row->arrived : row->sent;
}

/* How far below line @i - 1 line @i is, without titles and pauses. */
static int distance(const struct picture *p, size_t i)
{
    enum trace_line_kind here = p->lines[i].kind, above = p->lines[i - 1].kind;
    bool split = here == TRACE_LINE_DEPARTS || here == TRACE_LINE_ARRIVES;

    if (split && here == above) {
        return time_of(p, i) == time_of(p, i - 1) && row_of(p, i)->from != row_of(p, i - 1)->from
                   ? 0
                   : STEP;
    }
    if (above == TRACE_LINE_CHANGE) {
        return PITCH - 10;
    }
    return PITCH;
}

static void place(struct picture *p)
{
    sanwo_time latest = p->trace->origin;
    int y = TOP, phase = -1;

    for (size_t i = 0; i < p->count; i++) {
        const struct sanwo_trace_row *row = row_of(p, i);
        sanwo_time end = p->lines[i].kind == TRACE_LINE_WHOLE ? row->arrived : time_of(p, i);
        struct placed *here = &p->placed[i];

        y += i == 0 ? 0 : distance(p, i);
        here->pause = time_of(p, i) - latest >= SANWO_SEC(1) ? time_of(p, i) - latest : 0;
        here->begins_phase = row->phase > phase;
        phase = here->begins_phase ? row->phase : phase;
        y += (here->pause ? PAUSE : 0) + (here->begins_phase ? PHASE : 0);
        here->y = y;
        latest = end > latest ? end : latest;
        if (p->lines[i].kind != TRACE_LINE_ARRIVES) {
            p->depart_y[p->lines[i].row] = y;
        }
    }
    p->height = y + PITCH;
}

/* The height on the lifeline of @end at which line @i touches it. */
static int touch(const struct picture *p, size_t i, unsigned end)
{
    bool slanted = p->lines[i].kind == TRACE_LINE_WHOLE && row_of(p, i)->from != end;
    return p->placed[i].y + (slanted ? p->slant : 0);
}

static bool concerns(const struct picture *p, size_t i, unsigned end)
{
    bool sender = row_of(p, i)->from == end;

    switch (p->lines[i].kind) {
    case TRACE_LINE_WHOLE:
        return true;
    case TRACE_LINE_ARRIVES:
        return !sender;
    default:
        return sender;
    }
}

/* ---- lifelines ------------------------------------------------------------------------------ */

static void put_bar(const struct picture *p, unsigned end, int from, int to, unsigned state)
{
    sw_trace_print(p->w,
                   "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" class=\"%s\"><title>%s"
                   "</title></rect>\n",
                   life_of(end) - BAR / 2, from, BAR, to - from, state_class(state),
                   sanwo_tcp_state_name(state));
}

static void put_state(const struct picture *p, unsigned end, int y, unsigned state)
{
    char classes[32];
    sw_trace_append(classes, sizeof(classes), 0, "state %s", state_class(state));
    put_text(p, end == SANWO_TRACE_A ? LIFE_A - 16 : LIFE_B + 16, y + 4,
             end == SANWO_TRACE_A ? "end" : "start", classes, sanwo_tcp_state_name(state));
}

static void put_lifeline(const struct picture *p, unsigned end)
{
    unsigned state = p->trace->ends[end].state;
    int from = TOP;

    for (size_t i = 0; i < p->count; i++) {
        if (concerns(p, i, end)) {
            state = row_of(p, i)->side[end].before;
            break;
        }
    }
    put_state(p, end, TOP + 8, state);
    for (size_t i = 0; i < p->count; i++) {
        const struct sanwo_trace_side *side = &row_of(p, i)->side[end];
        if (concerns(p, i, end) && side->after != state) {
            put_bar(p, end, from, touch(p, i, end), state);
            from = touch(p, i, end);
            state = side->after;
            put_state(p, end, from, state);
        }
    }
    put_bar(p, end, from, p->height, state);
}

/* ---- arrows --------------------------------------------------------------------------------- */

static const char *segment_class(const struct sanwo_trace_row *row)
{
    if ((row->flags & TCP_RST) || sw_trace_is_lost(row) || row->drop != SANWO_REASON_NONE) {
        return "bad";
    }
    if (row->flags & TCP_SYN) {
        return "syn";
    }
    if (row->flags & TCP_FIN) {
        return "fin";
    }
    return row->payload_length > 0 ? "data" : "ack";
}

static void label_of(const struct sanwo_trace_row *row, bool tight, char *out, size_t size)
{
    const char *gap = tight ? " " : "  ";
    char flags[48];
    bool absolute = row->flags & TCP_SYN;
    uint32_t seq = absolute ? row->seq : row->seq_relative;

    sw_trace_flag_words(row->flags, flags, sizeof(flags));
    size_t n = sw_trace_append(out, size, 0, "%s%sseq %u", flags, gap, seq);
    if (row->payload_length > 0) {
        n = sw_trace_append(out, size, n, ":%u", seq + row->payload_length);
    }
    if (row->flags & TCP_ACK) {
        n = sw_trace_append(out, size, n, "%sack %u", gap, absolute ? row->ack : row->ack_relative);
    }
    if (row->payload_length > 0) {
        sw_trace_append(out, size, n, "%slen %u", gap, row->payload_length);
    }
}

/* What stands below the arrow: the remark, and what became of it. */
static void note_of(const struct sanwo_trace_row *row, char *out, size_t size)
{
    size_t n = sw_trace_remark(row, out, size);

    if (sw_trace_is_lost(row)) {
        sw_trace_append(out, size, n, "%slost", n == 0 ? "" : ", ");
    }
}

struct arrow {
    int x1, y1, x2, y2;
    double share; /* where along it the label is */
};

/* Newton's; lengths here are hundreds, so a few steps are exact enough and libm is not needed. */
static double square_root(double square)
{
    double root = LIFE_B - LIFE_A;

    for (int i = 0; i < 12; i++) {
        root = (root + square / root) / 2;
    }
    return root;
}

static void put_head(const struct picture *p, const struct arrow *a)
{
    double dx = a->x2 - a->x1, dy = a->y2 - a->y1, length = square_root(dx * dx + dy * dy);
    double ux = dx / length, uy = dy / length;

    sw_trace_print(p->w, "<path class=\"head\" d=\"M%d %dL%.1f %.1fL%.1f %.1fZ\"/>\n", a->x2, a->y2,
                   a->x2 - 11 * ux - 4.5 * uy, a->y2 - 11 * uy + 4.5 * ux,
                   a->x2 - 11 * ux + 4.5 * uy, a->y2 - 11 * uy - 4.5 * ux);
}

static void put_cross(const struct picture *p, const struct arrow *a)
{
    sw_trace_print(p->w,
                   "<path class=\"arrow\" style=\"stroke-width:2.4\" "
                   "d=\"M%d %dl14 14m0 -14l-14 14\"/>\n",
                   a->x2 - 7, a->y2 - 7);
}

static void put_label(const struct picture *p, const struct arrow *a, const char *text,
                      const char *classes, int offset)
{
    double x = a->x1 + (a->x2 - a->x1) * a->share, y = a->y1 + (a->y2 - a->y1) * a->share;
    double dx = a->x2 - a->x1, dy = a->y2 - a->y1;
    double length = (dx < 0 ? -1 : 1) * square_root(dx * dx + dy * dy); /* text runs rightwards */
    double ux = dx / length, uy = dy / length;

    sw_trace_print(p->w,
                   "<text transform=\"matrix(%.4f %.4f %.4f %.4f %.1f %.1f)\" y=\"%d\" "
                   "text-anchor=\"middle\" class=\"%s\">",
                   ux, uy, -uy, ux, x, y, offset, classes);
    put_escaped(p, text);
    sw_trace_print(p->w, "</text>\n");
}

/* Hovering over a segment tells the states once more, in words. */
static void put_group(const struct picture *p, const struct sanwo_trace_row *row)
{
    const struct sanwo_trace_side *side = row->side;

    sw_trace_print(p->w, "<g class=\"%s\"><title>#%u: A %s, then %s; B %s, then %s</title>\n",
                   segment_class(row), row->number, sanwo_tcp_state_name(side[0].before),
                   sanwo_tcp_state_name(side[0].after), sanwo_tcp_state_name(side[1].before),
                   sanwo_tcp_state_name(side[1].after));
}

static void put_arrow(const struct picture *p, size_t i, bool split)
{
    const struct sanwo_trace_row *row = row_of(p, i);
    bool lost = p->lines[i].kind == TRACE_LINE_LOST, right = row->from == SANWO_TRACE_A;
    int edge = right ? BAR / 2 + 2 : -BAR / 2 - 2;
    struct arrow a = {life_of(row->from) + edge, p->depart_y[p->lines[i].row],
                      life_of(row->from ^ 1U) - edge, touch(p, i, row->from ^ 1U),
                      split ? 0.27 : 0.5};
    char label[160], note[200];

    if (row->duplicate) {
        a.y1 = a.y2 - p->slant - 4;
    }
    if (lost) {
        a.x2 = a.x1 + (a.x2 - a.x1) * 3 / 4;
        a.y2 = a.y1 + p->slant * 3 / 4;
    }
    label_of(row, split, label, sizeof(label));
    note_of(row, note, sizeof(note));
    if (split) { /* near its sender, but all of it between the lifelines */
        a.share = (3.2 * (double)strlen(label) + 10) / (LIFE_B - LIFE_A);
        a.share = a.share < 0.2 ? 0.2 : a.share;
        note[strlen(note) > MOST_NOTE ? 0 : strlen(note)] = '\0';
    }
    put_group(p, row);
    sw_trace_print(p->w, "<path class=\"arrow\" d=\"M%d %dL%d %d\"/>\n", a.x1, a.y1, a.x2, a.y2);
    lost ? put_cross(p, &a) : put_head(p, &a);
    put_label(p, &a, label, split ? "label tight" : "label", -6);
    put_label(p, &a, note, split ? "note tight" : "note", 14);
    sw_trace_print(p->w, "</g>\n");
}

/* ---- what stands beside --------------------------------------------------------------------- */

static void put_time(const struct picture *p, unsigned end, int y, sanwo_time time)
{
    char text[32];
    sw_trace_time(time - p->trace->origin, text, sizeof(text));
    put_text(p, end == SANWO_TRACE_A ? 24 : WIDTH - 24, y + 4,
             end == SANWO_TRACE_A ? "start" : "end", "time", text);
}

static void put_times(const struct picture *p, size_t i)
{
    const struct sanwo_trace_row *row = row_of(p, i);

    for (unsigned end = 0; end < 2; end++) {
        if (concerns(p, i, end) && (p->slant > 0 || end == SANWO_TRACE_A)) {
            put_time(p, end, touch(p, i, end), row->from == end ? row->sent : row->arrived);
        }
    }
}

/* Beside the lifeline of @end, not beyond the other one. */
static void put_reason(const struct picture *p, unsigned end, int y, const char *classes,
                       unsigned reason)
{
    char text[160];

    sw_trace_append(text, sizeof(text), 0, "%s", sanwo_reason_text(reason));
    sw_trace_shorten(text, MOST_REASON);
    put_text(p, end == SANWO_TRACE_A ? LIFE_A + 18 : LIFE_B - 18, y,
             end == SANWO_TRACE_A ? "start" : "end", classes, text);
}

static void put_change(const struct picture *p, size_t i)
{
    const struct sanwo_trace_row *row = row_of(p, i);

    sw_trace_print(p->w, "<circle cx=\"%d\" cy=\"%d\" r=\"6\" class=\"dot\"/>\n",
                   life_of(row->from), p->placed[i].y);
    put_reason(p, row->from, p->placed[i].y + 4, "faint", row->reason);
}

/* Beside the lifeline: why a segment was thrown away, or ended the connection out of order. */
static void put_why(const struct picture *p, size_t i)
{
    const struct sanwo_trace_row *row = row_of(p, i);
    unsigned end = row->from ^ 1U;
    const struct sanwo_trace_side *side = &row->side[end];
    uint16_t reason = row->drop;

    if (side->after == SANWO_TCP_CLOSED && side->before != side->after && (row->flags & TCP_RST)) {
        reason = side->reason;
    }
    if (reason != SANWO_REASON_NONE && concerns(p, i, end)) {
        put_reason(p, end, touch(p, i, end) + 20, "note why", reason);
    }
}

static void put_phase(const struct picture *p, int y, unsigned phase)
{
    char title[32];
    size_t n = sw_trace_append(title, sizeof(title), 0, "%s", sw_trace_phase_name(phase));

    for (size_t i = 0; i < n; i++) {
        title[i] = title[i] >= 'a' && title[i] <= 'z' ? (char)(title[i] - 'a' + 'A') : title[i];
    }
    if (y > TOP + PHASE) { /* the first has the headings above it */
        sw_trace_print(p->w, "<path class=\"rule\" d=\"M24 %dH%d\"/>\n", y, WIDTH - 24);
    }
    put_text(p, 24, y + 18, "start", "phase", title);
}

static void put_pause(const struct picture *p, int y, sanwo_time span)
{
    char text[32];
    size_t n = sw_trace_span(span, text, sizeof(text));

    sw_trace_append(text, sizeof(text), n, " go by");
    for (unsigned end = 0; end < 2; end++) {
        sw_trace_print(p->w,
                       "<path class=\"page\" style=\"stroke:none\" d=\"M%d %dh20v5h-20zm0 12h20v5"
                       "h-20z\"/>\n",
                       life_of(end) - 10, y - 10);
    }
    put_text(p, (LIFE_A + LIFE_B) / 2, y + 4, "middle", "pause", text);
}

static void put_headings(const struct picture *p)
{
    char name[64], endpoint[SANWO_ENDPOINT_TEXT];

    for (unsigned end = 0; end < 2; end++) {
        const struct sanwo_endpoint *e = &p->trace->endpoints[end];
        int width = e->address.family == SANWO_FAMILY_IPV6 ? 376 : 220;
        sw_trace_append(name, sizeof(name), 0, "%c  %s", sw_trace_end_letter(end),
                        p->trace->ends[end].role);
        sw_trace_print(p->w,
                       "<rect x=\"%d\" y=\"28\" width=\"%d\" height=\"56\" rx=\"8\" "
                       "class=\"box\"/>\n",
                       life_of(end) - width / 2, width);
        put_text(p, life_of(end), 51, "middle", "name", name);
        if (p->trace->endpoints_known) {
            put_text(p, life_of(end), 71, "middle", "faint",
                     sanwo_endpoint_format(e, endpoint, sizeof(endpoint)));
        }
    }
}

/* ---- the page ------------------------------------------------------------------------------- */

static void put_line(const struct picture *p, size_t i)
{
    bool split = p->lines[i].kind == TRACE_LINE_ARRIVES && !row_of(p, i)->duplicate;

    if (p->placed[i].pause > 0) {
        put_pause(p, p->placed[i].y - PAUSE, p->placed[i].pause);
    }
    put_times(p, i);
    if (p->lines[i].kind == TRACE_LINE_CHANGE) {
        put_change(p, i);
    } else if (p->lines[i].kind != TRACE_LINE_DEPARTS) {
        put_arrow(p, i, split); /* one that departs is drawn where it arrives */
        put_why(p, i);
    }
}

static void put_page(const struct picture *p)
{
    int height = p->height + 28;

    sw_trace_print(p->w,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
                   "viewBox=\"0 0 %d %d\" xml:space=\"preserve\" role=\"img\">\n<title>A TCP "
                   "connection, segment by "
                   "segment, with the states of both ends</title>\n<style>\n",
                   WIDTH, height, WIDTH, height);
    sw_trace_print(p->w, "%s", style);
    sw_trace_print(p->w, "%s</style>\n", dark_style);
    sw_trace_print(p->w,
                   "<rect x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"12\" "
                   "class=\"page\"/>\n",
                   WIDTH - 1, height - 1);
    for (size_t i = 0; i < p->count; i++) {
        if (p->placed[i].begins_phase) {
            put_phase(p, p->placed[i].y - PHASE + 8, row_of(p, i)->phase);
        }
    }
    put_headings(p);
    put_lifeline(p, SANWO_TRACE_A);
    put_lifeline(p, SANWO_TRACE_B);
    for (size_t i = 0; i < p->count; i++) {
        put_line(p, i);
    }
    sw_trace_print(p->w, "</svg>\n");
}

static int slant_of(const struct sanwo_trace *t)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->rows[i].arrived != SANWO_TIME_NEVER && t->rows[i].arrived != t->rows[i].sent) {
            return SLANT;
        }
    }
    return 0;
}

int sw_trace_svg(const struct sanwo_trace *t, const struct sanwo_trace_writer *w)
{
    struct picture p = {.trace = t, .w = w, .slant = slant_of(t)};
    struct trace_line *lines = sw_trace_timeline(t, &p.count);
    struct placed *placed = calloc(p.count + 1, sizeof(*placed));
    int *depart_y = calloc(t->count + 1, sizeof(*depart_y));
    int result = -SANWO_ENOMEM;

    if (lines != NULL && placed != NULL && depart_y != NULL) {
        p.lines = lines;
        p.placed = placed;
        p.depart_y = depart_y;
        place(&p);
        put_page(&p);
        result = 0;
    }
    free(depart_y);
    free(placed);
    free(lines);
    return result;
}
