/*
 * call.c - Which function a call of the script is; sleeping calls; comparing what they return.
 */
#define _GNU_SOURCE
#include "call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* ---- small things for the files of calls ---------------------------------------------------- */

struct drill_socket *sw_drill_call_socket(struct drill_run *run, struct drill_pending *p,
                                          size_t index)
{
    struct drill_socket *s;
    int64_t fd;

    if (!sw_drill_argument_integer(run, p->event, index, &fd))
        return NULL;
    s = sw_drill_socket_find(run, fd);
    if (!s)
        sw_drill_call_fails(p, EBADF);
    return s;
}

enum drill_progress sw_drill_call_no_socket(const struct drill_run *run)
{
    return run->decided ? DRILL_CALL_BROKEN : DRILL_CALL_DONE;
}

enum drill_progress sw_drill_call_returns(struct drill_pending *p, int64_t result)
{
    p->result = result;
    p->error = 0;
    return DRILL_CALL_DONE;
}

enum drill_progress sw_drill_call_fails(struct drill_pending *p, int error)
{
    p->result = -1;
    p->error = error;
    return DRILL_CALL_DONE;
}

void sw_drill_call_complain(struct drill_pending *p, const char *format, ...)
{
    va_list list;

    if (p->complaint[0])
        return;
    va_start(list, format);
    vsnprintf(p->complaint, sizeof p->complaint, format, list);
    va_end(list);
}

int64_t sw_drill_call_wanted_fd(struct drill_run *run, const struct drill_pending *p)
{
    const struct drill_value *v = p->event->call->result;
    int64_t wanted = -1;

    if (v && v->kind == DRILL_INTEGER)
        wanted = v->integer;
    if (wanted >= 0 && sw_drill_socket_find(run, wanted))
        sw_drill_fail(run, p->event->line, "descriptor %lld is open already in this script",
                      (long long)wanted);
    return wanted;
}

void sw_drill_call_expect(struct drill_run *run, struct drill_pending *p, const char *what,
                          const struct drill_value *v, int64_t actual)
{
    int64_t expected;

    if (!v || v->kind == DRILL_ELLIPSIS)
        return;
    if (sw_drill_only_item(v))
        v = sw_drill_only_item(v);
    if (v->kind == DRILL_ELLIPSIS || !sw_drill_integer(run, v, &expected))
        return;
    if (expected != actual)
        sw_drill_call_complain(p, "%s is %lld, must be %lld", what, (long long)actual,
                               (long long)expected);
}

bool sw_drill_call_may_sleep(struct drill_run *run, struct drill_pending *p,
                             const struct drill_socket *s, int64_t flags, sanwo_time timeout)
{
    if (s->nonblocking || (flags & MSG_DONTWAIT))
        return false;
    if (!timeout)
        return true;
    p->deadline = p->begun + timeout;
    return run->world->now < p->deadline;
}

