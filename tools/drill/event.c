/*
 * event.c - The events of a script, in their order and at their times.
 *
 * Time goes as in packetdrill: a relative time counts from when the event before was done, but from
 * its time in the script if both are inbound packets. A packet of the stack is expected from the
 * moment the event before is done, so that one that comes early is seen to be early. What the stack
 * sent and no event asked for stays in the queue; the next event that expects a packet finds it.
 */
#define _GNU_SOURCE
#include "event.h"

#include <stdio.h>
#include <string.h>

#include "call.h"
#include "code.h"
#include "shell.h"

#define MOST_WAIT SANWO_SEC(24 * 3600) /* for a packet or for a call that nothing limits */
#define LATE_WAIT SANWO_SEC(600)       /* how late a packet may be to be shown in the failure */

/* ---- packets from the stack ----------------------------------------------------------------------- */

/* When an event is to happen, on the clock of the world. */
struct moment {
    sanwo_time at, end;
    sanwo_time since; /* the event before: a tolerance in per cent counts from there */
    bool any;         /* whenever */
};

static double seconds(sanwo_time t)
{
    return (double)t / 1e9;
}

/* What is no packet at all, or is damaged, is an error of the stack whichever script is running. */
static bool is_sound(struct drill_run *run, unsigned line, const struct drill_emitted *e,
                     struct drill_seen *seen)
{
    const uint8_t *bytes = run->world->bytes + e->offset;
    char text[3 * 64 + 1] = "";

    if (sw_drill_dissect(seen, bytes, e->length, e->when)) {
        if (seen->bad_checksum)
            sw_drill_fail(run, line, "the stack sent at %.6f s a packet with a wrong checksum",
                          seconds(e->when));
        return !seen->bad_checksum;
    }
    for (size_t i = 0; i < e->length && i < 64; i++)
        snprintf(text + 3 * i, 4, " %02x", bytes[i]);
    sw_drill_fail(run, line, "the stack sent at %.6f s what is no whole packet, %zu bytes:%s",
                  seconds(e->when), (size_t)e->length, text);
    sw_drill_explain(run);
    return false;
}

static void not_expected(struct drill_run *run, unsigned line, const struct drill_seen *seen)
{
    char text[512];

    sw_drill_format_seen(&run->wire, seen, text, sizeof text);
    sw_drill_fail(run, line, "the stack sent at %.6f s what no event expects: %.400s",
                  seconds(seen->when), text);
}

/*
 * The next packet that @event may be compared with, waiting for it until @limit. One of another
 * connection is passed over, as packetdrill does not look at it either; --strict wants it expected.
 */
static bool next_packet(struct drill_run *run, const struct drill_event *event, sanwo_time limit,
                        struct drill_seen *seen)
{
    struct drill_world *w = run->world;

    for (;;) {
        const struct drill_emitted *e = sw_drill_world_next(w);

        if (!e) {
            if (run->decided || !sw_drill_world_step(w, limit))
                return false;
            continue;
        }
        if (!is_sound(run, event->line, e, seen))
            return false;
        if (sw_drill_concerns(&run->wire, event->packet, seen))
            return true;
        if (run->settings->strict) {
            not_expected(run, event->line, seen);
            sw_drill_explain_packets(run, event, run->world->now, seen);
            return false;
        }
        w->taken++;
    }
}

void sw_drill_check_leftovers(struct drill_run *run)
{
    struct drill_world *w = run->world;
    const struct drill_emitted *e;
    struct drill_seen seen;

    while (!run->decided && (e = sw_drill_world_next(w)) && is_sound(run, 0, e, &seen)) {
        if (run->settings->strict)
            not_expected(run, 0, &seen);
        w->taken++;
    }
}

/* Does @next continue @seen, so that both may be one segment that was cut on its way? */
static bool follows(const struct drill_seen *seen, const struct drill_seen *next)
{
    const uint8_t ending = 0x09; /* PSH and FIN may stand on the last */

    return next->protocol == DRILL_TCP && next->payload_length &&
           next->source.port == seen->source.port &&
           next->destination.port == seen->destination.port &&
           next->seq == seen->seq + seen->payload_length &&
           (next->flags & ~ending) == (seen->flags & ~ending) && !(seen->flags & ending);
}

/* As next_packet(), of one that need not come. */
static bool following_packet(struct drill_run *run, const struct drill_packet *packet,
                             sanwo_time limit, struct drill_seen *seen)
{
    struct drill_world *w = run->world;
    const struct drill_emitted *e;

    while (!(e = sw_drill_world_next(w)))
        if (run->decided || !sw_drill_world_step(w, limit))
            return false;
    return sw_drill_dissect(seen, w->bytes + e->offset, e->length, e->when) &&
           sw_drill_concerns(&run->wire, packet, seen);
}

