/*
 * half_open.c - SYN-RECEIVED without a control block: from the SYN to the acknowledgement of ours.
 *
 *     SYN -> record -> (the user decides) -> SYN-ACK -> ACK -> control block, ESTABLISHED
 *               |                              | retransmitted, then forgotten
 *               '- refuse: RST   ignore: nothing
 */
#include "tcp/open/half_open.h"

#include "tcp/close/reset.h"
#include "tcp/connection/config.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/observe.h"
#include "tcp/ecn/ecn.h"
#include "tcp/open/cookie.h"
#include "tcp/open/demux.h"
#include "tcp/open/fast_open.h"
#include "tcp/open/handshake.h"
#include "tcp/open/isn.h"
#include "tcp/open/listener.h"
#include "tcp/receive/acceptable.h"
#include "tcp/receive/input.h"
#include "tcp/receive/timestamps.h"
#include "tcp/receive/window.h"

#define TWENTY_FOUR_DAYS SANWO_SEC(24 * 24 * 3600)
#define ISN_GAP 65536 /* beyond the numbers of the connection whose TIME-WAIT made way */

static struct tcp_listener *listener_of(struct tcp *tcp, const struct tcp_half_open *half)
{
    return sw_tcp_at(tcp, &tcp->listeners, half->listener);
}

/* The listener's when the SYN-ACK went out: no option set since takes back what that said. */
static const struct sanwo_tcp_config *config_of(struct tcp *tcp, const struct tcp_half_open *half)
{
    bool undecided = half->flags & HALF_OPEN_UNDECIDED;
    return sw_tcp_config_at(tcp, undecided ? listener_of(tcp, half)->config : half->u.config);
}

static void observe(struct tcp *tcp, const struct tcp_half_open *half, uint8_t from, uint8_t to,
                    enum sanwo_reason why)
{
    struct tcp_subject who = {&half->tuple, sw_tcp_handle(TCP_KIND_HALF_OPEN, half), from, to};
    sw_tcp_observe_subject(tcp, &who, SANWO_OBSERVE_STATE, why);
}

static uint32_t receive_window(const struct sanwo_tcp_config *config)
{
    return sw_min32(sw_tcp_window_at_first(config), UINT16_MAX);
}

void sw_tcp_half_open_syn_ack(struct tcp *tcp, const struct tcp_half_open *half, uint32_t ts_value,
                              enum sanwo_reason why)
{
    const struct sanwo_tcp_config *config = config_of(tcp, half);
    bool kept = half->item.generation != 0;
    struct tcp_syn_offer offer = {
        .timestamps = half->flags & HALF_OPEN_TIMESTAMPS,
        .sack = half->flags & HALF_OPEN_SACK,
        .scale = half->scale >= 0 ? sw_tcp_scale_for(config) : (int8_t)-1,
        .mss = sw_tcp_mss_for(config, sw_tcp_tuple_is_ipv4(&half->tuple), half->link_mtu),
        .ts_value = ts_value,
        .ts_echo = half->ts_recent,
    };
    struct tcp_outgoing out = {
        .tuple = half->tuple,
        .handle = kept ? sw_tcp_handle(TCP_KIND_HALF_OPEN, half) : (struct sanwo_handle){0, 0},
        .seq = half->u.iss,
        .ack = tcp_seq_add(half->irs, 1),
        .flags = TCP_SYN | TCP_ACK,
        .ace = sw_tcp_ecn_syn_ack(half, half->retransmissions),
        .window = (uint16_t)receive_window(config), /* RFC7323-2.2-2: never scaled in a SYN */
        .state = kept ? SANWO_TCP_SYN_RECEIVED : SANWO_TCP_LISTEN,
        .ttl = config->ttl,
        .dscp_ecn = (uint8_t)(config->dscp << 2),
        .reason = (uint16_t)why};
    memcpy(out.option_order, config->option_order, sizeof(out.option_order));
    sw_tcp_syn_options(&out.options, &offer);
    sw_tcp_ecn_syn_ack_option(config, half, &out.options);
    if (half->flags & HALF_OPEN_COOKIE)
        sw_tcp_fast_open_add_cookie(tcp, &half->tuple, half->flags & HALF_OPEN_EXPERIMENT,
                                    &out.options);
    sw_tcp_reply(tcp, &out);
}

