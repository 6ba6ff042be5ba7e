/*
 * crank.h - What every loop does with stacks and drivers; when, each loop decides for itself.
 *
 *     driver -- receive --> stack -- events --> application
 *     driver <-- pending <-- transmit -- stack
 */
#ifndef DRIVERS_CRANK_H
#define DRIVERS_CRANK_H

#include <sanwo/loop.h>

/** Frames moved, or events asked for, with one call. */
enum { CRANK_BATCH = 64 };

struct crank_stack {
    struct sanwo_stack *stack;
    sanwo_event_callback callback;
    void *context;
};

struct crank_driver {
    struct sanwo_driver *driver;
    struct crank_stack *owner;
    bool waits_for_write; /* the loop's own note */
    /* Frames that the driver did not take yet, oldest first. */
    size_t pending_count;
    struct sanwo_frame pending[CRANK_BATCH];
};

struct crank {
    struct crank_stack **stacks;
    struct crank_driver **drivers;
    size_t stack_count, driver_count;
};

/* These return 0 or -errno. */
int sw_crank_add_stack(struct crank *c, struct sanwo_stack *stack, sanwo_event_callback callback,
                       void *context);
/** -EINVAL: the driver is attached to no stack added before. */
int sw_crank_add_driver(struct crank *c, struct sanwo_driver *driver);
/** Frames still pending are given back to their stacks. */
void sw_crank_dispose(struct crank *c);

/* These do up to @batches of work and return 1 if there was some, 0 if none, or -errno. */
int sw_crank_receive(struct crank_driver *d, sanwo_time now, unsigned batches);
int sw_crank_events(struct crank_stack *s, sanwo_time now, unsigned batches);
int sw_crank_transmit(struct crank *c, struct crank_stack *s, sanwo_time now, unsigned batches);
/** Offers the driver once more what it did not take. */
int sw_crank_retry(struct crank_driver *d, sanwo_time now);

/** When the crank must be turned next, if nothing else happens. */
sanwo_time sw_crank_deadline(const struct crank *c);

#endif
