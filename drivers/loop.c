/*
 * loop.c - The loop in real time: epoll, and an eventfd to be woken by.
 *
 *     events left over -> sleep -> descriptors -> timers -> frames in -> events -> frames out
 *        ^____________________________________________________________________________|
 *
 * Work per turn is bounded, so that frames cannot starve the application's descriptors: what is left
 * over shows in a deadline that has passed, and then the next turn does not sleep.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <sanwo/loop.h>

#include "crank.h"
#include "loop_fds.h"
#include "timers.h"

enum { READY = 64, BATCHES = 4 };

/* What is in epoll's data beside the tags of the table of descriptors. */
#define TAG_WAKE FD_TABLE_TAGS
#define TAG_DRIVER (FD_TABLE_TAGS * 2) /* plus its place in the crank */

#define SECOND SANWO_SEC(1)

struct sanwo_loop {
    int epoll, wake;
    atomic_bool stop;
    bool busy; /* work was left over that no deadline tells of */
    sanwo_time now;
    struct crank crank;
    struct timers timers;
    struct fd_table fds;
    struct epoll_event ready[READY];
    int ready_count;
};

/* ---- making ----------------------------------------------------------------------------------- */

static int watch(struct sanwo_loop *loop, int operation, int fd, uint32_t events, uint64_t tag)
{
    struct epoll_event event = {.events = events, .data.u64 = tag};

    return epoll_ctl(loop->epoll, operation, fd, &event) < 0 ? -errno : 0;
}

int sanwo_loop_create(struct sanwo_loop **out)
{
    struct sanwo_loop *loop = calloc(1, sizeof(*loop));
    int result = 0;

    if (loop == NULL)
        return -ENOMEM;
    loop->now = sanwo_time_now();
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll < 0)
        result = -errno;
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (result == 0 && loop->wake < 0)
        result = -errno;
    if (result == 0)
        result = watch(loop, EPOLL_CTL_ADD, loop->wake, EPOLLIN, TAG_WAKE);
    loop->fds.epoll = loop->epoll;
    if (result < 0) {
        sanwo_loop_destroy(loop);
        return result;
    }
    *out = loop;
    return 0;
}

void sanwo_loop_destroy(struct sanwo_loop *loop)
{
    if (loop == NULL)
        return;
    sw_crank_dispose(&loop->crank);
    sw_timers_dispose(&loop->timers);
    sw_fds_dispose(&loop->fds);
    if (loop->wake >= 0)
        close(loop->wake);
    if (loop->epoll >= 0)
        close(loop->epoll);
    free(loop);
}

int sanwo_loop_add_stack(struct sanwo_loop *loop, struct sanwo_stack *stack,
                         sanwo_event_callback callback, void *context)
{
    return sw_crank_add_stack(&loop->crank, stack, callback, context);
}

int sanwo_loop_add_driver(struct sanwo_loop *loop, struct sanwo_driver *driver)
{
    int fd = driver->ops->descriptor(driver);
    int result = sw_crank_add_driver(&loop->crank, driver);

    if (result < 0 || fd < 0)
        return result;
    result = watch(loop, EPOLL_CTL_ADD, fd, EPOLLIN, TAG_DRIVER + loop->crank.driver_count - 1);
    if (result < 0)
        free(loop->crank.drivers[--loop->crank.driver_count]);
    return result;
}

int sanwo_loop_add_fd(struct sanwo_loop *loop, int fd, unsigned interest,
                      sanwo_loop_fd_callback callback, void *context)
{
    return sw_fds_add(&loop->fds, fd, interest, callback, context);
}

int sanwo_loop_set_fd(struct sanwo_loop *loop, int fd, unsigned interest)
{
    return sw_fds_set(&loop->fds, fd, interest);
}

void sanwo_loop_remove_fd(struct sanwo_loop *loop, int fd)
{
    sw_fds_remove(&loop->fds, fd);
}

