/*
 * stack.h - A whole host in its region: what the public calls share.
 *
 *     region:  | struct sanwo_stack | arrays of ip | arrays of tcp | blocks .......... |
 */
#ifndef SW_STACK_STACK_H
#define SW_STACK_STACK_H

#include "base/random.h"
#include "base/region.h"
#include "ip/ip.h"
#include "tcp/tcp.h"

#include <sanwo/stack.h>

struct sanwo_stack {
    uint64_t magic;
    struct region region;
    struct random random;
    sanwo_time now;
    struct ip ip;
    struct tcp tcp;
    struct {
        struct sanwo_address destination;
        struct ip_path path;
        uint32_t epoch;
        bool known;
    } last_route; /* connections of one peer come in runs: transmit.c */
    struct {
        struct sanwo_address address;
        uint32_t epoch;
        bool ours;
    } last_source; /* of the connection that sent last */
    uint64_t frames_in, frames_out, bytes_in, bytes_out;
    uint64_t frames_lent;  /* transmitted and not yet sent */
    uint64_t buffers_lent; /* borrowed and not yet handed in */
};

/* Time moves forward only. E-03, E-04. */
static inline void sw_stack_clock(struct sanwo_stack *s, sanwo_time now)
{
    if (now > s->now)
        s->now = now;
    s->tcp.now = s->now;
}

/* What a handle names, or NULL. A connection is found only while its user holds it. */
struct tcp_connection *sw_stack_connection(struct sanwo_stack *s, struct sanwo_handle h);
struct tcp_listener;
struct tcp_half_open;
struct tcp_listener *sw_stack_listener(struct sanwo_stack *s, struct sanwo_handle h);
struct tcp_half_open *sw_stack_request(struct sanwo_stack *s, struct sanwo_handle h);

/* Counts a drop below TCP and tells the observer. */
void sw_stack_drop(struct sanwo_stack *s, enum sanwo_reason why);

#endif
