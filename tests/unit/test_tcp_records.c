/*
 * test_tcp_records.c - Sent-segment records in chunks, against an array of flags a number.
 */
#include "test_tcp_support.h"

#define SPAN 16384 /* numbers that the model can hold from snd_una on */
#define MOST 65536 /* records of one connection (B-01) */

static void push(struct rig *r, struct tcp_connection *c, uint32_t length)
{
    assert_true(sw_tcp_records_push(&r->tcp, c, length));
    c->send.snd_nxt = tcp_seq_add(c->send.snd_nxt, length);
}

static struct tcp_acked acknowledge(struct rig *r, struct tcp_connection *c, uint32_t upto)
{
    struct tcp_segment seg = rig_segment(r, c, 1, TCP_ACK);

    c->send.snd_una = seg.ack = tcp_seq_of(upto);
    return sw_tcp_records_acknowledge(&r->tcp, c, &seg);
}

static bool split(struct rig *r, struct tcp_connection *c, uint32_t i, uint32_t length)
{
    struct tcp_place place = rig_place(r, c, i);

    return sw_tcp_records_split(&r->tcp, c, &place, length);
}

/* Records of @length until the next one would need memory. Returns how many there are. */
static uint32_t push_until_full(struct rig *r, struct tcp_connection *c, uint32_t length)
{
    push(r, c, length);
    for (;;) {
        r->region.fault_countdown = 1;
        bool pushed = sw_tcp_records_push(&r->tcp, c, length);
        r->region.fault_countdown = 0;
        if (!pushed)
            return sw_tcp_records_count(&r->tcp, c);
        c->send.snd_nxt = tcp_seq_add(c->send.snd_nxt, length);
    }
}

static void test_grows_and_goes(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xffffff00, 1);
    uint64_t before = r->region.used;

    assert_int_equal(sw_tcp_records_count(&r->tcp, c), 0);
    for (uint32_t i = 0; i < 1000; i++) {
        r->tcp.now++;
        push(r, c, 10);
        assert_int_equal(sw_tcp_records_count(&r->tcp, c), i + 1);
    }
    rig_check_records(r, c);
    assert_int_equal(c->send.in_flight, 10000);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(rig_record(r, c, i)->sent, RIG_START + 1 + i);
    acknowledge(r, c, 0xffffff00 + 10000);
    assert_int_equal(sw_tcp_records_count(&r->tcp, c), 0);
    assert_int_equal(c->send.in_flight, 0);
    assert_true(r->region.used - before <= 2048); /* the block, and the directory */
    sw_tcp_sending_release(&r->tcp, c);
    assert_int_equal(c->send.sending, 0);
    rig_settled(r, before);
    rig_end(r);
}

/* A flight of @i records, one sent for each acknowledged, takes no more and no more memory. */
static void test_steady_flight(void **state)
{
    (void)state;
    const uint32_t flights[] = {1, 2, 7, 8, 9, 42, 43, 100, 300};

    for (size_t i = 0; i < SW_COUNT(flights); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 0xffffffe0, 1);
        for (uint32_t n = 0; n < flights[i]; n++)
            push(r, c, 7);
        uint64_t used = r->region.used;
        for (uint32_t n = 0; n < 1000; n++) {
            push(r, c, 7);
            acknowledge(r, c, c->send.snd_una.raw + 7);
            assert_int_equal(sw_tcp_records_count(&r->tcp, c), flights[i]);
            assert_true(r->region.used <= used + 2048 + 512); /* two chunks, the directory */
        }
        rig_check_records(r, c);
        rig_end(r);
    }
}

