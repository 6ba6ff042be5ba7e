/*
 * stateful_world.c - The stack of the stateful target, its link, its clock, and its end.
 *
 *     configuration: | families, offloads, observer | budget, MTU, congestion control, MTU probing |
 *                    | offers | receive buffer, ECN |
 *                    | send buffer | origin of time, pacing, probes | MSS, scale, window | limits |
 *
 * 128 in the first byte: at the end the peer turns honest (stateful_settle.c). All zero is a stack
 * with defaults but for small buffers, over IPv4, with an MTU of 1500.
 */
#include "stateful.h"

#include <stdlib.h>

#define REGION_MAX (12u << 20)
#define FRAMES_AT_ONE_INSTANT 6000

/* ---- streams --------------------------------------------------------------------------------- */

/* A period of noise and the start of the next, so that a run of bytes is in one piece. */
static const uint8_t *noise(uint32_t seq)
{
    static uint8_t table[STREAM_PERIOD + MOST_BYTES];
    static bool made;
    uint32_t x = 0x12345678;
    for (uint32_t i = 0; !made && i < sizeof(table); i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        table[i] = i < STREAM_PERIOD ? (uint8_t)(x >> 11) : table[i - STREAM_PERIOD];
    }
    made = true;
    return table + seq % STREAM_PERIOD;
}

const uint8_t *stack_stream(unsigned flow, uint32_t seq)
{
    return noise(seq + flow * 4111u);
}

const uint8_t *peer_stream(unsigned flow, uint32_t seq, bool forged)
{
    return noise(seq + flow * 4111u + (forged ? 40503u : 20011u));
}

/* ---- creation -------------------------------------------------------------------------------- */

static uint32_t buffer_size(uint8_t byte)
{
    static const uint32_t sizes[] = {65536, 1024, 2920, 8192, 16384, 131072, 1u << 20, 4096};
    return sizes[byte & 7];
}

static void configure_tcp(struct sanwo_tcp_config *t, const uint8_t *c)
{
    static const uint16_t sizes[] = {0, 64, 536, 1000, 1460, 9000, 100, 65495};
    t->offer_timestamps = !(c[2] & 1);
    t->offer_sack = !(c[2] & 2);
    t->offer_window_scale = !(c[2] & 4);
    t->nagle = !(c[2] & 8);
    t->quick_ack = c[2] & 16;
    t->soft_errors = !(c[2] & 32);
    t->keepalive = c[2] & 64;
    if (c[2] & 128) {
        t->keepalive_idle = SANWO_SEC(3);
        t->keepalive_interval = SANWO_SEC(1);
        t->keepalive_probes = 3;
        t->user_timeout = SANWO_SEC(20);
    }
    t->receive_buffer = buffer_size(c[3]);
    t->ack_every = (uint8_t)((c[3] >> 3 & 3) + 1);
    if (c[3] & 32)
        t->msl = SANWO_MSEC(500);
    t->send_buffer = buffer_size(c[4]);
    t->syn_retries = c[4] & 32 ? 2 : t->syn_retries;
    t->syn_ack_retries = c[4] & 64 ? 1 : t->syn_ack_retries;
    t->syn_cookies = !(c[4] & 128);
    t->pacing = !(c[5] & 8);
    t->tail_loss_probe = !(c[5] & 16);
    t->idle_restart = !(c[6] & 16);
    t->remember_peers = c[5] & 128;
    if (c[5] & 32) { /* buffers that follow the path, from there to eight times as much */
        t->receive_buffer_start = t->receive_buffer;
        t->receive_buffer_max = 8 * t->receive_buffer;
        t->send_buffer_start = t->send_buffer;
        t->send_buffer_max = 8 * t->send_buffer;
        t->receive_buffer = t->send_buffer = 0;
    }
    t->mss = sizes[c[6] & 7];
    t->window_scale = c[6] & 8 ? (int8_t)(c[6] >> 4 & 14) : (int8_t)-1;
    t->initial_window = c[7] & 16 ? 2 : t->initial_window;
    t->mtu_probing = (uint8_t[]){1, 2, 0, 2}[c[1] >> 6];
    t->congestion = (uint8_t[]){SANWO_CONGESTION_CUBIC, SANWO_CONGESTION_NEWRENO,
                                SANWO_CONGESTION_BBR, SANWO_CONGESTION_DCTCP}[c[1] >> 4 & 3];
    t->ecn = (uint8_t[]){SANWO_ECN_ACCEPT, SANWO_ECN_OFF, SANWO_ECN_REQUEST,
                         SANWO_ECN_ACCURATE}[c[3] >> 6];
    if (c[7] & 32)
        memcpy(t->option_order, (uint8_t[]){8, 1, 3, 2, 4, 1}, 6);
}

