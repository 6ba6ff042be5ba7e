/*
 * input.h - A segment arrived for a connection: the RFC's list of steps.
 */
#ifndef SW_TCP_RECEIVE_INPUT_H
#define SW_TCP_RECEIVE_INPUT_H

#include "tcp/tcp.h"

enum tcp_verdict sw_tcp_input(struct tcp *tcp, struct tcp_connection *conn,
                              struct tcp_segment *seg);

#endif
