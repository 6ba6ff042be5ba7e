/*
 * packet.c - IP packets with TCP and ICMP inside, written and read by hand.
 *
 *     IPv4: version, lengths, DF, TTL, protocol, sum, addresses | TCP: ports, numbers, flags, options
 *     IPv6: version, length, next header, hop limit, addresses  | checksum over the pseudo-header
 */
#include "packet.h"

#include <string.h>

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

/* RFC 1071 in the plainest way. */
static uint32_t sum(uint32_t start, const uint8_t *bytes, size_t length)
{
    uint64_t total = start;
    for (size_t i = 0; i < length; i++)
        total += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (total >> 16)
        total = (total & 0xffff) + (total >> 16);
    return (uint32_t)total;
}

static uint32_t pseudo(const struct sanwo_address *from, const struct sanwo_address *to,
                       uint8_t protocol, size_t length)
{
    size_t size = from->family == SANWO_FAMILY_IPV4 ? 4 : 16;
    uint8_t tail[8] = {0};
    put32(tail, (uint32_t)length);
    tail[7] = protocol;
    return sum(sum(sum(0, from->bytes, size), to->bytes, size), tail, 8);
}

static size_t ip_header_size(const struct sanwo_address *a)
{
    return a->family == SANWO_FAMILY_IPV4 ? 20 : 40;
}

static void put_ip(uint8_t *out, const struct sanwo_address *from, const struct sanwo_address *to,
                   uint8_t protocol, uint8_t ttl, uint8_t dscp_ecn, size_t length)
{
    memset(out, 0, ip_header_size(from));
    if (from->family == SANWO_FAMILY_IPV4) {
        out[0] = 0x45;
        out[1] = dscp_ecn;
        put16(out + 2, (uint32_t)length + 20);
        put16(out + 4, 0x1234);
        out[6] = 0x40; /* DF */
        out[8] = ttl ? ttl : 64;
        out[9] = protocol;
        memcpy(out + 12, from->bytes, 4);
        memcpy(out + 16, to->bytes, 4);
        put16(out + 10, ~sum(0, out, 20));
    } else {
        put32(out, 0x60000000u | (uint32_t)dscp_ecn << 20 | 0x54321);
        put16(out + 4, (uint32_t)length);
        out[6] = protocol;
        out[7] = ttl ? ttl : 64;
        memcpy(out + 8, from->bytes, 16);
        memcpy(out + 24, to->bytes, 16);
    }
}

static size_t put_options(uint8_t *out, const struct segment *seg)
{
    uint8_t *at = out;
    if (seg->mss || seg->has_mss) {
        *at++ = 2;
        *at++ = 4;
        put16(at, seg->mss);
        at += 2;
    }
    if (seg->scale) {
        *at++ = 3;
        *at++ = 3;
        *at++ = (uint8_t)seg->scale;
    }
    if (seg->sack_permitted) {
        *at++ = 4;
        *at++ = 2;
    }
    if (seg->has_ts) { /* not aligned unless by chance: MUST-64 */
        *at++ = 8;
        *at++ = 10;
        put32(at, seg->ts_value);
        put32(at + 4, seg->ts_echo);
        at += 8;
    }
    if (seg->sack_count) {
        *at++ = 5;
        *at++ = (uint8_t)(2 + 8 * seg->sack_count);
        for (unsigned i = 0; i < seg->sack_count; i++, at += 8) {
            put32(at, seg->sack[i][0]);
            put32(at + 4, seg->sack[i][1]);
        }
    }
    if (seg->raw_length)
        memcpy(at, seg->raw, seg->raw_length);
    at += seg->raw_length;
    while ((at - out) % 4)
        *at++ = 0;
    return (size_t)(at - out);
}

