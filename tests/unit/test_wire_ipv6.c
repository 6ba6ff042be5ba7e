/*
 * test_wire_ipv6.c - The fixed IPv6 header: truncations, payload lengths, versions, round trips.
 */
#include "test_wire_support.h"

#include "wire/ipv6.h"

/* 2001:db8::1 to 2001:db8::2, class 0xb8, label 0xabcde, 4 bytes for TCP. */
static const uint8_t known[44] = {
    0x6b, 0x8a, 0xbc, 0xde, 0x00, 0x04, 0x06, 0x40, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0,
    0,    0,    0,    1,    0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,    0,    0, 0, 0, 0, 0, 0, 0, 2};

static void test_known_header(void **state)
{
    struct wire_ipv6 h;
    struct sanwo_address a;

    (void)state;
    assert_int_equal(sw_wire_ipv6_read(&h, known, sizeof(known)), WIRE_IP_OK);
    assert_int_equal(h.traffic_class, 0xb8);
    assert_int_equal(h.flow_label, 0xabcde);
    assert_int_equal(h.payload_length, 4);
    assert_int_equal(h.next_header, IP_PROTOCOL_TCP);
    assert_int_equal(h.hop_limit, 64);
    assert_true(sanwo_address_parse("2001:db8::1", &a));
    assert_true(sanwo_address_equal(&h.source, &a));
    assert_true(sanwo_address_parse("2001:db8::2", &a));
    assert_true(sanwo_address_equal(&h.destination, &a));
}

/* Attack A-02. RFC8200-3-1. */
static void test_every_length(void **state)
{
    uint8_t bytes[64] = {0};

    (void)state;
    memcpy(bytes, known, sizeof(known));
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        uint8_t *p = exact_copy(bytes, n);
        for (unsigned payload = 0; payload <= 65535; payload += payload < 80 ? 1 : 255) {
            struct wire_ipv6 h;
            if (n >= 6)
                sw_store16(p + 4, (uint16_t)payload);
            assert_int_equal(sw_wire_ipv6_read(&h, p, n), n < 40             ? WIRE_IP_SHORT
                                                          : payload > n - 40 ? WIRE_IP_LENGTH
                                                                             : WIRE_IP_OK);
            assert_int_equal(sw_wire_ipv6_read_quoted(&h, p, n),
                             n < 40 ? WIRE_IP_SHORT : WIRE_IP_OK);
        }
        free(p);
    }
}

/* RFC8200-3-1. */
static void test_every_version(void **state)
{
    (void)state;
    for (unsigned version = 0; version < 16; version++) {
        uint8_t bytes[44];
        struct wire_ipv6 h;
        memcpy(bytes, known, sizeof(bytes));
        bytes[0] = (uint8_t)(version << 4 | 0xb);
        assert_int_equal(sw_wire_ipv6_read(&h, bytes, sizeof(bytes)),
                         version == 6 ? WIRE_IP_OK : WIRE_IP_VERSION);
    }
}

static void test_round_trip(void **state)
{
    uint64_t seed = 12;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        uint8_t bytes[40], again[40];
        struct wire_ipv6 h;
        random_fill(&seed, bytes, sizeof(bytes));
        bytes[0] = (uint8_t)(0x60 | (bytes[0] & 15));
        assert_int_equal(sw_wire_ipv6_read_quoted(&h, bytes, sizeof(bytes)), WIRE_IP_OK);
        sw_wire_ipv6_write(&h, again);
        assert_memory_equal(bytes, again, sizeof(bytes));
    }
}

/* A label of more than 20 bits must not reach the traffic class. */
static void test_label_is_cut(void **state)
{
    struct wire_ipv6 h = {.flow_label = UINT32_MAX, .traffic_class = 0};
    uint8_t bytes[40];

    (void)state;
    sw_wire_ipv6_write(&h, bytes);
    assert_int_equal(sw_load32(bytes), 0x600fffff);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_header),  cmocka_unit_test(test_every_length),
        cmocka_unit_test(test_every_version), cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_label_is_cut),
    };

    return cmocka_run_group_tests_name("wire/ipv6", tests, NULL, NULL);
}
