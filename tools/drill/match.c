/*
 * match.c - Is what the stack sent what the script's '>' line says?
 *
 * Compared is what packetdrill compares, each difference named in the script's numbers: checksums,
 * IP fields that the script gives, ports, flags (all of them, PSH too), numbers, payload length,
 * window where given, urgent pointer, and the options as bytes in order. Two things are looser: the
 * value of a timestamp is free within the tick and the tolerance, and a reset with SEQ=0 is also
 * right where the script says 0 (RFC 9293 3.10.7.1: what answers a segment without ACK).
 */
#include "packet.h"

#include "flow.h"
#include "format.h"
#include "icmp.h"
#include "packet_bytes.h"
#include "packet_options.h"

#include <string.h>

/** Where differences are collected; none while @text is empty. */
struct comparison {
    struct drill_wire *wire;
    const struct drill_packet *packet;
    const struct drill_seen *seen;
    struct drill_flow *flow;
    struct drill_text text;
    bool differs;
};

/* Begins one more difference. */
static struct drill_text *difference(struct comparison *c)
{
    if (c->differs)
        sw_drill_text_add(&c->text, "; ");
    c->differs = true;
    return &c->text;
}

static void check(struct comparison *c, const char *name, uint32_t actual, uint32_t expected)
{
    if (actual != expected)
        sw_drill_text_add(difference(c), "%s is %u, must be %u", name, actual, expected);
}

static void check_hex(struct comparison *c, const char *name, uint32_t actual, uint32_t expected)
{
    if (actual != expected)
        sw_drill_text_add(difference(c), "%s is 0x%x, must be 0x%x", name, actual, expected);
}

/* ---- IP ------------------------------------------------------------------------------------------- */

static void check_tos(struct comparison *c)
{
    const struct drill_ip_info *ip = &c->packet->ip;
    uint8_t tos = c->seen->tos, ecn = tos & 3;

    switch (ip->tos_check) {
    case DRILL_TOS_ECN:
        if (ecn != (ip->tos & 3))
            sw_drill_text_add(difference(c), "ECN is %s, must be %s", sw_drill_ecn_name(ecn),
                              sw_drill_ecn_name(ip->tos));
        break;
    case DRILL_TOS_BYTE:
        check_hex(c, "tos", tos, ip->tos);
        break;
    case DRILL_TOS_DSCP:
    case DRILL_TOS_DSCP_ECT01:
        check_hex(c, "dscp", tos >> 2, ip->tos >> 2);
        break;
    default:
        break;
    }
    if ((ip->tos_check == DRILL_TOS_ECT01 || ip->tos_check == DRILL_TOS_DSCP_ECT01) && ecn != 1 &&
        ecn != 2)
        sw_drill_text_add(difference(c), "ECN is %s, must be ect0 or ect1", sw_drill_ecn_name(ecn));
}

/*
 * The live label is the stack's choice: what is checked is that it stays the same where the
 * script's does, and changes where that does. 0 in the script: not looked at.
 */
static void check_flow_label(struct comparison *c)
{
    uint32_t script = c->packet->ip.flow_label, live = c->seen->flow_label;
    struct drill_flow *flow = c->flow;

    if (!c->packet->ip.flow_label_is_set || script == 0 || c->seen->family != SANWO_FAMILY_IPV6)
        return;
    if (live == 0)
        sw_drill_text_add(difference(c), "flow label is 0, must be set");
    if (!flow)
        return;
    if (flow->label_known && script == flow->label_script)
        check_hex(c, "flow label", live, flow->label_live);
    else if (flow->label_known && live == flow->label_live)
        sw_drill_text_add(difference(c), "flow label is 0x%x as before, must be another", live);
    flow->label_known = true;
    flow->label_script = script;
    flow->label_live = live;
}

static void check_ip(struct comparison *c)
{
    const struct drill_seen *seen = c->seen;

    if (seen->bad_checksum)
        sw_drill_text_add(difference(c), "a checksum is wrong");
    if (c->wire->family != seen->family)
        sw_drill_text_add(difference(c), "IP version is %u, must be %u", seen->family,
                          c->wire->family);
    check(c,
          seen->family == SANWO_FAMILY_IPV6 ? "length of extension headers"
                                            : "length of IP options",
          seen->ip_options_length, 0);
    check_tos(c);
    if (c->packet->ip.ttl_is_set && c->wire->check_ttl)
        check(c, seen->family == SANWO_FAMILY_IPV6 ? "hop limit" : "ttl", seen->ttl,
              c->packet->ip.ttl);
    check_flow_label(c);
}

static void check_ports(struct comparison *c)
{
    if (c->packet->source_port)
        check(c, "source port", c->seen->source.port, c->packet->source_port);
    if (c->packet->destination_port)
        check(c, "destination port", c->seen->destination.port, c->packet->destination_port);
}

/* ---- TCP ------------------------------------------------------------------------------------------ */

