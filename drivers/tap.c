/*
 * tap.c - A TAP device as wire: Ethernet frames. All but the MAC address is as with TUN.
 */
#include <stdio.h>
#include <string.h>

#include <sanwo/driver.h>

#include "tun.h"

int sanwo_tap_create(const struct sanwo_tun_config *config, struct sanwo_driver **out,
                     char *message, size_t message_size)
{
    static const uint8_t none[6];
    uint8_t seed[32], mac[6];
    int result;

    memcpy(mac, config->mac, sizeof(mac));
    if (memcmp(mac, none, sizeof(mac)) == 0) {
        result = sanwo_seed_from_system(seed);
        if (result < 0) {
            snprintf(message, message_size, "cannot get entropy: %s", strerror(-result));
            return result;
        }
        memcpy(mac, seed, sizeof(mac));
        mac[0] = (uint8_t)((mac[0] & ~1u) | 2u); /* unicast, locally administered */
    }
    return sw_tun_create(config, mac, out, message, message_size);
}
