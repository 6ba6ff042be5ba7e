/*
 * scoreboard.h - What the peer reported by SACK, on the records (RFC 2018 5).
 */
#ifndef SW_TCP_RECOVERY_SCOREBOARD_H
#define SW_TCP_RECOVERY_SCOREBOARD_H

#include "tcp/tcp.h"

/* Marks what the segment's blocks newly cover. True if there was any. */
bool sw_tcp_scoreboard_update(struct tcp *tcp, struct tcp_connection *conn,
                              const struct tcp_segment *seg);

#endif
