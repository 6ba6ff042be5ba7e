/*
 * inside.h - Between the files of the simulator.
 */
#ifndef SIM_INSIDE_H
#define SIM_INSIDE_H

#include "world.h"

/** Bytes of the text that streams are cut from: no size of a buffer or window divides it. */
#define WORLD_TEXT 262136

enum { WORLD_PORT = 7, WORLD_MOST = 65536 };

/** Ends the program with @what unless @truth: memory is short, or a call refuses what it must not. */
void sim_must(bool truth, const char *what);
void *sim_calloc(size_t size);

/** The budget holds; the worst use is kept. */
void world_note_memory(struct world *w, unsigned side, const struct sanwo_stack_stats *s);

/* ---- watch.c ----------------------------------------------------------------------------------- */

/** A driver around @inner that hashes and counts what the host sends, and looks at its budget. */
struct sanwo_driver *watch_create(struct world *w, unsigned side, struct sanwo_driver *inner);
/** What a host's stack tells @host. */
void watch_observe(void *host, const struct sanwo_observation *what);

/* ---- flight.c ---------------------------------------------------------------------------------- */

/** The host has just sent @frame: no more than it may. */
void flight_check(struct world *w, unsigned side, const struct sanwo_frame *frame);

/* ---- ends.c ------------------------------------------------------------------------------------ */

void ends_on_event(void *context, struct sanwo_stack *stack, const struct sanwo_event *event,
                   sanwo_time now);
void ends_on_timer(void *context, sanwo_time now);
/** Its host is no more. */
void ends_vanish(struct world_end *end);
void ends_wake_at(struct world *w, sanwo_time when);
struct sanwo_stack *ends_stack(const struct world_end *end);
struct world_end *ends_peer(const struct world_end *end);

/* ---- stream.c ---------------------------------------------------------------------------------- */

void stream_write(struct world_end *end);
/** Returns true if nothing more will ever come. */
bool stream_read(struct world_end *end);

#endif
