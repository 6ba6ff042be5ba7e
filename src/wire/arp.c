/*
 * arp.c - ARP packets for IPv4 over Ethernet (RFC 826, "Packet format").
 *
 *     | hardware 1 | protocol 0x0800 | 6 | 4 | operation | sender mac, ip | target mac, ip |
 *      0            2                 4   5   6           8           14   18          24
 */
#include "wire/arp.h"
#include "wire/address.h"

#define HARDWARE_ETHERNET 1

bool sw_wire_arp_read(struct wire_arp *out, const uint8_t *bytes, size_t length)
{
    struct reader r = sw_reader(bytes, length);
    const uint8_t *p = sw_take(&r, WIRE_ARP_SIZE);

    if (!p)
        return false;
    if (sw_load16(p) != HARDWARE_ETHERNET || sw_load16(p + 2) != ETHERTYPE_IPV4)
        return false;
    /* The lengths place every later field, so they must be ours whatever the types say. */
    if (p[4] != 6 || p[5] != 4)
        return false;
    out->operation = sw_load16(p + 6);
    memcpy(out->sender_mac.bytes, p + 8, 6);
    sw_wire_address_read_ipv4(&out->sender, p + 14);
    memcpy(out->target_mac.bytes, p + 18, 6);
    sw_wire_address_read_ipv4(&out->target, p + 24);
    return true;
}

void sw_wire_arp_write(const struct wire_arp *a, uint8_t *bytes)
{
    sw_store16(bytes, HARDWARE_ETHERNET);
    sw_store16(bytes + 2, ETHERTYPE_IPV4);
    bytes[4] = 6;
    bytes[5] = 4;
    sw_store16(bytes + 6, a->operation);
    memcpy(bytes + 8, a->sender_mac.bytes, 6);
    memcpy(bytes + 14, a->sender.bytes, 4);
    memcpy(bytes + 18, a->target_mac.bytes, 6);
    memcpy(bytes + 24, a->target.bytes, 4);
}
