/*
 * parallel.h - Many scripts on several processes, of which one that dies fails its script only.
 */
#ifndef SANWO_TOOLS_DRILL_PARALLEL_H
#define SANWO_TOOLS_DRILL_PARALLEL_H

#include "run.h"

#define DRILL_JOBS_MAX 64

/**
 * Runs all @paths; @results[i] is of @paths[i]. @jobs 0: in this process, one after the other.
 * @limit is the real time that a script may take. False: no process could be made (errno).
 */
bool sw_drill_parallel(const char *const *paths, size_t count,
                       const struct drill_settings *settings, unsigned jobs, sanwo_time limit,
                       struct drill_result *results);

#endif
