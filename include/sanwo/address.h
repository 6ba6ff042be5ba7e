/*
 * sanwo/address.h - Internet addresses and endpoints of either family, parsing and printing.
 *
 * An address is a value: compare with sanwo_address_equal(), copy with "=". IPv4 addresses live in
 * the first four bytes; the rest is zero. Bytes are in network order.
 */
#ifndef SANWO_ADDRESS_H
#define SANWO_ADDRESS_H

#include <sanwo/types.h>

SANWO_BEGIN

enum sanwo_family {
    SANWO_FAMILY_NONE = 0, /* no address: "any" where an address may be left out */
    SANWO_FAMILY_IPV4 = 4,
    SANWO_FAMILY_IPV6 = 6,
};

struct sanwo_address {
    uint8_t bytes[16];
    uint8_t family; /* enum sanwo_family */
    uint8_t zone;   /* link-local IPv6: the link it belongs to, plus one; else 0 */
    uint8_t spare[2];
};

/** An address and a TCP or UDP port, the port in host order. */
struct sanwo_endpoint {
    struct sanwo_address address;
    uint16_t port;
};

/** Longest text of an address, an endpoint ("[v6]:port") and a prefix ("v6/128"), with the NUL. */
#define SANWO_ADDRESS_TEXT 48
#define SANWO_ENDPOINT_TEXT 56

SANWO_API struct sanwo_address sanwo_address_ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d);
SANWO_API struct sanwo_address sanwo_address_ipv6(const uint8_t bytes[16]);
/** Same family, bytes and zone. */
SANWO_API bool sanwo_address_equal(const struct sanwo_address *a, const struct sanwo_address *b);
/** 0.0.0.0, :: or no family at all. */
SANWO_API bool sanwo_address_is_any(const struct sanwo_address *a);
/** 224/4 or ff00::/8. */
SANWO_API bool sanwo_address_is_multicast(const struct sanwo_address *a);
/** 127/8 or ::1. */
SANWO_API bool sanwo_address_is_loopback(const struct sanwo_address *a);
/** 169.254/16 or fe80::/10. */
SANWO_API bool sanwo_address_is_link_local(const struct sanwo_address *a);
/** True if @a lies in @network/@prefix_length (bits). Different families never match. */
SANWO_API bool sanwo_address_in_prefix(const struct sanwo_address *a,
                                       const struct sanwo_address *network, unsigned prefix_length);
/**
 * Reads "192.0.2.1" or "2001:db8::1" (RFC 4291 2.2; no zone, no brackets). Returns false and leaves
 * *out alone if @text is not wholly an address.
 */
SANWO_API bool sanwo_address_parse(const char *text, struct sanwo_address *out);
/** Reads "ADDR/LEN"; a missing "/LEN" means the whole address (32 or 128). */
SANWO_API bool sanwo_prefix_parse(const char *text, struct sanwo_address *out,
                                  unsigned *prefix_length);
/** Reads "192.0.2.1:80" or "[2001:db8::1]:80". */
SANWO_API bool sanwo_endpoint_parse(const char *text, struct sanwo_endpoint *out);
/** Writes RFC 5952 text, always NUL-terminated; @size should be SANWO_ADDRESS_TEXT. Returns @out. */
SANWO_API char *sanwo_address_format(const struct sanwo_address *a, char *out, size_t size);
/** As above with the port: "192.0.2.1:80", "[2001:db8::1]:80"; @size SANWO_ENDPOINT_TEXT. */
SANWO_API char *sanwo_endpoint_format(const struct sanwo_endpoint *e, char *out, size_t size);

SANWO_END
#endif
