/*
 * test_server.c - The server on a whole stack, in virtual time: order, limits, time-outs, endings.
 */
#include "net.h"
#include "site.h"

#include <sanwo/http.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOST "Host: a\r\n"
#define BIG (3 << 20)

struct bench {
    struct net net;
    struct sanwo_http_server *server;
    int timer;
    struct sanwo_http_access last; /* strings: copied below */
    char last_trouble[128];
    unsigned logged;
};

static struct bench b;
static char *big;

static void set_timer(void)
{
    sanwo_virtual_set_timer(b.net.loop, b.timer, sanwo_http_server_deadline(b.server));
}

static bool on_event(void *context, const struct sanwo_event *event, sanwo_time now)
{
    bool taken = sanwo_http_server_event(b.server, event, now);

    (void)context;
    set_timer();
    return taken;
}

static void on_timer(void *context, sanwo_time now)
{
    (void)context;
    sanwo_http_server_tick(b.server, now);
    set_timer();
}

static int64_t fixed_clock(void *context)
{
    (void)context;
    return 1700000000;
}

static void on_log(void *context, const struct sanwo_http_access *what)
{
    (void)context;
    b.last = *what;
    b.logged++;
    snprintf(b.last_trouble, sizeof b.last_trouble, "%s", what->trouble ? what->trouble : "");
}

static void open_with(const struct sanwo_http_server_config *config)
{
    memset(&b, 0, sizeof b);
    net_open(&b.net);
    assert_int_equal(
        sanwo_http_server_create(config, b.net.server.stack, net_now(&b.net), &b.server, NULL), 0);
    b.timer = sanwo_virtual_add_timer(b.net.loop, on_timer, NULL);
    b.net.server.on_event = on_event;
}

static struct sanwo_http_server_config defaults(void)
{
    struct sanwo_http_server_config config;

    sanwo_http_server_config_default(&config);
    config.path = site_path("");
    config.clock = fixed_clock;
    config.log = on_log;
    return config;
}

static void open_bench(void)
{
    struct sanwo_http_server_config config = defaults();

    open_with(&config);
}

static void close_bench(void)
{
    sanwo_http_server_destroy(b.server, net_now(&b.net));
    b.server = NULL;
    b.net.server.on_event = NULL;
    net_close(&b.net);
}

static unsigned connections(void)
{
    struct sanwo_http_server_stats stats;

    sanwo_http_server_stats(b.server, &stats);
    return stats.connections;
}

/* How often @what stands in what the peer heard. */
static unsigned count(const struct peer *p, const char *what)
{
    unsigned found = 0;

    for (const char *at = p->heard; (at = strstr(at, what)); at++)
        found++;
    return found;
}

static void test_pipeline(void **state)
{
    struct peer p = {0};
    const char *first, *second, *third;

    (void)state;
    open_bench();
    peer_connect(&p, &b.net, 80,
                 "GET /sub/a.txt HTTP/1.1\r\n" HOST "\r\n"
                 "GET /nothing HTTP/1.1\r\n" HOST "\r\n"
                 "HEAD /sub/a.txt HTTP/1.1\r\n" HOST "\r\n"
                 "GET / HTTP/1.1\r\n" HOST "Connection: close\r\n\r\nnot looked at");
    net_run(&b.net, SANWO_SEC(1));
    assert_int_equal(count(&p, "HTTP/1.1 "), 4);
    first = strstr(p.heard, "0123456789");
    second = strstr(p.heard, "404");
    third = strstr(p.heard, "<p>home");
    assert_true(first && second && third && first < second && second < third);
    assert_true(p.ended && !p.error);
    assert_int_equal(b.logged, 4);
    peer_close(&p, net_now(&b.net));
    net_run(&b.net, SANWO_SEC(10));
    assert_int_equal(connections(), 0);
    close_bench();
}

/* A small answer does not wait until the one before it is acknowledged (Nagle). */
static void test_no_waiting(void **state)
{
    static const char request[] = "GET /sub/a.txt HTTP/1.1\r\n" HOST "\r\n";
    struct peer p = {0};

    (void)state;
    open_bench();
    peer_connect(&p, &b.net, 80, NULL);
    net_run(&b.net, SANWO_MSEC(500));
    sanwo_tcp_set_option(p.stack, p.handle, SANWO_TCP_NAGLE, 0, net_now(&b.net));
    for (int i = 0; i < 2; i++) {
        peer_say(&p, request, sizeof request - 1, net_now(&b.net));
        net_run(&b.net, SANWO_USEC(500));
    }
    /* There and back take 2 ms, and the second was sent half a millisecond after the first. */
    net_run(&b.net, SANWO_USEC(1600));
    assert_int_equal(count(&p, "0123456789"), 2);
    peer_close(&p, net_now(&b.net));
    close_bench();
}