size_t packet_tcp(const struct flow *flow, const struct segment *seg, uint8_t *out)
{
    size_t ip = ip_header_size(&flow->from.address);
    uint8_t *tcp = out + ip;
    memset(tcp, 0, 60);
    size_t header = 20 + put_options(tcp + 20, seg);
    size_t length = header + seg->length;
    put16(tcp, flow->from.port);
    put16(tcp + 2, flow->to.port);
    put32(tcp + 4, seg->seq);
    put32(tcp + 8, seg->ack);
    tcp[12] = (uint8_t)((seg->data_offset ? seg->data_offset : header / 4) << 4);
    tcp[13] = seg->flags;
    put16(tcp + 14, seg->window);
    put16(tcp + 18, seg->urgent);
    if (seg->length)
        memcpy(tcp + header, seg->payload, seg->length);
    uint32_t start = pseudo(&flow->from.address, &flow->to.address, 6, length);
    put16(tcp + 16, ~sum(start, tcp, length));
    if (seg->bad_checksum)
        tcp[17] ^= 1;
    put_ip(out, &flow->from.address, &flow->to.address, 6, seg->ttl, seg->dscp_ecn, length);
    return ip + length;
}

/* RFC 7413 4.1.1 and 9. */
static const char *read_cookie(struct segment *seg, const uint8_t *at, uint8_t size)
{
    uint8_t head = at[0] == 34 ? 2 : 4;
    if (size < head || (head == 4 && get16(at + 2) != 0xf989))
        return "an experiment that is not ours";
    if (!(seg->flags & SYN) || (size != head && (size < head + 4 || size > head + 16 || size % 2)))
        return "Fast Open of a wrong size or without SYN (RFC 7413 4.1.1)";
    seg->cookie_kind = at[0];
    seg->cookie_length = (uint8_t)(size - head);
    memcpy(seg->cookie, at + head, seg->cookie_length);
    return NULL;
}

/* RFC2018-2-1: neither option where it does not belong. */
static const char *read_option(struct segment *seg, const uint8_t *at, uint8_t size)
{
    switch (at[0]) {
    case 2:
        if (size != 4 || !(seg->flags & SYN))
            return "MSS of a wrong size or without SYN (MUST-65)";
        seg->mss = (uint16_t)get16(at + 2);
        return NULL;
    case 3:
        if (size != 3 || !(seg->flags & SYN) || at[2] > 14)
            return "window scale of a wrong size, above 14 or without SYN (RFC 7323 2.2)";
        seg->scale = SCALE(at[2]);
        return NULL;
    case 4:
        if (size != 2 || !(seg->flags & SYN))
            return "SACK permitted of a wrong size or without SYN (RFC 2018 2)";
        seg->sack_permitted = true;
        return NULL;
    case 5:
        if (size < 10 || (size - 2) % 8 || (seg->flags & SYN))
            return "SACK of a wrong size or with SYN (RFC 2018 3)";
        seg->sack_count = (uint8_t)((size - 2) / 8);
        for (unsigned i = 0; i < seg->sack_count; i++) {
            seg->sack[i][0] = get32(at + 2 + 8 * i);
            seg->sack[i][1] = get32(at + 6 + 8 * i);
        }
        return NULL;
    case 8:
        if (size != 10)
            return "timestamps of a wrong size (RFC 7323 3.2)";
        seg->has_ts = true;
        seg->ts_value = get32(at + 2);
        seg->ts_echo = get32(at + 6);
        return NULL;
    case 34:
    case 254:
        return read_cookie(seg, at, size);
    case 172: /* accurate ECN: whole counters, and never before both ends agreed */
    case 174:
        return size > 11 || size % 3 != 2 || (seg->flags & (SYN | ACK)) == SYN
                   ? "accurate ECN's option of a wrong size or in a SYN (RFC 9768 3.2.3)"
                   : NULL;
    default:
        return "an option that we never negotiate";
    }
}

/* MUST-68: each but EOL and NOP has a length. MUST-69: after EOL there are zeros. */
static const char *read_options(struct segment *seg, const uint8_t *at, size_t left)
{
    uint64_t seen = 0;
    while (left) {
        if (at[0] == 0) {
            for (size_t i = 0; i < left; i++)
                if (at[i])
                    return "bytes after the end of options that are not zero (MUST-69)";
            return NULL;
        }
        if (at[0] == 1) {
            at++;
            left--;
            continue;
        }
        if (left < 2 || at[1] < 2 || at[1] > left)
            return "an option without a right length (MUST-68)";
        if (at[0] < 64 && (seen >> at[0] & 1))
            return "an option twice";
        seen |= UINT64_C(1) << (at[0] & 63);
        const char *wrong = read_option(seg, at, at[1]);
        if (wrong)
            return wrong;
        left -= at[1];
        at += at[1];
    }
    return NULL;
}

