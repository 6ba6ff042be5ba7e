/*
 * parse_ip.c - What stands in brackets before a segment: of its IP header.
 *
 *     [ce]  [ect0]  [ect01]  [tos 0x10]  [dscp af11, ecn ect0, ttl 5]  (flowlabel 0x12345, hlim 3)
 *
 * The two bits of ECN and the six above them are given apart or as one byte; each thing once, in any
 * order. RFC 2474 (DSCP), RFC 3168 5 (ECN).
 */
#include "parse.h"

#include <ctype.h>
#include <string.h>

/** What was given so far. */
struct parts {
    bool has_byte, has_dscp, has_ecn, has_ect01;
    uint8_t byte, dscp, ecn;
};

/** The two bits by their name, or -1. */
static int ecn_bits(const struct drill_parser *p)
{
    static const char *const names[] = {"noecn", "ect1", "ect0",
                                        "ce"}; /* RFC 3168 5: 00 01 10 11 */

    for (int i = 0; i < 4; i++) {
        if (sw_drill_parse_is_word(p, names[i]))
            return i;
    }
    return -1;
}

static bool parse_ecn(struct drill_parser *p, struct parts *parts)
{
    int bits = ecn_bits(p);

    if (parts->has_ecn || parts->has_ect01 || parts->has_byte)
        return sw_drill_parse_fail(p, &p->token, "ECN is given twice");
    if (sw_drill_parse_take_word(p, "ect01")) {
        parts->has_ect01 = true;
        return true;
    }
    if (bits < 0)
        return sw_drill_parse_expected(p, "noecn, ect0, ect1, ect01 or ce");
    parts->has_ecn = true;
    parts->ecn = (uint8_t)bits;
    sw_drill_parse_advance(p);
    return true;
}

/** csN, afNN, ef, le and voice-admit, or -1. RFC 2474 4.2.2, 2597 6, 3246 2.7, 8622 6, 5865 3. */
static int dscp_by_name(const struct drill_token *token)
{
    char name[8] = {0};

    if (token->length >= sizeof(name))
        return -1;
    for (size_t i = 0; i < token->length; i++)
        name[i] = (char)tolower((unsigned char)token->text[i]);
    if (!strncmp(name, "cs", 2) && name[2] >= '0' && name[2] <= '7' && !name[3])
        return (name[2] - '0') * 8;
    if (!strncmp(name, "af", 2) && name[2] >= '1' && name[2] <= '4' && name[3] >= '1' &&
        name[3] <= '3' && !name[4])
        return (name[2] - '0') * 8 + (name[3] - '0') * 2;
    if (!strcmp(name, "ef"))
        return 46;
    return !strcmp(name, "le") ? 1 : -1;
}

static bool is_voice(struct drill_parser *p)
{
    if (sw_drill_parse_take_word(p, "voice")) {
        sw_drill_parse_take_sign(p, '-');
        return sw_drill_parse_take_word(p, "admit");
    }
    return sw_drill_parse_take_word(p, "voice_admit") || sw_drill_parse_take_word(p, "VOICE_ADMIT");
}

static bool parse_dscp(struct drill_parser *p, struct parts *parts)
{
    int64_t number = dscp_by_name(&p->token);

    if (parts->has_dscp || parts->has_byte)
        return sw_drill_parse_fail(p, &p->token, "the traffic class is given twice");
    if (p->token.kind == DRILL_TOKEN_WORD && number >= 0)
        sw_drill_parse_advance(p);
    else if (is_voice(p))
        number = 44;
    else if (!sw_drill_parse_is_number(p))
        return sw_drill_parse_expected(p, "a code point: 0x00 to 0x3f, cs0, af11, ef, le ...");
    else if (!sw_drill_parse_number(p, "dscp", 0, 63, &number))
        return false;
    parts->has_dscp = true;
    parts->dscp = (uint8_t)number;
    return true;
}

static bool parse_byte(struct drill_parser *p, const char *what, struct parts *parts)
{
    int64_t number;

    if (parts->has_byte || parts->has_dscp || parts->has_ecn || parts->has_ect01)
        return sw_drill_parse_fail(p, &p->token, "the traffic class is given twice");
    if (!sw_drill_parse_number(p, what, 0, 255, &number))
        return false;
    parts->has_byte = true;
    parts->byte = (uint8_t)number;
    return true;
}

