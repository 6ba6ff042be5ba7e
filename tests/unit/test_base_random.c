/*
 * test_base_random.c - The generator: RFC 8439's key stream, erasure, bounds without bias.
 */
#include "base/bytes.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/*
 * RFC 8439 A.1: blocks 0 (its second half) and 1 (its first) under a key and nonce of zero, which
 * is what a seed of zero draws first; and what the erased key draws after 224 bytes (OpenSSL's).
 */
static const uint8_t first[64] = {
    0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d, 0x77, 0x24, 0xe0, 0x3f, 0xb8, 0xd8, 0x4a, 0x37,
    0x6a, 0x43, 0xb8, 0xf4, 0x15, 0x18, 0xa1, 0x1c, 0xc3, 0x87, 0xb6, 0x69, 0xb2, 0xee, 0x65, 0x86,
    0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a, 0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d,
    0xcb, 0x0f, 0x29, 0xa0, 0x48, 0xe3, 0x65, 0x69, 0x12, 0xc6, 0x53, 0x3e, 0x32, 0xee, 0x7a, 0xed,
};
static const uint8_t second[32] = {
    0xaf, 0xbd, 0xad, 0x28, 0x45, 0xb9, 0x3c, 0xdb, 0xb2, 0xfe, 0x64, 0x63, 0xd2, 0xfe, 0x16, 0x2a,
    0xda, 0xe0, 0xf6, 0xe6, 0x76, 0xf0, 0x49, 0x42, 0x18, 0xf5, 0xce, 0x05, 0x96, 0xe7, 0x9f, 0x5c,
};

static void test_key_stream(void **state)
{
    static const uint8_t seed[32];
    struct random r;
    uint8_t drawn[224 + 32];

    (void)state;
    sw_random_init(&r, seed);
    sw_random_bytes(&r, drawn, 3);
    sw_random_bytes(&r, drawn + 3, sizeof drawn - 3);
    assert_memory_equal(drawn, first, sizeof first);
    assert_memory_equal(drawn + 224, second, sizeof second);
}

/* The pieces in which bytes are drawn do not matter; what was drawn is gone from the state. */
static void test_pieces_and_erasure(void **state)
{
    static const uint8_t seed[32] = {1, 2, 3};
    struct random a, b;
    uint8_t all[2000], part[2000];
    size_t at = 0;

    (void)state;
    sw_random_init(&a, seed);
    sw_random_init(&b, seed);
    sw_random_bytes(&a, all, sizeof all);
    for (size_t n = 0; at + n <= sizeof part; n++) {
        sw_random_bytes(&b, part + at, n);
        at += n;
    }
    sw_random_bytes(&b, part + at, sizeof part - at);
    assert_memory_equal(all, part, sizeof all);
    assert_memory_equal(&a, &b, sizeof a);
    for (size_t i = 0; i < sizeof a.pool - a.left; i++)
        assert_int_equal(a.pool[i], 0);
}

static void test_seeds_differ(void **state)
{
    uint8_t seed[32] = {0};
    struct random a, b;

    (void)state;
    sw_random_init(&a, seed);
    seed[31] = 1;
    sw_random_init(&b, seed);
    assert_true(sw_random_u32(&a) != sw_random_u32(&b));
    assert_true(sw_random_key(&a).k0 != sw_random_key(&b).k0);
}

static void test_below(void **state)
{
    static const uint32_t bounds[] = {1, 2, 3, 10, 0x80000000, 0x80000001, 0xffffffff};
    static const uint8_t seed[32] = {7};
    struct random r;
    uint32_t counts[10] = {0}, odd = 0;

    (void)state;
    sw_random_init(&r, seed);
    for (size_t i = 0; i < SW_COUNT(bounds); i++) {
        for (int n = 0; n < 1000; n++)
            assert_true(sw_random_below(&r, bounds[i]) < bounds[i]);
    }
    for (int n = 0; n < 100000; n++)
        counts[sw_random_below(&r, 10)]++;
    for (size_t i = 0; i < 10; i++)
        assert_in_range(counts[i], 9500, 10500);
    /* Scaled without drawing again, every even number would come twice as often as an odd one. */
    for (int n = 0; n < 10000; n++)
        odd += sw_random_below(&r, 0xaaaaaaab) & 1;
    assert_in_range(odd, 4800, 5200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_stream),
        cmocka_unit_test(test_pieces_and_erasure),
        cmocka_unit_test(test_seeds_differ),
        cmocka_unit_test(test_below),
    };
    return cmocka_run_group_tests_name("base/random", tests, NULL, NULL);
}
