/*
 * accurate.c - Accurate ECN (RFC 9768): counters of marks, three bits of them on every segment.
 *
 *     AE CWR ECE   packets that arrived marked, modulo 8; both ends begin at 5
 *     option 172   bytes that arrived  ECT(0), CE, ECT(1)     modulo 2^24, the last may be left out;
 *     option 174                       ECT(1), CE, ECT(0)     they begin at 1, 0, 1
 *
 * 3.2.1 to 3.2.3; who agrees on it and what follows from a mark is in ecn.c.
 */
#include "tcp/ecn/accurate.h"

#include "tcp/connection/config.h"
#include "tcp/receive/timestamps.h"
#include "tcp/send/output.h"

#define FIRST_CEP 5 /* 3.2.1: so that neither 0 nor 1 is the first counter on the wire */
#define FIRST_EB 1
#define CEP_MASK 7
#define COUNTER_MASK UINT32_C(0xffffff)
#define HALF_COUNTER (UINT32_C(1) << 23)
#define UNTOLD_MOST (UINT32_C(1) << 22) /* 3.2.3.3: of a counter, before it is told again */
#define MARKS_OF_TEXT 2                 /* 3.2.2.5.1: the n marks that make an ACK due, */
#define MARKS_OF_ACKS 3                 /* ... and where no text waits for one */
#define TRIAL_SEGMENTS 8 /* sent as ECT and delivered before the path is judged to bleach it */
#define LATELY 8         /* ACKs with news for which a mark is prevailing: a round of the flags */
#define ALL_MARKED 4     /* 3.2.2.3: windows until marks on everything are not a queue's */
#define TRIALS 2         /* of the option with text, then without it */
#define SPACE_OF_OPTIONS 40
#define SACK_HEADER 4
#define SACK_BLOCK 8
#define SACK_LEAST 2 /* 3.2.3.3: blocks that come before our option */

#define BIT(ip_ecn) (1u << (ip_ecn))

static const uint8_t codes[] = {2, 3, 4, 6}; /* by the two bits of IP: tables 2, 3 and 4 */

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

static uint32_t saturating(uint32_t a, uint32_t b)
{
    return a + sw_min32(b, UINT32_MAX - a);
}

/* 3.2.2.2: marks on SYNs do not count, of those on SYN-ACKs one does. */
void sw_tcp_accurate_syn_ack(struct tcp_accurate *a, uint8_t ip_ecn)
{
    a->handshake_ecn = a->last_ecn = ip_ecn; /* 3.1.5: the latest is fed back */
    if (ip_ecn != IP_CE || a->syn_ack_counted)
        return;
    a->syn_ack_counted = true;
    a->r_cep++;
    a->marks_received++;
}

void sw_tcp_accurate_begin(const struct tcp_connection *conn, struct tcp_accurate *a,
                           uint8_t ip_ecn, bool active)
{
    *a = (struct tcp_accurate){.r_cep = FIRST_CEP,
                               .r_e0b = FIRST_EB,
                               .r_e1b = FIRST_EB,
                               .s_cep = FIRST_CEP,
                               .s_e0b = FIRST_EB,
                               .handshake_ecn = ip_ecn,
                               .last_ecn = ip_ecn,
                               .una = conn->send.snd_nxt,
                               .option_ack = conn->send.snd_nxt,
                               .option_ace = FIRST_CEP,
                               .until_first = 1,
                               .first_due = active, /* 3.2.3.2.1: the first ACK may be lost */
                               .answers_syn_ack = active,
                               .all_marked = true};
    if (active)
        sw_tcp_accurate_syn_ack(a, ip_ecn);
}

/* ---- what we received: RFC9768-3.2.2-1 ----------------------------------------------------------------- */

static void count_bytes(struct tcp_accurate *a, uint8_t ecn, uint32_t payload)
{
    uint32_t *bytes = ecn == IP_CE ? &a->r_ceb : ecn == IP_ECT_0 ? &a->r_e0b : &a->r_e1b;
    *bytes += payload;
    a->ever |= (uint8_t)BIT(ecn);
    a->changed |= (uint8_t)BIT(ecn);
    a->untold = saturating(a->untold, payload);
}

