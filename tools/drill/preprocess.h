/*
 * preprocess.h - Names with values, and the lines that begin with '#'.
 *
 *     #define NAME value          a word that stands for other text from here on
 *     #undef NAME
 *     #ifdef NAME, #ifndef NAME   what follows counts or not ...
 *     #if defined(A) && !B == 2
 *     #elif ..., #else, #endif    ... until here
 *     #include "common.pkt"       the text of that file, sought beside this one
 *     #error text
 *
 * Any other line that begins with '#' is a comment, so is one with a space after it.
 */
#ifndef SANWO_TOOLS_DRILL_PREPROCESS_H
#define SANWO_TOOLS_DRILL_PREPROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "script_memory.h"

#define DRILL_CONDITIONS_MAX 64
#define DRILL_DEFINITIONS_MAX 1024

struct drill_definition {
    const char *name;
    size_t name_length;
    const char *value; /* NULL: known to #ifdef only */
    size_t value_length;
    bool removed;
    bool fixed; /* given on the command line: the script does not change it */
};

/** One #if that is open. */
struct drill_condition {
    unsigned line;
    bool counts;      /* the part we are in */
    bool has_counted; /* a part before it or it; or none may, as the text around does not count */
    bool after_else;
};

struct drill_preprocess {
    struct drill_memory *memory;
    struct drill_definition *definitions;
    size_t definition_count;
    struct drill_condition conditions[DRILL_CONDITIONS_MAX];
    unsigned condition_count;
    bool left_out; /* a part did not count */
    char error[160];
};

enum drill_directive {
    DRILL_DIRECTIVE_DONE, /* obeyed, or a comment */
    DRILL_DIRECTIVE_INCLUDE,
    DRILL_DIRECTIVE_BAD, /* see `error` */
};

/** Whether the text here counts. */
bool sw_drill_preprocess_counts(const struct drill_preprocess *pre);

/**
 * Obeys the line @text (@length bytes from its '#' on, no newline). For an #include the name within the
 * quotes is put in @name and @name_length.
 */
enum drill_directive sw_drill_preprocess_line(struct drill_preprocess *pre, const char *text,
                                              size_t length, unsigned line, const char **name,
                                              size_t *name_length);

/**
 * Lets a name stand for @value (NULL: only #ifdef knows it); a fixed one is only changed by a fixed
 * one. Returns false when there are too many names.
 */
bool sw_drill_define(struct drill_preprocess *pre, const char *name, size_t name_length,
                     const char *value, size_t value_length, bool fixed);

/** The definition of a name, or NULL. */
struct drill_definition *sw_drill_definition(const struct drill_preprocess *pre, const char *name,
                                             size_t length);

#endif
