/*
 * rate.c - How fast the network delivers: a sample of it with each acknowledgement.
 *
 * The names in draft-ietf-ccwg-bbr-06 4.1.2.1: P.delivered_time is mark.delivered_at,
 * P.first_send_time mark.first_sent, C.first_send_time rate.first_sent. Sections are its.
 */
#include "tcp/send/rate.h"

void sw_tcp_rate_init(struct tcp_rate *rate)
{
    *rate = (struct tcp_rate){0};
}

void sw_tcp_rate_on_sent(struct tcp_rate *rate, struct tcp_rate_mark *mark, uint32_t in_flight,
                         uint32_t length, sanwo_time now)
{
    if (in_flight == 0) { /* 4.1.2.2: time in which nothing was under way is nobody's slowness */
        rate->first_sent = now;
        rate->delivered_at = now;
    }
    *mark = (struct tcp_rate_mark){
        .delivered_at = rate->delivered_at,
        .first_sent = rate->first_sent,
        .delivered = (uint32_t)rate->delivered,
        .lost = (uint32_t)rate->lost,
        .in_flight = in_flight + length,
        .app_limited = rate->app_limited != 0,
    };
}

/* 4.1.2.3, IsNewestPacket(): whether what left at @sent with @mark left after the newest so far. */
static bool is_newer(const struct tcp_rate *rate, const struct tcp_rate_mark *mark, sanwo_time sent)
{
    if (rate->newest.in_flight == 0 || sent != rate->newest_sent)
        return rate->newest.in_flight == 0 || sent > rate->newest_sent;
    return mark->in_flight > rate->newest.in_flight; /* of one burst, the last has most before it */
}

void sw_tcp_rate_on_delivered(struct tcp_rate *rate, const struct tcp_rate_mark *mark,
                              sanwo_time sent, uint32_t length, sanwo_time now)
{
    rate->delivered += length;
    rate->delivered_at = now;
    if (!mark || mark->in_flight == 0 || !is_newer(rate, mark, sent))
        return;
    rate->newest = *mark;
    rate->newest_sent = sent;
    rate->first_sent = sent; /* the next sample's sending began where this one's ended */
}

/* What was delivered and lost since @mark. */
static struct tcp_rate_sample since(const struct tcp_rate *rate, const struct tcp_rate_mark *mark)
{
    struct tcp_rate_sample sample = {
        .valid = true,
        .app_limited = mark->app_limited,
        .delivered = (uint32_t)rate->delivered - mark->delivered,
        .tx_in_flight = mark->in_flight,
        .lost = (uint32_t)rate->lost - mark->lost,
    };
    sample.prior_delivered = rate->delivered - sample.delivered;
    if (sample.lost > INT32_MAX)
        sample.lost = 0; /* more was found since than lost */
    return sample;
}

struct tcp_rate_sample sw_tcp_rate_on_lost(struct tcp_rate *rate, const struct tcp_rate_mark *mark,
                                           uint32_t length)
{
    rate->lost += length;
    if (!mark || mark->in_flight == 0)
        return (struct tcp_rate_sample){0};
    return since(rate, mark);
}

void sw_tcp_rate_on_found(struct tcp_rate *rate, uint32_t length)
{
    rate->lost -= rate->lost < length ? rate->lost : length;
}

/* 4.1.2.4, MarkConnectionAppLimited(). */
void sw_tcp_rate_app_limited(struct tcp_rate *rate, uint32_t in_flight)
{
    rate->app_limited = rate->delivered + in_flight;
    if (rate->app_limited == 0)
        rate->app_limited = 1;
}

struct tcp_rate_sample sw_tcp_rate_sample(struct tcp_rate *rate, sanwo_time min_rtt)
{
    struct tcp_rate_mark mark = rate->newest;

    if (rate->app_limited != 0 && rate->delivered > rate->app_limited)
        rate->app_limited = 0; /* what left before the pause has arrived, and more */
    if (mark.in_flight == 0)
        return (struct tcp_rate_sample){0};
    rate->newest.in_flight = 0;

    sanwo_time sending = rate->newest_sent - mark.first_sent;
    sanwo_time delivering = rate->delivered_at - mark.delivered_at;
    sanwo_time interval = sending > delivering ? sending : delivering;

    struct tcp_rate_sample sample = since(rate, &mark);
    /*
     * 4.1.2.3, GenerateRateSample(). Shorter than any round trip: the ACK is for an earlier transmission
     * than the last, so that too much seems to have been delivered since. A clock that stands still gives
     * no rate either.
     */
    sample.interval = interval > 0 && interval >= min_rtt ? interval : 0;
    return sample;
}
