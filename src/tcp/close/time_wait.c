/*
 * time_wait.c - What remains of a connection for 2 MSL: enough to answer, to refuse and to be reused.
 *
 * All records last equally long, so they expire in the order they were made: a ring of buckets in
 * time, each a list. A record is in the bucket at whose end it has lasted 2 MSL (and at most one
 * bucket's width more).
 *
 *     now                                            now + 2 MSL
 *     | oldest | ...... | ...... | ...... | ...... | newest |
 */
#include "tcp/close/time_wait.h"

#include "tcp/close/reset.h"
#include "tcp/connection/observe.h"
#include "tcp/open/demux.h"
#include "tcp/open/isn.h"
#include "tcp/open/cookie.h"
#include "tcp/open/listener.h"
#include "tcp/receive/timestamps.h"

#define FIRST_OF_BUCKET UINT32_C(0x80000000)
#define BUCKETS_PER_2MSL 100

void sw_tcp_time_wait_init(struct tcp *tcp)
{
    tcp->time_wait_queue.width = 2 * tcp->config.msl / BUCKETS_PER_2MSL + 1;
    tcp->time_wait_queue.oldest = (uint64_t)(tcp->now / tcp->time_wait_queue.width);
    for (unsigned i = 0; i < TCP_TIME_WAIT_BUCKETS; i++)
        tcp->time_wait_queue.head[i] = TCP_NONE;
}

static struct tcp_time_wait *record_at(const struct tcp *tcp, uint32_t index)
{
    return sw_tcp_at(tcp, &tcp->time_wait, index);
}

/* The order within a bucket does not matter: new records come first. */
static void link_in(struct tcp *tcp, struct tcp_time_wait *tw)
{
    sw_tcp_time_wait_expire(
        tcp); /* `oldest` must be near: the ring is not much longer than 2 MSL */
    uint64_t number = (uint64_t)((tcp->now + 2 * tcp->config.msl) / tcp->time_wait_queue.width) + 1;
    uint32_t bucket = (uint32_t)(number % TCP_TIME_WAIT_BUCKETS);
    uint32_t *head = &tcp->time_wait_queue.head[bucket];
    tw->link = (struct tcp_link){*head, FIRST_OF_BUCKET | bucket};
    if (*head != TCP_NONE)
        record_at(tcp, *head)->link.prev = tw->item.index;
    *head = tw->item.index;
}

static void link_out(struct tcp *tcp, struct tcp_time_wait *tw)
{
    struct tcp_link link = tw->link;
    if (link.next != TCP_NONE)
        record_at(tcp, link.next)->link.prev = link.prev;
    if (link.prev & FIRST_OF_BUCKET)
        tcp->time_wait_queue.head[link.prev & ~FIRST_OF_BUCKET] = link.next;
    else
        record_at(tcp, link.prev)->link.next = link.next;
}

struct tcp_tuple sw_tcp_time_wait_tuple(const struct tcp_time_wait *tw)
{
    struct tcp_tuple t = {.remote_port = tw->remote_port, .local_port = tw->local_port};
    memcpy(t.remote, tw->remote, 16);
    memcpy(t.local, tw->local, 16);
    if (t.remote[0] == 0xfe && (t.remote[1] & 0xc0) == 0x80) {
        t.zone = t.remote[3];
        t.remote[3] = 0;
    }
    return t;
}

static void observe(struct tcp *tcp, const struct tcp_time_wait *tw, enum sanwo_reason why)
{
    struct tcp_tuple tuple = sw_tcp_time_wait_tuple(tw);
    struct tcp_subject who = {&tuple, {0, 0}, SANWO_TCP_TIME_WAIT, SANWO_TCP_CLOSED};
    sw_tcp_observe_subject(tcp, &who, SANWO_OBSERVE_STATE, why);
}

static void drop(struct tcp *tcp, struct tcp_time_wait *tw, enum sanwo_reason why)
{
    struct tcp_tuple tuple = sw_tcp_time_wait_tuple(tw);
    observe(tcp, tw, why);
    tcp->counters.reasons[why]++;
    link_out(tcp, tw);
    sw_tcp_demux_remove(tcp, &tuple, sw_tcp_name(TCP_KIND_TIME_WAIT, tw->item.index));
    sw_pool_free(&tcp->time_wait, tcp->region, tw);
}

