/*
 * test_client.c - The client on a whole stack, in virtual time: against scripted servers, and ours.
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

#define URL "http://10.0.0.2/x"

struct bench {
    struct net net;
    struct sanwo_http_client *client;
    struct sanwo_http_server *server; /* ours, or NULL */
    int client_timer, server_timer;
    struct sanwo_http_client_config config;
    char body[1 << 16];
    size_t body_length;
    struct sanwo_http_head head;
    unsigned heads, dones;
    bool refuses_head, refuses_body;
    char lines[1 << 16];
};

static struct bench b;

static void set_timers(void)
{
    sanwo_virtual_set_timer(b.net.loop, b.client_timer, sanwo_http_client_deadline(b.client));
    if (b.server)
        sanwo_virtual_set_timer(b.net.loop, b.server_timer, sanwo_http_server_deadline(b.server));
}

static bool on_client_event(void *context, const struct sanwo_event *event, sanwo_time now)
{
    bool taken = sanwo_http_client_event(b.client, event, now);

    (void)context;
    set_timers();
    return taken;
}

static bool on_server_event(void *context, const struct sanwo_event *event, sanwo_time now)
{
    bool taken = b.server && sanwo_http_server_event(b.server, event, now);

    (void)context;
    set_timers();
    return taken;
}

static void on_timer(void *context, sanwo_time now)
{
    (void)context;
    sanwo_http_client_tick(b.client, now);
    if (b.server)
        sanwo_http_server_tick(b.server, now);
    set_timers();
}

static bool on_head(void *context, const struct sanwo_http_head *head)
{
    (void)context;
    b.head = *head;
    b.heads++;
    return !b.refuses_head;
}

static bool on_body(void *context, const void *bytes, size_t length)
{
    (void)context;
    assert_true(b.body_length + length < sizeof b.body);
    memcpy(b.body + b.body_length, bytes, length);
    b.body_length += length;
    b.body[b.body_length] = '\0';
    return !b.refuses_body;
}

static void on_done(void *context, const struct sanwo_http_result *result)
{
    (void)context;
    assert_true(result->done);
    b.dones++;
}

static void on_line(void *context, char kind, const char *line)
{
    size_t used = strlen(b.lines);

    (void)context;
    snprintf(b.lines + used, sizeof b.lines - used, "%c%s\n", kind, line);
}

static int resolve(void *context, const char *host, struct sanwo_address *out, int max)
{
    (void)context;
    assert_true(max >= 2);
    if (strcmp(host, "two.test") && strcmp(host, "one.test"))
        return 0;
    out[0] = b.net.server.address;
    if (!strcmp(host, "one.test"))
        return 1;
    out[0] = sanwo_address_ipv4(10, 0, 0, 77); /* nobody is there */
    out[1] = b.net.server.address;
    return 2;
}

static void open_bench(void)
{
    memset(&b, 0, sizeof b);
    net_open(&b.net);
    sanwo_http_client_config_default(&b.config);
    b.config.stack = b.net.client.stack;
    b.config.connect_timeout = SANWO_SEC(5);
    b.config.stall_timeout = SANWO_SEC(20);
    b.config.resolve = resolve;
    b.config.on_head = on_head;
    b.config.on_body = on_body;
    b.config.on_done = on_done;
    b.config.on_line = on_line;
    assert_int_equal(sanwo_http_client_create(&b.config, &b.client), 0);
    b.client_timer = sanwo_virtual_add_timer(b.net.loop, on_timer, NULL);
    b.server_timer = sanwo_virtual_add_timer(b.net.loop, on_timer, NULL);
    b.net.client.on_event = on_client_event;
    b.net.server.on_event = on_server_event;
}

static void close_bench(void)
{
    sanwo_http_client_destroy(b.client, net_now(&b.net));
    sanwo_http_server_destroy(b.server, net_now(&b.net));
    net_close(&b.net);
}

