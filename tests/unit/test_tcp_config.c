/*
 * test_tcp_config.c - Defaults, limits and options of a configuration, and sharing it.
 */
#include "test_tcp_support.h"

static struct sanwo_tcp_config defaults(void)
{
    struct sanwo_tcp_config c;

    sanwo_tcp_config_default(&c);
    return c;
}

/* What the RFC or sanwo/tcp.h promises of the defaults. */
static void test_defaults(void **state)
{
    (void)state;
    struct sanwo_tcp_config c = defaults();

    assert_true(sw_tcp_config_is_valid(&c));
    assert_true(c.nagle && c.soft_errors && c.offer_sack && c.offer_timestamps);
    assert_false(c.keepalive);                           /* MUST-25 */
    assert_int_equal(c.keepalive_idle, SANWO_SEC(7200)); /* MUST-28 */
    assert_true(c.delayed_ack < SANWO_MSEC(500));        /* MUST-40 */
    assert_int_equal(c.ttl, 64);                         /* MUST-49 */
    assert_int_equal(c.rto_initial, SANWO_SEC(1));       /* RFC 6298 2.1 */
    assert_true(c.rto_maximum >= SANWO_SEC(60));         /* RFC 6298 2.5 */
    sanwo_time total = 0, rto = c.rto_initial;
    for (int i = 0; i <= c.syn_retries; i++, rto *= 2)
        total += rto < c.rto_maximum ? rto : c.rto_maximum;
    assert_true(total >= SANWO_SEC(180)); /* MUST-23 */
}

static void put(struct sanwo_tcp_config *c, size_t offset, size_t size, int64_t value)
{
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    uint8_t *at = (uint8_t *)c + offset;

    memcpy(at,
           size == 1   ? (void *)&u8
           : size == 2 ? (void *)&u16
           : size == 4 ? (void *)&u32
                       : (void *)&value,
           size);
}

