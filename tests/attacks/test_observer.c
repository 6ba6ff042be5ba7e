/*
 * test_observer.c - Somebody off the path, who counts what he himself is sent: does it tell him of others?
 *
 *     two worlds that differ in what he wants to know; many trials in each, in turn
 *     advantage: the most by which any rule "more than so many answers" is right in one rather than the other
 *
 * Attacks C-02 (CVE-2016-5696), C-03 (SAD DNS), C-14.
 */
#include "attacks/attack.h"

#include <stdlib.h>

#define MOST 2048 /* answers counted in a trial */
#define OBSERVER (CROWD_ADDRESS + 1)
#define OTHERS (CROWD_ADDRESS + 1000)

struct view {
    uint32_t answers;       /* to the observer */
    uint32_t seen[2][MOST]; /* trials of each world with so many */
    uint32_t seq, ack;      /* of the observer's own connection */
    uint32_t other_ack;
    uint32_t trials;
};

static void look(struct attack *a, const struct hostile_segment *seg)
{
    struct view *v = a->context;
    if (seg->to == OBSERVER && !(seg->flags & HOSTILE_SYN))
        v->answers++;
    if (seg->flags == (HOSTILE_SYN | HOSTILE_ACK) && seg->to == OBSERVER)
        v->ack = seg->seq + 1;
    if (seg->flags == (HOSTILE_SYN | HOSTILE_ACK) && seg->to == OTHERS)
        v->other_ack = seg->seq + 1;
}

static void note(struct view *v, unsigned world)
{
    v->seen[world][v->answers < MOST ? v->answers : MOST - 1]++;
    v->answers = 0;
}

static double advantage(const struct view *v)
{
    double below[2] = {0, 0}, all[2] = {0, 0}, most = 0;
    for (unsigned i = 0; i < MOST; i++) {
        all[0] += v->seen[0][i];
        all[1] += v->seen[1][i];
    }
    for (unsigned i = 0; i < MOST; i++) {
        below[0] += v->seen[0][i] / all[0];
        below[1] += v->seen[1][i] / all[1];
        double d = below[0] > below[1] ? below[0] - below[1] : below[1] - below[0];
        most = d > most ? d : most;
    }
    return most;
}

static void open_one(struct attack *a, uint32_t from, const uint32_t *ack)
{
    struct hostile_segment seg = {.from = from,
                                  .from_port = 5000,
                                  .to_port = SERVER_PORT,
                                  .seq = 999,
                                  .flags = HOSTILE_SYN,
                                  .window = 1000};
    attack_send(a, &seg);
    attack_settle(a);
    seg.seq++;
    seg.ack = *ack;
    seg.flags = HOSTILE_ACK;
    attack_send(a, &seg);
    attack_settle(a);
}

/*
 * The question is whether there is a connection with a given port. A hundred SYNs in its name earn a
 * challenge ACK, if there is; the observer then asks for challenges of his own and counts. C-02.
 */
static void test_C_02_challenge_acks(void **state)
{
    static struct view v;
    struct attack a;
    (void)state;
    attack_init(&a);
    a.config.tcp.challenge_interval = SANWO_MSEC(20); /* many in a trial, to see a difference */
    attack_start(&a);
    a.context = &v;
    a.seen = look;
    open_one(&a, OBSERVER, &v.ack);
    open_one(&a, OTHERS, &v.other_ack);
    assert_int_equal(attack_stats(&a).connections, 2);
    v.answers = 0;
    for (unsigned trial = 0; trial < attack_scale(2000, 400); trial++) {
        unsigned world = attack_random(&a) & 1;
        for (unsigned ms = 0; ms < 200; ms++) {
            struct hostile_segment syn = {.from = OTHERS,
                                          .from_port = world ? 5000 : 5001,
                                          .to_port = world ? SERVER_PORT : SERVER_PORT + 1,
                                          .seq = 77,
                                          .flags = HOSTILE_SYN};
            attack_send(&a, &syn);
            attack_flush(&a); /* his own comes after, when a shared limit would be used up */
            syn.from = OBSERVER;
            syn.from_port = 5000;
            syn.to_port = SERVER_PORT;
            attack_send(&a, &syn);
            attack_flush(&a);
            a.now += SANWO_MSEC(1);
        }
        assert_in_range(v.answers, 5, 11);
        note(&v, world);
        a.now += SANWO_SEC(1) + SANWO_USEC(attack_random(&a) % 1000);
    }
    double d = advantage(&v);
    print_message("%s: advantage %.3f\n", __func__, d);
    assert_true(d < 0.2); /* two samples of 200 of the same kind differ by as much */
    attack_drop(&a);
}

