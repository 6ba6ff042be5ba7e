/*
 * ip.c - Birth of the host below TCP: its arrays in the region, its keys and its limits.
 *
 *     | links | addresses | routes | neighbour cache |    at `arrays`, each 64-aligned
 *
 * The host model is the strong one (RFC1122-3.3.4-1 leaves the choice): a packet is ours only on
 * the link that has the address, and answers leave with an address of the link they leave by. So
 * an address on a tunnel cannot be probed from the wire beside it.
 */
#include "ip/ip_internal.h"

#define ARRAY_ALIGNMENT 64

static unsigned link_limit(const struct sanwo_stack_config *config)
{
    return config->max_links < IP_LINKS_MOST ? config->max_links : IP_LINKS_MOST;
}

/* Steps over an array of @size bytes; returns where it began. */
static uint64_t lay_out(uint64_t *at, size_t size)
{
    uint64_t began = *at;

    *at += sw_round_up(size, ARRAY_ALIGNMENT);
    return began;
}

static uint64_t lay_out_all(struct ip *ip, const struct sanwo_stack_config *config, uint64_t at)
{
    ip->links = lay_out(&at, link_limit(config) * sizeof(struct ip_link));
    ip->addresses = lay_out(&at, config->max_addresses * sizeof(struct ip_address));
    ip->routes = lay_out(&at, config->max_routes * sizeof(struct ip_route));
    ip->neighbours = lay_out(&at, sw_neighbours_size(config->max_neighbours));
    return at;
}

size_t sw_ip_arrays_size(const struct sanwo_stack_config *config)
{
    struct ip scratch;

    return (size_t)lay_out_all(&scratch, config, 0);
}

void sw_ip_init(struct ip *ip, struct region *region, uint64_t arrays, struct random *random,
                const struct sanwo_stack_config *config, sanwo_time now)
{
    memset(ip, 0, sizeof *ip);
    ip->region = region;
    ip->random = random;
    ip->id_key = sw_random_key(random);
    lay_out_all(ip, config, arrays);
    ip->link_limit = (uint16_t)link_limit(config);
    ip->address_limit = config->max_addresses;
    ip->route_limit = config->max_routes;
    ip->neighbour_limit = config->max_neighbours;
    ip->ready_limit = config->max_replies;
    ip->answer_echo = config->answer_echo;
    sw_neighbours_init(sw_ip_neighbours(ip), config->max_neighbours, sw_random_key(random));
    sw_peer_limiter_init(&ip->icmp_limiter, sw_random_key(random), config->icmp_rate,
                         sw_min32(config->icmp_rate, 10), now);
}
