/*
 * shell_sysctl.c - What a sysctl of Linux or FreeBSD means for our stack.
 *
 * Three kinds: it has a knob and sets it, for the sockets that open from now on; it states what we
 * do anyway, or what no packet shows, and does nothing; or it asks for what we have not, which skips
 * the script with its name.
 */
#define _GNU_SOURCE
#include "shell.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum action {
    IGNORED, /* no packet shows it */
    ONLY,    /* these values (words of `values`) are what we do; others skip the script. Those
                behind a / are defaults that differ from ours where few scripts look: they pass in
                a file of common settings, and skip a script that names them itself */
    FLAG,    /* 0 or not */
    BYTE,    /* 1..255 */
    BYTES,   /* a buffer */
    TIME,    /* times `unit` nanoseconds */
    SPECIAL, /* by its function */
};

typedef bool special_function(struct drill_run *run, struct sanwo_tcp_config *c, const char *value);

struct row {
    const char *name; /* a final * stands for the rest */
    enum action action;
    size_t offset; /* in struct sanwo_tcp_config */
    int64_t unit;
    const char *values;
    special_function *special;
};

#define MSEC 1000000
#define SEC 1000000000
#define FIELD(name) offsetof(struct sanwo_tcp_config, name)

/* ---- those with a meaning of their own -------------------------------------------------------------- */

/* "4096 131072 6291456": least, default and most of a buffer; half of it is for bookkeeping. */
static bool three(const char *value, int64_t out[3])
{
    char *end;

    for (int i = 0; i < 3; i++) {
        out[i] = strtoll(value, &end, 10);
        if (end == value)
            return false;
        value = end;
    }
    return true;
}

static uint32_t bounded(int64_t bytes)
{
    if (bytes < 4096)
        return 4096;
    return bytes > (1 << 30) ? UINT32_C(1) << 30 : (uint32_t)bytes;
}

static bool mtu_probing(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    (void)run;
    if (value[0] < '0' || value[0] > '2')
        return false;
    c->mtu_probing = (uint8_t)(value[0] - '0');
    return true;
}

static bool base_mss(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    long bytes = strtol(value, NULL, 10);

    (void)run;
    if (bytes < c->mss_floor || bytes > UINT16_MAX)
        return false;
    c->base_mss = (uint16_t)bytes;
    return true;
}

static bool receive_memory(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    int64_t sizes[3];
    int shift = 0;

    (void)run;
    if (!three(value, sizes))
        return false;
    c->receive_buffer = 0;
    c->receive_buffer_start = bounded(sizes[1] / 2);
    c->receive_buffer_max = bounded(sizes[2] / 2);
    while (shift < 14 && (sizes[2] >> (shift + 16)) != 0) /* Linux: log2 of it, less 15 */
        shift++;
    c->window_scale = (int8_t)shift;
    if (c->initial_receive_window > c->receive_buffer_start)
        c->initial_receive_window = c->receive_buffer_start;
    return true;
}

static bool send_memory(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    int64_t sizes[3];

    (void)run;
    if (!three(value, sizes))
        return false;
    c->send_buffer = bounded(sizes[2]);
    return true;
}

/* 4294967295 is no limit. */
static bool unsent_limit(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    int64_t bytes = strtoll(value, NULL, 10);

    (void)run;
    c->unsent_limit = bytes > 0 && bytes <= (1 << 30) ? (uint32_t)bytes : 0;
    return true;
}

static bool largest_socket_buffer(struct drill_run *run, struct sanwo_tcp_config *c,
                                  const char *value)
{
    int64_t bytes = strtoll(value, NULL, 10);
    int8_t shift = 0;

    (void)run;
    if (bytes <= 0)
        return false;
    while (shift < 14 && (INT64_C(65535) << shift) < bytes)
        shift++;
    c->window_scale = shift;
    return true;
}

/* RFC 1323 as a whole: 1 both, 2 window scaling only, 3 timestamps only. */
static bool rfc1323(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    int n = atoi(value);

    (void)run;
    c->offer_window_scale = n == 1 || n == 2;
    c->offer_timestamps = n == 1 || n == 3;
    return true;
}

/* With one we lack a script may look different once windows matter (run.c). */
static bool congestion(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    char name[16];

    snprintf(name, sizeof name, "%.*s", (int)strcspn(value, " \n"), value);
    return sw_drill_congestion(run, name, &c->congestion);
}

static bool delayed_ack_switch(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    (void)run;
    c->quick_ack = atoi(value) == 0;
    return true;
}

