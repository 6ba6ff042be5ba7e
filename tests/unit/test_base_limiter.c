/*
 * test_base_limiter.c - The token bucket: rate, burst, fractions, long sleeps, and time at its ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those before it */
#include <cmocka.h>

#include "base/bytes.h"
#include "base/limiter.h"

static unsigned take_all(struct limiter *l, sanwo_time now)
{
    unsigned n = 0;

    while (n < 100000 && sw_limiter_take(l, now))
        n++;
    return n;
}

static void test_rates(void **state)
{
    static const struct {
        uint32_t rate;
        sanwo_time after;
        unsigned tokens; /* after the first burst and that much time */
    } rows[] = {
        {0, SANWO_SEC(10), 0},       {1, SANWO_SEC(1) - 1, 0},     {1, SANWO_SEC(1), 1},
        {1, SANWO_SEC(3600), 1},     {100, SANWO_MSEC(10) - 1, 0}, {100, SANWO_MSEC(10), 1},
        {100, SANWO_MSEC(995), 99},  {100, SANWO_SEC(2), 100},     {3, SANWO_MSEC(333), 0},
        {3, SANWO_MSEC(334), 1},     {3, SANWO_MSEC(666), 1},      {3, SANWO_MSEC(667), 2},
        {1000, INT64_MAX / 2, 1000},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct limiter l;
        sw_limiter_init(&l, rows[i].rate, 5);
        assert_int_equal(take_all(&l, 5), rows[i].rate);
        assert_int_equal(take_all(&l, 4), 0); /* earlier than before: no gain */
        assert_int_equal(take_all(&l, 5 + rows[i].after), rows[i].tokens);
    }
}

/* Asked in odd steps, it never gives more than the rate, and nearly that. */
static void test_no_drift(void **state)
{
    static const uint32_t rates[] = {1, 3, 7, 100, 999, 4000000000u};

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rates); i++) {
        struct limiter l;
        uint64_t n = 0, steps = 0;
        sw_limiter_init(&l, rates[i], 0);
        l.tokens = 0;
        for (sanwo_time now = 0; now <= SANWO_SEC(10); now += 777777, steps++)
            n += sw_limiter_take(&l, now);
        if (rates[i] <= 999)
            assert_in_range(n, rates[i] * 10u - 1, rates[i] * 10u);
        else
            assert_true(n >= steps - 1);
    }
}

/* Thirds of a second do not come out even: no token comes early for it. */
static void test_rounding(void **state)
{
    static const struct {
        sanwo_time at;
        bool token;
    } rows[] = {{333333333, false}, {333333334, true},   {666666667, false},
                {666666668, true},  {1000000001, false}, {1000000002, true}};
    struct limiter l;

    (void)state;
    sw_limiter_init(&l, 3, 0);
    l.tokens = 0;
    for (size_t i = 0; i < SW_COUNT(rows); i++)
        assert_int_equal(sw_limiter_take(&l, rows[i].at), rows[i].token);
}

/* From one end of time to the other without overflow. */
static void test_wrap(void **state)
{
    struct limiter l;

    (void)state;
    sw_limiter_init(&l, UINT32_MAX, INT64_MIN);
    l.tokens = 0;
    assert_true(sw_limiter_take(&l, INT64_MAX));
    assert_int_equal(l.tokens, UINT32_MAX - 1);
    assert_true(sw_limiter_take(&l, INT64_MAX));
}

/* One peer cannot use up what is there for all, and the common bucket says little of the others. */
static void test_peers(void **state)
{
    static const uint8_t seed[32] = {7};
    struct random random;
    struct peer_limiter l;
    unsigned first = 0, others = 0;

    (void)state;
    sw_random_init(&random, seed);
    sw_peer_limiter_init(&l, sw_random_key(&random), 1000, 10, 0);
    for (unsigned i = 0; i < 5000; i++)
        first += sw_peer_limiter_take(&l, &random, "peer", 4, 0);
    assert_int_equal(first, 10);
    for (uint32_t i = 0; i < 5000; i++)
        others += sw_peer_limiter_take(&l, &random, &i, 4, 0);
    assert_in_range(others, 9 * (LIMITER_PEERS - 1), 10 * LIMITER_PEERS);
}

/* C-03: two runs that differ by one answer to somebody else leave the common bucket alike at times. */
static void test_C_03_common_bucket_is_charged_by_chance(void **state)
{
    static const uint8_t seed[32] = {9};
    struct random random;
    struct peer_limiter l;
    unsigned seen[3] = {0};
    uint64_t sum = 0;

    (void)state;
    sw_random_init(&random, seed);
    sw_peer_limiter_init(&l, sw_random_key(&random), 100000, 100000, 0);
    for (unsigned i = 0; i < 3000; i++) {
        uint32_t before = l.common.tokens - l.debt;
        assert_true(sw_peer_limiter_take(&l, &random, &i, 4, 0));
        uint32_t charged = before - (l.common.tokens - l.debt);
        assert_in_range(charged, 0, 2);
        seen[charged]++;
        sum += charged;
    }
    for (int i = 0; i < 3; i++)
        assert_in_range(seen[i], 900, 1100);
    assert_in_range(sum, 2850, 3150);
}

/* Chance may overdraw the bucket, but the debt is paid: in the long run it is the rate. */
static void test_rate_holds_under_a_flood(void **state)
{
    static const uint8_t seed[32] = {11};
    struct random random;
    struct peer_limiter l;
    unsigned n = 0;

    (void)state;
    sw_random_init(&random, seed);
    sw_peer_limiter_init(&l, sw_random_key(&random), 1000, 1000, 0);
    for (uint32_t ms = 0; ms < 10000; ms++)
        for (uint32_t i = 0; i < 20; i++) {
            uint32_t peer = ms * 20 + i;
            n += sw_peer_limiter_take(&l, &random, &peer, 4, SANWO_MSEC(ms));
        }
    assert_in_range(n, 10600, 11400); /* the burst, and ten seconds */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_no_drift),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_peers),
        cmocka_unit_test(test_C_03_common_bucket_is_charged_by_chance),
        cmocka_unit_test(test_rate_holds_under_a_flood),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
