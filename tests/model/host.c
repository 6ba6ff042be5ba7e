/*
 * host.c - The two stacks: how they are made, and the turn of their loop.
 *
 * Each host has a clock of its own, which goes on only when one of its timers is let fire: so the
 * timers of both interleave in every way that some pair of delays would allow. Numbers are set, and
 * differ from life to life, as those of RFC 9293 3.4.1 do.
 */
#include "model.h"

#include "tcp/connection/meter.h"
#include "tcp/open/listener.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define LIFE_GAP 1000003u /* between the numbers of one life and the next: far beyond any window */
#define START SANWO_SEC(1)
#define CHALLENGE SANWO_MSEC(7)
#define EARLY_ENOUGH 64 /* calls of a deadline that do nothing, as moving down a wheel is */

bool model_violation(struct model *m, const char *format, ...)
{
    va_list args;
    if (m->violation[0])
        return false;
    va_start(args, format);
    vsnprintf(m->violation, sizeof(m->violation), format, args);
    va_end(args);
    return false;
}

/* With `wrap` the first byte takes the last number there is; the peer's the first negative one. */
uint32_t model_iss(const struct model *m, unsigned side, unsigned life)
{
    uint32_t base = m->scenario->wrap ? (side ? 0x7ffffffeu : 0xfffffffeu) : 1000 + side * 50000;
    return base + (life - 1) * LIFE_GAP;
}

unsigned model_life(const struct model *m, unsigned side, uint32_t iss)
{
    for (unsigned life = 1; life <= m->at.end[side].lives; life++)
        if (model_iss(m, side, life) == iss)
            return life;
    return 0;
}

/*
 * On a fair wire everybody gets an answer that settles the matter, with one exception: an old
 * duplicate of a SYN made a record, and the other end has another connection. TIME-WAIT ignores resets
 * (deviation D6), and numbers outside each other's windows are answered with ACKs only (3.10.7.4).
 */
static void gave_up(struct model *m, unsigned from)
{
    m->time_out_from[from]++;
    if (m->fair && !m->scenario->impatient && !m->at.at_odds)
        model_violation(m, "a host gives up in %s although the wire is fair",
                        sanwo_tcp_state_name(from));
}

static void count_ending(struct model *m, unsigned from, unsigned to, unsigned reason)
{
    if (to != SANWO_TCP_CLOSED && to != SANWO_TCP_LISTEN)
        return;
    switch (reason) {
    case SANWO_REASON_PEER_RESET:
    case SANWO_REASON_PEER_REFUSED:
        m->reset_from[from]++;
        break;
    case SANWO_REASON_USER_ABORT:
    case SANWO_REASON_USER_CLOSE:
    case SANWO_REASON_CLOSED_WITH_UNREAD:
        m->abort_from[from]++;
        break;
    case SANWO_REASON_RETRANSMISSION_LIMIT:
    case SANWO_REASON_HANDSHAKE_TIMEOUT:
    case SANWO_REASON_ORPHAN_TIMEOUT:
        gave_up(m, from);
        break;
    case SANWO_REASON_FIN_WAIT_2_TIMEOUT:
        m->time_out_from[from]++;
        break;
    default:
        break;
    }
}

/*
 * Where both users read to the end before they close, nothing may break a connection: but an attempt
 * that nobody waited for, and what is left of one whose other end had its 2 MSL.
 */
static void check_ending(struct model *m, unsigned side, unsigned from)
{
    const struct model_allow *allow = m->scenario->allow;
    if (!allow[0].gentle || !allow[1].gentle || m->violent)
        return;
    if (from >= SANWO_TCP_ESTABLISHED && from <= SANWO_TCP_CLOSE_WAIT)
        model_violation(m, "host %u: a connection broke in %s, and nobody broke it", side,
                        sanwo_tcp_state_name(from));
}

static void state_changed(struct model *m, unsigned side, const struct sanwo_observation *what)
{
    struct model_end *end = &m->at.end[side];
    unsigned from = what->old_state, to = what->state;

    m->edge[from][to]++;
    count_ending(m, from, to, what->reason);
    if (m->trail_length < sizeof(m->trail))
        m->trail[m->trail_length++] = (uint8_t)to;
    if (from == SANWO_TCP_FIN_WAIT_2 && to == SANWO_TCP_TIME_WAIT && m->trail_length >= 3 &&
        m->trail[m->trail_length - 3] == SANWO_TCP_FIN_WAIT_1)
        m->fin_wait_1_to_time_wait++;
    if (from == SANWO_TCP_LISTEN && to == SANWO_TCP_SYN_RECEIVED)
        end->lives++;
    bool began = from != SANWO_TCP_CLOSED && from != SANWO_TCP_LISTEN;
    if (began && (to == SANWO_TCP_CLOSED || to == SANWO_TCP_LISTEN)) {
        bool in_order = what->reason == SANWO_REASON_OUR_FIN_ACKED ||
                        what->reason == SANWO_REASON_TIME_WAIT_OVER ||
                        what->reason == SANWO_REASON_TIME_WAIT_REUSED;
        end->ended = in_order ? ENDED_IN_ORDER : ENDED_BROKEN;
        if (!in_order)
            check_ending(m, side, from);
    }
}

