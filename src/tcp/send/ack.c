/*
 * ack.c - Advancing SND.UNA, the peer's window, duplicate acknowledgements.
 *
 *     snd_una - max_snd_wnd      snd_una            snd_nxt
 *             |  old: tolerated     |   new: taken     |  never sent: answered with an ACK
 *
 * RFC 9293 3.10.7.4 (fifth), RFC 5961 5 for how old an acknowledgement may be.
 */
#include "tcp/send/ack.h"

#include "tcp/close/close.h"
#include "tcp/connection/config.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/meter.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/state.h"
#include "tcp/connection/timers.h"
#include "tcp/ecn/ecn.h"
#include "tcp/open/fast_open.h"
#include "tcp/open/handshake.h"
#include "tcp/recovery/recovery.h"
#include "tcp/send/path_mtu.h"
#include "tcp/send/rtt.h"
#include "tcp/send/send_buffer.h"
#include "tcp/send/send_queue.h"
#include "tcp/send/sending.h"

#define TIMESTAMPS_SIZE 12 /* NOP NOP and the option */
#define HEADERS_IPV4 40
#define HEADERS_IPV6 60

uint16_t sw_tcp_send_mss(const struct tcp *tcp, const struct tcp_connection *conn, uint16_t mtu)
{
    uint32_t mss = sw_min32(conn->send.peer_mss, mtu ? UINT16_MAX : conn->receive.mss);
    uint32_t headers = sw_tcp_tuple_is_ipv4(&conn->tuple) ? HEADERS_IPV4 : HEADERS_IPV6;
    uint32_t floor = sw_tcp_config(tcp, conn)->mss_floor;
    if (mtu)
        mss = sw_min32(mss, sw_max32(mtu, headers) - headers);
    if (conn->send.path_mtu)
        mss = sw_min32(mss, sw_max32(conn->send.path_mtu, headers) - headers);
    uint32_t options = conn->timestamps ? TIMESTAMPS_SIZE : 0;
    /* Attack A-09: whatever the peer announced, a segment carries something. */
    return (uint16_t)(mss > options + floor ? mss - options : sw_max32(floor, 1));
}

/* SYN-RECEIVED with a control block: simultaneous open, or a half-open record just promoted. */
static enum tcp_verdict complete_handshake(struct tcp *tcp, struct tcp_connection *conn,
                                           struct tcp_segment *seg)
{
    if (!sw_tcp_fast_open_acks_syn(conn, seg->ack)) {
        seg->reason = SANWO_REASON_UNEXPECTED_ACK;
        return TCP_SEND_RESET; /* U-9: <SEQ=SEG.ACK><CTL=RST> */
    }
    sw_tcp_fast_open_answered(tcp, conn, seg);
    /* What was sent behind a SYN-ACK that a cookie earned is acknowledged by the usual steps. */
    conn->send.snd_una = conn->fast_open_pending ? tcp_seq_add(conn->send.iss, 1) : seg->ack;
    conn->send.snd_wnd = sw_tcp_segment_window(seg, conn->send.scale);
    conn->send.max_snd_wnd = sw_max32(conn->send.max_snd_wnd, conn->send.snd_wnd);
    conn->send.snd_wl1 = seg->seq;
    conn->send.snd_wl2 = seg->ack;
    sw_tcp_ecn_handshake_ack(tcp, conn, seg);
    sw_tcp_handshake_complete(tcp, conn, SANWO_REASON_HANDSHAKE_COMPLETE);
    return TCP_CONTINUE;
}

/* The byte that probed the closed window was refused with it: as if it had never been sent. */
static void take_probe_back(struct tcp *tcp, struct tcp_connection *conn, tcp_seq ack)
{
    bool only_the_probe =
        tcp_seq_distance(conn->send.snd_una, conn->send.snd_nxt) == 1 && !conn->fin_sent;
    if (!only_the_probe || !tcp_seq_equal(ack, conn->send.snd_una))
        return;
    sw_tcp_records_clear(tcp, conn);
    conn->send.snd_nxt = conn->send.snd_una;
    sw_tcp_sending_rest(tcp, conn);
    conn->send.next = 0;
    conn->snd_sml = conn->send.snd_una; /* no small segment is in flight */
}

