/*
 * icmp.c - ICMP and ICMPv6 messages towards the stack: names to numbers, and the quoted packet.
 *
 *     type code sum | id or MTU | IP header of the stack's packet | TCP or UDP header | zeros
 *
 * RFC 792, RFC 1191 (the MTU of "fragmentation needed"), RFC 1812 5.2.7 (codes), RFC 4443.
 */
#include "icmp.h"

#include "flow.h"

#include <stdio.h>
#include <string.h>

struct name {
    uint8_t number;
    const char *text;
};

struct type_name {
    uint8_t number;
    const char *text;
    const struct name *codes; /* ends with a NULL text; NULL: no names */
};

static const struct name unreachable4[] = {
    {0, "net_unreachable"},
    {1, "host_unreachable"},
    {2, "protocol_unreachable"},
    {3, "port_unreachable"},
    {4, "frag_needed"},
    {5, "source_route_failed"},
    {6, "net_unknown"},
    {7, "host_unknown"},
    {8, "source_host_isolated"},
    {9, "net_prohibited"},
    {10, "host_prohibited"},
    {11, "net_unreachable_for_tos"},
    {12, "host_unreachable_for_tos"},
    {13, "packet_filtered"},
    {14, "precedence_violation"},
    {15, "precedence_cutoff"},
    {0, NULL},
};

static const struct type_name types4[] = {
    {0, "echo_reply", NULL},          {3, "unreachable", unreachable4},
    {4, "source_quench", NULL},       {5, "redirect", NULL},
    {8, "echo_request", NULL},        {11, "time_exceeded", NULL},
    {12, "parameter_problem", NULL},  {13, "timestamp_request", NULL},
    {14, "timestamp_reply", NULL},    {15, "information_request", NULL},
    {16, "information_reply", NULL},  {17, "address_mask_request", NULL},
    {18, "address_mask_reply", NULL}, {0, NULL, NULL},
};

/* The first of two names of a code is the one we write; packetdrill reads both. */
static const struct name unreachable6[] = {
    {0, "no_route"},
    {0, "net_unreachable"},
    {1, "admin_prohibited"},
    {2, "not_neighbour"},
    {3, "address_unreachable"},
    {4, "port_unreachable"},
    {0, NULL},
};

static const struct name time_exceeded6[] = {
    {0, "exceeded_hop_limit"},
    {1, "exceeded_frag_time"},
    {0, NULL},
};

static const struct name parameter_problem6[] = {
    {0, "header_field"},
    {1, "unknown_next_header"},
    {2, "unknown_option"},
    {0, NULL},
};

static const struct type_name types6[] = {
    {1, "unreachable", unreachable6},
    {2, "packet_too_big", NULL},
    {3, "time_exceeded", time_exceeded6},
    {4, "parameter_problem", parameter_problem6},
    {128, "echo_request", NULL},
    {129, "echo_reply", NULL},
    {0, NULL, NULL},
};

static const struct type_name *types_of(uint8_t family)
{
    return family == SANWO_FAMILY_IPV6 ? types6 : types4;
}

/* "type_11": the number after @prefix, if that is all there is. */
static bool numbered(const char *text, const char *prefix, uint8_t *out)
{
    size_t length = strlen(prefix);
    unsigned number;
    char rest;

    if (strncmp(text, prefix, length) != 0 || sscanf(text + length, "%3u%c", &number, &rest) != 1 ||
        number > 255)
        return false;
    *out = (uint8_t)number;
    return true;
}

static bool code_number(const struct type_name *type, const char *text, uint8_t *out)
{
    if (numbered(text, "code_", out))
        return true;
    if (type->text == NULL || type->codes == NULL)
        return false;
    for (const struct name *code = type->codes; code->text; code++)
        if (strcmp(code->text, text) == 0) {
            *out = code->number;
            return true;
        }
    return false;
}

