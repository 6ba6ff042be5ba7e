/*
 * parse_option.c - TCP options as scripts write them.
 *
 *     <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 7>    <sack 1:2 4:5>    <...> any
 *     nop  eol  mss  wscale  sackOK  sack  TS  md5  FO  FOEXP          both dialects
 *     TS val ... ecr 5!  exp-FO  AccECN0  exp-AccECN1  exp-tarr        FreeBSD's
 *     ECN e0b 1 ceb 0 e1b 1                                            as Linux scripts write AccECN
 *     0xfd:0102   0xfd/9:0102                                          ours: any kind; a false length
 *
 * Their lengths on the wire: RFC 9293 3.1, RFC 7323 2.2 and 3.2, RFC 2018 2 and 3, RFC 2385 3,
 * RFC 7413 4.1.1, RFC 6994 3.1, draft-ietf-tcpm-accurate-ecn 3.2.3.
 */
#include "parse.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define OPTIONS_LENGTH_MAX 40

enum {
    KIND_EOL = 0,
    KIND_NOP = 1,
    KIND_MSS = 2,
    KIND_WSCALE = 3,
    KIND_SACK_OK = 4,
    KIND_SACK = 5,
    KIND_TIMESTAMP = 8,
    KIND_MD5 = 19,
    KIND_FAST_OPEN = 34,
    KIND_ACCECN0 = 172,
    KIND_ACCECN1 = 174,
    KIND_EXPERIMENT = 254,
};

#define EXID_FAST_OPEN 0xf989
#define EXID_ACCECN0 0xacc0
#define EXID_ACCECN1 0xacc1
#define EXID_TARR 0x00ac

static uint8_t base_length(const struct drill_tcp_option *option)
{
    return option->experimental ? 4 : 2;
}

static void set_kind(struct drill_tcp_option *option, uint8_t kind, uint16_t exid)
{
    option->kind = kind;
    option->exid = exid;
    option->experimental = kind == KIND_EXPERIMENT && exid;
    option->length = base_length(option);
}

/* ---- bytes ---------------------------------------------------------------------------------------- */