static void observe(void *context, const struct sanwo_observation *what)
{
    struct model_host *host = context;
    host->model->effect = true;
    if (what->kind == SANWO_OBSERVE_STATE)
        state_changed(host->model, host->side, what);
}

static struct sanwo_stack_config config_of(struct model_host *host)
{
    const struct model_scenario *scenario = host->model->scenario;
    struct sanwo_stack_config config;

    sanwo_stack_config_default(&config);
    config.deterministic = true;
    config.seed[0] = (uint8_t)(host->side + 1);
    config.max_connections = config.max_half_open = config.max_time_wait = 4;
    config.max_listeners = 2;
    config.max_links = config.max_addresses = config.max_neighbours = 1;
    config.max_routes = 2;
    config.max_replies = 32;
    config.tcp.offer_timestamps = scenario->timestamps;
    config.tcp.offer_sack = scenario->sack;
    config.tcp.offer_window_scale = false;
    config.tcp.msl = MODEL_MSL;
    config.tcp.challenge_interval = CHALLENGE; /* and no chance in it, which starts at 8 ms */
    config.tcp.syn_cookies = false;            /* they would choose the numbers */
    config.tcp.receive_buffer = scenario->receive_buffer ? scenario->receive_buffer : 8192;
    config.tcp.send_buffer = 8192;
    config.tcp.congestion = SANWO_CONGESTION_NEWRENO; /* its state has no times in it */
    config.tcp.pacing = false;                        /* a few bytes are all at once */
    if (scenario->impatient) {
        config.tcp.syn_retries = config.tcp.syn_ack_retries = 1;
        config.tcp.retransmit_limit = config.tcp.orphan_retries = 1;
    }
    config.observer = (struct sanwo_observer){observe, host};
    return config;
}

static void *page_aligned(size_t size)
{
    void *memory = aligned_alloc(4096, size);
    if (!memory)
        abort();
    memset(memory, 0, size);
    return memory;
}

static void create_host(struct model *m, unsigned side)
{
    struct model_host *host = &m->host[side];
    struct sanwo_link_config link = {
        .kind = SANWO_LINK_IP, .mtu = 1500, .offload = SANWO_OFFLOAD_CHECKSUM};

    host->model = m;
    host->side = side;
    host->address = sanwo_address_ipv4(10, 0, 0, (uint8_t)(side + 1));
    host->region = page_aligned(MODEL_REGION);
    host->base = page_aligned(MODEL_REGION);
    host->opened = page_aligned(MODEL_REGION);
    host->scratch = page_aligned(MODEL_REGION);
    struct sanwo_stack_config config = config_of(host);
    if (sanwo_stack_create(host->region, MODEL_REGION, &config, START, &host->stack) < 0 ||
        sanwo_stack_link_add(host->stack, &link) != 0 ||
        sanwo_stack_address_add(host->stack, 0, &host->address, 24) < 0)
        abort();
}

/*
 * One connection from each side that comes and goes: afterwards the pools have their slabs, which
 * are then no part of what differs from one situation to the next.
 */
static bool warm_up(struct model *m)
{
    struct model_step step;
    for (unsigned side = 0; side < 2; side++) {
        if (!model_take(m, (struct model_step){STEP_LISTEN, (uint8_t)(1 - side), 0}) ||
            !model_take(m, (struct model_step){STEP_CONNECT, (uint8_t)side, 0}))
            return false;
        for (unsigned i = 0; i < 100 && model_finish_step(m, FINISH_PATIENT, &step); i++)
            if (!model_take(m, step))
                return false;
    }
    return true;
}

static void make_base(struct model *m, unsigned side)
{
    struct model_host *host = &m->host[side];
    size_t size = sanwo_stack_snapshot_size(host->stack);
    if (size > MODEL_REGION || sanwo_stack_snapshot(host->stack, host->base, size) < 0)
        abort();
    memcpy(host->opened, host->base, MODEL_REGION);
    host->fresh = model_image_take(m, side);
}

/* Host 0 connected to host 1; nothing in flight. */
static bool establish(struct model *m)
{
    static const struct model_step steps[] = {
        {STEP_LISTEN, 1, 0},  {STEP_CONNECT, 0, 0}, {STEP_DELIVER, 1, 0},
        {STEP_DELIVER, 0, 0}, {STEP_DELIVER, 1, 0}, {STEP_UNLISTEN, 1, 0},
    };
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
        if (!model_take(m, steps[i]))
            return false;
    return true;
}

