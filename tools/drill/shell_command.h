/*
 * shell_command.h - One command of a command line.
 */
#ifndef SANWO_TOOLS_DRILL_SHELL_COMMAND_H
#define SANWO_TOOLS_DRILL_SHELL_COMMAND_H

#include "run.h"

#define DRILL_WORDS 64
#define DRILL_WORD_SIZE 256

struct drill_command {
    char words[DRILL_WORDS][DRILL_WORD_SIZE];
    size_t count;
    char target[DRILL_WORD_SIZE]; /* of "> target" */
    bool is_read;                 /* another command reads what it prints */
    const char *input;            /* what the command before the pipe wrote */
};

/** Does it, adds what it would write to @output, returns its status. The run may be decided. */
int sw_drill_shell_command(struct drill_run *run, unsigned line, const struct drill_command *c,
                           struct drill_buffer *output);
/** A whole line, or file; the status of the last command, -1: the run is decided. */
int sw_drill_shell_run(struct drill_run *run, unsigned line, const char *text);
/** $((...)) at *at, which moves behind it. False: more than we can. */
bool sw_drill_shell_arithmetic(const char **at, char *out, size_t *used, size_t size);

/** grep, with the options that tests of states use. */
int sw_drill_shell_grep(struct drill_run *run, unsigned line, const struct drill_command *c,
                        struct drill_buffer *output);
/** ss, netstat, sockstat; ss -K. */
int sw_drill_shell_ss(struct drill_run *run, unsigned line, const struct drill_command *c,
                      struct drill_buffer *output);
int sw_drill_shell_netstat(struct drill_run *run, unsigned line, const struct drill_command *c,
                           struct drill_buffer *output);
int sw_drill_shell_sockstat(struct drill_run *run, unsigned line, const struct drill_command *c,
                            struct drill_buffer *output);
/** tcpdrop: resets connections. */
int sw_drill_shell_tcpdrop(struct drill_run *run, unsigned line, const struct drill_command *c,
                           struct drill_buffer *output);

#endif
