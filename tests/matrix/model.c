/*
 * model.c - Walks the table: in each step the first rule whose facts hold says what happens.
 *
 *     step 1: rule, rule, [rule]  ->  step 2: [rule]  ->  ...  until a rule does not go on
 */
#include "matrix.h"

/* ---- acts ------------------------------------------------------------------------------------ */

static void enter_state(struct model *m, uint8_t state)
{
    m->state = state;
    if (m->out.path_length < PATH)
        m->out.path[m->out.path_length++] = state;
}

/*
 * What lies outside the window is cut off, so that what is left is the RFC's "idealized segment". A
 * FIN just beyond the right edge stays (D27).
 */
static void trim(struct model *m)
{
    struct arrival *seg = &m->seg;
    if ((seg->flags & SYN) && seg->seq < m->rcv_nxt) {
        seg->flags &= (uint8_t)~SYN;
        seg->seq++;
    }
    while (seg->length && seg->seq < m->rcv_nxt) {
        seg->seq++;
        seg->length--;
    }
    if ((seg->flags & FIN) && seg->seq + seg->length > m->edge)
        seg->flags &= (uint8_t)~FIN;
    if (seg->length && seg->seq + seg->length > m->edge)
        seg->length = (uint32_t)(m->edge - seg->seq);
}

static void take_text(struct model *m)
{
    int64_t base = m->s->rcv_nxt;
    for (uint32_t i = 0; i < m->seg.length; i++) {
        m->held += !m->have[m->seg.seq - base + i];
        m->have[m->seg.seq - base + i] = true;
    }
    while (m->rcv_nxt < m->edge && m->have[m->rcv_nxt - base]) {
        m->rcv_nxt++;
        m->held--;
        m->unread++;
        m->out.events |= SANWO_EVENT_READABLE;
    }
}

