/*
 * isn.c - Initial sequence numbers (RFC 9293 3.4.1, which took in RFC 6528).
 *
 * A later incarnation of a tuple starts above the earlier one, because M only grows; another tuple's
 * numbers tell nothing, because F is keyed. SipHash-2-4 under a key of the stack's own.
 */
#include "tcp/open/isn.h"

/* RFC6528-3-1, A-21. E-16. */
tcp_seq sw_tcp_isn(const struct tcp *tcp, const struct tcp_tuple *tuple, sanwo_time now)
{
    uint32_t m = (uint32_t)((uint64_t)now / 4000);
    return tcp_seq_of(m + (uint32_t)sw_siphash(&tcp->isn_key, tuple, sizeof(*tuple)));
}

/* RFC7323-7.1-1, C-11. */
uint32_t sw_tcp_timestamp_offset(const struct tcp *tcp, const struct tcp_tuple *tuple)
{
    return (uint32_t)sw_siphash(&tcp->timestamp_key, tuple, sizeof(*tuple));
}