static void test_acknowledge_rows(void **state)
{
    (void)state;
    const struct {
        uint32_t start;   /* records of 100, 200 and 300 numbers from here */
        uint32_t upto;    /* relative */
        uint32_t records; /* left */
        uint32_t first;   /* numbers the first one left covers */
        uint32_t valid;   /* an RTT sample came of it */
        uint32_t sent;    /* of the record that was timed, in order of sending */
    } rows[] = {
        {1000, 0, 3, 100, 0, 0},         {1000, 1, 3, 99, 0, 0},
        {1000, 99, 3, 1, 0, 0},          {1000, 100, 2, 200, 1, 1},
        {1000, 101, 2, 199, 1, 1},       {1000, 300, 1, 300, 1, 2},
        {1000, 599, 1, 1, 1, 2},         {1000, 600, 0, 0, 1, 3},
        {0xffffffff, 0, 3, 100, 0, 0},   {0xffffffff, 1, 3, 99, 0, 0},
        {0xffffff9c, 100, 2, 200, 1, 1}, {0xffffff9c, 101, 2, 199, 1, 1},
        {0xffffff9b, 101, 2, 199, 1, 1}, {0xfffffed4, 300, 1, 300, 1, 2},
        {0xfffffdff, 599, 1, 1, 1, 2},   {0xfffffda8, 600, 0, 0, 1, 3},
        {0x7fffff00, 600, 0, 0, 1, 3},   {0x80000000, 301, 1, 299, 1, 2},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, rows[i].start, 1);
        for (uint32_t n = 1; n <= 3; n++) {
            r->tcp.now = RIG_START + n;
            push(r, c, 100 * n);
        }
        struct tcp_acked acked = acknowledge(r, c, rows[i].start + rows[i].upto);
        assert_int_equal(sw_tcp_records_count(&r->tcp, c), rows[i].records);
        if (rows[i].records) {
            assert_int_equal(rig_record(r, c, 0)->length, rows[i].first);
            rig_check_records(r, c);
        }
        assert_int_equal(acked.rtt_valid, rows[i].valid);
        if (rows[i].valid)
            assert_int_equal(acked.sent, RIG_START + rows[i].sent);
        rig_end(r);
    }
}

/*
 * Karn: what was sent twice, or was reported before, tells nothing about the round trip. What an ACK
 * told besides: what was sent once and not reported, what was sent again, what was reported.
 * RFC6298-3-1.
 */
static void test_what_an_ack_tells(void **state)
{
    (void)state;
    const struct {
        uint8_t first, second;
        bool valid, first_sent, resent;
        uint32_t sacked;
    } rows[] = {
        {0, 0, true, true, false, 0},
        {RECORD_RETRANSMITTED, 0, false, true, true, 0},
        {0, RECORD_RETRANSMITTED, false, true, true, 0},
        {RECORD_RETRANSMITTED, RECORD_RETRANSMITTED, false, false, true, 0},
        {RECORD_RETRANSMITTED | RECORD_LOST, RECORD_SACKED, false, false, true, 10},
        {RECORD_SACKED, 0, false, true, false, 10}, /* waited behind a hole: its time is the hole's */
        {RECORD_SACKED, RECORD_SACKED, false, false, false, 20},
        {RECORD_LOST, RECORD_SACKED, false, true, false, 10}, /* deemed lost, but sent once */
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 0xffffffff, 1);
        r->tcp.now = RIG_START + 1;
        push(r, c, 10);
        r->tcp.now = RIG_START + 2;
        push(r, c, 10);
        rig_set_flags(r, c, 0, rows[i].first);
        rig_set_flags(r, c, 1, rows[i].second);
        struct tcp_acked acked = acknowledge(r, c, 0xffffffff + 20u);
        assert_int_equal(acked.rtt_valid, rows[i].valid);
        if (rows[i].valid)
            assert_int_equal(acked.sent, RIG_START + 2);
        assert_int_equal(acked.first_sent, rows[i].first_sent);
        assert_int_equal(acked.resent, rows[i].resent);
        assert_int_equal(acked.sacked, rows[i].sacked);
        assert_int_equal(c->send.in_flight | c->send.lost, 0);
        rig_end(r);
    }
}

