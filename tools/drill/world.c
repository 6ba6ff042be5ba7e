/*
 * world.c - Driving a stack in virtual time.
 */
#define _GNU_SOURCE
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 16
#define MOST_ROUNDS 100000 /* of one moment: more is a stack that never comes to rest */
#define BUDGET (UINT64_C(32) << 20)

/* ---- the feed: a driver whose wire is the script --------------------------------------------- */

struct feed {
    struct sanwo_driver driver;
    struct drill_world *world;
};

static struct feed *feed_of(const struct sanwo_driver *d)
{
    return (struct feed *)(uintptr_t)d;
}

static int feed_receive(struct sanwo_driver *d, struct sanwo_frame *frames, size_t max,
                        sanwo_time now)
{
    struct drill_world *w = feed_of(d)->world;

    if (!w->has_incoming || !max)
        return 0;
    frames[0] = w->incoming;
    frames[0].arrival = now;
    frames[0].link = (uint16_t)d->number;
    w->has_incoming = false;
    return 1;
}

/* Grows an array by doubling; false: no memory. */
static bool make_room(void **array, size_t *size, size_t needed, size_t item)
{
    size_t larger = *size ? *size : 64;
    void *grown;

    if (needed <= *size)
        return true;
    while (larger < needed)
        larger *= 2;
    grown = realloc(*array, larger * item);
    if (!grown)
        return false;
    *array = grown;
    *size = larger;
    return true;
}

static void take_packet(struct drill_world *w, const struct sanwo_frame *frame, sanwo_time now)
{
    struct drill_emitted *e;

    if (!make_room((void **)&w->bytes, &w->bytes_size, w->bytes_used + frame->length, 1) ||
        !make_room((void **)&w->emitted, &w->emitted_size, w->emitted_count + 1, sizeof *e))
        return;
    e = &w->emitted[w->emitted_count++];
    *e = (struct drill_emitted){now, w->bytes_used, frame->length};
    sanwo_frame_copy(frame, w->bytes + w->bytes_used);
    sanwo_frame_complete(frame, w->bytes + w->bytes_used);
    w->bytes_used += frame->length;
}

static int feed_transmit(struct sanwo_driver *d, const struct sanwo_frame *frames, size_t n,
                         sanwo_time now)
{
    for (size_t i = 0; i < n; i++)
        take_packet(feed_of(d)->world, &frames[i], now);
    sanwo_driver_sent(d, frames, n);
    return (int)n;
}

static int feed_descriptor(const struct sanwo_driver *d)
{
    (void)d;
    return -1;
}

static sanwo_time feed_deadline(const struct sanwo_driver *d)
{
    (void)d;
    return SANWO_TIME_NEVER;
}

static void feed_destroy(struct sanwo_driver *d)
{
    free(feed_of(d));
}

static const struct sanwo_driver_ops feed_ops = {
    .name = "drill",
    .receive = feed_receive,
    .transmit = feed_transmit,
    .descriptor = feed_descriptor,
    .deadline = feed_deadline,
    .destroy = feed_destroy,
};

static struct sanwo_driver *feed_create(struct drill_world *w, uint16_t mtu)
{
    struct feed *feed = calloc(1, sizeof *feed);

    if (!feed)
        return NULL;
    feed->driver.ops = &feed_ops;
    feed->driver.link = (struct sanwo_link_config){
        .name = "tun0", .kind = SANWO_LINK_IP, .mtu = mtu, .distrust_checksums = true};
    feed->world = w;
    return &feed->driver;
}

/* ---- the observer ----------------------------------------------------------------------------- */

static bool same_endpoint(const struct sanwo_endpoint *a, const struct sanwo_endpoint *b)
{
    return a->port == b->port && sanwo_address_equal(&a->address, &b->address);
}

struct drill_peer *sw_drill_world_peer(struct drill_world *w, const struct sanwo_endpoint *local,
                                       const struct sanwo_endpoint *remote)
{
    for (size_t i = w->peer_count; i-- > 0;) {
        struct drill_peer *p = &w->peers[i];

        if (p->local.port == local->port && (!remote || same_endpoint(&p->remote, remote)))
            return p;
    }
    return NULL;
}

static struct drill_peer *peer_for(struct drill_world *w, const struct sanwo_observation *what)
{
    struct drill_peer *p;