bool sw_drill_icmp_numbers(uint8_t family, const char *type, const char *code, uint8_t *type_out,
                           uint8_t *code_out, struct drill_text *message)
{
    const struct type_name *row = types_of(family);

    if (!type) {
        sw_drill_text_add(message, "an ICMP packet needs a type");
        return false;
    }
    while (row->text && strcmp(row->text, type) != 0)
        row++;
    *type_out = row->number;
    if (!row->text && !numbered(type, "type_", type_out)) {
        sw_drill_text_add(message, "\"%s\" is no type of ICMP for IPv%u", type, family);
        return false;
    }
    *code_out = 0;
    if (code && !code_number(row, code, code_out)) {
        sw_drill_text_add(message, "\"%s\" is no code of ICMP %s for IPv%u", code, type, family);
        return false;
    }
    return true;
}

void sw_drill_icmp_format(struct drill_text *text, uint8_t family, uint8_t type, uint8_t code)
{
    const struct type_name *row = types_of(family);
    const struct name *name;

    while (row->text && row->number != type)
        row++;
    if (row->text)
        sw_drill_text_add(text, "%s", row->text);
    else
        sw_drill_text_add(text, "type_%u", type);
    if (!row->text || !row->codes) {
        if (code != 0)
            sw_drill_text_add(text, " code_%u", code);
        return;
    }
    for (name = row->codes; name->text && name->number != code; name++)
        ;
    if (name->text)
        sw_drill_text_add(text, " %s", name->text);
    else
        sw_drill_text_add(text, " code_%u", code);
}

bool sw_drill_icmp_is_echo(uint8_t family, uint8_t type)
{
    if (family == SANWO_FAMILY_IPV6)
        return type == 128 || type == 129;
    return type == 8 || type == 0;
}

bool sw_drill_icmp_has_mtu(uint8_t family, uint8_t type, uint8_t code)
{
    return family == SANWO_FAMILY_IPV6 ? type == 2 : type == 3 && code == 4;
}

/* ---- building ----------------------------------------------------------------------------------- */

/* Errors quote a packet; the rest carry what the script says, or nothing. */
static bool is_error(uint8_t family, uint8_t type)
{
    if (family == SANWO_FAMILY_IPV6)
        return type < 128;
    return type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
}

/* The packet of the stack that the message quotes. */
struct quoted {
    uint8_t protocol;
    struct sanwo_endpoint source, destination;
    uint32_t seq, length;
};

static void choose_quoted(struct drill_wire *wire, const struct drill_packet *packet,
                          struct quoted *quoted)
{
    uint8_t protocol = packet->quoted_protocol == DRILL_IP_UDP ? DRILL_UDP : DRILL_TCP;
    struct drill_flow *flow = sw_drill_flow_current(wire, protocol);

    if (!flow && packet->quoted_protocol == 0) {
        flow = sw_drill_flow_current(wire, DRILL_UDP);
        protocol = flow ? DRILL_UDP : DRILL_TCP;
    }
    quoted->protocol = protocol == DRILL_UDP ? DRILL_IP_UDP : DRILL_IP_TCP;
    quoted->source = flow ? flow->local : wire->local;
    quoted->destination = flow ? flow->remote : wire->remote;
    if (!flow) {
        quoted->source.port = sw_drill_flow_default_port(&wire->local);
        quoted->destination.port = sw_drill_flow_default_port(&wire->remote);
    }
    if (packet->quoted_is_set || packet->quoted_protocol == DRILL_IP_UDP) {
        quoted->seq = packet->quoted_seq;
        if (flow)
            quoted->seq = sw_drill_flow_local_live(flow, packet->quoted_seq, false);
        quoted->length = packet->quoted_length;
    } else {
        quoted->seq = flow && flow->last_known        ? flow->last_seq_live
                      : flow && flow->local_isn_known ? flow->local_isn
                                                      : 0;
        quoted->length = flow && flow->last_known ? flow->last_length : 0;
    }
}

