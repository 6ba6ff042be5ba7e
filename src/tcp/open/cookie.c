/*
 * cookie.c - What a half-open record would hold, sent to the peer to keep (RFC 4987 3.6, attack B-08).
 *
 *     sequence number   SipHash(tuple, IRS, time slot, our window and scale)
 *                       XOR index of the peer's MSS in a table of 8
 *     timestamp         the clock, its lowest six bits replaced:  | ECN | SACK | window scale, 15: none |
 *
 * The ACK brings both back, one and the same number more. A number is valid if it differs from the
 * hash of this or the last slot in no more than the index's three bits: a blind guess succeeds once
 * in 2^28. Without timestamps there is no place for the options, and the connection goes without.
 * What a peer changes in its own cookie it could have said in its SYN.
 *
 * Nothing is sent twice (attack B-11); what is lost the peer's SYN, or its first data, brings again.
 */
#include "tcp/open/cookie.h"

#include "tcp/connection/config.h"
#include "tcp/connection/observe.h"
#include "tcp/ecn/ecn.h"
#include "tcp/open/handshake.h"
#include "tcp/open/isn.h"
#include "tcp/open/listener.h"
#include "tcp/receive/timestamps.h"
#include "tcp/receive/window.h"

#define SLOT SANWO_SEC(64) /* a cookie is good for one to two of them (attack B-09) */
#define OPTION_BITS 6
#define OPTION_MASK ((UINT32_C(1) << OPTION_BITS) - 1)
#define OPTION_SACK 16
#define OPTION_ECN 32
#define OPTION_NO_SCALE 15

/* Common values of MSS; what is between is rounded down, so never more than the peer said. */
static const uint16_t mss_table[8] = {64, 536, 1220, 1360, 1400, 1440, 1460, 8940};

static uint32_t mss_index(uint16_t mss)
{
    uint32_t i = SW_COUNT(mss_table) - 1;
    while (i > 0 && mss_table[i] > mss)
        i--;
    return i;
}

static uint64_t slot_at(sanwo_time now)
{
    return (uint64_t)now / (uint64_t)SLOT;
}

/*
 * What the SYN-ACK promised is part of it: once the listener's options are others, the cookie is void
 * and the peer is told so, rather than that a window shrinks or counts in other units.
 */
static uint32_t hash(const struct tcp *tcp, const struct sanwo_tcp_config *config,
                     const struct tcp_tuple *tuple, tcp_seq irs, uint64_t slot)
{
    uint32_t window = sw_min32(sw_tcp_window_at_first(config), UINT16_MAX);
    struct {
        struct tcp_tuple tuple;
        uint64_t slot;
        uint32_t irs, promise;
    } input = {*tuple, slot, irs.raw, (uint32_t)sw_tcp_scale_for(config) << 16 | window};
    return (uint32_t)sw_siphash(&tcp->cookie_key, &input, sizeof(input));
}

/*
 * From three quarters of the backlog on, by chance, ever more often: an observer must not read off
 * the first cookie how full the backlog is (attack C-14).
 * RFC4987-3-1.
 */
bool sw_tcp_cookie_is_due(struct tcp *tcp, const struct tcp_listener *listener)
{
    uint32_t used = listener->half_open + listener->accept_queue.count;
    uint32_t safe = listener->backlog - listener->backlog / 4;
    if (used >= listener->backlog)
        return true;
    if (used < safe || (listener->flags & SANWO_LISTEN_DECIDE) ||
        !sw_tcp_config_at(tcp, listener->config)->syn_cookies)
        return false;
    return sw_random_below(tcp->random, listener->backlog - safe) < used - safe;
}

/* Our timestamp that carries the options. Not ahead of the clock: what follows must not be older. */
static uint32_t timestamp_with(uint32_t now, int8_t scale, bool sack, bool ecn)
{
    uint32_t bits = scale >= 0 ? (uint32_t)scale : OPTION_NO_SCALE;
    if (sack)
        bits |= OPTION_SACK;
    if (ecn)
        bits |= OPTION_ECN;
    uint32_t value = (now & ~OPTION_MASK) | bits;
    return sw_tcp_timestamp_before(now, value) ? value - (OPTION_MASK + 1) : value;
}

tcp_seq sw_tcp_cookie_isn(const struct tcp *tcp, const struct sanwo_tcp_config *config,
                          const struct tcp_half_open *half)
{
    uint16_t mss = sw_tcp_peer_mss(config, sw_tcp_tuple_is_ipv4(&half->tuple), half->peer_mss);
    return tcp_seq_of(hash(tcp, config, &half->tuple, half->irs, slot_at(tcp->now)) ^
                      mss_index(mss));
}

