/*
 * retransmit.c - Time-outs: of a SYN, of data, and of a closed window.
 *
 *     SYN out            -> SYN again, R2 by count (MUST-22, MUST-23)
 *     window closed      -> probe, without limit while the peer answers (MUST-37)
 *     data outstanding   -> all of it counts as lost, cwnd one segment, back off; R1 tells, R2 ends
 *
 * RFC 9293 3.8.1, 3.8.3, 3.8.6.1.
 */
#include "tcp/send/retransmit.h"

#include "tcp/close/reset.h"
#include "tcp/connection/config.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/meter.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/timers.h"
#include "tcp/recovery/recovery.h"
#include "tcp/send/path_mtu.h"
#include "tcp/send/send_queue.h"

#define LARGEST_BACKOFF 15 /* what the bit field holds; rto_maximum comes first */
#define R1 3               /* SHLD-10: then the user is told */
#define PROBES_UNANSWERED 15
#define PROBES_UNDER_PRESSURE 8 /* while memory is short: about a minute, not hours */
#define ORPHAN_PROBES 14        /* answered or not: over ten minutes (attacks B-07, B-15) */

static void count_one(uint8_t *counter)
{
    if (*counter < UINT8_MAX)
        (*counter)++;
}

/* RFC 6298 5.5. RFC6298-5-1. */
static void back_off(struct tcp_connection *conn)
{
    count_one(&conn->send.retransmissions);
    if (conn->backoff < LARGEST_BACKOFF)
        conn->backoff++;
}

static enum tcp_verdict give_up(struct tcp *tcp, struct tcp_connection *conn, enum sanwo_reason why)
{
    /* A soft error that came meanwhile tells more than "time-out" (RFC 9293 3.9.2.2). */
    int error = conn->soft_error && conn->state < SANWO_TCP_ESTABLISHED ? conn->soft_error
                                                                        : SANWO_ETIMEDOUT;
    sw_tcp_fail(tcp, conn, error, why);
    return TCP_FINISHED;
}

static void tell_at_r1(struct tcp *tcp, struct tcp_connection *conn)
{
    if (conn->send.retransmissions != R1 || !sw_tcp_config(tcp, conn)->soft_errors)
        return;
    if (!conn->soft_error)
        conn->soft_error = SANWO_ETIMEDOUT; /* SHLD-9 */
    sw_tcp_event(tcp, conn, SANWO_EVENT_SOFT_ERROR);
}

static enum tcp_verdict syn_expired(struct tcp *tcp, struct tcp_connection *conn)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    uint8_t most = conn->fast_open_pending ? config->syn_ack_retries : config->syn_retries;
    if ((!config->user_timeout || conn->fast_open_pending) && conn->send.retransmissions >= most)
        return give_up(tcp, conn, SANWO_REASON_HANDSHAKE_TIMEOUT);
    back_off(conn);
    if (SW_UNLIKELY(conn->send.in_flight)) /* what followed a SYN-ACK that a Fast Open earned */
        sw_tcp_recovery_on_timeout(tcp, conn);
    conn->syn_lost = 1;
    conn->syn_pending = 1;
    tell_at_r1(tcp, conn);
    sw_tcp_timers_backed_off(tcp, conn);
    sw_tcp_wants_send(tcp, conn);
    return TCP_CONTINUE;
}

static enum tcp_verdict probe(struct tcp *tcp, struct tcp_connection *conn)
{
    /* `probes` backs off (SHLD-30); `retransmissions` counts those in a row that nobody answered. */
    bool orphan_too_long = conn->closed_by_user && conn->send.probes >= ORPHAN_PROBES;
    if (orphan_too_long || conn->send.retransmissions >= PROBES_UNANSWERED)
        return give_up(tcp, conn,
                       conn->closed_by_user ? SANWO_REASON_ORPHAN_TIMEOUT
                                            : SANWO_REASON_RETRANSMISSION_LIMIT);
    /* RFC6429-3-1: it is the peer who keeps us waiting, and others need the memory (attack B-07). */
    if (conn->send.probes >= PROBES_UNDER_PRESSURE && sw_tcp_memory_is_short(tcp)) {
        sw_tcp_reset_connection(tcp, conn, SANWO_REASON_MEMORY_PRESSURE);
        sw_tcp_fail(tcp, conn, SANWO_ECONNABORTED, SANWO_REASON_MEMORY_PRESSURE);
        return TCP_FINISHED;
    }
    count_one(&conn->send.probes);
    count_one(&conn->send.retransmissions);
    conn->probe_now = 1;
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_TIMER, SANWO_REASON_WINDOW_PROBE, conn->send.probes, 0);
    sw_tcp_timers_backed_off(tcp, conn);
    sw_tcp_wants_send(tcp, conn);
    return TCP_CONTINUE;
}

/* One more time-out in a row: R1 tells the user, R2 ends it. B-18. MUST-20. */
static enum tcp_verdict count_attempt(struct tcp *tcp, struct tcp_connection *conn)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    if (conn->closed_by_user && conn->send.retransmissions >= config->orphan_retries)
        return give_up(tcp, conn, SANWO_REASON_ORPHAN_TIMEOUT);
    if (!config->user_timeout && conn->send.retransmissions >= config->retransmit_limit)
        return give_up(tcp, conn, SANWO_REASON_RETRANSMISSION_LIMIT);
    back_off(conn);
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_TIMER, SANWO_REASON_RETRANSMIT_TIMEOUT,
                   conn->send.retransmissions, 0);
    tell_at_r1(tcp, conn);
    sw_tcp_timers_backed_off(tcp, conn);
    sw_tcp_wants_send(tcp, conn);
    return TCP_CONTINUE;
}

/* RFC8961-4-1. */
static enum tcp_verdict data_expired(struct tcp *tcp, struct tcp_connection *conn)
{
    if (count_attempt(tcp, conn) == TCP_FINISHED)
        return TCP_FINISHED;
    conn->syn_pending = conn->syn_unacked; /* the SYN too, before the FIN */
    sw_tcp_path_mtu_timed_out(tcp, conn);
    sw_tcp_recovery_on_timeout(tcp, conn);
    return TCP_CONTINUE;
}

enum tcp_verdict sw_tcp_retransmit_expired(struct tcp *tcp, struct tcp_connection *conn)
{
    bool outstanding = !tcp_seq_equal(conn->send.snd_una, conn->send.snd_nxt);
    if (conn->state == SANWO_TCP_SYN_SENT || conn->state == SANWO_TCP_SYN_RECEIVED)
        return syn_expired(tcp, conn);
    if (conn->send.snd_wnd == 0 && !conn->syn_unacked && /* MUST-35, SHLD-17 */
        (outstanding || sw_tcp_send_queue_unsent(conn) || (conn->fin_queued && !conn->fin_sent)))
        return probe(tcp, conn);
    if (outstanding) {
        sw_tcp_meter_timed_out(tcp, conn);
        return data_expired(tcp, conn);
    }
    if (conn->no_way) /* link down or no route: like losing all of it */
        return count_attempt(tcp, conn);
    /* Small segments held back until now, or memory was short: the override of 3.8.6.2.1. */
    conn->more = 0; /* MUST-60: no longer than an RTO */
    if (sw_tcp_send_queue_unsent(conn) || (conn->fin_queued && !conn->fin_sent)) {
        conn->override = 1;
        sw_tcp_wants_send(tcp, conn);
    } else if (conn->ack_now) {
        sw_tcp_wants_send(tcp, conn);
    }
    return TCP_CONTINUE;
}
