/*
 * test_peers.c - Peers that start anew, answer nothing, or come back with the same ports; tables that
 * are full on either side.
 */
#include <stdlib.h>
#include <string.h>

#include "gate.h"

#define DELAY SANWO_MSEC(5)

static const struct world_plan stays = {.ending = WORLD_STAY};

/* ---- E-05 ------------------------------------------------------------------------------------------- */

struct reset_filter {
    unsigned lose; /* so many resets are lost */
    unsigned lost;
};

static bool lose_resets(void *context, struct gate *g, struct gate_packet *p, sanwo_time now)
{
    enum { FLAGS = 13, RST = 4 };
    struct reset_filter *filter = context;
    uint32_t header, payload;
    const uint8_t *tcp = gate_tcp(p, &header, &payload);

    (void)g;
    (void)now;
    if (tcp == NULL || !(tcp[FLAGS] & RST) || filter->lost >= filter->lose)
        return true;
    filter->lost++;
    return false;
}

/* How long until the end is told. */
static sanwo_time time_until_over(struct world *w, const struct world_end *end, sanwo_time limit)
{
    sanwo_time begun = world_now(w);

    while (!end->over && world_now(w) < begun + limit)
        world_run(w, SANWO_MSEC(100));
    if (!end->over)
        world_fail(w, "not told");
    return world_now(w) - begun;
}

/*
 * E-05: B starts anew amid a stream, and its resets get lost. One that gets through ends it with
 * ECONNRESET; if none does, R2 does with ETIMEDOUT.
 */
static void test_E_05_resets_are_lost(void **state)
{
    static const unsigned lost[] = {0, 1, 3, 7, 1000000};
    const struct world_plan sends = {.send = 9000000};

    (void)state;
    for (unsigned i = 0; i < COUNT(lost); i++) {
        struct world *w = faults_world(__func__, i, DELAY);
        struct reset_filter filter = {.lose = lost[i]};
        struct world_talk *talk;
        struct gate *gate;
        bool none = lost[i] > 100;
        sanwo_time took;

        gate = gate_put(w, 0);
        gate->in = lose_resets;
        gate->context = &filter;
        talk = world_open(w, 0, &sends, &stays, NULL);
        faults_run_until_received(w, 300000);
        world_reboot(w, 1);
        took = time_until_over(w, talk->end[0], SANWO_SEC(2000));
        assert_int_equal(talk->end[0]->error, none ? SANWO_ETIMEDOUT : SANWO_ECONNRESET);
        if (none) /* R2: 100 s at least, and an end */
            assert_in_range(took, SANWO_SEC(100), SANWO_SEC(1500));
        else
            assert_true(took < SANWO_SEC(120));
        filter.lose = 0;
        faults_check_alive(w);
        world_destroy(w);
    }
}

/*
 * E-05: nothing is being said when B starts anew. Without keep-alive nobody learns of it, until he
 * says something; with it within the idle time, and the probes if B's resets are lost.
 */
static void test_E_05_reboot_while_idle(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        const struct sanwo_emulator_path path = {.delay = DELAY};
        const struct world_plan more = {.send = 100};
        bool keepalive = i & 1, deaf = i & 2, dead = i & 4;
        struct reset_filter filter = {.lose = deaf ? 1000000 : 0};
        struct world_config c;
        struct world_talk *talk;
        struct world_end *end;
        struct gate *gate;
        struct world *w;
        sanwo_time took;

        faults_config(&c, __func__);
        world_config_path(&c, &path);
        c.salt = i;
        c.stack[0].tcp.keepalive = keepalive;
        c.stack[0].tcp.keepalive_idle = SANWO_SEC(600);
        c.stack[0].tcp.keepalive_interval = SANWO_SEC(30);
        c.stack[0].tcp.keepalive_probes = 5;
        w = world_create(&c);
        gate = gate_put(w, 0);
        gate->in = lose_resets;
        gate->context = &filter;
        talk = world_open(w, 0, &stays, &stays, NULL);
        faults_run_until_accepted(w, talk);
        world_run(w, SANWO_SEC(1));
        end = talk->end[0];
        world_reboot(w, 1);
        if (dead)
            faults_mute(w, 1, true, DELAY);
        if (keepalive) {
            took = time_until_over(w, end, SANWO_SEC(2000));
            assert_in_range(took, SANWO_SEC(598), SANWO_SEC(deaf || dead ? 600 + 151 : 601));
        } else {
            world_run(w, SANWO_SEC(86400));
            assert_false(end->over);
            world_change_plan(end, &more);
            took = time_until_over(w, end, SANWO_SEC(2000));
            assert_true(deaf || dead ? took > SANWO_SEC(100) : took < SANWO_SEC(1));
        }
        assert_int_equal(end->error, deaf || dead ? SANWO_ETIMEDOUT : SANWO_ECONNRESET);
        world_destroy(w);
    }
}

