/*
 * shell_command.c - The table of commands, and those that set something.
 */
#define _GNU_SOURCE
#include "shell_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell.h"

#define MOST_NESTED 4
#define MOST_FILE (256u << 10)

typedef int command_function(struct drill_run *run, unsigned line, const struct drill_command *c,
                             struct drill_buffer *output);

static int skip(struct drill_run *run, unsigned line, const struct drill_command *c)
{
    struct drill_buffer text = {0};

    for (size_t i = 0; i < c->count; i++)
        sw_drill_append(&text, "%s%s", i ? " " : "", c->words[i]);
    sw_drill_skip(run, line, "the command `%.300s`", text.text ? text.text : "");
    sw_drill_append_free(&text);
    return -1;
}

static int nothing(struct drill_run *run, unsigned line, const struct drill_command *c,
                   struct drill_buffer *output)
{
    (void)run, (void)line, (void)c, (void)output;
    return 0;
}

static int failure(struct drill_run *run, unsigned line, const struct drill_command *c,
                   struct drill_buffer *output)
{
    (void)run, (void)line, (void)c, (void)output;
    return 1;
}

/* Prints something of the system: harmless while nobody reads it. */
static int report(struct drill_run *run, unsigned line, const struct drill_command *c,
                  struct drill_buffer *output)
{
    (void)output;
    return c->is_read ? skip(run, line, c) : 0;
}

/* ---- sysctls ------------------------------------------------------------------------------------- */

/* name=value, "name = value" in three words, or a name alone, which is only asked for. */
static int do_sysctl(struct drill_run *run, unsigned line, const struct drill_command *c,
                     struct drill_buffer *output)
{
    (void)output;
    if (c->is_read)
        return skip(run, line, c);
    for (size_t i = 1; i < c->count; i++) {
        char name[DRILL_WORD_SIZE];
        const char *equals = strchr(c->words[i], '='), *value;

        if (c->words[i][0] == '-')
            continue;
        if (!equals && i + 2 < c->count && !strcmp(c->words[i + 1], "=")) {
            value = c->words[i + 2];
            snprintf(name, sizeof name, "%s", c->words[i]);
            i += 2;
        } else if (equals) {
            snprintf(name, sizeof name, "%.*s", (int)(equals - c->words[i]), c->words[i]);
            value = equals + 1;
        } else {
            continue;
        }
        if (!sw_drill_sysctl(run, line, name, value))
            return -1;
    }
    return 0;
}

/* /proc/sys/net/ipv4/tcp_sack -> net.ipv4.tcp_sack */
static bool proc_name(const char *path, char *out, size_t size)
{
    static const char prefix[] = "/proc/sys/";

    if (strncmp(path, prefix, sizeof prefix - 1))
        return false;
    snprintf(out, size, "%s", path + sizeof prefix - 1);
    for (char *p = out; *p; p++)
        if (*p == '/')
            *p = '.';
    return true;
}

/* set_sysctls.py /proc/sys/net/ipv4/tcp_x=1 ... */
static int set_sysctls(struct drill_run *run, unsigned line, const struct drill_command *c)
{
    for (size_t i = 1; i < c->count; i++) {
        char name[DRILL_WORD_SIZE], path[DRILL_WORD_SIZE];
        const char *equals = strchr(c->words[i], '=');

        if (!equals)
            continue;
        snprintf(path, sizeof path, "%.*s", (int)(equals - c->words[i]), c->words[i]);
        if (!proc_name(path, name, sizeof name))
            snprintf(name, sizeof name, "%s", path);
        if (!sw_drill_sysctl(run, line, name, equals + 1))
            return -1;
    }
    return 0;
}

/* echo 1 > /proc/sys/net/ipv4/tcp_sack; elsewhere it goes nowhere or into the pipe. */
static int do_echo(struct drill_run *run, unsigned line, const struct drill_command *c,
                   struct drill_buffer *output)
{
    struct drill_buffer text = {0};
    char name[DRILL_WORD_SIZE];
    int status = 0;

    for (size_t i = 1; i < c->count; i++)
        if (c->words[i][0] != '-')
            sw_drill_append(&text, "%s%s", text.length ? " " : "", c->words[i]);
    if (proc_name(c->target, name, sizeof name))
        status = sw_drill_sysctl(run, line, name, text.text ? text.text : "") ? 0 : -1;
    else
        sw_drill_append(output, "%s\n", text.text ? text.text : "");
    sw_drill_append_free(&text);
    return status;
}

/* ---- time, links, routes --------------------------------------------------------------------------- */

static int do_sleep(struct drill_run *run, unsigned line, const struct drill_command *c,
                    struct drill_buffer *output)
{
    double seconds = c->count > 1 ? strtod(c->words[1], NULL) : 0;

