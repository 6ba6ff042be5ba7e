/*
 * test_matrix.c - All situations x all control bits x all classes of numbers, IPv4 and IPv6.
 *
 * All 64 values of FIN SYN RST PSH ACK URG meet every class of SEG.SEQ, SEG.ACK and length. What
 * must decide nothing varies from case to case instead of multiplying them: ECE and CWR (ECN is not
 * offered); timestamps where none were negotiated; PSH where timestamps were. Without ACK the
 * acknowledgement number is garbage of one class.
 */
#include "matrix.h"

#include <stdio.h>
#include <stdlib.h>

#define DISAGREEMENTS_SHOWN 12

struct tally {
    unsigned long cases, disagreements, missing;
    unsigned long used[256]; /* rules */
    struct {
        const struct situation *s;
        const char *what;
        unsigned rule;
        unsigned long count;
    } kinds[256];
    unsigned kind_count;
};

/* ---- telling --------------------------------------------------------------------------------- */

static void print_flags(uint8_t flags)
{
    static const char *const names[8] = {"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"};
    print_error("<");
    for (unsigned i = 0; i < 8; i++)
        if (flags >> i & 1)
            print_error(" %s", names[i]);
    print_error(" >");
}

static void print_outcome(const char *who, const struct outcome *o)
{
    print_error("    %s: ", who);
    if (o->answers) {
        print_flags(o->flags);
        print_error(" seq %u ack %u window %u", o->seq, o->ack, o->window);
        if (o->has_ts)
            print_error(" echo TS.Recent%+lld", (long long)o->ts_echo);
    } else {
        print_error("no answer");
    }
    if (o->answers > 1)
        print_error(" (the last of %u)", o->answers);
    for (unsigned i = 0; i < o->path_length; i++)
        print_error(" > %s", sanwo_tcp_state_name(o->path[i]));
    if (o->restarted)
        print_error(", 2 MSL anew");
    if (o->known)
        print_error("; %s, error %d, events %#x, SND.UNA %u NXT %u WND %u, RCV.NXT %u WND %u, "
                    "%u to read, %u held",
                    sanwo_tcp_state_name(o->state), o->error, o->events, o->snd_una, o->snd_nxt,
                    o->snd_wnd, o->rcv_nxt, o->rcv_wnd, o->unread, o->held);
    print_error("\n");
}

static void print_case(const struct bench *b, const struct model *m, const struct arrival *seg)
{
    const struct situation *s = b->s;
    print_flags(seg->flags);
    print_error(" seq RCV.NXT%+lld (edge %+lld) ack SND.UNA%+lld (SND.NXT %+lld) length %u",
                (long long)(seg->seq - s->rcv_nxt), (long long)(s->edge - s->rcv_nxt),
                (long long)(seg->ack - s->snd_una), (long long)(s->snd_nxt - s->snd_una),
                seg->length);
    if (seg->has_ts)
        print_error(", TSval TS.Recent%+lld", (long long)seg->ts);
    print_error("; on the wire seq %u ack %u\n", b->p->isn + (uint32_t)seg->seq,
                b->p->iss + (uint32_t)seg->ack);
    for (unsigned i = 0; i < m->used_count; i++)
        if (rules[m->used[i]].acts != GO_ON || i + 1 == m->used_count)
            print_error("    rule %s\n", rules[m->used[i]].why);
    print_outcome("expected", &m->out);
    print_outcome("seen    ", &b->seen);
    print_error("    last drop: %s\n", sanwo_reason_name(b->dropped));
}

/* The first of each kind is shown in full. */
static void disagree(struct tally *t, const struct bench *b, const struct model *m,
                     const struct arrival *seg, const char *what)
{
    unsigned rule = m->used_count ? m->used[m->used_count - 1] : 0, i = 0;
    t->disagreements++;
    while (i < t->kind_count && (t->kinds[i].s != b->s || t->kinds[i].rule != rule ||
                                 strcmp(t->kinds[i].what, what) != 0))
        i++;
    if (i == sizeof(t->kinds) / sizeof(t->kinds[0]))
        return;
    t->kinds[i].count++;
    if (i < t->kind_count)
        return;
    t->kinds[t->kind_count].s = b->s;
    t->kinds[t->kind_count].rule = rule;
    t->kinds[t->kind_count++].what = what;
    if (t->kind_count > DISAGREEMENTS_SHOWN)
        return;
    print_error("%s: %s\n    ", b->s->name, what);
    print_case(b, m, seg);
}

/* ---- comparing ------------------------------------------------------------------------------- */

