/*
 * ecn.c - Explicit congestion notification: agreeing on it, the classic echo, the reaction.
 *
 *     SYN ECE CWR    -->      SYN AE ECE CWR (accurate)   the same once more, then without
 *     SYN-ACK ECE    <--      SYN-ACK: how the SYN arrived
 *
 *     CE arrives     -->      ECE on every ACK until CWR (RFC 3168 6.1.3)
 *                             ECE on the ACKs of marked segments only (RFC 8257 3.2)
 *                             three bits of a counter (RFC 9768 3.2.2): accurate.c
 *
 * ECT(0) is on new data only (RFC 3168 6.1.4 to 6.1.6): no SYN, no bare ACK, nothing sent
 * again, no probe of a closed window. What a peer says falsely of marks slows what we send to that peer, and
 * nothing else. RFC 9768 3.1 and 5.1 on who agrees on what; its counters are in accurate.c.
 */
#include "tcp/ecn/ecn.h"

#include "tcp/close/reset.h"
#include "tcp/connection/config.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/timers.h"
#include "tcp/ecn/accurate.h"
#include "tcp/open/half_open.h"
#include "tcp/receive/delayed_ack.h"
#include "tcp/recovery/recovery.h"
#include "tcp/send/output.h"

#define ACE_NONE 0
#define ACE_ECE 1
#define ACE_CWR 2
#define ACE_CLASSIC 3  /* a SYN's ECE and CWR */
#define ACE_ACCURATE 7 /* and AE */
#define ACE_RESERVED 5 /* of a SYN-ACK: RFC 9768 3.1.3 */
#define ACE_FIRST 5    /* where counters begin: 3.2.1 */
#define MODE_SHIFT 2   /* in struct tcp_half_open; above the mode: */
#define HEARD_NONE 16  /* a SYN came that asks for nothing */
#define HEARD_CLASSIC 32
#define HEARD_ACCURATE 64
#define HEARD_AGAIN 128 /* more than one came */
#define TRIES 2         /* SYNs, or SYN-ACKs, that ask or answer; then without (RFC 3168 6.1.1.1) */

static bool wants_marks(const struct sanwo_tcp_config *config)
{
    struct tcp_cc cc = {.algorithm = config->congestion};
    return sw_tcp_cc_ops(&cc)->wants_marks;
}

/* ---- reaction -------------------------------------------------------------------------------------- */

void sw_tcp_ecn_reduced(struct tcp_connection *conn)
{
    conn->ecn_cwr = conn->ecn == TCP_ECN_CLASSIC && !conn->ecn_no_ect;
}

/* RFC3168-6.1.2-1: once a window. Marks of what was sent before the reduction say nothing new. */
static void react(struct tcp *tcp, struct tcp_connection *conn, uint32_t outstanding)
{
    if (conn->ecn_hushed)
        return;
    struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    bool counts = sw_tcp_cc_ops(&conn->cc)->wants_marks;
    conn->ecn_hushed = 1;
    conn->ecn_until = conn->send.snd_nxt;
    sw_tcp_ecn_reduced(conn);
    if (!counts)
        sw_tcp_recovery_on_ecn_echo(tcp, conn, outstanding);
    if (a && !counts) /* where queues mark by a step (RFC 8257) all may be marked */
        sw_tcp_accurate_reduced(conn, a);
}

/* ---- opening ------------------------------------------------------------------------------------- */

static enum tcp_ecn_mode wanted(const struct sanwo_tcp_config *config)
{
    switch (config->ecn) {
    case SANWO_ECN_ACCURATE:
        return TCP_ECN_ACCURATE;
    case SANWO_ECN_REQUEST:
        return TCP_ECN_CLASSIC;
    case SANWO_ECN_ACCEPT: /* RFC 8257: without marks DCTCP is nothing */
        return wants_marks(config) ? TCP_ECN_CLASSIC : TCP_ECN_OFF;
    default:
        return TCP_ECN_OFF;
    }
}

