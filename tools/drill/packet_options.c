/*
 * packet_options.c - TCP options: RFC 9293 3.2, RFC 7323 (wscale, TS), RFC 2018 (SACK), RFC 7413 (Fast
 * Open), RFC 6994 (experiments), RFC 2385 (MD5), RFC 9768 (accurate ECN).
 *
 * Writing follows the script to the letter, wrong lengths included, so that a script can send what
 * no honest peer would.
 */
#include "packet_options.h"

#include <string.h>

/* ---- script to bytes ---------------------------------------------------------------------------- */

static size_t put_timestamps(const struct drill_tcp_option *option,
                             const struct drill_option_mapping *mapping, uint8_t *out)
{
    drill_put32(out, mapping->set_val ? mapping->val : option->val);
    drill_put32(out + 4, mapping->set_ecr ? mapping->ecr : option->ecr);
    return 8;
}

static size_t put_sack(const struct drill_tcp_option *option,
                       const struct drill_option_mapping *mapping, uint8_t *out)
{
    size_t count = option->sack_count <= 4 ? option->sack_count : 4;

    for (size_t i = 0; i < count; i++) {
        drill_put32(out + 8 * i, option->sack[i][0] + mapping->sack_offset);
        drill_put32(out + 8 * i + 4, option->sack[i][1] + mapping->sack_offset);
    }
    return 8 * count;
}

static size_t put_data(const struct drill_tcp_option *option,
                       const struct drill_option_mapping *mapping, uint8_t *out)
{
    const struct drill_cookie *cookie = mapping->cookie;
    size_t length =
        option->data_length <= sizeof(option->data) ? option->data_length : sizeof(option->data);
    const uint8_t *data = option->data;
    size_t at = 0;
    bool is_cookie =
        option->kind == DRILL_OPTION_FO || (option->experimental && option->exid == DRILL_EXID_FO);

    if (option->experimental) {
        drill_put16(out, option->exid);
        at = 2;
    }
    if (is_cookie && !option->as_bytes && cookie && cookie->known && length == cookie->length &&
        memcmp(data, cookie->script, length) == 0)
        data = cookie->live;
    if (length > 0)
        memcpy(out + at, data, length);
    return at + length;
}

/* What follows the length byte; @out has room for the longest, 42 bytes. */
static size_t put_body(const struct drill_tcp_option *option,
                       const struct drill_option_mapping *mapping, uint8_t *out)
{
    if (option->as_bytes || option->experimental)
        return put_data(option, mapping, out);
    switch (option->kind) {
    case DRILL_OPTION_MSS:
        drill_put16(out, option->val);
        return 2;
    case DRILL_OPTION_WSCALE:
        out[0] = (uint8_t)option->val;
        return 1;
    case DRILL_OPTION_SACK_OK:
        return 0;
    case DRILL_OPTION_SACK:
        return put_sack(option, mapping, out);
    case DRILL_OPTION_TS:
        return put_timestamps(option, mapping, out);
    default:
        return put_data(option, mapping, out);
    }
}

bool sw_drill_option_is_single(const struct drill_tcp_option *option)
{
    return (option->kind == DRILL_OPTION_EOL || option->kind == DRILL_OPTION_NOP) &&
           !option->as_bytes;
}

int sw_drill_options_write(const struct drill_packet *packet,
                           const struct drill_option_mapping *mapping,
                           uint8_t out[DRILL_OPTIONS_MAX])
{
    size_t used = 0;

    memset(out, 0, DRILL_OPTIONS_MAX);
    for (size_t i = 0; i < packet->option_count; i++) {
        const struct drill_tcp_option *option = &packet->options[i];
        uint8_t whole[48];
        size_t length = 1;

        whole[0] = option->kind;
        if (!sw_drill_option_is_single(option)) {
            length = 2 + put_body(option, mapping, whole + 2);
            whole[1] = option->as_bytes ? option->length : (uint8_t)length;
        }
        if (used + length > DRILL_OPTIONS_MAX)
            return -1;
        memcpy(out + used, whole, length);
        used += length;
    }
    return (int)((used + 3) / 4 * 4);
}

const struct drill_tcp_option *sw_drill_options_script(const struct drill_packet *packet,
                                                       uint8_t kind)
{
    for (size_t i = 0; i < packet->option_count; i++)
        if (packet->options[i].kind == kind && !packet->options[i].as_bytes)
            return &packet->options[i];
    return NULL;
}

/* ---- bytes to words ----------------------------------------------------------------------------- */

/* The length of the option at @bytes, 0 if it is cut or says less than 2. */
static size_t option_length(const uint8_t *bytes, size_t left)
{
    if (left == 0)
        return 0;
    if (bytes[0] == DRILL_OPTION_EOL || bytes[0] == DRILL_OPTION_NOP)
        return 1;
    if (left < 2 || bytes[1] < 2 || bytes[1] > left)
        return 0;
    return bytes[1];
}

const uint8_t *sw_drill_options_find(const uint8_t *bytes, size_t length, uint8_t kind)
{
    size_t step;

    for (size_t at = 0; (step = option_length(bytes + at, length - at)) > 0; at += step)
        if (bytes[at] == kind && step >= 2)
            return bytes + at;
    return NULL;
}