bool sw_tcp_accurate_count(struct tcp_accurate *a, const struct tcp_segment *seg, uint32_t payload,
                           bool unacked)
{
    uint8_t ecn = seg->dscp_ecn & IP_ECN_MASK, before = a->last_ecn;
    a->last_ecn = ecn;
    if (payload && ecn != IP_NOT_ECT)
        count_bytes(a, ecn, payload);
    if (ecn != IP_CE)
        return false;
    a->r_cep += seg->packets; /* a super-segment was marked in each of its parts */
    a->marks_received += seg->packets;
    a->unreported = (uint8_t)sw_min32(a->unreported + seg->packets, UINT8_MAX);
    /*
     * 3.2.2.5.1: the first after what was not marked, and each n of them. Three marked ACKs for each that
     * we answer: two ends cannot keep each other going.
     */
    if (payload && before != IP_CE)
        return true;
    return a->unreported >= (payload || unacked ? MARKS_OF_TEXT : MARKS_OF_ACKS);
}

/* ---- our option -------------------------------------------------------------------------------------- */

void sw_tcp_accurate_first_option(struct wire_tcp_options *options)
{
    options->accurate = TCP_OPTION_ACCURATE_0;
    options->accurate_count = 2;
    options->accurate_counters[0] = FIRST_EB;
    options->accurate_counters[1] = options->accurate_counters[2] = 0;
}

static bool wants_all(uint8_t which)
{
    return (which & BIT(IP_ECT_0)) && (which & BIT(IP_ECT_1));
}

/* One counter takes as many words as two do. */
static uint32_t size_of(uint8_t which)
{
    return wants_all(which) ? 12 : 8;
}

static void put_option(const struct tcp_accurate *a, uint8_t which,
                       struct wire_tcp_options *options)
{
    bool first = (which & BIT(IP_ECT_1)) && !(which & BIT(IP_ECT_0));
    options->accurate = first ? TCP_OPTION_ACCURATE_1 : TCP_OPTION_ACCURATE_0;
    options->accurate_count = wants_all(which) ? 3 : 2;
    options->accurate_counters[0] = first ? a->r_e1b : a->r_e0b;
    options->accurate_counters[1] = a->r_ceb;
    options->accurate_counters[2] = first ? a->r_e0b : a->r_e1b;
}

/*
 * 3.2.3.3: with each ACK after a byte counter moved, all that ever moved; where there is less room those
 * that did since the last option; else none. What tells of marks may take the place of SACK blocks, but
 * of two.
 */
uint32_t sw_tcp_ecn_option(const struct tcp *tcp, const struct tcp_connection *conn,
                           struct wire_tcp_options *options)
{
    const struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    if (SW_LIKELY(!a) || !(a->changed || a->first_due || a->answers_syn_ack) || a->held ||
        a->losses >= TRIALS || !sw_tcp_config(tcp, conn)->accurate_option)
        return 0;
    uint32_t blocks = options->sack_count;
    uint32_t used = (conn->timestamps ? 12 : 0) + (blocks ? SACK_HEADER + SACK_BLOCK * blocks : 0);
    uint8_t which = a->ever;
    if (used + size_of(which) > SPACE_OF_OPTIONS)
        which = a->changed;
    bool pressing = (a->changed & BIT(IP_CE)) || a->untold >= UNTOLD_MOST;
    for (; pressing && blocks > SACK_LEAST && used + size_of(which) > SPACE_OF_OPTIONS; blocks--)
        used -= SACK_BLOCK;
    if (used + size_of(which) > SPACE_OF_OPTIONS)
        return 0;
    options->sack_count = (uint8_t)blocks;
    put_option(a, which, options);
    return size_of(which);
}

/*
 * 3.2.3.2.2: the first text with the option is a trial. If it must be sent again that goes without, and
 * nothing has the option until it arrived; if the next trial fails too, nothing ever has.
 */
static void watch(const struct tcp_connection *conn, struct tcp_accurate *a,
                  const struct tcp_plan *plan, bool fresh, struct tcp_outgoing *out)
{
    bool again = tcp_seq_before(plan->seq, conn->send.snd_nxt);
    if (a->trying && again &&
        tcp_seq_in_window(a->tried, plan->seq, plan->length)) { /* the window: its text */
        a->losses += !a->held;
        a->held = true;
        out->options.accurate = 0;
    }
    if (fresh && out->options.accurate && !a->trying && !a->passes) {
        a->trying = true;
        a->tried = plan->seq;
    }
}

