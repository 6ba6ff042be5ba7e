/*
 * ip_input_v6.c - An IPv6 packet in: header, addresses, extension headers, upper layer.
 *
 * Extension headers are walked only where we are the destination or TCP for others may be wanted
 * (RFC 8200 4); the walk is one bounded cursor (attack A-06). Jumbograms are not taken: their
 * payload length of 0 leaves nothing to walk.
 */
#include "ip/ip_internal.h"

#define ALL_NODES_SCOPE_LEAST 2 /* ff01::1 stays inside a node (RFC 4291 2.7) */

/*
 * RFC 4291 2.5.2, 2.5.3, 2.5.5, 2.7; our own addresses from outside: LAND (attacks B-12, C-19).
 * MUST-63.
 */
static bool is_martian(const struct ip *ip, const struct wire_ipv6 *h)
{
    if (sanwo_address_is_any(&h->source) || sanwo_address_is_any(&h->destination))
        return true;
    if (sanwo_address_is_loopback(&h->source) || sanwo_address_is_loopback(&h->destination))
        return true;
    if (sw_ip_is_mapped(&h->source) || sw_ip_is_mapped(&h->destination))
        return true;
    if (sanwo_address_is_multicast(&h->destination) &&
        (h->destination.bytes[1] & 15) < ALL_NODES_SCOPE_LEAST)
        return true;
    return sanwo_address_is_multicast(&h->source) || sw_ip_is_ours(ip, &h->source);
}

/* The one group that every node is in (RFC 4291 2.8); others come with neighbour discovery. */
static bool is_all_nodes(const struct sanwo_address *a)
{
    static const uint8_t rest[14] = {[13] = 1};

    return sanwo_address_is_multicast(a) && a->bytes[1] == ALL_NODES_SCOPE_LEAST &&
           memcmp(a->bytes + 2, rest, sizeof rest) == 0;
}

static enum ip_verdict refuse(struct ip *ip, const struct sanwo_frame *frame,
                              const struct wire_ipv6_walk *walk, sanwo_time now,
                              struct ip_packet *packet)
{
    bool send = walk->verdict == WIRE_IPV6_PARAMETER ||
                (walk->verdict == WIRE_IPV6_PARAMETER_UNLESS_MULTICAST && !packet->group);

    if (send)
        sw_ip_send_error(ip, frame, packet, ICMPV6_PARAMETER_PROBLEM, walk->code, walk->pointer,
                         now);
    return sw_ip_drop(packet, SANWO_REASON_IP_EXTENSION);
}

static enum ip_verdict dispatch(struct ip *ip, const struct sanwo_frame *frame, bool ip_group,
                                const struct wire_ipv6_walk *walk, sanwo_time now,
                                struct ip_packet *packet)
{
    if (packet->protocol == IP_PROTOCOL_TCP) /* RFC 9293 MUST-57 */
        return ip_group ? sw_ip_drop(packet, SANWO_REASON_NOT_FOR_US) : IP_TCP;
    if (packet->protocol == IP_PROTOCOL_ICMPV6)
        return packet->group ? sw_ip_drop(packet, SANWO_REASON_ICMP_IGNORED)
                             : sw_ip_icmp_input(ip, frame, now, packet);
    if (!packet->ours && !ip_group)
        return sw_ip_drop(packet, SANWO_REASON_NOT_FOR_US);
    if (packet->protocol == IP_PROTOCOL_UDP) { /* RFC4443-3.1-1 */
        sw_ip_send_error(ip, frame, packet, ICMPV6_UNREACHABLE, ICMPV6_UNREACHABLE_PORT, 0, now);
        return sw_ip_drop(packet, SANWO_REASON_PORT_UNREACHABLE);
    }
    /* RFC 8200 4: an unknown next header is reported where it stands.; RFC8200-4-2 */
    sw_ip_send_error(ip, frame, packet, ICMPV6_PARAMETER_PROBLEM, walk->code, walk->pointer, now);
    return sw_ip_drop(packet, SANWO_REASON_IP_PROTOCOL);
}

/* RFC8200-3-1. */
static enum sanwo_reason read_header(struct wire_ipv6 *h, const struct ip_view *view)
{
    if (view->here < WIRE_IPV6_HEADER)
        return SANWO_REASON_FRAME_TOO_SHORT;
    switch (sw_wire_ipv6_read(h, view->bytes, view->total)) {
    case WIRE_IP_OK:
        return SANWO_REASON_NONE;
    case WIRE_IP_VERSION:
        return SANWO_REASON_IP_VERSION;
    default:
        return SANWO_REASON_IP_LENGTH;
    }
}

enum ip_verdict sw_ip_input_v6(struct ip *ip, const struct sanwo_frame *frame,
                               const struct ip_view *view, sanwo_time now, struct ip_packet *packet)
{
    struct wire_ipv6 h;
    struct wire_ipv6_walk walk;
    enum sanwo_reason reason = read_header(&h, view);
    const struct ip_address *here;
    uint32_t total;
    bool ip_group;

    if (reason != SANWO_REASON_NONE)
        return sw_ip_drop(packet, reason);
    sw_ip_set_zone(&h.source, packet->link);
    sw_ip_set_zone(&h.destination, packet->link);
    total = WIRE_IPV6_HEADER + (uint32_t)h.payload_length; /* padding is left out */
    packet->source = h.source;
    packet->destination = h.destination;
    packet->protocol = h.next_header;
    packet->ttl = h.hop_limit;
    packet->dscp_ecn = h.traffic_class;
    packet->offset = view->start + (uint32_t)WIRE_IPV6_HEADER;
    packet->length = h.payload_length;
    ip_group = sanwo_address_is_multicast(&h.destination);
    packet->group = ip_group || view->link_group;
    if (is_martian(ip, &h))
        return sw_ip_drop(packet, SANWO_REASON_IP_MARTIAN);
    here = sw_ip_address_find(ip, &h.destination);
    packet->ours = here && here->link == packet->link;
    if ((here && !packet->ours) || (ip_group && !is_all_nodes(&h.destination)) ||
        (!here && !ip_group && packet->group))
        return sw_ip_drop(packet, SANWO_REASON_NOT_FOR_US);

    sw_wire_ipv6_walk(&walk, view->bytes, sw_min32(total, view->here));
    packet->offset = (uint32_t)(view->start + walk.offset);
    packet->length = (uint32_t)(total - walk.offset);
    packet->protocol = walk.protocol;
    switch (walk.verdict) {
    case WIRE_IPV6_UPPER:
        return dispatch(ip, frame, ip_group, &walk, now, packet);
    case WIRE_IPV6_FRAGMENTED:
        return sw_ip_drop(packet, SANWO_REASON_IP_FRAGMENT);
    case WIRE_IPV6_NOTHING:
        return sw_ip_drop(packet, SANWO_REASON_IP_PROTOCOL);
    default:
        return refuse(ip, frame, &walk, now, packet);
    }
}
