/*
 * profile.h - What is free choice for a conforming TCP, as others have chosen it.
 *
 * A profile is nothing but run-time options of the stack with a name: the order of options in a SYN,
 * buffers and windows, when to acknowledge, how long to wait. RFC behaviour is the same in all.
 */
#ifndef SANWO_TOOLS_DRILL_PROFILE_H
#define SANWO_TOOLS_DRILL_PROFILE_H

#include <sanwo/tcp.h>

/** Where sockets of the systems differ and a test can see it. */
enum sw_dialect {
    SW_DIALECT_LINUX,
    SW_DIALECT_BSD,
};

struct sw_profile {
    const char *name;
    const char *summary;
    uint8_t dialect;          /* enum sw_dialect: of errors and numbers of the socket calls */
    bool doubles_buffers;     /* getsockopt() tells twice what SO_RCVBUF and SO_SNDBUF set */
    double tolerance_percent; /* of the time since the last event, where that is more */
    struct sanwo_tcp_config tcp;
};

/** How many there are, and the one of that number. */
size_t sw_profile_count(void);
void sw_profile_at(size_t index, struct sw_profile *out);

/** The profile of that name; false if there is none. */
bool sw_profile_find(const char *name, struct sw_profile *out);

/** "sanwo", "linux" or "freebsd": whose dialect the text of a script is written in. */
const char *sw_profile_guess(const char *text, size_t length);

#endif
