/*
 * test_ip_input.c - Frames in: links, slices, Ethernet, ARP to us, every truncation.
 */
#include "test_ip_host.h"

static void test_links(void **state)
{
    struct host *h = host_new();
    struct ip_packet out;
    struct packet p;

    (void)state;
    put_v4(&p, "10.0.0.2", "10.0.0.1", IP_PROTOCOL_TCP, "segmentsegmentsegment", 20);
    assert_int_equal(input(h, TUN, &p, &out), IP_TCP);
    assert_int_equal(input(h, 2, &p, &out), IP_DROP);
    assert_int_equal(out.reason, SANWO_REASON_LINK_UNKNOWN);
    sw_ip_link_set_up(&h->ip, TUN, false);
    assert_int_equal(input(h, TUN, &p, &out), IP_DROP);
    assert_int_equal(out.reason, SANWO_REASON_LINK_DOWN);
    host_end(h);
}

/* D-06. */
static void test_bad_frames(void **state)
{
    struct host *h = host_new();
    struct sanwo_frame f = {.link = TUN};
    struct ip_packet out;
    struct packet p;

    (void)state;
    put_v4(&p, "10.0.0.2", "10.0.0.1", IP_PROTOCOL_TCP, "segmentsegmentsegment", 20);
    assert_int_equal(sw_ip_input(&h->ip, &f, 0, &out), IP_DROP); /* no slices */
    assert_int_equal(out.reason, SANWO_REASON_FRAME_TOO_SHORT);
    f.slices[0].bytes = p.bytes;
    f.slices[0].length = p.length;
    f.slice_count = SANWO_FRAME_SLICES + 1;
    assert_int_equal(sw_ip_input(&h->ip, &f, 0, &out), IP_DROP);
    f.slice_count = 1;
    f.length = p.length + 1; /* claims more than it has */
    assert_int_equal(sw_ip_input(&h->ip, &f, 0, &out), IP_DROP);
    f.length = UINT32_MAX;
    assert_int_equal(sw_ip_input(&h->ip, &f, 0, &out), IP_DROP);
    f.length = p.length - 1; /* less than the packet says */
    assert_int_equal(sw_ip_input(&h->ip, &f, 0, &out), IP_DROP);
    assert_int_equal(out.reason, SANWO_REASON_IP_LENGTH);
    f.length = p.length;
    assert_int_equal(sw_ip_input(&h->ip, &f, 0, &out), IP_TCP);
    for (int version = 0; version < 16; version++) {
        p.bytes[0] = (uint8_t)(version << 4 | 5);
        assert_int_equal(sw_ip_input(&h->ip, &f, 0, &out), version == 4 ? IP_TCP : IP_DROP);
        if (version != 4 && version != 6)
            assert_int_equal(out.reason, SANWO_REASON_IP_VERSION);
    }
    host_end(h);
}

/*
 * Every kind of packet, cut at every byte, alone and over two slices: no byte beyond is touched.
 *
 */
static void test_truncations(void **state)
{
    static const uint8_t chain[] = {IPV6_DESTINATION,
                                    0,
                                    1,
                                    4,
                                    0,
                                    0,
                                    0,
                                    0, /* hop-by-hop */
                                    IP_PROTOCOL_TCP,
                                    0,
                                    1,
                                    4,
                                    0,
                                    0,
                                    0,
                                    0, /* destination */
                                    1,
                                    2,
                                    3,
                                    4,
                                    5,
                                    6,
                                    7,
                                    8,
                                    9,
                                    10,
                                    11,
                                    12,
                                    13,
                                    14,
                                    15,
                                    16,
                                    17,
                                    18,
                                    19,
                                    20};
    struct packet p[9], quote;
    struct host *h = host_new();
    struct ip_packet out;

    (void)state;
    put_v4(&p[0], "10.0.0.2", "10.0.0.1", IP_PROTOCOL_TCP, chain, 20);
    put_v4(&quote, "10.0.0.1", "10.0.0.2", IP_PROTOCOL_TCP, chain, 20);
    put_icmp(&p[1], "10.0.0.9", "10.0.0.1", ICMP_UNREACHABLE, 1, 0, quote.bytes, quote.length);
    put_icmp(&p[2], "10.0.0.9", "10.0.0.1", ICMP_ECHO, 0, 7, chain, sizeof chain);
    put_v6(&p[3], "2001:db8::2", "2001:db8::1", IPV6_HOP_BY_HOP, chain, sizeof chain);
    put_v6(&quote, "2001:db8::1", "2001:db8::2", IPV6_HOP_BY_HOP, chain, sizeof chain);
    put_icmp(&p[4], "2001:db8::9", "2001:db8::1", 3, 0, 0, quote.bytes, quote.length);
    put_icmp(&p[5], "2001:db8::2", "2001:db8::1", ICMPV6_ECHO, 0, 7, chain, sizeof chain);
    put_v4(&p[6], "10.0.0.2", "10.0.0.1", IP_PROTOCOL_UDP, chain, 12);
    put_arp(&p[7], ARP_REQUEST, &peer_mac, "192.168.1.7", "192.168.1.1");
    put_v4(&p[8], "192.168.1.7", "192.168.1.1", IP_PROTOCOL_TCP, chain, 20);
    put_ethernet(&p[8], &our_mac, &peer_mac, ETHERTYPE_IPV4);
    for (size_t i = 0; i < SW_COUNT(p); i++) {
        unsigned link = i >= 7 ? ETH : TUN;
        assert_int_not_equal(input(h, link, &p[i], &out), i == 6 ? IP_DONE : IP_DROP);
        for (uint32_t n = 0; n < p[i].length; n++) {
            uint32_t cuts[] = {n, 0};
            /* The frame ends here ... */
            assert_int_equal(input_cut(h, link, p[i].bytes, n, NULL, 0, &out), IP_DROP);
            assert_int_not_equal(out.reason, SANWO_REASON_NONE);
            /* ... or slice 0 does: whatever comes of it, nothing is read past it. */
            if (n)
                input_cut(h, link, p[i].bytes, p[i].length, cuts, 0, &out);
            poll_all(h, 0);
        }
    }
    poll_all(h, SANWO_SEC(1));
    poll_all(h, SANWO_SEC(2));
    poll_all(h, SANWO_SEC(9));
    host_end(h);
}

