/*
 * emulator.c - A bad network around any driver.
 *
 *     stack -> transmit -> [ path out: heap by due time ] -> ready -> inner's transmit
 *     stack <- receive  <- [ path in:  heap by due time ] <-       <- inner's receive
 *
 * Frames are copied when they enter, checksums completed, so that a path treats what would be on the
 * wire. What is due moves on whenever receive() or transmit() is called; deadline() says when next.
 * What becomes of a packet is decided in emulator_path.c; `passed` counts what came out at the far
 * end, duplicates too.
 */
#include <stdlib.h>

#include <sanwo/driver.h>

#include "emulator_packet.h"
#include "emulator_path.h"

enum { BATCH = 64, BATCHES = 4 };

struct emulator {
    struct sanwo_driver driver;
    struct path out, in;
    struct packet_heap out_heap, in_heap;
    struct packet_list ready;  /* due, the inner driver did not take them yet */
    struct packet_list handed; /* given to the stack by the last receive() */
    struct packet_pool pool;
    struct sanwo_emulator_stats stats;
    bool down;
    int broken; /* -errno of the inner driver's transmit, to be reported */
};

static struct emulator *emulator_of(const struct sanwo_driver *d)
{
    return (struct emulator *)(uintptr_t)d;
}

static void free_list(struct emulator *e, struct packet_list *list)
{
    struct packet *packet;

    while ((packet = sw_emulator_list_take(list)) != NULL)
        sw_emulator_packet_free(&e->pool, packet);
}

static uint64_t free_heap(struct emulator *e, struct packet_heap *heap)
{
    struct packet *packet;
    uint64_t count = heap->count;

    while ((packet = sw_emulator_heap_take(heap)) != NULL)
        sw_emulator_packet_free(&e->pool, packet);
    return count;
}

/* A changed super-segment could not be told from a good one, its checksums being still to come. Its
 * receiver would have dropped what was hit. */
static bool corrupt(struct packet *packet, uint32_t bit)
{
    if (packet->segmentation != SANWO_SEGMENT_NONE)
        return false;
    packet->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    packet->checksum = SANWO_CHECKSUM_NONE;
    return true;
}

static void add_packet(struct emulator *e, struct packet_heap *heap, struct packet *packet,
                       const struct fate *fate)
{
    packet->due = fate->due;
    if (fate->bit != PATH_NO_BIT && !corrupt(packet, fate->bit)) {
        sw_emulator_packet_free(&e->pool, packet);
        return;
    }
    if (!sw_emulator_heap_add(heap, packet)) {
        e->stats.queue_dropped++;
        sw_emulator_packet_free(&e->pool, packet);
    }
}

static void enter(struct emulator *e, struct path *path, struct packet_heap *heap,
                  const struct sanwo_frame *frame, sanwo_time now)
{
    struct fate fates[2];
    struct packet *packet, *second = NULL;
    unsigned n;

    if (e->down) {
        e->stats.lost++;
        return;
    }
    n = sw_emulator_path_enter(path, frame->length, now, fates, &e->stats);
    if (n == 0)
        return;
    packet = sw_emulator_packet_copy(&e->pool, frame);
    if (packet == NULL) {
        e->stats.queue_dropped += n;
        return;
    }
    if (n > 1) {
        second = sw_emulator_packet_clone(&e->pool, packet);
        if (second == NULL)
            e->stats.queue_dropped++;
    }
    add_packet(e, heap, packet, &fates[0]);
    if (second != NULL)
        add_packet(e, heap, second, &fates[1]);
}

/* One batch of what is ready. Returns false if the inner driver takes no more now. */
static bool push_batch(struct emulator *e, sanwo_time now)
{
    struct sanwo_driver *inner = e->driver.inner;
    struct packet *packets[BATCH];
    struct sanwo_frame frames[BATCH];
    size_t n = 0, taken;
    int result;

    while (n < BATCH && e->ready.first != NULL) {
        packets[n] = sw_emulator_list_take(&e->ready);
        sw_emulator_packet_frame(packets[n], &frames[n]);
        n++;
    }
    if (n == 0)
        return false;
    result = inner->ops->transmit(inner, frames, n, now); /* frees what it is done with */
    if (result < 0)
        e->broken = result;
    taken = result < 0 ? 0 : (size_t)result;
    e->stats.passed += taken;
    for (size_t i = n; i > taken; i--)
        sw_emulator_list_prepend(&e->ready, packets[i - 1]);
    return taken == n;
}

/* What is due goes on to the inner driver. */
static void push_out(struct emulator *e, sanwo_time now)
{
    while (sw_emulator_heap_due(&e->out_heap) <= now)
        sw_emulator_list_append(&e->ready, sw_emulator_heap_take(&e->out_heap));
    while (push_batch(e, now))
        continue;
    e->driver.blocked = e->ready.first != NULL && e->driver.inner->blocked;
}

static void return_buffers(const struct emulator *e, const struct sanwo_frame *frame)
{
    for (size_t i = 0; i < frame->slice_count; i++)
        if (frame->slices[i].buffer != 0 && e->driver.stack != NULL)
            sanwo_stack_return(e->driver.stack, frame->slices[i].buffer);
}

