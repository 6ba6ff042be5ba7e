/*
 * tcp_options.c - TCP options: bytes to struct and back (RFC 9293 3.1, 2018, 7323, 7413, 9768).
 *
 *     | kind 0 |  end        | kind 1 |  no operation        | kind | length | value, length - 2 bytes |
 *
 * Layouts that we write unless told otherwise; the timestamps' values fall on 32-bit boundaries:
 *
 *     SYN    02 04 mss   04 02 08 0a value echo   01 03 03 shift   22 length cookie
 *     else   01 01 08 0a value echo               01 01 05 length blocks
 */
#include "wire/tcp_options.h"
#include "wire/tcp.h"

#define ALIGNED_TIMESTAMPS UINT32_C(0x0101080a) /* NOP, NOP, kind 8, length 10: RFC 7323 app. A */
#define ALIGNED_TIMESTAMPS_SIZE 12
#define WINDOW_SCALE_MAX 14 /* RFC 7323 2.3: RFC7323-2.3-1 */
#define COOKIE_MIN 4
#define COOKIE_MAX 16
#define EXPERIMENT_FAST_OPEN 0xf989 /* RFC 7413 9 */
#define COUNTER 3                   /* bytes of one of accurate ECN's */

void sw_wire_tcp_options_none(struct wire_tcp_options *o)
{
    memset(o, 0, offsetof(struct wire_tcp_options, sack));
    o->window_scale = -1;
}

/* MUST-64: loads by bytes, wherever the option begins. */
static void read_timestamps(struct wire_tcp_options *out, const uint8_t *value)
{
    out->timestamps = true;
    out->ts_value = sw_load32(value);
    out->ts_echo = sw_load32(value + 4);
}

/* */
static bool read_sack(struct wire_tcp_options *out, const uint8_t *value, size_t size)
{
    if (size == 0 || size % 8 != 0 || size / 8 > WIRE_TCP_SACK_BLOCKS)
        return false;
    out->sack_count = (uint8_t)(size / 8);
    for (size_t i = 0; i < out->sack_count; i++) {
        out->sack[i].left = tcp_seq_of(sw_load32(value + 8 * i));
        out->sack[i].right = tcp_seq_of(sw_load32(value + 8 * i + 4));
    }
    return true;
}

/* RFC 7413 4.1.1: no cookie, or 4 to 16 bytes and even. RFC7413-4.1.1-1. */
static bool read_fast_open(struct wire_tcp_options *out, const uint8_t *value, size_t size)
{
    if (out->fast_open || (size != 0 && (size < COOKIE_MIN || size > COOKIE_MAX || size % 2 != 0)))
        return false;
    out->fast_open = true;
    out->fast_open_length = (uint8_t)size;
    memcpy(out->fast_open_cookie, value, size);
    return true;
}

/* RFC 9768 3.2.3: as many whole counters as there are, up to three; the rest is padding. */
static bool read_accurate(struct wire_tcp_options *out, uint8_t kind, const uint8_t *value,
                          size_t size)
{
    out->accurate = kind;
    out->accurate_count = (uint8_t)sw_min32((uint32_t)size / COUNTER, WIRE_TCP_ACCURATE_COUNTERS);
    for (size_t i = 0; i < out->accurate_count; i++, value += COUNTER)
        out->accurate_counters[i] = (uint32_t)value[0] << 16 | sw_load16(value + 1);
    return true;
}

/*
 * False: an option of the wrong size for its kind is as good as unknown: it is stepped over (MUST-6),
 * and a good one of the kind may follow.
 *
 */
