/*
 * stateful.h - The world of the stateful target: a stack, its user, its peer, the wire, the clock.
 *
 *     user's calls ---> stack <--- packets --- the peer's model, one `far` for each flow
 *                         |                       ^
 *                         '-- emitted frames -----'   every one is looked at (stateful_check.c)
 *
 * The peer is no TCP: it knows the live numbers of both directions from what the stack emits, can
 * acknowledge truly (SACK and D-SACK included) and can place any segment near them. What a stream
 * holds follows from the sequence number alone, so both sides' bytes can be told right from wrong
 * at any place.
 */
#ifndef TESTS_FUZZ_STATEFUL_H
#define TESTS_FUZZ_STATEFUL_H

#include "shared_wire.h"
#include "stateful_ops.h"

#define FLOWS 6
#define USERS 16
#define LISTENERS 4
#define HELD 8            /* ranges that the peer holds behind a hole */
#define FORGED 8          /* ranges of which the peer sent a second version */
#define WIRE 64           /* packets on their way to the stack */
#define HISTORY 16        /* earlier packets, to come again */
#define HELD_FRAMES 24    /* frames that the driver keeps */
#define FIRST_PORT 1000   /* of the peer: flow 0 */
#define LISTEN_PORT 80    /* of the stack: listener 0 */
#define CONNECT_PORT 5000 /* of the stack: connections of flow 0 */
#define STREAM_PERIOD 65536u
#define MOST_BYTES 65536u /* in one call of the user */

struct span {
    uint32_t left, right;
};

/* The peer's end of a flow, and what of the stack's end it and the user know. */
struct far {
    struct sanwo_endpoint theirs, ours; /* the peer's, the stack's */
    /* the peer's stream */
    uint32_t isn, nxt;   /* `nxt`: where it goes on */
    uint32_t window_max; /* the largest window it ever announced */
    bool forged_all;     /* more second versions than can be remembered */
    unsigned forged_count;
    struct span forged[FORGED];
    /* the stack's stream, as the peer got it */
    bool iss_known;
    uint32_t iss, rcv_nxt, end, acked;
    unsigned held_count;
    struct span held[HELD]; /* the latest first */
    struct span duplicate;  /* to be reported as D-SACK */
    /* what the stack acknowledged and announced */
    bool ack_known, edge_known;
    bool agreed, ts_agreed; /* the handshake settled the options; `scale` is as agreed */
    uint32_t ack, edge;
    uint8_t scale;
    /* options */
    uint8_t offers;                         /* of the peer's last SYN: OFFER_... */
    bool stack_ts, stack_sack, stack_scale; /* of the stack's last SYN */
    uint8_t own_scale, scale_max;           /* what it offers; the most it ever did */
    uint16_t mss, window;
    uint32_t ts_echo, ts_base;
    bool has_sacks, has_raw;
    struct span sacks[3];
    uint8_t raw[8];
    /* the user's side of it */
    int user;          /* the latest handle, -1: none */
    uint32_t user_end; /* behind the last byte that the user gave */
    bool user_fin, user_aborted;
    bool honest;  /* from now on it is a true TCP: stateful_settle.c */
    bool tainted; /* it said of itself what it cannot take back */
    /* what the peer does by itself */
    bool automatic;
    uint8_t lose, every, seen, lateness;
    uint8_t *last; /* the last packet that the stack emitted here */
    size_t last_length;
};

enum { OFFER_TS = 1, OFFER_SACK = 2, OFFER_SCALE = 4, OFFER_MSS = 8 };

struct user {
    bool used;
    struct sanwo_handle handle;
    int flow;
    uint32_t iss;
    uint64_t sent, received;
    uint32_t receive_limit, send_limit; /* the largest the buffers ever were */
    uint64_t references;
    uint32_t reserved; /* bytes of an open reservation */
    bool fin, closed_event, failed;
};

struct packet {
    sanwo_time due;
    uint8_t *bytes;
    size_t length;
};

