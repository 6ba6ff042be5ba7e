/*
 * test_guess.c - What an observer of our packets can foretell of the next ones: nothing.
 *
 *     SYN-ACKs to a million tuples: ISN, timestamp, IP ID;  SYNs to many destinations: ports
 *
 * Chi-square over bins; the limit is the mean and six deviations, so that a fair generator fails once
 * in a hundred million tests, and the seeds are fixed.
 */
#include "attacks/attack.h"

#include "tcp/peer.h"

#include <math.h>
#include <stdlib.h>

#define SIDE 256
#define PLANE (SIDE * SIDE)

static const uint8_t timestamp_option[12] = {1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0};

struct sample {
    uint32_t isn, timestamp;
    uint16_t id;
};

struct harvest {
    struct sample *samples;
    uint32_t count;
};

static double chi_square(const uint32_t *bins, uint32_t n)
{
    double all = 0, sum = 0;
    for (uint32_t i = 0; i < n; i++)
        all += bins[i];
    double mean = all / n;
    for (uint32_t i = 0; i < n; i++)
        sum += ((double)bins[i] - mean) * ((double)bins[i] - mean) / mean;
    return sum;
}

static void assert_even(const char *what, const uint32_t *bins, uint32_t n)
{
    double chi = chi_square(bins, n), limit = n - 1 + 6 * sqrt(2.0 * (n - 1));
    if (chi > limit)
        print_error("%s: chi-square %.0f, at most %.0f\n", what, chi, limit);
    assert_true(chi <= limit);
}

/* Two bytes of each sample, against each other: flat if neither says anything of the other. */
static void assert_independent(const char *what, const struct harvest *h,
                               uint8_t (*one)(const struct sample *),
                               uint8_t (*other)(const struct sample *), uint32_t apart)
{
    static uint32_t bins[PLANE];
    memset(bins, 0, sizeof(bins));
    for (uint32_t i = 0; i + apart < h->count; i++)
        bins[one(&h->samples[i]) * SIDE + other(&h->samples[i + apart])]++;
    assert_even(what, bins, PLANE);
}

static uint8_t isn_high(const struct sample *s)
{
    return (uint8_t)(s->isn >> 24);
}

static uint8_t isn_low(const struct sample *s)
{
    return (uint8_t)s->isn;
}

static uint8_t timestamp_high(const struct sample *s)
{
    return (uint8_t)(s->timestamp >> 24);
}

static uint8_t id_high(const struct sample *s)
{
    return (uint8_t)(s->id >> 8);
}

static uint8_t id_low(const struct sample *s)
{
    return (uint8_t)s->id;
}

static void collect(struct attack *a, const struct hostile_segment *seg)
{
    struct harvest *h = a->context;
    struct sample *s = &h->samples[h->count];
    uint32_t echo;
    if (seg->flags != (HOSTILE_SYN | HOSTILE_ACK))
        return;
    h->count++;
    *s = (struct sample){.isn = seg->seq, .id = seg->id};
    assert_true(hostile_timestamp(seg, &s->timestamp, &echo));
}

/* A SYN from tuple @i, answered, and taken back. */
static void ask(struct attack *a, uint32_t i)
{
    struct hostile_segment seg = {.from = CROWD_ADDRESS + i / 60000,
                                  .from_port = (uint16_t)(1024 + i % 60000),
                                  .to_port = SERVER_PORT,
                                  .seq = 5,
                                  .flags = HOSTILE_SYN,
                                  .window = 1000,
                                  .options = timestamp_option,
                                  .options_length = sizeof(timestamp_option)};
    attack_send(a, &seg);
    seg.flags = HOSTILE_RST;
    seg.seq++;
    seg.options_length = 0;
    attack_send(a, &seg);
    if (i % 256 == 255)
        attack_flush(a);
}

static void gather(struct harvest *h, uint32_t n, uint8_t seed)
{
    struct attack a;
    attack_init(&a);
    a.config.seed[31] = seed;
    attack_start(&a);
    *h = (struct harvest){.samples = calloc(n, sizeof(struct sample))};
    a.context = h;
    a.seen = collect;
    for (uint32_t i = 0; i < n; i++)
        ask(&a, i);
    attack_flush(&a);
    assert_int_equal(h->count, n);
    attack_drop(&a);
}

