/*
 * test_tcp_duplicates.c - Without SACK: what a duplicate and a partial acknowledgement make of the
 * records (RFC 5681 3.2, RFC 6582).
 */
#include "test_tcp_support.h"

#include "tcp/send/sending.h"

#define MSS RIG_MSS

static const uint32_t starts[] = {1000, 0xffffe000, 0xffffffff, 0x7fffff00};

/* Records of so many bytes each. */
static struct tcp_connection *in_flight(struct rig *r, uint32_t snd, const uint32_t *lengths,
                                        uint32_t count)
{
    struct tcp_connection *c = rig_open(r, snd, 1);

    for (uint32_t i = 0; i < count; i++) {
        assert_true(sw_tcp_records_push(&r->tcp, c, lengths[i]));
        c->send.snd_nxt = tcp_seq_add(c->send.snd_nxt, lengths[i]);
    }
    c->send.snd_end = c->send.snd_nxt;
    return c;
}

static struct tcp_connection *ten(struct rig *r, uint32_t snd)
{
    const uint32_t lengths[] = {MSS, MSS, MSS, MSS, MSS, MSS, MSS, MSS, MSS, MSS};

    return in_flight(r, snd, lengths, 10);
}

static bool duplicate(struct rig *r, struct tcp_connection *c, bool may_enter)
{
    c->send.duplicate_acks++;
    bool enters = sw_tcp_duplicates_one_more(&r->tcp, c, may_enter);
    rig_check_records(r, c);
    return enters;
}

/* Each tells of one segment behind the hole; the third that the hole is lost, once. RFC5681-3.2-1. */
static void test_three(void **state)
{
    (void)state;
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = ten(r, starts[s]);
        assert_false(duplicate(r, c, true));
        assert_int_equal(rig_bits(r, c, RECORD_SACKED), 0x2);
        assert_false(duplicate(r, c, true));
        assert_int_equal(c->send.lost, 0);
        assert_true(duplicate(r, c, true));
        assert_int_equal(rig_bits(r, c, RECORD_SACKED), 0xe);
        assert_int_equal(rig_bits(r, c, RECORD_LOST), 0x1);
        assert_false(duplicate(r, c, false));
        assert_int_equal(c->send.in_flight, 5 * MSS);
        rig_end(r);
    }
}

/* The threshold is configured; where recovery may not begin, it does not. */
static void test_threshold(void **state)
{
    (void)state;
    for (uint8_t threshold = 1; threshold <= 6; threshold++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = ten(r, 1);
        r->tcp.config.duplicate_threshold = threshold;
        for (uint8_t i = 1; i < threshold; i++)
            assert_false(duplicate(r, c, true));
        assert_false(duplicate(r, c, false));
        assert_int_equal(c->send.lost, 0);
        assert_true(duplicate(r, c, true));
        assert_int_equal(c->send.lost, MSS);
        rig_end(r);
    }
}

/* B-21: however many come, the hole itself stays in flight or lost, and no more than the rest is freed. */
static void test_forged(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = ten(r, 0xfffff000);

    for (int i = 0; i < 200; i++) {
        duplicate(r, c, false);
        assert_true(c->send.in_flight >= MSS);
    }
    assert_int_equal(c->send.in_flight, MSS);
    assert_int_equal(rig_bits(r, c, RECORD_SACKED), 0x3fe);
    rig_end(r);
}

/* In recovery none is taken for delivered that was sent since it began. */
static void test_not_beyond_recover(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = ten(r, 0xfffff000);

    c->in_recovery = 1;
    sw_tcp_sending(&r->tcp, c)->presumable = tcp_seq_of(0xfffff000 + 6 * MSS);
    for (int i = 0; i < 20; i++)
        duplicate(r, c, false);
    assert_int_equal(rig_bits(r, c, RECORD_SACKED), 0x3e);
    /* A partial acknowledgement comes a round trip later: what was out then may have arrived. */
    sw_tcp_duplicates_partial(&r->tcp, c);
    for (int i = 0; i < 20; i++)
        duplicate(r, c, false);
    assert_int_equal(rig_bits(r, c, RECORD_SACKED), 0x3fe);
    rig_end(r);
}

