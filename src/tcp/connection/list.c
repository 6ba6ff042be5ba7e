/*
 * list.c - Lists of pooled objects by index.
 */
#include "tcp/connection/list.h"

static struct tcp_link *link_of(const struct tcp_list *l, void *item)
{
    return (struct tcp_link *)(void *)((uint8_t *)item + l->member);
}

static struct tcp_link *link_at(const struct tcp_list *l, const struct pool *p,
                                const struct region *r, uint32_t index)
{
    return link_of(l, sw_pool_at(p, r, index));
}

void sw_tcp_list_init(struct tcp_list *l, size_t member)
{
    *l = (struct tcp_list){TCP_NONE, TCP_NONE, 0, (uint32_t)member};
}

void sw_tcp_list_append(struct tcp_list *l, const struct pool *p, const struct region *r,
                        void *item)
{
    uint32_t index = ((struct pool_item *)item)->index;
    *link_of(l, item) = (struct tcp_link){TCP_NONE, l->tail};
    if (l->tail == TCP_NONE)
        l->head = index;
    else
        link_at(l, p, r, l->tail)->next = index;
    l->tail = index;
    l->count++;
}

void sw_tcp_list_remove(struct tcp_list *l, const struct pool *p, const struct region *r,
                        void *item)
{
    struct tcp_link link = *link_of(l, item);
    if (link.prev == TCP_NONE)
        l->head = link.next;
    else
        link_at(l, p, r, link.prev)->next = link.next;
    if (link.next == TCP_NONE)
        l->tail = link.prev;
    else
        link_at(l, p, r, link.next)->prev = link.prev;
    l->count--;
}

void *sw_tcp_list_first(const struct tcp_list *l, const struct pool *p, const struct region *r)
{
    return l->head == TCP_NONE ? NULL : sw_pool_at(p, r, l->head);
}

void *sw_tcp_list_take(struct tcp_list *l, const struct pool *p, const struct region *r)
{
    void *item = sw_tcp_list_first(l, p, r);
    if (item)
        sw_tcp_list_remove(l, p, r, item);
    return item;
}
