/*
 * test_ecn.c - Two stacks over a path that marks: what ECN is for.
 *
 *     sender --> 10 Mbit/s, marks above 16 segments of queue --> receiver     round trip 20 ms
 *
 * RFC 3168, RFC 8257, RFC 9768. What a wire shows segment by segment is in tests/script.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sanwo/loop.h>

#define RATE 10000000
#define DELAY SANWO_MSEC(10)
#define BYTES (2u << 20)
#define PORT 80
#define MARK_ABOVE                                                                                 \
    24000 /* bytes of queue: what the path holds besides, so that a halved window fills it */
#define QUEUE 150000 /* six of them: no slow start of these tests overflows it */
#define PERIOD 251   /* of the bytes sent */

struct end {
    void *region;
    struct sanwo_stack *stack;
    struct sanwo_handle listener, conn;
    uint64_t count; /* bytes sent, or received */
    bool done;
};

struct run {
    struct sanwo_tcp_config sender, receiver;
    struct sanwo_emulator_config network;
    /* results */
    struct sanwo_tcp_info sent, received;
    struct sanwo_emulator_stats stats;
    sanwo_time took;
};

static struct end sender, receiver;
static struct sanwo_virtual *loop;

static void push(struct end *e, sanwo_time now)
{
    uint8_t piece[16 * PERIOD];

    for (size_t i = 0; i < sizeof piece; i++)
        piece[i] = (uint8_t)(i % PERIOD);
    while (e->count < BYTES) {
        size_t at = e->count % PERIOD, length = sizeof piece - at;
        int64_t n;

        if (length > BYTES - e->count)
            length = (size_t)(BYTES - e->count);
        n = sanwo_tcp_send(e->stack, e->conn, piece + at, length, 0, now);
        if (n < 0)
            return;
        e->count += (uint64_t)n;
    }
}

static void pull(struct end *e, sanwo_time now)
{
    uint8_t piece[4096];
    int64_t n;

    while ((n = sanwo_tcp_receive(e->stack, e->conn, piece, sizeof piece, now)) > 0)
        for (int64_t i = 0; i < n; i++, e->count++)
            assert_int_equal(piece[i], e->count % PERIOD);
    e->done = e->count == BYTES;
    if (e->done)
        sanwo_virtual_stop(loop);
}

static void on_event(void *context, struct sanwo_stack *stack, const struct sanwo_event *event,
                     sanwo_time now)
{
    struct end *e = context;

    (void)event;
    if (e == &sender) {
        push(e, now);
        return;
    }
    if (sanwo_handle_is_none(e->conn) && sanwo_tcp_accept(stack, e->listener, NULL, &e->conn) < 0)
        return;
    pull(e, now);
}

static void make_end(struct end *e, const struct sanwo_tcp_config *tcp, struct sanwo_driver *driver,
                     uint8_t number)
{
    struct sanwo_stack_config config;
    struct sanwo_address address = sanwo_address_ipv4(10, 0, 0, number);
    size_t size;
    int link;

    memset(e, 0, sizeof *e);
    sanwo_stack_config_default(&config);
    config.deterministic = true;
    config.max_connections = config.max_half_open = config.max_time_wait = 64;
    config.budget = 8 << 20;
    config.tcp = *tcp;
    size = (sanwo_stack_region_size(&config) + 4095) & ~(size_t)4095;
    e->region = aligned_alloc(4096, size);
    assert_non_null(e->region);
    assert_int_equal(sanwo_stack_create(e->region, size, &config, 0, &e->stack), 0);
    link = sanwo_driver_attach(driver, e->stack);
    assert_true(link >= 0);
    assert_int_equal(sanwo_stack_address_add(e->stack, (unsigned)link, &address, 24), 0);
    assert_int_equal(sanwo_virtual_add_stack(loop, e->stack, on_event, e), 0);
    assert_int_equal(sanwo_virtual_add_driver(loop, driver), 0);
}

