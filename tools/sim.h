/*
 * sim.h - Between the files of `sanwo sim`.
 */
#ifndef SANWO_TOOLS_SIM_H
#define SANWO_TOOLS_SIM_H

#include "common.h"

#include "sim/run.h"

struct sim_options {
    uint64_t segments, seed, world, jobs, verify;
    const char *only, *without, *out, *pcap, *ladder;
    bool json, trace, list;
    uint64_t faults; /* what --only and --without leave */
};

#define SIM_NO_WORLD UINT64_MAX

enum { SIM_MOST_JOBS = 64, SIM_MOST_FAILURES = 8 };

/* A world that broke a rule. */
struct sim_failure {
    uint64_t world;
    int signal;   /* that ended the process, or 0 */
    bool unequal; /* a second run gave another trace */
    char what[WORLD_FAILURE];
};

/* What a job's worlds came to, or all jobs'. */
struct sim_sum {
    uint64_t worlds, verified, segments, talks, bytes, excused, refused, retransmitted;
    uint64_t reboots, jumps, flaps;
    uint64_t ended[WORLD_ERRORS];
    uint64_t memory_peak, memory_budget, hash;
    double virtual_seconds;
    struct sanwo_emulator_stats network;
    unsigned failure_count;
    struct sim_failure failures[SIM_MOST_FAILURES];
    uint64_t current; /* the world that is running */
};

/* What is known of a failure after it was looked into. */
struct sim_finding {
    const struct sim_failure *failure;
    uint64_t faults, smallest; /* kinds that the world has, and those that it takes to fail */
    char pcap[256], ladder[256], text[256];
};

/* ---- sim_jobs.c: many worlds ------------------------------------------------------------------ */

/* Runs worlds in processes of their own until enough segments were sent. 0 or an exit status. */
int sw_sim_run_jobs(const struct sim_options *o, struct sim_sum *sum);
void sw_sim_sum_add(struct sim_sum *sum, const struct sim_sum *more);
void sw_sim_sum_world(struct sim_sum *sum, const struct sim_result *result);

/* ---- sim_failure.c: one world ----------------------------------------------------------------- */

/* Runs one world here and says all about it. An exit status. */
int sw_sim_replay(const struct sim_options *o);
/* Makes a failing world smaller and writes its files into the folder. */
void sw_sim_look_into(const struct sim_options *o, const struct sim_failure *failure,
                      struct sim_finding *out);

/* ---- sim_report.c ----------------------------------------------------------------------------- */

void sw_sim_print(const struct sim_options *o, const struct sim_sum *sum, double seconds);
void sw_sim_print_finding(const struct sim_options *o, const struct sim_finding *finding);
void sw_sim_print_json(const struct sim_options *o, const struct sim_sum *sum, double seconds,
                       const struct sim_finding *findings);

#endif
