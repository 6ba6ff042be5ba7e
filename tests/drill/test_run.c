/*
 * test_run.c - The order of events and their times; packets expected and seen; what failures say.
 */
#include "run_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_packets(void **state)
{
    const struct script_row rows[] = {
        {ACCEPTED, PASSES},
        {CONNECTED, PASSES},
        {ACCEPTED "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 1\n", PASSES},
        {ACCEPTED "+0 write(4, ..., 100) = 100\n+0 > P. 1:100(99) ack 1\n",
         FAILS(9, "payload length is 100, must be 99")},
        {ACCEPTED "+0 write(4, ..., 100) = 100\n+0 > P. 1:101(100) ack 2\n",
         FAILS(9, "ack is 1, must be 2")},
        /* the packet of the first event that asks is taken, and the next one is not passed over */
        {ACCEPTED "+0 write(4, ..., 1200) = 1200\n+0 > P. 1001:1201(200) ack 1\n",
         FAILS(9, "seq is 1, must be 1001")},
        {ACCEPTED "+0 > . 1:1(0) ack 1\n", FAILS(8, "the stack sends no packet")},
        /* what is left at the end is nobody's business */
        {ACCEPTED "+0 write(4, ..., 100) = 100\n", PASSES},
        {ACCEPTED "+0 < ipv4 1.1.1.1 > 2.2.2.2: . 1:1(0) ack 1 win 1\n", SKIPS(8, "encapsulated")},
    };

    (void)state;
    CHECK_SCRIPTS("sanwo", rows);
}

#define SYN                                                                                        \
    "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"                                                \
    "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"                                                \
    "+0 connect(3, ..., ...) = -1 EINPROGRESS\n"                                                   \
    "+0 > S 0:0(0) <...>\n" /* line 4; again after 1 s, 2 s, 4 s */

static void test_times(void **state)
{
    const struct script_row rows[] = {
        {SYN "+1 > S 0:0(0) <...>\n+2 > S 0:0(0) <...>\n", PASSES},
        {SYN "1 > S 0:0(0) <...>\n3 > S 0:0(0) <...>\n", PASSES},
        {SYN "+1.003 > S 0:0(0) <...>\n", PASSES},
        {SYN "+1.005 > S 0:0(0) <...>\n",
         FAILS(5, "sent at 1.000001 s, must be sent at 1.005000 s")},
        {SYN "+.995 > S 0:0(0) <...>\n", FAILS(5, "must be sent at 0.995000 s")},
        {"--tolerance_usecs=10000\n" SYN "+.995 > S 0:0(0) <...>\n", PASSES},
        {"--tolerance_percent=10\n" SYN "+.91 > S 0:0(0) <...>\n", PASSES},
        {"--tolerance_percent=10\n" SYN "+.89 > S 0:0(0) <...>\n", DRILL_FAILED, 6, NULL},
        {SYN "+.8~+1.2 > S 0:0(0) <...>\n", PASSES},
        {SYN "+.2~+.8 > S 0:0(0) <...>\n", FAILS(5, "0.200000 to 0.800000")},
        {SYN "* > S 0:0(0) <...>\n* > S 0:0(0) <...>\n+4 > S 0:0(0) <...>\n", PASSES},
        /* one that came while time went on for another event is still there, with its time */
        {SYN "+2 close(3) = 0\n+0 > S 0:0(0) <...>\n", FAILS(6, "sent at 1.000001 s, must")},
        {SYN "+2 close(3) = 0\n* > S 0:0(0) <...>\n", PASSES},
        {SYN "2 close(3) = 0\n1 socket(..., SOCK_STREAM, IPPROTO_TCP) = 4\n",
         FAILS(6, "time goes backward")},
        {"1 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n", FAILS(1, "at time 0")},
    };

    (void)state;
    CHECK_SCRIPTS("sanwo", rows);
}

static void test_blocking_calls(void **state)
{
    const struct script_row rows[] = {
        {ACCEPTED "+0...0.1 read(4, ..., 1000) = 10\n+.1 < P. 1:11(10) ack 1 win 65535\n", PASSES},
        {ACCEPTED "+0...0.2 read(4, ..., 1000) = 10\n+.1 < P. 1:11(10) ack 1 win 65535\n",
         FAILS(8, "read() returned at 0.110000 s, must return at 0.210000 s")},
        {ACCEPTED "+0...0.1 read(4, ..., 1000) = 11\n+.1 < P. 1:11(10) ack 1 win 65535\n",
         FAILS(8, "read() returned 10, must return 11")},
        {ACCEPTED "+0...0.1 read(4, ..., 1000) = 10\n+.05 < . 1:1(0) ack 1 win 65535\n",
         FAILS(8, "read() has not returned, must return at 0.110000 s")},
        /* two at a time, on both descriptors */
        {ACCEPTED "+0...0.2 accept(3, ..., ...) = 5\n+0...0.1 read(4, ..., 1000) = 10\n"
                  "+.1 < P. 1:11(10) ack 1 win 65535\n"
                  "+.1 < 9000 > 8080 S 0:0(0) win 65535 <mss 1000>\n"
                  "+0 > 8080 > 9000 S. 0:0(0) ack 1 <...>\n"
                  "+0 < 9000 > 8080 . 1:1(0) ack 1 win 65535\n",
         PASSES},
        /* one that the script does not call blocking takes the time it takes */
        {ACCEPTED "+0 poll([{fd=4, events=POLLIN, revents=0}], 1, 500) = 0\n"
                  "+0 `true`\n0.51 write(4, ..., 1) = 1\n",
         PASSES},
        {ACCEPTED "+0 read(4, ..., 10) = 1\n", FAILS(8, "blocks, and nothing will wake it")},
        {ACCEPTED "+0 setsockopt(4, SOL_SOCKET, SO_RCVTIMEO, {tv_sec=1, tv_usec=500000}, 16) = 0\n"
                  "+0...1.5 read(4, ..., 10) = -1 EAGAIN\n",
         PASSES},
    };

    (void)state;
    CHECK_SCRIPTS("sanwo", rows);
}

