/*
 * test_folder.c - Files inside open, nothing outside does; by openat2() and by walking alike.
 */
#define _GNU_SOURCE
#include "http/folder.h"
#include "site.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char *root;

static int open_and_close(struct folder *f, const char *path)
{
    int fd = sw_http_folder_open(f, path);

    if (fd >= 0)
        close(fd);
    return fd >= 0 ? 0 : fd;
}

static void check_all(bool walk)
{
    static const struct {
        const char *path;
        int opened, walked; /* 0 or -errno */
    } rows[] = {
        {"", 0, 0},
        {"index.html", 0, 0},
        {"sub/a.txt", 0, 0},
        {"sub", 0, 0},
        {"fifo", 0, 0}, /* without waiting for its other end */
        {"nothing", -ENOENT, -ENOENT},
        {"index.html/x", -ENOTDIR, -ENOTDIR},
        {"in", 0, -ELOOP},
        {"loop", -ELOOP, -ELOOP},
        {"out", -EXDEV, -ELOOP},
        {"absolute", -EXDEV, -ELOOP},
        {"up", -EXDEV, -ELOOP},
        {"up/etc/passwd", -EXDEV, -ENOTDIR},
        {"..", -EXDEV, -EXDEV},
        {"sub/../../x", -EXDEV, -EXDEV},
        {"/etc/passwd", -EXDEV, -ENOENT},
    };
    char longest[300];
    struct folder f;

    assert_int_equal(sw_http_folder_init(&f, -1, root), 0);
    f.walk = walk;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int result = open_and_close(&f, rows[i].path);
        if (result != (walk ? rows[i].walked : rows[i].opened))
            fail_msg("'%s': %s", rows[i].path, strerror(-result));
    }
    memset(longest, 'a', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(open_and_close(&f, longest), -ENAMETOOLONG);
    if (geteuid() != 0)
        assert_int_equal(open_and_close(&f, "secret"), -EACCES);
    sw_http_folder_dispose(&f);
}

static void test_openat2(void **state)
{
    (void)state;
    check_all(false);
}

static void test_walking(void **state)
{
    (void)state;
    check_all(true);
}

static void test_init(void **state)
{
    struct folder f;

    (void)state;
    assert_int_equal(sw_http_folder_init(&f, -1, site_path("nothing")), -ENOENT);
    assert_int_equal(sw_http_folder_init(&f, -1, site_path("index.html")), -ENOTDIR);
    assert_int_equal(sw_http_folder_init(&f, 9999, NULL), -EBADF);
}

static void test_status(void **state)
{
    (void)state;
    assert_int_equal(sw_http_folder_status(-ENOENT), 404);
    assert_int_equal(sw_http_folder_status(-EXDEV), 403);
    assert_int_equal(sw_http_folder_status(-ELOOP), 403);
    assert_int_equal(sw_http_folder_status(EACCES), 403);
    assert_int_equal(sw_http_folder_status(-EMFILE), 503);
    assert_int_equal(sw_http_folder_status(-EIO), 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openat2),
        cmocka_unit_test(test_walking),
        cmocka_unit_test(test_init),
        cmocka_unit_test(test_status),
    };
    int result;

    root = site_make();
    result = cmocka_run_group_tests(tests, NULL, NULL);
    site_remove();
    return result;
}
