/*
 * profile.c - The profiles, as one table of what differs from our own defaults.
 *
 *     sanwo      the defaults of sanwo_tcp_config_default(), unpaced, and RFC 6298 to the letter
 *     linux      net.ipv4.tcp_* as a recent Linux has them
 *     freebsd    net.inet.tcp.* as FreeBSD 14 has them
 *
 * Values are facts of those systems' documentation and of packets seen; RFC sections say what is
 * free to choose: RFC 7323 1.3 (option order), RFC 6928 (initial window), RFC 5681 4.2 (ACKs), RFC
 * 6298 2.4 (least RTO).
 */
#define _GNU_SOURCE
#include "profile.h"

#include <string.h>

enum { NOP = 1, MSS = 2, SCALE = 3, SACK_OK = 4, TIMESTAMPS = 8 };

static void linux_tcp(struct sanwo_tcp_config *c)
{
    /* <mss,sackOK,TS,nop,wscale>, and <mss,nop,nop,sackOK,nop,wscale> without TS: our own order. */
    c->receive_buffer_start = 65536; /* tcp_rmem 131072, half of it for bookkeeping */
    c->receive_buffer_max = 3 << 20; /* ... and of its maximum of 6 MiB */
    c->window_scale = 7;             /* what 6 MiB need */
    c->initial_window = 10;
    c->initial_receive_window = 64240; /* 44 full segments; it grows as data comes */
    c->quick_ack_segments = 16;
    c->ack_every = 2;
    c->delayed_ack = SANWO_MSEC(40);
    c->rto_initial = SANWO_SEC(1);
    c->rto_minimum = SANWO_MSEC(200);
    c->rto_maximum = SANWO_SEC(120);
    c->syn_retries = 6;
    c->syn_ack_retries = 5;
    c->keepalive_probes = 9;
    c->fin_wait_2 = SANWO_SEC(60);
    c->mtu_probing = 0;
}

static void freebsd_tcp(struct sanwo_tcp_config *c)
{
    static const uint8_t order[] = {MSS, NOP, SCALE, SACK_OK, TIMESTAMPS, 0};

    memcpy(c->option_order, order, sizeof order);
    c->receive_buffer = 65536; /* net.inet.tcp.recvspace */
    c->window_scale = 6;       /* what kern.ipc.maxsockbuf of 2 MiB needs */
    c->initial_window = 10;
    c->ack_every = 2;
    c->delayed_ack = SANWO_MSEC(40); /* net.inet.tcp.delacktime */
    c->rto_minimum = SANWO_MSEC(30); /* net.inet.tcp.rexmit_min */
    c->rto_variance_minimum = SANWO_MSEC(1);
    c->quick_ack_segments = 0;
    c->rto_slop = SANWO_MSEC(200); /* net.inet.tcp.rexmit_slop */
    c->rto_initial = SANWO_SEC(1);
    c->rto_maximum = SANWO_SEC(64);
    c->syn_retries = 12;
    c->syn_ack_retries = 3; /* net.inet.tcp.syncache.rexmtlimit */
    c->keepalive_probes = 8;
    c->fin_wait_2 = SANWO_SEC(60);
    c->mtu_probing = 0;
}

static void sanwo_tcp(struct sanwo_tcp_config *c)
{
    c->rto_variance_minimum = SANWO_MSEC(1); /* RFC 6298's G, as its equations have it */
    c->quick_ack_segments = 0;               /* ACKs are delayed from the first on */
}

static const struct {
    const char *name, *summary;
    enum sw_dialect dialect;
    bool doubles_buffers;
    double tolerance_percent;
    void (*tcp)(struct sanwo_tcp_config *c);
} table[] = {
    {"sanwo", "our own defaults", SW_DIALECT_LINUX, false, 0, sanwo_tcp},
    {"linux", "the choices of Linux", SW_DIALECT_LINUX, true, 12.5, linux_tcp},
    {"freebsd", "the choices of FreeBSD", SW_DIALECT_BSD, false, 0, freebsd_tcp},
};

size_t sw_profile_count(void)
{
    return sizeof table / sizeof table[0];
}

void sw_profile_at(size_t index, struct sw_profile *out)
{
    *out = (struct sw_profile){.name = table[index].name,
                               .summary = table[index].summary,
                               .dialect = table[index].dialect,
                               .doubles_buffers = table[index].doubles_buffers,
                               .tolerance_percent = table[index].tolerance_percent};
    sanwo_tcp_config_default(&out->tcp);
    out->tcp.paws_tolerance = 0; /* RFC 7323 to the letter */
    out->tcp.pacing = false; /* scripts say when each segment leaves: at once, where cwnd allows */
    table[index].tcp(&out->tcp);
}

bool sw_profile_find(const char *name, struct sw_profile *out)
{
    for (size_t i = 0; i < sw_profile_count(); i++) {
        if (!strcmp(table[i].name, name)) {
            sw_profile_at(i, out);
            return true;
        }
    }
    return false;
}

const char *sw_profile_guess(const char *text, size_t length)
{
    static const struct {
        const char *word, *profile;
    } signs[] = {
        {"kldload", "freebsd"},           {"net.inet.", "freebsd"},
        {"net.inet6.", "freebsd"},        {"sockstat", "freebsd"},
        {"tcpdrop", "freebsd"},           {"kern.ipc.", "freebsd"},
        {"wscale 6,sackOK", "freebsd"},   {"TCP_NOPUSH", "freebsd"},
        {"net.ipv4.", "linux"},           {"net.ipv6.", "linux"},
        {"net.core.", "linux"},           {"set_sysctls.py", "linux"},
        {"defaults.sh", "linux"},         {"/proc/sys/net/", "linux"},
        {"--tcp_ts_ecr_scaled", "linux"}, {"tcpi_ca_state", "linux"},
    };

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (memmem(text, length, signs[i].word, strlen(signs[i].word)))
            return signs[i].profile;
    return "sanwo";
}
