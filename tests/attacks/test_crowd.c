/*
 * test_crowd.c - A hundred thousand connections that mean ill, 64 MiB, and honest users who notice little.
 *
 *     unloaded 2 s | the crowd comes, honest users go on | it stays | it goes: the memory comes back
 */
#include "attacks/attack.h"

#define TRANSFERS 4
#define EVERY SANWO_MSEC(20) /* a new honest connection */
#define TICK SANWO_MSEC(1)

/* What honest users must still get. */
struct bound {
    sanwo_time slowest; /* small request, from the call to the last byte */
    unsigned goodput;   /* of the transfers, in per cent of what it was unloaded */
};

struct siege {
    struct attack a;
    struct crowd c;
    double unloaded; /* bytes per second of the transfers */
};

static uint32_t crowd_size(void)
{
    return attack_scale(ATTACK_CROWD, ATTACK_CROWD);
}

static void begin(struct siege *s)
{
    attack_start(&s->a);
    honest_start(&s->a, TRANSFERS, EVERY);
    attack_run(&s->a, SANWO_SEC(2));
    s->unloaded = (double)s->a.honest.transferred / 2;
    assert_int_equal(s->a.honest.failed, 0);
    honest_mark(&s->a);
}

static void check_honest(struct siege *s, const char *name, sanwo_time duration,
                         const struct bound *bound)
{
    struct attack_honest *h = &s->a.honest;
    struct sanwo_stack_stats stats = attack_stats(&s->a);
    double rate = (double)h->transferred / ((double)duration / 1e9);
    print_message("%s: %u hostile connections, %u reset; peak %.1f MiB; honest: %u of %u, p99 "
                  "connect %.0f ms, slowest %.0f ms, goodput %.0f %%\n",
                  name, s->c.established, s->c.reset, (double)stats.memory_peak / (1 << 20),
                  (unsigned)h->succeeded, (unsigned)h->opened,
                  (double)honest_percentile(&s->a, 99) / 1e6, (double)h->slowest / 1e6,
                  100 * rate / s->unloaded);
    assert_false(h->wrong_bytes);
    assert_int_equal(h->failed, 0);
    assert_int_equal(h->transfers_failed, 0);
    assert_in_range(h->opened - h->succeeded, 0, (uint64_t)(bound->slowest / EVERY) + 1);
    assert_in_range(h->slowest, 1, bound->slowest);
    assert_true(rate * 100 >= s->unloaded * bound->goodput);
}

static void besiege(struct siege *s, const char *name, const struct crowd_plan *plan,
                    sanwo_time hold, const struct bound *bound)
{
    begin(s);
    sanwo_time from = s->a.now;
    crowd_start(&s->a, &s->c, plan, TICK);
    crowd_mount(&s->a);
    attack_run(&s->a, hold);
    check_honest(s, name, s->a.now - from, bound);
}

static void end(struct siege *s)
{
    crowd_free(&s->a, &s->c);
    attack_finish(&s->a);
}

/* They connect, ask nothing, and stay. B-13. */
static void test_B_13_idle_connections(void **state)
{
    struct siege s;
    const struct crowd_plan plan = {.size = crowd_size(), .window = 65535, .per_tick = 100};
    const struct bound bound = {SANWO_MSEC(100), 90};
    (void)state;
    attack_init(&s.a);
    besiege(&s, __func__, &plan, SANWO_SEC(10), &bound);
    assert_int_equal(s.c.established, plan.size);
    assert_in_range(attack_stats(&s.a).connections, plan.size, plan.size + 1000);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_B_13_idle_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
