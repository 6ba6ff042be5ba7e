/*
 * server.c - The server as a whole: slots, timers, accepting, stopping.
 *
 * Timers are lists in the order of arming, one for each length: arming, stopping and asking for the
 * next deadline cost the same for one connection as for ten thousand.
 */
#define _GNU_SOURCE
#include "http/server.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RETRY_TIMEOUT SANWO_MSEC(20)
#define LONGEST_TIMEOUT SANWO_SEC(10 * 365 * 86400)

void sanwo_http_server_config_default(struct sanwo_http_server_config *config)
{
    *config = (struct sanwo_http_server_config){
        .folder = -1,
        .index = "index.html",
        .listing = true,
        .local = {.port = 80},
        .backlog = 1024,
        .max_connections = 4096,
        .max_requests = 100000,
        .max_head = 16 * 1024,
        .max_target = 8 * 1024,
        .max_body = 64 * 1024,
        .request_timeout = SANWO_SEC(10),
        .idle_timeout = SANWO_SEC(60),
        .stall_timeout = SANWO_SEC(180),
        .linger_timeout = SANWO_SEC(5),
    };
}

/* ---- timers ---------------------------------------------------------------------------------- */

static void disarm(struct connection *c)
{
    struct timer_list *list = &c->server->timers[c->timer];

    if (c->timer == TIMER_NONE)
        return;
    *(c->prev ? &c->prev->next : &list->first) = c->next;
    *(c->next ? &c->next->prev : &list->last) = c->prev;
    c->next = c->prev = NULL;
    c->timer = TIMER_NONE;
}

void sw_http_server_arm(struct connection *c, enum timer timer, sanwo_time now)
{
    struct timer_list *list = &c->server->timers[timer];

    disarm(c);
    if (timer == TIMER_NONE)
        return;
    c->timer = (uint8_t)timer;
    c->armed = now;
    c->prev = list->last;
    *(list->last ? &list->last->next : &list->first) = c;
    list->last = c;
}

sanwo_time sanwo_http_server_deadline(const struct sanwo_http_server *server)
{
    sanwo_time deadline = SANWO_TIME_NEVER;

    for (unsigned i = TIMER_NONE + 1; i < TIMER_COUNT; i++) {
        const struct timer_list *list = &server->timers[i];
        if (list->first && list->first->armed + list->length < deadline)
            deadline = list->first->armed + list->length;
    }
    return deadline;
}

/* ---- slots and exchanges --------------------------------------------------------------------- */

static struct connection *take_slot(struct sanwo_http_server *server)
{
    struct connection *c = server->free;

    if (c)
        server->free = c->next;
    else if (server->touched <= server->config.max_connections)
        c = &server->connections[server->touched++];
    else
        return NULL;
    *c = (struct connection){.server = server};
    server->stats.connections++;
    return c;
}

void sw_http_server_free_slot(struct connection *c)
{
    struct sanwo_http_server *server = c->server;

    disarm(c);
    if (c->exchange)
        sw_http_server_give_exchange(server, c->exchange);
    *c = (struct connection){.server = server, .next = server->free};
    server->free = c;
    server->stats.connections--;
}

struct exchange *sw_http_server_take_exchange(struct sanwo_http_server *server)
{
    struct exchange *x = server->spare;

    server->spare = NULL;
    if (!x) {
        x = calloc(1, sizeof *x);
        if (!x)
            return NULL;
        x->response.file = -1;
    }
    sw_http_message_init(&x->message, true, &server->limits);
    x->judged = false;
    x->piece = 0;
    x->piece_done = x->body_sent = x->body_eaten = 0;
    return x;
}

static void free_exchange(struct exchange *x)
{
    sw_http_message_free(&x->message);
    free(x);
}

void sw_http_server_give_exchange(struct sanwo_http_server *server, struct exchange *x)
{
    sw_http_response_clear(&x->response);
    if (server->spare)
        free_exchange(x);
    else
        server->spare = x;
}

int64_t sw_http_server_wall(const struct sanwo_http_server *server)
{
    if (server->config.clock)
        return server->config.clock(server->config.clock_context);
    return (int64_t)time(NULL);
}

