/*
 * transmit.c - Packets out, pulled: what waits at IP, stateless answers, then the connections in turn.
 */
#include "stack/stack.h"

#include "tcp/close/reset.h"
#include "tcp/connection/config.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/timers.h"
#include "tcp/ecn/ecn.h"
#include "tcp/send/segment.h"
#include "tcp/send/send_queue.h"

#define QUANTUM 16 /* frames of one connection before the next one's turn */

static struct tcp_path tcp_path_of(const struct ip_path *path)
{
    return (struct tcp_path){.mtu = path->mtu,
                             .checksum_offload = path->offload & SANWO_OFFLOAD_CHECKSUM,
                             .super_segment = path->super_segment};
}

/* MUST-45: the source is the connection's own, always. SHLD-22: DSCP as it was set. */
static struct ip_send ip_send_of(const struct tcp_tuple *tuple, uint8_t ttl, uint8_t dscp_ecn,
                                 uint64_t flow)
{
    struct ip_send what = {
        .protocol = IP_PROTOCOL_TCP, .ttl = ttl, .dscp_ecn = dscp_ecn, .flow = flow};
    sw_tcp_tuple_addresses(tuple, &what.source, &what.destination);
    return what;
}

/* True: @frame is ready for the link. Else it was parked, or refused and released. */
static bool send_ip(struct sanwo_stack *s, const struct ip_send *what, const struct ip_path *path,
                    struct sanwo_frame *frame)
{
    uint16_t reason = SANWO_REASON_NONE;
    switch (sw_ip_send(&s->ip, what, path, frame, s->now, &reason)) {
    case IP_SENT:
        return true;
    case IP_PARKED:
        return false;
    default:
        sw_stack_drop(s, reason);
        sw_tcp_frame_release(&s->tcp, frame);
        return false;
    }
}

/* The way to @destination; the last answer is remembered until links, addresses or routes change. */
static bool find_path(struct sanwo_stack *s, const struct sanwo_address *destination,
                      struct ip_path *path)
{
    if (!s->last_route.known || s->last_route.epoch != s->ip.route_epoch ||
        !sanwo_address_equal(&s->last_route.destination, destination)) {
        s->last_route.known = sw_ip_route_find(&s->ip, destination, &s->last_route.path);
        s->last_route.destination = *destination;
        s->last_route.epoch = s->ip.route_epoch;
    }
    *path = s->last_route.path;
    return s->last_route.known;
}

/* The address may have been taken away meanwhile (RFC 1122 3.2.1.3, E-09); asked once a change. */
static bool source_is_ours(struct sanwo_stack *s, const struct sanwo_address *source)
{
    if (s->last_source.epoch != s->ip.route_epoch ||
        !sanwo_address_equal(&s->last_source.address, source)) {
        s->last_source.address = *source;
        s->last_source.epoch = s->ip.route_epoch;
        s->last_source.ours = sw_ip_is_ours(&s->ip, source);
    }
    return s->last_source.ours;
}

static bool send_reply(struct sanwo_stack *s, const struct tcp_outgoing *out,
                       struct sanwo_frame *frame)
{
    uint64_t flow = sw_tcp_tuple_hash(&s->tcp.table_key, &out->tuple);
    struct ip_send what = ip_send_of(&out->tuple, out->ttl, out->dscp_ecn, flow);
    struct ip_path path;
    if (!find_path(s, &what.destination, &path) || !path.up) {
        sw_stack_drop(s, SANWO_REASON_NO_ROUTE);
        return false;
    }
    struct tcp_path tcp_path = tcp_path_of(&path);
    frame->slice_count = 1;
    if (!sw_tcp_segment_build(&s->tcp, out, &tcp_path, frame, 0, 0)) {
        sw_stack_drop(s, SANWO_REASON_NO_MEMORY);
        return false;
    }
    return send_ip(s, &what, &path, frame);
}

