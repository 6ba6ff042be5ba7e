/*
 * parse_packet.c - Packets.
 *
 *     <|>  encapsulation: ...  [ip info]  ports  flags  seq:end(length)  ack n  win n  urg n  <options>
 *     <|>  [ip info]  udp ports (length)
 *     <|>  [ip info]  icmp type code mtu n id n [what it quotes]
 *
 * Encapsulations are kept as text. What has a meaning in packetdrill and none here (SCTP, UDP-Lite,
 * fuzzing) fails as unsupported.
 */
#include "parse.h"

#include <ctype.h>
#include <string.h>

#define ENCAPSULATIONS_MAX 8
#define QUOTED_TCP 6
#define QUOTED_UDP 17
#define QUOTED_RAW 255

/** seq:end(length), ...(length), and an exclamation mark. */
struct sequence {
    bool absolute, any;
    uint32_t seq, length;
};

/* ---- flags ---------------------------------------------------------------------------------------- */

/** One letter or digit of the flags. */
static bool set_flag(struct drill_parser *p, const struct drill_token *at, char c,
                     struct drill_packet *packet)
{
    static const char letters[] = "FSRP.UEW";
    const char *found = c ? strchr(letters, c) : NULL;
    bool is_ecn = c == 'E' || c == 'W' || c == 'C' || c == 'A', is_ace = c >= '0' && c <= '7';

    if ((is_ecn && packet->ace_is_set) ||
        (is_ace && (packet->ace_is_set || packet->ae || packet->flags & 0xc0)))
        return sw_drill_parse_fail(p, at, "the flag %c contradicts another one", c);
    if (found)
        packet->flags |= (uint8_t)(1 << (found - letters));
    else if (c == 'C')
        packet->flags |= 0x80;
    else if (c == 'A')
        packet->ae = true;
    else if (!is_ace)
        return sw_drill_parse_fail(p, at,
                                   "'%c' is no TCP flag; there are F S R P . U E W A and 0-7",
                                   isprint((unsigned char)c) ? c : '?');
    if (is_ace) { /* AE, CWR and ECE as a number */
        packet->ace_is_set = true;
        packet->ace = (uint8_t)(c - '0');
        packet->ae = packet->ace & 4;
        packet->flags |= (uint8_t)((packet->ace & 2) << 6 | (packet->ace & 1) << 6);
    }
    return true;
}

static bool set_flags(struct drill_parser *p, struct drill_packet *packet)
{
    struct drill_token token = p->token;

    for (size_t i = 0; i < token.length; i++) {
        if (!set_flag(p, &token, token.text[i], packet))
            return false;
    }
    sw_drill_parse_advance(p);
    return true;
}

/** S  S.  .  -  SEW  SW.  P.5  .5: a word, then a dot or what looks like a fraction. */
static bool parse_flags(struct drill_parser *p, struct drill_packet *packet)
{
    bool some = p->token.kind == DRILL_TOKEN_WORD;

    if (some && !set_flags(p, packet))
        return false;
    if (!some && sw_drill_parse_take_sign(p, '-'))
        return true;
    if (p->token.kind == DRILL_TOKEN_FLOAT || sw_drill_parse_is_sign(p, '.'))
        return set_flags(p, packet);
    return some || sw_drill_parse_expected(p, "TCP flags (as S. or -), ports, udp or icmp");
}

/* ---- sequence numbers ------------------------------------------------------------------------------ */

static bool parse_length(struct drill_parser *p, const char *what, uint32_t *out)
{
    int64_t length;

    if (!sw_drill_parse_need_sign(p, '(', "before the length") ||
        !sw_drill_parse_number(p, what, 0, 65535, &length) ||
        !sw_drill_parse_need_sign(p, ')', "after the length"))
        return false;
    *out = (uint32_t)length;
    return true;
}