static bool read_option(struct wire_tcp_options *out, uint8_t kind, const uint8_t *value,
                        size_t size)
{
    switch (kind) {
    case TCP_OPTION_MSS:
        if (size != 2)
            return false;
        out->mss = sw_load16(value);
        return true;
    case TCP_OPTION_WINDOW_SCALE:
        if (size != 1)
            return false;
        out->window_scale = (int8_t)sw_min32(value[0], WINDOW_SCALE_MAX);
        return true;
    case TCP_OPTION_SACK_PERMITTED:
        out->sack_permitted |= size == 0;
        return size == 0;
    case TCP_OPTION_SACK:
        return read_sack(out, value, size);
    case TCP_OPTION_TIMESTAMPS:
        if (size != 8)
            return false;
        read_timestamps(out, value);
        return true;
    case TCP_OPTION_FAST_OPEN:
        return read_fast_open(out, value, size);
    case TCP_OPTION_ACCURATE_0:
    case TCP_OPTION_ACCURATE_1:
        return read_accurate(out, kind, value, size);
    default:
        return false;
    }
}

/* Kinds below 64 have a bit each, the two of accurate ECN share the last; 0: none that we know. */
static uint64_t bit_of(uint8_t kind)
{
    if (kind == TCP_OPTION_ACCURATE_0 || kind == TCP_OPTION_ACCURATE_1)
        return UINT64_C(1) << 63;
    return kind < 63 ? UINT64_C(1) << kind : 0;
}

/* RFC 7413 9: what was sent before the option had a kind of its own. */
static void read_experiment(struct wire_tcp_options *out, const uint8_t *value, size_t size)
{
    if (size >= 2 && sw_load16(value) == EXPERIMENT_FAST_OPEN)
        out->fast_open_experiment |= read_fast_open(out, value + 2, size - 2);
}

/* The general case. Each turn takes at least one byte, so it ends. MUST-4. */
static void read_list(struct wire_tcp_options *out, struct reader r)
{
    uint64_t seen = 0;
    const uint8_t *kind;

    while ((kind = sw_take(&r, 1)) && *kind != TCP_OPTION_EOL) {
        const uint8_t *size, *value;
        if (*kind == TCP_OPTION_NOP)
            continue;
        size = sw_take(&r, 1);
        /* MUST-7: a length below 2 or past the header ends the list. */
        if (!size || *size < 2 || !(value = sw_take(&r, *size - 2u))) {
            out->malformed = true;
            return;
        }
        if (*kind == TCP_OPTION_EXPERIMENT)
            read_experiment(out, value, *size - 2u);
        if (!bit_of(*kind) || (seen & bit_of(*kind)))
            continue;
        if (read_option(out, *kind, value, *size - 2u))
            seen |= bit_of(*kind);
    }
}

void sw_wire_tcp_options_read(struct wire_tcp_options *out, const uint8_t *bytes, size_t length)
{
    struct reader r = sw_reader(bytes, length);

    sw_wire_tcp_options_none(out);
    if (length == ALIGNED_TIMESTAMPS_SIZE) {
        const uint8_t *p = sw_take(&r, ALIGNED_TIMESTAMPS_SIZE);
        if (SW_LIKELY(sw_load32(p) == ALIGNED_TIMESTAMPS)) {
            read_timestamps(out, p + 4);
            return;
        }
        r = sw_reader(bytes, length);
    }
    read_list(out, r);
}

/* A list of options being written; `room` is a multiple of 4. */
struct list {
    uint8_t *bytes;
    size_t used, room;
    bool align;        /* put NOPs before options so that what they hold is aligned */
    size_t cookie_end; /* where the Fast Open option ends; 0: none was written */
};

/*
 * Where an option of @size bytes goes, or NULL if there is no room: at a place that is @residue
 * modulo 4 if possible.
 */
static uint8_t *make_room(struct list *l, size_t size, size_t residue)
{
    size_t nops = l->align ? (residue - l->used) & 3 : 0;
    uint8_t *p;

    if (l->used + nops + size > l->room)
        nops = 0;
    if (l->used + size > l->room)
        return NULL;
    memset(l->bytes + l->used, TCP_OPTION_NOP, nops);
    p = l->bytes + l->used + nops;
    l->used += nops + size;
    return p;
}

