/*
 * path_mtu.c - Path MTU discovery by ICMP (RFC 9293 3.7.2, U-19; RFC7323-5.7-1), and where a path
 * swallows what is too large and says nothing. What is learnt is kept with the connection, and
 * nowhere else (B-30).
 *
 *     message, the size never passed    lower at once: RFC 5927 7.2, the initial stage
 *     message, the size did pass        lower at the next time-out, unless what it quotes is
 *                                       acknowledged before: the update stage
 *     two or three time-outs in a row   lower to a size that passes nearly everywhere, and search
 *                                       from there (mtu_probe.c): RFC 4821 7.7
 *     ten minutes later                 try larger: RFC 1191 6.3, RFC 8201 4
 *
 * A message lowers the MTU only if it is smaller than what we use and not absurdly small; it never
 * raises it (RFC 8201 4). What was sent larger is sent again in smaller pieces.
 */
#include "tcp/send/path_mtu.h"

#include "tcp/connection/config.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/timers.h"
#include "tcp/send/ack.h"
#include "tcp/send/sending.h"

#define HEADERS_IPV4 40
#define HEADERS_IPV6 60
#define SMALLEST_IPV4 552  /* attack C-05: below this we do not go on hearsay */
#define SMALLEST_IPV6 1280 /* RFC 8201 4: smaller values are ignored */
/* Tail loss probe and time-outs in a row that were not answered: */
#define SILENT_AT_FIRST 2 /* of a size that never passed: a black hole */
#define SILENT_LATER 3    /* of one that did: the path has changed, or is down */

uint32_t sw_tcp_path_mtu_headers(const struct tcp_connection *conn)
{
    return (sw_tcp_tuple_is_ipv4(&conn->tuple) ? HEADERS_IPV4 : HEADERS_IPV6) +
           (conn->timestamps ? TIMESTAMPS_SIZE : 0);
}

static uint32_t smallest(const struct tcp_connection *conn)
{
    return sw_tcp_tuple_is_ipv4(&conn->tuple) ? SMALLEST_IPV4 : SMALLEST_IPV6;
}

/* RFC 1191 7.1: what old routers meant that gave no number: the next plateau below the packet. */
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
    struct tcp_place place;
    struct tcp_record *r = sw_tcp_records_first(tcp, conn, &place);
    for (; r; r = sw_tcp_records_next(tcp, conn, &place))
        if (r->length > mss && !(r->flags & RECORD_SACKED))
            sw_tcp_record_set_flags(tcp, conn, &place, r->flags | RECORD_LOST);
}

void sw_tcp_path_mtu_use(struct tcp *tcp, struct tcp_connection *conn, uint32_t mtu,
                         enum sanwo_reason why)
{
    struct tcp_mtu_search *search = sw_tcp_mtu_search(tcp, conn);
    conn->send.path_mtu = (uint16_t)mtu;
    if (search && search->delivered > mtu && mtu)
        search->delivered = (uint16_t)mtu;
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_PATH_MTU, why, mtu, 0);
}

/* Smaller from now on; cwnd is counted in the new size too, if a time-out is about to set it. */
static void lower(struct tcp *tcp, struct tcp_connection *conn, uint32_t mtu, enum sanwo_reason why)
{
    sw_tcp_path_mtu_use(tcp, conn, mtu, why);
    if (conn->cc.mss)
        sw_tcp_cc_set_mss(&conn->cc, sw_tcp_send_mss(tcp, conn, 0));
}

/* What a message said is acted upon. */
static void obey(struct tcp *tcp, struct tcp_connection *conn, uint32_t mtu)
{
    lower(tcp, conn, mtu, SANWO_REASON_PATH_MTU_LOWERED);
    conn->black_hole = 0; /* it speaks */
    sw_tcp_timers_path_mtu_lowered(tcp, conn);
    resend_too_large(tcp, conn, sw_tcp_send_mss(tcp, conn, 0));
    conn->limited = 1;
    sw_tcp_wants_send(tcp, conn);
}

/* RFC1191-3-1, RFC8201-4-1. C-06. */
void sw_tcp_path_mtu_message(struct tcp *tcp, struct tcp_connection *conn, tcp_seq seq,
                             uint32_t mtu, uint32_t packet)
{
    struct tcp_mtu_search *search = sw_tcp_mtu_search(tcp, conn);
    bool ipv4 = sw_tcp_tuple_is_ipv4(&conn->tuple);
    if (!mtu)
        mtu = plateau_below(packet);
    if (!ipv4 && mtu < SMALLEST_IPV6)
        return;
    mtu = sw_max32(mtu, smallest(conn));
    if (mtu >= packet) /* it must be about a packet that was too large */
        return;
    if (search && sw_tcp_mtu_probe_too_big(tcp, conn, search, seq, mtu))
        return;
    if (mtu >= (conn->send.path_mtu ? conn->send.path_mtu : UINT16_MAX))
        return;
    if (search && mtu < search->delivered) { /* larger ones passed: RFC 5927 7.2 */
        search->told = (uint16_t)mtu;
        search->told_seq = seq;
        return;
    }
    obey(tcp, conn, mtu);
}