static const struct sanwo_http_result *fetch(const struct sanwo_http_request *request)
{
    b.body_length = b.heads = b.dones = 0;
    b.body[0] = b.lines[0] = '\0';
    assert_int_equal(sanwo_http_client_start(b.client, request, net_now(&b.net)), 0);
    set_timers();
    net_run(&b.net, SANWO_SEC(100));
    assert_int_equal(b.dones, 1);
    return sanwo_http_client_result(b.client);
}

static const struct {
    const char *reply;
    enum sanwo_http_failure failure;
    unsigned status;
    const char *body;
    bool ends, resets, head;
    uint64_t resume_from;
} replies[] = {
#define R200 "HTTP/1.1 200 OK\r\n"
    {R200 "Content-Length: 5\r\n\r\nhello", SANWO_HTTP_NONE, 200, "hello", false, false, false, 0},
    {R200 "Content-Length: 5\r\n\r\nhelloextra", SANWO_HTTP_NONE, 200, "hello", true, false, false,
     0},
    {R200 "Content-Length: 0\r\n\r\n", SANWO_HTTP_NONE, 200, "", false, false, false, 0},
    {R200 "\r\nhello", SANWO_HTTP_NONE, 200, "hello", true, false, false, 0},
    {R200 "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nA: b\r\n\r\n",
     SANWO_HTTP_NONE, 200, "hello", false, false, false, 0},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n" R200
     "Content-Length: 2\r\n\r\nhi",
     SANWO_HTTP_NONE, 200, "hi", false, false, false, 0},
    {"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", SANWO_HTTP_NONE, 404, "no", false,
     false, false, 0},
    {"HTTP/1.1 204 No Content\r\n\r\n", SANWO_HTTP_NONE, 204, "", false, false, false, 0},
    {R200 "Content-Length: 5\r\n\r\n", SANWO_HTTP_NONE, 200, "", false, false, true, 0},
    {"HTTP/1.1 206 P\r\nContent-Range: bytes 3-4/5\r\nContent-Length: 2\r\n\r\nlo", SANWO_HTTP_NONE,
     206, "lo", false, false, false, 3},
    {R200 "Content-Length: 5\r\n\r\nhello", SANWO_HTTP_NONE, 200, "hello", false, false, false, 3},
    {"HTTP/1.1 416 N\r\nContent-Range: bytes */3\r\nContent-Length: 0\r\n\r\n", SANWO_HTTP_NONE,
     416, "", false, false, false, 3},
    /* broken off */
    {R200 "Content-Length: 9\r\n\r\nhello", SANWO_HTTP_TRUNCATED, 200, "hello", true, false, false,
     0},
    {R200 "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", SANWO_HTTP_TRUNCATED, 200, "hello",
     true, false, false, 0},
    {R200 "Content-Le", SANWO_HTTP_TRUNCATED, 0, "", true, false, false, 0},
    {"", SANWO_HTTP_TRUNCATED, 0, "", true, false, false, 0},
    {R200 "Content-Length: 9\r\n\r\nhello", SANWO_HTTP_RESET, 200, "hello", false, true, false, 0},
    {R200 "\r\nhello", SANWO_HTTP_RESET, 200, "hello", false, true, false, 0},
    {R200 "Content-Length: 9\r\n\r\nhello", SANWO_HTTP_TIMEOUT, 200, "hello", false, false, false,
     0},
    /* broken */
    {"SSH-2.0-x\r\n", SANWO_HTTP_PROTOCOL, 0, "", false, false, false, 0},
    {R200 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", SANWO_HTTP_PROTOCOL, 0, "",
     false, false, false, 0},
    {R200 "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", SANWO_HTTP_PROTOCOL, 0, "", false,
     false, false, 0},
    {"HTTP/1.1 101 S\r\n\r\n", SANWO_HTTP_PROTOCOL, 0, "", false, false, false, 0},
    {"HTTP/1.1 206 P\r\nContent-Range: bytes 2-4/5\r\n\r\n", SANWO_HTTP_PROTOCOL, 0, "", false,
     false, false, 3},
    {"HTTP/1.1 301 M\r\nLocation: https://a/\r\n\r\n", SANWO_HTTP_REDIRECTS, 0, "", false, false,
     false, 0},
    {"HTTP/1.1 301 M\r\nLocation: http://nowhere.test/\r\n\r\n", SANWO_HTTP_RESOLVE, 0, "", false,
     false, false, 0},
};

