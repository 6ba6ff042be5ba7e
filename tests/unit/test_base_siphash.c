/*
 * test_base_siphash.c - SipHash-2-4 and 1-3 against published outputs for the key 00 01 ... 0f.
 */
#include "base/bytes.h"
#include "base/siphash.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct siphash_key key = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};

/* The message is 00 01 02 ... of that length. 2-4: the authors' vectors; 1-3: OpenSSL's. */
static void test_vectors(void **state)
{
    static const struct {
        size_t length;
        uint64_t two_four, one_three;
    } rows[] = {
        {0, 0x726fdb47dd0e0e31, 0xabac0158050fc4dc},  {1, 0x74f839c593dc67fd, 0xc9f49bf37d57ca93},
        {2, 0x0d6c8009d9a94f5a, 0x82cb9b024dc7d44d},  {3, 0x85676696d7fb7e2d, 0x8bf80ab8e7ddf7fb},
        {7, 0xab0200f58b01d137, 0xd3927d989bb11140},  {8, 0x93f5f5799a932462, 0x369095118d299a8e},
        {15, 0xa129ca6149be45e5, 0xd320d86d2a519956}, {63, 0x958a324ceb064572, 0x9d199062b7bbb3a8},
    };
    uint8_t message[64 + 7];

    (void)state;
    for (size_t shift = 0; shift < 8; shift++) {
        for (size_t i = 0; i < 64; i++)
            message[shift + i] = (uint8_t)i;
        for (size_t i = 0; i < SW_COUNT(rows); i++) {
            uint64_t slow = sw_siphash(&key, message + shift, rows[i].length);
            uint64_t quick = sw_siphash_table(&key, message + shift, rows[i].length);
            assert_true(slow == rows[i].two_four);
            assert_true(quick == rows[i].one_three);
        }
    }
}

static void test_every_bit_counts(void **state)
{
    uint8_t message[20] = {0};
    uint64_t before = sw_siphash(&key, message, sizeof message);
    struct siphash_key other = key;

    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof message; bit++) {
        message[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_true(sw_siphash(&key, message, sizeof message) != before);
        assert_true(sw_siphash_table(&key, message, sizeof message) !=
                    sw_siphash_table(&key, message, sizeof message - 1));
        message[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    other.k1 ^= UINT64_C(1) << 63;
    assert_true(sw_siphash(&other, message, sizeof message) != before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_every_bit_counts),
    };
    return cmocka_run_group_tests_name("base/siphash", tests, NULL, NULL);
}