static void test_ethernet(void **state)
{
    static const struct {
        struct wire_mac to, from;
        uint16_t type;
        enum ip_verdict verdict;
        unsigned reason;
        bool group;
    } rows[] = {
        {MAC_OURS, MAC_PEER, ETHERTYPE_IPV4, IP_TCP, 0, false},
        {MAC_OTHER, MAC_PEER, ETHERTYPE_IPV4, IP_DROP, SANWO_REASON_NOT_FOR_US, false},
        {MAC_ALL, MAC_PEER, ETHERTYPE_IPV4, IP_TCP, 0, true},
        {MAC_GROUP, MAC_PEER, ETHERTYPE_IPV4, IP_TCP, 0, true},
        {MAC_OURS, MAC_GROUP, ETHERTYPE_IPV4, IP_DROP, SANWO_REASON_IP_MARTIAN, false},
        {MAC_OURS, MAC_PEER, ETHERTYPE_IPV6, IP_DROP, SANWO_REASON_IP_VERSION, false},
        {MAC_OURS, MAC_PEER, ETHERTYPE_ARP, IP_DROP, SANWO_REASON_ARP_INVALID, false},
        {MAC_OURS, MAC_PEER, 0x8100, IP_DROP, SANWO_REASON_ETHERTYPE_UNKNOWN, false},
        {MAC_OURS, MAC_PEER, 40, IP_DROP, SANWO_REASON_ETHERTYPE_UNKNOWN, false},
    };
    struct host *h = host_new();
    struct ip_packet out;

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct packet p;
        put_v4(&p, "192.168.1.7", "192.168.1.1", IP_PROTOCOL_TCP, "segmentsegmentsegment!!", 22);
        put_ethernet(&p, &rows[i].to, &rows[i].from, rows[i].type);
        memset(p.bytes + p.length, 0, 4); /* link padding */
        p.length += 4;
        assert_int_equal(input(h, ETH, &p, &out), rows[i].verdict);
        assert_int_equal(out.reason, rows[i].reason);
        if (rows[i].verdict != IP_TCP)
            continue;
        assert_int_equal(out.group, rows[i].group);
        assert_int_equal(out.offset, 34);
        assert_int_equal(out.length, 22);
    }
    host_end(h);
}

/* A request for us is answered and teaches; one for an address of another link is not. */
static void test_arp(void **state)
{
    static const struct {
        const char *sender, *target;
        bool answered, learnt;
    } rows[] = {
        {"192.168.1.7", "192.168.1.1", true, true}, {"192.168.1.7", "192.168.1.2", false, false},
        {"192.168.1.7", "10.0.0.1", false, false}, /* the strong host model */
        {"0.0.0.0", "192.168.1.1", true, false},    {"192.168.1.1", "192.168.1.1", false, false},
        {"10.0.0.1", "192.168.1.1", false, false},  {"192.168.1.255", "192.168.1.1", false, false},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct host *h = host_new();
        struct sanwo_address sender = addr(rows[i].sender);
        struct ip_packet out;
        struct packet p, reply;
        struct wire_arp a;
        struct wire_mac mac;
        put_arp(&p, ARP_REQUEST, &peer_mac, rows[i].sender, rows[i].target);
        input(h, ETH, &p, &out);
        assert_int_equal(poll(h, &reply, 0), rows[i].answered);
        assert_int_equal(sw_neighbour_lookup(sw_ip_neighbours(&h->ip), ETH, &sender, 0, &mac),
                         rows[i].learnt);
        if (rows[i].answered) {
            assert_memory_equal(reply.bytes, peer_mac.bytes, 6);
            assert_true(sw_wire_arp_read(&a, reply.bytes + 14, reply.length - 14));
            assert_int_equal(a.operation, ARP_REPLY);
            assert_true(sw_wire_mac_equal(&a.sender_mac, &our_mac));
            assert_true(sanwo_address_equal(&a.target, &sender));
        }
        host_end(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_links),       cmocka_unit_test(test_bad_frames),
        cmocka_unit_test(test_truncations), cmocka_unit_test(test_ethernet),
        cmocka_unit_test(test_arp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
