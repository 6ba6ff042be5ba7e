/*
 * test_tcp_pacing.c - Segments spread over the round trip: the rate, the bursts, the wakes.
 */
#include "test_tcp_support.h"

#define MSS RIG_MSS
#define TICK 1024 /* ns: how much later a timer may fire */

static struct rig_frame frame;

static const struct tcp_path super = {.mtu = 1500, .super_segment = 65536};

/* A round trip of @rtt, a window of @cwnd, @bytes to send; the unpaced beginning is over. */
static struct tcp_connection *paced(struct rig *r, sanwo_time rtt, uint32_t cwnd, uint32_t bytes)
{
    struct tcp_connection *c = rig_open(r, 0xfffff000, 1);

    r->tcp.config.tail_loss_probe = false;
    r->tcp.config.send_buffer = 64 << 20;
    c->send.srtt = c->send.min_rtt = rtt;
    c->send.snd_wnd = c->send.max_snd_wnd = 1 << 29;
    c->cc.cwnd = cwnd;
    c->cc.ssthresh = cwnd / 2; /* in congestion avoidance */
    assert_non_null(sw_tcp_sending_make(&r->tcp, c));
    sw_tcp_sending(&r->tcp, c)->pacing.head_start = 0;
    sw_tcp_pacing_update(&r->tcp, c);
    while (bytes) {
        uint32_t some = bytes < 1 << 20 ? bytes : 1 << 20;
        rig_send(r, c, some);
        bytes -= some;
    }
    return c;
}

static uint32_t drain(struct rig *r, struct tcp_connection *c, const struct tcp_path *path)
{
    uint32_t bytes = 0;

    while (rig_output_by(r, c, path, &frame))
        bytes += frame.payload;
    return bytes;
}

/* cwnd a round trip, and room to grow: twice that in slow start, six fifths after it. */
static void test_rate(void **state)
{
    (void)state;
    const struct {
        uint32_t cwnd, ssthresh, in_flight;
        sanwo_time srtt;
        uint64_t rate;
    } rows[] = {
        {100000, UINT32_MAX, 0, SANWO_MSEC(100), 2000000},
        {100000, 250000, 0, SANWO_MSEC(100), 2000000},
        {100000, 200000, 0, SANWO_MSEC(100), 1200000}, /* near ssthresh */
        {100000, 50000, 0, SANWO_MSEC(100), 1200000},
        {100000, 50000, 150000, SANWO_MSEC(100), 1800000}, /* what is out is not to pile up */
        {100000, 50000, 0, 0, 0},                          /* no sample yet */
        {1000, 2000, 0, SANWO_SEC(3600), 2400},            /* two round trips a second at least */
        {1000, 2000, 0, SANWO_MSEC(500), 2400},
        {1u << 30, 0, 0, 1, (uint64_t)(1u << 30) * 1200000000},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 1, 1);
        c->cc.cwnd = rows[i].cwnd;
        c->cc.ssthresh = rows[i].ssthresh;
        c->send.in_flight = rows[i].in_flight;
        c->send.srtt = rows[i].srtt;
        uint64_t rate = sw_tcp_pacing_rate(&r->tcp, c);
        if (rate != rows[i].rate && rate + 1 != rows[i].rate)
            fail_msg("row %zu: %llu bytes a second", i, (unsigned long long)rate);
        r->tcp.config.pacing = false;
        assert_int_equal(sw_tcp_pacing_rate(&r->tcp, c), 0);
        rig_end(r);
    }
}

/*
 * For a second of nothing but timers the rate is kept, within a burst; each wake lets a burst out, and
 * there is one a burst: at most a thousand a second, or eight a round trip and what a segment takes.
 */
static void test_rate_is_kept(void **state)
{
    (void)state;
    const struct {
        sanwo_time rtt;
        uint32_t cwnd;
        bool super;
        uint32_t wakes; /* at most */
    } rows[] = {
        {SANWO_MSEC(100), 100 * MSS, false, 1200}, /* one segment each 833 us: a wake each */
        {SANWO_MSEC(100), 1000 * MSS, false, 1000},
        {SANWO_MSEC(100), 1000 * MSS, true, 1000},
        {SANWO_MSEC(10), 1000 * MSS, true, 2000}, /* 120 MB/s: frames of at most 64 KB */
        {SANWO_MSEC(500), 10 * MSS, false, 24},
        {SANWO_MSEC(2), 10 * MSS, false, 4400}, /* a segment and a half is rounded up */
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = paced(r, rows[i].rtt, rows[i].cwnd, 4 << 20);
        const struct tcp_path *path = rows[i].super ? &super : &rig_path;
        uint64_t rate = sw_tcp_pacing_rate(&r->tcp, c);
        sanwo_time period = rate > 4 << 20 ? SANWO_MSEC(30) : SANWO_SEC(1), end;
        uint32_t largest = (uint32_t)(rate / 1000 > 65536 ? 65536 : rate / 1000), wakes = 0;
        uint64_t sent = 0;
        largest = largest > MSS ? largest : MSS;
        for (end = r->tcp.now + period; r->tcp.now < end; wakes++) {
            c->send.in_flight = 0; /* as if all were acknowledged at once */
            uint32_t burst = drain(r, c, path);
            assert_true(burst <= 2 * largest + MSS);
            sent += burst;
            sanwo_time next = rig_sending(r, c).pacing.deadline;
            assert_true(next > r->tcp.now && next != SANWO_TIME_NEVER);
            c->deadline.retransmit = SANWO_TIME_NEVER;
            rig_run(r, next + TICK);
        }
        uint64_t should = rate * (uint64_t)period / 1000000000;
        if (sent > should + 2 * largest || sent + 3 * largest + should / 50 < should)
            fail_msg("row %zu: %llu bytes of %llu", i, (unsigned long long)sent,
                     (unsigned long long)should);
        if (wakes > rows[i].wakes * (uint64_t)period / 1000000000 + 2)
            fail_msg("row %zu: %u wakes", i, wakes);
        c->send.in_flight = tcp_seq_distance(c->send.snd_una, c->send.snd_nxt);
        rig_end(r);
    }
}

