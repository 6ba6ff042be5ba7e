/*
 * test_emulator.c - The emulator around a pair: each thing it does, its measure, and its repeatability.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "spy.h"

#define MS SANWO_MSEC(1)

enum { LENGTH = 1250, MILLION = 1000000 };

struct network {
    struct sanwo_driver *emulator, *far;
    struct spy near; /* counts what the emulator gives back */
    sanwo_time now;
    uint32_t next_sent;
};

/* Frames that arrived at the far end, by their numbers. */
struct arrivals {
    size_t count;
    uint32_t number[20000];
    sanwo_time when[20000];
    uint8_t bytes[LENGTH]; /* of the last */
    uint8_t checksum;
};

static struct arrivals got;

static void setup_network(struct network *n, const struct sanwo_emulator_path *out, uint64_t seed,
                          size_t queue)
{
    struct sanwo_emulator_config config = {.seed = seed};
    struct sanwo_driver *inner;

    if (out != NULL)
        config.out = *out;
    memset(n, 0, sizeof(*n));
    memset(&got, 0, sizeof(got));
    assert_int_equal(sanwo_pair_create(1500, SANWO_OFFLOAD_CHECKSUM, queue, &inner, &n->far), 0);
    assert_int_equal(sanwo_emulator_create(inner, &config, &n->emulator), 0);
    assert_int_equal(n->emulator->link.offload, 0);
    spy_on(&n->near, n->emulator);
}

static void teardown_network(struct network *n)
{
    sanwo_driver_destroy(n->emulator);
    sanwo_driver_destroy(n->far);
}

/* What is at the far end now. */
static void collect(struct network *n)
{
    struct sanwo_frame frames[16];
    int count;

    while ((count = spy_receive(n->far, frames, 16, n->now)) > 0) {
        for (int i = 0; i < count; i++) {
            assert_int_equal(frames[i].length, LENGTH);
            memcpy(&got.number[got.count], frames[i].slices[0].bytes, sizeof(uint32_t));
            got.when[got.count++] = n->now;
            memcpy(got.bytes, frames[i].slices[0].bytes, LENGTH);
            got.checksum = frames[i].checksum;
        }
    }
}

/* Sends the next frame, numbered. */
static void send_one(struct network *n)
{
    uint8_t bytes[LENGTH] = {0};
    struct sanwo_frame f = spy_frame(bytes, LENGTH);

    memcpy(bytes, &n->next_sent, sizeof(n->next_sent));
    n->next_sent++;
    assert_int_equal(spy_transmit(n->emulator, &f, 1, n->now), 1);
    assert_int_equal(n->near.sent, n->next_sent); /* it copied the bytes */
    collect(n);
}

static void advance(struct network *n, sanwo_time to)
{
    struct sanwo_frame frame;

    for (;;) {
        sanwo_time next = spy_deadline(n->emulator);

        if (next > to)
            break;
        n->now = next > n->now ? next : n->now;
        assert_int_equal(spy_receive(n->emulator, &frame, 1, n->now), 0);
        collect(n);
    }
    n->now = to;
}

static void send_many(struct network *n, unsigned count, sanwo_time gap)
{
    for (unsigned i = 0; i < count; i++) {
        send_one(n);
        advance(n, n->now + gap);
    }
    advance(n, n->now + SANWO_SEC(100));
}

static struct sanwo_emulator_stats stats_of(const struct network *n)
{
    struct sanwo_emulator_stats stats;

    sanwo_emulator_stats(n->emulator, &stats);
    return stats;
}

static void assert_in_order(void)
{
    for (size_t i = 1; i < got.count; i++)
        assert_true(got.number[i - 1] < got.number[i]);
}

static void test_nothing_configured(void **state)
{
    struct network n;

    (void)state;
    setup_network(&n, NULL, 1, 0);
    send_one(&n);
    assert_int_equal(got.count, 1);
    assert_int_equal(spy_deadline(n.emulator), SANWO_TIME_NEVER);
    assert_int_equal(stats_of(&n).passed, 1);
    teardown_network(&n);
}

static void test_delay(void **state)
{
    struct sanwo_emulator_path path = {.delay = 20 * MS};
    struct network n;
    struct sanwo_frame frame;

    (void)state;
    setup_network(&n, &path, 1, 0);
    n.now = 5;
    send_one(&n);
    assert_int_equal(spy_deadline(n.emulator), 20 * MS + 5);
    n.now = 20 * MS + 4;
    spy_receive(n.emulator, &frame, 1, n.now);
    collect(&n);
    assert_int_equal(got.count, 0);
    n.now++;
    spy_receive(n.emulator, &frame, 1, n.now);
    collect(&n);
    assert_int_equal(got.count, 1);
    teardown_network(&n);
}

