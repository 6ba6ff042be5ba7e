/*
 * ports.h - Choosing the local port of an active open (RFC 6056).
 */
#ifndef SW_TCP_OPEN_PORTS_H
#define SW_TCP_OPEN_PORTS_H

#include "tcp/tcp.h"

/* Sets tuple->local_port to a port free for the rest of the tuple. False: none is left. */
bool sw_tcp_choose_port(struct tcp *tcp, struct tcp_tuple *tuple);

#endif