static void configure(struct world *w, const uint8_t *c)
{
    static const uint32_t budgets[] = {1u << 20, 192u << 10, 256u << 10, 4u << 20};
    struct sanwo_stack_config *s = &w->config;
    sanwo_stack_config_default(s);
    s->deterministic = true;
    s->seed[0] = c[5];
    s->budget = budgets[c[1] & 3];
    s->max_connections = c[7] & 1 ? 3 : 24;
    s->max_half_open = c[7] & 2 ? 1 : 8;
    s->max_time_wait = c[7] & 4 ? 1 : 8;
    s->max_listeners = 6;
    s->max_replies = c[7] & 8 ? 1 : 16;
    s->max_links = 2;
    s->max_addresses = 4;
    s->max_routes = 6;
    s->max_neighbours = 4;
    s->reset_rate = c[7] & 64 ? 1 : 1000;
    s->icmp_rate = c[7] & 64 ? 1 : 100;
    s->answer_echo = !(c[7] & 128);
    if (!(c[0] & 64))
        s->observer.observe = check_observation;
    configure_tcp(&s->tcp, c);
}

static void add_address(struct world *w, const char *text, unsigned prefix)
{
    struct sanwo_address a;
    FUZZ_CHECK(sanwo_address_parse(text, &a), "an address");
    FUZZ_CHECK(sanwo_stack_address_add(w->stack, w->link, &a, prefix) == 0, "added");
}

static void add_link(struct world *w, const uint8_t *c)
{
    static const uint16_t mtus[] = {1500, 1280, 9000, 65535};
    struct sanwo_link_config link = {.kind = SANWO_LINK_IP};
    w->mtu = link.mtu = mtus[c[1] >> 2 & 3];
    if (c[0] & 2)
        link.offload |= SANWO_OFFLOAD_CHECKSUM;
    if (c[0] & 4)
        link.offload |= SANWO_OFFLOAD_CHECKSUM | SANWO_OFFLOAD_TSO4 | SANWO_OFFLOAD_TSO6;
    link.distrust_checksums = c[0] & 8;
    link.super_segment = c[0] & 16 ? 5000 : 0;
    int number = sanwo_stack_link_add(w->stack, &link);
    FUZZ_CHECK(number >= 0, "a link");
    w->link = (unsigned)number;
    add_address(w, "10.0.0.1", 24);
    add_address(w, "2001:db8::1", 64);
}

static void create_flows(struct world *w, const uint8_t *c)
{
    struct sanwo_address four = sanwo_address_ipv4(10, 0, 0, 2), six;
    struct sanwo_address our_four = sanwo_address_ipv4(10, 0, 0, 1), our_six;
    sanwo_address_parse("2001:db8::2", &six);
    sanwo_address_parse("2001:db8::1", &our_six);
    w->unreachable = sanwo_address_ipv4(9, 9, 9, 9);
    for (unsigned i = 0; i < FLOWS; i++) {
        struct far *f = &w->flows[i];
        bool ipv6 = c[0] & (i & 1 ? 1 : 32);
        f->theirs = (struct sanwo_endpoint){ipv6 ? six : four, (uint16_t)(FIRST_PORT + i)};
        f->ours = (struct sanwo_endpoint){ipv6 ? our_six : our_four, LISTEN_PORT};
        f->user = -1;
        f->window = 65535;
        f->mss = 1000;
        f->ts_base = c[5] & 64 ? 0xffffff00u : 1000;
        f->isn = f->nxt = 0xfffffe00u + i * 0x20000000u;
    }
}

