/*
 * undo.h - Was it a loss at all? If not, the congestion window comes back.
 */
#ifndef SW_TCP_RECOVERY_UNDO_H
#define SW_TCP_RECOVERY_UNDO_H

#include "wire/tcp_seq.h"

#include <stdbool.h>
#include <stdint.h>

struct tcp;
struct tcp_connection;
struct tcp_news;

/* How far F-RTO is (RFC 5682 3.1). */
enum tcp_frto {
    FRTO_OFF,
    FRTO_HEAD, /* step 1: the oldest segment was sent again, its ACK is awaited */
    FRTO_NEW,  /* step 2b: it came; up to two new segments go before what is deemed lost */
};

/* Part of struct tcp_sending: one episode, from the reduction of cwnd on. */
struct tcp_undo {
    uint32_t resent;       /* bytes sent again in it, less those reported as duplicates */
    uint32_t first_stamp;  /* TSval of the first that was sent again, while `stamped` */
    tcp_seq frto_recover;  /* snd_nxt before the new segments of step 2b */
    tcp_seq from, to;      /* what was sent again lies within; valid while `resent_any` */
    uint32_t srtt, rttvar; /* before the time-out, in us; 0: it was none (RFC 4015 3.1 step 0) */
    uint8_t frto;          /* enum tcp_frto */
    uint8_t frto_new;      /* segments of step 2b still to go */
    bool armed : 1;        /* cwnd was reduced, and may get it back */
    bool resent_any : 1;
    bool stamped : 1;
    bool dsack_seen : 1; /* the peer reports duplicates; outlives the episode */
    bool adapting : 1; /* a time-out was undone: the RTO waits for a sample of what is after `to` */
};

/* cwnd was reduced for a loss or a time-out. */
void sw_tcp_undo_begin(struct tcp *tcp, struct tcp_connection *conn, bool timeout);
/* [seq, seq + bytes) was sent again. */
void sw_tcp_undo_resent(struct tcp *tcp, struct tcp_connection *conn, tcp_seq seq, uint32_t bytes);
/* What @news tells. True: it was for nothing, and all is as it was before. */
bool sw_tcp_undo_ack(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_news *news);
/* F-RTO lets new data go before what is deemed lost. */
bool sw_tcp_undo_wants_new(const struct tcp *tcp, const struct tcp_connection *conn);
/* What is deemed lost waits for the ACK of the new data. */
bool sw_tcp_undo_holds(const struct tcp *tcp, const struct tcp_connection *conn);
void sw_tcp_undo_new_sent(struct tcp *tcp, struct tcp_connection *conn);

#endif
