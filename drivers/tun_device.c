/*
 * tun_device.c - Making a TUN or TAP device: namespace, name, offload, addresses; and saying in one
 * line what to do where that fails.
 *
 * The device vanishes with its descriptor, unless it was made persistent before by others. Offload is
 * tried in full, then less of it, since kernels differ; without any the device is opened anew, plain.
 */
#define CARRIER_TRIES 150
#define CARRIER_PAUSE 10000000 /* ns */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tun_device.h"
#include "tun_network.h"

enum { DEFAULT_MTU = 1500, MIN_MTU = 68, MIN_MTU_IPV6 = 1280 };

#define DEFAULT_NAME "sanwo%d"

struct making {
    const struct sanwo_tun_config *config;
    bool ethernet;
    struct tun_device *device;
    char *message;
    size_t message_size;
};

__attribute__((format(printf, 3, 4))) static int fail(const struct making *m, int error,
                                                      const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(m->message, m->message_size, format, arguments);
    va_end(arguments);
    return -error;
}

/* ---- arguments ------------------------------------------------------------------------------ */

static int check_address(const struct making *m, const struct sanwo_address *address,
                         unsigned prefix_length)
{
    unsigned longest = address->family == SANWO_FAMILY_IPV6 ? 128 : 32;

    if (address->family == SANWO_FAMILY_NONE)
        return 0;
    if (prefix_length == 0 || prefix_length > longest)
        return fail(m, EINVAL, "the prefix length of the kernel's address must be 1 to %u",
                    longest);
    if (address->family == SANWO_FAMILY_IPV6 && m->device->mtu < MIN_MTU_IPV6)
        return fail(m, EINVAL, "IPv6 needs an MTU of at least %d", MIN_MTU_IPV6);
    return 0;
}

static int check(const struct making *m)
{
    const struct sanwo_tun_config *c = m->config;
    int result;

    if (c->name != NULL && strlen(c->name) >= IFNAMSIZ)
        return fail(m, EINVAL, "\"%s\" is too long for a device: at most %d characters", c->name,
                    IFNAMSIZ - 1);
    m->device->mtu = c->mtu != 0 ? c->mtu : DEFAULT_MTU;
    if (m->device->mtu < MIN_MTU)
        return fail(m, EINVAL, "the MTU must be at least %d", MIN_MTU);
    result = check_address(m, &c->address, c->prefix_length);
    return result == 0 ? check_address(m, &c->address2, c->prefix_length2) : result;
}

/* ---- the device ----------------------------------------------------------------------------- */

static int open_clone_device(const struct making *m)
{
    int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

    if (fd >= 0)
        return fd;
    switch (errno) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return fail(m, errno,
                    "there is no /dev/net/tun: load the module with `modprobe tun` "
                    "(containers: run with --device /dev/net/tun)");
    case EACCES:
    case EPERM:
        return fail(m, errno, "may not open /dev/net/tun: run with sudo, or inside `unshare -rn`");
    default:
        return fail(m, errno, "cannot open /dev/net/tun: %s", strerror(errno));
    }
}

static int explain_attach(const struct making *m, int error, const char *name)
{
    switch (error) {
    case EPERM:
        return fail(m, error,
                    "making device %s needs CAP_NET_ADMIN: run with sudo, or inside "
                    "`unshare -rn`",
                    name);
    case EBUSY:
        return fail(m, error, "device %s is in use: name another with --tun", name);
    case EINVAL:
        return fail(m, error,
                    "device %s exists and is of another kind, or the name is not allowed: "
                    "name another with --tun",
                    name);
    default:
        return fail(m, error, "cannot make device %s: %s", name, strerror(error));
    }
}

/* Makes the device, or joins it where it exists, and learns its name. */
static int attach(const struct making *m, int fd, bool header)
{
    const char *name = m->config->name;
    int kind = (m->ethernet ? IFF_TAP : IFF_TUN) | IFF_NO_PI | (header ? IFF_VNET_HDR : 0);
    struct ifreq request = {.ifr_flags = (short)kind};

    if (name == NULL || name[0] == '\0')
        name = m->device->name[0] != '\0' ? m->device->name : DEFAULT_NAME;
    memcpy(request.ifr_name, name, strlen(name)); /* check() saw to it that this fits */
    if (ioctl(fd, TUNSETIFF, &request) < 0)
        return explain_attach(m, errno, name);
    memcpy(m->device->name, request.ifr_name, IFNAMSIZ);
    return 0;
}

/*
 * Agrees on what the kernel may leave to us; what we leave to the kernel needs no agreement but the
 * header. False: this kernel has not even checksums.
 */
static bool agree_on_offload(int fd)
{
    static const unsigned long sets[] = {
        TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6,
        TUN_F_CSUM | TUN_F_TSO4,
        TUN_F_CSUM,
    };
    int size = sizeof(struct virtio_net_hdr);

    if (ioctl(fd, TUNSETVNETHDRSZ, &size) < 0)
        return false;
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
        if (ioctl(fd, TUNSETOFFLOAD, sets[i]) == 0)
            return true;
    return false;
}

static int make_device(const struct making *m)
{
    bool header = !m->config->no_offload;
    int fd, result;

    for (;;) {
        fd = open_clone_device(m);
        if (fd < 0)
            return fd;
        result = attach(m, fd, header);
        if (result == 0 && (!header || agree_on_offload(fd)))
            break;
        close(fd);
        if (!header || result == -EPERM || result == -EBUSY)
            return result;
        header = false;
    }
    m->device->fd = fd;
    m->device->header = header;
    m->device->offload = 0;
    if (header)
        m->device->offload = SANWO_OFFLOAD_CHECKSUM | SANWO_OFFLOAD_TSO4 | SANWO_OFFLOAD_TSO6;
    return 0;
}

