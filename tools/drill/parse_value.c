/*
 * parse_value.c - Calls and the values in them.
 *
 *     call    name(value, ...) = value ERRNO (note)
 *     value   one | one ...
 *     one     ...  12  0x1f  WORD  "text"  "text"...  "te" "xt"  [value, ...]  {field, ...}
 *             name(value, ...)  name = value  (value)
 *     field   value   name = value   name(count) = value
 *
 * One grammar takes the structures of both dialects, whatever their names and order; what they mean is
 * for the one who makes the call to know.
 */
#include "parse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#define DEPTH_MAX 64
#define ALTERNATIVES_MAX 64

static bool parse_value(struct drill_parser *p, struct drill_value *out);

/* ---- strings -------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (!isxdigit((unsigned char)c))
        return -1;
    return isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;
}

/** The character that backslash @name stands for, or -1. */
static int escape(char name)
{
    static const char names[] = "\\\"'`abfnrtv0", meant[] = "\\\"'`\a\b\f\n\r\t\v\0";
    const char *found = memchr(names, name, sizeof(names) - 1);

    return found ? (unsigned char)meant[found - names] : -1;
}

/** Room for a string token's text behind @out's; @room is what there is. */
static void make_room(struct drill_parser *p, struct drill_value *out, size_t *room)
{
    size_t need = out->length + p->token.length + 1;
    char *text;

    if (need <= *room)
        return;
    *room = out->length ? 2 * need : need;
    text = sw_drill_memory_take(p->memory, *room);
    if (out->length)
        memcpy(text, out->text, out->length);
    out->text = text;
}

/** Appends a string token's text, its escapes undone. */
static bool append_string(struct drill_parser *p, struct drill_value *out)
{
    const struct drill_token *token = &p->token;

    for (size_t i = 0; i < token->length; i++) {
        int c = (unsigned char)token->text[i];

        if (c == '\\') {
            char name = token->text[++i]; /* the lexer leaves no backslash at the end */

            if (name == 'x' && i + 2 < token->length && hex_digit(token->text[i + 1]) >= 0 &&
                hex_digit(token->text[i + 2]) >= 0) {
                c = hex_digit(token->text[i + 1]) * 16 + hex_digit(token->text[i + 2]);
                i += 2;
            } else if (name == 'x') {
                return sw_drill_parse_fail(p, token, "\\x needs two hexadecimal digits");
            } else {
                c = escape(name);
            }
            if (c < 0)
                return sw_drill_parse_fail(p, token, "unknown escape \\%c in a string",
                                           isprint((unsigned char)name) ? name : '?');
        }
        out->text[out->length++] = (char)c;
    }
    return true;
}

static bool parse_string(struct drill_parser *p, struct drill_value *out)
{
    size_t room = 0;

    out->kind = DRILL_STRING;
    do {
        make_room(p, out, &room);
        if (!append_string(p, out))
            return false;
        sw_drill_parse_advance(p);
    } while (p->token.kind == DRILL_TOKEN_STRING);
    if (p->token.kind == DRILL_TOKEN_ELLIPSIS) {
        out->open_ended = true;
        sw_drill_parse_advance(p);
    }
    return true;
}

/* ---- lists ---------------------------------------------------------------------------------------- */

/** Values up to @close, after the bracket that opens. */
static bool parse_items(struct drill_parser *p, char close, struct drill_value **items,
                        size_t *count)
{
    bool in_result = p->in_result, good = true;

    if (++p->depth > DEPTH_MAX)
        return sw_drill_parse_fail(p, &p->token, "too many brackets within each other");
    p->in_result = false;
    if (!sw_drill_parse_is_sign(p, close)) {
        do {
            *items = sw_drill_memory_grow(p->memory, *items, *count, sizeof(**items));
            memset(&(*items)[*count], 0, sizeof(**items));
            good = parse_value(p, &(*items)[(*count)++]);
        } while (good && sw_drill_parse_take_sign(p, ','));
    }
    p->in_result = in_result;
    p->depth--;
    return good && sw_drill_parse_need_sign(p, close, "or ','");
}

/* ---- words ---------------------------------------------------------------------------------------- */

