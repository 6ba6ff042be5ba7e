/*
 * classes.c - Which numbers a segment can have, and what is true of it.
 *
 *             RCV.NXT        RCV.NXT+RCV.WND        SND.UNA-MAX    SND.UNA     SND.NXT
 *     ---.--..----|-.------.------.|.------.---       ---..------.----|----.-----.|.-----.---
 *      far -20 -1 0 1   inside   -1 0 1   far           -1 0    -1    0 inside  -1 0 1  far
 *
 * and half of all numbers away, where "before" and "after" meet (RFC 9293 3.4).
 */
#include "matrix.h"

#define HALF (INT64_C(1) << 31)
#define FAR 100000

static const struct {
    bool from_edge; /* counted from the right edge of the window, else from RCV.NXT */
    int64_t offset;
} seq_classes[SEQ_CLASSES] = {
    {false, -(HALF - 1)}, /* half the space before */
    {false, -FAR},        /* far before RCV.NXT */
    {false, -20},         /* 20 before RCV.NXT */
    {false, -1},          /* RCV.NXT-1 */
    {false, 0},           /* RCV.NXT */
    {false, 1},           /* RCV.NXT+1 */
    {false, 200},         /* inside the window */
    {true, -1},           /* the last number of the window */
    {true, 0},            /* the right edge */
    {true, 1},            /* just beyond the right edge */
    {true, FAR},          /* far beyond the window */
    {false, HALF - 1},    /* half the space after, less one */
    {false, HALF},        /* half the space away */
    {true, -HALF},        /* half the space from the edge */
};

static const struct {
    bool from_nxt; /* counted from SND.NXT, else from SND.UNA */
    int64_t offset;
} ack_classes[ACK_CLASSES] = {
    {false, HALF},             /* half the space away */
    {false, -FAR},             /* far below SND.UNA */
    {false, -PEER_WINDOW - 1}, /* SND.UNA-MAX.SND.WND-1 */
    {false, -PEER_WINDOW},     /* SND.UNA-MAX.SND.WND */
    {false, -1},               /* SND.UNA-1 */
    {false, 0},                /* SND.UNA */
    {false, IN_FLIGHT / 2},    /* half of what is in flight */
    {true, -1},                /* SND.NXT-1 */
    {true, 0},                 /* SND.NXT */
    {true, 1},                 /* SND.NXT+1 */
    {true, FAR},               /* far above SND.NXT */
};

static int64_t seq_of(const struct situation *s, unsigned c)
{
    return (seq_classes[c].from_edge ? s->edge : s->rcv_nxt) + seq_classes[c].offset;
}

static int64_t ack_of(const struct situation *s, unsigned c)
{
    return (ack_classes[c].from_nxt ? s->snd_nxt : s->snd_una) + ack_classes[c].offset;
}

bool class_seq(const struct situation *s, unsigned c, int64_t *seq)
{
    *seq = seq_of(s, c);
    for (unsigned i = 0; i < c; i++)
        if ((uint32_t)seq_of(s, i) == (uint32_t)*seq)
            return false;
    return true;
}

bool class_ack(const struct situation *s, unsigned c, int64_t *ack)
{
    *ack = ack_of(s, c);
    for (unsigned i = 0; i < c; i++)
        if (ack_of(s, i) == *ack)
            return false;
    return true;
}

/* None, one byte, several; up to the right edge, and over it, where a packet can be that long. */
bool class_length(const struct situation *s, int64_t seq, unsigned c, uint32_t *length)
{
    static const uint32_t fixed[3] = {0, 1, 40};
    int64_t room = s->edge - seq;
    int64_t n = c < 3 ? fixed[c] : c == 3 ? room : room + 10;
    *length = (uint32_t)n;
    if (c < 3)
        return true;
    return n >= 0 && n <= WINDOW + 200 && n != fixed[0] && n != fixed[1] && n != fixed[2];
}

/* None; older than TS.Recent, the same, newer. */
void class_ts(unsigned c, struct arrival *seg)
{
    static const int64_t values[TS_CLASSES] = {0, -(HALF - 1), -1, 0, 1, HALF - 1};
    seg->has_ts = c > 0;
    seg->ts = values[c];
}

/* ---- facts ----------------------------------------------------------------------------------- */

static int64_t span_of(const struct arrival *seg)
{
    return seg->length + !!(seg->flags & SYN) + !!(seg->flags & FIN);
}

static bool in_window(const struct model *m, int64_t number)
{
    return m->rcv_nxt <= number && number < m->edge;
}

/* RFC 9293 3.10.7.4, table 6: SEG.LEN and RCV.WND, each zero or not. */
static bool is_acceptable(const struct model *m)
{
    int64_t first = m->seg.seq, length = span_of(&m->seg), window = m->edge - m->rcv_nxt;
    if (length == 0 && window == 0)
        return first == m->rcv_nxt;
    if (length == 0)
        return in_window(m, first);
    if (window == 0)
        return false;
    return in_window(m, first) || in_window(m, first + length - 1);
}

static uint64_t seq_facts(const struct model *m)
{
    const struct arrival *seg = &m->seg;
    int64_t end = seg->seq + span_of(seg), fin = m->rcv_nxt - 1;
    uint64_t facts = 0;
    facts |= end > seg->seq ? LENGTH : 0;
    facts |= seg->length ? TEXT : 0;
    facts |= is_acceptable(m) ? ACCEPTABLE : 0;
    facts |= in_window(m, seg->seq) ? SEQ_IN : 0;
    facts |= seg->seq == m->rcv_nxt ? SEQ_EXACT : 0;
    facts |= seg->seq == m->rcv_nxt + 1 ? SEQ_NEXT : 0;
    facts |= seg->seq == 0 ? SEQ_IRS : 0;
    facts |= seg->seq > fin && seg->seq < fin + HALF ? SEQ_NEWER : 0;
    facts |= seg->seq < m->rcv_nxt && end <= m->rcv_nxt ? ALL_OLD : 0;
    facts |= end == m->rcv_nxt ? FIN_AGAIN : 0;
    facts |= (seg->flags & FIN) && end - 1 == m->rcv_nxt ? FIN_REACHED : 0;
    facts |= m->edge > m->rcv_nxt ? WINDOW_OPEN : 0;
    facts |= m->urgent_end > m->rcv_nxt - m->unread ? URGENT_NEWS : 0;
    facts |= seg->seq >= m->s->snd_wl1 ? WINDOW_NEWS : 0;
    return facts;
}

static uint64_t ack_facts(const struct model *m)
{
    int64_t ack = m->seg.ack;
    uint64_t facts = 0;
    if (!(m->seg.flags & ACK) || ack > m->snd_nxt)
        return 0;
    facts |= ack > m->snd_una ? ACK_NEW : 0;
    facts |= ack >= m->snd_una ? ACK_NOT_OLD : 0;
    facts |= ack >= m->snd_una - PEER_WINDOW ? ACK_IN_RANGE : 0;
    facts |= ack == m->snd_nxt && m->s->fin_sent ? ACK_OF_FIN : 0;
    return facts;
}

static uint64_t ts_facts(const struct model *m)
{
    if (!m->seg.has_ts)
        return 0;
    return TS_THERE | (m->seg.ts < 0 ? TS_OLD : 0) | (m->seg.ts > 0 ? TS_NEW : 0);
}

uint64_t facts_of(const struct model *m)
{
    return m->seg.flags | m->s->facts | seq_facts(m) | ack_facts(m) | ts_facts(m);
}