/* The other direction has its own path; arrival is when the frame was due. */
static void test_inbound(void **state)
{
    struct sanwo_emulator_path none = {0}, in = {.delay = 3 * MS};
    uint8_t bytes[LENGTH] = {42};
    struct sanwo_frame f = spy_frame(bytes, LENGTH), frame;
    struct network n;

    (void)state;
    setup_network(&n, NULL, 1, 0);
    sanwo_emulator_configure(n.emulator, &none, &in);
    n.emulator->number = 3;
    spy_transmit(n.far, &f, 1, 0);
    assert_int_equal(spy_deadline(n.emulator), 0);
    assert_int_equal(spy_receive(n.emulator, &frame, 1, 0), 0);
    assert_int_equal(spy_deadline(n.emulator), 3 * MS);
    assert_int_equal(spy_receive(n.emulator, &frame, 1, 4 * MS), 1);
    assert_int_equal(frame.arrival, 3 * MS);
    assert_int_equal(frame.link, 3);
    assert_int_equal(frame.length, LENGTH);
    assert_int_equal(frame.slices[0].bytes[0], 42);
    assert_ptr_not_equal(frame.slices[0].bytes, bytes);
    teardown_network(&n);
}

static void test_loss(void **state)
{
    struct sanwo_emulator_path path = {.loss_ppm = 100000};
    struct network n;

    (void)state;
    setup_network(&n, &path, 7, 0);
    send_many(&n, 20000, 0);
    assert_in_range(got.count, 17800, 18200); /* 18000 +- 5 sigma */
    assert_int_equal(stats_of(&n).lost, 20000 - got.count);
    assert_in_order();
    teardown_network(&n);
}

/* Bursts of 1/exit frames, entered with their own chance. */
static void test_bursts(void **state)
{
    struct sanwo_emulator_path path = {.burst_ppm = 10000, .burst_exit_ppm = 200000};
    unsigned bursts = 0, lost = 0;
    struct network n;

    (void)state;
    setup_network(&n, &path, 7, 0);
    send_many(&n, 20000, 0);
    for (size_t i = 1; i < got.count; i++) {
        uint32_t gap = got.number[i] - got.number[i - 1] - 1;

        bursts += gap > 0;
        lost += gap;
    }
    assert_in_range(bursts, 130, 250);
    assert_in_range(lost * 10 / bursts, 40, 60);
    teardown_network(&n);
}

static void test_jitter_keeps_order(void **state)
{
    struct sanwo_emulator_path path = {.delay = 10 * MS, .jitter = 5 * MS};
    sanwo_time least = SANWO_TIME_NEVER, most = 0;
    struct network n;

    (void)state;
    setup_network(&n, &path, 7, 0);
    send_many(&n, 2000, MS);
    assert_int_equal(got.count, 2000);
    assert_in_order();
    for (size_t i = 0; i < got.count; i++) {
        sanwo_time took = got.when[i] - (sanwo_time)i * MS;

        least = took < least ? took : least;
        most = took > most ? took : most;
    }
    assert_true(least >= 10 * MS && least < 11 * MS);
    assert_true(most < 15 * MS && most > 14 * MS);
    teardown_network(&n);
}

static void test_reorder(void **state)
{
    struct sanwo_emulator_path path = {.delay = 8 * MS, .reorder_ppm = 50000};
    unsigned held_back = 0;
    struct network n;

    (void)state;
    setup_network(&n, &path, 7, 0);
    send_many(&n, 2000, MS / 2);
    assert_int_equal(got.count, 2000);
    for (size_t i = 0; i < got.count; i++) {
        sanwo_time took = got.when[i] - (sanwo_time)got.number[i] * (MS / 2);

        if (took != 8 * MS) {
            assert_int_equal(took, 10 * MS); /* a quarter more */
            held_back++;
        }
    }
    assert_in_range(held_back, 60, 140);
    assert_int_equal(stats_of(&n).reordered, held_back);
    teardown_network(&n);
}

static void test_duplicates(void **state)
{
    struct sanwo_emulator_path path = {.delay = MS, .duplicate_ppm = 100000};
    unsigned twice = 0;
    struct network n;

    (void)state;
    setup_network(&n, &path, 7, 0);
    send_many(&n, 2000, 0);
    for (size_t i = 1; i < got.count; i++)
        twice += got.number[i] == got.number[i - 1];
    assert_in_range(twice, 140, 260);
    assert_int_equal(got.count, 2000 + twice);
    assert_int_equal(stats_of(&n).duplicated, twice);
    assert_int_equal(stats_of(&n).passed, got.count);
    teardown_network(&n);
}

