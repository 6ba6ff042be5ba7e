/*
 * measure.c - A cell's figures: one run in bulk, then transfers that end, each in a world of its own.
 *
 *     bulk:      flows start one after the other -- warm -->|<-- measured -->|
 *     transfers: all flows but the first in bulk -- warm -->| the first: 100 KB, or 10 MB, alone timed
 */
#define _GNU_SOURCE
#include "goodput.h"

#include <string.h>
#include <time.h>

#include "../common.h"

#define SHORT_TRANSFER 100000
#define LONG_TRANSFER 10000000
#define VIRTUAL_PATIENCE SANWO_SEC(3600)
#define REAL_PATIENCE SANWO_SEC(20)

struct counts {
    uint64_t fresh[MOST_FLOWS];
    uint64_t segments, again, out, needless, overtaken;
};

static void count(const struct world *w, struct counts *c)
{
    memset(c, 0, sizeof *c);
    for (unsigned i = 0; i < MOST_FLOWS; i++) {
        const struct meter_flow *m = &w->meter.flows[i];

        c->fresh[i] = m->fresh;
        c->segments += m->segments;
        c->again += m->again;
        c->out += m->out_segments;
        c->needless += m->needless;
        c->overtaken += m->overtaken;
    }
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

/* Each a little after the one before, so that none of them march in step. */
static bool start_flows(struct world *w, unsigned from)
{
    for (unsigned i = from; i < w->flow_count; i++) {
        if (!sw_flow_start(&w->flows[i]) ||
            !sw_world_run(w, w->now + w->cell->rtt / 3 + SANWO_MSEC(1), NULL))
            return false;
    }
    return true;
}

static void judge_flows(const struct world *w, const struct counts *a, const struct counts *b,
                        double seconds, struct result *r)
{
    double sum = 0, squares = 0;

    for (unsigned i = 0; i < w->flow_count; i++) {
        double rate = (double)(b->fresh[i] - a->fresh[i]) * 8 / seconds;

        r->flows[i] = rate;
        sum += rate;
        squares += rate * rate;
    }
    r->goodput = sum;
    r->fill = sum / sw_cell_capacity(w->cell);
    r->jain = squares > 0 ? sum * sum / (w->flow_count * squares) : 0;
}

static void judge_segments(const struct counts *a, const struct counts *b, struct result *r)
{
    r->segments = b->segments - a->segments;
    r->segments_all = b->segments;
    r->again = share(b->again - a->again, b->segments - a->segments);
    r->again_all = share(b->again, b->segments);
    r->needless = share(b->needless - a->needless, b->out - a->out);
    r->overtaken = share(b->overtaken - a->overtaken, b->out - a->out);
}

static bool measure_bulk(const struct cell *cell, struct kernel *kernel, struct result *r)
{
    struct sanwo_emulator_stats stats;
    struct counts before, after;
    struct world w;
    sanwo_time begun;
    bool good = sw_world_open(&w, cell, kernel, 0) && start_flows(&w, 0) &&
                sw_world_run(&w, w.begun + cell->warm, NULL);

    if (good) {
        count(&w, &before);
        sanwo_emulator_queue_restart(w.emulator);
        begun = w.now;
        good = sw_world_run(&w, begun + cell->measure, NULL);
        count(&w, &after);
        sanwo_emulator_queue(w.emulator, true, w.now, &r->queue);
        sanwo_emulator_stats(w.emulator, &stats);
        r->lost = stats.lost;
        judge_flows(&w, &before, &after, (double)(w.now - begun) / 1e9, r);
        judge_segments(&before, &after, r);
        r->late = w.late_turns > 0 ? w.late / (sanwo_time)w.late_turns : 0;
        r->latest = w.latest;
    }
    for (unsigned i = 0; i < w.flow_count; i++)
        good = good && !w.flows[i].failed;
    sw_world_close(&w);
    return good;
}

static void add_transfer(const struct world *w, struct transfers *t)
{
    const struct flow *flow = &w->flows[0];
    const struct meter_flow *m = &w->meter.flows[0];

    t->count++;
    t->segments += m->segments;
    t->again += m->again;
    t->needless += m->needless;
    if (flow->done == 0)
        return;
    t->sum += flow->done - flow->start;
    if (t->finished == 0 || flow->done - flow->start < t->least)
        t->least = flow->done - flow->start;
    if (flow->done - flow->start > t->most)
        t->most = flow->done - flow->start;
    t->finished++;
}

static bool transfer(const struct cell *cell, struct kernel *kernel, uint64_t bytes, unsigned run,
                     struct transfers *t)
{
    sanwo_time patience = kernel != NULL ? REAL_PATIENCE : VIRTUAL_PATIENCE;
    struct world w;
    bool good = sw_world_open(&w, cell, kernel, run) && start_flows(&w, 1);

    if (good && cell->flows > 1)
        good = sw_world_run(&w, w.begun + cell->warm, NULL);
    if (good) {
        w.flows[0].limit = bytes;
        good = sw_flow_start(&w.flows[0]) && sw_world_run(&w, w.now + patience, &w.flows[0]);
        add_transfer(&w, t);
        good = good && !w.flows[0].failed;
    }
    sw_world_close(&w);
    return good;
}

static bool measure_transfers(const struct cell *cell, struct kernel *kernel, struct result *r)
{
    bool good = true;

    for (unsigned i = 0; good && i < cell->short_count; i++)
        good = transfer(cell, kernel, SHORT_TRANSFER, 1 + i, &r->shorts);
    if (good && cell->long_transfer)
        good = transfer(cell, kernel, LONG_TRANSFER, 1 + cell->short_count, &r->longs);
    return good;
}

static sanwo_time processor_time(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return SANWO_SEC(t.tv_sec) + t.tv_nsec;
}

static bool measure_all(const struct cell *cell, struct kernel *kernel, struct result *r)
{
    sanwo_time processor = processor_time(), begun = sanwo_time_now();
    bool good = measure_bulk(cell, kernel, r);

    r->processor =
        share((uint64_t)(processor_time() - processor), (uint64_t)(sanwo_time_now() - begun));
    good = good && measure_transfers(cell, kernel, r);
    r->elapsed = sanwo_time_now() - begun;
    return good;
}

bool sw_measure(const struct cell *cell, struct result *r)
{
    struct kernel kernel;
    bool good;

    memset(r, 0, sizeof *r);
    if (!sw_cell_is_real(cell))
        return measure_all(cell, NULL, r);
    good = sw_kernel_open(&kernel, cell->ends != ENDS_OURS_TO_LINUX, sw_cell_to_linux(cell)) == 0 &&
           measure_all(cell, &kernel, r);
    if (good)
        r->dropped = sw_kernel_dropped(&kernel, LEFT) + sw_kernel_dropped(&kernel, RIGHT);
    sw_kernel_close(&kernel);
    return good;
}
