/*
 * test_virtual.c - The loop in virtual time: the order of timers, where the clock stops, and its guard.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include <sanwo/loop.h>

struct world {
    struct sanwo_virtual *v;
    int timers[3];
    char order[32];
    size_t length;
    sanwo_time when[32];
    sanwo_time again; /* timer c sets itself so much later */
};

static void note(struct world *w, char name, sanwo_time now)
{
    assert_int_equal(now, sanwo_virtual_now(w->v));
    w->when[w->length] = now;
    if (w->length < sizeof(w->order) - 1)
        w->order[w->length++] = name;
}

static void on_a(void *context, sanwo_time now)
{
    note(context, 'a', now);
}

static void on_b(void *context, sanwo_time now)
{
    note(context, 'b', now);
}

static void on_c(void *context, sanwo_time now)
{
    struct world *w = context;

    note(w, 'c', now);
    if (w->again >= 0)
        sanwo_virtual_set_timer(w->v, w->timers[2], now + w->again);
    if (w->length == 5)
        sanwo_virtual_stop(w->v);
}

static struct world *setup_world(sanwo_time start)
{
    static struct world w;

    memset(&w, 0, sizeof(w));
    w.again = -1;
    assert_int_equal(sanwo_virtual_create(start, &w.v), 0);
    w.timers[0] = sanwo_virtual_add_timer(w.v, on_a, &w);
    w.timers[1] = sanwo_virtual_add_timer(w.v, on_b, &w);
    w.timers[2] = sanwo_virtual_add_timer(w.v, on_c, &w);
    return &w;
}

static void test_nothing_to_do(void **state)
{
    struct world *w = setup_world(42);

    (void)state;
    assert_int_equal(sanwo_virtual_run(w->v, SANWO_TIME_NEVER), 1);
    assert_int_equal(sanwo_virtual_now(w->v), 42);
    sanwo_virtual_destroy(w->v);
}

/* By time; at one time by number; those of the past at once. */
static void test_order(void **state)
{
    struct world *w = setup_world(100);

    (void)state;
    sanwo_virtual_set_timer(w->v, w->timers[2], 150);
    sanwo_virtual_set_timer(w->v, w->timers[1], 200);
    sanwo_virtual_set_timer(w->v, w->timers[0], 200);
    assert_int_equal(sanwo_virtual_run(w->v, SANWO_TIME_NEVER), 1);
    assert_string_equal(w->order, "cab");
    assert_int_equal(w->when[0], 150);
    assert_int_equal(w->when[1], 200);
    assert_int_equal(w->when[2], 200);
    sanwo_virtual_set_timer(w->v, w->timers[0], 10);
    assert_int_equal(sanwo_virtual_run(w->v, SANWO_TIME_NEVER), 1);
    assert_string_equal(w->order, "caba");
    assert_int_equal(w->when[3], 200); /* the clock does not run backwards */
    sanwo_virtual_destroy(w->v);
}

static void test_until(void **state)
{
    struct world *w = setup_world(0);

    (void)state;
    sanwo_virtual_set_timer(w->v, w->timers[0], 10);
    sanwo_virtual_set_timer(w->v, w->timers[1], 20);
    assert_int_equal(sanwo_virtual_run(w->v, 5), 0);
    assert_int_equal(sanwo_virtual_now(w->v), 5);
    assert_string_equal(w->order, "");
    assert_int_equal(sanwo_virtual_run(w->v, 10), 0);
    assert_string_equal(w->order, "a");
    assert_int_equal(sanwo_virtual_run(w->v, 19), 0);
    assert_int_equal(sanwo_virtual_now(w->v), 19);
    assert_int_equal(sanwo_virtual_run(w->v, 30), 1);
    assert_string_equal(w->order, "ab");
    assert_int_equal(sanwo_virtual_now(w->v), 20);
    sanwo_virtual_destroy(w->v);
}

static void test_stop_and_repeat(void **state)
{
    struct world *w = setup_world(0);

    (void)state;
    w->again = 7;
    sanwo_virtual_set_timer(w->v, w->timers[2], 7);
    assert_int_equal(sanwo_virtual_run(w->v, SANWO_TIME_NEVER), 0);
    assert_string_equal(w->order, "ccccc");
    assert_int_equal(sanwo_virtual_now(w->v), 35);
    assert_int_equal(sanwo_virtual_run(w->v, 49), 0);
    assert_string_equal(w->order, "ccccccc");
    sanwo_virtual_destroy(w->v);
}

/* A timer that is always due would hold the clock for ever. */
static void test_no_end_of_work(void **state)
{
    struct world *w = setup_world(0);

    (void)state;
    w->again = 0;
    w->length = 6;
    sanwo_virtual_set_timer(w->v, w->timers[2], 7);
    assert_int_equal(sanwo_virtual_run(w->v, SANWO_TIME_NEVER), -ELOOP);
    assert_int_equal(sanwo_virtual_now(w->v), 7);
    sanwo_virtual_destroy(w->v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_do),  cmocka_unit_test(test_order),
        cmocka_unit_test(test_until),          cmocka_unit_test(test_stop_and_repeat),
        cmocka_unit_test(test_no_end_of_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
