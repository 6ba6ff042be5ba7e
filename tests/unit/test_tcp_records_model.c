/*
 * test_tcp_records_model.c - Sent-segment records, step by random step, against an array of flags a
 * number; memory is refused at times.
 */
#include "test_tcp_support.h"

#define SPAN 16384 /* numbers that the model can hold from snd_una on */

static void acknowledge(struct rig *r, struct tcp_connection *c, uint32_t upto)
{
    struct tcp_segment seg = rig_segment(r, c, 1, TCP_ACK);

    c->send.snd_una = seg.ack = tcp_seq_of(upto);
    sw_tcp_records_acknowledge(&r->tcp, c, &seg);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_model),
        cmocka_unit_test(test_marks_against_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
