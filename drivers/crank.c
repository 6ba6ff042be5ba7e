/*
 * crank.c - Moving frames and events between stacks, drivers and the application.
 *
 * A driver that takes no more keeps the rest of its batch in `pending`. While all drivers of a stack
 * have something pending the stack is not asked for more. Where another one still flows, frames for
 * the full one are dropped, as a router's full queue would; TCP takes care.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crank.h"

static int grow(void **items, size_t count, size_t item_size)
{
    void *more = realloc(*items, (count + 1) * item_size);

    if (more == NULL)
        return -ENOMEM;
    *items = more;
    return 0;
}

static struct crank_stack *find_stack(const struct crank *c, const struct sanwo_stack *stack)
{
    for (size_t i = 0; i < c->stack_count; i++)
        if (c->stacks[i]->stack == stack)
            return c->stacks[i];
    return NULL;
}

int sw_crank_add_stack(struct crank *c, struct sanwo_stack *stack, sanwo_event_callback callback,
                       void *context)
{
    struct crank_stack *s;
    void *items = c->stacks;

    if (stack == NULL || find_stack(c, stack) != NULL)
        return -EINVAL;
    if (grow(&items, c->stack_count, sizeof(s)) < 0)
        return -ENOMEM;
    c->stacks = items;
    s = malloc(sizeof(*s));
    if (s == NULL)
        return -ENOMEM;
    *s = (struct crank_stack){stack, callback, context};
    c->stacks[c->stack_count++] = s;
    return 0;
}

int sw_crank_add_driver(struct crank *c, struct sanwo_driver *driver)
{
    struct crank_stack *owner = find_stack(c, driver->stack);
    struct crank_driver *d;
    void *items = c->drivers;

    if (owner == NULL)
        return -EINVAL;
    if (grow(&items, c->driver_count, sizeof(d)) < 0)
        return -ENOMEM;
    c->drivers = items;
    d = malloc(sizeof(*d));
    if (d == NULL)
        return -ENOMEM;
    d->driver = driver;
    d->owner = owner;
    d->waits_for_write = false;
    d->pending_count = 0;
    c->drivers[c->driver_count++] = d;
    return 0;
}

void sw_crank_dispose(struct crank *c)
{
    for (size_t i = 0; i < c->driver_count; i++) {
        struct crank_driver *d = c->drivers[i];

        if (d->pending_count > 0)
            sanwo_stack_sent(d->owner->stack, d->pending, d->pending_count);
        free(d);
    }
    for (size_t i = 0; i < c->stack_count; i++)
        free(c->stacks[i]);
    free(c->drivers);
    free(c->stacks);
    *c = (struct crank){0};
}

/* ---- in ------------------------------------------------------------------------------------- */

int sw_crank_receive(struct crank_driver *d, sanwo_time now, unsigned batches)
{
    struct sanwo_frame frames[CRANK_BATCH];
    int moved = 0;

    for (unsigned i = 0; i < batches; i++) {
        int n = d->driver->ops->receive(d->driver, frames, CRANK_BATCH, now);

        if (n < 0)
            return n;
        if (n == 0)
            break;
        sanwo_stack_receive(d->owner->stack, frames, (size_t)n, now);
        moved = 1;
        if (n < CRANK_BATCH)
            break;
    }
    return moved;
}

int sw_crank_events(struct crank_stack *s, sanwo_time now, unsigned batches)
{
    struct sanwo_event events[CRANK_BATCH];
    int moved = 0;

    for (unsigned i = 0; i < batches; i++) {
        size_t n = sanwo_stack_events(s->stack, events, CRANK_BATCH);

        if (n == 0)
            break;
        for (size_t k = 0; k < n; k++)
            if (s->callback != NULL)
                s->callback(s->context, s->stack, &events[k], now);
        moved = 1;
    }
    return moved;
}

/* ---- out ------------------------------------------------------------------------------------ */

/* Frames have room for many slices and mostly use few. */
static void move_frame(struct sanwo_frame *to, const struct sanwo_frame *from)
{
    memmove(to, from, offsetof(struct sanwo_frame, slices));
    memmove(to->slices, from->slices, from->slice_count * sizeof(from->slices[0]));
}

