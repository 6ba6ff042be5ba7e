/*
 * segment.h - One segment on its way out: what is in its header, and building the frame.
 */
#ifndef SW_TCP_SEND_SEGMENT_H
#define SW_TCP_SEND_SEGMENT_H

#include "tcp/tcp.h"

#define TCP_HEADROOM 64 /* before the TCP header, for what IP and the link put there */

struct tcp_outgoing {
    struct tcp_tuple tuple;
    struct sanwo_handle handle; /* for the observer */
    void *user;
    tcp_seq seq;
    tcp_seq ack;     /* sent if flags have ACK */
    uint16_t window; /* as on the wire */
    uint16_t urgent;
    uint8_t flags; /* without ECE and CWR: those are in `ace` */
    uint8_t ace;   /* AE, CWR, ECE as one number */
    uint8_t state; /* for the observer */
    uint8_t ttl;
    uint8_t dscp_ecn;
    uint16_t reason;
    uint8_t option_order[8]; /* first 0: our own order */
    struct wire_tcp_options options;
};

/*
 * Builds the header into a buffer of its own as slice 0, with the payload of @frame's slices 1..
 * (already filled in, @payload bytes, cut into segments of @segment_size if that is not 0), the
 * checksum done or left to the link. False: no memory; the slices are the caller's still.
 */
bool sw_tcp_segment_build(struct tcp *tcp, const struct tcp_outgoing *out,
                          const struct tcp_path *path, struct sanwo_frame *frame, uint32_t payload,
                          uint16_t segment_size);

/* Drops the references that the frame's slices hold. */
void sw_tcp_frame_release(struct tcp *tcp, const struct sanwo_frame *frame);

#endif
