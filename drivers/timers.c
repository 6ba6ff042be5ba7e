/*
 * timers.c - The application's timers in a loop.
 */
#include <errno.h>
#include <stdlib.h>

#include "timers.h"

int sw_timers_add(struct timers *t, sanwo_loop_timer_callback callback, void *context)
{
    struct timer *items = realloc(t->items, (t->count + 1) * sizeof(*items));

    if (items == NULL)
        return -ENOMEM;
    t->items = items;
    items[t->count] = (struct timer){callback, context, SANWO_TIME_NEVER, 0};
    return (int)t->count++;
}

void sw_timers_set(struct timers *t, int timer, sanwo_time when)
{
    if (timer >= 0 && (size_t)timer < t->count)
        t->items[timer].when = when;
}

sanwo_time sw_timers_deadline(const struct timers *t)
{
    sanwo_time when = SANWO_TIME_NEVER;

    for (size_t i = 0; i < t->count; i++)
        when = t->items[i].when < when ? t->items[i].when : when;
    return when;
}

/* The earliest that is due and did not fire in this round; of equals the lowest number. */
static struct timer *next_due(struct timers *t, sanwo_time now)
{
    struct timer *next = NULL;

    for (size_t i = 0; i < t->count; i++) {
        struct timer *timer = &t->items[i];

        if (timer->when > now || timer->when == SANWO_TIME_NEVER || timer->round == t->round)
            continue;
        if (next == NULL || timer->when < next->when)
            next = timer;
    }
    return next;
}

bool sw_timers_fire(struct timers *t, sanwo_time now)
{
    struct timer *timer;
    bool any = false;

    t->round++;
    while ((timer = next_due(t, now)) != NULL) {
        timer->when = SANWO_TIME_NEVER;
        timer->round = t->round;
        timer->callback(timer->context, now); /* may add timers, and so move `timer` */
        any = true;
    }
    return any;
}

void sw_timers_dispose(struct timers *t)
{
    free(t->items);
    *t = (struct timers){0};
}