static uint32_t amount(void)
{
    return attack_scale(1000000, 500000);
}

/* A million ISNs of one instant, from neighbouring tuples: even, and no step between them more likely. A-21. */
static void test_A_21_isn(void **state)
{
    static uint32_t bins[4][SIDE], steps[4][SIDE];
    struct harvest h;
    (void)state;
    gather(&h, amount(), 1);
    for (uint32_t i = 0; i < h.count; i++)
        for (unsigned byte = 0; byte < 4; byte++) {
            bins[byte][h.samples[i].isn >> 8 * byte & 255]++;
            if (i)
                steps[byte][(h.samples[i].isn - h.samples[i - 1].isn) >> 8 * byte & 255]++;
        }
    for (unsigned byte = 0; byte < 4; byte++) {
        assert_even("a byte of the ISN", bins[byte], SIDE);
        assert_even("a byte of the step", steps[byte], SIDE);
    }
    for (uint32_t apart = 1; apart <= 4; apart++)
        assert_independent("ISNs in a row", &h, isn_high, isn_high, apart);
    free(h.samples);
}

/* What we tell a peer by one number says nothing of the others., C-04, C-11. */
static void test_A_23_numbers_are_independent(void **state)
{
    static uint32_t offsets[SIDE], ids[SIDE], low[SIDE];
    struct harvest h;
    (void)state;
    gather(&h, amount(), 2);
    for (uint32_t i = 0; i < h.count; i++) {
        offsets[timestamp_high(&h.samples[i])]++;
        ids[id_high(&h.samples[i])]++;
        low[id_low(&h.samples[i])]++;
    }
    assert_even("timestamps", offsets, SIDE);
    assert_even("IP ID, high", ids, SIDE);
    assert_even("IP ID, low", low, SIDE);
    assert_independent("ISN and timestamp", &h, isn_high, timestamp_high, 0);
    assert_independent("ISN and IP ID", &h, isn_high, id_high, 0);
    assert_independent("ISN and IP ID, low", &h, isn_low, id_low, 0);
    assert_independent("timestamp and IP ID", &h, timestamp_high, id_high, 0);
    assert_independent("IP IDs in a row", &h, id_low, id_low, 1);
    assert_independent("timestamps in a row", &h, timestamp_high, timestamp_high, 1);
    free(h.samples);
}

/* Another boot, the same peers: nothing of what was learnt holds. A-22. */
static void test_A_22_another_key(void **state)
{
    static uint32_t isns[PLANE], offsets[PLANE];
    struct harvest h, g;
    (void)state;
    gather(&h, amount(), 3);
    gather(&g, amount(), 4);
    for (uint32_t i = 0; i < h.count; i++) {
        isns[isn_high(&h.samples[i]) * SIDE + isn_high(&g.samples[i])]++;
        offsets[timestamp_high(&h.samples[i]) * SIDE + timestamp_high(&g.samples[i])]++;
    }
    assert_even("ISNs of two boots", isns, PLANE);
    assert_even("timestamps of two boots", offsets, PLANE);
    free(h.samples);
    free(g.samples);
}

/* One tuple again and again: its own numbers move with the clocks and nothing else. A-21. */
static void test_A_21_isn_of_one_tuple(void **state)
{
    struct attack a;
    struct harvest h = {calloc(2000, sizeof(struct sample)), 0};
    (void)state;
    attack_init(&a);
    attack_start(&a);
    a.context = &h;
    a.seen = collect;
    for (unsigned i = 0; i < 1000; i++) {
        ask(&a, 7);
        ask(&a, 8 + i); /* and others in between */
        attack_run(&a, SANWO_MSEC(1) + SANWO_USEC(attack_random(&a) % 1000 / 4 * 4));
        a.seen = collect;
    }
    for (unsigned i = 2; i < 2000; i += 2) {
        uint32_t step = h.samples[i].isn - h.samples[i - 2].isn;
        assert_in_range(step, 250, 500); /* MUST-8: 4 us */
        assert_int_equal(h.samples[i].id, h.samples[0].id);
        assert_in_range(h.samples[i].timestamp - h.samples[i - 2].timestamp, 1, 2);
    }
    free(h.samples);
    attack_drop(&a);
}

