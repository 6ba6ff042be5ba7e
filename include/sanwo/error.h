/*
 * sanwo/error.h - The one table of errors. Calls return >= 0, or -SANWO_E...
 */
#ifndef SANWO_ERROR_H
#define SANWO_ERROR_H

#include <sanwo/types.h>

SANWO_BEGIN

#define SANWO_ERRORS(X)                                                                            \
    X(EAGAIN, "nothing to do now; wait for the event")                                             \
    X(EINVAL, "an argument is out of range or contradicts another")                                \
    X(EBADF, "the handle names nothing: never given out, or already closed")                       \
    X(ENOMEM, "the stack's memory budget is used up")                                              \
    X(ELIMIT, "a configured limit on the number of objects is reached")                            \
    X(EADDRINUSE, "the local address and port are in use")                                         \
    X(EADDRNOTAVAIL, "the local address is not one of ours, or no free port is left")              \
    X(ENETUNREACH, "no route to that address; add an address or a route")                          \
    X(EHOSTUNREACH, "the host or network reported that the peer cannot be reached")                \
    X(ECONNREFUSED, "the peer refused the connection: nothing listens there")                      \
    X(ECONNRESET, "the peer sent a valid reset")                                                   \
    X(ECONNABORTED, "the connection was aborted on this side")                                     \
    X(ETIMEDOUT, "no answer: user timeout, or too many retransmissions")                           \
    X(EISCONN, "the connection exists already")                                                    \
    X(ENOTCONN, "the connection is not open (yet)")                                                \
    X(EPIPE, "this direction was shut down: nothing more may be sent")                             \
    X(EMSGSIZE, "too large for the structure or the path")                                         \
    X(EOPNOTSUPP, "not supported for this kind of object")                                         \
    X(EPROTO, "the peer or a file broke the protocol")                                             \
    X(ESNAPSHOT, "not a snapshot of this version, or the region is too small for it")

enum sanwo_error {
    SANWO_OK = 0,
#define SANWO_ERROR_ENUM(name, text) SANWO_##name,
    SANWO_ERRORS(SANWO_ERROR_ENUM)
#undef SANWO_ERROR_ENUM
        SANWO_ERROR_COUNT
};

/** "ECONNREFUSED" for either sign of the code; "OK" for 0; "?" for what is no code of ours. */
SANWO_API const char *sanwo_error_name(int error);
/** The text of the table. Static storage; never NULL. */
SANWO_API const char *sanwo_error_text(int error);

SANWO_END
#endif
