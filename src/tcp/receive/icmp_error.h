/*
 * icmp_error.h - ICMP errors about our segments: which connection, whether to believe, what follows.
 */
#ifndef SW_TCP_RECEIVE_ICMP_ERROR_H
#define SW_TCP_RECEIVE_ICMP_ERROR_H

#include "tcp/tcp.h"

enum tcp_icmp_kind {
    TCP_ICMP_SOFT,    /* unreachable net or host, time exceeded, ...: noted (MUST-56) */
    TCP_ICMP_HARD,    /* unreachable protocol, forbidden */
    TCP_ICMP_REFUSED, /* unreachable port: nobody listens there */
    TCP_ICMP_TOO_BIG,
};

struct tcp_icmp_error {
    struct tcp_tuple tuple; /* of the quoted segment: we are local */
    tcp_seq seq;
    enum tcp_icmp_kind kind;
    uint32_t mtu;    /* TOO_BIG; 0: not said */
    uint32_t packet; /* size of the quoted packet */
};

/* False: it concerns nothing of ours, or is not believable. */
bool sw_tcp_icmp_error(struct tcp *tcp, const struct tcp_icmp_error *error);

#endif