    if (!strcmp(c->words[0], "usleep"))
        seconds /= 1e6;

    (void)output;
    if (!run->begun || seconds < 0 || seconds > 1e6)
        return run->begun ? skip(run, line, c) : 0;
    sw_drill_world_advance(run->world, run->world->now + (sanwo_time)(seconds * 1e9));
    return 0;
}

/* The word after @name, or NULL. */
static const char *word_after(const struct drill_command *c, const char *name)
{
    for (size_t i = 1; i + 1 < c->count; i++)
        if (!strcmp(c->words[i], name))
            return c->words[i + 1];
    return NULL;
}

static bool has_word(const struct drill_command *c, const char *name)
{
    for (size_t i = 1; i < c->count; i++)
        if (!strcmp(c->words[i], name))
            return true;
    return false;
}

static bool set_mtu(struct drill_run *run, const char *value)
{
    long mtu = strtol(value, NULL, 10);

    if (mtu < 68 || mtu > 65535)
        return false;
    run->conditions.mtu = (uint16_t)mtu;
    return !run->begun || sanwo_stack_link_set_mtu(run->world->stack, run->world->driver->number,
                                                   (uint16_t)mtu) == 0;
}

static int set_up(struct drill_run *run, bool up)
{
    if (run->begun)
        sanwo_stack_link_set_up(run->world->stack, run->world->driver->number, up, run->world->now);
    return 0;
}

/* ip link set dev tun0 mtu 1400; ifconfig tun0 mtu 1400; up and down. */
static int do_link(struct drill_run *run, unsigned line, const struct drill_command *c)
{
    const char *mtu = word_after(c, "mtu");

    if (mtu)
        return set_mtu(run, mtu) ? 0 : 1;
    if (has_word(c, "down") || has_word(c, "up"))
        return set_up(run, has_word(c, "up"));
    if (has_word(c, "txqueuelen") || has_word(c, "gso_max_size") || has_word(c, "gso_max_segs") ||
        has_word(c, "show"))
        return 0;
    for (size_t i = 2; i < c->count; i++) /* ifconfig tun0 -txcsum: checksums are ours */
        if (c->words[i][0] != '-')
            return skip(run, line, c);
    return c->count > 2 ? 0 : skip(run, line, c);
}

/* What a route says about TCP; a route itself changes nothing, all goes to the one link. */
static int do_route(struct drill_run *run, unsigned line, const struct drill_command *c)
{
    static const char *const known[] = {"initcwnd", "initrwnd", "mtu", "rto_min", "advmss"};
    static const char *const unknown[] = {
        "congctl",    "features", "cwnd",      "ssthresh",    "rtt",   "rttvar",
        "window",     "quickack", "blackhole", "unreachable", "encap", "fastopen_no_cookie",
        "reordering", "hoplimit"};

    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++)
        if (has_word(c, unknown[i]))
            return skip(run, line, c);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const char *value = word_after(c, known[i]);
        char name[64];

        if (value && !strcmp(value, "lock"))
            value = word_after(c, "lock");
        snprintf(name, sizeof name, "route.%s", known[i]);
        if (value && !sw_drill_sysctl(run, line, name, value))
            return -1;
    }
    return 0;
}

static int do_ip(struct drill_run *run, unsigned line, const struct drill_command *c,
                 struct drill_buffer *output)
{
    if (has_word(c, "tcp_metrics") || has_word(c, "neigh") || has_word(c, "rule"))
        return has_word(c, "rule") ? skip(run, line, c) : 0;
    if (has_word(c, "link") || has_word(c, "l"))
        return do_link(run, line, c);
    if ((has_word(c, "addr") || has_word(c, "address") || has_word(c, "a")) && has_word(c, "show"))
        return report(run, line, c, output);
    if (has_word(c, "route") || has_word(c, "ro") || has_word(c, "r"))
        return do_route(run, line, c);
    return skip(run, line, c);
}

static int do_ifconfig(struct drill_run *run, unsigned line, const struct drill_command *c,
                       struct drill_buffer *output)
{
    (void)output;
    return do_link(run, line, c);
}

/* Queues that neither delay nor drop are as good as none; fq delays what has a pacing rate only. */
static int do_tc(struct drill_run *run, unsigned line, const struct drill_command *c,
                 struct drill_buffer *output)
{
    if (has_word(c, "pfifo") || has_word(c, "noqueue") || has_word(c, "pfifo_fast") ||
        has_word(c, "fq_codel") || has_word(c, "fq") || has_word(c, "del"))
        return 0;
    if (has_word(c, "show"))
        return report(run, line, c, output);
    return skip(run, line, c);
}