static uint8_t ace_of(uint8_t flags, bool ae)
{
    return (uint8_t)((ae ? 4 : 0) | (flags & DRILL_CWR ? 2 : 0) | (flags & DRILL_ECE ? 1 : 0));
}

static void check_flags(struct comparison *c)
{
    const struct drill_packet *packet = c->packet;
    const struct drill_seen *seen = c->seen;
    uint8_t plain = (uint8_t) ~(DRILL_ECE | DRILL_CWR);
    uint8_t ace = ace_of(seen->flags, seen->ae);
    uint8_t expected = packet->ace_is_set ? packet->ace & 7 : ace_of(packet->flags, packet->ae);
    struct drill_text *text;

    if (((seen->flags ^ packet->flags) & plain) != 0 || ace != expected) {
        text = difference(c);
        sw_drill_text_add(text, "flags are ");
        if (packet->ace_is_set)
            sw_drill_format_ace(text, seen->flags, ace);
        else
            sw_drill_format_flags(text, seen->flags, seen->ae);
        sw_drill_text_add(text, ", must be ");
        if (packet->ace_is_set)
            sw_drill_format_ace(text, packet->flags, packet->ace);
        else
            sw_drill_format_flags(text, packet->flags, packet->ae);
    }
    check(c, "reserved bits", seen->reserved, 0);
}

static void check_numbers(struct comparison *c)
{
    const struct drill_packet *packet = c->packet;
    const struct drill_seen *seen = c->seen;
    bool syn = seen->flags & DRILL_SYN;
    uint32_t seq = sw_drill_flow_local_script(c->flow, seen->seq, syn);
    bool relative = (seen->flags & DRILL_ACK) && !packet->ack_is_absolute;
    bool bare_reset = (seen->flags & DRILL_RST) && seen->seq == 0 && packet->seq == 0;

    if (packet->seq_is_absolute)
        check(c, "seq", seen->seq, packet->seq);
    else if (!packet->seq_is_any && !bare_reset)
        check(c, "seq", seq, packet->seq);
    check(c, "payload length", seen->payload_length, packet->payload_length);
    check(c, "ack", relative ? sw_drill_flow_remote_script(c->flow, seen->ack, syn) : seen->ack,
          packet->ack_is_set ? packet->ack : 0);
    if (packet->window_is_set &&
        (!c->wire->any_window || (seen->window == 0) != (packet->window == 0)))
        check(c, "win", seen->window, packet->window);
    check(c, "urg", seen->urgent, packet->urgent_is_set ? packet->urgent : 0);
}

/*
 * The stack's clock against the script's: both are counted from the first timestamp of the flow.
 * Without a tick any value will do, as with packetdrill.
 */
static void check_timestamp(struct comparison *c, const struct drill_tcp_option *ts, uint32_t live)
{
    uint32_t mapped;
    int64_t off;

    if (ts->any_val)
        return;
    sw_drill_flow_learn_ts(c->flow, ts->val, live, c->seen->when);
    if (c->wire->ts_tick <= 0)
        return;
    mapped = sw_drill_flow_script_ts(c->flow, live);
    off = (int32_t)(mapped - ts->val);
    if ((off < 0 ? -off : off) > c->wire->tolerance / c->wire->ts_tick)
        check(c, "TS val", mapped, ts->val);
}

/*
 * A cookie that the stack gives is its own secret: the script's first one stands for it, wherever the
 * script writes it again.
 */
static void learn_cookie(struct comparison *c)
{
    const struct drill_tcp_option *option = sw_drill_options_script(c->packet, DRILL_OPTION_FO);
    const uint8_t *live;
    struct drill_cookie *cookie = &c->wire->cookie;
    size_t length, head = 2;

    if (!option) {
        option = sw_drill_options_script(c->packet, DRILL_OPTION_EXP2);
        head = 4; /* the number of the experiment comes first */
    }
    if (!option || cookie->known || (head == 4 && option->exid != DRILL_EXID_FO))
        return;
    live = sw_drill_options_find(c->seen->options, c->seen->options_length, option->kind);
    length = live && live[1] > head ? live[1] - head : 0;
    if (length == 0 || length > sizeof(cookie->live) || length != option->data_length)
        return;
    cookie->known = true;
    cookie->length = (uint8_t)length;
    memcpy(cookie->script, option->data, length);
    memcpy(cookie->live, live + head, length);
    memcpy(c->flow->fo_cookie, live + head, length);
    c->flow->fo_cookie_length = (uint8_t)length;
}

