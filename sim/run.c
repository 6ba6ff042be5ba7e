/*
 * run.c - One world: warm up, faults and talks, healing, and what must hold then.
 *
 *     |-- warm --|-- faults: paths, episodes ----------|-- healed ---------|-- TIME-WAIT --|
 *                |-- talks opened --|                  | each talk ends    | nothing left
 *                                                        in order, or excused
 */
#include <string.h>

#include "run.h"

/* Longer than all back-offs, keep-alives and stalls of applications together. */
#define PATIENCE SANWO_SEC(6 * 3600)

struct run {
    const struct sim_draw *draw;
    struct world *world;
    struct chance chance; /* of the applications */
    struct sim_result *result;
    sanwo_time begin;
    sanwo_time jumped; /* so much of the time since then */
    unsigned dark;     /* directions that carry nothing now */
    uint16_t mtu;      /* of the path, 0: as wide as the links */
    bool silent;       /* too long frames vanish without a word */
    unsigned down;     /* links that are down, a bit each */
    struct world_talk *failed;
};

/* ---- acting ------------------------------------------------------------------------------------ */

/* Each emulator treats what its host sends. Twice damaged would be once too often for a checksum. */
static void set_paths(struct run *r, bool healed)
{
    const struct sanwo_emulator_path none = {0};

    for (unsigned side = 0; side < 2; side++) {
        const struct sim_draw *d = r->draw;
        struct sanwo_emulator_path path = healed ? d->config.path[side] : d->bad[side];

        if (!healed) {
            path.mtu = r->mtu;
            path.too_big = !r->silent;
            if (r->dark & 1u << side)
                path.loss_ppm = 1000000;
        }
        sanwo_emulator_configure(r->world->host[side].emulator, &path, &none);
    }
}

static void set_link(struct run *r, unsigned side, bool up)
{
    struct world_host *host = &r->world->host[side];

    if (up == !(r->down & 1u << side))
        return;
    r->down ^= 1u << side;
    r->result->flaps += !up;
    sanwo_emulator_set_up(host->emulator, up);
    sanwo_stack_link_set_up(host->stack, host->link->number, up, world_now(r->world));
}

static void reboot(struct run *r, unsigned side)
{
    struct world_host *host = &r->world->host[side];

    r->result->reboots++;
    world_reboot(r->world, side);
    /* A new stack's link is up. */
    if (r->down & 1u << side)
        sanwo_stack_link_set_up(host->stack, host->link->number, false, world_now(r->world));
    if (r->draw->fault_every[side] != 0)
        sanwo_stack_inject_fault(host->stack, 1);
}

/* No frame lives longer than an MSL (RFC 9293 3.4.1): what was under way before a long jump is gone. */
static void jump(struct run *r, sanwo_time by)
{
    for (unsigned side = 0; side < 2 && by > SANWO_SEC(30); side++) {
        struct sanwo_driver *emulator = r->world->host[side].emulator;

        if (emulator == NULL)
            continue;
        sanwo_emulator_set_up(emulator, false);
        sanwo_emulator_set_up(emulator, !(r->down & 1u << side));
    }
    r->result->jumps++;
    r->jumped += by;
    world_jump(r->world, by);
}

static void act(struct run *r, const struct sim_episode *e)
{
    if (r->world->failed)
        return;
    switch (e->act) {
    case SIM_PATHS:
        r->dark = e->value;
        if (!r->draw->config.direct)
            set_paths(r, false);
        break;
    case SIM_NARROW:
        r->mtu = e->value;
        r->silent = e->side != 0;
        set_paths(r, false);
        break;
    case SIM_LINK:
        set_link(r, e->side, e->value != 0);
        break;
    case SIM_BOOT:
        reboot(r, e->side);
        break;
    default:
        jump(r, e->time);
        break;
    }
}

/* Runs until @at since the beginning, jumps not counted. */
static void run_until(struct run *r, sanwo_time at)
{
    sanwo_time now = world_now(r->world) - r->begin - r->jumped;

    if (at > now)
        world_run(r->world, at - now);
}

static bool may_be_refused(const struct run *r, int error)
{
    return error == SANWO_ENOMEM && r->draw->may_fail;
}

