/*
 * test_middleboxes.c - What stands on the path takes options out, moves numbers, clears bits, cuts and
 * joins segments, repeats them, or speaks for the peer. Segments may be dropped; streams are exact.
 */
#include <string.h>

#include "gate.h"

#define DELAY SANWO_MSEC(5)

static const struct sanwo_emulator_path bad_path = {
    .delay = DELAY, .loss_ppm = 10000, .reorder_ppm = 30000};
static const struct world_plan both = {.send = 300000, .most_read = 30000, .patient = true};

static struct world *make(const char *name, uint64_t salt,
                          const struct sanwo_emulator_middlebox *box, uint8_t family)
{
    struct world_config c;

    faults_config(&c, name);
    world_config_path(&c, &bad_path);
    c.salt = salt;
    c.family = family;
    c.middlebox = *box;
    return world_create(&c);
}

static uint8_t family_of(unsigned i)
{
    return i & 1 ? SANWO_FAMILY_IPV6 : SANWO_FAMILY_IPV4;
}

/* A talk each way through the box, complete. */
static void run_through(const char *name, unsigned i, const struct sanwo_emulator_middlebox *box,
                        sanwo_time limit)
{
    struct world *w = make(name, i, box, family_of(i));

    assert_non_null(world_open(w, 0, &both, &both, NULL));
    assert_non_null(world_open(w, 1, &both, &both, NULL));
    faults_finish_complete(w, limit);
}

/* E-15: any of the SYN's options gone, both ways or out of A only. */
static void test_E_15_syn_options_gone(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 64; i++) {
        struct sanwo_emulator_middlebox box = {.strip_outward_only = i & 32};

        if (i & 1)
            box.strip_syn |= SANWO_STRIP_MSS;
        if (i & 2)
            box.strip_syn |= SANWO_STRIP_WINDOW_SCALE;
        if (i & 4)
            box.strip_syn |= SANWO_STRIP_SACK_PERMITTED;
        if (i & 8)
            box.strip_syn |= SANWO_STRIP_TIMESTAMPS;
        if (i & 16)
            box.clamp_mss = 600;
        /* Out of a SYN-ACK only, scaling and timestamps are agreed on for one end and not for the
         * other: that breaks paths in the field, and no end can see why. */
        if (box.strip_outward_only)
            box.strip_syn &= ~(uint32_t)(SANWO_STRIP_WINDOW_SCALE | SANWO_STRIP_TIMESTAMPS);
        run_through(__func__, i, &box, SANWO_SEC(600));
    }
}

/*
 * E-15: the SYNs offered SACK, and then no SACK block ever comes: losses are found by duplicates, or
 * by time.
 */
static void test_E_15_sack_blocks_gone(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        const struct sanwo_emulator_middlebox box = {.strip_later = SANWO_STRIP_SACK,
                                                     .strip_outward_only = i & 2};

        run_through(__func__, i, &box, SANWO_SEC(600));
    }
}

/* E-15: SACK blocks vanish and come back amid the stream. */
static void test_E_15_sack_blocks_come_and_go(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        const struct sanwo_emulator_middlebox none = {0};
        const struct sanwo_emulator_middlebox strip = {.strip_later = SANWO_STRIP_SACK};
        struct world *w = make(__func__, i, &none, family_of(i));

        assert_non_null(world_open(w, 0, &both, &both, NULL));
        for (unsigned k = 0; k < 40; k++) {
            sanwo_emulator_set_middlebox(w->host[0].emulator, k & 1 ? &none : &strip);
            world_run(w, SANWO_MSEC(7 + (int)i));
        }
        sanwo_emulator_set_middlebox(w->host[0].emulator, &none);
        faults_finish_complete(w, SANWO_SEC(600));
    }
}

static uint64_t missing(const struct world *w)
{
    return faults_stats(w, 0).reasons[SANWO_REASON_TIMESTAMP_MISSING] +
           faults_stats(w, 1).reasons[SANWO_REASON_TIMESTAMP_MISSING];
}

/*
 * E-15, RFC7323-3.2-2: timestamps were agreed on and vanish amid the stream, for two minutes, out of A
 * or both ways. Segments without are dropped and nobody aborts; when they are back it goes on.
 */
