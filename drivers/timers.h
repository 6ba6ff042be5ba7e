/*
 * timers.h - The application's timers in a loop. A handful: they are searched one after another.
 */
#ifndef DRIVERS_TIMERS_H
#define DRIVERS_TIMERS_H

#include <sanwo/loop.h>

struct timer {
    sanwo_loop_timer_callback callback;
    void *context;
    sanwo_time when;
    uint64_t round; /* of the last firing */
};

struct timers {
    struct timer *items;
    size_t count;
    uint64_t round;
};

/** The timer's number, or -ENOMEM. */
int sw_timers_add(struct timers *t, sanwo_loop_timer_callback callback, void *context);
void sw_timers_set(struct timers *t, int timer, sanwo_time when);
sanwo_time sw_timers_deadline(const struct timers *t);
/** Calls back what is due, in order of time, each at most once. Returns true if any was. */
bool sw_timers_fire(struct timers *t, sanwo_time now);
void sw_timers_dispose(struct timers *t);

#endif
