/*
 * connection.c - What one connection of the server does: read a request, send the response, again.
 *
 * Bytes stay in TCP's receive queue until the parser wants them. So a pipelined request waits there
 * while the response before it is sent (RFC 9112 9.3.2), and the peer's window closes by itself.
 * File bytes are read from the disk into the send queue, with nothing in between.
 *
 * To close, we shut our side down, then read and forget what still comes until the peer closes too
 * (RFC 9112 9.6): a close() with data unread would be a reset, and that can overtake the response.
 */
#define _GNU_SOURCE
#include "http/server.h"

#include <errno.h>
#include <unistd.h>

#define READ_SLICES 16
#define FILE_CHUNK (256 * 1024)
/* Less in a stall time-out is no progress: window probes alone can carry a byte now and then. */
#define STALL_LEAST (16 * 1024)
/* Chunk framing may be this many times the body that is allowed. */
#define BODY_OVERHEAD 8

enum step {
    STEP_AGAIN, /* something changed: look again */
    STEP_WAIT,  /* for an event or a timer */
    STEP_GONE,  /* the connection is freed */
};

static struct sanwo_stack *stack_of(const struct connection *c)
{
    return c->server->stack;
}

/* ---- the log --------------------------------------------------------------------------------- */

static void log_exchange(struct connection *c, const char *trouble, sanwo_time now)
{
    struct sanwo_http_server *server = c->server;
    struct exchange *x = c->exchange;
    const char *target = x->request.target ? x->request.target : "";
    struct sanwo_http_access access = {
        .now = now,
        .duration = now - x->began,
        .remote = c->remote,
        .method = x->judged ? sw_http_message_method(&x->message) : "-",
        .target = x->judged && *target ? target : "-",
        .status = x->response.status,
        .body_bytes = x->body_sent,
        .trouble = trouble,
    };

    server->stats.requests++;
    server->stats.errors += access.status >= 400;
    server->stats.aborted += trouble != NULL;
    server->stats.body_bytes += access.body_bytes;
    if (server->config.log)
        server->config.log(server->config.log_context, &access);
}

/* ---- the ends -------------------------------------------------------------------------------- */

static enum step release(struct connection *c, sanwo_time now)
{
    sanwo_tcp_close(stack_of(c), c->handle, now);
    sw_http_server_free_slot(c);
    return STEP_GONE;
}

/* Resets the connection. */
static enum step abandon(struct connection *c, const char *trouble, sanwo_time now)
{
    if (c->exchange && c->phase == PHASE_SEND)
        log_exchange(c, trouble, now);
    sanwo_tcp_abort(stack_of(c), c->handle, now);
    sw_http_server_free_slot(c);
    return STEP_GONE;
}

/* TCP has given up on it. */
static enum step on_error(struct connection *c, int error, sanwo_time now)
{
    if (c->exchange && c->phase == PHASE_SEND)
        log_exchange(c, sanwo_error_text(error), now);
    return release(c, now);
}

static void watch_progress(struct connection *c, sanwo_time now)
{
    struct sanwo_tcp_info info;

    c->acked = sanwo_tcp_info(stack_of(c), c->handle, &info) < 0 ? 0 : info.bytes_acked;
    sw_http_server_arm(c, TIMER_STALL, now);
}

static enum step begin_linger(struct connection *c, sanwo_time now)
{
    if (c->exchange) {
        sw_http_server_give_exchange(c->server, c->exchange);
        c->exchange = NULL;
    }
    if (sanwo_tcp_shutdown(stack_of(c), c->handle, now) < 0)
        return release(c, now);
    c->phase = PHASE_LINGER;
    watch_progress(c, now);
    return STEP_AGAIN;
}

static enum step step_linger(struct connection *c, sanwo_time now)
{
    struct sanwo_slice slices[READ_SLICES];
    struct sanwo_tcp_info info;
    int count;

