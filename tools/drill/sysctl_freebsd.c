/*
 * sysctl_freebsd.c - FreeBSD's sysctls.
 */
#include "sysctl_row.h"

#include <stdlib.h>
#include <string.h>

/* ---- those with a meaning of their own -------------------------------------------------------------- */

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

/* ---- the table ----------------------------------------------------------------------------------------- */

static const struct drill_sysctl_row rows[] = {
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
    {"net.inet.tcp.ecn.enable", SPECIAL, 0, 0, NULL, sw_drill_sysctl_ecn},
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
    {"net.inet.tcp.cc.algorithm", SPECIAL, 0, 0, NULL, sw_drill_sysctl_congestion},
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

const struct drill_sysctl_row *sw_drill_sysctl_freebsd(const char *name)
{
    return sw_drill_sysctl_find(rows, sizeof rows / sizeof rows[0], name);
}