struct world {
    struct sanwo_stack_config config;
    struct sanwo_stack *stack;
    uint8_t *region, *spare; /* `spare`: where a restored copy goes */
    size_t region_size;
    unsigned link;
    uint16_t mtu;
    sanwo_time now, origin;
    struct far flows[FLOWS];
    struct user users[USERS];
    struct sanwo_handle listeners[LISTENERS];
    struct sanwo_handle stale[HISTORY];
    unsigned stale_count;
    struct packet wire[WIRE];
    unsigned wire_count;
    struct packet history[HISTORY];
    unsigned history_next;
    struct packet batch[HISTORY];
    unsigned batch_count, batch_left;
    uint8_t via, via_left;
    struct sanwo_frame held[HELD_FRAMES];
    unsigned held_count;
    bool holding;
    uint8_t quiet;
    bool faults;  /* an allocation was refused on purpose */
    bool changed; /* packets were changed, or addresses and routes: all may come to a stop */
    bool garbled; /* ... so that wrong bytes may be taken for the peer's */
    bool settles;
    struct sanwo_address unreachable;
};

/* ---- stateful_world.c ------------------------------------------------------------------------ */

void world_create(struct world *w, const uint8_t config[STATEFUL_RECORD]);
/** Everything is let go of; nothing may be left. */
void world_end(struct world *w);
/** Transmits until there is nothing, looks at it all, takes events, and delivers what is due. */
void world_pump(struct world *w);
/** The clock goes to @to, with each deadline on the way. */
void world_run_until(struct world *w, sanwo_time to);
/** Gives back the frames that the driver kept, in an order that @salt chooses. */
void world_release(struct world *w, uint8_t salt);
bool time_operation(struct world *w, const uint8_t *record);

/* What the byte of each stream is at a sequence number. */
const uint8_t *stack_stream(unsigned flow, uint32_t seq);
const uint8_t *peer_stream(unsigned flow, uint32_t seq, bool forged);

/* ---- stateful_peer.c ------------------------------------------------------------------------- */

bool peer_operation(struct world *w, const uint8_t *record);
/** Packets on their way that have arrived by now. Returns whether there were any. */
bool peer_deliver_due(struct world *w);
void peer_flush_batch(struct world *w);
/** The flow of such a segment of the stack's, or NULL. */
struct far *peer_flow_of(struct world *w, const struct flow *flow);
/** A segment of the stack's arrived at the peer. */
void peer_took(struct world *w, struct far *f, const struct segment *seg);
/** The next time that a packet on the wire arrives. */
sanwo_time peer_deadline(const struct world *w);
void peer_forget(struct far *f);

/* ---- stateful_calls.c ------------------------------------------------------------------------ */

bool call_operation(struct world *w, const uint8_t *record);
struct user *call_user_of(struct world *w, struct sanwo_handle h);
/** Lets go of @u by CLOSE or ABORT. */
void call_let_go(struct world *w, struct user *u, bool abort);

/* ---- stateful_check.c ------------------------------------------------------------------------ */

/** An emitted frame: is it right, and may it be sent now? */
void check_frame(struct world *w, const struct sanwo_frame *frame);
void check_event(struct world *w, const struct sanwo_event *event);
/** Bytes that the user read or peeked at: @ahead of what was received. */
void check_received(struct world *w, const struct user *u, const uint8_t *bytes, size_t n,
                    uint64_t ahead);
/** What the stack's observer is told. */
void check_observation(void *context, const struct sanwo_observation *what);
/** What must hold between any two operations. */
void check_all(struct world *w);
/** What must hold when everything was let go of and the clock ran on. */
void check_nothing_left(struct world *w);

/* ---- stateful_settle.c ----------------------------------------------------------------------- */

void world_settle(struct world *w);

/* ---- stateful_arrival.c ---------------------------------------------------------------------- */

/* A connection when a segment is about to arrive. */
struct arrival {
    struct user *user; /* NULL: nothing is known of it */
    bool vouched;      /* the driver may say that a wrong checksum is right */
    struct sanwo_tcp_info info;
};

struct arrival arrival_before(struct world *w, const struct far *f);
/** It arrived: nothing happened but what this segment may bring about. */
void arrival_after(struct world *w, const struct arrival *a, const struct segment *seg);

static inline bool seq_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline struct user *flow_user(struct world *w, unsigned flow)
{
    int i = w->flows[flow].user;
    return i >= 0 && w->users[i].used ? &w->users[i] : NULL;
}

#endif
