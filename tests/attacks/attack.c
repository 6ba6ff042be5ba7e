/*
 * attack.c - Turning the crank: hostile packets in, honest ones after their delay, the budget looked at.
 */
#include "attacks/attack.h"

#include <stdlib.h>

#include <sanwo/driver.h>

#define START SANWO_SEC(1000)
#define STEP SANWO_USEC(200) /* a loop does not wake up more often */
#define PATTERN_PERIOD 4093
#define PATTERN_LENGTH (16384 + PATTERN_PERIOD)
#define SPARE_SLAB 65536 /* each kind of object may keep one empty slab */

struct attack_packet {
    struct attack_packet *next;
    sanwo_time due;
    uint32_t length;
    uint8_t bytes[];
};

static const uint8_t victim_mac[6] = {2, 0, 0, 0, 0, 1}, honest_mac[6] = {2, 0, 0, 0, 0, 2};

uint32_t attack_scale(uint32_t full, uint32_t quick)
{
    return getenv("SANWO_LONG") ? full : quick;
}

uint32_t attack_random(struct attack *a)
{
    uint64_t x = (a->random += UINT64_C(0x9e3779b97f4a7c15));
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(x >> 32);
}

const uint8_t *attack_pattern(uint64_t offset)
{
    static uint8_t table[PATTERN_LENGTH];
    for (unsigned i = 0; !table[PATTERN_LENGTH - 1] && i < PATTERN_LENGTH; i++)
        table[i] = (uint8_t)(1 + (i % PATTERN_PERIOD * UINT32_C(2654435761) >> 25));
    return table + offset % PATTERN_PERIOD;
}

struct sanwo_stack_stats attack_stats(const struct attack *a)
{
    struct sanwo_stack_stats stats;
    sanwo_stack_stats(a->victim, &stats);
    return stats;
}

/* The promise of all these tests. */
static void check_budget(const struct attack *a)
{
    struct sanwo_stack_stats stats = attack_stats(a);
    assert_true(stats.memory_budget == a->config.budget);
    assert_in_range(stats.memory_used, 0, a->config.budget);
    assert_in_range(stats.memory_peak, stats.memory_used, a->config.budget);
}

/* ---- life ----------------------------------------------------------------------------------------- */

void attack_init(struct attack *a)
{
    memset(a, 0, sizeof(*a));
    a->now = START;
    a->backlog = 1024;
    a->transfer_size = 200000;
    sanwo_stack_config_default(&a->config);
    a->config.deterministic = true;
    a->config.budget = ATTACK_BUDGET;
    a->config.max_connections = ATTACK_CROWD + 10000;
    a->honest_config = a->config;
    a->honest_config.seed[0] = 1;
    a->honest_config.ephemeral_first = 1024;
    a->honest_config.ephemeral_last = 65535;
}

static struct sanwo_stack *make_stack(const struct sanwo_stack_config *config, sanwo_time now,
                                      void **region, size_t *size)
{
    struct sanwo_stack *stack = NULL;
    *size = sanwo_stack_region_size(config);
    *region = sanwo_region_reserve(*size);
    assert_non_null(*region);
    assert_int_equal(sanwo_stack_create(*region, *size, config, now, &stack), 0);
    return stack;
}

static struct sanwo_address address_of(uint32_t ipv4)
{
    return sanwo_address_ipv4((uint8_t)(ipv4 >> 24), (uint8_t)(ipv4 >> 16), (uint8_t)(ipv4 >> 8),
                              (uint8_t)ipv4);
}

static void connect_link(struct sanwo_stack *stack, bool ethernet, uint32_t ipv4)
{
    struct sanwo_link_config link = {.name = "net", .kind = SANWO_LINK_IP, .mtu = 1500};
    struct sanwo_address own = address_of(ipv4), all = address_of(0), none = {{0}, 0, 0, {0}};
    if (ethernet)
        link.kind = SANWO_LINK_ETHERNET;
    memcpy(link.mac, victim_mac, 6);
    assert_int_equal(sanwo_stack_link_add(stack, &link), 0);
    assert_int_equal(sanwo_stack_address_add(stack, 0, &own, 8), 0);
    assert_int_equal(sanwo_stack_route_add(stack, &all, 0, &none, 0), 0);
}

void attack_start(struct attack *a)
{
    a->victim = make_stack(&a->config, a->now, &a->region, &a->region_size);
    a->honest_stack =
        make_stack(&a->honest_config, a->now, &a->honest_region, &a->honest_region_size);
    connect_link(a->victim, a->ethernet, VICTIM_ADDRESS);
    connect_link(a->honest_stack, false, HONEST_ADDRESS);
    server_start(a);
    a->next_tick = a->now;
}