/* Those of a SYN-ACK: of a simultaneous open, or behind what a Fast Open cookie earned. */
static uint8_t syn_ack(struct tcp *tcp, struct tcp_connection *conn,
                       struct wire_tcp_options *options)
{
    struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    if (conn->send.retransmissions >= TRIES)
        conn->ecn_no_ect = 1;
    else if (conn->ecn == TCP_ECN_CLASSIC && !conn->ecn_no_ect)
        return ACE_ECE;
    else if (a) {
        if (!a->syn_ack_tried && sw_tcp_config(tcp, conn)->accurate_option)
            sw_tcp_accurate_first_option(options);
        a->syn_ack_tried = true;
        return sw_tcp_accurate_code(a->handshake_ecn);
    }
    return ACE_NONE;
}

/* RFC3168-6.1.1.1-1: who gets no answer asks without (RFC 9768 3.1.4.1). One kind is asked for (3.1.5). */
uint8_t sw_tcp_ecn_syn(struct tcp *tcp, struct tcp_connection *conn,
                       struct wire_tcp_options *options)
{
    static const uint8_t asks[] = {ACE_NONE, ACE_CLASSIC, ACE_ACCURATE};
    conn->ecn_ect = 0;
    if (conn->state != SANWO_TCP_SYN_SENT) /* the peer's SYN was judged by sw_tcp_ecn_answered() */
        return syn_ack(tcp, conn, options);
    if (conn->segments_out == 0)
        conn->ecn = wanted(sw_tcp_config(tcp, conn));
    if (conn->send.retransmissions >= TRIES) {
        conn->ecn_no_ect = 1;
        return ACE_NONE;
    }
    return asks[conn->ecn];
}

/* RFC9768-3.1.1-1; 3.1.2, 3.1.3: whatever is neither nothing nor classic asks for accurate ECN. */
enum tcp_ecn_mode sw_tcp_ecn_judge_syn(const struct sanwo_tcp_config *config,
                                       const struct tcp_segment *seg)
{
    if (config->ecn == SANWO_ECN_OFF || seg->ace == ACE_NONE)
        return TCP_ECN_OFF;
    if (seg->ace != ACE_CLASSIC)
        return TCP_ECN_ACCURATE;
    /* RFC 3168 6.1.1: no SYN is ECT; so something on the way writes these bits. DCTCP's may be. */
    if ((seg->dscp_ecn & IP_ECN_MASK) != IP_NOT_ECT && !wants_marks(config))
        return TCP_ECN_OFF;
    return TCP_ECN_CLASSIC;
}

static uint8_t heard(uint8_t ace)
{
    return ace == ACE_NONE      ? HEARD_NONE
           : ace == ACE_CLASSIC ? HEARD_CLASSIC
                                : HEARD_ACCURATE; /* RFC 9768 3.1.3 */
}

void sw_tcp_ecn_note(struct tcp_half_open *half, const struct tcp_segment *seg,
                     enum tcp_ecn_mode mode)
{
    uint8_t syn = seg->flags & TCP_SYN ? heard(seg->ace) : 0; /* a cookie comes with an ACK */
    half->ecn = (uint8_t)(mode << MODE_SHIFT | (seg->dscp_ecn & IP_ECN_MASK) | syn);
}

/*
 * RFC 9768 3.1.5: the first SYN decides on the mode, the latest is fed back, and two of different kinds
 * leave nobody sure of anything.
 */
bool sw_tcp_ecn_syn_again(const struct sanwo_tcp_config *config, struct tcp_half_open *half,
                          const struct tcp_segment *seg)
{
    uint8_t ip_ecn = seg->dscp_ecn & IP_ECN_MASK;
    half->ecn = (uint8_t)((half->ecn & ~IP_ECN_MASK) | ip_ecn | heard(seg->ace) | HEARD_AGAIN);
    return config->ecn == SANWO_ECN_OFF || !(half->ecn & HEARD_CLASSIC) ||
           !(half->ecn & HEARD_ACCURATE);
}

enum tcp_ecn_mode sw_tcp_ecn_mode(const struct tcp_half_open *half)
{
    return (enum tcp_ecn_mode)(half->ecn >> MODE_SHIFT & IP_ECN_MASK);
}

