/*
 * tuning.h - How large the receive buffer is: as the application and the path need it.
 */
#ifndef SW_TCP_RECEIVE_TUNING_H
#define SW_TCP_RECEIVE_TUNING_H

#include "tcp/tcp.h"

/* What is known of one connection, in its struct tcp_meter. All bits zero: nothing yet. */
struct tcp_tuning {
    sanwo_time read_since; /* when this measurement of the reader began */
    sanwo_time rtt_since;  /* without timestamps: when rtt_mark was the edge of the window */
    tcp_seq read_from;     /* what had been read when it began */
    tcp_seq rtt_mark;
    uint32_t rtt;         /* us, as the receiver sees it; 0: unknown */
    uint32_t taken;       /* bytes that were read in the best round trip so far */
    uint32_t echo;        /* the timestamp that was last measured by */
    uint8_t reading;      /* read_since and read_from are valid */
    uint8_t rtt_is_timed; /* rtt_since and rtt_mark are */
    uint8_t echo_is_set;  /* echo is */
    uint8_t spare;
};

/* A buffer that follows the path: where it starts, and the most it may ever be. */
uint32_t sw_tcp_receive_start(const struct sanwo_tcp_config *config);
uint32_t sw_tcp_receive_most(const struct sanwo_tcp_config *config);
/* How much may be unread now. */
uint32_t sw_tcp_receive_limit(const struct tcp *tcp, const struct tcp_connection *conn);

/* @seg brought @taken bytes in order: the round trip is measured by them. */
void sw_tcp_tuning_on_data(struct tcp *tcp, struct tcp_connection *conn,
                           const struct tcp_segment *seg, uint32_t taken);
/* The user read: once in a round trip, may the buffer grow? */
void sw_tcp_tuning_on_read(struct tcp *tcp, struct tcp_connection *conn);

#endif