static void put_quoted_ip(uint8_t *p, uint8_t family, const struct quoted *quoted, size_t transport)
{
    if (family == SANWO_FAMILY_IPV6) {
        p[0] = 0x60;
        drill_put16(p + 4, (uint32_t)transport);
        p[6] = quoted->protocol;
        p[7] = 64;
        memcpy(p + 8, quoted->source.address.bytes, 16);
        memcpy(p + 24, quoted->destination.address.bytes, 16);
        return;
    }
    p[0] = 0x45;
    drill_put16(p + 2, (uint32_t)(20 + transport));
    p[8] = 64;
    p[9] = quoted->protocol;
    memcpy(p + 12, quoted->source.address.bytes, 4);
    memcpy(p + 16, quoted->destination.address.bytes, 4);
    drill_put16(p + 10, sw_drill_checksum(p, 20, 0));
}

/*
 * The stack's packet into @p, cut to @room as routers do (RFC 1812 4.3.2.3: 576 bytes, RFC 4443 2.4:
 * 1280); its header tells the whole length. Returns the bytes written; @p is zeros before.
 */
static size_t put_quoted(uint8_t *p, size_t room, uint8_t family, const struct quoted *quoted)
{
    size_t ip = drill_ip_header(family);
    size_t header = quoted->protocol == DRILL_IP_UDP ? DRILL_UDP_HEADER : DRILL_TCP_HEADER;
    size_t length = quoted->length <= 65535 - ip - header ? quoted->length : 65535 - ip - header;
    uint8_t *t = p + ip;

    put_quoted_ip(p, family, quoted, header + length);
    drill_put16(t, quoted->source.port);
    drill_put16(t + 2, quoted->destination.port);
    if (quoted->protocol == DRILL_IP_UDP)
        drill_put16(t + 4, (uint32_t)(header + length));
    else {
        drill_put32(t + 4, quoted->seq);
        t[12] = DRILL_TCP_HEADER / 4 << 4;
        t[13] = DRILL_ACK;
    }
    return ip + header + length < room ? ip + header + length : room;
}

/* The second word: MTU or identifier, as the type has it. */
static bool put_rest(const struct drill_packet *packet, uint8_t family, uint8_t *out,
                     struct drill_text *message)
{
    if (packet->mtu_is_set) {
        if (!sw_drill_icmp_has_mtu(family, out[0], out[1])) {
            sw_drill_text_add(message, "only \"%s\" has an MTU",
                              family == SANWO_FAMILY_IPV6 ? "packet_too_big"
                                                          : "unreachable frag_needed");
            return false;
        }
        if (family == SANWO_FAMILY_IPV4 && packet->mtu > 65535) {
            sw_drill_text_add(message, "an MTU of IPv4 is at most 65535");
            return false;
        }
        drill_put32(out + 4, packet->mtu);
    }
    if (packet->id_is_set)
        drill_put16(out + 4, packet->icmp_id);
    return true;
}

size_t sw_drill_icmp_build(struct drill_wire *wire, const struct drill_packet *packet, uint8_t *out,
                           size_t size, struct drill_text *message)
{
    uint8_t family = wire->family;
    size_t length = DRILL_ICMP_HEADER, most = family == SANWO_FAMILY_IPV6 ? 1240 : 556;
    struct quoted quoted = {0};
    uint32_t sum = 0;

    /* [raw (n)]: n bytes in all, zeros after the header. */
    if (packet->quoted_protocol == 255 && packet->quoted_length > length)
        length = packet->quoted_length;
    if (size < most || size < length || length > 65515) {
        sw_drill_text_add(message, "an ICMP message of %zu bytes is too long", length);
        return 0;
    }
    memset(out, 0, length > most ? length : most);
    if (!sw_drill_icmp_numbers(family, packet->icmp_type, packet->icmp_code, &out[0], &out[1],
                               message) ||
        !put_rest(packet, family, out, message))
        return 0;
    if (packet->quoted_protocol != 255 && is_error(family, out[0])) {
        choose_quoted(wire, packet, &quoted);
        length += put_quoted(out + DRILL_ICMP_HEADER, most - DRILL_ICMP_HEADER, family, &quoted);
    }
    if (family == SANWO_FAMILY_IPV6)
        sum = sw_drill_pseudo_sum(&wire->remote.address, &wire->local.address, DRILL_IP_ICMPV6,
                                  length);
    drill_put16(out + 2, sw_drill_checksum(out, length, sum));
    return length;
}
