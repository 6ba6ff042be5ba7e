/*
 * info.c - What a connection knows of itself, for its user.
 */
#include "tcp/connection/info.h"

#include "tcp/receive/acceptable.h"
#include "tcp/receive/reassembly.h"
#include "tcp/send/ack.h"
#include "tcp/send/rtt.h"
#include "tcp/send/records.h"
#include "tcp/send/send_queue.h"

static void about_sending(struct tcp *tcp, struct tcp_connection *conn, struct sanwo_tcp_info *out)
{
    const struct tcp_sender *s = &conn->send;
    out->send_scale = conn->window_scaling ? s->scale : (int8_t)-1;
    out->send_mss = conn->cc.mss ? conn->cc.mss : sw_tcp_send_mss(tcp, conn, 0);
    out->path_mtu = s->path_mtu;
    out->iss = s->iss.raw;
    out->snd_una = s->snd_una.raw;
    out->snd_nxt = s->snd_nxt.raw;
    out->snd_wnd = s->snd_wnd;
    out->snd_max_wnd = s->max_snd_wnd;
    out->cwnd = conn->cc.cwnd;
    out->ssthresh = conn->cc.ssthresh;
    out->in_flight = s->in_flight;
    out->send_unsent = sw_tcp_send_queue_unsent(conn);
    out->send_queued = conn->state >= SANWO_TCP_ESTABLISHED && !conn->syn_unacked
                           ? sw_tcp_send_queue_bytes(conn)
                           : out->send_unsent;
    out->srtt = s->srtt;
    out->rttvar = s->rttvar;
    out->min_rtt = s->min_rtt;
    out->rto = sw_tcp_rto(tcp, conn);
    out->retransmissions = s->retransmissions;
    out->limited_by = conn->limited_by;
    out->bytes_acked = conn->bytes_acked;
    out->bytes_sent = conn->bytes_acked + (out->send_queued - out->send_unsent);
    out->references_released = conn->references_released;
}

/* Counted from the records, in full segments: nothing is kept for it. */
static void about_flight(struct tcp *tcp, struct tcp_connection *conn, struct sanwo_tcp_info *out)
{
    uint32_t mss = sw_max32(conn->cc.mss, 1);
    uint32_t count = sw_tcp_records_count(tcp, conn);
    for (uint32_t i = 0; i < count; i++) {
        const struct tcp_record *record = sw_tcp_record(tcp, conn, i);
        uint32_t segments = (record->length + mss - 1) / mss;
        out->segments_in_flight += segments;
        if (record->flags & RECORD_SACKED)
            out->segments_sacked += segments;
        else if (record->flags & RECORD_LOST)
            out->segments_lost += segments;
        else if (record->flags & RECORD_RETRANSMITTED)
            out->segments_resent += segments;
    }
    if (conn->in_timeout)
        out->recovery = SANWO_RECOVERY_TIMEOUT;
    else if (conn->in_recovery)
        out->recovery = SANWO_RECOVERY_FAST;
    else if (conn->send.duplicate_acks || out->segments_sacked)
        out->recovery = SANWO_RECOVERY_DISORDER;
    out->reordering_seen = conn->reordering_seen;
    out->backoff = conn->backoff;
    out->probes = conn->send.probes;
}

static void about_receiving(struct tcp *tcp, struct tcp_connection *conn,
                            struct sanwo_tcp_info *out)
{
    const struct tcp_receiver *r = &conn->receive;
    out->receive_scale = conn->window_scaling ? r->scale : (int8_t)-1;
    out->receive_mss = r->mss;
    out->irs = r->irs.raw;
    out->rcv_nxt = r->rcv_nxt.raw;
    out->rcv_wnd = sw_tcp_receive_window(conn);
    out->receive_queued = r->queued;
    out->receive_out_of_order = sw_tcp_reassembly_bytes(tcp, conn);
    out->bytes_received = conn->bytes_received;
    out->received_dscp_ecn = r->dscp_ecn;
}

void sw_tcp_info(struct tcp *tcp, struct tcp_connection *conn, struct sanwo_tcp_info *out)
{
    *out = (struct sanwo_tcp_info){.state = conn->state,
                                   .timestamps = conn->timestamps,
                                   .sack = conn->sack,
                                   .peer_closed = conn->fin_received,
                                   .shutdown = conn->fin_queued,
                                   .error = conn->error,
                                   .soft_error = conn->soft_error,
                                   .reason = conn->reason,
                                   .local = sw_tcp_tuple_local(&conn->tuple),
                                   .remote = sw_tcp_tuple_remote(&conn->tuple),
                                   .segments_in = conn->segments_in,
                                   .segments_out = conn->segments_out,
                                   .segments_retransmitted = conn->retransmitted,
                                   .duplicate_acks = conn->duplicate_acks_seen,
                                   .duplicate_segments = conn->duplicate_segments,
                                   .out_of_order_segments = conn->out_of_order_segments};
    conn->soft_error = 0;
    about_sending(tcp, conn, out);
    about_flight(tcp, conn, out);
    about_receiving(tcp, conn, out);
}