static void check_options(struct comparison *c)
{
    const struct drill_seen *seen = c->seen;
    const struct drill_tcp_option *ts = sw_drill_options_script(c->packet, DRILL_OPTION_TS);
    const uint8_t *live =
        sw_drill_options_find(seen->options, seen->options_length, DRILL_OPTION_TS);
    struct drill_option_mapping mapping = {0};
    uint8_t expected[DRILL_OPTIONS_MAX];
    struct drill_text *text;
    int n;

    if (c->packet->any_options)
        return;
    if ((seen->flags & (DRILL_SYN | DRILL_ACK)) == (DRILL_SYN | DRILL_ACK))
        learn_cookie(c);
    mapping.sack_offset = sw_drill_flow_remote_live(c->flow, 0, seen->flags & DRILL_SYN);
    mapping.cookie = &c->wire->cookie;
    if (ts && live && live[1] == 10) {
        check_timestamp(c, ts, drill_get32(live + 2));
        mapping.set_val = true;
        mapping.val = drill_get32(live + 2);
        mapping.set_ecr = c->wire->any_ecr;
        mapping.ecr = drill_get32(live + 6);
    }
    n = sw_drill_options_write(c->packet, &mapping, expected);
    if (n == seen->options_length && memcmp(expected, seen->options, (size_t)n) == 0)
        return;
    text = difference(c);
    if (n < 0) {
        sw_drill_text_add(text, "the script's options take more than 40 bytes");
        return;
    }
    if (mapping.set_val)
        mapping.val = sw_drill_flow_script_ts(c->flow, mapping.val);
    sw_drill_text_add(text, "options are <");
    sw_drill_options_format(text, seen->options, seen->options_length, &mapping);
    sw_drill_text_add(text, ">, must be <");
    if (ts && mapping.set_val && !ts->any_val)
        mapping.val = ts->val;
    sw_drill_options_format(text, expected, (size_t)n, &mapping);
    sw_drill_text_add(text, ">");
}

static void check_payload(struct comparison *c)
{
    if (!c->wire->zero_payload)
        return;
    for (uint32_t i = 0; i < c->seen->payload_length; i++)
        if (c->seen->payload[i] != 0) {
            sw_drill_text_add(difference(c), "byte %u of the payload is 0x%02x, must be 0", i,
                              c->seen->payload[i]);
            return;
        }
}

/* ---- all ------------------------------------------------------------------------------------------- */

static void compare_icmp(struct comparison *c)
{
    const struct drill_packet *packet = c->packet;
    const struct drill_seen *seen = c->seen;
    uint8_t type, code;

    if (!sw_drill_icmp_numbers(seen->family, packet->icmp_type, packet->icmp_code, &type, &code,
                               &c->text)) {
        c->differs = true;
        return;
    }
    if (seen->icmp_type != type || seen->icmp_code != code) {
        struct drill_text *text = difference(c);

        sw_drill_text_add(text, "ICMP is ");
        sw_drill_icmp_format(text, seen->family, seen->icmp_type, seen->icmp_code);
        sw_drill_text_add(text, ", must be ");
        sw_drill_icmp_format(text, seen->family, type, code);
    }
    if (packet->mtu_is_set)
        check(c, "mtu", seen->icmp_rest, packet->mtu);
    if (packet->id_is_set)
        check(c, "id", seen->icmp_rest >> 16, packet->icmp_id);
    if (packet->quoted_protocol == 255)
        check(c, "length of the ICMP message", seen->payload_length + DRILL_ICMP_HEADER,
              packet->quoted_length);
}

static void compare(struct comparison *c)
{
    static const char *const names[] = {"TCP", "UDP", "ICMP"};
    const struct drill_seen *seen = c->seen;

    if (seen->protocol != c->packet->protocol) {
        sw_drill_text_add(difference(c), "protocol is %s, must be %s",
                          seen->protocol <= DRILL_ICMP ? names[seen->protocol] : "unknown",
                          c->packet->protocol <= DRILL_ICMP ? names[c->packet->protocol]
                                                            : "unknown");
        return;
    }
    if (seen->protocol != DRILL_ICMP) {
        c->flow = sw_drill_flow_for_seen(c->wire, seen);
        sw_drill_flow_learn_outbound(c->flow, c->packet, seen);
    }
    check_ip(c);
    if (seen->protocol == DRILL_ICMP) {
        compare_icmp(c);
        return;
    }
    check_ports(c);
    if (seen->protocol == DRILL_TCP) {
        check_flags(c);
        check_numbers(c);
        check_options(c);
    } else
        check(c, "payload length", seen->payload_length, c->packet->payload_length);
    check_payload(c);
}

bool sw_drill_match(struct drill_wire *wire, const struct drill_packet *packet,
                    const struct drill_seen *seen, char *message, size_t message_size)
{
    struct comparison c = {.wire = wire, .packet = packet, .seen = seen};

    sw_drill_text_init(&c.text, message, message_size);
    if (packet->encapsulation || packet->udp_encapsulated) {
        sw_drill_text_add(&c.text, "unsupported: encapsulation (%s)",
                          packet->encapsulation ? packet->encapsulation : "udp");
        return false;
    }
    compare(&c);
    return !c.differs;
}
