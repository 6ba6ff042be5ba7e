/*
 * conditions.c - Options of a script and of the command line, in packetdrill's spelling.
 *
 * Addresses by default are packetdrill's: ours in 192.168/16 or fd3d:fa7b:d17d::/48, the peer's in
 * the nets for documentation (RFC 5737, RFC 3849).
 */
#define _GNU_SOURCE
#include "run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "shell.h"

#define DEFAULT_PORT 8080
#define DEFAULT_TOLERANCE SANWO_USEC(4000)

void sw_drill_conditions_default(struct drill_run *run, const struct sw_profile *profile)
{
    run->conditions = (struct drill_conditions){
        .profile = *profile,
        .mtu = 1500,
        .wire_family = SANWO_FAMILY_IPV4,
        .socket_family = SANWO_FAMILY_IPV4,
        .bind_port = DEFAULT_PORT,
        .connect_port = DEFAULT_PORT,
        .tolerance = DEFAULT_TOLERANCE,
        .tolerance_percent = profile->tolerance_percent,
        /* Google's packetdrill joins segments that follow each other, FreeBSD's does not. */
        .strict_segments = strcmp(profile->name, "linux") != 0,
    };
    run->tcp = profile->tcp;
}

/* ---- values ------------------------------------------------------------------------------------- */

static bool number(const char *value, double least, double most, double *out)
{
    char *end;

    if (!value)
        return false;
    *out = strtod(value, &end);
    return end != value && !*end && *out >= least && *out <= most;
}

static bool take_port(const char *value, uint16_t *out)
{
    double n;

    if (!number(value, 1, 65535, &n))
        return false;
    *out = (uint16_t)n;
    return true;
}

/* The script says what it is for; a command line that asks for another family is not for it. */
static void note_family(struct drill_run *run, uint8_t wire, uint8_t socket)
{
    struct drill_conditions *c = &run->conditions;

    if (!c->script_is_done) {
        c->named_wire = wire;
        c->named_socket = socket ? socket : c->named_socket;
        return;
    }
    if ((!c->named_wire || c->named_wire == wire) &&
        (!c->named_socket || !socket || c->named_socket == socket))
        return;
    if (c->named_wire == SANWO_FAMILY_IPV6)
        sw_drill_skip(run, 0, "the script is for ipv6");
    else if (c->named_socket == SANWO_FAMILY_IPV6)
        sw_drill_skip(run, 0, "the script is for ipv4-mapped-ipv6");
    else
        sw_drill_skip(run, 0, "the script is for ipv4");
}

static bool take_version(struct drill_run *run, const char *value)
{
    struct drill_conditions *c = &run->conditions;

    if (!value)
        return false;
    if (!strcmp(value, "ipv4"))
        c->wire_family = c->socket_family = SANWO_FAMILY_IPV4;
    else if (!strcmp(value, "ipv4-mapped-ipv6"))
        c->wire_family = SANWO_FAMILY_IPV4, c->socket_family = SANWO_FAMILY_IPV6;
    else if (!strcmp(value, "ipv6"))
        c->wire_family = c->socket_family = SANWO_FAMILY_IPV6;
    else
        return false;
    note_family(run, c->wire_family, c->socket_family);
    return true;
}

/* "192.0.2.1/24": the address counts, its prefix too where there is one. */
static bool take_address(struct drill_run *run, const char *value, struct sanwo_address *out,
                         unsigned *prefix_length)
{
    struct sanwo_address address;
    unsigned length = 0;

    if (!value || !sanwo_prefix_parse(value, &address, &length))
        return false;
    *out = address;
    if (prefix_length && strchr(value, '/'))
        *prefix_length = length;
    note_family(run, address.family, 0);
    return true;
}

static bool take_netmask(const char *value, unsigned *prefix_length)
{
    struct sanwo_address mask;
    unsigned bits = 0;

    if (!value || !sanwo_address_parse(value, &mask))
        return false;
    while (bits < 128 && (mask.bytes[bits / 8] >> (7 - bits % 8) & 1))
        bits++;
    *prefix_length = bits;
    return true;
}

static bool take_non_fatal(struct drill_run *run, const char *value)
{
    if (!value)
        return false;
    run->conditions.forgive_packets |= strstr(value, "packet") != NULL;
    run->conditions.forgive_calls |= strstr(value, "syscall") != NULL;
    return true;
}

static bool take_time(const char *value, sanwo_time *out)
{
    double n;

    if (!number(value, 0, 1e9, &n))
        return false;
    *out = (sanwo_time)(n * 1000);
    return true;
}

/* ---- the table ----------------------------------------------------------------------------------- */

enum option {
    VERSION,
    BIND_PORT,
    CONNECT_PORT,
    REMOTE,
    LOCAL,
    NETMASK,
    MTU,
    TOLERANCE,
    PERCENT,
    TICK,
    STRICT,
    NON_FATAL,
    INIT_SCRIPTS,
    IGNORED, /* changes nothing here */
    ABSENT,  /* skips the script */
};

