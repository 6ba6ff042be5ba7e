/*
 * test_client_reply.c - The request as it is written, and what the head of a response means.
 */
#define _GNU_SOURCE
#include "http/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct message_limits limits = {4096, 4096};

static const char *compose(const char *first, const char *url, const struct sanwo_http_request *q,
                           struct writer *w)
{
    struct sanwo_http_client client = {.request = *q, .config.user_agent = "test"};
    char *first_authority = strdup(first);
    const char *trouble;

    client.first_authority = first_authority;
    assert_null(sw_http_url_read(&client.url, text_of(url)));
    trouble = sw_http_client_compose(w, &client);
    sw_http_write(w, (struct text){"", 1});
    sw_http_url_free(&client.url);
    free(first_authority);
    return trouble;
}

static void test_compose(void **state)
{
    const char *given[] = {"X-A: 1", "user-agent: mine", "Authorization: secret", NULL};
    const char *bad[][2] = {
        {"no colon", NULL}, {"A b: c", NULL}, {"A: b\r\nC: d", NULL}, {": x", NULL}};
    struct writer w = {0};

    (void)state;
    assert_null(compose("a:81", "http://a:81/x?y", &(struct sanwo_http_request){0}, &w));
    assert_string_equal(w.bytes, "GET /x?y HTTP/1.1\r\nHost: a:81\r\nUser-Agent: test\r\n"
                                 "Accept: */*\r\nAccept-Encoding: identity\r\n\r\n");
    assert_null(compose(
        "a", "http://a/",
        &(struct sanwo_http_request){.head = true, .headers = given, .resume_from = 7}, &w));
    assert_string_equal(w.bytes, "HEAD / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n"
                                 "Accept-Encoding: identity\r\nRange: bytes=7-\r\n"
                                 "X-A: 1\r\nuser-agent: mine\r\nAuthorization: secret\r\n\r\n");
    /* Secrets stay with the server that they were meant for. */
    assert_null(compose("a", "http://b/", &(struct sanwo_http_request){.headers = given}, &w));
    assert_null(strstr(w.bytes, "secret"));
    assert_non_null(strstr(w.bytes, "X-A: 1"));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(
            compose("a", "http://a/", &(struct sanwo_http_request){.headers = bad[i]}, &w));
    sw_http_writer_free(&w);
}

static void test_judge(void **state)
{
    static const struct {
        const char *input;
        uint64_t resume_from;
        enum reply kind;
        int64_t content_length;
        uint64_t offset;
        int64_t total;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 0, REPLY_FINAL, 5, 0, 5},
        {"HTTP/1.1 200 OK\r\n\r\n", 0, REPLY_FINAL, -1, 0, -1},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 0, REPLY_FINAL, -1, 0, -1},
        {"HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\n", 0, REPLY_FINAL, 5, 0, 5},
        {"HTTP/1.1 100 Continue\r\n\r\n", 0, REPLY_INTERIM, -1, 0, -1},
        {"HTTP/1.1 103 Hints\r\n\r\n", 0, REPLY_INTERIM, -1, 0, -1},
        {"HTTP/1.1 101 Switch\r\n\r\n", 0, REPLY_WRONG, -1, 0, -1},
        {"HTTP/1.1 099 Odd\r\n\r\n", 0, REPLY_WRONG, -1, 0, -1},
        {"HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n", 0, REPLY_WRONG, 0, 0, 0},
        {"HTTP/1.1 301 M\r\nLocation: /x\r\n\r\n", 0, REPLY_REDIRECT, -1, 0, -1},
        {"HTTP/1.1 308 M\r\nLocation: /x\r\n\r\n", 0, REPLY_REDIRECT, -1, 0, -1},
        {"HTTP/1.1 300 M\r\nLocation: /x\r\n\r\n", 0, REPLY_FINAL, -1, 0, -1},
        {"HTTP/1.1 301 M\r\n\r\n", 0, REPLY_FINAL, -1, 0, -1},
        /* resuming */
        {"HTTP/1.1 206 P\r\nContent-Range: bytes 3-9/10\r\nContent-Length: 7\r\n\r\n", 3,
         REPLY_FINAL, 7, 3, 10},
        {"HTTP/1.1 206 P\r\nContent-Range: bytes 3-9/*\r\n\r\n", 3, REPLY_FINAL, -1, 3, -1},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", 3, REPLY_FINAL, 10, 0, 10},
        {"HTTP/1.1 206 P\r\nContent-Range: bytes 4-9/10\r\n\r\n", 3, REPLY_WRONG, -1, 0, 0},
        {"HTTP/1.1 206 P\r\nContent-Range: bytes 3-9/10\r\nContent-Length: 6\r\n\r\n", 3,
         REPLY_WRONG, 6, 0, 0},
        {"HTTP/1.1 206 P\r\nContent-Length: 7\r\n\r\n", 3, REPLY_WRONG, 7, 0, 0},
        {"HTTP/1.1 206 P\r\nContent-Range: bytes 0-9/10\r\nContent-Length: 10\r\n\r\n", 0,
         REPLY_FINAL, 10, 0, 10},
        {"HTTP/1.1 416 N\r\nContent-Range: bytes */10\r\n\r\n", 10, REPLY_COMPLETE, -1, 0, -1},
        {"HTTP/1.1 416 N\r\nContent-Range: bytes */9\r\n\r\n", 10, REPLY_FINAL, -1, 0, -1},
        {"HTTP/1.1 416 N\r\nContent-Range: bytes */10\r\n\r\n", 0, REPLY_FINAL, -1, 0, -1},
    };
    struct message m = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct sanwo_http_request q = {.resume_from = rows[i].resume_from};
        struct reply_head head;

        sw_http_message_init(&m, false, &limits);
        sw_http_message_feed(&m, rows[i].input, strlen(rows[i].input));
        assert_true(m.state == MESSAGE_BODY || m.state == MESSAGE_DONE);
        sw_http_client_judge(&head, &m, &q);
        if (head.kind != rows[i].kind)
            fail_msg("row %zu: kind %d", i, head.kind);
        assert_int_equal(head.content_length, rows[i].content_length);
        assert_true(!head.trouble == (head.kind != REPLY_WRONG));
        if (head.kind == REPLY_WRONG)
            continue;
        assert_int_equal(head.offset, rows[i].offset);
        assert_int_equal(head.total, rows[i].total);
    }
    sw_http_message_free(&m);
}

static void test_head_text(void **state)
{
    static const char input[] = "HTTP/1.0 404 Not Here\r\nA: b\r\nc:d\r\n\r\n";
    struct message m = {0};
    struct writer w = {0};

    (void)state;
    sw_http_message_init(&m, false, &limits);
    sw_http_message_feed(&m, input, sizeof input - 1);
    sw_http_client_write_head(&w, &m);
    assert_string_equal(w.bytes, "HTTP/1.0 404 Not Here\nA: b\nc: d\n");
    sw_http_writer_free(&w);
    sw_http_message_free(&m);
}

static void test_failure_names(void **state)
{
    (void)state;
    assert_string_equal(sanwo_http_failure_name(SANWO_HTTP_NONE), "NONE");
    assert_string_equal(sanwo_http_failure_name(SANWO_HTTP_MEMORY), "MEMORY");
    assert_string_equal(sanwo_http_failure_name(SANWO_HTTP_FAILURE_COUNT), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compose),
        cmocka_unit_test(test_judge),
        cmocka_unit_test(test_head_text),
        cmocka_unit_test(test_failure_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
