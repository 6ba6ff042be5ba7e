/*
 * plan.c - What may be sent: the windows, Nagle, silly-window avoidance, retransmissions, probes.
 *
 *     snd_una        snd_nxt            snd_end
 *        |  in flight   |   unsent         |
 *        |<-------- snd_wnd -------->|                  the peer's window, from snd_una
 *        |<---- cwnd ---->|  less what is in flight     congestion
 *
 * RFC 9293 3.7.4 (Nagle, SHLD-7), 3.8.6.2.1 (MUST-38), 3.8.6.1; RFC 5681 3.1.
 */
#include "tcp/connection/config.h"
#include "tcp/connection/timers.h"
#include "tcp/send/output.h"
#include "tcp/send/records.h"
#include "tcp/send/send_queue.h"

static bool held(struct tcp_connection *conn, enum sanwo_reason why)
{
    conn->limited_by = (uint16_t)why;
    return false;
}

/*
 * Bytes of the peer's window beyond snd_nxt; none if it shrank below (MUST-34). RFC7323-2.4-2.
 * B-23.
 */
static uint32_t usable_window(const struct tcp_sender *s)
{
    uint32_t used = tcp_seq_distance(s->snd_una, s->snd_nxt);
    return used < s->snd_wnd ? s->snd_wnd - used : 0; /* SHLD-15 */
}

/* RFC8985-9.3-1. */
static uint32_t congestion_room(const struct tcp_connection *conn, uint32_t mss)
{
    uint32_t room = conn->cc.cwnd > conn->send.in_flight ? conn->cc.cwnd - conn->send.in_flight : 0;
    if (conn->limited && room < mss)
        room = mss;
    return room;
}

/* Whole segments only, but for the last of the queue. SHLD-28. */
static uint32_t cut(uint32_t length, uint32_t available, uint32_t mss, uint32_t limit)
{
    length = sw_min32(length, limit);
    if (length > mss && length < available)
        length -= length % mss;
    return length;
}

/* RFC 9293 3.8.6.2.1: a full segment, or all there is and nobody is kept waiting, or much enough. */
static bool is_worth_sending(struct tcp *tcp, struct tcp_connection *conn, uint32_t length,
                             uint32_t available, uint32_t mss)
{
    const struct tcp_sender *s = &conn->send;
    if (length >= mss || (conn->override && length))
        return true;
    if (length == available) {
        if (conn->fin_queued)
            return true;
        if (conn->more || sw_tcp_config(tcp, conn)->cork)
            return held(conn, SANWO_REASON_NAGLE);
        /* RFC 9293 3.7.4 as modified by A.3: only a small segment in flight holds the next one back. */
        bool small_in_flight =
            !tcp_seq_equal(s->snd_una, s->snd_nxt) &&
            tcp_seq_between(conn->snd_sml, tcp_seq_add(s->snd_una, 1), s->snd_nxt);
        if (!small_in_flight || !sw_tcp_config(tcp, conn)->nagle)
            return true;
        return held(conn, SANWO_REASON_NAGLE);
    }
    if (length >= s->max_snd_wnd / 2 && length)
        return true;
    return held(conn, SANWO_REASON_SILLY_WINDOW);
}