void world_create(struct world *w, const uint8_t config[STATEFUL_RECORD])
{
    static const sanwo_time origins[] = {SANWO_SEC(1),
                                         0,
                                         SANWO_MSEC(INT64_C(0xffffffff) - 2000),
                                         SANWO_MSEC(INT64_C(0x7fffffff)),
                                         SANWO_SEC(INT64_C(0x7fffffff)),
                                         SANWO_SEC(INT64_C(0x100000000) - 3)};
    static uint8_t *regions[2];
    for (int i = 0; i < 2; i++) {
        if (!regions[i])
            regions[i] = aligned_alloc(4096, REGION_MAX);
        FUZZ_CHECK(regions[i], "memory");
    }
    memset(w, 0, sizeof(*w));
    w->region = regions[0];
    w->spare = regions[1];
    w->region_size = REGION_MAX;
    configure(w, config);
    w->settles = config[0] & 128;
    FUZZ_CHECK(sanwo_stack_region_size(&w->config) <= REGION_MAX, "the region is large enough");
    w->origin = w->now = origins[(config[5] & 7) % 6];
    int result = sanwo_stack_create(w->region, w->region_size, &w->config, w->now, &w->stack);
    FUZZ_CHECK(result == 0, "a stack");
    add_link(w, config);
    create_flows(w, config);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void take_frames(struct world *w, const struct sanwo_frame *frames, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check_frame(w, &frames[i]);
    for (size_t i = 0; i < n; i++) {
        if (w->holding && w->held_count < HELD_FRAMES)
            w->held[w->held_count++] = frames[i];
        else
            sanwo_stack_sent(w->stack, &frames[i], 1);
    }
}

static void take_events(struct world *w)
{
    struct sanwo_event events[4];
    size_t n;
    while ((n = sanwo_stack_events(w->stack, events, 4)) > 0)
        for (size_t i = 0; i < n; i++)
            check_event(w, &events[i]);
}

static unsigned transmit(struct world *w)
{
    struct sanwo_frame frames[8];
    unsigned total = 0;
    size_t n;
    while ((n = sanwo_stack_transmit(w->stack, frames, 8, w->now)) > 0) {
        take_frames(w, frames, n);
        total += (unsigned)n;
        FUZZ_CHECK(total < FRAMES_AT_ONE_INSTANT, "transmitting ends");
    }
    return total;
}

void world_pump(struct world *w)
{
    if (w->quiet) {
        w->quiet--;
        return;
    }
    if (!w->batch_left)
        peer_flush_batch(w);
    for (int round = 0; round < 40; round++) {
        transmit(w);
        take_events(w);
        if (!peer_deliver_due(w))
            break;
    }
    transmit(w);
    take_events(w);
    for (int i = 0; sanwo_stack_deadline(w->stack) <= w->now; i++) {
        FUZZ_CHECK(i < 8, "a deadline that is not over when it was served");
        transmit(w);
        take_events(w);
    }
}

void world_run_until(struct world *w, sanwo_time to)
{
    for (int i = 0; i < 300 && w->now < to; i++) {
        sanwo_time next = sanwo_stack_deadline(w->stack), wire = peer_deadline(w);
        if (wire < next)
            next = wire;
        if (next > to)
            break;
        if (next > w->now)
            w->now = next;
        w->quiet = 0;
        world_pump(w);
    }
    if (w->now < to)
        w->now = to;
}

/* ---- the end --------------------------------------------------------------------------------- */

void world_release(struct world *w, uint8_t salt)
{
    while (w->held_count) {
        unsigned i = salt % w->held_count;
        sanwo_stack_sent(w->stack, &w->held[i], 1);
        w->held[i] = w->held[--w->held_count];
    }
}

static void free_packets(struct packet *packets, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        free(packets[i].bytes);
}

void world_end(struct world *w)
{
    sanwo_stack_inject_fault(w->stack, 0);
    w->quiet = w->batch_left = 0;
    w->holding = false;
    world_release(w, 0);
    for (unsigned i = 0; i < FLOWS; i++)
        w->flows[i].automatic = false;
    for (unsigned i = 0; i < LISTENERS; i++)
        if (!sanwo_handle_is_none(w->listeners[i]))
            FUZZ_CHECK(!sanwo_tcp_close(w->stack, w->listeners[i], w->now), "a listener closes");
    for (unsigned i = 0; i < USERS; i++)
        if (w->users[i].used)
            call_let_go(w, &w->users[i], true);
    sanwo_stack_link_set_up(w->stack, w->link, true, w->now);
    world_pump(w);
    for (int i = 0; sanwo_stack_deadline(w->stack) != SANWO_TIME_NEVER; i++) {
        FUZZ_CHECK(i < 30000, "what nobody holds comes to an end");
        if (sanwo_stack_deadline(w->stack) > w->now)
            w->now = sanwo_stack_deadline(w->stack);
        world_pump(w);
    }
    check_nothing_left(w);
    free_packets(w->wire, w->wire_count);
    free_packets(w->history, HISTORY);
    for (unsigned i = 0; i < FLOWS; i++)
        free(w->flows[i].last);
}
