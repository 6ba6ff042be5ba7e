/*
 * tail.c - RFC 8985 7: the probe time-out (7.2), the probe (7.3), and what its ACK tells (7.4).
 *
 *     sent, sent, sent(lost)                       no duplicate comes: nothing was sent behind
 *        |<--- 2 SRTT --->| new data, or the last once more -> its ACK shows the loss to RACK
 */
#include "tcp/recovery/tail.h"

#include "tcp/connection/config.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/timers.h"
#include "tcp/send/sending.h"

#define PTO_WITHOUT_RTT SANWO_SEC(1) /* RFC 8985 7.2 */
#define MAX_ACK_DELAY SANWO_MSEC(50) /* what a lone segment's ACK may be held back */
#define LEAST_PTO SANWO_MSEC(1)      /* timers elsewhere are no finer */

static struct tcp_tail *tail_of(const struct tcp *tcp, const struct tcp_connection *conn)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    return s ? &s->tail : NULL;
}

/* RFC8985-7.2-1: not in recovery, not while something is SACKed. */
static bool is_wanted(const struct tcp *tcp, const struct tcp_connection *conn)
{
    const struct tcp_sender *s = &conn->send;
    uint32_t flight = tcp_seq_distance(s->snd_una, s->snd_nxt);
    return conn->sack && sw_tcp_config(tcp, conn)->tail_loss_probe && flight &&
           flight == s->in_flight && !conn->in_recovery && !conn->in_timeout && s->snd_wnd;
}

static sanwo_time probe_timeout(const struct tcp_connection *conn)
{
    sanwo_time pto = PTO_WITHOUT_RTT;
    if (conn->send.srtt) {
        pto = 2 * conn->send.srtt;
        if (conn->send.in_flight <= conn->cc.mss)
            pto += MAX_ACK_DELAY;
    }
    return pto > LEAST_PTO ? pto : LEAST_PTO;
}

void sw_tcp_tail_schedule(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_tail *tail = tail_of(tcp, conn);
    if (!tail)
        return;
    tail->deadline = SANWO_TIME_NEVER;
    if (!is_wanted(tcp, conn) || tail->out || conn->deadline.retransmit == SANWO_TIME_NEVER)
        return;
    tail->deadline = tcp->now + probe_timeout(conn);
    if (tail->deadline > conn->deadline.retransmit) /* RFC 8985 7.2: at that time, but a probe */
        tail->deadline = conn->deadline.retransmit;
    sw_tcp_timers_tail(tcp, conn, tail->deadline);
}

void sw_tcp_tail_cancel(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_tail *tail = tail_of(tcp, conn);
    if (!tail)
        return;
    tail->deadline = SANWO_TIME_NEVER;
    conn->tail_probe = 0;
}

void sw_tcp_tail_end(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_tail *tail = tail_of(tcp, conn);
    sw_tcp_tail_cancel(tcp, conn);
    if (tail)
        tail->out = false;
}

void sw_tcp_tail_sent(struct tcp *tcp, struct tcp_connection *conn, bool is_retrans)
{
    struct tcp_tail *tail = tail_of(tcp, conn);
    tail->out = true;
    tail->is_retrans = is_retrans;
    tail->end_seq = conn->send.snd_nxt;
    tail->sampled = false;
    tail->deadline = SANWO_TIME_NEVER;
}

/* RFC8985-7.4-1. */
bool sw_tcp_tail_ack(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_segment *seg,
                     bool duplicate, bool dsack)
{
    struct tcp_tail *tail = tail_of(tcp, conn);
    if (!tail || !tail->out || tcp_seq_before(seg->ack, tail->end_seq))
        return false;
    if (!tail->is_retrans || dsack) { /* new data, delivered; or case 1: both arrived */
        tail->out = false;
        return false;
    }
    if (tcp_seq_after(seg->ack, tail->end_seq)) {
        tail->out = false;
        return true;
    }
    if (duplicate && !seg->options.sack_count) /* case 2: both arrived */
        tail->out = false;
    return false;
}

/* RFC8985-7.3-1: one probe at a time, and an RTT sample since the last. */
bool sw_tcp_tail_expired(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_tail *tail = tail_of(tcp, conn);
    tail->deadline = SANWO_TIME_NEVER;
    if (tail->out || !tail->sampled || !is_wanted(tcp, conn))
        return false;
    conn->tail_probe = 1;
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_TIMER, SANWO_REASON_TAIL_LOSS_PROBE, 0, 0);
    return true;
}
