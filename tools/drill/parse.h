/*
 * parse.h - What the parts of the parser share.
 *
 *     parse.c         options, shell lines, times, events
 *     parse_value.c   calls and the values in them
 *     parse_packet.c  packets
 *     parse_ip.c      what stands in brackets before a segment
 *     parse_option.c  TCP options
 *
 * Recursive descent with one token of look-ahead, p->token. A function sw_drill_parse_x() is called at
 * the first token of an x and leaves the one after it; it returns false when the script is wrong, and
 * then the message is written already.
 */
#ifndef SANWO_TOOLS_DRILL_PARSE_H
#define SANWO_TOOLS_DRILL_PARSE_H

#include "lexer.h"
#include "script.h"

struct drill_parser {
    struct drill_lexer lexer;
    struct drill_token token;
    struct drill_script *script;
    struct drill_memory *memory;
    unsigned depth;        /* of brackets around a value */
    bool in_result;        /* behind a call's '=': brackets after a word are a note */
    unsigned shell_lines;  /* without a time */
    unsigned last_line;    /* of the last event, for messages */
    const char *last_word; /* what the last event was */
    char *message;
    size_t message_size;
};

/* ---- tokens ------------------------------------------------------------------------------------- */

void sw_drill_parse_advance(struct drill_parser *p);
bool sw_drill_parse_is_sign(const struct drill_parser *p, char sign);
bool sw_drill_parse_is_word(const struct drill_parser *p, const char *word);

/** Takes the sign or word if it is there. */
bool sw_drill_parse_take_sign(struct drill_parser *p, char sign);
bool sw_drill_parse_take_word(struct drill_parser *p, const char *word);

/** Takes the sign, or fails: "expected ')' @where, found 'x'". */
bool sw_drill_parse_need_sign(struct drill_parser *p, char sign, const char *where);

bool sw_drill_parse_is_number(const struct drill_parser *p);

/** Takes a number between the two, decimal or 0x..., or fails naming @what. */
bool sw_drill_parse_number(struct drill_parser *p, const char *what, int64_t low, int64_t high,
                           int64_t *out);

/** A copy of the token's text. */
char *sw_drill_parse_copy(struct drill_parser *p, const struct drill_token *token);

/* ---- failing ------------------------------------------------------------------------------------ */

/** "path:line: ..." for the token's place; always false. The first failure stays. */
bool sw_drill_parse_fail(struct drill_parser *p, const struct drill_token *at, const char *format,
                         ...) __attribute__((format(printf, 3, 4)));

/** "path:line: expected @what, found ..." at the current token; always false. */
bool sw_drill_parse_expected(struct drill_parser *p, const char *what);

/** "unsupported: path:line: ..."; always false. */
bool sw_drill_parse_unsupported(struct drill_parser *p, const struct drill_token *at,
                                const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ---- parts of an event -------------------------------------------------------------------------- */

bool sw_drill_parse_call(struct drill_parser *p, struct drill_call *call);
bool sw_drill_parse_packet(struct drill_parser *p, struct drill_packet *packet);

/** After a bracket: ect0, tos 0x10, ttl 5 and the like, and @close. */
bool sw_drill_parse_ip_info(struct drill_parser *p, struct drill_packet *packet, char close);

/** At the '<' of a segment's options. */
bool sw_drill_parse_tcp_options(struct drill_parser *p, struct drill_packet *packet);

#endif