/* The record that would expire first makes room (attack B-14). */
static void evict_oldest(struct tcp *tcp)
{
    for (uint64_t i = 0; i < TCP_TIME_WAIT_BUCKETS; i++) {
        uint32_t head =
            tcp->time_wait_queue.head[(tcp->time_wait_queue.oldest + i) % TCP_TIME_WAIT_BUCKETS];
        if (head != TCP_NONE) {
            drop(tcp, record_at(tcp, head), SANWO_REASON_TIME_WAIT_EVICTED);
            return;
        }
    }
}

bool sw_tcp_time_wait_create(struct tcp *tcp, struct tcp_connection *conn)
{
    if (conn->tuple.zone && conn->tuple.remote[3])
        return false; /* RFC 4291 2.5.6 wants zeros there, and that is where the zone would go */
    if (tcp->time_wait.live >= tcp->time_wait.limit)
        evict_oldest(tcp);
    struct tcp_time_wait *tw = sw_pool_alloc(&tcp->time_wait, tcp->region);
    if (!tw)
        return false;
    memcpy(tw->remote, conn->tuple.remote, 16);
    memcpy(tw->local, conn->tuple.local, 16);
    if (conn->tuple.zone)
        tw->remote[3] = conn->tuple.zone;
    tw->remote_port = conn->tuple.remote_port;
    tw->local_port = conn->tuple.local_port;
    tw->rcv_nxt = conn->receive.rcv_nxt;
    tw->snd_nxt = conn->send.snd_nxt;
    if (conn->timestamps)
        tw->ts_recent = conn->receive.ts_recent ? conn->receive.ts_recent : 1;
    link_in(tcp, tw);
    sw_tcp_demux_replace(tcp, &conn->tuple, sw_tcp_name(TCP_KIND_CONNECTION, conn->item.index),
                         sw_tcp_name(TCP_KIND_TIME_WAIT, tw->item.index));
    conn->in_table = 0;
    return true;
}

/* SHLD-4. RFC6191-2-1, RFC1337-3-1, C-09. C-10. */
enum tcp_time_wait_action sw_tcp_time_wait_judge(const struct tcp_time_wait_view *view,
                                                 struct tcp_segment *seg)
{
    bool both = view->timestamps && seg->options.timestamps;
    uint32_t ts = seg->options.ts_value;
    tcp_seq fin = tcp_seq_subtract(view->rcv_nxt, 1); /* the last number of the old peer's */
    if (seg->flags & TCP_RST) {                       /* RFC 1337 3, fix 1 */
        seg->reason = SANWO_REASON_RST_IN_TIME_WAIT;
        return TIME_WAIT_IGNORE;
    }
    if ((seg->flags & (TCP_SYN | TCP_ACK | TCP_FIN)) == TCP_SYN) {
        /* RFC 6191 2, MAY-2: newer by timestamp, else by sequence number; one that begins to use
         * timestamps is always. */
        bool newer = both ? sw_tcp_timestamp_before(view->ts_recent, ts) ||
                                (ts == view->ts_recent && tcp_seq_after(seg->seq, fin))
                          : tcp_seq_after(seg->seq, fin) ||
                                (view->offers && !view->timestamps && seg->options.timestamps);
        seg->reason = SANWO_REASON_SYN_IN_CONNECTION;
        return newer ? TIME_WAIT_REUSE : TIME_WAIT_ACK;
    }
    if (view->timestamps && !seg->options.timestamps && !(seg->flags & TCP_SYN)) {
        seg->reason = SANWO_REASON_TIMESTAMP_MISSING; /* RFC 7323 3.2 */
        return TIME_WAIT_IGNORE;
    }
    if (both && sw_tcp_timestamp_before(ts, view->ts_recent)) {
        seg->reason = SANWO_REASON_PAWS;
        return TIME_WAIT_ACK;
    }
    seg->reason = SANWO_REASON_OLD_DUPLICATE;
    tcp_seq end = tcp_seq_add(seg->seq, sw_tcp_segment_span(seg));
    if ((seg->flags & (TCP_FIN | TCP_ACK | TCP_SYN)) == (TCP_FIN | TCP_ACK) &&
        tcp_seq_equal(end, view->rcv_nxt))
        return TIME_WAIT_RESTART;
    /* A bare ACK is not answered: two ends in TIME-WAIT must not talk to each other (attack B-24). */
    return sw_tcp_segment_span(seg) ? TIME_WAIT_ACK : TIME_WAIT_IGNORE;
}

