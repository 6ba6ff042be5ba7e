/*
 * test_drivers.c - Drivers that take nothing, or little, that keep what they were lent, that hand in
 * nonsense, and that lie about checksums. See gate.h.
 */
#include <stdlib.h>
#include <string.h>

#include "gate.h"

#define DELAY SANWO_MSEC(5)

/* ---- E-02: no room -------------------------------------------------------------------------------- */

static void check_in_order(struct world *w, const struct world_talk *talk, unsigned receiver)
{
    struct sanwo_tcp_info info = faults_info(talk->end[receiver]);

    if (info.out_of_order_segments > 0)
        world_fail(w, "%u segments came out of order", info.out_of_order_segments);
}

static const struct world_plan sends = {.send = 3000000, .ending = WORLD_STAY},
                               stays = {.ending = WORLD_STAY};

/* Far enough for cwnd to be worth something. */
static struct world_talk *open_and_grow(struct world *w, unsigned sender)
{
    struct world_talk *talk =
        world_open(w, 0, sender == 0 ? &sends : &stays, sender == 0 ? &stays : &sends, NULL);

    assert_non_null(talk);
    faults_run_until_received(w, 600000);
    return talk;
}

static void finish_stream(struct world *w, const struct world_talk *talk, unsigned sender)
{
    while (talk->end[!sender]->received < sends.send) {
        if (world_now(w) > SANWO_SEC(100))
            world_fail(w, "stuck");
        world_run(w, SANWO_MSEC(1));
    }
}

/* E-02: one to ten thousand times "no room": nothing is lost, sent twice, or out of order. */
static void test_E_02_no_room_so_many_times(void **state)
{
    static const uint64_t times[] = {1, 2, 3, 10, 100, 1000, 10000};

    (void)state;
    for (unsigned i = 0; i < 2 * COUNT(times); i++) {
        const struct sanwo_emulator_path path = {.delay = DELAY};
        unsigned sender = i & 1;
        struct counts counts;
        struct world_config c;
        struct world_talk *talk;
        struct gate *gate;
        struct world *w;

        faults_config(&c, __func__);
        world_config_path(&c, &path);
        counts_watch(&c, &counts);
        c.salt = i;
        w = world_create(&c);
        gate = gate_put(w, sender);
        talk = open_and_grow(w, sender);
        gate->refuse = times[i / 2];
        finish_stream(w, talk, sender);
        assert_int_equal(gate->refused_calls, times[i / 2]);
        assert_int_equal(faults_stats(w, sender).segments_retransmitted, 0);
        assert_int_equal(counts.timers[sender][SANWO_REASON_RETRANSMIT_TIMEOUT], 0);
        check_in_order(w, talk, !sender);
        world_destroy(w);
    }
}

/*
 * E-02: no room for ten seconds. Nobody asks again and again meanwhile; what waits goes out in order;
 * the clock that ran meanwhile costs one time-out at most, and the stream is soon as fast as before.
 */
static void test_E_02_no_room_for_long(void **state)
{
    static const int seconds[] = {1, 10, 100};

    (void)state;
    for (unsigned i = 0; i < 2 * COUNT(seconds); i++) {
        const struct sanwo_emulator_path path = {.delay = DELAY};
        sanwo_time length = SANWO_SEC(seconds[i / 2]), begun;
        unsigned sender = i & 1;
        struct counts counts;
        struct world_config c;
        struct world_talk *talk;
        struct gate *gate;
        struct world *w;
        uint64_t calls;

        faults_config(&c, __func__);
        world_config_path(&c, &path);
        counts_watch(&c, &counts);
        c.salt = i;
        w = world_create(&c);
        gate = gate_put(w, sender);
        talk = open_and_grow(w, sender);
        begun = world_now(w);
        gate->shut_until = begun + length;
        calls = gate->calls;
        world_run(w, length - 1);
        calls = gate->calls - calls;
        if (calls > 100)
            world_fail(w, "the driver was asked %llu times", (unsigned long long)calls);
        world_run(w, 1 + SANWO_SEC(1));
        assert_true(counts.timers[sender][SANWO_REASON_RETRANSMIT_TIMEOUT] <= 1);
        assert_true(faults_stats(w, sender).segments_retransmitted <= 2);
        finish_stream(w, talk, sender);
        if (world_now(w) > begun + length + SANWO_SEC(2))
            world_fail(w, "slow for long after there was room again");
        world_destroy(w);
    }
}