static void test_E_15_timestamps_vanish_and_return(void **state)
{
    static const int seconds[] = {1, 10, 120};

    (void)state;
    for (unsigned i = 0; i < 4 * COUNT(seconds); i++) {
        const struct sanwo_emulator_middlebox none = {0};
        const struct sanwo_emulator_middlebox strip = {.strip_later = SANWO_STRIP_TIMESTAMPS,
                                                       .strip_outward_only = i & 2};
        const struct world_plan much = {.send = 5000000, .patient = true};
        struct world *w = make(__func__, i, &none, family_of(i));
        struct world_talk *talk = world_open(w, 0, &much, &much, NULL);
        uint64_t resets;

        faults_run_until_received(w, 300000);
        sanwo_emulator_set_middlebox(w->host[0].emulator, &strip);
        world_run(w, SANWO_SEC(seconds[i / 4]));
        assert_true(missing(w) > 0);
        resets = faults_stats(w, 0).resets_out + faults_stats(w, 1).resets_out;
        assert_int_equal(resets, 0);
        assert_false(talk->end[0]->over || talk->end[1]->over);
        sanwo_emulator_set_middlebox(w->host[0].emulator, &none);
        faults_finish_complete(w, SANWO_SEC(600));
    }
}

/* E-15: they never return: no byte is wrong, and the end has a name. */
static void test_E_15_timestamps_gone_for_good(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        const struct sanwo_emulator_middlebox box = {.strip_later = SANWO_STRIP_TIMESTAMPS,
                                                     .strip_outward_only = i & 2};
        struct world *w = make(__func__, i, &box, family_of(i));

        assert_non_null(world_open(w, 0, &both, &both, NULL));
        w->rough = true;
        world_run(w, SANWO_SEC(4000));
        assert_int_equal(w->open_ends, 0);
        for (const struct world_end *end = w->ends; end != NULL; end = end->next)
            assert_true(end->error == SANWO_ETIMEDOUT || end->error == SANWO_ECONNRESET);
        world_check_clean(w);
        world_destroy(w);
    }
}

/*
 * E-15: numbers are moved, and the SACK blocks with them or not: then they speak of what was never
 * sent and must be as if they were not there.
 */
static void test_E_15_numbers_moved(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        const struct sanwo_emulator_middlebox box = {.shift_sequence = true, .forget_sack = i & 2};

        run_through(__func__, i, &box, SANWO_SEC(900));
    }
}

/* E-15: bits of ECN cleared; segments cut in two and put together; all of that at once. */
static void test_E_15_cut_and_joined(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 32; i++) {
        const struct sanwo_emulator_middlebox box = {.bleach_ecn = i & 1,
                                                     .split_ppm = i & 2 ? 300000 : 0,
                                                     .join_ppm = i & 4 ? 300000 : 0,
                                                     .shift_sequence = i & 8,
                                                     .clamp_mss = i & 16 ? 700 : 0};

        run_through(__func__, i, &box, SANWO_SEC(600));
    }
}

/*
 * E-15: a proxy resets both ends, with the right numbers. Each end that was told says ECONNRESET (or
 * REFUSED while opening), no byte is wrong, and the next connection works.
 */
static void test_E_15_proxy_resets(void **state)
{
    unsigned complete = 0, reset = 0;

    (void)state;
    for (unsigned i = 0; i < 60; i++) {
        const struct sanwo_emulator_middlebox none = {0};
        const struct sanwo_emulator_middlebox box = {.reset_ppm = 3000};
        struct world *w = make(__func__, i, &box, family_of(i));
        struct world_talk *talk = world_open(w, i & 1, &both, &both, NULL);

        w->rough = true;
        assert_non_null(talk);
        world_run(w, SANWO_SEC(2000));
        assert_int_equal(w->open_ends, 0);
        for (int k = 0; k < 2; k++) {
            int error = talk->end[k] != NULL ? talk->end[k]->error : 0;

            assert_true(error == 0 || error == SANWO_ECONNRESET || error == SANWO_ECONNREFUSED ||
                        error == SANWO_ETIMEDOUT);
            reset += error != 0;
        }
        complete += faults_check_outcome(w);
        sanwo_emulator_set_middlebox(w->host[0].emulator, &none);
        faults_calm(w, DELAY);
        faults_check_alive(w);
        world_check_clean(w);
        world_destroy(w);
    }
    assert_true(reset > 20 && complete > 0);
}

