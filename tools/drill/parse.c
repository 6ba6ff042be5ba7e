/*
 * parse.c - A script: options, shell lines, and events with their times.
 *
 *     script  options, shell lines, events, shell lines
 *     event   time action
 *     time    0.1   +0.1   *   1~2   +1~+2   and before a call: start...end
 *     action  packet, call, `shell`, %{ code }%
 */
#include "parse.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHELL_LINES_MAX 64
#define SECONDS_MAX 1000000000 /* thirty years */

/* ---- tokens ------------------------------------------------------------------------------------- */

void sw_drill_parse_advance(struct drill_parser *p)
{
    sw_drill_lexer_next(&p->lexer, &p->token);
}

bool sw_drill_parse_is_sign(const struct drill_parser *p, char sign)
{
    return p->token.kind == DRILL_TOKEN_SIGN && p->token.sign == sign;
}

bool sw_drill_parse_is_word(const struct drill_parser *p, const char *word)
{
    return p->token.kind == DRILL_TOKEN_WORD && p->token.length == strlen(word) &&
           !memcmp(p->token.text, word, p->token.length);
}

bool sw_drill_parse_take_sign(struct drill_parser *p, char sign)
{
    bool there = sw_drill_parse_is_sign(p, sign);

    if (there)
        sw_drill_parse_advance(p);
    return there;
}

bool sw_drill_parse_take_word(struct drill_parser *p, const char *word)
{
    bool there = sw_drill_parse_is_word(p, word);

    if (there)
        sw_drill_parse_advance(p);
    return there;
}

bool sw_drill_parse_need_sign(struct drill_parser *p, char sign, const char *where)
{
    char what[80];

    if (sw_drill_parse_take_sign(p, sign))
        return true;
    snprintf(what, sizeof(what), "'%c' %s", sign, where);
    return sw_drill_parse_expected(p, what);
}

bool sw_drill_parse_is_number(const struct drill_parser *p)
{
    return p->token.kind == DRILL_TOKEN_INTEGER || p->token.kind == DRILL_TOKEN_HEX;
}

/** The value of a number's digits; false if no int64_t holds it (of hexadecimal ones, no uint64_t). */
static bool to_number(const struct drill_token *token, int64_t *out)
{
    bool hexadecimal = token->kind == DRILL_TOKEN_HEX, minus = *token->text == '-';
    uint64_t base = hexadecimal ? 16 : 10, value = 0;
    uint64_t limit = hexadecimal ? UINT64_MAX : (uint64_t)INT64_MAX;

    for (size_t i = hexadecimal ? 2 : minus; i < token->length; i++) {
        char c = token->text[i];
        uint64_t digit = (uint64_t)(isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10);

        if (value > (limit - digit) / base)
            return false;
        value = value * base + digit;
    }
    *out = minus ? -(int64_t)value : (int64_t)value;
    return true;
}

bool sw_drill_parse_number(struct drill_parser *p, const char *what, int64_t low, int64_t high,
                           int64_t *out)
{
    char expected[80];

    if (!sw_drill_parse_is_number(p)) {
        snprintf(expected, sizeof(expected), "a number (%s)", what);
        return sw_drill_parse_expected(p, expected);
    }
    if (!to_number(&p->token, out) || *out < low || *out > high) {
        if (low == INT64_MIN)
            return sw_drill_parse_fail(p, &p->token, "the number is too large");
        return sw_drill_parse_fail(p, &p->token, "%s must be within %lld and %lld", what,
                                   (long long)low, (long long)high);
    }
    sw_drill_parse_advance(p);
    return true;
}

char *sw_drill_parse_copy(struct drill_parser *p, const struct drill_token *token)
{
    return sw_drill_memory_copy(p->memory, token->text, token->length);
}

/* ---- failing ------------------------------------------------------------------------------------ */

static void write_message(struct drill_parser *p, const struct drill_token *at, const char *prefix,
                          const char *format, va_list arguments)
{
    const struct drill_place *place = &at->place;
    char what[512];

    if (*p->message)
        return;
    vsnprintf(what, sizeof(what), format, arguments);
    if (place->included)
        snprintf(p->message, p->message_size, "%s%s:%u: %s (included at %s:%u)", prefix,
                 place->included, place->line, what, p->script->path, place->script_line);
    else
        snprintf(p->message, p->message_size, "%s%s:%u: %s", prefix, p->script->path, place->line,
                 what);
    for (char *c = p->message; *c; c++) { /* what the script's text brought in */
        if (iscntrl((unsigned char)*c))
            *c = ' ';
    }
}

