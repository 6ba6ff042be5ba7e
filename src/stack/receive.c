/*
 * receive.c - Packets in: frame -> IP -> TCP. Nothing is sent from here.
 */
#include "stack/stack.h"

#include "base/buffer.h"
#include "base/checksum.h"
#include "tcp/receive/icmp_error.h"
#include "tcp/send/send_queue.h"

size_t sanwo_stack_borrow(struct sanwo_stack *s, size_t size, struct sanwo_room *rooms, size_t n)
{
    size_t i = 0;
    for (; i < n; i++) {
        struct buffer *b = sw_buffer_alloc(&s->region, size);
        if (!b)
            break;
        rooms[i] = (struct sanwo_room){sw_buffer_tail(b), sw_buffer_tailroom(b),
                                       sw_buffer_name(&s->region, b)};
    }
    s->buffers_lent += i;
    return i;
}

void sanwo_stack_return(struct sanwo_stack *s, uint32_t buffer)
{
    if (!buffer)
        return;
    s->buffers_lent--;
    sw_tcp_buffer_release(&s->tcp, sw_buffer_at(&s->region, buffer));
}

void sw_stack_drop(struct sanwo_stack *s, enum sanwo_reason why)
{
    s->tcp.counters.reasons[why]++;
    if (SW_LIKELY(!s->tcp.observer.observe))
        return;
    struct sanwo_observation o = {
        .now = s->now, .kind = SANWO_OBSERVE_DROP, .reason = (uint16_t)why};
    s->tcp.observer.observe(s->tcp.observer.context, &o);
}

/* Sum over @length bytes of the frame from @offset on, whichever slices they lie in. */
static uint32_t sum_bytes(const struct sanwo_frame *frame, uint32_t offset, uint32_t length)
{
    uint32_t sum = 0;
    bool odd = false;
    for (uint16_t i = 0; i < frame->slice_count && length; i++) {
        uint32_t here = frame->slices[i].length;
        if (offset >= here) {
            offset -= here;
            continue;
        }
        uint32_t part = sw_min32(here - offset, length);
        uint32_t piece = sw_checksum_add(0, frame->slices[i].bytes + offset, part);
        sum = (uint32_t)sw_checksum_fold(sum) +
              sw_checksum_fold(odd ? sw_checksum_swap(piece) : piece);
        odd ^= part & 1;
        length -= part;
        offset = 0;
    }
    return sum;
}

/* MUST-3, unless the link vouches for it. */
static bool checksum_is_good(const struct sanwo_stack *s, const struct sanwo_frame *frame,
                             const struct ip_packet *packet)
{
    const struct ip_link *link = sw_ip_link_at(&s->ip, frame->link);
    if (frame->checksum == SANWO_CHECKSUM_PARTIAL)
        return true;
    if (frame->checksum == SANWO_CHECKSUM_VALID && !link->config.distrust_checksums) /* E-14 */
        return true;
    uint32_t pseudo =
        sw_wire_pseudo_sum(&packet->source, &packet->destination, IP_PROTOCOL_TCP, packet->length);
    uint32_t sum = (uint32_t)sw_checksum_fold(pseudo) +
                   sw_checksum_fold(sum_bytes(frame, packet->offset, packet->length));
    return sw_checksum_finish(sum) == 0;
}

/* The header checked and taken apart: IP's part of the segment's identity and TCP's own. */
static bool parse(struct sanwo_stack *s, const struct sanwo_frame *frame,
                  const struct ip_packet *packet, struct tcp_segment *seg)
{
    const uint8_t *header = frame->slices[0].bytes + packet->offset;
    uint32_t here = sw_min32(frame->slices[0].length - packet->offset, packet->length);
    struct wire_tcp h;
    if (!sw_wire_tcp_read(&h, header, here)) {
        sw_stack_drop(s, SANWO_REASON_TCP_HEADER);
        return false;
    }
    if (!checksum_is_good(s, frame, packet)) {
        sw_stack_drop(s, SANWO_REASON_TCP_CHECKSUM);
        return false;
    }
    if (!h.source_port || !h.destination_port) {
        sw_stack_drop(s, SANWO_REASON_TCP_PORT_ZERO);
        return false;
    }
    sw_tcp_tuple_set(&seg->tuple, &packet->destination, h.destination_port, &packet->source,
                     h.source_port);
    seg->seq = h.seq;
    seg->ack = h.ack;
    seg->flags = h.flags;
    seg->ace = sw_wire_tcp_ace(&h);
    seg->window = h.window;
    seg->came_with_syn = h.flags & TCP_SYN;
    seg->urgent = h.urgent;
    seg->option_bytes = header + WIRE_TCP_HEADER;
    seg->option_length = (uint8_t)(h.header_length - WIRE_TCP_HEADER);
    /* MUST-5: of any segment */
    sw_wire_tcp_options_read(&seg->options, seg->option_bytes, seg->option_length);
    seg->skip = packet->offset + h.header_length;
    seg->length = packet->length - h.header_length;
    seg->came_with_data = seg->length > 0;
    seg->packets = 1;
    if (frame->segmentation != SANWO_SEGMENT_NONE && frame->segment_size)
        seg->packets = (uint16_t)((seg->length + frame->segment_size - 1) / frame->segment_size);
    return true;
}

