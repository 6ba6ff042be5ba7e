/*
 * crowd.c - Many members that all do the same: a dozen bytes each, so that a hundred thousand are cheap.
 *
 *     member i: 11.0.0.0 + i, port 1024 + i % 60000
 */
#include "attacks/attack.h"

#include <stdlib.h>

uint32_t crowd_address(uint32_t i)
{
    return CROWD_ADDRESS + i;
}

struct crowd *crowd_of(const struct attack *a)
{
    return a->context;
}

static uint16_t port_of(uint32_t i)
{
    return (uint16_t)(1024 + i % 60000);
}

static void emit(struct attack *a, uint32_t i, uint8_t flags, const uint8_t *payload,
                 uint16_t length)
{
    const struct crowd *c = crowd_of(a);
    const struct crowd_member *m = &c->members[i];
    bool syn = flags & HOSTILE_SYN;
    attack_send(a, &(struct hostile_segment){.from = crowd_address(i),
                                             .from_port = port_of(i),
                                             .to_port = SERVER_PORT,
                                             .seq = m->seq,
                                             .ack = flags & HOSTILE_ACK ? m->ack : 0,
                                             .flags = flags,
                                             .window = syn ? c->plan.syn_window : c->plan.window,
                                             .options = c->plan.options,
                                             .options_length = syn ? c->plan.options_length : 0,
                                             .payload = payload,
                                             .length = length});
}

void crowd_send(struct attack *a, uint32_t i, uint8_t flags, const uint8_t *payload,
                uint16_t length)
{
    struct crowd_member *m = &crowd_of(a)->members[i];
    emit(a, i, flags, payload, length);
    m->seq += length + ((flags & (HOSTILE_SYN | HOSTILE_FIN)) != 0);
}

static void on_syn_ack(struct attack *a, uint32_t i, const struct hostile_segment *seg)
{
    struct crowd *c = crowd_of(a);
    struct crowd_member *m = &c->members[i];
    uint8_t request[5] = {c->plan.verb}, flags = HOSTILE_ACK;
    hostile_put32(request + 1, c->plan.number);
    if (c->plan.fin)
        flags |= HOSTILE_FIN;
    m->ack = seg->seq + 1;
    m->state = CROWD_OPEN;
    c->established++;
    crowd_send(a, i, flags, request, c->plan.verb ? sizeof(request) : 0);
}

static void seen(struct attack *a, const struct hostile_segment *seg)
{
    struct crowd *c = crowd_of(a);
    uint32_t i = seg->to - CROWD_ADDRESS;
    if (i >= c->plan.size || c->members[i].state == CROWD_NONE)
        return;
    struct crowd_member *m = &c->members[i];
    if (seg->flags & HOSTILE_RST) {
        c->reset += m->state != CROWD_OVER;
        m->state = CROWD_OVER;
        return;
    }
    if (m->state == CROWD_SYN_SENT && seg->flags == (HOSTILE_SYN | HOSTILE_ACK)) {
        on_syn_ack(a, i, seg);
        return;
    }
    if (c->plan.answer) {
        c->plan.answer(a, i, seg);
        return;
    }
    if (c->plan.silent || m->state != CROWD_OPEN)
        return;
    m->received += seg->length;
    uint32_t end = seg->seq + seg->length + (seg->flags & HOSTILE_FIN);
    if ((int32_t)(end - m->ack) > 0 && seg->seq == m->ack) {
        m->ack = end;
        crowd_send(a, i, HOSTILE_ACK, NULL, 0);
    }
}

static void tick(struct attack *a)
{
    struct crowd *c = crowd_of(a);
    for (uint32_t n = 0; n < c->plan.per_tick && c->started < c->plan.size; n++) {
        uint32_t i = c->started++;
        c->members[i] = (struct crowd_member){.seq = attack_random(a), .state = CROWD_SYN_SENT};
        crowd_send(a, i, HOSTILE_SYN, NULL, 0);
    }
    if (c->plan.tick)
        c->plan.tick(a);
}

void crowd_start(struct attack *a, struct crowd *c, const struct crowd_plan *plan, sanwo_time every)
{
    *c = (struct crowd){.plan = *plan};
    c->members = calloc(plan->size, sizeof(c->members[0]));
    assert_non_null(c->members);
    if (!c->plan.syn_window)
        c->plan.syn_window = 65535;
    a->context = c;
    a->seen = seen;
    a->tick = tick;
    a->tick_every = every;
    a->next_tick = a->now;
}

void crowd_free(struct attack *a, struct crowd *c)
{
    a->tick = NULL;
    a->seen = NULL;
    a->context = NULL;
    free(c->members);
}

void crowd_mount(struct attack *a)
{
    while (crowd_of(a)->started < crowd_of(a)->plan.size)
        attack_run(a, a->tick_every);
}
