/*
 * listener.h - Passive opens: who listens where, the backlog and the accept queue.
 */
#ifndef SW_TCP_OPEN_LISTENER_H
#define SW_TCP_OPEN_LISTENER_H

#include "tcp/tcp.h"

struct tcp_listener {
    struct pool_item item;
    struct sanwo_endpoint local; /* family NONE: any */
    uint32_t flags;              /* SANWO_LISTEN_... */
    uint32_t backlog;            /* most half-open and not accepted together */
    uint32_t half_open;
    sanwo_time cookies_until;   /* SYN cookies may come back until then: open/cookie.c */
    uint32_t fast_open;         /* most `fast_open_pending`; 0: off (RFC 7413 4.2) */
    uint32_t fast_open_pending; /* PendingFastOpenRequests */
    struct {
        uint64_t slot; /* the minute that `now` counts in; `before` is of the minute before */
        uint32_t now, before;
    } fast_open_resets;           /* of pending ones (5.1): open/fast_open.c */
    struct tcp_list accept_queue; /* established connections, by event_link */
    struct tcp_list requests;     /* undecided half-open records not yet seen */
    struct tcp_link event_link;
    uint32_t next_any_port; /* those with ANY_PORT, TCP_NONE ends */
    uint32_t config;
    uint32_t events;
    bool has_events;
    bool fixed_isn;
    uint32_t isn;
    void *user;
};

/* RFC 9293 3.10.1 OPEN, passive. 0 or -SANWO_E... */
int sw_tcp_listen(struct tcp *tcp, const struct sanwo_tcp_listen *open, struct tcp_listener **out);
/*
 * Forgets its half-open records, resets what was not accepted, frees it. @became_active: a
 * connection took its place (LISTEN -> SYN-SENT), so no edge to CLOSED is told.
 */
void sw_tcp_listener_close(struct tcp *tcp, struct tcp_listener *listener, bool became_active);
/* The most specific listener for the local end of @tuple, or NULL. */
struct tcp_listener *sw_tcp_listener_for(struct tcp *tcp, const struct tcp_tuple *tuple, bool ours);
/* RFC 9293 3.10.7.2. */
void sw_tcp_listener_input(struct tcp *tcp, struct tcp_listener *listener, struct tcp_segment *seg);
/* A connection of its became ESTABLISHED. False: the accept queue is full. */
bool sw_tcp_listener_has_room(const struct tcp_listener *listener);
void sw_tcp_listener_deliver(struct tcp *tcp, struct tcp_listener *listener,
                             struct tcp_connection *conn);
void sw_tcp_listener_event(struct tcp *tcp, struct tcp_listener *listener, uint32_t what);
struct tcp_connection *sw_tcp_listener_accept(struct tcp *tcp, struct tcp_listener *listener);
struct tcp_half_open *sw_tcp_listener_request(struct tcp *tcp, struct tcp_listener *listener);

#endif
