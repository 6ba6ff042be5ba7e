/*
 * draw.c - The parameters of a world that has faults: size, hosts, network, middlebox, episodes.
 */
#include <stdlib.h>
#include <string.h>

#include "draw.h"

#define BUDGET_LEAST (256u * 1024)

/* ---- names ------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *meaning;
} kinds[SIM_FAULT_COUNT] = {
#define SIM_FAULT_ROW(name, text, meaning) {text, meaning},
    SIM_FAULTS(SIM_FAULT_ROW)
#undef SIM_FAULT_ROW
};

const char *sim_fault_name(unsigned fault)
{
    return fault < SIM_FAULT_COUNT ? kinds[fault].name : "?";
}

const char *sim_fault_meaning(unsigned fault)
{
    return fault < SIM_FAULT_COUNT ? kinds[fault].meaning : "?";
}

static bool add_kind(const char *text, size_t length, uint64_t *out)
{
    if (length == 4 && memcmp(text, "none", 4) == 0)
        return true;
    for (unsigned i = 0; i < SIM_FAULT_COUNT; i++) {
        if (strlen(kinds[i].name) == length && memcmp(kinds[i].name, text, length) == 0) {
            *out |= SIM_BIT(i);
            return true;
        }
    }
    return false;
}

bool sim_faults_parse(const char *text, uint64_t *out, const char **wrong)
{
    *out = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, ",");

        if (!add_kind(text, length, out)) {
            *wrong = text;
            return false;
        }
        text += length + (text[length] == ',');
    }
    return true;
}

char *sim_faults_format(uint64_t faults, char *out, size_t size)
{
    size_t at = 0;

    snprintf(out, size, "%s", faults == 0 ? "none" : "");
    for (unsigned i = 0; i < SIM_FAULT_COUNT && at < size; i++)
        if (faults & SIM_BIT(i))
            at += (size_t)snprintf(out + at, size - at, "%s%s", at > 0 ? "," : "", kinds[i].name);
    return out;
}

/* ---- chance ------------------------------------------------------------------------------------ */

static struct chance chance_of(const struct sim_draw *d, const char *name)
{
    struct chance c;

    chance_seed(&c, name, d->seed);
    c.state = chance_mix(c.state, &d->number, sizeof(d->number));
    return c;
}

static bool has(const struct sim_draw *d, enum sim_fault fault)
{
    return (d->faults & SIM_BIT(fault)) != 0;
}

static uint32_t ppm(struct chance *c, uint32_t least, uint32_t most)
{
    return (uint32_t)chance_scale(c, least, most);
}

static sanwo_time lasting(struct chance *c, sanwo_time least, sanwo_time most)
{
    return (sanwo_time)chance_scale(c, (uint64_t)least, (uint64_t)most);
}

/* ---- which kinds ------------------------------------------------------------------------------- */

/* A few worlds have no fault, most have some, and some have many at once. */
static uint64_t draw_kinds(const struct sim_draw *d, uint64_t allowed)
{
    static const uint32_t shares[] = {0, 30000, 80000, 80000, 150000, 300000};
    struct chance c = chance_of(d, "kinds");
    uint32_t share = shares[chance_below(&c, sizeof(shares) / sizeof(shares[0]))];
    uint64_t faults = 0;

    for (unsigned i = 0; i < SIM_FAULT_COUNT; i++)
        if (chance_hit(&c, i < SIM_SENDER ? share : 400000)) /* those are ways to send, no faults */
            faults |= SIM_BIT(i);
    faults &= allowed;
    /* Stacks that meet directly have no network, and frames by reference no reboots. */
    if (faults & SIM_BIT(SIM_DIRECT))
        faults &= SIM_BIT(SIM_DIRECT) | SIM_BIT(SIM_LATE) | SIM_BIT(SIM_JUMP) |
                  SIM_BIT(SIM_MEMORY) | SIM_BIT(SIM_REFUSE) | SIM_BIT(SIM_OPTIONS) |
                  SIM_BIT(SIM_ABORT) | SIM_BIT(SIM_CLOSE) | SIM_BIT(SIM_SLOW) | SIM_BIT(SIM_BOTH) |
                  SIM_BIT(SIM_URGENT) | SIM_BIT(SIM_SENDER) | SIM_BIT(SIM_ECN) |
                  SIM_BIT(SIM_FAST_OPEN) | SIM_BIT(SIM_PEERS);
    return faults;
}

