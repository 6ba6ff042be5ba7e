/*
 * format.c - Packets as a script writes them, so that what was expected and what was seen stand under
 * each other in the same words and in the script's numbers.
 */
#include "format.h"

#include "flow.h"
#include "icmp.h"
#include "packet_options.h"

#include <string.h>

/* ---- parts ----------------------------------------------------------------------------------------- */

static void add_letters(struct drill_text *text, uint8_t flags)
{
    static const struct {
        uint8_t flag;
        char letter;
    } letters[] = {
        {DRILL_FIN, 'F'}, {DRILL_SYN, 'S'}, {DRILL_RST, 'R'}, {DRILL_PSH, 'P'},
        {DRILL_URG, 'U'}, {DRILL_ECE, 'E'}, {DRILL_CWR, 'W'},
    };

    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
        if (flags & letters[i].flag)
            sw_drill_text_add(text, "%c", letters[i].letter);
}

void sw_drill_format_flags(struct drill_text *text, uint8_t flags, bool ae)
{
    add_letters(text, flags);
    sw_drill_text_add(text, "%s%s", ae ? "A" : "", flags & DRILL_ACK ? "." : "");
    if (flags == 0 && !ae)
        sw_drill_text_add(text, "-");
}

void sw_drill_format_ace(struct drill_text *text, uint8_t flags, uint8_t ace)
{
    add_letters(text, (uint8_t)(flags & ~(DRILL_ECE | DRILL_CWR)));
    sw_drill_text_add(text, "%s%u", flags & DRILL_ACK ? "." : "", ace & 7);
}

const char *sw_drill_ecn_name(uint8_t bits)
{
    static const char *const names[] = {"noecn", "ect1", "ect0", "ce"};

    return names[bits & 3];
}

static void add_ports(struct drill_text *text, uint16_t from, uint16_t to)
{
    if (from || to)
        sw_drill_text_add(text, "%u > %u ", from, to);
}

static void add_udp(struct drill_text *text, uint16_t from, uint16_t to, uint32_t length)
{
    sw_drill_text_add(text, "udp ");
    add_ports(text, from, to);
    sw_drill_text_add(text, "(%u)", length);
}

/* ---- of a script ------------------------------------------------------------------------------------ */

/* Each part begins with @before: "[" for the first, "," for those after it. */
static void add_part(struct drill_text *text, const char **before)
{
    sw_drill_text_add(text, "%s", *before);
    *before = ",";
}

static void add_ip_info(struct drill_text *text, const struct drill_ip_info *ip)
{
    const char *before = "[";

    if (ip->tos_check == DRILL_TOS_BYTE || ip->tos_check == DRILL_TOS_DSCP ||
        ip->tos_check == DRILL_TOS_DSCP_ECT01) {
        add_part(text, &before);
        if (ip->tos_check == DRILL_TOS_BYTE)
            sw_drill_text_add(text, "tos 0x%02x", ip->tos);
        else
            sw_drill_text_add(text, "dscp 0x%02x", ip->tos >> 2);
    }
    if (ip->tos_check == DRILL_TOS_ECN) {
        add_part(text, &before);
        sw_drill_text_add(text, "%s", sw_drill_ecn_name(ip->tos));
    } else if (ip->tos_check == DRILL_TOS_ECT01 || ip->tos_check == DRILL_TOS_DSCP_ECT01) {
        add_part(text, &before);
        sw_drill_text_add(text, "ect01");
    }
    if (ip->ttl_is_set) {
        add_part(text, &before);
        sw_drill_text_add(text, "ttl %u", ip->ttl);
    }
    if (ip->flow_label_is_set) {
        add_part(text, &before);
        sw_drill_text_add(text, "flowlabel 0x%x", ip->flow_label);
    }
    if (before[0] == ',')
        sw_drill_text_add(text, "] ");
}

