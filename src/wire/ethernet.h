/*
 * ethernet.h - Ethernet II frames: destination, source, type. No VLAN tags: they are not ours.
 */
#ifndef SW_WIRE_ETHERNET_H
#define SW_WIRE_ETHERNET_H

#include "base/bytes.h"

#define WIRE_ETHERNET_HEADER 14

enum {
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_ARP = 0x0806,
    ETHERTYPE_IPV6 = 0x86dd,
};

struct wire_mac {
    uint8_t bytes[6];
};

struct wire_ethernet {
    struct wire_mac destination;
    struct wire_mac source;
    uint16_t type;
};

bool sw_wire_ethernet_read(struct wire_ethernet *out, const uint8_t *bytes, size_t length);
void sw_wire_ethernet_write(const struct wire_ethernet *h, uint8_t *bytes);

/* The group bit: broadcast or multicast. */
static inline bool sw_wire_mac_is_group(const struct wire_mac *m)
{
    return m->bytes[0] & 1;
}

bool sw_wire_mac_equal(const struct wire_mac *a, const struct wire_mac *b);
bool sw_wire_mac_is_zero(const struct wire_mac *m);

#endif
