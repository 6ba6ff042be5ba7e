/*
 * ends.h - Between world.c and the applications at the ends of its connections.
 */
#ifndef TESTS_SIM_ENDS_H
#define TESTS_SIM_ENDS_H

#include "world.h"

/** Bytes of the text that streams are cut from: no size of a buffer or window divides it. */
#define WORLD_TEXT 262136

void ends_on_event(void *context, struct sanwo_stack *stack, const struct sanwo_event *event,
                   sanwo_time now);
void ends_on_timer(void *context, sanwo_time now);
/** Its host is no more. */
void ends_vanish(struct world_end *end);

#endif