static const char *compare_answer(const struct bench *b, const struct model *m)
{
    const struct outcome *want = &m->out, *seen = &b->seen;
    bool record = b->s->state == SANWO_TCP_TIME_WAIT && !b->s->handle; /* it has no window */
    if (want->answers != seen->answers)
        return seen->answers > 1 ? "two answers" : seen->answers ? "an answer" : "no answer";
    if (!want->answers)
        return NULL;
    if (want->flags != seen->flags)
        return "another answer";
    if (m->acts & SEND_NEW_SYN) {
        if ((int32_t)(seen->seq - (b->p->iss + (uint32_t)m->snd_nxt)) <= 0)
            return "the new ISS is not above the old numbers";
    } else if (want->seq != seen->seq) {
        return "the answer's SEQ";
    }
    if (want->ack != seen->ack)
        return "the answer's ACK";
    if ((b->s->facts & TIMESTAMPS) && !(want->flags & RST) &&
        !(m->acts & (SEND_NEW_SYN | SEND_SYN_ACK)) &&
        (want->has_ts != seen->has_ts || want->ts_echo != seen->ts_echo))
        return "the answer's timestamp";
    if (!(want->flags & RST) && !record && want->window != seen->window)
        return "the answer's window";
    return NULL;
}

static const char *compare(const struct bench *b, const struct model *m)
{
    const struct outcome *want = &m->out, *seen = &b->seen;
    const uint32_t readable = SANWO_EVENT_READABLE;
    const char *what = compare_answer(b, m);
    if (b->wrong)
        return b->wrong;
    if (what)
        return what;
    if (want->path_length != seen->path_length ||
        memcmp(want->path, seen->path, want->path_length) != 0)
        return "the states it went to";
    if (want->restarted != seen->restarted)
        return "whether 2 MSL began anew";
    if (want->known != seen->known || want->state != seen->state)
        return "the state in the end";
    if (want->error != seen->error)
        return "the error that the user is told";
    if ((want->events & ~readable) != (seen->events & ~readable) ||
        (want->events & readable & ~seen->events))
        return "what the user is told";
    if (want->snd_una != seen->snd_una || want->snd_nxt != seen->snd_nxt)
        return "whether the acknowledgement was taken";
    if (want->snd_wnd != seen->snd_wnd)
        return "whether the peer's window was taken";
    if (want->rcv_nxt != seen->rcv_nxt || want->unread != seen->unread)
        return "what was delivered";
    if (want->rcv_wnd != seen->rcv_wnd)
        return "our window";
    return want->held != seen->held ? "what is held behind a hole" : NULL;
}

static void run_case(struct tally *t, struct bench *b, const struct arrival *seg)
{
    struct model m;
    t->cases++;
    model_run(&m, b->s, seg, b->p->iss, b->p->isn);
    for (unsigned i = 0; i < m.used_count; i++)
        t->used[m.used[i]]++;
    t->missing += m.missing != NULL;
    bench_run(b, seg);
    const char *what = m.missing ? "no rule" : compare(b, &m);
    if (!what && m.out.known && m.state != SANWO_TCP_CLOSED) {
        if (m.unread != b->s->unread)
            bench_read(b, &m);
        if (!b->wrong && (m.out.held || m.held_fin) && !(m.out.events & SANWO_EVENT_PEER_CLOSED))
            bench_fill(b, &m);
        what = b->wrong;
    }
    if (what)
        disagree(t, b, &m, seg, what);
}

/* ---- all cases ------------------------------------------------------------------------------- */

/* A number that looks like chance, for what is varied instead of multiplied. */
static unsigned vary(const struct tally *t)
{
    return (unsigned)(t->cases * 2654435761u >> 13);
}

static void run_acks(struct tally *t, struct bench *b, struct arrival *seg)
{
    uint8_t flags = seg->flags;
    for (unsigned c = 0; c < ACK_CLASSES; c++) {
        if (!class_ack(b->s, c, &seg->ack))
            continue;
        unsigned chance = vary(t);
        seg->flags = (uint8_t)(flags | (chance & 3) << 6);
        if (b->s->facts & TIMESTAMPS)
            seg->flags |= chance >> 2 & 1 ? PSH : 0;
        else
            class_ts(chance >> 2 & 1 ? 1 + (chance >> 3) % (TS_CLASSES - 1) : 0, seg);
        run_case(t, b, seg);
        if (!(flags & ACK))
            break;
    }
}

static void run_flags(struct tally *t, struct bench *b, struct arrival *seg)
{
    bool timestamps = b->s->facts & TIMESTAMPS;
    for (unsigned flags = 0; flags < 64; flags++) {
        if (timestamps && (flags & PSH))
            continue;
        for (unsigned c = 0; c < (timestamps ? TS_CLASSES : 1); c++) {
            class_ts(c, seg);
            seg->flags = (uint8_t)flags;
            run_acks(t, b, seg);
        }
    }
}

