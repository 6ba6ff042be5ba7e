/*
 * test_path.c - Request targets: escapes, dots, slashes, and the ways out that must be shut.
 */
#include "http/mime.h"
#include "http/path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_targets(void **state)
{
    static const struct {
        const char *target;
        unsigned status;
        const char *path;
        bool is_folder;
    } rows[] = {
        {"/", 0, "", true},
        {"//", 0, "", true},
        {"/a", 0, "a", false},
        {"/a/", 0, "a", true},
        {"/a/b.txt?x=/../y", 0, "a/b.txt", false},
        {"/?q", 0, "", true},
        {"/a%20b/%C3%A9", 0, "a b/\xc3\xa9", false},
        {"/a//b///c", 0, "a/b/c", false},
        {"/./a/./b/.", 0, "a/b", true},
        {"/a/../b", 0, "b", false},
        {"/a/b/../..", 0, "", true},
        {"/a/b/..", 0, "a", true},
        {"/a/%2e%2E/b", 0, "b", false},
        {"/...", 0, "...", false},
        {"/.hidden", 0, ".hidden", false},
        {"/a%3Fb", 0, "a?b", false},
        {"/%25", 0, "%", false},
        {"/a%5Cb", 0, "a\\b", false},
        {"http://host/a/b", 0, "a/b", false},
        {"HTTP://host:80/", 0, "", true},
        {"http://host", 0, "", true},
        {"http://host?q", 0, "", true},
        /* out of the folder */
        {"/..", 400, NULL, false},
        {"/../etc/passwd", 400, NULL, false},
        {"/a/../../etc/passwd", 400, NULL, false},
        {"/%2e%2e/etc/passwd", 400, NULL, false},
        {"/.%2e/x", 400, NULL, false},
        {"/a/%2e%2e%2f%2e%2e%2fetc", 404, NULL, false},
        {"/a%2Fb", 404, NULL, false},
        /* malformed */
        {"/a%", 400, NULL, false},
        {"/a%4", 400, NULL, false},
        {"/a%zz", 400, NULL, false},
        {"/a%4/b", 400, NULL, false},
        {"/a%00b", 400, NULL, false},
        {"/a#b", 400, NULL, false},
        {"/a b", 400, NULL, false},
        {"/\xc3\xa9", 400, NULL, false},
        {"/a\x7f", 400, NULL, false},
        {"", 400, NULL, false},
        {"a", 400, NULL, false},
        {"*", 400, NULL, false},
        {"host:80", 400, NULL, false},
        {"http://", 400, NULL, false},
        {"http:///a", 400, NULL, false},
        {"https://host/a", 400, NULL, false},
        {"?q", 400, NULL, false},
    };
    char out[128];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool is_folder = false;
        unsigned status = sw_http_path_read(text_of(rows[i].target), out, sizeof out, &is_folder);

        if (status != rows[i].status)
            print_error("target '%s'\n", rows[i].target);
        assert_int_equal(status, rows[i].status);
        if (status)
            continue;
        assert_string_equal(out, rows[i].path);
        assert_int_equal(is_folder, rows[i].is_folder);
    }
}

static void test_room(void **state)
{
    char out[4];
    bool is_folder;

    (void)state;
    assert_int_equal(sw_http_path_read(text_of("/ab"), out, sizeof out, &is_folder), 0);
    assert_string_equal(out, "ab");
    assert_int_equal(sw_http_path_read(text_of("/abc"), out, sizeof out, &is_folder), 400);
}

static void test_query(void **state)
{
    (void)state;
    assert_true(sw_http_text_equals(sw_http_path_query(text_of("/a?b?c")), text_of("?b?c")));
    assert_int_equal(sw_http_path_query(text_of("/a")).length, 0);
    assert_int_equal(sw_http_path_query(text_of("")).length, 0);
}

static void test_types(void **state)
{
    static const struct {
        const char *name, *type;
    } rows[] = {
        {"a/index.html", "text/html; charset=utf-8"},
        {"PHOTO.JPG", "image/jpeg"},
        {"a.tar.gz", "application/gzip"},
        {"README", "application/octet-stream"},
        {"a.b/README", "application/octet-stream"},
        {".html", "application/octet-stream"},
        {"a/.html", "application/octet-stream"},
        {"x.", "application/octet-stream"},
        {"x.html2", "application/octet-stream"},
        {"", "application/octet-stream"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(sw_http_mime_type(text_of(rows[i].name)), rows[i].type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_room),
        cmocka_unit_test(test_query),
        cmocka_unit_test(test_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
