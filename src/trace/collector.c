/*
 * collector.c - Observations of two stacks become rows.
 *
 *     A: STATE CLOSED -> SYN-SENT     waits for the segment that carries it
 *     A: SEGMENT OUT  SYN             a row; A: CLOSED -> SYN-SENT
 *     B: SEGMENT IN   SYN             the same row has arrived; B was in LISTEN
 *     B: STATE LISTEN -> SYN-RECEIVED the same row; B: LISTEN -> SYN-RECEIVED
 *
 * A change that only the user can cause is carried by a segment: SYN-SENT by a SYN, FIN-WAIT-1 and
 * LAST-ACK by a FIN. It may be reported before or after that segment. If something else happens in
 * between (data goes out before the FIN), the change gets a row of its own. Every other change
 * belongs to the segment being received, or to a timer.
 */
#include "trace/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool grow(struct sanwo_trace *t)
{
    size_t room = t->room == 0 ? 64 : t->room * 2;
    struct sanwo_trace_row *rows = realloc(t->rows, room * sizeof(*rows));
    if (rows == NULL) {
        return false;
    }
    t->rows = rows;
    uint32_t *older = realloc(t->older, room * sizeof(*older));
    if (older == NULL) {
        return false;
    }
    t->older = older;
    t->room = room;
    return true;
}

/* A new row in which nothing has changed; NULL if memory is short, which render() reports. */
static struct sanwo_trace_row *add_row(struct sanwo_trace *t, uint8_t kind, uint8_t from,
                                       sanwo_time now)
{
    if (t->count == t->room && !grow(t)) {
        t->out_of_memory = true;
        return NULL;
    }
    struct sanwo_trace_row *row = &t->rows[t->count];
    memset(row, 0, sizeof(*row));
    t->older[t->count] = 0;
    row->kind = kind;
    row->from = from;
    row->phase = t->phase;
    row->sent = now;
    row->arrived = SANWO_TIME_NEVER;
    row->sent_order = t->order;
    for (unsigned i = 0; i < 2; i++) {
        row->side[i].before = row->side[i].after = t->ends[i].state;
    }
    t->count++;
    return row;
}

static void add_change(struct sanwo_trace *t, struct trace_end *end, uint8_t before, uint8_t after,
                       uint16_t reason, sanwo_time now)
{
    struct sanwo_trace_row *row = add_row(t, SANWO_TRACE_CHANGE, end->number, now);
    if (row != NULL) {
        row->side[end->number] = (struct sanwo_trace_side){before, after, reason};
        row->reason = reason;
    }
    end->state = after;
}

/* The carrier did not come: the change stands alone, at the time when it happened. */
static void settle_pending(struct sanwo_trace *t, struct trace_end *end)
{
    struct trace_pending *p = &end->pending;
    if (!p->set) {
        return;
    }
    p->set = false;
    add_change(t, end, p->before, p->after, p->reason, p->time);
    if (t->count > 0) {
        t->rows[t->count - 1].sent_order = p->order;
    }
}

/* Seen only now to have a listener, it had one when earlier SYNs were lost. */
static void it_listened(const struct trace_end *end)
{
    struct sanwo_trace *t = end->trace;

    for (size_t i = 0; i < t->count; i++) {
        struct sanwo_trace_side *side = &t->rows[i].side[end->number];
        if (side->before == SANWO_TCP_CLOSED && side->after == SANWO_TCP_CLOSED) {
            side->before = side->after = SANWO_TCP_LISTEN;
        }
    }
}

/*
 * A segment's own word on the state, for changes nobody told of. CLOSED and LISTEN it also says
 * of what stands in a connection's place (a listener, a half-open record), so they mean little.
 */
static void believe_state(struct trace_end *end, uint8_t state)
{
    bool nothing = state == SANWO_TCP_CLOSED || state >= SANWO_TCP_STATE_COUNT;

    if (state == SANWO_TCP_LISTEN && end->state == SANWO_TCP_CLOSED) {
        it_listened(end);
    }
    if (!nothing && (state != SANWO_TCP_LISTEN || end->state == SANWO_TCP_CLOSED)) {
        end->state = state;
    }
}