/* A duplicate tells of a segment, however large the frame was that carried it: super-segments split. */
static void test_super_segments(void **state)
{
    (void)state;
    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        const uint32_t lengths[] = {5 * MSS, 3 * MSS, 2500};
        struct rig *r = rig_new();
        struct tcp_connection *c = in_flight(r, starts[s], lengths, 3);
        const uint32_t flight = 8 * MSS + 2500;
        for (uint32_t i = 1; i <= 10; i++) {
            bool entered = duplicate(r, c, i == 3);
            assert_int_equal(entered, i == 3);
            uint32_t told = i < 10 ? i * MSS : 9 * MSS + 500; /* the last is a small one */
            assert_int_equal(c->send.in_flight, flight - told - (i >= 3 ? MSS : 0));
        }
        assert_int_equal(c->send.lost, MSS); /* the first segment only */
        rig_end(r);
    }
}

/* RFC 6582 3.2 step 3: the next hole is what begins at SND.UNA now, whatever was presumed of it. */
static void test_partial(void **state)
{
    (void)state;
    const struct {
        uint8_t flags;
        bool lost;
    } rows[] = {{0, true},
                {RECORD_SACKED, true},
                {RECORD_LOST, true},
                {RECORD_RETRANSMITTED, false},
                {RECORD_RETRANSMITTED | RECORD_LOST, true}};

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = ten(r, 0xffffff00);
        c->in_recovery = 1;
        rig_set_flags(r, c, 0, rows[i].flags);
        rig_set_flags(r, c, 1, RECORD_SACKED);
        sw_tcp_duplicates_partial(&r->tcp, c);
        assert_int_equal(rig_bits(r, c, RECORD_LOST), rows[i].lost);
        /* Was it presumed delivered, then another one was: RFC 6582 3.2, "adds back". */
        assert_int_equal(rig_bits(r, c, RECORD_SACKED), rows[i].flags & RECORD_SACKED ? 0x6 : 0x2);
        rig_check_records(r, c);
        rig_end(r);
    }
}

/* Of a super-segment at SND.UNA only the first segment is known to be missing. */
static void test_partial_super_segment(void **state)
{
    (void)state;
    const uint32_t lengths[] = {5 * MSS, MSS};
    struct rig *r = rig_new();
    struct tcp_connection *c = in_flight(r, 0xffffff00, lengths, 2);

    c->in_recovery = 1;
    sw_tcp_duplicates_partial(&r->tcp, c);
    assert_int_equal(c->send.lost, MSS);
    assert_int_equal(rig_bits(r, c, RECORD_LOST), 0x1);
    assert_int_equal(c->limited, 1); /* it does not wait for cwnd */
    rig_check_records(r, c);
    rig_end(r);
}

/* What was presumed is in flight again. */
static void test_forget(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xfffffff0, 1);

    for (uint32_t i = 0; i < 200; i++) { /* several chunks of them */
        assert_true(sw_tcp_records_push(&r->tcp, c, 10));
        c->send.snd_nxt = tcp_seq_add(c->send.snd_nxt, 10);
    }
    for (uint32_t i = 0; i < 150; i++)
        duplicate(r, c, false);
    rig_set_flags(r, c, 0, RECORD_LOST);
    assert_int_equal(c->send.in_flight, 490);
    sw_tcp_duplicates_forget(&r->tcp, c);
    rig_check_records(r, c);
    assert_int_equal(c->send.in_flight, 1990);
    assert_int_equal(c->send.lost, 10);
    rig_end(r);
}

/* Memory refused for a split: nothing is told of, and nothing breaks. */
static void test_no_memory(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 0xfffffff0, 1);

    for (bool full = false; !full;) { /* until the next would need a chunk */
        r->region.fault_countdown = c->send.sending ? 1 : 0;
        full = !sw_tcp_records_push(&r->tcp, c, 3 * MSS);
        c->send.snd_nxt = tcp_seq_add(c->send.snd_nxt, full ? 0 : 3 * MSS);
    }
    uint32_t flight = c->send.in_flight;
    for (int i = 0; i < 5; i++) {
        r->region.fault_countdown = 1;
        duplicate(r, c, false);
    }
    r->region.fault_countdown = 0;
    assert_true(c->send.in_flight <= flight);
    assert_int_equal(c->send.lost, 0);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_three),
        cmocka_unit_test(test_threshold),
        cmocka_unit_test(test_forged),
        cmocka_unit_test(test_not_beyond_recover),
        cmocka_unit_test(test_super_segments),
        cmocka_unit_test(test_partial),
        cmocka_unit_test(test_partial_super_segment),
        cmocka_unit_test(test_forget),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