/* E-02: a driver that never takes more than a few of a batch, and stops in between. */
static void test_E_02_takes_a_few(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        struct world *w = faults_world(__func__, i, DELAY);
        unsigned sender = i & 1;
        struct gate *gate = gate_put(w, sender);
        struct world_talk *talk;

        gate->most = 1 + i / 2;
        talk = open_and_grow(w, sender);
        for (int k = 0; k < 50; k++) {
            gate->refuse = chance_below(&w->chance, 20);
            world_run(w, SANWO_USEC(500));
        }
        gate->refuse = 0;
        finish_stream(w, talk, sender);
        assert_true(gate->refused_calls > 50);
        assert_int_equal(faults_stats(w, sender).segments_retransmitted, 0);
        check_in_order(w, talk, !sender);
        world_destroy(w);
    }
}

/* ---- D-02: what is lent ----------------------------------------------------------------------------- */

/*
 * D-02: frames are kept long beyond the end of their connections and given back in any order: their
 * bytes stay as they were, whatever is acknowledged, sent again, aborted or closed meanwhile.
 */
static void test_D_02_frames_are_lent(void **state)
{
    unsigned rounds = long_run() ? 100 : 10;

    (void)state;
    for (unsigned i = 0; i < rounds; i++) {
        const struct sanwo_emulator_path path = {
            .delay = DELAY, .loss_ppm = 20000, .reorder_ppm = 50000};
        struct world *w = faults_world(__func__, i, DELAY);
        struct gate *gate[2];
        uint64_t held = 0;

        w->rough = true;
        world_warm_up(w);
        faults_set_path(w, &path);
        for (unsigned side = 0; side < 2; side++) {
            gate[side] = gate_put(w, side);
            gate[side]->hold = true;
        }
        for (unsigned k = 0; k < 12; k++) {
            const struct world_plan a = {.send = 30000, .most_write = i & 1 ? 100 : 9000};
            const struct world_plan leaves = {.send = 90000,
                                              .ending = k & 1 ? WORLD_ABORT : WORLD_CLOSE,
                                              .after = SANWO_MSEC(17)};

            assert_non_null(
                world_open(w, k & 1, k % 3 == 0 ? &leaves : &a, k % 5 == 0 ? &leaves : &a, NULL));
        }
        for (int ms = 0; ms < 3000; ms++) {
            world_run(w, SANWO_MSEC(1));
            for (unsigned side = 0; side < 2; side++)
                gate_release(gate[side], chance_below(&w->chance, 5), true);
            held = gate[0]->held > held ? gate[0]->held : held;
        }
        world_finish(w, SANWO_SEC(3000));
        faults_check_outcome(w);
        world_run(w, SANWO_SEC(200));
        assert_true(held > 30);
        for (unsigned side = 0; side < 2; side++) {
            gate_release(gate[side], SIZE_MAX, true);
            if (gate[side]->changed != 0)
                world_fail(w, "%llu frames had changed while they were lent",
                           (unsigned long long)gate[side]->changed);
        }
        world_check_clean(w);
        world_destroy(w);
    }
}

