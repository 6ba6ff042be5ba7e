/*
 * close.c - Orderly release: our FIN, the peer's FIN, TIME-WAIT.
 *
 * The two directions close independently. Who finishes first decides the path:
 *
 *   we do      ESTABLISHED -> FIN-WAIT-1 -> FIN-WAIT-2 -> TIME-WAIT -> CLOSED
 *   peer does  ESTABLISHED -> CLOSE-WAIT -> LAST-ACK                -> CLOSED
 *   together   ESTABLISHED -> FIN-WAIT-1 -> CLOSING    -> TIME-WAIT -> CLOSED
 *
 * Resets and aborts are in reset.c and connection/lifetime.c; TIME-WAIT after the user let go is in
 * time_wait.c. RFC 9293 3.6, 3.10.4 and 3.10.7.4 (eighth step).
 */
#include "tcp/close/close.h"

#include "tcp/close/reset.h"
#include "tcp/close/time_wait.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/state.h"
#include "tcp/connection/timers.h"
#include "tcp/open/handshake.h"
#include "tcp/receive/delayed_ack.h"
#include "tcp/receive/receive_queue.h"
#include "tcp/send/send_queue.h"

int sw_tcp_shutdown(struct tcp *tcp, struct tcp_connection *conn)
{
    if (conn->state == SANWO_TCP_CLOSED)
        return conn->error ? -(int)conn->error : -SANWO_ENOTCONN;
    if (conn->fin_queued)
        return -SANWO_EPIPE;
    conn->fin_queued = 1;
    conn->more = 0;
    switch (conn->state) {
    case SANWO_TCP_ESTABLISHED:
        sw_tcp_set_state(tcp, conn, SANWO_TCP_FIN_WAIT_1, SANWO_REASON_USER_SHUTDOWN);
        break;
    case SANWO_TCP_SYN_RECEIVED: /* 3.10.4: nothing to send, so the FIN goes at once */
        if (sw_tcp_send_queue_unsent(conn) && !conn->fast_open_pending)
            break;
        sw_tcp_handshake_skip(tcp, conn);
        sw_tcp_set_state(tcp, conn, SANWO_TCP_FIN_WAIT_1, SANWO_REASON_USER_SHUTDOWN);
        break;
    case SANWO_TCP_CLOSE_WAIT:
        sw_tcp_set_state(tcp, conn, SANWO_TCP_LAST_ACK, SANWO_REASON_USER_SHUTDOWN);
        break;
    default:
        break; /* still opening: the FIN waits for ESTABLISHED (3.10.4) */
    }
    sw_tcp_wants_send(tcp, conn);
    return 0;
}

/*
 * 2 MSL begin. If the user let go, a record of 64 bytes takes the place of the control block, which
 * then is finished; else the block stays until the user does.
 */
static enum tcp_verdict enter_time_wait(struct tcp *tcp, struct tcp_connection *conn,
                                        enum sanwo_reason why)
{
    sw_tcp_set_state(tcp, conn, SANWO_TCP_TIME_WAIT, why);
    sw_tcp_timers_time_wait(tcp, conn);
    sw_tcp_tell_closed(tcp, conn, 0);
    if (!conn->closed_by_user)
        return TCP_CONTINUE;
    if (conn->ack_now)
        sw_tcp_reply_ack(tcp, conn, why);
    if (!sw_tcp_time_wait_create(tcp, conn))
        sw_tcp_set_state(tcp, conn, SANWO_TCP_CLOSED, SANWO_REASON_NO_MEMORY);
    return TCP_FINISHED;
}

enum tcp_verdict sw_tcp_close_on_fin_acked(struct tcp *tcp, struct tcp_connection *conn)
{
    conn->fin_acked = 1;
    switch (conn->state) {
    case SANWO_TCP_FIN_WAIT_1:
        sw_tcp_set_state(tcp, conn, SANWO_TCP_FIN_WAIT_2, SANWO_REASON_OUR_FIN_ACKED);
        if (conn->closed_by_user)
            sw_tcp_timers_fin_wait_2(tcp, conn);
        return TCP_CONTINUE;
    case SANWO_TCP_CLOSING:
        return enter_time_wait(tcp, conn, SANWO_REASON_OUR_FIN_ACKED);
    case SANWO_TCP_LAST_ACK:
        sw_tcp_set_state(tcp, conn, SANWO_TCP_CLOSED, SANWO_REASON_OUR_FIN_ACKED);
        return TCP_FINISHED;
    default:
        return TCP_CONTINUE;
    }
}

