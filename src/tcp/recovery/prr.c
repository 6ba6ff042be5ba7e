/*
 * prr.c - How much each ACK in recovery lets out (RFC 9937; it took the place of RFC 6937).
 *
 *     in flight > ssthresh:   delivered * ssthresh / RecoverFS - out        so many for each that arrives
 *     below it:               as many as arrived; one more where the ACK was safe, up to ssthresh
 *
 * "Safe": SND.UNA advanced, and no further loss showed. Then a segment more goes out than arrived (the
 * slow-start bound), else as many (the conservative one). Only with SACK; RFC 6582 is what we do without.
 */
#include "tcp/recovery/prr.h"

#include "base/bytes.h"
#include "tcp/send/sending.h"

/*
 * RFC 9937 6.1: RecoverFS is what can still be delivered. What was SACKed before cannot; what this ACK
 * delivered counts, and sw_tcp_prr_ack() adds it.
 */
void sw_tcp_prr_begin(struct tcp *tcp, struct tcp_connection *conn, uint32_t outstanding)
{
    uint32_t left = sw_min32(conn->send.in_flight + conn->send.lost, outstanding);
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    if (s)
        s->prr = (struct tcp_prr){.recover_fs = sw_max32(left, 1)};
}

/* RFC6937-3-1, RFC 9937 6.2: ceil(prr_delivered * ssthresh / RecoverFS), less what went out. */
static uint32_t proportional(const struct tcp_prr *prr, uint32_t ssthresh)
{
    uint64_t due = ((uint64_t)prr->delivered * ssthresh + prr->recover_fs - 1) / prr->recover_fs;
    return due > prr->out ? (uint32_t)(due - prr->out) : 0;
}

static uint32_t bounded(const struct tcp_prr *prr, const struct tcp_connection *conn,
                        uint32_t delivered, bool safe)
{
    uint32_t limit = prr->delivered > prr->out ? prr->delivered - prr->out : 0;
    limit = sw_max32(limit, delivered) + (safe ? conn->cc.mss : 0);
    return sw_min32(conn->cc.ssthresh - conn->send.in_flight, limit);
}

void sw_tcp_prr_ack(struct tcp *tcp, struct tcp_connection *conn, uint32_t delivered, bool safe)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    if (!s || !s->prr.recover_fs)
        return;
    struct tcp_prr *prr = &s->prr;
    if (!prr->delivered && !prr->out) /* the ACK that recovery began with */
        prr->recover_fs += delivered;
    prr->delivered += delivered;
    uint32_t in_flight = conn->send.in_flight;
    uint32_t send = in_flight > conn->cc.ssthresh ? proportional(prr, conn->cc.ssthresh)
                                                  : bounded(prr, conn, delivered, safe);
    if (!prr->out) /* RFC 9937 6.2: the fast retransmit itself is always possible */
        send = sw_max32(send, conn->cc.mss);
    conn->cc.cwnd = sw_max32(in_flight + send, conn->cc.mss);
}

void sw_tcp_prr_sent(struct tcp *tcp, struct tcp_connection *conn, uint32_t bytes)
{
    struct tcp_sending *s = conn->in_recovery ? sw_tcp_sending(tcp, conn) : NULL;
    if (s)
        s->prr.out += bytes;
}
