/*
 * test_tcp_accurate.c - Accurate ECN: its flags and option on the wire, its counters of what arrives.
 *
 * RFC 9768 3.2.
 */
#include "test_tcp_ecn_support.h"

/* ---- the wire ------------------------------------------------------------------------------------ */

static void test_flags_as_a_number(void **state)
{
    (void)state;
    for (uint8_t ace = 0; ace < 8; ace++) {
        struct wire_tcp h = {.flags = TCP_ACK | TCP_ECE, .reserved = 0x0e, .header_length = 20},
                        back;
        uint8_t bytes[WIRE_TCP_HEADER];

        sw_wire_tcp_set_ace(&h, ace);
        assert_int_equal(h.reserved & 0x0e, 0x0e);
        assert_int_equal(h.flags & 0x3f, TCP_ACK);
        sw_wire_tcp_write(&h, bytes);
        assert_int_equal(bytes[12] & 1, ace >> 2);
        assert_int_equal(bytes[13] >> 6, ace & 3);
        assert_true(sw_wire_tcp_read(&back, bytes, sizeof bytes));
        assert_int_equal(sw_wire_tcp_ace(&back), ace);
    }
}

/* Every length of either kind, cut off anywhere: what is not a whole counter, or a fourth, is padding. */
static void test_option_on_the_wire(void **state)
{
    static const uint8_t value[] = {0x01, 0x02, 0x03, 0xff, 0xfe, 0xfd, 0x00, 0x00, 0x09};
    struct wire_tcp_options o;

    (void)state;
    for (unsigned kind = TCP_OPTION_ACCURATE_0; kind <= TCP_OPTION_ACCURATE_1; kind++) {
        for (uint8_t size = 2; size <= 2 + sizeof value + 29; size++) {
            uint8_t bytes[40] = {(uint8_t)kind, size}, written[40];
            bool good = kind != 173;

            memcpy(bytes + 2, value, sizeof value);
            for (size_t length = 0; length <= size; length++) {
                sw_wire_tcp_options_read(&o, bytes, length);
                assert_int_equal(o.accurate, good && length == size ? kind : 0);
                assert_int_equal(o.malformed, length > 0 && length < size);
            }
            if (!good)
                continue;
            assert_int_equal(o.accurate_count, sw_min32((size - 2) / 3, 3));
            if (o.accurate_count > 1)
                assert_int_equal(o.accurate_counters[1], 0xfffefd);
            if (o.accurate_count > 2)
                assert_int_equal(o.accurate_counters[2], 9);
            size_t n = sw_wire_tcp_options_write(&o, NULL, written, sizeof written);
            size_t most = 2 + 3u * o.accurate_count;
            assert_int_equal(n, sw_round_up(most, 4));
            assert_int_equal(written[1], most);
            assert_memory_equal(written + 2, value, most - 2);
            assert_int_equal(sw_wire_tcp_options_write(&o, NULL, written, n - 4), 0); /* not cut */
        }
    }
}

/* Of two the first counts, of whichever kind. */
static void test_option_twice(void **state)
{
    static const uint8_t bytes[] = {174, 5, 0, 0, 7, 172, 5, 0, 0, 8, 1, 0};
    struct wire_tcp_options o;

    (void)state;
    sw_wire_tcp_options_read(&o, bytes, sizeof bytes);
    assert_int_equal(o.accurate, TCP_OPTION_ACCURATE_1);
    assert_int_equal(o.accurate_counters[0], 7);
}

/* ---- receiving ------------------------------------------------------------------------------------ */

