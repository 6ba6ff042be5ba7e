/*
 * call_poll.c - poll and epoll: which sockets are ready for what.
 */
#define _GNU_SOURCE
#include "call.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

#define EDGE UINT32_C(0x80000000)
#define ONE_SHOT UINT32_C(0x40000000)
#define ALWAYS (POLLERR | POLLHUP | POLLNVAL)
#define MOST_POLLED 16

/* ---- one socket ----------------------------------------------------------------------------------- */

/* A listener cannot be asked: what it has is taken, and kept for accept(). */
static uint32_t listener_ready(struct drill_run *run, struct drill_socket *s)
{
    struct sanwo_handle handle;

    if (!s->accepted_count && sanwo_tcp_accept(run->world->stack, s->handle, NULL, &handle) == 0)
        s->accepted[s->accepted_count++] = handle;
    return s->accepted_count ? POLLIN | POLLRDNORM : 0;
}

static uint32_t write_ready(const struct drill_socket *s, const struct sanwo_tcp_info *i)
{
    if (i->send_queued >= i->send_limit)
        return 0;
    if (s->unsent_low && i->send_unsent >= s->unsent_low)
        return 0;
    return POLLOUT | POLLWRNORM;
}

uint32_t sw_drill_socket_ready(struct drill_run *run, struct drill_socket *s)
{
    struct sanwo_tcp_info i;
    uint32_t ready = 0;

    if (s->listening)
        return listener_ready(run, s);
    if (!sw_drill_socket_info(run, s, &i))
        return POLLOUT | POLLWRNORM | POLLHUP; /* never connected */
    if (i.state == SANWO_TCP_SYN_SENT || i.state == SANWO_TCP_SYN_RECEIVED)
        return 0;
    if (i.receive_queued >= s->receive_low || i.peer_closed || s->shut_read ||
        i.state == SANWO_TCP_CLOSED)
        ready |= POLLIN | POLLRDNORM;
    if (i.peer_closed || s->shut_read || i.state == SANWO_TCP_CLOSED)
        ready |= POLLRDHUP;
    if (i.error && !s->error_told)
        ready |= POLLERR;
    if (i.state == SANWO_TCP_CLOSED || (i.shutdown && (i.peer_closed || s->shut_read)))
        ready |= POLLHUP;
    if (i.state == SANWO_TCP_CLOSED || i.shutdown)
        ready |= POLLOUT | POLLWRNORM; /* a write would fail at once */
    else
        ready |= write_ready(s, &i);
    if (!s->out_of_band_inline && sanwo_tcp_urgent(run->world->stack, s->handle) > 0)
        ready |= POLLPRI;
    return ready;
}

/* ---- poll ----------------------------------------------------------------------------------------- */

struct polled {
    int64_t fd, events;
    uint32_t ready;
};

static bool read_polled(struct drill_run *run, const struct drill_value *item, struct polled *out)
{
    const struct drill_value *fd = sw_drill_field(item, "fd");
    const struct drill_value *events = sw_drill_field(item, "events");

    if (!fd || !events) {
        sw_drill_fail(run, item->line, "poll() needs {fd=..., events=..., revents=...}");
        return false;
    }
    return sw_drill_integer(run, fd, &out->fd) && sw_drill_integer(run, events, &out->events);
}

static bool expect_polled(struct drill_run *run, struct drill_pending *p,
                          const struct drill_value *item, const struct polled *polled)
{
    const struct drill_value *v = sw_drill_field(item, "revents");
    int64_t expected;

    if (!v || v->kind == DRILL_ELLIPSIS)
        return true;
    if (!sw_drill_integer(run, v, &expected))
        return false;
    if ((uint32_t)expected != polled->ready)
        sw_drill_call_complain(p, "revents of descriptor %lld are 0x%x, must be 0x%x",
                               (long long)polled->fd, polled->ready, (unsigned)expected);
    return true;
}

/* Negative: for ever. */
static bool still_waits(struct drill_run *run, struct drill_pending *p, int64_t timeout_ms)
{
    if (timeout_ms < 0)
        return true;
    p->deadline = p->begun + SANWO_MSEC(timeout_ms);
    return run->world->now < p->deadline;
}

enum drill_progress sw_drill_call_poll(struct drill_run *run, struct drill_pending *p)
{
    const struct drill_value *list = sw_drill_argument(run, p->event->call, p->event->line, 0);
    struct polled polled[MOST_POLLED];
    int64_t timeout, count = 0;
    size_t n;

    if (!list || !sw_drill_argument_integer(run, p->event, 2, &timeout))
        return DRILL_CALL_BROKEN;
    n = list->kind == DRILL_LIST && list->item_count <= MOST_POLLED ? list->item_count : 0;
    for (size_t i = 0; i < n; i++) {
        struct drill_socket *s;

        if (!read_polled(run, &list->items[i], &polled[i]))
            return DRILL_CALL_BROKEN;
        s = sw_drill_socket_find(run, polled[i].fd);
        polled[i].ready = s ? sw_drill_socket_ready(run, s) : POLLNVAL;
        polled[i].ready &= (uint32_t)polled[i].events | ALWAYS;
        count += polled[i].ready != 0;
    }
    if (!count && still_waits(run, p, timeout))
        return DRILL_CALL_WAITS;
    for (size_t i = 0; i < n; i++)
        if (!expect_polled(run, p, &list->items[i], &polled[i]))
            return DRILL_CALL_BROKEN;
    return sw_drill_call_returns(p, count);
}

/* ---- epoll ----------------------------------------------------------------------------------------- */

