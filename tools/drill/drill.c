/*
 * drill.c - `sanwo drill`: scripts in packetdrill's language against our stack, in virtual time.
 */
#define _GNU_SOURCE
#include "../common.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parallel.h"
#include "report.h"

/* Options of packetdrill that go to the scripts as they are; they prevail over a script's own. */
static const struct {
    const char *name, *argument, *help;
} passed_on[] = {
    {"ip_version", "V", "ipv4 (the default), ipv4-mapped-ipv6 or ipv6"},
    {"local_ip", "ADDR", "our address"},
    {"remote_ip", "ADDR", "the peer's address"},
    {"gateway_ip", "ADDR", "taken, and not needed"},
    {"netmask_ip", "MASK", "of our address"},
    {"mtu", "BYTES", "of the link (1500)"},
    {"bind_port", "PORT", "of bind(fd, ..., ...) (8080)"},
    {"connect_port", "PORT", "of connect(fd, ..., ...) (8080)"},
    {"tolerance_usecs", "N", "how much earlier or later is right (4000)"},
    {"tolerance_percent", "P", "... or of the time since the last event, if that is more"},
    {"tcp_ts_tick_usecs", "N", "check timestamps against a clock of that tick"},
    {"non_fatal", "WHAT", "packet, syscall: differences are told, and no failure"},
    {"init_scripts", "FILES", "command lines before each script, separated by commas"},
};

#define PASSED_ON (sizeof passed_on / sizeof passed_on[0])

struct choices {
    const char *profile, *junit, *pcap;
    struct option_list defines;
    uint64_t jobs, timeout;
    bool json, list, dry_run, verbose, strict, strict_segments;
    const char *values[PASSED_ON];
};

#define OWN_OPTIONS 14

static void make_table(struct choices *c, struct option_entry table[OWN_OPTIONS + PASSED_ON])
{
    const struct option_entry own[] = {
        {OPTION_TEXT, 'p', "profile", &c->profile, "NAME",
         "whose choices: sanwo, linux, freebsd, or auto (by each script's spelling)", 0, 0},
        {OPTION_LIST, 'D', "define", &c->defines, "NAME=VALUE", "for #ifdef, and for words", 0, 0},
        {OPTION_NUMBER, 'j', "jobs", &c->jobs, "N",
         "processes; 0: none but this one (default: one a core)", 0, DRILL_JOBS_MAX},
        {OPTION_NUMBER, 0, "timeout", &c->timeout, "SECONDS", "of real time for a script (60)", 1,
         86400},
        {OPTION_ON, 0, "json", &c->json, NULL, "results as JSON", 0, 0},
        {OPTION_TEXT, 0, "junit", &c->junit, "FILE", "results as JUnit's XML, too", 0, 0},
        {OPTION_TEXT, 0, "pcap", &c->pcap, "DIR", "record each script's packets there (pcapng)", 0,
         0},
        {OPTION_ON, 'v', "verbose", &c->verbose, NULL, "everything that happens", 0, 0},
        {OPTION_ON, 0, "strict", &c->strict, NULL,
         "every packet of the stack must be taken by an event, in order", 0, 0},
        {OPTION_ON, 0, "strict_segments", &c->strict_segments, NULL,
         "never take segments that follow each other for one", 0, 0},
        {OPTION_ON, 0, "dry_run", &c->dry_run, NULL, "read the scripts only", 0, 0},
        {OPTION_ON, 'l', "list", &c->list, NULL, "name the scripts and stop", 0, 0},
    };
    size_t n = sizeof own / sizeof own[0];

    _Static_assert(sizeof own / sizeof own[0] < OWN_OPTIONS, "room for the options and their end");
    memcpy(table, own, sizeof own);
    for (size_t i = 0; i < PASSED_ON; i++)
        table[n++] = (struct option_entry){.kind = OPTION_TEXT,
                                           .name = passed_on[i].name,
                                           .target = &c->values[i],
                                           .argument = passed_on[i].argument,
                                           .help = passed_on[i].help};
    table[n] = (struct option_entry){.kind = OPTION_END};
}

