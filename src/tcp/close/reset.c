/*
 * reset.c - Resets out (RFC 9293 3.5.2), and the queue of answers without a sender.
 *
 * Answers wait in the order they were asked for until the stack pulls them, at most `reply_limit`.
 * Resets to closed ports are limited in rate besides, for each peer and for all (attack B-10).
 */
#include "tcp/close/reset.h"

#include "tcp/ecn/ecn.h"
#include "tcp/connection/config.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/state.h"
#include "tcp/receive/timestamps.h"
#include "tcp/receive/window.h"
#include "tcp/send/output.h"

void sw_tcp_reply(struct tcp *tcp, const struct tcp_outgoing *out)
{
    struct buffer *b = NULL;
    if (tcp->reply_count < tcp->reply_limit)
        b = sw_buffer_alloc(tcp->region, sizeof(*out));
    if (!b) {
        tcp->counters.reasons[SANWO_REASON_QUEUE_FULL]++;
        return;
    }
    memcpy(sw_buffer_tail(b), out, sizeof(*out));
    region_ref name = sw_buffer_name(tcp->region, b);
    b->next = 0;
    if (tcp->reply_tail)
        sw_buffer_at(tcp->region, tcp->reply_tail)->next = name;
    else
        tcp->reply_head = name;
    tcp->reply_tail = name;
    tcp->reply_count++;
}

bool sw_tcp_poll_reply(struct tcp *tcp, struct tcp_outgoing *out)
{
    struct buffer *b = sw_buffer_at(tcp->region, tcp->reply_head);
    if (!b)
        return false;
    memcpy(out, sw_buffer_tail(b), sizeof(*out));
    tcp->reply_head = b->next;
    if (!tcp->reply_head)
        tcp->reply_tail = 0;
    tcp->reply_count--;
    sw_buffer_unref(tcp->region, b);
    return true;
}

void sw_tcp_reset_answer(struct tcp *tcp, const struct tcp_segment *seg, enum sanwo_reason why)
{
    if (seg->flags & TCP_RST)
        return;
    if (!sw_peer_limiter_take(&tcp->reset_limiter, tcp->random, seg->tuple.remote,
                              sizeof(seg->tuple.remote), tcp->now)) {
        tcp->counters.reasons[SANWO_REASON_RATE_LIMITED]++;
        return;
    }
    struct tcp_outgoing out = {.tuple = seg->tuple,
                               .ttl = tcp->config.ttl,
                               .state = SANWO_TCP_CLOSED,
                               .reason = (uint16_t)why};
    sw_wire_tcp_options_none(&out.options);
    if (seg->flags & TCP_ACK) { /* <SEQ=SEG.ACK><CTL=RST> */
        out.seq = seg->ack;
        out.flags = TCP_RST;
    } else { /* <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> */
        out.ack = tcp_seq_add(seg->seq, sw_tcp_segment_span(seg));
        out.flags = TCP_RST | TCP_ACK;
    }
    if (seg->options.timestamps && tcp->config.reset_timestamps) { /* RFC7323-5.2-2 */
        out.options.timestamps = true;
        out.options.ts_echo = seg->options.ts_value;
    }
    tcp->counters.resets_out++;
    sw_tcp_reply(tcp, &out);
}

/* A segment without data from the connection as it stands. */
static void reply_from(struct tcp *tcp, struct tcp_connection *conn, uint8_t flags,
                       enum sanwo_reason why)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    bool counts = !(flags & TCP_RST) || conn->ecn == TCP_ECN_ACCURATE; /* RFC 9768 3.2.2 */
    struct tcp_outgoing out = {.tuple = conn->tuple,
                               .handle = sw_tcp_handle(TCP_KIND_CONNECTION, conn),
                               .user = conn->user,
                               .seq = sw_tcp_bare_seq(conn),
                               .ack = conn->receive.rcv_nxt,
                               .flags = flags,
                               .ace = counts ? sw_tcp_ecn_ace(tcp, conn) : 0,
                               .window = sw_tcp_window_to_send(tcp, conn),
                               .state = conn->state,
                               .ttl = config->ttl,
                               .dscp_ecn = (uint8_t)(config->dscp << 2),
                               .reason = (uint16_t)why};
    sw_wire_tcp_options_none(&out.options);
    sw_tcp_timestamp_option(tcp, conn, &out.options);
    sw_tcp_reply(tcp, &out);
}

/* RFC7323-3.2-4: reply_from() adds the timestamp. */
void sw_tcp_reset_connection(struct tcp *tcp, struct tcp_connection *conn, enum sanwo_reason why)
{
    switch (conn->state) {
    case SANWO_TCP_SYN_RECEIVED:
    case SANWO_TCP_ESTABLISHED:
    case SANWO_TCP_FIN_WAIT_1:
    case SANWO_TCP_FIN_WAIT_2:
    case SANWO_TCP_CLOSE_WAIT:
        break; /* RFC 9293 3.10.5: in the states before and after, delete the TCB quietly */
    default:
        return;
    }
    if (conn->reset_received)
        return;
    tcp->counters.resets_out++;
    reply_from(tcp, conn, TCP_RST | TCP_ACK, why);
}

void sw_tcp_reply_ack(struct tcp *tcp, struct tcp_connection *conn, enum sanwo_reason why)
{
    conn->ack_now = 0;
    reply_from(tcp, conn, TCP_ACK, why);
}