/*
 * The question is whether a port is open: a SYN to it, in the name of others, costs no reset. As many
 * probes as the common limit allows, then one of his own: is there still a token? C-03, B-10.
 */
static void test_C_03_reset_limit(void **state)
{
    static struct view v;
    struct attack a;
    uint64_t some = 0;
    (void)state;
    attack_init(&a);
    a.config.reset_rate = 100;
    attack_start(&a);
    a.context = &v;
    a.seen = look;
    for (unsigned trial = 0; trial < attack_scale(4000, 1000); trial++) {
        unsigned open = attack_random(&a) & 1;
        for (unsigned i = 0; i < 100; i++) {
            struct hostile_segment ack = {.from = OTHERS + i,
                                          .from_port = 5000,
                                          .to_port = (uint16_t)(1000 + i),
                                          .seq = 1,
                                          .ack = 1,
                                          .flags = HOSTILE_ACK};
            if (i == 50 && open) { /* nothing is answered there */
                ack.flags = HOSTILE_FIN;
                ack.to_port = SERVER_PORT;
            }
            attack_send(&a, &ack);
        }
        attack_flush(&a);
        for (unsigned i = 0; i < 20; i++)
            attack_send(&a, &(struct hostile_segment){.from = OBSERVER,
                                                      .from_port = 5000,
                                                      .to_port = 999,
                                                      .seq = 1,
                                                      .ack = 1,
                                                      .flags = HOSTILE_ACK});
        attack_flush(&a);
        some += v.answers;
        note(&v, open);
        a.now += SANWO_SEC(2);
    }
    assert_true(some > 0); /* the edge is where he looks for it */
    double d = advantage(&v);
    print_message("%s: advantage %.3f\n", __func__, d);
    assert_true(d < 0.15);
    attack_drop(&a);
}

/* SYNs of others that stay half open, from @count addresses; and their end. */
static void others(struct attack *a, unsigned count, uint8_t flags, uint32_t seq)
{
    for (unsigned i = 0; i < count; i++)
        attack_send(a, &(struct hostile_segment){.from = OTHERS + i,
                                                 .from_port = 5000,
                                                 .to_port = SERVER_PORT,
                                                 .seq = seq,
                                                 .flags = flags});
    attack_flush(a);
}

static void count_syn_acks(struct attack *a, const struct hostile_segment *seg)
{
    struct view *v = a->context;
    if (seg->to == OBSERVER && seg->flags == (HOSTILE_SYN | HOSTILE_ACK))
        v->answers++;
}

/*
 * The question is whether one more is half open. A SYN of his own is answered by a record, which sends
 * the SYN-ACK again a second later, or by a cookie, which does not. C-14.
 */
static void test_C_14_backlog(void **state)
{
    static struct view v;
    struct attack a;
    (void)state;
    attack_init(&a);
    a.backlog = 128;
    attack_start(&a);
    a.context = &v;
    a.seen = count_syn_acks;
    for (unsigned trial = 0; trial < attack_scale(4000, 600); trial++) {
        unsigned world = attack_random(&a) & 1, some = 127;
        others(&a, some + world, HOSTILE_SYN, 1);
        struct hostile_segment own = {.from = OBSERVER,
                                      .from_port = 5000,
                                      .to_port = SERVER_PORT,
                                      .seq = 1,
                                      .flags = HOSTILE_SYN};
        attack_send(&a, &own);
        attack_run(&a, SANWO_MSEC(1100));
        assert_in_range(v.answers, 1, 2);
        note(&v, world);
        own.flags = HOSTILE_RST;
        own.seq = 2;
        attack_send(&a, &own);
        others(&a, some + world, HOSTILE_RST, 2);
        assert_int_equal(attack_stats(&a).half_open, 0);
    }
    double d = advantage(&v);
    print_message("%s: advantage %.3f\n", __func__, d);
    assert_true(d < 0.15);
    attack_drop(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_C_02_challenge_acks),
        cmocka_unit_test(test_C_03_reset_limit),
        cmocka_unit_test(test_C_14_backlog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
