/*
 * window.c - How much the peer may send: the buffer less what the user has not read. How large the
 * buffer is says tuning.c.
 *
 *     rcv_nxt            rcv_adv (announced)        rcv_nxt + space
 *        |------------------|-----------------------------|
 *                            moves only by a full segment or half the buffer (MUST-39),
 *                            and never to the left (SHLD-14)
 */
#include "tcp/receive/window.h"

#include "tcp/connection/config.h"
#include "tcp/connection/state.h"
#include "tcp/receive/acceptable.h"
#include "tcp/receive/delayed_ack.h"
#include "tcp/receive/tuning.h"

#define SMALLEST_UNDER_PRESSURE 4096

/* The peer must not fill all of @buffer at once: RFC 9293 leaves free how a window grows. */
static uint32_t grown(const struct sanwo_tcp_config *config, uint32_t buffer, uint64_t received)
{
    uint64_t room = config->initial_receive_window + 2 * received;
    return config->initial_receive_window && room < buffer ? (uint32_t)room : buffer;
}

uint32_t sw_tcp_window_at_first(const struct sanwo_tcp_config *config)
{
    return grown(config, sw_tcp_receive_start(config), 0);
}

/*
 * Room for new data. When memory runs short everybody's shrinks (attacks B-16, B-17). MAY-8: none
 * for as long as the user does not read.
 */
static uint32_t space(const struct tcp *tcp, const struct tcp_connection *conn)
{
    uint32_t limit =
        grown(sw_tcp_config(tcp, conn), sw_tcp_receive_limit(tcp, conn), conn->bytes_received);
    const struct region *r = tcp->region;
    if (SW_UNLIKELY(sw_tcp_memory_is_short(tcp))) {
        uint64_t left = (r->budget - r->used) / 16;
        uint32_t least = sw_min32(limit, SMALLEST_UNDER_PRESSURE);
        limit = left < limit ? sw_max32((uint32_t)left, least) : limit;
    }
    limit = sw_max32(limit, 1u << conn->receive.scale); /* less than a unit could not be said */
    return conn->receive.queued < limit ? limit - conn->receive.queued : 0;
}

/* How far the edge may move to the right now; 0: not worth it (silly window avoidance). */
static uint32_t advance(const struct tcp *tcp, const struct tcp_connection *conn)
{
    uint32_t window = sw_tcp_receive_window(conn);
    uint32_t most = (uint32_t)UINT16_MAX << conn->receive.scale; /* what the field can say */
    uint32_t room = sw_min32(space(tcp, conn), most);
    if (room <= window)
        return 0;
    /* MUST-39: half of the buffer as it is now, so that a small one that was filled opens again. */
    uint32_t half = (conn->receive.queued + room) / 2;
    return room - window >= sw_min32(half, conn->receive.mss) ? room - window : 0;
}

void sw_tcp_window_announce_from(struct tcp *tcp, struct tcp_connection *conn)
{
    uint32_t window = sw_min32(sw_tcp_window_at_first(sw_tcp_config(tcp, conn)), UINT16_MAX);
    conn->receive.rcv_adv = tcp_seq_add(conn->receive.rcv_nxt, window);
}

void sw_tcp_window_shut(struct tcp_connection *conn)
{
    conn->starved = 1;
    conn->receive.rcv_adv = conn->receive.rcv_nxt;
}

uint16_t sw_tcp_window_to_send(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_receiver *r = &conn->receive;
    if (SW_UNLIKELY(conn->starved)) {
        if (sw_tcp_memory_is_scarce(tcp))
            return 0;
        conn->starved = 0;
    }
    uint32_t window = sw_tcp_receive_window(conn) + advance(tcp, conn);
    uint32_t scale = (uint32_t)r->scale;
    uint32_t least = sw_tcp_receive_window(conn);
    uint32_t field = window >> scale;
    /*
     * Scaling rounds down. What was announced is announced again where there is room for a unit more;
     * else the edge seems to move back by less than one, which RFC 7323 2.4 allows: we honour the old.
     */
    if (field << scale < least && (field + 1) << scale <= space(tcp, conn))
        field++;
    if (field > UINT16_MAX)
        field = UINT16_MAX;
    if (field << scale > least)
        r->rcv_adv = tcp_seq_add(r->rcv_nxt, field << scale);
    return (uint16_t)field;
}

void sw_tcp_window_on_read(struct tcp *tcp, struct tcp_connection *conn)
{
    if (!sw_tcp_may_receive_data(conn->state))
        return;
    sw_tcp_tuning_on_read(tcp, conn);
    uint32_t window = sw_tcp_receive_window(conn);
    if (conn->starved && sw_tcp_memory_is_scarce(tcp))
        return;
    if (conn->receive.unacked && window >= 2u * conn->receive.mss)
        return; /* the ACK that is due anyway tells it */
    uint32_t more = advance(tcp, conn);
    uint32_t buffer = sw_tcp_receive_limit(tcp, conn);
    /* A peer with room left learns of more by the next ACK; one at the edge must be told. */
    if (more && (window < conn->receive.mss || (window < buffer / 4 && more >= buffer / 8)))
        sw_tcp_ack_now(tcp, conn);
}