/* ---- accepting ------------------------------------------------------------------------------- */

/* Makes room by giving up the connection that idles longest. */
static void evict_idle(struct sanwo_http_server *server, sanwo_time now)
{
    if (server->timers[TIMER_IDLE].first)
        sw_http_connection_drop(server->timers[TIMER_IDLE].first, NULL, now);
}

/* There is one slot more than connections may be, to see whether anybody waits. */
static void accept_waiting(struct sanwo_http_server *server, sanwo_time now)
{
    while (!server->stopping) {
        struct sanwo_handle handle;
        struct connection *c;

        if (server->stats.connections > server->config.max_connections)
            evict_idle(server, now);
        server->waiting = server->stats.connections > server->config.max_connections;
        if (server->waiting)
            return;
        c = take_slot(server);
        if (!c || sanwo_tcp_accept(server->stack, server->listener, c, &handle) < 0) {
            if (c)
                sw_http_server_free_slot(c);
            return;
        }
        server->stats.accepted++;
        sw_http_connection_init(c, handle, now);
        sw_http_connection_run(c, now);
    }
}

static bool is_our_slot(const struct sanwo_http_server *server, const void *user)
{
    const struct connection *c = user;
    uintptr_t at = (uintptr_t)c, base = (uintptr_t)server->connections;

    return at >= base && at < base + (uintptr_t)server->touched * sizeof *c;
}

bool sanwo_http_server_event(struct sanwo_http_server *server, const struct sanwo_event *event,
                             sanwo_time now)
{
    struct connection *c = event->user;

    if (event->user == server && sanwo_handle_equal(event->handle, server->listener)) {
        if (event->what & SANWO_EVENT_ACCEPT)
            accept_waiting(server, now);
        return true;
    }
    if (!is_our_slot(server, event->user))
        return event->user == server;
    if (!sanwo_handle_equal(c->handle, event->handle) || c->phase == PHASE_FREE)
        return true; /* of a connection that is gone */
    /* Data that came before the end is looked at first. */
    sw_http_connection_run(c, now);
    if ((event->what & SANWO_EVENT_CLOSED) && c->phase != PHASE_FREE &&
        sanwo_handle_equal(c->handle, event->handle))
        sw_http_connection_on_closed(c, event->error, now);
    if (server->waiting)
        accept_waiting(server, now);
    return true;
}

void sanwo_http_server_tick(struct sanwo_http_server *server, sanwo_time now)
{
    for (unsigned i = TIMER_NONE + 1; i < TIMER_COUNT; i++) {
        struct timer_list *list = &server->timers[i];
        struct connection *last = list->last;

        /* What is armed anew goes behind `last` and waits for another tick. */
        while (last && list->first && list->first->armed + list->length <= now) {
            struct connection *c = list->first;
            bool was_last = c == last;

            disarm(c);
            sw_http_connection_on_timer(c, (enum timer)i, now);
            if (was_last)
                break;
        }
    }
    if (server->waiting)
        accept_waiting(server, now);
}

/* ---- beginning and end ----------------------------------------------------------------------- */

static void set_timer(struct sanwo_http_server *server, enum timer timer, sanwo_time length)
{
    server->timers[timer].length = length < LONGEST_TIMEOUT ? length : LONGEST_TIMEOUT;
}

static void set_timers(struct sanwo_http_server *server)
{
    set_timer(server, TIMER_IDLE, server->config.idle_timeout);
    set_timer(server, TIMER_REQUEST, server->config.request_timeout);
    set_timer(server, TIMER_STALL, server->config.stall_timeout);
    set_timer(server, TIMER_LINGER, server->config.linger_timeout);
    set_timer(server, TIMER_RETRY, RETRY_TIMEOUT);
}

static void close_listener(struct sanwo_http_server *server, sanwo_time now)
{
    if (!sanwo_handle_is_none(server->listener))
        sanwo_tcp_close(server->stack, server->listener, now);
    server->listener = (struct sanwo_handle){0, 0};
}

