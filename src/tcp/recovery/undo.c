/*
 * undo.c - Three ways to learn that a retransmission was not needed, and one answer.
 *
 *     the ACK echoes a time from before it was sent            Eifel detection (RFC 3522; RFC 4015 answers)
 *     all that was sent again is reported as a duplicate       D-SACK (RFC 2883, RFC 3708)
 *     after a time-out, data sent once is acknowledged         F-RTO (RFC 5682)
 *
 * The answer: cwnd and ssthresh are what they were, what was deemed lost is in flight, and after a time-out
 * the next one is by a round trip measured anew.
 */
#include "tcp/recovery/undo.h"

#include "base/bytes.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/timers.h"
#include "tcp/receive/timestamps.h"
#include "tcp/recovery/recovery.h"
#include "tcp/send/send_queue.h"
#include "tcp/send/sending.h"

#define FRTO_NEW_SEGMENTS 2 /* RFC 5682 3.1 step 2b */
#define MICROSECOND (SANWO_MSEC(1) / 1000)
#define GRANULARITY MICROSECOND /* the G of RFC 4015: of the clock of the retransmission timer */

static struct tcp_undo *undo_of(const struct tcp *tcp, const struct tcp_connection *conn)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    return s ? &s->undo : NULL;
}

static uint32_t microseconds(sanwo_time t)
{
    sanwo_time us = (t + MICROSECOND - 1) / MICROSECOND;
    return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

void sw_tcp_undo_begin(struct tcp *tcp, struct tcp_connection *conn, bool timeout)
{
    struct tcp_undo *u = undo_of(tcp, conn);
    if (!u)
        return;
    *u = (struct tcp_undo){.armed = true, .dsack_seen = u->dsack_seen};
    if (!timeout)
        return;
    u->frto = FRTO_HEAD;
    if (!conn->send.srtt)
        return;
    u->srtt = microseconds(conn->send.srtt + 2 * GRANULARITY); /* RFC 4015 3.1 step 0 */
    u->rttvar = microseconds(conn->send.rttvar);
}

void sw_tcp_undo_resent(struct tcp *tcp, struct tcp_connection *conn, tcp_seq seq, uint32_t bytes)
{
    struct tcp_undo *u = undo_of(tcp, conn);
    if (!u || !u->armed)
        return;
    tcp_seq end = tcp_seq_add(seq, bytes);
    if (!u->resent_any || tcp_seq_before(seq, u->from))
        u->from = seq;
    u->to = u->resent_any ? tcp_seq_max(u->to, end) : end;
    u->resent_any = true;
    u->resent += bytes;
    if (!u->stamped) {
        u->stamped = true;
        u->first_stamp = sw_tcp_sending(tcp, conn)->stamp;
    }
}

/*
 * RFC 3522 3.2 step 5, 3.3: all ACKs may have been lost, and this one answer what was sent again, with the
 * echo of an older segment. Then it reports a duplicate, if the peer does that, or acknowledges everything.
 */
static bool may_answer_a_duplicate(const struct tcp_connection *conn, const struct tcp_undo *u,
                                   const struct tcp_news *news)
{
    return news->dsack || (!u->dsack_seen && tcp_seq_equal(conn->send.snd_una, conn->send.snd_nxt));
}

/*
 * RFC3522-3.2-1: what it acknowledges was in the network before we sent any of it again. One hole that
 * filled by itself says nothing of the others: none may be left that was sent again or is to be.
 */
static bool echoes_the_original(const struct tcp *tcp, const struct tcp_connection *conn,
                                const struct tcp_undo *u, const struct tcp_news *news)
{
    const struct wire_tcp_options *o = &news->seg->options;
    if (sw_tcp_sending(tcp, conn)->records.resent_out || (conn->in_recovery && conn->send.lost))
        return false;
    if (may_answer_a_duplicate(conn, u, news))
        return false;
    return conn->timestamps && o->timestamps && u->stamped && news->acked && news->resent &&
           sw_tcp_timestamp_before(o->ts_echo, u->first_stamp);
}

/* RFC3708-3-1: a duplicate of what was never sent again was made by the network. */
static bool is_of_resent(const struct tcp *tcp, const struct tcp_connection *conn,
                         const struct tcp_undo *u, const struct wire_tcp_sack *block)
{
    struct tcp_place place;
    if (!u->resent_any || !tcp_seq_between(block->left, u->from, u->to) ||
        tcp_seq_equal(block->left, u->to))
        return false;
    if (tcp_seq_before(block->left, conn->send.snd_una))
        return true; /* its record is gone */
    const struct tcp_record *record = sw_tcp_records_find(tcp, conn, block->left, &place);
    return record && (record->flags & RECORD_RETRANSMITTED);
}

/* RFC 3708 3 (A.1): nothing was reported, and the oldest is a duplicate: a whole window of ACKs was lost. */
static bool lost_all_acks(const struct tcp_connection *conn, const struct tcp_news *news)
{
    const struct wire_tcp_options *o = &news->seg->options;
    tcp_seq una = tcp_seq_subtract(conn->send.snd_una, news->acked);
    return news->dsack && !news->sacked && o->sack_count == 1 &&
           tcp_seq_equal(o->sack[0].left, una);
}

static bool all_were_duplicates(const struct tcp *tcp, struct tcp_connection *conn,
                                struct tcp_undo *u, const struct tcp_news *news)
{
    if (!news->dsack || !u->resent || !is_of_resent(tcp, conn, u, news->seg->options.sack))
        return false;
    conn->reordering_seen =
        1; /* the original was late; RACK alone cannot tell (RFC 8985 6.2 step 3) */
    u->resent -= sw_min32(u->resent, news->dsack);
    return !u->resent;
}

/* RFC 5682 3.1 step 2, and 2.1's where the peer has no SACK: the head's ACK came. */
static void head_acknowledged(struct tcp_connection *conn, struct tcp_undo *u,
                              const struct tcp_news *news)
{
    if (news->duplicate && !conn->sack)
        u->frto = FRTO_OFF;
    if (!news->acked)
        return;
    if (u->resent_any && tcp_seq_before(conn->send.snd_una, u->to)) { /* step 2a: a part of it */
        u->frto = FRTO_OFF;
        return;
    }
    uint32_t used = tcp_seq_distance(conn->send.snd_una, conn->send.snd_nxt);
    bool can_send = sw_tcp_send_queue_unsent(conn) && used < conn->send.snd_wnd;
    bool all = !tcp_seq_before(conn->send.snd_una, conn->send.recover);
    u->frto = all || !can_send ? FRTO_OFF : FRTO_NEW;
    u->frto_new = FRTO_NEW_SEGMENTS;
    u->frto_recover = conn->send.snd_nxt;
}

/* Step 3: data that was sent once arrived, so the ACKs were late and not the segments lost. */
static bool arrived_late(struct tcp_connection *conn, struct tcp_undo *u,
                         const struct tcp_news *news)
{
    bool below = !tcp_seq_after(conn->send.snd_una, u->frto_recover);
    if (news->acked && below && (news->first_sent || news->sacked_first_sent))
        return true;
    if (conn->sack && news->sacked_first_sent && news->highest_sacked_set &&
        !tcp_seq_after(news->highest_sacked, u->frto_recover))
        return true;
    if (news->acked || news->duplicate) { /* 3a: conventional recovery, cwnd no more than 3 SMSS */
        u->frto = FRTO_OFF;
        conn->cc.cwnd = sw_min32(conn->cc.cwnd, 3u * conn->cc.mss);
    }
    return false;
}

static bool step(struct tcp_connection *conn, struct tcp_undo *u, const struct tcp_news *news)
{
    if (!conn->in_timeout)
        u->frto = FRTO_OFF;
    if (u->frto == FRTO_NEW)
        return arrived_late(conn, u, news);
    if (u->frto == FRTO_HEAD)
        head_acknowledged(conn, u, news);
    return false;
}

/* What was deemed lost is in flight again. */
static void take_losses_back(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_place place;
    struct tcp_record *record = sw_tcp_records_first(tcp, conn, &place);
    while (record && (record = sw_tcp_records_next_of(tcp, conn, RECORDS_LOST, &place)))
        sw_tcp_record_set_flags(tcp, conn, &place, record->flags & (uint8_t)~RECORD_LOST);
    sw_tcp_sending(tcp, conn)->rack.undecided = conn->send.snd_una;
}

/*
 * RFC 4015 3.1 step 9, but that cwnd comes back whole after a time-out too, as RFC 9438 4.9.2 has it after
 * duplicates: pacing spreads what that lets out (deviation D43).
 */
static void reverse_congestion(struct tcp *tcp, struct tcp_connection *conn)
{
    const struct tcp_cc_ops *ops = sw_tcp_cc_ops(&conn->cc);
    ops->undo(&conn->cc, sw_tcp_sending_state(sw_tcp_sending(tcp, conn)));
    if (!ops->owns_cwnd) /* the path holds it, so it bears it */
        conn->cc.cwnd = sw_max32(conn->cc.cwnd, conn->send.in_flight);
}

/* RFC 4015 3.1 step 9: congestion was told by a mark, so cwnd stays reduced, as at the end of recovery. */
static void stay_reduced(struct tcp *tcp, struct tcp_connection *conn)
{
    const struct tcp_cc_ops *ops = sw_tcp_cc_ops(&conn->cc);
    if (conn->in_recovery && !ops->owns_cwnd)
        conn->cc.cwnd = conn->cc.ssthresh;
    if (ops->on_recovered)
        ops->on_recovered(&conn->cc, sw_tcp_sending_state(sw_tcp_sending(tcp, conn)),
                          conn->send.in_flight, tcp->now);
}

/* RFC4015-3.2-1, RFC 5682 3.1 step 3b. */
static void restore(struct tcp *tcp, struct tcp_connection *conn, struct tcp_undo *u,
                    const struct tcp_news *news)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    struct tcp_undo next = {.dsack_seen = u->dsack_seen,
                            .adapting = u->srtt != 0,
                            .to = conn->send.recover,
                            .srtt = u->srtt,
                            .rttvar = u->rttvar};
    take_losses_back(tcp, conn); /* step 8 */
    if (news->marked)
        stay_reduced(tcp, conn);
    else
        reverse_congestion(tcp, conn);
    conn->reordering_seen |= conn->in_recovery;
    conn->in_recovery = conn->in_timeout = 0;
    conn->limited = 0;
    conn->send.retransmissions = 0;
    /* RFC 5682 3.1: RecoveryPoint = SND.UNA; a true loss may begin a recovery at once. */
    conn->send.recover = tcp_seq_subtract(conn->send.snd_una, conn->sack ? 0 : 1);
    s->rack.reduced = 0;
    s->rack.valid = false; /* what it took for the retransmission came for the original */
    s->rack.deadline = SANWO_TIME_NEVER;
    *u = next;
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_CONGESTION, SANWO_REASON_UNDO, conn->cc.cwnd,
                   conn->cc.ssthresh);
}

