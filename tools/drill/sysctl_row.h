/*
 * sysctl_row.h - What a sysctl of a system means for our stack: rows of sysctl_linux.c and sysctl_freebsd.c, which
 * shell_sysctl.c finds and obeys.
 */
#ifndef SANWO_TOOLS_DRILL_SYSCTL_ROW_H
#define SANWO_TOOLS_DRILL_SYSCTL_ROW_H

#include "run.h"

enum drill_sysctl_action {
    IGNORED, /* no packet shows it */
    ONLY,    /* these values (words of `values`) are what we do; others skip the script. Those
                behind a / are defaults that differ from ours where few scripts look: they pass in
                a file of common settings, and skip a script that names them itself */
    FLAG,    /* 0 or not */
    BYTE,    /* 1..255 */
    BYTES,   /* a buffer */
    TIME,    /* times `unit` nanoseconds */
    SPECIAL, /* by its function */
};

/** Sets what the value says. False: it does not fit. */
typedef bool drill_sysctl_set(struct drill_run *run, struct sanwo_tcp_config *c, const char *value);

struct drill_sysctl_row {
    const char *name; /* a final * stands for the rest */
    enum drill_sysctl_action action;
    size_t offset; /* in struct sanwo_tcp_config */
    int64_t unit;
    const char *values;
    drill_sysctl_set *special;
};

/* For the rows. */
#define MSEC 1000000
#define SEC 1000000000
#define FIELD(name) offsetof(struct sanwo_tcp_config, name)

/** The first row that stands for the name, or NULL: of some, of each system. */
const struct drill_sysctl_row *sw_drill_sysctl_find(const struct drill_sysctl_row *rows,
                                                    size_t count, const char *name);
const struct drill_sysctl_row *sw_drill_sysctl_linux(const char *name);
const struct drill_sysctl_row *sw_drill_sysctl_freebsd(const char *name);

/** What both systems have, by other names. */
drill_sysctl_set sw_drill_sysctl_congestion, sw_drill_sysctl_ecn;

/** As large a buffer, but not absurdly small or large. */
uint32_t sw_drill_sysctl_bytes(int64_t bytes);

#endif
