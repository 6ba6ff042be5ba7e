/*
 * descriptor.c - The table of descriptors.
 */
#define _GNU_SOURCE
#include "descriptor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "run.h"

struct drill_socket *sw_drill_socket_find(struct drill_run *run, int64_t fd)
{
    for (size_t i = 0; i < DRILL_SOCKETS; i++)
        if (run->sockets[i].kind != DRILL_SOCKET_FREE && run->sockets[i].fd == fd)
            return &run->sockets[i];
    return NULL;
}

struct drill_socket *sw_drill_socket_new(struct drill_run *run, enum drill_socket_kind kind,
                                         int64_t wanted)
{
    static const uint64_t first_serial = 1;
    uint64_t serial = first_serial;
    int64_t fd = wanted;

    if (fd < 0)
        for (fd = DRILL_FIRST_FD; sw_drill_socket_find(run, fd); fd++)
            ;
    if (sw_drill_socket_find(run, fd))
        return NULL;
    for (size_t i = 0; i < DRILL_SOCKETS; i++)
        if (run->sockets[i].serial >= serial)
            serial = run->sockets[i].serial + 1;
    for (size_t i = 0; i < DRILL_SOCKETS; i++) {
        struct drill_socket *s = &run->sockets[i];

        if (s->kind != DRILL_SOCKET_FREE)
            continue;
        *s = (struct drill_socket){.kind = (uint8_t)kind,
                                   .fd = (int)fd,
                                   .family = run->conditions.socket_family,
                                   .config = run->tcp,
                                   .receive_low = 1,
                                   .serial = serial};
        return s;
    }
    return NULL;
}

void sw_drill_socket_free(struct drill_socket *s)
{
    s->kind = DRILL_SOCKET_FREE; /* the serial stays: the next one gets a higher one */
}

bool sw_drill_socket_info(struct drill_run *run, struct drill_socket *s,
                          struct sanwo_tcp_info *info)
{
    if (!s->has_handle || sanwo_tcp_info(run->world->stack, s->handle, info) < 0)
        return false;
    if (info->soft_error)
        s->soft_error = info->soft_error;
    return true;
}

/* A reset after the peer's FIN: Linux says EPIPE. */
static int error_of_end(struct drill_run *run, const struct sanwo_tcp_info *info)
{
    const struct drill_peer *peer = sw_drill_world_peer(run->world, &info->local, &info->remote);

    if (info->error == SANWO_ECONNRESET && peer && peer->last_state == SANWO_TCP_CLOSE_WAIT &&
        run->conditions.profile.dialect == SW_DIALECT_LINUX)
        return EPIPE;
    return sw_drill_errno(run, info->error);
}

int sw_drill_socket_take_error(struct drill_run *run, struct drill_socket *s)
{
    struct sanwo_tcp_info info;

    if (s->dropped && !s->error_told) {
        s->error_told = true;
        return ECONNABORTED;
    }
    if (s->error_told || !sw_drill_socket_info(run, s, &info) || !info.error)
        return 0;
    s->error_told = true;
    return error_of_end(run, &info);
}

int sw_drill_errno(const struct drill_run *run, int64_t error)
{
    (void)run;
    switch (error < 0 ? -error : error) {
    case 0:
        return 0;
    case SANWO_EAGAIN:
        return EAGAIN;
    case SANWO_EINVAL:
        return EINVAL;
    case SANWO_EBADF:
        return EBADF;
    case SANWO_ENOMEM:
        return ENOBUFS;
    case SANWO_ELIMIT:
        return ENOBUFS;
    case SANWO_EADDRINUSE:
        return EADDRINUSE;
    case SANWO_EADDRNOTAVAIL:
        return EADDRNOTAVAIL;
    case SANWO_ENETUNREACH:
        return ENETUNREACH;
    case SANWO_EHOSTUNREACH:
        return EHOSTUNREACH;
    case SANWO_ECONNREFUSED:
        return ECONNREFUSED;
    case SANWO_ECONNRESET:
        return ECONNRESET;
    case SANWO_ECONNABORTED:
        return ECONNABORTED;
    case SANWO_ETIMEDOUT:
        return ETIMEDOUT;
    case SANWO_EISCONN:
        return EISCONN;
    case SANWO_ENOTCONN:
        return ENOTCONN;
    case SANWO_EPIPE:
        return EPIPE;
    case SANWO_EMSGSIZE:
        return EMSGSIZE;
    case SANWO_EOPNOTSUPP:
        return EOPNOTSUPP;
    default:
        return EPROTO;
    }
}

const char *sw_drill_errno_name(int error, char *out, size_t size)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {
        {EAGAIN, "EAGAIN"},
        {EINVAL, "EINVAL"},
        {EBADF, "EBADF"},
        {ENOBUFS, "ENOBUFS"},
        {EADDRINUSE, "EADDRINUSE"},
        {EADDRNOTAVAIL, "EADDRNOTAVAIL"},
        {ENETUNREACH, "ENETUNREACH"},
        {EHOSTUNREACH, "EHOSTUNREACH"},
        {ECONNREFUSED, "ECONNREFUSED"},
        {ECONNRESET, "ECONNRESET"},
        {ECONNABORTED, "ECONNABORTED"},
        {ETIMEDOUT, "ETIMEDOUT"},
        {EISCONN, "EISCONN"},
        {ENOTCONN, "ENOTCONN"},
        {EPIPE, "EPIPE"},
        {EMSGSIZE, "EMSGSIZE"},
        {EOPNOTSUPP, "EOPNOTSUPP"},
        {EPROTO, "EPROTO"},
        {EINPROGRESS, "EINPROGRESS"},
        {EALREADY, "EALREADY"},
        {EEXIST, "EEXIST"},
        {ENOENT, "ENOENT"},
        {ENOPROTOOPT, "ENOPROTOOPT"},
        {EDOM, "EDOM"},
        {EAFNOSUPPORT, "EAFNOSUPPORT"},
        {EDESTADDRREQ, "EDESTADDRREQ"},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (names[i].number == error)
            return names[i].name;
    snprintf(out, size, "errno %d", error);
    return out;
}
