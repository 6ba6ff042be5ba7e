/*
 * preprocess.c - Names with values, and the lines that begin with '#'.
 *
 * Conditions nest; in text that does not count only they are looked at. The expression of an #if is
 * evaluated as it is read, by the usual ladder: || over && over == != < > over ! and brackets.
 */
#include "preprocess.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32 /* brackets within an #if */

/** A line, or the rest of one. */
struct text {
    const char *at;
    size_t left;
};

struct evaluation {
    const struct drill_preprocess *pre;
    struct text rest;
    unsigned depth;
    const char *wrong; /* NULL, or what was expected */
};

static int64_t either(struct evaluation *e);

static void expected(struct evaluation *e, const char *what)
{
    if (!e->wrong)
        e->wrong = what;
}

bool sw_drill_preprocess_counts(const struct drill_preprocess *pre)
{
    return !pre->condition_count || pre->conditions[pre->condition_count - 1].counts;
}

/* ---- names ------------------------------------------------------------------------------------ */

static bool is_word_character(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

struct drill_definition *sw_drill_definition(const struct drill_preprocess *pre, const char *name,
                                             size_t length)
{
    for (size_t i = 0; i < pre->definition_count; i++) {
        struct drill_definition *d = &pre->definitions[i];

        if (!d->removed && d->name_length == length && !memcmp(d->name, name, length))
            return d;
    }
    return NULL;
}

bool sw_drill_define(struct drill_preprocess *pre, const char *name, size_t name_length,
                     const char *value, size_t value_length, bool fixed)
{
    struct drill_definition *d = sw_drill_definition(pre, name, name_length);

    if (!d) {
        if (pre->definition_count == DRILL_DEFINITIONS_MAX)
            return false;
        pre->definitions =
            sw_drill_memory_grow(pre->memory, pre->definitions, pre->definition_count, sizeof(*d));
        d = &pre->definitions[pre->definition_count++];
        d->name = sw_drill_memory_copy(pre->memory, name, name_length);
        d->name_length = name_length;
    } else if (d->fixed && !fixed) {
        return true;
    }
    d->value = value ? sw_drill_memory_copy(pre->memory, value, value_length) : NULL;
    d->value_length = value ? value_length : 0;
    d->fixed = fixed;
    return true;
}

/* ---- pieces of a line ------------------------------------------------------------------------- */

static void skip(struct text *text, size_t length)
{
    text->at += length;
    text->left -= length;
}

static void skip_space(struct text *text)
{
    while (text->left && isspace((unsigned char)*text->at))
        skip(text, 1);
    if (text->left >= 2 && text->at[0] == '/' && (text->at[1] == '/' || text->at[1] == '*'))
        skip(text, text->left); /* a comment; it is expected to end with the line */
}

static struct text take_word(struct text *text)
{
    struct text word = {text->at, 0};

    while (text->left && is_word_character(*text->at)) {
        skip(text, 1);
        word.left++;
    }
    return word;
}

static bool is(struct text word, const char *name)
{
    return word.left == strlen(name) && !memcmp(word.at, name, word.left);
}

/** Skips @sign and space if they come next. */
static bool take(struct text *text, const char *sign)
{
    size_t length = strlen(sign);

    skip_space(text);
    if (text->left < length || memcmp(text->at, sign, length))
        return false;
    skip(text, length);
    skip_space(text);
    return true;
}

/* ---- the expression of an #if ------------------------------------------------------------------ */

static int64_t number_of(const char *text, size_t length)
{
    char digits[32];

    if (length >= sizeof(digits))
        return 0;
    memcpy(digits, text, length);
    digits[length] = '\0';
    return strtoll(digits, NULL, 0);
}

static int64_t word_value(struct evaluation *e)
{
    struct text word;
    const struct drill_definition *d;
    bool brackets;

    word = take_word(&e->rest);
    if (is(word, "defined")) {
        brackets = take(&e->rest, "(");
        skip_space(&e->rest);
        word = take_word(&e->rest);
        if (!word.left)
            expected(e, "a name after `defined`");
        if (brackets && !take(&e->rest, ")"))
            expected(e, ") after `defined(NAME`");
        return sw_drill_definition(e->pre, word.at, word.left) != NULL;
    }
    if (isdigit((unsigned char)*word.at))
        return number_of(word.at, word.left);
    d = sw_drill_definition(e->pre, word.at, word.left);
    return d && d->value ? number_of(d->value, d->value_length) : 0;
}

static int64_t one_value(struct evaluation *e)
{
    int64_t value = 0;
    bool negated = false;

    if (++e->depth > DEPTH_MAX) {
        expected(e, "fewer brackets");
        e->rest.left = 0;
    }
    while (!(e->rest.left >= 2 && e->rest.at[1] == '=') && take(&e->rest, "!"))
        negated = !negated;
    if (take(&e->rest, "(")) {
        value = either(e);
        if (!take(&e->rest, ")"))
            expected(e, ")");
    } else if (e->rest.left && is_word_character(*e->rest.at)) {
        value = word_value(e);
    } else {
        expected(e, "a name or a number");
    }
    e->depth--;
    return negated ? !value : value;
}

static int64_t comparison(struct evaluation *e)
{
    int64_t left = one_value(e);

    if (take(&e->rest, "=="))
        return left == one_value(e);
    if (take(&e->rest, "!="))
        return left != one_value(e);
    if (take(&e->rest, "<="))
        return left <= one_value(e);
    if (take(&e->rest, ">="))
        return left >= one_value(e);
    if (take(&e->rest, "<"))
        return left < one_value(e);
    if (take(&e->rest, ">"))
        return left > one_value(e);
    return left;
}

static int64_t both(struct evaluation *e)
{
    int64_t value = comparison(e);

    while (take(&e->rest, "&&")) {
        int64_t right = comparison(e);

        value = value && right;
    }
    return value;
}

static int64_t either(struct evaluation *e)
{
    int64_t value = both(e);

    while (take(&e->rest, "||")) {
        int64_t right = both(e);

        value = value || right;
    }
    return value;
}

/** The truth of @rest; @wrong is set if it is no expression. */
static bool evaluate(struct drill_preprocess *pre, struct text rest, bool *truth)
{
    struct evaluation e = {.pre = pre, .rest = rest};

    skip_space(&e.rest);
    *truth = either(&e) != 0;
    skip_space(&e.rest);
    if (!e.wrong && e.rest.left)
        e.wrong = "&&, || or the end of the line";
    if (e.wrong)
        snprintf(pre->error, sizeof(pre->error), "#if: expected %s", e.wrong);
    return !e.wrong;
}

/* ---- directives --------------------------------------------------------------------------------- */

static enum drill_directive bad(struct drill_preprocess *pre, const char *what)
{
    snprintf(pre->error, sizeof(pre->error), "%s", what);
    return DRILL_DIRECTIVE_BAD;
}

static enum drill_directive begin(struct drill_preprocess *pre, bool counts, unsigned line)
{
    bool outer = sw_drill_preprocess_counts(pre);
    struct drill_condition *c;

    if (pre->condition_count == DRILL_CONDITIONS_MAX)
        return bad(pre, "too many #if within each other");
    c = &pre->conditions[pre->condition_count++];
    *c = (struct drill_condition){.line = line};
    c->counts = counts;
    c->has_counted = counts || !outer;
    pre->left_out |= !c->counts;
    return DRILL_DIRECTIVE_DONE;
}

static enum drill_directive go_on(struct drill_preprocess *pre, bool is_else, struct text rest)
{
    struct drill_condition *c;
    bool counts = true;

    if (!pre->condition_count)
        return bad(pre, is_else ? "#else without #if" : "#elif without #if");
    c = &pre->conditions[pre->condition_count - 1];
    if (c->after_else)
        return bad(pre, is_else ? "a second #else" : "#elif after #else");
    c->after_else = is_else;
    if (c->has_counted)
        counts = false;
    else if (!is_else && !evaluate(pre, rest, &counts))
        return DRILL_DIRECTIVE_BAD;
    c->counts = counts;
    c->has_counted |= counts;
    pre->left_out |= !counts;
    return DRILL_DIRECTIVE_DONE;
}

static enum drill_directive define(struct drill_preprocess *pre, struct text rest)
{
    struct text name = take_word(&rest);

    if (!name.left || isdigit((unsigned char)*name.at))
        return bad(pre, "#define: expected a name");
    if (rest.left && *rest.at == '(')
        return bad(pre, "#define: names with parameters are not in the language");
    while (rest.left && isspace((unsigned char)*rest.at))
        skip(&rest, 1);
    while (rest.left && isspace((unsigned char)rest.at[rest.left - 1]))
        rest.left--;
    if (!sw_drill_define(pre, name.at, name.left, rest.at, rest.left, false))
        return bad(pre, "#define: too many names");
    return DRILL_DIRECTIVE_DONE;
}

static enum drill_directive undefine(struct drill_preprocess *pre, struct text rest)
{
    struct text name = take_word(&rest);
    struct drill_definition *d = sw_drill_definition(pre, name.at, name.left);

    if (!name.left)
        return bad(pre, "#undef: expected a name");
    if (d)
        d->removed = true;
    return DRILL_DIRECTIVE_DONE;
}

static enum drill_directive include(struct drill_preprocess *pre, struct text rest,
                                    const char **name, size_t *name_length)
{
    const char *end;

    if (rest.left < 2 || (*rest.at != '"' && *rest.at != '<'))
        return bad(pre, "#include: expected a file name in quotes");
    end = memchr(rest.at + 1, *rest.at == '<' ? '>' : '"', rest.left - 1);
    if (!end || end == rest.at + 1)
        return bad(pre, "#include: expected a file name in quotes");
    *name = rest.at + 1;
    *name_length = (size_t)(end - *name);
    return DRILL_DIRECTIVE_INCLUDE;
}

/** A word that looks like a directive but is none would else pass as a comment. */
static bool looks_mistyped(struct text word)
{
    static const char *const starts[] = {"if", "el", "end", "def", "undef", "inc"};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        size_t length = strlen(starts[i]);

        if (word.left >= length && !memcmp(word.at, starts[i], length))
            return true;
    }
    return false;
}

