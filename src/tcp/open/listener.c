/*
 * listener.c - Who listens where, and what a segment to a listener brings (RFC 9293 3.10.7.2).
 *
 *     lookup, most specific first:  address and port -> port, any address of the family -> port, any
 *                                   family -> listeners for any port (proxies)
 */
#include "tcp/open/listener.h"

#include "tcp/close/reset.h"
#include "tcp/connection/config.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/observe.h"
#include "tcp/open/cookie.h"
#include "tcp/open/fast_open.h"

#define DEFAULT_BACKLOG 128

static uint32_t endpoint_hash(const struct tcp *tcp, const struct sanwo_endpoint *e)
{
    uint8_t key[20];
    memcpy(key, e->address.bytes, 16);
    key[16] = e->address.family;
    key[17] = e->address.zone;
    sw_store16(key + 18, e->port);
    return (uint32_t)sw_siphash_table(&tcp->listener_key, key, sizeof(key));
}

static struct tcp_listener *find_exact(struct tcp *tcp, const struct sanwo_endpoint *e)
{
    struct table_cursor cursor =
        sw_table_find(&tcp->listener_table, tcp->region, endpoint_hash(tcp, e));
    uint32_t name;
    while ((name = sw_table_next(&tcp->listener_table, tcp->region, &cursor)) != 0) {
        struct tcp_listener *l = sw_tcp_at(tcp, &tcp->listeners, name >> 2);
        if (l->local.port == e->port && sanwo_address_equal(&l->local.address, &e->address))
            return l;
    }
    return NULL;
}

static bool takes(const struct tcp_listener *l, const struct sanwo_endpoint *local, bool ours)
{
    if (!ours && !(l->flags & SANWO_LISTEN_ANY_ADDRESS))
        return false;
    return l->local.address.family == SANWO_FAMILY_NONE ||
           (l->local.address.family == local->address.family &&
            (sanwo_address_is_any(&l->local.address) ||
             sanwo_address_equal(&l->local.address, &local->address)));
}

struct tcp_listener *sw_tcp_listener_for(struct tcp *tcp, const struct tcp_tuple *tuple, bool ours)
{
    struct sanwo_endpoint local = sw_tcp_tuple_local(tuple);
    struct sanwo_endpoint any = {.port = local.port};
    struct tcp_listener *l = find_exact(tcp, &local);
    if (l && takes(l, &local, ours))
        return l;
    any.address.family = local.address.family;
    if ((l = find_exact(tcp, &any)) != NULL && takes(l, &local, ours))
        return l;
    any.address.family = SANWO_FAMILY_NONE;
    if ((l = find_exact(tcp, &any)) != NULL && takes(l, &local, ours))
        return l;
    for (uint32_t i = tcp->any_port_listener; i != TCP_NONE; i = l->next_any_port) {
        l = sw_tcp_at(tcp, &tcp->listeners, i);
        if (takes(l, &local, ours))
            return l;
    }
    return NULL;
}

static void observe(struct tcp *tcp, const struct tcp_listener *l, uint8_t from, uint8_t to,
                    enum sanwo_reason why)
{
    struct tcp_tuple tuple = sw_tcp_tuple(&l->local.address, l->local.port, &l->local.address, 0);
    memset(tuple.remote, 0, sizeof(tuple.remote));
    struct tcp_subject who = {&tuple, sw_tcp_handle(TCP_KIND_LISTENER, l), from, to};
    sw_tcp_observe_subject(tcp, &who, SANWO_OBSERVE_STATE, why);
}

static void normalise(struct sanwo_endpoint *e)
{
    /* 0.0.0.0 and :: mean any address of that family: all zero bytes, no zone. */
    if (sanwo_address_is_any(&e->address))
        e->address = (struct sanwo_address){.family = e->address.family};
}

