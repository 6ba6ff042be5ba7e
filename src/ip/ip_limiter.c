/*
 * ip_limiter.c - A token bucket in virtual time (RFC 4443 2.4 (f), RFC 1812 4.3.2.8).
 *
 *     rate tokens a second fall in, a second's worth fits; one is taken per packet
 */
#include "ip/ip_internal.h"

void sw_ip_limiter_init(struct ip_limiter *l, uint32_t rate, sanwo_time now)
{
    l->rate = rate;
    l->tokens = rate;
    l->refilled = now;
}

static void refill(struct ip_limiter *l, sanwo_time now)
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

bool sw_ip_limiter_take(struct ip_limiter *l, sanwo_time now)
{
    if (l->rate == 0)
        return false;
    refill(l, now);
    if (l->tokens == 0)
        return false;
    l->tokens--;
    return true;
}
