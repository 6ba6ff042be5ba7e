/*
 * recovery.c - What an acknowledgement says of losses, and when recovery begins and ends.
 *
 *     open --3 duplicates, or SACK shows a loss--> recovery --acknowledged up to `recover`--> open
 *       '----------- time-out ------------> in_timeout --------------'
 *
 *     begin -> SACK blocks -> SND.UNA advances -> end: ended? lost? for nothing? -> congestion control
 *
 * Which segments are lost is told by rack.c with SACK, by duplicates.c without; whether they truly
 * were, by undo.c; how fast cwnd follows, by prr.c.
 */
#include "tcp/recovery/recovery.h"

#include "tcp/connection/config.h"
#include "tcp/connection/meter.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/observe.h"
#include "tcp/ecn/ecn.h"
#include "tcp/recovery/duplicates.h"
#include "tcp/recovery/scoreboard.h"
#include "tcp/send/sending.h"

#define FAR_BEHIND (UINT32_C(1) << 30)

static const struct tcp_cc_ops *ops_of(const struct tcp_connection *conn)
{
    return sw_tcp_cc_ops(&conn->cc);
}

static uint32_t outstanding(const struct tcp_connection *conn)
{
    return tcp_seq_distance(conn->send.snd_una, conn->send.snd_nxt);
}

static uint32_t sacked(const struct tcp_connection *conn)
{
    return outstanding(conn) - conn->send.in_flight - conn->send.lost;
}

/* ---- into recovery and out of it -------------------------------------------------------------- */

static void reduce(struct tcp *tcp, struct tcp_connection *conn, uint32_t flight,
                   enum tcp_cc_sign sign, enum sanwo_reason why)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    if (!s)
        return;
    s->rack.reduced = tcp->now;
    sw_tcp_ecn_reduced(conn);
    flight = sw_tcp_validation_loss(&s->validation, flight);
    ops_of(conn)->on_congestion(&conn->cc, sw_tcp_sending_state(s), sign, flight, tcp->now);
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_CONGESTION, why, conn->cc.cwnd, conn->cc.ssthresh);
}

/* RFC5681-4.3-1: each window with a loss. */
static void enter(struct tcp *tcp, struct tcp_connection *conn, enum sanwo_reason why)
{
    conn->in_recovery = 1;
    conn->limited = 1; /* the first retransmission does not wait for cwnd (RFC 5681 3.2 step 3) */
    conn->send.recover = conn->send.snd_nxt;
    if (sw_tcp_sending(tcp, conn))
        sw_tcp_sending(tcp, conn)->presumable = conn->send.snd_nxt;
    /* RFC 5681 3.2 step 2, RFC 6675 5: FlightSize, without what limited transmit let out. */
    sw_tcp_undo_begin(tcp, conn, false);
    sw_tcp_prr_begin(tcp, conn, outstanding(conn));
    reduce(tcp, conn, sw_min32(outstanding(conn), conn->cc.cwnd), TCP_CC_LOSS, why);
    sw_tcp_tail_end(tcp, conn); /* RFC 8985 7.1 */
    sw_tcp_wants_send(tcp, conn);
}

/* RFC 6582 3.2 step 2: not again for losses of the window that was reduced already. */
static bool may_enter(const struct tcp_connection *conn)
{
    tcp_seq una = conn->send.snd_una, recover = conn->send.recover;
    bool past = conn->sack ? !tcp_seq_before(una, recover) : tcp_seq_after(una, recover);
    return !conn->in_recovery && !conn->in_timeout && past;
}

static void leave(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    if (!conn->sack)
        sw_tcp_duplicates_forget(tcp, conn);
    if (conn->in_recovery && !ops_of(conn)->owns_cwnd) {
        conn->cc.cwnd = conn->cc.ssthresh; /* RFC 9937 6.4 */
        if (!conn->sack)                   /* RFC 6582 3.2 step 3, full acknowledgement */
            conn->cc.cwnd = sw_min32(conn->cc.ssthresh,
                                     sw_max32(conn->send.in_flight, conn->cc.mss) + conn->cc.mss);
    }
    if (s && conn->in_recovery)
        sw_tcp_validation_recovered(&s->validation, &conn->cc, s->undo.resent);
    conn->in_recovery = conn->in_timeout = 0;
    conn->limited = 0;
    sw_tcp_rack_on_recovered(conn);
    if (s && ops_of(conn)->on_recovered)
        ops_of(conn)->on_recovered(&conn->cc, sw_tcp_sending_state(s), conn->send.in_flight,
                                   tcp->now);
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_CONGESTION, SANWO_REASON_RECOVERY_DONE, conn->cc.cwnd,
                   conn->cc.ssthresh);
}

