/*
 * recovery.c - Fast retransmit and fast recovery on the records.
 *
 *     open --3 duplicates, or SACK shows a loss--> recovery --acknowledged up to `recover`--> open
 *       '----------- time-out ------------> in_timeout --------------'
 *
 * A duplicate acknowledgement says that some segment left the network. Without SACK we take it to be
 * the oldest one that we still believe in flight behind the hole, and mark it so: thus the flight
 * shrinks, limited transmit (RFC 3042) and the inflation of RFC 5681 3.2 step 4 come by themselves,
 * and forged duplicates can never release more than the flight (attack B-21).
 */
#include "tcp/recovery/recovery.h"

#include "tcp/connection/config.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/observe.h"
#include "tcp/recovery/rack.h"
#include "tcp/recovery/scoreboard.h"
#include "tcp/send/records.h"

#define FAR_BEHIND (UINT32_C(1) << 30)

static void mark_lost(struct tcp *tcp, struct tcp_connection *conn, uint32_t i,
                      enum sanwo_reason why)
{
    struct tcp_record *record = sw_tcp_record(tcp, conn, i);
    if (record->flags & (RECORD_LOST | RECORD_SACKED))
        return;
    /* Of a super-segment only the first segment is known to be missing. */
    if (record->length > conn->cc.mss && sw_tcp_records_split(tcp, conn, i, conn->cc.mss))
        record = sw_tcp_record(tcp, conn, i);
    sw_tcp_record_set_flags(conn, record, record->flags | RECORD_LOST);
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_LOSS, why, record->length, 0);
}

static void reduce(struct tcp *tcp, struct tcp_connection *conn, uint32_t flight,
                   enum sanwo_reason why)
{
    struct tcp_rack *rack = sw_tcp_records_rack(tcp, conn);
    if (rack)
        rack->reduced = tcp->now;
    sw_tcp_cc_ops(&conn->cc)->on_congestion(&conn->cc, flight, tcp->now);
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_CONGESTION, why, conn->cc.cwnd, conn->cc.ssthresh);
}

/* RFC5681-4.3-1: each window with a loss. */
static void enter(struct tcp *tcp, struct tcp_connection *conn, enum sanwo_reason why)
{
    conn->in_recovery = 1;
    conn->limited = 1; /* the first retransmission does not wait for cwnd (RFC 5681 3.2 step 3) */
    conn->send.recover = conn->send.snd_nxt;
    /* RFC 5681 3.2 step 2, RFC 6675 5: FlightSize, without what limited transmit let out. */
    uint32_t flight = tcp_seq_distance(conn->send.snd_una, conn->send.snd_nxt);
    reduce(tcp, conn, sw_min32(flight, conn->cc.cwnd), why);
    sw_tcp_wants_send(tcp, conn);
}

/* RFC 6582 3.2 step 2: not again for losses of the window that was reduced already. */
static bool may_enter(const struct tcp_connection *conn)
{
    tcp_seq una = conn->send.snd_una, recover = conn->send.recover;
    bool past = conn->sack ? !tcp_seq_before(una, recover) : tcp_seq_after(una, recover);
    return !conn->in_recovery && !conn->in_timeout && past;
}

/* The flight behind the hole is one segment less (see the head of this file). */
static void presume_one_delivered(struct tcp *tcp, struct tcp_connection *conn)
{
    uint32_t count = sw_tcp_records_count(tcp, conn);
    for (uint32_t i = 0; i < count; i++) {
        struct tcp_record *record = sw_tcp_record(tcp, conn, i);
        bool first = tcp_seq_equal(record->seq, conn->send.snd_una);
        if (conn->in_recovery && !tcp_seq_before(record->seq, conn->send.recover))
            return; /* sent since: no duplicate speaks of it yet */
        if (record->flags & (RECORD_LOST | RECORD_SACKED))
            continue;
        if (first && record->length <= conn->cc.mss)
            continue;
        if (record->length > conn->cc.mss) {
            if (!sw_tcp_records_split(tcp, conn, i, conn->cc.mss))
                return;
            if (first)
                continue;
            record = sw_tcp_record(tcp, conn, i);
        }
        sw_tcp_record_set_flags(conn, record, record->flags | RECORD_SACKED);
        return;
    }
}

static void forget_presumed(struct tcp *tcp, struct tcp_connection *conn)
{
    uint32_t count = sw_tcp_records_count(tcp, conn);
    for (uint32_t i = 0; i < count; i++) {
        struct tcp_record *record = sw_tcp_record(tcp, conn, i);
        if (record->flags & RECORD_SACKED)
            sw_tcp_record_set_flags(conn, record, record->flags & (uint8_t)~RECORD_SACKED);
    }
}

