/*
 * test_simulator.c - The simulator itself: worlds drawn by number, judged, told apart, made smaller;
 * and that it does find what it looks for, shown with worlds in which something is broken on purpose.
 */
#include <string.h>

#include "check.h"
#include "sim/run.h"

enum { WORLDS = 60 };

static void run(uint64_t seed, uint64_t number, uint64_t faults, struct sim_result *result)
{
    struct sim_wish wish = {0};
    struct sim_draw d;

    sim_draw(&d, seed, number, faults);
    sim_run(&d, &wish, result);
}

/* ---- worlds that are well ---------------------------------------------------------------------- */

static void test_worlds_are_well(void **state)
{
    (void)state;
    for (uint64_t number = 0; number < WORLDS; number++) {
        struct sim_result first, second;

        run(1, number, SIM_ALL, &first);
        if (first.failed)
            fail_msg("world %d: %s", (int)number, first.failure);
        run(1, number, SIM_ALL, &second);
        assert_true(first.hash == second.hash);
        assert_true(first.segments == second.segments && first.time == second.time);
    }
}

/* Another number, another seed, or other faults: another world. */
static void test_worlds_differ(void **state)
{
    struct sim_result a, b, c, d;

    (void)state;
    run(1, 5, SIM_BIT(SIM_LOSS), &a);
    run(1, 6, SIM_BIT(SIM_LOSS), &b);
    run(2, 5, SIM_BIT(SIM_LOSS), &c);
    run(1, 5, SIM_BIT(SIM_LOSS), &d);
    assert_true(a.hash != b.hash && a.hash != c.hash && a.hash == d.hash);
}

/* Every kind of fault is drawn within some hundred worlds, and only what is allowed. */
static void test_kinds(void **state)
{
    uint64_t seen = 0;
    struct sim_draw d;

    (void)state;
    for (uint64_t number = 0; number < 1000; number++) {
        sim_draw(&d, 3, number, SIM_ALL);
        seen |= d.faults;
        sim_draw(&d, 3, number, SIM_BIT(SIM_LOSS) | SIM_BIT(SIM_SLOW));
        assert_true((d.faults & ~(SIM_BIT(SIM_LOSS) | SIM_BIT(SIM_SLOW))) == 0);
        assert_int_equal(d.bad[0].duplicate_ppm, 0);
    }
    assert_true(seen == SIM_ALL);
}

/* Leaving out a kind changes nothing about the others. */
static void test_kinds_are_independent(void **state)
{
    struct sim_draw d, e;

    (void)state;
    for (uint64_t number = 0; number < 200; number++) {
        sim_draw(&d, 4, number, SIM_ALL & ~SIM_BIT(SIM_DIRECT));
        sim_draw(&e, 4, number, SIM_BIT(SIM_LOSS) | SIM_BIT(SIM_CLAMP));
        if (d.faults & SIM_BIT(SIM_LOSS))
            assert_int_equal(d.bad[0].loss_ppm, e.bad[0].loss_ppm);
        if (d.faults & SIM_BIT(SIM_CLAMP))
            assert_int_equal(d.box.clamp_mss, e.box.clamp_mss);
        assert_int_equal(d.talks, e.talks);
    }
}

static void test_names(void **state)
{
    const char *wrong = NULL;
    char text[512];
    uint64_t faults;

    (void)state;
    assert_true(sim_faults_parse(sim_faults_format(SIM_ALL, text, sizeof(text)), &faults, &wrong));
    assert_true(faults == SIM_ALL);
    assert_true(sim_faults_parse("none", &faults, &wrong) && faults == 0);
    assert_string_equal(sim_faults_format(0, text, sizeof(text)), "none");
    assert_false(sim_faults_parse("loss,losses,mtu", &faults, &wrong));
    assert_memory_equal(wrong, "losses", 6);
    assert_string_equal(sim_faults_format(SIM_BIT(SIM_MTU) | SIM_BIT(SIM_LOSS), text, 7), "loss,m");
}

/* ---- worlds that are not ----------------------------------------------------------------------- */

/* The text is what is sent and what is compared, so it must change in between. */
static void lie(void *context, struct world *w)
{
    struct world_plan plan = {.send = 300000};

    (void)context;
    world_open(w, 0, &plan, &plan, NULL);
    world_run(w, 3 * w->config.path[0].delay + SANWO_USEC(1));
    for (size_t i = 0; i < 200000; i++)
        w->text[i] ^= 1;
}

static void leak(void *context, struct world *w)
{
    struct sanwo_room room;

    (void)context;
    sanwo_stack_borrow(w->host[1].stack, 2000, &room, 1);
}

