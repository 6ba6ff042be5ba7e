/*
 * pairs.c - Which states the two ends of one connection may be in at the same time.
 *
 * RFC 9293 gives each end's transitions; what one end has seen binds the other (all of it is in 3.5,
 * 3.6 and figure 5):
 *
 *   a  ESTABLISHED and later: my SYN was acknowledged, so the peer has received it and is in
 *      SYN-RECEIVED or later. SYN-RECEIVED that the user closes is FIN-WAIT-1 with the SYN still out.
 *   b  CLOSE-WAIT, LAST-ACK, CLOSING, TIME-WAIT: I have the peer's FIN, so the peer has sent it: it is
 *      in none of SYN-SENT, SYN-RECEIVED, ESTABLISHED, CLOSE-WAIT.
 *   c  FIN-WAIT-2, TIME-WAIT: the peer acknowledged my FIN, so it has it: it is in one of CLOSE-WAIT,
 *      LAST-ACK, CLOSING, TIME-WAIT.
 *   d  CLOSE-WAIT, LAST-ACK: I sent my FIN (if at all) after I had the peer's, so my FIN acknowledges
 *      the peer's. A peer that has my FIN knows its own to be acknowledged: it is not in CLOSING,
 *      and not in CLOSE-WAIT or LAST-ACK either, where it would claim the same of mine.
 *
 * In between, acknowledgements are under way, which is why FIN-WAIT-1 goes with so many.
 *
 *               SYN-S SYN-R ESTAB FIN-1 FIN-2 CL-WT CLOSG L-ACK TIM-W
 *     SYN-SENT    x     x           x
 *     SYN-RECVD   x     x     x     x
 *     ESTAB             x     x     x                                    a
 *     FIN-WAIT-1  x     x     x     x           x     x     x
 *     FIN-WAIT-2                                x     x     x            c
 *     CLOSE-WAIT                    x     x                              b d
 *     CLOSING                       x     x           x           x      b d
 *     LAST-ACK                      x     x                       x      b d
 *     TIME-WAIT                                       x     x     x      b c
 *
 * An end that has nothing (CLOSED, or a listener) goes with every state if its connection was broken:
 * the reset may be lost, and the other end learns it later or never (3.5.1, half-open connections).
 * If it ended in order, the other end has sent its FIN and has ours: LAST-ACK, CLOSING, TIME-WAIT. If it
 * never began, the other end is alone with its SYN.
 *
 * Numbers that do not belong together are an old connection at one end and an attempt at the other
 * (3.5.1 again, and old duplicates of SYNs): one of them is opening. Two ends that both believe to
 * be connected, each with another connection, must never be.
 */
#include "model.h"

#define WITH(state) (1u << SANWO_TCP_##state)

static const uint16_t goes_with[SANWO_TCP_STATE_COUNT] = {
    [SANWO_TCP_SYN_SENT] = WITH(SYN_SENT) | WITH(SYN_RECEIVED) | WITH(FIN_WAIT_1),
    [SANWO_TCP_SYN_RECEIVED] =
        WITH(SYN_SENT) | WITH(SYN_RECEIVED) | WITH(ESTABLISHED) | WITH(FIN_WAIT_1),
    [SANWO_TCP_ESTABLISHED] = WITH(SYN_RECEIVED) | WITH(ESTABLISHED) | WITH(FIN_WAIT_1),
    [SANWO_TCP_FIN_WAIT_1] = WITH(SYN_SENT) | WITH(SYN_RECEIVED) | WITH(ESTABLISHED) |
                             WITH(FIN_WAIT_1) | WITH(CLOSE_WAIT) | WITH(CLOSING) | WITH(LAST_ACK),
    [SANWO_TCP_FIN_WAIT_2] = WITH(CLOSE_WAIT) | WITH(CLOSING) | WITH(LAST_ACK),
    [SANWO_TCP_CLOSE_WAIT] = WITH(FIN_WAIT_1) | WITH(FIN_WAIT_2),
    [SANWO_TCP_CLOSING] = WITH(FIN_WAIT_1) | WITH(FIN_WAIT_2) | WITH(CLOSING) | WITH(TIME_WAIT),
    [SANWO_TCP_LAST_ACK] = WITH(FIN_WAIT_1) | WITH(FIN_WAIT_2) | WITH(TIME_WAIT),
    [SANWO_TCP_TIME_WAIT] = WITH(CLOSING) | WITH(LAST_ACK) | WITH(TIME_WAIT),
};