static void note_window(struct tcp *tcp, struct tcp_connection *conn, uint32_t window, tcp_seq ack)
{
    struct tcp_sender *s = &conn->send;
    uint32_t old = s->snd_wnd;
    s->snd_wnd = window;
    if (window > s->max_snd_wnd)
        s->max_snd_wnd = window;
    if (SW_UNLIKELY((window == 0) != conn->window_event)) {
        conn->window_event = !window;
        sw_tcp_observe(tcp, conn, SANWO_OBSERVE_WINDOW,
                       window ? SANWO_REASON_WINDOW_OPENED : SANWO_REASON_ZERO_WINDOW, window, old);
    }
    if (window && s->probes) { /* it opened: what waited goes, on a fresh timer */
        s->probes = 0;
        conn->probe_now = 0;
        take_probe_back(tcp, conn, ack);
        if (tcp_seq_equal(s->snd_una, s->snd_nxt))
            conn->deadline.retransmit = SANWO_TIME_NEVER;
        else
            sw_tcp_timers_acked(tcp, conn);
    }
    if (window > old || s->lost)
        sw_tcp_wants_send(tcp, conn);
}

/* U-11: only from a segment newer than the one that told the last window. */
static bool update_window(struct tcp *tcp, struct tcp_connection *conn,
                          const struct tcp_segment *seg)
{
    struct tcp_sender *s = &conn->send;
    uint32_t window =
        sw_tcp_segment_window(seg, s->scale); /* MUST-1: unsigned, and scaled to 32 bits */
    if (!tcp_seq_before(s->snd_wl1, seg->seq) &&
        !(tcp_seq_equal(s->snd_wl1, seg->seq) && tcp_seq_before_or_equal(s->snd_wl2, seg->ack)))
        return false;
    s->snd_wl1 = seg->seq;
    s->snd_wl2 = seg->ack;
    if (window == s->snd_wnd)
        return false;
    note_window(tcp, conn, window, seg->ack);
    return true;
}

static void tell_user(struct tcp *tcp, struct tcp_connection *conn)
{
    sw_tcp_send_buffer_tell(tcp, conn);
    if (tcp_seq_equal(conn->send.snd_una, conn->send.snd_nxt) && !sw_tcp_send_queue_unsent(conn))
        sw_tcp_event(tcp, conn, SANWO_EVENT_DRAINED);
}

/* SND.UNA < SEG.ACK =< SND.NXT. */
static enum tcp_verdict advance(struct tcp *tcp, struct tcp_connection *conn,
                                struct tcp_segment *seg, struct tcp_news *news)
{
    struct tcp_sender *s = &conn->send;
    uint32_t acked = tcp_seq_distance(s->snd_una, seg->ack);
    bool fin = conn->fin_sent && !conn->fin_acked && tcp_seq_equal(seg->ack, s->snd_nxt);
    s->snd_una = seg->ack;
    sw_tcp_path_mtu_acked(tcp, conn, acked);
    s->retransmissions = 0;
    if (s->snd_wnd) /* SHLD-30: a byte that probed may be taken and the window stay closed */
        s->probes = 0;
    struct tcp_acked told = sw_tcp_records_acknowledge(tcp, conn, seg);
    sw_tcp_send_queue_acknowledge(tcp, conn, acked - fin);
    conn->bytes_acked += acked - fin;
    sw_tcp_meter_acked(tcp, conn);
    if (told.rtt_valid) /* RFC 6298 3; timed by arrival, not by when we looked */
        news->rtt = seg->arrival > told.sent ? seg->arrival - told.sent : 1;
    if (news->rtt)
        sw_tcp_rtt_sample(tcp, conn, news->rtt);
    news->acked = acked;
    news->first_sent = told.first_sent;
    news->resent = told.resent;
    if (conn->urgent_out && !tcp_seq_after(s->snd_up, s->snd_una))
        conn->urgent_out = 0;
    if (tcp_seq_equal(s->snd_una, s->snd_nxt)) {
        sw_tcp_timers_all_acked(tcp, conn);
        sw_tcp_sending_rest(tcp, conn);
    } else {
        sw_tcp_timers_acked(tcp, conn);
    }
    tell_user(tcp, conn);
    sw_tcp_wants_send(tcp, conn);
    return fin ? sw_tcp_close_on_fin_acked(tcp, conn) : TCP_CONTINUE;
}

/*
 * RFC 5681 2: data outstanding, nothing carried, the same acknowledgement, the same window.
 * RFC5681-2-1.
 */
static bool repeats_ack(const struct tcp_segment *seg, bool window_changed)
{
    return !seg->came_with_data && !(seg->flags & (TCP_SYN | TCP_FIN)) && !window_changed;
}

static bool is_duplicate(const struct tcp_connection *conn)
{
    /* With a window of zero the answers to zero-window probes look the same. */
    return conn->send.snd_wnd && !tcp_seq_equal(conn->send.snd_una, conn->send.snd_nxt);
}

