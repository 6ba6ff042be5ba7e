/*
 * cubic_curve.c - The cubic function and its inverse in 64-bit integers. Each product says how
 * large it can get.
 */
#include "tcp/congestion/cubic_curve.h"

#include "base/bytes.h"
#include "tcp/congestion/congestion.h"

/* RFC 9438 5.1: C = 0.4 segments a second cubed. */
#define C_NUMERATOR 2
#define C_DENOMINATOR 5

#define PERIOD_BITS 16 /* of a second */
#define PERIOD_LIMIT (UINT32_C(1) << 26)
#define ROOT_LIMIT UINT32_C(2642245) /* the cube of one more needs 65 bits */

uint32_t sw_tcp_cubic_root(uint64_t x)
{
    uint32_t root = 0;
    for (uint32_t bit = UINT32_C(1) << 21; bit; bit >>= 1) {
        uint64_t r = root | bit;
        if (r <= ROOT_LIMIT && r * r * r <= x)
            root |= bit;
    }
    return root;
}

/*
 * K^3 = rise / (C * mss). The root of a whole number would be exact to a second only, so it is
 * taken of the number shifted left by as many threes as there is room for: at least 10 of the 16
 * bits behind the point, and an error below 1/8000 whatever the arguments.
 */
uint32_t sw_tcp_cubic_period(uint32_t rise, uint16_t mss)
{
    uint64_t cube = (uint64_t)sw_min32(rise, CWND_LIMIT) * C_DENOMINATOR; /* < 2^33 */
    unsigned bits = 0;
    while (bits < PERIOD_BITS && cube < UINT64_C(1) << 61) {
        cube <<= 3;
        bits++;
    }
    uint32_t root = sw_tcp_cubic_root(cube / (C_NUMERATOR * sw_max32(mss, 1)));
    /* mss >= 8: the root of 2^64 / 16 at 10 bits is 2^20, so K < 2^26. */
    return (uint32_t)((uint64_t)root << (PERIOD_BITS - bits));
}

static uint64_t periods(sanwo_time t)
{
    if (t <= 0)
        return 0;
    if (t > SANWO_SEC(4096)) /* more than the longest K and PERIOD_LIMIT together */
        t = SANWO_SEC(4096);
    return ((uint64_t)t << PERIOD_BITS) / (uint64_t)SANWO_SEC(1); /* 2^42 << 16 */
}

/* C * mss * |t - K|^3 in bytes. */
static uint64_t cubic_bytes(uint64_t distance, uint16_t mss)
{
    uint64_t d = distance < PERIOD_LIMIT ? distance : PERIOD_LIMIT;
    uint64_t square = d * d >> PERIOD_BITS;                         /* 2^52 >> 16 */
    uint64_t cube = square * d >> PERIOD_BITS;                      /* 2^62 >> 16 */
    return cube * mss / C_DENOMINATOR * C_NUMERATOR >> PERIOD_BITS; /* 2^46 * 2^16 */
}

uint32_t sw_tcp_cubic_window(sanwo_time t, uint32_t k, uint32_t w_max, uint16_t mss)
{
    uint64_t now = periods(t);
    if (now < k) {
        uint64_t below = cubic_bytes(k - now, mss);
        return below < w_max ? (uint32_t)(w_max - below) : 0;
    }
    uint64_t w = w_max + cubic_bytes(now - k, mss);
    return w < CWND_LIMIT ? (uint32_t)w : CWND_LIMIT;
}
