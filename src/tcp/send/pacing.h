/*
 * pacing.h - Segments spread over the round trip: short bursts, each with a deadline of its own.
 */
#ifndef SW_TCP_SEND_PACING_H
#define SW_TCP_SEND_PACING_H

#include <sanwo/types.h>

#include <stdbool.h>
#include <stdint.h>

struct tcp;
struct tcp_connection;

/* Part of struct tcp_sending. */
struct tcp_pacing {
    sanwo_time next;     /* what was sent until now is through by then, at the rate */
    sanwo_time deadline; /* when the next burst may go; NEVER: nothing is held back */
    uint64_t per_byte;   /* time for a byte, in 2^-20 ns; 0: there is no pace (yet) */
    uint32_t burst;      /* bytes that go at once */
    uint32_t head_start; /* bytes that still go unpaced: the initial window */
};

/* cwnd or the round trip changed: the pace follows. Once an acknowledgement. */
void sw_tcp_pacing_update(struct tcp *tcp, struct tcp_connection *conn);
/* Bytes a second; 0: there is no pace (yet). */
uint64_t sw_tcp_pacing_rate(const struct tcp *tcp, const struct tcp_connection *conn);
/* False: not before the deadline, which is armed. */
bool sw_tcp_pacing_allows(struct tcp *tcp, struct tcp_connection *conn);
/* Most that one frame may carry. */
uint32_t sw_tcp_pacing_frame(const struct tcp *tcp, const struct tcp_connection *conn, uint32_t mss,
                             uint32_t limit);
void sw_tcp_pacing_sent(struct tcp *tcp, struct tcp_connection *conn, uint32_t bytes);
/* The deadline passed. */
void sw_tcp_pacing_expired(struct tcp *tcp, struct tcp_connection *conn);

#endif
