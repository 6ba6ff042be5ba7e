/*
 * world.c - Making, running and judging a world. The applications are in ends.c.
 *
 * In the environment: WORLD_TRACE=1 prints all that is observed, WORLD_SALT=n makes every world of a
 * program another one (a failure prints both numbers that are needed to see it again).
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <sanwo/trace.h>

#include "check.h"
#include "ends.h"

#define SPARE_SLAB 16384u

enum { PORT = 7, MOST_AT_ONCE = 200000 };

static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
    const uint8_t *p = bytes;
    uint64_t word;

    for (; length >= 8; length -= 8, p += 8) {
        memcpy(&word, p, 8);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    word = length;
    memcpy(&word, p, length);
    hash = (hash ^ word) * UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ hash >> 31;
}

void chance_seed(struct chance *c, const char *name, uint64_t salt)
{
    c->state = mix(mix(UINT64_C(0x243f6a8885a308d3), name, strlen(name)), &salt, sizeof(salt));
}

/* SplitMix64 (Steele, Lea and Flood, 2014). */
uint64_t chance_next(struct chance *c)
{
    uint64_t z = c->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t chance_below(struct chance *c, uint64_t n)
{
    return n == 0 ? 0 : chance_next(c) % n;
}

bool chance_hit(struct chance *c, uint32_t ppm)
{
    return ppm != 0 && chance_below(c, 1000000) < ppm;
}

/* ---- watching ---------------------------------------------------------------------------------- */

void world_stats(const struct world *w, unsigned side, struct sanwo_stack_stats *out)
{
    sanwo_stack_stats(w->host[side].stack, out);
}

uint64_t world_memory(const struct world *w, unsigned side)
{
    struct sanwo_stack_stats stats;

    world_stats(w, side, &stats);
    return stats.memory_used;
}

/* The budget holds at every step (design.md 2). */
static void check_budget(struct world *w, unsigned side)
{
    struct sanwo_stack_stats stats;

    world_stats(w, side, &stats);
    if (stats.memory_used > stats.memory_budget || stats.memory_peak > stats.memory_budget)
        world_fail(w, "host %c uses %llu bytes of a budget of %llu", 'A' + (int)side,
                   (unsigned long long)stats.memory_used, (unsigned long long)stats.memory_budget);
    if (w->config.stack[side].budget != 0 && stats.memory_budget > w->config.stack[side].budget)
        world_fail(w, "the budget is not the configured one");
    if (w->fault_every[side] != 0 && stats.memory_refused != w->refused[side]) {
        w->refused[side] = stats.memory_refused;
        sanwo_stack_inject_fault(w->host[side].stack,
                                 1 + chance_below(&w->chance, 2 * w->fault_every[side]));
    }
}

static void hash_frames(struct world *w, const struct sanwo_frame *frames, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t shape[4] = {frames[i].length, frames[i].checksum, frames[i].segmentation,
                             frames[i].segment_size};

        w->hash = mix(w->hash, shape, sizeof(shape));
        for (size_t k = 0; k < frames[i].slice_count; k++)
            w->hash = mix(w->hash, frames[i].slices[k].bytes, frames[i].slices[k].length);
    }
}

/* A host that always has one more frame to send at the same instant will never stop. */
static void check_storm(struct world *w, struct world_watch *watch, size_t n, sanwo_time now)
{
    if (now != watch->instant)
        watch->count = 0;
    watch->instant = now;
    watch->count += n;
    if (watch->count > MOST_AT_ONCE)
        world_fail(w, "host %c sends without end", 'A' + (int)watch->side);
}

static int watch_receive(struct sanwo_driver *d, struct sanwo_frame *frames, size_t max,
                         sanwo_time now)
{
    struct world_watch *watch = (struct world_watch *)d;
    int n = d->inner->ops->receive(d->inner, frames, max, now);

    check_budget(watch->world, watch->side);
    return n;
}

static int watch_transmit(struct sanwo_driver *d, const struct sanwo_frame *frames, size_t n,
                          sanwo_time now)
{
    struct world_watch *watch = (struct world_watch *)d;
    struct world *w = watch->world;
    int taken;

    check_budget(w, watch->side);
    check_storm(w, watch, n, now);
    w->hash = mix(w->hash, &now, sizeof(now));
    hash_frames(w, frames, n); /* before the inner driver may give them back */
    taken = d->inner->ops->transmit(d->inner, frames, n, now);
    w->host[watch->side].frames += taken > 0 ? (uint64_t)taken : 0;
    d->blocked = d->inner->blocked;
    return taken;
}

static int watch_descriptor(const struct sanwo_driver *d)
{
    return d->inner->ops->descriptor(d->inner);
}

static sanwo_time watch_deadline(const struct sanwo_driver *d)
{
    return d->inner->ops->deadline(d->inner);
}

