/*
 * rack.c - Loss by time, not by count: reordering within a quarter of the round trip is no loss.
 *
 *     sent:       1    2    3    4    5
 *     delivered:            3 (SACK)             -> 1 and 2 were sent before 3: overdue?
 *                                                   yes: lost.  not yet: the reordering timer says when
 *
 * RFC 8985 6.2; the step numbers are the RFC's. The window starts at min_rtt/4, grows with each round in
 * which the peer reports a duplicate, up to SRTT, and is zero while no reordering was ever seen and the
 * evidence is as strong as three duplicates.
 */
#include "tcp/recovery/rack.h"

#include "tcp/connection/config.h"
#include "tcp/connection/timers.h"
#include "tcp/receive/timestamps.h"
#include "tcp/send/records.h"

#define REO_WND_PERSIST 16
#define REO_WND_MULT_LIMIT 31

/*
 * RACK_sent_after() by the order of transmission: a retransmission and new data that left in one
 * instant are told apart, which times and numbers cannot.
 */
static bool sent_after(uint32_t order1, tcp_seq end1, uint32_t order2, tcp_seq end2)
{
    return order1 == order2 ? tcp_seq_after(end1, end2) : (int32_t)(order1 - order2) > 0;
}

static tcp_seq end_of(const struct tcp_record *record)
{
    return tcp_seq_add(record->seq, record->length);
}

/* Step 2's guard: an ACK of the first transmission tells nothing of the second. */
static bool is_ambiguous(const struct tcp_connection *conn, const struct tcp_record *record,
                         const struct tcp_segment *seg, sanwo_time rtt)
{
    if (!(record->flags & RECORD_RETRANSMITTED))
        return false;
    if (conn->timestamps && seg->options.timestamps) {
        uint32_t sent = (uint32_t)((uint64_t)record->sent / 1000000) + conn->ts_offset;
        if (sw_tcp_timestamp_before(seg->options.ts_echo, sent))
            return true;
    }
    return rtt < conn->send.min_rtt;
}

void sw_tcp_rack_ack_begins(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_rack *rack = sw_tcp_records_rack(tcp, conn);
    if (!rack)
        return;
    rack->fack_before = rack->fack;
    rack->valid_before = rack->valid;
    rack->ack_delivered = false;
}

/* Step 3: delivered below what an earlier ACK delivered, though sent once. */
static void look_for_reordering(struct tcp_connection *conn, struct tcp_rack *rack,
                                const struct tcp_record *record)
{
    tcp_seq end = end_of(record);
    if (!rack->valid || tcp_seq_after(end, rack->fack))
        rack->fack = end;
    if (rack->valid_before && tcp_seq_before(end, rack->fack_before) &&
        !(record->flags & RECORD_RETRANSMITTED))
        conn->reordering_seen = 1;
}

void sw_tcp_rack_delivered(struct tcp *tcp, struct tcp_connection *conn,
                           const struct tcp_record *record, const struct tcp_segment *seg)
{
    struct tcp_rack *rack = sw_tcp_records_rack(tcp, conn);
    tcp_seq end = end_of(record);
    look_for_reordering(conn, rack, record);
    sanwo_time rtt = seg->arrival - record->sent;
    if (is_ambiguous(conn, record, seg, rtt))
        return;
    if (!rack->ack_delivered || sent_after(record->order, end, rack->ack_order, end)) {
        rack->ack_delivered = true;
        rack->ack_order = record->order;
        rack->rtt = rtt;
    }
    if (rack->valid && !sent_after(record->order, end, rack->order, rack->end_seq))
        return;
    rack->valid = true;
    rack->xmit_ts = record->sent;
    rack->order = record->order;
    rack->end_seq = end;
}

static void widen_window(struct tcp_connection *conn)
{
    if (conn->reo_wnd_mult < REO_WND_MULT_LIMIT)
        conn->reo_wnd_mult++;
    conn->reo_wnd_persist = REO_WND_PERSIST;
}

void sw_tcp_rack_on_dsack(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_rack *rack = sw_tcp_records_rack(tcp, conn);
    if (!rack) { /* nothing is in flight: whatever round there was is over */
        widen_window(conn);
        return;
    }
    if (rack->dsack_round_is_set && !tcp_seq_before(conn->send.snd_una, rack->dsack_round))
        rack->dsack_round_is_set = false;
    if (rack->dsack_round_is_set)
        return;
    rack->dsack_round_is_set = true;
    rack->dsack_round = conn->send.snd_nxt;
    widen_window(conn);
}

void sw_tcp_rack_on_recovered(struct tcp_connection *conn)
{
    if (conn->reo_wnd_persist && --conn->reo_wnd_persist == 0)
        conn->reo_wnd_mult = 0;
}

/* Step 4. reo_wnd_mult here counts from zero: the RFC's is one more. RFC8985-6.2-1. */
static sanwo_time reordering_window(const struct tcp *tcp, const struct tcp_connection *conn,
                                    uint32_t sacked)
{
    uint32_t threshold = sw_tcp_config(tcp, conn)->duplicate_threshold;
    bool recovering = conn->in_recovery || conn->in_timeout;
    if (!conn->reordering_seen && (recovering || sacked >= threshold * conn->cc.mss))
        return 0;
    sanwo_time window = (conn->reo_wnd_mult + 1) * conn->send.min_rtt / 4;
    return window < conn->send.srtt ? window : conn->send.srtt;
}

static bool is_behind_all_resent(const struct tcp_rack *rack, const struct tcp_record *record)
{
    return !rack->resent || !tcp_seq_before(record->seq, rack->resent_end);
}

struct tcp_losses sw_tcp_rack_detect(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_losses losses = {0, false};
    struct tcp_rack *rack = sw_tcp_records_rack(tcp, conn);
    if (!rack || !rack->valid)
        return losses;
    uint32_t flight = tcp_seq_distance(conn->send.snd_una, conn->send.snd_nxt);
    uint32_t sacked = flight - conn->send.in_flight - conn->send.lost;
    sanwo_time window = reordering_window(tcp, conn, sacked);
    uint32_t count = sw_tcp_records_count(tcp, conn);
    rack->deadline = SANWO_TIME_NEVER;
    for (uint32_t i = 0; i < count; i++) {
        struct tcp_record *record = sw_tcp_record(tcp, conn, i);
        if (record->flags & (RECORD_LOST | RECORD_SACKED))
            continue;
        if (!sent_after(rack->order, rack->end_seq, record->order, end_of(record))) {
            if (is_behind_all_resent(rack, record))
                break; /* numbers grow with the order of transmission from here on (B-02) */
            continue;
        }
        sanwo_time due = record->sent + rack->rtt + window;
        if (due <= tcp->now) {
            losses.again |= (record->flags & RECORD_RETRANSMITTED) && record->sent >= rack->reduced;
            losses.bytes += record->length;
            sw_tcp_record_set_flags(conn, record, record->flags | RECORD_LOST);
        } else if (rack->deadline == SANWO_TIME_NEVER || due > rack->deadline) {
            rack->deadline = due; /* the latest: then all of them are decided */
        }
    }
    if (rack->deadline != SANWO_TIME_NEVER)
        sw_tcp_timers_reordering(tcp, conn, rack->deadline);
    return losses;
}

sanwo_time sw_tcp_rack_deadline(const struct tcp *tcp, const struct tcp_connection *conn)
{
    const struct tcp_rack *rack = sw_tcp_records_rack(tcp, conn);
    return rack ? rack->deadline : SANWO_TIME_NEVER;
}
