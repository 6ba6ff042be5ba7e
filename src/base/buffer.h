/*
 * buffer.h - Counted packet buffers: one block of the region, a header line and the bytes.
 *
 *     | struct buffer (64 B) | room ............ [offset, offset + length) bytes ............ |
 *
 * A buffer is born with one reference. Received frames, queues of payload and headers to send are
 * all buffers; a queue links them by `next`. An *external* buffer has no room: its bytes are the
 * application's (send_ref), and somebody has to be told when the last reference goes. Who drops a
 * reference that may be the last copies `owner` and `cookie` before, and tells after.
 */
#ifndef SW_BASE_BUFFER_H
#define SW_BASE_BUFFER_H

#include "bytes.h"
#include "region.h"

struct buffer {
    region_ref next; /* in whichever list holds it; 0 ends */
    uint32_t references;
    uint32_t offset;         /* of the first byte, from the buffer's own address (>= 64) */
    uint32_t length;         /* bytes that count */
    uint32_t capacity;       /* bytes from the buffer's address to the end of its block */
    uint32_t seq;            /* payload: the sequence number of the first byte (raw) */
    const uint8_t *external; /* not NULL: the bytes are here and `offset` counts from here */
    uint32_t flags;          /* for the owner */
    uint32_t owner;          /* for the owner: what to tell when it is released */
    uint64_t cookie;         /* for the owner */
    uint32_t promised;       /* for the owner: room given out to be filled */
    uint32_t spare[3];
};
_Static_assert(sizeof(struct buffer) == 64, "a buffer's header is one cache line");

/* A buffer with at least @room bytes after its header, empty, offset 64; NULL when refused. */
struct buffer *sw_buffer_alloc(struct region *r, size_t room);
/* A buffer over memory of the application; no room of its own. NULL when refused. */
struct buffer *sw_buffer_external(struct region *r, const void *bytes, size_t length);
/*
 * Drops a reference; true if it was the last and the block went back to the region (@b is gone).
 * A frame has one owner at a time (A-16, D-02).
 */
bool sw_buffer_unref(struct region *r, struct buffer *b);

static inline void sw_buffer_ref(struct buffer *b)
{
    b->references++;
}

static inline const uint8_t *sw_buffer_bytes(const struct buffer *b)
{
    return (b->external ? b->external : (const uint8_t *)b) + b->offset;
}

/* Bytes that may still be appended in place. */
static inline uint32_t sw_buffer_tailroom(const struct buffer *b)
{
    return b->external ? 0 : b->capacity - b->offset - b->length;
}

static inline uint8_t *sw_buffer_tail(struct buffer *b)
{
    return (uint8_t *)b + b->offset + b->length;
}

static inline region_ref sw_buffer_name(const struct region *r, const struct buffer *b)
{
    return (region_ref)(((uintptr_t)b - (uintptr_t)sw_region_base(r)) / REGION_LINE);
}

static inline struct buffer *sw_buffer_at(const struct region *r, region_ref name)
{
    return name ? (struct buffer *)sw_region_at(r, name) : NULL;
}

#endif