/*
 * RFC 9768 table 4, notes 2 and 3: accurate ECN never begins with 0 or 1, and what is not accurate answers
 * with nothing else (5.1), so that it needs no bit. The peer chooses the bit and the flags that brought us
 * here, so the user's wish is asked again.
 */
enum tcp_ecn_mode sw_tcp_ecn_judge_cookie(const struct sanwo_tcp_config *config,
                                          const struct tcp_segment *seg, bool asked)
{
    if (config->ecn == SANWO_ECN_OFF || (!asked && seg->length))
        return TCP_ECN_OFF;
    if (seg->ace > ACE_ECE)
        return TCP_ECN_ACCURATE;
    return asked ? TCP_ECN_CLASSIC : TCP_ECN_OFF;
}

/* Without timestamps there is no place for the bit. */
bool sw_tcp_ecn_cookie_forgets(const struct tcp_half_open *half)
{
    return !(half->flags & HALF_OPEN_TIMESTAMPS) && sw_tcp_ecn_mode(half) == TCP_ECN_CLASSIC;
}

/* RFC 9768 3.1.4.2: the flags may be what keeps the SYN-ACK from arriving. */
uint8_t sw_tcp_ecn_syn_ack(const struct tcp_half_open *half, uint8_t retransmissions)
{
    if (retransmissions >= TRIES)
        return ACE_NONE;
    switch (sw_tcp_ecn_mode(half)) {
    case TCP_ECN_ACCURATE:
        return sw_tcp_accurate_code(half->ecn & IP_ECN_MASK);
    case TCP_ECN_CLASSIC: /* RFC 3168 6.1.1: who asks no more is not answered */
        return half->ecn & HEARD_NONE ? ACE_NONE : ACE_ECE;
    default:
        return ACE_NONE;
    }
}

/* 3.2.3.2.1, 3.2.3.2.2: if it is lost, or asked for again, it may be for the option. */
void sw_tcp_ecn_syn_ack_option(const struct sanwo_tcp_config *config,
                               const struct tcp_half_open *half, struct wire_tcp_options *options)
{
    if (sw_tcp_ecn_mode(half) == TCP_ECN_ACCURATE && !half->retransmissions &&
        !(half->ecn & HEARD_AGAIN) && config->accurate_option)
        sw_tcp_accurate_first_option(options);
}

uint8_t sw_tcp_ecn_half_open(const struct tcp_half_open *half)
{
    return sw_tcp_ecn_mode(half) == TCP_ECN_ACCURATE ? ACE_FIRST : ACE_NONE;
}

/* What the flags of a SYN-ACK agree to, of what we asked for (RFC 3168 6.1.1, RFC 9768 table 2). */
static enum tcp_ecn_mode agreed(enum tcp_ecn_mode asked, uint8_t ace)
{
    if (asked == TCP_ECN_OFF)
        return TCP_ECN_OFF;
    if (ace == ACE_ECE || (asked == TCP_ECN_CLASSIC && (ace & ACE_CLASSIC) == ACE_ECE))
        return TCP_ECN_CLASSIC;
    /* All three: it mirrors what it does not know (RFC 3168 6.1.1.2). */
    return asked == TCP_ECN_ACCURATE && ace != ACE_NONE && ace != ACE_ACCURATE ? TCP_ECN_ACCURATE
                                                                               : TCP_ECN_OFF;
}

/* How ours arrived, as the flags of a SYN-ACK tell; we sent it Not-ECT (RFC 9768 3.2.2.3). */
static uint8_t told_by(uint8_t ace)
{
    uint8_t told = sw_tcp_accurate_decode(ace);
    return told > IP_ECN_MASK ? IP_NOT_ECT : told; /* 3.1.3: as if it had arrived unchanged */
}

