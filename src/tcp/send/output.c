/*
 * output.c - Pulled by the stack: one frame at a time, the most pressing first.
 *
 *     SYN  ->  lost data again  ->  zero-window probe  ->  new data, FIN  ->  keep-alive  ->  bare ACK
 *
 * Every segment acknowledges and announces the window; an ACK owed goes out with whatever is sent.
 */
#include "tcp/send/output.h"

#include "tcp/close/reset.h"
#include "tcp/connection/config.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/limited.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/state.h"
#include "tcp/connection/timers.h"
#include "tcp/ecn/ecn.h"
#include "tcp/open/fast_open.h"
#include "tcp/open/handshake.h"
#include "tcp/receive/acceptable.h"
#include "tcp/receive/delayed_ack.h"
#include "tcp/receive/reassembly.h"
#include "tcp/receive/timestamps.h"
#include "tcp/receive/window.h"
#include "tcp/send/ack.h"
#include "tcp/send/rtt.h"
#include "tcp/send/segment.h"
#include "tcp/send/send_queue.h"
#include "tcp/send/sending.h"
#include "tcp/send/stamp.h"

#define SACK_HEADER 4 /* NOP NOP kind length */
#define SACK_BLOCK 8

static void start_header(struct tcp *tcp, struct tcp_connection *conn, struct tcp_outgoing *out)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    out->tuple = conn->tuple;
    out->handle = sw_tcp_handle(TCP_KIND_CONNECTION, conn);
    out->user = conn->user;
    out->state = conn->state;
    out->ttl = config->ttl;
    out->dscp_ecn = (uint8_t)(config->dscp << 2);
    out->urgent = 0;
    out->option_order[0] = 0;
}

static bool send_syn(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_path *path,
                     struct sanwo_frame *frame)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    bool answers = conn->state != SANWO_TCP_SYN_SENT;
    struct tcp_outgoing out;
    start_header(tcp, conn, &out);
    struct tcp_syn_offer offer = {
        .timestamps = answers ? conn->timestamps : config->offer_timestamps,
        .sack = answers ? conn->sack : config->offer_sack,
        .scale = config->offer_window_scale && (!answers || conn->window_scaling)
                     ? sw_tcp_scale_for(config)
                     : (int8_t)-1,
        .mss = conn->receive.mss,
        .ts_value = sw_tcp_timestamp_now(tcp, conn->ts_offset),
        .ts_echo = answers ? conn->receive.ts_recent : 0,
    };
    sw_tcp_syn_options(&out.options, &offer);
    memcpy(out.option_order, config->option_order, sizeof(out.option_order));
    out.seq = conn->send.iss;
    out.ack = conn->receive.rcv_nxt;
    out.flags = answers ? TCP_SYN | TCP_ACK : TCP_SYN;
    out.ace = sw_tcp_ecn_syn(tcp, conn, &out.options);
    /* SHLD-14: what answers a SYN says what was promised, though text was taken since. */
    uint32_t window = answers ? sw_tcp_receive_window(conn) : sw_tcp_window_at_first(config);
    out.window = (uint16_t)sw_min32(window, UINT16_MAX);
    out.reason = conn->send.retransmissions ? SANWO_REASON_RETRANSMIT_TIMEOUT
                 : conn->passive            ? SANWO_REASON_FAST_OPEN
                 : answers                  ? SANWO_REASON_SIMULTANEOUS_OPEN
                                            : SANWO_REASON_ACTIVE_OPEN;
    if (SW_UNLIKELY(conn->fast_open_option))
        sw_tcp_fast_open_add_cookie(tcp, &conn->tuple, false, &out.options);
    frame->slice_count = 1;
    uint32_t text = conn->fast_open ? sw_tcp_fast_open_syn(tcp, conn, path->mtu, &out) : 0;
    if (text)
        text = sw_tcp_send_queue_slices(tcp, conn, conn->send.snd_nxt, text, frame);
    frame->slices[0].buffer = 0;
    if (!sw_tcp_segment_build(tcp, &out, path, frame, text, 0)) {
        sw_tcp_frame_release(tcp, frame);
        sw_tcp_timers_window_closed(tcp, conn); /* try again then */
        return false;
    }
    conn->send.syn_text = (uint16_t)sw_max32(conn->send.syn_text, text);
    conn->syn_pending = conn->fast_open_option = 0;
    if (answers)
        sw_tcp_ack_was_sent(conn);
    conn->segments_out++;
    if (conn->send.retransmissions) {
        conn->retransmitted++;
        tcp->counters.retransmitted++;
    }
    conn->send.last_sent = tcp->now;
    sw_tcp_timers_sent(tcp, conn);
    return true;
}

