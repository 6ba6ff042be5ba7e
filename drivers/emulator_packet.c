/*
 * emulator_packet.c - Packets under way: a pool in two sizes, a list, and a heap by due time.
 */
#include <stdlib.h>
#include <string.h>

#include "emulator_packet.h"

/* A frame of any usual MTU, and the longest super-segment with an Ethernet header. */
static const uint32_t class_size[PACKET_CLASSES] = {2048, 65536 + 64};

static struct packet *new_packet(struct packet_pool *pool, uint32_t length)
{
    unsigned size_class = length <= class_size[0] ? 0 : 1;
    struct packet *packet = pool->free[size_class];

    if (length > class_size[size_class])
        return NULL;
    if (packet != NULL) {
        pool->free[size_class] = packet->next;
        return packet;
    }
    packet = malloc(sizeof(*packet) + class_size[size_class]);
    if (packet != NULL)
        packet->size_class = (uint8_t)size_class;
    return packet;
}

struct packet *sw_emulator_packet_copy(struct packet_pool *pool, const struct sanwo_frame *frame)
{
    struct packet *packet = new_packet(pool, frame->length);

    if (packet == NULL)
        return NULL;
    packet->next = NULL;
    packet->length = frame->length;
    packet->checksum = frame->checksum;
    packet->segmentation = frame->segmentation;
    packet->segment_size = frame->segment_size;
    packet->header_length = frame->header_length;
    packet->checksum_start = frame->checksum_start;
    packet->checksum_offset = frame->checksum_offset;
    sanwo_frame_copy(frame, packet->bytes);
    if (packet->checksum == SANWO_CHECKSUM_PARTIAL && packet->segmentation == SANWO_SEGMENT_NONE) {
        sanwo_frame_complete(frame, packet->bytes);
        packet->checksum = SANWO_CHECKSUM_NONE;
    }
    return packet;
}

struct packet *sw_emulator_packet_blank(struct packet_pool *pool, uint32_t length)
{
    struct packet *packet = new_packet(pool, length);

    if (packet == NULL)
        return NULL;
    packet->next = NULL;
    packet->length = length;
    packet->checksum = SANWO_CHECKSUM_NONE;
    packet->segmentation = SANWO_SEGMENT_NONE;
    packet->segment_size = packet->header_length = 0;
    packet->checksum_start = packet->checksum_offset = 0;
    return packet;
}

uint32_t sw_emulator_packet_room(const struct packet *packet)
{
    return class_size[packet->size_class];
}

struct packet *sw_emulator_packet_clone(struct packet_pool *pool, const struct packet *packet)
{
    struct packet *copy = new_packet(pool, packet->length);

    if (copy != NULL) {
        uint8_t size_class = copy->size_class;

        memcpy(copy, packet, sizeof(*packet));
        copy->size_class = size_class; /* a packet may have become shorter than its class */
        memcpy(copy->bytes, packet->bytes, packet->length);
        copy->next = NULL;
    }
    return copy;
}

void sw_emulator_packet_frame(struct packet *packet, struct sanwo_frame *out)
{
    memset(out, 0, offsetof(struct sanwo_frame, slices));
    out->length = packet->length;
    out->checksum = packet->checksum;
    out->segmentation = packet->segmentation;
    out->segment_size = packet->segment_size;
    out->header_length = packet->header_length;
    out->checksum_start = packet->checksum_start;
    out->checksum_offset = packet->checksum_offset;
    out->slice_count = 1;
    out->slices[0] = (struct sanwo_slice){.bytes = packet->bytes, .length = packet->length};
}

struct packet *sw_emulator_packet_of(const struct sanwo_frame *frame)
{
    uintptr_t bytes = (uintptr_t)frame->slices[0].bytes;

    return (struct packet *)(bytes - offsetof(struct packet, bytes));
}

void sw_emulator_packet_free(struct packet_pool *pool, struct packet *packet)
{
    packet->next = pool->free[packet->size_class];
    pool->free[packet->size_class] = packet;
}

void sw_emulator_pool_dispose(struct packet_pool *pool)
{
    for (unsigned c = 0; c < PACKET_CLASSES; c++) {
        while (pool->free[c] != NULL) {
            struct packet *packet = pool->free[c];

            pool->free[c] = packet->next;
            free(packet);
        }
    }
}

void sw_emulator_list_append(struct packet_list *list, struct packet *packet)
{
    packet->next = NULL;
    if (list->first == NULL)
        list->first = packet;
    else
        list->last->next = packet;
    list->last = packet;
}

void sw_emulator_list_prepend(struct packet_list *list, struct packet *packet)
{
    packet->next = list->first;
    if (list->first == NULL)
        list->last = packet;
    list->first = packet;
}

struct packet *sw_emulator_list_take(struct packet_list *list)
{
    struct packet *packet = list->first;

    if (packet != NULL)
        list->first = packet->next;
    return packet;
}

static bool earlier(const struct packet *a, const struct packet *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

bool sw_emulator_heap_add(struct packet_heap *heap, struct packet *packet, bool late)
{
    size_t at = heap->count;

    packet->order = heap->next_order++;
    if (!late && (heap->line.first == NULL || heap->line.last->due <= packet->due)) {
        sw_emulator_list_append(&heap->line, packet);
        return true;
    }
    if (heap->count == heap->size) {
        size_t size = heap->size == 0 ? 64 : heap->size * 2;
        struct packet **items = realloc(heap->items, size * sizeof(*items));

        if (items == NULL)
            return false;
        heap->items = items;
        heap->size = size;
    }
    while (at > 0 && earlier(packet, heap->items[(at - 1) / 2])) {
        heap->items[at] = heap->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->items[at] = packet;
    heap->count++;
    return true;
}

/* The first of the line comes before the top of the heap. */
static bool line_leads(const struct packet_heap *heap)
{
    return heap->line.first != NULL &&
           (heap->count == 0 || earlier(heap->line.first, heap->items[0]));
}

sanwo_time sw_emulator_heap_due(const struct packet_heap *heap)
{
    if (line_leads(heap))
        return heap->line.first->due;
    return heap->count > 0 ? heap->items[0]->due : SANWO_TIME_NEVER;
}

struct packet *sw_emulator_heap_take(struct packet_heap *heap)
{
    struct packet *top, *last;
    size_t at = 0;

    if (line_leads(heap))
        return sw_emulator_list_take(&heap->line);
    if (heap->count == 0)
        return NULL;
    top = heap->items[0];
    last = heap->items[--heap->count];
    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < heap->count && earlier(heap->items[child + 1], heap->items[child]))
            child++;
        if (child >= heap->count || !earlier(heap->items[child], last))
            break;
        heap->items[at] = heap->items[child];
        at = child;
    }
    heap->items[at] = last;
    return top;
}

void sw_emulator_heap_dispose(struct packet_heap *heap)
{
    free(heap->items);
    heap->items = NULL;
    heap->count = heap->size = 0;
}
