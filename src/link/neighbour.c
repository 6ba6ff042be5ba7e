/*
 * neighbour.c - The neighbour cache. States and promises are in neighbour.h.
 *
 *     | struct neighbours | entry 0 | entry 1 | ... | bucket heads |
 *
 * Each entry is in exactly one list. Those that ask are in two: what is due at once, and what
 * waits a constant second; both are in the order of time by nature, so finding what is due next
 * looks at four heads only.
 */
#include "link/neighbour.h"

#define LIMIT_LEAST 4
#define LIMIT_MOST 32768

static unsigned clamp_limit(unsigned limit)
{
    return limit < LIMIT_LEAST ? LIMIT_LEAST : limit > LIMIT_MOST ? LIMIT_MOST : limit;
}

static unsigned bucket_count(unsigned limit)
{
    unsigned n = LIMIT_LEAST;

    while (n < limit)
        n *= 2;
    return n;
}

static struct neighbour *entries_of(const struct neighbours *n)
{
    return (struct neighbour *)(void *)((uint8_t *)(uintptr_t)n + sw_round_up(sizeof *n, 64));
}

static uint16_t *buckets_of(const struct neighbours *n)
{
    return (uint16_t *)(void *)(entries_of(n) + n->limit);
}

static uint16_t index_of(const struct neighbours *n, const struct neighbour *e)
{
    return (uint16_t)(e - entries_of(n));
}

/* ---- lists and hash ---------------------------------------------------------------------------- */

static uint16_t *count_of(struct neighbours *n, unsigned list)
{
    switch (list) {
    case NEIGHBOUR_ASK:
    case NEIGHBOUR_ASKED:
        return &n->incomplete;
    case NEIGHBOUR_POLL:
    case NEIGHBOUR_POLLED:
    case NEIGHBOUR_RESOLVED:
        return &n->resolved;
    default:
        return NULL;
    }
}

static void unlink_entry(struct neighbours *n, struct neighbour *e)
{
    struct neighbour *all = entries_of(n);
    uint16_t *count = count_of(n, e->list);

    *(e->prev == NEIGHBOUR_NONE ? &n->head[e->list] : &all[e->prev].next) = e->next;
    *(e->next == NEIGHBOUR_NONE ? &n->tail[e->list] : &all[e->next].prev) = e->prev;
    if (count)
        --*count;
}

static void link_last(struct neighbours *n, struct neighbour *e, enum neighbour_list list)
{
    uint16_t *count = count_of(n, list), self = index_of(n, e);

    e->list = (uint8_t)list;
    e->next = NEIGHBOUR_NONE;
    e->prev = n->tail[list];
    *(e->prev == NEIGHBOUR_NONE ? &n->head[list] : &entries_of(n)[e->prev].next) = self;
    n->tail[list] = self;
    if (count)
        ++*count;
}

static void link_first(struct neighbours *n, struct neighbour *e, enum neighbour_list list)
{
    uint16_t *count = count_of(n, list), self = index_of(n, e);

    e->list = (uint8_t)list;
    e->prev = NEIGHBOUR_NONE;
    e->next = n->head[list];
    *(e->next == NEIGHBOUR_NONE ? &n->tail[list] : &entries_of(n)[e->next].prev) = self;
    n->head[list] = self;
    if (count)
        ++*count;
}

static void move_last(struct neighbours *n, struct neighbour *e, enum neighbour_list list)
{
    if (e->list == list && e->next == NEIGHBOUR_NONE)
        return;
    unlink_entry(n, e);
    link_last(n, e, list);
}

static struct neighbour *first_of(const struct neighbours *n, enum neighbour_list list)
{
    return n->head[list] == NEIGHBOUR_NONE ? NULL : &entries_of(n)[n->head[list]];
}

static uint16_t *bucket_for(const struct neighbours *n, unsigned link,
                            const struct sanwo_address *address)
{
    uint8_t key[17];

    memcpy(key, address->bytes, 16);
    key[16] = (uint8_t)link;
    return &buckets_of(n)[sw_siphash_table(&n->key, key, sizeof key) & n->mask];
}

static struct neighbour *find(const struct neighbours *n, unsigned link,
                              const struct sanwo_address *address)
{
    uint16_t at = *bucket_for(n, link, address);

    while (at != NEIGHBOUR_NONE) {
        struct neighbour *e = &entries_of(n)[at];
        if (e->link == link && e->address.family == address->family &&
            memcmp(e->address.bytes, address->bytes, 16) == 0)
            return e;
        at = e->chain;
    }
    return NULL;
}