/* E-05: B goes while a connection opens or closes: an end, with a name, in a bounded time. */
static void test_E_05_reboot_at_any_moment(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        const struct world_plan both = {.send = 2000};
        struct world *w = faults_world(__func__, i, DELAY);
        struct world_talk *talk = world_open(w, i & 1, &both, &both, NULL);
        sanwo_time end;

        w->rough = true;
        world_run(w, (sanwo_time)i * SANWO_USEC(700));
        world_reboot(w, 1);
        end = world_now(w) + SANWO_SEC(1200);
        while (w->open_ends > 0 && world_now(w) < end)
            world_run(w, SANWO_SEC(1));
        if (w->open_ends > 0)
            world_fail(w, "somebody still waits for the dead");
        assert_non_null(talk);
        faults_check_alive(w);
        world_check_clean(w);
        world_destroy(w);
    }
}

/* ---- E-16 ------------------------------------------------------------------------------------------- */

/*
 * E-16: A starts anew and opens the very same pair of endpoints again and again, while B still holds
 * the old connection, in any of its states. RFC 9293 3.5.1: B's answer is reset, the SYN comes again
 * and opens. Nothing of an old stream gets into a new one (RFC 6528).
 */
static void test_E_16_same_ports_again(void **state)
{
    unsigned rounds = long_run() ? 400 : 40;

    (void)state;
    for (unsigned i = 0; i < rounds; i++) {
        const struct sanwo_emulator_path path = {.delay = DELAY};
        const struct world_plan old = {.send = 60000, .ending = i % 3 == 2 ? WORLD_STAY : 0};
        const struct world_plan again = {.send = 30000};
        struct world_config c;
        struct world_talk *talk;
        uint32_t isn[8] = {0};
        struct world *w;

        faults_config(&c, __func__);
        world_config_path(&c, &path);
        c.salt = i;
        c.stack[0].ephemeral_first = c.stack[0].ephemeral_last = 40000;
        w = world_create(&c);
        w->rough = true;
        for (unsigned k = 0; k < COUNT(isn); k++) {
            assert_non_null(world_open(w, 0, &old, &old, NULL));
            isn[k] = faults_info(w->last_talk->end[0]).iss;
            for (unsigned j = 0; j < k; j++)
                assert_true(isn[j] != isn[k]);
            world_run(w, (sanwo_time)chance_below(&w->chance, SANWO_MSEC(60)));
            world_reboot(w, 0);
            if (i % 4 == 3) /* some time passes */
                world_run(w, (sanwo_time)chance_below(&w->chance, SANWO_SEC(90)));
        }
        talk = world_open(w, 0, &again, &again, NULL);
        world_finish(w, SANWO_SEC(300));
        world_check_complete(w, talk);
        assert_int_equal(talk->port, 40000);
        world_check_clean(w);
        world_destroy(w);
    }
}

struct recorder {
    struct gate_packet *kept[400];
    unsigned count;
    bool stop;
};

/* What A sends is noted. */
static bool record(void *context, struct gate *g, struct gate_packet *p, sanwo_time now)
{
    struct recorder *r = context;
    struct gate_packet *copy;

    (void)g;
    (void)now;
    if (r->stop || r->count == COUNT(r->kept))
        return true;
    copy = malloc(sizeof(*copy) + p->length);
    assert_non_null(copy);
    copy->length = p->length;
    copy->bytes = (uint8_t *)(copy + 1);
    memcpy(copy->bytes, p->bytes, p->length);
    r->kept[r->count++] = copy;
    return true;
}

/*
 * E-16: segments of the life before are still under way, and arrive amid the next connection of the
 * same ports. None of their bytes gets in, and none of their resets or FINs ends it.
 */
static void test_E_16_old_segments_arrive(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        const struct sanwo_emulator_path path = {.delay = DELAY};
        const struct world_plan old = {.send = 200000};
        const struct world_plan again = {
            .send = 400000, .most_read = 9000, .stall_ppm = 100000, .stall = SANWO_MSEC(20)};
        struct recorder recorder = {.count = 0};
        struct world_config c;
        struct world_talk *talk;
        struct gate *from, *to;
        struct world *w;

        faults_config(&c, __func__);
        world_config_path(&c, &path);
        c.salt = i;
        c.stack[0].ephemeral_first = c.stack[0].ephemeral_last = 40000;
        c.stack[0].tcp.offer_timestamps = i & 1;
        w = world_create(&c);
        from = gate_put(w, 0);
        to = gate_put(w, 1);
        from->out = record;
        from->context = &recorder;
        assert_non_null(world_open(w, 0, &old, &old, NULL));
        world_run(w, SANWO_MSEC(35 + 10 * (int)i));
        recorder.stop = true;
        w->rough = true;
        world_reboot(w, 0);
        talk = world_open(w, 0, &again, &again, NULL);
        faults_run_until_accepted(w, talk);
        assert_true(recorder.count > 10);
        for (unsigned k = 0; k < recorder.count; k++) {
            gate_inject(to, recorder.kept[k]->bytes, recorder.kept[k]->length);
            if (k % 5 == 0)
                world_run(w, SANWO_MSEC(1));
        }
        world_finish(w, SANWO_SEC(300));
        world_check_complete(w, talk);
        while (recorder.count > 0)
            free(recorder.kept[--recorder.count]);
        world_check_clean(w);
        world_destroy(w);
    }
}

