/*
 * demo_app.c - Who connects, asks, answers and closes, and when.
 *
 *     A connects           B accepts
 *     A asks               B answers with a page
 *     A compares, closes   B sees the end, thinks for a moment, closes
 *
 * The moment lets B's acknowledgement and its FIN be two segments, as they are between real
 * programs: the close takes four. With a simultaneous close both wait until all is quiet instead.
 */
#include "demo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THINK SANWO_MSEC(1)
#define QUIET SANWO_MSEC(100) /* longer than an acknowledgement is held back */

/* ---- the page ------------------------------------------------------------------------------- */

/* Text that differs from line to line, so that a byte out of its place is seen. */
static void write_page(uint8_t *out, size_t size, uint64_t seed)
{
    size_t used = 0;

    for (unsigned line = 1; used < size; line++) {
        char text[80];
        int n =
            snprintf(text, sizeof(text), "<p>%06u three handshakes make a connection (%llu)</p>\n",
                     line, (unsigned long long)(seed + line) * 2654435761U % 1000000007U);
        size_t take = (size_t)n < size - used ? (size_t)n : size - used;
        memcpy(out + used, text, take);
        used += take;
    }
}

int sw_demo_app_init(struct demo_app *app, const struct demo_options *options)
{
    char head[160], host[SANWO_ENDPOINT_TEXT];
    int n;

    memset(app, 0, sizeof(*app));
    app->options = options;
    n = snprintf(app->request, sizeof(app->request),
                 "GET / HTTP/1.1\r\nHost: %s\r\nUser-Agent: sanwo-demo\r\nAccept: */*\r\n\r\n",
                 sanwo_endpoint_format(&options->end[DEMO_B], host, sizeof(host)));
    app->request_length = (size_t)n;
    n = snprintf(head, sizeof(head),
                 "HTTP/1.1 200 OK\r\nServer: sanwo-demo\r\nContent-Type: text/html\r\n"
                 "Content-Length: %zu\r\n\r\n",
                 options->bytes);
    app->head_length = (size_t)n;
    app->response_length = app->head_length + options->bytes;
    app->response = malloc(app->response_length);
    if (app->response == NULL) {
        return -SANWO_ENOMEM;
    }
    memcpy(app->response, head, app->head_length);
    write_page(app->response + app->head_length, options->bytes, options->seed);
    return 0;
}

void sw_demo_app_free(struct demo_app *app)
{
    free(app->response);
}

bool sw_demo_app_succeeded(const struct demo_app *app)
{
    return app->response_received == app->response_length && !app->differs;
}

/* ---- closing -------------------------------------------------------------------------------- */

static void shut(struct demo_app *app, unsigned end, sanwo_time now)
{
    struct demo_side *side = &app->side[end];

    if (!side->shut && !sanwo_handle_is_none(side->handle)) {
        side->shut = true;
        sanwo_tcp_shutdown(side->stack, side->handle, now);
    }
}

/* Both directions are done with, or the connection is over: the handle goes back. */
static void let_go(struct demo_app *app, unsigned end, sanwo_time now)
{
    struct demo_side *side = &app->side[end];

    if (!sanwo_handle_is_none(side->handle)) {
        sanwo_tcp_close(side->stack, side->handle, now);
        side->handle = (struct sanwo_handle){0, 0};
    }
}

static void on_timer(void *context, sanwo_time now)
{
    struct demo_app *app = context;

    if (app->options->simultaneous_close) {
        shut(app, DEMO_A, now);
    }
    shut(app, DEMO_B, now);
    for (unsigned end = 0; end < 2; end++) {
        if (app->side[end].saw_end && app->side[end].shut) {
            let_go(app, end, now);
        }
    }
}

/* The peer has no more to say. */
static void on_end(struct demo_app *app, unsigned end, sanwo_time now)
{
    struct demo_side *side = &app->side[end];

    side->saw_end = true;
    if (side->shut) {
        let_go(app, end, now);
    } else if (end == DEMO_B && !app->options->simultaneous_close) {
        sanwo_virtual_set_timer(app->world, app->timer, now + THINK);
    } else {
        shut(app, end, now);
        let_go(app, end, now);
    }
}

/* A has all of it. */
static void on_complete(struct demo_app *app, sanwo_time now)
{
    if (app->options->simultaneous_close) {
        sanwo_virtual_set_timer(app->world, app->timer, now + QUIET + 3 * app->options->delay);
    } else {
        shut(app, DEMO_A, now);
    }
}

/* ---- talking -------------------------------------------------------------------------------- */

static void send_some(struct demo_app *app, unsigned end, const void *bytes, size_t length,
                      size_t *sent, sanwo_time now)
{
    struct demo_side *side = &app->side[end];

    while (*sent < length && !sanwo_handle_is_none(side->handle)) {
        int64_t n = sanwo_tcp_send(side->stack, side->handle, (const uint8_t *)bytes + *sent,
                                   length - *sent, 0, now);
        if (n <= 0) {
            return; /* no room: WRITABLE comes; or over: CLOSED does */
        }
        *sent += (size_t)n;
    }
}