static void test_bytes_one_by_one(void **state)
{
    static const char request[] = "GET /sub/a.txt HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n";
    struct peer p = {0};

    (void)state;
    open_bench();
    peer_connect(&p, &b.net, 80, NULL);
    net_run(&b.net, SANWO_MSEC(10));
    for (size_t i = 0; i < sizeof request - 1; i++) {
        peer_say(&p, request + i, 1, net_now(&b.net));
        net_run(&b.net, SANWO_MSEC(10));
    }
    net_run(&b.net, SANWO_SEC(1));
    assert_int_equal(count(&p, "0123456789"), 1);
    assert_true(p.ended);
    peer_close(&p, net_now(&b.net));
    close_bench();
}

static void test_big_file(void **state)
{
    struct peer p = {0};
    const char *body;

    (void)state;
    open_bench();
    peer_connect(&p, &b.net, 80, "GET /big HTTP/1.0\r\n\r\n");
    net_run(&b.net, SANWO_SEC(30));
    body = strstr(p.heard, "\r\n\r\n");
    assert_non_null(body);
    assert_int_equal(p.heard + p.heard_length - (body + 4), BIG);
    assert_memory_equal(body + 4, big, BIG);
    assert_true(p.ended && !p.error);
    assert_int_equal(b.last.body_bytes, BIG);
    assert_string_equal(b.last_trouble, "");
    peer_close(&p, net_now(&b.net));
    close_bench();
}

static void test_half_close(void **state)
{
    struct peer p = {.then_ends = true};

    (void)state;
    open_bench();
    peer_connect(&p, &b.net, 80, "GET /sub/a.txt HTTP/1.1\r\n" HOST "\r\n");
    net_run(&b.net, SANWO_SEC(1));
    assert_int_equal(count(&p, "0123456789"), 1);
    assert_true(p.ended && !p.error);
    assert_int_equal(connections(), 0);
    peer_close(&p, net_now(&b.net));

    p.then_ends = true;
    peer_connect(&p, &b.net, 80, "GET /sub/a");
    net_run(&b.net, SANWO_SEC(1));
    assert_int_equal(count(&p, "HTTP/1.1 400"), 1);
    assert_true(p.ended && !p.error);
    peer_close(&p, net_now(&b.net));
    close_bench();
}

static void test_continue(void **state)
{
    struct peer p = {0};

    (void)state;
    open_bench();
    peer_connect(&p, &b.net, 80,
                 "GET /sub/a.txt HTTP/1.1\r\n" HOST
                 "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    net_run(&b.net, SANWO_SEC(1));
    assert_string_equal(p.heard, "HTTP/1.1 100 Continue\r\n\r\n");
    peer_say(&p, "abc", 3, net_now(&b.net));
    net_run(&b.net, SANWO_SEC(1));
    assert_int_equal(count(&p, "HTTP/1.1 200"), 1);
    assert_false(p.ended);
    peer_close(&p, net_now(&b.net));
    close_bench();
}

static void test_refusals(void **state)
{
    static const struct {
        const char *request, *status;
        bool closes;
    } rows[] = {
        {"POST / HTTP/1.1\r\n" HOST "\r\n", "405", false},
        {"POST / HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\n123", "405", true},
        {"GET / HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\n", "413", true},
        {"GET / HTTP/1.1\r\n\r\n", "400", true},
        {"GET /%zz HTTP/1.1\r\n" HOST "\r\n", "400", false},
        {"BREW / HTTP/1.1\r\n" HOST "\r\n", "501", true},
        {"GET / HTTP/4.2\r\n" HOST "\r\n", "505", true},
    };

    (void)state;
    open_bench();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct peer p = {0};
        char line[32];

        peer_connect(&p, &b.net, 80, rows[i].request);
        net_run(&b.net, SANWO_SEC(1));
        snprintf(line, sizeof line, "HTTP/1.1 %s ", rows[i].status);
        if (!count(&p, line) || p.ended != rows[i].closes || p.error)
            fail_msg("row %zu: '%s'", i, p.heard);
        peer_close(&p, net_now(&b.net));
        net_run(&b.net, SANWO_SEC(10));
        assert_int_equal(connections(), 0);
    }
    close_bench();
}

