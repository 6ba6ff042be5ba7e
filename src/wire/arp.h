/*
 * arp.h - ARP for IPv4 over Ethernet (RFC 826): 28 bytes.
 */
#ifndef SW_WIRE_ARP_H
#define SW_WIRE_ARP_H

#include "wire/ethernet.h"

#include <sanwo/address.h>

#define WIRE_ARP_SIZE 28

enum { ARP_REQUEST = 1, ARP_REPLY = 2 };

struct wire_arp {
    uint16_t operation;
    struct wire_mac sender_mac;
    struct wire_mac target_mac;
    struct sanwo_address sender; /* IPv4 */
    struct sanwo_address target;
};

/* False unless hardware type, protocol type and both lengths are Ethernet's and IPv4's. */
bool sw_wire_arp_read(struct wire_arp *out, const uint8_t *bytes, size_t length);
void sw_wire_arp_write(const struct wire_arp *a, uint8_t *bytes);

#endif
