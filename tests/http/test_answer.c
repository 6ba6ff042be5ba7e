/*
 * test_answer.c - Whole answers: from the text of a request to the text of the response.
 */
#define _GNU_SOURCE
#include "http/answer.h"
#include "site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW INT64_C(1700000000) /* Tue, 14 Nov 2023 22:13:20 GMT */
#define DATE "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n"

static const struct message_limits limits = {8192, 4096};
static struct site site = {{-1, false}, "index.html", true};
static char reply[65536];
static size_t reply_length;
static struct message message;
static struct response response = {.file = -1};

/* All pieces as they would be sent. */
static void render(void)
{
    reply_length = 0;
    for (unsigned i = 0; i < response.count; i++) {
        const struct piece *p = &response.pieces[i];

        assert_true(reply_length + p->length < sizeof reply);
        if (p->is_file)
            assert_int_equal(pread(response.file, reply + reply_length, p->length, (off_t)p->at),
                             p->length);
        else
            memcpy(reply + reply_length, response.text.bytes + p->at, p->length);
        reply_length += p->length;
    }
    reply[reply_length] = '\0';
}

static const char *ask(const char *input)
{
    struct request q;

    sw_http_message_init(&message, true, &limits);
    sw_http_message_feed(&message, input, strlen(input));
    sw_http_request_read(&q, &message, 1000);
    sw_http_response_clear(&response);
    response.close = !q.keep_alive;
    sw_http_answer(&response, &site, &q, NOW);
    assert_false(response.text.failed);
    render();
    return reply;
}

static const char *get(const char *method, const char *target, const char *fields)
{
    char input[4096];

    snprintf(input, sizeof input, "%s %s HTTP/1.1\r\nHost: a\r\n%s\r\n", method, target, fields);
    return ask(input);
}

static const char *body(void)
{
    const char *end = strstr(reply, "\r\n\r\n");

    assert_non_null(end);
    return end + 4;
}