    while (!c->peer_done &&
           (count = sanwo_tcp_peek(stack_of(c), c->handle, slices, READ_SLICES)) != -SANWO_EAGAIN) {
        size_t length = 0;

        if (count < 0)
            return on_error(c, count, now);
        c->peer_done = count == 0;
        for (int i = 0; i < count; i++)
            length += slices[i].length;
        if (length && sanwo_tcp_consume(stack_of(c), c->handle, length, now) < 0)
            return release(c, now);
    }
    if (sanwo_tcp_info(stack_of(c), c->handle, &info) < 0)
        return release(c, now);
    if (info.send_queued)
        return STEP_WAIT;
    if (c->peer_done)
        return release(c, now);
    if (c->timer != TIMER_LINGER)
        sw_http_server_arm(c, TIMER_LINGER, now);
    return STEP_WAIT;
}

/* ---- sending --------------------------------------------------------------------------------- */

/*
 * Moves up to @left bytes at @offset from the file into the send queue; *trouble is set if the
 * file fails.
 */
static int64_t send_file(struct connection *c, uint64_t offset, uint64_t left, unsigned flags,
                         const char **trouble, sanwo_time now)
{
    struct sanwo_room room;
    size_t want = left < FILE_CHUNK ? (size_t)left : FILE_CHUNK;
    int64_t reserved = sanwo_tcp_reserve(stack_of(c), c->handle, want, &room);
    ssize_t got;
    int error;

    if (reserved < 0)
        return reserved;
    if (room.length < want)
        want = room.length;
    got = pread(c->exchange->response.file, room.bytes, want, (off_t)offset);
    if (got <= 0) {
        *trouble = got ? "the file could not be read" : "the file became shorter";
        sanwo_tcp_commit(stack_of(c), c->handle, 0, 0, now);
        return -SANWO_EINVAL;
    }
    error = sanwo_tcp_commit(stack_of(c), c->handle, (size_t)got,
                             (uint64_t)got == left ? flags : SANWO_SEND_MORE, now);
    return error < 0 ? error : got;
}

/* Hands more of the current piece to TCP. */
static int64_t send_piece(struct connection *c, const char **trouble, sanwo_time now)
{
    struct exchange *x = c->exchange;
    const struct piece *piece = &x->response.pieces[x->piece];
    uint64_t at = piece->at + x->piece_done;
    uint64_t left = piece->length - x->piece_done;
    unsigned flags = x->piece + 1 < x->response.count ? SANWO_SEND_MORE : 0;

    if (piece->is_file)
        return send_file(c, at, left, flags, trouble, now);
    return sanwo_tcp_send(stack_of(c), c->handle, x->response.text.bytes + at, (size_t)left, flags,
                          now);
}

/* The response is in TCP's hands. */
static enum step finish_exchange(struct connection *c, sanwo_time now)
{
    bool closing = c->exchange->response.close || c->server->stopping;

    log_exchange(c, NULL, now);
    sw_http_server_give_exchange(c->server, c->exchange);
    c->exchange = NULL;
    if (closing)
        return begin_linger(c, now);
    c->phase = PHASE_READ;
    sw_http_server_arm(c, TIMER_IDLE, now);
    return STEP_AGAIN;
}

static enum step step_send(struct connection *c, sanwo_time now)
{
    struct exchange *x = c->exchange;
    const char *trouble = NULL;

    while (x->piece < x->response.count) {
        int64_t sent = send_piece(c, &trouble, now);

        if (sent == -SANWO_EAGAIN)
            return STEP_WAIT;
        if (sent == -SANWO_ENOMEM) {
            sw_http_server_arm(c, TIMER_RETRY, now);
            return STEP_WAIT;
        }
        if (sent < 0)
            return trouble ? abandon(c, trouble, now) : on_error(c, (int)sent, now);
        c->progress = now;
        x->piece_done += (uint64_t)sent;
        x->body_sent += x->piece ? (uint64_t)sent : 0;
        if (x->piece_done == x->response.pieces[x->piece].length) {
            x->piece++;
            x->piece_done = 0;
        }
    }
    return finish_exchange(c, now);
}

/* ---- reading --------------------------------------------------------------------------------- */

