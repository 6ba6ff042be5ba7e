/*
 * chance.c - The generator of a world, and its hash.
 */
#include <string.h>

#include "chance.h"

uint64_t chance_mix(uint64_t hash, const void *bytes, size_t length)
{
    const uint8_t *p = bytes;
    uint64_t word;

    for (; length >= 8; length -= 8, p += 8) {
        memcpy(&word, p, 8);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    word = length;
    memcpy(&word, p, length);
    hash = (hash ^ word) * UINT64_C(0xbf58476d1ce4e5b9);
    return hash ^ hash >> 31;
}

void chance_seed(struct chance *c, const char *name, uint64_t salt)
{
    c->state = chance_mix(chance_mix(UINT64_C(0x243f6a8885a308d3), name, strlen(name)), &salt,
                          sizeof(salt));
}

/* SplitMix64 (Steele, Lea and Flood, 2014). */
uint64_t chance_next(struct chance *c)
{
    uint64_t z = c->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t chance_below(struct chance *c, uint64_t n)
{
    return n == 0 ? 0 : chance_next(c) % n;
}

uint64_t chance_between(struct chance *c, uint64_t least, uint64_t most)
{
    return least + chance_below(c, most - least + 1);
}

uint64_t chance_scale(struct chance *c, uint64_t least, uint64_t most)
{
    unsigned low = 63 - (unsigned)__builtin_clzll(least | 1);
    unsigned high = 63 - (unsigned)__builtin_clzll(most | 1);
    unsigned bits = (unsigned)chance_between(c, low, high);
    uint64_t value = (UINT64_C(1) << bits) + chance_below(c, UINT64_C(1) << bits);

    return value < least ? least : value > most ? most : value;
}

bool chance_hit(struct chance *c, uint32_t ppm)
{
    return ppm != 0 && chance_below(c, 1000000) < ppm;
}
