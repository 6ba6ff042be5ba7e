/*
 * test_ip_routes.c - Routes: longest prefix, gateways, zones, what cannot be routed to.
 */
#include "test_ip_host.h"

/* RFC1122-3.2.1.3-1: nothing for 127/8 leaves. */
static void test_find(void **state)
{
    static const struct {
        const char *to;
        const char *next_hop; /* NULL: no route */
        unsigned link;
    } rows[] = {
        {"10.0.0.2", "10.0.0.2", TUN},
        {"10.0.1.2", "10.0.0.9", TUN},
        {"10.0.1.130", "10.0.1.130", TUN},
        {"10.0.2.1", "192.168.1.254", ETH},
        {"192.168.1.7", "192.168.1.7", ETH},
        {"8.8.8.8", "192.168.1.254", ETH},
        {"172.16.5.5", "192.168.1.253", ETH},
        {"172.16.5.6", "192.168.1.254", ETH},
        {"2001:db8::77", "2001:db8::77", TUN},
        {"2001:db9::1", NULL, 0},
        {"2001:dead::1", "fe80::99", TUN},
        {"fe80::7", "fe80::7", TUN},
        {"0.0.0.0", NULL, 0},
        {"127.0.0.1", NULL, 0},
        {"224.0.0.1", NULL, 0},
        {"255.255.255.255", NULL, 0},
        {"10.0.0.255", NULL, 0},
        {"10.0.0.1", NULL, 0},
        {"192.168.1.1", NULL, 0},
        {"::", NULL, 0},
        {"::1", NULL, 0},
        {"ff02::1", NULL, 0},
        {"::ffff:8.8.8.8", NULL, 0},
    };
    struct host *h = host_new();

    (void)state;
    assert_int_equal(add_route(&h->ip, "10.0.1.0", 24, "10.0.0.9", TUN), 0);
    assert_int_equal(add_route(&h->ip, "10.0.1.128", 25, NULL, TUN), 0);
    assert_int_equal(add_route(&h->ip, "172.16.5.5", 32, "192.168.1.253", ETH), 0);
    assert_int_equal(add_route(&h->ip, "2001:dead::", 32, "fe80::99", TUN), 0);
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct sanwo_address to = addr(rows[i].to), hop;
        struct ip_path path;
        bool found = sw_ip_route_find(&h->ip, &to, &path);
        if (found != (rows[i].next_hop != NULL))
            fail_msg("%s: found %d", rows[i].to, found);
        if (!found)
            continue;
        hop = addr(rows[i].next_hop);
        if (memcmp(path.next_hop.bytes, hop.bytes, 16) != 0 || path.link != rows[i].link)
            fail_msg("%s: wrong way", rows[i].to);
        assert_true(path.up);
        assert_int_equal(path.mtu, 1500);
    }
    host_end(h);
}

