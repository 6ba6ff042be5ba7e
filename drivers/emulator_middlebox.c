/*
 * emulator_middlebox.c - Options stripped, MSS clamped, numbers shifted, ECN bleached; segments split,
 * joined and answered with resets.
 *
 *     stack --- out: box, path out --- wire         a connection's numbers are moved by two constants,
 *     stack --- in: box, path in  ---- wire         one for each end's, that follow from its addresses
 *
 *     outward:  seq += ours,   ack -= theirs, SACK blocks -= theirs
 *     inward:   seq += theirs, ack -= ours,   SACK blocks -= ours
 */
#include <string.h>

#include "emulator_chance.h"
#include "emulator_middlebox.h"
#include "emulator_segment.h"

/* TCP option kinds (RFC 9293 3.2, RFC 7323, RFC 2018). */
enum {
    OPTION_END,
    OPTION_NOP,
    OPTION_MSS,
    OPTION_SCALE,
    OPTION_SACK_PERMITTED,
    OPTION_SACK,
    OPTION_TIMESTAMPS = 8,
    OPTION_KINDS
};

bool sw_emulator_middlebox_valid(const struct sanwo_emulator_middlebox *c)
{
    return c->split_ppm <= MILLION && c->join_ppm <= MILLION && c->reset_ppm <= MILLION;
}

void sw_emulator_middlebox_set(struct middlebox *box, const struct sanwo_emulator_middlebox *c)
{
    box->config = *c;
    box->active = c->strip_syn || c->strip_later || c->clamp_mss || c->shift_sequence ||
                  c->bleach_ecn || c->split_ppm || c->join_ppm || c->reset_ppm;
}

/* ---- numbers ------------------------------------------------------------------------------------ */

/* By how much the numbers of one end's stream are moved. The first address and port are the stack's. */
static uint32_t shift_of(const struct middlebox *box, const struct segment *s, bool outward,
                         bool of_stack)
{
    size_t size = s->v6 ? 16 : 4;
    const uint8_t *addresses = s->ip + (s->v6 ? 8 : 12);
    uint64_t hash = box->seed ^ of_stack;

    for (unsigned i = 0; i < 2; i++) {
        bool second = outward ? i == 1 : i == 0;
        const uint8_t *address = addresses + (second ? size : 0);

        for (size_t k = 0; k < size; k += 4)
            hash = sw_emulator_mix(hash + sw_emulator_read32(address + k));
        hash = sw_emulator_mix(hash + sw_emulator_read16(s->tcp + (second ? 2 : 0)));
    }
    return (uint32_t)hash;
}

static void add_to(uint8_t *field, uint32_t shift)
{
    sw_emulator_write32(field, sw_emulator_read32(field) + shift);
}

static void shift(const struct middlebox *box, struct segment *s, bool outward)
{
    add_to(s->tcp + SEGMENT_SEQ, shift_of(box, s, outward, outward));
    if (s->tcp[SEGMENT_FLAGS] & SEGMENT_ACK)
        add_to(s->tcp + SEGMENT_ACK_NUMBER, 0u - shift_of(box, s, outward, !outward));
}

/* ---- options ------------------------------------------------------------------------------------ */

static uint32_t strip_bit(uint8_t kind)
{
    static const uint8_t bits[OPTION_KINDS] = {
        [OPTION_MSS] = SANWO_STRIP_MSS,
        [OPTION_SCALE] = SANWO_STRIP_WINDOW_SCALE,
        [OPTION_SACK_PERMITTED] = SANWO_STRIP_SACK_PERMITTED,
        [OPTION_SACK] = SANWO_STRIP_SACK,
        [OPTION_TIMESTAMPS] = SANWO_STRIP_TIMESTAMPS,
    };

    return kind < OPTION_KINDS ? bits[kind] : 0;
}