static void open_talk(struct run *r)
{
    struct world *w = r->world;
    struct world_plan plans[2];
    struct world_talk *talk;
    int error = 0;

    sim_draw_plans(r->draw, &r->chance, plans);
    if ((r->draw->faults & SIM_BIT(SIM_BOTH)) && chance_hit(&r->chance, 500000))
        talk = world_open_both(w, plans, &error);
    else
        talk = world_open(w, (unsigned)chance_below(&r->chance, 2), &plans[0], &plans[1], &error);
    if (talk == NULL && !may_be_refused(r, error))
        world_fail(w, "connect: %s", sanwo_error_name(error));
}

/* ---- running ----------------------------------------------------------------------------------- */

static void begin_faults(struct run *r)
{
    struct world *w = r->world;

    r->begin = world_now(w);
    if (!r->draw->config.direct)
        sanwo_emulator_set_middlebox(w->host[0].emulator, &r->draw->box);
    for (int side = 0; side < 2; side++) {
        w->fault_every[side] = r->draw->fault_every[side];
        if (w->fault_every[side] != 0)
            sanwo_stack_inject_fault(w->host[side].stack, 1);
    }
}

/* Talks open and episodes happen, in the order of time. */
static void live(struct run *r)
{
    const struct sim_draw *d = r->draw;
    sanwo_time open_at = 0, gap = d->span / d->talks;
    size_t episode = 0;
    unsigned opened = 0;

    while ((episode < d->episode_count || opened < d->talks) && !r->world->failed) {
        bool is_episode = episode < d->episode_count &&
                          (opened == d->talks || d->episodes[episode].at <= open_at);

        run_until(r, is_episode ? d->episodes[episode].at : open_at);
        if (is_episode) {
            act(r, &d->episodes[episode++]);
        } else {
            open_talk(r);
            opened++;
            open_at += (sanwo_time)chance_below(&r->chance, 2 * (uint64_t)gap + 1);
        }
    }
    run_until(r, d->faulty);
}

static void heal(struct run *r)
{
    struct world *w = r->world;

    for (unsigned side = 0; side < 2; side++) {
        w->fault_every[side] = 0;
        sanwo_stack_inject_fault(w->host[side].stack, 0);
        if (w->failed)
            return;
        set_link(r, side, true);
    }
    if (r->draw->config.direct)
        return;
    set_paths(r, true);
    sanwo_emulator_set_middlebox(w->host[0].emulator, &r->draw->config.middlebox);
}

/* ---- judging ----------------------------------------------------------------------------------- */

static bool is_complete(const struct world_end *end, const struct world_end *peer)
{
    return end->error == 0 && end->eof && end->received == peer->plan.send &&
           end->sent == end->plan.send;
}

static bool leaves_early(const struct world_talk *talk)
{
    const struct world_plan *acceptor =
        talk->end[1] != NULL ? &talk->end[1]->plan : &talk->acceptor_plan;

    return talk->end[0]->plan.ending != WORLD_SHUTDOWN || acceptor->ending != WORLD_SHUTDOWN;
}

static bool is_excused(const struct sim_draw *d, int error)
{
    if (d->may_fail)
        return true;
    switch (error) {
    case SANWO_ETIMEDOUT:
        return d->may_time_out;
    case SANWO_EHOSTUNREACH:
    case SANWO_ENETUNREACH:
        return d->may_time_out && d->links_go;
    case SANWO_ECONNRESET:
    case SANWO_ECONNREFUSED:
        return d->may_be_reset;
    default:
        return false;
    }
}

static int talk_error(const struct world_talk *talk)
{
    int error = talk->end[0]->error;

    return error != 0 || talk->end[1] == NULL ? error : talk->end[1]->error;
}

static void judge_talk(struct run *r, struct world_talk *talk)
{
    const struct world_end *a = talk->end[0], *b = talk->end[1];
    bool vanished = a->vanished || (b != NULL && b->vanished);
    int error = talk_error(talk);

    r->result->talks++;
    r->result->ended[error < WORLD_ERRORS ? error : WORLD_ERRORS - 1]++;
    r->result->bytes += a->received + (b != NULL ? b->received : 0);
    if (b != NULL && is_complete(a, b) && is_complete(b, a))
        return;
    r->result->excused++;
    if (vanished || leaves_early(talk))
        return;
    if (error != 0 && is_excused(r->draw, error))
        return;
    if (error == 0 && r->draw->may_fail)
        return;
    r->failed = talk;
    world_fail(r->world, "talk %u: %s, without a fault that explains it", talk->number,
               error == 0 ? "incomplete" : sanwo_error_name(error));
}

