/*
 * test_emulator_mark.c - The emulated queue that marks: whom, from when on, and that checksums stay right.
 */
#include "segments.h"

enum { LINE = 8000000 /* a byte a microsecond */ };

static struct sanwo_emulator_path marking(uint32_t above)
{
    return (struct sanwo_emulator_path){.rate = LINE, .queue = 2000, .ecn_mark = above};
}

static uint8_t ecn_of(struct bytes *b)
{
    return is_v6(b) ? b->at[1] >> 4 & 3 : b->at[1] & 3;
}

/* The line is busy with @n segments before it; then one with @tos is sent. What arrives of it, or NULL. */
static struct bytes *behind(unsigned n, bool v6, uint8_t tos)
{
    struct say say = {.v6 = v6, .flags = ACK, .payload = "0123456789", .tos = tos};
    struct bytes b = segment(&say);
    size_t before = net.there_count;

    for (unsigned i = 0; i < n; i++)
        pass(&b, false);
    pass(&b, false);
    net.now += SANWO_SEC(1);
    move_all();
    return net.there_count > before ? &net.there[net.there_count - 1] : NULL;
}

static void test_above_the_mark(void **state)
{
    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        uint32_t length = v6 ? 70 : 50;
        struct sanwo_emulator_path path = marking(2 * length);

        for (uint8_t ecn = 0; ecn < 4; ecn++) {
            for (unsigned n = 0; n < 5; n++) {
                struct bytes *b;

                setup_box(NULL, &path);
                b = behind(n, v6, (uint8_t)(46 << 2 | ecn));
                assert_non_null(b);
                assert_sound(b);
                /* With three before it, three wait: more than two. What is not ECT only waits. */
                assert_int_equal(ecn_of(b), n >= 3 && ecn ? 3 : ecn);
                assert_int_equal(stats().marked, n >= 3 && ecn % 3 ? n - 2 : 0);
                assert_int_equal(stats().queue_dropped, 0);
                teardown();
            }
        }
    }
}

/* No threshold, no marks; and a full queue drops what is ECT too. */
static void test_otherwise_not(void **state)
{
    struct sanwo_emulator_path path = marking(0);

    (void)state;
    setup_box(NULL, &path);
    assert_int_equal(ecn_of(behind(20, false, 2)), 2);
    assert_int_equal(stats().marked, 0);
    teardown();
    path = marking(100);
    setup_box(NULL, &path);
    behind(60, false, 2);
    assert_true(stats().queue_dropped > 0);
    assert_true(stats().marked > 0);
    teardown();
}

/* A middlebox that clears ECN clears all of it: AE too. */
static void test_bleached_to_the_last_bit(void **state)
{
    struct sanwo_emulator_middlebox box = {.bleach_ecn = true};

    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        struct say say = {.v6 = v6, .flags = ACK | 0xc0, .payload = "x", .tos = 0xb9};
        struct bytes b = segment(&say);
        uint8_t *tcp = tcp_of(&b);
        uint32_t sum;

        tcp[12] |= 1; /* AE; the checksum follows (RFC 1624) */
        sum = (uint32_t)(get16(tcp + 16) ^ 0xffff) + 0x100;
        sum = ~((sum & 0xffff) + (sum >> 16));
        tcp[16] = (uint8_t)(sum >> 8);
        tcp[17] = (uint8_t)sum;
        assert_sound(&b);
        setup_box(&box, NULL);
        pass(&b, false);
        move_all();
        assert_int_equal(net.there_count, 1);
        assert_sound(&net.there[0]);
        assert_int_equal(ecn_of(&net.there[0]), 0);
        assert_int_equal(tcp_of(&net.there[0])[12] & 15, 0);
        assert_int_equal(tcp_of(&net.there[0])[13], ACK);
        teardown();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_above_the_mark),
        cmocka_unit_test(test_otherwise_not),
        cmocka_unit_test(test_bleached_to_the_last_bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