static unsigned ones(const uint8_t *bytes, size_t length)
{
    unsigned count = 0;

    for (size_t i = 0; i < length * 8; i++)
        count += bytes[i / 8] >> i % 8 & 1u;
    return count;
}

static void test_corrupt_flips_one_bit(void **state)
{
    struct sanwo_emulator_path path = {.corrupt_ppm = MILLION};
    uint8_t bytes[LENGTH] = {0}, seen[LENGTH] = {0};
    struct sanwo_frame f = spy_frame(bytes, LENGTH);
    struct network n;

    (void)state;
    setup_network(&n, &path, 7, 0);
    for (unsigned i = 0; i < 200; i++) {
        spy_transmit(n.emulator, &f, 1, 0);
        collect(&n);
        assert_int_equal(ones(got.bytes, LENGTH), 1);
        assert_int_equal(got.checksum, SANWO_CHECKSUM_NONE);
        for (unsigned k = 0; k < LENGTH; k++)
            seen[k] |= got.bytes[k];
    }
    assert_true(ones(seen, LENGTH) > 150); /* not always the same */
    teardown_network(&n);
}

/* A checksum that the link would have finished is finished before anything can happen to it. */
static void test_partial_is_completed(void **state)
{
    uint8_t bytes[LENGTH] = {0};
    struct sanwo_frame f = spy_frame(bytes, LENGTH);
    struct network n;

    (void)state;
    setup_network(&n, NULL, 7, 0);
    for (unsigned i = 0; i < LENGTH; i++)
        bytes[i] = (uint8_t)(i * 7);
    bytes[36] = 0x12; /* the sum of a pseudo-header */
    bytes[37] = 0x34;
    f.checksum = SANWO_CHECKSUM_PARTIAL;
    f.checksum_start = 20;
    f.checksum_offset = 16;
    spy_transmit(n.emulator, &f, 1, 0);
    collect(&n);
    assert_int_equal(got.count, 1);
    assert_int_equal(got.checksum, SANWO_CHECKSUM_NONE);
    assert_int_equal(spy_checksum(got.bytes + 20, LENGTH - 20, 0x1234), 0);
    assert_int_equal(bytes[36], 0x12); /* the sender's bytes are as they were */
    teardown_network(&n);
}