    if (!what->remote.port)
        return NULL;
    p = sw_drill_world_peer(w, &what->local, &what->remote);
    if (p)
        return p;
    if (w->peer_count == DRILL_PEERS) { /* the oldest makes room */
        memmove(&w->peers[0], &w->peers[1], sizeof w->peers - sizeof w->peers[0]);
        w->peer_count--;
    }
    p = &w->peers[w->peer_count++];
    *p = (struct drill_peer){.local = what->local,
                             .remote = what->remote,
                             .data_in = -1,
                             .data_out = -1,
                             .ack_in = -1,
                             .ack_out = -1};
    return p;
}

static void note_segment_in(struct drill_peer *p, const struct sanwo_observation *what)
{
    if (what->payload_length) {
        p->data_segments_in++;
        p->data_in = what->now;
    }
    if (what->flags & 0x10)
        p->ack_in = what->now;
}

static void note_segment_out(struct drill_peer *p, const struct sanwo_observation *what)
{
    if (what->payload_length) {
        p->data_segments_out++;
        p->data_out = what->now;
    }
    if (what->flags & 0x10)
        p->ack_out = what->now;
    if (what->window == 0 && !(what->flags & 0x04))
        p->zero_windows++;
}

static void note_state(struct drill_peer *p, const struct sanwo_observation *what)
{
    if (what->state == SANWO_TCP_CLOSED)
        p->last_state = what->old_state;
    p->state = what->state;
    p->reason = what->reason;
}

static void observe(void *context, const struct sanwo_observation *what)
{
    struct drill_world *w = context;
    struct drill_happening *h = &w->history[w->happened++ % DRILL_HISTORY];
    struct drill_peer *p = peer_for(w, what);

    h->what = *what;
    if (what->options && what->options_length <= sizeof h->options)
        memcpy(h->options, what->options, what->options_length);
    h->what.options = NULL; /* they were the stack's; those of this entry are in h->options */
    if (p && what->kind == SANWO_OBSERVE_SEGMENT_IN)
        note_segment_in(p, what);
    else if (p && what->kind == SANWO_OBSERVE_SEGMENT_OUT)
        note_segment_out(p, what);
    else if (p && what->kind == SANWO_OBSERVE_STATE)
        note_state(p, what);
    else if (p && what->kind == SANWO_OBSERVE_LOSS)
        p->losses++;
    if (w->trace)
        w->trace(w->trace_context, what);
}

/* ---- the stack --------------------------------------------------------------------------------- */

static void small_config(struct sanwo_stack_config *c, struct drill_world *w)
{
    sanwo_stack_config_default(c);
    c->deterministic = true;
    c->budget = BUDGET;
    c->max_connections = 256;
    c->max_half_open = 256;
    c->max_time_wait = 64;
    c->max_listeners = 16;
    c->max_links = 1;
    c->max_addresses = 8;
    c->max_routes = 8;
    c->max_neighbours = 8;
    c->max_replies = 64;
    c->observer = (struct sanwo_observer){observe, w};
}

bool sw_drill_world_init(struct drill_world *w)
{
    struct sanwo_stack_config config;

    memset(w, 0, sizeof *w);
    small_config(&config, w);
    w->region_size = sanwo_stack_region_size(&config);
    w->region = sanwo_region_reserve(w->region_size);
    return w->region != NULL;
}

void sw_drill_world_free(struct drill_world *w)
{
    sw_drill_world_end(w);
    sanwo_region_release(w->region, w->region_size);
    free(w->bytes);
    free(w->emitted);
    memset(w, 0, sizeof *w);
}

static bool add_default_route(struct drill_world *w, uint8_t family)
{
    struct sanwo_address any = {.family = family}, none = {0};

    return sanwo_stack_route_add(w->stack, &any, 0, &none, w->driver->number) >= 0;
}

