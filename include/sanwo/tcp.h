/*
 * sanwo/tcp.h - The user's calls of RFC 9293 3.10: OPEN, SEND, RECEIVE, CLOSE, ABORT, STATUS.
 *
 * The life of a handle: connect() or accept() gives it, close() or abort() takes it. In between the
 * connection may end by itself (SANWO_EVENT_CLOSED); data that arrived may still be read and the
 * handle stays valid until it is closed. Any call on a handle that was closed, or was never given
 * out, returns -SANWO_EBADF and does nothing. No call blocks; no call calls back (D-01).
 */
#ifndef SANWO_TCP_H
#define SANWO_TCP_H

#include <sanwo/address.h>
#include <sanwo/error.h>
#include <sanwo/frame.h>
#include <sanwo/observer.h>

SANWO_BEGIN

/* ---- what is free choice for a conforming TCP ------------------------------------------------ */

enum sanwo_congestion {
    SANWO_CONGESTION_NEWRENO = 0, /* RFC 5681, RFC 6582 */
    SANWO_CONGESTION_COUNT
};

/** Options of one connection; those of the stack are where each starts. Buffers in bytes. */
struct sanwo_tcp_config {
    uint32_t send_buffer;            /* most unacknowledged and unsent bytes; default 1 MiB */
    uint32_t receive_buffer;         /* most unread bytes, and so the window; default 1 MiB */
    uint32_t initial_receive_window; /* announced first, growing by twice what arrives; 0 (the
                                        default): all of the receive buffer */
    uint16_t mss;                    /* most we announce; 0: what the MTU allows */
    uint16_t mss_floor;      /* a smaller MSS of the peer's counts as this; default 64 */
    int8_t window_scale;     /* shift count we offer; -1: what the receive buffer needs */
    bool offer_window_scale; /* RFC 7323 2; default true */
    bool offer_timestamps;   /* RFC 7323 3; default true */
    bool offer_sack;         /* RFC 2018; default true */
    bool reset_timestamps; /* in resets that answer one (RFC 7323 5.2; the stack's); default true */
    bool nagle;            /* default true (MUST-17: may be switched off) */
    bool cork;             /* no segment that is not full, for an RTO at most; default false */
    bool keepalive;        /* default false (MUST-25) */
    bool soft_errors;      /* report them; default true (SHLD-20) */
    bool quick_ack;        /* acknowledge every segment at once; default false */
    bool idle_restart;     /* cwnd starts anew after an idle RTO (RFC 5681 4.1); default true */
    bool syn_cookies;      /* of listeners whose backlog is full (RFC 4987 3.6); default true */
    uint8_t congestion;    /* enum sanwo_congestion */
    uint8_t initial_window;        /* segments; default 10 (RFC 6928) */
    uint8_t ttl;                   /* or hop limit; default 64 (MUST-49) */
    uint8_t dscp;                  /* 0..63; default 0 (MUST-48) */
    uint8_t keepalive_probes;      /* unanswered ones that end the connection; default 9 */
    uint8_t syn_retries;           /* default 7: over 3 minutes (MUST-23) */
    uint8_t syn_ack_retries;       /* default 5 */
    uint8_t retransmit_limit;      /* R2 by count; default 15: over 100 s (SHLD-11) */
    uint8_t orphan_retries;        /* the same once the user closed; default 8 */
    uint8_t duplicate_threshold;   /* duplicate ACKs that mean a loss; default 3 (RFC 5681 3.2) */
    uint8_t ack_every;             /* full segments per acknowledgement; default 2 (SHLD-19) */
    uint8_t quick_ack_segments;    /* the first so many are acknowledged at once; default 0 */
    uint8_t option_order[8];       /* kinds in SYN segments, 0-terminated; first 0: our own order */
    sanwo_time keepalive_idle;     /* default 2 h (MUST-28) */
    sanwo_time keepalive_interval; /* default 75 s */
    sanwo_time user_timeout; /* R2 by time; 0: by count of retransmissions; default 0 (MUST-21) */
    sanwo_time delayed_ack;  /* most an ACK is held back; default 40 ms (MUST-40: < 500 ms) */
    sanwo_time rto_initial;  /* default 1 s */
    sanwo_time rto_minimum;  /* default 200 ms */
    sanwo_time rto_maximum;  /* default 120 s */
    sanwo_time rto_variance_minimum; /* least of what RFC 6298 2.3 adds to SRTT; default 1 ms, G */
    sanwo_time rto_slop;             /* added to a measured or doubled RTO; default 0 */
    sanwo_time challenge_interval; /* between challenge ACKs (RFC 5961 7), and up to an eighth more
                                        by chance; default 500 ms; 0: no limit */
    sanwo_time msl;                /* default 30 s: TIME-WAIT lasts twice that */
    sanwo_time fin_wait_2; /* after close(), how long to wait for the peer's FIN; default 60 s */
    sanwo_time decide;     /* how long a request waits for the user's decision; default 10 s */
};

