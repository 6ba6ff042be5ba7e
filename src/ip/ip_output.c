/*
 * ip_output.c - IP and Ethernet headers before a segment, and where it goes then.
 *
 *     headroom ..... | Ethernet | IP | what the caller wrote | more slices
 *                    ^ slice 0 begins here afterwards
 *
 * Nothing of the frame is touched before it is certain to be taken. Datagrams are never cut: TCP
 * asked for the path's MTU, and ICMP keeps below it.
 */
#include "ip/ip_internal.h"

/* ---- headers ------------------------------------------------------------------------------------ */

/*
 * 64 bits that say nothing about the flow they come from: IDs and labels cannot be predicted or
 * counted from outside (attack C-04; RFC6864-4-1, RFC6437-3-1). RFC 6864 4.1 leaves the ID of a datagram with DF free.
 * MAY-4: what is sent again has the same ID.
 *
 */
static uint64_t flow_hash(struct ip *ip, const struct ip_send *what)
{
    uint8_t bytes[8];

    if (ip->last_flow.known && ip->last_flow.flow == what->flow) /* packets come in runs */
        return ip->last_flow.hash;
    sw_store32(bytes, (uint32_t)(what->flow >> 32));
    sw_store32(bytes + 4, (uint32_t)what->flow);
    ip->last_flow.flow = what->flow;
    ip->last_flow.hash = sw_siphash(&ip->id_key, bytes, sizeof bytes);
    ip->last_flow.known = true;
    return ip->last_flow.hash;
}

static void write_v4(struct ip *ip, const struct ip_send *what, uint32_t length, uint8_t *bytes)
{
    struct wire_ipv4 h = {.source = what->source,
                          .destination = what->destination,
                          .total_length = (uint16_t)length,
                          .header_length = WIRE_IPV4_HEADER,
                          .dscp_ecn = what->dscp_ecn,
                          .ttl = what->ttl,
                          .protocol = what->protocol,
                          .dont_fragment = !what->may_fragment}; /* RFC1122-3.3.3-1 */

    /* RFC 6864 4.3: an ID that fragments go by should not come again soon. */
    h.id = (uint16_t)(what->may_fragment ? sw_random_u32(ip->random) : flow_hash(ip, what));
    sw_wire_ipv4_write(&h, bytes);
}

static void write_v6(struct ip *ip, const struct ip_send *what, uint32_t length, uint8_t *bytes)
{
    struct wire_ipv6 h = {.source = what->source,
                          .destination = what->destination,
                          .flow_label = (uint32_t)flow_hash(ip, what) & 0xfffff,
                          .payload_length = (uint16_t)(length - WIRE_IPV6_HEADER),
                          .traffic_class = what->dscp_ecn,
                          .next_header = what->protocol,
                          .hop_limit = what->ttl};

    if (h.flow_label == 0) /* RFC 6437 2: zero is no label */
        h.flow_label = 1;
    sw_wire_ipv6_write(&h, bytes);
}

/* Lets slice 0 begin @n bytes earlier, where the buffer has room; returns where. */
static uint8_t *prepend(struct ip *ip, struct sanwo_frame *frame, uint32_t n)
{
    struct sanwo_slice *s = &frame->slices[0];
    struct buffer *b = sw_buffer_at(ip->region, s->buffer);

    SW_ASSERT(b && !b->external && s->bytes >= (uint8_t *)b + sizeof *b + n);
    (void)b;
    s->bytes -= n;
    s->length += n;
    frame->length += n;
    frame->header_length = (uint16_t)(frame->header_length + n);
    if (frame->checksum == SANWO_CHECKSUM_PARTIAL)
        frame->checksum_start = (uint16_t)(frame->checksum_start + n);
    return (uint8_t *)(uintptr_t)s->bytes;
}

static void write_headers(struct ip *ip, const struct ip_send *what, const struct ip_link *link,
                          const struct wire_mac *next, struct sanwo_frame *frame)
{
    bool v4 = what->destination.family == SANWO_FAMILY_IPV4;
    struct wire_ethernet h = {.destination = *next, .type = v4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6};
    uint8_t *bytes = prepend(ip, frame, v4 ? WIRE_IPV4_HEADER : WIRE_IPV6_HEADER);

    if (v4)
        write_v4(ip, what, frame->length, bytes);
    else
        write_v6(ip, what, frame->length, bytes);
    if (link->config.kind != SANWO_LINK_ETHERNET)
        return;
    memcpy(h.source.bytes, link->config.mac, sizeof h.source.bytes);
    sw_wire_ethernet_write(&h, prepend(ip, frame, WIRE_ETHERNET_HEADER));
}

