/*
 * packet.h - IP packets with TCP and ICMP inside, written and read by hand.
 *
 * Deliberately shares nothing with src/wire: what the stack emits is checked by a second opinion.
 */
#ifndef TESTS_TCP_PACKET_H
#define TESTS_TCP_PACKET_H

#include <sanwo/address.h>

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128 };

#define PACKET_MAX 70000
/** A window scale option with shift count @n; 0 in the structure means that there is none. */
#define SCALE(n) (0x100 | (n))

/** A TCP segment, to send or as seen. Numbers are relative to the SYN of their sender (SYN: 0). */
struct segment {
    uint8_t flags;
    uint32_t seq, ack;
    uint16_t window;  /* as on the wire; 0 in a segment to send: the peer's default */
    bool zero_window; /* to send: a window of 0 is meant */
    uint16_t urgent;
    uint32_t length;        /* of the payload */
    const uint8_t *payload; /* to send: NULL for the pattern of the stream */
    uint16_t mss;           /* 0: no such option */
    bool has_mss;           /* to send: an MSS option of 0 is meant */
    uint16_t scale;         /* SCALE(n) */
    bool sack_permitted;
    uint8_t sack_count;
    uint32_t sack[4][2];
    bool has_ts, no_ts; /* no_ts, to send: none although negotiated */
    uint32_t ts_value, ts_echo;
    uint8_t cookie_kind; /* seen: 34 or 254, RFC 7413; to send it use `raw` */
    uint8_t cookie_length, cookie[16];
    const uint8_t *raw; /* to send: further option bytes, as they are */
    uint8_t raw_length;
    uint8_t ttl, dscp_ecn;
    bool bad_checksum;   /* to send: one bit wrong */
    uint8_t data_offset; /* to send: in words, if it is to be wrong */
    /* seen only */
    uint8_t options_length;
    sanwo_time time;
    uint16_t port; /* the stack's peer's port */
};

/** Who sends to whom. */
struct flow {
    struct sanwo_endpoint from, to;
};

/** Writes the packet to @out (PACKET_MAX bytes; @bytes holds the payload). Returns its length. */
size_t packet_tcp(const struct flow *flow, const struct segment *seg, uint8_t *out);

/**
 * Reads a packet that must be TCP and right in every respect. Returns NULL, or what is wrong. The
 * payload points into @bytes.
 */
const char *packet_read(const uint8_t *bytes, size_t length, struct flow *flow,
                        struct segment *seg);

/** Writes an ICMP or ICMPv6 error from @from about the packet @quote; @word is the second word. */
size_t packet_icmp(const struct sanwo_address *from, const struct sanwo_address *to, uint8_t type,
                   uint8_t code, uint32_t word, const uint8_t *quote, size_t quoted, uint8_t *out);

#endif
