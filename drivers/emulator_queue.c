/*
 * emulator_queue.c - How long packets waited in a queue.
 *
 *     bucket   0 .. 15 | 16 .. 31 | 32 .. 47 | ...
 *     ns       0 .. 15 | 16 .. 31 | 32 .. 63 | ...      16 buckets to each doubling from there on
 */
#include "emulator_queue.h"

enum { SUB = 1 << QUEUE_SUB_BITS };

static unsigned bucket_of(uint64_t value)
{
    unsigned shift;

    if (value < SUB)
        return (unsigned)value;
    shift = 63 - (unsigned)__builtin_clzll(value) - QUEUE_SUB_BITS;
    return ((shift + 1) << QUEUE_SUB_BITS) + (unsigned)((value >> shift) - SUB);
}

/* The least value that falls into @bucket. */
static sanwo_time least_of(unsigned bucket)
{
    unsigned shift = bucket >> QUEUE_SUB_BITS;

    if (shift == 0)
        return bucket;
    return (sanwo_time)((uint64_t)(SUB + bucket % SUB) << (shift - 1));
}

void sw_emulator_queue_add(struct queue_waits *waits, sanwo_time wait, uint64_t bytes)
{
    waits->packets++;
    waits->sum += (uint64_t)wait;
    if (wait > waits->most)
        waits->most = wait;
    if (bytes > waits->most_bytes)
        waits->most_bytes = bytes;
    waits->buckets[bucket_of((uint64_t)wait)]++;
}

static sanwo_time percentile(const struct queue_waits *waits, unsigned percent)
{
    uint64_t rank = waits->packets * percent / 100, seen = 0;

    for (unsigned i = 0; i < QUEUE_BUCKETS; i++) {
        seen += waits->buckets[i];
        if (seen > rank)
            return least_of(i);
    }
    return 0;
}

void sw_emulator_queue_read(const struct queue_waits *waits, struct sanwo_emulator_queue *out)
{
    out->packets = waits->packets;
    out->dropped = waits->dropped;
    out->most_bytes = waits->most_bytes;
    out->mean = waits->packets > 0 ? (sanwo_time)(waits->sum / waits->packets) : 0;
    out->median = percentile(waits, 50);
    out->p99 = percentile(waits, 99);
    out->most = waits->most;
}
