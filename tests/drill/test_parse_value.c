/*
 * test_parse_value.c - Calls of scripts: arguments, results, errors and notes.
 */
#include "parse_print.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct row {
    const char *call;     /* follows "+0 " */
    const char *expected; /* follows "1: +0 call " or, of a wrong one, "error: " */
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void check_rows(const struct row *rows, size_t count, const char *begin)
{
    for (size_t i = 0; i < count; i++) {
        char script[1000], expected[1000];

        snprintf(script, sizeof(script), "+0 %s\n", rows[i].call);
        snprintf(expected, sizeof(expected), "%s%s\n", begin, rows[i].expected);
        check_parse(script, expected);
    }
}

#define CHECK_GOOD(rows) check_rows(rows, COUNT(rows), "1: +0 call ")
#define CHECK_BAD(rows) check_rows(rows, COUNT(rows), "error: ")

static void test_calls(void **state)
{
    static const struct row rows[] = {
        {"socket(..., SOCK_STREAM, IPPROTO_TCP) = 3", "socket(..., SOCK_STREAM, IPPROTO_TCP) = 3"},
        {"fork() = -1", "fork() = -1"},
        {"connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)",
         "connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)"},
        {"read(4, ..., 1000) = -1 EAGAIN", "read(4, ..., 1000) = -1 EAGAIN"},
        {"fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)", "fcntl(3, F_GETFL) = 0x2 (flags O_RDWR)"},
        {"fcntl(3, F_GETFL) = O_RDWR (flags O_RDWR|O_NONBLOCK)",
         "fcntl(3, F_GETFL) = O_RDWR (flags O_RDWR|O_NONBLOCK)"},
        {"fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0",
         "fcntl(3, F_SETFL, <O_RDWR | O_NONBLOCK>) = 0"},
        {"poll([], 0, 0) = ...", "poll([], 0, 0) = ..."},
        {"write(4, ..., 1000) = -1 EPIPE (Can't (really) say: \"x\", 1.5)",
         "write(4, ..., 1000) = -1 EPIPE (Can't (really) say: \"x\", 1.5)"},
        {"x(1) = [1, 2] ()", "x(1) = [1, 2] ()"},
        {"getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0",
         "getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNRESET], [4]) = 0"},
    };
    static const struct row wrong[] = {
        {"close", "t.pkt:2: expected '(' after the call's name, found the script's end"},
        {"close(3", "t.pkt:2: expected ')' or ',', found the script's end"},
        {"close(3,) = 0", "t.pkt:1: expected a value, found ')'"},
        {"close(3 4) = 0", "t.pkt:1: expected ')' or ',', found '4'"},
        {"close(3)", "t.pkt:2: expected '=' and what the call returns, found the script's end"},
        {"close(3) =", "t.pkt:2: expected a value, found the script's end"},
        {"close(3) = 0 (never", "t.pkt:1: the note that begins here has no ')' on its line"},
        {"close(3) = 0 EBADF (x) y",
         "t.pkt:1: expected an event's time (0.1, +0.1 or *) after this call, found 'y'"},
        {"close([3) = 0", "t.pkt:1: expected ']' or ',', found ')'"},
        {"close(3.5) = 0", "t.pkt:1: expected a value, found '3.5'"},
    };
    char expected[64];

    (void)state;
    CHECK_GOOD(rows);
    snprintf(expected, sizeof(expected), "1: +0 call x(1) = %d\n", htons(256));
    check_parse("+0 x(1) = htons(256)\n", expected);
    CHECK_BAD(wrong);
}

