/*
 * stateful_peer.c - The peer: what it knows of each flow, and the segments it makes of that.
 *
 *                     acked      rcv_nxt        end
 *     the stack's:  ----|-----------|---hole--####|--
 *                     ack          nxt        edge
 *     the peer's:   ---|------------|-----------|----
 *
 * A number of a segment is one of those, more or less something small; see `number`. Zeros in a
 * record give the segment that a true TCP would send next.
 */
#include "stateful.h"
#include "stateful_wire.h"

#include <stdlib.h>

static int signed5(uint8_t byte)
{
    int d = byte & 31;
    return d < 16 ? d : d - 32;
}

static uint32_t peer_seq(const struct far *f, uint8_t byte)
{
    uint32_t d = (uint32_t)signed5(byte);
    uint32_t expected = f->ack_known ? f->ack : f->nxt;
    switch (byte >> 5) {
    case 0:
        return f->nxt + d;
    case 1:
        return expected + d;
    case 2:
        return (f->edge_known ? f->edge : f->nxt) + d;
    case 3:
        return f->nxt + d * f->mss;
    case 4:
        return expected + d * f->mss;
    case 5:
        return f->isn + d;
    case 6:
        return expected + (d << 27);
    default:
        return expected + (d << 12);
    }
}

static uint32_t peer_ack(const struct far *f, uint8_t byte)
{
    uint32_t d = (uint32_t)signed5(byte);
    switch (byte >> 5) {
    case 0:
        return f->rcv_nxt + d;
    case 1:
        return f->acked + d;
    case 2:
        return f->end + d;
    case 3:
        return f->acked + d * f->mss;
    case 4:
        return f->rcv_nxt + d * f->mss;
    case 5:
        return f->iss + d;
    case 6:
        return f->end + (d << 27);
    default:
        return f->acked + (f->end - f->acked) / 2 + d;
    }
}

static uint32_t length_of(const struct far *f, uint8_t byte, bool *forged)
{
    uint32_t d = byte & 31, room = f->edge_known ? f->edge - f->nxt : 0;
    *forged = byte >> 5 >= 6;
    switch (byte >> 5) {
    case 0:
        return d;
    case 1:
        return f->mss * (d & 7);
    case 2:
        return f->mss + d > 16 ? f->mss + d - 16 : 1;
    case 3:
        return room < 16384 && room + d > 16 ? room + d - 16 : 100;
    case 4:
        return d * 64;
    case 5:
        return 1000 + d;
    case 6:
        return d * 8 + 1;
    default:
        return f->mss * (d & 3) + 1;
    }
}

static uint16_t window_of(struct far *f, uint8_t byte)
{
    uint32_t d = byte & 31;
    switch (byte >> 5) {
    case 0:
        return f->window;
    case 1:
        return (uint16_t)d;
    case 2:
        return (uint16_t)(d * 64);
    case 3:
        return (uint16_t)(d * 2048);
    case 4:
        return (uint16_t)(65535 - d);
    case 5:
        return (uint16_t)(f->mss * d >>
                          (f->stack_scale && (f->offers & OFFER_SCALE) ? f->own_scale : 0));
    case 6:
        return f->window = (uint16_t)(d * 2048 + 1023);
    default:
        return f->window = (uint16_t)(d * d);
    }
}

/* ---- options --------------------------------------------------------------------------------- */

static uint32_t ts_now(const struct world *w, const struct far *f)
{
    return f->ts_base + (uint32_t)(w->now / SANWO_MSEC(1));
}

enum { TS_USUAL, TS_NONE, TS_OLD, TS_FUTURE, TS_ECHO_AHEAD, TS_ECHO_ZERO, TS_ECHO_OLD, TS_ZERO };

static void put_timestamps(const struct world *w, struct far *f, struct segment *seg,
                           unsigned variant)
{
    if (!(f->offers & OFFER_TS) || (!f->stack_ts && !(seg->flags & SYN)) || variant == TS_NONE)
        return;
    seg->has_ts = true;
    seg->ts_value = ts_now(w, f);
    seg->ts_echo = f->ts_echo;
    if (variant >= TS_ECHO_AHEAD && !f->agreed)
        f->scale_max = 14; /* a SYN cookie's scale lies in the echo */
    switch (variant) {
    case TS_OLD:
        seg->ts_value -= 2000;
        break;
    case TS_FUTURE:
        seg->ts_value += 1u << 30;
        f->tainted = true;
        break;
    case TS_ECHO_AHEAD:
        seg->ts_echo += 1000;
        break;
    case TS_ECHO_ZERO:
        seg->ts_echo = 0;
        break;
    case TS_ECHO_OLD:
        seg->ts_echo -= 500;
        break;
    case TS_ZERO:
        seg->ts_value = 0;
        f->tainted = true;
        break;
    default:
        break;
    }
}

