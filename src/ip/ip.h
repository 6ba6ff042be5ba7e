/*
 * ip.h - The host below TCP: links, addresses, routes, input, output, ICMP, path MTU messages.
 *
 *     frame in  -> ip_input.c   -> ethernet/arp (link/) | IPv4 | IPv6 -> ICMP (icmp_input.c) | TCP (caller)
 *     frame out <- ip_output.c  <- TCP (caller), icmp_output.c        -> neighbour (link/) parks or passes
 *
 * Knows packets, not connections: what concerns a connection (a TCP segment, an ICMP error that
 * quotes one) goes back to the caller as a verdict. Sends nothing by itself: answers wait in `ready`
 * until sw_ip_poll_frame() fetches them.
 */
#ifndef SW_IP_IP_H
#define SW_IP_IP_H

#include "base/buffer.h"
#include "base/limiter.h"
#include "base/region.h"
#include "wire/icmp.h"
#include "wire/ipv6.h"

#include <sanwo/stack.h>

#define IP_HEADROOM 64 /* room before the TCP header: Ethernet's 14, IPv6's 40, and alignment */

struct ip_link {
    struct sanwo_link_config config;
    bool used;
    bool up;
};

struct ip_address {
    struct sanwo_address address;
    struct sanwo_address broadcast; /* IPv4 directed broadcast, or NONE */
    uint8_t prefix_length;
    uint8_t link;
    bool used;
};

struct ip_route {
    struct sanwo_address network;
    struct sanwo_address gateway; /* NONE: on-link */
    uint8_t prefix_length;
    uint8_t link;
    bool used;
};

struct neighbours; /* link/neighbour.h */

/* Frames of ours that were lost after sw_ip_send() took them, or answers never made; by reason. */
struct ip_losses {
    uint64_t neighbour_unresolved;
    uint64_t neighbour_queue_full;
    uint64_t queue_full;
    uint64_t rate_limited;
    uint64_t no_memory;
    uint64_t link_down;
};

struct ip {
    struct region *region;
    struct random *random;
    struct siphash_key id_key; /* IPv4 IDs and IPv6 flow labels: unpredictable, per flow */
    uint64_t links, addresses, routes, neighbours; /* arrays: offsets from the region's base */
    uint16_t link_limit, address_limit, route_limit, neighbour_limit;
    uint32_t route_epoch; /* grows when links, addresses or routes change: cached paths are stale */
    struct peer_limiter icmp_limiter;
    region_ref ready_head, ready_tail; /* frames that may go now (see ip_ready.c) */
    uint16_t ready_count, ready_limit;
    sanwo_time ready_since; /* when the first of them came to stand there */
    region_ref orphans;     /* see sw_ip_take_orphan() */
    uint16_t link_count, address_count, route_count; /* in use, from the start of the arrays */
    struct {
        uint64_t flow, hash; /* what sw_ip_send() last hashed */
        bool known;
    } last_flow;
    bool answer_echo;
    uint64_t icmp_in, icmp_out;
    struct ip_losses lost;
};

/* Bytes of arrays for these limits; the caller reserves them, 64-aligned, at `arrays`. */
size_t sw_ip_arrays_size(const struct sanwo_stack_config *config);
void sw_ip_init(struct ip *ip, struct region *region, uint64_t arrays, struct random *random,
                const struct sanwo_stack_config *config, sanwo_time now);

/* ---- configuration: the public calls of stack.h land here; same errors ------------------------- */
int sw_ip_link_add(struct ip *ip, const struct sanwo_link_config *config);
int sw_ip_link_set_up(struct ip *ip, unsigned link, bool up);
int sw_ip_link_set_mtu(struct ip *ip, unsigned link, uint16_t mtu);
int sw_ip_address_add(struct ip *ip, unsigned link, const struct sanwo_address *address,
                      unsigned prefix_length);
int sw_ip_address_remove(struct ip *ip, const struct sanwo_address *address);
int sw_ip_route_add(struct ip *ip, const struct sanwo_address *network, unsigned prefix_length,
                    const struct sanwo_address *gateway, unsigned link);
int sw_ip_route_remove(struct ip *ip, const struct sanwo_address *network, unsigned prefix_length);

const struct ip_link *sw_ip_link_at(const struct ip *ip, unsigned link); /* NULL if there is none */
bool sw_ip_is_ours(const struct ip *ip, const struct sanwo_address *address);
/* 255.255.255.255 or the directed broadcast of one of our prefixes. */
bool sw_ip_is_broadcast(const struct ip *ip, const struct sanwo_address *address);

/* ---- the way to a destination ------------------------------------------------------------------- */