static void test_replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        struct peer p = {.then_ends = replies[i].ends, .then_resets = replies[i].resets};
        struct sanwo_http_request request = {
            .url = URL,
            .head = replies[i].head,
            .resume_from = replies[i].resume_from,
        };
        const struct sanwo_http_result *r;

        open_bench();
        peer_listen(&p, &b.net, 80, replies[i].reply);
        r = fetch(&request);
        if (r->failure != replies[i].failure)
            fail_msg("row %zu: %s: %s", i, sanwo_http_failure_name(r->failure), r->message);
        assert_int_equal(r->status, replies[i].status);
        assert_string_equal(b.body, replies[i].body);
        assert_int_equal(r->body_bytes, strlen(replies[i].body));
        assert_int_equal(b.heads, replies[i].status ? 1 : 0);
        assert_true((r->message[0] == '\0') == (r->failure == SANWO_HTTP_NONE));
        assert_true(sanwo_http_client_deadline(b.client) == SANWO_TIME_NEVER);
        /* Closed with FIN, unless there was more to read than the response. */
        if (r->failure == SANWO_HTTP_NONE && !strstr(replies[i].reply, "extra"))
            assert_true(p.ended && p.error == 0);
        peer_close(&p, net_now(&b.net));
        close_bench();
    }
}

