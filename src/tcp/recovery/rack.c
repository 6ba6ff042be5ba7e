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
#include "tcp/send/sending.h"
#include "tcp/send/stamp.h"

#define REO_WND_PERSIST 16
#define REO_WND_MULT_LIMIT 31
#define WAITING_MAX 32 /* so many that may be lost are looked at one by one in an ACK's time */

static struct tcp_rack *rack_of(const struct tcp *tcp, const struct tcp_connection *conn)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    return s ? &s->rack : NULL;
}

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
static bool is_ambiguous(const struct tcp *tcp, const struct tcp_connection *conn,
                         const struct tcp_record *record, const struct tcp_segment *seg,
                         sanwo_time rtt)
{
    if (!(record->flags & RECORD_RETRANSMITTED))
        return false;
    if (conn->timestamps && seg->options.timestamps) {
        uint32_t least = sw_tcp_stamp_least(tcp, conn, record->sent);
        if (sw_tcp_timestamp_before(seg->options.ts_echo, least))
            return true;
    }
    return rtt < conn->send.min_rtt;
}

void sw_tcp_rack_ack_begins(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_rack *rack = rack_of(tcp, conn);
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
    struct tcp_rack *rack = rack_of(tcp, conn);
    tcp_seq end = end_of(record);
    look_for_reordering(conn, rack, record);
    sanwo_time rtt = seg->arrival - record->sent;
    if (is_ambiguous(tcp, conn, record, seg, rtt))
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
    struct tcp_rack *rack = rack_of(tcp, conn);
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

/* What the steps of one detection share. */
struct search {
    struct tcp_rack *rack;
    sanwo_time window;
    sanwo_time due; /* of the last that is not overdue yet; NEVER */
    unsigned waiting;
    struct tcp_losses losses;
};

/*
 * Step 5 for one record that is in flight. False: it was sent after all that was delivered, and so
 * was everything behind it.
 */
static bool judge(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_place *place,
                  struct search *search)
{
    struct tcp_record *record = sw_tcp_record_at(tcp, conn, place);
    struct tcp_rack *rack = search->rack;
    if (!sent_after(rack->order, rack->end_seq, record->order, end_of(record)))
        return false;
    sanwo_time due = record->sent + rack->rtt + search->window;
    if (due > tcp->now) {
        if (search->due == SANWO_TIME_NEVER || due > search->due)
            search->due = due; /* the latest: then all of them are decided */
        search->waiting++;
        return true;
    }
    search->losses.again |= (record->flags & RECORD_RETRANSMITTED) && record->sent >= rack->reduced;
    search->losses.bytes += record->length;
    if (record->flags & RECORD_PROBE)
        search->losses.probes += record->length;
    sw_tcp_record_set_flags(tcp, conn, place, record->flags | RECORD_LOST);
    return true;
}

/* What may still turn out lost is not looked through to its end: it was all sent by then. */
static void give_up_waiting(struct search *search)
{
    search->due = search->rack->xmit_ts + search->rack->rtt + search->window;
}

/* What was sent once: numbers grow with the order of transmission. */
static void look_at_first_transmissions(struct tcp *tcp, struct tcp_connection *conn,
                                        struct search *search)
{
    struct tcp_rack *rack = search->rack;
    struct tcp_place place;
    tcp_seq from = tcp_seq_max(rack->undecided, conn->send.snd_una);
    bool decided = true;
    if (!sw_tcp_records_find(tcp, conn, from, &place))
        return;
    struct tcp_record *record;
    for (; (record = sw_tcp_records_next_of(tcp, conn, RECORDS_OPEN, &place)); place.slot++) {
        if (record->flags & RECORD_RETRANSMITTED) { /* for the other search */
            if (decided)
                rack->undecided = end_of(record);
            else
                search->waiting++;
            continue;
        }
        unsigned waiting = search->waiting;
        if (search->waiting > WAITING_MAX)
            give_up_waiting(search);
        if (search->waiting > WAITING_MAX || !judge(tcp, conn, &place, search))
            break;
        if (decided && search->waiting == waiting)
            rack->undecided = tcp_seq_add(record->seq, record->length);
        else
            decided = false;
    }
    if (decided)
        rack->undecided = record ? record->seq : conn->send.snd_nxt;
}

/* What was sent again, in that order. An entry stands for the records of its transmission. */
static void look_at_retransmissions(struct tcp *tcp, struct tcp_connection *conn,
                                    struct search *search)
{
    struct tcp_resent_queue *queue = &sw_tcp_sending(tcp, conn)->records.resent;
    const struct tcp_resent *resent;
    bool decided = true;
    search->waiting = 0;
    for (uint32_t i = 0; (resent = sw_tcp_resent_at(tcp, queue, i));) {
        struct tcp_place place;
        tcp_seq from = tcp_seq_max(resent->seq, conn->send.snd_una);
        tcp_seq end = tcp_seq_add(resent->seq, resent->length);
        struct tcp_record *record = sw_tcp_records_find(tcp, conn, from, &place);
        unsigned waiting = search->waiting;
        for (; record && tcp_seq_before(record->seq, end);
             record = sw_tcp_records_next(tcp, conn, &place))
            if (record->order == resent->order &&
                !(record->flags & (RECORD_LOST | RECORD_SACKED)) &&
                !judge(tcp, conn, &place, search))
                return;
        decided &= search->waiting == waiting;
        if (decided) {
            sw_tcp_resent_drop(queue);
        } else {
            search->waiting++;
            i++;
        }
        if (search->waiting > WAITING_MAX) {
            give_up_waiting(search);
            return;
        }
    }
}

struct tcp_losses sw_tcp_rack_detect(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_rack *rack = rack_of(tcp, conn);
    if (!rack || !rack->valid)
        return (struct tcp_losses){.bytes = 0};
    uint32_t flight = tcp_seq_distance(conn->send.snd_una, conn->send.snd_nxt);
    uint32_t sacked = flight - conn->send.in_flight - conn->send.lost;
    struct search search = {
        .rack = rack, .window = reordering_window(tcp, conn, sacked), .due = SANWO_TIME_NEVER};
    look_at_first_transmissions(tcp, conn, &search);
    look_at_retransmissions(tcp, conn, &search);
    rack->deadline = search.due;
    if (rack->deadline != SANWO_TIME_NEVER)
        sw_tcp_timers_reordering(tcp, conn, rack->deadline);
    return search.losses;
}

void sw_tcp_rack_rest(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_rack *rack = rack_of(tcp, conn);
    if (rack)
        *rack = (struct tcp_rack){.deadline = SANWO_TIME_NEVER, .undecided = conn->send.snd_nxt};
}
