/*
 * handshake.c - The three-way handshake from the side that has a control block.
 *
 *     active:        SYN-SENT --SYN,ACK--> ESTABLISHED
 *     simultaneous:  SYN-SENT --SYN--> SYN-RECEIVED --ACK--> ESTABLISHED     (MUST-10)
 *     passive:       half_open.c promotes its record to SYN-RECEIVED here; input.c goes on
 *
 * RFC 9293 3.5 and 3.10.7.3; options: RFC 7323 2 and 3.2, RFC 2018 2.
 */
#include "tcp/open/handshake.h"

#include "tcp/connection/config.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/peers.h"
#include "tcp/connection/state.h"
#include "tcp/connection/timers.h"
#include "tcp/ecn/ecn.h"
#include "tcp/open/demux.h"
#include "tcp/open/fast_open.h"
#include "tcp/open/half_open.h"
#include "tcp/open/isn.h"
#include "tcp/open/listener.h"
#include "tcp/receive/delayed_ack.h"
#include "tcp/receive/timestamps.h"
#include "tcp/receive/tuning.h"
#include "tcp/receive/window.h"
#include "tcp/send/ack.h"
#include "tcp/send/rtt.h"

#define TCP_HEADER 20
#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define IPV4_DEFAULT_MSS 536 /* MUST-15 */
#define IPV6_DEFAULT_MSS 1220
#define LARGEST_SCALE 14 /* RFC 7323 2.3 */

uint16_t sw_tcp_mss_for(const struct sanwo_tcp_config *config, bool ipv4, uint16_t mtu)
{
    uint16_t headers = TCP_HEADER + (ipv4 ? IPV4_HEADER : IPV6_HEADER);
    uint16_t mss =
        mtu > headers + config->mss_floor ? (uint16_t)(mtu - headers) : config->mss_floor;
    return config->mss && config->mss < mss ? config->mss : mss;
}

int8_t sw_tcp_scale_for(const struct sanwo_tcp_config *config)
{
    if (config->window_scale >= 0)
        return config->window_scale;
    int8_t scale = 0;
    uint32_t most = sw_tcp_receive_most(config);
    while (scale < LARGEST_SCALE && most >> scale > UINT16_MAX)
        scale++;
    return scale;
}

/* B-03. */
uint16_t sw_tcp_peer_mss(const struct sanwo_tcp_config *config, bool ipv4, uint16_t option)
{
    uint32_t mss = option ? option : ipv4 ? IPV4_DEFAULT_MSS : IPV6_DEFAULT_MSS;
    if (option && mss < config->mss_floor)
        mss = config->mss_floor;
    return (uint16_t)(config->mss ? sw_min32(mss, config->mss) : mss); /* ours clamps both ways */
}

/* MUST-65: called for SYNs only. */
void sw_tcp_syn_options(struct wire_tcp_options *out, const struct tcp_syn_offer *offer)
{
    sw_wire_tcp_options_none(out);
    out->mss = offer->mss; /* MUST-14, SHLD-5, MAY-3 */
    out->sack_permitted = offer->sack;
    out->window_scale = offer->scale;
    out->timestamps = offer->timestamps;
    out->ts_value = offer->ts_value;
    out->ts_echo = offer->ts_echo;
}

/* What both ways of opening set alike. */
static void start(struct tcp *tcp, struct tcp_connection *conn, tcp_seq iss)
{
    conn->send.iss = conn->send.snd_una = iss;
    conn->send.snd_nxt = conn->send.snd_end = tcp_seq_add(iss, 1);
    conn->send.recover = conn->snd_sml = iss;
    conn->ts_offset = sw_tcp_timestamp_offset(tcp, &conn->tuple);
}

int sw_tcp_connect(struct tcp *tcp, const struct tcp_tuple *tuple, uint16_t mtu, uint16_t link,
                   const struct sanwo_tcp_connect *open, struct tcp_connection **out)
{
    if (tcp->connections.live >= tcp->connections.limit) /* E-12 */
        return -SANWO_ELIMIT;
    struct tcp_connection *conn = sw_tcp_connection_new(tcp, tuple);
    if (!conn)
        return -SANWO_ENOMEM;
    if ((open->config && !sw_tcp_config_set(tcp, &conn->config, open->config)) ||
        !sw_tcp_demux_insert(tcp, tuple, sw_tcp_name(TCP_KIND_CONNECTION, conn->item.index))) {
        sw_tcp_connection_discard(tcp, conn);
        return -SANWO_ENOMEM;
    }
    conn->in_table = 1;
    conn->accepted = 1;
    conn->user = open->user;
    conn->link = link;
    start(tcp, conn, open->isn_is_set ? tcp_seq_of(open->isn) : sw_tcp_isn(tcp, tuple, tcp->now));
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    bool ipv4 = sw_tcp_tuple_is_ipv4(tuple);
    conn->receive.mss = sw_tcp_mss_for(config, ipv4, mtu);
    conn->send.peer_mss = sw_tcp_peer_mss(config, ipv4, 0);
    tcp->counters.opened++;
    if (!sanwo_handle_is_none(open->listener)) /* the diagram's edge LISTEN -> SYN-SENT */
        conn->state = SANWO_TCP_LISTEN;
    sw_tcp_set_state(tcp, conn, SANWO_TCP_SYN_SENT, SANWO_REASON_ACTIVE_OPEN);
    sw_tcp_timers_opened(tcp, conn);
    sw_tcp_peers_opened(tcp, conn);
    conn->fast_open = open->fast_open;
    conn->syn_pending = 1;
    sw_tcp_wants_send(tcp, conn);
    *out = conn;
    return 0;
}

