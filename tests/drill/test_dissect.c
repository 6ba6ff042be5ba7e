/*
 * test_dissect.c - Bytes to fields in the drill: every field, every truncation, every flipped bit.
 */
#include "test_match_support.h"

static void test_tcp_fields(void **state)
{
    static const uint8_t families[] = {SANWO_FAMILY_IPV4, SANWO_FAMILY_IPV6};
    const struct sent sent = {.flags = 0xd5,
                              .ae = true,
                              .reserved = 5,
                              .seq = 0x01020304,
                              .ack = 0xfffefdfc,
                              .length = 7,
                              .window = 0xabcd,
                              .urgent = 0x1234,
                              .options = {2, 4, 5, 180, 1, 1, 4, 2},
                              .options_length = 8,
                              .tos = 0xb9,
                              .ttl = 33,
                              .label = 0x98765};
    static struct sent_bytes room;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct drill_seen seen;
        struct sanwo_address from = stack_address(families[i]), to = peer_address(families[i]);

        see(&seen, &room, families[i], &sent, 77);
        assert_int_equal(seen.family, families[i]);
        assert_int_equal(seen.protocol, DRILL_TCP);
        assert_true(sanwo_address_equal(&seen.source.address, &from));
        assert_true(sanwo_address_equal(&seen.destination.address, &to));
        assert_int_equal(seen.source.port, LOCAL_PORT);
        assert_int_equal(seen.destination.port, PEER_PORT);
        assert_int_equal(seen.tos, 0xb9);
        assert_int_equal(seen.ttl, 33);
        assert_int_equal(seen.flow_label, i == 1 ? 0x98765 : 0);
        assert_int_equal(seen.ip_id, i == 0 ? 0x1234 : 0);
        assert_int_equal(seen.dont_fragment, i == 0);
        assert_int_equal(seen.flags, 0xd5);
        assert_true(seen.ae);
        assert_int_equal(seen.reserved, 5);
        assert_int_equal(seen.seq, 0x01020304);
        assert_int_equal(seen.ack, 0xfffefdfc);
        assert_int_equal(seen.window, 0xabcd);
        assert_int_equal(seen.urgent, 0x1234);
        assert_int_equal(seen.options_length, 8);
        assert_memory_equal(seen.options, sent.options, 8);
        assert_int_equal(seen.payload_length, 7);
        assert_ptr_equal(seen.payload, seen.packet + seen.length - 7);
        assert_false(seen.bad_checksum);
        assert_int_equal(seen.when, 77);
    }
}

/* IP around @length bytes at @body; the checksum at @sum_at of it is filled in. */
static size_t put_other(uint8_t *p, uint8_t family, uint8_t protocol, const uint8_t *body,
                        size_t length, size_t sum_at)
{
    const struct sent sent = {.ttl = 9};
    size_t ip = put_ip_header(p, family, protocol, length, &sent);

    memcpy(p + ip, body, length);
    put2(p + ip + sum_at, protocol == 1 ? 65535 - plain_sum(0, p + ip, length)
                                        : 65535 - transport_sum(p, ip, length, protocol));
    return ip + length;
}

