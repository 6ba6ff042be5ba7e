/*
 * describe.c - A drawn world in words.
 */
#include "run.h"

static double seconds(sanwo_time t)
{
    return (double)t / 1e9;
}

static void describe_path(const struct sim_draw *d, unsigned side, FILE *out)
{
    const struct sanwo_emulator_path *p = &d->bad[side];

    fprintf(out, "  %c to %c: delay %.6f s", 'A' + (int)side, 'A' + (int)!side, seconds(p->delay));
    if (p->jitter != 0)
        fprintf(out, ", jitter %.6f s", seconds(p->jitter));
    if (p->loss_ppm != 0)
        fprintf(out, ", loss %.4f %%", p->loss_ppm / 1e4);
    if (p->burst_ppm != 0)
        fprintf(out, ", bursts %.4f %% until %.4f %%", p->burst_ppm / 1e4, p->burst_exit_ppm / 1e4);
    if (p->reorder_ppm != 0)
        fprintf(out, ", reordered %.4f %% by %.6f s", p->reorder_ppm / 1e4,
                seconds(p->reorder_delay));
    if (p->duplicate_ppm != 0)
        fprintf(out, ", duplicated %.4f %%", p->duplicate_ppm / 1e4);
    if (p->corrupt_ppm != 0)
        fprintf(out, ", corrupted %.4f %%", p->corrupt_ppm / 1e4);
    if (p->truncate_ppm != 0)
        fprintf(out, ", truncated %.4f %%", p->truncate_ppm / 1e4);
    if (p->spike_ppm != 0)
        fprintf(out, ", spikes %.4f %% of %.6f s", p->spike_ppm / 1e4, seconds(p->spike));
    if (p->rate != 0)
        fprintf(out, ", %llu bit/s, queue %u bytes", (unsigned long long)p->rate, p->queue);
    if (p->ecn_mark != 0)
        fprintf(out, ", marks above %u", p->ecn_mark);
    fprintf(out, "\n");
}

static void describe_box(const struct sim_draw *d, FILE *out)
{
    const struct sanwo_emulator_middlebox *b = &d->box;

    fprintf(out, "  middlebox:");
    if (b->strip_syn != 0 || b->strip_later != 0)
        fprintf(out, " strips %#x of SYNs and %#x later%s;", b->strip_syn, b->strip_later,
                b->strip_outward_only ? ", of what A sends only" : "");
    if (b->clamp_mss != 0)
        fprintf(out, " MSS at most %u;", b->clamp_mss);
    if (b->shift_sequence)
        fprintf(out, " moves sequence numbers%s;", b->forget_sack ? " but not SACK blocks" : "");
    if (b->bleach_ecn)
        fprintf(out, " clears ECN;");
    fprintf(out, " splits %.4f %%, joins %.4f %%, resets %.4f %%\n", b->split_ppm / 1e4,
            b->join_ppm / 1e4, b->reset_ppm / 1e4);
}

static void describe_host(const struct sim_draw *d, unsigned side, FILE *out)
{
    const struct sanwo_stack_config *c = &d->config.stack[side];

    fprintf(
        out,
        "  host %c: budget %llu, refusals 1/%u; buffers %u and %u, MSS %u%s%s%s%s%s%s, keep-alive "
        "%.0f s\n",
        'A' + (int)side, (unsigned long long)c->budget, d->fault_every[side], c->tcp.send_buffer,
        c->tcp.receive_buffer, c->tcp.mss, c->tcp.offer_window_scale ? ", wscale" : "",
        c->tcp.offer_timestamps ? ", TS" : "", c->tcp.offer_sack ? ", SACK" : "",
        c->tcp.nagle ? ", Nagle" : "", c->tcp.quick_ack ? ", quick ACK" : "",
        c->tcp.syn_cookies ? ", cookies" : "",
        c->tcp.keepalive ? seconds(c->tcp.keepalive_idle) : 0.0);
}

/* Only what is other than usual. */
static void describe_sender(const struct sim_draw *d, unsigned side, FILE *out)
{
    static const char *const algorithms[SANWO_CONGESTION_COUNT] = {
        [SANWO_CONGESTION_NEWRENO] = "newreno",
        [SANWO_CONGESTION_CUBIC] = "cubic",
        [SANWO_CONGESTION_BBR] = "bbr",
        [SANWO_CONGESTION_DCTCP] = "dctcp",
    };
    const struct sanwo_tcp_config *t = &d->config.stack[side].tcp;

    fprintf(out, "  sender %c: %s%s%s%s, ECN %u, MTU probing %u from %u, RTO from %.3f s",
            'A' + (int)side, algorithms[t->congestion], t->pacing ? "" : ", not paced",
            t->tail_loss_probe ? "" : ", no tail probes",
            t->idle_restart ? "" : ", no idle restart", t->ecn, t->mtu_probing, t->base_mss,
            seconds(t->rto_minimum));
    fprintf(out, ", buffers from %u to %u and %u to %u, first window %u, clamp %u, unsent %u",
            t->send_buffer_start, t->send_buffer_max, t->receive_buffer_start,
            t->receive_buffer_max, t->initial_receive_window, t->window_clamp, t->unsent_limit);
    if (d->config.fast_open[side] || d->config.fast_open_queue[side] != 0)
        fprintf(out, ", fast open%s, takes %u", d->config.fast_open[side] ? "s" : "",
                d->config.fast_open_queue[side]);
    if (t->remember_peers)
        fprintf(out, ", remembers peers (%u)", d->config.stack[side].max_peers);
    fprintf(out, "\n");
}

static void describe_episode(const struct sim_episode *e, FILE *out)
{
    fprintf(out, "  after %.6f s: ", seconds(e->at));
    switch (e->act) {
    case SIM_PATHS:
        fprintf(out, "the network is bad%s%s\n", e->value & 1 ? ", A to B dark" : "",
                e->value & 2 ? ", B to A dark" : "");
        break;
    case SIM_NARROW:
        fprintf(out, "path MTU %u%s\n", e->value, e->side != 0 ? ", and nobody tells" : "");
        break;
    case SIM_LINK:
        fprintf(out, "%c's link goes %s\n", 'A' + e->side, e->value != 0 ? "up" : "down");
        break;
    case SIM_BOOT:
        fprintf(out, "%c starts anew\n", 'A' + e->side);
        break;
    default:
        fprintf(out, "the clock jumps by %.6f s\n", seconds(e->time));
        break;
    }
}

void sim_describe(const struct sim_draw *d, FILE *out)
{
    fprintf(
        out,
        "  IPv%u, MTU %u, %u talks of up to %llu bytes opened within %.3f s, faults for %.3f s\n",
        d->config.family, d->config.mtu, d->talks, (unsigned long long)d->most_bytes,
        seconds(d->span), seconds(d->faulty));
    for (unsigned side = 0; side < 2; side++)
        describe_host(d, side, out);
    for (unsigned side = 0; side < 2; side++)
        describe_sender(d, side, out);
    if (d->config.direct) {
        fprintf(out, "  no network: offload %#x\n", d->config.offload);
    } else {
        for (unsigned side = 0; side < 2; side++)
            describe_path(d, side, out);
        describe_box(d, out);
    }
    for (size_t i = 0; i < d->episode_count; i++)
        describe_episode(&d->episodes[i], out);
    fprintf(out, "  a talk may%s%s%s\n", d->may_time_out ? " time out," : "",
            d->may_be_reset ? " be reset," : "",
            d->may_fail ? " end with any named error" : " end in order");
}