SANWO_API void sanwo_tcp_config_default(struct sanwo_tcp_config *config);

/* ---- OPEN (3.10.1) ---------------------------------------------------------------------------- */

struct sanwo_tcp_connect {
    struct sanwo_endpoint remote;
    struct sanwo_endpoint local;  /* no family: by route (MUST-44); port 0: by RFC 6056 */
    struct sanwo_handle listener; /* a passive open that becomes this active one, or none */
    void *user;                   /* comes back in events */
    const struct sanwo_tcp_config *config; /* NULL: the stack's */
    bool isn_is_set;                       /* tests and demonstrations: use `isn`, not RFC 6528 */
    uint32_t isn;
};

/**
 * Active open: sends a SYN with the next transmit. The event is CONNECTED, or CLOSED with the error.
 * With `listener` (3.10.1, LISTEN -> SYN-SENT) the local end is the listener's, which ceases to be.
 * EINVAL (no unicast remote, port 0: MUST-46), ENETUNREACH, EADDRNOTAVAIL, EADDRINUSE, ELIMIT, ENOMEM.
 */
SANWO_API int sanwo_tcp_connect(struct sanwo_stack *s, const struct sanwo_tcp_connect *open,
                                sanwo_time now, struct sanwo_handle *out);

enum {
    SANWO_LISTEN_DECIDE = 1,      /* ask before SYN-ACK: REQUEST, then admit, refuse or ignore */
    SANWO_LISTEN_ANY_ADDRESS = 2, /* also destinations that are none of ours (proxies) */
    SANWO_LISTEN_ANY_PORT = 4,    /* every port that has no listener of its own (proxies) */
};

struct sanwo_tcp_listen {
    struct sanwo_endpoint local; /* family NONE: both families, all our addresses */
    uint32_t backlog;            /* half-open plus not yet accepted; 0: 128 */
    uint32_t flags;              /* SANWO_LISTEN_... */
    void *user;
    const struct sanwo_tcp_config *config; /* NULL: the stack's. For the connections it makes */
    bool isn_is_set;                       /* tests and demonstrations: ISN of what it makes */
    uint32_t isn;
};

/** Passive open. EINVAL, EADDRINUSE, EADDRNOTAVAIL, ELIMIT, ENOMEM. Never touches connections (MUST-41). */
SANWO_API int sanwo_tcp_listen(struct sanwo_stack *s, const struct sanwo_tcp_listen *open,
                               sanwo_time now, struct sanwo_handle *out);

/** The next complete connection of a listener, which gets @user. EAGAIN, EBADF. */
SANWO_API int sanwo_tcp_accept(struct sanwo_stack *s, struct sanwo_handle listener, void *user,
                               struct sanwo_handle *out);

/** A connection that a deciding listener is asked for: the SYN came, nothing was answered. */
struct sanwo_tcp_request {
    struct sanwo_handle handle;
    struct sanwo_endpoint local, remote;
};

/** The next request not yet seen. EAGAIN, EBADF. */
SANWO_API int sanwo_tcp_request(struct sanwo_stack *s, struct sanwo_handle listener,
                                struct sanwo_tcp_request *out);
/** SYN-ACK goes out; the connection comes by accept(). EBADF also if the peer gave up meanwhile. */
SANWO_API int sanwo_tcp_admit(struct sanwo_stack *s, struct sanwo_handle request, sanwo_time now);
/** Answers with a reset. */
SANWO_API int sanwo_tcp_refuse(struct sanwo_stack *s, struct sanwo_handle request, sanwo_time now);
/** Answers nothing. */
SANWO_API int sanwo_tcp_ignore(struct sanwo_stack *s, struct sanwo_handle request, sanwo_time now);

/* ---- SEND (3.10.2) ------------------------------------------------------------------------------ */