static bool is_called(const struct drill_value *value, const char *name)
{
    return !strcmp(value->text, name);
}

/** htons(80) and inet_addr("1.2.3.4") become the number they give. */
static bool evaluate(struct drill_parser *p, const struct drill_token *at, struct drill_value *out)
{
    const struct drill_value *argument = out->items;
    struct in_addr v4;
    struct in6_addr v6;

    if (out->item_count != 1)
        return true;
    if (is_called(out, "htons") && argument->kind == DRILL_INTEGER) {
        if (argument->integer < 0 || argument->integer > 65535)
            return sw_drill_parse_fail(p, at, "a port must be within 0 and 65535");
        out->kind = DRILL_INTEGER;
        out->integer = htons((uint16_t)argument->integer);
    } else if (is_called(out, "inet_addr") && argument->kind == DRILL_STRING) {
        if (inet_pton(AF_INET, argument->text, &v4) == 1) {
            out->kind = DRILL_INTEGER;
            out->hexadecimal = true;
            out->integer = v4.s_addr;
        } else if (inet_pton(AF_INET6, argument->text, &v6) != 1) {
            return sw_drill_parse_fail(p, at, "inet_addr: \"%.60s\" is no address", argument->text);
        }
    } else if (is_called(out, "inet6_addr") && argument->kind == DRILL_STRING &&
               inet_pton(AF_INET6, argument->text, &v6) != 1) {
        return sw_drill_parse_fail(p, at, "inet6_addr: \"%.60s\" is no address", argument->text);
    }
    return true;
}

/** After the '=' that follows a name: the value it names. */
static bool parse_named(struct drill_parser *p, struct drill_value *out)
{
    struct drill_value named = {.name = out->text};
    bool good;

    if (out->kind == DRILL_CALLED) {
        if (out->item_count != 1)
            return sw_drill_parse_fail(p, &p->token, "%.60s(count) = needs one count", out->text);
        named.count = out->items;
    }
    if (++p->depth > DEPTH_MAX)
        return sw_drill_parse_fail(p, &p->token, "too many values within each other");
    good = parse_value(p, &named);
    p->depth--;
    *out = named;
    return good;
}

/** What may open a bracket even in a result, where it is otherwise the note. */
static bool is_function(const struct drill_parser *p)
{
    return sw_drill_parse_is_word(p, "htons") || sw_drill_parse_is_word(p, "htonl") ||
           sw_drill_parse_is_word(p, "inet_addr") || sw_drill_parse_is_word(p, "inet6_addr");
}

/** {flags [none], sum 0, ...} and {(label 1, tc 0, ttl 2)}: after the first word. */
static bool is_header_word(const struct drill_parser *p, const char *word)
{
    if (!strcmp(word, "flags") || !strcmp(word, "Flags"))
        return sw_drill_parse_is_sign(p, '[') || sw_drill_parse_is_number(p);
    return !strcmp(word, "label") && sw_drill_parse_is_number(p);
}

static bool parse_word(struct drill_parser *p, struct drill_value *out)
{
    struct drill_token at = p->token;
    bool may_call = !p->in_result || is_function(p);

    out->kind = DRILL_WORD;
    out->text = sw_drill_parse_copy(p, &p->token);
    out->length = p->token.length;
    sw_drill_parse_advance(p);
    if (is_header_word(p, out->text))
        return sw_drill_parse_unsupported(p, &at, "a header of GRE or MPLS as a value");
    if (may_call && sw_drill_parse_take_sign(p, '(')) {
        out->kind = DRILL_CALLED;
        if (!parse_items(p, ')', &out->items, &out->item_count))
            return false;
        if (!sw_drill_parse_is_sign(p, '='))
            return evaluate(p, &at, out);
    }
    if (!p->in_result && sw_drill_parse_take_sign(p, '='))
        return parse_named(p, out);
    return true;
}

/* ---- values --------------------------------------------------------------------------------------- */