static void put_sacks(struct segment *seg, const struct span *spans, unsigned n)
{
    unsigned room = seg->has_ts ? 3 : 4;
    for (unsigned i = 0; i < n && seg->sack_count < room; i++) {
        seg->sack[seg->sack_count][0] = spans[i].left;
        seg->sack[seg->sack_count++][1] = spans[i].right;
    }
}

/* The blocks that RFC 2018 and RFC 2883 ask for. */
static void put_true_sacks(struct far *f, struct segment *seg)
{
    if (!(f->offers & OFFER_SACK) || !f->stack_sack || (seg->flags & SYN))
        return;
    if (f->duplicate.left != f->duplicate.right)
        put_sacks(seg, &f->duplicate, 1);
    f->duplicate.left = f->duplicate.right;
    put_sacks(seg, f->held, f->held_count);
}

static void put_offers(const struct far *f, struct segment *seg)
{
    if (f->offers & OFFER_MSS) {
        seg->mss = f->mss;
        seg->has_mss = true;
    }
    seg->sack_permitted = f->offers & OFFER_SACK;
    if (f->offers & OFFER_SCALE)
        seg->scale = SCALE(f->own_scale);
}

/* ---- sending --------------------------------------------------------------------------------- */

static void note_sent(struct far *f, const struct segment *seg)
{
    uint32_t window = (uint32_t)seg->window << (seg->flags & SYN ? 0 : f->scale_max);
    if (window > f->window_max)
        f->window_max = window;
    if ((seg->flags & ACK) && f->iss_known && seq_before(f->acked, seg->ack) &&
        !seq_before(f->end, seg->ack))
        f->acked = seg->ack;
}

/* A second version of bytes counts only where the stack has none yet. */
static void note_forged(struct far *f, uint32_t left, uint32_t length)
{
    uint32_t right = left + length;
    if (f->ack_known && seq_before(left, f->ack))
        left = f->ack;
    if (!seq_before(left, right))
        return;
    if (f->forged_count == FORGED)
        f->forged_all = true;
    else
        f->forged[f->forged_count++] = (struct span){left, right};
}

static void send_segment(struct world *w, struct far *f, struct segment *seg, bool forged,
                         sanwo_time later)
{
    static uint8_t packet[PACKET_MAX];
    unsigned flow = (unsigned)(f - w->flows);
    uint32_t first = seg->seq + !!(seg->flags & SYN);
    if (seg->length > 16384)
        seg->length = 16384;
    seg->payload = peer_stream(flow, first, forged);
    if (forged)
        note_forged(f, first, seg->length);
    note_sent(f, seg);
    struct flow way = {.from = f->theirs, .to = f->ours};
    size_t length = packet_tcp(&way, seg, packet);
    struct arrival arrival = {0};
    if (later == AT_ONCE)
        arrival = arrival_before(w, f);
    wire_send(w, packet, length, later);
    arrival_after(w, &arrival, seg);
}

static uint32_t span_of(const struct segment *seg)
{
    return seg->length + !!(seg->flags & SYN) + !!(seg->flags & FIN);
}

/* The peer goes on behind what it sent in order. */
static void go_on(struct far *f, const struct segment *seg)
{
    if (seg->seq == f->nxt)
        f->nxt += span_of(seg);
}

static struct segment plain(const struct world *w, struct far *f, uint8_t flags)
{
    struct segment seg = {.flags = flags, .seq = f->nxt, .ack = f->rcv_nxt, .window = f->window};
    put_timestamps(w, f, &seg, TS_USUAL);
    if (!(flags & ACK))
        seg.ack = 0;
    return seg;
}

static void send_ack(struct world *w, struct far *f, sanwo_time later)
{
    struct segment seg = plain(w, f, ACK);
    put_true_sacks(f, &seg);
    send_segment(w, f, &seg, false, later);
}