/* ---- size -------------------------------------------------------------------------------------- */

static void draw_size(struct sim_draw *d)
{
    struct chance c = chance_of(d, "size");
    uint64_t kind = chance_below(&c, 10);

    if (kind < 3) { /* few that say much */
        d->talks = (unsigned)chance_between(&c, 1, 4);
        d->most_bytes = chance_between(&c, 1 << 20, 8 << 20);
    } else if (kind < 6) { /* a crowd */
        d->talks = (unsigned)chance_between(&c, 20, 150);
        d->most_bytes = chance_scale(&c, 1000, 100000);
    } else {
        d->talks = (unsigned)chance_between(&c, 1, 12);
        d->most_bytes = chance_scale(&c, 16, 400000);
    }
    d->span = lasting(&c, SANWO_MSEC(1), SANWO_SEC(30));
    d->faulty = lasting(&c, SANWO_SEC(1), SANWO_SEC(300));
    if (has(d, SIM_RATE) && d->most_bytes > 400000)
        d->most_bytes = 400000; /* virtual hours are cheap, but prove nothing more */
}

/* ---- the hosts --------------------------------------------------------------------------------- */

static void draw_tcp(struct sanwo_tcp_config *t, struct chance *c)
{
    t->offer_window_scale = !chance_hit(c, 200000);
    t->offer_timestamps = !chance_hit(c, 200000);
    t->offer_sack = !chance_hit(c, 300000);
    t->nagle = !chance_hit(c, 300000);
    t->quick_ack = chance_hit(c, 200000);
    t->syn_cookies = !chance_hit(c, 200000);
    if (chance_hit(c, 300000))
        t->send_buffer = (uint32_t)chance_scale(c, 2048, 4 << 20);
    if (chance_hit(c, 300000))
        t->receive_buffer = (uint32_t)chance_scale(c, 2048, 4 << 20);
    if (chance_hit(c, 200000))
        t->mss = (uint16_t)chance_scale(c, 300, 1460);
    if (chance_hit(c, 200000))
        t->initial_window = (uint8_t)chance_between(c, 1, 40);
    if (chance_hit(c, 200000))
        t->ack_every = (uint8_t)chance_between(c, 1, 8);
    if (chance_hit(c, 200000))
        t->delayed_ack = (sanwo_time)chance_between(c, SANWO_MSEC(1), SANWO_MSEC(499));
}

static void draw_options(struct sim_draw *d)
{
    struct chance c = chance_of(d, "options");
    struct world_config *w = &d->config;

    for (int i = 0; i < 2; i++) {
        draw_tcp(&w->stack[i].tcp, &c);
        w->isn[i] = 0u - (uint32_t)chance_scale(&c, 1, 4 << 20); /* soon over zero */
    }
    w->isn_is_set = chance_hit(&c, 500000);
    if (chance_hit(&c, 200000))
        w->backlog = (uint32_t)chance_between(&c, 4, 64);
}

/* Half of the worlds go without where nothing can end without a word. */
static void draw_keepalive(struct sim_draw *d)
{
    struct chance c = chance_of(d, "keepalive");
    const uint64_t harmless = SIM_BIT(SIM_JITTER) | SIM_BIT(SIM_RATE) | SIM_BIT(SIM_MTU) |
                              SIM_BIT(SIM_CLAMP) | SIM_BIT(SIM_BLEACH) | SIM_BIT(SIM_OPTIONS) |
                              SIM_BIT(SIM_SLOW) | SIM_BIT(SIM_URGENT) | SIM_BIT(SIM_SPLIT) |
                              SIM_BIT(SIM_STRIP) | SIM_BIT(SIM_SENDER) | SIM_BIT(SIM_ECN) |
                              SIM_BIT(SIM_PEERS);

    if ((d->faults & ~harmless) == 0 && chance_hit(&c, 500000))
        return;
    for (int i = 0; i < 2; i++) {
        struct sanwo_tcp_config *t = &d->config.stack[i].tcp;

        t->keepalive = true;
        t->keepalive_idle = lasting(&c, SANWO_SEC(20), SANWO_SEC(7200));
        t->keepalive_interval = lasting(&c, SANWO_SEC(5), SANWO_SEC(75));
    }
}

