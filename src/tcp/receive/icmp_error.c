/*
 * icmp_error.c - Anyone can forge an ICMP message, so it must quote a sequence number that is in
 * flight (RFC 5927 4.1), and it never ends a synchronised connection (RFC 5927 5.2, deviation D5).
 */
#include "tcp/receive/icmp_error.h"

#include "tcp/connection/config.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/observe.h"
#include "tcp/open/demux.h"
#include "tcp/send/path_mtu.h"

static void note_soft(struct tcp *tcp, struct tcp_connection *conn)
{
    conn->soft_error = SANWO_EHOSTUNREACH;
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_ERROR, SANWO_REASON_SOFT_ICMP_ERROR, SANWO_EHOSTUNREACH,
                   0);
    if (sw_tcp_config(tcp, conn)->soft_errors)
        sw_tcp_event(tcp, conn, SANWO_EVENT_SOFT_ERROR); /* MUST-47, SHLD-25 */
}

/* RFC5927-4-1. C-05. */
bool sw_tcp_icmp_error(struct tcp *tcp, const struct tcp_icmp_error *error)
{
    struct tcp_found found = sw_tcp_demux_find(tcp, &error->tuple);
    if ((found.name & 3) !=
        TCP_KIND_CONNECTION) /* half-open and TIME-WAIT: nothing to tell anybody */
        return false;
    struct tcp_connection *conn = found.object;
    uint32_t flight = tcp_seq_distance(conn->send.snd_una, conn->send.snd_nxt);
    if (!tcp_seq_in_window(error->seq, conn->send.snd_una, flight))
        return false;
    /* Not one that a Fast Open cookie opened: its user has it as if it were established. */
    bool opening = conn->state == SANWO_TCP_SYN_SENT ||
                   (conn->state == SANWO_TCP_SYN_RECEIVED && !conn->fast_open_pending);
    switch (error->kind) {
    case TCP_ICMP_TOO_BIG:
        sw_tcp_path_mtu_message(tcp, conn, error->seq, error->mtu, error->packet);
        return true;
    case TCP_ICMP_HARD:
    case TCP_ICMP_REFUSED:
        if (opening) { /* SHLD-26, where RFC 5927 leaves it */
            sw_tcp_fail(tcp, conn,
                        error->kind == TCP_ICMP_REFUSED ? SANWO_ECONNREFUSED : SANWO_EHOSTUNREACH,
                        SANWO_REASON_HARD_ICMP_ERROR);
            sw_tcp_finish(tcp, conn);
            return true;
        }
        note_soft(tcp, conn);
        return true;
    default:
        note_soft(tcp, conn);
        return true;
    }
}