bool sw_tcp_cookie_answer(struct tcp *tcp, struct tcp_listener *listener,
                          const struct tcp_segment *seg)
{
    const struct sanwo_tcp_config *config = sw_tcp_config_at(tcp, listener->config);
    /* Who decides must be asked, and asking needs a record. */
    if (!config->syn_cookies || (listener->flags & SANWO_LISTEN_DECIDE) || listener->fixed_isn)
        return false;
    struct tcp_half_open half = {.listener = listener->item.index};
    half.u.config = listener->config; /* it lies in no pool, so it holds no share */
    sw_tcp_half_open_fill(config, &half, seg);
    half.u.iss = sw_tcp_cookie_isn(tcp, config, &half);
    if (seg->has_isn_floor && !tcp_seq_after(half.u.iss, seg->isn_floor))
        return false; /* the connection in TIME-WAIT used such numbers */
    uint32_t ts_value = sw_tcp_timestamp_now(tcp, sw_tcp_timestamp_offset(tcp, &half.tuple));
    if (sw_tcp_ecn_cookie_forgets(&half))
        sw_tcp_ecn_note(&half, seg, TCP_ECN_OFF);
    if (half.flags & HALF_OPEN_TIMESTAMPS)
        ts_value = timestamp_with(ts_value, half.scale, half.flags & HALF_OPEN_SACK,
                                  sw_tcp_ecn_mode(&half) != TCP_ECN_OFF);
    else {
        half.scale = -1;
        half.flags &= (uint8_t)~HALF_OPEN_SACK;
    }
    listener->cookies_until = tcp->now + 2 * SLOT;
    tcp->counters.reasons[SANWO_REASON_COOKIE_SENT]++;
    sw_tcp_half_open_syn_ack(tcp, &half, ts_value, SANWO_REASON_COOKIE_SENT);
    return true;
}

/* The options as the peer's TSecr brings them back. False: no timestamp of ours, or a stale one. */
static bool read_options(const struct tcp *tcp, const struct sanwo_tcp_config *config,
                         const struct tcp_segment *seg, struct tcp_half_open *half)
{
    uint32_t now = sw_tcp_timestamp_now(tcp, sw_tcp_timestamp_offset(tcp, &half->tuple));
    uint32_t echo = seg->options.ts_echo;
    uint32_t scale = echo & OPTION_NO_SCALE;
    uint32_t age = now - echo; /* of the slots' length, and what rounding down took */
    if (age > (uint32_t)(2 * SLOT / SANWO_MSEC(1)) + OPTION_MASK + 1)
        return false;
    half->flags |= HALF_OPEN_TIMESTAMPS;
    half->ts_recent = seg->options.ts_value;
    half->scale = scale == OPTION_NO_SCALE ? (int8_t)-1 : (int8_t)scale;
    if (echo & OPTION_SACK)
        half->flags |= HALF_OPEN_SACK;
    if (echo & OPTION_ECN)
        sw_tcp_ecn_note(half, seg, sw_tcp_ecn_judge_cookie(config, seg, true));
    return true;
}

bool sw_tcp_cookie_read(const struct tcp *tcp, const struct tcp_listener *listener,
                        const struct tcp_segment *seg, struct tcp_half_open *half)
{
    const struct sanwo_tcp_config *config = sw_tcp_config_at(tcp, listener->config);
    *half = (struct tcp_half_open){.listener = listener->item.index,
                                   .link = seg->link,
                                   .link_mtu = seg->link_mtu,
                                   .tuple = seg->tuple,
                                   .irs = tcp_seq_subtract(seg->seq, 1),
                                   .scale = -1};
    half->u.iss = tcp_seq_subtract(seg->ack, 1);
    half->u.config = listener->config;
    uint64_t slot = slot_at(tcp->now);
    uint32_t index = half->u.iss.raw ^ hash(tcp, config, &half->tuple, half->irs, slot);
    if (index >= SW_COUNT(mss_table) && slot > 0)
        index = half->u.iss.raw ^ hash(tcp, config, &half->tuple, half->irs, slot - 1);
    if (index >= SW_COUNT(mss_table))
        return false;
    half->peer_mss = mss_table[index];
    if (config->offer_timestamps && seg->options.timestamps)
        return read_options(tcp, config, seg, half);
    sw_tcp_ecn_note(half, seg, sw_tcp_ecn_judge_cookie(config, seg, false));
    return true;
}