/* Each field alone: the ends of its range are taken, what lies beyond is refused. */
static void test_each_limit(void **state)
{
    (void)state;
#define F(name) offsetof(struct sanwo_tcp_config, name), sizeof(defaults().name)
#define NONE INT64_MIN
    const struct {
        size_t offset, size;
        int64_t good[3], bad[3];
    } rows[] = {
        {F(send_buffer), {1024, 1 << 30, 0}, {1023, 1, (1 << 30) + 1}},
        {F(send_buffer_start), {1024, 1 << 30, 5000}, {1023, 0, (1 << 30) + 1}},
        {F(send_buffer_max), {1024, 1 << 30, 5000}, {1023, 0, (1 << 30) + 1}},
        {F(receive_buffer), {1024, 1 << 30, 0}, {1023, 1, UINT32_MAX}},
        {F(receive_buffer_start), {1024, 1 << 30, 5000}, {1023, 0, UINT32_MAX}},
        {F(receive_buffer_max), {1024, 1 << 30, 5000}, {1023, 0, UINT32_MAX}},
        {F(window_clamp), {1024, 1 << 30, 0}, {1023, 1, UINT32_MAX}},
        {F(unsent_limit), {0, 1, 1 << 30}, {(1 << 30) + 1, UINT32_MAX, NONE}},
        {F(mss), {0, 64, 65535}, {63, 1, NONE}},
        {F(mss_floor), {8, 64, 65535}, {7, 0, NONE}},
        {F(window_scale), {-1, 0, 14}, {-2, 15, 127}},
        {F(congestion), {0, SANWO_CONGESTION_COUNT - 1, 0}, {SANWO_CONGESTION_COUNT, 255, NONE}},
        {F(initial_window), {1, 10, 255}, {0, NONE, NONE}},
        {F(ttl), {1, 64, 255}, {0, NONE, NONE}},
        {F(dscp), {0, 46, 63}, {64, 255, NONE}},
        {F(keepalive_probes), {1, 9, 255}, {0, NONE, NONE}},
        {F(ack_every), {1, 2, 255}, {0, NONE, NONE}},
        {F(keepalive_idle), {1, SANWO_SEC(7200), SANWO_SEC(86400)}, {0, -1, INT64_MIN + 1}},
        {F(keepalive_interval), {1, SANWO_SEC(75), SANWO_SEC(86400)}, {0, -1, INT64_MIN + 1}},
        {F(user_timeout), {0, 1, SANWO_SEC(86400)}, {-1, INT64_MIN + 1, NONE}},
        {F(delayed_ack), {0, SANWO_MSEC(40), SANWO_MSEC(500) - 1}, {-1, SANWO_MSEC(500), NONE}},
        {F(rto_minimum),
         {SANWO_MSEC(1), SANWO_SEC(1), SANWO_MSEC(200)},
         {SANWO_MSEC(1) - 1, 0, SANWO_SEC(1) + 1}}, /* above rto_initial */
        {F(rto_initial),
         {SANWO_MSEC(200), SANWO_SEC(120), SANWO_SEC(3)},
         {SANWO_MSEC(200) - 1, SANWO_SEC(120) + 1, -1}},
        {F(rto_maximum),
         {SANWO_SEC(1), SANWO_SEC(60), SANWO_SEC(86400)},
         {SANWO_SEC(1) - 1, 0, -1}},
        {F(msl), {0, SANWO_SEC(30), SANWO_SEC(3600)}, {-1, SANWO_SEC(3600) + 1, NONE}},
        {F(fin_wait_2), {1, SANWO_SEC(60), SANWO_SEC(86400)}, {0, -1, NONE}},
        {F(retransmit_limit), {1, 15, 255}, {0, NONE, NONE}},
        {F(duplicate_threshold), {1, 3, 255}, {0, NONE, NONE}},
        {F(rto_variance_minimum), {0, SANWO_MSEC(1), SANWO_SEC(86400)}, {-1, INT64_MAX, NONE}},
        {F(rto_slop), {0, SANWO_MSEC(200), SANWO_SEC(86400)}, {-1, INT64_MAX, NONE}},
        {F(challenge_interval), {0, SANWO_MSEC(500), SANWO_SEC(86400)}, {-1, INT64_MAX, NONE}},
        {F(decide), {1, SANWO_SEC(10), SANWO_SEC(86400)}, {0, -1, NONE}},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        for (int n = 0; n < 3; n++) {
            struct sanwo_tcp_config c = defaults();
            put(&c, rows[i].offset, rows[i].size, rows[i].good[n]);
            if (rows[i].offset == offsetof(struct sanwo_tcp_config, mss_floor))
                c.mss = 0;
            if (!sw_tcp_config_is_valid(&c))
                fail_msg("row %zu: %lld refused", i, (long long)rows[i].good[n]);
            put(&c, rows[i].offset, rows[i].size, rows[i].bad[n]);
            if (rows[i].bad[n] != NONE && sw_tcp_config_is_valid(&c))
                fail_msg("row %zu: %lld taken", i, (long long)rows[i].bad[n]);
        }
    }
}