/* RFC1122-3.2.1.7-1: never with a TTL of zero. */
static const char *read_ip(const uint8_t *bytes, size_t length, struct flow *flow,
                           struct segment *seg)
{
    if (length < 40)
        return "shorter than any TCP packet";
    bool ipv4 = bytes[0] >> 4 == 4;
    if (ipv4) {
        if (bytes[0] != 0x45 || get16(bytes + 2) != length || sum(0, bytes, 20) != 0xffff)
            return "IPv4 header: length or checksum";
        if ((bytes[6] & 0xbf) || bytes[7] || bytes[9] != 6)
            return "IPv4 header: a fragment, or not TCP";
        seg->dscp_ecn = bytes[1];
        seg->ttl = bytes[8];
        flow->from.address = sanwo_address_ipv4(bytes[12], bytes[13], bytes[14], bytes[15]);
        flow->to.address = sanwo_address_ipv4(bytes[16], bytes[17], bytes[18], bytes[19]);
    } else {
        if (bytes[0] >> 4 != 6 || length < 60 || get16(bytes + 4) + 40 != length || bytes[6] != 6)
            return "IPv6 header: version, length, or not TCP";
        seg->dscp_ecn = (uint8_t)(get16(bytes) >> 4);
        seg->ttl = bytes[7];
        flow->from.address = sanwo_address_ipv6(bytes + 8);
        flow->to.address = sanwo_address_ipv6(bytes + 24);
    }
    return seg->ttl ? NULL : "time to live of zero";
}

/* What every test demands of each segment: MUST-2, and below it MUST-65, MUST-68, MUST-69. */
const char *packet_read(const uint8_t *bytes, size_t length, struct flow *flow, struct segment *seg)
{
    memset(seg, 0, sizeof(*seg));
    memset(flow, 0, sizeof(*flow));
    const char *wrong = read_ip(bytes, length, flow, seg);
    if (wrong)
        return wrong;
    size_t ip = ip_header_size(&flow->from.address);
    const uint8_t *tcp = bytes + ip;
    length -= ip;
    size_t header = (size_t)(tcp[12] >> 4) * 4;
    if (header < 20 || header > length ||
        (tcp[12] & 14)) /* the last of the four is AE (RFC 9768) */
        return "TCP header: data offset, or reserved bits";
    if (sum(pseudo(&flow->from.address, &flow->to.address, 6, length), tcp, length) != 0xffff)
        return "TCP checksum (MUST-2)";
    flow->from.port = (uint16_t)get16(tcp);
    flow->to.port = (uint16_t)get16(tcp + 2);
    seg->seq = get32(tcp + 4);
    seg->ack = get32(tcp + 8);
    seg->flags = tcp[13];
    seg->window = (uint16_t)get16(tcp + 14);
    seg->urgent = (uint16_t)get16(tcp + 18);
    seg->payload = tcp + header;
    seg->length = (uint32_t)(length - header);
    seg->options_length = (uint8_t)(header - 20);
    if (!(seg->flags & ACK) && seg->ack)
        return "an acknowledgement number without ACK";
    if (!(seg->flags & URG) && seg->urgent)
        return "an urgent pointer without URG";
    return read_options(seg, tcp + 20, header - 20);
}

size_t packet_icmp(const struct sanwo_address *from, const struct sanwo_address *to, uint8_t type,
                   uint8_t code, uint32_t word, const uint8_t *quote, size_t quoted, uint8_t *out)
{
    bool ipv4 = from->family == SANWO_FAMILY_IPV4;
    size_t ip = ip_header_size(from);
    uint8_t *icmp = out + ip;
    memset(icmp, 0, 8);
    icmp[0] = type;
    icmp[1] = code;
    put32(icmp + 4, word);
    memcpy(icmp + 8, quote, quoted);
    size_t length = 8 + quoted;
    uint32_t start = ipv4 ? 0 : pseudo(from, to, 58, length);
    put16(icmp + 2, ~sum(start, icmp, length));
    put_ip(out, from, to, ipv4 ? 1 : 58, 64, 0, length);
    return ip + length;
}
