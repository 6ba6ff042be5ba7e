/*
 * bench_cycle.c - Connections a second, from the first SYN to the last ACK.
 *
 *     client                 server            --reset
 *       SYN         ->                           SYN     ->
 *                   <-       SYN+ACK                     <-  SYN+ACK
 *       ACK, byte   ->       (accept)            ACK     ->  (accept)
 *                   <-       ACK, byte           RST     ->  (reset)
 *       FIN         ->
 *                   <-       FIN, ACK
 *       ACK         ->       (gone)              as the client closes first, TIME-WAIT is its:
 *       (TIME-WAIT)                              records pile up as they would in an hour's work
 */
#include "bench.h"

#include <stdlib.h>

#define MOST_TIME_WAIT (UINT32_C(4) << 20) /* beyond those asked for; older ones make room */

struct cycles {
    uint64_t started, completed;
    struct sanwo_handle *connected; /* --reset: to be aborted once the server has accepted */
    size_t connected_count;
};

/* The byte of a connection is its user's pointer. */
static void *user_of(uint64_t number)
{
    return (void *)(uintptr_t)(number & 0xff);
}

static void send_byte(struct bench_wire *w, const struct sanwo_event *event)
{
    uint8_t byte = (uint8_t)(uintptr_t)event->user;
    int64_t n = sanwo_tcp_send(w->client.stack, event->handle, &byte, 1, 0, w->now);

    if (n != 1)
        sw_bench_fail(w, "cannot send", n);
}

static void take_byte_back(struct bench_wire *w, const struct sanwo_event *event)
{
    uint8_t bytes[2];
    int64_t n = sanwo_tcp_receive(w->client.stack, event->handle, bytes, sizeof bytes, w->now);

    if (n != 1 || bytes[0] != (uint8_t)(uintptr_t)event->user)
        sw_bench_fail(w, "another byte came back than was sent", n < 0 ? n : 0);
    else if (sanwo_tcp_close(w->client.stack, event->handle, w->now) < 0)
        sw_bench_fail(w, "cannot close", 0);
}

static void on_client(struct bench_wire *w, const struct sanwo_event *event)
{
    struct cycles *c = w->context;

    if (event->what & SANWO_EVENT_CLOSED) {
        sw_bench_fail(w, "a connection ended early", event->error);
        return;
    }
    if (event->what & SANWO_EVENT_CONNECTED) {
        if (w->options->reset)
            c->connected[c->connected_count++] = event->handle;
        else
            send_byte(w, event);
    }
    if (event->what & SANWO_EVENT_READABLE)
        take_byte_back(w, event);
}

static void echo_or_close(struct bench_wire *w, const struct sanwo_event *event)
{
    struct cycles *c = w->context;
    uint8_t bytes[2];
    int64_t n = sanwo_tcp_receive(w->server.stack, event->handle, bytes, sizeof bytes, w->now);

    if (n > 0 && sanwo_tcp_send(w->server.stack, event->handle, bytes, (size_t)n, 0, w->now) != n) {
        sw_bench_fail(w, "cannot echo", 0);
    } else if (n == 0) {
        sanwo_tcp_close(w->server.stack, event->handle, w->now);
        c->completed++;
    } else if (n < 0 && n != -SANWO_EAGAIN) {
        sw_bench_fail(w, "cannot receive", n);
    }
}

static void on_server(struct bench_wire *w, const struct sanwo_event *event)
{
    struct cycles *c = w->context;
    struct sanwo_handle last;

    if (event->what & SANWO_EVENT_ACCEPT) {
        sw_bench_accept(w, event->handle, &last);
        return;
    }
    if (event->what & SANWO_EVENT_CLOSED && event->error) {
        if (!w->options->reset || event->error != SANWO_ECONNRESET)
            sw_bench_fail(w, "a connection ended early", event->error);
        sanwo_tcp_close(w->server.stack, event->handle, w->now);
        c->completed++;
        return;
    }
    if (event->what & SANWO_EVENT_READABLE)
        echo_or_close(w, event);
}

static bool start_more(struct bench_wire *w, struct cycles *c)
{
    struct sanwo_handle handle;

    while (c->started - c->completed < w->options->parallel)
        if (!sw_bench_connect(w, user_of(c->started++), &handle))
            return false;
    return true;
}

/* The turn in which the server accepted is over: their ACKs went out with it. */
static void abort_connected(struct bench_wire *w, struct cycles *c, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sanwo_tcp_abort(w->client.stack, c->connected[i], w->now);
    for (size_t i = count; i < c->connected_count; i++)
        c->connected[i - count] = c->connected[i];
    c->connected_count -= count;
}

static bool turn(struct bench_wire *w, struct cycles *c)
{
    size_t connected = c->connected_count;

    if (!start_more(w, c) || !sw_bench_turn(w))
        return false;
    abort_connected(w, c, connected);
    return true;
}

static bool run_until(struct bench_wire *w, struct cycles *c, uint64_t completed, sanwo_time end)
{
    while (c->completed < completed && w->now < end)
        if (!turn(w, c))
            return false;
    return true;
}

static bool measure(struct bench_wire *w, struct cycles *c, struct bench_round *round)
{
    uint64_t warm_up = w->options->time_wait > 1000 ? w->options->time_wait : 1000;
    struct sanwo_stack_stats before, after;
    sanwo_time elapsed, processor;
    uint64_t from;
    double cycles;

    if (!run_until(w, c, warm_up, SANWO_TIME_NEVER))
        return false;
    sanwo_stack_stats(w->client.stack, &before);
    from = c->completed;
    elapsed = sanwo_time_now();
    processor = sw_bench_processor_time();
    if (!run_until(w, c, UINT64_MAX, elapsed + w->options->seconds))
        return false;
    processor = sw_bench_processor_time() - processor;
    elapsed = sanwo_time_now() - elapsed;
    cycles = (double)(c->completed - from);
    sanwo_stack_stats(w->client.stack, &after);
    sw_bench_figure(round, "cycles_per_second", "cycles/s", cycles * 1e9 / (double)processor);
    sw_bench_figure(round, "us_per_cycle", "us/cycle", (double)processor / cycles / 1e3);
    sw_bench_figure(
        round, "packets_per_cycle", "packets/cycle",
        (double)(after.frames_out + after.frames_in - before.frames_out - before.frames_in) /
            cycles);
    sw_bench_figure(round, "time_wait_before", "in TIME-WAIT before", before.time_wait);
    sw_bench_figure(round, "time_wait_after", "in TIME-WAIT after", after.time_wait);
    sw_bench_figure(round, "cycles", "cycles", cycles);
    sw_bench_figure(round, "processor_seconds", "s of processor", (double)processor / 1e9);
    sw_bench_figure(round, "elapsed_seconds", "s elapsed", (double)elapsed / 1e9);
    return true;
}

bool sw_bench_cycle(const struct bench_options *options, struct bench_round *round)
{
    struct bench_needs needs = {(uint32_t)options->parallel * 4,
                                (uint32_t)options->time_wait + MOST_TIME_WAIT};
    struct cycles c = {0};
    struct bench_wire *w = sw_bench_wire_open(options, &needs, on_client, on_server, &c);
    bool good = false;

    if (w) {
        c.connected = calloc(options->parallel, sizeof(*c.connected));
        good = c.connected ? measure(w, &c, round) : sw_bench_fail(w, "out of memory", 0);
    }
    sw_bench_wire_close(w);
    free(c.connected);
    return good;
}
