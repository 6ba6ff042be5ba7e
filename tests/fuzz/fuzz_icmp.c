/*
 * fuzz_icmp.c - ICMP and ICMPv6 headers, and the packets that errors quote.
 *
 * What the quote reader finds is looked up again at the place where the quoted header says it is.
 */
#include "fuzz.h"

#include "wire/icmp.h"

#include <stdlib.h>

/* Where the upper layer begins in a quote without extension headers; 0: it has some, or is cut. */
static size_t transport_at(uint8_t family, const uint8_t *quote, size_t size)
{
    size_t at = family == SANWO_FAMILY_IPV4 ? (quote[0] & 15u) * 4 : WIRE_IPV6_HEADER;
    bool plain = family == SANWO_FAMILY_IPV4 || quote[6] == IP_PROTOCOL_TCP;
    return plain && at + 8 <= size ? at : 0;
}

static void check_quote(uint8_t family, const uint8_t *quote, size_t size)
{
    struct wire_icmp_quote q;
    if (!sw_wire_icmp_quote_read(&q, family, quote, size))
        return;
    FUZZ_CHECK(q.source.family == family && q.destination.family == family, "the family");
    FUZZ_CHECK(!(q.fragment && q.transport), "the middle of a packet has no ports");
    bool has_ports = q.protocol == IP_PROTOCOL_TCP || q.protocol == IP_PROTOCOL_UDP;
    if (!q.transport || !has_ports)
        FUZZ_CHECK(!q.source_port && !q.destination_port, "no ports");
    if (!q.transport || q.protocol != IP_PROTOCOL_TCP)
        FUZZ_CHECK(q.seq.raw == 0, "no sequence number");
    if (!q.transport || q.protocol != IP_PROTOCOL_TCP)
        return;
    size_t at = transport_at(family, quote, size);
    if (!at)
        return;
    FUZZ_CHECK(q.source_port == sw_load16(quote + at), "the source port");
    FUZZ_CHECK(q.destination_port == sw_load16(quote + at + 2), "the destination port");
    FUZZ_CHECK(q.seq.raw == sw_load32(quote + at + 4), "the sequence number");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_icmp h;
    uint8_t again[WIRE_ICMP_HEADER];
    bool readable = sw_wire_icmp_read(&h, data, size);
    FUZZ_CHECK(readable == (size >= sizeof(again)), "the length alone decides");
    if (!readable)
        return 0;
    sw_wire_icmp_write(&h, again);
    FUZZ_CHECK(memcmp(again, data, sizeof(again)) == 0, "written as it was read");
    sw_wire_icmp_is_error(h.type);
    FUZZ_CHECK(sw_wire_icmpv6_is_error(h.type) == (h.type < 128 || h.type == ICMPV6_REDIRECT),
               "ICMPv6 errors have the high bit clear; redirects count with them");
    void *quote = fuzz_copy(data + WIRE_ICMP_HEADER, size - WIRE_ICMP_HEADER);
    check_quote(SANWO_FAMILY_IPV4, quote, size - WIRE_ICMP_HEADER);
    check_quote(SANWO_FAMILY_IPV6, quote, size - WIRE_ICMP_HEADER);
    check_quote(SANWO_FAMILY_NONE, quote, size - WIRE_ICMP_HEADER);
    free(quote);
    return 0;
}
