/*
 * model.h - Exhaustive exploration of the shipping code: two stacks, a wire, applications, timers.
 *
 *         applications                      applications
 *              |                                 |
 *     timers - host 0 - wire[0]: fifo, strays -> host 1 - timers
 *                     <- wire[1]: fifo, strays -
 *
 * A *situation* is all of this at one time. A *step* is one thing that may happen: a segment is
 * delivered, lost, doubled or delayed; a timer fires; an application makes a call. After each step
 * the host that took part sends all it wants to send, and everything that must hold is checked. The
 * explorer takes every step from every situation, breadth first, so the path to a violation is the
 * shortest. What is abstracted, and how that is checked: docs/decisions/0012-exploration.md.
 */
#ifndef TESTS_MODEL_MODEL_H
#define TESTS_MODEL_MODEL_H

#include "stack/stack.h"

#include <stdio.h>

#define MODEL_FIFO 10 /* segments in flight in order, one way; more is a storm */
#define MODEL_STRAYS                                                                               \
    4                 /* delayed or doubled ones, one way: each comes at any later time, or never */
#define MODEL_LIVES 6 /* control blocks that one host may make on one path */
#define MODEL_DEPTH 400 /* longest path, a fair end included */
#define MODEL_WRITE 2048
#define MODEL_REGION (512u << 10)
#define MODEL_MSL SANWO_SEC(30)

/* ---- what may happen ------------------------------------------------------------------------- */

enum model_kind {
    STEP_DELIVER, /* the first of the fifo arrives */
    STEP_STRAY,   /* a stray arrives */
    STEP_DROP,    /* the first of the fifo is lost */
    STEP_DOUBLE,  /* it arrives, and a copy of it stays behind as a stray */
    STEP_DELAY,   /* it becomes a stray: others may overtake it */
    STEP_TIMER,   /* time goes on for this host to its next timer */
    STEP_LISTEN,
    STEP_CONNECT,
    STEP_UPGRADE, /* the listener becomes an active open: LISTEN -> SYN-SENT */
    STEP_UNLISTEN,
    STEP_WRITE,
    STEP_READ,
    STEP_SHUTDOWN,
    STEP_WRITE_SHUTDOWN, /* both before anything is sent: data and FIN in one segment */
    STEP_CLOSE,
    STEP_ABORT,
    STEP_REBOOT, /* the host is a fresh one that knows nothing */
    STEP_KINDS
};

struct model_step {
    uint8_t kind;  /* enum model_kind */
    uint8_t side;  /* the host that acts, or that the segment is for */
    uint8_t index; /* of a stray */
};

/** What the applications of one host may do, and how often. */
struct model_allow {
    uint8_t listens, connects, writes, reboots;
    uint16_t write_size; /* bytes, at most MODEL_WRITE */
    bool upgrade, unlisten, shutdown, write_shutdown, close, abort;
    bool read_by_hand; /* reading is a step; else all is read at once */
    bool gentle;       /* closes only what it read to the end */
};

struct model_scenario {
    const char *name;
    struct model_allow allow[2];
    uint8_t faults;          /* drops, doublings, delays, and timers that fire early, on one path */
    uint8_t depth;           /* of an ordinary run */
    uint8_t deep;            /* of a long one */
    uint16_t receive_buffer; /* of both; 0: ample */
    bool established;        /* begins with host 0 connected to host 1, which listens no more */
    bool timestamps, sack;
    bool wrap;      /* sequence numbers wrap around in the first bytes */
    bool impatient; /* one retransmission, and each host gives up */
};

/* ---- a situation ----------------------------------------------------------------------------- */

enum model_ended {
    ENDED_NEVER_BEGAN,
    ENDED_IN_ORDER, /* LAST-ACK or TIME-WAIT came to its end */
    ENDED_BROKEN,   /* reset, aborted, timed out, rebooted */
};

/** One host's applications, and what the model remembers of its control block. */
struct model_end {
    struct sanwo_handle listener, conn;
    bool has_listener, has_conn;
    bool may_accept;                              /* the listener told so */
    uint8_t listened, connected, wrote, rebooted; /* calls made */
    uint8_t lives;                                /* control blocks begun */
    uint16_t written[MODEL_LIVES];                /* bytes, by life */
    uint16_t got[MODEL_LIVES];                    /* bytes read, by the peer's life */
    uint16_t read;                                /* of the connection that is open */
    uint8_t peer_life;                            /* whose bytes they are; lives count from 1 */
    bool shut, eof, failed;
    uint8_t ended; /* enum model_ended: the last control block */
    /* The last control block's numbers; valid while `known`. */
    bool known, irs_known;
    uint32_t iss, irs;
    uint32_t snd_una, rcv_nxt, rcv_adv;
};