static void judge(struct run *r)
{
    for (struct world_talk *talk = r->world->talks; talk != NULL && !r->world->failed;
         talk = talk->next)
        judge_talk(r, talk);
}

/* ---- accounting -------------------------------------------------------------------------------- */

static void add_network(struct sanwo_emulator_stats *sum, const struct sanwo_emulator_stats *s)
{
    const uint64_t *from = (const uint64_t *)s;
    uint64_t *to = (uint64_t *)sum;

    _Static_assert(sizeof(*s) % sizeof(uint64_t) == 0, "counters only");
    for (size_t i = 0; i < sizeof(*s) / sizeof(uint64_t); i++)
        to[i] += from[i];
}

static void account(struct run *r)
{
    struct sim_result *out = r->result;
    struct world *w = r->world;

    for (unsigned side = 0; side < 2; side++) {
        const struct world_host *host = &w->host[side];
        struct sanwo_emulator_stats network;
        struct sanwo_stack_stats stats;

        world_stats(w, side, &stats);
        out->segments += host->frames;
        out->refused += stats.memory_refused;
        out->retransmitted += stats.segments_retransmitted;
        if (host->worst > out->memory_peak) {
            out->memory_peak = host->worst;
            out->memory_budget = stats.memory_budget;
        }
        if (host->emulator != NULL) {
            sanwo_emulator_stats(host->emulator, &network);
            add_network(&out->network, &network);
        }
    }
    if (w->talks != NULL && w->talks->next != NULL && w->talks->next->next != NULL)
        out->port = w->talks->next->next->port; /* after those that warmed up */
    out->hash = w->hash;
    out->time = world_now(w);
}

/* Of the talk that a failure is about: told, or the first that is not at its end. */
static int failed_port(const struct run *r)
{
    const struct world *w = r->world;

    if (r->failed != NULL)
        return r->failed->port;
    if (w->failed_talk != NULL)
        return w->failed_talk->port;
    for (const struct world_end *end = w->ends; end != NULL; end = end->next)
        if (!end->finished && end->talk != NULL)
            return end->talk->port;
    return w->last_talk != NULL ? w->last_talk->port : 0;
}

static void account_failure(struct run *r, const struct sim_wish *wish)
{
    struct world *w = r->world;

    r->result->failed = true;
    memcpy(r->result->failure, w->failure, sizeof(w->failure));
    r->result->failed_at = world_now(w);
    r->result->port = failed_port(r);
    if (wish->description != NULL)
        world_describe(w, wish->description);
}

void sim_run(const struct sim_draw *d, const struct sim_wish *wish, struct sim_result *out)
{
    struct world_config config = d->config;
    struct run r = {.draw = d, .result = out};

    *out = (struct sim_result){0};
    config.ground = wish->ground;
    config.pcap = wish->pcap;
    config.on_observation = wish->on_observation;
    config.context = wish->context;
    chance_seed(&r.chance, "applications", config.salt);
    r.world = world_create(&config);
    r.world->rough = d->may_fail;
    r.world->links_go = d->links_go;
    world_warm_up(r.world);
    begin_faults(&r);
    if (wish->on_begin != NULL)
        wish->on_begin(wish->context, r.world);
    live(&r);
    heal(&r);
    world_finish(r.world, PATIENCE);
    judge(&r);
    world_check_clean(r.world);
    account(&r);
    if (r.world->failed)
        account_failure(&r, wish);
    world_destroy(r.world);
}

uint64_t sim_shrink(uint64_t faults, sim_fails fails, void *context)
{
    uint64_t before;

    do {
        before = faults;
        for (unsigned i = 0; i < SIM_FAULT_COUNT; i++)
            if ((faults & SIM_BIT(i)) && fails(context, faults & ~SIM_BIT(i)))
                faults &= ~SIM_BIT(i);
    } while (faults != before);
    return faults;
}
