/*
 * test_tun.c - TUN and TAP against the kernel, in a network namespace of the test's own.
 *
 *     socket -- kernel -- device -- driver       10.77.0.1, fd77::1 is the kernel's end
 *
 * Skipped (77) where namespaces or the device are not permitted.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spy.h"

enum { SKIPPED = 77, PORT = 7777 };

static const struct sanwo_tun_config plain = {
    .name = "tst0",
    .address = {.bytes = {10, 77, 0, 1}, .family = SANWO_FAMILY_IPV4},
    .prefix_length = 24,
    .address2 = {.bytes = {0xfd, 0x77, [15] = 1}, .family = SANWO_FAMILY_IPV6},
    .prefix_length2 = 64,
};

static struct sanwo_driver *make(const struct sanwo_tun_config *config)
{
    struct sanwo_driver *d;
    char message[200] = "";
    int result = sanwo_tun_create(config, &d, message, sizeof(message));

    if (result < 0)
        fail_msg("sanwo_tun_create: %d, %s", result, message);
    return d;
}

/* The next packet of IP version @version and protocol @protocol, within a second; it is flat. */
static struct sanwo_frame wait_for(struct sanwo_driver *d, unsigned version, uint8_t protocol)
{
    struct pollfd p = {.fd = d->ops->descriptor(d), .events = POLLIN};
    struct sanwo_frame f;

    memset(&f, 0, sizeof(f));
    while (poll(&p, 1, 1000) == 1) {
        int n = spy_receive(d, &f, 1, 99);
        const uint8_t *ip = f.slices[0].bytes;

        assert_true(n >= 0);
        if (n == 1 && ip[0] >> 4 == version && ip[version == 4 ? 9 : 6] == protocol) {
            assert_int_equal(f.slice_count, 1);
            assert_int_equal(f.slices[0].length, f.length);
            assert_int_equal(f.arrival, 99);
            return f;
        }
    }
    fail_msg("no such packet came");
    return f;
}

static void send_udp(int family, const char *to, size_t length)
{
    static const uint8_t payload[9000] = "payload";
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
    int fd = socket(family, SOCK_DGRAM, 0);

    assert_true(fd >= 0);
    if (family == AF_INET) {
        inet_pton(family, to, &v4.sin_addr);
        assert_int_equal(sendto(fd, payload, length, 0, (void *)&v4, sizeof(v4)), length);
    } else {
        inet_pton(family, to, &v6.sin6_addr);
        assert_int_equal(sendto(fd, payload, length, 0, (void *)&v6, sizeof(v6)), length);
    }
    close(fd);
}

static void test_receive(void **state)
{
    struct sanwo_driver *d = make(&plain);
    struct sanwo_tun_stats stats;
    struct sanwo_frame f;

    (void)state;
    assert_string_equal(d->link.name, "tst0");
    assert_int_equal(d->link.kind, SANWO_LINK_IP);
    assert_int_equal(d->link.mtu, 1500);
    d->number = 3;
    send_udp(AF_INET, "10.77.0.2", 100);
    f = wait_for(d, 4, IPPROTO_UDP);
    assert_int_equal(f.length, 128);
    assert_int_equal(f.link, 3);
    assert_memory_equal(f.slices[0].bytes + 28, "payload", 7);
    if (d->link.offload != 0) {
        assert_int_equal(f.checksum, SANWO_CHECKSUM_PARTIAL);
        assert_int_equal(f.checksum_start, 20);
        assert_int_equal(f.checksum_offset, 6);
    }
    send_udp(AF_INET6, "fd77::2", 1400);
    f = wait_for(d, 6, IPPROTO_UDP);
    assert_int_equal(f.length, 1448);
    sanwo_tun_stats(d, &stats);
    assert_true(stats.frames_in >= 2);
    assert_int_equal(stats.short_of_memory, stats.frames_in); /* there is no stack to borrow from */
    sanwo_driver_destroy(d);
}

