/* lost.h - What is deemed lost: counted by the rate estimator, told to the algorithm. */
#ifndef SW_TCP_SEND_LOST_H
#define SW_TCP_SEND_LOST_H

#include "tcp/send/sending.h"

/* @length bytes that left with @mark (NULL: without). Only while there are rate marks. */
void sw_tcp_lost(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_rate_mark *mark,
                 uint32_t length);

#endif