static void test_numbers_and_words(void **state)
{
    static const struct row rows[] = {
        {"x(1, -1, 0x1f, 0xffffffffffffffff, 9223372036854775807, -9223372036854775807) = 0",
         "x(1, -1, 0x1f, 0xffffffffffffffff, 9223372036854775807, -9223372036854775807) = 0"},
        {"x(NULL, A|B|C, 1|2, (A|B), A=1, A = B|1) = A|B",
         "x(NULL, <<A | B> | C>, <1 | 2>, <A | B>, A=1, A=<B | 1>) = <A | B>"},
        {"x(htonl(3), f(), f(g(1), [2])) = 0", "x(htonl(3), f(), f(g(1), [2])) = 0"},
        {"x(inet_addr(\"::1\"), inet6_addr(\"fd00::2\"), inet_addr(...)) = 0",
         "x(inet_addr(\"::1\"), inet6_addr(\"fd00::2\"), inet_addr(...)) = 0"},
    };
    static const struct row wrong[] = {
        {"x(9223372036854775808) = 0", "t.pkt:1: the number is too large"},
        {"x(0x1ffffffffffffffff) = 0", "t.pkt:1: the number is too large"},
        {"x(A|) = 0", "t.pkt:1: expected a value, found ')'"},
        {"x((1) = 0", "t.pkt:1: expected ')' or ',', found '='"},
        {"x([(1]) = 0", "t.pkt:1: expected ')' after the value, found ']'"},
        {"x((A|B", "t.pkt:2: expected ')' after the value, found the script's end"},
        {"x(htons(65536)) = 0", "t.pkt:1: a port must be within 0 and 65535"},
        {"x(inet_addr(\"1.2.3\")) = 0", "t.pkt:1: inet_addr: \"1.2.3\" is no address"},
        {"x(inet6_addr(\"1.2.3.4\")) = 0", "t.pkt:1: inet6_addr: \"1.2.3.4\" is no address"},
        {"x({f(1, 2)=3}) = 0", "t.pkt:1: f(count) = needs one count"},
        {"x({(label 1, tc 0, ttl 2)}) = 0",
         "unsupported: t.pkt:1: a header of GRE or MPLS as a value"},
        {"x({flags [none], sum 0}) = 0",
         "unsupported: t.pkt:1: a header of GRE or MPLS as a value"},
    };

    (void)state;
    CHECK_GOOD(rows);
    CHECK_BAD(wrong);
}

static void test_strings(void **state)
{
    static const struct row rows[] = {
        {"write(3, \"abc\", 3) = 3", "write(3, \"abc\", 3) = 3"},
        {"write(3, \"\", 0) = 0", "write(3, \"\", 0) = 0"},
        {"write(3, \"a\"..., 3) = 3", "write(3, \"a\"..., 3) = 3"},
        {"write(3, \"ab\" \"cd\" \"e\", 5) = 5", "write(3, \"abcde\", 5) = 5"},
        {"x(\"a\\n\\t\\r\\f\\v\\\\\\\"\\x41\\x00\\0z\") = 0",
         "x(\"a<0a><09><0d><0c><0b>\\\"A<00><00>z\") = 0"},
        {"x(\"// no comment, # none, `none`\") = 0", "x(\"// no comment, # none, `none`\") = 0"},
        {"x(\"\xc3\xa9\xff\") = 0", "x(\"<c3><a9><ff>\") = 0"},
    };
    static const struct row wrong[] = {
        {"x(\"abc) = 0", "t.pkt:1: the string that begins here has no end"},
        {"x(\"abc\\", "t.pkt:1: the string that begins here has no end"},
        {"x(\"\\q\") = 0", "t.pkt:1: unknown escape \\q in a string"},
        {"x(\"\\x4\") = 0", "t.pkt:1: \\x needs two hexadecimal digits"},
        {"x(\"\\xg0\") = 0", "t.pkt:1: \\x needs two hexadecimal digits"},
    };

    (void)state;
    CHECK_GOOD(rows);
    CHECK_BAD(wrong);
}

