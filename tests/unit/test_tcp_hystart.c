/*
 * test_tcp_hystart.c - HyStart++ (RFC 9406): round-trip times of rounds in, growth out.
 */
#include "cc_model.h"

#include "tcp/congestion/hystart.h"

#define MSS 1000
#define ACKS 16 /* in a round: always 16 segments are on their way */
#define MS SANWO_MSEC(1)
#define SS HYSTART_SLOW_START
#define CSS HYSTART_CONSERVATIVE
#define OVER HYSTART_OVER

struct walk {
    struct hystart h;
    tcp_seq una;
    bool reorders;
};

static uint32_t ack(struct walk *w, sanwo_time rtt, uint32_t bytes)
{
    w->una = tcp_seq_add(w->una, MSS);
    struct tcp_cc_ack a = {
        .rtt = rtt, .reorders = w->reorders, .una = w->una, .nxt = tcp_seq_add(w->una, ACKS * MSS)};
    return sw_tcp_hystart_on_ack(&w->h, &a, MSS, bytes);
}

/* The first ACK begins the first round. */
static struct walk start(uint32_t una)
{
    struct walk w = {.una = tcp_seq_of(una)};
    sw_tcp_hystart_init(&w.h);
    ack(&w, 0, MSS);
    return w;
}

/* A round of which @samples ACKs have an RTT of @least to @least + @jitter. Returns the growth. */
static uint32_t round_trip(struct walk *w, sanwo_time least, sanwo_time jitter, uint32_t samples,
                           uint32_t bytes)
{
    uint32_t growth = 0;
    for (uint32_t i = 0; i < ACKS; i++)
        growth += ack(w, i < samples ? least + jitter * (i * 5 % ACKS) / ACKS : 0, bytes);
    return growth;
}

/* Least RTTs of rounds in microseconds, and the phase after each. */
static void test_rounds(void **state)
{
    (void)state;
    const struct {
        const char *what;
        struct {
            uint32_t rtt;
            uint8_t phase;
        } round[10];
    } rows[] = {
        {"an eighth, a microsecond less, and more", {{80000, SS}, {89999, SS}, {101249, CSS}}},
        {"an eighth exactly", {{80000, SS}, {90000, CSS}}},
        {"4 ms at least", {{1000, SS}, {4999, SS}, {8998, SS}, {12998, CSS}}},
        {"of 32 ms an eighth is 4 ms", {{32000, SS}, {35999, SS}, {36000, SS}, {40500, CSS}}},
        {"16 ms at most", {{300000, SS}, {315999, SS}, {331999, CSS}}},
        {"five rounds, that of the entry included",
         {{50000, SS}, {60000, CSS}, {61000, CSS}, {61000, CSS}, {61000, CSS}, {61000, OVER}}},
        {"another eighth in another round", {{50000, SS}, {60000, CSS}, {67500, OVER}}},
        {"less than that", {{50000, SS}, {60000, CSS}, {67499, CSS}, {67500, OVER}}},
        {"a false alarm", {{50000, SS}, {60000, CSS}, {60000, CSS}, {59999, SS}, {59999, SS}}},
        {"a false alarm, and then a true one",
         {{50000, SS},
          {60000, CSS},
          {50000, SS},
          {57000, CSS},
          {57000, CSS},
          {57000, CSS},
          {57000, CSS},
          {57000, OVER}}},
        {"rising slowly, never by an eighth in a round",
         {{50000, SS}, {55000, SS}, {60000, SS}, {66000, SS}, {73000, SS}, {80000, SS}}},
        {"a path of a day", {{4000000000u, SS}, {4000015999u, SS}, {4000031999u, CSS}}},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++)
        for (uint32_t una = 0; una < 2; una++) {
            struct walk w = start(una ? 0xffffb000 : 0); /* the second time across the wrap */
            for (size_t j = 0; j < 10 && rows[i].round[j].rtt; j++) {
                round_trip(&w, rows[i].round[j].rtt * SANWO_USEC(1), 0, ACKS, MSS);
                if (w.h.phase != rows[i].round[j].phase)
                    fail_msg("%s: phase %u after round %zu", rows[i].what, w.h.phase, j);
            }
            assert_int_equal(sw_tcp_hystart_is_over(&w.h), w.h.phase == OVER);
        }
}

