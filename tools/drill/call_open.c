/*
 * call_open.c - socket, bind, listen, accept, connect, shutdown, close and the names of both ends.
 */
#define _GNU_SOURCE
#include "call.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

static bool is_bsd(const struct drill_run *run)
{
    return run->conditions.profile.dialect == SW_DIALECT_BSD;
}

/* ---- addresses in scripts ------------------------------------------------------------------------ */

/* sin_addr=inet_addr("1.2.3.4"), in network order; or a text in inet_addr, inet_pton, inet6_addr. */
static bool read_address(struct drill_run *run, const struct drill_value *v,
                         struct sanwo_address *out)
{
    int64_t number;

    for (size_t i = 0; v->kind == DRILL_CALLED && i < v->item_count; i++)
        if (v->items[i].kind == DRILL_STRING)
            return sanwo_address_parse(v->items[i].text, out);
    if (v->kind == DRILL_STRING)
        return sanwo_address_parse(v->text, out);
    if (!sw_drill_integer(run, v, &number))
        return false;
    *out = (struct sanwo_address){.family = SANWO_FAMILY_IPV4};
    for (int i = 0; i < 4; i++)
        out->bytes[i] = (uint8_t)((uint32_t)number >> (8 * i)); /* lowest byte is the first */
    return true;
}

static const struct drill_value *either_field(const struct drill_value *v, const char *a,
                                              const char *b)
{
    const struct drill_value *field = sw_drill_field(v, a);

    return field ? field : sw_drill_field(v, b);
}

/* Fills in what the structure says; the rest of *out stays. False: the run is decided. */
static bool read_endpoint(struct drill_run *run, const struct drill_value *v,
                          struct sanwo_endpoint *out)
{
    const struct drill_value *port = either_field(v, "sin_port", "sin6_port");
    const struct drill_value *address = either_field(v, "sin_addr", "sin6_addr");
    int64_t number;

    if (!v || v->kind != DRILL_STRUCT)
        return true;
    if (port && port->kind != DRILL_ELLIPSIS) {
        if (!sw_drill_integer(run, port, &number))
            return false;
        out->port = ntohs((uint16_t)number);
    }
    if (address && address->kind != DRILL_ELLIPSIS && !read_address(run, address, &out->address)) {
        sw_drill_fail(run, v->line, "the address cannot be read");
        return false;
    }
    return !run->decided;
}

static void expect_endpoint(struct drill_run *run, struct drill_pending *p,
                            const struct drill_value *v, const struct sanwo_endpoint *actual)
{
    struct sanwo_endpoint expected = *actual;
    char a[SANWO_ENDPOINT_TEXT], b[SANWO_ENDPOINT_TEXT];

    if (!v || v->kind != DRILL_STRUCT || !read_endpoint(run, v, &expected))
        return;
    if (expected.port != actual->port || !sanwo_address_equal(&expected.address, &actual->address))
        sw_drill_call_complain(p, "the address is %s, must be %s",
                               sanwo_endpoint_format(actual, a, sizeof a),
                               sanwo_endpoint_format(&expected, b, sizeof b));
}

/* The length argument of accept() and the like. */
static void expect_length(struct drill_run *run, struct drill_pending *p, size_t index,
                          const struct drill_socket *s)
{
    if (index < p->event->call->argument_count)
        sw_drill_call_expect(run, p, "the length of the address", &p->event->call->arguments[index],
                             s->family == SANWO_FAMILY_IPV6 ? 28 : 16);
}

/* ---- socket, bind, listen ----------------------------------------------------------------------- */

/* What kinds of sockets there are; skips the script or sets an error for others. */
static bool is_tcp(struct drill_run *run, struct drill_pending *p, int64_t type, int64_t protocol)
{
    int64_t kind = type & 0xf;

    if (kind == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP))
        return true;
    sw_drill_skip(run, p->event->line, "sockets other than TCP: type %lld, protocol %lld",
                  (long long)kind, (long long)protocol);
    return false;
}

enum drill_progress sw_drill_call_socket_open(struct drill_run *run, struct drill_pending *p)
{
    const struct drill_value *domain = sw_drill_argument(run, p->event->call, p->event->line, 0);
    struct drill_socket *s;
    int64_t type, protocol, family = 0, wanted;

