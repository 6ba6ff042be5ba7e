/*
 * stateful_wire.h - Between the peer and the stack: packets late, together, again, broken, foreign.
 */
#ifndef TESTS_FUZZ_STATEFUL_WIRE_H
#define TESTS_FUZZ_STATEFUL_WIRE_H

#include "stateful.h"

/** Instead of a time: before the call returns, or with its batch. */
#define AT_ONCE ((sanwo_time)-1)

/** The packet arrives @later, and not before what is being transmitted is. */
void wire_send(struct world *w, const uint8_t *packet, size_t length, sanwo_time later);
bool wire_operation(struct world *w, struct far *f, const uint8_t *record);

#endif
