/*
 * emulator_path.h - One direction of an emulated network: decides what becomes of each packet.
 */
#ifndef DRIVERS_EMULATOR_PATH_H
#define DRIVERS_EMULATOR_PATH_H

#include <sanwo/driver.h>

#include "emulator_queue.h"

struct path {
    struct sanwo_emulator_path config;
    uint64_t random;      /* state of the generator */
    bool burst;           /* inside a burst of losses ... */
    sanwo_time burst_end; /* ... which is over by then */
    sanwo_time line_free; /* when the last bit accepted so far is on the line */
    uint64_t line_rest;   /* what integer division left over, so that the rate is exact */
    sanwo_time last_due;  /* of packets in order */
    struct queue_waits waits;
};

#define PATH_NO_BIT UINT32_MAX

/** A packet that arrives: when, which bit is flipped (or PATH_NO_BIT), how much of it is left. */
struct fate {
    sanwo_time due;
    uint32_t bit;
    uint32_t length;
    bool mark; /* the queue was longer than it should be: CE if it is ECT */
    bool late; /* held back: others overtake it */
};

bool sw_emulator_path_valid(const struct sanwo_emulator_path *config);
void sw_emulator_path_init(struct path *path, const struct sanwo_emulator_path *config,
                           uint64_t seed);
/** How often (0 to 2) a packet of @length bytes that enters @now arrives, and how. */
unsigned sw_emulator_path_enter(struct path *path, uint32_t length, sanwo_time now,
                                struct fate fates[2], struct sanwo_emulator_stats *stats);
/** Bytes that wait for the line at @now. */
uint64_t sw_emulator_path_backlog(const struct path *path, sanwo_time now);

#endif
