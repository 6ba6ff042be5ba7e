/*
 * tcp_data.c - SEND and RECEIVE (RFC 9293 3.10.2, 3.10.3; U-21).
 */
#include "stack/stack.h"

#include "tcp/connection/config.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/limited.h"
#include "tcp/connection/meter.h"
#include "tcp/receive/receive_queue.h"
#include "tcp/receive/window.h"
#include "tcp/send/send_buffer.h"
#include "tcp/send/send_queue.h"

#define MOST_REFERENCES                                                                            \
    64 /* send_ref calls not yet released: what `released_ahead` can tell apart */

/* Whether bytes may be queued now: room (> 0), or the error to return. */
static int64_t may_send(struct sanwo_stack *s, struct sanwo_handle h, struct tcp_connection **out)
{
    struct tcp_connection *conn = sw_stack_connection(s, h);
    if (!conn)
        return -SANWO_EBADF;
    *out = conn;
    if (conn->state == SANWO_TCP_CLOSED)
        return conn->error ? -(int64_t)conn->error : -SANWO_ENOTCONN;
    if (conn->fin_queued)
        return -SANWO_EPIPE;
    if (conn->reserved) /* the room given out is to be committed first */
        return -SANWO_EINVAL;
    uint32_t space = sw_tcp_send_queue_space(&s->tcp, conn);
    if (!space) {
        conn->want_write = 1;
        sw_tcp_limited_update(&s->tcp, conn);
    }
    return space ? (int64_t)space : -SANWO_EAGAIN;
}

/* WRITABLE comes when there is memory again, as it does when there is room. */
static int no_memory(struct sanwo_stack *s, struct tcp_connection *conn)
{
    conn->want_write = 1;
    if (!conn->send.head) /* else acknowledgements tell it */
        s->tcp.users_wait = true;
    return -SANWO_ENOMEM;
}

static void queued(struct sanwo_stack *s, struct tcp_connection *conn, unsigned flags)
{
    conn->more = (flags & SANWO_SEND_MORE) != 0;
    sw_tcp_meter_need(&s->tcp, conn);
    if (flags & SANWO_SEND_URGENT) { /* 3.8.5: up to and with the last byte queued; MUST-30 */
        conn->send.snd_up = conn->send.snd_end;
        conn->urgent_out = 1;
    }
    if (conn->state >= SANWO_TCP_ESTABLISHED || conn->fast_open_pending)
        sw_tcp_wants_send(&s->tcp, conn);
    sw_tcp_limited_update(&s->tcp, conn);
}

int64_t sanwo_tcp_send(struct sanwo_stack *s, struct sanwo_handle h, const void *bytes,
                       size_t length, unsigned flags, sanwo_time now)
{
    sw_stack_clock(s, now);
    struct tcp_connection *conn;
    int64_t space = may_send(s, h, &conn);
    if (space < 0 || !length)
        return space < 0 ? space : 0;
    uint32_t taken = (uint32_t)(length < (size_t)space ? length : (size_t)space);
    taken = sw_tcp_send_queue_append(&s->tcp, conn, bytes, taken);
    if (taken < length)
        conn->want_write = 1;
    if (!taken)
        return no_memory(s, conn);
    queued(s, conn, flags);
    return taken;
}

int64_t sanwo_tcp_send_ref(struct sanwo_stack *s, struct sanwo_handle h, const void *bytes,
                           size_t length, unsigned flags, sanwo_time now)
{
    sw_stack_clock(s, now);
    struct tcp_connection *conn;
    int64_t space = may_send(s, h, &conn);
    if (space < 0 || !length)
        return space < 0 ? space : 0;
    if (length > sw_tcp_send_buffer_most(sw_tcp_config(&s->tcp, conn)))
        return -SANWO_EMSGSIZE;
    bool fits = length <= (size_t)space || /* what follows cwnd may not be that large yet */
                !sw_tcp_send_queue_bytes(conn);
    if (!fits || conn->references_made - conn->references_released >= MOST_REFERENCES) {
        conn->want_write = 1;
        return -SANWO_EAGAIN;
    }
    if (!sw_tcp_send_queue_append_external(&s->tcp, conn, bytes, (uint32_t)length))
        return no_memory(s, conn);
    queued(s, conn, flags);
    return (int64_t)length;
}

