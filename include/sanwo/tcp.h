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
    SANWO_CONGESTION_CUBIC,       /* RFC 9438, with HyStart++ (RFC 9406): the default */
    SANWO_CONGESTION_BBR,         /* version 3, as described in draft-ietf-ccwg-bbr */
    SANWO_CONGESTION_DCTCP,       /* RFC 8257: for data centres that mark early */
    SANWO_CONGESTION_COUNT
};

/** What is negotiated of explicit congestion notification. Accurate falls back to classic, that to none. */
enum sanwo_ecn {
    SANWO_ECN_OFF = 0,
    SANWO_ECN_ACCEPT,   /* what the peer asks for (DCTCP asks too) */
    SANWO_ECN_REQUEST,  /* ask for it (RFC 3168), and accept */
    SANWO_ECN_ACCURATE, /* ask for accurate ECN (RFC 9768), and accept */
    SANWO_ECN_COUNT
};

/** Options of one connection; those of the stack are where each starts. Buffers in bytes. */
struct sanwo_tcp_config {
    uint32_t send_buffer;          /* most unacknowledged and unsent bytes; 0 (the default): as
                                        the path needs, from and to the two that follow */
    uint32_t send_buffer_start;    /* default 1 MiB */
    uint32_t send_buffer_max;      /* default 64 MiB; where less than the start, that too */
    uint32_t receive_buffer;       /* most unread bytes, and so the window; 0 (the default): as
                                        the path needs, from and to the two that follow */
    uint32_t receive_buffer_start; /* default 1 MiB */
    uint32_t receive_buffer_max;   /* default 64 MiB - 1 KiB; where less than the start, that too */
    uint32_t initial_receive_window; /* announced first, growing by twice what arrives; 0 (the
                                        default): all of the receive buffer */
    uint32_t window_clamp;           /* the window is never more; 0 (the default): no bound */
    uint32_t unsent_limit;           /* no more are queued while so many bytes are not sent yet; one
                                        call may go 64 KiB beyond; 0 (the default): no bound */
    uint16_t mss;                    /* most we announce, and send; 0: what the MTU allows */
    uint16_t mss_floor;      /* a smaller MSS of the peer's counts as this; default 64 */
    int8_t window_scale;     /* shift count we offer; -1: what the largest window needs */
    bool offer_window_scale; /* RFC 7323 2; default true */
    bool offer_timestamps;   /* RFC 7323 3; default true */
    bool offer_sack;         /* RFC 2018; default true */
    bool reset_timestamps; /* in resets that answer one (RFC 7323 5.2; the stack's); default true */
    bool nagle;            /* default true (MUST-17: may be switched off) */
    bool cork;             /* no segment that is not full, for an RTO at most; default false */
    bool keepalive;        /* default false (MUST-25) */
    bool soft_errors;      /* report them; default true (SHLD-20) */
    bool quick_ack;        /* acknowledge every segment at once; default false */
    bool tail_loss_probe;  /* RFC 8985 7; default true */
    bool pacing;           /* segments spread over the round trip; default true */
    bool idle_restart;     /* cwnd starts anew after an idle RTO (RFC 5681 4.1); default true */
    bool syn_cookies;      /* of listeners whose backlog is full (RFC 4987 3.6); default true */
    bool remember_peers;   /* start from what earlier connections to the peer measured, and leave
                              it to later ones (RFC 9040); default false */
    uint8_t congestion;    /* enum sanwo_congestion; default CUBIC */
    uint8_t ecn;           /* enum sanwo_ecn; default SANWO_ECN_ACCEPT */
    bool accurate_option;  /* send accurate ECN's TCP option; default true */
    uint8_t initial_window;   /* segments; default 10 (RFC 6928) */
    uint8_t mtu_probing;      /* search for the path MTU without ICMP (RFC 4821). 0: never, 1: after
                                        a black hole (the default), 2: always */
    uint16_t base_mss;        /* what passes nearly everywhere; default 1024 (RFC 4821 7.2) */
    uint8_t ttl;              /* or hop limit; default 64 (MUST-49) */
    uint8_t dscp;             /* 0..63; default 0 (MUST-48) */
    uint8_t keepalive_probes; /* unanswered ones that end the connection; default 9 */
    uint8_t syn_retries;      /* default 7: over 3 minutes (MUST-23) */
    uint8_t syn_ack_retries;  /* default 5 */
    uint8_t retransmit_limit; /* R2 by count; default 15: over 100 s (SHLD-11) */
    uint8_t orphan_retries;   /* the same once the user closed; default 8 */
    uint8_t duplicate_threshold;   /* duplicate ACKs that mean a loss; default 3 (RFC 5681 3.2) */
    uint8_t ack_every;             /* full segments per acknowledgement; default 2 (SHLD-19) */
    uint8_t quick_ack_segments;    /* the first so many are acknowledged soon; default 16 */
    uint8_t option_order[8];       /* kinds in SYN segments, 0-terminated; first 0: our own order */
    sanwo_time keepalive_idle;     /* default 2 h (MUST-28) */
    sanwo_time keepalive_interval; /* default 75 s */
    sanwo_time user_timeout; /* R2 by time; 0: by count of retransmissions; default 0 (MUST-21) */
    sanwo_time delayed_ack;  /* most an ACK is held back; default 40 ms (MUST-40: < 500 ms) */
    sanwo_time rto_initial;  /* default 1 s */
    sanwo_time rto_minimum;  /* default 200 ms */
    sanwo_time rto_maximum;  /* default 120 s */
    sanwo_time
        rto_variance_minimum;  /* least of what RFC 6298 2.3 adds to SRTT, its G; default 200 ms */
    sanwo_time paws_tolerance; /* data older by so much is late, not from another age (RFC 7323
                                        5.3); and where the path reorders, what is sent again is
                                        stamped a quarter of the round trip earlier, at most by so
                                        much, for peers that tolerate nothing; whole ms, at most
                                        1 s; default 100 ms */
    sanwo_time rto_slop;       /* added to a measured or doubled RTO; default 0 */
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
    /*
     * Fast Open (RFC 7413): what is queued before the next transmit goes with the SYN if the peer gave a
     * cookie before; else one is asked for. The peer may then receive these bytes twice, in two
     * connections: only for requests that do no harm when repeated (RFC 7413 6.1).
     */
    bool fast_open;
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
    /*
     * Fast Open (RFC 7413): most connections at a time that are accepted with their data before the
     * handshake is complete; 0: off. Not with DECIDE. A SYN that comes twice, by chance or because
     * somebody kept it, may deliver its data twice: only for services that this does no harm.
     */
    uint32_t fast_open;
    bool isn_is_set; /* tests and demonstrations: ISN of what it makes */
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

/** What keeps a sender from sending, or more from being queued. */
enum sanwo_tcp_limit {
    SANWO_LIMIT_APPLICATION = 0, /* nothing is queued, or little that Nagle or MORE holds back */
    SANWO_LIMIT_HANDSHAKE,       /* data waits for the connection to open */
    SANWO_LIMIT_RECEIVE_WINDOW,  /* the peer's */
    SANWO_LIMIT_CWND,            /* congestion control */
    SANWO_LIMIT_RECOVERY,        /* the same, while losses are repaired */
    SANWO_LIMIT_PACING,
    SANWO_LIMIT_SEND_BUFFER, /* all of it is in flight, and the application waits for room */
    SANWO_LIMIT_LINK,        /* nothing of its own: no route, the link, the driver, memory */
    SANWO_LIMIT_COUNT
};

enum sanwo_tcp_fast_open {
    SANWO_FAST_OPEN_NO = 0, /* not asked for, or the peer is not to be troubled with it now */
    SANWO_FAST_OPEN_TRIED,  /* our SYN asked for a cookie, or carried one; no data was taken */
    SANWO_FAST_OPEN_TAKEN,  /* the peer took data in our SYN, or we opened by its cookie */
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
    uint8_t fast_open;       /* enum sanwo_tcp_fast_open */
    bool reordering_seen;    /* RFC 8985 6.2 step 3 */
    uint32_t
        segments_in_flight; /* sent, not acknowledged, by the size of full segments; of those: */
    uint32_t segments_sacked, segments_lost, segments_resent; /* lost: and not sent again yet */
    uint8_t received_dscp_ecn;                                /* of the last segment (MAY-9) */
    uint8_t ecn;      /* agreed on: SANWO_ECN_OFF, _REQUEST (classic) or _ACCURATE */
    bool ecn_blocked; /* ... but nothing is sent as ECT: the path clears or writes the bits */
    bool ecn_seen;    /* data came that was ECT or marked */
    bool ecn_echoing; /* classic: the peer is being told of marks */
    uint64_t marks_received,
        marks_told;               /* accurate: packets that came marked; that the peer says did */
    uint16_t limited_by;          /* enum sanwo_reason: why nothing more is being sent */
    uint64_t references_released; /* send_ref calls whose memory is the user's again */

