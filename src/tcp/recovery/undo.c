/*
 * undo.c - Three ways to learn that a retransmission was not needed, and one answer.
 *
 *     the ACK echoes a time from before it was sent            Eifel detection (RFC 3522; RFC 4015 answers)
 *     all that was sent again is reported as a duplicate       D-SACK (RFC 2883, RFC 3708)
 *     after a time-out, data sent once is acknowledged         F-RTO (RFC 5682)
 */
#include "tcp/recovery/undo.h"

#include "base/bytes.h"
#include "tcp/connection/observe.h"
#include "tcp/receive/timestamps.h"
#include "tcp/recovery/recovery.h"
#include "tcp/send/send_queue.h"
#include "tcp/send/sending.h"

#define FRTO_NEW_SEGMENTS 2 /* RFC 5682 3.1 step 2b */

static struct tcp_undo *undo_of(const struct tcp *tcp, const struct tcp_connection *conn)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    return s ? &s->undo : NULL;
}

void sw_tcp_undo_begin(struct tcp *tcp, struct tcp_connection *conn, bool timeout)
{
    struct tcp_undo *u = undo_of(tcp, conn);
    if (u)
        *u = (struct tcp_undo){.armed = true, .frto = timeout ? FRTO_HEAD : FRTO_OFF};
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
 * RFC3522-3.2-1: what it acknowledges was in the network before we sent any of it again. One hole that
 * filled by itself says nothing of the others: none may be left that was sent again or is to be.
 */
static bool echoes_the_original(const struct tcp *tcp, const struct tcp_connection *conn,
                                const struct tcp_undo *u, const struct tcp_news *news)
{
    const struct wire_tcp_options *o = &news->seg->options;
    if (sw_tcp_sending(tcp, conn)->records.resent_out || (conn->in_recovery && conn->send.lost))
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

/* RFC4015-3.2-1, RFC 5682 3.1 step 3b. */
static void restore(struct tcp *tcp, struct tcp_connection *conn, struct tcp_undo *u)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    sw_tcp_cc_ops(&conn->cc)->undo(&conn->cc, sw_tcp_sending_state(s));
    take_losses_back(tcp, conn);
    if (!sw_tcp_cc_ops(&conn->cc)->owns_cwnd) /* RFC 4015 3.2: the path holds it, so it bears it */
        conn->cc.cwnd = sw_max32(conn->cc.cwnd, conn->send.in_flight);
    conn->reordering_seen |= conn->in_recovery;
    conn->in_recovery = conn->in_timeout = 0;
    conn->limited = 0;
    conn->send.retransmissions = 0;
    /* RFC 5682 3.1: RecoveryPoint = SND.UNA; a true loss may begin a recovery at once. */
    conn->send.recover = tcp_seq_subtract(conn->send.snd_una, conn->sack ? 0 : 1);
    s->rack.reduced = 0;
    s->rack.valid = false; /* what it took for the retransmission came for the original */
    s->rack.deadline = SANWO_TIME_NEVER;
    *u = (struct tcp_undo){.armed = false};
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_CONGESTION, SANWO_REASON_UNDO, conn->cc.cwnd,
                   conn->cc.ssthresh);
}

/* RFC5682-2-1. */
bool sw_tcp_undo_ack(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_news *news)
{
    struct tcp_undo *u = undo_of(tcp, conn);
    if (!u || !u->armed)
        return false;
    bool duplicates = all_were_duplicates(tcp, conn, u, news);
    bool late = step(conn, u, news);
    bool recovering = conn->in_recovery || conn->in_timeout;
    if (!duplicates && !late && !(recovering && echoes_the_original(tcp, conn, u, news)))
        return false;
    restore(tcp, conn, u);
    return true;
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
