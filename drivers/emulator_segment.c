/*
 * emulator_segment.c - Finding, changing and making TCP segments and ICMP errors in an emulated network.
 *
 *     note = sum of the headers      change bytes      mend: checksum += new sum - old sum (RFC 1624)
 *
 * So what was damaged on its way stays damaged. Where lengths change, the segment must be sound and
 * gets new checksums.
 */
#include <string.h>

#include "emulator_segment.h"

enum { IPV4 = 20, IPV6 = 40, TCP = 20, PROTOCOL_TCP = 6, PROTOCOL_ICMP = 1, PROTOCOL_ICMPV6 = 58 };

uint16_t sw_emulator_read16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

uint32_t sw_emulator_read32(const uint8_t *at)
{
    return (uint32_t)sw_emulator_read16(at) << 16 | sw_emulator_read16(at + 2);
}

void sw_emulator_write16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

void sw_emulator_write32(uint8_t *at, uint32_t value)
{
    sw_emulator_write16(at, (uint16_t)(value >> 16));
    sw_emulator_write16(at + 2, (uint16_t)value);
}

/* ---- congestion marks ---------------------------------------------------------------------------- */

/* Two bits become 3 (RFC 3168 5); IPv4's header checksum by the difference (RFC 1624 equation 3). */
bool sw_emulator_mark(struct packet *packet, uint32_t link)
{
    uint8_t *ip = packet->bytes + link;
    uint8_t *field = ip + 1, shift = 0;

    if (packet->length < link + IPV4)
        return false;
    if (ip[0] >> 4 == 6)
        shift = 4; /* the traffic class lies across two bytes */
    else if (ip[0] >> 4 != 4)
        return false;
    uint8_t ecn = *field >> shift & 3;
    if (ecn == 0 || ecn == 3)
        return false;
    *field |= (uint8_t)(3 << shift);
    if (ip[0] >> 4 == 4) {
        uint32_t sum = (uint32_t)(uint16_t)~sw_emulator_read16(ip + 10) + (3u - ecn);
        sw_emulator_write16(ip + 10, (uint16_t) ~((sum & 0xffff) + (sum >> 16)));
    }
    return true;
}

/* ---- sums --------------------------------------------------------------------------------------- */

