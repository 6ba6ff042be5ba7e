/*
 * mtu_probe.h - Finding what the path carries by trying, without ICMP (RFC 4821, RFC 8899).
 */
#ifndef SW_TCP_SEND_MTU_PROBE_H
#define SW_TCP_SEND_MTU_PROBE_H

#include "tcp/send/output.h"

/*
 * What is known of the path. Part of struct tcp_sending, so it lasts while data is sent and some
 * time longer. Sizes are of IP packets, headers included; 0: none. The size in use is send.path_mtu
 * of the connection (RFC 4821 7.1: eff_pmtu, and search_low).
 */
struct tcp_mtu_search {
    sanwo_time not_before; /* RFC 4821 7.6.2: no probe until then */
    tcp_seq probe_seq;     /* of the probe, while `probe`; and where it ends */
    tcp_seq probe_end;
    tcp_seq told_seq;   /* what the message of `told` quoted */
    uint16_t probe;     /* a packet of this size is out, to see whether it arrives */
    uint16_t high;      /* the smallest that did not arrive */
    uint16_t first;     /* to be tried first: what was used before, or what a message named */
    uint16_t delivered; /* RFC 5927 7.2: maxsizeacked */
    uint16_t told;      /* RFC 5927 7.2: an MTU that a message claimed, and that we doubt */
    uint16_t planned;   /* payload that the probe is to have, and its size */
    uint16_t planned_size;
    uint8_t tries; /* probes of one size in a row that told nothing */
    bool asked;    /* a tail loss probe went unanswered before the first time-out */
};

/* The connection's; NULL: it has none. */
struct tcp_mtu_search *sw_tcp_mtu_search(const struct tcp *tcp, const struct tcp_connection *conn);

/*
 * Is new data to go out as a probe now? True with a plan; or true with a plan of no length: nothing
 * goes, until there is room for the probe. @mss: payload of a full segment now.
 */
bool sw_tcp_mtu_probe_plan(struct tcp *tcp, struct tcp_connection *conn,
                           const struct tcp_path *path, uint32_t mss, struct tcp_plan *plan);
/* That plan went out. */
void sw_tcp_mtu_probe_sent(struct tcp *tcp, struct tcp_connection *conn,
                           const struct tcp_plan *plan);
/* SND.UNA advanced: did the probe arrive? */
void sw_tcp_mtu_probe_acked(struct tcp *tcp, struct tcp_connection *conn,
                            struct tcp_mtu_search *search);
/* The probe was deemed lost. @alone: and nothing else, which is no sign of congestion. */
void sw_tcp_mtu_probe_lost(struct tcp *tcp, struct tcp_connection *conn, bool alone);
/* The retransmission timer expired. */
void sw_tcp_mtu_probe_timed_out(struct tcp *tcp, struct tcp_connection *conn,
                                struct tcp_mtu_search *search);
/* A message says of the probe at @seq that only @mtu passes. False: it is about something else. */
bool sw_tcp_mtu_probe_too_big(struct tcp *tcp, struct tcp_connection *conn,
                              struct tcp_mtu_search *search, tcp_seq seq, uint32_t mtu);
/* What to try next, between @low, which passes, and @most, beyond which nothing is; 0: enough. */
uint16_t sw_tcp_mtu_probe_size(const struct tcp_mtu_search *search, uint32_t low, uint32_t most);

#endif
