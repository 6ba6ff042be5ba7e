/*
 * test_tcp_records.c - The ring of sent-segment records, against an array of flags a number.
 */
#include "test_tcp_support.h"

#define SPAN 4096 /* numbers that the model can hold from snd_una on */

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
        assert_int_equal(sw_tcp_record(&r->tcp, c, i)->sent, RIG_START + 1 + i);
    acknowledge(r, c, 0xffffff00 + 10000);
    assert_int_equal(c->send.records, 0);
    assert_int_equal(c->send.in_flight, 0);
    rig_settled(r, before);
    rig_end(r);
}

/* The ring wraps within itself for ever without growing. */
static void test_ring_wraps_in_place(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xffffffe0, 1);

    push(r, c, 7);
    uint64_t used = r->region.used;
    for (uint32_t i = 0; i < 500; i++) {
        push(r, c, 7);
        rig_check_records(r, c);
        acknowledge(r, c, c->send.snd_una.raw + 7);
        rig_check_records(r, c);
        assert_int_equal(sw_tcp_records_count(&r->tcp, c), 1);
    }
    assert_int_equal(r->region.used, used);
    rig_end(r);
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
            assert_int_equal(sw_tcp_record(&r->tcp, c, 0)->length, rows[i].first);
            rig_check_records(r, c);
        }
        assert_int_equal(acked.rtt_valid, rows[i].valid);
        if (rows[i].valid)
            assert_int_equal(acked.sent, RIG_START + rows[i].sent);
        rig_end(r);
    }
}

/*
 * Karn: what was sent twice, or was reported before, tells nothing about the round trip.
 * RFC6298-3-1.
 */
static void test_no_sample_from_these(void **state)
{
    (void)state;
    const struct {
        uint8_t first, second;
        uint32_t valid, sent;
    } rows[] = {
        {0, 0, 1, 2},
        {RECORD_RETRANSMITTED, 0, 0, 0},
        {0, RECORD_RETRANSMITTED, 0, 0},
        {RECORD_RETRANSMITTED, RECORD_RETRANSMITTED, 0, 0},
        {RECORD_RETRANSMITTED | RECORD_LOST, RECORD_SACKED, 0, 0},
        {RECORD_SACKED, 0, 0, 0}, /* waited behind a hole: its time is the hole's */
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 0xffffffff, 1);
        r->tcp.now = RIG_START + 1;
        push(r, c, 10);
        r->tcp.now = RIG_START + 2;
        push(r, c, 10);
        sw_tcp_record_set_flags(c, sw_tcp_record(&r->tcp, c, 0), rows[i].first);
        sw_tcp_record_set_flags(c, sw_tcp_record(&r->tcp, c, 1), rows[i].second);
        struct tcp_acked acked = acknowledge(r, c, 0xffffffff + 20u);
        assert_int_equal(acked.rtt_valid, rows[i].valid);
        if (rows[i].valid)
            assert_int_equal(acked.sent, RIG_START + rows[i].sent);
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
        push_until_full(r, c, 1); /* so the split has to grow the ring */
        struct tcp_record *one = sw_tcp_record(&r->tcp, c, which);
        sw_tcp_record_set_flags(c, one, which & 1 ? RECORD_LOST : RECORD_RETRANSMITTED);
        one->transmissions = 9;
        uint32_t seq = one->seq.raw, flags = one->flags, lost = c->send.lost;
        assert_true(sw_tcp_records_split(&r->tcp, c, which, 2));
        struct tcp_record *head = sw_tcp_record(&r->tcp, c, which);
        struct tcp_record *rest = sw_tcp_record(&r->tcp, c, which + 1);
        assert_int_equal(head->length, 2);
        assert_int_equal(rest->length, 3 + which);
        assert_int_equal(rest->seq.raw, seq + 2);
        assert_int_equal(head->flags, flags);
        assert_int_equal(rest->flags, flags);
        assert_int_equal(rest->transmissions, 9);
        assert_int_equal(rest->sent, head->sent);
        assert_int_equal(c->send.lost, lost);
        rig_check_records(r, c);
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
    assert_int_equal(c->send.records, 0);
    uint32_t full = push_until_full(r, c, 10);
    rig_check_records(r, c);
    r->region.fault_countdown = 1;
    assert_false(sw_tcp_records_split(&r->tcp, c, 0, 5));
    rig_check_records(r, c);
    assert_int_equal(sw_tcp_records_count(&r->tcp, c), full);
    rig_end(r);
}

