/*
 * state.c - Which state may follow which: RFC 9293 3.3.2, figure 5, as data.
 */
#include "tcp/connection/state.h"

#include "base/bytes.h"
#include "tcp/connection/observe.h"
#include "tcp/connection/peers.h"
#include "tcp/open/fast_open.h"
#include "tcp/tcp.h"

#define TO(state) (1u << SANWO_TCP_##state)

static const uint16_t edges[SANWO_TCP_STATE_COUNT] = {
    [SANWO_TCP_CLOSED] = TO(LISTEN) | TO(SYN_SENT),
    [SANWO_TCP_LISTEN] = TO(SYN_RECEIVED) | TO(SYN_SENT) | TO(CLOSED),
    [SANWO_TCP_SYN_SENT] = TO(SYN_RECEIVED) | TO(ESTABLISHED) | TO(CLOSED),
    [SANWO_TCP_SYN_RECEIVED] = TO(ESTABLISHED) | TO(FIN_WAIT_1) | TO(LISTEN) | TO(CLOSED),
    [SANWO_TCP_ESTABLISHED] = TO(FIN_WAIT_1) | TO(CLOSE_WAIT) | TO(CLOSED),
    [SANWO_TCP_FIN_WAIT_1] = TO(FIN_WAIT_2) | TO(CLOSING) | TO(TIME_WAIT) | TO(CLOSED),
    [SANWO_TCP_FIN_WAIT_2] = TO(TIME_WAIT) | TO(CLOSED),
    [SANWO_TCP_CLOSE_WAIT] = TO(LAST_ACK) | TO(CLOSED),
    [SANWO_TCP_CLOSING] = TO(TIME_WAIT) | TO(CLOSED),
    [SANWO_TCP_LAST_ACK] = TO(CLOSED),
    [SANWO_TCP_TIME_WAIT] = TO(CLOSED),
};

static const char *const names[SANWO_TCP_STATE_COUNT] = {
    "CLOSED",     "LISTEN",     "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
    "FIN-WAIT-2", "CLOSE-WAIT", "CLOSING",  "LAST-ACK",     "TIME-WAIT",
};

const char *sanwo_tcp_state_name(unsigned state)
{
    return state < SW_COUNT(names) ? names[state] : "?";
}

bool sw_tcp_state_can_follow(uint8_t from, uint8_t to)
{
    return edges[from] >> to & 1;
}

/* What later connections to the peer should know (RFC 9040 6.2, RFC 7413 4.1.3.1). */
static void note_end(struct tcp *tcp, struct tcp_connection *conn, uint8_t old,
                     enum sanwo_reason why)
{
    if (old >= SANWO_TCP_ESTABLISHED && old != SANWO_TCP_TIME_WAIT)
        sw_tcp_peers_closed(tcp, conn);
    if (conn->state == SANWO_TCP_CLOSED) {
        sw_tcp_fast_open_ended(tcp, conn, old, why);
        sw_tcp_fast_open_settled(tcp, conn);
    }
}

void sw_tcp_set_state(struct tcp *tcp, struct tcp_connection *conn, enum sanwo_tcp_state next,
                      enum sanwo_reason why)
{
    uint8_t old = conn->state;
    SW_ASSERT(sw_tcp_state_can_follow(old, (uint8_t)next));
    conn->state = (uint8_t)next;
    conn->reason = (uint16_t)why;
    if (SW_UNLIKELY(next == SANWO_TCP_CLOSED || next == SANWO_TCP_TIME_WAIT))
        note_end(tcp, conn, old, why);
    sw_tcp_observe_state(tcp, conn, old, why);
}