static const uint16_t opening = WITH(SYN_SENT) | WITH(SYN_RECEIVED);

static bool is_in(uint16_t set, unsigned state)
{
    return set >> state & 1;
}

/* Its SYN is not acknowledged: also in FIN-WAIT-1, if the user closed in SYN-RECEIVED. */
static bool is_opening(const struct model_view *view)
{
    return is_in(opening, view->state) || (view->conn && view->conn->syn_unacked);
}

/* Host @gone has no control block; @state is what the other has. */
static bool check_alone(struct model *m, unsigned gone, unsigned state)
{
    uint16_t allowed = opening;
    if (m->at.end[gone].ended == ENDED_BROKEN)
        return true;
    if (m->at.end[gone].ended == ENDED_IN_ORDER)
        allowed |= WITH(LAST_ACK) | WITH(CLOSING) | WITH(TIME_WAIT);
    if (is_in(allowed, state))
        return true;
    return model_violation(m, "host %u %s, and host %u is in %s", gone,
                           m->at.end[gone].ended == ENDED_IN_ORDER ? "ended in order"
                                                                   : "never began",
                           1 - gone, sanwo_tcp_state_name(state));
}

bool model_belong_together(const struct model_end *a, const struct model_end *b)
{
    return a->known && b->known && (!a->irs_known || a->irs == b->iss) &&
           (!b->irs_known || b->irs == a->iss);
}

bool model_check_pair(struct model *m, const struct model_view view[2])
{
    unsigned a = view[0].state, b = view[1].state;
    const struct model_end *end = m->at.end;

    if (view[0].present && view[1].present)
        m->at.at_odds = !model_belong_together(&end[0], &end[1]);
    if (!view[0].present && !view[1].present) {
        m->at.at_odds = false;
        return true;
    }
    if (!view[0].present)
        return check_alone(m, 0, b);
    if (!view[1].present)
        return check_alone(m, 1, a);
    if (model_belong_together(&end[0], &end[1])) {
        m->pair[a][b]++;
        bool no_syn_yet = a == SANWO_TCP_SYN_SENT || b == SANWO_TCP_SYN_SENT; /* rule a */
        if (is_in(goes_with[a], b) &&
            (!no_syn_yet || (is_opening(&view[0]) && is_opening(&view[1]))))
            return true;
        return model_violation(m, "%s does not go with %s", sanwo_tcp_state_name(a),
                               sanwo_tcp_state_name(b));
    }
    m->half_open_pair[a][b]++;
    if (is_opening(&view[0]) || is_opening(&view[1]))
        return true;
    return model_violation(m, "%s and %s of two connections that are not the same",
                           sanwo_tcp_state_name(a), sanwo_tcp_state_name(b));
}

void model_pairs_report(const struct model *sum, FILE *out)
{
    unsigned allowed = 0, seen = 0, old = 0;
    for (unsigned a = 0; a < SANWO_TCP_STATE_COUNT; a++)
        for (unsigned b = 0; b < SANWO_TCP_STATE_COUNT; b++) {
            allowed += is_in(goes_with[a], b);
            seen += sum->pair[a][b] != 0;
            old += sum->half_open_pair[a][b] != 0;
        }
    fprintf(out, "pairs of states of one connection: %u of the %u that are allowed\n", seen,
            allowed);
    fprintf(out, "pairs of an old connection and an attempt: %u\n", old);
}
