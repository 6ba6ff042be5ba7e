/*
 * tun_frame.c - struct virtio_net_hdr <-> struct sanwo_frame (VIRTIO 1.2, 5.1.6).
 *
 *     flags NEEDS_CSUM, csum_start, csum_offset     checksum PARTIAL, checksum_start, _offset
 *     flags DATA_VALID                              checksum VALID
 *     gso_type TCPV4, TCPV6, UDP_L4                 segmentation
 *     gso_size, hdr_len                             segment_size, header_length
 *
 * The 16-bit fields are in the byte order of the host, as a TUN device has them unless told otherwise.
 */
#include <string.h>

#include "tun_frame.h"

enum { GSO_UDP_L4 = 5 }; /* VIRTIO_NET_HDR_GSO_UDP_L4, which older headers lack */
enum { TCP_CHECKSUM_OFFSET = 16, TCP_DATA_OFFSET = 12, UDP_HEADER = 8 };

void sw_tun_frame_to_header(const struct sanwo_frame *frame, struct virtio_net_hdr *header)
{
    static const uint8_t types[] = {
        [SANWO_SEGMENT_NONE] = VIRTIO_NET_HDR_GSO_NONE,
        [SANWO_SEGMENT_TCP_IPV4] = VIRTIO_NET_HDR_GSO_TCPV4,
        [SANWO_SEGMENT_TCP_IPV6] = VIRTIO_NET_HDR_GSO_TCPV6,
        [SANWO_SEGMENT_UDP] = GSO_UDP_L4,
    };

    memset(header, 0, sizeof(*header));
    if (frame->checksum == SANWO_CHECKSUM_PARTIAL) {
        header->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        header->csum_start = frame->checksum_start;
        header->csum_offset = frame->checksum_offset;
    }
    if (frame->segmentation != SANWO_SEGMENT_NONE) {
        header->gso_type = types[frame->segmentation];
        header->gso_size = frame->segment_size;
        header->hdr_len = frame->header_length;
    }
}

static bool read_checksum(struct sanwo_frame *frame, const struct virtio_net_hdr *header)
{
    if ((header->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0) {
        if ((uint32_t)header->csum_start + header->csum_offset + 2 > frame->length)
            return false;
        frame->checksum = SANWO_CHECKSUM_PARTIAL;
        frame->checksum_start = header->csum_start;
        frame->checksum_offset = header->csum_offset;
    } else if ((header->flags & VIRTIO_NET_HDR_F_DATA_VALID) != 0) {
        frame->checksum = SANWO_CHECKSUM_VALID;
    }
    return true;
}

/* The kernel's hdr_len is a hint, often more than the headers. Where the transport header starts is
 * known from the checksum. 0: not to be found. */
static uint16_t measure_headers(const struct sanwo_frame *frame)
{
    uint32_t start = frame->checksum_start, length;

    if (frame->checksum != SANWO_CHECKSUM_PARTIAL)
        return 0;
    if (frame->segmentation == SANWO_SEGMENT_UDP)
        length = UDP_HEADER;
    else if (frame->checksum_offset == TCP_CHECKSUM_OFFSET &&
             start + TCP_DATA_OFFSET < frame->slices[0].length)
        length = (frame->slices[0].bytes[start + TCP_DATA_OFFSET] >> 4) * 4u;
    else
        return 0;
    return start + length <= frame->slices[0].length ? (uint16_t)(start + length) : 0;
}

bool sw_tun_frame_from_header(struct sanwo_frame *frame, const struct virtio_net_hdr *header)
{
    frame->checksum = SANWO_CHECKSUM_NONE;
    frame->segmentation = SANWO_SEGMENT_NONE;
    frame->segment_size = frame->header_length = 0;
    frame->checksum_start = frame->checksum_offset = 0;
    if (!read_checksum(frame, header))
        return false;
    switch (header->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_NONE:
        return true;
    case VIRTIO_NET_HDR_GSO_TCPV4:
        frame->segmentation = SANWO_SEGMENT_TCP_IPV4;
        break;
    case VIRTIO_NET_HDR_GSO_TCPV6:
        frame->segmentation = SANWO_SEGMENT_TCP_IPV6;
        break;
    case GSO_UDP_L4:
        frame->segmentation = SANWO_SEGMENT_UDP;
        break;
    default:
        return false;
    }
    frame->segment_size = header->gso_size;
    frame->header_length = measure_headers(frame);
    if (frame->header_length == 0)
        frame->header_length = header->hdr_len;
    return frame->segment_size != 0 && frame->header_length <= frame->slices[0].length;
}