/* ---- the table --------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    drill_call_function *function;
    const char *unsupported; /* why the script is skipped */
} table[] = {
    {"socket", sw_drill_call_socket_open, NULL},
    {"bind", sw_drill_call_bind, NULL},
    {"listen", sw_drill_call_listen, NULL},
    {"accept", sw_drill_call_accept, NULL},
    {"accept4", sw_drill_call_accept, NULL},
    {"connect", sw_drill_call_connect, NULL},
    {"close", sw_drill_call_close, NULL},
    {"shutdown", sw_drill_call_shutdown, NULL},
    {"getsockname", sw_drill_call_getsockname, NULL},
    {"getpeername", sw_drill_call_getpeername, NULL},
    {"read", sw_drill_call_read, NULL},
    {"readv", sw_drill_call_read, NULL},
    {"recv", sw_drill_call_read, NULL},
    {"recvfrom", sw_drill_call_read, NULL},
    {"recvmsg", sw_drill_call_read, NULL},
    {"write", sw_drill_call_write, NULL},
    {"writev", sw_drill_call_write, NULL},
    {"send", sw_drill_call_write, NULL},
    {"sendto", sw_drill_call_write, NULL},
    {"sendmsg", sw_drill_call_write, NULL},
    {"getsockopt", sw_drill_call_getsockopt, NULL},
    {"setsockopt", sw_drill_call_setsockopt, NULL},
    {"fcntl", sw_drill_call_fcntl, NULL},
    {"ioctl", sw_drill_call_ioctl, NULL},
    {"poll", sw_drill_call_poll, NULL},
    {"epoll_create", sw_drill_call_epoll_create, NULL},
    {"epoll_create1", sw_drill_call_epoll_create, NULL},
    {"epoll_ctl", sw_drill_call_epoll_ctl, NULL},
    {"epoll_wait", sw_drill_call_epoll_wait, NULL},
    {"open", NULL, "files of the system"},
    {"pipe", NULL, "pipes of the system"},
    {"splice", NULL, "pipes of the system"},
    {"sendfile", NULL, "files of the system"},
    {"select", NULL, "select(); poll() is there"},
    {"cap_set", NULL, "capabilities of the system"},
    {"pipe2", NULL, "pipes of the system"},
    {"tee", NULL, "pipes of the system"},
    {"vmsplice", NULL, "pipes of the system"},
    {"socketpair", NULL, "pipes of the system"},
    {"mmap", NULL, "memory maps of the system"},
    {"munmap", NULL, "memory maps of the system"},
    {"madvise", NULL, "memory maps of the system"},
    {"dup", NULL, "a second number of a descriptor"},
    {"dup2", NULL, "a second number of a descriptor"},
    {"dup3", NULL, "a second number of a descriptor"},
    {"ppoll", NULL, "a signal mask; poll() is there"},
    {"pselect", NULL, "a signal mask; poll() is there"},
    {"sendmmsg", NULL, "several messages in one call"},
    {"recvmmsg", NULL, "several messages in one call"},
    {"io_uring_setup", NULL, "asynchronous calls"},
    {"io_uring_enter", NULL, "asynchronous calls"},
    {"io_uring_register", NULL, "asynchronous calls"},
    {"aio_read", NULL, "asynchronous calls"},
    {"aio_write", NULL, "asynchronous calls"},
    {"kqueue", NULL, "kqueue"},
    {"kevent", NULL, "kqueue"},
    {"closefrom", NULL, "descriptors of the system"},
    {"fork", NULL, "processes of the system"},
    {"execve", NULL, "processes of the system"},
    {"getpid", NULL, "processes of the system"},
    {"prctl", NULL, "processes of the system"},
    {"kill", NULL, "processes of the system"},
    {"sctp_sendmsg", NULL, "SCTP"},
    {"sctp_recvmsg", NULL, "SCTP"},
    {"sctp_bindx", NULL, "SCTP"},
    {"sctp_connectx", NULL, "SCTP"},
    {"sctp_send", NULL, "SCTP"},
    {"sctp_sendx", NULL, "SCTP"},
    {"sctp_sendv", NULL, "SCTP"},
    {"sctp_recvv", NULL, "SCTP"},
    {"sctp_peeloff", NULL, "SCTP"},
    {"sctp_getpaddrs", NULL, "SCTP"},
    {"sctp_freepaddrs", NULL, "SCTP"},
    {"sctp_getladdrs", NULL, "SCTP"},
    {"sctp_freeladdrs", NULL, "SCTP"},
};

static drill_call_function *find(struct drill_run *run, const struct drill_event *event)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].name, event->call->name))
            continue;
        if (!table[i].function)
            sw_drill_skip(run, event->line, "%s() needs %s", table[i].name, table[i].unsupported);
        return table[i].function;
    }
    sw_drill_skip(run, event->line, "the call %s() is not known here", event->call->name);
    return NULL;
}

/* ---- comparing ---------------------------------------------------------------------------------- */

/* Calls that make a descriptor: the script's number is a name for it, any result will do. */
static bool makes_descriptor(const char *name)
{
    return !strcmp(name, "socket") || !strncmp(name, "accept", 6) ||
           !strncmp(name, "epoll_create", 12);
}

static bool same_error(const char *expected, const char *actual)
{
    return !strcmp(expected, actual) ||
           (!strcmp(expected, "EWOULDBLOCK") && !strcmp(actual, "EAGAIN"));
}

/* "returned -1 EAGAIN, must return 4"; empty: as expected. */
static void compare_result(struct drill_run *run, struct drill_pending *p, char *out, size_t size)
{
    const struct drill_call *call = p->event->call;
    char name[16], actual[64], wanted[128];
    int64_t expected = 0;

    out[0] = 0;
    if (!call->result || call->result->kind == DRILL_ELLIPSIS)
        return;
    if (!sw_drill_integer(run, call->result, &expected))
        return;
    snprintf(actual, sizeof actual, "%lld%s%s", (long long)p->result, p->error ? " " : "",
             p->error ? sw_drill_errno_name(p->error, name, sizeof name) : "");
    sw_drill_format_value(call->result, wanted, sizeof wanted);
    if (p->result != expected && !(makes_descriptor(call->name) && expected >= 0 && p->result >= 0))
        snprintf(out, size, "%s() returned %s, must return %s%s%s", call->name, actual, wanted,
                 call->error ? " " : "", call->error ? call->error : "");
    else if (call->error &&
             !same_error(call->error,
                         p->error ? sw_drill_errno_name(p->error, name, sizeof name) : "no error"))
        snprintf(out, size, "%s() returned %s, must return %s %s", call->name, actual, wanted,
                 call->error);
}

