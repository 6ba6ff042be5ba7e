/*
 * shell.c - Reading command lines as a shell would, without being one.
 *
 *     line  ->  commands joined by && || ; |  ->  words, with quotes  ->  the table
 *
 * What a shell could do beyond that (substitution, loops, functions) skips the script, as does a
 * command that the table does not have: nothing of a script is ever executed by the system.
 */
#define _GNU_SOURCE
#include "shell.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell_command.h"

/* ---- reading ------------------------------------------------------------------------------------- */

struct reader {
    struct drill_run *run;
    unsigned line;
    const char *at;
};

enum joint { JOINT_END, JOINT_THEN, JOINT_AND, JOINT_OR, JOINT_PIPE };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blank(struct reader *r)
{
    for (;;) {
        while (is_blank(*r->at))
            r->at++;
        if (r->at[0] == '\\' && r->at[1] == '\n') {
            r->at += 2;
            continue;
        }
        if (*r->at == '#')
            while (*r->at && *r->at != '\n')
                r->at++;
        return;
    }
}

static bool ends_word(char c)
{
    return !c || is_blank(c) || strchr(";&|<>\n()", c);
}

static bool too_much(struct reader *r, const char *what)
{
    sw_drill_skip(r->run, r->line, "the command line uses %s of a shell: %.160s", what, r->at);
    return false;
}

/* $NAME and ${NAME}: what is not known here is empty, as in a shell. */
static bool read_variable(struct reader *r)
{
    r->at++;
    if (*r->at == '(')
        return too_much(r, "$(...)");
    if (*r->at == '{') {
        while (*r->at && *r->at != '}')
            r->at++;
        r->at += *r->at == '}';
        return true;
    }
    if (!isalnum((unsigned char)*r->at) && *r->at != '_') {
        r->at += *r->at != 0; /* $$, $?, $0 */
        return true;
    }
    while (isalnum((unsigned char)*r->at) || *r->at == '_')
        r->at++;
    return true;
}

/* One word into @out, quotes undone. False: the run is decided. */
static bool read_word(struct reader *r, char *out, size_t size)
{
    size_t used = 0;
    char quote = 0;

    while (*r->at && (quote || !ends_word(*r->at))) {
        char c = *r->at;

        if (c == quote) {
            quote = 0;
            r->at++;
        } else if (!quote && (c == '\'' || c == '"')) {
            quote = c;
            r->at++;
        } else if (c == '`') {
            return too_much(r, "`...`");
        } else if (c == '$' && quote != '\'' && r->at[1] == '(' && r->at[2] == '(') {
            if (!sw_drill_shell_arithmetic(&r->at, out, &used, size))
                return too_much(r, "arithmetic");
        } else if (c == '$' && quote != '\'') {
            if (!read_variable(r))
                return false;
        } else {
            if (c == '\\' && quote != '\'' && r->at[1])
                c = *++r->at;
            if (used + 1 < size)
                out[used++] = c;
            r->at++;
        }
    }
    out[used] = 0;
    return true;
}

/* "> file", "2>&1", "< file", after the digits. The target of ">" is kept: echo writes sysctls so. */
static bool read_redirection(struct reader *r, struct drill_command *c)
{
    bool out = *r->at == '>';
    char word[DRILL_WORD_SIZE];

    while (*r->at == '>' || *r->at == '<')
        r->at++;
    if (*r->at == '&')
        r->at++;
    skip_blank(r);
    if (!read_word(r, word, sizeof word))
        return false;
    if (out)
        snprintf(c->target, sizeof c->target, "%s", word);
    return true;
}

static bool is_redirection(const struct reader *r)
{
    const char *p = r->at;

    while (isdigit((unsigned char)*p))
        p++;
    return *p == '>' || *p == '<' || (r->at[0] == '&' && r->at[1] == '>');
}

/* Words up to a joint. False: the run is decided. */
static bool read_command(struct reader *r, struct drill_command *c)
{
    c->count = 0;
    c->target[0] = 0;
    for (;;) {
        skip_blank(r);
        if (is_redirection(r)) {
            while (*r->at != '>' && *r->at != '<')
                r->at++;
            if (!read_redirection(r, c))
                return false;
            continue;
        }
        if (*r->at == '(' || *r->at == ')')
            return too_much(r, "( )");
        if (ends_word(*r->at))
            return true;
        if (c->count == DRILL_WORDS)
            return too_much(r, "more words than there is room for");
        if (!read_word(r, c->words[c->count], DRILL_WORD_SIZE))
            return false;
        c->count++;
    }
}