static bool parse_brackets(struct drill_parser *p, struct drill_value *out)
{
    bool in_result = p->in_result, good;

    sw_drill_parse_advance(p);
    if (++p->depth > DEPTH_MAX)
        return sw_drill_parse_fail(p, &p->token, "too many brackets within each other");
    p->in_result = false;
    good = parse_value(p, out);
    p->in_result = in_result;
    p->depth--;
    return good && sw_drill_parse_need_sign(p, ')', "after the value");
}

static bool parse_one(struct drill_parser *p, struct drill_value *out)
{
    out->line = p->token.place.script_line;
    switch (p->token.kind) {
    case DRILL_TOKEN_ELLIPSIS:
        out->kind = DRILL_ELLIPSIS;
        sw_drill_parse_advance(p);
        return true;
    case DRILL_TOKEN_INTEGER:
    case DRILL_TOKEN_HEX:
        out->kind = DRILL_INTEGER;
        out->hexadecimal = p->token.kind == DRILL_TOKEN_HEX;
        return sw_drill_parse_number(p, "a number", INT64_MIN, INT64_MAX, &out->integer);
    case DRILL_TOKEN_WORD:
        return parse_word(p, out);
    case DRILL_TOKEN_STRING:
        return parse_string(p, out);
    default:
        break;
    }
    if (sw_drill_parse_is_sign(p, '('))
        return parse_brackets(p, out);
    if (sw_drill_parse_take_sign(p, '{')) {
        out->kind = DRILL_STRUCT;
        return parse_items(p, '}', &out->items, &out->item_count);
    }
    if (!sw_drill_parse_take_sign(p, '['))
        return sw_drill_parse_expected(p, "a value");
    out->kind = DRILL_LIST;
    return parse_items(p, ']', &out->items, &out->item_count);
}

/** a | b | c: the tree leans to the left; a name belongs to the whole. */
static bool parse_value(struct drill_parser *p, struct drill_value *out)
{
    char *name = out->name;
    struct drill_value *count = out->count;
    unsigned alternatives = 0;

    if (!parse_one(p, out))
        return false;
    while (sw_drill_parse_is_sign(p, '|')) {
        struct drill_value *pair = sw_drill_memory_take(p->memory, 2 * sizeof(*pair));
        struct drill_value whole = {.kind = DRILL_OR, .line = out->line};

        if (++alternatives > ALTERNATIVES_MAX)
            return sw_drill_parse_fail(p, &p->token, "too many |");
        sw_drill_parse_advance(p);
        pair[0] = *out;
        pair[0].name = name ? NULL : out->name;
        pair[0].count = NULL;
        whole.items = pair;
        whole.item_count = 2;
        if (!parse_one(p, &pair[1]))
            return false;
        *out = whole;
    }
    if (name) {
        out->name = name;
        out->count = count;
    }
    return true;
}

/* ---- calls ---------------------------------------------------------------------------------------- */

/** ERRNO (what strace would say); the note is plain text. */
static bool parse_error(struct drill_parser *p, struct drill_call *call)
{
    struct drill_token at, note;

    if (p->token.kind == DRILL_TOKEN_WORD) {
        call->error = sw_drill_parse_copy(p, &p->token);
        sw_drill_parse_advance(p);
    }
    if (!sw_drill_parse_is_sign(p, '('))
        return true;
    at = p->token;
    if (!sw_drill_lexer_until(&p->lexer, ')', false, &note))
        return sw_drill_parse_fail(p, &at, "the note that begins here has no ')' on its line");
    call->note = sw_drill_parse_copy(p, &note);
    sw_drill_parse_advance(p);
    return true;
}

bool sw_drill_parse_call(struct drill_parser *p, struct drill_call *call)
{
    bool good;

    call->name = sw_drill_parse_copy(p, &p->token);
    sw_drill_parse_advance(p);
    if (!sw_drill_parse_need_sign(p, '(', "after the call's name") ||
        !parse_items(p, ')', &call->arguments, &call->argument_count) ||
        !sw_drill_parse_need_sign(p, '=', "and what the call returns"))
        return false;
    call->result = sw_drill_memory_take(p->memory, sizeof(*call->result));
    p->in_result = true;
    good = parse_value(p, call->result);
    p->in_result = false;
    return good && parse_error(p, call);
}