/*
 * RFC 4821 7.7: nothing gets through any more. Down to a size that passes nearly everywhere; later
 * halved, as far as we ever go. Where even smaller ones were lost it is not their size.
 * RFC4821-5-1.
 */
static void suspect_black_hole(struct tcp *tcp, struct tcp_connection *conn,
                               struct tcp_mtu_search *search)
{
    uint32_t headers = sw_tcp_path_mtu_headers(conn);
    uint32_t in_use = conn->cc.mss + headers;
    uint32_t after = search->delivered < in_use ? SILENT_AT_FIRST : SILENT_LATER;
    uint32_t times = conn->send.retransmissions + search->asked;
    uint32_t base = sw_tcp_config(tcp, conn)->base_mss + headers;
    uint32_t least = sw_max32(smallest(conn), headers + sw_tcp_config(tcp, conn)->mss_floor);
    uint32_t mtu = in_use > base ? base : conn->black_hole ? in_use / 2 : in_use;
    mtu = sw_max32(mtu, least);
    if (times < after || (times - after) % SILENT_AT_FIRST)
        return;
    struct tcp_place place;
    const struct tcp_record *oldest = sw_tcp_records_first(tcp, conn, &place);
    if (!oldest || sw_min32(oldest->length, conn->cc.mss) + headers <= mtu)
        return;
    if (!conn->black_hole) { /* if it was another trouble, one probe tells so */
        conn->black_hole = 1;
        search->first = (uint16_t)sw_min32(in_use, UINT16_MAX);
        search->high = 0;
    }
    conn->deadline.path_mtu = SANWO_TIME_NEVER; /* it may be searched for at once */
    if (!conn->sack)
        sw_tcp_timers_path_mtu_lowered(tcp, conn);
    search->not_before = tcp->now;
    lower(tcp, conn, mtu, SANWO_REASON_BLACK_HOLE);
}

void sw_tcp_path_mtu_timed_out(struct tcp *tcp, struct tcp_connection *conn)
{
    struct tcp_mtu_search *search = sw_tcp_mtu_search(tcp, conn);
    if (!search)
        return;
    sw_tcp_mtu_probe_timed_out(tcp, conn, search);
    if (conn->send.retransmissions == 1)
        search->asked = sw_tcp_sending(tcp, conn)->tail.out;
    uint16_t told = search->told;
    search->told = 0;
    if (told && told < (conn->send.path_mtu ? conn->send.path_mtu : UINT16_MAX))
        obey(tcp, conn, told); /* RFC 5927 7.2: MAXSEGRTO is 1 */
    else if (sw_tcp_config(tcp, conn)->mtu_probing != MTU_PROBING_OFF)
        suspect_black_hole(tcp, conn, search);
}

void sw_tcp_path_mtu_acked(struct tcp *tcp, struct tcp_connection *conn, uint32_t acked)
{
    struct tcp_mtu_search *search = sw_tcp_mtu_search(tcp, conn);
    if (!search)
        return;
    if (SW_UNLIKELY(search->told) && tcp_seq_after(conn->send.snd_una, search->told_seq))
        search->told = 0; /* RFC 5927 7.2: there is progress, so it was a false claim */
    if (SW_UNLIKELY(search->probe))
        sw_tcp_mtu_probe_acked(tcp, conn, search);
    if (acked >= conn->cc.mss) {
        uint32_t size = conn->cc.mss + sw_tcp_path_mtu_headers(conn);
        if (SW_UNLIKELY(size > search->delivered))
            search->delivered = (uint16_t)sw_min32(size, UINT16_MAX);
    }
}

void sw_tcp_path_mtu_expired(struct tcp *tcp, struct tcp_connection *conn)
{
    uint8_t probing = sw_tcp_config(tcp, conn)->mtu_probing;
    bool search = probing == MTU_PROBING_ALWAYS ||
                  (probing == MTU_PROBING_AFTER_BLACK_HOLE && conn->black_hole);
    if (search && conn->sack) /* by one probe at a time: whole windows are not risked */
        return;
    conn->black_hole = 0;
    sw_tcp_path_mtu_use(tcp, conn, 0, SANWO_REASON_PATH_MTU_RAISED);
}
