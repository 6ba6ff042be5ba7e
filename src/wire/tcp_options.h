/*
 * tcp_options.h - The TCP options we know; every other kind is stepped over (RFC 9293 3.1, MUST-6).
 *
 * One struct for reading and writing, a sentinel for "absent". A malformed list never harms: the
 * options before the fault count, the rest is ignored and `malformed` is set (MUST-7).
 */
#ifndef SW_WIRE_TCP_OPTIONS_H
#define SW_WIRE_TCP_OPTIONS_H

#include "base/bytes.h"
#include "wire/tcp_seq.h"

enum {
    TCP_OPTION_EOL = 0,
    TCP_OPTION_NOP = 1,
    TCP_OPTION_MSS = 2,            /* length 4 */
    TCP_OPTION_WINDOW_SCALE = 3,   /* length 3, RFC 7323 2.2 */
    TCP_OPTION_SACK_PERMITTED = 4, /* length 2, RFC 2018 2 */
    TCP_OPTION_SACK = 5,           /* length 2 + 8n, RFC 2018 3 */
    TCP_OPTION_TIMESTAMPS = 8,     /* length 10, RFC 7323 3.2 */
    TCP_OPTION_FAST_OPEN = 34,     /* length 2, or 6..18 even, RFC 7413 4.1.1 */
    TCP_OPTION_EXPERIMENT = 254,   /* length 4 + n, RFC 6994: which one is in the first two bytes */
    TCP_OPTION_ACCURATE_0 = 172, /* length 2, 5, 8, 11, RFC 9768 3.2.3: ECT(0), CE, ECT(1) bytes */
    TCP_OPTION_ACCURATE_1 = 174, /* the same in the order ECT(1), CE, ECT(0) */
};

#define WIRE_TCP_SACK_BLOCKS 4
#define WIRE_TCP_ACCURATE_COUNTERS 3

struct wire_tcp_sack {
    tcp_seq left, right; /* [left, right) arrived; unvalidated when read */
};

struct wire_tcp_options {
    uint32_t ts_value;
    uint32_t ts_echo;
    uint16_t mss;        /* 0 if absent */
    int8_t window_scale; /* shift count as sent, -1 if absent; the reader caps it at 14 */
    bool sack_permitted;
    bool timestamps;
    bool malformed;            /* reading: the list broke off at a fault */
    bool fast_open;            /* the option is there */
    bool fast_open_experiment; /* as experiment 0xf989 rather than kind 34 (RFC 7413 9) */
    uint8_t fast_open_length;  /* bytes of cookie, 0: a request */
    uint8_t fast_open_cookie[16];
    uint8_t accurate; /* the kind of accurate ECN's option; 0: absent. Of two the first counts */
    uint8_t accurate_count; /* of the counters there: the last may be left out */
    uint32_t
        accurate_counters[WIRE_TCP_ACCURATE_COUNTERS]; /* 24 bits each, in the order of the kind */
    uint8_t sack_count;
    struct wire_tcp_sack
        sack[WIRE_TCP_SACK_BLOCKS]; /* so many as were counted; the rest is not cleared */
};

/* All absent. */
void sw_wire_tcp_options_none(struct wire_tcp_options *o);
/* Total on any input. An option that appears twice: the first counts. */
void sw_wire_tcp_options_read(struct wire_tcp_options *out, const uint8_t *bytes, size_t length);
/*
 * Writes what is present and fits in @room (<= 40), each option whole or not at all, padded to a
 * multiple of 4 with NOPs before aligned options as is usual and zero after EOL (MUST-69). Order:
 * as given by @order, a zero-terminated list of kinds; NULL means MSS, SACK permitted, timestamps,
 * NOP, window scale, fast open, SACK, accurate ECN. An @order that lists NOPs itself gets these and no others; one
 * that does not name fast open has it last.
 * SACK blocks are cut to what fits. Returns the bytes written.
 */
size_t sw_wire_tcp_options_write(const struct wire_tcp_options *o, const uint8_t *order,
                                 uint8_t *bytes, size_t room);

#endif