static void empty_wire(struct attack_wire *wire)
{
    while (wire->first) {
        struct attack_packet *packet = wire->first;
        wire->first = packet->next;
        free(packet);
    }
}

void attack_drop(struct attack *a)
{
    honest_free(a);
    free(a->server.table);
    empty_wire(&a->to_victim);
    empty_wire(&a->to_honest);
    free(a->queue.bytes);
    free(a->taken.bytes);
    sanwo_region_release(a->region, a->region_size);
    sanwo_region_release(a->honest_region, a->honest_region_size);
}

void attack_finish(struct attack *a)
{
    a->tick = NULL;
    a->seen = NULL;
    honest_stop(a);
    server_close_all(a, true);
    server_stop(a);
    attack_run(a, SANWO_SEC(700));
    struct sanwo_stack_stats stats = attack_stats(a);
    assert_int_equal(stats.connections + stats.half_open + stats.time_wait + stats.listeners, 0);
    assert_int_equal(stats.memory_used % 16384, 0);
    assert_in_range(stats.memory_used, 0, 4 * SPARE_SLAB);
    attack_drop(a);
}

/* ---- packets -------------------------------------------------------------------------------------- */

void attack_send_raw(struct attack *a, const uint8_t *packet, size_t length)
{
    struct attack_packets *q = &a->queue;
    if (q->used + length + 2 > q->size) {
        q->size = q->size ? q->size * 2 : 65536;
        q->bytes = realloc(q->bytes, q->size);
        assert_non_null(q->bytes);
    }
    hostile_put16(q->bytes + q->used, (uint32_t)length);
    memcpy(q->bytes + q->used + 2, packet, length);
    q->used += length + 2;
    q->count++;
}

void attack_send(struct attack *a, const struct hostile_segment *seg)
{
    uint8_t packet[14 + HOSTILE_MAX];
    uint8_t *ip = packet + (a->ethernet ? 14 : 0);
    size_t length = hostile_write(seg, ip);
    if (a->ethernet) {
        memcpy(packet, victim_mac, 6);
        memcpy(packet + 6, honest_mac, 6);
        hostile_put16(packet + 12, 0x0800);
        length += 14;
    }
    attack_send_raw(a, packet, length);
}

static void put_on_wire(struct attack_wire *wire, const struct sanwo_frame *frame, unsigned skip,
                        const uint8_t *prefix, sanwo_time due)
{
    struct attack_packet *packet = malloc(sizeof(*packet) + frame->length + 14);
    uint8_t bytes[2048];
    assert_in_range(frame->length, skip, sizeof(bytes));
    sanwo_frame_copy(frame, bytes);
    unsigned more = prefix ? 14 : 0;
    *packet = (struct attack_packet){.due = due, .length = frame->length - skip + more};
    if (prefix)
        memcpy(packet->bytes, prefix, 14);
    memcpy(packet->bytes + more, bytes + skip, frame->length - skip);
    if (wire->last && wire->first)
        wire->last->next = packet;
    else
        wire->first = packet;
    wire->last = packet;
    wire->carried += frame->length;
}

static struct sanwo_frame frame_of(const uint8_t *bytes, size_t length)
{
    struct sanwo_frame frame = {.length = (uint32_t)length, .slice_count = 1};
    frame.slices[0].bytes = bytes;
    frame.slices[0].length = (uint32_t)length;
    return frame;
}

/* What is due, to its stack. */
static bool take_from_wire(struct attack_wire *wire, struct sanwo_stack *stack, sanwo_time now)
{
    bool any = false;
    while (wire->first && wire->first->due <= now) {
        struct attack_packet *packet = wire->first;
        struct sanwo_frame frame = frame_of(packet->bytes, packet->length);
        wire->first = packet->next;
        sanwo_stack_receive(stack, &frame, 1, now);
        free(packet);
        any = true;
    }
    return any;
}

/* The honest host and nobody else answers. */
static void answer_arp(struct attack *a, const uint8_t *ask)
{
    uint8_t reply[60] = {0};
    if (hostile_get16(ask + 20) != 1)
        return;
    a->arp_asked++;
    if (hostile_get32(ask + 38) != HONEST_ADDRESS)
        return;
    a->arp_answered++;
    memcpy(reply, ask + 6, 6);
    memcpy(reply + 6, honest_mac, 6);
    memcpy(reply + 12, ask + 12, 8);
    hostile_put16(reply + 20, 2);
    memcpy(reply + 22, honest_mac, 6);
    hostile_put32(reply + 28, HONEST_ADDRESS);
    memcpy(reply + 32, ask + 22, 10);
    attack_send_raw(a, reply, 60);
}

