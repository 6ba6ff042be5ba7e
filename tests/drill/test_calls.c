/*
 * test_calls.c - The socket calls: what each returns in which state, in both dialects.
 */
#include "run_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_descriptors(void **state)
{
    const struct script_row rows[] = {
        {"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = ...\n+0 close(3) = 0\n+0 close(3) = -1 EBADF\n",
         PASSES},
        {"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 7\n+0 close(7) = 0\n", PASSES},
        {"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
         "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n",
         FAILS(2, "descriptor 3 is open already")},
        {"0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n", SKIPS(1, "sockets other than TCP")},
        {"0 socket(..., SOCK_STREAM) = 3\n", FAILS(1, "socket() has 2 arguments")},
        {"0 socket(..., SOCK_STREAM, NO_SUCH_NAME) = 3\n", SKIPS(1, "NO_SUCH_NAME")},
        {"0 frobnicate(1) = 0\n", SKIPS(1, "frobnicate()")},
        {"0 pipe([3, 4]) = 0\n", SKIPS(1, "pipe() needs pipes")},
        {"0 close(1) = 0\n", FAILS(1, "close() returned -1 EBADF, must return 0")},
        {"0 close(1) = -1 EINVAL (Invalid argument)\n",
         FAILS(1, "close() returned -1 EBADF, must return -1 EINVAL")},
    };

    (void)state;
    CHECK_SCRIPTS("sanwo", rows);
}

static void test_opening(void **state)
{
    const struct script_row rows[] = {
        {"0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3\n"
         "+0 connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)\n"
         "+0 connect(3, ..., ...) = -1 EALREADY (Operation already in progress)\n"
         "+0 > S 0:0(0) <...>\n"
         "+0 write(3, ..., 10) = -1 EAGAIN\n"
         "+0 read(3, ..., 10) = -1 EAGAIN\n"
         "+0 getpeername(3, ..., ...) = -1 ENOTCONN\n"
         "+.1 < S. 0:0(0) ack 1 win 65535 <mss 1000>\n"
         "+0 > . 1:1(0) ack 1\n"
         "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n"
         "+0 connect(3, ..., ...) = 0\n"
         "+0 connect(3, ..., ...) = -1 EISCONN\n"
         "+0 getpeername(3, {sa_family=AF_INET, sin_port=htons(8080), "
         "sin_addr=inet_addr(\"192.0.2.1\")}, [16]) = 0\n",
         PASSES},
        {"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
         "+0...0.1 connect(3, ..., ...) = -1 ECONNREFUSED (Connection refused)\n"
         "+0 > S 0:0(0) <...>\n"
         "+.1 < R. 0:0(0) ack 1 win 0\n"
         "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n",
         PASSES},
        {"0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3\n"
         "+0 connect(3, ..., ...) = -1 EINPROGRESS\n"
         "+0 > S 0:0(0) <...>\n"
         "+.1 < R. 0:0(0) ack 1 win 0\n"
         "+0 poll([{fd=3, events=POLLOUT, revents=POLLOUT|POLLERR|POLLHUP}], 1, 0) = 1\n"
         "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [ECONNREFUSED], [4]) = 0\n"
         "+0 getsockopt(3, SOL_SOCKET, SO_ERROR, [0], [4]) = 0\n",
         PASSES},
        {"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 write(3, ..., 1) = -1 EPIPE\n"
         "+0 read(3, ..., 1) = -1 ENOTCONN\n+0 shutdown(3, SHUT_WR) = -1 ENOTCONN\n",
         PASSES},
        {"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n"
         "+0 bind(3, ..., ...) = -1 EINVAL\n+0 listen(3, 1) = 0\n+0 listen(3, 5) = 0\n"
         "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 4\n+0 bind(4, ..., ...) = 0\n"
         "+0 listen(4, 1) = -1 EADDRINUSE\n",
         PASSES},
        {"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
         "+0 bind(3, {sa_family = AF_INET, sin_port = htons(9000), "
         "sin_addr = inet_addr(\"203.0.113.1\")}, ...) = -1 EADDRNOTAVAIL\n",
         PASSES},
        {"0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n"
         "+0 accept(3, ..., ...) = -1 EINVAL\n+0 listen(3, 1) = 0\n"
         "+0 accept(3, ..., ...) = -1 EAGAIN\n",
         PASSES},
        {CONNECTED "+0 connect(3, {sa_family = AF_UNSPEC}, ...) = 0\n+0 > R. 1:1(0) ack 1\n"
                   "+0...0.1 connect(3, ..., ...) = 0\n+0 > S 0:0(0) <...>\n"
                   "+.1 < S. 0:0(0) ack 1 win 65535 <mss 1000>\n+0 > . 1:1(0) ack 1\n",
         PASSES},
    };

    (void)state;
    CHECK_SCRIPTS("sanwo", rows);
}