/* The usual of who only receives: nothing is in flight, reported, or to be learnt of marks. */
static bool tells_nothing(const struct tcp_connection *conn, const struct tcp_segment *seg)
{
    return tcp_seq_equal(conn->send.snd_una, conn->send.snd_nxt) && seg->came_with_data &&
           !seg->options.sack_count && conn->ecn == TCP_ECN_OFF;
}

enum tcp_verdict sw_tcp_process_ack(struct tcp *tcp, struct tcp_connection *conn,
                                    struct tcp_segment *seg)
{
    struct tcp_sender *s = &conn->send;
    if (SW_UNLIKELY(!(seg->flags & TCP_ACK)))
        return sw_tcp_drop(seg, SANWO_REASON_NO_ACK_FLAG); /* U-8 */
    if (SW_UNLIKELY(conn->state == SANWO_TCP_SYN_RECEIVED)) {
        enum tcp_verdict verdict = complete_handshake(tcp, conn, seg);
        if (verdict != TCP_CONTINUE)
            return verdict;
    }
    if (SW_UNLIKELY(conn->syn_unacked) && /* we closed in SYN-RECEIVED */
        tcp_seq_between(seg->ack, tcp_seq_add(s->iss, 1), s->snd_nxt)) {
        sw_tcp_handshake_catch_up(tcp, conn);
        s->snd_una = tcp_seq_add(s->iss, 1);
    }
    /* RFC 5961 5.2 (RFC5961-5.2-1, MAY-12): neither older than the largest window nor newer than what was sent. */
    tcp_seq oldest = tcp_seq_subtract(s->snd_una, s->max_snd_wnd);
    if (SW_UNLIKELY(!tcp_seq_between(seg->ack, oldest, s->snd_nxt))) {
        seg->reason = SANWO_REASON_ACK_OUT_OF_RANGE;
        return TCP_DROP_AND_CHALLENGE; /* U-10, B-19 */
    }
    if (tcp_seq_before(seg->ack, s->snd_una))
        return TCP_CONTINUE; /* an old one: ignored, but not the text it came with */
    bool window_changed = update_window(tcp, conn, seg);
    if (SW_UNLIKELY(conn->syn_unacked)) /* an old one: what is in flight begins with the SYN */
        return TCP_CONTINUE;
    if (s->snd_wnd == 0)
        s->retransmissions = 0; /* MUST-37: it answers our probes, so we stay */
    if (tells_nothing(conn, seg)) {
        sw_tcp_meter_ack_in(tcp, conn, 0, false);
        return TCP_CONTINUE;
    }
    enum tcp_verdict verdict = TCP_CONTINUE;
    struct tcp_news news = sw_tcp_recovery_begin(tcp, conn, seg);
    if (conn->sack && seg->options.sack_count)
        sw_tcp_recovery_on_sack(tcp, conn, &news);
    if (!tcp_seq_equal(seg->ack, s->snd_una)) {
        verdict = advance(tcp, conn, seg, &news);
    } else if (repeats_ack(seg, window_changed)) {
        news.repeats = true;
        news.duplicate = is_duplicate(conn);
        conn->duplicate_acks_seen += news.duplicate;
    }
    if (news.rtt && !news.acked)
        sw_tcp_rtt_sample(tcp, conn, news.rtt);
    if (verdict == TCP_CONTINUE)
        sw_tcp_recovery_end(tcp, conn, &news);
    return verdict;
}

/* B-25. */
void sw_tcp_ack_late(struct tcp *tcp, struct tcp_connection *conn, struct tcp_segment *seg)
{
    struct tcp_sender *s = &conn->send;
    if (conn->state < SANWO_TCP_ESTABLISHED || conn->state == SANWO_TCP_TIME_WAIT ||
        conn->syn_unacked)
        return;
    bool new_ack =
        !tcp_seq_equal(seg->ack, s->snd_una) && tcp_seq_between(seg->ack, s->snd_una, s->snd_nxt);
    /* Not where it would end the connection: that is left to a segment in good order. */
    if (!new_ack || (conn->fin_sent && tcp_seq_equal(seg->ack, s->snd_nxt)))
        return;
    struct tcp_news news = sw_tcp_recovery_begin(tcp, conn, seg);
    /* Its window is not taken, so the right edge stays where it was (SHLD-16). */
    uint32_t acked = tcp_seq_distance(s->snd_una, seg->ack);
    note_window(tcp, conn, s->snd_wnd - sw_min32(acked, s->snd_wnd), seg->ack);
    advance(tcp, conn, seg, &news);
    sw_tcp_recovery_end(tcp, conn, &news);
}