/* What is held back says so, and wakes by itself. */
static void test_held_back(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = paced(r, SANWO_MSEC(100), 100 * MSS, 50 * MSS);

    assert_int_equal(rig_sending(r, c).pacing.deadline, SANWO_TIME_NEVER);
    assert_true(drain(r, c, &rig_path) >= MSS);
    assert_int_equal(c->limited_by, SANWO_REASON_PACED);
    sanwo_time due = rig_sending(r, c).pacing.deadline;
    assert_true(due > r->tcp.now && due <= r->tcp.now + SANWO_MSEC(2));
    assert_true(sw_tcp_deadline(&r->tcp) <= due + TICK);
    sw_tcp_output_done(&r->tcp, c);
    assert_int_equal(c->wants_send, 0);
    rig_run(r, due + TICK);
    assert_int_equal(c->wants_send, 1);
    assert_int_equal(rig_sending(r, c).pacing.deadline, SANWO_TIME_NEVER);
    assert_true(drain(r, c, &rig_path) >= MSS);
    rig_end(r);
}

/* After a pause one burst goes at once, not all that the pause would have had room for. */
static void test_no_credit_for_a_pause(void **state)
{
    (void)state;
    const sanwo_time pauses[] = {SANWO_MSEC(5), SANWO_MSEC(100), SANWO_SEC(3600)};

    for (size_t i = 0; i < SW_COUNT(pauses); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = paced(r, SANWO_MSEC(100), 1000 * MSS, 500 * MSS);
        drain(r, c, &rig_path);
        r->tcp.now += pauses[i];
        uint32_t once = drain(r, c, &rig_path); /* 12 MB/s: 12 segments a millisecond */
        assert_in_range(once, 11 * MSS, 13 * MSS);
        rig_end(r);
    }
}

/* The initial window goes at once, and all of the first slow start while it is short. Then the rate. */
static void test_beginning(void **state)
{
    (void)state;
    for (int first = 0; first < 2; first++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 1, 1);
        c->cc.cwnd = 10 * MSS;
        c->cc.ssthresh = first ? UINT32_MAX : 1 << 20;
        c->send.srtt = SANWO_MSEC(100);
        rig_send(r, c, 900 * MSS);
        assert_int_equal(drain(r, c, &rig_path), 10 * MSS);
        uint32_t out = 10 * MSS;
        for (int round = 0; round < 3; round++) {
            r->tcp.now += SANWO_MSEC(100);
            rig_ack(r, c, 1 + out, 1 << 20);
            uint32_t once = drain(r, c, &rig_path), cwnd = c->cc.cwnd;
            if (first && cwnd < 64 * MSS)
                assert_int_equal(once, cwnd);
            else
                assert_in_range(once, MSS, 3 * MSS); /* segment by segment */
            out += once;
        }
        assert_int_equal(c->limited_by, SANWO_REASON_PACED);
        rig_end(r);
    }
}

/* A frame is no larger than a burst, whole segments at least one. */
static void test_frame(void **state)
{
    (void)state;
    const struct {
        sanwo_time rtt;
        uint32_t cwnd, limit, most;
    } rows[] = {
        {SANWO_MSEC(100), 1000 * MSS, 65536, 12000},
        {SANWO_MSEC(100), 10 * MSS, 65536, MSS},
        {SANWO_USEC(800), 1000 * MSS, 65536, 65536},
        {SANWO_MSEC(100), 1000 * MSS, MSS, MSS},
        {0, 10 * MSS, 65536, 65536}, /* there is no pace yet */
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = paced(r, rows[i].rtt, rows[i].cwnd, MSS);
        assert_int_equal(sw_tcp_pacing_frame(&r->tcp, c, MSS, rows[i].limit), rows[i].most);
        rig_end(r);
    }
}

/* However slow the rate is by its numbers, half a second between two frames is the most. */
static void test_longest_wait(void **state)
{
    (void)state;
    const sanwo_time round_trips[] = {SANWO_SEC(20), SANWO_SEC(100), SANWO_SEC(3600)};

    for (size_t i = 0; i < SW_COUNT(round_trips); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = paced(r, round_trips[i], 2 * MSS, 10 * MSS);
        assert_true(drain(r, c, &rig_path) >= MSS);
        assert_in_range(rig_sending(r, c).pacing.deadline - r->tcp.now, 1, SANWO_MSEC(500));
        rig_end(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rate),         cmocka_unit_test(test_rate_is_kept),
        cmocka_unit_test(test_held_back),    cmocka_unit_test(test_no_credit_for_a_pause),
        cmocka_unit_test(test_beginning),    cmocka_unit_test(test_frame),
        cmocka_unit_test(test_longest_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
