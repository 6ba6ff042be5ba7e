/*
 * test_determinism.c - The same seed, packets, calls and times give the same bytes, and a snapshot is
 * a point in time to which one can return: in place, or in other memory.
 *
 *     ... run ... | snapshot | run ... -> hash 1
 *                    |- restore, run ... -> hash 2 = hash 1
 *                    '- restore elsewhere, run ... -> hash 3 = hash 1
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* ---- whole worlds ------------------------------------------------------------------------------ */

static uint64_t run_world(uint64_t salt)
{
    const struct sanwo_emulator_path path = {.delay = SANWO_MSEC(20),
                                             .jitter = SANWO_MSEC(5),
                                             .loss_ppm = 30000,
                                             .reorder_ppm = 50000,
                                             .duplicate_ppm = 30000,
                                             .corrupt_ppm = 10000};
    struct world_config c;
    struct world *w;
    uint64_t hash;

    check_path(&c, __func__, &path);
    c.salt = salt;
    w = world_create(&c);
    for (unsigned i = 0; i < 40; i++) {
        struct world_plan plans[2];

        for (int k = 0; k < 2; k++)
            plans[k] = (struct world_plan){.send = chance_below(&w->chance, 30000),
                                           .stall_ppm = 50000,
                                           .stall = SANWO_MSEC(500),
                                           .ending = i % 8 == 0 ? WORLD_ABORT : WORLD_SHUTDOWN};
        assert_non_null(world_open(w, i & 1, &plans[0], &plans[1], NULL));
        world_run(w, (sanwo_time)chance_below(&w->chance, SANWO_MSEC(30)));
    }
    world_run(w, SANWO_SEC(2000));
    hash = w->hash;
    world_destroy(w);
    return hash;
}

static void test_same_seed(void **state)
{
    uint64_t first = run_world(1);

    (void)state;
    assert_true(first == run_world(1));
    assert_true(first != run_world(2));
    assert_true(run_world(2) == run_world(2));
}

/* ---- a world that is a plain structure, so that it can be copied ------------------------------- */

enum { LETTERS = 128, BYTES = 150000, PORT = 7 };

struct letter {
    sanwo_time due;
    bool in_use;
    uint8_t to;
    uint32_t length;
    uint8_t bytes[1500];
};

struct app {
    struct sanwo_handle handle;
    bool open, ended;
    uint64_t sent, received;
};

struct small {
    sanwo_time now;
    uint64_t hash;
    struct chance chance;
    struct letter box[LETTERS];
    struct app app[2];
    struct sanwo_handle listener;
};

struct small_world {
    struct small state;
    struct sanwo_stack *stack[2];
    void *region[2];
    size_t region_size;
};

struct saved {
    struct small state;
    uint8_t *bytes[2];
    size_t length[2];
};

static uint64_t fold(uint64_t hash, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3); /* FNV-1a */
    return hash;
}

static uint8_t said(unsigned side, uint64_t offset)
{
    return (uint8_t)(offset * 7 + (offset >> 8) * 13 + side * 101);
}

static void write_some(struct small_world *w, unsigned side)
{
    struct app *app = &w->state.app[side];
    uint8_t bytes[3000];

    while (app->sent < BYTES) {
        size_t n = 1 + (size_t)chance_below(&w->state.chance, sizeof(bytes));
        int64_t taken;

        n = n < BYTES - app->sent ? n : (size_t)(BYTES - app->sent);
        for (size_t i = 0; i < n; i++)
            bytes[i] = said(side, app->sent + i);
        taken = sanwo_tcp_send(w->stack[side], app->handle, bytes, n, 0, w->state.now);
        if (taken < 0)
            return;
        app->sent += (uint64_t)taken;
    }
    if (!app->ended)
        assert_int_equal(sanwo_tcp_shutdown(w->stack[side], app->handle, w->state.now), 0);
    app->ended = true;
}