    if (!domain || !sw_drill_argument_integer(run, p->event, 1, &type) ||
        !sw_drill_argument_integer(run, p->event, 2, &protocol) ||
        (domain->kind != DRILL_ELLIPSIS && !sw_drill_integer(run, domain, &family)) ||
        !is_tcp(run, p, type, protocol))
        return DRILL_CALL_BROKEN;
    wanted = sw_drill_call_wanted_fd(run, p);
    if (run->decided)
        return DRILL_CALL_BROKEN;
    s = sw_drill_socket_new(run, DRILL_SOCKET_TCP, wanted);
    if (!s)
        return sw_drill_call_fails(p, EMFILE);
    if (family)
        s->family = family == AF_INET6 ? SANWO_FAMILY_IPV6 : SANWO_FAMILY_IPV4;
    s->nonblocking = (type & SOCK_NONBLOCK) != 0;
    run->under_test = (int)(s - run->sockets);
    return sw_drill_call_returns(p, s->fd);
}

enum drill_progress sw_drill_call_bind(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *s = sw_drill_call_socket(run, p, 0);
    const struct drill_value *address = sw_drill_argument(run, p->event->call, p->event->line, 1);
    struct sanwo_endpoint local = {.port = run->conditions.bind_port};

    if (!s || !address)
        return sw_drill_call_no_socket(run);
    if (s->bound || s->has_handle)
        return sw_drill_call_fails(p, EINVAL);
    if (!read_endpoint(run, address, &local))
        return DRILL_CALL_BROKEN;
    if (sanwo_address_is_any(&local.address))
        local.address = (struct sanwo_address){0};
    else if (local.address.family && !sanwo_address_equal(&local.address, &run->conditions.local))
        return sw_drill_call_fails(p, EADDRNOTAVAIL);
    s->local = local;
    s->bound = true;
    if (local.port)
        run->wire.local.port = local.port;
    return sw_drill_call_returns(p, 0);
}

static int listen_again(struct drill_socket *s)
{
    return s->listening ? 0 : EINVAL; /* connected, or connecting */
}

enum drill_progress sw_drill_call_listen(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *s = sw_drill_call_socket(run, p, 0);
    struct sanwo_tcp_listen open = {0};
    int64_t backlog;
    int result;

    if (!s || !sw_drill_argument_integer(run, p->event, 1, &backlog))
        return sw_drill_call_no_socket(run);
    if (s->has_handle) {
        int error = listen_again(s);
        return error ? sw_drill_call_fails(p, error) : sw_drill_call_returns(p, 0);
    }
    open.local = s->local;
    if (!open.local.port)
        open.local.port = run->conditions.bind_port;
    /* Linux and FreeBSD take more than asked, if only one. */
    open.backlog = backlog < 0 || backlog > 4096 ? 4096 : (uint32_t)backlog + 1;
    open.config = &s->config;
    if (!run->no_fast_server && s->fast_open > 0)
        open.fast_open = s->fast_open > 4096 ? 4096 : (uint32_t)s->fast_open;
    else if (!run->no_fast_server && run->fast_listeners)
        open.fast_open = open.backlog;
    result = sanwo_tcp_listen(run->world->stack, &open, run->world->now, &s->handle);
    if (result < 0)
        return sw_drill_call_fails(p, sw_drill_errno(run, result));
    s->has_handle = s->listening = true;
    sw_drill_wire_listen(&run->wire, open.local.port);
    return sw_drill_call_returns(p, 0);
}

/* ---- accept --------------------------------------------------------------------------------------- */

bool sw_drill_socket_accept(struct drill_run *run, struct drill_socket *s, struct sanwo_handle *out)
{
    if (s->accepted_count) {
        *out = s->accepted[0];
        s->accepted_count--;
        memmove(&s->accepted[0], &s->accepted[1], s->accepted_count * sizeof s->accepted[0]);
        return true;
    }
    return sanwo_tcp_accept(run->world->stack, s->handle, NULL, out) == 0;
}

/* The socket of an accepted connection: its options are the listener's. */
static enum drill_progress new_child(struct drill_run *run, struct drill_pending *p,
                                     const struct drill_socket *listener,
                                     struct sanwo_handle handle, bool nonblocking)
{
    int64_t wanted = sw_drill_call_wanted_fd(run, p);
    struct drill_socket *s =
        run->decided ? NULL : sw_drill_socket_new(run, DRILL_SOCKET_TCP, wanted);
    struct sanwo_tcp_info info;
    struct drill_socket made;