enum tcp_verdict sw_tcp_close_on_peer_fin(struct tcp *tcp, struct tcp_connection *conn)
{
    conn->fin_received = 1;
    conn->receive.rcv_nxt = tcp_seq_add(conn->receive.rcv_nxt, 1); /* over the FIN */
    if (tcp_seq_after(conn->receive.rcv_nxt, conn->receive.rcv_adv))
        conn->receive.rcv_adv = conn->receive.rcv_nxt; /* it stood just beyond the window */
    sw_tcp_ack_now(tcp, conn);
    sw_tcp_event(tcp, conn, SANWO_EVENT_PEER_CLOSED | SANWO_EVENT_READABLE);
    switch (conn->state) {
    case SANWO_TCP_ESTABLISHED:
        sw_tcp_set_state(tcp, conn, SANWO_TCP_CLOSE_WAIT, SANWO_REASON_PEER_FIN);
        return TCP_CONTINUE;
    case SANWO_TCP_FIN_WAIT_1: /* ours is not acknowledged yet: the ACK step came before this one */
        sw_tcp_set_state(tcp, conn, SANWO_TCP_CLOSING, SANWO_REASON_SIMULTANEOUS_CLOSE);
        return TCP_CONTINUE;
    case SANWO_TCP_FIN_WAIT_2:
        return enter_time_wait(tcp, conn, SANWO_REASON_PEER_FIN);
    default:
        return TCP_CONTINUE;
    }
}

enum tcp_verdict sw_tcp_close_time_wait_input(struct tcp *tcp, struct tcp_connection *conn,
                                              struct tcp_segment *seg)
{
    struct tcp_time_wait_view view = {conn->receive.rcv_nxt, conn->timestamps,
                                      tcp->config.offer_timestamps, conn->receive.ts_recent};
    switch (sw_tcp_time_wait_judge(&view, seg)) {
    case TIME_WAIT_RESTART:
        sw_tcp_timers_time_wait(tcp, conn);
        return TCP_DROP_AND_ACK;
    case TIME_WAIT_REUSE: /* not while the user still reads the old one */
    case TIME_WAIT_ACK:
        return TCP_DROP_AND_ACK;
    default:
        return TCP_DROP;
    }
}

enum tcp_verdict sw_tcp_close_linger_over(struct tcp *tcp, struct tcp_connection *conn)
{
    if (conn->state == SANWO_TCP_TIME_WAIT) {
        sw_tcp_set_state(tcp, conn, SANWO_TCP_CLOSED, SANWO_REASON_TIME_WAIT_OVER);
        return TCP_FINISHED;
    }
    /* FIN-WAIT-2 after close(): nobody waits for the peer any more (attack B-15). */
    sw_tcp_fail(tcp, conn, 0, SANWO_REASON_FIN_WAIT_2_TIMEOUT);
    return TCP_FINISHED;
}

/* MAY-1: both directions at once; sw_tcp_shutdown() closes ours alone. */
void sw_tcp_close(struct tcp *tcp, struct tcp_connection *conn)
{
    /* SHLD-3: the peer must learn that what it sent was not read. */
    bool unread = conn->receive.queued > 0 || conn->receive.reassembly;
    bool opening = conn->state == SANWO_TCP_SYN_SENT;
    bool must_tell = sw_tcp_may_receive_data(conn->state) || conn->state == SANWO_TCP_CLOSE_WAIT ||
                     conn->fast_open_pending;
    conn->reserved = 0;
    if (opening || (unread && must_tell)) { /* LAST-ACK, CLOSING, TIME-WAIT end in order */
        sw_tcp_abort(tcp, conn, SANWO_ECONNABORTED,
                     opening ? SANWO_REASON_USER_CLOSE : SANWO_REASON_CLOSED_WITH_UNREAD);
        return;
    }
    conn->closed_by_user = 1;
    sw_tcp_receive_queue_clear(tcp, conn); /* nobody reads it any more */
    if (conn->has_events) {
        conn->has_events = 0;
        sw_tcp_list_remove(&tcp->events, &tcp->connections, tcp->region, conn);
    }
    if (conn->state == SANWO_TCP_CLOSED) {
        sw_tcp_finish(tcp, conn);
        return;
    }
    if (conn->state == SANWO_TCP_TIME_WAIT) {
        if (conn->ack_now)
            sw_tcp_reply_ack(tcp, conn, SANWO_REASON_PEER_FIN);
        sw_tcp_time_wait_create(tcp, conn); /* without memory it simply ends early */
        sw_tcp_finish(tcp, conn);
        return;
    }
    if (!conn->fin_queued)
        sw_tcp_shutdown(tcp, conn);
    if (conn->state == SANWO_TCP_FIN_WAIT_2)
        sw_tcp_timers_fin_wait_2(tcp, conn);
}
