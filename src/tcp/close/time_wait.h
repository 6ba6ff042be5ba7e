/*
 * time_wait.h - TIME-WAIT in 64 bytes (RFC 9293 3.6.1, RFC 1337, RFC 6191).
 */
#ifndef SW_TCP_CLOSE_TIME_WAIT_H
#define SW_TCP_CLOSE_TIME_WAIT_H

#include "tcp/tcp.h"

struct tcp_time_wait {
    struct pool_item item;
    struct tcp_link link; /* in its bucket; the first's prev is 0x80000000 | bucket */
    uint8_t remote[16],
        local[16]; /* as in struct tcp_tuple; the zone in byte 3 of a link-local remote */
    uint16_t remote_port, local_port;
    tcp_seq rcv_nxt, snd_nxt;
    uint32_t ts_recent; /* 0: no timestamps */
};
_Static_assert(sizeof(struct tcp_time_wait) <= 64, "design.md 4: at most 64 bytes");

void sw_tcp_time_wait_init(struct tcp *tcp);
/* What a control block in TIME-WAIT comes down to once its user let go. False: no memory for it. */
bool sw_tcp_time_wait_create(struct tcp *tcp, struct tcp_connection *conn);
struct tcp_tuple sw_tcp_time_wait_tuple(const struct tcp_time_wait *tw);
/* False: the record is gone and the segment, a SYN, opens a new connection (RFC 6191). */
bool sw_tcp_time_wait_input(struct tcp *tcp, struct tcp_time_wait *tw, struct tcp_segment *seg);
void sw_tcp_time_wait_expire(struct tcp *tcp);
/* When sw_tcp_time_wait_expire() has something to do. */
sanwo_time sw_tcp_time_wait_deadline(const struct tcp *tcp);

/* What a segment does to TIME-WAIT, whether a record or a control block is in it. */
struct tcp_time_wait_view {
    tcp_seq rcv_nxt;
    bool timestamps; /* the old connection used them */
    bool offers;     /* a new one would */
    uint32_t ts_recent;
};
enum tcp_time_wait_action {
    TIME_WAIT_IGNORE,
    TIME_WAIT_ACK,     /* answer with an ACK */
    TIME_WAIT_RESTART, /* the FIN again: ACK, and 2 MSL start anew (U-13) */
    TIME_WAIT_REUSE,   /* RFC 6191: a new connection may begin */
};
enum tcp_time_wait_action sw_tcp_time_wait_judge(const struct tcp_time_wait_view *view,
                                                 struct tcp_segment *seg);

#endif
