/*
 * arp.h - Address resolution for IPv4 over Ethernet: what a packet teaches, and what to answer.
 *
 *     packet -> sender believable? -> in the cache: update -> are we the target? -> add, answer
 *
 * RFC 826, "Packet Reception"; RFC 1122 2.3.2. Announces nothing unasked.
 */
#ifndef SW_LINK_ARP_H
#define SW_LINK_ARP_H

#include "link/neighbour.h"
#include "wire/arp.h"

#define ARP_FRAME_SIZE (WIRE_ETHERNET_HEADER + WIRE_ARP_SIZE)

/* What has to be known about the link that a packet came in on. */
struct arp_link {
    struct wire_mac mac;
    uint16_t link;
    bool target_is_ours;  /* the packet's target is an address of ours on this link */
    bool sender_is_ours;  /* its sender claims an address of ours, anywhere */
    bool sender_is_group; /* ... or a broadcast address */
};

enum arp_verdict {
    ARP_UNBELIEVABLE, /* nothing was learnt from it and nothing is to be done */
    ARP_TAKEN,
    ARP_TO_ANSWER,
};

enum arp_verdict sw_arp_input(struct neighbours *n, const struct arp_link *at,
                              const struct wire_arp *packet, sanwo_time now,
                              struct neighbour_frames *released);

/* Both write ARP_FRAME_SIZE bytes, an Ethernet frame. */
void sw_arp_write_reply(uint8_t *bytes, const struct wire_mac *mac, const struct wire_arp *request);
/* To everybody, or to @known alone if that is not NULL. */
void sw_arp_write_request(uint8_t *bytes, const struct wire_mac *mac,
                          const struct sanwo_address *source, const struct sanwo_address *target,
                          const struct wire_mac *known);

#endif
