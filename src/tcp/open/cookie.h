/*
 * cookie.h - SYN cookies: a handshake that keeps nothing until it is complete (RFC 4987 3.6).
 */
#ifndef SW_TCP_OPEN_COOKIE_H
#define SW_TCP_OPEN_COOKIE_H

#include "tcp/open/half_open.h"

/* Should the SYN get a cookie in place of a record? So if there is no room, and by chance before. */
bool sw_tcp_cookie_is_due(struct tcp *tcp, const struct tcp_listener *listener);
/* The number of the cookie for the SYN that @half was made from. */
tcp_seq sw_tcp_cookie_isn(const struct tcp *tcp, const struct sanwo_tcp_config *config,
                          const struct tcp_half_open *half);
/* Answers the SYN with a cookie. False: this listener, or this SYN, cannot have one. */
bool sw_tcp_cookie_answer(struct tcp *tcp, struct tcp_listener *listener,
                          const struct tcp_segment *seg);
/*
 * An ACK for a listener that sent cookies lately: if it brings back one of ours, the record that the SYN would have made
 * is in @half, which lies in no pool and no table.
 */
bool sw_tcp_cookie_read(const struct tcp *tcp, const struct tcp_listener *listener,
                        const struct tcp_segment *seg, struct tcp_half_open *half);

#endif
