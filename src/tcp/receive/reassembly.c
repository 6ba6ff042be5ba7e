/*
 * reassembly.c - Ranges behind a hole: a bounded, ordered array, each with its chain of buffers.
 *
 *     rcv_nxt   left   right      left   right
 *        |  hole  |######|   hole   |######|          at most RANGES of them (attacks B-05, B-16)
 *
 * What was received first stays: bytes that come again are not looked at (attack C-12). The array
 * exists only while there is a hole (E-08). RFC 9293 SHLD-31; blocks to send by RFC 2018 4 and RFC
 * 2883 4.
 */
#include "tcp/receive/reassembly.h"

#include "tcp/connection/observe.h"

#define RANGES 48

struct range_held {
    tcp_seq left, right;
    struct tcp_chain chain;
    uint32_t stamp; /* grows: the latest is reported first */
};

struct tcp_reassembly {
    uint32_t count;
    uint32_t stamp;
    struct range_held range[RANGES]; /* ordered, apart from each other */
};
_Static_assert(sizeof(struct tcp_reassembly) <= 1024, "one block of 1 KiB");

static struct tcp_reassembly *held(const struct tcp *tcp, const struct tcp_connection *conn)
{
    return conn->receive.reassembly ? sw_region_at(tcp->region, conn->receive.reassembly) : NULL;
}

static uint32_t offset_of(const struct tcp_connection *conn, tcp_seq seq)
{
    return tcp_seq_distance(conn->receive.rcv_nxt, seq); /* validated: within the window */
}

static void remove_range(struct tcp_reassembly *a, uint32_t i)
{
    a->count--;
    memmove(&a->range[i], &a->range[i + 1], (a->count - i) * sizeof(a->range[0]));
}

static void free_if_empty(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_reassembly *a = held(tcp, conn);
    if (a && a->count == 0) {
        sw_region_free(tcp->region, conn->receive.reassembly);
        conn->receive.reassembly = 0;
    }
}

void sw_tcp_reassembly_clear(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_reassembly *a = held(tcp, conn);
    if (!a)
        return;
    while (a->count)
        sw_tcp_chain_clear(tcp, &a->range[--a->count].chain);
    free_if_empty(tcp, conn);
}

uint32_t sw_tcp_reassembly_bytes(const struct tcp *tcp, const struct tcp_connection *conn)
{
    const struct tcp_reassembly *a = held(tcp, conn);
    uint32_t bytes = 0;
    for (uint32_t i = 0; a && i < a->count; i++)
        bytes += tcp_seq_distance(a->range[i].left, a->range[i].right);
    return bytes;
}

/* Makes a new, empty range before index @i. The farthest one gives way when all are in use. */
static bool open_range(struct tcp *tcp, struct tcp_reassembly *a, uint32_t i, tcp_seq at)
{
    if (a->count == RANGES) {
        if (i == RANGES)
            return false;
        sw_tcp_chain_clear(tcp, &a->range[--a->count].chain); /* RFC 2018 8 allows it */
    }
    memmove(&a->range[i + 1], &a->range[i], (a->count - i) * sizeof(a->range[0]));
    a->range[i] = (struct range_held){.left = at, .right = at};
    a->count++;
    return true;
}

/* Ranges i and i + 1 touch: they become one. */
static void merge_with_next(struct tcp *tcp, struct tcp_reassembly *a, uint32_t i)
{
    struct range_held *r = &a->range[i], *next = &a->range[i + 1];
    if (r->chain.tail)
        sw_buffer_at(tcp->region, r->chain.tail)->next = next->chain.head;
    else
        r->chain.head = next->chain.head;
    r->chain.tail = next->chain.tail;
    r->right = next->right;
    remove_range(a, i + 1);
}

/* Keeps [at, to) of the segment, which touches no range but perhaps the ends of two. */
static bool keep_piece(struct tcp *tcp, struct tcp_reassembly *a, uint32_t i,
                       struct tcp_segment *seg, tcp_seq at, tcp_seq to)
{
    bool extends = i > 0 && tcp_seq_equal(a->range[i - 1].right, at);
    if (!extends && !open_range(tcp, a, i, at))
        return false;
    struct range_held *r = &a->range[extends ? i - 1 : i];
    uint32_t length = tcp_seq_distance(at, to);
    if (!sw_tcp_keep(tcp, seg, tcp_seq_distance(seg->seq, at), length, &r->chain)) {
        if (!extends)
            remove_range(a, i);
        return false;
    }
    r->right = to;
    r->stamp = ++a->stamp;
    uint32_t next = (uint32_t)(r - a->range) + 1;
    if (next < a->count && tcp_seq_equal(a->range[next].left, to))
        merge_with_next(tcp, a, next - 1);
    return true;
}

