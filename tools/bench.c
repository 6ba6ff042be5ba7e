/*
 * bench.c - sanwo bench NAME: which benchmark, its options, its rounds.
 *
 *     pair     one connection in bulk               Gbit/s, ns a segment
 *     cycle    open, echo a byte, close             cycles a second
 *     echo     a byte over each of N connections    us a round trip
 *     idle     N connections that are quiet         bytes an end
 *     machine  what it runs on
 *     goodput  what a path lets through             tools/goodput
 */
#include "bench.h"
#include "common.h"
#include "goodput/goodput.h"

#include <stdio.h>
#include <string.h>

#define OWN_OPTIONS 4
#define SHARED_OPTIONS 13 /* with the end */
#define MOST_MSS 65475    /* IPv6 and TCP headers within an MTU of 65535 */

static const struct bench {
    const char *name, *finds;
    bool (*round)(const struct bench_options *options, struct bench_round *round);
    struct command_help help;
} benches[] = {
    {"pair",
     "one connection in bulk: Gbit/s, ns a segment",
     sw_bench_pair,
     {.name = "bench pair",
      .synopsis = "[options]",
      .summary =
          "One connection in bulk, both ends on one core. Every byte is compared at the start and\n"
          "the end of a round, and the edges of each piece in the measured part.",
      .example = "sanwo bench pair --mss 1460 --checksum --copy"}},
    {"cycle",
     "open, echo a byte, close: cycles a second",
     sw_bench_cycle,
     {.name = "bench cycle",
      .synopsis = "[options]",
      .summary =
          "Connections a second: opened, one byte there and back, closed in order by the client,\n"
          "whose TIME-WAIT records pile up; or opened and reset.",
      .example = "sanwo bench cycle --time-wait 65000"}},
    {"echo",
     "a byte over each of N connections: us a round trip",
     sw_bench_echo,
     {.name = "bench echo",
      .synopsis = "[options]",
      .summary = "One byte there and back on each of N established connections in turn.",
      .example = "sanwo bench echo --connections 10000"}},
    {"idle",
     "N connections that are quiet: bytes an end",
     sw_bench_idle,
     {.name = "bench idle",
      .synopsis = "[options]",
      .summary = "Memory of N established connections that are quiet, as the system counts it.",
      .example = "sanwo bench idle --connections 100000"}},
};

#define BENCH_COUNT (sizeof benches / sizeof benches[0])

static void print_help(FILE *out)
{
    fprintf(out, "usage: sanwo bench NAME [options]\n\nTwo hosts in one process, on one core.\n\n");
    for (size_t i = 0; i < BENCH_COUNT; i++)
        fprintf(out, "  %-8s %s\n", benches[i].name, benches[i].finds);
    fprintf(out, "  %-8s what it all runs on\n", "machine");
    fprintf(out, "  %-8s what a path lets through, ours beside Linux\n\n", "goodput");
    fprintf(out, "\"sanwo bench NAME --help\" shows the options.\n\nexample:\n"
                 "  sanwo bench pair --mss 1460 --checksum --copy\n");
}

/* The options of @bench alone, at most OWN_OPTIONS. How many. */
static size_t own_options(const struct bench *bench, struct bench_options *o,
                          struct option_entry *table)
{
    const struct option_entry pair[] = {
        {OPTION_ON, 0, "copy", &o->copy, NULL,
         "the application copies in and out; else send_ref and peek", 0, 0},
        {OPTION_ON, 0, "super", &o->super_segments, NULL,
         "super-segments; not with --checksum, the link computes them", 0, 0},
        {OPTION_NUMBER, 0, "chunk", &o->chunk, "BYTES", "of the application's calls (16384)", 64,
         1 << 20},
        {OPTION_ON, 0, "verify", &o->verify, NULL, "compare every byte in the measured part too", 0,
         0},
    };
    const struct option_entry cycle[] = {
        {OPTION_NUMBER, 0, "time-wait", &o->time_wait, "N",
         "records outstanding when measuring begins (0)", 0, 8 << 20},
        {OPTION_NUMBER, 0, "parallel", &o->parallel, "N", "connections at the same time (1)", 1,
         4096},
        {OPTION_ON, 0, "reset", &o->reset, NULL, "open and reset, without the byte", 0, 0},
    };
    const struct option_entry echo[] = {
        {OPTION_NUMBER, 0, "connections", &o->connections, "N", "how many there are (1000)", 1,
         4 << 20},
        {OPTION_NUMBER, 0, "parallel", &o->parallel, "N", "bytes under way at the same time (1)", 1,
         4096},
    };
    const struct option_entry idle[] = {
        {OPTION_NUMBER, 0, "connections", &o->connections, "N", "how many there are (100000)", 1,
         4 << 20},
    };

#define TAKE(list) (memcpy(table, list, sizeof(list)), sizeof(list) / sizeof(list[0]))
    if (bench->round == sw_bench_pair)
        return TAKE(pair);
    if (bench->round == sw_bench_cycle)
        return TAKE(cycle);
    return bench->round == sw_bench_echo ? TAKE(echo) : TAKE(idle);
#undef TAKE
}

