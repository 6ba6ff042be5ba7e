/*
 * region.c - The buddy allocator of a region: a frontier, free lists, quick lists before them.
 *
 *     first                                        top              size
 *       | out | quick | free 512 | out 4 KiB ......... | never touched |
 *
 * Every 256-byte unit below `top` has a byte in the map. The byte of a block's first unit says its
 * state and order; all others say "inside". So a buddy's state is one look, and so is the question
 * which free block ends at the frontier. Free blocks carry their links in their own first bytes.
 *
 * Two invariants make the frontier simple: no free block ends at `top` (it would have been given
 * back), and a gap made by aligning the frontier therefore never has a free buddy below it.
 */
#include "base/region.h"

#include "base/bytes.h"

#define MAP_INSIDE 0x00
#define MAP_FREE 0x40
#define MAP_OUT 0x80
#define MAP_QUICK 0xc0
#define MAP_STATE 0xc0
#define MAP_ORDER 0x3f

#define REGION_ALIGN 4096
#define REGION_MAX (UINT64_C(64) << 30) /* what a wheel_ref reaches */

struct free_block {
    region_ref next;
    region_ref prev; /* unused in a quick list */
};

static uint8_t *map_of(const struct region *r)
{
    return (uint8_t *)sw_region_base(r) + r->map;
}

static uint64_t block_bytes(uint32_t order)
{
    return (uint64_t)REGION_UNIT << order;
}

static region_ref ref_of(uint64_t offset)
{
    return (region_ref)(offset / REGION_LINE);
}

static uint64_t offset_of(region_ref ref)
{
    return (uint64_t)ref * REGION_LINE;
}

/*
 * The smallest order whose blocks hold @size bytes; REGION_ORDERS or more if there is none. A-17.
 */
static uint32_t order_for(size_t size)
{
    if (size <= REGION_UNIT)
        return 0;
    return 64 - (uint32_t)__builtin_clzll((unsigned long long)(size - 1) / REGION_UNIT);
}

/* How many freed blocks wait unmerged: enough for a batch of packets, few of the large ones. */
static uint32_t quick_limit(uint32_t order)
{
    return order <= 5 ? 64 : sw_max32(64 >> (order - 5), 4);
}

static void push_free(struct region *r, uint64_t offset, uint32_t order)
{
    region_ref ref = ref_of(offset);
    struct free_block *block = sw_region_at(r, ref);

    map_of(r)[offset / REGION_UNIT] = (uint8_t)(MAP_FREE | order);
    block->next = r->free_list[order];
    block->prev = 0;
    if (block->next)
        ((struct free_block *)sw_region_at(r, block->next))->prev = ref;
    r->free_list[order] = ref;
}

static void unlink_free(struct region *r, uint64_t offset, uint32_t order)
{
    struct free_block *block = sw_region_at(r, ref_of(offset));

    if (block->prev)
        ((struct free_block *)sw_region_at(r, block->prev))->next = block->next;
    else
        r->free_list[order] = block->next;
    if (block->next)
        ((struct free_block *)sw_region_at(r, block->next))->prev = block->prev;
    map_of(r)[offset / REGION_UNIT] = MAP_INSIDE;
}

/* A block from the free lists, split down from the smallest that is large enough; 0 if none is. */
static uint64_t take_free(struct region *r, uint32_t order)
{
    uint32_t from = order;
    uint64_t offset;

    while (from < REGION_ORDERS && !r->free_list[from])
        from++;
    if (from == REGION_ORDERS)
        return 0;
    offset = offset_of(r->free_list[from]);
    unlink_free(r, offset, from);
    while (from > order) {
        from--;
        push_free(r, offset + block_bytes(from), from); /* we keep the lower half */
    }
    return offset;
}

/* A block cut at the frontier; what alignment leaves below it becomes free blocks. 0: no room. */
static uint64_t take_frontier(struct region *r, uint32_t order)
{
    uint64_t offset = sw_round_up(r->top, block_bytes(order));
    uint64_t end = offset + block_bytes(order);
    uint64_t gap = r->top;

    if (end > r->size)
        return 0;
    memset(map_of(r) + gap / REGION_UNIT, MAP_INSIDE, (end - gap) / REGION_UNIT);
    r->top = end;
    while (gap < offset) {
        uint32_t fits = (uint32_t)__builtin_ctzll(gap / REGION_UNIT);
        push_free(r, gap, fits);
        gap += block_bytes(fits);
    }
    return offset;
}

/* Lowers the frontier to @top, and on below every free block that then ends at it. */
static void lower_frontier(struct region *r, uint64_t top)
{
    const uint8_t *map = map_of(r);
    uint32_t order = 0;

    r->top = top;
    while (order < REGION_ORDERS && (r->top & (block_bytes(order) - 1)) == 0 &&
           r->top >= r->first + block_bytes(order)) {
        uint64_t below = r->top - block_bytes(order);
        if (map[below / REGION_UNIT] == (MAP_FREE | order)) {
            unlink_free(r, below, order);
            r->top = below;
            order = 0;
        } else {
            order++;
        }
    }
}

