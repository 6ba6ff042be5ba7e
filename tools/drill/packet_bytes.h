/*
 * packet_bytes.h - Numbers in network order, the Internet checksum, text into a bounded buffer.
 *
 * Shared by the files of the packet side. Written for the drill alone: the codec under test has its
 * own. RFC 1071 (checksum), RFC 9293 3.1 and RFC 8200 8.1 (pseudo headers).
 */
#ifndef SANWO_TOOLS_DRILL_PACKET_BYTES_H
#define SANWO_TOOLS_DRILL_PACKET_BYTES_H

#include <sanwo/address.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DRILL_IP_ICMP = 1,
    DRILL_IP_TCP = 6,
    DRILL_IP_UDP = 17,
    DRILL_IP_ICMPV6 = 58,
    DRILL_TCP_HEADER = 20,
    DRILL_UDP_HEADER = 8,
    DRILL_ICMP_HEADER = 8,
    DRILL_OPTIONS_MAX = 40,
};

enum {
    DRILL_FIN = 1,
    DRILL_SYN = 2,
    DRILL_RST = 4,
    DRILL_PSH = 8,
    DRILL_ACK = 16,
    DRILL_URG = 32,
    DRILL_ECE = 64,
    DRILL_CWR = 128,
};

enum {
    DRILL_OPTION_EOL = 0,
    DRILL_OPTION_NOP = 1,
    DRILL_OPTION_MSS = 2,
    DRILL_OPTION_WSCALE = 3,
    DRILL_OPTION_SACK_OK = 4,
    DRILL_OPTION_SACK = 5,
    DRILL_OPTION_TS = 8,
    DRILL_OPTION_MD5 = 19,
    DRILL_OPTION_FO = 34,
    DRILL_OPTION_ACCECN0 = 172,
    DRILL_OPTION_ACCECN1 = 174,
    DRILL_OPTION_EXP2 = 254,
    DRILL_EXID_FO = 0xf989,
    DRILL_EXID_ACCECN0 = 0xacc0,
    DRILL_EXID_ACCECN1 = 0xacc1,
    DRILL_EXID_TARR = 0x00ac,
};

static inline uint16_t drill_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t drill_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void drill_put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void drill_put32(uint8_t *p, uint32_t v)
{
    drill_put16(p, v >> 16);
    drill_put16(p + 2, v);
}

static inline size_t drill_ip_header(uint8_t family)
{
    return family == SANWO_FAMILY_IPV6 ? 40 : 20;
}

/** The checksum of @length bytes, @sum added first: 0 over bytes that carry a right one. */
uint16_t sw_drill_checksum(const uint8_t *bytes, size_t length, uint32_t sum);

/** What the pseudo header adds, to be given to sw_drill_checksum(). */
uint32_t sw_drill_pseudo_sum(const struct sanwo_address *source,
                             const struct sanwo_address *destination, uint8_t protocol,
                             size_t length);

/** A text that grows in the caller's buffer and is cut, always terminated, when it is full. */
struct drill_text {
    char *out;
    size_t size, used;
};

void sw_drill_text_init(struct drill_text *text, char *out, size_t size);
void sw_drill_text_add(struct drill_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Two hexadecimal digits a byte. */
void sw_drill_text_hex(struct drill_text *text, const uint8_t *bytes, size_t length);

#endif