/* The segment lies behind a hole: each part of it that no range has yet is kept. */
static bool keep_out_of_order(struct tcp *tcp, struct tcp_connection *conn, struct tcp_segment *seg)
{
    if (sw_tcp_memory_is_short(tcp)) /* what is in order needs the rest */
        return false;
    if (!conn->receive.reassembly) {
        conn->receive.reassembly = sw_region_alloc(tcp->region, sizeof(struct tcp_reassembly));
        if (!conn->receive.reassembly)
            return false;
        held(tcp, conn)->count = held(tcp, conn)->stamp = 0;
    }
    struct tcp_reassembly *a = held(tcp, conn);
    tcp_seq at = seg->seq, end = tcp_seq_add(seg->seq, seg->length);
    bool kept = false;
    for (uint32_t i = 0; offset_of(conn, at) < offset_of(conn, end);) {
        while (i < a->count && offset_of(conn, a->range[i].right) <= offset_of(conn, at))
            i++;
        tcp_seq stop = end;
        if (i < a->count && offset_of(conn, a->range[i].left) <= offset_of(conn, at)) {
            if (offset_of(conn, a->range[i].right) < offset_of(conn, end))
                stop = a->range[i].right;
            sw_tcp_report_duplicate(conn, at, tcp_seq_distance(at, stop));
            a->range[i].stamp = ++a->stamp;
            at = stop;
            continue;
        }
        if (i < a->count && offset_of(conn, a->range[i].left) < offset_of(conn, end))
            stop = a->range[i].left;
        if (!keep_piece(tcp, a, i, seg, at, stop))
            break;
        kept = true;
        at = stop;
        i = 0;
    }
    free_if_empty(tcp, conn);
    return kept || tcp_seq_equal(at, end);
}

/* The first range became the next in order. */
static void unlock_first(struct tcp *tcp, struct tcp_connection *conn, struct tcp_reassembly *a)
{
    struct range_held r = a->range[0];
    remove_range(a, 0);
    uint32_t length = tcp_seq_distance(r.left, r.right);
    sw_tcp_receive_queue_join(tcp, conn, r.chain, length);
    conn->receive.rcv_nxt = r.right;
    conn->bytes_received += length;
}

static void advance_over(struct tcp_segment *seg, uint32_t length)
{
    length = sw_min32(length, seg->length);
    seg->seq = tcp_seq_add(seg->seq, length);
    seg->skip += length;
    seg->length -= length;
}

/* RFC 2018 8 allows it. False: nothing is held behind a hole. */
static bool forget_farthest(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_reassembly *a = held(tcp, conn);
    if (!a)
        return false;
    sw_tcp_chain_clear(tcp, &a->range[--a->count].chain);
    free_if_empty(tcp, conn);
    return true;
}

/* What is in order goes before what is not: with that alone nothing could ever be delivered. */
static bool append(struct tcp *tcp, struct tcp_connection *conn, struct tcp_segment *seg,
                   uint32_t length)
{
    if (conn->receive.head && sw_tcp_memory_is_scarce(tcp))
        return false;
    while (!sw_tcp_receive_queue_append(tcp, conn, seg, length))
        if (!forget_farthest(tcp, conn))
            return false;
    return true;
}

static bool take_in_order(struct tcp *tcp, struct tcp_connection *conn, struct tcp_segment *seg)
{
    struct tcp_reassembly *a;
    while (seg->length) {
        uint32_t length = seg->length;
        a = held(tcp, conn);
        if (a) /* what the first range has already is not taken again */
            length = sw_min32(length, offset_of(conn, a->range[0].left));
        if (length && !append(tcp, conn, seg, length))
            return false;
        a = held(tcp, conn);
        conn->receive.rcv_nxt = tcp_seq_add(conn->receive.rcv_nxt, length);
        conn->bytes_received += length;
        advance_over(seg, length);
        if (a && tcp_seq_equal(a->range[0].left, conn->receive.rcv_nxt)) {
            unlock_first(tcp, conn, a);
            uint32_t again = tcp_seq_distance(seg->seq, conn->receive.rcv_nxt);
            if (seg->length)
                sw_tcp_report_duplicate(conn, seg->seq, sw_min32(again, seg->length));
            advance_over(seg, again);
            free_if_empty(tcp, conn);
        }
    }
    return true;
}

bool sw_tcp_reassemble(struct tcp *tcp, struct tcp_connection *conn, struct tcp_segment *seg)
{
    if (SW_LIKELY(tcp_seq_equal(seg->seq, conn->receive.rcv_nxt)))
        return take_in_order(tcp, conn, seg);
    conn->out_of_order_segments++;
    return keep_out_of_order(tcp, conn, seg);
}

void sw_tcp_report_duplicate(struct tcp_connection *conn, tcp_seq seq, uint32_t length)
{
    if (!conn->sack || !length)
        return;
    conn->receive.dsack_left = seq;
    conn->receive.dsack_right = tcp_seq_add(seq, length);
}

/* RFC2018-2-1, RFC2018-4-1, RFC2883-4-1. */
void sw_tcp_sack_blocks(struct tcp *tcp, struct tcp_connection *conn, struct wire_tcp_options *out,
                        unsigned room)
{
    struct tcp_receiver *r = &conn->receive;
    out->sack_count = 0;
    if (!conn->sack)
        return;
    if (room > WIRE_TCP_SACK_BLOCKS)
        room = WIRE_TCP_SACK_BLOCKS;
    if (room && !tcp_seq_equal(r->dsack_left, r->dsack_right)) /* RFC 2883 4: first, and once */
        out->sack[out->sack_count++] = (struct wire_tcp_sack){r->dsack_left, r->dsack_right};
    const struct tcp_reassembly *a = held(tcp, conn);
    uint32_t below = UINT32_MAX;
    while (a && out->sack_count < room) { /* RFC 2018 4: the latest first, then the ones before */
        const struct range_held *best = NULL;
        for (uint32_t i = 0; i < a->count; i++)
            if (a->range[i].stamp < below && (!best || a->range[i].stamp > best->stamp))
                best = &a->range[i];
        if (!best)
            break;
        out->sack[out->sack_count++] = (struct wire_tcp_sack){best->left, best->right};
        below = best->stamp;
    }
}
