/*
 * rtt.c - RFC 6298 2: SRTT and RTTVAR in nanoseconds. Samples come from records that were sent once
 * (Karn, section 3), timed by the arrival of the frame that acknowledged them.
 */
#include "tcp/send/rtt.h"

#include "tcp/connection/config.h"
#include "tcp/connection/observe.h"

#define RTO_AFTER_LOST_SYN SANWO_SEC(3) /* RFC 6298 5.7 */
#define LARGEST_BACKOFF 15

/* MUST-18, RFC6298-2-1. */
void sw_tcp_rtt_sample(struct tcp *tcp, struct tcp_connection *conn, sanwo_time rtt)
{
    struct tcp_sender *s = &conn->send;
    conn->backoff = 0;
    if (rtt < 1)
        rtt = 1;
    if (!s->srtt) { /* 2.2 */
        s->srtt = rtt;
        s->rttvar = rtt / 2;
        s->min_rtt = rtt;
    } else { /* 2.3: beta 1/4 first, with the old SRTT; then alpha 1/8 */
        sanwo_time error = s->srtt > rtt ? s->srtt - rtt : rtt - s->srtt;
        s->rttvar += (error - s->rttvar) / 4;
        s->srtt += (rtt - s->srtt) / 8;
    }
    if (rtt < s->min_rtt)
        s->min_rtt = rtt;
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_RTT, SANWO_REASON_NONE, rtt, s->srtt);
}

sanwo_time sw_tcp_rto(const struct tcp *tcp, const struct tcp_connection *conn)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    const struct tcp_sender *s = &conn->send;
    sanwo_time rto = config->rto_initial; /* 2.1 */
    if (s->srtt) {
        sanwo_time spread = 4 * s->rttvar;
        sanwo_time least = config->rto_variance_minimum; /* the RFC's G */
        rto = s->srtt + (spread > least ? spread : least);
    } else if (conn->syn_lost && conn->state >= SANWO_TCP_ESTABLISHED && rto < RTO_AFTER_LOST_SYN) {
        rto = RTO_AFTER_LOST_SYN;
    }
    if (rto < config->rto_minimum)
        rto = config->rto_minimum;
    unsigned backoff = sw_max32(conn->backoff, s->probes);
    if (backoff > LARGEST_BACKOFF)
        backoff = LARGEST_BACKOFF;
    bool guess = !s->srtt && !backoff;
    for (; backoff && rto < config->rto_maximum; backoff--) /* 5.5 */
        rto *= 2;
    if (!guess)
        rto += config->rto_slop;
    return rto < config->rto_maximum ? rto : config->rto_maximum;
}
