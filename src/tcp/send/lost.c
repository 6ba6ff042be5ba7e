/*
 * lost.c - What is deemed lost: counted by the rate estimator, told to the algorithm.
 *
 *     records.c --> lost.c --> rate.c            how much was lost since it left
 *                         '--> ops->on_lost      at once, before the ACK that told of it
 *
 * draft-ietf-ccwg-bbr-06 5.2.4: each loss is an event, with what was in flight when it had left.
 */
#include "tcp/send/lost.h"

void sw_tcp_lost(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_rate_mark *mark,
                 uint32_t length)
{
    struct tcp_sending *s = sw_tcp_sending(tcp, conn);
    const struct tcp_cc_ops *ops = sw_tcp_cc_ops(&conn->cc);
    struct tcp_rate_sample lost = sw_tcp_rate_on_lost(&s->rate, mark, length);
    if (ops->on_lost)
        ops->on_lost(&conn->cc, sw_tcp_sending_state(s), &lost, length, tcp->now);
}
