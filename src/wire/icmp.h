/*
 * icmp.h - ICMP (RFC 792) and ICMPv6 (RFC 4443): the eight-byte header and what errors quote.
 *
 *     | type | code | checksum | rest: id+sequence, unused+MTU, pointer, MTU |  data or quote
 */
#ifndef SW_WIRE_ICMP_H
#define SW_WIRE_ICMP_H

#include "wire/ipv6.h"
#include "wire/tcp_seq.h"

#define WIRE_ICMP_HEADER 8

enum {
    ICMP_ECHO_REPLY = 0,
    ICMP_UNREACHABLE = 3,
    ICMP_SOURCE_QUENCH = 4,
    ICMP_REDIRECT = 5,
    ICMP_ECHO = 8,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER_PROBLEM = 12,
};
enum {
    ICMP_UNREACHABLE_NET = 0,
    ICMP_UNREACHABLE_HOST = 1,
    ICMP_UNREACHABLE_PROTOCOL = 2,
    ICMP_UNREACHABLE_PORT = 3,
    ICMP_UNREACHABLE_FRAGMENTATION = 4, /* RFC 1191: next-hop MTU in the low half of `rest` */
};
enum {
    ICMPV6_UNREACHABLE = 1,
    ICMPV6_PACKET_TOO_BIG = 2,
    ICMPV6_TIME_EXCEEDED = 3,
    ICMPV6_PARAMETER_PROBLEM = 4,
    ICMPV6_ECHO = 128,
    ICMPV6_ECHO_REPLY = 129,
    ICMPV6_ROUTER_SOLICIT = 133,
    ICMPV6_ROUTER_ADVERT = 134,
    ICMPV6_NEIGHBOUR_SOLICIT = 135,
    ICMPV6_NEIGHBOUR_ADVERT = 136,
    ICMPV6_REDIRECT = 137,
};
enum {
    ICMPV6_UNREACHABLE_NO_ROUTE = 0,
    ICMPV6_UNREACHABLE_ADMIN = 1,
    ICMPV6_UNREACHABLE_ADDRESS = 3,
    ICMPV6_UNREACHABLE_PORT = 4
};

struct wire_icmp {
    uint8_t type;
    uint8_t code;
    uint16_t checksum;
    uint32_t rest;
};

/* False if shorter than 8 bytes. The checksum is the caller's to verify (v6 has a pseudo-header). */
bool sw_wire_icmp_read(struct wire_icmp *out, const uint8_t *bytes, size_t length);
void sw_wire_icmp_write(const struct wire_icmp *h, uint8_t *bytes);
/*
 * True for types that report an error: nothing may be sent about those (RFC 1122 3.2.2, RFC 4443
 * 2.4 e). Redirects count with them in both families.
 */
bool sw_wire_icmp_is_error(uint8_t type);
bool sw_wire_icmpv6_is_error(uint8_t type);

/* The packet of ours that an error message quotes. */
struct wire_icmp_quote {
    struct sanwo_address source;
    struct sanwo_address destination;
    uint8_t protocol;
    bool transport;       /* the first 8 bytes of the upper layer are there: */
    uint16_t source_port; /* if protocol is TCP or UDP, else 0 */
    uint16_t destination_port;
    tcp_seq seq;            /* if protocol is TCP */
    uint32_t packet_length; /* as the quoted header says: how large the packet in question was */
    bool fragment;          /* quoted packet is a fragment but the first: no transport */
};

/* Reads the quote behind the ICMP header; false if it is not a packet. Extension headers are walked. */
bool sw_wire_icmp_quote_read(struct wire_icmp_quote *out, uint8_t family, const uint8_t *bytes,
                             size_t length);

#endif
