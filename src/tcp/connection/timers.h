/*
 * timers.h - Timers are told events; only timers.c knows which deadline moves.
 *
 *   timer         armed by                                            expires into             RFC 9293
 *   retransmit    data, SYN or FIN sent; restarted by their ACK       send/retransmit.c        3.8.1
 *     (persist)   the window is zero and data waits                   send/retransmit.c        3.8.6.1
 *   reordering    sent before something that arrived, not overdue yet   recovery/recovery.c      (RFC 8985)
 *   delayed_ack   data taken in order                                 receive/delayed_ack.c    3.8.6.3
 *   keepalive     established or a segment arrived, if switched on    send/keepalive.c         3.8.4
 *   user          data outstanding, if a user timeout is set          here                     3.8.3
 *   linger        TIME-WAIT; FIN-WAIT-2 after close()                 close/close.c            3.6.1
 *   path_mtu      the path MTU was lowered                            send/path_mtu.c          3.7.2
 */
#ifndef SW_TCP_CONNECTION_TIMERS_H
#define SW_TCP_CONNECTION_TIMERS_H

#include "tcp/tcp.h"

void sw_tcp_timers_opened(struct tcp *tcp, struct tcp_connection *conn);
void sw_tcp_timers_established(struct tcp *tcp, struct tcp_connection *conn);
void sw_tcp_timers_segment_arrived(struct tcp *tcp, struct tcp_connection *conn);
/* Something that must be acknowledged went out (RFC 6298 5.1). */
void sw_tcp_timers_sent(struct tcp *tcp, struct tcp_connection *conn);
/* It was acknowledged in part: start anew (5.3). */
void sw_tcp_timers_acked(struct tcp *tcp, struct tcp_connection *conn);
/* It was acknowledged wholly (5.2). */
void sw_tcp_timers_all_acked(struct tcp *tcp, struct tcp_connection *conn);
/* The retransmission timer fired: again, backed off (5.6). */
void sw_tcp_timers_backed_off(struct tcp *tcp, struct tcp_connection *conn);
/* Data waits for a window: probe after one RTO (SHLD-29), then backed off (SHLD-30). */
void sw_tcp_timers_window_closed(struct tcp *tcp, struct tcp_connection *conn);
/* There is no way to the peer now: as if it had been sent and lost; the user timeout runs too. */
void sw_tcp_timers_no_way(struct tcp *tcp, struct tcp_connection *conn);
/* RACK's reordering timer (RFC 8985 6.2 step 5); its deadline is kept with the records. */
void sw_tcp_timers_reordering(struct tcp *tcp, struct tcp_connection *conn, sanwo_time when);
/* The probe time-out (RFC 8985 7.2), the next burst, the end of rest: none is later than @when. */
void sw_tcp_timers_tail(struct tcp *tcp, struct tcp_connection *conn, sanwo_time when);
void sw_tcp_timers_pacing(struct tcp *tcp, struct tcp_connection *conn, sanwo_time when);
void sw_tcp_timers_sending(struct tcp *tcp, struct tcp_connection *conn, sanwo_time when);
void sw_tcp_timers_delay_ack(struct tcp *tcp, struct tcp_connection *conn, sanwo_time by);
void sw_tcp_timers_ack_sent(struct tcp_connection *conn);
void sw_tcp_timers_keepalive(struct tcp *tcp, struct tcp_connection *conn, sanwo_time in);
void sw_tcp_timers_time_wait(struct tcp *tcp, struct tcp_connection *conn);
void sw_tcp_timers_fin_wait_2(struct tcp *tcp, struct tcp_connection *conn);
void sw_tcp_timers_path_mtu_lowered(struct tcp *tcp, struct tcp_connection *conn);
void sw_tcp_timers_option_changed(struct tcp *tcp, struct tcp_connection *conn,
                                  enum sanwo_tcp_option option);
/* The link came up again: what waits for a retransmission goes at once. */
void sw_tcp_timers_link_up(struct tcp *tcp, struct tcp_connection *conn);
void sw_tcp_timers_stop(struct tcp *tcp, struct tcp_connection *conn);

#endif
