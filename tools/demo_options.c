/*
 * demo_options.c - The command line of `sanwo demo`.
 */
#define _GNU_SOURCE
#include "demo.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_BYTES (64U << 20)

static const char *const help =
    "usage: sanwo demo [OPTION]...\n"
    "\n"
    "Two hosts in one process: A connects to B, fetches a page over HTTP and closes. Every\n"
    "segment is printed with the states of both ends before and after it. Needs no root and no\n"
    "network; time is virtual, so it is over at once and the same seed gives the same trace.\n"
    "\n"
    "What is printed:\n"
    "  --format ladder         two lifelines with arrows between them (default)\n"
    "  --format tcpdump        as tcpdump prints today\n"
    "  --format classic        as tcpdump printed long ago, with absolute numbers\n"
    "  --format json           one object a line; also --json\n"
    "  --format svg            a picture\n"
    "  --color[=WHEN]          always, never or auto (default; honours NO_COLOR)\n"
    "  --ascii                 a ladder without box-drawing characters\n"
    "  --pcap FILE             also write what A's link carries, as pcapng\n"
    "\n"
    "The two ends:\n"
    "  --a ADDR[:PORT]         A, who connects (default 10.0.0.1, any port)\n"
    "  --b ADDR[:PORT]         B, who listens (default 10.0.0.2:80); [v6]:PORT likewise\n"
    "  --isn-a N  --isn-b N    initial sequence numbers (default: RFC 6528, from the seed)\n"
    "  --bytes N               size of the page (default 3000)\n"
    "  --seed N                of all that is random (default 1)\n"
    "\n"
    "The wire between them:\n"
    "  --delay MS              each way (default 10)\n"
    "  --loss PERCENT          lost at random, each way (default 0)\n"
    "  --mtu N                 bytes of the largest packet (default 1500)\n"
    "\n"
    "What happens:\n"
    "  --simultaneous-open     both connect at the same moment: the SYNs cross\n"
    "  --simultaneous-close    both close at the same moment: the FINs cross\n"
    "  --refuse                nobody listens at B\n"
    "\n"
    "Examples:\n"
    "  sanwo demo\n"
    "  sanwo demo --delay 25 --loss 10 --seed 7\n"
    "  sanwo demo --format svg >ladder.svg\n"
    "  sanwo demo --a 192.168.1.116:3337 --b 192.168.1.123:7788 --format classic\n"
    "  sanwo demo --a [2001:db8::1]:4000 --b [2001:db8::2]:80 --simultaneous-close\n"
    "\n"
    "Exit status: 0 if the page arrived byte for byte and both ends were closed in the end (with\n"
    "--refuse: if A was refused), 1 if not, 2 for a mistake on the command line.\n";

enum {
    OPTION_A = 256,
    OPTION_B,
    OPTION_ISN_A,
    OPTION_ISN_B,
    OPTION_ASCII,
    OPTION_BYTES,
    OPTION_COLOR,
    OPTION_DELAY,
    OPTION_FORMAT,
    OPTION_HELP,
    OPTION_JSON,
    OPTION_LOSS,
    OPTION_MTU,
    OPTION_PCAP,
    OPTION_REFUSE,
    OPTION_SEED,
    OPTION_SIMULTANEOUS_CLOSE,
    OPTION_SIMULTANEOUS_OPEN,
};

static const struct option long_options[] = {
    {"a", required_argument, NULL, OPTION_A},
    {"b", required_argument, NULL, OPTION_B},
    {"isn-a", required_argument, NULL, OPTION_ISN_A},
    {"isn-b", required_argument, NULL, OPTION_ISN_B},
    {"ascii", no_argument, NULL, OPTION_ASCII},
    {"bytes", required_argument, NULL, OPTION_BYTES},
    {"color", optional_argument, NULL, OPTION_COLOR},
    {"colour", optional_argument, NULL, OPTION_COLOR},
    {"delay", required_argument, NULL, OPTION_DELAY},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"help", no_argument, NULL, OPTION_HELP},
    {"json", no_argument, NULL, OPTION_JSON},
    {"loss", required_argument, NULL, OPTION_LOSS},
    {"mtu", required_argument, NULL, OPTION_MTU},
    {"pcap", required_argument, NULL, OPTION_PCAP},
    {"refuse", no_argument, NULL, OPTION_REFUSE},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"simultaneous-close", no_argument, NULL, OPTION_SIMULTANEOUS_CLOSE},
    {"simultaneous-open", no_argument, NULL, OPTION_SIMULTANEOUS_OPEN},
    {NULL, 0, NULL, 0},
};

