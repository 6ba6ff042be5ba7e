/*
 * table.c - Linear hashing over cache-line buckets: insertion, removal, growing and shrinking.
 *
 * With n buckets, 2^k < n <= 2^(k+1), bucket i holds the pairs whose hash ends in i by k + 1 bits
 * if such a bucket exists, else by k bits. Growing splits bucket n - 2^k into itself and n;
 * shrinking merges the last bucket back. (Litwin, "Linear hashing", 1980.)
 *
 * In a chain all lines are full except the first overflow line, or the bucket itself if it has no
 * overflow. So the room, and the pair that fills a hole, are found without walking. A split needs
 * no line that its chain did not have; a merge needs at most one.
 */
#include "base/table.h"

#include "base/bytes.h"

#define SEGMENT_BUCKETS (1u << TABLE_SEGMENT_SHIFT)
#define LINE_FREE UINT32_MAX /* as `count`: the line is in the list of free ones */
#define LINES_PER_BLOCK (REGION_UNIT / sizeof(struct line))

struct line {
    uint32_t hashes[TABLE_SLOTS]; /* a free line: its next and previous free line */
    uint32_t count;
    uint32_t values[TABLE_SLOTS];
    region_ref overflow;
};
_Static_assert(sizeof(struct line) == REGION_LINE, "a line is a cache line and one step of a ref");

static struct line *line_at(const struct region *r, region_ref ref)
{
    return sw_region_at(r, ref);
}

static region_ref *directory_of(const struct table *t, const struct region *r)
{
    return (void *)((uint8_t *)sw_region_base(r) + t->directory);
}

static region_ref bucket_ref(const struct table *t, const struct region *r, uint32_t bucket)
{
    return directory_of(t, r)[bucket >> TABLE_SEGMENT_SHIFT] + (bucket & (SEGMENT_BUCKETS - 1));
}

/* The largest power of two below @buckets: the lower half of the pair a split makes is under it. */
static uint32_t half_of(uint32_t buckets)
{
    return 1u << (31 - (uint32_t)__builtin_clz(buckets - 1));
}

static uint32_t bucket_of(const struct table *t, uint32_t hash)
{
    uint32_t half = half_of(t->buckets);
    uint32_t bucket = hash & (2 * half - 1);
    return bucket < t->buckets ? bucket : bucket - half;
}

/* ---- overflow lines ---- */

static void free_list_add(struct table *t, struct region *r, region_ref ref)
{
    struct line *line = line_at(r, ref);

    line->count = LINE_FREE;
    line->hashes[0] = t->free_lines;
    line->hashes[1] = 0;
    if (t->free_lines)
        line_at(r, t->free_lines)->hashes[1] = ref;
    t->free_lines = ref;
}

static void free_list_remove(struct table *t, struct region *r, region_ref ref)
{
    const struct line *line = line_at(r, ref);

    if (line->hashes[1])
        line_at(r, line->hashes[1])->hashes[0] = line->hashes[0];
    else
        t->free_lines = line->hashes[0];
    if (line->hashes[0])
        line_at(r, line->hashes[0])->hashes[1] = line->hashes[1];
}

static region_ref line_alloc(struct table *t, struct region *r)
{
    region_ref ref = t->free_lines;

    if (ref) {
        free_list_remove(t, r, ref);
    } else {
        ref = sw_region_alloc(r, REGION_UNIT);
        if (!ref)
            return 0;
        for (region_ref i = 1; i < LINES_PER_BLOCK; i++)
            free_list_add(t, r, ref + i);
    }
    line_at(r, ref)->count = 0;
    line_at(r, ref)->overflow = 0;
    return ref;
}

/* Frees a line, and its block if all four are free then. */
static void line_free(struct table *t, struct region *r, region_ref ref)
{
    region_ref block = ref & ~(region_ref)(LINES_PER_BLOCK - 1);

    free_list_add(t, r, ref);
    for (region_ref i = 0; i < LINES_PER_BLOCK; i++) {
        if (line_at(r, block + i)->count != LINE_FREE)
            return;
    }
    for (region_ref i = 0; i < LINES_PER_BLOCK; i++)
        free_list_remove(t, r, block + i);
    sw_region_free(r, block);
}

/* ---- chains ---- */

/* The one line of a chain that may have room. */
static struct line *last_of(const struct region *r, struct line *bucket)
{
    return bucket->overflow ? line_at(r, bucket->overflow) : bucket;
}

static void line_push(struct line *line, uint32_t hash, uint32_t value)
{
    line->hashes[line->count] = hash;
    line->values[line->count] = value;
    line->count++;
}