static bool parse_sequence(struct drill_parser *p, struct sequence *out)
{
    struct drill_token at = p->token;
    int64_t seq, end;

    *out = (struct sequence){0};
    if (p->token.kind == DRILL_TOKEN_ELLIPSIS) {
        out->any = true;
        sw_drill_parse_advance(p);
        return parse_length(p, "the payload's length", &out->length);
    }
    if (!sw_drill_parse_is_number(p))
        return sw_drill_parse_expected(p, "sequence numbers: first:end(length)");
    if (!sw_drill_parse_number(p, "the sequence number", 0, UINT32_MAX, &seq) ||
        !sw_drill_parse_need_sign(p, ':', "between the sequence numbers") ||
        !sw_drill_parse_number(p, "the sequence number's end", 0, UINT32_MAX, &end) ||
        !parse_length(p, "the payload's length", &out->length))
        return false;
    out->seq = (uint32_t)seq;
    if (out->seq + out->length != (uint32_t)end) /* modulo 2^32, as the numbers go */
        return sw_drill_parse_fail(p, &at, "%u:%u(%u) is inconsistent: %u + %u is %u", out->seq,
                                   (unsigned)end, out->length, out->seq, out->length,
                                   out->seq + out->length);
    out->absolute = sw_drill_parse_take_sign(p, '!');
    return true;
}

/* ---- TCP ------------------------------------------------------------------------------------------- */

static bool parse_ack(struct drill_parser *p, struct drill_packet *packet)
{
    int64_t number;

    if (!sw_drill_parse_number(p, "ack", 0, UINT32_MAX, &number))
        return false;
    packet->ack_is_set = true;
    packet->ack = (uint32_t)number;
    packet->ack_is_absolute = sw_drill_parse_take_sign(p, '!');
    return true;
}

static bool parse_short(struct drill_parser *p, const char *what, bool *is_set, uint16_t *out)
{
    int64_t number;

    if (!sw_drill_parse_number(p, what, 0, 65535, &number))
        return false;
    *is_set = true;
    *out = (uint16_t)number;
    return true;
}

/** udp(a > b), or (udp a > b): the segment travels within UDP. */
static bool parse_within_udp(struct drill_parser *p, struct drill_packet *packet)
{
    bool is_set, before = sw_drill_parse_take_sign(p, '(');

    if (!sw_drill_parse_take_word(p, "udp"))
        return sw_drill_parse_expected(p, "udp");
    if (!before && !sw_drill_parse_need_sign(p, '(', "after udp"))
        return false;
    packet->udp_encapsulated = true;
    return parse_short(p, "the UDP source port", &is_set, &packet->udp_source) &&
           sw_drill_parse_need_sign(p, '>', "between the UDP ports") &&
           parse_short(p, "the UDP destination port", &is_set, &packet->udp_destination) &&
           sw_drill_parse_need_sign(p, ')', "after the UDP ports");
}

/** {mut ip ihl; ...}: what to spoil in the packet. */
static bool parse_fuzz(struct drill_parser *p)
{
    struct drill_token at = p->token;

    sw_drill_parse_advance(p);
    if (sw_drill_parse_take_sign(p, '}'))
        return true;
    return sw_drill_parse_unsupported(p, &at, "packets to be fuzzed");
}

/** Everything behind the sequence numbers. */
static bool parse_rest(struct drill_parser *p, struct drill_packet *packet)
{
    if (sw_drill_parse_take_word(p, "ack") && !parse_ack(p, packet))
        return false;
    if (sw_drill_parse_take_word(p, "win") &&
        !parse_short(p, "win", &packet->window_is_set, &packet->window))
        return false;
    if (sw_drill_parse_take_word(p, "urg") &&
        !parse_short(p, "urg", &packet->urgent_is_set, &packet->urgent))
        return false;
    if (sw_drill_parse_is_sign(p, '<') && !sw_drill_parse_tcp_options(p, packet))
        return false;
    if ((sw_drill_parse_take_sign(p, '/') || sw_drill_parse_is_sign(p, '(')) &&
        !parse_within_udp(p, packet))
        return false;
    return !sw_drill_parse_is_sign(p, '{') || parse_fuzz(p);
}

