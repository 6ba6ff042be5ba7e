/*
 * test_range.c - Range and Content-Range.
 */
#include "http/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* "first+length first+length", to compare at one go. */
static const char *describe(const struct range *ranges, unsigned count)
{
    static char out[512];
    size_t used = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < count; i++)
        used += (size_t)snprintf(out + used, sizeof out - used, "%s%llu+%llu", i ? " " : "",
                                 (unsigned long long)ranges[i].first,
                                 (unsigned long long)ranges[i].length);
    return out;
}

static void test_range(void **state)
{
    static const struct {
        const char *field;
        uint64_t size;
        enum range_verdict verdict;
        const char *ranges;
    } rows[] = {
        {"bytes=0-499", 1000, RANGE_SOME, "0+500"},
        {"bytes=500-", 1000, RANGE_SOME, "500+500"},
        {"bytes=-500", 1000, RANGE_SOME, "500+500"},
        {"bytes=-5000", 1000, RANGE_SOME, "0+1000"},
        {"bytes=0-0", 1, RANGE_SOME, "0+1"},
        {"bytes=999-999", 1000, RANGE_SOME, "999+1"},
        {"bytes=999-5000", 1000, RANGE_SOME, "999+1"},
        {"bytes=0-18446744073709551615", 1000, RANGE_SOME, "0+1000"},
        {"Bytes=0-1", 1000, RANGE_SOME, "0+2"},
        {" bytes=0-1 ", 1000, RANGE_SOME, "0+2"},
        {"bytes=0-0,-1", 1000, RANGE_SOME, "0+1 999+1"},
        {"bytes=0-0, 5000-, -1", 1000, RANGE_SOME, "0+1 999+1"},
        {"bytes=500-599,0-99", 1000, RANGE_SOME, "500+100 0+100"},
        {"bytes=1000-", 1000, RANGE_UNSATISFIABLE, ""},
        {"bytes=1000-2000,-0", 1000, RANGE_UNSATISFIABLE, ""},
        {"bytes=-0", 1000, RANGE_UNSATISFIABLE, ""},
        {"bytes=0-", 0, RANGE_UNSATISFIABLE, ""},
        {"bytes=-1", 0, RANGE_UNSATISFIABLE, ""},
        /* not understood, or an amplifier: the whole */
        {"", 1000, RANGE_WHOLE, ""},
        {"bytes=", 1000, RANGE_WHOLE, ""},
        {"bytes=,", 1000, RANGE_WHOLE, ""},
        {"bytes", 1000, RANGE_WHOLE, ""},
        {"lines=0-1", 1000, RANGE_WHOLE, ""},
        {"bytes=a-b", 1000, RANGE_WHOLE, ""},
        {"bytes=5", 1000, RANGE_WHOLE, ""},
        {"bytes=-", 1000, RANGE_WHOLE, ""},
        {"bytes=5-4", 1000, RANGE_WHOLE, ""},
        {"bytes=0-1-2", 1000, RANGE_WHOLE, ""},
        {"bytes=0 - 1", 1000, RANGE_WHOLE, ""},
        {"bytes=0-1,x", 1000, RANGE_WHOLE, ""},
        {"bytes=0-,0-", 1000, RANGE_WHOLE, ""},
        {"bytes=0-599,400-999", 1000, RANGE_WHOLE, ""},
        {"bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,10-10,11-11,12-12,13-13,14-14,15-15,16-16",
         1000, RANGE_WHOLE, ""},
        {"bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,10-10,11-11,12-12,13-13,14-14,15-15", 1000,
         RANGE_SOME, "0+1 1+1 2+1 3+1 4+1 5+1 6+1 7+1 8+1 9+1 10+1 11+1 12+1 13+1 14+1 15+1"},
        {"bytes=1-", UINT64_MAX, RANGE_SOME, "1+18446744073709551614"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct range ranges[HTTP_MAX_RANGES];
        unsigned count = 99;

        if (sw_http_range_read(text_of(rows[i].field), rows[i].size, ranges, &count) !=
            rows[i].verdict)
            fail_msg("'%s'", rows[i].field);
        if (rows[i].verdict == RANGE_SOME)
            assert_string_equal(describe(ranges, count), rows[i].ranges);
    }
}

static void test_content_range(void **state)
{
    static const struct {
        const char *field;
        bool good;
        int64_t first, last, total;
    } rows[] = {
        {"bytes 0-499/1234", true, 0, 499, 1234},
        {"Bytes 500-1233/1234", true, 500, 1233, 1234},
        {"bytes 5-9/*", true, 5, 9, -1},
        {"bytes */1234", true, -1, -1, 1234},
        {"bytes */*", false, 0, 0, 0},
        {"bytes 0-1234/1234", false, 0, 0, 0},
        {"bytes 9-5/1234", false, 0, 0, 0},
        {"bytes 0-499", false, 0, 0, 0},
        {"bytes 0/1234", false, 0, 0, 0},
        {"bytes -5/1234", false, 0, 0, 0},
        {"bytes 0-x/1234", false, 0, 0, 0},
        {"bytes 0-1/99999999999999999999", false, 0, 0, 0},
        {"items 0-1/2", false, 0, 0, 0},
        {"bytes=0-1/2", false, 0, 0, 0},
        {"", false, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t first = 0, last = 0, total = 0;

        if (sw_http_content_range_read(text_of(rows[i].field), &first, &last, &total) !=
            rows[i].good)
            fail_msg("'%s'", rows[i].field);
        if (!rows[i].good)
            continue;
        assert_int_equal(first, rows[i].first);
        assert_int_equal(last, rows[i].last);
        assert_int_equal(total, rows[i].total);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_content_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
