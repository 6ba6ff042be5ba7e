/*
 * draw_sender.c - How the hosts of a world send: what sw_tcp_config and the user of a stack may choose.
 *
 *     sender      congestion control, pacing, tail probes, path MTU search, buffers that follow the path
 *     ecn         what is asked for, and queues that mark
 *     fast-open   data in SYN segments (RFC 7413)
 *     peers       what one connection leaves to the next (RFC 9040)
 *
 * None of it is a fault: what must hold holds as without, and nothing of it excuses an error.
 */
#include "draw.h"

static bool has(const struct sim_draw *d, enum sim_fault kind)
{
    return (d->faults & SIM_BIT(kind)) != 0;
}

static struct chance chance_of(const struct sim_draw *d, const char *name)
{
    struct chance c;

    chance_seed(&c, name, d->seed);
    c.state = chance_mix(c.state, &d->number, sizeof(d->number));
    return c;
}

/* Buffers that grow from @start to @most with the path; both small enough to be reached. */
static void draw_growth(struct chance *c, uint32_t *start, uint32_t *most)
{
    *start = (uint32_t)chance_scale(c, 2048, 1 << 20);
    *most = (uint32_t)chance_scale(c, *start, 16 << 20);
}

static void draw_buffers(struct sanwo_tcp_config *t, struct chance *c)
{
    if (chance_hit(c, 400000))
        draw_growth(c, &t->send_buffer_start, &t->send_buffer_max);
    if (chance_hit(c, 400000))
        draw_growth(c, &t->receive_buffer_start, &t->receive_buffer_max);
    if (chance_hit(c, 150000))
        t->initial_receive_window = (uint32_t)chance_scale(c, 1460, 100000);
    if (chance_hit(c, 100000))
        t->window_clamp = (uint32_t)chance_scale(c, 3000, 1 << 20);
    if (chance_hit(c, 150000))
        t->unsent_limit = (uint32_t)chance_scale(c, 1, 200000);
}

static void draw_sender(struct sanwo_tcp_config *t, struct chance *c)
{
    t->congestion = (uint8_t)chance_below(c, SANWO_CONGESTION_COUNT);
    t->pacing = !chance_hit(c, 300000);
    t->tail_loss_probe = !chance_hit(c, 200000);
    t->idle_restart = !chance_hit(c, 300000);
    t->mtu_probing = (uint8_t)chance_below(c, 3);
    if (chance_hit(c, 200000))
        t->base_mss = (uint16_t)chance_between(c, 512, 1400);
    t->quick_ack_segments = (uint8_t)chance_between(c, 0, 32);
    t->rto_minimum = (sanwo_time)chance_scale(c, SANWO_MSEC(20), SANWO_SEC(1));
    t->rto_variance_minimum = (sanwo_time)chance_scale(c, SANWO_MSEC(10), SANWO_MSEC(300));
    draw_buffers(t, c);
}

/*
 * A queue marks only where there is one. Where no line is slow, this one is, though not so slow, nor its
 * queue so short, that a talk might time out.
 */
static void draw_marks(struct sim_draw *d, struct chance *c)
{
    for (int i = 0; i < 2; i++) {
        struct sanwo_emulator_path *p = &d->bad[i];
        uint64_t rate = chance_scale(c, 10000000, 1000000000);
        uint64_t share = chance_between(c, 1, 100);
        bool marks = chance_hit(c, 700000);

        if (!marks)
            continue;
        if (p->rate == 0) {
            p->rate = rate;
            p->queue = 1 << 20;
        }
        p->ecn_mark = (uint32_t)(1 + p->queue * share / 100);
    }
}

void sim_draw_senders(struct sim_draw *d)
{
    struct chance sender = chance_of(d, "sender"), ecn = chance_of(d, "ecn");
    struct chance open = chance_of(d, "fast-open"), peers = chance_of(d, "peers");

    for (int i = 0; i < 2; i++) {
        struct sanwo_stack_config *host = &d->config.stack[i];
        struct sanwo_tcp_config *t = &host->tcp;

        if (has(d, SIM_SENDER))
            draw_sender(t, &sender);
        if (has(d, SIM_ECN))
            t->ecn = (uint8_t)chance_below(&ecn, SANWO_ECN_COUNT);
        if (has(d, SIM_FAST_OPEN)) {
            d->config.fast_open[i] = chance_hit(&open, 700000);
            d->config.fast_open_queue[i] =
                chance_hit(&open, 700000) ? (uint32_t)chance_scale(&open, 1, 200) : 0;
        }
        if (has(d, SIM_PEERS)) {
            t->remember_peers = !chance_hit(&peers, 200000);
            host->max_peers = (uint32_t)chance_below(&peers, 20);
        }
    }
    if (has(d, SIM_ECN) && !d->config.direct)
        draw_marks(d, &ecn);
}
