/*
 * test_tcp_cubic_paths.c - CUBIC in a closed loop: a model of a path, alone on it and with others.
 */
#include "cc_model.h"

#define MSS 1460
#define MS SANWO_MSEC(1)

/* The share of the path that @flows got between two times. */
static double use_of(struct model *m, sanwo_time from, sanwo_time to)
{
    uint64_t before = 0, after = 0;
    model_run(m, from);
    for (uint32_t i = 0; i < m->flows; i++)
        before += m->flow[i].delivered;
    model_run(m, to);
    for (uint32_t i = 0; i < m->flows; i++)
        after += m->flow[i].delivered;
    return model_use(m, after - before, to - from);
}

static void test_fills_a_path(void **state)
{
    (void)state;
    const struct {
        double mbits;
        sanwo_time rtt;
        double queue; /* BDP */
        bool paced;
        double least, least_later, most_lost;
    } rows[] = {
        {100, 100 * MS, 1, false, 0.96, 0.995, 0.006},
        {100, 100 * MS, 1, true, 0.955, 0.995, 0.006},
        {10, 20 * MS, 1, true, 0.99, 0.995, 0.006},
        {1000, 100 * MS, 1, true, 0.94, 0.995, 0.004},
        {100, 100 * MS, 0.1, true, 0.92, 0.95, 0.007},
        {10, 300 * MS, 4, true, 0.92, 0.995, 0.03},
        {100, 20 * MS, 0.1, true, 0.9, 0.9, 0.0015},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct model *m = model_new((uint64_t)(rows[i].mbits * 1e6), rows[i].rtt, rows[i].queue);
        m->paced = rows[i].paced;
        model_add(m, &sw_tcp_cc_cubic, MSS);
        double later = use_of(m, SANWO_SEC(5), SANWO_SEC(20));
        double all = model_use(m, m->flow[0].delivered, SANWO_SEC(20));
        double lost = (double)m->flow[0].lost / (double)m->flow[0].sent;
        if (all < rows[i].least || all > 1.001 || later < rows[i].least_later ||
            lost > rows[i].most_lost || m->flow[0].timeouts)
            fail_msg("row %zu: used %.4f, later %.4f, lost %.5f, time-outs %u", i, all, later, lost,
                     m->flow[0].timeouts);
        free(m);
    }
}

/* MAY-18. Two flows, the second ten seconds later: shares of 0.9 at least by Jain, path full. */
static void test_shares_a_path(void **state)
{
    (void)state;
    struct model *m = model_new(50000000, 40 * MS, 1);
    m->paced = true;
    model_add(m, &sw_tcp_cc_cubic, MSS);
    model_run(m, SANWO_SEC(10));
    model_add(m, &sw_tcp_cc_cubic, MSS);
    m->flow[1].seen = m->now;
    double used = use_of(m, SANWO_SEC(30), SANWO_SEC(31));
    uint64_t before[2] = {m->flow[0].delivered, m->flow[1].delivered};
    used = use_of(m, SANWO_SEC(31), SANWO_SEC(91));
    double a = (double)(m->flow[0].delivered - before[0]);
    double b = (double)(m->flow[1].delivered - before[1]);
    double jain = (a + b) * (a + b) / (2 * (a * a + b * b));
    if (used < 0.98 || jain < 0.95)
        fail_msg("used %.3f, Jain %.3f", used, jain);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fills_a_path),
        cmocka_unit_test(test_shares_a_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