static void answer(struct tcp *tcp, const struct tcp_time_wait *tw, const struct tcp_tuple *tuple)
{
    struct tcp_outgoing out = {.tuple = *tuple,
                               .seq = tw->snd_nxt,
                               .ack = tw->rcv_nxt,
                               .flags = TCP_ACK,
                               .window = UINT16_MAX,
                               .state = SANWO_TCP_TIME_WAIT,
                               .ttl = tcp->config.ttl,
                               .reason = SANWO_REASON_OLD_DUPLICATE};
    sw_wire_tcp_options_none(&out.options);
    if (tw->ts_recent) {
        out.options.timestamps = true;
        out.options.ts_value = sw_tcp_timestamp_now(tcp, sw_tcp_timestamp_offset(tcp, tuple));
        out.options.ts_echo = tw->ts_recent;
    }
    sw_tcp_reply(tcp, &out);
}

bool sw_tcp_time_wait_input(struct tcp *tcp, struct tcp_time_wait *tw, struct tcp_segment *seg)
{
    struct tcp_time_wait_view view = {tw->rcv_nxt, tw->ts_recent != 0, tcp->config.offer_timestamps,
                                      tw->ts_recent};
    struct tcp_listener *listener;
    sw_tcp_observe_segment_in(tcp, seg, NULL, (struct sanwo_handle){0, 0}, SANWO_TCP_TIME_WAIT);
    switch (sw_tcp_time_wait_judge(&view, seg)) {
    case TIME_WAIT_REUSE:
        listener = sw_tcp_listener_for(tcp, &seg->tuple, seg->destination_is_ours);
        /* Only for what will be remembered: a cookie that is still good could open it twice (B-09). */
        if (listener &&
            (!sw_tcp_listener_has_room(listener) || sw_tcp_cookie_is_due(tcp, listener))) {
            seg->reason = SANWO_REASON_BACKLOG_FULL;
            break;
        }
        if (listener) {
            seg->has_isn_floor = true; /* MAY-2 (1) */
            seg->isn_floor = tw->snd_nxt;
            drop(tcp, tw, SANWO_REASON_TIME_WAIT_REUSED);
            return false;
        }
        answer(tcp, tw, &seg->tuple);
        break;
    case TIME_WAIT_RESTART:
        answer(tcp, tw, &seg->tuple);
        link_out(tcp, tw);
        link_in(tcp, tw);
        break;
    case TIME_WAIT_ACK:
        answer(tcp, tw, &seg->tuple);
        break;
    case TIME_WAIT_IGNORE:
        break;
    }
    sw_tcp_observe_drop(tcp, seg, NULL, seg->reason);
    return true;
}

void sw_tcp_time_wait_expire(struct tcp *tcp)
{
    uint64_t current = (uint64_t)(tcp->now / tcp->time_wait_queue.width);
    if (current < tcp->time_wait_queue.oldest)
        return;
    if (current - tcp->time_wait_queue.oldest >
        TCP_TIME_WAIT_BUCKETS) /* a long jump of the clock: each bucket once */
        tcp->time_wait_queue.oldest = current - TCP_TIME_WAIT_BUCKETS;
    for (; tcp->time_wait_queue.oldest <= current; tcp->time_wait_queue.oldest++) {
        uint32_t *head =
            &tcp->time_wait_queue.head[tcp->time_wait_queue.oldest % TCP_TIME_WAIT_BUCKETS];
        while (*head != TCP_NONE)
            drop(tcp, record_at(tcp, *head), SANWO_REASON_TIME_WAIT_OVER);
    }
}

sanwo_time sw_tcp_time_wait_deadline(const struct tcp *tcp)
{
    if (!tcp->time_wait.live)
        return SANWO_TIME_NEVER;
    for (uint64_t i = 0; i < TCP_TIME_WAIT_BUCKETS; i++) {
        uint64_t number = tcp->time_wait_queue.oldest + i;
        if (tcp->time_wait_queue.head[number % TCP_TIME_WAIT_BUCKETS] != TCP_NONE)
            return (sanwo_time)number * tcp->time_wait_queue.width;
    }
    return SANWO_TIME_NEVER;
}