/* ---- coming and going -------------------------------------------------------------------------- */

static void take_frames(struct neighbour *e, struct neighbour_frames *out)
{
    *out = e->waiting;
    e->waiting.count = 0;
}

/* Back to the free entries; what waited there is the caller's. */
static void forget(struct neighbours *n, struct neighbour *e, struct neighbour_frames *frames)
{
    uint16_t *at = bucket_for(n, e->link, &e->address);

    while (*at != index_of(n, e))
        at = &entries_of(n)[*at].chain;
    *at = e->chain;
    take_frames(e, frames);
    unlink_entry(n, e);
    link_first(n, e, NEIGHBOUR_FREE);
}

/* Of the incomplete, the one whose last request is the longest ago makes room. */
static void make_room_incomplete(struct neighbours *n, struct neighbour_frames *dropped)
{
    struct neighbour *oldest = first_of(n, NEIGHBOUR_ASKED);

    if (n->incomplete < n->incomplete_limit)
        return;
    forget(n, oldest ? oldest : first_of(n, NEIGHBOUR_ASK), dropped);
}

/* Of the resolved, the one least recently used; those being polled are in use. */
static void make_room_resolved(struct neighbours *n)
{
    static const uint8_t order[] = {NEIGHBOUR_RESOLVED, NEIGHBOUR_POLLED, NEIGHBOUR_POLL};
    struct neighbour_frames none;

    if (n->resolved < n->resolved_limit)
        return;
    for (size_t i = 0; i < SW_COUNT(order); i++) {
        struct neighbour *e = first_of(n, order[i]);
        if (e) {
            forget(n, e, &none);
            return;
        }
    }
}

/* A free entry, named and hashed, in no list; room was made before. */
static struct neighbour *take_entry(struct neighbours *n, unsigned link,
                                    const struct sanwo_address *address)
{
    struct neighbour *e = first_of(n, NEIGHBOUR_FREE);
    uint16_t *bucket = bucket_for(n, link, address);

    SW_ASSERT(e);
    unlink_entry(n, e);
    memset(e, 0, sizeof *e);
    e->address = *address;
    e->link = (uint8_t)link;
    e->chain = *bucket;
    *bucket = index_of(n, e);
    return e;
}

/* ---- the interface ----------------------------------------------------------------------------- */

size_t sw_neighbours_size(unsigned limit)
{
    limit = clamp_limit(limit);
    return sw_round_up(sizeof(struct neighbours), 64) + limit * sizeof(struct neighbour) +
           bucket_count(limit) * sizeof(uint16_t);
}

void sw_neighbours_init(struct neighbours *n, unsigned limit, struct siphash_key key)
{
    memset(n, 0, sizeof *n);
    limit = clamp_limit(limit);
    n->key = key;
    n->limit = (uint16_t)limit;
    n->incomplete_limit = (uint16_t)(limit / 4);
    n->resolved_limit = (uint16_t)(limit - limit / 4);
    n->mask = (uint16_t)(bucket_count(limit) - 1);
    memset(n->head, 0xff, sizeof n->head);
    memset(n->tail, 0xff, sizeof n->tail);
    memset(buckets_of(n), 0xff, (n->mask + 1u) * sizeof(uint16_t));
    for (unsigned i = 0; i < limit; i++)
        link_last(n, &entries_of(n)[i], NEIGHBOUR_FREE);
}

bool sw_neighbour_lookup(struct neighbours *n, unsigned link, const struct sanwo_address *address,
                         sanwo_time now, struct wire_mac *mac)
{
    struct neighbour *e = find(n, link, address);

    if (!e || e->list == NEIGHBOUR_ASK || e->list == NEIGHBOUR_ASKED)
        return false;
    *mac = e->mac;
    if (e->list != NEIGHBOUR_RESOLVED)
        return true;
    if (now - e->confirmed <= NEIGHBOUR_FRESH) {
        move_last(n, e, NEIGHBOUR_RESOLVED);
        return true;
    }
    /* RFC 1122 2.3.2.1 (2): what is in use is polled by unicast while the old address serves. */
    e->asked = 0;
    e->ask_at = now;
    move_last(n, e, NEIGHBOUR_POLL);
    return true;
}

