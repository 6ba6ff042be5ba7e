/*
 * pacing.c - A token bucket in the shape of a time: `next` is when all that was sent is through.
 *
 *     | burst |            | burst |            | burst |
 *     now     '-- next: at the rate, the burst takes until here; then the next one goes
 *
 * The rate is cwnd / SRTT, with room to grow: twice that in slow start, a fifth more afterwards; or the
 * algorithm's own. A burst is what the rate sends in a millisecond, or an eighth of the round trip if
 * that is less, but one segment at least. Thus a connection wakes once a burst, a thousand times a
 * second or eight times a round trip at most, and never for a single segment of a fast path.
 */
#include "tcp/send/pacing.h"

#include "base/bytes.h"
#include "tcp/connection/config.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/timers.h"
#include "tcp/send/sending.h"

#define SECOND UINT64_C(1000000000)
#define BURST_TIME SANWO_MSEC(1)
#define BURSTS_A_ROUND_TRIP 8
#define LARGEST_BURST 65536
#define LONGEST_GAP SANWO_MSEC(500)
#define FRACTION 20
#define UNPACED_SEGMENTS 64u

/* The first flights are clocked by their ACKs, and short: spread out they would only end later. */
static bool begins(const struct tcp_cc *cc)
{
    return cc->ssthresh == UINT32_MAX && cc->cwnd < UNPACED_SEGMENTS * cc->mss;
}

uint64_t sw_tcp_pacing_rate(const struct tcp *tcp, const struct tcp_connection *conn)
{
    const struct tcp_cc *cc = &conn->cc;
    if (!sw_tcp_config(tcp, conn)->pacing && !sw_tcp_cc_ops(cc)->paces)
        return 0;
    if (sw_tcp_cc_ops(cc)->paces && cc->pacing_rate)
        return cc->pacing_rate;
    if (!conn->send.srtt || begins(cc))
        return 0;
    uint64_t cwnd = sw_max32(cc->cwnd, conn->send.in_flight);
    /* A sample across a clock's jump, or a long sleep, must not stop it: two round trips a second. */
    sanwo_time srtt = conn->send.srtt < LONGEST_GAP ? conn->send.srtt : LONGEST_GAP;
    uint64_t rate = cwnd * SECOND / (uint64_t)srtt; /* cwnd <= 2^30: no overflow */
    rate = cwnd < cc->ssthresh / 2 ? 2 * rate : rate + rate / 5;
    return rate ? rate : 1;
}

/* What goes at once. */
static uint32_t burst(const struct tcp_connection *conn, uint64_t rate)
{
    sanwo_time time = BURST_TIME;
    if (conn->send.srtt && conn->send.srtt / BURSTS_A_ROUND_TRIP < time)
        time = conn->send.srtt / BURSTS_A_ROUND_TRIP;
    uint64_t bytes = rate < SECOND * 1000 ? rate * (uint64_t)time / SECOND : LARGEST_BURST;
    uint32_t mss =
        sw_max32(conn->cc.mss, 1); /* whole segments, rounded up: fewer wakes, not more */
    uint32_t least = (uint32_t)(bytes < LARGEST_BURST ? bytes : LARGEST_BURST);
    return sw_max32((least + mss - 1) / mss, 1) * mss;
}

void sw_tcp_pacing_update(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    if (!s)
        return;
    uint64_t rate = sw_tcp_pacing_rate(tcp, conn);
    s->pacing.per_byte = rate ? (SECOND << FRACTION) / rate : 0;
    s->pacing.burst = rate ? burst(conn, rate) : UINT32_MAX;
}

static sanwo_time time_for(const struct tcp_pacing *pacing, uint32_t bytes)
{
    /* A frame has less than 2^18 bytes: below this their product fits. It is 15 bytes a second. */
    if (pacing->per_byte >= UINT64_C(1) << 46)
        return bytes ? LONGEST_GAP : 0;
    sanwo_time time = (sanwo_time)(pacing->per_byte * bytes >> FRACTION);
    return time < LONGEST_GAP ? time : LONGEST_GAP;
}

bool sw_tcp_pacing_allows(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    if (!s || s->pacing.next <= tcp->now || !s->pacing.per_byte)
        return true;
    if (s->pacing.deadline == SANWO_TIME_NEVER) { /* wake when a whole burst may go */
        uint32_t more = s->pacing.burst - sw_min32(s->pacing.burst, conn->cc.mss);
        s->pacing.deadline = s->pacing.next + time_for(&s->pacing, more);
        sw_tcp_timers_pacing(tcp, conn, s->pacing.deadline);
    }
    return false;
}

uint32_t sw_tcp_pacing_frame(const struct tcp *tcp, const struct tcp_connection *conn, uint32_t mss,
                             uint32_t limit)
{
    const struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    return s && s->pacing.per_byte ? sw_max32(sw_min32(limit, s->pacing.burst), mss) : limit;
}

void sw_tcp_pacing_sent(struct tcp *tcp, struct tcp_connection *conn, uint32_t bytes)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    if (!s)
        return;
    uint32_t free = sw_min32(s->pacing.head_start, bytes);
    s->pacing.head_start -= free;
    if (free == bytes || !s->pacing.per_byte)
        return;
    uint32_t credit = s->pacing.burst - sw_min32(s->pacing.burst, conn->cc.mss);
    sanwo_time earliest = tcp->now - time_for(&s->pacing, credit);
    if (s->pacing.next < earliest)
        s->pacing.next = earliest;
    s->pacing.next += time_for(&s->pacing, bytes - free);
}

void sw_tcp_pacing_expired(struct tcp *tcp, struct tcp_connection *conn)
{
    sw_tcp_sending(tcp, conn)->pacing.deadline = SANWO_TIME_NEVER;
    sw_tcp_wants_send(tcp, conn);
}
