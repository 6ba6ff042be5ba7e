/*
 * ipv6.h - The IPv6 header and its extension headers (RFC 8200).
 */
#ifndef SW_WIRE_IPV6_H
#define SW_WIRE_IPV6_H

#include "wire/ipv4.h"

#define WIRE_IPV6_HEADER 40
#define WIRE_IPV6_MINIMUM_MTU 1280

enum {
    IPV6_HOP_BY_HOP = 0,
    IPV6_ROUTING = 43,
    IPV6_FRAGMENT = 44,
    IPV6_NO_NEXT = 59,
    IPV6_DESTINATION = 60,
};

struct wire_ipv6 {
    struct sanwo_address source;
    struct sanwo_address destination;
    uint32_t flow_label;     /* 20 bits */
    uint16_t payload_length; /* extension headers and upper layer */
    uint8_t traffic_class;   /* DSCP << 2 | ECN */
    uint8_t next_header;
    uint8_t hop_limit;
};

/* Validates the version and that the payload fits in @length. */
enum wire_ip_fault sw_wire_ipv6_read(struct wire_ipv6 *out, const uint8_t *bytes, size_t length);
/* As quoted by ICMPv6: the payload may be cut. */
enum wire_ip_fault sw_wire_ipv6_read_quoted(struct wire_ipv6 *out, const uint8_t *bytes,
                                            size_t length);
void sw_wire_ipv6_write(const struct wire_ipv6 *h, uint8_t *bytes);

/* What a walk along the extension headers came to (attacks ). */
enum wire_ipv6_walk_verdict {
    WIRE_IPV6_UPPER,      /* `protocol` at `offset` is the upper layer */
    WIRE_IPV6_FRAGMENTED, /* a fragment header that is not atomic stands at `offset`; `protocol`
                                is what it says comes next */
    WIRE_IPV6_NOTHING,    /* No Next Header */
    WIRE_IPV6_DROP,       /* an option says: discard silently; or malformed, or over our limits */
    WIRE_IPV6_PARAMETER,  /* discard and send Parameter Problem `code`, `pointer` */
    WIRE_IPV6_PARAMETER_UNLESS_MULTICAST,
};

struct wire_ipv6_walk {
    enum wire_ipv6_walk_verdict verdict;
    uint8_t protocol;
    uint8_t code;  /* ICMPv6 Parameter Problem: 0 header field, 1 next header, 2 option */
    size_t offset; /* from the start of the IPv6 header */
    /*
     * Likewise: what a Parameter Problem points at. With UPPER and FRAGMENTED, the next-header
     * field that names the header at `offset`: code and pointer stand ready for a protocol that
     * the caller does not know, and reassembly patches that byte.
     */
    uint32_t pointer;
    uint16_t fragment_offset; /* of a fragment header */
    bool more_fragments;
    uint32_t fragment_id;
};

/*
 * One forward cursor from the fixed header's next header over at most 8 extension headers and 256
 * bytes of options. @bytes holds the whole packet, @length its true bytes (40 + payload length).
 * Routing headers with segments left are refused (RFC 5095, RFC 8200 4.4); atomic fragments
 * (RFC 6946) are passed through. An unknown next header is an upper layer: the caller decides.
 */
void sw_wire_ipv6_walk(struct wire_ipv6_walk *out, const uint8_t *bytes, size_t length);

#endif
