/*
 * test_tcp_ports.c - Ephemeral ports (RFC 6056): the whole range, never a live tuple, exhaustion.
 */
#include "test_tcp_support.h"

static struct rig *with_range(uint16_t first, uint16_t last)
{
    struct sanwo_stack_config config = rig_config();

    config.ephemeral_first = first;
    config.ephemeral_last = last;
    return rig_with(&config);
}

/* Occupies @tuple with a connection. */
static void take(struct rig *r, const struct tcp_tuple *tuple)
{
    rig_connection(r, tuple, SANWO_TCP_ESTABLISHED, 1, 1);
}

static void test_whole_range_then_none(void **state)
{
    (void)state;
    const struct {
        uint16_t first, last;
    } rows[] = {{40000, 40000}, {40000, 40001}, {40000, 40099}, {65436, 65535}, {1, 100}};

    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct rig *r = with_range(rows[i].first, rows[i].last);
        uint32_t count = (uint32_t)rows[i].last - rows[i].first + 1;
        static bool used[65536];
        memset(used, 0, sizeof used);
        for (uint32_t n = 0; n < count; n++) {
            struct tcp_tuple tuple = rig_tuple(0);
            assert_true(sw_tcp_choose_port(&r->tcp, &tuple));
            assert_in_range(tuple.local_port, rows[i].first, rows[i].last);
            assert_false(used[tuple.local_port]);
            used[tuple.local_port] = true;
            take(r, &tuple);
        }
        struct tcp_tuple tuple = rig_tuple(0), other = rig_tuple(1);
        assert_false(sw_tcp_choose_port(&r->tcp, &tuple));
        assert_true(sw_tcp_choose_port(&r->tcp, &other)); /* another destination has its own */
        rig_end(r);
    }
}

/*
 * One port free anywhere in the range is found; a TIME-WAIT record holds its port too.
 * RFC6056-3.3-1.
 */
static void test_the_only_free_one(void **state)
{
    (void)state;
    for (uint16_t free_port = 500; free_port < 532; free_port++) {
        struct rig *r = with_range(500, 531);
        for (uint16_t port = 500; port < 532; port++) {
            struct tcp_tuple tuple = rig_tuple(0);
            tuple.local_port = port;
            if (port == free_port)
                continue;
            take(r, &tuple);
            struct tcp_connection *c = sw_tcp_demux_find(&r->tcp, &tuple).object;
            if (port & 1) {
                c->state = SANWO_TCP_TIME_WAIT;
                assert_true(sw_tcp_time_wait_create(&r->tcp, c));
                rig_discard(r, c);
            }
        }
        struct tcp_tuple tuple = rig_tuple(0);
        assert_true(sw_tcp_choose_port(&r->tcp, &tuple));
        assert_int_equal(tuple.local_port, free_port);
        rig_end(r);
    }
}

/*
 * Not from one end on, and not by one: neither first port nor step tells much. RFC6056-3.3-1.
 *
 */
static void test_hard_to_guess(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    unsigned steps[65536 / 4096] = {0}, next_by_one = 0;
    uint16_t last = 0;

    for (unsigned i = 0; i < 1000; i++) {
        struct tcp_tuple tuple = rig_tuple(i);
        assert_true(sw_tcp_choose_port(&r->tcp, &tuple));
        next_by_one += tuple.local_port == last + 1;
        steps[tuple.local_port / 4096]++;
        last = tuple.local_port;
    }
    assert_true(next_by_one < 10);
    for (uint32_t i = 32768 / 4096; i < 60999 / 4096; i++)
        assert_in_range(steps[i], 80, 220);
    for (unsigned i = 0; i < 1000; i++) { /* towards one destination: by small random steps */
        struct tcp_tuple a = rig_tuple(0), b = rig_tuple(0);
        sw_tcp_choose_port(&r->tcp, &a);
        sw_tcp_choose_port(&r->tcp, &b);
        assert_int_not_equal(a.local_port, b.local_port);
    }
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_range_then_none),
        cmocka_unit_test(test_the_only_free_one),
        cmocka_unit_test(test_hard_to_guess),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