/* 1250 bytes at 10 Mbit/s take 1 ms each, to the nanosecond; at 3 Mbit/s 3 1/3 ms, without drift. */
static void test_rate(void **state)
{
    struct sanwo_emulator_path path = {.rate = 10 * MILLION, .delay = 7 * MS};
    struct network n;

    (void)state;
    setup_network(&n, &path, 7, 0);
    send_many(&n, 100, 0);
    assert_int_equal(got.count, 100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(got.when[i], (sanwo_time)(i + 1) * MS + 7 * MS);
    teardown_network(&n);

    path.rate = 3 * MILLION;
    setup_network(&n, &path, 7, 0);
    send_many(&n, 200, 0);
    assert_int_equal(got.count, 200);
    for (size_t i = 0; i < 200; i++)
        assert_int_equal(got.when[i], (sanwo_time)(i + 1) * 10 * MS / 3 + 7 * MS);
    teardown_network(&n);
}

/* Ten frames of room: the eleventh at one instant is dropped; when two have left two go in. */
static void test_queue_drops_the_tail(void **state)
{
    struct sanwo_emulator_path path = {.rate = 10 * MILLION, .queue = 10 * LENGTH};
    struct network n;

    (void)state;
    setup_network(&n, &path, 7, 0);
    for (unsigned i = 0; i < 15; i++)
        send_one(&n);
    assert_int_equal(stats_of(&n).queue_dropped, 5);
    advance(&n, 2 * MS);
    for (unsigned i = 0; i < 5; i++)
        send_one(&n);
    assert_int_equal(stats_of(&n).queue_dropped, 8);
    advance(&n, SANWO_SEC(1));
    assert_int_equal(got.count, 12);
    assert_int_equal(got.number[11], 16);
    teardown_network(&n);
}

/* A frame longer than the whole queue passes when nothing waits. */
static void test_tiny_queue(void **state)
{
    struct sanwo_emulator_path path = {.rate = 10 * MILLION, .queue = 100};
    struct network n;

    (void)state;
    setup_network(&n, &path, 7, 0);
    send_many(&n, 10, 2 * MS);
    assert_int_equal(got.count, 10);
    teardown_network(&n);
}

static uint64_t run_hostile(uint64_t seed)
{
    struct sanwo_emulator_path path = {
        .delay = 10 * MS,
        .jitter = 3 * MS,
        .loss_ppm = 20000,
        .burst_ppm = 1000,
        .burst_exit_ppm = 300000,
        .reorder_ppm = 10000,
        .duplicate_ppm = 10000,
        .corrupt_ppm = 10000,
        .rate = 20 * MILLION,
    };
    uint64_t hash = 1469598103934665603u;
    struct network n;

    setup_network(&n, &path, seed, 0);
    send_many(&n, 3000, MS);
    for (size_t i = 0; i < got.count; i++)
        hash = ((hash ^ got.number[i]) * 1099511628211u ^ (uint64_t)got.when[i]) * 1099511628211u;
    teardown_network(&n);
    return hash;
}

static void test_same_seed_same_network(void **state)
{
    uint64_t first = run_hostile(1);

    (void)state;
    assert_true(first == run_hostile(1));
    assert_true(first != run_hostile(2));
}

static void test_down(void **state)
{
    struct sanwo_emulator_path path = {.delay = MS};
    struct network n;

    (void)state;
    setup_network(&n, &path, 7, 0);
    send_one(&n);
    sanwo_emulator_set_up(n.emulator, false);
    send_many(&n, 5, MS);
    assert_int_equal(got.count, 0);
    assert_int_equal(stats_of(&n).lost, 6);
    assert_int_equal(spy_deadline(n.emulator), SANWO_TIME_NEVER);
    sanwo_emulator_set_up(n.emulator, true);
    send_many(&n, 5, MS);
    assert_int_equal(got.count, 5);
    teardown_network(&n);
}

/* An inner driver that is full delays frames and loses none. */
static void test_full_inner_driver(void **state)
{
    struct sanwo_emulator_path path = {.delay = MS};
    uint8_t bytes[LENGTH] = {0};
    struct sanwo_frame f = spy_frame(bytes, LENGTH), frame;
    struct network n;

    (void)state;
    setup_network(&n, &path, 7, 4);
    for (uint32_t i = 0; i < 10; i++) {
        memcpy(bytes, &i, sizeof(i));
        assert_int_equal(spy_transmit(n.emulator, &f, 1, 0), 1);
    }
    n.now = MS;
    spy_receive(n.emulator, &frame, 1, n.now);
    assert_true(n.emulator->blocked);
    assert_int_equal(spy_deadline(n.emulator), SANWO_TIME_NEVER); /* waits for room, not for time */
    for (unsigned i = 0; i < 4; i++) {
        collect(&n);
        spy_receive(n.emulator, &frame, 1, n.now);
    }
    assert_int_equal(got.count, 10);
    assert_in_order();
    assert_false(n.emulator->blocked);
    teardown_network(&n);
}

static void test_refused_arguments(void **state)
{
    static const struct sanwo_emulator_path bad[] = {
        {.delay = -1},
        {.jitter = -1},
        {.reorder_delay = -1},
        {.delay = SANWO_TIME_NEVER},
        {.loss_ppm = MILLION + 1},
        {.burst_ppm = MILLION + 1},
        {.burst_exit_ppm = MILLION + 1},
        {.reorder_ppm = MILLION + 1},
        {.duplicate_ppm = MILLION + 1},
        {.corrupt_ppm = MILLION + 1},
        {.rate = 1, .queue = UINT32_MAX},
    };
    struct sanwo_driver *a, *b, *emulator;

    (void)state;
    assert_int_equal(sanwo_pair_create(1500, 0, 0, &a, &b), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct sanwo_emulator_config out = {.out = bad[i]}, in = {.in = bad[i]};

        assert_int_equal(sanwo_emulator_create(a, &out, &emulator), -SANWO_EINVAL);
        assert_int_equal(sanwo_emulator_create(a, &in, &emulator), -SANWO_EINVAL);
    }
    sanwo_driver_destroy(a);
    sanwo_driver_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_configured),
        cmocka_unit_test(test_delay),
        cmocka_unit_test(test_inbound),
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_bursts),
        cmocka_unit_test(test_jitter_keeps_order),
        cmocka_unit_test(test_reorder),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_corrupt_flips_one_bit),
        cmocka_unit_test(test_partial_is_completed),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_queue_drops_the_tail),
        cmocka_unit_test(test_tiny_queue),
        cmocka_unit_test(test_same_seed_same_network),
        cmocka_unit_test(test_down),
        cmocka_unit_test(test_full_inner_driver),
        cmocka_unit_test(test_refused_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