static void test_request_text(void **state)
{
    struct peer p = {0};
    const char *fields[] = {"X-A: b", NULL};

    (void)state;
    open_bench();
    peer_listen(&p, &b.net, 8080, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    fetch(&(struct sanwo_http_request){.url = "http://one.test:8080/a b?c#d", .headers = fields});
    assert_string_equal(p.heard, "GET /a%20b?c HTTP/1.1\r\nHost: one.test:8080\r\n"
                                 "User-Agent: sanwo\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
                                 "X-A: b\r\n\r\n");
    assert_non_null(strstr(b.lines, ">GET /a%20b?c HTTP/1.1\n"));
    assert_non_null(strstr(b.lines, "<HTTP/1.1 200 OK\n<Content-Length: 0\n"));
    peer_close(&p, net_now(&b.net));
    close_bench();
}

static void test_redirect_to_other_server(void **state)
{
    struct peer first = {0}, second = {0};
    const char *fields[] = {"Authorization: secret", NULL};
    const struct sanwo_http_result *r;

    (void)state;
    open_bench();
    peer_listen(&first, &b.net, 80,
                "HTTP/1.1 302 F\r\nLocation: //one.test:81/y\r\nContent-Length: 3\r\n\r\nabc");
    peer_listen(&second, &b.net, 81, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    r = fetch(&(struct sanwo_http_request){.url = URL, .headers = fields});
    assert_int_equal(r->failure, SANWO_HTTP_NONE);
    assert_int_equal(r->redirects, 1);
    assert_string_equal(b.body, "hi");
    assert_non_null(strstr(first.heard, "secret"));
    assert_non_null(strstr(second.heard, "GET /y HTTP/1.1\r\nHost: one.test:81\r\n"));
    assert_null(strstr(second.heard, "secret"));
    assert_true(first.ended && first.error == 0); /* its body was read to the end */
    assert_true(second.ended && second.error == 0);
    peer_close(&first, net_now(&b.net));
    peer_close(&second, net_now(&b.net));
    close_bench();
}

static void test_connecting(void **state)
{
    struct peer p = {0};
    const struct sanwo_http_result *r;

    (void)state;
    open_bench();
    r = fetch(&(struct sanwo_http_request){.url = URL});
    assert_int_equal(r->failure, SANWO_HTTP_CONNECT);
    assert_int_equal(r->error, SANWO_ECONNREFUSED);
    r = fetch(&(struct sanwo_http_request){.url = "http://10.0.0.77/"});
    assert_int_equal(r->failure, SANWO_HTTP_TIMEOUT);
    assert_true(r->finished - r->started >= SANWO_SEC(5) &&
                r->finished - r->started < SANWO_SEC(6));
    r = fetch(&(struct sanwo_http_request){.url = "http://nowhere.test/"});
    assert_int_equal(r->failure, SANWO_HTTP_RESOLVE);
    r = fetch(&(struct sanwo_http_request){.url = "https://one.test/"});
    assert_int_equal(r->failure, SANWO_HTTP_URL);
    /* The first address does not answer: the second does. */
    peer_listen(&p, &b.net, 80, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    r = fetch(&(struct sanwo_http_request){.url = "http://two.test/"});
    assert_int_equal(r->failure, SANWO_HTTP_NONE);
    assert_string_equal(b.body, "hi");
    peer_close(&p, net_now(&b.net));
    close_bench();
}

/* What an address that cannot be reached answers to the SYN, if anything. */
static void on_observation(void *context, const struct sanwo_observation *what)
{
    if (what->kind == SANWO_OBSERVE_SEGMENT_OUT && (what->flags & 2) &&
        what->remote.address.bytes[3] == 77)
        *(struct sanwo_observation *)context = *what;
}

static const struct sanwo_http_result *fetch_unreachable(const char *url)
{
    struct sanwo_observation syn = {0};
    struct sanwo_observer observer = {on_observation, &syn};

    sanwo_stack_observe(b.net.client.stack, &observer);
    b.dones = 0;
    assert_int_equal(sanwo_http_client_start(b.client, &(struct sanwo_http_request){.url = url},
                                             net_now(&b.net)),
                     0);
    set_timers();
    net_run(&b.net, SANWO_MSEC(10));
    assert_true(syn.local.port != 0);
    net_say_unreachable(&b.net, &syn);
    net_run(&b.net, SANWO_SEC(100));
    sanwo_stack_observe(b.net.client.stack, &(struct sanwo_observer){NULL, NULL});
    assert_int_equal(b.dones, 1);
    return sanwo_http_client_result(b.client);
}

/* An ICMP error may pass, so it ends nothing by itself; but it is what is told in the end. */
static void test_unreachable(void **state)
{
    struct peer p = {0};
    const struct sanwo_http_result *r;

    (void)state;
    open_bench();
    r = fetch_unreachable("http://10.0.0.77/");
    assert_int_equal(r->failure, SANWO_HTTP_CONNECT);
    assert_int_equal(r->error, SANWO_EHOSTUNREACH);
    assert_true(r->finished - r->started >= SANWO_SEC(5));
    /* With another address left there is nothing to wait for. */
    peer_listen(&p, &b.net, 80, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    r = fetch_unreachable("http://two.test/");
    assert_int_equal(r->failure, SANWO_HTTP_NONE);
    assert_true(r->finished - r->started < SANWO_SEC(1));
    peer_close(&p, net_now(&b.net));
    close_bench();
}

static void test_consumer_refuses(void **state)
{
    struct peer p = {0};
    const struct sanwo_http_result *r;

    (void)state;
    for (int i = 0; i < 2; i++) {
        open_bench();
        b.refuses_head = i == 0;
        b.refuses_body = i == 1;
        peer_listen(&p, &b.net, 80, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
        r = fetch(&(struct sanwo_http_request){.url = URL});
        assert_int_equal(r->failure, SANWO_HTTP_CONSUMER);
        peer_close(&p, net_now(&b.net));
        close_bench();
    }
}

static void test_total_timeout(void **state)
{
    struct peer p = {0};
    const struct sanwo_http_result *r;

    (void)state;
    open_bench();
    sanwo_http_client_destroy(b.client, net_now(&b.net));
    b.config.total_timeout = SANWO_MSEC(700);
    assert_int_equal(sanwo_http_client_create(&b.config, &b.client), 0);
    peer_listen(&p, &b.net, 80, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
    r = fetch(&(struct sanwo_http_request){.url = URL});
    assert_int_equal(r->failure, SANWO_HTTP_TIMEOUT);
    assert_int_equal(r->finished - r->started, SANWO_MSEC(700));
    peer_close(&p, net_now(&b.net));
    close_bench();
}

static void test_head_limit(void **state)
{
    static char reply[100000] = "HTTP/1.1 200 OK\r\nA: ";
    struct peer p = {0};

    (void)state;
    memset(reply + strlen(reply), 'x', 80000);
    strcat(reply, "\r\n\r\n");
    open_bench();
    peer_listen(&p, &b.net, 80, reply);
    assert_int_equal(fetch(&(struct sanwo_http_request){.url = URL})->failure, SANWO_HTTP_PROTOCOL);
    peer_close(&p, net_now(&b.net));
    close_bench();
}

static void open_our_server(void)
{
    struct sanwo_http_server_config config;

    sanwo_http_server_config_default(&config);
    config.path = site_path("");
    assert_int_equal(
        sanwo_http_server_create(&config, b.net.server.stack, net_now(&b.net), &b.server, NULL), 0);
}

static void test_against_our_server(void **state)
{
    const struct sanwo_http_result *r;

    (void)state;
    open_bench();
    open_our_server();
    r = fetch(&(struct sanwo_http_request){.url = "http://10.0.0.2/sub/a.txt"});
    assert_int_equal(r->failure, SANWO_HTTP_NONE);
    assert_string_equal(b.body, "0123456789");
    assert_int_equal(b.head.total, 10);
    r = fetch(&(struct sanwo_http_request){.url = "http://10.0.0.2/sub/a.txt", .resume_from = 4});
    assert_int_equal(r->status, 206);
    assert_int_equal(b.head.offset, 4);
    assert_int_equal(b.head.total, 10);
    assert_string_equal(b.body, "456789");
    r = fetch(&(struct sanwo_http_request){.url = "http://10.0.0.2/sub/a.txt", .resume_from = 10});
    assert_true(r->already_complete && r->failure == SANWO_HTTP_NONE);
    r = fetch(&(struct sanwo_http_request){.url = "http://10.0.0.2/sub"});
    assert_int_equal(r->redirects, 1);
    assert_non_null(strstr(b.body, "a.txt"));
    r = fetch(&(struct sanwo_http_request){.url = "http://10.0.0.2/sub/a.txt", .head = true});
    assert_int_equal(r->content_length, 10);
    assert_int_equal(b.body_length, 0);
    close_bench();
}

static void test_redirect_loop(void **state)
{
    const struct sanwo_http_result *r;

    (void)state;
    open_bench();
    sanwo_http_client_destroy(b.client, net_now(&b.net));
    b.config.max_redirects = 0;
    assert_int_equal(sanwo_http_client_create(&b.config, &b.client), 0);
    open_our_server();
    r = fetch(&(struct sanwo_http_request){.url = "http://10.0.0.2/sub"});
    assert_int_equal(r->failure, SANWO_HTTP_REDIRECTS);
    close_bench();
}

/* Each allocation of the client's stack fails once. */
static void test_faults(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth < 30; nth++) {
        const struct sanwo_http_result *r;

        open_bench();
        open_our_server();
        sanwo_stack_inject_fault(b.net.client.stack, nth);
        r = fetch(&(struct sanwo_http_request){.url = "http://10.0.0.2/sub/a.txt"});
        if (r->failure == SANWO_HTTP_NONE)
            assert_string_equal(b.body, "0123456789");
        else
            assert_true(r->message[0] != '\0');
        close_bench();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_request_text),
        cmocka_unit_test(test_redirect_to_other_server),
        cmocka_unit_test(test_connecting),
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_consumer_refuses),
        cmocka_unit_test(test_total_timeout),
        cmocka_unit_test(test_head_limit),
        cmocka_unit_test(test_against_our_server),
        cmocka_unit_test(test_redirect_loop),
        cmocka_unit_test(test_faults),
    };
    int result;

    site_make();
    result = cmocka_run_group_tests(tests, NULL, NULL);
    site_remove();
    return result;
}
