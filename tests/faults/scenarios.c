/*
 * scenarios.c - What connections can go through, in small worlds: for faults to strike at any point.
 *
 * A deciding listener is served by a timer of the world.
 */
#include <string.h>

#include "scenarios.h"

enum { ASK_EVERY_MS = 3 };

static void open_talk(struct stage *s, unsigned side, const struct world_plan *a,
                      const struct world_plan *b)
{
    int error;

    if (world_open(s->world, side, a, b, &error) == NULL)
        assert_true(error == SANWO_ENOMEM || error == SANWO_ELIMIT);
}

static void run(struct stage *s, int ms)
{
    world_run(s->world, SANWO_MSEC(ms));
}

/* ---- opening ------------------------------------------------------------------------------------ */

static void act_open(struct stage *s)
{
    const struct world_plan none = {0};

    open_talk(s, 0, &none, &none);
}

static void act_open_both(struct stage *s)
{
    const struct world_plan plans[2] = {{.send = 3000}, {.send = 4000}};
    int error;

    if (world_open_both(s->world, plans, &error) == NULL)
        assert_int_equal(error, SANWO_ENOMEM);
}

static void decide(void *context, sanwo_time now)
{
    struct stage *s = context;
    struct sanwo_stack *stack = s->world->host[1].stack;
    struct sanwo_tcp_request request;

    while (sanwo_tcp_request(stack, s->watched.handle, &request) == 0) {
        switch (s->decided++ % 4) {
        case 1:
            assert_int_equal(sanwo_tcp_refuse(stack, request.handle, now), 0);
            break;
        case 2:
            assert_int_equal(sanwo_tcp_ignore(stack, request.handle, now), 0);
            break;
        default:
            assert_int_equal(sanwo_tcp_admit(stack, request.handle, now), 0);
        }
    }
    if (!s->quiet)
        sanwo_virtual_set_timer(s->world->clock, s->timer, now + SANWO_MSEC(ASK_EVERY_MS));
}

/* In place of B's listener one that asks first. */
static void prepare_decide(struct stage *s)
{
    struct world *w = s->world;
    struct world_host *host = &w->host[1];
    struct sanwo_tcp_listen listen = {
        .local = {.port = 7}, .flags = SANWO_LISTEN_DECIDE, .user = &s->watched};

    assert_int_equal(sanwo_tcp_close(host->stack, host->listener, world_now(w)), 0);
    assert_int_equal(sanwo_tcp_listen(host->stack, &listen, world_now(w), &host->listener), 0);
    faults_adopt(w, 1, &s->watched, host->listener);
    s->decides = true;
    s->timer = sanwo_virtual_add_timer(w->clock, decide, s);
    assert_true(s->timer >= 0);
    sanwo_virtual_set_timer(w->clock, s->timer, world_now(w));
}

static void act_decide(struct stage *s)
{
    const struct world_plan little = {.send = 500};

    for (int i = 0; i < 4; i++) {
        open_talk(s, 0, &little, &little);
        run(s, 5);
    }
}

static void configure_cookies(struct world_config *c)
{
    c->backlog = 1;
    c->stack[0].tcp.offer_timestamps = c->salt % 2 == 0;
}

static void act_cookies(struct stage *s)
{
    const struct world_plan little = {.send = 600};

    for (int i = 0; i < 6; i++)
        open_talk(s, 0, &little, &little);
}

static void act_many(struct stage *s)
{
    const struct world_plan little = {.send = 900}, none = {0};

    for (unsigned i = 0; i < 24; i++)
        open_talk(s, i & 1, &little, i & 2 ? &little : &none);
}

/* ---- data --------------------------------------------------------------------------------------- */

static void act_exchange(struct stage *s)
{
    const struct world_plan a = {.send = 30000, .stall_ppm = 100000, .stall = SANWO_MSEC(20)};
    const struct world_plan b = {.send = 20000, .most_write = 5000, .most_read = 700};

    open_talk(s, 0, &a, &b);
}

/* Small writes and small reads, urgent ones among them. */
static void act_small(struct stage *s)
{
    const struct world_plan a = {.send = 3000, .most_write = 40, .urgent_ppm = 50000};

    open_talk(s, 0, &a, &a);
}