static uint32_t timestamp_of(const struct tcp *tcp, const struct tcp_half_open *half)
{
    return sw_tcp_timestamp_now(tcp, sw_tcp_timestamp_offset(tcp, &half->tuple));
}

static void send_syn_ack(struct tcp *tcp, const struct tcp_half_open *half, enum sanwo_reason why)
{
    sw_tcp_half_open_syn_ack(tcp, half, timestamp_of(tcp, half), why);
}

static void arm_retransmission(struct tcp *tcp, struct tcp_half_open *half)
{
    const struct sanwo_tcp_config *config = config_of(tcp, half);
    sanwo_time rto = config->rto_initial;
    for (uint8_t i = half->retransmissions; i && rto < config->rto_maximum; i--)
        rto *= 2;
    if (rto > config->rto_maximum)
        rto = config->rto_maximum;
    sw_wheel_arm(&tcp->half_open_wheel, tcp->region, &half->timer, tcp->now + rto);
}

/*
 * While cookies are out the SYN may have been answered with one already, before there was room for a
 * record: then both answers must say the same.
 */
static tcp_seq choose_isn(struct tcp *tcp, const struct tcp_half_open *half)
{
    const struct tcp_listener *listener = listener_of(tcp, half);
    if (listener->fixed_isn)
        return tcp_seq_of(listener->isn);
    if (tcp->now >= listener->cookies_until)
        return sw_tcp_isn(tcp, &half->tuple, tcp->now);
    return sw_tcp_cookie_isn(tcp, sw_tcp_config_at(tcp, listener->config), half);
}

tcp_seq sw_tcp_half_open_isn(struct tcp *tcp, const struct tcp_half_open *half,
                             const struct tcp_segment *seg)
{
    tcp_seq iss = choose_isn(tcp, half);
    if (seg->has_isn_floor && !tcp_seq_after(iss, seg->isn_floor))
        iss = tcp_seq_add(seg->isn_floor, ISN_GAP);
    return iss;
}

static void admit_with(struct tcp *tcp, struct tcp_half_open *half, tcp_seq iss)
{
    half->flags &= (uint8_t) ~(HALF_OPEN_UNDECIDED | HALF_OPEN_SEEN);
    half->u.iss = iss;
    sw_tcp_config_share(tcp, &half->u.config, listener_of(tcp, half)->config);
    observe(tcp, half, SANWO_TCP_LISTEN, SANWO_TCP_SYN_RECEIVED, SANWO_REASON_SYN_RECEIVED);
    send_syn_ack(tcp, half, SANWO_REASON_SYN_RECEIVED);
    half->flags &= (uint8_t)~HALF_OPEN_COOKIE; /* RFC 7413 4.2.1: no more if it is lost */
    arm_retransmission(tcp, half);
}

void sw_tcp_half_open_admit(struct tcp *tcp, struct tcp_half_open *half)
{
    admit_with(tcp, half, choose_isn(tcp, half));
}

void sw_tcp_half_open_refuse(struct tcp *tcp, struct tcp_half_open *half)
{
    struct tcp_segment syn = {.tuple = half->tuple, .seq = half->irs, .flags = TCP_SYN};
    sw_tcp_reset_answer(tcp, &syn, SANWO_REASON_USER_REFUSED);
    sw_tcp_half_open_drop(tcp, half, SANWO_REASON_USER_REFUSED);
}