/* What the peer's SYN offered, and we did too, is agreed. RFC7323-2.2-3: called for SYNs only. */
static void agree(struct tcp *tcp, struct tcp_connection *conn, uint16_t mss, int8_t scale,
                  bool timestamps, uint32_t ts_value, bool sack)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    conn->send.peer_mss = sw_tcp_peer_mss(config, sw_tcp_tuple_is_ipv4(&conn->tuple), mss);
    if (config->offer_window_scale && scale >= 0) { /* RFC7323-2.2-1: only if both sent it */
        conn->window_scaling = 1;
        conn->send.scale = scale;
        conn->receive.scale = sw_tcp_scale_for(config);
    }
    if (config->offer_timestamps && timestamps) {
        conn->timestamps = 1;
        sw_tcp_timestamp_remember(tcp, conn, ts_value);
    }
    conn->sack = config->offer_sack && sack;
}

static void note_peer_syn(struct tcp_connection *conn, tcp_seq irs, uint32_t window)
{
    conn->receive.irs = irs;
    conn->receive.rcv_nxt = conn->receive.last_ack_sent = tcp_seq_add(irs, 1);
    conn->receive.rcv_adv = conn->receive.rcv_up = conn->receive.rcv_nxt;
    conn->send.snd_wnd = conn->send.max_snd_wnd =
        window; /* of a SYN: never scaled, RFC7323-2.2-2 */
    conn->send.snd_wl1 = irs;
}

struct tcp_connection *sw_tcp_promote(struct tcp *tcp, const struct tcp_half_open *half)
{
    struct tcp_connection *conn = sw_tcp_connection_new(tcp, &half->tuple);
    if (!conn)
        return NULL;
    sw_tcp_config_share(tcp, &conn->config, half->u.config);
    conn->passive = 1;
    conn->listener = half->listener;
    conn->link = half->link;
    conn->state =
        SANWO_TCP_SYN_RECEIVED; /* the record's edge from LISTEN was told when it was taken */
    conn->reason = SANWO_REASON_SYN_RECEIVED;
    start(tcp, conn, half->u.iss);
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    conn->receive.mss = sw_tcp_mss_for(config, sw_tcp_tuple_is_ipv4(&half->tuple), half->link_mtu);
    agree(tcp, conn, half->peer_mss, half->scale, half->flags & HALF_OPEN_TIMESTAMPS,
          half->ts_recent, half->flags & HALF_OPEN_SACK);
    note_peer_syn(conn, half->irs, half->window);
    sw_tcp_window_announce_from(tcp, conn);
    conn->syn_lost = half->retransmissions > 0;
    if (!sw_tcp_ecn_promote(tcp, conn, half)) {
        sw_tcp_connection_discard(tcp, conn);
        return NULL;
    }
    return conn;
}

void sw_tcp_handshake_start(struct tcp *tcp, struct tcp_connection *conn)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    bool congested = conn->syn_lost || sw_tcp_ecn_syn_marked(tcp, conn); /* RFC5681-3.1-3 */
    sw_tcp_cc_init(&conn->cc, config->congestion, sw_tcp_send_mss(tcp, conn, 0),
                   congested ? 1 : config->initial_window);
}

void sw_tcp_handshake_skip(struct tcp *tcp, struct tcp_connection *conn)
{
    conn->syn_unacked = 1;
    if (!conn->fast_open_pending)
        sw_tcp_handshake_start(tcp, conn);
}

void sw_tcp_handshake_catch_up(struct tcp *tcp, struct tcp_connection *conn)
{
    conn->syn_unacked = conn->syn_pending = 0;
    sw_tcp_fast_open_settled(tcp, conn);
    sw_tcp_timers_established(tcp, conn);
    sw_tcp_event(tcp, conn, SANWO_EVENT_CONNECTED);
}