static unsigned sack_room(const struct tcp_connection *conn)
{
    unsigned used = conn->timestamps ? 12 : 0;
    return (WIRE_TCP_OPTIONS_MAX - used - SACK_HEADER) / SACK_BLOCK;
}

static void add_urgent(const struct tcp_connection *conn, const struct tcp_plan *plan,
                       struct tcp_outgoing *out)
{
    if (SW_LIKELY(!conn->urgent_out) || !tcp_seq_after(conn->send.snd_up, plan->seq))
        return;
    uint32_t ahead = tcp_seq_distance(plan->seq, conn->send.snd_up);
    out->flags |= TCP_URG;
    out->urgent = (uint16_t)sw_min32(ahead, UINT16_MAX); /* MUST-31: any length; MUST-62 */
}

/*
 * Header, slices and frame of what was planned; the sender's variables follow if it goes out. What the
 * options are beside the timestamps is in @out.
 */
static bool send_plan(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_path *path,
                      struct sanwo_frame *frame, struct tcp_plan *plan, struct tcp_outgoing *out)
{
    start_header(tcp, conn, out);
    sw_tcp_timestamp_option(tcp, conn, &out->options);
    if (plan->length && tcp_seq_before(plan->seq, conn->send.snd_nxt))
        sw_tcp_stamp_again(tcp, conn, &out->options);
    out->seq = plan->seq;
    out->ack = conn->receive.rcv_nxt;
    out->flags = plan->flags;
    out->reason = plan->reason;
    out->window = sw_tcp_window_to_send(tcp, conn);
    add_urgent(conn, plan, out);
    sw_tcp_ecn_outgoing(tcp, conn, plan, out);
    frame->slice_count = 1;
    if (plan->length) {
        uint32_t fitted = sw_tcp_send_queue_slices(tcp, conn, plan->seq, plan->length, frame);
        if (!fitted) { /* never an empty frame for data */
            SW_ASSERT(false);
            return false;
        }
        if (fitted < plan->length) { /* more pieces than a frame has slices: the rest comes next */
            plan->length = fitted;
            plan->flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
            out->flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
            if (plan->length <= plan->segment_size)
                plan->segment_size = 0;
        }
    }
    frame->slices[0].buffer = 0;
    if (!sw_tcp_segment_build(tcp, out, path, frame, plan->length, plan->segment_size)) {
        sw_tcp_frame_release(tcp, frame);
        return false;
    }
    conn->no_way = 0;
    sw_tcp_plan_sent(tcp, conn, plan);
    if (SW_UNLIKELY(plan->reason == SANWO_REASON_MTU_PROBE))
        sw_tcp_mtu_probe_sent(tcp, conn, plan);
    sw_tcp_ack_was_sent(conn);
    conn->segments_out++;
    return true;
}

/*
 * Nothing was sent for an RTO, so what cwnd says of the path is old: begin anew (RFC 5681 4.1,
 * RFC5681-4.1-1), or rely on it for some minutes more (RFC 7661).
 */
static void restart_if_idle(struct tcp *tcp, struct tcp_connection *conn)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    sanwo_time idle = tcp->now - conn->send.last_sent;
    if (!tcp_seq_equal(conn->send.snd_una, conn->send.snd_nxt))
        return;
    const struct tcp_cc_ops *ops = sw_tcp_cc_ops(&conn->cc);
    if (s && ops->on_restart)
        ops->on_restart(&conn->cc, sw_tcp_sending_state(s), idle, tcp->now);
    uint32_t before = conn->cc.cwnd;
    struct tcp_validation none = {.since = 0};
    if (ops->owns_cwnd)
        return;
    if (!config->idle_restart)
        sw_tcp_validation_restart(s ? &s->validation : &none, &conn->cc, config->initial_window,
                                  idle, tcp->now);
    else if (idle > config->rto_minimum && idle > sw_tcp_rto(tcp, conn))
        sw_tcp_cc_restart(&conn->cc, config->initial_window);
    if (conn->cc.cwnd != before)
        sw_tcp_observe(tcp, conn, SANWO_OBSERVE_CONGESTION, SANWO_REASON_IDLE_RESTART,
                       conn->cc.cwnd, conn->cc.ssthresh);
}

