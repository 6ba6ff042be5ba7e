/*
 * pipe.c - See pipe.h.
 */
#include "pipe.h"

#include <errno.h>
#include <unistd.h>

bool sw_drill_pipe_put(int fd, const void *bytes, size_t length)
{
    const char *p = bytes;

    while (length) {
        ssize_t n = write(fd, p, length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        length -= (size_t)n;
    }
    return true;
}

bool sw_drill_pipe_get(int fd, void *bytes, size_t length)
{
    char *p = bytes;

    while (length) {
        ssize_t n = read(fd, p, length);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        p += n;
        length -= (size_t)n;
    }
    return true;
}
