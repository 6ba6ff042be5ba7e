/*
 * bbr_path.h - A path in virtual time, with one or more senders that are driven by a congestion
 * control box and nothing else.
 *
 *     sender 0 --.                                        .--> ACK after the delay --> sender 0
 *     sender 1 --+--> loss by chance --> queue, rate -----+
 *
 * The queue drops its tail. Each packet is acknowledged by itself; one that was overtaken by three
 * is lost. What is sent is the same bytes or others: only amounts count here, so lost data need
 * not be sent again. ACKs of one instant come as one, and can be held back to multiples of
 * `bunch`.
 */
#ifndef TESTS_UNIT_BBR_PATH_H
#define TESTS_UNIT_BBR_PATH_H

#include "base/bytes.h"
#include "tcp/congestion/bbr.h"
#include "tcp/send/rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PATH_FLOWS = 4, PATH_PACKETS = 1 << 17, PATH_OVERTAKEN = 3, PATH_DONE = -1 };

struct path_packet {
    struct tcp_rate_mark mark;
    sanwo_time sent, acked; /* acked: when its ACK comes, SANWO_TIME_NEVER, or PATH_DONE */
};

struct path_flow {
    struct tcp_cc cc;
    uint64_t state[TCP_CC_STATE_MAX / 8];
    struct tcp_rate rate;
    struct path_packet *packets; /* a ring, by number */
    uint64_t oldest;             /* not yet acknowledged and not known lost */
    uint64_t next;               /* the next to be sent */
    uint64_t recover;            /* recovery ends with this one */
    bool recovering;
    bool limited; /* by cwnd, at the last send */
    uint32_t in_flight;
    sanwo_time start, stop;
    sanwo_time next_send;  /* pacing */
    uint64_t app_rate;     /* bytes a second that the application makes; 0: always more */
    sanwo_time app_paused; /* nothing is written before */
    uint64_t app_written;  /* bytes sent of app_rate, since app_since */
    sanwo_time app_since;
    sanwo_time last_event; /* for the time-out */
    sanwo_time srtt, min_rtt;
    uint64_t delivered, lost, sent_bytes; /* since reset */
    unsigned timeouts, probe_rtts;
    uint8_t last_phase;
};

struct path {
    uint64_t rate;    /* bytes a second */
    sanwo_time delay; /* round trip without queue */
    uint64_t queue;   /* bytes */
    uint32_t loss_ppm;
    sanwo_time bunch; /* ACKs come at multiples of it; 0: at once */
    uint32_t mss;
    uint32_t random;
    sanwo_time now;
    sanwo_time busy_until;
    struct path_flow flow[PATH_FLOWS];
    int flows;
    /* Since reset */
    sanwo_time queue_sum, queue_max;
    uint64_t queue_count;
};

static uint32_t path_random(struct path *path)
{
    path->random ^= path->random << 13;
    path->random ^= path->random >> 17;
    path->random ^= path->random << 5;
    return path->random;
}

static struct path_packet *path_packet(struct path_flow *flow, uint64_t number)
{
    return &flow->packets[number % PATH_PACKETS];
}

static struct path_flow *path_add(struct path *path, const struct tcp_cc_ops *ops, sanwo_time start)
{
    struct path_flow *flow = &path->flow[path->flows++];

    assert_true(path->flows <= PATH_FLOWS);
    *flow = (struct path_flow){.start = start, .stop = SANWO_TIME_NEVER, .next_send = start};
    flow->packets = calloc(PATH_PACKETS, sizeof *flow->packets);
    assert_non_null(flow->packets);
    flow->cc =
        (struct tcp_cc){.mss = (uint16_t)path->mss, .cwnd = 10 * path->mss, .ssthresh = UINT32_MAX};
    ops->init(&flow->cc, flow->state, start);
    return flow;
}

static struct path path_new(uint64_t bits_per_second, sanwo_time delay, uint64_t queue)
{
    return (struct path){
        .rate = bits_per_second / 8,
        .delay = delay,
        .queue = queue,
        .mss = 1448,
        .random = 2463534242u,
    };
}

static void path_free(struct path *path)
{
    for (int i = 0; i < path->flows; i++)
        free(path->flow[i].packets);
}

/* ---- sending ---- */

/* When the packet comes out of the queue, or SANWO_TIME_NEVER. */
static sanwo_time path_transmit(struct path *path, uint32_t bytes)
{
    if (path_random(path) % 1000000 < path->loss_ppm)
        return SANWO_TIME_NEVER;
    sanwo_time waits = path->busy_until > path->now ? path->busy_until - path->now : 0;
    if ((uint64_t)((double)waits * (double)path->rate / 1e9) + bytes > path->queue)
        return SANWO_TIME_NEVER;
    path->queue_sum += waits;
    path->queue_count++;
    if (waits > path->queue_max)
        path->queue_max = waits;
    path->busy_until = path->now + waits + (sanwo_time)((double)bytes * 1e9 / (double)path->rate);
    return path->busy_until;
}

