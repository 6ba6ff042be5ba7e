/*
 * tun.h - What TUN and TAP share: moving packets through the device's descriptor.
 */
#ifndef DRIVERS_TUN_H
#define DRIVERS_TUN_H

#include <sanwo/driver.h>

/**
 * A driver for the device of @config. @mac: a TAP device's stack has this address; NULL: a TUN device.
 * 0, or -errno and a line in @message.
 */
int sw_tun_create(const struct sanwo_tun_config *config, const uint8_t *mac,
                  struct sanwo_driver **out, char *message, size_t message_size);

#endif