static bool parse_tcp(struct drill_parser *p, struct drill_packet *packet)
{
    struct drill_token at = p->token;
    struct sequence sequence;

    packet->protocol = DRILL_TCP;
    if (!parse_flags(p, packet) || !parse_sequence(p, &sequence))
        return false;
    packet->seq = sequence.seq;
    packet->payload_length = sequence.length;
    packet->seq_is_absolute = sequence.absolute;
    packet->seq_is_any = sequence.any;
    if (!parse_rest(p, packet))
        return false;
    if (packet->direction == DRILL_INBOUND && !packet->window_is_set)
        return sw_drill_parse_fail(p, &at, "an inbound segment needs its window: win n");
    return true;
}

/* ---- UDP and ICMP ----------------------------------------------------------------------------------- */

/** a > b */
static bool parse_ports(struct drill_parser *p, struct drill_packet *packet)
{
    bool is_set;

    return parse_short(p, "the source port", &is_set, &packet->source_port) &&
           sw_drill_parse_need_sign(p, '>', "between the ports") &&
           parse_short(p, "the destination port", &is_set, &packet->destination_port);
}

static bool parse_udp(struct drill_parser *p, struct drill_packet *packet)
{
    packet->protocol = DRILL_UDP;
    sw_drill_parse_advance(p);
    if (sw_drill_parse_is_number(p) && !parse_ports(p, packet))
        return false;
    return parse_length(p, "the payload's length", &packet->payload_length);
}

/** After '[': seq:end(length), udp (length) or raw (length). */
static bool parse_quoted(struct drill_parser *p, struct drill_packet *packet)
{
    struct sequence sequence;
    struct drill_token at = p->token;

    packet->quoted_is_set = true;
    packet->quoted_protocol = QUOTED_TCP;
    if (sw_drill_parse_is_word(p, "udp") || sw_drill_parse_is_word(p, "raw")) {
        packet->quoted_protocol = sw_drill_parse_is_word(p, "udp") ? QUOTED_UDP : QUOTED_RAW;
        sw_drill_parse_advance(p);
        return parse_length(p, "the quoted length", &packet->quoted_length) &&
               sw_drill_parse_need_sign(p, ']', "after what is quoted");
    }
    if (sw_drill_parse_is_word(p, "sctp") || sw_drill_parse_is_word(p, "udplite"))
        return sw_drill_parse_unsupported(p, &at, "ICMP that quotes %.*s", (int)at.length, at.text);
    if (!parse_sequence(p, &sequence))
        return false;
    packet->quoted_seq = sequence.seq;
    packet->quoted_length = sequence.length;
    if (sw_drill_parse_take_sign(p, '/') && !parse_within_udp(p, packet))
        return false;
    return sw_drill_parse_need_sign(p, ']', "after what is quoted");
}

static bool parse_icmp(struct drill_parser *p, struct drill_packet *packet)
{
    int64_t number;

    packet->protocol = DRILL_ICMP;
    sw_drill_parse_advance(p);
    if (p->token.kind != DRILL_TOKEN_WORD)
        return sw_drill_parse_expected(p, "the type of ICMP message");
    packet->icmp_type = sw_drill_parse_copy(p, &p->token);
    sw_drill_parse_advance(p);
    if (p->token.kind == DRILL_TOKEN_WORD && !sw_drill_parse_is_word(p, "mtu") &&
        !sw_drill_parse_is_word(p, "id")) {
        packet->icmp_code = sw_drill_parse_copy(p, &p->token);
        sw_drill_parse_advance(p);
    }
    if (sw_drill_parse_take_word(p, "mtu")) {
        if (!sw_drill_parse_number(p, "mtu", 0, UINT32_MAX, &number))
            return false;
        packet->mtu_is_set = true;
        packet->mtu = (uint32_t)number;
    }
    if (sw_drill_parse_take_word(p, "id") &&
        !parse_short(p, "id", &packet->id_is_set, &packet->icmp_id))
        return false;
    return !sw_drill_parse_take_sign(p, '[') || parse_quoted(p, packet);
}

