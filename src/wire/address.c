/*
 * address.c - Addresses, endpoints and prefixes as values and as text (<sanwo/address.h>).
 *
 * Text is read by RFC 4291 2.2 (and dotted decimal without leading zeros, which some read as
 * octal) and written by RFC 5952: lower case, no leading zeros, "::" for the longest run of at
 * least two zero groups, the first of equals, and dotted decimal at the end of ::ffff:0:0/96.
 */
#include "wire/address.h"

#define NO_GAP 17 /* no place in an address */

struct sanwo_address sanwo_address_ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    struct sanwo_address out;

    sw_wire_address_read_ipv4(&out, (const uint8_t[]){a, b, c, d});
    return out;
}

struct sanwo_address sanwo_address_ipv6(const uint8_t bytes[16])
{
    struct sanwo_address out;

    sw_wire_address_read_ipv6(&out, bytes);
    return out;
}

bool sanwo_address_equal(const struct sanwo_address *a, const struct sanwo_address *b)
{
    /* All sixteen, as what IPv4 leaves is zero: a fixed size is compared without a call. */
    return a->family == b->family && a->zone == b->zone && memcmp(a->bytes, b->bytes, 16) == 0;
}

bool sanwo_address_is_any(const struct sanwo_address *a)
{
    static const uint8_t zero[16];

    return a->family == SANWO_FAMILY_NONE || memcmp(a->bytes, zero, 16) == 0;
}

bool sanwo_address_is_multicast(const struct sanwo_address *a)
{
    if (a->family == SANWO_FAMILY_IPV4)
        return a->bytes[0] >> 4 == 14;
    return a->family == SANWO_FAMILY_IPV6 && a->bytes[0] == 0xff;
}

bool sanwo_address_is_loopback(const struct sanwo_address *a)
{
    static const uint8_t one[16] = {[15] = 1};

    if (a->family == SANWO_FAMILY_IPV4)
        return a->bytes[0] == 127;
    return a->family == SANWO_FAMILY_IPV6 && memcmp(a->bytes, one, 16) == 0;
}

bool sanwo_address_is_link_local(const struct sanwo_address *a)
{
    if (a->family == SANWO_FAMILY_IPV4)
        return a->bytes[0] == 169 && a->bytes[1] == 254;
    return a->family == SANWO_FAMILY_IPV6 && a->bytes[0] == 0xfe && a->bytes[1] >> 6 == 2;
}

/* Bytes that the family uses. */
static size_t size_of(const struct sanwo_address *a)
{
    switch (a->family) {
    case SANWO_FAMILY_IPV4:
        return 4;
    case SANWO_FAMILY_IPV6:
        return 16;
    default:
        return 0;
    }
}

bool sanwo_address_in_prefix(const struct sanwo_address *a, const struct sanwo_address *network,
                             unsigned prefix_length)
{
    size_t whole = prefix_length / 8;
    unsigned rest = prefix_length % 8;

    if (a->family != network->family || size_of(a) == 0 || prefix_length > size_of(a) * 8)
        return false;
    if (memcmp(a->bytes, network->bytes, whole) != 0)
        return false;
    return rest == 0 || (a->bytes[whole] ^ network->bytes[whole]) >> (8 - rest) == 0;
}

/* Takes @wanted if it comes next. */
static bool take_char(struct reader *r, char wanted)
{
    return r->left > 0 && *r->at == (uint8_t)wanted && sw_take(r, 1);
}

static int digit_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : 16;
}

/* A decimal number <= @max, of digits only and without leading zeros. */
static bool take_decimal(struct reader *r, uint32_t max, uint32_t *out)
{
    size_t digits = 0;
    uint32_t n = 0;

    for (; r->left > 0 && digit_value(*r->at) < 10; digits++) {
        if (digits > 0 && n == 0)
            return false;
        n = n * 10 + (uint32_t)digit_value(*sw_take(r, 1));
        if (n > max)
            return false;
    }
    *out = n;
    return digits > 0;
}