static bool smallest_mss(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    int n = atoi(value);

    (void)run;
    if (n < 8 || n > 1460)
        return false;
    c->mss_floor = (uint16_t)n;
    return true;
}

/* "200ms", "1s", "200" (ms) */
static bool route_rto(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    char *end;
    long n = strtol(value, &end, 10);

    (void)run;
    if (n <= 0)
        return false;
    c->rto_minimum = !strcmp(end, "s") ? SANWO_SEC(n) : SANWO_MSEC(n);
    if (c->rto_variance_minimum > SANWO_MSEC(1))
        c->rto_variance_minimum = c->rto_minimum;
    return true;
}

static bool route_window(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    int n = atoi(value);

    if (n < 1 || n > 1000)
        return false;
    c->initial_receive_window = (uint32_t)n * (run->conditions.mtu - 40u);
    if (c->receive_buffer && c->receive_buffer < c->initial_receive_window)
        c->receive_buffer = c->initial_receive_window;
    if (c->receive_buffer_start < c->initial_receive_window)
        c->receive_buffer_start = c->initial_receive_window;
    return true;
}

static bool route_mss(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    int n = atoi(value);

    (void)run;
    if (n < c->mss_floor || n > 65495)
        return false;
    c->mss = (uint16_t)n;
    return true;
}

static bool route_mtu(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    unsigned headers = run->conditions.wire_family == SANWO_FAMILY_IPV6 ? 60 : 40;
    int n = atoi(value);

    if (n < 552 || n > run->conditions.mtu)
        return n == run->conditions.mtu;
    c->mss = (uint16_t)((unsigned)n - headers);
    return true;
}

/* Of both systems: 0 off, 1 ask, 2 accept, 3 ask for accurate; Linux's 4 asks for classic, 5 accepts. */
static bool ecn(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    static const uint8_t modes[] = {SANWO_ECN_OFF,      SANWO_ECN_REQUEST, SANWO_ECN_ACCEPT,
                                    SANWO_ECN_ACCURATE, SANWO_ECN_REQUEST, SANWO_ECN_ACCEPT};
    bool bsd = run->conditions.profile.dialect == SW_DIALECT_BSD;

    if (value[0] < '0' || value[0] > '5' || value[1] != '\0')
        return false;
    c->ecn = bsd && value[0] == '4' ? SANWO_ECN_ACCEPT : modes[value[0] - '0'];
    return true;
}

/* Bits: 1 the client, 2 the server, 0x400 all listeners; 4 and 0x200 without cookies, which we never do. */
static bool fast_open(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    long bits = strtol(value, NULL, 0);

    (void)c;
    run->no_fast_client = !(bits & 1);
    run->no_fast_server = !(bits & 2);
    run->fast_listeners = (bits & 0x400) != 0;
    return !(bits & 0x204);
}

/* Linux: 0 to 2 were early retransmission (RFC 5827), which RACK replaced; 3 and 4 have the probe. */
static bool tail_loss_probe(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    (void)run;
    if (value[0] < '0' || value[0] > '4')
        return false;
    c->tail_loss_probe = value[0] >= '3';
    return true;
}

/* RFC 9040; the inverse. Most scripts say 1, so that each connection starts alike. */
static bool forget_metrics(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    (void)run;
    c->remember_peers = atoi(value) == 0;
    return true;
}

/* ---- the tables ---------------------------------------------------------------------------------------- */

