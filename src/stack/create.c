/*
 * create.c - A stack out of a region, its configuration and its links.
 */
#include "stack/stack.h"

#include "tcp/connection/config.h"
#include "tcp/connection/timers.h"

#define MAGIC UINT64_C(0x73616e776f303031) /* "sanwo001" */
#define PAGE 4096
#define DEFAULT_BUDGET (UINT64_C(256) << 20)
#define SMALLEST_BUDGET (UINT64_C(192) << 10) /* a connection, its slabs, and some room to work */
#define LARGEST_POOL (1u << 24)               /* objects: what an index can name (base/pool.h) */

void sanwo_stack_config_default(struct sanwo_stack_config *config)
{
    *config = (struct sanwo_stack_config){
        .max_connections = 65536,
        .max_half_open = 16384,
        .max_time_wait = 65536,
        .max_listeners = 1024,
        .max_links = 8,
        .max_addresses = 64,
        .max_routes = 64,
        .max_neighbours = 512,
        .ephemeral_first = 32768,
        .ephemeral_last = 60999,
        .max_replies = 1024,
        .reset_rate = 1000,
        .icmp_rate = 100,
        .answer_echo = true,
        .max_peers = 256,
    };
    sanwo_tcp_config_default(&config->tcp);
}

static size_t stack_size(void)
{
    return sw_round_up(sizeof(struct sanwo_stack), REGION_LINE);
}

/* Bytes before the blocks: the stack and all tables of fixed size. */
static size_t reserved_size(const struct sanwo_stack_config *config)
{
    return sw_round_up(stack_size() + sw_round_up(sw_ip_arrays_size(config), REGION_LINE) +
                           sw_tcp_arrays_size(config),
                       PAGE);
}

size_t sanwo_stack_region_size(const struct sanwo_stack_config *config)
{
    uint64_t blocks = config->budget ? config->budget : DEFAULT_BUDGET;
    uint64_t map =
        blocks / REGION_UNIT; /* a byte a unit; and slack for the largest block's alignment */
    return sw_round_up(reserved_size(config) + blocks + map + (UINT64_C(4) << 20), PAGE);
}

static bool seed_is_zero(const uint8_t seed[32])
{
    uint8_t all = 0;
    for (int i = 0; i < 32; i++)
        all |= seed[i];
    return all == 0;
}

static bool is_valid(const struct sanwo_stack_config *c)
{
    if (seed_is_zero(c->seed) && !c->deterministic)
        return false; /* no entropy: fail closed (attack E-11) */
    return c->max_connections && c->max_connections <= LARGEST_POOL && c->max_half_open &&
           c->max_half_open <= LARGEST_POOL && c->max_time_wait &&
           c->max_time_wait <= LARGEST_POOL && c->max_listeners &&
           c->max_listeners <= LARGEST_POOL && (!c->budget || c->budget >= SMALLEST_BUDGET) &&
           c->max_links && c->max_addresses && c->max_routes && c->max_neighbours &&
           c->ephemeral_first && c->ephemeral_first <= c->ephemeral_last && c->max_replies &&
           sw_tcp_config_is_valid(&c->tcp);
}

int sanwo_stack_create(void *region, size_t size, const struct sanwo_stack_config *config,
                       sanwo_time now, struct sanwo_stack **out)
{
    struct sanwo_stack *s = region;
    if (!region || (uintptr_t)region % PAGE || !config || !out || now < 0 || !is_valid(config))
        return -SANWO_EINVAL;
    size_t reserved = reserved_size(config);
    if (size < reserved + PAGE)
        return -SANWO_ENOMEM;
    memset(s, 0, sizeof(*s));
    if (!sw_region_init(&s->region, region, size, reserved, config->budget))
        return -SANWO_ENOMEM;
    s->magic = MAGIC;
    s->now = now;
    sw_random_init(&s->random, config->seed);
    sw_ip_init(&s->ip, &s->region, stack_size(), &s->random, config, now);
    sw_tcp_init(&s->tcp, &s->region,
                stack_size() + sw_round_up(sw_ip_arrays_size(config), REGION_LINE), &s->random,
                config, now);
    *out = s;
    return 0;
}

sanwo_time sanwo_stack_now(const struct sanwo_stack *s)
{
    return s->now;
}

void sanwo_stack_observe(struct sanwo_stack *s, const struct sanwo_observer *observer)
{
    s->tcp.observer = *observer;
}

void sanwo_stack_inject_fault(struct sanwo_stack *s, uint64_t nth)
{
    s->region.fault_countdown = nth;
}

int sanwo_stack_link_add(struct sanwo_stack *s, const struct sanwo_link_config *config)
{
    return sw_ip_link_add(&s->ip, config);
}

int sanwo_stack_link_set_mtu(struct sanwo_stack *s, unsigned link, uint16_t mtu)
{
    return sw_ip_link_set_mtu(&s->ip, link, mtu);
}

int sanwo_stack_link_set_up(struct sanwo_stack *s, unsigned link, bool up, sanwo_time now)
{
    sw_stack_clock(s, now);
    const struct ip_link *was = sw_ip_link_at(&s->ip, link);
    bool edge = up && was && !was->up;
    int result = sw_ip_link_set_up(&s->ip, link, up);
    if (result < 0 || !edge)
        return result;
    /* What waits for a retransmission need not wait on (attack E-06). */
    uint32_t cursor = 0;
    struct tcp_connection *conn;
    while ((conn = sw_pool_next(&s->tcp.connections, &s->region, &cursor)))
        if (conn->link == link)
            sw_tcp_timers_link_up(&s->tcp, conn);
    return result;
}

int sanwo_stack_address_add(struct sanwo_stack *s, unsigned link,
                            const struct sanwo_address *address, unsigned prefix_length)
{
    return sw_ip_address_add(&s->ip, link, address, prefix_length);
}

int sanwo_stack_address_remove(struct sanwo_stack *s, const struct sanwo_address *address)
{
    return sw_ip_address_remove(&s->ip, address);
}

int sanwo_stack_route_add(struct sanwo_stack *s, const struct sanwo_address *network,
                          unsigned prefix_length, const struct sanwo_address *gateway,
                          unsigned link)
{
    return sw_ip_route_add(&s->ip, network, prefix_length, gateway, link);
}

int sanwo_stack_route_remove(struct sanwo_stack *s, const struct sanwo_address *network,
                             unsigned prefix_length)
{
    return sw_ip_route_remove(&s->ip, network, prefix_length);
}
