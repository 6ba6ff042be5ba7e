/*
 * emulator.c - A bad network around any driver.
 *
 *     stack -> transmit -> MTU, middlebox -> [ path out, by due time ] -> ready -> inner
 *     stack <- receive  <- [ path in, by due time ] <- MTU, middlebox  <-       <- inner
 *
 * Frames are copied when they enter, checksums completed, so that a path treats what would be on the
 * wire. What is due moves on whenever receive() or transmit() is called; deadline() says when next.
 * What becomes of a packet is decided in emulator_path.c; `passed` counts what came out at the far
 * end, duplicates too.
 */
#include <stdlib.h>

#include <sanwo/driver.h>

#include "emulator_middlebox.h"
#include "emulator_packet.h"
#include "emulator_path.h"
#include "emulator_segment.h"

enum { BATCH = 64, BATCHES = 4, ETHERNET_HEADER = 14 };

/* One way through the network. */
struct way {
    struct path path;
    struct packet_heap heap;
    struct packet *last; /* the last that entered the heap, if it is still there */
};

struct emulator {
    struct sanwo_driver driver;
    struct way out, in;
    struct middlebox box;
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

static uint64_t free_list(struct emulator *e, struct packet_list *list)
{
    struct packet *packet;
    uint64_t count = 0;

    for (; (packet = sw_emulator_list_take(list)) != NULL; count++)
        sw_emulator_packet_free(&e->pool, packet);
    return count;
}

static struct packet *take_first(struct way *way)
{
    struct packet *packet = sw_emulator_heap_take(&way->heap);

