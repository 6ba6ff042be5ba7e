/*
 * test_allocations.c - Memory is refused: once at every place of every scenario, then by chance.
 *
 *     scenario, host, n:   warm -> the n-th allocation of the host fails -> run to the end
 *                          -> streams intact or ended with a name -> a new connection works -> clean
 */
#include <stdlib.h>
#include <string.h>

#include "scenarios.h"

/* What lasts are slabs of whole pages; what is forgotten is smaller, headers mostly. */
enum { PAGE = 4096 };

struct totals {
    unsigned runs, refusals, undisturbed, told;
};

static struct world_ground ground;

static int dispose(void **state)
{
    (void)state;
    world_ground_dispose(&ground);
    return 0;
}

static void stop_deciding(struct stage *s)
{
    struct world *w = s->world;

    s->quiet = true;
    if (s->decides) { /* the liveness check wants plain listeners */
        struct sanwo_tcp_listen listen = {.local = {.port = 7}};

        assert_int_equal(sanwo_tcp_close(w->host[1].stack, w->host[1].listener, world_now(w)), 0);
        assert_int_equal(
            sanwo_tcp_listen(w->host[1].stack, &listen, world_now(w), &w->host[1].listener), 0);
    }
}

/* Faults are over: nobody is stuck, nothing is left. */
static void check_recovered(struct stage *s)
{
    struct world *w = s->world;

    for (unsigned side = 0; side < 2; side++) {
        w->fault_every[side] = 0;
        sanwo_stack_inject_fault(w->host[side].stack, 0);
    }
    world_finish(w, SANWO_SEC(3000));
    faults_check_outcome(w);
    stop_deciding(s);
    world_check_clean(w); /* ports are free again, too */
    faults_check_alive(w);
    world_check_clean(w);
    for (unsigned side = 0; side < 2; side++) /* what is remembered of peers is meant to stay */
        sanwo_stack_peers_forget(w->host[side].stack, NULL);
    for (unsigned side = 0; side < 2; side++)
        if (world_memory(w, side) % PAGE != 0)
            world_fail(w, "%c has lost a block: %llu bytes are in use", 'A' + (int)side,
                       (unsigned long long)world_memory(w, side));
}

/*
 * One refusal is no more than a lost packet, if the network loses few and nobody is aborted: no end
 * may hear of it but the one that was not opened.
 */
static bool all_well(const struct scenario *scenario, const struct world *w)
{
    unsigned told = 0;

    for (const struct world_end *end = w->ends; end != NULL; end = end->next) {
        if (end->error != 0 && end->error != SANWO_ENOMEM && !scenario->rough)
            fail_msg("%s: ended with %s", scenario->name, sanwo_error_name(end->error));
        told += end->error == SANWO_ENOMEM;
    }
    assert_true(told <= 1);
    return told == 0;
}

/* Returns false if there were not so many allocations. Cold hosts have no slab of anything yet. */
static bool refuse_one(const struct scenario *scenario, bool warm, unsigned side, uint64_t nth,
                       struct totals *t)
{
    struct stage s;
    uint64_t refused;

    stage_open(&s, scenario, 0, &ground);
    if (warm)
        world_warm_up(s.world);
    if (scenario->prepare != NULL)
        scenario->prepare(&s);
    refused = faults_stats(s.world, side).memory_refused;
    sanwo_stack_inject_fault(s.world->host[side].stack, nth);
    scenario->act(&s);
    world_finish(s.world, SANWO_SEC(3000));
    refused = faults_stats(s.world, side).memory_refused - refused;
    t->runs++;
    t->refusals += refused > 0;
    if (all_well(scenario, s.world))
        t->undisturbed++;
    else
        t->told++;
    check_recovered(&s);
    stage_close(&s);
    return refused > 0;
}

