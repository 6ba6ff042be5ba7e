/*
 * scoreboard.c - SACK blocks onto the records. What they show to be lost is for rack.c to say.
 *
 * A peer repeats its blocks in every ACK. What the last ACK covered is passed over, so the work is in
 * proportion to what is new, whatever the blocks span (B-02).
 */
#include "tcp/recovery/scoreboard.h"

#include "tcp/send/sending.h"

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

/* What the last ACK reported too was looked at then: @block is what is left of it to the right. */
static void skip_known(const struct tcp_connection *conn, const struct tcp_sending *s,
                       struct wire_tcp_sack *block)
{
    uint32_t left = tcp_seq_distance(conn->send.snd_una, block->left);
    for (uint8_t i = 0; i < s->sack_count; i++) {
        const struct wire_tcp_sack *known = &s->sacks[i];
        if (!is_believable(conn, known))
            continue;
        uint32_t from = tcp_seq_distance(conn->send.snd_una, known->left);
        uint32_t to = tcp_seq_distance(conn->send.snd_una, known->right);
        if (left >= from && left < to) {
            block->left = known->right;
            left = to;
        }
    }
}

/* Marks [left, right), splitting the records at the edges. Bytes that are new. */
static uint32_t mark(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_segment *seg,
                     const struct wire_tcp_sack *block, struct tcp_sacked *out)
{
    tcp_seq una = conn->send.snd_una;
    uint32_t left = tcp_seq_distance(una, block->left);
    uint32_t right = tcp_seq_distance(una, block->right), news = 0;
    struct tcp_place place;
    struct tcp_record *r = sw_tcp_records_find(tcp, conn, block->left, &place);
    while (r) {
        uint32_t from = tcp_seq_distance(una, r->seq);
        uint32_t to = from + r->length;
        if (from >= right)
            break;
        if (!(r->flags & RECORD_SACKED)) {
            if (from < left) {
                if (!sw_tcp_records_split(tcp, conn, &place, left - from))
                    break;
                r = sw_tcp_records_next(tcp, conn, &place);
                continue;
            }
            if (to > right && !sw_tcp_records_split(tcp, conn, &place, right - from))
                break;
            r = sw_tcp_record_at(tcp, conn, &place);
            sw_tcp_rack_delivered(tcp, conn, r, seg);
            sw_tcp_record_delivered(tcp, conn, &place, r->length);
            out->first_sent |= !(r->flags & RECORD_RETRANSMITTED);
            tcp_seq end = tcp_seq_add(r->seq, r->length);
            out->highest = out->bytes + news ? tcp_seq_max(out->highest, end) : end;
            news += r->length;
            sw_tcp_record_set_flags(tcp, conn, &place,
                                    (r->flags & (uint8_t)~RECORD_LOST) | RECORD_SACKED);
        }
        r = sw_tcp_records_next(tcp, conn, &place);
    }
    return news;
}

struct tcp_sacked sw_tcp_scoreboard_update(struct tcp *tcp, struct tcp_connection *conn,
                                           const struct tcp_segment *seg)
{
    struct tcp_sacked out = {.bytes = 0};
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    struct wire_tcp_sack believed[SW_COUNT(s->sacks)];
    uint8_t count = 0;
    if (!s)
        return out;
    for (uint8_t i = 0; i < seg->options.sack_count; i++) {
        struct wire_tcp_sack block = seg->options.sack[i];
        if (!is_believable(conn, &block))
            continue;
        if (count < SW_COUNT(believed))
            believed[count++] = block;
        skip_known(conn, s, &block);
        if (is_believable(conn, &block)) /* something is left of it */
            out.bytes += mark(tcp, conn, seg, &block, &out);
    }
    memcpy(s->sacks, believed, sizeof(believed[0]) * count);
    s->sack_count = count;
    return out;
}

void sw_tcp_scoreboard_forget(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    if (s)
        s->sack_count = 0;
}
