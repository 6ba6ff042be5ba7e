/*
 * bytes.h - Bytes in network order, the one bounds-checked reader, and the assert.
 *
 * Every parser takes its bytes through `struct reader`: take() is the only primitive that compares
 * a length, so there is one place to get it right. It fails closed: once a take failed, all do.
 */
#ifndef SW_BASE_BYTES_H
#define SW_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* For our own bugs only, never for anything that a packet or a caller can cause. */
#ifdef NDEBUG
#define SW_ASSERT(condition) ((void)0)
#else
#define SW_ASSERT(condition) ((condition) ? (void)0 : __builtin_trap())
#endif

#define SW_LIKELY(x) __builtin_expect(!!(x), 1)
#define SW_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define SW_COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline uint16_t sw_load16(const uint8_t *p)
{
    return (uint16_t)((uint32_t)p[0] << 8 | p[1]);
}

static inline uint32_t sw_load32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void sw_store16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static inline void sw_store32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

struct reader {
    const uint8_t *at;
    size_t left;
};

static inline struct reader sw_reader(const void *bytes, size_t length)
{
    return (struct reader){bytes, length};
}

/* The next @n bytes, or NULL (and then nothing is left) if there are fewer. */
static inline const uint8_t *sw_take(struct reader *r, size_t n)
{
    const uint8_t *p = r->at;
    if (SW_UNLIKELY(n > r->left)) {
        r->left = 0;
        return NULL;
    }
    r->at += n;
    r->left -= n;
    return p;
}

static inline uint32_t sw_min32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline uint32_t sw_max32(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* @n rounded up to a multiple of @unit, a power of two. */
static inline size_t sw_round_up(size_t n, size_t unit)
{
    return (n + unit - 1) & ~(unit - 1);
}

#endif
