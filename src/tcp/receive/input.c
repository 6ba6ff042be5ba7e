/*
 * input.c - A segment arrived: the order of steps of RFC 9293 3.10.7, each step in its own room.
 *
 *     SYN-SENT -> open/handshake.c        TIME-WAIT -> close/close.c
 *     else:  PAWS -> sequence -> RST -> SYN -> ACK -> URG -> text -> FIN
 */
#include "tcp/receive/input.h"

#include "tcp/close/close.h"
#include "tcp/close/reset.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/meter.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/state.h"
#include "tcp/connection/timers.h"
#include "tcp/ecn/ecn.h"
#include "tcp/open/fast_open.h"
#include "tcp/open/handshake.h"
#include "tcp/receive/acceptable.h"
#include "tcp/receive/delayed_ack.h"
#include "tcp/receive/reassembly.h"
#include "tcp/receive/timestamps.h"
#include "tcp/receive/tuning.h"
#include "tcp/receive/window.h"
#include "tcp/send/ack.h"

/*
 * Second: RFC 5961 3.2. Only the exact number resets; inside the window it earns a challenge
 * (U-5). SHLD-2: whatever it carries.
 * RFC5961-3.2-1, RFC5961-10-1.
 * C-01.
 */
static enum tcp_verdict check_reset(struct tcp *tcp, struct tcp_connection *conn,
                                    struct tcp_segment *seg, tcp_seq original)
{
    if (SW_LIKELY(!(seg->flags & TCP_RST)))
        return TCP_CONTINUE;
    if (tcp_seq_before(original, conn->receive.rcv_nxt)) /* only what it carries is inside */
        return sw_tcp_drop(seg, SANWO_REASON_RST_OUT_OF_WINDOW);
    if (!tcp_seq_equal(original, conn->receive.rcv_nxt)) {
        seg->reason = SANWO_REASON_RST_NOT_EXACT;
        return TCP_DROP_AND_CHALLENGE;
    }
    bool refused = conn->state == SANWO_TCP_SYN_RECEIVED && !conn->passive; /* MUST-11 */
    if (SW_UNLIKELY(conn->fast_open_pending))
        sw_tcp_fast_open_reset(tcp, conn);
    conn->reset_received = 1;
    if (conn->state == SANWO_TCP_CLOSING || conn->state == SANWO_TCP_LAST_ACK) {
        sw_tcp_fail(tcp, conn, 0,
                    SANWO_REASON_PEER_RESET); /* 3.10.7.4: enter CLOSED, and no more */
        return TCP_FINISHED;
    }
    sw_tcp_fail(tcp, conn, refused ? SANWO_ECONNREFUSED : SANWO_ECONNRESET,
                refused ? SANWO_REASON_PEER_REFUSED : SANWO_REASON_PEER_RESET);
    return TCP_FINISHED;
}

/*
 * Fourth: RFC 5961 4.2. Never a reason to reset (U-6); who restarted learns of us (U-16).
 * RFC5961-4.2-1.
 * E-05.
 */
static enum tcp_verdict check_syn(struct tcp *tcp, struct tcp_connection *conn,
                                  struct tcp_segment *seg)
{
    if (SW_LIKELY(!(seg->flags & TCP_SYN)))
        return TCP_CONTINUE;
    seg->reason = SANWO_REASON_SYN_IN_CONNECTION;
    return sw_tcp_ecn_syn_ack_again(tcp, conn, seg) ? TCP_DROP : TCP_DROP_AND_CHALLENGE;
}

/* Sixth: RFC 9293 3.8.5 (MUST-30). The pointer moves a mark; it is never a length (attack A-04). */
static void process_urgent(struct tcp *tcp, struct tcp_connection *conn,
                           const struct tcp_segment *seg, tcp_seq original)
{
    if (SW_LIKELY(!(seg->flags & TCP_URG)) || !sw_tcp_may_receive_data(conn->state))
        return;
    tcp_seq up = tcp_seq_add(original, seg->urgent); /* MUST-62: one past the last urgent byte */
    bool news =
        conn->urgent
            ? tcp_seq_after(up, conn->receive.rcv_up)
            : tcp_seq_after(up, tcp_seq_subtract(conn->receive.rcv_nxt, conn->receive.queued));
    if (!news)
        return;
    conn->urgent = 1;
    conn->receive.rcv_up = up;
    sw_tcp_event(tcp, conn, SANWO_EVENT_URGENT); /* MUST-32 */
}

