/*
 * emulator_segment.h - A TCP segment in a packet under way: where its headers are, how to change them.
 */
#ifndef DRIVERS_EMULATOR_SEGMENT_H
#define DRIVERS_EMULATOR_SEGMENT_H

#include "emulator_packet.h"

/** Lengths in bytes. The pointers reach into the packet. */
struct segment {
    struct packet *packet;
    uint8_t *ip, *tcp, *payload;
    uint32_t ip_header, tcp_header, length; /* `length` of the payload */
    bool v6;
};

enum {
    SEGMENT_FIN = 1,
    SEGMENT_SYN = 2,
    SEGMENT_RST = 4,
    SEGMENT_PSH = 8,
    SEGMENT_ACK = 16,
    SEGMENT_URG = 32,
    SEGMENT_ECE = 64,
    SEGMENT_CWR = 128
};

/** Offsets in the TCP header (RFC 9293 3.1). */
enum { SEGMENT_SEQ = 4, SEGMENT_ACK_NUMBER = 8, SEGMENT_FLAGS = 13, SEGMENT_CHECKSUM = 16 };

/** What the headers were, to mend the checksums by. */
struct segment_note {
    uint32_t ip, tcp;
};

uint16_t sw_emulator_read16(const uint8_t *at);
uint32_t sw_emulator_read32(const uint8_t *at);
void sw_emulator_write16(uint8_t *at, uint16_t value);
void sw_emulator_write32(uint8_t *at, uint32_t value);

/** False: @packet is no whole TCP segment in one IP packet. @link: bytes of the link header. */
bool sw_emulator_segment_find(struct packet *packet, uint32_t link, struct segment *out);
/** Before a change of the headers' bytes, not of lengths ... */
struct segment_note sw_emulator_segment_note(const struct segment *s);
/** ... and after it: checksums that were right are right again, wrong ones stay wrong. */
void sw_emulator_segment_mend(struct segment *s, const struct segment_note *note);
/** Both checksums are right. */
bool sw_emulator_segment_sound(const struct segment *s);
/** Writes lengths and checksums for @length bytes of payload. */
void sw_emulator_segment_seal(struct segment *s, uint32_t length);

/**
 * An IP packet from @like's source to its destination, or back, with room for @length bytes behind
 * the IP header, all zero; its checksums are for later. @like begins with the link header.
 */
struct packet *sw_emulator_packet_answer(struct packet_pool *pool, const uint8_t *like,
                                         uint32_t link, bool back, uint8_t protocol,
                                         uint32_t length);
/** Completes the checksum at @offset behind the IP header, and IPv4's own. */
void sw_emulator_packet_seal(struct packet *packet, uint32_t link, uint8_t protocol,
                             uint32_t offset, bool pseudo);

/** ECT becomes CE. False: the packet is not ECT, or is marked already. */
bool sw_emulator_mark(struct packet *packet, uint32_t link);

/** The ICMP error for a packet that begins with @bytes and is longer than @mtu; NULL: none is due. */
struct packet *sw_emulator_too_big(struct packet_pool *pool, const uint8_t *bytes, uint32_t length,
                                   uint32_t link, uint16_t mtu);

#endif
