/*
 * sending.c - The block's life: made with the first data, kept a while after the last is acknowledged.
 */
#include "tcp/send/sending.h"

#include "tcp/connection/config.h"
#include "tcp/connection/timers.h"
#include "tcp/receive/timestamps.h"

#define KEPT SANWO_SEC(10)       /* after the last acknowledgement */
#define KEPT_LONG SANWO_SEC(330) /* where cwnd is relied on for five minutes (RFC 7661 4.4) */
#define LEAST_CHUNK 208          /* a chunk's head and eight records */
#define LINE(n) (((n) + REGION_LINE - 1) / REGION_LINE * REGION_LINE)

struct tcp_sending *sw_tcp_sending(const struct tcp *tcp, const struct tcp_connection *conn)
{
    return conn->send.sending ? sw_region_at(tcp->region, conn->send.sending) : NULL;
}

/* What was learnt may still be of use for so long. */
static sanwo_time kept(const struct tcp *tcp, const struct tcp_connection *conn)
{
    return sw_tcp_config(tcp, conn)->idle_restart ? KEPT : KEPT_LONG;
}

void *sw_tcp_sending_state(struct tcp_sending *s)
{
    return s + 1;
}

void sw_tcp_sending_switch(struct tcp *tcp, struct tcp_connection *conn, uint8_t algorithm)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    if (algorithm == conn->cc.algorithm || !conn->cc.mss)
        return;
    conn->cc.algorithm = algorithm;
    conn->cc.pacing_rate = 0;
    if (!s)
        return;
    const struct tcp_cc_ops *ops = sw_tcp_cc_ops(&conn->cc);
    s->undo.armed = false; /* what the other one remembered to undo it is gone */
    s->records.marked = ops->wants_rate;
    if (!s->records.count) /* a chunk that was kept empty may be of the other kind */
        sw_tcp_records_clear(tcp, conn);
    ops->init(&conn->cc, sw_tcp_sending_state(s), tcp->now);
}

struct tcp_sending *sw_tcp_sending_make(struct tcp *tcp, struct tcp_connection *conn)
{
    if (SW_LIKELY(conn->send.sending))
        return sw_region_at(tcp->region, conn->send.sending);
    const struct tcp_cc_ops *ops = sw_tcp_cc_ops(&conn->cc);
    size_t chunk = LINE(sizeof(struct tcp_sending) + TCP_CC_STATE_MAX);
    size_t size = sw_region_round(chunk + LEAST_CHUNK);
    region_ref block = sw_region_alloc(tcp->region, size);
    if (!block)
        return NULL;
    conn->send.sending = block;
    struct tcp_sending *s = sw_region_at(tcp->region, block);
    *s = (struct tcp_sending){.records.marked = ops->wants_rate,
                              .chunk = (uint16_t)chunk,
                              .kept_until = tcp->now + kept(tcp, conn),
                              .stamp = sw_tcp_timestamp_now(tcp, conn->ts_offset),
                              .rack.deadline = SANWO_TIME_NEVER,
                              .rack.undecided = conn->send.snd_nxt,
                              .tail.deadline = SANWO_TIME_NEVER,
                              .tail.sampled = conn->send.srtt != 0,
                              .pacing.deadline = SANWO_TIME_NEVER,
                              .pacing.next = tcp->now};
    s->pacing.head_start =
        sw_min32(conn->cc.cwnd, sw_tcp_config(tcp, conn)->initial_window * (uint32_t)conn->cc.mss);
    if (ops->owns_cwnd && conn->bytes_acked) /* its model of the path was given back */
        sw_tcp_cc_restart(&conn->cc, sw_tcp_config(tcp, conn)->initial_window);
    ops->init(&conn->cc, sw_tcp_sending_state(s), tcp->now);
    sw_tcp_timers_sending(tcp, conn, s->kept_until);
    sw_tcp_pacing_update(tcp, conn);
    return s;
}

void sw_tcp_sending_release(struct tcp *tcp, struct tcp_connection *conn)
{
    sw_tcp_records_release(tcp, conn);
    if (conn->send.sending)
        sw_region_free(tcp->region, conn->send.sending);
    conn->send.sending = 0;
}

void sw_tcp_sending_rest(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    if (!s)
        return;
    sw_tcp_rack_rest(tcp, conn);
    sw_tcp_tail_cancel(tcp, conn); /* a probe that is out still waits for what its ACK tells */
    sw_tcp_resent_rest(tcp, &s->records.resent);
    s->sack_count = 0;
    s->kept_until = tcp->now + kept(tcp, conn);
    sw_tcp_timers_sending(tcp, conn, s->kept_until);
}

sanwo_time sw_tcp_sending_deadline(const struct tcp *tcp, const struct tcp_connection *conn)
{
    const struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    if (!s)
        return SANWO_TIME_NEVER;
    sanwo_time e = s->kept_until;
    if (s->rack.deadline < e)
        e = s->rack.deadline;
    if (s->tail.deadline < e)
        e = s->tail.deadline;
    return s->pacing.deadline < e ? s->pacing.deadline : e;
}

void sw_tcp_sending_relieve(struct tcp *tcp, struct tcp_connection *conn)
{
    const struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    if (s && s->kept_until != SANWO_TIME_NEVER && !s->records.count &&
        s->pacing.deadline == SANWO_TIME_NEVER)
        sw_tcp_sending_release(tcp, conn);
}