struct model_wire {
    uint8_t count, strays;
    uint32_t fifo[MODEL_FIFO]; /* names of segments */
    uint32_t stray[MODEL_STRAYS];
};

struct model_situation {
    struct model_end end[2];
    struct model_wire wire[2]; /* [0]: from host 0 to host 1 */
    uint8_t faults;            /* left */
    bool at_odds; /* the ends have, or had when one of them gave up, different connections */
};

/* ---- the model ------------------------------------------------------------------------------- */

/** A stack's snapshot, as lines that differ from the snapshot of a fresh one. */
struct model_image {
    uint32_t references;
    uint32_t size; /* of the snapshot */
    uint32_t lines;
    uint32_t line[]; /* numbers, then the lines themselves */
};

struct model_host {
    struct model *model;
    unsigned side;
    uint8_t *region;
    struct sanwo_stack *stack;
    uint8_t *base;              /* the snapshot of the fresh stack, zeros behind */
    uint8_t *opened, *scratch;  /* snapshots: of `loaded`, and one just taken */
    struct model_image *loaded; /* what `opened` holds; NULL: the base */
    struct model_image *fresh;
    struct sanwo_address address;
};

struct model_segment {
    uint16_t length;
    uint8_t bytes[];
};

struct model {
    const struct model_scenario *scenario;
    struct model_situation at;
    struct model_host host[2];
    struct {
        struct model_segment **all; /* by name, from 1 */
        uint32_t count, capacity;
        uint32_t *slots; /* hash table of names */
        uint32_t mask;
    } segments;
    bool effect;      /* something was observed since it was last cleared */
    bool fair;        /* the wire delivers everything: nobody has reason to give up */
    bool violent;     /* users close whatever is to come, which may break a connection */
    uint8_t trail[8]; /* states that one host passed through in the current step */
    unsigned trail_length;
    char violation[256]; /* the first; empty: none */
    /* seen so far, over all paths */
    uint64_t edge[SANWO_TCP_STATE_COUNT][SANWO_TCP_STATE_COUNT];
    uint64_t reset_from[SANWO_TCP_STATE_COUNT]; /* to CLOSED or LISTEN by the peer's reset */
    uint64_t abort_from[SANWO_TCP_STATE_COUNT]; /* by the user */
    uint64_t time_out_from[SANWO_TCP_STATE_COUNT];
    uint64_t fin_wait_1_to_time_wait; /* within one segment: note 2 of figure 5 */
    uint64_t pair[SANWO_TCP_STATE_COUNT][SANWO_TCP_STATE_COUNT]; /* same connection at both ends */
    uint64_t half_open_pair[SANWO_TCP_STATE_COUNT][SANWO_TCP_STATE_COUNT];
    uint64_t memory_peak;
};

