/*
 * send_queue.c - A chain of buffers, each knowing the sequence number of its first byte.
 *
 *     snd_una         snd_nxt                snd_end
 *        |  in flight    |    waiting            |
 *        [ head ]->[ copied ]->[ the user's (send_ref) ]->[ tail: room to append ]
 *                  ^ next: holds snd_nxt
 */
#include "tcp/send/send_queue.h"

#include "tcp/connection/lifetime.h"
#include "tcp/send/send_buffer.h"

#define LARGEST_COPY 65472 /* room of a 64 KiB block */
#define SHORT_COPY 1984    /* of a 2 KiB one: while memory is short */
#define USUAL_COPY 16320   /* of a 16 KiB one */

uint32_t sw_tcp_send_queue_bytes(const struct tcp_connection *conn)
{
    return conn->fin_acked ? 0 : tcp_seq_distance(conn->send.snd_una, conn->send.snd_end);
}

uint32_t sw_tcp_send_queue_unsent(const struct tcp_connection *conn)
{
    return conn->fin_sent ? 0 : tcp_seq_distance(conn->send.snd_nxt, conn->send.snd_end);
}

uint32_t sw_tcp_send_queue_space(const struct tcp *tcp, const struct tcp_connection *conn)
{
    return sw_tcp_send_buffer_space(tcp, conn);
}

static void append(struct tcp *tcp, struct tcp_connection *conn, struct buffer *b)
{
    region_ref name = sw_buffer_name(tcp->region, b);
    b->next = 0;
    b->seq = conn->send.snd_end.raw;
    if (conn->send.tail)
        sw_buffer_at(tcp->region, conn->send.tail)->next = name;
    else
        conn->send.head = name;
    conn->send.tail = name;
}

static void grow(struct tcp_connection *conn, struct buffer *b, uint32_t length)
{
    b->length += length;
    conn->send.snd_end = tcp_seq_add(conn->send.snd_end, length);
}

/* A tail with room for at least a byte. Small writes get small blocks while little is queued. */
static struct buffer *tail_with_room(struct tcp *tcp, struct tcp_connection *conn, uint32_t wanted)
{
    struct buffer *b = sw_buffer_at(tcp->region, conn->send.tail);
    if (b && sw_buffer_tailroom(b))
        return b;
    if (sw_tcp_memory_is_short(tcp)) {
        if (conn->send.head || sw_tcp_memory_is_scarce(tcp))
            return NULL;
        wanted = sw_min32(wanted, SHORT_COPY);
    }
    uint32_t room = sw_max32(wanted, sw_min32(sw_tcp_send_queue_bytes(conn), USUAL_COPY));
    b = sw_buffer_alloc(tcp->region, sw_min32(room, LARGEST_COPY));
    if (!b && wanted > USUAL_COPY)
        b = sw_buffer_alloc(tcp->region, USUAL_COPY);
    if (b)
        append(tcp, conn, b);
    return b;
}

uint32_t sw_tcp_send_queue_append(struct tcp *tcp, struct tcp_connection *conn,
                                  const uint8_t *bytes, uint32_t length)
{
    uint32_t done = 0;
    while (done < length) {
        struct buffer *b = tail_with_room(tcp, conn, length - done);
        if (!b)
            break;
        uint32_t part = sw_min32(length - done, sw_buffer_tailroom(b));
        memcpy(sw_buffer_tail(b), bytes + done, part);
        grow(conn, b, part);
        done += part;
    }
    return done;
}

bool sw_tcp_send_queue_append_external(struct tcp *tcp, struct tcp_connection *conn,
                                       const uint8_t *bytes, uint32_t length)
{
    struct buffer *b = NULL;
    if (!sw_tcp_memory_is_short(tcp) || (!conn->send.head && !sw_tcp_memory_is_scarce(tcp)))
        b = sw_buffer_external(tcp->region, bytes, length);
    if (!b)
        return false;
    b->owner = conn->item.index;
    b->cookie = (uint64_t)conn->item.generation << 32 | conn->references_made++;
    append(tcp, conn, b);
    conn->send.snd_end = tcp_seq_add(conn->send.snd_end, length);
    return true;
}

uint32_t sw_tcp_send_queue_reserve(struct tcp *tcp, struct tcp_connection *conn, uint32_t length,
                                   struct sanwo_room *room)
{
    struct buffer *b = tail_with_room(tcp, conn, length);
    if (!b)
        return 0;
    conn->reserved = 1;
    room->bytes = sw_buffer_tail(b);
    room->length = sw_min32(length, sw_buffer_tailroom(b));
    room->buffer = sw_buffer_name(tcp->region, b);
    b->promised = room->length;
    return room->length;
}

