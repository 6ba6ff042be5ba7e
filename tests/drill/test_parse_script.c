/*
 * test_parse_script.c - Whole scripts: options, shell lines, times, comments, code; and text that no one
 * wrote by hand: cut short anywhere, or with bytes changed.
 */
#include "parse_print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct row {
    const char *script, *expected;
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_parse(rows[i].script, rows[i].expected);
}

#define CHECK(rows) check_rows(rows, COUNT(rows))

static void test_times(void **state)
{
    static const struct row rows[] = {
        {"0 a()=0\n.5 a()=0\n0.100 a()=0\n12 a()=0",
         "1: @0 call a() = 0\n2: @0.5 call a() = 0\n3: @0.1 call a() = 0\n4: @12 call a() = 0\n"},
        {"+0 a()=0 +.1 a()=0 +0.0000010009 a()=0 + 2 a()=0",
         "1: +0 call a() = 0\n1: +0.1 call a() = 0\n1: +0.000001 call a() = 0\n"
         "1: +2 call a() = 0\n"},
        {"+0.1234567891 a()=0", "1: +0.123456789 call a() = 0\n"},
        {"+0...0.250 a()=0\n0...0.1 b()=0\n+.1...+.2 c()=0\n1.0...1.0 d()=0",
         "1: +0...0.25 call a() = 0\n2: @0...0.1 call b() = 0\n3: +0.1...0.2 call c() = 0\n"
         "4: @1...1 call d() = 0\n"},
        {"* > R 1:1(0)\n+* > R 1:1(0)", "1: * > tcp 04 seq 1 len 0\n2: * > tcp 04 seq 1 len 0\n"},
        {"1~2 > R 1:1(0)\n+1~+2 > R 1:1(0)\n+0.0~+0.1 > R 1:1(0)\n+0~1.5 > R 1:1(0)",
         "1: @1~2 > tcp 04 seq 1 len 0\n2: +1~2 > tcp 04 seq 1 len 0\n"
         "3: +0~0.1 > tcp 04 seq 1 len 0\n4: +0~1.5 > tcp 04 seq 1 len 0\n"},
        {"+-1 a()=0", "error: t.pkt:1: a time is not negative\n"},
        {"-0.5 a()=0", "error: t.pkt:1: a time is not negative\n"},
        {"99999999999 a()=0", "error: t.pkt:1: the time is too large\n"},
        {"+x a()=0", "error: t.pkt:1: expected a number of seconds, found 'x'\n"},
        {"+0... a()=0", "error: t.pkt:1: expected a number of seconds, found 'a'\n"},
        {"+1...0.5 a()=0", "error: t.pkt:1: the time's end is before its beginning\n"},
        {"+2~+1 > R 1:1(0)", "error: t.pkt:1: the time's end is before its beginning\n"},
        {"1~+2 > R 1:1(0)",
         "error: t.pkt:1: a range is of two absolute times or of two with '+'\n"},
        {"* a()=0", "error: t.pkt:1: the time * is for outbound packets only\n"},
        {"* < R 1:1(0) win 0", "error: t.pkt:1: the time * is for outbound packets only\n"},
        {"1~2 `ls`", "error: t.pkt:1: a range of times is for outbound packets only\n"},
        {"+0...1 > R 1:1(0)", "error: t.pkt:1: expected a call: only calls block, found '>'\n"},
        {"a() = 0", "error: t.pkt:1: expected an event's time (0.1, +0.1 or *), found 'a'\n"},
        {"+0\n\n",
         "error: t.pkt:3: expected a packet (< or >), a call, `shell` or %{ code }%, found "
         "the script's end\n"},
        {"+0 \"x\"", "error: t.pkt:1: expected a packet (< or >), a call, `shell` or %{ code }%, "
                     "found a string\n"},
    };

    (void)state;
    CHECK(rows);
}

static void test_options(void **state)
{
    static const struct row rows[] = {
        {"--mtu=1500\n--tolerance_percent=12.5\n--ip_version=ipv4-mapped-ipv6\n+0 a()=0",
         "1: --mtu=1500\n2: --tolerance_percent=12.5\n3: --ip_version=ipv4-mapped-ipv6\n"
         "4: +0 call a() = 0\n"},
        {"--tcp_ts_ecr_scaled --local_ip=fd00::1 --init_scripts=./a/b.sh,c\n+0 a()=0",
         "1: --tcp_ts_ecr_scaled\n1: --local_ip=fd00::1\n1: --init_scripts=./a/b.sh,c\n"
         "2: +0 call a() = 0\n"},
        {"--a=\"b c\"\n--n = -5\n--e=\n+0 a()=0",
         "1: --a=b c\n2: --n=-5\n3: --e=\n4: +0 call a() = 0\n"},
        {"// first\n--a /* b */ --c=d // e\n`f`\n--g\n+0 a()=0",
         "2: --a\n2: --c=d\n4: --g\n3: initially [f]\n5: +0 call a() = 0\n"},
        {"+0 a()=0\n--mtu=5", "error: t.pkt:2: options stand before the first event\n"},
        {"", "error: t.pkt:1: expected an event, found the script's end\n"},
        {"--mtu=5\n", "error: t.pkt:2: expected an event, found the script's end\n"},
        {"`only`", "error: t.pkt:1: expected an event, found the script's end\n"},
    };

    (void)state;
    CHECK(rows);
}