bool sw_drill_parse_fail(struct drill_parser *p, const struct drill_token *at, const char *format,
                         ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_message(p, at, "", format, arguments);
    va_end(arguments);
    return false;
}

bool sw_drill_parse_unsupported(struct drill_parser *p, const struct drill_token *at,
                                const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_message(p, at, "unsupported: ", format, arguments);
    va_end(arguments);
    return false;
}

/** What stands at the token, in words. */
static void describe(const struct drill_token *token, char *out, size_t size)
{
    static const char *const names[] = {
        [DRILL_TOKEN_END] = "the script's end", [DRILL_TOKEN_STRING] = "a string",
        [DRILL_TOKEN_SHELL] = "a shell line",   [DRILL_TOKEN_CODE] = "code",
        [DRILL_TOKEN_ELLIPSIS] = "...",
    };
    int length = (int)(token->length > 40 ? 40 : token->length);

    if (token->kind == DRILL_TOKEN_OPTION)
        snprintf(out, size, "--%.*s", length, token->text);
    else if (token->kind == DRILL_TOKEN_SIGN && !isprint((unsigned char)token->sign))
        snprintf(out, size, "a character 0x%02x", (unsigned char)token->sign);
    else if (token->kind < sizeof(names) / sizeof(names[0]) && names[token->kind])
        snprintf(out, size, "%s", names[token->kind]);
    else
        snprintf(out, size, "'%.*s'", length, token->text);
}

bool sw_drill_parse_expected(struct drill_parser *p, const char *what)
{
    char found[64];

    if (p->token.kind == DRILL_TOKEN_BAD)
        return sw_drill_parse_fail(p, &p->token, "%s", p->lexer.error);
    describe(&p->token, found, sizeof(found));
    return sw_drill_parse_fail(p, &p->token, "expected %s, found %s", what, found);
}

/* ---- times ---------------------------------------------------------------------------------------- */

/** Seconds and their fraction, exactly, in nanoseconds; what is finer is cut off. */
static bool parse_seconds(struct drill_parser *p, sanwo_time *out)
{
    const struct drill_token *token = &p->token;
    sanwo_time seconds = 0, nanoseconds = 0, unit = 100000000;
    size_t i = 0;

    if (token->kind != DRILL_TOKEN_INTEGER && token->kind != DRILL_TOKEN_FLOAT)
        return sw_drill_parse_expected(p, "a number of seconds");
    if (*token->text == '-')
        return sw_drill_parse_fail(p, token, "a time is not negative");
    for (; i < token->length && token->text[i] != '.'; i++) {
        seconds = seconds * 10 + (token->text[i] - '0');
        if (seconds > SECONDS_MAX)
            return sw_drill_parse_fail(p, token, "the time is too large");
    }
    for (i++; i < token->length; i++) {
        nanoseconds += (token->text[i] - '0') * unit;
        unit /= 10;
    }
    *out = SANWO_SEC(seconds) + nanoseconds;
    sw_drill_parse_advance(p);
    return true;
}

static bool parse_range_end(struct drill_parser *p, struct drill_event *event)
{
    struct drill_token at = p->token;

    event->range = true;
    if (sw_drill_parse_take_sign(p, '+') && event->time_kind != DRILL_TIME_RELATIVE)
        return sw_drill_parse_fail(p, &at, "a range is of two absolute times or of two with '+'");
    return parse_seconds(p, &event->end);
}

static bool parse_time(struct drill_parser *p, struct drill_event *event)
{
    bool relative = sw_drill_parse_take_sign(p, '+');

    event->time_kind = relative ? DRILL_TIME_RELATIVE : DRILL_TIME_ABSOLUTE;
    if (sw_drill_parse_take_sign(p, '*')) {
        event->time_kind = DRILL_TIME_ANY;
        return true;
    }
    if (!relative && p->token.kind != DRILL_TOKEN_INTEGER && p->token.kind != DRILL_TOKEN_FLOAT) {
        char what[120];

        snprintf(what, sizeof(what), "an event's time (0.1, +0.1 or *)%s%s",
                 p->last_word && p->token.place.line == p->last_line ? " after " : "",
                 p->last_word && p->token.place.line == p->last_line ? p->last_word : "");
        return sw_drill_parse_expected(p, what);
    }
    if (!parse_seconds(p, &event->at))
        return false;
    return sw_drill_parse_take_sign(p, '~') ? parse_range_end(p, event) : true;
}

