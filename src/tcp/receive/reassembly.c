/*
 * reassembly.c - Ranges behind a hole: a bounded, ordered array, each with its chain of buffers.
 *
 *     rcv_nxt   left   right      left   right
 *        |  hole  |######|   hole   |######|          first ... first + count
 *
 *     | struct tcp_reassembly | free | range | range | ... | free |      doubles when it is full
 *
 * A network that drops every other packet of a window leaves as many ranges, so their number follows
 * what is held: a few for nothing, beyond them one for each BYTES_A_RANGE. Pieces of a byte buy nothing
 * by that (attacks B-05, B-16). A segment costs a search by halves and at most one move of memory, of
 * the shorter side. What was received first stays: bytes that come again are not looked at
 * (attack C-12). The array exists only while there is a hole (E-08). RFC 9293 SHLD-31; blocks to send
 * by RFC 2018 4 and RFC 2883 4.
 */
#include "tcp/receive/reassembly.h"

#include "tcp/connection/observe.h"

#define RANGES_FREE 48        /* held for nothing */
#define BYTES_A_RANGE 512     /* beyond: so many on average; a full segment has more */
#define SMALLEST_BLOCK 1024   /* bytes of the array at first ... */
#define LARGEST_BLOCK 131072u /* ... and at most: 8187 ranges, every other segment of 23 MB */
#define RECENT 8

struct range_held {
    tcp_seq left, right;
    struct tcp_chain chain;
};

struct tcp_reassembly {
    uint32_t first, count; /* range[first ... first + count - 1]: ordered, apart from each other */
    uint32_t room;         /* ranges that the block holds */
    uint32_t bytes;        /* in all of them */
    uint32_t recent_count;
    tcp_seq recent[RECENT]; /* a place in each that was last added to, the latest first */
    uint32_t spare[3];
    struct range_held range[];
};
_Static_assert(sizeof(struct tcp_reassembly) + RANGES_FREE * sizeof(struct range_held) <=
                   SMALLEST_BLOCK,
               "what is held for nothing fits the first block");

static struct tcp_reassembly *held(const struct tcp *tcp, const struct tcp_connection *conn)
{
    return conn->receive.reassembly ? sw_region_at(tcp->region, conn->receive.reassembly) : NULL;
}

static struct range_held *at_index(struct tcp_reassembly *a, uint32_t i)
{
    return &a->range[a->first + i];
}

static uint32_t length_of(const struct range_held *r)
{
    return tcp_seq_distance(r->left, r->right);
}

static uint32_t offset_of(const struct tcp_connection *conn, tcp_seq seq)
{
    return tcp_seq_distance(conn->receive.rcv_nxt, seq); /* validated: within the window */
}

