/*
 * test_message.c - The parser's wrapper: where messages end, what is refused, limits; each input
 * cut at every place.
 */
#include "http/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct message_limits limits = {1000, 100};

static char body[4096];
static size_t body_length;

static bool take_body(void *context, const char *bytes, size_t length)
{
    (void)context;
    memcpy(body + body_length, bytes, length);
    body_length += length;
    body[body_length] = '\0';
    return true;
}

static void begin(struct message *m, bool is_request)
{
    sw_http_message_init(m, is_request, &limits);
    m->on_body = take_body;
    body_length = 0;
    body[0] = '\0';
}

/* Feeds up to the end of the message, in pieces of at most @step. Returns the bytes eaten. */
static size_t feed(struct message *m, const char *bytes, size_t length, size_t step)
{
    size_t at = 0;

    while (at < length && m->state < MESSAGE_DONE) {
        size_t part = length - at < step ? length - at : step;

        at += sw_http_message_feed(m, bytes + at, part);
        if (m->state == MESSAGE_BODY)
            sw_http_message_feed(m, "", 0);
    }
    return at;
}

static void test_requests(void **state)
{
    static const struct {
        const char *input;
        const char *rest; /* what must be left; NULL: refused */
        unsigned status;  /* when refused */
        const char *body;
    } rows[] = {
        {"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b", "GET /b", 0, ""},
        {"\r\n\r\nGET /a HTTP/1.0\r\n\r\n", "", 0, ""},
        {"GET /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcGET", "GET", 0, "abc"},
        {"GET /a HTTP/1.1\r\nContent-Length: 0\r\n\r\nGET", "GET", 0, ""},
        {"GET /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n"
         "0\r\nTrailer: x\r\n\r\nGET",
         "GET", 0, "abc0123456789"},
        {"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nGET", "GET", 0, ""},
        {"CONNECT a:80 HTTP/1.1\r\n\r\nxyz", "xyz", 0, ""},
        /* two ways to read them */
        {"GET / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", NULL, 400,
         ""},
        {"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", NULL, 400,
         ""},
        {"GET / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", NULL, 400, ""},
        {"GET / HTTP/1.1\r\nContent-Length: 3, 3\r\n\r\n", NULL, 400, ""},
        {"GET / HTTP/1.1\r\nContent-Length: +3\r\n\r\n", NULL, 400, ""},
        {"GET / HTTP/1.1\r\nContent-Length: 0x3\r\n\r\n", NULL, 400, ""},
        {"GET / HTTP/1.1\r\nContent-Length:\r\n\r\n", NULL, 400, ""},
        {"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", NULL, 400, ""},
        {"GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", NULL, 400, ""},
        {"GET / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", NULL, 400, ""},
        {"GET / HTTP/1.1\r\nHost : x\r\n\r\n", NULL, 400, ""},
        {"GET / HTTP/1.1\r\n: x\r\n\r\n", NULL, 400, ""},
        {"GET / HTTP/1.1\r\nno colon\r\n\r\n", NULL, 400, ""},
        {"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", NULL, 400, ""},
        {"GET / HTTP/1.1\r\nA: b\nB: c\r\n\r\n", NULL, 400, ""},
        {"GET / HTTP/1.1\n\n", NULL, 400, ""},
        {"GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", NULL, 400, ""},
        {"GET / HTTP/1.1\r\nA: b\x01\r\n\r\n", NULL, 400, ""},
        {"GET / HTTP/1.1\r\nA: b\x7f\r\n\r\n", NULL, 400, ""},
        {"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", NULL, 400, ""},
        {"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", NULL, 400, "abc"},
        /* not for us */
        {"GET / HTTP/3.7\r\n\r\n", NULL, 505, ""},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NULL, 505, ""},
        {"\x16\x03\x01\x02", NULL, 400, ""},
        {"GET / x HTTP/1.1\r\n\r\n", NULL, 400, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t length = strlen(rows[i].input);

        for (size_t step = 1; step <= length; step++) {
            struct message m = {0};
            size_t eaten;

            begin(&m, true);
            eaten = feed(&m, rows[i].input, length, step);
            if (m.state != (rows[i].rest ? MESSAGE_DONE : MESSAGE_BROKEN))
                fail_msg("row %zu, step %zu: state %d", i, step, m.state);
            assert_string_equal(body, rows[i].body);
            if (rows[i].rest)
                assert_string_equal(rows[i].input + eaten, rows[i].rest);
            else
                assert_int_equal(m.status, rows[i].status);
            sw_http_message_free(&m);
        }
    }
}

