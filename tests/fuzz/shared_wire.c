/*
 * shared_wire.c - Checksums put right for what is sent, and looked at in what comes back.
 *
 * Shares nothing with src/wire: a second opinion. TCP is read by tests/tcp/packet.c.
 */
#include "shared_wire.h"

#include <stdio.h>

static uint32_t sum(uint32_t start, const uint8_t *bytes, size_t length)
{
    uint64_t total = start;
    for (size_t i = 0; i < length; i++)
        total += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (total >> 16)
        total = (total & 0xffff) + (total >> 16);
    return (uint32_t)total;
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* Where the upper layer is, which, and the sum of its pseudo-header; false if there is none. */
static bool upper_layer(const uint8_t *p, size_t length, size_t *at, uint8_t *protocol,
                        uint32_t *pseudo)
{
    if (length < 20 || (p[0] >> 4 != 4 && (p[0] >> 4 != 6 || length < 40)))
        return false;
    bool ipv4 = p[0] >> 4 == 4;
    *at = ipv4 ? (p[0] & 15u) * 4 : 40;
    *protocol = ipv4 ? p[9] : p[6];
    if (*at < 20 || *at > length)
        return false;
    uint32_t addresses = ipv4 ? sum(0, p + 12, 8) : sum(0, p + 8, 32);
    uint32_t rest = (uint32_t)(length - *at);
    *pseudo = addresses + *protocol + (rest >> 16) + (rest & 0xffff);
    return true;
}

static size_t checksum_place(uint8_t protocol)
{
    switch (protocol) {
    case 6:
        return 16;
    case 17:
        return 6;
    case 1:
    case 58:
        return 2;
    default:
        return 0;
    }
}

void wire_fix_checksums(uint8_t *packet, size_t length)
{
    size_t at;
    uint8_t protocol;
    uint32_t pseudo;
    if (!upper_layer(packet, length, &at, &protocol, &pseudo))
        return;
    if (packet[0] >> 4 == 4) {
        put16(packet + 10, 0);
        put16(packet + 10, ~sum(0, packet, at));
    }
    size_t place = checksum_place(protocol);
    if (!place || length - at < place + 2)
        return;
    put16(packet + at + place, 0);
    put16(packet + at + place, ~sum(protocol == 1 ? 0 : pseudo, packet + at, length - at));
}

/* ICMP and ICMPv6: lengths, both checksums. Nothing else that is not TCP is ever sent. */
static void check_icmp(const uint8_t *p, size_t length)
{
    size_t at = 0;
    uint8_t protocol = 0;
    uint32_t pseudo = 0;
    FUZZ_CHECK(upper_layer(p, length, &at, &protocol, &pseudo), "an IP packet");
    bool ipv4 = p[0] >> 4 == 4;
    FUZZ_CHECK(protocol == (ipv4 ? 1 : 58), "TCP or ICMP");
    FUZZ_CHECK(length >= at + 8, "an ICMP header");
    if (ipv4) {
        FUZZ_CHECK((size_t)(p[2] << 8 | p[3]) == length, "IPv4's total length");
        FUZZ_CHECK(sum(0, p, at) == 0xffff, "IPv4's checksum");
        FUZZ_CHECK(length <= 65535, "IPv4's most");
    } else {
        FUZZ_CHECK((size_t)(p[4] << 8 | p[5]) + 40 == length, "IPv6's payload length");
    }
    FUZZ_CHECK(sum(ipv4 ? 0 : pseudo, p + at, length - at) == 0xffff, "ICMP's checksum");
}

void wire_check_packet(const uint8_t *packet, size_t length, struct wire_seen *out)
{
    FUZZ_CHECK(length >= 28, "an IP packet with something in it");
    out->is_tcp = packet[0] >> 4 == 4 ? packet[9] == 6 : packet[6] == 6;
    if (!out->is_tcp) {
        check_icmp(packet, length);
        return;
    }
    const char *wrong = packet_read(packet, length, &out->flow, &out->segment);
    if (wrong)
        fprintf(stderr, "an emitted segment: %s\n", wrong);
    FUZZ_CHECK(!wrong, "an emitted segment is right in every respect");
}

void wire_check_frame(const struct sanwo_frame *frame, uint16_t mtu, uint8_t *packet,
                      struct wire_seen *out)
{
    uint64_t length = 0;
    FUZZ_CHECK(frame->slice_count >= 1 && frame->slice_count <= SANWO_FRAME_SLICES, "its slices");
    for (unsigned i = 0; i < frame->slice_count; i++)
        length += frame->slices[i].length;
    FUZZ_CHECK(length == frame->length, "its length is that of its slices");
    sanwo_frame_copy(frame, packet);
    sanwo_frame_complete(frame, packet);
    wire_check_packet(packet, frame->length, out);
    if (frame->segmentation == SANWO_SEGMENT_NONE) {
        FUZZ_CHECK(frame->length <= mtu, "within the MTU");
        return;
    }
    FUZZ_CHECK(out->is_tcp && frame->checksum == SANWO_CHECKSUM_PARTIAL, "a super-segment of TCP");
    FUZZ_CHECK(frame->header_length == frame->length - out->segment.length, "its headers");
    FUZZ_CHECK(frame->segment_size && frame->segment_size < out->segment.length, "more than one");
    FUZZ_CHECK((uint32_t)frame->header_length + frame->segment_size <= mtu, "each within the MTU");
}