void sw_tcp_accurate_outgoing(const struct tcp_connection *conn, struct tcp_accurate *a,
                              const struct tcp_plan *plan, bool fresh, struct tcp_outgoing *out)
{
    if (!plan->length && !a->changed && !a->answers_syn_ack) /* it was meant for text */
        out->options.accurate = 0;
    if (plan->length)
        watch(conn, a, plan, fresh, out);
    if (out->options.accurate) {
        a->changed = 0;
        a->untold = 0;
        a->first_due &= !fresh;
    }
    /* 3.2.2.1, table 3; everything else has the counter as it is now. */
    bool bare = !plan->length && !out->options.sack_count;
    out->ace =
        a->answers_syn_ack && bare ? sw_tcp_accurate_code(a->handshake_ecn) : a->r_cep & CEP_MASK;
    a->answers_syn_ack = a->answers_ack = false;
    a->unreported = 0;
}

/* ---- what the peer received ------------------------------------------------------------------------ */

/* 3.2.3.2.4: counting begins at one, so a zero in a handshake is not the peer's. */
void sw_tcp_accurate_check_option(struct tcp_accurate *a, const struct wire_tcp_options *o)
{
    if (!o->accurate)
        return;
    if ((o->accurate_count > 0 && o->accurate_counters[0] == 0) ||
        (o->accurate_count > 2 && o->accurate_counters[2] == 0))
        a->option_broken = true;
}

/*
 * 3.2.2.3: much was delivered and none of it arrived as ECT(0), which it was sent as. Marks will not,
 * either. What the counter began at is the peer's business: only that it never moved counts.
 */
static void look_for_bleaching(struct tcp_connection *conn, struct tcp_accurate *a,
                               const struct wire_tcp_options *o)
{
    if (a->arrives || !o->accurate_count)
        return;
    a->arrives = o->accurate == TCP_OPTION_ACCURATE_1 || o->accurate_counters[0] != a->s_e0b ||
                 (o->accurate_count > 1 && o->accurate_counters[1] != (a->s_ceb & COUNTER_MASK));
    if (!a->arrives && a->unseen > (uint32_t)conn->cc.mss * TRIAL_SEGMENTS)
        conn->ecn_no_ect = 1;
}

/*
 * 3.2.3.2.5: is it certain that the flags went round less than once since the last option? They did if
 * only full segments were acknowledged, less than eight.
 */
static bool is_within_a_round(const struct tcp_connection *conn, const struct tcp_accurate *a)
{
    uint32_t mss = conn->cc.mss, least = mss > 2 * SPACE_OF_OPTIONS ? mss - SPACE_OF_OPTIONS : mss;
    return !tcp_seq_after(conn->snd_sml, a->option_ack) && least &&
           a->since_option / least + 2 < CEP_MASK + 1;
}

/* Bytes newly marked by the option, which is exact. False: there is none, or it is not to be trusted. */
static bool by_option(struct tcp_connection *conn, struct tcp_accurate *a,
                      const struct tcp_segment *seg, uint32_t *bytes)
{
    const struct wire_tcp_options *o = &seg->options;
    if (!o->accurate || a->option_broken)
        return false;
    look_for_bleaching(conn, a, o);
    if (o->accurate_count < 2)
        return false;
    uint32_t marked = (o->accurate_counters[1] - a->s_ceb) & COUNTER_MASK;
    if (marked >= HALF_COUNTER && a->since_option < HALF_COUNTER) /* older than what was told */
        return false;
    if (marked && seg->ace == a->option_ace && is_within_a_round(conn, a))
        conn->ecn_no_ect = 1; /* marked bytes without a marked packet: somebody writes there */
    a->s_ceb += marked;
    *bytes = marked - sw_min32(marked, a->guessed); /* what is counted is not counted again */
    a->guessed = a->since_option = 0;
    a->option_ack = seg->ack;
    a->option_ace = seg->ace;
    return true;
}