/* ---- E-12 ------------------------------------------------------------------------------------------- */

/*
 * E-12: the tables of connections, half-open ones and TIME-WAITs are full, on either side: connect()
 * says so at once, SYNs wait or are dropped, and who is there already notices nothing.
 */
static void test_E_12_tables_are_full(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        const struct sanwo_emulator_path path = {.delay = DELAY};
        const struct world_plan sends = {.send = 3000000}, little = {.send = 100};
        struct world_talk *first;
        unsigned refused = 0, full = i & 1;
        struct world_config c;
        struct world *w;

        faults_config(&c, __func__);
        world_config_path(&c, &path);
        c.salt = i;
        c.backlog = i < 4 ? 128 : 4;
        c.stack[full].max_connections = 8;
        c.stack[full].max_half_open = 4;
        c.stack[full].max_time_wait = 2;
        c.stack[full].tcp.syn_cookies = i & 2;
        w = world_create(&c);
        w->rough = true;
        first = world_open(w, 0, &sends, &sends, NULL);
        faults_run_until_received(w, 100000);
        for (unsigned k = 0; k < 40; k++) {
            int error;

            if (world_open(w, 0, k % 4 == 0 ? &stays : &little, &little, &error) != NULL)
                continue;
            assert_int_equal(error, SANWO_ELIMIT);
            refused++;
        }
        assert_true(full == 0 ? refused == 40 - 7 : refused == 0);
        world_run(w, SANWO_SEC(30));
        world_check_complete(w, first); /* E-12: existing flows unaffected */
        for (struct world_end *end = w->ends; end != NULL; end = end->next)
            if (end->open)
                world_change_plan(end, &little);
        world_run(w, SANWO_SEC(600));
        assert_true(faults_stats(w, full).time_wait <= 2);
        assert_true(faults_check_outcome(w) >= 1 + (full == 0 ? 7 : 5));
        world_finish(w, SANWO_SEC(600));
        faults_check_alive(w);
        world_check_clean(w);
        world_destroy(w);
    }
}

/* E-12: listeners, links, addresses and routes: the one too many is refused, the others stay. */
static void test_E_12_small_tables(void **state)
{
    const struct world_plan little = {.send = 100};
    struct world *w = faults_world(__func__, 0, DELAY);
    struct sanwo_stack *s = w->host[0].stack;
    const struct sanwo_address nowhere = {0};
    const struct sanwo_link_config link = {.name = "x", .kind = SANWO_LINK_IP, .mtu = 1500};
    struct sanwo_tcp_listen listen = {.local = {.port = 10000}};
    struct sanwo_handle h;
    struct world_talk *talk = world_open(w, 0, &stays, &stays, NULL);
    int result = 0, n = 0;

    (void)state;
    faults_run_until_accepted(w, talk);
    while ((result = sanwo_tcp_listen(s, &listen, world_now(w), &h)) == 0 && n++ < 5000)
        listen.local.port++;
    assert_int_equal(result, -SANWO_ELIMIT);
    assert_int_equal(n, w->config.stack[0].max_listeners - 1);
    for (n = 0; (result = sanwo_stack_link_add(s, &link)) >= 0 && n < 5000;)
        n++;
    assert_int_equal(result, -SANWO_ELIMIT);
    assert_int_equal(n, w->config.stack[0].max_links - 1);
    for (n = 0; n < 5000; n++) {
        struct sanwo_address a = sanwo_address_ipv4(10, 1, (uint8_t)(n >> 8), (uint8_t)(n + 1));

        if ((result = sanwo_stack_address_add(s, 1, &a, 32)) != 0)
            break;
    }
    assert_int_equal(result, -SANWO_ELIMIT);
    for (n = 0; n < 5000; n++) {
        struct sanwo_address a = sanwo_address_ipv4(10, 2, (uint8_t)(n >> 8), (uint8_t)n);

        if ((result = sanwo_stack_route_add(s, &a, 32, &nowhere, 1)) != 0)
            break;
    }
    assert_int_equal(result, -SANWO_ELIMIT);
    assert_false(talk->end[0]->over);
    world_change_plan(talk->end[0], &little);
    world_change_plan(talk->end[1], &little);
    world_finish(w, SANWO_SEC(60));
    world_check_complete(w, talk);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_E_05_resets_are_lost),
        cmocka_unit_test(test_E_05_reboot_while_idle),
        cmocka_unit_test(test_E_05_reboot_at_any_moment),
        cmocka_unit_test(test_E_16_same_ports_again),
        cmocka_unit_test(test_E_16_old_segments_arrive),
        cmocka_unit_test(test_E_12_tables_are_full),
        cmocka_unit_test(test_E_12_small_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
