/*
 * ipv6.c - The fixed IPv6 header (RFC 8200 3). What follows it is walked in ipv6_walk.c.
 *
 *     | version, class, flow label | payload length | next | hops | source | destination |
 *      0                            4                6      7      8        24            40
 */
#include "wire/ipv6.h"
#include "wire/address.h"

enum wire_ip_fault sw_wire_ipv6_read_quoted(struct wire_ipv6 *out, const uint8_t *bytes,
                                            size_t length)
{
    struct reader r = sw_reader(bytes, length);
    const uint8_t *p = sw_take(&r, WIRE_IPV6_HEADER);
    uint32_t first;

    if (!p)
        return WIRE_IP_SHORT;
    first = sw_load32(p);
    if (first >> 28 != 6)
        return WIRE_IP_VERSION;
    out->traffic_class = (uint8_t)(first >> 20);
    out->flow_label = first & 0xfffff;
    out->payload_length = sw_load16(p + 4);
    out->next_header = p[6];
    out->hop_limit = p[7];
    sw_wire_address_read_ipv6(&out->source, p + 8);
    sw_wire_address_read_ipv6(&out->destination, p + 24);
    return WIRE_IP_OK;
}

enum wire_ip_fault sw_wire_ipv6_read(struct wire_ipv6 *out, const uint8_t *bytes, size_t length)
{
    enum wire_ip_fault fault = sw_wire_ipv6_read_quoted(out, bytes, length);
    struct reader r = sw_reader(bytes, length);

    if (fault != WIRE_IP_OK)
        return fault;
    /* A jumbogram's payload length of 0 (RFC 2675) is taken at its word: we do not support them. */
    if (!sw_take(&r, WIRE_IPV6_HEADER + (size_t)out->payload_length))
        return WIRE_IP_LENGTH;
    return WIRE_IP_OK;
}

void sw_wire_ipv6_write(const struct wire_ipv6 *h, uint8_t *bytes)
{
    sw_store32(bytes,
               UINT32_C(6) << 28 | (uint32_t)h->traffic_class << 20 | (h->flow_label & 0xfffff));
    sw_store16(bytes + 4, h->payload_length);
    bytes[6] = h->next_header;
    bytes[7] = h->hop_limit;
    memcpy(bytes + 8, h->source.bytes, 16);
    memcpy(bytes + 24, h->destination.bytes, 16);
}
