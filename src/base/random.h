/*
 * random.h - The stack's keyed generator: all randomness of a stack comes from its seed.
 *
 * ChaCha20 blocks from a 256-bit seed with fast key erasure: each refill replaces the key, so a
 * leaked state does not reveal what was drawn before.
 */
#ifndef SW_BASE_RANDOM_H
#define SW_BASE_RANDOM_H

#include "siphash.h"

#include <stddef.h>
#include <stdint.h>

struct random {
    uint32_t key[8];
    uint8_t pool[224]; /* bytes not yet drawn are the last `left` ones; drawn ones are zeroed */
    uint32_t left;
};

void sw_random_init(struct random *r, const uint8_t seed[32]);
void sw_random_bytes(struct random *r, void *out, size_t length);
uint32_t sw_random_u32(struct random *r);
/* Uniform in [0, bound), without modulo bias; bound > 0. */
uint32_t sw_random_below(struct random *r, uint32_t bound);
struct siphash_key sw_random_key(struct random *r);

#endif
