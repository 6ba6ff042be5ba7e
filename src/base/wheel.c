/*
 * wheel.c - Placing, moving down and firing the nodes of the timing wheel.
 *
 * The picture is in wheel.h. Two facts carry everything here:
 *
 *  - At a level, only slots above time's own digit are busy (equal digits live further down), and
 *    all of a lower level comes before all of a higher one. So the next thing to happen is the
 *    lowest busy bit of the lowest busy level, whatever the distance.
 *  - Time may move anywhere below the start of that slot without displacing a single node.
 */
#include "base/wheel.h"

#define DIGIT_BITS 6
#define DIGIT_MASK (WHEEL_SLOTS - 1)
#define TICK_NONE UINT64_MAX
#define TICK_LIMIT (UINT64_C(1) << (DIGIT_BITS * WHEEL_LEVELS))
#define NODE_ALIGN 16

/* sanwo_time shifted to start at 0, so that times before the origin are in order too. */
static uint64_t unsigned_time(sanwo_time t)
{
    return (uint64_t)t ^ (UINT64_C(1) << 63);
}

/* The tick that @now is in. */
static uint64_t tick_of(sanwo_time now)
{
    return unsigned_time(now) >> WHEEL_TICK_SHIFT;
}

/* The first tick that begins at or after @deadline. */
static uint64_t tick_after(sanwo_time deadline)
{
    uint64_t t = unsigned_time(deadline);
    return (t >> WHEEL_TICK_SHIFT) + ((t & ((1u << WHEEL_TICK_SHIFT) - 1)) != 0);
}

static sanwo_time time_of(uint64_t tick)
{
    return (sanwo_time)((tick << WHEEL_TICK_SHIFT) ^ (UINT64_C(1) << 63));
}

static struct wheel_node *node_at(const struct region *r, wheel_ref ref)
{
    return (void *)((uint8_t *)sw_region_base(r) + (uint64_t)ref * NODE_ALIGN);
}

static wheel_ref ref_of(const struct region *r, const struct wheel_node *node)
{
    uintptr_t offset = (uintptr_t)node - (uintptr_t)sw_region_base(r);

    SW_ASSERT(offset % NODE_ALIGN == 0 && offset / NODE_ALIGN <= UINT32_MAX);
    return (wheel_ref)(offset / NODE_ALIGN);
}

static uint32_t level_of(uint64_t tick, uint64_t now)
{
    return (63 - (uint32_t)__builtin_clzll(tick ^ now)) / DIGIT_BITS;
}

static uint32_t digit_of(uint64_t tick, uint32_t level)
{
    return (uint32_t)(tick >> (level * DIGIT_BITS)) & DIGIT_MASK;
}

/* Puts @node first into the list where its tick belongs at the wheel's time. */
static void place(struct wheel *w, struct region *r, struct wheel_node *node)
{
    uint64_t tick = node->at - 1;
    wheel_ref ref = ref_of(r, node);
    wheel_ref *head = &w->due;

    if (tick > w->now) {
        uint32_t level = level_of(tick, w->now);
        uint32_t digit = digit_of(tick, level);
        head = &w->slots[level][digit];
        w->busy[level] |= UINT64_C(1) << digit;
    }
    node->prev = 0;
    node->next = *head;
    if (node->next)
        node_at(r, node->next)->prev = ref;
    *head = ref;
}

/* The first node of a list goes: its head is where `place` would put the node now. */
static void unlink_first(struct wheel *w, const struct wheel_node *node)
{
    uint64_t tick = node->at - 1;
    uint32_t level, digit;

    if (tick <= w->now) {
        w->due = node->next;
        return;
    }
    level = level_of(tick, w->now);
    digit = digit_of(tick, level);
    w->slots[level][digit] = node->next;
    if (!node->next)
        w->busy[level] &= ~(UINT64_C(1) << digit);
}

/* The tick at which the next busy slot begins; TICK_NONE if there is none. */
static uint64_t next_slot(const struct wheel *w, uint32_t *level, uint32_t *digit)
{
    for (uint32_t l = 0; l < WHEEL_LEVELS; l++) {
        uint64_t below;
        if (!w->busy[l])
            continue;
        *level = l;
        *digit = (uint32_t)__builtin_ctzll(w->busy[l]);
        below = (UINT64_C(1) << (l * DIGIT_BITS)) - 1;
        return (w->now & ~(below << DIGIT_BITS | DIGIT_MASK)) | (uint64_t)*digit
                                                                    << (l * DIGIT_BITS);
    }
    return TICK_NONE;
}

/* Moves time to the start of a busy slot: its nodes are due (level 0) or go further down. */
static void enter_slot(struct wheel *w, struct region *r, uint64_t start, uint32_t level,
                       uint32_t digit)
{
    wheel_ref ref = w->slots[level][digit];

    w->now = start;
    w->slots[level][digit] = 0;
    w->busy[level] &= ~(UINT64_C(1) << digit);
    if (level == 0) {
        w->due = ref; /* it was empty, or time would not have moved */
        return;
    }
    while (ref) {
        struct wheel_node *node = node_at(r, ref);
        ref = node->next;
        place(w, r, node);
    }
}

void sw_wheel_init(struct wheel *w, sanwo_time now)
{
    memset(w, 0, sizeof *w);
    w->now = tick_of(now);
}

void sw_wheel_arm(struct wheel *w, struct region *r, struct wheel_node *node, sanwo_time deadline)
{
    uint64_t tick = deadline == SANWO_TIME_NEVER ? TICK_LIMIT : tick_after(deadline);

    if (node->at == tick + 1)
        return;
    sw_wheel_cancel(w, r, node);
    if (tick >= TICK_LIMIT)
        return;
    node->at = tick + 1;
    place(w, r, node);
}

void sw_wheel_cancel(struct wheel *w, struct region *r, struct wheel_node *node)
{
    if (!node->at)
        return;
    if (node->prev)
        node_at(r, node->prev)->next = node->next;
    else
        unlink_first(w, node);
    if (node->next)
        node_at(r, node->next)->prev = node->prev;
    node->at = 0;
}

struct wheel_node *sw_wheel_pop(struct wheel *w, struct region *r, sanwo_time now)
{
    uint64_t target = tick_of(now);
    struct wheel_node *node;

    while (!w->due) {
        uint32_t level = 0, digit = 0;
        uint64_t start = next_slot(w, &level, &digit);
        if (start > target) {
            if (target > w->now)
                w->now = target;
            return NULL;
        }
        enter_slot(w, r, start, level, digit);
    }
    node = node_at(r, w->due);
    w->due = node->next;
    if (node->next)
        node_at(r, node->next)->prev = 0;
    node->at = 0;
    return node;
}

sanwo_time sw_wheel_deadline(const struct wheel *w, const struct region *r)
{
    uint32_t level, digit;
    uint64_t start;

    (void)r;
    if (w->due)
        return time_of(w->now);
    start = next_slot(w, &level, &digit);
    return start == TICK_NONE ? SANWO_TIME_NEVER : time_of(start);
}