/* Without the header checksums are complete; with a larger MTU one packet is one frame still. */
static void test_receive_without_offload(void **state)
{
    struct sanwo_tun_config config = plain;
    struct sanwo_driver *d;
    struct sanwo_frame f;

    (void)state;
    config.no_offload = true;
    config.mtu = 9000;
    d = make(&config);
    assert_int_equal(d->link.offload, 0);
    assert_int_equal(d->link.mtu, 9000);
    send_udp(AF_INET, "10.77.0.2", 8972);
    f = wait_for(d, 4, IPPROTO_UDP);
    assert_int_equal(f.length, 9000);
    assert_int_equal(f.checksum, SANWO_CHECKSUM_NONE);
    assert_int_equal(spy_checksum(f.slices[0].bytes, 20, 0), 0);
    /* The pseudo-header: both addresses, the protocol, the length. */
    assert_int_equal(spy_checksum(f.slices[0].bytes + 12, 8988, IPPROTO_UDP + 8980), 0);
    sanwo_driver_destroy(d);
}

/* An echo request from 10.77.0.2, to be sent in two slices. */
static void make_ping(uint8_t bytes[84], struct sanwo_frame *f)
{
    static const uint8_t header[] = {0x45, 0, 0,  84, 0, 1, 0,  0,  64, IPPROTO_ICMP,
                                     0,    0, 10, 77, 0, 2, 10, 77, 0,  1};
    uint16_t sum;

    memset(bytes, 'p', 84);
    memcpy(bytes, header, sizeof(header));
    sum = spy_checksum(bytes, 20, 0);
    bytes[10] = (uint8_t)(sum >> 8);
    bytes[11] = (uint8_t)sum;
    memcpy(bytes + 20, (uint8_t[]){8, 0, 0, 0, 0x12, 0x34, 0, 1}, 8);
    sum = spy_checksum(bytes + 20, 64, 0);
    bytes[22] = (uint8_t)(sum >> 8);
    bytes[23] = (uint8_t)sum;
    *f = spy_frame(bytes, 50);
    f->slices[1] = (struct sanwo_slice){.bytes = bytes + 50, .length = 34};
    f->slice_count = 2;
    f->length = 84;
}

static void expect_pong(struct sanwo_driver *d, const uint8_t ping[84])
{
    struct sanwo_frame f = wait_for(d, 4, IPPROTO_ICMP);

    assert_int_equal(f.length, 84);
    assert_int_equal(f.slices[0].bytes[20], 0); /* echo reply */
    assert_memory_equal(f.slices[0].bytes + 24, ping + 24, 60);
}

static void test_ping(void **state)
{
    struct sanwo_tun_config config = plain;
    uint8_t bytes[84];
    struct sanwo_frame f;

    (void)state;
    make_ping(bytes, &f);
    for (unsigned i = 0; i < 2; i++) {
        struct sanwo_driver *d;
        struct spy spy;

        config.no_offload = i > 0;
        d = make(&config);
        spy_on(&spy, d);
        assert_int_equal(spy_transmit(d, &f, 1, 0), 1);
        assert_int_equal(spy.sent, 1);
        expect_pong(d, bytes);
        sanwo_driver_destroy(d);
    }
}

/* The kernel, or the driver where there is no header, finishes a partial checksum. */
static void test_transmit_partial(void **state)
{
    static const uint8_t datagram[] = {0x45, 0,    0,  32, 0, 1,  0,   0,   64,  IPPROTO_UDP, 0,
                                       0,    10,   77, 0,  2, 10, 77,  0,   1,   0x1e,        0x61,
                                       0x1e, 0x61, 0,  12, 0, 0,  'd', 'a', 't', 'a'};
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    struct timeval second = {.tv_sec = 1};
    struct sanwo_tun_config config = plain;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t bytes[32], got[100];
        struct sanwo_frame f = spy_frame(bytes, sizeof(bytes));
        struct sanwo_driver *d;
        uint16_t sum;
        int fd = socket(AF_INET, SOCK_DGRAM, 0);

        config.no_offload = i > 0;
        d = make(&config);
        assert_int_equal(bind(fd, (void *)&here, sizeof(here)), 0);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
        memcpy(bytes, datagram, sizeof(bytes));
        sum = spy_checksum(bytes, 20, 0);
        bytes[10] = (uint8_t)(sum >> 8);
        bytes[11] = (uint8_t)sum;
        sum = (uint16_t)~spy_checksum(bytes + 12, 8, IPPROTO_UDP + 12);
        bytes[26] = (uint8_t)(sum >> 8);
        bytes[27] = (uint8_t)sum;
        f.checksum = SANWO_CHECKSUM_PARTIAL;
        f.checksum_start = 20;
        f.checksum_offset = 6;
        assert_int_equal(spy_transmit(d, &f, 1, 0), 1);
        assert_int_equal(recv(fd, got, sizeof(got), 0), 4);
        assert_memory_equal(got, "data", 4);
        close(fd);
        sanwo_driver_destroy(d);
    }
}

