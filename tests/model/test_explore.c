/*
 * test_explore.c - Every interleaving of two stacks, a bad wire, timers and applications, so deep.
 *
 * Ordinary runs take seconds. SANWO_MODEL_DEEP=N goes to the depth of long runs, or until a scenario
 * has N situations (0: no limit); SANWO_MODEL_DEPTH=N goes to depth N; SANWO_MODEL_ONLY=NAME takes one
 * scenario. In the table "*" is for a scenario that was exhausted: there was nothing deeper.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned depth_of(const struct model_scenario *scenario)
{
    const char *depth = getenv("SANWO_MODEL_DEPTH");
    if (depth)
        return (unsigned)atoi(depth);
    return getenv("SANWO_MODEL_DEEP") ? scenario->deep : scenario->depth;
}

static void explore(struct model *m, const struct model_scenario *scenario,
                    struct model_report *total)
{
    const char *deep = getenv("SANWO_MODEL_DEEP");
    struct model_report r;
    double started = seconds();

    if (!model_create(m, scenario))
        fail_msg("%s: a single connection fails: %s", scenario->name, m->violation);
    bool well = model_explore(m, depth_of(scenario), deep ? strtoull(deep, NULL, 10) : 0, &r);
    printf("%-24s %4u%s %9llu %11llu %10llu %7llu %6llu %5llu %9.0f\n", scenario->name, r.depth,
           r.complete ? "*" : " ", (unsigned long long)r.states, (unsigned long long)r.transitions,
           (unsigned long long)r.fair_steps, (unsigned long long)r.samples,
           (unsigned long long)r.differing, (unsigned long long)r.image_bytes,
           (double)r.states / (seconds() - started));
    fflush(stdout);
    total->states += r.states;
    total->transitions += r.transitions;
    model_destroy(m);
    assert_true(well);
    if (r.differing) /* the key leaves out something that matters: see project.c */
        fail_msg("%s: situations with the same key have other successors", scenario->name);
}

static void test_all_interleavings(void **state)
{
    static struct model sum, m;
    struct model_report total = {0};
    const char *only = getenv("SANWO_MODEL_ONLY");
    double started = seconds();
    (void)state;

    printf("%-24s %5s %9s %11s %10s %7s %6s %5s %9s\n", "scenario", "depth", "states",
           "transitions", "fair steps", "sampled", "differ", "bytes", "states/s");
    for (size_t i = 0; i < model_scenario_count; i++) {
        if (only && strcmp(only, model_scenarios[i].name) != 0)
            continue;
        explore(&m, &model_scenarios[i], &total);
        model_edges_merge(&sum, &m);
    }
    printf("%llu states, %llu transitions, %.1f s; most memory at work %llu bytes\n",
           (unsigned long long)total.states, (unsigned long long)total.transitions,
           seconds() - started, (unsigned long long)sum.memory_peak);
    unsigned missing = model_edges_report(&sum, stdout);
    if (!only && !getenv("SANWO_MODEL_DEPTH"))
        assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_interleavings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