/* ---- the scripts -------------------------------------------------------------------------------------- */

struct paths {
    char **items;
    size_t count, size;
};

static bool add_path(struct paths *p, const char *path)
{
    if (p->count == p->size) {
        size_t larger = p->size ? 2 * p->size : 256;
        char **grown = realloc(p->items, larger * sizeof *grown);

        if (!grown)
            return false;
        p->items = grown;
        p->size = larger;
    }
    p->items[p->count] = strdup(path);
    return p->items[p->count++] != NULL;
}

static bool is_script(const char *name)
{
    size_t length = strlen(name);

    return length > 4 && !strcmp(name + length - 4, ".pkt");
}

/* The scripts of a folder and those below it, sorted. False with errno. */
static bool add_folder(struct paths *p, const char *folder)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, NULL, alphasort);
    bool fine = n >= 0;

    for (int i = 0; i < n; i++) {
        char path[4096];
        struct stat status;

        snprintf(path, sizeof path, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/",
                 entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && fine && stat(path, &status) == 0) {
            if (S_ISDIR(status.st_mode))
                fine = add_folder(p, path);
            else if (is_script(entries[i]->d_name))
                fine = add_path(p, path);
        }
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return fine;
}

static bool add_argument(struct paths *p, const char *path)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return false;
    return S_ISDIR(status.st_mode) ? add_folder(p, path) : add_path(p, path);
}

static void free_paths(struct paths *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(p->items[i]);
    free(p->items);
}

/* ---- what was asked for ------------------------------------------------------------------------------- */

/* "NAME=VALUE", or "NAME" alone, split in place of a copy that lives as long as the command. */
static struct drill_define define_of(const char *text)
{
    char *copy = strdup(text), *equals = copy ? strchr(copy, '=') : NULL;

    if (equals)
        *equals = 0;
    return (struct drill_define){copy ? copy : "", equals ? equals + 1 : "1"};
}

static void make_settings(const struct choices *c, struct drill_settings *s,
                          struct drill_define *defines, struct drill_option *options)
{
    size_t n = 0;

    for (size_t i = 0; i < c->defines.count; i++)
        defines[i] = define_of(c->defines.items[i]);
    for (size_t i = 0; i < PASSED_ON; i++)
        if (c->values[i])
            options[n++] = (struct drill_option){.name = strdup(passed_on[i].name),
                                                 .value = strdup(c->values[i])};
    if (c->strict_segments)
        options[n++] = (struct drill_option){.name = strdup("strict_segments")};
    *s = (struct drill_settings){.profile = c->profile,
                                 .defines = defines,
                                 .define_count = c->defines.count,
                                 .options = options,
                                 .option_count = n,
                                 .pcap = c->pcap,
                                 .dry_run = c->dry_run,
                                 .verbose = c->verbose,
                                 .strict = c->strict};
}

static void free_settings(struct drill_settings *s, struct drill_define *defines,
                          struct drill_option *options)
{
    for (size_t i = 0; i < s->define_count; i++)
        free((void *)(uintptr_t)defines[i].name);
    for (size_t i = 0; i < s->option_count; i++) {
        free(options[i].name);
        free(options[i].value);
    }
}

static bool is_profile(const char *name)
{
    struct sw_profile profile;

    return !strcmp(name, "auto") || sw_profile_find(name, &profile);
}

static unsigned default_jobs(size_t scripts)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t jobs = cores > 0 ? (size_t)cores : 1;

    if (jobs > DRILL_JOBS_MAX)
        jobs = DRILL_JOBS_MAX;
    return (unsigned)(jobs < scripts ? jobs : scripts);
}

/* ---- the command ---------------------------------------------------------------------------------------- */