static void configure_reorder(struct world_config *c)
{
    const struct sanwo_emulator_path path = {.delay = SANWO_MSEC(5),
                                             .reorder_ppm = 250000,
                                             .reorder_delay = SANWO_MSEC(8),
                                             .duplicate_ppm = 100000};

    world_config_path(c, &path);
}

static void act_one_way(struct stage *s)
{
    const struct world_plan sends = {.send = 40000}, none = {0};

    open_talk(s, 0, &sends, &none);
}

static void configure_loss(struct world_config *c)
{
    const struct sanwo_emulator_path path = {.delay = SANWO_MSEC(5), .loss_ppm = 60000};

    world_config_path(c, &path);
}

static void act_two_ways(struct stage *s)
{
    const struct world_plan sends = {.send = 40000};

    open_talk(s, 0, &sends, &sends);
}

/* The receiver's window closes, and opens again. */
static void act_stall(struct stage *s)
{
    const struct world_plan sends = {.send = 60000}, pauses = {.start = SANWO_MSEC(700)};

    open_talk(s, 0, &sends, &pauses);
}

static void configure_stall(struct world_config *c)
{
    c->stack[0].tcp.receive_buffer = c->stack[1].tcp.receive_buffer = 20000;
    c->stack[0].tcp.send_buffer = c->stack[1].tcp.send_buffer = 16000;
}

static void act_options(struct stage *s)
{
    static const struct {
        enum sanwo_tcp_option option;
        int64_t value;
    } rows[] = {{SANWO_TCP_NAGLE, 0},
                {SANWO_TCP_KEEPALIVE_IDLE, SANWO_SEC(5)},
                {SANWO_TCP_KEEPALIVE, 1},
                {SANWO_TCP_DELAYED_ACK, SANWO_MSEC(5)},
                {SANWO_TCP_SEND_BUFFER, 5000}};
    const struct world_plan a = {.send = 6000, .stall_ppm = 500000, .stall = SANWO_SEC(9)};

    open_talk(s, 0, &a, &a);
    for (struct world_end *end = s->world->ends; end != NULL; end = end->next) {
        for (size_t i = 0; end->open && i < COUNT(rows); i++) {
            int result = sanwo_tcp_set_option(s->world->host[end->side].stack, end->handle,
                                              rows[i].option, rows[i].value, world_now(s->world));
            if (result != 0)
                assert_int_equal(result, -SANWO_ENOMEM);
        }
    }
}

/* ---- sending ------------------------------------------------------------------------------------ */

/* More records than a block, a chunk and the first directory have room for, and many sent again. */
static void configure_long(struct world_config *c)
{
    const struct sanwo_emulator_path path = {.delay = SANWO_MSEC(20), .loss_ppm = 30000};

    world_config_path(c, &path);
    for (int side = 0; side < 2; side++) {
        c->stack[side].tcp.mss = 200;
        c->stack[side].tcp.initial_window = 200;
        c->stack[side].tcp.pacing = false; /* all of it at once */
    }
}

static void act_long(struct stage *s)
{
    const struct world_plan sends = {.send = 40000}, none = {0};

    open_talk(s, 0, &sends, &none);
}

/* Rates are sampled, so each record has a mark. */
static void configure_bbr(struct world_config *c)
{
    configure_long(c);
    for (int side = 0; side < 2; side++)
        c->stack[side].tcp.congestion = SANWO_CONGESTION_BBR;
}

static void configure_accurate(struct world_config *c)
{
    const struct sanwo_emulator_path path = {
        .delay = SANWO_MSEC(5), .rate = 20000000, .queue = 200000, .ecn_mark = 4000};

    world_config_path(c, &path);
    c->stack[0].tcp.ecn = c->stack[1].tcp.ecn = SANWO_ECN_ACCURATE;
    c->stack[1].tcp.congestion = SANWO_CONGESTION_DCTCP;
}

/* A path that swallows what is too large: searched for, and what earlier connections learnt. */
static void configure_black_hole(struct world_config *c)
{
    const struct sanwo_emulator_path path = {.delay = SANWO_MSEC(5), .mtu = 1300};

    world_config_path(c, &path);
    for (int side = 0; side < 2; side++)
        c->stack[side].tcp.mtu_probing = 2;
}

