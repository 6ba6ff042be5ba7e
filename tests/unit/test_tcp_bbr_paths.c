/*
 * test_tcp_bbr_paths.c - BBR on paths in virtual time (bbr_path.h): what it finds, takes and
 * shares.
 */
#include "bbr_path.h"

#define MBIT UINT64_C(1000000)

static const struct tcp_cc_ops *const ops = &sw_tcp_cc_bbr;

/* 0.001 of the path's rate. */
static unsigned bw_share(const struct path *path, struct path_flow *flow)
{
    return (unsigned)(sw_tcp_bbr_max_bw(path_bbr(flow)) * 1000 / path->rate);
}

/* ---- one flow ---- */

/*
 * Startup finds rate and round trip in as many round trips as doubling takes, and Drain leaves no
 * queue.
 */
static void test_startup_finds_the_rate(void **state)
{
    (void)state;
    const struct {
        uint64_t rate;
        sanwo_time delay;
        unsigned rounds;
    } rows[] = {
        {1 * MBIT, SANWO_MSEC(100), 12},  {10 * MBIT, SANWO_MSEC(20), 14},
        {100 * MBIT, SANWO_MSEC(20), 16}, {100 * MBIT, SANWO_MSEC(300), 18},
        {1000 * MBIT, SANWO_MSEC(5), 16}, {1000 * MBIT, SANWO_MSEC(40), 18},
    };

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct path path = path_new(rows[i].rate, rows[i].delay, 0);
        path.queue = 4 * path_bdp(&path);
        struct path_flow *flow = path_add(&path, ops, 0);
        path_run(&path, rows[i].rounds * rows[i].delay);
        assert_true(path_bbr(flow)->full_bw_reached);
        assert_in_range(bw_share(&path, flow), 980, 1020);
        sanwo_time least = rows[i].delay;
        assert_in_range(path_bbr(flow)->min_rtt, least, least + least / 5);
        /* Five more and the queue is gone. */
        path_run(&path, (rows[i].rounds + 5) * rows[i].delay);
        assert_in_range(path_bbr(flow)->phase, BBR_PROBE_BW_DOWN, BBR_PROBE_BW_CRUISE);
        path_reset(&path);
        path_run(&path, (rows[i].rounds + 7) * rows[i].delay);
        assert_true(path_queue_mean(&path) < rows[i].delay / 10);
        assert_int_equal(flow->lost, 0);
        path_free(&path);
    }
}

/* For a minute: nearly all of the rate, the queue short but while it probes, nothing lost. */
static void test_long_run(void **state)
{
    (void)state;
    struct path path = path_new(20 * MBIT, SANWO_MSEC(30), 0);
    path.queue = 4 * path_bdp(&path);
    struct path_flow *flow = path_add(&path, ops, 0);
    unsigned probes = 0;

    path_run(&path, SANWO_SEC(2));
    path_reset(&path);
    uint8_t phase = path_bbr(flow)->phase;
    for (sanwo_time t = SANWO_SEC(2); t < SANWO_SEC(62); t += SANWO_MSEC(5)) {
        path_run(&path, t + SANWO_MSEC(5));
        probes += path_bbr(flow)->phase == BBR_PROBE_BW_UP && phase != BBR_PROBE_BW_UP;
        phase = path_bbr(flow)->phase;
    }
    assert_in_range(path_share(&path, flow, SANWO_SEC(60)), 975, 1000);
    assert_int_equal(flow->lost, 0);
    assert_true(path_queue_mean(&path) < path.delay / 3);
    assert_true(path.queue_max < path.delay * 5 / 4); /* cwnd lets in 2.25 BDP */
    assert_in_range(probes, 60 / 3, 60);              /* a probe each 2 to 3 s, or 63 round trips */
    assert_int_equal(flow->probe_rtts, 0); /* the shortest round trip is seen all the time */
    path_free(&path);
}