static void test_split_keeps_everything(void **state)
{
    (void)state;
    for (uint32_t which = 0; which < 8; which++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 0xfffffff0, 1);
        for (uint32_t i = 0; i < 8; i++)
            push(r, c, 5 + i);
        push_until_full(r, c, 1); /* so the split has to halve a chunk */
        rig_set_flags(r, c, which, which & 1 ? RECORD_LOST : RECORD_RETRANSMITTED);
        struct tcp_record *one = rig_record(r, c, which);
        one->transmissions = 9;
        uint32_t seq = one->seq.raw, flags = one->flags, lost = c->send.lost;
        assert_true(split(r, c, which, 2));
        struct tcp_record *head = rig_record(r, c, which);
        struct tcp_record *rest = rig_record(r, c, which + 1);
        assert_int_equal(head->length, 2);
        assert_int_equal(rest->length, 3 + which);
        assert_int_equal(rest->seq.raw, seq + 2);
        assert_int_equal(head->flags, flags);
        assert_int_equal(rest->flags, flags);
        assert_int_equal(rest->transmissions, 9);
        assert_int_equal(rest->sent, head->sent);
        assert_int_equal(rest->order, head->order);
        assert_int_equal(c->send.lost, lost);
        rig_check_records(r, c);
        rig_end(r);
    }
}

/* PSH was on the end: that is in the second part. */
static void test_split_leaves_the_push_behind(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);

    push(r, c, 10);
    rig_record(r, c, 0)->pushed = true;
    assert_true(split(r, c, 0, 4));
    assert_false(rig_record(r, c, 0)->pushed);
    assert_true(rig_record(r, c, 1)->pushed);
    rig_end(r);
}

/* Chunks are halved at each of their borders; the place goes along with its record. */
static void test_split_everywhere(void **state)
{
    (void)state;
    for (int backwards = 0; backwards < 2; backwards++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 0xffffff80, 1);
        for (uint32_t i = 0; i < 300; i++)
            push(r, c, 3);
        for (uint32_t i = 0; i < 300; i++) {
            uint32_t which = backwards ? 299 - i : 2 * i;
            struct tcp_place place = rig_place(r, c, which);
            uint32_t seq = sw_tcp_record_at(&r->tcp, c, &place)->seq.raw;
            assert_true(sw_tcp_records_split(&r->tcp, c, &place, 1));
            assert_int_equal(sw_tcp_record_at(&r->tcp, c, &place)->seq.raw, seq);
            assert_int_equal(sw_tcp_records_next(&r->tcp, c, &place)->seq.raw, seq + 1);
            assert_int_equal(sw_tcp_record_at(&r->tcp, c, &place)->length, 2);
            rig_check_records(r, c);
        }
        assert_int_equal(sw_tcp_records_count(&r->tcp, c), 600);
        rig_end(r);
    }
}

/* Whichever allocation fails, nothing has changed. */
static void test_no_memory(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 100, 1);

    r->region.fault_countdown = 1;
    assert_false(sw_tcp_records_push(&r->tcp, c, 10));
    assert_int_equal(c->send.in_flight, 0);
    assert_int_equal(c->send.sending, 0);
    for (uint32_t chunks = 0; chunks < 12; chunks++) { /* the directory grows at 4 and at 8 */
        uint32_t full = push_until_full(r, c, 10);
        rig_check_records(r, c);
        r->region.fault_countdown = 1;
        assert_false(split(r, c, 0, 5));
        r->region.fault_countdown = 1;
        assert_false(split(r, c, full - 1, 5));
        r->region.fault_countdown = 1;
        assert_false(sw_tcp_records_reserve(&r->tcp, c));
        r->region.fault_countdown = 0;
        rig_check_records(r, c);
        assert_int_equal(sw_tcp_records_count(&r->tcp, c), full);
    }
    rig_end(r);
}

/* After reserve a push needs no memory, and reserving again takes none. */
static void test_reserve(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xfffffffe, 1);

    for (uint32_t i = 0; i < 500; i++) {
        assert_true(sw_tcp_records_reserve(&r->tcp, c));
        rig_check_records(r, c); /* an empty chunk is no record */
        struct tcp_place place;
        assert_int_equal(sw_tcp_records_last(&r->tcp, c, &place) != NULL, i != 0);
        uint64_t used = r->region.used;
        assert_true(sw_tcp_records_reserve(&r->tcp, c));
        r->region.fault_countdown = 1;
        push(r, c, 100);
        r->region.fault_countdown = 0;
        assert_int_equal(r->region.used, used);
        if (i % 3 == 2)
            acknowledge(r, c, c->send.snd_una.raw + 100);
    }
    acknowledge(r, c, c->send.snd_nxt.raw - 100);
    assert_true(sw_tcp_records_reserve(&r->tcp, c));
    acknowledge(r, c, c->send.snd_nxt.raw);
    rig_check_records(r, c);
    rig_end(r);
}

