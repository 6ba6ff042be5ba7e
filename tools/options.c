/*
 * options.c - Options by table: reading them, and the page that --help prints.
 */
#define _GNU_SOURCE
#include "common.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int sw_complain(const char *command, int status, const char *format, ...)
{
    char line[1024];
    va_list list;

    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    fflush(stdout);
    fprintf(stderr, "sanwo %s: %s\n", command, line);
    return status;
}

/* ---- help ------------------------------------------------------------------------------------ */

static void print_options(const struct option_entry *table)
{
    for (; table && table->kind != OPTION_END; table++) {
        char left[64];
        char letter[8] = "    ";

        if (table->letter)
            snprintf(letter, sizeof letter, "-%c, ", table->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, table->name, table->argument ? " " : "",
                 table->argument ? table->argument : "");
        printf("  %-26s %s\n", left, table->help);
    }
}

/* Lines of @text, each indented. */
static void print_indented(const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");

        printf("  %.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
}

static void print_help(const struct command_help *help, const struct option_entry *own,
                       const struct option_entry *shared)
{
    printf("usage: sanwo %s %s\n\n%s\n\noptions:\n", help->name, help->synopsis, help->summary);
    print_options(own);
    printf("  %-26s %s\n", "-h, --help", "this page");
    if (shared) {
        printf("\nthe link:\n");
        print_options(shared);
    }
    if (help->more)
        printf("\n%s\n", help->more);
    printf("\nexample:\n");
    print_indented(help->example);
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool read_number(const struct option_entry *option, const char *value)
{
    char *end;
    unsigned long long number;

    errno = 0;
    number = strtoull(value, &end, 10);
    if (*value < '0' || *value > '9' || *end || errno || number < option->least ||
        number > option->most)
        return false;
    *(uint64_t *)option->target = number;
    return true;
}

/* A decimal of at least 0, times @unit. */
static bool read_decimal(const char *value, double unit, double most, double *out)
{
    char *end;
    double number = strtod(value, &end);

    if (end == value || *end || !isfinite(number) || number < 0 || number * unit > most)
        return false;
    *out = number * unit;
    return true;
}

static bool read_time(const struct option_entry *option, const char *value, sanwo_time unit)
{
    double result;

    if (!read_decimal(value, (double)unit, 1e17, &result))
        return false;
    *(sanwo_time *)option->target = (sanwo_time)result;
    return true;
}

static bool read_list(const struct option_entry *option, const char *value)
{
    struct option_list *list = option->target;

    if (list->count == MAX_LIST)
        return false;
    list->items[list->count++] = value;
    return true;
}

static bool read_percent(const struct option_entry *option, const char *value)
{
    double result;

    if (!read_decimal(value, 10000, 1000000, &result))
        return false;
    *(uint32_t *)option->target = (uint32_t)(result + 0.5);
    return true;
}

static bool take_value(const struct option_entry *option, const char *value)
{
    switch (option->kind) {
    case OPTION_ON:
        *(bool *)option->target = true;
        return true;
    case OPTION_OFF:
        *(bool *)option->target = false;
        return true;
    case OPTION_TEXT:
        *(const char **)option->target = value;
        return true;
    case OPTION_LIST:
        return read_list(option, value);
    case OPTION_NUMBER:
        return read_number(option, value);
    case OPTION_SECONDS:
        return read_time(option, value, SANWO_SEC(1));
    case OPTION_MILLISECONDS:
        return read_time(option, value, SANWO_MSEC(1));
    case OPTION_PERCENT:
        return read_percent(option, value);
    case OPTION_END:
        break;
    }
    return false;
}

static void expect(const struct option_entry *option, char *out, size_t size)
{
    switch (option->kind) {
    case OPTION_NUMBER:
        snprintf(out, size, "a number from %" PRIu64 " to %" PRIu64, option->least, option->most);
        break;
    case OPTION_SECONDS:
        snprintf(out, size, "seconds, as 2.5");
        break;
    case OPTION_MILLISECONDS:
        snprintf(out, size, "milliseconds, as 20");
        break;
    case OPTION_PERCENT:
        snprintf(out, size, "a percentage from 0 to 100, as 0.5");
        break;
    default:
        snprintf(out, size, "something else, or fewer of them");
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

struct reading {
    const struct command_help *help;
    const struct option_entry *own, *shared;
    int argc, at;
    char **argv;
};

static const struct option_entry *find_in(const struct option_entry *table, const char *name,
                                          size_t length, char letter)
{
    for (; table && table->kind != OPTION_END; table++) {
        if (name && strlen(table->name) == length && !strncmp(table->name, name, length))
            return table;
        if (!name && table->letter == letter && letter)
            return table;
    }
    return NULL;
}

static const struct option_entry *find(const struct reading *r, const char *name, size_t length,
                                       char letter)
{
    const struct option_entry *option = find_in(r->own, name, length, letter);

    return option ? option : find_in(r->shared, name, length, letter);
}

static bool mistake(const struct reading *r, const char *what, const char *argument)
{
    sw_complain(r->help->name, STATUS_USAGE, "%s %s; \"sanwo %s --help\" shows what there is", what,
                argument, r->help->name);
    return false;
}

/* @value: what follows "=" or the letter, or NULL: the next argument. */
static bool apply(struct reading *r, const struct option_entry *option, const char *value)
{
    char expected[80];

    if (option->argument && !value) {
        if (r->at + 1 >= r->argc) {
            sw_complain(r->help->name, STATUS_USAGE, "--%s needs a value: --%s %s", option->name,
                        option->name, option->argument);
            return false;
        }
        value = r->argv[++r->at];
    }
    if (take_value(option, value))
        return true;
    expect(option, expected, sizeof expected);
    sw_complain(r->help->name, STATUS_USAGE, "--%s does not take '%s'; give %s", option->name,
                value, expected);
    return false;
}

static bool read_long(struct reading *r, const char *argument)
{
    const char *name = argument + 2;
    size_t length = strcspn(name, "=");
    const struct option_entry *option = find(r, name, length, 0);

    if (!option)
        return mistake(r, "there is no option", argument);
    if (name[length] && !option->argument)
        return mistake(r, "no value belongs to", argument);
    return apply(r, option, name[length] ? name + length + 1 : NULL);
}

/* "-v", "-p80", "-vl". */
static bool read_letters(struct reading *r, const char *argument)
{
    for (const char *at = argument + 1; *at; at++) {
        const struct option_entry *option = find(r, NULL, 0, *at);

        if (!option)
            return mistake(r, "there is no option", argument);
        if (option->argument)
            return apply(r, option, at[1] ? at + 1 : NULL);
        if (!apply(r, option, NULL))
            return false;
    }
    return true;
}

bool sw_options_read(const struct command_help *help, const struct option_entry *own,
                     const struct option_entry *shared, int argc, char **argv, int *count,
                     int *status)
{
    struct reading r = {help, own, shared, argc, 1, argv};
    bool only_others = false;

    *count = 0;
    *status = STATUS_USAGE;
    for (; r.at < argc; r.at++) {
        char *argument = argv[r.at];

        if (only_others || argument[0] != '-' || !argument[1]) {
            argv[++*count] = argument;
        } else if (!strcmp(argument, "--")) {
            only_others = true;
        } else if (!strcmp(argument, "--help") || !strcmp(argument, "-h")) {
            print_help(help, own, shared);
            *status = STATUS_OK;
            return false;
        } else if (argument[1] == '-' ? !read_long(&r, argument) : !read_letters(&r, argument)) {
            return false;
        }
    }
    return true;
}
