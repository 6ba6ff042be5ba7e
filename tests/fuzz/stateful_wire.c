/*
 * stateful_wire.c - How packets reach the stack, and packets that no peer would send.
 */
#include "stateful_wire.h"

#include <stdlib.h>

enum { VIA_CHECKSUM = 3, VIA_BORROWED = 4, VIA_SLICES = 8, VIA_EARLIER = 16, VIA_LATER = 32 };

static void remember(struct world *w, const uint8_t *packet, size_t length)
{
    struct packet *p = &w->history[w->history_next++ % HISTORY];
    free(p->bytes);
    *p = (struct packet){.bytes = fuzz_copy(packet, length), .length = length};
}

/* In a buffer of the stack's, if it has one. */
static bool borrow(struct world *w, struct sanwo_frame *frame)
{
    struct sanwo_room room;
    if (sanwo_stack_borrow(w->stack, frame->length, &room, 1) != 1)
        return false;
    memcpy(room.bytes, frame->slices[0].bytes, frame->length);
    frame->slices[0].bytes = room.bytes;
    frame->slices[0].buffer = room.buffer;
    return true;
}

static void cut_in_slices(struct sanwo_frame *frame, uint8_t salt)
{
    uint32_t first = frame->slices[0].bytes[0] >> 4 == 4 ? 80 : 100; /* all headers lie in it */
    uint32_t at = first, n = 1;
    if (frame->length <= first)
        return;
    frame->slices[0].length = first;
    while (at < frame->length) {
        uint32_t part = n == 5 ? frame->length - at : (frame->length - at) / 2 + (salt & 3);
        if (part > frame->length - at)
            part = frame->length - at;
        if (!part)
            part = frame->length - at;
        frame->slices[n++] =
            (struct sanwo_slice){.bytes = frame->slices[0].bytes + at, .length = part};
        at += part;
    }
    frame->slice_count = (uint16_t)n;
}

static struct sanwo_frame frame_of(struct world *w, const struct packet *p)
{
    struct sanwo_frame frame = {
        .link = (uint16_t)w->link, .length = (uint32_t)p->length, .slice_count = 1};
    uint8_t via = w->via_left ? w->via : 0;
    frame.slices[0] = (struct sanwo_slice){.bytes = p->bytes, .length = (uint32_t)p->length};
    if (w->via_left)
        w->via_left--;
    if ((via & VIA_CHECKSUM) <= SANWO_CHECKSUM_PARTIAL)
        frame.checksum = via & VIA_CHECKSUM;
    if (via & VIA_EARLIER)
        frame.arrival = w->now > SANWO_MSEC(5) ? w->now - SANWO_MSEC(5) : 0;
    if (via & VIA_LATER)
        frame.arrival = w->now + SANWO_SEC(5); /* a driver's clock ahead of ours */
    if (!(via & VIA_BORROWED) || !borrow(w, &frame))
        if (via & VIA_SLICES)
            cut_in_slices(&frame, via);
    return frame;
}

static void deliver(struct world *w, struct packet *packets, unsigned n)
{
    struct sanwo_frame frames[HISTORY];
    frames[0].slice_count = 0; /* n is never 0, but a compiler cannot know */
    for (unsigned i = 0; i < n; i++)
        frames[i] = frame_of(w, &packets[i]);
    sanwo_stack_receive(w->stack, frames, n, w->now);
    for (unsigned i = 0; i < n; i++)
        free(packets[i].bytes);
}

void peer_flush_batch(struct world *w)
{
    unsigned n = w->batch_count;
    w->batch_count = w->batch_left = 0;
    if (n)
        deliver(w, w->batch, n);
}

void wire_send(struct world *w, const uint8_t *packet, size_t length, sanwo_time later)
{
    struct packet p = {.due = w->now + later, .length = length};
    if (later != AT_ONCE && w->wire_count == WIRE)
        return; /* lost */
    remember(w, packet, length);
    p.bytes = fuzz_copy(packet, length);
    if (later != AT_ONCE) {
        w->wire[w->wire_count++] = p;
    } else if (w->batch_left && w->batch_count < HISTORY) {
        w->batch[w->batch_count++] = p;
        if (--w->batch_left == 0)
            peer_flush_batch(w);
    } else {
        deliver(w, &p, 1);
    }
}

sanwo_time peer_deadline(const struct world *w)
{
    sanwo_time next = SANWO_TIME_NEVER;
    for (unsigned i = 0; i < w->wire_count; i++)
        if (w->wire[i].due < next)
            next = w->wire[i].due;
    return next;
}

bool peer_deliver_due(struct world *w)
{
    bool any = false;
    for (unsigned i = 0; i < w->wire_count;) {
        struct packet p = w->wire[i];
        if (p.due > w->now) {
            i++;
            continue;
        }
        memmove(&w->wire[i], &w->wire[i + 1], (--w->wire_count - i) * sizeof(p));
        deliver(w, &p, 1);
        any = true;
    }
    return any;
}

/* ---- packets that no peer would send --------------------------------------------------------- */

/* a: which of the last, b c: where, d: how it differs, e: 0 checksums made right */
static void again(struct world *w, const uint8_t *r)
{
    struct packet *p = &w->history[r[2] % HISTORY];
    if (!p->bytes)
        return;
    size_t length = p->length;
    uint8_t *copy = fuzz_copy(p->bytes, length);
    copy[(r[3] | (size_t)r[4] << 8) % length] ^= r[5];
    if (r[5])
        w->changed = true;
    /* Text, or options that become text, may now be anything, anywhere, and be taken for good. */
    size_t headers = (copy[0] >> 4 == 4 ? 20 : 40) + 20;
    if (r[5] && length > headers && (!r[6] || w->via_left))
        w->garbled = true;
    if (r[5] && !r[6])
        wire_fix_checksums(copy, length);
    wire_send(w, copy, length, AT_ONCE);
    free(copy);
}

