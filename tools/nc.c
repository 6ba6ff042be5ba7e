/*
 * nc.c - sanwo nc: standard input and output over one connection.
 *
 *     stdin  --> send queue --> peer       end of stdin: our FIN; receiving goes on
 *     stdout <-- receive queue <-- peer    its FIN: the end of output; sending goes on
 *
 * Over when both directions are. What the one side does not take, the other is not asked for: stdin
 * is not read while the send queue is full, and the window closes while stdout blocks.
 */
#define _GNU_SOURCE
#include "common.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GOODBYE SANWO_SEC(2)
#define RETRY SANWO_MSEC(20)
#define INPUT_CHUNK (64 * 1024)
/* What a pipe that is ready to be written takes without blocking (PIPE_BUF). */
#define PIPE_CHUNK 4096
#define MOST_ADDRESSES 16

struct nc {
    struct host host;
    struct sanwo_handle handle, listener;
    int timer;
    bool listens, verbose;
    bool is_connected;
    bool input_ended, output_ended; /* our FIN was asked for; the peer's was read */
    bool is_over;
    int status;
    size_t output_chunk;
    sanwo_time connect_timeout;
    struct sanwo_address addresses[MOST_ADDRESSES];
    int address_count, address_next;
    int soft_error; /* what the network said while connecting; 0: nothing */
    struct sanwo_endpoint remote;
    size_t waiting_from, waiting_to; /* of `waiting`: read from stdin, not taken by TCP yet */
    char waiting[INPUT_CHUNK];
};

static const struct command_help help = {
    .name = "nc",
    .synopsis = "[options] HOST PORT | -l -p PORT",
    .summary =
        "Connects, or waits for one connection, on our own TCP behind a TUN device; sends "
        "standard\n"
        "input, writes what comes to standard output. At the end of input our side is closed and\n"
        "receiving goes on. Needs root, or CAP_NET_ADMIN in a namespace of its own.",
    .more =
        "exit status: 0 closed by both, 1 failed, 2 usage, 3 TUN device or permission, 5 output "
        "cannot\n"
        "be written, 6 the name has no address, 7 refused or unreachable, 28 time-out, 56 reset,\n"
        "130 interrupted.",
    .example = "sudo sanwo nc -l -p 7 > received &\nprintf hello | nc -N 10.77.0.1 7",
};

static void finish(struct nc *n, int status)
{
    n->is_over = true;
    n->status = status;
    sanwo_loop_remove_fd(n->host.loop, STDIN_FILENO);
    sanwo_loop_remove_fd(n->host.loop, STDOUT_FILENO);
    sanwo_loop_stop(n->host.loop);
}

static void fail_with(struct nc *n, int error)
{
    char text[SANWO_ENDPOINT_TEXT];

    sw_complain("nc", STATUS_FAILED, "%s %s: %s",
                n->is_connected ? "connection with" : "cannot reach",
                sanwo_endpoint_format(&n->remote, text, sizeof text), sanwo_error_text(error));
    finish(n, sw_host_status(error));
}

/* Both directions are done: what was sent is still delivered. */
static void finish_if_done(struct nc *n)
{
    if (n->is_over || !n->input_ended || !n->output_ended)
        return;
    finish(n, STATUS_OK);
}

/* ---- from standard input to the peer --------------------------------------------------------- */

/* False while TCP has no room. */
static bool send_waiting(struct nc *n, sanwo_time now)
{
    while (n->waiting_from < n->waiting_to) {
        int64_t sent = sanwo_tcp_send(n->host.stack, n->handle, n->waiting + n->waiting_from,
                                      n->waiting_to - n->waiting_from, 0, now);

        if (sent == -SANWO_ENOMEM) /* no event tells when there is some again */
            sanwo_loop_set_timer(n->host.loop, n->timer, now + RETRY);
        if (sent == -SANWO_EAGAIN || sent == -SANWO_ENOMEM)
            return false;
        if (sent < 0) {
            fail_with(n, (int)sent);
            return false;
        }
        n->waiting_from += (size_t)sent;
    }
    n->waiting_from = n->waiting_to = 0;
    return true;
}

static void on_input(void *context, int fd, unsigned ready, sanwo_time now)
{
    struct nc *n = context;
    ssize_t got;

    (void)ready;
    got = read(fd, n->waiting, sizeof n->waiting);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (got <= 0) {
        sanwo_loop_remove_fd(n->host.loop, fd);
        n->input_ended = true;
        sanwo_tcp_shutdown(n->host.stack, n->handle, now);
        finish_if_done(n);
        return;
    }
    n->waiting_to = (size_t)got;
    if (!send_waiting(n, now) && !n->is_over)
        sanwo_loop_set_fd(n->host.loop, fd, 0);
}

static void go_on_sending(struct nc *n, sanwo_time now)
{
    if (n->waiting_to && send_waiting(n, now))
        sanwo_loop_set_fd(n->host.loop, STDIN_FILENO, SANWO_LOOP_READ);
}

