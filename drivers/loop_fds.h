/*
 * loop_fds.h - The application's own descriptors in the event loop.
 */
#ifndef DRIVERS_LOOP_FDS_H
#define DRIVERS_LOOP_FDS_H

#include <sanwo/loop.h>

struct watched {
    sanwo_loop_fd_callback callback; /* NULL: not watched */
    void *context;
    unsigned interest;
    uint32_t generation; /* tells an event of a descriptor that was removed meanwhile */
    bool registered;     /* with epoll */
    bool always;         /* a regular file: epoll refuses it, it never blocks */
};

struct fd_table {
    int epoll;
    struct watched *items; /* by descriptor */
    size_t size;
    size_t always_count; /* always ready and of interest */
};

/** What the table puts into epoll's data is below this. */
#define FD_TABLE_TAGS (UINT64_C(1) << 56)

/* These return 0 or -errno. */
int sw_fds_add(struct fd_table *t, int fd, unsigned interest, sanwo_loop_fd_callback callback,
               void *context);
int sw_fds_set(struct fd_table *t, int fd, unsigned interest);
void sw_fds_remove(struct fd_table *t, int fd);
void sw_fds_dispose(struct fd_table *t);

/** Calls back for one event of epoll. */
void sw_fds_ready(struct fd_table *t, uint64_t tag, uint32_t epoll_events, sanwo_time now);
/** Calls back for those that are always ready. */
void sw_fds_always_ready(struct fd_table *t, sanwo_time now);

#endif
