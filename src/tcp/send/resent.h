/*
 * resent.h - What was sent again, in the order of transmission: where RACK looks for retransmissions
 * that were lost too.
 */
#ifndef SW_TCP_SEND_RESENT_H
#define SW_TCP_SEND_RESENT_H

#include "base/region.h"
#include "wire/tcp_seq.h"

#include <stdint.h>

struct tcp;
struct tcp_record;

/* One transmission: the records in it that still have its `order`. */
struct tcp_resent {
    tcp_seq seq;
    uint32_t length;
    uint32_t order;
};

/* A ring, part of struct tcp_records. */
struct tcp_resent_queue {
    region_ref ring;
    uint32_t begin, count, capacity;
};

/* Without memory it is left out: its loss is the retransmission timer's to find. */
void sw_tcp_resent_add(struct tcp *tcp, struct tcp_resent_queue *q,
                       const struct tcp_record *record);
/* The i-th oldest; NULL: there are not so many. */
const struct tcp_resent *sw_tcp_resent_at(const struct tcp *tcp, const struct tcp_resent_queue *q,
                                          uint32_t i);
/* The oldest is decided. */
void sw_tcp_resent_drop(struct tcp_resent_queue *q);
/* Nothing is in flight. */
void sw_tcp_resent_clear(struct tcp_resent_queue *q);
/* Nothing will be for a while: gives back what many retransmissions made large. */
void sw_tcp_resent_rest(struct tcp *tcp, struct tcp_resent_queue *q);
void sw_tcp_resent_release(struct tcp *tcp, struct tcp_resent_queue *q);

#endif