/* One to four hexadecimal digits. */
static bool take_group(struct reader *r, uint8_t *bytes)
{
    uint32_t n = 0;
    int digits = 0;

    for (; digits < 4 && r->left > 0 && digit_value(*r->at) < 16; digits++)
        n = n << 4 | (uint32_t)digit_value(*sw_take(r, 1));
    sw_store16(bytes, (uint16_t)n);
    return digits > 0;
}

/* Wholly "d.d.d.d". */
static bool read_ipv4(struct reader r, uint8_t *bytes)
{
    for (int i = 0; i < 4; i++) {
        uint32_t n;
        if ((i > 0 && !take_char(&r, '.')) || !take_decimal(&r, 255, &n))
            return false;
        bytes[i] = (uint8_t)n;
    }
    return r.left == 0;
}

/*
 * The groups up to the end. @bytes takes what is written out, @used bytes of it, and @gap says
 * where among them "::" stood.
 */
static bool read_groups(struct reader r, uint8_t bytes[16], size_t *used, size_t *gap)
{
    if (take_char(&r, ':')) {
        if (!take_char(&r, ':'))
            return false;
        *gap = 0;
    }
    while (r.left > 0) {
        if (*used + 4 <= 16 && read_ipv4(r, bytes + *used)) {
            *used += 4;
            return true;
        }
        if (*used + 2 > 16 || !take_group(&r, bytes + *used))
            return false;
        *used += 2;
        if (r.left == 0)
            return true;
        if (!take_char(&r, ':') || r.left == 0)
            return false;
        if (take_char(&r, ':')) {
            if (*gap != NO_GAP)
                return false;
            *gap = *used;
        }
    }
    return true;
}

static bool read_ipv6(struct reader r, uint8_t bytes[16])
{
    size_t used = 0, gap = NO_GAP;

    if (!read_groups(r, bytes, &used, &gap))
        return false;
    if (gap == NO_GAP)
        return used == 16;
    if (used > 14) /* "::" is one group at least */
        return false;
    memmove(bytes + 16 - (used - gap), bytes + gap, used - gap);
    memset(bytes + gap, 0, 16 - used);
    return true;
}

static bool read_address(struct reader r, struct sanwo_address *out)
{
    uint8_t bytes[16];

    if (read_ipv4(r, bytes)) {
        sw_wire_address_read_ipv4(out, bytes);
        return true;
    }
    if (read_ipv6(r, bytes)) {
        sw_wire_address_read_ipv6(out, bytes);
        return true;
    }
    return false;
}

/* @text up to its NUL, or as much as is certainly too long for anything that we read. */
static struct reader reader_of(const char *text)
{
    size_t length = 0;

    while (text && length <= SANWO_ENDPOINT_TEXT && text[length])
        length++;
    return sw_reader(text, length);
}

/* Cuts @r at its last @mark: @r keeps what is before, the result has what is after. */
static bool split_last(struct reader *r, char mark, struct reader *after)
{
    for (size_t i = r->left; i-- > 0;)
        if (r->at[i] == (uint8_t)mark) {
            *after = sw_reader(r->at + i + 1, r->left - i - 1);
            r->left = i;
            return true;
        }
    return false;
}

bool sanwo_address_parse(const char *text, struct sanwo_address *out)
{
    return read_address(reader_of(text), out);
}

bool sanwo_prefix_parse(const char *text, struct sanwo_address *out, unsigned *prefix_length)
{
    struct reader r = reader_of(text), tail;
    bool has_length = split_last(&r, '/', &tail);
    struct sanwo_address a;
    uint32_t bits, most;

    if (!read_address(r, &a))
        return false;
    most = (uint32_t)size_of(&a) * 8;
    bits = most;
    if (has_length && (!take_decimal(&tail, most, &bits) || tail.left != 0))
        return false;
    *out = a;
    *prefix_length = bits;
    return true;
}

