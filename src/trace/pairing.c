/*
 * pairing.c - Which of the segments sent is the one that arrives now?
 *
 * Equal in sequence numbers, flags, length, window and options. Several may be equal: duplicate
 * acknowledgements, and retransmissions where there are no timestamps. Then it is the one whose time
 * on the wire is nearest to the shortest seen, which is right wherever delays vary less than
 * retransmissions lie apart.
 */
#include "trace/trace.h"

#include <string.h>

static uint32_t bucket_of(unsigned from, uint32_t seq, uint32_t ack, uint32_t length)
{
    uint32_t hash = seq * 2654435761U ^ (ack + from) * 2246822519U ^ length * 3266489917U;
    return (hash ^ hash >> 15) % TRACE_BUCKETS;
}

void sw_trace_pairing_add(struct sanwo_trace *t, size_t index)
{
    const struct sanwo_trace_row *row = &t->rows[index];
    uint32_t *newest = &t->buckets[bucket_of(row->from, row->seq, row->ack, row->payload_length)];

    t->older[index] = *newest;
    *newest = (uint32_t)index + 1;
}

static bool is_equal(const struct sanwo_trace_row *row, unsigned from,
                     const struct sanwo_observation *what)
{
    return row->from == from && row->seq == what->seq && row->ack == what->ack &&
           row->payload_length == what->payload_length && row->flags == what->flags &&
           row->window == what->window && row->options_length == what->options_length &&
           (row->options_length == 0 ||
            memcmp(row->options, what->options, row->options_length) == 0);
}

static sanwo_time distance(sanwo_time a, sanwo_time b)
{
    return a < b ? b - a : a - b;
}

size_t sw_trace_pairing_find(const struct sanwo_trace *t, unsigned end,
                             const struct sanwo_observation *what)
{
    unsigned from = end ^ 1;
    sanwo_time usual = t->ends[from].flight == SANWO_TIME_NEVER ? 0 : t->ends[from].flight;
    size_t best = TRACE_NO_ROW, copy = TRACE_NO_ROW;
    uint32_t next = t->buckets[bucket_of(from, what->seq, what->ack, what->payload_length)];

    for (; next != 0; next = t->older[next - 1]) {
        const struct sanwo_trace_row *row = &t->rows[next - 1];
        if (!is_equal(row, from, what)) {
            continue;
        }
        if (row->arrived != SANWO_TIME_NEVER) {
            if (copy == TRACE_NO_ROW && !row->duplicate) {
                copy = next - 1;
            }
        } else if (best == TRACE_NO_ROW || distance(what->now - row->sent, usual) <
                                               distance(what->now - t->rows[best].sent, usual)) {
            best = next - 1;
        }
    }
    return best != TRACE_NO_ROW ? best : copy;
}
