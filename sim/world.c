/*
 * world.c - Making and running a world. Judging is in judge.c, the applications in ends.c.
 *
 * In the environment: WORLD_TRACE=1 prints all that is observed, WORLD_SALT=n makes every world of a
 * program another one (a failure prints both numbers that are needed to see it again).
 */
#include <stdlib.h>
#include <string.h>

#include "inside.h"

void sim_must(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "the simulator cannot go on: %s\n", what);
    abort();
}

void *sim_calloc(size_t size)
{
    void *memory = calloc(1, size);

    sim_must(memory != NULL, "no memory");
    return memory;
}

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

/* ---- making ------------------------------------------------------------------------------------ */

void world_config_default(struct world_config *c, const char *name)
{
    *c = (struct world_config){
        .name = name, .family = SANWO_FAMILY_IPV4, .mtu = 1500, .backlog = 1024, .observed = true};
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

    sim_must(sanwo_prefix_parse(prefix, &address, &length) &&
                 sanwo_stack_address_add(host->stack, host->link->number, &address, length) == 0,
             "an address is refused");
}

/* A stack in the host's region, with its addresses and its listener. */
static void start_host(struct world *w, unsigned side)
{
    struct world_host *host = &w->host[side];
    struct sanwo_stack_config *config = &w->config.stack[side];
    struct sanwo_tcp_listen listen = {.local = {.port = WORLD_PORT},
                                      .backlog = w->config.backlog,
                                      .fast_open = w->config.fast_open_queue[side],
                                      .isn_is_set = w->config.isn_is_set,
                                      .isn = w->config.isn[side]};
    sanwo_time now = w->clock != NULL ? world_now(w) : 0;

    for (size_t i = 0; i < sizeof(config->seed); i++)
        config->seed[i] = (uint8_t)chance_next(&w->chance);
    if (w->config.observed || w->config.on_observation != NULL || w->trace)
        config->observer = (struct sanwo_observer){watch_observe, host};
    sim_must(sanwo_stack_create(host->region, host->region_size, config, now, &host->stack) == 0,
             "a stack's configuration is refused");
    host->boots++;
    sim_must(sanwo_driver_attach(host->link, host->stack) >= 0, "the link is refused");
    add_address(host, side == 0 ? "192.0.2.1/24" : "192.0.2.2/24");
    if (w->config.mtu >= 1280)
        add_address(host, side == 0 ? "2001:db8::1/64" : "2001:db8::2/64");
    if (w->config.family == SANWO_FAMILY_IPV4)
        sanwo_address_parse(side == 0 ? "192.0.2.1" : "192.0.2.2", &host->address);
    else
        sanwo_address_parse(side == 0 ? "2001:db8::1" : "2001:db8::2", &host->address);
    sim_must(sanwo_tcp_listen(host->stack, &listen, now, &host->listener) == 0,
             "the listener is refused");
}

static void start_clock(struct world *w, sanwo_time now)
{
    int result = sanwo_virtual_create(now, &w->clock);

    for (int side = 0; side < 2 && result == 0; side++) {
        struct world_host *host = &w->host[side];

        result = sanwo_virtual_add_stack(w->clock, host->stack, ends_on_event, w);
        if (result == 0)
            result = sanwo_virtual_add_driver(w->clock, host->link);
    }
    sim_must(result == 0, "no memory for a clock");
    w->timer = sanwo_virtual_add_timer(w->clock, ends_on_timer, w);
    w->timer_at = SANWO_TIME_NEVER;
    sim_must(w->timer >= 0, "no memory for a timer");
}

/* Each host's emulator treats what the host sends; the middlebox at A's door sees both directions. */
static struct sanwo_driver *make_link(struct world *w, unsigned side, struct sanwo_driver *wire)
{
    struct sanwo_emulator_config config = {.seed = chance_next(&w->chance),
                                           .out = w->config.path[side]};
    char message[160];

    if (side == 0)
        config.middlebox = w->config.middlebox;
    if (!w->config.direct) {
        sim_must(sanwo_emulator_create(wire, &config, &wire) == 0, "the network is refused");
        w->host[side].emulator = wire;
    }
    if (side == 0 && w->config.pcap != NULL &&
        sanwo_pcapng_create(wire, w->config.pcap, 0, &wire, message, sizeof(message)) < 0)
        sim_must(false, message);
    return watch_create(w, side, wire);
}