static void treat_option(const struct middlebox *box, struct segment *s, uint8_t *option,
                         bool outward)
{
    const struct sanwo_emulator_middlebox *c = &box->config;
    bool syn = (s->tcp[SEGMENT_FLAGS] & SEGMENT_SYN) != 0;
    uint32_t strip = syn ? c->strip_syn : c->strip_later;
    uint8_t kind = option[0], length = option[1];

    if (c->strip_outward_only && !outward)
        strip = 0;
    if (strip & strip_bit(kind)) {
        memset(option, OPTION_NOP, length);
    } else if (kind == OPTION_MSS && length == 4 && c->clamp_mss != 0 &&
               sw_emulator_read16(option + 2) > c->clamp_mss) {
        sw_emulator_write16(option + 2, c->clamp_mss);
    } else if (kind == OPTION_SACK && c->shift_sequence && !c->forget_sack) {
        uint32_t by = 0u - shift_of(box, s, outward, !outward);

        for (unsigned at = 2; at + 4u <= length; at += 4)
            add_to(option + at, by);
    }
}

static void treat_options(const struct middlebox *box, struct segment *s, bool outward)
{
    uint8_t *at = s->tcp + 20, *end = s->tcp + s->tcp_header;

    while (at < end && *at != OPTION_END) {
        if (*at == OPTION_NOP) {
            at++;
            continue;
        }
        if (end - at < 2 || at[1] < 2 || at[1] > end - at)
            return;
        uint8_t length = at[1]; /* it may be overwritten */

        treat_option(box, s, at, outward);
        at += length;
    }
}

/* ---- ECN ---------------------------------------------------------------------------------------- */

static void bleach(struct segment *s)
{
    if (s->v6)
        s->ip[1] &= 0xcf; /* the traffic class lies across two bytes */
    else
        s->ip[1] &= 0xfc;
    s->tcp[SEGMENT_FLAGS - 1] &= 0xfe; /* AE */
    s->tcp[SEGMENT_FLAGS] &= (uint8_t) ~(SEGMENT_ECE | SEGMENT_CWR);
}

/* ---- resets ------------------------------------------------------------------------------------- */

/* A reset in the name of the segment's sender, or of its receiver. */
static struct packet *make_reset(const struct middlebox *box, struct packet_pool *pool,
                                 const struct segment *s, bool back)
{
    struct packet *packet =
        sw_emulator_packet_answer(pool, s->packet->bytes, box->link, back, 6, 20);
    uint8_t *tcp;

    if (packet == NULL)
        return NULL;
    tcp = packet->bytes + packet->length - 20;
    memcpy(tcp, s->tcp + (back ? 2 : 0), 2);
    memcpy(tcp + 2, s->tcp + (back ? 0 : 2), 2);
    memcpy(tcp + SEGMENT_SEQ, s->tcp + (back ? SEGMENT_ACK_NUMBER : SEGMENT_SEQ), 4);
    tcp[12] = 0x50;
    tcp[SEGMENT_FLAGS] = SEGMENT_RST;
    sw_emulator_packet_seal(packet, box->link, 6, SEGMENT_CHECKSUM, true);
    return packet;
}

static bool may_reset(const struct segment *s)
{
    return (s->tcp[SEGMENT_FLAGS] & (SEGMENT_SYN | SEGMENT_RST | SEGMENT_ACK)) == SEGMENT_ACK &&
           s->packet->segmentation == SANWO_SEGMENT_NONE && sw_emulator_segment_sound(s);
}

/* ---- splitting and joining ---------------------------------------------------------------------- */

static bool may_split(const struct segment *s)
{
    return s->length >= 2 &&
           (s->tcp[SEGMENT_FLAGS] & (SEGMENT_SYN | SEGMENT_RST | SEGMENT_URG)) == 0 &&
           s->packet->segmentation == SANWO_SEGMENT_NONE && sw_emulator_segment_sound(s);
}

/* The second half, or NULL: no memory. */
static struct packet *split(struct middlebox *box, struct packet_pool *pool, struct segment *first)
{
    uint32_t cut = 1 + (uint32_t)(sw_emulator_random(&box->random) % (first->length - 1));
    struct packet *packet = sw_emulator_packet_clone(pool, first->packet);
    uint32_t rest = first->length - cut;
    struct segment second;

    if (packet == NULL || !sw_emulator_segment_find(packet, box->link, &second))
        return packet;
    memmove(second.payload, second.payload + cut, rest);
    add_to(second.tcp + SEGMENT_SEQ, cut);
    sw_emulator_segment_seal(&second, rest);
    first->tcp[SEGMENT_FLAGS] &= (uint8_t) ~(SEGMENT_FIN | SEGMENT_PSH);
    sw_emulator_segment_seal(first, cut);
    return packet;
}

