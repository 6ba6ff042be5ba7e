/*
 * peers.c - What the stack remembers of its peers, for its user to see and to make it forget.
 */
#include "stack/stack.h"

#include "tcp/connection/peers.h"

#define MICROSECOND 1000

static struct sanwo_peer seen(const struct tcp *tcp, const struct tcp_peer *p)
{
    struct tcp_tuple tuple = {.remote_port = 0};
    memcpy(tuple.remote, p->remote, sizeof(tuple.remote));
    uint32_t now = sw_tcp_peers_second(tcp);
    return (struct sanwo_peer){
        .address = sw_tcp_tuple_remote(&tuple).address,
        .srtt = (sanwo_time)p->srtt * MICROSECOND,
        .rttvar = (sanwo_time)p->rttvar * MICROSECOND,
        .ssthresh = p->ssthresh,
        .mss = p->mss,
        .reordering = p->flags & TCP_PEER_REORDERING,
        .fast_open_cookie = p->cookie_length,
        .fast_open_blocked = p->blocked_until > now ? SANWO_SEC(p->blocked_until - now) : 0,
        .fast_open_blocked_port = p->blocked_port,
    };
}

size_t sanwo_stack_peers(const struct sanwo_stack *s, size_t first, struct sanwo_peer *out,
                         size_t max)
{
    size_t n = 0;
    const struct tcp_peer *p;
    while (n < max && first + n <= UINT32_MAX &&
           (p = sw_tcp_peers_at(&s->tcp, (uint32_t)(first + n))) != NULL)
        out[n++] = seen(&s->tcp, p);
    return n;
}

size_t sanwo_stack_peers_forget(struct sanwo_stack *s, const struct sanwo_address *address)
{
    if (!address)
        return sw_tcp_peers_forget(&s->tcp, NULL);
    struct tcp_tuple tuple = sw_tcp_tuple(address, 0, address, 0);
    return sw_tcp_peers_forget(&s->tcp, tuple.remote);
}