/* D-02: memory of send_ref is the user's again when it is acknowledged and no frame points there. */
static void test_D_02_references_are_released_last(void **state)
{
    static uint8_t ours[70000];
    const struct world_plan never = {.start = SANWO_SEC(1000000), .ending = WORLD_STAY};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct world *w = faults_world(__func__, i, DELAY);
        struct gate *gate = gate_put(w, 0);
        struct world_talk *talk = world_open(w, 0, &never, &never, NULL);
        struct world_host *host = &w->host[0];
        struct sanwo_tcp_info info;

        assert_non_null(talk);
        faults_run_until_accepted(w, talk);
        gate->hold = true;
        assert_int_equal(sanwo_tcp_send_ref(host->stack, talk->end[0]->handle, ours, sizeof(ours),
                                            0, world_now(w)),
                         sizeof(ours));
        world_run(w, SANWO_SEC(5));
        info = faults_info(talk->end[0]);
        assert_int_equal(info.bytes_acked, sizeof(ours)); /* the peer has it all */
        assert_int_equal(info.references_released, 0);    /* the driver too, still */
        while (gate->held > 1) {
            gate_release(gate, 1, i & 1);
            world_run(w, SANWO_MSEC(1));
        }
        info = faults_info(talk->end[0]);
        if (i >= 2) { /* the user leaves before the driver does */
            assert_int_equal(sanwo_tcp_abort(host->stack, talk->end[0]->handle, world_now(w)), 0);
            talk->end[0]->open = false;
            w->open_ends--;
        }
        gate_release(gate, 1, false);
        world_run(w, SANWO_MSEC(1));
        if (i < 2)
            assert_int_equal(faults_info(talk->end[0]).references_released, 1);
        assert_int_equal(gate->changed, 0);
        world_destroy(w);
    }
}

/* ---- D-06: what is handed in ------------------------------------------------------------------------- */

static bool within_mtu(void *context, struct gate *g, struct gate_packet *p, sanwo_time now)
{
    unsigned *seen = context;

    (void)now;
    if (p->length == 0 || p->length > g->driver.link.mtu)
        world_fail(g->world, "a frame of %u bytes", p->length);
    (*seen)++;
    return true;
}

/*
 * D-06: headers, then pieces of any length, empty ones too; bytes behind the packet; memory that is
 * overwritten as soon as the stack returns. What was kept was copied in time.
 */
static void test_D_06_pieces(void **state)
{
    const struct sanwo_emulator_path path = {
        .delay = DELAY, .loss_ppm = 10000, .reorder_ppm = 50000, .duplicate_ppm = 20000};

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        const struct world_plan both = {.send = 300000, .stall_ppm = 50000, .stall = DELAY};
        struct world *w = faults_world(__func__, i, DELAY);
        unsigned seen = 0;

        world_warm_up(w);
        faults_set_path(w, &path);
        for (unsigned side = 0; side < 2; side++) {
            struct gate *gate = gate_put(w, side);

            gate->slices = (enum gate_slices)(i % 3);
            gate->trailer = i < 3 ? 0 : 46;
            gate->out = within_mtu;
            gate->context = &seen;
        }
        assert_non_null(world_open(w, 0, &both, &both, NULL));
        assert_non_null(world_open(w, 1, &both, &both, NULL));
        faults_finish_complete(w, SANWO_SEC(100));
        assert_true(seen > 800);
    }
}

/* A frame that no driver should make. @kind chooses which. */
static bool nonsense(struct sanwo_frame *f, unsigned kind, uint8_t *bytes, uint32_t length)
{
    *f = (struct sanwo_frame){.length = length, .slice_count = 1};
    f->slices[0] = (struct sanwo_slice){bytes, length, 0};
    switch (kind) {
    case 0: /* says that it is all there, and that the sum is right; and ends before its text does */
        f->slices[0].length = length - (length > 60 ? 20 : 1);
        f->checksum = SANWO_CHECKSUM_PARTIAL;
        return true;
    case 1: /* nothing at all */
        f->length = f->slice_count = 0;
        return true;
    case 2:
        f->length = f->slices[0].length = 0;
        return true;
    case 3: /* empty slices only */
        f->slice_count = SANWO_FRAME_SLICES;
        f->length = 0;
        memset(f->slices, 0, sizeof(f->slices));
        return true;
    case 4: /* an empty one first */
        f->slice_count = 2;
        f->slices[1] = f->slices[0];
        f->slices[0] = (struct sanwo_slice){NULL, 0, 0};
        return true;
    case 5: /* says more than it has */
        f->length = length + 1;
        return true;
    case 6:
        f->length = UINT32_MAX;
        return true;
    case 7: /* says less */
        f->length = length / 2;
        return true;
    case 8:
        f->link = 77;
        return true;
    case 9: /* offsets outside */
        f->checksum = SANWO_CHECKSUM_PARTIAL;
        f->checksum_start = f->checksum_offset = UINT16_MAX;
        return true;
    case 10: /* segments of no bytes, headers of too many */
        f->segmentation = SANWO_SEGMENT_TCP_IPV6;
        f->header_length = UINT16_MAX;
        return true;
    case 11:
        f->checksum = f->segmentation = UINT8_MAX;
        return true;
    case 12: /* headers not in the first slice */
        f->slice_count = 2;
        f->slices[1] = (struct sanwo_slice){bytes + 10, length - 10, 0};
        f->slices[0].length = 10;
        return true;
    case 13: /* from another time */
        f->arrival = INT64_MAX;
        return true;
    case 14:
        f->arrival = INT64_MIN;
        return true;
    default:
        return false;
    }
}

