/*
 * value.h - What an argument of a call comes to.
 */
#ifndef SANWO_TOOLS_DRILL_VALUE_H
#define SANWO_TOOLS_DRILL_VALUE_H

#include "script.h"

struct drill_run;

/** The number of a constant in the dialect of the run; false if the name is unknown. */
bool sw_drill_constant(const struct drill_run *run, const char *name, int64_t *out);

/** Numbers, names, a|b, htons(x). False: the run is decided (an unknown name skips the script). */
bool sw_drill_integer(struct drill_run *run, const struct drill_value *v, int64_t *out);

/** The argument of that number, or NULL: then the run is decided. */
const struct drill_value *sw_drill_argument(struct drill_run *run, const struct drill_call *call,
                                            unsigned line, size_t index);
/** As above, and its number. */
bool sw_drill_argument_integer(struct drill_run *run, const struct drill_event *event, size_t index,
                               int64_t *out);

/** The field of that name of a structure, or NULL. */
const struct drill_value *sw_drill_field(const struct drill_value *v, const char *name);
/** [x]: the x; else NULL. */
const struct drill_value *sw_drill_only_item(const struct drill_value *v);

/** A value as the script would write it. */
void sw_drill_format_value(const struct drill_value *v, char *out, size_t size);

#endif
