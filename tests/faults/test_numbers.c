/*
 * test_numbers.c - Sequence numbers that wrap, windows of a gigabyte, round trips of nothing and of a
 * minute: E-13.
 *
 * Streams of gigabytes are made of one text again and again, by reference out and in place in, so
 * that what costs time is the stack, and the comparing.
 */
#include <stdlib.h>
#include <string.h>

#include "faults.h"

#define MEBI (UINT32_C(1) << 20)

/* ---- streams of gigabytes -------------------------------------------------------------------------- */

/* No power of two, so that a stream shifted by a buffer or a window does not look right. */
enum { TEXT = 4099 * 256, PIECE = 65536 };

struct pump {
    struct sanwo_stack *stack[2];
    struct sanwo_driver *driver[2];
    void *region[2];
    size_t region_size;
    struct sanwo_virtual *clock;
    struct sanwo_handle from, listener, to;
    uint8_t *text; /* twice, so that no piece is cut */
    size_t text_length, piece;
    uint64_t total, sent, received;
    bool closed[2];
    bool shut;
};

static void write_more(struct pump *p, sanwo_time now)
{
    while (p->sent < p->total) {
        uint64_t left = p->total - p->sent;
        size_t piece = left < p->piece ? (size_t)left : p->piece;
        int64_t taken = sanwo_tcp_send_ref(p->stack[0], p->from, p->text + p->sent % p->text_length,
                                           piece, 0, now);
        if (taken == -SANWO_EAGAIN)
            return;
        assert_int_equal(taken, piece);
        p->sent += piece;
    }
    if (!p->shut)
        assert_int_equal(sanwo_tcp_shutdown(p->stack[0], p->from, now), 0);
    p->shut = true;
}

static void read_more(struct pump *p, sanwo_time now)
{
    struct sanwo_slice slices[16];
    int n;

    while ((n = sanwo_tcp_peek(p->stack[1], p->to, slices, 16)) > 0) {
        size_t sum = 0;

        for (int i = 0; i < n; i++) {
            size_t done = 0;

            while (done < slices[i].length) {
                size_t left = slices[i].length - done;
                size_t part = left < p->text_length ? left : p->text_length;
                const uint8_t *said = p->text + (p->received + sum) % p->text_length;

                if (memcmp(slices[i].bytes + done, said, part) != 0)
                    fail_msg("wrong bytes behind %llu", (unsigned long long)(p->received + sum));
                done += part;
                sum += part;
            }
        }
        p->received += sum;
        assert_true(p->received <= p->sent);
        assert_int_equal(sanwo_tcp_consume(p->stack[1], p->to, sum, now), 0);
    }
    if (n == 0) {
        assert_int_equal(p->received, p->total);
        sanwo_tcp_close(p->stack[1], p->to, now);
        p->closed[1] = true;
    }
}

static void on_event(void *context, struct sanwo_stack *stack, const struct sanwo_event *event,
                     sanwo_time now)
{
    struct pump *p = context;

    if (event->what & SANWO_EVENT_ACCEPT) {
        assert_int_equal(sanwo_tcp_accept(stack, p->listener, p, &p->to), 0);
        read_more(p, now);
        return;
    }
    if (event->what & SANWO_EVENT_CLOSED)
        assert_int_equal(event->error, 0);
    if (stack == p->stack[0])
        write_more(p, now);
    else if (!p->closed[1])
        read_more(p, now);
}

static void start_side(struct pump *p, unsigned side, const struct sanwo_stack_config *config)
{
    struct sanwo_stack_config c = *config;
    struct sanwo_address address = sanwo_address_ipv4(10, 0, 0, (uint8_t)(1 + side));

    memset(c.seed, (int)(side + 1), sizeof(c.seed));
    p->region_size = sanwo_stack_region_size(&c);
    p->region[side] = sanwo_region_reserve(p->region_size);
    assert_non_null(p->region[side]);
    assert_int_equal(sanwo_stack_create(p->region[side], p->region_size, &c, 0, &p->stack[side]),
                     0);
    assert_int_equal(sanwo_driver_attach(p->driver[side], p->stack[side]), 0);
    assert_int_equal(sanwo_stack_address_add(p->stack[side], 0, &address, 24), 0);
    assert_int_equal(sanwo_virtual_add_stack(p->clock, p->stack[side], on_event, p), 0);
    assert_int_equal(sanwo_virtual_add_driver(p->clock, p->driver[side]), 0);
}

