/*
 * lexer.h - A script's text as tokens.
 *
 *     script  --  comments and '#' lines leave, defined words are replaced  -->  tokens
 *
 * The words are those of packetdrill's two lexers. A few places of the language are no tokens but
 * plain text up to a sign (the note behind a result, an option's value): the parser asks for these
 * with sw_drill_lexer_until() and sw_drill_lexer_option_value() while the token before is current.
 */
#ifndef SANWO_TOOLS_DRILL_LEXER_H
#define SANWO_TOOLS_DRILL_LEXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "preprocess.h"
#include "script_memory.h"

#define DRILL_SOURCES_MAX 32

enum drill_token_kind {
    DRILL_TOKEN_END,
    DRILL_TOKEN_WORD,     /* letters, digits, _ */
    DRILL_TOKEN_INTEGER,  /* 12, -1 */
    DRILL_TOKEN_HEX,      /* 0x1f */
    DRILL_TOKEN_FLOAT,    /* 1.5, .5 */
    DRILL_TOKEN_STRING,   /* "...": the text between, escapes as they stand */
    DRILL_TOKEN_SHELL,    /* `...`: the text between, as it stands */
    DRILL_TOKEN_CODE,     /* %{ ... }%: the text between, without blanks at its ends */
    DRILL_TOKEN_ELLIPSIS, /* ... */
    DRILL_TOKEN_OPTION,   /* --name: the name */
    DRILL_TOKEN_SIGN,     /* any other character */
    DRILL_TOKEN_BAD,      /* see the lexer's `error` */
};

/** Where something stands. */
struct drill_place {
    unsigned line;
    unsigned script_line; /* the same, or that of the #include in the script */
    const char *included; /* NULL, or the path of the included file */
};

struct drill_token {
    uint8_t kind; /* enum drill_token_kind */
    char sign;    /* of a SIGN, else 0 */
    const char *text;
    size_t length;
    struct drill_place place;
};

/** Text that is being read: the script, an included file, or what a name stands for. */
struct drill_source {
    const char *text;
    size_t length, position;
    struct drill_place place;
    const char *path;
    bool is_definition;
    size_t definition;         /* which, when it is one */
    unsigned conditions_below; /* open #if when it began */
};

struct drill_lexer {
    struct drill_memory *memory;
    struct drill_preprocess preprocess;
    struct drill_source sources[DRILL_SOURCES_MAX]; /* the innermost last */
    unsigned source_count;
    unsigned replacements, includes;
    char error[256];
};

void sw_drill_lexer_init(struct drill_lexer *lexer, struct drill_memory *memory, const char *path,
                         const char *text, size_t length);

/** The next token; after BAD and END there are no more. */
void sw_drill_lexer_next(struct drill_lexer *lexer, struct drill_token *out);

/**
 * The text from behind the last token up to @stop on the same line; with @stop ')' the one that
 * closes, and if @spaced the first that a blank or the line's end follows. The stop itself is taken
 * too. False if it is not there.
 */
bool sw_drill_lexer_until(struct drill_lexer *lexer, char stop, bool spaced,
                          struct drill_token *out);

/**
 * The value of an option of which the name was the last token: after '=', up to white space; quotes
 * around the whole of it are taken off. False if there is no '='.
 */
bool sw_drill_lexer_option_value(struct drill_lexer *lexer, struct drill_token *out);

#endif
