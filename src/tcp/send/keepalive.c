/*
 * keepalive.c - Keep-alive probes (MAY-5): only when nothing is outstanding and nothing came (MUST-26), and no
 * single unanswered one ends the connection (MUST-29).
 */
#include "tcp/send/keepalive.h"

#include "tcp/connection/config.h"
#include "tcp/connection/lifetime.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/timers.h"
#include "tcp/send/send_queue.h"

enum tcp_verdict sw_tcp_keepalive_expired(struct tcp *tcp, struct tcp_connection *conn)
{
    const struct sanwo_tcp_config *config = sw_tcp_config(tcp, conn);
    if (!tcp_seq_equal(conn->send.snd_una, conn->send.snd_nxt) || sw_tcp_send_queue_unsent(conn)) {
        sw_tcp_timers_keepalive(tcp, conn, config->keepalive_idle);
        return TCP_CONTINUE; /* the retransmission timer watches meanwhile */
    }
    if (conn->keepalive_probes >= config->keepalive_probes) {
        sw_tcp_fail(tcp, conn, SANWO_ETIMEDOUT, SANWO_REASON_KEEPALIVE_TIMEOUT);
        return TCP_FINISHED;
    }
    conn->keepalive_probes++;
    conn->keepalive_now = 1;
    sw_tcp_observe(tcp, conn, SANWO_OBSERVE_TIMER, SANWO_REASON_KEEPALIVE_PROBE,
                   conn->keepalive_probes, 0);
    sw_tcp_timers_keepalive(tcp, conn, config->keepalive_interval);
    sw_tcp_wants_send(tcp, conn);
    return TCP_CONTINUE;
}