/* RFC5681-3.1-1: never beyond either window. */
bool sw_tcp_plan_new_data(struct tcp *tcp, struct tcp_connection *conn, uint32_t mss,
                          uint32_t limit, struct tcp_plan *plan)
{
    struct tcp_sender *s = &conn->send;
    uint32_t available = sw_tcp_send_queue_unsent(conn);
    bool fin = conn->fin_queued && !conn->fin_sent;
    if (!available && !fin)
        return held(conn, SANWO_REASON_NONE);
    uint32_t window = usable_window(s);
    bool idle = tcp_seq_equal(s->snd_una, s->snd_nxt);
    if (window == 0) {
        if (idle)
            sw_tcp_timers_window_closed(tcp, conn);
        return held(conn, SANWO_REASON_ZERO_WINDOW);
    }
    uint32_t room = congestion_room(conn, mss);
    if (room < sw_min32(available, mss) && !idle)
        return held(conn, SANWO_REASON_CONGESTION_WINDOW);
    if (idle)
        room = sw_max32(room, mss);
    uint32_t length = cut(sw_min32(sw_min32(available, window), room), available, mss, limit);
    if (available && !is_worth_sending(tcp, conn, length, available, mss)) {
        if (idle) /* the override of 3.8.6.2.1: it is sent some time after all */
            sw_tcp_timers_window_closed(tcp, conn);
        return false;
    }
    plan->seq = s->snd_nxt;
    plan->length = length;
    plan->segment_size = length > mss ? (uint16_t)mss : 0;
    plan->ends_small = length % mss != 0;
    plan->flags = TCP_ACK;
    plan->reason = SANWO_REASON_NEW_DATA;
    if (length == available) {
        if (length)
            plan->flags |= TCP_PSH; /* MUST-61: the last of what is queued; SHLD-27, MAY-16 */
        if (fin && window > length) {
            plan->flags |= TCP_FIN;
            plan->reason = SANWO_REASON_USER_SHUTDOWN;
        } else if (!length) {
            return held(conn, SANWO_REASON_ZERO_WINDOW);
        }
    }
    return true;
}

tcp_seq sw_tcp_bare_seq(const struct tcp_connection *conn)
{
    const struct tcp_sender *s = &conn->send;
    uint32_t used = tcp_seq_distance(s->snd_una, s->snd_nxt);
    return used > s->snd_wnd ? tcp_seq_add(s->snd_una, s->snd_wnd) : s->snd_nxt;
}

/* The oldest lost record; the count of records if there is none. */
static uint32_t first_lost(struct tcp *tcp, struct tcp_connection *conn)
{
    uint32_t count = sw_tcp_records_count(tcp, conn), i = 0;
    while (i < count && !(sw_tcp_record(tcp, conn, i)->flags & RECORD_LOST))
        i++;
    return i;
}

static uint32_t find_record(struct tcp *tcp, struct tcp_connection *conn, tcp_seq seq)
{
    uint32_t count = sw_tcp_records_count(tcp, conn), i = 0;
    while (i < count && !tcp_seq_equal(sw_tcp_record(tcp, conn, i)->seq, seq))
        i++;
    return i;
}

bool sw_tcp_plan_retransmission(struct tcp *tcp, struct tcp_connection *conn, uint32_t mss,
                                uint32_t limit, struct tcp_plan *plan)
{
    struct tcp_sender *s = &conn->send;
    uint32_t i = first_lost(tcp, conn);
    if (i == sw_tcp_records_count(tcp, conn))
        return false;
    struct tcp_record *record = sw_tcp_record(tcp, conn, i);
    uint32_t ahead = tcp_seq_distance(s->snd_una, record->seq);
    if (ahead >= s->snd_wnd) /* SHLD-16: old data within the window only; the timer probes */
        return held(conn, SANWO_REASON_ZERO_WINDOW);
    uint32_t room = congestion_room(conn, mss);
    if (s->in_flight && room < sw_min32(record->length, mss))
        return held(conn, SANWO_REASON_CONGESTION_WINDOW);
    bool fin =
        conn->fin_sent && tcp_seq_equal(tcp_seq_add(record->seq, record->length), s->snd_nxt);
    uint32_t data = record->length - fin;
    uint32_t length = sw_min32(data, sw_max32(mss, sw_min32(room, limit)));
    length = sw_min32(length, s->snd_wnd - ahead);
    if (length > mss)
        length -= length % mss;
    if (length <
        data) /* without memory the whole record counts as sent: RACK or the timer sees to the rest */
        sw_tcp_records_split(tcp, conn, i, length);
    plan->seq = sw_tcp_record(tcp, conn, i)->seq;
    plan->length = length;
    plan->segment_size = length > mss ? (uint16_t)mss : 0;
    plan->flags = TCP_ACK;
    if (length && length == data && record->pushed) /* as it was first sent */
        plan->flags |= TCP_PSH;
    if (fin && length == data)
        plan->flags |= TCP_FIN;
    plan->reason =
        conn->in_recovery ? SANWO_REASON_FAST_RETRANSMIT : SANWO_REASON_RETRANSMIT_TIMEOUT;
    return true;
}

