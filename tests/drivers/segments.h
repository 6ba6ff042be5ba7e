/*
 * segments.h - TCP segments made and read byte by byte, and an emulator for them to pass.
 *
 *     near -- emulator -- pair -- far
 */
#ifndef TESTS_DRIVERS_SEGMENTS_H
#define TESTS_DRIVERS_SEGMENTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spy.h"

enum { MOST = 1500, KEEP = 64, MILLION = 1000000, FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

#define MS SANWO_MSEC(1)

struct bytes {
    uint8_t at[MOST];
    uint32_t length;
};

struct network {
    struct sanwo_driver *emulator, *far;
    struct spy near;
    sanwo_time now;
    struct bytes there[KEEP], back[KEEP]; /* what arrived at the far end, and at ours */
    size_t there_count, back_count;
};

/** What a segment is to say. Options are given as they stand, a multiple of four bytes. */
struct say {
    bool v6, inward;
    uint8_t flags, tos;
    uint32_t seq, ack;
    const char *options, *payload;
    uint32_t options_length;
};

/** The one that the running test uses. */
extern struct network net;

uint32_t get16(const uint8_t *at);
uint32_t get32(const uint8_t *at);
bool is_v6(const struct bytes *b);
uint8_t *tcp_of(struct bytes *b);
uint32_t header_of(struct bytes *b);
uint32_t payload_of(struct bytes *b);
/** The sum of the pseudo-header. */
uint32_t pseudo(const struct bytes *b, uint32_t length, uint8_t protocol);
/** 0 if the TCP checksum is right. */
uint16_t tcp_sum(struct bytes *b);
/** Writes IPv4's own checksum anew. */
void seal_ipv4(struct bytes *b);
/** Lengths fit and checksums verify. */
void assert_sound(struct bytes *b);
struct bytes segment(const struct say *s);

void setup_box(const struct sanwo_emulator_middlebox *box, const struct sanwo_emulator_path *out);
void teardown(void);
/** What has arrived at either end by now is kept. */
void move_all(void);
void pass(const struct bytes *b, bool inward);
/** Sends one segment and returns what became of it. */
struct bytes *through(const struct say *s);
struct sanwo_emulator_stats stats(void);

#endif
