/*
 * pool.h - Objects of one size, named by (index, generation), in slabs taken from the region.
 *
 *     directory   | slab 0 | slab 1 | none | slab 3 | not used yet ...
 *                     |        '-> one block: item 0, item 1, ... item per_slab - 1
 *
 * An index is slab << 8 | slot; a directory maps the slab to its block, so a stale or invented
 * index is refused without touching freed memory. Generations come from a counter in the slab's
 * directory entry, which outlives the slab: a handle is never valid twice (short of 2^31
 * allocations). A live object's is odd; releasing it makes it even. Slabs that fall empty go back
 * to the region, save one.
 */
#ifndef SW_BASE_POOL_H
#define SW_BASE_POOL_H

#include "bytes.h"
#include "region.h"

#define POOL_NONE UINT32_MAX
#define POOL_SLOT_BITS 8

/* The first member of every pooled object. Written by the pool only. */
struct pool_item {
    uint32_t generation;
    uint32_t index; /* while live its own index, while free the next free slot */
};

struct pool_slab_entry {
    region_ref block;                    /* 0: no slab here now */
    uint32_t generation;                 /* even; the next object here gets this plus one */
    uint32_t next_partial, prev_partial; /* POOL_NONE ends */
    uint16_t free_slot;                  /* head of the slots' free list; per_slab or more: full */
    uint16_t used;
};

struct pool {
    uint32_t item_size; /* multiple of 16 */
    uint32_t slab_size; /* bytes of block per slab; at most 256 items are cut from it */
    uint32_t per_slab;
    uint32_t limit; /* most objects that may live at once */
    uint32_t live;
    uint32_t peak;
    uint32_t slab_limit;
    uint32_t partial;   /* head of the slabs with a free slot; POOL_NONE: none */
    uint32_t unused;    /* entries never used start here */
    uint32_t vacant;    /* head of entries whose slab was released (linked by next_partial) */
    uint32_t spare;     /* the one empty slab kept, or POOL_NONE */
    uint64_t directory; /* offset of struct pool_slab_entry[slab_limit] from the region's base */
};

/*
 * Bytes that the directory of such a pool needs; the caller reserves them, 16-aligned. What they
 * hold does not matter: an entry is written before it is first read.
 */
size_t sw_pool_directory_size(uint32_t item_size, uint32_t slab_size, uint32_t limit);
/* @item_size is a multiple of 16 and @slab_size holds at least one item. */
void sw_pool_init(struct pool *p, struct region *r, uint64_t directory_offset, uint32_t item_size,
                  uint32_t slab_size, uint32_t limit);

/* A zeroed object but for its struct pool_item; NULL when the limit or the memory is reached. */
void *sw_pool_alloc(struct pool *p, struct region *r);
void sw_pool_free(struct pool *p, struct region *r, void *item);
/* The next live object with index >= *cursor; advances *cursor past it. NULL at the end. */
void *sw_pool_next(const struct pool *p, const struct region *r, uint32_t *cursor);

static inline struct pool_slab_entry *sw_pool_slabs(const struct pool *p, const struct region *r)
{
    return (struct pool_slab_entry *)(void *)((uint8_t *)sw_region_base(r) + p->directory);
}

/* The live object with that index, or NULL. For indices kept by ourselves. */
static inline void *sw_pool_at(const struct pool *p, const struct region *r, uint32_t index)
{
    uint32_t slab = index >> POOL_SLOT_BITS;
    uint32_t slot = index & ((1u << POOL_SLOT_BITS) - 1);
    const struct pool_slab_entry *entry;
    struct pool_item *item;

    if (SW_UNLIKELY(slab >= p->unused || slot >= p->per_slab))
        return NULL;
    entry = &sw_pool_slabs(p, r)[slab];
    if (SW_UNLIKELY(!entry->block))
        return NULL;
    item = (void *)((uint8_t *)sw_region_at(r, entry->block) + (size_t)slot * p->item_size);
    return item->generation & 1 ? item : NULL;
}

/* The live object with that index and generation, or NULL. For handles from outside. */
static inline void *sw_pool_find(const struct pool *p, const struct region *r, uint32_t index,
                                 uint32_t generation)
{
    struct pool_item *item = sw_pool_at(p, r, index);
    return item && item->generation == generation ? item : NULL;
}

#endif
