/*
 * faults.h - Worlds of the simulator's engine in which something breaks, and what all tests here use.
 *
 * A broken rule of a world (a wrong byte, an end with no name, memory left behind) is a failure of
 * the test. See sim/world.h for the applications and the oracle, gate.h for drivers that misbehave.
 * SANWO_LONG=1 in the environment: more of everything.
 */
#ifndef TESTS_FAULTS_FAULTS_H
#define TESTS_FAULTS_FAULTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

#include "sim/world.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** SANWO_LONG=1: nobody waits for the result. */
bool long_run(void);

/** As check_config() of the simulator's tests, but what is observed is not hashed. */
void faults_config(struct world_config *c, const char *name);
/**
 * @end, of no talk, is whose the events of @handle are: for `user` of what a test opens itself.
 * The world does nothing with it.
 */
void faults_adopt(struct world *w, unsigned side, struct world_end *end,
                  struct sanwo_handle handle);
/** Two hosts, so long a way apart. */
struct world *faults_world(const char *name, uint64_t salt, sanwo_time delay);

/** Both emulators from now on: this path both ways. */
void faults_set_path(struct world *w, const struct sanwo_emulator_path *path);
/** Nothing lost from now on, so long a way. */
void faults_calm(struct world *w, sanwo_time delay);
/** What @side sends is lost (true) or carried so long (false). */
void faults_mute(struct world *w, unsigned side, bool lost, sanwo_time delay);
/** Both directions at both ends. */
void faults_set_wire(struct world *w, bool up);

uint64_t faults_received(const struct world *w);
/** Until so many more bytes have arrived, an hour at most. */
void faults_run_until_received(struct world *w, uint64_t bytes);
/** Until the talk's acceptor is there. */
void faults_run_until_accepted(struct world *w, const struct world_talk *talk);
struct sanwo_tcp_info faults_info(const struct world_end *end);
struct sanwo_stack_stats faults_stats(const struct world *w, unsigned side);
/** Every talk is complete, or one of its ends was told an error. Returns how many are complete. */
unsigned faults_check_outcome(struct world *w);
/** A new connection each way works and is complete: nothing is stuck. */
void faults_check_alive(struct world *w);
/** All talks finish in time, every byte of them, nothing is left; the world is destroyed. */
void faults_finish_complete(struct world *w, sanwo_time limit);

/* ---- counting what is observed ------------------------------------------------------------------ */

/** What a world's stacks did since the counts were cleared. */
struct counts {
    unsigned timers[2][SANWO_REASON_COUNT]; /* that fired, by reason */
    unsigned most_of_one;                   /* of one connection, one timer, at one instant */
    uint64_t sent_bytes[2];                 /* payload */
    unsigned sent[2];                       /* segments */
    unsigned resets[2];
    unsigned soft_errors[2];
    /* of the current instant */
    sanwo_time instant;
    unsigned known;
    struct {
        struct sanwo_handle handle;
        uint16_t reason;
        uint16_t side;
        unsigned times;
    } fired[64];
};

/** Makes @c count for the world to be made of @config. */
void counts_watch(struct world_config *config, struct counts *c);
void counts_clear(struct counts *c);

#endif