struct forger {
    unsigned made;
    unsigned kind;
};

/*
 * Before each segment with text comes a reset or a SYN by somebody who does not know the number
 * exactly: off by one, amid the window, at its end, or far away.
 */
static bool forge(void *context, struct gate *g, struct gate_packet *p, sanwo_time now)
{
    enum { FLAGS = 13, SYN = 2, RST = 4, ACK = 16 };
    static const int32_t off[] = {1, -1, 1000, 30000, 0x7fffffff, -100000, 65536};
    struct forger *forger = context;
    uint32_t header, payload, seq;
    uint8_t *tcp = gate_tcp(p, &header, &payload);
    struct gate_packet copy = *p;
    uint8_t bytes[128];

    (void)now;
    if (tcp == NULL || payload == 0 || header > sizeof(bytes))
        return true;
    memcpy(bytes, p->bytes, header);
    copy.bytes = bytes;
    copy.length = header;
    tcp = bytes + (tcp - p->bytes);
    seq = (uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 | (uint32_t)tcp[6] << 8 | tcp[7];
    seq += (uint32_t)off[forger->made % COUNT(off)];
    for (int i = 0; i < 4; i++)
        tcp[4 + i] = (uint8_t)(seq >> (24 - 8 * i));
    tcp[FLAGS] = forger->kind == 0 ? RST : forger->kind == 1 ? RST | ACK : SYN;
    gate_mend(&copy);
    gate_inject(g, bytes, header);
    forger->made++;
    return true;
}

/* E-15, RFC5961-3.2-1: resets and SYNs that are not exact end nothing. */
static void test_E_15_forged_resets(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct world *w = faults_world(__func__, i, DELAY);
        struct forger forger = {.kind = i % 3};
        struct gate *gate = gate_put(w, 1);
        struct world_talk *talk = world_open(w, 0, &both, &both, NULL);

        faults_run_until_accepted(w, talk);
        gate->in = forge;
        gate->context = &forger;
        world_finish(w, SANWO_SEC(300));
        assert_true(forger.made > 100);
        gate->in = NULL;
        faults_finish_complete(w, SANWO_SEC(1));
    }
}

/* ---- E-08 ------------------------------------------------------------------------------------------- */

/* One in fifty comes a hundred times more. */
static bool repeat(void *context, struct gate *g, struct gate_packet *p, sanwo_time now)
{
    unsigned *made = context;

    (void)now;
    for (int i = 0; i < 100 && *made % 50 == 0; i++)
        gate_inject(g, p->bytes, p->length);
    (*made)++;
    return true;
}

/* E-08: duplicates by the hundred, and whole windows that come last first. */
static void test_E_08_repeated_and_reversed(void **state)
{
    (void)state;
    for (unsigned i = 1; i < 16; i++) {
        struct world *w = faults_world(__func__, i, DELAY);
        unsigned made[2] = {0, 0};

        for (unsigned side = 0; side < 2; side++) {
            struct gate *gate = gate_put(w, side);

            gate->in = i >> side & 1 ? repeat : NULL;
            gate->reverse = i >> (2 + side) & 1;
            gate->context = &made[side];
        }
        assert_non_null(world_open(w, 0, &both, &both, NULL));
        assert_non_null(world_open(w, 1, &both, &both, NULL));
        faults_finish_complete(w, SANWO_SEC(600));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_E_15_syn_options_gone),
        cmocka_unit_test(test_E_15_sack_blocks_gone),
        cmocka_unit_test(test_E_15_sack_blocks_come_and_go),
        cmocka_unit_test(test_E_15_timestamps_vanish_and_return),
        cmocka_unit_test(test_E_15_timestamps_gone_for_good),
        cmocka_unit_test(test_E_15_numbers_moved),
        cmocka_unit_test(test_E_15_cut_and_joined),
        cmocka_unit_test(test_E_15_proxy_resets),
        cmocka_unit_test(test_E_15_forged_resets),
        cmocka_unit_test(test_E_08_repeated_and_reversed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