static void begin(struct run *r)
{
    memset(r, 0, sizeof *r);
    sanwo_tcp_config_default(&r->sender);
    r->sender.congestion = SANWO_CONGESTION_NEWRENO;
    r->receiver = r->sender;
    r->network.seed = 1;
    r->network.out = (struct sanwo_emulator_path){
        .delay = DELAY, .rate = RATE, .queue = QUEUE, .ecn_mark = MARK_ABOVE};
    r->network.in.delay = DELAY;
}

static void carry_out(struct run *r)
{
    struct sanwo_driver *a, *b, *emulator;
    struct sanwo_tcp_listen listen = {.local = {.port = PORT}};
    struct sanwo_tcp_connect connect = {
        .remote = {.address = sanwo_address_ipv4(10, 0, 0, 2), .port = PORT}};

    assert_int_equal(sanwo_virtual_create(SANWO_SEC(1), &loop), 0);
    assert_int_equal(sanwo_pair_create(1500, 0, 0, &a, &b), 0);
    assert_int_equal(sanwo_emulator_create(a, &r->network, &emulator), 0);
    make_end(&sender, &r->sender, emulator, 1);
    make_end(&receiver, &r->receiver, b, 2);
    assert_int_equal(sanwo_tcp_listen(receiver.stack, &listen, SANWO_SEC(1), &receiver.listener),
                     0);
    assert_int_equal(sanwo_tcp_connect(sender.stack, &connect, SANWO_SEC(1), &sender.conn), 0);
    assert_true(sanwo_virtual_run(loop, SANWO_SEC(61)) >= 0);
    r->took = sanwo_virtual_now(loop) - SANWO_SEC(1);
    assert_true(receiver.done);
    assert_int_equal(sanwo_tcp_info(sender.stack, sender.conn, &r->sent), 0);
    assert_int_equal(sanwo_tcp_info(receiver.stack, receiver.conn, &r->received), 0);
    sanwo_emulator_stats(emulator, &r->stats);
    sanwo_virtual_destroy(loop);
    sanwo_driver_destroy(emulator);
    sanwo_driver_destroy(b);
    free(sender.region);
    free(receiver.region);
}

/* Four fifths of the line, and nothing lost where marks say in time that it is full. */
static void assert_marked_not_lost(const struct run *r)
{
    assert_true(r->stats.marked > 0);
    assert_int_equal(r->stats.queue_dropped, 0);
    assert_int_equal(r->sent.segments_retransmitted, 0);
    assert_true(r->took < SANWO_SEC(1) * BYTES * 8 / RATE * 5 / 4);
}

/* ---- tests ---------------------------------------------------------------------------------------- */

static void test_classic(void **state)
{
    struct run r;

    (void)state;
    begin(&r);
    r.sender.ecn = SANWO_ECN_REQUEST;
    carry_out(&r);
    assert_int_equal(r.sent.ecn, SANWO_ECN_REQUEST);
    assert_int_equal(r.received.ecn, SANWO_ECN_REQUEST);
    assert_marked_not_lost(&r);
    assert_true(r.sent.ssthresh < 1 << 20);
}

static void test_accurate(void **state)
{
    struct run r;

    (void)state;
    begin(&r);
    r.sender.ecn = SANWO_ECN_ACCURATE;
    carry_out(&r);
    assert_int_equal(r.sent.ecn, SANWO_ECN_ACCURATE);
    assert_int_equal(r.received.ecn, SANWO_ECN_ACCURATE);
    assert_false(r.sent.ecn_blocked);
    assert_marked_not_lost(&r);
    /* Counted, not guessed: but for what is still on its way back. */
    assert_int_equal(r.received.marks_received, r.stats.marked);
    assert_true(r.sent.marks_told <= r.stats.marked);
    assert_true(r.sent.marks_told + 16 >= r.stats.marked);
}

