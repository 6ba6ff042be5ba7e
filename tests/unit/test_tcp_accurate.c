/*
 * test_tcp_accurate.c - Accurate ECN: its flags and option on the wire, its counters of both directions.
 *
 * RFC 9768, from memory: its text was not at hand.
 */
#include "test_tcp_support.h"

#include "tcp/ecn/accurate.h"

#define NEAR_WRAP 0xfffffff0u

static struct tcp_connection *accurate(struct rig *r)
{
    struct tcp_connection *c = rig_open(r, NEAR_WRAP, 5000);

    c->ecn = TCP_ECN_ACCURATE;
    assert_true(sw_tcp_accurate_start(&r->tcp, c));
    sw_tcp_accurate_begin(&r->tcp, c, IP_NOT_ECT, IP_NOT_ECT);
    return c;
}

static struct tcp_segment arriving(const struct rig *r, const struct tcp_connection *c,
                                   uint8_t ip_ecn, uint32_t length)
{
    struct tcp_segment seg = rig_segment(r, c, c->receive.rcv_nxt.raw, TCP_ACK);

    seg.dscp_ecn = (uint8_t)(46 << 2 | ip_ecn);
    seg.length = length;
    seg.packets = 1;
    return seg;
}

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

/* Every length of either kind, cut off anywhere: whole counters or nothing. */
static void test_option_on_the_wire(void **state)
{
    static const uint8_t value[] = {0x01, 0x02, 0x03, 0xff, 0xfe, 0xfd, 0x00, 0x00, 0x09};
    struct wire_tcp_options o;

    (void)state;
    for (unsigned kind = TCP_OPTION_ACCURATE_0; kind <= TCP_OPTION_ACCURATE_1; kind++) {
        for (uint8_t size = 2; size <= 2 + sizeof value + 3; size++) {
            uint8_t bytes[16] = {(uint8_t)kind, size};
            bool good = kind != 173 && size <= 11 && size % 3 == 2;

            memcpy(bytes + 2, value, sizeof value);
            for (size_t length = 0; length <= size; length++) {
                sw_wire_tcp_options_read(&o, bytes, length);
                assert_int_equal(o.accurate, good && length == size ? kind : 0);
                assert_int_equal(o.malformed, length > 0 && length < size);
            }
            if (!good)
                continue;
            assert_int_equal(o.accurate_count, (size - 2) / 3);
            if (o.accurate_count > 1)
                assert_int_equal(o.accurate_counters[1], 0xfffefd);
            if (o.accurate_count > 2)
                assert_int_equal(o.accurate_counters[2], 9);
            uint8_t written[40];
            size_t n = sw_wire_tcp_options_write(&o, NULL, written, sizeof written);
            assert_int_equal(n, sw_round_up(size, 4));
            assert_memory_equal(written, bytes, size);
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

/* RFC9768-3.2.2-1. */
static void test_counts_what_arrives(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = accurate(r);
    struct tcp_accurate *a = sw_tcp_accurate(&r->tcp, c);
    struct wire_tcp_options o;

    (void)state;
    struct tcp_segment plain = arriving(r, c, IP_ECT_0, 1000), marked = arriving(r, c, IP_CE, 500);
    struct tcp_segment bare = arriving(r, c, IP_CE, 0), other = arriving(r, c, IP_ECT_1, 10);
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 5);
    assert_true(sw_tcp_accurate_count(a, &plain)); /* the first that is ECT: a change */
    assert_false(sw_tcp_accurate_count(a, &plain));
    assert_true(sw_tcp_accurate_count(a, &marked));
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 6);
    assert_true(sw_tcp_accurate_count(a, &marked)); /* the second untold */
    a->unreported = 0;
    assert_false(sw_tcp_accurate_count(a, &marked));
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 0); /* five and three */
    /* A bare ACK counts as a packet, and is never answered. */
    a->unreported = 6;
    assert_false(sw_tcp_accurate_count(a, &bare));
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), 1);
    /* A super-segment is as many packets as it was. */
    marked.packets = 12;
    assert_true(sw_tcp_accurate_count(a, &marked));
    assert_int_equal(sw_tcp_ecn_ace(&r->tcp, c), (1 + 12) & 7);
    assert_int_equal(a->marks_received, 16);
    /* Two counters say it all, until the third moves. */
    sw_wire_tcp_options_none(&o);
    assert_int_equal(sw_tcp_ecn_option(&r->tcp, c, &o), 8);
    assert_int_equal(o.accurate, TCP_OPTION_ACCURATE_0);
    assert_int_equal(o.accurate_count, 2);
    assert_int_equal(o.accurate_counters[0], 2001);
    assert_int_equal(o.accurate_counters[1], 2000);
    sw_tcp_accurate_count(a, &other);
    assert_int_equal(sw_tcp_ecn_option(&r->tcp, c, &o), 12);
    assert_int_equal(o.accurate_counters[2], 11);
    a->r_e0b = 1; /* a peer that sends ECT(1) only */
    assert_int_equal(sw_tcp_ecn_option(&r->tcp, c, &o), 8);
    assert_int_equal(o.accurate, TCP_OPTION_ACCURATE_1);
    assert_int_equal(o.accurate_counters[0], 11);
    rig_discard(r, c);
    rig_end(r);
}

