/*
 * pipe.h - All of so many bytes through a pipe, however many calls that takes.
 */
#ifndef SANWO_TOOLS_DRILL_PIPE_H
#define SANWO_TOOLS_DRILL_PIPE_H

#include <stdbool.h>
#include <stddef.h>

/** False: the other end is gone, or broken. */
bool sw_drill_pipe_put(int fd, const void *bytes, size_t length);
bool sw_drill_pipe_get(int fd, void *bytes, size_t length);

#endif