/* After reserve, a push and two splits need no memory; trim gives an unused ring back. */
static void test_reserve(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xfffffffe, 1);
    uint64_t before = r->region.used;

    assert_true(sw_tcp_records_reserve(&r->tcp, c));
    assert_true(r->region.used > before);
    sw_tcp_records_trim(&r->tcp, c);
    rig_settled(r, before);
    for (uint32_t i = 0; i < 100; i++) {
        assert_true(sw_tcp_records_reserve(&r->tcp, c));
        r->region.fault_countdown = 1;
        push(r, c, 100);
        assert_true(sw_tcp_records_split(&r->tcp, c, 0, sw_tcp_record(&r->tcp, c, 0)->length / 2));
        if (sw_tcp_record(&r->tcp, c, 0)->length < 4)
            acknowledge(r, c, c->send.snd_nxt.raw);
        r->region.fault_countdown = 0;
    }
    push(r, c, 1);
    sw_tcp_records_trim(&r->tcp, c); /* not what is in use */
    rig_check_records(r, c);
    rig_end(r);
}

/* ---- against a model --------------------------------------------------------------------- */

struct model {
    uint32_t una, nxt;
    uint8_t flags[SPAN]; /* of each number from una on */
};

static void model_check(const struct rig *r, const struct tcp_connection *c, const struct model *m)
{
    uint32_t flight = 0, lost = 0, at = 0;

    for (uint32_t i = 0; i < m->nxt - m->una; i++) {
        flight += !(m->flags[i] & (RECORD_LOST | RECORD_SACKED));
        lost += !!(m->flags[i] & RECORD_LOST);
    }
    assert_int_equal(c->send.in_flight, flight);
    assert_int_equal(c->send.lost, lost);
    for (uint32_t i = 0; i < sw_tcp_records_count(&r->tcp, c); i++) {
        const struct tcp_record *record = sw_tcp_record(&r->tcp, c, i);
        assert_int_equal(record->seq.raw, m->una + at);
        for (uint32_t n = 0; n < record->length; n++)
            assert_int_equal(m->flags[at + n], record->flags);
        at += record->length;
    }
    assert_int_equal(at, m->nxt - m->una);
}

static void model_acknowledge(struct model *m, uint32_t length)
{
    memmove(m->flags, m->flags + length, SPAN - length);
    m->una += length;
}

static void random_step(struct rig *r, struct tcp_connection *c, struct model *m, struct dice *d)
{
    const uint8_t choices[] = {0,
                               RECORD_LOST,
                               RECORD_SACKED,
                               RECORD_RETRANSMITTED,
                               RECORD_LOST | RECORD_RETRANSMITTED,
                               RECORD_SACKED | RECORD_RETRANSMITTED};
    uint32_t count = sw_tcp_records_count(&r->tcp, c), held = m->nxt - m->una;
    uint32_t what = roll(d, 10);

    if (what < 4 && held + 100 < SPAN) {
        uint32_t length = 1 + roll(d, 60);
        memset(m->flags + held, 0, length);
        push(r, c, length);
        m->nxt += length;
    } else if (what < 6 && count) {
        uint32_t i = roll(d, count);
        struct tcp_record *one = sw_tcp_record(&r->tcp, c, i);
        if (one->length > 1)
            assert_true(sw_tcp_records_split(&r->tcp, c, i, 1 + roll(d, one->length - 1)));
    } else if (what < 9 && count) {
        struct tcp_record *one = sw_tcp_record(&r->tcp, c, roll(d, count));
        uint8_t flags = choices[roll(d, SW_COUNT(choices))];
        memset(m->flags + (one->seq.raw - m->una), flags, one->length);
        sw_tcp_record_set_flags(c, one, flags);
    } else if (held) {
        uint32_t length = roll(d, 8) ? 1 + roll(d, held < 200 ? held : 200) : held;
        acknowledge(r, c, m->una + length);
        model_acknowledge(m, length);
    }
}

static void test_against_model(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct dice d = dice_of(__func__);
    struct tcp_connection *c = rig_open(r, 0xffffc000, 1);
    struct model m = {0xffffc000, 0xffffc000, {0}};

    for (int step = 0; step < 6000; step++) {
        random_step(r, c, &m, &d);
        model_check(r, c, &m);
    }
    assert_true(m.una < 0x10000000); /* it did wrap */
    sw_tcp_records_clear(&r->tcp, c);
    assert_int_equal(c->send.in_flight | c->send.lost | c->send.records, 0);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_and_goes),
        cmocka_unit_test(test_ring_wraps_in_place),
        cmocka_unit_test(test_acknowledge_rows),
        cmocka_unit_test(test_no_sample_from_these),
        cmocka_unit_test(test_split_keeps_everything),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_against_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