static bool path_app_has_data(const struct path *path, const struct path_flow *flow)
{
    if (path->now < flow->app_paused || path->now >= flow->stop)
        return false;
    if (flow->app_rate == 0)
        return true;
    double written = (double)(path->now - flow->app_since) * (double)flow->app_rate / 1e9;
    return (double)flow->app_written + path->mss <= written;
}

static void path_send(struct path *path, struct path_flow *flow, const struct tcp_cc_ops *ops)
{
    uint32_t bytes = path->mss;

    if (flow->in_flight == 0 && ops->on_restart && flow->next > 0)
        ops->on_restart(&flow->cc, flow->state, path->now - flow->last_event, path->now);
    if (flow->in_flight == 0)
        flow->last_event = path->now;
    struct path_packet *packet = path_packet(flow, flow->next++);
    assert_true(flow->next - flow->oldest < PATH_PACKETS);
    sw_tcp_rate_on_sent(&flow->rate, &packet->mark, flow->in_flight, bytes, path->now);
    packet->sent = path->now;
    sanwo_time out = path_transmit(path, bytes);
    packet->acked = SANWO_TIME_NEVER;
    if (out != SANWO_TIME_NEVER) {
        packet->acked = out + path->delay;
        if (path->bunch)
            packet->acked = (packet->acked / path->bunch + 1) * path->bunch;
    }
    flow->in_flight += bytes;
    flow->sent_bytes += bytes;
    flow->app_written += bytes;
    assert_true(flow->cc.pacing_rate > 0);
    sanwo_time from = flow->next_send > path->now - SANWO_MSEC(1) ? flow->next_send : path->now;
    flow->next_send = from + (sanwo_time)((double)bytes * 1e9 / (double)flow->cc.pacing_rate);
}

/* When it may send next; SANWO_TIME_NEVER: not before an ACK or a time-out. */
static sanwo_time path_send_time(struct path *path, struct path_flow *flow)
{
    if (path->now < flow->start)
        return flow->start;
    if (path->now < flow->app_paused)
        return flow->app_paused;
    if (flow->in_flight + path->mss > flow->cc.cwnd) {
        flow->limited = true;
        return SANWO_TIME_NEVER;
    }
    if (!path_app_has_data(path, flow)) {
        if (path->now >= flow->stop)
            return SANWO_TIME_NEVER;
        sw_tcp_rate_app_limited(&flow->rate, flow->in_flight);
        flow->limited = false;
        sanwo_time more =
            (sanwo_time)((double)(flow->app_written + path->mss) * 1e9 / (double)flow->app_rate);
        more += flow->app_since + 1;
        return more > flow->next_send ? more : flow->next_send;
    }
    return flow->next_send;
}

/* ---- acknowledgements ---- */

static sanwo_time path_ack_time(struct path_flow *flow)
{
    for (uint64_t n = flow->oldest; n < flow->next; n++) {
        sanwo_time acked = path_packet(flow, n)->acked;
        if (acked != SANWO_TIME_NEVER && acked != PATH_DONE)
            return acked;
    }
    return SANWO_TIME_NEVER;
}

static void path_check(const struct path_flow *flow, const struct path *path)
{
    assert_true(flow->cc.cwnd >= path->mss);
    assert_true(flow->cc.cwnd <= CWND_LIMIT);
    assert_true(flow->cc.pacing_rate > 0);
}

static void path_lose(struct path *path, struct path_flow *flow, const struct tcp_rate_mark *mark,
                      uint32_t bytes, const struct tcp_cc_ops *ops)
{
    flow->in_flight -= bytes;
    flow->lost += bytes;
    struct tcp_rate_sample lost = sw_tcp_rate_on_lost(&flow->rate, mark, bytes);
    ops->on_lost(&flow->cc, flow->state, &lost, bytes, path->now);
}

