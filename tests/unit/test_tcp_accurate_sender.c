/*
 * test_tcp_accurate_sender.c - Accurate ECN: what its sender makes of the flags and the option.
 *
 * RFC 9768 3.2.2.2 to 3.2.2.5, 3.2.3.2. The wire and the receiver are in test_tcp_accurate.c.
 */
#include "test_tcp_ecn_support.h"

static uint32_t marked_by(struct rig *r, struct tcp_connection *c, const struct tcp_segment *seg,
                          uint32_t delivered)
{
    return sw_tcp_accurate_marked(c, sw_tcp_accurate(&r->tcp, c), seg, delivered).bytes;
}

static void test_marks_by_the_flags(void **state)
{
    static const struct {
        uint32_t s_cep;
        uint8_t ace, lately;
        uint32_t delivered, marks, bytes;
    } rows[] = {
        {5, 5, 0, 2000, 0, 0},
        {5, 6, 0, 2000, 1, 1000},
        {5, 0, 0, 4000, 3, 3000}, /* round */
        {0xffffffff, 1, 0, 2000, 2, 2000},
        {5, 6, 0, 0, 0, 0},       /* no news: perhaps an old one */
        {5, 6, 0, 300, 1, 300},   /* never more than arrived */
        {5, 4, 0, 1000, 7, 1000}, /* the path, or pure ACKs: believed */
        {5, 5, 0, 8000, 0, 0},    /* eight could be all: but nothing was marked lately */
        {5, 5, 1, 8000, 8, 8000}, /* here it is more likely than not */
        {5, 5, 8, 7000, 0, 0},
        {5, 6, 1, 20000, 17, 17000}, /* the most that twenty allow */
        {5, 6, 1, 17000, 17, 17000},
        {5, 6, 1, 16999, 17, 16999},
        {5, 6, 1, 16000, 9, 9000},
    };
    struct rig *r = rig_new();

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_connection *c = accurate(r);
        struct tcp_accurate *a = sw_tcp_accurate(&r->tcp, c);
        struct tcp_segment seg = rig_segment(r, c, 5000, TCP_ACK);

        a->s_cep = rows[i].s_cep;
        a->lately = rows[i].lately;
        a->until_first = 0;
        seg.ace = rows[i].ace;
        uint32_t bytes = sw_tcp_accurate_marked(c, a, &seg, rows[i].delivered).bytes;
        if (bytes != rows[i].bytes || a->s_cep - rows[i].s_cep != rows[i].marks)
            fail_msg("row %zu: %u bytes, %u marks", i, bytes, a->s_cep - rows[i].s_cep);
        if (rows[i].delivered)
            assert_int_equal(a->lately, rows[i].marks ? 8 : rows[i].lately - !!rows[i].lately);
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
    assert_int_equal(marked_by(r, c, &seg, 20000), 9000);
    assert_int_equal(a->s_cep, 14);
    a->lately = 8; /* the flags alone would mean all eight */
    seg = with_option(r, c, 6, 1 + 19000, 9000);
    assert_int_equal(marked_by(r, c, &seg, 8000), 0);
    assert_int_equal(a->s_cep, 14);
    /* 24 bits go round too. */
    a->s_ceb = 0xfffe00;
    seg = with_option(r, c, 7, 1, 0x000100);
    assert_int_equal(marked_by(r, c, &seg, 1000), 0x300);
    assert_int_equal(a->s_cep, 15);
    /* An older one says nothing; the flags do. */
    seg = with_option(r, c, 0, 1, 0x0000ff);
    assert_int_equal(marked_by(r, c, &seg, 3000), 1000);
    /* In the other order CE stands in the middle as well. What the flags told is not told again. */
    seg = with_option(r, c, 1, 1, (a->s_ceb + 1700) & 0xffffff);
    seg.options.accurate = TCP_OPTION_ACCURATE_1;
    assert_int_equal(marked_by(r, c, &seg, 1000), 700);
    seg = with_option(r, c, 2, 1, (a->s_ceb + 500) & 0xffffff);
    assert_int_equal(marked_by(r, c, &seg, 1000), 500);
    rig_discard(r, c);
    rig_end(r);
}