static void keep_pending(struct crank_driver *d, const struct sanwo_frame *frames, size_t n)
{
    size_t kept = 0;

    while (kept < n && d->pending_count < CRANK_BATCH)
        move_frame(&d->pending[d->pending_count++], &frames[kept++]);
    if (kept < n)
        sanwo_stack_sent(d->owner->stack, frames + kept, n - kept);
}

int sw_crank_retry(struct crank_driver *d, sanwo_time now)
{
    size_t taken;
    int result;

    if (d->pending_count == 0)
        return 0;
    result = d->driver->ops->transmit(d->driver, d->pending, d->pending_count, now);
    if (result < 0)
        return result;
    taken = (size_t)result;
    if (taken == 0)
        return 0;
    for (size_t i = taken; i < d->pending_count; i++)
        move_frame(&d->pending[i - taken], &d->pending[i]);
    d->pending_count -= taken;
    return 1;
}

static struct crank_driver *find_driver(const struct crank *c, const struct crank_stack *owner,
                                        unsigned link)
{
    for (size_t i = 0; i < c->driver_count; i++)
        if (c->drivers[i]->owner == owner && c->drivers[i]->driver->number == link)
            return c->drivers[i];
    return NULL;
}

/* Frames of one link. They are no longer the caller's, whatever is returned: 0 or -errno. */
static int give(struct crank *c, struct crank_stack *s, const struct sanwo_frame *frames, size_t n,
                sanwo_time now)
{
    struct crank_driver *d = find_driver(c, s, frames[0].link);
    int taken = 0;

    if (d == NULL) {
        sanwo_stack_sent(s->stack, frames, n);
        return 0;
    }
    if (d->pending_count == 0) {
        taken = d->driver->ops->transmit(d->driver, frames, n, now);
        if (taken < 0) {
            sanwo_stack_sent(s->stack, frames, n);
            return taken;
        }
    }
    keep_pending(d, frames + taken, n - (size_t)taken);
    return 0;
}

static int dispatch(struct crank *c, struct crank_stack *s, const struct sanwo_frame *frames,
                    size_t n, sanwo_time now)
{
    int result = 0;

    for (size_t i = 0, end; i < n; i = end) {
        int given;

        for (end = i + 1; end < n && frames[end].link == frames[i].link; end++)
            continue;
        given = give(c, s, frames + i, end - i, now);
        if (given < 0)
            result = given;
    }
    return result;
}

/* True if no driver of the stack takes anything now. */
static bool is_stuck(const struct crank *c, const struct crank_stack *s)
{
    bool any = false;

    for (size_t i = 0; i < c->driver_count; i++) {
        if (c->drivers[i]->owner != s)
            continue;
        if (c->drivers[i]->pending_count == 0)
            return false;
        any = true;
    }
    return any;
}

int sw_crank_transmit(struct crank *c, struct crank_stack *s, sanwo_time now, unsigned batches)
{
    struct sanwo_frame frames[CRANK_BATCH];
    int moved = 0;

    for (unsigned i = 0; i < batches && !is_stuck(c, s); i++) {
        size_t n = sanwo_stack_transmit(s->stack, frames, CRANK_BATCH, now);
        int result;

        if (n == 0)
            break;
        result = dispatch(c, s, frames, n, now);
        if (result < 0)
            return result;
        moved = 1;
    }
    return moved;
}

/* ---- when ----------------------------------------------------------------------------------- */

sanwo_time sw_crank_deadline(const struct crank *c)
{
    sanwo_time when = SANWO_TIME_NEVER;

    for (size_t i = 0; i < c->stack_count; i++) {
        sanwo_time t;

        if (is_stuck(c, c->stacks[i]))
            continue; /* a descriptor or the driver's other end will tell */
        t = sanwo_stack_deadline(c->stacks[i]->stack);
        when = t < when ? t : when;
    }
    for (size_t i = 0; i < c->driver_count; i++) {
        const struct sanwo_driver *d = c->drivers[i]->driver;
        sanwo_time t = d->ops->deadline(d);

        when = t < when ? t : when;
    }
    return when;
}
