/*
 * bench_pair.c - Bulk: one connection, one direction, as fast as both ends on one core can.
 *
 *     pattern --send--> [ client ] === segments ==> [ server ] --receive--> compared with the pattern
 *
 * The stream repeats a random pattern of odd length, so that a byte lost, doubled or moved shows. At
 * the beginning and the end of a round every byte is compared; in the measured part both edges of
 * each piece are, or with --verify every byte there too.
 *
 * --copy: send() and receive() with the application's own buffers; else send_ref() and peek().
 */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#define CHECKED (UINT64_C(8) << 20) /* bytes at either end of a round */
#define EDGE 8
#define SLICES 32

struct bulk {
    struct sanwo_handle client, server;
    uint8_t *pattern; /* twice as long as the piece in which it repeats */
    uint8_t *arrived; /* --copy: the application's buffer */
    size_t period, chunk;
    uint64_t sent, received;
    bool whole; /* compare every byte */
    bool over;  /* send no more */
    bool ended; /* the server saw the end */
};

static bool make_buffers(struct bulk *b, const struct bench_options *o)
{
    uint64_t random = UINT64_C(0x9e3779b97f4a7c15);

    b->chunk = (size_t)o->chunk;
    b->period = b->chunk | 1;
    b->pattern = malloc(b->period + b->chunk + 1);
    b->arrived = malloc(b->chunk);
    if (!b->pattern || !b->arrived)
        return false;
    for (size_t i = 0; i < b->period; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        b->pattern[i] = (uint8_t)(random >> 56);
    }
    memcpy(b->pattern + b->period, b->pattern, b->chunk);
    return true;
}

static void push(struct bench_wire *w, struct bulk *b)
{
    while (!b->over) {
        const uint8_t *from = b->pattern + b->sent % b->period;
        int64_t n = w->options->copy
                        ? sanwo_tcp_send(w->client.stack, b->client, from, b->chunk, 0, w->now)
                        : sanwo_tcp_send_ref(w->client.stack, b->client, from, b->chunk, 0, w->now);

        if (n == -SANWO_EAGAIN)
            return;
        if (n < 0) {
            sw_bench_fail(w, "cannot send", n);
            return;
        }
        b->sent += (uint64_t)n;
        if ((size_t)n < b->chunk)
            return;
    }
}

/* @length at most a chunk. */
static bool is_right(const struct bulk *b, uint64_t position, const uint8_t *bytes, size_t length)
{
    const uint8_t *expected = b->pattern + position % b->period;

    if (b->whole || length <= 2 * EDGE)
        return !memcmp(bytes, expected, length);
    return !memcmp(bytes, expected, EDGE) &&
           !memcmp(bytes + length - EDGE, expected + length - EDGE, EDGE);
}

static bool check(struct bench_wire *w, struct bulk *b, const uint8_t *bytes, size_t length)
{
    while (length) {
        size_t part = length < b->chunk ? length : b->chunk;

        if (!is_right(b, b->received, bytes, part))
            return sw_bench_fail(w, "other bytes arrived than were sent", 0);
        b->received += part;
        bytes += part;
        length -= part;
    }
    return true;
}

static int64_t pull_copy(struct bench_wire *w, struct bulk *b)
{
    int64_t n = sanwo_tcp_receive(w->server.stack, b->server, b->arrived, b->chunk, w->now);

    if (n > 0 && !check(w, b, b->arrived, (size_t)n))
        return -SANWO_EAGAIN;
    return n;
}

static int64_t pull_in_place(struct bench_wire *w, struct bulk *b)
{
    struct sanwo_slice slices[SLICES];
    int n = sanwo_tcp_peek(w->server.stack, b->server, slices, SLICES);
    size_t length = 0;

    for (int i = 0; i < n; i++) {
        if (!check(w, b, slices[i].bytes, slices[i].length))
            return -SANWO_EAGAIN;
        length += slices[i].length;
    }
    if (n > 0)
        sanwo_tcp_consume(w->server.stack, b->server, length, w->now);
    return n;
}

static void pull(struct bench_wire *w, struct bulk *b)
{
    int64_t n;

    do {
        n = w->options->copy ? pull_copy(w, b) : pull_in_place(w, b);
    } while (n > 0);
    if (n == 0)
        b->ended = true;
    else if (n != -SANWO_EAGAIN)
        sw_bench_fail(w, "cannot receive", n);
}

