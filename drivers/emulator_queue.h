/*
 * emulator_queue.h - How long packets waited in a queue: sum, most, and a histogram.
 */
#ifndef DRIVERS_EMULATOR_QUEUE_H
#define DRIVERS_EMULATOR_QUEUE_H

#include <sanwo/driver.h>

/* 16 buckets an octave, so a percentile is exact to 1/16; below 16 ns each has its own. */
enum { QUEUE_SUB_BITS = 4, QUEUE_BUCKETS = (63 - QUEUE_SUB_BITS + 1) << QUEUE_SUB_BITS };

struct queue_waits {
    uint64_t packets, dropped;
    uint64_t most_bytes;
    uint64_t sum;
    sanwo_time most;
    uint64_t buckets[QUEUE_BUCKETS];
};

/** A packet was accepted that waits for @wait before its first bit is sent, behind @bytes. */
void sw_emulator_queue_add(struct queue_waits *waits, sanwo_time wait, uint64_t bytes);
void sw_emulator_queue_read(const struct queue_waits *waits, struct sanwo_emulator_queue *out);

#endif