/* RFC 9293 3.8.6.1: at least one octet, whatever the window (MUST-36); a FIN counts as one. */
bool sw_tcp_plan_probe(struct tcp *tcp, struct tcp_connection *conn, struct tcp_plan *plan)
{
    struct tcp_sender *s = &conn->send;
    bool outstanding = !tcp_seq_equal(s->snd_una, s->snd_nxt);
    uint32_t data =
        outstanding ? tcp_seq_distance(s->snd_una, s->snd_end) : sw_tcp_send_queue_unsent(conn);
    if (conn->syn_unacked || conn->fin_acked || (!data && !conn->fin_queued))
        return false;
    (void)tcp;
    plan->seq = s->snd_una;
    plan->length = data ? 1 : 0;
    plan->ends_small = data != 0;
    plan->segment_size = 0;
    plan->flags = data ? TCP_ACK | TCP_PSH : TCP_ACK | TCP_FIN;
    plan->reason = SANWO_REASON_WINDOW_PROBE;
    return true;
}

static void note_first_transmission(struct tcp *tcp, struct tcp_connection *conn,
                                    const struct tcp_plan *plan, uint32_t span)
{
    struct tcp_sender *s = &conn->send;
    sw_tcp_records_push(tcp, conn, span); /* there was room: sw_tcp_output() saw to it */
    sw_tcp_record(tcp, conn, sw_tcp_records_count(tcp, conn) - 1)->pushed = plan->flags & TCP_PSH;
    s->snd_nxt = tcp_seq_add(s->snd_nxt, span);
    if (plan->ends_small)
        conn->snd_sml = s->snd_nxt;
    conn->override = 0;
    if (plan->flags & TCP_FIN)
        conn->fin_sent = 1;
    conn->limited = 0;
}

static void note_retransmission(struct tcp *tcp, struct tcp_connection *conn,
                                const struct tcp_plan *plan)
{
    uint32_t i = find_record(tcp, conn, plan->seq);
    conn->retransmitted++;
    tcp->counters.retransmitted++;
    if (i == sw_tcp_records_count(tcp, conn))
        return;
    uint32_t span = plan->length + !!(plan->flags & TCP_FIN);
    bool probe = plan->reason == SANWO_REASON_WINDOW_PROBE;
    if (!probe && span < sw_tcp_record(tcp, conn, i)->length)
        sw_tcp_records_split(tcp, conn, i, span);
    sw_tcp_records_sent_again(tcp, conn, i);
    struct tcp_record *record = sw_tcp_record(tcp, conn, i);
    if (probe) {
        record->flags |= RECORD_RETRANSMITTED;
        return;
    }
    sw_tcp_record_set_flags(conn, record,
                            (record->flags & (uint8_t)~RECORD_LOST) | RECORD_RETRANSMITTED);
    conn->limited = 0;
}

void sw_tcp_plan_sent(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_plan *plan)
{
    uint32_t span = plan->length + !!(plan->flags & TCP_FIN);
    if (!span)
        return;
    conn->limited_by = SANWO_REASON_NONE; /* if more is held back, the next plan says why */
    if (tcp_seq_equal(plan->seq, conn->send.snd_nxt))
        note_first_transmission(tcp, conn, plan, span);
    else
        note_retransmission(tcp, conn, plan);
    conn->send.last_sent = tcp->now;
    sw_tcp_timers_sent(tcp, conn);
}
