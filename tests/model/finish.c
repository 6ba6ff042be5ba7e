/*
 * finish.c - The fair end: the wire delivers everything in order, timers fire in the order of their
 * deadlines, applications finish. From every situation both hosts must come to nothing at all.
 *
 * Two manners: at once (both users close, whatever is still to come), and patient (they shut down,
 * read to the end, then close). What comes next is a function of the situation alone, so ends
 * that meet go on as one, and each situation is passed once.
 */
#include "model.h"

static bool say(struct model_step *step, uint8_t kind, unsigned side)
{
    *step = (struct model_step){kind, (uint8_t)side, 0};
    return true;
}

static bool close_all(const struct model *m, struct model_step *step)
{
    for (unsigned side = 0; side < 2; side++) {
        if (m->at.end[side].has_conn)
            return say(step, STEP_CLOSE, side);
        if (m->at.end[side].has_listener)
            return say(step, STEP_UNLISTEN, side);
    }
    return false;
}

/* One user's next call, if it has one to make now. */
static bool go_on(const struct model *m, unsigned side, struct model_step *step)
{
    const struct model_end *end = &m->at.end[side];
    struct sanwo_tcp_info info;

    if (!end->has_conn || sanwo_tcp_info(m->host[side].stack, end->conn, &info) < 0)
        return false;
    if (end->failed)
        return say(step, STEP_CLOSE, side);
    if (m->scenario->allow[side].read_by_hand && !end->eof &&
        (info.receive_queued || info.peer_closed))
        return say(step, STEP_READ, side);
    if (end->eof && end->shut)
        return say(step, STEP_CLOSE, side);
    if (!end->shut && info.state >= SANWO_TCP_ESTABLISHED)
        return say(step, STEP_SHUTDOWN, side);
    return false;
}

static bool nearest_timer(const struct model *m, struct model_step *step)
{
    sanwo_time wait[2];
    for (unsigned side = 0; side < 2; side++) {
        sanwo_time when = model_next_timer(m, side);
        wait[side] = when == SANWO_TIME_NEVER ? when : when - sanwo_stack_now(m->host[side].stack);
    }
    if (wait[0] == SANWO_TIME_NEVER && wait[1] == SANWO_TIME_NEVER)
        return false;
    return say(step, STEP_TIMER, wait[1] < wait[0]);
}

bool model_finish_step(struct model *m, enum model_manner manner, struct model_step *step)
{
    if (manner == FINISH_AT_ONCE && close_all(m, step))
        return true;
    for (unsigned side = 0; side < 2; side++)
        if (m->at.wire[1 - side].count)
            return say(step, STEP_DELIVER, side);
    for (unsigned side = 0; side < 2; side++)
        if (go_on(m, side, step))
            return true;
    for (unsigned side = 0; side < 2; side++)
        if (m->at.wire[1 - side].strays)
            return say(step, STEP_STRAY, side);
    return nearest_timer(m, step) || close_all(m, step);
}