bool sw_tcp_ecn_answered(struct tcp *tcp, struct tcp_connection *conn,
                         const struct tcp_segment *seg)
{
    bool crossed = !(seg->flags & TCP_ACK);
    enum tcp_ecn_mode asked = (enum tcp_ecn_mode)conn->ecn, mode;
    if (asked == TCP_ECN_OFF)
        return true;
    mode = crossed ? sw_tcp_ecn_judge_syn(sw_tcp_config(tcp, conn), seg) : agreed(asked, seg->ace);
    if (mode > asked)
        mode = asked;
    if (mode == TCP_ECN_ACCURATE) {
        if (!sw_tcp_accurate_start(tcp, conn))
            return false;
        struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
        sw_tcp_accurate_begin(conn, a, seg->dscp_ecn & IP_ECN_MASK, !crossed);
        if (!crossed) { /* 3.1.4.1: ours may have gone out without, its sender knows the mode */
            uint8_t told = told_by(seg->ace);
            conn->ecn_no_ect = told != IP_NOT_ECT;
            a->syn_marked = told == IP_CE;
            sw_tcp_accurate_check_option(a, &seg->options);
        }
    }
    conn->ecn = mode;
    return true;
}

bool sw_tcp_ecn_promote(struct tcp *tcp, struct tcp_connection *conn,
                        const struct tcp_half_open *half)
{
    enum tcp_ecn_mode mode = sw_tcp_ecn_mode(half);
    if (mode == TCP_ECN_ACCURATE) {
        if (!sw_tcp_accurate_start(tcp, conn))
            return false;
        sw_tcp_accurate_begin(conn, sw_tcp_accurate(tcp, conn), half->ecn & IP_ECN_MASK, false);
    }
    conn->ecn = mode;
    /* RFC 3168 6.1.1, RFC 9768 3.1.5: who sent or got one without ECN must not use it, but tells. */
    conn->ecn_no_ect =
        half->retransmissions >= TRIES || (mode != TCP_ECN_OFF && (half->ecn & HEARD_NONE));
    return true;
}