void sw_tcp_half_open_drop(struct tcp *tcp, struct tcp_half_open *half, enum sanwo_reason why)
{
    struct tcp_listener *listener = listener_of(tcp, half);
    if (!(half->flags & HALF_OPEN_UNDECIDED))
        observe(tcp, half, SANWO_TCP_SYN_RECEIVED, SANWO_TCP_LISTEN, why);
    else if (!(half->flags & HALF_OPEN_SEEN))
        sw_tcp_list_remove(&listener->requests, &tcp->half_open, tcp->region, half);
    if (!(half->flags & HALF_OPEN_UNDECIDED))
        sw_tcp_config_drop(tcp, &half->u.config);
    tcp->counters.reasons[why]++;
    listener->half_open--;
    sw_wheel_cancel(&tcp->half_open_wheel, tcp->region, &half->timer);
    sw_tcp_demux_remove(tcp, &half->tuple, sw_tcp_name(TCP_KIND_HALF_OPEN, half->item.index));
    sw_pool_free(&tcp->half_open, tcp->region, half);
}

void sw_tcp_half_open_fill(const struct sanwo_tcp_config *config, struct tcp_half_open *half,
                           const struct tcp_segment *seg)
{
    const struct wire_tcp_options *o = &seg->options;
    half->tuple = seg->tuple;
    half->link = seg->link;
    half->link_mtu = seg->link_mtu;
    half->irs = seg->seq;
    half->window = (uint16_t)seg->window;
    half->peer_mss = o->mss;
    half->scale = config->offer_window_scale ? o->window_scale : (int8_t)-1;
    if (!seg->destination_is_ours)
        half->flags |= HALF_OPEN_FOREIGN;
    if (config->offer_timestamps && o->timestamps) {
        half->flags |= HALF_OPEN_TIMESTAMPS;
        half->ts_recent = o->ts_value;
    }
    if (config->offer_sack && o->sack_permitted)
        half->flags |= HALF_OPEN_SACK;
    sw_tcp_ecn_note(half, seg, sw_tcp_ecn_judge_syn(config, seg));
}

enum sanwo_reason sw_tcp_half_open_create(struct tcp *tcp, struct tcp_listener *listener,
                                          const struct tcp_segment *seg)
{
    struct tcp_half_open *half = sw_pool_alloc(&tcp->half_open, tcp->region);
    if (!half)
        return tcp->half_open.live >= tcp->half_open.limit ? SANWO_REASON_HALF_OPEN_FULL
                                                           : SANWO_REASON_NO_MEMORY;
    if (!sw_tcp_demux_insert(tcp, &seg->tuple, sw_tcp_name(TCP_KIND_HALF_OPEN, half->item.index))) {
        sw_pool_free(&tcp->half_open, tcp->region, half);
        return SANWO_REASON_NO_MEMORY;
    }
    const struct sanwo_tcp_config *config = sw_tcp_config_at(tcp, listener->config);
    half->listener = listener->item.index;
    listener->half_open++;
    sw_tcp_half_open_fill(config, half, seg);
    if (!(listener->flags & SANWO_LISTEN_DECIDE)) {
        if (sw_tcp_fast_open_judge(tcp, listener, seg) == TCP_FAST_OPEN_OFFER)
            half->flags |= seg->options.fast_open_experiment
                               ? HALF_OPEN_COOKIE | HALF_OPEN_EXPERIMENT
                               : HALF_OPEN_COOKIE;
        admit_with(tcp, half, sw_tcp_half_open_isn(tcp, half, seg));
        return SANWO_REASON_NONE;
    }
    half->flags |= HALF_OPEN_UNDECIDED;
    sw_tcp_list_append(&listener->requests, &tcp->half_open, tcp->region, half);
    sw_wheel_arm(&tcp->half_open_wheel, tcp->region, &half->timer, tcp->now + config->decide);
    sw_tcp_listener_event(tcp, listener, SANWO_EVENT_REQUEST);
    return SANWO_REASON_NONE;
}

