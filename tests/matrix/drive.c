/*
 * drive.c - The stack on the bench: one snapshot a situation, restored before every segment.
 *
 *     restore -> receive(segment) -> transmit ... -> events, STATUS, the observer's state changes
 *
 * At the time of a snapshot nothing was refused or challenged yet, so no limit of a rate (D14) can
 * hide an answer.
 */
#include "matrix.h"

#include <stdio.h>
#include <stdlib.h>

#include <sanwo/driver.h>

#define EVENTS_SEEN                                                                                \
    (SANWO_EVENT_CONNECTED | SANWO_EVENT_READABLE | SANWO_EVENT_PEER_CLOSED | SANWO_EVENT_CLOSED | \
     SANWO_EVENT_URGENT)

static void observe(void *context, const struct sanwo_observation *what)
{
    struct bench *b = context;
    struct outcome *seen = &b->seen;
    if (what->kind == SANWO_OBSERVE_DROP)
        b->dropped = what->reason;
    if (what->kind == SANWO_OBSERVE_STATE && seen->path_length < PATH)
        seen->path[seen->path_length++] = what->state;
}

/* The pattern of the stream, by relative number; far away from the window it does not matter. */
static const uint8_t *pattern(int64_t first)
{
    enum { BEFORE = 64, SIZE = 3 * WINDOW };
    static uint8_t bytes[SIZE + 2 * WINDOW];
    static bool made;
    for (int i = 0; i < (int)sizeof(bytes) && !made; i++)
        bytes[i] = peer_pattern((uint32_t)(i - BEFORE));
    made = true;
    return first >= -BEFORE && first < SIZE - BEFORE ? bytes + BEFORE + first : bytes;
}

static void inject(struct bench *b, const struct arrival *a)
{
    static uint8_t packet[4096];
    struct peer *p = b->p;
    struct flow flow = {p->theirs, p->ours};
    struct segment seg = {.flags = a->flags,
                          .seq = p->isn + (uint32_t)a->seq,
                          .ack = p->iss + (uint32_t)a->ack, /* garbage without ACK */
                          .window = NEWS_WINDOW,
                          .urgent = URGENT_AHEAD,
                          .length = a->length,
                          .has_ts = a->has_ts,
                          .ts_value = b->ts_recent + (uint32_t)a->ts,
                          .payload = pattern(a->seq + !!(a->flags & SYN))};
    size_t length = packet_tcp(&flow, &seg, packet);
    struct sanwo_frame frame = {.arrival = p->now,
                                .length = (uint32_t)length,
                                .link = (uint16_t)p->link,
                                .slice_count = 1,
                                .slices = {{.bytes = packet, .length = (uint32_t)length}}};
    sanwo_stack_receive(p->stack, &frame, 1, p->now);
}

static void look_at_answer(struct bench *b, const struct sanwo_frame *frame)
{
    uint8_t bytes[2048];
    struct segment seg;
    struct flow flow;
    struct outcome *seen = &b->seen;
    if (frame->length > sizeof(bytes)) {
        b->wrong = "an answer as long as this";
        return;
    }
    sanwo_frame_copy(frame, bytes);
    const char *wrong = packet_read(bytes, frame->length, &flow, &seg);
    if (!wrong && (!sanwo_address_equal(&flow.to.address, &b->p->theirs.address) ||
                   !sanwo_address_equal(&flow.from.address, &b->p->ours.address) ||
                   flow.to.port != b->p->theirs.port || flow.from.port != b->p->ours.port))
        wrong = "an answer to somebody else";
    if (!wrong && seg.length)
        wrong = "an answer with text";
    if (wrong)
        b->wrong = wrong;
    seen->answers++;
    seen->flags = seg.flags;
    seen->seq = seg.seq;
    seen->ack = seg.ack;
    seen->window = seg.window;
    seen->has_ts = seg.has_ts;
    seen->ts_echo = (int32_t)(seg.ts_echo - b->ts_recent);
}

static void take_answers(struct bench *b)
{
    struct sanwo_frame frame;
    while (sanwo_stack_transmit(b->p->stack, &frame, 1, b->p->now)) {
        look_at_answer(b, &frame);
        sanwo_stack_sent(b->p->stack, &frame, 1);
    }
}

static void take_events(struct bench *b)
{
    struct sanwo_event some[4];
    size_t n;
    while ((n = sanwo_stack_events(b->p->stack, some, 4)) > 0)
        for (size_t i = 0; i < n; i++) {
            if (!sanwo_handle_equal(some[i].handle, b->handle))
                continue;
            b->seen.events |= some[i].what & EVENTS_SEEN;
            b->seen.error |= some[i].error;
        }
}

static void ask_status(struct bench *b)
{
    struct outcome *seen = &b->seen;
    struct sanwo_tcp_info info;
    seen->known = sanwo_tcp_info(b->p->stack, b->handle, &info) == 0;
    if (!seen->known)
        return;
    seen->state = info.state;
    seen->error |= info.error;
    if (info.state == SANWO_TCP_CLOSED)
        return;
    seen->snd_una = info.snd_una - b->p->iss;
    seen->snd_nxt = info.snd_nxt - b->p->iss;
    if (info.state == SANWO_TCP_SYN_SENT) /* nothing is known of the peer */
        return;
    seen->snd_wnd = info.snd_wnd;
    seen->rcv_nxt = info.rcv_nxt - b->p->isn;
    seen->rcv_wnd = info.rcv_wnd;
    seen->unread = info.receive_queued;
    seen->held = info.receive_out_of_order;
}

