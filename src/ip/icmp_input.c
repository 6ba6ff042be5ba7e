/*
 * icmp_input.c - ICMP and ICMPv6 in: echo is answered, errors about our TCP packets go up, the rest is dropped.
 *
 *     checksum -> echo request            -> reply, through the queue of what may go
 *              -> error, quote is ours    -> IP_ICMP_ERROR: whether to believe it is TCP's to say (RFC 5927)
 *              -> anything else           -> ICMP_IGNORED: source quench (RFC 6633), redirects, timestamp,
 *                 address mask, router advertisement ... change nothing here (RFC 6918, attack A-19)
 */
#include "ip/ip_internal.h"
#include "base/checksum.h"

static bool is_v6(const struct ip_packet *packet)
{
    return packet->destination.family == SANWO_FAMILY_IPV6;
}

/* RFC 1122 3.2.2; RFC 4443 2.3: with the pseudo-header in IPv6. RFC1122-3.2.2-1, RFC4443-2.3-1. */
static bool checksum_is_right(const struct sanwo_frame *frame, const struct ip_packet *packet)
{
    uint32_t sum = 0;

    if (frame->checksum == SANWO_CHECKSUM_PARTIAL) /* never left the machine: counts as valid */
        return frame->checksum_start == packet->offset;
    if (is_v6(packet))
        sum = sw_wire_pseudo_sum(&packet->source, &packet->destination, IP_PROTOCOL_ICMPV6,
                                 packet->length);
    sum = sw_ip_frame_sum(frame, packet->offset, packet->length, sum, NULL);
    return sw_checksum_finish(sum) == 0;
}

/* ---- echo --------------------------------------------------------------------------------------- */

/* RFC 1122 3.2.2.6: cut to what the link takes; RFC 4443 4.2 wants all of it or nothing. */
static bool fit_reply(const struct ip_packet *packet, const struct ip_path *path, uint32_t *length)
{
    uint32_t header = is_v6(packet) ? WIRE_IPV6_HEADER : WIRE_IPV4_HEADER;
    uint32_t most = path->mtu - header;

    *length = sw_min32(packet->length, most);
    return *length == packet->length || !is_v6(packet);
}

/* The whole message but for its checksum, then that. */
static void write_reply(const struct sanwo_frame *frame, const struct ip_packet *packet,
                        uint32_t length, uint8_t *bytes)
{
    uint32_t sum = 0;
    struct wire_icmp h = {.type = is_v6(packet) ? ICMPV6_ECHO_REPLY : ICMP_ECHO_REPLY,
                          .rest = packet->icmp.rest};

    sw_wire_icmp_write(&h, bytes);
    if (is_v6(packet))
        sum = sw_wire_pseudo_sum(&packet->destination, &packet->source, IP_PROTOCOL_ICMPV6, length);
    sum = sw_checksum_add(sum, bytes, WIRE_ICMP_HEADER);
    sum = sw_ip_frame_sum(frame, packet->offset + WIRE_ICMP_HEADER, length - WIRE_ICMP_HEADER, sum,
                          bytes + WIRE_ICMP_HEADER);
    h.checksum = sw_checksum_finish(sum);
    sw_wire_icmp_write(&h, bytes);
}

/* RFC1122-3.2.2.6-1, RFC4443-4.2-1. */
static enum ip_verdict answer_echo(struct ip *ip, const struct sanwo_frame *frame, sanwo_time now,
                                   struct ip_packet *packet)
{
    /* RFC 1122 3.2.2.6, RFC 4443 4.2: from the address that was asked. */
    struct ip_send what = {.source = packet->destination,
                           .destination = packet->source,
                           .protocol = packet->protocol,
                           .ttl = IP_DEFAULT_TTL,
                           .dscp_ecn = packet->dscp_ecn & 0xfc, /* ECN is not for echoing */
                           .flow = packet->icmp.rest >> 16};
    struct sanwo_frame reply;
    struct ip_path path;
    uint32_t length;
    uint8_t *bytes;

    if (!ip->answer_echo)
        return sw_ip_drop(packet, SANWO_REASON_ICMP_IGNORED);
    if (!sw_ip_route_find(ip, &packet->source, &path))
        return sw_ip_drop(packet, SANWO_REASON_NO_ROUTE);
    if (!fit_reply(packet, &path, &length))
        return sw_ip_drop(packet, SANWO_REASON_FRAME_TOO_LONG);
    bytes = sw_ip_reply_begin(ip, length, &reply);
    if (!bytes)
        return sw_ip_drop(packet, SANWO_REASON_NO_MEMORY);
    write_reply(frame, packet, length, bytes);
    if (!sw_ip_reply_send(ip, &what, &path, &reply, now, &packet->reason))
        return IP_DROP;
    ip->icmp_out++;
    return IP_DONE;
}