    if (!s)
        return run->decided ? DRILL_CALL_BROKEN : sw_drill_call_fails(p, EMFILE);
    made = *s;
    *s = *listener;
    s->fd = made.fd;
    s->serial = made.serial;
    s->nonblocking = nonblocking;
    s->listening = false;
    s->accepted_count = 0;
    s->connected = true;
    s->handle = handle;
    run->under_test = (int)(s - run->sockets);
    sw_drill_socket_opened(run, s);
    if (sw_drill_socket_info(run, s, &info)) {
        s->local = info.local;
        if (p->event->call->argument_count > 1)
            expect_endpoint(run, p, &p->event->call->arguments[1], &info.remote);
        expect_length(run, p, 2, s);
    }
    return sw_drill_call_returns(p, s->fd);
}

enum drill_progress sw_drill_call_accept(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *s = sw_drill_call_socket(run, p, 0);
    struct sanwo_handle handle;
    int64_t flags = 0;

    if (!s)
        return sw_drill_call_no_socket(run);
    if (!strcmp(p->event->call->name, "accept4") &&
        !sw_drill_argument_integer(run, p->event, 3, &flags))
        return DRILL_CALL_BROKEN;
    if (!s->listening)
        return sw_drill_call_fails(p, EINVAL);
    if (sw_drill_socket_accept(run, s, &handle)) {
        /* FreeBSD's accept() hands O_NONBLOCK on, Linux' does not. */
        bool nonblocking = is_bsd(run) && strcmp(p->event->call->name, "accept4") != 0
                               ? s->nonblocking
                               : (flags & SOCK_NONBLOCK) != 0;
        return new_child(run, p, s, handle, nonblocking);
    }
    if (!sw_drill_call_may_sleep(run, p, s, 0, s->receive_timeout))
        return sw_drill_call_fails(p, EAGAIN);
    return DRILL_CALL_WAITS;
}

/* ---- connect -------------------------------------------------------------------------------------- */

static bool is_opening(uint8_t state)
{
    return state == SANWO_TCP_SYN_SENT || state == SANWO_TCP_SYN_RECEIVED;
}

/* connect(fd, AF_UNSPEC) dissolves the connection; the socket is new again. */
static enum drill_progress disconnect(struct drill_run *run, struct drill_pending *p,
                                      struct drill_socket *s)
{
    if (s->has_handle && sanwo_tcp_abort(run->world->stack, s->handle, run->world->now) < 0)
        sanwo_tcp_close(run->world->stack, s->handle, run->world->now);
    s->has_handle = s->connecting = s->connected = s->listening = s->error_told = false;
    s->told_connected = s->shut_read = false;
    return sw_drill_call_returns(p, 0);
}

static int start_connect(struct drill_run *run, struct drill_socket *s,
                         const struct sanwo_endpoint *remote, bool fast_open)
{
    struct sanwo_tcp_connect open = {
        .remote = *remote, .local = s->local, .config = &s->config, .fast_open = fast_open};
    int result = sanwo_tcp_connect(run->world->stack, &open, run->world->now, &s->handle);

    if (result < 0)
        return sw_drill_errno(run, result);
    s->has_handle = s->connecting = true;
    s->error_told = s->told_connected = false;
    run->wire.remote.port = remote->port;
    run->under_test = (int)(s - run->sockets);
    return 0;
}

/* Fails with what ended the attempt; in Linux the socket may try again, in FreeBSD it is used up. */
static enum drill_progress attempt_failed(struct drill_run *run, struct drill_pending *p,
                                          struct drill_socket *s)
{
    int error = sw_drill_socket_take_error(run, s);

    sanwo_tcp_close(run->world->stack, s->handle, run->world->now);
    s->has_handle = s->connecting = false;
    s->dropped = s->error_told = is_bsd(run);
    return sw_drill_call_fails(p, error ? error : ECONNABORTED);
}

/* A connect() on a socket that has a connection or attempt: what came of it so far. */
static enum drill_progress connect_again(struct drill_run *run, struct drill_pending *p,
                                         struct drill_socket *s, bool first)
{
    struct sanwo_tcp_info info;