void sw_tcp_recovery_reordering_over(struct tcp *tcp, struct tcp_connection *conn)
{
    sw_tcp_recovery_detect(tcp, conn);
    if (conn->in_recovery && !ops_of(conn)->owns_cwnd) /* not a burst of all that is lost */
        sw_tcp_prr_ack(tcp, conn, 0, false);
}

void sw_tcp_recovery_detect(struct tcp *tcp, struct tcp_connection *conn)
{
    if (!conn->sack)
        return;
    struct tcp_losses losses = sw_tcp_rack_detect(tcp, conn);
    if (!losses.bytes)
        return;
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_LOSS, SANWO_REASON_RACK_LOSS, losses.bytes, 0);
    sw_tcp_wants_send(tcp, conn);
    if (losses.probes)
        sw_tcp_mtu_probe_lost(tcp, conn, losses.bytes == losses.probes);
    if (losses.bytes == losses.probes)
        return;
    if (may_enter(conn))
        enter(tcp, conn, SANWO_REASON_RACK_LOSS);
    else if (losses.again && conn->in_recovery) /* RFC8985-9.3-2: a second sign of congestion */
        reduce(tcp, conn, sw_min32(conn->send.in_flight + conn->send.lost, conn->cc.cwnd),
               TCP_CC_LOSS, SANWO_REASON_RACK_LOSS);
}

/* ---- an acknowledgement ----------------------------------------------------------------------- */

struct tcp_news sw_tcp_recovery_begin(struct tcp *tcp, struct tcp_connection *conn,
                                      const struct tcp_segment *seg)
{
    if (conn->sack)
        sw_tcp_rack_ack_begins(tcp, conn);
    return (struct tcp_news){.seg = seg, .outstanding = outstanding(conn), .sacked = sacked(conn)};
}

/* RFC 2883 5: the first block below the acknowledgement, or inside the second, is a duplicate's. */
static bool reports_duplicate(const struct tcp_segment *seg)
{
    const struct wire_tcp_sack *b = seg->options.sack;
    if (!tcp_seq_after(b[0].right, seg->ack))
        return true;
    return seg->options.sack_count > 1 && !tcp_seq_before(b[0].left, b[1].left) &&
           !tcp_seq_after(b[0].right, b[1].right);
}

/* Bytes that the first block reports as duplicates; none of them can be what we never sent. */
static uint32_t duplicate_bytes(const struct tcp_connection *conn, const struct tcp_segment *seg)
{
    const struct wire_tcp_sack *b = seg->options.sack;
    uint32_t length = tcp_seq_distance(b->left, b->right);
    tcp_seq oldest = tcp_seq_subtract(conn->send.snd_una, conn->send.max_snd_wnd);
    bool sent = tcp_seq_between(b->right, oldest, conn->send.snd_nxt);
    return sent && length <= conn->send.max_snd_wnd && reports_duplicate(seg) ? length : 0;
}

void sw_tcp_recovery_on_sack(struct tcp *tcp, struct tcp_connection *conn, struct tcp_news *news)
{
    const struct tcp_segment *seg = news->seg;
    news->dsack = duplicate_bytes(conn, seg);
    if (news->dsack)
        sw_tcp_rack_on_dsack(tcp, conn);
    struct tcp_sacked out = sw_tcp_scoreboard_update(tcp, conn, seg);
    news->sacked_first_sent = out.first_sent;
    news->highest_sacked_set = out.bytes != 0;
    news->highest_sacked = out.highest;
    if (out.first_sent) /* Karn is kept: it was sent once, and its report waited for nothing */
        news->rtt = seg->arrival > out.sent ? seg->arrival - out.sent : 1;
    if (out.bytes)
        sw_tcp_wants_send(tcp, conn);
}