static void route(struct attack *a, const struct sanwo_frame *frame)
{
    uint8_t bytes[2048];
    unsigned skip = a->ethernet ? 14 : 0;
    assert_int_equal(frame->checksum, SANWO_CHECKSUM_NONE);
    assert_in_range(frame->length, skip + 20, sizeof(bytes));
    sanwo_frame_copy(frame, bytes);
    if (skip && hostile_get16(bytes + 12) == 0x0806) {
        answer_arp(a, bytes);
        return;
    }
    if (hostile_get32(bytes + skip + 16) == HONEST_ADDRESS) {
        put_on_wire(&a->to_honest, frame, skip, NULL, a->now + ATTACK_DELAY);
        return;
    }
    struct hostile_segment seg;
    a->answers++;
    a->answer_bytes += frame->length - skip;
    if (hostile_read(bytes + skip, frame->length - skip, &seg)) {
        if (a->seen)
            a->seen(a, &seg);
    } else if (a->seen_other) {
        a->seen_other(a, bytes + skip, frame->length - skip);
    }
}

static bool drain(struct attack *a, struct sanwo_stack *stack)
{
    struct sanwo_frame frames[ATTACK_BATCH];
    uint8_t ethernet[14] = {0};
    bool any = false;
    size_t n;
    memcpy(ethernet, victim_mac, 6);
    memcpy(ethernet + 6, honest_mac, 6);
    hostile_put16(ethernet + 12, 0x0800);
    while ((n = sanwo_stack_transmit(stack, frames, ATTACK_BATCH, a->now)) > 0) {
        for (size_t i = 0; i < n; i++)
            if (stack == a->victim)
                route(a, &frames[i]);
            else
                put_on_wire(&a->to_victim, &frames[i], 0, a->ethernet ? ethernet : NULL,
                            a->now + ATTACK_DELAY);
        sanwo_stack_sent(stack, frames, n);
        check_budget(a);
        any = true;
    }
    return any;
}

/* What the crowd sent, a batch at a time. What is answered is sent in between, as a loop does. */
static bool deliver(struct attack *a)
{
    struct sanwo_frame frames[ATTACK_BATCH];
    struct attack_packets work = a->queue;
    size_t at = 0, n;
    if (!work.count)
        return false;
    a->queue = a->taken; /* answers to answers go there */
    a->queue.used = a->queue.count = 0;
    while (at < work.used) {
        for (n = 0; n < ATTACK_BATCH && at < work.used; n++) {
            size_t length = hostile_get16(work.bytes + at);
            frames[n] = frame_of(work.bytes + at + 2, length);
            a->hostile_bytes += length - (a->ethernet ? 14 : 0);
            at += length + 2;
        }
        a->hostile_packets += n;
        sanwo_stack_receive(a->victim, frames, n, a->now);
        check_budget(a);
        server_turn(a);
        drain(a, a->victim);
    }
    a->taken = work;
    return true;
}

void attack_flush(struct attack *a)
{
    while (deliver(a))
        ;
}

void attack_settle(struct attack *a)
{
    bool any = true;
    for (unsigned turns = 0; any; turns++) {
        assert_in_range(turns, 0, 100000); /* no end of work at one instant */
        any = deliver(a);
        any |= take_from_wire(&a->to_victim, a->victim, a->now);
        any |= take_from_wire(&a->to_honest, a->honest_stack, a->now);
        any |= server_turn(a);
        any |= honest_turn(a);
        any |= drain(a, a->victim);
        any |= drain(a, a->honest_stack);
    }
}

static sanwo_time earlier(sanwo_time x, sanwo_time y)
{
    return x < y ? x : y;
}

static sanwo_time next_time(const struct attack *a, sanwo_time until)
{
    sanwo_time next = earlier(until, sanwo_stack_deadline(a->victim));
    next = earlier(next, sanwo_stack_deadline(a->honest_stack));
    next = earlier(next, honest_deadline(a));
    if (a->tick)
        next = earlier(next, a->next_tick);
    if (next < a->now + STEP)
        next = earlier(a->now + STEP, until);
    /* Packets on the wire are on time: a connect time is measured by them. */
    if (a->to_victim.first)
        next = earlier(next, a->to_victim.first->due);
    if (a->to_honest.first)
        next = earlier(next, a->to_honest.first->due);
    return next;
}

void attack_run(struct attack *a, sanwo_time duration)
{
    sanwo_time until = a->now + duration;
    for (;;) {
        if (a->tick && a->next_tick <= a->now) {
            a->next_tick += a->tick_every;
            a->tick(a);
        }
        attack_settle(a);
        if (a->now >= until)
            return;
        a->now = next_time(a, until);
    }
}
