/*
 * tcp.c - Laying the engine out in the region.
 */
#include "tcp/tcp.h"

#include "tcp/close/time_wait.h"
#include "tcp/connection/peers.h"
#include "tcp/open/half_open.h"
#include "tcp/open/listener.h"

#define SLAB 16384
#define SLAB 16384
#define POOLS 5

/* The pools: what they hold, and how much of it at most. */
struct plan {
    struct pool *pool;
    uint32_t item_size, slab_size, limit;
};

/* B-13: each kind has its limit. */
static void plan_pools(struct tcp *tcp, const struct sanwo_stack_config *c, struct plan plan[POOLS])
{
    plan[0] =
        (struct plan){&tcp->connections, sizeof(struct tcp_connection), SLAB, c->max_connections};
    plan[1] = (struct plan){&tcp->half_open, sizeof(struct tcp_half_open), SLAB, c->max_half_open};
    plan[2] = (struct plan){&tcp->time_wait, sizeof(struct tcp_time_wait), SLAB, c->max_time_wait};
    plan[3] = (struct plan){&tcp->listeners, sizeof(struct tcp_listener), SLAB, c->max_listeners};
    plan[4] = (struct plan){&tcp->configs, sizeof(struct tcp_config_item), SLAB,
                            c->max_connections + c->max_listeners};
    for (int i = 0; i < POOLS; i++) /* pools want whole 16-byte steps */
        plan[i].item_size = (uint32_t)sw_round_up(plan[i].item_size, 16);
}

static uint32_t table_limit(const struct sanwo_stack_config *c)
{
    return c->max_connections + c->max_half_open + c->max_time_wait;
}

/* Gives out @size bytes of the arrays: where they start. */
static uint64_t place(uint64_t *at, size_t size)
{
    uint64_t start = *at;
    *at = sw_round_up(start + size, REGION_LINE);
    return start;
}

static size_t directory_size(const struct plan *p)
{
    return sw_pool_directory_size(p->item_size, p->slab_size, p->limit);
}

size_t sw_tcp_arrays_size(const struct sanwo_stack_config *c)
{
    struct tcp unused; /* only its members' places are taken */
    struct plan plan[POOLS];
    uint64_t at = 0;
    plan_pools(&unused, c, plan);
    for (int i = 0; i < POOLS; i++)
        place(&at, directory_size(&plan[i]));
    place(&at, sw_table_directory_size(table_limit(c)));
    place(&at, sw_table_directory_size(c->max_listeners));
    place(&at, sw_tcp_peers_directory_size(c->max_peers));
    return at;
}

static void init_pools(struct tcp *tcp, uint64_t at, const struct sanwo_stack_config *c)
{
    struct region *r = tcp->region;
    struct plan plan[POOLS];
    plan_pools(tcp, c, plan);
    for (int i = 0; i < POOLS; i++)
        sw_pool_init(plan[i].pool, r, place(&at, directory_size(&plan[i])), plan[i].item_size,
                     plan[i].slab_size, plan[i].limit);
    sw_table_init(&tcp->table, r, place(&at, sw_table_directory_size(table_limit(c))),
                  table_limit(c));
    sw_table_init(&tcp->listener_table, r, place(&at, sw_table_directory_size(c->max_listeners)),
                  c->max_listeners);
    sw_tcp_peers_init(tcp, place(&at, sw_tcp_peers_directory_size(c->max_peers)), c->max_peers);
}

/* a key for each @purpose. SipHash is a pseudo-random function, so neither tells of the other. */
static struct siphash_key derive(const struct siphash_key *from, uint64_t purpose)
{
    uint64_t input[2] = {2 * purpose, 2 * purpose + 1};
    return (struct siphash_key){sw_siphash(from, &input[0], sizeof(input[0])),
                                sw_siphash(from, &input[1], sizeof(input[1]))};
}

void sw_tcp_init(struct tcp *tcp, struct region *region, uint64_t arrays, struct random *random,
                 const struct sanwo_stack_config *c, sanwo_time now)
{
    *tcp = (struct tcp){.region = region,
                        .random = random,
                        .now = now,
                        .any_port_listener = TCP_NONE,
                        .reply_limit = c->max_replies,
                        .ephemeral_first = c->ephemeral_first,
                        .ephemeral_last = c->ephemeral_last,
                        .config = c->tcp,
                        .observer = c->observer};
    tcp->table_key = sw_random_key(random);
    tcp->isn_key = sw_random_key(random); /* a key for each purpose */
    tcp->port_key = sw_random_key(random);
    tcp->timestamp_key = sw_random_key(random);
    tcp->listener_key = sw_random_key(random);
    tcp->cookie_key = sw_random_key(random);
    if (c->cookie_key_is_set)
        memcpy(&tcp->cookie_key, c->cookie_key, sizeof(tcp->cookie_key));
    sw_peer_limiter_init(&tcp->reset_limiter, sw_random_key(random), c->reset_rate,
                         (c->reset_rate + 1) / 2, now);
    tcp->fast_open_key = derive(&tcp->isn_key, 1);
    if (c->fast_open_key_is_set)
        memcpy(&tcp->fast_open_key, c->fast_open_key, sizeof(tcp->fast_open_key));
    tcp->peers.key = derive(&tcp->isn_key, 2);
    init_pools(tcp, arrays, c);
    sw_wheel_init(&tcp->wheel, now);
    sw_wheel_init(&tcp->half_open_wheel, now);
    sw_tcp_list_init(&tcp->ready, offsetof(struct tcp_connection, send_link));
    sw_tcp_list_init(&tcp->events, offsetof(struct tcp_connection, event_link));
    sw_tcp_list_init(&tcp->listener_events, offsetof(struct tcp_listener, event_link));
    sw_tcp_time_wait_init(tcp);
}
