/*
 * test_tcp_ecn_support.h - A connection on which ECN was agreed, and what arrives on it.
 */
#ifndef TEST_TCP_ECN_SUPPORT_H
#define TEST_TCP_ECN_SUPPORT_H

#include "test_tcp_support.h"

#include "tcp/ecn/accurate.h"

#define NEAR_WRAP 0xfffffff0u

/* An established connection on which @mode was agreed, both SYNs unmarked. */
static inline struct tcp_connection *agreed_on(struct rig *r, enum tcp_ecn_mode mode)
{
    struct tcp_connection *c = rig_open(r, NEAR_WRAP, 5000);

    c->ecn = mode;
    if (mode == TCP_ECN_ACCURATE) {
        assert_true(sw_tcp_accurate_start(&r->tcp, c));
        sw_tcp_accurate_begin(c, sw_tcp_accurate(&r->tcp, c), IP_NOT_ECT, false);
    }
    return c;
}

static inline struct tcp_connection *accurate(struct rig *r)
{
    return agreed_on(r, TCP_ECN_ACCURATE);
}

static inline struct tcp_segment arriving(const struct rig *r, const struct tcp_connection *c,
                                          uint8_t ip_ecn, uint32_t length)
{
    struct tcp_segment seg = rig_segment(r, c, c->receive.rcv_nxt.raw, TCP_ACK);

    seg.dscp_ecn = (uint8_t)(46 << 2 | ip_ecn);
    seg.length = length;
    seg.packets = 1;
    return seg;
}

#endif
