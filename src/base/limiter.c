/*
 * limiter.c - Token buckets in virtual time (RFC 4443 2.4 (f), RFC 1812 4.3.2.8).
 *
 *     rate tokens a second fall in, a second's worth fits; one is taken per packet
 */
#include "base/limiter.h"

void sw_limiter_init(struct limiter *l, uint32_t rate, sanwo_time now)
{
    l->rate = rate;
    l->tokens = rate;
    l->refilled = now;
}

static void refill(struct limiter *l, sanwo_time now)
{
    uint64_t second = (uint64_t)SANWO_SEC(1);
    uint64_t elapsed, fallen;

    if (now <= l->refilled)
        return;
    elapsed = (uint64_t)now - (uint64_t)l->refilled;
    if (elapsed >= second) {
        l->tokens = l->rate;
        l->refilled = now;
        return;
    }
    fallen = elapsed * l->rate / second;
    l->tokens = fallen < l->rate - l->tokens ? l->tokens + (uint32_t)fallen : l->rate;
    /* Only the time that whole tokens took, rounded so that no token comes early. */
    l->refilled += (sanwo_time)((fallen * second + l->rate - 1) / l->rate);
}

bool sw_limiter_take(struct limiter *l, sanwo_time now)
{
    if (l->rate == 0)
        return false;
    refill(l, now);
    if (l->tokens == 0)
        return false;
    l->tokens--;
    return true;
}

void sw_peer_limiter_init(struct peer_limiter *l, struct siphash_key key, uint32_t rate,
                          uint32_t peer_rate, sanwo_time now)
{
    l->key = key;
    l->debt = 0;
    sw_limiter_init(&l->common, rate, now);
    for (size_t i = 0; i < LIMITER_PEERS; i++)
        sw_limiter_init(&l->peers[i], peer_rate, now);
}

/* A token of the common bucket, which pays its debts first. */
static bool take_common(struct peer_limiter *l, sanwo_time now)
{
    while (l->debt && sw_limiter_take(&l->common, now))
        l->debt--;
    return !l->debt && sw_limiter_take(&l->common, now);
}

bool sw_peer_limiter_take(struct peer_limiter *l, struct random *random, const void *bytes,
                          size_t size, sanwo_time now)
{
    struct limiter *peer = &l->peers[sw_siphash_table(&l->key, bytes, size) % LIMITER_PEERS];
    if (!sw_limiter_take(peer, now) || !take_common(l, now))
        return false;
    switch (sw_random_below(random, 3)) {
    case 0:
        l->common.tokens++;
        break;
    case 2:
        l->debt++;
        break;
    default:
        break;
    }
    return true;
}
