/*
 * limiter.h - How often something may be answered: token buckets in virtual time.
 *
 *     limiter        at most `rate` a second, bursts up to a second's worth
 *     peer_limiter   one of those for all, behind one for each peer
 *
 * A limit that all peers share tells an observer, by the answers that it gets itself, how many others
 * got one (SAD DNS, CVE-2016-5696: attacks C-02, C-03). So a peer's own bucket comes first, and the
 * common one is charged by chance: nothing, one or two, one on average.
 */
#ifndef SW_BASE_LIMITER_H
#define SW_BASE_LIMITER_H

#include "base/random.h"

#include <sanwo/types.h>

#define LIMITER_PEERS 64 /* buckets; peers that share one share its rate */

struct limiter {
    uint32_t rate;
    uint32_t tokens;
    sanwo_time refilled;
};

struct peer_limiter {
    struct siphash_key key; /* which peers share a bucket is not for outsiders to know */
    struct limiter common;
    uint32_t debt; /* tokens that chance took from `common` when it had none left */
    struct limiter peers[LIMITER_PEERS];
};

void sw_limiter_init(struct limiter *l, uint32_t rate, sanwo_time now);
/* Takes a token, if there is one. */
bool sw_limiter_take(struct limiter *l, sanwo_time now);

/* @rate for all, @peer_rate for one. */
void sw_peer_limiter_init(struct peer_limiter *l, struct siphash_key key, uint32_t rate,
                          uint32_t peer_rate, sanwo_time now);
/* May the peer whose address (or part of it) is @bytes have an answer? */
bool sw_peer_limiter_take(struct peer_limiter *l, struct random *random, const void *bytes,
                          size_t size, sanwo_time now);

#endif
