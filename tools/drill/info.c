/*
 * info.c - sanwo_tcp_info as Linux' and FreeBSD's struct tcp_info name and count it.
 *
 * Times are microseconds (of Linux' ages: milliseconds), windows of congestion are segments in
 * Linux and bytes in FreeBSD. What our stack does not tell is left out: code that asks for it skips
 * the script.
 */
#include "info.h"

#include <string.h>

enum { CA_OPEN, CA_DISORDER, CA_CWR, CA_RECOVERY, CA_LOSS };
enum {
    OPT_TIMESTAMPS = 1,
    OPT_SACK = 2,
    OPT_WSCALE = 4,
    OPT_ECN = 8,
    OPT_ECN_SEEN = 16,
    OPT_SYN_DATA = 32,
    OPT_ACE = 64
};

struct list {
    struct drill_variable *out;
    size_t count;
};

static void add(struct list *l, const char *name, uint64_t value)
{
    if (l->count < DRILL_VARIABLES)
        l->out[l->count++] = (struct drill_variable){name, value};
}

unsigned sw_drill_state_number(const struct drill_run *run, unsigned state)
{
    static const uint8_t linux_numbers[SANWO_TCP_STATE_COUNT] = {7, 10, 2, 3, 1, 4, 5, 8, 11, 9, 6};
    static const uint8_t bsd_numbers[SANWO_TCP_STATE_COUNT] = {0, 1, 2, 3, 4, 6, 9, 5, 7, 8, 10};

    if (state >= SANWO_TCP_STATE_COUNT)
        return 0;
    return run->conditions.profile.dialect == SW_DIALECT_BSD ? bsd_numbers[state]
                                                             : linux_numbers[state];
}

