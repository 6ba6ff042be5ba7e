/*
 * attack.h - A stack under attack, in virtual time: a crowd that costs next to nothing, and honest users.
 *
 *     hostile: 100,000 tuples,            victim: the stack under test,          honest: a second stack,
 *     packets written by hand  --------->  64 MiB, a server on port 80  <------>  20 ms away: transfers
 *     (hostile.c), no delay    <---------        (server.c)              wire    and new connections
 *                                                                                (honest.c)
 *
 * After every batch of packets, in either direction, in every test: the memory in use is not more
 * than the budget. Everything comes from a seed: a failing test fails again.
 */
#ifndef TESTS_ATTACKS_ATTACK_H
#define TESTS_ATTACKS_ATTACK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

#include <sanwo/stack.h>

#include "attacks/hostile.h"

#define ATTACK_BUDGET (64u << 20)
#define ATTACK_CROWD 100000u        /* hostile connections */
#define ATTACK_DELAY SANWO_MSEC(10) /* of the honest wire, each way */
#define ATTACK_BATCH 64

/** A request to the server: a verb and a number, as five bytes. */
enum attack_verb {
    ATTACK_GET = 'G',   /* send me so many bytes, then close */
    ATTACK_PUT = 'P',   /* here come so many bytes; answer with one and close */
    ATTACK_STALL = 'S', /* the application hangs: it does not read any more, nor close */
};

struct attack;

struct attack_packets { /* written, not yet delivered: a length and the bytes, again and again */
    uint8_t *bytes;
    size_t used, size, count;
};

struct attack_wire { /* one direction between honest and victim */
    struct attack_packet *first, *last;
    uint64_t carried;
};

struct attack_served; /* server.c */
struct attack_server {
    struct sanwo_handle listener;
    struct attack_served *table;
    uint32_t size, free_slot, open;
    uint64_t accepted, requests, finished, failed;
};

struct attack_client; /* honest.c */
struct attack_honest {
    struct attack_client *clients;
    unsigned transfers;     /* the first so many clients transfer, again and again */
    sanwo_time every, next; /* a new connection this often; 0: none */
    bool wrong_bytes;
    uint64_t opened, connected, succeeded, failed; /* of the new connections */
    uint64_t transferred;                          /* bytes, of the transfers */
    uint64_t transfers_done, transfers_failed;
    uint64_t with_options;     /* of those: timestamps, SACK and window scale are on */
    sanwo_time *connect_times; /* of each that connected */
    sanwo_time slowest;        /* from the call to the last byte */
};

struct attack {
    struct sanwo_stack_config config, honest_config; /* change them before attack_start() */
    uint32_t backlog;
    bool ethernet; /* the victim's link has neighbours: honest ones answer ARP */
    uint32_t transfer_size;
    struct sanwo_stack *victim, *honest_stack;
    void *region, *honest_region;
    size_t region_size, honest_region_size;
    sanwo_time now;
    uint64_t random;
    struct attack_wire to_victim, to_honest;
    struct attack_packets queue, taken;
    uint64_t hostile_packets, hostile_bytes; /* sent by the crowd */
    uint64_t answers, answer_bytes;          /* sent to it */
    uint64_t arp_asked, arp_answered;
    struct attack_server server;
    struct attack_honest honest;
    /* The crowd: what it does with what it is sent, and of itself at each tick. */
    void (*seen)(struct attack *a, const struct hostile_segment *seg);
    void (*seen_other)(struct attack *a, const uint8_t *packet, size_t length); /* not TCP */
    void (*tick)(struct attack *a);
    sanwo_time tick_every, next_tick;
    void *context;
};

/** Everything as it is in a server of 64 MiB; tests change what they are about. */
void attack_init(struct attack *a);
void attack_start(struct attack *a);
/** Nothing is left open and the memory came back; frees all. */
void attack_finish(struct attack *a);
/** Frees all, whatever is left. */
void attack_drop(struct attack *a);

