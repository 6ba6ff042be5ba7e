/*
 * tun_network.h - Setting up a network device: namespace, MTU, addresses.
 */
#ifndef DRIVERS_TUN_NETWORK_H
#define DRIVERS_TUN_NETWORK_H

#include <sanwo/address.h>

/** Enters the network namespace @name. Returns a descriptor to leave it with, or -errno. */
int sw_tun_netns_enter(const char *name);
/** Back to where we were; closes @back. 0 or -errno. */
int sw_tun_netns_leave(int back);

/** A socket for the calls below, of the namespace we are in; or -errno. */
int sw_tun_netlink_open(void);
/** Sets the device's MTU and brings it up. 0 or -errno. */
int sw_tun_netlink_up(int netlink, unsigned index, uint16_t mtu);
/** Gives the device an address. 0 or -errno. */
int sw_tun_netlink_address(int netlink, unsigned index, const struct sanwo_address *address,
                           unsigned prefix_length);

#endif
