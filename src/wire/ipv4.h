/*
 * ipv4.h - The IPv4 header (RFC 791 3.1).
 */
#ifndef SW_WIRE_IPV4_H
#define SW_WIRE_IPV4_H

#include "base/bytes.h"

#include <sanwo/address.h>

#define WIRE_IPV4_HEADER 20
#define WIRE_IPV4_HEADER_MAX 60

enum { IP_PROTOCOL_ICMP = 1, IP_PROTOCOL_TCP = 6, IP_PROTOCOL_UDP = 17, IP_PROTOCOL_ICMPV6 = 58 };
enum { IPV4_OPTION_EOL = 0, IPV4_OPTION_NOP = 1, IPV4_OPTION_LSRR = 131, IPV4_OPTION_SSRR = 137 };

struct wire_ipv4 {
    struct sanwo_address source;
    struct sanwo_address destination;
    uint16_t total_length; /* header and payload */
    uint16_t id;
    uint16_t fragment_offset; /* bytes (the field times 8) */
    uint16_t checksum;
    uint8_t header_length; /* bytes, 20..60 */
    uint8_t dscp_ecn;      /* DSCP << 2 | ECN */
    uint8_t ttl;
    uint8_t protocol;
    bool dont_fragment;
    bool more_fragments;
};

enum wire_ip_fault {
    WIRE_IP_OK,
    WIRE_IP_SHORT,   /* fewer bytes than a header, or than the header says */
    WIRE_IP_VERSION, /* not this version of IP */
    WIRE_IP_LENGTH,  /* header length < 20, or total length below it or past the frame */
    WIRE_IP_CHECKSUM,
};

/*
 * Reads and validates against the frame's @length (which may be longer: link padding). With
 * @verify the header checksum is checked (RFC 1122 3.2.1.2).
 */
enum wire_ip_fault sw_wire_ipv4_read(struct wire_ipv4 *out, const uint8_t *bytes, size_t length,
                                     bool verify);
/* As above for a header quoted by ICMP: total_length may exceed @length (it was cut). No checksum. */
enum wire_ip_fault sw_wire_ipv4_read_quoted(struct wire_ipv4 *out, const uint8_t *bytes,
                                            size_t length);
/* Writes 20 bytes with the header checksum computed. */
void sw_wire_ipv4_write(const struct wire_ipv4 *h, uint8_t *bytes);

enum wire_ipv4_options {
    WIRE_IPV4_OPTIONS_FINE,         /* well-formed, nothing we must act on */
    WIRE_IPV4_OPTIONS_SOURCE_ROUTE, /* LSRR or SSRR present: dropped by policy (RFC 7126) */
    WIRE_IPV4_OPTIONS_MALFORMED,
};
/* Walks the option bytes (header minus 20); always terminates (attacks ). */
enum wire_ipv4_options sw_wire_ipv4_options_check(const uint8_t *bytes, size_t length);

/* Pseudo-header sum of either family (RFC 9293 3.1, RFC 8200 8.1), to go on with sw_checksum_add. */
uint32_t sw_wire_pseudo_sum(const struct sanwo_address *source,
                            const struct sanwo_address *destination, uint8_t protocol,
                            uint32_t length);

#endif