/** Says what is wrong; the first time counts. Returns false. */
bool model_violation(struct model *m, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* host.c: making stacks, and turning their loop */
/** False: a violation already while one connection from each side comes and goes. */
bool model_create(struct model *m, const struct model_scenario *scenario);
void model_destroy(struct model *m);
uint32_t model_iss(const struct model *m, unsigned side, unsigned life);
/** Which life @iss is of, from 1; 0: none. */
unsigned model_life(const struct model *m, unsigned side, uint32_t iss);
/** Events, reads by the application, output: until the host has no more to do. */
bool model_turn(struct model *m, unsigned side);
bool model_receive(struct model *m, unsigned side, uint32_t segment);
/** Time goes on until a timer does something. False: violation; or nothing is armed: no effect. */
bool model_fire(struct model *m, unsigned side);
void model_reboot(struct model *m, unsigned side);

/* image.c: snapshots in small */
struct model_image *model_image_take(struct model *m, unsigned side);
void model_image_load(struct model *m, unsigned side, struct model_image *image);
void model_image_release(struct model_image *image);

/* wire.c */
uint32_t model_segment_name(struct model *m, const struct sanwo_frame *frame);
void model_segments_free(struct model *m);
const struct model_segment *model_segment_at(const struct model *m, uint32_t name);
bool model_wire_send(struct model *m, unsigned from, const struct sanwo_frame *frame);
uint32_t model_wire_take(struct model_wire *wire);
uint32_t model_wire_take_stray(struct model_wire *wire, unsigned index);
void model_wire_add_stray(struct model_wire *wire, uint32_t name);
struct model_fields {
    uint32_t seq, ack;
    uint16_t window;
    uint8_t flags;
    uint16_t length;     /* payload */
    const uint8_t *tcp;  /* the header and all behind it ... */
    uint16_t tcp_length; /* ... and how much that is */
    uint16_t header;     /* bytes of TCP header */
};
void model_segment_read(const struct model_segment *segment, struct model_fields *out);

/* application.c: calls, and what the streams must hold */
bool model_application_may(const struct model *m, unsigned side, uint8_t kind);
bool model_application_do(struct model *m, unsigned side, uint8_t kind);
bool model_application_poll(struct model *m, unsigned side);
bool model_application_read(struct model *m, unsigned side);

/* step.c */
size_t model_steps(const struct model *m, struct model_step *out);
/** Takes the step and checks everything. False: violation. */
bool model_take(struct model *m, struct model_step step);

/* project.c: what makes two situations the same */
uint64_t model_key(const struct model *m);

/* view.c: what a host has, seen from inside */
struct model_view {
    const struct tcp_connection *conn; /* with a state other than CLOSED */
    const struct tcp_half_open *half_open;
    const struct tcp_time_wait *time_wait;
    const struct tcp_listener *listener;
    unsigned husks; /* closed control blocks that are the user's to see, or to accept */
    uint8_t state;  /* of the control block, the record, the listener, or CLOSED */
    bool present;   /* a control block or record */
};
void model_view(const struct model *m, unsigned side, struct model_view *out);
/** When the next timer does something; SANWO_TIME_NEVER. */
sanwo_time model_next_timer(const struct model *m, unsigned side);

/* invariants.c, pairs.c */
bool model_check(struct model *m);
void model_pairs_report(const struct model *sum, FILE *out);
bool model_check_pair(struct model *m, const struct model_view view[2]);
/** Both have a control block or record, and it is the same connection as far as both know. */
bool model_belong_together(const struct model_end *a, const struct model_end *b);
/** Bytes of region in use, the slabs of pools left out. */
uint64_t model_working_memory(const struct model *m, unsigned side);
bool model_check_empty(struct model *m);

/* answers.c: what may not be met with silence */
struct model_expectation {
    uint8_t state;
    bool is_limited;  /* its challenge ACK for this instant has gone */
    bool has_unread;  /* bytes that the user did not read */
    bool is_held;     /* the connection is the one that the user has, not one that closed before */
    bool is_crossing; /* both opened at once, and our SYN is not acknowledged */
    uint32_t iss;
    uint32_t segment; /* that arrives; 0: none */
    unsigned sent;    /* segments in the fifo before */
};
void model_expect(const struct model *m, struct model_step step, struct model_expectation *out);
bool model_check_answer(struct model *m, struct model_step step,
                        const struct model_expectation *before);

/* finish.c: the fair end */
enum model_manner { FINISH_PATIENT, FINISH_AT_ONCE, FINISH_MANNERS };
/** The next step of a fair wire and applications that finish; false: it is over. */
bool model_finish_step(struct model *m, enum model_manner manner, struct model_step *step);

/* ladder.c: for the reader */
void model_print_situation(const struct model *m, FILE *out);
void model_print_step(const struct model *m, struct model_step step, FILE *out);

/* trap.c: false if @run did not come back */
bool model_survives(bool (*run)(void *context), void *context, bool *result);

/* path.c: how a situation was reached, taken again from the start */
struct model_path {
    struct model_step step[MODEL_DEPTH];
    unsigned length;
};
void model_path_print(const struct model_scenario *scenario, const struct model_path *path,
                      FILE *out);

/* store.c: situations already seen */
struct model_record {
    uint64_t key;
    uint64_t successors; /* the sum of theirs, once expanded */
    uint32_t parent;     /* of the first; UINT32_MAX: the start */
    struct model_step step;
    uint8_t depth, faults; /* most faults left with which it was reached */
    bool expanded;
};
struct model_store {
    struct model_record *record;
    uint32_t count, capacity;
    uint32_t *slots; /* index of a record, plus one */
    uint32_t mask;
    struct {
        uint64_t *slots; /* keys; 0: free */
        uint64_t count, mask;
    } ends; /* situations from which the fair end is known to come */
};
void model_store_free(struct model_store *store);
/** The record of @key, made if it is not there (then *is_new). The index stays, the record may move. */
uint32_t model_store_find(struct model_store *store, uint64_t key, bool *is_new);
bool model_store_has_end(const struct model_store *store, uint64_t key);
void model_store_add_end(struct model_store *store, uint64_t key);

/* explore.c */
struct model_report {
    uint64_t states, transitions, fair_steps;
    unsigned depth;
    bool complete;               /* nothing was left to expand */
    uint64_t samples, differing; /* of equal keys: successors compared, and found different */
    uint64_t image_bytes;        /* of both stacks, on average over the states */
};
/** False: a violation, which was told. @limit: most states; 0: none. */
bool model_explore(struct model *m, unsigned depth, uint64_t limit, struct model_report *out);

/* edges.c */
void model_edges_merge(struct model *sum, const struct model *m);
/** Prints what was seen; the number of edges that must be there and are not. */
unsigned model_edges_report(const struct model *sum, FILE *out);

/* scenarios.c */
extern const struct model_scenario model_scenarios[];
extern const size_t model_scenario_count;

#endif