/* Seventh. The FIN's place is remembered even where the data before it is missing. */
static enum tcp_verdict process_text(struct tcp *tcp, struct tcp_connection *conn,
                                     struct tcp_segment *seg)
{
    uint32_t length = seg->length;
    if (conn->fin_received || !sw_tcp_may_receive_data(conn->state)) /* U-12 */
        return length ? sw_tcp_drop(seg, SANWO_REASON_DATA_AFTER_FIN) : TCP_CONTINUE;
    if (conn->closed_by_user && length) { /* SHLD-3, 3.6.1: nobody will read it */
        sw_tcp_observe_drop(tcp, seg, conn, SANWO_REASON_DATA_AFTER_CLOSE);
        sw_tcp_reset_connection(tcp, conn, SANWO_REASON_CLOSED_WITH_UNREAD);
        sw_tcp_fail(tcp, conn, SANWO_ECONNABORTED, SANWO_REASON_CLOSED_WITH_UNREAD);
        return TCP_FINISHED;
    }
    if (!length)
        return TCP_CONTINUE;
    sw_tcp_meter_data_in(tcp, conn);
    tcp_seq before = conn->receive.rcv_nxt;
    bool hole = conn->receive.reassembly != 0;
    bool in_order = tcp_seq_equal(seg->seq, before);
    bool kept = sw_tcp_reassemble(tcp, conn, seg);
    uint32_t taken = tcp_seq_distance(before, conn->receive.rcv_nxt);
    if (taken) {
        sw_tcp_event(tcp, conn, SANWO_EVENT_READABLE);
        sw_tcp_ack_data(tcp, conn, taken, length);
        sw_tcp_tuning_on_data(tcp, conn, seg, taken);
    }
    if (!in_order && !conn->sack && conn->duplicates_owed < 3)
        conn->duplicates_owed++; /* it counts them: a batch must not make one of many */
    /* MAY-13 */
    if (!in_order || hole ||
        seg->cut) /* RFC 5681 4.2: a duplicate ACK at once, and one when the hole fills */
        sw_tcp_ack_now(tcp, conn);
    if (!kept) {
        seg->reason = in_order ? SANWO_REASON_NO_MEMORY : SANWO_REASON_REASSEMBLY_FULL;
        if (in_order)
            sw_tcp_window_shut(conn);
        return TCP_DROP_AND_ACK;
    }
    return TCP_CONTINUE;
}

/* Eighth: when everything before the FIN has arrived. */
static enum tcp_verdict process_fin(struct tcp *tcp, struct tcp_connection *conn, bool fin,
                                    tcp_seq fin_seq)
{
    if (fin && !conn->fin_received && !conn->fin_known) {
        conn->fin_known = 1;
        conn->receive.fin_seq = fin_seq;
    }
    if (SW_LIKELY(!conn->fin_known) || conn->fin_received)
        return TCP_CONTINUE;
    if (!tcp_seq_equal(conn->receive.rcv_nxt, conn->receive.fin_seq)) {
        if (fin)
            sw_tcp_ack_now(tcp, conn);
        return TCP_CONTINUE;
    }
    return sw_tcp_close_on_peer_fin(tcp, conn);
}

enum tcp_verdict sw_tcp_input(struct tcp *tcp, struct tcp_connection *conn, struct tcp_segment *seg)
{
    enum tcp_verdict verdict;
    tcp_seq original = seg->seq;
    uint32_t payload = seg->length;

    conn->segments_in++;
    if (SW_UNLIKELY(conn->state == SANWO_TCP_SYN_SENT))
        return sw_tcp_syn_sent_input(tcp, conn, seg); /* 3.10.7.3 */
    if (SW_UNLIKELY(conn->state == SANWO_TCP_TIME_WAIT))
        return sw_tcp_close_time_wait_input(tcp, conn, seg);
    if (SW_UNLIKELY(conn->state == SANWO_TCP_SYN_RECEIVED) &&
        !sw_tcp_ecn_syn_received(tcp, conn, seg)) {
        sw_tcp_reset_connection(tcp, conn, SANWO_REASON_SYN_IN_CONNECTION);
        sw_tcp_fail(tcp, conn, SANWO_ECONNABORTED, SANWO_REASON_SYN_IN_CONNECTION);
        return TCP_FINISHED;
    }
    if (SW_UNLIKELY(conn->fast_open_pending) && sw_tcp_fast_open_is_repeated(tcp, conn, seg))
        return sw_tcp_drop(seg, SANWO_REASON_OLD_DUPLICATE);

    /* RFC 9293 3.10.7.4. The step numbers are the RFC's; PAWS is RFC 7323 5.3 R1. */
    if ((verdict = sw_tcp_check_paws(tcp, conn, seg)) != TCP_CONTINUE)
        return verdict;
    if ((verdict = sw_tcp_check_sequence(tcp, conn, seg)) != TCP_CONTINUE) /* first */
        return verdict;
    if ((verdict = check_reset(tcp, conn, seg, original)) != TCP_CONTINUE) /* second */
        return verdict;
    if ((verdict = check_syn(tcp, conn, seg)) != TCP_CONTINUE) /* third is obsolete; fourth */
        return verdict;
    if ((verdict = sw_tcp_process_ack(tcp, conn, seg)) != TCP_CONTINUE) /* fifth */
        return verdict;
    /* RFC 7323 4.3 (2), but only now that the ACK is believed too: nobody poisons it blindly (C-07). */
    sw_tcp_timestamp_update(tcp, conn, seg, original);
    sw_tcp_timers_segment_arrived(tcp, conn);
    conn->receive.dscp_ecn = seg->dscp_ecn;
    sw_tcp_ecn_receive(tcp, conn, seg, payload);
    bool fin = seg->flags & TCP_FIN;
    tcp_seq fin_seq = tcp_seq_add(seg->seq, seg->length);
    process_urgent(tcp, conn, seg, original);                     /* sixth */
    if ((verdict = process_text(tcp, conn, seg)) != TCP_CONTINUE) /* seventh */
        return verdict;
    return process_fin(tcp, conn, fin, fin_seq); /* eighth */
}
