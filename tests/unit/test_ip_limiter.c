/*
 * test_ip_limiter.c - The token bucket: rate, burst, fractions, long sleeps, and time at its ends.
 */
#include "test_ip_host.h"

static unsigned take_all(struct ip_limiter *l, sanwo_time now)
{
    unsigned n = 0;

    while (n < 100000 && sw_ip_limiter_take(l, now))
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
        struct ip_limiter l;
        sw_ip_limiter_init(&l, rows[i].rate, 5);
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
        struct ip_limiter l;
        uint64_t n = 0, steps = 0;
        sw_ip_limiter_init(&l, rates[i], 0);
        l.tokens = 0;
        for (sanwo_time now = 0; now <= SANWO_SEC(10); now += 777777, steps++)
            n += sw_ip_limiter_take(&l, now);
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
    struct ip_limiter l;

    (void)state;
    sw_ip_limiter_init(&l, 3, 0);
    l.tokens = 0;
    for (size_t i = 0; i < SW_COUNT(rows); i++)
        assert_int_equal(sw_ip_limiter_take(&l, rows[i].at), rows[i].token);
}

/* From one end of time to the other without overflow. */
static void test_wrap(void **state)
{
    struct ip_limiter l;

    (void)state;
    sw_ip_limiter_init(&l, UINT32_MAX, INT64_MIN);
    l.tokens = 0;
    assert_true(sw_ip_limiter_take(&l, INT64_MAX));
    assert_int_equal(l.tokens, UINT32_MAX - 1);
    assert_true(sw_ip_limiter_take(&l, INT64_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_no_drift),
        cmocka_unit_test(test_rounding),
        cmocka_unit_test(test_wrap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