/* ---- events --------------------------------------------------------------------------------------- */

static bool parse_call(struct drill_parser *p, struct drill_event *event, bool blocking)
{
    event->kind = DRILL_EVENT_CALL;
    event->call = sw_drill_memory_take(p->memory, sizeof(*event->call));
    event->call->blocking = blocking;
    return sw_drill_parse_call(p, event->call);
}

static bool parse_action(struct drill_parser *p, struct drill_event *event, bool blocking)
{
    if (p->token.kind == DRILL_TOKEN_WORD)
        return parse_call(p, event, blocking);
    if (blocking)
        return sw_drill_parse_expected(p, "a call: only calls block");
    if (p->token.kind == DRILL_TOKEN_SHELL || p->token.kind == DRILL_TOKEN_CODE) {
        event->kind = p->token.kind == DRILL_TOKEN_CODE ? DRILL_EVENT_CODE : DRILL_EVENT_SHELL;
        event->text = sw_drill_parse_copy(p, &p->token);
        sw_drill_parse_advance(p);
        return true;
    }
    if (sw_drill_parse_is_sign(p, '<') || sw_drill_parse_is_sign(p, '>')) {
        event->kind = DRILL_EVENT_PACKET;
        event->packet = sw_drill_memory_take(p->memory, sizeof(*event->packet));
        return sw_drill_parse_packet(p, event->packet);
    }
    return sw_drill_parse_expected(p, "a packet (< or >), a call, `shell` or %{ code }%");
}

/** What the kinds of time are good for. */
static bool check_time(struct drill_parser *p, const struct drill_event *event, bool has_end,
                       const struct drill_token *at)
{
    bool outbound = event->kind == DRILL_EVENT_PACKET && event->packet->direction == DRILL_OUTBOUND;

    if (has_end && event->end < event->at)
        return sw_drill_parse_fail(p, at, "the time's end is before its beginning");
    if (event->time_kind == DRILL_TIME_ANY && !outbound)
        return sw_drill_parse_fail(p, at, "the time * is for outbound packets only");
    if (event->range && !outbound)
        return sw_drill_parse_fail(p, at, "a range of times is for outbound packets only");
    return true;
}

static bool parse_event(struct drill_parser *p)
{
    static const char *const words[] = {"this packet", "this call", "this shell line", "this code"};
    struct drill_script *script = p->script;
    struct drill_event event = {0};
    struct drill_token begin = p->token;
    bool blocking;

    if (!parse_time(p, &event))
        return false;
    blocking = p->token.kind == DRILL_TOKEN_ELLIPSIS;
    if (blocking) {
        sw_drill_parse_advance(p);
        sw_drill_parse_take_sign(p, '+');
        if (!parse_seconds(p, &event.end))
            return false;
    }
    event.line = p->token.place.script_line;
    event.included_path = p->token.place.included;
    event.included_line = event.included_path ? p->token.place.line : 0;
    if (!parse_action(p, &event, blocking) ||
        !check_time(p, &event, blocking || event.range, &begin))
        return false;
    p->last_line = begin.place.line;
    p->last_word = words[event.kind];
    script->events =
        sw_drill_memory_grow(p->memory, script->events, script->event_count, sizeof(event));
    script->events[script->event_count++] = event;
    return true;
}

/* ---- options and shell lines ------------------------------------------------------------------------ */

/** --define=NAME=value in the script: holds from here on unless the command line says otherwise. */
static bool define(struct drill_parser *p, const struct drill_token *at,
                   const struct drill_token *value)
{
    const char *equals = value->length ? memchr(value->text, '=', value->length) : NULL;
    size_t name = equals ? (size_t)(equals - value->text) : 0;

    if (!name)
        return sw_drill_parse_fail(p, at, "--define: expected NAME=value");
    if (!sw_drill_define(&p->lexer.preprocess, value->text, name, equals + 1,
                         value->length - name - 1, false))
        return sw_drill_parse_fail(p, at, "--define: too many names");
    return true;
}

