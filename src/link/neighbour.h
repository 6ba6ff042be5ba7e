/*
 * neighbour.h - The neighbour cache: which link address a next hop on an Ethernet has.
 *
 *                 send                         learn
 *     (nothing) --------> incomplete ----------------------> resolved <----------.
 *                            |  three requests, 1 s apart       | older than 60 s | learn
 *                            '--> given up, frames dropped      | and used again  |
 *                                                               '--> polled ------'
 *                                                     three polls unanswered: forgotten
 *
 * Entries of the two kinds never displace each other: a quarter of the cache is for incomplete
 * ones, the rest for resolved ones, each with its own order of use. So a scan of a subnet, which
 * makes us ask for thousands of addresses, costs no resolved neighbour (attack B-29, RFC6583-7-1).
 * Nothing here knows packets: a waiting frame is a region_ref that the caller can interpret.
 * RFC 826; RFC 1122 2.3.2.
 */
#ifndef SW_LINK_NEIGHBOUR_H
#define SW_LINK_NEIGHBOUR_H

#include "base/region.h"
#include "base/siphash.h"
#include "wire/ethernet.h"

#include <sanwo/address.h>

#define NEIGHBOUR_QUEUE 3             /* frames that wait for one answer; the oldest makes room */
#define NEIGHBOUR_TRIES 3             /* requests before we give up */
#define NEIGHBOUR_RETRY SANWO_SEC(1)  /* RFC 1122 2.3.2.1: at most one a second and destination */
#define NEIGHBOUR_FRESH SANWO_SEC(60) /* RFC 1122 2.3.2.1: "on the order of a minute" */
#define NEIGHBOUR_LOCK SANWO_SEC(1)   /* an address confirmed so lately does not move (C-16) */

/* Frames that were waiting and are the caller's again. */
struct neighbour_frames {
    region_ref frames[NEIGHBOUR_QUEUE]; /* oldest first */
    uint8_t count;
};

enum neighbour_list {
    NEIGHBOUR_FREE,
    NEIGHBOUR_ASK,      /* incomplete: a request is due */
    NEIGHBOUR_ASKED,    /* incomplete: waits for the reply, in the order of ask_at */
    NEIGHBOUR_POLL,     /* resolved, but old: a request to its last address is due */
    NEIGHBOUR_POLLED,   /* the same, asked */
    NEIGHBOUR_RESOLVED, /* in the order of use */
    NEIGHBOUR_LISTS
};

#define NEIGHBOUR_NONE UINT16_MAX

struct neighbour {
    sanwo_time confirmed; /* when we last heard its address */
    sanwo_time ask_at;    /* when the next request is due, or we give up */
    struct sanwo_address address;
    struct neighbour_frames waiting;
    struct wire_mac mac;
    uint8_t link;
    uint8_t list;        /* enum neighbour_list */
    uint8_t asked;       /* requests sent */
    uint16_t next, prev; /* in its list */
    uint16_t chain;      /* next with the same hash */
};

struct neighbours {
    struct siphash_key key;
    uint16_t limit; /* entries in all */
    uint16_t incomplete_limit, resolved_limit;
    uint16_t incomplete, resolved;
    uint16_t mask; /* of hash buckets */
    uint16_t head[NEIGHBOUR_LISTS], tail[NEIGHBOUR_LISTS];
    /* struct neighbour[limit], then uint16_t[mask + 1] bucket heads */
};

/* Bytes for a cache of @limit entries; fewer than 4 become 4, more than 32768 become that. */
size_t sw_neighbours_size(unsigned limit);
void sw_neighbours_init(struct neighbours *n, unsigned limit, struct siphash_key key);

/* The link address to send to now; true if known. An old one is used and asked for again. */
bool sw_neighbour_lookup(struct neighbours *n, unsigned link, const struct sanwo_address *address,
                         sanwo_time now, struct wire_mac *mac);
/* Keeps @frame until @address, which lookup did not know, is. @dropped: what had to make room. */
void sw_neighbour_park(struct neighbours *n, unsigned link, const struct sanwo_address *address,
                       region_ref frame, sanwo_time now, struct neighbour_frames *dropped);
/*
 * @address was heard to be at @mac. An entry there is updates; one that is not is made only with
 * @add. True if the cache believes it now; @released: the frames that were waiting for it.
 */
bool sw_neighbour_learn(struct neighbours *n, unsigned link, const struct sanwo_address *address,
                        const struct wire_mac *mac, bool add, sanwo_time now,
                        struct neighbour_frames *released);

enum neighbour_task_kind {
    NEIGHBOUR_TASK_NONE,
    NEIGHBOUR_TASK_ASK,  /* send a request for `address`, to `mac` if `unicast` */
    NEIGHBOUR_TASK_DROP, /* no answer came: `frames` are the caller's again */
};

struct neighbour_task {
    enum neighbour_task_kind kind;
    struct sanwo_address address;
    struct neighbour_frames frames;
    struct wire_mac mac;
    uint16_t link;
    bool unicast;
};

/* What is due by now, one task a call, until NONE. */
void sw_neighbours_poll(struct neighbours *n, sanwo_time now, struct neighbour_task *task);
/* When something is due; SANWO_TIME_NEVER if nothing. */
sanwo_time sw_neighbours_deadline(const struct neighbours *n);
/*
 * Forgets one entry of @link, from *@cursor on (0 at first); its frames are the caller's again.
 * False: none is left.
 */
bool sw_neighbours_forget(struct neighbours *n, unsigned link, unsigned *cursor,
                          struct neighbour_frames *frames);

#endif