int64_t sanwo_tcp_reserve(struct sanwo_stack *s, struct sanwo_handle h, size_t length,
                          struct sanwo_room *room)
{
    struct tcp_connection *conn;
    int64_t space = may_send(s, h, &conn);
    if (space < 0)
        return space;
    if (!length)
        return -SANWO_EINVAL;
    uint32_t wanted = (uint32_t)(length < (size_t)space ? length : (size_t)space);
    if (!sw_tcp_send_queue_reserve(&s->tcp, conn, wanted, room))
        return no_memory(s, conn);
    return room->length;
}

int sanwo_tcp_commit(struct sanwo_stack *s, struct sanwo_handle h, size_t length, unsigned flags,
                     sanwo_time now)
{
    sw_stack_clock(s, now);
    struct tcp_connection *conn = sw_stack_connection(s, h);
    if (!conn)
        return -SANWO_EBADF;
    struct buffer *tail = sw_buffer_at(&s->region, conn->send.tail);
    if (conn->reserved && conn->fin_queued) { /* shut down meanwhile */
        sw_tcp_send_queue_commit(&s->tcp, conn, 0);
        return -SANWO_EPIPE;
    }
    if (!conn->reserved || !tail ||
        length > tail->promised) /* beyond lies what is not the user's */
        return -SANWO_EINVAL;
    sw_tcp_send_queue_commit(&s->tcp, conn, (uint32_t)length);
    if (length)
        queued(s, conn, flags);
    return 0;
}

/* Nothing to read: the end of the stream (0), not yet (EAGAIN), or why never. */
static int nothing_to_read(const struct tcp_connection *conn)
{
    if (conn->error)
        return -(int)conn->error;
    if (conn->fin_received)
        return 0;
    if (conn->state < SANWO_TCP_ESTABLISHED && !conn->fast_open_pending) /* CLOSED is the first */
        return -SANWO_ENOTCONN;
    return -SANWO_EAGAIN;
}

static void was_read(struct sanwo_stack *s, struct tcp_connection *conn)
{
    tcp_seq position =
        tcp_seq_subtract(conn->receive.rcv_nxt, conn->receive.queued + conn->fin_received);
    if (conn->urgent && !tcp_seq_after(conn->receive.rcv_up, position))
        conn->urgent = 0;
    sw_tcp_window_on_read(&s->tcp, conn);
}

int64_t sanwo_tcp_receive(struct sanwo_stack *s, struct sanwo_handle h, void *bytes, size_t length,
                          sanwo_time now)
{
    sw_stack_clock(s, now);
    struct tcp_connection *conn = sw_stack_connection(s, h);
    if (!conn)
        return -SANWO_EBADF;
    if (!conn->receive.queued)
        return nothing_to_read(conn);
    if (!length)
        return -SANWO_EINVAL;
    size_t done = sw_tcp_receive_queue_read(&s->tcp, conn, bytes, length);
    was_read(s, conn);
    return (int64_t)done;
}

int sanwo_tcp_peek(struct sanwo_stack *s, struct sanwo_handle h, struct sanwo_slice *slices,
                   size_t n)
{
    struct tcp_connection *conn = sw_stack_connection(s, h);
    if (!conn)
        return -SANWO_EBADF;
    if (!conn->receive.queued)
        return nothing_to_read(conn);
    return n ? sw_tcp_receive_queue_peek(&s->tcp, conn, slices, n) : -SANWO_EINVAL;
}

int sanwo_tcp_consume(struct sanwo_stack *s, struct sanwo_handle h, size_t length, sanwo_time now)
{
    sw_stack_clock(s, now);
    struct tcp_connection *conn = sw_stack_connection(s, h);
    if (!conn)
        return -SANWO_EBADF;
    if (length > conn->receive.queued)
        return -SANWO_EINVAL;
    sw_tcp_receive_queue_consume(&s->tcp, conn, (uint32_t)length);
    was_read(s, conn);
    return 0;
}

int64_t sanwo_tcp_urgent(struct sanwo_stack *s, struct sanwo_handle h)
{
    struct tcp_connection *conn = sw_stack_connection(s, h);
    if (!conn)
        return -SANWO_EBADF;
    if (!conn->urgent)
        return 0;
    tcp_seq position =
        tcp_seq_subtract(conn->receive.rcv_nxt, conn->receive.queued + conn->fin_received);
    return tcp_seq_distance(position, conn->receive.rcv_up);
}