static bool parse_option(struct drill_parser *p)
{
    struct drill_script *script = p->script;
    struct drill_option *option;
    struct drill_token at = p->token, value;
    bool has_value = sw_drill_lexer_option_value(&p->lexer, &value);

    if (script->event_count)
        return sw_drill_parse_fail(p, &at, "options stand before the first event");
    script->options =
        sw_drill_memory_grow(p->memory, script->options, script->option_count, sizeof(*option));
    option = &script->options[script->option_count++];
    option->line = at.place.script_line;
    option->name = sw_drill_parse_copy(p, &at);
    option->value = has_value ? sw_drill_parse_copy(p, &value) : NULL;
    if (!strcmp(option->name, "define") && !define(p, &at, &value))
        return false;
    sw_drill_parse_advance(p);
    return true;
}

/** A shell line that has no time: before the first event, or after the last. */
static bool parse_shell(struct drill_parser *p)
{
    struct drill_script *script = p->script;
    struct drill_token at = p->token;
    char **shell = script->event_count ? &script->cleanup_shell : &script->initial_shell;
    unsigned *line =
        script->event_count ? &script->cleanup_shell_line : &script->initial_shell_line;

    if (++p->shell_lines > SHELL_LINES_MAX)
        return sw_drill_parse_fail(p, &p->token, "too many shell lines without a time");
    if (!*shell) {
        *line = p->token.place.script_line;
        *shell = sw_drill_parse_copy(p, &p->token);
    } else {
        size_t before = strlen(*shell);
        char *joined = sw_drill_memory_take(p->memory, before + p->token.length + 2);

        memcpy(joined, *shell, before);
        joined[before] = '\n';
        memcpy(joined + before + 1, p->token.text, p->token.length);
        *shell = joined;
    }
    sw_drill_parse_advance(p);
    if (script->cleanup_shell && p->token.kind != DRILL_TOKEN_END &&
        p->token.kind != DRILL_TOKEN_SHELL)
        return sw_drill_parse_fail(p, &at,
                                   "a shell line without a time stands before the first event or "
                                   "after the last one");
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------------- */

static bool parse_script(struct drill_parser *p)
{
    struct drill_script *script = p->script;

    sw_drill_parse_advance(p);
    while (p->token.kind != DRILL_TOKEN_END) {
        bool good;

        if (p->token.kind == DRILL_TOKEN_SHELL)
            good = parse_shell(p);
        else if (p->token.kind == DRILL_TOKEN_OPTION)
            good = parse_option(p);
        else
            good = parse_event(p);
        if (!good)
            return false;
    }
    if (script->event_count)
        return true;
    if (p->lexer.preprocess.left_out)
        return sw_drill_parse_unsupported(p, &p->token, "#if leaves no event of this script");
    return sw_drill_parse_expected(p, "an event");
}

/** The source by lines, for messages. */
static void keep_lines(struct drill_script *script, const char *text, size_t length)
{
    const char *at = text, *end = text + length;

    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        size_t line = (size_t)((newline ? newline : end) - at);

        script->lines = sw_drill_memory_grow(script->memory, script->lines, script->line_count,
                                             sizeof(*script->lines));
        if (line && at[line - 1] == '\r')
            script->lines[script->line_count++] =
                sw_drill_memory_copy(script->memory, at, line - 1);
        else
            script->lines[script->line_count++] = sw_drill_memory_copy(script->memory, at, line);
        at += line + (newline != NULL);
    }
}

struct drill_script *sw_drill_parse(const char *path, const char *text, size_t length,
                                    const struct drill_define *defines, size_t define_count,
                                    char *message, size_t message_size)
{
    struct drill_parser parser = {.message = message, .message_size = message_size};
    struct drill_memory *memory = sw_drill_memory_new();
    struct drill_script *script;

    *message = '\0';
    if (!memory) {
        snprintf(message, message_size, "%s:1: no memory is left", path);
        return NULL;
    }
    script = sw_drill_memory_take(memory, sizeof(*script));
    script->memory = parser.memory = memory;
    script->path = sw_drill_memory_copy(memory, path, strlen(path));
    parser.script = script;
    keep_lines(script, text, length);
    sw_drill_lexer_init(&parser.lexer, memory, script->path, text, length);
    for (size_t i = 0; i < define_count; i++) {
        const char *value = defines[i].value;

        sw_drill_define(&parser.lexer.preprocess, defines[i].name, strlen(defines[i].name), value,
                        value ? strlen(value) : 0, true);
    }
    if (parse_script(&parser))
        return script;
    sw_drill_memory_free(memory);
    return NULL;
}

void sw_drill_script_free(struct drill_script *script)
{
    if (script)
        sw_drill_memory_free(script->memory);
}
