/*
 * duplicates.c - Fast retransmit by duplicates (RFC 5681 3.2), partial acknowledgements (RFC 6582).
 *
 * A duplicate acknowledgement says that some segment left the network. Without SACK we take it to be
 * the oldest one that we still believe in flight behind the hole, and mark it so: thus the flight
 * shrinks, limited transmit (RFC 3042) and the inflation of RFC 5681 3.2 step 4 come by themselves,
 * and forged duplicates can never release more than the flight (attack B-21).
 */
#include "tcp/recovery/duplicates.h"

#include "tcp/connection/config.h"
#include "tcp/connection/observe.h"
#include "tcp/send/records.h"
#include "tcp/send/sending.h"

static void mark_lost(struct tcp *tcp, struct tcp_connection *conn, struct tcp_place *place,
                      enum sanwo_reason why)
{
    struct tcp_record *record = sw_tcp_record_at(tcp, conn, place);
    if (record->flags & (RECORD_LOST | RECORD_SACKED))
        return;
    /* Of a super-segment only the first segment is known to be missing. */
    if (record->length > conn->cc.mss)
        sw_tcp_records_split(tcp, conn, place, conn->cc.mss);
    record = sw_tcp_record_at(tcp, conn, place);
    sw_tcp_record_set_flags(tcp, conn, place, record->flags | RECORD_LOST);
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_LOSS, why, record->length, 0);
}

/* The flight behind the hole is one segment less. */
static void presume_one_delivered(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_place place;
    struct tcp_record *record = sw_tcp_records_first(tcp, conn, &place);
    while (record && (record = sw_tcp_records_next_of(tcp, conn, RECORDS_OPEN, &place))) {
        bool first = tcp_seq_equal(record->seq, conn->send.snd_una);
        if (conn->in_recovery &&
            !tcp_seq_before(record->seq, sw_tcp_sending(tcp, conn)->presumable))
            return; /* sent since: no duplicate speaks of it yet */
        if (record->length > conn->cc.mss && !sw_tcp_records_split(tcp, conn, &place, conn->cc.mss))
            return;
        if (!first) {
            record = sw_tcp_record_at(tcp, conn, &place);
            sw_tcp_record_set_flags(tcp, conn, &place, record->flags | RECORD_SACKED);
            return;
        }
        record = sw_tcp_records_next(tcp, conn, &place);
    }
}

void sw_tcp_duplicates_forget(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_place place;
    struct tcp_record *record = sw_tcp_records_first(tcp, conn, &place);
    while (record && (record = sw_tcp_records_next_of(tcp, conn, RECORDS_SACKED, &place)))
        sw_tcp_record_set_flags(tcp, conn, &place, record->flags & (uint8_t)~RECORD_SACKED);
}

/* RFC5681-3.2-1. */
bool sw_tcp_duplicates_one_more(struct tcp *tcp, struct tcp_connection *conn, bool may_enter)
{
    struct tcp_place place;
    presume_one_delivered(tcp, conn);
    if (!may_enter || conn->send.duplicate_acks < sw_tcp_config(tcp, conn)->duplicate_threshold ||
        !sw_tcp_records_first(tcp, conn, &place))
        return false;
    mark_lost(tcp, conn, &place, SANWO_REASON_FAST_RETRANSMIT);
    return true;
}

void sw_tcp_duplicates_partial(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_place place;
    struct tcp_record *first = sw_tcp_records_first(tcp, conn, &place);
    if (!first || (first->flags & (RECORD_LOST | RECORD_RETRANSMITTED)))
        return;
    bool presumed = first->flags & RECORD_SACKED;
    sw_tcp_sending(tcp, conn)->presumable = conn->send.snd_nxt; /* a round trip went by */
    sw_tcp_record_set_flags(tcp, conn, &place, first->flags & (uint8_t)~RECORD_SACKED);
    mark_lost(tcp, conn, &place, SANWO_REASON_PARTIAL_ACK);
    if (presumed) /* it was another one that left the network: RFC 6582 3.2, "adds back one SMSS" */
        presume_one_delivered(tcp, conn);
    conn->limited = 1;
}
