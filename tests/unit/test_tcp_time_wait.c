/*
 * test_tcp_time_wait.c - Records of 64 bytes for 2 MSL: how long, how many, who may reuse them.
 */
#include "test_tcp_support.h"

_Static_assert(sizeof(struct tcp_time_wait) <= 64, "design.md 4");

static uint64_t two_msl(const struct rig *r)
{
    return (uint64_t)(2 * r->tcp.config.msl);
}

/* A connection of that tuple ends in TIME-WAIT, its user gone: a record. */
static struct tcp_time_wait *record(struct rig *r, const struct tcp_tuple *tuple)
{
    struct tcp_connection *c = rig_connection(r, tuple, SANWO_TCP_TIME_WAIT, 5000, 9000);

    assert_true(sw_tcp_time_wait_create(&r->tcp, c));
    rig_discard(r, c);
    struct tcp_found found = sw_tcp_demux_find(&r->tcp, tuple);
    assert_int_equal(found.name & 3, TCP_KIND_TIME_WAIT);
    return found.object;
}

static bool there(struct rig *r, unsigned n)
{
    struct tcp_tuple tuple = rig_tuple(n);

    return sw_tcp_demux_find(&r->tcp, &tuple).name != 0;
}

/* Never before 2 MSL, and at most a hundredth (and a timer tick) later, driven by the deadline. */
static void test_lasts_two_msl(void **state)
{
    (void)state;
    const sanwo_time msls[] = {SANWO_MSEC(1), SANWO_SEC(1), SANWO_SEC(30), SANWO_SEC(3600)};

    for (size_t m = 0; m < SW_COUNT(msls); m++) {
        struct sanwo_stack_config config = rig_config();
        config.tcp.msl = msls[m];
        struct rig *r = rig_with(&config);
        struct dice d = dice_of(__func__);
        sanwo_time made[200];
        for (unsigned i = 0; i < 200; i++) {
            r->tcp.now += (sanwo_time)roll(&d, 1000) * (msls[m] / 20000);
            struct tcp_tuple tuple = rig_tuple(i);
            record(r, &tuple);
            made[i] = r->tcp.now;
        }
        while (r->tcp.time_wait.live) {
            sanwo_time deadline = sw_tcp_time_wait_deadline(&r->tcp);
            assert_true(deadline >= r->tcp.now);
            r->tcp.now = deadline;
            sw_tcp_time_wait_expire(&r->tcp);
            for (unsigned i = 0; i < 200; i++) {
                uint64_t age = (uint64_t)(r->tcp.now - made[i]);
                if (there(r, i))
                    assert_true(age <= two_msl(r) + two_msl(r) / 100 + 2);
                else
                    assert_true(age >= two_msl(r));
            }
        }
        assert_int_equal(sw_tcp_time_wait_deadline(&r->tcp), SANWO_TIME_NEVER);
        assert_int_equal(r->tcp.counters.reasons[SANWO_REASON_TIME_WAIT_OVER], 200);
        rig_end(r);
    }
}

/* The clock jumps and nobody ran timers meanwhile: what is made then lasts as long as ever. */
static void test_clock_jumps(void **state)
{
    (void)state;
    const sanwo_time jumps[] = {SANWO_SEC(1),     SANWO_SEC(16),      SANWO_SEC(17),
                                SANWO_SEC(40),    SANWO_SEC(60),      SANWO_SEC(76),
                                SANWO_SEC(77),    SANWO_SEC(137),     SANWO_SEC(600),
                                SANWO_SEC(86400), SANWO_SEC(1u << 30)};

    for (size_t i = 0; i < SW_COUNT(jumps); i++) {
        struct rig *r = rig_new();
        struct tcp_tuple first = rig_tuple(0), second = rig_tuple(1);
        record(r, &first);
        r->tcp.now += jumps[i];
        record(r, &second);
        sanwo_time made = r->tcp.now;
        sw_tcp_time_wait_expire(&r->tcp);
        if (jumps[i] < SANWO_SEC(60) || jumps[i] > SANWO_SEC(61))
            assert_int_equal(there(r, 0), jumps[i] < SANWO_SEC(60));
        if (!there(r, 1))
            fail_msg("a record made after a pause of %lld s is gone",
                     (long long)jumps[i] / SANWO_SEC(1));
        r->tcp.now = made + (sanwo_time)two_msl(r) - 1;
        sw_tcp_time_wait_expire(&r->tcp);
        assert_true(there(r, 1));
        r->tcp.now = made + (sanwo_time)(two_msl(r) + two_msl(r) / 100 + 2);
        sw_tcp_time_wait_expire(&r->tcp);
        assert_false(there(r, 1));
        rig_end(r);
    }
}

/* The one that would end first makes room (B-14). */
static void test_eviction(void **state)
{
    (void)state;
    struct sanwo_stack_config config = rig_config();
    config.max_time_wait = 8;
    struct rig *r = rig_with(&config);

    for (unsigned i = 0; i < 40; i++) {
        struct tcp_tuple tuple = rig_tuple(i);
        r->tcp.now += SANWO_SEC(2);
        record(r, &tuple);
        assert_true(r->tcp.time_wait.live <= 8);
        for (unsigned n = 0; n <= i; n++)
            assert_int_equal(there(r, n), n + 8 > i);
    }
    assert_int_equal(r->tcp.counters.reasons[SANWO_REASON_TIME_WAIT_EVICTED], 32);
    rig_end(r);
}

