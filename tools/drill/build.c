/*
 * build.c - What the script's '<' lines say, as bytes for the stack.
 *
 *     IPv4, 20 bytes: id 0, no DF, TTL 255 | IPv6, 40 bytes: hop limit 255     (packetdrill's choice)
 *       TCP header and options to the letter, payload of zeros or of what [fill n] says
 *       UDP
 *       ICMP (icmp.c)
 *
 * All checksums are right: a script has no way to ask for wrong ones.
 */
#include "packet.h"

#include "flow.h"
#include "icmp.h"
#include "packet_bytes.h"
#include "packet_options.h"

#include <string.h>

#define DEFAULT_TTL 255

static uint8_t inbound_tos(const struct drill_ip_info *ip)
{
    switch (ip->tos_check) {
    case DRILL_TOS_ECN:
        return ip->tos & 3;
    case DRILL_TOS_ECT01:
        return 2; /* either would do */
    case DRILL_TOS_BYTE:
        return ip->tos;
    case DRILL_TOS_DSCP:
        return ip->tos & 0xfc;
    case DRILL_TOS_DSCP_ECT01:
        return (ip->tos & 0xfc) | 2;
    default:
        return 0;
    }
}

/* From @from (the peer) to @to (the stack): the header before @length bytes of @protocol. */
static void put_ip(uint8_t *p, uint8_t family, const struct drill_ip_info *ip, uint8_t protocol,
                   size_t length, const struct sanwo_address *from, const struct sanwo_address *to)
{
    uint8_t tos = inbound_tos(ip), ttl = ip->ttl_is_set ? ip->ttl : DEFAULT_TTL;

    if (family == SANWO_FAMILY_IPV6) {
        drill_put32(p, UINT32_C(6) << 28 | (uint32_t)tos << 20 |
                           (ip->flow_label_is_set ? ip->flow_label & 0xfffff : 0));
        drill_put16(p + 4, (uint32_t)length);
        p[6] = protocol;
        p[7] = ttl;
        memcpy(p + 8, from->bytes, 16);
        memcpy(p + 24, to->bytes, 16);
        return;
    }
    memset(p, 0, 20);
    p[0] = 0x45;
    p[1] = tos;
    drill_put16(p + 2, (uint32_t)(20 + length));
    p[8] = ttl;
    p[9] = protocol;
    memcpy(p + 12, from->bytes, 4);
    memcpy(p + 16, to->bytes, 4);
    drill_put16(p + 10, sw_drill_checksum(p, 20, 0));
}

/* Header, options and payload together: what an IP packet can hold, and @size. */
static bool fits(uint8_t family, uint64_t length, size_t size, struct drill_text *message)
{
    size_t header = drill_ip_header(family);

    if (length + header <= size && length <= (family == SANWO_FAMILY_IPV6 ? 65535 : 65515))
        return true;
    sw_drill_text_add(message, "a packet of %llu bytes is too long",
                      (unsigned long long)(length + header));
    return false;
}

/* ---- TCP ----------------------------------------------------------------------------------------- */

static bool map_options(const struct drill_wire *wire, const struct drill_flow *flow,
                        const struct drill_packet *packet, struct drill_option_mapping *mapping,
                        struct drill_text *message)
{
    const struct drill_tcp_option *ts = sw_drill_options_script(packet, DRILL_OPTION_TS);

    memset(mapping, 0, sizeof(*mapping));
    mapping->sack_offset = sw_drill_flow_local_live(flow, 0, packet->flags & DRILL_SYN);
    mapping->cookie = &wire->cookie;
    /* Without ACK the field has no meaning and is sent as written: RFC 7323 3.2. */
    if (!ts || ts->absolute_ecr || !(packet->flags & DRILL_ACK))
        return true;
    mapping->set_ecr = true;
    if (sw_drill_flow_live_ts(flow, ts->ecr, &mapping->ecr))
        return true;
    sw_drill_text_add(message,
                      "ecr %u: the stack sent no timestamp before; `ecr %u!` is the number itself",
                      ts->ecr, ts->ecr);
    return false;
}

static void put_tcp(uint8_t *t, const struct drill_flow *flow, const struct drill_packet *packet,
                    size_t header)
{
    bool syn = packet->flags & DRILL_SYN;
    uint8_t flags = packet->flags;
    bool ae = packet->ae;

    if (packet->ace_is_set) {
        flags = (uint8_t)((flags & ~(DRILL_ECE | DRILL_CWR)) | (packet->ace & 1 ? DRILL_ECE : 0) |
                          (packet->ace & 2 ? DRILL_CWR : 0));
        ae = packet->ace & 4;
    }
    drill_put16(t, flow->remote.port);
    drill_put16(t + 2, flow->local.port);
    drill_put32(t + 4, packet->seq_is_absolute ? packet->seq
                                               : sw_drill_flow_remote_live(flow, packet->seq, syn));
    if ((packet->flags & DRILL_ACK) && !packet->ack_is_absolute)
        drill_put32(t + 8, sw_drill_flow_local_live(flow, packet->ack, syn));
    else
        drill_put32(t + 8, packet->ack_is_set ? packet->ack : 0);
    t[12] = (uint8_t)(header / 4 << 4 | (ae ? 1 : 0));
    t[13] = flags;
    drill_put16(t + 14, packet->window_is_set ? packet->window : 0);
    drill_put16(t + 16, 0);
    drill_put16(t + 18, packet->urgent_is_set ? packet->urgent : 0);
}

