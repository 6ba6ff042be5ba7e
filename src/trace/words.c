/*
 * words.c - Flags, options, endpoints and times as text.
 *
 * Options are walked where they lie, not decoded first: a trace shows the order, the padding and
 * what it does not know (RFC 9293 3.1; kinds from RFC 7323 and RFC 2018).
 */
#include "trace/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "wire/tcp_options.h"

size_t sw_trace_append(char *out, size_t size, size_t used, const char *format, ...)
{
    va_list arguments;

    if (used + 1 >= size) {
        return used;
    }
    va_start(arguments, format);
    int n = vsnprintf(out + used, size - used, format, arguments);
    va_end(arguments);
    if (n < 0) {
        return used;
    }
    return used + (size_t)n < size ? used + (size_t)n : size - 1;
}

const char *sw_trace_phase_name(unsigned phase)
{
    static const char *const names[SANWO_TRACE_PHASES] = {"handshake", "data", "close", "reset"};
    return phase < SANWO_TRACE_PHASES ? names[phase] : "?";
}

const char *sanwo_trace_format_name(unsigned format)
{
    static const char *const names[SANWO_TRACE_FORMATS] = {"ladder", "tcpdump", "classic", "json",
                                                           "svg"};
    return format < SANWO_TRACE_FORMATS ? names[format] : "?";
}

size_t sw_trace_flag_words(uint8_t flags, char *out, size_t size)
{
    static const struct {
        uint8_t flag;
        const char *word;
    } words[] = {{TCP_SYN, "SYN"}, {TCP_FIN, "FIN"}, {TCP_RST, "RST"}, {TCP_PSH, "PSH"},
                 {TCP_URG, "URG"}, {TCP_ECE, "ECE"}, {TCP_CWR, "CWR"}, {TCP_ACK, "ACK"}};
    size_t n = sw_trace_append(out, size, 0, "%s", "");

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (flags & words[i].flag) {
            n = sw_trace_append(out, size, n, "%s%s", n == 0 ? "" : " ", words[i].word);
        }
    }
    return n == 0 ? sw_trace_append(out, size, 0, "no flags") : n;
}

size_t sw_trace_flag_letters(uint8_t flags, char *out, size_t size)
{
    static const struct {
        uint8_t flag;
        char letter;
    } letters[] = {{TCP_FIN, 'F'}, {TCP_SYN, 'S'}, {TCP_RST, 'R'}, {TCP_PSH, 'P'},
                   {TCP_ACK, '.'}, {TCP_URG, 'U'}, {TCP_ECE, 'E'}, {TCP_CWR, 'W'}};
    size_t n = sw_trace_append(out, size, 0, "%s", "");

    for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
        if (flags & letters[i].flag) {
            n = sw_trace_append(out, size, n, "%c", letters[i].letter);
        }
    }
    return n == 0 ? sw_trace_append(out, size, 0, "none") : n;
}

/* ---- options -------------------------------------------------------------------------------- */