/** Lets the time pass. */
void attack_run(struct attack *a, sanwo_time duration);
/** Until nothing moves at this instant. */
void attack_settle(struct attack *a);
/** A packet of the crowd to the victim: delivered with the next attack_settle() or run. */
void attack_send(struct attack *a, const struct hostile_segment *seg);
void attack_send_raw(struct attack *a, const uint8_t *packet, size_t length);
/** Delivers what was sent in batches, and takes what is answered at once, but no time passes. */
void attack_flush(struct attack *a);

struct sanwo_stack_stats attack_stats(const struct attack *a);
uint32_t attack_random(struct attack *a);
/** @full if SANWO_LONG is set, else @quick. */
uint32_t attack_scale(uint32_t full, uint32_t quick);
/** The byte at @offset of every stream. */
const uint8_t *attack_pattern(uint64_t offset); /* at least 16 KiB from there on */

/* ---- server.c ------------------------------------------------------------------------------------ */

void server_start(struct attack *a);
bool server_turn(struct attack *a);
/** The application gives all its connections up, by reset or in order. */
void server_close_all(struct attack *a, bool abort);
void server_stop(struct attack *a);

/* ---- honest.c ------------------------------------------------------------------------------------ */

/** @transfers run at all times, and every @every a connection is opened for a small request. */
void honest_start(struct attack *a, unsigned transfers, sanwo_time every);
bool honest_turn(struct attack *a);
sanwo_time honest_deadline(const struct attack *a);
/** No new ones; the rest is given up. */
void honest_stop(struct attack *a);
/** Counters from zero: what is measured begins here. */
void honest_mark(struct attack *a);
/** The connect time that @percent of those that connected did not exceed. */
sanwo_time honest_percentile(struct attack *a, double percent);
/** The local port of transfer @i; 0: it is between two. */
uint16_t honest_port(const struct attack *a, unsigned i);
void honest_free(struct attack *a);

/* ---- crowd.c -------------------------------------------------------------------------------------- */

enum crowd_state { CROWD_NONE, CROWD_SYN_SENT, CROWD_OPEN, CROWD_OVER };

struct crowd_member {
    uint32_t seq;      /* next of its own */
    uint32_t ack;      /* next that it expects */
    uint32_t received; /* bytes of payload */
    uint8_t state;
    uint8_t spare[3];
};

/** What all members of a crowd do. */
struct crowd_plan {
    uint32_t size;
    uint16_t window; /* in every segment after the SYN */
    uint16_t syn_window;
    const uint8_t *options; /* of the SYN */
    uint8_t options_length;
    uint8_t verb;      /* the request that goes with the final ACK; 0: none */
    uint32_t number;   /* of the request */
    bool silent;       /* acknowledges nothing after the handshake */
    bool fin;          /* closes behind the request */
    uint32_t per_tick; /* new members each tick */
    /** Instead of an acknowledgement: what member @i does with a segment. */
    void (*answer)(struct attack *a, uint32_t i, const struct hostile_segment *seg);
    /** Each tick, after the new ones. */
    void (*tick)(struct attack *a);
};

struct crowd {
    struct crowd_plan plan;
    struct crowd_member *members;
    uint32_t started, established, reset, next;
};

/** The crowd comes: @plan->per_tick members a tick of @every. */
void crowd_start(struct attack *a, struct crowd *c, const struct crowd_plan *plan,
                 sanwo_time every);
void crowd_free(struct attack *a, struct crowd *c);
struct crowd *crowd_of(const struct attack *a);
uint32_t crowd_address(uint32_t i);
/** A segment of member @i with its numbers; the sequence number moves on. */
void crowd_send(struct attack *a, uint32_t i, uint8_t flags, const uint8_t *payload,
                uint16_t length);
/** Runs until all have come. */
void crowd_mount(struct attack *a);

#endif