/* Only other listeners are in the way, never a connection (MUST-41, MUST-42). */
int sw_tcp_listen(struct tcp *tcp, const struct sanwo_tcp_listen *open, struct tcp_listener **out)
{
    struct sanwo_endpoint local = open->local;
    bool any_port = (open->flags & SANWO_LISTEN_ANY_PORT) != 0;
    normalise(&local);
    if ((local.port == 0) != any_port || (open->flags & ~7u))
        return -SANWO_EINVAL;
    if (open->config && !sw_tcp_config_is_valid(open->config))
        return -SANWO_EINVAL;
    /* What nobody decided on has no place for data. */
    if (open->fast_open && (open->flags & SANWO_LISTEN_DECIDE))
        return -SANWO_EINVAL;
    if (!any_port && find_exact(tcp, &local))
        return -SANWO_EADDRINUSE;
    if (tcp->listeners.live >= tcp->listeners.limit)
        return -SANWO_ELIMIT;
    struct tcp_listener *l = sw_pool_alloc(&tcp->listeners, tcp->region);
    if (!l)
        return -SANWO_ENOMEM;
    uint32_t name = sw_tcp_name(TCP_KIND_LISTENER, l->item.index);
    l->config = TCP_NONE;
    if (open->config && !sw_tcp_config_set(tcp, &l->config, open->config))
        goto out;
    if (!any_port &&
        !sw_table_insert(&tcp->listener_table, tcp->region, endpoint_hash(tcp, &local), name))
        goto out;
    l->local = local;
    l->flags = open->flags;
    l->backlog = open->backlog ? open->backlog : DEFAULT_BACKLOG;
    l->user = open->user;
    l->fast_open = open->fast_open;
    l->fixed_isn = open->isn_is_set;
    l->isn = open->isn;
    sw_tcp_list_init(&l->accept_queue, offsetof(struct tcp_connection, event_link));
    sw_tcp_list_init(&l->requests, offsetof(struct tcp_half_open, u.request));
    l->next_any_port = TCP_NONE;
    if (any_port) {
        l->next_any_port = tcp->any_port_listener;
        tcp->any_port_listener = l->item.index;
    }
    observe(tcp, l, SANWO_TCP_CLOSED, SANWO_TCP_LISTEN, SANWO_REASON_PASSIVE_OPEN);
    *out = l;
    return 0;
out:
    sw_tcp_config_drop(tcp, &l->config);
    sw_pool_free(&tcp->listeners, tcp->region, l);
    return -SANWO_ENOMEM;
}

static void unlink_any_port(struct tcp *tcp, const struct tcp_listener *listener)
{
    uint32_t *at = &tcp->any_port_listener;
    while (*at != listener->item.index) {
        struct tcp_listener *l = sw_tcp_at(tcp, &tcp->listeners, *at);
        at = &l->next_any_port;
    }
    *at = listener->next_any_port;
}

void sw_tcp_listener_close(struct tcp *tcp, struct tcp_listener *listener, bool became_active)
{
    struct tcp_connection *conn;
    while ((conn = sw_tcp_list_first(&listener->accept_queue, &tcp->connections, tcp->region)))
        sw_tcp_abort(tcp, conn, SANWO_ECONNABORTED, SANWO_REASON_LISTENER_CLOSED);
    sw_tcp_fast_open_orphan(tcp, listener);
    uint32_t cursor = 0;
    struct tcp_half_open *half;
    while (listener->half_open && (half = sw_pool_next(&tcp->half_open, tcp->region, &cursor)))
        if (half->listener == listener->item.index)
            sw_tcp_half_open_drop(tcp, half, SANWO_REASON_LISTENER_CLOSED);
    if (listener->flags & SANWO_LISTEN_ANY_PORT)
        unlink_any_port(tcp, listener);
    else
        sw_table_remove(&tcp->listener_table, tcp->region, endpoint_hash(tcp, &listener->local),
                        sw_tcp_name(TCP_KIND_LISTENER, listener->item.index));
    if (!became_active)
        observe(tcp, listener, SANWO_TCP_LISTEN, SANWO_TCP_CLOSED, SANWO_REASON_LISTENER_CLOSED);
    if (listener->has_events)
        sw_tcp_list_remove(&tcp->listener_events, &tcp->listeners, tcp->region, listener);
    sw_tcp_config_drop(tcp, &listener->config);
    sw_pool_free(&tcp->listeners, tcp->region, listener);
}

void sw_tcp_listener_event(struct tcp *tcp, struct tcp_listener *listener, uint32_t what)
{
    listener->events |= what;
    if (!listener->has_events) {
        listener->has_events = true;
        sw_tcp_list_append(&tcp->listener_events, &tcp->listeners, tcp->region, listener);
    }
}