/* The first range that ends behind @seq; the count if none does. */
static uint32_t find(const struct tcp_connection *conn, struct tcp_reassembly *a, tcp_seq seq)
{
    uint32_t low = 0, high = a->count, offset = offset_of(conn, seq);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (offset_of(conn, at_index(a, middle)->right) <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t room_of(size_t block)
{
    return (uint32_t)((block - sizeof(struct tcp_reassembly)) / sizeof(struct range_held));
}

/* A block of @size for the connection's ranges; those there are move. False: no memory. */
static bool move_to_block(struct tcp *tcp, struct tcp_connection *conn, size_t size)
{
    struct tcp_reassembly *old = held(tcp, conn);
    region_ref block = sw_region_alloc(tcp->region, size);
    if (!block)
        return false;
    struct tcp_reassembly *a = sw_region_at(tcp->region, block);
    if (old) {
        *a = *old;
        memcpy(a->range, at_index(old, 0), old->count * sizeof(struct range_held));
        sw_region_free(tcp->region, conn->receive.reassembly);
    } else {
        *a = (struct tcp_reassembly){.count = 0};
    }
    a->first = 0;
    a->room = room_of(size);
    conn->receive.reassembly = block;
    return true;
}

static bool grow(struct tcp *tcp, struct tcp_connection *conn)
{
    size_t size = sw_region_block_size(tcp->region, conn->receive.reassembly);
    return size < LARGEST_BLOCK && move_to_block(tcp, conn, 2 * size);
}

/* The shorter side moves. */
static void remove_range(struct tcp_reassembly *a, uint32_t i)
{
    struct range_held *r = at_index(a, i);
    if (i < a->count / 2) {
        memmove(at_index(a, 1), at_index(a, 0), i * sizeof(*r));
        a->first++;
    } else {
        memmove(r, r + 1, (a->count - i - 1) * sizeof(*r));
    }
    a->count--;
}

/* There is room before or behind. */
static struct range_held *make_place(struct tcp_reassembly *a, uint32_t i)
{
    bool behind = a->first + a->count < a->room;
    if (a->first && (i < a->count / 2 || !behind)) {
        memmove(at_index(a, 0) - 1, at_index(a, 0), i * sizeof(a->range[0]));
        a->first--;
    } else {
        memmove(at_index(a, i) + 1, at_index(a, i), (a->count - i) * sizeof(a->range[0]));
    }
    a->count++;
    return at_index(a, i);
}

static void drop_last(struct tcp *tcp, struct tcp_reassembly *a)
{
    struct range_held *last = at_index(a, --a->count);
    a->bytes -= length_of(last);
    sw_tcp_chain_clear(tcp, &last->chain);
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
        drop_last(tcp, a);
    free_if_empty(tcp, conn);
}

uint32_t sw_tcp_reassembly_bytes(const struct tcp *tcp, const struct tcp_connection *conn)
{
    const struct tcp_reassembly *a = held(tcp, conn);
    return a ? a->bytes : 0;
}

/* Makes a new, empty range before index @i. The farthest one gives way when there are enough. */
static bool open_range(struct tcp *tcp, struct tcp_connection *conn, uint32_t i, tcp_seq at)
{
    struct tcp_reassembly *a = held(tcp, conn);
    bool enough = a->count >= sw_max32(RANGES_FREE, a->bytes / BYTES_A_RANGE);
    if (enough || (a->count == a->room && !grow(tcp, conn))) {
        if (i == a->count)
            return false;
        drop_last(tcp, a); /* RFC 2018 8 allows it */
    }
    a = held(tcp, conn);
    *make_place(a, i) = (struct range_held){.left = at, .right = at};
    return true;
}

/* Range @i is what the next report begins with; what spoke of it before is forgotten. */
static void note_recent(struct tcp_reassembly *a, uint32_t i)
{
    const struct range_held *r = at_index(a, i);
    tcp_seq latest = r->left;
    uint32_t n = 0;
    tcp_seq others[RECENT];
    for (uint32_t k = 0; k < a->recent_count; k++) {
        bool same = tcp_seq_between(a->recent[k], r->left, tcp_seq_subtract(r->right, 1));
        if (!same && n < RECENT - 1)
            others[n++] = a->recent[k];
    }
    a->recent[0] = latest;
    memcpy(a->recent + 1, others, n * sizeof(others[0]));
    a->recent_count = n + 1;
}

/* Ranges i and i + 1 touch: they become one. */
static void merge_with_next(struct tcp *tcp, struct tcp_reassembly *a, uint32_t i)
{
    struct range_held *r = at_index(a, i), *next = at_index(a, i + 1);
    if (r->chain.tail)
        sw_buffer_at(tcp->region, r->chain.tail)->next = next->chain.head;
    else
        r->chain.head = next->chain.head;
    r->chain.tail = next->chain.tail;
    r->right = next->right;
    remove_range(a, i + 1);
}

/* Keeps [at, to) of the segment, which touches no range but perhaps the ends of two. */
static bool keep_piece(struct tcp *tcp, struct tcp_connection *conn, uint32_t i,
                       struct tcp_segment *seg, tcp_seq at, tcp_seq to)
{
    struct tcp_reassembly *a = held(tcp, conn);
    bool extends = i > 0 && tcp_seq_equal(at_index(a, i - 1)->right, at);
    if (!extends && !open_range(tcp, conn, i, at))
        return false;
    a = held(tcp, conn); /* it may have moved */
    i -= extends;
    struct range_held *r = at_index(a, i);
    uint32_t length = tcp_seq_distance(at, to);
    if (!sw_tcp_keep(tcp, seg, tcp_seq_distance(seg->seq, at), length, &r->chain)) {
        if (!extends)
            remove_range(a, i);
        return false;
    }
    r->right = to;
    a->bytes += length;
    if (i + 1 < a->count && tcp_seq_equal(at_index(a, i + 1)->left, to))
        merge_with_next(tcp, a, i);
    note_recent(a, i);
    return true;
}

/* The segment lies behind a hole: each part of it that no range has yet is kept. */
static bool keep_out_of_order(struct tcp *tcp, struct tcp_connection *conn, struct tcp_segment *seg)
{
    if (sw_tcp_memory_is_short(tcp)) /* what is in order needs the rest */
        return false;
    if (!conn->receive.reassembly && !move_to_block(tcp, conn, SMALLEST_BLOCK))
        return false;
    tcp_seq at = seg->seq, end = tcp_seq_add(seg->seq, seg->length);
    bool kept = false;
    while (offset_of(conn, at) < offset_of(conn, end)) {
        struct tcp_reassembly *a = held(tcp, conn);
        uint32_t i = find(conn, a, at);
        const struct range_held *r = i < a->count ? at_index(a, i) : NULL;
        tcp_seq stop = end;
        if (r && offset_of(conn, r->left) <= offset_of(conn, at)) {
            if (offset_of(conn, r->right) < offset_of(conn, end))
                stop = r->right;
            sw_tcp_report_duplicate(conn, at, tcp_seq_distance(at, stop));
            note_recent(a, i);
            at = stop;
            continue;
        }
        if (r && offset_of(conn, r->left) < offset_of(conn, end))
            stop = r->left;
        if (!keep_piece(tcp, conn, i, seg, at, stop))
            break;
        kept = true;
        at = stop;
    }
    free_if_empty(tcp, conn);
    return kept || tcp_seq_equal(at, end);
}

/* The first range became the next in order. */
static void unlock_first(struct tcp *tcp, struct tcp_connection *conn, struct tcp_reassembly *a)
{
    struct range_held r = *at_index(a, 0);
    uint32_t length = length_of(&r);
    remove_range(a, 0);
    a->bytes -= length;
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
    drop_last(tcp, a);
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
            length = sw_min32(length, offset_of(conn, at_index(a, 0)->left));
        if (length && !append(tcp, conn, seg, length))
            return false;
        a = held(tcp, conn);
        conn->receive.rcv_nxt = tcp_seq_add(conn->receive.rcv_nxt, length);
        conn->bytes_received += length;
        advance_over(seg, length);
        if (a && tcp_seq_equal(at_index(a, 0)->left, conn->receive.rcv_nxt)) {
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

/* Each range once, while there is room. */
static void add_block(struct tcp_reassembly *a, uint32_t i, uint32_t *told, uint32_t *n,
                      struct wire_tcp_options *out, unsigned room)
{
    const struct range_held *r = at_index(a, i);
    for (uint32_t k = 0; k < *n; k++)
        if (told[k] == i)
            return;
    if (out->sack_count == room)
        return;
    told[(*n)++] = i;
    out->sack[out->sack_count++] = (struct wire_tcp_sack){r->left, r->right};
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
    struct tcp_reassembly *a = held(tcp, conn);
    if (!a)
        return;
    uint32_t told[WIRE_TCP_SACK_BLOCKS], n = 0;
    for (uint32_t k = 0; k < a->recent_count; k++) { /* RFC 2018 4: the latest first, then before */
        uint32_t i = find(conn, a, a->recent[k]);
        if (i < a->count && !tcp_seq_before(a->recent[k], at_index(a, i)->left))
            add_block(a, i, told, &n, out, room);
    }
    for (uint32_t i = a->count;
         i-- > 0 && out->sack_count < room;) /* at most those told are skipped */
        add_block(a, i, told, &n, out, room);
}