bool sw_tcp_ecn_syn_received(struct tcp *tcp, struct tcp_connection *conn,
                             const struct tcp_segment *seg)
{
    struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    if (conn->ecn == TCP_ECN_OFF || (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN ||
        !tcp_seq_equal(seg->seq, conn->receive.irs))
        return true;
    uint8_t kind = heard(seg->ace);
    if (kind == HEARD_NONE)
        conn->ecn_no_ect = 1;
    if (a)
        a->handshake_ecn = seg->dscp_ecn & IP_ECN_MASK;
    /* Where SYNs crossed, less may have been agreed on than the peer asks for. */
    return a ? kind != HEARD_CLASSIC : kind != HEARD_ACCURATE || !conn->passive;
}

bool sw_tcp_ecn_syn_ack_again(struct tcp *tcp, struct tcp_connection *conn,
                              const struct tcp_segment *seg)
{
    struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    if (!a || conn->passive || !(seg->flags & TCP_ACK) ||
        !tcp_seq_equal(seg->seq, conn->receive.irs) ||
        !tcp_seq_between(seg->ack, tcp_seq_add(conn->send.iss, 1), conn->send.snd_nxt) ||
        agreed(TCP_ECN_ACCURATE, seg->ace) != TCP_ECN_ACCURATE)
        return false;
    sw_tcp_accurate_syn_ack(a, seg->dscp_ecn & IP_ECN_MASK);
    sw_tcp_challenge_ack(tcp, conn);
    a->answers_syn_ack = conn->ack_now; /* unless there was one just now */
    return true;
}

bool sw_tcp_ecn_answers(const struct tcp *tcp, const struct tcp_connection *conn)
{
    if (SW_LIKELY(conn->ecn != TCP_ECN_ACCURATE) || !conn->ack_now)
        return false;
    const struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    return a && a->answers_syn_ack;
}

bool sw_tcp_ecn_hides_sack(const struct tcp *tcp, const struct tcp_connection *conn)
{
    if (SW_LIKELY(conn->ecn != TCP_ECN_ACCURATE))
        return false;
    const struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    return a && (a->answers_ack || sw_tcp_ecn_answers(tcp, conn));
}

bool sw_tcp_ecn_syn_marked(const struct tcp *tcp, const struct tcp_connection *conn)
{
    const struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    return a && a->syn_marked;
}

/* RFC 9768 3.2.2.1, table 4. It told of the SYN-ACK; the counter as such begins with the next one. */
void sw_tcp_ecn_handshake_ack(struct tcp *tcp, struct tcp_connection *conn, struct tcp_segment *seg)
{
    struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    if (!a)
        return;
    sw_tcp_accurate_check_option(a, &seg->options);
    if (seg->came_with_syn) { /* of a simultaneous open: it tells of our SYN, and is no counter */
        if (told_by(seg->ace) != IP_NOT_ECT)
            conn->ecn_no_ect = 1;
        a->handshake_ecn = seg->dscp_ecn & IP_ECN_MASK;
        return;
    }
    if (seg->length || seg->came_with_data || seg->options.sack_count)
        return;
    uint8_t told = told_by(seg->ace);
    if (seg->ace == ACE_NONE) /* note 1: it counts nothing, or somebody clears the flags */
        a->deaf = true;
    if (seg->ace == ACE_NONE || told != IP_NOT_ECT) /* we sent it Not-ECT */
        conn->ecn_no_ect = 1;
    if (told == IP_CE) {
        a->s_cep++;
        a->marks_told++;
        a->syn_marked = true;
        uint32_t outstanding = tcp_seq_distance(conn->send.snd_una, conn->send.snd_nxt);
        if (outstanding) /* behind a SYN-ACK that a Fast Open cookie earned */
            react(tcp, conn, outstanding);
    }
    a->until_first = 2;
    seg->ace = a->s_cep & 7;
}

void sw_tcp_ecn_release(struct tcp *tcp, struct tcp_connection *conn)
{
    if (conn->accurate)
        sw_region_free(tcp->region, conn->accurate);
    conn->accurate = 0;
}

/* ---- receiving ------------------------------------------------------------------------------------- */

/*
 * RFC8257-3.2-1: an ACK speaks for segments of one kind. What came before the change and is not
 * acknowledged yet gets its own ACK first.
 */
static void echo_each(struct tcp *tcp, struct tcp_connection *conn, bool marked)
{
    if (marked == conn->ecn_echo)
        return;
    if (conn->receive.unacked) {
        sw_tcp_reply_ack(tcp, conn, SANWO_REASON_ECN_ECHO);
        sw_tcp_ack_was_sent(conn);
    }
    conn->ecn_echo = marked;
    sw_tcp_ack_now(tcp, conn);
}

/* RFC3168-6.1.3-1: a segment may end one echo and begin the next. */
static void echo_until_reduced(struct tcp *tcp, struct tcp_connection *conn, bool marked,
                               bool reduced)
{
    bool before = conn->ecn_echo;
    if (reduced)
        conn->ecn_echo = 0;
    if (marked)
        conn->ecn_echo = 1;
    if (marked && !before) /* the sender should hear of it soon */
        sw_tcp_ack_now(tcp, conn);
}

/*
 * RFC 9768 3.2: each acceptable packet counts, and all of its text, also what came before. Text that a
 * closed window refused is not acceptable. SHLD-8.
 */
static void receive_accurate(struct tcp *tcp, struct tcp_connection *conn, struct tcp_accurate *a,
                             const struct tcp_segment *seg, uint32_t payload)
{
    if (payload && !seg->length && !(seg->flags & TCP_FIN))
        return;
    bool unacked = conn->receive.unacked;
    if (payload)
        a->answers_ack = false;
    if (!sw_tcp_accurate_count(a, seg, payload, unacked))
        return;
    if (!payload && !unacked && !conn->ack_now) /* 3.2.2.5.1: not to be taken for a duplicate */
        a->answers_ack = true;
    sw_tcp_ack_now(tcp, conn);
}

/* RFC 3168 6.1.5: of segments inside the window only; bare ACKs are none of its business (6.1.4). */
void sw_tcp_ecn_receive(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_segment *seg,
                        uint32_t payload)
{
    if (SW_LIKELY(conn->ecn == TCP_ECN_OFF))
        return;
    struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    if (seg->length && (seg->dscp_ecn & IP_ECN_MASK) != IP_NOT_ECT)
        conn->ecn_seen = 1;
    if (a) {
        receive_accurate(tcp, conn, a, seg, payload);
        return;
    }
    if (!seg->length)
        return;
    bool marked = (seg->dscp_ecn & IP_ECN_MASK) == IP_CE;
    if (sw_tcp_cc_ops(&conn->cc)->wants_marks)
        echo_each(tcp, conn, marked);
    else
        echo_until_reduced(tcp, conn, marked, seg->flags & TCP_CWR);
}

uint8_t sw_tcp_ecn_ace(const struct tcp *tcp, const struct tcp_connection *conn)
{
    const struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    if (!a)
        return conn->ecn == TCP_ECN_CLASSIC && conn->ecn_echo ? ACE_ECE : ACE_NONE;
    return a->r_cep & 7;
}

/* ---- sending --------------------------------------------------------------------------------------- */

/* RFC3168-6.1-1: new data, and no probe of a closed window. */
static bool is_fresh(const struct tcp_connection *conn, const struct tcp_plan *plan)
{
    return plan->length && tcp_seq_equal(plan->seq, conn->send.snd_nxt) &&
           plan->reason != SANWO_REASON_WINDOW_PROBE;
}

void sw_tcp_ecn_outgoing(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_plan *plan,
                         struct tcp_outgoing *out)
{
    out->ace = ACE_NONE;
    conn->ecn_ect = 0;
    if (SW_LIKELY(conn->ecn == TCP_ECN_OFF))
        return;
    struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    bool fresh = is_fresh(conn, plan);
    out->ace = sw_tcp_ecn_ace(tcp, conn);
    if (a) {
        sw_tcp_accurate_outgoing(conn, a, plan, fresh, out);
    } else if (fresh && conn->ecn_cwr) { /* RFC 3168 6.1.2 */
        conn->ecn_cwr = 0;
        out->ace |= ACE_CWR;
    }
    conn->ecn_ect = fresh && !conn->ecn_no_ect;
}

bool sw_tcp_ecn_is_single(const struct tcp *tcp, const struct tcp_connection *conn)
{
    if (SW_LIKELY(conn->ecn == TCP_ECN_OFF))
        return false;
    return conn->ecn_cwr || (sw_tcp_ecn_ace(tcp, conn) & ACE_CWR);
}

uint32_t sw_tcp_ecn_marked(struct tcp *tcp, struct tcp_connection *conn,
                           const struct tcp_segment *seg, uint32_t delivered, uint32_t outstanding)
{
    uint32_t marked = 0;
    bool echo;
    if (SW_LIKELY(conn->ecn == TCP_ECN_OFF) || (seg->flags & TCP_SYN) || seg->came_with_syn)
        return 0;
    /* Only what acknowledges beyond it can have seen our CWR. */
    if (conn->ecn_hushed && tcp_seq_after(seg->ack, conn->ecn_until))
        conn->ecn_hushed = 0;
    struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    if (a) { /* 3.1.5: also who sends nothing as ECT reacts; the path may make it so */
        struct tcp_marks told = sw_tcp_accurate_marked(conn, a, seg, delivered);
        marked = told.bytes;
        echo = told.packets || told.bytes;
    } else {
        if (conn->ecn_no_ect) /* who sent nothing that can be marked does not listen */
            return 0;
        echo = seg->flags & TCP_ECE;
        marked = echo ? delivered : 0; /* DCTCP's peer means it; another's echo is a latch */
    }
    if (echo && outstanding)
        react(tcp, conn, outstanding);
    return marked;
}

void sw_tcp_ecn_info(const struct tcp *tcp, const struct tcp_connection *conn,
                     struct sanwo_tcp_info *out)
{
    const struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    if (conn->state >= SANWO_TCP_ESTABLISHED && conn->ecn)
        out->ecn = conn->ecn == TCP_ECN_ACCURATE ? SANWO_ECN_ACCURATE : SANWO_ECN_REQUEST;
    out->ecn_blocked = out->ecn && conn->ecn_no_ect;
    out->ecn_seen = conn->ecn_seen;
    out->ecn_echoing = conn->ecn == TCP_ECN_CLASSIC && conn->ecn_echo;
    if (!a)
        return;
    out->marks_received = a->marks_received;
    out->marks_told = a->marks_told;
}
