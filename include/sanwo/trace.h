/*
 * sanwo/trace.h - Seeing a connection: both ends' states at every segment, and why.
 *
 *     stack A --observations--.                                .-- ladder, SVG
 *                              >-- sanwo_trace: rows, paired --+-- tcpdump's lines, new and old
 *     stack B --observations--'                                '-- JSON, a line each
 *
 * The collector follows one connection. What the one end sends and the other receives becomes one
 * row; what never arrives is lost. A change of state is shown at the segment that carries it (the
 * SYN of connect, the FIN of close) or that causes it, and in a row of its own if neither exists
 * (2 MSL are over). Uses malloc; one thread at a time.
 */
#ifndef SANWO_TRACE_H
#define SANWO_TRACE_H

#include <sanwo/address.h>
#include <sanwo/error.h>
#include <sanwo/observer.h>
#include <sanwo/reason.h>

SANWO_BEGIN

/* ---- rows ----------------------------------------------------------------------------------- */

/** The two ends; A is drawn on the left. */
enum { SANWO_TRACE_A = 0, SANWO_TRACE_B = 1 };

enum sanwo_trace_kind {
    SANWO_TRACE_SEGMENT = 1,
    SANWO_TRACE_CHANGE, /* a change of state without a segment: by a timer, or by the user */
};

enum sanwo_trace_phase {
    SANWO_TRACE_HANDSHAKE = 0,
    SANWO_TRACE_DATA,
    SANWO_TRACE_CLOSE,
    SANWO_TRACE_RESET,
    SANWO_TRACE_PHASES
};

/** One end at a row. */
struct sanwo_trace_side {
    uint8_t before, after; /* enum sanwo_tcp_state; sender: at sending. Receiver: at arrival */
    uint16_t reason;       /* enum sanwo_reason of the (last) change; NONE: there was none */
};

#define SANWO_TRACE_OPTIONS 40
#define SANWO_TRACE_NOTE 64

/** Times are those of the observations. For a change, what concerns segments is zero. */
struct sanwo_trace_row {
    uint8_t kind;  /* enum sanwo_trace_kind */
    uint8_t phase; /* enum sanwo_trace_phase */
    uint8_t from;  /* which end sends, or changes */
    uint8_t flags; /* the header's byte: CWR ECE URG ACK PSH RST SYN FIN */
    uint8_t options_length;
    bool retransmission; /* no byte, SYN or FIN of it is sent for the first time */
    bool duplicate;      /* a copy made by the network of one that arrived before */
    bool out_of_order;   /* overtaken on the way by one that was sent later */
    uint32_t number;     /* segments count from 1, in the order they were sent */
    sanwo_time sent;
    sanwo_time arrived;                  /* SANWO_TIME_NEVER: lost, or on its way */
    struct sanwo_trace_side side[2];     /* of A and of B, whoever sends */
    uint32_t seq, ack;                   /* absolute */
    uint32_t seq_relative, ack_relative; /* to the initial numbers, where tcpdump counts from */
    uint32_t payload_length;
    uint32_t window; /* as on the wire */
    uint16_t urgent;
    uint16_t reason; /* enum sanwo_reason: why it was sent */
    uint16_t drop;   /* enum sanwo_reason: why the receiver threw it away; NONE: it did not */
    uint8_t options[SANWO_TRACE_OPTIONS];
    char note[SANWO_TRACE_NOTE];        /* what the payload is, as labelled; may be empty */
    uint64_t sent_order, arrived_order; /* among all observations; 0: never */
};

/** What the whole was. */
struct sanwo_trace_summary {
    int opener, closer; /* end that sent the first SYN, FIN; -1: neither did. 2: both at once */
    int resetter;       /* end that sent the first RST; -1: neither did */
    bool established[2];
    uint8_t state[2];     /* at the end */
    uint16_t ended[2];    /* enum sanwo_reason of each end's last change */
    uint32_t segments[2]; /* sent by each */
    uint32_t retransmissions[2];
    uint32_t lost[2], dropped[2], duplicates[2], out_of_order[2];
    uint64_t bytes[2];   /* payload sent by each, without retransmissions */
    sanwo_time duration; /* first to last segment */
    sanwo_time quiet;    /* last segment to last change: TIME-WAIT */
};

