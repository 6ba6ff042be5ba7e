/*
 * test_base_wheel.c - The timing wheel against a list that is searched for its smallest element.
 */
#include "base/bytes.h"
#include "base/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define NODES 300
#define TICK 1024
#define DAY (SANWO_SEC(86400))

/* What a test needs, all inside the region as in a stack. */
struct world {
    struct region region;
    struct wheel wheel;
    _Alignas(16) struct wheel_node nodes[NODES];
};

static sanwo_time deadlines[NODES]; /* the model; SANWO_TIME_NEVER: not armed */

static struct world *world_at(sanwo_time now)
{
    static _Alignas(4096) uint8_t memory[1 << 16];
    struct world *w = (void *)(memory + 64);

    memset(memory, 0, sizeof memory);
    assert_true(sw_region_init(&w->region, memory, sizeof memory, 64 + sizeof *w, 0));
    sw_wheel_init(&w->wheel, now);
    for (size_t i = 0; i < NODES; i++)
        deadlines[i] = SANWO_TIME_NEVER;
    return w;
}

/* @t rounded up to a tick; ticks begin at multiples of 1024, before the origin as well. */
static sanwo_time up(sanwo_time t)
{
    sanwo_time rest = t & (TICK - 1);
    return rest && t != SANWO_TIME_NEVER ? t - rest + TICK : t;
}

static void arm(struct world *w, size_t i, sanwo_time deadline)
{
    sw_wheel_arm(&w->wheel, &w->region, &w->nodes[i], deadline);
    deadlines[i] = deadline;
    assert_int_equal(sw_wheel_is_armed(&w->nodes[i]), deadline != SANWO_TIME_NEVER);
    assert_int_equal(sw_wheel_fires_by(&w->nodes[i], deadline), deadline != SANWO_TIME_NEVER);
    if (deadline > INT64_MIN + 2 * TICK)
        assert_false(sw_wheel_fires_by(&w->nodes[i], deadline - 2 * TICK));
}

static void cancel(struct world *w, size_t i)
{
    sw_wheel_cancel(&w->wheel, &w->region, &w->nodes[i]);
    deadlines[i] = SANWO_TIME_NEVER;
    assert_false(sw_wheel_is_armed(&w->nodes[i]));
}

/* Pops one node and checks that it was due; its number, or -1. */
static int pop(struct world *w, sanwo_time now)
{
    struct wheel_node *node = sw_wheel_pop(&w->wheel, &w->region, now);
    size_t i = node ? (size_t)(node - w->nodes) : 0;

    if (!node)
        return -1;
    assert_false(sw_wheel_is_armed(node));
    assert_true(deadlines[i] <= now);
    deadlines[i] = SANWO_TIME_NEVER;
    return (int)i;
}

static sanwo_time earliest(void)
{
    sanwo_time least = SANWO_TIME_NEVER;

    for (size_t i = 0; i < NODES; i++)
        least = deadlines[i] < least ? deadlines[i] : least;
    return least;
}

static void assert_nothing_left(struct world *w, sanwo_time now)
{
    sanwo_time least = earliest();

    if (least != SANWO_TIME_NEVER)
        assert_true(up(least) > now);
    else
        assert_int_equal(sw_wheel_deadline(&w->wheel, &w->region), SANWO_TIME_NEVER);
}

static void test_rounding(void **state)
{
    static const struct {
        sanwo_time start, deadline, silent, fires;
    } rows[] = {
        {0, 1, 1023, 1024},
        {0, 1024, 1023, 1024},
        {0, 1025, 2047, 2048},
        {0, 0, -1, 0},
        {5000, 0, -1, 5000},                      /* past: at once */
        {-10000, -5000, -4097, -4096},            /* before the origin */
        {-10000, 3000, 3071, 3072},               /* across it */
        {0, 64 * TICK, 64 * TICK - 1, 64 * TICK}, /* into the next level */
        {63 * TICK, 64 * TICK, 64 * TICK - 1, 64 * TICK},
        {7, 49 * DAY, 49 * DAY - 1, 49 * DAY},
        {INT64_MIN, INT64_MAX - 5000, INT64_MAX - 5000, INT64_MAX},
        {INT64_MIN, INT64_MIN + 1, INT64_MIN + 1023, INT64_MIN + 1024},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct world *w = world_at(rows[i].start);
        arm(w, 7, rows[i].deadline);
        if (rows[i].silent >= 0 || rows[i].start < 0)
            assert_int_equal(pop(w, rows[i].silent), -1);
        assert_int_equal(pop(w, rows[i].fires), 7);
        assert_int_equal(pop(w, rows[i].fires), -1);
    }
}

static void test_never(void **state)
{
    struct world *w = world_at(0);

    (void)state;
    assert_int_equal(sw_wheel_deadline(&w->wheel, &w->region), SANWO_TIME_NEVER);
    arm(w, 0, 5000);
    arm(w, 0, SANWO_TIME_NEVER);
    assert_int_equal(pop(w, SANWO_SEC(1)), -1);
    sw_wheel_arm(&w->wheel, &w->region, &w->nodes[0], SANWO_TIME_NEVER - 1);
    assert_false(sw_wheel_is_armed(&w->nodes[0])); /* no tick begins after it */
    cancel(w, 0);
    assert_int_equal(pop(w, SANWO_TIME_NEVER), -1);
}