/* Made, restarted, reused, expired in any order: the lists in the buckets stay whole. */
static void test_links(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct dice d = dice_of(__func__);
    bool model[100] = {false};
    sanwo_time since[100] = {0};

    for (int step = 0; step < 4000; step++) {
        unsigned i = roll(&d, 100);
        struct tcp_tuple tuple = rig_tuple(i);
        if (roll(&d, 4) == 0)
            r->tcp.now += SANWO_MSEC(roll(&d, 2000));
        sw_tcp_time_wait_expire(&r->tcp);
        for (unsigned n = 0; n < 100; n++)
            model[n] = model[n] && there(r, n);
        if (!model[i]) {
            record(r, &tuple);
        } else { /* the FIN again: 2 MSL anew */
            struct tcp_found found = sw_tcp_demux_find(&r->tcp, &tuple);
            struct tcp_segment seg = {.tuple = tuple,
                                      .seq = tcp_seq_of(8999),
                                      .flags = TCP_FIN | TCP_ACK,
                                      .destination_is_ours = true};
            sw_wire_tcp_options_none(&seg.options);
            assert_true(sw_tcp_time_wait_input(&r->tcp, found.object, &seg));
        }
        model[i] = true;
        since[i] = r->tcp.now;
        for (unsigned n = 0; n < 100; n++)
            if (model[n] && r->tcp.now - since[n] < (sanwo_time)two_msl(r))
                assert_true(there(r, n));
    }
    r->tcp.now += SANWO_SEC(61);
    sw_tcp_time_wait_expire(&r->tcp);
    assert_int_equal(r->tcp.time_wait.live, 0);
    assert_int_equal(r->tcp.table.entries, 0);
    rig_end(r);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_tuple tuple = rig_tuple(0);
    struct tcp_connection *c = rig_connection(r, &tuple, SANWO_TCP_TIME_WAIT, 1, 1);

    r->region.fault_countdown = 1;
    assert_false(sw_tcp_time_wait_create(&r->tcp, c));
    assert_int_equal(c->in_table, 1);
    assert_int_equal(sw_tcp_demux_find(&r->tcp, &tuple).name & 3, TCP_KIND_CONNECTION);
    rig_end(r);
}

/* The zone of a link-local peer survives in the record, whatever else its address says. */
static void test_zone(void **state)
{
    (void)state;
    const char *const peers[] = {"fe80::2", "febf::2", "fe80:102::2", "fe80:1:2:3::4",
                                 "2001:db8::1"};

    for (size_t i = 0; i < SW_COUNT(peers); i++) {
        struct rig *r = rig_new();
        struct sanwo_address local = rig_address(i < 4 ? "fe80::1" : "2001:db8::2");
        struct sanwo_address remote = rig_address(peers[i]);
        local.zone = remote.zone = i < 4 ? 3 : 0;
        struct tcp_tuple tuple = sw_tcp_tuple(&local, 80, &remote, 1234);
        struct tcp_connection *c = rig_connection(r, &tuple, SANWO_TCP_TIME_WAIT, 1, 1);
        if (sw_tcp_time_wait_create(&r->tcp, c)) { /* or none at all */
            rig_discard(r, c);
            struct tcp_found found = sw_tcp_demux_find(&r->tcp, &tuple);
            assert_int_equal(found.name & 3, TCP_KIND_TIME_WAIT);
            struct tcp_tuple back = sw_tcp_time_wait_tuple(found.object);
            assert_true(sw_tcp_tuple_equal(&back, &tuple));
            r->tcp.now += SANWO_SEC(61);
            sw_tcp_time_wait_expire(&r->tcp);
            assert_int_equal(r->tcp.time_wait.live, 0);
        } else {
            rig_discard(r, c);
        }
        assert_int_equal(r->tcp.table.entries, 0);
        rig_end(r);
    }
}