/* More than is read: the answer must not be lost to a reset. */
static void test_refused_upload(void **state)
{
    struct peer p = {0};
    static char upload[400000];
    int length =
        snprintf(upload, sizeof upload, "PUT / HTTP/1.1\r\n" HOST "Content-Length: 300000\r\n\r\n");

    (void)state;
    memset(upload + length, 'x', 300000);
    open_bench();
    peer_connect(&p, &b.net, 80, NULL);
    net_run(&b.net, SANWO_MSEC(10));
    peer_say(&p, upload, (size_t)length + 300000, net_now(&b.net));
    net_run(&b.net, SANWO_SEC(2));
    assert_int_equal(count(&p, "HTTP/1.1 405"), 1);
    assert_true(p.ended && !p.error);
    peer_close(&p, net_now(&b.net));
    close_bench();
}

static void test_timeouts(void **state)
{
    struct peer slow = {0}, silent = {0}, idle = {0};

    (void)state;
    open_bench();
    peer_connect(&slow, &b.net, 80, "GET /sub/a.txt HT");
    peer_connect(&silent, &b.net, 80, NULL);
    peer_connect(&idle, &b.net, 80, "GET /sub/a.txt HTTP/1.1\r\n" HOST "\r\n");
    net_run(&b.net, SANWO_MSEC(9500));
    assert_false(slow.ended || silent.ended || idle.ended);
    net_run(&b.net, SANWO_SEC(1));
    assert_int_equal(count(&slow, "HTTP/1.1 408"), 1);
    assert_true(slow.ended && !slow.error);
    assert_true(silent.ended && silent.heard_length == 0);
    net_run(&b.net, SANWO_SEC(48));
    assert_false(idle.ended);
    net_run(&b.net, SANWO_SEC(2));
    assert_true(idle.ended && !idle.error);
    assert_int_equal(count(&idle, "HTTP/1.1"), 1);
    /* None of them closed: the server does not wait for ever. */
    net_run(&b.net, SANWO_SEC(10));
    assert_int_equal(connections(), 0);
    assert_true(sanwo_http_server_deadline(b.server) == SANWO_TIME_NEVER);
    peer_close(&slow, net_now(&b.net));
    peer_close(&silent, net_now(&b.net));
    peer_close(&idle, net_now(&b.net));
    close_bench();
}

static void test_stalled_reader(void **state)
{
    struct peer p = {.is_deaf = true};

    (void)state;
    open_bench();
    peer_connect(&p, &b.net, 80, "GET /big HTTP/1.0\r\n\r\n");
    net_run(&b.net, SANWO_SEC(60));
    assert_int_equal(connections(), 1);
    net_run(&b.net, SANWO_SEC(400));
    assert_int_equal(connections(), 0);
    assert_string_equal(b.last_trouble, "the peer stopped reading");
    assert_int_equal(p.error, SANWO_ECONNRESET);
    peer_close(&p, net_now(&b.net));
    close_bench();
}

/* A minute of silence is forgiven. */
static void test_pausing_reader(void **state)
{
    struct peer p = {.is_deaf = true};

    (void)state;
    open_bench();
    peer_connect(&p, &b.net, 80, "GET /big HTTP/1.0\r\n\r\n");
    net_run(&b.net, SANWO_SEC(60));
    p.is_deaf = false;
    peer_event(&p, &(struct sanwo_event){.handle = p.handle}, net_now(&b.net));
    net_run(&b.net, SANWO_SEC(30));
    assert_true(p.ended && !p.error);
    assert_true(p.heard_length > BIG);
    peer_close(&p, net_now(&b.net));
    close_bench();
}

static void test_shrinking_file(void **state)
{
    struct peer p = {.is_deaf = true};

    (void)state;
    site_write("shrinks", big, BIG);
    open_bench();
    peer_connect(&p, &b.net, 80, "GET /shrinks HTTP/1.0\r\n\r\n");
    net_run(&b.net, SANWO_SEC(1));
    site_write("shrinks", "", 0);
    p.is_deaf = false;
    peer_event(&p, &(struct sanwo_event){.handle = p.handle}, net_now(&b.net));
    net_run(&b.net, SANWO_SEC(10));
    assert_string_equal(b.last_trouble, "the file became shorter");
    assert_int_equal(p.error, SANWO_ECONNRESET); /* never a body that looks complete */
    assert_int_equal(connections(), 0);
    peer_close(&p, net_now(&b.net));
    close_bench();
}