/* Fewer than eight samples say nothing, nor does a round after one without any. */
static void test_samples(void **state)
{
    (void)state;
    for (uint32_t samples = 0; samples <= ACKS; samples++) {
        struct walk w = start(0);
        round_trip(&w, 50 * MS, 0, ACKS, MSS);
        round_trip(&w, 80 * MS, 0, samples, MSS);
        assert_int_equal(w.h.phase, samples < 8 ? SS : CSS);
    }
    struct walk w = start(0);
    round_trip(&w, 50 * MS, 0, ACKS, MSS);
    round_trip(&w, 0, 0, 0, MSS);
    round_trip(&w, 90 * MS, 0, ACKS, MSS);
    assert_int_equal(w.h.phase, SS);
    round_trip(&w, 110 * MS, 0, ACKS, MSS);
    assert_int_equal(w.h.phase, CSS);
}

/* The eighth sample decides, in the middle of the round; from then on growth is a quarter. */
static void test_growth(void **state)
{
    (void)state;
    struct walk w = start(0);
    assert_int_equal(round_trip(&w, 50 * MS, 0, ACKS, MSS), ACKS * MSS);
    assert_int_equal(round_trip(&w, 70 * MS, 0, ACKS, MSS), 7 * MSS + 9 * MSS / 4);
    assert_int_equal(round_trip(&w, 70 * MS, 0, ACKS, MSS), ACKS * MSS / 4);
    assert_int_equal(round_trip(&w, 70 * MS, 0, ACKS, 1), ACKS / 4); /* no byte is forgotten */
    assert_int_equal(round_trip(&w, 70 * MS, 0, ACKS, 7), ACKS * 7 / 4);
    assert_false(sw_tcp_hystart_is_over(&w.h));
    assert_int_equal(round_trip(&w, 70 * MS, 0, ACKS, MSS), ACKS * MSS / 4);
    assert_true(sw_tcp_hystart_is_over(&w.h));
}

/* Eight in a row anywhere in the round, of the highest of which nothing is asked; not seven, and
 * one below begins anew. */
/* Where the path reorders there is no conservative slow start: the first rise ends it. */
static void test_rise_on_a_path_that_reorders(void **state)
{
    (void)state;
    struct walk w = start(0);
    w.reorders = true;
    round_trip(&w, 50 * MS, 0, ACKS, MSS);
    assert_int_equal(w.h.phase, SS);
    round_trip(&w, 60 * MS, 0, ACKS, MSS);
    assert_int_equal(w.h.phase, OVER);
}

static void test_rise_within_a_round(void **state)
{
    (void)state;
    for (uint32_t high = 5; high < 12; high++) {
        struct walk w = start(0), broken;
        round_trip(&w, 50 * MS, 0, ACKS, MSS);
        for (int i = 0; i < 4; i++)
            assert_int_equal(ack(&w, 50 * MS, MSS), MSS);
        broken = w;
        for (uint32_t i = 0; i < high; i++) {
            ack(&w, 80 * MS + i * MS, MSS);
            ack(&broken, i == 4 ? 56 * MS : 57 * MS, MSS);
        }
        assert_int_equal(w.h.phase, high < 8 ? SS : CSS);
        assert_int_equal(broken.h.phase, SS);
    }
    struct walk w = start(0); /* of a round of 16 * 16 samples an eighth is 32 */
    w.h.last = 50 * MS;
    w.h.last_samples = 256;
    for (int i = 0; i < 32; i++) {
        assert_int_equal(w.h.phase, SS);
        w.h.round_end = tcp_seq_add(w.una, 2 * MSS);
        ack(&w, 60 * MS, MSS);
    }
    assert_int_equal(w.h.phase, CSS);
}

