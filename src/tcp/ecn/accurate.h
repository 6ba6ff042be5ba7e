/*
 * accurate.h - Accurate ECN: how much was marked, not only that something was (RFC 9768).
 */
#ifndef SW_TCP_ECN_ACCURATE_H
#define SW_TCP_ECN_ACCURATE_H

#include "tcp/ecn/ecn.h"

/*
 * Allocated when accurate ECN was agreed on, freed with the connection. `r_`: what we received;
 * `s_`: what the peer said of what we sent. Packets and bytes of payload; only the lowest 3 and 24
 * bits of them are on the wire.
 */
struct tcp_accurate {
    uint32_t r_cep, r_ceb, r_e0b, r_e1b;
    uint32_t s_cep, s_ceb;
    uint32_t guessed; /* bytes taken for marked by flags alone, since the last option */
    uint64_t
        sent_delivered; /* bytes sent as ECT that arrived, roughly: what bleaching is judged by */
    uint64_t marks_received, marks_told; /* for STATUS: packets */
    uint8_t synack_ecn;                  /* active open: of the SYN-ACK */
    uint8_t last_ecn;                    /* of the last segment with text */
    uint8_t unreported;                  /* marks since our last ACK */
    uint8_t options_due;                 /* segments that still are to carry the option */
    bool answers_syn_ack;                /* the next segment tells how the SYN-ACK arrived */
    bool feedback_seen;                  /* the first counter of the peer's was looked at */
    bool option_seen, option_broken;
    bool marked_lately; /* the last ACK with news told of marks */
};

/* False: no memory. */
bool sw_tcp_accurate_start(struct tcp *tcp, struct tcp_connection *conn);
struct tcp_accurate *sw_tcp_accurate(const struct tcp *tcp, const struct tcp_connection *conn);

/* Table of RFC 9768 3.1.1: how the flags of a handshake tell the two bits of IP. */
uint8_t sw_tcp_accurate_code(uint8_t ip_ecn);
/* The other way: the bits of IP, or IP_ECN_MASK + 1 where the flags tell none. */
uint8_t sw_tcp_accurate_decode(uint8_t ace);

/* The peer's SYN or SYN-ACK had the bits @ip_ecn; it says in @told how ours arrived. */
void sw_tcp_accurate_begin(const struct tcp *tcp, struct tcp_connection *conn, uint8_t ip_ecn,
                           uint8_t told);
/* The counters of what we received. True: this is to be acknowledged at once. */
bool sw_tcp_accurate_count(struct tcp_accurate *a, const struct tcp_segment *seg);
/* How many bytes of @delivered the peer says were marked. */
uint32_t sw_tcp_accurate_marked(struct tcp *tcp, struct tcp_connection *conn,
                                const struct tcp_segment *seg, uint32_t delivered);

#endif