static void pump_open(struct pump *p, const struct sanwo_stack_config *config, uint64_t total,
                      size_t piece, uint32_t isn, const struct sanwo_emulator_path *path)
{
    const uint32_t offload = SANWO_OFFLOAD_CHECKSUM | SANWO_OFFLOAD_TSO4;
    struct sanwo_emulator_config network = {.seed = 1};
    struct sanwo_tcp_listen listen = {.local = {.port = 7}, .isn_is_set = true, .isn = ~isn};
    struct sanwo_tcp_connect open = {
        .remote = {sanwo_address_ipv4(10, 0, 0, 2), 7}, .isn_is_set = true, .isn = isn, .user = p};

    memset(p, 0, sizeof(*p));
    p->total = total;
    p->piece = piece;
    p->text_length = piece > TEXT ? piece + 1 : TEXT;
    p->text = malloc(2 * p->text_length);
    assert_non_null(p->text);
    for (size_t i = 0; i < p->text_length; i++)
        p->text[i] = (uint8_t)(i * 2654435761u >> 13);
    memcpy(p->text + p->text_length, p->text, p->text_length);
    assert_int_equal(sanwo_virtual_create(0, &p->clock), 0);
    assert_int_equal(
        sanwo_pair_create(path == NULL ? 9000 : 65535, offload, 0, &p->driver[0], &p->driver[1]),
        0);
    for (unsigned side = 0; side < 2; side++) {
        if (path != NULL) {
            network.out = *path;
            assert_int_equal(sanwo_emulator_create(p->driver[side], &network, &p->driver[side]), 0);
        }
        start_side(p, side, config);
    }
    assert_int_equal(sanwo_tcp_listen(p->stack[1], &listen, 0, &p->listener), 0);
    assert_int_equal(sanwo_tcp_connect(p->stack[0], &open, 0, &p->from), 0);
}

static void pump_close(struct pump *p)
{
    struct sanwo_stack_stats stats;

    assert_int_equal(p->received, p->total);
    assert_int_equal(sanwo_tcp_close(p->stack[0], p->from, sanwo_virtual_now(p->clock)), 0);
    assert_int_equal(sanwo_virtual_run(p->clock, SANWO_SEC(10000000)), 1);
    for (int side = 0; side < 2; side++) {
        sanwo_stack_stats(p->stack[side], &stats);
        assert_int_equal(stats.connections + stats.time_wait, 0);
        assert_true(stats.memory_peak <= stats.memory_budget);
    }
    sanwo_virtual_destroy(p->clock);
    for (int side = 0; side < 2; side++)
        sanwo_driver_destroy(p->driver[side]);
    for (int side = 0; side < 2; side++)
        sanwo_region_release(p->region[side], p->region_size);
    free(p->text);
}

static void small_tables(struct sanwo_stack_config *c)
{
    sanwo_stack_config_default(c);
    c->max_connections = c->max_half_open = c->max_time_wait = 16;
}

/* E-13: 4.5 GiB in one stream (SANWO_LONG: 100 GiB): all numbers pass zero, more than once. */
static void test_E_13_more_than_all_numbers(void **state)
{
    uint64_t total = long_run() ? UINT64_C(100) << 30 : (UINT64_C(9) << 29);
    struct sanwo_stack_config c;
    struct sanwo_tcp_info info;
    struct pump p;

    (void)state;
    small_tables(&c);
    pump_open(&p, &c, total, PIECE, UINT32_MAX, NULL);
    while (p.received < total)
        assert_true(sanwo_virtual_run(p.clock, sanwo_virtual_now(p.clock) + SANWO_SEC(1)) >= 0);
    assert_int_equal(sanwo_tcp_info(p.stack[0], p.from, &info), 0);
    assert_true(info.bytes_acked >= total);
    assert_int_equal(info.segments_retransmitted, 0);
    pump_close(&p);
}