/* ---- errors ------------------------------------------------------------------------------------- */

/*
 * RFC 1122 3.2.2.1, .4, .5: these are passed up; RFC 4443 2.4 (a): errors of unknown type too.
 * MUST-55, RFC6633-2-1: a source quench is none of them.
 * RFC1122-3.2.2.1-1.
 */
static bool is_error_for_tcp(const struct ip_packet *packet)
{
    uint8_t type = packet->icmp.type;

    if (is_v6(packet))
        return type < ICMPV6_ECHO;
    return type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER_PROBLEM;
}

static uint32_t mtu_of(const struct ip_packet *packet)
{
    const struct wire_icmp *h = &packet->icmp;

    if (is_v6(packet))
        return h->type == ICMPV6_PACKET_TOO_BIG ? h->rest : 0;
    if (h->type == ICMP_UNREACHABLE && h->code == ICMP_UNREACHABLE_FRAGMENTATION)
        return h->rest & 0xffff; /* RFC 1191 4 */
    return 0;
}

/* RFC 8201 4 and RFC 1191 3: below these no link may be; zero in IPv4 means that it was not said. */
static bool mtu_is_possible(const struct ip_packet *packet)
{
    if (is_v6(packet))
        return packet->icmp.type != ICMPV6_PACKET_TOO_BIG || packet->mtu >= WIRE_IPV6_MINIMUM_MTU;
    return packet->mtu == 0 || packet->mtu >= IP_MTU_LEAST;
}

/*
 * RFC 5927 2: all that an error proves is its quote, so the quote must be of a packet that we sent.
 * The packet of a connection under an address of others quotes that address, to which then the
 * error is sent.
 */
static enum ip_verdict take_error(const struct ip *ip, const uint8_t *quoted, size_t length,
                                  struct ip_packet *packet)
{
    struct wire_icmp_quote *q = &packet->quote;

    if (!sw_wire_icmp_quote_read(q, packet->destination.family, quoted, length))
        return sw_ip_drop(packet, SANWO_REASON_ICMP_INVALID);
    sw_ip_set_zone(&q->source, packet->link);
    sw_ip_set_zone(&q->destination, packet->link);
    if (packet->ours ? !sw_ip_is_ours(ip, &q->source)
                     : !sanwo_address_equal(&q->source, &packet->destination))
        return sw_ip_drop(packet, SANWO_REASON_ICMP_INVALID);
    if (q->protocol != IP_PROTOCOL_TCP)
        return sw_ip_drop(packet, SANWO_REASON_ICMP_IGNORED);
    /* RFC 792: eight bytes of the transport always come back, but of later fragments. */
    if (!q->transport)
        return sw_ip_drop(packet, SANWO_REASON_ICMP_INVALID);
    packet->mtu = mtu_of(packet);
    return mtu_is_possible(packet) ? IP_ICMP_ERROR : sw_ip_drop(packet, SANWO_REASON_ICMP_INVALID);
}

enum ip_verdict sw_ip_icmp_input(struct ip *ip, const struct sanwo_frame *frame, sanwo_time now,
                                 struct ip_packet *packet)
{
    const uint8_t *bytes = frame->slices[0].bytes + packet->offset;
    uint32_t here = sw_min32(frame->slices[0].length - packet->offset, packet->length);
    uint8_t echo = is_v6(packet) ? ICMPV6_ECHO : ICMP_ECHO;

    if (!sw_wire_icmp_read(&packet->icmp, bytes, here)) /* attack A-07 */
        return sw_ip_drop(packet, SANWO_REASON_ICMP_INVALID);
    if (!packet->ours && !is_error_for_tcp(packet))
        return sw_ip_drop(packet, SANWO_REASON_NOT_FOR_US);
    if (!checksum_is_right(frame, packet))
        return sw_ip_drop(packet, SANWO_REASON_ICMP_INVALID);
    ip->icmp_in++;
    if (is_error_for_tcp(packet))
        return take_error(ip, bytes + WIRE_ICMP_HEADER, here - WIRE_ICMP_HEADER, packet);
    if (packet->icmp.type == echo)
        return answer_echo(ip, frame, now, packet);
    /* RFC6918-2-1, RFC1122-3.2.2.7-1 */
    return sw_ip_drop(packet, SANWO_REASON_ICMP_IGNORED); /* RFC 4443 2.4 (b) */
}
