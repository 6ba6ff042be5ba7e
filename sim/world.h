/*
 * world.h - Two hosts, a network between them, and applications that check every byte. Virtual time.
 *
 *     ends (talks) -- stack A -- watch -- emulator -- pair -- emulator -- watch -- stack B -- ends
 *                                  |                                        |
 *                                  '----- hash of all frames, budget -------'
 *
 * A talk is one connection: two ends, each with a plan of what it sends and how it leaves. What an
 * end sends is a function of (talk, direction, offset), so the other end knows every byte that it
 * must get. Whatever breaks a rule is told to `on_failure`, and from then on the world stands still.
 *
 * All chance of a world comes from one generator, seeded by a name and a number. Without memory the
 * program ends: a simulator has nothing better to do.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <stdio.h>

#include <sanwo/loop.h>

#include "chance.h"

/* ---- plans ------------------------------------------------------------------------------------- */

enum world_ending {
    WORLD_SHUTDOWN = 0, /* half-close when all is sent, read to the end, close */
    WORLD_CLOSE,        /* close, whatever may still come */
    WORLD_ABORT,        /* reset */
    WORLD_STAY,         /* keeps the connection until told otherwise */
};

/** What one end of a connection does. */
struct world_plan {
    uint64_t send;       /* bytes */
    uint32_t most_write; /* largest write, sizes are random up to it; 0: 64 KiB */
    uint32_t most_read;
    uint32_t stall_ppm;  /* chance to pause after a read ... */
    sanwo_time stall;    /* ... for up to this long */
    sanwo_time start;    /* begins to read and write so long after opening */
    uint32_t urgent_ppm; /* writes that are urgent */
    uint8_t ending;      /* enum world_ending */
    bool patient;        /* gives the handle back when all is over, not when all is read and said */
    sanwo_time after;    /* CLOSE, ABORT: so long after opening; 0: when all is sent */
};

struct world;
struct world_talk;

struct world_end {
    struct world *world;
    struct world_talk *talk; /* NULL: accepted, but nobody knows who opened it */
    unsigned side;
    bool opener;
    struct world_plan plan;
    struct sanwo_handle handle;
    bool open;      /* we hold the handle */
    bool connected; /* the handshake is complete */
    bool ended;     /* shutdown, close or abort was called */
    bool eof;       /* read the peer's end of stream */
    bool over;      /* CLOSED event seen */
    bool finished;  /* handle given back */
    bool lingers;   /* waits for CLOSED before it gives the handle back */
    bool vanished;  /* its host rebooted */
    int error;      /* SANWO_E... that it ended with */
    uint64_t sent, received;
    uint16_t port, peer_port;
    uint16_t tail_probes; /* that it had sent when last looked at */
    sanwo_time opened, read_after, retry;
    struct world_end *next; /* of all ends, in the order of opening */
};

struct world_talk {
    unsigned number;
    uint16_t port; /* of the opener */
    uint32_t iss;
    unsigned opener_side;
    bool simultaneous;        /* both ends opened it */
    struct world_end *end[2]; /* opener's, acceptor's (NULL until accepted) */
    struct world_plan acceptor_plan;
    struct world_talk *next;
};

/* ---- the world --------------------------------------------------------------------------------- */

/** What several worlds may share, one after the other: saves making it anew. */
struct world_ground {
    uint8_t *text;
    void *region[2];
    size_t region_size[2];
};

void world_ground_dispose(struct world_ground *ground);

struct world_config {
    const char *name;
    uint64_t salt;
    uint8_t family; /* enum sanwo_family */
    uint16_t mtu;
    bool direct;                               /* no emulators: stacks meet in the pair */
    uint32_t offload;                          /* of the pair, if direct */
    struct sanwo_emulator_path path[2];        /* from A to B, from B to A */
    struct sanwo_emulator_middlebox middlebox; /* at A's door */
    struct sanwo_stack_config stack[2];
    bool isn_is_set;
    uint32_t isn[2];
    uint32_t backlog;
    bool fast_open[2];           /* hosts whose openers send data with the SYN (RFC 7413) ... */
    uint32_t fast_open_queue[2]; /* ... and whose listeners take it, so many at a time */
    bool observed;               /* the hash takes in all that is observed, not frames alone */
    const char *pcap;            /* writes down what passes at A's link; or NULL */
    struct world_ground *ground; /* or NULL: everything of its own */
    /** Told of each stack's observations (`side` 0, 1), if not NULL. */
    void (*on_observation)(void *context, unsigned side, const struct sanwo_observation *what);
    /** Told once, if not NULL; need not return. */
    void (*on_failure)(void *context, struct world *w);
    void *context; /* of both */
};