static void trace_call(struct drill_run *run, const struct drill_pending *p)
{
    char name[16];

    if (run->settings->verbose)
        sw_drill_append(&run->trace, "%11.6f  call   %s() = %lld%s%s\n",
                        (double)run->world->now / 1e9, p->event->call->name, (long long)p->result,
                        p->error ? " " : "",
                        p->error ? sw_drill_errno_name(p->error, name, sizeof name) : "");
}

static void complete(struct drill_run *run, struct drill_pending *p)
{
    char message[DRILL_MESSAGE];
    unsigned line = p->event->line;

    trace_call(run, p);
    compare_result(run, p, message, sizeof message);
    if (!message[0] && p->complaint[0])
        snprintf(message, sizeof message, "%.100s(): %.800s", p->event->call->name, p->complaint);
    if (message[0] && run->conditions.forgive_calls)
        sw_drill_append(&run->trace, "%s:%u: %s (--non_fatal)\n", run->script->path, line, message);
    else if (message[0])
        sw_drill_fail(run, line, "%s", message);
    if (!run->decided && p->event->call->blocking &&
        !sw_drill_on_time(run, p->due, p->due, run->world->now, p->begun))
        sw_drill_fail(run, line, "%s() returned at %.6f s, must return at %.6f s",
                      p->event->call->name, (double)run->world->now / 1e9, (double)p->due / 1e9);
    p->used = false;
}

/* ---- beginning, resuming ------------------------------------------------------------------------ */

/* True: done or decided. */
static bool ask(struct drill_run *run, struct drill_pending *p)
{
    drill_call_function *function = find(run, p->event);
    enum drill_progress progress;

    if (!function) {
        p->used = false;
        return true;
    }
    p->deadline = SANWO_TIME_NEVER;
    progress = function(run, p);
    if (progress == DRILL_CALL_WAITS && !run->decided)
        return false;
    if (progress == DRILL_CALL_DONE && !run->decided)
        complete(run, p);
    else
        sw_drill_fail(run, p->event->line, "%s() is given what it does not take",
                      p->event->call->name);
    p->used = false;
    return true;
}

bool sw_drill_call_begin(struct drill_run *run, const struct drill_event *event, sanwo_time due)
{
    for (size_t i = 0; i < DRILL_PENDING; i++) {
        struct drill_pending *p = &run->pending[i];

        if (p->used)
            continue;
        *p = (struct drill_pending){
            .used = true, .event = event, .begun = run->world->now, .due = due};
        return ask(run, p);
    }
    sw_drill_fail(run, event->line, "more than %d calls sleep at a time", DRILL_PENDING);
    return true;
}

bool sw_drill_call_resume(void *context)
{
    struct drill_run *run = context;
    bool any = false;

    for (size_t i = 0; i < DRILL_PENDING; i++) {
        struct drill_pending *p = &run->pending[i];
        size_t done = p->done;
        unsigned stage = p->stage;

        if (p->used && !run->decided)
            any |= ask(run, p) || p->done != done || p->stage != stage;
    }
    return any;
}

sanwo_time sw_drill_call_deadline(void *context)
{
    struct drill_run *run = context;
    sanwo_time earliest = SANWO_TIME_NEVER;

    for (size_t i = 0; i < DRILL_PENDING; i++)
        if (run->pending[i].used && run->pending[i].deadline < earliest)
            earliest = run->pending[i].deadline;
    return earliest;
}

void sw_drill_call_event(void *context, const struct sanwo_event *event)
{
    struct drill_run *run = context;

    for (size_t i = 0; i < DRILL_SOCKETS; i++) {
        struct drill_socket *s = &run->sockets[i];

        if (s->kind == DRILL_SOCKET_TCP && s->has_handle &&
            sanwo_handle_equal(s->handle, event->handle)) {
            s->activity++;
            if (event->what & SANWO_EVENT_CONNECTED)
                sw_drill_socket_opened(run, s);
        }
    }
}

bool sw_drill_call_sleeps(const struct drill_run *run, const struct drill_event *event)
{
    for (size_t i = 0; i < DRILL_PENDING; i++)
        if (run->pending[i].used && (!event || run->pending[i].event == event))
            return true;
    return false;
}