static void look(struct bench *b)
{
    struct peer *p = b->p;
    take_answers(b);
    if (b->s->facts & PASSIVE) /* it has no handle until it is accepted */
        sanwo_tcp_accept(p->stack, p->listener, NULL, &b->handle);
    take_events(b);
    ask_status(b);
    sanwo_time deadline = sanwo_stack_deadline(p->stack);
    if (deadline <= p->now)
        b->wrong = "the deadline is now, and yet there is nothing to send";
    b->seen.restarted =
        b->s->state == SANWO_TCP_TIME_WAIT && !b->seen.path_length && deadline > b->deadline;
}

static void restore(struct bench *b)
{
    struct peer *p = b->p;
    struct sanwo_stack *stack;
    assert_int_equal(
        sanwo_stack_restore(p->region, p->region_size, b->snapshot, b->snapshot_size, &stack), 0);
    p->stack = stack;
    memset(&b->seen, 0, sizeof(b->seen));
    b->handle = p->conn;
    b->dropped = SANWO_REASON_NONE;
    b->wrong = NULL;
}

void bench_run(struct bench *b, const struct arrival *seg)
{
    restore(b);
    inject(b, seg);
    look(b);
}

/* ---- what was delivered ---------------------------------------------------------------------- */

void bench_read(struct bench *b, const struct model *m)
{
    struct sanwo_slice slices[16];
    int64_t at = b->seen.rcv_nxt - (int64_t)b->seen.unread;
    if (b->seen.events & SANWO_EVENT_PEER_CLOSED)
        at--;
    uint32_t left = b->seen.unread;
    int n = sanwo_tcp_peek(b->p->stack, b->handle, slices, 16);
    for (int i = 0; i < n && left; i++) {
        if (slices[i].length > left ||
            memcmp(slices[i].bytes, pattern(at), slices[i].length) != 0) {
            b->wrong = "the bytes delivered are not those that were sent";
            return;
        }
        at += slices[i].length;
        left -= slices[i].length;
    }
    if (left || m->unread != b->seen.unread)
        b->wrong = "bytes are missing";
}

static int64_t first_waiting(const struct model *m)
{
    for (int64_t i = 0; i < WINDOW; i++)
        if (m->have[i] && m->s->rcv_nxt + i >= m->rcv_nxt)
            return m->s->rcv_nxt + i;
    return m->held_fin;
}

void bench_fill(struct bench *b, const struct model *m)
{
    int64_t base = m->s->rcv_nxt, next = first_waiting(m);
    struct arrival missing = {.flags = ACK,
                              .seq = m->rcv_nxt,
                              .ack = m->snd_una,
                              .length = (uint32_t)(next - m->rcv_nxt),
                              .has_ts = m->s->facts & TIMESTAMPS,
                              .ts = m->ts_recent};
    struct model after = *m;
    while (next < base + WINDOW && m->have[next - base])
        next++;
    after.unread += (uint32_t)(next - m->rcv_nxt);
    bool fin = m->held_fin && next == m->held_fin;
    memset(&b->seen, 0, sizeof(b->seen));
    inject(b, &missing);
    look(b);
    if (b->seen.rcv_nxt != (uint32_t)(next + fin))
        b->wrong = "the hole was filled, and what was held did not come";
    else if (fin != !!(b->seen.events & SANWO_EVENT_PEER_CLOSED))
        b->wrong = "the hole was filled, and the FIN that was held is not as it should be";
    else
        bench_read(b, &after);
}

/* ---- situations ------------------------------------------------------------------------------ */

static void check_numbers(struct bench *b)
{
    const struct situation *s = b->s;
    assert_int_equal(b->seen.known, s->handle);
    if (!s->handle)
        return;
    assert_string_equal(sanwo_tcp_state_name(b->seen.state), sanwo_tcp_state_name(s->state));
    assert_int_equal(b->seen.snd_una, s->snd_una);
    assert_int_equal(b->seen.snd_nxt, s->snd_nxt);
    if (s->state == SANWO_TCP_SYN_SENT)
        return;
    assert_int_equal(b->seen.snd_wnd, PEER_WINDOW);
    assert_int_equal(b->seen.rcv_nxt, s->rcv_nxt);
    assert_int_equal(b->seen.rcv_wnd, s->edge - s->rcv_nxt);
    assert_int_equal(b->seen.unread, s->unread);
    assert_int_equal(b->seen.held, s->held_end - s->held_left);
}

void bench_open(struct bench *b, struct peer *p, const struct situation *s)
{
    struct sanwo_observer observer = {observe, b};
    memset(b, 0, sizeof(*b));
    b->p = p;
    b->s = s;
    s->enter(p);
    EXPECT_NOTHING(p);
    sanwo_stack_observe(p->stack, &observer);
    b->handle = p->conn;
    b->ts_recent = p->last.segment.ts_echo; /* of what came last */
    look(b);
    assert_null(b->wrong);
    check_numbers(b);
    b->deadline = sanwo_stack_deadline(p->stack);
    b->snapshot_size = sanwo_stack_snapshot_size(p->stack);
    b->snapshot = malloc(b->snapshot_size);
    assert_non_null(b->snapshot);
    assert_int_equal(sanwo_stack_snapshot(p->stack, b->snapshot, b->snapshot_size), 0);
}

void bench_close(struct bench *b)
{
    restore(b);
    free(b->snapshot);
}