/* Every option reads back what was written; a refused value changes nothing. */
static void test_options(void **state)
{
    (void)state;
    const struct {
        enum sanwo_tcp_option option;
        int64_t first, good[3], bad[4];
    } rows[] = {
        {SANWO_TCP_NAGLE, 1, {0, 1, 0}, {2, -1, 256, INT64_MAX}},
        {SANWO_TCP_KEEPALIVE, 0, {1, 0, 1}, {2, -1, 256, INT64_MAX}},
        {SANWO_TCP_KEEPALIVE_IDLE,
         SANWO_SEC(7200),
         {1, SANWO_SEC(1), SANWO_SEC(9)},
         {0, -1, INT64_MIN, INT64_MIN}},
        {SANWO_TCP_KEEPALIVE_INTERVAL,
         SANWO_SEC(75),
         {1, SANWO_SEC(1), SANWO_SEC(9)},
         {0, -1, INT64_MIN, INT64_MIN}},
        {SANWO_TCP_KEEPALIVE_PROBES, 9, {1, 255, 3}, {0, 256, -1, 257}},
        {SANWO_TCP_USER_TIMEOUT, 0, {SANWO_SEC(30), 1, 0}, {-1, INT64_MIN, -5, -6}},
        {SANWO_TCP_SEND_BUFFER,
         0,
         {1024, 1 << 30, 0},
         {1023, -1, INT64_C(1) << 32, (INT64_C(1) << 32) + 4096}},
        {SANWO_TCP_RECEIVE_BUFFER,
         0,
         {1024, 1 << 30, 0},
         {1023, -1, INT64_C(1) << 32, (INT64_C(1) << 32) + 4096}},
        {SANWO_TCP_SEND_BUFFER_MAX, 64 << 20, {1024, 1 << 30, 4096}, {1023, 0, -1, INT64_MAX}},
        {SANWO_TCP_RECEIVE_BUFFER_MAX,
         65535 << 10,
         {1024, 1 << 30, 4096},
         {1023, 0, -1, INT64_MAX}},
        {SANWO_TCP_WINDOW_CLAMP, 0, {1024, 1 << 30, 0}, {1023, 1, -1, INT64_MAX}},
        {SANWO_TCP_UNSENT_LIMIT, 0, {1, 1 << 30, 0}, {(1 << 30) + 1, -1, -2, INT64_MAX}},
        {SANWO_TCP_TTL, 64, {1, 255, 32}, {0, 256, -1, 320}},
        {SANWO_TCP_DSCP, 0, {63, 46, 0}, {64, -1, 256, 300}},
        {SANWO_TCP_SOFT_ERRORS, 1, {0, 1, 0}, {2, -1, 256, INT64_MAX}},
        {SANWO_TCP_QUICK_ACK, 0, {1, 0, 1}, {2, -1, 256, INT64_MAX}},
        {SANWO_TCP_DELAYED_ACK,
         SANWO_MSEC(40),
         {0, SANWO_MSEC(499), 1},
         {SANWO_MSEC(500), -1, INT64_MAX, INT64_MIN}},
        {SANWO_TCP_CONGESTION,
         SANWO_CONGESTION_CUBIC,
         {0, SANWO_CONGESTION_COUNT - 1, 0},
         {SANWO_CONGESTION_COUNT, -1, 256, INT64_MAX}},
        {SANWO_TCP_MSS, 0, {536, 65535, 0}, {63, -1, 65536, 1}},
        {SANWO_TCP_CORK, 0, {1, 0, 1}, {2, -1, 256, INT64_MAX}},
        {SANWO_TCP_SYN_RETRIES, 7, {0, 255, 3}, {-1, 256, 257, INT64_MAX}},
        {SANWO_TCP_RETRANSMIT_LIMIT, 15, {1, 255, 3}, {0, -1, 256, INT64_MAX}},
        {SANWO_TCP_FIN_WAIT_2_TIME,
         SANWO_SEC(60),
         {1, SANWO_SEC(1), SANWO_SEC(9)},
         {0, -1, INT64_MIN, INT64_MAX}},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct sanwo_tcp_config c = defaults();
        int64_t value;
        assert_int_equal(sw_tcp_config_get_option(&c, rows[i].option, &value), 0);
        assert_int_equal(value, rows[i].first);
        for (int n = 0; n < 3; n++) {
            assert_int_equal(sw_tcp_config_set_option(&c, rows[i].option, rows[i].good[n]), 0);
            assert_int_equal(sw_tcp_config_get_option(&c, rows[i].option, &value), 0);
            assert_int_equal(value, rows[i].good[n]);
        }
        for (int n = 0; n < 4; n++) {
            struct sanwo_tcp_config before = c;
            assert_int_equal(sw_tcp_config_set_option(&c, rows[i].option, rows[i].bad[n]),
                             -SANWO_EINVAL);
            assert_memory_equal(&c, &before, sizeof c);
        }
    }
}