static void test_structures(void **state)
{
    static const struct row rows[] = {
        {"setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0",
         "setsockopt(3, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0"},
        {"poll([{fd=3, events=POLLIN|POLLOUT, revents=POLLIN}], 1, -1) = 1",
         "poll([{fd=3, events=<POLLIN | POLLOUT>, revents=POLLIN}], 1, -1) = 1"},
        {"epoll_ctl(3, EPOLL_CTL_ADD, 4, {events=EPOLLIN, fd=4}) = 0",
         "epoll_ctl(3, EPOLL_CTL_ADD, 4, {events=EPOLLIN, fd=4}) = 0"},
        {"epoll_ctl(3, EPOLL_CTL_ADD, 4, {events=EPOLLIN, u64=0x1}) = 0",
         "epoll_ctl(3, EPOLL_CTL_ADD, 4, {events=EPOLLIN, u64=0x1}) = 0"},
        {"recvmsg(3, {msg_name(...)=..., msg_iov(2)=[{..., 100}, {..., 50}], msg_flags=0}, 0) = "
         "150",
         "recvmsg(3, {msg_name(...)=..., msg_iov(2)=[{..., 100}, {..., 50}], msg_flags=0}, 0) = "
         "150"},
        {"recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{...,1}], msg_control(12)=[{cmsg_len=12, "
         "cmsg_level=SOL_SOCKET, cmsg_type=..., cmsg_data={pr_policy=1}}], msg_flags=MSG_EOR}, 0) "
         "= 1",
         "recvmsg(3, {msg_name(...)=..., msg_iov(1)=[{..., 1}], msg_control(12)=[{cmsg_len=12, "
         "cmsg_level=SOL_SOCKET, cmsg_type=..., cmsg_data={pr_policy=1}}], msg_flags=MSG_EOR}, 0) "
         "= 1"},
        {"readv(3, [{iov_base=..., iov_len=3}], 1) = 3",
         "readv(3, [{iov_base=..., iov_len=3}], 1) = 3"},
        {"x({1, 2}, {}, {{1}, [{}]}, {flags=3, flags}) = 0",
         "x({1, 2}, {}, {{1}, [{}]}, {flags=3, flags}) = 0"},
        {"setsockopt(3, IPPROTO_TCP, TCP_FASTOPEN, {enable=1, "
         "psk=00112233445566778899aabbccddeeff}, "
         "20) = 0",
         "setsockopt(3, IPPROTO_TCP, TCP_FASTOPEN, {enable=1, "
         "psk=00112233445566778899aabbccddeeff}, "
         "20) = 0"},
        {"setsockopt(3, IPPROTO_TCP, TCP_FUNCTION_BLK, {function_set_name=\"rack\", pcbcnt=0}, 36) "
         "= 0",
         "setsockopt(3, IPPROTO_TCP, TCP_FUNCTION_BLK, {function_set_name=\"rack\", pcbcnt=0}, 36) "
         "= 0"},
        {"sendfile(4, 5, 0, 1, {headers(1)=[{..., 1}], trailers(0)=[]}, ...) = 0",
         "sendfile(4, 5, 0, 1, {headers(1)=[{..., 1}], trailers(0)=[]}, ...) = 0"},
    };
    char expected[200];
    uint32_t address = htonl(0x01020304);

    (void)state;
    CHECK_GOOD(rows);
    snprintf(expected, sizeof(expected),
             "1: +0 call bind(3, {sa_family=AF_INET, sin_port=%d, sin_addr=0x%x}, ...) = 0\n",
             htons(8080), (unsigned)address);
    check_parse("+0 bind(3, {sa_family = AF_INET, sin_port = htons(8080), "
                "sin_addr = inet_addr(\"1.2.3.4\")}, ...) = 0\n",
                expected);
}

/** @count times @piece between @before and @after. */
static char *repeat(const char *before, const char *piece, size_t count, const char *after)
{
    size_t length = strlen(piece), at = strlen(before);
    char *text = malloc(at + count * length + strlen(after) + 1);

    assert_non_null(text);
    memcpy(text, before, at);
    for (size_t i = 0; i < count; i++, at += length)
        memcpy(text + at, piece, length);
    strcpy(text + at, after);
    return text;
}

static void test_depth_is_bounded(void **state)
{
    static const struct {
        const char *before, *piece, *after;
    } rows[] = {
        {"+0 x(", "[", ""},           {"+0 x(", "{", ""},        {"+0 x(", "f(", ""},
        {"+0 x(", "(", ""},           {"+0 x(", "a=", "1) = 0"}, {"+0 x(", "{flags=", "1) = 0"},
        {"+0 x(", "1|", "1) = 0"},    {"+0 x() = ", "[", ""},    {"+0 x() = ", "1|", "1"},
        {"+0 x(", "f(1)=", "1) = 0"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text = repeat(rows[i].before, rows[i].piece, 200000, rows[i].after);
        const char *got = parse_and_print(text, strlen(text), NULL, 0);

        if (strncmp(got, "error: t.pkt:1: too many ", 25))
            fail_msg("%s%s...: %.200s", rows[i].before, rows[i].piece, got);
        free(text);
    }
}

/** What is merely long is read: within a second even with every check on. */
static void test_length_is_not_bounded(void **state)
{
    char *text = repeat("+0 x(1", ", 1", 20000, ") = 0");

    (void)state;
    assert_non_null(strstr(parse_and_print(text, strlen(text), NULL, 0), "x(1, 1"));
    free(text);
    text = repeat("+0 x(", "\"ab\" ", 100000, ") = 0");
    assert_non_null(strstr(parse_and_print(text, strlen(text), NULL, 0), "abababab"));
    free(text);
    text = repeat("", "+0 > . 1:1(0) ack 1\n", 20000, "");
    assert_non_null(strstr(parse_and_print(text, strlen(text), NULL, 0), "1000: +0 > tcp 10"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_numbers_and_words),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_structures),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_length_is_not_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