/** ttl 5, hlim 5, flowlabel 0x12345. */
static bool parse_other(struct drill_parser *p, struct drill_ip_info *ip)
{
    int64_t number;

    if (sw_drill_parse_is_word(p, "ttl") || sw_drill_parse_is_word(p, "hlim")) {
        const char *what = sw_drill_parse_is_word(p, "ttl") ? "ttl" : "hlim";

        if (ip->ttl_is_set)
            return sw_drill_parse_fail(p, &p->token, "ttl or hlim is given twice");
        sw_drill_parse_advance(p);
        if (!sw_drill_parse_number(p, what, 0, 255, &number))
            return false;
        ip->ttl_is_set = true;
        ip->ttl = (uint8_t)number;
        return true;
    }
    if (sw_drill_parse_take_word(p, "bad_checksum"))
        return ip->bad_checksum = true;
    if (sw_drill_parse_take_word(p, "fill")) {
        if (!sw_drill_parse_number(p, "fill", 0, 255, &number))
            return false;
        ip->fill = (uint8_t)number;
        return true;
    }
    if (!sw_drill_parse_take_word(p, "flowlabel"))
        return sw_drill_parse_expected(
            p, "ect0, ect1, ect01, ce, noecn, ecn, dscp, tos, class, ttl, hlim, flowlabel, "
               "fill or bad_checksum");
    if (ip->flow_label_is_set)
        return sw_drill_parse_fail(p, &p->token, "flowlabel is given twice");
    if (!sw_drill_parse_number(p, "flowlabel", 0, 0xfffff, &number))
        return false;
    ip->flow_label_is_set = true;
    ip->flow_label = (uint32_t)number;
    return true;
}

static bool parse_part(struct drill_parser *p, struct drill_ip_info *ip, struct parts *parts)
{
    if (sw_drill_parse_take_word(p, "tos"))
        return parse_byte(p, "tos", parts);
    if (sw_drill_parse_take_word(p, "class"))
        return parse_byte(p, "class", parts);
    if (sw_drill_parse_take_word(p, "dscp"))
        return parse_dscp(p, parts);
    if (sw_drill_parse_take_word(p, "ecn") || ecn_bits(p) >= 0 ||
        sw_drill_parse_is_word(p, "ect01"))
        return parse_ecn(p, parts);
    return parse_other(p, ip);
}

static void join(struct drill_ip_info *ip, const struct parts *parts)
{
    ip->tos = parts->has_byte ? parts->byte : (uint8_t)(parts->dscp << 2 | parts->ecn);
    if (parts->has_byte || (parts->has_dscp && parts->has_ecn))
        ip->tos_check = DRILL_TOS_BYTE;
    else if (parts->has_dscp)
        ip->tos_check = parts->has_ect01 ? DRILL_TOS_DSCP_ECT01 : DRILL_TOS_DSCP;
    else if (parts->has_ect01)
        ip->tos_check = DRILL_TOS_ECT01;
    else if (parts->has_ecn)
        ip->tos_check = DRILL_TOS_ECN;
}

bool sw_drill_parse_ip_info(struct drill_parser *p, struct drill_packet *packet, char close)
{
    struct drill_token at = p->token;
    struct parts parts = {0};

    do {
        if (!parse_part(p, &packet->ip, &parts))
            return false;
    } while (sw_drill_parse_take_sign(p, ','));
    if (!sw_drill_parse_need_sign(p, close, "or ','"))
        return false;
    if (parts.has_ect01 && packet->direction != DRILL_OUTBOUND)
        return sw_drill_parse_fail(p, &at, "[ect01] is for outbound packets only");
    if ((packet->ip.fill || packet->ip.bad_checksum) && packet->direction == DRILL_OUTBOUND)
        return sw_drill_parse_fail(p, &at,
                                   "[fill] and [bad_checksum] are for inbound packets only");
    join(&packet->ip, &parts);
    return true;
}