static void test_growing_file(void **state)
{
    struct peer p = {.is_deaf = true};

    (void)state;
    site_write("grows", big, BIG - 1000);
    open_bench();
    peer_connect(&p, &b.net, 80, "GET /grows HTTP/1.0\r\n\r\n");
    net_run(&b.net, SANWO_SEC(1));
    site_write("grows", big, BIG);
    p.is_deaf = false;
    peer_event(&p, &(struct sanwo_event){.handle = p.handle}, net_now(&b.net));
    net_run(&b.net, SANWO_SEC(10));
    assert_true(p.ended);
    assert_int_equal(b.last.body_bytes, BIG - 1000);
    peer_close(&p, net_now(&b.net));
    close_bench();
}

static void test_connection_limit(void **state)
{
    struct sanwo_http_server_config config = defaults();
    struct peer peers[4] = {{0}};

    (void)state;
    config.max_connections = 2;
    open_with(&config);
    for (int i = 0; i < 4; i++)
        peer_connect(&peers[i], &b.net, 80, "GET /sub/a.txt HTTP/1.1\r\n" HOST "\r\n");
    net_run(&b.net, SANWO_SEC(1));
    /* Those that idle longest made room. */
    for (int i = 0; i < 4; i++)
        assert_int_equal(count(&peers[i], "0123456789"), 1);
    assert_true(connections() <= 2);
    for (int i = 0; i < 4; i++)
        peer_close(&peers[i], net_now(&b.net));
    net_run(&b.net, SANWO_SEC(10));
    assert_int_equal(connections(), 0);

    /* Busy ones do not make room: the others wait until they are done. */
    peers[0].is_deaf = peers[1].is_deaf = peers[2].is_deaf = true;
    for (int i = 0; i < 4; i++)
        peer_connect(&peers[i], &b.net, 80,
                     i < 3 ? "GET /big HTTP/1.0\r\n\r\n" : "GET /sub/a.txt HTTP/1.0\r\n\r\n");
    net_run(&b.net, SANWO_SEC(1));
    assert_int_equal(peers[3].heard_length, 0);
    for (int i = 0; i < 3; i++) {
        peers[i].is_deaf = false;
        peer_event(&peers[i], &(struct sanwo_event){.handle = peers[i].handle}, net_now(&b.net));
    }
    net_run(&b.net, SANWO_SEC(20));
    assert_int_equal(count(&peers[3], "0123456789"), 1);
    for (int i = 0; i < 4; i++)
        peer_close(&peers[i], net_now(&b.net));
    close_bench();
}

static void test_request_limit(void **state)
{
    struct sanwo_http_server_config config = defaults();
    struct peer p = {0};

    (void)state;
    config.max_requests = 2;
    open_with(&config);
    peer_connect(&p, &b.net, 80,
                 "GET /zero HTTP/1.1\r\n" HOST "\r\nGET /zero HTTP/1.1\r\n" HOST "\r\n"
                 "GET /zero HTTP/1.1\r\n" HOST "\r\n");
    net_run(&b.net, SANWO_SEC(1));
    assert_int_equal(count(&p, "HTTP/1.1 200"), 2);
    assert_int_equal(count(&p, "Connection: close"), 1);
    assert_true(p.ended && !p.error);
    peer_close(&p, net_now(&b.net));
    close_bench();
}

static void test_stop(void **state)
{
    struct peer idle = {0}, busy = {.is_deaf = true}, late = {0};

    (void)state;
    open_bench();
    peer_connect(&idle, &b.net, 80, "GET /sub/a.txt HTTP/1.1\r\n" HOST "\r\n");
    peer_connect(&busy, &b.net, 80, "GET /big HTTP/1.1\r\n" HOST "\r\n");
    net_run(&b.net, SANWO_SEC(1));
    sanwo_http_server_stop(b.server, net_now(&b.net));
    set_timer();
    assert_false(sanwo_http_server_is_idle(b.server));
    peer_connect(&late, &b.net, 80, "GET / HTTP/1.0\r\n\r\n");
    net_run(&b.net, SANWO_SEC(1));
    assert_true(idle.ended && !idle.error);
    assert_int_equal(late.error, SANWO_ECONNREFUSED);
    busy.is_deaf = false;
    peer_event(&busy, &(struct sanwo_event){.handle = busy.handle}, net_now(&b.net));
    net_run(&b.net, SANWO_SEC(20));
    assert_true(busy.ended && !busy.error && busy.heard_length > BIG);
    peer_close(&idle, net_now(&b.net));
    peer_close(&busy, net_now(&b.net));
    peer_close(&late, net_now(&b.net));
    net_run(&b.net, SANWO_SEC(10));
    assert_true(sanwo_http_server_is_idle(b.server));
    close_bench();
}

