/*
 * step.c - What may happen next, and making it happen.
 *
 * A fault budget bounds what the network does wrong on one path. Losing the first in line is enough:
 * losing a later one is the same as delivering those before it and losing it then. A segment that is
 * doubled or delayed becomes a stray, which comes at any time after, so one fault lets it be
 * overtaken by any number of others.
 */
#include "model.h"

#define ORDINARY_DELAY                                                                             \
    SANWO_MSEC(100) /* a timer that is due so soon may fire with segments in flight */

static bool is_in_flight(const struct model *m)
{
    return m->at.wire[0].count || m->at.wire[1].count;
}

static sanwo_time time_to_fire(const struct model *m, unsigned side)
{
    sanwo_time when = model_next_timer(m, side);
    return when == SANWO_TIME_NEVER ? when : when - sanwo_stack_now(m->host[side].stack);
}

/* Something is lost or late: that the network is slow is a fault too. */
static bool fires_early(const struct model *m, unsigned side)
{
    return is_in_flight(m) && time_to_fire(m, side) > ORDINARY_DELAY;
}

static void add(struct model_step *out, size_t *n, uint8_t kind, unsigned side, unsigned index)
{
    out[(*n)++] = (struct model_step){kind, (uint8_t)side, (uint8_t)index};
}

static void network_steps(const struct model *m, unsigned side, struct model_step *out, size_t *n)
{
    const struct model_wire *wire = &m->at.wire[1 - side]; /* towards this side */
    bool room = wire->strays < MODEL_STRAYS;

    if (wire->count) {
        add(out, n, STEP_DELIVER, side, 0);
        if (m->at.faults) {
            add(out, n, STEP_DROP, side, 0);
            if (room) {
                add(out, n, STEP_DOUBLE, side, 0);
                add(out, n, STEP_DELAY, side, 0);
            }
        }
    }
    for (unsigned i = 0; i < wire->strays; i++)
        if (i == 0 || wire->stray[i] != wire->stray[i - 1])
            add(out, n, STEP_STRAY, side, i);
}

size_t model_steps(const struct model *m, struct model_step *out)
{
    size_t n = 0;
    for (unsigned side = 0; side < 2; side++) {
        network_steps(m, side, out, &n);
        if (time_to_fire(m, side) != SANWO_TIME_NEVER && (m->at.faults || !fires_early(m, side)))
            add(out, &n, STEP_TIMER, side, 0);
        for (uint8_t kind = STEP_LISTEN; kind <= STEP_REBOOT; kind++)
            if (model_application_may(m, side, kind))
                add(out, &n, kind, side, 0);
    }
    return n;
}

/* What was in flight longer than MSL is gone (RFC 9293 3.4.2). */
static void age_the_wire(struct model *m, sanwo_time by)
{
    if (by < MODEL_MSL)
        return;
    for (unsigned side = 0; side < 2; side++)
        m->at.wire[side] = (struct model_wire){0};
}

static bool fire(struct model *m, unsigned side)
{
    sanwo_time before = sanwo_stack_now(m->host[side].stack);
    struct model_wire was[2] = {m->at.wire[0], m->at.wire[1]};
    bool early = fires_early(m, side);

    m->at.wire[0] = m->at.wire[1] = (struct model_wire){0};
    bool well = model_fire(m, side);
    struct model_wire news = m->at.wire[side];
    m->at.wire[0] = was[0];
    m->at.wire[1] = was[1];
    age_the_wire(m, sanwo_stack_now(m->host[side].stack) - before);
    struct model_wire *wire = &m->at.wire[side];
    if (wire->count + news.count > MODEL_FIFO)
        return model_violation(m, "host %u has too many segments in flight: a storm", side);
    for (unsigned i = 0; i < news.count; i++)
        wire->fifo[wire->count++] = news.fifo[i];
    if (early && m->at.faults)
        m->at.faults--;
    return well;
}

static bool network_fault(struct model *m, struct model_step step)
{
    struct model_wire *wire = &m->at.wire[1 - step.side];
    uint32_t name = model_wire_take(wire);

    if (m->at.faults)
        m->at.faults--;
    if (step.kind != STEP_DROP)
        model_wire_add_stray(wire, name);
    return step.kind != STEP_DOUBLE || model_receive(m, step.side, name);
}

static bool act(struct model *m, struct model_step step)
{
    struct model_wire *wire = &m->at.wire[1 - step.side];
    switch (step.kind) {
    case STEP_DELIVER:
        return model_receive(m, step.side, model_wire_take(wire));
    case STEP_STRAY:
        return model_receive(m, step.side, model_wire_take_stray(wire, step.index));
    case STEP_DROP:
    case STEP_DOUBLE:
    case STEP_DELAY:
        return network_fault(m, step);
    case STEP_TIMER:
        return fire(m, step.side);
    default:
        return model_application_do(m, step.side, step.kind) && model_turn(m, step.side);
    }
}

bool model_take(struct model *m, struct model_step step)
{
    struct model_expectation before;
    model_expect(m, step, &before);
    m->trail[0] = before.state;
    m->trail_length = 1;
    return act(m, step) && model_check(m) && model_check_answer(m, step, &before);
}