static void configure_fast_open(struct world_config *c)
{
    for (int side = 0; side < 2; side++) {
        c->fast_open[side] = true;
        c->fast_open_queue[side] = 4;
        c->stack[side].tcp.remember_peers = true;
    }
}

static void act_fast_open(struct stage *s)
{
    const struct world_plan little = {.send = 2500};

    for (unsigned i = 0; i < 6; i++) {
        open_talk(s, i & 1, &little, &little);
        run(s, 4);
    }
}

/* ---- leaving ------------------------------------------------------------------------------------ */

static void act_half_close(struct stage *s)
{
    const struct world_plan asks = {.send = 10}, answers = {.send = 25000, .start = SANWO_MSEC(40)};

    open_talk(s, 0, &asks, &answers);
    open_talk(s, 1, &asks, &answers);
}

static void act_abort(struct stage *s)
{
    const struct world_plan talks = {.send = 30000};
    const struct world_plan leaves = {
        .send = 90000, .ending = WORLD_ABORT, .after = SANWO_MSEC(23)};
    const struct world_plan closes = {
        .send = 90000, .ending = WORLD_CLOSE, .after = SANWO_MSEC(23)};

    open_talk(s, 0, &leaves, &talks);
    open_talk(s, 0, &talks, &leaves);
    open_talk(s, 0, &closes, &talks);
}

/* The same few ports again and again, against connections in TIME-WAIT on either side. */
static void configure_time_wait(struct world_config *c)
{
    for (int side = 0; side < 2; side++) {
        c->stack[side].ephemeral_first = 40000;
        c->stack[side].ephemeral_last = 40001;
        c->stack[side].max_time_wait = 3;
    }
}

static void act_time_wait(struct stage *s)
{
    const struct world_plan little = {.send = 100};
    int error;

    for (unsigned i = 0; i < 8; i++) {
        world_open(s->world, i & 1, &little, &little, &error);
        assert_true(error == 0 || error == SANWO_ENOMEM || error == SANWO_EADDRNOTAVAIL);
        run(s, 40);
    }
}

/* ---- below TCP ---------------------------------------------------------------------------------- */

static void act_arp(struct stage *s)
{
    const struct world_plan sends = {.send = 9000, .stall_ppm = 400000, .stall = SANWO_SEC(40)};

    open_talk(s, 0, &sends, &sends);
    open_talk(s, 1, &sends, &sends);
}

static void connect_to_nobody(struct stage *s)
{
    struct world *w = s->world;
    struct sanwo_tcp_connect nobody = {.remote = {.address = w->host[1].address, .port = 9},
                                       .user = &s->watched};
    struct sanwo_handle h;

    if (sanwo_tcp_connect(w->host[0].stack, &nobody, world_now(w), &h) != 0)
        return;
    faults_adopt(w, 0, &s->watched, h);
    run(s, 3000); /* refused, or still trying */
    assert_int_equal(sanwo_tcp_close(w->host[0].stack, h, world_now(w)), 0);
}

/* Datagrams to a closed port, pings, segments to a closed port; and a path that says "too big". */
static void act_icmp(struct stage *s)
{
    static const uint8_t datagram[] = {0x45, 0, 0,   28, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0,
                                       2,    2, 192, 0,  2, 1, 4,    0, 4,  1,  0, 8, 0,   0};
    static const uint8_t ping[] = {0x45, 0, 0,   28, 0, 0, 0x40, 0, 64,   1,    0, 0, 192, 0,
                                   2,    2, 192, 0,  2, 1, 8,    0, 0xf7, 0xfd, 0, 1, 0,   1};
    const struct world_plan sends = {.send = 20000};

    open_talk(s, 0, &sends, &sends);
    for (unsigned i = 0; i < 4; i++) {
        for (unsigned side = 0; side < 2; side++) {
            struct gate_packet p = {.length = 28};
            uint8_t bytes[28];

            memcpy(bytes, i & 1 ? ping : datagram, 28);
            bytes[15] = (uint8_t)(side == 0 ? 2 : 1);
            bytes[19] = (uint8_t)(side == 0 ? 1 : 2);
            p.bytes = bytes;
            gate_mend_ip(&p);
            gate_inject(s->gate[side], bytes, 28);
        }
        run(s, 7);
    }
    connect_to_nobody(s);
}