static void ask(struct demo_app *app, sanwo_time now)
{
    if (!app->may_ask) {
        return;
    }
    send_some(app, DEMO_A, app->request, app->request_length, &app->request_sent, now);
}

/* A moment after the handshake, so that its third segment is seen by itself, carrying nothing. */
static void on_ask(void *context, sanwo_time now)
{
    struct demo_app *app = context;

    app->may_ask = true;
    ask(app, now);
}

static void answer(struct demo_app *app, sanwo_time now)
{
    if (app->request_received == app->request_length) {
        send_some(app, DEMO_B, app->response, app->response_length, &app->response_sent, now);
    }
}

/* Compares what arrived with what the other end was given to send. */
static void take(struct demo_app *app, unsigned end, const uint8_t *bytes, size_t length)
{
    const uint8_t *expected = end == DEMO_A ? app->response : (const uint8_t *)app->request;
    size_t whole = end == DEMO_A ? app->response_length : app->request_length;
    size_t *received = end == DEMO_A ? &app->response_received : &app->request_received;

    if (length > whole - *received || memcmp(expected + *received, bytes, length) != 0) {
        app->differs = true;
    }
    *received += length < whole - *received ? length : whole - *received;
}

static void read_all(struct demo_app *app, unsigned end, sanwo_time now)
{
    struct demo_side *side = &app->side[end];
    size_t before = app->response_received;
    uint8_t bytes[16384];
    int64_t n = -SANWO_EAGAIN;

    while (!side->saw_end && !sanwo_handle_is_none(side->handle) &&
           (n = sanwo_tcp_receive(side->stack, side->handle, bytes, sizeof(bytes), now)) > 0) {
        take(app, end, bytes, (size_t)n);
    }
    if (end == DEMO_B) {
        answer(app, now);
    } else if (app->response_received == app->response_length && before != app->response_received) {
        on_complete(app, now);
    }
    if (n == 0 && !side->saw_end) {
        on_end(app, end, now);
    }
}

/* ---- events --------------------------------------------------------------------------------- */

static void accept_one(struct demo_app *app, sanwo_time now)
{
    struct demo_side *side = &app->side[DEMO_B];

    if (sanwo_tcp_accept(side->stack, app->listener, NULL, &side->handle) == 0) {
        side->connected = true;
        read_all(app, DEMO_B, now); /* what came with the handshake or right behind it */
    }
}

static void connection_event(struct demo_app *app, unsigned end, const struct sanwo_event *event,
                             sanwo_time now)
{
    if (event->what & SANWO_EVENT_CONNECTED) {
        app->side[end].connected = true;
        if (end == DEMO_A) {
            sanwo_virtual_set_timer(app->world, app->ask_timer, now + THINK);
        }
    }
    if (event->what & SANWO_EVENT_WRITABLE) {
        if (end == DEMO_A) {
            ask(app, now);
        } else {
            answer(app, now);
        }
    }
    if (event->what & (SANWO_EVENT_READABLE | SANWO_EVENT_PEER_CLOSED)) {
        read_all(app, end, now);
    }
    if (event->what & SANWO_EVENT_CLOSED) {
        app->side[end].error = event->error;
        let_go(app, end, now);
    }
}

void sw_demo_app_event(void *context, struct sanwo_stack *stack, const struct sanwo_event *event,
                       sanwo_time now)
{
    struct demo_app *app = context;
    unsigned end = stack == app->side[DEMO_A].stack ? DEMO_A : DEMO_B;

    if (event->what & SANWO_EVENT_ACCEPT) {
        accept_one(app, now);
    } else if (sanwo_handle_equal(event->handle, app->side[end].handle)) {
        connection_event(app, end, event, now);
    }
}

/* ---- opening -------------------------------------------------------------------------------- */

static int listen_at(struct demo_app *app, unsigned end, sanwo_time now)
{
    const struct demo_options *o = app->options;
    struct sanwo_tcp_listen open = {
        .local = o->end[end], .isn_is_set = o->isn_is_set[end], .isn = o->isn[end]};

    return sanwo_tcp_listen(app->side[end].stack, &open, now, &app->listener);
}

static int connect_from(struct demo_app *app, unsigned end, sanwo_time now)
{
    const struct demo_options *o = app->options;
    struct sanwo_tcp_connect open = {.remote = o->end[end ^ 1],
                                     .local = o->end[end],
                                     .isn_is_set = o->isn_is_set[end],
                                     .isn = o->isn[end]};

    return sanwo_tcp_connect(app->side[end].stack, &open, now, &app->side[end].handle);
}

int sw_demo_app_start(struct demo_app *app, sanwo_time now)
{
    int result = 0;

    app->timer = sanwo_virtual_add_timer(app->world, on_timer, app);
    app->ask_timer = sanwo_virtual_add_timer(app->world, on_ask, app);
    if (app->timer < 0 || app->ask_timer < 0) {
        return -SANWO_ENOMEM;
    }
    if (app->options->simultaneous_open) {
        result = connect_from(app, DEMO_B, now);
    } else if (!app->options->refuse) {
        result = listen_at(app, DEMO_B, now);
    }
    return result < 0 ? result : connect_from(app, DEMO_A, now);
}