static uint8_t *make_text(struct chance *chance)
{
    uint8_t *text = sim_calloc(WORLD_TEXT);

    for (size_t i = 0; i + 8 <= WORLD_TEXT; i += 8) {
        uint64_t word = chance_next(chance);

        memcpy(text + i, &word, 8);
    }
    return text;
}

/* The text of a ground is the same for all of its worlds, whichever comes first. */
static void take_text(struct world *w)
{
    struct world_ground *ground = w->config.ground;
    struct chance chance;

    chance_seed(&chance, "text", 0);
    if (ground != NULL && ground->text == NULL)
        ground->text = make_text(&chance);
    w->text = ground != NULL ? ground->text : make_text(&chance);
}

static void take_region(struct world *w, unsigned side)
{
    struct world_ground *ground = w->config.ground;
    struct world_host *host = &w->host[side];

    host->region_size = sanwo_stack_region_size(&w->config.stack[side]);
    if (ground != NULL && ground->region_size[side] >= host->region_size) {
        host->region = ground->region[side];
        return;
    }
    if (ground != NULL)
        sanwo_region_release(ground->region[side], ground->region_size[side]);
    host->region = sanwo_region_reserve(host->region_size);
    sim_must(host->region != NULL, "no memory for a region");
    if (ground != NULL) {
        ground->region[side] = host->region;
        ground->region_size[side] = host->region_size;
    }
}

void world_ground_dispose(struct world_ground *ground)
{
    for (int side = 0; side < 2; side++)
        sanwo_region_release(ground->region[side], ground->region_size[side]);
    free(ground->text);
    *ground = (struct world_ground){0};
}

struct world *world_create(const struct world_config *c)
{
    struct world *w = sim_calloc(sizeof(*w));
    struct sanwo_driver *wire[2];

    w->config = *c;
    w->trace = getenv("WORLD_TRACE") != NULL;
    if (getenv("WORLD_SALT") != NULL)
        w->config.salt += strtoull(getenv("WORLD_SALT"), NULL, 0) << 32;
    chance_seed(&w->chance, c->name, w->config.salt);
    take_text(w);
    sim_must(sanwo_pair_create(c->mtu, c->offload, 0, &wire[0], &wire[1]) == 0,
             "the wire is refused");
    for (unsigned side = 0; side < 2; side++) {
        struct world_host *host = &w->host[side];

        host->world = w;
        host->side = side;
        host->link = make_link(w, side, wire[side]);
        take_region(w, side);
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
    for (int side = 0; side < 2 && w->config.ground == NULL; side++)
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
    if (w->config.ground == NULL)
        free(w->text);
    free(w);
}

/* ---- what befalls it ---------------------------------------------------------------------------- */

void world_reboot(struct world *w, unsigned side)
{
    struct sanwo_stack_stats stats;

    if (w->failed)
        return;
    world_stats(w, side, &stats);
    world_note_memory(w, side, &stats);
    /* Only emulators copy what they carry; else the old stack's frames would come back to the new. */
    sim_must(!w->config.direct, "hosts that meet directly cannot reboot");
    for (struct world_end *end = w->ends; end != NULL; end = end->next)
        if (end->side == side && !end->finished)
            ends_vanish(end);
    w->refused[side] = 0;
    start_host(w, side);
}

void world_jump(struct world *w, sanwo_time by)
{
    sanwo_time now = world_now(w) + by;

    if (w->failed)
        return;
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
    int result;

    if (w->failed)
        return 1;
    result = sanwo_virtual_run(w->clock, world_now(w) + time);
    if (result < 0)
        world_fail(w, "the loop ended with %d", result);
    return w->failed ? 1 : result;
}

void world_finish(struct world *w, sanwo_time limit)
{
    sanwo_time end = world_now(w) + limit;

    w->stop_when_finished = true;
    while (w->open_ends > 0 && !w->failed) {
        if (world_now(w) >= end)
            world_fail(w, "not finished in time");
        /* Half-open connections may still come to be accepted, so "quiet" alone is no end. */
        if (world_run(w, end - world_now(w)) == 1 && w->open_ends > 0)
            world_fail(w, "stuck: nothing will ever move again");
    }
    w->stop_when_finished = false;
}

void world_warm_up(struct world *w)
{
    struct world_plan plan = {.send = 20000};

    for (unsigned side = 0; side < 2; side++) {
        if (world_open(w, side, &plan, &plan, NULL) == NULL)
            world_fail(w, "the first connection is refused");
        world_finish(w, SANWO_SEC(3600));
        world_check_clean(w);
    }
    for (unsigned side = 0; side < 2; side++)
        w->host[side].warm = world_memory(w, side);
}
