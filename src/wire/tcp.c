/*
 * tcp.c - The fixed TCP header (RFC 9293 3.1). The picture is in tcp.h, options in tcp_options.c.
 */
#include "wire/tcp.h"

bool sw_wire_tcp_read(struct wire_tcp *out, const uint8_t *bytes, size_t length)
{
    struct reader r = sw_reader(bytes, length);
    const uint8_t *p = sw_take(&r, WIRE_TCP_HEADER);
    size_t header_length;

    if (!p)
        return false;
    /* The data offset counts 32-bit words; it must reach past the fixed header and end inside. */
    header_length = (size_t)(p[12] >> 4) * 4;
    if (header_length < WIRE_TCP_HEADER || !sw_take(&r, header_length - WIRE_TCP_HEADER))
        return false;
    out->source_port = sw_load16(p);
    out->destination_port = sw_load16(p + 2);
    out->seq = tcp_seq_of(sw_load32(p + 4));
    out->ack = tcp_seq_of(sw_load32(p + 8));
    out->header_length = (uint8_t)header_length;
    out->reserved = p[12] & 15;
    out->flags = p[13];
    out->window = sw_load16(p + 14);
    out->checksum = sw_load16(p + 16);
    out->urgent = sw_load16(p + 18);
    return true;
}

void sw_wire_tcp_write(const struct wire_tcp *h, uint8_t *bytes)
{
    SW_ASSERT(h->header_length >= WIRE_TCP_HEADER && h->header_length <= WIRE_TCP_HEADER_MAX &&
              h->header_length % 4 == 0);
    sw_store16(bytes, h->source_port);
    sw_store16(bytes + 2, h->destination_port);
    sw_store32(bytes + 4, h->seq.raw);
    sw_store32(bytes + 8, h->ack.raw);
    bytes[12] = (uint8_t)(h->header_length / 4 << 4 | (h->reserved & 15));
    bytes[13] = h->flags;
    sw_store16(bytes + 14, h->window);
    sw_store16(bytes + 16, h->checksum);
    sw_store16(bytes + 18, h->urgent);
}
