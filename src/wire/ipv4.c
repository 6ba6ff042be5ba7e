/*
 * ipv4.c - The IPv4 header, its options, and the pseudo-header of both families (RFC 791 3.1).
 *
 *      0          1      2               4                6
 *     |version,IHL|DS,ECN| total length | identification | R D M, fragment offset / 8 |
 *     | TTL | protocol | checksum | source | destination | options, 0..40 bytes |
 *      8     9          10         12       16            20
 */
#include "wire/ipv4.h"
#include "base/checksum.h"
#include "wire/address.h"

#define FLAG_DONT_FRAGMENT 0x4000
#define FLAG_MORE_FRAGMENTS 0x2000
#define OFFSET_MASK 0x1fff

/*
 * The sum of some 16-bit words, a multiple of two of them. At a header's size a call to the
 * wide-vector code costs more.
 */
static uint32_t sum_words(const uint8_t *p, size_t length)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < length; i += 4)
        sum += (uint32_t)sw_load16(p + i) + sw_load16(p + i + 2);
    return sum;
}

static void read_fields(struct wire_ipv4 *out, const uint8_t *p)
{
    uint16_t fragment = sw_load16(p + 6);

    out->header_length = (uint8_t)((p[0] & 15) * 4);
    out->dscp_ecn = p[1];
    out->total_length = sw_load16(p + 2);
    out->id = sw_load16(p + 4);
    out->dont_fragment = fragment & FLAG_DONT_FRAGMENT;
    out->more_fragments = fragment & FLAG_MORE_FRAGMENTS;
    out->fragment_offset = (uint16_t)((fragment & OFFSET_MASK) * 8);
    out->ttl = p[8];
    out->protocol = p[9];
    out->checksum = sw_load16(p + 10);
    sw_wire_address_read_ipv4(&out->source, p + 12);
    sw_wire_address_read_ipv4(&out->destination, p + 16);
}

enum wire_ip_fault sw_wire_ipv4_read_quoted(struct wire_ipv4 *out, const uint8_t *bytes,
                                            size_t length)
{
    struct reader r = sw_reader(bytes, length);
    const uint8_t *p = sw_take(&r, WIRE_IPV4_HEADER);

    if (!p)
        return WIRE_IP_SHORT;
    if (p[0] >> 4 != 4)
        return WIRE_IP_VERSION;
    read_fields(out, p);
    if (out->header_length < WIRE_IPV4_HEADER)
        return WIRE_IP_LENGTH;
    if (!sw_take(&r, out->header_length - (size_t)WIRE_IPV4_HEADER))
        return WIRE_IP_SHORT;
    if (out->total_length < out->header_length)
        return WIRE_IP_LENGTH;
    return WIRE_IP_OK;
}

enum wire_ip_fault sw_wire_ipv4_read(struct wire_ipv4 *out, const uint8_t *bytes, size_t length,
                                     bool verify)
{
    enum wire_ip_fault fault = sw_wire_ipv4_read_quoted(out, bytes, length);
    struct reader r = sw_reader(bytes, length);

    if (fault != WIRE_IP_OK)
        return fault;
    if (!sw_take(&r, out->total_length))
        return WIRE_IP_LENGTH;
    /* RFC 1122 3.2.1.2: the header must verify before anything in it is acted upon. */
    if (verify && sw_checksum_finish(sum_words(bytes, out->header_length)) != 0)
        return WIRE_IP_CHECKSUM;
    return WIRE_IP_OK;
}

void sw_wire_ipv4_write(const struct wire_ipv4 *h, uint8_t *bytes)
{
    uint32_t first = UINT32_C(0x4500) | h->dscp_ecn; /* five words: we never send options */
    uint32_t fragment = h->fragment_offset / 8u;
    uint32_t last = (uint32_t)h->ttl << 8 | h->protocol;
    uint32_t sum;

    if (h->dont_fragment)
        fragment |= FLAG_DONT_FRAGMENT;
    if (h->more_fragments)
        fragment |= FLAG_MORE_FRAGMENTS;
    /* Summed from the fields: bytes just stored are slow to load in other widths. */
    sum = first + h->total_length + h->id + fragment + last + sum_words(h->source.bytes, 4) +
          sum_words(h->destination.bytes, 4);
    sw_store32(bytes, first << 16 | h->total_length);
    sw_store32(bytes + 4, (uint32_t)h->id << 16 | fragment);
    sw_store32(bytes + 8, last << 16 | sw_checksum_finish(sum));
    memcpy(bytes + 12, h->source.bytes, 4);
    memcpy(bytes + 16, h->destination.bytes, 4);
}

/* RFC1122-3.2.1.8-1. */
enum wire_ipv4_options sw_wire_ipv4_options_check(const uint8_t *bytes, size_t length)
{
    struct reader r = sw_reader(bytes, length);
    enum wire_ipv4_options verdict = WIRE_IPV4_OPTIONS_FINE;
    const uint8_t *kind;

    while ((kind = sw_take(&r, 1)) && *kind != IPV4_OPTION_EOL) {
        const uint8_t *size;
        if (*kind == IPV4_OPTION_NOP)
            continue;
        /* The length counts kind and length too: below 2 it would not move on. */
        size = sw_take(&r, 1);
        if (!size || *size < 2 || !sw_take(&r, *size - 2u))
            return WIRE_IPV4_OPTIONS_MALFORMED;
        if (*kind == IPV4_OPTION_LSRR || *kind == IPV4_OPTION_SSRR)
            verdict = WIRE_IPV4_OPTIONS_SOURCE_ROUTE;
    }
    return verdict;
}

uint32_t sw_wire_pseudo_sum(const struct sanwo_address *source,
                            const struct sanwo_address *destination, uint8_t protocol,
                            uint32_t length)
{
    size_t size = source->family == SANWO_FAMILY_IPV6 ? 16 : 4;

    /* IPv4 has a 16-bit length; its upper half is 0 then, so one formula serves both. */
    return sum_words(source->bytes, size) + sum_words(destination->bytes, size) + protocol +
           (length >> 16) + (length & 0xffff);
}
