/*
 * flow_linux.c - The ends of a flow that are on Linux's stack: sockets of its namespaces.
 */
#define _GNU_SOURCE
#include "goodput.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_AT_ONCE = 1 << 20, READS = 4 };

/* What epoll tells us again: the flow's number, and whether it is its sender. */
static void watch(const struct flow *flow, int fd, bool sender, uint32_t events)
{
    struct epoll_event event = {.events = events,
                                .data.u32 = 2 + 2 * flow->number + (sender ? 1 : 0)};

    epoll_ctl(flow->world->epoll, EPOLL_CTL_ADD, fd, &event);
}

static struct sockaddr_in address_of(const struct flow *flow)
{
    struct sanwo_address to = sw_world_address(RIGHT, flow->to_linux);
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)(FLOW_PORT + flow->number))};

    memcpy(&in.sin_addr, to.bytes, sizeof in.sin_addr);
    return in;
}

bool sw_linux_listen(struct flow *flow)
{
    struct sockaddr_in here = address_of(flow);
    int fd = sw_kernel_socket(flow->world->kernel, RIGHT), on = 1;

    flow->listener_fd = fd;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&here, sizeof here) < 0 || listen(fd, 8) < 0) {
        sw_flow_fail(flow, "Linux cannot listen", fd < 0 ? -fd : errno);
        return false;
    }
    watch(flow, fd, false, EPOLLIN);
    return true;
}

bool sw_linux_connect(struct flow *flow)
{
    struct sockaddr_in to = address_of(flow);
    int fd = sw_kernel_socket(flow->world->kernel, LEFT);
    const char *name = flow->world->cell->linux_congestion;

    flow->sender_fd = fd;
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) < 0 ||
        (connect(fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)) {
        sw_flow_fail(flow, "Linux cannot connect", fd < 0 ? -fd : errno);
        return false;
    }
    watch(flow, fd, true, EPOLLOUT);
    return true;
}

/* One piece a turn, so that packets do not wait long for us. */
static void push(struct flow *flow)
{
    size_t length = sw_flow_rest(flow, sizeof sw_flow_bytes);
    ssize_t n;

    if (length > 0) {
        n = send(flow->sender_fd, sw_flow_bytes, length, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            sw_flow_fail(flow, "Linux cannot send", errno);
        if (n > 0)
            flow->sent += (uint64_t)n;
    }
    if ((flow->failed || sw_flow_rest(flow, 1) == 0) && !flow->shut) {
        flow->shut = true;
        shutdown(flow->sender_fd, SHUT_WR);
        epoll_ctl(flow->world->epoll, EPOLL_CTL_DEL, flow->sender_fd, NULL);
    }
}

/* The bytes are dropped in the kernel, uncopied. */
static void pull(struct flow *flow)
{
    for (unsigned i = 0; i < READS; i++) {
        ssize_t n = recv(flow->receiver_fd, NULL, READ_AT_ONCE, MSG_TRUNC);

        if (n > 0) {
            sw_flow_got(flow, (uint64_t)n);
            continue;
        }
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            sw_flow_fail(flow, "Linux cannot receive", errno);
        else
            sw_flow_ended(flow);
        epoll_ctl(flow->world->epoll, EPOLL_CTL_DEL, flow->receiver_fd, NULL);
        return;
    }
}

static void accept_flow(struct flow *flow)
{
    int fd = accept4(flow->listener_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return;
    flow->receiver_fd = fd;
    watch(flow, fd, false, EPOLLIN);
    epoll_ctl(flow->world->epoll, EPOLL_CTL_DEL, flow->listener_fd, NULL);
}

void sw_linux_ready(struct flow *flow, bool sender)
{
    if (sender)
        push(flow);
    else if (flow->receiver_fd < 0)
        accept_flow(flow);
    else
        pull(flow);
}

bool sw_linux_info(const struct flow *flow, struct flow_info *out)
{
    struct tcp_info info;
    socklen_t length = sizeof info;

    memset(&info, 0, sizeof info);
    if (flow->sender_fd < 0 ||
        getsockopt(flow->sender_fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
        return false;
    out->cwnd = (uint64_t)info.tcpi_snd_cwnd * info.tcpi_snd_mss;
    out->ssthresh = (uint64_t)info.tcpi_snd_ssthresh * info.tcpi_snd_mss;
    out->in_flight =
        (uint64_t)(info.tcpi_unacked + info.tcpi_retrans - info.tcpi_sacked - info.tcpi_lost) *
        info.tcpi_snd_mss;
    out->srtt = SANWO_USEC(info.tcpi_rtt);
    out->resent = info.tcpi_total_retrans;
    return true;
}

/* With a reset: nothing shall linger when the next run begins. */
static void drop(int fd)
{
    struct linger at_once = {.l_onoff = 1};

    if (fd < 0)
        return;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(fd);
}

void sw_linux_close(struct flow *flow)
{
    drop(flow->sender_fd);
    drop(flow->receiver_fd);
    drop(flow->listener_fd);
    flow->sender_fd = flow->receiver_fd = flow->listener_fd = -1;
}