/* No way to the peer now: like a packet lost on its way, the timers try again. E-09. */
static void postpone(struct sanwo_stack *s, struct tcp_connection *conn, enum sanwo_reason why)
{
    sw_stack_drop(s, why);
    conn->ack_now = conn->keepalive_now = conn->probe_now = 0;
    conn->no_way = 1;
    conn->soft_error = SANWO_EHOSTUNREACH;
    sw_tcp_timers_no_way(&s->tcp, conn);
    sw_tcp_output_done(&s->tcp, conn);
}

static size_t send_connection(struct sanwo_stack *s, struct tcp_connection *conn,
                              struct sanwo_frame *frames, size_t max)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(&s->tcp, conn);
    struct ip_send what =
        /* RFC1122-3.2.1.6-1 */
        ip_send_of(&conn->tuple, config->ttl, (uint8_t)(config->dscp << 2), conn->hash);
    struct ip_path path;
    if (SW_UNLIKELY(!source_is_ours(s, &what.source) && !conn->foreign)) {
        postpone(s, conn, SANWO_REASON_ADDRESS_REMOVED);
        return 0;
    }
    if (!find_path(s, &what.destination, &path)) {
        postpone(s, conn, SANWO_REASON_NO_ROUTE);
        return 0;
    }
    conn->link = path.link;
    if (!path.up) {
        postpone(s, conn, SANWO_REASON_LINK_DOWN);
        return 0;
    }
    struct tcp_path tcp_path = tcp_path_of(&path);
    size_t n = 0;
    for (unsigned i = 0; i < QUANTUM && n < max; i++) {
        if (!sw_tcp_output(&s->tcp, conn, &tcp_path, &frames[n])) {
            sw_tcp_output_done(&s->tcp, conn);
            return n;
        }
        what.dscp_ecn = (uint8_t)(config->dscp << 2 | (conn->ecn_ect ? IP_ECT_0 : IP_NOT_ECT));
        if (send_ip(s, &what, &path, &frames[n]))
            n++;
    }
    sw_tcp_output_later(&s->tcp, conn);
    return n;
}

/* What IP let go of is given back, and the user of send_ref told. */
static void take_orphans(struct sanwo_stack *s)
{
    region_ref orphan;
    while ((orphan = sw_ip_take_orphan(&s->ip)) != 0)
        sw_tcp_buffer_release(&s->tcp, sw_buffer_at(&s->region, orphan));
}

size_t sanwo_stack_transmit(struct sanwo_stack *s, struct sanwo_frame *frames, size_t max,
                            sanwo_time now)
{
    sw_stack_clock(s, now);
    sw_tcp_run_timers(&s->tcp, s->now);
    size_t n = 0;
    while (n < max && sw_ip_poll_frame(&s->ip, &frames[n], s->now))
        n++;
    struct tcp_outgoing out;
    while (n < max && sw_tcp_poll_reply(&s->tcp, &out))
        n += send_reply(s, &out, &frames[n]);
    struct tcp_connection *conn;
    while (n < max && (conn = sw_tcp_next_ready(&s->tcp)))
        n += send_connection(s, conn, frames + n, max - n);
    while (n < max &&
           sw_ip_poll_frame(&s->ip, &frames[n], s->now)) /* the ARP that those wait for */
        n++;
    take_orphans(s);
    for (size_t i = 0; i < n; i++)
        s->bytes_out += frames[i].length;
    s->frames_out += n;
    s->frames_lent += n;
    return n;
}

/* E-02: until then what the link did not take stays as it is. */
void sanwo_stack_sent(struct sanwo_stack *s, const struct sanwo_frame *frames, size_t n)
{
    s->frames_lent -= n;
    for (size_t i = 0; i < n; i++)
        sw_tcp_frame_release(&s->tcp, &frames[i]);
}

sanwo_time sanwo_stack_deadline(const struct sanwo_stack *s)
{
    if (s->tcp.ready.count || s->tcp.reply_count || s->ip.ready_count)
        return s->now;
    if (s->tcp.events.count || s->tcp.listener_events.count) /* a timer may have raised them */
        return s->now;
    if (sw_tcp_users_may_go_on(&s->tcp))
        return s->now;
    sanwo_time tcp = sw_tcp_deadline(&s->tcp);
    sanwo_time ip = sw_ip_deadline(&s->ip);
    return tcp < ip ? tcp : ip;
}