static void test_reading(void **state)
{
    const struct script_row rows[] = {
        {ACCEPTED NONBLOCKING
         "+0 read(4, ..., 10) = -1 EAGAIN\n+0 read(4, ..., 0) = 0\n"
         "+0 < P. 1:101(100) ack 1 win 65535\n"
         "+0 ioctl(4, SIOCINQ, [100]) = 0\n"
         "+0 recv(4, ..., 40, MSG_PEEK) = 40\n+0 read(4, ..., 60) = 60\n"
         "+0 recvmsg(4, {msg_name(...)=..., msg_iov(2)=[{..., 30}, {..., 30}], "
         "msg_flags=0}, 0) = 40\n"
         "+0 readv(4, [{..., 10}], 1) = -1 EAGAIN\n"
         "+0 < F. 101:101(0) ack 1 win 65535\n+0 read(4, ..., 10) = 0\n"
         "+0 read(4, ..., 10) = 0\n",
         PASSES},
        {ACCEPTED "+0...0.2 recv(4, ..., 100, MSG_WAITALL) = 100\n"
                  "+.1 < P. 1:51(50) ack 1 win 65535\n"
                  "+.1 < P. 51:101(50) ack 1 win 65535\n",
         PASSES},
        {ACCEPTED "+0 setsockopt(4, SOL_SOCKET, SO_RCVLOWAT, [60], 4) = 0\n"
                  "+0...0.2 read(4, ..., 100) = 80\n+.1 < P. 1:51(50) ack 1 win 65535\n"
                  "+.1 < P. 51:81(30) ack 1 win 65535\n",
         PASSES},
        {ACCEPTED NONBLOCKING "+0 < P. 1:11(10) ack 1 win 65535\n+0 < R. 11:11(0) ack 1 win 0\n"
                              "+0 read(4, ..., 100) = 10\n+0 read(4, ..., 100) = -1 ECONNRESET\n"
                              "+0 read(4, ..., 100) = 0\n+0 write(4, ..., 10) = -1 EPIPE\n",
         PASSES},
        {ACCEPTED "+0 shutdown(4, SHUT_RD) = 0\n+0 read(4, ..., 10) = 0\n", PASSES},
        {ACCEPTED "+0 recvmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 30}], "
                  "msg_control=[{cmsg_level=SOL_TCP}], msg_flags=0}, 0) = 40\n",
         SKIPS(8, "control data")},
        /* urgent data: out of band, then in line */
        {ACCEPTED NONBLOCKING "+0 recv(4, ..., 1, MSG_OOB) = -1 EINVAL\n"
                              "+0 < PU. 1:11(10) ack 1 win 65535 urg 10\n"
                              "+0 read(4, ..., 100) = 9\n+0 ioctl(4, SIOCATMARK, [1]) = 0\n"
                              "+0 recv(4, ..., 1, MSG_OOB) = 1\n+0 read(4, ..., 100) = -1 EAGAIN\n",
         PASSES},
        {ACCEPTED "+0 setsockopt(4, SOL_SOCKET, SO_OOBINLINE, [1], 4) = 0\n"
                  "+0 < PU. 1:11(10) ack 1 win 65535 urg 10\n+0 read(4, ..., 100) = 10\n"
                  "+0 recv(4, ..., 1, MSG_OOB) = -1 EINVAL\n",
         PASSES},
    };

    (void)state;
    CHECK_SCRIPTS("sanwo", rows);
}