/* RFC9768-3.2.2-1; 3.2.2.5.1 for what is told at once. */
static void test_counts_what_arrives(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = accurate(r);
    struct tcp_accurate *a = sw_tcp_accurate(&r->tcp, c);
    struct wire_tcp_options o;

    (void)state;
    struct tcp_segment plain = arriving(r, c, IP_ECT_0, 1000), marked = arriving(r, c, IP_CE, 500);
    struct tcp_segment bare = arriving(r, c, IP_CE, 0), other = arriving(r, c, IP_ECT_1, 10);
    struct tcp_segment clear = arriving(r, c, IP_NOT_ECT, 0);
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 5);
    assert_false(sw_tcp_accurate_count(a, &plain, 1000, true));
    assert_false(sw_tcp_accurate_count(a, &plain, 1000, true));
    assert_true(sw_tcp_accurate_count(a, &marked, 500, true)); /* a change */
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 6);
    assert_true(sw_tcp_accurate_count(a, &marked, 500, true)); /* the second untold */
    a->unreported = 0;
    assert_false(sw_tcp_accurate_count(a, &marked, 500, true));
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 0); /* five and three */
    /* What was not marked in between is of any kind. */
    a->unreported = 0;
    assert_false(sw_tcp_accurate_count(a, &clear, 0, true));
    assert_true(sw_tcp_accurate_count(a, &marked, 500, true));
    assert_false(sw_tcp_accurate_count(a, &plain, 1000, true)); /* back again is no news */
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 1);
    /* Bare ACKs count as packets: three of them are answered, two while text waits for an ACK. */
    a->unreported = 0;
    assert_false(sw_tcp_accurate_count(a, &bare, 0, false));
    assert_false(sw_tcp_accurate_count(a, &bare, 0, false));
    assert_true(sw_tcp_accurate_count(a, &bare, 0, true));
    assert_true(sw_tcp_accurate_count(a, &bare, 0, false));
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 5);
    /* A super-segment is as many packets as it was. */
    marked.packets = 12;
    assert_true(sw_tcp_accurate_count(a, &marked, 500, true));
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), (5 + 12) & 7);
    assert_int_equal(a->marks_received, 20);
    /* Two counters say it all, until the third moves. */
    sw_wire_tcp_options_none(&o);
    assert_int_equal(sw_tcp_ecn_option(&r->tcp, c, &o), 8);
    assert_int_equal(o.accurate, TCP_OPTION_ACCURATE_0);
    assert_int_equal(o.accurate_count, 2);
    assert_int_equal(o.accurate_counters[0], 3001);
    assert_int_equal(o.accurate_counters[1], 2500);
    sw_tcp_accurate_count(a, &other, 10, true);
    assert_int_equal(sw_tcp_ecn_option(&r->tcp, c, &o), 12);
    assert_int_equal(o.accurate_counters[2], 11);
    rig_discard(r, c);
    rig_end(r);
}

/* A peer that sends ECT(1) only. Counters that went round are counters that moved. */
static void test_option_in_the_other_order(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = accurate(r);
    struct tcp_accurate *a = sw_tcp_accurate(&r->tcp, c);
    struct tcp_segment other = arriving(r, c, IP_ECT_1, 10), plain = arriving(r, c, IP_ECT_0, 10);
    struct wire_tcp_options o;

    (void)state;
    sw_wire_tcp_options_none(&o);
    assert_int_equal(sw_tcp_ecn_option(&r->tcp, c, &o), 0); /* nothing to tell */
    sw_tcp_accurate_count(a, &other, 10, true);
    assert_int_equal(sw_tcp_ecn_option(&r->tcp, c, &o), 8);
    assert_int_equal(o.accurate, TCP_OPTION_ACCURATE_1);
    assert_int_equal(o.accurate_counters[0], 11);
    assert_int_equal(o.accurate_counters[1], 0);
    a->r_e0b -= 9;
    sw_tcp_accurate_count(a, &plain, 10, true);
    assert_int_equal(a->r_e0b, 2);
    a->r_e0b = 1;
    assert_int_equal(sw_tcp_ecn_option(&r->tcp, c, &o), 12);
    rig_discard(r, c);
    rig_end(r);
}

/* RFC 9768 3.2.3.3: two SACK blocks come first, and more of them but where marks press. */
static void test_option_where_there_is_room(void **state)
{
    static const struct {
        bool timestamps;
        uint8_t blocks, ip;
        bool both; /* ECT(0) and ECT(1) moved at some time */
        uint8_t size, left;
    } rows[] = {
        {false, 0, IP_ECT_0, false, 8, 0}, {false, 3, IP_ECT_0, false, 8, 3},
        {false, 4, IP_ECT_0, false, 0, 4}, {false, 4, IP_CE, false, 8, 3},
        {true, 0, IP_ECT_0, false, 8, 0},  {true, 2, IP_ECT_0, false, 8, 2},
        {true, 3, IP_ECT_0, false, 0, 3},  {true, 3, IP_CE, false, 8, 2},
        {false, 3, IP_CE, true, 12, 3},    {false, 4, IP_CE, true, 8, 3},
        {true, 1, IP_CE, true, 12, 1},     {true, 2, IP_CE, true, 8, 2},
        {true, 2, IP_ECT_1, true, 8, 2},   {true, 3, IP_CE, true, 8, 2},
    };
    struct rig *r = rig_new();

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_connection *c = accurate(r);
        struct tcp_accurate *a = sw_tcp_accurate(&r->tcp, c);
        struct tcp_segment seg = arriving(r, c, rows[i].ip, 100);
        struct wire_tcp_options o;
        uint8_t bytes[40];

        if (rows[i].both) {
            struct tcp_segment zero = arriving(r, c, IP_ECT_0, 1),
                               one = arriving(r, c, IP_ECT_1, 1);

            sw_tcp_accurate_count(a, &zero, 1, true);
            sw_tcp_accurate_count(a, &one, 1, true);
            a->changed = 0;
        }
        sw_tcp_accurate_count(a, &seg, 100, true);
        for (unsigned again = 0; again < 2; again++) {
            sw_wire_tcp_options_none(&o);
            c->timestamps = rows[i].timestamps;
            o.timestamps = rows[i].timestamps;
            o.sack_count = rows[i].blocks;
            uint32_t size = sw_tcp_ecn_option(&r->tcp, c, &o);
            /* 2^22 bytes untold press as marks do. */
            if (again && rows[i].blocks > 2)
                assert_int_not_equal(size, 0);
            else if (size != rows[i].size || o.sack_count != rows[i].left)
                fail_msg("row %zu: %u bytes, %u blocks", i, size, o.sack_count);
            size_t length = sw_wire_tcp_options_write(&o, NULL, bytes, sizeof bytes);
            uint8_t blocks = o.sack_count;
            sw_wire_tcp_options_read(&o, bytes, length);
            assert_int_equal(o.sack_count, blocks);
            assert_int_equal(o.accurate != 0, size != 0);
            if (rows[i].ip == IP_CE)
                assert_int_equal(o.accurate_counters[1], 100);
            a->untold = 1 << 22;
        }
        rig_discard(r, c);
    }
    rig_end(r);
}