static void draw_memory(struct sim_draw *d)
{
    struct chance c = chance_of(d, "memory");

    for (int i = 0; i < 2; i++)
        if (has(d, SIM_MEMORY) && chance_hit(&c, 700000))
            d->config.stack[i].budget = chance_scale(&c, BUDGET_LEAST, 4 << 20);
    for (int i = 0; i < 2; i++)
        if (has(d, SIM_REFUSE) && chance_hit(&c, 700000))
            d->fault_every[i] = (uint32_t)chance_scale(&c, 4, 2000);
}

static void draw_hosts(struct sim_draw *d)
{
    struct chance c = chance_of(d, "hosts");
    struct world_config *w = &d->config;

    world_config_default(w, "sanwo sim");
    w->salt = d->seed * UINT64_C(0x9e3779b97f4a7c15) + d->number;
    w->observed = false;
    w->family = chance_hit(&c, 400000) ? SANWO_FAMILY_IPV6 : SANWO_FAMILY_IPV4;
    w->mtu = 1500;
    if (chance_hit(&c, 100000))
        w->mtu = (uint16_t)chance_between(&c, w->family == SANWO_FAMILY_IPV4 ? 576 : 1280, 9000);
    for (int i = 0; i < 2; i++)
        w->stack[i].budget = 32 << 20;
    draw_keepalive(d);
    if (has(d, SIM_OPTIONS))
        draw_options(d);
    draw_memory(d);
    if (has(d, SIM_DIRECT)) {
        static const uint32_t offloads[] = {0, SANWO_OFFLOAD_CHECKSUM,
                                            SANWO_OFFLOAD_CHECKSUM | SANWO_OFFLOAD_TSO4 |
                                                SANWO_OFFLOAD_TSO6};

        w->direct = true;
        w->offload = offloads[chance_below(&c, 3)];
    }
}

/* ---- the network ------------------------------------------------------------------------------- */

static void draw_path(const struct sim_draw *d, struct chance *c, struct sanwo_emulator_path *p)
{
    struct sanwo_emulator_path all = {
        .loss_ppm = ppm(c, 100, 200000),
        .burst_ppm = ppm(c, 100, 10000),
        .burst_exit_ppm = ppm(c, 20000, 500000),
        .reorder_ppm = ppm(c, 1000, 300000),
        .reorder_delay = lasting(c, SANWO_USEC(10), SANWO_MSEC(300)),
        .duplicate_ppm = ppm(c, 1000, 200000),
        .corrupt_ppm = ppm(c, 100, 50000),
        .truncate_ppm = ppm(c, 100, 20000),
        .jitter = lasting(c, SANWO_USEC(10), SANWO_MSEC(200)),
        .spike_ppm = ppm(c, 10, 5000),
        .spike = lasting(c, SANWO_MSEC(5), SANWO_SEC(3)),
        .rate = chance_scale(c, 30000, 1000000000),
        .queue = (uint32_t)chance_scale(c, 3000, 8 << 20),
    };

    p->loss_ppm = has(d, SIM_LOSS) ? all.loss_ppm : 0;
    p->burst_ppm = has(d, SIM_BURST) ? all.burst_ppm : 0;
    p->burst_exit_ppm = all.burst_exit_ppm;
    p->reorder_ppm = has(d, SIM_REORDER) ? all.reorder_ppm : 0;
    p->reorder_delay = all.reorder_delay;
    p->duplicate_ppm = has(d, SIM_DUPLICATE) ? all.duplicate_ppm : 0;
    p->corrupt_ppm = has(d, SIM_CORRUPT) ? all.corrupt_ppm : 0;
    p->truncate_ppm = has(d, SIM_TRUNCATE) ? all.truncate_ppm : 0;
    p->jitter = has(d, SIM_JITTER) ? all.jitter : 0;
    p->spike_ppm = has(d, SIM_SPIKE) ? all.spike_ppm : 0;
    p->spike = all.spike;
    p->rate = has(d, SIM_RATE) ? all.rate : 0;
    p->queue = all.queue;
}