/* Losses by chance are no sign of a full path: nearly all of the rate at 1 %. */
static void test_random_loss(void **state)
{
    (void)state;
    const struct {
        uint64_t rate;
        sanwo_time delay;
    } rows[] = {
        {10 * MBIT, SANWO_MSEC(20)},
        {100 * MBIT, SANWO_MSEC(20)},
        {100 * MBIT, SANWO_MSEC(100)},
        {500 * MBIT, SANWO_MSEC(40)},
    };

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct path path = path_new(rows[i].rate, rows[i].delay, 0);
        path.queue = path_bdp(&path);
        path.loss_ppm = 10000;
        struct path_flow *flow = path_add(&path, ops, 0);
        path_run(&path, SANWO_SEC(3));
        path_reset(&path);
        path_run(&path, SANWO_SEC(13));
        assert_in_range(path_share(&path, flow, SANWO_SEC(10)), 900, 1000);
        assert_in_range(flow->lost * 1000 / flow->sent_bytes, 7, 20);
        path_free(&path);
    }
}

/* A queue of a tenth of the BDP: inflight_hi is found, and what is lost is little. */
static void test_shallow_queue(void **state)
{
    (void)state;
    struct path path = path_new(100 * MBIT, SANWO_MSEC(50), 0);
    path.queue = path_bdp(&path) / 10;
    struct path_flow *flow = path_add(&path, ops, 0);

    path_run(&path, SANWO_SEC(3));
    assert_in_range(path_bbr(flow)->inflight_hi, path_bdp(&path) * 9 / 10,
                    path_bdp(&path) * 13 / 10);
    path_reset(&path);
    path_run(&path, SANWO_SEC(23));
    assert_in_range(path_share(&path, flow, SANWO_SEC(20)), 930, 1000);
    assert_true(flow->lost * 100 < flow->sent_bytes); /* 1 % */
    path_free(&path);
}

/* Links that hold ACKs back for longer than a round trip. */
static void test_aggregation(void **state)
{
    (void)state;
    struct path path = path_new(50 * MBIT, SANWO_MSEC(10), 0);
    path.queue = 4 * path_bdp(&path);
    path.bunch = SANWO_MSEC(20);
    struct path_flow *flow = path_add(&path, ops, 0);

    path_run(&path, SANWO_SEC(2));
    assert_true(sw_tcp_bbr_extra_acked(path_bbr(flow)) > path_bdp(&path) / 2);
    path_reset(&path);
    path_run(&path, SANWO_SEC(12));
    assert_in_range(path_share(&path, flow, SANWO_SEC(10)), 900, 1000);
    path_free(&path);
}

/* The rate falls to a tenth and, later, is what it was: both are found, and losses stay bounded. */
static void test_rate_falls_and_rises(void **state)
{
    (void)state;
    struct path path = path_new(100 * MBIT, SANWO_MSEC(40), 0);
    path.queue = path_bdp(&path);
    struct path_flow *flow = path_add(&path, ops, 0);

    path_run(&path, SANWO_SEC(5));
    path.rate /= 10;
    path_run(&path, SANWO_SEC(12));
    assert_in_range(bw_share(&path, flow), 950, 1200);
    path_reset(&path);
    path_run(&path, SANWO_SEC(20));
    assert_in_range(path_share(&path, flow, SANWO_SEC(8)), 900, 1000);
    assert_true(flow->lost * 20 < flow->sent_bytes);
    assert_in_range(path_bbr(flow)->min_rtt, SANWO_MSEC(40), SANWO_MSEC(50));

    path.rate *= 10;
    path_run(&path, SANWO_SEC(30));
    assert_in_range(bw_share(&path, flow), 950, 1020);
    path_reset(&path);
    path_run(&path, SANWO_SEC(40));
    assert_in_range(path_share(&path, flow, SANWO_SEC(10)), 900, 1000);
    path_free(&path);
}

/* Nothing comes through for five seconds, and then all again. */
static void test_outage(void **state)
{
    (void)state;
    struct path path = path_new(50 * MBIT, SANWO_MSEC(40), 0);
    path.queue = path_bdp(&path);
    struct path_flow *flow = path_add(&path, ops, 0);

    path_run(&path, SANWO_SEC(5));
    path.loss_ppm = 1000000;
    path_reset(&path);
    path_run(&path, SANWO_SEC(10));
    assert_in_range(flow->timeouts, 2, 6);
    assert_int_equal(flow->cc.cwnd, path.mss);
    path.loss_ppm = 0;
    path_run(&path, SANWO_SEC(13));
    path_reset(&path);
    path_run(&path, SANWO_SEC(18));
    assert_in_range(path_share(&path, flow, SANWO_SEC(5)), 900, 1000);
    path_free(&path);
}