static uint8_t *malloc_copy(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length);

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    return copy;
}

struct nonsense_maker {
    unsigned made;
};

/* Before each good packet the same bytes go in as nonsense, with the checksum wrong. */
static bool add_nonsense(void *context, struct gate *g, struct gate_packet *p, sanwo_time now)
{
    struct nonsense_maker *maker = context;
    uint32_t header, payload;
    uint8_t *bytes, *tcp = gate_tcp(p, &header, &payload);
    struct sanwo_frame f;

    if (tcp == NULL)
        return true;
    bytes = malloc_copy(p->bytes, p->length);
    bytes[tcp - p->bytes + 16] ^= 1;
    for (unsigned kind = 0; nonsense(&f, kind, bytes, p->length); kind++) {
        if (kind == 10) /* from here on the sum is right */
            bytes[tcp - p->bytes + 16] ^= 1;
        sanwo_stack_receive(g->driver.stack, &f, 1, now);
        maker->made++;
    }
    free(bytes);
    return true;
}

/* D-06: frames without bytes, with false lengths, of unknown links, with offsets beyond their end. */
static void test_D_06_nonsense(void **state)
{
    const struct world_plan both = {.send = 100000};

    (void)state;
    for (unsigned side = 0; side < 2; side++) {
        struct world *w = faults_world(__func__, side, DELAY);
        struct nonsense_maker maker = {0};
        struct gate *gate;

        world_warm_up(w);
        gate = gate_put(w, side);
        gate->in = add_nonsense;
        gate->context = &maker;
        assert_non_null(world_open(w, 0, &both, &both, NULL));
        faults_finish_complete(w, SANWO_SEC(100));
        assert_true(maker.made > 500);
    }
}

/* D-06: packets of 64 KB on a link of 1500 bytes: received, or dropped, but nothing else. */
static void test_D_06_longer_than_the_link(void **state)
{
    const struct world_plan both = {.send = 600000};
    struct world *w = faults_world(__func__, 0, DELAY);
    struct gate *gate;

    (void)state;
    world_warm_up(w);
    gate = gate_put(w, 1);
    gate->merge = 60; /* all marked as segments put together, then not even that */
    gate->claim_whole = true;
    assert_non_null(world_open(w, 0, &both, &both, NULL));
    world_finish(w, SANWO_SEC(100));
    world_check_all_complete(w);
    assert_true(gate->merged > 50);
    world_check_clean(w);
    world_destroy(w);
}

/* ---- E-14: checksums and merged segments --------------------------------------------------------------- */

/* A byte of the text is wrong, and the link says that all is well. */
static bool damage_and_lie(void *context, struct gate *g, struct gate_packet *p, sanwo_time now)
{
    unsigned *damaged = context;
    uint32_t header, payload;

    (void)now;
    if (gate_tcp(p, &header, &payload) == NULL)
        return true;
    p->frame.checksum = SANWO_CHECKSUM_VALID;
    if (payload > 0 && chance_hit(&g->chance, 100000)) {
        p->bytes[header + chance_below(&g->chance, payload)] ^= 0x10;
        (*damaged)++;
    }
    return true;
}

