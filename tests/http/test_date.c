/*
 * test_date.c - HTTP dates of all three forms, leap years, centuries, and what is no date.
 */
#include "http/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW INT64_C(1700000000) /* 2023-11-14 */

static void test_format(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
        {951868800, "Wed, 01 Mar 2000 00:00:00 GMT"},
        {1709164799, "Wed, 28 Feb 2024 23:59:59 GMT"},
        {2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"},
        {4102444800, "Fri, 01 Jan 2100 00:00:00 GMT"},
        {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"}, /* 2100 has no leap day */
        {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},
        {-1, "Thu, 01 Jan 1970 00:00:00 GMT"},
    };
    char out[HTTP_DATE_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(sw_http_date_format(rows[i].seconds, out), rows[i].text);
}

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } rows[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
        {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
        {"Sun Nov  6 08:49:37 1994", 784111777},
        {"Wed Nov 16 08:49:37 1994", 784975777},
        {"Tue, 29 Feb 2000 00:00:00 GMT", 951782400},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Thursday, 01-Jan-70 00:00:00 GMT", 0},           /* 2070 is 47 years ahead: see below */
        {"Wednesday, 14-Nov-73 00:00:00 GMT", 3277843200}, /* 2073: exactly 50 */
        {"Thursday, 14-Nov-74 00:00:00 GMT", 153619200},   /* 51: 1974 */
        {"Sun, 06 Nov 1994 08:49:60 GMT", 784111800},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t seconds = -1;
        assert_true(sw_http_date_parse(text_of(rows[i].text), i == 6 ? INT64_C(1500000000) : NOW,
                                       &seconds));
        assert_int_equal(seconds, rows[i].seconds);
    }
}

static void test_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "yesterday",
        "784111777",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Mon, 29 Feb 2100 00:00:00 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Xxx, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Xxx 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 +0100",
        "Sun, 06 Nov 1994 08:4 :37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
    };
    const char *good = "Sun, 06 Nov 1994 08:49:37 GMT";
    int64_t seconds = 42;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_false(sw_http_date_parse(text_of(rows[i]), NOW, &seconds));
    for (size_t length = 0; length < strlen(good); length++)
        assert_false(sw_http_date_parse((struct text){good, length}, NOW, &seconds));
    assert_int_equal(seconds, 42);
}

static void test_round_trip(void **state)
{
    char out[HTTP_DATE_TEXT];

    (void)state;
    for (int64_t t = 0; t < INT64_C(253402300799); t += INT64_C(86400) * 97 + 3599) {
        int64_t back = -1;
        sw_http_date_format(t, out);
        assert_true(sw_http_date_parse(text_of(out), NOW, &back));
        assert_int_equal(back, t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