/* RFC 9768 3.2.3.2.4: counting begins at one, so a zero in the handshake is not the peer's. */
static void test_zeroed_option_is_not_believed(void **state)
{
    static const struct {
        uint8_t count;
        uint32_t counters[3];
        bool broken;
    } rows[] = {{0, {0, 0, 0}, false}, {1, {0, 9, 9}, true},  {1, {17, 0, 0}, false},
                {2, {1, 0, 0}, false}, {3, {1, 0, 1}, false}, {3, {1, 0, 0}, true}};
    struct rig *r = rig_new();

    (void)state;
    for (unsigned client = 0; client < 2; client++) {
        for (size_t i = 0; i < SW_COUNT(rows); i++) {
            struct tcp_connection *c = accurate(r);
            struct tcp_accurate *a = sw_tcp_accurate(&r->tcp, c);
            struct tcp_segment seg = with_option(r, c, 2, 0, 0);

            seg.flags |= client ? TCP_SYN : 0;
            seg.options.accurate_count = rows[i].count;
            memcpy(seg.options.accurate_counters, rows[i].counters, sizeof rows[i].counters);
            if (client)
                assert_true(sw_tcp_ecn_answered(&r->tcp, c, &seg));
            else
                sw_tcp_ecn_handshake_ack(&r->tcp, c, &seg);
            assert_int_equal(a->option_broken, rows[i].broken);
            /* Of two packets the flags tell one, the option two. */
            a->until_first = 0;
            seg = with_option(r, c, 6, 4000, 2000);
            assert_int_equal(marked_by(r, c, &seg, 2000), rows[i].broken ? 1000 : 2000);
            rig_discard(r, c);
        }
    }
    /* Later they may be zero, having gone round. */
    struct tcp_connection *c = accurate(r);
    struct tcp_segment seg = with_option(r, c, 6, 0, 2000);
    assert_int_equal(marked_by(r, c, &seg, 2000), 2000);
    rig_discard(r, c);
    rig_end(r);
}

/* RFC 9768 3.2.2.2, A.1: an ACK without news of text, or from before the last, tells nothing. */
static void test_superseded(void **state)
{
    static const struct {
        bool timestamps;
        uint32_t ts_value, delivered;
        bool heard, advances;
    } rows[] = {{false, 0, 0, false, false},
                {false, 0, 1000, true, false},
                {true, 99, 1000, false, false},
                {true, 99, 0, false, false},
                {true, 100, 1000, true, false},
                {true, 100, 0, false, false},
                {true, 101, 0, true, false},
                {true, 101, 1000, true, false},
                {true, 100 - (1u << 31), 0, false, false},
                {true, 99, 1000, true, true},
                {true, 99, 0, false, true}};
    struct rig *r = rig_new();

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_connection *c = accurate(r);
        struct tcp_accurate *a = sw_tcp_accurate(&r->tcp, c);
        struct tcp_segment seg = rig_segment(r, c, 5000, TCP_ACK);

        c->timestamps = rows[i].timestamps;
        c->receive.ts_recent = 100;
        seg.options.timestamps = rows[i].timestamps;
        seg.options.ts_value = rows[i].ts_value;
        seg.ace = 6;
        c->send.snd_una = tcp_seq_add(c->send.snd_una, rows[i].advances ? 1000 : 0);
        struct tcp_marks told = sw_tcp_accurate_marked(c, a, &seg, rows[i].delivered);
        if (told.packets != rows[i].heard || told.bytes != (rows[i].heard ? rows[i].delivered : 0))
            fail_msg("row %zu", i);
        assert_int_equal(a->s_cep, 5 + rows[i].heard);
        rig_discard(r, c);
    }
    rig_end(r);
}

