/*
 * test_wire_ethernet.c - Ethernet headers: every truncation, round trips, hardware addresses.
 */
#include "test_wire_support.h"

#include "wire/ethernet.h"

static const uint8_t frame[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00,
                                0x5e, 0x10, 0x20, 0x30, 0x08, 0x06, 0xaa, 0xbb};

static void test_known_frame(void **state)
{
    struct wire_ethernet h;

    (void)state;
    assert_true(sw_wire_ethernet_read(&h, frame, sizeof(frame)));
    assert_int_equal(h.type, ETHERTYPE_ARP);
    assert_memory_equal(h.destination.bytes, frame, 6);
    assert_memory_equal(h.source.bytes, frame + 6, 6);
}

/* Attack A-18: runt frames. */
static void test_every_truncation(void **state)
{
    (void)state;
    for (size_t n = 0; n <= sizeof(frame); n++) {
        uint8_t *p = exact_copy(frame, n);
        struct wire_ethernet h;
        assert_int_equal(sw_wire_ethernet_read(&h, p, n), n >= WIRE_ETHERNET_HEADER);
        free(p);
    }
}

static void test_round_trip(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint8_t bytes[WIRE_ETHERNET_HEADER], again[WIRE_ETHERNET_HEADER];
        struct wire_ethernet h;
        random_fill(&seed, bytes, sizeof(bytes));
        assert_true(sw_wire_ethernet_read(&h, bytes, sizeof(bytes)));
        sw_wire_ethernet_write(&h, again);
        assert_memory_equal(bytes, again, sizeof(bytes));
    }
}

static void test_macs(void **state)
{
    static const struct wire_mac zero = {{0}}, own = {{2, 0, 0, 0, 0, 1}},
                                 last = {{0, 0, 0, 0, 0, 1}};
    static const struct wire_mac group = {{0x33, 0x33, 0, 0, 0, 1}};

    (void)state;
    assert_true(sw_wire_mac_is_zero(&zero));
    assert_false(sw_wire_mac_is_zero(&own));
    assert_false(sw_wire_mac_is_zero(&last));
    assert_true(sw_wire_mac_equal(&own, &own));
    assert_false(sw_wire_mac_equal(&own, &last));
    assert_true(sw_wire_mac_is_group(&group));
    assert_false(sw_wire_mac_is_group(&own));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_frame),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_macs),
    };

    return cmocka_run_group_tests_name("wire/ethernet", tests, NULL, NULL);
}
