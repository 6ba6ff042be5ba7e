/*
 * scoreboard.h - What the peer reported by SACK, on the records (RFC 2018 5).
 */
#ifndef SW_TCP_RECOVERY_SCOREBOARD_H
#define SW_TCP_RECOVERY_SCOREBOARD_H

#include "tcp/tcp.h"

struct tcp_sacked {
    uint32_t bytes;  /* newly reported */
    bool first_sent; /* some of them were sent once ... */
    sanwo_time sent; /* ... the last of them then */
    tcp_seq highest; /* of them, one past the last */
};
/* Marks what the segment's blocks newly cover. */
struct tcp_sacked sw_tcp_scoreboard_update(struct tcp *tcp, struct tcp_connection *conn,
                                           const struct tcp_segment *seg);
/* Marks were taken back: the next ACK's blocks are looked at whole. */
void sw_tcp_scoreboard_forget(struct tcp *tcp, struct tcp_connection *conn);

#endif
