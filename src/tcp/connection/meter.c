/*
 * meter.c - The blocks that hold what is measured, and giving them back.
 *
 *     oldest -> ... -> newest
 *       | looked at REST after it was put there: at rest since then? it goes. Else: to the end.
 *
 * One deadline serves all: a connection is looked at once in REST, so it is at rest for no more than
 * twice that when its block goes.
 */
#include "tcp/connection/meter.h"

#include "tcp/send/send_queue.h"

#define REST SANWO_SEC(60)
#define AT_ONCE 64 /* looked at in one turn */
#define SHORTEST_SAMPLE SANWO_MSEC(1)

static struct tcp_meter *at(const struct tcp *tcp, region_ref name)
{
    return name ? sw_region_at(tcp->region, name) : NULL;
}

static void append(struct tcp *tcp, struct tcp_meter *m, region_ref name)
{
    m->older = tcp->meters.newest;
    m->newer = 0;
    m->queued_at = tcp->now;
    if (m->older)
        at(tcp, m->older)->newer = name;
    else
        tcp->meters.oldest = name;
    tcp->meters.newest = name;
}

static void unlink_meter(struct tcp *tcp, struct tcp_meter *m)
{
    if (m->older)
        at(tcp, m->older)->newer = m->newer;
    else
        tcp->meters.oldest = m->newer;
    if (m->newer)
        at(tcp, m->newer)->older = m->older;
    else
        tcp->meters.newest = m->older;
}

struct tcp_meter *sw_tcp_meter_need(struct tcp *tcp, struct tcp_connection *conn)
{
    if (SW_LIKELY(conn->meter))
        return sw_tcp_meter(tcp, conn);
    if (sw_tcp_memory_is_short(tcp)) /* those who have data need it more */
        return NULL;
    conn->meter = sw_region_alloc(tcp->region, sizeof(struct tcp_meter));
    struct tcp_meter *m = sw_tcp_meter(tcp, conn);
    if (!m)
        return NULL;
    *m = (struct tcp_meter){
        .owner = conn->item.index, .limit_since = tcp->now, .busy_since = tcp->now};
    append(tcp, m, conn->meter);
    return m;
}

void sw_tcp_meter_release(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_meter *m = sw_tcp_meter(tcp, conn);
    if (!m)
        return;
    unlink_meter(tcp, m);
    sw_region_free(tcp->region, conn->meter);
    conn->meter = 0;
}

void sw_tcp_meter_data_in(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_meter *m = sw_tcp_meter_need(tcp, conn);
    if (!m)
        return;
    m->data_received = tcp->now;
    m->data_segments_in++;
}

void sw_tcp_meter_data_out(struct tcp *tcp, struct tcp_connection *conn,
                           const struct tcp_measured_data *data)
{
    struct tcp_meter *m = sw_tcp_meter_need(tcp, conn);
    if (!m)
        return;
    m->data_sent = tcp->now;
    m->data_segments_out += data->segments;
    m->tail_probes += data->tail_probe;
    if (data->again)
        m->bytes_retransmitted += data->length;
}

void sw_tcp_meter_timed_out(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_meter *m = sw_tcp_meter(tcp, conn);
    if (!m)
        return;
    m->timeouts++;
    if (!m->in_timeout)
        m->timeout_since = tcp->now;
    m->in_timeout = true;
}

void sw_tcp_meter_acked(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_meter *m = sw_tcp_meter(tcp, conn);
    if (SW_LIKELY(!m || !m->in_timeout))
        return;
    m->in_timeout = false;
    m->timeout_recoveries++;
    m->timeout_time += tcp->now - m->timeout_since;
}

/* Over a round trip, or longer where ACKs are rare: what arrived by the time that it took. */
static void sample_rate(const struct tcp *tcp, const struct tcp_connection *conn,
                        struct tcp_meter *m)
{
    sanwo_time took = tcp->now - m->rate_since;
    if (took < conn->send.srtt || took < SHORTEST_SAMPLE)
        return;
    uint64_t bytes = m->delivered - m->rate_from;            /* at most some windows of 2^30 */
    m->rate = bytes * UINT64_C(1000000000) / (uint64_t)took; /* below 2^62, by a millisecond */
    m->rate_app_limited = m->app_limited || m->limit == SANWO_LIMIT_APPLICATION;
    m->app_limited = m->limit == SANWO_LIMIT_APPLICATION;
    m->rate_since = tcp->now;
    m->rate_from = m->delivered;
}

void sw_tcp_meter_ack_in(struct tcp *tcp, struct tcp_connection *conn, uint32_t delivered,
                         bool duplicate)
{
    struct tcp_meter *m = sw_tcp_meter(tcp, conn);
    if (!m)
        return;
    m->ack_received = tcp->now;
    m->duplicates_reported += duplicate;
    m->delivered += delivered;
    if (delivered)
        sample_rate(tcp, conn, m);
}

static bool is_at_rest(const struct tcp *tcp, const struct tcp_connection *conn,
                       const struct tcp_meter *m)
{
    sanwo_time last = m->data_sent > m->data_received ? m->data_sent : m->data_received;
    return tcp->now - last >= REST && !conn->receive.queued && !conn->receive.reassembly &&
           tcp_seq_equal(conn->send.snd_una, conn->send.snd_end);
}

void sw_tcp_meters_expire(struct tcp *tcp)
{
    for (unsigned i = 0; i < AT_ONCE; i++) {
        struct tcp_meter *m = at(tcp, tcp->meters.oldest);
        if (SW_LIKELY(!m || tcp->now - m->queued_at < REST))
            return;
        struct tcp_connection *conn = sw_tcp_connection_at(tcp, m->owner);
        if (is_at_rest(tcp, conn, m)) {
            sw_tcp_meter_release(tcp, conn);
        } else {
            unlink_meter(tcp, m);
            append(tcp, m, conn->meter);
        }
    }
}

sanwo_time sw_tcp_meters_deadline(const struct tcp *tcp)
{
    const struct tcp_meter *m = at(tcp, tcp->meters.oldest);
    return m ? m->queued_at + REST : SANWO_TIME_NEVER;
}
