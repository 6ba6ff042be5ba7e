/*
 * stateful_ops.h - The language of the stateful target: what an input, as a program, can say.
 *
 *     input:  | configuration, 8 bytes | record | record | ...        a record: 8 bytes
 *     record: | operation | who | a | b | c | d | e | f |
 *
 * `who` names a flow (a pair of endpoints of the peer and the stack) or a handle of the user's.
 * Each operation reads a to f as it says in its file; zeros are always the most natural choice, so
 * that a program of few bytes goes far.
 */
#ifndef TESTS_FUZZ_STATEFUL_OPS_H
#define TESTS_FUZZ_STATEFUL_OPS_H

#define STATEFUL_RECORD 8

#define STATEFUL_OPS(X)                                                                            \
    /* stateful_peer.c: what the peer sends */                                                     \
    X(SEGMENT, "a segment; numbers, length, window and options near the live ones")                \
    X(SYN, "a SYN of a new connection")                                                            \
    X(ANSWER, "the SYN-ACK to the stack's SYN")                                                    \
    X(DATA, "data in order, or with a hole, or backwards")                                         \
    X(ACK, "acknowledges what came")                                                               \
    X(FIN, "a FIN in its place")                                                                   \
    X(SACKS, "blocks for the next segment")                                                        \
    X(RAW, "option bytes for the next segment")                                                    \
    X(AUTO, "from now on the peer acknowledges by itself; what it loses, how late it is")          \
    X(REPLAY, "an earlier packet again, a byte changed")                                           \
    X(ICMP, "an error about a segment")                                                            \
    X(OTHER, "a packet that is not TCP: echo, UDP, a fragment, noise")                             \
    X(BATCH, "the next packets arrive together")                                                   \
    X(VIA, "how the next packets arrive: borrowed, in slices, vouched for, super-segments")        \
    /* stateful_calls.c: what the user calls */                                                    \
    X(LISTEN, "")                                                                                  \
    X(CONNECT, "")                                                                                 \
    X(ACCEPT, "")                                                                                  \
    X(DECIDE, "admits, refuses or ignores a request")                                              \
    X(SEND, "")                                                                                    \
    X(SEND_REF, "")                                                                                \
    X(RESERVE, "")                                                                                 \
    X(COMMIT, "")                                                                                  \
    X(RECEIVE, "")                                                                                 \
    X(PEEK, "and consume")                                                                         \
    X(SHUTDOWN, "")                                                                                \
    X(CLOSE, "")                                                                                   \
    X(ABORT, "")                                                                                   \
    X(OPTION, "sets an option and reads it again")                                                 \
    X(STALE, "every call with a handle that names nothing any more")                               \
    /* stateful_time.c: time, the world around, and trouble */                                     \
    X(RUN, "time passes, timers and the wire included")                                            \
    X(JUMP, "the clock jumps; nobody was asked meanwhile")                                         \
    X(DEADLINE, "to the stack's next deadline")                                                    \
    X(LINK, "goes down, comes up, changes its MTU")                                                \
    X(ROUTE, "routes and addresses come and go")                                                   \
    X(FAULT, "an allocation to come is refused")                                                   \
    X(SNAPSHOT, "both the stack and its copy go on the same")                                      \
    X(HOLD, "the driver keeps frames and gives them back out of order")                            \
    X(QUIET, "nothing is transmitted for some records")

enum stateful_op {
#define STATEFUL_ENUM(name, text) OP_##name,
    STATEFUL_OPS(STATEFUL_ENUM)
#undef STATEFUL_ENUM
        OP_COUNT
};

#endif