static enum step respond(struct connection *c, sanwo_time now)
{
    struct sanwo_http_server *server = c->server;
    struct exchange *x = c->exchange;

    c->requests++;
    x->response.close = !x->request.keep_alive || x->message.state != MESSAGE_DONE ||
                        server->stopping || c->requests >= server->config.max_requests;
    sw_http_answer(&x->response, &server->site, &x->request, sw_http_server_wall(server));
    if (x->response.text.failed)
        return abandon(c, "out of memory", now);
    c->phase = PHASE_SEND;
    c->progress = now;
    watch_progress(c, now);
    return STEP_AGAIN;
}

/* Answers @status to what could not be read to its end. */
static enum step refuse(struct connection *c, unsigned status, const char *trouble, sanwo_time now)
{
    struct request *q = &c->exchange->request;

    if (!c->exchange->judged)
        *q = (struct request){.target = ""};
    q->status = status;
    q->trouble = trouble;
    q->keep_alive = false;
    return respond(c, now);
}

static void judge(struct exchange *x, const struct sanwo_http_server_config *config)
{
    sw_http_request_read(&x->request, &x->message, config->max_body);
    x->judged = true;
}

static bool is_ready(const struct exchange *x)
{
    return x->message.state >= MESSAGE_DONE || (x->judged && x->request.status);
}

/* RFC 9110 10.1.1. A peer that has no room for these few bytes is refused instead. */
static void send_continue(struct connection *c, sanwo_time now)
{
    static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct request *q = &c->exchange->request;
    int64_t sent = sanwo_tcp_send(stack_of(c), c->handle, line, sizeof line - 1, 0, now);

    if (sent != (int64_t)sizeof line - 1) {
        q->status = 417;
        q->trouble = "the connection is too full for a 100";
        q->keep_alive = false;
    }
}

/* Feeds the parser; stops where there is something to answer. Returns how many bytes it took. */
static size_t eat(struct connection *c, const char *bytes, size_t length, sanwo_time now)
{
    struct exchange *x = c->exchange;
    const struct sanwo_http_server_config *config = &c->server->config;
    size_t at = 0;

    while (at < length && !is_ready(x)) {
        size_t eaten = sw_http_message_feed(&x->message, bytes + at, length - at);

        at += eaten;
        if (x->message.state == MESSAGE_BODY && x->judged)
            x->body_eaten += eaten;
        if (x->message.state == MESSAGE_BODY && !x->judged) {
            judge(x, config);
            if (!x->request.status && x->request.expects_continue && at == length)
                send_continue(c, now);
            /* A message without a body ends here; one that is refused may still have one. */
            if (!x->request.status || !x->request.has_body)
                sw_http_message_feed(&x->message, "", 0);
        }
        if (x->body_eaten > (uint64_t)config->max_body * BODY_OVERHEAD && !is_ready(x)) {
            x->request.status = 413;
            x->request.trouble = "the body is too large";
            x->request.keep_alive = false;
        }
    }
    return at;
}

/* The peer will send no more. */
static enum step on_end(struct connection *c, sanwo_time now)
{
    if (!c->exchange || c->exchange->message.state == MESSAGE_EMPTY)
        return begin_linger(c, now);
    return refuse(c, 400, "the request is not complete", now);
}

static bool begin_exchange(struct connection *c, sanwo_time now)
{
    c->exchange = sw_http_server_take_exchange(c->server);
    if (!c->exchange)
        return false;
    c->exchange->began = now;
    /* The first request's time runs since the connection was accepted. */
    if (c->timer != TIMER_REQUEST)
        sw_http_server_arm(c, TIMER_REQUEST, now);
    return true;
}

static enum step step_read(struct connection *c, sanwo_time now)
{
    struct sanwo_slice slices[READ_SLICES];
    int count = sanwo_tcp_peek(stack_of(c), c->handle, slices, READ_SLICES);
    size_t total = 0;