/* ---- collecting ----------------------------------------------------------------------------- */

struct sanwo_trace;

/** -SANWO_ENOMEM. */
SANWO_API int sanwo_trace_create(struct sanwo_trace **out);
/** NULL is nothing. */
SANWO_API void sanwo_trace_destroy(struct sanwo_trace *t);
/** What to put into an end's stack configuration. Valid as long as the trace. */
SANWO_API struct sanwo_observer sanwo_trace_observer(struct sanwo_trace *t, unsigned end);
/** What that observer calls. Segments of other connections than the first one seen are left out. */
SANWO_API void sanwo_trace_observe(struct sanwo_trace *t, unsigned end,
                                   const struct sanwo_observation *what);
/** Who an end is, for the heading: "client". Kept by reference. */
SANWO_API void sanwo_trace_role(struct sanwo_trace *t, unsigned end, const char *role);
/**
 * Says what the bytes [from, to) of an end's stream are ("GET / HTTP/1.1"): the note of segments sent
 * from now on. @text is kept by reference. -SANWO_ELIMIT after eight.
 */
SANWO_API int sanwo_trace_label(struct sanwo_trace *t, unsigned end, uint64_t from, uint64_t to,
                                const char *text);

/** Nothing more comes: changes that still wait for the segment that carries them get own rows. */
SANWO_API void sanwo_trace_finish(struct sanwo_trace *t);
SANWO_API size_t sanwo_trace_count(const struct sanwo_trace *t);
/** NULL past the end. In the order of sending (and of changing); valid until the next observation. */
SANWO_API const struct sanwo_trace_row *sanwo_trace_row(const struct sanwo_trace *t, size_t index);
SANWO_API void sanwo_trace_summarise(const struct sanwo_trace *t, struct sanwo_trace_summary *out);

/* ---- showing -------------------------------------------------------------------------------- */

/** Where text goes. */
struct sanwo_trace_writer {
    void (*write)(void *context, const char *bytes, size_t length);
    void *context;
};

enum sanwo_trace_format {
    SANWO_TRACE_LADDER = 0, /* box drawing, at most 100 columns */
    SANWO_TRACE_TCPDUMP,    /* as tcpdump prints today, relative numbers after the SYN */
    SANWO_TRACE_CLASSIC,    /* as tcpdump printed long ago, absolute numbers */
    SANWO_TRACE_JSON,       /* one object a line, the last one the summary */
    SANWO_TRACE_SVG,        /* the ladder as a picture, for light and dark pages */
    SANWO_TRACE_FORMATS
};

struct sanwo_trace_style {
    bool colour; /* ladder, tcpdump, classic: ANSI escapes */
    bool ascii;  /* ladder: plain characters instead of box drawing */
};

/** "ladder"; "?" for what is no format. */
SANWO_API const char *sanwo_trace_format_name(unsigned format);
/** @style NULL: plain. -SANWO_ENOMEM (also if memory was short while collecting), -SANWO_EINVAL. */
SANWO_API int sanwo_trace_render(const struct sanwo_trace *t, enum sanwo_trace_format format,
                                 const struct sanwo_trace_style *style,
                                 const struct sanwo_trace_writer *writer);

/**
 * One observation as one line without a newline, for following a stack as it runs: segments as
 * tcpdump prints them with absolute numbers, then the state; changes and drops with their reason.
 * Always NUL-terminated and cut to @size. Returns the length of what was written.
 */
SANWO_API size_t sanwo_trace_format_line(const struct sanwo_observation *what, char *out,
                                         size_t size);

SANWO_END
#endif
