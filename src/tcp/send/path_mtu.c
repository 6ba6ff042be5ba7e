/*
 * path_mtu.c - Path MTU discovery by ICMP (RFC 9293 3.7.2, U-19; RFC7323-5.7-1).
 * It is kept with the connection, and nowhere else (B-30).
 *
 * A message lowers the MTU only if it is smaller than what we use and not absurdly small; it never
 * raises it (RFC 8201 4). What was sent larger is sent again in smaller pieces.
 */
#include "tcp/send/path_mtu.h"

#include "tcp/connection/lifetime.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/timers.h"
#include "tcp/send/ack.h"
#include "tcp/send/records.h"

#define SMALLEST_IPV4 552  /* attack C-05: below this we do not go on hearsay */
#define SMALLEST_IPV6 1280 /* RFC 8201 4: smaller values are ignored */

/* RFC 1191 7.1: what old routers meant that gave no number: the next plateau below the packet's size. */
static uint32_t plateau_below(uint32_t packet)
{
    static const uint16_t plateaus[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006, 508};
    for (size_t i = 0; i < SW_COUNT(plateaus); i++)
        if (plateaus[i] < packet)
            return plateaus[i];
    return SMALLEST_IPV4;
}

/* Records that no longer fit count as lost: the path says so, not congestion. E-07. */
static void resend_too_large(struct tcp *tcp, struct tcp_connection *conn, uint16_t mss)
{
    uint32_t count = sw_tcp_records_count(tcp, conn);
    for (uint32_t i = 0; i < count; i++) {
        struct tcp_record *r = sw_tcp_record(tcp, conn, i);
        if (r->length > mss && !(r->flags & RECORD_SACKED))
            sw_tcp_record_set_flags(conn, r, r->flags | RECORD_LOST);
    }
}

/* RFC1191-3-1, RFC8201-4-1. C-06. */
void sw_tcp_path_mtu_message(struct tcp *tcp, struct tcp_connection *conn, uint32_t mtu,
                             uint32_t packet)
{
    bool ipv4 = sw_tcp_tuple_is_ipv4(&conn->tuple);
    if (!mtu)
        mtu = plateau_below(packet);
    if (!ipv4 && mtu < SMALLEST_IPV6)
        return;
    if (ipv4 && mtu < SMALLEST_IPV4)
        mtu = SMALLEST_IPV4;
    uint32_t current = conn->send.path_mtu ? conn->send.path_mtu : UINT16_MAX;
    if (mtu >= current || mtu >= packet) /* it must be about a packet that was too large */
        return;
    conn->send.path_mtu = (uint16_t)mtu;
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_PATH_MTU, SANWO_REASON_PATH_MTU_LOWERED, mtu, 0);
    sw_tcp_timers_path_mtu_lowered(tcp, conn);
    uint16_t mss = sw_tcp_send_mss(tcp, conn, 0);
    resend_too_large(tcp, conn, mss);
    conn->limited = 1;
    sw_tcp_wants_send(tcp, conn);
}

void sw_tcp_path_mtu_expired(struct tcp *tcp, struct tcp_connection *conn)
{
    conn->send.path_mtu = 0;
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_PATH_MTU, SANWO_REASON_PATH_MTU_RAISED, 0, 0);
}
