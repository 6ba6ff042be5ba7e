/*
 * bench_wire.c - Two stacks in one process and what carries frames between them.
 *
 *     directly     transmit -> receive -> sent: the core alone; the receiver copies what it keeps
 *     --lend       each frame is copied into buffers that the receiver lent, as devices do it
 *     --driver     through the pair driver's queue
 */
#include "bench.h"
#include "common.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_PORT 10000
#define TUPLES_PER_PORT 16384 /* of 64,000: so that a free one is soon found */
#define HEADERS_IPV4 40
#define HEADERS_IPV6 60
#define STUCK SANWO_SEC(5)

bool sw_bench_fail(struct bench_wire *wire, const char *what, int64_t error)
{
    if (!wire->failed && error)
        sw_complain("bench", STATUS_FAILED, "%s: %s; the measurement is void", what,
                    sanwo_error_text((int)error));
    else if (!wire->failed)
        sw_complain("bench", STATUS_FAILED, "%s; the measurement is void", what);
    wire->failed = true;
    return false;
}

/* ---- making ----------------------------------------------------------------------------------------- */

static void configure(struct sanwo_stack_config *c, const struct bench_options *o,
                      const struct bench_needs *needs)
{
    sanwo_stack_config_default(c);
    c->max_connections = needs->connections + (uint32_t)o->parallel + 64;
    c->max_half_open = (uint32_t)o->parallel + 1024;
    c->max_time_wait = needs->time_wait + 1024;
    c->max_listeners = BENCH_MOST_LISTENERS + 64;
    c->ephemeral_first = 1024;
    c->ephemeral_last = 65535;
    c->tcp.send_buffer = c->tcp.receive_buffer = (uint32_t)o->window;
    c->tcp.offer_timestamps = !o->no_timestamps;
    c->tcp.quick_ack = o->quick_ack;
    /* Memory that is not used is not touched: let no budget be what is measured. */
    c->budget = (UINT64_C(1) << 28) + 4 * o->window + c->max_connections * UINT64_C(8192) +
                c->max_time_wait * UINT64_C(256);
}

static struct sanwo_link_config link_config(const struct bench_options *o)
{
    struct sanwo_link_config link = {.name = "bench", .kind = SANWO_LINK_IP};

    link.mtu = (uint16_t)(o->mss + (o->ipv6 ? HEADERS_IPV6 : HEADERS_IPV4));
    if (!o->checksum)
        link.offload |= SANWO_OFFLOAD_CHECKSUM;
    if (o->super_segments)
        link.offload |= SANWO_OFFLOAD_TSO4 | SANWO_OFFLOAD_TSO6;
    return link;
}

static bool make_end(struct bench_wire *w, struct bench_end *end,
                     const struct sanwo_stack_config *shared, const char *prefix)
{
    struct sanwo_stack_config config = *shared;
    struct sanwo_link_config link = link_config(w->options);
    unsigned length = 0;
    int result = sanwo_seed_from_system(config.seed);

    if (result < 0)
        return sw_bench_fail(w, "the system gives no entropy for the seed", 0);
    end->region_size = sanwo_stack_region_size(&config);
    end->region = sanwo_region_reserve(end->region_size);
    if (!end->region)
        return sw_bench_fail(w, "no address space for the stack; use fewer --connections", 0);
    result = sanwo_stack_create(end->region, end->region_size, &config, w->now, &end->stack);
    if (result < 0)
        return sw_bench_fail(w, "cannot make the stack", result);
    result = end->driver ? sanwo_driver_attach(end->driver, end->stack)
                         : sanwo_stack_link_add(end->stack, &link);
    if (result < 0)
        return sw_bench_fail(w, "cannot add the link", result);
    end->link = (unsigned)result;
    sanwo_prefix_parse(prefix, &end->address, &length);
    result = sanwo_stack_address_add(end->stack, end->link, &end->address, length);
    return result < 0 ? sw_bench_fail(w, "cannot add the address", result) : true;
}

static bool listen_all(struct bench_wire *w, const struct bench_needs *needs)
{
    size_t count = ((size_t)needs->connections + needs->time_wait) / TUPLES_PER_PORT + 1;

    if (count > BENCH_MOST_LISTENERS)
        count = BENCH_MOST_LISTENERS;
    for (size_t i = 0; i < count; i++) {
        struct sanwo_tcp_listen open = {.local.port = (uint16_t)(FIRST_PORT + i),
                                        .backlog = (uint32_t)w->options->parallel + 128};
        int result = sanwo_tcp_listen(w->server.stack, &open, w->now, &w->listeners[i]);

        if (result < 0)
            return sw_bench_fail(w, "cannot listen", result);
    }
    w->listener_count = count;
    return true;
}

static bool make(struct bench_wire *w, const struct bench_needs *needs)
{
    const struct bench_options *o = w->options;
    struct sanwo_link_config link = link_config(o);
    struct sanwo_stack_config config;

    configure(&config, o, needs);
    if (o->driver &&
        sanwo_pair_create(link.mtu, link.offload, 0, &w->client.driver, &w->server.driver) < 0)
        return sw_bench_fail(w, "out of memory", 0);
    return make_end(w, &w->client, &config, o->ipv6 ? "fd00::1/64" : "10.0.0.1/24") &&
           make_end(w, &w->server, &config, o->ipv6 ? "fd00::2/64" : "10.0.0.2/24") &&
           listen_all(w, needs);
}

