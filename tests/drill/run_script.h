/*
 * run_script.h - Runs a script from a string and checks what becomes of it.
 */
#ifndef SANWO_TESTS_DRILL_RUN_SCRIPT_H
#define SANWO_TESTS_DRILL_RUN_SCRIPT_H

#include "run.h"

/** A row of a table: a script, and what must become of it. */
struct script_row {
    const char *text;
    enum drill_verdict verdict;
    unsigned line;       /* of the failure or skip; 0 of what passes */
    const char *message; /* part of the message, or NULL */
};

#define PASSES DRILL_PASSED, 0, NULL
#define FAILS(line, message) DRILL_FAILED, line, message
#define SKIPS(line, message) DRILL_SKIPPED, line, message

void check_script(const char *profile, const struct script_row *row, size_t number);
void check_scripts(const char *profile, const struct script_row *rows, size_t count);

#define CHECK_SCRIPTS(profile, rows) check_scripts(profile, rows, sizeof(rows) / sizeof((rows)[0]))

/* Beginnings of scripts. Each ends with an open connection: descriptor 4 of a listener, 3 of connect. */
#define ACCEPTED                                                                                   \
    "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"                                                \
    "+0 bind(3, ..., ...) = 0\n"                                                                   \
    "+0 listen(3, 1) = 0\n"                                                                        \
    "+0 < S 0:0(0) win 65535 <mss 1000>\n"                                                         \
    "+0 > S. 0:0(0) ack 1 <mss 1460>\n"                                                            \
    "+.01 < . 1:1(0) ack 1 win 65535\n"                                                            \
    "+0 accept(3, ..., ...) = 4\n" /* line 7 */
#define CONNECTED                                                                                  \
    "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"                                                \
    "+0...0.01 connect(3, ..., ...) = 0\n"                                                         \
    "+0 > S 0:0(0) <...>\n"                                                                        \
    "+.01 < S. 0:0(0) ack 1 win 65535 <mss 1000>\n"                                                \
    "+0 > . 1:1(0) ack 1\n" /* line 5 */
#define NONBLOCKING "+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"

#endif