struct world_host {
    struct world *world;
    unsigned side;
    struct sanwo_stack *stack;
    void *region;
    size_t region_size;
    struct sanwo_driver *link, *emulator;
    struct sanwo_address address;
    struct sanwo_handle listener;
    uint64_t warm;  /* memory in use after a first connection came and went */
    uint64_t worst; /* most memory in use, of all stacks this host had */
    uint64_t frames;
    unsigned boots;
};

enum { WORLD_ERRORS = 32, WORLD_FAILURE = 256 };

struct world {
    struct world_config config;
    struct chance chance;
    struct world_host host[2];
    struct sanwo_virtual *clock;
    int timer;
    sanwo_time timer_at;
    uint8_t *text; /* what all streams are cut from */
    struct world_talk *talks, *last_talk;
    struct world_end *ends, *last_end;
    unsigned talk_count;
    unsigned open_ends;
    bool stop_when_finished;
    bool trace;
    bool rough;              /* faults are injected: an end may fail with any named error */
    bool links_go;           /* links go down: an end may fail for want of a route */
    uint32_t fault_every[2]; /* about each so many allocations of a host one is refused; 0: none */
    uint64_t refused[2];     /* seen so far */
    uint64_t hash;           /* over all frames and, if asked for, observations */
    uint64_t errors[WORLD_ERRORS]; /* how many ends ended with each error */
    bool failed;
    char failure[WORLD_FAILURE];          /* which property is broken, if failed */
    const struct world_talk *failed_talk; /* of which talk, if known */
};

/** Small tables, no surprise. @name is kept by reference. */
void world_config_default(struct world_config *c, const char *name);
/** Both directions of the network the same. */
void world_config_path(struct world_config *c, const struct sanwo_emulator_path *path);
struct world *world_create(const struct world_config *c);
void world_destroy(struct world *w);

/** Opens a connection from @side. NULL with *error (if not NULL) when connect() refuses. */
struct world_talk *world_open(struct world *w, unsigned side, const struct world_plan *opener,
                              const struct world_plan *acceptor, int *error);
/** Both ends open it at once (RFC 9293 3.5, figure 8), A's in the opener's place. NULL: refused. */
struct world_talk *world_open_both(struct world *w, const struct world_plan plans[2], int *error);
/** One connection with a little data each way, gone again: what lasts is noted as `warm`. */
void world_warm_up(struct world *w);

sanwo_time world_now(const struct world *w);
/** Lets so much time go by; 1 if nothing is left to do for good, also when the world has failed. */
int world_run(struct world *w, sanwo_time time);
/** Runs until all ends have given back their handles; fails if that takes longer than @limit. */
void world_finish(struct world *w, sanwo_time limit);
/** Runs TIME-WAIT out, then: nothing is left, and memory is as it was when warm. */
void world_check_clean(struct world *w);
/** Every byte arrived and both ends ended in order. */
void world_check_complete(struct world *w, const struct world_talk *talk);
void world_check_all_complete(struct world *w);

/** What an end does from now on. */
void world_change_plan(struct world_end *end, const struct world_plan *plan);
/** The end does now what it can do. */
void world_pump(struct world_end *end);

/** A new, empty stack in place of the host's. Its ends are gone without a word. */
void world_reboot(struct world *w, unsigned side);
/** The clock jumps: nothing was served meanwhile. */
void world_jump(struct world *w, sanwo_time by);

void world_stats(const struct world *w, unsigned side, struct sanwo_stack_stats *out);
uint64_t world_memory(const struct world *w, unsigned side);
/** A rule is broken. The first one counts; the world does nothing any more. */
void world_fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** The ends that are not done, memory, reasons: lines for whoever has to find out why. */
void world_describe(const struct world *w, FILE *out);

#endif