static void receive_tcp(struct sanwo_stack *s, const struct sanwo_frame *frame,
                        const struct ip_packet *packet)
{
    struct tcp_segment seg;
    if (packet->group) { /* MUST-57: never to many */
        sw_stack_drop(s, SANWO_REASON_IP_MARTIAN);
        return;
    }
    if (!parse(s, frame, packet, &seg))
        return;
    seg.dscp_ecn = packet->dscp_ecn;
    seg.link = packet->link;
    seg.link_mtu = sw_ip_link_at(&s->ip, packet->link)->config.mtu;
    seg.destination_is_ours = packet->ours;
    seg.reason = SANWO_REASON_NONE;
    seg.arrival = frame->arrival && frame->arrival <= s->now ? frame->arrival : s->now;
    seg.now = s->now;
    seg.slices = frame->slices;
    seg.slice_count = frame->slice_count;
    seg.kept = 0;
    seg.cut = false;
    seg.has_isn_floor = false;
    sw_tcp_receive(&s->tcp, &seg);
}

static enum tcp_icmp_kind icmp_kind(const struct ip_packet *packet)
{
    uint8_t type = packet->icmp.type, code = packet->icmp.code;
    if (packet->source.family == SANWO_FAMILY_IPV4) {
        if (type != ICMP_UNREACHABLE)
            return TCP_ICMP_SOFT;
        if (code == ICMP_UNREACHABLE_FRAGMENTATION)
            return TCP_ICMP_TOO_BIG;
        if (code == ICMP_UNREACHABLE_PORT)
            return TCP_ICMP_REFUSED;
        return code == ICMP_UNREACHABLE_PROTOCOL ? TCP_ICMP_HARD : TCP_ICMP_SOFT;
    }
    if (type == ICMPV6_PACKET_TOO_BIG)
        return TCP_ICMP_TOO_BIG;
    if (type != ICMPV6_UNREACHABLE)
        return TCP_ICMP_SOFT;
    if (code == ICMPV6_UNREACHABLE_PORT)
        return TCP_ICMP_REFUSED;
    return code == ICMPV6_UNREACHABLE_ADMIN ? TCP_ICMP_HARD : TCP_ICMP_SOFT;
}

/* MUST-54. */
static void receive_icmp_error(struct sanwo_stack *s, const struct ip_packet *packet)
{
    const struct wire_icmp_quote *q = &packet->quote;
    if (!q->transport) {
        sw_stack_drop(s, SANWO_REASON_ICMP_INVALID);
        return;
    }
    struct tcp_icmp_error error = {
        .tuple = sw_tcp_tuple(&q->source, q->source_port, &q->destination, q->destination_port),
        .seq = q->seq,
        .kind = icmp_kind(packet),
        .mtu = packet->mtu,
        .packet = q->packet_length,
    };
    if (!sw_tcp_icmp_error(&s->tcp, &error))
        sw_stack_drop(s, SANWO_REASON_ICMP_INVALID);
}

static void receive_one(struct sanwo_stack *s, const struct sanwo_frame *frame)
{
    struct ip_packet packet;
    switch (sw_ip_input(&s->ip, frame, s->now, &packet)) {
    case IP_TCP:
        receive_tcp(s, frame, &packet);
        break;
    case IP_ICMP_ERROR:
        receive_icmp_error(s, &packet);
        break;
    case IP_DROP:
        sw_stack_drop(s, packet.reason);
        break;
    case IP_DONE:
        break;
    }
}

void sanwo_stack_receive(struct sanwo_stack *s, const struct sanwo_frame *frames, size_t n,
                         sanwo_time now)
{
    sw_stack_clock(s, now);
    for (size_t i = 0; i < n; i++) {
        const struct sanwo_frame *frame = &frames[i];
        s->frames_in++;
        s->bytes_in += frame->length;
        receive_one(s, frame);
        for (uint16_t j = 0; j < frame->slice_count; j++) /* queues took references of their own */
            sanwo_stack_return(s, frame->slices[j].buffer);
    }
}
