/*
 * test_shell.c - Command lines: read as a shell reads them, answered by the table, never executed.
 */
#include "run_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SOCKET "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"

static void test_reading(void **state)
{
    const struct script_row rows[] = {
        {SOCKET "+0 `true`\n", PASSES},
        {SOCKET "+0 `false`\n", FAILS(2, "ends with status 1")},
        {SOCKET "+0 `false || true`\n", PASSES},
        {SOCKET "+0 `true && false`\n", DRILL_FAILED, 2, NULL},
        {SOCKET "+0 `false && nonsense ; true`\n", PASSES},
        {SOCKET "+0 `true || nonsense`\n", PASSES},
        {SOCKET "+0 `! false`\n", PASSES},
        {SOCKET "+0 `! true`\n", DRILL_FAILED, 2, NULL},
        {SOCKET "+0 `false\n`\n", DRILL_FAILED, 2, NULL},
        {SOCKET "+0 `true # && false`\n", PASSES},
        {SOCKET "+0 `sudo X=1 true > /dev/null 2>&1`\n", PASSES},
        {SOCKET "+0 `echo 'a b' \"c\" | grep -q 'a b c'`\n", PASSES},
        {SOCKET "+0 `echo a | grep b`\n", DRILL_FAILED, 2, NULL},
        {SOCKET "+0 `echo a | grep -v b`\n", PASSES},
        {SOCKET "+0 `echo a.c | grep -E '^a[.]c$'`\n", PASSES},
        {SOCKET "+0 `nonsense -x \"y z\"`\n", SKIPS(2, "the command `nonsense -x y z`")},
        {SOCKET "+0 `echo $(date)`\n", SKIPS(2, "$(...)")},
        {SOCKET "+0 `(true)`\n", SKIPS(2, "( )")},
        {SOCKET "+0 `if true; then true; fi`\n", SKIPS(2, "the command `if true`")},
        {SOCKET "+0 `./no_such_file.sh`\n", SKIPS(2, "no_such_file.sh")},
        {SOCKET "+0 `../common/defaults.sh`\n", PASSES},
        {SOCKET "+0 `kldload -n tcp_rack`\n", PASSES},
    };

    (void)state;
    CHECK_SCRIPTS("linux", rows);
}

#define SYN(options)                                                                               \
    SOCKET "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"                                         \
           "+0 connect(3, ..., ...) = -1 EINPROGRESS\n+0 > S 0:0(0) <" options ">\n"

