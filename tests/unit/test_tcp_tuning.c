/*
 * test_tcp_tuning.c - Buffers that follow the path, what is measured for it, and giving that back.
 */
#include "test_tcp_support.h"

#include "tcp/connection/limited.h"
#include "tcp/connection/meter.h"
#include "tcp/receive/tuning.h"
#include "tcp/send/send_buffer.h"

#define KIB 1024u
#define MIB (1024u * 1024u)

static struct rig_frame frame;
static uint8_t stream[1 << 17];

/* ---- the receiver ------------------------------------------------------------------------- */

/* ESTABLISHED; the buffer may be from 64 KiB to 1 MiB. Its share of the region is about 1.5 MiB. */
static struct tcp_connection *open_receiver(struct rig *r, uint32_t rcv, bool timestamps)
{
    struct tcp_connection *c = rig_open(r, 1, rcv);

    r->tcp.config.receive_buffer_start = 64 * KIB;
    r->tcp.config.receive_buffer_max = MIB;
    c->receive.scale = 7;
    c->window_scaling = 1;
    c->timestamps = timestamps;
    c->receive.mss = 1000;
    return c;
}

/* @length bytes arrive in order, echoing what our clock said @ago before now. */
static void arrive(struct rig *r, struct tcp_connection *c, uint32_t length, sanwo_time ago)
{
    while (length) {
        uint32_t part = length < 1000 ? length : 1000;
        struct tcp_segment seg = rig_segment(r, c, c->receive.rcv_nxt.raw, TCP_ACK);
        struct sanwo_slice slice;

        rig_payload(&seg, &slice, stream, part);
        seg.options.timestamps = c->timestamps;
        seg.options.ts_value = (uint32_t)(r->tcp.now / 1000000);
        seg.options.ts_echo = (uint32_t)((r->tcp.now - ago) / 1000000) + c->ts_offset;
        c->receive.rcv_adv = tcp_seq_add(c->receive.rcv_nxt, 1 << 20); /* room enough */
        sw_tcp_deliver(&r->tcp, c, &seg);
        length -= part;
    }
}

static void take(struct rig *r, struct tcp_connection *c, uint32_t length)
{
    static uint8_t out[1 << 20];

    assert_int_equal(sw_tcp_receive_queue_read(&r->tcp, c, out, length), length);
    sw_tcp_window_on_read(&r->tcp, c);
}

/* Each round trip of 100 ms brings, and the user takes, so many bytes: what the buffer is then. */
static void test_follows_the_reader(void **state)
{
    (void)state;
    const struct {
        uint32_t taken[5], limit[5];
    } rows[] = {
        /* Twice what was taken, and 16 segments; where it grew, as much again at most. */
        {{40000, 40000, 40000, 40000, 40000}, {96000, 96000, 96000, 96000, 96000}},
        {{20000, 40000, 80000, 80000, 80000}, {65536, 192000, 352000, 352000, 352000}},
        {{40000, 50000, 50000, 0, 0}, {96000, 145000, 145000, 145000, 145000}},
        {{1000, 1000, 1000, 1000, 1000}, {65536, 65536, 65536, 65536, 65536}},
        {{90000, 10000, 60000, 0, 60000}, {196000, 196000, 196000, 196000, 196000}},
        /* Never beyond the configured most. */
        {{100000, 200000, 400000, 0, 0}, {216000, 832000, MIB, MIB, MIB}},
    };
    const uint32_t starts[] = {1, 0xffff0000, 0x7fffffff};

    for (size_t s = 0; s < SW_COUNT(starts); s++) {
        for (size_t i = 0; i < SW_COUNT(rows); i++) {
            struct rig *r = rig_new();
            struct tcp_connection *c = open_receiver(r, starts[s], true);
            arrive(r, c, 1000, SANWO_MSEC(100)); /* the round trip is known, the reader begins */
            take(r, c, 1000);
            r->tcp.now += SANWO_MSEC(100);
            c->receive.limit = 0;
            sw_tcp_meter(&r->tcp, c)->tuning.taken = 0;
            for (int n = 0; n < 5; n++) {
                struct tcp_tuning *t = &sw_tcp_meter(&r->tcp, c)->tuning;
                t->read_since = r->tcp.now;
                t->read_from = tcp_seq_subtract(c->receive.rcv_nxt, c->receive.queued);
                r->tcp.now += SANWO_MSEC(100);
                arrive(r, c, rows[i].taken[n], SANWO_MSEC(100));
                take(r, c, rows[i].taken[n]);
                if (sw_tcp_receive_limit(&r->tcp, c) != rows[i].limit[n])
                    fail_msg("row %zu, round trip %d: %u", i, n, sw_tcp_receive_limit(&r->tcp, c));
            }
            rig_end(r);
        }
    }
}

