/*
 * region.h - The one memory region of a stack: a buddy allocator under a byte budget.
 *
 *     | struct region | order map: one byte a unit | blocks of 256 B << order ............ |
 *       ^ at `reserved` bytes into the region: the stack itself comes first
 *
 * Blocks are powers of two from 256 bytes (order 0) to 1 MiB (order 12), aligned to their size
 * relative to the region. A block is named by a `region_ref`: its offset in 64-byte lines, so 32
 * bits reach 256 GiB and 0 is never a block. All links are refs: a region may be copied elsewhere
 * and goes on working there.
 *
 * Blocks are cut from a frontier, `top`, that moves up only when no freed block will do and comes
 * down again when what lies below it is freed. Above it neither memory nor map was ever touched
 * (it may hold anything), so a region can be reserved large and costs only what is used. The gaps
 * that alignment leaves below the frontier are free blocks; only their first line is written.
 */
#ifndef SW_BASE_REGION_H
#define SW_BASE_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REGION_UNIT 256
#define REGION_ORDERS 13 /* 256 B ... 1 MiB */
#define REGION_LINE 64   /* what a ref counts */

typedef uint32_t region_ref;

struct region {
    uint64_t size;            /* bytes of the whole region, from its base */
    uint64_t first;           /* offset of the first unit that blocks may use */
    uint64_t top;             /* the frontier: nothing from here on is in use */
    uint64_t self;            /* offset of this structure from the base */
    uint64_t map;             /* offset of the order map */
    uint64_t budget;          /* bytes of blocks that may be out at one time */
    uint64_t used;            /* bytes of blocks that are out */
    uint64_t peak;            /* the most that `used` ever was */
    uint64_t refused;         /* allocations refused for want of memory or budget */
    uint64_t fault_countdown; /* tests: refuse the n-th allocation from now; 0 = never */
    region_ref free_list[REGION_ORDERS];
    region_ref quick_list[REGION_ORDERS]; /* freed and not merged yet: the fast path */
    uint16_t quick_count[REGION_ORDERS];
};

/*
 * Lays a region out in [base, base + size). The first @reserved bytes are the caller's (the stack
 * and this structure, at @self). @budget 0 means all there is. False if too small or misaligned
 * (base must be 4096-aligned) or over 64 GiB.
 */
bool sw_region_init(struct region *r, void *base, size_t size, size_t reserved, uint64_t budget);

/* A block of at least @size bytes, its content undefined; 0 when memory or budget refuses. */
region_ref sw_region_alloc(struct region *r, size_t size);
void sw_region_free(struct region *r, region_ref block);
/* The true size of the block, as it counts against the budget. */
size_t sw_region_block_size(const struct region *r, region_ref block);
/* The size of block that an allocation of @size would take; 0 if none is large enough. */
size_t sw_region_round(size_t size);
/* Merges what the quick lists hold; afterwards a region with nothing out is one free area again. */
void sw_region_trim(struct region *r);

static inline void *sw_region_base(const struct region *r)
{
    return (uint8_t *)(uintptr_t)r - r->self;
}

/* Bytes from the base that hold all there is: what a copy of the region has to copy. */
static inline uint64_t sw_region_extent(const struct region *r)
{
    return r->top;
}

static inline void *sw_region_at(const struct region *r, region_ref ref)
{
    return (uint8_t *)sw_region_base(r) + (uint64_t)ref * REGION_LINE;
}

#endif
