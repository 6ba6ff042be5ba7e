/*
 * ipv6_walk.c - From the fixed header to the upper layer (RFC 8200 4).
 *
 *     | fixed | hop-by-hop | routing | fragment | destination | upper layer
 *        `next---^  `next------^  `next---^   `next---^     `next---^
 *
 * Strictly forward, each header once, in whatever order they come (4.1): one cursor, a number of
 * headers and a number of option bytes that only fall (RFC 8504 5.3 allows such limits).
 */
#include "wire/ipv6.h"

#define HEADERS_MAX 8
#define OPTION_BYTES_MAX 256
#define FIRST_NEXT_AT 6 /* the next-header field of the fixed header */

enum { OPTION_PAD1 = 0, OPTION_PADN = 1 };
enum { CODE_FIELD = 0, CODE_NEXT_HEADER = 1, CODE_OPTION = 2 };

struct cursor {
    struct reader r;
    const uint8_t *start;
    size_t next_at; /* where the next-header field stands that named the header at hand */
    size_t option_budget;
    uint8_t next;
};

static size_t offset_of(const struct cursor *c, const uint8_t *p)
{
    return (size_t)(p - c->start);
}

/* Sets the verdict; always false, as the steps below say by it that the walk is over. */
static bool stop(struct wire_ipv6_walk *out, enum wire_ipv6_walk_verdict verdict)
{
    out->verdict = verdict;
    return false;
}

static bool stop_parameter(struct wire_ipv6_walk *out, enum wire_ipv6_walk_verdict verdict,
                           uint8_t code, size_t pointer)
{
    out->code = code;
    out->pointer = (uint32_t)pointer;
    return stop(out, verdict);
}

/* An option that we do not know: its two high bits say what to do (RFC 8200 4.2). RFC8200-4.2-1. */
static bool unknown_option(struct wire_ipv6_walk *out, uint8_t type, size_t at)
{
    switch (type >> 6) {
    case 0:
        return true;
    case 1:
        return stop(out, WIRE_IPV6_DROP);
    case 2:
        return stop_parameter(out, WIRE_IPV6_PARAMETER, CODE_OPTION, at);
    default:
        return stop_parameter(out, WIRE_IPV6_PARAMETER_UNLESS_MULTICAST, CODE_OPTION, at);
    }
}

static bool walk_options(struct wire_ipv6_walk *out, struct cursor *c, const uint8_t *options,
                         size_t length)
{
    struct reader r = sw_reader(options, length);
    const uint8_t *type;

    if (length > c->option_budget)
        return stop(out, WIRE_IPV6_DROP);
    c->option_budget -= length;
    while ((type = sw_take(&r, 1))) {
        const uint8_t *size;
        if (*type == OPTION_PAD1)
            continue;
        size = sw_take(&r, 1);
        if (!size || !sw_take(&r, *size))
            return stop(out, WIRE_IPV6_DROP);
        if (*type != OPTION_PADN && !unknown_option(out, *type, offset_of(c, type)))
            return false;
    }
    return true;
}

/* Steps over a header of the common form: next header, length in 8 bytes beyond the first 8. */
static const uint8_t *take_header(struct cursor *c, size_t *length)
{
    const uint8_t *p = sw_take(&c->r, 8);

    if (!p || !sw_take(&c->r, (size_t)p[1] * 8))
        return NULL;
    *length = 8 + (size_t)p[1] * 8;
    c->next = p[0];
    c->next_at = offset_of(c, p);
    return p;
}

static bool walk_options_header(struct wire_ipv6_walk *out, struct cursor *c)
{
    size_t length;
    const uint8_t *p = take_header(c, &length);

    return p ? walk_options(out, c, p + 2, length - 2) : stop(out, WIRE_IPV6_DROP);
}

/*
 * RFC 8200 4.4 and RFC 5095: we know no routing type, so one with segments left is refused.
 * RFC8200-4.4-1, C-18.
 */
static bool walk_routing(struct wire_ipv6_walk *out, struct cursor *c)
{
    size_t length;
    const uint8_t *p = take_header(c, &length);

    if (!p)
        return stop(out, WIRE_IPV6_DROP);
    if (p[3] != 0)
        return stop_parameter(out, WIRE_IPV6_PARAMETER, CODE_FIELD, offset_of(c, p + 2));
    return true;
}

static bool walk_fragment(struct wire_ipv6_walk *out, struct cursor *c)
{
    const uint8_t *p = sw_take(&c->r, 8);

    if (!p)
        return stop(out, WIRE_IPV6_DROP);
    out->fragment_offset = sw_load16(p + 2) & 0xfff8;
    out->more_fragments = p[3] & 1;
    out->fragment_id = sw_load32(p + 4);
    if (out->fragment_offset != 0 || out->more_fragments) {
        out->protocol = p[0];
        out->offset = offset_of(c, p);
        out->pointer = (uint32_t)c->next_at;
        return stop(out, WIRE_IPV6_FRAGMENTED);
    }
    c->next = p[0]; /* atomic (RFC6946-3-1): whole in itself, its id means nothing */
    c->next_at = offset_of(c, p);
    return true;
}

static bool is_extension(uint8_t next)
{
    return next == IPV6_HOP_BY_HOP || next == IPV6_DESTINATION || next == IPV6_ROUTING ||
           next == IPV6_FRAGMENT;
}

/* One extension header; false when the walk is over. RFC8200-4-1. */
static bool walk_header(struct wire_ipv6_walk *out, struct cursor *c)
{
    switch (c->next) {
    case IPV6_HOP_BY_HOP:
        if (c->next_at != FIRST_NEXT_AT) /* RFC 8200 4: only straight after the fixed header */
            return stop_parameter(out, WIRE_IPV6_PARAMETER, CODE_NEXT_HEADER, c->next_at);
        return walk_options_header(out, c);
    case IPV6_ROUTING:
        return walk_routing(out, c);
    case IPV6_FRAGMENT:
        return walk_fragment(out, c);
    default:
        return walk_options_header(out, c);
    }
}

void sw_wire_ipv6_walk(struct wire_ipv6_walk *out, const uint8_t *bytes, size_t length)
{
    struct cursor c = {.r = sw_reader(bytes, length),
                       .start = bytes,
                       .next_at = FIRST_NEXT_AT,
                       .option_budget = OPTION_BYTES_MAX};
    const uint8_t *fixed = sw_take(&c.r, WIRE_IPV6_HEADER);

    *out = (struct wire_ipv6_walk){.verdict = WIRE_IPV6_DROP};
    if (!fixed)
        return;
    c.next = fixed[FIRST_NEXT_AT];
    for (int headers = 0; is_extension(c.next); headers++)
        if (headers == HEADERS_MAX || !walk_header(out, &c))
            return;
    out->protocol = c.next;
    out->offset = offset_of(&c, c.r.at);
    out->code = CODE_NEXT_HEADER; /* what to report should the caller not know the protocol */
    out->pointer = (uint32_t)c.next_at;
    out->verdict = c.next == IPV6_NO_NEXT ? WIRE_IPV6_NOTHING : WIRE_IPV6_UPPER;
}