void sw_tcp_send_queue_commit(struct tcp *tcp, struct tcp_connection *conn, uint32_t length)
{
    struct buffer *b = sw_buffer_at(tcp->region, conn->send.tail);
    conn->reserved = 0;
    if (!b)
        return;
    grow(conn, b, length);
    if (!b->length && conn->send.head == conn->send.tail) {
        conn->send.head = conn->send.tail = conn->send.next = 0;
        sw_tcp_buffer_release(tcp, b);
    }
}

/* The buffer that holds @seq; a search from the head except for what comes next. */
static struct buffer *buffer_for(struct tcp *tcp, struct tcp_connection *conn, tcp_seq seq)
{
    bool at_next = tcp_seq_equal(seq, conn->send.snd_nxt);
    region_ref start = at_next && conn->send.next ? conn->send.next : conn->send.head;
    struct buffer *b = sw_buffer_at(tcp->region, start);
    while (b && tcp_seq_distance(tcp_seq_of(b->seq), seq) >= b->length)
        b = sw_buffer_at(tcp->region, b->next);
    return b;
}

uint32_t sw_tcp_send_queue_slices(struct tcp *tcp, struct tcp_connection *conn, tcp_seq seq,
                                  uint32_t length, struct sanwo_frame *frame)
{
    struct buffer *b = buffer_for(tcp, conn, seq);
    bool at_next = tcp_seq_equal(seq, conn->send.snd_nxt);
    uint32_t skip = b ? tcp_seq_distance(tcp_seq_of(b->seq), seq) : 0;
    uint32_t done = 0;
    frame->slice_count = 1;
    if (at_next && b) /* a place to start looking from, whether or not the frame goes out */
        conn->send.next = sw_buffer_name(tcp->region, b);
    while (b && done < length && frame->slice_count < SANWO_FRAME_SLICES) {
        uint32_t part = sw_min32(b->length - skip, length - done);
        if (part) {
            sw_buffer_ref(b);
            frame->slices[frame->slice_count++] = (struct sanwo_slice){
                sw_buffer_bytes(b) + skip, part, sw_buffer_name(tcp->region, b)};
            done += part;
        }
        skip = 0;
        b = sw_buffer_at(tcp->region, b->next);
    }
    return done;
}

void sw_tcp_send_queue_acknowledge(struct tcp *tcp, struct tcp_connection *conn, uint32_t length)
{
    while (length) {
        struct buffer *b = sw_buffer_at(tcp->region, conn->send.head);
        if (length < b->length) {
            b->offset += length;
            b->length -= length;
            b->seq += length;
            return;
        }
        length -= b->length;
        if (conn->reserved && !b->next) { /* the user is filling its tail: it stays, empty */
            b->seq += b->length;
            b->offset += b->length;
            b->length = 0;
            return;
        }
        if (conn->send.next == conn->send.head)
            conn->send.next = 0;
        conn->send.head = b->next;
        if (!b->next)
            conn->send.tail = 0;
        sw_tcp_buffer_release(tcp, b);
    }
}

void sw_tcp_send_queue_clear(struct tcp *tcp, struct tcp_connection *conn)
{
    region_ref name = conn->send.head;
    conn->send.head = conn->send.tail = conn->send.next = 0;
    conn->send.snd_end = conn->fin_sent ? conn->send.snd_end : conn->send.snd_nxt;
    while (name) {
        struct buffer *b = sw_buffer_at(tcp->region, name);
        name = b->next;
        sw_tcp_buffer_release(tcp, b);
    }
}

/* Calls are counted in order: one that comes back early waits for those before it. */
static void note_release(struct tcp *tcp, uint32_t owner, uint64_t cookie)
{
    struct tcp_connection *conn =
        sw_pool_find(&tcp->connections, tcp->region, owner, (uint32_t)(cookie >> 32));
    if (!conn)
        return;
    uint32_t ahead = (uint32_t)cookie - conn->references_released;
    conn->released_ahead |= UINT64_C(1) << (ahead & 63);
    while (conn->released_ahead & 1) {
        conn->released_ahead >>= 1;
        conn->references_released++;
    }
    sw_tcp_event(tcp, conn, SANWO_EVENT_RELEASED);
    if (conn->want_write && sw_tcp_send_queue_space(tcp, conn)) {
        conn->want_write = 0; /* it may have been refused for the number of references */
        sw_tcp_event(tcp, conn, SANWO_EVENT_WRITABLE);
    }
}

void sw_tcp_buffer_release(struct tcp *tcp, struct buffer *b)
{
    bool external = b->external != NULL;
    uint32_t owner = b->owner;
    uint64_t cookie = b->cookie;
    if (sw_buffer_unref(tcp->region, b) && external)
        note_release(tcp, owner, cookie);
}