/* ---- files of commands --------------------------------------------------------------------------------- */

/* Beside the script; absolute ones as they are. NULL: there is none, or it is too large. */
static char *read_beside(const struct drill_run *run, const char *name)
{
    char path[4096];
    const char *slash = strrchr(run->script->path, '/');
    int folder = name[0] == '/' || !slash ? 0 : (int)(slash - run->script->path + 1);
    FILE *file;
    char *text;
    size_t n;

    snprintf(path, sizeof path, "%.*s%s", folder, run->script->path, name);
    file = fopen(path, "r");
    if (!file)
        return NULL;
    text = malloc(MOST_FILE + 1);
    n = text ? fread(text, 1, MOST_FILE, file) : 0;
    if (text)
        text[n] = 0;
    fclose(file);
    return text;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool ends_with(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);

    return a >= b && !strcmp(text + a - b, end);
}

/* A file that is there is read through the same table; without it defaults are what we have anyway. */
static int do_file(struct drill_run *run, unsigned line, const struct drill_command *c)
{
    const char *name = base_name(c->words[0]);
    char *text;
    int status;

    if (!strncmp(name, "sysctl_restore", 14))
        return 0;
    if (!strcmp(name, "set_sysctls.py"))
        return set_sysctls(run, line, c);
    if (run->nested == MOST_NESTED)
        return skip(run, line, c);
    text = read_beside(run, c->words[0]);
    if (!text)
        return !strcmp(name, "defaults.sh") ? 0 : skip(run, line, c);
    run->nested++;
    status = sw_drill_shell_run(run, line, text);
    run->nested--;
    free(text);
    return status;
}

static int do_source(struct drill_run *run, unsigned line, const struct drill_command *c,
                     struct drill_buffer *output)
{
    struct drill_command *rest = malloc(sizeof *rest);
    int status;

    (void)output;
    if (!rest || c->count < 2 || run->nested == MOST_NESTED) {
        free(rest);
        return skip(run, line, c);
    }
    if (!strcmp(c->words[1], "-c") && c->count == 3) { /* sh -c "line" */
        free(rest);
        run->nested++;
        status = sw_drill_shell_run(run, line, c->words[2]);
        run->nested--;
        return status;
    }
    *rest = *c;
    memmove(rest->words[0], rest->words[1], (DRILL_WORDS - 1) * sizeof rest->words[0]);
    rest->count--;
    status = do_file(run, line, rest);
    free(rest);
    return status;
}

/* ---- the table ------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    command_function *function;
} table[] = {
    {"sysctl", do_sysctl},
    {"echo", do_echo},
    {"printf", do_echo},
    {"sleep", do_sleep},
    {"usleep", do_sleep},
    {"ip", do_ip},
    {"ifconfig", do_ifconfig},
    {"tc", do_tc},
    {"ss", sw_drill_shell_ss},
    {"netstat", sw_drill_shell_netstat},
    {"sockstat", sw_drill_shell_sockstat},
    {"tcpdrop", sw_drill_shell_tcpdrop},
    {"grep", sw_drill_shell_grep},
    {"egrep", sw_drill_shell_grep},
    {"fgrep", sw_drill_shell_grep},
    {"sh", do_source},
    {"bash", do_source},
    {".", do_source},
    {"source", do_source},
    {"true", nothing},
    {":", nothing},
    {"exit", nothing},
    {"sync", nothing},
    {"set", nothing},
    {"cd", nothing},
    {"export", nothing},
    {"shift", nothing},
    {"rm", nothing},
    {"mkdir", nothing},
    {"chmod", nothing},
    {"kldload", nothing},
    {"kldunload", nothing},
    {"modprobe", nothing},
    {"ethtool", nothing},
    {"tcpdump", nothing},
    {"logger", nothing},
    {"ulimit", nothing},
    {"umask", nothing},
    {"touch", nothing},
    {"arp", nothing},
    {"ndp", nothing},
    {"cat", report},
    {"nstat", report},
    {"dmesg", report},
    {"uname", report},
    {"lsmod", report},
    {"kldstat", report},
    {"date", report},
    {"id", report},
    {"which", report},
    {"hostname", report},
    {"freebsd-version", report},
    {"seq", report},
    {"uptime", report},
    {"false", failure},
};

int sw_drill_shell_command(struct drill_run *run, unsigned line, const struct drill_command *c,
                           struct drill_buffer *output)
{
    const char *name = base_name(c->words[0]);

    if (ends_with(name, ".sh") || ends_with(name, ".py"))
        return do_file(run, line, c);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (!strcmp(table[i].name, name))
            return table[i].function(run, line, c, output);
    return skip(run, line, c);
}
