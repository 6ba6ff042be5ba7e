/*
 * cubic_curve.h - W_cubic(t) = C * (t - K)^3 + W_max in integers (RFC 9438 4.2).
 *
 *     bytes |                                  .
 *           |                                .'      convex: probing beyond
 *     W_max |- - - - - - - - -.--------''''' - - -
 *           |            .-'
 *           |        .'              concave: back to where the last loss was
 *           |      .
 *           +------+----------------K------------- t since the epoch began
 *
 * Periods are in 1/65536 s, so that 2^26 of them are 1024 s: in that time any curve with segments
 * of 8 bytes or more goes from 0 to past CWND_LIMIT.
 */
#ifndef SW_TCP_CONGESTION_CUBIC_CURVE_H
#define SW_TCP_CONGESTION_CUBIC_CURVE_H

#include <sanwo/types.h>

#include <stdint.h>

/* The largest r with r^3 <= x. */
uint32_t sw_tcp_cubic_root(uint64_t x);
/* K, in 1/65536 s: how long the curve takes for @rise bytes up to W_max. RFC 9438 figure 2. */
uint32_t sw_tcp_cubic_period(uint32_t rise, uint16_t mss);
/* W_cubic(t) in bytes, from 0 to CWND_LIMIT. RFC 9438 figure 1. */
uint32_t sw_tcp_cubic_window(sanwo_time t, uint32_t k, uint32_t w_max, uint16_t mss);

#endif