/* Who reads nothing is promised nothing more, however much comes. */
static void test_no_reader(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = open_receiver(r, 0xfffff000, true);

    for (int i = 0; i < 50; i++) {
        arrive(r, c, 10000, SANWO_MSEC(10));
        r->tcp.now += SANWO_MSEC(10);
    }
    assert_int_equal(sw_tcp_receive_limit(&r->tcp, c), 64 * KIB);
    take(r, c, 1000); /* and a little does not make up for it */
    r->tcp.now += SANWO_MSEC(20);
    take(r, c, 1000);
    assert_int_equal(sw_tcp_receive_limit(&r->tcp, c), 64 * KIB);
    rig_end(r);
}

/* Reads `rounds` round trips of 100 ms, each @bytes. */
static void read_much(struct rig *r, struct tcp_connection *c, int rounds, uint32_t bytes)
{
    for (int i = 0; i < rounds; i++) {
        arrive(r, c, bytes, SANWO_MSEC(100));
        take(r, c, bytes);
        r->tcp.now += SANWO_MSEC(100);
    }
}

/* A size that was set stays, and so does what bounds a window. */
static void test_bounds(void **state)
{
    (void)state;
    const struct {
        uint32_t fixed, start, most, clamp, limit;
    } rows[] = {
        {30000, 64 * KIB, MIB, 0, 30000},      {0, 64 * KIB, MIB, 50000, 50000},
        {0, 64 * KIB, MIB, 100000, 100000},    {0, 64 * KIB, 20000, 0, 20000},
        {500000, 64 * KIB, 20000, 0, 500000},  {0, 64 * KIB, 100000, 0, 100000},
        {500000, 64 * KIB, MIB, 40000, 40000},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = open_receiver(r, 5, true);
        struct sanwo_tcp_config *config = &r->tcp.config;
        config->receive_buffer = rows[i].fixed;
        config->receive_buffer_start = rows[i].start;
        config->receive_buffer_max = rows[i].most;
        config->window_clamp = rows[i].clamp;
        read_much(r, c, 8, 100000);
        if (sw_tcp_receive_limit(&r->tcp, c) != rows[i].limit)
            fail_msg("row %zu: %u", i, sw_tcp_receive_limit(&r->tcp, c));
        rig_end(r);
    }
}

/* A quarter of what others leave below the mark where memory is short. */
static void test_share_of_memory(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = open_receiver(r, 5, true);
    uint32_t others = (uint32_t)r->region.used;

    r->region.budget = (others + 4 * 150000u) / 3 * 4;
    read_much(r, c, 8, 100000);
    /* Buffers and the meter count too. */
    assert_in_range(sw_tcp_receive_limit(&r->tcp, c), 145000, 150000);
    rig_end(r);
}