/* SND.UNA advanced: is recovery over, or is the next hole at hand? RFC6582-3-1. */
static void after_advance(struct tcp *tcp, struct tcp_connection *conn, struct tcp_news *news)
{
    conn->send.duplicate_acks = 0;
    if ((conn->in_recovery || conn->in_timeout) &&
        !tcp_seq_before(conn->send.snd_una, conn->send.recover)) {
        /* cwnd is set: this ACK does not let it grow besides (RFC 6582 3.2 step 3) */
        news->left_recovery = conn->in_recovery;
        leave(tcp, conn);
    }
    bool recovering = conn->in_recovery || conn->in_timeout;
    if (!conn->sack && conn->in_recovery)
        sw_tcp_duplicates_partial(tcp, conn);
    if (!conn->sack && !recovering)
        sw_tcp_duplicates_forget(tcp, conn); /* reordering only: the hole filled by itself */
    if (!recovering && tcp_seq_distance(conn->send.recover, conn->send.snd_una) > FAR_BEHIND)
        conn->send.recover =
            tcp_seq_subtract(conn->send.snd_una, 1); /* never half the space behind */
}

static void after_duplicate(struct tcp *tcp, struct tcp_connection *conn)
{
    if (conn->send.duplicate_acks < UINT8_MAX)
        conn->send.duplicate_acks++;
    if (!conn->sack && sw_tcp_duplicates_one_more(tcp, conn, may_enter(conn)))
        enter(tcp, conn, SANWO_REASON_FAST_RETRANSMIT);
    sw_tcp_wants_send(tcp, conn); /* with SACK the blocks say what arrived */
}

static void tell_congestion_control(struct tcp *tcp, struct tcp_connection *conn,
                                    const struct tcp_news *news, uint32_t delivered,
                                    uint32_t lost_before)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    if (!s)
        return;
    struct tcp_cc_ack ack = {
        .acked = news->acked,
        .delivered = delivered,
        .marked = news->marked,
        .lost = conn->send.lost > lost_before ? conn->send.lost - lost_before : 0,
        .outstanding = news->outstanding,
        .in_flight = conn->send.in_flight,
        .delivered_in_all = s->delivered,
        .recovering = conn->in_recovery || conn->in_timeout,
        .cwnd_limited = conn->in_timeout || news->outstanding + conn->cc.mss >= conn->cc.cwnd ||
                        conn->limited_by == SANWO_REASON_CONGESTION_WINDOW ||
                        conn->limited_by == SANWO_REASON_PACED,
        .reorders = conn->reordering_seen,
        .rtt = news->rtt,
        .srtt = conn->send.srtt,
        .min_rtt = conn->send.min_rtt,
        .now = tcp->now,
        .una = conn->send.snd_una,
        .nxt = conn->send.snd_nxt};
    if (s->records.marked)
        ack.rate = sw_tcp_rate_sample(&s->rate, conn->send.min_rtt);
    if (news->marked && !ops_of(conn)->wants_marks) /* RFC 3168 6.1.2: no growth on an echo */
        ack.cwnd_limited = false;
    if (ops_of(conn)->owns_cwnd) {
        ops_of(conn)->on_ack(&conn->cc, sw_tcp_sending_state(s), &ack);
    } else if (conn->in_recovery) {
        if (conn->sack)
            sw_tcp_prr_ack(tcp, conn, delivered, news->acked && conn->send.lost <= lost_before);
    } else if ((news->acked || news->rtt) && !news->left_recovery) {
        /* Behind a hole nothing is acknowledged, but round trips are measured, and a queue shows. */
        if (news->acked)
            sw_tcp_validation_ack(&s->validation, &conn->cc, &ack);
        ops_of(conn)->on_ack(&conn->cc, sw_tcp_sending_state(s), &ack);
    }
}

