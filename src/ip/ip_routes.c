/*
 * ip_routes.c - The way to a destination: longest prefix over our addresses' prefixes and routes.
 *
 *     198.51.100.7 -> 10.0.0.0/24 on link 0 (an address's prefix)    no
 *                     0.0.0.0/0 by 10.0.0.1 on link 0 (a route)      yes: next hop 10.0.0.1
 *
 * Callers keep the path and ask again when ip->route_epoch has grown, so a scan will do.
 * RFC 1122 3.3.1; redirects are not taken (3.2.2.2, attack C-16).
 */
#include "ip/ip_internal.h"

/* Of 65535 bytes, what all headers but IP's may take: Ethernet, TCP with all its options. */
#define OTHER_HEADERS (WIRE_ETHERNET_HEADER + IP_TCP_HEADER_MOST)

static bool host_bits_are_zero(const struct sanwo_address *network, unsigned prefix_length)
{
    for (unsigned bit = prefix_length; bit < sw_ip_address_bits(network); bit++)
        if (network->bytes[bit / 8] >> (7 - bit % 8) & 1)
            return false;
    return true;
}

static struct ip_route *find_route(const struct ip *ip, const struct sanwo_address *network,
                                   unsigned prefix_length)
{
    struct ip_route *all = sw_ip_routes(ip);

    for (unsigned i = 0; i < ip->route_count; i++)
        if (all[i].prefix_length == prefix_length && sanwo_address_equal(&all[i].network, network))
            return &all[i];
    return NULL;
}

/* True if @a can be reached on @link without a gateway. */
static bool is_on_link(const struct ip *ip, const struct sanwo_address *a, unsigned link)
{
    const struct ip_address *addresses = sw_ip_addresses(ip);
    const struct ip_route *routes = sw_ip_routes(ip);

    for (unsigned i = 0; i < ip->address_count; i++)
        if (addresses[i].link == link &&
            sanwo_address_in_prefix(a, &addresses[i].address, addresses[i].prefix_length))
            return true;
    for (unsigned i = 0; i < ip->route_count; i++)
        if (routes[i].link == link && routes[i].gateway.family == SANWO_FAMILY_NONE &&
            sanwo_address_in_prefix(a, &routes[i].network, routes[i].prefix_length))
            return true;
    return false;
}

/* What is neither a single host nor can be reached through a link. */
static bool is_no_destination(const struct ip *ip, const struct sanwo_address *a)
{
    return sanwo_address_is_any(a) || sanwo_address_is_multicast(a) ||
           sanwo_address_is_loopback(a) || sw_ip_is_mapped(a) || sw_ip_is_broadcast(ip, a);
}

int sw_ip_route_add(struct ip *ip, const struct sanwo_address *network, unsigned prefix_length,
                    const struct sanwo_address *gateway, unsigned link)
{
    struct ip_route new = {.network = *network,
                           .prefix_length = (uint8_t)prefix_length,
                           .link = (uint8_t)link,
                           .used = true};
    struct ip_route *place;

    if (!sw_ip_link_at(ip, link) || sw_ip_address_bits(network) == 0 ||
        prefix_length > sw_ip_address_bits(network) || !host_bits_are_zero(network, prefix_length))
        return -SANWO_EINVAL;
    if (gateway && gateway->family != SANWO_FAMILY_NONE) {
        if (gateway->family != network->family)
            return -SANWO_EINVAL;
        new.gateway = *gateway;
        sw_ip_set_zone(&new.gateway, link);
        if (is_no_destination(ip, gateway) || sw_ip_is_ours(ip, &new.gateway))
            return -SANWO_EINVAL;
        /* A link-local gateway is on the link by definition (RFC 4291 2.5.6). */
        if (new.gateway.zone == 0 && !is_on_link(ip, gateway, link))
            return -SANWO_ENETUNREACH;
    }
    place = find_route(ip, network, prefix_length);
    if (!place) {
        if (ip->route_count == ip->route_limit)
            return -SANWO_ELIMIT;
        place = &sw_ip_routes(ip)[ip->route_count++];
    }
    *place = new;
    ip->route_epoch++;
    return SANWO_OK;
}

int sw_ip_route_remove(struct ip *ip, const struct sanwo_address *network, unsigned prefix_length)
{
    struct ip_route *all = sw_ip_routes(ip), *route = find_route(ip, network, prefix_length);

    if (!route)
        return -SANWO_ENETUNREACH;
    ip->route_count--;
    memmove(route, route + 1, (size_t)(&all[ip->route_count] - route) * sizeof *route);
    ip->route_epoch++;
    return SANWO_OK;
}

/* The longest match so far. */
struct match {
    const struct sanwo_address *gateway; /* NULL: on-link */
    int prefix_length;                   /* -1: none yet */
    unsigned link;
};

/* Prefixes of equal length: who was offered first. Link-local destinations stay in their zone. */
static void offer(struct match *m, const struct sanwo_address *destination,
                  const struct sanwo_address *network, unsigned prefix_length, unsigned link,
                  const struct sanwo_address *gateway)
{
    if ((int)prefix_length <= m->prefix_length)
        return;
    if (destination->zone != 0 && destination->zone != link + 1)
        return;
    if (!sanwo_address_in_prefix(destination, network, prefix_length))
        return;
    m->prefix_length = (int)prefix_length;
    m->link = link;
    m->gateway = gateway && gateway->family != SANWO_FAMILY_NONE ? gateway : NULL;
}

static uint32_t super_segment_of(const struct sanwo_link_config *config, uint8_t family)
{
    bool v4 = family == SANWO_FAMILY_IPV4;
    uint32_t most = UINT16_MAX - OTHER_HEADERS - (v4 ? WIRE_IPV4_HEADER : WIRE_IPV6_HEADER);

    if (!(config->offload & (v4 ? SANWO_OFFLOAD_TSO4 : SANWO_OFFLOAD_TSO6)))
        return 0;
    return config->super_segment == 0 ? most : sw_min32(config->super_segment, most);
}

bool sw_ip_route_find(const struct ip *ip, const struct sanwo_address *destination,
                      struct ip_path *out)
{
    const struct ip_address *addresses = sw_ip_addresses(ip);
    const struct ip_route *routes = sw_ip_routes(ip);
    struct match m = {.prefix_length = -1};
    const struct ip_link *link;

    /* RFC 1122 3.2.1.3 (g), RFC1122-3.2.1.3-1: nothing to 127/8 leaves. What is ours does not leave either. */
    if (is_no_destination(ip, destination) || sw_ip_is_ours(ip, destination))
        return false;
    for (unsigned i = 0; i < ip->address_count; i++)
        offer(&m, destination, &addresses[i].address, addresses[i].prefix_length, addresses[i].link,
              NULL);
    for (unsigned i = 0; i < ip->route_count; i++)
        offer(&m, destination, &routes[i].network, routes[i].prefix_length, routes[i].link,
              &routes[i].gateway);
    if (m.prefix_length < 0)
        return false;
    link = sw_ip_link_at(ip, m.link);
    *out = (struct ip_path){.next_hop = m.gateway ? *m.gateway : *destination,
                            .link = (uint16_t)m.link,
                            .mtu = link->config.mtu,
                            .offload = link->config.offload,
                            .super_segment = super_segment_of(&link->config, destination->family),
                            .up = link->up};
    sw_ip_set_zone(&out->next_hop, m.link);
    return true;
}