/* B-01: there are so many and no more; new data stops before splits must. */
static void test_most(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xfffffff0, 1);
    uint64_t before = r->region.used;

    while (sw_tcp_records_reserve(&r->tcp, c))
        push(r, c, 3);
    uint32_t count = sw_tcp_records_count(&r->tcp, c);
    assert_int_equal(count, MOST - 64);
    for (; count < MOST; count++)
        assert_true(split(r, c, count % 50, 1));
    assert_false(split(r, c, 20, 1));
    assert_false(sw_tcp_records_push(&r->tcp, c, 1));
    rig_check_records(r, c);
    acknowledge(r, c, c->send.snd_nxt.raw);
    sw_tcp_sending_release(&r->tcp, c);
    rig_settled(r, before);
    rig_end(r);
}

/* What was sent again is told in that order, until it is dropped. */
static void test_sent_again_in_order(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xfffffff0, 1);

    c->sack = 1;
    for (uint32_t i = 0; i < 200; i++)
        push(r, c, 10);
    assert_null(sw_tcp_records_resent(&r->tcp, c, 0));
    uint32_t gone = 0, sent = 0;
    for (uint32_t round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < 100; i++, sent++)
            rig_sent_again(r, c, sent * 37 % 200);
        for (uint32_t i = 0; i < 70; i++, gone++)
            sw_tcp_records_resent_drop(&r->tcp, c);
        const struct tcp_resent *one;
        uint32_t last = 0;
        for (uint32_t i = 0; (one = sw_tcp_records_resent(&r->tcp, c, i)); i++) {
            assert_int_equal(one->seq.raw, 0xfffffff0 + (gone + i) * 37 % 200 * 10);
            assert_true(one->order > last);
            last = one->order;
            assert_true(gone + i < sent);
        }
        assert_null(sw_tcp_records_resent(&r->tcp, c, sent - gone));
        assert_non_null(sw_tcp_records_resent(&r->tcp, c, sent - gone - 1));
    }
    assert_int_equal(rig_record(r, c, 0)->transmissions, 4);
    rig_end(r);
}

/* ---- against a model --------------------------------------------------------------------- */

struct model {
    uint32_t una, nxt, marks;
    bool marked;
    uint8_t flags[SPAN];  /* of each number from una on */
    uint32_t order[SPAN]; /* of its last transmission; with `marked`, what its mark says too */
};

static void check_mark(struct rig *r, struct tcp_connection *c, const struct tcp_place *place,
                       uint32_t wanted)
{
    struct tcp_rate *rate = &sw_tcp_sending(&r->tcp, c)->rate, before = *rate;

    rate->newest.in_flight = 0;
    sw_tcp_record_delivered(&r->tcp, c, place, 0);
    assert_int_not_equal(rate->newest.in_flight, 0);
    assert_int_equal(rate->newest.delivered, wanted);
    *rate = before;
}

/* Each kind is found where it is, and nothing of it is passed over: the counts of the chunks agree. */
static void check_kind(struct rig *r, struct tcp_connection *c, enum tcp_record_kind kind,
                       uint64_t wanted)
{
    struct tcp_place place;
    uint64_t sum = 0;

    if (!sw_tcp_records_first(&r->tcp, c, &place))
        return;
    for (struct tcp_record *one; (one = sw_tcp_records_next_of(&r->tcp, c, kind, &place));
         place.slot++)
        sum += one->length;
    assert_int_equal(sum, wanted);
}

