/*
 * gate.c - See gate.h.
 *
 *     transmit:  refuse? -> copy -> hook -> wire         the frame itself: given back, or held
 *     receive:   wire -> copy -> hook -> waiting -> merge, slice -> handed in -> overwritten
 */
#include <stdlib.h>
#include <string.h>

#include "gate.h"

enum { BATCH = 64, ETHERNET_HEADER = 14, POISON = 0xdb, MAC = 6 };

struct gate_held {
    struct gate_held *next;
    struct sanwo_frame frame;
    uint64_t hash;
};

static struct gate *gate_of(const struct sanwo_driver *d)
{
    return (struct gate *)(uintptr_t)d;
}

static void *allocate(size_t size)
{
    void *memory = malloc(size);

    if (memory == NULL)
        abort();
    return memory;
}

/* ---- packets ------------------------------------------------------------------------------------- */

static struct gate_packet *new_packet(uint32_t length, uint32_t room)
{
    struct gate_packet *p = allocate(sizeof(*p) + room);

    memset(p, 0, sizeof(*p));
    p->length = length;
    p->room = room;
    p->bytes = (uint8_t *)(p + 1);
    return p;
}

static struct gate_packet *copy_of(const struct sanwo_frame *frame, uint32_t room)
{
    struct gate_packet *p = new_packet(frame->length, frame->length + room);

    memcpy(&p->frame, frame, offsetof(struct sanwo_frame, slices));
    sanwo_frame_copy(frame, p->bytes);
    return p;
}

static void one_slice(struct gate_packet *p)
{
    p->frame.length = p->length;
    p->frame.slice_count = 1;
    p->frame.slices[0] = (struct sanwo_slice){p->bytes, p->length, 0};
}

static void poison(struct gate_packet *p)
{
    memset(p->bytes, POISON, p->room);
    free(p);
}

static void append(struct gate *g, struct gate_packet *p)
{
    p->next = NULL;
    *g->waiting_end = p;
    g->waiting_end = &p->next;
}

static struct gate_packet *take_waiting(struct gate *g)
{
    struct gate_packet *p = g->waiting;

    if (p == NULL)
        return NULL;
    g->waiting = p->next;
    if (g->waiting == NULL)
        g->waiting_end = &g->waiting;
    return p;
}

void gate_inject(struct gate *g, const void *bytes, uint32_t length)
{
    struct gate_packet *p = new_packet(length, length);

    memcpy(p->bytes, bytes, length);
    append(g, p);
}

uint8_t *gate_tcp(const struct gate_packet *p, uint32_t *header_length, uint32_t *payload)
{
    uint32_t ip = p->length >= 20 ? (p->bytes[0] & 15) * 4u : 0;
    uint32_t total, tcp;

    if (p->length < 40 || p->bytes[0] >> 4 != 4 || p->bytes[9] != 6 || p->length < ip + 20)
        return NULL;
    total = (uint32_t)p->bytes[2] << 8 | p->bytes[3];
    if (p->frame.segmentation != SANWO_SEGMENT_NONE)
        total = p->length;
    tcp = (p->bytes[ip + 12] >> 4) * 4u;
    if (total > p->length || total < ip + tcp)
        return NULL;
    *header_length = ip + tcp;
    *payload = total - ip - tcp;
    return p->bytes + ip;
}

