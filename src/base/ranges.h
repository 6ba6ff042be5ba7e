/*
 * ranges.h - A bounded, ordered set of half-open byte ranges [from, to) of a stream.
 *
 * Positions are 64-bit and never wrap, so callers convert validated sequence numbers first.
 * Inserting merges with what it touches. The set lives in an array of the caller's; when full, an
 * insertion that would need a new range is refused.
 */
#ifndef SW_BASE_RANGES_H
#define SW_BASE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
    uint64_t from, to;
};

struct ranges {
    struct range *items;
    uint32_t count;
    uint32_t limit;
};

void sw_ranges_init(struct ranges *s, struct range *items, uint32_t limit);
/* False when it would take more than `limit` ranges: nothing changed. */
bool sw_ranges_insert(struct ranges *s, uint64_t from, uint64_t to);
/* Forgets everything below @upto. */
void sw_ranges_trim(struct ranges *s, uint64_t upto);
/* True if [from, to) is wholly inside. An empty range is. */
bool sw_ranges_contains(const struct ranges *s, uint64_t from, uint64_t to);
/* The range that holds @at, or NULL. */
const struct range *sw_ranges_at(const struct ranges *s, uint64_t at);

#endif
