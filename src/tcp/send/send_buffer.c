/*
 * send_buffer.c - The send buffer follows cwnd.
 *
 *     snd_una                  snd_nxt              snd_end
 *        |      in flight         |     unsent         |
 *        |<--------- cwnd ------->|<----- cwnd ------->|      limit: twice cwnd
 *
 * A window is in flight, and another waits, so that what is acknowledged at once never finds the queue
 * empty. It starts larger than most windows ever get; a user who wants less to wait in the queue, to
 * change its mind later, sets `unsent_limit`. A user who sets a size gets that size.
 */
#include "tcp/send/send_buffer.h"

#include "tcp/connection/config.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/limited.h"
#include "tcp/send/send_queue.h"

/* A quarter of a large buffer is too much to wait for: most of it may be in flight. */
#define WORTH_WAKING (UINT32_C(256) << 10)
#define BEYOND 65536 /* a write that begins below the limit is not cut into small pieces for it */

uint32_t sw_tcp_send_buffer_most(const struct sanwo_tcp_config *config)
{
    return config->send_buffer ? config->send_buffer : config->send_buffer_max;
}

static uint32_t queued(const struct tcp_connection *conn)
{
    /* While our SYN is out, snd_una is one before the first byte. */
    return tcp_seq_distance(conn->send.snd_una, conn->send.snd_end);
}

/* A quarter of what nobody else uses: see share() in receive/tuning.c. */
static uint32_t share(const struct tcp *tcp, const struct tcp_connection *conn)
{
    uint64_t used = tcp->region->used, own = queued(conn);
    uint64_t others = used > own ? used - own : 0;
    uint64_t limit = tcp->region->budget / 4 * 3;
    uint64_t part = others < limit ? (limit - others) / 4 : 0;
    return part < UINT32_MAX ? (uint32_t)part : UINT32_MAX;
}

uint32_t sw_tcp_send_buffer_limit(const struct tcp *tcp, const struct tcp_connection *conn)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    if (config->send_buffer)
        return config->send_buffer;
    uint32_t start = sw_min32(config->send_buffer_start, config->send_buffer_max);
    uint32_t twice = 2 * conn->cc.cwnd; /* at most 2^31: CWND_LIMIT */
    if (SW_LIKELY(twice <= start))
        return start;
    uint32_t most = sw_min32(config->send_buffer_max, share(tcp, conn));
    return sw_max32(sw_min32(twice, most), start);
}

uint32_t sw_tcp_send_buffer_space(const struct tcp *tcp, const struct tcp_connection *conn)
{
    uint32_t limit = sw_tcp_send_buffer_limit(tcp, conn);
    uint32_t held = queued(conn);
    uint32_t space = held < limit ? limit - held : 0;
    uint32_t unsent_limit = sw_tcp_config(tcp, conn)->unsent_limit;
    if (SW_LIKELY(!unsent_limit))
        return space;
    uint32_t unsent = sw_tcp_send_queue_unsent(conn);
    return unsent < unsent_limit ? sw_min32(space, unsent_limit - unsent + BEYOND) : 0;
}

bool sw_tcp_send_buffer_is_writable(const struct tcp *tcp, const struct tcp_connection *conn)
{
    uint32_t enough = sw_max32(sw_min32(sw_tcp_send_buffer_limit(tcp, conn) / 4, WORTH_WAKING), 1);
    uint32_t unsent_limit = sw_tcp_config(tcp, conn)->unsent_limit;
    if (unsent_limit) {
        if (sw_tcp_send_queue_unsent(conn) > unsent_limit / 2)
            return false;
        enough = sw_min32(enough, unsent_limit);
    }
    return sw_tcp_send_buffer_space(tcp, conn) >= enough;
}

void sw_tcp_send_buffer_tell(struct tcp *tcp, struct tcp_connection *conn)
{
    if (SW_LIKELY(!conn->want_write) || !sw_tcp_send_buffer_is_writable(tcp, conn))
        return;
    conn->want_write = 0;
    sw_tcp_event(tcp, conn, SANWO_EVENT_WRITABLE);
    sw_tcp_limited_update(tcp, conn);
}
