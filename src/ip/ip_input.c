/*
 * ip_input.c - One frame in: which link, what kind, whose headers; ARP ends here.
 *
 *     frame -> link known and up -> slices add up -> Ethernet? -> for our MAC -> ARP | IPv4 | IPv6
 *                                                 -> bare IP: by version
 *
 * Everything that is a header lies in slice 0; what a header claims is held against the bytes
 * there are before anything is read (attacks ).
 */
#include "ip/ip_internal.h"
#include "base/checksum.h"
#include "link/arp.h"

/* ---- bytes over slices -------------------------------------------------------------------------- */

uint32_t sw_ip_frame_sum(const struct sanwo_frame *frame, uint32_t offset, uint32_t length,
                         uint32_t sum, uint8_t *to)
{
    uint32_t done = 0;

    for (unsigned i = 0; i < frame->slice_count && done < length; i++) {
        const struct sanwo_slice *s = &frame->slices[i];
        uint32_t n, piece;
        if (offset >= s->length) {
            offset -= s->length;
            continue;
        }
        n = sw_min32(s->length - offset, length - done);
        piece = to ? sw_checksum_copy(0, to + done, s->bytes + offset, n)
                   : sw_checksum_add(0, s->bytes + offset, n);
        /* A piece that begins at an odd place stands in the other lane. */
        sum += sw_checksum_fold(done & 1 ? sw_checksum_swap(piece) : piece);
        done += n;
        offset = 0;
    }
    return sum;
}

/* False if the frame claims more bytes than its slices have. D-06. */
static bool slices_hold(const struct sanwo_frame *frame)
{
    uint64_t sum = 0;

    if (frame->slice_count == 0 || frame->slice_count > SANWO_FRAME_SLICES)
        return false;
    for (unsigned i = 0; i < frame->slice_count; i++)
        sum += frame->slices[i].length;
    return frame->length <= sum;
}

/* ---- ARP ---------------------------------------------------------------------------------------- */

static void answer_arp(struct ip *ip, const struct arp_link *at, const struct wire_arp *request,
                       sanwo_time now)
{
    struct sanwo_frame frame;
    uint8_t *bytes = sw_ip_reply_begin(ip, ARP_FRAME_SIZE, &frame);
    uint16_t reason;

    if (!bytes) {
        ip->lost.no_memory++;
        return;
    }
    sw_arp_write_reply(bytes, &at->mac, request);
    frame.link = at->link;
    if (!sw_ip_ready_push(ip, &frame, now, &reason))
        sw_ip_frame_release(ip, &frame);
}

static enum ip_verdict input_arp(struct ip *ip, const struct ip_link *link,
                                 const struct ip_view *view, sanwo_time now,
                                 struct ip_packet *packet)
{
    struct arp_link at = {.link = packet->link};
    struct neighbour_frames released;
    const struct ip_address *target;
    enum arp_verdict verdict;
    struct wire_arp arp;

    if (!sw_wire_arp_read(&arp, view->bytes, sw_min32(view->here, view->total)))
        return sw_ip_drop(packet, SANWO_REASON_ARP_INVALID);
    memcpy(at.mac.bytes, link->config.mac, sizeof at.mac.bytes);
    target = sw_ip_address_find(ip, &arp.target);
    at.target_is_ours = target && target->link == packet->link;
    at.sender_is_ours = sw_ip_is_ours(ip, &arp.sender);
    at.sender_is_group = sw_ip_is_broadcast(ip, &arp.sender);
    verdict = sw_arp_input(sw_ip_neighbours(ip), &at, &arp, now, &released);
    if (verdict == ARP_UNBELIEVABLE)
        return sw_ip_drop(packet, SANWO_REASON_ARP_INVALID);
    sw_ip_ready_frames(ip, &released, &arp.sender_mac, now);
    if (verdict == ARP_TO_ANSWER)
        answer_arp(ip, &at, &arp, now);
    return IP_DONE;
}

/* ---- by kind of link ---------------------------------------------------------------------------- */

static enum ip_verdict input_ethernet(struct ip *ip, const struct ip_link *link,
                                      const struct sanwo_frame *frame, struct ip_view *view,
                                      sanwo_time now, struct ip_packet *packet)
{
    struct wire_ethernet h;
    struct wire_mac mac;

    if (!sw_wire_ethernet_read(&h, view->bytes, sw_min32(view->here, view->total)))
        return sw_ip_drop(packet, SANWO_REASON_FRAME_TOO_SHORT);
    memcpy(mac.bytes, link->config.mac, sizeof mac.bytes);
    view->link_group = sw_wire_mac_is_group(&h.destination);
    if (!view->link_group && !sw_wire_mac_equal(&h.destination, &mac))
        return sw_ip_drop(packet, SANWO_REASON_NOT_FOR_US);
    if (sw_wire_mac_is_group(&h.source))
        return sw_ip_drop(packet, SANWO_REASON_IP_MARTIAN);
    view->start = WIRE_ETHERNET_HEADER;
    view->bytes += WIRE_ETHERNET_HEADER;
    view->here -= WIRE_ETHERNET_HEADER;
    view->total -= WIRE_ETHERNET_HEADER;
    switch (h.type) {
    case ETHERTYPE_ARP:
        return input_arp(ip, link, view, now, packet);
    case ETHERTYPE_IPV4:
        return sw_ip_input_v4(ip, frame, view, now, packet);
    case ETHERTYPE_IPV6:
        return sw_ip_input_v6(ip, frame, view, now, packet);
    default:
        return sw_ip_drop(packet, SANWO_REASON_ETHERTYPE_UNKNOWN);
    }
}

static enum ip_verdict input_bare(struct ip *ip, const struct sanwo_frame *frame,
                                  const struct ip_view *view, sanwo_time now,
                                  struct ip_packet *packet)
{
    switch (view->bytes[0] >> 4) {
    case 4:
        return sw_ip_input_v4(ip, frame, view, now, packet);
    case 6:
        return sw_ip_input_v6(ip, frame, view, now, packet);
    default:
        return sw_ip_drop(packet, SANWO_REASON_IP_VERSION); /* RFC 1122 3.2.1.1 */
    }
}

enum ip_verdict sw_ip_input(struct ip *ip, const struct sanwo_frame *frame, sanwo_time now,
                            struct ip_packet *packet)
{
    const struct ip_link *link = sw_ip_link_at(ip, frame->link);
    struct ip_view view = {0};

    memset(packet, 0, offsetof(struct ip_packet, icmp));
    packet->link = frame->link;
    if (!link)
        return sw_ip_drop(packet, SANWO_REASON_LINK_UNKNOWN);
    if (!link->up)
        return sw_ip_drop(packet, SANWO_REASON_LINK_DOWN);
    if (!slices_hold(frame))
        return sw_ip_drop(packet, SANWO_REASON_FRAME_TOO_SHORT);
    view.bytes = frame->slices[0].bytes;
    view.here = sw_min32(frame->slices[0].length, frame->length);
    view.total = frame->length;
    if (view.here == 0)
        return sw_ip_drop(packet, SANWO_REASON_FRAME_TOO_SHORT);
    if (link->config.kind == SANWO_LINK_ETHERNET)
        return input_ethernet(ip, link, frame, &view, now, packet);
    return input_bare(ip, frame, &view, now, packet);
}