static void set_flags(const char *name, short flags)
{
    struct ifreq request = {.ifr_flags = flags};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    strcpy(request.ifr_name, name);
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    close(fd);
}

/* A device that is down loses packets, and no more than that. */
static void test_link_down(void **state)
{
    struct sanwo_driver *d = make(&plain);
    struct sanwo_tun_stats stats;
    struct spy spy;
    uint8_t bytes[84];
    struct sanwo_frame f;

    (void)state;
    spy_on(&spy, d);
    make_ping(bytes, &f);
    set_flags("tst0", 0);
    assert_int_equal(spy_transmit(d, &f, 1, 0), 1);
    assert_int_equal(spy.sent, 1);
    assert_false(d->blocked);
    sanwo_tun_stats(d, &stats);
    assert_int_equal(stats.lost, 1);
    assert_int_equal(spy_receive(d, &f, 1, 0) < 0, 0);
    set_flags("tst0", IFF_UP);
    make_ping(bytes, &f);
    assert_int_equal(spy_transmit(d, &f, 1, 0), 1);
    expect_pong(d, bytes);
    sanwo_driver_destroy(d);
}

/* What is no IP packet is lost, and what follows is not. */
static void test_refused_packet(void **state)
{
    struct sanwo_driver *d = make(&plain);
    uint8_t bytes[84], rubbish[20] = {0xff};
    struct sanwo_frame frames[2];
    struct sanwo_tun_stats stats;

    (void)state;
    frames[0] = spy_frame(rubbish, sizeof(rubbish));
    make_ping(bytes, &frames[1]);
    assert_int_equal(spy_transmit(d, frames, 2, 0), 2);
    expect_pong(d, bytes);
    sanwo_tun_stats(d, &stats);
    assert_int_equal(stats.frames_out + stats.lost, 2);
    sanwo_driver_destroy(d);
}

/* A deleted device is gone for good: both calls say so. */
static void test_deleted(void **state)
{
    struct sanwo_driver *d = make(&plain);
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link;
    } request = {.header = {.nlmsg_len = sizeof(request),
                            .nlmsg_type = RTM_DELLINK,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK}};
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    uint8_t bytes[84], answer[500];
    struct sanwo_frame f;

    (void)state;
    request.link.ifi_index = (int)if_nametoindex("tst0");
    assert_true(request.link.ifi_index > 0);
    assert_int_equal(send(fd, &request, sizeof(request), 0), sizeof(request));
    assert_true(recv(fd, answer, sizeof(answer), 0) > 0);
    close(fd);
    make_ping(bytes, &f);
    assert_int_equal(spy_transmit(d, &f, 1, 0), -EBADFD);
    assert_int_equal(spy_receive(d, &f, 1, 0), -EBADFD);
    sanwo_driver_destroy(d);
}

static void test_tap(void **state)
{
    static const uint8_t mac[6] = {2, 1, 2, 3, 4, 5};
    struct sanwo_tun_config config = plain;
    struct sanwo_driver *d;
    struct sockaddr_in6 here = {.sin6_family = AF_INET6};
    char message[200];
    struct sanwo_frame f;
    int n, fd;

    (void)state;
    memcpy(config.mac, mac, sizeof(mac));
    assert_int_equal(sanwo_tap_create(&config, &d, message, sizeof(message)), 0);
    assert_int_equal(d->link.kind, SANWO_LINK_ETHERNET);
    assert_memory_equal(d->link.mac, mac, sizeof(mac));
    send_udp(AF_INET, "10.77.0.2", 10);
    do { /* asks for the address first; IPv6 may have something to say before */
        struct pollfd p = {.fd = d->ops->descriptor(d), .events = POLLIN};

        assert_int_equal(poll(&p, 1, 1000), 1);
        n = spy_receive(d, &f, 1, 0);
    } while (n != 1 || f.slices[0].bytes[12] != 0x08 || f.slices[0].bytes[13] != 0x06);
    assert_int_equal(f.slices[0].bytes[0], 0xff);
    assert_memory_equal(f.slices[0].bytes + 38, ((uint8_t[]){10, 77, 0, 2}), 4);
    sanwo_driver_destroy(d);

    memset(config.mac, 0, sizeof(mac));
    assert_int_equal(sanwo_tap_create(&config, &d, message, sizeof(message)), 0);
    assert_int_equal(d->link.mac[0] & 3, 2); /* made up: local, unicast */
    inet_pton(AF_INET6, "fd77::1", &here.sin6_addr);
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (void *)&here, sizeof(here)), 0); /* usable at once, not tentative */
    close(fd);
    sanwo_driver_destroy(d);
}