    if (!sw_drill_socket_info(run, s, &info) || s->listening)
        return sw_drill_call_fails(p, s->listening ? EISCONN : EINVAL);
    if (is_opening(info.state)) {
        if (!first && p->stage == 0)
            return sw_drill_call_fails(p, EALREADY);
        p->stage = 1;
        if (sw_drill_call_may_sleep(run, p, s, 0, s->send_timeout))
            return DRILL_CALL_WAITS;
        return sw_drill_call_fails(p, EINPROGRESS);
    }
    if (s->connecting && info.state == SANWO_TCP_CLOSED && info.error)
        return attempt_failed(run, p, s);
    if (s->connecting && !s->told_connected && (p->stage || !is_bsd(run))) {
        s->connecting = false;
        s->connected = s->told_connected = true;
        return sw_drill_call_returns(p, 0);
    }
    return sw_drill_call_fails(p, EISCONN);
}

enum drill_progress sw_drill_call_connect(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *s = sw_drill_call_socket(run, p, 0);
    const struct drill_value *address = sw_drill_argument(run, p->event->call, p->event->line, 1);
    struct sanwo_endpoint remote = {run->conditions.remote, run->conditions.connect_port};
    const struct drill_value *family;
    int64_t number = 0;
    int error;

    if (!s || !address)
        return sw_drill_call_no_socket(run);
    family = either_field(address, "sa_family", "sin6_family");
    if (family && family->kind != DRILL_ELLIPSIS && !sw_drill_integer(run, family, &number))
        return DRILL_CALL_BROKEN;
    if (family && family->kind != DRILL_ELLIPSIS && number == AF_UNSPEC)
        return disconnect(run, p, s);
    if (s->has_handle)
        return connect_again(run, p, s, false);
    if (!read_endpoint(run, address, &remote))
        return DRILL_CALL_BROKEN;
    bool fast = s->fast_connect && !run->no_fast_client;
    if (fast && sw_drill_has_cookie(run, &remote)) {
        s->deferred = true;
        s->deferred_to = remote;
        return sw_drill_call_returns(p, 0);
    }
    error = start_connect(run, s, &remote, fast);
    return error ? sw_drill_call_fails(p, error) : connect_again(run, p, s, true);
}

bool sw_drill_has_cookie(struct drill_run *run, const struct sanwo_endpoint *remote)
{
    struct sanwo_peer peer;

    for (size_t i = 0; sanwo_stack_peers(run->world->stack, i, &peer, 1); i++)
        if (sanwo_address_equal(&peer.address, &remote->address))
            return peer.fast_open_cookie &&
                   (!peer.fast_open_blocked ||
                    (peer.fast_open_blocked_port && peer.fast_open_blocked_port != remote->port));
    return false;
}

int sw_drill_fast_connect(struct drill_run *run, struct drill_pending *p, struct drill_socket *s,
                          size_t index, bool *has_cookie)
{
    struct sanwo_endpoint remote = {run->conditions.remote, run->conditions.connect_port};
    const struct drill_value *address = NULL;

    if (run->no_fast_client)
        return EOPNOTSUPP;
    if (s->deferred)
        remote = s->deferred_to;
    else if (!(address = sw_drill_argument(run, p->event->call, p->event->line, index)) ||
             !read_endpoint(run, address, &remote))
        return -1;
    s->deferred = false;
    *has_cookie = sw_drill_has_cookie(run, &remote);
    return start_connect(run, s, &remote, true);
}

/* ---- shutdown, close ------------------------------------------------------------------------------ */

static enum drill_progress shut_listener(struct drill_run *run, struct drill_pending *p,
                                         struct drill_socket *s, int64_t how)
{
    if (is_bsd(run))
        return sw_drill_call_fails(p, ENOTCONN);
    if (how != SHUT_WR) {
        sanwo_tcp_close(run->world->stack, s->handle, run->world->now);
        s->has_handle = s->listening = false;
    }
    return sw_drill_call_returns(p, 0);
}