int sanwo_loop_add_timer(struct sanwo_loop *loop, sanwo_loop_timer_callback callback, void *context)
{
    return sw_timers_add(&loop->timers, callback, context);
}

void sanwo_loop_set_timer(struct sanwo_loop *loop, int timer, sanwo_time when)
{
    sw_timers_set(&loop->timers, timer, when);
}

sanwo_time sanwo_loop_now(const struct sanwo_loop *loop)
{
    return loop->now;
}

/* ---- sleeping ----------------------------------------------------------------------------------- */

/* How long the turn may sleep: not at all if something is to be done. */
static sanwo_time sleep_time(const struct sanwo_loop *loop, sanwo_time timeout)
{
    sanwo_time deadline, timer, left;

    if (loop->busy || loop->fds.always_count > 0)
        return 0;
    deadline = sw_crank_deadline(&loop->crank);
    timer = sw_timers_deadline(&loop->timers);
    if (timer < deadline)
        deadline = timer;
    if (deadline == SANWO_TIME_NEVER)
        return timeout;
    left = deadline > loop->now ? deadline - loop->now : 0;
    return left < timeout ? left : timeout;
}

/* epoll_pwait2(2) knows nanoseconds; kernels before 5.11 have milliseconds, rounded up. */
static int wait_ready(struct sanwo_loop *loop, sanwo_time timeout)
{
    struct {
        int64_t seconds, nanoseconds;
    } span = {timeout / SECOND, timeout % SECOND};
    bool forever = timeout == SANWO_TIME_NEVER;
    long n = syscall(SYS_epoll_pwait2, loop->epoll, loop->ready, READY, forever ? NULL : &span,
                     NULL, (size_t)0);

    if (n < 0 && errno == ENOSYS) {
        sanwo_time ms = timeout / 1000000 + (timeout % 1000000 != 0);

        n = epoll_wait(loop->epoll, loop->ready, READY,
                       forever          ? -1
                       : ms < INT32_MAX ? (int)ms
                                        : INT32_MAX);
    }
    if (n < 0 && errno == EINTR) /* stopped and continued, perhaps: see what came meanwhile */
        n = epoll_wait(loop->epoll, loop->ready, READY, 0);
    if (n < 0 && errno != EINTR)
        return -errno;
    loop->ready_count = n < 0 ? 0 : (int)n;
    return 0;
}

/* ---- one turn ----------------------------------------------------------------------------------- */

/* A driver whose descriptor has something, or takes something again. */
static int serve_ready_driver(struct crank_driver *d, uint32_t events, sanwo_time now)
{
    int result = 0;

    if ((events & EPOLLOUT) != 0)
        result = sw_crank_retry(d, now);
    return result < 0 ? result : sw_crank_receive(d, now, BATCHES);
}

static int serve_ready_drivers(struct sanwo_loop *loop)
{
    for (int i = 0; i < loop->ready_count; i++) {
        const struct epoll_event *e = &loop->ready[i];
        int result;

        if (e->data.u64 < TAG_DRIVER)
            continue;
        result =
            serve_ready_driver(loop->crank.drivers[e->data.u64 - TAG_DRIVER], e->events, loop->now);
        if (result < 0)
            return result;
    }
    return 0;
}

/* Drivers that have something by time, or have no descriptor to say so. */
static int serve_other_drivers(struct sanwo_loop *loop)
{
    for (size_t i = 0; i < loop->crank.driver_count; i++) {
        struct crank_driver *d = loop->crank.drivers[i];
        bool has_descriptor = d->driver->ops->descriptor(d->driver) >= 0;
        int result = 0;

        if (!has_descriptor)
            result = sw_crank_retry(d, loop->now);
        if (result >= 0 && d->driver->ops->deadline(d->driver) <= loop->now)
            result = sw_crank_receive(d, loop->now, BATCHES);
        if (result < 0)
            return result;
    }
    return 0;
}

