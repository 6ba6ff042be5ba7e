/*
 * test_request.c - The rules between a well-formed request and an answer.
 */
#include "http/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define MAX_BODY 1000

static const struct message_limits limits = {4096, 1024};

/* Feeds @input up to the end of its head. */
static void read_request(struct message *m, struct request *q, const char *input)
{
    sw_http_message_init(m, true, &limits);
    sw_http_message_feed(m, input, strlen(input));
    assert_true(m->state >= MESSAGE_BODY);
    sw_http_request_read(q, m, MAX_BODY);
}

static void test_verdicts(void **state)
{
    static const struct {
        const char *input;
        unsigned status;
        bool keep_alive;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0, true},
        {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 0, true},
        {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 0, true},
        {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0, true},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 0, false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: Close\r\n\r\n", 0, false},
        {"GET / HTTP/1.0\r\n\r\n", 0, false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 0, true},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive, close\r\n\r\n", 0, false},
        /* Host */
        {"GET / HTTP/1.1\r\n\r\n", 400, false},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, false},
        {"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400, false},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, false},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, false},
        {"GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400, false},
        /* methods */
        {"POST / HTTP/1.1\r\nHost: a\r\n\r\n", 405, true},
        {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 405, true},
        {"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n", 405, false},
        {"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 405, false},
        /* bodies */
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", 0, true},
        {"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", 413, false},
        {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 0, true},
        {"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501, false},
        {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n", 400,
         false},
        /* expectations */
        {"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n", 0, true},
        {"GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", 417, true},
        /* versions */
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, false},
        {"GET /\r\n\r\n", 505, false},
    };
    struct message m = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct request q;

        read_request(&m, &q, rows[i].input);
        if (q.status != rows[i].status || q.keep_alive != rows[i].keep_alive)
            fail_msg("row %zu: %u, %d", i, q.status, q.keep_alive);
        assert_true(!q.status == !q.trouble);
    }
    sw_http_message_free(&m);
}

static void test_views(void **state)
{
    struct message m = {0};
    struct request q;

    (void)state;
    read_request(&m, &q,
                 "HEAD /x HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\nIf-Match: \"a\"\r\n"
                 "If-None-Match: \"b\"\r\nIf-Match: \"c\"\r\nIf-None-Match: \"d\"\r\n"
                 "If-Modified-Since: 1\r\nIf-Unmodified-Since: 2\r\nIf-Range: 3\r\n\r\n");
    assert_true(q.is_head);
    assert_string_equal(q.target, "/x");
    assert_true(sw_http_text_equals(q.range, text_of("bytes=0-1")));
    assert_true(sw_http_text_equals(q.conditions.if_match, text_of("\"a\",\"c\",")));
    assert_true(sw_http_text_equals(q.conditions.if_none_match, text_of("\"b\",\"d\",")));
    assert_true(sw_http_text_equals(q.conditions.if_modified_since, text_of("1")));
    assert_true(sw_http_text_equals(q.conditions.if_unmodified_since, text_of("2")));
    assert_true(sw_http_text_equals(q.conditions.if_range, text_of("3")));

    read_request(&m, &q,
                 "GET / HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1\r\nRange: bytes=2-3\r\n\r\n");
    assert_int_equal(q.range.length, 0); /* twice is not at all */
    assert_false(q.expects_continue);

    read_request(&m, &q,
                 "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    assert_true(q.expects_continue && q.has_body);
    read_request(&m, &q, "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n");
    assert_false(q.expects_continue); /* nothing to wait for */
    sw_http_message_free(&m);
}

static void test_broken(void **state)
{
    struct message m = {0};
    struct request q;

    (void)state;
    read_request(&m, &q, "GET / HTTP/1.1\r\nA b: c\r\n\r\n");
    assert_int_equal(q.status, 400);
    assert_false(q.keep_alive);
    sw_http_message_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_broken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