/* Those of all benchmarks, and the end. */
static void shared_options(struct bench_options *o, struct option_entry *table)
{
    const struct option_entry shared[SHARED_OPTIONS] = {
        {OPTION_NUMBER, 0, "rounds", &o->rounds, "N", "rounds; the median counts (3)", 1,
         BENCH_MOST_ROUNDS},
        {OPTION_SECONDS, 0, "seconds", &o->seconds, "S", "measured part of a round (2)", 0, 0},
        {OPTION_NUMBER, 0, "mss", &o->mss, "BYTES",
         "announced, so the MTU is 40 more, 60 with IPv6 (1460)", 536, 65495},
        {OPTION_ON, 0, "no-timestamps", &o->no_timestamps, NULL,
         "without the option, which takes 12 bytes from each segment", 0, 0},
        {OPTION_ON, 0, "checksum", &o->checksum, NULL,
         "computed and verified in software; else the link is trusted", 0, 0},
        {OPTION_NUMBER, 0, "window", &o->window, "BYTES", "send and receive buffers (65536)", 4096,
         1 << 30},
        {OPTION_NUMBER, 0, "batch", &o->batch, "N", "most frames handed over at a time (32)", 1,
         BENCH_MOST_BATCH},
        {OPTION_ON, 0, "lend", &o->lend, NULL, "copy frames into buffers the receiver lends", 0, 0},
        {OPTION_ON, 0, "driver", &o->driver, NULL, "through the pair driver", 0, 0},
        {OPTION_ON, 0, "ipv6", &o->ipv6, NULL, "not IPv4", 0, 0},
        {OPTION_ON, 0, "json", &o->json, NULL, "all rounds and the machine's facts, for machines",
         0, 0},
        {OPTION_ON, 0, "brief", &o->brief, NULL, "one line", 0, 0},
        {.kind = OPTION_END},
    };

    memcpy(table, shared, sizeof shared);
}

static bool agree(const struct bench *bench, const struct bench_options *o)
{
    if (o->super_segments && o->checksum)
        sw_complain(bench->help.name, STATUS_USAGE,
                    "--super needs a link that computes checksums; leave --checksum out");
    else if (o->driver && o->lend)
        sw_complain(bench->help.name, STATUS_USAGE,
                    "the pair driver lends nothing; give --driver or --lend");
    else if (bench->round == sw_bench_pair && !o->copy && o->chunk > o->window)
        sw_complain(bench->help.name, STATUS_USAGE,
                    "without --copy a --chunk must fit into the --window");
    else if (o->ipv6 && o->mss > MOST_MSS)
        sw_complain(bench->help.name, STATUS_USAGE, "--mss is at most %d with --ipv6", MOST_MSS);
    else
        return true;
    return false;
}

static int run_rounds(const struct bench *bench, const struct bench_options *o)
{
    static const struct bench_round none;
    struct bench_round rounds[BENCH_MOST_ROUNDS];
    size_t count = (size_t)o->rounds;

    for (size_t i = 0; i < count; i++) {
        rounds[i] = none;
        if (!bench->round(o, &rounds[i]))
            return STATUS_FAILED;
    }
    sw_bench_report(bench->name, o, rounds, count);
    return fflush(stdout) ? STATUS_WRITE : STATUS_OK;
}

static int run(const struct bench *bench, int argc, char **argv)
{
    struct bench_options o = {.rounds = 3,
                              .seconds = SANWO_SEC(2),
                              .mss = 1460,
                              .window = 65536,
                              .batch = 32,
                              .chunk = 16384,
                              .parallel = 1,
                              .connections = bench->round == sw_bench_idle ? 100000 : 1000};
    struct option_entry options[OWN_OPTIONS + SHARED_OPTIONS];
    int count, status;

    shared_options(&o, options + own_options(bench, &o, options));
    if (!sw_options_read(&bench->help, options, NULL, argc, argv, &count, &status))
        return status;
    if (count)
        return sw_complain(bench->help.name, STATUS_USAGE,
                           "'%s' is one argument too many; give options only", argv[1]);
    return agree(bench, &o) ? run_rounds(bench, &o) : STATUS_USAGE;
}

int sw_cmd_bench(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return STATUS_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
        print_help(stdout);
        return STATUS_OK;
    }
    if (!strcmp(argv[1], "machine")) {
        sw_bench_print_machine(argc > 2 && !strcmp(argv[2], "--json"));
        return STATUS_OK;
    }
    if (!strcmp(argv[1], "goodput"))
        return sw_cmd_goodput(argc - 1, argv + 1);
    for (size_t i = 0; i < BENCH_COUNT; i++)
        if (!strcmp(argv[1], benches[i].name))
            return run(&benches[i], argc - 1, argv + 1);
    return sw_complain("bench", STATUS_USAGE,
                       "there is no benchmark '%s'; \"sanwo bench --help\" shows what there is",
                       argv[1]);
}
