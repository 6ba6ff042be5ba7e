/*
 * sanwo/stack.h - A host: you give it memory, time and packets; it gives you packets, events and a deadline.
 *
 *     for (;;) {
 *         n = driver_receive(frames);            sanwo_stack_receive(stack, frames, n, now);
 *         while (sanwo_stack_events(...) > 0)    the application acts
 *         while (sanwo_stack_transmit(...) > 0)  driver_transmit(frames), sanwo_stack_sent(...)
 *         sleep until sanwo_stack_deadline(stack) or a descriptor
 *     }
 *
 * No globals, no threads, no locks, no clock, no system calls; no memory but the region. `now` never
 * runs backwards inside: an earlier time than before counts as the one before. One thread at a time.
 */
#ifndef SANWO_STACK_H
#define SANWO_STACK_H

#include <sanwo/address.h>
#include <sanwo/error.h>
#include <sanwo/frame.h>
#include <sanwo/observer.h>
#include <sanwo/tcp.h>

SANWO_BEGIN

struct sanwo_stack_config {
    uint8_t seed[32];   /* all randomness comes from here: from the OS's entropy, secret */
    bool deterministic; /* tests: an all-zero seed is meant; otherwise it is refused */
    uint64_t budget;    /* most bytes of region in use at one time, at least 192 KiB; 0: all */
    uint32_t max_connections;  /* control blocks; default 65536 */
    uint32_t max_half_open;    /* default 16384 */
    uint32_t max_time_wait;    /* the oldest makes room; default 65536 */
    uint32_t max_listeners;    /* default 1024 */
    uint16_t max_links;        /* default 8 */
    uint16_t max_addresses;    /* default 64 */
    uint16_t max_routes;       /* default 64 */
    uint16_t max_neighbours;   /* default 512 */
    uint16_t ephemeral_first;  /* local ports of connect(), inclusive; default 32768 */
    uint16_t ephemeral_last;   /* default 60999 */
    uint16_t max_replies;      /* stateless answers waiting to be sent; default 1024 */
    uint32_t reset_rate;       /* resets to closed ports per second, to one peer half of that;
                                    default 1000 */
    uint32_t icmp_rate;        /* ICMP errors per second; default 100 */
    bool answer_echo;          /* ping; default true */
    bool cookie_key_is_set;    /* stacks that share `cookie_key`, and whose clocks agree within a */
    uint8_t cookie_key[16];    /* minute, complete each other's handshakes; else a random one */
    bool fast_open_key_is_set; /* the same for Fast Open: stacks that share `fast_open_key` take */
    uint8_t fast_open_key[16]; /* each other's cookies (RFC 7413 6.3.4); else a random one */
    uint32_t max_peers; /* remembered: Fast Open cookies, and more if `remember_peers` is set in the
                              options of connections; 0: none; default 256 */
    struct sanwo_tcp_config tcp; /* what every connection starts with */
    struct sanwo_observer observer;
};

/** Fills in the defaults; the seed stays zero. */
SANWO_API void sanwo_stack_config_default(struct sanwo_stack_config *config);

/** Bytes of region for @config: its tables plus @budget (config->budget, or 256 MiB if that is 0). */
SANWO_API size_t sanwo_stack_region_size(const struct sanwo_stack_config *config);

/**
 * Makes a stack in [region, region + size), 4096-aligned. Memory never used is never touched, so the
 * region may be reserved generously. There is nothing to destroy: drop the region.
 * Errors: EINVAL (arguments, zero seed), ENOMEM (region too small for the tables).
 */
SANWO_API int sanwo_stack_create(void *region, size_t size, const struct sanwo_stack_config *config,
                                 sanwo_time now, struct sanwo_stack **out);

/* ---- links, addresses, routes -------------------------------------------------------------- */

enum sanwo_link_kind {
    SANWO_LINK_IP = 1,   /* bare IP packets: TUN, pair */
    SANWO_LINK_ETHERNET, /* Ethernet frames with ARP: TAP, veth */
};

/** What a link can take off us when sending. */
enum {
    SANWO_OFFLOAD_CHECKSUM = 1, /* finishes PARTIAL checksums */
    SANWO_OFFLOAD_TSO4 = 2,     /* cuts TCP over IPv4 super-segments */
    SANWO_OFFLOAD_TSO6 = 4,
};