static int write_junit(const struct drill_report *report, const char *path)
{
    FILE *out = fopen(path, "w");

    if (out)
        sw_drill_report_junit(report, out);
    if (!out || fclose(out) != 0)
        return sw_complain("drill", STATUS_WRITE, "%s cannot be written: %s", path,
                           strerror(errno));
    return STATUS_OK;
}

static int run_all(const struct choices *c, const struct paths *paths)
{
    struct drill_define defines[MAX_LIST];
    struct drill_option options[PASSED_ON + 1];
    struct drill_settings settings;
    struct drill_result *results = calloc(paths->count, sizeof *results);
    sanwo_time begun = sanwo_time_now();
    unsigned jobs = c->jobs == UINT64_MAX ? default_jobs(paths->count) : (unsigned)c->jobs;
    int status = STATUS_OK;

    if (!results)
        return sw_complain("drill", STATUS_FAILED, "no memory");
    make_settings(c, &settings, defines, options);
    sw_drill_parallel((const char *const *)paths->items, paths->count, &settings, jobs,
                      SANWO_SEC((sanwo_time)c->timeout), results);
    struct drill_report report = {(const char *const *)paths->items, results, paths->count,
                                  sanwo_time_now() - begun};
    if (c->json)
        sw_drill_report_json(&report, stdout);
    else
        sw_drill_report_text(&report, c->verbose, stdout);
    if (c->junit)
        status = write_junit(&report, c->junit);
    if (sw_drill_report_count(&report, DRILL_FAILED))
        status = STATUS_FAILED;
    for (size_t i = 0; i < paths->count; i++)
        sw_drill_result_free(&results[i]);
    free(results);
    free_settings(&settings, defines, options);
    return status;
}

static int check_choices(const struct choices *c)
{
    if (!is_profile(c->profile))
        return sw_complain("drill", STATUS_USAGE,
                           "there is no profile '%s'; give sanwo, linux, freebsd or auto",
                           c->profile);
    if (c->pcap && mkdir(c->pcap, 0777) < 0 && errno != EEXIST)
        return sw_complain("drill", STATUS_WRITE, "the folder %s cannot be made: %s", c->pcap,
                           strerror(errno));
    return STATUS_OK;
}

int sw_cmd_drill(int argc, char **argv)
{
    static const struct command_help help = {
        "drill", "SCRIPT|DIR... [options]",
        "Runs scripts in packetdrill's language (Google's and FreeBSD's dialect) against our "
        "stack\n"
        "in this process, in virtual time and without root. A folder means all *.pkt below it.",
        "Exit status: 0 if none failed, 1 if one did, 2 for mistakes on the command line.\n"
        "What the stack or this command has not yet skips a script; the reasons are listed.",
        "sanwo drill tests/script\n"
        "sanwo drill --profile auto --junit drill.xml scripts/\n"
        "sanwo drill -v --pcap captures close.pkt"};
    struct choices choices = {.profile = "sanwo", .jobs = UINT64_MAX, .timeout = 60};
    struct option_entry table[OWN_OPTIONS + PASSED_ON];
    struct paths paths = {0};
    int count, status;

    make_table(&choices, table);
    if (!sw_options_read(&help, table, NULL, argc, argv, &count, &status))
        return status;
    if (!count)
        return sw_complain("drill", STATUS_USAGE,
                           "which scripts? Name files or folders: sanwo drill tests/script");
    status = check_choices(&choices);
    for (int i = 1; i <= count && status == STATUS_OK; i++)
        if (!add_argument(&paths, argv[i]))
            status = sw_complain("drill", STATUS_USAGE, "%s cannot be read: %s", argv[i],
                                 strerror(errno));
    if (status == STATUS_OK && !paths.count)
        status = sw_complain("drill", STATUS_USAGE, "there is no script (*.pkt) in there");
    if (status == STATUS_OK && choices.list)
        for (size_t i = 0; i < paths.count; i++)
            puts(paths.items[i]);
    else if (status == STATUS_OK)
        status = run_all(&choices, &paths);
    free_paths(&paths);
    return status;
}
