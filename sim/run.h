/*
 * run.h - Running one drawn world from its first SYN to the last check.
 */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "draw.h"

/** What a world came to. */
struct sim_result {
    bool failed;
    char failure[WORLD_FAILURE]; /* the property that is broken */
    sanwo_time failed_at;
    int port;          /* the opener's of the talk that failed, else of the first */
    uint64_t hash;     /* of the trace */
    uint64_t segments; /* frames that the stacks sent */
    uint64_t talks, bytes;
    uint64_t ended[WORLD_ERRORS]; /* talks by the error that they ended with */
    uint64_t excused;             /* talks that did not end in order and need not */
    uint64_t memory_peak, memory_budget, refused;
    uint64_t retransmitted;
    uint64_t reboots, jumps, flaps;
    sanwo_time time; /* virtual */
    struct sanwo_emulator_stats network;
};

/** What is wanted besides. All may be zero. */
struct sim_wish {
    struct world_ground *ground;
    const char *pcap;
    FILE *description; /* of a failure: ends, memory, reasons */
    void (*on_observation)(void *context, unsigned side, const struct sanwo_observation *what);
    /** Called when the faults have begun: tests of the simulator itself break something here. */
    void (*on_begin)(void *context, struct world *w);
    void *context;
};

void sim_run(const struct sim_draw *d, const struct sim_wish *wish, struct sim_result *out);

/** True if the world still breaks a rule with no kinds of fault but @faults. */
typedef bool (*sim_fails)(void *context, uint64_t faults);
/** Leaves out kind after kind while the world still breaks a rule; returns the kinds that are left. */
uint64_t sim_shrink(uint64_t faults, sim_fails fails, void *context);

/** The parameters of a world, lines for whoever has to understand it. */
void sim_describe(const struct sim_draw *d, FILE *out);

#endif
