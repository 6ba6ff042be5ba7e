/*
 * test_stack_frame.c - Frames as flat bytes: copying slices, completing a partial checksum.
 */
#include "test_tcp_support.h"

static void test_copy(void **state)
{
    (void)state;
    uint8_t bytes[100], out[102];
    const uint32_t cuts[][6] = {{100, 0}, {1, 99, 0}, {20, 30, 50, 0}, {1, 1, 1, 1, 96, 0}, {0}};

    rig_fill(bytes, 0, 100);
    for (size_t i = 0; i < SW_COUNT(cuts); i++) {
        struct sanwo_frame f = {.length = 0};
        for (const uint32_t *cut = cuts[i]; *cut; cut++) {
            f.slices[f.slice_count++] = (struct sanwo_slice){bytes + f.length, *cut, 0};
            f.length += *cut;
        }
        memset(out, 0xa5, sizeof out);
        sanwo_frame_copy(&f, out + 1);
        rig_check(out + 1, 0, f.length);
        assert_int_equal(out[0], 0xa5);
        assert_int_equal(out[1 + f.length], 0xa5);
    }
}

/* The field held the pseudo-header's sum; afterwards the whole verifies. */
static void test_complete(void **state)
{
    (void)state;
    for (uint32_t length = 40; length < 120; length++) {
        for (uint16_t start = 0; start <= 20; start += 10) {
            uint8_t bytes[120];
            const uint16_t pseudo = 0x9abc;
            struct sanwo_frame f = {.length = length,
                                    .checksum = SANWO_CHECKSUM_PARTIAL,
                                    .checksum_start = start,
                                    .checksum_offset = 16};
            rig_fill(bytes, 0, length);
            sw_store16(bytes + start + 16, pseudo);
            sanwo_frame_complete(&f, bytes);
            uint32_t sum = sw_checksum_add_plain(pseudo, bytes + start, length - start);
            assert_int_equal(sw_checksum_finish(sum), 0);
            for (uint32_t i = 0; i < length; i++)
                if (i != start + 16u && i != start + 17u)
                    assert_int_equal(bytes[i], rig_byte(i));
        }
    }
}

/* Nothing is written where nothing is partial, or where the field would lie outside the frame. */
static void test_left_alone(void **state)
{
    (void)state;
    const struct {
        uint8_t checksum;
        uint16_t start, offset;
    } rows[] = {
        {SANWO_CHECKSUM_NONE, 0, 16},           {SANWO_CHECKSUM_VALID, 0, 16},
        {SANWO_CHECKSUM_PARTIAL, 0, 39},        {SANWO_CHECKSUM_PARTIAL, 0, 40},
        {SANWO_CHECKSUM_PARTIAL, 30, 9},        {SANWO_CHECKSUM_PARTIAL, 40, 0},
        {SANWO_CHECKSUM_PARTIAL, 65535, 65535}, {SANWO_CHECKSUM_PARTIAL, 41, 65535},
    };
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        uint8_t bytes[40];
        struct sanwo_frame f = {.length = 40,
                                .checksum = rows[i].checksum,
                                .checksum_start = rows[i].start,
                                .checksum_offset = rows[i].offset};
        rig_fill(bytes, 0, 40);
        sanwo_frame_complete(&f, bytes);
        rig_check(bytes, 0, 40);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_complete),
        cmocka_unit_test(test_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