static const struct row linux_rows[] = {
    {"net.ipv4.tcp_sack", FLAG, FIELD(offer_sack), 0, NULL, NULL},
    {"net.ipv4.tcp_timestamps", FLAG, FIELD(offer_timestamps), 0, NULL, NULL},
    {"net.ipv4.tcp_window_scaling", FLAG, FIELD(offer_window_scale), 0, NULL, NULL},
    {"net.ipv4.tcp_slow_start_after_idle", FLAG, FIELD(idle_restart), 0, NULL, NULL},
    {"net.ipv4.tcp_syn_retries", BYTE, FIELD(syn_retries), 0, NULL, NULL},
    {"net.ipv4.tcp_synack_retries", BYTE, FIELD(syn_ack_retries), 0, NULL, NULL},
    {"net.ipv4.tcp_retries2", BYTE, FIELD(retransmit_limit), 0, NULL, NULL},
    {"net.ipv4.tcp_reordering", BYTE, FIELD(duplicate_threshold), 0, NULL, NULL},
    {"net.ipv4.tcp_keepalive_probes", BYTE, FIELD(keepalive_probes), 0, NULL, NULL},
    {"net.ipv4.tcp_keepalive_time", TIME, FIELD(keepalive_idle), SEC, NULL, NULL},
    {"net.ipv4.tcp_keepalive_intvl", TIME, FIELD(keepalive_interval), SEC, NULL, NULL},
    {"net.ipv4.tcp_fin_timeout", TIME, FIELD(fin_wait_2), SEC, NULL, NULL},
    {"net.ipv4.tcp_invalid_ratelimit", TIME, FIELD(challenge_interval), MSEC, NULL, NULL},
    {"net.ipv4.tcp_rto_max_ms", TIME, FIELD(rto_maximum), MSEC, NULL, NULL},
    {"net.ipv4.tcp_rto_min_us", TIME, FIELD(rto_minimum), 1000, NULL, NULL},
    {"net.ipv4.tcp_rmem", SPECIAL, 0, 0, NULL, receive_memory},
    {"net.ipv4.tcp_wmem", SPECIAL, 0, 0, NULL, send_memory},
    {"net.ipv4.ip_default_ttl", BYTE, FIELD(ttl), 0, NULL, NULL},
    {"net.ipv4.tcp_congestion_control", SPECIAL, 0, 0, NULL, congestion},
    {"net.ipv4.tcp_ecn", SPECIAL, 0, 0, NULL, ecn},
    {"net.ipv4.tcp_syncookies", FLAG, FIELD(syn_cookies), 0, NULL, NULL},
    {"net.ipv4.tcp_early_retrans", SPECIAL, 0, 0, NULL, tail_loss_probe},
    {"net.ipv4.tcp_recovery", ONLY, 0, 0, "1 0x1", NULL},
    {"net.ipv4.tcp_frto", ONLY, 0, 0, "1 2/0", NULL},
    {"net.ipv4.tcp_dsack", ONLY, 0, 0, "1", NULL},
    {"net.ipv4.tcp_mtu_probing", SPECIAL, 0, 0, NULL, mtu_probing},
    {"net.ipv4.tcp_abort_on_overflow", ONLY, 0, 0, "0", NULL},
    {"net.ipv4.tcp_shrink_window", ONLY, 0, 0, "0", NULL},
    {"net.ipv4.tcp_stdurg", ONLY, 0, 0, "0", NULL},
    {"net.ipv4.tcp_reflect_tos", ONLY, 0, 0, "0", NULL},
    {"net.ipv4.tcp_syn_linear_timeouts", ONLY, 0, 0, "0", NULL},
    {"net.ipv4.tcp_thin_linear_timeouts", ONLY, 0, 0, "0", NULL},
    {"net.ipv4.tcp_orphan_retries", BYTE, FIELD(orphan_retries), 0, NULL, NULL},
    {"net.ipv4.ip_no_pmtu_disc", ONLY, 0, 0, "0", NULL},
    {"net.ipv4.tcp_ecn_option", FLAG, FIELD(accurate_option), 0, NULL, NULL},
    {"net.ipv4.tcp_ecn_*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_rcvbuf_low_rtt", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_cubic_*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_workaround_signed_windows", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_dma_copybreak", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_probe_*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_cookie_size", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_available_ulp", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.udp_*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_retries1", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_fack", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_abc", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_moderate_rcvbuf", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_base_mss", SPECIAL, 0, 0, NULL, base_mss},
    {"net.ipv4.tcp_min_snd_mss", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_no_metrics_save", SPECIAL, 0, 0, NULL, forget_metrics},
    {"net.ipv4.tcp_no_*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_metrics_save", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_pacing_*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_autocorking", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_tso_*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_min_tso_segs", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_limit_output_bytes", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_notsent_lowat", SPECIAL, 0, 0, NULL, unsent_limit},
    {"net.ipv4.tcp_fastopen", SPECIAL, 0, 0, NULL, fast_open},
    {"net.ipv4.tcp_fastopen_*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_adv_win_scale", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_app_win", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_max_*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_mem", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_min_rtt_wlen", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_rfc1337", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_tw_*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_thin_dupack", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_comp_sack_*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_challenge_ack_limit", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_low_latency", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_retrans_collapse", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_child_ehash_entries", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_backlog_ack_defer", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_migrate_req", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_pingpong_thresh", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_plb_*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_available_*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.tcp_allowed_*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.ip_*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.conf.*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.route.*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.neigh.*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.icmp_*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv4.inet_*", IGNORED, 0, 0, NULL, NULL},
    {"net.ipv6.*", IGNORED, 0, 0, NULL, NULL},
    {"net.core.*", IGNORED, 0, 0, NULL, NULL},
    {"kernel.*", IGNORED, 0, 0, NULL, NULL},
    {"fs.*", IGNORED, 0, 0, NULL, NULL},
    {"net.sanwo.pacing", FLAG, FIELD(pacing), 0, NULL, NULL},
    {"net.netfilter.*", IGNORED, 0, 0, NULL, NULL},
    {"net.unix.*", IGNORED, 0, 0, NULL, NULL},
    {"net.mptcp.*", IGNORED, 0, 0, NULL, NULL},
    {"route.initcwnd", BYTE, FIELD(initial_window), 0, NULL, NULL},
    {"route.initrwnd", SPECIAL, 0, 0, NULL, route_window},
    {"route.mtu", SPECIAL, 0, 0, NULL, route_mtu},
    {"route.advmss", SPECIAL, 0, 0, NULL, route_mss},
    {"route.rto_min", SPECIAL, 0, 0, NULL, route_rto},
};

static const struct row freebsd_rows[] = {
    {"net.inet.tcp.sack.enable", FLAG, FIELD(offer_sack), 0, NULL, NULL},
    {"net.inet.tcp.always_keepalive", FLAG, FIELD(keepalive), 0, NULL, NULL},
    {"net.inet.tcp.syncookies", FLAG, FIELD(syn_cookies), 0, NULL, NULL},
    {"net.inet.tcp.initcwnd_segments", BYTE, FIELD(initial_window), 0, NULL, NULL},
    {"net.inet.tcp.keepcnt", BYTE, FIELD(keepalive_probes), 0, NULL, NULL},
    {"net.inet.tcp.syncache.rexmtlimit", BYTE, FIELD(syn_ack_retries), 0, NULL, NULL},
    {"net.inet.tcp.retries", BYTE, FIELD(retransmit_limit), 0, NULL, NULL},
    {"net.inet.ip.ttl", BYTE, FIELD(ttl), 0, NULL, NULL},
    {"net.inet.tcp.recvspace", BYTES, FIELD(receive_buffer), 0, NULL, NULL},
    {"net.inet.tcp.sendspace", BYTES, FIELD(send_buffer), 0, NULL, NULL},
    {"net.inet.tcp.delacktime", TIME, FIELD(delayed_ack), MSEC, NULL, NULL},
    {"net.inet.tcp.rexmit_min", TIME, FIELD(rto_minimum), MSEC, NULL, NULL},
    {"net.inet.tcp.rexmit_slop", TIME, FIELD(rto_slop), MSEC, NULL, NULL},
    {"net.inet.tcp.rexmit_initial", TIME, FIELD(rto_initial), MSEC, NULL, NULL},
    {"net.inet.tcp.msl", TIME, FIELD(msl), MSEC, NULL, NULL},
    {"net.inet.tcp.finwait2_timeout", TIME, FIELD(fin_wait_2), MSEC, NULL, NULL},
    {"net.inet.tcp.keepidle", TIME, FIELD(keepalive_idle), MSEC, NULL, NULL},
    {"net.inet.tcp.keepintvl", TIME, FIELD(keepalive_interval), MSEC, NULL, NULL},
    {"net.inet.tcp.rfc1323", SPECIAL, 0, 0, NULL, rfc1323},
    {"net.inet.tcp.delayed_ack", SPECIAL, 0, 0, NULL, delayed_ack_switch},
    {"net.inet.tcp.minmss", SPECIAL, 0, 0, NULL, smallest_mss},
    {"kern.ipc.maxsockbuf", SPECIAL, 0, 0, NULL, largest_socket_buffer},
    {"net.inet.tcp.ecn.enable", SPECIAL, 0, 0, NULL, ecn},
    {"net.inet.tcp.rfc3042", ONLY, 0, 0, "1", NULL},
    {"net.inet.tcp.fast_finwait2_recycle", ONLY, 0, 0, "0", NULL},
    {"net.inet.tcp.blackhole*", ONLY, 0, 0, "0", NULL},
    {"net.inet.tcp.path_mtu_discovery", ONLY, 0, 0, "1", NULL},
    {"net.inet.tcp.pmtud_blackhole_detection", ONLY, 0, 0, "0", NULL},
    {"net.inet.tcp.insecure_rst", ONLY, 0, 0, "0", NULL},
    {"net.inet.tcp.insecure_syn", ONLY, 0, 0, "0", NULL},
    {"net.inet.tcp.insecure_ack", ONLY, 0, 0, "0", NULL},
    {"net.inet.tcp.tolerate_missing_ts", ONLY, 0, 0, "0", NULL},
    {"net.inet.tcp.udp_tunneling_port", ONLY, 0, 0, "0", NULL},
    {"net.inet.tcp.syncookies_only", ONLY, 0, 0, "0", NULL},
    {"net.inet.tcp.functions_default", ONLY, 0, 0, "freebsd", NULL},
    {"net.inet.tcp.cc.algorithm", SPECIAL, 0, 0, NULL, congestion},
    {"net.inet.tcp.cc.abe", ONLY, 0, 0, "0", NULL},
    {"net.inet.tcp.sack.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.ecn.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.do_lrd", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.do_tcpdrain", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.do_rfc3042", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.rack.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.bbr.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.hpts.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.maxpersistidle", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.require_unique_port", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.soreceive_stream", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.tcbhashsize", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.isn_reseed_interval", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.udp_tunneling_overhead", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.map_*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.split_*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.pcap_*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.bblog*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.tcp_ack_war_*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.timer_race", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.rfc6191", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.maxtcptw", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.inflight.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.stats.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.states", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.pcbcount", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.setsockopt_*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.maxunacktime", ONLY, 0, 0, "0", NULL},
    {"net.inet.tcp.rfc3390", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.rfc3465", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.rfc6675_pipe", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.do_prr*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.newcwv", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.abc_l_var", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.recvbuf_*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.sendbuf_*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.keepinit", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.drop_synfin", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.syncache.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.icmp_may_rst", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.mssdflt", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.v6mssdflt", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.pmtud_blackhole_*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.v6pmtud_*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.ack_war_*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.cc.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.hostcache.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.tso", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.lro.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.fastopen.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.reass.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.per_cpu_timers", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.nolocaltimewait", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.ts_offset_per_conn", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.log_*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.bb.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.persmin", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.persmax", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.rexmit_drop_options", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.functions_*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.icmp.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.ip.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.udp.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.raw.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.sctp.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.siftr.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.accf.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet.tcp.accf.*", IGNORED, 0, 0, NULL, NULL},
    {"debug.*", IGNORED, 0, 0, NULL, NULL},
    {"hw.*", IGNORED, 0, 0, NULL, NULL},
    {"dev.*", IGNORED, 0, 0, NULL, NULL},
    {"machdep.*", IGNORED, 0, 0, NULL, NULL},
    {"net.bpf.*", IGNORED, 0, 0, NULL, NULL},
    {"net.fibs", IGNORED, 0, 0, NULL, NULL},
    {"net.add_addr_allfibs", IGNORED, 0, 0, NULL, NULL},
    {"net.my_fibnum", IGNORED, 0, 0, NULL, NULL},
    {"net.pf.*", IGNORED, 0, 0, NULL, NULL},
    {"net.inet6.*", IGNORED, 0, 0, NULL, NULL},
    {"net.isr.*", IGNORED, 0, 0, NULL, NULL},
    {"net.link.*", IGNORED, 0, 0, NULL, NULL},
    {"kern.*", IGNORED, 0, 0, NULL, NULL},
    {"vm.*", IGNORED, 0, 0, NULL, NULL},
    {"security.*", IGNORED, 0, 0, NULL, NULL},
};

/* ---- looking up, setting --------------------------------------------------------------------------------- */

static bool matches(const char *pattern, const char *name)
{
    size_t length = strlen(pattern);

    if (pattern[length - 1] == '*')
        return !strncmp(pattern, name, length - 1);
    return !strcmp(pattern, name);
}

static const struct row *find_in(const struct row *rows, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (matches(rows[i].name, name))
            return &rows[i];
    return NULL;
}

static const struct row *find(const char *name)
{
    const struct row *row = find_in(linux_rows, sizeof linux_rows / sizeof linux_rows[0], name);

    return row ? row : find_in(freebsd_rows, sizeof freebsd_rows / sizeof freebsd_rows[0], name);
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
static bool set(struct drill_run *run, const struct row *row, struct sanwo_tcp_config *c,
                const char *value)
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
        *(uint32_t *)(void *)at = bounded(n);
        return true;
    default:
        *(sanwo_time *)(void *)at = n * row->unit;
        return true;
    }
}

/* Sockets that are not open yet take it up as well. */
static bool set_all(struct drill_run *run, const struct row *row, const char *value)
{
    bool fits = set(run, row, &run->tcp, value);

    for (size_t i = 0; i < DRILL_SOCKETS; i++)
        if (run->sockets[i].kind == DRILL_SOCKET_TCP && !run->sockets[i].has_handle)
            fits &= set(run, row, &run->sockets[i].config, value);
    return fits;
}

bool sw_drill_sysctl(struct drill_run *run, unsigned line, const char *name, const char *value)
{
    const struct row *row = find(name);

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