static int nibble(char c)
{
    if (!isxdigit((unsigned char)c))
        return -1;
    return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/** Hexadecimal digits, if there are any, as the option's data; at most @most bytes. */
static bool parse_bytes(struct drill_parser *p, const char *what, size_t most,
                        struct drill_tcp_option *option)
{
    const struct drill_token *token = &p->token;
    size_t i;

    if (token->kind != DRILL_TOKEN_WORD && !sw_drill_parse_is_number(p))
        return true;
    if (token->length % 2)
        return sw_drill_parse_fail(p, token, "%s has an odd number of digits", what);
    if (token->length / 2 > most)
        return sw_drill_parse_fail(p, token, "%s is longer than %zu bytes", what, most);
    for (i = 0; i < token->length; i += 2) {
        int high = nibble(token->text[i]), low = nibble(token->text[i + 1]);

        if (high < 0 || low < 0)
            return sw_drill_parse_fail(p, token, "%s is not hexadecimal", what);
        option->data[i / 2] = (uint8_t)(high << 4 | low);
    }
    option->data_length = (uint8_t)(token->length / 2);
    option->length = (uint8_t)(option->length + option->data_length);
    sw_drill_parse_advance(p);
    return true;
}

/* ---- the options ---------------------------------------------------------------------------------- */

static bool parse_sack(struct drill_parser *p, struct drill_tcp_option *option)
{
    set_kind(option, KIND_SACK, 0);
    do {
        int64_t left, right;

        if (option->sack_count == 4)
            return sw_drill_parse_fail(p, &p->token, "more than four SACK blocks");
        if (!sw_drill_parse_number(p, "a SACK block's left edge", 0, UINT32_MAX, &left) ||
            !sw_drill_parse_need_sign(p, ':', "between a SACK block's edges") ||
            !sw_drill_parse_number(p, "a SACK block's right edge", 0, UINT32_MAX, &right))
            return false;
        option->sack[option->sack_count][0] = (uint32_t)left;
        option->sack[option->sack_count++][1] = (uint32_t)right;
    } while (sw_drill_parse_is_number(p));
    option->length = (uint8_t)(option->length + 8 * option->sack_count);
    return true;
}

static bool parse_timestamp(struct drill_parser *p, struct drill_tcp_option *option)
{
    int64_t val = 0, ecr;

    set_kind(option, KIND_TIMESTAMP, 0);
    option->length = 10;
    if (!sw_drill_parse_take_word(p, "val"))
        return sw_drill_parse_expected(p, "val after TS");
    option->any_val = p->token.kind == DRILL_TOKEN_ELLIPSIS;
    if (option->any_val)
        sw_drill_parse_advance(p);
    else if (!sw_drill_parse_number(p, "val", 0, UINT32_MAX, &val))
        return false;
    if (!sw_drill_parse_take_word(p, "ecr"))
        return sw_drill_parse_expected(p, "ecr after TS val");
    if (!sw_drill_parse_number(p, "ecr", 0, UINT32_MAX, &ecr))
        return false;
    option->absolute_ecr = sw_drill_parse_take_sign(p, '!');
    option->val = (uint32_t)val;
    option->ecr = (uint32_t)ecr;
    return true;
}

/** Which of the names of AccECN's counters is here: 0, 1 or 2 as ECT(0), CE, ECT(1); or -1. */
static int counter(const struct drill_parser *p)
{
    static const char *const names[] = {"e0b", "ceb", "e1b", "ee0b", "eceb", "ee1b"};

    for (int i = 0; i < 6; i++) {
        if (sw_drill_parse_is_word(p, names[i]))
            return i % 3;
    }
    return -1;
}

/** AccECN's counters, 24 bits each, in the order of the kind; the last ones may be left out. */
static bool parse_counters(struct drill_parser *p, struct drill_tcp_option *option, int first)
{
    static const char *const names[] = {"ee0b", "eceb", "ee1b"};
    int which = first;

    for (int i = 0; i < 3 && counter(p) >= 0; i++) {
        int64_t number;

        if (counter(p) != which)
            return sw_drill_parse_fail(p, &p->token, "AccECN: %s comes next in this option",
                                       names[which]);
        sw_drill_parse_advance(p);
        if (!sw_drill_parse_number(p, names[which], 0, 0xffffff, &number))
            return false;
        option->data[option->data_length++] = (uint8_t)(number >> 16);
        option->data[option->data_length++] = (uint8_t)(number >> 8);
        option->data[option->data_length++] = (uint8_t)number;
        which += first ? -1 : 1;
    }
    option->length = (uint8_t)(option->length + option->data_length);
    return true;
}

/** exp-FO, exp-AccECN0, exp-AccECN1, exp-tarr: after the `exp`. */
static bool parse_experiment(struct drill_parser *p, struct drill_tcp_option *option)
{
    if (!sw_drill_parse_need_sign(p, '-', "and an experiment after exp"))
        return false;
    if (sw_drill_parse_take_word(p, "FO")) {
        set_kind(option, KIND_EXPERIMENT, EXID_FAST_OPEN);
        return parse_bytes(p, "the cookie", 36, option);
    }
    if (sw_drill_parse_take_word(p, "AccECN0")) {
        set_kind(option, KIND_EXPERIMENT, EXID_ACCECN0);
        return parse_counters(p, option, 0);
    }
    if (sw_drill_parse_take_word(p, "AccECN1")) {
        set_kind(option, KIND_EXPERIMENT, EXID_ACCECN1);
        return parse_counters(p, option, 2);
    }
    if (sw_drill_parse_take_word(p, "tarr") || sw_drill_parse_take_word(p, "TARR")) {
        int64_t rate;

        set_kind(option, KIND_EXPERIMENT, EXID_TARR);
        if (!sw_drill_parse_is_number(p))
            return true;
        if (!sw_drill_parse_number(p, "exp-tarr", 0, 2047, &rate))
            return false;
        option->data[0] = (uint8_t)(rate >> 3); /* the upper eleven of sixteen bits */
        option->data[1] = (uint8_t)(rate << 5);
        option->data_length = 2;
        option->length = 6;
        return true;
    }
    return sw_drill_parse_expected(p, "FO, AccECN0, AccECN1 or tarr after exp-");
}

/** kind:bytes or kind/length:bytes. */
static bool parse_any_kind(struct drill_parser *p, struct drill_tcp_option *option)
{
    int64_t kind, length = -1;

    if (!sw_drill_parse_number(p, "an option's kind", 0, 255, &kind))
        return false;
    set_kind(option, (uint8_t)kind, 0);
    option->as_bytes = true;
    if (sw_drill_parse_take_sign(p, '/') &&
        !sw_drill_parse_number(p, "an option's length", 0, 255, &length))
        return false;
    if (!sw_drill_parse_need_sign(p, ':', "after the option's kind") ||
        !parse_bytes(p, "the option", 38, option))
        return false;
    if (length >= 0)
        option->length = (uint8_t)length;
    return true;
}

static bool parse_small_number(struct drill_parser *p, const char *what, uint8_t kind,
                               struct drill_tcp_option *option)
{
    int64_t number;
    bool is_mss = kind == KIND_MSS;

    set_kind(option, kind, 0);
    option->length = is_mss ? 4 : 3;
    if (!sw_drill_parse_number(p, what, 0, is_mss ? 65535 : 255, &number))
        return false;
    option->val = (uint32_t)number;
    return true;
}

/** Options of Multipath TCP, which forks of packetdrill know. */
static bool is_multipath(const struct drill_parser *p)
{
    static const char *const names[] = {
        "mp_capable", "mp_join_syn",  "mp_join_syn_ack", "mp_join_ack", "dss",     "dss4",
        "dss8",       "add_address",  "add_addr",        "remove_addr", "mp_prio", "remove_address",
        "mp_fail",    "mp_fastclose", "mp_reset",        "mp_join",     "mptcp",
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (sw_drill_parse_is_word(p, names[i]))
            return true;
    }
    return false;
}

/** Options of Fast Open, MD5 and AccECN. */
static bool parse_rare(struct drill_parser *p, struct drill_tcp_option *option)
{
    if (sw_drill_parse_take_word(p, "md5")) {
        set_kind(option, KIND_MD5, 0);
        return parse_bytes(p, "the digest", 16, option);
    }
    if (sw_drill_parse_take_word(p, "FO")) {
        set_kind(option, KIND_FAST_OPEN, 0);
        return parse_bytes(p, "the cookie", 38, option);
    }
    if (sw_drill_parse_take_word(p, "FOEXP")) {
        set_kind(option, KIND_EXPERIMENT, EXID_FAST_OPEN);
        return parse_bytes(p, "the cookie", 36, option);
    }
    if (sw_drill_parse_take_word(p, "AccECN0")) {
        set_kind(option, KIND_ACCECN0, 0);
        return parse_counters(p, option, 0);
    }
    if (sw_drill_parse_take_word(p, "AccECN1")) {
        set_kind(option, KIND_ACCECN1, 0);
        return parse_counters(p, option, 2);
    }
    if (sw_drill_parse_take_word(p, "ECN")) {
        set_kind(option, counter(p) == 2 ? KIND_ACCECN1 : KIND_ACCECN0, 0);
        return parse_counters(p, option, counter(p) == 2 ? 2 : 0);
    }
    if (sw_drill_parse_take_word(p, "exp"))
        return parse_experiment(p, option);
    if (is_multipath(p))
        return sw_drill_parse_unsupported(p, &p->token, "Multipath TCP");
    return sw_drill_parse_expected(p, "a TCP option (mss, wscale, sackOK, sack, TS, nop ...)");
}

static bool parse_option(struct drill_parser *p, struct drill_tcp_option *option)
{
    if (sw_drill_parse_is_number(p))
        return parse_any_kind(p, option);
    if (sw_drill_parse_is_word(p, "nop") || sw_drill_parse_is_word(p, "eol")) {
        set_kind(option, sw_drill_parse_is_word(p, "nop") ? KIND_NOP : KIND_EOL, 0);
        option->length = 1;
        sw_drill_parse_advance(p);
        return true;
    }
    if (sw_drill_parse_take_word(p, "mss"))
        return parse_small_number(p, "mss", KIND_MSS, option);
    if (sw_drill_parse_take_word(p, "wscale"))
        return parse_small_number(p, "wscale", KIND_WSCALE, option);
    if (sw_drill_parse_take_word(p, "sackOK")) {
        set_kind(option, KIND_SACK_OK, 0);
        return true;
    }
    if (sw_drill_parse_take_word(p, "sack"))
        return parse_sack(p, option);
    if (sw_drill_parse_take_word(p, "TS"))
        return parse_timestamp(p, option);
    return parse_rare(p, option);
}

bool sw_drill_parse_tcp_options(struct drill_parser *p, struct drill_packet *packet)
{
    struct drill_token at = p->token;
    unsigned length = 0;

    sw_drill_parse_advance(p);
    if (p->token.kind == DRILL_TOKEN_ELLIPSIS) {
        packet->any_options = true;
        sw_drill_parse_advance(p);
        if (packet->direction != DRILL_OUTBOUND)
            return sw_drill_parse_fail(p, &at, "<...> is for outbound packets only");
        return sw_drill_parse_need_sign(p, '>', "after the TCP options");
    }
    do {
        struct drill_tcp_option option = {0};

        if (!parse_option(p, &option))
            return false;
        length += option.as_bytes ? 2 + option.data_length : option.length;
        if (length > OPTIONS_LENGTH_MAX)
            return sw_drill_parse_fail(p, &at, "the TCP options take more than 40 bytes");
        packet->options =
            sw_drill_memory_grow(p->memory, packet->options, packet->option_count, sizeof(option));
        packet->options[packet->option_count++] = option;
    } while (sw_drill_parse_take_sign(p, ','));
    if (!sw_drill_parse_need_sign(p, '>', "or ',' after a TCP option"))
        return false;
    if (length % 4)
        return sw_drill_parse_fail(
            p, &at, "the TCP options take %u bytes: add nop up to a multiple of 4", length);
    return true;
}
