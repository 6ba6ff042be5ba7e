/*
 * hostile.c - The packets of an attacker.
 */
#include "attacks/hostile.h"

#include <string.h>

/* The folded sum, not inverted. */
uint16_t hostile_sum(uint32_t start, const uint8_t *bytes, size_t length)
{
    uint64_t sum = start;
    for (; length > 1; bytes += 2, length -= 2)
        sum += hostile_get16(bytes);
    if (length)
        sum += (uint32_t)bytes[0] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

size_t hostile_ip(uint32_t from, uint32_t to, uint8_t protocol, uint16_t id, uint16_t fragment,
                  size_t length, uint8_t *out)
{
    out[0] = 0x45;
    out[1] = 0;
    hostile_put16(out + 2, (uint32_t)(length + 20));
    hostile_put16(out + 4, id);
    hostile_put16(out + 6, fragment);
    out[8] = 64;
    out[9] = protocol;
    hostile_put16(out + 10, 0);
    hostile_put32(out + 12, from);
    hostile_put32(out + 16, to ? to : VICTIM_ADDRESS);
    hostile_put16(out + 10, (uint16_t)~hostile_sum(0, out, 20));
    return length + 20;
}

size_t hostile_write(const struct hostile_segment *seg, uint8_t *out)
{
    uint8_t *tcp = out + 20;
    size_t header = 20u + seg->options_length, length = header + seg->length;
    hostile_ip(seg->from, seg->to, 6, seg->id, 0x4000, length, out);
    hostile_put16(tcp, seg->from_port);
    hostile_put16(tcp + 2, seg->to_port);
    hostile_put32(tcp + 4, seg->seq);
    hostile_put32(tcp + 8, seg->ack);
    tcp[12] = (uint8_t)(header / 4 << 4);
    tcp[13] = seg->flags;
    hostile_put16(tcp + 14, seg->window);
    hostile_put16(tcp + 16, 0);
    hostile_put16(tcp + 18, seg->urgent);
    if (seg->options_length)
        memcpy(tcp + 20, seg->options, seg->options_length);
    if (seg->length)
        memcpy(tcp + header, seg->payload, seg->length);
    uint16_t pseudo = hostile_sum((uint32_t)(6 + length), out + 12, 8);
    hostile_put16(tcp + 16, (uint16_t)~hostile_sum(pseudo, tcp, length));
    return length + 20;
}

bool hostile_read(const uint8_t *packet, size_t length, struct hostile_segment *seg)
{
    if (length < 40 || packet[0] != 0x45 || packet[9] != 6)
        return false;
    const uint8_t *tcp = packet + 20;
    size_t header = (size_t)(tcp[12] >> 4) * 4;
    if (header < 20 || 20 + header > length)
        return false;
    *seg = (struct hostile_segment){.from = hostile_get32(packet + 12),
                                    .to = hostile_get32(packet + 16),
                                    .id = (uint16_t)hostile_get16(packet + 4),
                                    .from_port = (uint16_t)hostile_get16(tcp),
                                    .to_port = (uint16_t)hostile_get16(tcp + 2),
                                    .seq = hostile_get32(tcp + 4),
                                    .ack = hostile_get32(tcp + 8),
                                    .flags = tcp[13],
                                    .window = (uint16_t)hostile_get16(tcp + 14),
                                    .urgent = (uint16_t)hostile_get16(tcp + 18),
                                    .options = tcp + 20,
                                    .options_length = (uint8_t)(header - 20),
                                    .payload = tcp + header,
                                    .length = (uint16_t)(length - 20 - header)};
    return true;
}

bool hostile_timestamp(const struct hostile_segment *seg, uint32_t *value, uint32_t *echo)
{
    for (unsigned i = 0; i < seg->options_length;) {
        uint8_t kind = seg->options[i];
        if (kind == 0)
            return false;
        if (kind == 1) {
            i++;
            continue;
        }
        if (i + 1 >= seg->options_length || seg->options[i + 1] < 2)
            return false;
        if (kind == 8 && i + 10 <= seg->options_length) {
            *value = hostile_get32(seg->options + i + 2);
            *echo = hostile_get32(seg->options + i + 6);
            return true;
        }
        i += seg->options[i + 1];
    }
    return false;
}

size_t hostile_icmp(uint32_t from, uint8_t type, uint8_t code, uint32_t word, const uint8_t *quote,
                    size_t quoted, uint8_t *out)
{
    uint8_t *icmp = out + 20;
    icmp[0] = type;
    icmp[1] = code;
    hostile_put16(icmp + 2, 0);
    hostile_put32(icmp + 4, word);
    if (quoted)
        memcpy(icmp + 8, quote, quoted);
    hostile_put16(icmp + 2, (uint16_t)~hostile_sum(0, icmp, 8 + quoted));
    return hostile_ip(from, 0, 1, 0, 0, 8 + quoted, out);
}
