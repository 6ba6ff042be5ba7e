/*
 * descriptor.h - Sockets as a script sees them: numbers, options, errors that are told once.
 */
#ifndef SANWO_TOOLS_DRILL_DESCRIPTOR_H
#define SANWO_TOOLS_DRILL_DESCRIPTOR_H

#include <sanwo/stack.h>

#define DRILL_SOCKETS 64
#define DRILL_FIRST_FD 3
#define DRILL_STORED 24 /* options of a socket that are only remembered */
#define DRILL_WATCHES 16
#define DRILL_BACKLOG 16

struct drill_run;

enum drill_socket_kind { DRILL_SOCKET_FREE, DRILL_SOCKET_TCP, DRILL_SOCKET_EPOLL };

/** One descriptor that an epoll descriptor watches. */
struct drill_watch {
    int fd;
    uint32_t events;
    int64_t data;        /* of the member that was given: fd, u32, u64, ptr */
    uint64_t told;       /* edge-triggered: `activity` of the socket when it was reported */
    bool was_told, done; /* one-shot: done until modified */
};

struct drill_socket {
    uint8_t kind; /* enum drill_socket_kind */
    int fd;
    uint8_t family; /* SANWO_FAMILY_... */
    bool nonblocking, bound, listening, connecting, connected;
    bool told_connected; /* Linux: the first connect() after it tells 0 */
    bool shut_read;      /* shutdown(SHUT_RD) */
    bool has_handle;     /* `handle` names a connection or listener */
    bool error_told;     /* SO_ERROR, read or write told it: once only */
    bool dropped;        /* tcpdrop or ss -K took its connection away */
    bool out_of_band_inline, has_out_of_band, linger;
    bool fast_connect; /* TCP_FASTOPEN_CONNECT */
    bool deferred;     /* ... and connect() was called: the first write() sends the SYN */
    int64_t fast_open; /* TCP_FASTOPEN: most pending connections */
    struct sanwo_endpoint local;
    struct sanwo_endpoint deferred_to;
    struct sanwo_handle handle;
    struct sanwo_handle
        accepted[DRILL_BACKLOG]; /* taken from the stack by a poll, not by accept() */
    size_t accepted_count;
    struct sanwo_tcp_config config; /* until connect() or listen(); then as set since */
    int linger_seconds;
    int soft_error;
    int64_t receive_low, unsent_low;          /* SO_RCVLOWAT; TCP_NOTSENT_LOWAT, 0: unset */
    int64_t receive_buffer, send_buffer;      /* as set; 0: not set */
    sanwo_time receive_timeout, send_timeout; /* 0: none */
    uint64_t activity;                        /* grows with each event of the stack */
    uint64_t serial;                          /* which socket() or accept() made it */
    struct {
        const char *name; /* of the table of options */
        int64_t value;
    } stored[DRILL_STORED];
    size_t stored_count;
    struct drill_watch watches[DRILL_WATCHES]; /* of an epoll descriptor */
    size_t watch_count;
};

/** The open descriptor of that number, or NULL. */
struct drill_socket *sw_drill_socket_find(struct drill_run *run, int64_t fd);
/** A new one: @wanted if that is at least 0, else the lowest free from 3. NULL: open already, or none left. */
struct drill_socket *sw_drill_socket_new(struct drill_run *run, enum drill_socket_kind kind,
                                         int64_t wanted);
void sw_drill_socket_free(struct drill_socket *s);
/** STATUS of its connection; false if it has none. Keeps soft errors for SO_ERROR. */
bool sw_drill_socket_info(struct drill_run *run, struct drill_socket *s,
                          struct sanwo_tcp_info *info);
/** The error that ended it, as errno, once: 0 ever after. */
int sw_drill_socket_take_error(struct drill_run *run, struct drill_socket *s);
/** errno for an error of the stack in the dialect of the run. */
int sw_drill_errno(const struct drill_run *run, int64_t error);
/** "EAGAIN", or its number. @out of at least 16 bytes is used for the latter. */
const char *sw_drill_errno_name(int error, char *out, size_t size);

#endif
