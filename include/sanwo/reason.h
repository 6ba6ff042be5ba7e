/*
 * sanwo/reason.h - Why: one vocabulary for state changes, drops, resets, retransmissions and windows.
 *
 * The same codes serve the observer, the counters, the trace of a capture and the tests.
 */
#ifndef SANWO_REASON_H
#define SANWO_REASON_H

#include <sanwo/types.h>

SANWO_BEGIN

/* X(NAME, "text"). Grouped by what they explain; the order is not part of the interface. */
#define SANWO_REASONS(X)                                                                           \
    X(NONE, "no reason")                                                                           \
    /* state changes: what the users did */                                                        \
    X(ACTIVE_OPEN, "the user connects: SYN sent")                                                  \
    X(PASSIVE_OPEN, "the user listens")                                                            \
    X(USER_SHUTDOWN, "the user has no more to send: FIN queued")                                   \
    X(USER_CLOSE, "the user closed")                                                               \
    X(USER_ABORT, "the user aborted")                                                              \
    X(USER_REFUSED, "the user refused the request")                                                \
    X(USER_IGNORED, "the user ignored the request")                                                \
    X(CLOSED_WITH_UNREAD, "closed with data unread or arriving later: reset (RFC 9293 3.6.1)")     \
    X(LISTENER_CLOSED, "the listener was closed")                                                  \
    /* state changes: what the peer did */                                                         \
    X(SYN_RECEIVED, "SYN received")                                                                \
    X(SIMULTANEOUS_OPEN, "SYN received while ours is out: simultaneous open")                      \
    X(SYN_ACK_RECEIVED, "our SYN acknowledged and the peer's SYN received")                        \
    X(HANDSHAKE_COMPLETE, "our SYN acknowledged: the handshake is complete")                       \
    X(COOKIE_ACCEPTED, "a valid SYN cookie came back")                                             \
    X(FAST_OPEN, "SYN with a valid Fast Open cookie received (RFC 7413)")                          \
    X(PEER_FIN, "the peer's FIN received: it has no more to send")                                 \
    X(OUR_FIN_ACKED, "our FIN acknowledged")                                                       \
    X(SIMULTANEOUS_CLOSE, "the peer's FIN received while ours is out: simultaneous close")         \
    X(PEER_RESET, "the peer reset the connection")                                                 \
    X(PEER_REFUSED, "the peer answered the SYN with a reset")                                      \
    X(TIME_WAIT_OVER, "2 MSL are over")                                                            \
    X(TIME_WAIT_REUSED, "a new SYN took the place of a connection in TIME-WAIT (RFC 6191)")        \
    X(TIME_WAIT_EVICTED, "the oldest TIME-WAIT record made room")                                  \
    /* endings by time, network or want of memory */                                               \
    X(RETRANSMISSION_LIMIT, "too many retransmissions (RFC 9293 3.8.3 R2)")                        \
    X(USER_TIMEOUT, "the user timeout is over")                                                    \
    X(KEEPALIVE_TIMEOUT, "keep-alive probes went unanswered")                                      \
    X(HANDSHAKE_TIMEOUT, "the handshake was not completed in time")                                \
    X(FIN_WAIT_2_TIMEOUT, "the peer did not close in time after our close")                        \
    X(ORPHAN_TIMEOUT, "closed by the user and the peer no longer answers")                         \
    X(HARD_ICMP_ERROR, "an ICMP error ended the attempt to connect")                               \
    X(SOFT_ICMP_ERROR, "an ICMP error was noted (soft)")                                           \
    X(MEMORY_PRESSURE, "memory is short")                                                          \
    X(ADDRESS_REMOVED, "the local address was removed")                                            \
    /* drops: link and IP */                                                                       \
    X(FRAME_TOO_SHORT, "frame too short for its headers")                                          \
    X(FRAME_TOO_LONG, "frame longer than the link allows")                                         \
    X(LINK_DOWN, "the link is down")                                                               \
    X(LINK_UNKNOWN, "no such link")                                                                \
    X(NOT_FOR_US, "the destination is not one of our addresses")                                   \
    X(ETHERTYPE_UNKNOWN, "neither IP nor ARP")                                                     \
    X(ARP_INVALID, "ARP packet malformed or not believable")                                       \
    X(IP_VERSION, "IP version wrong")                                                              \
    X(IP_LENGTH, "IP header or total length wrong")                                                \
    X(IP_CHECKSUM, "IPv4 header checksum wrong")                                                   \
    X(IP_OPTIONS, "IPv4 options malformed or source-routed")                                       \
    X(IP_MARTIAN, "source or destination address impossible on this link")                         \
    X(IP_FRAGMENT, "a fragment; reassembly is not available")                                      \
    X(IP_EXTENSION, "IPv6 extension headers malformed, refused or too many")                       \
    X(IP_PROTOCOL, "no such upper protocol here")                                                  \
    X(ICMP_INVALID, "ICMP message malformed, wrong checksum or wrong quote")                       \
    X(ICMP_IGNORED, "ICMP type that we do not act on")                                             \
    X(RATE_LIMITED, "an answer was withheld to limit its rate")                                    \
    X(NO_ROUTE, "no route to the destination")                                                     \
    X(NEIGHBOUR_UNRESOLVED, "the next hop's link address is not known")                            \
    X(NEIGHBOUR_QUEUE_FULL, "too many packets wait for the next hop's link address")               \
    X(NO_MEMORY, "no memory for it")                                                               \
    X(QUEUE_FULL, "the queue of replies is full")                                                  \
    /* drops and answers: TCP */                                                                   \
    X(TCP_HEADER, "TCP header malformed")                                                          \
    X(TCP_CHECKSUM, "TCP checksum wrong")                                                          \
    X(TCP_PORT_ZERO, "port zero")                                                                  \
    X(PORT_CLOSED, "nothing listens there")                                                        \
    X(PORT_UNREACHABLE, "no such UDP port")                                                        \
    X(LISTEN_NOT_SYN, "a segment to a listener that is no SYN")                                    \
    X(UNEXPECTED_ACK, "an ACK for something never sent")                                           \
    X(BACKLOG_FULL, "the listener's backlog is full")                                              \
    X(COOKIE_SENT, "the backlog is full: a SYN cookie goes out and nothing is kept")               \
    X(COOKIE_INVALID, "the acknowledgement carries no valid SYN cookie")                           \
    X(FAST_OPEN_FAILED, "Fast Open failed: not tried with that peer for some time")                \
    X(HALF_OPEN_FULL, "too many half-open connections")                                            \
    X(PAWS, "timestamp older than the last (RFC 7323 5)")                                          \
    X(TIMESTAMP_MISSING, "no timestamp although negotiated (RFC 7323 3.2)")                        \
    X(OUT_OF_WINDOW, "sequence number outside the window")                                         \
    X(DUPLICATE_DATA, "all of it was received before")                                             \
    X(RST_NOT_EXACT, "RST inside the window but not at its edge (RFC 5961 3)")                     \
    X(RST_OUT_OF_WINDOW, "RST outside the window")                                                 \
    X(RST_IN_TIME_WAIT, "RST in TIME-WAIT is ignored (RFC 1337)")                                  \
    X(SYN_IN_CONNECTION, "SYN inside a synchronised connection (RFC 5961 4)")                      \
    X(NO_ACK_FLAG, "no ACK flag")                                                                  \
    X(ACK_OUT_OF_RANGE, "acknowledgement out of range (RFC 5961 5)")                               \
    X(OLD_ACK, "acknowledgement older than the last")                                              \
    X(DATA_AFTER_FIN, "data beyond the peer's FIN")                                                \
    X(DATA_AFTER_CLOSE, "data after the user closed")                                              \
    X(BEYOND_WINDOW, "data beyond the window was cut off")                                         \
    X(REASSEMBLY_FULL, "no room for out-of-order data")                                            \
    X(CHALLENGE_ACK, "challenge ACK (RFC 5961)")                                                   \
    X(OLD_DUPLICATE, "an old duplicate")                                                           \
    /* sending: why this segment, or why none */                                                   \
    X(RETRANSMIT_TIMEOUT, "retransmission time-out")                                               \
    X(FAST_RETRANSMIT, "three duplicate acknowledgements")                                         \
    X(PARTIAL_ACK, "partial acknowledgement in recovery (RFC 6582)")                               \
    X(LIMITED_TRANSMIT, "duplicate acknowledgement lets one segment out (RFC 3042)")               \
    X(TAIL_LOSS_PROBE, "tail loss probe (RFC 8985 7)")                                             \
    X(RACK_LOSS, "overtaken by later segments (RFC 8985 6)")                                       \
    X(RECOVERY_DONE, "recovery is complete")                                                       \
    X(UNDO, "the retransmission was spurious: undone")                                             \
    X(PATH_MTU_LOWERED, "the path MTU went down")                                                  \
    X(PATH_MTU_RAISED, "the path MTU went up")                                                     \
    X(BLACK_HOLE, "full segments vanish: smaller ones, and a search for what passes (RFC 4821)")   \
    X(MTU_PROBE, "a larger segment, to see whether the path carries it (RFC 4821)")                \
    X(ZERO_WINDOW, "the peer closed its window")                                                   \
    X(WINDOW_OPENED, "the peer opened its window")                                                 \
    X(WINDOW_SHRUNK, "the peer shrank its window")                                                 \
    X(WINDOW_UPDATE, "window update")                                                              \
    X(WINDOW_PROBE, "zero-window probe")                                                           \
    X(KEEPALIVE_PROBE, "keep-alive probe")                                                         \
    X(DELAYED_ACK, "delayed acknowledgement")                                                      \
    X(NEW_DATA, "new data")                                                                        \
    X(NAGLE, "small segment held back (Nagle)")                                                    \
    X(SILLY_WINDOW, "held back: the usable window is too small")                                   \
    X(CONGESTION_WINDOW, "held back by the congestion window")                                     \
    X(PACED, "held back by pacing")                                                                \
    X(SLOW_START, "slow start")                                                                    \
    X(CONGESTION_AVOIDANCE, "congestion avoidance")                                                \
    X(IDLE_RESTART, "restart after idle")                                                          \
    X(ECN_ECHO, "the path marked congestion")

enum sanwo_reason {
#define SANWO_REASON_ENUM(name, text) SANWO_REASON_##name,
    SANWO_REASONS(SANWO_REASON_ENUM)
#undef SANWO_REASON_ENUM
        SANWO_REASON_COUNT
};

/** "PEER_FIN". Static storage; "?" for what is no reason. */
SANWO_API const char *sanwo_reason_name(unsigned reason);
/** The sentence of the table. Static storage; never NULL. */
SANWO_API const char *sanwo_reason_text(unsigned reason);

SANWO_END
#endif