static const struct {
    const char *name;
    enum option option;
} options[] = {
    {"ip_version", VERSION},
    {"bind_port", BIND_PORT},
    {"connect_port", CONNECT_PORT},
    {"remote_ip", REMOTE},
    {"local_ip", LOCAL},
    {"local_linux_ip", LOCAL},
    {"netmask_ip", NETMASK},
    {"gateway_ip", IGNORED},
    {"mtu", MTU},
    {"tolerance_usecs", TOLERANCE},
    {"tolerance_percent", PERCENT},
    {"tcp_ts_tick_usecs", TICK},
    {"tcp_ts_ecr_scaled", IGNORED},
    {"strict_segments", STRICT},
    {"non_fatal", NON_FATAL},
    {"init_scripts", INIT_SCRIPTS},
    {"speed", IGNORED},
    {"mss", IGNORED},
    {"code_command", IGNORED},
    {"code_format", IGNORED},
    {"code_sockopt", IGNORED},
    {"send_omit_free", IGNORED},
    {"debug", IGNORED},
    {"verbose", IGNORED},
    {"dry_run", IGNORED},
    {"define", IGNORED}, /* the parser took it */
    {"tun_dev", IGNORED},
    {"persistent_tun_dev", IGNORED},
    {"is_anyip", ABSENT},
    {"wire_client", ABSENT},
    {"wire_server", ABSENT},
    {"wire_server_ip", ABSENT},
    {"wire_server_at", ABSENT},
    {"wire_server_port", ABSENT},
    {"wire_client_dev", ABSENT},
    {"wire_server_dev", ABSENT},
    {"so_filename", ABSENT},
    {"so_flags", ABSENT},
    {"udp_encaps", ABSENT},
};

static bool take_mtu(struct drill_run *run, const char *value)
{
    double n;

    if (!number(value, 68, 65535, &n))
        return false;
    run->conditions.mtu = (uint16_t)n;
    return true;
}

static bool take_init_scripts(struct drill_run *run, const struct drill_option *option)
{
    char *list = option->value ? strdup(option->value) : NULL, *rest = list, *name;

    while (list && !run->decided && (name = strsep(&rest, ",")))
        if (*name)
            sw_drill_shell(run, option->line, name);
    free(list);
    return option->value != NULL;
}

static bool take(struct drill_run *run, enum option option, const struct drill_option *o)
{
    struct drill_conditions *c = &run->conditions;

    switch (option) {
    case VERSION:
        return take_version(run, o->value);
    case BIND_PORT:
        return take_port(o->value, &c->bind_port);
    case CONNECT_PORT:
        return take_port(o->value, &c->connect_port);
    case REMOTE:
        return take_address(run, o->value, &c->remote, NULL);
    case LOCAL:
        return take_address(run, o->value, &c->local, &c->prefix_length);
    case NETMASK:
        return take_netmask(o->value, &c->prefix_length);
    case MTU:
        return take_mtu(run, o->value);
    case TOLERANCE:
        return take_time(o->value, &c->tolerance);
    case PERCENT:
        return number(o->value, 0, 1e6, &c->tolerance_percent);
    case TICK:
        return take_time(o->value, &c->ts_tick);
    case STRICT:
        return c->strict_segments = true;
    case NON_FATAL:
        return take_non_fatal(run, o->value);
    case INIT_SCRIPTS:
        return take_init_scripts(run, o);
    default:
        return true;
    }
}

/* --tolerance-usecs and --tolerance_usecs are the same. */
static bool same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (*a != *b && !(*a == '-' && *b == '_'))
            return false;
    return *a == *b;
}

bool sw_drill_take_option(struct drill_run *run, const struct drill_option *option)
{
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        if (!same_name(option->name, options[i].name))
            continue;
        if (options[i].option == ABSENT)
            sw_drill_skip(run, option->line, "the option --%s", option->name);
        else if (!take(run, options[i].option, option))
            sw_drill_fail(run, option->line, "--%s=%s: the value is not one that it takes",
                          option->name, option->value ? option->value : "");
        return !run->decided;
    }
    sw_drill_skip(run, option->line, "the option --%s is not known here", option->name);
    return false;
}

bool sw_drill_conditions_finish(struct drill_run *run)
{
    struct drill_conditions *c = &run->conditions;
    bool v6 = c->wire_family == SANWO_FAMILY_IPV6;

    if (!c->local.family)
        sanwo_address_parse(v6 ? "fd3d:fa7b:d17d::1" : "192.168.0.1", &c->local);
    if (!c->remote.family)
        sanwo_address_parse(v6 ? "2001:db8::1" : "192.0.2.1", &c->remote);
    if (!c->prefix_length)
        c->prefix_length = v6 ? 48 : 16;
    if (c->local.family != c->wire_family || c->remote.family != c->wire_family ||
        c->prefix_length > (v6 ? 128u : 32u))
        sw_drill_fail(run, 0, "--local_ip or --remote_ip is not of the family of --ip_version");
    return !run->decided;
}

bool sw_drill_on_time(const struct drill_run *run, sanwo_time expected, sanwo_time end,
                      sanwo_time actual, sanwo_time since)
{
    const struct drill_conditions *c = &run->conditions;
    sanwo_time tolerance = c->tolerance;

    if (expected > since) {
        double share = (double)(expected - since) * c->tolerance_percent / 100;
        if (share > (double)tolerance)
            tolerance = (sanwo_time)share;
    }
    return actual >= expected - tolerance && actual <= end + tolerance;
}
