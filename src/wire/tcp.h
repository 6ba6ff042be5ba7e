/*
 * tcp.h - The TCP header (RFC 9293 3.1): bytes to struct and back.
 *
 *     | source port | dest port | seq | ack | offset,flags | window | checksum | urgent | options...
 *      0             2           4     8     12             14       16         18       20
 */
#ifndef SW_WIRE_TCP_H
#define SW_WIRE_TCP_H

#include "base/bytes.h"
#include "wire/tcp_seq.h"

#define WIRE_TCP_HEADER 20
#define WIRE_TCP_HEADER_MAX 60
#define WIRE_TCP_OPTIONS_MAX 40

enum {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
    TCP_ECE = 0x40, /* RFC 3168 */
    TCP_CWR = 0x80,
};
#define TCP_AE 0x01 /* of `reserved`: accurate ECN (RFC 9768), once the nonce sum of RFC 3540 */

struct wire_tcp {
    uint16_t source_port;
    uint16_t destination_port;
    tcp_seq seq;
    tcp_seq ack; /* meaningful only with TCP_ACK */
    uint8_t flags;
    uint8_t reserved;      /* the four bits between offset and flags: TCP_AE, the rest zero */
    uint8_t header_length; /* bytes, 20..60 */
    uint16_t window;       /* unscaled, as on the wire */
    uint16_t checksum;
    uint16_t urgent; /* meaningful only with TCP_URG */
};

/* AE, CWR and ECE as one number, which is what they are outside of SYN segments (RFC 9768 3.2.2). */
static inline uint8_t sw_wire_tcp_ace(const struct wire_tcp *h)
{
    return (uint8_t)((h->reserved & TCP_AE) << 2 | h->flags >> 6);
}

static inline void sw_wire_tcp_set_ace(struct wire_tcp *h, uint8_t ace)
{
    h->reserved = (uint8_t)((h->reserved & ~TCP_AE) | (ace >> 2 & TCP_AE));
    h->flags = (uint8_t)((h->flags & ~(TCP_ECE | TCP_CWR)) | (ace & 3) << 6);
}

/*
 * Reads the fixed header. False if there are fewer than 20 bytes, or the data offset is below 5 or
 * past the end: nothing may then be believed. Options lie at bytes + 20, header_length - 20 long.
 */
bool sw_wire_tcp_read(struct wire_tcp *out, const uint8_t *bytes, size_t length);
/* Writes 20 bytes, the checksum field as in @h; header_length must be set and a multiple of 4. */
void sw_wire_tcp_write(const struct wire_tcp *h, uint8_t *bytes);

#endif
