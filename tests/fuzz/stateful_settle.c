/*
 * stateful_settle.c - The peer turns honest, and nothing may be stuck.
 *
 * Whatever went on before: once the peer is a true TCP, the network loses nothing and the user
 * reads, every byte that the user gave must be acknowledged within minutes of the clock, or the
 * connection must have ended by a limit of its own. (Configuration, first byte: 128.)
 *
 * Left out is what no honest peer could repair: timestamps from the future that were believed,
 * packets changed on their way, the stack's address or route taken away.
 */
#include "stateful.h"

#define PATIENCE 600 /* seconds: some time-outs, backed off as far as they go */

/* The peer forgets its moods and says what the handshake agreed to. */
static void turn_honest(struct far *f, const struct sanwo_tcp_info *info)
{
    f->honest = f->automatic = true;
    f->lose = f->every = 0;
    f->lateness = 2;
    f->window = 65535;
    f->has_sacks = f->has_raw = false;
    f->offers &= (uint8_t)~OFFER_TS;
    if (info->timestamps)
        f->offers |= OFFER_TS;
    f->stack_ts = info->timestamps;
    f->own_scale = f->scale_max = info->send_scale > 0 ? (uint8_t)info->send_scale : 0;
    f->window_max = UINT32_MAX;
    f->nxt = f->ack;
    f->mss = 1000;
    if (seq_before(f->rcv_nxt, f->acked)) { /* what it acknowledged it must have */
        f->rcv_nxt = f->acked;
        f->held_count = 0;
    }
}

static bool can_settle(const struct far *f, const struct user *u)
{
    return u && f->iss_known && u->iss == f->iss && f->ack_known && f->agreed && !f->tainted;
}

static void read_all(struct world *w)
{
    static uint8_t bytes[MOST_BYTES];
    for (unsigned i = 0; i < USERS; i++) {
        struct user *u = &w->users[i];
        int64_t n;
        while (u->used &&
               (n = sanwo_tcp_receive(w->stack, u->handle, bytes, sizeof(bytes), w->now)) > 0)
            u->received += (uint64_t)n;
    }
}

/* Time passes, the user reads, and the peer fills what holes its stream has. */
static void go_on(struct world *w, bool fill)
{
    for (unsigned i = 0; i < FLOWS; i++) {
        struct far *f = &w->flows[i];
        struct sanwo_tcp_info info;
        uint32_t room = f->edge_known && seq_before(f->ack, f->edge) ? f->edge - f->ack : 0;
        if (room > 16384)
            room = 16384;
        uint8_t record[STATEFUL_RECORD] = {OP_DATA, (uint8_t)i, (uint8_t)room,
                                           (uint8_t)(room >> 8)};
        if (!f->honest || sanwo_tcp_info(w->stack, flow_user(w, i)->handle, &info))
            continue;
        f->nxt = f->ack;
        if (room && fill && !info.peer_closed)
            peer_operation(w, record);
    }
    world_pump(w);
    world_run_until(w, w->now + SANWO_SEC(fill ? 1 : 20));
    read_all(w);
    world_pump(w);
}

static void check_settled(struct world *w, struct far *f, struct user *u)
{
    struct sanwo_tcp_info info;
    struct sanwo_stack_stats stats;
    if (!f->honest || !u || sanwo_tcp_info(w->stack, u->handle, &info) < 0)
        return;
    sanwo_stack_stats(w->stack, &stats);
    /* At its end, or before a closed window, the peer cannot outdo its old lies (SND.WL1). */
    if (!f->edge_known || f->edge == f->ack || info.peer_closed)
        return;
    if (info.state < SANWO_TCP_ESTABLISHED || stats.memory_used > stats.memory_budget / 2)
        return;
    if (fuzz_trace && info.send_queued)
        sanwo_tcp_info(w->stack, u->handle, &info);
    FUZZ_CHECK(info.send_queued == 0, "every byte is acknowledged in the end");
    FUZZ_CHECK(!seq_before(f->rcv_nxt, f->user_end), "and arrived");
}

void world_settle(struct world *w)
{
    /* Packets may still come that are as old as the world: beyond days PAWS cannot know them. */
    if (w->changed || w->now - w->origin > SANWO_SEC(10 * 86400))
        return;
    sanwo_stack_inject_fault(w->stack, 0);
    w->quiet = w->batch_left = w->via_left = 0;
    w->holding = false;
    world_release(w, 0);
    sanwo_stack_link_set_up(w->stack, w->link, true, w->now);
    for (unsigned i = 0; i < FLOWS; i++) {
        struct sanwo_tcp_info info;
        struct user *u = flow_user(w, i);
        if (can_settle(&w->flows[i], u) && !sanwo_tcp_info(w->stack, u->handle, &info))
            turn_honest(&w->flows[i], &info);
    }
    read_all(w);
    for (int i = 0; i < 6; i++)
        go_on(w, true);
    for (int i = 0; i < PATIENCE / 20; i++)
        go_on(w, false);
    check_all(w);
    for (unsigned i = 0; i < FLOWS; i++)
        check_settled(w, &w->flows[i], flow_user(w, i));
}
