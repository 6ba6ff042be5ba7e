/*
 * tun_network.c - Network namespaces by setns(2), device configuration by rtnetlink(7).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tun_network.h"

/* ---- namespaces ----------------------------------------------------------------------------- */

int sw_tun_netns_enter(const char *name)
{
    char path[512];
    int back, there, result = 0;

    snprintf(path, sizeof(path), "%s%s", strchr(name, '/') != NULL ? "" : "/var/run/netns/", name);
    there = open(path, O_RDONLY | O_CLOEXEC);
    if (there < 0)
        return -errno;
    back = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (back < 0 || setns(there, CLONE_NEWNET) < 0)
        result = -errno;
    close(there);
    if (result == 0)
        return back;
    if (back >= 0)
        close(back);
    return result;
}

int sw_tun_netns_leave(int back)
{
    int result = setns(back, CLONE_NEWNET) < 0 ? -errno : 0;

    close(back);
    return result;
}

/* ---- netlink -------------------------------------------------------------------------------- */

/* A request: the header, the fixed part of its type, attributes. */
struct request {
    struct nlmsghdr header;
    union {
        struct ifinfomsg link;
        struct ifaddrmsg address;
        uint8_t room[256];
    } body;
};

int sw_tun_netlink_open(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

    return fd < 0 ? -errno : fd;
}

static void start_request(struct request *r, uint16_t type, uint16_t flags, size_t fixed)
{
    memset(r, 0, sizeof(*r));
    r->header.nlmsg_type = type;
    r->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    r->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(fixed);
}

static void add_attribute(struct request *r, uint16_t type, const void *value, size_t length)
{
    size_t at = NLMSG_ALIGN(r->header.nlmsg_len) - offsetof(struct request, body);
    struct rtattr attribute = {.rta_type = type, .rta_len = (uint16_t)RTA_LENGTH(length)};

    memcpy(r->body.room + at, &attribute, sizeof(attribute));
    memcpy(r->body.room + at + RTA_LENGTH(0), value, length);
    r->header.nlmsg_len =
        (uint32_t)(offsetof(struct request, body) + at + RTA_ALIGN(RTA_LENGTH(length)));
}

/* Sends the request and waits for its acknowledgement, which carries 0 or -errno. */
static int ask(int netlink, const struct request *r)
{
    struct {
        struct nlmsghdr header;
        struct nlmsgerr error;
        uint8_t rest[1024];
    } answer;
    ssize_t got;

    if (send(netlink, r, r->header.nlmsg_len, 0) < 0)
        return -errno;
    do
        got = recv(netlink, &answer, sizeof(answer), 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return -errno;
    if ((size_t)got < sizeof(answer.header) + sizeof(answer.error.error) ||
        answer.header.nlmsg_type != NLMSG_ERROR)
        return -EPROTO;
    return answer.error.error;
}

int sw_tun_netlink_up(int netlink, unsigned index, uint16_t mtu)
{
    struct request r;
    uint32_t value = mtu;

    start_request(&r, RTM_NEWLINK, 0, sizeof(r.body.link));
    r.body.link.ifi_index = (int)index;
    r.body.link.ifi_flags = IFF_UP;
    r.body.link.ifi_change = IFF_UP;
    add_attribute(&r, IFLA_MTU, &value, sizeof(value));
    return ask(netlink, &r);
}

int sw_tun_netlink_address(int netlink, unsigned index, const struct sanwo_address *address,
                           unsigned prefix_length)
{
    bool v6 = address->family == SANWO_FAMILY_IPV6;
    size_t length = v6 ? 16 : 4;
    uint32_t flags = IFA_F_NODAD; /* nobody else is on this link; usable at once */
    struct request r;

    start_request(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof(r.body.address));
    r.body.address.ifa_family = v6 ? AF_INET6 : AF_INET;
    r.body.address.ifa_prefixlen = (uint8_t)prefix_length;
    r.body.address.ifa_index = index;
    add_attribute(&r, IFA_LOCAL, address->bytes, length);
    add_attribute(&r, IFA_ADDRESS, address->bytes, length);
    if (v6)
        add_attribute(&r, IFA_FLAGS, &flags, sizeof(flags));
    return ask(netlink, &r);
}