/*
 * RFC 4015 3.1 step 11: the first round trip of data that was sent after the time-out shows what became of
 * the delay. What was measured in between, of segments that waited, counts no more.
 */
static void adapt_timer(struct tcp *tcp, struct tcp_connection *conn, struct tcp_undo *u,
                        const struct tcp_news *news)
{
    struct tcp_sender *s = &conn->send;
    if (!news->acked || !news->rtt || !tcp_seq_after(s->snd_una, u->to))
        return;
    u->adapting = false;
    sanwo_time srtt = u->srtt * MICROSECOND, rttvar = u->rttvar * MICROSECOND;
    s->srtt = srtt > news->rtt ? srtt : news->rtt;
    s->rttvar = rttvar > news->rtt / 2 ? rttvar : news->rtt / 2;
    if (!tcp_seq_equal(s->snd_una, s->snd_nxt))
        sw_tcp_timers_acked(tcp, conn);
}

static bool is_needless(struct tcp *tcp, struct tcp_connection *conn, struct tcp_undo *u,
                        const struct tcp_news *news)
{
    if (lost_all_acks(conn, news)) {
        u->armed = false;
        u->frto = FRTO_OFF;
        return false;
    }
    bool duplicates = all_were_duplicates(tcp, conn, u, news);
    bool late = step(conn, u, news);
    bool recovering = conn->in_recovery || conn->in_timeout;
    return duplicates || late || (recovering && echoes_the_original(tcp, conn, u, news));
}