/* A segment with @length bytes from @at, and the option if @due; what of it leaves? */
static bool leaves(struct rig *r, struct tcp_connection *c, uint32_t at, uint32_t length)
{
    struct tcp_plan plan = {.seq = tcp_seq_of(at), .length = length, .flags = TCP_ACK};
    struct tcp_outgoing out = {.flags = TCP_ACK};

    sw_wire_tcp_options_none(&out.options);
    sw_tcp_ecn_option(&r->tcp, c, &out.options);
    sw_tcp_ecn_outgoing(&r->tcp, c, &plan, &out);
    if (length && tcp_seq_equal(plan.seq, c->send.snd_nxt))
        c->send.snd_nxt = tcp_seq_add(plan.seq, length);
    return out.options.accurate;
}

static void arrives(struct rig *r, struct tcp_connection *c)
{
    struct tcp_segment seg = arriving(r, c, IP_ECT_0, 10);

    sw_tcp_accurate_count(sw_tcp_accurate(&r->tcp, c), &seg, 10, true);
}

static void acknowledged(struct rig *r, struct tcp_connection *c, uint32_t ack)
{
    struct tcp_segment seg = rig_segment(r, c, 5000, TCP_ACK);

    seg.ace = 5;
    seg.ack = c->send.snd_una = tcp_seq_of(ack);
    sw_tcp_ecn_marked(&r->tcp, c, &seg, 100, 100);
}

/* RFC 9768 3.2.3.2.2: text that is lost with the option is sent again without; twice is enough. */
static void test_option_on_trial(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = accurate(r);
    uint32_t at = NEAR_WRAP;

    (void)state;
    sw_tcp_accurate(&r->tcp, c)->first_due = true;
    assert_false(leaves(r, c, at, 0)); /* meant for text */
    assert_true(leaves(r, c, at, 100));
    assert_false(leaves(r, c, at, 100)); /* again */
    arrives(r, c);
    assert_false(leaves(r, c, at + 100, 100)); /* not while it is out */
    assert_false(leaves(r, c, at + 200, 0));
    acknowledged(r, c, at + 100);
    assert_true(leaves(r, c, at + 200, 100)); /* the second trial */
    arrives(r, c);
    assert_true(leaves(r, c, at + 300, 100)); /* no loss yet */
    arrives(r, c);
    assert_false(leaves(r, c, at + 100, 200)); /* lost again */
    acknowledged(r, c, at + 400);
    arrives(r, c);
    assert_false(leaves(r, c, at + 400, 100));
    assert_false(leaves(r, c, at + 500, 0));
    rig_discard(r, c);
    /* Where it came through once, a loss is a loss. */
    c = accurate(r);
    arrives(r, c);
    assert_true(leaves(r, c, at, 100));
    arrives(r, c);
    acknowledged(r, c, at + 100);
    assert_true(leaves(r, c, at + 100, 100));
    for (unsigned i = 0; i < 4; i++) {
        arrives(r, c);
        assert_true(leaves(r, c, at + 100, 100));
    }
    rig_discard(r, c);
    rig_end(r);
}