/* What a peer writes into its echo is no measure of memory: absurd ones are passed over. */
static void test_false_echoes(void **state)
{
    (void)state;
    const sanwo_time agos[] = {-SANWO_SEC(5), SANWO_SEC(61), SANWO_SEC(1000000)};

    for (size_t i = 0; i < SW_COUNT(agos); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = open_receiver(r, 5, true);
        arrive(r, c, 5000, agos[i]);
        assert_non_null(sw_tcp_meter(&r->tcp, c));
        assert_int_equal(sw_tcp_meter(&r->tcp, c)->tuning.rtt, 0);
        take(r, c, 5000);
        rig_end(r);
    }
}

/* The shortest counts at once, longer ones slowly; an echo counts once; a small segment does not. */
static void test_round_trip(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = open_receiver(r, 5, true);

    arrive(r, c, 1000, SANWO_MSEC(80));
    struct tcp_tuning *t = &sw_tcp_meter(&r->tcp, c)->tuning;
    assert_int_equal(t->rtt, 80000);
    r->tcp.now += SANWO_MSEC(40);
    arrive(r, c, 1000, SANWO_MSEC(120)); /* the same echo again */
    assert_int_equal(t->rtt, 80000);
    arrive(r, c, 1000, SANWO_MSEC(20));
    assert_int_equal(t->rtt, 20000);
    arrive(r, c, 1000, SANWO_MSEC(100));
    assert_int_equal(t->rtt, 30000);
    arrive(r, c, 10, SANWO_MSEC(1));
    assert_int_equal(t->rtt, 30000);
    arrive(r, c, 1000, 0); /* below the clock's grain */
    assert_int_equal(t->rtt, 1000);
    rig_end(r);
}

/* Without timestamps: how long a window takes to arrive. */
static void test_round_trip_by_window(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = open_receiver(r, 0xffffff00, false);
    struct tcp_segment seg = rig_segment(r, c, c->receive.rcv_nxt.raw, TCP_ACK);
    struct sanwo_slice slice;

    for (int i = 0; i < 41; i++) {
        c->receive.rcv_adv = tcp_seq_add(c->receive.rcv_nxt, 20000);
        seg = rig_segment(r, c, c->receive.rcv_nxt.raw, TCP_ACK);
        rig_payload(&seg, &slice, stream, 1000);
        sw_tcp_deliver(&r->tcp, c, &seg);
        r->tcp.now += SANWO_MSEC(2);
    }
    assert_in_range(sw_tcp_meter(&r->tcp, c)->tuning.rtt, 36000, 40000);
    rig_end(r);
}

/* ---- the sender --------------------------------------------------------------------------- */

static void test_send_limit(void **state)
{
    (void)state;
    const struct {
        uint32_t fixed, start, most, cwnd, limit;
    } rows[] = {
        {0, MIB, 64 * MIB, 14480, MIB},         {0, MIB, 64 * MIB, MIB / 2, MIB},
        {0, MIB, 64 * MIB, 600000, 1200000},    {0, MIB, 1100000, 600000, 1100000},
        {5000, MIB, 64 * MIB, 600000, 5000},    {0, MIB, 2000, 14480, 2000},
        {0, 16 * KIB, 64 * MIB, 14480, 28960},  {0, 16 * KIB, 64 * MIB, 2000, 16 * KIB},
        {0, MIB, 1 << 30, CWND_LIMIT, 1 << 20}, /* of this region's share: set below */
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 0xffffff00, 1);
        r->tcp.config.send_buffer = rows[i].fixed;
        r->tcp.config.send_buffer_start = rows[i].start;
        r->tcp.config.send_buffer_max = rows[i].most;
        c->cc.cwnd = rows[i].cwnd;
        if (rows[i].cwnd == CWND_LIMIT)
            r->region.budget = r->region.used; /* nothing is free: the start, and no more */
        if (sw_tcp_send_buffer_limit(&r->tcp, c) != rows[i].limit)
            fail_msg("row %zu: %u", i, sw_tcp_send_buffer_limit(&r->tcp, c));
        rig_end(r);
    }
}

