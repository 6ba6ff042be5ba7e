/*
 * prr.h - Proportional rate reduction: in recovery cwnd glides to ssthresh, clocked by what arrives.
 */
#ifndef SW_TCP_RECOVERY_PRR_H
#define SW_TCP_RECOVERY_PRR_H

#include <stdbool.h>
#include <stdint.h>

struct tcp;
struct tcp_connection;

/* Part of struct tcp_sending. Names as in RFC 9937 5. */
struct tcp_prr {
    uint32_t recover_fs; /* outstanding when recovery began, less what was SACKed by then */
    uint32_t delivered;
    uint32_t out;
};

/* Recovery begins with @outstanding; the reduced cwnd is in ssthresh. */
void sw_tcp_prr_begin(struct tcp *tcp, struct tcp_connection *conn, uint32_t outstanding);
/* An ACK in recovery told of @delivered bytes. @safe: it advanced SND.UNA and showed no new loss. */
void sw_tcp_prr_ack(struct tcp *tcp, struct tcp_connection *conn, uint32_t delivered, bool safe);
void sw_tcp_prr_sent(struct tcp *tcp, struct tcp_connection *conn, uint32_t bytes);

#endif