/* Adds a pair; a line that this takes comes from *@spare, which the caller made sure has one. */
static void chain_push(struct region *r, struct line *bucket, region_ref *spare, uint32_t hash,
                       uint32_t value)
{
    struct line *line = last_of(r, bucket);

    if (line->count == TABLE_SLOTS) {
        region_ref ref = *spare;
        SW_ASSERT(ref);
        line = line_at(r, ref);
        *spare = line->overflow;
        line->count = 0;
        line->overflow = bucket->overflow;
        bucket->overflow = ref;
    }
    line_push(line, hash, value);
}

/*
 * Pushes all pairs of a chain, given as a copy of its bucket, to the buckets where they belong now.
 * Its overflow lines join @spare one after the other; what is left there in the end is freed.
 */
static void chain_distribute(struct table *t, struct region *r, struct line line, region_ref spare)
{
    for (;;) {
        region_ref next = line.overflow;
        for (uint32_t i = 0; i < line.count; i++) {
            region_ref home = bucket_ref(t, r, bucket_of(t, line.hashes[i]));
            chain_push(r, line_at(r, home), &spare, line.hashes[i], line.values[i]);
        }
        if (!next)
            break;
        line = *line_at(r, next);
        line_at(r, next)->overflow = spare;
        spare = next;
    }
    while (spare) {
        region_ref next = line_at(r, spare)->overflow;
        line_free(t, r, spare);
        spare = next;
    }
}

static void chain_clear(struct line *bucket)
{
    bucket->count = 0;
    bucket->overflow = 0;
}

/* ---- growing and shrinking ---- */

static bool segment_add(struct table *t, struct region *r, uint32_t segment)
{
    region_ref block;

    if (segment >= t->segment_limit)
        return false;
    block = sw_region_alloc(r, SEGMENT_BUCKETS * sizeof(struct line));
    if (!block)
        return false;
    directory_of(t, r)[segment] = block;
    return true;
}

static void segment_remove(struct table *t, struct region *r, uint32_t segment)
{
    sw_region_free(r, directory_of(t, r)[segment]);
}

static bool is_segment_start(uint32_t bucket)
{
    return (bucket & (SEGMENT_BUCKETS - 1)) == 0;
}

/* The first segment comes as a whole: fewer buckets would save nothing. */
static bool begin(struct table *t, struct region *r)
{
    if (!segment_add(t, r, 0))
        return false;
    t->buckets = SEGMENT_BUCKETS;
    for (uint32_t i = 0; i < SEGMENT_BUCKETS; i++)
        chain_clear(line_at(r, bucket_ref(t, r, i)));
    return true;
}

static void end(struct table *t, struct region *r)
{
    SW_ASSERT(t->buckets == SEGMENT_BUCKETS && !t->free_lines);
    segment_remove(t, r, 0);
    t->buckets = 0;
}

/* One bucket more, split off its lower half. Without memory the chains just get longer. */
static void grow(struct table *t, struct region *r)
{
    uint32_t added = t->buckets;
    struct line *from;
    struct line chain;

    if (is_segment_start(added) && !segment_add(t, r, added >> TABLE_SEGMENT_SHIFT))
        return;
    t->buckets++;
    from = line_at(r, bucket_ref(t, r, added - half_of(t->buckets)));
    chain = *from;
    chain_clear(from);
    chain_clear(line_at(r, bucket_ref(t, r, added)));
    chain_distribute(t, r, chain, 0);
}

/* One bucket less, merged into its lower half. False, with nothing changed, if memory is short. */
static bool shrink(struct table *t, struct region *r)
{
    uint32_t removed = t->buckets - 1;
    struct line *into = line_at(r, bucket_ref(t, r, removed - half_of(t->buckets)));
    const struct line *chain = line_at(r, bucket_ref(t, r, removed));
    region_ref spare = 0;

    if (last_of(r, into)->count + chain->count > TABLE_SLOTS) {
        spare = line_alloc(t, r);
        if (!spare)
            return false;
    }
    t->buckets--;
    chain_distribute(t, r, *chain, spare);
    if (is_segment_start(removed))
        segment_remove(t, r, removed >> TABLE_SEGMENT_SHIFT);
    return true;
}

/* More than 4.5 pairs a bucket. */
static bool is_crowded(const struct table *t)
{
    return 2 * (uint64_t)t->entries > 9 * (uint64_t)t->buckets;
}

/* Fewer than 2.25 pairs a bucket: far enough from crowded that the two do not alternate. */
static bool is_sparse(const struct table *t)
{
    return 4 * (uint64_t)t->entries < 9 * (uint64_t)t->buckets && t->buckets > SEGMENT_BUCKETS;
}