/* Kind and length, wherever there is room; returns where the value goes. */
static uint8_t *put_head(struct list *l, uint8_t kind, size_t size, size_t residue)
{
    uint8_t *p = make_room(l, size, residue);

    if (!p)
        return NULL;
    p[0] = kind;
    p[1] = (uint8_t)size;
    return p + 2;
}

static void put_mss(struct list *l, const struct wire_tcp_options *o)
{
    uint8_t *value = o->mss != 0 ? put_head(l, TCP_OPTION_MSS, 4, 0) : NULL;

    if (value)
        sw_store16(value, o->mss);
}

static void put_window_scale(struct list *l, const struct wire_tcp_options *o)
{
    uint8_t *value = o->window_scale >= 0 ? put_head(l, TCP_OPTION_WINDOW_SCALE, 3, 1) : NULL;

    if (value)
        value[0] = (uint8_t)o->window_scale;
}

/* With timestamps after it, it fills the two bytes that NOPs would. */
static void put_sack_permitted(struct list *l, const struct wire_tcp_options *o)
{
    if (o->sack_permitted)
        put_head(l, TCP_OPTION_SACK_PERMITTED, 2, o->timestamps ? 0 : 2);
}

static void put_timestamps(struct list *l, const struct wire_tcp_options *o)
{
    bool align = l->align;
    uint8_t *value;

    l->align = true; /* whatever the order says: everybody does, RFC 7323 appendix A */
    value = o->timestamps ? put_head(l, TCP_OPTION_TIMESTAMPS, 10, 2) : NULL;
    l->align = align;
    if (value) {
        sw_store32(value, o->ts_value);
        sw_store32(value + 4, o->ts_echo);
    }
}

static void put_fast_open(struct list *l, const struct wire_tcp_options *o)
{
    size_t size = sw_min32(o->fast_open_length, COOKIE_MAX);
    size_t prefix = o->fast_open_experiment ? 2 : 0;
    uint8_t kind = prefix ? TCP_OPTION_EXPERIMENT : TCP_OPTION_FAST_OPEN;
    uint8_t *value = o->fast_open ? put_head(l, kind, 2 + prefix + size, l->used & 3) : NULL;

    if (!value)
        return;
    if (prefix)
        sw_store16(value, EXPERIMENT_FAST_OPEN);
    memcpy(value + prefix, o->fast_open_cookie, size);
    l->cookie_end = l->used;
}

/* RFC 2018 3: the first blocks say the most, so the last ones give way. */
static void put_sack(struct list *l, const struct wire_tcp_options *o)
{
    size_t count = sw_min32(o->sack_count, WIRE_TCP_SACK_BLOCKS);
    uint8_t *value = NULL;

    for (; count > 0; count--)
        if ((value = put_head(l, TCP_OPTION_SACK, 2 + 8 * count, 2)))
            break;
    for (size_t i = 0; i < count; i++) {
        sw_store32(value + 8 * i, o->sack[i].left.raw);
        sw_store32(value + 8 * i + 4, o->sack[i].right.raw);
    }
}

/* Whole or not at all: a counter that is cut off would be taken for one that did not change. */
static void put_accurate(struct list *l, const struct wire_tcp_options *o)
{
    size_t count = sw_min32(o->accurate_count, WIRE_TCP_ACCURATE_COUNTERS);
    uint8_t *value =
        o->accurate ? put_head(l, o->accurate, 2 + COUNTER * count, l->used & 3) : NULL;

    for (size_t i = 0; value && i < count; i++, value += COUNTER) {
        value[0] = (uint8_t)(o->accurate_counters[i] >> 16);
        sw_store16(value + 1, (uint16_t)o->accurate_counters[i]);
    }
}

