/*
 * fuzz_ipv6.c - IPv6 headers, and the walk along extension headers (RFC 8200).
 *
 * The walk runs over the whole input and over what the header says is the packet. Wherever it ends,
 * what it reports must lie inside, and the bytes there must be what it says they are.
 */
#include "fuzz.h"

#include "base/checksum.h"
#include "wire/ipv6.h"

static bool is_extension(uint8_t next)
{
    return next == IPV6_HOP_BY_HOP || next == IPV6_ROUTING || next == IPV6_FRAGMENT ||
           next == IPV6_DESTINATION;
}

static void check_walk(const uint8_t *data, size_t size)
{
    struct wire_ipv6_walk w;
    sw_wire_ipv6_walk(&w, data, size);
    switch (w.verdict) {
    case WIRE_IPV6_UPPER:
    case WIRE_IPV6_NOTHING:
        FUZZ_CHECK(w.offset >= WIRE_IPV6_HEADER && w.offset <= size, "the upper layer is inside");
        FUZZ_CHECK(w.pointer < w.offset && data[w.pointer] == w.protocol, "that field names it");
        FUZZ_CHECK(!is_extension(w.protocol), "extension headers are walked over");
        FUZZ_CHECK((w.verdict == WIRE_IPV6_NOTHING) == (w.protocol == IPV6_NO_NEXT), "59");
        break;
    case WIRE_IPV6_FRAGMENTED:
        FUZZ_CHECK(w.offset + 8 <= size, "the fragment header is inside");
        FUZZ_CHECK(data[w.pointer] == IPV6_FRAGMENT && data[w.offset] == w.protocol, "named");
        FUZZ_CHECK(w.fragment_offset % 8 == 0, "offsets count in eights");
        FUZZ_CHECK(w.fragment_offset || w.more_fragments, "atomic ones are passed through");
        break;
    case WIRE_IPV6_PARAMETER:
    case WIRE_IPV6_PARAMETER_UNLESS_MULTICAST:
        FUZZ_CHECK(w.pointer < size && w.code <= 2, "the trouble is inside");
        break;
    default:
        FUZZ_CHECK(w.verdict == WIRE_IPV6_DROP, "a verdict of the list");
        break;
    }
}

static void check_written(const struct wire_ipv6 *h, const uint8_t *data)
{
    uint8_t again[WIRE_IPV6_HEADER];
    sw_wire_ipv6_write(h, again);
    FUZZ_CHECK(memcmp(again, data, sizeof(again)) == 0, "written as it was read");
}

static void check_pseudo(const struct wire_ipv6 *h)
{
    uint8_t pseudo[40] = {[34] = (uint8_t)(h->payload_length >> 8),
                          [35] = (uint8_t)h->payload_length,
                          [39] = h->next_header};
    memcpy(pseudo, h->source.bytes, 16);
    memcpy(pseudo + 16, h->destination.bytes, 16);
    uint32_t plain = sw_checksum_add_plain(0, pseudo, sizeof(pseudo));
    uint32_t sum =
        sw_wire_pseudo_sum(&h->source, &h->destination, h->next_header, h->payload_length);
    FUZZ_CHECK(sw_checksum_fold(sum) == sw_checksum_fold(plain), "the pseudo-header's sum");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_ipv6 h, quoted;
    enum wire_ip_fault fault = sw_wire_ipv6_read(&h, data, size);
    enum wire_ip_fault loose = sw_wire_ipv6_read_quoted(&quoted, data, size);
    FUZZ_CHECK(loose == fault || (loose == WIRE_IP_OK && fault == WIRE_IP_LENGTH),
               "quoted, only the end may be missing");
    check_walk(data, size);
    if (loose != WIRE_IP_OK)
        return 0;
    check_written(&quoted, data);
    check_pseudo(&quoted);
    if (fault != WIRE_IP_OK)
        return 0;
    check_written(&h, data);
    FUZZ_CHECK(WIRE_IPV6_HEADER + (size_t)h.payload_length <= size, "it is all there");
    check_walk(data, WIRE_IPV6_HEADER + (size_t)h.payload_length);
    return 0;
}