static void model_check(struct rig *r, struct tcp_connection *c, const struct model *m)
{
    uint32_t held = m->nxt - m->una, flight = 0, lost = 0, at = 0;
    const struct tcp_record *first = NULL;
    struct tcp_place place;

    for (uint32_t i = 0; i < held; i++) {
        flight += !(m->flags[i] & (RECORD_LOST | RECORD_SACKED));
        lost += !!(m->flags[i] & RECORD_LOST);
    }
    assert_int_equal(c->send.in_flight, flight);
    assert_int_equal(c->send.lost, lost);
    const struct tcp_record *record = sw_tcp_records_first(&r->tcp, c, &place);
    for (; record; record = sw_tcp_records_next(&r->tcp, c, &place)) {
        assert_int_equal(record->seq.raw, m->una + at);
        for (uint32_t n = 0; n < record->length; n++)
            if (m->flags[at + n] != record->flags || m->order[at + n] != record->order)
                fail_msg("number %u: flags %x, order %u", at + n, record->flags, record->order);
        if (m->marked)
            check_mark(r, c, &place, record->order);
        if (!first && record->flags & RECORD_LOST)
            first = record;
        at += record->length;
    }
    assert_int_equal(at, held);
    assert_ptr_equal(sw_tcp_records_first_lost(&r->tcp, c, &place), first);
    check_kind(r, c, RECORDS_LOST, lost);
    check_kind(r, c, RECORDS_OPEN, flight);
    check_kind(r, c, RECORDS_SACKED, held - lost - flight);
}

static void model_acknowledge(struct model *m, uint32_t length)
{
    memmove(m->flags, m->flags + length, SPAN - length);
    memmove(m->order, m->order + length, (SPAN - length) * sizeof m->order[0]);
    m->una += length;
}

/* The mark of what is sent next says which one it is. */
static uint32_t stamp(struct rig *r, struct tcp_connection *c)
{
    struct tcp_sending *s = sw_tcp_sending(&r->tcp, c);

    if (s)
        s->rate.delivered = s->records.transmissions + 1;
    return s ? s->records.transmissions + 1 : 1;
}

static void model_push(struct rig *r, struct tcp_connection *c, struct model *m, struct dice *d)
{
    uint32_t held = m->nxt - m->una, length = 1 + roll(d, 60);

    if (held + length > SPAN)
        return;
    if (!c->send.sending)
        sw_tcp_sending_make(&r->tcp, c);
    uint32_t order = stamp(r, c);
    if (!sw_tcp_records_push(&r->tcp, c, length))
        return;
    c->send.snd_nxt = tcp_seq_add(c->send.snd_nxt, length);
    memset(m->flags + held, 0, length);
    for (uint32_t i = 0; i < length; i++)
        m->order[held + i] = order;
    m->nxt += length;
}

/* The record that holds a number by chance. */
static struct tcp_record *any(struct rig *r, struct tcp_connection *c, const struct model *m,
                              struct dice *d, struct tcp_place *place)
{
    uint32_t at = roll(d, m->nxt - m->una);
    struct tcp_record *one = sw_tcp_records_find(&r->tcp, c, tcp_seq_of(m->una + at), place);

    assert_non_null(one);
    assert_true(m->una + at - one->seq.raw < one->length);
    assert_ptr_equal(one, sw_tcp_record_at(&r->tcp, c, place));
    return one;
}

static void model_flag(struct rig *r, struct tcp_connection *c, struct model *m, struct dice *d)
{
    const uint8_t choices[] = {0,
                               RECORD_LOST,
                               RECORD_SACKED,
                               RECORD_RETRANSMITTED,
                               RECORD_LOST | RECORD_RETRANSMITTED,
                               RECORD_SACKED | RECORD_RETRANSMITTED};
    struct tcp_place place;
    struct tcp_record *one = any(r, c, m, d, &place);
    uint8_t flags = choices[roll(d, SW_COUNT(choices))];

    memset(m->flags + (one->seq.raw - m->una), flags, one->length);
    sw_tcp_record_set_flags(&r->tcp, c, &place, flags);
}

static void model_again(struct rig *r, struct tcp_connection *c, struct model *m, struct dice *d)
{
    struct tcp_place place;
    struct tcp_record *one = any(r, c, m, d, &place);
    uint32_t order = stamp(r, c);

    sw_tcp_records_sent_again(&r->tcp, c, &place);
    assert_int_equal(one->order, order);
    for (uint32_t i = 0; i < one->length; i++)
        m->order[one->seq.raw - m->una + i] = order;
}