/* RFC5681-3.2-1. */
void sw_tcp_recovery_on_duplicate(struct tcp *tcp, struct tcp_connection *conn)
{
    if (conn->send.duplicate_acks < UINT8_MAX)
        conn->send.duplicate_acks++;
    if (conn->sack) { /* the blocks say what arrived */
        sw_tcp_wants_send(tcp, conn);
        return;
    }
    presume_one_delivered(tcp, conn);
    sw_tcp_wants_send(tcp, conn);
    if (conn->send.duplicate_acks >= sw_tcp_config(tcp, conn)->duplicate_threshold &&
        may_enter(conn)) {
        mark_lost(tcp, conn, 0, SANWO_REASON_FAST_RETRANSMIT);
        enter(tcp, conn, SANWO_REASON_FAST_RETRANSMIT);
    }
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

void sw_tcp_recovery_on_sack(struct tcp *tcp, struct tcp_connection *conn,
                             const struct tcp_segment *seg)
{
    if (reports_duplicate(seg))
        sw_tcp_rack_on_dsack(tcp, conn);
    if (sw_tcp_scoreboard_update(tcp, conn, seg))
        sw_tcp_wants_send(tcp, conn);
}

void sw_tcp_recovery_detect(struct tcp *tcp, struct tcp_connection *conn)
{
    if (!conn->sack)
        return;
    struct tcp_losses losses = sw_tcp_rack_detect(tcp, conn);
    if (!losses.bytes)
        return;
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_LOSS, SANWO_REASON_RACK_LOSS, losses.bytes, 0);
    if (may_enter(conn))
        enter(tcp, conn, SANWO_REASON_RACK_LOSS);
    else if (losses.again && conn->in_recovery) /* RFC8985-9.3-2: a second sign of congestion */
        reduce(tcp, conn, sw_min32(conn->send.in_flight + conn->send.lost, conn->cc.cwnd),
               SANWO_REASON_RACK_LOSS);
    sw_tcp_wants_send(tcp, conn);
}

static void leave(struct tcp *tcp, struct tcp_connection *conn)
{
    if (!conn->sack)
        forget_presumed(tcp, conn);
    if (conn->in_recovery) /* RFC 6582 3.2 step 3, full acknowledgement */
        conn->cc.cwnd = sw_min32(conn->cc.ssthresh,
                                 sw_max32(conn->send.in_flight, conn->cc.mss) + conn->cc.mss);
    conn->in_recovery = conn->in_timeout = 0;
    conn->limited = 0;
    sw_tcp_rack_on_recovered(conn);
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_CONGESTION, SANWO_REASON_RECOVERY_DONE, conn->cc.cwnd,
                   conn->cc.ssthresh);
}

/* RFC6582-3-1. */
void sw_tcp_recovery_on_ack(struct tcp *tcp, struct tcp_connection *conn, uint32_t acked,
                            uint32_t flight)
{
    conn->send.duplicate_acks = 0;
    bool recovering = conn->in_recovery || conn->in_timeout;
    if (recovering && !tcp_seq_before(conn->send.snd_una, conn->send.recover)) {
        bool fast = conn->in_recovery;
        leave(tcp, conn);
        recovering = false;
        if (fast) /* cwnd was just set: this ACK does not let it grow besides (RFC 6582 3.2 step 3) */
            return;
    }
    if (conn->in_recovery) { /* RFC 6582 3.2 step 3, partial: the next hole is at snd_una */
        if (!conn->sack && sw_tcp_records_count(tcp, conn)) {
            struct tcp_record *first = sw_tcp_record(tcp, conn, 0);
            if (!(first->flags & (RECORD_LOST | RECORD_RETRANSMITTED))) {
                sw_tcp_record_set_flags(conn, first, first->flags & (uint8_t)~RECORD_SACKED);
                mark_lost(tcp, conn, 0, SANWO_REASON_PARTIAL_ACK);
                conn->limited = 1;
            }
        }
        return;
    }
    if (!recovering && tcp_seq_distance(conn->send.recover, conn->send.snd_una) > FAR_BEHIND)
        conn->send.recover =
            tcp_seq_subtract(conn->send.snd_una, 1); /* never half the space behind */
    if (!conn->sack && !recovering && sw_tcp_records_count(tcp, conn))
        forget_presumed(tcp, conn); /* reordering only: the hole filled by itself */
    struct tcp_cc_ack ack = {.acked = acked,
                             .in_flight = flight,
                             .cwnd_limited = conn->in_timeout ||
                                             flight + conn->cc.mss >= conn->cc.cwnd ||
                                             conn->limited_by == SANWO_REASON_CONGESTION_WINDOW,
                             .srtt = conn->send.srtt,
                             .min_rtt = conn->send.min_rtt,
                             .now = tcp->now};
    sw_tcp_cc_ops(&conn->cc)->on_ack(&conn->cc, &ack);
}

/* B-22. */
void sw_tcp_recovery_on_timeout(struct tcp *tcp, struct tcp_connection *conn)
{
    uint32_t flight = tcp_seq_distance(conn->send.snd_una, conn->send.snd_nxt);
    uint32_t count = sw_tcp_records_count(tcp, conn);
    /* RFC2018-8-1: the peer may have thrown away what it reported, so SACK marks are forgotten too. */
    for (uint32_t i = 0; i < count; i++) {
        struct tcp_record *record = sw_tcp_record(tcp, conn, i);
        sw_tcp_record_set_flags(conn, record,
                                (record->flags & (uint8_t)~RECORD_SACKED) | RECORD_LOST);
    }
    bool first = conn->send.retransmissions == 1;
    sw_tcp_cc_ops(&conn->cc)->on_timeout(&conn->cc, flight, first, tcp->now);
    conn->in_recovery = 0;
    conn->in_timeout = 1;
    conn->send.duplicate_acks = 0;
    conn->send.recover = conn->send.snd_nxt; /* RFC 6582 4, RFC6675-5.1-1 */
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_LOSS, SANWO_REASON_RETRANSMIT_TIMEOUT, flight, 0);
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_CONGESTION, SANWO_REASON_RETRANSMIT_TIMEOUT,
                   conn->cc.cwnd, conn->cc.ssthresh);
    sw_tcp_wants_send(tcp, conn);
}