enum drill_progress sw_drill_call_epoll_create(struct drill_run *run, struct drill_pending *p)
{
    int64_t wanted = sw_drill_call_wanted_fd(run, p);
    struct drill_socket *s =
        run->decided ? NULL : sw_drill_socket_new(run, DRILL_SOCKET_EPOLL, wanted);

    if (!s)
        return run->decided ? DRILL_CALL_BROKEN : sw_drill_call_fails(p, EMFILE);
    return sw_drill_call_returns(p, s->fd);
}

static struct drill_watch *find_watch(struct drill_socket *epoll, int64_t fd)
{
    for (size_t i = 0; i < epoll->watch_count; i++)
        if (epoll->watches[i].fd == fd)
            return &epoll->watches[i];
    return NULL;
}

/* The member that tells the user which descriptor it was. */
static const struct drill_value *data_of(const struct drill_value *event)
{
    static const char *const names[] = {"fd", "u32", "u64", "ptr"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (sw_drill_field(event, names[i]))
            return sw_drill_field(event, names[i]);
    return NULL;
}

static bool read_watch(struct drill_run *run, const struct drill_value *event,
                       struct drill_watch *out)
{
    const struct drill_value *events = sw_drill_field(event, "events"), *data = data_of(event);
    int64_t number = 0;

    if (!events || !sw_drill_integer(run, events, &number))
        return false;
    out->events = (uint32_t)number;
    if (data && data->kind != DRILL_ELLIPSIS && !sw_drill_integer(run, data, &out->data))
        return false;
    out->was_told = out->done = false;
    return true;
}

static enum drill_progress forget(struct drill_pending *p, struct drill_socket *epoll,
                                  struct drill_watch *watch)
{
    if (!watch)
        return sw_drill_call_fails(p, ENOENT);
    *watch = epoll->watches[--epoll->watch_count];
    return sw_drill_call_returns(p, 0);
}

enum drill_progress sw_drill_call_epoll_ctl(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *epoll = sw_drill_call_socket(run, p, 0);
    struct drill_watch *watch;
    const struct drill_value *event;
    int64_t operation, fd;

    if (!epoll || !sw_drill_argument_integer(run, p->event, 1, &operation) ||
        !sw_drill_argument_integer(run, p->event, 2, &fd))
        return sw_drill_call_no_socket(run);
    watch = find_watch(epoll, fd);
    if (operation == EPOLL_CTL_DEL)
        return forget(p, epoll, watch);
    event = sw_drill_argument(run, p->event->call, p->event->line, 3);
    if (!event)
        return DRILL_CALL_BROKEN;
    if ((operation == EPOLL_CTL_ADD) == (watch != NULL))
        return sw_drill_call_fails(p, watch ? EEXIST : ENOENT);
    if (!watch) {
        if (epoll->watch_count == DRILL_WATCHES)
            return sw_drill_call_fails(p, ENOSPC);
        watch = &epoll->watches[epoll->watch_count++];
        *watch = (struct drill_watch){.fd = (int)fd, .data = fd};
    }
    return read_watch(run, event, watch) ? sw_drill_call_returns(p, 0) : DRILL_CALL_BROKEN;
}

/* What one watch has to tell now; 0: nothing (new). */
static uint32_t watch_ready(struct drill_run *run, struct drill_watch *watch, uint64_t *activity)
{
    struct drill_socket *s = sw_drill_socket_find(run, watch->fd);
    uint32_t ready;

    if (!s || watch->done)
        return 0;
    *activity = s->activity;
    if ((watch->events & EDGE) && watch->was_told && watch->told == s->activity)
        return 0;
    ready = sw_drill_socket_ready(run, s);
    return ready & (watch->events | POLLERR | POLLHUP);
}

static void expect_watch(struct drill_run *run, struct drill_pending *p,
                         const struct drill_value *v, const struct drill_watch *watch,
                         uint32_t ready)
{
    const struct drill_value *event = sw_drill_only_item(v) ? sw_drill_only_item(v) : v;
    const struct drill_value *events = sw_drill_field(event, "events");
    int64_t expected;

    if (events && events->kind != DRILL_ELLIPSIS && sw_drill_integer(run, events, &expected) &&
        (uint32_t)expected != ready)
        sw_drill_call_complain(p, "the events are 0x%x, must be 0x%x", ready, (unsigned)expected);
    if (data_of(event))
        sw_drill_call_expect(run, p, "what came with the event", data_of(event), watch->data);
}

enum drill_progress sw_drill_call_epoll_wait(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *epoll = sw_drill_call_socket(run, p, 0);
    const struct drill_value *event = sw_drill_argument(run, p->event->call, p->event->line, 1);
    int64_t most, timeout, count = 0;

    if (!epoll || !event || !sw_drill_argument_integer(run, p->event, 2, &most) ||
        !sw_drill_argument_integer(run, p->event, 3, &timeout))
        return sw_drill_call_no_socket(run);
    for (size_t i = 0; i < epoll->watch_count && count < most; i++) {
        struct drill_watch *watch = &epoll->watches[i];
        uint64_t activity = 0;
        uint32_t ready = watch_ready(run, watch, &activity);

        if (!ready)
            continue;
        watch->was_told = true;
        watch->told = activity;
        watch->done = (watch->events & ONE_SHOT) != 0;
        if (count++ == 0)
            expect_watch(run, p, event, watch, ready);
    }
    if (!count && still_waits(run, p, timeout))
        return DRILL_CALL_WAITS;
    return run->decided ? DRILL_CALL_BROKEN : sw_drill_call_returns(p, count);
}