/* RFC 9293 3.10.7.4, RFC 1337 3, RFC 6191 2. RCV.NXT is 0xfffffff0. */
static void test_judge(void **state)
{
    (void)state;
    const struct {
        int32_t seq; /* from RCV.NXT */
        uint32_t length;
        uint8_t flags;
        bool timestamps, option;
        int32_t ts; /* from TS.Recent */
        enum tcp_time_wait_action action;
    } rows[] = {
        {0, 0, TCP_RST, false, false, 0, TIME_WAIT_IGNORE},
        {0, 0, TCP_RST | TCP_ACK, true, true, 5, TIME_WAIT_IGNORE},
        {-1, 0, TCP_FIN | TCP_ACK, false, false, 0, TIME_WAIT_RESTART},
        {-11, 10, TCP_FIN | TCP_ACK, false, false, 0, TIME_WAIT_RESTART},
        {-1, 0, TCP_FIN | TCP_ACK, true, true, 0, TIME_WAIT_RESTART},
        {-1, 0, TCP_FIN | TCP_ACK, true, true, -1, TIME_WAIT_ACK}, /* PAWS */
        {0, 0, TCP_ACK, false, false, 0, TIME_WAIT_IGNORE},        /* B-24 */
        {0, 10, TCP_ACK, false, false, 0, TIME_WAIT_ACK},
        {1, 0, TCP_SYN, false, false, 0, TIME_WAIT_REUSE},
        {0, 0, TCP_SYN, false, false, 0, TIME_WAIT_REUSE}, /* above its FIN */
        {-1, 0, TCP_SYN, false, false, 0, TIME_WAIT_ACK},
        {INT32_MAX - 1, 0, TCP_SYN, false, false, 0, TIME_WAIT_REUSE},
        {INT32_MIN, 0, TCP_SYN, false, false, 0, TIME_WAIT_ACK},
        {-1000, 0, TCP_SYN, true, true, 1, TIME_WAIT_REUSE}, /* newer by the clock */
        {-1000, 0, TCP_SYN, true, true, 0, TIME_WAIT_ACK},
        {1, 0, TCP_SYN, true, true, 0, TIME_WAIT_REUSE},
        {1, 0, TCP_SYN, true, true, -1, TIME_WAIT_ACK},
        {1, 0, TCP_SYN, true, false, 0, TIME_WAIT_REUSE},
        {1, 0, TCP_SYN, false, true, -50, TIME_WAIT_REUSE},
        {1, 0, TCP_SYN | TCP_ACK, false, false, 0, TIME_WAIT_ACK},
    };
    const uint32_t recents[] = {100, 0xffffffff, 0x7fffffff};

    for (size_t t = 0; t < SW_COUNT(recents); t++) {
        for (size_t i = 0; i < SW_COUNT(rows); i++) {
            struct tcp_time_wait_view view = {.rcv_nxt = tcp_seq_of(0xfffffff0),
                                              .timestamps = rows[i].timestamps,
                                              .ts_recent = recents[t]};
            struct tcp_segment seg = {.seq = tcp_seq_of(0xfffffff0 + (uint32_t)rows[i].seq),
                                      .length = rows[i].length,
                                      .flags = rows[i].flags};
            sw_wire_tcp_options_none(&seg.options);
            seg.options.timestamps = rows[i].option;
            seg.options.ts_value = recents[t] + (uint32_t)rows[i].ts;
            if (sw_tcp_time_wait_judge(&view, &seg) != rows[i].action)
                fail_msg("row %zu, TS.Recent %u", i, recents[t]);
        }
    }
}

/* What is answered, with what numbers; a reusing SYN needs somebody who listens. */
static void test_input(void **state)
{
    (void)state;
    for (int listens = 0; listens < 2; listens++) {
        struct rig *r = rig_new();
        struct tcp_tuple tuple = rig_tuple(0);
        struct tcp_time_wait *tw = record(r, &tuple);
        struct tcp_listener *listener;
        struct sanwo_tcp_listen open = {.local = {.port = 80}};
        struct tcp_outgoing out;
        if (listens)
            assert_int_equal(sw_tcp_listen(&r->tcp, &open, &listener), 0);
        struct tcp_segment seg = {.tuple = tuple,
                                  .seq = tcp_seq_of(8000),
                                  .length = 100,
                                  .flags = TCP_ACK,
                                  .destination_is_ours = true};
        sw_wire_tcp_options_none(&seg.options);
        assert_true(sw_tcp_time_wait_input(&r->tcp, tw, &seg));
        assert_true(sw_tcp_poll_reply(&r->tcp, &out));
        assert_int_equal(out.flags, TCP_ACK);
        assert_int_equal(out.seq.raw, 5000);
        assert_int_equal(out.ack.raw, 9000);
        seg.length = 0;
        seg.flags = TCP_SYN;
        seg.seq = tcp_seq_of(9001);
        assert_int_equal(sw_tcp_time_wait_input(&r->tcp, tw, &seg), !listens);
        assert_int_equal(r->tcp.time_wait.live, !listens);
        assert_int_equal(sw_tcp_poll_reply(&r->tcp, &out), !listens); /* an ACK, as ever */
        rig_end(r);
    }
}

/* A last timestamp of zero is one like any other: the record knows that there were some. */
static void test_timestamp_of_zero(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_tuple tuple = rig_tuple(0);
    struct tcp_connection *c = rig_connection(r, &tuple, SANWO_TCP_TIME_WAIT, 1, 1);

    c->timestamps = 1;
    c->receive.ts_recent = 0;
    assert_true(sw_tcp_time_wait_create(&r->tcp, c));
    struct tcp_found found = sw_tcp_demux_find(&r->tcp, &tuple);
    assert_int_equal(found.name & 3, TCP_KIND_TIME_WAIT);
    assert_int_not_equal(((const struct tcp_time_wait *)found.object)->ts_recent, 0);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lasts_two_msl),
        cmocka_unit_test(test_clock_jumps),
        cmocka_unit_test(test_eviction),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_zone),
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_input),
        cmocka_unit_test(test_timestamp_of_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
