/*
 * table.h - A hash table of 32-bit values under 32-bit keyed hashes, one cache line a bucket.
 *
 *     directory | segment 0 | segment 1 | ...        a segment: one block of 64 buckets
 *     bucket    | 7 hashes, count | 7 values, overflow | -> overflow line -> ...
 *
 * Linear hashing: the table grows by splitting one bucket at a time, so no insertion ever pays for
 * a rehash of everything, and shrinks the same way. A bucket holds seven (hash, value) pairs and
 * there are 4.5 a bucket on average; more go to overflow lines, four of which are cut from a block
 * of 256 bytes and shared by whichever buckets need them. When the last pair goes, so does the
 * last block. The caller compares the real key: the table only yields the values whose whole hash
 * is equal. Values are not zero.
 *
 *     struct table_cursor c = sw_table_find(t, r, hash);
 *     while ((value = sw_table_next(t, r, &c)) != 0) if (matches(value)) ...
 *
 * A cursor ends with the next insertion or removal. Segments are found through a directory that
 * the caller reserved, so an almost empty table is small.
 */
#ifndef SW_BASE_TABLE_H
#define SW_BASE_TABLE_H

#include "region.h"

#define TABLE_SLOTS 7
#define TABLE_SEGMENT_SHIFT 6 /* 64 buckets of 64 bytes: blocks of 4 KiB */

struct table {
    uint32_t entries;
    uint32_t buckets; /* in use now; 0 before the first insertion */
    uint32_t segment_limit;
    region_ref free_lines; /* overflow lines in blocks of which others are in use */
    uint64_t directory;    /* offset of region_ref[segment_limit] from the region's base */
};

struct table_cursor {
    uint32_t hash;
    region_ref bucket; /* the line to look at next */
    uint32_t slot;     /* and the pair in it */
};

/*
 * Bytes of directory for up to @limit entries; the caller reserves them, 4-aligned. What they hold
 * does not matter. More entries than @limit do fit, in longer chains.
 */
size_t sw_table_directory_size(uint32_t limit);
void sw_table_init(struct table *t, struct region *r, uint64_t directory_offset, uint32_t limit);

/* False when there is no memory for it; the table is unchanged then. */
bool sw_table_insert(struct table *t, struct region *r, uint32_t hash, uint32_t value);
/* Removes the pair; true if it was there. */
bool sw_table_remove(struct table *t, struct region *r, uint32_t hash, uint32_t value);
/* Puts @value in the place of @old under the same hash, in place; true if @old was there. */
bool sw_table_replace(struct table *t, struct region *r, uint32_t hash, uint32_t old,
                      uint32_t value);

/* The bucket that a search for @hash begins with; 0 if the table is empty. */
region_ref sw_table_bucket(const struct table *t, const struct region *r, uint32_t hash);

/* Inline, since a cursor returned in registers is put together through memory, and waits for it. */
static inline struct table_cursor sw_table_find(const struct table *t, const struct region *r,
                                                uint32_t hash)
{
    return (struct table_cursor){hash, sw_table_bucket(t, r, hash), 0};
}

uint32_t sw_table_next(const struct table *t, const struct region *r, struct table_cursor *c);

/* Asks for that bucket's cache line: in a batch of searches, for all before the first. */
static inline void sw_table_prefetch(const struct table *t, const struct region *r, uint32_t hash)
{
    __builtin_prefetch(sw_region_at(r, sw_table_bucket(t, r, hash)));
}

#endif
