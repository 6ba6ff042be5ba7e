/*
 * shell_sysctl.c - Setting a sysctl: what sysctl_linux.c or sysctl_freebsd.c say of it is done here.
 *
 * Three kinds: it has a knob and sets it, for the sockets that open from now on; it states what we
 * do anyway, or what no packet shows, and does nothing; or it asks for what we have not, which skips
 * the script with its name.
 */
#define _GNU_SOURCE
#include "shell.h"
#include "sysctl_row.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint32_t sw_drill_sysctl_bytes(int64_t bytes)
{
    if (bytes < 4096)
        return 4096;
    return bytes > (1 << 30) ? UINT32_C(1) << 30 : (uint32_t)bytes;
}

/* With one we lack a script may look different once windows matter (run.c). */
bool sw_drill_sysctl_congestion(struct drill_run *run, struct sanwo_tcp_config *c,
                                const char *value)
{
    char name[16];

    snprintf(name, sizeof name, "%.*s", (int)strcspn(value, " \n"), value);
    return sw_drill_congestion(run, name, &c->congestion);
}

/* Of both systems: 0 off, 1 ask, 2 accept, 3 ask for accurate; Linux's 4 asks for classic, 5 accepts. */
bool sw_drill_sysctl_ecn(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    static const uint8_t modes[] = {SANWO_ECN_OFF,      SANWO_ECN_REQUEST, SANWO_ECN_ACCEPT,
                                    SANWO_ECN_ACCURATE, SANWO_ECN_REQUEST, SANWO_ECN_ACCEPT};
    bool bsd = run->conditions.profile.dialect == SW_DIALECT_BSD;

    if (value[0] < '0' || value[0] > '5' || value[1] != '\0')
        return false;
    c->ecn = bsd && value[0] == '4' ? SANWO_ECN_ACCEPT : modes[value[0] - '0'];
    return true;
}

static bool matches(const char *pattern, const char *name)
{
    size_t length = strlen(pattern);

    if (pattern[length - 1] == '*')
        return !strncmp(pattern, name, length - 1);
    return !strcmp(pattern, name);
}

const struct drill_sysctl_row *sw_drill_sysctl_find(const struct drill_sysctl_row *rows,
                                                    size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (matches(rows[i].name, name))
            return &rows[i];
    return NULL;
}

static const struct drill_sysctl_row *find(const char *name)
{
    const struct drill_sysctl_row *row = sw_drill_sysctl_linux(name);

    return row ? row : sw_drill_sysctl_freebsd(name);
}

/* Is @value one of the words? Those behind a / count with @all only. */
static bool is_one_of(const char *words, const char *value, bool all)
{
    size_t length = strlen(value);

    while (length && isspace((unsigned char)value[length - 1]))
        length--;
    while (words && *words) {
        size_t word = strcspn(words, " /");

        if (word == length && !strncmp(words, value, length))
            return true;
        if (words[word] == '/' && !all)
            return false;
        words += word + (words[word] != 0);
    }
    return false;
}

/* False: the value does not fit. */
static bool set(struct drill_run *run, const struct drill_sysctl_row *row,
                struct sanwo_tcp_config *c, const char *value)
{
    uint8_t *at = (uint8_t *)c + row->offset;
    char *end;
    int64_t n;

    if (row->action == SPECIAL)
        return row->special(run, c, value);
    n = strtoll(value, &end, 10);
    if (end == value || n < 0)
        return false;
    switch (row->action) {
    case FLAG:
        *(bool *)at = n != 0;
        return true;
    case BYTE:
        if (n > 255)
            n = 255;
        *at = (uint8_t)n;
        return true;
    case BYTES:
        *(uint32_t *)(void *)at = sw_drill_sysctl_bytes(n);
        return true;
    default:
        *(sanwo_time *)(void *)at = n * row->unit;
        return true;
    }
}

/* Sockets that are not open yet take it up as well. */
static bool set_all(struct drill_run *run, const struct drill_sysctl_row *row, const char *value)
{
    bool fits = set(run, row, &run->tcp, value);

    for (size_t i = 0; i < DRILL_SOCKETS; i++)
        if (run->sockets[i].kind == DRILL_SOCKET_TCP && !run->sockets[i].has_handle)
            fits &= set(run, row, &run->sockets[i].config, value);
    return fits;
}

bool sw_drill_sysctl(struct drill_run *run, unsigned line, const char *name, const char *value)
{
    const struct drill_sysctl_row *row = find(name);

    if (!row)
        sw_drill_skip(run, line, "the sysctl %s is not known here", name);
    else if (row->action == IGNORED ||
             (row->action == ONLY && is_one_of(row->values, value, run->nested > 0)))
        return true;
    else if (row->action == ONLY)
        sw_drill_skip(run, line, "%s=%s is not there", name, value);
    else if (!set_all(run, row, value))
        sw_drill_fail(run, line, "%s=%s: the value is not one that it takes", name, value);
    return !run->decided;
}
