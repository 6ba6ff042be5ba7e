/*
 * icmp.c - ICMP and ICMPv6 headers and the packet that an error quotes (RFC 792, RFC 4443 2).
 *
 *     error:  | type | code | checksum | rest | IP header of the packet in question | its first bytes
 *              0      1      2          4      8
 *
 * The quote went out as ours and came back through strangers: every length in it is checked anew,
 * and that the packet was cut is normal.
 */
#include "wire/icmp.h"

#define QUOTED_HEADERS_MAX 8

bool sw_wire_icmp_read(struct wire_icmp *out, const uint8_t *bytes, size_t length)
{
    struct reader r = sw_reader(bytes, length);
    const uint8_t *p = sw_take(&r, WIRE_ICMP_HEADER);

    if (!p)
        return false;
    out->type = p[0];
    out->code = p[1];
    out->checksum = sw_load16(p + 2);
    out->rest = sw_load32(p + 4);
    return true;
}

void sw_wire_icmp_write(const struct wire_icmp *h, uint8_t *bytes)
{
    bytes[0] = h->type;
    bytes[1] = h->code;
    sw_store16(bytes + 2, h->checksum);
    sw_store32(bytes + 4, h->rest);
}

bool sw_wire_icmp_is_error(uint8_t type)
{
    switch (type) {
    case ICMP_UNREACHABLE:
    case ICMP_SOURCE_QUENCH:
    case ICMP_REDIRECT:
    case ICMP_TIME_EXCEEDED:
    case ICMP_PARAMETER_PROBLEM:
        return true;
    default:
        return false;
    }
}

bool sw_wire_icmpv6_is_error(uint8_t type)
{
    /* RFC 4443 2.1: errors have the high bit clear. Redirects count with them by 2.4 (e.2). */
    return type < 128 || type == ICMPV6_REDIRECT;
}

/* The first eight bytes of the upper layer, if they came back. */
static void read_transport(struct wire_icmp_quote *out, struct reader *r)
{
    const uint8_t *p = sw_take(r, 8);

    if (!p)
        return;
    out->transport = true;
    if (out->protocol != IP_PROTOCOL_TCP && out->protocol != IP_PROTOCOL_UDP)
        return;
    out->source_port = sw_load16(p);
    out->destination_port = sw_load16(p + 2);
    if (out->protocol == IP_PROTOCOL_TCP)
        out->seq = tcp_seq_of(sw_load32(p + 4));
}

static bool read_ipv4(struct wire_icmp_quote *out, const uint8_t *bytes, size_t length)
{
    struct wire_ipv4 h;
    struct reader r;

    if (sw_wire_ipv4_read_quoted(&h, bytes, length) != WIRE_IP_OK)
        return false;
    out->source = h.source;
    out->destination = h.destination;
    out->protocol = h.protocol;
    out->packet_length = h.total_length;
    out->fragment = h.fragment_offset != 0;
    /* Behind the packet's own end there may be padding or RFC 4884 extensions. */
    r = sw_reader(bytes, length < h.total_length ? length : h.total_length);
    if (!out->fragment && sw_take(&r, h.header_length))
        read_transport(out, &r);
    return true;
}

/* Over the extension headers that a quote has, judging nothing. False: cut off, or too many. */
static bool skip_extensions(struct wire_icmp_quote *out, struct reader *r)
{
    for (int i = 0; i <= QUOTED_HEADERS_MAX; i++) {
        const uint8_t *p;
        switch (out->protocol) {
        case IPV6_HOP_BY_HOP:
        case IPV6_ROUTING:
        case IPV6_DESTINATION:
            p = sw_take(r, 8);
            if (!p || !sw_take(r, (size_t)p[1] * 8))
                return false;
            break;
        case IPV6_FRAGMENT:
            p = sw_take(r, 8);
            if (!p)
                return false;
            if ((sw_load16(p + 2) & 0xfff8) != 0)
                out->fragment = true;
            break;
        default:
            return true;
        }
        out->protocol = p[0];
        if (out->fragment) /* what follows is the middle of something */
            return false;
    }
    return false;
}

static bool read_ipv6(struct wire_icmp_quote *out, const uint8_t *bytes, size_t length)
{
    struct wire_ipv6 h;
    struct reader r;

    if (sw_wire_ipv6_read_quoted(&h, bytes, length) != WIRE_IP_OK)
        return false;
    out->source = h.source;
    out->destination = h.destination;
    out->protocol = h.next_header;
    out->packet_length = WIRE_IPV6_HEADER + (uint32_t)h.payload_length;
    r = sw_reader(bytes, length < out->packet_length ? length : out->packet_length);
    if (sw_take(&r, WIRE_IPV6_HEADER) && skip_extensions(out, &r))
        read_transport(out, &r);
    return true;
}

bool sw_wire_icmp_quote_read(struct wire_icmp_quote *out, uint8_t family, const uint8_t *bytes,
                             size_t length)
{
    *out = (struct wire_icmp_quote){0};
    switch (family) {
    case SANWO_FAMILY_IPV4:
        return read_ipv4(out, bytes, length);
    case SANWO_FAMILY_IPV6:
        return read_ipv6(out, bytes, length);
    default:
        return false;
    }
}
