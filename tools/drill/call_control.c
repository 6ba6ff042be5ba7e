/*
 * call_control.c - fcntl and ioctl.
 */
#define _GNU_SOURCE
#include "call.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

static int64_t nonblock_number(const struct drill_run *run)
{
    return run->conditions.profile.dialect == SW_DIALECT_BSD ? DRILL_BSD_NONBLOCK : O_NONBLOCK;
}

enum drill_progress sw_drill_call_fcntl(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *s = sw_drill_call_socket(run, p, 0);
    int64_t command, flags = 0;

    if (!s || !sw_drill_argument_integer(run, p->event, 1, &command))
        return sw_drill_call_no_socket(run);
    if (p->event->call->argument_count > 2 && !sw_drill_argument_integer(run, p->event, 2, &flags))
        return DRILL_CALL_BROKEN;
    switch (command) {
    case F_GETFL:
        return sw_drill_call_returns(p, O_RDWR | (s->nonblocking ? nonblock_number(run) : 0));
    case F_SETFL:
        s->nonblocking = (flags & nonblock_number(run)) != 0;
        return sw_drill_call_returns(p, 0);
    case F_GETFD:
    case F_SETFD:
    case F_SETOWN:
        return sw_drill_call_returns(p, 0);
    default:
        sw_drill_skip(run, p->event->line, "fcntl() with that command");
        return DRILL_CALL_BROKEN;
    }
}

/* What the command asks for; false: it is not a question. */
static bool answer(struct drill_run *run, struct drill_socket *s, int64_t command, int64_t *out)
{
    struct sanwo_tcp_info info = {0};
    bool known = sw_drill_socket_info(run, s, &info);

    switch (command) {
    case FIONREAD:
        *out = known ? info.receive_queued : 0;
        return true;
    case TIOCOUTQ:
        *out = known ? info.send_queued : 0;
        return true;
    case DRILL_SIOCOUTQNSD:
        *out = known ? info.send_unsent : 0;
        return true;
    case DRILL_FIONSPACE:
        *out = known ? (int64_t)info.send_limit - info.send_queued
                     : (int64_t)s->config.send_buffer_start;
        return true;
    case DRILL_SIOCATMARK:
        *out = known && sanwo_tcp_urgent(run->world->stack, s->handle) == 1;
        return true;
    default:
        return false;
    }
}

enum drill_progress sw_drill_call_ioctl(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *s = sw_drill_call_socket(run, p, 0);
    const struct drill_value *v = NULL;
    int64_t command, actual, value = 0;

    if (!s || !sw_drill_argument_integer(run, p->event, 1, &command))
        return sw_drill_call_no_socket(run);
    if (p->event->call->argument_count > 2)
        v = &p->event->call->arguments[2];
    if (command == FIONBIO || command == FIOASYNC) {
        const struct drill_value *item = sw_drill_only_item(v) ? sw_drill_only_item(v) : v;

        if (!item || !sw_drill_integer(run, item, &value))
            return DRILL_CALL_BROKEN;
        if (command == FIONBIO)
            s->nonblocking = value != 0;
        return sw_drill_call_returns(p, 0);
    }
    if (s->listening)
        return sw_drill_call_fails(p, EINVAL);
    if (!answer(run, s, command, &actual)) {
        sw_drill_skip(run, p->event->line, "ioctl() with that command");
        return DRILL_CALL_BROKEN;
    }
    sw_drill_call_expect(run, p, "what it tells", v, actual);
    return run->decided ? DRILL_CALL_BROKEN : sw_drill_call_returns(p, 0);
}