/*
 * 3.2.2.5.2: the counter may have gone round. A receiver acknowledges after seven marks at the latest,
 * so a round unseen means that ACKs were lost: while marks are rare the least is believed, amid marks
 * the worst, unless the option tells. The number congruent to @told nearest @wanted, at most @packets;
 * or @told, if the flags tell of more than that: they count packets without text too.
 */
static uint32_t unwrap(uint32_t told, uint32_t packets, uint32_t wanted)
{
    uint32_t most = packets > told ? packets - told : 0, more = wanted > told ? wanted - told : 0;
    return told + sw_min32(most & ~(uint32_t)CEP_MASK, (more + 4) & ~(uint32_t)CEP_MASK);
}

/*
 * 3.2.2.4: the first counter after the handshake is zero, and nothing can have been marked that often by
 * so few; the path clears the flags.
 */
static void look_for_zeroing(struct tcp_connection *conn, struct tcp_accurate *a,
                             const struct tcp_segment *seg, uint32_t packets)
{
    if (!a->until_first || --a->until_first || seg->ace != 0 ||
        packets >= ((0u - a->s_cep) & CEP_MASK))
        return;
    conn->ecn_no_ect = 1;
    a->deaf = true;
}

/*
 * 3.2.2.2, A.1: another ACK told more already. One that brings no news of text may be an old one, unless
 * the peer's clock says that it is not; so may one whose news is in its SACK blocks alone, if that clock
 * says so.
 */
static bool is_superseded(const struct tcp_connection *conn, struct tcp_accurate *a,
                          const struct tcp_segment *seg, uint32_t delivered)
{
    const struct wire_tcp_options *o = &seg->options;
    bool advanced = !tcp_seq_equal(conn->send.snd_una, a->una);
    a->una = conn->send.snd_una;
    if (advanced && delivered)
        return false;
    if (!conn->timestamps || !o->timestamps)
        return !delivered;
    return sw_tcp_timestamp_before(o->ts_value, conn->receive.ts_recent) ||
           (!delivered && o->ts_value == conn->receive.ts_recent);
}

struct tcp_marks sw_tcp_accurate_marked(struct tcp_connection *conn, struct tcp_accurate *a,
                                        const struct tcp_segment *seg, uint32_t delivered)
{
    uint32_t bytes = 0, mss = sw_max32(conn->cc.mss, 1);
    uint32_t packets = (delivered + mss - 1) / mss; /* delivered is below 2^31 */
    if (a->trying && tcp_seq_after(conn->send.snd_una, a->tried)) {
        a->passes = !a->held; /* 3.2.3.2.2: it may be tried again */
        a->trying = a->held = false;
    }
    look_for_zeroing(conn, a, seg, packets);
    a->since_option = saturating(a->since_option, delivered);
    a->unseen = saturating(a->unseen, delivered);
    if (a->deaf || is_superseded(conn, a, seg, delivered))
        return (struct tcp_marks){0, 0};
    uint32_t told = (seg->ace - a->s_cep) & CEP_MASK;
    bool exact = by_option(conn, a, seg, &bytes);
    uint32_t wanted = exact ? bytes / mss : a->lately ? packets : told;
    uint32_t marks = unwrap(told, packets, wanted);
    a->s_cep += marks; /* 3.2.3.2.5: whatever the option says, the flags are followed */
    a->marks_told += marks;
    if (marks)
        a->lately = LATELY;
    else if (delivered)
        a->lately -= a->lately > 0;
    if (marks < packets)
        a->all_marked = false;
    if (!exact) {
        bytes = sw_min32(sw_min32(marks, packets) * mss, delivered); /* below delivered + mss */
        a->guessed = sw_min32(a->guessed + bytes, COUNTER_MASK);
    }
    return (struct tcp_marks){marks, sw_min32(bytes, delivered)};
}

/* 3.2.2.3: all of several windows marked is mangling, rather than a queue; it is neither fed nor heard. */
void sw_tcp_accurate_reduced(struct tcp_connection *conn, struct tcp_accurate *a)
{
    if (!a->all_marked || ++a->rounds < ALL_MARKED)
        return;
    conn->ecn_no_ect = 1;
    a->deaf = true;
}
