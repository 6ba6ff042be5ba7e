/*
 * rate.h - How fast the network delivers: a sample of it with each acknowledgement.
 *
 *     sent ------------ first_sent ....... sent           how fast it was sent
 *                            |               |
 *     delivered ------- delivered_at ...............now   how fast it was delivered
 *
 * What leaves is marked with how much had been delivered by then. When it is delivered itself, the
 * difference over the time between is the rate at which the network delivered; it cannot be more
 * than the rate at which the same bytes were sent, so the longer of the two times counts. That
 * keeps ACKs that come in a bunch from looking like a fast network.
 *
 * The method is that of draft-ietf-ccwg-bbr-06 4.1. It is a box of its own: records.c keeps a mark
 * beside each record and tells what became of it; nothing here knows of records, or of the
 * algorithm.
 */
#ifndef SW_TCP_SEND_RATE_H
#define SW_TCP_SEND_RATE_H

#include "tcp/congestion/congestion.h"

/*
 * What is noted when a segment leaves. The counts are the low halves of those in struct tcp_rate:
 * not more than a window, 2^30 bytes (RFC 7323 2.2), is delivered while a segment is on its way.
 */
struct tcp_rate_mark {
    sanwo_time delivered_at; /* the last delivery before it left */
    sanwo_time first_sent;   /* when that which was delivered then had been sent */
    uint32_t delivered;
    uint32_t lost;
    uint32_t in_flight; /* with it; 0: there is no mark */
    bool app_limited;
};
_Static_assert(sizeof(struct tcp_rate_mark) == 32, "one a record: they are counted in thousands");

struct tcp_rate {
    uint64_t delivered; /* bytes in all */
    uint64_t lost;      /* bytes deemed lost, in all */
    sanwo_time delivered_at;
    sanwo_time first_sent;
    uint64_t app_limited; /* until so many bytes are delivered; 0: there was always data to send */
    /* Of what the ACK at hand delivered, what left last. */
    sanwo_time newest_sent;
    struct tcp_rate_mark newest;
};

/* Nothing was sent yet. All bits zero is the same. */
void sw_tcp_rate_init(struct tcp_rate *rate);
/* @length bytes leave, for the first time or again. @in_flight: without them. Fills @mark. */
void sw_tcp_rate_on_sent(struct tcp_rate *rate, struct tcp_rate_mark *mark, uint32_t in_flight,
                         uint32_t length, sanwo_time now);
/*
 * The peer has @length bytes that left at @sent and were not known to have arrived. @mark may be
 * NULL: they only count. Two parts of one record may be told one after the other, with the same
 * mark.
 */
void sw_tcp_rate_on_delivered(struct tcp_rate *rate, const struct tcp_rate_mark *mark,
                              sanwo_time sent, uint32_t length, sanwo_time now);
/*
 * @length bytes with @mark (NULL: without) are deemed lost. What their arrival would have told but
 * for the interval; not valid without a mark.
 */
struct tcp_rate_sample sw_tcp_rate_on_lost(struct tcp_rate *rate, const struct tcp_rate_mark *mark,
                                           uint32_t length);
/* It was not lost: it arrived before it was sent again, or what deemed it lost was mistaken. */
void sw_tcp_rate_on_found(struct tcp_rate *rate, uint32_t length);
/*
 * There is nothing to send, though the windows would allow it, while @in_flight bytes are on their
 * way.
 */
void sw_tcp_rate_app_limited(struct tcp_rate *rate, uint32_t in_flight);
/*
 * After all that one ACK delivered, and all that is lost because of it. @min_rtt: the shortest
 * round trip seen, 0 if none; what came back faster was not delivered by what seemed to deliver
 * it.
 */
struct tcp_rate_sample sw_tcp_rate_sample(struct tcp_rate *rate, sanwo_time min_rtt);

#endif
