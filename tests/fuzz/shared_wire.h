/*
 * shared_wire.h - For targets that hand whole frames to a stack and look at what comes back.
 */
#ifndef TESTS_FUZZ_SHARED_WIRE_H
#define TESTS_FUZZ_SHARED_WIRE_H

#include "fuzz.h"
#include "tcp/packet.h"

#include <sanwo/stack.h>

/** Makes the IP header's, TCP's and ICMP's checksums of the IP packet right, where it has them. */
void wire_fix_checksums(uint8_t *packet, size_t length);

/** What an emitted IP packet turned out to be. */
struct wire_seen {
    bool is_tcp;
    struct flow flow;
    struct segment segment; /* the payload points into the packet */
};

/**
 * Looks at a frame that the stack gave out on a link of bare IP with this @mtu: its lengths, its
 * offload fields, and every byte of its headers. @packet is its copy, all checksums completed, of
 * frame->length bytes.
 */
void wire_check_frame(const struct sanwo_frame *frame, uint16_t mtu, uint8_t *packet,
                      struct wire_seen *out);
/** The same for a flat IP packet. */
void wire_check_packet(const uint8_t *packet, size_t length, struct wire_seen *out);

#endif
