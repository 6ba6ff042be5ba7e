/*
 * client.c - One request at a time: addresses, connections, redirects, time.
 *
 * Each hop is a connection of its own. Functions that may end the request return false when they
 * did: the callback may have begun another, so nothing of the old one may be touched after that.
 */
#define _GNU_SOURCE
#include "http/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define READ_SLICES 16

void sanwo_http_client_config_default(struct sanwo_http_client_config *config)
{
    *config = (struct sanwo_http_client_config){
        .user_agent = "sanwo",
        .max_redirects = 10,
        .max_head = 64 * 1024,
        .connect_timeout = SANWO_SEC(30),
        .stall_timeout = SANWO_SEC(180),
    };
}

const char *sanwo_http_failure_name(enum sanwo_http_failure failure)
{
    static const char *const names[] = {
#define FAILURE_NAME(name, text) #name,
        SANWO_HTTP_FAILURES(FAILURE_NAME)
#undef FAILURE_NAME
    };

    return (unsigned)failure < SANWO_HTTP_FAILURE_COUNT ? names[failure] : "?";
}

static sanwo_time after(sanwo_time now, sanwo_time length)
{
    return length <= 0 || length >= SANWO_TIME_NEVER - now ? SANWO_TIME_NEVER : now + length;
}

static void remark(struct sanwo_http_client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void remark(struct sanwo_http_client *client, const char *format, ...)
{
    char line[512];
    va_list list;

    if (!client->config.on_line)
        return;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    client->config.on_line(client->config.context, '*', line);
}

/* Shows text line by line; writes into it meanwhile. */
static void show_lines(struct sanwo_http_client *client, char kind, char *text)
{
    char *end;

    if (!client->config.on_line)
        return;
    while ((end = strchr(text, '\n'))) {
        size_t length = (size_t)(end - text);
        char cut = length && end[-1] == '\r' ? '\r' : '\n';
        char *at = cut == '\r' ? end - 1 : end;

        *at = '\0';
        client->config.on_line(client->config.context, kind, text);
        *at = cut;
        text = end + 1;
    }
}

/* ---- the end --------------------------------------------------------------------------------- */

/* What was parsed is TCP's again. */
static void consume_eaten(struct sanwo_http_client *client, sanwo_time now)
{
    if (client->eaten)
        sanwo_tcp_consume(client->config.stack, client->handle, client->eaten, now);
    client->eaten = 0;
}

static void drop_connection(struct sanwo_http_client *client, bool orderly, sanwo_time now)
{
    if (sanwo_handle_is_none(client->handle))
        return;
    consume_eaten(client, now); /* else close() finds data unread, and resets */
    if (orderly)
        sanwo_tcp_close(client->config.stack, client->handle, now);
    else
        sanwo_tcp_abort(client->config.stack, client->handle, now);
    client->handle = (struct sanwo_handle){0, 0};
}

/* Always false, for the caller to return. */
static bool end_request(struct sanwo_http_client *client, enum sanwo_http_failure failure,
                        int error, sanwo_time now, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

static bool end_request(struct sanwo_http_client *client, enum sanwo_http_failure failure,
                        int error, sanwo_time now, const char *format, ...)
{
    struct sanwo_http_result result;
    va_list list;

    client->result.failure = failure;
    client->result.error = error < 0 ? -error : error;
    va_start(list, format);
    vsnprintf(client->result.message, sizeof client->result.message, format, list);
    va_end(list);
    client->result.finished = now;
    client->result.done = true;
    drop_connection(client, failure == SANWO_HTTP_NONE, now);
    client->state = CLIENT_IDLE;
    client->connect_by = client->stall_by = client->total_by = SANWO_TIME_NEVER;
    result = client->result;
    if (client->config.on_done)
        client->config.on_done(client->config.context, &result);
    return false;
}

static bool succeed(struct sanwo_http_client *client, sanwo_time now)
{
    return end_request(client, SANWO_HTTP_NONE, 0, now, "%s", "");
}

/* ---- connecting ------------------------------------------------------------------------------ */

/* Tries the next address; @error is what became of the last. */
static bool connect_next(struct sanwo_http_client *client, int error, sanwo_time now)
{
    client->connect_by = SANWO_TIME_NEVER;
    while (client->address_next < client->address_count) {
        struct sanwo_tcp_connect open = {
            .remote = {client->addresses[client->address_next++], client->url.port},
            .user = client,
        };
        char text[SANWO_ENDPOINT_TEXT];

        client->result.remote = open.remote;
        remark(client, "connecting to %s", sanwo_endpoint_format(&open.remote, text, sizeof text));
        error = sanwo_tcp_connect(client->config.stack, &open, now, &client->handle);
        if (error >= 0) {
            client->state = CLIENT_CONNECTING;
            client->soft_error = 0;
            client->connect_by = after(now, client->config.connect_timeout);
            return true;
        }
        client->handle = (struct sanwo_handle){0, 0};
        remark(client, "failed: %s", sanwo_error_text(error));
    }
    return end_request(client, error == -SANWO_ETIMEDOUT ? SANWO_HTTP_TIMEOUT : SANWO_HTTP_CONNECT,
                       error, now, "cannot connect to %s: %s", client->url.authority,
                       sanwo_error_text(error));
}

/* TCP goes on trying, as a soft error may pass (RFC 9293 3.9.2.2); another address may be better. */
static void note_soft_error(struct sanwo_http_client *client, int error, sanwo_time now)
{
    client->soft_error = error;
    if (error == SANWO_ETIMEDOUT || client->address_next == client->address_count)
        return; /* ETIMEDOUT: only that no answer came so far */
    remark(client, "failed: %s", sanwo_error_text(error));
    drop_connection(client, false, now);
    connect_next(client, -error, now);
}

static bool resolve(struct sanwo_http_client *client, sanwo_time now)
{
    const char *host = client->url.host;

    client->address_next = 0;
    client->address_count = 0;
    if (sanwo_address_parse(host, &client->addresses[0]))
        client->address_count = 1;
    else if (client->config.resolve)
        client->address_count = client->config.resolve(client->config.context, host,
                                                       client->addresses, HTTP_MAX_ADDRESSES);
    if (client->address_count <= 0)
        return end_request(client, SANWO_HTTP_RESOLVE, 0, now, "no address is known for '%s'",
                           host);
    if (client->address_count > HTTP_MAX_ADDRESSES)
        client->address_count = HTTP_MAX_ADDRESSES;
    return true;
}

static bool take_body(void *context, const char *bytes, size_t length)
{
    struct sanwo_http_client *client = context;

    if (!client->is_final)
        return true;
    client->result.body_bytes += length;
    return !client->config.on_body || client->config.on_body(client->config.context, bytes, length);
}

static void begin_message(struct sanwo_http_client *client)
{
    sw_http_message_init(&client->message, false, &client->limits);
    client->message.on_body = take_body;
    client->message.context = client;
    client->message.body_is_absent = client->request.head;
    client->judged = client->is_final = false;
    client->after_head = AFTER_HEAD_BODY;
}

static bool begin_hop(struct sanwo_http_client *client, sanwo_time now)
{
    begin_message(client);
    client->stall_by = SANWO_TIME_NEVER;
    return resolve(client, now) && connect_next(client, -SANWO_EHOSTUNREACH, now);
}

/* To where the redirect leads. */
static bool follow(struct sanwo_http_client *client, sanwo_time now)
{
    drop_connection(client, client->message.state == MESSAGE_DONE, now);
    return begin_hop(client, now);
}

static bool redirect(struct sanwo_http_client *client, struct text location, sanwo_time now)
{
    struct url next;
    const char *trouble;

    if (client->result.redirects >= client->config.max_redirects)
        return end_request(client, SANWO_HTTP_REDIRECTS, 0, now, "more than %u redirects",
                           client->config.max_redirects);
    trouble = sw_http_url_follow(&next, &client->url, location);
    if (trouble)
        return end_request(client, SANWO_HTTP_REDIRECTS, 0, now,
                           "the server redirects to '%.*s', which cannot be followed: %s",
                           location.length > 120 ? 120 : (int)location.length, location.at,
                           trouble);
    client->result.redirects++;
    remark(client, "following to http://%s%s", next.authority, next.target);
    sw_http_url_free(&client->url);
    client->url = next;
    client->after_head = AFTER_HEAD_FOLLOW;
    return true;
}

/*
 * The rest of this body is not wanted, and not waited for; what is already here is read all the
 * same, so that the connection can be closed in order.
 */
static bool go_on_without_body(struct sanwo_http_client *client, sanwo_time now)
{
    return client->after_head == AFTER_HEAD_FOLLOW ? follow(client, now) : succeed(client, now);
}

/* ---- sending --------------------------------------------------------------------------------- */

static bool send_request(struct sanwo_http_client *client, sanwo_time now)
{
    while (client->out_sent < client->out.used) {
        int64_t sent = sanwo_tcp_send(client->config.stack, client->handle,
                                      client->out.bytes + client->out_sent,
                                      client->out.used - client->out_sent, 0, now);

        if (sent == -SANWO_EAGAIN || sent == -SANWO_ENOMEM)
            return true;
        if (sent < 0)
            return end_request(client, SANWO_HTTP_RESET, (int)sent, now, "sending the request: %s",
                               sanwo_error_text((int)sent));
        client->out_sent += (size_t)sent;
    }
    client->state = CLIENT_RECEIVING;
    return true;
}

static bool begin_sending(struct sanwo_http_client *client, sanwo_time now)
{
    const char *trouble;

    client->connect_by = SANWO_TIME_NEVER;
    client->stall_by = after(now, client->config.stall_timeout);
    client->result.connected = now;
    remark(client, "connected");
    sanwo_tcp_set_option(client->config.stack, client->handle, SANWO_TCP_NAGLE, 0, now);
    trouble = sw_http_client_compose(&client->out, client);
    if (trouble)
        return end_request(client, SANWO_HTTP_URL, 0, now, "%s", trouble);
    if (client->config.on_line) {
        sw_http_write(&client->out, (struct text){"", 1});
        if (!client->out.failed)
            show_lines(client, '>', client->out.bytes);
        client->out.used -= client->out.failed ? 0 : 1;
    }
    client->out_sent = 0;
    client->state = CLIENT_SENDING;
    return send_request(client, now);
}

/* ---- receiving ------------------------------------------------------------------------------- */

/* Tells the user of the final response. False if he does not want it, or there is no memory. */
static bool announce(struct sanwo_http_client *client, const struct reply_head *head,
                     const char *fields)
{
    char *url = NULL;
    struct sanwo_http_head told = {
        .status = client->message.parser.status_code,
        .content_length = head->content_length,
        .offset = head->offset,
        .total = head->total,
        .fields = fields,
    };
    bool go_on = true;

    client->is_final = true;
    client->result.status = told.status;
    client->result.content_length = head->content_length;
    if (client->config.on_head) {
        go_on = asprintf(&url, "http://%s%s", client->url.authority, client->url.target) >= 0;
        told.url = url;
        go_on = go_on && client->config.on_head(client->config.context, &told);
        free(url);
    }
    return go_on;
}

static bool judge(struct sanwo_http_client *client, sanwo_time now)
{
    struct reply_head head;
    struct writer fields = {0};
    bool is_wanted = true;

    client->judged = true;
    sw_http_client_judge(&head, &client->message, &client->request);
    sw_http_client_write_head(&fields, &client->message);
    if (!fields.failed)
        show_lines(client, '<', fields.bytes);
    if (head.kind == REPLY_FINAL || head.kind == REPLY_COMPLETE)
        is_wanted = !fields.failed && announce(client, &head, fields.bytes);
    sw_http_writer_free(&fields);
    if (!is_wanted)
        return end_request(client, SANWO_HTTP_CONSUMER, 0, now, "the response was not taken");
    switch (head.kind) {
    case REPLY_WRONG:
        return end_request(client, SANWO_HTTP_PROTOCOL, 0, now, "%s", head.trouble);
    case REPLY_REDIRECT:
        return redirect(client, head.location, now);
    case REPLY_COMPLETE:
        client->result.already_complete = true;
        client->is_final = false; /* the body of the 416 is of no use */
        client->after_head = AFTER_HEAD_SUCCEED;
        return true;
    case REPLY_FINAL:
    case REPLY_INTERIM:
        break;
    }
    return true;
}

static bool on_broken(struct sanwo_http_client *client, sanwo_time now)
{
    const struct message *m = &client->message;

    if (m->status == 0)
        return end_request(client, SANWO_HTTP_CONSUMER, 0, now, "the body was not taken");
    if (m->store.failed)
        return end_request(client, SANWO_HTTP_MEMORY, 0, now, "out of memory");
    return end_request(client, SANWO_HTTP_PROTOCOL, 0, now, "the server broke the protocol: %s",
                       m->trouble);
}

/*
 * After each step of the parser. False: another connection was begun, or it is all over. True: go
 * on parsing.
 */
static bool on_parsed(struct sanwo_http_client *client, sanwo_time now)
{
    struct message *m = &client->message;

    if (m->state >= MESSAGE_BODY && !client->judged && m->state != MESSAGE_BROKEN) {
        if (!judge(client, now))
            return false;
        if (m->state == MESSAGE_BODY) /* a message without a body ends here */
            sw_http_message_feed(m, "", 0);
    }
    if (m->state >= MESSAGE_DONE && client->after_head != AFTER_HEAD_BODY) {
        go_on_without_body(client, now);
        return false;
    }
    if (m->state == MESSAGE_BROKEN)
        return on_broken(client, now);
    if (m->state == MESSAGE_DONE && client->is_final)
        return succeed(client, now);
    if (m->state == MESSAGE_DONE) /* 1xx: another follows */
        begin_message(client);
    return true;
}

static bool eat(struct sanwo_http_client *client, const char *bytes, size_t length, sanwo_time now)
{
    size_t at = 0;

    while (at < length) {
        size_t eaten = sw_http_message_feed(&client->message, bytes + at, length - at);

        at += eaten;
        client->eaten += eaten;
        if (!on_parsed(client, now))
            return false;
    }
    return true;
}

static bool on_end_of_stream(struct sanwo_http_client *client, int error, sanwo_time now)
{
    struct message *m = &client->message;

    if (m->state == MESSAGE_DONE && client->is_final)
        return succeed(client, now);
    if (error)
        return end_request(client, error == SANWO_ETIMEDOUT ? SANWO_HTTP_TIMEOUT : SANWO_HTTP_RESET,
                           error, now, "the connection was lost: %s", sanwo_error_text(error));
    if (!client->judged)
        return end_request(client, SANWO_HTTP_TRUNCATED, 0, now,
                           m->state == MESSAGE_EMPTY ? "the server closed without an answer"
                                                     : "the response ended inside its head");
    if (client->result.content_length >= 0)
        return end_request(client, SANWO_HTTP_TRUNCATED, 0, now,
                           "the body ended after %llu of %lld bytes",
                           (unsigned long long)client->result.body_bytes,
                           (long long)client->result.content_length);
    return end_request(client, SANWO_HTTP_TRUNCATED, 0, now,
                       "the body ended after %llu bytes, before its last chunk",
                       (unsigned long long)client->result.body_bytes);
}

static bool receive(struct sanwo_http_client *client, sanwo_time now)
{
    struct sanwo_stack *stack = client->config.stack;
    struct sanwo_slice slices[READ_SLICES];
    int count;

    while ((count = sanwo_tcp_peek(stack, client->handle, slices, READ_SLICES)) > 0) {
        client->stall_by = after(now, client->config.stall_timeout);
        if (!client->result.first_byte)
            client->result.first_byte = now;
        for (int i = 0; i < count; i++) {
            if (!eat(client, (const char *)slices[i].bytes, slices[i].length, now))
                return false;
        }
        consume_eaten(client, now);
    }
    if (count == 0)
        sw_http_message_finish(&client->message);
    if (client->after_head != AFTER_HEAD_BODY)
        return go_on_without_body(client, now);
    if (count == -SANWO_EAGAIN)
        return true;
    return on_end_of_stream(client, -count, now);
}

/* ---- driven from outside --------------------------------------------------------------------- */

bool sanwo_http_client_event(struct sanwo_http_client *client, const struct sanwo_event *event,
                             sanwo_time now)
{
    if (event->user != client)
        return false;
    if (client->state == CLIENT_IDLE || !sanwo_handle_equal(event->handle, client->handle))
        return true; /* of a connection that was given up */
    if (client->state == CLIENT_CONNECTING && (event->what & SANWO_EVENT_CONNECTED) &&
        !begin_sending(client, now))
        return true;
    if (client->state == CLIENT_CONNECTING) {
        if (event->what & SANWO_EVENT_CLOSED) {
            drop_connection(client, true, now);
            connect_next(client, -(event->error ? event->error : SANWO_ECONNRESET), now);
        } else if (event->what & SANWO_EVENT_SOFT_ERROR) {
            note_soft_error(client, event->error, now);
        }
        return true;
    }
    if (client->state == CLIENT_SENDING && !send_request(client, now))
        return true;
    /* The end of the stream, or the error, comes after the data. */
    receive(client, now);
    return true;
}

sanwo_time sanwo_http_client_deadline(const struct sanwo_http_client *client)
{
    sanwo_time first = client->connect_by;

    if (client->stall_by < first)
        first = client->stall_by;
    return client->total_by < first ? client->total_by : first;
}

static double seconds(sanwo_time length)
{
    return (double)length / 1e9;
}

void sanwo_http_client_tick(struct sanwo_http_client *client, sanwo_time now)
{
    if (client->state == CLIENT_IDLE)
        return;
    if (client->total_by <= now) {
        end_request(client, SANWO_HTTP_TIMEOUT, SANWO_ETIMEDOUT, now,
                    "not done after %g seconds (%llu bytes came)",
                    seconds(client->config.total_timeout),
                    (unsigned long long)client->result.body_bytes);
    } else if (client->stall_by <= now) {
        end_request(client, SANWO_HTTP_TIMEOUT, SANWO_ETIMEDOUT, now,
                    "no byte from the server for %g seconds",
                    seconds(client->config.stall_timeout));
    } else if (client->connect_by <= now) {
        drop_connection(client, false, now);
        connect_next(client, -(client->soft_error ? client->soft_error : SANWO_ETIMEDOUT), now);
    }
}

const struct sanwo_http_result *sanwo_http_client_result(const struct sanwo_http_client *client)
{
    return &client->result;
}

/* ---- beginning and end ----------------------------------------------------------------------- */

int sanwo_http_client_create(const struct sanwo_http_client_config *config,
                             struct sanwo_http_client **out)
{
    struct sanwo_http_client *client;

    if (!config->stack || config->max_head < 64 || config->max_head > 1u << 24)
        return -SANWO_EINVAL;
    client = calloc(1, sizeof *client);
    if (!client)
        return -SANWO_ENOMEM;
    client->config = *config;
    client->limits = (struct message_limits){config->max_head, config->max_head};
    client->connect_by = client->stall_by = client->total_by = SANWO_TIME_NEVER;
    *out = client;
    return 0;
}

void sanwo_http_client_destroy(struct sanwo_http_client *client, sanwo_time now)
{
    if (!client)
        return;
    drop_connection(client, false, now);
    sw_http_message_free(&client->message);
    sw_http_writer_free(&client->out);
    sw_http_url_free(&client->url);
    free(client->first_authority);
    free(client);
}

int sanwo_http_client_start(struct sanwo_http_client *client,
                            const struct sanwo_http_request *request, sanwo_time now)
{
    const char *trouble;

    if (client->state != CLIENT_IDLE)
        return -SANWO_EISCONN;
    client->request = *request;
    client->result = (struct sanwo_http_result){.started = now, .content_length = -1};
    client->total_by = after(now, client->config.total_timeout);
    sw_http_url_free(&client->url);
    free(client->first_authority);
    client->first_authority = NULL;
    trouble = sw_http_url_read(&client->url, text_of(request->url));
    if (trouble) {
        end_request(client, SANWO_HTTP_URL, 0, now, "'%.150s' cannot be fetched: %s", request->url,
                    trouble);
        return 0;
    }
    client->first_authority = strdup(client->url.authority);
    if (!client->first_authority)
        end_request(client, SANWO_HTTP_MEMORY, 0, now, "out of memory");
    else
        begin_hop(client, now);
    return 0;
}
