/*
 * timeline.c - The lines of a ladder, from top to bottom.
 *
 *     A: send 1, receive 2, send 3          1 ---->
 *     B: receive 1, send 2, receive 3         <---- 2
 *                                           3 ---->
 *
 * What happened at one end is in its true order; between the ends there is only the order that
 * segments make. So a segment takes one line, from end to end, whenever it is next at both. Where
 * segments cross (simultaneous open, data in flight) none is, and the earlier one is split: a line
 * for its departure, and one for its arrival later. Of two sent at the same moment both are split.
 */
#include "trace/trace.h"

#include <stdlib.h>

enum event_kind { EVENT_SEND, EVENT_ARRIVE, EVENT_CHANGE };

struct event {
    enum event_kind kind;
    size_t row;
    uint64_t order;
};

struct queue {
    struct event *events;
    size_t count, next;
};

static int compare(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    return x->order < y->order ? -1 : x->order > y->order;
}

static void push(struct queue *q, enum event_kind kind, size_t row, uint64_t order)
{
    q->events[q->count++] = (struct event){kind, row, order};
}

/* Each end's events in their order. The rows are nearly sorted by it; the arrivals are not. */
static void fill(const struct sanwo_trace *t, struct queue queues[2])
{
    for (size_t i = 0; i < t->count; i++) {
        const struct sanwo_trace_row *row = &t->rows[i];
        if (row->kind == SANWO_TRACE_CHANGE) {
            push(&queues[row->from], EVENT_CHANGE, i, row->sent_order);
            continue;
        }
        if (!row->duplicate) {
            push(&queues[row->from], EVENT_SEND, i, row->sent_order);
        }
        if (row->arrived != SANWO_TIME_NEVER) {
            push(&queues[row->from ^ 1], EVENT_ARRIVE, i, row->arrived_order);
        }
    }
    for (unsigned end = 0; end < 2; end++) {
        if (queues[end].count > 1) {
            qsort(queues[end].events, queues[end].count, sizeof(struct event), compare);
        }
    }
}

static const struct event *head(const struct queue *q)
{
    return q->next < q->count ? &q->events[q->next] : NULL;
}

/* True if @e may stand alone now: it waits for nothing at the other end. */
static bool is_free(const struct sanwo_trace *t, const struct event *e, const bool *departed)
{
    const struct sanwo_trace_row *row = &t->rows[e->row];

    switch (e->kind) {
    case EVENT_CHANGE:
        return true;
    case EVENT_ARRIVE:
        return row->duplicate || departed[e->row];
    default:
        return row->arrived == SANWO_TIME_NEVER;
    }
}

static enum trace_line_kind kind_alone(const struct sanwo_trace *t, const struct event *e)
{
    if (e->kind == EVENT_CHANGE) {
        return TRACE_LINE_CHANGE;
    }
    if (e->kind == EVENT_ARRIVE) {
        return TRACE_LINE_ARRIVES;
    }
    return t->rows[e->row].arrived == SANWO_TIME_NEVER ? TRACE_LINE_LOST : TRACE_LINE_DEPARTS;
}

/* The end whose next event goes alone: one that is free, else a departure, which is split off. */
static unsigned choose(const struct sanwo_trace *t, const struct event *const heads[2],
                       const bool *departed)
{
    bool can[2];

    for (unsigned end = 0; end < 2; end++) {
        can[end] = heads[end] != NULL && is_free(t, heads[end], departed);
    }
    if (!can[0] && !can[1]) {
        for (unsigned end = 0; end < 2; end++) {
            can[end] = heads[end] != NULL && heads[end]->kind == EVENT_SEND;
        }
    }
    if (can[0] && can[1]) {
        return heads[1]->order < heads[0]->order;
    }
    return can[1] ? 1 : 0;
}

/* Sent at the same moment, each before the other arrived: neither is to be drawn first. */
static bool is_tie(const struct sanwo_trace *t, const struct event *const heads[2],
                   const bool *departed)
{
    return heads[0] && heads[1] && heads[0]->kind == EVENT_SEND && heads[1]->kind == EVENT_SEND &&
           !is_free(t, heads[0], departed) && !is_free(t, heads[1], departed) &&
           t->rows[heads[0]->row].sent == t->rows[heads[1]->row].sent;
}

static void order_lines(const struct sanwo_trace *t, struct queue queues[2], bool *departed,
                        struct trace_line *lines, size_t *count)
{
    const struct event *heads[2];

    while ((heads[0] = head(&queues[0])), (heads[1] = head(&queues[1])), heads[0] || heads[1]) {
        if (heads[0] && heads[1] && heads[0]->row == heads[1]->row &&
            heads[0]->kind != EVENT_CHANGE && heads[1]->kind != EVENT_CHANGE) {
            lines[(*count)++] = (struct trace_line){TRACE_LINE_WHOLE, heads[0]->row};
            queues[0].next++;
            queues[1].next++;
            continue;
        }
        bool tie = is_tie(t, heads, departed);
        unsigned first = choose(t, heads, departed);
        for (unsigned i = 0; i < (tie ? 2 : 1); i++) {
            const struct event *e = heads[first ^ i];
            lines[(*count)++] = (struct trace_line){kind_alone(t, e), e->row};
            departed[e->row] |= e->kind == EVENT_SEND;
            queues[first ^ i].next++;
        }
    }
}

struct trace_line *sw_trace_timeline(const struct sanwo_trace *t, size_t *count)
{
    size_t most = t->count + 1;
    struct event *events = malloc(4 * most * sizeof(*events));
    struct trace_line *lines = malloc(2 * most * sizeof(*lines));
    bool *departed = calloc(most, sizeof(*departed));

    *count = 0;
    if (events != NULL && lines != NULL && departed != NULL) {
        struct queue queues[2] = {{events, 0, 0}, {events + 2 * most, 0, 0}};
        fill(t, queues);
        order_lines(t, queues, departed, lines, count);
    } else {
        free(lines);
        lines = NULL;
    }
    free(departed);
    free(events);
    return lines;
}