struct bench_wire *sw_bench_wire_open(const struct bench_options *options,
                                      const struct bench_needs *needs, bench_on_event on_client,
                                      bench_on_event on_server, void *context)
{
    struct bench_wire *w = calloc(1, sizeof(*w));

    if (!w) {
        sw_complain("bench", STATUS_FAILED, "out of memory");
        return NULL;
    }
    w->options = options;
    w->client.on_event = on_client;
    w->server.on_event = on_server;
    w->context = context;
    w->now = w->moved = sanwo_time_now();
    if (make(w, needs))
        return w;
    sw_bench_wire_close(w);
    return NULL;
}

void sw_bench_wire_close(struct bench_wire *w)
{
    if (!w)
        return;
    sanwo_driver_destroy(w->client.driver);
    sanwo_driver_destroy(w->server.driver);
    if (w->client.region)
        sanwo_region_release(w->client.region, w->client.region_size);
    if (w->server.region)
        sanwo_region_release(w->server.region, w->server.region_size);
    free(w);
}

/* ---- carrying --------------------------------------------------------------------------------------- */

/* The receiver must not take the sender's buffers for its own: their names are put aside. */
static void hand_over(struct bench_wire *w, struct bench_end *to, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct sanwo_frame *f = &w->frames[i];

        f->link = (uint16_t)to->link;
        f->arrival = w->now;
        for (size_t k = 0; k < f->slice_count; k++) {
            w->buffers[i][k] = f->slices[k].buffer;
            f->slices[k].buffer = 0;
        }
    }
    sanwo_stack_receive(to->stack, w->frames, n, w->now);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < w->frames[i].slice_count; k++)
            w->frames[i].slices[k].buffer = w->buffers[i][k];
}

static void copy_over(struct bench_wire *w, struct bench_end *to, size_t n)
{
    struct sanwo_room rooms[BENCH_MOST_BATCH];
    uint32_t largest = 0;

    for (size_t i = 0; i < n; i++)
        if (w->frames[i].length > largest)
            largest = w->frames[i].length;
    n = sanwo_stack_borrow(to->stack, largest, rooms,
                           n); /* the others are lost, as they would be */
    for (size_t i = 0; i < n; i++) {
        struct sanwo_frame *f = &w->lent[i];

        memcpy(f, &w->frames[i], offsetof(struct sanwo_frame, slices));
        sanwo_frame_copy(&w->frames[i], rooms[i].bytes);
        f->link = (uint16_t)to->link;
        f->arrival = w->now;
        f->slice_count = 1;
        f->slices[0] = (struct sanwo_slice){rooms[i].bytes, f->length, rooms[i].buffer};
    }
    sanwo_stack_receive(to->stack, w->lent, n, w->now);
}

/* One batch. How many frames moved. */
static size_t carry(struct bench_wire *w, struct bench_end *from, struct bench_end *to)
{
    size_t n = sanwo_stack_transmit(from->stack, w->frames, w->options->batch, w->now);
    int arrived;

    if (!w->options->driver) {
        if (!n)
            return 0;
        if (w->options->lend)
            copy_over(w, to, n);
        else
            hand_over(w, to, n);
        sanwo_stack_sent(from->stack, w->frames, n);
        return n;
    }
    if (n && from->driver->ops->transmit(from->driver, w->frames, n, w->now) != (int)n)
        sw_bench_fail(w, "the pair driver's queue is full", 0);
    arrived = to->driver->ops->receive(to->driver, w->frames, w->options->batch, w->now);
    if (arrived > 0)
        sanwo_stack_receive(to->stack, w->frames, (size_t)arrived, w->now);
    return n;
}

static void tell(struct bench_wire *w, const struct bench_end *end)
{
    struct sanwo_event events[64];
    size_t n;

    do {
        n = sanwo_stack_events(end->stack, events, 64);
        for (size_t i = 0; i < n; i++)
            end->on_event(w, &events[i]);
    } while (n == 64);
}

bool sw_bench_turn(struct bench_wire *w)
{
    size_t moved;

    w->now = sanwo_time_now();
    moved = carry(w, &w->client, &w->server);
    tell(w, &w->server);
    moved += carry(w, &w->server, &w->client);
    tell(w, &w->client);
    if (moved)
        w->moved = w->now;
    else if (w->now - w->moved > STUCK)
        return sw_bench_fail(w, "nothing moves any more", 0);
    return !w->failed;
}

/* ---- opening ---------------------------------------------------------------------------------------- */

bool sw_bench_connect(struct bench_wire *w, void *user, struct sanwo_handle *out)
{
    struct sanwo_tcp_connect open = {.user = user};
    int result;

    open.remote.address = w->server.address;
    open.remote.port = (uint16_t)(FIRST_PORT + w->opened++ % w->listener_count);
    result = sanwo_tcp_connect(w->client.stack, &open, w->now, out);
    return result < 0 ? sw_bench_fail(w, "cannot connect", result) : true;
}

size_t sw_bench_accept(struct bench_wire *w, struct sanwo_handle listener,
                       struct sanwo_handle *last)
{
    size_t count = 0;

    while (sanwo_tcp_accept(w->server.stack, listener, NULL, last) >= 0)
        count++;
    return count;
}