struct ip_path {
    struct sanwo_address next_hop; /* destination or gateway */
    uint16_t link;
    uint16_t mtu;           /* of the link */
    uint32_t offload;       /* SANWO_OFFLOAD_... of the link */
    uint32_t super_segment; /* most payload of a super-segment, 0: the link cannot */
    bool up;
};

/* Longest prefix; routes through links that are down still count (`up` says). False: no route. */
bool sw_ip_route_find(const struct ip *ip, const struct sanwo_address *destination,
                      struct ip_path *out);
/*
 * The local address to talk to @destination with (RFC 6724 rules 1-8 as far as they apply): on the
 * outgoing link, same scope, longest match. False: none of that family there.
 */
bool sw_ip_source_for(const struct ip *ip, const struct sanwo_address *destination,
                      const struct ip_path *path, struct sanwo_address *out);

/* ---- input --------------------------------------------------------------------------------------- */

enum ip_verdict {
    IP_DROP,       /* `reason` says why */
    IP_DONE,       /* taken care of (ARP, echo); nothing more to do */
    IP_TCP,        /* `packet` is a TCP segment */
    IP_ICMP_ERROR, /* an error about a TCP packet of ours: `packet.icmp` and `packet.quote` */
};

struct ip_packet {
    struct sanwo_address source, destination;
    uint32_t offset; /* of the upper layer, from the start of slice 0 */
    uint32_t length; /* of the upper layer: true bytes, over all slices */
    uint16_t link;
    uint16_t reason; /* enum sanwo_reason, with IP_DROP */
    uint8_t protocol;
    uint8_t ttl;
    uint8_t dscp_ecn;
    bool ours;    /* destination is one of our addresses */
    bool group;   /* destination is broadcast or multicast (IP or link layer) */
    uint32_t mtu; /* with IP_ICMP_ERROR: next-hop MTU of "too big"; 0 if not given */
    /* Of ICMP packets only: of others they are not even cleared. */
    struct wire_icmp icmp;
    struct wire_icmp_quote quote;
};

/*
 * One frame up to the transport. TCP is delivered if the destination is ours, or is a unicast
 * address of others (for any-address listeners; `ours` tells; source checked all the same); never
 * if it is an IP broadcast or multicast address (RFC 9293 MUST-57). With `group` set it came as a
 * link-layer broadcast and must not be answered. ICMP errors about packets from an address of
 * others are delivered likewise, if they are addressed to it.
 * IPv4 header checksums and ICMP checksums are verified; TCP's is the caller's business.
 */
enum ip_verdict sw_ip_input(struct ip *ip, const struct sanwo_frame *frame, sanwo_time now,
                            struct ip_packet *packet);

/* ---- output -------------------------------------------------------------------------------------- */

struct ip_send {
    struct sanwo_address source, destination;
    uint8_t protocol;
    uint8_t ttl;
    uint8_t dscp_ecn;
    bool may_fragment; /* DF is set unless this is (path MTU discovery) */
    uint64_t flow;     /* any number that is the same for one flow: flow label, ID */
};

enum ip_sent {
    IP_SENT,     /* @frame is complete: hand it to the link */
    IP_PARKED,   /* kept until the neighbour is resolved; the frame's buffers went along */
    IP_NOT_SENT, /* link down, too large ...: `reason`; the frame is the caller's, untouched */
};

/*
 * Puts IP (and Ethernet) headers before slice 0, whose bytes must lie in a buffer with IP_HEADROOM
 * bytes to spare in front and that nobody else refers to. frame->length, checksum_start,
 * header_length and link are adjusted/filled; lengths and checksum of the IP header are complete.
 */
enum ip_sent sw_ip_send(struct ip *ip, const struct ip_send *what, const struct ip_path *path,
                        struct sanwo_frame *frame, sanwo_time now, uint16_t *reason);

/* The next frame that waits to go (ARP, ICMP, frames whose neighbour answered). False: none. */
bool sw_ip_poll_frame(struct ip *ip, struct sanwo_frame *out, sanwo_time now);
/* When sw_ip_poll_frame() should be called although nothing arrives (ARP retries). */
sanwo_time sw_ip_deadline(const struct ip *ip);

/*
 * A dropped frame may hold the last reference to an external buffer, whose owner has to be told.
 * Such buffers, one reference each, wait here for whom may tell: the next one, or 0.
 */
region_ref sw_ip_take_orphan(struct ip *ip);

/*
 * Queues an ICMP(v6) error about the packet in @frame (port or protocol unreachable, parameter
 * problem), unless RFC 1122 3.2.2 or RFC 4443 2.4 (e) forbid or the limiter says no.
 */
void sw_ip_send_error(struct ip *ip, const struct sanwo_frame *frame, const struct ip_packet *about,
                      uint8_t type, uint8_t code, uint32_t rest, sanwo_time now);

#endif