/*
 * Segments that together carry what the script expects of one: a kernel shows super-segments before
 * they are cut, and scripts are written so.
 */
static void join_segments(struct drill_run *run, const struct drill_event *event, sanwo_time limit,
                          struct drill_seen *seen)
{
    static const uint8_t zeros[DRILL_PACKET_MAX];
    const struct drill_packet *packet = event->packet;
    struct drill_world *w = run->world;

    if (run->conditions.strict_segments || packet->protocol != DRILL_TCP ||
        seen->protocol != DRILL_TCP)
        return;
    while (seen->payload_length && seen->payload_length < packet->payload_length) {
        const size_t taken = w->taken;
        struct drill_seen next;

        w->taken++;
        if (!following_packet(run, packet, limit, &next) || !follows(seen, &next) ||
            seen->payload_length + next.payload_length > packet->payload_length) {
            w->taken = taken;
            return;
        }
        seen->payload_length += next.payload_length;
        seen->flags = next.flags;
        seen->length += next.payload_length;
        seen->bad_checksum |= next.bad_checksum;
        seen->payload = zeros; /* theirs do not lie side by side */
    }
}

static void packet_differs(struct drill_run *run, const struct drill_event *event,
                           const struct moment *m, const struct drill_seen *seen,
                           const char *message)
{
    if (run->conditions.forgive_packets) {
        sw_drill_append(&run->trace, "%s:%u: %s (--non_fatal)\n", run->script->path, event->line,
                        message);
        return;
    }
    sw_drill_fail(run, event->line, "%s", message);
    sw_drill_explain_packets(run, event, m->at, seen);
}

static void no_packet(struct drill_run *run, const struct drill_event *event,
                      const struct moment *m)
{
    if (run->decided)
        return;
    sw_drill_fail(run, event->line, "the stack sends no packet");
    sw_drill_explain_packets(run, event, m->at, NULL);
}

static void expect_packet(struct drill_run *run, const struct drill_event *event,
                          const struct moment *m)
{
    sanwo_time latest = (m->end > run->world->now ? m->end : run->world->now);
    struct drill_seen seen;
    char message[DRILL_MESSAGE];
    bool matches;

    if (!next_packet(run, event, latest + (m->any ? MOST_WAIT : LATE_WAIT), &seen)) {
        no_packet(run, event, m);
        return;
    }
    join_segments(run, event, latest + run->conditions.tolerance, &seen);
    /* What a packet of the past is compared with, and what it teaches, are of its own time. */
    matches = sw_drill_match(&run->wire, event->packet, &seen, message, sizeof message);
    run->world->taken++;
    if (!matches)
        packet_differs(run, event, m, &seen, message);
    else if (!m->any && !sw_drill_on_time(run, m->at, m->end, seen.when, m->since)) {
        snprintf(message, sizeof message, "sent at %.6f s, must be sent at %.6f s",
                 seconds(seen.when), seconds(m->at));
        if (m->end > m->at)
            snprintf(message, sizeof message, "sent at %.6f s, must be sent at %.6f to %.6f s",
                     seconds(seen.when), seconds(m->at), seconds(m->end));
        packet_differs(run, event, m, &seen, message);
    }
}

/* ---- packets to the stack -------------------------------------------------------------------------- */

static void inject_packet(struct drill_run *run, const struct drill_event *event)
{
    uint8_t bytes[DRILL_PACKET_MAX];
    char message[DRILL_MESSAGE];
    size_t length = sw_drill_build(&run->wire, event->packet, run->world->now, bytes, sizeof bytes,
                                   message, sizeof message);

    if (!length) {
        sw_drill_fail(run, event->line, "the packet cannot be made: %s", message);
        return;
    }
    sw_drill_world_inject(run->world, bytes, length);
    sw_drill_world_settle(run->world);
}

static bool packet_is_possible(struct drill_run *run, const struct drill_event *event)
{
    if (event->packet->encapsulation)
        sw_drill_skip(run, event->line, "encapsulated packets (%.40s)",
                      event->packet->encapsulation);
    else if (event->packet->udp_encapsulated)
        sw_drill_skip(run, event->line, "TCP over UDP");
    return !run->decided;
}

/* ---- calls ------------------------------------------------------------------------------------------ */

/* A call that sleeps although the script does not say so: time goes on until it returns. */
static void sleep_through(struct drill_run *run, const struct drill_event *event)
{
    sanwo_time limit = run->world->now + MOST_WAIT;

    while (!run->decided && sw_drill_call_sleeps(run, event))
        if (!sw_drill_world_step(run->world, limit)) {
            sw_drill_fail(run, event->line, "%s() blocks, and nothing will wake it",
                          event->call->name);
            sw_drill_explain(run);
        }
}