static void on_client(struct bench_wire *w, const struct sanwo_event *event)
{
    struct bulk *b = w->context;

    if (event->what & SANWO_EVENT_CLOSED && event->error)
        sw_bench_fail(w, "the connection ended", event->error);
    else if (event->what & (SANWO_EVENT_CONNECTED | SANWO_EVENT_WRITABLE))
        push(w, b);
}

static void on_server(struct bench_wire *w, const struct sanwo_event *event)
{
    struct bulk *b = w->context;

    if (event->what & SANWO_EVENT_ACCEPT)
        sw_bench_accept(w, event->handle, &b->server);
    if (event->what & SANWO_EVENT_CLOSED && event->error)
        sw_bench_fail(w, "the connection ended", event->error);
    else if (event->what & SANWO_EVENT_READABLE)
        pull(w, b);
}

/* All bytes compared for a while. */
static bool check_all(struct bench_wire *w, struct bulk *b)
{
    uint64_t end = b->received + CHECKED;

    b->whole = true;
    while (b->received < end)
        if (!sw_bench_turn(w))
            return false;
    b->whole = w->options->verify;
    return true;
}

static bool finish(struct bench_wire *w, struct bulk *b)
{
    b->over = true;
    b->whole = true;
    if (sanwo_tcp_shutdown(w->client.stack, b->client, w->now) < 0)
        return sw_bench_fail(w, "cannot shut down", 0);
    while (!b->ended)
        if (!sw_bench_turn(w))
            return false;
    return b->sent == b->received ? true
                                  : sw_bench_fail(w, "not all bytes arrived that were sent", 0);
}

struct reading {
    struct sanwo_stack_stats client, server;
    sanwo_time elapsed, processor;
    uint64_t received;
};

static struct reading read_all(const struct bench_wire *w, const struct bulk *b)
{
    struct reading r = {.received = b->received};

    sanwo_stack_stats(w->client.stack, &r.client);
    sanwo_stack_stats(w->server.stack, &r.server);
    r.elapsed = sanwo_time_now();
    r.processor = sw_bench_processor_time();
    return r;
}

static void note(const struct bench_wire *w, const struct bulk *b, const struct reading *from,
                 const struct reading *to, struct bench_round *round)
{
    struct sanwo_tcp_info info = {.send_mss = 1};
    double bytes = (double)(to->received - from->received);
    double processor = (double)(to->processor - from->processor);
    double segments, data_frames = (double)(to->client.frames_out - from->client.frames_out);
    double frames = data_frames + (double)(to->server.frames_out - from->server.frames_out);

    sanwo_tcp_info(w->client.stack, b->client, &info);
    segments = bytes / info.send_mss;
    sw_bench_figure(round, "gbit_per_second", "Gbit/s", bytes * 8 / processor);
    sw_bench_figure(round, "ns_per_segment", "ns/segment", processor / segments);
    sw_bench_figure(round, "segment_bytes", "bytes/segment", info.send_mss);
    sw_bench_figure(round, "packets_per_segment", "packets/segment", frames / segments);
    sw_bench_figure(round, "bytes_per_frame", "bytes/data frame", bytes / data_frames);
    sw_bench_figure(
        round, "retransmitted", "segments sent again",
        (double)(to->client.segments_retransmitted - from->client.segments_retransmitted));
    sw_bench_figure(round, "bytes", "bytes", bytes);
    sw_bench_figure(round, "processor_seconds", "s of processor", processor / 1e9);
    sw_bench_figure(round, "elapsed_seconds", "s elapsed",
                    (double)(to->elapsed - from->elapsed) / 1e9);
}

static bool measure(struct bench_wire *w, struct bulk *b, struct bench_round *round)
{
    struct reading from, to;
    sanwo_time end;

    if (!sw_bench_connect(w, NULL, &b->client) || !check_all(w, b))
        return false;
    from = read_all(w, b);
    end = from.elapsed + w->options->seconds;
    while (w->now < end)
        if (!sw_bench_turn(w))
            return false;
    to = read_all(w, b);
    note(w, b, &from, &to, round);
    return check_all(w, b) && finish(w, b);
}

bool sw_bench_pair(const struct bench_options *options, struct bench_round *round)
{
    struct bench_needs needs = {16, 16};
    struct bulk b = {0};
    struct bench_wire *w = sw_bench_wire_open(options, &needs, on_client, on_server, &b);
    bool good = w && (make_buffers(&b, options) || sw_bench_fail(w, "out of memory", 0)) &&
                measure(w, &b, round);

    sw_bench_wire_close(w);
    free(b.pattern);
    free(b.arrived);
    return good;
}