static void test_udp_and_icmp_fields(void **state)
{
    static const uint8_t udp[] = {0x1f, 0x90, 0xc3, 0x50, 0, 11, 0, 0, 'a', 'b', 'c'};
    static const uint8_t icmp[] = {3, 4, 0, 0, 0, 0, 5, 0x78, 1, 2, 3};
    uint8_t bytes[128];
    struct drill_seen seen;

    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        assert_true(sw_drill_dissect(&seen, bytes, put_other(bytes, family, 17, udp, 11, 6), 0));
        assert_int_equal(seen.protocol, DRILL_UDP);
        assert_int_equal(seen.source.port, 8080);
        assert_int_equal(seen.destination.port, 50000);
        assert_int_equal(seen.payload_length, 3);
        assert_memory_equal(seen.payload, "abc", 3);
        assert_false(seen.bad_checksum);

        assert_true(sw_drill_dissect(
            &seen, bytes, put_other(bytes, family, family == 4 ? 1 : 58, icmp, 11, 2), 0));
        assert_int_equal(seen.protocol, DRILL_ICMP);
        assert_int_equal(seen.icmp_type, 3);
        assert_int_equal(seen.icmp_code, 4);
        assert_int_equal(seen.icmp_rest, 1400);
        assert_int_equal(seen.payload_length, 3);
        assert_false(seen.bad_checksum);
        /* The other family's ICMP, and a protocol that we do not speak. */
        assert_false(sw_drill_dissect(
            &seen, bytes, put_other(bytes, family, family == 4 ? 58 : 1, icmp, 11, 2), 0));
        assert_false(sw_drill_dissect(&seen, bytes, put_other(bytes, family, 132, icmp, 11, 2), 0));
    }
    /* A length of UDP that is not IP's. */
    put_other(bytes, 4, 17, udp, 11, 6);
    bytes[25] = 10;
    assert_false(sw_drill_dissect(&seen, bytes, 31, 0));
    bytes[25] = 12;
    assert_false(sw_drill_dissect(&seen, bytes, 31, 0));
    /* RFC 768: a checksum of zero is none; not so under IPv6. */
    put_other(bytes, 4, 17, udp, 11, 6);
    put2(bytes + 26, 0);
    assert_true(sw_drill_dissect(&seen, bytes, 31, 0));
    assert_false(seen.bad_checksum);
    put_other(bytes, 6, 17, udp, 11, 6);
    put2(bytes + 46, 0);
    assert_true(sw_drill_dissect(&seen, bytes, 51, 0));
    assert_true(seen.bad_checksum);
}

/* A copy of @length bytes that ends where they do is dissected: what is behind is never read. */
static bool dissect_exactly(const uint8_t *bytes, size_t length, struct drill_seen *seen)
{
    uint8_t *copy = malloc(length ? length : 1);
    bool right;

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    right = sw_drill_dissect(seen, copy, length, 0);
    free(copy);
    return right;
}

/* Cut anywhere it is no packet; nor where the IP header tells the cut length but headers are cut. */
static void test_truncation(void **state)
{
    const struct sent sent = {
        .flags = ACK, .length = 5, .options = {8, 10}, .options_length = 12, .seq = 1};
    uint8_t bytes[256];
    struct drill_seen seen;

    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        size_t ip = family == 4 ? 20 : 40, length = put_segment(bytes, family, &sent);

        assert_true(dissect_exactly(bytes, length, &seen));
        for (size_t cut = 0; cut < length; cut++) {
            uint8_t told[256];

            assert_false(dissect_exactly(bytes, cut, &seen));
            if (cut < ip)
                continue;
            memcpy(told, bytes, length);
            put2(told + (family == 4 ? 2 : 4), (uint32_t)(family == 4 ? cut : cut - ip));
            assert_int_equal(dissect_exactly(told, cut, &seen), cut >= ip + 32);
        }
        /* Padding of the link after the packet is not of it. */
        assert_true(dissect_exactly(bytes, length + 9, &seen));
        assert_int_equal(seen.payload_length, 5);
    }
}

static void test_malformed(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } v4[] = {
        {0, 0x44},  /* a header of 16 bytes */
        {0, 0x4f},  /* of 60: longer than the packet's total length */
        {0, 0x55},  /* version */
        {3, 19},    /* total length below the header's */
        {6, 0x20},  /* more fragments */
        {7, 1},     /* fragment offset */
        {6, 0x80},  /* the bit that must be zero */
        {32, 0x40}, /* TCP data offset 4 */
        {32, 0xf0}, /* 15: past the end */
    };
    const struct sent sent = {.flags = ACK};
    uint8_t bytes[64];
    struct drill_seen seen;

    (void)state;
    for (size_t i = 0; i < sizeof(v4) / sizeof(v4[0]); i++) {
        size_t length = put_segment(bytes, 4, &sent);

        bytes[v4[i].at] = v4[i].value;
        if (dissect_exactly(bytes, length, &seen))
            fail_msg("row %zu should be refused", i);
    }
}

