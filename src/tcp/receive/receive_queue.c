/*
 * receive_queue.c - From the wire's buffers to the user's hands with at most one copy.
 *
 * A borrowed buffer whose bytes fill at least half of it is kept as it is; of a fuller one the few
 * bytes are copied, so a small segment never pins a large buffer (attack B-16).
 */
#include "tcp/receive/receive_queue.h"

#include "tcp/send/send_queue.h"

#define COPY_BUFFER 16320 /* most room of a buffer made for copies: a 16 KiB block */

static bool worth_keeping(const struct buffer *b, uint32_t length)
{
    return length >= b->capacity / 2;
}

static void append(struct tcp *tcp, struct tcp_chain *chain, struct buffer *b)
{
    region_ref name = sw_buffer_name(tcp->region, b);
    b->next = 0;
    if (chain->tail)
        sw_buffer_at(tcp->region, chain->tail)->next = name;
    else
        chain->head = name;
    chain->tail = name;
}

/* Room for small pieces grows with what the chain holds: one byte costs a small block only. */
static bool copy(struct tcp *tcp, struct tcp_chain *chain, const uint8_t *bytes, uint32_t length,
                 uint32_t held)
{
    struct buffer *last = sw_buffer_at(tcp->region, chain->tail);
    if (last && last->references == 1 && last->flags == 0) {
        uint32_t part = sw_min32(length, sw_buffer_tailroom(last));
        memcpy(sw_buffer_tail(last), bytes, part);
        last->length += part;
        bytes += part;
        length -= part;
    }
    if (!length)
        return true;
    uint32_t room = sw_max32(length, sw_min32(held, COPY_BUFFER));
    struct buffer *b = sw_buffer_alloc(tcp->region, room);
    if (!b)
        return false;
    memcpy(sw_buffer_tail(b), bytes, length);
    b->length = length;
    append(tcp, chain, b);
    return true;
}

static bool keep_slice(struct tcp *tcp, struct tcp_segment *seg, uint32_t index, uint32_t offset,
                       uint32_t length, struct tcp_chain *chain, uint32_t held)
{
    const struct sanwo_slice *slice = &seg->slices[index];
    uint64_t bit = UINT64_C(1) << index;
    struct buffer *b = sw_buffer_at(tcp->region, slice->buffer);
    if (!b || (seg->kept & bit) || !worth_keeping(b, length))
        return copy(tcp, chain, slice->bytes + offset, length, held);
    seg->kept |= bit;
    sw_buffer_ref(b); /* the frame's own reference is dropped by the stack */
    b->offset = (uint32_t)(slice->bytes + offset - (const uint8_t *)b);
    b->length = length;
    b->flags = 1; /* borrowed: what follows these bytes in the block is not ours to write */
    append(tcp, chain, b);
    return true;
}

/* Cuts the chain back to what it was: its last buffer then was @tail with @length bytes. */
static void restore(struct tcp *tcp, struct tcp_chain *chain, struct tcp_chain was, uint32_t length)
{
    struct buffer *last = sw_buffer_at(tcp->region, was.tail);
    struct tcp_chain extra = {last ? last->next : chain->head, chain->tail};
    if (last) {
        last->length = length;
        last->next = 0;
    }
    sw_tcp_chain_clear(tcp, &extra);
    *chain = was;
}

bool sw_tcp_keep(struct tcp *tcp, struct tcp_segment *seg, uint32_t from, uint32_t length,
                 struct tcp_chain *chain)
{
    struct tcp_chain was = *chain;
    struct buffer *last = sw_buffer_at(tcp->region, chain->tail);
    uint32_t was_length = last ? last->length : 0;
    uint32_t skip = seg->skip + from;
    uint32_t held = last ? sw_max32(was_length * 2, 1024) : 0;
    for (uint32_t i = 0; length && i < seg->slice_count; i++) {
        uint32_t here = seg->slices[i].length;
        if (skip >= here) {
            skip -= here;
            continue;
        }
        uint32_t part = sw_min32(here - skip, length);
        if (!keep_slice(tcp, seg, i, skip, part, chain, held)) {
            restore(tcp, chain, was, was_length);
            return false;
        }
        length -= part;
        skip = 0;
    }
    return true;
}

void sw_tcp_chain_clear(struct tcp *tcp, struct tcp_chain *chain)
{
    region_ref at = chain->head;
    while (at) {
        struct buffer *b = sw_buffer_at(tcp->region, at);
        at = b->next;
        sw_tcp_buffer_release(tcp, b);
    }
    *chain = (struct tcp_chain){0, 0};
}

bool sw_tcp_receive_queue_append(struct tcp *tcp, struct tcp_connection *conn,
                                 struct tcp_segment *seg, uint32_t length)
{
    struct tcp_chain chain = {conn->receive.head, conn->receive.tail};
    if (!sw_tcp_keep(tcp, seg, 0, length, &chain))
        return false;
    conn->receive.head = chain.head;
    conn->receive.tail = chain.tail;
    conn->receive.queued += length;
    return true;
}

void sw_tcp_receive_queue_join(struct tcp *tcp, struct tcp_connection *conn, struct tcp_chain chain,
                               uint32_t length)
{
    if (conn->receive.tail)
        sw_buffer_at(tcp->region, conn->receive.tail)->next = chain.head;
    else
        conn->receive.head = chain.head;
    conn->receive.tail = chain.tail;
    conn->receive.queued += length;
}

static void drop_first(struct tcp *tcp, struct tcp_connection *conn)
{
    struct buffer *b = sw_buffer_at(tcp->region, conn->receive.head);
    conn->receive.head = b->next;
    if (!conn->receive.head)
        conn->receive.tail = 0;
    sw_tcp_buffer_release(tcp, b);
}

size_t sw_tcp_receive_queue_read(struct tcp *tcp, struct tcp_connection *conn, uint8_t *out,
                                 size_t length)
{
    size_t done = 0;
    while (done < length && conn->receive.head) {
        struct buffer *b = sw_buffer_at(tcp->region, conn->receive.head);
        uint32_t part = (uint32_t)(length - done < b->length ? length - done : b->length);
        memcpy(out + done, sw_buffer_bytes(b), part);
        done += part;
        b->offset += part;
        b->length -= part;
        if (!b->length)
            drop_first(tcp, conn);
    }
    conn->receive.queued -= (uint32_t)done;
    return done;
}

int sw_tcp_receive_queue_peek(struct tcp *tcp, const struct tcp_connection *conn,
                              struct sanwo_slice *slices, size_t n)
{
    size_t count = 0;
    for (region_ref at = conn->receive.head; at && count < n; count++) {
        const struct buffer *b = sw_buffer_at(tcp->region, at);
        slices[count] = (struct sanwo_slice){sw_buffer_bytes(b), b->length, 0};
        at = b->next;
    }
    return (int)count;
}

void sw_tcp_receive_queue_consume(struct tcp *tcp, struct tcp_connection *conn, uint32_t length)
{
    conn->receive.queued -= length;
    while (length) {
        struct buffer *b = sw_buffer_at(tcp->region, conn->receive.head);
        uint32_t part = sw_min32(length, b->length);
        b->offset += part;
        b->length -= part;
        length -= part;
        if (!b->length)
            drop_first(tcp, conn);
    }
}

void sw_tcp_receive_queue_clear(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_chain chain = {conn->receive.head, conn->receive.tail};
    sw_tcp_chain_clear(tcp, &chain);
    conn->receive.head = conn->receive.tail = 0;
    conn->receive.queued = 0;
}