/* Another eighth ends it, if sixteen samples of a round say so, and a quarter of a round. */
static void test_certainty(void **state)
{
    (void)state;
    for (int many = 0; many < 2; many++) {
        struct walk w = start(0);
        round_trip(&w, 50 * MS, 0, ACKS, MSS);
        round_trip(&w, 60 * MS, 0, ACKS, MSS);
        w.h.last_samples = many ? 400 : 40;
        for (int i = 0; i < (many ? 100 : 16); i++) {
            assert_int_equal(w.h.phase, CSS);
            w.h.round_end = tcp_seq_add(w.una, 2 * MSS);
            ack(&w, 68 * MS, MSS);
        }
        assert_int_equal(w.h.phase, OVER);
    }
}

/* A round of more samples than are counted: the 65537th still says that it was a false alarm. */
static void test_many_samples(void **state)
{
    (void)state;
    struct walk w = start(0);
    round_trip(&w, 50 * MS, 0, ACKS, MSS);
    round_trip(&w, 60 * MS, 0, ACKS, MSS);
    assert_int_equal(w.h.phase, CSS);
    struct tcp_cc_ack a = {.rtt = 60 * MS, .una = w.una, .nxt = w.una};
    w.h.round_end = tcp_seq_add(w.una, 1000 * MSS);
    w.h.least = w.h.baseline;
    for (int i = 0; i < 65536; i++)
        sw_tcp_hystart_on_ack(&w.h, &a, MSS, MSS);
    assert_int_equal(w.h.phase, CSS);
    assert_int_equal(w.h.samples, UINT16_MAX);
    a.rtt = 50 * MS;
    sw_tcp_hystart_on_ack(&w.h, &a, MSS, MSS);
    assert_int_equal(w.h.phase, SS);
}

/* Rounds in which cwnd was not needed do not count towards the five. */
static void test_rounds_without_need(void **state)
{
    (void)state;
    struct walk w = start(0);
    round_trip(&w, 50 * MS, 0, ACKS, MSS);
    round_trip(&w, 70 * MS, 0, ACKS, MSS);
    for (int i = 0; i < 20; i++)
        assert_int_equal(round_trip(&w, 70 * MS, 0, ACKS, 0), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(w.h.phase, CSS);
        round_trip(&w, 70 * MS, 0, ACKS, MSS);
    }
    assert_int_equal(w.h.phase, OVER);
}

/* Jitter is not a queue: the least of a round's RTTs stays where it is. */
static void test_jitter(void **state)
{
    (void)state;
    const sanwo_time rtts[] = {MS / 10, MS, 20 * MS, 100 * MS, 600 * MS};
    for (size_t i = 0; i < SW_COUNT(rtts); i++) {
        struct walk w = start(0);
        for (int j = 0; j < 30; j++) {
            round_trip(&w, rtts[i], rtts[i] * (j % 3), ACKS, MSS);
            assert_int_equal(w.h.phase, SS);
        }
    }
}

/* Random RTTs of up to twice the least: slow start is left by few, and taken up again by most. */
static void test_random_jitter(void **state)
{
    (void)state;
    uint64_t dice = chance_of(__func__);
    int over = 0;
    for (int i = 0; i < 200; i++) {
        struct walk w = start(0);
        for (int j = 0; j < 12 * ACKS; j++)
            ack(&w, 20 * MS + chance(&dice, 20 * MS), MSS);
        over += sw_tcp_hystart_is_over(&w.h);
    }
    assert_in_range(over, 0, 4);
}