static void test_order(void **state)
{
    static const sanwo_time at[] = {9 * DAY, 1, SANWO_SEC(3), 70 * TICK, 9 * DAY + TICK, 2 * TICK};
    static const int order[] = {1, 5, 3, 2, 0, 4, -1};
    struct world *w = world_at(0);

    (void)state;
    for (size_t i = 0; i < SW_COUNT(at); i++)
        arm(w, i, at[i]);
    for (size_t i = 0; i < SW_COUNT(order); i++)
        assert_int_equal(pop(w, 10 * DAY), order[i]);
}

/* Arming and cancelling from inside the loop, the node just popped and others that are due. */
static void test_change_while_popping(void **state)
{
    struct world *w = world_at(0);

    (void)state;
    for (size_t i = 0; i < 4; i++)
        arm(w, i, 10 * TICK);
    arm(w, 4, 20 * TICK);
    arm(w, 5, 30 * TICK);
    assert_in_range(pop(w, 100 * TICK), 0, 3);
    for (size_t i = 0; i < 4; i++)
        cancel(w, i);
    arm(w, 6, 5 * TICK);  /* past: at once */
    arm(w, 7, 15 * TICK); /* not past yet where the wheel is */
    assert_int_equal(pop(w, 100 * TICK), 6);
    assert_int_equal(pop(w, 100 * TICK), 7);
    assert_int_equal(pop(w, 100 * TICK), 4);
    arm(w, 4, 200 * TICK);
    arm(w, 5, 25 * TICK);
    assert_int_equal(pop(w, 100 * TICK), 5);
    assert_int_equal(pop(w, 100 * TICK), -1);
    assert_int_equal(pop(w, 50 * TICK), -1); /* time does not run back */
    arm(w, 8, 60 * TICK);
    assert_int_equal(sw_wheel_deadline(&w->wheel, &w->region), 100 * TICK);
    assert_ptr_equal(sw_wheel_pop(&w->wheel, &w->region, 50 * TICK), &w->nodes[8]);
}

static sanwo_time random_span(void)
{
    uint64_t bits = (uint64_t)rand() << 31 | (uint64_t)rand(); /* 62 of them */
    return (sanwo_time)(bits >> (6 + rand() % 52));
}

/* Mostly after @now, sometimes before; not before time itself. */
static sanwo_time random_deadline(sanwo_time now)
{
    sanwo_time span = random_span();

    if (rand() % 4)
        return now + span;
    return now < INT64_MIN + span ? INT64_MIN : now - span;
}

/* The promise of sw_wheel_deadline about the earliest node. */
static void assert_deadline(struct world *w, sanwo_time now)
{
    sanwo_time least = earliest(), said = sw_wheel_deadline(&w->wheel, &w->region);
    sanwo_time reach = (now & ~(sanwo_time)(64 * TICK - 1)) + 64 * TICK;

    if (least == SANWO_TIME_NEVER) {
        assert_int_equal(said, SANWO_TIME_NEVER);
    } else if (up(least) <= now) {
        assert_true(said <= now);
    } else {
        assert_true(said <= up(least) && said > now);
        if (up(least) < reach)
            assert_int_equal(said, up(least));
    }
}

static void fuzz(sanwo_time origin, unsigned seed)
{
    struct world *w = world_at(origin);
    sanwo_time now = origin;

    srand(seed);
    for (int step = 0; step < 30000; step++) {
        size_t i = (size_t)rand() % NODES;
        int what = rand() % 16;
        if (what < 9) {
            arm(w, i, random_deadline(now));
        } else if (what < 12) {
            cancel(w, i);
        } else {
            sanwo_time before = INT64_MIN;
            int fired;
            now += what == 15 && rand() % 50 == 0 ? 49 * DAY : random_span() >> (10 + rand() % 30);
            if (rand() % 3 == 0 && earliest() < SANWO_TIME_NEVER && up(earliest()) > now)
                now = up(earliest()) - rand() % 2;
            do {
                sanwo_time due = earliest();
                fired = pop(w, now);
                assert_true(fired < 0 || up(due) >= before);
                before = up(due) < now ? before : up(due);
            } while (fired >= 0);
            assert_nothing_left(w, now);
        }
        assert_deadline(w, now);
    }
}

static void test_fuzz(void **state)
{
    static const sanwo_time origins[] = {0, -SANWO_SEC(1), 1234567890123456789, INT64_MIN};

    (void)state;
    for (unsigned i = 0; i < SW_COUNT(origins); i++)
        fuzz(origins[i], i + 1);
}

/* Sleeping from deadline to deadline reaches the node exactly, in a step a level at most. */
static void test_sleep_by_deadline(void **state)
{
    (void)state;
    srand(9);
    for (int i = 0; i < 2000; i++) {
        sanwo_time start = random_span(), at = start + random_span(), now = start;
        struct world *w = world_at(start);
        int steps = 0;
        arm(w, 3, at);
        while (pop(w, now) < 0) {
            now = sw_wheel_deadline(&w->wheel, &w->region);
            steps++;
        }
        assert_true(now == up(at) || now == start);
        assert_in_range(steps, 0, WHEEL_LEVELS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounding), cmocka_unit_test(test_never),
        cmocka_unit_test(test_order),    cmocka_unit_test(test_change_while_popping),
        cmocka_unit_test(test_fuzz),     cmocka_unit_test(test_sleep_by_deadline),
    };
    return cmocka_run_group_tests_name("base/wheel", tests, NULL, NULL);
}