/* What its bytes do not tell comes from the option itself: dots, marks, lengths that are not true. */
static void add_script_option(struct drill_text *text, struct drill_tcp_option *option)
{
    static const struct drill_option_mapping none;
    struct drill_packet one = {.options = option, .option_count = 1};
    bool single = sw_drill_option_is_single(option);
    uint8_t bytes[DRILL_OPTIONS_MAX];

    if (option->as_bytes) {
        sw_drill_text_add(text, "0x%02x", option->kind);
        if (option->length != option->data_length + 2)
            sw_drill_text_add(text, "/%u", option->length);
        sw_drill_text_add(text, ":");
        sw_drill_text_hex(text, option->data, option->data_length);
    } else if (option->kind == DRILL_OPTION_TS && (option->any_val || option->absolute_ecr)) {
        if (option->any_val)
            sw_drill_text_add(text, "TS val ...");
        else
            sw_drill_text_add(text, "TS val %u", option->val);
        sw_drill_text_add(text, " ecr %u%s", option->ecr, option->absolute_ecr ? "!" : "");
    } else if (sw_drill_options_write(&one, &none, bytes) > 0)
        sw_drill_options_format(text, bytes, single ? 1 : bytes[1], &none);
    else
        sw_drill_text_add(text, "0x%02x:...", option->kind);
}

static void add_script_options(struct drill_text *text, const struct drill_packet *packet)
{
    for (size_t i = 0; i < packet->option_count; i++) {
        sw_drill_text_add(text, i == 0 ? " <" : ",");
        add_script_option(text, &packet->options[i]);
    }
    sw_drill_text_add(text, ">");
}

static void add_script_tcp(struct drill_text *text, const struct drill_packet *packet)
{
    add_ports(text, packet->source_port, packet->destination_port);
    if (packet->ace_is_set)
        sw_drill_format_ace(text, packet->flags, packet->ace);
    else
        sw_drill_format_flags(text, packet->flags, packet->ae);
    if (packet->seq_is_any)
        sw_drill_text_add(text, " ...(%u)", packet->payload_length);
    else
        sw_drill_text_add(text, " %u:%u(%u)%s", packet->seq, packet->seq + packet->payload_length,
                          packet->payload_length, packet->seq_is_absolute ? "!" : "");
    if (packet->ack_is_set)
        sw_drill_text_add(text, " ack %u%s", packet->ack, packet->ack_is_absolute ? "!" : "");
    if (packet->window_is_set)
        sw_drill_text_add(text, " win %u", packet->window);
    if (packet->urgent_is_set)
        sw_drill_text_add(text, " urg %u", packet->urgent);
    if (packet->any_options)
        sw_drill_text_add(text, " <...>");
    else if (packet->option_count > 0)
        add_script_options(text, packet);
}

static void add_script_icmp(struct drill_text *text, const struct drill_packet *packet)
{
    sw_drill_text_add(text, "icmp %s", packet->icmp_type ? packet->icmp_type : "?");
    if (packet->icmp_code)
        sw_drill_text_add(text, " %s", packet->icmp_code);
    if (packet->mtu_is_set)
        sw_drill_text_add(text, " mtu %u", packet->mtu);
    if (packet->id_is_set)
        sw_drill_text_add(text, " id %u", packet->icmp_id);
    if (packet->quoted_protocol == DRILL_IP_UDP)
        sw_drill_text_add(text, " [udp (%u)]", packet->quoted_length);
    else if (packet->quoted_protocol == 255)
        sw_drill_text_add(text, " [raw (%u)]", packet->quoted_length);
    else if (packet->quoted_is_set)
        sw_drill_text_add(text, " [%u:%u(%u)]", packet->quoted_seq,
                          packet->quoted_seq + packet->quoted_length, packet->quoted_length);
}