/* ---- ports ------------------------------------------------------------------------------------------------ */

#define PORTS 8192

static uint16_t connect_to(struct attack *a, uint8_t who)
{
    struct sanwo_tcp_connect open = {
        .remote = {.address = sanwo_address_ipv4(12, 0, 0, who), .port = 80}};
    struct sanwo_tcp_info info;
    struct sanwo_handle h;
    assert_int_equal(sanwo_tcp_connect(a->victim, &open, a->now, &h), 0);
    assert_int_equal(sanwo_tcp_info(a->victim, h, &info), 0);
    sanwo_tcp_abort(a->victim, h, a->now);
    return info.local.port;
}

/* Who sees our ports towards itself knows nothing of those towards others, nor how many there were. A-23. */
static void test_A_23_ports(void **state)
{
    static uint32_t towards[64], between[64 * 64];
    struct attack a;
    (void)state;
    attack_init(&a);
    attack_start(&a);
    const uint32_t first = a.config.ephemeral_first;
    const uint32_t count = (uint32_t)a.config.ephemeral_last - first + 1;
    unsigned steps[16] = {0};
    uint32_t last = 0;
    for (unsigned i = 0; i < PORTS; i++) {
        uint32_t mine = connect_to(&a, 1) - first;
        for (uint32_t others = attack_random(&a) % 3; others; others--)
            connect_to(&a, (uint8_t)(2 + attack_random(&a) % 200));
        uint32_t theirs = connect_to(&a, (uint8_t)(2 + i % 200)) - first;
        assert_true(mine < count && theirs < count);
        uint32_t step = (mine + count - last) % count;
        steps[step < 15 ? step : 15]++;
        last = mine;
        towards[(theirs + count - mine) % count * 64 / count]++;
        between[mine * 64 / count * 64 + theirs * 64 / count]++;
    }
    /* Towards itself it sees a counter, but not by how much it counts: two connections to four. */
    for (unsigned i = 0; i < 16; i++)
        assert_true(steps[i] < PORTS / 4);
    /* 200 destinations have 200 offsets: of 64 shares of the range each has some. */
    for (unsigned i = 0; i < 64; i++)
        assert_true(towards[i] < PORTS / 16);
    for (unsigned i = 0; i < 64 * 64; i++)
        assert_true(between[i] < PORTS / 128);
    attack_drop(&a);
}

/* ---- IPv6 flow labels ----------------------------------------------------------------------------------------- */

/* Of 4096 flows each label is its own, and says nothing of the port; a flow keeps its label. A-23. */
static void test_A_23_flow_labels(void **state)
{
    struct peer *p = *state;
    static uint32_t bins[64], plane[16 * 16];
    p->config.max_half_open = 8192;
    peer_listen(p, 0, 1);
    sanwo_tcp_close(p->stack, p->listener, p->now);
    for (uint16_t i = 0; i < 4096; i++) { /* nobody listens any more: resets */
        uint32_t label[2];
        for (unsigned again = 0; again < 2; again++) {
            peer_send_from(p, (uint16_t)(1024 + i), &(struct segment){.flags = SYN});
            assert_non_null(peer_next(p, 0));
            label[again] = hostile_get32(p->last.packet) & 0xfffff;
        }
        assert_int_equal(label[0], label[1]);
        assert_int_not_equal(label[0], 0);
        bins[label[0] >> 14]++;
        plane[i % 16 * 16 + (label[0] >> 16)]++;
        peer_advance(p, 10);
    }
    assert_even("flow labels", bins, 64);
    assert_even("flow labels and ports", plane, 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_A_21_isn),
        cmocka_unit_test(test_A_23_numbers_are_independent),
        cmocka_unit_test(test_A_22_another_key),
        cmocka_unit_test(test_A_21_isn_of_one_tuple),
        cmocka_unit_test(test_A_23_ports),
        {"test_A_23_flow_labels [IPv6]", test_A_23_flow_labels, peer_setup_ipv6, peer_teardown,
         NULL},
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
