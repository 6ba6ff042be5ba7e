/*
 * state.h - The eleven states and the one door between them (RFC 9293 3.3.2, figure 5).
 */
#ifndef SW_TCP_CONNECTION_STATE_H
#define SW_TCP_CONNECTION_STATE_H

#include <sanwo/observer.h>

struct tcp;
struct tcp_connection;

/* Whether the diagram has that edge. Any state may fall to CLOSED (reset, abort, time-out). */
bool sw_tcp_state_can_follow(uint8_t from, uint8_t to);
/* The only writer of conn->state; tells the observer. */
void sw_tcp_set_state(struct tcp *tcp, struct tcp_connection *conn, enum sanwo_tcp_state next,
                      enum sanwo_reason why);

/* ESTABLISHED and later: both SYNs are acknowledged. */
static inline bool sw_tcp_is_synchronised(uint8_t state)
{
    return state >= SANWO_TCP_ESTABLISHED;
}

/* Our FIN was not queued yet: the user may send. */
static inline bool sw_tcp_may_send_data(uint8_t state)
{
    return state == SANWO_TCP_ESTABLISHED || state == SANWO_TCP_CLOSE_WAIT;
}

/* The peer may still send data (RFC 9293 3.10.7.4, seventh). */
static inline bool sw_tcp_may_receive_data(uint8_t state)
{
    return state == SANWO_TCP_ESTABLISHED || state == SANWO_TCP_FIN_WAIT_1 ||
           state == SANWO_TCP_FIN_WAIT_2;
}

#endif