static void watch_destroy(struct sanwo_driver *d)
{
    sanwo_driver_destroy(d->inner);
    free(d);
}

static struct sanwo_driver *watch_create(struct world *w, unsigned side, struct sanwo_driver *inner)
{
    static const struct sanwo_driver_ops ops = {
        .name = "watch",
        .receive = watch_receive,
        .transmit = watch_transmit,
        .descriptor = watch_descriptor,
        .deadline = watch_deadline,
        .destroy = watch_destroy,
    };
    struct world_watch *watch = calloc(1, sizeof(*watch));

    assert_non_null(watch);
    watch->driver.ops = &ops;
    watch->driver.link = inner->link;
    watch->driver.inner = inner;
    watch->world = w;
    watch->side = side;
    inner->outer = &watch->driver;
    return &watch->driver;
}

static void print_observation(const struct world *w, const struct sanwo_observation *what)
{
    char line[256];

    sanwo_trace_format_line(what, line, sizeof(line));
    print_message("%c %s\n",
                  sanwo_address_equal(&what->local.address, &w->host[0].address) ? 'A' : 'B', line);
}

/* All but pointers, which differ from run to run. */
static void observe(void *context, const struct sanwo_observation *what)
{
    struct world *w = context;
    int64_t fields[] = {what->now,
                        what->kind,
                        what->state,
                        what->old_state,
                        what->reason,
                        what->handle.index,
                        what->handle.generation,
                        what->local.port,
                        what->remote.port,
                        what->value,
                        what->value2,
                        what->seq,
                        what->ack,
                        what->payload_length,
                        what->window,
                        what->urgent,
                        what->flags,
                        what->segment_size};

    w->hash = mix(w->hash, fields, sizeof(fields));
    if (w->trace)
        print_observation(w, what);
    if (what->options != NULL)
        w->hash = mix(w->hash, what->options, what->options_length);
}

/* ---- making ------------------------------------------------------------------------------------ */

void world_config_default(struct world_config *c, const char *name)
{
    *c = (struct world_config){
        .name = name, .family = SANWO_FAMILY_IPV4, .mtu = 1500, .backlog = 1024};
    for (int i = 0; i < 2; i++) {
        sanwo_stack_config_default(&c->stack[i]);
        c->stack[i].max_connections = 2048;
        c->stack[i].max_half_open = 2048;
        c->stack[i].max_time_wait = 2048;
    }
}

void world_config_path(struct world_config *c, const struct sanwo_emulator_path *path)
{
    c->path[0] = c->path[1] = *path;
}

static void add_address(struct world_host *host, const char *prefix)
{
    struct sanwo_address address;
    unsigned length;

    assert_true(sanwo_prefix_parse(prefix, &address, &length));
    assert_int_equal(sanwo_stack_address_add(host->stack, host->link->number, &address, length), 0);
}

/* A stack in the host's region, with its addresses and its listener. */
static void start_host(struct world *w, unsigned side)
{
    struct world_host *host = &w->host[side];
    struct sanwo_stack_config *config = &w->config.stack[side];
    struct sanwo_tcp_listen listen = {.local = {.port = PORT},
                                      .backlog = w->config.backlog,
                                      .isn_is_set = w->config.isn_is_set,
                                      .isn = w->config.isn[side]};
    sanwo_time now = w->clock != NULL ? world_now(w) : 0;

    for (size_t i = 0; i < sizeof(config->seed); i++)
        config->seed[i] = (uint8_t)chance_next(&w->chance);
    config->observer = (struct sanwo_observer){observe, w};
    assert_int_equal(sanwo_stack_create(host->region, host->region_size, config, now, &host->stack),
                     0);
    assert_true(sanwo_driver_attach(host->link, host->stack) >= 0);
    add_address(host, side == 0 ? "192.0.2.1/24" : "192.0.2.2/24");
    if (w->config.mtu >= 1280)
        add_address(host, side == 0 ? "2001:db8::1/64" : "2001:db8::2/64");
    if (w->config.family == SANWO_FAMILY_IPV4)
        sanwo_address_parse(side == 0 ? "192.0.2.1" : "192.0.2.2", &host->address);
    else
        sanwo_address_parse(side == 0 ? "2001:db8::1" : "2001:db8::2", &host->address);
    assert_int_equal(sanwo_tcp_listen(host->stack, &listen, now, &host->listener), 0);
}

static void start_clock(struct world *w, sanwo_time now)
{
    assert_int_equal(sanwo_virtual_create(now, &w->clock), 0);
    for (int side = 0; side < 2; side++) {
        struct world_host *host = &w->host[side];

        assert_int_equal(sanwo_virtual_add_stack(w->clock, host->stack, ends_on_event, w), 0);
        assert_int_equal(sanwo_virtual_add_driver(w->clock, host->link), 0);
    }
    w->timer = sanwo_virtual_add_timer(w->clock, ends_on_timer, w);
    w->timer_at = SANWO_TIME_NEVER;
    assert_true(w->timer >= 0);
}

