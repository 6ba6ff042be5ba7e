/*
 * ip_input_v4.c - An IPv4 datagram in: header, options, addresses, fragments, protocol.
 *
 * In the order of RFC 1122 3.2.1; every drop has its reason. Options are checked and otherwise
 * ignored: nothing is copied from them into anything we send (attack A-12).
 */
#include "ip/ip_internal.h"

/* RFC1122-3.2.1.1-1, RFC1122-3.2.1.2-1, RFC791-3.1-1. */
static enum sanwo_reason reason_of(enum wire_ip_fault fault)
{
    switch (fault) {
    case WIRE_IP_SHORT:
        return SANWO_REASON_FRAME_TOO_SHORT;
    case WIRE_IP_VERSION:
        return SANWO_REASON_IP_VERSION; /* RFC 1122 3.2.1.1 */
    case WIRE_IP_CHECKSUM:
        return SANWO_REASON_IP_CHECKSUM; /* RFC 1122 3.2.1.2 */
    default:
        return SANWO_REASON_IP_LENGTH;
    }
}

/* The header lies wholly in slice 0, claims no more than there is, verifies, has sane options. */
static enum sanwo_reason read_header(struct wire_ipv4 *h, const struct ip_view *view)
{
    enum wire_ip_fault fault;

    if (view->here < WIRE_IPV4_HEADER || view->here < (view->bytes[0] & 15u) * 4)
        return SANWO_REASON_FRAME_TOO_SHORT;
    fault = sw_wire_ipv4_read(h, view->bytes, view->total, true);
    if (fault != WIRE_IP_OK)
        return reason_of(fault);
    /* RFC 7126 4.3, 4.4: source-routed packets are dropped (attacks A-13, C-18). */
    if (h->header_length > WIRE_IPV4_HEADER && /* MUST-50: unknown ones are fine */
        sw_wire_ipv4_options_check(view->bytes + WIRE_IPV4_HEADER,
                                   (size_t)(h->header_length - WIRE_IPV4_HEADER)) !=
            WIRE_IPV4_OPTIONS_FINE)
        return SANWO_REASON_IP_OPTIONS;
    return SANWO_REASON_NONE;
}

/*
 * RFC 1122 3.2.1.3 (RFC1122-3.2.1.3-1): addresses that no packet on a wire can have; our own from
 * outside (LAND, B-12). MUST-63.
 */
static bool is_martian(const struct ip *ip, const struct wire_ipv4 *h)
{
    if (h->source.bytes[0] == 0 || h->destination.bytes[0] == 0)
        return true;
    if (sanwo_address_is_loopback(&h->source) || sanwo_address_is_loopback(&h->destination))
        return true;
    return sanwo_address_is_multicast(&h->source) || sw_ip_is_broadcast(ip, &h->source) ||
           sw_ip_is_ours(ip, &h->source);
}

/*
 * For a host of ours but neither TCP nor ICMP: RFC 1122 3.2.2.1, codes 2 and 3. RFC1122-3.2.2.1-1.
 */
static enum ip_verdict unreachable(struct ip *ip, const struct sanwo_frame *frame, sanwo_time now,
                                   struct ip_packet *packet)
{
    bool udp = packet->protocol == IP_PROTOCOL_UDP;
    uint8_t code = udp ? ICMP_UNREACHABLE_PORT : ICMP_UNREACHABLE_PROTOCOL;

    sw_ip_send_error(ip, frame, packet, ICMP_UNREACHABLE, code, 0, now);
    return sw_ip_drop(packet, udp ? SANWO_REASON_PORT_UNREACHABLE : SANWO_REASON_IP_PROTOCOL);
}

static enum ip_verdict dispatch(struct ip *ip, const struct sanwo_frame *frame, bool ip_group,
                                sanwo_time now, struct ip_packet *packet)
{
    const struct ip_address *here = sw_ip_address_find(ip, &packet->destination);

    if (here && here->link != packet->link) /* the strong host model, see ip.c */
        return sw_ip_drop(packet, SANWO_REASON_NOT_FOR_US);
    packet->ours = here != NULL;
    /* RFC 1122 3.3.6: by a link-layer broadcast come only broadcasts. */
    if (!packet->ours && !ip_group && packet->group)
        return sw_ip_drop(packet, SANWO_REASON_NOT_FOR_US);
    if (packet->protocol == IP_PROTOCOL_TCP) /* RFC 9293 MUST-57 */
        return ip_group ? sw_ip_drop(packet, SANWO_REASON_NOT_FOR_US) : IP_TCP;
    if (packet->protocol == IP_PROTOCOL_ICMP) /* RFC 1122 3.2.2.6, attack B-33 */
        return packet->group ? sw_ip_drop(packet, SANWO_REASON_ICMP_IGNORED)
                             : sw_ip_icmp_input(ip, frame, now, packet);
    if (!packet->ours)
        return sw_ip_drop(packet, SANWO_REASON_NOT_FOR_US);
    return unreachable(ip, frame, now, packet);
}

enum ip_verdict sw_ip_input_v4(struct ip *ip, const struct sanwo_frame *frame,
                               const struct ip_view *view, sanwo_time now, struct ip_packet *packet)
{
    struct wire_ipv4 h;
    enum sanwo_reason reason = read_header(&h, view);
    bool ip_group;

    if (reason != SANWO_REASON_NONE)
        return sw_ip_drop(packet, reason);
    packet->source = h.source;
    packet->destination = h.destination;
    packet->protocol = h.protocol;
    packet->ttl = h.ttl; /* RFC1122-3.2.1.7-1: 0 or 1 is no reason to drop */
    packet->dscp_ecn = h.dscp_ecn;
    packet->offset = (uint32_t)view->start + h.header_length;
    packet->length = (uint32_t)h.total_length - h.header_length; /* padding is left out */
    ip_group = sanwo_address_is_multicast(&h.destination) || sw_ip_is_broadcast(ip, &h.destination);
    packet->group = ip_group || view->link_group;
    if (is_martian(ip, &h))
        return sw_ip_drop(packet, SANWO_REASON_IP_MARTIAN);
    if (h.more_fragments || h.fragment_offset != 0)
        return sw_ip_drop(packet, SANWO_REASON_IP_FRAGMENT);
    return dispatch(ip, frame, ip_group, now, packet);
}
