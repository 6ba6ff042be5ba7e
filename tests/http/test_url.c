/*
 * test_url.c - URLs and references, with the examples of RFC 3986 5.4.
 */
#include "http/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_good(void **state)
{
    static const struct {
        const char *url, *host, *authority;
        unsigned port;
        const char *target;
    } rows[] = {
        {"http://a/", "a", "a", 80, "/"},
        {"http://a", "a", "a", 80, "/"},
        {"HTTP://a/B?c#d", "a", "a", 80, "/B?c"},
        {"http://a:8080/x", "a", "a:8080", 8080, "/x"},
        {"http://a:80/x", "a", "a", 80, "/x"},
        {"http://a:/x", "a", "a", 80, "/x"},
        {"http://a?q", "a", "a", 80, "/?q"},
        {"http://10.77.0.1/f", "10.77.0.1", "10.77.0.1", 80, "/f"},
        {"http://[fd77::1]/f", "fd77::1", "[fd77::1]", 80, "/f"},
        {"http://[::1]:81", "::1", "[::1]:81", 81, "/"},
        {"a/b", "a", "a", 80, "/b"},
        {"a:81/b", "a", "a:81", 81, "/b"},
        {"[::1]:81/b", "::1", "[::1]:81", 81, "/b"},
        {"http://a/b c?d e", "a", "a", 80, "/b%20c?d%20e"},
        {"http://a/\xc3\xa9%20", "a", "a", 80, "/%C3%A9%20"},
        {"http://a/b/../c/./d", "a", "a", 80, "/c/d"},
        {"http://a/../../b", "a", "a", 80, "/b"},
        {"http://a/b/..", "a", "a", 80, "/"},
        {"http://a/b/.", "a", "a", 80, "/b/"},
        {"http://a/b?../c", "a", "a", 80, "/b?../c"},
        {"http://a//b", "a", "a", 80, "//b"},
        {"http://a/x?u=http://b/", "a", "a", 80, "/x?u=http://b/"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct url u;
        const char *trouble = sw_http_url_read(&u, text_of(rows[i].url));

        if (trouble)
            fail_msg("%s: %s", rows[i].url, trouble);
        assert_string_equal(u.host, rows[i].host);
        assert_string_equal(u.authority, rows[i].authority);
        assert_int_equal(u.port, rows[i].port);
        assert_string_equal(u.target, rows[i].target);
        sw_http_url_free(&u);
    }
}

static void test_bad(void **state)
{
    static const char *const rows[] = {
        "https://a/",
        "ftp://a/",
        "",
        "http://",
        "http:///x",
        "http://a:0/",
        "http://a:65536/",
        "http://a:x/",
        "http://::1/",
        "http://[::1",
        "http://[a]/",
        "http://[]/",
        "http://u:p@a/",
        "http://a b/",
        "http://a%20b/",
        "http://[10.0.0.1]/",
    };
    char longest[512] = "http://";

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct url u;
        if (!sw_http_url_read(&u, text_of(rows[i])))
            fail_msg("'%s' was taken", rows[i]);
        assert_null(u.target);
    }
    memset(longest + 7, 'a', sizeof longest - 8);
    longest[sizeof longest - 1] = '\0';
    {
        struct url u;
        assert_non_null(sw_http_url_read(&u, text_of(longest)));
    }
}

static void test_references(void **state)
{
    static const struct {
        const char *reference, *authority, *target;
    } rows[] = {
        /* RFC 3986 5.4.1, from http://a/b/c/d;p?q */
        {"g", "a", "/b/c/g"},
        {"./g", "a", "/b/c/g"},
        {"g/", "a", "/b/c/g/"},
        {"/g", "a", "/g"},
        {"//g", "g", "/"},
        {"?y", "a", "/b/c/d;p?y"},
        {"g?y", "a", "/b/c/g?y"},
        {"#s", "a", "/b/c/d;p?q"},
        {"g#s", "a", "/b/c/g"},
        {";x", "a", "/b/c/;x"},
        {"g;x", "a", "/b/c/g;x"},
        {"", "a", "/b/c/d;p?q"},
        {".", "a", "/b/c/"},
        {"./", "a", "/b/c/"},
        {"..", "a", "/b/"},
        {"../", "a", "/b/"},
        {"../g", "a", "/b/g"},
        {"../..", "a", "/"},
        {"../../g", "a", "/g"},
        /* 5.4.2 */
        {"../../../g", "a", "/g"},
        {"/./g", "a", "/g"},
        {"g.", "a", "/b/c/g."},
        {"..g", "a", "/b/c/..g"},
        {"./g/.", "a", "/b/c/g/"},
        {"g/../h", "a", "/b/c/h"},
        {"g?y/../x", "a", "/b/c/g?y/../x"},
        {"http://x:81/y", "x:81", "/y"},
        {"//x/y", "x", "/y"},
        {"/y?u=http://z/", "a", "/y?u=http://z/"},
    };
    struct url base, u;

    (void)state;
    assert_null(sw_http_url_read(&base, text_of("http://a/b/c/d;p?q")));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *trouble = sw_http_url_follow(&u, &base, text_of(rows[i].reference));

        if (trouble)
            fail_msg("%s: %s", rows[i].reference, trouble);
        assert_string_equal(u.authority, rows[i].authority);
        assert_string_equal(u.target, rows[i].target);
        sw_http_url_free(&u);
    }
    assert_non_null(sw_http_url_follow(&u, &base, text_of("https://a/")));
    assert_non_null(sw_http_url_follow(&u, &base, text_of("g:h")));
    assert_non_null(sw_http_url_follow(&u, &base, text_of("mailto:a@b")));
    sw_http_url_free(&base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_references),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
