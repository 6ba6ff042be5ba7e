/*
 * test_close_storm.c - Hundreds of connections that open and leave in any order, by any call, from
 * both sides, on a network that loses, doubles and reorders. Each ends in order or for a named
 * reason, and nothing of any is left.
 */
#include "check.h"

static struct world_plan any_plan(struct world *w)
{
    struct chance *c = &w->chance;
    struct world_plan plan = {
        .send = chance_hit(c, 300000) ? 0 : chance_below(c, 40000),
        .most_write = 1 + (uint32_t)chance_below(c, 5000),
        .most_read = 1 + (uint32_t)chance_below(c, 5000),
        .stall_ppm = chance_hit(c, 200000) ? 200000 : 0,
        .stall = SANWO_SEC(3),
    };

    switch (chance_below(c, 6)) {
    case 0:
    case 1:
    case 2:
        plan.ending = WORLD_SHUTDOWN;
        break;
    case 3:
        plan.ending = WORLD_CLOSE;
        break;
    case 4:
        plan.ending = WORLD_CLOSE;
        plan.after = 1 + (sanwo_time)chance_below(c, SANWO_MSEC(400));
        break;
    default:
        plan.ending = WORLD_ABORT;
        plan.after = chance_hit(c, 500000) ? 0 : 1 + (sanwo_time)chance_below(c, SANWO_MSEC(400));
    }
    /* Just before, at, and after the handshake's steps. */
    if (plan.after != 0 && chance_hit(c, 300000))
        plan.after = 1 + (sanwo_time)chance_below(c, 4) * SANWO_MSEC(20);
    return plan;
}

/* One that reads on after a half-close never learns of a reset that was lost, but by keep-alive. */
static struct world *storm_world(const struct world_config *c)
{
    struct world_config config = *c;
    struct world *w;

    for (int side = 0; side < 2; side++) {
        config.stack[side].tcp.keepalive = true;
        config.stack[side].tcp.keepalive_idle = SANWO_SEC(60);
        config.stack[side].tcp.keepalive_interval = SANWO_SEC(10);
    }
    w = world_create(&config);
    world_warm_up(w);
    return w;
}

static void storm(const struct world_config *c, unsigned count)
{
    struct world *w = storm_world(c);

    for (unsigned i = 0; i < count; i++) {
        struct world_plan opener = any_plan(w), acceptor = any_plan(w);

        assert_non_null(
            world_open(w, (unsigned)chance_below(&w->chance, 2), &opener, &acceptor, NULL));
        if (chance_hit(&w->chance, 500000))
            world_run(w, (sanwo_time)chance_below(&w->chance, SANWO_MSEC(40)));
    }
    world_finish(w, SANWO_SEC(20000));
    world_check_clean(w);
    /* All kinds of endings took place. */
    assert_true(w->errors[SANWO_OK] > 0);
    assert_true(w->errors[SANWO_ECONNRESET] > 0);
    assert_true(w->errors[SANWO_ECONNABORTED] > 0);
    world_destroy(w);
}

static void test_good_network(void **state)
{
    struct sanwo_emulator_path path = {.delay = SANWO_MSEC(20)};
    struct world_config c;

    (void)state;
    check_path(&c, __func__, &path);
    for (c.salt = 0; c.salt < 4; c.salt++) {
        c.family = c.salt & 1 ? SANWO_FAMILY_IPV6 : SANWO_FAMILY_IPV4;
        storm(&c, 200);
    }
}

static void test_bad_network(void **state)
{
    struct sanwo_emulator_path path = {.delay = SANWO_MSEC(20),
                                       .jitter = SANWO_MSEC(5),
                                       .loss_ppm = 50000,
                                       .reorder_ppm = 100000,
                                       .duplicate_ppm = 100000,
                                       .corrupt_ppm = 10000};
    struct world_config c;

    (void)state;
    check_path(&c, __func__, &path);
    for (c.salt = 0; c.salt < 6; c.salt++) {
        c.family = c.salt & 1 ? SANWO_FAMILY_IPV6 : SANWO_FAMILY_IPV4;
        storm(&c, 200);
    }
}

/* A fifth of all frames lost: time-outs of every kind. */
static void test_terrible_network(void **state)
{
    struct sanwo_emulator_path path = {.delay = SANWO_MSEC(20), .loss_ppm = 200000};
    struct world_config c;

    (void)state;
    check_path(&c, __func__, &path);
    for (c.salt = 0; c.salt < 4; c.salt++)
        storm(&c, 100);
}

/* Few ports, few places for TIME-WAIT and for half-open ones: limits are refusals, never more. */
static void test_tight_limits(void **state)
{
    struct sanwo_emulator_path path = {.delay = SANWO_MSEC(20), .loss_ppm = 20000};
    struct world_config c;
    unsigned refused = 0;

    (void)state;
    check_path(&c, __func__, &path);
    c.backlog = 8;
    for (int side = 0; side < 2; side++) {
        c.stack[side].ephemeral_first = 50000;
        c.stack[side].ephemeral_last = 50019;
        c.stack[side].max_connections = 30;
        c.stack[side].max_half_open = 6;
        c.stack[side].max_time_wait = 5;
        /* With cookies what was aborted may still complete its handshake here, late. */
        c.stack[side].tcp.syn_cookies = false;
    }
    for (c.salt = 0; c.salt < 4; c.salt++) {
        struct world *w = storm_world(&c);

        for (unsigned i = 0; i < 300; i++) {
            struct world_plan opener = any_plan(w), acceptor = any_plan(w);
            int error = 0;

            if (world_open(w, (unsigned)chance_below(&w->chance, 2), &opener, &acceptor, &error) ==
                NULL) {
                refused++;
                assert_true(error == SANWO_ELIMIT || error == SANWO_EADDRNOTAVAIL);
            }
            world_run(w, (sanwo_time)chance_below(&w->chance, SANWO_MSEC(10)));
        }
        world_finish(w, SANWO_SEC(20000));
        world_check_clean(w);
        world_destroy(w);
    }
    assert_true(refused > 0);
}

/* Listeners go while connections to them are on their way; what was not accepted is reset. */
static void test_listener_goes(void **state)
{
    struct sanwo_emulator_path path = {.delay = SANWO_MSEC(20)};
    struct world_plan plan = {.send = 3000};
    struct world_config c;
    struct world *w;

    (void)state;
    check_path(&c, __func__, &path);
    w = world_create(&c);
    world_warm_up(w);
    for (unsigned i = 0; i < 50; i++) {
        assert_non_null(world_open(w, 0, &plan, &plan, NULL));
        world_run(w, SANWO_MSEC(2));
    }
    assert_int_equal(sanwo_tcp_close(w->host[1].stack, w->host[1].listener, world_now(w)), 0);
    world_finish(w, SANWO_SEC(1000));
    assert_true(w->errors[SANWO_OK] > 40); /* warmed up, or accepted before */
    assert_true(w->errors[SANWO_ECONNREFUSED] > 0);
    w->host[1].warm = 0; /* its listener is no more */
    world_check_clean(w);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_network),     cmocka_unit_test(test_bad_network),
        cmocka_unit_test(test_terrible_network), cmocka_unit_test(test_tight_limits),
        cmocka_unit_test(test_listener_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