/* All the text of a packet counts, whatever of it is new; not that which a closed window refused. */
static void test_text_that_came_before(void **state)
{
    static const struct {
        uint32_t payload, left;
        uint8_t flags;
        uint32_t counted;
    } rows[] = {{100, 100, TCP_ACK, 100},
                {100, 30, TCP_ACK, 100},
                {100, 0, TCP_ACK | TCP_FIN, 100},
                {100, 0, TCP_ACK, 0},
                {0, 0, TCP_ACK, 0}};
    struct rig *r = rig_new();

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_connection *c = accurate(r);
        const struct tcp_accurate *a = sw_tcp_accurate(&r->tcp, c);
        struct tcp_segment seg = arriving(r, c, IP_CE, rows[i].left);

        seg.flags = rows[i].flags;
        sw_tcp_ecn_receive(&r->tcp, c, &seg, rows[i].payload);
        assert_int_equal(a->r_ceb, rows[i].counted);
        assert_int_equal(a->r_cep, rows[i].payload && !rows[i].counted ? 5 : 6);
        rig_discard(r, c);
    }
    rig_end(r);
}

/* Through the steps of input: a segment that is old in part. */
static void test_segment_that_overlaps(void **state)
{
    static uint8_t bytes[100];
    struct rig *r = rig_new();
    struct tcp_connection *c = accurate(r);
    struct tcp_segment seg = arriving(r, c, IP_ECT_0, 0);
    struct sanwo_slice slice;

    (void)state;
    seg.ace = 5;
    seg.seq = tcp_seq_of(4960);
    rig_payload(&seg, &slice, bytes, sizeof bytes);
    assert_int_equal(sw_tcp_input(&r->tcp, c, &seg), TCP_CONTINUE);
    assert_int_equal(c->receive.rcv_nxt.raw, 5060);
    assert_int_equal(sw_tcp_accurate(&r->tcp, c)->r_e0b, 101);
    sw_tcp_receive_queue_clear(&r->tcp, c);
    rig_discard(r, c);
    rig_end(r);
}

/* RFC 9768 3.2.2.5.1: an ACK of three marked ACKs is none of those that count as duplicates with SACK. */
static void test_ack_of_acks(void **state)
{
    static struct rig_frame f;
    struct rig *r = rig_new();
    struct tcp_connection *c = accurate(r);
    struct tcp_segment seg = arriving(r, c, IP_CE, 0);

    (void)state;
    c->sack = 1;
    c->receive.dsack_left = tcp_seq_of(4000);
    c->receive.dsack_right = tcp_seq_of(4100);
    for (unsigned i = 0; i < 9; i++) {
        assert_int_equal(c->ack_now, 0);
        sw_tcp_ecn_receive(&r->tcp, c, &seg, 0);
        if (i % 3 < 2)
            continue;
        assert_true(rig_output(r, c, &f));
        assert_int_equal(f.options.sack_count, 0);
        assert_int_equal(sw_wire_tcp_ace(&f.h), (5 + i + 1) & 7);
    }
    /* One that is due for text as well has them. */
    c->receive.dsack_left = tcp_seq_of(4000);
    for (unsigned i = 0; i < 3; i++)
        sw_tcp_ecn_receive(&r->tcp, c, &seg, 0);
    struct tcp_segment text = arriving(r, c, IP_NOT_ECT, 10);
    sw_tcp_ecn_receive(&r->tcp, c, &text, 10);
    assert_true(rig_output(r, c, &f));
    assert_int_equal(f.options.sack_count, 1);
    rig_discard(r, c);
    rig_end(r);
}

/* What cuts a super-segment up may clear CWR in all but the first: no such segment while it counts. */
static void test_one_segment_a_frame(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = accurate(r);
    struct tcp_segment marked = arriving(r, c, IP_CE, 10);

    (void)state;
    assert_false(sw_tcp_ecn_is_single(&r->tcp, c)); /* 5: AE and ECE */
    sw_tcp_accurate_count(sw_tcp_accurate(&r->tcp, c), &marked, 10, true);
    assert_true(sw_tcp_ecn_is_single(&r->tcp, c)); /* 6: AE and CWR */
    rig_discard(r, c);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flags_as_a_number),
        cmocka_unit_test(test_option_on_the_wire),
        cmocka_unit_test(test_option_twice),
        cmocka_unit_test(test_counts_what_arrives),
        cmocka_unit_test(test_option_in_the_other_order),
        cmocka_unit_test(test_option_where_there_is_room),
        cmocka_unit_test(test_option_on_trial),
        cmocka_unit_test(test_text_that_came_before),
        cmocka_unit_test(test_segment_that_overlaps),
        cmocka_unit_test(test_ack_of_acks),
        cmocka_unit_test(test_one_segment_a_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