static void draw_network(struct sim_draw *d)
{
    struct chance c = chance_of(d, "network");
    sanwo_time delay = lasting(&c, SANWO_USEC(5), SANWO_MSEC(150));
    bool same = chance_hit(&c, 700000), one_only = chance_hit(&c, 200000);

    for (int i = 0; i < 2; i++) {
        sanwo_time mine = lasting(&c, SANWO_USEC(5), SANWO_MSEC(150));

        d->config.path[i].delay = same ? delay : mine;
        d->bad[i] = d->config.path[i];
        draw_path(d, &c, &d->bad[i]);
    }
    if (one_only)
        d->bad[1] = d->config.path[1];
}

static void draw_middlebox(struct sim_draw *d)
{
    struct sanwo_emulator_middlebox *box = &d->config.middlebox;
    struct chance c = chance_of(d, "middlebox");
    uint32_t strip = (uint32_t)chance_below(&c, 32), odd = (uint32_t)chance_between(&c, 1, 31);
    uint16_t clamp = (uint16_t)chance_between(&c, 536, 1400);
    bool later = chance_hit(&c, 300000), outward = chance_hit(&c, 500000);
    uint32_t split = ppm(&c, 1000, 500000), join = ppm(&c, 1000, 900000);
    uint32_t reset = ppm(&c, 10, 5000);

    if (has(d, SIM_STRIP)) {
        box->strip_syn = strip & ~(uint32_t)SANWO_STRIP_SACK;
        box->strip_later = later || box->strip_syn == 0 ? SANWO_STRIP_SACK : 0;
    }
    if (has(d, SIM_STRIP_ODD)) {
        box->strip_syn |= odd;
        box->strip_outward_only = outward;
        if (!outward)
            box->strip_later |= SANWO_STRIP_TIMESTAMPS;
    }
    box->shift_sequence = has(d, SIM_SHIFT) || has(d, SIM_SHIFT_SACK);
    box->forget_sack = has(d, SIM_SHIFT_SACK);
    box->bleach_ecn = has(d, SIM_BLEACH);
    box->clamp_mss = has(d, SIM_CLAMP) ? clamp : 0;
    d->box = *box;
    d->box.split_ppm = has(d, SIM_SPLIT) ? split : 0;
    d->box.join_ppm = has(d, SIM_JOIN) ? join : 0;
    d->box.reset_ppm = has(d, SIM_RESET) ? reset : 0;
}

/* ---- episodes ---------------------------------------------------------------------------------- */

static void add(struct sim_draw *d, sanwo_time at, enum sim_act act, unsigned side, unsigned value,
                sanwo_time time)
{
    if (d->episode_count < SIM_MOST_EPISODES && at < d->faulty)
        d->episodes[d->episode_count++] = (struct sim_episode){
            .at = at, .act = act, .side = (uint8_t)side, .value = (uint16_t)value, .time = time};
}

static sanwo_time some_time(const struct sim_draw *d, struct chance *c)
{
    /* Often near the beginning, where the talks are. */
    return chance_hit(c, 500000) ? (sanwo_time)chance_below(c, (uint64_t)d->faulty)
                                 : (sanwo_time)chance_below(c, (uint64_t)d->span + SANWO_SEC(1));
}

/* Something for a while, up to @times times. Returns the longest while. */
static sanwo_time draw_whiles(struct sim_draw *d, const char *name, enum sim_act act, unsigned side,
                              unsigned begin, unsigned end, unsigned times)
{
    struct chance c = chance_of(d, name);
    unsigned n = (unsigned)chance_between(&c, 1, times);
    sanwo_time longest = 0;

    for (unsigned i = 0; i < n; i++) {
        sanwo_time at = some_time(d, &c), lasts = lasting(&c, SANWO_MSEC(1), SANWO_SEC(100));

        add(d, at, act, side, begin, 0);
        add(d, at + lasts, act, side, end, 0);
        longest = lasts > longest ? lasts : longest;
    }
    /* A later while may begin before an earlier one ends: together they may last this long. */
    return longest * n;
}

