/*
 * timestamps.h - The timestamps option: our clock, TS.Recent, PAWS (RFC 7323 3 to 5).
 */
#ifndef SW_TCP_RECEIVE_TIMESTAMPS_H
#define SW_TCP_RECEIVE_TIMESTAMPS_H

#include "tcp/tcp.h"

/* RFC 7323 5.4: milliseconds, from an offset of the connection's own. RFC7323-5.4-1. */
static inline uint32_t sw_tcp_timestamp_now(const struct tcp *tcp, uint32_t offset)
{
    return (uint32_t)((uint64_t)tcp->now / 1000000) + offset;
}

/* Signed comparison modulo 2^32 (RFC 7323 5.2). */
static inline bool sw_tcp_timestamp_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

void sw_tcp_timestamp_remember(struct tcp *tcp, struct tcp_connection *conn, uint32_t value);
/* RFC 7323 5.3 R1 (RFC7323-5.3-1), and 3.2 for segments that lack the option. Comes before the sequence check. */
enum tcp_verdict sw_tcp_check_paws(struct tcp *tcp, struct tcp_connection *conn,
                                   struct tcp_segment *seg);
/* RFC 7323 4.3 (2), RFC7323-4.3-1: after the sequence check passed. */
void sw_tcp_timestamp_update(struct tcp *tcp, struct tcp_connection *conn,
                             const struct tcp_segment *seg, tcp_seq seq);
/* Puts the option into @out if it was negotiated (RFC7323-3.2-1: in every segment). */
void sw_tcp_timestamp_option(struct tcp *tcp, const struct tcp_connection *conn,
                             struct wire_tcp_options *out);

#endif