/* a flags (0: ACK), b sequence, c acknowledgement, d length, e window, f options */
static void segment(struct world *w, struct far *f, const uint8_t *r)
{
    bool forged;
    struct segment seg = {.flags = r[2] ? r[2] : ACK};
    seg.seq = seg.flags & SYN && !r[3] ? f->isn : peer_seq(f, r[3]);
    seg.ack = seg.flags & ACK ? peer_ack(f, r[4]) : 0;
    seg.length = length_of(f, r[5], &forged);
    seg.window = window_of(f, r[6]);
    put_timestamps(w, f, &seg, r[7] & 7);
    if (seg.flags & SYN)
        put_offers(f, &seg);
    if (r[7] & 8 || f->has_sacks)
        put_sacks(&seg, f->sacks, 3);
    else
        put_true_sacks(f, &seg);
    f->has_sacks = false;
    if (f->has_raw && !seg.sack_count) {
        seg.raw = f->raw;
        seg.raw_length = sizeof(f->raw);
    }
    f->has_raw = false;
    if (seg.flags & URG)
        seg.urgent = r[7] & 32 ? 0xffff : (uint16_t)(seg.length + (r[5] & 3));
    seg.bad_checksum = (r[7] & 192) == 192;
    seg.dscp_ecn = r[7] >> 6 == 1 ? 3 : 0;
    send_segment(w, f, &seg, forged, AT_ONCE);
    if (!(seg.flags & RST))
        go_on(f, &seg);
}

/* What a SYN of the peer's offers. a: what not, c: MSS, d: scale */
static void choose_offers(struct far *f, const uint8_t *r)
{
    static const uint16_t sizes[] = {1000, 536, 64, 1460, 8960, 0, 1, 65535};
    f->offers = ~r[2] & 15;
    f->mss = sizes[r[4] & 7] ? sizes[r[4] & 7] : 536;
    f->own_scale = f->offers & OFFER_SCALE ? r[5] & 15 : 0;
    if (f->own_scale > 14)
        f->own_scale = 14;
    if (f->own_scale > f->scale_max)
        f->scale_max = f->own_scale;
}

/* a: no options of these, b: initial number, c: MSS, d: scale and port, e: flags, f: data */
static void syn(struct world *w, struct far *f, const uint8_t *r)
{
    static const uint32_t starts[] = {0xffffff00u, 0, 0x7ffffff0u, 0x80000000u, 12345, 0xfffffffeu};
    choose_offers(f, r);
    uint32_t isn = f->isn + 0x01000000u;
    if (r[3])
        isn = r[3] & 128 ? f->nxt + (r[3] & 127u) : starts[r[3] % 6] + (r[3] >> 3);
    uint16_t port = (uint16_t)(LISTEN_PORT + (r[5] >> 4) % LISTENERS);
    if (f->ours.port != port && (!f->iss_known || !flow_user(w, (unsigned)(f - w->flows)))) {
        f->ours.port = port;
        peer_forget(f);
    }
    /* The old connection is forgotten only when the stack answers: took_syn(). */
    if (!f->iss_known) {
        f->isn = isn;
        f->nxt = isn + 1;
    }
    struct segment seg = {.flags = SYN, .seq = isn, .window = f->window};
    seg.flags |= r[6];
    seg.length = r[7] & 63;
    put_offers(f, &seg);
    put_timestamps(w, f, &seg, r[7] >> 6 == 3 ? TS_OLD : TS_USUAL);
    send_segment(w, f, &seg, false, AT_ONCE);
}

/* The SYN-ACK (or SYN) to a SYN of the stack's. As syn(), but b: wrong acknowledgement */
static void answer(struct world *w, struct far *f, const uint8_t *r)
{
    if (f->nxt == f->isn || !f->ack_known)
        choose_offers(f, r);
    struct segment seg = {.flags = SYN | ACK, .seq = f->isn, .window = f->window};
    seg.flags ^= r[6];
    seg.ack = seg.flags & ACK ? f->rcv_nxt + (uint32_t)signed5(r[3]) : 0;
    seg.length = r[7] & 63;
    put_offers(f, &seg);
    put_timestamps(w, f, &seg, r[7] >> 6);
    send_segment(w, f, &seg, false, AT_ONCE);
    if (f->nxt == f->isn)
        f->nxt++;
}