static bool open_link(struct drill_world *w, const struct drill_world_config *config, char *message,
                      size_t message_size)
{
    struct sanwo_driver *recorder;

    w->driver = feed_create(w, config->mtu);
    if (!w->driver) {
        snprintf(message, message_size, "no memory");
        return false;
    }
    if (config->pcap) {
        int result =
            sanwo_pcapng_create(w->driver, config->pcap, 0, &recorder, message, message_size);
        if (result < 0)
            return false;
        w->driver = recorder;
    }
    if (sanwo_driver_attach(w->driver, w->stack) < 0 ||
        sanwo_stack_address_add(w->stack, w->driver->number, &config->local,
                                config->prefix_length) < 0 ||
        !add_default_route(w, config->local.family)) {
        snprintf(message, message_size, "the stack refuses the link: mtu or address out of range");
        return false;
    }
    return true;
}

bool sw_drill_world_begin(struct drill_world *w, const struct drill_world_config *config,
                          char *message, size_t message_size)
{
    struct sanwo_stack_config c;
    int result;

    small_config(&c, w);
    c.tcp = config->tcp;
    w->now = 0;
    w->stuck = false;
    w->bytes_used = w->emitted_count = w->taken = w->peer_count = 0;
    w->happened = 0;
    w->has_incoming = false;
    result = sanwo_stack_create(w->region, w->region_size, &c, 0, &w->stack);
    if (result < 0) {
        w->stack = NULL;
        snprintf(message, message_size, "the stack refuses its configuration: %s",
                 sanwo_error_text(result));
        return false;
    }
    return open_link(w, config, message, message_size);
}

void sw_drill_world_end(struct drill_world *w)
{
    sanwo_driver_destroy(w->driver);
    w->driver = NULL;
    w->stack = NULL;
}

/* ---- time ---------------------------------------------------------------------------------------- */

static size_t move_out(struct drill_world *w)
{
    struct sanwo_frame frames[BATCH];
    size_t total = 0, n;

    while ((n = sanwo_stack_transmit(w->stack, frames, BATCH, w->now)) > 0) {
        w->driver->ops->transmit(w->driver, frames, n, w->now); /* the feed takes them all */
        total += n;
    }
    return total;
}

static size_t take_events(struct drill_world *w)
{
    struct sanwo_event events[BATCH];
    size_t total = 0, n;

    while ((n = sanwo_stack_events(w->stack, events, BATCH)) > 0) {
        total += n;
        for (size_t i = 0; i < n && w->sleepers.event; i++)
            w->sleepers.event(w->sleepers.context, &events[i]);
    }
    return total;
}

void sw_drill_world_settle(struct drill_world *w)
{
    for (unsigned round = 0; round < MOST_ROUNDS; round++) {
        size_t moved = move_out(w) + take_events(w);
        bool resumed = w->sleepers.resume && w->sleepers.resume(w->sleepers.context);

        if (!moved && !resumed) {
            w->stuck |= sanwo_stack_deadline(w->stack) <= w->now;
            return;
        }
    }
    w->stuck = true;
}

void sw_drill_world_inject(struct drill_world *w, const uint8_t *packet, size_t length)
{
    struct sanwo_frame frame;
    int n;

    memset(&w->incoming, 0, sizeof w->incoming);
    w->incoming.length = (uint32_t)length;
    w->incoming.slice_count = 1;
    w->incoming.slices[0] = (struct sanwo_slice){packet, (uint32_t)length, 0};
    w->has_incoming = true;
    n = w->driver->ops->receive(w->driver, &frame, 1, w->now);
    if (n > 0)
        sanwo_stack_receive(w->stack, &frame, (size_t)n, w->now);
}

static sanwo_time next_deadline(const struct drill_world *w)
{
    sanwo_time stack = sanwo_stack_deadline(w->stack);
    sanwo_time calls =
        w->sleepers.deadline ? w->sleepers.deadline(w->sleepers.context) : SANWO_TIME_NEVER;

    return stack < calls ? stack : calls;
}

bool sw_drill_world_step(struct drill_world *w, sanwo_time limit)
{
    sanwo_time next = next_deadline(w);

    if (w->stuck || next == SANWO_TIME_NEVER || next > limit)
        return false;
    if (next > w->now)
        w->now = next;
    sw_drill_world_settle(w);
    return true;
}

void sw_drill_world_advance(struct drill_world *w, sanwo_time until)
{
    while (sw_drill_world_step(w, until))
        ;
    if (until > w->now)
        w->now = until;
}

const struct drill_emitted *sw_drill_world_next(const struct drill_world *w)
{
    return w->taken < w->emitted_count ? &w->emitted[w->taken] : NULL;
}
