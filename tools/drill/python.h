/*
 * python.h - One Python process that checks the assertions of script after script.
 */
#ifndef SANWO_TOOLS_DRILL_PYTHON_H
#define SANWO_TOOLS_DRILL_PYTHON_H

#include <stdbool.h>
#include <stddef.h>

struct drill_python;

/** Nothing is started before it is needed. NULL: no memory. */
struct drill_python *sw_drill_python_new(void);
void sw_drill_python_free(struct drill_python *python);

enum drill_python_answer {
    DRILL_PYTHON_PASSED,
    DRILL_PYTHON_FAILED, /* the message says which line and why: "LINE TEXT" */
    DRILL_PYTHON_ABSENT, /* there is no python3 */
};

enum drill_python_answer sw_drill_python_run(struct drill_python *python, const char *program,
                                             size_t length, char *message, size_t message_size);

#endif