/* What came in at the inner driver sets out on its path. */
static int pull_in(struct emulator *e, sanwo_time now)
{
    struct sanwo_driver *inner = e->driver.inner;
    struct sanwo_frame frames[BATCH];

    for (int i = 0; i < BATCHES; i++) {
        int n = inner->ops->receive(inner, frames, BATCH, now);

        if (n < 0)
            return n;
        for (int k = 0; k < n; k++) {
            enter(e, &e->in, &e->in_heap, &frames[k], now);
            return_buffers(e, &frames[k]);
        }
        if (n == 0)
            break;
    }
    return 0;
}

static int emulator_receive(struct sanwo_driver *d, struct sanwo_frame *frames, size_t max,
                            sanwo_time now)
{
    struct emulator *e = emulator_of(d);
    int result, n = 0;

    free_list(e, &e->handed);
    push_out(e, now);
    if (e->broken < 0)
        return e->broken;
    result = pull_in(e, now);
    if (result < 0)
        return result;
    while ((size_t)n < max && sw_emulator_heap_due(&e->in_heap) <= now) {
        struct packet *packet = sw_emulator_heap_take(&e->in_heap);

        sw_emulator_packet_frame(packet, &frames[n]);
        frames[n].arrival = packet->due;
        frames[n].link = (uint16_t)d->number;
        sw_emulator_list_append(&e->handed, packet);
        n++;
    }
    e->stats.passed += (uint64_t)n;
    return n;
}

static int emulator_transmit(struct sanwo_driver *d, const struct sanwo_frame *frames, size_t n,
                             sanwo_time now)
{
    struct emulator *e = emulator_of(d);

    if (e->broken < 0)
        return e->broken;
    for (size_t i = 0; i < n; i++)
        enter(e, &e->out, &e->out_heap, &frames[i], now);
    sanwo_driver_sent(d, frames, n);
    push_out(e, now);
    return (int)n;
}

static int emulator_descriptor(const struct sanwo_driver *d)
{
    return d->inner->ops->descriptor(d->inner);
}

static sanwo_time earliest(sanwo_time a, sanwo_time b)
{
    return a < b ? a : b;
}

static sanwo_time emulator_deadline(const struct sanwo_driver *d)
{
    const struct emulator *e = emulator_of(d);
    sanwo_time when =
        earliest(sw_emulator_heap_due(&e->in_heap), d->inner->ops->deadline(d->inner));

    /* A blocked inner driver says by its descriptor when to go on, not by time. */
    if (e->ready.first == NULL)
        when = earliest(when, sw_emulator_heap_due(&e->out_heap));
    else if (!d->inner->blocked)
        when = 0;
    return when;
}

static void emulator_destroy(struct sanwo_driver *d)
{
    struct emulator *e = emulator_of(d);

    sanwo_driver_destroy(d->inner); /* gives back our packets */
    free_list(e, &e->ready);
    free_list(e, &e->handed);
    free_heap(e, &e->out_heap);
    free_heap(e, &e->in_heap);
    sw_emulator_heap_dispose(&e->out_heap);
    sw_emulator_heap_dispose(&e->in_heap);
    sw_emulator_pool_dispose(&e->pool);
    free(e);
}

static void emulator_sent(struct sanwo_driver *d, const struct sanwo_frame *frames, size_t n)
{
    struct emulator *e = emulator_of(d);

    for (size_t i = 0; i < n; i++)
        sw_emulator_packet_free(&e->pool, sw_emulator_packet_of(&frames[i]));
}

static const struct sanwo_driver_ops emulator_ops = {
    .name = "emulator",
    .receive = emulator_receive,
    .transmit = emulator_transmit,
    .descriptor = emulator_descriptor,
    .deadline = emulator_deadline,
    .destroy = emulator_destroy,
    .sent = emulator_sent,
};

int sanwo_emulator_create(struct sanwo_driver *inner, const struct sanwo_emulator_config *config,
                          struct sanwo_driver **out)
{
    struct emulator *e;

    if (inner == NULL || !sw_emulator_path_valid(&config->out) ||
        !sw_emulator_path_valid(&config->in))
        return -SANWO_EINVAL;
    e = calloc(1, sizeof(*e));
    if (e == NULL)
        return -SANWO_ENOMEM;
    e->driver.ops = &emulator_ops;
    e->driver.link = inner->link;
    e->driver.link.offload = 0;
    e->driver.inner = inner;
    inner->outer = &e->driver;
    sw_emulator_path_init(&e->out, &config->out, config->seed);
    sw_emulator_path_init(&e->in, &config->in, ~config->seed);
    *out = &e->driver;
    return 0;
}

void sanwo_emulator_stats(const struct sanwo_driver *emulator, struct sanwo_emulator_stats *out)
{
    *out = emulator_of(emulator)->stats;
}

void sanwo_emulator_configure(struct sanwo_driver *emulator, const struct sanwo_emulator_path *out,
                              const struct sanwo_emulator_path *in)
{
    struct emulator *e = emulator_of(emulator);

    if (sw_emulator_path_valid(out))
        e->out.config = *out;
    if (sw_emulator_path_valid(in))
        e->in.config = *in;
}

/* What is under way when a cable is cut does not arrive. */
void sanwo_emulator_set_up(struct sanwo_driver *emulator, bool up)
{
    struct emulator *e = emulator_of(emulator);

    e->down = !up;
    if (!up) {
        e->stats.lost += free_heap(e, &e->out_heap);
        e->stats.lost += free_heap(e, &e->in_heap);
        free_list(e, &e->ready);
    }
}