enum {
    SANWO_SEND_MORE = 1,   /* more follows at once: hold a small last segment back */
    SANWO_SEND_URGENT = 2, /* the urgent pointer goes to the end of these bytes (3.8.5) */
};

/**
 * Takes bytes, as many as there is room for; they are copied. Returns how many (at least 1).
 * Before the handshake is complete they wait. EAGAIN, ENOMEM (no room: wait for WRITABLE), EPIPE
 * (after shutdown), ENOTCONN (a connection that ended in order), or the error that ended it.
 */
SANWO_API int64_t sanwo_tcp_send(struct sanwo_stack *s, struct sanwo_handle h, const void *bytes,
                                 size_t length, unsigned flags, sanwo_time now);

/**
 * As sanwo_tcp_send() without the copy: all or nothing, and the bytes must not change nor go away
 * until sanwo_tcp_info's references_released (event RELEASED) has counted this call; they are
 * released in order. Meant for 4 KiB and more.
 */
SANWO_API int64_t sanwo_tcp_send_ref(struct sanwo_stack *s, struct sanwo_handle h,
                                     const void *bytes, size_t length, unsigned flags,
                                     sanwo_time now);

/**
 * Room in the send queue itself for up to @length bytes, to be filled (by pread, say) and committed
 * before any other call on this connection. Returns the bytes of room->length, or an error as send.
 */
SANWO_API int64_t sanwo_tcp_reserve(struct sanwo_stack *s, struct sanwo_handle h, size_t length,
                                    struct sanwo_room *room);
/** The first @length bytes of the room are to be sent; the rest is given back. 0 gives all back. */
SANWO_API int sanwo_tcp_commit(struct sanwo_stack *s, struct sanwo_handle h, size_t length,
                               unsigned flags, sanwo_time now);

/* ---- RECEIVE (3.10.3) --------------------------------------------------------------------------- */

/**
 * Bytes in order. Returns how many; 0 at the end of the stream (the peer's FIN). EAGAIN,
 * ENOTCONN (still opening), or the error that ended the connection, once all data is read.
 */
SANWO_API int64_t sanwo_tcp_receive(struct sanwo_stack *s, struct sanwo_handle h, void *bytes,
                                    size_t length, sanwo_time now);
/**
 * The bytes where they lie: fills up to @n slices and returns how many, else as receive. They stay
 * valid until consumed or the handle is closed.
 */
SANWO_API int sanwo_tcp_peek(struct sanwo_stack *s, struct sanwo_handle h,
                             struct sanwo_slice *slices, size_t n);
/** Done with the first @length bytes. EINVAL if there are fewer. */
SANWO_API int sanwo_tcp_consume(struct sanwo_stack *s, struct sanwo_handle h, size_t length,
                                sanwo_time now);
/** Unread bytes up to the end of the urgent data; 0: none is known of (MUST-33). */
SANWO_API int64_t sanwo_tcp_urgent(struct sanwo_stack *s, struct sanwo_handle h);

/* ---- CLOSE, ABORT (3.10.4, 3.10.5) --------------------------------------------------------------- */

/** No more to send: FIN follows the last byte. Receiving goes on (half-close). EPIPE if done before. */
SANWO_API int sanwo_tcp_shutdown(struct sanwo_stack *s, struct sanwo_handle h, sanwo_time now);
/**
 * Done with the handle, which is invalid at once. What was sent is still delivered and the FIN
 * follows; data unread, or arriving later, answers with a reset (SHLD-3). Also for listeners (what
 * was not accepted is reset) and for requests (as ignore).
 */
SANWO_API int sanwo_tcp_close(struct sanwo_stack *s, struct sanwo_handle h, sanwo_time now);
/** Resets the connection and forgets it; the handle is invalid at once. */
SANWO_API int sanwo_tcp_abort(struct sanwo_stack *s, struct sanwo_handle h, sanwo_time now);

/* ---- STATUS (3.10.6) and options ------------------------------------------------------------------ */

enum sanwo_tcp_recovery {
    SANWO_RECOVERY_NONE = 0,
    SANWO_RECOVERY_DISORDER, /* duplicate or selective acknowledgements, no loss found (yet) */
    SANWO_RECOVERY_FAST,     /* RFC 6582, RFC 6675 */
    SANWO_RECOVERY_TIMEOUT,  /* after a retransmission time-out */
};

