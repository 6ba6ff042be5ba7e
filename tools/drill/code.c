/*
 * code.c - Collecting the code of a script, running it at the end.
 */
#include "code.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "info.h"
#include "python.h"

/* A literal of bytes; printable ones as they are. */
static void add_literal(struct drill_buffer *t, const char *text)
{
    sw_drill_append(t, "b'");
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (isalnum(*c) || strchr(" _+-*/=<>!.,:;()[]{}", *c))
            sw_drill_append(t, "%c", *c);
        else
            sw_drill_append(t, "\\x%02x", *c);
    }
    sw_drill_append(t, "'");
}

/* packetdrill names every variable; FreeBSD's dialect has some with underscores before, too. */
static void add_variables(struct drill_buffer *t, const struct drill_variable *variables, size_t n)
{
    sw_drill_append(t, "{");
    for (size_t i = 0; i < n; i++) {
        sw_drill_append(t, "'%s':%llu,", variables[i].name, (unsigned long long)variables[i].value);
        if (!strncmp(variables[i].name, "tcpi_", 5))
            sw_drill_append(t, "'__%s':%llu,", variables[i].name,
                            (unsigned long long)variables[i].value);
    }
    sw_drill_append(t, "}");
}

void sw_drill_code_add(struct drill_run *run, const struct drill_event *event)
{
    struct drill_variable variables[DRILL_VARIABLES];
    struct drill_socket *s = run->under_test >= 0 ? &run->sockets[run->under_test] : NULL;
    size_t n = s && s->kind == DRILL_SOCKET_TCP ? sw_drill_info(run, s, variables) : 0;

    if (!n) {
        sw_drill_fail(run, event->line, "the code has no connection to ask: no socket is open");
        return;
    }
    sw_drill_append(&run->code, "step(%u,", event->line);
    add_variables(&run->code, variables, n);
    sw_drill_append(&run->code, ",");
    add_literal(&run->code, event->text ? event->text : "");
    sw_drill_append(&run->code, ")\n");
}

/*
 * "NameError: name 'tcpi_x' is not defined": what our stack does not tell skips the script. A name
 * that no kernel tells either is a mistake in the script.
 */
static bool is_absent(const char *message, char *name, size_t size)
{
    static const char *const prefixes[] = {"tcpi_",  "__tcpi_", "bbr_",
                                           "dctcp_", "tcpv_",   "SK_MEMINFO_"};
    const char *at = strstr(message, "NameError: name '");

    if (!at)
        return false;
    at += strlen("NameError: name '");
    snprintf(name, size, "%.*s", (int)strcspn(at, "'"), at);
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
            return true;
    return false;
}

void sw_drill_code_execute(struct drill_run *run)
{
    char message[DRILL_MESSAGE], name[64], *text;
    unsigned line;

    if (run->decided || !run->code.length)
        return;
    if (!run->python) {
        sw_drill_skip(run, 0, "there is code to run, and no Python for it");
        return;
    }
    switch (sw_drill_python_run(run->python, run->code.text, run->code.length, message,
                                sizeof message)) {
    case DRILL_PYTHON_PASSED:
        return;
    case DRILL_PYTHON_ABSENT:
        sw_drill_skip(run, 0, "python3 is not installed: the code cannot run");
        return;
    default:
        line = (unsigned)strtoul(message, &text, 10);
        if (is_absent(message, name, sizeof name))
            sw_drill_skip(run, line, "%s is not told by our stack", name);
        sw_drill_fail(run, line, "code:%s", text);
    }
}