/* Hop-by-hop and destination options are passed over; a fragment header, and a cut one, are not. */
static void test_extension_headers(void **state)
{
    static const struct {
        uint8_t first, size;
        bool right;
    } rows[] = {{0, 0, true},   {60, 0, true}, {43, 1, true},
                {44, 0, false}, {0, 9, false}, {59, 0, false}};
    const struct sent sent = {.flags = ACK, .seq = 5};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t plain[80], bytes[128] = {0};
        size_t extension = 8 * ((size_t)rows[i].size + 1), length = put_segment(plain, 6, &sent);
        struct drill_seen seen;

        if (extension > 16)
            extension = 8; /* it says more than there is */
        memcpy(bytes, plain, 40);
        bytes[6] = rows[i].first;
        put2(bytes + 4, (uint32_t)(length - 40 + extension));
        bytes[40] = 6;
        bytes[41] = rows[i].size;
        memcpy(bytes + 40 + extension, plain + 40, length - 40);
        assert_int_equal(dissect_exactly(bytes, length + extension, &seen), rows[i].right);
        if (rows[i].right) {
            assert_int_equal(seen.ip_options_length, extension);
            assert_int_equal(seen.seq, 5);
            assert_false(seen.bad_checksum);
        }
    }
}

/* Each flipped bit makes it no packet or one with a wrong checksum (IPv6 sums no header of its own). */
static void test_flipped_bits(void **state)
{
    const struct sent sent = {.flags = ACK | PSH, .seq = 9, .ack = 8, .length = 3, .window = 7};
    uint8_t bytes[128];

    (void)state;
    for (uint8_t family = 4; family <= 6; family += 2) {
        size_t length = put_segment(bytes, family, &sent);

        for (size_t bit = family == 4 ? 0 : 64; bit < 8 * length; bit++) {
            struct drill_seen seen;

            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (dissect_exactly(bytes, length, &seen) && !seen.bad_checksum)
                fail_msg("IPv%u: bit %zu flipped was not noticed", family, bit);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

/* Any bytes: nothing read beyond them, and what is accepted lies within them. */
static void test_random_bytes(void **state)
{
    uint64_t seed = 20240611;
    uint8_t bytes[120];

    (void)state;
    for (int round = 0; round < 30000; round++) {
        size_t length = (size_t)(round % (int)sizeof(bytes));
        struct drill_seen seen;
        uint8_t *copy;

        for (size_t i = 0; i < length; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            bytes[i] = (uint8_t)(seed >> 33);
        }
        if (length > 40) { /* so that it gets past the first checks */
            bytes[0] = round % 2 ? 0x60 : 0x45;
            put2(bytes + (round % 2 ? 4 : 2), (uint32_t)(round % 2 ? length - 40 : length));
            put2(bytes + 6, round % 2 ? 6u * 256 : 0);
            bytes[9] = round % 2 ? bytes[9] : 6;
        }
        copy = malloc(length ? length : 1);
        assert_non_null(copy);
        memcpy(copy, bytes, length);
        if (sw_drill_dissect(&seen, copy, length, 0)) {
            assert_true(seen.payload >= copy && seen.payload_length <= length);
            assert_true(seen.payload + seen.payload_length <= copy + length);
            assert_true(seen.options_length <= sizeof(seen.options));
        }
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp_fields),        cmocka_unit_test(test_udp_and_icmp_fields),
        cmocka_unit_test(test_truncation),        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_extension_headers), cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_random_bytes),
    };

    return cmocka_run_group_tests_name("drill: dissect", tests, NULL, NULL);
}
