/*
 * tun_device.h - Making a TUN or TAP device.
 */
#ifndef DRIVERS_TUN_DEVICE_H
#define DRIVERS_TUN_DEVICE_H

#include <sanwo/driver.h>

struct tun_device {
    int fd;           /* reads and writes packets, without blocking */
    bool header;      /* each behind a virtio-net header */
    uint32_t offload; /* SANWO_OFFLOAD_... */
    uint16_t mtu;
    char name[16];
};

/**
 * Makes the device of @config and configures the kernel's end. 0, or -errno and one line in @message
 * that says what to do next.
 */
int sw_tun_device_open(const struct sanwo_tun_config *config, bool ethernet, struct tun_device *out,
                       char *message, size_t message_size);

#endif