static void stay(void *context, struct world *w)
{
    struct world_plan plan = {.ending = WORLD_STAY};

    (void)context;
    world_open(w, 1, &plan, &plan, NULL);
}

/* A user who ends a connection behind the simulator's back. */
static void cut(void *context, struct world *w)
{
    struct world_plan plan = {.send = 300000};
    struct world_talk *talk;

    (void)context;
    talk = world_open(w, 0, &plan, &plan, NULL);
    world_run(w, 3 * w->config.path[0].delay + SANWO_USEC(1));
    sanwo_tcp_abort(w->host[1].stack, talk->end[1]->handle, world_now(w));
}

static void test_failures_are_found(void **state)
{
    static const struct {
        void (*begin)(void *context, struct world *w);
        const char *says;
    } rows[] = {
        {lie, "wrong bytes"},
        {leak, "when it was warm"},
        {stay, "stuck"},
        {cut, "stuck"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct sim_wish wish = {.on_begin = rows[i].begin};
        struct sim_result result;
        struct sim_draw d;

        sim_draw(&d, 1, 7, 0);
        d.talks = 1;
        sim_run(&d, &wish, &result);
        assert_true(result.failed);
        if (strstr(result.failure, rows[i].says) == NULL)
            fail_msg("row %d: %s", (int)i, result.failure);
        assert_true(result.port != 0);
    }
}

/* What is excused with a fault is not without it. */
static void reset_all(void *context, struct world *w)
{
    struct sanwo_emulator_middlebox box = {.reset_ppm = 1000000};

    (void)context;
    sanwo_emulator_set_middlebox(w->host[0].emulator, &box);
}

static void test_excuses(void **state)
{
    struct sim_wish wish = {.on_begin = reset_all};
    struct sim_result result;
    struct sim_draw d;

    (void)state;
    sim_draw(&d, 1, 7, 0);
    sim_run(&d, &wish, &result);
    assert_true(result.failed);
    assert_non_null(strstr(result.failure, "without a fault that explains it"));
    sim_draw(&d, 1, 7, 0);
    d.may_be_reset = d.may_time_out = true;
    sim_run(&d, &wish, &result);
    assert_false(result.failed);
    assert_true(result.excused > 0 && result.ended[SANWO_ECONNRESET] > 0);
}

/* The first failure is told once, and the world stands still from then on. */
static unsigned told;

static void count(void *context, struct world *w)
{
    (void)w;
    assert_ptr_equal(context, &told);
    told++;
}

static void test_failing_world_stands_still(void **state)
{
    struct world_plan plan = {.send = 5000};
    struct world_config c;
    struct world *w;
    sanwo_time now;

    (void)state;
    world_config_default(&c, __func__);
    c.on_failure = count;
    c.context = &told;
    told = 0;
    w = world_create(&c);
    assert_non_null(world_open(w, 0, &plan, &plan, NULL));
    world_fail(w, "first %d", 1);
    world_fail(w, "second");
    now = world_now(w);
    assert_int_equal(world_run(w, SANWO_SEC(1)), 1);
    world_jump(w, SANWO_SEC(1));
    world_reboot(w, 1);
    world_finish(w, SANWO_SEC(1));
    world_check_clean(w);
    assert_true(world_now(w) == now);
    assert_string_equal(w->failure, "first 1");
    assert_int_equal(told, 1);
    world_destroy(w);
}

/* ---- making smaller ---------------------------------------------------------------------------- */

struct pretend {
    uint64_t needs;
    unsigned tries;
};

static bool pretend_fails(void *context, uint64_t faults)
{
    struct pretend *p = context;

    p->tries++;
    return (faults & p->needs) == p->needs;
}

static void test_shrink(void **state)
{
    struct pretend p = {.needs = SIM_BIT(SIM_LOSS) | SIM_BIT(SIM_URGENT)};

    (void)state;
    assert_true(sim_shrink(SIM_ALL, pretend_fails, &p) == p.needs);
    assert_true(p.tries < 3 * SIM_FAULT_COUNT);
    p.needs = 0;
    assert_true(sim_shrink(SIM_ALL, pretend_fails, &p) == 0);
    p.needs = SIM_ALL;
    assert_true(sim_shrink(SIM_ALL, pretend_fails, &p) == SIM_ALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worlds_are_well), cmocka_unit_test(test_worlds_differ),
        cmocka_unit_test(test_kinds),           cmocka_unit_test(test_kinds_are_independent),
        cmocka_unit_test(test_names),           cmocka_unit_test(test_failures_are_found),
        cmocka_unit_test(test_excuses),         cmocka_unit_test(test_failing_world_stands_still),
        cmocka_unit_test(test_shrink),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