/* E-01, A-16: each allocation of each scenario, on each host. */
static void test_E_01_each_allocation(void **state)
{
    struct totals all = {0};

    (void)state;
    for (size_t i = 0; i < scenario_count; i++) {
        const struct scenario *scenario = &scenarios[i];

        for (unsigned way = 0; way < 4; way++) {
            struct totals t = {0};
            uint64_t nth = 1;

            while (refuse_one(scenario, way & 1, way >> 1, nth, &t)) {
                nth++;
                assert_true(nth < 20000);
            }
            all.runs += t.runs;
            all.refusals += t.refusals;
            all.told += t.told;
        }
    }
    print_message("%u allocations refused, one a run, in %zu scenarios; %u runs with an error\n",
                  all.refusals, scenario_count, all.told);
    assert_true(all.refusals > 3000);
}

/* E-01: one in so many, on both hosts, for a while; then no more. */
static void test_E_01_random_allocations(void **state)
{
    static const uint32_t every[] = {1, 2, 5, 20, 100, 1000}; /* two thirds to 0.1 % */
    unsigned rounds = long_run() ? 100 : 5;
    uint64_t refused = 0;

    (void)state;
    for (size_t i = 0; i < scenario_count; i++) {
        for (size_t k = 0; k < COUNT(every) * rounds; k++) {
            struct stage s;

            stage_open(&s, &scenarios[i], 1 + k, &ground);
            world_warm_up(s.world);
            if (scenarios[i].prepare != NULL)
                scenarios[i].prepare(&s);
            for (unsigned side = 0; side < 2; side++) {
                s.world->fault_every[side] = every[k % COUNT(every)];
                s.world->refused[side] = faults_stats(s.world, side).memory_refused;
                sanwo_stack_inject_fault(s.world->host[side].stack, 1);
            }
            scenarios[i].act(&s);
            world_run(s.world, SANWO_SEC(30));
            for (unsigned side = 0; side < 2; side++)
                refused += faults_stats(s.world, side).memory_refused;
            check_recovered(&s);
            stage_close(&s);
        }
    }
    print_message("%llu allocations refused by chance\n", (unsigned long long)refused);
    assert_true(refused > 5000);
}

/*
 * E-01: who was told ENOMEM is told WRITABLE when there is memory, and need not ask again and again.
 * With text on its way acknowledgements tell it; without, the next turn of the loop.
 */
static void test_E_01_refused_writer_is_told(void **state)
{
    static uint8_t text[60000];
    const struct world_plan stays = {.start = SANWO_SEC(1000000), .ending = WORLD_STAY};

    (void)state;
    for (int way = 0; way < 3; way++) {
        struct world *w = faults_world(__func__, (uint64_t)way, SANWO_MSEC(5));
        struct world_talk *talk = world_open(w, 0, &stays, &stays, NULL);
        struct sanwo_stack *s = w->host[0].stack;
        struct sanwo_room room;
        struct sanwo_frame frame;
        struct sanwo_event event = {0};
        struct sanwo_handle h;
        int64_t result;

        faults_run_until_accepted(w, talk);
        world_run(w, SANWO_SEC(1));
        h = talk->end[0]->handle;
        sanwo_stack_inject_fault(s, 1);
        if (way == 0)
            result = sanwo_tcp_send(s, h, text, 1000, 0, world_now(w));
        else if (way == 1)
            result = sanwo_tcp_send_ref(s, h, text, sizeof(text), 0, world_now(w));
        else
            result = sanwo_tcp_reserve(s, h, 100, &room);
        assert_int_equal(result, -SANWO_ENOMEM);
        assert_true(sanwo_stack_deadline(s) <= world_now(w));
        assert_int_equal(sanwo_stack_transmit(s, &frame, 1, world_now(w)), 0);
        assert_int_equal(sanwo_stack_events(s, &event, 1), 1);
        assert_true(sanwo_handle_equal(event.handle, h));
        assert_true(event.what & SANWO_EVENT_WRITABLE);
        assert_int_equal(sanwo_tcp_send(s, h, text, 1000, 0, world_now(w)), 1000);
        world_destroy(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_E_01_each_allocation),
        cmocka_unit_test(test_E_01_random_allocations),
        cmocka_unit_test(test_E_01_refused_writer_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, dispose);
}