struct sanwo_tcp_info {
    uint8_t state;                    /* enum sanwo_tcp_state */
    bool timestamps, sack;            /* negotiated */
    int8_t send_scale, receive_scale; /* -1: not negotiated */
    bool peer_closed;                 /* its FIN arrived in order */
    bool shutdown;                    /* ours is queued or sent */
    int error;                        /* what ended it; 0: nothing did, or in order */
    int soft_error;                   /* the last one noted, cleared by reading */
    uint16_t reason;                  /* enum sanwo_reason of the last state change */
    struct sanwo_endpoint local, remote;
    uint32_t send_mss;    /* payload of a full segment to the peer */
    uint32_t receive_mss; /* what we announced */
    uint32_t path_mtu;
    uint32_t iss, irs;
    uint32_t snd_una, snd_nxt, snd_wnd, snd_max_wnd;
    uint32_t rcv_nxt, rcv_wnd;
    uint32_t cwnd, ssthresh, in_flight;
    uint32_t send_queued; /* bytes not acknowledged, sent or not */
    uint32_t send_unsent;
    uint32_t receive_queued;       /* bytes to read */
    uint32_t receive_out_of_order; /* bytes held behind a hole */
    sanwo_time srtt, rttvar, min_rtt, rto;
    uint64_t bytes_sent, bytes_acked, bytes_received;
    uint32_t segments_in, segments_out;
    uint32_t segments_retransmitted;
    uint32_t duplicate_acks, duplicate_segments, out_of_order_segments;
    uint8_t retransmissions; /* of the oldest segment, now */
    uint8_t backoff;         /* doublings of the RTO */
    uint8_t probes;          /* zero-window probes in a row */
    uint8_t recovery;        /* enum sanwo_tcp_recovery */
    bool reordering_seen;    /* RFC 8985 6.2 step 3 */
    uint32_t
        segments_in_flight; /* sent, not acknowledged, by the size of full segments; of those: */
    uint32_t segments_sacked, segments_lost, segments_resent; /* lost: and not sent again yet */
    uint8_t received_dscp_ecn;                                /* of the last segment (MAY-9) */
    uint16_t limited_by;          /* enum sanwo_reason: why nothing more is being sent */
    uint64_t references_released; /* send_ref calls whose memory is the user's again */
};

SANWO_API int sanwo_tcp_info(struct sanwo_stack *s, struct sanwo_handle h,
                             struct sanwo_tcp_info *out);

enum sanwo_tcp_option {
    SANWO_TCP_NAGLE = 1,          /* 0, 1 */
    SANWO_TCP_KEEPALIVE,          /* 0, 1 */
    SANWO_TCP_KEEPALIVE_IDLE,     /* ns */
    SANWO_TCP_KEEPALIVE_INTERVAL, /* ns */
    SANWO_TCP_KEEPALIVE_PROBES,   /* 1..255 */
    SANWO_TCP_USER_TIMEOUT,       /* ns; 0: by retransmission count */
    SANWO_TCP_SEND_BUFFER,        /* bytes */
    SANWO_TCP_RECEIVE_BUFFER,     /* bytes; after the handshake bounded by the window scale */
    SANWO_TCP_TTL,                /* 1..255 */
    SANWO_TCP_DSCP,               /* 0..63 */
    SANWO_TCP_SOFT_ERRORS,        /* 0, 1 */
    SANWO_TCP_QUICK_ACK,          /* 0, 1 */
    SANWO_TCP_DELAYED_ACK,        /* ns, below 500 ms */
    SANWO_TCP_CONGESTION,         /* enum sanwo_congestion; before data is sent */
    SANWO_TCP_MSS,                /* bytes, 0: what the MTU allows; before the handshake */
    SANWO_TCP_SYN_RETRIES,        /* 0..255 */
    SANWO_TCP_RETRANSMIT_LIMIT,   /* 1..255 */
    SANWO_TCP_FIN_WAIT_2_TIME,    /* ns */
    SANWO_TCP_CORK,               /* 0, 1: small segments wait until it is 0 again */
};

/** EINVAL for an unknown option or a value out of range. On a listener: for connections to come. */
SANWO_API int sanwo_tcp_set_option(struct sanwo_stack *s, struct sanwo_handle h,
                                   enum sanwo_tcp_option option, int64_t value, sanwo_time now);
SANWO_API int sanwo_tcp_get_option(struct sanwo_stack *s, struct sanwo_handle h,
                                   enum sanwo_tcp_option option, int64_t *value);

SANWO_END
#endif
