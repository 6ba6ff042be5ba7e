/*
 * emulator_middlebox.h - What sits at the door and means well: rewrites, splits and resets segments.
 */
#ifndef DRIVERS_EMULATOR_MIDDLEBOX_H
#define DRIVERS_EMULATOR_MIDDLEBOX_H

#include "emulator_packet.h"

struct middlebox {
    struct sanwo_emulator_middlebox config;
    uint64_t random, seed;
    uint32_t link; /* bytes of the link's header */
    bool active;
};

/** At most so many packets come of one. */
enum { MIDDLEBOX_MOST = 2 };

struct middlebox_result {
    struct packet *packet;
    bool back; /* goes the way that the one came from */
};

bool sw_emulator_middlebox_valid(const struct sanwo_emulator_middlebox *config);
void sw_emulator_middlebox_set(struct middlebox *box,
                               const struct sanwo_emulator_middlebox *config);
/** What becomes of @packet, which belongs to the box now: how many packets, and these. */
unsigned sw_emulator_middlebox_pass(struct middlebox *box, struct packet_pool *pool,
                                    struct packet *packet, bool outward,
                                    struct middlebox_result out[MIDDLEBOX_MOST],
                                    struct sanwo_emulator_stats *stats);
/** Puts the payload of @packet behind @before's if the one follows the other; @packet stays as it is. */
bool sw_emulator_middlebox_join(struct middlebox *box, struct packet *before, struct packet *packet,
                                uint32_t mtu, struct sanwo_emulator_stats *stats);

#endif
