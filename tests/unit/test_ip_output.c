/*
 * test_ip_output.c - Headers before segments: bytes, IDs, labels, sizes, offload, neighbours.
 */
#include "test_ip_host.h"

/* RFC1122-3.3.3-1. */
static void test_v4_bytes(void **state)
{
    struct host *h = host_new();
    struct ip_send what = send_to("10.0.0.1", "10.0.0.2");
    struct ip_path path = path_to(h, "10.0.0.2");
    struct sanwo_frame f = segment(h, 24);
    const uint8_t *payload = f.slices[0].bytes;
    struct wire_ipv4 ip4;
    uint16_t reason;

    (void)state;
    what.dscp_ecn = 0xb9;
    assert_int_equal(sw_ip_send(&h->ip, &what, &path, &f, 0, &reason), IP_SENT);
    assert_int_equal(f.length, 44);
    assert_int_equal(f.link, TUN);
    assert_int_equal(f.header_length, 20);
    assert_ptr_equal(f.slices[0].bytes, payload - 20);
    assert_int_equal(sw_wire_ipv4_read(&ip4, f.slices[0].bytes, 44, true), WIRE_IP_OK);
    assert_int_equal(ip4.total_length, 44);
    assert_true(ip4.dont_fragment);
    assert_false(ip4.more_fragments);
    assert_int_equal(ip4.ttl, 64);
    assert_int_equal(ip4.protocol, 6);
    assert_int_equal(ip4.dscp_ecn, 0xb9);
    assert_true(sanwo_address_equal(&ip4.source, &what.source));
    assert_true(sanwo_address_equal(&ip4.destination, &what.destination));
    release(h, &f);
    what.may_fragment = true;
    f = segment(h, 24);
    assert_int_equal(sw_ip_send(&h->ip, &what, &path, &f, 0, &reason), IP_SENT);
    sw_wire_ipv4_read(&ip4, f.slices[0].bytes, 44, true);
    assert_false(ip4.dont_fragment);
    release(h, &f);
    host_end(h);
}

static void test_v6_bytes(void **state)
{
    struct host *h = host_new();
    struct ip_send what = send_to("2001:db8::1", "2001:db8::2");
    struct ip_path path = path_to(h, "2001:db8::2");
    struct sanwo_frame f = segment(h, 24);
    struct wire_ipv6 ip6;
    uint16_t reason;

    (void)state;
    what.dscp_ecn = 0xb9;
    assert_int_equal(sw_ip_send(&h->ip, &what, &path, &f, 0, &reason), IP_SENT);
    assert_int_equal(f.length, 64);
    assert_int_equal(sw_wire_ipv6_read(&ip6, f.slices[0].bytes, 64), WIRE_IP_OK);
    assert_int_equal(ip6.payload_length, 24);
    assert_int_equal(ip6.next_header, 6);
    assert_int_equal(ip6.hop_limit, 64);
    assert_int_equal(ip6.traffic_class, 0xb9);
    assert_int_not_equal(ip6.flow_label, 0);
    assert_true(sanwo_address_equal(&ip6.destination, &what.destination));
    release(h, &f);
    host_end(h);
}

static uint32_t mark_of(struct host *h, const char *from, const char *to, uint64_t flow, bool frag)
{
    struct ip_send what = send_to(from, to);
    struct ip_path path = path_to(h, to);
    struct sanwo_frame f = segment(h, 8);
    uint16_t reason;
    uint32_t mark;

    what.flow = flow;
    what.may_fragment = frag;
    assert_int_equal(sw_ip_send(&h->ip, &what, &path, &f, 0, &reason), IP_SENT);
    mark = what.source.family == SANWO_FAMILY_IPV4 ? sw_load16(f.slices[0].bytes + 4)
                                                   : sw_load32(f.slices[0].bytes) & 0xfffff;
    release(h, &f);
    return mark;
}

/*
 * IDs and labels: of one flow the same, of its neighbours anything; no counter shows (C-04).
 * MAY-4, RFC6437-3-1, RFC6864-4-1.
 *
 */
static void test_marks(void **state)
{
    struct host *h = host_new();
    unsigned steps = 0, same = 0;

    (void)state;
    for (uint64_t flow = 0; flow < 1000; flow++) {
        uint32_t id = mark_of(h, "10.0.0.1", "10.0.0.2", flow, false);
        uint32_t next = mark_of(h, "10.0.0.1", "10.0.0.2", flow + 1, false);
        uint32_t label = mark_of(h, "2001:db8::1", "2001:db8::2", flow, false);
        uint32_t once = mark_of(h, "10.0.0.1", "10.0.0.2", flow, true);
        uint32_t again = mark_of(h, "10.0.0.1", "10.0.0.2", flow, true);
        assert_int_equal(mark_of(h, "10.0.0.1", "10.0.0.2", flow, false), id);
        assert_int_equal(mark_of(h, "2001:db8::1", "2001:db8::2", flow, false), label);
        steps += (uint16_t)(next - id) < 16 || (uint16_t)(again - once) < 16;
        same += again == once;
    }
    assert_in_range(steps, 0, 10);
    assert_in_range(same, 0, 2);
    host_end(h);
}

/* RFC 6437 2: a label of zero would say that there is none. RFC6437-3-1. */
static void test_label_is_never_zero(void **state)
{
    struct host *h = host_new();
    uint64_t flow = 0;

    (void)state;
    for (;; flow++) {
        uint8_t bytes[8] = {0};
        sw_store32(bytes + 4, (uint32_t)flow);
        if ((sw_siphash(&h->ip.id_key, bytes, 8) & 0xfffff) == 0)
            break;
    }
    assert_int_equal(mark_of(h, "2001:db8::1", "2001:db8::2", flow, false), 1);
    host_end(h);
}

