/*
 * event.h - The events of a script, in their order and at their times.
 */
#ifndef SANWO_TOOLS_DRILL_EVENT_H
#define SANWO_TOOLS_DRILL_EVENT_H

#include "run.h"

/** All events, until the last or until the run is decided. */
void sw_drill_play(struct drill_run *run);
/** After them: calls that still sleep may return until they are due, not later. */
void sw_drill_await_calls(struct drill_run *run);
/** After those: what no event took must be whole packets; with --strict there must be none. */
void sw_drill_check_leftovers(struct drill_run *run);

#endif
