/*
 * emulator_chance.h - The chance of an emulated network: a generator is its 64 bits of state.
 */
#ifndef DRIVERS_EMULATOR_CHANCE_H
#define DRIVERS_EMULATOR_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

enum { MILLION = 1000000 };

/** Each bit of the result depends on all of @z. */
static inline uint64_t sw_emulator_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/** SplitMix64 (Steele, Lea and Flood, 2014). */
static inline uint64_t sw_emulator_random(uint64_t *state)
{
    return sw_emulator_mix(*state += UINT64_C(0x9e3779b97f4a7c15));
}

/** So many times in a million. With 0 the generator is not asked. */
static inline bool sw_emulator_chance(uint64_t *state, uint32_t ppm)
{
    return ppm != 0 && ((sw_emulator_random(state) >> 32) * MILLION) >> 32 < ppm;
}

#endif