/* ---- single values -------------------------------------------------------------------------- */

static bool read_number(const char *option, const char *text, uint64_t most, uint64_t *out)
{
    char *end;

    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || value > most) {
        fprintf(stderr, "sanwo demo: %s %s: give a whole number from 0 to %llu\n", option, text,
                (unsigned long long)most);
        return false;
    }
    *out = value;
    return true;
}

static bool read_decimal(const char *option, const char *text, double most, double *out)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value >= 0) || value > most) {
        fprintf(stderr, "sanwo demo: %s %s: give a number from 0 to %g\n", option, text, most);
        return false;
    }
    *out = value;
    return true;
}

/* With a port or without, which is then 0. */
static bool read_end(const char *option, const char *text, struct sanwo_endpoint *out)
{
    struct sanwo_endpoint bare = {.port = 0};

    if (sanwo_endpoint_parse(text, out)) {
        return true;
    }
    if (sanwo_address_parse(text, &bare.address)) {
        *out = bare;
        return true;
    }
    fprintf(stderr, "sanwo demo: %s %s: write 192.0.2.1:4000 or [2001:db8::1]:4000\n", option,
            text);
    return false;
}

static bool read_format(const char *text, enum sanwo_trace_format *out)
{
    for (unsigned i = 0; i < SANWO_TRACE_FORMATS; i++) {
        if (strcmp(text, sanwo_trace_format_name(i)) == 0) {
            *out = (enum sanwo_trace_format)i;
            return true;
        }
    }
    fprintf(stderr, "sanwo demo: --format %s: choose ladder, tcpdump, classic, json or svg\n",
            text);
    return false;
}

static bool wants_colour(void)
{
    const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

    return isatty(STDOUT_FILENO) && (no == NULL || *no == '\0') &&
           (terminal == NULL || strcmp(terminal, "dumb") != 0);
}

static bool read_colour(const char *text, bool *out)
{
    if (text == NULL || strcmp(text, "always") == 0) {
        *out = true;
    } else if (strcmp(text, "never") == 0) {
        *out = false;
    } else if (strcmp(text, "auto") == 0) {
        *out = wants_colour();
    } else {
        fprintf(stderr, "sanwo demo: --color=%s: choose always, never or auto\n", text);
        return false;
    }
    return true;
}

/* ---- all of them ---------------------------------------------------------------------------- */

static bool take_wire(struct demo_options *o, int option, const char *text)
{
    uint64_t number = 0;
    double decimal = 0;
    bool good;

    switch (option) {
    case OPTION_DELAY:
        good = read_decimal("--delay", text, 60000, &decimal);
        o->delay = (sanwo_time)(decimal * 1e6);
        return good;
    case OPTION_LOSS:
        good = read_decimal("--loss", text, 100, &decimal);
        o->loss_ppm = (uint32_t)(decimal * 1e4);
        return good;
    case OPTION_MTU:
        good = read_number("--mtu", text, UINT16_MAX, &number);
        o->mtu = (uint16_t)number;
        return good;
    default:
        o->pcap = text;
        return true;
    }
}

static bool take_ends(struct demo_options *o, int option, const char *text)
{
    uint64_t number = 0;
    unsigned end = option == OPTION_B || option == OPTION_ISN_B ? DEMO_B : DEMO_A;
    bool good;

    switch (option) {
    case OPTION_A:
    case OPTION_B:
        return read_end(end == DEMO_A ? "--a" : "--b", text, &o->end[end]);
    case OPTION_ISN_A:
    case OPTION_ISN_B:
        good = read_number(end == DEMO_A ? "--isn-a" : "--isn-b", text, UINT32_MAX, &number);
        o->isn[end] = (uint32_t)number;
        o->isn_is_set[end] = true;
        return good;
    case OPTION_BYTES:
        good = read_number("--bytes", text, MOST_BYTES, &number);
        o->bytes = (size_t)number;
        return good;
    default:
        return read_number("--seed", text, UINT64_MAX, &o->seed);
    }
}