static void test_add(void **state)
{
    static const struct {
        const char *network;
        unsigned length;
        const char *gateway;
        unsigned link;
        int result;
    } rows[] = {
        {"10.7.0.0", 16, "10.0.0.9", TUN, 0},
        {"10.7.0.0", 16, "10.0.0.8", TUN, 0}, /* takes its place */
        {"10.7.0.1", 16, "10.0.0.9", TUN, -SANWO_EINVAL},
        {"10.7.0.0", 33, "10.0.0.9", TUN, -SANWO_EINVAL},
        {"10.7.0.0", 16, "10.0.0.9", 2, -SANWO_EINVAL},
        {"10.7.0.0", 16, "2001:db8::9", TUN, -SANWO_EINVAL},
        {"10.7.0.0", 16, "10.0.0.1", TUN, -SANWO_EINVAL},
        {"10.7.0.0", 16, "10.0.0.255", TUN, -SANWO_EINVAL},
        {"10.7.0.0", 16, "224.0.0.1", TUN, -SANWO_EINVAL},
        {"10.7.0.0", 16, "10.0.1.9", TUN, -SANWO_ENETUNREACH},
        {"10.7.0.0", 16, "192.168.1.9", TUN, -SANWO_ENETUNREACH},
        {"10.6.0.0", 16, "10.7.0.9", TUN, -SANWO_ENETUNREACH}, /* itself behind a gateway */
        {"10.8.0.0", 16, NULL, TUN, 0},
        {"10.9.0.0", 16, "10.8.0.1", TUN, 0}, /* on-link by the route before */
        {"::", 0, "fe80::9", TUN, 0},
        {"::", 129, "fe80::9", TUN, -SANWO_EINVAL},
        {"2001:db8:8000::", 33, "2001:db8::9", TUN, 0},
        {"2001:db8:8000::", 32, "2001:db8::9", TUN, -SANWO_EINVAL},
        {"10.10.0.0", 16, NULL, TUN, -SANWO_ELIMIT},
    };
    struct sanwo_stack_config config = host_config();
    struct sanwo_address a = addr("10.7.0.0");
    struct host *h;

    (void)state;
    config.max_routes = 5;
    h = host_bare(&config);
    add_link(&h->ip, SANWO_LINK_IP, 1500, 0);
    add_link(&h->ip, SANWO_LINK_ETHERNET, 1500, 0);
    add_address(&h->ip, TUN, "10.0.0.1", 24);
    add_address(&h->ip, TUN, "2001:db8::1", 64);
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        uint32_t epoch = h->ip.route_epoch;
        int result =
            add_route(&h->ip, rows[i].network, rows[i].length, rows[i].gateway, rows[i].link);
        if (result != rows[i].result)
            fail_msg("row %zu: %d", i, result);
        assert_int_equal(h->ip.route_epoch, epoch + (result == 0));
    }
    assert_int_equal(path_to(h, "10.7.1.1").next_hop.bytes[3], 8);
    assert_int_equal(sw_ip_route_remove(&h->ip, &a, 15), -SANWO_ENETUNREACH);
    assert_int_equal(sw_ip_route_remove(&h->ip, &a, 16), 0);
    assert_int_equal(sw_ip_route_remove(&h->ip, &a, 16), -SANWO_ENETUNREACH);
    assert_int_equal(path_to(h, "10.9.1.1").next_hop.bytes[1], 8);
    assert_int_equal(h->ip.route_count, 4);
    host_end(h);
}

/* The same link-local prefix on two links: the zone decides (RFC 4007). */
static void test_zones(void **state)
{
    struct host *h = host_new();
    struct sanwo_address to = addr("fe80::7");
    struct ip_path path;

    (void)state;
    assert_int_equal(add_link(&h->ip, SANWO_LINK_IP, 1400, 0), 2);
    assert_int_equal(add_address(&h->ip, 2, "fe80::1", 64), 0);
    for (uint8_t zone = 0; zone < 4; zone++) {
        to.zone = zone;
        assert_int_equal(sw_ip_route_find(&h->ip, &to, &path), zone != 2);
        if (zone == 2) /* Ethernet has no IPv6 */
            continue;
        assert_int_equal(path.link, zone == 3 ? 2 : TUN);
        assert_int_equal(path.next_hop.zone, path.link + 1);
    }
    host_end(h);
}

static void test_offload(void **state)
{
    static const struct {
        uint32_t offload, super_segment;
        uint32_t v4, v6;
    } rows[] = {
        {0, 0, 0, 0},
        {SANWO_OFFLOAD_CHECKSUM, 9000, 0, 0},
        {SANWO_OFFLOAD_TSO4, 0, 65535 - 14 - 20 - 60, 0},
        {SANWO_OFFLOAD_TSO6, 0, 0, 65535 - 14 - 40 - 60},
        {7, 9000, 9000, 9000},
        {7, UINT32_MAX, 65535 - 14 - 20 - 60, 65535 - 14 - 40 - 60},
    };

    (void)state;
    for (size_t i = 0; i < SW_COUNT(rows); i++) {
        struct sanwo_stack_config config = host_config();
        struct sanwo_link_config link = {.kind = SANWO_LINK_IP,
                                         .mtu = 1500,
                                         .offload = rows[i].offload,
                                         .super_segment = rows[i].super_segment};
        struct host *h = host_bare(&config);
        assert_int_equal(sw_ip_link_add(&h->ip, &link), 0);
        add_address(&h->ip, 0, "10.0.0.1", 24);
        add_address(&h->ip, 0, "2001:db8::1", 64);
        assert_int_equal(path_to(h, "10.0.0.2").super_segment, rows[i].v4);
        assert_int_equal(path_to(h, "2001:db8::2").super_segment, rows[i].v6);
        assert_int_equal(path_to(h, "2001:db8::2").offload, rows[i].offload);
        host_end(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_zones),
        cmocka_unit_test(test_offload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
