/*
 * test_wire_arp.c - ARP: a packet known by hand, every truncation, every wrong fixed byte.
 */
#include "test_wire_support.h"

#include "wire/arp.h"

static const uint8_t request[WIRE_ARP_SIZE] = {
    0, 1, 8, 0, 6, 4, 0,   1,         /* Ethernet, IPv4, 6, 4, request */
    2, 0, 0, 0, 0, 9, 192, 0, 2, 1,   /* who asks */
    0, 0, 0, 0, 0, 0, 192, 0, 2, 254, /* who is asked for */
};

static void test_known_packet(void **state)
{
    struct sanwo_address sender = sanwo_address_ipv4(192, 0, 2, 1);
    struct sanwo_address target = sanwo_address_ipv4(192, 0, 2, 254);
    struct wire_arp a;

    (void)state;
    assert_true(sw_wire_arp_read(&a, request, sizeof(request)));
    assert_int_equal(a.operation, ARP_REQUEST);
    assert_true(sanwo_address_equal(&a.sender, &sender));
    assert_true(sanwo_address_equal(&a.target, &target));
    assert_int_equal(a.sender_mac.bytes[5], 9);
    assert_true(sw_wire_mac_is_zero(&a.target_mac));
}

/* Attack A-18: short ARP packets, and ones padded to Ethernet's minimum. */
static void test_every_length(void **state)
{
    uint8_t padded[46] = {0};

    (void)state;
    memcpy(padded, request, sizeof(request));
    for (size_t n = 0; n <= sizeof(padded); n++) {
        uint8_t *p = exact_copy(padded, n);
        struct wire_arp a;
        assert_int_equal(sw_wire_arp_read(&a, p, n), n >= WIRE_ARP_SIZE);
        free(p);
    }
}

/* RFC826-0-1. */
static void test_every_fixed_byte(void **state)
{
    (void)state;
    for (size_t at = 0; at < 6; at++)
        for (unsigned v = 0; v < 256; v++) {
            uint8_t bytes[WIRE_ARP_SIZE];
            struct wire_arp a;
            memcpy(bytes, request, sizeof(bytes));
            bytes[at] = (uint8_t)v;
            assert_int_equal(sw_wire_arp_read(&a, bytes, sizeof(bytes)), v == request[at]);
        }
}

static void test_round_trip(void **state)
{
    uint64_t seed = 2;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint8_t bytes[WIRE_ARP_SIZE], again[WIRE_ARP_SIZE];
        struct wire_arp a;
        memcpy(bytes, request, 6);
        random_fill(&seed, bytes + 6, sizeof(bytes) - 6);
        assert_true(sw_wire_arp_read(&a, bytes, sizeof(bytes)));
        sw_wire_arp_write(&a, again);
        assert_memory_equal(bytes, again, sizeof(bytes));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_packet),
        cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_every_fixed_byte),
        cmocka_unit_test(test_round_trip),
    };

    return cmocka_run_group_tests_name("wire/arp", tests, NULL, NULL);
}