static void test_writing(void **state)
{
    const struct script_row rows[] = {
        {ACCEPTED "+0 writev(4, [{..., 600}, {..., 500}], 2) = 1100\n"
                  "+0 > . 1:1001(1000) ack 1\n+0 < . 1:1(0) ack 1001 win 65535\n"
                  "+0 > P. 1001:1101(100) ack 1\n",
         PASSES},
        {ACCEPTED
         "+0 sendmsg(4, {msg_name(...)=..., msg_iov(1)=[{..., 10}], msg_flags=0}, 0) = 10\n"
         "+0 > P. 1:11(10) ack 1\n",
         PASSES},
        {ACCEPTED "+0 send(4, ..., 10, MSG_MORE) = 10\n+0 write(4, ..., 10) = 10\n"
                  "+0 > P. 1:21(20) ack 1\n",
         PASSES},
        {ACCEPTED "+0 send(4, ..., 10, MSG_OOB) = 10\n+0 > PU. 1:11(10) ack 1 urg 10\n", PASSES},
        {ACCEPTED "+0 setsockopt(4, SOL_SOCKET, SO_SNDBUF, [4000], 4) = 0\n" NONBLOCKING
                  "+0 write(4, ..., 10000) = 4000\n+0 write(4, ..., 10) = -1 EAGAIN\n"
                  "+0 ioctl(4, SIOCOUTQ, [4000]) = 0\n",
         PASSES},
        {ACCEPTED "+0 setsockopt(4, SOL_SOCKET, SO_SNDBUF, [4000], 4) = 0\n"
                  "+0...0.1 write(4, ..., 5000) = 5000\n+0 > . 1:1001(1000) ack 1\n"
                  "+.1 < . 1:1(0) ack 4001 win 65535\n",
         PASSES},
        {ACCEPTED "+0 shutdown(4, SHUT_WR) = 0\n+0 > F. 1:1(0) ack 1\n"
                  "+0 write(4, ..., 10) = -1 EPIPE (Broken pipe)\n+0 shutdown(4, SHUT_WR) = 0\n",
         PASSES},
        {ACCEPTED "+0 sendto(4, ..., 10, MSG_FASTOPEN, ..., ...) = -1 EISCONN\n", PASSES},
        {ACCEPTED "+0 send(4, ..., 10, MSG_ZEROCOPY) = 10\n", SKIPS(8, "ZEROCOPY")},
    };

    (void)state;
    CHECK_SCRIPTS("sanwo", rows);
}

static void test_closing(void **state)
{
    const struct script_row rows[] = {
        {ACCEPTED "+0 close(4) = 0\n+0 > F. 1:1(0) ack 1\n+0 read(4, ..., 1) = -1 EBADF\n", PASSES},
        {ACCEPTED "+0 < P. 1:11(10) ack 1 win 65535\n+0 close(4) = 0\n"
                  "+0 > R. 1:1(0) ack 11\n",
         PASSES},
        {ACCEPTED "+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, 8) = 0\n"
                  "+0 getsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=0}, [8]) = 0\n"
                  "+0 close(4) = 0\n+0 > R. 1:1(0) ack 1\n",
         PASSES},
        {ACCEPTED "+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=2}, 8) = 0\n"
                  "+0...0.1 close(4) = 0\n+0 > F. 1:1(0) ack 1\n"
                  "+.1 < . 1:1(0) ack 2 win 65535\n",
         PASSES},
        {ACCEPTED "+0 setsockopt(4, SOL_SOCKET, SO_LINGER, {onoff=1, linger=2}, 8) = 0\n"
                  "+0...2 close(4) = 0\n",
         PASSES},
        {ACCEPTED "+0 shutdown(4, SHUT_RDWR) = 0\n+0 > F. 1:1(0) ack 1\n"
                  "+.1 < F. 1:1(0) ack 2 win 65535\n+0 > . 2:2(0) ack 2\n",
         PASSES},
    };

    (void)state;
    CHECK_SCRIPTS("sanwo", rows);
}