/* All that is acknowledged now, as one ACK. */
static void path_ack(struct path *path, struct path_flow *flow, const struct tcp_cc_ops *ops)
{
    struct tcp_cc_ack ack = {.outstanding = flow->in_flight, .now = path->now};
    uint64_t newest = flow->oldest;

    ack.cwnd_limited = flow->limited;
    for (uint64_t n = flow->oldest; n < flow->next; n++) {
        struct path_packet *packet = path_packet(flow, n);
        if (packet->acked == SANWO_TIME_NEVER || packet->acked == PATH_DONE)
            continue;
        if (packet->acked > path->now)
            break;
        sw_tcp_rate_on_delivered(&flow->rate, &packet->mark, packet->sent, path->mss, path->now);
        packet->acked = PATH_DONE;
        ack.delivered += path->mss;
        ack.rtt = path->now - packet->sent;
        newest = n;
    }
    flow->in_flight -= ack.delivered;
    flow->delivered += ack.delivered;
    while (flow->oldest < flow->next) {
        struct path_packet *packet = path_packet(flow, flow->oldest);
        if (packet->acked != PATH_DONE && newest < flow->oldest + PATH_OVERTAKEN)
            break;
        if (packet->acked != PATH_DONE) {
            path_lose(path, flow, &packet->mark, path->mss, ops);
            ack.lost += path->mss;
        }
        flow->oldest++;
    }
    if (flow->srtt == 0)
        flow->srtt = ack.rtt;
    flow->srtt += (ack.rtt - flow->srtt) / 8;
    if (flow->min_rtt == 0 || ack.rtt < flow->min_rtt)
        flow->min_rtt = ack.rtt;
    if (ack.lost && !flow->recovering) {
        flow->recovering = true;
        flow->recover = flow->next;
        ops->on_congestion(&flow->cc, flow->state, TCP_CC_LOSS, ack.outstanding, path->now);
    }
    ack.recovering = flow->recovering;
    ack.acked = ack.delivered;
    ack.in_flight = flow->in_flight;
    ack.delivered_in_all = flow->rate.delivered;
    ack.srtt = flow->srtt;
    ack.min_rtt = flow->min_rtt;
    ack.rate = sw_tcp_rate_sample(&flow->rate, flow->min_rtt);
    ops->on_ack(&flow->cc, flow->state, &ack);
    if (flow->recovering && flow->oldest >= flow->recover) {
        flow->recovering = false;
        ops->on_recovered(&flow->cc, flow->state, flow->in_flight, path->now);
    }
    flow->last_event = path->now;
    path_check(flow, path);
}

static void path_timeout(struct path *path, struct path_flow *flow, const struct tcp_cc_ops *ops)
{
    ops->on_timeout(&flow->cc, flow->state, flow->in_flight, true, path->now);
    path_lose(path, flow, NULL, flow->in_flight, ops);
    flow->oldest = flow->next;
    flow->recovering = true;
    flow->recover = flow->next + 1;
    flow->last_event = path->now;
    flow->timeouts++;
    path_check(flow, path);
}

/* ---- time ---- */

static sanwo_time path_timeout_time(const struct path_flow *flow)
{
    if (flow->in_flight == 0)
        return SANWO_TIME_NEVER;
    return flow->last_event + 2 * flow->srtt + SANWO_SEC(1);
}

static void path_turn(struct path *path, struct path_flow *flow, const struct tcp_cc_ops *ops)
{
    if (path_ack_time(flow) <= path->now)
        path_ack(path, flow, ops);
    if (path_timeout_time(flow) <= path->now)
        path_timeout(path, flow, ops);
    while (path_send_time(path, flow) <= path->now)
        path_send(path, flow, ops);
    uint8_t phase = ((struct bbr *)flow->state)->phase;
    if (phase == BBR_PROBE_RTT && flow->last_phase != BBR_PROBE_RTT)
        flow->probe_rtts++;
    flow->last_phase = phase;
}

static void path_run(struct path *path, sanwo_time until)
{
    const struct tcp_cc_ops *ops = &sw_tcp_cc_bbr;

    while (path->now < until) {
        sanwo_time next = until;
        for (int i = 0; i < path->flows; i++) {
            struct path_flow *flow = &path->flow[i];
            sanwo_time times[] = {path_ack_time(flow), path_send_time(path, flow),
                                  path_timeout_time(flow)};
            for (size_t k = 0; k < SW_COUNT(times); k++)
                next = times[k] < next ? times[k] : next;
        }
        path->now = next > path->now ? next : path->now;
        for (int i = 0; i < path->flows; i++)
            path_turn(path, &path->flow[i], ops);
    }
}

/* Figures count from now on. */
static void path_reset(struct path *path)
{
    for (int i = 0; i < path->flows; i++) {
        struct path_flow *flow = &path->flow[i];
        flow->delivered = flow->lost = flow->sent_bytes = 0;
        flow->timeouts = flow->probe_rtts = 0;
    }
    path->queue_sum = path->queue_max = 0;
    path->queue_count = 0;
}

/* Delivered since reset, of what the path could have carried in @time, in 1/1000. */
static unsigned path_share(const struct path *path, const struct path_flow *flow, sanwo_time time)
{
    return (unsigned)((double)flow->delivered * 1e12 / ((double)path->rate * (double)time));
}

/* Mean time in the queue since reset. */
static sanwo_time path_queue_mean(const struct path *path)
{
    return path->queue_count ? path->queue_sum / (sanwo_time)path->queue_count : 0;
}

static uint64_t path_bdp(const struct path *path)
{
    return (uint64_t)((double)path->rate * (double)path->delay / 1e9);
}

static struct bbr *path_bbr(struct path_flow *flow)
{
    return (struct bbr *)flow->state;
}

#endif