bool sw_tcp_listener_has_room(const struct tcp_listener *listener)
{
    return listener->accept_queue.count < listener->backlog;
}

void sw_tcp_listener_deliver(struct tcp *tcp, struct tcp_listener *listener,
                             struct tcp_connection *conn)
{
    sw_tcp_list_append(&listener->accept_queue, &tcp->connections, tcp->region, conn);
    conn->in_accept_queue = 1;
    sw_tcp_listener_event(tcp, listener, SANWO_EVENT_ACCEPT);
}

struct tcp_connection *sw_tcp_listener_accept(struct tcp *tcp, struct tcp_listener *listener)
{
    struct tcp_connection *conn =
        sw_tcp_list_take(&listener->accept_queue, &tcp->connections, tcp->region);
    if (!conn)
        return NULL;
    conn->in_accept_queue = 0;
    conn->accepted = 1;
    tcp->counters.accepted++;
    if (conn->events) /* what happened while it waited */
        sw_tcp_event(tcp, conn, conn->events);
    return conn;
}

struct tcp_half_open *sw_tcp_listener_request(struct tcp *tcp, struct tcp_listener *listener)
{
    struct tcp_half_open *half =
        sw_tcp_list_take(&listener->requests, &tcp->half_open, tcp->region);
    if (half)
        half->flags |= HALF_OPEN_SEEN;
    return half;
}

/* RFC 9293 3.10.7.2 second: nothing was sent that could be acknowledged; unless it was a cookie. */
static void ack_input(struct tcp *tcp, struct tcp_listener *listener, struct tcp_segment *seg)
{
    struct tcp_half_open half;
    enum sanwo_reason why = SANWO_REASON_UNEXPECTED_ACK;
    if (!(seg->flags & TCP_SYN) && tcp->now < listener->cookies_until) {
        if (sw_tcp_cookie_read(tcp, listener, seg, &half)) {
            sw_tcp_half_open_revive(tcp, &half, seg);
            return;
        }
        why = SANWO_REASON_COOKIE_INVALID;
        /* It may follow a segment with a valid one that is late or lost: deviation D28. */
        if (seg->length) {
            sw_tcp_observe_drop(tcp, seg, NULL, why);
            return;
        }
    }
    sw_tcp_observe_drop(tcp, seg, NULL, why);
    sw_tcp_reset_answer(tcp, seg, why);
}

/* U-2. */
void sw_tcp_listener_input(struct tcp *tcp, struct tcp_listener *listener, struct tcp_segment *seg)
{
    sw_tcp_observe_segment_in(tcp, seg, NULL, sw_tcp_handle(TCP_KIND_LISTENER, listener),
                              SANWO_TCP_LISTEN);
    /* RFC 9293 3.10.7.2: first RST, second ACK, third SYN, fourth anything else. */
    if (seg->flags & TCP_RST) {
        sw_tcp_observe_drop(tcp, seg, NULL, SANWO_REASON_LISTEN_NOT_SYN);
        return;
    }
    if (seg->flags & TCP_ACK) {
        ack_input(tcp, listener, seg);
        return;
    }
    /* A SYN with FIN is no honest opening (attack C-15). */
    if (!(seg->flags & TCP_SYN) || (seg->flags & TCP_FIN)) {
        sw_tcp_observe_drop(tcp, seg, NULL, SANWO_REASON_LISTEN_NOT_SYN);
        return;
    }
    enum sanwo_reason full = SANWO_REASON_BACKLOG_FULL;
    if (sw_tcp_listener_has_room(listener)) {
        if (!sw_tcp_cookie_is_due(tcp, listener)) {
            if (sw_tcp_fast_open_judge(tcp, listener, seg) == TCP_FAST_OPEN_TAKE &&
                sw_tcp_fast_open_accept(tcp, listener, seg))
                return;
            full = sw_tcp_half_open_create(tcp, listener, seg);
        }
        if (full == SANWO_REASON_NONE || sw_tcp_cookie_answer(tcp, listener, seg))
            return;
    }
    sw_tcp_observe_drop(tcp, seg, NULL, full);
}