    if (count == -SANWO_EAGAIN)
        return STEP_WAIT;
    if (count < 0)
        return on_error(c, count, now);
    if (count == 0)
        return on_end(c, now);
    if (!c->exchange && !begin_exchange(c, now))
        return abandon(c, "out of memory", now);
    for (int i = 0; i < count && !is_ready(c->exchange); i++)
        total += eat(c, (const char *)slices[i].bytes, slices[i].length, now);
    if (sanwo_tcp_consume(stack_of(c), c->handle, total, now) < 0)
        return release(c, now);
    if (!is_ready(c->exchange))
        return STEP_AGAIN;
    if (c->exchange->message.state == MESSAGE_BROKEN) {
        const struct message *m = &c->exchange->message;
        return refuse(c, m->status, m->trouble, now);
    }
    return respond(c, now);
}

/* ---- what happens to it ---------------------------------------------------------------------- */

void sw_http_connection_run(struct connection *c, sanwo_time now)
{
    enum step step = STEP_AGAIN;

    while (step == STEP_AGAIN) {
        switch ((enum phase)c->phase) {
        case PHASE_READ:
            step = step_read(c, now);
            break;
        case PHASE_SEND:
            step = step_send(c, now);
            break;
        case PHASE_LINGER:
            step = step_linger(c, now);
            break;
        case PHASE_FREE:
            step = STEP_GONE;
            break;
        }
    }
}

void sw_http_connection_init(struct connection *c, struct sanwo_handle handle, sanwo_time now)
{
    struct sanwo_tcp_info info;

    c->handle = handle;
    c->phase = PHASE_READ;
    if (sanwo_tcp_info(stack_of(c), handle, &info) >= 0)
        c->remote = info.remote;
    sw_http_server_arm(c, TIMER_REQUEST, now);
}

void sw_http_connection_on_closed(struct connection *c, int error, sanwo_time now)
{
    on_error(c, error, now);
}

void sw_http_connection_drop(struct connection *c, const char *trouble, sanwo_time now)
{
    if (c->phase == PHASE_READ && !c->exchange)
        release(c, now);
    else
        abandon(c, trouble, now);
}

void sw_http_connection_on_stop(struct connection *c, sanwo_time now)
{
    if (c->phase == PHASE_READ && (!c->exchange || c->exchange->message.state == MESSAGE_EMPTY) &&
        begin_linger(c, now) == STEP_AGAIN)
        sw_http_connection_run(c, now);
}

/* STALL: the peer has had its time. Did it take anything? */
static enum step on_stall(struct connection *c, sanwo_time now)
{
    struct sanwo_tcp_info info;

    if (sanwo_tcp_info(stack_of(c), c->handle, &info) < 0)
        return release(c, now);
    if (info.bytes_acked - c->acked < STALL_LEAST)
        return abandon(c, "the peer stopped reading", now);
    watch_progress(c, now);
    return STEP_WAIT;
}

static enum step on_retry(struct connection *c, sanwo_time now)
{
    if (now - c->progress >= c->server->config.stall_timeout)
        return abandon(c, "out of memory", now);
    watch_progress(c, now);
    return STEP_AGAIN;
}

static enum step on_request_timeout(struct connection *c, sanwo_time now)
{
    if (!c->exchange || c->exchange->message.state == MESSAGE_EMPTY)
        return begin_linger(c, now);
    return refuse(c, 408, "the request took too long", now);
}

void sw_http_connection_on_timer(struct connection *c, enum timer timer, sanwo_time now)
{
    enum step step = STEP_WAIT;

    switch (timer) {
    case TIMER_IDLE:
        step = begin_linger(c, now);
        break;
    case TIMER_REQUEST:
        step = on_request_timeout(c, now);
        break;
    case TIMER_STALL:
        step = on_stall(c, now);
        break;
    case TIMER_LINGER:
        step = release(c, now);
        break;
    case TIMER_RETRY:
        step = on_retry(c, now);
        break;
    case TIMER_NONE:
    case TIMER_COUNT:
        break;
    }
    if (step == STEP_AGAIN)
        sw_http_connection_run(c, now);
}
