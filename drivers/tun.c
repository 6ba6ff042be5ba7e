/*
 * tun.c - A TUN (or TAP) device as wire: bare IP packets to and from the kernel.
 *
 *     read:   [virtio-net header][small buffer][large buffer]      write: [virtio-net header][slices]
 *
 * One scatter read takes a packet of any size: one of an ordinary size ends within the small buffer,
 * and the large one is there again for the next; a super-segment of the kernel's fills both. Both are
 * borrowed from the stack, so the payload stays where it landed. When the stack has none to lend,
 * packets come one by one in memory of our own (`spill`): acknowledgements must get through, for they
 * are what frees memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <sanwo/driver.h>

#include "tun.h"
#include "tun_device.h"
#include "tun_frame.h"

enum {
    SMALL_SIZE = 1984,  /* what a 2 KiB block of the region has room for: the usual MTU and more */
    LARGE_SIZE = 65472, /* likewise, of 64 KiB */
    SMALL_ROOMS = 16,
    LINK_HEADER = 18, /* Ethernet with a VLAN tag */
    SPILL_SIZE = 65536 + LINK_HEADER,
};

struct tun {
    struct sanwo_driver driver;
    int fd;
    bool header;
    uint32_t small_size;
    struct sanwo_room small[SMALL_ROOMS]; /* borrowed, not used yet */
    size_t small_count;
    struct sanwo_room large; /* likewise; bytes NULL: none */
    uint8_t *spill;
    uint8_t *flat; /* for frames that the device cannot complete */
    struct sanwo_tun_stats stats;
};

static struct tun *tun_of(const struct sanwo_driver *d)
{
    return (struct tun *)(uintptr_t)d;
}

/* ---- receiving ------------------------------------------------------------------------------ */

static void borrow_rooms(struct tun *t, size_t wanted)
{
    struct sanwo_stack *stack = t->driver.stack;

    if (stack == NULL)
        return;
    if (t->small_count == 0)
        t->small_count = sanwo_stack_borrow(stack, t->small_size, t->small,
                                            wanted < SMALL_ROOMS ? wanted : SMALL_ROOMS);
    if (t->large.bytes == NULL && t->header &&
        sanwo_stack_borrow(stack, LARGE_SIZE, &t->large, 1) == 0)
        t->large.bytes = NULL;
}

/* Where one packet is read to. */
struct target {
    struct virtio_net_hdr header;
    struct sanwo_room places[2];
    struct iovec vectors[3];
    int count;
    bool spills; /* the last place is the spill */
};

static void aim(struct tun *t, struct target *target)
{
    struct sanwo_room *place = target->places;
    struct iovec *v = target->vectors;

    if (t->header)
        *v++ = (struct iovec){&target->header, sizeof(target->header)};
    if (t->small_count > 0)
        *place++ = t->small[t->small_count - 1];
    target->spills = t->large.bytes == NULL;
    if (target->spills)
        *place++ = (struct sanwo_room){.bytes = t->spill, .length = SPILL_SIZE};
    else
        *place++ = t->large;
    for (const struct sanwo_room *p = target->places; p < place; p++)
        *v++ = (struct iovec){p->bytes, p->length};
    target->count = (int)(v - target->vectors);
}

/* Marks the rooms that the frame took as gone. Returns true if it lies in the spill. */
static bool use_rooms(struct tun *t, const struct target *target, const struct sanwo_frame *f)
{
    bool took_last = f->slice_count == 2 || t->small_count == 0;

    if (t->small_count > 0)
        t->small_count--;
    if (took_last && target->spills) {
        t->stats.short_of_memory++;
        return true;
    }
    if (took_last)
        t->large.bytes = NULL;
    return false;
}

static void fill_frame(const struct tun *t, const struct target *target, size_t length,
                       sanwo_time now, struct sanwo_frame *f)
{
    memset(f, 0, offsetof(struct sanwo_frame, slices));
    f->arrival = now;
    f->link = (uint16_t)t->driver.number;
    f->length = (uint32_t)length;
    for (size_t i = 0; i < 2 && length > 0; i++) {
        const struct sanwo_room *place = &target->places[i];
        size_t part = length < place->length ? length : place->length;

        f->slices[f->slice_count++] =
            (struct sanwo_slice){place->bytes, (uint32_t)part, place->buffer};
        length -= part;
    }
}

/* Errors after which no packet will ever come: the device was deleted. */
static bool is_final(int error)
{
    return error == EBADFD || error == EBADF || error == ENODEV;
}

