/*
 * hostile.h - IPv4 packets written and read as cheaply as can be: a crowd needs many.
 *
 * Nothing of src/wire is used, so both sides of an exchange have their own opinion of the formats.
 */
#ifndef TESTS_ATTACKS_HOSTILE_H
#define TESTS_ATTACKS_HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HOSTILE_FIN = 1,
    HOSTILE_SYN = 2,
    HOSTILE_RST = 4,
    HOSTILE_PSH = 8,
    HOSTILE_ACK = 16,
    HOSTILE_URG = 32
};

#define HOSTILE_MAX 1600
#define VICTIM_ADDRESS 0x0a000001u /* 10.0.0.1 */
#define HONEST_ADDRESS 0x0afe0002u /* 10.254.0.2 */
#define CROWD_ADDRESS 0x0b000000u  /* 11.0.0.0 and on */
#define SERVER_PORT 80

struct hostile_segment {
    uint32_t from, to; /* host order; `to` 0: the victim */
    uint16_t from_port, to_port;
    uint32_t seq, ack;
    uint16_t window, urgent;
    uint8_t flags;
    uint8_t options_length; /* a multiple of four */
    uint16_t length;        /* of the payload */
    const uint8_t *options, *payload;
    uint16_t id; /* read: of the IP header */
};

/** Returns the length. @out has HOSTILE_MAX bytes. */
size_t hostile_write(const struct hostile_segment *seg, uint8_t *out);
/** False: not TCP over IPv4. Pointers go into @packet. */
bool hostile_read(const uint8_t *packet, size_t length, struct hostile_segment *seg);
/** The value of our timestamp option as found in @seg, the echo in *echo; false: there is none. */
bool hostile_timestamp(const struct hostile_segment *seg, uint32_t *value, uint32_t *echo);
/** An IPv4 header before @length bytes at out + 20; returns the whole length. */
size_t hostile_ip(uint32_t from, uint32_t to, uint8_t protocol, uint16_t id, uint16_t fragment,
                  size_t length, uint8_t *out);
/** An ICMP message of 8 + @quoted bytes, with its IPv4 header. */
size_t hostile_icmp(uint32_t from, uint8_t type, uint8_t code, uint32_t word, const uint8_t *quote,
                    size_t quoted, uint8_t *out);
uint16_t hostile_sum(uint32_t start, const uint8_t *bytes, size_t length);

static inline void hostile_put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void hostile_put32(uint8_t *at, uint32_t value)
{
    hostile_put16(at, value >> 16);
    hostile_put16(at + 2, value);
}

static inline uint32_t hostile_get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t hostile_get32(const uint8_t *at)
{
    return hostile_get16(at) << 16 | hostile_get16(at + 2);
}

#endif