static uint32_t big_endian(const uint8_t *bytes, size_t length)
{
    uint32_t value = 0;
    for (size_t i = 0; i < length; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

/* Length of the option at @bytes, or 0 if it does not fit in @left. */
static size_t option_length(const uint8_t *bytes, size_t left)
{
    if (bytes[0] == TCP_OPTION_EOL || bytes[0] == TCP_OPTION_NOP) {
        return 1;
    }
    return left >= 2 && bytes[1] >= 2 && bytes[1] <= left ? bytes[1] : 0;
}

static size_t append_sack(const uint8_t *bytes, size_t length, uint32_t base, char *out,
                          size_t size, size_t n)
{
    n = sw_trace_append(out, size, n, "sack %zu ", (length - 2) / 8);
    for (size_t i = 2; i + 8 <= length; i += 8) {
        n = sw_trace_append(out, size, n, "{%u:%u}", big_endian(bytes + i, 4) - base,
                            big_endian(bytes + i + 4, 4) - base);
    }
    return n;
}

static size_t append_option(const uint8_t *bytes, size_t length, enum trace_dialect dialect,
                            uint32_t base, char *out, size_t size, size_t n)
{
    switch (bytes[0]) {
    case TCP_OPTION_EOL:
        return sw_trace_append(out, size, n, "eol");
    case TCP_OPTION_NOP:
        return sw_trace_append(out, size, n, "nop");
    case TCP_OPTION_SACK_PERMITTED:
        return sw_trace_append(out, size, n, "sackOK");
    case TCP_OPTION_SACK:
        return append_sack(bytes, length, base, out, size, n);
    default:
        break;
    }
    if (bytes[0] == TCP_OPTION_MSS && length == 4) {
        return sw_trace_append(out, size, n, "mss %u", big_endian(bytes + 2, 2));
    }
    if (bytes[0] == TCP_OPTION_WINDOW_SCALE && length == 3) {
        return sw_trace_append(out, size, n, "wscale %u", bytes[2]);
    }
    if (bytes[0] == TCP_OPTION_TIMESTAMPS && length == 10) {
        return sw_trace_append(out, size, n,
                               dialect == TRACE_CLASSIC ? "timestamp %u %u" : "TS val %u ecr %u",
                               big_endian(bytes + 2, 4), big_endian(bytes + 6, 4));
    }
    return sw_trace_append(out, size, n, "unknown-%u", bytes[0]);
}

size_t sw_trace_options(const uint8_t *bytes, size_t length, enum trace_dialect dialect,
                        uint32_t base, char *out, size_t size)
{
    size_t n = sw_trace_append(out, size, 0, "%s", "");

    for (size_t i = 0, step; i < length; i += step) {
        n = sw_trace_append(out, size, n, "%s", i == 0 ? "" : ",");
        step = option_length(bytes + i, length - i);
        if (step == 0) {
            return sw_trace_append(out, size, n, "malformed");
        }
        n = append_option(bytes + i, step, dialect, base, out, size, n);
        if (bytes[i] == TCP_OPTION_EOL) {
            break;
        }
    }
    return n;
}

size_t sw_trace_offer(const uint8_t *bytes, size_t length, char *out, size_t size)
{
    size_t n = sw_trace_append(out, size, 0, "%s", "");

    for (size_t i = 0, step; i < length; i += step) {
        const char *comma = n == 0 ? "" : ", ";
        step = option_length(bytes + i, length - i);
        if (step == 0) {
            break;
        }
        if (bytes[i] == TCP_OPTION_MSS && step == 4) {
            n = sw_trace_append(out, size, n, "%smss %u", comma, big_endian(bytes + i + 2, 2));
        } else if (bytes[i] == TCP_OPTION_WINDOW_SCALE && step == 3) {
            n = sw_trace_append(out, size, n, "%sscale %u", comma, bytes[i + 2]);
        } else if (bytes[i] == TCP_OPTION_SACK_PERMITTED) {
            n = sw_trace_append(out, size, n, "%sSACK", comma);
        } else if (bytes[i] == TCP_OPTION_TIMESTAMPS) {
            n = sw_trace_append(out, size, n, "%stimestamps", comma);
        }
    }
    return n;
}

/* ---- endpoints and times -------------------------------------------------------------------- */

size_t sw_trace_endpoint(const struct sanwo_endpoint *e, char *out, size_t size)
{
    char address[SANWO_ADDRESS_TEXT];

    if (e->address.family == SANWO_FAMILY_NONE) { /* a listener at all our addresses */
        return sw_trace_append(out, size, 0, "*.%u", e->port);
    }
    return sw_trace_append(out, size, 0, "%s.%u",
                           sanwo_address_format(&e->address, address, sizeof(address)), e->port);
}

size_t sw_trace_time(sanwo_time time, char *out, size_t size)
{
    const char *sign = time < 0 ? "-" : "";
    uint64_t micro = (uint64_t)(time < 0 ? -time : time) / 1000;
    return sw_trace_append(out, size, 0, "%s%llu.%06u", sign, (unsigned long long)(micro / 1000000),
                           (unsigned)(micro % 1000000));
}

/* @whole units and their thousandths, without zeros at the end. */
static size_t append_decimal(uint64_t thousandths, const char *unit, char *out, size_t size)
{
    size_t n = sw_trace_append(out, size, 0, "%llu", (unsigned long long)(thousandths / 1000));

    if (thousandths % 1000 != 0) {
        n = sw_trace_append(out, size, n, ".%03u", (unsigned)(thousandths % 1000));
        while (n > 0 && out[n - 1] == '0') {
            n--;
        }
    }
    return sw_trace_append(out, size, n, " %s", unit);
}

size_t sw_trace_span(sanwo_time span, char *out, size_t size)
{
    if (span >= SANWO_SEC(1)) {
        return append_decimal((uint64_t)span / 1000000, "s", out, size);
    }
    return append_decimal((uint64_t)(span < 0 ? 0 : span) / 1000, "ms", out, size);
}

/* ---- fitting -------------------------------------------------------------------------------- */

size_t sw_trace_columns(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

/* Bytes of the first @most columns. */
static size_t bytes_of(const char *text, size_t most)
{
    size_t n = 0;

    while (text[n] != '\0' && (most > 0 || ((unsigned char)text[n] & 0xc0) == 0x80)) {
        most -= ((unsigned char)text[n] & 0xc0) != 0x80;
        n++;
    }
    return n;
}

size_t sw_trace_break(const char *text, size_t most)
{
    const char *colon = strstr(text, ": ");
    size_t all = bytes_of(text, most), n = all;

    if (text[n] == '\0') {
        return n;
    }
    if (colon != NULL && (size_t)(colon - text) < n && sw_trace_columns(colon + 2) <= most) {
        return (size_t)(colon - text) + 1;
    }
    while (n > 0 && text[n] != ' ') {
        n--;
    }
    return n > 0 ? n : all;
}

void sw_trace_shorten(char *text, size_t most)
{
    size_t all, n;

    if (sw_trace_columns(text) <= most) {
        return;
    }
    all = n = bytes_of(text, most - 3);
    while (n > 0 && text[n] != ' ' && text[n] != ',') {
        n--;
    }
    n = n > 0 ? n : all;
    while (n > 0 && (text[n - 1] == ' ' || text[n - 1] == ',')) {
        n--;
    }
    memcpy(text + n, "...", 4);
}

/* ---- remarks -------------------------------------------------------------------------------- */

size_t sw_trace_remark(const struct sanwo_trace_row *row, char *out, size_t size)
{
    size_t n = sw_trace_append(out, size, 0, "%s", "");

    if (row->kind == SANWO_TRACE_CHANGE) {
        return sw_trace_append(out, size, n, "%s", sanwo_reason_text(row->reason));
    }
    if (row->note[0] != '\0') {
        n = sw_trace_append(out, size, n, "%s", row->note);
    } else if (row->flags & TCP_SYN) {
        n = sw_trace_offer(row->options, row->options_length, out, size);
    }
    if (row->retransmission && !row->duplicate) {
        n = sw_trace_append(out, size, n, "%sretransmission", n == 0 ? "" : ", ");
    }
    if (row->duplicate) {
        n = sw_trace_append(out, size, n, "%scopy", n == 0 ? "" : ", ");
    }
    if (row->out_of_order) {
        n = sw_trace_append(out, size, n, "%sovertaken", n == 0 ? "" : ", ");
    }
    return n;
}