/* ---- from the peer to standard output -------------------------------------------------------- */

/* Writes some; false if there is no more (for now). */
static bool write_some(struct nc *n, sanwo_time now)
{
    struct sanwo_slice slice;
    int count = sanwo_tcp_peek(n->host.stack, n->handle, &slice, 1);
    ssize_t put;

    if (count == -SANWO_EAGAIN)
        return false;
    if (count <= 0) {
        n->output_ended = true;
        if (count < 0)
            fail_with(n, count);
        else
            finish_if_done(n);
        return false;
    }
    put = write(STDOUT_FILENO, slice.bytes,
                slice.length < n->output_chunk ? slice.length : n->output_chunk);
    if (put < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (put < 0) {
        finish(n, sw_complain("nc", STATUS_WRITE, "cannot write to standard output: %s",
                              strerror(errno)));
        return false;
    }
    sanwo_tcp_consume(n->host.stack, n->handle, (size_t)put, now);
    return true;
}

static void on_output(void *context, int fd, unsigned ready, sanwo_time now)
{
    struct nc *n = context;

    (void)ready;
    if (!write_some(n, now) && !n->is_over)
        sanwo_loop_set_fd(n->host.loop, fd, 0);
}

/* ---- the connection -------------------------------------------------------------------------- */

static void on_connected(struct nc *n)
{
    char text[SANWO_ENDPOINT_TEXT];
    int error;

    n->is_connected = true;
    sanwo_loop_set_timer(n->host.loop, n->timer, SANWO_TIME_NEVER);
    if (n->verbose)
        fprintf(stderr, "sanwo nc: connected with %s\n",
                sanwo_endpoint_format(&n->remote, text, sizeof text));
    error = sanwo_loop_add_fd(n->host.loop, STDIN_FILENO, SANWO_LOOP_READ, on_input, n);
    if (error >= 0)
        error = sanwo_loop_add_fd(n->host.loop, STDOUT_FILENO, 0, on_output, n);
    if (error < 0)
        finish(n, sw_complain("nc", STATUS_FAILED, "cannot wait for input and output: %s",
                              strerror(-error)));
}

static void on_accept(struct nc *n, sanwo_time now)
{
    struct sanwo_tcp_info info;

    if (n->is_connected || sanwo_tcp_accept(n->host.stack, n->listener, n, &n->handle) < 0)
        return;
    sanwo_tcp_close(n->host.stack, n->listener, now); /* one connection, as asked */
    if (sanwo_tcp_info(n->host.stack, n->handle, &info) >= 0)
        n->remote = info.remote;
    on_connected(n);
    if (!n->is_over)
        sanwo_loop_set_fd(n->host.loop, STDOUT_FILENO, SANWO_LOOP_WRITE);
}

/* Tries the next address; @error is what became of the last. */
static void connect_next(struct nc *n, int error, sanwo_time now)
{
    sanwo_loop_set_timer(n->host.loop, n->timer, SANWO_TIME_NEVER);
    while (n->address_next < n->address_count) {
        struct sanwo_tcp_connect open = {.remote = n->remote, .user = n};
        char text[SANWO_ENDPOINT_TEXT];

        open.remote.address = n->addresses[n->address_next++];
        n->remote = open.remote;
        n->soft_error = 0;
        if (n->verbose)
            fprintf(stderr, "sanwo nc: connecting to %s\n",
                    sanwo_endpoint_format(&n->remote, text, sizeof text));
        error = sanwo_tcp_connect(n->host.stack, &open, now, &n->handle);
        if (error >= 0) {
            sanwo_loop_set_timer(n->host.loop, n->timer, now + n->connect_timeout);
            return;
        }
    }
    fail_with(n, error);
}

/* @error ended the attempt, or is reason enough to give it up. */
static void give_up_address(struct nc *n, int error, sanwo_time now)
{
    sanwo_tcp_abort(n->host.stack, n->handle, now);
    n->handle = (struct sanwo_handle){0, 0};
    connect_next(n, error, now);
}

static void on_connect_event(struct nc *n, const struct sanwo_event *event, sanwo_time now)
{
    if (event->what & SANWO_EVENT_CLOSED) {
        give_up_address(n, event->error, now);
    } else if (event->what & SANWO_EVENT_SOFT_ERROR) {
        n->soft_error = event->error;
        /* It may pass (RFC 9293 3.9.2.2), but another address may be better. */
        if (event->error != SANWO_ETIMEDOUT && n->address_next < n->address_count)
            give_up_address(n, event->error, now);
    }
}

static void on_event(void *context, struct sanwo_stack *stack, const struct sanwo_event *event,
                     sanwo_time now)
{
    struct nc *n = context;

    (void)stack;
    if (n->is_over)
        return;
    if (event->what & SANWO_EVENT_ACCEPT) {
        on_accept(n, now);
        return;
    }
    if (!sanwo_handle_equal(event->handle, n->handle))
        return;
    if (event->what & SANWO_EVENT_CONNECTED)
        on_connected(n);
    if (!n->is_connected) {
        on_connect_event(n, event, now);
        return;
    }
    go_on_sending(n, now);
    /* Also at the end, of whichever kind: it comes after the data. */
    if (!n->is_over && !n->output_ended)
        sanwo_loop_set_fd(n->host.loop, STDOUT_FILENO, SANWO_LOOP_WRITE);
}

static void on_timer(void *context, sanwo_time now)
{
    struct nc *n = context;

    if (n->is_over)
        return;
    if (n->is_connected)
        go_on_sending(n, now);
    else
        give_up_address(n, n->soft_error ? n->soft_error : SANWO_ETIMEDOUT, now);
}

/* ---- beginning and end ----------------------------------------------------------------------- */

static int open_connection(struct nc *n, const char *name, uint16_t port)
{
    if (sanwo_address_parse(name, &n->addresses[0]))
        n->address_count = 1;
    else
        n->address_count = sw_host_resolve(&n->host, name, n->addresses, MOST_ADDRESSES);
    if (n->address_count == 0)
        return sw_complain("nc", STATUS_RESOLVE, "no address is known for '%s'", name);
    n->remote.port = port;
    connect_next(n, -SANWO_EHOSTUNREACH, sanwo_time_now());
    return STATUS_OK;
}

static int open_listener(struct nc *n, uint16_t port)
{
    struct sanwo_tcp_listen open = {.local = {.port = port}, .user = n};
    int error = sanwo_tcp_listen(n->host.stack, &open, sanwo_time_now(), &n->listener);

    if (error < 0)
        return sw_complain("nc", STATUS_FAILED, "cannot listen on port %u: %s", port,
                           sanwo_error_text(error));
    if (n->verbose)
        fprintf(stderr, "sanwo nc: listening on port %u\n", port);
    return STATUS_OK;
}

static int converse(struct nc *n, const char *name, uint16_t port)
{
    struct stat s;
    int status, error;

    n->output_chunk = !fstat(STDOUT_FILENO, &s) && S_ISREG(s.st_mode) ? INPUT_CHUNK : PIPE_CHUNK;
    n->timer = sanwo_loop_add_timer(n->host.loop, on_timer, n);
    if (n->timer < 0)
        return sw_complain("nc", STATUS_FAILED, "out of memory");
    sw_host_catch_signals(&n->host);
    status = n->listens ? open_listener(n, port) : open_connection(n, name, port);
    if (status)
        return status;
    error = sanwo_loop_run(n->host.loop);
    if (error < 0)
        return sw_complain("nc", STATUS_DEVICE, "the device broke: %s; start again",
                           strerror(-error));
    if (!n->is_over) { /* by a signal */
        sanwo_tcp_abort(n->host.stack, n->handle, sanwo_time_now());
        return sw_complain("nc", STATUS_INTERRUPTED, "interrupted");
    }
    sanwo_tcp_close(n->host.stack, n->handle, sanwo_time_now());
    return n->status;
}

static bool read_port(const char *text, uint64_t *port)
{
    char *end;

    *port = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && *port > 0 && *port <= 65535;
}

int sw_cmd_nc(int argc, char **argv)
{
    static struct nc n; /* large, and one in a process */
    struct host_options host;
    struct option_entry shared[HOST_OPTION_COUNT];
    uint64_t port = 0;
    const struct option_entry own[] = {
        {OPTION_ON, 'l', "listen", &n.listens, NULL, "wait for a connection", 0, 0},
        {OPTION_NUMBER, 'p', "port", &port, "PORT", "to listen on", 1, 65535},
        {OPTION_ON, 'v', "verbose", &n.verbose, NULL, "tell what happens", 0, 0},
        {OPTION_SECONDS, 'w', "connect-timeout", &n.connect_timeout, "S", "default 30", 0, 0},
        {OPTION_END, 0, NULL, NULL, NULL, NULL, 0, 0},
    };
    int count, status;

    n.connect_timeout = SANWO_SEC(30);
    sw_host_options(&host, shared);
    if (!sw_options_read(&help, own, shared, argc, argv, &count, &status))
        return status;
    if (n.listens && !port && count == 1 && read_port(argv[1], &port))
        count = 0;
    if (n.listens ? count != 0 || !port : count != 2 || port || !read_port(argv[2], &port))
        return sw_complain(
            "nc", STATUS_USAGE,
            "give HOST PORT, as 10.77.0.2 7, or -l -p PORT to wait for a connection");
    status = sw_host_open(&n.host, "nc", &host, on_event, &n);
    if (status)
        return status;
    status = converse(&n, argv[1], (uint16_t)port);
    sw_host_settle(&n.host, GOODBYE);
    sw_host_close(&n.host);
    return status;
}