static uint32_t sum16(const uint8_t *bytes, size_t length, uint32_t sum)
{
    for (size_t i = 0; i < length; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    return sum;
}

static void put_sum(uint8_t *at, uint32_t sum)
{
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    at[0] = (uint8_t)(~sum >> 8);
    at[1] = (uint8_t)~sum;
}

void gate_mend_ip(struct gate_packet *p)
{
    p->bytes[2] = (uint8_t)(p->length >> 8);
    p->bytes[3] = (uint8_t)p->length;
    p->bytes[10] = p->bytes[11] = 0;
    put_sum(p->bytes + 10, sum16(p->bytes, (p->bytes[0] & 15) * 4u, 0));
}

void gate_mend(struct gate_packet *p)
{
    uint32_t ip = (p->bytes[0] & 15) * 4u, rest = p->length - ip;
    uint8_t *tcp = p->bytes + ip;

    gate_mend_ip(p);
    tcp[16] = tcp[17] = 0;
    put_sum(tcp + 16, sum16(tcp, rest, sum16(p->bytes + 12, 8, 6 + rest)));
}

/* As the world does it (world.h, fault_every), but with every packet. */
static void arm_next_fault(struct gate *g)
{
    struct world *w = g->world;
    uint32_t every = w->fault_every[g->side];
    uint64_t refused;

    if (every == 0)
        return;
    refused = faults_stats(w, g->side).memory_refused;
    if (refused == w->refused[g->side])
        return;
    w->refused[g->side] = refused;
    sanwo_stack_inject_fault(g->driver.stack, 1 + chance_below(&g->chance, 2 * every));
}

/* ---- outward ------------------------------------------------------------------------------------- */

static uint64_t hash_frame(const struct sanwo_frame *f)
{
    uint64_t hash = f->length;

    for (size_t i = 0; i < f->slice_count; i++)
        hash = chance_mix(hash, f->slices[i].bytes, f->slices[i].length);
    return hash;
}

/* Hooks have some room to add to it. */
static bool pass_on(struct gate *g, const struct sanwo_frame *frame, sanwo_time now)
{
    struct sanwo_driver *inner = g->driver.inner;
    struct gate_packet *p = copy_of(frame, 64);
    int taken;

    if (g->out != NULL && !g->out(g->context, g, p, now)) {
        free(p);
        return true;
    }
    one_slice(p);
    taken = inner->ops->transmit(inner, &p->frame, 1, now);
    if (taken < 1)
        free(p);
    return taken == 1;
}

static void give_back(struct gate *g, const struct sanwo_frame *frame)
{
    struct gate_held *held;

    if (!g->hold) {
        sanwo_driver_sent(&g->driver, frame, 1);
        return;
    }
    held = allocate(sizeof(*held));
    held->frame = *frame;
    held->hash = hash_frame(frame);
    held->next = g->first_held;
    g->first_held = held;
    g->held++;
}

static void release_one(struct gate *g, struct gate_held **at)
{
    struct gate_held *held = *at;

    if (hash_frame(&held->frame) != held->hash)
        g->changed++;
    *at = held->next;
    g->held--;
    sanwo_driver_sent(&g->driver, &held->frame, 1);
    free(held);
}

void gate_release(struct gate *g, size_t n, bool shuffled)
{
    for (; n > 0 && g->held > 0; n--) {
        uint64_t skip = shuffled ? chance_below(&g->chance, g->held) : g->held - 1;
        struct gate_held **at = &g->first_held;

        for (; skip > 0; skip--)
            at = &(*at)->next;
        release_one(g, at);
    }
}

static int take_nothing(struct gate *g, sanwo_time when)
{
    g->refused_calls++;
    g->driver.blocked = true;
    g->ready_at = when;
    return 0;
}

static int gate_transmit(struct sanwo_driver *d, const struct sanwo_frame *frames, size_t n,
                         sanwo_time now)
{
    struct gate *g = gate_of(d);
    size_t most = g->most != 0 && g->most < n ? g->most : n;
    size_t i = 0;

    g->calls++;
    arm_next_fault(g);
    if (now < g->shut_until)
        return take_nothing(g, g->shut_until);
    if (g->refuse > 0) {
        g->refuse--;
        return take_nothing(g, now + SANWO_USEC(1));
    }
    while (i < most && pass_on(g, &frames[i], now))
        give_back(g, &frames[i++]);
    g->frames_out += i;
    if (i < n)
        take_nothing(g, now + SANWO_USEC(1));
    return (int)i;
}

/* Copies of ours that the wire is done with. */
static void gate_sent(struct sanwo_driver *d, const struct sanwo_frame *frames, size_t n)
{
    (void)d;
    for (size_t i = 0; i < n; i++)
        poison((struct gate_packet *)(uintptr_t)frames[i].slices[0].bytes - 1);
}

/* ---- inward -------------------------------------------------------------------------------------- */

static void pull(struct gate *g, sanwo_time now)
{
    struct sanwo_driver *inner = g->driver.inner;
    struct sanwo_frame frames[BATCH];
    int n;

    while (!g->deaf && (n = inner->ops->receive(inner, frames, BATCH, now)) > 0) {
        for (int i = 0; i < n; i++) {
            struct gate_packet *p = copy_of(&frames[i], g->trailer + (g->in != NULL ? 64 : 0));

            if (g->in != NULL && !g->in(g->context, g, p, now)) {
                free(p);
                continue;
            }
            for (uint32_t k = 0; k < g->trailer && p->length < p->room; k++)
                p->bytes[p->length++] = POISON;
            append(g, p);
        }
    }
}

/* Headers lie in slice 0 as they must; the rest in pieces, empty ones among them. */
static void break_up(struct gate *g, struct gate_packet *p)
{
    uint32_t header, payload, at, end = p->length;

    one_slice(p);
    if (gate_tcp(p, &header, &payload) == NULL)
        return;
    p->frame.slices[0].length = at = header;
    while (at < end && p->frame.slice_count < SANWO_FRAME_SLICES) {
        struct sanwo_slice *s = &p->frame.slices[p->frame.slice_count++];
        uint32_t part = (uint32_t)chance_below(&g->chance, end - at + 1);

        if (chance_hit(&g->chance, 300000))
            part = 0;
        if (p->frame.slice_count == SANWO_FRAME_SLICES)
            part = end - at;
        *s = (struct sanwo_slice){part > 0 ? p->bytes + at : NULL, part, 0};
        at += part;
    }
}

/* Returns false if there was no buffer. */
static bool borrow(struct gate *g, struct gate_packet *p, struct sanwo_frame *out)
{
    struct sanwo_room room;

    if (sanwo_stack_borrow(g->driver.stack, p->length, &room, 1) == 0) {
        g->no_buffer++;
        return false;
    }
    memcpy(room.bytes, p->bytes, p->length);
    one_slice(p);
    *out = p->frame;
    out->slices[0] = (struct sanwo_slice){room.bytes, p->length, room.buffer};
    return true;
}

static int hand_in(struct gate *g, struct sanwo_frame *frames, size_t max)
{
    struct gate_packet *p;
    int n = 0;

    while ((size_t)n < max && (p = take_waiting(g)) != NULL) {
        bool taken = true;

        p->frame.link = (uint16_t)g->driver.number;
        p->frame.length = p->length;
        if (g->slices == GATE_BORROWED)
            taken = borrow(g, p, &frames[n]);
        else if (g->slices == GATE_BROKEN)
            break_up(g, p);
        else
            one_slice(p);
        if (g->slices != GATE_BORROWED)
            frames[n] = p->frame;
        n += taken;
        p->next = g->handed;
        g->handed = p;
    }
    return n;
}

static uint32_t load32(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/*
 * What a receiver that offloads makes of segments in a row: one header, the sum of the text. The
 * acknowledgement and window are the last one's, and the flags all that any had, whichever those are.
 */
static bool merge_two(struct gate *g, struct gate_packet *a, const struct gate_packet *b)
{
    enum { FIN = 1, SYN = 2, RST = 4, URG = 32, FLAGS = 13, ACKNOWLEDGEMENT = 8 };
    uint32_t header_a, payload_a, header_b, payload_b;
    uint8_t *ta = gate_tcp(a, &header_a, &payload_a), *tb = gate_tcp(b, &header_b, &payload_b);

    if (ta == NULL || tb == NULL || header_a != header_b || memcmp(ta, tb, 4) != 0 ||
        payload_a == 0 || ((ta[FLAGS] | tb[FLAGS]) & (SYN | RST | URG)) != 0 ||
        (ta[FLAGS] & FIN) != 0 || load32(tb + 4) != load32(ta + 4) + payload_a ||
        header_a + payload_a + payload_b > a->room)
        return false;
    memcpy(a->bytes + header_a + payload_a, b->bytes + header_b, payload_b);
    a->length = header_a + payload_a + payload_b;
    ta[FLAGS] |= tb[FLAGS];
    memcpy(ta + ACKNOWLEDGEMENT, tb + ACKNOWLEDGEMENT, 4);
    memcpy(ta + 14, tb + 14, 2);
    memcpy(ta + 20, tb + 20, header_a - (uint32_t)(ta - a->bytes) - 20); /* the options */
    if (a->frame.segmentation == SANWO_SEGMENT_NONE)
        a->frame.segment_size = (uint16_t)payload_a;
    a->frame.segmentation = SANWO_SEGMENT_TCP_IPV4;
    a->frame.header_length = (uint16_t)header_a;
    a->frame.checksum = SANWO_CHECKSUM_VALID;
    if (g->claim_whole) {
        a->frame.segmentation = SANWO_SEGMENT_NONE;
        a->frame.segment_size = a->frame.header_length = 0;
    }
    gate_mend_ip(a);
    g->merged++;
    return true;
}

static void merge_waiting(struct gate *g)
{
    struct gate_packet *old = g->waiting, *last = NULL, *p;
    size_t in_last = 0;

    g->waiting = NULL;
    g->waiting_end = &g->waiting;
    while ((p = old) != NULL) {
        old = p->next;
        if (last != NULL && in_last < g->merge && merge_two(g, last, p)) {
            in_last++;
            free(p);
            continue;
        }
        last = new_packet(p->length, 65535);
        memcpy(&last->frame, &p->frame, sizeof(p->frame));
        memcpy(last->bytes, p->bytes, p->length);
        free(p);
        append(g, last);
        in_last = 1;
    }
}

static void reverse_waiting(struct gate *g)
{
    struct gate_packet *old = g->waiting, *next;

    g->waiting = NULL;
    g->waiting_end = old != NULL ? &old->next : &g->waiting;
    for (; old != NULL; old = next) {
        next = old->next;
        old->next = g->waiting;
        g->waiting = old;
    }
}

static void free_handed(struct gate *g)
{
    while (g->handed != NULL) {
        struct gate_packet *next = g->handed->next;

        poison(g->handed);
        g->handed = next;
    }
}

static int gate_receive(struct sanwo_driver *d, struct sanwo_frame *frames, size_t max,
                        sanwo_time now)
{
    struct gate *g = gate_of(d);

    if (now >= g->ready_at) {
        g->ready_at = SANWO_TIME_NEVER;
        d->blocked = false;
    }
    arm_next_fault(g);
    free_handed(g);
    pull(g, now);
    if (g->merge > 1)
        merge_waiting(g);
    if (g->reverse)
        reverse_waiting(g);
    return hand_in(g, frames, g->world->fault_every[g->side] != 0 ? 1 : max);
}

static int gate_descriptor(const struct sanwo_driver *d)
{
    return d->inner->ops->descriptor(d->inner);
}

static sanwo_time gate_deadline(const struct sanwo_driver *d)
{
    const struct gate *g = gate_of(d);
    sanwo_time inner = g->deaf ? SANWO_TIME_NEVER : d->inner->ops->deadline(d->inner);

    if (g->waiting != NULL || g->handed != NULL)
        return 0;
    return g->ready_at < inner ? g->ready_at : inner;
}

static void gate_destroy(struct sanwo_driver *d)
{
    struct gate *g = gate_of(d);
    struct gate_packet *p;

    sanwo_driver_destroy(d->inner);
    gate_release(g, SIZE_MAX, false);
    free_handed(g);
    while ((p = take_waiting(g)) != NULL)
        free(p);
    free(g);
}

static struct gate *new_gate(struct world *w, unsigned side, struct sanwo_driver *inner)
{
    static const struct sanwo_driver_ops ops = {
        .name = "gate",
        .receive = gate_receive,
        .transmit = gate_transmit,
        .descriptor = gate_descriptor,
        .deadline = gate_deadline,
        .destroy = gate_destroy,
        .sent = gate_sent,
    };
    struct gate *g = allocate(sizeof(*g));

    memset(g, 0, sizeof(*g));
    g->driver.ops = &ops;
    g->driver.link = inner->link;
    g->driver.inner = inner;
    inner->outer = &g->driver;
    g->world = w;
    g->side = side;
    g->ready_at = SANWO_TIME_NEVER;
    g->waiting_end = &g->waiting;
    chance_seed(&g->chance, "gate", chance_next(&w->chance));
    return g;
}

struct gate *gate_put(struct world *w, unsigned side)
{
    struct sanwo_driver *outer = w->host[side].link;
    struct gate *g = new_gate(w, side, outer->inner);

    g->driver.stack = outer->stack;
    g->driver.number = outer->number;
    g->driver.outer = outer;
    outer->inner = &g->driver;
    return g;
}

/* ---- an Ethernet ------------------------------------------------------------------------------- */

static void make_link(struct lan *lan, unsigned side, struct sanwo_driver *wire,
                      const struct lan_config *config)
{
    const uint8_t mac[MAC] = {2, 0, 0, 0, 0, (uint8_t)(side + 1)};
    struct world_host *host = &lan->world->host[side];
    struct sanwo_emulator_config network = {.seed = chance_next(&lan->world->chance),
                                            .out = {.delay = config->delay}};
    struct gate *g;

    wire->link.kind = config->kind;
    memcpy(wire->link.mac, mac, MAC);
    if (!config->direct) {
        assert_int_equal(sanwo_emulator_create(wire, &network, &wire), 0);
        lan->emulator[side] = wire;
    }
    g = lan->gate[side] = new_gate(lan->world, side, wire);
    g->driver.link.mtu = config->mtu != 0 ? config->mtu : 1500;
    g->driver.link.distrust_checksums = config->distrust;
    assert_true(sanwo_driver_attach(&g->driver, host->stack) > 0);
    lan->address[side] = sanwo_address_ipv4(10, 0, 0, (uint8_t)(side + 1));
    assert_int_equal(
        sanwo_stack_address_add(host->stack, g->driver.number, &lan->address[side], 24), 0);
    assert_int_equal(sanwo_virtual_add_driver(lan->world->clock, &g->driver), 0);
    host->address = lan->address[side];
}

void lan_create(struct lan *lan, struct world *w, const struct lan_config *config)
{
    uint16_t mtu = config->mtu != 0 ? config->mtu : 1500;
    struct sanwo_driver *wire[2];

    *lan = (struct lan){.world = w};
    assert_int_equal(sanwo_pair_create((uint16_t)(mtu + ETHERNET_HEADER), config->offload, 0,
                                       &wire[0], &wire[1]),
                     0);
    for (unsigned side = 0; side < 2; side++)
        make_link(lan, side, wire[side], config);
}

void lan_destroy(struct lan *lan)
{
    for (unsigned side = 0; side < 2; side++)
        sanwo_driver_destroy(&lan->gate[side]->driver);
}
