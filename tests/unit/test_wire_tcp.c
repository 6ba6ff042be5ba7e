/*
 * test_wire_tcp.c - The TCP header: every data offset by every length, round trips.
 */
#include "test_wire_support.h"

#include "wire/tcp.h"

/* A SYN-ACK with sequence numbers at the turn. */
static const uint8_t known[20] = {0x00, 0x50, 0xc0, 0x01, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00,
                                  0x00, 0x00, 0x50, 0x12, 0xfa, 0xf0, 0x12, 0x34, 0x00, 0x07};

static void test_known_header(void **state)
{
    struct wire_tcp h;

    (void)state;
    assert_true(sw_wire_tcp_read(&h, known, sizeof(known)));
    assert_int_equal(h.source_port, 80);
    assert_int_equal(h.destination_port, 49153);
    assert_int_equal(h.seq.raw, UINT32_MAX);
    assert_int_equal(h.ack.raw, 0);
    assert_true(tcp_seq_before(h.seq, h.ack)); /* over the wrap-around */
    assert_int_equal(h.header_length, 20);
    assert_int_equal(h.flags, TCP_SYN | TCP_ACK);
    assert_int_equal(h.reserved, 0);
    assert_int_equal(h.window, 64240);
    assert_int_equal(h.checksum, 0x1234);
    assert_int_equal(h.urgent, 7);
}

/* Attack A-08. */
static void test_every_offset_and_length(void **state)
{
    uint8_t bytes[80] = {0};

    (void)state;
    memcpy(bytes, known, sizeof(known));
    for (size_t n = 0; n <= sizeof(bytes); n++) {
        uint8_t *p = exact_copy(bytes, n);
        for (unsigned low = 0; low < 256; low++) {
            struct wire_tcp h;
            bool good = n >= 20 && low >> 4 >= 5 && (low >> 4) * 4 <= n;
            if (n > 12)
                p[12] = (uint8_t)low;
            assert_int_equal(sw_wire_tcp_read(&h, p, n), good);
            if (good) {
                assert_int_equal(h.header_length, (low >> 4) * 4);
                assert_int_equal(h.reserved, low & 15);
            }
        }
        free(p);
    }
}

static void test_round_trip(void **state)
{
    uint64_t seed = 8;

    (void)state;
    for (int i = 0; i < 5000; i++) {
        uint8_t bytes[60], again[20];
        struct wire_tcp h;
        random_fill(&seed, bytes, sizeof(bytes));
        bytes[12] = (uint8_t)((5 + next_random(&seed) % 11) << 4 | (bytes[12] & 15));
        assert_true(sw_wire_tcp_read(&h, bytes, sizeof(bytes)));
        sw_wire_tcp_write(&h, again);
        assert_memory_equal(bytes, again, sizeof(again));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_header),
        cmocka_unit_test(test_every_offset_and_length),
        cmocka_unit_test(test_round_trip),
    };

    return cmocka_run_group_tests_name("wire/tcp", tests, NULL, NULL);
}