/*
 * E-13: windows of a gigabyte, and so much in flight as the memory of the test allows (SANWO_LONG:
 * 10^9 bytes in one round trip), amid it the numbers pass zero.
 */
static void test_E_13_window_of_a_gigabyte(void **state)
{
    const struct sanwo_emulator_path path = {.delay = SANWO_SEC(1)};
    uint32_t flight = long_run() ? UINT32_C(1000000000) : 48 * MEBI;
    uint64_t total = (uint64_t)flight * 3;
    struct sanwo_stack_config c;
    struct sanwo_tcp_info info;
    uint32_t most = 0;
    struct pump p;

    (void)state;
    small_tables(&c);
    c.budget = UINT64_C(3) << 30;
    c.tcp.receive_buffer = c.tcp.send_buffer = UINT32_C(1) << 30;
    c.tcp.send_buffer = flight;
    /* at most 64 references wait at a time */
    pump_open(&p, &c, total, flight / 48, UINT32_MAX - 3 * (flight / 2), &path);
    while (p.received < total) {
        assert_true(sanwo_virtual_run(p.clock, sanwo_virtual_now(p.clock) + SANWO_MSEC(100)) >= 0);
        assert_int_equal(sanwo_tcp_info(p.stack[0], p.from, &info), 0);
        most = info.snd_nxt - info.snd_una > most ? info.snd_nxt - info.snd_una : most;
        assert_true(sanwo_virtual_now(p.clock) < SANWO_SEC(1000));
    }
    assert_int_equal(info.send_scale, 14);
    assert_true(info.snd_max_wnd >= UINT32_C(0xffff) << 14);
    assert_true(most > flight / 10 * 8); /* all but a reference or two */
    pump_close(&p);
}

/* ---- round trips ----------------------------------------------------------------------------------- */

/* E-13: no time at all, a nanosecond, a minute; at each the first numbers are the last ones. */
static void test_E_13_round_trips(void **state)
{
    static const sanwo_time delays[] = {0, 1, SANWO_USEC(1), SANWO_SEC(1), SANWO_SEC(30)};
    static const uint32_t isn[] = {UINT32_MAX, UINT32_MAX - 1, 0x7fffffff, 0x80000000, 0};

    (void)state;
    for (unsigned i = 0; i < COUNT(delays) * COUNT(isn); i++) {
        const struct sanwo_emulator_path path = {.delay = delays[i % COUNT(delays)]};
        const struct world_plan both = {.send = 300000, .patient = true};
        struct world_config c;
        struct world *w;

        faults_config(&c, __func__);
        world_config_path(&c, &path);
        c.salt = i;
        c.isn_is_set = true;
        c.isn[0] = isn[i / COUNT(delays)];
        c.isn[1] = isn[(i + i / COUNT(delays)) % COUNT(isn)];
        w = world_create(&c);
        assert_non_null(world_open(w, 0, &both, &both, NULL));
        world_finish(w, SANWO_SEC(3000));
        world_check_all_complete(w);
        if (path.delay < SANWO_SEC(1))
            assert_int_equal(faults_stats(w, 0).segments_retransmitted, 0);
        else /* the SYN and the first window time out; then the RTO has learnt */
            assert_true(faults_stats(w, 0).segments_retransmitted < 60);
        world_check_clean(w);
        world_destroy(w);
    }
}

/* E-13: from a minute to nothing and back, amid a stream: the RTO follows; every byte exact. */
static void test_E_13_round_trip_changes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        const struct world_plan both = {.send = 600000, .patient = true};
        struct world *w = faults_world(__func__, i, i & 1 ? 0 : SANWO_SEC(30));

        assert_non_null(world_open(w, i / 2 % 2, &both, &both, NULL));
        for (int k = 0; k < 12; k++) {
            world_run(w, SANWO_SEC(20));
            faults_calm(w, (k + (int)i) % 2 ? SANWO_SEC(30) : 0);
        }
        faults_finish_complete(w, SANWO_SEC(3000));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_E_13_more_than_all_numbers),
        cmocka_unit_test(test_E_13_window_of_a_gigabyte),
        cmocka_unit_test(test_E_13_round_trips),
        cmocka_unit_test(test_E_13_round_trip_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
