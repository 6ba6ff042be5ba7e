/*
 * watch.c - Looking at a host while it works: a driver around its link, and its observer.
 *
 *     stack -- [ watch: budget, storms, hash ] -- emulator -- wire
 *
 * Where there is an emulator, checksums are complete in the headers, so that a hash over the headers
 * is one over the payload too; every byte of that is compared by the applications anyway.
 */
#include <stdlib.h>

#include <sanwo/trace.h>

#include "inside.h"

enum { MOST_AT_ONCE = 200000, LOOK_EVERY = 32 };

struct watch {
    struct sanwo_driver driver;
    struct world *world;
    unsigned side;
    sanwo_time instant; /* of the last frames ... */
    size_t count;       /* ... and how many they were */
    unsigned looks;
};

/*
 * The budget holds at every step (design.md 2). The stack keeps the peak itself, so looking now and
 * then is enough, but for faults, the next of which is set when one has struck.
 */
static void check_budget(struct watch *watch)
{
    struct world *w = watch->world;
    struct world_host *host = &w->host[watch->side];
    struct sanwo_stack_stats stats;

    if (w->fault_every[watch->side] == 0 && watch->looks++ % LOOK_EVERY != 0)
        return;
    world_stats(w, watch->side, &stats);
    world_note_memory(w, watch->side, &stats);
    if (w->fault_every[watch->side] != 0 && stats.memory_refused != w->refused[watch->side]) {
        w->refused[watch->side] = stats.memory_refused;
        sanwo_stack_inject_fault(host->stack,
                                 1 + chance_below(&w->chance, 2 * w->fault_every[watch->side]));
    }
}

static void hash_frames(struct world *w, const struct sanwo_frame *frames, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct sanwo_frame *f = &frames[i];
        uint64_t shape[2] = {(uint64_t)f->length << 32 | (uint64_t)f->checksum << 8 |
                                 f->segmentation,
                             f->segment_size};
        size_t slices = w->config.direct ? f->slice_count : 1;

        w->hash = chance_mix(w->hash, shape, sizeof(shape));
        for (size_t k = 0; k < slices; k++)
            w->hash = chance_mix(w->hash, f->slices[k].bytes, f->slices[k].length);
    }
}

/* A host that always has one more frame to send at the same instant will never stop. */
static void check_storm(struct world *w, struct watch *watch, size_t n, sanwo_time now)
{
    if (now != watch->instant)
        watch->count = 0;
    watch->instant = now;
    watch->count += n;
    if (watch->count > MOST_AT_ONCE)
        world_fail(w, "host %c sends without end", 'A' + (int)watch->side);
}

static int watch_receive(struct sanwo_driver *d, struct sanwo_frame *frames, size_t max,
                         sanwo_time now)
{
    struct watch *watch = (struct watch *)d;
    int n = d->inner->ops->receive(d->inner, frames, max, now);

    if (n != 0)
        check_budget(watch);
    return n;
}

static int watch_transmit(struct sanwo_driver *d, const struct sanwo_frame *frames, size_t n,
                          sanwo_time now)
{
    struct watch *watch = (struct watch *)d;
    struct world *w = watch->world;
    int taken;

    check_budget(watch);
    check_storm(w, watch, n, now);
    if (n > 0)
        flight_check(w, watch->side, &frames[n - 1]);
    w->hash = chance_mix(w->hash, &now, sizeof(now));
    hash_frames(w, frames, n); /* before the inner driver may give them back */
    taken = d->inner->ops->transmit(d->inner, frames, n, now);
    w->host[watch->side].frames += taken > 0 ? (uint64_t)taken : 0;
    d->blocked = d->inner->blocked;
    return taken;
}

static int watch_descriptor(const struct sanwo_driver *d)
{
    return d->inner->ops->descriptor(d->inner);
}

static sanwo_time watch_deadline(const struct sanwo_driver *d)
{
    return d->inner->ops->deadline(d->inner);
}

static void watch_destroy(struct sanwo_driver *d)
{
    sanwo_driver_destroy(d->inner);
    free(d);
}

struct sanwo_driver *watch_create(struct world *w, unsigned side, struct sanwo_driver *inner)
{
    static const struct sanwo_driver_ops ops = {
        .name = "watch",
        .receive = watch_receive,
        .transmit = watch_transmit,
        .descriptor = watch_descriptor,
        .deadline = watch_deadline,
        .destroy = watch_destroy,
    };
    struct watch *watch = sim_calloc(sizeof(*watch));

    watch->driver.ops = &ops;
    watch->driver.link = inner->link;
    watch->driver.inner = inner;
    watch->world = w;
    watch->side = side;
    inner->outer = &watch->driver;
    return &watch->driver;
}

/* ---- observations ------------------------------------------------------------------------------ */

/* All but pointers, which differ from run to run. */
static void hash_observation(struct world *w, const struct sanwo_observation *what)
{
    int64_t fields[] = {what->now,
                        what->kind,
                        what->state,
                        what->old_state,
                        what->reason,
                        what->handle.index,
                        what->handle.generation,
                        what->local.port,
                        what->remote.port,
                        what->value,
                        what->value2,
                        what->seq,
                        what->ack,
                        what->payload_length,
                        what->window,
                        what->urgent,
                        what->flags,
                        what->segment_size};

    w->hash = chance_mix(w->hash, fields, sizeof(fields));
    if (what->options != NULL)
        w->hash = chance_mix(w->hash, what->options, what->options_length);
}

void watch_observe(void *context, const struct sanwo_observation *what)
{
    const struct world_host *host = context;
    struct world *w = host->world;
    char line[256];

    if (w->config.observed)
        hash_observation(w, what);
    if (w->config.on_observation != NULL)
        w->config.on_observation(w->config.context, host->side, what);
    if (w->trace) {
        sanwo_trace_format_line(what, line, sizeof(line));
        printf("%c %s\n", 'A' + (int)host->side, line);
    }
}
