/*
 * buffer.c - Birth and death of packet buffers. See buffer.h for their shape.
 */
#include "base/buffer.h"

static struct buffer *take_block(struct region *r, size_t size)
{
    region_ref name = sw_region_alloc(r, size);
    struct buffer *b;

    if (!name)
        return NULL;
    b = sw_region_at(r, name);
    memset(b, 0, sizeof *b);
    b->references = 1;
    return b;
}

struct buffer *sw_buffer_alloc(struct region *r, size_t room)
{
    size_t size = sizeof(struct buffer) + room;
    struct buffer *b = size > room ? take_block(r, size) : NULL;

    if (b) {
        b->offset = sizeof *b;
        b->capacity = (uint32_t)sw_region_round(size);
    }
    return b;
}

struct buffer *sw_buffer_external(struct region *r, const void *bytes, size_t length)
{
    struct buffer *b;

    SW_ASSERT(bytes && length <= UINT32_MAX);
    b = take_block(r, sizeof *b);
    if (b) {
        b->external = bytes;
        b->length = (uint32_t)length;
        b->capacity = sizeof *b;
    }
    return b;
}

bool sw_buffer_unref(struct region *r, struct buffer *b)
{
    SW_ASSERT(b->references > 0);
    if (--b->references)
        return false;
    sw_region_free(r, sw_buffer_name(r, b));
    return true;
}