static void clear_wake(struct sanwo_loop *loop)
{
    uint64_t count;

    if (read(loop->wake, &count, sizeof(count)) < 0)
        return; /* it was not set */
}

/* In this order: a stop that comes in between may wake the next turn in vain, but is never missed. */
static bool take_stop(struct sanwo_loop *loop)
{
    if (!atomic_load(&loop->stop))
        return false;
    clear_wake(loop);
    return atomic_exchange(&loop->stop, false);
}

static void serve_application(struct sanwo_loop *loop)
{
    for (int i = 0; i < loop->ready_count; i++) {
        const struct epoll_event *e = &loop->ready[i];

        if (e->data.u64 < FD_TABLE_TAGS)
            sw_fds_ready(&loop->fds, e->data.u64, e->events, loop->now);
        else if (e->data.u64 == TAG_WAKE)
            clear_wake(loop);
    }
    sw_fds_always_ready(&loop->fds, loop->now);
}

/* True if there were any, and so there may be more. */
static bool serve_events(struct sanwo_loop *loop)
{
    bool any = false;

    for (size_t i = 0; i < loop->crank.stack_count; i++)
        any |= sw_crank_events(loop->crank.stacks[i], loop->now, BATCHES) > 0;
    return any;
}

static int send_frames(struct sanwo_loop *loop)
{
    for (size_t i = 0; i < loop->crank.stack_count; i++) {
        int result = sw_crank_transmit(&loop->crank, loop->crank.stacks[i], loop->now, BATCHES);

        if (result < 0)
            return result;
    }
    return 0;
}

/* Asks to be told when blocked drivers take frames again, and only then. */
static int watch_blocked_drivers(struct sanwo_loop *loop)
{
    for (size_t i = 0; i < loop->crank.driver_count; i++) {
        struct crank_driver *d = loop->crank.drivers[i];
        int fd, result;

        if (d->waits_for_write == d->driver->blocked)
            continue;
        d->waits_for_write = d->driver->blocked;
        fd = d->driver->ops->descriptor(d->driver);
        if (fd < 0)
            continue;
        result = watch(loop, EPOLL_CTL_MOD, fd, EPOLLIN | (d->waits_for_write ? EPOLLOUT : 0),
                       TAG_DRIVER + i);
        if (result < 0)
            return result;
    }
    return 0;
}

int sanwo_loop_turn(struct sanwo_loop *loop, sanwo_time timeout)
{
    int result;

    loop->now = sanwo_time_now();
    loop->busy = serve_events(loop); /* of sending, and of calls between turns */
    result = wait_ready(loop, sleep_time(loop, timeout < 0 ? 0 : timeout));
    if (result < 0)
        return result;
    loop->now = sanwo_time_now();
    serve_application(loop);
    result = serve_ready_drivers(loop);
    if (result >= 0)
        result = serve_other_drivers(loop);
    if (result >= 0) {
        serve_events(loop);
        /* After what arrived: a process that was stopped must not blame its peer for the pause. */
        sw_timers_fire(&loop->timers, loop->now);
        result = send_frames(loop);
    }
    if (result >= 0)
        result = watch_blocked_drivers(loop);
    if (result < 0)
        return result;
    return take_stop(loop) ? 1 : 0;
}

int sanwo_loop_run(struct sanwo_loop *loop)
{
    int result;

    do
        result = sanwo_loop_turn(loop, SANWO_TIME_NEVER);
    while (result == 0);
    return result < 0 ? result : 0;
}

void sanwo_loop_stop(struct sanwo_loop *loop)
{
    const uint64_t one = 1;
    int before = errno; /* of the code that a signal interrupts */

    atomic_store(&loop->stop, true);
    if (write(loop->wake, &one, sizeof(one)) < 0)
        atomic_store(&loop->stop, true); /* the counter is full: it is awake anyway */
    errno = before;
}
