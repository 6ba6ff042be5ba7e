/*
 * ip_links.c - The links of the host: adding them, up and down, MTU.
 */
#include "ip/ip_internal.h"

#define OFFLOADS (SANWO_OFFLOAD_CHECKSUM | SANWO_OFFLOAD_TSO4 | SANWO_OFFLOAD_TSO6)

static bool config_is_sane(const struct sanwo_link_config *config)
{
    struct wire_mac mac;

    if (config->mtu < IP_MTU_LEAST || (config->offload & ~(uint32_t)OFFLOADS) != 0)
        return false;
    if (config->kind == SANWO_LINK_IP)
        return true;
    memcpy(mac.bytes, config->mac, sizeof mac.bytes);
    return config->kind == SANWO_LINK_ETHERNET && !sw_wire_mac_is_group(&mac) &&
           !sw_wire_mac_is_zero(&mac);
}

int sw_ip_link_add(struct ip *ip, const struct sanwo_link_config *config)
{
    struct ip_link *link;

    if (!config_is_sane(config))
        return -SANWO_EINVAL;
    if (ip->link_count == ip->link_limit)
        return -SANWO_ELIMIT;
    link = &sw_ip_links(ip)[ip->link_count];
    memset(link, 0, sizeof *link);
    link->config = *config;
    link->config.name[sizeof link->config.name - 1] = '\0';
    link->used = true;
    link->up = true;
    ip->route_epoch++;
    return ip->link_count++;
}

const struct ip_link *sw_ip_link_at(const struct ip *ip, unsigned link)
{
    return link < ip->link_count ? &sw_ip_links(ip)[link] : NULL;
}

unsigned sw_ip_link_header(const struct ip_link *link)
{
    return link->config.kind == SANWO_LINK_ETHERNET ? WIRE_ETHERNET_HEADER : 0;
}

/* Who comes back up may be plugged in elsewhere: nothing known of the neighbours holds. */
static void forget_neighbours(struct ip *ip, unsigned link)
{
    struct neighbour_frames frames;
    unsigned cursor = 0;

    while (sw_neighbours_forget(sw_ip_neighbours(ip), link, &cursor, &frames)) {
        ip->lost.link_down += frames.count;
        sw_ip_drop_frames(ip, &frames);
    }
}

int sw_ip_link_set_up(struct ip *ip, unsigned link, bool up)
{
    struct ip_link *l;

    if (link >= ip->link_count)
        return -SANWO_EINVAL;
    l = &sw_ip_links(ip)[link];
    if (l->up == up)
        return SANWO_OK;
    l->up = up;
    ip->route_epoch++;
    if (!up)
        forget_neighbours(ip, link);
    return SANWO_OK;
}

static bool has_ipv6(const struct ip *ip, unsigned link)
{
    for (unsigned i = 0; i < ip->address_count; i++) {
        const struct ip_address *a = &sw_ip_addresses(ip)[i];
        if (a->link == link && a->address.family == SANWO_FAMILY_IPV6)
            return true;
    }
    return false;
}

int sw_ip_link_set_mtu(struct ip *ip, unsigned link, uint16_t mtu)
{
    if (link >= ip->link_count || mtu < IP_MTU_LEAST)
        return -SANWO_EINVAL;
    /* RFC 8200 5: every link that carries IPv6 takes 1280 bytes. */
    if (mtu < WIRE_IPV6_MINIMUM_MTU && has_ipv6(ip, link))
        return -SANWO_EINVAL;
    if (sw_ip_links(ip)[link].config.mtu != mtu)
        ip->route_epoch++;
    sw_ip_links(ip)[link].config.mtu = mtu;
    return SANWO_OK;
}
