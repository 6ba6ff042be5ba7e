/*
 * test_wire_fast_open.c - The option of TCP Fast Open among the others (RFC 7413 4.1.1), and as the experiment
 * that it was (RFC 6994).
 */
#include "test_wire_options_support.h"

/* RFC 7413 9, RFC 6994: the experiment counts as the option, the first of either as usual. */
static void test_fast_open_experiment(void **state)
{
    static const struct {
        uint8_t bytes[24];
        size_t size;
        int length; /* of the cookie, -1: no option */
        bool experiment;
        uint8_t first; /* of the cookie */
    } rows[] = {
        {{254, 4, 0xf9, 0x89}, 4, 0, true, 0},
        {{254, 8, 0xf9, 0x89, 5, 6, 7, 8}, 8, 4, true, 5},
        {{254, 7, 0xf9, 0x89, 5, 6, 7, 1}, 8, -1, false, 0},
        {{254, 6, 0xf9, 0x89, 5, 6, 1, 1}, 8, -1, false, 0},
        {{254, 4, 0xf9, 0x88}, 4, -1, false, 0},
        {{254, 3, 0xf9, 0x89}, 4, -1, false, 0},
        {{254, 2, 0, 0}, 4, -1, false, 0},
        {{254, 8, 0xf9, 0x89, 5, 6, 7, 8, 34, 6, 1, 2, 3, 4}, 14, 4, true, 5},
        {{34, 6, 1, 2, 3, 4, 254, 8, 0xf9, 0x89, 5, 6, 7, 8}, 14, 4, false, 1},
        {{34, 3, 1, 254, 8, 0xf9, 0x89, 5, 6, 7, 8}, 11, 4, true, 5},
    };
    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct wire_tcp_options o = read_exact(rows[i].bytes, rows[i].size);
        assert_int_equal(o.fast_open ? o.fast_open_length : -1, rows[i].length);
        assert_int_equal(o.fast_open_experiment, rows[i].experiment);
        assert_int_equal(o.fast_open_cookie[0], rows[i].first);
    }
}

static const struct layout layouts[] = {
    /* a fast open request ends with NOPs, a cookie of its size too; zeros follow what comes later */
    {{.window_scale = -1, .fast_open = true}, {0}, 40, 4, {34, 2, 1, 1}},
    {{.window_scale = -1, .fast_open = true, .fast_open_experiment = true},
     {0},
     40,
     4,
     {254, 4, 0xf9, 0x89}},
    {{.window_scale = -1,
      .fast_open = true,
      .fast_open_experiment = true,
      .fast_open_length = 4,
      .fast_open_cookie = {1, 2, 3, 4}},
     {0},
     40,
     8,
     {254, 8, 0xf9, 0x89, 1, 2, 3, 4}},
    /* it comes last where the order does not name it, and only if there is room */
    {{.mss = 536, .window_scale = 2, .fast_open = true},
     {2, 1, 3},
     40,
     12,
     {2, 4, 2, 24, 1, 3, 3, 2, 34, 2, 1, 1}},
    {{.mss = 536, .window_scale = 2, .fast_open = true, .fast_open_length = 4},
     {2, 1, 3},
     12,
     8,
     {2, 4, 2, 24, 1, 3, 3, 2}},
    {{.mss = 536, .window_scale = -1, .fast_open = true},
     {34, 3, 2},
     40,
     8,
     {34, 2, 1, 1, 2, 4, 2, 24}},
    {{.window_scale = -1,
      .fast_open = true,
      .fast_open_length = 6,
      .fast_open_cookie = {1, 2, 3, 4, 5, 6}},
     {0},
     40,
     8,
     {34, 8, 1, 2, 3, 4, 5, 6}},
    /* it leaves a SACK behind it aligned already */
    {{.window_scale = -1, .fast_open = true, .sack_count = 1, .sack = {{{1}, {2}}}},
     {0},
     40,
     12,
     {34, 2, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2}},
    /* no room for NOPs, but for the option */
    {{.window_scale = 2, .fast_open = true, .fast_open_length = 4},
     {34, 3},
     12,
     12,
     {34, 6, 0, 0, 0, 0, 1, 1, 1, 3, 3, 2}},
    {{.window_scale = -1,
      .timestamps = true,
      .fast_open = true,
      .fast_open_length = 4,
      .ts_value = 1},
     {34, 8},
     16,
     16,
     {34, 6, 0, 0, 0, 0, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0}},
};

/* MUST-69. */
static void test_write_layouts(void **state)
{
    (void)state;
    assert_layouts(layouts, SW_COUNT(layouts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fast_open_experiment),
        cmocka_unit_test(test_write_layouts),
    };

    return cmocka_run_group_tests_name("wire/tcp_options: fast open", tests, NULL, NULL);
}
