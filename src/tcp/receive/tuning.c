/*
 * tuning.c - The receive buffer follows what the application takes in a round trip.
 *
 *     |<------------ one round trip ----------->|
 *     read_from  ##  ####   ## ####  (read)  #### position: `taken` bytes
 *
 *     buffer = twice that: what comes in this round trip, and as much again while it is on its way
 *
 * A sender in slow start doubles what it sends in each round trip, so where `taken` has grown, what it
 * will grow to is allowed for as well. Whoever does not read is not promised more: a stuck reader
 * costs what it started with. The idea is dynamic right-sizing (Fisk and Feng, 2001); RFC 9293
 * 3.8.6.2.2 leaves the size of a buffer free.
 *
 * The receiver's round trip: with timestamps, from our ACK to the first segment that echoes it; without,
 * the time in which a whole window arrives. Both are never too short, which only makes the buffer
 * larger. A connection whose user set a size keeps that.
 */
#include "tcp/receive/tuning.h"

#include "tcp/connection/config.h"
#include "tcp/connection/meter.h"
#include "tcp/receive/acceptable.h"
#include "tcp/receive/timestamps.h"

#define LONGEST_RTT_MS 60000
#define SLACK_SEGMENTS 16

uint32_t sw_tcp_receive_most(const struct sanwo_tcp_config *config)
{
    uint32_t most = config->receive_buffer ? config->receive_buffer : config->receive_buffer_max;
    return config->window_clamp ? sw_min32(most, config->window_clamp) : most;
}

uint32_t sw_tcp_receive_start(const struct sanwo_tcp_config *config)
{
    uint32_t start = config->receive_buffer ? config->receive_buffer : config->receive_buffer_start;
    return sw_min32(start, sw_tcp_receive_most(config));
}

uint32_t sw_tcp_receive_limit(const struct tcp *tcp, const struct tcp_connection *conn)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    uint32_t start = sw_tcp_receive_start(config);
    if (config->receive_buffer || conn->receive.limit <= start)
        return start;
    return sw_min32(conn->receive.limit, sw_tcp_receive_most(config));
}

static void sample(struct tcp_tuning *t, uint64_t us)
{
    uint32_t rtt = us > LONGEST_RTT_MS * UINT64_C(1000) ? LONGEST_RTT_MS * 1000 : (uint32_t)us;
    rtt = sw_max32(rtt, 1);
    if (!t->rtt || rtt < t->rtt)
        t->rtt = rtt;
    else
        t->rtt += (rtt - t->rtt) / 8; /* longer may mean that the sender had nothing to send */
}

/* One sample for each of our timestamps: what echoes it again is later for reasons of its own. */
static void sample_by_timestamp(const struct tcp *tcp, const struct tcp_connection *conn,
                                struct tcp_tuning *t, const struct tcp_segment *seg)
{
    uint32_t echo = seg->options.ts_echo;
    if (t->echo_is_set && t->echo == echo)
        return;
    t->echo_is_set = 1;
    t->echo = echo;
    uint32_t ms = sw_tcp_timestamp_now(tcp, conn->ts_offset) - echo;
    if (ms <= LONGEST_RTT_MS) /* else it is none of ours: the peer may write what it likes */
        sample(t, sw_max32(ms, 1) * UINT64_C(1000));
}

static void sample_by_window(const struct tcp *tcp, const struct tcp_connection *conn,
                             struct tcp_tuning *t)
{
    if (t->rtt_is_timed) {
        if (tcp_seq_before(conn->receive.rcv_nxt, t->rtt_mark))
            return;
        sample(t, (uint64_t)(tcp->now - t->rtt_since) / 1000);
    }
    t->rtt_is_timed = 1;
    t->rtt_since = tcp->now;
    t->rtt_mark = tcp_seq_add(conn->receive.rcv_nxt, sw_max32(sw_tcp_receive_window(conn), 1));
}

void sw_tcp_tuning_on_data(struct tcp *tcp, struct tcp_connection *conn,
                           const struct tcp_segment *seg, uint32_t taken)
{
    if (sw_tcp_config(tcp, conn)->receive_buffer)
        return;
    struct tcp_meter *m = sw_tcp_meter(tcp, conn);
    if (!m)
        return;
    if (!conn->timestamps)
        sample_by_window(tcp, conn, &m->tuning);
    else if (seg->options.timestamps && taken >= conn->receive.segment_estimate)
        sample_by_timestamp(tcp, conn, &m->tuning, seg); /* a full one: not an answer that waited */
}

/*
 * A quarter of what nobody else uses is the most that one connection may grow to: promises are kept in
 * a region that others share (attack B-17). Nothing is taken back here; when memory is short, window.c
 * does.
 */
static uint32_t share(const struct tcp *tcp, const struct tcp_connection *conn)
{
    uint64_t used = tcp->region->used, own = conn->receive.queued;
    uint64_t others = used > own ? used - own : 0;
    uint64_t limit = tcp->region->budget / 4 * 3; /* beyond it memory is short */
    uint64_t part = others < limit ? (limit - others) / 4 : 0;
    return part < UINT32_MAX ? (uint32_t)part : UINT32_MAX;
}

/* What the next round trips may bring. @taken and @before are at most a window, 2^30. */
static uint32_t wanted(const struct tcp_connection *conn, uint32_t taken, uint32_t before)
{
    uint64_t room = 2 * (uint64_t)taken + SLACK_SEGMENTS * (uint64_t)conn->receive.mss;
    if (before) {
        uint64_t growth = room * (taken - before) / before;
        room += growth < room ? growth : room;
    }
    return room < UINT32_MAX ? (uint32_t)room : UINT32_MAX;
}

static void begin(struct tcp_tuning *t, sanwo_time now, tcp_seq position)
{
    t->reading = 1;
    t->read_since = now;
    t->read_from = position;
}

void sw_tcp_tuning_on_read(struct tcp *tcp, struct tcp_connection *conn)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    if (config->receive_buffer)
        return;
    struct tcp_meter *m = sw_tcp_meter(tcp, conn);
    if (!m)
        return;
    struct tcp_tuning *t = &m->tuning;
    tcp_seq position = tcp_seq_subtract(conn->receive.rcv_nxt, conn->receive.queued);
    if (!t->reading) {
        /* At the very beginning what was just read counts as well; later nobody knows how much it was. */
        bool first = conn->bytes_received - conn->receive.queued <= UINT16_MAX;
        begin(t, tcp->now, first ? tcp_seq_add(conn->receive.irs, 1) : position);
    }
    if (!t->rtt || tcp->now - t->read_since < (sanwo_time)t->rtt * 1000)
        return;
    uint32_t taken = tcp_seq_distance(t->read_from, position);
    begin(t, tcp->now, position);
    if (taken <= t->taken)
        return;
    uint32_t room = wanted(conn, taken, t->taken);
    t->taken = taken;
    room = sw_min32(sw_min32(room, sw_tcp_receive_most(config)), share(tcp, conn));
    if (room > sw_tcp_receive_limit(tcp, conn))
        conn->receive.limit = room;
}
