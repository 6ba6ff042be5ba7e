/*
 * test_emulator_links.c - Links that are too narrow, that cut frames short, or that stand still.
 */
#include "segments.h"

/* ---- narrow links ------------------------------------------------------------------------------- */

static void test_too_big(void **state)
{
    static char payload[1301];

    (void)state;
    memset(payload, 'y', 1300);
    for (int v6 = 0; v6 < 2; v6++) {
        struct sanwo_emulator_path path = {.mtu = 1280, .too_big = true};
        struct say say = {.v6 = v6, .flags = ACK, .options = "", .payload = payload};
        uint32_t ip = v6 ? 40 : 20, quoted;
        struct bytes b = segment(&say), *error = &net.back[0];

        setup_box(NULL, &path);
        pass(&b, false);
        move_all();
        assert_int_equal(net.there_count, 0);
        assert_int_equal(net.back_count, 1);
        assert_int_equal(stats().too_big, 1);
        assert_true(is_v6(error) == (v6 != 0));
        /* From where it was to go, back to its sender. */
        assert_memory_equal(error->at + (v6 ? 8 : 12), b.at + (v6 ? 24 : 16), v6 ? 16 : 4);
        assert_memory_equal(error->at + (v6 ? 24 : 16), b.at + (v6 ? 8 : 12), v6 ? 16 : 4);
        assert_int_equal(get16(error->at + ip), v6 ? 0x0200 : 0x0304);
        assert_int_equal(get32(error->at + ip + 4), 1280);
        quoted = error->length - ip - 8;
        assert_true(error->length <= (v6 ? 1280 : 576) && quoted >= ip + 8);
        assert_memory_equal(error->at + ip + 8, b.at, quoted);
        assert_int_equal(spy_checksum(error->at + ip, error->length - ip,
                                      v6 ? pseudo(error, error->length - ip, 58) : 0),
                         0);
        payload[1280 - ip - 20] = '\0'; /* fits to the byte */
        through(&say);
        payload[1280 - ip - 20] = 'y';
        teardown();
    }
}

static void test_too_big_and_nobody_tells(void **state)
{
    static char payload[1301];
    struct sanwo_emulator_path path = {.mtu = 1280};
    struct say say = {.flags = ACK, .options = "", .payload = payload};
    struct bytes b;

    (void)state;
    memset(payload, 'y', 1300);
    setup_box(NULL, &path);
    b = segment(&say);
    pass(&b, false);
    move_all();
    assert_int_equal(net.there_count + net.back_count, 0);
    assert_int_equal(stats().too_big, 1);
    teardown();
}

/* ---- paths -------------------------------------------------------------------------------------- */

static void test_truncate(void **state)
{
    struct sanwo_emulator_path path = {.truncate_ppm = MILLION};
    struct say say = {.flags = ACK, .options = "", .payload = "whatever"};
    uint32_t lengths = 0;

    (void)state;
    setup_box(NULL, &path);
    for (int i = 0; i < KEEP; i++) {
        struct bytes b = segment(&say);

        pass(&b, false);
        assert_true(net.there[i].length >= 1 && net.there[i].length < b.length);
        assert_memory_equal(net.there[i].at, b.at, net.there[i].length);
        lengths |= 1u << (net.there[i].length % 32);
    }
    assert_true((lengths & (lengths - 1)) != 0); /* not always the same */
    assert_int_equal(stats().truncated, KEEP);
    teardown();
}

/* Who comes behind a spike waits with it. */
static void test_spike(void **state)
{
    struct sanwo_emulator_path path = {.delay = MS, .spike_ppm = MILLION, .spike = 50 * MS};
    struct say say = {.flags = ACK, .options = ""};
    struct bytes b = segment(&say);

    (void)state;
    setup_box(NULL, &path);
    pass(&b, false);
    path.spike_ppm = 0;
    sanwo_emulator_configure(net.emulator, &path, &path);
    pass(&b, false);
    net.now = 51 * MS - 1;
    move_all();
    assert_int_equal(net.there_count, 0);
    net.now = 51 * MS;
    move_all();
    assert_int_equal(net.there_count, 2);
    assert_int_equal(stats().spikes, 1);
    pass(&b, false);
    net.now = 52 * MS;
    move_all();
    assert_int_equal(net.there_count, 3);
    teardown();
}

static void test_refused_arguments(void **state)
{
    static const struct sanwo_emulator_config bad[] = {
        {.middlebox = {.split_ppm = MILLION + 1}}, {.middlebox = {.join_ppm = MILLION + 1}},
        {.middlebox = {.reset_ppm = MILLION + 1}}, {.out = {.truncate_ppm = MILLION + 1}},
        {.out = {.spike_ppm = MILLION + 1}},       {.in = {.spike = -1}},
    };
    struct sanwo_driver *a, *b, *emulator;

    (void)state;
    assert_int_equal(sanwo_pair_create(1500, 0, 0, &a, &b), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sanwo_emulator_create(a, &bad[i], &emulator), -SANWO_EINVAL);
    sanwo_driver_destroy(a);
    sanwo_driver_destroy(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_too_big),           cmocka_unit_test(test_too_big_and_nobody_tells),
        cmocka_unit_test(test_truncate),          cmocka_unit_test(test_spike),
        cmocka_unit_test(test_refused_arguments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