static ssize_t read_packet(int fd, const struct target *target)
{
    ssize_t got;

    do
        got = readv(fd, target->vectors, target->count);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

static int tun_receive(struct sanwo_driver *d, struct sanwo_frame *frames, size_t max,
                       sanwo_time now)
{
    struct tun *t = tun_of(d);
    size_t header = t->header ? sizeof(struct virtio_net_hdr) : 0;
    struct target target;
    size_t n = 0;
    bool spilled = false;

    while (n < max && !spilled) {
        ssize_t got;

        borrow_rooms(t, max - n);
        aim(t, &target);
        got = read_packet(t->fd, &target);
        if (got < 0) {
            if (n == 0 && is_final((int)-got))
                return (int)got;
            break;
        }
        if ((size_t)got <= header)
            continue;
        fill_frame(t, &target, (size_t)got - header, now, &frames[n]);
        if (t->header && !sw_tun_frame_from_header(&frames[n], &target.header))
            continue;
        spilled = use_rooms(t, &target, &frames[n]);
        n++;
    }
    t->stats.frames_in += n;
    return (int)n;
}

/* ---- sending -------------------------------------------------------------------------------- */

/* For a device without the header: all of the packet in one place, its checksum completed. */
static int flatten(struct tun *t, const struct sanwo_frame *f, struct iovec *vector)
{
    if (f->segmentation != SANWO_SEGMENT_NONE || f->length > SPILL_SIZE)
        return -EMSGSIZE;
    if (t->flat == NULL)
        t->flat = malloc(SPILL_SIZE);
    if (t->flat == NULL)
        return -ENOMEM;
    sanwo_frame_copy(f, t->flat);
    sanwo_frame_complete(f, t->flat);
    *vector = (struct iovec){t->flat, f->length};
    return 1;
}

/* 0 or -errno. */
static int write_packet(struct tun *t, const struct sanwo_frame *f)
{
    struct virtio_net_hdr header;
    struct iovec vectors[SANWO_FRAME_SLICES + 1];
    int count = 0;
    ssize_t put;

    if (!t->header && (f->checksum == SANWO_CHECKSUM_PARTIAL || f->segmentation != 0)) {
        count = flatten(t, f, vectors);
        if (count < 0)
            return count;
    } else {
        if (t->header) {
            sw_tun_frame_to_header(f, &header);
            vectors[count++] = (struct iovec){&header, sizeof(header)};
        }
        for (size_t i = 0; i < f->slice_count; i++) {
            uintptr_t bytes = (uintptr_t)f->slices[i].bytes; /* iovec has no const */

            vectors[count++] = (struct iovec){(void *)bytes, f->slices[i].length};
        }
    }
    do
        put = writev(t->fd, vectors, count);
    while (put < 0 && errno == EINTR);
    return put < 0 ? -errno : 0;
}

static int tun_transmit(struct sanwo_driver *d, const struct sanwo_frame *frames, size_t n,
                        sanwo_time now)
{
    struct tun *t = tun_of(d);
    size_t i;

    (void)now;
    d->blocked = false;
    for (i = 0; i < n; i++) {
        int result = write_packet(t, &frames[i]);

        if (result == -EAGAIN) {
            d->blocked = true;
            break;
        }
        if (i == 0 && is_final(-result))
            return result;
        /* A device that is down says EIO, a bad frame EINVAL: the wire loses packets, TCP expects it. */
        if (result < 0)
            t->stats.lost++;
        else
            t->stats.frames_out++;
    }
    sanwo_driver_sent(d, frames, i);
    return (int)i;
}

/* ---- the rest ------------------------------------------------------------------------------- */

static int tun_descriptor(const struct sanwo_driver *d)
{
    return tun_of(d)->fd;
}

static sanwo_time tun_deadline(const struct sanwo_driver *d)
{
    (void)d;
    return SANWO_TIME_NEVER;
}

static void tun_destroy(struct sanwo_driver *d)
{
    struct tun *t = tun_of(d);

    while (t->small_count > 0)
        sanwo_stack_return(d->stack, t->small[--t->small_count].buffer);
    if (t->large.bytes != NULL)
        sanwo_stack_return(d->stack, t->large.buffer);
    close(t->fd);
    free(t->spill);
    free(t->flat);
    free(t);
}

static const struct sanwo_driver_ops tun_ops = {
    .name = "tun",
    .receive = tun_receive,
    .transmit = tun_transmit,
    .descriptor = tun_descriptor,
    .deadline = tun_deadline,
    .destroy = tun_destroy,
};

static const struct sanwo_driver_ops tap_ops = {
    .name = "tap",
    .receive = tun_receive,
    .transmit = tun_transmit,
    .descriptor = tun_descriptor,
    .deadline = tun_deadline,
    .destroy = tun_destroy,
};

static void init_link(struct sanwo_link_config *link, const struct tun_device *device,
                      const uint8_t *mac)
{
    memcpy(link->name, device->name, sizeof(link->name));
    link->kind = mac != NULL ? SANWO_LINK_ETHERNET : SANWO_LINK_IP;
    if (mac != NULL)
        memcpy(link->mac, mac, sizeof(link->mac));
    link->mtu = device->mtu;
    link->offload = device->offload;
}

int sw_tun_create(const struct sanwo_tun_config *config, const uint8_t *mac,
                  struct sanwo_driver **out, char *message, size_t message_size)
{
    struct tun_device device;
    struct tun *t = calloc(1, sizeof(*t));
    int result;

    if (t != NULL)
        t->spill = malloc(SPILL_SIZE);
    if (t == NULL || t->spill == NULL) {
        free(t);
        snprintf(message, message_size, "out of memory");
        return -ENOMEM;
    }
    result = sw_tun_device_open(config, mac != NULL, &device, message, message_size);
    if (result < 0) {
        free(t->spill);
        free(t);
        return result;
    }
    t->fd = device.fd;
    t->header = device.header;
    t->small_size = SMALL_SIZE;
    if (!device.header && device.mtu + LINK_HEADER > SMALL_SIZE)
        t->small_size = device.mtu + LINK_HEADER;
    t->driver.ops = mac != NULL ? &tap_ops : &tun_ops;
    init_link(&t->driver.link, &device, mac);
    *out = &t->driver;
    return 0;
}

int sanwo_tun_create(const struct sanwo_tun_config *config, struct sanwo_driver **out,
                     char *message, size_t message_size)
{
    return sw_tun_create(config, NULL, out, message, message_size);
}

void sanwo_tun_stats(const struct sanwo_driver *tun, struct sanwo_tun_stats *out)
{
    *out = tun_of(tun)->stats;
}
