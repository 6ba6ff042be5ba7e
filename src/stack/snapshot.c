/*
 * snapshot.c - All state lies in the region, so a snapshot is a copy of the part that was touched.
 *
 *     snapshot:  | header: magic, extent, region size | bytes [0, extent) of the region |
 *
 * Links inside are offsets; the few pointers (region, random) are set anew by restore. Attack rows
 * and design.md 2: time travel for tests and model checking.
 */
#include "stack/stack.h"

#define PAGE 4096
#define SNAPSHOT_MAGIC UINT64_C(0x73616e776f736e31) /* "sanwosn1" */

struct snapshot {
    uint64_t magic;
    uint64_t layout; /* sizeof(struct sanwo_stack): another build's snapshot is refused */
    uint64_t extent;
    uint64_t region_size;
};

size_t sanwo_stack_snapshot_size(const struct sanwo_stack *s)
{
    return sizeof(struct snapshot) + (size_t)sw_region_extent(&s->region);
}

int sanwo_stack_snapshot(const struct sanwo_stack *s, void *out, size_t size)
{
    if (size < sanwo_stack_snapshot_size(s))
        return -SANWO_EMSGSIZE;
    if (s->frames_lent)
        return -SANWO_EINVAL;
    struct snapshot header = {SNAPSHOT_MAGIC, sizeof(*s), sw_region_extent(&s->region),
                              s->region.size};
    memcpy(out, &header, sizeof(header));
    memcpy((uint8_t *)out + sizeof(header), s, (size_t)header.extent);
    return 0;
}

int sanwo_stack_restore(void *region, size_t region_size, const void *snapshot, size_t size,
                        struct sanwo_stack **out)
{
    struct snapshot header;
    if (!region || (uintptr_t)region % PAGE || size < sizeof(header))
        return -SANWO_ESNAPSHOT;
    memcpy(&header, snapshot, sizeof(header));
    if (header.magic != SNAPSHOT_MAGIC || header.layout != sizeof(struct sanwo_stack) ||
        header.region_size > region_size || header.extent > size - sizeof(header) ||
        header.extent < sizeof(struct sanwo_stack) || header.extent > header.region_size)
        return -SANWO_ESNAPSHOT;
    memcpy(region, (const uint8_t *)snapshot + sizeof(header), (size_t)header.extent);
    struct sanwo_stack *s = region;
    s->ip.region = s->tcp.region = &s->region;
    s->ip.random = s->tcp.random = &s->random;
    *out = s;
    return 0;
}
