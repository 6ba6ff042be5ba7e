/*
 * bench_echo.c - One byte there and back on each of N connections in turn: what finding one costs.
 */
#include "bench.h"

static bool measure(struct bench_crowd *c, const struct bench_options *o, struct bench_round *round)
{
    sanwo_time elapsed, processor;
    uint64_t from;
    double trips;

    if (!sw_bench_crowd_add(c, c->most) || !sw_bench_crowd_greet(c))
        return false;
    from = c->trips;
    elapsed = sanwo_time_now();
    processor = sw_bench_processor_time();
    for (sanwo_time end = elapsed + o->seconds; c->wire->now < end;)
        if (!sw_bench_crowd_turn(c, (size_t)o->parallel))
            return false;
    processor = sw_bench_processor_time() - processor;
    elapsed = sanwo_time_now() - elapsed;
    trips = (double)(c->trips - from);
    sw_bench_figure(round, "us_per_round_trip", "us/round trip", (double)processor / trips / 1e3);
    sw_bench_figure(round, "round_trips_per_second", "round trips/s",
                    trips * 1e9 / (double)processor);
    sw_bench_figure(round, "round_trips", "round trips", trips);
    sw_bench_figure(round, "connections", "connections", (double)c->count);
    sw_bench_figure(round, "processor_seconds", "s of processor", (double)processor / 1e9);
    sw_bench_figure(round, "elapsed_seconds", "s elapsed", (double)elapsed / 1e9);
    return true;
}

bool sw_bench_echo(const struct bench_options *options, struct bench_round *round)
{
    struct bench_crowd crowd;
    bool good = sw_bench_crowd_open(&crowd, options, (size_t)options->connections) &&
                measure(&crowd, options, round);

    sw_bench_crowd_close(&crowd);
    return good;
}
