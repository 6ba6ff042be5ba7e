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

static const struct bound unharmed = {SANWO_MSEC(100), 90};
static const struct bound served = {SANWO_SEC(3), 25};

struct siege {
    struct attack a;
    struct crowd c;
    double unloaded; /* bytes per second of the transfers */
};

static uint32_t crowd_size(void)
{
    return attack_scale(ATTACK_CROWD, ATTACK_CROWD);
}

/* A server that expects a crowd: small queues, and two seconds of patience with who makes no progress. */
static void prepare(struct attack *a)
{
    attack_init(a);
    a->config.tcp.send_buffer = a->config.tcp.receive_buffer = 16384;
    a->config.tcp.user_timeout = SANWO_SEC(2);
}

static void begin(struct siege *s)
{
    attack_start(&s->a);
    honest_start(&s->a, TRANSFERS, EVERY);
    attack_run(&s->a, SANWO_SEC(2));
    s->unloaded = (double)s->a.honest.transferred / 2;
    s->a.honest.every = 0;
    attack_run(&s->a, SANWO_MSEC(200));
    assert_int_equal(s->a.honest.succeeded, s->a.honest.opened);
    honest_mark(&s->a);
    s->a.honest.every = EVERY;
    s->a.honest.next = s->a.now;
}

static void check_honest(struct siege *s, const char *name, sanwo_time duration,
                         const struct bound *bound)
{
    struct attack_honest *h = &s->a.honest;
    struct sanwo_stack_stats stats = attack_stats(&s->a);
    double rate = (double)h->transferred / ((double)duration / 1e9);
    assert_false(h->wrong_bytes);
    assert_int_equal(h->failed, 0);
    assert_int_equal(h->transfers_failed, 0);
    h->every = 0; /* the last ones have their time too */
    attack_run(&s->a, bound->slowest);
    print_message("%s: %u hostile connections, %u reset; peak %.1f MiB; honest: %u of %u, p99 "
                  "connect %.0f ms, slowest %.0f ms, goodput %.0f %%\n",
                  name, s->c.established, s->c.reset, (double)stats.memory_peak / (1 << 20),
                  (unsigned)h->succeeded, (unsigned)h->opened,
                  (double)honest_percentile(&s->a, 99) / 1e6, (double)h->slowest / 1e6,
                  100 * rate / s->unloaded);
    assert_int_equal(h->succeeded, h->opened);
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

/* A siege of five seconds, of which nothing more is asked than that honest users get this. */
static void withstand(const char *name, const struct crowd_plan *plan, const struct bound *bound)
{
    struct siege s;
    prepare(&s.a);
    besiege(&s, name, plan, SANWO_SEC(5), bound);
    end(&s);
}

/* They connect, ask nothing, and stay. B-13. */
static void test_B_13_idle_connections(void **state)
{
    struct siege s;
    const struct crowd_plan plan = {.size = crowd_size(), .window = 65535, .per_tick = 20};
    (void)state;
    prepare(&s.a);
    besiege(&s, __func__, &plan, SANWO_SEC(10), &unharmed);
    assert_int_equal(s.c.established, plan.size);
    assert_in_range(attack_stats(&s.a).connections, plan.size, plan.size + 1000);
    end(&s);
}

/* A byte of a request that never becomes whole, again and again, from each in turn. */
static void trickle(struct attack *a)
{
    struct crowd *c = crowd_of(a);
    for (unsigned n = 0; n < 10 && c->started; n++) {
        uint32_t i = c->next++ % c->started;
        if (c->members[i].state == CROWD_OPEN && c->next < 4 * c->started)
            crowd_send(a, i, HOSTILE_ACK, (const uint8_t *)"G", 1);
    }
}

static void test_B_13_slowloris(void **state)
{
    const struct crowd_plan plan = {
        .size = crowd_size(), .window = 65535, .per_tick = 5, .tick = trickle};
    (void)state;
    withstand(__func__, &plan, &unharmed);
}

/* Whatever comes, the window stays shut: each probe is answered. */
static void stay_shut(struct attack *a, uint32_t i, const struct hostile_segment *seg)
{
    (void)seg;
    crowd_send(a, i, HOSTILE_ACK, NULL, 0);
}

static void test_B_07_window_zero(void **state)
{
    const struct crowd_plan plan = {.size = crowd_size(),
                                    .window = 0,
                                    .per_tick = 5,
                                    .verb = ATTACK_GET,
                                    .number = 1 << 30,
                                    .answer = stay_shut};
    (void)state;
    withstand(__func__, &plan, &served);
}

/* They ask for a lot and are never heard of again. B-18. */
static void test_B_18_never_acknowledged(void **state)
{
    const struct crowd_plan plan = {.size = crowd_size(),
                                    .window = 65535,
                                    .per_tick = 5,
                                    .verb = ATTACK_GET,
                                    .number = 1 << 30,
                                    .silent = true};
    (void)state;
    withstand(__func__, &plan, &served);
}

/* What came is noted, and acknowledged a second later: 64 bytes at a time. */
static void note_it(struct attack *a, uint32_t i, const struct hostile_segment *seg)
{
    struct crowd_member *m = &crowd_of(a)->members[i];
    if (seg->length && seg->seq == m->ack)
        m->ack += seg->length;
}

static void sip(struct attack *a)
{
    struct crowd *c = crowd_of(a);
    for (unsigned n = 0; n < 20 && c->started; n++) {
        uint32_t i = c->next++ % c->started;
        if (c->members[i].state == CROWD_OPEN)
            crowd_send(a, i, HOSTILE_ACK, NULL, 0);
    }
}

/* A window of 64 bytes, and an acknowledgement each second: progress, of a kind. */
static void test_B_28_tiny_window(void **state)
{
    const struct crowd_plan plan = {.size = crowd_size(),
                                    .window = 64,
                                    .per_tick = 5,
                                    .verb = ATTACK_GET,
                                    .number = 1 << 30,
                                    .answer = note_it,
                                    .tick = sip};
    (void)state;
    withstand(__func__, &plan, &served);
}

/* As much as the window takes, for an application that does not read. */
static void fill_up(struct attack *a)
{
    struct crowd *c = crowd_of(a);
    for (unsigned n = 0; n < 20 && c->started; n++) {
        uint32_t i = c->next++ % c->started;
        if (c->members[i].state == CROWD_OPEN)
            crowd_send(a, i, HOSTILE_ACK, attack_pattern(c->members[i].seq), 1400);
    }
}

static const struct crowd_plan never_read = {.size = 6000,
                                             .window = 65535,
                                             .per_tick = 5,
                                             .verb = ATTACK_STALL,
                                             .number = 1,
                                             .silent = true,
                                             .tick = fill_up};

/* Six thousand whose buffers fit the budget: others go on. */
static void test_B_17_never_read(void **state)
{
    struct siege s;
    (void)state;
    prepare(&s.a);
    s.a.config.tcp.receive_buffer = 4096;
    besiege(&s, __func__, &never_read, SANWO_SEC(3), &served);
    assert_int_equal(s.c.reset, 0);
    end(&s);
}

/*
 * A hundred thousand whose buffers do not fit, of an application that hangs: everybody stands still, but
 * within the budget (begin, run and end look); nobody is reset, and all comes back in the end.
 */
static void test_B_17_application_hangs(void **state)
{
    struct siege s;
    struct crowd_plan plan = never_read;
    (void)state;
    prepare(&s.a);
    plan.size = crowd_size();
    plan.per_tick = 100;
    begin(&s);
    crowd_start(&s.a, &s.c, &plan, TICK);
    crowd_mount(&s.a);
    attack_run(&s.a, SANWO_SEC(1));
    assert_int_equal(s.c.reset, 0);
    assert_false(s.a.honest.wrong_bytes);
    assert_true(attack_stats(&s.a).memory_peak > ATTACK_BUDGET / 4 * 3);
    end(&s);
}

/* One byte here, one byte there, behind a hole that is never filled. */
static void punch_holes(struct attack *a)
{
    struct crowd *c = crowd_of(a);
    for (unsigned n = 0; n < 20 && c->started; n++) {
        uint32_t i = c->next++ % c->started;
        if (c->members[i].state != CROWD_OPEN)
            continue;
        c->members[i].seq += 2 + 2 * (attack_random(a) % 4000);
        crowd_send(a, i, HOSTILE_ACK, attack_pattern(0), 1);
    }
}

static void test_B_16_holes(void **state)
{
    const struct crowd_plan plan = {
        .size = crowd_size(), .window = 65535, .per_tick = 5, .silent = true, .tick = punch_holes};
    (void)state;
    withstand(__func__, &plan, &served);
}

/* A FIN behind a request for a lot, and then nothing more. */
static void test_B_15_fin_and_gone(void **state)
{
    const struct crowd_plan plan = {.size = crowd_size(),
                                    .window = 65535,
                                    .per_tick = 5,
                                    .verb = ATTACK_GET,
                                    .number = 1,
                                    .fin = true,
                                    .silent = true};
    (void)state;
    withstand(__func__, &plan, &served);
}

/* Closes when the victim does, so that the victim is the one to wait. */
static void close_too(struct attack *a, uint32_t i, const struct hostile_segment *seg)
{
    struct crowd_member *m = &crowd_of(a)->members[i];
    if (!(seg->flags & HOSTILE_FIN) || m->state != CROWD_OPEN)
        return;
    m->ack = seg->seq + seg->length + 1;
    crowd_send(a, i, HOSTILE_ACK | HOSTILE_FIN, NULL, 0);
    m->state = CROWD_OVER;
}

/* The victim closes first, each time: a million times a minute. */
static void test_B_14_time_wait(void **state)
{
    struct siege s;
    const struct crowd_plan plan = {.size = attack_scale(1000000, 2 * ATTACK_CROWD),
                                    .window = 65535,
                                    .per_tick = 17,
                                    .verb = ATTACK_GET,
                                    .number = 1,
                                    .answer = close_too};
    (void)state;
    prepare(&s.a);
    besiege(&s, __func__, &plan, SANWO_SEC(1), &unharmed);
    assert_int_equal(attack_stats(&s.a).time_wait, s.a.config.max_time_wait);
    struct crowd_member *last = &s.c.members[plan.size - 1];
    last->seq--; /* the oldest made room, so the latest is still remembered: its FIN is acknowledged */
    last->state = CROWD_OPEN;
    uint64_t answers = s.a.answers;
    crowd_send(&s.a, plan.size - 1, HOSTILE_ACK | HOSTILE_FIN, NULL, 0);
    attack_settle(&s.a);
    assert_int_equal(s.a.answers, answers + 1);
    assert_int_equal(last->state, CROWD_OPEN); /* and not reset */
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_B_13_idle_connections),
        cmocka_unit_test(test_B_13_slowloris),
        cmocka_unit_test(test_B_07_window_zero),
        cmocka_unit_test(test_B_18_never_acknowledged),
        cmocka_unit_test(test_B_28_tiny_window),
        cmocka_unit_test(test_B_17_never_read),
        cmocka_unit_test(test_B_17_application_hangs),
        cmocka_unit_test(test_B_16_holes),
        cmocka_unit_test(test_B_15_fin_and_gone),
        cmocka_unit_test(test_B_14_time_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
