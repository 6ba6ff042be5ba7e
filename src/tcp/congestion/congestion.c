/*
 * congestion.c - What all congestion control algorithms share: the start, the restart, the table.
 */
#include "tcp/congestion/congestion.h"

#include "base/bytes.h"

static const struct tcp_cc_ops *const algorithms[SANWO_CONGESTION_COUNT] = {
    [SANWO_CONGESTION_NEWRENO] = &sw_tcp_cc_newreno,
    [SANWO_CONGESTION_CUBIC] = &sw_tcp_cc_cubic,
    [SANWO_CONGESTION_BBR] = &sw_tcp_cc_bbr,
    [SANWO_CONGESTION_DCTCP] = &sw_tcp_cc_dctcp,
};

const struct tcp_cc_ops *sw_tcp_cc_ops(const struct tcp_cc *cc)
{
    return algorithms[cc->algorithm];
}

/*
 * RFC 6928 2: min(10 * MSS, max(2 * MSS, 14600)), with another count than 10 if so configured.
 * RFC5681-3.1-2.
 */
static uint32_t initial_window(uint16_t mss, uint8_t segments)
{
    uint32_t bytes = (uint32_t)segments * mss;
    if (segments <= 2)
        return bytes;
    return sw_min32(bytes, sw_max32(2u * mss, 1460u * segments));
}

void sw_tcp_cc_init(struct tcp_cc *cc, uint8_t algorithm, uint16_t mss, uint8_t segments)
{
    *cc = (struct tcp_cc){.algorithm = algorithm, .mss = mss, .ssthresh = UINT32_MAX};
    cc->cwnd = initial_window(mss, segments);
}

void sw_tcp_cc_set_mss(struct tcp_cc *cc, uint16_t mss)
{
    cc->mss = mss;
    cc->cwnd = sw_max32(cc->cwnd, mss);
}

uint32_t sw_tcp_cc_half(const struct tcp_cc *cc, uint32_t outstanding)
{
    return sw_max32(outstanding / 2, 2u * cc->mss);
}

void sw_tcp_cc_restart(struct tcp_cc *cc, uint8_t segments)
{
    cc->cwnd = sw_min32(cc->cwnd, initial_window(cc->mss, segments)); /* RFC 5681 4.1: RW */
}
