/*
 * test_tcp_validation.c - A congestion window that was not in use is not relied on: RFC 7661.
 */
#include "tcp/congestion/validation.h"

#include "test_tcp_support.h"

#define MSS 1000u
#define RTT SANWO_MSEC(100)
#define MINUTES SANWO_SEC(60)

static struct tcp_cc window(uint32_t segments)
{
    struct tcp_cc cc;

    sw_tcp_cc_init(&cc, SANWO_CONGESTION_NEWRENO, MSS, 10);
    cc.cwnd = segments * MSS;
    cc.ssthresh = segments * MSS;
    return cc;
}

/* Round trips in each of which @bytes are sent, and what was before is acknowledged, from *now on. */
static void rounds(struct tcp_validation *v, const struct tcp_cc *cc, unsigned n, uint32_t bytes,
                   bool limited, sanwo_time *now)
{
    static uint32_t una, out; /* numbers only go on */

    for (unsigned i = 0; i < n; i++) {
        struct tcp_cc_ack ack = {.acked = out, .cwnd_limited = limited, .srtt = RTT};

        *now += RTT;
        una += out;
        out = bytes;
        ack.now = *now;
        ack.una = tcp_seq_of(una);
        ack.nxt = tcp_seq_of(una + bytes);
        sw_tcp_validation_ack(v, cc, &ack);
    }
}

/* 4.2, 4.4: half of cwnd a round trip validates it, and so does a sender that it held back. */
static void test_phases(void **state)
{
    const struct {
        uint32_t bytes;
        bool limited, validated;
    } rows[] = {{100 * MSS, true, true}, {50 * MSS, false, true}, {49 * MSS, false, false},
                {MSS, false, false},     {MSS, true, true},       {60 * MSS, false, true}};

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_validation v = {.since = 0};
        struct tcp_cc cc = window(100);
        sanwo_time now = SANWO_SEC(1);

        rounds(&v, &cc, 30, rows[i].bytes, rows[i].limited, &now);
        if ((v.since == 0) != rows[i].validated)
            fail_msg("row %zu: validated is %d", i, v.since == 0);
    }
}

/* What was much a while ago counts for the sampling period, not longer. */
static void test_use_ends(void **state)
{
    struct tcp_validation v = {.since = 0};
    struct tcp_cc cc = window(100);
    sanwo_time now = SANWO_SEC(1);

    (void)state;
    rounds(&v, &cc, 20, 100 * MSS, true, &now);
    rounds(&v, &cc, 4, MSS, false, &now);
    assert_int_equal(v.since, 0);
    rounds(&v, &cc, 20, MSS, false, &now);
    assert_true(v.since != 0);
    rounds(&v, &cc, 2, 80 * MSS, false, &now);
    assert_int_equal(v.since, 0);
}

/* RFC7661-4.4.3-1: five minutes without use, and cwnd is halved, but not below the initial window. */
static void test_five_minutes(void **state)
{
    const struct {
        sanwo_time idle, unused;
        uint32_t before, after;
    } rows[] = {{4 * MINUTES, 0, 100, 100},
                {5 * MINUTES, 0, 100, 50},
                {60 * MINUTES, 0, 100, 50},
                {0, 4 * MINUTES, 100, 100},
                {SANWO_SEC(1), 5 * MINUTES, 100, 50},
                {5 * MINUTES, 0, 12, 10},
                {5 * MINUTES, 0, 8, 8}};

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct tcp_cc cc = window(rows[i].before);
        sanwo_time now = 100 * MINUTES;
        struct tcp_validation v = {.since = rows[i].unused ? now - rows[i].unused : 0};
        bool cut = sw_tcp_validation_restart(&v, &cc, 10, rows[i].idle, now);

        if (cc.cwnd != rows[i].after * MSS)
            fail_msg("row %zu: cwnd is %u", i, cc.cwnd);
        if (rows[i].after == rows[i].before && rows[i].idle < 5 * MINUTES)
            assert_false(cut);
        if (cut) { /* slow start comes back quickly to where it was */
            assert_true(cc.ssthresh >= rows[i].before / 4 * 3 * MSS);
            assert_int_equal(v.since, 0);
        }
    }
}

/* RFC7661-4.4.1-1: of a window not in use what was counts, and after it less what went again. */
static void test_loss(void **state)
{
    struct tcp_validation v = {.since = 0};
    struct tcp_cc cc = window(100);
    sanwo_time now = SANWO_SEC(1);

    (void)state;
    assert_int_equal(sw_tcp_validation_loss(&v, 70 * MSS), 70 * MSS); /* validated */
    sw_tcp_validation_recovered(&v, &cc, 10 * MSS);
    assert_int_equal(cc.cwnd, 100 * MSS);
    rounds(&v, &cc, 30, 20 * MSS, false, &now);
    assert_true(v.since != 0);
    assert_int_equal(sw_tcp_validation_loss(&v, 12 * MSS), 20 * MSS);
    assert_int_equal(sw_tcp_validation_loss(&v, 30 * MSS), 30 * MSS);
    sw_tcp_validation_recovered(&v, &cc, 4 * MSS);
    assert_int_equal(cc.cwnd, 13 * MSS); /* (30 - 4) / 2 */
    assert_int_equal(v.since, 0);
    cc.cwnd = 5 * MSS; /* never more than it was */
    v.lost_from = 40 * MSS;
    sw_tcp_validation_recovered(&v, &cc, 0);
    assert_int_equal(cc.cwnd, 5 * MSS);
    v.lost_from = 4 * MSS; /* all of it was lost: a segment is left */
    sw_tcp_validation_recovered(&v, &cc, 9 * MSS);
    assert_int_equal(cc.cwnd, MSS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phases),
        cmocka_unit_test(test_use_ends),
        cmocka_unit_test(test_five_minutes),
        cmocka_unit_test(test_loss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