static void test_sysctls(void **state)
{
    const struct script_row rows[] = {
        {"`sysctl -q net.ipv4.tcp_timestamps=0`\n" SYN("mss 1460,nop,nop,sackOK,nop,wscale 7"),
         PASSES},
        {"`sysctl -w net.ipv4.tcp_sack=0 net.ipv4.tcp_window_scaling=0 >/dev/null`\n" SYN(
             "mss 1460,nop,nop,TS val 1 ecr 0"),
         PASSES},
        {"`echo 0 > /proc/sys/net/ipv4/tcp_timestamps`\n" SYN(
             "mss 1460,nop,nop,sackOK,nop,wscale 7"),
         PASSES},
        {"`../common/set_sysctls.py /proc/sys/net/ipv4/tcp_timestamps=0 "
         "/proc/sys/net/ipv4/tcp_window_scaling=0`\n" SYN("mss 1460,nop,nop,sackOK"),
         PASSES},
        {"`sysctl -q net.ipv4.tcp_rmem=\"4096 131072 $((15*1024*1024))\"`\n" SYN(
             "mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 8"),
         PASSES},
        {"`sysctl -q net.ipv4.tcp_congestion_control=reno net.ipv4.tcp_ecn=0`\n" SOCKET, PASSES},
        {"`sysctl -q net.ipv4.tcp_congestion_control=nobody`\n" SOCKET,
         FAILS(1, "net.ipv4.tcp_congestion_control=nobody")},
        {"`sysctl -q net.ipv4.tcp_congestion_control=cubic`\n" ACCEPTED
         "+0 write(4, ..., 10000) = 10000\n+0 > P. 1:10001(10000) ack 1\n",
         PASSES},
        {"`sysctl -q net.ipv4.tcp_congestion_control=cubic`\n" ACCEPTED
         "+0 write(4, ..., 10000) = 10000\n+0 > P. 1:10001(10000) ack 2\n",
         FAILS(10, "ack is 1, must be 2")},
        {"`sysctl -q net.ipv4.tcp_congestion_control=cubic`\n" ACCEPTED
         "+0 write(4, ..., 20000) = 20000\n+0 > . 1:10001(10000) ack 1\n"
         "+.01 < . 1:1(0) ack 10001 win 65535\n+0 > P. 10001:20001(10000) ack 2\n",
         FAILS(12, "ack is 1, must be 2")},
        {"`sysctl -q net.ipv4.tcp_congestion_control=bbr`\n" ACCEPTED
         "+0 write(4, ..., 10000) = 10000\n+0 > P. 1:10001(10000) ack 2\n",
         FAILS(10, "ack is 1, must be 2")},
        {"`sysctl net.ipv4.tcp_invented=1`\n" SOCKET, SKIPS(1, "net.ipv4.tcp_invented")},
        {"`sysctl net.ipv4.tcp_syn_retries=many`\n" SOCKET, FAILS(1, "tcp_syn_retries=many")},
        {"`sysctl -q net.ipv4.tcp_syn_retries=1`\n" SYN(
             "...") "+1 > S 0:0(0) <...>\n+2.1 getsockopt(3, SOL_SOCKET, SO_ERROR, [ETIMEDOUT], "
                    "[4]) = 0\n",
         PASSES},
        {"`ip link set dev tun0 mtu 1000`\n" SYN("mss 960,sackOK,TS val 1 ecr 0,nop,wscale 7"),
         PASSES},
        {"`ip route change 192.0.2.0/24 dev tun0 advmss 900 initcwnd 3`\n" SYN(
             "mss 900,sackOK,TS val 1 ecr 0,nop,wscale 7"),
         PASSES},
        {"`ip route change 192.0.2.0/24 dev tun0 features ecn`\n" SOCKET, SKIPS(1, "features ecn")},
        {"`sysctl -w net.inet.tcp.rfc1323=0`\n" SYN("mss 1460,nop,nop,sackOK"), PASSES},
        {"`sysctl kern.ipc.maxsockbuf=1048576`\n" SYN(
             "mss 1460,sackOK,TS val 1 ecr 0,nop,wscale 5"),
         PASSES},
        /* sockets that are there already take it up until they open */
        {SOCKET "+0 `sysctl -q net.ipv4.tcp_timestamps=0`\n"
                "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n"
                "+0 connect(3, ..., ...) = -1 EINPROGRESS\n"
                "+0 > S 0:0(0) <mss 1460,nop,nop,sackOK,nop,wscale 7>\n",
         PASSES},
    };

    (void)state;
    CHECK_SCRIPTS("linux", rows);
}

static void test_questions(void **state)
{
    const struct script_row rows[] = {
        {ACCEPTED "+0 `ss -tn | grep ESTAB`\n+0 `netstat -tn | grep 'ESTABLISHED'`\n"
                  "+0 `netstat -an | grep LISTEN | grep -q 8080`\n",
         PASSES},
        {ACCEPTED "+0 close(4) = 0\n+0 > F. 1:1(0) ack 1\n"
                  "+0 `ss -tan | grep -q FIN-WAIT-1 && netstat -an | grep -q FIN_WAIT1`\n"
                  "+0 < . 1:1(0) ack 2 win 65535\n+0 `ss -tan | grep -q FIN-WAIT-1`\n",
         DRILL_FAILED, 12, "status 1"},
        {ACCEPTED "+.5 `sleep 2`\n+0 write(4, ..., 1) = 1\n2.51 > P. 1:2(1) ack 1\n", PASSES},
        {ACCEPTED "+0 `ss -K`\n+0 > R. 1:1(0) ack 1\n+0 read(4, ..., 1) = -1 ECONNABORTED\n"
                  "+0 read(4, ..., 1) = 0\n",
         PASSES},
    };
    const struct script_row freebsd = {
        "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n"
        "+0 listen(3, 1) = 0\n+0 < S 0:0(0) win 65535 <mss 1000,nop,wscale 1>\n"
        "+0 > S. 0:0(0) ack 1 <...>\n+0 < . 1:1(0) ack 1 win 65535\n+0 accept(3, ..., ...) = 4\n"
        "+0 `sockstat -4 -s | grep -q ESTABLISHED`\n+0 `tcpdrop 192.168.0.1 8080 192.0.2.1 8080`\n"
        "+0 > R. 1:1(0) ack 1\n+0 `tcpdrop -a || true`\n",
        PASSES};

    (void)state;
    CHECK_SCRIPTS("linux", rows);
    check_script("freebsd", &freebsd, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_sysctls),
        cmocka_unit_test(test_questions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