/* The segment that an error is about: the last one, or one made up. */
static size_t quote(struct world *w, const struct far *f, const uint8_t *r, uint8_t *out)
{
    static uint8_t packet[PACKET_MAX];
    size_t length = f->last_length;
    if (!(r[6] & 3) && f->last) {
        memcpy(out, f->last, length);
    } else {
        struct segment seg = {.flags = ACK, .ack = f->nxt, .window = 1000};
        struct flow way = {.from = f->ours, .to = f->theirs};
        static const int32_t from_una[] = {0, 0, -1, 1};
        seg.seq = r[6] & 32 ? f->end : f->acked + (uint32_t)from_una[r[6] & 3];
        seg.length = r[6] & 64 ? 2000 : 100;
        seg.payload = stack_stream((unsigned)(f - w->flows), seg.seq);
        length = packet_tcp(&way, &seg, packet);
        memcpy(out, packet, length < 576 ? length : 576);
    }
    length = length < 576 ? length : 576;
    return r[7] && r[7] < length ? r[7] : length;
}

/* a: what, b c: the MTU it says, e: about which segment, f: how much of it is quoted */
static void icmp(struct world *w, const struct far *f, const uint8_t *r)
{
    static const uint8_t four[][2] = {{3, 4},  {3, 1},  {3, 2}, {3, 3},
                                      {11, 0}, {12, 0}, {4, 0}, {5, 0}};
    static const uint8_t six[][2] = {{2, 0}, {1, 0}, {1, 1}, {1, 4},
                                     {3, 0}, {4, 0}, {4, 1}, {137, 0}};
    static uint8_t packet[PACKET_MAX];
    uint8_t quoted[576];
    bool ipv4 = f->theirs.address.family == SANWO_FAMILY_IPV4;
    const uint8_t *what = ipv4 ? four[r[2] & 7] : six[r[2] & 7];
    size_t n = quote(w, f, r, quoted);
    uint32_t mtu = r[3] | (uint32_t)r[4] << 8;
    if (!mtu)
        mtu = ipv4 ? 600 : 1280;
    size_t length =
        packet_icmp(&f->theirs.address, &f->ours.address, what[0], what[1], mtu, quoted, n, packet);
    wire_send(w, packet, length, AT_ONCE);
}

/* An ACK of the peer's that something of IP is done to. */
static size_t ip_oddity(const struct far *f, uint8_t which, uint8_t *packet)
{
    struct segment seg = {.flags = ACK, .seq = f->nxt, .ack = f->rcv_nxt, .window = f->window};
    struct flow way = {.from = f->theirs, .to = f->ours};
    size_t length = packet_tcp(&way, &seg, packet);
    bool ipv4 = f->theirs.address.family == SANWO_FAMILY_IPV4;
    uint8_t *source = packet + (ipv4 ? 12 : 8), *destination = packet + (ipv4 ? 16 : 24);
    size_t size = ipv4 ? 4 : 16;
    switch (which) {
    case 0: /* a fragment */
        packet[6] = ipv4 ? 0x20 : 44;
        break;
    case 1:
        packet[ipv4 ? 9 : 6] = 17;
        break;
    case 2:
        packet[ipv4 ? 9 : 6] = 253;
        break;
    case 3: /* to itself */
        memcpy(source, destination, size);
        break;
    case 4:
        memset(source, ipv4 ? 127 : 0xff, size);
        break;
    case 5:
        memset(destination, ipv4 ? 224 : 0xff, size);
        break;
    case 6: /* somebody else's */
        destination[size - 1] ^= 0x40;
        break;
    case 7:
        packet[ipv4 ? 8 : 7] = 1;
        break;
    default:
        packet[0] ^= which;
        break;
    }
    return length;
}

/* a: 0 echo, 1 of a large one, 2 and more: see ip_oddity(); b: checksums stay wrong */
static void other(struct world *w, const struct far *f, const uint8_t *r)
{
    static uint8_t packet[PACKET_MAX];
    static const uint8_t ping[1200];
    bool ipv4 = f->theirs.address.family == SANWO_FAMILY_IPV4;
    size_t length;
    if (r[2] < 2)
        length = packet_icmp(&f->theirs.address, &f->ours.address, ipv4 ? 8 : 128, 0, 0x10001, ping,
                             r[2] ? sizeof(ping) : 8, packet);
    else
        length = ip_oddity(f, (r[2] - 2) & 15, packet);
    if (!r[3])
        wire_fix_checksums(packet, length);
    wire_send(w, packet, length, AT_ONCE);
}

bool wire_operation(struct world *w, struct far *f, const uint8_t *r)
{
    switch (r[0]) {
    case OP_REPLAY:
        again(w, r);
        return true;
    case OP_ICMP:
        icmp(w, f, r);
        return true;
    case OP_OTHER:
        other(w, f, r);
        return true;
    case OP_BATCH: /* a: how many packets */
        w->batch_left = (uint8_t)(r[2] % HISTORY + 1);
        return true;
    case OP_VIA: /* a: how, b: for how many packets more than one */
        w->via = r[2];
        w->via_left = (uint8_t)(r[3] | 1);
        return true;
    default:
        return false;
    }
}
