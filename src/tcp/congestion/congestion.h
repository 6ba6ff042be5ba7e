/*
 * congestion.h - Congestion control is a box: events go in, cwnd comes out (RFC 9293 3.8.2,
 * MUST-19).
 *
 * It never sees the connection, and loss detection never sees the algorithm. The state is a tagged
 * union, so nothing is allocated. Sizes are bytes.
 */
#ifndef SW_TCP_CONGESTION_CONGESTION_H
#define SW_TCP_CONGESTION_CONGESTION_H

#include <sanwo/tcp.h>

struct tcp_cc {
    uint32_t cwnd;
    uint32_t ssthresh; /* UINT32_MAX: no loss was seen yet */
    uint16_t mss;      /* payload of a full segment */
    uint8_t algorithm; /* enum sanwo_congestion */
    uint8_t spare;
    union {
        struct {
            uint32_t acked; /* bytes since cwnd last grew in congestion avoidance (RFC 3465 2.1) */
        } newreno;
        uint64_t room[6]; /* what the larger algorithms may use */
    } state;
};

/* What an acknowledgement told. */
struct tcp_cc_ack {
    uint32_t acked;     /* bytes newly acknowledged */
    uint32_t in_flight; /* before it */
    bool cwnd_limited;  /* the sender was held back by cwnd (RFC 7661 4.3: else do not grow) */
    sanwo_time srtt, min_rtt;
    sanwo_time now;
};

struct tcp_cc_ops {
    const char *name;
    void (*init)(struct tcp_cc *cc);
    void (*on_ack)(struct tcp_cc *cc, const struct tcp_cc_ack *ack);
    /* Loss was detected by acknowledgements: once per window of data. */
    void (*on_congestion)(struct tcp_cc *cc, uint32_t in_flight, sanwo_time now);
    /* The retransmission timer expired. @first: the first time for this data. */
    void (*on_timeout)(struct tcp_cc *cc, uint32_t in_flight, bool first, sanwo_time now);
};

/* Starts an algorithm with an initial window of @segments (RFC 6928, RFC 5681 3.1). */
void sw_tcp_cc_init(struct tcp_cc *cc, uint8_t algorithm, uint16_t mss, uint8_t segments);
/* The full segment changed size (path MTU): cwnd keeps its bytes. */
void sw_tcp_cc_set_mss(struct tcp_cc *cc, uint16_t mss);
/* RFC 5681 4.1: sending again after an idle time of more than an RTO. */
void sw_tcp_cc_restart(struct tcp_cc *cc, uint8_t segments);
const struct tcp_cc_ops *sw_tcp_cc_ops(const struct tcp_cc *cc);

extern const struct tcp_cc_ops sw_tcp_cc_newreno;

#endif
