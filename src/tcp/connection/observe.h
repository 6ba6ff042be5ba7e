/*
 * observe.h - Telling the observer, and counting the reasons. A predicted branch when nobody looks.
 */
#ifndef SW_TCP_CONNECTION_OBSERVE_H
#define SW_TCP_CONNECTION_OBSERVE_H

#include "tcp/tcp.h"

/* Who it happened to, where there is no control block (half-open, TIME-WAIT, listener, nobody). */
struct tcp_subject {
    const struct tcp_tuple *tuple;
    struct sanwo_handle handle;
    uint8_t old_state, state;
};

void sw_tcp_observe_slow(struct tcp *tcp, const struct tcp_connection *conn,
                         struct sanwo_observation *o);
void sw_tcp_observe_subject(struct tcp *tcp, const struct tcp_subject *who,
                            enum sanwo_observation_kind kind, enum sanwo_reason why);
void sw_tcp_observe_segment_in(struct tcp *tcp, const struct tcp_segment *seg,
                               const struct tcp_connection *conn, struct sanwo_handle handle,
                               uint8_t state);
/* Counts the reason and tells. @conn may be NULL; then the segment's tuple says who. */
void sw_tcp_observe_drop(struct tcp *tcp, const struct tcp_segment *seg,
                         const struct tcp_connection *conn, enum sanwo_reason why);

static inline bool sw_tcp_is_observed(const struct tcp *tcp)
{
    return SW_UNLIKELY(tcp->observer.observe != NULL);
}

/* Anything about a connection that has a value or two to tell. */
static inline void sw_tcp_observe(struct tcp *tcp, const struct tcp_connection *conn,
                                  enum sanwo_observation_kind kind, enum sanwo_reason why,
                                  int64_t value, int64_t value2)
{
    if (sw_tcp_is_observed(tcp)) {
        struct sanwo_observation o = {.kind = (uint8_t)kind,
                                      .reason = (uint16_t)why,
                                      .old_state = conn->state,
                                      .value = value,
                                      .value2 = value2};
        sw_tcp_observe_slow(tcp, conn, &o);
    }
}

static inline void sw_tcp_observe_state(struct tcp *tcp, const struct tcp_connection *conn,
                                        uint8_t old, enum sanwo_reason why)
{
    if (sw_tcp_is_observed(tcp)) {
        struct sanwo_observation o = {
            .kind = SANWO_OBSERVE_STATE, .reason = (uint16_t)why, .old_state = old};
        sw_tcp_observe_slow(tcp, conn, &o);
    }
}

static inline struct sanwo_handle sw_tcp_handle(enum tcp_kind kind, const void *object)
{
    const struct pool_item *item = object;
    return (struct sanwo_handle){sw_tcp_name(kind, item->index), item->generation};
}

#endif