/* The value of a field of the last reply's head, or "". */
static const char *field(const char *name)
{
    static char value[256];
    char pattern[64];
    const char *at;

    snprintf(pattern, sizeof pattern, "\r\n%s: ", name);
    at = strstr(reply, pattern);
    if (!at || at >= body())
        return "";
    at += strlen(pattern);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

static void test_whole(void **state)
{
    char etag[64];

    (void)state;
    get("GET", "/sub/a.txt", "");
    snprintf(etag, sizeof etag, "%s", field("ETag"));
    assert_int_equal(etag[0], '"');
    assert_int_equal(response.status, 200);
    assert_true(!strncmp(reply, "HTTP/1.1 200 OK\r\n" DATE "Server: sanwo\r\n", 60));
    assert_string_equal(field("Content-Type"), "text/plain; charset=utf-8");
    assert_string_equal(field("Content-Length"), "10");
    assert_string_equal(field("Last-Modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_string_equal(field("Accept-Ranges"), "bytes");
    assert_string_equal(field("Connection"), "");
    assert_string_equal(body(), "0123456789");
    assert_int_equal(response.body_length, 10);

    get("HEAD", "/sub/a.txt", "");
    assert_string_equal(field("Content-Length"), "10");
    assert_string_equal(field("ETag"), etag);
    assert_string_equal(body(), "");

    get("GET", "/zero", "");
    assert_int_equal(response.status, 200);
    assert_string_equal(field("Content-Length"), "0");
    assert_string_equal(body(), "");

    ask("GET /sub/a.txt HTTP/1.0\r\n\r\n");
    assert_string_equal(field("Connection"), "close");
    ask("GET /sub/a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_string_equal(field("Connection"), "keep-alive");
}

static void test_statuses(void **state)
{
    static const struct {
        const char *target;
        unsigned status;
        const char *location;
    } rows[] = {
        {"/", 200, ""},
        {"/index.html", 200, ""},
        {"/in", 200, ""},
        {"/sub", 301, "/sub/"},
        {"/sub?x=y", 301, "/sub/?x=y"},
        {"//sub", 301, "/sub/"}, /* not to a host called "sub" */
        {"/bare", 301, "/bare/"},
        {"/bare/", 200, ""},
        {"/nothing", 404, ""},
        {"/sub/a.txt/", 404, ""},
        {"/index.html/x", 404, ""},
        {"/out", 403, ""},
        {"/absolute", 403, ""},
        {"/up/", 403, ""},
        {"/up/etc/passwd", 403, ""},
        {"/loop", 403, ""},
        {"/fifo", 403, ""},
        {"/../etc/passwd", 400, ""},
        {"/%2e%2e/etc/passwd", 400, ""},
        {"/sub%2fa.txt", 404, ""},
        {"/%00", 400, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        get("GET", rows[i].target, "");
        if (response.status != rows[i].status)
            fail_msg("%s: %u", rows[i].target, response.status);
        assert_string_equal(field("Location"), rows[i].location);
        assert_int_equal(strtoul(field("Content-Length"), NULL, 10), strlen(body()));
        assert_int_equal(response.body_length, strlen(body()));
        get("HEAD", rows[i].target, "");
        assert_int_equal(response.status, rows[i].status);
        assert_string_equal(body(), "");
    }
    ask("POST / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(response.status, 405);
    assert_string_equal(field("Allow"), "GET, HEAD");
}

static void test_listing(void **state)
{
    (void)state;
    get("GET", "/sub/", "");
    assert_int_equal(response.status, 200);
    assert_string_equal(field("Content-Type"), "text/html; charset=utf-8");
    assert_non_null(strstr(body(), "<a href=\"./a.txt\">a.txt</a>"));
    assert_non_null(strstr(body(), "<a href=\"./%3Codd%3E%20%26%20%22name%22\">"
                                   "&lt;odd&gt; &amp; &quot;name&quot;</a>"));
    assert_null(strstr(body(), "hidden"));
    assert_non_null(strstr(body(), "href=\"../\""));
    get("GET", "/empty/", "");
    assert_int_equal(response.status, 200);
    site.listing = false;
    get("GET", "/sub/", "");
    assert_int_equal(response.status, 403);
    get("GET", "/bare/", "");
    assert_int_equal(response.status, 200);
    site.listing = true;
    /* An index that is a folder is none. */
    site.index = "sub";
    get("GET", "/", "");
    assert_int_equal(response.status, 200);
    assert_non_null(strstr(body(), "href=\"./bare/\""));
    assert_null(strstr(body(), "href=\"../\""));
    site.index = "index.html";
}

static void test_conditions(void **state)
{
    char etag[64], line[128];

    (void)state;
    get("GET", "/sub/a.txt", "");
    snprintf(etag, sizeof etag, "%s", field("ETag"));

    snprintf(line, sizeof line, "If-None-Match: %s\r\n", etag);
    get("GET", "/sub/a.txt", line);
    assert_int_equal(response.status, 304);
    assert_string_equal(body(), "");
    assert_string_equal(field("ETag"), etag);
    assert_string_equal(field("Content-Length"), "");

    get("GET", "/sub/a.txt", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
    assert_int_equal(response.status, 304);
    get("GET", "/sub/a.txt", "If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n");
    assert_int_equal(response.status, 200);
    get("GET", "/sub/a.txt", "If-Match: \"other\"\r\n");
    assert_int_equal(response.status, 412);
    assert_string_equal(field("Content-Length"), "0");
    get("GET", "/sub/a.txt", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT\r\n");
    assert_int_equal(response.status, 412);

    /* Changed: another tag. */
    site_write("sub/a.txt", "0123456789X", 11);
    snprintf(line, sizeof line, "If-None-Match: %s\r\n", etag);
    get("GET", "/sub/a.txt", line);
    assert_int_equal(response.status, 200);
    snprintf(line, sizeof line, "Range: bytes=5-\r\nIf-Range: %s\r\n", etag);
    get("GET", "/sub/a.txt", line);
    assert_int_equal(response.status, 200);
    site_write("sub/a.txt", "0123456789", 10);
    get("GET", "/sub/a.txt", line);
    assert_int_equal(response.status, 206);
}

static void test_ranges(void **state)
{
    static const struct {
        const char *range;
        unsigned status;
        const char *content_range, *body;
    } rows[] = {
        {"bytes=0-3", 206, "bytes 0-3/10", "0123"},
        {"bytes=4-", 206, "bytes 4-9/10", "456789"},
        {"bytes=-1", 206, "bytes 9-9/10", "9"},
        {"bytes=0-99", 206, "bytes 0-9/10", "0123456789"},
        {"bytes=10-", 416, "bytes */10", ""},
        {"bytes=x", 200, "", "0123456789"},
    };
    char line[128];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(line, sizeof line, "Range: %s\r\n", rows[i].range);
        get("GET", "/sub/a.txt", line);
        assert_int_equal(response.status, rows[i].status);
        assert_string_equal(field("Content-Range"), rows[i].content_range);
        assert_string_equal(body(), rows[i].body);
        assert_int_equal(strtoul(field("Content-Length"), NULL, 10), strlen(body()));
    }
    get("HEAD", "/sub/a.txt", "Range: bytes=0-3\r\n"); /* means nothing to HEAD */
    assert_int_equal(response.status, 200);
    assert_string_equal(field("Content-Length"), "10");
}

static void test_multipart(void **state)
{
    char expected[1024], boundary[64];
    const char *type;

    (void)state;
    get("GET", "/sub/a.txt", "Range: bytes=8-,0-1\r\n");
    assert_int_equal(response.status, 206);
    type = field("Content-Type");
    assert_true(!strncmp(type, "multipart/byteranges; boundary=", 31));
    snprintf(boundary, sizeof boundary, "%s", type + 31);
    snprintf(expected, sizeof expected,
             "\r\n--%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
             "Content-Range: bytes 8-9/10\r\n\r\n89"
             "\r\n--%s\r\nContent-Type: text/plain; charset=utf-8\r\n"
             "Content-Range: bytes 0-1/10\r\n\r\n01"
             "\r\n--%s--\r\n",
             boundary, boundary, boundary);
    assert_string_equal(body(), expected);
    assert_int_equal(strtoul(field("Content-Length"), NULL, 10), strlen(expected));
    assert_int_equal(response.body_length, strlen(expected));
    /* The most there may be. */
    site_write("many", "0123456789abcdefghijklmnopqrstuvwxyz", 36);
    get("GET", "/many",
        "Range: bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,"
        "28-28,30-30\r\n");
    assert_int_equal(response.status, 206);
    assert_int_equal(response.count, HTTP_MAX_PIECES);
    assert_int_equal(strtoul(field("Content-Length"), NULL, 10), strlen(body()));
}

static void test_errors_escape(void **state)
{
    struct request q = {.target = ""};

    (void)state;
    sw_http_response_clear(&response);
    sw_http_response_error(&response, &q, 400, "<script>", NOW);
    render();
    assert_non_null(strstr(body(), "&lt;script&gt;"));
    for (unsigned status = 400; status <= 505; status++)
        assert_non_null(sw_http_status_phrase(status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),         cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_listing),       cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_ranges),        cmocka_unit_test(test_multipart),
        cmocka_unit_test(test_errors_escape),
    };
    int result;

    if (sw_http_folder_init(&site.folder, -1, site_make()))
        return 1;
    result = cmocka_run_group_tests(tests, NULL, NULL);
    sw_http_response_clear(&response);
    sw_http_message_free(&message);
    sw_http_folder_dispose(&site.folder);
    site_remove();
    return result;
}
