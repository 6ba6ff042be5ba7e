/*
 * chance.h - All chance of a world comes from one generator; and mixing bytes into a hash.
 */
#ifndef SIM_CHANCE_H
#define SIM_CHANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

void chance_seed(struct chance *c, const char *name, uint64_t salt);
uint64_t chance_next(struct chance *c);
/** Uniform in [0, n); 0 if n is 0. */
uint64_t chance_below(struct chance *c, uint64_t n);
/** Uniform in [least, most]. */
uint64_t chance_between(struct chance *c, uint64_t least, uint64_t most);
/** Between @least (at least 1) and @most, small ones as likely as large ones: uniform logarithm. */
uint64_t chance_scale(struct chance *c, uint64_t least, uint64_t most);
bool chance_hit(struct chance *c, uint32_t ppm);

/** @hash after @length more bytes. No cryptography: equal traces are what it finds. */
uint64_t chance_mix(uint64_t hash, const void *bytes, size_t length);

#endif
