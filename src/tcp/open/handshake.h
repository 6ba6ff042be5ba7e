/*
 * handshake.h - Active and simultaneous open; what a SYN offers and what was agreed.
 */
#ifndef SW_TCP_OPEN_HANDSHAKE_H
#define SW_TCP_OPEN_HANDSHAKE_H

#include "tcp/tcp.h"

struct tcp_half_open;

/* RFC 9293 3.10.1 OPEN, active: @tuple complete, @mtu of the way. 0 or -SANWO_E... */
int sw_tcp_connect(struct tcp *tcp, const struct tcp_tuple *tuple, uint16_t mtu, uint16_t link,
                   const struct sanwo_tcp_connect *open, struct tcp_connection **out);
/*
 * The control block, in SYN-RECEIVED, for a record whose handshake completes; not in the table yet.
 * NULL: no memory.
 */
struct tcp_connection *sw_tcp_promote(struct tcp *tcp, const struct tcp_half_open *half);

/* RFC 9293 3.10.7.3: a segment in SYN-SENT. */
enum tcp_verdict sw_tcp_syn_sent_input(struct tcp *tcp, struct tcp_connection *conn,
                                       struct tcp_segment *seg);
/* SYN-RECEIVED: our SYN is acknowledged. */
void sw_tcp_handshake_complete(struct tcp *tcp, struct tcp_connection *conn, enum sanwo_reason why);

/* Congestion control begins. */
void sw_tcp_handshake_start(struct tcp *tcp, struct tcp_connection *conn);

/* The user closes in SYN-RECEIVED: our FIN will go out while our SYN is not acknowledged yet. */
void sw_tcp_handshake_skip(struct tcp *tcp, struct tcp_connection *conn);
/* ... and now it was acknowledged. */
void sw_tcp_handshake_catch_up(struct tcp *tcp, struct tcp_connection *conn);

/* The options of our SYN or SYN-ACK. */
struct tcp_syn_offer {
    bool timestamps, sack;
    int8_t scale; /* -1: none */
    uint16_t mss;
    uint32_t ts_value, ts_echo;
};
void sw_tcp_syn_options(struct wire_tcp_options *out, const struct tcp_syn_offer *offer);
/* MSS to announce on a link (RFC 9293 3.7.1, MUST-67, RFC6691-2-1: fixed headers only). */
uint16_t sw_tcp_mss_for(const struct sanwo_tcp_config *config, bool ipv4, uint16_t mtu);
/* The least shift that lets the receive buffer be announced (RFC 7323 2.3). */
int8_t sw_tcp_scale_for(const struct sanwo_tcp_config *config);
/* What a peer's MSS option, or its absence, means (MUST-15), with the floor of attack A-09. */
uint16_t sw_tcp_peer_mss(const struct sanwo_tcp_config *config, bool ipv4, uint16_t option);

#endif
