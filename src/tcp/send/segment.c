/*
 * segment.c - Building one segment: header, options, checksum, payload by reference.
 *
 *     buffer:  | room for IP and link (64) | TCP header | options |      slice 0 starts at the TCP header
 *     slices 1..n point into the send queue
 */
#include "tcp/send/segment.h"

#include "base/checksum.h"
#include "tcp/connection/observe.h"
#include "tcp/send/send_queue.h"
#include "wire/ipv4.h"

#define CHECKSUM_OFFSET 16

/* MUST-2: always; where the link does it, the pseudo-header's sum is in place. */
static void finish_checksum(const struct tcp_outgoing *out, const struct tcp_path *path,
                            struct sanwo_frame *frame, uint8_t *header, uint32_t length)
{
    uint32_t sum =
        sw_tcp_tuple_sum(&out->tuple) + IP_PROTOCOL_TCP + (length >> 16) + (length & 0xffff);
    if (path->checksum_offload) {
        sw_store16(header + CHECKSUM_OFFSET, sw_checksum_fold(sum));
        frame->checksum = SANWO_CHECKSUM_PARTIAL;
        frame->checksum_start = 0; /* IP adds what it puts in front */
        frame->checksum_offset = CHECKSUM_OFFSET;
        return;
    }
    sum = sw_checksum_add(sum, header, frame->slices[0].length);
    bool odd = false;
    for (uint16_t i = 1; i < frame->slice_count; i++) {
        const struct sanwo_slice *slice = &frame->slices[i];
        uint32_t part = sw_checksum_add(0, slice->bytes, slice->length);
        sum =
            (uint32_t)sw_checksum_fold(sum) + sw_checksum_fold(odd ? sw_checksum_swap(part) : part);
        odd ^= slice->length & 1;
    }
    sw_store16(header + CHECKSUM_OFFSET, sw_checksum_finish(sum));
    frame->checksum = SANWO_CHECKSUM_NONE;
}

static void observe_out(struct tcp *tcp, const struct tcp_outgoing *out, const uint8_t *header,
                        size_t options, uint32_t payload, uint16_t segment_size)
{
    struct sanwo_observation o = {.kind = SANWO_OBSERVE_SEGMENT_OUT,
                                  .now = tcp->now,
                                  .state = out->state,
                                  .old_state = out->state,
                                  .reason = out->reason,
                                  .handle = out->handle,
                                  .user = out->user,
                                  .local = sw_tcp_tuple_local(&out->tuple),
                                  .remote = sw_tcp_tuple_remote(&out->tuple),
                                  .seq = out->seq.raw,
                                  .ack = out->flags & TCP_ACK ? out->ack.raw : 0,
                                  .payload_length = payload,
                                  .window = out->window,
                                  .urgent = out->urgent,
                                  .flags = (uint8_t)(out->flags | (out->ace & 3) << 6),
                                  .ae = out->ace >> 2,
                                  .options = header + WIRE_TCP_HEADER,
                                  .options_length = (uint8_t)options,
                                  .segment_size = segment_size};
    tcp->observer.observe(tcp->observer.context, &o);
}

bool sw_tcp_segment_build(struct tcp *tcp, const struct tcp_outgoing *out,
                          const struct tcp_path *path, struct sanwo_frame *frame, uint32_t payload,
                          uint16_t segment_size)
{
    struct buffer *b = sw_buffer_alloc(tcp->region, TCP_HEADROOM + WIRE_TCP_HEADER_MAX);
    if (!b)
        return false;
    b->offset += TCP_HEADROOM;
    uint8_t *header = sw_buffer_tail(b);
    const uint8_t *order = out->option_order[0] ? out->option_order : NULL;
    size_t options = sw_wire_tcp_options_write(&out->options, order, header + WIRE_TCP_HEADER,
                                               WIRE_TCP_OPTIONS_MAX);
    struct wire_tcp h = {.source_port = out->tuple.local_port,
                         .destination_port = out->tuple.remote_port,
                         .seq = out->seq,
                         .ack = out->flags & TCP_ACK ? out->ack : tcp_seq_of(0),
                         .flags = out->flags,
                         .header_length = (uint8_t)(WIRE_TCP_HEADER + options),
                         .window = out->window,
                         .urgent = out->urgent};
    sw_wire_tcp_set_ace(&h, out->ace);
    sw_wire_tcp_write(&h, header);
    b->length = h.header_length;
    frame->slices[0] =
        (struct sanwo_slice){header, h.header_length, sw_buffer_name(tcp->region, b)};
    if (frame->slice_count == 0)
        frame->slice_count = 1;
    frame->length = h.header_length + payload;
    frame->segment_size = segment_size;
    frame->segmentation = SANWO_SEGMENT_NONE;
    frame->header_length = h.header_length;
    if (segment_size)
        frame->segmentation =
            sw_tcp_tuple_is_ipv4(&out->tuple) ? SANWO_SEGMENT_TCP_IPV4 : SANWO_SEGMENT_TCP_IPV6;
    finish_checksum(out, path, frame, header, frame->length);
    tcp->counters.segments_out++;
    if (sw_tcp_is_observed(tcp))
        observe_out(tcp, out, header, options, payload, segment_size);
    return true;
}

void sw_tcp_frame_release(struct tcp *tcp, const struct sanwo_frame *frame)
{
    for (uint16_t i = 0; i < frame->slice_count; i++)
        if (frame->slices[i].buffer)
            sw_tcp_buffer_release(tcp, sw_buffer_at(tcp->region, frame->slices[i].buffer));
}