static void configure_narrow(struct world_config *c)
{
    const struct sanwo_emulator_path path = {.delay = SANWO_MSEC(5), .mtu = 900, .too_big = true};

    world_config_path(c, &path);
}

const struct scenario scenarios[] = {
    {.name = "open", .act = act_open},
    {.name = "simultaneous open", .act = act_open_both},
    {.name = "deciding listener", .prepare = prepare_decide, .act = act_decide, .rough = true},
    {.name = "cookies", .configure = configure_cookies, .act = act_cookies, .rough = true},
    {.name = "many connections", .act = act_many},
    {.name = "exchange", .act = act_exchange},
    {.name = "exchange, borrowed buffers", .act = act_exchange, .slices = GATE_BORROWED},
    {.name = "small writes, urgent", .act = act_small},
    {.name = "reassembly", .configure = configure_reorder, .act = act_one_way},
    {.name = "reassembly, borrowed buffers",
     .configure = configure_reorder,
     .act = act_one_way,
     .slices = GATE_BORROWED},
    {.name = "recovery", .configure = configure_loss, .act = act_two_ways},
    {.name = "closed window", .configure = configure_stall, .act = act_stall},
    {.name = "options", .act = act_options},
    {.name = "many in flight", .configure = configure_long, .act = act_long},
    {.name = "many in flight, rates", .configure = configure_bbr, .act = act_long},
    {.name = "accurate ECN", .configure = configure_accurate, .act = act_two_ways},
    {.name = "black hole", .configure = configure_black_hole, .act = act_two_ways},
    {.name = "fast open", .configure = configure_fast_open, .act = act_fast_open, .rough = true},
    {.name = "half-close", .act = act_half_close},
    {.name = "abort", .act = act_abort, .rough = true},
    {.name = "TIME-WAIT", .configure = configure_time_wait, .act = act_time_wait, .rough = true},
    {.name = "ARP", .act = act_arp, .ethernet = true},
    {.name = "ARP, borrowed buffers", .act = act_arp, .ethernet = true, .slices = GATE_BORROWED},
    {.name = "ICMP", .configure = configure_narrow, .act = act_icmp},
};
const size_t scenario_count = COUNT(scenarios);

/* ---- making ------------------------------------------------------------------------------------- */

void stage_open(struct stage *s, const struct scenario *scenario, uint64_t salt,
                struct world_ground *ground)
{
    const struct lan_config lan = {.kind = SANWO_LINK_ETHERNET, .delay = SANWO_MSEC(5)};
    const struct sanwo_emulator_path path = {.delay = SANWO_MSEC(5)};
    struct world_config c;

    memset(s, 0, sizeof(*s));
    faults_config(&c, scenario->name);
    world_config_path(&c, &path);
    c.salt = salt;
    c.ground = ground;
    for (int side = 0; side < 2; side++) {
        c.stack[side].budget = UINT64_C(16) << 20;
        c.stack[side].max_connections = c.stack[side].max_half_open = 64;
        c.stack[side].max_time_wait = 64;
        c.stack[side].tcp.keepalive = true; /* a reader learns that its peer was given up */
        c.stack[side].tcp.keepalive_idle = SANWO_SEC(600);
    }
    if (scenario->configure != NULL)
        scenario->configure(&c);
    s->world = world_create(&c);
    s->world->rough = true;
    for (unsigned side = 0; side < 2; side++) {
        s->gate[side] = gate_put(s->world, side);
        s->gate[side]->slices = scenario->slices;
    }
    if (scenario->ethernet) {
        lan_create(&s->lan, s->world, &lan);
        s->has_lan = true;
        for (unsigned side = 0; side < 2; side++)
            s->lan.gate[side]->slices = scenario->slices;
    }
}

void stage_close(struct stage *s)
{
    if (s->has_lan)
        lan_destroy(&s->lan);
    world_destroy(s->world);
}
