/*
 * train.c - A row of acknowledgements without a pause, and what it says of the path's rate.
 */
#include "tcp/congestion/train.h"

#include "base/bytes.h"

#define ENOUGH_ACKS 16
#define SHORTEST_RTT SANWO_MSEC(4) /* below, it is the end systems' noise (RFC 9406 4.3) */
#define SHORTEST_SPAN                                                                              \
    4 /* parts of the least RTT: below that a burst of ACKs is not told from a rate */
#define LONGEST_PAUSE                                                                              \
    16 /* the same; or two milliseconds, as receivers and links put ACKs together */
#define PAUSE_OF_LINKS SANWO_MSEC(2)
#define TICK 1000 /* ns: RTTs in microseconds, so that products fit */

void sw_tcp_train_round(struct ack_train *train)
{
    *train = (struct ack_train){.broken = train->slack};
}

static void begin(struct ack_train *train, const struct tcp_cc_ack *ack)
{
    train->begin = train->last = ack->now;
    train->delivered = ack->delivered_in_all;
}

/* What follows a pause was held back by the sender, not by the path. */
static void follow(struct ack_train *train, const struct tcp_cc_ack *ack)
{
    sanwo_time pause = ack->now - train->last;
    if (pause > PAUSE_OF_LINKS && pause > ack->min_rtt / LONGEST_PAUSE)
        train->broken = true;
    train->last = ack->now;
    if (train->acks < UINT16_MAX)
        train->acks++;
}

static uint32_t bdp(const struct ack_train *train, const struct tcp_cc_ack *ack)
{
    uint64_t rtt = (uint64_t)ack->min_rtt / TICK;
    uint64_t span = (uint64_t)(ack->now - train->begin) / TICK;
    uint64_t bytes = ack->delivered_in_all - train->delivered;
    if (!span || bytes > CWND_LIMIT || rtt > UINT32_MAX) /* bytes * rtt < 2^30 * 2^32 */
        return 0;
    bytes = bytes * rtt / span;
    return bytes < CWND_LIMIT ? (uint32_t)bytes : CWND_LIMIT;
}

uint32_t sw_tcp_train_ack(struct ack_train *train, const struct tcp_cc_ack *ack, uint32_t cwnd)
{
    train->slack |= !ack->cwnd_limited;
    if (!train->begin)
        begin(train, ack);
    else
        follow(train, ack);
    if (train->broken || train->slack || train->acks < ENOUGH_ACKS || ack->min_rtt < SHORTEST_RTT ||
        train->last - train->begin < ack->min_rtt / SHORTEST_SPAN)
        return 0;
    uint32_t most = bdp(train, ack);
    return cwnd / 3 >= most / 2 ? most : 0;
}
