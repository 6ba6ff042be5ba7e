/*
 * ip_addresses.c - Our addresses: which are ours, which are broadcasts of ours, which to speak from.
 *
 * The array is kept dense and in the order of addition, which decides where nothing else does.
 */
#include "ip/ip_internal.h"

static const uint8_t mapped_prefix[16] = {[10] = 0xff, [11] = 0xff};

bool sw_ip_is_mapped(const struct sanwo_address *a)
{
    return a->family == SANWO_FAMILY_IPV6 && memcmp(a->bytes, mapped_prefix, 12) == 0;
}

/* ---- adding and removing ----------------------------------------------------------------------- */

static uint32_t host_mask(unsigned prefix_length)
{
    return prefix_length == 0 ? UINT32_MAX : ~(UINT32_MAX << (32 - prefix_length));
}

/* A single host's, and neither of the two that RFC 1122 3.2.1.3 sets aside in each network. */
static bool may_be_ours(const struct sanwo_address *a, unsigned prefix_length)
{
    uint32_t mask, host;

    if (sw_ip_address_bits(a) == 0 || prefix_length > sw_ip_address_bits(a))
        return false;
    if (sanwo_address_is_any(a) || sanwo_address_is_multicast(a) || sanwo_address_is_loopback(a) ||
        sw_ip_is_limited_broadcast(a) || sw_ip_is_mapped(a))
        return false;
    if (a->family == SANWO_FAMILY_IPV6)
        return true;
    if (a->bytes[0] == 0)
        return false;
    if (prefix_length >= 31) /* RFC 3021: no broadcast between two */
        return true;
    mask = host_mask(prefix_length);
    host = sw_load32(a->bytes) & mask;
    return host != 0 && host != mask;
}

static struct sanwo_address broadcast_of(const struct sanwo_address *a, unsigned prefix_length)
{
    struct sanwo_address b = {.family = SANWO_FAMILY_NONE};

    if (a->family == SANWO_FAMILY_IPV4 && prefix_length < 31) {
        b.family = SANWO_FAMILY_IPV4;
        sw_store32(b.bytes, sw_load32(a->bytes) | host_mask(prefix_length));
    }
    return b;
}

int sw_ip_address_add(struct ip *ip, unsigned link, const struct sanwo_address *address,
                      unsigned prefix_length)
{
    const struct ip_link *on = sw_ip_link_at(ip, link);
    struct sanwo_address ours = *address;

    sw_ip_set_zone(&ours, link);
    if (!on || !may_be_ours(address, prefix_length))
        return -SANWO_EINVAL;
    if (address->zone != 0 && address->zone != ours.zone)
        return -SANWO_EINVAL;
    if (address->family == SANWO_FAMILY_IPV6) {
        if (on->config.kind != SANWO_LINK_IP)
            return -SANWO_EOPNOTSUPP;
        if (on->config.mtu < WIRE_IPV6_MINIMUM_MTU)
            return -SANWO_EINVAL;
    }
    if (sw_ip_is_ours(ip, &ours))
        return -SANWO_EADDRINUSE;
    if (ip->address_count == ip->address_limit)
        return -SANWO_ELIMIT;
    sw_ip_addresses(ip)[ip->address_count++] =
        (struct ip_address){.address = ours,
                            .broadcast = broadcast_of(address, prefix_length),
                            .prefix_length = (uint8_t)prefix_length,
                            .link = (uint8_t)link,
                            .used = true};
    ip->route_epoch++;
    return SANWO_OK;
}

/* A link-local address without a zone names the first that has its bytes. */
static bool names(const struct sanwo_address *wanted, const struct sanwo_address *ours)
{
    struct sanwo_address with_zone = *wanted;

    if (wanted->zone == 0)
        with_zone.zone = ours->zone;
    return sanwo_address_equal(&with_zone, ours);
}

int sw_ip_address_remove(struct ip *ip, const struct sanwo_address *address)
{
    struct ip_address *all = sw_ip_addresses(ip);

    for (unsigned i = 0; i < ip->address_count; i++) {
        if (!names(address, &all[i].address))
            continue;
        ip->address_count--;
        memmove(&all[i], &all[i + 1], (ip->address_count - i) * sizeof all[0]);
        ip->route_epoch++;
        return SANWO_OK;
    }
    return -SANWO_EADDRNOTAVAIL;
}

/* ---- whose is it ------------------------------------------------------------------------------- */

const struct ip_address *sw_ip_address_find(const struct ip *ip,
                                            const struct sanwo_address *address)
{
    const struct ip_address *all = sw_ip_addresses(ip);

    for (unsigned i = 0; i < ip->address_count; i++)
        if (sanwo_address_equal(&all[i].address, address))
            return &all[i];
    return NULL;
}

