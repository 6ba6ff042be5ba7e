/*
 * dissect.c - Bytes to fields: IPv4, IPv6, TCP, UDP, ICMP. Total on any bytes.
 *
 *     IPv4 20..60 | IPv6 40 + extension headers  ->  TCP 20..60 | UDP 8 | ICMP 8  ->  payload
 *
 * Strict: lengths that contradict each other, fragments and other protocols are refused, since the
 * stack under test must send none of them. RFC 791, 8200, 9293 3.1, 768, 792, 4443.
 */
#include "packet.h"
#include "packet_bytes.h"

#include <string.h>

static void read_address(struct sanwo_address *out, uint8_t family, const uint8_t *bytes)
{
    memset(out, 0, sizeof(*out));
    out->family = family;
    memcpy(out->bytes, bytes, family == SANWO_FAMILY_IPV6 ? 16 : 4);
}

/* Where the transport header begins and how much there is of it, counting from there. */
struct transport {
    const uint8_t *bytes;
    size_t length;
    uint8_t number; /* of the protocol */
};

static bool read_ipv4(struct drill_seen *out, const uint8_t *p, size_t length,
                      struct transport *next)
{
    size_t header = (size_t)(p[0] & 15) * 4, total;

    if (length < 20 || header < 20 || header > length)
        return false;
    total = drill_get16(p + 2);
    if (total < header || total > length || (drill_get16(p + 6) & 0xbfff) != 0)
        return false; /* cut, or a fragment, or the bit that must be zero */
    out->family = SANWO_FAMILY_IPV4;
    out->tos = p[1];
    out->ip_id = drill_get16(p + 4);
    out->dont_fragment = p[6] & 0x40;
    out->ttl = p[8];
    out->ip_options_length = (uint8_t)(header - 20);
    out->bad_checksum = sw_drill_checksum(p, header, 0) != 0;
    read_address(&out->source.address, SANWO_FAMILY_IPV4, p + 12);
    read_address(&out->destination.address, SANWO_FAMILY_IPV4, p + 16);
    *next = (struct transport){p + header, total - header, p[9]};
    return true;
}

/* Hop-by-hop options, routing, destination options; a fragment header is not passed. */
static bool skip_extensions(struct drill_seen *out, struct transport *next)
{
    size_t skipped = 0;

    while (next->number == 0 || next->number == 43 || next->number == 60) {
        size_t size;

        if (next->length < 8)
            return false;
        size = ((size_t)next->bytes[1] + 1) * 8;
        if (size > next->length)
            return false;
        skipped += size;
        next->number = next->bytes[0];
        next->bytes += size;
        next->length -= size;
    }
    out->ip_options_length = skipped < 255 ? (uint8_t)skipped : 255;
    return true;
}

static bool read_ipv6(struct drill_seen *out, const uint8_t *p, size_t length,
                      struct transport *next)
{
    size_t payload;

    if (length < 40)
        return false;
    payload = drill_get16(p + 4);
    if (payload > length - 40)
        return false;
    out->family = SANWO_FAMILY_IPV6;
    out->tos = (uint8_t)(p[0] << 4 | p[1] >> 4);
    out->flow_label = drill_get32(p) & 0xfffff;
    out->ttl = p[7];
    read_address(&out->source.address, SANWO_FAMILY_IPV6, p + 8);
    read_address(&out->destination.address, SANWO_FAMILY_IPV6, p + 24);
    *next = (struct transport){p + 40, payload, p[6]};
    return skip_extensions(out, next);
}

static void check_sum(struct drill_seen *out, const struct transport *at, bool pseudo)
{
    uint32_t sum = 0;

    if (pseudo)
        sum = sw_drill_pseudo_sum(&out->source.address, &out->destination.address, at->number,
                                  at->length);
    if (sw_drill_checksum(at->bytes, at->length, sum) != 0)
        out->bad_checksum = true;
}

static bool read_tcp(struct drill_seen *out, const struct transport *at)
{
    const uint8_t *p = at->bytes;
    size_t header;

    if (at->length < DRILL_TCP_HEADER)
        return false;
    header = (size_t)(p[12] >> 4) * 4;
    if (header < DRILL_TCP_HEADER || header > at->length)
        return false;
    out->protocol = DRILL_TCP;
    out->source.port = drill_get16(p);
    out->destination.port = drill_get16(p + 2);
    out->seq = drill_get32(p + 4);
    out->ack = drill_get32(p + 8);
    out->reserved = p[12] >> 1 & 7;
    out->ae = p[12] & 1;
    out->flags = p[13];
    out->window = drill_get16(p + 14);
    out->urgent = drill_get16(p + 18);
    out->options_length = (uint8_t)(header - DRILL_TCP_HEADER);
    memcpy(out->options, p + DRILL_TCP_HEADER, out->options_length);
    out->payload = p + header;
    out->payload_length = (uint32_t)(at->length - header);
    check_sum(out, at, true);
    return true;
}

static bool read_udp(struct drill_seen *out, const struct transport *at)
{
    const uint8_t *p = at->bytes;

    if (at->length < DRILL_UDP_HEADER || drill_get16(p + 4) != at->length)
        return false;
    out->protocol = DRILL_UDP;
    out->source.port = drill_get16(p);
    out->destination.port = drill_get16(p + 2);
    out->payload = p + DRILL_UDP_HEADER;
    out->payload_length = (uint32_t)(at->length - DRILL_UDP_HEADER);
    /* RFC 768: zero means none. RFC 8200 8.1: IPv6 has no such thing. */
    if (drill_get16(p + 6) != 0 || out->family == SANWO_FAMILY_IPV6)
        check_sum(out, at, true);
    return true;
}

static bool read_icmp(struct drill_seen *out, const struct transport *at)
{
    if (at->length < DRILL_ICMP_HEADER)
        return false;
    out->protocol = DRILL_ICMP;
    out->icmp_type = at->bytes[0];
    out->icmp_code = at->bytes[1];
    out->icmp_rest = drill_get32(at->bytes + 4);
    out->payload = at->bytes + DRILL_ICMP_HEADER;
    out->payload_length = (uint32_t)(at->length - DRILL_ICMP_HEADER);
    check_sum(out, at, out->family == SANWO_FAMILY_IPV6);
    return true;
}

bool sw_drill_dissect(struct drill_seen *out, const uint8_t *packet, size_t length, sanwo_time when)
{
    struct transport next;

    memset(out, 0, sizeof(*out));
    out->packet = packet;
    out->length = length;
    out->when = when;
    if (length == 0)
        return false;
    if (packet[0] >> 4 == 4) {
        if (!read_ipv4(out, packet, length, &next))
            return false;
    } else if (packet[0] >> 4 != 6 || !read_ipv6(out, packet, length, &next))
        return false;
    switch (next.number) {
    case DRILL_IP_TCP:
        return read_tcp(out, &next);
    case DRILL_IP_UDP:
        return read_udp(out, &next);
    case DRILL_IP_ICMP:
        return out->family == SANWO_FAMILY_IPV4 && read_icmp(out, &next);
    case DRILL_IP_ICMPV6:
        return out->family == SANWO_FAMILY_IPV6 && read_icmp(out, &next);
    default:
        return false;
    }
}
