/*
 * stateful_time.c - Time passes or jumps; links, routes and addresses come and go; memory is
 * refused; the stack is copied.
 */
#include "stateful.h"

#include <stdlib.h>

static sanwo_time unit(uint8_t which)
{
    static const sanwo_time units[] = {SANWO_MSEC(1),    SANWO_USEC(10), SANWO_MSEC(50),
                                       SANWO_SEC(1),     SANWO_SEC(60),  SANWO_SEC(3600),
                                       SANWO_SEC(86400), SANWO_MSEC(250)};
    return units[which & 7];
}

/* a: unit, b: how many more than one */
static void run_on(struct world *w, const uint8_t *r)
{
    world_run_until(w, w->now + unit(r[2]) * (r[3] + 1));
}

/* a: unit, b: how many more than one; a & 8: backwards, which must count as standing still */
static void jump(struct world *w, const uint8_t *r)
{
    sanwo_time by = unit(r[2]) * (r[3] + 1);
    if (r[2] & 8) {
        uint8_t byte;
        sanwo_time past = w->now > by ? w->now - by : 0;
        sanwo_tcp_receive(w->stack, (struct sanwo_handle){0}, &byte, 1, past);
        FUZZ_CHECK(sanwo_stack_now(w->stack) >= past, "time never goes back");
        return;
    }
    w->now += by;
}

static void to_deadline(struct world *w)
{
    sanwo_time next = sanwo_stack_deadline(w->stack);
    if (next != SANWO_TIME_NEVER && next > w->now)
        w->now = next;
}

/* a: 0 down, 1 up, 2 another MTU, which b chooses */
static void change_link(struct world *w, const uint8_t *r)
{
    static const uint16_t mtus[] = {1500, 1280, 9000, 1400};
    int result = 0;
    switch (r[2] % 3) {
    case 0:
    case 1:
        result = sanwo_stack_link_set_up(w->stack, w->link, r[2] % 3 == 1, w->now);
        break;
    default:
        w->mtu = mtus[r[3] & 3];
        result = sanwo_stack_link_set_mtu(w->stack, w->link, w->mtu);
    }
    FUZZ_CHECK(result == 0, "the link changes");
}

/* a: 0 address away, 1 address back, 2 default route, 3 route away, 4 route by a gateway */
static void change_routes(struct world *w, const uint8_t *r)
{
    struct sanwo_address ours = w->flows[r[1] % FLOWS].ours.address;
    struct sanwo_address any = {.family = ours.family};
    struct sanwo_address none = {0}, gateway = w->flows[r[1] % FLOWS].theirs.address;
    unsigned prefix = ours.family == SANWO_FAMILY_IPV4 ? 24 : 64;
    w->changed = true;
    switch (r[2] % 5) {
    case 0:
        sanwo_stack_address_remove(w->stack, &ours);
        break;
    case 1:
        sanwo_stack_address_add(w->stack, w->link, &ours, prefix);
        break;
    case 2:
        sanwo_stack_route_add(w->stack, &any, 0, &none, w->link);
        break;
    case 3:
        sanwo_stack_route_remove(w->stack, &any, 0);
        break;
    default:
        sanwo_stack_route_add(w->stack, &any, r[3] % 33, &gateway, w->link);
        break;
    }
}

static void fault(struct world *w, const uint8_t *r)
{
    sanwo_stack_inject_fault(w->stack, r[2] + 1u);
    w->faults = true;
}

/* ---- copies ---------------------------------------------------------------------------------- */

struct digest {
    uint64_t value;
    unsigned count;
};

static void add(struct digest *d, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        d->value = (d->value ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
    d->count++;
}

/* What a stack says when it is asked for everything at @now. The frames are given back. */
static struct digest ask(struct sanwo_stack *s, sanwo_time now)
{
    static uint8_t flat[70000];
    struct digest d = {.value = UINT64_C(0xcbf29ce484222325)};
    struct sanwo_frame frame;
    struct sanwo_event event;
    struct sanwo_stack_stats stats;
    while (d.count < 500 && sanwo_stack_transmit(s, &frame, 1, now) == 1) {
        FUZZ_CHECK(frame.length <= sizeof(flat), "a frame's length");
        sanwo_frame_copy(&frame, flat);
        add(&d, flat, frame.length);
        sanwo_stack_sent(s, &frame, 1);
    }
    while (d.count < 1000 && sanwo_stack_events(s, &event, 1) == 1) {
        add(&d, &event.handle, sizeof(event.handle));
        add(&d, &event.what, sizeof(event.what));
        add(&d, &event.error, sizeof(event.error));
    }
    sanwo_time next = sanwo_stack_deadline(s);
    add(&d, &next, sizeof(next));
    sanwo_stack_stats(s, &stats);
    add(&d, &stats, sizeof(stats));
    return d;
}

static struct sanwo_stack *restore(uint8_t *region, size_t room, const void *snapshot, size_t size)
{
    struct sanwo_stack *copy;
    FUZZ_CHECK(sanwo_stack_restore(region, 4096, snapshot, size, &copy) == -SANWO_ESNAPSHOT,
               "a region too small");
    FUZZ_CHECK(sanwo_stack_restore(region, room, snapshot, size, &copy) == 0, "restored");
    return copy;
}

/*
 * The stack goes on for a while; then it is overwritten, and a copy elsewhere goes on as long: the
 * same must come of it. The world itself goes on with another copy, from the moment of the
 * snapshot. a, b: how long the while.
 */
static void copy_stack(struct world *w, const uint8_t *r)
{
    size_t size = sanwo_stack_snapshot_size(w->stack);
    void *snapshot = malloc(size);
    FUZZ_CHECK(snapshot, "memory");
    int result = sanwo_stack_snapshot(w->stack, snapshot, size);
    FUZZ_CHECK(sanwo_stack_snapshot(w->stack, snapshot, size - 1) == -SANWO_EMSGSIZE, "too small");
    if (w->held_count) {
        FUZZ_CHECK(result == -SANWO_EINVAL, "no snapshot while frames are out");
    } else {
        FUZZ_CHECK(result == 0, "a snapshot");
        sanwo_time later = w->now + unit(r[2]) * (r[3] + 1);
        struct digest original = ask(w->stack, later);
        memset(w->region, 0xa5, size);
        struct digest copy = ask(restore(w->spare, w->region_size, snapshot, size), later);
        FUZZ_CHECK(original.value == copy.value && original.count == copy.count,
                   "the copy goes on as the original does");
        w->stack = restore(w->spare, w->region_size, snapshot, size);
        uint8_t *was = w->region;
        w->region = w->spare;
        w->spare = was;
    }
    free(snapshot);
}

bool time_operation(struct world *w, const uint8_t *r)
{
    switch (r[0]) {
    case OP_RUN:
        run_on(w, r);
        return true;
    case OP_JUMP:
        jump(w, r);
        return true;
    case OP_DEADLINE:
        to_deadline(w);
        return true;
    case OP_LINK:
        change_link(w, r);
        return true;
    case OP_ROUTE:
        change_routes(w, r);
        return true;
    case OP_FAULT:
        fault(w, r);
        return true;
    case OP_SNAPSHOT:
        copy_stack(w, r);
        return true;
    case OP_HOLD: /* a: 0 keep from now on, else give back in that order */
        w->holding = !r[2];
        if (r[2])
            world_release(w, r[2]);
        return true;
    case OP_QUIET:
        w->quiet = r[2] % 16;
        return true;
    default:
        return false;
    }
}