/* RFC 1071. No packet is long enough to overflow. */
static uint32_t add(uint32_t sum, const uint8_t *bytes, uint32_t length)
{
    for (; length >= 2; length -= 2, bytes += 2)
        sum += sw_emulator_read16(bytes);
    return length > 0 ? sum + (uint32_t)(bytes[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static uint32_t pseudo_sum(const uint8_t *ip, bool v6, uint8_t protocol, uint32_t length)
{
    uint32_t sum = v6 ? add(0, ip + 8, 32) : add(0, ip + 12, 8);

    return sum + protocol + (length >> 16) + (length & 0xffff);
}

/* ---- finding ------------------------------------------------------------------------------------ */

static bool find_v4(const uint8_t *ip, uint32_t have, struct segment *out)
{
    uint32_t header = (ip[0] & 15u) * 4, total = sw_emulator_read16(ip + 2);

    if (header < IPV4 || total < header + TCP || total > have || ip[9] != PROTOCOL_TCP)
        return false;
    if (sw_emulator_read16(ip + 6) & 0x3fff) /* a fragment */
        return false;
    out->ip_header = header;
    out->length = total - header;
    return true;
}

static bool find_v6(const uint8_t *ip, uint32_t have, struct segment *out)
{
    uint32_t length = sw_emulator_read16(ip + 4);

    if (have < IPV6 || length < TCP || length > have - IPV6 || ip[6] != PROTOCOL_TCP)
        return false;
    out->ip_header = IPV6;
    out->length = length;
    return true;
}

bool sw_emulator_segment_find(struct packet *packet, uint32_t link, struct segment *out)
{
    uint8_t *ip = packet->bytes + link;
    bool found;

    if (packet->length < link + IPV4 + TCP)
        return false;
    *out = (struct segment){.packet = packet, .ip = ip, .v6 = ip[0] >> 4 == 6};
    found = out->v6 ? find_v6(ip, packet->length - link, out)
                    : ip[0] >> 4 == 4 && find_v4(ip, packet->length - link, out);
    if (!found)
        return false;
    out->tcp = ip + out->ip_header;
    out->tcp_header = (out->tcp[12] >> 4) * 4u;
    if (out->tcp_header < TCP || out->tcp_header > out->length)
        return false;
    out->payload = out->tcp + out->tcp_header;
    out->length -= out->tcp_header;
    return true;
}

/* ---- changing ----------------------------------------------------------------------------------- */

/* The checksum fields count too: nobody changes them in between. */
struct segment_note sw_emulator_segment_note(const struct segment *s)
{
    return (struct segment_note){add(0, s->ip, s->ip_header), add(0, s->tcp, s->tcp_header)};
}

static void mend(uint8_t *field, uint32_t before, uint32_t after)
{
    uint32_t sum = (uint16_t)~sw_emulator_read16(field);

    sum += (uint16_t)~fold(before);
    sw_emulator_write16(field, (uint16_t)~fold(sum + fold(after)));
}

void sw_emulator_segment_mend(struct segment *s, const struct segment_note *note)
{
    struct segment_note now = sw_emulator_segment_note(s);

    if (!s->v6 && now.ip != note->ip)
        mend(s->ip + 10, note->ip, now.ip);
    /* A super-segment's field holds the sum of what the headers do not change. */
    if (s->packet->segmentation == SANWO_SEGMENT_NONE && now.tcp != note->tcp)
        mend(s->tcp + SEGMENT_CHECKSUM, note->tcp, now.tcp);
}

bool sw_emulator_segment_sound(const struct segment *s)
{
    uint32_t length = s->tcp_header + s->length;

    if (!s->v6 && fold(add(0, s->ip, s->ip_header)) != 0xffff)
        return false;
    return fold(add(pseudo_sum(s->ip, s->v6, PROTOCOL_TCP, length), s->tcp, length)) == 0xffff;
}

void sw_emulator_segment_seal(struct segment *s, uint32_t length)
{
    uint32_t link = (uint32_t)(s->ip - s->packet->bytes);

    s->length = length;
    length += s->tcp_header;
    if (s->v6)
        sw_emulator_write16(s->ip + 4, (uint16_t)length);
    else
        sw_emulator_write16(s->ip + 2, (uint16_t)(s->ip_header + length));
    s->packet->length = link + s->ip_header + length;
    sw_emulator_packet_seal(s->packet, link, PROTOCOL_TCP, SEGMENT_CHECKSUM, true);
}

/* ---- making ------------------------------------------------------------------------------------- */

static void copy_addresses(uint8_t *to, const uint8_t *from, size_t size, bool back)
{
    memcpy(to, from + (back ? size : 0), size);
    memcpy(to + size, from + (back ? 0 : size), size);
}

struct packet *sw_emulator_packet_answer(struct packet_pool *pool, const uint8_t *like,
                                         uint32_t link, bool back, uint8_t protocol,
                                         uint32_t length)
{
    const uint8_t *ip = like + link;
    bool v6 = ip[0] >> 4 == 6;
    uint32_t header = v6 ? IPV6 : IPV4;
    struct packet *packet = sw_emulator_packet_blank(pool, link + header + length);
    uint8_t *out;

    if (packet == NULL)
        return NULL;
    memset(packet->bytes, 0, packet->length);
    if (link != 0) {
        memcpy(packet->bytes, like, link);
        copy_addresses(packet->bytes, like, 6, back);
    }
    out = packet->bytes + link;
    if (v6) {
        out[0] = 0x60;
        sw_emulator_write16(out + 4, (uint16_t)length);
        out[6] = protocol;
        out[7] = 64;
        copy_addresses(out + 8, ip + 8, 16, back);
    } else {
        out[0] = 0x45;
        sw_emulator_write16(out + 2, (uint16_t)(header + length));
        out[8] = 64;
        out[9] = protocol;
        copy_addresses(out + 12, ip + 12, 4, back);
    }
    return packet;
}

void sw_emulator_packet_seal(struct packet *packet, uint32_t link, uint8_t protocol,
                             uint32_t offset, bool pseudo)
{
    uint8_t *ip = packet->bytes + link;
    bool v6 = ip[0] >> 4 == 6;
    uint32_t header = v6 ? IPV6 : (ip[0] & 15u) * 4;
    uint32_t length = packet->length - link - header;
    uint8_t *field = ip + header + offset;
    uint32_t sum = pseudo ? pseudo_sum(ip, v6, protocol, length) : 0;

    sw_emulator_write16(field, 0);
    sw_emulator_write16(field, (uint16_t)~fold(add(sum, ip + header, length)));
    if (!v6) {
        sw_emulator_write16(ip + 10, 0);
        sw_emulator_write16(ip + 10, (uint16_t)~fold(add(0, ip, header)));
    }
}

/*
 * RFC 1191 4: fragmentation needed, with the MTU of the next hop; RFC 8201 3, RFC 4443 3.2: Packet Too
 * Big. It comes from where the packet was to go, as if that host's own link were the narrow one.
 */
struct packet *sw_emulator_too_big(struct packet_pool *pool, const uint8_t *bytes, uint32_t length,
                                   uint32_t link, uint16_t mtu)
{
    bool v6 = bytes[link] >> 4 == 6;
    uint32_t header = v6 ? IPV6 : IPV4, most = (v6 ? 1280u : 576u) - header - 8;
    uint32_t quote = length - link < most ? length - link : most;
    uint8_t protocol = v6 ? bytes[link + 6] : bytes[link + 9];
    struct packet *packet;
    uint8_t *icmp;

    if (protocol == PROTOCOL_ICMP ||
        protocol == PROTOCOL_ICMPV6) /* RFC 1122 3.2.2: no error on one */
        return NULL;
    packet = sw_emulator_packet_answer(pool, bytes, link, true,
                                       v6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP, 8 + quote);
    if (packet == NULL)
        return NULL;
    icmp = packet->bytes + link + header;
    icmp[0] = v6 ? 2 : 3;
    icmp[1] = v6 ? 0 : 4;
    sw_emulator_write32(icmp + 4, mtu);
    memcpy(icmp + 8, bytes + link, quote);
    sw_emulator_packet_seal(packet, link, PROTOCOL_ICMPV6, 2, v6);
    return packet;
}
