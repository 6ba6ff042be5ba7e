/*
 * faults.c - See faults.h.
 */
#include <stdlib.h>
#include <string.h>

#include "faults.h"
#include "sim/check.h"

bool long_run(void)
{
    const char *text = getenv("SANWO_LONG");

    return text != NULL && *text != '\0' && *text != '0';
}

void faults_config(struct world_config *c, const char *name)
{
    check_config(c, name);
    c->observed = false; /* nobody looks at the hash */
}

/* ends_on_event() wants to know whose an event is. */
void faults_adopt(struct world *w, unsigned side, struct world_end *end, struct sanwo_handle handle)
{
    *end = (struct world_end){
        .world = w, .side = side, .open = true, .plan = {.ending = WORLD_STAY}, .handle = handle};
}

struct world *faults_world(const char *name, uint64_t salt, sanwo_time delay)
{
    const struct sanwo_emulator_path path = {.delay = delay};
    struct world_config c;

    faults_config(&c, name);
    world_config_path(&c, &path);
    c.salt = salt;
    return world_create(&c);
}

/* ---- the network -------------------------------------------------------------------------------- */

void faults_set_path(struct world *w, const struct sanwo_emulator_path *path)
{
    static const struct sanwo_emulator_path none;

    for (int side = 0; side < 2; side++)
        sanwo_emulator_configure(w->host[side].emulator, path, &none);
}

void faults_calm(struct world *w, sanwo_time delay)
{
    const struct sanwo_emulator_path path = {.delay = delay};

    faults_set_path(w, &path);
}

void faults_mute(struct world *w, unsigned side, bool lost, sanwo_time delay)
{
    const struct sanwo_emulator_path out = {.delay = delay, .loss_ppm = lost ? 1000000 : 0};
    const struct sanwo_emulator_path in = {0};

    sanwo_emulator_configure(w->host[side].emulator, &out, &in);
}

void faults_set_wire(struct world *w, bool up)
{
    for (int side = 0; side < 2; side++)
        sanwo_emulator_set_up(w->host[side].emulator, up);
}

/* ---- looking -------------------------------------------------------------------------------------- */

uint64_t faults_received(const struct world *w)
{
    uint64_t sum = 0;

    for (const struct world_end *end = w->ends; end != NULL; end = end->next)
        sum += end->received;
    return sum;
}

void faults_run_until_received(struct world *w, uint64_t bytes)
{
    uint64_t before = faults_received(w);
    sanwo_time end = world_now(w) + SANWO_SEC(3600);

    while (faults_received(w) < before + bytes) {
        if (world_now(w) >= end)
            world_fail(w, "nothing arrived for an hour");
        world_run(w, SANWO_MSEC(1));
    }
}

void faults_run_until_accepted(struct world *w, const struct world_talk *talk)
{
    sanwo_time end = world_now(w) + SANWO_SEC(200); /* a TIME-WAIT may be in its way */

    while (talk->end[1] == NULL || !talk->end[0]->connected) {
        if (world_now(w) >= end)
            world_fail(w, "not accepted");
        world_run(w, SANWO_MSEC(1));
    }
}

struct sanwo_tcp_info faults_info(const struct world_end *end)
{
    struct sanwo_tcp_info info = {0};

    assert_int_equal(sanwo_tcp_info(end->world->host[end->side].stack, end->handle, &info), 0);
    return info;
}

struct sanwo_stack_stats faults_stats(const struct world *w, unsigned side)
{
    struct sanwo_stack_stats stats;

    world_stats(w, side, &stats);
    return stats;
}

unsigned faults_check_outcome(struct world *w)
{
    unsigned complete = 0;

    for (struct world_talk *talk = w->talks; talk != NULL; talk = talk->next) {
        const struct world_end *opener = talk->end[0], *acceptor = talk->end[1];

        if (opener->error != 0 || (acceptor != NULL && acceptor->error != 0))
            continue;
        if (opener->plan.ending != WORLD_SHUTDOWN || talk->acceptor_plan.ending != WORLD_SHUTDOWN)
            continue; /* who leaves does not hear all, and may leave before the peer has heard */
        world_check_complete(w, talk);
        complete++;
    }
    return complete;
}

void faults_check_alive(struct world *w)
{
    struct world_plan both = {.send = 20000};

    for (unsigned side = 0; side < 2; side++) {
        int error;
        struct world_talk *talk = world_open(w, side, &both, &both, &error);

        if (talk == NULL)
            world_fail(w, "%c cannot connect: %s", 'A' + (int)side, sanwo_error_name(error));
        world_finish(w, SANWO_SEC(60));
        world_check_complete(w, talk);
    }
}

void faults_finish_complete(struct world *w, sanwo_time limit)
{
    world_finish(w, limit);
    world_check_all_complete(w);
    world_check_clean(w);
    world_destroy(w);
}

/* ---- counting ------------------------------------------------------------------------------------- */

static void count_timer(struct counts *c, unsigned side, const struct sanwo_observation *what)
{
    unsigned i = 0;

    c->timers[side][what->reason]++;
    if (what->now != c->instant)
        c->known = 0;
    c->instant = what->now;
    while (i < c->known && !(sanwo_handle_equal(c->fired[i].handle, what->handle) &&
                             c->fired[i].reason == what->reason && c->fired[i].side == side))
        i++;
    if (i == COUNT(c->fired))
        return;
    if (i == c->known) {
        c->known++;
        c->fired[i].handle = what->handle;
        c->fired[i].reason = what->reason;
        c->fired[i].side = (uint16_t)side;
        c->fired[i].times = 0;
    }
    if (++c->fired[i].times > c->most_of_one)
        c->most_of_one = c->fired[i].times;
}

static void count(void *context, unsigned side, const struct sanwo_observation *what)
{
    enum { RST = 4 };
    struct counts *c = context;

    switch (what->kind) {
    case SANWO_OBSERVE_TIMER:
        count_timer(c, side, what);
        break;
    case SANWO_OBSERVE_SEGMENT_OUT:
        c->sent[side]++;
        c->sent_bytes[side] += what->payload_length;
        c->resets[side] += (what->flags & RST) != 0;
        break;
    case SANWO_OBSERVE_ERROR:
        c->soft_errors[side]++;
        break;
    default:
        break;
    }
}

void counts_watch(struct world_config *config, struct counts *c)
{
    counts_clear(c);
    config->on_observation = count;
    config->context = c;
}

void counts_clear(struct counts *c)
{
    memset(c, 0, sizeof(*c));
}