/* What one queues is not held against it: two thirds of a share stay within that share. */
static void test_send_share_counts_others(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);

    r->tcp.config.send_buffer_start = 4 * KIB;
    c->cc.cwnd = CWND_LIMIT;
    uint32_t before = sw_tcp_send_buffer_limit(&r->tcp, c);
    assert_in_range(before, MIB, 2 * MIB);
    rig_send(r, c, MIB);
    assert_in_range(sw_tcp_send_buffer_limit(&r->tcp, c), before - before / 8, before);
    rig_end(r);
}

/* A user waits for a quarter of a small buffer, of a large one for 256 KiB. */
static void test_worth_waking(void **state)
{
    (void)state;
    const struct {
        uint32_t buffer, queued;
        bool writable;
    } rows[] = {
        {4000, 3000, true},
        {4000, 3001, false},
        {1024, 1023, false},
        {MIB, 786432, true},
        {MIB, 786433, false},
        {2 * MIB, 786432, true},
        {2 * MIB, MIB, true},
        {MIB + MIB / 8, MIB - MIB / 8, true},
        {MIB + MIB / 8, MIB - MIB / 8 + 1, false},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 0xfffffff0, 1);
        r->tcp.config.send_buffer = rows[i].buffer;
        rig_send(r, c, rows[i].queued);
        c->want_write = 1;
        sw_tcp_send_buffer_tell(&r->tcp, c);
        if ((c->want_write == 0) != rows[i].writable)
            fail_msg("row %zu", i);
        assert_int_equal((c->events & SANWO_EVENT_WRITABLE) != 0, rows[i].writable);
        rig_end(r);
    }
}

static void test_unsent_limit(void **state)
{
    (void)state;
    const struct {
        uint32_t limit, unsent, space;
        bool writable;
    } rows[] = {
        {0, 500000, MIB - 500000, true},
        {0, 900000, MIB - 900000, false},
        {10000, 0, 75536, true},
        {10000, 5000, 70536, true},
        {10000, 5001, 70535, false},
        {10000, 9999, 65537, false},
        {10000, 10000, 0, false},
        {10000, 500000, 0, false},
        {1, 0, 65537, true},
        {1, 1, 0, false},
        {MIB, 500000, MIB - 500000, true},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 0xfffffff0, 1);
        r->tcp.config.unsent_limit = rows[i].limit;
        c->cc.cwnd = 20000;
        rig_send(r, c, rows[i].unsent);
        assert_int_equal(sw_tcp_send_buffer_space(&r->tcp, c), rows[i].space);
        if (sw_tcp_send_buffer_is_writable(&r->tcp, c) != rows[i].writable)
            fail_msg("row %zu", i);
        rig_end(r);
    }
}

/* With that limit it is sending that makes room, so sending tells. */
static void test_room_is_told_when_it_is_sent(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = rig_open(r, 1, 1);

    r->tcp.config.unsent_limit = 2000;
    rig_send(r, c, 4000);
    c->want_write = 1;
    assert_true(rig_output(r, c, &frame));
    assert_true(rig_output(r, c, &frame)); /* 2000 are left: more than half of it */
    assert_false(c->events & SANWO_EVENT_WRITABLE);
    assert_true(rig_output(r, c, &frame));
    assert_true(c->events & SANWO_EVENT_WRITABLE);
    assert_int_equal(c->want_write, 0);
    rig_end(r);
}

/* ---- the meter ---------------------------------------------------------------------------- */