/* a, b: how many bytes (0: a full segment), c: how, d: how large the segments are */
enum {
    SKIP_FIRST = 1,
    BACKWARDS = 2,
    TWICE = 4,
    OVERLAP = 8,
    PUSH = 16,
    THEN_FIN = 32,
    FORGE = 64
};

static void data_piece(struct world *w, struct far *f, uint32_t at, uint32_t length, uint8_t how,
                       bool last)
{
    struct segment seg = plain(w, f, (how & PUSH) || last ? ACK | PSH : ACK);
    uint32_t back = how & OVERLAP && length > 5 ? 5 : 0;
    put_true_sacks(f, &seg);
    seg.seq = at - back;
    seg.length = length + back;
    if (last && (how & THEN_FIN))
        seg.flags |= FIN;
    send_segment(w, f, &seg, false, AT_ONCE);
    if (how & TWICE)
        send_segment(w, f, &seg, how & FORGE, AT_ONCE);
}

static void data(struct world *w, struct far *f, const uint8_t *r)
{
    uint32_t total = (r[2] | (uint32_t)r[3] << 8) & 0x7fff;
    uint32_t size = r[5] ? r[5] * 8u : f->mss, start = f->nxt;
    if (!total)
        total = size;
    if (total > size * 24)
        total = size * 24;
    uint32_t pieces = (total + size - 1) / size;
    for (uint32_t i = 0; i < pieces; i++) {
        uint32_t n = r[4] & BACKWARDS ? pieces - 1 - i : i;
        uint32_t length = n == pieces - 1 ? total - n * size : size;
        if (n || !(r[4] & SKIP_FIRST))
            data_piece(w, f, start + n * size, length, r[4], n == pieces - 1);
    }
    if (!(r[4] & SKIP_FIRST))
        f->nxt = start + total + !!(r[4] & THEN_FIN);
}

/* ---- receiving ------------------------------------------------------------------------------- */

void peer_forget(struct far *f)
{
    f->iss_known = f->ack_known = f->edge_known = f->agreed = false;
    f->held_count = f->forged_count = 0;
    f->forged_all = f->tainted = f->honest = false;
    f->stack_ts = f->stack_sack = f->stack_scale = false;
    f->duplicate = (struct span){0, 0};
    f->scale_max = f->own_scale;
    f->window_max = f->window;
}

/* A SYN of the stack's: where its numbers begin, and what it agrees to. */
static void took_syn(struct world *w, struct far *f, const struct segment *seg)
{
    struct user *u = flow_user(w, (unsigned)(f - w->flows));
    struct sanwo_tcp_info info;
    bool alive = f->iss_known && f->iss == seg->seq && u && u->iss == seg->seq &&
                 !sanwo_tcp_info(w->stack, u->handle, &info) && info.state != SANWO_TCP_CLOSED;
    bool answers = seg->flags & ACK, other = f->isn + 1 != seg->ack;
    bool again = f->agreed || (f->ack_known && seq_before(seg->ack, f->ack));
    if (answers && !alive && (!f->iss_known || f->iss != seg->seq || other || again)) {
        /* A connection begins, by the SYN that is answered or by an old one that came again. */
        if (f->iss != seg->seq) {
            f->user_end = seg->seq + 1;
            f->user_fin = false;
        }
        f->user_aborted = false;
        peer_forget(f);
        f->isn = seg->ack - 1;
        f->nxt = seg->ack;
    }
    if (answers && alive && other && !f->ack_known) { /* simultaneous open, with another SYN */
        f->isn = seg->ack - 1;
        f->nxt = seg->ack;
    }
    if (!f->iss_known || f->iss != seg->seq) {
        f->iss_known = true;
        f->iss = seg->seq;
        f->rcv_nxt = f->end = f->acked = seg->seq + 1;
    }
    f->stack_ts = seg->has_ts;
    f->stack_sack = seg->sack_permitted;
    f->stack_scale = seg->scale;
    f->scale = (uint8_t)(seg->scale & 15);
}

static void forget_held(struct far *f, unsigned i)
{
    memmove(&f->held[i], &f->held[i + 1], (--f->held_count - i) * sizeof(f->held[0]));
}

