/*
 * judge.c - What must hold of a world, and what is said when it does not.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "inside.h"

#define SPARE_SLAB 16384u
#define PEERS_BLOCK 512u

void world_fail(struct world *w, const char *format, ...)
{
    va_list list;

    if (w->failed)
        return;
    w->failed = true;
    va_start(list, format);
    vsnprintf(w->failure, sizeof(w->failure), format, list);
    va_end(list);
    if (w->clock != NULL)
        sanwo_virtual_stop(w->clock);
    if (w->config.on_failure != NULL)
        w->config.on_failure(w->config.context, w);
}

void world_note_memory(struct world *w, unsigned side, const struct sanwo_stack_stats *s)
{
    struct world_host *host = &w->host[side];

    if (s->memory_peak > host->worst)
        host->worst = s->memory_peak;
    if (s->memory_used > s->memory_budget || s->memory_peak > s->memory_budget)
        world_fail(w, "host %c used %llu bytes of a budget of %llu", 'A' + (int)side,
                   (unsigned long long)s->memory_peak, (unsigned long long)s->memory_budget);
    if (w->config.stack[side].budget != 0 && s->memory_budget > w->config.stack[side].budget)
        world_fail(w, "the budget is not the configured one");
}

static void check_host_clean(struct world *w, unsigned side)
{
    struct world_host *host = &w->host[side];
    struct sanwo_stack_stats s;
    uint64_t more, odd;

    world_stats(w, side, &s);
    world_note_memory(w, side, &s);
    if (s.connections != 0 || s.half_open != 0 || s.time_wait != 0)
        world_fail(w, "left behind at %c: %u connections, %u half-open, %u TIME-WAIT",
                   'A' + (int)side, s.connections, s.half_open, s.time_wait);
    if (sanwo_stack_deadline(host->stack) != SANWO_TIME_NEVER)
        world_fail(w, "%c still has a deadline", 'A' + (int)side);
    /* Each pool keeps one empty slab; of half-opens, TIME-WAITs or options there may be the first.
     * A host that was started anew may have some of them not yet. */
    more = s.memory_used - host->warm;
    odd = more % SPARE_SLAB;
    /* The other host may be remembered by now; one that was started anew may have forgotten it. */
    if ((w->config.fast_open[side] || w->config.stack[side].tcp.remember_peers) &&
        (odd == PEERS_BLOCK || odd == SPARE_SLAB - PEERS_BLOCK))
        odd = 0;
    if (host->warm != 0 && (odd != 0 || (more > 3 * SPARE_SLAB && host->boots == 1)))
        world_fail(w, "%c uses %llu bytes, %llu when it was warm", 'A' + (int)side,
                   (unsigned long long)s.memory_used, (unsigned long long)host->warm);
}

void world_check_clean(struct world *w)
{
    if (world_run(w, SANWO_SEC(100000)) != 1)
        world_fail(w, "never quiet");
    for (unsigned side = 0; side < 2; side++)
        check_host_clean(w, side);
}

void world_check_complete(struct world *w, const struct world_talk *talk)
{
    for (int i = 0; i < 2; i++) {
        const struct world_end *end = talk->end[i], *peer = talk->end[!i];

        if (end == NULL || peer == NULL)
            world_fail(w, "talk %u was never accepted", talk->number);
        else if (end->error != 0 || !end->eof || end->received != peer->plan.send ||
                 peer->sent != peer->plan.send)
            world_fail(w, "talk %u is not complete", talk->number);
    }
}

void world_check_all_complete(struct world *w)
{
    for (const struct world_talk *talk = w->talks; talk != NULL; talk = talk->next)
        world_check_complete(w, talk);
}

/* ---- describing -------------------------------------------------------------------------------- */

static void describe_end(const struct world_end *end, FILE *out)
{
    struct sanwo_tcp_info i = {0};

    fprintf(out, "  talk %d %c%s: sent %llu of %llu, received %llu%s%s%s%s error %s",
            end->talk != NULL ? (int)end->talk->number : -1, 'A' + (int)end->side,
            end->opener ? " opener" : "", (unsigned long long)end->sent,
            (unsigned long long)end->plan.send, (unsigned long long)end->received,
            end->ended ? " ended" : "", end->eof ? " eof" : "", end->over ? " over" : "",
            end->finished ? " finished" : "", sanwo_error_name(end->error));
    if (end->open && sanwo_tcp_info(end->world->host[end->side].stack, end->handle, &i) == 0)
        fprintf(out,
                " | %s port %u una %u nxt %u wnd %u rcv %u wnd %u cwnd %u queued %u/%u limited %s",
                sanwo_tcp_state_name(i.state), i.local.port, i.snd_una - i.iss, i.snd_nxt - i.iss,
                i.snd_wnd, i.rcv_nxt - i.irs, i.rcv_wnd, i.cwnd, i.send_queued, i.receive_queued,
                sanwo_reason_name(i.limited_by));
    fprintf(out, "\n");
}

static void describe_host(const struct world *w, unsigned side, FILE *out)
{
    struct sanwo_stack_stats s;

    world_stats(w, side, &s);
    fprintf(out, "  %c: %u connections, %llu bytes of %llu;", 'A' + (int)side, s.connections,
            (unsigned long long)s.memory_used, (unsigned long long)s.memory_budget);
    for (unsigned i = 0; i < SANWO_REASON_COUNT; i++)
        if (s.reasons[i] != 0)
            fprintf(out, " %s %llu", sanwo_reason_name(i), (unsigned long long)s.reasons[i]);
    fprintf(out, "\n");
}

static bool is_well(const struct world_end *end)
{
    const struct world_end *peer = ends_peer(end);

    return end->finished && (end->error == 0 || end->talk == NULL) &&
           (peer == NULL || peer->finished);
}

void world_describe(const struct world *w, FILE *out)
{
    unsigned shown = 0;

    for (unsigned i = 0; i < WORLD_ERRORS; i++)
        if (w->errors[i] != 0)
            fprintf(out, "  %llu ends: %s\n", (unsigned long long)w->errors[i],
                    sanwo_error_name((int)i));
    for (const struct world_end *end = w->ends; end != NULL && shown < 20; end = end->next) {
        if (is_well(end))
            continue;
        describe_end(end, out);
        shown++;
    }
    for (unsigned side = 0; side < 2; side++)
        describe_host(w, side, out);
}