void sw_neighbour_park(struct neighbours *n, unsigned link, const struct sanwo_address *address,
                       region_ref frame, sanwo_time now, struct neighbour_frames *dropped)
{
    struct neighbour *e = find(n, link, address);
    struct neighbour_frames *w;

    dropped->count = 0;
    if (!e) {
        make_room_incomplete(n, dropped);
        e = take_entry(n, link, address);
        e->ask_at = now;
        link_last(n, e, NEIGHBOUR_ASK);
    }
    w = &e->waiting;
    if (w->count == NEIGHBOUR_QUEUE) {
        /* RFC 1122 2.3.2.2: the latest is the one to keep. */
        dropped->frames[dropped->count++] = w->frames[0];
        memmove(w->frames, w->frames + 1, (NEIGHBOUR_QUEUE - 1) * sizeof w->frames[0]);
        w->count--;
    }
    w->frames[w->count++] = frame;
}

/* An entry with a link address hears it again, or another one. */
static bool confirm(struct neighbours *n, struct neighbour *e, const struct wire_mac *mac,
                    sanwo_time now)
{
    /*
     * RFC 826 has the new address supersede the old one. Two hosts that fight for an address would
     * take it from each other with every packet; who was heard first keeps it for a while.
     */
    if (!sw_wire_mac_equal(&e->mac, mac) && now - e->confirmed < NEIGHBOUR_LOCK)
        return false;
    e->mac = *mac;
    e->confirmed = now;
    if (e->list != NEIGHBOUR_RESOLVED)
        move_last(n, e, NEIGHBOUR_RESOLVED);
    return true;
}

bool sw_neighbour_learn(struct neighbours *n, unsigned link, const struct sanwo_address *address,
                        const struct wire_mac *mac, bool add, sanwo_time now,
                        struct neighbour_frames *released)
{
    struct neighbour *e = find(n, link, address);

    released->count = 0;
    if (!e && !add)
        return false;
    if (e && e->list != NEIGHBOUR_ASK && e->list != NEIGHBOUR_ASKED)
        return confirm(n, e, mac, now);
    make_room_resolved(n);
    if (e) {
        take_frames(e, released);
        move_last(n, e, NEIGHBOUR_RESOLVED);
    } else {
        /* Nobody here asked for it: first to go, until it is used. */
        e = take_entry(n, link, address);
        link_first(n, e, NEIGHBOUR_RESOLVED);
    }
    e->mac = *mac;
    e->confirmed = now;
    return true;
}

/* The next entry that has something to do, whenever that is. */
static struct neighbour *next_due(const struct neighbours *n)
{
    static const uint8_t lists[] = {NEIGHBOUR_ASK, NEIGHBOUR_POLL, NEIGHBOUR_ASKED,
                                    NEIGHBOUR_POLLED};
    struct neighbour *best = NULL;

    for (size_t i = 0; i < SW_COUNT(lists); i++) {
        struct neighbour *e = first_of(n, lists[i]);
        if (e && (!best || e->ask_at < best->ask_at))
            best = e;
    }
    return best;
}

/* RFC1122-2.3.2-1. */
void sw_neighbours_poll(struct neighbours *n, sanwo_time now, struct neighbour_task *task)
{
    struct neighbour *e = next_due(n);

    memset(task, 0, sizeof *task);
    if (!e || e->ask_at > now)
        return;
    task->address = e->address;
    task->link = e->link;
    if (e->asked == NEIGHBOUR_TRIES) {
        task->kind = NEIGHBOUR_TASK_DROP;
        forget(n, e, &task->frames);
        return;
    }
    task->kind = NEIGHBOUR_TASK_ASK;
    task->unicast = e->list == NEIGHBOUR_POLL || e->list == NEIGHBOUR_POLLED;
    task->mac = e->mac;
    e->asked++;
    e->ask_at = now + NEIGHBOUR_RETRY;
    move_last(n, e, task->unicast ? NEIGHBOUR_POLLED : NEIGHBOUR_ASKED);
}

sanwo_time sw_neighbours_deadline(const struct neighbours *n)
{
    const struct neighbour *e = next_due(n);

    return e ? e->ask_at : SANWO_TIME_NEVER;
}

bool sw_neighbours_forget(struct neighbours *n, unsigned link, unsigned *cursor,
                          struct neighbour_frames *frames)
{
    while (*cursor < n->limit) {
        struct neighbour *e = &entries_of(n)[(*cursor)++];
        if (e->list != NEIGHBOUR_FREE && e->link == link) {
            forget(n, e, frames);
            return true;
        }
    }
    return false;
}
