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

static void note_delivered(struct tcp *tcp, struct tcp_connection *conn,
                           const struct tcp_segment *seg, const struct tcp_place *place,
                           struct tcp_sacked *out)
{
    const struct tcp_record *r = sw_tcp_record_at(tcp, conn, place);
    tcp_seq end = tcp_seq_add(r->seq, r->length);
    sw_tcp_rack_delivered(tcp, conn, r, seg);
    sw_tcp_record_delivered(tcp, conn, place, r->length);
    if (!(r->flags & RECORD_RETRANSMITTED)) {
        out->sent = out->first_sent && out->sent > r->sent ? out->sent : r->sent;
        out->first_sent = true;
    }
    out->highest = out->bytes ? tcp_seq_max(out->highest, end) : end;
    out->bytes += r->length;
}

/* Marks [left, right), splitting the records at the edges. False: no memory for a split. */
static bool mark(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_segment *seg,
                 const struct wire_tcp_sack *block, struct tcp_sacked *out)
{
    tcp_seq una = conn->send.snd_una;
    uint32_t left = tcp_seq_distance(una, block->left);
    uint32_t right = tcp_seq_distance(una, block->right);
    struct tcp_place place;
    struct tcp_record *r = sw_tcp_records_find(tcp, conn, block->left, &place);
    while (r && (r = sw_tcp_records_next_of(tcp, conn, RECORDS_UNSACKED, &place))) {
        uint32_t from = tcp_seq_distance(una, r->seq);
        if (from >= right)
            break;
        if (from < left) {
            if (!sw_tcp_records_split(tcp, conn, &place, left - from))
                return false;
            r = sw_tcp_records_next(tcp, conn, &place);
            continue;
        }
        if (from + r->length > right && !sw_tcp_records_split(tcp, conn, &place, right - from))
            return false;
        r = sw_tcp_record_at(tcp, conn, &place);
        note_delivered(tcp, conn, seg, &place, out);
        sw_tcp_record_set_flags(tcp, conn, &place,
                                (r->flags & (uint8_t)~RECORD_LOST) | RECORD_SACKED);
    }
    return true;
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
        struct wire_tcp_sack whole = block;
        skip_known(conn, s, &block);
        /* Where nothing is left of it, or all of it could be marked, it is known from now on. */
        bool known = !is_believable(conn, &block) || mark(tcp, conn, seg, &block, &out);
        if (known && count < SW_COUNT(believed))
            believed[count++] = whole;
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
