/*
 * segment.h - A TCP segment that arrived, and the verdicts on it.
 */
#ifndef SW_TCP_SEGMENT_H
#define SW_TCP_SEGMENT_H

#include "tcp/tuple.h"
#include "wire/tcp.h"
#include "wire/tcp_options.h"

#include <sanwo/frame.h>
#include <sanwo/reason.h>

/*
 * The payload is [skip, skip + length) of the bytes that the frame's slices hold together. Trimming
 * to the window moves `skip` and `length`; nothing is copied.
 */
struct tcp_segment {
    struct tcp_tuple tuple; /* as we see it: local is the destination */
    tcp_seq seq;
    tcp_seq ack;
    uint32_t length; /* SEG.LEN without SYN and FIN: payload bytes */
    uint32_t window; /* as on the wire; the connection scales it */
    uint16_t urgent;
    uint8_t flags;
    uint8_t dscp_ecn;
    uint8_t ace;         /* AE, CWR, ECE as one number: sw_wire_tcp_ace() */
    uint16_t packets;    /* on the wire: a super-segment was several */
    bool came_with_data; /* even if all of it was trimmed off: no duplicate ACK then */
    bool came_with_syn;  /* even if the flag was trimmed off: its window is not scaled */
    uint16_t link;
    uint16_t link_mtu;
    bool cut; /* text beyond the window was cut off */
    bool destination_is_ours;
    bool has_isn_floor; /* a TIME-WAIT record made way: our ISN must be beyond isn_floor */
    tcp_seq isn_floor;
    uint16_t reason;             /* why the verdict was not CONTINUE */
    const uint8_t *option_bytes; /* for the observer */
    uint8_t option_length;
    struct wire_tcp_options options;
    sanwo_time arrival;
    sanwo_time now;
    const struct sanwo_slice *slices;
    uint32_t slice_count;
    uint32_t skip;
    uint64_t kept; /* bit per slice whose buffer a queue refers to: one piece each */
};

/* SEG.LEN as RFC 9293 3.3.1 counts it: SYN and FIN occupy a number each. */
static inline uint32_t sw_tcp_segment_span(const struct tcp_segment *seg)
{
    return seg->length + !!(seg->flags & TCP_SYN) + !!(seg->flags & TCP_FIN);
}

/* SEG.WND in bytes; that of a SYN is never scaled (RFC 7323 2.2). */
static inline uint32_t sw_tcp_segment_window(const struct tcp_segment *seg, int8_t scale)
{
    return seg->came_with_syn ? seg->window : seg->window << scale;
}

/* A step returns what should happen; it does not do it. The caller of the steps acts. */
enum tcp_verdict {
    TCP_CONTINUE,
    TCP_DROP,               /* seg->reason says why */
    TCP_DROP_AND_ACK,       /* and acknowledge what we have */
    TCP_DROP_AND_CHALLENGE, /* the same, within the challenge ACK's limit (RFC 5961 7) */
    TCP_SEND_RESET,         /* drop, and answer with a reset formed from the segment */
    TCP_FINISHED,           /* the connection is CLOSED: its owner lets it go */
};

static inline enum tcp_verdict sw_tcp_drop(struct tcp_segment *seg, enum sanwo_reason why)
{
    seg->reason = (uint16_t)why;
    return TCP_DROP;
}

#endif
