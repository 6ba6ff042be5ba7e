/*
 * call.h - The socket calls of a script, made of the calls of the stack, none of which blocks.
 *
 *     sw_drill_call_begin()  -> the call's function -> done: compared at once
 *                                                   -> waits: asked again whenever something happened
 */
#ifndef SANWO_TOOLS_DRILL_CALL_H
#define SANWO_TOOLS_DRILL_CALL_H

#include "run.h"
#include "value.h"

/* Numbers of our own, for what Linux has not or has elsewhere. */
#define DRILL_MSG_EOF 0x1000000
#define DRILL_SIOCOUTQNSD 0x894b
#define DRILL_SIOCATMARK 0x8905
#define DRILL_FIONSPACE 0x7f01
#define DRILL_BSD_NONBLOCK 4

enum drill_progress {
    DRILL_CALL_DONE,   /* result and error are set */
    DRILL_CALL_WAITS,  /* would block: ask again */
    DRILL_CALL_BROKEN, /* the run is decided: the call makes no sense or is not known */
};

typedef enum drill_progress drill_call_function(struct drill_run *run, struct drill_pending *p);

/** Begins the call of @event. Returns false when it sleeps; it is done or decided otherwise. */
bool sw_drill_call_begin(struct drill_run *run, const struct drill_event *event, sanwo_time due);
/** Asks all sleeping calls again. True if one went on. For drill_sleepers, as the next two. */
bool sw_drill_call_resume(void *run);
sanwo_time sw_drill_call_deadline(void *run);
void sw_drill_call_event(void *run, const struct sanwo_event *event);
/** Does one sleep that was begun by @event (NULL: any)? */
bool sw_drill_call_sleeps(const struct drill_run *run, const struct drill_event *event);

/* ---- for the files of calls ------------------------------------------------------------------ */

/** The socket that the argument of that number names; NULL: EBADF is set (then the call is done) or decided. */
struct drill_socket *sw_drill_call_socket(struct drill_run *run, struct drill_pending *p,
                                          size_t index);
enum drill_progress sw_drill_call_returns(struct drill_pending *p, int64_t result);
enum drill_progress sw_drill_call_fails(struct drill_pending *p, int error);
/** What call_socket() returning NULL means. */
enum drill_progress sw_drill_call_no_socket(const struct drill_run *run);
/** Notes that an out-parameter is not as it should be; the first note stays. */
void sw_drill_call_complain(struct drill_pending *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** The number that a new descriptor must get: the expected result, or -1 for the lowest. */
int64_t sw_drill_call_wanted_fd(struct drill_run *run, const struct drill_pending *p);
/** [x] or x against @actual. */
void sw_drill_call_expect(struct drill_run *run, struct drill_pending *p, const char *what,
                          const struct drill_value *v, int64_t actual);
/** Whether the call may sleep: blocking socket, no MSG_DONTWAIT, timeout not over. */
bool sw_drill_call_may_sleep(struct drill_run *run, struct drill_pending *p,
                             const struct drill_socket *s, int64_t flags, sanwo_time timeout);

drill_call_function sw_drill_call_socket_open, sw_drill_call_bind, sw_drill_call_listen,
    sw_drill_call_accept, sw_drill_call_connect, sw_drill_call_close, sw_drill_call_shutdown,
    sw_drill_call_getsockname, sw_drill_call_getpeername;
drill_call_function sw_drill_call_read, sw_drill_call_write;
drill_call_function sw_drill_call_getsockopt, sw_drill_call_setsockopt, sw_drill_call_fcntl,
    sw_drill_call_ioctl;
drill_call_function sw_drill_call_poll, sw_drill_call_epoll_create, sw_drill_call_epoll_ctl,
    sw_drill_call_epoll_wait;

/** POLL... bits that hold for the socket now. */
uint32_t sw_drill_socket_ready(struct drill_run *run, struct drill_socket *s);
/** Does the stack have a Fast Open cookie for it (and is to use it)? */
bool sw_drill_has_cookie(struct drill_run *run, const struct sanwo_endpoint *remote);
/** Fast Open to argument @index, or to where a connect() before said. 0, errno, or -1: decided. */
int sw_drill_fast_connect(struct drill_run *run, struct drill_pending *p, struct drill_socket *s,
                          size_t index, bool *has_cookie);
/** A connection of the listener, or false. */
bool sw_drill_socket_accept(struct drill_run *run, struct drill_socket *s,
                            struct sanwo_handle *out);
/**
 * The connection is open. FreeBSD makes its receive buffer a multiple of the MSS (without what options
 * take), and so the window that it shows.
 */
void sw_drill_socket_opened(struct drill_run *run, struct drill_socket *s);
/** Sets an option of the stack on the connection, or on what the socket will start with. 0 or errno. */
int sw_drill_socket_set(struct drill_run *run, struct drill_socket *s, enum sanwo_tcp_option option,
                        int64_t value);

#endif
