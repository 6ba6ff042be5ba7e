/*
 * tcp_open.c - OPEN, and the calls of a listener (RFC 9293 3.10.1).
 */
#include "stack/stack.h"

#include "tcp/connection/config.h"
#include "tcp/connection/observe.h"
#include "tcp/open/demux.h"
#include "tcp/open/half_open.h"
#include "tcp/open/handshake.h"
#include "tcp/open/listener.h"
#include "tcp/open/ports.h"

/* E-10: a handle that outlived its connection names nothing. */
struct tcp_connection *sw_stack_connection(struct sanwo_stack *s, struct sanwo_handle h)
{
    if ((h.index & 3) != TCP_KIND_CONNECTION)
        return NULL;
    struct tcp_connection *conn =
        sw_pool_find(&s->tcp.connections, &s->region, h.index >> 2, h.generation);
    return conn && conn->accepted && !conn->closed_by_user ? conn : NULL;
}

struct tcp_listener *sw_stack_listener(struct sanwo_stack *s, struct sanwo_handle h)
{
    if ((h.index & 3) != TCP_KIND_LISTENER)
        return NULL;
    return sw_pool_find(&s->tcp.listeners, &s->region, h.index >> 2, h.generation);
}

struct tcp_half_open *sw_stack_request(struct sanwo_stack *s, struct sanwo_handle h)
{
    if ((h.index & 3) != TCP_KIND_HALF_OPEN)
        return NULL;
    struct tcp_half_open *half =
        sw_pool_find(&s->tcp.half_open, &s->region, h.index >> 2, h.generation);
    const uint8_t asked = HALF_OPEN_UNDECIDED | HALF_OPEN_SEEN;
    return half && (half->flags & asked) == asked ? half : NULL;
}

/* MUST-46: only a single host can be connected to. */
static bool is_host(struct sanwo_stack *s, const struct sanwo_address *a)
{
    return a->family != SANWO_FAMILY_NONE && !sanwo_address_is_any(a) &&
           !sanwo_address_is_multicast(a) && !sw_ip_is_broadcast(&s->ip, a);
}

/* The local end: as given, else by route (MUST-44) and by RFC 6056. */
static int choose_local(struct sanwo_stack *s, const struct sanwo_tcp_connect *open,
                        const struct ip_path *path, struct tcp_tuple *tuple)
{
    struct sanwo_address local = open->local.address;
    if (local.family == SANWO_FAMILY_NONE || sanwo_address_is_any(&local)) {
        if (!sw_ip_source_for(&s->ip, &open->remote.address, path, &local))
            return -SANWO_EADDRNOTAVAIL;
    } else if (local.family != open->remote.address.family) {
        return -SANWO_EINVAL;
    } else if (!sw_ip_is_ours(&s->ip, &local)) { /* MUST-43 */
        return -SANWO_EADDRNOTAVAIL;
    }
    *tuple = sw_tcp_tuple(&local, open->local.port, &open->remote.address, open->remote.port);
    if (!open->local.port)
        return sw_tcp_choose_port(&s->tcp, tuple) ? 0 : -SANWO_EADDRNOTAVAIL;
    return sw_tcp_demux_find(&s->tcp, tuple).name ? -SANWO_EADDRINUSE : 0;
}

static int connect_to(struct sanwo_stack *s, const struct sanwo_tcp_connect *open,
                      struct sanwo_handle *out)
{
    struct ip_path path;
    struct tcp_tuple tuple;
    struct tcp_connection *conn;
    if (!open->remote.port || !is_host(s, &open->remote.address) ||
        (open->config && !sw_tcp_config_is_valid(open->config)))
        return -SANWO_EINVAL;
    if (!sw_ip_route_find(&s->ip, &open->remote.address, &path))
        return -SANWO_ENETUNREACH;
    int result = choose_local(s, open, &path, &tuple);
    if (result == 0)
        result = sw_tcp_connect(&s->tcp, &tuple, path.mtu, path.link, open, &conn);
    if (result == 0)
        *out = sw_tcp_handle(TCP_KIND_CONNECTION, conn);
    return result;
}