void sw_tcp_recovery_end(struct tcp *tcp, struct tcp_connection *conn, struct tcp_news *news)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    uint32_t lost_before = conn->send.lost;
    uint32_t delivered = news->acked + sacked(conn) - news->sacked; /* D-SACKed bytes are not */
    if (delivered > news->outstanding) /* without SACK what was presumed may be taken back */
        delivered = 0;
    news->marked = sw_tcp_ecn_marked(tcp, conn, news->seg, delivered, news->outstanding);
    sw_tcp_meter_ack_in(tcp, conn, delivered, news->dsack != 0);
    if (s) {
        s->delivered += delivered;
        s->tail.sampled |= news->rtt != 0;
    }
    if (sw_tcp_tail_ack(tcp, conn, news->seg, news->repeats, news->dsack) && may_enter(conn))
        reduce(tcp, conn, sw_min32(news->outstanding, conn->cc.cwnd), TCP_CC_LOSS,
               SANWO_REASON_TAIL_LOSS_PROBE);
    bool undone = sw_tcp_undo_ack(tcp, conn, news); /* before what it tells ends the recovery */
    if (news->acked)
        after_advance(tcp, conn, news);
    else if (news->duplicate)
        after_duplicate(tcp, conn);
    bool all = news->acked && !outstanding(conn); /* sw_tcp_sending_rest() was told */
    if (!all && (news->acked || news->seg->options.sack_count))
        sw_tcp_recovery_detect(tcp, conn);
    if (!undone)
        tell_congestion_control(tcp, conn, news, delivered, lost_before);
    if (!all && news->acked)
        sw_tcp_tail_schedule(tcp, conn);
    sw_tcp_pacing_update(tcp, conn);
}

/* ---- a time-out, a mark ------------------------------------------------------------------------- */

/*
 * What SACK reported is kept through a time-out (RFC 6675 5.1), unless the oldest segment is among it:
 * then the peer threw away what it had reported (RFC2018-8-1).
 */
static void all_is_lost(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_place place;
    struct tcp_record *record = sw_tcp_records_first(tcp, conn, &place);
    bool forget = !conn->sack || (record && (record->flags & RECORD_SACKED));
    for (; record; record = sw_tcp_records_next(tcp, conn, &place)) {
        if (forget)
            sw_tcp_record_set_flags(tcp, conn, &place, record->flags & (uint8_t)~RECORD_SACKED);
        if (!(record->flags & RECORD_SACKED))
            sw_tcp_record_set_flags(tcp, conn, &place, record->flags | RECORD_LOST);
    }
    if (forget)
        sw_tcp_scoreboard_forget(tcp, conn);
}

/* B-22. */
void sw_tcp_recovery_on_timeout(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    uint32_t flight = outstanding(conn);
    /* The count may have begun with probes of a closed window. */
    bool first = conn->send.retransmissions == 1 || !conn->in_timeout;
    /* RFC 5682 2.1 step 1: not where a recovery is under way. */
    bool fresh = !conn->in_recovery && !conn->in_timeout;
    all_is_lost(tcp, conn);
    if (s) {
        if (first)
            sw_tcp_undo_begin(tcp, conn, fresh);
        else if (s->undo.frto != FRTO_HEAD) /* RFC 5682 3.1: again from step 1 */
            s->undo.frto = FRTO_OFF;
        ops_of(conn)->on_timeout(&conn->cc, sw_tcp_sending_state(s), flight, first, tcp->now);
        s->rack.reduced = tcp->now;
        sw_tcp_ecn_reduced(conn);
    }
    sw_tcp_tail_end(tcp, conn);
    conn->in_recovery = 0;
    conn->in_timeout = 1;
    conn->send.duplicate_acks = 0;
    conn->send.recover = conn->send.snd_nxt; /* RFC 6582 4, RFC6675-5.1-1 */
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_LOSS, SANWO_REASON_RETRANSMIT_TIMEOUT, flight, 0);
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_CONGESTION, SANWO_REASON_RETRANSMIT_TIMEOUT,
                   conn->cc.cwnd, conn->cc.ssthresh);
    sw_tcp_wants_send(tcp, conn);
}

/* RFC 3168 6.1.2: as for a loss, but nothing is sent again. */
void sw_tcp_recovery_on_ecn_echo(struct tcp *tcp, struct tcp_connection *conn, uint32_t outstanding)
{
    if (conn->in_recovery || conn->in_timeout) /* reduced already in this round trip */
        return;
    reduce(tcp, conn, sw_min32(outstanding, conn->cc.cwnd), TCP_CC_ECN, SANWO_REASON_ECN_ECHO);
}