static void act(struct model *m, const struct rule *rule)
{
    uint64_t facts = facts_of(m);
    uint32_t acts = rule->acts;
    m->acts |= acts;
    if (acts & TRIM)
        trim(m);
    if (acts & NO_TEXT) {
        m->seg.length = 0;
        m->seg.flags &= (uint8_t)~FIN;
    }
    if (acts & TAKE_SYN) {
        m->rcv_nxt = m->seg.seq + 1;
        m->edge = m->rcv_nxt + WINDOW;
    }
    if ((acts & TAKE_ACK) && rule->step == FIRST) /* its window is too old: the right edge stays */
        m->snd_wnd -= m->seg.ack - m->snd_una < m->snd_wnd ? m->seg.ack - m->snd_una : m->snd_wnd;
    if (acts & TAKE_ACK)
        m->snd_una = m->seg.ack;
    if ((acts & TAKE_WINDOW) && (facts & WINDOW_NEWS))
        m->snd_wnd = NEWS_WINDOW;
    if ((acts & TAKE_TS) && (facts & TIMESTAMPS) && m->seq <= m->s->rcv_nxt)
        m->ts_recent = m->seg.ts;
    if (acts & TAKE_TEXT)
        take_text(m);
    if (acts & TAKE_FIN) {
        m->rcv_nxt++;
        m->edge = m->rcv_nxt > m->edge ? m->rcv_nxt : m->edge;
    }
    if (acts & HOLD_FIN)
        m->held_fin = m->seg.seq + m->seg.length;
    m->out.events |= rule->tell;
    m->out.error |= rule->error;
    m->out.restarted |= (acts & RESTART) != 0;
    if (rule->next)
        enter_state(m, (uint8_t)(rule->next - 1));
    if (acts & SEND_NEW_SYN) /* from CLOSED by way of LISTEN */
        enter_state(m, SANWO_TCP_SYN_RECEIVED);
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void answer(struct model *m, const struct arrival *seg, uint32_t iss, uint32_t isn)
{
    struct outcome *out = &m->out;
    uint32_t length = seg->length + !!(seg->flags & SYN) + !!(seg->flags & FIN);
    uint32_t seg_seq = isn + (uint32_t)seg->seq, seg_ack = iss + (uint32_t)seg->ack;
    out->answers = 1;
    out->ack = isn + (uint32_t)m->rcv_nxt;
    out->seq = iss + (uint32_t)m->snd_nxt;
    if (m->acts & SEND_RST) {
        out->flags = RST;
        out->seq = seg_ack;
        out->ack = 0;
    } else if (m->acts & SEND_RST_ACK) {
        out->flags = RST | ACK;
        out->seq = 0;
        out->ack = seg_seq + length;
    } else if (m->acts & ABORT) {
        out->flags = RST | ACK;
    } else if (m->acts & (SEND_SYN_ACK | SEND_NEW_SYN)) {
        out->flags = SYN | ACK;
        out->seq = iss;
        out->ack = seg_seq + 1;
        out->window = WINDOW;
    } else if ((m->acts & SEND_ACK) && m->state != SANWO_TCP_CLOSED) {
        out->flags = ACK;
        out->window = (uint32_t)(m->edge - m->rcv_nxt);
    } else {
        out->answers = 0;
        out->seq = out->ack = 0;
    }
    out->has_ts = out->answers && !(out->flags & RST) && (m->s->facts & TIMESTAMPS);
    out->ts_echo = out->has_ts ? m->ts_recent : 0;
}

static void conclude(struct model *m)
{
    struct outcome *out = &m->out;
    out->known = m->s->handle || (out->events & SANWO_EVENT_ACCEPT);
    out->events &= (uint32_t)~SANWO_EVENT_ACCEPT;
    if (!out->known) {
        out->events = 0;
        out->error = 0;
        return;
    }
    out->state = m->state;
    if (m->state == SANWO_TCP_CLOSED)
        return;
    out->snd_una = (uint32_t)m->snd_una;
    out->snd_nxt = (uint32_t)m->snd_nxt;
    if (m->state == SANWO_TCP_SYN_SENT) /* nothing is known of the peer */
        return;
    out->snd_wnd = (uint32_t)m->snd_wnd;
    out->rcv_nxt = (uint32_t)m->rcv_nxt;
    out->rcv_wnd = (uint32_t)(m->edge - m->rcv_nxt);
    out->unread = m->unread;
    out->held = m->held;
}

static void start(struct model *m, const struct situation *s, const struct arrival *seg)
{
    memset(m, 0, sizeof(*m));
    m->s = s;
    m->seg = *seg;
    m->state = s->state;
    m->rcv_nxt = s->rcv_nxt;
    m->edge = s->edge;
    m->snd_una = s->snd_una;
    m->snd_nxt = s->snd_nxt;
    m->snd_wnd = PEER_WINDOW;
    m->seq = seg->seq;
    m->urgent_end = seg->seq + URGENT_AHEAD;
    m->unread = s->unread;
    for (int64_t i = s->held_left; i < s->held_end; i++, m->held++)
        m->have[i - s->rcv_nxt] = true;
}

static const struct rule *first_that_holds(const struct model *m, unsigned step)
{
    uint64_t facts = facts_of(m);
    for (unsigned i = 0; i < rule_count; i++) {
        const struct rule *r = &rules[i];
        if (r->step == step && (r->states >> m->state & 1) && (facts & r->is) == r->is &&
            !(facts & r->isnt))
            return r;
    }
    return NULL;
}

void model_run(struct model *m, const struct situation *s, const struct arrival *seg, uint32_t iss,
               uint32_t isn)
{
    start(m, s, seg);
    for (unsigned step = FIRST; step < STEPS; step++) {
        const struct rule *rule = first_that_holds(m, step);
        if (!rule) {
            m->missing = sanwo_tcp_state_name(m->state);
            return;
        }
        m->used[m->used_count++] = (uint8_t)(rule - rules);
        act(m, rule);
        if (!(rule->acts & GO_ON))
            break;
    }
    answer(m, seg, iss, isn);
    conclude(m);
}