/* RFC 9768 3.2.3.2.5: marked bytes, but no marked packet, and the flags cannot have gone round. */
static void test_option_against_flags(void **state)
{
    static const struct {
        uint32_t delivered, ceb;
        uint8_t ace;
        bool small, no_ect;
    } rows[] = {{4000, 2000, 5, false, true},  {4000, 2000, 6, false, false},
                {4000, 0, 5, false, false},    {4000, 2000, 5, true, false},
                {8000, 8000, 5, false, false}, {4000, 0, 6, false, false}};
    struct rig *r = rig_new();

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_connection *c = accurate(r);
        struct tcp_segment seg = with_option(r, c, rows[i].ace, 5000, rows[i].ceb);

        c->snd_sml = rows[i].small ? tcp_seq_of(NEAR_WRAP + 50) : tcp_seq_of(NEAR_WRAP);
        marked_by(r, c, &seg, rows[i].delivered);
        if (c->ecn_no_ect != rows[i].no_ect)
            fail_msg("row %zu", i);
        assert_false(sw_tcp_accurate(&r->tcp, c)->deaf); /* marks are obeyed all the same */
        rig_discard(r, c);
    }
    /* The packet was told of before, by an ACK that had no room for the option. */
    struct tcp_connection *c = accurate(r);
    struct tcp_segment flags = rig_segment(r, c, 5000, TCP_ACK);
    flags.ace = 6;
    c->snd_sml = tcp_seq_of(NEAR_WRAP);
    marked_by(r, c, &flags, 1000);
    struct tcp_segment seg = with_option(r, c, 6, 2000, 1000);
    assert_int_equal(marked_by(r, c, &seg, 1000), 0);
    assert_false(c->ecn_no_ect);
    rig_discard(r, c);
    rig_end(r);
}

/* RFC 9768 3.2.2.4: three marks out of one packet. Of many it may be true. */
static void test_first_counter_of_zero(void **state)
{
    struct rig *r = rig_new();

    (void)state;
    for (uint32_t packets = 0; packets < 6; packets++) {
        struct tcp_connection *c = accurate(r);
        struct tcp_segment seg = rig_segment(r, c, 5000, TCP_ACK);
        bool zeroed = packets < 3;

        uint32_t told = marked_by(r, c, &seg, packets * RIG_MSS);
        assert_int_equal(told, zeroed ? 0 : 3 * RIG_MSS);
        assert_int_equal(c->ecn_no_ect, zeroed);
        seg.ace = 1; /* not then, and not later */
        assert_int_equal(marked_by(r, c, &seg, RIG_MSS), zeroed ? 0 : RIG_MSS);
        rig_discard(r, c);
    }
    rig_end(r);
}

/* RFC 9768 3.2.2.3: much was delivered, none of it as ECT(0), which it was sent as. */
static void test_bleaching_is_noticed(void **state)
{
    static const uint32_t first[] = {1, 17};
    struct rig *r = rig_new();

    (void)state;
    for (size_t i = 0; i < SW_COUNT(first); i++) { /* what a peer begins with is its business */
        struct tcp_connection *c = accurate(r);
        struct tcp_segment seg = with_option(r, c, 5, first[i], 0);

        marked_by(r, c, &seg, 8000);
        assert_false(c->ecn_no_ect);
        marked_by(r, c, &seg, 1000);
        assert_int_equal(c->ecn_no_ect, first[i] == 1);
        rig_discard(r, c);
    }
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks_by_the_flags),
        cmocka_unit_test(test_marks_by_the_option),
        cmocka_unit_test(test_zeroed_option_is_not_believed),
        cmocka_unit_test(test_superseded),
        cmocka_unit_test(test_option_against_flags),
        cmocka_unit_test(test_first_counter_of_zero),
        cmocka_unit_test(test_bleaching_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