static void test_segments_joined(void **state)
{
    const struct script_row joined = {
        CONNECTED "+0 write(3, ..., 3000) = 3000\n+0 > P. 1:3001(3000) ack 1\n", PASSES};
    const struct script_row separate = {
        CONNECTED "+0 write(3, ..., 3000) = 3000\n+0 > . 1:1001(1000) ack 1\n"
                  "+0 > . 1001:2001(1000) ack 1\n+0 > P. 2001:3001(1000) ack 1\n",
        PASSES};
    const struct script_row too_few = {
        CONNECTED "+0 write(3, ..., 2500) = 2500\n+0 > P. 1:3001(3000) ack 1\n",
        FAILS(7, "payload length")};
    const struct script_row apart = {joined.text, FAILS(7, "payload length is 1000, must be 3000")};

    (void)state;
    check_script("linux", &joined, 0);
    check_script("linux", &separate, 1);
    check_script("linux", &too_few, 2);
    check_script("freebsd", &apart, 3);
}

static void test_options(void **state)
{
    const struct script_row rows[] = {
        {"--mtu=1300\n" SYN, PASSES},
        {"--mtu=1300\n"
         "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
         "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"
         "+0 connect(3, ..., ...) = -1 EINPROGRESS\n"
         "+0 > S 0:0(0) <mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 10>\n",
         FAILS(5, "mss 1260")},
        {"--mtu=20\n" SYN, FAILS(1, "--mtu=20")},
        {"--remote_ip=198.51.100.7 --local_ip=10.0.0.1 --netmask_ip=255.0.0.0\n" SYN
         "+0 getsockname(3, {sa_family=AF_INET, sin_port=htons(1), "
         "sin_addr=inet_addr(\"10.0.0.1\")}, [16]) = 0\n",
         FAILS(6, "the address is 10.0.0.1:")},
        {"--ip_version=ipv6 --local_ip=10.0.0.1\n" SYN, DRILL_FAILED, 0, "family"},
        {"--wire_client\n" SYN, SKIPS(1, "--wire_client")},
        {"--nonsense=1\n" SYN, SKIPS(1, "--nonsense")},
        {"--bind_port=9999\n" ACCEPTED, PASSES},
        {"#ifdef PROFILE_SANWO\n" ACCEPTED "#endif\n", PASSES},
        {"#ifdef PROFILE_LINUX\n" ACCEPTED "#endif\n", DRILL_SKIPPED, 10, "#if leaves no event"},
        {ACCEPTED "+0 what is this\n", DRILL_FAILED, 8, NULL},
    };

    (void)state;
    CHECK_SCRIPTS("sanwo", rows);
}

/* A failure shows both segments, the state, and what happened before. */
static void test_detail(void **state)
{
    static const char text[] = ACCEPTED "+.1 < P. 1:11(10) ack 1 win 65535\n+0 > . 1:1(0) ack 99\n";
    static const char *const parts[] = {
        "expected      0.110000  . 1:1(0) ack 99\n",
        "seen          0.15000",
        "  . 1:1(0) ack 11 win 655",
        "192.168.0.1:8080 <-> 192.0.2.1:8080  ESTABLISHED",
        "0.110000  in   P. 1:11(10) ack 1 win 65535\n",
        "SYN-RECEIVED -> ESTABLISHED: our SYN acknowledged",
        "timer: delayed acknowledgement",
    };
    const struct drill_settings settings = {.profile = "sanwo"};
    struct drill_world world;
    struct drill_result result;

    (void)state;
    assert_true(sw_drill_world_init(&world));
    sw_drill_run_text("script", text, strlen(text), &settings, &world, NULL, &result);
    assert_int_equal(result.verdict, DRILL_FAILED);
    assert_string_equal(result.message, "ack is 11, must be 99");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!strstr(result.detail, parts[i]))
            fail_msg("\"%s\" is not in\n%s", parts[i], result.detail);
    sw_drill_result_free(&result);
    sw_drill_world_free(&world);
}

/* The same script in a region full of another's remains: the same result to the nanosecond. */
static void test_nothing_is_left_over(void **state)
{
    static const char text[] = ACCEPTED "+0 write(4, ..., 5000) = 5000\n";
    const struct drill_settings settings = {.profile = "sanwo", .verbose = true};
    struct drill_world world;
    struct drill_result first, second;

    (void)state;
    assert_true(sw_drill_world_init(&world));
    sw_drill_run_text("script", text, strlen(text), &settings, &world, NULL, &first);
    memset(world.region, 0xa5, 1 << 20);
    sw_drill_run_text("script", text, strlen(text), &settings, &world, NULL, &second);
    assert_int_equal(first.verdict, DRILL_PASSED);
    assert_int_equal(second.verdict, DRILL_PASSED);
    assert_string_equal(first.detail, second.detail);
    assert_true(strlen(first.detail) > 500);
    sw_drill_result_free(&first);
    sw_drill_result_free(&second);
    sw_drill_world_free(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packets),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_blocking_calls),
        cmocka_unit_test(test_segments_joined),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_detail),
        cmocka_unit_test(test_nothing_is_left_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
