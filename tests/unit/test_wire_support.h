/*
 * test_wire_support.h - What the tests of the codecs share: copies that end where the packet does
 * (so that the address sanitizer sees a byte too many), and random bytes.
 */
#ifndef TEST_WIRE_SUPPORT_H
#define TEST_WIRE_SUPPORT_H

#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* @length bytes of heap and not one more; the caller frees. */
static inline uint8_t *exact_copy(const void *bytes, size_t length)
{
    uint8_t *p = malloc(length);

    assert_true(p != NULL || length == 0);
    if (length > 0)
        memcpy(p, bytes, length);
    return p;
}

/* SplitMix64: each test has a state of its own, so that a new test changes no other. */
static inline uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline void random_fill(uint64_t *state, void *out, size_t length)
{
    uint8_t *p = out;

    for (size_t i = 0; i < length; i++)
        p[i] = (uint8_t)next_random(state);
}

#endif