    uint8_t limit;             /* enum sanwo_tcp_limit: what holds the sender now */
    uint32_t send_limit;       /* bytes that may be queued, now */
    uint32_t receive_limit;    /* bytes that may be unread, now */
    sanwo_time delayed_ack;    /* most that an ACK is held back */
    uint64_t pacing_rate;      /* bytes a second; 0: not paced */
    uint64_t delivery_rate;    /* bytes a second, as last sampled; 0: unknown */
    bool delivery_app_limited; /* ... of a time in which there was too little to send */
    uint64_t bytes_delivered;  /* acknowledged, or known to have arrived by SACK */
    /*
     * What follows is measured from the first data on, and anew when the connection was at rest for a
     * minute or when memory was short. Times of the stack's clock; 0: never.
     */
    sanwo_time limited_time[SANWO_LIMIT_COUNT]; /* by each enum sanwo_tcp_limit */
    sanwo_time busy_time;                       /* with data queued or on its way */
    sanwo_time last_data_sent, last_data_received, last_ack_received;
    sanwo_time receive_rtt; /* as the receiver sees it; 0: unknown */
    uint32_t receive_taken; /* most bytes that the application took in a round trip */
    uint32_t data_segments_in, data_segments_out; /* those with payload */
    uint64_t bytes_retransmitted;
    uint32_t duplicates_reported; /* by the peer, in D-SACK blocks (RFC 2883) */
    uint16_t tail_probes;         /* tail loss probes that were sent (RFC 8985 7) */
    uint16_t timeouts;            /* of the retransmission timer */
    uint16_t timeout_recoveries;  /* runs of them that ended with an acknowledgement */
    sanwo_time timeout_time;      /* spent in such runs */
    bool path_mtu_guessed;        /* path_mtu was not told: what is larger vanished (RFC 4821) */
    uint32_t path_mtu_probe;  /* a packet of this size is out, to see whether it arrives; 0: none */
    uint32_t path_mtu_failed; /* the smallest that did not; 0: none, or not searched for */
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
    SANWO_TCP_SEND_BUFFER,        /* bytes; 0: as the path needs */
    SANWO_TCP_RECEIVE_BUFFER,     /* the same; after the handshake bounded by the window scale */
    SANWO_TCP_TTL,                /* 1..255 */
    SANWO_TCP_DSCP,               /* 0..63 */
    SANWO_TCP_SOFT_ERRORS,        /* 0, 1 */
    SANWO_TCP_QUICK_ACK,          /* 0, 1 */
    SANWO_TCP_DELAYED_ACK,        /* ns, below 500 ms */
    SANWO_TCP_CONGESTION,         /* enum sanwo_congestion; at any time */
    SANWO_TCP_MSS,                /* bytes, 0: what the MTU allows; before the handshake */
    SANWO_TCP_SYN_RETRIES,        /* 0..255 */
    SANWO_TCP_RETRANSMIT_LIMIT,   /* 1..255 */
    SANWO_TCP_FIN_WAIT_2_TIME,    /* ns */
    SANWO_TCP_CORK,               /* 0, 1: small segments wait until it is 0 again */
    SANWO_TCP_ECN,                /* enum sanwo_ecn; before the handshake */
    SANWO_TCP_SEND_BUFFER_MAX,    /* bytes, of a buffer that follows the path */
    SANWO_TCP_RECEIVE_BUFFER_MAX, /* the same; before the handshake, since it chooses the scale */
    SANWO_TCP_WINDOW_CLAMP,       /* bytes; 0: no bound */
    SANWO_TCP_UNSENT_LIMIT,       /* bytes not sent yet; 0: no bound */
    SANWO_TCP_MTU_PROBING,        /* 0, 1, 2 */
    SANWO_TCP_FAST_OPEN,          /* of a listener only: sanwo_tcp_listen's `fast_open` */
    SANWO_TCP_OPTION_END          /* no option: one past the last */
};

/** EINVAL for an unknown option or a value out of range. On a listener: for connections to come. */
SANWO_API int sanwo_tcp_set_option(struct sanwo_stack *s, struct sanwo_handle h,
                                   enum sanwo_tcp_option option, int64_t value, sanwo_time now);
SANWO_API int sanwo_tcp_get_option(struct sanwo_stack *s, struct sanwo_handle h,
                                   enum sanwo_tcp_option option, int64_t *value);

SANWO_END
#endif