/* RFC5682-2-1. */
bool sw_tcp_undo_ack(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_news *news)
{
    struct tcp_undo *u = undo_of(tcp, conn);
    if (!u)
        return false;
    if (SW_UNLIKELY(u->adapting))
        adapt_timer(tcp, conn, u, news);
    bool undone = u->armed && is_needless(tcp, conn, u, news);
    u->dsack_seen |= news->dsack != 0;
    if (undone)
        restore(tcp, conn, u, news);
    return undone;
}

bool sw_tcp_undo_wants_new(const struct tcp *tcp, const struct tcp_connection *conn)
{
    if (SW_LIKELY(!conn->in_timeout))
        return false;
    const struct tcp_undo *u = undo_of(tcp, conn);
    return u && u->frto == FRTO_NEW && u->frto_new && sw_tcp_send_queue_unsent(conn);
}

bool sw_tcp_undo_holds(const struct tcp *tcp, const struct tcp_connection *conn)
{
    if (SW_LIKELY(!conn->in_timeout))
        return false;
    const struct tcp_undo *u = undo_of(tcp, conn);
    return u && u->frto == FRTO_NEW && u->frto_new < FRTO_NEW_SEGMENTS &&
           !sw_tcp_undo_wants_new(tcp, conn);
}

void sw_tcp_undo_new_sent(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_undo *u = undo_of(tcp, conn);
    if (u && u->frto == FRTO_NEW && u->frto_new)
        u->frto_new--;
}