struct sanwo_link_config {
    char name[16];           /* for messages */
    uint8_t kind;            /* enum sanwo_link_kind */
    uint8_t mac[6];          /* Ethernet */
    uint16_t mtu;            /* of IP packets: 68 (IPv6: 1280) to 65535 */
    uint32_t offload;        /* SANWO_OFFLOAD_... */
    uint32_t super_segment;  /* most payload bytes of a super-segment; 0: 65535 less headers */
    bool distrust_checksums; /* verify even what the link calls valid */
};

/** Adds a link, up. Returns its number (>= 0) for frames. EINVAL, ELIMIT. */
SANWO_API int sanwo_stack_link_add(struct sanwo_stack *s, const struct sanwo_link_config *config);
/** Down: nothing is sent or received there; connections wait. Up again: they try at once. */
SANWO_API int sanwo_stack_link_set_up(struct sanwo_stack *s, unsigned link, bool up,
                                      sanwo_time now);
SANWO_API int sanwo_stack_link_set_mtu(struct sanwo_stack *s, unsigned link, uint16_t mtu);

/**
 * Gives the link an address with an on-link prefix of @prefix_length bits. IPv6 addresses on
 * Ethernet need neighbour discovery, which is not there yet: EOPNOTSUPP. EINVAL, ELIMIT, EADDRINUSE.
 */
SANWO_API int sanwo_stack_address_add(struct sanwo_stack *s, unsigned link,
                                      const struct sanwo_address *address, unsigned prefix_length);
/** Connections with that local address keep trying; it may come back. EADDRNOTAVAIL. */
SANWO_API int sanwo_stack_address_remove(struct sanwo_stack *s,
                                         const struct sanwo_address *address);

/** Longest prefix wins. @gateway of family NONE: on-link. EINVAL, ELIMIT, ENETUNREACH (gateway). */
SANWO_API int sanwo_stack_route_add(struct sanwo_stack *s, const struct sanwo_address *network,
                                    unsigned prefix_length, const struct sanwo_address *gateway,
                                    unsigned link);
SANWO_API int sanwo_stack_route_remove(struct sanwo_stack *s, const struct sanwo_address *network,
                                       unsigned prefix_length);

/* ---- packets -------------------------------------------------------------------------------- */

/**
 * Lends up to @n empty buffers of at least @size bytes each, to be filled by a driver and handed in
 * as slices with sanwo_stack_receive(), which takes them back, or with sanwo_stack_return(). Returns
 * how many; 0 when memory is short: then read into memory of your own and drop.
 */
SANWO_API size_t sanwo_stack_borrow(struct sanwo_stack *s, size_t size, struct sanwo_room *rooms,
                                    size_t n);
SANWO_API void sanwo_stack_return(struct sanwo_stack *s, uint32_t buffer);

/**
 * Packets in. All headers must lie in slice 0. Slices with `buffer` set are borrowed ones and belong
 * to the stack again afterwards; the bytes of others are copied as far as they are kept and may be
 * reused as soon as the call returns. Sends nothing: output is pulled.
 */
SANWO_API void sanwo_stack_receive(struct sanwo_stack *s, const struct sanwo_frame *frames,
                                   size_t n, sanwo_time now);

/**
 * Packets out: fires what is due and fills up to @max frames. Returns how many; 0: nothing (more) to
 * send now. The slices stay valid until sanwo_stack_sent() is called with the frame, which must be
 * once for each, in any order.
 */
SANWO_API size_t sanwo_stack_transmit(struct sanwo_stack *s, struct sanwo_frame *frames, size_t max,
                                      sanwo_time now);
SANWO_API void sanwo_stack_sent(struct sanwo_stack *s, const struct sanwo_frame *frames, size_t n);

/**
 * When to turn the loop next if nothing else happens: SANWO_TIME_NEVER if never, a time in the past
 * if there is something to send, or an event to take, now.
 */
SANWO_API sanwo_time sanwo_stack_deadline(const struct sanwo_stack *s);

/* ---- events --------------------------------------------------------------------------------- */