static bool is_speakable(const struct drill_packet *packet, struct drill_text *message)
{
    if (packet->udp_encapsulated)
        sw_drill_text_add(message, "unsupported: TCP in UDP");
    else if (packet->seq_is_any)
        sw_drill_text_add(message, "an inbound segment needs a sequence number");
    else if (packet->any_options)
        sw_drill_text_add(message, "an inbound segment needs its options in full");
    else if (!packet->window_is_set && !(packet->flags & DRILL_RST))
        sw_drill_text_add(message, "an inbound segment needs a window");
    else
        return true;
    return false;
}

static size_t build_tcp(struct drill_wire *wire, const struct drill_packet *packet, uint8_t *out,
                        size_t size, struct drill_text *message)
{
    size_t ip = drill_ip_header(wire->family), header, length;
    struct drill_option_mapping mapping;
    uint8_t options[DRILL_OPTIONS_MAX];
    struct drill_flow *flow;
    uint32_t sum;
    int n;

    if (!is_speakable(packet, message) ||
        !fits(wire->family, packet->payload_length, size, message))
        return 0;
    flow = sw_drill_flow_for_inbound(wire, packet);
    sw_drill_flow_learn_inbound(flow, packet);
    if (!map_options(wire, flow, packet, &mapping, message))
        return 0;
    n = sw_drill_options_write(packet, &mapping, options);
    if (n < 0) {
        sw_drill_text_add(message, "the options take more than the 40 bytes that a header has");
        return 0;
    }
    header = DRILL_TCP_HEADER + (size_t)n;
    length = header + packet->payload_length;
    if (!fits(wire->family, length, size, message))
        return 0;
    put_ip(out, wire->family, &packet->ip, DRILL_IP_TCP, length, &flow->remote.address,
           &flow->local.address);
    put_tcp(out + ip, flow, packet, header);
    memcpy(out + ip + DRILL_TCP_HEADER, options, (size_t)n);
    memset(out + ip + header, packet->ip.fill, packet->payload_length);
    wire->filled |= packet->ip.fill != 0;
    sum = sw_drill_pseudo_sum(&flow->remote.address, &flow->local.address, DRILL_IP_TCP, length);
    drill_put16(out + ip + 16,
                (uint16_t)(sw_drill_checksum(out + ip, length, sum) ^ packet->ip.bad_checksum));
    return ip + length;
}

/* ---- UDP, ICMP ------------------------------------------------------------------------------------ */

static size_t build_udp(struct drill_wire *wire, const struct drill_packet *packet, uint8_t *out,
                        size_t size, struct drill_text *message)
{
    size_t ip = drill_ip_header(wire->family);
    uint64_t length = (uint64_t)packet->payload_length + DRILL_UDP_HEADER;
    struct drill_flow *flow;
    uint16_t sum;

    if (!fits(wire->family, length, size, message))
        return 0;
    flow = sw_drill_flow_for_inbound(wire, packet);
    put_ip(out, wire->family, &packet->ip, DRILL_IP_UDP, (size_t)length, &flow->remote.address,
           &flow->local.address);
    memset(out + ip, 0, (size_t)length);
    drill_put16(out + ip, flow->remote.port);
    drill_put16(out + ip + 2, flow->local.port);
    drill_put16(out + ip + 4, (uint32_t)length);
    sum = sw_drill_checksum(out + ip, (size_t)length,
                            sw_drill_pseudo_sum(&flow->remote.address, &flow->local.address,
                                                DRILL_IP_UDP, (size_t)length));
    drill_put16(out + ip + 6, sum ? sum : 0xffff); /* RFC 768: 0 would mean none */
    return ip + (size_t)length;
}

static size_t build_icmp(struct drill_wire *wire, const struct drill_packet *packet, uint8_t *out,
                         size_t size, struct drill_text *message)
{
    size_t ip = drill_ip_header(wire->family), length;

    if (!fits(wire->family, 0, size, message))
        return 0;
    length = sw_drill_icmp_build(wire, packet, out + ip, size - ip, message);
    if (length == 0)
        return 0;
    put_ip(out, wire->family, &packet->ip,
           wire->family == SANWO_FAMILY_IPV6 ? DRILL_IP_ICMPV6 : DRILL_IP_ICMP, length,
           &wire->remote.address, &wire->local.address);
    return ip + length;
}

size_t sw_drill_build(struct drill_wire *wire, const struct drill_packet *packet, sanwo_time now,
                      uint8_t *out, size_t size, char *message, size_t message_size)
{
    struct drill_text text;

    (void)
        now; /* nothing in a packet of the peer depends on the time: its timestamps are the script's */
    sw_drill_text_init(&text, message, message_size);
    if (packet->encapsulation) {
        sw_drill_text_add(&text, "unsupported: encapsulation (%s)", packet->encapsulation);
        return 0;
    }
    switch (packet->protocol) {
    case DRILL_TCP:
        return build_tcp(wire, packet, out, size, &text);
    case DRILL_UDP:
        return build_udp(wire, packet, out, size, &text);
    case DRILL_ICMP:
        return build_icmp(wire, packet, out, size, &text);
    default:
        sw_drill_text_add(&text, "unsupported: this protocol");
        return 0;
    }
}
