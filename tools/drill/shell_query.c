/*
 * shell_query.c - ss, netstat, sockstat and grep over our connections; tcpdrop and ss -K.
 *
 * The listings look like those of the systems as far as a pattern for grep goes: columns and the
 * names of states.
 */
#define _GNU_SOURCE
#include "shell_command.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell.h"

/* ---- listings ------------------------------------------------------------------------------------- */

static const char *state_name(enum drill_listing kind, bool bsd, unsigned state)
{
    static const char *const ss[SANWO_TCP_STATE_COUNT] = {
        "UNCONN",     "LISTEN",     "SYN-SENT", "SYN-RECV", "ESTAB",    "FIN-WAIT-1",
        "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",  "LAST-ACK", "TIME-WAIT"};
    static const char *const linux_names[SANWO_TCP_STATE_COUNT] = {
        "CLOSE",     "LISTEN",     "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT1",
        "FIN_WAIT2", "CLOSE_WAIT", "CLOSING",  "LAST_ACK", "TIME_WAIT"};
    static const char *const bsd_names[SANWO_TCP_STATE_COUNT] = {
        "CLOSED",     "LISTEN",     "SYN_SENT", "SYN_RCVD", "ESTABLISHED", "FIN_WAIT_1",
        "FIN_WAIT_2", "CLOSE_WAIT", "CLOSING",  "LAST_ACK", "TIME_WAIT"};

    if (state >= SANWO_TCP_STATE_COUNT)
        return "?";
    if (kind == DRILL_LISTING_SS)
        return ss[state];
    return bsd ? bsd_names[state] : linux_names[state];
}

/* netstat of BSD writes 192.168.0.1.8080, everybody else 192.168.0.1:8080. */
static void format_end(enum drill_listing kind, bool bsd, const struct sanwo_endpoint *e, char *out,
                       size_t size)
{
    char address[SANWO_ADDRESS_TEXT];
    bool dot = bsd && kind == DRILL_LISTING_NETSTAT;

    if (!e->port)
        snprintf(out, size, dot ? "*.*" : "*:*");
    else if (sanwo_address_is_any(&e->address))
        snprintf(out, size, dot ? "*.%u" : "*:%u", e->port);
    else
        snprintf(out, size, dot ? "%s.%u" : "%s:%u",
                 sanwo_address_format(&e->address, address, sizeof address), e->port);
}

static void add_line(struct drill_run *run, enum drill_listing kind, unsigned state,
                     const struct sanwo_endpoint *local, const struct sanwo_endpoint *remote,
                     struct drill_buffer *out)
{
    bool bsd = run->conditions.profile.dialect == SW_DIALECT_BSD;
    const char *name = state_name(kind, bsd, state);
    const char *protocol = local->address.family == SANWO_FAMILY_IPV6 ? "tcp6" : "tcp4";
    char a[80], b[80];

    format_end(kind, bsd, local, a, sizeof a);
    format_end(kind, bsd, remote, b, sizeof b);
    if (kind == DRILL_LISTING_SS)
        sw_drill_append(out, "%-10s 0 0 %s %s\n", name, a, b);
    else if (kind == DRILL_LISTING_NETSTAT)
        sw_drill_append(out, "%s 0 0 %s %s %s\n", bsd ? protocol : "tcp", a, b, name);
    else
        sw_drill_append(out, "root packetdril 1 3 %s %s %s %s\n", protocol, a, b, name);
}

void sw_drill_listing(struct drill_run *run, enum drill_listing kind, struct drill_buffer *out)
{
    for (size_t i = 0; i < DRILL_SOCKETS; i++) {
        const struct drill_socket *s = &run->sockets[i];
        const struct sanwo_endpoint nobody = {0};

        if (s->kind == DRILL_SOCKET_TCP && s->listening)
            add_line(run, kind, SANWO_TCP_LISTEN, &s->local, &nobody, out);
    }
    for (size_t i = 0; i < run->world->peer_count; i++) {
        const struct drill_peer *p = &run->world->peers[i];

        if (p->state != SANWO_TCP_CLOSED && p->state != SANWO_TCP_LISTEN)
            add_line(run, kind, p->state, &p->local, &p->remote, out);
    }
}

/* ---- killing ---------------------------------------------------------------------------------------- */

/* Aborts connections that are open here; @port 0: all. How many. */
static unsigned abort_connections(struct drill_run *run, unsigned port)
{
    unsigned count = 0;

    for (size_t i = 0; i < DRILL_SOCKETS && run->begun; i++) {
        struct drill_socket *s = &run->sockets[i];
        struct sanwo_tcp_info info;

        if (s->kind != DRILL_SOCKET_TCP || s->listening || !sw_drill_socket_info(run, s, &info) ||
            (port && info.remote.port != port))
            continue;
        sanwo_tcp_abort(run->world->stack, s->handle, run->world->now);
        s->has_handle = false;
        s->dropped = true;
        count++;
    }
    return count;
}