/* Puts [left, right) where it belongs, as a receiver does. */
static void hold(struct far *f, uint32_t left, uint32_t right)
{
    struct span all = {left, right};
    if (!seq_before(f->rcv_nxt, right)) {
        f->duplicate = all;
        return;
    }
    for (unsigned i = 0; i < f->held_count;) {
        struct span *h = &f->held[i];
        if (seq_before(all.right, h->left) || seq_before(h->right, all.left)) {
            i++;
            continue;
        }
        if (!seq_before(left, h->left) && !seq_before(h->right, right))
            f->duplicate = (struct span){left, right};
        if (seq_before(h->left, all.left))
            all.left = h->left;
        if (seq_before(all.right, h->right))
            all.right = h->right;
        forget_held(f, i);
    }
    if (!seq_before(f->rcv_nxt, all.left)) {
        f->rcv_nxt = all.right;
        return;
    }
    if (f->held_count == HELD)
        f->held_count--;
    memmove(&f->held[1], &f->held[0], f->held_count++ * sizeof(f->held[0]));
    f->held[0] = all;
}

static sanwo_time lateness(const struct far *f)
{
    static const sanwo_time times[] = {0,
                                       SANWO_MSEC(1),
                                       SANWO_MSEC(10),
                                       SANWO_MSEC(100),
                                       SANWO_MSEC(300),
                                       SANWO_SEC(2),
                                       SANWO_USEC(50),
                                       SANWO_SEC(30)};
    return times[f->lateness & 7];
}

void peer_took(struct world *w, struct far *f, const struct segment *seg)
{
    if (seg->flags & RST)
        return;
    if (seg->flags & SYN)
        took_syn(w, f, seg);
    else if (!f->iss_known)
        return;
    if (seg->has_ts)
        f->ts_echo = seg->ts_value;
    uint32_t span = span_of(seg), end = seg->seq + span;
    if (seq_before(f->end, end) && !(seg->flags & SYN))
        f->end = end;
    if (!span || seg->flags & SYN) {
        if (f->automatic && seq_before(seg->seq, f->rcv_nxt) && !(seg->flags & SYN))
            send_ack(w, f, lateness(f)); /* keep-alive */
        return;
    }
    f->seen++;
    if (f->lose >> (f->seen & 7) & 1)
        return;
    if (f->automatic || seg->seq == f->rcv_nxt || f->lose)
        hold(f, seg->seq, end);
    if (f->automatic && f->seen % ((f->every & 3) + 1u) == 0)
        send_ack(w, f, f->lateness & 8 && f->seen & 1 ? lateness(f) * 2 : lateness(f));
}

/* ---- records --------------------------------------------------------------------------------- */

/* Three blocks: start and length in halves of a segment from what was acknowledged. */
static void blocks(struct far *f, const uint8_t *r)
{
    uint32_t unit = r[1] & 64 ? 1 : f->mss / 2u;
    f->has_sacks = true;
    for (unsigned i = 0; i < 3; i++) {
        uint32_t base = r[1] & 128 ? f->end : f->acked;
        f->sacks[i].left = base + (uint32_t)(int8_t)r[2 + 2 * i] * unit;
        f->sacks[i].right = f->sacks[i].left + (uint32_t)(int8_t)r[3 + 2 * i] * unit;
    }
}

bool peer_operation(struct world *w, const uint8_t *r)
{
    struct far *f = &w->flows[(r[1] & 7) % FLOWS];
    switch (r[0]) {
    case OP_SEGMENT:
        segment(w, f, r);
        return true;
    case OP_SYN:
        syn(w, f, r);
        return true;
    case OP_ANSWER:
        answer(w, f, r);
        return true;
    case OP_DATA:
        data(w, f, r);
        return true;
    case OP_ACK:
        if (r[2])
            window_of(f, r[2]);
        if (r[3]) /* all that was sent, holes or not */
            f->rcv_nxt = f->end;
        send_ack(w, f, AT_ONCE);
        return true;
    case OP_FIN: {
        struct segment seg = plain(w, f, FIN | ACK);
        send_segment(w, f, &seg, false, AT_ONCE);
        go_on(f, &seg);
        return true;
    }
    case OP_SACKS:
        blocks(f, r);
        return true;
    case OP_RAW:
        f->has_raw = true;
        memcpy(f->raw, r + 2, 6);
        memset(f->raw + 6, 0, 2);
        return true;
    case OP_AUTO: /* a: 0 on; b: which of eight are lost; c: one ACK for how many; d: how late */
        f->automatic = !r[2];
        f->lose = r[3];
        f->every = r[4];
        f->lateness = r[5];
        return true;
    default:
        return wire_operation(w, f, r);
    }
}
