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
 * nothing else.
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
#define MODE_SHIFT 2   /* in struct tcp_half_open */
#define TRIES 2        /* SYNs, or SYN-ACKs, that ask or answer; then without (RFC 3168 6.1.1.1) */

static bool wants_marks(const struct sanwo_tcp_config *config)
{
    struct tcp_cc cc = {.algorithm = config->congestion};
    return sw_tcp_cc_ops(&cc)->wants_marks;
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

/* RFC3168-6.1.1.1-1: who gets no answer asks without, and then does not use it (6.1.1). */
uint8_t sw_tcp_ecn_syn(struct tcp *tcp, struct tcp_connection *conn)
{
    static const uint8_t asks[] = {ACE_NONE, ACE_CLASSIC, ACE_ACCURATE};
    conn->ecn_ect = 0;
    if (conn->state !=
        SANWO_TCP_SYN_SENT) { /* the peer's SYN was judged by sw_tcp_ecn_answered() */
        const struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
        if (conn->send.retransmissions >= TRIES)
            conn->ecn_no_ect = 1;
        else if (conn->ecn == TCP_ECN_CLASSIC)
            return ACE_ECE;
        else if (a)
            return sw_tcp_accurate_code(a->synack_ecn);
        return ACE_NONE;
    }
    if (conn->send.retransmissions == 0)
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

void sw_tcp_ecn_note(struct tcp_half_open *half, const struct tcp_segment *seg,
                     enum tcp_ecn_mode mode)
{
    half->ecn = (uint8_t)(mode << MODE_SHIFT | (seg->dscp_ecn & IP_ECN_MASK));
}

enum tcp_ecn_mode sw_tcp_ecn_mode(const struct tcp_half_open *half)
{
    return (enum tcp_ecn_mode)(half->ecn >> MODE_SHIFT);
}

/*
 * RFC 9768 table 4, notes 2 and 3: accurate ECN never begins with 0 or 1. The peer chooses the bit that
 * brought us here, so the user's wish is asked again.
 */
enum tcp_ecn_mode sw_tcp_ecn_judge_cookie(const struct sanwo_tcp_config *config,
                                          const struct tcp_segment *seg)
{
    if (config->ecn == SANWO_ECN_OFF)
        return TCP_ECN_OFF;
    return seg->ace > ACE_ECE ? TCP_ECN_ACCURATE : TCP_ECN_CLASSIC;
}

/* Without timestamps there is no place for the bit; and that the SYN was marked would be forgotten. */
bool sw_tcp_ecn_cookie_forgets(const struct tcp_half_open *half)
{
    return !(half->flags & HALF_OPEN_TIMESTAMPS) ||
           (sw_tcp_ecn_mode(half) == TCP_ECN_ACCURATE && (half->ecn & IP_ECN_MASK) == IP_CE);
}

/* RFC 9768 3.1.4.2: the flags may be what keeps the SYN-ACK from arriving. */
uint8_t sw_tcp_ecn_syn_ack(const struct tcp_half_open *half, uint8_t retransmissions)
{
    if (retransmissions >= TRIES)
        return ACE_NONE;
    switch (sw_tcp_ecn_mode(half)) {
    case TCP_ECN_ACCURATE:
        return sw_tcp_accurate_code(half->ecn & IP_ECN_MASK);
    case TCP_ECN_CLASSIC:
        return ACE_ECE;
    default:
        return ACE_NONE;
    }
}

uint8_t sw_tcp_ecn_half_open(const struct tcp_half_open *half)
{
    if (sw_tcp_ecn_mode(half) != TCP_ECN_ACCURATE)
        return ACE_NONE;
    return (half->ecn & IP_ECN_MASK) == IP_CE ? 6 : 5; /* r.cep as it begins */
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
        uint8_t told =
            seg->ace == ACE_RESERVED || crossed ? IP_NOT_ECT : sw_tcp_accurate_decode(seg->ace);
        sw_tcp_accurate_begin(tcp, conn, seg->dscp_ecn & IP_ECN_MASK, told);
        sw_tcp_accurate(tcp, conn)->answers_syn_ack = !crossed;
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
        sw_tcp_accurate_begin(tcp, conn, half->ecn & IP_ECN_MASK, IP_NOT_ECT);
    }
    conn->ecn = mode;
    /* RFC 3168 6.1.1: who sent a SYN-ACK without ECN must not use it, but echoes all the same. */
    conn->ecn_no_ect = half->retransmissions >= TRIES;
    return true;
}

/* RFC 9768 3.2.2.1, table 4. It told of the SYN-ACK; the counter as such begins with the next one. */
void sw_tcp_ecn_handshake_ack(struct tcp *tcp, struct tcp_connection *conn, struct tcp_segment *seg)
{
    struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    if (!a)
        return;
    uint8_t told = sw_tcp_accurate_decode(seg->ace);
    if (seg->ace == ACE_NONE ||
        (told != IP_NOT_ECT && told <= IP_ECN_MASK)) /* we sent it Not-ECT */
        conn->ecn_no_ect = 1;
    if (told == IP_CE)
        a->s_cep++;
    a->feedback_seen = true;
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

/* RFC 3168 6.1.5: of segments inside the window only; bare ACKs are none of its business (6.1.4). SHLD-8. */
void sw_tcp_ecn_receive(struct tcp *tcp, struct tcp_connection *conn, const struct tcp_segment *seg)
{
    if (SW_LIKELY(conn->ecn == TCP_ECN_OFF))
        return;
    struct tcp_accurate *a = sw_tcp_accurate(tcp, conn);
    if (seg->length && (seg->dscp_ecn & IP_ECN_MASK) != IP_NOT_ECT)
        conn->ecn_seen = 1;
    if (a) {
        if (sw_tcp_accurate_count(a, seg))
            sw_tcp_ack_now(tcp, conn);
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
    if (a->answers_syn_ack)
        return sw_tcp_accurate_code(a->synack_ecn);
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
        a->answers_syn_ack = false;
        a->unreported = 0;
        if (out->options.accurate && a->options_due)
            a->options_due--;
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

void sw_tcp_ecn_reduced(struct tcp_connection *conn)
{
    conn->ecn_cwr = conn->ecn == TCP_ECN_CLASSIC && !conn->ecn_no_ect;
}

/* RFC3168-6.1.2-1: once a window. Marks of what was sent before the reduction say nothing new. */
static void react(struct tcp *tcp, struct tcp_connection *conn, uint32_t outstanding)
{
    if (conn->ecn_hushed)
        return;
    conn->ecn_hushed = 1;
    conn->ecn_until = conn->send.snd_nxt;
    sw_tcp_ecn_reduced(conn);
    if (!sw_tcp_cc_ops(&conn->cc)->wants_marks)
        sw_tcp_recovery_on_ecn_echo(tcp, conn, outstanding);
}

uint32_t sw_tcp_ecn_marked(struct tcp *tcp, struct tcp_connection *conn,
                           const struct tcp_segment *seg, uint32_t delivered, uint32_t outstanding)
{
    uint32_t marked = 0;
    bool echo;
    if (SW_LIKELY(conn->ecn == TCP_ECN_OFF) || (seg->flags & TCP_SYN))
        return 0;
    /* Only what acknowledges beyond it can have seen our CWR. */
    if (conn->ecn_hushed && tcp_seq_after(seg->ack, conn->ecn_until))
        conn->ecn_hushed = 0;
    if (conn->ecn == TCP_ECN_ACCURATE) {
        marked = sw_tcp_accurate_marked(tcp, conn, seg, delivered);
        echo = marked > 0;
    } else {
        echo = seg->flags & TCP_ECE;
        marked = echo ? delivered : 0; /* DCTCP's peer means it; another's echo is a latch */
    }
    if (conn->ecn_no_ect) /* who sent nothing that can be marked does not listen (RFC 9768 3.2.2.4) */
        return 0;
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