static void make_call(struct drill_run *run, const struct drill_event *event, sanwo_time due)
{
    bool done = sw_drill_call_begin(run, event, due);

    sw_drill_world_settle(run->world);
    if (!done && !event->call->blocking)
        sleep_through(run, event);
}

/* Calls that still sleep after the last event may return until they are due, not later. */
void sw_drill_await_calls(struct drill_run *run)
{
    for (size_t i = 0; i < DRILL_PENDING; i++) {
        const struct drill_pending *p = &run->pending[i];

        if (!p->used || run->decided)
            continue;
        sw_drill_world_advance(run->world, p->due + run->conditions.tolerance);
        if (p->used && !run->decided)
            sw_drill_fail(run, p->event->line, "%s() has not returned, must return at %.6f s",
                          p->event->call->name, seconds(p->due));
    }
}

/* ---- one event after the other ------------------------------------------------------------------------ */

struct previous {
    const struct drill_event *event;
    sanwo_time at; /* as the script says, not when it was */
};

static bool is_inbound(const struct drill_event *e)
{
    return e && e->kind == DRILL_EVENT_PACKET && e->packet->direction == DRILL_INBOUND;
}

static bool is_outbound(const struct drill_event *e)
{
    return e->kind == DRILL_EVENT_PACKET && e->packet->direction == DRILL_OUTBOUND;
}

static struct moment moment_of(const struct drill_run *run, const struct drill_event *e,
                               const struct previous *last)
{
    struct moment m = {e->at, e->range ? e->end : e->at, last->at, false};
    sanwo_time base = is_inbound(last->event) && is_inbound(e) ? last->at : run->world->now;

    if (e->time_kind == DRILL_TIME_ANY) {
        m.any = true;
        m.at = m.end = run->world->now;
    } else if (e->time_kind == DRILL_TIME_RELATIVE) {
        m.at += base;
        m.end += base;
    }
    return m;
}

static void do_event(struct drill_run *run, const struct drill_event *e, const struct moment *m,
                     sanwo_time due)
{
    switch (e->kind) {
    case DRILL_EVENT_PACKET:
        if (!packet_is_possible(run, e))
            return;
        if (is_outbound(e))
            expect_packet(run, e, m);
        else
            inject_packet(run, e);
        break;
    case DRILL_EVENT_CALL:
        make_call(run, e, due);
        break;
    case DRILL_EVENT_SHELL:
        sw_drill_shell(run, e->line, e->text);
        sw_drill_world_settle(run->world);
        break;
    default:
        sw_drill_code_add(run, e);
    }
}

static bool is_late(struct drill_run *run, const struct drill_event *e, const struct moment *m)
{
    if (m->any || sw_drill_on_time(run, m->at, m->end, run->world->now, m->since))
        return false;
    sw_drill_fail(run, e->line, "it is %.6f s when the event of %.6f s can begin",
                  seconds(run->world->now), seconds(m->at));
    return true;
}

static void check_stuck(struct drill_run *run, const struct drill_event *e)
{
    if (run->decided || !run->world->stuck)
        return;
    sw_drill_fail(run, e->line, "the stack's deadline does not move on: a bug of the stack");
    sw_drill_explain(run);
}

void sw_drill_play(struct drill_run *run)
{
    struct previous last = {NULL, 0};

    for (size_t i = 0; i < run->script->event_count && !run->decided; i++) {
        const struct drill_event *e = &run->script->events[i];
        struct moment m = moment_of(run, e, &last);

        if (i == 0 && e->at != 0 && e->time_kind != DRILL_TIME_ANY) {
            sw_drill_fail(run, e->line, "the first event must be at time 0");
            return;
        }
        if (e->time_kind == DRILL_TIME_ABSOLUTE && last.event &&
            last.event->time_kind == DRILL_TIME_ABSOLUTE && m.at < last.at) {
            sw_drill_fail(run, e->line, "time goes backward: from %.6f s to %.6f s",
                          seconds(last.at), seconds(m.at));
            return;
        }
        if (!is_outbound(e)) {
            sw_drill_world_advance(run->world, m.at);
            if (run->decided || is_late(run, e, &m))
                return;
        }
        sanwo_time due = e->kind == DRILL_EVENT_CALL && e->call->blocking ? e->end + (m.at - e->at)
                                                                          : SANWO_TIME_NEVER;
        do_event(run, e, &m, due);
        check_stuck(run, e);
        last = (struct previous){e, m.at};
    }
}
