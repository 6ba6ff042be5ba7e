/*
 * lexer.c - A script's text as tokens.
 *
 * A definition's value and an included file are sources pushed over the one being read. What a
 * hostile script could make grow without end is counted: sources within each other, definitions
 * replaced, files included.
 */
#include "lexer.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define REPLACEMENTS_MAX 200000
#define INCLUDES_MAX 64
#define INCLUDED_SIZE_MAX (1 << 20)

static bool is_word_character(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static void bad(struct drill_lexer *lexer, struct drill_token *out, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void bad(struct drill_lexer *lexer, struct drill_token *out, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(lexer->error, sizeof(lexer->error), format, arguments);
    va_end(arguments);
    out->kind = DRILL_TOKEN_BAD;
}

/* ---- sources ------------------------------------------------------------------------------------ */

static struct drill_source *top(struct drill_lexer *lexer)
{
    return &lexer->sources[lexer->source_count - 1];
}

/** The character @ahead of the position, or NUL at the end. */
static char peek(const struct drill_source *source, size_t ahead)
{
    return source->length - source->position > ahead ? source->text[source->position + ahead]
                                                     : '\0';
}

static bool at_end(const struct drill_source *source)
{
    return source->position == source->length;
}

/** Moves on, counting lines; a definition's text stays at the line that uses it. */
static void move(struct drill_source *source, size_t count)
{
    for (; count; count--) {
        if (source->text[source->position++] == '\n' && !source->is_definition) {
            source->place.line++;
            if (!source->place.included)
                source->place.script_line++;
        }
    }
}

static struct drill_source *push(struct drill_lexer *lexer, const char *text, size_t length)
{
    struct drill_source *source;

    if (lexer->source_count == DRILL_SOURCES_MAX)
        return NULL;
    source = &lexer->sources[lexer->source_count++];
    *source = (struct drill_source){.text = text, .length = length};
    source->conditions_below = lexer->preprocess.condition_count;
    return source;
}

void sw_drill_lexer_init(struct drill_lexer *lexer, struct drill_memory *memory, const char *path,
                         const char *text, size_t length)
{
    struct drill_source *source;

    memset(lexer, 0, sizeof(*lexer));
    lexer->memory = memory;
    lexer->preprocess.memory = memory;
    source = push(lexer, text, length);
    source->path = path;
    source->place.line = source->place.script_line = 1;
}

/** Leaves a source that is read. False if it is the last, or bad. */
static bool pop(struct drill_lexer *lexer, struct drill_token *out)
{
    const struct drill_source *source = top(lexer);

    if (lexer->preprocess.condition_count > source->conditions_below) {
        const struct drill_condition *open =
            &lexer->preprocess.conditions[lexer->preprocess.condition_count - 1];

        bad(lexer, out, "the #if of line %u has no #endif", open->line);
        return false;
    }
    if (lexer->source_count == 1)
        return false;
    lexer->source_count--;
    return true;
}

/* ---- lines that begin with '#' -------------------------------------------------------------------- */

/** The whole of a file in memory, or NULL and why not. */
static const char *load(struct drill_lexer *lexer, const char *path, size_t *length,
                        const char **why)
{
    FILE *file = NULL;
    struct stat status;
    char *text = NULL;

    *why = "is no file";
    if (stat(path, &status) || !S_ISREG(status.st_mode))
        return NULL;
    *why = "is too large";
    if (status.st_size > INCLUDED_SIZE_MAX)
        return NULL;
    *why = "cannot be read";
    file = fopen(path, "rb");
    if (!file)
        return NULL;
    text = sw_drill_memory_take(lexer->memory, (size_t)status.st_size + 1);
    *length = fread(text, 1, (size_t)status.st_size, file);
    fclose(file);
    return text;
}

/** Goes on with a file named beside the one being read. */
static bool include(struct drill_lexer *lexer, const char *name, size_t name_length,
                    struct drill_token *out)
{
    const struct drill_source *here = top(lexer);
    const char *slash = strrchr(here->path, '/'), *text, *why = NULL;
    size_t folder = *name != '/' && slash ? (size_t)(slash - here->path) + 1 : 0, length;
    char *path = sw_drill_memory_take(lexer->memory, folder + name_length + 1);
    unsigned script_line = here->place.script_line;
    struct drill_source *source;

    memcpy(path, here->path, folder);
    memcpy(path + folder, name, name_length);
    if (++lexer->includes > INCLUDES_MAX) {
        bad(lexer, out, "#include: too many files");
        return false;
    }
    text = load(lexer, path, &length, &why);
    source = text ? push(lexer, text, length) : NULL;
    if (!source) {
        bad(lexer, out, "#include: '%.150s' %s", path, text ? "is included too deeply" : why);
        return false;
    }
    source->path = path;
    source->place = (struct drill_place){1, script_line, path};
    return true;
}

/** The line from here on, lines that end in a backslash joined, and the position at its end. */
static const char *take_line(struct drill_lexer *lexer, size_t *length)
{
    struct drill_source *source = top(lexer);
    const char *start = source->text + source->position;
    size_t end = 0;
    bool joins = false;
    char *copy;

    for (; peek(source, end) != '\n' && source->position + end < source->length; end++) {
        if (peek(source, end) == '\\' && peek(source, end + 1) == '\n') {
            joins = true;
            end++;
        }
    }
    move(source, end);
    *length = end;
    if (!joins)
        return start;
    copy = sw_drill_memory_copy(lexer->memory, start, end);
    for (size_t i = 0; i + 1 < end; i++) {
        if (copy[i] == '\\' && copy[i + 1] == '\n')
            copy[i] = copy[i + 1] = ' ';
    }
    return copy;
}

/** True if nothing but blanks stands before the position on its line. */
static bool begins_line(const struct drill_source *source)
{
    size_t i = source->position;

    while (i && is_blank(source->text[i - 1]))
        i--;
    return !i || source->text[i - 1] == '\n';
}

/** At a '#': a directive, or a comment up to the line's end. */
static bool hash_line(struct drill_lexer *lexer, struct drill_token *out)
{
    struct drill_source *source = top(lexer);
    const char *text, *name = NULL;
    size_t length, name_length = 0;

    out->place = source->place;
    if (source->is_definition || !begins_line(source)) {
        while (!at_end(source) && peek(source, 0) != '\n')
            move(source, 1);
        return true;
    }
    text = take_line(lexer, &length);
    switch (sw_drill_preprocess_line(&lexer->preprocess, text, length, out->place.line, &name,
                                     &name_length)) {
    case DRILL_DIRECTIVE_BAD:
        bad(lexer, out, "%s", lexer->preprocess.error);
        return false;
    case DRILL_DIRECTIVE_INCLUDE:
        return include(lexer, name, name_length, out);
    default:
        if (lexer->preprocess.condition_count >= source->conditions_below)
            return true;
        bad(lexer, out, "#endif without #if in this file");
        return false;
    }
}

/* ---- what separates tokens ------------------------------------------------------------------------ */

/** At a comment of C: skips it. */
static bool comment(struct drill_lexer *lexer, struct drill_token *out)
{
    struct drill_source *source = top(lexer);
    bool line = peek(source, 1) == '/';

    out->place = source->place;
    move(source, 2);
    while (!at_end(source)) {
        if (line && peek(source, 0) == '\n')
            return true;
        if (!line && peek(source, 0) == '*' && peek(source, 1) == '/') {
            move(source, 2);
            return true;
        }
        move(source, 1);
    }
    if (!line)
        bad(lexer, out, "the comment that begins here has no end");
    return line;
}

/** Skips to the next token's first character. False at the end of everything, or if @out is BAD. */
static bool skip_to_token(struct drill_lexer *lexer, struct drill_token *out)
{
    for (;;) {
        struct drill_source *source = top(lexer);
        char c = peek(source, 0);

        if (at_end(source)) {
            out->place = source->place;
            if (!pop(lexer, out))
                return false;
        } else if (is_blank(c) || c == '\n') {
            move(source, 1);
        } else if (c == '/' && (peek(source, 1) == '/' || peek(source, 1) == '*')) {
            if (!comment(lexer, out))
                return false;
        } else if (c == '#') {
            if (!hash_line(lexer, out))
                return false;
        } else {
            return true;
        }
    }
}

/* ---- tokens --------------------------------------------------------------------------------------- */

static size_t count_digits(const struct drill_source *source, size_t from)
{
    size_t n = 0;

    while (isdigit((unsigned char)peek(source, from + n)))
        n++;
    return n;
}

static void take(struct drill_source *source, struct drill_token *out, uint8_t kind, size_t length)
{
    out->kind = kind;
    out->text = source->text + source->position;
    out->length = length;
    move(source, length);
}

/** A word, or a number, of which a decimal one may have a fraction. */
static void word(struct drill_source *source, struct drill_token *out)
{
    size_t length = 0, digits = count_digits(source, 0), i;

    while (is_word_character(peek(source, length)))
        length++;
    if (digits == length && peek(source, digits) == '.' && count_digits(source, digits + 1)) {
        take(source, out, DRILL_TOKEN_FLOAT, digits + 1 + count_digits(source, digits + 1));
        return;
    }
    take(source, out, digits == length ? DRILL_TOKEN_INTEGER : DRILL_TOKEN_WORD, length);
    if (length > 2 && out->text[0] == '0' && out->text[1] == 'x') {
        for (i = 2; i < length && isxdigit((unsigned char)out->text[i]); i++)
            ;
        if (i == length)
            out->kind = DRILL_TOKEN_HEX;
    }
}

/** From a '-', a '.' or any other sign on. */
static void sign(struct drill_source *source, struct drill_token *out)
{
    size_t minus = peek(source, 0) == '-', digits = count_digits(source, minus);
    size_t fraction =
        peek(source, minus + digits) == '.' ? count_digits(source, minus + digits + 1) : 0;

    if (peek(source, 0) == '.' && peek(source, 1) == '.' && peek(source, 2) == '.') {
        take(source, out, DRILL_TOKEN_ELLIPSIS, 3);
    } else if (fraction) {
        take(source, out, DRILL_TOKEN_FLOAT, minus + digits + 1 + fraction);
    } else if (minus && digits) {
        take(source, out, DRILL_TOKEN_INTEGER, minus + digits);
    } else if (minus && peek(source, 1) == '-' && is_word_character(peek(source, 2))) {
        size_t length = 1;

        move(source, 2);
        while (is_word_character(peek(source, length)))
            length++;
        take(source, out, DRILL_TOKEN_OPTION, length);
    } else {
        out->sign = peek(source, 0);
        take(source, out, DRILL_TOKEN_SIGN, 1);
    }
}

/** Text in quotes of one kind; a backslash keeps the next character from ending it. */
static void quoted(struct drill_lexer *lexer, struct drill_token *out)
{
    struct drill_source *source = top(lexer);
    char quote = peek(source, 0);
    size_t length = 0;

    move(source, 1);
    while (source->length - source->position > length && peek(source, length) != quote)
        length += peek(source, length) == '\\' ? 2 : 1;
    if (source->length - source->position <= length) {
        bad(lexer, out, "the %s that begins here has no end",
            quote == '"' ? "string" : "shell line");
        return;
    }
    take(source, out, quote == '"' ? DRILL_TOKEN_STRING : DRILL_TOKEN_SHELL, length);
    move(source, 1);
}

/** %{ code }%; blanks at both ends go, as Python cares for them, but newlines stay. */
static void code(struct drill_lexer *lexer, struct drill_token *out)
{
    struct drill_source *source = top(lexer);
    size_t length = 0;

    move(source, 2);
    while (peek(source, 0) == ' ' || peek(source, 0) == '\t')
        move(source, 1);
    while (source->length - source->position > length &&
           !(peek(source, length) == '}' && peek(source, length + 1) == '%'))
        length++;
    if (source->length - source->position <= length) {
        bad(lexer, out, "the code that begins here has no end; expected }%%");
        return;
    }
    take(source, out, DRILL_TOKEN_CODE, length);
    move(source, 2);
    while (out->length && (out->text[out->length - 1] == ' ' || out->text[out->length - 1] == '\t'))
        out->length--;
}

/** If @word is a defined one, goes on with what it stands for. */
static bool replace(struct drill_lexer *lexer, struct drill_token *word_token)
{
    const struct drill_preprocess *pre = &lexer->preprocess;
    const struct drill_definition *definition =
        sw_drill_definition(pre, word_token->text, word_token->length);
    size_t index = definition ? (size_t)(definition - pre->definitions) : 0;
    struct drill_source *source;

    if (!definition || !definition->value)
        return false;
    for (unsigned i = 0; i < lexer->source_count; i++) {
        if (lexer->sources[i].is_definition && lexer->sources[i].definition == index)
            return false; /* a word within its own definition stays */
    }
    source = push(lexer, definition->value, definition->value_length);
    if (!source || ++lexer->replacements > REPLACEMENTS_MAX) {
        bad(lexer, word_token, "the definitions stand for too much text");
        return false;
    }
    source->is_definition = true;
    source->definition = index;
    source->path = source[-1].path;
    source->place = word_token->place;
    return true;
}

/** The token at the position, whether it counts or not. */
static void read_token(struct drill_lexer *lexer, struct drill_token *out)
{
    struct drill_source *source = top(lexer);
    char c = peek(source, 0);

    out->place = source->place;
    if (is_word_character(c))
        word(source, out);
    else if (c == '"' || c == '`')
        quoted(lexer, out);
    else if (c == '%' && peek(source, 1) == '{')
        code(lexer, out);
    else
        sign(source, out);
}

void sw_drill_lexer_next(struct drill_lexer *lexer, struct drill_token *out)
{
    do {
        memset(out, 0, sizeof(*out));
        if (!skip_to_token(lexer, out))
            return; /* END or BAD */
        read_token(lexer, out);
        if (out->kind == DRILL_TOKEN_BAD)
            return;
    } while (!sw_drill_preprocess_counts(&lexer->preprocess) ||
             (out->kind == DRILL_TOKEN_WORD && replace(lexer, out)));
}

/* ---- plain text ----------------------------------------------------------------------------------- */

bool sw_drill_lexer_until(struct drill_lexer *lexer, char stop, bool spaced,
                          struct drill_token *out)
{
    struct drill_source *source = top(lexer);
    size_t length = 0, depth = 0;

    memset(out, 0, sizeof(*out));
    out->place = source->place;
    for (;; length++) {
        char c = peek(source, length);

        if (source->position + length == source->length || c == '\n')
            return false;
        if (c == stop && !depth) {
            char next = peek(source, length + 1);

            if (!spaced || is_blank(next) || next == '\n' || !next)
                break;
        }
        if (stop == ')')
            depth = depth + (c == '(') - (c == ')');
    }
    take(source, out, DRILL_TOKEN_WORD, length);
    move(source, 1);
    return true;
}

bool sw_drill_lexer_option_value(struct drill_lexer *lexer, struct drill_token *out)
{
    struct drill_source *source = top(lexer);
    size_t equals = 0, length = 0;
    char quote = '\0';

    memset(out, 0, sizeof(*out));
    while (is_blank(peek(source, equals)))
        equals++;
    if (peek(source, equals) != '=')
        return false;
    move(source, equals + 1);
    while (is_blank(peek(source, 0)))
        move(source, 1);
    out->place = source->place;
    for (; source->position + length < source->length; length++) {
        char c = peek(source, length);

        if (quote ? c == '\n' : isspace((unsigned char)c))
            break;
        if (c == quote)
            quote = '\0';
        else if (!quote && (c == '"' || c == '`'))
            quote = c;
    }
    take(source, out, DRILL_TOKEN_STRING, length);
    if (out->length >= 2 && out->text[0] == '"' && out->text[out->length - 1] == '"') {
        out->text++;
        out->length -= 2;
    }
    return true;
}