/* An application that writes little does not lower what is known, and its pauses cost nothing. */
static void test_app_limited(void **state)
{
    (void)state;
    struct path path = path_new(50 * MBIT, SANWO_MSEC(40), 0);
    path.queue = 2 * path_bdp(&path);
    struct path_flow *flow = path_add(&path, ops, 0);

    path_run(&path, SANWO_SEC(5));
    flow->app_rate = path.rate / 20;
    flow->app_since = path.now;
    flow->app_written = 0;
    path_run(&path, SANWO_SEC(15));
    assert_in_range(bw_share(&path, flow), 970, 1020);
    path_reset(&path);
    path_run(&path, SANWO_SEC(25));
    assert_in_range(path_share(&path, flow, SANWO_SEC(10)), 45, 51);
    assert_int_equal(path_queue_mean(&path), 0);
    assert_int_equal(flow->probe_rtts, 0); /* its round trips are short anyhow */

    flow->app_rate = 0;
    flow->app_paused = path.now + SANWO_SEC(20); /* and a rest, long enough to forget min_rtt */
    path_run(&path, flow->app_paused - 1);
    assert_int_equal(flow->in_flight, 0);
    path_reset(&path);
    path_run(&path, flow->app_paused + SANWO_SEC(2));
    assert_in_range(path_share(&path, flow, SANWO_SEC(2)), 930, 1000);
    assert_int_equal(flow->probe_rtts, 0);
    path_free(&path);
}

/* ---- two flows and more ---- */

/*
 * One begins when the other has the path: they come to share it, and take turns in looking for the
 * RTT.
 */
static void test_two_flows_share(void **state)
{
    (void)state;
    const unsigned queues[] = {1, 4}; /* BDP */

    for (size_t i = 0; i < SW_COUNT(queues); i++) {
        struct path path = path_new(50 * MBIT, SANWO_MSEC(30), 0);
        path.queue = queues[i] * path_bdp(&path);
        struct path_flow *first = path_add(&path, ops, 0);
        struct path_flow *second = path_add(&path, ops, SANWO_SEC(3) + 12345);
        path_run(&path, SANWO_SEC(20));
        path_reset(&path);
        path_run(&path, SANWO_SEC(60));
        unsigned a = path_share(&path, first, SANWO_SEC(40));
        unsigned b = path_share(&path, second, SANWO_SEC(40));
        assert_in_range(a + b, 950, 1001);
        assert_in_range(a, 350, 650); /* Jain 0.92 */
        assert_in_range(b, 350, 650);
        assert_in_range(first->probe_rtts, 3,
                        9); /* one each 5 s, less those that others' spare it */
        assert_in_range(second->probe_rtts, 3, 9);
        assert_in_range(path_bbr(second)->min_rtt, SANWO_MSEC(30), SANWO_MSEC(40));
        assert_true(path_queue_mean(&path) < 2 * path.delay);
        path_free(&path);
    }
}

/* When three of four stop, the last takes what they leave. */
static void test_takes_what_others_leave(void **state)
{
    (void)state;
    struct path path = path_new(40 * MBIT, SANWO_MSEC(20), 0);
    path.queue = 2 * path_bdp(&path);
    for (int i = 0; i < 4; i++)
        path_add(&path, ops, SANWO_MSEC(137) * i);

    path_run(&path, SANWO_SEC(15));
    path_reset(&path);
    path_run(&path, SANWO_SEC(25));
    for (int i = 0; i < 4; i++)
        assert_in_range(path_share(&path, &path.flow[i], SANWO_SEC(10)), 100, 450);
    for (int i = 1; i < 4; i++)
        path.flow[i].stop = path.now;
    path_run(&path, SANWO_SEC(32));
    path_reset(&path);
    path_run(&path, SANWO_SEC(37));
    assert_in_range(path_share(&path, &path.flow[0], SANWO_SEC(5)), 950, 1000);
    path_free(&path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_startup_finds_the_rate),
        cmocka_unit_test(test_long_run),
        cmocka_unit_test(test_random_loss),
        cmocka_unit_test(test_shallow_queue),
        cmocka_unit_test(test_aggregation),
        cmocka_unit_test(test_rate_falls_and_rises),
        cmocka_unit_test(test_outage),
        cmocka_unit_test(test_app_limited),
        cmocka_unit_test(test_two_flows_share),
        cmocka_unit_test(test_takes_what_others_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
