/*
 * bench_crowd.c - Many connections between the two hosts; each byte sent comes back.
 */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#define AT_ONCE 64 /* handshakes, and first bytes, under way */

static void check_pong(struct bench_wire *w, struct bench_crowd *c, const struct sanwo_event *event)
{
    struct bench_peer *peer = &c->peers[(uintptr_t)event->user];
    uint8_t bytes[2];
    int64_t n = sanwo_tcp_receive(w->client.stack, event->handle, bytes, sizeof bytes, w->now);

    if (n != 1 || !peer->waits || bytes[0] != peer->expected) {
        sw_bench_fail(w, "another byte came back than was sent", n < 0 ? n : 0);
        return;
    }
    peer->waits = false;
    c->under_way--;
    c->trips++;
}

static void on_client(struct bench_wire *w, const struct sanwo_event *event)
{
    struct bench_crowd *c = w->context;

    if (event->what & SANWO_EVENT_CLOSED)
        sw_bench_fail(w, "a connection ended", event->error);
    if (event->what & SANWO_EVENT_CONNECTED)
        c->connected++;
    if (event->what & SANWO_EVENT_READABLE)
        check_pong(w, c, event);
}

static void on_server(struct bench_wire *w, const struct sanwo_event *event)
{
    struct bench_crowd *c = w->context;
    struct sanwo_handle last;
    uint8_t bytes[16];
    int64_t n;

    if (event->what & SANWO_EVENT_ACCEPT) {
        c->accepted += sw_bench_accept(w, event->handle, &last);
    } else if (event->what & SANWO_EVENT_CLOSED) {
        sw_bench_fail(w, "a connection ended", event->error);
    } else if (event->what & SANWO_EVENT_READABLE) {
        n = sanwo_tcp_receive(w->server.stack, event->handle, bytes, sizeof bytes, w->now);
        if (n <= 0 ||
            sanwo_tcp_send(w->server.stack, event->handle, bytes, (size_t)n, 0, w->now) != n)
            sw_bench_fail(w, "cannot echo", n < 0 ? n : 0);
    }
}

bool sw_bench_crowd_open(struct bench_crowd *c, const struct bench_options *options, size_t most)
{
    struct bench_needs needs = {(uint32_t)most + AT_ONCE, 16};

    *c = (struct bench_crowd){.most = most};
    c->wire = sw_bench_wire_open(options, &needs, on_client, on_server, c);
    if (!c->wire)
        return false;
    c->peers = malloc(most * sizeof(*c->peers));
    if (!c->peers)
        return sw_bench_fail(c->wire, "out of memory", 0);
    memset(c->peers, 0xff, most * sizeof(*c->peers)); /* resident before anything is measured */
    return true;
}

bool sw_bench_crowd_add(struct bench_crowd *c, size_t count)
{
    size_t end = c->count + count < c->most ? c->count + count : c->most;

    while (c->connected < end || c->accepted < end) {
        while (c->count < end && c->count - c->accepted < AT_ONCE) {
            struct bench_peer *peer = &c->peers[c->count];

            *peer = (struct bench_peer){.expected = (uint8_t)c->count};
            if (!sw_bench_connect(c->wire, (void *)(uintptr_t)c->count, &peer->handle))
                return false;
            c->count++;
        }
        if (!sw_bench_turn(c->wire))
            return false;
    }
    return true;
}

void sw_bench_crowd_close(struct bench_crowd *c)
{
    sw_bench_wire_close(c->wire);
    free(c->peers);
    *c = (struct bench_crowd){0};
}

static bool ping(struct bench_crowd *c)
{
    struct bench_peer *peer = &c->peers[c->next];
    int64_t n;

    if (peer->waits)
        return false; /* still under way: all have had their turn */
    peer->expected++;
    n = sanwo_tcp_send(c->wire->client.stack, peer->handle, &peer->expected, 1, 0, c->wire->now);
    if (n != 1)
        return sw_bench_fail(c->wire, "cannot send", n);
    peer->waits = true;
    c->under_way++;
    if (++c->next == c->count)
        c->next = 0;
    return true;
}

bool sw_bench_crowd_turn(struct bench_crowd *c, size_t parallel)
{
    while (c->under_way < parallel && ping(c))
        continue;
    return sw_bench_turn(c->wire);
}

bool sw_bench_crowd_greet(struct bench_crowd *c)
{
    uint64_t end = c->trips + c->count;

    while (c->trips < end) {
        uint64_t left = end - c->trips;

        if (!sw_bench_crowd_turn(c, left < AT_ONCE ? (size_t)left : AT_ONCE))
            return false;
    }
    return true;
}