/* Each host's emulator treats what the host sends. */
static struct sanwo_driver *make_link(struct world *w, unsigned side, struct sanwo_driver *wire)
{
    struct sanwo_emulator_config config = {.seed = chance_next(&w->chance),
                                           .out = w->config.path[side]};

    if (!w->config.direct) {
        assert_int_equal(sanwo_emulator_create(wire, &config, &wire), 0);
        w->host[side].emulator = wire;
    }
    return watch_create(w, side, wire);
}

struct world *world_create(const struct world_config *c)
{
    struct world *w = calloc(1, sizeof(*w));
    struct sanwo_driver *wire[2];

    assert_non_null(w);
    w->config = *c;
    w->trace = getenv("WORLD_TRACE") != NULL;
    if (getenv("WORLD_SALT") != NULL)
        w->config.salt += strtoull(getenv("WORLD_SALT"), NULL, 0) << 32;
    chance_seed(&w->chance, c->name, w->config.salt);
    w->text = malloc(WORLD_TEXT);
    assert_non_null(w->text);
    for (size_t i = 0; i + 8 <= WORLD_TEXT; i += 8) {
        uint64_t word = chance_next(&w->chance);

        memcpy(w->text + i, &word, 8);
    }
    assert_int_equal(sanwo_pair_create(c->mtu, c->offload, 0, &wire[0], &wire[1]), 0);
    for (unsigned side = 0; side < 2; side++) {
        struct world_host *host = &w->host[side];

        host->link = make_link(w, side, wire[side]);
        host->region_size = sanwo_stack_region_size(&c->stack[side]);
        host->region = sanwo_region_reserve(host->region_size);
        assert_non_null(host->region);
        start_host(w, side);
    }
    start_clock(w, 0);
    return w;
}

void world_destroy(struct world *w)
{
    sanwo_virtual_destroy(w->clock);
    for (int side = 0; side < 2; side++)
        sanwo_driver_destroy(w->host[side].link);
    for (int side = 0; side < 2; side++)
        sanwo_region_release(w->host[side].region, w->host[side].region_size);
    while (w->ends != NULL) {
        struct world_end *next = w->ends->next;

        free(w->ends);
        w->ends = next;
    }
    while (w->talks != NULL) {
        struct world_talk *next = w->talks->next;

        free(w->talks);
        w->talks = next;
    }
    free(w->text);
    free(w);
}

void world_reboot(struct world *w, unsigned side)
{
    /* Only emulators copy what they carry; else the old stack's frames would come back to the new. */
    assert_false(w->config.direct);
    for (struct world_end *end = w->ends; end != NULL; end = end->next)
        if (end->side == side && !end->finished)
            ends_vanish(end);
    start_host(w, side);
}

void world_jump(struct world *w, sanwo_time by)
{
    sanwo_time now = world_now(w) + by;

    sanwo_virtual_destroy(w->clock);
    start_clock(w, now);
    sanwo_virtual_set_timer(w->clock, w->timer, now);
}

/* ---- running ----------------------------------------------------------------------------------- */

sanwo_time world_now(const struct world *w)
{
    return sanwo_virtual_now(w->clock);
}

int world_run(struct world *w, sanwo_time time)
{
    int result = sanwo_virtual_run(w->clock, world_now(w) + time);

    if (result < 0)
        world_fail(w, "the loop ended with %d", result);
    return result;
}

void world_finish(struct world *w, sanwo_time limit)
{
    sanwo_time end = world_now(w) + limit;

    w->stop_when_finished = true;
    while (w->open_ends > 0) {
        if (world_now(w) >= end)
            world_fail(w, "not finished in time");
        /* Half-open connections may still come to be accepted, so "quiet" alone is no end. */
        if (world_run(w, end - world_now(w)) == 1 && w->open_ends > 0)
            world_fail(w, "stuck: nothing will ever move again");
    }
    w->stop_when_finished = false;
}