static void test_names(void **state)
{
    struct sanwo_tun_config config = plain;
    struct sanwo_driver *first, *second;
    char message[200] = "";

    (void)state;
    config.name = NULL;
    first = make(&config);
    assert_string_equal(first->link.name, "sanwo0");
    config.name = "sanwo0";
    assert_int_equal(sanwo_tun_create(&config, &second, message, sizeof(message)), -EBUSY);
    assert_non_null(strstr(message, "sanwo0 is in use: name another with --tun"));
    config.name = "lo";
    assert_int_equal(sanwo_tun_create(&config, &second, message, sizeof(message)), -EINVAL);
    assert_non_null(strstr(message, "--tun"));
    sanwo_driver_destroy(first);
    first = make(&(struct sanwo_tun_config){.name = "sanwo0"}); /* vanished with its driver */
    sanwo_driver_destroy(first);
}

static void test_refused_arguments(void **state)
{
    struct sanwo_tun_config bad[] = {plain, plain, plain, plain, plain};
    struct sanwo_driver *d;

    (void)state;
    bad[0].name = "a-name-too-long-";
    bad[1].mtu = 60;
    bad[2].prefix_length = 33;
    bad[3].prefix_length2 = 0;
    bad[4].mtu = 1279;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char message[200] = "";

        assert_int_equal(sanwo_tun_create(&bad[i], &d, message, sizeof(message)), -EINVAL);
        assert_true(strlen(message) > 10);
    }
}

/* Made in another namespace, it serves us here. */
static void test_netns(void **state)
{
    struct sanwo_tun_config config = plain;
    struct sanwo_driver *d;
    char path[64], message[200] = "", byte;
    uint8_t bytes[84];
    struct sanwo_frame f;
    int ready[2];
    pid_t child;

    (void)state;
    config.netns = "no-such-namespace";
    assert_int_equal(sanwo_tun_create(&config, &d, message, sizeof(message)), -ENOENT);
    assert_non_null(strstr(message, "`ip netns add no-such-namespace`"));

    assert_int_equal(pipe(ready), 0);
    child = fork();
    if (child == 0) {
        if (unshare(CLONE_NEWNET) == 0 && write(ready[1], "x", 1) == 1)
            pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)child);
    config.netns = path;
    d = make(&config);
    assert_int_equal(if_nametoindex("tst0"), 0);
    make_ping(bytes, &f);
    assert_int_equal(spy_transmit(d, &f, 1, 0), 1);
    expect_pong(d, bytes);
    sanwo_driver_destroy(d);
    d = make(&plain); /* and we are back */
    assert_int_not_equal(if_nametoindex("tst0"), 0);
    sanwo_driver_destroy(d);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(ready[0]);
    close(ready[1]);
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd >= 0) {
        ssize_t written = write(fd, text, strlen(text));

        (void)written;
        close(fd);
    }
}

/* A namespace of our own, with the help of a user namespace where we are not root. */
static bool leave_home(void)
{
    char map[64];
    unsigned uid = getuid();

    if (unshare(CLONE_NEWNET) == 0)
        return true;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0)
        return false;
    snprintf(map, sizeof(map), "0 %u 1\n", uid);
    write_file("/proc/self/setgroups", "deny");
    write_file("/proc/self/uid_map", map);
    return true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_receive),   cmocka_unit_test(test_receive_without_offload),
        cmocka_unit_test(test_ping),      cmocka_unit_test(test_transmit_partial),
        cmocka_unit_test(test_link_down), cmocka_unit_test(test_refused_packet),
        cmocka_unit_test(test_deleted),   cmocka_unit_test(test_tap),
        cmocka_unit_test(test_names),     cmocka_unit_test(test_refused_arguments),
        cmocka_unit_test(test_netns),
    };
    struct sanwo_driver *d;
    char message[200] = "no namespace of our own: run as root";

    if (!leave_home() || sanwo_tun_create(&plain, &d, message, sizeof(message)) < 0) {
        printf("skipped: %s\n", message);
        return SKIPPED;
    }
    sanwo_driver_destroy(d);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
