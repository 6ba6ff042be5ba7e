/*
 * breadth.h - Single lines of scripts, each in the smallest script that can have it.
 */
#ifndef SANWO_TESTS_DRILL_BREADTH_H
#define SANWO_TESTS_DRILL_BREADTH_H

#include <stddef.h>

enum breadth_place {
    HEAD,   /* before the events: an option or a command line */
    FIRST,  /* a call, descriptor 3 being a new socket */
    CALL,   /* a call, descriptor 4 being a connection */
    CODE,   /* what stands in %{ }%, of that connection */
    PACKET, /* an event, at the end */
};

struct breadth_row {
    enum breadth_place place;
    const char *text;
    const char *skipped; /* part of the reason; NULL: it passes */
};

/** Each row becomes what it says; code may skip where there is no Python. */
void check_breadth(const char *profile, const struct breadth_row *rows, size_t count);

#endif