/* Gives a block back for good: merged with its free buddies, then listed or below the frontier. */
static void merge(struct region *r, uint64_t offset, uint32_t order)
{
    uint8_t *map = map_of(r);

    map[offset / REGION_UNIT] = MAP_INSIDE;
    while (order + 1 < REGION_ORDERS) {
        uint64_t buddy = offset ^ block_bytes(order);
        if (buddy < r->first || buddy >= r->top || map[buddy / REGION_UNIT] != (MAP_FREE | order))
            break;
        unlink_free(r, buddy, order);
        offset &= ~block_bytes(order);
        order++;
    }
    if (offset + block_bytes(order) == r->top)
        lower_frontier(r, offset);
    else
        push_free(r, offset, order);
}

/* The slow path: from the lists, from the frontier, or from either after merging what is quick. */
static __attribute__((noinline)) region_ref take(struct region *r, uint32_t order)
{
    uint64_t offset = take_free(r, order);

    if (!offset)
        offset = take_frontier(r, order);
    if (!offset) {
        sw_region_trim(r);
        offset = take_free(r, order);
        if (!offset)
            offset = take_frontier(r, order);
    }
    return ref_of(offset);
}

static bool is_refused(struct region *r, uint32_t order)
{
    if (SW_UNLIKELY(r->fault_countdown) && --r->fault_countdown == 0)
        return true;
    return order >= REGION_ORDERS || r->budget - r->used < block_bytes(order);
}

bool sw_region_init(struct region *r, void *base, size_t size, size_t reserved, uint64_t budget)
{
    uint64_t end = size & ~(uint64_t)(REGION_UNIT - 1);
    uint64_t map = sw_round_up(reserved, REGION_LINE);
    uint64_t first = sw_round_up(map + end / REGION_UNIT, REGION_UNIT);

    if ((uintptr_t)base % REGION_ALIGN || size > REGION_MAX || reserved > size ||
        first + REGION_UNIT > end)
        return false;
    SW_ASSERT((uintptr_t)r >= (uintptr_t)base);
    SW_ASSERT((uintptr_t)r + sizeof *r <= (uintptr_t)base + reserved);
    memset(r, 0, sizeof *r);
    r->size = end;
    r->first = first;
    r->top = first;
    r->self = (uintptr_t)r - (uintptr_t)base;
    r->map = map;
    r->budget = end - first;
    if (budget && budget < r->budget)
        r->budget = budget;
    return true;
}

/* E-01. */
region_ref sw_region_alloc(struct region *r, size_t size)
{
    uint32_t order = order_for(size);
    region_ref block;

    if (SW_UNLIKELY(is_refused(r, order))) {
        r->refused++;
        return 0;
    }
    block = r->quick_list[order];
    if (SW_LIKELY(block)) {
        r->quick_list[order] = ((const struct free_block *)sw_region_at(r, block))->next;
        r->quick_count[order]--;
    } else {
        block = take(r, order);
        if (!block) {
            r->refused++;
            return 0;
        }
    }
    map_of(r)[offset_of(block) / REGION_UNIT] = (uint8_t)(MAP_OUT | order);
    r->used += block_bytes(order);
    if (r->used > r->peak)
        r->peak = r->used;
    return block;
}

/* The map's byte of a block that is out; anything else is a bug of ours (a double free mostly). */
static uint8_t *state_of_out(const struct region *r, region_ref block)
{
    uint64_t offset = offset_of(block);
    uint8_t *state = map_of(r) + offset / REGION_UNIT;

    SW_ASSERT(offset % REGION_UNIT == 0 && offset >= r->first && offset < r->top);
    SW_ASSERT((*state & MAP_STATE) == MAP_OUT);
    return state;
}

void sw_region_free(struct region *r, region_ref block)
{
    uint8_t *state = state_of_out(r, block);
    uint32_t order = *state & MAP_ORDER;

    r->used -= block_bytes(order);
    if (SW_UNLIKELY(r->quick_count[order] >= quick_limit(order))) {
        merge(r, offset_of(block), order);
        return;
    }
    *state = (uint8_t)(MAP_QUICK | order);
    ((struct free_block *)sw_region_at(r, block))->next = r->quick_list[order];
    r->quick_list[order] = block;
    r->quick_count[order]++;
}

size_t sw_region_block_size(const struct region *r, region_ref block)
{
    return (size_t)block_bytes(*state_of_out(r, block) & MAP_ORDER);
}

size_t sw_region_round(size_t size)
{
    uint32_t order = order_for(size);
    return order < REGION_ORDERS ? (size_t)block_bytes(order) : 0;
}

void sw_region_trim(struct region *r)
{
    for (uint32_t order = 0; order < REGION_ORDERS; order++) {
        region_ref block = r->quick_list[order];
        r->quick_list[order] = 0;
        r->quick_count[order] = 0;
        while (block) {
            region_ref next = ((const struct free_block *)sw_region_at(r, block))->next;
            merge(r, offset_of(block), order);
            block = next;
        }
    }
}