static void test_unknown_options(void **state)
{
    (void)state;
    struct sanwo_tcp_config c = defaults();
    int64_t value;
    const int unknown[] = {0, -1, SANWO_TCP_OPTION_END, 1000};
    for (size_t i = 0; i < SW_COUNT(unknown); i++) {
        enum sanwo_tcp_option option = (enum sanwo_tcp_option)unknown[i];
        assert_int_equal(sw_tcp_config_get_option(&c, option, &value), -SANWO_EINVAL);
        assert_int_equal(sw_tcp_config_set_option(&c, option, 1), -SANWO_EINVAL);
    }
}

/* The longest times that are taken still lie in the future when they are armed. */
static void test_times_do_not_overflow(void **state)
{
    (void)state;
    const enum sanwo_tcp_option options[] = {SANWO_TCP_KEEPALIVE_IDLE, SANWO_TCP_USER_TIMEOUT,
                                             SANWO_TCP_KEEPALIVE_INTERVAL};

    for (size_t i = 0; i < SW_COUNT(options); i++) {
        struct rig *r = rig_new();
        struct tcp_connection *c = rig_open(r, 1, 1);
        sanwo_time longest = INT64_MAX;
        while (sw_tcp_config_set_option(&r->tcp.config, options[i], longest) < 0)
            longest /= 2;
        assert_true(longest >= SANWO_SEC(86400));
        r->tcp.now = SANWO_SEC(INT64_C(100) * 365 * 86400);
        r->tcp.config.keepalive = true;
        sw_tcp_timers_established(&r->tcp, c);
        sw_tcp_timers_opened(&r->tcp, c);
        sw_tcp_timers_keepalive(&r->tcp, c, r->tcp.config.keepalive_interval);
        assert_true(c->deadline.keepalive > r->tcp.now);
        assert_true(c->deadline.user > r->tcp.now);
        rig_end(r);
    }
}

/* One copy for all that share it; who changes it gets another; the last to go frees it. */
static void test_sharing(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct sanwo_tcp_config one = defaults(), two = defaults();
    uint32_t a = TCP_NONE, b = TCP_NONE, c = TCP_NONE;

    one.ttl = 11;
    two.ttl = 22;
    assert_int_equal(sw_tcp_config_at(&r->tcp, a)->ttl, 64);
    assert_true(sw_tcp_config_set(&r->tcp, &a, &one));
    sw_tcp_config_share(&r->tcp, &b, a);
    sw_tcp_config_share(&r->tcp, &c, TCP_NONE);
    assert_int_equal(b, a);
    assert_int_equal(c, TCP_NONE);
    assert_int_equal(r->tcp.configs.live, 1);
    assert_true(sw_tcp_config_set(&r->tcp, &b, &two));
    assert_int_equal(sw_tcp_config_at(&r->tcp, a)->ttl, 11);
    assert_int_equal(sw_tcp_config_at(&r->tcp, b)->ttl, 22);
    uint32_t before = b;
    assert_true(sw_tcp_config_set(&r->tcp, &b, &one)); /* its own already: in place */
    assert_int_equal(b, before);
    sw_tcp_config_drop(&r->tcp, &c);
    sw_tcp_config_drop(&r->tcp, &a);
    assert_int_equal(a, TCP_NONE);
    assert_int_equal(r->tcp.configs.live, 1);
    sw_tcp_config_drop(&r->tcp, &b);
    sw_tcp_config_drop(&r->tcp, &b);
    assert_int_equal(r->tcp.configs.live, 0);
    rig_end(r);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct sanwo_tcp_config one = defaults();
    uint32_t a = TCP_NONE;

    r->region.fault_countdown = 1;
    assert_false(sw_tcp_config_set(&r->tcp, &a, &one));
    assert_int_equal(a, TCP_NONE);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_each_limit),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_unknown_options),
        cmocka_unit_test(test_times_do_not_overflow),
        cmocka_unit_test(test_sharing),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