int sanwo_tcp_connect(struct sanwo_stack *s, const struct sanwo_tcp_connect *open, sanwo_time now,
                      struct sanwo_handle *out)
{
    sw_stack_clock(s, now);
    if (sanwo_handle_is_none(open->listener))
        return connect_to(s, open, out);
    struct tcp_listener *listener = sw_stack_listener(s, open->listener);
    if (!listener)
        return -SANWO_EBADF;
    struct sanwo_tcp_connect active = *open;
    active.local = listener->local;
    int result = connect_to(s, &active, out);
    if (result == 0)
        sw_tcp_listener_close(&s->tcp, listener, true);
    return result;
}

int sanwo_tcp_listen(struct sanwo_stack *s, const struct sanwo_tcp_listen *open, sanwo_time now,
                     struct sanwo_handle *out)
{
    sw_stack_clock(s, now);
    const struct sanwo_address *a = &open->local.address;
    struct tcp_listener *listener;
    if (sanwo_address_is_multicast(a))
        return -SANWO_EINVAL;
    if (!(open->flags & SANWO_LISTEN_ANY_ADDRESS) && !sanwo_address_is_any(a) &&
        !sw_ip_is_ours(&s->ip, a))
        return -SANWO_EADDRNOTAVAIL;
    int result = sw_tcp_listen(&s->tcp, open, &listener);
    if (result == 0)
        *out = sw_tcp_handle(TCP_KIND_LISTENER, listener);
    return result;
}

int sanwo_tcp_accept(struct sanwo_stack *s, struct sanwo_handle h, void *user,
                     struct sanwo_handle *out)
{
    struct tcp_listener *listener = sw_stack_listener(s, h);
    if (!listener)
        return -SANWO_EBADF;
    struct tcp_connection *conn = sw_tcp_listener_accept(&s->tcp, listener);
    if (!conn)
        return -SANWO_EAGAIN;
    conn->user = user;
    *out = sw_tcp_handle(TCP_KIND_CONNECTION, conn);
    return 0;
}

int sanwo_tcp_request(struct sanwo_stack *s, struct sanwo_handle h, struct sanwo_tcp_request *out)
{
    struct tcp_listener *listener = sw_stack_listener(s, h);
    if (!listener)
        return -SANWO_EBADF;
    struct tcp_half_open *half = sw_tcp_listener_request(&s->tcp, listener);
    if (!half)
        return -SANWO_EAGAIN;
    *out = (struct sanwo_tcp_request){.handle = sw_tcp_handle(TCP_KIND_HALF_OPEN, half),
                                      .local = sw_tcp_tuple_local(&half->tuple),
                                      .remote = sw_tcp_tuple_remote(&half->tuple)};
    return 0;
}

int sanwo_tcp_admit(struct sanwo_stack *s, struct sanwo_handle request, sanwo_time now)
{
    sw_stack_clock(s, now);
    struct tcp_half_open *half = sw_stack_request(s, request);
    if (!half)
        return -SANWO_EBADF;
    sw_tcp_half_open_admit(&s->tcp, half);
    return 0;
}

int sanwo_tcp_refuse(struct sanwo_stack *s, struct sanwo_handle request, sanwo_time now)
{
    sw_stack_clock(s, now);
    struct tcp_half_open *half = sw_stack_request(s, request);
    if (!half)
        return -SANWO_EBADF;
    sw_tcp_half_open_refuse(&s->tcp, half);
    return 0;
}

int sanwo_tcp_ignore(struct sanwo_stack *s, struct sanwo_handle request, sanwo_time now)
{
    sw_stack_clock(s, now);
    struct tcp_half_open *half = sw_stack_request(s, request);
    if (!half)
        return -SANWO_EBADF;
    sw_tcp_half_open_drop(&s->tcp, half, SANWO_REASON_USER_IGNORED);
    return 0;
}