/* Before the user decided nothing was agreed: only the peer's own reset counts. */
static void undecided_input(struct tcp *tcp, struct tcp_half_open *half, struct tcp_segment *seg)
{
    bool again = (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN &&
                 tcp_seq_equal(seg->seq, half->irs);
    if ((seg->flags & TCP_RST) && tcp_seq_equal(seg->seq, tcp_seq_add(half->irs, 1)))
        sw_tcp_half_open_drop(tcp, half, SANWO_REASON_PEER_RESET);
    else if (again && !sw_tcp_ecn_syn_again(config_of(tcp, half), half, seg))
        sw_tcp_half_open_refuse(tcp, half);
    else
        sw_tcp_observe_drop(tcp, seg, NULL, SANWO_REASON_OLD_DUPLICATE);
}

static void send_bare(struct tcp *tcp, const struct tcp_half_open *half, uint8_t flags,
                      enum sanwo_reason why)
{
    const struct sanwo_tcp_config *config = config_of(tcp, half);
    int8_t scale = half->scale >= 0 ? sw_tcp_scale_for(config) : (int8_t)0;
    struct tcp_outgoing out = {.tuple = half->tuple,
                               .handle = sw_tcp_handle(TCP_KIND_HALF_OPEN, half),
                               .seq = tcp_seq_add(half->u.iss, 1),
                               .ack = tcp_seq_add(half->irs, 1),
                               .flags = flags,
                               .ace = sw_tcp_ecn_half_open(half),
                               .window = (uint16_t)(receive_window(config) >> scale),
                               .state = SANWO_TCP_SYN_RECEIVED,
                               .ttl = config->ttl,
                               .dscp_ecn = (uint8_t)(config->dscp << 2),
                               .reason = (uint16_t)why};
    sw_wire_tcp_options_none(&out.options);
    if (half->flags & HALF_OPEN_TIMESTAMPS) {
        out.options.timestamps = true;
        out.options.ts_value = timestamp_of(tcp, half);
        out.options.ts_echo = half->ts_recent;
    }
    sw_tcp_reply(tcp, &out);
}

/* The ACK that SYN-RECEIVED owes for what the window does not accept (3.10.7.4 first). */
static void send_ack(struct tcp *tcp, const struct tcp_half_open *half)
{
    send_bare(tcp, half, TCP_ACK, SANWO_REASON_CHALLENGE_ACK);
}

/* What carries nothing is not answered: two records must not talk to each other for ever (B-24). */
static void answer_unacceptable(struct tcp *tcp, const struct tcp_half_open *half,
                                const struct tcp_segment *seg)
{
    if (!(seg->flags & TCP_RST) && sw_tcp_segment_span(seg))
        send_ack(tcp, half);
}

/* The segment that completes the handshake goes through the steps of a connection. */
static void go_on(struct tcp *tcp, struct tcp_connection *conn, struct tcp_segment *seg)
{
    struct sanwo_handle handle = sw_tcp_handle(TCP_KIND_CONNECTION, conn);
    conn->in_table = 1;
    sw_tcp_deliver(tcp, conn, seg);
    conn = sw_pool_find(&tcp->connections, tcp->region, handle.index >> 2, handle.generation);
    if (conn && conn->state == SANWO_TCP_SYN_RECEIVED) { /* the steps refused it after all */
        sw_tcp_fail(tcp, conn, SANWO_ECONNABORTED, SANWO_REASON_UNEXPECTED_ACK);
        sw_tcp_finish(tcp, conn);
    }
}

/* The control block for @half, or NULL: the peer will say it again, and find room then, perhaps. */
static struct tcp_connection *promote(struct tcp *tcp, const struct tcp_half_open *half,
                                      const struct tcp_segment *seg)
{
    bool room = sw_tcp_listener_has_room(listener_of(tcp, half));
    struct tcp_connection *conn = room ? sw_tcp_promote(tcp, half) : NULL;
    if (conn)
        conn->foreign = !seg->destination_is_ours;
    if (!conn)
        sw_tcp_observe_drop(tcp, seg, NULL,
                            room ? SANWO_REASON_NO_MEMORY : SANWO_REASON_BACKLOG_FULL);
    return conn;
}

/* The final ACK was checked: from here on the connection has a control block of its own. */
static void complete(struct tcp *tcp, struct tcp_half_open *half, struct tcp_segment *seg)
{
    struct tcp_connection *conn = promote(tcp, half, seg);
    if (!conn)
        return;
    if (!conn->syn_lost) /* Karn: else the sample would be ambiguous */
        conn->send.last_sent = sw_wheel_node_time(&half->timer) - config_of(tcp, half)->rto_initial;
    sw_tcp_demux_replace(tcp, &half->tuple, sw_tcp_name(TCP_KIND_HALF_OPEN, half->item.index),
                         sw_tcp_name(TCP_KIND_CONNECTION, conn->item.index));
    listener_of(tcp, half)->half_open--;
    sw_wheel_cancel(&tcp->half_open_wheel, tcp->region, &half->timer);
    sw_tcp_config_drop(tcp, &half->u.config);
    sw_pool_free(&tcp->half_open, tcp->region, half);
    go_on(tcp, conn, seg);
}

void sw_tcp_half_open_revive(struct tcp *tcp, const struct tcp_half_open *half,
                             struct tcp_segment *seg)
{
    struct tcp_subject who = {&half->tuple, {0, 0}, SANWO_TCP_LISTEN, SANWO_TCP_SYN_RECEIVED};
    struct tcp_connection *conn = promote(tcp, half, seg);
    if (!conn)
        return;
    if (!sw_tcp_demux_insert(tcp, &half->tuple,
                             sw_tcp_name(TCP_KIND_CONNECTION, conn->item.index))) {
        sw_tcp_connection_discard(tcp, conn);
        sw_tcp_observe_drop(tcp, seg, NULL, SANWO_REASON_NO_MEMORY);
        return;
    }
    sw_tcp_observe_subject(tcp, &who, SANWO_OBSERVE_STATE, SANWO_REASON_COOKIE_ACCEPTED);
    tcp->counters.reasons[SANWO_REASON_COOKIE_ACCEPTED]++;
    conn->by_cookie = 1;
    go_on(tcp, conn, seg);
}

/* RFC 7323 5.3 R1; but after a jump of the clock what the record remembers is outdated (5.5). */
static bool is_older(const struct tcp *tcp, struct tcp_half_open *half, uint32_t ts_value)
{
    if (!(half->flags & HALF_OPEN_TIMESTAMPS) ||
        !sw_tcp_timestamp_before(ts_value, half->ts_recent))
        return false;
    bool outdated = tcp->now - sw_wheel_node_time(&half->timer) > TWENTY_FOUR_DAYS;
    if (outdated)
        half->ts_recent = ts_value;
    return !outdated;
}

void sw_tcp_half_open_input(struct tcp *tcp, struct tcp_half_open *half, struct tcp_segment *seg)
{
    bool undecided = half->flags & HALF_OPEN_UNDECIDED;
    sw_tcp_observe_segment_in(tcp, seg, NULL, sw_tcp_handle(TCP_KIND_HALF_OPEN, half),
                              undecided ? SANWO_TCP_LISTEN : SANWO_TCP_SYN_RECEIVED);
    if (undecided) {
        undecided_input(tcp, half, seg);
        return;
    }
    tcp_seq rcv_nxt = tcp_seq_add(half->irs, 1);
    uint32_t window = receive_window(config_of(tcp, half));
    bool reset = seg->flags & TCP_RST;
    /* The SYN again: our SYN-ACK was lost, or is late. It goes out again with its own timer. */
    if ((seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN &&
        tcp_seq_equal(seg->seq, half->irs)) {
        if (!sw_tcp_ecn_syn_again(config_of(tcp, half), half, seg)) {
            send_bare(tcp, half, TCP_RST | TCP_ACK, SANWO_REASON_SYN_IN_CONNECTION);
            sw_tcp_half_open_drop(tcp, half, SANWO_REASON_SYN_IN_CONNECTION);
            return;
        }
        send_syn_ack(tcp, half, SANWO_REASON_OLD_DUPLICATE);
        return;
    }
    if (!reset && seg->options.timestamps && is_older(tcp, half, seg->options.ts_value)) {
        sw_tcp_observe_drop(tcp, seg, NULL, SANWO_REASON_PAWS);
        answer_unacceptable(tcp, half, seg);
        return;
    }
    if (!reset && (half->flags & HALF_OPEN_TIMESTAMPS) && !seg->options.timestamps) {
        sw_tcp_observe_drop(tcp, seg, NULL, SANWO_REASON_TIMESTAMP_MISSING); /* RFC 7323 3.2 */
        return;
    }
    if (!sw_tcp_acceptable(rcv_nxt, window, seg->seq, sw_tcp_segment_span(seg))) {
        sw_tcp_observe_drop(tcp, seg, NULL, SANWO_REASON_OUT_OF_WINDOW);
        answer_unacceptable(tcp, half, seg);
        return;
    }
    if (reset) { /* 3.10.7.4 second: back to LISTEN, quietly (U-7); RFC 5961 3.2 for the rest */
        if (tcp_seq_equal(seg->seq, rcv_nxt)) {
            sw_tcp_half_open_drop(tcp, half, SANWO_REASON_PEER_RESET);
        } else if (tcp_seq_before(seg->seq, rcv_nxt)) { /* only what it carries is inside */
            sw_tcp_observe_drop(tcp, seg, NULL, SANWO_REASON_RST_OUT_OF_WINDOW);
        } else {
            sw_tcp_observe_drop(tcp, seg, NULL, SANWO_REASON_RST_NOT_EXACT);
            send_ack(tcp, half);
        }
        return;
    }
    /* 3.10.7.4 fourth: a passive open returns to LISTEN. A SYN before the window is trimmed off. */
    if ((seg->flags & TCP_SYN) && !tcp_seq_before(seg->seq, rcv_nxt)) {
        sw_tcp_half_open_drop(tcp, half, SANWO_REASON_SYN_IN_CONNECTION);
        return;
    }
    if (!(seg->flags & TCP_ACK)) {
        sw_tcp_observe_drop(tcp, seg, NULL, SANWO_REASON_NO_ACK_FLAG);
        return;
    }
    if (!tcp_seq_equal(seg->ack, tcp_seq_add(half->u.iss, 1))) { /* U-9, attack C-08 */
        sw_tcp_observe_drop(tcp, seg, NULL, SANWO_REASON_UNEXPECTED_ACK);
        sw_tcp_reset_answer(tcp, seg, SANWO_REASON_UNEXPECTED_ACK);
        return;
    }
    complete(tcp, half, seg);
}

void sw_tcp_half_open_timer(struct tcp *tcp, struct tcp_half_open *half)
{
    if (half->flags & HALF_OPEN_UNDECIDED) {
        sw_tcp_half_open_drop(tcp, half, SANWO_REASON_HANDSHAKE_TIMEOUT);
        return;
    }
    if (half->retransmissions >= config_of(tcp, half)->syn_ack_retries) { /* attack B-11 */
        sw_tcp_half_open_drop(tcp, half, SANWO_REASON_HANDSHAKE_TIMEOUT);
        return;
    }
    half->retransmissions++;
    tcp->counters.retransmitted++;
    send_syn_ack(tcp, half, SANWO_REASON_RETRANSMIT_TIMEOUT);
    arm_retransmission(tcp, half);
}