static void run_situation(struct tally *t, struct bench *b)
{
    struct arrival seg = {0};
    for (unsigned c = 0; c < SEQ_CLASSES; c++) {
        if (!class_seq(b->s, c, &seg.seq))
            continue;
        for (unsigned n = 0; n < LENGTH_CLASSES; n++)
            if (class_length(b->s, seg.seq, n, &seg.length))
                run_flags(t, b, &seg);
    }
}

/*
 * Where 2^32 and 2^31 lie among the numbers: what 0 of our SYN and of the peer's is on the wire,
 * and TS.Recent. The first two are for IPv4, the others for IPv6; timestamps need one each.
 */
static const struct place {
    uint32_t iss, isn, ts_recent;
} places[4] = {
    {UINT32_MAX - IN_FLIGHT / 2, UINT32_MAX - 100, UINT32_MAX}, /* in flight, in the window */
    {UINT32_MAX, UINT32_MAX, 0},                                /* SND.UNA = 0, RCV.NXT = 0 */
    {INT32_MAX - IN_FLIGHT / 2, INT32_MAX - 100, INT32_MAX},    /* the sign bit, in both */
    {UINT32_MAX - IN_FLIGHT, UINT32_MAX - WINDOW, 0},           /* SND.NXT = 0, right edge = 0 */
};

static void configure(struct peer *p, const struct place *place, bool timestamps)
{
    p->iss = place->iss;
    p->isn = place->isn;
    p->offer = (struct segment){.mss = MSS, .window = PEER_WINDOW, .has_ts = timestamps};
    p->ts_base = place->ts_recent - (uint32_t)(p->now / SANWO_MSEC(1)) - RTT;
    p->config.max_connections = p->config.max_half_open = p->config.max_time_wait = 4;
    p->config.max_listeners = p->config.max_neighbours = p->config.max_replies = 4;
    p->config.max_routes = 4;
    p->config.max_addresses = 2;
    p->config.max_links = 1;
    p->config.tcp.receive_buffer = WINDOW;
    p->config.tcp.quick_ack = true; /* each acknowledgement is seen at once */
    p->config.tcp.ecn =
        SANWO_ECN_OFF; /* ECE and CWR mean nothing: the rules are those of RFC 9293 */
}

static void run(struct tally *t, unsigned family, unsigned place, const struct situation *s)
{
    void *state;
    struct bench b;
    bool timestamps = s->facts & TIMESTAMPS;
    assert_int_equal(family == 4 ? peer_setup_ipv4(&state) : peer_setup_ipv6(&state), 0);
    configure(state, &places[place], timestamps);
    bench_open(&b, state, s);
    run_situation(t, &b);
    bench_close(&b);
    assert_int_equal(peer_teardown(&state), 0);
}

static void report(const struct tally *t)
{
    for (unsigned i = 0; i < t->kind_count; i++)
        print_error("%7lu x %s: %s (%s)\n", t->kinds[i].count, t->kinds[i].s->name,
                    t->kinds[i].what, rules[t->kinds[i].rule].why);
}

static void run_family(unsigned family)
{
    static struct tally t;
    unsigned unused = 0, first = family == 4 ? 0 : 2;
    memset(&t, 0, sizeof(t));
    for (unsigned k = 0; k < situation_count; k++) {
        run(&t, family, first, &situations[k]);
        if (!(situations[k].facts & TIMESTAMPS))
            run(&t, family, first + 1, &situations[k]);
    }
    for (unsigned i = 0; i < rule_count; i++)
        if (!t.used[i]) {
            print_error("no case uses the rule: %s\n", rules[i].why);
            unused++;
        }
    report(&t);
    print_message("matrix: IPv%u: %lu cases, %u rules, %u situations of 11 states x 64 flags x "
                  "%u SEQ x %u ACK x %u lengths x %u timestamps: %lu disagree, %lu without a rule, "
                  "%u rules unused\n",
                  family, t.cases, rule_count, situation_count, SEQ_CLASSES, ACK_CLASSES,
                  LENGTH_CLASSES, TS_CLASSES, t.disagreements, t.missing, unused);
    assert_int_equal(t.disagreements, 0);
    assert_int_equal(t.missing, 0);
    assert_int_equal(unused, 0);
}

static void test_every_segment_in_every_situation_ipv4(void **state)
{
    (void)state;
    run_family(4);
}

static void test_every_segment_in_every_situation_ipv6(void **state)
{
    (void)state;
    run_family(6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_segment_in_every_situation_ipv4),
        cmocka_unit_test(test_every_segment_in_every_situation_ipv6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