/* ---- what comes before ------------------------------------------------------------------------------ */

static bool is_encapsulation(const struct drill_parser *p)
{
    static const char *const names[] = {"ipv4", "ipv6", "gre", "GREv0", "mpls"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (sw_drill_parse_is_word(p, names[i]))
            return true;
    }
    return false;
}

/** Appends a header's name and the text behind it. */
static void add_encapsulation(struct drill_parser *p, struct drill_packet *packet,
                              const struct drill_token *name, const struct drill_token *header)
{
    const char *before = packet->encapsulation ? packet->encapsulation : "";
    size_t length = strlen(before);
    char *joined =
        sw_drill_memory_take(p->memory, length + name->length + header->length + sizeof(": "));

    memcpy(joined, before, length);
    if (length) {
        memcpy(joined + length, ": ", 2);
        length += 2;
    }
    memcpy(joined + length, name->text, name->length);
    memcpy(joined + length + name->length, header->text, header->length);
    packet->encapsulation = joined;
}

/** ipv4 a > b:  gre:  mpls (label 1, tc 2, ttl 3): one after the other, as text. */
static bool parse_encapsulations(struct drill_parser *p, struct drill_packet *packet)
{
    unsigned count = 0;

    while (is_encapsulation(p)) {
        struct drill_token at = p->token, header;

        if (++count > ENCAPSULATIONS_MAX)
            return sw_drill_parse_fail(p, &at, "too many headers around the packet");
        if (!sw_drill_lexer_until(&p->lexer, ':', sw_drill_parse_is_word(p, "ipv6"), &header))
            return sw_drill_parse_fail(p, &at, "the %.*s header that begins here has no ':'",
                                       (int)at.length, at.text);
        add_encapsulation(p, packet, &at, &header);
        sw_drill_parse_advance(p);
    }
    return true;
}

/** A header of SCTP or UDP-Lite. */
static bool refuse_others(struct drill_parser *p)
{
    if (sw_drill_parse_is_word(p, "sctp"))
        return sw_drill_parse_unsupported(p, &p->token, "SCTP packets");
    if (sw_drill_parse_is_word(p, "udplite"))
        return sw_drill_parse_unsupported(p, &p->token, "UDP-Lite packets");
    return true;
}

/** In brackets: IP info, or as old scripts have it what ICMP quotes. */
static bool parse_brackets(struct drill_parser *p, struct drill_packet *packet)
{
    if (sw_drill_parse_take_sign(p, '('))
        return sw_drill_parse_ip_info(p, packet, ')');
    sw_drill_parse_advance(p);
    if (sw_drill_parse_is_number(p) || sw_drill_parse_is_word(p, "udp"))
        return parse_quoted(p, packet);
    return sw_drill_parse_ip_info(p, packet, ']');
}

bool sw_drill_parse_packet(struct drill_parser *p, struct drill_packet *packet)
{
    packet->direction = sw_drill_parse_is_sign(p, '<') ? DRILL_INBOUND : DRILL_OUTBOUND;
    sw_drill_parse_advance(p);
    if (!parse_encapsulations(p, packet))
        return false;
    if ((sw_drill_parse_is_sign(p, '[') || sw_drill_parse_is_sign(p, '(')) &&
        !parse_brackets(p, packet))
        return false;
    if (packet->quoted_is_set && !sw_drill_parse_is_word(p, "icmp"))
        return sw_drill_parse_expected(p, "icmp after what it quotes");
    if (sw_drill_parse_is_number(p) && !parse_ports(p, packet))
        return false;
    if (!refuse_others(p))
        return false;
    if (sw_drill_parse_is_word(p, "udp"))
        return parse_udp(p, packet);
    if (sw_drill_parse_is_word(p, "icmp"))
        return parse_icmp(p, packet);
    return parse_tcp(p, packet);
}
