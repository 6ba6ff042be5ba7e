/*
 * scenarios.h - Small worlds, each of which needs memory for something else.
 */
#ifndef TESTS_FAULTS_SCENARIOS_H
#define TESTS_FAULTS_SCENARIOS_H

#include "gate.h"

/** A world with what a scenario added to it. */
struct stage {
    struct world *world;
    struct gate *gate[2];
    struct lan lan;
    bool has_lan;
    struct world_end watched; /* whose the events of what we open ourselves are */
    int timer;
    bool decides; /* B's listener asks first */
    unsigned decided;
    bool quiet; /* nobody opens anything any more */
};

struct scenario {
    const char *name;
    void (*configure)(struct world_config *c); /* or NULL */
    void (*prepare)(struct stage *s);          /* before faults; or NULL */
    void (*act)(struct stage *s);              /* with faults; the world is then run to its end */
    bool ethernet;
    bool rough; /* ends hear of aborts, refusals, full tables: without any fault */
    enum gate_slices slices;
};

extern const struct scenario scenarios[];
extern const size_t scenario_count;

/** Makes the world, warm; @ground is used again for the next. */
void stage_open(struct stage *s, const struct scenario *scenario, uint64_t salt,
                struct world_ground *ground);
void stage_close(struct stage *s);

#endif
