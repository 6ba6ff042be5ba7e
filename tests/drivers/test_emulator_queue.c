/*
 * test_emulator_queue.c - What the emulator tells of its queue, and bursts that end by time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spy.h"

#define MS SANWO_MSEC(1)

enum { LENGTH = 1250, MILLION = 1000000 }; /* 10,000 bits: a millisecond at 10 Mbit/s */

struct network {
    struct sanwo_driver *emulator, *far;
    struct spy near;
};

static void set_up(struct network *n, const struct sanwo_emulator_path *out)
{
    struct sanwo_emulator_config config = {.seed = 11, .out = *out};
    struct sanwo_driver *inner;

    assert_int_equal(sanwo_pair_create(1500, 0, 0, &inner, &n->far), 0);
    assert_int_equal(sanwo_emulator_create(inner, &config, &n->emulator), 0);
    spy_on(&n->near, n->emulator);
}

static void tear_down(struct network *n)
{
    sanwo_driver_destroy(n->emulator);
    sanwo_driver_destroy(n->far);
}

static void send_frames(struct network *n, unsigned count, sanwo_time now)
{
    static const uint8_t bytes[LENGTH];

    for (unsigned i = 0; i < count; i++) {
        struct sanwo_frame f = spy_frame(bytes, LENGTH);

        assert_int_equal(n->emulator->ops->transmit(n->emulator, &f, 1, now), 1);
    }
}

static struct sanwo_emulator_queue queue_at(const struct network *n, sanwo_time now)
{
    struct sanwo_emulator_queue queue;

    sanwo_emulator_queue(n->emulator, true, now, &queue);
    return queue;
}

/* Ten frames at once, of a millisecond each, for a queue of so many bytes. */
static void send_ten(struct network *n, uint32_t room)
{
    struct sanwo_emulator_path path = {.rate = 10 * MILLION, .queue = room};

    set_up(n, &path);
    send_frames(n, 10, 0);
}

/* They wait for 0, 1, ... 9 ms. */
static void test_waits_are_measured(void **state)
{
    struct sanwo_emulator_queue queue;
    struct network n;

    (void)state;
    send_ten(&n, 100000);
    queue = queue_at(&n, 0);
    assert_int_equal(queue.packets, 10);
    assert_int_equal(queue.dropped, 0);
    assert_int_equal(queue.mean, 4500000);
    assert_int_equal(queue.most, 9 * MS);
    assert_in_range(queue.median, 5 * MS * 15 / 16, 5 * MS);
    assert_in_range(queue.p99, 9 * MS * 15 / 16, 9 * MS);
    assert_int_equal(queue.most_bytes, 9 * LENGTH);
    assert_int_equal(queue.bytes, 10 * LENGTH);
    assert_int_equal(queue_at(&n, 4 * MS).bytes, 6 * LENGTH);
    sanwo_emulator_queue(n.emulator, false, 0, &queue);
    assert_int_equal(queue.packets, 0);
    tear_down(&n);
}

static void test_drops_are_counted(void **state)
{
    struct sanwo_emulator_queue queue;
    struct network n;

    (void)state;
    send_ten(&n, 4 * LENGTH);
    queue = queue_at(&n, 0);
    assert_int_equal(queue.packets, 4);
    assert_int_equal(queue.dropped, 6);
    assert_int_equal(queue.most, 3 * MS);
    tear_down(&n);
}

static void test_restart_forgets(void **state)
{
    struct sanwo_emulator_queue queue;
    struct network n;

    (void)state;
    send_ten(&n, 100000);
    sanwo_emulator_queue_restart(n.emulator);
    queue = queue_at(&n, 0);
    assert_int_equal(queue.packets, 0);
    assert_int_equal(queue.mean, 0);
    assert_int_equal(queue.p99, 0);
    assert_int_equal(queue.bytes, 10 * LENGTH); /* what waits still waits */
    send_frames(&n, 1, 0);
    queue = queue_at(&n, 0);
    assert_int_equal(queue.packets, 1);
    assert_int_equal(queue.mean, 10 * MS);
    tear_down(&n);
}

static uint64_t lost(const struct network *n)
{
    struct sanwo_emulator_stats stats;

    sanwo_emulator_stats(n->emulator, &stats);
    return stats.lost;
}

/* No burst begins any more; one that has begun goes on. */
static void stop_bursts(struct network *n, struct sanwo_emulator_path *path)
{
    path->burst_ppm = 0;
    sanwo_emulator_configure(n->emulator, path, &(struct sanwo_emulator_path){0});
}

/* Frames would never leave this burst; time does, and the next one begins at once. */
static void test_bursts_end_in_time(void **state)
{
    struct sanwo_emulator_path path = {.burst_ppm = MILLION, .burst_most = 10 * MS};
    struct network n;

    (void)state;
    set_up(&n, &path);
    send_frames(&n, 3, 0);
    send_frames(&n, 1, 10 * MS - 1);
    assert_int_equal(lost(&n), 4);
    stop_bursts(&n, &path);
    send_frames(&n, 1, 10 * MS - 1);
    assert_int_equal(lost(&n), 5);
    send_frames(&n, 1, 10 * MS);
    assert_int_equal(lost(&n), 5);
    tear_down(&n);
}

static void test_bursts_without_a_limit_last(void **state)
{
    struct sanwo_emulator_path path = {.burst_ppm = MILLION};
    struct network n;

    (void)state;
    set_up(&n, &path);
    send_frames(&n, 1, 0);
    stop_bursts(&n, &path);
    send_frames(&n, 1, SANWO_SEC(100));
    assert_int_equal(lost(&n), 2);
    tear_down(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits_are_measured),
        cmocka_unit_test(test_drops_are_counted),
        cmocka_unit_test(test_restart_forgets),
        cmocka_unit_test(test_bursts_end_in_time),
        cmocka_unit_test(test_bursts_without_a_limit_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
