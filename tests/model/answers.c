/*
 * answers.c - What must not be met with silence, and what must: RFC 9293 3.10.7 and 3.10.5.
 *
 *     CLOSED        anything but RST                        RST
 *     LISTEN        ACK                                     RST
 *                   SYN                                     something
 *     SYN-SENT      an ACK of something else                RST
 *                   SYN                                     something
 *     all others    data, SYN or FIN                        something, at once or by the ACK's timer
 *     any           RST                                     no RST
 *     ABORT         SYN-RECEIVED to CLOSE-WAIT              RST
 *     CLOSE         the same, with data unread              RST     (3.6.1, SHLD-3)
 *
 * An answer lost is a fault of the wire; one that was never given costs the peer a time-out at least,
 * and often nobody would notice.
 */
#include "model.h"

void model_expect(const struct model *m, struct model_step step, struct model_expectation *out)
{
    struct model_view view;
    model_view(m, step.side, &view);
    *out = (struct model_expectation){.state = view.state, .sent = m->at.wire[step.side].count};
    if (view.conn) {
        uint32_t now_ms = (uint32_t)((uint64_t)sanwo_stack_now(m->host[step.side].stack) / 1000000);
        out->is_limited = view.conn->challenged && view.conn->challenge_ms == now_ms;
        out->is_crossing = view.state == SANWO_TCP_SYN_RECEIVED || view.conn->syn_unacked;
        out->iss = view.conn->send.iss.raw;
        out->has_unread = view.conn->receive.queued > 0;
        out->is_held = view.conn->accepted && !view.conn->closed_by_user;
    }
    const struct model_wire *wire = &m->at.wire[1 - step.side];
    if (step.kind == STEP_STRAY)
        out->segment = wire->stray[step.index];
    else if (step.kind == STEP_DELIVER || step.kind == STEP_DOUBLE)
        out->segment = wire->fifo[0];
}

/* Whether one of the segments that the host has sent since then has one of @flags. */
static bool has_sent(const struct model *m, unsigned side, unsigned since, uint8_t flags)
{
    const struct model_wire *wire = &m->at.wire[side];
    struct model_fields f;
    for (unsigned i = since; i < wire->count; i++) {
        model_segment_read(model_segment_at(m, wire->fifo[i]), &f);
        if (f.flags & flags)
            return true;
    }
    return false;
}

static bool will_acknowledge(const struct model *m, unsigned side)
{
    struct model_view view;
    model_view(m, side, &view);
    return view.conn && view.conn->deadline.delayed_ack != SANWO_TIME_NEVER;
}

static bool complain(struct model *m, unsigned side, const struct model_expectation *before,
                     const char *what)
{
    return model_violation(m, "host %u in %s: %s", side, sanwo_tcp_state_name(before->state), what);
}

static bool check_segment(struct model *m, unsigned side, const struct model_expectation *before)
{
    struct model_fields f;
    model_segment_read(model_segment_at(m, before->segment), &f);
    bool reset_sent = has_sent(m, side, before->sent, TCP_RST);
    bool sent = m->at.wire[side].count > before->sent;
    bool occupies = f.length || (f.flags & (TCP_SYN | TCP_FIN));

    if (f.flags & TCP_RST)
        return !reset_sent || complain(m, side, before, "a reset is answered with a reset");
    if (before->state == SANWO_TCP_CLOSED)
        return reset_sent || complain(m, side, before, "a segment is not answered with a reset");
    if (before->state == SANWO_TCP_LISTEN && (f.flags & TCP_ACK))
        return reset_sent || complain(m, side, before, "an ACK is not answered with a reset");
    if (before->state == SANWO_TCP_SYN_SENT && (f.flags & TCP_ACK) && f.ack != before->iss + 1)
        return reset_sent || complain(m, side, before, "a wrong ACK is not answered with a reset");
    if (before->state <= SANWO_TCP_SYN_SENT)
        return sent || !(f.flags & TCP_SYN) || complain(m, side, before, "a SYN is not answered");
    if (before->is_crossing && (f.flags & TCP_SYN) && (f.flags & TCP_ACK))
        return true; /* figure 8, line 6: what it brings completes the handshake, and needs no answer */
    return !occupies || sent || before->is_limited || will_acknowledge(m, side) ||
           complain(m, side, before, "data, SYN or FIN is not answered");
}

bool model_check_answer(struct model *m, struct model_step step,
                        const struct model_expectation *before)
{
    bool must_tell = before->state >= SANWO_TCP_SYN_RECEIVED &&
                     before->state <= SANWO_TCP_CLOSE_WAIT && before->is_held;
    bool breaks = step.kind == STEP_ABORT || (step.kind == STEP_CLOSE && before->has_unread);
    if (breaks && must_tell)
        return has_sent(m, step.side, before->sent, TCP_RST) ||
               complain(m, step.side, before, "ABORT, or CLOSE with data unread, sends no reset");
    return !before->segment || check_segment(m, step.side, before);
}