static void format_sack(struct drill_text *text, const uint8_t *bytes, size_t length,
                        uint32_t offset)
{
    sw_drill_text_add(text, "sack");
    for (size_t at = 2; at + 8 <= length; at += 8)
        sw_drill_text_add(text, " %u:%u", drill_get32(bytes + at) - offset,
                          drill_get32(bytes + at + 4) - offset);
}

static void format_data(struct drill_text *text, const char *name, const uint8_t *data,
                        size_t length)
{
    sw_drill_text_add(text, length > 0 ? "%s " : "%s", name);
    sw_drill_text_hex(text, data, length);
}

/* kind:bytes, or kind/length:bytes where the length byte is not true. */
static void format_any_kind(struct drill_text *text, const uint8_t *bytes, size_t length)
{
    sw_drill_text_add(text, "0x%02x", bytes[0]);
    if (bytes[1] != length)
        sw_drill_text_add(text, "/%u", bytes[1]);
    sw_drill_text_add(text, ":");
    sw_drill_text_hex(text, bytes + 2, length - 2);
}

static uint32_t get24(const uint8_t *p)
{
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

/* RFC 9768 3.2.3: up to three counters of 24 bits; their order is the kind. */
static void format_counters(struct drill_text *text, const uint8_t *bytes, size_t length,
                            bool second)
{
    static const char *const names[2][3] = {{"ee0b", "eceb", "ee1b"}, {"ee1b", "eceb", "ee0b"}};

    sw_drill_text_add(text, "AccECN%d", second);
    for (size_t i = 0; i < 3 && 3 * i < length; i++)
        sw_drill_text_add(text, " %s %u", names[second][i], get24(bytes + 3 * i));
}

/* RFC 6994: the number behind the length says what it is. */
static void format_experiment(struct drill_text *text, const uint8_t *bytes, size_t length)
{
    uint16_t exid = drill_get16(bytes + 2);

    if (exid == DRILL_EXID_FO)
        format_data(text, "FOEXP", bytes + 4, length - 4);
    else if ((exid == DRILL_EXID_ACCECN0 || exid == DRILL_EXID_ACCECN1) && length % 3 == 1 &&
             length <= 13) {
        sw_drill_text_add(text, "exp-");
        format_counters(text, bytes + 4, length - 4, exid == DRILL_EXID_ACCECN1);
    } else if (exid == DRILL_EXID_TARR && length == 4)
        sw_drill_text_add(text, "exp-tarr");
    else if (exid == DRILL_EXID_TARR && length == 6)
        sw_drill_text_add(text, "exp-tarr %u", drill_get16(bytes + 4) >> 5);
    else
        format_any_kind(text, bytes, length);
}

/* One whole option; lengths that the kind does not have fall through to its bytes. */
static void format_option(struct drill_text *text, const uint8_t *bytes, size_t length,
                          const struct drill_option_mapping *mapping)
{
    uint8_t kind = bytes[0];

    if (kind == DRILL_OPTION_EOL || kind == DRILL_OPTION_NOP)
        sw_drill_text_add(text, kind == DRILL_OPTION_EOL ? "eol" : "nop");
    else if (kind == DRILL_OPTION_MSS && length == 4)
        sw_drill_text_add(text, "mss %u", drill_get16(bytes + 2));
    else if (kind == DRILL_OPTION_WSCALE && length == 3)
        sw_drill_text_add(text, "wscale %u", bytes[2]);
    else if (kind == DRILL_OPTION_SACK_OK && length == 2)
        sw_drill_text_add(text, "sackOK");
    else if (kind == DRILL_OPTION_SACK && length >= 10 && length % 8 == 2)
        format_sack(text, bytes, length, mapping->sack_offset);
    else if (kind == DRILL_OPTION_TS && length == 10)
        sw_drill_text_add(text, "TS val %u ecr %u",
                          mapping->set_val ? mapping->val : drill_get32(bytes + 2),
                          mapping->set_ecr ? mapping->ecr : drill_get32(bytes + 6));
    else if (kind == DRILL_OPTION_MD5)
        format_data(text, "md5", bytes + 2, length - 2);
    else if (kind == DRILL_OPTION_FO)
        format_data(text, "FO", bytes + 2, length - 2);
    else if ((kind == DRILL_OPTION_ACCECN0 || kind == DRILL_OPTION_ACCECN1) && length % 3 == 2 &&
             length <= 11)
        format_counters(text, bytes + 2, length - 2, kind == DRILL_OPTION_ACCECN1);
    else if (kind == DRILL_OPTION_EXP2 && length >= 4)
        format_experiment(text, bytes, length);
    else
        format_any_kind(text, bytes, length);
}

void sw_drill_options_format(struct drill_text *text, const uint8_t *bytes, size_t length,
                             const struct drill_option_mapping *mapping)
{
    size_t step;

    for (size_t at = 0; at < length; at += step) {
        if (at > 0)
            sw_drill_text_add(text, ",");
        step = option_length(bytes + at, length - at);
        if (step == 0) { /* no option: all that is left, as one with a false length */
            if (length - at >= 2)
                format_any_kind(text, bytes + at, length - at);
            else
                sw_drill_text_add(text, "0x%02x", bytes[at]);
            return;
        }
        format_option(text, bytes + at, step, mapping);
    }
}