static unsigned narrow_mtu(const struct sim_draw *d, const char *name)
{
    struct chance c = chance_of(d, name);
    uint16_t most = d->config.mtu;

    if (d->config.family == SANWO_FAMILY_IPV6)
        return (unsigned)chance_between(&c, 1280, most);
    return (unsigned)chance_between(&c, most < 600 ? most : 600, most);
}

static void draw_moments(struct sim_draw *d, const char *name, enum sim_act act, sanwo_time least,
                         sanwo_time most, unsigned times)
{
    struct chance c = chance_of(d, name);
    unsigned n = (unsigned)chance_between(&c, 1, times);

    for (unsigned i = 0; i < n; i++)
        add(d, some_time(d, &c), act, (unsigned)chance_below(&c, 2), 0,
            most > 0 ? lasting(&c, least, most) : 0);
}

/* A handshake that is cut in two by weeks has no record of the peer's clock to go by (RFC 7323 5.5). */
static bool has_long_jump(const struct sim_draw *d)
{
    for (size_t i = 0; i < d->episode_count; i++)
        if (d->episodes[i].act == SIM_CLOCK && d->episodes[i].time > SANWO_SEC(24 * 86400))
            return true;
    return false;
}

static int by_time(const void *left, const void *right)
{
    const struct sim_episode *a = left, *b = right;

    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a->act != b->act ? a->act - b->act : memcmp(a, b, sizeof(*a));
}

static void draw_episodes(struct sim_draw *d)
{
    struct chance c = chance_of(d, "episodes");
    sanwo_time dark = 0;

    add(d, 0, SIM_PATHS, 0, 0, 0);
    if (has(d, SIM_BLACKOUT))
        dark += draw_whiles(d, "blackout", SIM_PATHS, 0, 3, 0, 3);
    if (has(d, SIM_ONE_WAY))
        dark += draw_whiles(d, "one-way", SIM_PATHS, 0, chance_hit(&c, 500000) ? 1 : 2, 0, 3);
    if (has(d, SIM_FLAP))
        dark += draw_whiles(d, "flap", SIM_LINK, (unsigned)chance_below(&c, 2), 0, 1, 5);
    if (has(d, SIM_MTU))
        draw_whiles(d, "mtu", SIM_NARROW, 0, narrow_mtu(d, "mtu size"), 0, 3);
    if (has(d, SIM_SILENT_MTU))
        dark += draw_whiles(d, "silent-mtu", SIM_NARROW, 1, narrow_mtu(d, "silent size"), 0, 3);
    if (has(d, SIM_REBOOT))
        draw_moments(d, "reboot", SIM_BOOT, 0, 0, 2);
    if (has(d, SIM_JUMP))
        draw_moments(d, "jump", SIM_CLOCK, SANWO_SEC(1), SANWO_SEC(49 * 86400), 2);
    if (has(d, SIM_LATE))
        draw_moments(d, "late", SIM_CLOCK, SANWO_USEC(100), SANWO_SEC(2), 6);
    qsort(d->episodes, d->episode_count, sizeof(d->episodes[0]), by_time);
    /* A silence of 30 s is survived by every talk: R2 is 100 s, and 51 s for those without a user. */
    d->may_time_out = dark > SANWO_SEC(30);
}

/* ---- excuses ----------------------------------------------------------------------------------- */

/* Of this share lost and more, some tries fail eight times in a row. */
static bool is_lossy(const struct sanwo_emulator_path *p)
{
    return p->loss_ppm + p->corrupt_ppm + p->truncate_ppm > 40000 || p->burst_ppm > 0 ||
           (p->rate > 0 && (p->rate < 10000000 || p->queue < 100000)) || p->spike_ppm > 0;
}