static bool choose_data(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_path *path,
                        uint32_t mss, uint32_t limit, struct tcp_plan *plan)
{
    bool outstanding = !tcp_seq_equal(conn->send.snd_una, conn->send.snd_nxt);
    /* What is sent again needs no new record, and its ACK is what gives memory back. */
    bool room = sw_tcp_records_reserve(tcp, conn);
    if (!room && !outstanding) {
        sw_tcp_timers_window_closed(tcp, conn); /* try again then */
        return false;
    }
    if (conn->probe_now && (room || outstanding)) {
        conn->probe_now = 0;
        if (sw_tcp_plan_probe(tcp, conn, plan))
            return true;
    }
    if (sw_tcp_undo_holds(tcp, conn))
        return false;
    if (room && sw_tcp_plan_tail_probe(tcp, conn, mss, plan))
        return true;
    bool lost = conn->send.lost && !sw_tcp_undo_wants_new(tcp, conn);
    bool clocked = lost && conn->in_recovery; /* by what arrives (RFC 6937): not held back twice */
    if (!clocked && !sw_tcp_pacing_allows(tcp, conn)) {
        conn->limited_by = SANWO_REASON_PACED;
        return false;
    }
    limit = sw_tcp_pacing_frame(tcp, conn, mss, limit);
    if (lost) /* new data waits until the lost has been sent again */
        return sw_tcp_plan_retransmission(tcp, conn, mss, limit, plan);
    if (room && sw_tcp_mtu_probe_plan(tcp, conn, path, mss, plan))
        return plan->length != 0;
    return room && sw_tcp_plan_new_data(tcp, conn, mss, limit, plan);
}

static bool has_data(const struct tcp_connection *conn)
{
    return (sw_tcp_is_synchronised(conn->state) || sw_tcp_fast_open_may_send(conn)) &&
           (conn->send.lost || sw_tcp_send_queue_unsent(conn) || conn->probe_now ||
            conn->tail_probe || (conn->fin_queued && !conn->fin_sent));
}

static bool choose(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_path *path,
                   uint32_t mss, uint32_t limit, struct tcp_plan *plan)
{
    if (has_data(conn) && !sw_tcp_ecn_answers(tcp, conn)) {
        restart_if_idle(tcp, conn);
        if (choose_data(tcp, conn, path, mss, limit, plan))
            return true;
    }
    if (!conn->ack_now && !conn->keepalive_now)
        return false;
    *plan = (struct tcp_plan){
        .seq = sw_tcp_bare_seq(conn), .flags = TCP_ACK, .reason = SANWO_REASON_DELAYED_ACK};
    if (conn->keepalive_now) { /* 3.8.4: SEG.SEQ = SND.NXT-1, no data (SHLD-12) */
        plan->seq = tcp_seq_subtract(plan->seq, 1);
        plan->reason = SANWO_REASON_KEEPALIVE_PROBE;
    }
    return true;
}

bool sw_tcp_output(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_path *path,
                   struct sanwo_frame *frame)
{
    if (SW_UNLIKELY(conn->syn_pending))
        return send_syn(tcp, conn, path, frame);
    if (!conn->ack_now && !conn->keepalive_now && !has_data(conn))
        return false;
    uint32_t mss = sw_tcp_send_mss(tcp, conn, path->mtu);
    if (SW_UNLIKELY(mss != conn->cc.mss && sw_tcp_is_synchronised(conn->state)))
        sw_tcp_cc_set_mss(&conn->cc, (uint16_t)mss);
    struct tcp_outgoing out;
    struct wire_tcp_options *options = &out.options;
    sw_wire_tcp_options_none(options);
    if (!sw_tcp_ecn_hides_sack(tcp, conn))
        sw_tcp_sack_blocks(tcp, conn, options, sack_room(conn));
    uint32_t taken = sw_tcp_ecn_option(tcp, conn, options); /* from the payload (MUST-16) */
    if (options->sack_count)
        taken += SACK_HEADER + SACK_BLOCK * options->sack_count;
    mss = sw_max32(mss - sw_min32(mss, taken), 8);
    uint32_t limit = path->super_segment && !conn->urgent_out ? path->super_segment : mss;
    if (sw_tcp_ecn_is_single(tcp, conn))
        limit = mss;
    struct tcp_plan plan = {.length = 0};
    if (!choose(tcp, conn, path, mss, sw_max32(limit, mss), &plan))
        return false;
    bool sent = send_plan(tcp, conn, path, frame, &plan, &out);
    conn->keepalive_now = 0;
    if (!sent) { /* no memory for the header: try again then */
        sw_tcp_timers_window_closed(tcp, conn);
    }
    return sent;
}

struct tcp_connection *sw_tcp_next_ready(struct tcp *tcp)
{
    return sw_tcp_list_first(&tcp->ready, &tcp->connections, tcp->region);
}

void sw_tcp_output_done(struct tcp *tcp, struct tcp_connection *conn)
{
    sw_tcp_limited_update(tcp, conn);
    if (!conn->wants_send)
        return;
    conn->wants_send = 0;
    sw_tcp_list_remove(&tcp->ready, &tcp->connections, tcp->region, conn);
}

void sw_tcp_output_later(struct tcp *tcp, struct tcp_connection *conn)
{
    sw_tcp_output_done(tcp, conn);
    sw_tcp_wants_send(tcp, conn);
}
