/*
 * emulator_packet.h - Packets under way in an emulated network: copies, in order of arrival time.
 */
#ifndef DRIVERS_EMULATOR_PACKET_H
#define DRIVERS_EMULATOR_PACKET_H

#include <sanwo/driver.h>

struct packet {
    struct packet *next;
    sanwo_time due; /* when it reaches the other end */
    uint64_t order; /* of entering, decides between equal times */
    uint32_t length;
    uint8_t size_class;
    uint8_t checksum; /* these five as in struct sanwo_frame */
    uint8_t segmentation;
    uint16_t segment_size;
    uint16_t header_length;
    uint16_t checksum_start;
    uint16_t checksum_offset;
    uint8_t bytes[];
};

enum { PACKET_CLASSES = 2 };

/** Packets not in use, kept for the next ones. */
struct packet_pool {
    struct packet *free[PACKET_CLASSES];
};

/** First in, first out. */
struct packet_list {
    struct packet *first, *last;
};

/** Packets by due time: most come in order and stand in a line, the others in a binary heap. */
struct packet_heap {
    struct packet_list line;
    struct packet **items;
    size_t count, size; /* of the heap */
    uint64_t next_order;
};

/**
 * A copy of @frame's bytes. A PARTIAL checksum of one packet is completed; a super-segment keeps its
 * own, which is for the parts. NULL: out of memory, or no frame is that long.
 */
struct packet *sw_emulator_packet_copy(struct packet_pool *pool, const struct sanwo_frame *frame);
/** @length bytes to be written, a whole packet with all checksums. NULL as above. */
struct packet *sw_emulator_packet_blank(struct packet_pool *pool, uint32_t length);
/** How long it may become where it is. */
uint32_t sw_emulator_packet_room(const struct packet *packet);
struct packet *sw_emulator_packet_clone(struct packet_pool *pool, const struct packet *packet);
/** A frame of one slice, the packet's memory. */
void sw_emulator_packet_frame(struct packet *packet, struct sanwo_frame *out);
/** The packet whose frame this is. */
struct packet *sw_emulator_packet_of(const struct sanwo_frame *frame);
void sw_emulator_packet_free(struct packet_pool *pool, struct packet *packet);
void sw_emulator_pool_dispose(struct packet_pool *pool);

void sw_emulator_list_append(struct packet_list *list, struct packet *packet);
void sw_emulator_list_prepend(struct packet_list *list, struct packet *packet);
struct packet *sw_emulator_list_take(struct packet_list *list);

/** @late: later ones will overtake it. False: out of memory, and the packet is still the caller's. */
bool sw_emulator_heap_add(struct packet_heap *heap, struct packet *packet, bool late);
/** The earliest due time; NEVER if there is none. */
sanwo_time sw_emulator_heap_due(const struct packet_heap *heap);
/** The earliest packet, or NULL. */
struct packet *sw_emulator_heap_take(struct packet_heap *heap);
void sw_emulator_heap_dispose(struct packet_heap *heap);

#endif