static void test_shell_and_code(void **state)
{
    static const struct row rows[] = {
        {"`sysctl -q a=1 &&\nsysctl b=\\`c\\` # d\n#if e`\n+0 a()=0\n`done`",
         "1: initially [sysctl -q a=1 &&<0a>sysctl b=\\`c\\` # d<0a>#if e]\n4: +0 call a() = 0\n"
         "5: finally [done]\n"},
        {"`a`\n`b`\n0 c()=0\n`d`\n`e`",
         "1: initially [a<0a>b]\n3: @0 call c() = 0\n4: finally [d<0a>e]\n"},
        {"+0 `tc qdisc`\n+.1 `x\ny`\n+.1 a()=0",
         "1: +0 shell [tc qdisc]\n2: +0.1 shell [x<0a>y]\n4: +0.1 call a() = 0\n"},
        {"+0 %{ assert tcpi_x == 1 }%\n+0 %{\nif x:\n\ty = {1: 2}\n}%\n1.5 %{}%",
         "1: +0 code [assert tcpi_x == 1]\n2: +0 code [<0a>if x:<0a><09>y = {1: 2}<0a>]\n"
         "6: @1.5 code []\n"},
        {"+0\n\n%{ # no directive\n#if\n }%\n", "3: +0 code [# no directive<0a>#if<0a>]\n"},
        {"+0 a()=0\n`b`\n+0 c()=0", "error: t.pkt:2: a shell line without a time stands before the "
                                    "first event or after the last one\n"},
        {"+0 `abc", "error: t.pkt:1: the shell line that begins here has no end\n"},
        {"\n+0 %{ abc }", "error: t.pkt:2: the code that begins here has no end; expected }%\n"},
        {"+0 %{ abc }\n%", "error: t.pkt:1: the code that begins here has no end; expected }%\n"},
    };

    (void)state;
    CHECK(rows);
}

static void test_comments_and_lines(void **state)
{
    static const struct row rows[] = {
        {"// a\n/* b\n * c */ 0 d()=0 # e\n# f \"g\n  #!h `\n+1 i()=0 // j",
         "3: @0 call d() = 0\n6: +1 call i() = 0\n"},
        {"0 a(/* b */1,\n// c\n2) /**/ = /***/ 0", "1: @0 call a(1, 2) = 0\n"},
        {"0\r\n  a()\t=\r\n0\r\n", "2: @0 call a() = 0\n"},
        {"+0\n> S 0:0(0)\n\n<mss 5>", "2: +0 > tcp 02 seq 0 len 0 2/4=5\n"},
        {"0 a()=0 /* b\n", "error: t.pkt:1: the comment that begins here has no end\n"},
        {"0 a()=0 $", "error: t.pkt:1: expected an event's time (0.1, +0.1 or *) after this call, "
                      "found '$'\n"},
        {"0 \x01",
         "error: t.pkt:1: expected a packet (< or >), a call, `shell` or %{ code }%, found "
         "a character 0x01\n"},
    };

    (void)state;
    CHECK(rows);
    assert_string_equal(
        parse_and_print("0 a()=0\n\0", 9, NULL, 0),
        "error: t.pkt:2: expected an event's time (0.1, +0.1 or *), found a character "
        "0x00\n");
}

static void test_lines_are_kept(void **state)
{
    static const char text[] = "// one\r\n\n+0 a()=0";
    char message[200];
    struct drill_script *script =
        sw_drill_parse("x/y.pkt", text, sizeof(text) - 1, NULL, 0, message, sizeof(message));

    (void)state;
    assert_non_null(script);
    assert_string_equal(script->path, "x/y.pkt");
    assert_int_equal(script->line_count, 3);
    assert_string_equal(script->lines[0], "// one");
    assert_string_equal(script->lines[1], "");
    assert_string_equal(script->lines[script->events[0].line - 1], "+0 a()=0");
    sw_drill_script_free(script);
    sw_drill_script_free(NULL);
}

/* ---- text that is not as anyone meant it ---------------------------------------------------------- */

