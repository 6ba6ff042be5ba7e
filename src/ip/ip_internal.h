/*
 * ip_internal.h - What the files of src/ip share: the arrays, a packet being read, replies, waiting frames.
 */
#ifndef SW_IP_IP_INTERNAL_H
#define SW_IP_IP_INTERNAL_H

#include "base/bytes.h"
#include "ip/ip.h"
#include "link/neighbour.h"

#define IP_LINKS_MOST 254 /* an address's zone is its link plus one, in a byte */
#define IP_DEFAULT_TTL 64 /* RFC 1122 3.2.1.7: configurable for TCP, this is for ICMP */
#define IP_TCP_HEADER_MOST 60
#define IP_MTU_LEAST 68 /* RFC 791 3.2: what every module forwards without cutting it */

/* ---- arrays ------------------------------------------------------------------------------------ */

static inline void *sw_ip_array(const struct ip *ip, uint64_t offset)
{
    return (uint8_t *)sw_region_base(ip->region) + offset;
}

static inline struct ip_link *sw_ip_links(const struct ip *ip)
{
    return sw_ip_array(ip, ip->links);
}

static inline struct ip_address *sw_ip_addresses(const struct ip *ip)
{
    return sw_ip_array(ip, ip->addresses);
}

static inline struct ip_route *sw_ip_routes(const struct ip *ip)
{
    return sw_ip_array(ip, ip->routes);
}

static inline struct neighbours *sw_ip_neighbours(const struct ip *ip)
{
    return sw_ip_array(ip, ip->neighbours);
}

/* ---- addresses --------------------------------------------------------------------------------- */

static inline unsigned sw_ip_address_bits(const struct sanwo_address *a)
{
    return a->family == SANWO_FAMILY_IPV4 ? 32 : a->family == SANWO_FAMILY_IPV6 ? 128 : 0;
}

static inline bool sw_ip_is_limited_broadcast(const struct sanwo_address *a)
{
    return a->family == SANWO_FAMILY_IPV4 && sw_load32(a->bytes) == UINT32_MAX;
}

/* ::ffff:0:0/96: an IPv4 address in disguise, never on the wire (C-19). */
bool sw_ip_is_mapped(const struct sanwo_address *a);
/* Gives a link-local IPv6 address the zone of the link it was seen on. */
static inline void sw_ip_set_zone(struct sanwo_address *a, unsigned link)
{
    if (a->family == SANWO_FAMILY_IPV6 && sanwo_address_is_link_local(a))
        a->zone = (uint8_t)(link + 1);
}

/* Our address, or NULL. */
const struct ip_address *sw_ip_address_find(const struct ip *ip,
                                            const struct sanwo_address *address);

/* ---- a packet being read ----------------------------------------------------------------------- */

struct ip_view {
    const uint8_t *bytes; /* the IP header, in slice 0 */
    uint32_t here;        /* bytes from there to the end of slice 0 */
    uint32_t total;       /* bytes from there to the end of the frame, link padding included */
    uint16_t start;       /* of the IP header in slice 0 */
    bool link_group;      /* came as a link-layer broadcast or multicast */
};

static inline enum ip_verdict sw_ip_drop(struct ip_packet *packet, enum sanwo_reason reason)
{
    packet->reason = (uint16_t)reason;
    return IP_DROP;
}

enum ip_verdict sw_ip_input_v4(struct ip *ip, const struct sanwo_frame *frame,
                               const struct ip_view *view, sanwo_time now,
                               struct ip_packet *packet);
enum ip_verdict sw_ip_input_v6(struct ip *ip, const struct sanwo_frame *frame,
                               const struct ip_view *view, sanwo_time now,
                               struct ip_packet *packet);
/* ICMP of either family, for us and not by broadcast; packet->offset and length are set. */
enum ip_verdict sw_ip_icmp_input(struct ip *ip, const struct sanwo_frame *frame, sanwo_time now,
                                 struct ip_packet *packet);
/* Bytes before the IP header in frames of @link. */
unsigned sw_ip_link_header(const struct ip_link *link);

/*
 * Adds [offset, offset + length) of the frame to a partial checksum, and copies it to @to unless
 * that is NULL. The range lies in the frame.
 */
uint32_t sw_ip_frame_sum(const struct sanwo_frame *frame, uint32_t offset, uint32_t length,
                         uint32_t sum, uint8_t *to);

/* ---- replies and waiting frames ---------------------------------------------------------------- */

/* A frame of one new buffer with @length bytes to be written; NULL if memory is short. */
uint8_t *sw_ip_reply_begin(struct ip *ip, uint32_t length, struct sanwo_frame *frame);
/* Routes and sends it, or drops it and says why. */
bool sw_ip_reply_send(struct ip *ip, const struct ip_send *what, const struct ip_path *path,
                      struct sanwo_frame *frame, sanwo_time now, uint16_t *reason);

/* Room to keep a frame of that many slices; 0 if memory is short. */
region_ref sw_ip_waiting_alloc(struct ip *ip, unsigned slice_count);
/* Puts the frame there; its buffers go along. */
void sw_ip_waiting_store(struct ip *ip, region_ref place, const struct sanwo_frame *frame);
/* Drops the references that a frame holds. */
void sw_ip_frame_release(struct ip *ip, const struct sanwo_frame *frame);
/* Ends the wait for a neighbour: dropped, or to the queue of what may go (if that has room). */
void sw_ip_drop_frames(struct ip *ip, const struct neighbour_frames *frames);
void sw_ip_ready_frames(struct ip *ip, const struct neighbour_frames *frames,
                        const struct wire_mac *mac, sanwo_time now);
/* A complete frame into the queue of what may go; false (and nothing happened) if it is full. */
bool sw_ip_ready_push(struct ip *ip, const struct sanwo_frame *frame, sanwo_time now,
                      uint16_t *reason);

#endif