static enum drill_directive condition(struct drill_preprocess *pre, struct text word,
                                      struct text rest, unsigned line)
{
    struct text name = rest;
    bool truth = false;

    if (is(word, "endif")) {
        if (!pre->condition_count)
            return bad(pre, "#endif without #if");
        pre->condition_count--;
        return DRILL_DIRECTIVE_DONE;
    }
    if (is(word, "else") || is(word, "elif"))
        return go_on(pre, is(word, "else"), rest);
    if (!sw_drill_preprocess_counts(pre))
        return begin(pre, false, line);
    if (is(word, "if"))
        return evaluate(pre, rest, &truth) ? begin(pre, truth, line) : DRILL_DIRECTIVE_BAD;
    name = take_word(&rest);
    if (!name.left)
        return bad(pre, "#ifdef: expected a name");
    truth = sw_drill_definition(pre, name.at, name.left) != NULL;
    return begin(pre, truth == is(word, "ifdef"), line);
}

enum drill_directive sw_drill_preprocess_line(struct drill_preprocess *pre, const char *text,
                                              size_t length, unsigned line, const char **name,
                                              size_t *name_length)
{
    static const char *const conditions[] = {"if", "ifdef", "ifndef", "elif", "else", "endif"};
    struct text rest = {text + 1, length - 1}, word;

    word = take_word(&rest); /* with a space between it is prose: "# if it rains" */
    skip_space(&rest);
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
        if (is(word, conditions[i]))
            return condition(pre, word, rest, line);
    }
    if (!sw_drill_preprocess_counts(pre))
        return DRILL_DIRECTIVE_DONE;
    if (is(word, "define"))
        return define(pre, rest);
    if (is(word, "undef"))
        return undefine(pre, rest);
    if (is(word, "include"))
        return include(pre, rest, name, name_length);
    if (is(word, "error")) {
        snprintf(pre->error, sizeof(pre->error), "#error %.*s",
                 (int)(rest.left > 120 ? 120 : rest.left), rest.at);
        return DRILL_DIRECTIVE_BAD;
    }
    if (looks_mistyped(word)) {
        snprintf(pre->error, sizeof(pre->error), "#%.*s is no directive",
                 (int)(word.left > 60 ? 60 : word.left), word.at);
        return DRILL_DIRECTIVE_BAD;
    }
    return DRILL_DIRECTIVE_DONE;
}