/* ---- segments out --------------------------------------------------------------------------- */

static uint32_t sequence_length(const struct sanwo_trace_row *row)
{
    return row->payload_length + ((row->flags & TCP_SYN) != 0) + ((row->flags & TCP_FIN) != 0);
}

static void set_numbers(struct sanwo_trace *t, struct trace_end *end, struct sanwo_trace_row *row)
{
    const struct trace_end *peer = &t->ends[end->number ^ 1];
    uint32_t after = row->seq + sequence_length(row);

    if (!end->isn_known || (row->flags & TCP_SYN)) {
        end->isn = row->seq;
        end->isn_known = true;
    }
    if (!end->sent_any) {
        end->sent_to = row->seq;
        end->sent_any = true;
    }
    row->retransmission = after != row->seq && (int32_t)(after - end->sent_to) <= 0;
    if ((row->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
        row->retransmission &=
            end->sent_syn_ack; /* the first has news, also in simultaneous open */
        end->sent_syn_ack = true;
    }
    if ((int32_t)(after - end->sent_to) > 0) {
        end->sent_to = after;
    }
    row->seq_relative = row->seq - end->isn;
    row->ack_relative = (row->flags & TCP_ACK) ? row->ack - (peer->isn_known ? peer->isn : 0) : 0;
}

static void set_note(const struct trace_end *end, struct sanwo_trace_row *row)
{
    uint64_t from = (uint32_t)(row->seq - end->isn - 1), to = from + row->payload_length;
    const struct trace_label *begins = NULL, *goes_on = NULL;

    if (row->payload_length == 0 || (row->flags & TCP_SYN)) {
        return;
    }
    for (size_t i = 0; i < end->label_count; i++) {
        const struct trace_label *label = &end->labels[i];
        if (begins == NULL && label->from >= from && label->from < to) {
            begins = label;
        } else if (goes_on == NULL && label->from < from && label->to > from) {
            goes_on = label;
        }
    }
    if (begins != NULL) {
        snprintf(row->note, sizeof(row->note), "%s", begins->text);
    } else if (goes_on != NULL) {
        snprintf(row->note, sizeof(row->note), "... %s", goes_on->text);
    }
}

static bool is_opening(const struct sanwo_trace_row *row)
{
    for (unsigned i = 0; i < 2; i++) {
        uint8_t state = row->side[i].before;
        if (state == SANWO_TCP_LISTEN || state == SANWO_TCP_SYN_SENT ||
            state == SANWO_TCP_SYN_RECEIVED) {
            return true;
        }
    }
    return false;
}

/* Phases follow one another: a retransmitted SYN or late data opens no earlier one again. */
static void set_phase(struct sanwo_trace *t, struct sanwo_trace_row *row)
{
    uint8_t phase = SANWO_TRACE_DATA;

    if (row->flags & TCP_RST) {
        phase = SANWO_TRACE_RESET;
    } else if (row->flags & TCP_FIN) {
        phase = SANWO_TRACE_CLOSE;
    } else if ((row->flags & TCP_SYN) || (row->payload_length == 0 && is_opening(row))) {
        phase = SANWO_TRACE_HANDSHAKE;
    }
    if (phase > t->phase) {
        t->phase = phase;
    }
    row->phase = t->phase;
}

/* One segment as it is on the wire. */
static void segment_out(struct sanwo_trace *t, struct trace_end *end,
                        const struct sanwo_observation *what)
{
    if (!(what->flags & end->pending.carrier)) {
        settle_pending(t, end);
    }
    struct sanwo_trace_row *row = add_row(t, SANWO_TRACE_SEGMENT, end->number, what->now);
    if (row == NULL) {
        return;
    }
    if (t->segments == 0) {
        t->origin = what->now;
    }
    row->number = ++t->segments;
    row->flags = what->flags;
    row->seq = what->seq;
    row->ack = what->ack;
    row->payload_length = what->payload_length;
    row->window = what->window;
    row->urgent = what->urgent;
    row->reason = what->reason;
    if (what->options != NULL && what->options_length <= SANWO_TRACE_OPTIONS) {
        row->options_length = what->options_length;
        memcpy(row->options, what->options, what->options_length);
    }
    struct sanwo_trace_side *side = &row->side[end->number];
    if (end->pending.set) {
        *side =
            (struct sanwo_trace_side){end->pending.before, end->pending.after, end->pending.reason};
        end->state = end->pending.after;
        end->pending.set = false;
    } else if (!(what->flags & TCP_RST)) { /* a reset may be for no connection at all */
        believe_state(end, what->state);
    }
    side->after = end->state;
    set_numbers(t, end, row);
    set_note(end, row);
    set_phase(t, row);
    sw_trace_pairing_add(t, t->count - 1);
    end->leaving = t->count - 1;
    end->arriving = TRACE_NO_ROW;
    end->last = what->now;
}

/* A super-segment is what the link cuts it into: PSH and FIN on the last one, CWR on the first. */
static void super_segment_out(struct sanwo_trace *t, struct trace_end *end,
                              const struct sanwo_observation *what)
{
    struct sanwo_observation part = *what;
    uint32_t left = what->payload_length;

    if (what->segment_size == 0 || left <= what->segment_size) {
        segment_out(t, end, what);
        return;
    }
    while (left > 0) {
        bool first = left == what->payload_length, last = left <= what->segment_size;
        part.payload_length = last ? left : what->segment_size;
        part.flags = what->flags;
        if (!last) {
            part.flags &= (uint8_t) ~(TCP_PSH | TCP_FIN);
        }
        if (!first) {
            part.flags &= (uint8_t)~TCP_CWR;
        }
        segment_out(t, end, &part);
        t->order++;
        part.seq += part.payload_length;
        left -= part.payload_length;
    }
}

/* ---- segments in ---------------------------------------------------------------------------- */

/* The row of a copy that the network made: as the first, sent when that was. */
static size_t add_copy(struct sanwo_trace *t, size_t original)
{
    uint32_t number = t->rows[original].number;
    struct sanwo_trace_row *row = add_row(t, SANWO_TRACE_SEGMENT, t->rows[original].from, 0);
    if (row == NULL) {
        return TRACE_NO_ROW;
    }
    uint64_t order = row->sent_order;
    struct sanwo_trace_side here[2] = {row->side[0], row->side[1]};
    *row = t->rows[original];
    memcpy(row->side, here, sizeof(here));
    row->number = number;
    row->phase = t->phase;
    row->duplicate = true;
    row->drop = SANWO_REASON_NONE;
    row->sent_order = order;
    return t->count - 1;
}

static void segment_in(struct sanwo_trace *t, struct trace_end *end,
                       const struct sanwo_observation *what)
{
    struct trace_end *from = &t->ends[end->number ^ 1];

    settle_pending(t, end);
    size_t index = sw_trace_pairing_find(t, end->number, what);
    if (index != TRACE_NO_ROW && t->rows[index].arrived != SANWO_TIME_NEVER) {
        index = add_copy(t, index);
    }
    end->arriving = index;
    end->leaving = TRACE_NO_ROW;
    end->last = what->now;
    if (index == TRACE_NO_ROW) {
        return; /* from nobody here: forged, or corrupted on the way */
    }
    struct sanwo_trace_row *row = &t->rows[index];
    struct sanwo_trace_side *side = &row->side[end->number];
    believe_state(end, what->state);
    side->before = side->after = end->state;
    side->reason = SANWO_REASON_NONE;
    row->arrived = what->now;
    row->arrived_order = t->order;
    if (row->duplicate) {
        return;
    }
    row->out_of_order = row->number < from->newest_arrived;
    if (row->number > from->newest_arrived) {
        from->newest_arrived = row->number;
    }
    if (row->arrived - row->sent < from->flight) {
        from->flight = row->arrived - row->sent;
    }
}

static void dropped(struct sanwo_trace *t, struct trace_end *end,
                    const struct sanwo_observation *what)
{
    size_t index = end->arriving;

    if (index != TRACE_NO_ROW && end->last == what->now) {
        t->rows[index].drop = what->reason;
        return;
    }
    if (what->flags == 0) {
        return; /* not of TCP */
    }
    index = sw_trace_pairing_find(t, end->number, what);
    if (index != TRACE_NO_ROW && t->rows[index].arrived == SANWO_TIME_NEVER) {
        struct sanwo_trace_row *row = &t->rows[index];
        row->drop = what->reason;
        row->arrived = what->now;
        row->arrived_order = t->order;
        row->side[end->number].before = row->side[end->number].after = end->state;
    }
}

/* ---- changes of state ----------------------------------------------------------------------- */

/* The flag of the segment that carries a change by the user; 0: it belongs to what arrives. */
static uint8_t carrier_of(const struct sanwo_observation *what)
{
    switch (what->state) {
    case SANWO_TCP_SYN_SENT:
        return TCP_SYN;
    case SANWO_TCP_FIN_WAIT_1:
    case SANWO_TCP_LAST_ACK:
        return TCP_FIN;
    case SANWO_TCP_CLOSED:
        return what->reason == SANWO_REASON_USER_ABORT ||
                       what->reason == SANWO_REASON_CLOSED_WITH_UNREAD ||
                       what->reason == SANWO_REASON_USER_REFUSED
                   ? TCP_RST
                   : 0;
    default:
        return 0;
    }
}

static bool is_by_user(const struct sanwo_observation *what)
{
    return what->reason == SANWO_REASON_USER_CLOSE || what->reason == SANWO_REASON_USER_ABORT ||
           what->reason == SANWO_REASON_LISTENER_CLOSED;
}

static void apply(struct sanwo_trace_side *side, const struct sanwo_observation *what)
{
    side->after = what->state;
    side->reason = what->reason;
}

static void carried_change(struct sanwo_trace *t, struct trace_end *end,
                           const struct sanwo_observation *what, uint8_t carrier)
{
    if (end->leaving != TRACE_NO_ROW && end->last == what->now &&
        (t->rows[end->leaving].flags & carrier)) {
        apply(&t->rows[end->leaving].side[end->number], what); /* told after the segment */
        end->state = what->state;
        return;
    }
    settle_pending(t, end);
    end->pending = (struct trace_pending){true,         what->old_state, what->state, carrier,
                                          what->reason, what->now,       t->order};
}

static void state_changed(struct sanwo_trace *t, struct trace_end *end,
                          const struct sanwo_observation *what)
{
    uint8_t carrier = carrier_of(what);

    if (what->state >= SANWO_TCP_STATE_COUNT) {
        return;
    }
    if (what->remote.port == 0 && t->segments == 0) {
        end->state = what->state; /* of a listener: where the story begins */
        return;
    }
    if (what->remote.port == 0 && what->old_state != end->state) {
        return; /* of a listener beside the connection */
    }
    if (carrier != 0) {
        carried_change(t, end, what, carrier);
    } else if (end->arriving != TRACE_NO_ROW && end->last == what->now && !is_by_user(what)) {
        apply(&t->rows[end->arriving].side[end->number], what);
        end->state = what->state;
    } else {
        settle_pending(t, end);
        add_change(t, end, what->old_state, what->state, what->reason, what->now);
    }
}

/* ---- the door ------------------------------------------------------------------------------- */

static bool same_endpoint(const struct sanwo_endpoint *a, const struct sanwo_endpoint *b)
{
    return a->port == b->port && sanwo_address_equal(&a->address, &b->address);
}

/* One connection only; the first segment says which. What names no remote end is a listener's. */
static bool is_ours(struct sanwo_trace *t, unsigned end, const struct sanwo_observation *what)
{
    bool segment =
        what->kind == SANWO_OBSERVE_SEGMENT_OUT || what->kind == SANWO_OBSERVE_SEGMENT_IN;

    if (!t->endpoints_known) {
        if (segment) {
            t->endpoints[end] = what->local;
            t->endpoints[end ^ 1] = what->remote;
            t->endpoints_known = true;
        }
        return true;
    }
    if (what->kind == SANWO_OBSERVE_STATE && what->remote.port == 0) {
        return true;
    }
    return same_endpoint(&what->remote, &t->endpoints[end ^ 1]) &&
           same_endpoint(&what->local, &t->endpoints[end]);
}

void sanwo_trace_observe(struct sanwo_trace *t, unsigned end, const struct sanwo_observation *what)
{
    if (end > 1 || !is_ours(t, end, what)) {
        return;
    }
    t->order++;
    switch (what->kind) {
    case SANWO_OBSERVE_SEGMENT_OUT:
        super_segment_out(t, &t->ends[end], what);
        break;
    case SANWO_OBSERVE_SEGMENT_IN:
        segment_in(t, &t->ends[end], what);
        break;
    case SANWO_OBSERVE_STATE:
        state_changed(t, &t->ends[end], what);
        break;
    case SANWO_OBSERVE_DROP:
        dropped(t, &t->ends[end], what);
        break;
    case SANWO_OBSERVE_TIMER:
        t->ends[end].arriving = t->ends[end].leaving = TRACE_NO_ROW;
        break;
    default:
        break;
    }
}

static void observe_end(void *context, const struct sanwo_observation *what)
{
    struct trace_end *end = context;
    sanwo_trace_observe(end->trace, end->number, what);
}

struct sanwo_observer sanwo_trace_observer(struct sanwo_trace *t, unsigned end)
{
    return (struct sanwo_observer){observe_end, &t->ends[end & 1]};
}

void sanwo_trace_finish(struct sanwo_trace *t)
{
    settle_pending(t, &t->ends[SANWO_TRACE_A]);
    settle_pending(t, &t->ends[SANWO_TRACE_B]);
}

int sanwo_trace_create(struct sanwo_trace **out)
{
    struct sanwo_trace *t = calloc(1, sizeof(*t));
    if (t == NULL) {
        return -SANWO_ENOMEM;
    }
    for (uint8_t i = 0; i < 2; i++) {
        t->ends[i].trace = t;
        t->ends[i].number = i;
        t->ends[i].state = SANWO_TCP_CLOSED;
        t->ends[i].arriving = t->ends[i].leaving = TRACE_NO_ROW;
        t->ends[i].flight = SANWO_TIME_NEVER;
        t->ends[i].role = "";
    }
    *out = t;
    return 0;
}

void sanwo_trace_destroy(struct sanwo_trace *t)
{
    if (t != NULL) {
        free(t->rows);
        free(t->older);
        free(t);
    }
}

void sanwo_trace_role(struct sanwo_trace *t, unsigned end, const char *role)
{
    t->ends[end & 1].role = role;
}

int sanwo_trace_label(struct sanwo_trace *t, unsigned end, uint64_t from, uint64_t to,
                      const char *text)
{
    struct trace_end *e = &t->ends[end & 1];

    if (e->label_count == TRACE_LABELS) {
        return -SANWO_ELIMIT;
    }
    e->labels[e->label_count++] = (struct trace_label){from, to, text};
    return 0;
}

size_t sanwo_trace_count(const struct sanwo_trace *t)
{
    return t->count;
}

const struct sanwo_trace_row *sanwo_trace_row(const struct sanwo_trace *t, size_t index)
{
    return index < t->count ? &t->rows[index] : NULL;
}
