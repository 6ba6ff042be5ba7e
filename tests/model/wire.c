/*
 * wire.c - Segments in flight. Each that was ever sent has a name; a wire is a list of names.
 *
 *     fifo:    first -> second -> ...     arrive in order
 *     strays:  in any order, at any time, or never
 */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#define IP_HEADER_UNIT 4
#define TCP_CHECKSUM 16

static uint64_t hash_bytes(const uint8_t *bytes, size_t length)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < length; i++)
        h = (h ^ bytes[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 29;
}

const struct model_segment *model_segment_at(const struct model *m, uint32_t name)
{
    return m->segments.all[name];
}

static void grow(struct model *m)
{
    uint32_t size = m->segments.mask ? (m->segments.mask + 1) * 2 : 1024;
    m->segments.all = realloc(m->segments.all, size * sizeof(*m->segments.all));
    m->segments.capacity = size / 2;
    free(m->segments.slots);
    m->segments.slots = calloc(size, sizeof(*m->segments.slots));
    m->segments.mask = size - 1;
    for (uint32_t name = 1; name <= m->segments.count; name++) {
        const struct model_segment *s = m->segments.all[name];
        uint32_t slot = (uint32_t)hash_bytes(s->bytes, s->length) & m->segments.mask;
        while (m->segments.slots[slot])
            slot = (slot + 1) & m->segments.mask;
        m->segments.slots[slot] = name;
    }
}

uint32_t model_segment_name(struct model *m, const struct sanwo_frame *frame)
{
    uint8_t bytes[2048];
    if (m->segments.count + 1 >= m->segments.capacity)
        grow(m);
    sanwo_frame_copy(frame, bytes);
    uint32_t slot = (uint32_t)hash_bytes(bytes, frame->length) & m->segments.mask, name;
    while ((name = m->segments.slots[slot]) != 0) {
        const struct model_segment *s = m->segments.all[name];
        if (s->length == frame->length && memcmp(s->bytes, bytes, s->length) == 0)
            return name;
        slot = (slot + 1) & m->segments.mask;
    }
    struct model_segment *s = malloc(sizeof(*s) + frame->length);
    s->length = (uint16_t)frame->length;
    memcpy(s->bytes, bytes, frame->length);
    name = ++m->segments.count;
    m->segments.all[name] = s;
    m->segments.slots[slot] = name;
    return name;
}

void model_segments_free(struct model *m)
{
    for (uint32_t name = 1; name <= m->segments.count; name++)
        free(m->segments.all[name]);
    free(m->segments.all);
    free(m->segments.slots);
    memset(&m->segments, 0, sizeof(m->segments));
}

bool model_wire_send(struct model *m, unsigned from, const struct sanwo_frame *frame)
{
    struct model_wire *wire = &m->at.wire[from];
    if (frame->length > 2048)
        return model_violation(m, "host %u sends a frame of %u bytes", from, frame->length);
    if (wire->count == MODEL_FIFO)
        return model_violation(m, "host %u has more than %u segments in flight: a storm", from,
                               MODEL_FIFO);
    wire->fifo[wire->count++] = model_segment_name(m, frame);
    return true;
}

uint32_t model_wire_take(struct model_wire *wire)
{
    uint32_t name = wire->fifo[0];
    wire->count--;
    memmove(wire->fifo, wire->fifo + 1, wire->count * sizeof(wire->fifo[0]));
    wire->fifo[wire->count] = 0;
    return name;
}

uint32_t model_wire_take_stray(struct model_wire *wire, unsigned index)
{
    uint32_t name = wire->stray[index];
    wire->strays--;
    memmove(wire->stray + index, wire->stray + index + 1,
            (wire->strays - index) * sizeof(wire->stray[0]));
    wire->stray[wire->strays] = 0;
    return name;
}

/* Kept in order: two sets that are equal look equal. */
void model_wire_add_stray(struct model_wire *wire, uint32_t name)
{
    unsigned i = wire->strays++;
    for (; i && wire->stray[i - 1] > name; i--)
        wire->stray[i] = wire->stray[i - 1];
    wire->stray[i] = name;
}

void model_segment_read(const struct model_segment *segment, struct model_fields *out)
{
    const uint8_t *tcp = segment->bytes + (segment->bytes[0] & 15) * IP_HEADER_UNIT;
    out->tcp = tcp;
    out->tcp_length = (uint16_t)(segment->length - (tcp - segment->bytes));
    out->header = (uint16_t)((tcp[12] >> 4) * 4);
    out->length = (uint16_t)(out->tcp_length - out->header);
    out->seq = sw_load32(tcp + 4);
    out->ack = sw_load32(tcp + 8);
    out->flags = tcp[13];
    out->window = sw_load16(tcp + 14);
}
