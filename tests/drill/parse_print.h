/*
 * parse_print.h - A parsed script in a compact form of its own, for comparing.
 *
 *     1: @0.5 call connect(3, ..., ...) = -1 EINPROGRESS (note)
 *     2: +0.1 < tcp 02 seq 0 len 0 win 1000 2/4=1460 1/1
 */
#ifndef PARSE_PRINT_H
#define PARSE_PRINT_H

#include "script.h"

/** Parses @text as "t.pkt" with @defines; the tree in words, or the message behind "error: ". */
const char *parse_and_print(const char *text, size_t length, const struct drill_define *defines,
                            size_t define_count);

/** The same for a text without NULs and without definitions; fails the test unless it gives @expected. */
void check_parse(const char *text, const char *expected);

#endif