/* ---- where it goes ------------------------------------------------------------------------------ */

static enum ip_sent not_sent(uint16_t *reason, enum sanwo_reason why)
{
    *reason = (uint16_t)why;
    return IP_NOT_SENT;
}

/* The packet fits the link, or the link cuts it and it fits the IP header's length field. */
static bool fits(const struct ip_send *what, const struct ip_path *path,
                 const struct sanwo_frame *frame)
{
    bool v4 = what->destination.family == SANWO_FAMILY_IPV4;
    uint32_t header = v4 ? WIRE_IPV4_HEADER : WIRE_IPV6_HEADER;
    uint32_t most = UINT16_MAX - (v4 ? header : 0);

    if (frame->segmentation == SANWO_SEGMENT_NONE)
        most = sw_min32(most, path->mtu - header);
    return frame->length <= most;
}

/* The next hop has to be asked for: the frame waits, complete but for its destination. */
static enum ip_sent park(struct ip *ip, const struct ip_send *what, const struct ip_path *path,
                         struct sanwo_frame *frame, sanwo_time now, uint16_t *reason)
{
    static const struct wire_mac unknown;
    const struct ip_link *link = sw_ip_link_at(ip, path->link);
    struct neighbour_frames dropped;
    region_ref place;

    if (path->next_hop.family != SANWO_FAMILY_IPV4) /* neighbour discovery is not there */
        return not_sent(reason, SANWO_REASON_NEIGHBOUR_UNRESOLVED);
    if (sw_ip_is_broadcast(ip, &path->next_hop) || sw_ip_is_ours(ip, &path->next_hop))
        return not_sent(reason, SANWO_REASON_NO_ROUTE); /* the path has gone stale */
    place = sw_ip_waiting_alloc(ip, frame->slice_count);
    if (!place)
        return not_sent(reason, SANWO_REASON_NO_MEMORY);
    write_headers(ip, what, link, &unknown, frame);
    frame->link = path->link;
    sw_ip_waiting_store(ip, place, frame);
    sw_neighbour_park(sw_ip_neighbours(ip), path->link, &path->next_hop, place, now, &dropped);
    ip->lost.neighbour_queue_full += dropped.count;
    sw_ip_drop_frames(ip, &dropped);
    return IP_PARKED;
}

enum ip_sent sw_ip_send(struct ip *ip, const struct ip_send *what, const struct ip_path *path,
                        struct sanwo_frame *frame, sanwo_time now, uint16_t *reason)
{
    const struct ip_link *link = sw_ip_link_at(ip, path->link);
    struct wire_mac next = {{0}};

    SW_ASSERT(what->ttl != 0); /* RFC1122-3.2.1.7-1 */
    *reason = SANWO_REASON_NONE;
    if (!link)
        return not_sent(reason, SANWO_REASON_LINK_UNKNOWN);
    if (!link->up)
        return not_sent(reason, SANWO_REASON_LINK_DOWN);
    if (!fits(what, path, frame))
        return not_sent(reason, SANWO_REASON_FRAME_TOO_LONG);
    if (link->config.kind == SANWO_LINK_ETHERNET &&
        !sw_neighbour_lookup(sw_ip_neighbours(ip), path->link, &path->next_hop, now, &next))
        return park(ip, what, path, frame, now, reason);
    write_headers(ip, what, link, &next, frame);
    frame->link = path->link;
    return IP_SENT;
}

/* ---- answers of our own ------------------------------------------------------------------------- */

uint8_t *sw_ip_reply_begin(struct ip *ip, uint32_t length, struct sanwo_frame *frame)
{
    struct buffer *b = sw_buffer_alloc(ip->region, IP_HEADROOM + (size_t)length);
    uint8_t *bytes;

    if (!b)
        return NULL;
    b->offset += IP_HEADROOM;
    b->length = length;
    bytes = (uint8_t *)b + b->offset;
    memset(frame, 0, sizeof *frame);
    frame->length = length;
    frame->slice_count = 1;
    frame->slices[0].bytes = bytes;
    frame->slices[0].length = length;
    frame->slices[0].buffer = sw_buffer_name(ip->region, b);
    return bytes;
}

bool sw_ip_reply_send(struct ip *ip, const struct ip_send *what, const struct ip_path *path,
                      struct sanwo_frame *frame, sanwo_time now, uint16_t *reason)
{
    switch (sw_ip_send(ip, what, path, frame, now, reason)) {
    case IP_PARKED:
        return true;
    case IP_SENT:
        if (sw_ip_ready_push(ip, frame, now, reason))
            return true;
        break;
    case IP_NOT_SENT:
        break;
    }
    sw_ip_frame_release(ip, frame);
    return false;
}