static enum joint read_joint(struct reader *r)
{
    char c = *r->at;

    if (!c)
        return JOINT_END;
    r->at++;
    if (c == *r->at && (c == '&' || c == '|')) {
        r->at++;
        return c == '&' ? JOINT_AND : JOINT_OR;
    }
    return c == '|' ? JOINT_PIPE : JOINT_THEN; /* also ; & and the end of a line */
}

/* ---- running --------------------------------------------------------------------------------------- */

static void drop_first_word(struct drill_command *c)
{
    memmove(c->words[0], c->words[1], (DRILL_WORDS - 1) * sizeof c->words[0]);
    c->count--;
}

/* NAME=value before a command, sudo and the like. False: nothing is left of the command. */
static bool drop_prefixes(struct drill_command *c, bool *negated)
{
    static const char *const prefixes[] = {"sudo", "command", "exec", "time", "nohup"};

    for (;;) {
        bool drop = false;

        if (!c->count)
            return false;
        if (!strcmp(c->words[0], "!"))
            *negated = drop = true;
        for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
            drop |= !strcmp(c->words[0], prefixes[i]);
        if (strchr(c->words[0], '=') && strchr(c->words[0], '=') != c->words[0] &&
            !strpbrk(c->words[0], ".-/ "))
            drop = true;
        if (!drop)
            return true;
        drop_first_word(c);
    }
}

/* The status of one pipeline, of an empty one the @status before it; -1: the run is decided. */
static int run_pipeline(struct reader *r, struct drill_command *c, int status, enum joint *joint)
{
    struct drill_buffer input = {0};
    bool negated = false;

    for (;;) {
        struct drill_buffer output = {0};

        if (!read_command(r, c)) {
            sw_drill_append_free(&input);
            return -1;
        }
        *joint = read_joint(r);
        if (drop_prefixes(c, &negated)) {
            c->input = input.text ? input.text : "";
            c->is_read = *joint == JOINT_PIPE;
            status = sw_drill_shell_command(r->run, r->line, c, &output);
        }
        sw_drill_append_free(&input);
        input = output;
        if (*joint != JOINT_PIPE || r->run->decided)
            break;
    }
    sw_drill_append_free(&input);
    if (r->run->decided)
        return -1;
    return negated ? !status : status;
}

/* Passes over a pipeline that && or || leaves out. False: the run is decided. */
static bool pass_over(struct reader *r, struct drill_command *c, enum joint *joint)
{
    do {
        if (!read_command(r, c))
            return false;
        *joint = read_joint(r);
    } while (*joint == JOINT_PIPE);
    return true;
}

/* The status of the last command; -1: the run is decided. */
static int run_line(struct reader *r)
{
    struct drill_command *c = malloc(sizeof *c);
    enum joint before = JOINT_THEN, joint = JOINT_THEN;
    int status = 0;

    while (c && joint != JOINT_END && status >= 0) {
        bool runs = before == JOINT_THEN || (before == JOINT_AND && status == 0) ||
                    (before == JOINT_OR && status != 0);

        if (runs)
            status = run_pipeline(r, c, status, &joint);
        else if (!pass_over(r, c, &joint))
            status = -1;
        before = joint;
    }
    free(c);
    return status;
}

int sw_drill_shell_run(struct drill_run *run, unsigned line, const char *text)
{
    struct reader r = {run, line, text};

    return run_line(&r);
}

void sw_drill_shell(struct drill_run *run, unsigned line, const char *text)
{
    int status = sw_drill_shell_run(run, line, text);

    if (status > 0)
        sw_drill_fail(run, line, "the command line ends with status %d: %.400s", status, text);
}

/* $((...)) of plain numbers: a product or a sum, as in $((4*1024)). */
bool sw_drill_shell_arithmetic(const char **at, char *out, size_t *used, size_t size)
{
    const char *p = *at + 3;
    long long value = 0, term = 1;
    char operation = '+', *end;
    bool any = false;

    for (;; operation = *p++) {
        long long n = strtoll(p, &end, 10);

        if (end == p)
            return false;
        p = end + strspn(end, " ");
        if (operation == '*')
            term *= n;
        else if (any)
            value += term, term = operation == '-' ? -n : n;
        else
            term = n;
        any = true;
        if (!*p || !strchr("+-*", *p))
            break;
    }
    if (strncmp(p, "))", 2))
        return false;
    *used += (size_t)snprintf(out + *used, size - *used, "%lld", value + term);
    if (*used >= size)
        *used = size - 1;
    *at = p + 2;
    return true;
}
