/*
 * ranges.c - The ordered set of byte ranges: found by bisection, merged as they are inserted.
 *
 *     items   [10, 20)   [30, 40)   [60, 70)         apart by a byte at least
 *     insert       [20 ........ 45)
 *     gives   [10, ............ 45) [60, 70)
 */
#include "base/ranges.h"

#include "base/bytes.h"

/* The first range that ends at or after @at: the first that a range from @at on could touch. */
static uint32_t first_reaching(const struct ranges *s, uint64_t at)
{
    uint32_t low = 0, high = s->count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->items[middle].to < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Replaces items [i, j) by @kept items that are free to be written. */
static void resize(struct ranges *s, uint32_t i, uint32_t j, uint32_t kept)
{
    memmove(s->items + i + kept, s->items + j, (s->count - j) * sizeof s->items[0]);
    s->count = s->count - (j - i) + kept;
}

void sw_ranges_init(struct ranges *s, struct range *items, uint32_t limit)
{
    s->items = items;
    s->count = 0;
    s->limit = limit;
}

bool sw_ranges_insert(struct ranges *s, uint64_t from, uint64_t to)
{
    uint32_t i, j;

    SW_ASSERT(from <= to);
    if (from == to)
        return true;
    i = first_reaching(s, from);
    for (j = i; j < s->count && s->items[j].from <= to; j++)
        continue;
    if (i == j && s->count == s->limit)
        return false;
    if (i < j) {
        from = from < s->items[i].from ? from : s->items[i].from;
        to = to > s->items[j - 1].to ? to : s->items[j - 1].to;
    }
    resize(s, i, j, 1);
    s->items[i] = (struct range){from, to};
    return true;
}

void sw_ranges_trim(struct ranges *s, uint64_t upto)
{
    uint32_t i = first_reaching(s, upto);

    if (i < s->count && s->items[i].to == upto)
        i++;
    resize(s, 0, i, 0);
    if (s->count && s->items[0].from < upto)
        s->items[0].from = upto;
}

bool sw_ranges_contains(const struct ranges *s, uint64_t from, uint64_t to)
{
    uint32_t i;

    if (from >= to)
        return true;
    i = first_reaching(s, to);
    return i < s->count && s->items[i].from <= from;
}

const struct range *sw_ranges_at(const struct ranges *s, uint64_t at)
{
    uint32_t i = first_reaching(s, at);

    if (i < s->count && s->items[i].to == at)
        i++;
    return i < s->count && s->items[i].from <= at ? &s->items[i] : NULL;
}
