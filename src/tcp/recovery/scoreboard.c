/*
 * scoreboard.c - SACK blocks onto the records. What they show to be lost is for rack.c to say.
 */
#include "tcp/recovery/scoreboard.h"

#include "tcp/send/records.h"

/*
 * Both edges inside (snd_una, snd_nxt], in order: else the block is not looked at (B-04, E-15).
 * RFC2018-3-1.
 */
static bool is_believable(const struct tcp_connection *conn, const struct wire_tcp_sack *block)
{
    tcp_seq una = conn->send.snd_una, nxt = conn->send.snd_nxt;
    return !tcp_seq_equal(block->left, una) && tcp_seq_between(block->left, una, nxt) &&
           tcp_seq_between(block->right, una, nxt) &&
           tcp_seq_distance(una, block->left) < tcp_seq_distance(una, block->right);
}

/* Index of the record that holds @seq, by bisection; the count if there is none. */
static uint32_t index_of(struct tcp *tcp, struct tcp_connection *conn, tcp_seq seq)
{
    uint32_t low = 0, high = sw_tcp_records_count(tcp, conn);
    uint32_t wanted = tcp_seq_distance(conn->send.snd_una, seq);
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        const struct tcp_record *r = sw_tcp_record(tcp, conn, middle);
        if (tcp_seq_distance(conn->send.snd_una, r->seq) + r->length <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Marks [left, right), splitting the records at the edges. True if anything was new. */
static bool mark(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_segment *seg,
                 const struct wire_tcp_sack *block)
{
    bool news = false;
    uint32_t i = index_of(tcp, conn, block->left);
    while (i < sw_tcp_records_count(tcp, conn)) {
        struct tcp_record *r = sw_tcp_record(tcp, conn, i);
        uint32_t left = tcp_seq_distance(conn->send.snd_una, block->left);
        uint32_t right = tcp_seq_distance(conn->send.snd_una, block->right);
        uint32_t from = tcp_seq_distance(conn->send.snd_una, r->seq);
        uint32_t to = from + r->length;
        if (from >= right)
            break;
        if (!(r->flags & RECORD_SACKED)) {
            if (from < left) {
                if (!sw_tcp_records_split(tcp, conn, i, left - from))
                    break;
                i++;
                continue;
            }
            if (to > right && !sw_tcp_records_split(tcp, conn, i, right - from))
                break;
            r = sw_tcp_record(tcp, conn, i);
            sw_tcp_rack_delivered(tcp, conn, r, seg);
            uint8_t flags = (r->flags & (uint8_t)~RECORD_LOST) | RECORD_SACKED;
            sw_tcp_record_set_flags(conn, r, flags);
            news = true;
        }
        i++;
    }
    return news;
}

bool sw_tcp_scoreboard_update(struct tcp *tcp, struct tcp_connection *conn,
                              const struct tcp_segment *seg)
{
    bool news = false;
    for (uint8_t i = 0; i < seg->options.sack_count; i++)
        if (is_believable(conn, &seg->options.sack[i]))
            news |= mark(tcp, conn, seg, &seg->options.sack[i]);
    return news;
}
