/*
 * congestion.h - Congestion control is a box: events go in, cwnd and a pacing rate come out (RFC 9293
 * 3.8.2, MUST-19).
 *
 *     what an ACK told ----> on_ack           cwnd, ssthresh   ----> send/plan.c, recovery/prr.c
 *     a loss, a mark ------> on_congestion    pacing_rate      ----> send/pacing.c
 *     a time-out ----------> on_timeout
 *     it was for nothing --> undo
 *
 * It never sees the connection, and loss detection never sees the algorithm. What an algorithm
 * remembers beside struct tcp_cc is `state_size` bytes that the caller lends it, 8-aligned, for as long
 * as data is in flight and some time longer; after a long rest it starts with init() again. It may be
 * copied and moved. Sizes are bytes, rates bytes a second.
 */
#ifndef SW_TCP_CONGESTION_CONGESTION_H
#define SW_TCP_CONGESTION_CONGESTION_H

#include "wire/tcp_seq.h"

#include <sanwo/tcp.h>

#define CWND_LIMIT (UINT32_C(1) << 30)

struct tcp_cc {
    uint64_t pacing_rate; /* of an algorithm that `paces` itself; else 0: send/pacing.c finds one */
    uint32_t cwnd;
    uint32_t ssthresh; /* UINT32_MAX: no loss was seen yet */
    uint16_t mss;      /* payload of a full segment */
    uint8_t algorithm; /* enum sanwo_congestion */
    uint8_t spare;
    uint32_t spare2;
};

/*
 * How fast the network delivered, by the newest segment that an ACK delivered (what the IETF draft on
 * delivery rate estimation calls a rate sample). Only for algorithms that ask for it (`wants_rate`).
 */
struct tcp_rate_sample {
    bool valid;
    bool app_limited;         /* the sender had nothing to send when that segment left */
    uint32_t delivered;       /* bytes delivered from when that segment left until now ... */
    sanwo_time interval;      /* ... and how long that took; 0: unknown */
    uint64_t prior_delivered; /* bytes delivered in all when it left */
    uint32_t tx_in_flight;    /* in flight when it left, itself included */
    uint32_t lost;            /* bytes deemed lost since it left */
};

/* What an acknowledgement told. */
struct tcp_cc_ack {
    uint32_t acked;            /* bytes by which SND.UNA advanced */
    uint32_t delivered;        /* bytes the peer has now and had not before, SACKed ones included */
    uint32_t lost;             /* bytes deemed lost because of it */
    uint32_t marked;           /* of `delivered`, bytes that the network marked CE; 0 without ECN */
    uint32_t outstanding;      /* SND.NXT - SND.UNA before it */
    uint32_t in_flight;        /* neither acknowledged, SACKed nor lost, after it */
    uint64_t delivered_in_all; /* since the connection was opened, this ACK's included */
    bool cwnd_limited; /* the sender was held back by cwnd (RFC 7661 4.3: else do not grow) */
    bool recovering;   /* in fast recovery or after a time-out */
    bool reorders;     /* the path was seen to */
    sanwo_time rtt;    /* sampled by this ACK; 0: none */
    sanwo_time srtt, min_rtt;
    sanwo_time now;
    tcp_seq una, nxt; /* SND.UNA after it, and SND.NXT: what a round trip is measured by */
    struct tcp_rate_sample rate;
};

enum tcp_cc_sign {
    TCP_CC_LOSS, /* a segment was lost: once per window of data */
    TCP_CC_ECN,  /* the peer echoed a mark: once per window of data (RFC 3168 6.1.2) */
};

struct tcp_cc_ops {
    const char *name;
    uint16_t state_size; /* at most TCP_CC_STATE_MAX */
    bool paces;          /* keeps pacing_rate itself */
    bool wants_rate;     /* rate samples are to be made for it */
    bool owns_cwnd;      /* keeps cwnd in recovery too: no proportional rate reduction */
    bool wants_marks;    /* every mark counts, not one a window (DCTCP): TCP_CC_ECN is not told */
    void (*init)(struct tcp_cc *cc, void *state, sanwo_time now);
    void (*on_ack)(struct tcp_cc *cc, void *state, const struct tcp_cc_ack *ack);
    /* ssthresh, and cwnd where recovery is to end. @outstanding: not more than cwnd (RFC 6675 5). */
    void (*on_congestion)(struct tcp_cc *cc, void *state, enum tcp_cc_sign sign,
                          uint32_t outstanding, sanwo_time now);
    /* The retransmission timer expired. @first: the first time for this data. */
    void (*on_timeout)(struct tcp_cc *cc, void *state, uint32_t outstanding, bool first,
                       sanwo_time now);
    /*
     * @length bytes are deemed lost, before on_congestion and on_ack are told. @lost: the sample that
     * their arrival would have been. Only where rate samples are made. May be NULL.
     */
    void (*on_lost)(struct tcp_cc *cc, void *state, const struct tcp_rate_sample *lost,
                    uint32_t length, sanwo_time now);
    /* The loss or time-out last told did not happen: all as before, and no less. Marks did happen. */
    void (*undo)(struct tcp_cc *cc, void *state);
    /* Recovery, or what follows a time-out, is over. May be NULL. */
    void (*on_recovered)(struct tcp_cc *cc, void *state, uint32_t in_flight, sanwo_time now);
    /* Data leaves while nothing was in flight, @idle after the last. May be NULL. */
    void (*on_restart)(struct tcp_cc *cc, void *state, sanwo_time idle, sanwo_time now);
};

#define TCP_CC_STATE_MAX 320

/* Starts an algorithm with an initial window of @segments (RFC 6928, RFC 5681 3.1). */
void sw_tcp_cc_init(struct tcp_cc *cc, uint8_t algorithm, uint16_t mss, uint8_t segments);
/* The full segment changed size (path MTU): cwnd keeps its bytes. */
void sw_tcp_cc_set_mss(struct tcp_cc *cc, uint16_t mss);
/* RFC 5681 4.1: sending again after an idle time of more than an RTO. */
void sw_tcp_cc_restart(struct tcp_cc *cc, uint8_t segments);
const struct tcp_cc_ops *sw_tcp_cc_ops(const struct tcp_cc *cc);
/* RFC 5681 3.1 equation (4): half of what is outstanding, two segments at least. */
uint32_t sw_tcp_cc_half(const struct tcp_cc *cc, uint32_t outstanding);

extern const struct tcp_cc_ops sw_tcp_cc_newreno, sw_tcp_cc_cubic, sw_tcp_cc_bbr, sw_tcp_cc_dctcp;

#endif