static int start_listening(struct sanwo_http_server *server, sanwo_time now)
{
    struct sanwo_tcp_listen open = {
        .local = server->config.local,
        .backlog = server->config.backlog,
        .fast_open = server->config.fast_open,
        .user = server,
        .config = server->config.tcp,
    };
    int error = sanwo_tcp_listen(server->stack, &open, now, &server->listener);

    /*
     * Responses end in short segments that nothing follows; MORE says where something does. Set
     * here, connections share the listener's configuration; set on each, they would own copies.
     */
    if (error >= 0)
        error = sanwo_tcp_set_option(server->stack, server->listener, SANWO_TCP_NAGLE, 0, now);
    if (error < 0)
        close_listener(server, now);
    return error;
}

static void free_server(struct sanwo_http_server *server)
{
    sw_http_folder_dispose(&server->site.folder);
    if (server->spare)
        free_exchange(server->spare);
    free(server->connections);
    free(server->index);
    free(server);
}

static bool config_is_valid(const struct sanwo_http_server_config *c)
{
    return (c->folder >= 0 || c->path) && c->index && *c->index && !strchr(c->index, '/') &&
           c->max_connections > 0 && c->max_requests > 0 && c->max_head >= 64 &&
           c->max_head <= 1u << 24 && c->max_target > 0 && c->request_timeout > 0 &&
           c->idle_timeout > 0 && c->stall_timeout > 0 && c->linger_timeout > 0;
}

/* What needs neither folder nor stack. False: out of memory. */
static bool init_server(struct sanwo_http_server *server,
                        const struct sanwo_http_server_config *config, struct sanwo_stack *stack)
{
    server->config = *config;
    server->stack = stack;
    server->connections = calloc((size_t)config->max_connections + 1, sizeof *server->connections);
    server->index = strdup(config->index);
    server->site = (struct site){{-1, false}, server->index, config->listing};
    server->limits = (struct message_limits){config->max_head, config->max_target};
    set_timers(server);
    return server->connections && server->index;
}

int sanwo_http_server_create(const struct sanwo_http_server_config *config,
                             struct sanwo_stack *stack, sanwo_time now,
                             struct sanwo_http_server **out, bool *folder_failed)
{
    struct sanwo_http_server *server;
    bool failed = false;
    int error = -SANWO_ENOMEM;

    if (!folder_failed)
        folder_failed = &failed;
    *folder_failed = false;
    if (!config_is_valid(config))
        return -SANWO_EINVAL;
    server = calloc(1, sizeof *server);
    if (!server)
        return -SANWO_ENOMEM;
    if (init_server(server, config, stack)) {
        error = sw_http_folder_init(&server->site.folder, config->folder, config->path);
        *folder_failed = error < 0;
    }
    if (error == 0)
        error = start_listening(server, now);
    /* Not ours to keep. */
    server->config.path = server->config.index = NULL;
    server->config.tcp = NULL;
    if (error < 0)
        free_server(server);
    else
        *out = server;
    return error < 0 ? error : 0;
}

void sanwo_http_server_destroy(struct sanwo_http_server *server, sanwo_time now)
{
    if (!server)
        return;
    server->stopping = true;
    close_listener(server, now);
    for (uint32_t i = 0; i < server->touched; i++)
        if (server->connections[i].phase != PHASE_FREE)
            sw_http_connection_drop(&server->connections[i], "the server ended", now);
    free_server(server);
}

void sanwo_http_server_stop(struct sanwo_http_server *server, sanwo_time now)
{
    if (server->stopping)
        return;
    server->stopping = true;
    close_listener(server, now);
    for (uint32_t i = 0; i < server->touched; i++)
        if (server->connections[i].phase != PHASE_FREE)
            sw_http_connection_on_stop(&server->connections[i], now);
}

bool sanwo_http_server_is_idle(const struct sanwo_http_server *server)
{
    return server->stats.connections == 0;
}

void sanwo_http_server_stats(const struct sanwo_http_server *server,
                             struct sanwo_http_server_stats *out)
{
    *out = server->stats;
}
