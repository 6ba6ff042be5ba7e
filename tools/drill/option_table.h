/*
 * option_table.h - What each option of sockets is here; call_option.c sets and tells them.
 */
#ifndef SANWO_TOOLS_DRILL_OPTION_TABLE_H
#define SANWO_TOOLS_DRILL_OPTION_TABLE_H

#include <sanwo/sanwo.h>

enum drill_option_how {
    STACK,      /* the stack's option, times `unit` */
    STORED,     /* remembered; `initial` until set */
    NODELAY,    /* the inverse of Nagle */
    BUFFER,     /* SO_RCVBUF, SO_SNDBUF: doubled by Linux */
    LINGER,     /* {onoff, seconds} */
    TIMEOUT,    /* {tv_sec, tv_usec} */
    ERROR,      /* told once */
    INFO,       /* TCP_INFO */
    INLINE,     /* SO_OOBINLINE */
    LOW_WATER,  /* SO_RCVLOWAT */
    UNSENT_LOW, /* TCP_NOTSENT_LOWAT */
    TOS,        /* the upper six bits */
    MAXSEG,
    CONGESTION,   /* a name */
    NO_OPTIONS,   /* TCP_NOOPT: before the connection only */
    CONSTANT,     /* told, never set */
    LISTENING,    /* SO_ACCEPTCONN */
    PATH_MTU,     /* told */
    FAMILY,       /* SO_DOMAIN */
    CONFIG_TIME,  /* before the connection: `initial` is the place in the configuration */
    FAST_OPEN,    /* of a listener: most pending connections */
    FAST_CONNECT, /* connect() waits for the first write */
    FUNCTIONS,    /* {function_set_name="freebsd", ...} */
    ABSENT,       /* skips the script */
};

struct drill_option_row {
    const char *name;
    enum drill_option_how how;
    enum sanwo_tcp_option option;
    int64_t unit;    /* STACK: nanoseconds of one; BUFFER and others: see there */
    int64_t initial; /* STORED, CONSTANT */
    const char *why; /* ABSENT */
};

/** The row of that name, or NULL. */
const struct drill_option_row *sw_drill_option_find(const char *name);

#endif
