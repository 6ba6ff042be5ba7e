/*
 * resent.c - The ring of retransmissions.
 */
#include "tcp/send/resent.h"

#include "tcp/send/records.h"

#define FIRST_CAPACITY 16
#define LARGEST_CAPACITY 65536

static struct tcp_resent *at(const struct tcp *tcp, const struct tcp_resent_queue *q, uint32_t i)
{
    struct tcp_resent *ring = sw_region_at(tcp->region, q->ring);
    return &ring[(q->begin + i) & (q->capacity - 1)];
}

static bool grow(struct tcp *tcp, struct tcp_resent_queue *q)
{
    if (q->count < q->capacity)
        return true;
    uint32_t capacity = q->capacity ? q->capacity * 2 : FIRST_CAPACITY;
    region_ref block = 0;
    if (capacity <= LARGEST_CAPACITY)
        block = sw_region_alloc(tcp->region, capacity * sizeof(struct tcp_resent));
    if (!block)
        return false;
    struct tcp_resent *wide = sw_region_at(tcp->region, block);
    for (uint32_t i = 0; i < q->count; i++)
        wide[i] = *at(tcp, q, i);
    if (q->ring)
        sw_region_free(tcp->region, q->ring);
    *q = (struct tcp_resent_queue){.ring = block, .count = q->count, .capacity = capacity};
    return true;
}

void sw_tcp_resent_add(struct tcp *tcp, struct tcp_resent_queue *q, const struct tcp_record *record)
{
    if (grow(tcp, q))
        *at(tcp, q, q->count++) = (struct tcp_resent){record->seq, record->length, record->order};
}

const struct tcp_resent *sw_tcp_resent_at(const struct tcp *tcp, const struct tcp_resent_queue *q,
                                          uint32_t i)
{
    return i < q->count ? at(tcp, q, i) : NULL;
}

void sw_tcp_resent_drop(struct tcp_resent_queue *q)
{
    q->begin++;
    q->count--;
}

void sw_tcp_resent_clear(struct tcp_resent_queue *q)
{
    q->begin = q->count = 0;
}

void sw_tcp_resent_rest(struct tcp *tcp, struct tcp_resent_queue *q)
{
    if (q->capacity > FIRST_CAPACITY)
        sw_tcp_resent_release(tcp, q);
}

void sw_tcp_resent_release(struct tcp *tcp, struct tcp_resent_queue *q)
{
    if (q->ring)
        sw_region_free(tcp->region, q->ring);
    *q = (struct tcp_resent_queue){.ring = 0};
}