static void read_some(struct small_world *w, unsigned side)
{
    struct app *app = &w->state.app[side];
    uint8_t bytes[2000];
    int64_t n;

    while ((n = sanwo_tcp_receive(w->stack[side], app->handle, bytes, sizeof(bytes),
                                  w->state.now)) > 0) {
        for (int64_t i = 0; i < n; i++)
            assert_int_equal(bytes[i], said(!side, app->received + (uint64_t)i));
        app->received += (uint64_t)n;
    }
    if (n == 0 && app->ended) {
        assert_int_equal(app->received, BYTES);
        assert_int_equal(sanwo_tcp_close(w->stack[side], app->handle, w->state.now), 0);
        app->open = false;
    }
}

static bool act(struct small_world *w, unsigned side)
{
    struct sanwo_event events[8];
    size_t n = sanwo_stack_events(w->stack[side], events, 8);
    struct app *app = &w->state.app[side];

    for (size_t i = 0; i < n; i++) {
        if (events[i].what & SANWO_EVENT_ACCEPT) {
            assert_int_equal(
                sanwo_tcp_accept(w->stack[side], w->state.listener, NULL, &app->handle), 0);
            app->open = true;
        }
        if (app->open)
            write_some(w, side);
        if (app->open)
            read_some(w, side);
    }
    return n > 0;
}

static void post(struct small_world *w, unsigned from, const struct sanwo_frame *frame)
{
    struct letter *letter = w->state.box;

    if (chance_hit(&w->state.chance, 20000))
        return;
    while (letter < w->state.box + LETTERS && letter->in_use)
        letter++;
    if (letter == w->state.box + LETTERS)
        return; /* the queue is full */
    letter->in_use = true;
    letter->to = (uint8_t)!from;
    letter->due =
        w->state.now + SANWO_MSEC(5) + (sanwo_time)chance_below(&w->state.chance, SANWO_MSEC(1));
    letter->length = frame->length;
    sanwo_frame_copy(frame, letter->bytes);
}

static bool transmit(struct small_world *w, unsigned side)
{
    struct sanwo_frame frames[8];
    size_t n = sanwo_stack_transmit(w->stack[side], frames, 8, w->state.now);

    for (size_t i = 0; i < n; i++) {
        w->state.hash = fold(w->state.hash, (const uint8_t *)&w->state.now, sizeof(sanwo_time));
        for (size_t k = 0; k < frames[i].slice_count; k++)
            w->state.hash =
                fold(w->state.hash, frames[i].slices[k].bytes, frames[i].slices[k].length);
        post(w, side, &frames[i]);
    }
    sanwo_stack_sent(w->stack[side], frames, n);
    return n > 0;
}

/* A letter that is due goes into a buffer of the stack's or is lent, by chance. */
static bool deliver(struct small_world *w)
{
    struct letter *next = NULL;
    struct sanwo_frame frame = {.slice_count = 1};
    struct sanwo_room room;

    for (struct letter *l = w->state.box; l < w->state.box + LETTERS; l++)
        if (l->in_use && l->due <= w->state.now && (next == NULL || l->due < next->due))
            next = l;
    if (next == NULL)
        return false;
    frame.length = next->length;
    frame.slices[0] = (struct sanwo_slice){next->bytes, next->length, 0};
    if (chance_hit(&w->state.chance, 500000) &&
        sanwo_stack_borrow(w->stack[next->to], next->length, &room, 1) == 1) {
        memcpy(room.bytes, next->bytes, next->length);
        frame.slices[0] = (struct sanwo_slice){room.bytes, next->length, room.buffer};
    }
    sanwo_stack_receive(w->stack[next->to], &frame, 1, w->state.now);
    next->in_use = false;
    return true;
}