static void test_socket_options(void **state)
{
    const struct script_row rows[] = {
        {ACCEPTED "+0 setsockopt(4, IPPROTO_TCP, TCP_NODELAY, [1], 4) = 0\n"
                  "+0 getsockopt(4, IPPROTO_TCP, TCP_NODELAY, [1], [4]) = 0\n"
                  "+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n"
                  "+0 write(4, ..., 10) = 10\n+0 > P. 11:21(10) ack 1\n",
         PASSES},
        {ACCEPTED "+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n"
                  "+0 write(4, ..., 10) = 10\n+0 > P. 11:21(10) ack 1\n",
         DRILL_FAILED, 11, NULL}, /* Nagle holds it back */
        {ACCEPTED "+0 getsockopt(4, IPPROTO_TCP, TCP_MAXSEG, [1000], [4]) = 0\n"
                  "+0 setsockopt(4, IPPROTO_TCP, TCP_KEEPIDLE, [60], 4) = 0\n"
                  "+0 getsockopt(4, IPPROTO_TCP, TCP_KEEPIDLE, [60], [4]) = 0\n"
                  "+0 setsockopt(4, SOL_SOCKET, SO_KEEPALIVE, [1], 4) = 0\n"
                  "+60 > . 0:0(0) ack 1\n",
         PASSES},
        {ACCEPTED "+0 getsockopt(4, SOL_SOCKET, SO_TYPE, [SOCK_STREAM], [4]) = 0\n"
                  "+0 getsockopt(3, SOL_SOCKET, SO_ACCEPTCONN, [1], [4]) = 0\n"
                  "+0 getsockopt(4, SOL_SOCKET, SO_REUSEADDR, [1], [4]) = 0\n",
         FAILS(10, "the option is 0, must be 1")},
        {ACCEPTED "+0 setsockopt(4, SOL_TCP, TCP_CONGESTION, \"reno\", 4) = 0\n"
                  "+0 getsockopt(4, SOL_TCP, TCP_CONGESTION, \"reno\", [4]) = 0\n",
         PASSES},
        {ACCEPTED "+0 setsockopt(4, SOL_TCP, TCP_CONGESTION, \"nobody\", 6) = -1 ENOENT\n"
                  "+0 setsockopt(4, SOL_TCP, TCP_CONGESTION, \"vegas\", 5) = 0\n"
                  "+0 getsockopt(4, SOL_TCP, TCP_CONGESTION, \"vegas\", [5]) = 0\n",
         PASSES},
        {ACCEPTED "+0 setsockopt(4, SOL_TCP, TCP_MD5SIG, [1], 4) = 0\n", SKIPS(8, "MD5")},
        {ACCEPTED "+0 setsockopt(4, SOL_TCP, TCP_NOBODY_KNOWS, [1], 4) = 0\n",
         SKIPS(8, "TCP_NOBODY_KNOWS")},
        {ACCEPTED "+0 getsockopt(4, SOL_TCP, TCP_INFO, {tcpi_state=TCP_ESTABLISHED, "
                  "tcpi_snd_mss=999}, [104]) = 0\n",
         FAILS(8, "tcpi_snd_mss is 1000, must be 999")},
        {"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
         "+0 setsockopt(3, SOL_TCP, TCP_MAXSEG, [700], 4) = 0\n"
         "+0 setsockopt(3, SOL_TCP, TCP_SYNCNT, [1], 4) = 0\n"
         "+0...3 connect(3, ..., ...) = -1 ETIMEDOUT (Connection timed out)\n"
         "+0 > S 0:0(0) <mss 700,sackOK,TS val 0 ecr 0,nop,wscale 10>\n+1 > S 0:0(0) <...>\n",
         PASSES},
        {CONNECTED "+0 setsockopt(3, IPPROTO_IP, IP_TOS, [0xb8], 4) = 0\n"
                   "+0 write(3, ..., 10) = 10\n+0 > [tos 0xb8] P. 1:11(10) ack 1\n",
         PASSES},
    };

    (void)state;
    CHECK_SCRIPTS("sanwo", rows);
}