static const char long_script[] =
    "// All there is, in one script.\n"
    "--ip_version=ipv4 --mtu=1500\n--define=CC=\"reno\"\n"
    "#define WIN 65535\n#if defined(WIN) && WIN > 5 || !X\n`sysctl -q "
    "a=1\nb`\n#else\n\"never\"\n#endif\n"
    "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
    "+0 setsockopt(3, SOL_TCP, TCP_CONGESTION, CC, 4) = 0\n"
    "+0 bind(3, {sa_family = AF_INET, sin_port = htons(8080), sin_addr = inet_addr(\"1.2.3.4\")}, "
    "...) = 0\n"
    "+.1 < [ect0] S 0:0(0) win WIN <mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 8>\n"
    "+0~+0.5 > [dscp af11, ecn ect01] S. 0:0(0) ack 1 <mss 1460,nop,nop,TS val ... ecr 100!>\n"
    "* > P.5 1:11(10)! ack 1 win 5 <...>\n"
    "+0...0.3 read(4, \"a\\x41\" \"b\"..., 100) = -1 EAGAIN (Resource temporarily unavailable)\n"
    "+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 100}], msg_flags=A|B|0x5}, 0) = [1, -1]\n"
    "+0 < . 1:1(0) ack 11 win 5 urg 3 <nop,nop,sack 1:2 3:4>\n"
    "+0 < . 1:1(0) ack 11 win 5 <AccECN1 ee1b 1 eceb 2 ee0b 3,FO 0011,exp-FO "
    "0011,0x1f/7:aabb,nop,nop,nop>\n"
    "+0 > mpls (label 0, tc 1, [S], ttl 2): gre: udp 5 > 6 (7)\n"
    "+0 < icmp unreachable frag_needed mtu 1400 id 5 [1:1461(1460)]\n"
    "+0 %{ assert tcpi_cwnd == 10, {}\n}%\n"
    "+0 `ls`\n`cleanup`\n";

/** A copy that ends where the memory ends, so that a read beyond it is seen by the sanitizer. */
static const char *parse_copy(const char *text, size_t length)
{
    char *copy = malloc(length ? length : 1);
    const char *got;

    assert_non_null(copy);
    memcpy(copy, text, length);
    got = parse_and_print(copy, length, NULL, 0);
    free(copy);
    return got;
}

static void test_every_truncation(void **state)
{
    size_t length = strlen(long_script);
    unsigned good = 0;

    (void)state;
    for (size_t cut = 0; cut < length; cut++)
        good += strncmp(parse_copy(long_script, cut), "error: ", 7) != 0;
    if (strncmp(parse_copy(long_script, length), "error: ", 7) == 0)
        fail_msg("%s", parse_copy(long_script, length));
    assert_in_range(good, 20, 400); /* a cut within a number or behind an event leaves a script */
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void mutate(char *text, size_t *length, uint64_t *seed)
{
    static const char signs[] = "\"`%{}[]()<>|=,.:!-+*~#/\\\n 09axS_";
    size_t at = next_random(seed) % *length, from = next_random(seed) % *length;
    size_t piece = next_random(seed) % 40;

    if (piece > *length - at)
        piece = *length - at;
    if (piece > *length - from)
        piece = *length - from;
    switch (next_random(seed) % 5) {
    case 0:
        text[at] = (char)next_random(seed);
        break;
    case 1:
    case 2:
        text[at] = signs[next_random(seed) % (sizeof(signs) - 1)];
        break;
    case 3: /* some of it comes again elsewhere */
        memmove(text + at, text + from, piece);
        break;
    default: /* some of it is gone */
        if (piece < *length) {
            memmove(text + at, text + at + piece, *length - at - piece);
            *length -= piece;
        }
    }
}

static void test_mutations(void **state)
{
    const char *rounds_wanted = getenv("DRILL_MUTATIONS");
    unsigned rounds = rounds_wanted ? (unsigned)atoi(rounds_wanted) : 20000, good = 0;
    uint64_t seed = 0x5eed;

    (void)state;
    for (unsigned i = 0; i < rounds; i++) {
        char text[sizeof(long_script)];
        size_t length = sizeof(long_script) - 1;
        unsigned changes = 1 + (unsigned)(next_random(&seed) % 4);

        memcpy(text, long_script, sizeof(long_script));
        while (changes--)
            mutate(text, &length, &seed);
        good += strncmp(parse_copy(text, length), "error: ", 7) != 0;
    }
    assert_in_range(good, rounds / 50, rounds); /* else nothing deep was reached */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times),          cmocka_unit_test(test_options),
        cmocka_unit_test(test_shell_and_code), cmocka_unit_test(test_comments_and_lines),
        cmocka_unit_test(test_lines_are_kept), cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_mutations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