/* It is there with the first data, and gone when that is long past; unread data keeps it. */
static void test_meter_comes_and_goes(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = open_receiver(r, 5, false);
    uint64_t before = r->region.used;

    assert_null(sw_tcp_meter(&r->tcp, c));
    assert_true(sw_tcp_meters_deadline(&r->tcp) == SANWO_TIME_NEVER);
    arrive(r, c, 1000, 0);
    assert_non_null(sw_tcp_meter(&r->tcp, c));
    assert_int_equal(sw_tcp_meters_deadline(&r->tcp), r->tcp.now + SANWO_SEC(60));
    for (int i = 0; i < 3; i++) {
        r->tcp.now += SANWO_SEC(60);
        sw_tcp_meters_expire(&r->tcp);
        assert_non_null(sw_tcp_meter(&r->tcp, c)); /* the user has not read it */
        assert_int_equal(sw_tcp_meters_deadline(&r->tcp), r->tcp.now + SANWO_SEC(60));
    }
    take(r, c, 1000);
    sw_tcp_receive_queue_clear(&r->tcp, c);
    r->tcp.now += SANWO_SEC(60) - 1;
    sw_tcp_meters_expire(&r->tcp);
    assert_non_null(sw_tcp_meter(&r->tcp, c));
    r->tcp.now += 1;
    sw_tcp_meters_expire(&r->tcp);
    assert_null(sw_tcp_meter(&r->tcp, c));
    assert_true(sw_tcp_meters_deadline(&r->tcp) == SANWO_TIME_NEVER);
    rig_settled(r, before);
    rig_end(r);
}

/* Any of them may go first; the rest stay in the queue, the longest at rest in front. */
static void test_many_meters(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct dice d = dice_of(__func__);
    struct tcp_connection *all[50];
    uint64_t before = r->region.used;

    for (unsigned i = 0; i < 50; i++) {
        struct tcp_tuple tuple = rig_tuple(i);
        all[i] = rig_connection(r, &tuple, SANWO_TCP_ESTABLISHED, 1, 1);
    }
    uint64_t with = r->region.used;
    for (unsigned i = 0; i < 2000; i++) {
        unsigned k = roll(&d, 50);
        r->tcp.now += SANWO_MSEC(roll(&d, 3000));
        sw_tcp_meters_expire(&r->tcp);
        if (roll(&d, 4) == 0)
            sw_tcp_meter_release(&r->tcp, all[k]);
        else if (sw_tcp_meter_need(&r->tcp, all[k]))
            sw_tcp_meter_data_in(&r->tcp, all[k]);
        unsigned live = 0, linked = 0;
        for (unsigned n = 0; n < 50; n++)
            live += all[n]->meter != 0;
        for (region_ref at = r->tcp.meters.oldest; at; linked++)
            at = ((struct tcp_meter *)sw_region_at(&r->region, at))->newer;
        assert_int_equal(live, linked);
        assert_int_equal(r->region.used, with + live * UINT64_C(256));
    }
    for (unsigned i = 0; i < 50; i++)
        rig_discard(r, all[i]);
    assert_int_equal(r->tcp.meters.oldest, 0);
    assert_int_equal(r->tcp.meters.newest, 0);
    assert_in_range(r->region.used, before, with);
    rig_end(r);
}

/* Without memory nothing is measured, and nothing else is different. */
static void test_no_memory_for_it(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_connection *c = open_receiver(r, 5, true);
    struct sanwo_tcp_info i;

    r->region.fault_countdown = 1;
    arrive(r, c, 1000, SANWO_MSEC(10));
    assert_null(sw_tcp_meter(&r->tcp, c));
    take(r, c, 1000);
    sw_tcp_limited_update(&r->tcp, c);
    sw_tcp_info(&r->tcp, c, &i);
    assert_int_equal(i.bytes_received, 1000);
    assert_int_equal(i.data_segments_in, 0);
    assert_int_equal(i.receive_limit, 64 * KIB);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_follows_the_reader),
        cmocka_unit_test(test_no_reader),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_share_of_memory),
        cmocka_unit_test(test_false_echoes),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_round_trip_by_window),
        cmocka_unit_test(test_send_limit),
        cmocka_unit_test(test_send_share_counts_others),
        cmocka_unit_test(test_worth_waking),
        cmocka_unit_test(test_unsent_limit),
        cmocka_unit_test(test_room_is_told_when_it_is_sent),
        cmocka_unit_test(test_meter_comes_and_goes),
        cmocka_unit_test(test_many_meters),
        cmocka_unit_test(test_no_memory_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
