/*
 * peers.h - What connections leave behind for those to the same peer that follow (RFC 9040).
 *
 *     pair of addresses -> keyed hash -> one set of eight -> an entry, or room in place of the oldest
 *
 * Bounded by `max_peers`, made of blocks of the region when first needed, kept until forgotten or until
 * another peer of the same set needs the place. What RFC 9040's tables 1 to 4 list is shared as follows:
 *
 *     RTT, RTTVAR        yes: a longer RTO, never a shorter one        sw_tcp_peers_opened(), _established()
 *     ssthresh           yes, not below the initial window             _established()
 *     reordering seen    yes (it is no row of the RFC's)               _established()
 *     sendcwnd           no: everyone starts with the initial window of RFC 6928
 *     PMTU               no: what an ICMP message says holds for one connection (attack B-30)
 *     MMS_S, MMS_R       no: the SYNs say them (note 2)
 *     sendMSS            for the data in a SYN only (6.3)              open/fast_open.c
 *     TFO cookie, TFO failure   yes                                    open/fast_open.c
 *
 * All but Fast Open's rows need `remember_peers`, which is off by default. Ensemble sharing (section 7)
 * is not done.
 */
#ifndef SW_TCP_CONNECTION_PEERS_H
#define SW_TCP_CONNECTION_PEERS_H

#include "tcp/tcp.h"

#define TCP_PEER_COOKIE 16

enum {
    TCP_PEER_REORDERING = 1, /* segments overtake each other on the way there */
    TCP_PEER_EXPERIMENT = 2, /* its cookie came as experiment 254 */
};

/* Seconds count from one at the clock's origin, so that 0 is never a time. */
struct tcp_peer {
    uint8_t remote[16];
    uint32_t id;            /* keyed hash of both addresses; 0: nobody is here */
    uint32_t written;       /* second of the last change */
    uint32_t srtt, rttvar;  /* microseconds; srtt 0: not measured */
    uint32_t blocked_until; /* second; no Fast Open before; 0: none failed */
    uint16_t ssthresh;      /* full segments; 0: no loss was seen */
    uint16_t mss;           /* the peer's, of its last SYN-ACK to a Fast Open; 0: none */
    uint16_t blocked_port;  /* of the peer; 0: all */
    uint8_t cookie_length;  /* 0: none */
    uint8_t failures;       /* of Fast Open in a row */
    uint8_t flags;          /* TCP_PEER_... */
    uint8_t spare;
    uint8_t cookie[TCP_PEER_COOKIE];
};
_Static_assert(sizeof(struct tcp_peer) == 64, "eight fill a block of 512 bytes");

size_t sw_tcp_peers_directory_size(uint32_t max_peers);
void sw_tcp_peers_init(struct tcp *tcp, uint64_t directory, uint32_t max_peers);
uint32_t sw_tcp_peers_second(const struct tcp *tcp);

/* What is known of the peer of @tuple, or NULL. */
struct tcp_peer *sw_tcp_peer_find(const struct tcp *tcp, const struct tcp_tuple *tuple);
/* The same, made if need be. NULL: switched off, or memory is short. The caller writes to it. */
struct tcp_peer *sw_tcp_peer_make(struct tcp *tcp, const struct tcp_tuple *tuple);

/* An active open begins: the RTO of the SYN. */
void sw_tcp_peers_opened(struct tcp *tcp, struct tcp_connection *conn);
/* Both SYNs are acknowledged, congestion control has begun, and the handshake was timed if it could be. */
void sw_tcp_peers_established(struct tcp *tcp, struct tcp_connection *conn);
/* The connection leaves the states in which it measured. */
void sw_tcp_peers_closed(struct tcp *tcp, const struct tcp_connection *conn);

/* The @at-th of what is known, or NULL behind the last. */
const struct tcp_peer *sw_tcp_peers_at(const struct tcp *tcp, uint32_t at);
/* Forgets the peers with that address (16 bytes, as in tuples), or all of them (NULL). Returns how many. */
uint32_t sw_tcp_peers_forget(struct tcp *tcp, const uint8_t *remote);

#endif