static sanwo_time next_time(const struct small_world *w)
{
    sanwo_time when = SANWO_TIME_NEVER;

    for (const struct letter *l = w->state.box; l < w->state.box + LETTERS; l++)
        if (l->in_use && l->due < when)
            when = l->due;
    for (int side = 0; side < 2; side++) {
        sanwo_time t = sanwo_stack_deadline(w->stack[side]);

        when = t < when ? t : when;
    }
    return when;
}

static void run_until(struct small_world *w, sanwo_time until)
{
    for (;;) {
        bool moved = deliver(w);
        sanwo_time next;

        for (unsigned side = 0; side < 2; side++) {
            moved |= act(w, side);
            moved |= transmit(w, side);
        }
        if (moved)
            continue;
        next = next_time(w);
        if (next > until) {
            w->state.now = until;
            return;
        }
        if (next > w->state.now)
            w->state.now = next;
    }
}

static void start_stack(struct small_world *w, unsigned side)
{
    struct sanwo_link_config link = {.name = "small", .kind = SANWO_LINK_IP, .mtu = 1500};
    struct sanwo_address address = sanwo_address_ipv4(192, 0, 2, (uint8_t)(side + 1));
    struct sanwo_stack_config config;

    sanwo_stack_config_default(&config);
    config.seed[0] = (uint8_t)(side + 1);
    config.budget = 4 << 20;
    config.max_connections = config.max_half_open = config.max_time_wait = 64;
    config.tcp.receive_buffer = config.tcp.send_buffer = 65536;
    w->region_size = sanwo_stack_region_size(&config);
    w->region[side] = sanwo_region_reserve(w->region_size);
    assert_non_null(w->region[side]);
    assert_int_equal(
        sanwo_stack_create(w->region[side], w->region_size, &config, 0, &w->stack[side]), 0);
    assert_int_equal(sanwo_stack_link_add(w->stack[side], &link), 0);
    assert_int_equal(sanwo_stack_address_add(w->stack[side], 0, &address, 24), 0);
}

static struct small_world *start_small_world(void)
{
    struct small_world *w = calloc(1, sizeof(*w));
    struct sanwo_tcp_listen listen = {.local = {.port = PORT}};
    struct sanwo_tcp_connect connect = {
        .remote = {.address = sanwo_address_ipv4(192, 0, 2, 2), .port = PORT}};

    assert_non_null(w);
    chance_seed(&w->state.chance, "small", 0);
    start_stack(w, 0);
    start_stack(w, 1);
    assert_int_equal(sanwo_tcp_listen(w->stack[1], &listen, 0, &w->state.listener), 0);
    assert_int_equal(sanwo_tcp_connect(w->stack[0], &connect, 0, &w->state.app[0].handle), 0);
    w->state.app[0].open = true;
    return w;
}

static void drop_small_world(struct small_world *w)
{
    for (int side = 0; side < 2; side++)
        sanwo_region_release(w->region[side], w->region_size);
    free(w);
}

static struct saved *save(const struct small_world *w)
{
    struct saved *s = malloc(sizeof(*s));

    assert_non_null(s);
    s->state = w->state;
    for (int side = 0; side < 2; side++) {
        s->length[side] = sanwo_stack_snapshot_size(w->stack[side]);
        s->bytes[side] = malloc(s->length[side]);
        assert_non_null(s->bytes[side]);
        assert_int_equal(sanwo_stack_snapshot(w->stack[side], s->bytes[side], s->length[side] - 1),
                         -SANWO_EMSGSIZE);
        assert_int_equal(sanwo_stack_snapshot(w->stack[side], s->bytes[side], s->length[side]), 0);
    }
    return s;
}

static void drop_saved(struct saved *s)
{
    free(s->bytes[0]);
    free(s->bytes[1]);
    free(s);
}

static void restore(struct small_world *w, const struct saved *s)
{
    w->state = s->state;
    for (int side = 0; side < 2; side++)
        assert_int_equal(sanwo_stack_restore(w->region[side], w->region_size, s->bytes[side],
                                             s->length[side], &w->stack[side]),
                         0);
}

