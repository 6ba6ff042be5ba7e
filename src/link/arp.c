/*
 * arp.c - ARP reception and packets (RFC 826). See arp.h.
 */
#include "link/arp.h"

/* RFC 826 leaves the sender unquestioned; who is no single other station teaches us nothing (C-16). */
static bool sender_is_believable(const struct arp_link *at, const struct wire_arp *packet)
{
    const struct wire_mac *mac = &packet->sender_mac;

    if (sw_wire_mac_is_group(mac) || sw_wire_mac_is_zero(mac) || sw_wire_mac_equal(mac, &at->mac))
        return false;
    return !at->sender_is_ours && !at->sender_is_group &&
           !sanwo_address_is_multicast(&packet->sender) &&
           !sanwo_address_is_loopback(&packet->sender);
}

/* RFC826-0-1. */
enum arp_verdict sw_arp_input(struct neighbours *n, const struct arp_link *at,
                              const struct wire_arp *packet, sanwo_time now,
                              struct neighbour_frames *released)
{
    bool request = packet->operation == ARP_REQUEST;

    released->count = 0;
    if (!request && packet->operation != ARP_REPLY)
        return ARP_UNBELIEVABLE;
    if (!sender_is_believable(at, packet))
        return ARP_UNBELIEVABLE;
    /*
     * RFC 826: "if the pair is already in my table, update"; "am I the target?", then "add". Only
     * requests add: a reply that nobody asked for is of no use but to an impostor. An address of
     * zero is a probe (RFC 5227 2.1.1): to be answered, not to be learnt.
     */
    if (!sanwo_address_is_any(&packet->sender))
        sw_neighbour_learn(n, at->link, &packet->sender, &packet->sender_mac,
                           request && at->target_is_ours, now, released);
    return request && at->target_is_ours ? ARP_TO_ANSWER : ARP_TAKEN;
}

static void write_frame(uint8_t *bytes, const struct wire_mac *to, const struct wire_arp *packet)
{
    struct wire_ethernet ethernet = {
        .destination = *to, .source = packet->sender_mac, .type = ETHERTYPE_ARP};

    sw_wire_ethernet_write(&ethernet, bytes);
    sw_wire_arp_write(packet, bytes + WIRE_ETHERNET_HEADER);
}

void sw_arp_write_reply(uint8_t *bytes, const struct wire_mac *mac, const struct wire_arp *request)
{
    struct wire_arp reply = {.operation = ARP_REPLY,
                             .sender_mac = *mac,
                             .sender = request->target,
                             .target_mac = request->sender_mac,
                             .target = request->sender};

    write_frame(bytes, &request->sender_mac, &reply);
}

void sw_arp_write_request(uint8_t *bytes, const struct wire_mac *mac,
                          const struct sanwo_address *source, const struct sanwo_address *target,
                          const struct wire_mac *known)
{
    static const struct wire_mac everybody = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    struct wire_arp request = {.operation = ARP_REQUEST,
                               .sender_mac = *mac,
                               .sender = *source,
                               .target = *target}; /* its link address, unknown, stays zero */

    write_frame(bytes, known ? known : &everybody, &request);
}
