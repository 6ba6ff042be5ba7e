/*
 * info.c - What a connection knows of itself, for its user.
 */
#include "tcp/connection/info.h"

#include "tcp/ecn/ecn.h"
#include "tcp/connection/config.h"
#include "tcp/connection/limited.h"
#include "tcp/connection/meter.h"
#include "tcp/receive/acceptable.h"
#include "tcp/receive/reassembly.h"
#include "tcp/send/ack.h"
#include "tcp/send/mtu_probe.h"
#include "tcp/send/pacing.h"
#include "tcp/send/rtt.h"
#include "tcp/send/records.h"
#include "tcp/send/send_buffer.h"
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
    out->bytes_acked = out->bytes_delivered = conn->bytes_acked;
    out->bytes_sent = conn->bytes_acked + (out->send_queued - out->send_unsent);
    out->references_released = conn->references_released;
    out->send_limit = sw_tcp_send_buffer_limit(tcp, conn);
    out->pacing_rate = sw_tcp_pacing_rate(tcp, conn);
    out->path_mtu_guessed = conn->black_hole;
    const struct tcp_mtu_search *search = sw_tcp_mtu_search(tcp, conn);
    out->path_mtu_probe = search ? search->probe : 0;
    out->path_mtu_failed = search ? search->high : 0;
}

/* Counted from the records, in full segments: nothing is kept for it. */
static void about_flight(struct tcp *tcp, struct tcp_connection *conn, struct sanwo_tcp_info *out)
{
    uint32_t mss = sw_max32(conn->cc.mss, 1);
    struct tcp_place place;
    const struct tcp_record *record = sw_tcp_records_first(tcp, conn, &place);
    for (; record; record = sw_tcp_records_next(tcp, conn, &place)) {
        uint32_t segments = (record->length + mss - 1) / mss;
        out->segments_in_flight += segments;
        if (record->flags & RECORD_SACKED) {
            out->segments_sacked += segments;
            out->bytes_delivered += record->length;
        } else if (record->flags & RECORD_LOST)
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
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
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
    out->receive_limit = sw_tcp_receive_limit(tcp, conn);
    out->delayed_ack = config->quick_ack ? 0 : config->delayed_ack;
}

/* What is measured of a connection while it is active. */
static void about_measured(const struct tcp *tcp, const struct tcp_connection *conn,
                           struct sanwo_tcp_info *out)
{
    const struct tcp_meter *m = sw_tcp_meter(tcp, conn);
    sw_tcp_limited_info(tcp, conn, out);
    if (!m)
        return;
    out->last_data_sent = m->data_sent;
    out->last_data_received = m->data_received;
    out->last_ack_received = m->ack_received;
    out->receive_rtt = (sanwo_time)m->tuning.rtt * 1000;
    out->receive_taken = m->tuning.taken;
    out->data_segments_in = m->data_segments_in;
    out->data_segments_out = m->data_segments_out;
    out->bytes_retransmitted = m->bytes_retransmitted;
    out->duplicates_reported = m->duplicates_reported;
    out->delivery_rate = m->rate;
    out->delivery_app_limited = m->rate_app_limited;
    out->tail_probes = m->tail_probes;
    out->timeouts = m->timeouts;
    out->timeout_recoveries = m->timeout_recoveries;
    out->timeout_time = m->timeout_time;
    if (m->in_timeout)
        out->timeout_time += tcp->now - m->timeout_since;
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
                                   .fast_open = conn->fast_open_taken   ? SANWO_FAST_OPEN_TAKEN
                                                : conn->fast_open_tried ? SANWO_FAST_OPEN_TRIED
                                                                        : SANWO_FAST_OPEN_NO,
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
    about_measured(tcp, conn, out);
    sw_tcp_ecn_info(tcp, conn, out);
}