void sw_tcp_handshake_complete(struct tcp *tcp, struct tcp_connection *conn, enum sanwo_reason why)
{
    conn->send.retransmissions = 0;
    conn->backoff = 0; /* RFC 6298 5.7 has its own rule for the data after a lost SYN */
    conn->syn_pending = 0;
    bool early = conn->fast_open_pending; /* its user has it already, and may have sent */
    bool sent = early && !tcp_seq_equal(conn->send.snd_nxt, tcp_seq_add(conn->send.iss, 1));
    sw_tcp_fast_open_settled(tcp, conn);
    if (sent)
        sw_tcp_timers_acked(tcp, conn);
    else
        sw_tcp_timers_all_acked(tcp, conn);
    conn->send.srtt = 0;
    if (!conn->syn_lost && !conn->syn_twice && !conn->by_cookie && !sent)
        sw_tcp_rtt_sample(tcp, conn, tcp->now - conn->send.last_sent);
    if (!early)
        sw_tcp_handshake_start(tcp, conn);
    sw_tcp_peers_established(tcp, conn);
    sw_tcp_set_state(tcp, conn, SANWO_TCP_ESTABLISHED, why);
    sw_tcp_timers_established(tcp, conn);
    if (conn->passive && !early)
        sw_tcp_listener_deliver(tcp, sw_tcp_at(tcp, &tcp->listeners, conn->listener), conn);
    else
        sw_tcp_event(tcp, conn, SANWO_EVENT_CONNECTED);
    sw_tcp_event(tcp, conn, SANWO_EVENT_WRITABLE);
    /* RFC 9293 3.10.4: a CLOSE in SYN-SENT or SYN-RECEIVED waited for this. */
    if (conn->fin_queued)
        sw_tcp_set_state(tcp, conn, SANWO_TCP_FIN_WAIT_1, SANWO_REASON_USER_SHUTDOWN);
    sw_tcp_wants_send(tcp, conn);
}

/* RFC5961-3.2-2. */
static enum tcp_verdict syn_sent_reset(struct tcp *tcp, struct tcp_connection *conn,
                                       struct tcp_segment *seg, bool ack_acceptable)
{
    if (!ack_acceptable) /* RFC 5961 3.2: a reset counts only if it acknowledges our SYN */
        return sw_tcp_drop(seg, SANWO_REASON_RST_OUT_OF_WINDOW);
    conn->reset_received = 1;
    sw_tcp_fail(tcp, conn, SANWO_ECONNREFUSED, SANWO_REASON_PEER_REFUSED);
    return TCP_FINISHED;
}

/* U-3. */
enum tcp_verdict sw_tcp_syn_sent_input(struct tcp *tcp, struct tcp_connection *conn,
                                       struct tcp_segment *seg)
{
    bool has_ack = seg->flags & TCP_ACK;
    bool ack_acceptable = has_ack && sw_tcp_fast_open_acks_syn(conn, seg->ack); /* first */
    if (has_ack && !ack_acceptable) {
        seg->reason = SANWO_REASON_UNEXPECTED_ACK;
        return seg->flags & TCP_RST ? TCP_DROP : TCP_SEND_RESET;
    }
    if (seg->flags & TCP_RST) /* second */
        return syn_sent_reset(tcp, conn, seg, ack_acceptable);
    /* third: security, obsolete. fourth: SYN; fifth: neither SYN nor RST. A SYN with FIN: C-15. */
    if (!(seg->flags & TCP_SYN) || (seg->flags & TCP_FIN))
        return sw_tcp_drop(seg, SANWO_REASON_UNEXPECTED_ACK);
    if (!sw_tcp_ecn_answered(tcp, conn, seg))
        return sw_tcp_drop(seg, SANWO_REASON_NO_MEMORY); /* it will come again */
    const struct wire_tcp_options *o = &seg->options;
    agree(tcp, conn, o->mss, o->window_scale, o->timestamps, o->ts_value, o->sack_permitted);
    note_peer_syn(conn, seg->seq, seg->window);
    conn->receive.dscp_ecn = seg->dscp_ecn;
    if (has_ack) {
        sw_tcp_fast_open_answered(tcp, conn, seg);
        conn->send.snd_una = seg->ack;
        conn->send.snd_wl2 = seg->ack;
        sw_tcp_window_announce_from(tcp, conn);
        sw_tcp_handshake_complete(tcp, conn, SANWO_REASON_SYN_ACK_RECEIVED);
        sw_tcp_ack_now(
            tcp, conn); /* text or FIN in the segment will come again: see docs/deviations.md */
        return TCP_CONTINUE;
    }
    sw_tcp_set_state(tcp, conn, SANWO_TCP_SYN_RECEIVED, SANWO_REASON_SIMULTANEOUS_OPEN);
    sw_tcp_window_announce_from(tcp, conn);
    conn->send.retransmissions = 0;
    conn->backoff = 0;
    conn->syn_pending = 1; /* <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> */
    conn->syn_twice = 1;   /* Karn: what acknowledges it may mean either */
    sw_tcp_wants_send(tcp, conn);
    return TCP_CONTINUE;
}
