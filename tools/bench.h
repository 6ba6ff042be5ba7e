/*
 * bench.h - What the benchmarks share: options, two hosts and the wire between them, figures.
 *
 *     client stack --> frames --> server stack          one process, one thread, one core;
 *          ^                            |                both ends do all their work
 *          '--------- frames <----------'
 *
 * A turn carries one batch each way and hands out the events. The clock is the machine's, read once
 * a turn. Rates are per second of processor time, which is what a shared machine leaves comparable;
 * the elapsed time stands beside it.
 */
#ifndef SANWO_TOOLS_BENCH_H
#define SANWO_TOOLS_BENCH_H

#include <sanwo/driver.h>

#define BENCH_MOST_BATCH 256
#define BENCH_MOST_FIGURES 12
#define BENCH_MOST_ROUNDS 99
#define BENCH_MOST_LISTENERS 512

struct bench_options {
    uint64_t rounds, mss, window, batch, chunk, connections, time_wait, parallel;
    sanwo_time seconds; /* of each round's measured part */
    bool json, brief, ipv6, driver, lend, checksum, no_timestamps;
    bool copy, super_segments, verify, reset;
    bool quick_ack; /* not an option: set by those who must not wait for delayed ones */
};

/* ---- what a round found ------------------------------------------------------------------------- */

struct bench_figure {
    const char *name, *unit;
    double value;
};

struct bench_round {
    struct bench_figure figures[BENCH_MOST_FIGURES]; /* rounds are ranked by the first */
    size_t count;
};

void sw_bench_figure(struct bench_round *round, const char *name, const char *unit, double value);

/* The processor time of this process; the elapsed one is sanwo_time_now(). */
sanwo_time sw_bench_processor_time(void);
/* Bytes of this process that are in memory. */
uint64_t sw_bench_resident(void);

/* All rounds as JSON, as a table, or as a line. @rounds is put in order of the first figure. */
void sw_bench_report(const char *name, const struct bench_options *options,
                     struct bench_round *rounds, size_t count);
/* The machine's facts alone, as lines or as a JSON object. */
void sw_bench_print_machine(bool json);

/* ---- two hosts and their wire (bench_wire.c) ------------------------------------------------------ */

struct bench_wire;

typedef void (*bench_on_event)(struct bench_wire *wire, const struct sanwo_event *event);

struct bench_end {
    struct sanwo_stack *stack;
    void *region;
    size_t region_size;
    struct sanwo_driver *driver; /* NULL: frames are handed over directly */
    struct sanwo_address address;
    bench_on_event on_event;
    unsigned link;
};

struct bench_wire {
    const struct bench_options *options;
    struct bench_end client, server;
    struct sanwo_handle listeners[BENCH_MOST_LISTENERS];
    size_t listener_count;
    sanwo_time now, moved; /* this turn's time; of the last turn that moved anything */
    uint64_t opened;       /* connections, for the choice of the next one's port */
    void *context;
    bool failed; /* the reason was told */
    struct sanwo_frame frames[BENCH_MOST_BATCH];
    struct sanwo_frame lent[BENCH_MOST_BATCH];
    uint32_t buffers[BENCH_MOST_BATCH][SANWO_FRAME_SLICES];
};

/* How many of each must fit at one time. */
struct bench_needs {
    uint32_t connections, time_wait;
};

/* NULL: the reason was told. The events of each end go to its function. */
struct bench_wire *sw_bench_wire_open(const struct bench_options *options,
                                      const struct bench_needs *needs, bench_on_event on_client,
                                      bench_on_event on_server, void *context);
void sw_bench_wire_close(struct bench_wire *wire);
/* One batch each way and all events. False: something failed, or nothing moves any more. */
bool sw_bench_turn(struct bench_wire *wire);
/* Says why the measurement is void. Always false. */
bool sw_bench_fail(struct bench_wire *wire, const char *what, int64_t error);
/* A connection from the client to one of the server's ports. */
bool sw_bench_connect(struct bench_wire *wire, void *user, struct sanwo_handle *out);
/* Takes what a listener has; how many. */
size_t sw_bench_accept(struct bench_wire *wire, struct sanwo_handle listener,
                       struct sanwo_handle *last);

/* ---- many connections, a byte back and forth (bench_crowd.c) ---------------------------------------- */

struct bench_peer {
    struct sanwo_handle handle;
    uint8_t expected; /* the byte that is under way */
    bool waits;
};

struct bench_crowd {
    struct bench_wire *wire;
    struct bench_peer *peers; /* the clients' ends */
    size_t most, count, connected, accepted;
    size_t next;      /* whose turn it is */
    size_t under_way; /* bytes not yet back */
    uint64_t trips;   /* bytes that came back */
};

/* Room for @most connections, none open. False: the reason was told; close it all the same. */
bool sw_bench_crowd_open(struct bench_crowd *crowd, const struct bench_options *options,
                         size_t most);
bool sw_bench_crowd_add(struct bench_crowd *crowd, size_t count);
void sw_bench_crowd_close(struct bench_crowd *crowd);
/* Sends bytes on the next connections until @parallel are under way, then takes one turn. */
bool sw_bench_crowd_turn(struct bench_crowd *crowd, size_t parallel);
/* One byte over each connection, and all of them back. */
bool sw_bench_crowd_greet(struct bench_crowd *crowd);

/* ---- the benchmarks: one round each; false: the reason was told --------------------------------------- */

bool sw_bench_pair(const struct bench_options *options, struct bench_round *round);
bool sw_bench_cycle(const struct bench_options *options, struct bench_round *round);
bool sw_bench_echo(const struct bench_options *options, struct bench_round *round);
bool sw_bench_idle(const struct bench_options *options, struct bench_round *round);

#endif