    if (packet == way->last)
        way->last = NULL;
    return packet;
}

static uint64_t free_heap(struct emulator *e, struct way *way)
{
    struct packet *packet;
    uint64_t count = 0;

    for (; (packet = take_first(way)) != NULL; count++)
        sw_emulator_packet_free(&e->pool, packet);
    return count;
}

/* A changed super-segment could not be told from a good one, its checksums being still to come. Its
 * receiver would have dropped what was hit. */
static bool damage(struct packet *packet, const struct fate *fate)
{
    if (fate->bit == PATH_NO_BIT && fate->length >= packet->length)
        return true;
    if (packet->segmentation != SANWO_SEGMENT_NONE)
        return false;
    if (fate->bit != PATH_NO_BIT)
        packet->bytes[fate->bit / 8] ^= (uint8_t)(1u << fate->bit % 8);
    if (fate->length < packet->length)
        packet->length = fate->length;
    packet->checksum = SANWO_CHECKSUM_NONE;
    return true;
}

static void add_packet(struct emulator *e, struct way *way, struct packet *packet,
                       const struct fate *fate)
{
    packet->due = fate->due;
    if (fate->mark && sw_emulator_mark(packet, e->box.link))
        e->stats.marked++;
    if (!damage(packet, fate)) {
        sw_emulator_packet_free(&e->pool, packet);
        return;
    }
    if (!sw_emulator_heap_add(&way->heap, packet, fate->late)) {
        e->stats.queue_dropped++;
        sw_emulator_packet_free(&e->pool, packet);
        return;
    }
    way->last = packet;
}

/* A packet meets its @n fates. */
static void set_out(struct emulator *e, struct way *way, struct packet *packet,
                    const struct fate *fates, unsigned n)
{
    struct packet *second = NULL;

    if (n > 1) {
        second = sw_emulator_packet_clone(&e->pool, packet);
        if (second == NULL)
            e->stats.queue_dropped++;
    }
    add_packet(e, way, packet, &fates[0]);
    if (second != NULL)
        add_packet(e, way, second, &fates[1]);
}

/* A packet that is ours sets out on a way. */
static void carry(struct emulator *e, struct way *way, struct packet *packet, sanwo_time now)
{
    struct fate fates[2];
    unsigned n;

    if (sw_emulator_middlebox_join(&e->box, way->last, packet, e->driver.link.mtu, &e->stats)) {
        sw_emulator_packet_free(&e->pool, packet);
        return;
    }
    n = sw_emulator_path_enter(&way->path, packet->length, now, fates, &e->stats);
    if (n > 0)
        set_out(e, way, packet, fates, n);
    else
        sw_emulator_packet_free(&e->pool, packet);
}

static struct way *other(struct emulator *e, const struct way *way)
{
    return way == &e->out ? &e->in : &e->out;
}

static void through_middlebox(struct emulator *e, struct way *way, const struct sanwo_frame *frame,
                              sanwo_time now)
{
    struct packet *packet = sw_emulator_packet_copy(&e->pool, frame);
    struct middlebox_result results[MIDDLEBOX_MOST];
    unsigned n;

    if (packet == NULL) {
        e->stats.queue_dropped++;
        return;
    }
    n = sw_emulator_middlebox_pass(&e->box, &e->pool, packet, way == &e->out, results, &e->stats);
    for (unsigned i = 0; i < n; i++)
        carry(e, results[i].back ? other(e, way) : way, results[i].packet, now);
}

/* RFC 1191, RFC 8201. Returns false if the frame may pass. */
static bool too_big(struct emulator *e, struct way *way, const struct sanwo_frame *frame,
                    sanwo_time now)
{
    uint16_t mtu = way->path.config.mtu;
    struct packet *copy, *error;

    if (mtu == 0 || frame->segmentation != SANWO_SEGMENT_NONE || frame->length <= mtu + e->box.link)
        return false;
    e->stats.too_big++;
    if (!way->path.config.too_big)
        return true;
    copy = sw_emulator_packet_copy(&e->pool, frame);
    if (copy == NULL)
        return true;
    error = sw_emulator_too_big(&e->pool, copy->bytes, copy->length, e->box.link, mtu);
    sw_emulator_packet_free(&e->pool, copy);
    if (error != NULL)
        carry(e, other(e, way), error, now);
    return true;
}

static void enter(struct emulator *e, struct way *way, const struct sanwo_frame *frame,
                  sanwo_time now)
{
    struct fate fates[2];
    struct packet *packet;
    unsigned n;

    if (e->down) {
        e->stats.lost++;
        return;
    }
    if (too_big(e, way, frame, now))
        return;
    if (e->box.active) {
        through_middlebox(e, way, frame, now);
        return;
    }
    n = sw_emulator_path_enter(&way->path, frame->length, now, fates, &e->stats);
    if (n == 0)
        return;
    packet = sw_emulator_packet_copy(&e->pool, frame);
    if (packet == NULL)
        e->stats.queue_dropped += n;
    else
        set_out(e, way, packet, fates, n);
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
    while (sw_emulator_heap_due(&e->out.heap) <= now)
        sw_emulator_list_append(&e->ready, take_first(&e->out));
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
            enter(e, &e->in, &frames[k], now);
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
    while ((size_t)n < max && sw_emulator_heap_due(&e->in.heap) <= now) {
        struct packet *packet = take_first(&e->in);

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
        enter(e, &e->out, &frames[i], now);
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
        earliest(sw_emulator_heap_due(&e->in.heap), d->inner->ops->deadline(d->inner));

    /* A blocked inner driver says by its descriptor when to go on, not by time. */
    if (e->ready.first == NULL)
        when = earliest(when, sw_emulator_heap_due(&e->out.heap));
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
    free_heap(e, &e->out);
    free_heap(e, &e->in);
    sw_emulator_heap_dispose(&e->out.heap);
    sw_emulator_heap_dispose(&e->in.heap);
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
        !sw_emulator_path_valid(&config->in) || !sw_emulator_middlebox_valid(&config->middlebox))
        return -SANWO_EINVAL;
    e = calloc(1, sizeof(*e));
    if (e == NULL)
        return -SANWO_ENOMEM;
    e->driver.ops = &emulator_ops;
    e->driver.link = inner->link;
    e->driver.link.offload = 0;
    e->driver.inner = inner;
    inner->outer = &e->driver;
    sw_emulator_path_init(&e->out.path, &config->out, config->seed);
    sw_emulator_path_init(&e->in.path, &config->in, ~config->seed);
    e->box.random = e->box.seed = config->seed ^ UINT64_C(0x6d6964646c65626f);
    e->box.link = inner->link.kind == SANWO_LINK_ETHERNET ? ETHERNET_HEADER : 0;
    sw_emulator_middlebox_set(&e->box, &config->middlebox);
    *out = &e->driver;
    return 0;
}

void sanwo_emulator_stats(const struct sanwo_driver *emulator, struct sanwo_emulator_stats *out)
{
    *out = emulator_of(emulator)->stats;
}

void sanwo_emulator_queue(const struct sanwo_driver *emulator, bool out, sanwo_time now,
                          struct sanwo_emulator_queue *queue)
{
    const struct emulator *e = emulator_of(emulator);
    const struct path *path = out ? &e->out.path : &e->in.path;

    sw_emulator_queue_read(&path->waits, queue);
    queue->bytes = sw_emulator_path_backlog(path, now);
}

void sanwo_emulator_queue_restart(struct sanwo_driver *emulator)
{
    struct emulator *e = emulator_of(emulator);

    e->out.path.waits = e->in.path.waits = (struct queue_waits){0};
}

void sanwo_emulator_configure(struct sanwo_driver *emulator, const struct sanwo_emulator_path *out,
                              const struct sanwo_emulator_path *in)
{
    struct emulator *e = emulator_of(emulator);

    if (sw_emulator_path_valid(out))
        e->out.path.config = *out;
    if (sw_emulator_path_valid(in))
        e->in.path.config = *in;
}

void sanwo_emulator_set_middlebox(struct sanwo_driver *emulator,
                                  const struct sanwo_emulator_middlebox *middlebox)
{
    if (sw_emulator_middlebox_valid(middlebox))
        sw_emulator_middlebox_set(&emulator_of(emulator)->box, middlebox);
}

/* What is under way when a cable is cut does not arrive. */
void sanwo_emulator_set_up(struct sanwo_driver *emulator, bool up)
{
    struct emulator *e = emulator_of(emulator);

    e->down = !up;
    if (!up) {
        e->stats.lost += free_heap(e, &e->out);
        e->stats.lost += free_heap(e, &e->in);
        e->stats.lost += free_list(e, &e->ready);
    }
}
