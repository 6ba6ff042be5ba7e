/*
 * test_tcp_isn.c - Initial sequence numbers: the clock of 4 us, the keyed hash (MUST-8, SHLD-1).
 */
#include "test_tcp_support.h"

/* MUST-8. RFC6528-3-1. */
static void test_clock(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_tuple tuple = rig_tuple(0);
    uint32_t f = sw_tcp_isn(&r->tcp, &tuple, 0).raw;
    const struct {
        sanwo_time now;
        uint32_t ticks;
    } rows[] = {
        {3999, 0},
        {4000, 1},
        {SANWO_SEC(1), 250000},
        {INT64_C(4000) * 0xffffffff, 0xffffffff},
        {INT64_C(4000) * 0x100000000, 0}, /* about 4.77 hours */
        {INT64_C(4000) * 0x100000005, 5},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++)
        assert_int_equal(sw_tcp_isn(&r->tcp, &tuple, rows[i].now).raw, f + rows[i].ticks);
    rig_end(r);
}

/*
 * Every part of the tuple and the key changes the offset; nothing else does. MUST-9, SHLD-1,
 * RFC6528-3-1, RFC7323-7.1-1.
 * C-11.
 */
static void test_depends_on_tuple_and_key(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    struct tcp_tuple tuple = rig_tuple(0);
    uint32_t isn = sw_tcp_isn(&r->tcp, &tuple, RIG_START).raw;
    uint32_t offset = sw_tcp_timestamp_offset(&r->tcp, &tuple);

    for (size_t i = 0; i < offsetof(struct tcp_tuple, spare); i++) {
        struct tcp_tuple other = tuple;
        ((uint8_t *)&other)[i] ^= 1;
        assert_int_not_equal(sw_tcp_isn(&r->tcp, &other, RIG_START).raw, isn);
        assert_int_not_equal(sw_tcp_timestamp_offset(&r->tcp, &other), offset);
    }
    r->tcp.now += SANWO_SEC(5); /* it is the argument that counts */
    assert_int_equal(sw_tcp_isn(&r->tcp, &tuple, RIG_START).raw, isn);
    assert_int_equal(sw_tcp_timestamp_offset(&r->tcp, &tuple), offset);
    assert_int_not_equal(isn, offset); /* keys of their own */
    r->tcp.isn_key.k0 ^= 1;
    r->tcp.timestamp_key.k1 ^= 1;
    assert_int_not_equal(sw_tcp_isn(&r->tcp, &tuple, RIG_START).raw, isn);
    assert_int_not_equal(sw_tcp_timestamp_offset(&r->tcp, &tuple), offset);
    rig_end(r);
}

/* Spread over the whole space: of 4096 tuples each sixteenth holds about as many. A-21. */
static void test_spread(void **state)
{
    (void)state;
    struct rig *r = rig_new();
    unsigned bins[16] = {0};

    for (unsigned i = 0; i < 4096; i++) {
        struct tcp_tuple tuple = rig_tuple(i);
        bins[sw_tcp_isn(&r->tcp, &tuple, RIG_START).raw >> 28]++;
    }
    for (int i = 0; i < 16; i++)
        assert_in_range(bins[i], 180, 340);
    rig_end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_depends_on_tuple_and_key),
        cmocka_unit_test(test_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