/* What the box makes of it: out of slow start before the queue overflows, with little lost. */
static void test_leaves_before_the_queue_overflows(void **state)
{
    (void)state;
    const struct {
        double mbits;
        sanwo_time rtt;
        double queue;
    } rows[] = {{100, 50 * MS, 2}, {50, 100 * MS, 2}, {1000, 20 * MS, 2}, {20, 200 * MS, 2}};
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        uint64_t lost[2];
        for (int reno = 0; reno < 2; reno++) {
            struct model *m =
                model_new((uint64_t)(rows[i].mbits * 1e6), rows[i].rtt, rows[i].queue);
            m->paced = true;
            model_add(m, reno ? &sw_tcp_cc_newreno : &sw_tcp_cc_cubic, 1460);
            /* until the first loss, or slow start's end */
            sanwo_time t = 0;
            while (m->flow[0].box.cc.ssthresh == UINT32_MAX && t < SANWO_SEC(20))
                model_run(m, t += MS);
            assert_true(t < SANWO_SEC(20));
            double bdp = m->rate * (double)m->rtt / 1e9;
            assert_true(m->flow[0].box.cc.cwnd >= bdp); /* not too early */
            model_run(m, t + 3 * m->rtt);
            lost[reno] = m->flow[0].lost;
            free(m);
        }
        assert_true(lost[1] > 100);
        assert_true(lost[0] * 20 < lost[1]);
    }
}

/* With a queue that never overflows it is left too: five rounds at a quarter of the growth. */
static void test_leaves_without_a_loss(void **state)
{
    (void)state;
    struct model *m = model_new(20000000, 100 * MS, 20);
    m->paced = true;
    model_add(m, &sw_tcp_cc_cubic, 1460);
    sanwo_time t = 0;
    while (m->flow[0].box.cc.ssthresh == UINT32_MAX && t < SANWO_SEC(20))
        model_run(m, t += MS);
    assert_int_equal(m->flow[0].lost, 0);
    assert_in_range(m->flow[0].box.cc.ssthresh, 250000, 3 * 250000); /* BDP: 250000 */
    free(m);
}

/* On paths of a millisecond a queue of less than 4 ms is no reason to leave. */
static void test_short_paths(void **state)
{
    (void)state;
    struct model *m = model_new(100000000, MS, 3.5);
    m->paced = true;
    model_add(m, &sw_tcp_cc_cubic, 1460);
    sanwo_time t = 0;
    while (!m->flow[0].congestions && t < SANWO_SEC(1)) {
        assert_int_equal(m->flow[0].box.cc.ssthresh, UINT32_MAX);
        model_run(m, t += MS / 10);
    }
    assert_true(m->flow[0].congestions);
    free(m);
}

static void test_extremes(void **state)
{
    (void)state;
    struct walk w = start(0);
    for (int i = 0; i < 100; i++)
        ack(&w, i % 3 ? INT64_MAX : 1, UINT32_MAX);
    for (int i = 0; i < 100; i++)
        round_trip(&w, INT64_MAX - i, 0, ACKS, CWND_LIMIT);
    for (int i = 0; i < 1000; i++) { /* an SND.NXT that never comes: no end of the round, no harm */
        struct tcp_cc_ack a = {.rtt = 1 + i, .una = {0}, .nxt = {0x7fffffff}};
        assert_true(sw_tcp_hystart_on_ack(&w.h, &a, MSS, 8) <= 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounds),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_growth),
        cmocka_unit_test(test_rise_within_a_round),
        cmocka_unit_test(test_rise_on_a_path_that_reorders),
        cmocka_unit_test(test_certainty),
        cmocka_unit_test(test_many_samples),
        cmocka_unit_test(test_rounds_without_need),
        cmocka_unit_test(test_jitter),
        cmocka_unit_test(test_random_jitter),
        cmocka_unit_test(test_leaves_before_the_queue_overflows),
        cmocka_unit_test(test_leaves_without_a_loss),
        cmocka_unit_test(test_short_paths),
        cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