/* E-14: a link that is not trusted is checked, whatever it says; one that is, is believed. */
static void test_E_14_links_that_lie(void **state)
{
    const struct world_plan sends_some = {.send = 500000}, none = {0};

    (void)state;
    for (int distrust = 0; distrust < 2; distrust++) {
        const struct lan_config config = {
            .kind = SANWO_LINK_IP, .delay = DELAY, .distrust = distrust};
        unsigned damaged = 0;
        struct world_config c;
        struct world *w;
        struct lan lan;

        faults_config(&c, __func__);
        c.on_failure = NULL;
        w = world_create(&c);
        lan_create(&lan, w, &config);
        lan.gate[1]->in = damage_and_lie;
        lan.gate[1]->context = &damaged;
        assert_non_null(world_open(w, 0, &sends_some, &none, NULL));
        world_finish(w, SANWO_SEC(1000));
        assert_true(damaged > 0);
        if (distrust) {
            assert_false(w->failed);
            world_check_all_complete(w);
            assert_int_equal(faults_stats(w, 1).reasons[SANWO_REASON_TCP_CHECKSUM], damaged);
        } else {
            assert_true(w->failed); /* the wrong byte was delivered, as was asked for */
            assert_non_null(strstr(w->failure, "wrong bytes"));
            assert_int_equal(faults_stats(w, 1).reasons[SANWO_REASON_TCP_CHECKSUM], 0);
        }
        lan_destroy(&lan);
        world_destroy(w);
    }
}

/* Flags that mean nothing here, so that merged segments differ in them. */
static bool set_some_flags(void *context, struct gate *g, struct gate_packet *p, sanwo_time now)
{
    enum { FLAGS = 13, SYN = 2, PSH = 8, ECE = 64, CWR = 128 };
    static const uint8_t flags[] = {PSH, ECE, CWR, ECE | CWR | PSH};
    uint32_t header, payload;
    uint8_t *tcp = gate_tcp(p, &header, &payload);

    (void)context;
    (void)now;
    if (tcp != NULL && !(tcp[FLAGS] & SYN) && chance_hit(&g->chance, 500000)) {
        tcp[FLAGS] |= flags[chance_below(&g->chance, COUNT(flags))];
        gate_mend(p);
    }
    return true;
}

/* E-14: segments put together on the way, with PSH, FIN, ECE, CWR of some of them. */
static void test_E_14_merged_segments(void **state)
{
    static const size_t most[] = {2, 3, 10, 44};

    (void)state;
    for (unsigned i = 0; i < 2 * COUNT(most); i++) {
        const struct world_plan both = {.send = 700000, .most_write = i & 1 ? 3000 : 0};
        struct sanwo_emulator_path path = {.delay = DELAY, .reorder_ppm = 10000};
        struct world *w = faults_world(__func__, i, DELAY);
        struct gate *gate[2];

        world_warm_up(w);
        path.loss_ppm = i & 1 ? 5000 : 0;
        faults_set_path(w, &path);
        for (unsigned side = 0; side < 2; side++) {
            gate[side] = gate_put(w, side);
            gate[side]->in = set_some_flags;
            gate[side]->merge = most[i / 2];
        }
        assert_non_null(world_open(w, 0, &both, &both, NULL));
        world_finish(w, SANWO_SEC(200));
        assert_true(gate[0]->merged > 50 && gate[1]->merged > 50);
        faults_finish_complete(w, SANWO_SEC(1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_E_02_no_room_so_many_times),
        cmocka_unit_test(test_E_02_no_room_for_long),
        cmocka_unit_test(test_E_02_takes_a_few),
        cmocka_unit_test(test_D_02_frames_are_lent),
        cmocka_unit_test(test_D_02_references_are_released_last),
        cmocka_unit_test(test_D_06_pieces),
        cmocka_unit_test(test_D_06_nonsense),
        cmocka_unit_test(test_D_06_longer_than_the_link),
        cmocka_unit_test(test_E_14_links_that_lie),
        cmocka_unit_test(test_E_14_merged_segments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