bool sw_ip_is_ours(const struct ip *ip, const struct sanwo_address *address)
{
    return sw_ip_address_find(ip, address) != NULL;
}

/* RFC1122-3.3.6-1. */
bool sw_ip_is_broadcast(const struct ip *ip, const struct sanwo_address *address)
{
    const struct ip_address *all = sw_ip_addresses(ip);

    if (address->family != SANWO_FAMILY_IPV4)
        return false;
    if (sw_ip_is_limited_broadcast(address))
        return true;
    for (unsigned i = 0; i < ip->address_count; i++)
        if (all[i].broadcast.family == SANWO_FAMILY_IPV4 &&
            memcmp(all[i].broadcast.bytes, address->bytes, 4) == 0)
            return true;
    return false;
}

/* ---- which to speak from ----------------------------------------------------------------------- */

enum { SCOPE_LINK = 2, SCOPE_SITE = 5, SCOPE_GLOBAL = 14 };

/* RFC 6724 3.1 and 3.2; private IPv4 addresses count as global. */
static unsigned scope_of(const struct sanwo_address *a)
{
    if (a->family == SANWO_FAMILY_IPV6 && sanwo_address_is_multicast(a))
        return a->bytes[1] & 15;
    if (sanwo_address_is_link_local(a) || sanwo_address_is_loopback(a))
        return SCOPE_LINK;
    if (a->family == SANWO_FAMILY_IPV6 && a->bytes[0] == 0xfe && a->bytes[1] >> 6 == 3)
        return SCOPE_SITE;
    return SCOPE_GLOBAL;
}

/* The labels of RFC 6724 2.1's policy table, the longest prefix first. */
static unsigned label_of(const struct sanwo_address *a)
{
    static const struct {
        uint8_t prefix[4];
        uint8_t length;
        uint8_t label;
    } policies[] = {
        {{0x20, 0x01, 0, 0}, 32, 5}, {{0x20, 0x02}, 16, 2}, {{0x3f, 0xfe}, 16, 12},
        {{0xfe, 0xc0}, 10, 11},      {{0xfc}, 7, 13},
    };

    if (a->family == SANWO_FAMILY_IPV4)
        return 4;
    for (size_t i = 0; i < SW_COUNT(policies); i++) {
        uint32_t differs = sw_load32(a->bytes) ^ sw_load32(policies[i].prefix);
        if (differs >> (32 - policies[i].length) == 0)
            return policies[i].label;
    }
    return 1;
}

static unsigned common_bits(const struct sanwo_address *a, const struct sanwo_address *b)
{
    unsigned most = sw_ip_address_bits(a), n = 0;

    while (n < most && ((a->bytes[n / 8] ^ b->bytes[n / 8]) >> (7 - n % 8) & 1) == 0)
        n++;
    return n;
}

/*
 * RFC 6724 5, rules 1 to 8; we have no deprecated, home or temporary addresses (rules 3, 4, 7).
 * RFC6724-5-1.
 */
static bool is_better(const struct ip_address *a, const struct ip_address *b,
                      const struct sanwo_address *destination)
{
    unsigned scope_a = scope_of(&a->address), scope_b = scope_of(&b->address);
    unsigned wanted = scope_of(destination), label = label_of(destination);
    unsigned bits_a, bits_b;

    if (scope_a != scope_b) /* rule 2 */
        return scope_a < scope_b ? scope_a >= wanted : scope_b < wanted;
    if ((label_of(&a->address) == label) != (label_of(&b->address) == label)) /* rule 6 */
        return label_of(&a->address) == label;
    bits_a = sw_min32(common_bits(&a->address, destination), a->prefix_length);
    bits_b = sw_min32(common_bits(&b->address, destination), b->prefix_length);
    return bits_a > bits_b; /* rule 8 */
}

bool sw_ip_source_for(const struct ip *ip, const struct sanwo_address *destination,
                      const struct ip_path *path, struct sanwo_address *out)
{
    const struct ip_address *all = sw_ip_addresses(ip), *best = NULL;

    for (unsigned i = 0; i < ip->address_count; i++) {
        const struct ip_address *a = &all[i];
        if (a->link != path->link || a->address.family != destination->family) /* rule 5 */
            continue;
        if (sanwo_address_equal(&a->address, destination)) { /* rule 1 */
            *out = a->address;
            return true;
        }
        if (!best || is_better(a, best, destination))
            best = a;
    }
    if (!best)
        return false;
    *out = best->address;
    return true;
}