enum {
    SANWO_EVENT_CONNECTED = 1 << 0, /* the handshake is complete (of a connect) */
    SANWO_EVENT_READABLE = 1 << 1,  /* data came, or the end of the stream */
    SANWO_EVENT_WRITABLE = 1 << 2,  /* a send that got EAGAIN or less than asked may go on */
    SANWO_EVENT_PEER_CLOSED =
        1 << 3, /* the peer's FIN: no more data after what is queued (MUST-12) */
    SANWO_EVENT_CLOSED =
        1 << 4, /* over, both ways; `error` 0: orderly, else why. Close the handle */
    SANWO_EVENT_ACCEPT = 1 << 5,     /* a listener: sanwo_tcp_accept() has something */
    SANWO_EVENT_REQUEST = 1 << 6,    /* a deciding listener: sanwo_tcp_request() has something */
    SANWO_EVENT_URGENT = 1 << 7,     /* the urgent pointer arrived or advanced (MUST-32) */
    SANWO_EVENT_SOFT_ERROR = 1 << 8, /* noted, not fatal; `error` says what (MUST-47) */
    SANWO_EVENT_RELEASED = 1 << 9,   /* memory given to send_ref is yours again */
    SANWO_EVENT_DRAINED = 1 << 10,   /* everything sent was acknowledged */
};

struct sanwo_event {
    struct sanwo_handle handle;
    void *user;    /* as given to connect, accept or listen */
    uint32_t what; /* SANWO_EVENT_... of everything since the last time */
    int error;     /* SANWO_E... or 0 */
};

/** Takes up to @max events; one per object with all that happened to it. Returns how many. */
SANWO_API size_t sanwo_stack_events(struct sanwo_stack *s, struct sanwo_event *events, size_t max);

/* ---- statistics and snapshots --------------------------------------------------------------- */

struct sanwo_stack_stats {
    uint64_t frames_in, frames_out;
    uint64_t bytes_in, bytes_out;
    uint64_t segments_in, segments_out; /* super-segments count once */
    uint64_t segments_retransmitted;
    uint64_t resets_out, challenge_acks;
    uint64_t connections_opened, connections_accepted, connections_failed, connections_reset;
    uint64_t icmp_in, icmp_out;
    uint32_t connections, half_open, time_wait, listeners; /* now */
    uint64_t memory_used, memory_peak, memory_budget;
    uint64_t memory_refused;
    uint64_t reasons[SANWO_REASON_COUNT]; /* how often each reason was given for a drop */
};

SANWO_API void sanwo_stack_stats(const struct sanwo_stack *s, struct sanwo_stack_stats *out);

/** What is remembered of a peer (RFC 9040). */
struct sanwo_peer {
    struct sanwo_address address;
    sanwo_time srtt, rttvar;         /* 0: not measured */
    uint32_t ssthresh;               /* full segments; 0: no loss was seen */
    uint32_t mss;                    /* it announced last; 0: not known */
    bool reordering;                 /* segments overtake each other on the way */
    uint8_t fast_open_cookie;        /* bytes of the cookie that we have; 0: none */
    sanwo_time fast_open_blocked;    /* it failed, and is not tried for so long; 0: it may be */
    uint16_t fast_open_blocked_port; /* 0: all */
};

/** Fills in up to @max of them, from the @first on, in no order. Returns how many. */
SANWO_API size_t sanwo_stack_peers(const struct sanwo_stack *s, size_t first,
                                   struct sanwo_peer *out, size_t max);
/** Forgets what is known of that address, or of all (NULL), and gives the memory back. Returns how many. */
SANWO_API size_t sanwo_stack_peers_forget(struct sanwo_stack *s,
                                          const struct sanwo_address *address);

/** The stack's current time: the latest `now` it was given. */
SANWO_API sanwo_time sanwo_stack_now(const struct sanwo_stack *s);

/** Bytes that a snapshot needs now. Grows with the memory in use, not with the region. */
SANWO_API size_t sanwo_stack_snapshot_size(const struct sanwo_stack *s);
/** Copies the whole state to @out. No frame may be out (transmitted and not sent). EMSGSIZE. */
SANWO_API int sanwo_stack_snapshot(const struct sanwo_stack *s, void *out, size_t size);
/**
 * Makes the stack of @snapshot in @region (the same or another one, at least as large as the one it
 * was taken from). The observer and the users' pointers are as at the time of the snapshot. ESNAPSHOT.
 */
SANWO_API int sanwo_stack_restore(void *region, size_t region_size, const void *snapshot,
                                  size_t size, struct sanwo_stack **out);
/** Replaces the observer. */
SANWO_API void sanwo_stack_observe(struct sanwo_stack *s, const struct sanwo_observer *observer);

/** Tests: the @nth allocation from now is refused, once; 0 stops that. */
SANWO_API void sanwo_stack_inject_fault(struct sanwo_stack *s, uint64_t nth);

SANWO_END
#endif