static void test_unknown_method(void **state)
{
    static const struct {
        const char *input;
        unsigned status;
    } rows[] = {{"BREW /pot HTTP/1.1\r\n\r\n", 501},
                {"BR:W /pot HTTP/1.1\r\n\r\n", 501},
                {"GETET / HTTP/1.1\r\n\r\n", 501},
                {":BREW /pot HTTP/1.1\r\n\r\n", 400},
                {"\x16\x03\x01 no request at all", 400}};
    struct message m = {0};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t step = 1; step < 30; step++) { /* however it is cut into segments */
            begin(&m, true);
            feed(&m, rows[i].input, strlen(rows[i].input), step);
            assert_int_equal(m.status, rows[i].status);
            sw_http_message_free(&m);
        }
}

static void test_fields(void **state)
{
    static const char input[] = "GET /target?x HTTP/1.1\r\nHost: here\r\nEmpty:\r\n"
                                "If-Match: \"a\" \r\nif-match:\t\"b\"\r\n\r\n";
    struct message m = {0};
    struct text value;

    (void)state;
    for (size_t step = 1; step < sizeof input; step++) {
        begin(&m, true);
        feed(&m, input, sizeof input - 1, step);
        assert_int_equal(m.state, MESSAGE_DONE);
        assert_string_equal(sw_http_message_method(&m), "GET");
        assert_string_equal(sw_http_message_target(&m), "/target?x");
        assert_int_equal(message_version(&m), 11);
        assert_int_equal(m.field_count, 4);
        assert_true(sw_http_message_field(&m, "HOST", 0, &value));
        assert_true(sw_http_text_equals(value, text_of("here")));
        assert_false(sw_http_message_field(&m, "Host", 1, &value));
        assert_true(sw_http_message_field(&m, "Empty", 0, &value));
        assert_int_equal(value.length, 0);
        assert_int_equal(sw_http_message_count(&m, "If-Match"), 2);
        assert_true(
            sw_http_text_equals(sw_http_message_list(&m, "If-Match"), text_of("\"a\",\"b\",")));
        assert_int_equal(sw_http_message_list(&m, "Nothing").length, 0);
    }
    sw_http_message_free(&m);
}

static void test_limits(void **state)
{
    struct message m = {0};
    char input[4096];
    size_t length;

    (void)state;
    for (unsigned n = 98; n <= 103; n++) { /* with its slash the target has n + 1 bytes */
        length = (size_t)snprintf(input, sizeof input, "GET /%0*d HTTP/1.1\r\n\r\n", (int)n, 0);
        begin(&m, true);
        feed(&m, input, length, length);
        assert_int_equal(m.state, n + 1 <= 100 ? MESSAGE_DONE : MESSAGE_BROKEN);
        if (m.state == MESSAGE_BROKEN)
            assert_int_equal(m.status, 414);
    }
    for (unsigned n = 960; n <= 1100; n++) {
        length =
            (size_t)snprintf(input, sizeof input, "GET / HTTP/1.1\r\nA: %0*d\r\n\r\n", (int)n, 0);
        for (size_t step = 7; step < 2000; step += 900) {
            begin(&m, true);
            feed(&m, input, length, step);
            assert_int_equal(m.state, length <= 1000 ? MESSAGE_DONE : MESSAGE_BROKEN);
            if (m.state == MESSAGE_BROKEN)
                assert_int_equal(m.status, 431);
            assert_true(m.store.used <= 1001);
        }
    }
    memset(input, '\n', sizeof input); /* blank lines count too */
    for (size_t i = 0; i < sizeof input; i += 2)
        input[i] = '\r';
    begin(&m, true);
    feed(&m, input, sizeof input, 100);
    assert_int_equal(m.state, MESSAGE_BROKEN);
    sw_http_message_free(&m);
}

