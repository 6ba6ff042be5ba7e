/*
 * icmp_output.c - Errors that we send: whether at all, how often, and what they quote.
 *
 *     | IP | type | code | checksum | rest | the packet from its IP header on, as much as fits |
 *
 * RFC 1122 3.2.2 and RFC 4443 2.4 (e) say about what there is never an error; no source quench is
 * ever sent (RFC 6633 2).
 */
#include "ip/ip_internal.h"
#include "base/checksum.h"

#define V4_ERROR_MOST 576 /* RFC 1812 4.3.2.3 */
#define HEADERS_MOST 8

static bool is_v6(const struct ip_packet *packet)
{
    return packet->destination.family == SANWO_FAMILY_IPV6;
}

/* ---- whether ------------------------------------------------------------------------------------ */

/* The source is a single host that is not us (RFC 1122 3.2.2; class E counts as none). */
static bool source_is_single(const struct ip *ip, const struct sanwo_address *a)
{
    if (a->family == SANWO_FAMILY_IPV4 && (a->bytes[0] == 0 || a->bytes[0] >= 240))
        return false;
    return !sanwo_address_is_any(a) && !sanwo_address_is_multicast(a) &&
           !sanwo_address_is_loopback(a) && !sw_ip_is_broadcast(ip, a) && !sw_ip_is_ours(ip, a);
}

static bool is_error_v4(const uint8_t *packet, uint32_t length)
{
    uint32_t header = (packet[0] & 15u) * 4;

    if (packet[9] != IP_PROTOCOL_ICMP)
        return false;
    return length <= header || sw_wire_icmp_is_error(packet[header]);
}

/*
 * An ICMPv6 error may hide behind the very extension header that is to be complained about, so
 * the walk goes on here without minding what headers say. What cannot be seen counts as an error.
 */
static bool is_error_v6(const uint8_t *packet, uint32_t length)
{
    struct reader r = sw_reader(packet, length);
    const uint8_t *p = sw_take(&r, WIRE_IPV6_HEADER);
    uint8_t next = p[6];

    for (int i = 0; i < HEADERS_MOST; i++) {
        bool fragment = next == IPV6_FRAGMENT;
        if (next == IP_PROTOCOL_ICMPV6)
            break;
        if (!fragment && next != IPV6_HOP_BY_HOP && next != IPV6_ROUTING &&
            next != IPV6_DESTINATION)
            return false;
        p = sw_take(&r, 8);
        if (!p || (!fragment && !sw_take(&r, p[1] * (size_t)8)))
            return true;
        next = p[0];
    }
    p = sw_take(&r, 1);
    return next != IP_PROTOCOL_ICMPV6 || !p || sw_wire_icmpv6_is_error(*p);
}

/* RFC1122-3.2.2-2, RFC4443-2.4-1. */
static bool may_send(const struct ip *ip, const uint8_t *packet, uint32_t length,
                     const struct ip_packet *about, uint8_t type, uint8_t code)
{
    /* RFC 4443 2.4 (e.3), exception 2: an unknown option may be reported to whom spoke to many. */
    bool option = is_v6(about) && type == ICMPV6_PARAMETER_PROBLEM && code == 2;

    if (about->group ? !option : !about->ours)
        return false;
    if (!source_is_single(ip, &about->source))
        return false;
    if (is_v6(about))
        return !is_error_v6(packet, length);
    if (sw_load16(packet + 6) & 0x1fff) /* a fragment but the first */
        return false;
    return !is_error_v4(packet, length);
}

/* ---- how often ---------------------------------------------------------------------------------- */

/* RFC 4443 2.4 (f). A peer is a host or, in IPv6, a subnet, where addresses are free to be had. */
static bool rate_allows(struct ip *ip, const struct sanwo_address *peer, sanwo_time now)
{
    size_t size = peer->family == SANWO_FAMILY_IPV6 ? 8 : 4;

    return sw_peer_limiter_take(&ip->icmp_limiter, ip->random, peer->bytes, size, now);
}

/* ---- what --------------------------------------------------------------------------------------- */

/* Our side of the answer: the address that was spoken to, or one of ours if that was a group. */
static bool choose_source(const struct ip *ip, const struct ip_packet *about,
                          const struct ip_path *path, struct sanwo_address *out)
{
    if (!about->ours)
        return sw_ip_source_for(ip, &about->source, path, out);
    *out = about->destination;
    return true;
}

/*
 * Bytes of the quote: RFC 1812 4.3.2.3 up to 576 in all, RFC 4443 2.4 (c) up to 1280.
 * RFC1122-3.2.2-1, RFC4443-2.4-1.
 */
static uint32_t quote_length(const struct ip_packet *about, const struct ip_path *path,
                             uint32_t packet_length)
{
    uint32_t most = is_v6(about) ? WIRE_IPV6_MINIMUM_MTU : V4_ERROR_MOST;
    uint32_t headers =
        (is_v6(about) ? WIRE_IPV6_HEADER : WIRE_IPV4_HEADER) + (uint32_t)WIRE_ICMP_HEADER;

    return sw_min32(packet_length, sw_min32(most, path->mtu) - headers);
}

static void write_error(const struct sanwo_frame *frame, uint32_t start, uint32_t quote,
                        const struct ip_send *what, struct wire_icmp h, uint8_t *bytes)
{
    uint32_t sum = 0;

    sw_wire_icmp_write(&h, bytes);
    if (what->source.family == SANWO_FAMILY_IPV6)
        sum = sw_wire_pseudo_sum(&what->source, &what->destination, IP_PROTOCOL_ICMPV6,
                                 WIRE_ICMP_HEADER + quote);
    sum = sw_checksum_add(sum, bytes, WIRE_ICMP_HEADER);
    sum = sw_ip_frame_sum(frame, start, quote, sum, bytes + WIRE_ICMP_HEADER);
    h.checksum = sw_checksum_finish(sum);
    sw_wire_icmp_write(&h, bytes);
}

void sw_ip_send_error(struct ip *ip, const struct sanwo_frame *frame, const struct ip_packet *about,
                      uint8_t type, uint8_t code, uint32_t rest, sanwo_time now)
{
    uint32_t start = sw_ip_link_header(sw_ip_link_at(ip, frame->link));
    uint32_t length = about->offset + about->length - start;
    uint32_t here = sw_min32(frame->slices[0].length - start, length), quote;
    struct ip_send what = {.destination = about->source,
                           .protocol = is_v6(about) ? IP_PROTOCOL_ICMPV6 : IP_PROTOCOL_ICMP,
                           .ttl = IP_DEFAULT_TTL}; /* RFC 1122 3.2.2: with a TOS of zero */
    struct wire_icmp h = {.type = type, .code = code, .rest = rest};
    struct sanwo_frame error;
    struct ip_path path;
    uint16_t reason;
    uint8_t *bytes;

    if (!may_send(ip, frame->slices[0].bytes + start, here, about, type, code))
        return;
    if (!sw_ip_route_find(ip, &about->source, &path) ||
        !choose_source(ip, about, &path, &what.source))
        return;
    if (!rate_allows(ip, &about->source, now)) {
        ip->lost.rate_limited++;
        return;
    }
    quote = quote_length(about, &path, length);
    bytes = sw_ip_reply_begin(ip, WIRE_ICMP_HEADER + quote, &error);
    if (!bytes) {
        ip->lost.no_memory++;
        return;
    }
    write_error(frame, start, quote, &what, h, bytes);
    if (sw_ip_reply_send(ip, &what, &path, &error, now, &reason))
        ip->icmp_out++;
}
