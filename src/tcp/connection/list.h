/*
 * list.h - First-in-first-out lists of pooled objects, linked by pool index inside the objects.
 *
 * A list names the pool and the place of its link in the object, so one set of functions serves all.
 */
#ifndef SW_TCP_CONNECTION_LIST_H
#define SW_TCP_CONNECTION_LIST_H

#include "base/pool.h"

#define TCP_NONE UINT32_MAX

struct tcp_link {
    uint32_t next, prev;
};

struct tcp_list {
    uint32_t head, tail;
    uint32_t count;
    uint32_t member; /* offset of the struct tcp_link in the object */
};

void sw_tcp_list_init(struct tcp_list *l, size_t member);
void sw_tcp_list_append(struct tcp_list *l, const struct pool *p, const struct region *r,
                        void *item);
void sw_tcp_list_remove(struct tcp_list *l, const struct pool *p, const struct region *r,
                        void *item);
/* The first object, left in place; NULL if empty. */
void *sw_tcp_list_first(const struct tcp_list *l, const struct pool *p, const struct region *r);
/* Removes and returns the first object; NULL if empty. */
void *sw_tcp_list_take(struct tcp_list *l, const struct pool *p, const struct region *r);

#endif
