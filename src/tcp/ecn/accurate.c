/*
 * accurate.c - Accurate ECN (RFC 9768): counters of marks, three bits of them on every segment.
 *
 *     AE CWR ECE   packets that arrived marked, modulo 8; both ends begin at 5
 *     option 172   bytes that arrived  ECT(0), CE, ECT(1)     modulo 2^24, the last may be left out;
 *     option 174                       ECT(1), CE, ECT(0)     they begin at 1, 0, 1
 *
 * Written from memory of the RFC, whose text was not at hand. Left out of it: beacons
 * (the option goes with every ACK that has news of bytes) and ECT on control packets.
 */
#include "tcp/ecn/accurate.h"

#include "tcp/connection/config.h"
#include "tcp/open/half_open.h"

#define FIRST_CEP 5 /* 3.2.1: so that neither 0 nor 1 is the first counter on the wire */
#define FIRST_EB 1
#define CEP_MASK 7
#define COUNTER_MASK UINT32_C(0xffffff)
#define HALF_COUNTER (UINT32_C(1) << 23)
#define MARKS_UNTOLD 2   /* 3.2.2.5.1: marks that make an ACK due at once: 2 to 6 */
#define TRIAL_SEGMENTS 8 /* sent as ECT and delivered before the path is judged to bleach it */
#define SPACE_OF_OPTIONS 40

static const uint8_t codes[] = {2, 3, 4, 6}; /* by the two bits of IP: RFC 9768 table 2 */

uint8_t sw_tcp_accurate_code(uint8_t ip_ecn)
{
    return codes[ip_ecn & IP_ECN_MASK];
}

uint8_t sw_tcp_accurate_decode(uint8_t ace)
{
    uint8_t i = 0;
    while (i < SW_COUNT(codes) && codes[i] != ace)
        i++;
    return i;
}

bool sw_tcp_accurate_start(struct tcp *tcp, struct tcp_connection *conn)
{
    if (!conn->accurate)
        conn->accurate = sw_region_alloc(tcp->region, sizeof(struct tcp_accurate));
    return conn->accurate;
}

struct tcp_accurate *sw_tcp_accurate(const struct tcp *tcp, const struct tcp_connection *conn)
{
    return conn->accurate ? sw_region_at(tcp->region, conn->accurate) : NULL;
}

/* 3.2.2.3: we send SYN and SYN-ACK without ECT; if they arrived otherwise the path cannot be trusted. */
void sw_tcp_accurate_begin(const struct tcp *tcp, struct tcp_connection *conn, uint8_t ip_ecn,
                           uint8_t told)
{
    struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    *a = (struct tcp_accurate){.r_cep = FIRST_CEP + (ip_ecn == IP_CE),
                               .r_e0b = FIRST_EB,
                               .r_e1b = FIRST_EB,
                               .s_cep = FIRST_CEP + (told == IP_CE),
                               .synack_ecn = ip_ecn,
                               .options_due = 2}; /* 3.2.3.2.1: the first ACK may be lost */
    if (told != IP_NOT_ECT)
        conn->ecn_no_ect = 1;
}

/* ---- what we received: RFC9768-3.2.2-1  ------------------------------------------------------------------------------ */

bool sw_tcp_accurate_count(struct tcp_accurate *a, const struct tcp_segment *seg)
{
    uint8_t ecn = seg->dscp_ecn & IP_ECN_MASK;
    bool changed = seg->length && ecn != a->last_ecn;
    if (seg->length && ecn != IP_NOT_ECT) {
        uint32_t *bytes = ecn == IP_CE ? &a->r_ceb : ecn == IP_ECT_0 ? &a->r_e0b : &a->r_e1b;
        *bytes += seg->length;
        a->options_due = (uint8_t)sw_max32(a->options_due, 1);
    }
    if (ecn == IP_CE) { /* a super-segment was marked in each of its parts */
        a->r_cep += seg->packets;
        a->marks_received += seg->packets;
        a->unreported = (uint8_t)sw_min32(a->unreported + seg->packets, UINT8_MAX);
    }
    if (!seg->length) /* no ACK for an ACK: two ends would answer each other for ever */
        return false;
    a->last_ecn = ecn;
    return changed || a->unreported >= MARKS_UNTOLD;
}

/* 3.2.3.2.1, 3.2.3.2.2: if it is lost it may be for the option. */
void sw_tcp_ecn_syn_ack_option(const struct sanwo_tcp_config *config,
                               const struct tcp_half_open *half, struct wire_tcp_options *options)
{
    if (sw_tcp_ecn_mode(half) != TCP_ECN_ACCURATE || half->retransmissions ||
        !config->accurate_option)
        return;
    options->accurate = TCP_OPTION_ACCURATE_0;
    options->accurate_count = 2;
    options->accurate_counters[0] = FIRST_EB;
}

