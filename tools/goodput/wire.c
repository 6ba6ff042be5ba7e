/*
 * wire.c - Carries frames between the senders, the emulator and the receivers.
 *
 *     left stack, left device -> frames -> meter -> path.transmit      path -> hub -> right stack, device
 *     left stack, left device <- by address <- path.receive            path <- hub <- right stack, device
 *
 * The hub is the driver that the emulator wraps. At each side the destination's third byte tells
 * whether a frame is for our stack or for Linux.
 */
#define _GNU_SOURCE
#include "goodput.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 64, ROOM = 2048, MTU = 1500, BATCHES = 8 };

struct hub {
    struct sanwo_driver driver;
    struct world *world;
    struct sanwo_frame out[BATCH]; /* of the right stack, to be given back */
    size_t out_count;
    uint8_t rooms[BATCH][ROOM]; /* of the device */
};

static struct hub *hub_of(const struct sanwo_driver *d)
{
    return (struct hub *)(uintptr_t)d;
}

/* ---- a side's device ------------------------------------------------------------------------------ */

static size_t read_device(struct world *w, enum side side, uint8_t (*rooms)[ROOM],
                          struct sanwo_frame *frames, size_t max)
{
    int fd = w->kernel != NULL ? w->kernel->fds[side] : -1;
    size_t n = 0;

    if (fd < 0 || !w->readable[side])
        return 0;
    while (n < max) {
        ssize_t got = read(fd, rooms[n], ROOM);

        if (got <= 0) {
            w->readable[side] = false;
            break;
        }
        memset(&frames[n], 0, offsetof(struct sanwo_frame, slices));
        frames[n].length = (uint32_t)got;
        frames[n].slice_count = 1;
        frames[n].slices[0] = (struct sanwo_slice){rooms[n], (uint32_t)got, 0};
        n++;
    }
    return n;
}

/* All that the emulator gives is flat and complete. What the kernel refuses is lost, as on any wire. */
static void write_device(struct world *w, enum side side, const struct sanwo_frame *frame)
{
    int fd = w->kernel != NULL ? w->kernel->fds[side] : -1;
    ssize_t put;

    if (fd < 0)
        return;
    do
        put = write(fd, frame->slices[0].bytes, frame->length);
    while (put < 0 && errno == EINTR);
}

/* Hands frames to whom they are addressed at @side. */
static void deliver(struct world *w, enum side side, struct sanwo_frame *frames, size_t n)
{
    uint8_t linux_byte = sw_world_address(side, true).bytes[2];

    for (size_t i = 0; i < n; i++) {
        const uint8_t *ip = frames[i].slices[0].bytes;

        if (frames[i].length < 20 || ip[0] >> 4 != 4)
            continue;
        frames[i].link = 0;
        frames[i].checksum = SANWO_CHECKSUM_VALID; /* this path damages nothing */
        if (ip[18] == linux_byte)
            write_device(w, side, &frames[i]);
        else if (w->ends[side].stack != NULL)
            sanwo_stack_receive(w->ends[side].stack, &frames[i], 1, w->now);
    }
}

/* ---- the hub --------------------------------------------------------------------------------------- */

static void give_back(struct hub *hub)
{
    if (hub->out_count > 0)
        sanwo_stack_sent(hub->world->ends[RIGHT].stack, hub->out, hub->out_count);
    hub->out_count = 0;
}

static int hub_receive(struct sanwo_driver *d, struct sanwo_frame *frames, size_t max,
                       sanwo_time now)
{
    struct hub *hub = hub_of(d);
    struct sanwo_stack *stack = hub->world->ends[RIGHT].stack;
    size_t n = 0;

    give_back(hub);
    if (max > BATCH)
        max = BATCH;
    if (stack != NULL) {
        n = sanwo_stack_transmit(stack, hub->out, max, now);
        memcpy(frames, hub->out, n * sizeof *frames);
        hub->out_count = n;
    }
    return (int)(n + read_device(hub->world, RIGHT, hub->rooms, frames + n, max - n));
}

static int hub_transmit(struct sanwo_driver *d, const struct sanwo_frame *frames, size_t n,
                        sanwo_time now)
{
    struct hub *hub = hub_of(d);

    (void)now;
    for (size_t i = 0; i < n; i++) {
        struct sanwo_frame frame = frames[i];

        sw_meter_leave(&hub->world->meter, &frame);
        deliver(hub->world, RIGHT, &frame, 1);
    }
    sanwo_driver_sent(d, frames, n);
    return (int)n;
}

static int hub_descriptor(const struct sanwo_driver *d)
{
    (void)d;
    return -1;
}

static sanwo_time hub_deadline(const struct sanwo_driver *d)
{
    (void)d;
    return SANWO_TIME_NEVER;
}

static void hub_destroy(struct sanwo_driver *d)
{
    give_back(hub_of(d));
    free(d);
}

struct sanwo_driver *sw_wire_hub(struct world *world)
{
    static const struct sanwo_driver_ops ops = {.name = "hub",
                                                .receive = hub_receive,
                                                .transmit = hub_transmit,
                                                .descriptor = hub_descriptor,
                                                .deadline = hub_deadline,
                                                .destroy = hub_destroy};
    struct hub *hub = calloc(1, sizeof *hub);

    if (hub == NULL)
        return NULL;
    hub->driver.ops = &ops;
    hub->driver.link = (struct sanwo_link_config){.kind = SANWO_LINK_IP, .mtu = MTU};
    hub->world = world;
    return &hub->driver;
}

/* ---- the left end ------------------------------------------------------------------------------------ */

static int enter(struct world *w, const struct sanwo_frame *frames, size_t n)
{
    if (n == 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        sw_meter_enter(&w->meter, &frames[i]);
    return w->path->ops->transmit(w->path, frames, n, w->now);
}

static int from_stack(struct world *w)
{
    struct sanwo_stack *stack = w->ends[LEFT].stack;
    struct sanwo_frame frames[BATCH];
    size_t n;
    int moved = 0;

    for (unsigned i = 0; stack != NULL && i < BATCHES; i++) {
        int result;

        n = sanwo_stack_transmit(stack, frames, BATCH, w->now);
        result = enter(w, frames, n);
        sanwo_stack_sent(stack, frames, n);
        if (result < 0)
            return result;
        moved += result;
        if (n == 0)
            break;
    }
    return moved;
}

static int from_device(struct world *w)
{
    static uint8_t rooms[BATCH][ROOM]; /* free again after the call: the emulator copies */
    struct sanwo_frame frames[BATCH];

    return enter(w, frames, read_device(w, LEFT, rooms, frames, BATCH));
}

static int to_left(struct world *w)
{
    struct sanwo_frame frames[BATCH];
    int n = w->path->ops->receive(w->path, frames, BATCH, w->now);

    if (n > 0)
        deliver(w, LEFT, frames, (size_t)n);
    return n;
}

int sw_wire_turn(struct world *w)
{
    int a = from_stack(w), b, c;

    if (a < 0)
        return a;
    b = from_device(w);
    if (b < 0)
        return b;
    c = to_left(w);
    return c < 0 ? c : a + b + c;
}
