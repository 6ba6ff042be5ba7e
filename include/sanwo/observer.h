/*
 * sanwo/observer.h - Being told each thing as it happens, with its reason.
 *
 * Trace, demonstration, statistics and tests hang on this. Without an observer it costs a predicted
 * branch. The callback runs inside a call on the stack: it must not call the stack.
 */
#ifndef SANWO_OBSERVER_H
#define SANWO_OBSERVER_H

#include <sanwo/address.h>
#include <sanwo/frame.h>
#include <sanwo/reason.h>

SANWO_BEGIN

/** RFC 9293 3.3.2. The names of the public interface and of the inside are the same. */
enum sanwo_tcp_state {
    SANWO_TCP_CLOSED = 0,
    SANWO_TCP_LISTEN,
    SANWO_TCP_SYN_SENT,
    SANWO_TCP_SYN_RECEIVED,
    SANWO_TCP_ESTABLISHED,
    SANWO_TCP_FIN_WAIT_1,
    SANWO_TCP_FIN_WAIT_2,
    SANWO_TCP_CLOSE_WAIT,
    SANWO_TCP_CLOSING,
    SANWO_TCP_LAST_ACK,
    SANWO_TCP_TIME_WAIT,
    SANWO_TCP_STATE_COUNT
};

/** "FIN-WAIT-1", as the RFC writes it. */
SANWO_API const char *sanwo_tcp_state_name(unsigned state);

enum sanwo_observation_kind {
    SANWO_OBSERVE_SEGMENT_IN, /* a TCP segment arrived, before it is acted on; `state` is the one then */
    SANWO_OBSERVE_SEGMENT_OUT, /* a TCP segment goes out; reason: why */
    SANWO_OBSERVE_STATE,       /* from `old_state` to `state`; reason: why */
    SANWO_OBSERVE_DROP,        /* a frame or segment was dropped, wholly or in part; reason: why */
    SANWO_OBSERVE_TIMER,       /* a timer expired; reason: which */
    SANWO_OBSERVE_LOSS,        /* bytes were declared lost; `value` how many */
    SANWO_OBSERVE_WINDOW,      /* the peer's window changed in kind; `value` the new one */
    SANWO_OBSERVE_CONGESTION,  /* cwnd changed in kind; `value` cwnd, `value2` ssthresh */
    SANWO_OBSERVE_ERROR,       /* a soft or hard error was noted; `value` the SANWO_E... code */
    SANWO_OBSERVE_PATH_MTU,    /* `value` the new one */
    SANWO_OBSERVE_RTT,         /* a sample; `value` nanoseconds, `value2` smoothed */
};

struct sanwo_observation {
    sanwo_time now;
    uint8_t kind;                /* enum sanwo_observation_kind */
    uint8_t state;               /* enum sanwo_tcp_state, after the event */
    uint8_t old_state;           /* with STATE; else equal to state */
    uint16_t reason;             /* enum sanwo_reason */
    struct sanwo_handle handle;  /* none for what belongs to no connection */
    void *user;                  /* the connection's, or NULL */
    struct sanwo_endpoint local; /* known for all of TCP */
    struct sanwo_endpoint remote;
    int64_t value, value2;
    /* Segments only; sequence numbers are absolute. For an outgoing super-segment: the whole of it. */
    uint32_t seq, ack;
    uint32_t payload_length;
    uint32_t window; /* as on the wire, unscaled */
    uint16_t urgent;
    uint8_t flags; /* the byte of the header: CWR ECE URG ACK PSH RST SYN FIN */
    bool ae;       /* the bit before them: accurate ECN (RFC 9768) */
    uint8_t options_length;
    const uint8_t *options; /* the option bytes of the header, or NULL */
    uint16_t segment_size;  /* not 0: a super-segment cut into segments of this size */
};

struct sanwo_observer {
    void (*observe)(void *context, const struct sanwo_observation *what); /* NULL: nobody looks */
    void *context;
};

SANWO_END
#endif