static void put_option(struct list *l, const struct wire_tcp_options *o, uint8_t kind)
{
    switch (kind) {
    case TCP_OPTION_MSS:
        put_mss(l, o);
        break;
    case TCP_OPTION_WINDOW_SCALE:
        put_window_scale(l, o);
        break;
    case TCP_OPTION_SACK_PERMITTED:
        put_sack_permitted(l, o);
        break;
    case TCP_OPTION_SACK:
        put_sack(l, o);
        break;
    case TCP_OPTION_TIMESTAMPS:
        put_timestamps(l, o);
        break;
    case TCP_OPTION_FAST_OPEN:
        put_fast_open(l, o);
        break;
    case TCP_OPTION_ACCURATE_0: /* stands for either */
        put_accurate(l, o);
        break;
    default:
        break;
    }
}

/*
 * The option at @kind of the order, with the NOPs before it: they belong to it, and stay away if it
 * does. Returns its place.
 */
static const uint8_t *put_with_nops(struct list *l, const struct wire_tcp_options *o,
                                    const uint8_t *kind)
{
    uint8_t there[WIRE_TCP_OPTIONS_MAX];
    size_t start = l->used;

    memcpy(there, l->bytes + start, l->room - start);
    for (; *kind == TCP_OPTION_NOP && kind[1] != 0; kind++)
        if (l->used < l->room)
            l->bytes[l->used++] = TCP_OPTION_NOP;
    size_t before = l->used;
    put_option(l, o, *kind);
    if (l->used == before) {
        memcpy(l->bytes + start, there, before - start);
        l->used = start;
    }
    return kind;
}

static bool lists(const uint8_t *order, uint8_t kind)
{
    while (*order != 0)
        if (*order++ == kind)
            return true;
    return false;
}

/* Nearly every segment. */
static bool has_timestamps_at_most(const struct wire_tcp_options *o)
{
    return o->sack_count == 0 && o->mss == 0 && o->window_scale < 0 && !o->sack_permitted &&
           !o->fast_open && !o->accurate;
}

static size_t write_timestamps_at_most(const struct wire_tcp_options *o, uint8_t *bytes)
{
    if (!o->timestamps)
        return 0;
    sw_store32(bytes, ALIGNED_TIMESTAMPS);
    sw_store32(bytes + 4, o->ts_value);
    sw_store32(bytes + 8, o->ts_echo);
    return ALIGNED_TIMESTAMPS_SIZE;
}

/* MUST-68. A-10. */
size_t sw_wire_tcp_options_write(const struct wire_tcp_options *o, const uint8_t *order,
                                 uint8_t *bytes, size_t room)
{
    static const uint8_t usual[] = {
        TCP_OPTION_MSS,        TCP_OPTION_SACK_PERMITTED,
        TCP_OPTION_TIMESTAMPS, TCP_OPTION_WINDOW_SCALE,
        TCP_OPTION_FAST_OPEN,  TCP_OPTION_SACK,
        TCP_OPTION_ACCURATE_0, TCP_OPTION_EOL,
    };
    struct list l = {.bytes = bytes, .room = room & ~(size_t)3};
    size_t end;

    SW_ASSERT(room <= WIRE_TCP_OPTIONS_MAX);
    if (!order && l.room >= ALIGNED_TIMESTAMPS_SIZE && has_timestamps_at_most(o))
        return write_timestamps_at_most(o, bytes);
    l.align = !order || !lists(order, TCP_OPTION_NOP);
    for (const uint8_t *kind = order ? order : usual; *kind != 0; kind++)
        if (*kind == TCP_OPTION_NOP)
            kind = put_with_nops(&l, o, kind);
        else
            put_option(&l, o, *kind);
    if (order && !lists(order, TCP_OPTION_FAST_OPEN))
        put_fast_open(&l, o);
    /*
     * MUST-69: what is left of the last word is the end of the list and zero; after a cookie NOPs, as
     * everybody sends it and middleboxes have seen.
     */
    end = sw_round_up(l.used, 4);
    memset(bytes + l.used, l.cookie_end && l.cookie_end == l.used ? TCP_OPTION_NOP : TCP_OPTION_EOL,
           end - l.used);
    return end;
}
