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
#include "tcp/connection/meter.h"
#include "tcp/connection/timers.h"
#include "tcp/send/output.h"
#include "tcp/send/send_buffer.h"
#include "tcp/send/send_queue.h"
#include "tcp/send/sending.h"

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

static bool ends_with_fin(const struct tcp_connection *conn, const struct tcp_record *record)
{
    tcp_seq end = tcp_seq_add(record->seq, record->length);
    return conn->fin_sent && tcp_seq_equal(end, conn->send.snd_nxt);
}

bool sw_tcp_plan_retransmission(struct tcp *tcp, struct tcp_connection *conn, uint32_t mss,
                                uint32_t limit, struct tcp_plan *plan)
{
    struct tcp_sender *s = &conn->send;
    struct tcp_place place;
    struct tcp_record *record = sw_tcp_records_first_lost(tcp, conn, &place);
    if (!record)
        return false;
    uint32_t ahead = tcp_seq_distance(s->snd_una, record->seq);
    if (ahead >= s->snd_wnd) /* SHLD-16: old data within the window only; the timer probes */
        return held(conn, SANWO_REASON_ZERO_WINDOW);
    uint32_t room = congestion_room(conn, mss);
    if (s->in_flight && room < sw_min32(record->length, mss))
        return held(conn, SANWO_REASON_CONGESTION_WINDOW);
    bool fin = ends_with_fin(conn, record), pushed = record->pushed;
    uint32_t data = record->length - fin;
    uint32_t length = sw_min32(data, sw_max32(mss, sw_min32(room, limit)));
    length = sw_min32(length, s->snd_wnd - ahead);
    if (length > mss)
        length -= length % mss;
    if (length <
        data) /* without memory the whole record counts as sent: RACK or the timer sees to the rest */
        sw_tcp_records_split(tcp, conn, &place, length);
    plan->seq = sw_tcp_record_at(tcp, conn, &place)->seq;
    plan->length = length;
    plan->segment_size = length > mss ? (uint16_t)mss : 0;
    plan->flags = TCP_ACK;
    if (length && length == data && pushed) /* as it was first sent */
        plan->flags |= TCP_PSH;
    if (fin && length == data)
        plan->flags |= TCP_FIN;
    plan->reason = conn->in_recovery  ? SANWO_REASON_FAST_RETRANSMIT
                   : conn->in_timeout ? SANWO_REASON_RETRANSMIT_TIMEOUT
                                      : SANWO_REASON_PATH_MTU_LOWERED;
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

/* The last segment once more: at most @mss of the newest record. */
static bool plan_last_again(struct tcp *tcp, struct tcp_connection *conn, uint32_t mss,
                            struct tcp_plan *plan)
{
    struct tcp_place place;
    struct tcp_record *last = sw_tcp_records_last(tcp, conn, &place);
    if (!last)
        return false;
    bool fin = ends_with_fin(conn, last);
    if (tcp_seq_distance(conn->send.snd_una, conn->send.snd_nxt) > conn->send.snd_wnd)
        return false; /* SHLD-16: the window shrank below it */
    if (last->length - fin > mss) {
        uint32_t cut_off = last->length - fin - mss;
        if (!sw_tcp_records_split(tcp, conn, &place, cut_off))
            return false;
        last = sw_tcp_records_last(tcp, conn, &place);
    }
    plan->seq = last->seq;
    plan->length = last->length - fin;
    plan->segment_size = 0;
    plan->flags = TCP_ACK | (plan->length ? TCP_PSH : 0) | (fin ? TCP_FIN : 0);
    return true;
}

/* RFC 8985 7.3: new data if there is any and the peer's window has room, cwnd or not. RFC8985-7.3-1. */
bool sw_tcp_plan_tail_probe(struct tcp *tcp, struct tcp_connection *conn, uint32_t mss,
                            struct tcp_plan *plan)
{
    if (SW_LIKELY(!conn->tail_probe))
        return false;
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    conn->tail_probe = 0;
    if (!s || tcp_seq_equal(conn->send.snd_una, conn->send.snd_nxt))
        return false;
    bool override = conn->override;
    conn->limited = 1;  /* a segment beyond cwnd ... */
    conn->override = 1; /* ... and Nagle's algorithm, which waits for the ACK that is missing */
    if (!sw_tcp_plan_new_data(tcp, conn, mss, mss, plan)) {
        conn->limited = 0;
        conn->override = override;
        if (!plan_last_again(tcp, conn, mss, plan))
            return false;
    }
    plan->reason = SANWO_REASON_TAIL_LOSS_PROBE;
    return true;
}

static void measure(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_plan *plan)
{
    uint32_t size = plan->segment_size ? plan->segment_size : sw_max32(plan->length, 1);
    struct tcp_measured_data data = {.length = plan->length,
                                     .segments = (plan->length + size - 1) / size,
                                     .again = !tcp_seq_equal(plan->seq, conn->send.snd_nxt),
                                     .tail_probe = plan->reason == SANWO_REASON_TAIL_LOSS_PROBE};
    if (plan->length)
        sw_tcp_meter_data_out(tcp, conn, &data);
}

static void note_first_transmission(struct tcp *tcp, struct tcp_connection *conn,
                                    const struct tcp_plan *plan, uint32_t span)
{
    struct tcp_sender *s = &conn->send;
    struct tcp_record *record = sw_tcp_records_push(tcp, conn, span);
    if (record) /* there was room: sw_tcp_output() saw to it */
        record->pushed = plan->flags & TCP_PSH;
    s->snd_nxt = tcp_seq_add(s->snd_nxt, span);
    if (plan->ends_small)
        conn->snd_sml = s->snd_nxt;
    conn->override = 0;
    if (plan->flags & TCP_FIN)
        conn->fin_sent = 1;
    conn->limited = 0;
    sw_tcp_undo_new_sent(tcp, conn);
}

static void note_retransmission(struct tcp *tcp, struct tcp_connection *conn,
                                const struct tcp_plan *plan)
{
    struct tcp_place place;
    struct tcp_record *record = sw_tcp_records_find(tcp, conn, plan->seq, &place);
    conn->retransmitted++;
    tcp->counters.retransmitted++;
    if (!record)
        return;
    uint32_t span = plan->length + !!(plan->flags & TCP_FIN);
    bool probe = plan->reason == SANWO_REASON_WINDOW_PROBE;
    if (!probe && span < record->length)
        sw_tcp_records_split(tcp, conn, &place, span);
    sw_tcp_records_sent_again(tcp, conn, &place);
    record = sw_tcp_record_at(tcp, conn, &place);
    uint8_t flags = record->flags | RECORD_RETRANSMITTED;
    if (!probe) {
        flags &= (uint8_t)~RECORD_LOST;
        conn->limited = 0;
        sw_tcp_undo_resent(tcp, conn, plan->seq, span);
        /* RFC 6298 5: its ACK is a round trip from now; the timer would have been over before. */
        if (conn->in_recovery && tcp_seq_equal(plan->seq, conn->send.snd_una))
            sw_tcp_timers_backed_off(tcp, conn);
    }
    sw_tcp_record_set_flags(tcp, conn, &place, flags);
}

/* That was all there is, and the windows would allow more: what it shows of the path is not its rate. */
static void note_app_limited(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    if (s->records.marked && !conn->send.lost && !sw_tcp_send_queue_unsent(conn) &&
        conn->send.in_flight < conn->cc.cwnd)
        sw_tcp_rate_app_limited(&s->rate, conn->send.in_flight);
}

void sw_tcp_plan_sent(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_plan *plan)
{
    uint32_t span = plan->length + !!(plan->flags & TCP_FIN);
    if (!span)
        return;
    conn->limited_by = SANWO_REASON_NONE; /* if more is held back, the next plan says why */
    bool first = tcp_seq_equal(plan->seq, conn->send.snd_nxt);
    measure(tcp, conn, plan);
    if (first)
        note_first_transmission(tcp, conn, plan, span);
    else
        note_retransmission(tcp, conn, plan);
    conn->send.last_sent = tcp->now;
    sw_tcp_prr_sent(tcp, conn, span);
    note_app_limited(tcp, conn);
    sw_tcp_pacing_sent(tcp, conn, span);
    sw_tcp_timers_sent(tcp, conn);
    sw_tcp_sending(tcp, conn)->kept_until = SANWO_TIME_NEVER;
    if (plan->reason == SANWO_REASON_TAIL_LOSS_PROBE)
        sw_tcp_tail_sent(tcp, conn, !first);
    else if (first)
        sw_tcp_tail_schedule(tcp, conn);
    if (SW_UNLIKELY(sw_tcp_config(tcp, conn)->unsent_limit)) /* there is room for more of it now */
        sw_tcp_send_buffer_tell(tcp, conn);
}