static void test_responses(void **state)
{
    static const struct {
        const char *input;
        bool head;
        enum message_state at_end;   /* after all bytes; DONE if it needs no more */
        enum message_state finished; /* after the stream ended */
        const char *body;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", false, MESSAGE_DONE, MESSAGE_DONE,
         "abc"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", false, MESSAGE_BODY, MESSAGE_BROKEN,
         "abc"},
        {"HTTP/1.1 200\r\nContent-Length: 1\r\n\r\na", false, MESSAGE_DONE, MESSAGE_DONE, "a"},
        {"HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\na", false, MESSAGE_DONE, MESSAGE_DONE, "a"},
        {"HTTP/1.0 200 OK\r\n\r\nabc", false, MESSAGE_BODY, MESSAGE_DONE, "abc"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", false,
         MESSAGE_DONE, MESSAGE_DONE, "abc"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", false, MESSAGE_BODY,
         MESSAGE_BROKEN, "abc"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", false, MESSAGE_BODY,
         MESSAGE_BROKEN, "ab"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true, MESSAGE_DONE, MESSAGE_DONE, ""},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", false, MESSAGE_DONE,
         MESSAGE_DONE, ""},
        {"HTTP/1.1 204 No Content\r\n\r\n", false, MESSAGE_DONE, MESSAGE_DONE, ""},
        {"HTTP/1.1 100 Continue\r\n\r\n", false, MESSAGE_DONE, MESSAGE_DONE, ""},
        {"HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n", false, MESSAGE_DONE,
         MESSAGE_DONE, ""},
        {"HTTP/1.1 200 OK\r\nContent-Le", false, MESSAGE_HEAD, MESSAGE_BROKEN, ""},
        {"SSH-2.0-OpenSSH\r\n", false, MESSAGE_BROKEN, MESSAGE_BROKEN, ""},
        {"", false, MESSAGE_EMPTY, MESSAGE_EMPTY, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t length = strlen(rows[i].input);

        for (size_t step = 1; step <= length + 1; step++) {
            struct message m = {0};

            begin(&m, false);
            m.body_is_absent = rows[i].head;
            feed(&m, rows[i].input, length, step);
            if (m.state != rows[i].at_end)
                fail_msg("row %zu, step %zu: state %d", i, step, m.state);
            sw_http_message_finish(&m);
            if (m.state != rows[i].finished)
                fail_msg("row %zu, step %zu: state %d after the end", i, step, m.state);
            assert_string_equal(body, rows[i].body);
            sw_http_message_free(&m);
        }
    }
}

static bool refuse_body(void *context, const char *bytes, size_t length)
{
    (void)context, (void)bytes, (void)length;
    return false;
}

static void test_receiver_gives_up(void **state)
{
    static const char input[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
    struct message m = {0};

    (void)state;
    begin(&m, false);
    m.on_body = refuse_body;
    feed(&m, input, sizeof input - 1, sizeof input);
    assert_int_equal(m.state, MESSAGE_BROKEN);
    assert_int_equal(m.status, 0);
    sw_http_message_free(&m);
}

/* Bytes at random, mostly from what messages are made of: no crash, no growth beyond the limits. */
static void test_noise(void **state)
{
    static const char *const words[] = {"GET ",
                                        "/",
                                        " HTTP/1.1",
                                        "\r\n",
                                        "\r\n\r\n",
                                        ":",
                                        "Host",
                                        "Content-Length: 9",
                                        "Transfer-Encoding: chunked",
                                        "5;a=b",
                                        "0",
                                        " ",
                                        "\n",
                                        "\x80",
                                        "HEAD ",
                                        "Connection: close"};
    struct message m = {0};
    uint32_t seed = 1;

    (void)state;
    for (int run = 0; run < 20000; run++) {
        begin(&m, run % 2);
        for (int i = 0; i < 12 && m.state < MESSAGE_DONE; i++) {
            seed = seed * 1664525u + 1013904223u;
            const char *word = words[(seed >> 20) % (sizeof words / sizeof words[0])];
            feed(&m, word, strlen(word), 1 + (seed >> 16) % 5);
        }
        sw_http_message_finish(&m);
        assert_true(m.store.used <= 2000);
    }
    sw_http_message_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),  cmocka_unit_test(test_unknown_method),
        cmocka_unit_test(test_fields),    cmocka_unit_test(test_limits),
        cmocka_unit_test(test_responses), cmocka_unit_test(test_receiver_gives_up),
        cmocka_unit_test(test_noise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