/* 3.2.3: only what ever counted has to be told, so two counters do on most paths. */
uint32_t sw_tcp_ecn_option(const struct tcp *tcp, const struct tcp_connection *conn,
                           struct wire_tcp_options *options)
{
    const struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    if (SW_LIKELY(!a) || !a->options_due || !sw_tcp_config(tcp, conn)->accurate_option)
        return 0;
    uint32_t used = (conn->timestamps ? 12 : 0) +
                    (options->sack_count ? 4 + 8 * (uint32_t)options->sack_count : 0);
    bool first = a->r_e1b != FIRST_EB && a->r_e0b == FIRST_EB;
    uint8_t count = a->r_e1b != FIRST_EB && a->r_e0b != FIRST_EB ? 3 : 2;
    uint32_t size = sw_round_up(2 + 3u * count, 4);
    if (used + size > SPACE_OF_OPTIONS) /* SACK blocks matter more; there will be another ACK */
        return 0;
    options->accurate = first ? TCP_OPTION_ACCURATE_1 : TCP_OPTION_ACCURATE_0;
    options->accurate_count = count;
    options->accurate_counters[0] = first ? a->r_e1b : a->r_e0b;
    options->accurate_counters[1] = a->r_ceb;
    options->accurate_counters[2] = first ? a->r_e0b : a->r_e1b;
    return size;
}

/* ---- what the peer received ------------------------------------------------------------------------ */

/*
 * Bytes newly marked by the option, which is exact. False: there is none, or it is not to be trusted.
 * 3.2.3.2.4: who sends zero where counting begins at one is a middlebox.
 */
static bool by_option(struct tcp_connection *conn, struct tcp_accurate *a,
                      const struct wire_tcp_options *o, uint32_t *bytes)
{
    if (!o->accurate || o->accurate_count < 2 || a->option_broken)
        return false;
    if (!a->option_seen && o->accurate_counters[0] == 0) {
        a->option_broken = true;
        return false;
    }
    a->option_seen = true;
    uint32_t marked = (o->accurate_counters[1] - a->s_ceb) & COUNTER_MASK;
    if (marked >= HALF_COUNTER) /* older than what was told already */
        return false;
    a->s_ceb += marked;
    *bytes = marked - sw_min32(marked, a->guessed); /* what is counted is not counted again */
    a->guessed = 0;
    /* 3.2.2.3: what left as ECT(0) never arrived as such. Marks will not, either. */
    bool bleached = o->accurate == TCP_OPTION_ACCURATE_0 && o->accurate_counters[0] == FIRST_EB &&
                    a->s_ceb == 0;
    if (bleached && a->sent_delivered > (uint64_t)conn->cc.mss * TRIAL_SEGMENTS)
        conn->ecn_no_ect = 1;
    return true;
}

/*
 * 3.2.2.5.2: the counter may have gone round. A receiver acknowledges after six marks at the latest, so
 * a round unseen means that ACKs were lost: while marks are rare the least is believed, amid marks the
 * worst, unless the option tells. The number congruent to @told nearest @wanted, at most @packets.
 */
static uint32_t unwrap(uint32_t told, uint32_t packets, uint32_t wanted)
{
    uint32_t most = packets > told ? packets - told : 0, more = wanted > told ? wanted - told : 0;
    return told + sw_min32(most & ~(uint32_t)CEP_MASK, (more + 4) & ~(uint32_t)CEP_MASK);
}

/* 3.2.2.4: nothing can have been marked that often by so few; the path clears the flags. */
static bool is_zeroed(struct tcp_accurate *a, const struct tcp_segment *seg, uint32_t packets)
{
    bool first = !a->feedback_seen;
    a->feedback_seen = true;
    return first && seg->ace == 0 && packets < ((0u - a->s_cep) & CEP_MASK);
}

uint32_t sw_tcp_accurate_marked(struct tcp *tcp, struct tcp_connection *conn,
                                const struct tcp_segment *seg, uint32_t delivered)
{
    struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    uint32_t bytes = 0, mss = sw_max32(conn->cc.mss, 1);
    uint32_t packets = (delivered + mss - 1) / mss; /* delivered is below 2^31 */
    if (is_zeroed(a, seg, packets))
        conn->ecn_no_ect = 1;
    if (!delivered) /* an ACK that brings no news may be an old one */
        return 0;
    a->sent_delivered += delivered;
    uint32_t told = (seg->ace - a->s_cep) & CEP_MASK;
    bool exact = by_option(conn, a, &seg->options, &bytes);
    uint32_t wanted = exact ? bytes / mss : a->marked_lately ? packets : told;
    uint32_t marks = unwrap(told, packets, wanted);
    a->s_cep += marks;
    a->marks_told += marks;
    a->marked_lately = marks > 0;
    if (!exact) {
        bytes = sw_min32(sw_min32(marks, packets) * mss, delivered); /* below delivered + mss */
        a->guessed = sw_min32(a->guessed + bytes, COUNTER_MASK);
    }
    return sw_min32(bytes, delivered);
}