void sw_drill_format_packet(const struct drill_packet *packet, char *out, size_t size)
{
    struct drill_text text;

    sw_drill_text_init(&text, out, size);
    if (packet->encapsulation)
        sw_drill_text_add(&text, "%s ", packet->encapsulation);
    add_ip_info(&text, &packet->ip);
    if (packet->protocol == DRILL_TCP)
        add_script_tcp(&text, packet);
    else if (packet->protocol == DRILL_UDP)
        add_udp(&text, packet->source_port, packet->destination_port, packet->payload_length);
    else
        add_script_icmp(&text, packet);
}

/* ---- of the wire ------------------------------------------------------------------------------------- */

static void add_seen_tcp(struct drill_text *text, const struct drill_seen *seen,
                         const struct drill_flow *flow)
{
    static const struct drill_flow unknown;
    const struct drill_flow *f = flow ? flow : &unknown;
    bool syn = seen->flags & DRILL_SYN, ack = seen->flags & DRILL_ACK;
    const uint8_t *ts = sw_drill_options_find(seen->options, seen->options_length, DRILL_OPTION_TS);
    struct drill_option_mapping mapping = {0};
    uint32_t seq = sw_drill_flow_local_script(f, seen->seq, syn);

    if ((seen->flags & DRILL_RST) && seen->seq == 0)
        seq = 0; /* absolute: a reset of what carried no ACK */
    sw_drill_format_flags(text, seen->flags, seen->ae);
    sw_drill_text_add(text, " %u:%u(%u)", seq, seq + seen->payload_length, seen->payload_length);
    if (ack)
        sw_drill_text_add(text, " ack %u", sw_drill_flow_remote_script(f, seen->ack, syn));
    else if (seen->ack)
        sw_drill_text_add(text, " ack %u", seen->ack);
    sw_drill_text_add(text, " win %u", seen->window);
    if (seen->urgent || (seen->flags & DRILL_URG))
        sw_drill_text_add(text, " urg %u", seen->urgent);
    if (seen->options_length == 0)
        return;
    mapping.sack_offset = sw_drill_flow_remote_live(f, 0, syn);
    if (ts && ts[1] == 10) {
        mapping.set_val = true;
        mapping.val = sw_drill_flow_script_ts(f, drill_get32(ts + 2));
    }
    sw_drill_text_add(text, " <");
    sw_drill_options_format(text, seen->options, seen->options_length, &mapping);
    sw_drill_text_add(text, ">");
}

static void add_seen_icmp(struct drill_text *text, const struct drill_seen *seen)
{
    sw_drill_text_add(text, "icmp ");
    sw_drill_icmp_format(text, seen->family, seen->icmp_type, seen->icmp_code);
    if (sw_drill_icmp_has_mtu(seen->family, seen->icmp_type, seen->icmp_code))
        sw_drill_text_add(text, " mtu %u", seen->icmp_rest);
    if (sw_drill_icmp_is_echo(seen->family, seen->icmp_type))
        sw_drill_text_add(text, " id %u", seen->icmp_rest >> 16);
    sw_drill_text_add(text, " [raw (%u)]", seen->payload_length + DRILL_ICMP_HEADER);
}

void sw_drill_format_seen(struct drill_wire *wire, const struct drill_seen *seen, char *out,
                          size_t size)
{
    struct drill_flow *flow = sw_drill_flow_of_seen(wire, seen);
    bool other = flow ? flow->named || flow != sw_drill_flow_current(wire, seen->protocol)
                      : sw_drill_flow_current(wire, seen->protocol) != NULL;
    uint16_t from = other ? seen->source.port : 0, to = other ? seen->destination.port : 0;
    struct drill_text text;

    sw_drill_text_init(&text, out, size);
    if (seen->tos & 3)
        sw_drill_text_add(&text, "[%s] ", sw_drill_ecn_name(seen->tos));
    if (seen->protocol == DRILL_TCP) {
        add_ports(&text, from, to);
        add_seen_tcp(&text, seen, flow);
    } else if (seen->protocol == DRILL_UDP)
        add_udp(&text, from, to, seen->payload_length);
    else
        add_seen_icmp(&text, seen);
}
