/*
 * test_drivers_tun_frame.c - virtio-net headers to frames and back, and headers that lie.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../../drivers/tun_frame.h"

enum { CSUM = VIRTIO_NET_HDR_F_NEEDS_CSUM, VALID = VIRTIO_NET_HDR_F_DATA_VALID };
enum { TCP4 = VIRTIO_NET_HDR_GSO_TCPV4, TCP6 = VIRTIO_NET_HDR_GSO_TCPV6, UDP_L4 = 5 };
enum { ECN = VIRTIO_NET_HDR_GSO_ECN };

struct row {
    struct virtio_net_hdr header;
    uint8_t checksum, segmentation;
    uint16_t segment_size, header_length, start, offset;
};

static uint8_t packet[3000];

/* An IPv4 or IPv6 packet's place for a TCP header of 32 bytes at @start. */
static struct sanwo_frame received(uint16_t start)
{
    struct sanwo_frame f;

    memset(packet, 0, sizeof(packet));
    packet[start + 12] = 8 << 4;
    memset(&f, 0x5a, sizeof(f));
    f.length = sizeof(packet);
    f.slice_count = 2;
    f.slices[0] = (struct sanwo_slice){.bytes = packet, .length = 2000};
    f.slices[1] = (struct sanwo_slice){.bytes = packet + 2000, .length = 1000};
    return f;
}

static const struct row rows[] = {
    {{.flags = 0}, SANWO_CHECKSUM_NONE, 0, 0, 0, 0, 0},
    {{.flags = CSUM, .csum_start = 20, .csum_offset = 16}, SANWO_CHECKSUM_PARTIAL, 0, 0, 0, 20, 16},
    {{.flags = CSUM, .csum_start = 40, .csum_offset = 6}, SANWO_CHECKSUM_PARTIAL, 0, 0, 0, 40, 6},
    {{.flags = CSUM,
      .gso_type = TCP4,
      .hdr_len = 52,
      .gso_size = 1448,
      .csum_start = 20,
      .csum_offset = 16},
     SANWO_CHECKSUM_PARTIAL,
     SANWO_SEGMENT_TCP_IPV4,
     1448,
     52,
     20,
     16},
    {{.flags = CSUM,
      .gso_type = TCP6,
      .hdr_len = 72,
      .gso_size = 1428,
      .csum_start = 40,
      .csum_offset = 16},
     SANWO_CHECKSUM_PARTIAL,
     SANWO_SEGMENT_TCP_IPV6,
     1428,
     72,
     40,
     16},
    {{.flags = CSUM,
      .gso_type = UDP_L4,
      .hdr_len = 28,
      .gso_size = 1200,
      .csum_start = 20,
      .csum_offset = 6},
     SANWO_CHECKSUM_PARTIAL,
     SANWO_SEGMENT_UDP,
     1200,
     28,
     20,
     6},
};

static void test_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct sanwo_frame f = received(row->start);
        struct virtio_net_hdr back;

        assert_true(sw_tun_frame_from_header(&f, &row->header));
        assert_int_equal(f.checksum, row->checksum);
        assert_int_equal(f.segmentation, row->segmentation);
        assert_int_equal(f.segment_size, row->segment_size);
        assert_int_equal(f.header_length, row->header_length);
        assert_int_equal(f.checksum_start, row->start);
        assert_int_equal(f.checksum_offset, row->offset);
        memset(&back, 0xff, sizeof(back));
        sw_tun_frame_to_header(&f, &back);
        assert_memory_equal(&back, &row->header, sizeof(back));
    }
}

static void test_valid(void **state)
{
    struct virtio_net_hdr header = {.flags = VALID}, none = {0};
    struct sanwo_frame f = received(20);

    (void)state;
    assert_true(sw_tun_frame_from_header(&f, &header));
    assert_int_equal(f.checksum, SANWO_CHECKSUM_VALID);
    sw_tun_frame_to_header(&f, &header);
    assert_memory_equal(&header, &none, sizeof(none));
}

/* The kernel's hdr_len may be anything; the ECN bit says nothing of the kind. */
static void test_header_length_is_measured(void **state)
{
    struct virtio_net_hdr header = rows[3].header;
    struct sanwo_frame f = received(20);

    (void)state;
    header.hdr_len = 1999;
    header.gso_type |= ECN;
    assert_true(sw_tun_frame_from_header(&f, &header));
    assert_int_equal(f.header_length, 52);
    assert_int_equal(f.segmentation, SANWO_SEGMENT_TCP_IPV4);
    f = received(20);
    header.flags = 0;
    assert_true(sw_tun_frame_from_header(&f, &header));
    assert_int_equal(f.header_length, 1999);
}

static void test_lies(void **state)
{
    static const struct virtio_net_hdr lies[] = {
        {.flags = CSUM, .csum_start = 2990, .csum_offset = 9}, /* behind the end */
        {.flags = CSUM, .csum_start = 65535, .csum_offset = 65535},
        {.flags = CSUM, .gso_type = TCP4, .hdr_len = 40, .csum_start = 20, .csum_offset = 16},
        {.gso_type = TCP4, .hdr_len = 2001, .gso_size = 1}, /* longer than slice 0 */
        {.gso_type = 2, .hdr_len = 40, .gso_size = 1000},   /* no such kind */
        {.gso_type = VIRTIO_NET_HDR_GSO_UDP, .hdr_len = 28, .gso_size = 1000}, /* not agreed on */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct sanwo_frame f = received(20);

        assert_false(sw_tun_frame_from_header(&f, &lies[i]));
    }
}

/* The TCP header may end behind slice 0, wherever that ends: nothing outside is read. */
static void test_every_length(void **state)
{
    (void)state;
    for (uint32_t length = 1; length < 100; length++) {
        struct sanwo_frame f = received(20);
        struct virtio_net_hdr header = rows[3].header;

        header.hdr_len = 0;
        f.slices[0].length = length;
        f.slice_count = 1;
        f.length = length;
        assert_int_equal(sw_tun_frame_from_header(&f, &header), length >= 38);
        if (length >= 38)
            assert_int_equal(f.header_length, length >= 52 ? 52 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_header_length_is_measured),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_every_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