static bool take(struct demo_options *o, int option, const char *text)
{
    switch (option) {
    case OPTION_FORMAT:
        return read_format(text, &o->format);
    case OPTION_JSON:
        o->format = SANWO_TRACE_JSON;
        return true;
    case OPTION_COLOR:
        return read_colour(text, &o->style.colour);
    case OPTION_ASCII:
        o->style.ascii = true;
        return true;
    case OPTION_REFUSE:
        o->refuse = true;
        return true;
    case OPTION_SIMULTANEOUS_OPEN:
        o->simultaneous_open = true;
        return true;
    case OPTION_SIMULTANEOUS_CLOSE:
        o->simultaneous_close = true;
        return true;
    case OPTION_DELAY:
    case OPTION_LOSS:
    case OPTION_MTU:
    case OPTION_PCAP:
        return take_wire(o, option, text);
    default:
        return take_ends(o, option, text);
    }
}

/* Addresses that were left out: of the family of the one that was given. */
static void complete_ends(struct demo_options *o)
{
    bool ipv6 = o->end[0].address.family == SANWO_FAMILY_IPV6 ||
                o->end[1].address.family == SANWO_FAMILY_IPV6;

    for (unsigned end = 0; end < 2; end++) {
        if (o->end[end].address.family == SANWO_FAMILY_NONE) {
            sanwo_address_parse(ipv6 ? (end == DEMO_A ? "2001:db8::1" : "2001:db8::2")
                                     : (end == DEMO_A ? "10.0.0.1" : "10.0.0.2"),
                                &o->end[end].address);
        }
    }
    if (o->end[DEMO_B].port == 0) {
        o->end[DEMO_B].port = 80;
    }
    if (o->simultaneous_open && o->end[DEMO_A].port == 0) {
        /* B must know it beforehand. */
        o->end[DEMO_A].port = (uint16_t)(32768 + o->seed * 2654435761U % 28000);
    }
}

/* What cannot be. Returns NULL, or what to do about it. */
static const char *contradiction(const struct demo_options *o)
{
    const struct sanwo_address *a = &o->end[DEMO_A].address, *b = &o->end[DEMO_B].address;

    if (a->family != b->family) {
        return "--a and --b: give two addresses of the same family";
    }
    if (sanwo_address_equal(a, b)) {
        return "--a and --b: give two different addresses";
    }
    if (sanwo_address_is_any(a) || sanwo_address_is_any(b) || sanwo_address_is_multicast(a) ||
        sanwo_address_is_multicast(b) || sanwo_address_is_loopback(a) ||
        sanwo_address_is_loopback(b)) {
        return "--a and --b: give addresses of single hosts";
    }
    if (o->mtu < (a->family == SANWO_FAMILY_IPV6 ? 1280 : 68)) {
        return "--mtu: at least 68 with IPv4 and 1280 with IPv6";
    }
    if (o->refuse && (o->simultaneous_open || o->simultaneous_close)) {
        return "--refuse goes with neither --simultaneous-open nor --simultaneous-close";
    }
    if ((o->simultaneous_open || o->simultaneous_close) && o->delay == 0) {
        return "segments cannot cross on a wire without delay: leave --delay out";
    }
    return NULL;
}

int sw_demo_options(struct demo_options *o, int argc, char **argv, int *status)
{
    const char *wrong;
    int option;

    *o = (struct demo_options){.delay = SANWO_MSEC(10), .seed = 1, .bytes = 3000, .mtu = 1500};
    o->style.colour = wants_colour();
    *status = 2;
    optind = 1;
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        if (option == OPTION_HELP || option == 'h') {
            fputs(help, stdout);
            *status = 0;
            return -1;
        }
        if (option == '?') {
            fprintf(stderr, "sanwo demo: see sanwo demo --help\n");
            return -1;
        }
        if (!take(o, option, optarg)) {
            return -1;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "sanwo demo: %s: takes options only, see sanwo demo --help\n",
                argv[optind]);
        return -1;
    }
    complete_ends(o);
    wrong = contradiction(o);
    if (wrong != NULL) {
        fprintf(stderr, "sanwo demo: %s\n", wrong);
        return -1;
    }
    return 0;
}
