/*
 * test_tcp_records.c - Sent-segment records in chunks: what is found, split, acknowledged, refused.
 */
#include "test_tcp_support.h"

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
        for (uint32_t n = 0; n < 60000; n++) {
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
        {RECORD_SACKED, 0, false, true, false,
         10}, /* waited behind a hole: its time is the hole's */
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
    struct tcp_resent_queue *queue = &sw_tcp_sending(&r->tcp, c)->records.resent;
    assert_null(sw_tcp_resent_at(&r->tcp, queue, 0));
    uint32_t gone = 0, sent = 0;
    for (uint32_t round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < 100; i++, sent++)
            rig_sent_again(r, c, sent * 37 % 200);
        for (uint32_t i = 0; i < 70; i++, gone++)
            sw_tcp_resent_drop(queue);
        const struct tcp_resent *one;
        uint32_t last = 0;
        for (uint32_t i = 0; (one = sw_tcp_resent_at(&r->tcp, queue, i)); i++) {
            assert_int_equal(one->seq.raw, 0xfffffff0 + (gone + i) * 37 % 200 * 10);
            assert_int_equal(one->length, 10);
            assert_true(one->order > last);
            last = one->order;
            assert_true(gone + i < sent);
        }
        assert_null(sw_tcp_resent_at(&r->tcp, queue, sent - gone));
        assert_non_null(sw_tcp_resent_at(&r->tcp, queue, sent - gone - 1));
    }
    assert_int_equal(rig_record(r, c, 0)->transmissions, 4);
    rig_check_records(r, c);
    rig_end(r);
}

/* Without memory the rest is kept in order, what is left out is not there, and later ones are again. */
static void test_sent_again_without_memory(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);
    uint64_t before = r->region.used;

    c->sack = 1;
    for (uint32_t i = 0; i < 100; i++)
        push(r, c, 10);
    struct tcp_resent_queue *queue = &sw_tcp_sending(&r->tcp, c)->records.resent;
    for (uint32_t i = 0; i < 100; i++) {
        r->region.fault_countdown = i < 50;
        rig_sent_again(r, c, i);
    }
    assert_int_equal(queue->count, 50);
    assert_int_equal(sw_tcp_resent_at(&r->tcp, queue, 0)->seq.raw, 1 + 500);
    assert_int_equal(sw_tcp_resent_at(&r->tcp, queue, 49)->seq.raw, 1 + 990);
    acknowledge(r, c, 1001);
    assert_null(sw_tcp_resent_at(&r->tcp, queue, 0));
    sw_tcp_sending_rest(&r->tcp, c); /* a large ring goes, a small one stays */
    assert_true(queue->capacity < 50);
    sw_tcp_sending_release(&r->tcp, c);
    rig_settled(r, before);
    rig_end(r);
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
        cmocka_unit_test(test_sent_again_without_memory),
        cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
