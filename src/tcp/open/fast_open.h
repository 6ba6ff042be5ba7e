/*
 * fast_open.h - TCP Fast Open: data in the SYN, for those who showed before that their address is
 * theirs (RFC 7413).
 *
 *     first      SYN, request  ------>            server: MAC of the client's address
 *                              <------  SYN-ACK, cookie              client: kept, peers.c
 *     later      SYN, cookie, data  ->            server: connection at once, data to its user
 *                              <------  SYN-ACK of SYN and data, then what the user answers
 *
 * A server's connection that its cookie opened is in SYN-RECEIVED with a control block and with
 * `fast_open_pending`, until our SYN is acknowledged: its user accepts it, reads and writes. What is sent
 * meanwhile stops at the first time-out. If the user closes it first, it is in FIN-WAIT-1 with
 * `syn_unacked`, as after any CLOSE in SYN-RECEIVED.
 */
#ifndef SW_TCP_OPEN_FAST_OPEN_H
#define SW_TCP_OPEN_FAST_OPEN_H

#include "tcp/open/listener.h"
#include "tcp/send/segment.h"

#define TCP_FAST_OPEN_COOKIE 8 /* bytes of our own cookies */

/* ---- the server -------------------------------------------------------------------------------- */

enum tcp_fast_open {
    TCP_FAST_OPEN_NO,    /* not asked for, not allowed, or not now */
    TCP_FAST_OPEN_OFFER, /* asked for, or with a cookie that is not valid: the SYN-ACK brings one */
    TCP_FAST_OPEN_TAKE,  /* with a valid cookie */
};

/* What the SYN to @listener asks for and gets. */
enum tcp_fast_open sw_tcp_fast_open_judge(const struct tcp *tcp,
                                          const struct tcp_listener *listener,
                                          const struct tcp_segment *seg);
/* The SYN has a valid cookie: the connection. False: no memory; the usual handshake may do. */
bool sw_tcp_fast_open_accept(struct tcp *tcp, struct tcp_listener *listener,
                             struct tcp_segment *seg);
/* Adds the cookie for the client of @tuple to a SYN-ACK. */
void sw_tcp_fast_open_add_cookie(const struct tcp *tcp, const struct tcp_tuple *tuple,
                                 bool experiment, struct wire_tcp_options *options);
/* `fast_open_pending`, and @seg is its SYN again: then the SYN-ACK goes out again. */
bool sw_tcp_fast_open_is_repeated(struct tcp *tcp, struct tcp_connection *conn,
                                  const struct tcp_segment *seg);
/* `fast_open_pending` is over: acknowledged, reset, given up. */
void sw_tcp_fast_open_settled(struct tcp *tcp, struct tcp_connection *conn);
/* `fast_open_pending`, and a reset is about to end it (RFC 7413 5.1, MUST-11). */
void sw_tcp_fast_open_reset(struct tcp *tcp, struct tcp_connection *conn);
/* The listener goes; its pending connections that were accepted stay. */
void sw_tcp_fast_open_orphan(struct tcp *tcp, struct tcp_listener *listener);

/* ---- the client -------------------------------------------------------------------------------- */

/* The SYN of @conn is being made: adds the option. Returns how much text goes along. */
uint32_t sw_tcp_fast_open_syn(struct tcp *tcp, struct tcp_connection *conn, uint16_t mtu,
                              struct tcp_outgoing *out);
/* It acknowledges our SYN, and no more than went with it. */
bool sw_tcp_fast_open_acks_syn(const struct tcp_connection *conn, tcp_seq ack);
/* It did: what of the text arrived is done with, the rest waits as if it had never been sent. */
void sw_tcp_fast_open_answered(struct tcp *tcp, struct tcp_connection *conn,
                               const struct tcp_segment *seg);
/* The connection leaves @old for CLOSED: was Fast Open perhaps the reason? */
void sw_tcp_fast_open_ended(struct tcp *tcp, struct tcp_connection *conn, uint8_t old,
                            enum sanwo_reason why);

/* May what waits go out before our SYN-ACK is acknowledged? */
static inline bool sw_tcp_fast_open_may_send(const struct tcp_connection *conn)
{
    return conn->fast_open_pending && !conn->syn_lost;
}

#endif
