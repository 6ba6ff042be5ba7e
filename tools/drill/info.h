/*
 * info.h - What a connection knows of itself, under the names that scripts use: tcpi_*.
 */
#ifndef SANWO_TOOLS_DRILL_INFO_H
#define SANWO_TOOLS_DRILL_INFO_H

#include "run.h"

#define DRILL_VARIABLES 192

struct drill_variable {
    const char *name;
    uint64_t value;
};

/** Variables and constants of the run's dialect; 0 if the socket has no connection (any more). */
size_t sw_drill_info(struct drill_run *run, struct drill_socket *s,
                     struct drill_variable out[DRILL_VARIABLES]);

/** The number of a state as Linux or BSD count them. */
unsigned sw_drill_state_number(const struct drill_run *run, unsigned state);

#endif
