/*
 * delayed_ack.c - Every second full segment at once, the rest within `delayed_ack` (SHLD-18, SHLD-19).
 *
 * A connection's first segments are acknowledged at once, as the peer's slow start waits for each; small
 * ones a moment later, in which the user may answer.
 *
 * An ACK is only marked here; it goes out when the stack transmits, so all segments of one batch are
 * processed first and answered once (MUST-58, MUST-59).
 */
#include "tcp/receive/delayed_ack.h"

#include "tcp/connection/config.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/timers.h"

#define MILLISECONDS(time) ((uint32_t)((uint64_t)(time) / 1000000))
#define LEAST_MSS 536u            /* RFC 9293 3.7.1: a transfer in bulk has no smaller segments */
#define ANSWER_TIME SANWO_MSEC(1) /* so long an answer may take that a first ACK rides on */

void sw_tcp_ack_now(struct tcp *tcp, struct tcp_connection *conn)
{
    conn->ack_now = 1;
    sw_tcp_wants_send(tcp, conn);
}

/*
 * RFC 5961 7. The limit is the connection's own: no counter is shared with others, so nothing about
 * this connection can be told from what another is sent (CVE-2016-5696), and chance blurs when the
 * next one may go.
 * RFC5961-7-1, C-02.
 */
void sw_tcp_challenge_ack(struct tcp *tcp, struct tcp_connection *conn)
{
    uint32_t now_ms = MILLISECONDS(tcp->now);
    uint32_t interval = MILLISECONDS(sw_tcp_config(tcp, conn)->challenge_interval);
    if (conn->challenged && (int32_t)(now_ms - conn->challenge_ms) < (int32_t)interval) {
        tcp->counters.reasons[SANWO_REASON_RATE_LIMITED]++;
        return;
    }
    conn->challenged = 1;
    conn->challenge_ms = now_ms + sw_random_below(tcp->random, interval / 8 + 1);
    tcp->counters.challenge_acks++;
    sw_tcp_ack_now(tcp, conn);
}

void sw_tcp_ack_data(struct tcp *tcp, struct tcp_connection *conn, uint32_t length,
                     uint32_t segment)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    struct tcp_receiver *r = &conn->receive;
    r->unacked += length;
    conn->duplicates_owed = 0;
    if (segment > r->segment_estimate) /* a super-segment must not look like one full segment */
        r->segment_estimate = (uint16_t)sw_min32(segment, r->mss);
    bool first = conn->quick_acked < config->quick_ack_segments;
    conn->quick_acked += first;
    /* RFC 5681 4.2: at once while there is a hole, and when it is filled. */
    if (config->quick_ack || r->reassembly || /* RFC5681-4.2-1 */
        r->unacked >= (uint32_t)config->ack_every * r->segment_estimate ||
        (first && r->unacked >= LEAST_MSS)) {
        sw_tcp_ack_now(tcp, conn);
        return;
    }
    bool soon = first && config->delayed_ack > ANSWER_TIME;
    sw_tcp_timers_delay_ack(tcp, conn, soon ? ANSWER_TIME : config->delayed_ack);
}

void sw_tcp_delayed_ack_expired(struct tcp *tcp, struct tcp_connection *conn)
{
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_TIMER, SANWO_REASON_DELAYED_ACK, 0, 0);
    sw_tcp_ack_now(tcp, conn);
}

void sw_tcp_ack_was_sent(struct tcp_connection *conn)
{
    if (SW_UNLIKELY(conn->duplicates_owed))
        conn->duplicates_owed--;
    conn->ack_now = conn->duplicates_owed > 0;
    conn->receive.unacked = 0;
    conn->receive.dsack_left = conn->receive.dsack_right; /* told, once */
    conn->receive.last_ack_sent = conn->receive.rcv_nxt;
    sw_tcp_timers_ack_sent(conn);
}