static void add_states(const struct drill_run *run, struct list *l)
{
    static const struct {
        const char *name;
        uint8_t state;
    } names[] = {
        {"TCPI_CLOSED", SANWO_TCP_CLOSED},
        {"TCPI_LISTEN", SANWO_TCP_LISTEN},
        {"TCPI_SYN_SENT", SANWO_TCP_SYN_SENT},
        {"TCPI_SYN_RECEIVED", SANWO_TCP_SYN_RECEIVED},
        {"TCPI_ESTABLISHED", SANWO_TCP_ESTABLISHED},
        {"TCPI_CLOSE_WAIT", SANWO_TCP_CLOSE_WAIT},
        {"TCPI_FIN_WAIT_1", SANWO_TCP_FIN_WAIT_1},
        {"TCPI_CLOSING", SANWO_TCP_CLOSING},
        {"TCPI_LAST_ACK", SANWO_TCP_LAST_ACK},
        {"TCPI_FIN_WAIT_2", SANWO_TCP_FIN_WAIT_2},
        {"TCPI_TIME_WAIT", SANWO_TCP_TIME_WAIT},
        {"TCPS_CLOSED", SANWO_TCP_CLOSED},
        {"TCPS_LISTEN", SANWO_TCP_LISTEN},
        {"TCPS_SYN_SENT", SANWO_TCP_SYN_SENT},
        {"TCPS_SYN_RECEIVED", SANWO_TCP_SYN_RECEIVED},
        {"TCPS_ESTABLISHED", SANWO_TCP_ESTABLISHED},
        {"TCPS_CLOSE_WAIT", SANWO_TCP_CLOSE_WAIT},
        {"TCPS_FIN_WAIT_1", SANWO_TCP_FIN_WAIT_1},
        {"TCPS_CLOSING", SANWO_TCP_CLOSING},
        {"TCPS_LAST_ACK", SANWO_TCP_LAST_ACK},
        {"TCPS_FIN_WAIT_2", SANWO_TCP_FIN_WAIT_2},
        {"TCPS_TIME_WAIT", SANWO_TCP_TIME_WAIT},
        {"TCP_ESTABLISHED", SANWO_TCP_ESTABLISHED},
        {"TCP_SYN_SENT", SANWO_TCP_SYN_SENT},
        {"TCP_SYN_RECV", SANWO_TCP_SYN_RECEIVED},
        {"TCP_FIN_WAIT1", SANWO_TCP_FIN_WAIT_1},
        {"TCP_FIN_WAIT2", SANWO_TCP_FIN_WAIT_2},
        {"TCP_TIME_WAIT", SANWO_TCP_TIME_WAIT},
        {"TCP_CLOSE", SANWO_TCP_CLOSED},
        {"TCP_CLOSE_WAIT", SANWO_TCP_CLOSE_WAIT},
        {"TCP_LAST_ACK", SANWO_TCP_LAST_ACK},
        {"TCP_LISTEN", SANWO_TCP_LISTEN},
        {"TCP_CLOSING", SANWO_TCP_CLOSING},
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        add(l, names[i].name, sw_drill_state_number(run, names[i].state));
    add(l, "TCP_CA_Open", CA_OPEN);
    add(l, "TCP_CA_Disorder", CA_DISORDER);
    add(l, "TCP_CA_CWR", CA_CWR);
    add(l, "TCP_CA_Recovery", CA_RECOVERY);
    add(l, "TCP_CA_Loss", CA_LOSS);
    add(l, "TCPI_OPT_TIMESTAMPS", OPT_TIMESTAMPS);
    add(l, "TCPI_OPT_SACK", OPT_SACK);
    add(l, "TCPI_OPT_WSCALE", OPT_WSCALE);
    add(l, "TCPI_OPT_ECN", OPT_ECN);
    add(l, "TCPI_OPT_SYN_DATA", OPT_SYN_DATA);
    add(l, "TCPI_OPT_ECN_SEEN", OPT_ECN_SEEN);
    add(l, "TCPI_OPT_USEC_TS", 64);
    add(l, "TCPI_OPT_TFO_CHILD", 128);
    add(l, "TCPI_OPT_TOE", 16); /* FreeBSD's */
    add(l, "TCPI_OPT_TFO", 32);
    add(l, "TCPI_OPT_ACE", OPT_ACE);
    add(l, "TCP_INFINITE_SSTHRESH", 0x7fffffff);
}

static uint64_t usec(sanwo_time t)
{
    return t > 0 ? (uint64_t)(t / 1000) : 0;
}

/* FreeBSD has a bit of its own for accurate ECN. */
static uint64_t options_of(const struct drill_run *run, const struct sanwo_tcp_info *i)
{
    bool bsd = run->conditions.profile.dialect == SW_DIALECT_BSD;
    uint64_t ecn = bsd && i->ecn == SANWO_ECN_ACCURATE ? OPT_ACE : OPT_ECN;

    return (i->timestamps ? OPT_TIMESTAMPS : 0) | (i->sack ? OPT_SACK : 0) |
           (i->send_scale >= 0 ? OPT_WSCALE : 0) | (i->ecn ? ecn : 0) |
           (i->ecn_seen && !bsd ? OPT_ECN_SEEN : 0) |
           (i->fast_open == SANWO_FAST_OPEN_TAKEN ? OPT_SYN_DATA : 0);
}

static uint64_t congestion_state(const struct sanwo_tcp_info *i)
{
    static const uint8_t states[] = {
        [SANWO_RECOVERY_NONE] = CA_OPEN,
        [SANWO_RECOVERY_DISORDER] = CA_DISORDER,
        [SANWO_RECOVERY_FAST] = CA_RECOVERY,
        [SANWO_RECOVERY_TIMEOUT] = CA_LOSS,
    };

    return i->recovery < sizeof states ? states[i->recovery] : CA_OPEN;
}

/* Both dialects have these, with the same meaning. */
static void add_common(const struct drill_run *run, struct list *l, const struct sanwo_tcp_info *i)
{
    add(l, "tcpi_state", sw_drill_state_number(run, i->state));
    add(l, "tcpi_options", options_of(run, i));
    add(l, "tcpi_snd_wscale", i->send_scale > 0 ? (uint64_t)i->send_scale : 0);
    add(l, "tcpi_rcv_wscale", i->receive_scale > 0 ? (uint64_t)i->receive_scale : 0);
    add(l, "tcpi_rto", usec(i->rto));
    add(l, "tcpi_snd_mss", i->send_mss);
    add(l, "tcpi_rtt", usec(i->srtt));
    add(l, "tcpi_rttvar", usec(i->rttvar));
    add(l, "tcpi_rcv_space", i->rcv_wnd);
    add(l, "tcpi_snd_wnd", i->snd_wnd);
    add(l, "tcpi_rcv_wnd", i->rcv_wnd);
    add(l, "tcpi_pmtu", i->path_mtu);
    add(l, "tcpi_snd_nxt", i->snd_nxt);
    add(l, "tcpi_rcv_nxt", i->rcv_nxt);
    add(l, "tcpi_snd_rexmitpack", i->segments_retransmitted);
    add(l, "tcpi_rcv_ooopack", i->out_of_order_segments);
    add(l, "tcpi_snd_bwnd", 0);
    add(l, "tcpi_toe_tid", 0);
    add(l, "tcpi_total_retrans", i->segments_retransmitted);
}

static uint64_t msec(sanwo_time t)
{
    return t > 0 ? (uint64_t)(t / SANWO_MSEC(1)) : 0;
}

/* What is measured: times in microseconds, but for that of time-outs. */
static void add_measured(struct list *l, const struct sanwo_tcp_info *i)
{
    add(l, "tcpi_busy_time", usec(i->busy_time));
    add(l, "tcpi_rwnd_limited", usec(i->limited_time[SANWO_LIMIT_RECEIVE_WINDOW]));
    add(l, "tcpi_sndbuf_limited", usec(i->limited_time[SANWO_LIMIT_SEND_BUFFER]));
    add(l, "tcpi_total_rto", i->timeouts);
    add(l, "tcpi_total_rto_recoveries", i->timeout_recoveries);
    add(l, "tcpi_total_rto_time", msec(i->timeout_time));
    add(l, "tcpi_total_tlp", i->tail_probes);
    if (!i->tail_probes)
        add(l, "tcpi_total_tlp_bytes", 0);
    add(l, "tcpi_bytes_retrans", i->bytes_retransmitted);
    add(l, "tcpi_dsack_dups", i->duplicates_reported);
    if (i->delivery_rate) { /* Linux has a guess from the handshake */
        add(l, "tcpi_delivery_rate", i->delivery_rate);
        add(l, "tcpi_delivery_rate_app_limited", i->delivery_app_limited);
    }
    if (i->pacing_rate)
        add(l, "tcpi_pacing_rate", i->pacing_rate);
    add(l, "tcpi_rcv_rtt", usec(i->receive_rtt));
    add(l, "tcpi_ato", usec(i->delayed_ack));
}

/* What our stack does not count is known as long as it did not happen. */
static void add_zeros(struct list *l, const struct sanwo_tcp_info *i)
{
    static const char *const without_loss[] = {"tcpi_dsack_bytes", "tcpi_snd_rexmitpack_tlp",
                                               "tcpi_rehash"};
    static const char *const never[] = {"tcpi_fackets",
                                        "tcpi_delivered_e0_bytes",
                                        "tcpi_delivered_e1_bytes",
                                        "tcpi_delivered_ce_bytes",
                                        "tcpi_received_e0_bytes",
                                        "tcpi_received_e1_bytes",
                                        "tcpi_received_ce_bytes"};
    static const char *const unmarked[] = {"tcpi_delivered_ce", "tcpi_received_ce", "tcpi_rcv_ce"};

    for (size_t k = 0; k < sizeof never / sizeof never[0]; k++)
        add(l, never[k], 0);
    if (i->fast_open != SANWO_FAST_OPEN_TRIED) /* why it failed we do not tell */
        add(l, "tcpi_fastopen_client_fail", 0);
    for (size_t k = 0; !i->ecn && k < sizeof unmarked / sizeof unmarked[0]; k++)
        add(l, unmarked[k], 0);
    if (i->ecn == SANWO_ECN_ACCURATE) {
        add(l, "tcpi_delivered_ce", i->marks_told);
        add(l, "tcpi_received_ce", i->marks_received);
    }
    for (size_t k = 0; !i->segments_retransmitted && k < sizeof without_loss / sizeof(char *); k++)
        add(l, without_loss[k], 0);
}

/* The limits are huge numbers of each system's own where nothing was lost yet. */
static void add_windows(const struct drill_run *run, struct list *l, const struct sanwo_tcp_info *i)
{
    bool unlimited = i->ssthresh >= 0x3fffffff;

    if (run->conditions.profile.dialect == SW_DIALECT_BSD) {
        add(l, "tcpi_snd_cwnd", i->cwnd);
        add(l, "tcpi_snd_ssthresh", unlimited ? 0x3fffc000 : i->ssthresh);
        return;
    }
    add(l, "tcpi_snd_cwnd", i->send_mss ? i->cwnd / i->send_mss : 0);
    add(l, "tcpi_snd_ssthresh", unlimited || !i->send_mss ? 0x7fffffff : i->ssthresh / i->send_mss);
}

static void add_linux(struct list *l, const struct sanwo_tcp_info *i)
{
    add(l, "tcpi_ca_state", congestion_state(i));
    add(l, "tcpi_retransmits", i->retransmissions);
    add(l, "tcpi_probes", i->probes);
    add(l, "tcpi_backoff", i->backoff);
    add(l, "tcpi_rcv_mss", i->receive_mss);
    add(l, "tcpi_advmss", i->receive_mss);
    add(l, "tcpi_unacked", i->segments_in_flight);
    add(l, "tcpi_sacked", i->segments_sacked);
    add(l, "tcpi_lost", i->segments_lost);
    add(l, "tcpi_retrans", i->segments_resent);
    add(l, "tcpi_reord_seen", i->reordering_seen);
    add(l, "tcpi_notsent_bytes", i->send_unsent);
    add(l, "tcpi_min_rtt", usec(i->min_rtt));
    add(l, "tcpi_bytes_acked", i->bytes_acked);
    add(l, "tcpi_bytes_received", i->bytes_received);
    add(l, "tcpi_bytes_sent", i->bytes_sent);
    add(l, "tcpi_segs_out", i->segments_out);
    add(l, "tcpi_segs_in", i->segments_in);
    add(l, "tcpi_rcv_ssthresh", i->rcv_wnd);
    add(l, "tcpi_rttmin", usec(i->min_rtt));
    add(l, "tcpi_rcv_adv", i->rcv_nxt + i->rcv_wnd);
}

static uint64_t age_ms(const struct drill_run *run, sanwo_time when)
{
    return when < 0 ? (uint64_t)(run->world->now / SANWO_MSEC(1))
                    : (uint64_t)((run->world->now - when) / SANWO_MSEC(1));
}

/* What the observer counted beside the stack. */
static void add_observed(const struct drill_run *run, struct list *l, const struct drill_peer *p)
{
    add(l, "tcpi_data_segs_in", p->data_segments_in);
    add(l, "tcpi_data_segs_out", p->data_segments_out);
    add(l, "tcpi_last_data_sent", age_ms(run, p->data_out));
    add(l, "tcpi_last_data_recv", age_ms(run, p->data_in));
    add(l, "tcpi_last_ack_sent", age_ms(run, p->ack_out));
    add(l, "tcpi_last_ack_recv", age_ms(run, p->ack_in));
    add(l, "tcpi_snd_zerowin", p->zero_windows);
}

size_t sw_drill_info(struct drill_run *run, struct drill_socket *s,
                     struct drill_variable out[DRILL_VARIABLES])
{
    struct list l = {out, 0};
    struct sanwo_tcp_info info;
    const struct drill_peer *peer;

    if (!sw_drill_socket_info(run, s, &info))
        return 0;
    add_states(run, &l);
    add_common(run, &l, &info);
    add_windows(run, &l, &info);
    add_linux(&l, &info);
    add_measured(&l, &info);
    add_zeros(&l, &info);
    add(&l, "tcpi_reordering", s->config.duplicate_threshold);
    peer = sw_drill_world_peer(run->world, &info.local, &info.remote);
    if (peer)
        add_observed(run, &l, peer);
    return l.count;
}
