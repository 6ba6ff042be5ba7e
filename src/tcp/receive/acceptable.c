/*
 * acceptable.c - The sequence check, and trimming to the window.
 *
 *        rcv_nxt                    rcv_adv
 *     ------|--------------------------|------
 *      [ old | new ]  [ inside ]  [ in | beyond ]      old and beyond are cut off
 *
 * RFC 9293 3.10.7.4, first. The window is the announced one: whatever was promised is honoured
 * (RFC 7323 2.4, RFC7323-2.4-1), also after the buffer filled.
 */
#include "tcp/receive/acceptable.h"

#include "tcp/connection/observe.h"
#include "tcp/receive/delayed_ack.h"
#include "tcp/receive/reassembly.h"
#include "tcp/send/ack.h"

bool sw_tcp_acceptable(tcp_seq rcv_nxt, uint32_t rcv_wnd, tcp_seq seq, uint32_t span)
{
    if (span == 0)
        return rcv_wnd == 0 ? tcp_seq_equal(seq, rcv_nxt)
                            : tcp_seq_in_window(seq, rcv_nxt, rcv_wnd);
    if (rcv_wnd == 0)
        return false;
    return tcp_seq_in_window(seq, rcv_nxt, rcv_wnd) ||
           tcp_seq_in_window(tcp_seq_add(seq, span - 1), rcv_nxt, rcv_wnd);
}

/* Bytes before rcv_nxt were received before; what is left starts there. */
static void trim_front(struct tcp_connection *conn, struct tcp_segment *seg)
{
    uint32_t old = tcp_seq_distance(seg->seq, conn->receive.rcv_nxt);
    if (!tcp_seq_before(seg->seq, conn->receive.rcv_nxt))
        return;
    if (seg->length)
        sw_tcp_report_duplicate(conn, seg->seq, sw_min32(old, seg->length));
    if (seg->flags & TCP_SYN) { /* an old SYN takes a number too */
        seg->flags &= (uint8_t)~TCP_SYN;
        seg->seq = tcp_seq_add(seg->seq, 1);
        old--;
    }
    old = sw_min32(old, seg->length);
    seg->seq = tcp_seq_add(seg->seq, old);
    seg->skip += old;
    seg->length -= old;
}

/* Bytes beyond the announced edge are cut off, and the FIN behind them. */
static void trim_back(struct tcp *tcp, struct tcp_connection *conn, struct tcp_segment *seg)
{
    uint32_t room = tcp_seq_distance(seg->seq, conn->receive.rcv_adv);
    if (seg->length <= room)
        return;
    sw_tcp_observe_drop(tcp, seg, conn, SANWO_REASON_BEYOND_WINDOW);
    seg->length = room;
    seg->flags &= (uint8_t)~TCP_FIN;
    seg->cut = true;                  /* answered at once, if the steps to come believe the rest */
    if (!sw_tcp_receive_window(conn)) /* a zero-window probe always is (RFC 9293 3.8.6.1) */
        sw_tcp_ack_now(tcp, conn);
}

/* All of it old: a retransmission, a keep-alive probe, or a duplicate on its way through the net. */
static bool is_old(const struct tcp_connection *conn, const struct tcp_segment *seg, uint32_t span)
{
    tcp_seq end = tcp_seq_add(seg->seq, span);
    return tcp_seq_before(seg->seq, conn->receive.rcv_nxt) &&
           tcp_seq_before_or_equal(end, conn->receive.rcv_nxt);
}

static enum tcp_verdict refuse(struct tcp *tcp, struct tcp_connection *conn,
                               struct tcp_segment *seg, uint32_t span)
{
    seg->reason = SANWO_REASON_OUT_OF_WINDOW;
    if (seg->flags & TCP_RST) {
        seg->reason = SANWO_REASON_RST_OUT_OF_WINDOW;
        return TCP_DROP;
    }
    if (is_old(conn, seg, span)) {
        conn->duplicate_segments++;
        if (seg->length) {
            seg->reason = SANWO_REASON_DUPLICATE_DATA;
            sw_tcp_report_duplicate(conn, seg->seq, seg->length);
        }
        /* A.2 (U-22): its acknowledgement may be news although its sequence number is not. */
        if ((seg->flags & (TCP_ACK | TCP_SYN)) == TCP_ACK)
            sw_tcp_ack_late(tcp, conn, seg);
    }
    /* What carries nothing may be one half of an endless exchange: limited (attacks B-24, B-26). */
    return seg->length ? TCP_DROP_AND_ACK : TCP_DROP_AND_CHALLENGE;
}

/*
 * MUST-66: our window is closed and the peer has a probe's byte out, so what it sends is numbered one
 * beyond. Its acknowledgement and window count all the same, or two closed windows never open.
 */
static bool is_just_beyond(const struct tcp_connection *conn, const struct tcp_segment *seg)
{
    return !(seg->flags & (TCP_RST | TCP_SYN)) &&
           tcp_seq_equal(seg->seq, tcp_seq_add(conn->receive.rcv_nxt, 1));
}

/*
 * Simultaneous open: the peer's SYN comes again with its ACK of ours (RFC 9293 figure 8, line 6). By
 * the letter of the check its number is old; what it acknowledges completes the handshake.
 * B-25.
 */
static bool is_crossing_syn(const struct tcp_connection *conn, const struct tcp_segment *seg)
{
    return ((conn->state == SANWO_TCP_SYN_RECEIVED && !conn->passive) || conn->syn_unacked) &&
           (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_ACK) &&
           tcp_seq_equal(seg->seq, conn->receive.irs);
}

enum tcp_verdict sw_tcp_check_sequence(struct tcp *tcp, struct tcp_connection *conn,
                                       struct tcp_segment *seg)
{
    uint32_t window = sw_tcp_receive_window(conn);
    uint32_t span = sw_tcp_segment_span(seg);
    if (SW_LIKELY(tcp_seq_equal(seg->seq, conn->receive.rcv_nxt))) {
        /* MUST-66: with a closed window the ACK, URG and RST of such a segment still count. */
        if (SW_UNLIKELY(seg->length > window))
            trim_back(tcp, conn, seg);
        return TCP_CONTINUE;
    }
    if (SW_UNLIKELY(is_crossing_syn(conn, seg))) {
        seg->flags &= (uint8_t)~TCP_SYN;
        seg->seq = tcp_seq_add(seg->seq, 1);
        trim_back(tcp, conn, seg);
        return TCP_CONTINUE;
    }
    /* RFC 5961 4.2: irrespective of its number a SYN is challenged, so it is not trimmed off. */
    if (SW_UNLIKELY((seg->flags & (TCP_SYN | TCP_RST)) == TCP_SYN) &&
        (conn->state != SANWO_TCP_SYN_RECEIVED || !conn->passive))
        return TCP_CONTINUE;
    if (SW_UNLIKELY(window == 0) && is_just_beyond(conn, seg)) {
        if (span)
            sw_tcp_ack_now(tcp, conn);
        else /* unacceptable by the letter: answered, but within the limit (B-24) */
            sw_tcp_challenge_ack(tcp, conn);
        seg->length = 0;
        seg->flags &= (uint8_t)~TCP_FIN;
        return TCP_CONTINUE;
    }
    if (!sw_tcp_acceptable(conn->receive.rcv_nxt, window, seg->seq, span))
        return refuse(tcp, conn, seg, span);
    trim_front(conn, seg);
    trim_back(tcp, conn, seg);
    return TCP_CONTINUE;
}