/* After a removal: two steps at most, so that a step which once failed is made up for. */
static void settle(struct table *t, struct region *r)
{
    for (int i = 0; i < 2 && is_sparse(t); i++) {
        if (!shrink(t, r))
            return;
    }
    while (t->entries == 0 && t->buckets > SEGMENT_BUCKETS)
        shrink(t, r); /* nothing left to move: needs no memory */
    if (t->entries == 0)
        end(t, r);
}

/* ---- calls ---- */

static uint32_t segments_for(uint32_t limit)
{
    uint32_t buckets = limit / 9 * 2 + 2; /* 4.5 each */
    return buckets / SEGMENT_BUCKETS + 1;
}

size_t sw_table_directory_size(uint32_t limit)
{
    return sw_round_up(segments_for(limit) * sizeof(region_ref), 64);
}

void sw_table_init(struct table *t, struct region *r, uint64_t directory_offset, uint32_t limit)
{
    (void)r;
    SW_ASSERT(directory_offset % sizeof(region_ref) == 0);
    memset(t, 0, sizeof *t);
    t->segment_limit = segments_for(limit);
    t->directory = directory_offset;
}

bool sw_table_insert(struct table *t, struct region *r, uint32_t hash, uint32_t value)
{
    struct line *bucket;
    region_ref spare = 0;

    SW_ASSERT(value != 0);
    if (!t->buckets && !begin(t, r))
        return false;
    bucket = line_at(r, bucket_ref(t, r, bucket_of(t, hash)));
    if (last_of(r, bucket)->count == TABLE_SLOTS) {
        spare = line_alloc(t, r);
        if (!spare)
            return false;
    }
    chain_push(r, bucket, &spare, hash, value);
    t->entries++;
    if (is_crowded(t))
        grow(t, r);
    return true;
}

region_ref sw_table_bucket(const struct table *t, const struct region *r, uint32_t hash)
{
    return t->buckets ? bucket_ref(t, r, bucket_of(t, hash)) : 0;
}

/* The line and slot of a pair; NULL if it is not there. */
static struct line *locate(const struct table *t, const struct region *r, uint32_t hash,
                           uint32_t value, uint32_t *slot)
{
    struct line *line = t->buckets ? line_at(r, bucket_ref(t, r, bucket_of(t, hash))) : NULL;

    while (line) {
        for (uint32_t i = 0; i < line->count; i++) {
            if (line->hashes[i] == hash && line->values[i] == value) {
                *slot = i;
                return line;
            }
        }
        line = line->overflow ? line_at(r, line->overflow) : NULL;
    }
    return NULL;
}

bool sw_table_remove(struct table *t, struct region *r, uint32_t hash, uint32_t value)
{
    uint32_t slot = 0;
    struct line *line = locate(t, r, hash, value, &slot);
    struct line *bucket, *last;

    if (!line)
        return false;
    bucket = line_at(r, bucket_ref(t, r, bucket_of(t, hash)));
    last = last_of(r, bucket);
    last->count--;
    line->hashes[slot] = last->hashes[last->count];
    line->values[slot] = last->values[last->count];
    if (last != bucket && last->count == 0) {
        region_ref empty = bucket->overflow;
        bucket->overflow = last->overflow;
        line_free(t, r, empty);
    }
    t->entries--;
    settle(t, r);
    return true;
}

bool sw_table_replace(struct table *t, struct region *r, uint32_t hash, uint32_t old,
                      uint32_t value)
{
    uint32_t slot = 0;
    struct line *line = locate(t, r, hash, old, &slot);

    SW_ASSERT(value != 0);
    if (!line)
        return false;
    line->values[slot] = value;
    return true;
}

/*
 * The slots from @from on whose hash is @hash, as bits. Without a branch a pair: how full a line is
 * and where its match lies cannot be predicted, and guessing wrong would wait for the line.
 */
static inline uint32_t matches(const struct line *line, uint32_t hash, uint32_t from)
{
    uint32_t found = 0;

#pragma GCC unroll 7
    for (uint32_t i = 0; i < TABLE_SLOTS; i++)
        found |= (uint32_t)(line->hashes[i] == hash) << i;
    return found & ((1u << line->count) - 1) & ~((1u << from) - 1);
}

uint32_t sw_table_next(const struct table *t, const struct region *r, struct table_cursor *c)
{
    (void)t;
    while (c->bucket) {
        const struct line *line = line_at(r, c->bucket);
        uint32_t found = matches(line, c->hash, c->slot);
        if (found) {
            uint32_t slot = (uint32_t)__builtin_ctz(found);
            c->slot = slot + 1;
            return line->values[slot];
        }
        c->bucket = line->overflow;
        c->slot = 0;
    }
    return 0;
}
