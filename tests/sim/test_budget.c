/*
 * test_budget.c - Memory is a number given at creation: never exceeded, and running out of it is a
 * delay or a named refusal. (world.c compares the use with the budget at every step of every test.)
 */
#include "check.h"

enum { MEGABYTE = 1 << 20, LEAST = 192 * 1024 };

static struct world *small_world(const char *name, uint64_t budget_a, uint64_t budget_b,
                                 uint64_t salt)
{
    const struct sanwo_emulator_path path = {.delay = SANWO_MSEC(5)};
    struct world_config c;
    struct world *w;

    check_config(&c, name);
    world_config_path(&c, &path);
    c.salt = salt;
    c.stack[0].budget = budget_a;
    c.stack[1].budget = budget_b;
    w = world_create(&c);
    w->rough = true;
    return w;
}

/*
 * 64 connections into one MiB, and nobody reads: all stand still, within the budget. Then all
 * read. B-17.
 */
static void test_receiver_never_reads(void **state)
{
    struct world_plan sender = {.send = 200000}, reader = {.start = SANWO_SEC(300)};
    struct sanwo_stack_stats stats;

    (void)state;
    for (unsigned side = 0; side < 2; side++) {
        struct world *w =
            small_world(__func__, side == 0 ? 0 : MEGABYTE, side == 0 ? MEGABYTE : 0, side);

        world_warm_up(w);
        for (unsigned i = 0; i < 64; i++)
            assert_non_null(world_open(w, side, &sender, &reader, NULL));
        world_run(w, SANWO_SEC(299));
        world_stats(w, !side, &stats);
        assert_int_equal(stats.connections, 64);
        assert_true(stats.memory_budget == MEGABYTE);
        assert_true(stats.memory_used > MEGABYTE / 4); /* it is used, too */
        world_finish(w, SANWO_SEC(3000));
        world_check_all_complete(w);
        world_check_clean(w);
        world_destroy(w);
    }
}

/* Senders that may queue far more than there is: they wait, and all is sent in the end. */
static void test_sender_is_short(void **state)
{
    struct world_plan sender = {.send = 300000}, reader = {0};
    struct world *w;

    (void)state;
    w = small_world(__func__, MEGABYTE, 0, 0);
    world_warm_up(w);
    for (unsigned i = 0; i < 64; i++)
        assert_non_null(world_open(w, 0, &sender, &reader, NULL));
    world_finish(w, SANWO_SEC(3000));
    world_check_all_complete(w);
    world_check_clean(w);
    world_destroy(w);
}

/* Both sides short, both ways, holes in the streams to be held, on a bad network. B-16. */
static void test_both_short(void **state)
{
    const struct sanwo_emulator_path path = {
        .delay = SANWO_MSEC(20), .loss_ppm = 30000, .reorder_ppm = 100000, .duplicate_ppm = 50000};
    struct world_plan both = {.send = 100000, .stall_ppm = 20000, .stall = SANWO_SEC(1)};

    (void)state;
    for (uint64_t salt = 0; salt < 4; salt++) {
        struct world_config c;
        struct world *w;

        check_config(&c, __func__);
        world_config_path(&c, &path);
        c.salt = salt;
        c.stack[0].budget = c.stack[1].budget = MEGABYTE;
        w = world_create(&c);
        w->rough = true;
        world_warm_up(w);
        for (unsigned i = 0; i < 40; i++)
            assert_non_null(world_open(w, i & 1, &both, &both, NULL));
        world_finish(w, SANWO_SEC(20000));
        world_check_all_complete(w);
        world_check_clean(w);
        world_destroy(w);
    }
}

/*
 * More connections than there is memory for: a named refusal, and room again when some have gone.
 * B-13, E-12.
 */
static void test_too_many_connections(void **state)
{
    struct world_plan stay = {.ending = WORLD_STAY}, leave = {0};
    struct sanwo_stack_stats stats;
    unsigned opened = 0;
    int error = 0;
    struct world *w;

    (void)state;
    w = small_world(__func__, 256 * 1024, 0, 0);
    world_warm_up(w);
    while (world_open(w, 0, &stay, &stay, &error) != NULL) {
        opened++;
        assert_true(opened < 2048);
    }
    assert_int_equal(error, SANWO_ENOMEM);
    assert_true(opened > 256 * 1024 / 1024);
    world_run(w, SANWO_SEC(5));
    world_stats(w, 0, &stats);
    assert_true(stats.memory_refused > 0);
    for (struct world_talk *talk = w->talks; talk != NULL; talk = talk->next)
        talk->acceptor_plan = leave;
    for (struct world_end *end = w->ends; end != NULL; end = end->next)
        if (end->open)
            world_change_plan(end, &leave);
    world_finish(w, SANWO_SEC(3000));
    world_check_clean(w);
    assert_non_null(world_open(w, 0, &leave, &leave, &error));
    world_finish(w, SANWO_SEC(100));
    world_check_clean(w);
    world_destroy(w);
}

/* The smallest budget that is accepted holds a connection; a smaller one is refused at once. */
static void test_tiny_budgets(void **state)
{
    struct world_plan both = {.send = 20000};
    struct sanwo_stack_config config;
    struct sanwo_stack *stack;
    size_t size;
    void *region;

    (void)state;
    sanwo_stack_config_default(&config);
    config.deterministic = true;
    config.budget = LEAST - 1;
    size = sanwo_stack_region_size(&config);
    region = sanwo_region_reserve(size);
    assert_int_equal(sanwo_stack_create(region, size, &config, 0, &stack), -SANWO_EINVAL);
    sanwo_region_release(region, size);
    for (uint64_t budget = LEAST; budget <= 512 * 1024; budget += 16 * 1024) {
        struct world *w = small_world(__func__, budget, budget, budget);

        assert_non_null(world_open(w, 0, &both, &both, NULL));
        world_finish(w, SANWO_SEC(3000));
        world_check_all_complete(w);
        world_check_clean(w);
        world_destroy(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_receiver_never_reads), cmocka_unit_test(test_sender_is_short),
        cmocka_unit_test(test_both_short),           cmocka_unit_test(test_too_many_connections),
        cmocka_unit_test(test_tiny_budgets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