enum drill_progress sw_drill_call_shutdown(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *s = sw_drill_call_socket(run, p, 0);
    struct sanwo_tcp_info info;
    int64_t how;
    int result = 0;

    if (!s || !sw_drill_argument_integer(run, p->event, 1, &how))
        return sw_drill_call_no_socket(run);
    if (how < SHUT_RD || how > SHUT_RDWR)
        return sw_drill_call_fails(p, EINVAL);
    if (s->listening)
        return shut_listener(run, p, s, how);
    if (!sw_drill_socket_info(run, s, &info) || info.state == SANWO_TCP_CLOSED ||
        (info.state == SANWO_TCP_SYN_SENT && is_bsd(run)))
        return sw_drill_call_fails(p, ENOTCONN);
    if (how != SHUT_WR)
        s->shut_read = true;
    if (how != SHUT_RD)
        result = sanwo_tcp_shutdown(run->world->stack, s->handle, run->world->now);
    if (result < 0 && result != -SANWO_EPIPE) /* a second time does no harm */
        return sw_drill_call_fails(p, sw_drill_errno(run, result));
    return sw_drill_call_returns(p, 0);
}

/* SO_LINGER with a time: close() sleeps until everything is acknowledged, or the time is over. */
static bool still_lingers(struct drill_run *run, struct drill_pending *p, struct drill_socket *s)
{
    struct sanwo_tcp_info info;

    if (!s->linger || !s->linger_seconds || s->nonblocking ||
        !sw_drill_socket_info(run, s, &info) || info.receive_queued)
        return false;
    if (p->stage++ == 0)
        sanwo_tcp_shutdown(run->world->stack, s->handle, run->world->now);
    p->stage = 1;
    p->deadline = p->begun + SANWO_SEC(s->linger_seconds);
    if (!sw_drill_socket_info(run, s, &info) || run->world->now >= p->deadline)
        return false;
    return info.state == SANWO_TCP_FIN_WAIT_1 || info.state == SANWO_TCP_CLOSING ||
           info.state == SANWO_TCP_LAST_ACK;
}

static void close_handles(struct drill_run *run, struct drill_socket *s)
{
    struct sanwo_stack *stack = run->world->stack;

    for (size_t i = 0; i < s->accepted_count; i++)
        sanwo_tcp_abort(stack, s->accepted[i], run->world->now);
    if (!s->has_handle)
        return;
    if (!s->listening && s->linger && !s->linger_seconds)
        sanwo_tcp_abort(stack, s->handle, run->world->now);
    else
        sanwo_tcp_close(stack, s->handle, run->world->now);
}

enum drill_progress sw_drill_call_close(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *s = sw_drill_call_socket(run, p, 0);

    if (!s)
        return sw_drill_call_no_socket(run);
    if (s->kind == DRILL_SOCKET_TCP) {
        if (still_lingers(run, p, s))
            return DRILL_CALL_WAITS;
        close_handles(run, s);
    }
    sw_drill_socket_free(s);
    return sw_drill_call_returns(p, 0);
}

/* ---- names of the ends ----------------------------------------------------------------------------- */

enum drill_progress sw_drill_call_getsockname(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *s = sw_drill_call_socket(run, p, 0);
    const struct drill_value *address = sw_drill_argument(run, p->event->call, p->event->line, 1);
    struct sanwo_tcp_info info;
    struct sanwo_endpoint local;

    if (!s || !address)
        return sw_drill_call_no_socket(run);
    local = sw_drill_socket_info(run, s, &info) ? info.local : s->local;
    expect_endpoint(run, p, address, &local);
    expect_length(run, p, 2, s);
    return sw_drill_call_returns(p, 0);
}

enum drill_progress sw_drill_call_getpeername(struct drill_run *run, struct drill_pending *p)
{
    struct drill_socket *s = sw_drill_call_socket(run, p, 0);
    const struct drill_value *address = sw_drill_argument(run, p->event->call, p->event->line, 1);
    struct sanwo_tcp_info info;

    if (!s || !address)
        return sw_drill_call_no_socket(run);
    if (!sw_drill_socket_info(run, s, &info) || !info.remote.port || is_opening(info.state) ||
        info.state == SANWO_TCP_CLOSED)
        return sw_drill_call_fails(p, ENOTCONN);
    expect_endpoint(run, p, address, &info.remote);
    expect_length(run, p, 2, s);
    return sw_drill_call_returns(p, 0);
}
