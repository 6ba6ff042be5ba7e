/*
 * bench_idle.c - Bytes of an idle connection, as the system counts the process's memory.
 *
 *     resident with two stacks, tables and one connection   ... N more, a byte each way, all quiet
 *          before                                               after
 *
 * Each connection has both its ends here, so an end is half of the difference.
 */
#include "bench.h"

#define QUIET SANWO_SEC(1) /* no timer sooner than this: delayed ACKs are out */
#define STEP 1000          /* connections from one to the next that is tried at the end */

static bool wait_until_quiet(struct bench_wire *w)
{
    sanwo_time next, other;

    do {
        if (!sw_bench_turn(w))
            return false;
        next = sanwo_stack_deadline(w->client.stack);
        other = sanwo_stack_deadline(w->server.stack);
        if (other < next)
            next = other;
    } while (next < w->now + QUIET);
    return true;
}

static void note(struct bench_round *round, double count, double before, double after,
                 const struct sanwo_stack_stats used[4])
{
    double client = (double)(used[2].memory_used - used[0].memory_used);
    double server = (double)(used[3].memory_used - used[1].memory_used);

    sw_bench_figure(round, "bytes_per_end", "bytes/end", (after - before) / count / 2);
    sw_bench_figure(round, "bytes_per_connection", "bytes/connection", (after - before) / count);
    sw_bench_figure(round, "client_memory_used", "bytes/client end by our own count",
                    client / count);
    sw_bench_figure(round, "server_memory_used", "bytes/server end by our own count",
                    server / count);
    sw_bench_figure(round, "connections", "connections", count);
    sw_bench_figure(round, "resident_before", "bytes resident before", before);
    sw_bench_figure(round, "resident_after", "bytes resident after", after);
}

static void read_used(const struct bench_wire *w, struct sanwo_stack_stats used[2])
{
    sanwo_stack_stats(w->client.stack, &used[0]);
    sanwo_stack_stats(w->server.stack, &used[1]);
}

/* They are still there and work. */
static bool try_some(struct bench_crowd *c)
{
    uint64_t end = c->trips;

    for (size_t i = 0; i < c->count; i += STEP, end++) {
        c->next = i;
        while (c->trips <= end)
            if (!sw_bench_crowd_turn(c, 1))
                return false;
    }
    return true;
}

static bool measure(struct bench_crowd *c, struct bench_round *round)
{
    struct sanwo_stack_stats used[4];
    uint64_t before;

    if (!sw_bench_crowd_add(c, 1) || !sw_bench_crowd_greet(c) || !wait_until_quiet(c->wire))
        return false;
    read_used(c->wire, &used[0]);
    before = sw_bench_resident();
    if (!sw_bench_crowd_add(c, c->most) || !sw_bench_crowd_greet(c) || !wait_until_quiet(c->wire))
        return false;
    read_used(c->wire, &used[2]);
    note(round, (double)(c->count - 1), (double)before, (double)sw_bench_resident(), used);
    return try_some(c);
}

bool sw_bench_idle(const struct bench_options *options, struct bench_round *round)
{
    struct bench_options own = *options;
    struct bench_crowd crowd;
    bool good;

    own.quick_ack = true; /* what waits for delayed ones would be counted for ever after */
    good = sw_bench_crowd_open(&crowd, &own, (size_t)options->connections + 1) &&
           measure(&crowd, round);

    sw_bench_crowd_close(&crowd);
    return good;
}
