/*
 * sanwo/frame.h - What travels between a driver and a stack: one IP packet or Ethernet frame.
 *
 *     slice 0: all headers (link, IP, TCP)     slices 1..: payload, by reference
 *
 * The offload fields mean what virtio-net's header means, so that a super-segment of up to 64 KB goes
 * from the send queue to the kernel with one header and no software checksum, and back.
 */
#ifndef SANWO_FRAME_H
#define SANWO_FRAME_H

#include <sanwo/types.h>

SANWO_BEGIN

/** Most slices of a frame: the headers and what a 64 KB super-segment may need. */
#define SANWO_FRAME_SLICES 18

enum sanwo_frame_checksum {
    SANWO_CHECKSUM_NONE =
        0,                /* received: not looked at, verify it. To send: complete in the bytes */
    SANWO_CHECKSUM_VALID, /* received: the link verified it */
    /*
     * The field holds the pseudo-header sum only; [checksum_start, end) is still to be added.
     * Received: the packet never left a machine's memory and counts as valid.
     * To send: the link (or the driver, sanwo_frame_complete()) finishes it.
     */
    SANWO_CHECKSUM_PARTIAL,
};

enum sanwo_frame_segmentation {
    SANWO_SEGMENT_NONE = 0,
    SANWO_SEGMENT_TCP_IPV4,
    SANWO_SEGMENT_TCP_IPV6,
    SANWO_SEGMENT_UDP,
};

struct sanwo_slice {
    const uint8_t *bytes;
    uint32_t length;
    uint32_t buffer; /* received: the borrowed buffer that holds it, or 0 if memory of others */
};

struct sanwo_frame {
    sanwo_time arrival;       /* received: when the link got it; 0 takes the call's `now` */
    uint32_t length;          /* bytes of all slices */
    uint16_t link;            /* which link of the stack */
    uint8_t checksum;         /* enum sanwo_frame_checksum */
    uint8_t segmentation;     /* enum sanwo_frame_segmentation */
    uint16_t segment_size;    /* payload bytes of each segment when segmented */
    uint16_t header_length;   /* bytes of all headers in slice 0 when segmented */
    uint16_t checksum_start;  /* from the start of the frame */
    uint16_t checksum_offset; /* from checksum_start */
    uint16_t slice_count;
    uint16_t spare;
    struct sanwo_slice slices[SANWO_FRAME_SLICES];
};

/** An empty buffer of the stack's, lent to a driver or to a writer. */
struct sanwo_room {
    uint8_t *bytes;
    uint32_t length; /* how much may be written */
    uint32_t buffer; /* to put into a slice, or to give back */
};

/** Copies the whole frame to @out (at least frame->length bytes); finishes no checksum. */
SANWO_API void sanwo_frame_copy(const struct sanwo_frame *frame, uint8_t *out);

/**
 * For links without offload: computes a PARTIAL checksum in place over the flat bytes of the frame,
 * which was copied out with sanwo_frame_copy().
 */
SANWO_API void sanwo_frame_complete(const struct sanwo_frame *frame, uint8_t *bytes);

SANWO_END
#endif
