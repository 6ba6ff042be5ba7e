/*
 * tun_frame.h - The virtio-net header in front of a packet, and the offload fields of a frame.
 */
#ifndef DRIVERS_TUN_FRAME_H
#define DRIVERS_TUN_FRAME_H

#include <linux/virtio_net.h>

#include <sanwo/frame.h>

/** The header for a frame that is sent. */
void sw_tun_frame_to_header(const struct sanwo_frame *frame, struct virtio_net_hdr *header);

/**
 * Sets the offload fields of a received frame, whose slices and length are set already. False: the
 * header contradicts the packet or asks for what was not agreed on; then drop it.
 */
bool sw_tun_frame_from_header(struct sanwo_frame *frame, const struct virtio_net_hdr *header);

#endif
