/*
 * loop_fds.c - The application's own descriptors in the event loop.
 *
 * A callback may remove any descriptor, and close it, and add a new one of the same number, all while
 * events of the old one wait in the batch at hand. Hence the generation in epoll's data.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "loop_fds.h"

#define GENERATION_MASK UINT32_C(0xffffff)

static struct watched *find(const struct fd_table *t, int fd)
{
    if (fd < 0 || (size_t)fd >= t->size || t->items[fd].callback == NULL)
        return NULL;
    return &t->items[fd];
}

static int make_room(struct fd_table *t, size_t wanted)
{
    size_t size = t->size == 0 ? 64 : t->size;
    struct watched *items;

    while (size < wanted)
        size *= 2;
    if (size == t->size)
        return 0;
    items = realloc(t->items, size * sizeof(*items));
    if (items == NULL)
        return -ENOMEM;
    memset(items + t->size, 0, (size - t->size) * sizeof(*items));
    t->items = items;
    t->size = size;
    return 0;
}

static uint64_t tag_of(int fd, uint32_t generation)
{
    return (uint64_t)(generation & GENERATION_MASK) << 32 | (uint32_t)fd;
}

/* Tells epoll what is of interest. Without any the descriptor leaves it: epoll would report a hangup
 * again and again. */
static int apply(struct fd_table *t, int fd, struct watched *w)
{
    struct epoll_event event = {.data.u64 = tag_of(fd, w->generation)};
    int operation;

    if (w->always || (!w->registered && w->interest == 0))
        return 0;
    if ((w->interest & SANWO_LOOP_READ) != 0)
        event.events |= EPOLLIN;
    if ((w->interest & SANWO_LOOP_WRITE) != 0)
        event.events |= EPOLLOUT;
    operation = !w->registered ? EPOLL_CTL_ADD : w->interest != 0 ? EPOLL_CTL_MOD : EPOLL_CTL_DEL;
    if (epoll_ctl(t->epoll, operation, fd, &event) < 0) {
        if (operation != EPOLL_CTL_ADD || errno != EPERM)
            return -errno;
        w->always = true;
        return 0;
    }
    w->registered = operation != EPOLL_CTL_DEL;
    return 0;
}

static int set_interest(struct fd_table *t, int fd, struct watched *w, unsigned interest)
{
    bool counted = w->always && w->interest != 0;
    int result;

    w->interest = interest & (SANWO_LOOP_READ | SANWO_LOOP_WRITE);
    result = apply(t, fd, w);
    t->always_count -= counted;
    t->always_count += w->always && w->interest != 0;
    return result;
}

int sw_fds_add(struct fd_table *t, int fd, unsigned interest, sanwo_loop_fd_callback callback,
               void *context)
{
    struct watched *w;
    int result;

    if (fd < 0 || callback == NULL)
        return -EINVAL;
    result = make_room(t, (size_t)fd + 1);
    if (result < 0)
        return result;
    w = &t->items[fd];
    if (w->callback != NULL)
        return -EEXIST;
    w->callback = callback;
    w->context = context;
    w->registered = w->always = false;
    w->interest = 0;
    result = set_interest(t, fd, w, interest);
    if (result < 0)
        w->callback = NULL;
    return result;
}

int sw_fds_set(struct fd_table *t, int fd, unsigned interest)
{
    struct watched *w = find(t, fd);

    return w == NULL ? -EBADF : set_interest(t, fd, w, interest);
}

void sw_fds_remove(struct fd_table *t, int fd)
{
    struct watched *w = find(t, fd);

    if (w == NULL)
        return;
    set_interest(t, fd, w, 0); /* fails if it was closed already, which is as good */
    w->callback = NULL;
    w->generation++;
}

void sw_fds_dispose(struct fd_table *t)
{
    free(t->items);
    t->items = NULL;
    t->size = t->always_count = 0;
}

void sw_fds_ready(struct fd_table *t, uint64_t tag, uint32_t epoll_events, sanwo_time now)
{
    int fd = (int)(uint32_t)tag;
    struct watched *w = find(t, fd);
    unsigned ready = 0;

    if (w == NULL || tag != tag_of(fd, w->generation))
        return;
    if ((epoll_events & EPOLLIN) != 0)
        ready |= SANWO_LOOP_READ;
    if ((epoll_events & EPOLLOUT) != 0)
        ready |= SANWO_LOOP_WRITE;
    if ((epoll_events & (EPOLLHUP | EPOLLERR)) != 0)
        ready |=
            SANWO_LOOP_HANGUP | w->interest; /* read and write say what it is: the end, an error */
    if ((ready & (w->interest | SANWO_LOOP_HANGUP)) != 0 && w->interest != 0)
        w->callback(w->context, fd, ready, now);
}

void sw_fds_always_ready(struct fd_table *t, sanwo_time now)
{
    if (t->always_count == 0)
        return;
    for (size_t fd = 0; fd < t->size; fd++) {
        const struct watched *w = find(t, (int)fd);

        if (w != NULL && w->always && w->interest != 0)
            w->callback(w->context, (int)fd, w->interest, now);
    }
}
