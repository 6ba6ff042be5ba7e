/*
 * pair.c - Two drivers in memory, each the other's wire.
 *
 *     a.transmit -> [ lane a to b ] -> b.receive          slots of a lane:
 *     a.receive  <- [ lane b to a ] <- b.transmit           first        + held       + used
 *                                                           | handed out | waiting    | free ...
 *
 * Frames travel by reference: the receiver reads the sender's memory. So a frame is given back to its
 * sender only when the receiver asks for the next ones, having copied what it keeps by then.
 */
#include <stdlib.h>
#include <string.h>

#include <sanwo/driver.h>

enum { DEFAULT_QUEUE = 1024, MIN_MTU = 68 };

struct lane {
    struct sanwo_frame *slots;
    size_t size;
    size_t first; /* the oldest frame's slot */
    size_t held;  /* so many of the oldest are handed out */
    size_t used;  /* all frames in the lane, held ones too */
};

struct end {
    struct sanwo_driver driver;
    struct end *peer; /* NULL once it is destroyed */
    struct lane out;  /* what this end sent */
};

/* Frames are large for their slices; most use few of them. */
static void copy_frame(struct sanwo_frame *to, const struct sanwo_frame *from)
{
    memcpy(to, from, offsetof(struct sanwo_frame, slices));
    memcpy(to->slices, from->slices, from->slice_count * sizeof(from->slices[0]));
}

/* Gives the oldest @n frames back to the end that sent them. */
static void give_back(struct end *sender, size_t n)
{
    struct lane *lane = &sender->out;

    while (n > 0) {
        size_t run = lane->size - lane->first;

        if (run > n)
            run = n;
        sanwo_driver_sent(&sender->driver, lane->slots + lane->first, run);
        lane->first = (lane->first + run) % lane->size;
        lane->used -= run;
        n -= run;
    }
    if (lane->used == 0)
        lane->first = 0; /* the same few slots again: they are in the cache */
}

static int pair_receive(struct sanwo_driver *d, struct sanwo_frame *frames, size_t max,
                        sanwo_time now)
{
    struct end *end = (struct end *)d;
    struct lane *lane;
    size_t n;

    if (end->peer == NULL)
        return 0;
    lane = &end->peer->out;
    give_back(end->peer, lane->held);
    n = lane->used < max ? lane->used : max;
    for (size_t i = 0; i < n; i++) {
        struct sanwo_frame *f = &frames[i];

        copy_frame(f, &lane->slots[(lane->first + i) % lane->size]);
        f->arrival = now;
        f->link = (uint16_t)d->number;
        for (size_t k = 0; k < f->slice_count; k++)
            f->slices[k].buffer = 0;
    }
    lane->held = n;
    return (int)n;
}

/* What a packet of this frame is on the wire, which has an MTU. */
static bool fits(const struct sanwo_driver *d, const struct sanwo_frame *f)
{
    if (f->segmentation == SANWO_SEGMENT_NONE)
        return f->length <= d->link.mtu;
    return (uint32_t)f->header_length + f->segment_size <= d->link.mtu;
}

static int pair_transmit(struct sanwo_driver *d, const struct sanwo_frame *frames, size_t n,
                         sanwo_time now)
{
    struct end *end = (struct end *)d;
    struct lane *lane = &end->out;
    size_t i;

    (void)now;
    for (i = 0; i < n; i++) {
        if (end->peer == NULL || !fits(d, &frames[i])) {
            sanwo_driver_sent(d, &frames[i], 1);
            continue;
        }
        if (lane->used == lane->size)
            break;
        copy_frame(&lane->slots[(lane->first + lane->used) % lane->size], &frames[i]);
        lane->used++;
    }
    d->blocked = i < n;
    return (int)i;
}

static int pair_descriptor(const struct sanwo_driver *d)
{
    (void)d;
    return -1;
}

/* Frames handed out count too: their sender waits for them. And so does room for a blocked sender,
 * since there is no descriptor to tell of it. */
static sanwo_time pair_deadline(const struct sanwo_driver *d)
{
    const struct end *end = (const struct end *)d;

    if (end->peer != NULL && end->peer->out.used > 0)
        return 0;
    return d->blocked && end->out.used < end->out.size ? 0 : SANWO_TIME_NEVER;
}

static void pair_destroy(struct sanwo_driver *d)
{
    struct end *end = (struct end *)d;

    give_back(end, end->out.used);
    if (end->peer != NULL) {
        give_back(end->peer, end->peer->out.used);
        end->peer->out.held = 0;
        end->peer->peer = NULL;
    }
    free(end->out.slots);
    free(end);
}

static const struct sanwo_driver_ops pair_ops = {
    .name = "pair",
    .receive = pair_receive,
    .transmit = pair_transmit,
    .descriptor = pair_descriptor,
    .deadline = pair_deadline,
    .destroy = pair_destroy,
};

static struct end *make_end(uint16_t mtu, uint32_t offload, size_t queue, char name)
{
    struct end *end = calloc(1, sizeof(*end));

    if (end == NULL)
        return NULL;
    end->out.slots = calloc(queue, sizeof(*end->out.slots));
    if (end->out.slots == NULL) {
        free(end);
        return NULL;
    }
    end->out.size = queue;
    end->driver.ops = &pair_ops;
    end->driver.link.kind = SANWO_LINK_IP;
    end->driver.link.mtu = mtu;
    end->driver.link.offload = offload;
    memcpy(end->driver.link.name, "pair-", 5);
    end->driver.link.name[5] = name;
    return end;
}

int sanwo_pair_create(uint16_t mtu, uint32_t offload, size_t queue, struct sanwo_driver **a,
                      struct sanwo_driver **b)
{
    const uint32_t all = SANWO_OFFLOAD_CHECKSUM | SANWO_OFFLOAD_TSO4 | SANWO_OFFLOAD_TSO6;
    struct end *first, *second;

    if (mtu < MIN_MTU || (offload & ~all) != 0)
        return -SANWO_EINVAL;
    if (queue == 0)
        queue = DEFAULT_QUEUE;
    first = make_end(mtu, offload, queue, 'a');
    second = make_end(mtu, offload, queue, 'b');
    if (first == NULL || second == NULL) {
        if (first != NULL)
            pair_destroy(&first->driver);
        if (second != NULL)
            pair_destroy(&second->driver);
        return -SANWO_ENOMEM;
    }
    first->peer = second;
    second->peer = first;
    *a = &first->driver;
    *b = &second->driver;
    return 0;
}