static void random_step(struct rig *r, struct tcp_connection *c, struct model *m, struct dice *d,
                        bool grows)
{
    uint32_t held = m->nxt - m->una, what = roll(d, 12);
    struct tcp_place place;

    if (!held || what < (grows ? 4 : 2)) {
        model_push(r, c, m, d);
    } else if (what < 7) {
        struct tcp_record *one = any(r, c, m, d, &place);
        tcp_seq seq = one->seq;
        if (one->length > 1) {
            sw_tcp_records_split(&r->tcp, c, &place, 1 + roll(d, one->length - 1));
            assert_true(tcp_seq_equal(sw_tcp_record_at(&r->tcp, c, &place)->seq, seq));
        }
    } else if (what < 10) {
        model_flag(r, c, m, d);
    } else if (what < 11) {
        model_again(r, c, m, d);
    } else {
        uint32_t length = roll(d, 200) ? 1 + roll(d, grows ? 20 : 300) : held;
        length = length < held ? length : held;
        acknowledge(r, c, m->una + length);
        model_acknowledge(m, length);
    }
}

static void against_model(uint8_t algorithm, struct dice *d)
{
    static struct model m;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xffffc000, 1);
    uint64_t before = r->region.used;
    uint32_t most = 0;

    m = (struct model){.una = 0xffffc000, .nxt = 0xffffc000};
    sw_tcp_cc_init(&c->cc, algorithm, RIG_MSS, 10);
    m.marked = sw_tcp_cc_ops(&c->cc)->wants_rate;
    c->sack = 1;
    for (int step = 0; step < 12000; step++) {
        r->region.fault_countdown = roll(d, 4) ? 0 : 1 + roll(d, 2);
        r->tcp.now += roll(d, 2);
        random_step(r, c, &m, d, step % 3000 < 2000);
        r->region.fault_countdown = 0;
        if (step % 8 == 0)
            model_check(r, c, &m);
        uint32_t count = sw_tcp_records_count(&r->tcp, c);
        most = count > most ? count : most;
    }
    model_check(r, c, &m);
    assert_true(m.una < 0x10000000); /* it did wrap */
    assert_true(most > 500);         /* and filled a dozen chunks */
    sw_tcp_records_clear(&r->tcp, c);
    assert_int_equal(c->send.in_flight | c->send.lost, 0);
    assert_int_equal(sw_tcp_records_count(&r->tcp, c), 0);
    sw_tcp_sending_release(&r->tcp, c);
    rig_settled(r, before);
    rig_end(r);
}

static void test_against_model(void **state)
{
    (void)state;
    struct dice d = dice_of(__func__);

    against_model(SANWO_CONGESTION_NEWRENO, &d);
}

/* The same with a rate mark each, which goes wherever its record goes. */
static void test_marks_against_model(void **state)
{
    (void)state;
    struct dice d = dice_of(__func__);

    against_model(SANWO_CONGESTION_BBR, &d);
}

/* Every number is found in the record that holds it, none outside. */
static void test_find(void **state)
{
    (void)state;
    const uint32_t starts[] = {1000, 0xffffff00, 0x7fffff00};

    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, starts[s], 1);
        struct tcp_place place;
        assert_null(sw_tcp_records_find(&r->tcp, c, c->send.snd_una, &place));
        for (uint32_t i = 0; i < 150; i++)
            push(r, c, 1 + i % 5);
        uint32_t held = tcp_seq_distance(c->send.snd_una, c->send.snd_nxt);
        for (uint32_t at = 0; at < held; at++) {
            struct tcp_record *one =
                sw_tcp_records_find(&r->tcp, c, tcp_seq_of(starts[s] + at), &place);
            assert_non_null(one);
            assert_true(starts[s] + at - one->seq.raw < one->length);
        }
        assert_null(sw_tcp_records_find(&r->tcp, c, c->send.snd_nxt, &place));
        assert_null(sw_tcp_records_find(&r->tcp, c, tcp_seq_of(starts[s] - 1), &place));
        rig_end(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_and_goes),
        cmocka_unit_test(test_steady_flight),
        cmocka_unit_test(test_acknowledge_rows),
        cmocka_unit_test(test_what_an_ack_tells),
        cmocka_unit_test(test_split_keeps_everything),
        cmocka_unit_test(test_split_leaves_the_push_behind),
        cmocka_unit_test(test_split_everywhere),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_most),
        cmocka_unit_test(test_sent_again_in_order),
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_marks_against_model),
        cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