/* Other memory, and not even clean. */
static void move_regions(struct small_world *w)
{
    for (int side = 0; side < 2; side++) {
        void *other = sanwo_region_reserve(w->region_size);

        assert_non_null(other);
        memset(other, 0xa5, w->region_size);
        memset(w->region[side], 0x5a, w->region_size);
        sanwo_region_release(w->region[side], w->region_size);
        w->region[side] = other;
    }
}

static bool same(const struct saved *a, const struct saved *b)
{
    for (int side = 0; side < 2; side++)
        if (a->length[side] != b->length[side] ||
            memcmp(a->bytes[side], b->bytes[side], a->length[side]) != 0)
            return false;
    return memcmp(&a->state.app, &b->state.app, sizeof(a->state.app)) == 0;
}

/* From the first SYN over data and FINs into TIME-WAIT and to its end. */
static void test_snapshot(void **state)
{
    static const int moments[] = {0,   3,   6,   9,   12,  15,  20,   30,   50,    80,
                                  120, 170, 250, 400, 600, 900, 1500, 3000, 20000, 70000};
    struct small_world *w = start_small_world();

    (void)state;
    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        sanwo_time until = SANWO_MSEC(moments[i] + 500);
        struct saved *then, *after, *again;
        uint64_t hash;

        run_until(w, SANWO_MSEC(moments[i]));
        then = save(w);
        run_until(w, until);
        hash = w->state.hash;
        after = save(w);

        restore(w, then);
        run_until(w, until);
        assert_true(w->state.hash == hash);
        again = save(w);
        assert_true(same(after, again));
        drop_saved(again);

        move_regions(w);
        restore(w, then);
        run_until(w, until);
        assert_true(w->state.hash == hash);

        restore(w, then); /* the moments lie closer than 500 ms */
        drop_saved(after);
        drop_saved(then);
    }
    assert_int_equal(w->state.app[0].received, BYTES);
    assert_int_equal(w->state.app[1].received, BYTES);
    assert_false(w->state.app[0].open || w->state.app[1].open);
    drop_small_world(w);
}

/* What is no snapshot is refused, and what cannot be one is not made. */
static void test_snapshot_errors(void **state)
{
    struct small_world *w = start_small_world();
    struct sanwo_frame frame;
    struct sanwo_stack *out;
    struct saved *s;

    (void)state;
    run_until(w, SANWO_MSEC(30));
    s = save(w);
    assert_int_equal(
        sanwo_stack_restore(w->region[0], w->region_size, s->bytes[0], s->length[0] - 1, &out),
        -SANWO_ESNAPSHOT);
    assert_int_equal(sanwo_stack_restore(w->region[0], w->region_size, s->bytes[0], 10, &out),
                     -SANWO_ESNAPSHOT);
    assert_int_equal(
        sanwo_stack_restore(w->region[0], w->region_size / 2, s->bytes[0], s->length[0], &out),
        -SANWO_ESNAPSHOT);
    s->bytes[0][0] ^= 1;
    assert_int_equal(
        sanwo_stack_restore(w->region[0], w->region_size, s->bytes[0], s->length[0], &out),
        -SANWO_ESNAPSHOT);
    s->bytes[0][0] ^= 1;
    restore(w, s);

    while (sanwo_stack_transmit(w->stack[1], &frame, 1, w->state.now) == 0) {
        if (!deliver(w))
            w->state.now += SANWO_MSEC(1);
    }
    assert_int_equal(
        sanwo_stack_snapshot(w->stack[1], s->bytes[1], sanwo_stack_snapshot_size(w->stack[1])),
        -SANWO_EINVAL); /* a frame is out */
    sanwo_stack_sent(w->stack[1], &frame, 1);
    drop_saved(s);
    drop_small_world(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed),
        cmocka_unit_test(test_snapshot),
        cmocka_unit_test(test_snapshot_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