/* SACK blocks and timestamps come first. */
static void test_option_where_there_is_room(void **state)
{
    static const struct {
        bool timestamps;
        uint8_t blocks;
        uint32_t size;
    } rows[] = {{false, 0, 8}, {false, 3, 8}, {false, 4, 0},
                {true, 0, 8},  {true, 2, 8},  {true, 3, 0}};
    struct rig *r = rig_new();
    struct tcp_connection *c = accurate(r);

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct wire_tcp_options o;
        uint8_t bytes[40];

        sw_wire_tcp_options_none(&o);
        c->timestamps = rows[i].timestamps;
        o.timestamps = rows[i].timestamps;
        o.sack_count = rows[i].blocks;
        assert_int_equal(sw_tcp_ecn_option(&r->tcp, c, &o), rows[i].size);
        size_t length = sw_wire_tcp_options_write(&o, NULL, bytes, sizeof bytes);
        sw_wire_tcp_options_read(&o, bytes, length);
        assert_int_equal(o.sack_count, rows[i].blocks);
        assert_int_equal(o.accurate != 0, rows[i].size != 0);
    }
    rig_discard(r, c);
    rig_end(r);
}

/* ---- sending ---------------------------------------------------------------------------------------- */

static void test_marks_by_the_flags(void **state)
{
    static const struct {
        uint32_t s_cep;
        uint8_t ace;
        bool lately;
        uint32_t delivered, marks, bytes;
    } rows[] = {
        {5, 5, false, 2000, 0, 0},
        {5, 6, false, 2000, 1, 1000},
        {5, 0, false, 4000, 3, 3000}, /* round */
        {0xffffffff, 1, false, 2000, 2, 2000},
        {5, 6, false, 0, 0, 0},       /* no news: perhaps an old one */
        {5, 6, false, 300, 1, 300},   /* never more than arrived */
        {5, 4, false, 1000, 7, 1000}, /* the path, or pure ACKs: believed */
        {5, 5, false, 8000, 0, 0},    /* eight could be all: but nothing was marked lately */
        {5, 5, true, 8000, 8, 8000},  /* here it is more likely than not */
        {5, 5, true, 7000, 0, 0},
        {5, 6, true, 20000, 17, 17000}, /* the most that twenty allow */
        {5, 6, true, 17000, 17, 17000},
        {5, 6, true, 16999, 17, 16999},
        {5, 6, true, 16000, 9, 9000},
    };
    struct rig *r = rig_new();

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_connection *c = accurate(r);
        struct tcp_accurate *a = sw_tcp_accurate(&r->tcp, c);
        struct tcp_segment seg = rig_segment(r, c, 5000, TCP_ACK);

        a->s_cep = rows[i].s_cep;
        a->marked_lately = rows[i].lately;
        a->feedback_seen = true;
        seg.ace = rows[i].ace;
        uint32_t bytes = sw_tcp_accurate_marked(&r->tcp, c, &seg, rows[i].delivered);
        if (bytes != rows[i].bytes || a->s_cep - rows[i].s_cep != rows[i].marks)
            fail_msg("row %zu: %u bytes, %u marks", i, bytes, a->s_cep - rows[i].s_cep);
        if (rows[i].delivered)
            assert_int_equal(a->marked_lately, rows[i].marks > 0);
        rig_discard(r, c);
    }
    rig_end(r);
}

static struct tcp_segment with_option(const struct rig *r, const struct tcp_connection *c,
                                      uint8_t ace, uint32_t e0b, uint32_t ceb)
{
    struct tcp_segment seg = rig_segment(r, c, 5000, TCP_ACK);

    seg.ace = ace;
    seg.options.accurate = TCP_OPTION_ACCURATE_0;
    seg.options.accurate_count = 2;
    seg.options.accurate_counters[0] = e0b;
    seg.options.accurate_counters[1] = ceb;
    return seg;
}

