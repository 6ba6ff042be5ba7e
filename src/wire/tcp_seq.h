/*
 * tcp_seq.h - Sequence numbers as a type, so that `<` does not compile.
 *
 * RFC 9293 3.4: modulo 2^32 (U-15, E-13, D-03).
 *
 * "Before" is only meaningful within half the space: validate a number from the wire against a
 * window first (tcp_seq_between), then compare.
 */
#ifndef SW_WIRE_TCP_SEQ_H
#define SW_WIRE_TCP_SEQ_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint32_t raw;
} tcp_seq;

static inline tcp_seq tcp_seq_of(uint32_t raw)
{
    return (tcp_seq){raw};
}

static inline tcp_seq tcp_seq_add(tcp_seq a, uint32_t n)
{
    return (tcp_seq){a.raw + n};
}

static inline tcp_seq tcp_seq_subtract(tcp_seq a, uint32_t n)
{
    return (tcp_seq){a.raw - n};
}

/* How far @to is past @from, modulo 2^32. */
static inline uint32_t tcp_seq_distance(tcp_seq from, tcp_seq to)
{
    return to.raw - from.raw;
}

static inline bool tcp_seq_equal(tcp_seq a, tcp_seq b)
{
    return a.raw == b.raw;
}

static inline bool tcp_seq_before(tcp_seq a, tcp_seq b)
{
    return a.raw != b.raw && b.raw - a.raw < UINT32_C(0x80000000);
}

static inline bool tcp_seq_before_or_equal(tcp_seq a, tcp_seq b)
{
    return b.raw - a.raw < UINT32_C(0x80000000);
}

static inline bool tcp_seq_after(tcp_seq a, tcp_seq b)
{
    return tcp_seq_before(b, a);
}

/* @x in [low, high], the range being shorter than the whole space. Safe on unvalidated numbers. */
static inline bool tcp_seq_between(tcp_seq x, tcp_seq low, tcp_seq high)
{
    return x.raw - low.raw <= high.raw - low.raw;
}

/* @x in [start, start + length). Safe on unvalidated numbers. */
static inline bool tcp_seq_in_window(tcp_seq x, tcp_seq start, uint32_t length)
{
    return x.raw - start.raw < length;
}

static inline tcp_seq tcp_seq_max(tcp_seq a, tcp_seq b)
{
    return tcp_seq_before(a, b) ? b : a;
}

#endif
