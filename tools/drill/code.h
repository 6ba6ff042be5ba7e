/*
 * code.h - %{ }%: Python code over what a connection knew of itself at that moment.
 */
#ifndef SANWO_TOOLS_DRILL_CODE_H
#define SANWO_TOOLS_DRILL_CODE_H

#include "run.h"

/** Keeps the code and the variables of now, for the end. */
void sw_drill_code_add(struct drill_run *run, const struct drill_event *event);
/** Runs all that was kept. */
void sw_drill_code_execute(struct drill_run *run);

#endif