static void test_reset_by_peer(void **state)
{
    struct peer p = {.is_deaf = true};
    struct sanwo_http_server_stats stats;

    (void)state;
    open_bench();
    peer_connect(&p, &b.net, 80, "GET /big HTTP/1.1\r\n" HOST "\r\n");
    net_run(&b.net, SANWO_SEC(1));
    sanwo_tcp_abort(p.stack, p.handle, net_now(&b.net));
    net_run(&b.net, SANWO_SEC(5));
    sanwo_http_server_stats(b.server, &stats);
    assert_int_equal(stats.connections, 0);
    assert_int_equal(stats.aborted, 1);
    peer_close(&p, net_now(&b.net));
    close_bench();
}

/*
 * Each allocation of the server's stack fails once. What was answered is right; nothing is left
 * over.
 */
static void test_faults(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth < 60; nth++) {
        struct peer p = {.then_ends = true};

        open_bench();
        sanwo_stack_inject_fault(b.net.server.stack, nth);
        peer_connect(&p, &b.net, 80,
                     "GET /big HTTP/1.1\r\n" HOST "\r\nGET /sub/a.txt HTTP/1.1\r\n" HOST "\r\n");
        net_run(&b.net, SANWO_SEC(120));
        if (p.ended && !p.error) {
            assert_int_equal(count(&p, "HTTP/1.1 200"), 2);
            assert_true(p.heard_length > BIG + 10);
        }
        peer_close(&p, net_now(&b.net));
        net_run(&b.net, SANWO_SEC(200));
        assert_int_equal(connections(), 0);
        close_bench();
    }
}

static void test_create(void **state)
{
    struct sanwo_http_server_config config = defaults();
    struct sanwo_http_server *second = NULL;
    bool folder_failed;

    (void)state;
    open_bench();
    config.path = "/nonexistent/folder";
    assert_true(sanwo_http_server_create(&config, b.net.server.stack, 0, &second, &folder_failed) <
                0);
    assert_true(folder_failed);
    config = defaults();
    assert_int_equal(
        sanwo_http_server_create(&config, b.net.server.stack, 0, &second, &folder_failed),
        -SANWO_EADDRINUSE);
    assert_false(folder_failed);
    config.index = "a/b";
    assert_int_equal(sanwo_http_server_create(&config, b.net.server.stack, 0, &second, NULL),
                     -SANWO_EINVAL);
    sanwo_http_server_destroy(NULL, 0);
    /* An event of somebody else's is left alone. */
    assert_false(sanwo_http_server_event(b.server, &(struct sanwo_event){.user = &config}, 0));
    close_bench();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pipeline),         cmocka_unit_test(test_no_waiting),
        cmocka_unit_test(test_bytes_one_by_one), cmocka_unit_test(test_big_file),
        cmocka_unit_test(test_half_close),       cmocka_unit_test(test_continue),
        cmocka_unit_test(test_refusals),         cmocka_unit_test(test_refused_upload),
        cmocka_unit_test(test_timeouts),         cmocka_unit_test(test_stalled_reader),
        cmocka_unit_test(test_pausing_reader),   cmocka_unit_test(test_shrinking_file),
        cmocka_unit_test(test_growing_file),     cmocka_unit_test(test_connection_limit),
        cmocka_unit_test(test_request_limit),    cmocka_unit_test(test_stop),
        cmocka_unit_test(test_reset_by_peer),    cmocka_unit_test(test_faults),
        cmocka_unit_test(test_create),
    };
    uint32_t seed = 1;
    int result;

    site_make();
    big = malloc(BIG);
    for (size_t i = 0; i < BIG; i++) {
        seed = seed * 1664525u + 1013904223u;
        big[i] = (char)(1 + (seed >> 24) % 255); /* no NUL: what was heard is a string */
    }
    site_write("big", big, BIG);
    result = cmocka_run_group_tests(tests, NULL, NULL);
    site_remove();
    free(big);
    return result;
}
