/*
 * timestamps.c - PAWS: a segment older than the last is from another age (RFC 7323 5).
 */
#include "tcp/receive/timestamps.h"

#include "tcp/connection/config.h"

#define TWENTY_FOUR_DAYS (UINT32_C(24) * 24 * 3600)

/*
 * A retransmission that fills the hole moves TS.Recent; originals that were only held back on the way
 * come after it with older clocks. Deviation D30: older by less than `paws_tolerance` is reordering, if
 * the sequence check agrees. The clock runs in milliseconds, so numbers would have to wrap within that.
 */
static bool is_only_late(const struct tcp *tcp, const struct tcp_connection *conn,
                         const struct tcp_segment *seg)
{
    uint32_t late = conn->receive.ts_recent - seg->options.ts_value;
    return seg->length && late && late <= sw_tcp_config(tcp, conn)->paws_tolerance / 1000000;
}

static uint32_t now_in_seconds(const struct tcp *tcp)
{
    return (uint32_t)((uint64_t)tcp->now / 1000000000);
}

void sw_tcp_timestamp_remember(struct tcp *tcp, struct tcp_connection *conn, uint32_t value)
{
    conn->receive.ts_recent = value;
    conn->receive.ts_recent_at = now_in_seconds(tcp);
}

enum tcp_verdict sw_tcp_check_paws(struct tcp *tcp, struct tcp_connection *conn,
                                   struct tcp_segment *seg)
{
    /* RFC7323-5.2-1, RFC7323-3.2-3 */
    if (!conn->timestamps || (seg->flags & TCP_RST)) /* 5.2: resets are exempt */
        return TCP_CONTINUE;
    /* RFC7323-3.2-2 */
    if (SW_UNLIKELY(!seg->options.timestamps))     /* 3.2: drop it, never abort for it */
        return seg->flags & TCP_SYN ? TCP_CONTINUE /* the SYN check answers it: RFC 5961 4.2 */
                                    : sw_tcp_drop(seg, SANWO_REASON_TIMESTAMP_MISSING);
    if (SW_LIKELY(!sw_tcp_timestamp_before(seg->options.ts_value, conn->receive.ts_recent)))
        return TCP_CONTINUE;
    if (now_in_seconds(tcp) - conn->receive.ts_recent_at >
        TWENTY_FOUR_DAYS) /* RFC7323-5.5-1: outdated */
        return TCP_CONTINUE;
    if (is_only_late(tcp, conn, seg))
        return TCP_CONTINUE;
    seg->reason = SANWO_REASON_PAWS;
    return seg->length ? TCP_DROP_AND_ACK : TCP_DROP_AND_CHALLENGE;
}

void sw_tcp_timestamp_update(struct tcp *tcp, struct tcp_connection *conn,
                             const struct tcp_segment *seg, tcp_seq seq)
{
    /* @seq is SEG.SEQ as it came, before trimming; attack C-07: only after the sequence check. */
    if (conn->timestamps && seg->options.timestamps && !(seg->flags & TCP_RST) &&
        tcp_seq_before_or_equal(seq, conn->receive.last_ack_sent) && !is_only_late(tcp, conn, seg))
        sw_tcp_timestamp_remember(tcp, conn, seg->options.ts_value);
}

void sw_tcp_timestamp_option(struct tcp *tcp, const struct tcp_connection *conn,
                             struct wire_tcp_options *out)
{
    if (!conn->timestamps)
        return;
    out->timestamps = true;
    out->ts_value = sw_tcp_timestamp_now(tcp, conn->ts_offset);
    out->ts_echo = conn->receive.ts_recent;
}