/*
 * Only the first ACK has the cookie: what overtakes it, or comes while there is no room, is reset or
 * not answered (deviation D28), and a cookie that found no room in time is stale.
 */
static bool may_use_cookies(const struct sim_draw *d)
{
    return d->config.backlog < d->talks &&
           (d->config.stack[0].tcp.syn_cookies || d->config.stack[1].tcp.syn_cookies);
}

static void draw_excuses(struct sim_draw *d)
{
    d->may_time_out |=
        is_lossy(&d->bad[0]) || is_lossy(&d->bad[1]) || has(d, SIM_REBOOT) || may_use_cookies(d);
    d->links_go = has(d, SIM_FLAP);
    d->may_be_reset = d->may_time_out || has_long_jump(d) || may_use_cookies(d) ||
                      has(d, SIM_RESET) || has(d, SIM_REBOOT);
    d->may_fail = has(d, SIM_MEMORY) || has(d, SIM_REFUSE) || has(d, SIM_STRIP_ODD);
}

void sim_draw(struct sim_draw *d, uint64_t seed, uint64_t number, uint64_t allowed)
{
    *d = (struct sim_draw){.seed = seed, .number = number};
    d->faults = draw_kinds(d, allowed);
    draw_size(d);
    draw_hosts(d);
    if (!d->config.direct) {
        draw_network(d);
        draw_middlebox(d);
    }
    sim_draw_senders(d);
    draw_episodes(d);
    draw_excuses(d);
}

/* ---- applications ------------------------------------------------------------------------------ */

static uint64_t draw_bytes(const struct sim_draw *d, struct chance *c)
{
    switch (chance_below(c, 6)) {
    case 0:
        return 0;
    case 1:
        return chance_between(c, d->most_bytes / 2, d->most_bytes);
    default:
        return chance_scale(c, 1, d->most_bytes);
    }
}

static void draw_slowness(struct world_plan *p, struct chance *c)
{
    uint64_t reads;

    p->most_read = (uint32_t)chance_scale(c, 1, 65536);
    p->most_write = (uint32_t)chance_scale(c, 1, 65536);
    if (p->most_read < p->send / 2000)
        p->most_read = (uint32_t)(p->send / 2000);
    if (p->most_write < p->send / 2000)
        p->most_write = (uint32_t)(p->send / 2000);
    /* Some hundred stalls at most: the talk is to end one day. */
    reads = 1 + p->send / (p->most_read + 1);
    p->stall_ppm = (uint32_t)(chance_below(c, 200) * 1000000 / (reads + 200));
    p->stall = lasting(c, SANWO_MSEC(1), SANWO_SEC(5));
    if (chance_hit(c, 200000))
        p->start = lasting(c, SANWO_MSEC(1), SANWO_SEC(100));
}

static void draw_leaving(const struct sim_draw *d, struct world_plan *p, struct chance *c)
{
    if (has(d, SIM_ABORT) && chance_hit(c, 300000))
        p->ending = WORLD_ABORT;
    else if (has(d, SIM_CLOSE) && chance_hit(c, 300000))
        p->ending = WORLD_CLOSE;
    else
        return;
    if (chance_hit(c, 600000))
        p->after = lasting(c, 1, SANWO_SEC(20));
}

void sim_draw_plans(const struct sim_draw *d, struct chance *c, struct world_plan plans[2])
{
    for (int i = 0; i < 2; i++) {
        struct world_plan *p = &plans[i];

        *p = (struct world_plan){.send = draw_bytes(d, c), .patient = chance_hit(c, 200000)};
        if (has(d, SIM_URGENT))
            p->urgent_ppm = 30000;
    }
    for (int i = 0; i < 2; i++) {
        if (has(d, SIM_SLOW) && chance_hit(c, 500000)) {
            uint64_t send = plans[i].send;

            plans[i].send = plans[!i].send; /* it reads what the other sends */
            draw_slowness(&plans[i], c);
            plans[i].send = send;
            if (plans[i].most_write < send / 5000)
                plans[i].most_write = (uint32_t)(send / 5000);
        }
        draw_leaving(d, &plans[i], c);
    }
}