/* The option tells one round of the flags from two. */
static void test_marks_by_the_option(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = accurate(r);
    struct tcp_accurate *a = sw_tcp_accurate(&r->tcp, c);

    (void)state;
    struct tcp_segment seg = with_option(r, c, 6, 1 + 11000, 9000);
    assert_int_equal(sw_tcp_accurate_marked(&r->tcp, c, &seg, 20000), 9000);
    assert_int_equal(a->s_cep, 14);
    a->marked_lately = true; /* the flags alone would mean all eight */
    seg = with_option(r, c, 6, 1 + 19000, 9000);
    assert_int_equal(sw_tcp_accurate_marked(&r->tcp, c, &seg, 8000), 0);
    assert_int_equal(a->s_cep, 14);
    /* 24 bits go round too. */
    a->s_ceb = 0xfffe00;
    seg = with_option(r, c, 7, 1, 0x000100);
    assert_int_equal(sw_tcp_accurate_marked(&r->tcp, c, &seg, 1000), 0x300);
    assert_int_equal(a->s_cep, 15);
    /* An older one says nothing; the flags do. */
    seg = with_option(r, c, 0, 1, 0x0000ff);
    assert_int_equal(sw_tcp_accurate_marked(&r->tcp, c, &seg, 3000), 1000);
    /* In the other order CE stands in the middle as well. What the flags told is not told again. */
    seg = with_option(r, c, 1, 1, (a->s_ceb + 1700) & 0xffffff);
    seg.options.accurate = TCP_OPTION_ACCURATE_1;
    assert_int_equal(sw_tcp_accurate_marked(&r->tcp, c, &seg, 1000), 700);
    seg = with_option(r, c, 2, 1, (a->s_ceb + 500) & 0xffffff);
    assert_int_equal(sw_tcp_accurate_marked(&r->tcp, c, &seg, 1000), 500);
    rig_discard(r, c);
    rig_end(r);
}

/* RFC 9768 3.2.3.2.4: counting begins at one, so a first zero is not the peer's. */
static void test_zeroed_option_is_not_believed(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = accurate(r);
    struct tcp_accurate *a = sw_tcp_accurate(&r->tcp, c);

    (void)state;
    struct tcp_segment seg = with_option(r, c, 6, 0, 0);
    assert_int_equal(sw_tcp_accurate_marked(&r->tcp, c, &seg, 2000), 1000);
    seg = with_option(r, c, 6, 4000, 2000);
    assert_int_equal(sw_tcp_accurate_marked(&r->tcp, c, &seg, 2000), 0);
    assert_true(a->option_broken);
    rig_discard(r, c);
    rig_end(r);
}

/* RFC 9768 3.2.2.4: three marks out of one packet. Of many it may be true. */
static void test_first_counter_of_zero(void **state)
{
    struct rig *r = rig_new();

    (void)state;
    for (uint32_t packets = 1; packets < 6; packets++) {
        struct tcp_connection *c = accurate(r);
        struct tcp_segment seg = rig_segment(r, c, 5000, TCP_ACK);

        sw_tcp_accurate_marked(&r->tcp, c, &seg, packets * RIG_MSS);
        assert_int_equal(c->ecn_no_ect, packets < 3);
        rig_discard(r, c);
    }
    rig_end(r);
}

/* RFC 9768 3.2.2.3: much arrived, none of it as ECT(0), which it was sent as. */
static void test_bleaching_is_noticed(void **state)
{
    struct rig *r = rig_new();
    struct tcp_connection *c = accurate(r);
    struct tcp_segment seg = with_option(r, c, 5, 1, 0);

    (void)state;
    sw_tcp_accurate_marked(&r->tcp, c, &seg, 8000);
    assert_false(c->ecn_no_ect);
    sw_tcp_accurate_marked(&r->tcp, c, &seg, 1000);
    assert_true(c->ecn_no_ect);
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
    sw_tcp_accurate_count(sw_tcp_accurate(&r->tcp, c), &marked);
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
        cmocka_unit_test(test_option_where_there_is_room),
        cmocka_unit_test(test_marks_by_the_flags),
        cmocka_unit_test(test_marks_by_the_option),
        cmocka_unit_test(test_zeroed_option_is_not_believed),
        cmocka_unit_test(test_first_counter_of_zero),
        cmocka_unit_test(test_bleaching_is_noticed),
        cmocka_unit_test(test_one_segment_a_frame),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
