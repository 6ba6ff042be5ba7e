/*
 * virtual.c - The loop in virtual time: nothing sleeps, the clock jumps.
 *
 *     while anything moves:  timers, frames in, events, frames out   all at one instant
 *     then                   the clock moves to the earliest deadline
 *
 * Drivers and stacks are served in the order in which they were added, so the same run is the same,
 * packet for packet and nanosecond for nanosecond.
 */
#include <errno.h>
#include <stdlib.h>

#include <sanwo/loop.h>

#include "crank.h"
#include "timers.h"

enum { BATCHES = 4, MOST_TURNS = 1000000 };

struct sanwo_virtual {
    sanwo_time now;
    bool stop;
    struct crank crank;
    struct timers timers;
};

int sanwo_virtual_create(sanwo_time start, struct sanwo_virtual **out)
{
    struct sanwo_virtual *v = calloc(1, sizeof(*v));

    if (v == NULL)
        return -ENOMEM;
    v->now = start;
    *out = v;
    return 0;
}

void sanwo_virtual_destroy(struct sanwo_virtual *v)
{
    if (v == NULL)
        return;
    sw_crank_dispose(&v->crank);
    sw_timers_dispose(&v->timers);
    free(v);
}

int sanwo_virtual_add_stack(struct sanwo_virtual *v, struct sanwo_stack *stack,
                            sanwo_event_callback callback, void *context)
{
    return sw_crank_add_stack(&v->crank, stack, callback, context);
}

int sanwo_virtual_add_driver(struct sanwo_virtual *v, struct sanwo_driver *driver)
{
    return sw_crank_add_driver(&v->crank, driver);
}

int sanwo_virtual_add_timer(struct sanwo_virtual *v, sanwo_loop_timer_callback callback,
                            void *context)
{
    return sw_timers_add(&v->timers, callback, context);
}

void sanwo_virtual_set_timer(struct sanwo_virtual *v, int timer, sanwo_time when)
{
    sw_timers_set(&v->timers, timer, when);
}

sanwo_time sanwo_virtual_now(const struct sanwo_virtual *v)
{
    return v->now;
}

void sanwo_virtual_stop(struct sanwo_virtual *v)
{
    v->stop = true;
}

static int serve_drivers(struct sanwo_virtual *v)
{
    int moved = 0;

    for (size_t i = 0; i < v->crank.driver_count; i++) {
        int retried = sw_crank_retry(v->crank.drivers[i], v->now);
        int received;

        if (retried < 0)
            return retried;
        received = sw_crank_receive(v->crank.drivers[i], v->now, BATCHES);
        if (received < 0)
            return received;
        moved |= retried | received;
    }
    return moved;
}

static int serve_stacks(struct sanwo_virtual *v)
{
    int moved = 0;

    for (size_t i = 0; i < v->crank.stack_count; i++) {
        struct crank_stack *s = v->crank.stacks[i];
        int sent;

        moved |= sw_crank_events(s, v->now, BATCHES);
        sent = sw_crank_transmit(&v->crank, s, v->now, BATCHES);
        if (sent < 0)
            return sent;
        moved |= sent;
    }
    return moved;
}

/* One round at this instant: 1 if anything moved, 0, or -errno. */
static int turn(struct sanwo_virtual *v)
{
    int fired = sw_timers_fire(&v->timers, v->now);
    int received = serve_drivers(v), served;

    if (received < 0)
        return received;
    served = serve_stacks(v);
    return served < 0 ? served : fired | received | served;
}

static sanwo_time next_deadline(const struct sanwo_virtual *v)
{
    sanwo_time crank = sw_crank_deadline(&v->crank);
    sanwo_time timer = sw_timers_deadline(&v->timers);

    return crank < timer ? crank : timer;
}

int sanwo_virtual_run(struct sanwo_virtual *v, sanwo_time until)
{
    unsigned turns = 0;

    v->stop = false;
    while (turns++ < MOST_TURNS) {
        int moved = turn(v);
        sanwo_time next;

        if (moved < 0)
            return moved;
        if (v->stop)
            return 0;
        if (moved > 0)
            continue;
        next = next_deadline(v);
        if (next == SANWO_TIME_NEVER)
            return 1;
        if (next > until) {
            v->now = until > v->now ? until : v->now;
            return 0;
        }
        if (next > v->now) {
            v->now = next;
            turns = 0;
        }
    }
    return -ELOOP;
}