/* ---- the kernel's end ----------------------------------------------------------------------- */

static int add_address(const struct making *m, int netlink, unsigned index,
                       const struct sanwo_address *address, unsigned prefix_length)
{
    char text[SANWO_ADDRESS_TEXT];
    int result;

    if (address->family == SANWO_FAMILY_NONE)
        return 0;
    result = sw_tun_netlink_address(netlink, index, address, prefix_length);
    if (result == 0)
        return 0;
    sanwo_address_format(address, text, sizeof(text));
    if (address->family == SANWO_FAMILY_IPV6 && (result == -EACCES || result == -EOPNOTSUPP))
        return fail(m, -result,
                    "IPv6 is disabled on %s: allow it with `sysctl -w "
                    "net.ipv6.conf.all.disable_ipv6=0`",
                    m->device->name);
    return fail(m, -result, "cannot give %s the address %s/%u: %s", m->device->name, text,
                prefix_length, strerror(-result));
}

static int ask_device(int request_code, const char *name, struct ifreq *request)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result;

    if (fd < 0)
        return -errno;
    memset(request, 0, sizeof(*request));
    memcpy(request->ifr_name, name, IFNAMSIZ);
    result = ioctl(fd, (unsigned long)request_code, request) < 0 ? -errno : 0;
    close(fd);
    return result;
}

/*
 * Linux's IPv6 drops what is sent on a device until it was told, some time later, that the device
 * has a carrier: our first SYN would be lost. So wait for that, but not for long.
 */
static void wait_until_running(const char *name)
{
    struct ifreq request;

    for (int i = 0; i < CARRIER_TRIES; i++) {
        if (ask_device(SIOCGIFFLAGS, name, &request) < 0 || (request.ifr_flags & IFF_RUNNING))
            return;
        nanosleep(&(struct timespec){.tv_nsec = CARRIER_PAUSE}, NULL);
    }
}

static int configure_with(const struct making *m, int netlink, unsigned index)
{
    const struct sanwo_tun_config *c = m->config;
    int result = sw_tun_netlink_up(netlink, index, m->device->mtu);

    if (result == -EPERM)
        return fail(m, EPERM,
                    "configuring device %s needs CAP_NET_ADMIN: run with sudo, or inside "
                    "`unshare -rn`",
                    m->device->name);
    if (result < 0)
        return fail(m, -result, "cannot set up device %s with MTU %u: %s", m->device->name,
                    m->device->mtu, strerror(-result));
    result = add_address(m, netlink, index, &c->address, c->prefix_length);
    return result == 0 ? add_address(m, netlink, index, &c->address2, c->prefix_length2) : result;
}

static int configure(const struct making *m)
{
    bool by_others = m->config->address.family == SANWO_FAMILY_NONE &&
                     m->config->address2.family == SANWO_FAMILY_NONE;
    struct ifreq request;
    int netlink, result;

    if (by_others) {
        if (m->config->mtu == 0 && ask_device(SIOCGIFMTU, m->device->name, &request) == 0 &&
            request.ifr_mtu >= MIN_MTU)
            m->device->mtu =
                (uint16_t)(request.ifr_mtu < UINT16_MAX ? request.ifr_mtu : UINT16_MAX);
        return 0;
    }
    result = ask_device(SIOCGIFINDEX, m->device->name, &request);
    if (result < 0)
        return fail(m, -result, "cannot find device %s: %s", m->device->name, strerror(-result));
    netlink = sw_tun_netlink_open();
    if (netlink < 0)
        return fail(m, -netlink, "cannot open a netlink socket: %s", strerror(-netlink));
    result = configure_with(m, netlink, (unsigned)request.ifr_ifindex);
    close(netlink);
    if (result == 0 && (m->config->address.family == SANWO_FAMILY_IPV6 ||
                        m->config->address2.family == SANWO_FAMILY_IPV6))
        wait_until_running(m->device->name);
    return result;
}

/* ---- all together --------------------------------------------------------------------------- */

static int make_and_configure(const struct making *m)
{
    int result = make_device(m);

    if (result < 0)
        return result;
    result = configure(m);
    if (result < 0)
        close(m->device->fd);
    return result;
}

static int explain_netns(const struct making *m, int error)
{
    const char *name = m->config->netns;

    switch (error) {
    case ENOENT:
        return fail(m, error, "there is no network namespace %s: make it with `ip netns add %s`",
                    name, name);
    case EPERM:
    case EACCES:
        return fail(m, error, "entering network namespace %s needs CAP_SYS_ADMIN: run with sudo",
                    name);
    default:
        return fail(m, error, "cannot enter network namespace %s: %s", name, strerror(error));
    }
}

int sw_tun_device_open(const struct sanwo_tun_config *config, bool ethernet, struct tun_device *out,
                       char *message, size_t message_size)
{
    struct making m = {config, ethernet, out, message, message_size};
    bool elsewhere = config->netns != NULL && config->netns[0] != '\0';
    int back = -1, result;

    memset(out, 0, sizeof(*out));
    result = check(&m);
    if (result < 0)
        return result;
    if (elsewhere) {
        back = sw_tun_netns_enter(config->netns);
        if (back < 0)
            return explain_netns(&m, -back);
    }
    result = make_and_configure(&m);
    if (elsewhere) {
        int left = sw_tun_netns_leave(back);

        if (left < 0 && result == 0) {
            close(out->fd);
            result = fail(&m, -left, "cannot return from network namespace %s: %s", config->netns,
                          strerror(-left));
        }
    }
    return result;
}