/* The largest that goes, and one byte more. */
static void test_sizes(void **state)
{
    static const struct {
        const char *from, *to;
        uint8_t segmentation;
        uint32_t most; /* bytes of segment */
    } rows[] = {
        {"10.0.0.1", "10.0.0.2", SANWO_SEGMENT_NONE, 1480},
        {"2001:db8::1", "2001:db8::2", SANWO_SEGMENT_NONE, 1460},
        {"10.0.0.1", "10.0.0.2", SANWO_SEGMENT_TCP_IPV4, 65515},
        {"2001:db8::1", "2001:db8::2", SANWO_SEGMENT_TCP_IPV6, 65535},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++)
        for (uint32_t over = 0; over < 2; over++) {
            struct host *h = host_new();
            struct ip_send what = send_to(rows[i].from, rows[i].to);
            struct ip_path path = path_to(h, rows[i].to);
            struct sanwo_frame f = segment(h, 20), before;
            struct sanwo_frame payload = segment(h, rows[i].most - 20 + over);
            uint16_t reason;
            f.slices[f.slice_count++] = payload.slices[0];
            f.length += payload.length;
            f.segmentation = rows[i].segmentation;
            f.checksum = SANWO_CHECKSUM_PARTIAL;
            f.checksum_offset = 16;
            f.header_length = 20;
            before = f;
            assert_int_equal(sw_ip_send(&h->ip, &what, &path, &f, 0, &reason),
                             over ? IP_NOT_SENT : IP_SENT);
            if (over) {
                assert_int_equal(reason, SANWO_REASON_FRAME_TOO_LONG);
                assert_memory_equal(&f, &before, sizeof f); /* the caller's, untouched */
            } else {
                uint32_t header = i & 1 ? 40 : 20;
                assert_int_equal(f.length, rows[i].most + header);
                assert_int_equal(f.checksum_start, header);
                assert_int_equal(f.checksum_offset, 16);
                assert_int_equal(f.header_length, 20 + header);
                assert_int_equal(sw_load16(f.slices[0].bytes + (i & 1 ? 4 : 2)),
                                 rows[i].most + (i & 1 ? 0 : 20));
                assert_int_equal(f.slices[1].length, rows[i].most - 20);
            }
            release(h, &f);
            host_end(h);
        }
}

/* To a known neighbour: an Ethernet header too, and the offsets move along. */
static void test_ethernet(void **state)
{
    struct host *h = host_new();
    struct ip_send what = send_to("192.168.1.1", "8.8.8.8");
    struct ip_path path = path_to(h, "8.8.8.8");
    struct sanwo_frame f = segment(h, 20);
    struct sanwo_address gateway = addr("192.168.1.254");
    struct neighbour_frames none;
    struct wire_ethernet e;
    uint16_t reason;

    (void)state;
    sw_neighbour_learn(sw_ip_neighbours(&h->ip), ETH, &gateway, &peer_mac, true, 0, &none);
    f.checksum = SANWO_CHECKSUM_PARTIAL;
    assert_int_equal(sw_ip_send(&h->ip, &what, &path, &f, 0, &reason), IP_SENT);
    assert_int_equal(f.length, 54);
    assert_int_equal(f.checksum_start, 34);
    assert_int_equal(f.link, ETH);
    assert_true(sw_wire_ethernet_read(&e, f.slices[0].bytes, 54));
    assert_true(sw_wire_mac_equal(&e.destination, &peer_mac));
    assert_true(sw_wire_mac_equal(&e.source, &our_mac));
    assert_int_equal(e.type, ETHERTYPE_IPV4);
    assert_memory_equal(f.slices[0].bytes + 30, what.destination.bytes, 4);
    release(h, &f);
    host_end(h);
}

static void test_not_sent(void **state)
{
    static const struct {
        const char *what;
        const char *next_hop;
        uint16_t link;
        uint64_t fault;
        unsigned reason;
    } rows[] = {
        {"no such link", "10.0.0.2", 9, 0, SANWO_REASON_LINK_UNKNOWN},
        {"no neighbour discovery", "2001:db8::2", ETH, 0, SANWO_REASON_NEIGHBOUR_UNRESOLVED},
        {"broadcast", "192.168.1.255", ETH, 0, SANWO_REASON_NO_ROUTE},
        {"ours", "192.168.1.1", ETH, 0, SANWO_REASON_NO_ROUTE},
        {"no memory to wait", "192.168.1.7", ETH, 1, SANWO_REASON_NO_MEMORY},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct host *h = host_new();
        struct ip_send what = send_to("192.168.1.1", rows[i].next_hop);
        struct ip_path path = {
            .next_hop = addr(rows[i].next_hop), .link = rows[i].link, .mtu = 1500, .up = true};
        struct sanwo_frame f = segment(h, 20), before = f;
        uint16_t reason;
        h->region.fault_countdown = rows[i].fault;
        assert_int_equal(sw_ip_send(&h->ip, &what, &path, &f, 0, &reason), IP_NOT_SENT);
        if (reason != rows[i].reason)
            fail_msg("%s: reason %u", rows[i].what, reason);
        assert_memory_equal(&f, &before, sizeof f);
        release(h, &f);
        host_end(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v4_bytes), cmocka_unit_test(test_v6_bytes),
        cmocka_unit_test(test_marks),    cmocka_unit_test(test_label_is_never_zero),
        cmocka_unit_test(test_sizes),    cmocka_unit_test(test_ethernet),
        cmocka_unit_test(test_not_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
