/*
 * pool.c - Allocation and release of pooled objects, and the life of their slabs.
 *
 * A directory entry is in one of four places:
 *
 *     full slab       in no list
 *     some slots free `partial` list; objects come from its head, so no other slab is ever begun
 *                     while one has room, and ceil(limit / per_slab) entries are enough
 *     all slots free  `spare` if there is none yet, else its block goes back and the entry is
 *     no slab         `vacant`, or beyond `unused`
 */
#include "base/pool.h"

static uint32_t items_per_slab(uint32_t item_size, uint32_t slab_size)
{
    uint32_t items = (uint32_t)sw_region_round(slab_size) / item_size;
    return sw_min32(items, 1u << POOL_SLOT_BITS);
}

static uint32_t slabs_for(uint32_t per_slab, uint32_t limit)
{
    return limit / per_slab + (limit % per_slab != 0);
}

static struct pool_item *item_in(const struct pool *p, const struct region *r,
                                 const struct pool_slab_entry *entry, uint32_t slot)
{
    return (void *)((uint8_t *)sw_region_at(r, entry->block) + (size_t)slot * p->item_size);
}

static void link_partial(struct pool *p, struct pool_slab_entry *slabs, uint32_t slab)
{
    slabs[slab].prev_partial = POOL_NONE;
    slabs[slab].next_partial = p->partial;
    if (p->partial != POOL_NONE)
        slabs[p->partial].prev_partial = slab;
    p->partial = slab;
}

static void unlink_partial(struct pool *p, struct pool_slab_entry *slabs, uint32_t slab)
{
    struct pool_slab_entry *entry = &slabs[slab];

    if (entry->prev_partial != POOL_NONE)
        slabs[entry->prev_partial].next_partial = entry->next_partial;
    else
        p->partial = entry->next_partial;
    if (entry->next_partial != POOL_NONE)
        slabs[entry->next_partial].prev_partial = entry->prev_partial;
}

/* An entry without a slab: a vacated one, or the next never used. */
static uint32_t take_entry(struct pool *p, struct pool_slab_entry *slabs)
{
    uint32_t slab = p->vacant;

    if (slab != POOL_NONE) {
        p->vacant = slabs[slab].next_partial;
        return slab;
    }
    SW_ASSERT(p->unused < p->slab_limit);
    slab = p->unused++;
    memset(&slabs[slab], 0, sizeof slabs[slab]);
    return slab;
}

/* Puts a slab with free slots at the head of the partial list; false if there is no memory. */
static bool add_slab(struct pool *p, struct region *r)
{
    struct pool_slab_entry *slabs = sw_pool_slabs(p, r);
    region_ref block;
    uint32_t slab = p->spare;

    if (slab != POOL_NONE) {
        p->spare = POOL_NONE;
        link_partial(p, slabs, slab);
        return true;
    }
    block = sw_region_alloc(r, p->slab_size);
    if (!block)
        return false;
    slab = take_entry(p, slabs);
    slabs[slab].block = block;
    slabs[slab].used = 0;
    slabs[slab].free_slot = 0;
    for (uint32_t slot = 0; slot < p->per_slab; slot++) {
        struct pool_item *item = item_in(p, r, &slabs[slab], slot);
        item->generation = 0;
        item->index = slot + 1;
    }
    link_partial(p, slabs, slab);
    return true;
}

/* The slab fell empty: it becomes the spare one, or its block goes back. */
static void retire_slab(struct pool *p, struct region *r, uint32_t slab)
{
    struct pool_slab_entry *slabs = sw_pool_slabs(p, r);

    unlink_partial(p, slabs, slab);
    if (p->spare == POOL_NONE) {
        p->spare = slab;
        return;
    }
    sw_region_free(r, slabs[slab].block);
    slabs[slab].block = 0;
    slabs[slab].next_partial = p->vacant;
    p->vacant = slab;
}

size_t sw_pool_directory_size(uint32_t item_size, uint32_t slab_size, uint32_t limit)
{
    size_t slabs = slabs_for(items_per_slab(item_size, slab_size), limit);
    return sw_round_up(slabs * sizeof(struct pool_slab_entry), 16);
}

void sw_pool_init(struct pool *p, struct region *r, uint64_t directory_offset, uint32_t item_size,
                  uint32_t slab_size, uint32_t limit)
{
    (void)r;
    SW_ASSERT(item_size % 16 == 0 && directory_offset % 16 == 0);
    SW_ASSERT(item_size >= sizeof(struct pool_item));
    memset(p, 0, sizeof *p);
    p->item_size = item_size;
    p->slab_size = slab_size;
    p->per_slab = items_per_slab(item_size, slab_size);
    SW_ASSERT(p->per_slab > 0);
    p->limit = limit;
    p->slab_limit = slabs_for(p->per_slab, limit);
    SW_ASSERT(p->slab_limit <= POOL_NONE >> POOL_SLOT_BITS);
    p->partial = POOL_NONE;
    p->vacant = POOL_NONE;
    p->spare = POOL_NONE;
    p->directory = directory_offset;
}

void *sw_pool_alloc(struct pool *p, struct region *r)
{
    struct pool_slab_entry *slabs = sw_pool_slabs(p, r);
    struct pool_slab_entry *entry;
    struct pool_item *item;
    uint32_t slab, slot;

    if (p->live >= p->limit || (p->partial == POOL_NONE && !add_slab(p, r)))
        return NULL;
    slab = p->partial;
    entry = &slabs[slab];
    slot = entry->free_slot;
    item = item_in(p, r, entry, slot);
    SW_ASSERT(!(item->generation & 1));
    entry->free_slot = (uint16_t)item->index;
    if (++entry->used == p->per_slab)
        unlink_partial(p, slabs, slab);
    if (++p->live > p->peak)
        p->peak = p->live;
    memset(item, 0, p->item_size);
    item->generation = entry->generation + 1;
    entry->generation += 2;
    item->index = slab << POOL_SLOT_BITS | slot;
    return item;
}

void sw_pool_free(struct pool *p, struct region *r, void *object)
{
    struct pool_slab_entry *slabs = sw_pool_slabs(p, r);
    struct pool_item *item = object;
    uint32_t slab = item->index >> POOL_SLOT_BITS;
    uint32_t slot = item->index & ((1u << POOL_SLOT_BITS) - 1);
    struct pool_slab_entry *entry = &slabs[slab];

    SW_ASSERT(item->generation & 1);
    SW_ASSERT(slab < p->unused && item_in(p, r, entry, slot) == item);
    item->generation++;
    item->index = entry->free_slot;
    entry->free_slot = (uint16_t)slot;
    if (entry->used-- == p->per_slab)
        link_partial(p, slabs, slab);
    p->live--;
    if (entry->used == 0)
        retire_slab(p, r, slab);
}

void *sw_pool_next(const struct pool *p, const struct region *r, uint32_t *cursor)
{
    const struct pool_slab_entry *slabs = sw_pool_slabs(p, r);
    uint32_t slab = *cursor >> POOL_SLOT_BITS;
    uint32_t slot = *cursor & ((1u << POOL_SLOT_BITS) - 1);

    for (; slab < p->unused; slab++, slot = 0) {
        if (!slabs[slab].block || !slabs[slab].used)
            continue;
        for (; slot < p->per_slab; slot++) {
            struct pool_item *item = item_in(p, r, &slabs[slab], slot);
            if (!(item->generation & 1))
                continue;
            *cursor = (slab << POOL_SLOT_BITS | slot) + 1;
            return item;
        }
    }
    *cursor = p->unused << POOL_SLOT_BITS;
    return NULL;
}