/* DCTCP asks for ECN by itself, with either kind of feedback. */
static void test_dctcp(void **state)
{
    struct run r;

    (void)state;
    for (unsigned ecn = SANWO_ECN_ACCEPT; ecn <= SANWO_ECN_ACCURATE; ecn++) {
        begin(&r);
        r.sender.congestion = r.receiver.congestion = SANWO_CONGESTION_DCTCP;
        r.sender.ecn = (uint8_t)ecn;
        carry_out(&r);
        assert_int_equal(r.sent.ecn,
                         ecn == SANWO_ECN_ACCURATE ? SANWO_ECN_ACCURATE : SANWO_ECN_REQUEST);
        assert_marked_not_lost(&r);
    }
}

/*
 * No option reaches the sender, and three ACKs in ten are lost: the flags alone, where they may have gone
 * round. No mark may be missed, but for what is still on its way back.
 */
static void test_flags_alone(void **state)
{
    struct run r;

    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        begin(&r);
        r.network.seed = seed;
        r.network.in.loss_ppm = 300000;
        r.sender.ecn = SANWO_ECN_ACCURATE;
        r.receiver.accurate_option = false;
        carry_out(&r);
        assert_true(r.stats.marked > 0);
        assert_int_equal(r.stats.queue_dropped, 0);
        assert_int_equal(r.received.marks_received, r.stats.marked);
        assert_true(r.sent.marks_told + 4 >= r.stats.marked);
        assert_true(r.sent.marks_told <= 2 * r.stats.marked + 8);
    }
}

/* Without ECN the same queue is a queue: nothing is marked. */
static void test_without(void **state)
{
    struct run r;

    (void)state;
    begin(&r);
    carry_out(&r);
    assert_int_equal(r.sent.ecn, SANWO_ECN_OFF);
    assert_int_equal(r.stats.marked, 0);
    begin(&r);
    r.sender.ecn = SANWO_ECN_ACCURATE;
    r.receiver.ecn = SANWO_ECN_OFF;
    carry_out(&r);
    assert_int_equal(r.sent.ecn, SANWO_ECN_OFF);
    assert_int_equal(r.stats.marked, 0);
}

/* A path that clears all of it, from the first segment on: no ECN, and no harm. */
static void test_a_path_that_clears_the_bits(void **state)
{
    struct run r;

    (void)state;
    for (unsigned ecn = SANWO_ECN_REQUEST; ecn <= SANWO_ECN_ACCURATE; ecn++) {
        begin(&r);
        r.sender.ecn = (uint8_t)ecn;
        r.network.middlebox.bleach_ecn = true;
        carry_out(&r);
        assert_int_equal(r.sent.ecn, SANWO_ECN_OFF);
        assert_int_equal(r.stats.marked, 0);
    }
}

/* Losses besides: bytes arrive, whatever is sent again without ECT. */
static void test_marks_and_losses(void **state)
{
    struct run r;

    (void)state;
    for (unsigned ecn = SANWO_ECN_REQUEST; ecn <= SANWO_ECN_ACCURATE; ecn++) {
        for (uint64_t seed = 1; seed <= 5; seed++) {
            begin(&r);
            r.network.seed = seed;
            r.network.out.loss_ppm = 2000;
            r.network.in.loss_ppm = 100000; /* of ACKs: counters go round unseen */
            r.sender.ecn = (uint8_t)ecn;
            carry_out(&r);
            assert_true(r.stats.marked > 0);
            assert_true(r.sent.segments_retransmitted > 0);
            /* Where counters went round unseen and no option tells, the worst is assumed: once round. */
            assert_true(r.sent.marks_told <= r.received.marks_received + 8);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classic),
        cmocka_unit_test(test_accurate),
        cmocka_unit_test(test_dctcp),
        cmocka_unit_test(test_flags_alone),
        cmocka_unit_test(test_without),
        cmocka_unit_test(test_a_path_that_clears_the_bits),
        cmocka_unit_test(test_marks_and_losses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