bool sanwo_endpoint_parse(const char *text, struct sanwo_endpoint *out)
{
    struct reader r = reader_of(text), tail;
    struct sanwo_address a;
    bool brackets;
    uint32_t port;

    if (!split_last(&r, ':', &tail) || !take_decimal(&tail, 65535, &port) || tail.left != 0)
        return false;
    brackets = take_char(&r, '[');
    if (brackets && (r.left == 0 || r.at[--r.left] != ']'))
        return false;
    /* Without brackets the port could be a group: "::1:80". */
    if (!read_address(r, &a) || brackets != (a.family == SANWO_FAMILY_IPV6))
        return false;
    *out = (struct sanwo_endpoint){.address = a, .port = (uint16_t)port};
    return true;
}

/* Text being written; what does not fit is cut, the NUL always fits. */
struct text {
    char *at;
    size_t left;
};

static void put_char(struct text *t, char c)
{
    if (t->left <= 1)
        return;
    *t->at++ = c;
    t->left--;
}

static void put_string(struct text *t, const char *s)
{
    while (*s)
        put_char(t, *s++);
}

static void put_number(struct text *t, uint32_t n, uint32_t radix)
{
    char digits[10];
    size_t count = 0;

    do {
        digits[count++] = "0123456789abcdef"[n % radix];
        n /= radix;
    } while (n != 0);
    while (count > 0)
        put_char(t, digits[--count]);
}

static void put_ipv4(struct text *t, const uint8_t *bytes)
{
    for (int i = 0; i < 4; i++) {
        if (i > 0)
            put_char(t, '.');
        put_number(t, bytes[i], 10);
    }
}

/* The first of the longest runs of zero groups; *length 0 if none has two (RFC 5952 4.2). */
static size_t zero_run(const uint8_t *bytes, size_t *length)
{
    size_t best = 0, run = 0;

    *length = 0;
    for (size_t i = 0; i < 8; i++) {
        run = sw_load16(bytes + 2 * i) == 0 ? run + 1 : 0;
        if (run >= 2 && run > *length) {
            *length = run;
            best = i + 1 - run;
        }
    }
    return best;
}

static void put_ipv6(struct text *t, const uint8_t *bytes)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    size_t length, gap = zero_run(bytes, &length);

    if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
        put_string(t, "::ffff:");
        put_ipv4(t, bytes + 12);
        return;
    }
    for (size_t i = 0; i < 8; i++) {
        if (length > 0 && i == gap) {
            put_string(t, "::");
            i += length - 1;
            continue;
        }
        if (i > 0 && !(length > 0 && i == gap + length))
            put_char(t, ':');
        put_number(t, sw_load16(bytes + 2 * i), 16);
    }
}

/* "*" for no address at all. */
static void put_address(struct text *t, const struct sanwo_address *a)
{
    if (a->family == SANWO_FAMILY_IPV4)
        put_ipv4(t, a->bytes);
    else if (a->family == SANWO_FAMILY_IPV6)
        put_ipv6(t, a->bytes);
    else
        put_char(t, '*');
}

static char *finish(struct text *t, char *out)
{
    if (t->left > 0)
        *t->at = '\0';
    return out;
}

char *sanwo_address_format(const struct sanwo_address *a, char *out, size_t size)
{
    struct text t = {out, size};

    put_address(&t, a);
    return finish(&t, out);
}

char *sanwo_endpoint_format(const struct sanwo_endpoint *e, char *out, size_t size)
{
    struct text t = {out, size};
    bool brackets = e->address.family == SANWO_FAMILY_IPV6;

    if (brackets)
        put_char(&t, '[');
    put_address(&t, &e->address);
    if (brackets)
        put_char(&t, ']');
    put_char(&t, ':');
    put_number(&t, e->port, 10);
    return finish(&t, out);
}
