/*
 * sysctl_linux.c - Linux's sysctls, and the metrics of its routes.
 */
#include "sysctl_row.h"

#include <stdlib.h>
#include <string.h>

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

static bool receive_memory(struct drill_run *run, struct sanwo_tcp_config *c, const char *value)
{
    int64_t sizes[3];
    int shift = 0;

    (void)run;
    if (!three(value, sizes))
        return false;
    c->receive_buffer = 0;
    c->receive_buffer_start = sw_drill_sysctl_bytes(sizes[1] / 2);
    c->receive_buffer_max = sw_drill_sysctl_bytes(sizes[2] / 2);
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
    c->send_buffer = sw_drill_sysctl_bytes(sizes[2]);
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

/* ---- the table ----------------------------------------------------------------------------------------- */

static const struct drill_sysctl_row rows[] = {
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
    {"net.ipv4.tcp_congestion_control", SPECIAL, 0, 0, NULL, sw_drill_sysctl_congestion},
    {"net.ipv4.tcp_ecn", SPECIAL, 0, 0, NULL, sw_drill_sysctl_ecn},
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

const struct drill_sysctl_row *sw_drill_sysctl_linux(const char *name)
{
    return sw_drill_sysctl_find(rows, sizeof rows / sizeof rows[0], name);
}