static bool follows(const struct segment *a, const struct segment *b)
{
    size_t addresses = a->v6 ? 8 : 12;
    uint32_t end = sw_emulator_read32(a->tcp + SEGMENT_SEQ) + a->length;
    uint8_t others = (uint8_t) ~(SEGMENT_ACK | SEGMENT_PSH);

    return a->v6 == b->v6 && a->ip_header == b->ip_header && a->tcp_header == b->tcp_header &&
           a->length > 0 && b->length > 0 && end == sw_emulator_read32(b->tcp + SEGMENT_SEQ) &&
           memcmp(a->ip + addresses, b->ip + addresses, a->v6 ? 32 : 8) == 0 &&
           memcmp(a->tcp, b->tcp, 4) == 0 && (a->tcp[SEGMENT_FLAGS] & others) == 0 &&
           (b->tcp[SEGMENT_FLAGS] & (others & ~SEGMENT_FIN)) == 0 && sw_emulator_segment_sound(a) &&
           sw_emulator_segment_sound(b);
}

bool sw_emulator_middlebox_join(struct middlebox *box, struct packet *before, struct packet *packet,
                                uint32_t mtu, struct sanwo_emulator_stats *stats)
{
    struct segment a, b;
    uint32_t seq, most;

    if (before == NULL || !sw_emulator_chance(&box->random, box->config.join_ppm))
        return false;
    if (before->segmentation != SANWO_SEGMENT_NONE || packet->segmentation != SANWO_SEGMENT_NONE ||
        !sw_emulator_segment_find(before, box->link, &a) ||
        !sw_emulator_segment_find(packet, box->link, &b) || !follows(&a, &b))
        return false;
    most = sw_emulator_packet_room(before);
    if (most > mtu + box->link)
        most = mtu + box->link;
    if (before->length + b.length > most)
        return false;
    memcpy(a.payload + a.length, b.payload, b.length);
    /* Acknowledgement, window and options are the later ones. */
    seq = sw_emulator_read32(a.tcp + SEGMENT_SEQ);
    memcpy(a.tcp, b.tcp, b.tcp_header);
    sw_emulator_write32(a.tcp + SEGMENT_SEQ, seq);
    sw_emulator_segment_seal(&a, a.length + b.length);
    stats->joined++;
    return true;
}

/* ---- passing ------------------------------------------------------------------------------------ */

static void rewrite(const struct middlebox *box, struct segment *s, bool outward,
                    struct sanwo_emulator_stats *stats)
{
    const struct sanwo_emulator_middlebox *c = &box->config;
    struct segment_note note = sw_emulator_segment_note(s), after;

    if (c->strip_syn || c->strip_later || c->clamp_mss || c->shift_sequence)
        treat_options(box, s, outward);
    if (c->shift_sequence)
        shift(box, s, outward);
    if (c->bleach_ecn)
        bleach(s);
    after = sw_emulator_segment_note(s);
    if (after.ip == note.ip && after.tcp == note.tcp)
        return;
    sw_emulator_segment_mend(s, &note);
    stats->rewritten++;
}

unsigned sw_emulator_middlebox_pass(struct middlebox *box, struct packet_pool *pool,
                                    struct packet *packet, bool outward,
                                    struct middlebox_result out[MIDDLEBOX_MOST],
                                    struct sanwo_emulator_stats *stats)
{
    struct packet *back = NULL;
    struct segment s;
    unsigned n = 0;

    out[n++] = (struct middlebox_result){packet, false};
    if (!sw_emulator_segment_find(packet, box->link, &s))
        return n;
    if (sw_emulator_chance(&box->random, box->config.reset_ppm) && may_reset(&s))
        back = make_reset(box, pool, &s, true); /* the sender knows the numbers of this side */
    rewrite(box, &s, outward, stats);
    if (back != NULL) {
        stats->resets++;
        out[0].packet = make_reset(box, pool, &s, false);
        sw_emulator_packet_free(pool, packet);
        n = out[0].packet != NULL;
        out[n++] = (struct middlebox_result){back, true};
    } else if (sw_emulator_chance(&box->random, box->config.split_ppm) && may_split(&s)) {
        struct packet *second = split(box, pool, &s);

        if (second != NULL) {
            stats->split++;
            out[n++] = (struct middlebox_result){second, false};
        }
    }
    return n;
}
