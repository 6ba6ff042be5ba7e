/*
 * test_text.c - Comparing, trimming, numbers, lists, and the growing writer.
 */
#include "http/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_tokens(void **state)
{
    (void)state;
    assert_true(sw_http_text_is_token(text_of("X-Y_z.0!#$%&'*+^`|~")));
    assert_false(sw_http_text_is_token(text_of("")));
    for (const char *bad = " \t:/,;()<>@[]{}\"\\=?\r\n\x7f\x80"; *bad; bad++)
        assert_false(sw_http_text_is_token((struct text){bad, 1}));
    assert_false(sw_http_text_is_token((struct text){"a\0b", 3}));
}

static void test_comparing(void **state)
{
    (void)state;
    assert_true(sw_http_text_matches(text_of("Content-LENGTH"), "content-length"));
    assert_false(sw_http_text_matches(text_of("content"), "content-length"));
    assert_false(sw_http_text_matches(text_of("content-length"), "content"));
    assert_false(sw_http_text_matches(text_of("["), "{")); /* differ by the bit of case */
    assert_true(sw_http_text_equals(text_of("a"), text_of("a")));
    assert_false(sw_http_text_equals(text_of("a"), text_of("A")));
}

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
    } rows[] = {
        {"0", true, 0},
        {"007", true, 7},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"99999999999999999999", false, 0},
        {"", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {"1 ", false, 0},
        {"0x1", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t value = 0;
        assert_int_equal(sw_http_text_decimal(text_of(rows[i].text), &value), rows[i].good);
        if (rows[i].good)
            assert_int_equal(value, rows[i].value);
    }
}

static void test_lists(void **state)
{
    struct text rest = text_of(" , a ,, \"b,c\\\"d\" ,W/\"e\",\tf");
    static const char *const expected[] = {"a", "\"b,c\\\"d\"", "W/\"e\"", "f"};
    struct text element;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        assert_true(sw_http_list_next(&rest, &element));
        assert_true(sw_http_text_equals(element, text_of(expected[i])));
    }
    assert_false(sw_http_list_next(&rest, &element));
    assert_true(sw_http_list_has(text_of("keep-alive, Close"), "close"));
    assert_false(sw_http_list_has(text_of("closed, x-close"), "close"));
    assert_false(sw_http_list_has(text_of(""), "close"));
}

static void test_writer(void **state)
{
    struct writer w = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        sw_http_write_format(&w, "%04d", i);
    assert_int_equal(w.used, 4000);
    assert_memory_equal(w.bytes + 4 * 999, "0999", 4);
    w.used = 0;
    sw_http_write_escaped(&w, text_of("<a href=\"x\">'&'"));
    sw_http_write(&w, (struct text){"", 1});
    assert_string_equal(w.bytes, "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;");
    w.used = 0;
    sw_http_write_encoded(&w, text_of("a b/c?d#e%\xc3\xa9~-._"));
    sw_http_write(&w, (struct text){"", 1});
    assert_string_equal(w.bytes, "a%20b/c%3Fd%23e%25%C3%A9~-._");
    w.failed = true;
    w.used = 0;
    sw_http_write(&w, text_of("x"));
    assert_int_equal(w.used, 0);
    sw_http_writer_free(&w);
    assert_null(w.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),  cmocka_unit_test(test_comparing),
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_lists),
        cmocka_unit_test(test_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