int sw_drill_shell_tcpdrop(struct drill_run *run, unsigned line, const struct drill_command *c,
                           struct drill_buffer *output)
{
    unsigned port = 0;

    (void)line, (void)output;
    if (c->count == 2 && !strcmp(c->words[1], "-a")) {
        abort_connections(run, 0);
        return 0;
    }
    if (c->count == 5) /* local address and port, remote address and port */
        port = (unsigned)strtoul(c->words[4], NULL, 10);
    return abort_connections(run, port) ? 0 : 1;
}

/* ---- the commands ------------------------------------------------------------------------------------ */

int sw_drill_shell_ss(struct drill_run *run, unsigned line, const struct drill_command *c,
                      struct drill_buffer *output)
{
    for (size_t i = 1; i < c->count; i++) {
        const char *w = c->words[i];

        if (w[0] == '-' && w[1] != '-' && strchr(w, 'K')) {
            abort_connections(run, 0);
            return 0;
        }
        if (!strcmp(w, "--kill")) {
            abort_connections(run, 0);
            return 0;
        }
        if (w[0] != '-') { /* a filter: too much to guess */
            sw_drill_skip(run, line, "the command `ss` with a filter: %s", w);
            return -1;
        }
    }
    sw_drill_listing(run, DRILL_LISTING_SS, output);
    return 0;
}

int sw_drill_shell_netstat(struct drill_run *run, unsigned line, const struct drill_command *c,
                           struct drill_buffer *output)
{
    for (size_t i = 1; i < c->count; i++) {
        if (c->words[i][0] == '-' && strchr(c->words[i], 's')) {
            sw_drill_skip(run, line, "the command `netstat -s`");
            return -1;
        }
    }
    sw_drill_listing(run, DRILL_LISTING_NETSTAT, output);
    return 0;
}

int sw_drill_shell_sockstat(struct drill_run *run, unsigned line, const struct drill_command *c,
                            struct drill_buffer *output)
{
    (void)line, (void)c;
    sw_drill_listing(run, DRILL_LISTING_SOCKSTAT, output);
    return 0;
}

/* ---- grep ---------------------------------------------------------------------------------------------- */

struct grep {
    bool quiet, inverted, counts, fixed;
    int flags;
    const char *pattern;
};

static bool read_grep(const struct drill_command *c, struct grep *g)
{
    *g = (struct grep){.flags = REG_NOSUB};
    g->fixed = !strcmp(c->words[0], "fgrep");
    if (!strcmp(c->words[0], "egrep"))
        g->flags |= REG_EXTENDED;
    for (size_t i = 1; i < c->count; i++) {
        const char *w = c->words[i];

        if (w[0] != '-' || g->pattern) {
            if (g->pattern)
                return false; /* a file */
            g->pattern = w;
            continue;
        }
        g->quiet |= strchr(w, 'q') != NULL;
        g->inverted |= strchr(w, 'v') != NULL;
        g->counts |= strchr(w, 'c') != NULL;
        g->fixed |= strchr(w, 'F') != NULL;
        if (strchr(w, 'E'))
            g->flags |= REG_EXTENDED;
        if (strchr(w, 'i'))
            g->flags |= REG_ICASE;
    }
    return g->pattern != NULL;
}

static unsigned filter(const struct grep *g, regex_t *regex, const char *input,
                       struct drill_buffer *output)
{
    unsigned count = 0;

    while (*input) {
        size_t length = strcspn(input, "\n");
        char *row = strndup(input, length);
        bool hit = row && (g->fixed ? strstr(row, g->pattern) != NULL
                                    : regexec(regex, row, 0, NULL, 0) == 0);

        if (row && hit != g->inverted) {
            count++;
            if (!g->quiet && !g->counts)
                sw_drill_append(output, "%s\n", row);
        }
        free(row);
        input += length + (input[length] == '\n');
    }
    return count;
}

int sw_drill_shell_grep(struct drill_run *run, unsigned line, const struct drill_command *c,
                        struct drill_buffer *output)
{
    struct grep g;
    regex_t regex;
    unsigned count;

    if (!read_grep(c, &g) || regcomp(&regex, g.fixed ? "" : g.pattern, g.flags) != 0) {
        sw_drill_skip(run, line, "the command `grep` with what it is given here");
        return -1;
    }
    count = filter(&g, &regex, c->input, output);
    regfree(&regex);
    if (g.counts)
        sw_drill_append(output, "%u\n", count);
    return count ? 0 : 1;
}
