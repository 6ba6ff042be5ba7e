/*
 * shell.h - Command lines of scripts, by a table of what they mean for our stack. No shell is run.
 */
#ifndef SANWO_TOOLS_DRILL_SHELL_H
#define SANWO_TOOLS_DRILL_SHELL_H

#include "run.h"

/** Runs the line: fails the run if its status is not 0, skips the script if a command is not known. */
void sw_drill_shell(struct drill_run *run, unsigned line, const char *text);

/** name=value, as sysctl takes it; for the commands that set such. False: the run is decided. */
bool sw_drill_sysctl(struct drill_run *run, unsigned line, const char *name, const char *value);

/** Lines about the connections, as `ss`, `netstat` or `sockstat` would print them. */
enum drill_listing { DRILL_LISTING_SS, DRILL_LISTING_NETSTAT, DRILL_LISTING_SOCKSTAT };
void sw_drill_listing(struct drill_run *run, enum drill_listing kind, struct drill_buffer *out);

#endif
