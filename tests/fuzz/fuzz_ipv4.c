/*
 * fuzz_ipv4.c - IPv4 headers and their options (RFC 791 3.1).
 *
 * Read plainly, with the checksum verified, and as an ICMP error quotes it: the three must agree as
 * far as they look at the same things. What is written reads back the same, and verifies.
 */
#include "fuzz.h"

#include "base/checksum.h"
#include "wire/ipv4.h"

static bool equal(const struct wire_ipv4 *a, const struct wire_ipv4 *b)
{
    return sanwo_address_equal(&a->source, &b->source) &&
           sanwo_address_equal(&a->destination, &b->destination) &&
           a->total_length == b->total_length && a->id == b->id &&
           a->fragment_offset == b->fragment_offset && a->dscp_ecn == b->dscp_ecn &&
           a->ttl == b->ttl && a->protocol == b->protocol && a->dont_fragment == b->dont_fragment &&
           a->more_fragments == b->more_fragments;
}

static void check_lengths(const struct wire_ipv4 *h, size_t size)
{
    FUZZ_CHECK(h->header_length >= WIRE_IPV4_HEADER && h->header_length <= WIRE_IPV4_HEADER_MAX,
               "the header's length");
    FUZZ_CHECK(h->header_length <= h->total_length && h->header_length <= size, "it is all there");
    FUZZ_CHECK(h->fragment_offset % 8 == 0, "offsets count in eights");
}

/* Twenty bytes that say the same, but for options and the reserved bit, which are never written. */
static void check_written(const struct wire_ipv4 *h, const uint8_t *data)
{
    struct wire_ipv4 again;
    uint8_t bytes[WIRE_IPV4_HEADER];
    sw_wire_ipv4_write(h, bytes);
    FUZZ_CHECK(sw_checksum_finish(sw_checksum_add_plain(0, bytes, sizeof(bytes))) == 0,
               "what is written verifies");
    enum wire_ip_fault fault = sw_wire_ipv4_read_quoted(&again, bytes, sizeof(bytes));
    FUZZ_CHECK(fault == WIRE_IP_OK && equal(h, &again), "reads back the same");
    if (h->header_length == WIRE_IPV4_HEADER && !(data[6] & 0x80))
        FUZZ_CHECK(memcmp(bytes, data, 10) == 0 && memcmp(bytes + 12, data + 12, 8) == 0,
                   "written as it was read");
}

static void check_pseudo(const struct wire_ipv4 *h)
{
    uint8_t pseudo[12] = {
        [9] = h->protocol, [10] = (uint8_t)(h->total_length >> 8), [11] = (uint8_t)h->total_length};
    memcpy(pseudo, h->source.bytes, 4);
    memcpy(pseudo + 4, h->destination.bytes, 4);
    uint32_t plain = sw_checksum_add_plain(0, pseudo, sizeof(pseudo));
    uint32_t sum = sw_wire_pseudo_sum(&h->source, &h->destination, h->protocol, h->total_length);
    FUZZ_CHECK(sw_checksum_fold(sum) == sw_checksum_fold(plain), "the pseudo-header's sum");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_ipv4 h, verified, quoted;
    enum wire_ip_fault fault = sw_wire_ipv4_read(&h, data, size, false);
    enum wire_ip_fault strict = sw_wire_ipv4_read(&verified, data, size, true);
    enum wire_ip_fault loose = sw_wire_ipv4_read_quoted(&quoted, data, size);
    FUZZ_CHECK(strict == fault || (fault == WIRE_IP_OK && strict == WIRE_IP_CHECKSUM),
               "verifying only adds the checksum");
    FUZZ_CHECK(loose == fault || (loose == WIRE_IP_OK && fault == WIRE_IP_LENGTH),
               "quoted, only the end may be missing");
    if (loose != WIRE_IP_OK)
        return 0;
    check_lengths(&quoted, size);
    check_written(&quoted, data);
    check_pseudo(&quoted);
    sw_wire_ipv4_options_check(data + WIRE_IPV4_HEADER,
                               (size_t)quoted.header_length - WIRE_IPV4_HEADER);
    if (fault != WIRE_IP_OK)
        return 0;
    FUZZ_CHECK(h.total_length <= size && equal(&h, &quoted), "read and quoted agree");
    if (strict == WIRE_IP_OK)
        FUZZ_CHECK(sw_checksum_finish(sw_checksum_add_plain(0, data, h.header_length)) == 0,
                   "the checksum is right indeed");
    return 0;
}
