/*
 * kernel.c - Linux's ends: a network namespace for each side, with a TUN device and no name.
 *
 *     left namespace   10.66.1.1/16 -- TUN ---> this process <--- TUN -- 10.66.2.1/16   right namespace
 *
 * Devices work without offload, so that packets are what they are on a wire. Their queues are long: what
 * the path loses the emulator shall lose, and nobody else. Linux keeps no memory of earlier
 * connections (tcp_no_metrics_save): each starts cold, as ours do. Buffers are as the system sets them.
 */
#define _GNU_SOURCE
#include "goodput.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../common.h"

enum { QUEUE_LENGTH = 20000, PREFIX = 16 };

static void write_setting(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    if (write(fd, value, strlen(value)) < 0)
        sw_complain("bench goodput", 0, "cannot write %s: %s", path, strerror(errno));
    close(fd);
}

static void lengthen_queue(const char *name)
{
    struct ifreq request = {.ifr_qlen = QUEUE_LENGTH};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    memcpy(request.ifr_name, name, sizeof request.ifr_name);
    if (fd < 0 || ioctl(fd, SIOCSIFTXQLEN, &request) < 0)
        sw_complain("bench goodput", 0, "cannot lengthen the queue of %s: %s", name,
                    strerror(errno));
    if (fd >= 0)
        close(fd);
}

/* In the namespace just made. */
static int make_device(struct kernel *k, enum side side)
{
    struct sanwo_tun_config config = {.name = side == LEFT ? "left" : "right",
                                      .address = sw_world_address(side, true),
                                      .prefix_length = PREFIX,
                                      .no_offload = true};
    char message[256];
    int result;

    write_setting("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
    write_setting("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
    write_setting("/proc/sys/net/ipv4/tcp_no_metrics_save", "1");
    result = sanwo_tun_create(&config, &k->tuns[side], message, sizeof message);
    if (result < 0) {
        sw_complain("bench goodput", 0, "%s", message);
        return result;
    }
    memcpy(k->names[side], k->tuns[side]->link.name, sizeof k->names[side]);
    k->fds[side] = k->tuns[side]->ops->descriptor(k->tuns[side]);
    lengthen_queue(k->names[side]);
    return 0;
}

/* -errno, which is told. */
static int cannot(const char *what)
{
    int error = errno;

    sw_complain("bench goodput", 0, "cannot %s (%s): run it as root", what, strerror(error));
    return -error;
}

static int open_namespace(void)
{
    return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

static int make_side(struct kernel *k, enum side side)
{
    int result;

    if (unshare(CLONE_NEWNET) < 0)
        return cannot("make a network namespace");
    k->netns[side] = open_namespace();
    result = k->netns[side] < 0 ? cannot("open the namespace just made") : make_device(k, side);
    if (setns(k->home, CLONE_NEWNET) < 0 && result == 0)
        result = cannot("come back from a namespace");
    return result;
}

int sw_kernel_open(struct kernel *k, bool left, bool right)
{
    struct sched_param priority = {.sched_priority = 10};
    int result = 0;

    /* A line does not wait for a processor. Where that is refused the lateness will tell. */
    sched_setscheduler(0, SCHED_FIFO, &priority);

    *k = (struct kernel){.home = -1, .netns = {-1, -1}, .fds = {-1, -1}};
    k->home = open_namespace();
    if (k->home < 0)
        return cannot("open the namespace to come back to");
    if (left)
        result = make_side(k, LEFT);
    if (right && result == 0)
        result = make_side(k, RIGHT);
    return result;
}

void sw_kernel_close(struct kernel *k)
{
    for (unsigned i = 0; i < 2; i++) {
        sanwo_driver_destroy(k->tuns[i]);
        if (k->netns[i] >= 0)
            close(k->netns[i]);
    }
    if (k->home >= 0)
        close(k->home);
}

int sw_kernel_socket(const struct kernel *k, enum side side)
{
    int fd, error;

    if (setns(k->netns[side], CLONE_NEWNET) < 0)
        return -errno;
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    error = errno;
    if (setns(k->home, CLONE_NEWNET) < 0)
        return -errno;
    return fd < 0 ? -error : fd;
}

/* The twelfth number of the device's line in /proc/net/dev: transmission's drops. */
static uint64_t read_drops(const char *name)
{
    FILE *file = fopen("/proc/net/dev", "r");
    char line[512], found[32];
    unsigned long long dropped = 0, value;

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, " %31[^:]: %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %*u %llu", found,
                   &value) == 2 &&
            !strcmp(found, name))
            dropped = value;
    }
    if (file != NULL)
        fclose(file);
    return dropped;
}

uint64_t sw_kernel_dropped(const struct kernel *k, enum side side)
{
    uint64_t dropped;

    if (k->fds[side] < 0 || setns(k->netns[side], CLONE_NEWNET) < 0)
        return 0;
    dropped = read_drops(k->names[side]);
    return setns(k->home, CLONE_NEWNET) < 0 ? UINT64_MAX : dropped;
}