void world_check_clean(struct world *w)
{
    sanwo_time limit = SANWO_SEC(100000);

    if (world_run(w, limit) != 1)
        world_fail(w, "never quiet");
    for (unsigned side = 0; side < 2; side++) {
        struct sanwo_stack_stats s;

        world_stats(w, side, &s);
        if (s.connections != 0 || s.half_open != 0 || s.time_wait != 0)
            world_fail(w, "left behind at %c: %u connections, %u half-open, %u TIME-WAIT",
                       'A' + (int)side, s.connections, s.half_open, s.time_wait);
        if (sanwo_stack_deadline(w->host[side].stack) != SANWO_TIME_NEVER)
            world_fail(w, "%c still has a deadline", 'A' + (int)side);
        /* Each pool keeps one empty slab; of half-opens, TIME-WAITs or options there may be the first. */
        uint64_t more = s.memory_used - w->host[side].warm;
        if (w->host[side].warm != 0 && more != 0 && (more % SPARE_SLAB || more > 3 * SPARE_SLAB))
            world_fail(w, "%c uses %llu bytes, %llu when it was warm", 'A' + (int)side,
                       (unsigned long long)s.memory_used, (unsigned long long)w->host[side].warm);
    }
}

void world_warm_up(struct world *w)
{
    struct world_plan plan = {.send = 20000};

    for (unsigned side = 0; side < 2; side++) {
        assert_non_null(world_open(w, side, &plan, &plan, NULL));
        world_finish(w, SANWO_SEC(3600));
        world_check_clean(w);
    }
    for (unsigned side = 0; side < 2; side++)
        w->host[side].warm = world_memory(w, side);
}

/* ---- judging ----------------------------------------------------------------------------------- */

void world_check_complete(struct world *w, const struct world_talk *talk)
{
    for (int i = 0; i < 2; i++) {
        const struct world_end *end = talk->end[i], *peer = talk->end[!i];

        if (end == NULL)
            world_fail(w, "talk %u was never accepted", talk->number);
        if (end->error != 0 || !end->eof || end->received != peer->plan.send ||
            peer->sent != peer->plan.send)
            world_fail(w, "talk %u is not complete", talk->number);
    }
}

void world_check_all_complete(struct world *w)
{
    for (const struct world_talk *talk = w->talks; talk != NULL; talk = talk->next)
        world_check_complete(w, talk);
}

static void print_end(const struct world_end *end)
{
    struct sanwo_tcp_info i = {0};

    if (end->open)
        sanwo_tcp_info(end->world->host[end->side].stack, end->handle, &i);
    print_error("  talk %d %c%s: sent %llu of %llu, received %llu%s%s%s%s error %s", // NOLINT
                end->talk != NULL ? (int)end->talk->number : -1, 'A' + (int)end->side,
                end->opener ? " opener" : "", (unsigned long long)end->sent,
                (unsigned long long)end->plan.send, (unsigned long long)end->received,
                end->ended ? " ended" : "", end->eof ? " eof" : "", end->over ? " over" : "",
                end->finished ? " finished" : "", sanwo_error_name(end->error));
    if (end->open)
        print_error(" | %s una %u nxt %u wnd %u rcv %u wnd %u cwnd %u queued %u/%u limited %s",
                    sanwo_tcp_state_name(i.state), i.snd_una - i.iss, i.snd_nxt - i.iss, i.snd_wnd,
                    i.rcv_nxt - i.irs, i.rcv_wnd, i.cwnd, i.send_queued, i.receive_queued,
                    sanwo_reason_name(i.limited_by));
    print_error("\n");
}

static void print_reasons(const struct world *w)
{
    for (unsigned side = 0; side < 2; side++) {
        struct sanwo_stack_stats s;

        world_stats(w, side, &s);
        print_error("  %c: %u connections, %llu bytes of %llu;", 'A' + (int)side, s.connections,
                    (unsigned long long)s.memory_used, (unsigned long long)s.memory_budget);
        for (unsigned i = 0; i < SANWO_REASON_COUNT; i++)
            if (s.reasons[i] != 0)
                print_error(" %s %llu", sanwo_reason_name(i), (unsigned long long)s.reasons[i]);
        print_error("\n");
    }
}

void world_fail(struct world *w, const char *format, ...)
{
    unsigned shown = 0;
    char text[256];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    print_error("%s, WORLD_SALT %llu, salt %llu, at %.6f s: %s\n", w->config.name,
                (unsigned long long)w->config.salt >> 32,
                (unsigned long long)w->config.salt & UINT32_MAX, (double)world_now(w) / 1e9, text);
    for (unsigned i = 0; i < sizeof(w->errors) / sizeof(w->errors[0]); i++)
        if (w->errors[i] != 0)
            print_error("  %llu ends: %s\n", (unsigned long long)w->errors[i],
                        sanwo_error_name((int)i));
    for (const struct world_end *end = w->ends; end != NULL && shown < 20; end = end->next) {
        const struct world_end *peer = end->talk != NULL ? end->talk->end[end->opener] : NULL;

        if (end->finished && (end->error == 0 || end->talk == NULL) &&
            (peer == NULL || peer->finished))
            continue;
        print_end(end);
        shown++;
    }
    print_reasons(w);
    _fail(__FILE__, __LINE__);
    abort(); /* never reached: the compiler does not know */
}
