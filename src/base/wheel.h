/*
 * wheel.h - A hierarchical timing wheel: O(1) arm, cancel and expiry; ticks of 1024 ns.
 *
 *     tick (54 bits)  | level 8 | level 7 | ... | level 1 | level 0 |     six bits each
 *
 * A node waits at the level of the highest digit in which its tick differs from the wheel's time,
 * in the slot of its own digit there. It is moved down when time enters that slot, so its place
 * follows from its tick and the time alone and is stored nowhere. Nine levels reach over all of
 * sanwo_time, negative times included. A node never fires before its deadline and at most one tick
 * after it. Level bitmaps find the next busy slot without walking. Nodes are named by region refs
 * in 16-byte steps (`wheel_ref`): up to 64 GiB of region.
 */
#ifndef SW_BASE_WHEEL_H
#define SW_BASE_WHEEL_H

#include "bytes.h"
#include "region.h"

#include <sanwo/types.h>

#define WHEEL_TICK_SHIFT 10
#define WHEEL_LEVELS 9
#define WHEEL_SLOTS 64

typedef uint32_t wheel_ref; /* (address - region base) / 16; 0: none */

struct wheel_node {       /* 16 bytes, 16-aligned, inside the region */
    uint64_t at;          /* tick it is armed for, plus one; 0: not armed */
    wheel_ref next, prev; /* prev 0: first of its list */
};

struct wheel {
    uint64_t now;                /* tick up to which everything has been fired */
    uint64_t busy[WHEEL_LEVELS]; /* bit per non-empty slot */
    wheel_ref slots[WHEEL_LEVELS][WHEEL_SLOTS];
    wheel_ref due; /* expired, waiting to be popped */
};

void sw_wheel_init(struct wheel *w, sanwo_time now);
/*
 * Arms or moves @node to fire at @deadline (at once if past). SANWO_TIME_NEVER, and with it the
 * last tick before it, cancels.
 */
void sw_wheel_arm(struct wheel *w, struct region *r, struct wheel_node *node, sanwo_time deadline);
void sw_wheel_cancel(struct wheel *w, struct region *r, struct wheel_node *node);
/*
 * The next node whose deadline, rounded up to a tick, is <= @now; disarmed; or NULL. They come in
 * the order of their ticks, but those armed too late come first. Call until NULL. Nodes may be
 * armed and cancelled in between, the popped one included. Time never runs backwards inside: an
 * earlier @now than before counts as the one before.
 */
struct wheel_node *sw_wheel_pop(struct wheel *w, struct region *r, sanwo_time now);
/*
 * When to call again: never later than the earliest deadline rounded up to a tick, and exactly
 * that where the earliest node is within the lowest level's reach; earlier (to cascade) at most
 * once a level. The wheel's own time if something is due. SANWO_TIME_NEVER if nothing is armed.
 */
sanwo_time sw_wheel_deadline(const struct wheel *w, const struct region *r);

static inline bool sw_wheel_is_armed(const struct wheel_node *node)
{
    return node->at != 0;
}

/* When an armed node fires: its deadline rounded up to a tick. */
static inline sanwo_time sw_wheel_node_time(const struct wheel_node *node)
{
    return (sanwo_time)(((node->at - 1) << WHEEL_TICK_SHIFT) ^ (UINT64_C(1) << 63));
}

/* Whether it is armed, and fires within a tick of @deadline or before. */
static inline bool sw_wheel_fires_by(const struct wheel_node *node, sanwo_time deadline)
{
    uint64_t tick = ((uint64_t)deadline ^ (UINT64_C(1) << 63)) >> WHEEL_TICK_SHIFT;
    return node->at && node->at - 1 <= tick + 1;
}

#endif