static void test_polling(void **state)
{
    const struct script_row rows[] = {
        {ACCEPTED "+0 poll([{fd=4, events=POLLIN|POLLOUT, revents=POLLOUT}, "
                  "{fd=3, events=POLLIN, revents=0}], 2, 0) = 1\n"
                  "+0 < F. 1:1(0) ack 1 win 65535\n"
                  "+0 poll([{fd=4, events=POLLIN|POLLRDHUP, revents=POLLIN|POLLRDHUP}], 1, 0) = 1\n"
                  "+0 poll([{fd=4, events=POLLIN, revents=POLLOUT}], 1, 0) = 1\n",
         FAILS(11, "revents of descriptor 4 are 0x1, must be 0x4")},
        {ACCEPTED "+0...0.1 poll([{fd=4, events=POLLIN, revents=POLLIN}], 1, -1) = 1\n"
                  "+.1 < P. 1:2(1) ack 1 win 65535\n",
         PASSES},
        /* a poll of a listener does not take the connection away */
        {"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 bind(3, ..., ...) = 0\n"
         "+0 listen(3, 1) = 0\n+0 < S 0:0(0) win 65535 <mss 1000>\n+0 > S. 0:0(0) ack 1 <...>\n"
         "+0 poll([{fd=3, events=POLLIN, revents=0}], 1, 0) = 0\n"
         "+0 < . 1:1(0) ack 1 win 65535\n"
         "+0 poll([{fd=3, events=POLLIN, revents=POLLIN}], 1, 0) = 1\n"
         "+0 accept(3, ..., ...) = 4\n+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n",
         PASSES},
        {ACCEPTED "+0 epoll_create(1) = 5\n"
                  "+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN|EPOLLET, fd=4}) = 0\n"
                  "+0 epoll_ctl(5, EPOLL_CTL_ADD, 4, {events=EPOLLIN, fd=4}) = -1 EEXIST\n"
                  "+0 epoll_wait(5, {events=..., fd=4}, 1, 0) = 0\n"
                  "+0 < P. 1:2(1) ack 1 win 65535\n"
                  "+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 1\n"
                  "+0 epoll_wait(5, {events=EPOLLIN, fd=4}, 1, 0) = 0\n"
                  "+0 < P. 2:3(1) ack 1 win 65535\n"
                  "+0 epoll_wait(5, {events=EPOLLIN, fd=9}, 1, 0) = 1\n",
         FAILS(16, "what came with the event is 4, must be 9")},
    };

    (void)state;
    CHECK_SCRIPTS("sanwo", rows);
}

/* The same states, told differently. */
static void test_dialects(void **state)
{
    const struct script_row linux_rows[] = {
        {ACCEPTED "+0 setsockopt(4, SOL_SOCKET, SO_RCVBUF, [8000], 4) = 0\n"
                  "+0 getsockopt(4, SOL_SOCKET, SO_RCVBUF, [16000], [4]) = 0\n"
                  "+0 fcntl(4, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n+0 fcntl(4, F_GETFL) = 0x802\n",
         PASSES},
        {ACCEPTED "+0 < F. 1:1(0) ack 1 win 65535\n+0 < R. 2:2(0) ack 1 win 0\n"
                  "+0 write(4, ..., 1) = -1 EPIPE\n",
         PASSES},
    };
    const struct script_row freebsd_rows[] = {
        {"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 write(3, ..., 1) = -1 ENOTCONN\n"
         "+0 fcntl(3, F_SETFL, O_RDWR|O_NONBLOCK) = 0\n+0 fcntl(3, F_GETFL) = 0x6\n"
         "+0 setsockopt(3, SOL_SOCKET, SO_RCVBUF, [8000], 4) = 0\n"
         "+0 getsockopt(3, SOL_SOCKET, SO_RCVBUF, [8000], [4]) = 0\n",
         PASSES},
        {"0 socket(..., SOCK_STREAM|SOCK_NONBLOCK, IPPROTO_TCP) = 3\n"
         "+0 connect(3, ..., ...) = -1 EINPROGRESS\n"
         "+0 > S 0:0(0) win 65535 <mss 1460,nop,wscale 6,sackOK,TS val 100 ecr 0>\n"
         "+.1 < S. 0:0(0) ack 1 win 65535 <mss 1000>\n+0 > . 1:1(0) ack 1\n"
         "+0 connect(3, ..., ...) = -1 EISCONN\n",
         PASSES},
    };

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct script_row row = linux_rows[i];
        check_script("linux", &row, i);
        check_script("freebsd", &freebsd_rows[i], i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptors), cmocka_unit_test(test_opening),
        cmocka_unit_test(test_reading),     cmocka_unit_test(test_writing),
        cmocka_unit_test(test_closing),     cmocka_unit_test(test_socket_options),
        cmocka_unit_test(test_polling),     cmocka_unit_test(test_dialects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