bool model_create(struct model *m, const struct model_scenario *scenario)
{
    struct model_host host[2];

    memset(m, 0, sizeof(*m));
    m->scenario = scenario;
    for (unsigned side = 0; side < 2; side++)
        create_host(m, side);
    bool well = warm_up(m);
    for (unsigned side = 0; side < 2; side++)
        make_base(m, side);
    if (!well)
        return false;
    memcpy(host, m->host, sizeof(host)); /* all that was seen so far does not count */
    model_segments_free(m);
    memset(m, 0, sizeof(*m));
    memcpy(m->host, host, sizeof(host));
    m->scenario = scenario;
    m->at.faults = scenario->faults;
    return !scenario->established || establish(m);
}

void model_destroy(struct model *m)
{
    for (unsigned side = 0; side < 2; side++) {
        struct model_host *host = &m->host[side];
        model_image_release(host->loaded);
        model_image_release(host->fresh);
        free(host->region);
        free(host->base);
        free(host->opened);
        free(host->scratch);
    }
    model_segments_free(m);
}

/* The next control block that the listener makes is to have numbers of its own. */
static void renumber_listener(struct model *m, unsigned side)
{
    struct tcp *tcp = &m->host[side].stack->tcp;
    uint32_t cursor = 0;
    for (uint32_t i = 0; i < tcp->listeners.live; i++) {
        struct tcp_listener *listener = sw_pool_next(&tcp->listeners, tcp->region, &cursor);
        listener->isn = model_iss(m, side, m->at.end[side].lives + 1u);
    }
}

static size_t transmit(struct model *m, unsigned side, sanwo_time now)
{
    struct sanwo_stack *stack = m->host[side].stack;
    struct sanwo_frame frames[4];
    size_t n = sanwo_stack_transmit(stack, frames, 4, now);
    for (size_t i = 0; i < n; i++)
        model_wire_send(m, side, &frames[i]);
    sanwo_stack_sent(stack, frames, n);
    return n;
}

/*
 * What is measured of a connection decides nothing about it, and may be missing at any time: it is, so
 * that when it began is no part of a situation.
 */
static void measure_nothing(struct model *m, unsigned side)
{
    struct tcp *tcp = &m->host[side].stack->tcp;
    uint32_t cursor = 0;
    for (uint32_t i = 0; i < tcp->connections.live; i++)
        sw_tcp_meter_release(tcp, sw_pool_next(&tcp->connections, tcp->region, &cursor));
}

bool model_turn(struct model *m, unsigned side)
{
    struct sanwo_stack *stack = m->host[side].stack;
    do {
        if (!model_application_poll(m, side))
            return false;
    } while (transmit(m, side, sanwo_stack_now(stack)) > 0 && !m->violation[0]);
    if (!model_application_poll(m, side))
        return false;
    if (m->at.end[side].lives >= MODEL_LIVES)
        return model_violation(m, "host %u made %u control blocks", side, m->at.end[side].lives);
    renumber_listener(m, side);
    measure_nothing(m, side);
    return !m->violation[0];
}

bool model_receive(struct model *m, unsigned side, uint32_t name)
{
    const struct model_segment *segment = model_segment_at(m, name);
    struct sanwo_frame frame = {.length = segment->length,
                                .checksum = SANWO_CHECKSUM_VALID,
                                .slice_count = 1,
                                .slices = {{.bytes = segment->bytes, .length = segment->length}}};
    struct sanwo_stack *stack = m->host[side].stack;
    sanwo_stack_receive(stack, &frame, 1, sanwo_stack_now(stack));
    return model_turn(m, side);
}

bool model_fire(struct model *m, unsigned side)
{
    struct sanwo_stack *stack = m->host[side].stack;
    m->effect = false;
    for (unsigned i = 0; i < EARLY_ENOUGH; i++) {
        sanwo_time when = sanwo_stack_deadline(stack);
        if (when == SANWO_TIME_NEVER)
            return true;
        if (transmit(m, side, when) || m->effect)
            return model_turn(m, side);
    }
    return model_violation(m, "host %u: its deadline comes again and again, and nothing happens",
                           side);
}

void model_reboot(struct model *m, unsigned side)
{
    struct model_end *end = &m->at.end[side];
    struct model_view view;

    model_view(m, side, &view);
    if (view.present)
        end->ended = ENDED_BROKEN;
    end->has_conn = end->has_listener = false;
    end->shut = end->eof = end->failed = false;
    end->read = end->peer_life = 0;
    model_image_load(m, side, m->host[side].fresh);
}
